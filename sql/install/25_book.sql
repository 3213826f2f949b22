-- book: cover of one policy

CREATE FUNCTION crm.cover_intervals(
  issued_on date, matures_on date, kinds text[], days date[], reinstatement_months integer,
  OUT seq integer, OUT from_date date, OUT to_date date, OUT ended_by text)
RETURNS SETOF record LANGUAGE c IMMUTABLE PARALLEL SAFE ROWS 1 COST 10
AS 'MODULE_PATHNAME', 'crm_cover_intervals';
COMMENT ON FUNCTION crm.cover_intervals(date, date, text[], date[], integer) IS
  'Intervals of cover [from_date, to_date) of a policy from its issue and its events, kinds and days in the order in which they hold. An event that cannot apply changes nothing. Errors: 22023, 22004, 22008.';

CREATE FUNCTION crm._cover_of(policies bigint[], long_term_months integer, reinstatement_months integer, tier_basis text,
  OUT customer_id bigint, OUT policy_id bigint, OUT seq integer, OUT role text, OUT from_date date, OUT to_date date, OUT ended_by text,
  OUT issued_on date, OUT channel_id bigint, OUT long_term boolean, OUT own_book boolean, OUT amount bigint, OUT annual_premium bigint,
  OUT matures boolean, OUT lapsed_to date, OUT servicer_id bigint, OUT agent_sold boolean, OUT bank_sold boolean, OUT sector_line boolean,
  OUT corporate boolean, OUT tier_amount bigint)
RETURNS SETOF record LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'crm_cover_of';
COMMENT ON FUNCTION crm._cover_of(bigint[], integer, integer, text) IS 'What crm.cover must hold of these policies, in order of customer.';
REVOKE ALL ON FUNCTION crm._cover_of(bigint[], integer, integer, text) FROM PUBLIC;

CREATE FUNCTION crm._cover_of(policies bigint[], long_term_months integer, reinstatement_months integer,
  OUT customer_id bigint, OUT policy_id bigint, OUT seq integer, OUT role text, OUT from_date date, OUT to_date date, OUT ended_by text,
  OUT issued_on date, OUT channel_id bigint, OUT long_term boolean, OUT own_book boolean, OUT amount bigint, OUT annual_premium bigint)
RETURNS SETOF record LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'crm_cover_of';
COMMENT ON FUNCTION crm._cover_of(bigint[], integer, integer) IS 'What crm.cover of a model of 0.1 must hold of these policies: stays, as its dumps name it.';
REVOKE ALL ON FUNCTION crm._cover_of(bigint[], integer, integer) FROM PUBLIC;
