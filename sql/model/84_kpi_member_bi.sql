-- bi: the timelines that crm.kpi_members() counts, for its caller

CREATE VIEW crm_bi._timeline AS
SELECT s.customer_id, s.first_day, s.timeline, s.facets FROM crm.standing s WHERE s.slot = (SELECT crm_bi._slot());
COMMENT ON VIEW crm_bi._timeline IS 'The standing and facets of each customer on every day, packed; for crm.kpi_members(). 客户状态（内部）';
COMMENT ON COLUMN crm_bi._timeline.customer_id IS 'Customer. 客户';
COMMENT ON COLUMN crm_bi._timeline.first_day IS 'First day of the timeline. 起始日';
COMMENT ON COLUMN crm_bi._timeline.timeline IS 'Standing by day. 状态';
COMMENT ON COLUMN crm_bi._timeline.facets IS 'Facets by day. 其他维度';
