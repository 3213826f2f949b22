SELECT p.plan_id, p.name, p.state, p.weighing, p.planned, p.expected_purchases, p.expected_premium, p.expected_cost, p.expected_premium - p.expected_cost AS expected_net
FROM crm_bi.plan p
WHERE p.cycle_id = (SELECT max(z.cycle_id) FROM crm_bi.cycle z)
