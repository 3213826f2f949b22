-- bi: targets beside what was reached, made by and belonging to crm_bi_owner

CREATE FUNCTION crm_bi._target_value(nature text, level numeric, denominator numeric) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT CASE WHEN _target_value.nature IN ('rate', 'share') AND x.value > 1 THEN 1 ELSE x.value END
  FROM (SELECT CASE WHEN _target_value.nature IN ('rate', 'frequency') THEN _target_value.level / nullif(_target_value.denominator, 0)
              WHEN _target_value.nature IN ('growth', 'increase') THEN _target_value.level / nullif(_target_value.denominator, 0) - 1 ELSE _target_value.level END AS value) x;
END;
COMMENT ON FUNCTION crm_bi._target_value(text, numeric, numeric) IS 'The figure of a level: a rate over its denominator, at most 1, a frequency over it, a growth over the balance at opening. 指标值';

-- A ratio has a denominator that comes along with its numerator: it is not forecast. l: the figure so far and before, and of open periods the same point and the end of up to ten past years, month by month; c, v, r: what follows from it
CREATE VIEW crm_bi.target AS
SELECT r.id AS target_id, r.org_id, o.level AS org_level, o.name AS org_name, r.channel, r.code, r.class, r.grain, r.period_start, r.period_end, r.period_end <= r.today AND r.is_open IS NOT TRUE AS is_complete,
       r.direction, r.target, r.planned_growth, r.last_actual, r.numerator, r.denominator, r.actual, r.gap, r.attainment,
       r.time_gone, r.expected, r.linear_on_track, r.needed, r.needed_per_month, r.needed_growth, r.needed_growth_per_month,
       r.forecast, r.forecast_lower, r.forecast_upper, r.forecast / nullif(r.target, 0) AS forecast_attainment, r.forecast_periods, r.status, r.status IN ('at_risk', 'off_track') AS warning,
       r.note, r.set_at, r.set_by, r.kind, r.segment, r.aim
FROM (
  SELECT v.*,
         CASE WHEN v.period_start > v.today THEN 'not_begun' WHEN v.actual IS NULL THEN 'unknown'
              -- what is still open can only grow
              WHEN v.period_end <= v.today AND v.is_open AND CASE v.sign WHEN 1 THEN v.actual < v.target ELSE v.actual <= v.target END THEN 'unknown'
              WHEN v.period_end <= v.today THEN CASE WHEN v.sign * (v.actual - v.target) >= 0 THEN 'reached' ELSE 'missed' END
              WHEN v.sign * (CASE v.sign WHEN 1 THEN v.forecast_upper ELSE v.forecast_lower END - v.target) < 0 THEN 'off_track'
              WHEN CASE WHEN v.forecast IS NULL THEN NOT v.linear_on_track ELSE v.sign * (v.forecast - v.target) < 0 END THEN 'at_risk'
              ELSE 'on_track' END AS status
  FROM (
    SELECT c.*, c.actual - c.target AS gap, c.actual / nullif(c.target, 0) AS attainment, c.sign * (c.actual - c.expected) >= 0 AS linear_on_track,
           CASE WHEN c.nature NOT IN ('growth', 'increase') THEN c.target / nullif(c.last_actual, 0) - 1 END AS needed_growth, c.needed / nullif(c.months_left, 0) AS needed_per_month,
           CASE WHEN c.nature IN ('balance', 'growth') AND c.months_left > 0 AND c.level > 0 AND c.level + c.needed > 0
                THEN pg_catalog.power((c.level + c.needed) / c.level, 1 / c.months_left) - 1 END AS needed_growth_per_month,
           CASE WHEN c.period_end <= c.today AND c.is_open IS NOT TRUE THEN c.actual ELSE crm_bi._target_value(c.kind_of_value, c.f_middle, c.denominator) END AS forecast,
           CASE WHEN c.period_end <= c.today AND c.is_open IS NOT TRUE THEN c.actual ELSE crm_bi._target_value(c.kind_of_value, c.f_lower, c.denominator) END AS forecast_lower,
           CASE WHEN c.period_end <= c.today AND c.is_open IS NOT TRUE THEN c.actual ELSE crm_bi._target_value(c.kind_of_value, c.f_upper, c.denominator) END AS forecast_upper
    FROM (
      SELECT l.*, CASE WHEN l.is_average AND l.nature = 'share' THEN 'average' WHEN l.is_average AND l.nature = 'rate' THEN 'frequency' ELSE l.nature END AS kind_of_value, l.value AS target, l.n AS numerator, l.d AS denominator, x.actual, x.level, y.last_actual, f.forecast AS f_middle, f.lower AS f_lower, f.upper AS f_upper, f.periods AS forecast_periods,
             CASE l.direction WHEN 'at_least' THEN 1 ELSE -1 END AS sign, CASE WHEN l.nature NOT IN ('growth', 'increase') THEN l.value / nullif(coalesce(e.target, e.base), 0) - 1 END AS planned_growth,
             CASE WHEN l.known THEN l.months * (1 - l.time_gone) END AS months_left,
             CASE WHEN l.known THEN CASE WHEN l.nature IN ('balance', 'share', 'ratio') THEN y.last_actual + (l.value - y.last_actual) * l.time_gone
                                              WHEN l.nature = 'increase' THEN (1 + l.value) * l.time_gone - 1 ELSE l.value * l.time_gone END END AS expected,
             CASE WHEN l.nature IN ('balance', 'turnover') THEN l.value - l.n ELSE l.value * l.d - l.n END AS needed
      FROM (
        SELECT s.*, w.known, s.goes_on AND NOT a.whole AS is_open, coalesce(a.n, CASE WHEN w.known THEN 0 END) AS n, a.d,
               CASE WHEN s.nature IN ('rate', 'share', 'ratio', 'growth', 'increase') THEN coalesce(b.n, 0) / nullif(b.d, 0) ELSE coalesce(b.n, CASE WHEN w.known_before THEN 0 END) END AS before,
               f.past_so_far, f.past_at_month, f.past_total
        FROM (
          SELECT t.id, t.org_id, t.channel_id, h.code AS channel, t.code, t.class, t.kind, t.grain, t.period_start, p.period_end, t.value, t.segment, t.aim, t.note, t.set_at, t.set_by, d.today, g.first_day, g.settled,
                 (p.period_start - pg_catalog.make_interval(months => y.months))::date AS start_before, y.months,
                 coalesce(t.direction, crm._target_direction(t.code, t.class)) AS direction,
                 CASE WHEN k.account IS NULL THEN CASE WHEN k.base_code IS NOT NULL THEN 'rate' WHEN k.cell = 'closing' THEN 'share' ELSE 'ratio' END
                      WHEN k.shape = 2 THEN CASE WHEN crm._is_balance(k.account) THEN 'growth' ELSE 'increase' END WHEN crm._is_balance(k.account) THEN CASE WHEN k.base_account IS NULL THEN 'balance' ELSE 'share' END
                      WHEN k.base_account IS NULL THEN 'turnover' ELSE 'rate' END AS nature,
                 k.unit <> coalesce(k.base_unit, k.unit) AND k.base_unit <> 'people' AS is_average, k.goes_on,
                 coalesce((SELECT e.is_share FROM crm._kpi_event_base e WHERE e.code = k.code), false) AS is_share,
                 least(greatest(d.today + 1 - p.period_start, 0), p.period_end + 1 - p.period_start)::numeric / (p.period_end + 1 - p.period_start) AS time_gone,
                 (12 * (extract(year FROM d.today + 1) - extract(year FROM p.period_start)) + extract(month FROM d.today + 1) - extract(month FROM p.period_start))::integer AS whole_months,
                 (extract(day FROM d.today + 1) - 1) / extract(day FROM pg_catalog.date_trunc('month', (d.today + 1)::timestamp) + interval '1 month - 1 day') AS part_month
          FROM crm.target t
          JOIN crm.kpi_code k ON k.code = t.code
          CROSS JOIN LATERAL (SELECT CASE t.grain WHEN 'month' THEN 1 WHEN 'quarter' THEN 3 ELSE 12 END AS months) y
          JOIN crm.period p ON p.grain = CASE t.grain WHEN 'month' THEN 1 WHEN 'quarter' THEN 2 ELSE 3 END AND p.period_start = t.period_start
          LEFT JOIN crm.channel h ON h.id = t.channel_id
          CROSS JOIN (SELECT crm.today() AS today OFFSET 0) d
          CROSS JOIN (SELECT x.first_day, x.settled FROM crm.generation x WHERE x.state = 'current') g
          WHERE t.purpose = 'target') s
        CROSS JOIN LATERAL (
          SELECT s.period_start <= s.today AND s.period_end >= s.first_day AND (s.today >= s.settled OR s.period_end <= s.today) AS known,
                 s.start_before <= s.today AND s.period_start > s.first_day AND (s.period_start <= s.today OR s.nature IN ('balance', 'share') AND s.today >= s.settled) AS known_before) w
        LEFT JOIN LATERAL (
          SELECT pg_catalog.sum(y.n)::numeric AS n, pg_catalog.sum(y.d)::numeric AS d, pg_catalog.bool_and(y.whole) AS whole FROM (
            SELECT pg_catalog.sum(x.numerator) FILTER (WHERE s.class IS NULL OR x.class = s.class) AS n, CASE WHEN s.is_share THEN pg_catalog.max(x.denominator) ELSE pg_catalog.sum(x.denominator) END AS d, pg_catalog.bool_and(x.is_complete) AS whole
            FROM crm._figure x
            WHERE w.known AND x.org_id = s.org_id AND x.code = s.code AND x.grain = s.grain AND x.period_start = s.period_start
              AND (s.class IS NULL OR x.class = s.class OR s.is_share) AND (s.channel IS NULL OR x.channel = s.channel) AND (s.kind IS NULL OR x.kind = s.kind)
            GROUP BY x.channel, x.kind) y) a ON true
        LEFT JOIN LATERAL (
          SELECT pg_catalog.sum(y.n)::numeric AS n, pg_catalog.sum(y.d)::numeric AS d FROM (
            SELECT pg_catalog.sum(x.numerator) FILTER (WHERE s.class IS NULL OR x.class = s.class) AS n, CASE WHEN s.is_share THEN pg_catalog.max(x.denominator) ELSE pg_catalog.sum(x.denominator) END AS d
            FROM crm._figure x
            WHERE w.known_before AND x.org_id = s.org_id AND x.code = s.code AND x.grain = s.grain AND x.period_start = s.start_before
              AND (s.class IS NULL OR x.class = s.class OR s.is_share) AND (s.channel IS NULL OR x.channel = s.channel) AND (s.kind IS NULL OR x.kind = s.kind)
            GROUP BY x.channel, x.kind) y) b ON true
        LEFT JOIN LATERAL (
          SELECT pg_catalog.array_agg(q.at_month + s.part_month * CASE WHEN s.nature IN ('turnover', 'rate', 'increase') THEN q.this_month ELSE q.this_month - q.at_month END ORDER BY q.i) AS past_so_far,
                 pg_catalog.array_agg(q.at_month ORDER BY q.i) AS past_at_month, pg_catalog.array_agg(q.total ORDER BY q.i) AS past_total
          FROM (
            SELECT i.i, coalesce(pg_catalog.sum(v.level) FILTER (WHERE m.m = s.whole_months), 0) AS this_month,
                   coalesce(pg_catalog.sum(v.level) FILTER (WHERE CASE WHEN s.nature IN ('turnover', 'rate', 'increase') THEN m.m >= 0 AND m.m < s.whole_months ELSE m.m = s.whole_months - 1 END), 0) AS at_month,
                   coalesce(pg_catalog.sum(v.level) FILTER (WHERE CASE WHEN s.nature IN ('turnover', 'rate', 'increase') THEN m.m >= 0 ELSE m.m = s.months - 1 END), 0) AS total
            FROM pg_catalog.generate_series(1, 10) i (i)
            CROSS JOIN pg_catalog.generate_series(-1, s.months - 1) m (m)
            JOIN (
              SELECT x.period_start AS month, CASE WHEN s.nature IN ('growth', 'increase') THEN pg_catalog.sum(x.numerator) + pg_catalog.sum(x.denominator)
                                          WHEN s.nature = 'share' THEN pg_catalog.sum(x.numerator) / nullif(pg_catalog.sum(x.denominator), 0) ELSE pg_catalog.sum(x.numerator) END::numeric AS level
              FROM crm._figure x
              WHERE w.known AND s.period_end > s.today AND s.nature <> 'ratio' AND x.org_id = s.org_id AND x.code = s.code AND x.grain = 'month'
                AND x.period_start >= s.period_start - interval '10 years 1 month' AND x.period_start < s.period_start
                AND (s.class IS NULL OR x.class = s.class) AND (s.channel IS NULL OR x.channel = s.channel) AND (s.kind IS NULL OR x.kind = s.kind)
              GROUP BY x.period_start) v ON v.month = s.period_start - pg_catalog.make_interval(years => i.i) + pg_catalog.make_interval(months => m.m)
            WHERE s.period_start - pg_catalog.make_interval(years => i.i) >= s.first_day
            GROUP BY i.i) q) f ON true) l
      CROSS JOIN LATERAL (SELECT CASE WHEN l.nature IN ('balance', 'turnover') THEN l.n ELSE l.n / nullif(l.d, 0) END AS actual,
                                 CASE WHEN l.nature IN ('growth', 'increase') THEN l.n + l.d WHEN l.nature = 'share' THEN l.n / nullif(l.d, 0) ELSE l.n END AS level) x
      LEFT JOIN LATERAL (
        SELECT pg_catalog.max(z.value) FILTER (WHERE z.purpose = 'target') AS target, pg_catalog.max(z.value) FILTER (WHERE z.purpose = 'base') AS base FROM crm.target z
        WHERE z.org_id = l.org_id AND z.channel_id IS NOT DISTINCT FROM l.channel_id AND z.code = l.code AND z.class IS NOT DISTINCT FROM l.class AND z.kind IS NOT DISTINCT FROM l.kind
          AND z.grain = l.grain AND z.period_start = l.start_before) e ON true
      CROSS JOIN LATERAL (SELECT coalesce(l.before, e.base) AS last_actual) y
      LEFT JOIN LATERAL crm.forecast_total(x.level, l.past_so_far, l.past_total, l.past_at_month) f ON true) c) v) r
JOIN crm.organisation o ON o.id = r.org_id;

CREATE VIEW crm_bi.target_benchmark AS
SELECT t.target_id || '/' || b.id AS target_benchmark_key, t.target_id, b.id AS benchmark_id, b.label, b.period_start AS benchmark_period_start, b.value AS benchmark, t.target, t.actual,
       t.target - b.value AS target_gap, t.actual - b.value AS actual_gap, b.note
FROM crm_bi.target t
CROSS JOIN LATERAL (
  SELECT DISTINCT ON (x.label) x.id, x.label, x.period_start, x.value, x.note
  FROM crm.target x
  JOIN crm.organisation_tree a ON a.ancestor_id = x.org_id AND a.descendant_id = t.org_id
  LEFT JOIN crm.channel h ON h.id = x.channel_id
  WHERE x.purpose = 'benchmark' AND x.code = t.code AND x.class IS NOT DISTINCT FROM t.class AND x.grain = t.grain AND x.period_start <= t.period_start
    AND (x.channel_id IS NULL OR h.code = t.channel) AND (x.kind IS NULL OR x.kind = t.kind)
  ORDER BY x.label, a.depth, x.channel_id IS NULL, x.kind IS NULL, x.period_start DESC) b;

COMMENT ON VIEW crm_bi.target IS 'Targets beside what was reached: one row each, with what is needed, a forecast to the end of the period and a warning. 目标完成情况';
COMMENT ON COLUMN crm_bi.target.target_id IS 'Key. 目标';
COMMENT ON COLUMN crm_bi.target.org_id IS 'Unit with its subtree. 机构';
COMMENT ON COLUMN crm_bi.target.org_level IS 'Level of the unit, 0 at the top. 机构层级';
COMMENT ON COLUMN crm_bi.target.org_name IS 'Name of the unit. 机构名称';
COMMENT ON COLUMN crm_bi.target.channel IS 'Main channel of the customers; NULL: all together. 渠道';
COMMENT ON COLUMN crm_bi.target.code IS 'Figure, of crm_bi.kpi_code. 指标代码';
COMMENT ON COLUMN crm_bi.target.class IS 'Class, of figures by class. 类别';
COMMENT ON COLUMN crm_bi.target.grain IS 'month, quarter or year. 期间类型';
COMMENT ON COLUMN crm_bi.target.period_start IS 'First day of the period. 期初日';
COMMENT ON COLUMN crm_bi.target.period_end IS 'Last day of the period. 期末日';
COMMENT ON COLUMN crm_bi.target.is_complete IS 'Whether the period is over, of development also every window. 期间是否结束';
COMMENT ON COLUMN crm_bi.target.direction IS 'at_least or at_most: which side of the target is good. 方向';
COMMENT ON COLUMN crm_bi.target.target IS 'What the figure is to be at the end of the period. 目标值';
COMMENT ON COLUMN crm_bi.target.planned_growth IS 'Target over that of the period before, or over the base, less 1; of a growth NULL. 计划增长率';
COMMENT ON COLUMN crm_bi.target.last_actual IS 'The figure in the period before, of a balance so far; where the book does not tell, the base. 上期实际值';
COMMENT ON COLUMN crm_bi.target.numerator IS 'Numerator of the figure so far. 分子';
COMMENT ON COLUMN crm_bi.target.denominator IS 'Denominator of the figure so far; NULL for counts. 分母';
COMMENT ON COLUMN crm_bi.target.actual IS 'The figure so far; NULL before the period. 实际值';
COMMENT ON COLUMN crm_bi.target.gap IS 'actual - target. 差距';
COMMENT ON COLUMN crm_bi.target.attainment IS 'actual / target. 完成率';
COMMENT ON COLUMN crm_bi.target.time_gone IS 'Share of the days of the period that are over, today included. 时间进度';
COMMENT ON COLUMN crm_bi.target.expected IS 'Where the figure would stand today if it came evenly: balances from last_actual, others from 0. 序时目标';
COMMENT ON COLUMN crm_bi.target.linear_on_track IS 'Whether actual keeps to expected. 是否达到序时进度';
COMMENT ON COLUMN crm_bi.target.needed IS 'Customers still missing, below 0 those too many, by the denominator so far; of at_most those still allowed. 尚缺数';
COMMENT ON COLUMN crm_bi.target.needed_per_month IS 'needed over the months left. 每月尚需数';
COMMENT ON COLUMN crm_bi.target.needed_growth IS 'target / last_actual - 1; of a growth NULL, for its target says so. 所需增长率';
COMMENT ON COLUMN crm_bi.target.needed_growth_per_month IS 'Growth in each month left by which a balance reaches the target. 每月所需增长率';
COMMENT ON COLUMN crm_bi.target.forecast IS 'The figure at the end of the period by the development of past years; of a period that is over, actual; NULL where fewer than three tell, and of a figure whose denominator comes in the period, too. 期末预测值';
COMMENT ON COLUMN crm_bi.target.forecast_lower IS 'Lower end of the interval that holds the outcome in 80 of 100 cases. 预测下限';
COMMENT ON COLUMN crm_bi.target.forecast_upper IS 'Upper end of it. 预测上限';
COMMENT ON COLUMN crm_bi.target.forecast_attainment IS 'forecast / target. 预测完成率';
COMMENT ON COLUMN crm_bi.target.forecast_periods IS 'Past years that the forecast goes by. 预测依据年数';
COMMENT ON COLUMN crm_bi.target.status IS 'not_begun 未开始, on_track 正常, at_risk 有风险, off_track 严重落后, reached 已完成, missed 未完成 or unknown 未知.';
COMMENT ON COLUMN crm_bi.target.warning IS 'Whether it is behind: at_risk or off_track. 预警';
COMMENT ON COLUMN crm_bi.target.note IS 'Source or remark. 备注';
COMMENT ON COLUMN crm_bi.target.set_at IS 'When it was set. 设定时间';
COMMENT ON COLUMN crm_bi.target.set_by IS 'Who set it. 设定人';
COMMENT ON COLUMN crm_bi.target.kind IS 'person 个人 or company 法人; NULL: both together. 客户类型';
COMMENT ON COLUMN crm_bi.target.segment IS 'Line of the plan: whom it is about. 计划客群';
COMMENT ON COLUMN crm_bi.target.aim IS 'develop 开发 or complete 完善信息: what the line is to do. 计划目的';
COMMENT ON VIEW crm_bi.target_benchmark IS 'Targets beside benchmarks of the same figure: of each label the one of the nearest unit, then of the channel, then of the kind, then the latest. 对标';
COMMENT ON COLUMN crm_bi.target_benchmark.target_benchmark_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.target_benchmark.target_id IS 'Target. 目标';
COMMENT ON COLUMN crm_bi.target_benchmark.benchmark_id IS 'Row of crm.target with the benchmark. 对标值主键';
COMMENT ON COLUMN crm_bi.target_benchmark.label IS 'Whose benchmark. 对标对象';
COMMENT ON COLUMN crm_bi.target_benchmark.benchmark_period_start IS 'First day of the period it is of. 对标期间';
COMMENT ON COLUMN crm_bi.target_benchmark.benchmark IS 'What others reach. 对标值';
COMMENT ON COLUMN crm_bi.target_benchmark.target IS 'What the figure is to be. 目标值';
COMMENT ON COLUMN crm_bi.target_benchmark.actual IS 'The figure so far. 实际值';
COMMENT ON COLUMN crm_bi.target_benchmark.target_gap IS 'target - benchmark. 目标与对标差距';
COMMENT ON COLUMN crm_bi.target_benchmark.actual_gap IS 'actual - benchmark. 实际与对标差距';
COMMENT ON COLUMN crm_bi.target_benchmark.note IS 'Source of the benchmark. 来源';
