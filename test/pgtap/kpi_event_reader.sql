-- Figures of events where figures are read: targets, closing and scorecards beside crm_bi.kpi_event summed by hand.
BEGIN;
SELECT no_plan();
\ir include/helpers.sql
SET LOCAL client_min_messages = warning;
SET LOCAL crm.posting = 'commit';
SELECT setseed(0.7);
CREATE ROLE crm_test_pool;
CALL crm.grant_duty('sales', 'crm_test_pool'); CALL crm.grant_duty('manager', 'crm_test_pool'); CALL crm.grant_duty('controller', 'crm_test_pool');
SET LOCAL ROLE crm_owner;
CALL crm.grant_duty('pool', 'crm_test_pool');
RESET ROLE;

CALL crm.generate(customers => 600, seed => 11, as_of => '2025-12-31', years => 9, units => '{2,2,4}');
INSERT INTO crm.staff (id, code, name, org_id, channel_id, joined_on, login)
SELECT 9000 + i, 'of' || i, 'Of ' || i, o.id, 1, '2020-01-01', 'of' || i FROM (SELECT row_number() OVER (ORDER BY id) AS i, id FROM crm.organisation) o;
INSERT INTO crm.position (staff_id, org_id, duty, from_date) SELECT s.id, s.org_id, 'manager', '2020-01-01' FROM crm.staff s WHERE s.id > 9000;
INSERT INTO crm.service_case (customer_id, id, kind, category, intake, staff_id, opened_at)
SELECT c.id, 1, CASE WHEN random() < 0.8 THEN 'complaint' ELSE 'service' END, (ARRAY['mis_selling', 'delay', 'claim'])[1 + floor(random() * 3)::integer], 'phone',
       CASE WHEN random() < 0.7 THEN 9001 + floor(random() * 3)::integer END, '2018-01-03'::timestamptz + random() * interval '2910 days'
FROM crm.customer c WHERE c.id % 2 = 0;
INSERT INTO crm.prospect (customer_id, id, source, entered_on, introduced_by)
SELECT c.id, 1, 'referral', date '2023-01-03' + floor(random() * 1080)::integer, (SELECT min(o.id) FROM crm.customer o WHERE o.id > c.id - 20 AND o.id <> c.id) FROM crm.customer c WHERE c.id % 3 = 0;
INSERT INTO crm.holding (customer_id, channel_id, org_id, held_from, held_to, start_cause, end_cause, ended_by, rule)
SELECT c.id, 1, c.org_id, d.at, d.at + interval '60 days', 'allocation', (ARRAY['recycle', 'release'])[1 + c.id % 2], 'x', 'at most 365 days'
FROM crm.customer c CROSS JOIN LATERAL (SELECT '2023-01-03'::timestamptz + (c.id % 500) * interval '2 days' + k * interval '70 days' AS at FROM generate_series(0, 1) k) d
WHERE NOT EXISTS (SELECT FROM crm.holding h WHERE h.customer_id = c.id);
INSERT INTO crm.addressable_population (org_id, year, kind, n) SELECT o.id, y, k, 2000 + o.id FROM crm.organisation o, generate_series(2023, 2025) y, unnest('{person,company}'::text[]) k;
INSERT INTO crm.completeness_month (month, day) SELECT m::date, (m + interval '1 month - 3 days')::date FROM generate_series(timestamp '2024-06-01', '2025-12-01', '1 month') m;
INSERT INTO crm.completeness_cell (month, org_id, channel_id, kind, tier, customers, complete, score_sum, points, weight)
SELECT m.month, o.id, h.id, 'person', 'none', 40 + o.id, 5, (40 + o.id) * random() / 3, 1, 1 FROM crm.completeness_month m, crm.organisation o, crm.channel h;
CALL crm.rebuild('2025-12-31', NULL);
ANALYZE;

SELECT is(pg_temp.refusal($$INSERT INTO crm.staff (code, name, org_id, channel_id, joined_on) VALUES ('none', 'N', 1, 1, '2020-01-01')$$),
  '23514 new row for relation "staff" violates check constraint "staff_none_check"', 'none is the class of complaints about nobody');

-- targets --------------------------------------------------------------------------------

SELECT is(pg_temp.refusal(format('INSERT INTO crm.target (org_id, channel_id, code, class, grain, period_start, value) VALUES (1, %s, ''year'', ''2025-01-01'', %s)', v, n)), w, d) FROM (VALUES
  ($$NULL, 'nothing', NULL$$, '1', '23503 figure "nothing" is not known', 'a figure must be known'),
  ($$NULL, 'recycle', 'first'$$, '0.1', '23514 figure "recycle" is not given by class', 'one without classes has none'),
  ($$NULL, 'development', NULL$$, '0.1', '23514 figure "development" is given by class', 'one with classes has one'),
  ($$NULL, 'development', 'third'$$, '0.1', '23503 allocation "third" is not known', 'which is known'),
  ($$NULL, 'complaint_share', 'owls'$$, '0.1', '23503 case_category "owls" is not known', 'of complaints, too'),
  ($$NULL, 'complaint_share_by_staff', 'of999'$$, '0.1', '23503 staff "of999" is not known', 'and of members of staff'),
  ($$1, 'market_penetration', NULL$$, '0.1', '23514 figure "market_penetration" is not given by channel', 'a population has no channels'),
  ($$NULL, 'market_penetration', NULL$$, '1.1', '22003 1.1 is out of range for figure "market_penetration"', 'nor more customers than people'),
  ($$NULL, 'average_completeness', NULL$$, '1.01', '22003 1.01 is out of range for figure "average_completeness"', 'more than everything is never known'),
  ($$NULL, 'complaints_per_10k', NULL$$, '-1', '22003 -1 is out of range for figure "complaints_per_10k"', 'less than nothing')) x (v, n, w, d);
INSERT INTO crm.import_target (source_key, org_code, channel_code, code, class, grain, period_start, value)
SELECT 'k' || t.i, (SELECT o.code FROM crm.organisation o WHERE o.id = 1), t.channel, t.code, t.class, 'year', '2024-01-01', t.value
FROM (VALUES (1, NULL, 'recycle', NULL, '20%'), (2, (SELECT h.code FROM crm.channel h WHERE h.id = 1), 'market_penetration', NULL, '5%'), (3, NULL, 'complaint_share_by_staff', 'none', '10%'), (4, NULL, 'development', 'x', '10%')) t (i, channel, code, class, value);
INSERT INTO crm.import_staff (code, name, org_code, channel_code, joined_on) SELECT 'none', 'N', o.code, h.code, '2020-01-01' FROM crm.organisation o, crm.channel h WHERE o.id = 1 AND h.id = 1;
SELECT count(*) AS n FROM crm.target \gset before_
CALL crm.import('core') \gset
SELECT results_eq(format('SELECT r.row_no, r.column_name, r.code, r.message ~ ''none stands for nobody'' FROM crm.import_reason r WHERE r.batch_id = %s ORDER BY 1', :batch_id),
  $$VALUES (1::bigint, 'code', '23514', true), (2, 'channel_code', '23514', false), (4, 'class', '23503', false)$$, 'bad rows of a file are told');
SELECT is((SELECT count(*) FROM crm.target) - :before_n, 2::bigint, 'good ones are there');
DELETE FROM crm.target;

CREATE TEMP TABLE k (code text, class text, value numeric, builds text) ON COMMIT DROP;
INSERT INTO k VALUES ('market_penetration', NULL, 0.05, 'level'), ('referral_rate', NULL, 0.2, 'sum'), ('referral_conversion', NULL, 0.3, 'ratio'), ('complaints_per_10k', NULL, 2500, 'sum'), ('complaint_share', 'delay', 0.3, 'ratio'),
  ('complaint_share_by_staff', 'of2', 0.2, 'ratio'), ('complaint_share_by_staff', 'none', 0.2, 'ratio'), ('development', 'first', 0.1, 'ratio'), ('development', 'second', 0, 'ratio'), ('recycle', NULL, 0.2, 'ratio'),
  ('average_completeness', NULL, 0.4, 'level');
SELECT set_eq('SELECT code FROM k', $$SELECT code FROM crm_bi.kpi_code WHERE shown_in = 'kpi_event'$$, 'every figure of events has a target');
SET LOCAL crm.as_of = '2025-08-20';
CALL crm.rebuild('2025-08-20', NULL);
INSERT INTO crm.target (org_id, channel_id, code, class, kind, grain, period_start, value)
SELECT o, h, k.code, k.class, d, g, s, k.value
FROM unnest('{1,2}'::bigint[]) o, unnest('{NULL,1}'::bigint[]) h, unnest('{NULL,person}'::text[]) d, unnest('{year,quarter,month}'::text[]) g,
     LATERAL (VALUES (date_trunc(g, '2025-08-20'::timestamp)::date), ('2025-04-01'), ('2025-10-01')) s (s), k
WHERE (k.code <> 'market_penetration' OR h IS NULL) AND (g <> 'year' OR s = '2025-01-01');
CREATE TEMP TABLE shown ON COMMIT DROP AS SELECT * FROM crm_bi.kpi_event e WHERE e.org_id IN (1, 2) AND e.grain <> 'trailing_12';
CREATE FUNCTION pg_temp.figure(t crm.target, of_grain text, start date, OUT n numeric, OUT d numeric) LANGUAGE sql AS $$
  -- shares are of all complaints, those of other classes, too
  SELECT coalesce(sum(s.numerator) FILTER (WHERE s.code = t.code), 0), CASE WHEN t.code ~ '^complaint_share' THEN sum(s.numerator) FILTER (WHERE s.code = 'complaints_per_10k') ELSE sum(s.denominator) END FROM shown s
  WHERE (s.code = t.code AND (t.class IS NULL OR s.class = t.class) OR t.code ~ '^complaint_share' AND s.code = 'complaints_per_10k') AND s.org_id = t.org_id AND s.grain = of_grain AND s.period_start = start
    AND (t.kind IS NULL OR s.kind = t.kind) AND (t.channel_id IS NULL OR s.channel = (SELECT h.code FROM crm.channel h WHERE h.id = t.channel_id))
$$;
CREATE TEMP VIEW by_hand AS
SELECT t.id, CASE WHEN t.period_start <= '2025-08-20' THEN now.n / nullif(now.d, 0) END AS actual, CASE WHEN t.period_start <= '2025-08-20' OR k.builds = 'level' AND before.start <= '2025-08-20' THEN before.n / nullif(before.d, 0) END AS last_actual,
       least(greatest(date '2025-08-21' - t.period_start, 0), before.days)::numeric / before.days AS gone, k.builds, t.value AS target
FROM crm.target t JOIN k ON k.code = t.code AND k.class IS NOT DISTINCT FROM t.class
CROSS JOIN LATERAL (SELECT CASE t.grain WHEN 'month' THEN 1 WHEN 'quarter' THEN 3 ELSE 12 END AS months) m
CROSS JOIN LATERAL (SELECT (t.period_start + make_interval(months => m.months))::date - t.period_start AS days, (t.period_start - make_interval(months => m.months))::date AS start) x
CROSS JOIN LATERAL (SELECT * FROM pg_temp.figure(t, t.grain, t.period_start)) now
CROSS JOIN LATERAL (SELECT x.days, x.start, f.* FROM pg_temp.figure(t, t.grain, x.start) f) before;
SELECT pg_temp.same('SELECT target_id, round(actual, 12), round(last_actual, 12) FROM crm_bi.target', 'SELECT id, round(actual, 12), round(last_actual, 12) FROM by_hand', 'targets stand beside what was reached, and before');
SELECT pg_temp.same($$SELECT target_id, round(expected, 12) FROM crm_bi.target WHERE period_start <= '2025-08-20'$$,
  $$SELECT id, round(CASE builds WHEN 'sum' THEN target * gone ELSE last_actual + (target - last_actual) * gone END, 12) FROM by_hand JOIN crm.target t USING (id) WHERE t.period_start <= '2025-08-20'$$, 'what comes in the period is expected from nothing, a level or ratio from where it was');
SELECT cmp_ok((SELECT count(*) FROM crm_bi.target t JOIN by_hand b ON b.id = t.target_id WHERE t.code ~ '^complaint_share' AND t.actual = 0 AND b.actual = 0), '>', 9::bigint, 'no complaint of a class, where there are others, is a share of none');
SELECT is_empty($$SELECT DISTINCT b.builds FROM k b EXCEPT SELECT b.builds FROM by_hand b WHERE b.actual > 0 AND b.last_actual > 0$$, 'there are some of each');
SELECT is_empty($$SELECT t.code FROM crm_bi.target t JOIN by_hand b ON b.id = t.target_id WHERE b.builds = 'ratio' AND NOT t.is_complete AND t.forecast IS NOT NULL$$, 'a denominator that comes with the numerator is not forecast');
SELECT pg_temp.same($$SELECT t.target_id, round(t.forecast, 8), round(t.forecast_lower, 8), round(t.forecast_upper, 8) FROM crm_bi.target t WHERE t.code = 'complaints_per_10k' AND t.grain = 'year' AND t.org_id = 1 AND t.channel IS NULL AND t.kind IS NULL$$,
  $$SELECT t.id, round(f.forecast / n.d, 8), round(f.lower / n.d, 8), round(f.upper / n.d, 8)
    FROM crm.target t
    CROSS JOIN LATERAL (SELECT * FROM pg_temp.figure(t, 'year', '2025-01-01')) n
    CROSS JOIN LATERAL (
      SELECT array_agg(y.before + y.august * 20 / 31 ORDER BY y.year DESC) AS so_far, array_agg(y.before ORDER BY y.year DESC) AS at_month, array_agg(y.total ORDER BY y.year DESC) AS total
      FROM (SELECT extract(year FROM s.period_start) AS year, sum(s.numerator) AS total, coalesce(sum(s.numerator) FILTER (WHERE extract(month FROM s.period_start) < 8), 0) AS before,
                   coalesce(sum(s.numerator) FILTER (WHERE extract(month FROM s.period_start) = 8), 0) AS august
            FROM shown s WHERE s.code = t.code AND s.org_id = 1 AND s.grain = 'month' AND s.period_start < '2025-01-01' AND extract(year FROM s.period_start) > extract(year FROM (SELECT g.first_day - 1 FROM crm.generation g WHERE g.state = 'current'))
            GROUP BY 1) y) p
    CROSS JOIN LATERAL crm.forecast_total(n.n, p.so_far, p.total, p.at_month) f
    WHERE t.code = 'complaints_per_10k' AND t.grain = 'year' AND t.org_id = 1 AND t.channel_id IS NULL AND t.kind IS NULL AND f.forecast / n.d > 1$$, 'complaints to come are foretold by past years, beyond one for each of the denominator');
SELECT is_empty($$SELECT FROM crm_bi.target t WHERE t.code = 'complaints_per_10k' AND t.grain = 'year' AND t.org_id = 1 AND t.channel IS NULL AND t.kind IS NULL HAVING count(t.forecast_upper) <> 1$$, 'there is one');
SELECT is_empty($$SELECT * FROM crm_bi.target t WHERE t.direction <> CASE WHEN t.code ~ '^(complaint|recycle)' THEN 'at_most' ELSE 'at_least' END$$, 'complaints and recycling are to be few');
SELECT is_empty($$SELECT t.code FROM crm_bi.target t WHERE t.is_complete AND t.status <> CASE WHEN t.actual IS NULL THEN 'unknown' WHEN (t.actual - t.target) * CASE t.direction WHEN 'at_most' THEN -1 ELSE 1 END >= 0 THEN 'reached' ELSE 'missed' END$$, 'what is over is reached or missed');
CREATE TEMP TABLE over ON COMMIT DROP AS
SELECT t.*, EXISTS (SELECT FROM shown s WHERE s.code = t.code AND s.class = t.class AND s.org_id = t.org_id AND s.grain = t.grain AND s.period_start = t.period_start AND (t.kind IS NULL OR s.kind = t.kind)
                                          AND (t.channel IS NULL OR s.channel = t.channel) AND s.code = 'development' AND NOT s.is_complete) AS is_open
FROM crm_bi.target t WHERE t.period_end <= '2025-08-20';
SELECT is_empty('SELECT * FROM over WHERE is_complete = is_open', 'a target is complete when the period and every window is over');
SELECT is_empty($$SELECT * FROM over WHERE is_open AND status <> CASE WHEN actual >= target THEN 'reached' ELSE 'unknown' END$$, 'before it may be reached, but not missed');
SELECT set_eq('SELECT DISTINCT status FROM over WHERE is_open', '{reached,unknown}'::text[], 'there are both');
SELECT results_eq($$SELECT DISTINCT rule, split_by FROM crm_bi.target_sum WHERE code IN ('market_penetration', 'average_completeness') ORDER BY 1, 2$$,
  $$VALUES ('last', 'month'), ('last', 'quarter'), ('mean', 'channel'), ('mean', 'kind'), ('mean', 'unit')$$, 'a level of a year is that of its last month');
SELECT is_empty($$SELECT code FROM crm_bi.target_sum WHERE code IN (SELECT code FROM k) AND rule = 'sum'$$, 'rates do not add up');
SELECT is(crm_bi._target_value('frequency', 300, 2), 150::numeric, 'complaints may be more than one for each of the denominator');
SELECT is(crm_bi._target_value('rate', 3, 2), 1::numeric, 'which others are not');

-- closing ----------------------------------------------------------------------------------

SET LOCAL crm.as_of = '2025-12-31';
CALL crm.rebuild('2025-12-31', NULL);
SET LOCAL crm.actor = 'controller';
SELECT cmp_ok(crm.close_month('2025-09-01'), '>', 0::bigint, 'a month is closed');
SET LOCAL crm.as_of = '2025-09-30';
CREATE TEMP TABLE kept ON COMMIT DROP AS SELECT * FROM crm_bi.kpi_event e WHERE e.period_end = '2025-09-30';
RESET crm.as_of;
SET LOCAL crm.as_of = '2025-12-31';
SELECT pg_temp.same($$SELECT org_id, org_name, code, grain, period_start, class, channel, kind, numerator, denominator, value FROM crm_bi.kpi_version v WHERE v.code IN (SELECT k.code FROM k)$$,
  $$SELECT org_id, org_name, code, grain, period_start, class, channel, kind, numerator, denominator, value FROM kept WHERE code NOT IN ('development', 'referral_conversion')$$, 'and keeps the figures of events');
SELECT set_eq($$SELECT DISTINCT code FROM crm_bi.kpi_version WHERE code IN (SELECT k.code FROM k)$$, $$SELECT code FROM crm_bi.kpi_code WHERE shown_in = 'kpi_event' AND NOT goes_on$$, 'all that the period tells');
SELECT set_eq($$SELECT code FROM crm_bi.kpi_code WHERE goes_on$$, '{development,referral_conversion}'::text[], 'others go on');
SET LOCAL crm.actor = 'manager';
SELECT is(crm.publish_month('2025-09-01'), 1, 'published');
DELETE FROM crm.service_case WHERE customer_id % 4 = 0;
SET LOCAL crm.actor = 'controller';
SELECT is(crm.restate_month('2025-09-01', 'cases were entered twice'), (
  WITH now AS (SELECT e.* FROM crm_bi.kpi_event e WHERE e.period_end = '2025-09-30' AND e.code ~ '^complaint')
  SELECT count(*) FROM (SELECT * FROM kept WHERE code ~ '^complaint') a FULL JOIN now b USING (kpi_key)
  WHERE (a.numerator, a.denominator) IS DISTINCT FROM (b.numerator, b.denominator)), 'restated in the complaints alone');
SELECT set_eq('SELECT DISTINCT code FROM crm_bi.kpi_restated', '{complaints_per_10k,complaint_share,complaint_share_by_staff}'::text[], 'which the differences tell');

-- scorecards -------------------------------------------------------------------------------

SELECT is(crm.define_scorecard('events', $${"name": "Events", "name_zh": "事件", "subject": "unit", "grain": "month", "indicators": [
  {"kpi": "complaints_per_10k", "weight": 20, "floor": 9000, "target": 100}, {"kpi": "complaint_share", "class": "delay", "weight": 20, "floor": 1, "target": 0.1},
  {"kpi": "complaint_share_by_staff", "class": "of5", "weight": 10, "floor": 1, "target": 0.1}, {"kpi": "development", "class": "first", "weight": 20, "floor": 0, "target": 1},
  {"kpi": "average_completeness", "weight": 20, "floor": 0, "target": 1}, {"measure": "satisfaction", "weight": 10, "floor": 60, "target": 90}]}$$), 1, 'figures of events make a scorecard');
SELECT is((SELECT string_agg(direction, ',' ORDER BY nth) FROM crm.scorecard_indicator WHERE scorecard = 'events' AND kpi IS NOT NULL), 'at_most,at_most,at_most,at_least,at_least', 'of which complaints are to be few');
CREATE TEMP TABLE goal (id bigint, org_id bigint, month date) ON COMMIT DROP;
GRANT INSERT, SELECT ON goal TO crm_test_pool;
SELECT is(pg_temp.as('of1', format($$INSERT INTO goal SELECT crm.set_goal('events', NULL, %s, '%s'), %1$s, '%2$s' RETURNING 'set'$$, o, m)), 'set', 'goal of ' || o || ' for ' || m)
FROM (VALUES (2), (3)) u (o), unnest('{2025-09-01,2025-11-01}'::text[]) m;
SELECT is(pg_temp.as('of' || org_id, format('SELECT crm.sign_goal(%s)', id)), '', 'signed') FROM goal;
DELETE FROM crm.completeness_cell WHERE month = '2025-11-01';
DELETE FROM crm.completeness_month WHERE month = '2025-11-01';
-- what is published counts, otherwise what is shown
SELECT pg_temp.same($$SELECT goal_id, indicator, numerator, denominator FROM crm.scorecard_actuals() WHERE indicator <> 'satisfaction'$$,
  $$SELECT g.id, i.code, coalesce(sum(e.numerator) FILTER (WHERE e.code = i.code), 0),
           CASE WHEN i.code ~ '^complaint_share' THEN sum(e.numerator) FILTER (WHERE e.code = 'complaints_per_10k') ELSE coalesce(sum(e.denominator), 0) END
    FROM goal g CROSS JOIN (VALUES ('complaints_per_10k', NULL), ('complaint_share', 'delay'), ('complaint_share_by_staff', 'of5'), ('development', 'first'), ('average_completeness', NULL)) i (code, class)
    LEFT JOIN (SELECT true AS published, x.* FROM kept x UNION ALL SELECT false, y.* FROM crm_bi.kpi_event y) e
      ON e.org_id = g.org_id AND e.grain = 'month' AND e.period_start = g.month AND (e.code = i.code AND e.class IS NOT DISTINCT FROM i.class OR i.code ~ '^complaint_share' AND e.code = 'complaints_per_10k') AND e.published = (g.month = '2025-09-01' AND i.code <> 'development')
    GROUP BY g.id, i.code$$, 'scorecards count them');
SELECT is_empty($$SELECT * FROM crm_bi.scorecard_part p WHERE p.indicator = 'complaint_share_by_staff' AND (p.actual, p.points) IS DISTINCT FROM (CASE WHEN p.denominator > 0 THEN 0 END, CASE WHEN p.denominator > 0 THEN 10 END)$$,
  'of complaints about others a share of none, of no complaints no share');
SELECT set_eq($$SELECT DISTINCT p.denominator > 0 FROM crm_bi.scorecard_part p WHERE p.indicator = 'complaint_share_by_staff'$$, '{t,f}'::boolean[], 'there are both');
SELECT set_eq($$SELECT DISTINCT p.period_start, p.actual IS NULL AS unknown, p.points IS NULL AS nothing FROM crm_bi.scorecard_part p JOIN goal g ON g.id = p.goal_id WHERE p.indicator = 'average_completeness'$$,
  $$VALUES (date '2025-09-01', false, false), ('2025-11-01', true, true)$$, 'a rate of which nothing is recorded is not known, and earns nothing');
SELECT is_empty('SELECT * FROM crm.check()', 'all is well');
SELECT * FROM finish();
ROLLBACK;
