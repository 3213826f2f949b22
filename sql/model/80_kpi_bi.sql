-- bi: the figures, made by and belonging to crm_bi_owner; a version before had them in 80_bi

-- The two views differ in whose customers a unit counts. Five relations only, so that a join with dimensions is planned together with them.
DECLARE
  own boolean;
BEGIN
  FOREACH own IN ARRAY ARRAY[false, true] LOOP
    EXECUTE pg_catalog.format($view$
CREATE OR REPLACE VIEW crm_bi.%1$I AS
SELECT k.code || '/' || coalesce(c.class, '') || '/' || p.grain_name || '/' || p.period_start || '/' || o.id || '/' || c.channel || '/' || c.kind AS kpi_key,
       p.grain_name AS grain, p.period_start, p.period_end, p.period_end <= %4$s AS is_complete,
       o.id AS org_id, o.level AS org_level, o.name AS org_name, c.channel, c.kind, k.code, c.class, c.numerator, c.denominator,
       CASE WHEN k.shape = 0 THEN c.numerator::numeric ELSE c.numerator::numeric / nullif(c.denominator, 0) END AS value,
       (SELECT pg_catalog.array_agg(h.id ORDER BY h.id) FROM crm.channel h)[
         pg_catalog.array_position((SELECT pg_catalog.array_agg(h.code ORDER BY h.id) FROM crm.channel h), c.channel)] AS channel_id,
       k.dimension || '/' || c.class AS class_key
FROM crm.kpi_code k
CROSS JOIN crm.organisation o
CROSS JOIN LATERAL (
  SELECT (SELECT crm._entries_sum(pg_catalog.array_agg(e.entries)) FROM %2$s AND e.slot = %5$s AND e.account = k.account AND e.day <= greatest(%4$s, %6$s)) AS of_account,
         CASE WHEN k.base_account IS NOT NULL THEN
           (SELECT crm._entries_sum(pg_catalog.array_agg(e.entries)) FROM %2$s AND e.slot = %5$s AND e.account = k.base_account AND e.day <= greatest(%4$s, %6$s)) END AS of_base
  OFFSET 0) e
JOIN crm.period p ON p.period_end >= (SELECT g.first_day FROM crm.generation g WHERE g.state = 'current')
  AND p.closes_from <= %4$s AND (%4$s >= %6$s OR p.period_end <= %4$s)
CROSS JOIN LATERAL crm._kpi_cells(
  k.shape,
  CASE WHEN k.dimension IS NULL THEN NULL WHEN k.dimension = 'coverage' THEN ARRAY['prospect', 'insured', 'former']
       ELSE (SELECT pg_catalog.array_agg(l.label ORDER BY l.id) FROM crm.class l) END,
  (SELECT pg_catalog.array_agg(h.id ORDER BY h.id) FROM crm.channel h), (SELECT pg_catalog.array_agg(h.code ORDER BY h.id) FROM crm.channel h),
  (SELECT x.cells FROM crm.kpi_cell x
   WHERE x.slot = %5$s AND x.account = k.account AND x.org_id = o.id AND x.subtree = %3$s
     AND x.grain = CASE WHEN k.account < 20 THEN 1 ELSE p.grain END
     AND x.year = CASE WHEN k.account < 20 THEN extract(year FROM least(p.period_end, %6$s))::smallint ELSE p.year END),
  CASE WHEN k.account < 20 THEN extract(month FROM least(p.period_end, %6$s))::integer - 1 ELSE p.number END,
  e.of_account, CASE WHEN k.account < 20 THEN NULL ELSE p.key END, least(p.period_end, %4$s),
  CASE WHEN k.base_account IS NOT NULL THEN
    (SELECT x.cells FROM crm.kpi_cell x
     WHERE x.slot = %5$s AND x.account = k.base_account AND x.org_id = o.id AND x.subtree = %3$s AND x.grain = 1
       AND x.year = extract(year FROM least(p.period_start - 1, %6$s))::smallint) END,
  extract(month FROM least(p.period_start - 1, %6$s))::integer - 1,
  e.of_base, NULL, p.period_start - 1) c$view$,
      CASE WHEN own THEN 'kpi_own' ELSE 'kpi' END,
      CASE WHEN own THEN 'crm.kpi_entry e WHERE e.org_id = o.id'
           ELSE 'crm.organisation_tree t JOIN crm.kpi_entry e ON e.org_id = t.descendant_id WHERE t.ancestor_id = o.id' END,
      CASE WHEN own THEN 'false' ELSE 'o.has_units' END,
      '(SELECT crm_bi._today(g.posted_to) FROM crm.generation g WHERE g.state = ''current'')',
      '(SELECT crm_bi._slot())',
      '(SELECT g.settled FROM crm.generation g WHERE g.state = ''current'')');
  END LOOP;
END;

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
