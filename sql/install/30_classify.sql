-- classify: the standing of a customer on every day

CREATE TYPE crm.timeline;
CREATE FUNCTION crm.timeline_in(cstring) RETURNS crm.timeline LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'crm_timeline_in';
CREATE FUNCTION crm.timeline_out(crm.timeline) RETURNS cstring LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'crm_timeline_out';
CREATE FUNCTION crm.timeline_recv(internal) RETURNS crm.timeline LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'crm_timeline_recv';
CREATE FUNCTION crm.timeline_send(crm.timeline) RETURNS bytea LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'crm_timeline_send';
COMMENT ON FUNCTION crm.timeline_in(cstring) IS 'Text input of crm.timeline.';
COMMENT ON FUNCTION crm.timeline_out(crm.timeline) IS 'Text output of crm.timeline.';
COMMENT ON FUNCTION crm.timeline_recv(internal) IS 'Binary input of crm.timeline.';
COMMENT ON FUNCTION crm.timeline_send(crm.timeline) IS 'Binary output of crm.timeline.';
CREATE TYPE crm.timeline (
  INPUT = crm.timeline_in, OUTPUT = crm.timeline_out, RECEIVE = crm.timeline_recv, SEND = crm.timeline_send,
  INTERNALLENGTH = variable, ALIGNMENT = int4, STORAGE = extended);
COMMENT ON TYPE crm.timeline IS 'The standing of one customer on every day, packed; crm.unnest(timeline) shows it.';

CREATE FUNCTION crm.timeline_eq(crm.timeline, crm.timeline) RETURNS boolean LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'crm_timeline_eq';
CREATE FUNCTION crm.timeline_ne(crm.timeline, crm.timeline) RETURNS boolean LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'crm_timeline_ne';
COMMENT ON FUNCTION crm.timeline_eq(crm.timeline, crm.timeline) IS 'Implementation of the = operator.';
COMMENT ON FUNCTION crm.timeline_ne(crm.timeline, crm.timeline) IS 'Implementation of the <> operator.';
CREATE OPERATOR crm.= (LEFTARG = crm.timeline, RIGHTARG = crm.timeline, FUNCTION = crm.timeline_eq,
  COMMUTATOR = OPERATOR(crm.=), NEGATOR = OPERATOR(crm.<>), RESTRICT = eqsel, JOIN = eqjoinsel);
CREATE OPERATOR crm.<> (LEFTARG = crm.timeline, RIGHTARG = crm.timeline, FUNCTION = crm.timeline_ne,
  COMMUTATOR = OPERATOR(crm.<>), NEGATOR = OPERATOR(crm.=), RESTRICT = neqsel, JOIN = neqjoinsel);

CREATE TYPE crm._standing_row AS (
  valid_from date, valid_to date, org_id bigint, channel_id bigint, company boolean, coverage text, role text,
  long_term boolean, plan boolean, activity smallint, tier smallint, amount bigint,
  purchase boolean, long_purchase boolean, cover_end boolean, lapse_end boolean);
COMMENT ON TYPE crm._standing_row IS 'One row of a timeline, [valid_from, valid_to); classes as ids, the amount in hundredths.';

CREATE FUNCTION crm.unnest(crm.timeline) RETURNS SETOF crm._standing_row
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE ROWS 8 AS 'MODULE_PATHNAME', 'crm_timeline_unnest';
COMMENT ON FUNCTION crm.unnest(crm.timeline) IS 'The rows of a timeline in order of day; the last is valid to infinity.';
CREATE FUNCTION crm.at(crm.timeline, day date) RETURNS crm._standing_row
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'crm_timeline_at';
COMMENT ON FUNCTION crm.at(crm.timeline, date) IS 'The row of a timeline in force on a day; NULL before the first.';
CREATE FUNCTION crm._cell_at(timeline crm.timeline, day date, OUT org_id bigint, OUT channel_id bigint, OUT company boolean)
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'crm_timeline_cell_at';
COMMENT ON FUNCTION crm._cell_at(crm.timeline, date) IS 'Unit, channel and kind of the row of a timeline in force on a day; NULL before the first.';
