-- The latest cycle, from what was offered to what was bought by its approved plan.
SELECT y.cycle_id, y.name, y.state, y.from_date, y.to_date, y.offered, i.free, i.in_conflict, y.plans, p.plan_id, p.name AS plan, p.planned, p.held_out, p.allocated, p.not_allocated, p.to_do,
       b.contacted, b.purchases, b.premium, b.cost, p.expected_purchases, p.expected_premium, p.expected_cost
FROM crm_bi.cycle y
LEFT JOIN (SELECT s.cycle_id, sum(s.free) AS free, sum(s.in_conflict) AS in_conflict FROM crm_bi.inventory_summary s GROUP BY s.cycle_id) i USING (cycle_id)
LEFT JOIN crm_bi.plan p ON p.plan_id = y.approved_plan_id
LEFT JOIN (SELECT q.plan_id, sum(q.contacted) AS contacted, sum(q.purchases) AS purchases, sum(q.premium) AS premium, sum(q.cost) AS cost FROM crm_bi.plan_bulletin q GROUP BY q.plan_id) b ON b.plan_id = p.plan_id
ORDER BY y.cycle_id DESC LIMIT 1
