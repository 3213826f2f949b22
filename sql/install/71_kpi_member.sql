-- kpi: what one customer counts in a figure

CREATE FUNCTION crm._kpi_counts(timeline crm.timeline, facets crm.facets, account smallint, less smallint, class_id smallint, period_key integer, day date,
  units bigint[], channel_id bigint, company boolean)
RETURNS bigint LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'crm_kpi_counts';
COMMENT ON FUNCTION crm._kpi_counts(crm.timeline, crm.facets, smallint, smallint, smallint, integer, date, bigint[], bigint, boolean) IS
  'What a customer counts in an account, less what in another (NULL: none), when they close on a day: in the balances, or with a period_key (crm.period.key) in the turnovers of that period, as posting would have it. Facets NULL: nothing by them. Only in cells of these units, this channel and kind, and in this class; NULL: all. Errors: 22004, 22023.';
