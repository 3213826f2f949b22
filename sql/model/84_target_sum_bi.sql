-- bi: whether targets of parts agree with that of the whole, made by and belonging to crm_bi_owner

-- t: targets with what makes two of them parts of one whole; s: parts of each whole, split one way
CREATE VIEW crm_bi.target_sum AS
WITH t AS MATERIALIZED (
  SELECT g.id, g.org_id, coalesce(g.channel_id::text, '') AS channel, g.code, coalesce(g.class, '') AS class, coalesce(g.kind, '') AS kind, g.grain, g.period_start, g.purpose, g.value,
         k.shape, k.adds_over_periods, crm._is_balance(k.account) AND k.shape <> 2 AS is_balance, CASE g.grain WHEN 'month' THEN 1 WHEN 'quarter' THEN 3 ELSE 12 END AS months
  FROM crm.target g JOIN crm.kpi_code k ON k.code = g.code
  WHERE g.purpose IN ('target', 'base')),
part AS (
  -- the nearest units below that have one
  SELECT w.id, 'unit' AS split_by, CASE WHEN w.shape <> 0 THEN 'mean' WHEN w.code NOT IN ('moved_in', 'moved_out') THEN 'sum' END AS rule, p.value, false AS is_last
  FROM t w
  JOIN crm.organisation_tree a ON a.ancestor_id = w.org_id AND a.depth > 0
  JOIN t p ON p.org_id = a.descendant_id AND p.channel = w.channel AND p.code = w.code AND p.class = w.class AND p.kind = w.kind AND p.grain = w.grain AND p.period_start = w.period_start AND p.purpose = w.purpose
  WHERE NOT EXISTS (
    SELECT FROM crm.organisation_tree b
    JOIN crm.organisation_tree c ON c.ancestor_id = b.descendant_id AND c.descendant_id = p.org_id AND c.depth > 0
    JOIN t m ON m.org_id = b.descendant_id AND m.channel = w.channel AND m.code = w.code AND m.class = w.class AND m.kind = w.kind AND m.grain = w.grain AND m.period_start = w.period_start AND m.purpose = w.purpose
    WHERE b.ancestor_id = w.org_id AND b.depth > 0)
  UNION ALL
  SELECT w.id, 'channel', CASE w.shape WHEN 0 THEN 'sum' ELSE 'mean' END, p.value, false
  FROM t w JOIN t p ON p.org_id = w.org_id AND p.code = w.code AND p.class = w.class AND p.kind = w.kind AND p.grain = w.grain AND p.period_start = w.period_start AND p.purpose = w.purpose
  WHERE w.channel = '' AND p.channel <> ''
  UNION ALL
  SELECT w.id, 'kind', CASE w.shape WHEN 0 THEN 'sum' ELSE 'mean' END, p.value, false
  FROM t w JOIN t p ON p.org_id = w.org_id AND p.channel = w.channel AND p.code = w.code AND p.class = w.class AND p.grain = w.grain AND p.period_start = w.period_start AND p.purpose = w.purpose
  WHERE w.kind = '' AND p.kind <> ''
  UNION ALL
  -- insured customers have a tier and a role each
  SELECT w.id, CASE p.code WHEN 'tier' THEN 'tier' ELSE 'role' END, 'sum', p.value, false
  FROM t w JOIN t p ON p.org_id = w.org_id AND p.channel = w.channel AND p.kind = w.kind AND p.grain = w.grain AND p.period_start = w.period_start AND p.purpose = w.purpose
  WHERE w.code = 'insured' AND p.code IN ('tier', 'insured_by_role') AND p.class <> 'none'
  UNION ALL
  SELECT w.id, p.grain, CASE WHEN w.is_balance THEN 'last' WHEN w.adds_over_periods THEN 'sum' END, p.value, p.period_start = (w.period_start + pg_catalog.make_interval(months => w.months - p.months))::date
  FROM t w JOIN t p ON p.org_id = w.org_id AND p.channel = w.channel AND p.code = w.code AND p.class = w.class AND p.kind = w.kind AND p.purpose = w.purpose
    AND p.period_start >= w.period_start AND p.period_start < w.period_start + pg_catalog.make_interval(months => w.months)
  WHERE p.months < w.months),
s AS (
  SELECT p.id, p.split_by, p.rule, pg_catalog.count(*) AS parts, pg_catalog.min(p.value) AS least, pg_catalog.max(p.value) AS greatest,
         CASE p.rule WHEN 'sum' THEN pg_catalog.sum(p.value) WHEN 'last' THEN pg_catalog.max(p.value) FILTER (WHERE p.is_last) END AS parts_value
  FROM part p WHERE p.rule IS NOT NULL GROUP BY p.id, p.split_by, p.rule)
SELECT x.id || '/' || x.split_by AS target_sum_key, x.id AS target_id, x.purpose, x.org_id, o.level AS org_level, o.name AS org_name, h.code AS channel, x.code, nullif(x.class, '') AS class, nullif(x.kind, '') AS kind,
       x.grain, x.period_start, x.split_by, x.rule, x.value AS target, x.parts, x.parts_missing, x.parts_value, x.least AS parts_least, x.greatest AS parts_greatest, x.difference,
       CASE WHEN x.rule = 'sum' AND x.difference > 0 THEN 'over'
            WHEN x.difference IS NULL OR x.rule <> 'last' AND x.parts_missing > 0 THEN 'incomplete'
            WHEN x.difference > 0 THEN 'over' WHEN x.difference < 0 THEN 'under' ELSE 'agrees' END AS status
FROM (
  SELECT w.id, w.purpose, w.org_id, w.channel, w.code, w.class, w.kind, w.grain, w.period_start, s.split_by, s.rule, w.value, s.parts, s.parts_value, s.least, s.greatest,
         CASE s.rule WHEN 'mean' THEN greatest(s.least - w.value, 0) + least(s.greatest - w.value, 0) ELSE s.parts_value - w.value END AS difference,
         CASE s.split_by
           WHEN 'unit' THEN (
             SELECT pg_catalog.count(*) FROM crm.organisation_tree a JOIN crm.organisation l ON l.id = a.descendant_id AND NOT l.has_units
             WHERE a.ancestor_id = w.org_id AND a.depth > 0 AND NOT EXISTS (
               SELECT FROM crm.organisation_tree b JOIN crm.organisation_tree c ON c.ancestor_id = b.descendant_id AND c.descendant_id = l.id
               JOIN t m ON m.org_id = b.descendant_id AND m.channel = w.channel AND m.code = w.code AND m.class = w.class AND m.kind = w.kind AND m.grain = w.grain AND m.period_start = w.period_start AND m.purpose = w.purpose
               WHERE b.ancestor_id = w.org_id AND b.depth > 0))
           WHEN 'channel' THEN (SELECT pg_catalog.count(*) FROM crm.channel) - s.parts
           WHEN 'tier' THEN (SELECT pg_catalog.count(*) FROM crm.class c WHERE c.dimension = 'tier' AND NOT EXISTS (
             SELECT FROM t m WHERE m.code = 'tier' AND m.class = c.label AND m.org_id = w.org_id AND m.channel = w.channel AND m.kind = w.kind AND m.grain = w.grain AND m.period_start = w.period_start AND m.purpose = w.purpose))
           WHEN 'month' THEN w.months - s.parts WHEN 'quarter' THEN w.months / 3 - s.parts ELSE 2 - s.parts END AS parts_missing
  FROM t w JOIN s ON s.id = w.id) x
JOIN crm.organisation o ON o.id = x.org_id
LEFT JOIN crm.channel h ON h.id::text = x.channel;
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
