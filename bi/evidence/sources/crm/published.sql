-- What was published of the branch and its sub-bureaus beside what is, all channels and kinds together.
SELECT p.month, p.org_id, p.org_level, p.org_name, p.code, k.name || ' ' || k.name_zh AS figure, k.has_denominator AS is_rate, k.unit, coalesce(p.class, '') AS class,
       count(*) AS cells, count(*) FILTER (WHERE p.comparison <> 'same') AS differing,
       sum(p.numerator) AS numerator, sum(p.denominator) AS denominator, sum(p.current_numerator) AS current_numerator, sum(p.current_denominator) AS current_denominator
FROM crm_bi.kpi_published p
JOIN crm_bi.kpi_code k USING (code)
WHERE p.grain = 'month' AND p.org_level <= 1
GROUP BY p.month, p.org_id, p.org_level, p.org_name, p.code, k.name, k.name_zh, k.has_denominator, k.unit, p.class
