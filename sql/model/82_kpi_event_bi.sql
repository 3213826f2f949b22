-- bi: figures of events, counted from the rows themselves in the cell of each customer on the day that counts

CREATE VIEW crm._kpi_period AS
SELECT p.grain_name AS grain, p.period_start, p.period_end, least(p.period_end, d.today) AS closing, p.period_end <= d.today AS is_complete,
       p.period_start::timestamp AT TIME ZONE d.zone AS opens_at, (least(p.period_end, d.today) + 1)::timestamp AT TIME ZONE d.zone AS closes_at, d.zone, d.today
FROM crm.period p
CROSS JOIN (SELECT crm_bi._today(g.posted_to) AS today, g.first_day, g.settled, crm.setting_value('business_time_zone') AS zone FROM crm.generation g WHERE g.state = 'current' OFFSET 0) d
WHERE p.period_end >= d.first_day AND p.closes_from <= d.today AND (d.today >= d.settled OR p.period_end <= d.today);
COMMENT ON VIEW crm._kpi_period IS 'The periods that crm_bi.kpi shows.';
COMMENT ON COLUMN crm._kpi_period.grain IS 'month, quarter, year or trailing_12.';
COMMENT ON COLUMN crm._kpi_period.period_start IS 'First day.';
COMMENT ON COLUMN crm._kpi_period.period_end IS 'Last day.';
COMMENT ON COLUMN crm._kpi_period.closing IS 'Last day up to today.';
COMMENT ON COLUMN crm._kpi_period.is_complete IS 'Whether it is over.';
COMMENT ON COLUMN crm._kpi_period.opens_at IS 'First instant.';
COMMENT ON COLUMN crm._kpi_period.closes_at IS 'First instant after closing.';
COMMENT ON COLUMN crm._kpi_period.zone IS 'Business time zone.';
COMMENT ON COLUMN crm._kpi_period.today IS 'The day asked for.';

CREATE VIEW crm._kpi_event AS
-- customers who introduced somebody, in their cell at opening
SELECT 'referral_rate'::text AS code, p.grain, p.period_start, p.period_end, p.is_complete, e.customer_id, (x.r).org_id, (x.r).channel_id, (x.r).company,
       NULL::text AS class, 1 AS numerator, 0 AS denominator
FROM crm._kpi_period p
CROSS JOIN LATERAL (
  SELECT DISTINCT q.introduced_by AS customer_id FROM crm.prospect q
  WHERE q.introduced_by IS NOT NULL AND q.entered_on >= p.period_start AND q.entered_on <= p.closing) e
JOIN crm.standing s ON s.slot = (SELECT crm_bi._slot()) AND s.customer_id = e.customer_id
CROSS JOIN LATERAL (SELECT crm.at(s.timeline, p.period_start - 1) AS r OFFSET 0) x
WHERE (x.r).coverage = 'insured'
UNION ALL
-- those introduced, in their cell on the day of the first time
SELECT 'referral_conversion', p.grain, p.period_start, p.period_end, p.is_complete, e.customer_id, (x.r).org_id, (x.r).channel_id, (x.r).company, NULL,
       CASE WHEN EXISTS (SELECT FROM crm.cover c WHERE c.customer_id = e.customer_id AND c.role = 'policyholder' AND c.from_date < c.to_date
                                                  AND c.issued_on >= e.day AND c.issued_on <= p.today) THEN 1 ELSE 0 END, 1
FROM crm._kpi_period p
CROSS JOIN LATERAL (
  SELECT q.customer_id, pg_catalog.min(q.entered_on) AS day FROM crm.prospect q
  WHERE q.introduced_by IS NOT NULL AND q.entered_on >= p.period_start AND q.entered_on <= p.closing
  GROUP BY q.customer_id) e
JOIN crm.standing s ON s.slot = (SELECT crm_bi._slot()) AND s.customer_id = e.customer_id
CROSS JOIN LATERAL (SELECT crm._cell_at(s.timeline, greatest(e.day, s.first_day)) AS r OFFSET 0) x
UNION ALL
-- complaints, in the cell of the customer on that day
SELECT b.code, p.grain, p.period_start, p.period_end, p.is_complete, e.customer_id, (x.r).org_id, (x.r).channel_id, (x.r).company,
       CASE b.code WHEN 'complaint_share' THEN e.category WHEN 'complaint_share_by_staff' THEN coalesce((SELECT f.code FROM crm.staff f WHERE f.id = e.staff_id), 'none') END,
       1, CASE b.code WHEN 'complaints_per_10k' THEN 0 ELSE 1 END
FROM crm._kpi_period p
JOIN crm.service_case e ON e.kind = 'complaint' AND e.opened_at >= p.opens_at AND e.opened_at < p.closes_at
JOIN crm.standing s ON s.slot = (SELECT crm_bi._slot()) AND s.customer_id = e.customer_id
CROSS JOIN LATERAL (SELECT crm._cell_at(s.timeline, greatest((e.opened_at AT TIME ZONE p.zone)::date, s.first_day)) AS r OFFSET 0) x
CROSS JOIN (VALUES ('complaints_per_10k'), ('complaint_share'), ('complaint_share_by_staff')) b (code)
UNION ALL
-- customers allocated, in their cell on the first day of that; what narrows a holding allocates nobody
SELECT 'development', p.grain, p.period_start, p.period_end, p.is_complete AND e.until <= p.today, e.customer_id, (x.r).org_id, (x.r).channel_id, (x.r).company, e.class,
       CASE WHEN e.bought THEN 1 ELSE 0 END, 1
FROM crm._kpi_period p
CROSS JOIN LATERAL (
  SELECT a.customer_id, a.class, pg_catalog.min(a.day) AS day, pg_catalog.max(a.day + k.value::integer) AS until,
         pg_catalog.bool_or(EXISTS (SELECT FROM crm.cover c WHERE c.customer_id = a.customer_id AND c.role = 'policyholder' AND c.from_date < c.to_date
                                                            AND c.issued_on >= a.day AND c.issued_on <= least(a.day + k.value::integer, p.today))) AS bought
  FROM (SELECT h.customer_id, (h.held_from AT TIME ZONE p.zone)::date AS day,
               CASE WHEN EXISTS (SELECT FROM crm.holding y WHERE y.customer_id = h.customer_id AND (y.held_from, y.id) < (h.held_from, h.id) AND y.end_cause = 'recycle')
                    THEN 'second' ELSE 'first' END AS class
        FROM crm.holding h
        WHERE h.start_cause = 'allocation' AND h.held_from >= p.opens_at AND h.held_from < p.closes_at
          AND (SELECT y.end_cause FROM crm.holding y WHERE y.customer_id = h.customer_id AND (y.held_from, y.id) < (h.held_from, h.id)
               ORDER BY y.held_from DESC, y.id DESC LIMIT 1) IS DISTINCT FROM 'narrowing') a
  JOIN crm._setting_span k ON k.name = 'development_days' AND a.day >= k.from_date AND a.day < k.to_date
  GROUP BY a.customer_id, a.class) e
JOIN crm.standing s ON s.slot = (SELECT crm_bi._slot()) AND s.customer_id = e.customer_id
CROSS JOIN LATERAL (SELECT crm._cell_at(s.timeline, greatest(e.day, s.first_day)) AS r OFFSET 0) x
UNION ALL
-- holdings that ended by recycling, in the cell of the customer on that day
SELECT 'recycle', p.grain, p.period_start, p.period_end, p.is_complete, e.customer_id, (x.r).org_id, (x.r).channel_id, (x.r).company, NULL, 1, 0
FROM crm._kpi_period p
JOIN crm.holding e ON e.end_cause = 'recycle' AND e.held_to >= p.opens_at AND e.held_to < p.closes_at
JOIN crm.standing s ON s.slot = (SELECT crm_bi._slot()) AND s.customer_id = e.customer_id
CROSS JOIN LATERAL (SELECT crm._cell_at(s.timeline, greatest((e.held_to AT TIME ZONE p.zone)::date, s.first_day)) AS r OFFSET 0) x
UNION ALL
-- holdings in effect, each with what was narrowed to it, in the cell at opening or on the first day
SELECT 'recycle', p.grain, p.period_start, p.period_end, p.is_complete, e.customer_id, (x.r).org_id, (x.r).channel_id, (x.r).company, NULL, 0, 1
FROM crm._kpi_period p
JOIN (
  SELECT h.customer_id, h.held_to,
         CASE WHEN h.customer_id IN (SELECT n.customer_id FROM crm.holding n WHERE n.end_cause = 'narrowing') THEN (
           SELECT pg_catalog.min(y.held_from) FROM crm.holding y
           WHERE y.customer_id = h.customer_id AND (y.held_from, y.id) <= (h.held_from, h.id)
             AND NOT EXISTS (SELECT FROM crm.holding z WHERE z.customer_id = h.customer_id AND (z.held_from, z.id) >= (y.held_from, y.id) AND (z.held_from, z.id) < (h.held_from, h.id)
                                                         AND z.end_cause IS DISTINCT FROM 'narrowing'))
         ELSE h.held_from END AS held_from
  FROM crm.holding h WHERE h.end_cause IS DISTINCT FROM 'narrowing' OFFSET 0) e
  ON e.held_from < p.closes_at AND (e.held_to IS NULL OR e.held_to >= p.opens_at)
JOIN crm.standing s ON s.slot = (SELECT crm_bi._slot()) AND s.customer_id = e.customer_id
CROSS JOIN LATERAL (SELECT crm._cell_at(s.timeline, greatest(p.period_start - 1, (e.held_from AT TIME ZONE p.zone)::date, s.first_day)) AS r OFFSET 0) x;
COMMENT ON VIEW crm._kpi_event IS 'What counts in crm_bi.kpi_event, customer by customer.';
COMMENT ON COLUMN crm._kpi_event.code IS 'Figure.';
COMMENT ON COLUMN crm._kpi_event.grain IS 'month, quarter, year or trailing_12.';
COMMENT ON COLUMN crm._kpi_event.period_start IS 'First day of the period.';
COMMENT ON COLUMN crm._kpi_event.period_end IS 'Last day of the period.';
COMMENT ON COLUMN crm._kpi_event.is_complete IS 'Whether nothing can come any more.';
COMMENT ON COLUMN crm._kpi_event.customer_id IS 'Customer.';
COMMENT ON COLUMN crm._kpi_event.org_id IS 'Unit that the customer counts in.';
COMMENT ON COLUMN crm._kpi_event.channel_id IS 'Main channel that the customer counts in.';
COMMENT ON COLUMN crm._kpi_event.company IS 'Whether a company.';
COMMENT ON COLUMN crm._kpi_event.class IS 'Class.';
COMMENT ON COLUMN crm._kpi_event.numerator IS 'What it adds to the numerator.';
COMMENT ON COLUMN crm._kpi_event.denominator IS 'What it adds to the denominator.';

-- Filters on code, grain, period and unit reach every branch, since all is grouped by them. The two views differ in whose customers a unit counts.
DECLARE
  own boolean;
  name text;
BEGIN
  FOREACH own IN ARRAY ARRAY[false, true] LOOP
    name := CASE WHEN own THEN 'kpi_event_own' ELSE 'kpi_event' END;
    EXECUTE pg_catalog.format($view$
CREATE VIEW crm_bi.%1$I AS
SELECT n.code || '/' || coalesce(n.class, '') || '/' || n.grain || '/' || n.period_start || '/' || n.org_id || '/' || coalesce(h.code, '') || '/' || n.kind AS kpi_key,
       n.grain, n.period_start, n.period_end, n.is_complete, n.org_id, o.level AS org_level, o.name AS org_name, h.code AS channel, n.kind, n.code, n.class,
       n.numerator, n.denominator, n.numerator / nullif(n.denominator, 0) AS value, n.channel_id, c.dimension || '/' || n.class AS class_key
FROM (
  SELECT u.code, u.grain, u.period_start, u.period_end, u.org_id, u.channel_id, u.kind, u.class, pg_catalog.bool_and(u.is_complete) AS is_complete,
         pg_catalog.sum(u.numerator) AS numerator, pg_catalog.sum(u.denominator) AS denominator
  FROM (
    SELECT e.code, e.grain, e.period_start, e.period_end, %3$s AS org_id, e.channel_id, CASE WHEN e.company THEN 'company' ELSE 'person' END AS kind, e.class, e.is_complete,
           e.numerator::numeric AS numerator, e.denominator::numeric AS denominator
    FROM (
      SELECT i.code, i.grain, i.period_start, i.period_end, i.org_id, i.channel_id, i.company, i.class, pg_catalog.bool_and(i.is_complete) AS is_complete,
             pg_catalog.sum(i.numerator) AS numerator, pg_catalog.sum(i.denominator) AS denominator
      FROM crm._kpi_event i WHERE i.code NOT IN ('complaint_share', 'complaint_share_by_staff')
      GROUP BY i.code, i.grain, i.period_start, i.period_end, i.org_id, i.channel_id, i.company, i.class) e %4$s
    UNION ALL
    -- shares: in each cell of a unit and period every class that it has there, so that cells add up
    SELECT g.code, g.grain, g.period_start, g.period_end, g.org_id, x.channel_id, CASE WHEN x.company THEN 'company' ELSE 'person' END, x.class, g.is_complete, x.numerator, x.denominator
    FROM (
      SELECT i.code, i.grain, i.period_start, i.period_end, i.is_complete, i.org_id, pg_catalog.array_agg(i.channel_id) AS channels, pg_catalog.array_agg(i.company) AS companies,
             pg_catalog.array_agg(i.class) AS classes, pg_catalog.array_agg(i.n) AS ns
      FROM (SELECT e.code, e.grain, e.period_start, e.period_end, e.is_complete, %3$s AS org_id, e.channel_id, e.company, e.class, pg_catalog.count(*) AS n
            FROM crm._kpi_event e %4$s WHERE e.code IN ('complaint_share', 'complaint_share_by_staff')
            GROUP BY e.code, e.grain, e.period_start, e.period_end, e.is_complete, %3$s, e.channel_id, e.company, e.class) i
      GROUP BY i.code, i.grain, i.period_start, i.period_end, i.is_complete, i.org_id) g
    CROSS JOIN LATERAL (
      SELECT y.channel_id, y.company, k.class, coalesce(a.n, 0) AS numerator, y.n AS denominator
      FROM (SELECT u.channel_id, u.company, pg_catalog.sum(u.n) AS n
            FROM ROWS FROM (pg_catalog.unnest(g.channels), pg_catalog.unnest(g.companies), pg_catalog.unnest(g.ns)) AS u (channel_id, company, n) GROUP BY u.channel_id, u.company) y
      CROSS JOIN (SELECT DISTINCT u.class FROM pg_catalog.unnest(g.classes) AS u (class)) k
      LEFT JOIN ROWS FROM (pg_catalog.unnest(g.channels), pg_catalog.unnest(g.companies), pg_catalog.unnest(g.classes), pg_catalog.unnest(g.ns)) AS a (channel_id, company, class, n)
        ON a.channel_id = y.channel_id AND a.company = y.company AND a.class = k.class) x
    UNION ALL
    SELECT b.code, k.grain, k.period_start, k.period_end, k.org_id, k.channel_id, k.kind, NULL, k.is_complete,
           0, pg_catalog.trim_scale((CASE b.base_part WHEN 'numerator' THEN k.numerator ELSE k.denominator END) / b.base_divisor)
    FROM crm.kpi_code b JOIN crm_bi.%2$I k ON k.code = b.base_code
    UNION ALL
    SELECT 'market_penetration', k.grain, k.period_start, k.period_end, k.org_id, NULL, k.kind, NULL, k.is_complete, k.numerator, 0
    FROM crm_bi.%2$I k
    WHERE k.code = 'insured' AND EXISTS (SELECT FROM crm.addressable_population a WHERE a.year = extract(year FROM k.period_end)::integer)
    UNION ALL
    SELECT 'market_penetration', p.grain, p.period_start, p.period_end, %3$s, NULL, e.kind, NULL, p.is_complete, 0, e.n
    FROM crm._kpi_period p JOIN crm.addressable_population e ON e.year = extract(year FROM p.period_end)::integer %4$s
    UNION ALL
    -- rounded in each cell, so that they add up and a closing can keep them
    SELECT 'average_completeness', p.grain, p.period_start, p.period_end, %3$s, e.channel_id, e.kind, NULL, p.is_complete, pg_catalog.round(e.score_sum, 6), e.customers
    FROM crm._kpi_period p
    JOIN crm.completeness_month m ON m.month = pg_catalog.date_trunc('month', p.closing::timestamp)::date AND m.day <= p.today
    JOIN crm.completeness_cell e ON e.month = m.month %4$s) u
  GROUP BY u.code, u.grain, u.period_start, u.period_end, u.org_id, u.channel_id, u.kind, u.class
  HAVING pg_catalog.sum(u.numerator) <> 0 OR pg_catalog.sum(u.denominator) <> 0) n
JOIN crm.kpi_code c ON c.code = n.code
JOIN crm.organisation o ON o.id = n.org_id
LEFT JOIN crm.channel h ON h.id = n.channel_id$view$,
      name, CASE WHEN own THEN 'kpi_own' ELSE 'kpi' END, CASE WHEN own THEN 'e.org_id' ELSE 't.ancestor_id' END,
      CASE WHEN own THEN '' ELSE 'JOIN crm.organisation_tree t ON t.descendant_id = e.org_id' END);
    EXECUTE pg_catalog.format($c$
COMMENT ON COLUMN crm_bi.%1$I.kpi_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.%1$I.grain IS 'month, quarter, year or trailing_12 (twelve months, told by their last one). 期间类型';
COMMENT ON COLUMN crm_bi.%1$I.period_start IS 'First day of the period. 期初日';
COMMENT ON COLUMN crm_bi.%1$I.period_end IS 'Last day of the period; an open period closes today. 期末日';
COMMENT ON COLUMN crm_bi.%1$I.is_complete IS 'Whether the period is over, of development also every window. 期间是否结束';
COMMENT ON COLUMN crm_bi.%1$I.org_id IS 'Unit. 机构';
COMMENT ON COLUMN crm_bi.%1$I.org_level IS 'Level of the unit, 0 at the top. 机构层级';
COMMENT ON COLUMN crm_bi.%1$I.org_name IS 'Name of the unit. 机构名称';
COMMENT ON COLUMN crm_bi.%1$I.channel IS 'Main channel of the customers; NULL of market penetration: a population has none. 渠道';
COMMENT ON COLUMN crm_bi.%1$I.kind IS 'person or company. 个人或法人';
COMMENT ON COLUMN crm_bi.%1$I.code IS 'Figure; crm_bi.kpi_code explains it. 指标代码';
COMMENT ON COLUMN crm_bi.%1$I.class IS 'Class, of figures by class. 类别';
COMMENT ON COLUMN crm_bi.%1$I.numerator IS 'Numerator; adds up over units of kpi_event_own, channels and kinds. 分子';
COMMENT ON COLUMN crm_bi.%1$I.denominator IS 'Denominator, adding up likewise. 分母';
COMMENT ON COLUMN crm_bi.%1$I.value IS 'Numerator over denominator; NULL where the denominator is 0. Of sums, divide again. 指标值';
COMMENT ON COLUMN crm_bi.%1$I.channel_id IS 'Main channel of the customers, in crm_bi.channel. 渠道键';
COMMENT ON COLUMN crm_bi.%1$I.class_key IS 'Dimension and class; NULL of figures without classes. 类别键'$c$, name);
  END LOOP;
END;
COMMENT ON VIEW crm_bi.kpi_event IS 'Figures of events, counted when asked for, with the columns of crm_bi.kpi: one row for each figure, class, period, unit with its subtree, channel and kind. 事件类指标';
COMMENT ON VIEW crm_bi.kpi_event_own IS 'Figures of events of the customers of each unit itself, without its subtree: units add up. 事件类指标（本级）';

CREATE VIEW crm._kpi_event_base AS
SELECT k.code, k.dimension, k.base_code, k.base_part, k.unit = 'complaints' AND k.base_unit = 'complaints' AS is_share FROM crm.kpi_code k WHERE k.account IS NULL;
COMMENT ON VIEW crm._kpi_event_base IS 'What the figures of crm_bi.kpi_event are made of; for crm.kpi_members().';
COMMENT ON COLUMN crm._kpi_event_base.code IS 'Code of the figure.';
COMMENT ON COLUMN crm._kpi_event_base.dimension IS 'Dimension whose classes it is given by.';
COMMENT ON COLUMN crm._kpi_event_base.base_code IS 'Figure of crm_bi.kpi that the denominator is taken from.';
COMMENT ON COLUMN crm._kpi_event_base.base_part IS 'Part of that figure.';
COMMENT ON COLUMN crm._kpi_event_base.is_share IS 'Whether the denominator is that of all classes.';

CREATE VIEW crm._kpi_event_class AS
SELECT 'allocation'::text AS dimension, a.class FROM (VALUES ('first'), ('second')) a (class)
UNION ALL
SELECT 'case_category', c.code FROM crm.case_category c
UNION ALL
SELECT 'staff', s.code FROM crm.staff s
UNION ALL
SELECT 'staff', 'none';
COMMENT ON VIEW crm._kpi_event_class IS 'Classes of the figures of crm_bi.kpi_event.';
COMMENT ON COLUMN crm._kpi_event_class.dimension IS 'Dimension.';
COMMENT ON COLUMN crm._kpi_event_class.class IS 'Class.';

-- of a code, which must be known when it is planned or run, only the one side is read
CREATE VIEW crm._figure AS
SELECT k.grain, k.period_start, k.period_end, k.is_complete, k.org_id, k.channel, k.kind, k.code, k.class, k.numerator, k.denominator FROM crm_bi.kpi k
UNION ALL
SELECT e.grain, e.period_start, e.period_end, e.is_complete, e.org_id, e.channel, e.kind, e.code, e.class, e.numerator, e.denominator FROM crm_bi.kpi_event e;
COMMENT ON VIEW crm._figure IS 'The figures of crm_bi.kpi and crm_bi.kpi_event.';
COMMENT ON COLUMN crm._figure.grain IS 'month, quarter, year or trailing_12.';
COMMENT ON COLUMN crm._figure.period_start IS 'First day of the period.';
COMMENT ON COLUMN crm._figure.period_end IS 'Last day of the period.';
COMMENT ON COLUMN crm._figure.is_complete IS 'Whether nothing can come any more.';
COMMENT ON COLUMN crm._figure.org_id IS 'Unit with its subtree.';
COMMENT ON COLUMN crm._figure.channel IS 'Main channel of the customers.';
COMMENT ON COLUMN crm._figure.kind IS 'person or company.';
COMMENT ON COLUMN crm._figure.code IS 'Figure.';
COMMENT ON COLUMN crm._figure.class IS 'Class.';
COMMENT ON COLUMN crm._figure.numerator IS 'Numerator.';
COMMENT ON COLUMN crm._figure.denominator IS 'Denominator.';

CREATE VIEW crm_bi.addressable_population AS
SELECT a.org_id || '/' || a.year || '/' || a.kind AS addressable_population_key, a.org_id, a.year, a.kind, a.n, a.note, a.set_at FROM crm.addressable_population a;
COMMENT ON VIEW crm_bi.addressable_population IS 'Addressable population, the denominator of market penetration: one row for each unit, year and kind. 目标市场人口';
COMMENT ON COLUMN crm_bi.addressable_population.addressable_population_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.addressable_population.org_id IS 'Unit, without the units below it. 机构';
COMMENT ON COLUMN crm_bi.addressable_population.year IS 'Year. 年份';
COMMENT ON COLUMN crm_bi.addressable_population.kind IS 'person or company. 个人或法人';
COMMENT ON COLUMN crm_bi.addressable_population.n IS 'How many. 人数';
COMMENT ON COLUMN crm_bi.addressable_population.note IS 'Source or remark. 来源或备注';
COMMENT ON COLUMN crm_bi.addressable_population.set_at IS 'When it was set. 设置时间';
