-- What the customers of each tier come to today.
SELECT upper(left(c.tier, 1)) || substr(c.tier, 2) || coalesce(' ' || s.name_zh, '') AS tier, s.class_order, count(*) AS customers, sum(c.amount) AS amount
FROM crm_bi.customer c
LEFT JOIN crm_bi.class s ON s.dimension = 'tier' AND s.class = c.tier
WHERE c.coverage = 'insured'
GROUP BY c.tier, s.class_order, s.name_zh
