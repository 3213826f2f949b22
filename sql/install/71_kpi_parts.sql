-- kpi: work in parts, which background sessions take up

CREATE FUNCTION crm._run_keys(first bigint[], n integer[]) RETURNS bigint[]
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'crm_run_keys';
COMMENT ON FUNCTION crm._run_keys(bigint[], integer[]) IS
  'The keys of runs, first[i] and those that follow it, n[i] in all, ascending, each once. Errors: 22003, 22004, 22023, 2202E, 54000.';
REVOKE ALL ON FUNCTION crm._run_keys(bigint[], integer[]) FROM PUBLIC;

CREATE FUNCTION crm._in_parts(routine regprocedure, args bigint[], items bigint[], per_part integer) RETURNS integer
LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'crm_in_parts';
COMMENT ON FUNCTION crm._in_parts(regprocedure, bigint[], bigint[], integer) IS
  'Calls routine(args, part) for each part of the items, here and in background sessions, which commit each; returns how many sessions there were. Errors: 22023, 54000, 57014, what the routine raises.';
REVOKE ALL ON FUNCTION crm._in_parts(regprocedure, bigint[], bigint[], integer) FROM PUBLIC;

CREATE FUNCTION crm._keep_accounts(fill regprocedure, args bigint[], parts bigint[], slot smallint, tree text,
  first_day date, settled date, until date, classes integer) RETURNS date
LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'crm_keep_accounts';
COMMENT ON FUNCTION crm._keep_accounts(regprocedure, bigint[], bigint[], smallint, text, date, date, date, integer) IS
  'Puts the accounts of the standings in a slot into crm.kpi_cell and crm.kpi_entry, of the ranges of customers that parts holds as pairs; fill NULL: the standings are there, else fill(args, part) makes them meanwhile, in background sessions where they can be had; a part with from >= to is other work of fill, done by the end. Returns the first day of any of them. Errors: 22004, 22023, 42501, 54000, 57014, what fill raises.';
REVOKE ALL ON FUNCTION crm._keep_accounts(regprocedure, bigint[], bigint[], smallint, text, date, date, date, integer) FROM PUBLIC;
