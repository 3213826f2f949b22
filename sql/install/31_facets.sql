-- classify: what else a customer is on every day: channels, service, reach, origin, touchpoints

CREATE TYPE crm.facets;
CREATE FUNCTION crm.facets_in(cstring) RETURNS crm.facets LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'crm_facets_in';
CREATE FUNCTION crm.facets_out(crm.facets) RETURNS cstring LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'crm_facets_out';
CREATE FUNCTION crm.facets_recv(internal) RETURNS crm.facets LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'crm_facets_recv';
CREATE FUNCTION crm.facets_send(crm.facets) RETURNS bytea LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'crm_timeline_send';
COMMENT ON FUNCTION crm.facets_in(cstring) IS 'Text input of crm.facets.';
COMMENT ON FUNCTION crm.facets_out(crm.facets) IS 'Text output of crm.facets.';
COMMENT ON FUNCTION crm.facets_recv(internal) IS 'Binary input of crm.facets.';
COMMENT ON FUNCTION crm.facets_send(crm.facets) IS 'Binary output of crm.facets.';
CREATE TYPE crm.facets (
  INPUT = crm.facets_in, OUTPUT = crm.facets_out, RECEIVE = crm.facets_recv, SEND = crm.facets_send,
  INTERNALLENGTH = variable, ALIGNMENT = int4, STORAGE = extended);
COMMENT ON TYPE crm.facets IS 'Channels, service, reach, origin, touchpoints, orphan policies and products of one customer on every day, packed; crm.unnest(facets) shows them.';

CREATE TYPE crm._facet_row AS (
  valid_from date, valid_to date, channel_ids bigint[], service text, reach text, origin text, touchpoints text[], orphan_policies integer, has_product boolean);
COMMENT ON TYPE crm._facet_row IS 'One row of facets, [valid_from, valid_to); the channels are those of policies in force.';

CREATE FUNCTION crm.unnest(crm.facets) RETURNS SETOF crm._facet_row
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE ROWS 5 AS 'MODULE_PATHNAME', 'crm_facets_unnest';
COMMENT ON FUNCTION crm.unnest(crm.facets) IS 'The rows of facets in order of day; the last is valid to infinity.';
CREATE FUNCTION crm.facet_at(crm.facets, day date) RETURNS crm._facet_row
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'crm_facets_at';
COMMENT ON FUNCTION crm.facet_at(crm.facets, date) IS 'The row of facets in force on a day; NULL before the first.';

CREATE FUNCTION crm._standings(generation bigint, from_id bigint, to_id bigint,
  OUT customer_id bigint, OUT first_day date, OUT timeline crm.timeline, OUT facets crm.facets)
RETURNS SETOF record LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'crm_standings';
COMMENT ON FUNCTION crm._standings(bigint, bigint, bigint) IS
  'The timelines and facets of the customers from_id <= id < to_id by the rules of a generation.';
REVOKE ALL ON FUNCTION crm._standings(bigint, bigint, bigint) FROM PUBLIC;

CREATE FUNCTION crm._touch_customers(customers bigint[]) RETURNS void LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'crm_touch_customers';
COMMENT ON FUNCTION crm._touch_customers(bigint[]) IS 'Notes customers for posting at the end of the transaction, as if their rows had changed. Errors: 22004.';
REVOKE ALL ON FUNCTION crm._touch_customers(bigint[]) FROM PUBLIC;

CREATE FUNCTION crm._no_cover_left(policies bigint[]) RETURNS void LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'crm_no_cover_left';
COMMENT ON FUNCTION crm._no_cover_left(bigint[]) IS
  'For who has deleted the cover of policies: whether that was all, by what is committed and not by the snapshot of the transaction. Errors: 40001 when it was not.';
REVOKE ALL ON FUNCTION crm._no_cover_left(bigint[]) FROM PUBLIC;

CREATE FUNCTION crm._shown_on(slot smallint) RETURNS date LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'crm_shown_on';
COMMENT ON FUNCTION crm._shown_on(smallint) IS
  'The day on which the columns of a slot of crm.standing stand, by what is committed and not by the snapshot of the transaction. NULL when there is none.';
REVOKE ALL ON FUNCTION crm._shown_on(smallint) FROM PUBLIC;

CREATE FUNCTION crm._class_changes(timeline crm.timeline, facets crm.facets, from_date date, to_date date,
  OUT on_date date, OUT org_id bigint, OUT channel_id bigint, OUT dimension text, OUT was text, OUT became text, OUT was_id bigint, OUT became_id bigint)
RETURNS SETOF record LANGUAGE c IMMUTABLE PARALLEL SAFE ROWS 1 AS 'MODULE_PATHNAME', 'crm_class_changes';
COMMENT ON FUNCTION crm._class_changes(crm.timeline, crm.facets, date, date) IS
  'On which days from_date <= day < to_date the classes of a customer change, with the unit and channel of that day; ids for channels and for classes of activity and tier.';
