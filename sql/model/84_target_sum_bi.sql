-- bi: whether targets of parts agree with that of the whole, made by and belonging to crm_bi_owner

-- t: targets, each with what is alike in all parts of one whole; part: parts of each whole, split one way
CREATE VIEW crm_bi.target_sum AS
WITH t AS MATERIALIZED (
  SELECT g.id, g.org_id, g.channel_id, g.code, g.class, g.kind, g.grain, g.period_start, g.purpose, g.value,
         k.shape, k.shape = 0 AND k.adds_over_periods AS adds_over_periods,
         CASE WHEN k.account IS NULL THEN k.cell = 'closing' ELSE crm._is_balance(k.account) AND k.shape <> 2 END AS is_balance, CASE g.grain WHEN 'month' THEN 1 WHEN 'quarter' THEN 3 ELSE 12 END AS months,
         ROW(g.channel_id, g.code, g.class, g.kind, g.grain, g.period_start, g.purpose)::text AS but_unit, ROW(g.org_id, g.code, g.class, g.kind, g.grain, g.period_start, g.purpose)::text AS but_channel,
         ROW(g.org_id, g.channel_id, g.code, g.class, g.grain, g.period_start, g.purpose)::text AS but_kind, ROW(g.org_id, g.channel_id, g.kind, g.grain, g.period_start, g.purpose)::text AS but_figure,
         ROW(g.org_id, g.channel_id, g.code, g.class, g.kind, g.purpose)::text AS but_period
  FROM crm.target g JOIN crm.kpi_code k ON k.code = g.code
  WHERE g.purpose IN ('target', 'base')),
leaf AS MATERIALIZED (
  SELECT a.ancestor_id AS org_id, pg_catalog.count(*) AS leaves FROM crm.organisation_tree a JOIN crm.organisation o ON o.id = a.descendant_id AND NOT o.has_units GROUP BY a.ancestor_id),
part AS (
  -- a unit is part of the nearest above that has a target
  SELECT n.id, 'unit' AS split_by, CASE WHEN n.shape <> 0 THEN 'mean' WHEN n.code NOT IN ('moved_in', 'moved_out') THEN 'sum' END AS rule, n.value, false AS is_last, l.leaves
  FROM (SELECT DISTINCT ON (p.id) w.id, p.org_id, p.shape, p.code, p.value
        FROM t p
        JOIN crm.organisation_tree a ON a.descendant_id = p.org_id AND a.depth > 0
        JOIN t w ON w.org_id = a.ancestor_id AND w.but_unit = p.but_unit
        ORDER BY p.id, a.depth) n
  JOIN leaf l ON l.org_id = n.org_id
  UNION ALL
  SELECT w.id, 'channel', CASE w.shape WHEN 0 THEN 'sum' ELSE 'mean' END, p.value, false, NULL
  FROM t w JOIN t p ON p.but_channel = w.but_channel
  WHERE w.channel_id IS NULL AND p.channel_id IS NOT NULL
  UNION ALL
  SELECT w.id, 'kind', CASE w.shape WHEN 0 THEN 'sum' ELSE 'mean' END, p.value, false, NULL
  FROM t w JOIN t p ON p.but_kind = w.but_kind
  WHERE w.kind IS NULL AND p.kind IS NOT NULL
  UNION ALL
  -- insured customers have a tier and a role each
  SELECT x.whole_id, CASE x.code WHEN 'tier' THEN 'tier' ELSE 'role' END, 'sum', x.value, false, NULL
  FROM (SELECT p.code, p.value, pg_catalog.max(p.id) FILTER (WHERE p.code = 'insured') OVER (PARTITION BY p.but_figure) AS whole_id
        FROM t p WHERE p.code IN ('insured', 'tier', 'insured_by_role') AND p.class IS DISTINCT FROM 'none') x
  WHERE x.code <> 'insured' AND x.whole_id IS NOT NULL
  UNION ALL
  SELECT w.id, p.grain, CASE WHEN w.is_balance THEN 'last' WHEN w.adds_over_periods THEN 'sum' END, p.value, p.period_start = (w.period_start + pg_catalog.make_interval(months => w.months - p.months))::date, NULL
  FROM t w JOIN t p ON p.but_period = w.but_period AND p.period_start >= w.period_start AND p.period_start < w.period_start + pg_catalog.make_interval(months => w.months)
  WHERE p.months < w.months),
s AS (
  SELECT p.id, p.split_by, p.rule, pg_catalog.count(*) AS parts, pg_catalog.min(p.value) AS least, pg_catalog.max(p.value) AS greatest, pg_catalog.sum(p.leaves) AS leaves,
         CASE p.rule WHEN 'sum' THEN pg_catalog.sum(p.value) WHEN 'last' THEN pg_catalog.max(p.value) FILTER (WHERE p.is_last) END AS parts_value
  FROM part p WHERE p.rule IS NOT NULL GROUP BY p.id, p.split_by, p.rule)
SELECT w.id || '/' || s.split_by AS target_sum_key, w.id AS target_id, w.purpose, w.org_id, o.level AS org_level, o.name AS org_name, h.code AS channel, w.code, w.class, w.kind,
       w.grain, w.period_start, s.split_by, s.rule, w.value AS target, s.parts, m.parts_missing, s.parts_value, s.least AS parts_least, s.greatest AS parts_greatest, d.difference,
       CASE WHEN s.rule = 'sum' AND d.difference > 0 THEN 'over'
            WHEN d.difference IS NULL OR s.rule <> 'last' AND m.parts_missing > 0 THEN 'incomplete'
            WHEN d.difference > 0 THEN 'over' WHEN d.difference < 0 THEN 'under' ELSE 'agrees' END AS status
FROM t w
JOIN s ON s.id = w.id
JOIN leaf l ON l.org_id = w.org_id
JOIN crm.organisation o ON o.id = w.org_id
LEFT JOIN crm.channel h ON h.id = w.channel_id
CROSS JOIN LATERAL (SELECT CASE s.rule WHEN 'mean' THEN greatest(s.least - w.value, 0) + least(s.greatest - w.value, 0) ELSE s.parts_value - w.value END AS difference) d
CROSS JOIN LATERAL (
  SELECT CASE s.split_by WHEN 'unit' THEN (l.leaves - s.leaves)::bigint
                         WHEN 'channel' THEN (SELECT pg_catalog.count(*) FROM crm.channel) - s.parts
                         WHEN 'tier' THEN greatest((SELECT pg_catalog.count(*) FROM crm.class c WHERE c.dimension = 'tier') - s.parts, 0)
                         WHEN 'month' THEN w.months - s.parts WHEN 'quarter' THEN w.months / 3 - s.parts ELSE 2 - s.parts END AS parts_missing) m;
COMMENT ON VIEW crm_bi.target_sum IS 'Targets beside those of their parts: one row for each target and way to split it of which a part has one. Nothing is mended. 目标分解核对';
COMMENT ON COLUMN crm_bi.target_sum.target_sum_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.target_sum.target_id IS 'Target of the whole. 目标';
COMMENT ON COLUMN crm_bi.target_sum.purpose IS 'target 目标 or base 基数.';
COMMENT ON COLUMN crm_bi.target_sum.org_id IS 'Unit with its subtree. 机构';
COMMENT ON COLUMN crm_bi.target_sum.org_level IS 'Level of the unit, 0 at the top. 机构层级';
COMMENT ON COLUMN crm_bi.target_sum.org_name IS 'Name of the unit. 机构名称';
COMMENT ON COLUMN crm_bi.target_sum.channel IS 'Main channel of the customers; NULL: all together. 渠道';
COMMENT ON COLUMN crm_bi.target_sum.code IS 'Figure, of crm_bi.kpi_code. 指标代码';
COMMENT ON COLUMN crm_bi.target_sum.class IS 'Class, of figures by class. 类别';
COMMENT ON COLUMN crm_bi.target_sum.kind IS 'person 个人 or company 法人; NULL: both together. 客户类型';
COMMENT ON COLUMN crm_bi.target_sum.grain IS 'month, quarter or year. 期间类型';
COMMENT ON COLUMN crm_bi.target_sum.period_start IS 'First day of the period. 期初日';
COMMENT ON COLUMN crm_bi.target_sum.split_by IS 'unit 机构, channel 渠道, kind 客户类型, tier 层级, role 角色, month 月 or quarter 季: what the parts are.';
COMMENT ON COLUMN crm_bi.target_sum.rule IS 'sum 合计: counts add up; last 期末: a balance is that of the last period; mean 均值: rates, averages and growths of the whole lie between those of its parts.';
COMMENT ON COLUMN crm_bi.target_sum.target IS 'Target of the whole. 目标值';
COMMENT ON COLUMN crm_bi.target_sum.parts IS 'Parts that have a target; of units the nearest below. 分解数';
COMMENT ON COLUMN crm_bi.target_sum.parts_missing IS 'Parts without one; of units the outlets that no target below covers. 缺少分解数';
COMMENT ON COLUMN crm_bi.target_sum.parts_value IS 'Sum of the parts, or the last; NULL of a mean. 分解合计';
COMMENT ON COLUMN crm_bi.target_sum.parts_least IS 'Least target of a part. 分解最小值';
COMMENT ON COLUMN crm_bi.target_sum.parts_greatest IS 'Greatest target of a part. 分解最大值';
COMMENT ON COLUMN crm_bi.target_sum.difference IS 'parts_value - target; of a mean how far the nearest part lies above, below 0 below; NULL: the last part is missing. 差异';
COMMENT ON COLUMN crm_bi.target_sum.status IS 'agrees 一致, over 超出, under 不足, or incomplete 未分解完: parts are missing and those there are not too much.';
