-- What islands.kpi and crm_bi.kpi do not agree on for units up to number :units, by code and grain, of the accounts that islands.kpi has: no row when equal.
WITH code AS (
  SELECT k.code, k.account, k.dimension, g.id AS grain, g.name AS grain_name, CASE g.id WHEN 2 THEN 3 WHEN 3 THEN 12 ELSE 1 END AS span
  FROM crm.kpi_code k CROSS JOIN (VALUES (1, 'month'), (2, 'quarter'), (3, 'year'), (4, 'trailing_12')) AS g (id, name)
  WHERE k.shape < 2 AND (k.account >= 20 OR g.id = 1) AND k.account IN (SELECT i.account FROM islands.kpi i) AND coalesce(k.base_at, 'opening') = 'opening'),
theirs AS (
  SELECT c.code, c.grain_name AS grain,
         make_date(i.period * c.span / 12 - CASE WHEN c.grain = 4 THEN 1 ELSE 0 END, 1, 1) + make_interval(months => i.period * c.span % 12 + CASE WHEN c.grain = 4 THEN 1 ELSE 0 END) AS period_start,
         i.org_id, h.code AS channel, CASE WHEN i.company THEN 'company' ELSE 'person' END AS kind,
         CASE c.dimension WHEN 'coverage' THEN (ARRAY['prospect', 'insured', 'former'])[i.class]
                          WHEN 'activity' THEN coalesce((ARRAY['active', 'semi_dormant', 'dormant'])[i.class], 'none')
                          WHEN 'tier' THEN coalesce((ARRAY['lead', 'ungraded', 'iron', 'gold', 'platinum'])[i.class], 'none') END AS class,
         i.n
  FROM islands.kpi i
  JOIN code c ON c.account = i.account AND c.grain = i.grain
  JOIN crm.channel h ON h.id = i.channel_id
  WHERE i.n <> 0 AND i.org_id <= :units),
ours AS (
  SELECT k.code, k.grain, k.period_start, k.org_id, k.channel, k.kind, k.class, k.numerator AS n
  FROM crm_bi.kpi k
  WHERE k.numerator <> 0 AND k.org_id <= :units AND (k.code, k.grain) IN (SELECT c.code, c.grain_name FROM code c))
SELECT coalesce(a.code, b.code) AS code, coalesce(a.grain, b.grain) AS grain, count(*) AS differ, count(a.n) AS ours, count(b.n) AS theirs,
       min(coalesce(a.period_start, b.period_start)) AS first_period
FROM ours a FULL JOIN theirs b ON a.code = b.code AND a.grain = b.grain AND a.period_start = b.period_start AND a.org_id = b.org_id
  AND a.channel = b.channel AND a.kind = b.kind AND coalesce(a.class, '') = coalesce(b.class, '')
WHERE a.n IS DISTINCT FROM b.n
GROUP BY 1, 2 ORDER BY 1, 2;
