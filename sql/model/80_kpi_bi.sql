-- bi: the figures, made by and belonging to crm_bi_owner

-- The two views differ in whose customers a unit counts. Five relations only, so that a join with dimensions is planned together with them: b, which says
-- of both accounts the month of a balance and of the denominator the closing day and the period, is pulled up. Numerator and denominator were bigint in 0.1.
DECLARE
  own boolean;
  -- relation of the entries, whether with the subtree, the day asked for, the slot and the day settled
  entries text;
  subtree text;
  today CONSTANT text := '(SELECT crm_bi._today(g.posted_to) FROM crm.generation g WHERE g.state = ''current'')';
  slot CONSTANT text := '(SELECT crm_bi._slot())';
  granted text;
  old regclass;
  settled CONSTANT text := '(SELECT g.settled FROM crm.generation g WHERE g.state = ''current'')';
BEGIN
  FOREACH own IN ARRAY ARRAY[false, true] LOOP
    entries := CASE WHEN own THEN 'crm.kpi_entry e WHERE e.org_id = o.id'
                    ELSE 'crm.kpi_entry e WHERE e.org_id = ANY (ARRAY(SELECT t.descendant_id FROM crm.organisation_tree t WHERE t.ancestor_id = o.id))' END;
    subtree := CASE WHEN own THEN 'false' ELSE 'o.has_units' END;
    granted := NULL;
    old := pg_catalog.to_regclass(CASE WHEN own THEN 'crm_bi.kpi_own' ELSE 'crm_bi.kpi' END);
    IF old IS NOT NULL THEN
      granted := (
        SELECT pg_catalog.string_agg(pg_catalog.format('GRANT %s ON %s TO %s%s', a.privilege_type, old, CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END,
                                                       CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END), '; ')
        FROM pg_catalog.pg_class c CROSS JOIN LATERAL pg_catalog.aclexplode(c.relacl) a
        WHERE c.oid = old AND a.grantee <> c.relowner);
      EXECUTE pg_catalog.format('DROP VIEW %s', old);
    END IF;
    EXECUTE pg_catalog.format($view$
CREATE VIEW crm_bi.%1$I AS
SELECT k.code || '/' || coalesce(c.class, '') || '/' || p.grain_name || '/' || p.period_start || '/' || o.id || '/' || c.channel || '/' || c.kind AS kpi_key,
       p.grain_name AS grain, p.period_start, p.period_end, p.period_end <= %3$s AS is_complete,
       o.id AS org_id, o.level AS org_level, o.name AS org_name, c.channel, c.kind, k.code, c.class, n.numerator, n.denominator,
       CASE WHEN k.shape = 0 THEN n.numerator ELSE n.numerator / nullif(n.denominator, 0) END AS value,
       (SELECT pg_catalog.array_agg(h.id ORDER BY h.id) FROM crm.channel h)[
         pg_catalog.array_position((SELECT pg_catalog.array_agg(h.code ORDER BY h.id) FROM crm.channel h), c.channel)] AS channel_id,
       k.dimension || '/' || c.class AS class_key
FROM crm.kpi_code k
CROSS JOIN crm.organisation o
CROSS JOIN LATERAL (
  SELECT crm._is_balance(k.account) AS is_balance, crm._is_balance(k.base_account) AS base_is_balance, %6$s k.account) AS of_account,
         CASE WHEN k.base_account IS NOT NULL THEN
           crm._entries_less(%6$s k.base_account), CASE WHEN k.base_less IS NOT NULL THEN %6$s k.base_less) END) END AS of_base
  OFFSET 0) e
JOIN crm.period p ON p.period_end >= (SELECT g.first_day FROM crm.generation g WHERE g.state = 'current')
  AND p.closes_from <= %3$s AND (%3$s >= %5$s OR p.period_end <= %3$s)
CROSS JOIN LATERAL (
  SELECT least(p.last_month, %8$s) AS month, least(CASE k.base_at WHEN 'opening' THEN p.first_month - 1 ELSE p.last_month END, %8$s) AS base_month,
         CASE k.base_at WHEN 'opening' THEN p.period_start - 1 ELSE least(p.period_end, %3$s) END AS base_day,
         (p.key >> 3) - CASE k.base_at WHEN 'before' THEN CASE p.grain WHEN 4 THEN 12 ELSE 1 END WHEN 'year_before' THEN (ARRAY[12, 4, 1, 12])[p.grain] ELSE 0 END AS number,
         (ARRAY[12, 4, 1, 12])[p.grain] AS in_year) b
CROSS JOIN LATERAL crm._kpi_cells(
  k.shape,
  CASE WHEN k.dimension IS NULL THEN NULL WHEN k.dimension = 'coverage' THEN ARRAY['prospect', 'insured', 'former']
       WHEN k.dimension = 'role' THEN ARRAY['policyholder', 'insured']
       ELSE (SELECT pg_catalog.array_agg(l.label ORDER BY l.id) FROM crm.class l) END,
  (SELECT pg_catalog.array_agg(h.id ORDER BY h.id) FROM crm.channel h), (SELECT pg_catalog.array_agg(h.code ORDER BY h.id) FROM crm.channel h),
  (SELECT x.cells FROM crm.kpi_cell x
   WHERE x.slot = %4$s AND x.account = k.account AND x.org_id = o.id AND x.subtree = %2$s
     AND x.grain = CASE WHEN e.is_balance THEN 1 ELSE p.grain END AND x.year = CASE WHEN e.is_balance THEN 1900 + b.month / 12 ELSE p.year END),
  CASE WHEN e.is_balance THEN b.month %% 12 ELSE p.number END,
  e.of_account, CASE WHEN e.is_balance THEN NULL ELSE p.key END, least(p.period_end, %3$s),
  CASE WHEN k.base_account IS NOT NULL THEN
    crm._cells_less(%7$s AND x.account = k.base_account), CASE WHEN k.base_less IS NOT NULL THEN %7$s AND x.account = k.base_less) END) END,
  CASE WHEN e.base_is_balance THEN b.base_month %% 12 ELSE b.number %% b.in_year END,
  e.of_base, CASE WHEN e.base_is_balance THEN NULL ELSE b.number * 8 + p.grain END, b.base_day) c
CROSS JOIN LATERAL (
  SELECT CASE WHEN k.unit = 'money' THEN pg_catalog.round(c.numerator / 100.0, 2) ELSE c.numerator::numeric END AS numerator,
         CASE WHEN k.base_unit = 'money' THEN pg_catalog.round(c.denominator / 100.0, 2) ELSE c.denominator::numeric END AS denominator) n
WHERE k.account IS NOT NULL$view$,
      CASE WHEN own THEN 'kpi_own' ELSE 'kpi' END, subtree, today, slot, settled,
      pg_catalog.format('(SELECT crm._entries_sum(pg_catalog.array_agg(e.entries)) FROM %s AND e.slot = %s AND e.day <= greatest(%s, %s) AND e.account =', entries, slot, today, settled),
      pg_catalog.format('(SELECT x.cells FROM crm.kpi_cell x WHERE x.slot = %s AND x.org_id = o.id AND x.subtree = %s AND x.grain = CASE WHEN e.base_is_balance THEN 1 ELSE p.grain END '
        'AND x.year = CASE WHEN e.base_is_balance THEN 1900 + b.base_month / 12 ELSE 1900 + b.number / b.in_year END', slot, subtree),
      '(SELECT extract(year FROM g.settled)::integer * 12 + extract(month FROM g.settled)::integer - 22801 FROM crm.generation g WHERE g.state = ''current'')');
    IF granted IS NOT NULL THEN
      EXECUTE granted;
    END IF;
  END LOOP;
END;

CREATE OR REPLACE VIEW crm_bi.kpi_code AS
SELECT k.code, k.name, k.name_zh, k.description, k.dimension, k.cell AS cell_rule, k.shape <> 0 AS has_denominator,
       true AS adds_over_units, CASE WHEN k.account IS NULL THEN k.adds_over_periods ELSE k.shape = 0 AND k.adds_over_periods END AS adds_over_periods,
       k.unit, k.base_unit AS denominator_unit, k.shape = 2 AS is_growth, CASE WHEN k.account IS NULL THEN 'kpi_event' ELSE 'kpi' END AS shown_in, k.goes_on
FROM crm.kpi_code k;

COMMENT ON VIEW crm_bi.kpi IS 'Figures: one row for each figure, class, period, unit with its subtree, channel and kind, where numerator or denominator is not 0. 指标';
COMMENT ON VIEW crm_bi.kpi_own IS 'Figures of the customers of each unit itself, without its subtree: units add up. 指标（本级）';
DECLARE
  v text;
BEGIN
  FOREACH v IN ARRAY ARRAY['kpi', 'kpi_own'] LOOP
    EXECUTE pg_catalog.format($c$
COMMENT ON COLUMN crm_bi.%1$I.kpi_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.%1$I.grain IS 'month, quarter, year or trailing_12 (twelve months, told by their last one). 期间类型';
COMMENT ON COLUMN crm_bi.%1$I.period_start IS 'First day of the period. 期初日';
COMMENT ON COLUMN crm_bi.%1$I.period_end IS 'Last day of the period; an open period closes today. 期末日';
COMMENT ON COLUMN crm_bi.%1$I.is_complete IS 'Whether the period is over. 期间是否结束';
COMMENT ON COLUMN crm_bi.%1$I.org_id IS 'Unit. 机构';
COMMENT ON COLUMN crm_bi.%1$I.org_level IS 'Level of the unit, 0 at the top. 机构层级';
COMMENT ON COLUMN crm_bi.%1$I.org_name IS 'Name of the unit. 机构名称';
COMMENT ON COLUMN crm_bi.%1$I.channel IS 'Main channel of the customers. 渠道';
COMMENT ON COLUMN crm_bi.%1$I.kind IS 'person or company. 个人或法人';
COMMENT ON COLUMN crm_bi.%1$I.code IS 'Figure; crm_bi.kpi_code explains it. 指标代码';
COMMENT ON COLUMN crm_bi.%1$I.class IS 'Class, of figures by class. 类别';
COMMENT ON COLUMN crm_bi.%1$I.numerator IS 'Numerator; adds up over units of kpi_own, channels and kinds. 分子';
COMMENT ON COLUMN crm_bi.%1$I.denominator IS 'Denominator, adding up likewise; NULL for counts. 分母';
COMMENT ON COLUMN crm_bi.%1$I.value IS 'Numerator over denominator, the numerator for counts; NULL where the denominator is 0. Of sums, divide again. 指标值';
COMMENT ON COLUMN crm_bi.%1$I.channel_id IS 'Main channel of the customers, in crm_bi.channel. 渠道键';
COMMENT ON COLUMN crm_bi.%1$I.class_key IS 'Class, in crm_bi.class; NULL of figures without classes. 类别键'$c$, v);
  END LOOP;
END;
COMMENT ON VIEW crm_bi.kpi_code IS 'The figures: one row each. 指标定义';
COMMENT ON COLUMN crm_bi.kpi_code.code IS 'Code of the figure. 指标代码';
COMMENT ON COLUMN crm_bi.kpi_code.name IS 'Name in English. 英文名';
COMMENT ON COLUMN crm_bi.kpi_code.name_zh IS 'Name in Chinese. 中文名';
COMMENT ON COLUMN crm_bi.kpi_code.description IS 'What it counts. 说明';
COMMENT ON COLUMN crm_bi.kpi_code.dimension IS 'Dimension whose classes it is given by. 分类维度';
COMMENT ON COLUMN crm_bi.kpi_code.cell_rule IS 'Moment whose unit, channel and kind a customer counts in: closing, opening or event. 归属时点';
COMMENT ON COLUMN crm_bi.kpi_code.has_denominator IS 'Whether it is a rate. 是否比率';
COMMENT ON COLUMN crm_bi.kpi_code.adds_over_units IS 'Whether units of kpi_own, or kpi_event_own, add up. 机构可加';
COMMENT ON COLUMN crm_bi.kpi_code.adds_over_periods IS 'Whether months add up to longer periods. 期间可加';
COMMENT ON COLUMN crm_bi.kpi_code.unit IS 'What the numerator counts: customers, policies or money, of events also complaints or holdings. 分子单位';
COMMENT ON COLUMN crm_bi.kpi_code.denominator_unit IS 'What the denominator counts; NULL for counts. 分母单位';
COMMENT ON COLUMN crm_bi.kpi_code.shown_in IS 'View of crm_bi that shows it: kpi, from accounts, or kpi_event, counted from events when asked for. 所在视图';
COMMENT ON COLUMN crm_bi.kpi_code.goes_on IS 'Whether it changes with what comes after the period; no closing keeps it. 期后是否变动';
COMMENT ON COLUMN crm_bi.kpi_code.is_growth IS 'Whether it is a difference over what was before, which may be below 0 or above 1. 是否增长率';
