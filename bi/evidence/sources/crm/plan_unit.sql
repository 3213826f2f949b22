SELECT coalesce(o.level_1_name, o.name, 'Branch') AS unit, c.name || ' ' || c.name_zh AS channel, sum(b.planned) AS planned, sum(b.allocated) AS allocated, sum(b.contacted) AS contacted, sum(b.fed_back) AS fed_back, sum(b.purchases) AS purchases, sum(b.premium) AS premium
FROM crm_bi.plan_bulletin b
JOIN crm_bi.channel c USING (channel)
LEFT JOIN crm_bi.organisation o USING (org_id)
WHERE b.plan_id = (SELECT y.approved_plan_id FROM crm_bi.cycle y ORDER BY y.cycle_id DESC LIMIT 1)
GROUP BY 1, 2
