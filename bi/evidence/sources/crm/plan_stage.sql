SELECT s.plan_id, coalesce(s.stage, 0) AS stage, coalesce(s.name, 'all') AS name, s.from_date, s.to_date, s.planned, s.allocated, s.contacted, s.purchased, s.recycled, s.expected_purchases, s.expected_premium
FROM crm_bi.plan_stage s
WHERE s.plan_id = (SELECT y.approved_plan_id FROM crm_bi.cycle y ORDER BY y.cycle_id DESC LIMIT 1)
