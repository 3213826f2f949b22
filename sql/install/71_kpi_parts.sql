-- kpi: work in parts, which background sessions take up

CREATE FUNCTION crm._in_parts(routine regprocedure, args bigint[], items bigint[], per_part integer) RETURNS integer
LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'crm_in_parts';
COMMENT ON FUNCTION crm._in_parts(regprocedure, bigint[], bigint[], integer) IS
  'Calls routine(args, part) for each part of the items, here and in background sessions, which commit each; returns how many sessions there were. Errors: 22023, 54000, 57014, what the routine raises.';
REVOKE ALL ON FUNCTION crm._in_parts(regprocedure, bigint[], bigint[], integer) FROM PUBLIC;

CREATE FUNCTION crm._accounts_of(fill regprocedure, args bigint[], parts bigint[], slot smallint, tree text,
  first_day date, settled date, until date, classes integer,
  OUT account smallint, OUT grain smallint, OUT org_id bigint, OUT subtree boolean, OUT year smallint, OUT cells crm.cells,
  OUT day date, OUT n integer, OUT entries crm.entries)
RETURNS SETOF record LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'crm_accounts_of';
COMMENT ON FUNCTION crm._accounts_of(regprocedure, bigint[], bigint[], smallint, text, date, date, date, integer) IS
  'The accounts of the standings in a slot, of the ranges of customers that parts holds as pairs; fill NULL: they are there, else fill(args, part) makes them meanwhile, in background sessions where they can be had. Errors: 22004, 22023, 54000, 57014, what fill raises.';
REVOKE ALL ON FUNCTION crm._accounts_of(regprocedure, bigint[], bigint[], smallint, text, date, date, date, integer) FROM PUBLIC;
