-- crm.recycle_rule: when a holding falls due, as ''first contact within 7 days; contact every 30 days; purchase within 180 days; at most 365 days; cool off 90 days'': any of these clauses, or never; a day is 24 hours
CREATE TYPE crm.recycle_rule;

CREATE FUNCTION crm.recycle_rule_in(cstring) RETURNS crm.recycle_rule
  AS 'MODULE_PATHNAME', 'crm_recycle_rule_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.recycle_rule_in(cstring) IS 'text input of crm.recycle_rule';
CREATE FUNCTION crm.recycle_rule_out(crm.recycle_rule) RETURNS cstring
  AS 'MODULE_PATHNAME', 'crm_recycle_rule_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.recycle_rule_out(crm.recycle_rule) IS 'text output of crm.recycle_rule';
CREATE FUNCTION crm.recycle_rule_recv(internal) RETURNS crm.recycle_rule
  AS 'MODULE_PATHNAME', 'crm_recycle_rule_recv' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.recycle_rule_recv(internal) IS 'binary input of crm.recycle_rule';
CREATE FUNCTION crm.recycle_rule_send(crm.recycle_rule) RETURNS bytea
  AS 'MODULE_PATHNAME', 'crm_recycle_rule_send' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.recycle_rule_send(crm.recycle_rule) IS 'binary output of crm.recycle_rule';

CREATE TYPE crm.recycle_rule (
  INPUT = crm.recycle_rule_in, OUTPUT = crm.recycle_rule_out, RECEIVE = crm.recycle_rule_recv, SEND = crm.recycle_rule_send,
  INTERNALLENGTH = 24, ALIGNMENT = int4, STORAGE = plain
);
COMMENT ON TYPE crm.recycle_rule IS 'when a holding falls due, as ''first contact within 7 days; contact every 30 days; purchase within 180 days; at most 365 days; cool off 90 days'': any of these clauses, or never; a day is 24 hours';

CREATE FUNCTION crm.recycle_rule_lt(crm.recycle_rule, crm.recycle_rule) RETURNS boolean
  AS 'MODULE_PATHNAME', 'crm_recycle_rule_lt' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.recycle_rule_lt(crm.recycle_rule, crm.recycle_rule) IS 'implementation of < operator';
CREATE FUNCTION crm.recycle_rule_le(crm.recycle_rule, crm.recycle_rule) RETURNS boolean
  AS 'MODULE_PATHNAME', 'crm_recycle_rule_le' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.recycle_rule_le(crm.recycle_rule, crm.recycle_rule) IS 'implementation of <= operator';
CREATE FUNCTION crm.recycle_rule_eq(crm.recycle_rule, crm.recycle_rule) RETURNS boolean
  AS 'MODULE_PATHNAME', 'crm_recycle_rule_eq' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.recycle_rule_eq(crm.recycle_rule, crm.recycle_rule) IS 'implementation of = operator';
CREATE FUNCTION crm.recycle_rule_ne(crm.recycle_rule, crm.recycle_rule) RETURNS boolean
  AS 'MODULE_PATHNAME', 'crm_recycle_rule_ne' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.recycle_rule_ne(crm.recycle_rule, crm.recycle_rule) IS 'implementation of <> operator';
CREATE FUNCTION crm.recycle_rule_ge(crm.recycle_rule, crm.recycle_rule) RETURNS boolean
  AS 'MODULE_PATHNAME', 'crm_recycle_rule_ge' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.recycle_rule_ge(crm.recycle_rule, crm.recycle_rule) IS 'implementation of >= operator';
CREATE FUNCTION crm.recycle_rule_gt(crm.recycle_rule, crm.recycle_rule) RETURNS boolean
  AS 'MODULE_PATHNAME', 'crm_recycle_rule_gt' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.recycle_rule_gt(crm.recycle_rule, crm.recycle_rule) IS 'implementation of > operator';
CREATE FUNCTION crm.recycle_rule_cmp(crm.recycle_rule, crm.recycle_rule) RETURNS integer
  AS 'MODULE_PATHNAME', 'crm_recycle_rule_cmp' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.recycle_rule_cmp(crm.recycle_rule, crm.recycle_rule) IS 'less-equal-greater: days of the clauses in canonical order, no clause first';
CREATE FUNCTION crm.recycle_rule_hash(crm.recycle_rule) RETURNS integer
  AS 'MODULE_PATHNAME', 'crm_recycle_rule_hash' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.recycle_rule_hash(crm.recycle_rule) IS 'hash';
CREATE FUNCTION crm.recycle_rule_hash_extended(crm.recycle_rule, bigint) RETURNS bigint
  AS 'MODULE_PATHNAME', 'crm_recycle_rule_hash_extended' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.recycle_rule_hash_extended(crm.recycle_rule, bigint) IS 'hash with a seed';

CREATE OPERATOR crm.< (
  LEFTARG = crm.recycle_rule, RIGHTARG = crm.recycle_rule, FUNCTION = crm.recycle_rule_lt,
  COMMUTATOR = OPERATOR(crm.>), NEGATOR = OPERATOR(crm.>=), RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);
COMMENT ON OPERATOR crm.< (crm.recycle_rule, crm.recycle_rule) IS 'less than';
CREATE OPERATOR crm.<= (
  LEFTARG = crm.recycle_rule, RIGHTARG = crm.recycle_rule, FUNCTION = crm.recycle_rule_le,
  COMMUTATOR = OPERATOR(crm.>=), NEGATOR = OPERATOR(crm.>), RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);
COMMENT ON OPERATOR crm.<= (crm.recycle_rule, crm.recycle_rule) IS 'less than or equal';
CREATE OPERATOR crm.= (
  LEFTARG = crm.recycle_rule, RIGHTARG = crm.recycle_rule, FUNCTION = crm.recycle_rule_eq,
  COMMUTATOR = OPERATOR(crm.=), NEGATOR = OPERATOR(crm.<>), RESTRICT = eqsel, JOIN = eqjoinsel, HASHES, MERGES
);
COMMENT ON OPERATOR crm.= (crm.recycle_rule, crm.recycle_rule) IS 'equal';
CREATE OPERATOR crm.<> (
  LEFTARG = crm.recycle_rule, RIGHTARG = crm.recycle_rule, FUNCTION = crm.recycle_rule_ne,
  COMMUTATOR = OPERATOR(crm.<>), NEGATOR = OPERATOR(crm.=), RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR crm.<> (crm.recycle_rule, crm.recycle_rule) IS 'not equal';
CREATE OPERATOR crm.>= (
  LEFTARG = crm.recycle_rule, RIGHTARG = crm.recycle_rule, FUNCTION = crm.recycle_rule_ge,
  COMMUTATOR = OPERATOR(crm.<=), NEGATOR = OPERATOR(crm.<), RESTRICT = scalargesel, JOIN = scalargejoinsel
);
COMMENT ON OPERATOR crm.>= (crm.recycle_rule, crm.recycle_rule) IS 'greater than or equal';
CREATE OPERATOR crm.> (
  LEFTARG = crm.recycle_rule, RIGHTARG = crm.recycle_rule, FUNCTION = crm.recycle_rule_gt,
  COMMUTATOR = OPERATOR(crm.<), NEGATOR = OPERATOR(crm.<=), RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);
COMMENT ON OPERATOR crm.> (crm.recycle_rule, crm.recycle_rule) IS 'greater than';

CREATE OPERATOR FAMILY crm.recycle_rule_btree_ops USING btree;
COMMENT ON OPERATOR FAMILY crm.recycle_rule_btree_ops USING btree IS 'order of crm.recycle_rule';
CREATE OPERATOR CLASS crm.recycle_rule_btree_ops DEFAULT FOR TYPE crm.recycle_rule USING btree FAMILY crm.recycle_rule_btree_ops AS
  OPERATOR 1 crm.< (crm.recycle_rule, crm.recycle_rule),
  OPERATOR 2 crm.<= (crm.recycle_rule, crm.recycle_rule),
  OPERATOR 3 crm.= (crm.recycle_rule, crm.recycle_rule),
  OPERATOR 4 crm.>= (crm.recycle_rule, crm.recycle_rule),
  OPERATOR 5 crm.> (crm.recycle_rule, crm.recycle_rule),
  FUNCTION 1 crm.recycle_rule_cmp(crm.recycle_rule, crm.recycle_rule), FUNCTION 4 pg_catalog.btequalimage(oid);
COMMENT ON OPERATOR CLASS crm.recycle_rule_btree_ops USING btree IS 'days of the clauses in canonical order, no clause first';
CREATE OPERATOR FAMILY crm.recycle_rule_hash_ops USING hash;
COMMENT ON OPERATOR FAMILY crm.recycle_rule_hash_ops USING hash IS 'equality of crm.recycle_rule';
CREATE OPERATOR CLASS crm.recycle_rule_hash_ops DEFAULT FOR TYPE crm.recycle_rule USING hash FAMILY crm.recycle_rule_hash_ops AS
  OPERATOR 1 crm.= (crm.recycle_rule, crm.recycle_rule),
  FUNCTION 1 crm.recycle_rule_hash(crm.recycle_rule), FUNCTION 2 crm.recycle_rule_hash_extended(crm.recycle_rule, bigint);
COMMENT ON OPERATOR CLASS crm.recycle_rule_hash_ops USING hash IS 'equality of crm.recycle_rule';

CREATE CAST (text AS crm.recycle_rule) WITH INOUT AS ASSIGNMENT;
COMMENT ON CAST (text AS crm.recycle_rule) IS 'text input on assignment';
CREATE CAST (crm.recycle_rule AS text) WITH INOUT AS ASSIGNMENT;
COMMENT ON CAST (crm.recycle_rule AS text) IS 'text output on assignment';
CREATE FUNCTION crm.recycle_due(rule crm.recycle_rule, held_from timestamp with time zone, last_contact timestamp with time zone, last_purchase timestamp with time zone) RETURNS timestamp with time zone
  AS 'MODULE_PATHNAME', 'crm_recycle_rule_due' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION crm.recycle_due(rule crm.recycle_rule, held_from timestamp with time zone, last_contact timestamp with time zone, last_purchase timestamp with time zone) IS
  'when the holding falls due, null if never; a contact or purchase missing or before held_from counts from held_from; first contact and purchase are met once, contact every rolls';
CREATE FUNCTION crm.recycle_cause(rule crm.recycle_rule, held_from timestamp with time zone, last_contact timestamp with time zone, last_purchase timestamp with time zone) RETURNS text
  AS 'MODULE_PATHNAME', 'crm_recycle_rule_cause' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION crm.recycle_cause(rule crm.recycle_rule, held_from timestamp with time zone, last_contact timestamp with time zone, last_purchase timestamp with time zone) IS
  'words of the clause that falls due first, null if none ever does; of several at once the first of: first contact within, contact every, purchase within, at most';
CREATE FUNCTION crm.cool_off(rule crm.recycle_rule) RETURNS interval
  AS 'MODULE_PATHNAME', 'crm_recycle_rule_cool_off' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.cool_off(rule crm.recycle_rule) IS
  'how long an earlier holder stays excluded, in hours, null if the rule does not say';
CREATE FUNCTION crm.recycle_days(rule crm.recycle_rule, clause text) RETURNS integer
  AS 'MODULE_PATHNAME', 'crm_recycle_rule_days' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION crm.recycle_days(rule crm.recycle_rule, clause text) IS
  'days of the clause with these words, null if the rule has no such clause; other words are refused (22023)';
