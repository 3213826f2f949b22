-- Differences between the oracle and crm_bi.kpi, crm_bi.kpi_own: no rows when they agree.
-- kpi and kpi_own name relations with the columns of those views.  Codes that the oracle does not know are left alone.

CREATE FUNCTION oracle.codes() RETURNS text[] LANGUAGE sql IMMUTABLE AS $$
  SELECT ARRAY['insured', 'insured_long_term', 'plan_customers', 'coverage', 'activity', 'tier', 'new_customers', 'gained',
    'moved_in', 'moved_out', 'won_back', 'repeat_purchase', 'repeat_purchase_any', 'total_churn', 'lapse_churn', 'win_back',
    'insured_growth', 'plan_growth', 'former', 'vip_customers', 'near_vip', 'vip_share', 'new_vip', 'vip_upgrade', 'vip_loss', 'reactivation',
    'long_term_development', 'lapsed_customer_loss', 'new_customer_growth', 'new_customer_growth_yoy', 'insured_by_role', 'over_10000',
    'over_50000', 'over_10000_share', 'over_50000_share', 'over_50000_of_10000', 'policies_in_force', 'annual_premium', 'vip_premium', 'policies_per_customer',
    'premium_per_customer', 'average_premium', 'vip_premium_share', 'reachable_customers', 'reachable_share', 'served_customers', 'served_share',
    'orphan_customers', 'orphan_policies', 'product_customers']
$$;

CREATE FUNCTION oracle.compare(as_of date, kpi text DEFAULT 'crm_bi.kpi', kpi_own text DEFAULT 'crm_bi.kpi_own')
RETURNS TABLE (relation text, what text, code text, class text, grain text, period_start date, org_id bigint, channel text, kind text,
  expected text, actual text) LANGUAGE plpgsql SET client_min_messages = warning SET work_mem = '256MB' AS $compare$
DECLARE
  before text := current_setting('crm.as_of', true);
BEGIN
  PERFORM oracle.build(as_of);
  PERFORM set_config('crm.as_of', as_of::text, false);
  DROP TABLE IF EXISTS c_want, c_have, c_level;
  CREATE TEMP TABLE c_want AS
  SELECT 'kpi' AS relation, b.* FROM oracle.built(true) b
  UNION ALL SELECT 'kpi_own', b.* FROM oracle.built(false) b;
  CREATE TEMP TABLE c_have (relation text, kpi_key text, grain text, period_start date, period_end date, is_complete boolean,
    org_id bigint, org_level integer, org_name text, channel text, kind text, code text, class text,
    numerator numeric, denominator numeric, value numeric);
  EXECUTE format($$
    INSERT INTO c_have
    SELECT 'kpi', k.kpi_key::text, k.grain, k.period_start, k.period_end, k.is_complete, k.org_id, k.org_level, k.org_name, k.channel, k.kind,
           k.code, k.class, k.numerator, k.denominator, k.value
    FROM %s k WHERE k.code = ANY (oracle.codes()) AND (k.numerator <> 0 OR k.denominator <> 0)
    UNION ALL
    SELECT 'kpi_own', k.kpi_key::text, k.grain, k.period_start, k.period_end, k.is_complete, k.org_id, k.org_level, k.org_name, k.channel, k.kind,
           k.code, k.class, k.numerator, k.denominator, k.value
    FROM %s k WHERE k.code = ANY (oracle.codes()) AND (k.numerator <> 0 OR k.denominator <> 0)$$, kpi, kpi_own);
  CREATE TEMP TABLE c_level AS
  WITH RECURSIVE down AS (
    SELECT o.id AS org_id, o.name, 0 AS depth FROM crm.organisation o WHERE o.parent_id IS NULL
    UNION ALL SELECT o.id, o.name, d.depth + 1 FROM down d JOIN crm.organisation o ON o.parent_id = d.org_id)
  SELECT * FROM down;
  ANALYZE c_want, c_have, c_level;

  -- the figures; a cell that stands twice differs too
  RETURN QUERY
  SELECT d.relation, CASE WHEN bool_and(d.copies > 0) THEN 'missing' WHEN bool_or(d.copies > 0) THEN 'different' ELSE 'unknown or twice' END,
         d.code, d.class, d.grain, d.period_start, d.org_id, d.channel, d.kind,
         string_agg(d.figure, ' and ' ORDER BY d.figure) FILTER (WHERE d.copies > 0),
         string_agg(d.figure, ' and ' ORDER BY d.figure) FILTER (WHERE d.copies < 0)
  FROM (
    SELECT w.relation, w.code, w.class, w.grain, w.period_start, w.org_id, w.channel, w.kind, sum(w.copies) AS copies,
           trim_scale(w.numerator) || coalesce(' / ' || trim_scale(w.denominator), '') AS figure
    FROM (SELECT 1 AS copies, w.relation, w.code, w.class, w.grain, w.period_start, w.org_id, w.channel, w.kind, w.numerator, w.denominator
          FROM c_want w
          UNION ALL
          SELECT -1, h.relation, h.code, h.class, h.grain, h.period_start, h.org_id, h.channel, h.kind, h.numerator, h.denominator
          FROM c_have h) w
    GROUP BY w.relation, w.code, w.class, w.grain, w.period_start, w.org_id, w.channel, w.kind, w.numerator, w.denominator
    HAVING sum(w.copies) <> 0) d
  GROUP BY d.relation, d.code, d.class, d.grain, d.period_start, d.org_id, d.channel, d.kind;

  -- what is written beside them
  RETURN QUERY
  SELECT h.relation, x.what, h.code, h.class, h.grain, h.period_start, h.org_id, h.channel, h.kind, x.expected, x.actual
  FROM c_have h
  JOIN (SELECT DISTINCT h.grain, h.period_start,
               (h.period_start + CASE h.grain WHEN 'month' THEN interval '1 month' WHEN 'quarter' THEN interval '3 months'
                                              ELSE interval '1 year' END)::date - 1 AS period_end
        FROM c_have h) p ON p.grain = h.grain AND p.period_start = h.period_start
  JOIN c_level l ON l.org_id = h.org_id
  CROSS JOIN LATERAL (SELECT CASE WHEN h.denominator IS NULL THEN h.numerator ELSE h.numerator / nullif(h.denominator, 0) END AS value) v
  CROSS JOIN LATERAL (VALUES
    ('period_end', p.period_end::text, h.period_end::text),
    ('is_complete', (p.period_end <= as_of)::text, h.is_complete::text),
    ('org_level', l.depth::text, h.org_level::text),
    ('org_name', l.name, h.org_name),
    ('value', round(v.value, 6)::text, round(h.value, 6)::text)) AS x(what, expected, actual)
  WHERE ((h.period_end, h.is_complete, h.org_level, h.org_name) IS DISTINCT FROM (p.period_end, p.period_end <= as_of, l.depth, l.name)
         OR abs(h.value - v.value) > 0.000001 OR (h.value IS NULL) <> (v.value IS NULL))
    AND x.expected IS DISTINCT FROM x.actual;


  RETURN QUERY
  SELECT h.relation, 'kpi_key', NULL::text, NULL::text, NULL::text, NULL::date, NULL::bigint, NULL::text, NULL::text,
         'unique and not null', coalesce(h.kpi_key, 'NULL') || ' stands ' || count(*) || ' times'
  FROM c_have h GROUP BY h.relation, h.kpi_key HAVING count(*) > 1 OR h.kpi_key IS NULL;

  PERFORM set_config('crm.as_of', coalesce(before, ''), false);
END
$compare$;

-- opening + gained + won back - churned + moved in - moved out = closing, in every cell, unit by unit and with subtrees;
-- the rows where it is not so.  What oracle.build() left is checked.
CREATE FUNCTION oracle.unbalanced()
RETURNS TABLE (by_node boolean, grain text, period_start date, org_id bigint, channel text, kind text, opening numeric, turnover numeric, closing numeric)
LANGUAGE sql AS $$
  SELECT n.by_node, b.grain, b.period_start, b.org_id, b.channel, b.kind,
         coalesce(sum(b.denominator) FILTER (WHERE b.code = 'total_churn'), 0),
         coalesce(sum(CASE WHEN b.code IN ('total_churn', 'moved_out') THEN -b.numerator ELSE b.numerator END)
           FILTER (WHERE b.code IN ('gained', 'won_back', 'moved_in', 'total_churn', 'moved_out')), 0),
         coalesce(sum(b.numerator) FILTER (WHERE b.code = 'insured'), 0)
  FROM (VALUES (false), (true)) AS n(by_node), oracle.built(n.by_node) b
  GROUP BY n.by_node, b.grain, b.period_start, b.org_id, b.channel, b.kind
  HAVING coalesce(sum(b.denominator) FILTER (WHERE b.code = 'total_churn'), 0)
    + coalesce(sum(CASE WHEN b.code IN ('total_churn', 'moved_out') THEN -b.numerator ELSE b.numerator END)
        FILTER (WHERE b.code IN ('gained', 'won_back', 'moved_in', 'total_churn', 'moved_out')), 0)
    <> coalesce(sum(b.numerator) FILTER (WHERE b.code = 'insured'), 0)
$$;
