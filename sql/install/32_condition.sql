-- classify: conditions, rules over the columns of crm_bi.customer

CREATE TYPE crm.condition;
CREATE FUNCTION crm.condition_in(cstring) RETURNS crm.condition LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'crm_condition_in';
COMMENT ON FUNCTION crm.condition_in(cstring) IS 'text input of crm.condition';
CREATE FUNCTION crm.condition_out(crm.condition) RETURNS cstring LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'crm_condition_out';
COMMENT ON FUNCTION crm.condition_out(crm.condition) IS 'text output of crm.condition';
CREATE FUNCTION crm.condition_recv(internal) RETURNS crm.condition LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'crm_condition_recv';
COMMENT ON FUNCTION crm.condition_recv(internal) IS 'binary input of crm.condition';
CREATE FUNCTION crm.condition_send(crm.condition) RETURNS bytea LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'crm_condition_send';
COMMENT ON FUNCTION crm.condition_send(crm.condition) IS 'binary output of crm.condition';
CREATE TYPE crm.condition (
  INPUT = crm.condition_in, OUTPUT = crm.condition_out, RECEIVE = crm.condition_recv, SEND = crm.condition_send,
  INTERNALLENGTH = variable, ALIGNMENT = int4, STORAGE = extended);
COMMENT ON TYPE crm.condition IS
  'A rule over the columns of crm_bi.customer, as ''coverage = ''''insured'''' and age(birth_date) >= 60'', checked when written. 客户筛选条件';

-- A value is its canonical text, so the functions of bytea compare and hash it.
CREATE FUNCTION crm.condition_lt(crm.condition, crm.condition) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'bytealt';
COMMENT ON FUNCTION crm.condition_lt(crm.condition, crm.condition) IS 'implementation of < operator';
CREATE FUNCTION crm.condition_le(crm.condition, crm.condition) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'byteale';
COMMENT ON FUNCTION crm.condition_le(crm.condition, crm.condition) IS 'implementation of <= operator';
CREATE FUNCTION crm.condition_eq(crm.condition, crm.condition) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'byteaeq';
COMMENT ON FUNCTION crm.condition_eq(crm.condition, crm.condition) IS 'implementation of = operator';
CREATE FUNCTION crm.condition_ne(crm.condition, crm.condition) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'byteane';
COMMENT ON FUNCTION crm.condition_ne(crm.condition, crm.condition) IS 'implementation of <> operator';
CREATE FUNCTION crm.condition_ge(crm.condition, crm.condition) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'byteage';
COMMENT ON FUNCTION crm.condition_ge(crm.condition, crm.condition) IS 'implementation of >= operator';
CREATE FUNCTION crm.condition_gt(crm.condition, crm.condition) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'byteagt';
COMMENT ON FUNCTION crm.condition_gt(crm.condition, crm.condition) IS 'implementation of > operator';
CREATE FUNCTION crm.condition_cmp(crm.condition, crm.condition) RETURNS integer LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'byteacmp';
COMMENT ON FUNCTION crm.condition_cmp(crm.condition, crm.condition) IS 'less-equal-greater: byte order of the canonical texts';
CREATE FUNCTION crm.condition_hash(crm.condition) RETURNS integer LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'hashvarlena';
COMMENT ON FUNCTION crm.condition_hash(crm.condition) IS 'hash';
CREATE FUNCTION crm.condition_hash_extended(crm.condition, bigint) RETURNS bigint LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'hashvarlenaextended';
COMMENT ON FUNCTION crm.condition_hash_extended(crm.condition, bigint) IS 'hash with a seed';

CREATE OPERATOR crm.< (LEFTARG = crm.condition, RIGHTARG = crm.condition, FUNCTION = crm.condition_lt,
  COMMUTATOR = OPERATOR(crm.>), NEGATOR = OPERATOR(crm.>=), RESTRICT = scalarltsel, JOIN = scalarltjoinsel);
COMMENT ON OPERATOR crm.< (crm.condition, crm.condition) IS 'less than';
CREATE OPERATOR crm.<= (LEFTARG = crm.condition, RIGHTARG = crm.condition, FUNCTION = crm.condition_le,
  COMMUTATOR = OPERATOR(crm.>=), NEGATOR = OPERATOR(crm.>), RESTRICT = scalarlesel, JOIN = scalarlejoinsel);
COMMENT ON OPERATOR crm.<= (crm.condition, crm.condition) IS 'less than or equal';
CREATE OPERATOR crm.= (LEFTARG = crm.condition, RIGHTARG = crm.condition, FUNCTION = crm.condition_eq,
  COMMUTATOR = OPERATOR(crm.=), NEGATOR = OPERATOR(crm.<>), RESTRICT = eqsel, JOIN = eqjoinsel, HASHES, MERGES);
COMMENT ON OPERATOR crm.= (crm.condition, crm.condition) IS 'equal';
CREATE OPERATOR crm.<> (LEFTARG = crm.condition, RIGHTARG = crm.condition, FUNCTION = crm.condition_ne,
  COMMUTATOR = OPERATOR(crm.<>), NEGATOR = OPERATOR(crm.=), RESTRICT = neqsel, JOIN = neqjoinsel);
COMMENT ON OPERATOR crm.<> (crm.condition, crm.condition) IS 'not equal';
CREATE OPERATOR crm.>= (LEFTARG = crm.condition, RIGHTARG = crm.condition, FUNCTION = crm.condition_ge,
  COMMUTATOR = OPERATOR(crm.<=), NEGATOR = OPERATOR(crm.<), RESTRICT = scalargesel, JOIN = scalargejoinsel);
COMMENT ON OPERATOR crm.>= (crm.condition, crm.condition) IS 'greater than or equal';
CREATE OPERATOR crm.> (LEFTARG = crm.condition, RIGHTARG = crm.condition, FUNCTION = crm.condition_gt,
  COMMUTATOR = OPERATOR(crm.<), NEGATOR = OPERATOR(crm.<=), RESTRICT = scalargtsel, JOIN = scalargtjoinsel);
COMMENT ON OPERATOR crm.> (crm.condition, crm.condition) IS 'greater than';

CREATE OPERATOR FAMILY crm.condition_btree_ops USING btree;
COMMENT ON OPERATOR FAMILY crm.condition_btree_ops USING btree IS 'order of crm.condition';
CREATE OPERATOR CLASS crm.condition_btree_ops DEFAULT FOR TYPE crm.condition USING btree FAMILY crm.condition_btree_ops AS
  OPERATOR 1 crm.< (crm.condition, crm.condition),
  OPERATOR 2 crm.<= (crm.condition, crm.condition),
  OPERATOR 3 crm.= (crm.condition, crm.condition),
  OPERATOR 4 crm.>= (crm.condition, crm.condition),
  OPERATOR 5 crm.> (crm.condition, crm.condition),
  FUNCTION 1 crm.condition_cmp(crm.condition, crm.condition), FUNCTION 4 pg_catalog.btequalimage(oid);
COMMENT ON OPERATOR CLASS crm.condition_btree_ops USING btree IS 'byte order of the canonical texts';
CREATE OPERATOR FAMILY crm.condition_hash_ops USING hash;
COMMENT ON OPERATOR FAMILY crm.condition_hash_ops USING hash IS 'equality of crm.condition';
CREATE OPERATOR CLASS crm.condition_hash_ops DEFAULT FOR TYPE crm.condition USING hash FAMILY crm.condition_hash_ops AS
  OPERATOR 1 crm.= (crm.condition, crm.condition),
  FUNCTION 1 crm.condition_hash(crm.condition), FUNCTION 2 crm.condition_hash_extended(crm.condition, bigint);
COMMENT ON OPERATOR CLASS crm.condition_hash_ops USING hash IS 'equality of crm.condition';

CREATE CAST (text AS crm.condition) WITH INOUT AS ASSIGNMENT;
COMMENT ON CAST (text AS crm.condition) IS 'text input on assignment';
CREATE CAST (crm.condition AS text) WITH INOUT AS ASSIGNMENT;
COMMENT ON CAST (crm.condition AS text) IS 'text output on assignment';

CREATE FUNCTION crm.condition_and(crm.condition, crm.condition) RETURNS crm.condition LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'crm_condition_and';
COMMENT ON FUNCTION crm.condition_and(crm.condition, crm.condition) IS 'Both conditions; implementation of & operator. Errors: 54000, 54001. 且';
CREATE FUNCTION crm.condition_or(crm.condition, crm.condition) RETURNS crm.condition LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'crm_condition_or';
COMMENT ON FUNCTION crm.condition_or(crm.condition, crm.condition) IS 'Either condition or both; implementation of | operator. Errors: 54000, 54001. 或';
CREATE FUNCTION crm.condition_but_not(crm.condition, crm.condition) RETURNS crm.condition LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'crm_condition_but_not';
COMMENT ON FUNCTION crm.condition_but_not(crm.condition, crm.condition) IS
  'Who meets the first condition but not the second, as a difference of sets: where the second is unknown it does not take away; implementation of - operator. Errors: 54000, 54001. 剔除';
CREATE OPERATOR crm.& (LEFTARG = crm.condition, RIGHTARG = crm.condition, FUNCTION = crm.condition_and);
COMMENT ON OPERATOR crm.& (crm.condition, crm.condition) IS 'both';
CREATE OPERATOR crm.| (LEFTARG = crm.condition, RIGHTARG = crm.condition, FUNCTION = crm.condition_or);
COMMENT ON OPERATOR crm.| (crm.condition, crm.condition) IS 'either or both';
CREATE OPERATOR crm.- (LEFTARG = crm.condition, RIGHTARG = crm.condition, FUNCTION = crm.condition_but_not);
COMMENT ON OPERATOR crm.- (crm.condition, crm.condition) IS 'the first but not the second';

CREATE FUNCTION crm.condition_columns(OUT name text, OUT kind text) RETURNS SETOF record
LANGUAGE c IMMUTABLE PARALLEL SAFE ROWS 20 AS 'MODULE_PATHNAME', 'crm_condition_columns';
COMMENT ON FUNCTION crm.condition_columns() IS 'The columns that a condition may name, each a number, text, date, boolean or set (of texts).';

CREATE FUNCTION crm._condition_day(today date, months integer, days integer) RETURNS date
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'crm_condition_day';
COMMENT ON FUNCTION crm._condition_day(date, integer, integer) IS 'A day relative to today: months on, the last day where a month is too short, then days. Errors: 22008.';
CREATE FUNCTION crm._condition_part(part integer, day date, today date) RETURNS integer
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'crm_condition_part';
COMMENT ON FUNCTION crm._condition_part(integer, date, date) IS 'Of a date: 1 year, 2 month, 3 day, 4 age, 5 days to its next anniversary. Errors: 22023.';
CREATE FUNCTION crm._condition_support(internal) RETURNS internal
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'crm_condition_support';
COMMENT ON FUNCTION crm._condition_support(internal) IS 'Replaces crm.matches() by plain operators when a query is planned.';
CREATE FUNCTION crm.matches(condition crm.condition, customer record, as_of date) RETURNS boolean
LANGUAGE c IMMUTABLE PARALLEL SAFE COST 20 SUPPORT crm._condition_support AS 'MODULE_PATHNAME', 'crm_condition_matches';
COMMENT ON FUNCTION crm.matches(crm.condition, record, date) IS
  'Whether a row with the columns a condition names meets it as of a day; NULL (no, for WHERE) where that is unknown, as in SQL. A condition known when the query is planned becomes plain operators, so that indexes serve it. Errors: 42703 a column is missing, 42804 is of another type, 22008 a relative day out of range. 是否符合条件';
