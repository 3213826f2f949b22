-- Upgrades and downgrades of three years.
SELECT t.month, CASE t.direction WHEN 'up' THEN 'Up 升级' ELSE 'Down 降级' END AS direction, sum(t.customers) AS customers
FROM crm_bi.tier_change t
WHERE t.direction IN ('up', 'down')
  AND t.month >= (SELECT date_trunc('month', f.day::timestamp) - interval '36 months' FROM crm_bi.freshness f WHERE f.item = 'customers stand on')
  AND t.month < (SELECT date_trunc('month', f.day::timestamp) FROM crm_bi.freshness f WHERE f.item = 'customers stand on')
GROUP BY t.month, t.direction
