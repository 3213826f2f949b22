-- three years of months, and of twelve months that end with each
SELECT k.org_id, k.org_level, k.org_name, k.grain, k.period_start, k.period_end, k.is_complete, k.channel, k.code, coalesce(k.class, '') AS class,
       sum(k.numerator) AS numerator, sum(k.denominator) AS denominator
FROM crm_bi.kpi k
WHERE k.org_level <= 1 AND k.grain IN ('month', 'trailing_12')
  AND k.period_end >= (SELECT date_trunc('month', f.day::timestamp) - interval '37 months' FROM crm_bi.freshness f WHERE f.item = 'customers stand on')
GROUP BY k.org_id, k.org_level, k.org_name, k.grain, k.period_start, k.period_end, k.is_complete, k.channel, k.code, k.class
