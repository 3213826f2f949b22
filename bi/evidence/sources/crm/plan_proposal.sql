SELECT p.name AS variant, c.name || ' ' || c.name_zh AS channel, q.title, q.volume, q.matching, q.room, q.planned, q.unmet, p.plan_id = y.approved_plan_id AS approved
FROM crm_bi.plan_proposal q
JOIN crm_bi.plan p USING (plan_id)
JOIN crm_bi.channel c USING (channel)
JOIN crm_bi.cycle y ON y.cycle_id = p.cycle_id
WHERE p.cycle_id = (SELECT max(z.cycle_id) FROM crm_bi.cycle z)
