-- bi: the timelines that crm.kpi_members() counts, with the rights of the views and where tools do not list it

CREATE VIEW crm._timeline AS
SELECT s.customer_id, s.first_day, s.timeline, s.facets FROM crm.standing s WHERE s.slot = (SELECT crm_bi._slot());
COMMENT ON VIEW crm._timeline IS 'The standing and facets of each customer on every day, packed; for crm.kpi_members().';
COMMENT ON COLUMN crm._timeline.customer_id IS 'Customer.';
COMMENT ON COLUMN crm._timeline.first_day IS 'First day of the timeline.';
COMMENT ON COLUMN crm._timeline.timeline IS 'Standing by day.';
COMMENT ON COLUMN crm._timeline.facets IS 'Facets by day.';
