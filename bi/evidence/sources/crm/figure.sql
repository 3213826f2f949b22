-- Figures of the branch and its sub-bureaus: three years of months, and of twelve months that end with each.
SELECT k.org_id, k.org_level, k.org_name, k.grain, k.period_start, k.period_end, k.is_complete, c.name || ' ' || c.name_zh AS channel, k.code,
       coalesce(k.class, '') AS class, coalesce(s.class_order, 0) AS class_order,
       coalesce(upper(left(k.class, 1)) || replace(substr(k.class, 2), '_', '-') || coalesce(' ' || s.name_zh, ''), '') AS class_name,
       sum(k.numerator) AS numerator, sum(k.denominator) AS denominator
FROM crm_bi.kpi k
JOIN crm_bi.channel c USING (channel)
LEFT JOIN crm_bi.class s ON s.dimension = k.code AND s.class = k.class
WHERE k.org_level <= 1 AND k.grain IN ('month', 'trailing_12')
  AND k.period_end >= (SELECT date_trunc('month', f.day::timestamp) - interval '37 months' FROM crm_bi.freshness f WHERE f.item = 'customers stand on')
GROUP BY k.org_id, k.org_level, k.org_name, k.grain, k.period_start, k.period_end, k.is_complete, c.name, c.name_zh, k.code, k.class, s.class_order, s.name_zh
