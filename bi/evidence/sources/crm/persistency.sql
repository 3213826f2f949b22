-- Persistency of the policies of the branch, in the months in which it is reported: three years, as far as it is final.
SELECT p.period_start, c.name || ' ' || c.name_zh AS channel, CASE p.code WHEN 'persistency_13' THEN 13 ELSE 25 END AS policy_month, p.basis, sum(p.numerator) AS numerator, sum(p.denominator) AS denominator
FROM crm_bi.persistency_own p
JOIN crm_bi.channel c USING (channel)
WHERE p.is_final AND p.period_start >= (SELECT date_trunc('month', f.day::timestamp) - interval '36 months' FROM crm_bi.freshness f WHERE f.item = 'customers stand on')
GROUP BY p.period_start, c.name, c.name_zh, p.code, p.basis
