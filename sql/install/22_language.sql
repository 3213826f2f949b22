-- base: the language of the user, sets of fields as bits

CREATE FUNCTION crm.language() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT CASE pg_catalog.current_setting('crm.language', true) WHEN 'zh' THEN 'zh' ELSE 'en' END;
END;
COMMENT ON FUNCTION crm.language() IS 'The language that the parameter crm.language asks for: en or zh.';

CREATE FUNCTION crm._mask_sum(mask bigint, weights bigint[]) RETURNS bigint
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'crm_mask_sum';
COMMENT ON FUNCTION crm._mask_sum(bigint, bigint[]) IS
  'The sum of the weights of the bits set; element i of the array belongs to bit i - 1. Errors: 22023, 2202E, 22003.';

CREATE FUNCTION crm._mask_names(mask bigint, names text[], separator text) RETURNS text
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'crm_mask_names';
COMMENT ON FUNCTION crm._mask_names(bigint, text[], text) IS
  'The names of the bits set, in order; element i of the array belongs to bit i - 1. Errors: 22023, 2202E.';
