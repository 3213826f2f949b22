-- types: mobile telephone numbers

-- crm.mobile: mobile telephone number of mainland China, 11 digits; +86, spaces, hyphens, parentheses and full-width digits are accepted
CREATE TYPE crm.mobile;

CREATE FUNCTION crm.mobile_in(cstring) RETURNS crm.mobile
  AS 'MODULE_PATHNAME', 'crm_mobile_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.mobile_in(cstring) IS 'text input of crm.mobile';
CREATE FUNCTION crm.mobile_out(crm.mobile) RETURNS cstring
  AS 'MODULE_PATHNAME', 'crm_mobile_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.mobile_out(crm.mobile) IS 'text output of crm.mobile';
CREATE FUNCTION crm.mobile_recv(internal) RETURNS crm.mobile
  AS 'MODULE_PATHNAME', 'crm_mobile_recv' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.mobile_recv(internal) IS 'binary input of crm.mobile';
CREATE FUNCTION crm.mobile_send(crm.mobile) RETURNS bytea
  AS 'MODULE_PATHNAME', 'crm_mobile_send' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.mobile_send(crm.mobile) IS 'binary output of crm.mobile';

CREATE TYPE crm.mobile (
  INPUT = crm.mobile_in, OUTPUT = crm.mobile_out, RECEIVE = crm.mobile_recv, SEND = crm.mobile_send,
  INTERNALLENGTH = 8, PASSEDBYVALUE, ALIGNMENT = double, STORAGE = plain
);
COMMENT ON TYPE crm.mobile IS 'mobile telephone number of mainland China, 11 digits; +86, spaces, hyphens, parentheses and full-width digits are accepted';

CREATE FUNCTION crm.mobile_lt(crm.mobile, crm.mobile) RETURNS boolean
  AS 'MODULE_PATHNAME', 'crm_mobile_lt' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.mobile_lt(crm.mobile, crm.mobile) IS 'implementation of < operator';
CREATE FUNCTION crm.mobile_le(crm.mobile, crm.mobile) RETURNS boolean
  AS 'MODULE_PATHNAME', 'crm_mobile_le' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.mobile_le(crm.mobile, crm.mobile) IS 'implementation of <= operator';
CREATE FUNCTION crm.mobile_eq(crm.mobile, crm.mobile) RETURNS boolean
  AS 'MODULE_PATHNAME', 'crm_mobile_eq' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.mobile_eq(crm.mobile, crm.mobile) IS 'implementation of = operator';
CREATE FUNCTION crm.mobile_ne(crm.mobile, crm.mobile) RETURNS boolean
  AS 'MODULE_PATHNAME', 'crm_mobile_ne' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.mobile_ne(crm.mobile, crm.mobile) IS 'implementation of <> operator';
CREATE FUNCTION crm.mobile_ge(crm.mobile, crm.mobile) RETURNS boolean
  AS 'MODULE_PATHNAME', 'crm_mobile_ge' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.mobile_ge(crm.mobile, crm.mobile) IS 'implementation of >= operator';
CREATE FUNCTION crm.mobile_gt(crm.mobile, crm.mobile) RETURNS boolean
  AS 'MODULE_PATHNAME', 'crm_mobile_gt' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.mobile_gt(crm.mobile, crm.mobile) IS 'implementation of > operator';
CREATE FUNCTION crm.mobile_cmp(crm.mobile, crm.mobile) RETURNS integer
  AS 'MODULE_PATHNAME', 'crm_mobile_cmp' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.mobile_cmp(crm.mobile, crm.mobile) IS 'less-equal-greater: order of the numbers';
CREATE FUNCTION crm.mobile_hash(crm.mobile) RETURNS integer
  AS 'MODULE_PATHNAME', 'crm_mobile_hash' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.mobile_hash(crm.mobile) IS 'hash';
CREATE FUNCTION crm.mobile_hash_extended(crm.mobile, bigint) RETURNS bigint
  AS 'MODULE_PATHNAME', 'crm_mobile_hash_extended' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.mobile_hash_extended(crm.mobile, bigint) IS 'hash with a seed';

CREATE OPERATOR crm.< (
  LEFTARG = crm.mobile, RIGHTARG = crm.mobile, FUNCTION = crm.mobile_lt,
  COMMUTATOR = OPERATOR(crm.>), NEGATOR = OPERATOR(crm.>=), RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);
COMMENT ON OPERATOR crm.< (crm.mobile, crm.mobile) IS 'less than';
CREATE OPERATOR crm.<= (
  LEFTARG = crm.mobile, RIGHTARG = crm.mobile, FUNCTION = crm.mobile_le,
  COMMUTATOR = OPERATOR(crm.>=), NEGATOR = OPERATOR(crm.>), RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);
COMMENT ON OPERATOR crm.<= (crm.mobile, crm.mobile) IS 'less than or equal';
CREATE OPERATOR crm.= (
  LEFTARG = crm.mobile, RIGHTARG = crm.mobile, FUNCTION = crm.mobile_eq,
  COMMUTATOR = OPERATOR(crm.=), NEGATOR = OPERATOR(crm.<>), RESTRICT = eqsel, JOIN = eqjoinsel, HASHES, MERGES
);
COMMENT ON OPERATOR crm.= (crm.mobile, crm.mobile) IS 'equal';
CREATE OPERATOR crm.<> (
  LEFTARG = crm.mobile, RIGHTARG = crm.mobile, FUNCTION = crm.mobile_ne,
  COMMUTATOR = OPERATOR(crm.<>), NEGATOR = OPERATOR(crm.=), RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR crm.<> (crm.mobile, crm.mobile) IS 'not equal';
CREATE OPERATOR crm.>= (
  LEFTARG = crm.mobile, RIGHTARG = crm.mobile, FUNCTION = crm.mobile_ge,
  COMMUTATOR = OPERATOR(crm.<=), NEGATOR = OPERATOR(crm.<), RESTRICT = scalargesel, JOIN = scalargejoinsel
);
COMMENT ON OPERATOR crm.>= (crm.mobile, crm.mobile) IS 'greater than or equal';
CREATE OPERATOR crm.> (
  LEFTARG = crm.mobile, RIGHTARG = crm.mobile, FUNCTION = crm.mobile_gt,
  COMMUTATOR = OPERATOR(crm.<), NEGATOR = OPERATOR(crm.<=), RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);
COMMENT ON OPERATOR crm.> (crm.mobile, crm.mobile) IS 'greater than';

CREATE OPERATOR FAMILY crm.mobile_btree_ops USING btree;
COMMENT ON OPERATOR FAMILY crm.mobile_btree_ops USING btree IS 'order of crm.mobile';
CREATE OPERATOR CLASS crm.mobile_btree_ops DEFAULT FOR TYPE crm.mobile USING btree FAMILY crm.mobile_btree_ops AS
  OPERATOR 1 crm.< (crm.mobile, crm.mobile),
  OPERATOR 2 crm.<= (crm.mobile, crm.mobile),
  OPERATOR 3 crm.= (crm.mobile, crm.mobile),
  OPERATOR 4 crm.>= (crm.mobile, crm.mobile),
  OPERATOR 5 crm.> (crm.mobile, crm.mobile),
  FUNCTION 1 crm.mobile_cmp(crm.mobile, crm.mobile), FUNCTION 4 pg_catalog.btequalimage(oid);
COMMENT ON OPERATOR CLASS crm.mobile_btree_ops USING btree IS 'order of the numbers';
CREATE OPERATOR FAMILY crm.mobile_hash_ops USING hash;
COMMENT ON OPERATOR FAMILY crm.mobile_hash_ops USING hash IS 'equality of crm.mobile';
CREATE OPERATOR CLASS crm.mobile_hash_ops DEFAULT FOR TYPE crm.mobile USING hash FAMILY crm.mobile_hash_ops AS
  OPERATOR 1 crm.= (crm.mobile, crm.mobile),
  FUNCTION 1 crm.mobile_hash(crm.mobile), FUNCTION 2 crm.mobile_hash_extended(crm.mobile, bigint);
COMMENT ON OPERATOR CLASS crm.mobile_hash_ops USING hash IS 'equality of crm.mobile';

CREATE CAST (text AS crm.mobile) WITH INOUT AS ASSIGNMENT;
COMMENT ON CAST (text AS crm.mobile) IS 'text input on assignment';
CREATE CAST (crm.mobile AS text) WITH INOUT AS ASSIGNMENT;
COMMENT ON CAST (crm.mobile AS text) IS 'text output on assignment';
