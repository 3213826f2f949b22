-- Targets: the forecast against R and by simulation, the report against loops over the figures, a five-year plan from one file, warnings, bad rows, rights.
\set ON_ERROR_STOP on
\set QUIET on
BEGIN;
SELECT no_plan();
\ir include/helpers.sql
SET LOCAL client_min_messages = warning;

-- the forecast -------------------------------------------------------------------

-- R: l <- log(t / s); exp(mean(l)), with qt(.9, 3) * sqrt(var(log(t / a)) * 5 / 4) around it
SELECT is((SELECT format('%s %s %s %s', periods, round(forecast, 6), round(lower, 6), round(upper, 6)) FROM crm.forecast_total(59, '{40,45,50,38}', '{70,72,90,66}', '{30,36,41,30}')), '4 101.484503 90.310111 114.041543', 'as R computes it');
SELECT is((SELECT format('%s %s', round(lower, 6), round(upper, 6)) FROM crm.forecast_total(59, '{40,45,50,38}', '{70,72,90,66}', level => 0.95)), '84.753781 121.517935', 'at another level, with the spread from the same point');
SELECT is((SELECT (periods, round(forecast, 6)) FROM crm.forecast_total(59, '{40,0,45,50,NULL,38,1,-2,NaN,Infinity}', '{70,5,72,90,9,66,NULL,3,2,4}')), (4, 101.484503), 'periods without positive values do not count');
SELECT is((SELECT (periods, round(forecast, 6), lower, upper) FROM crm.forecast_total(10, '{1,2,3}', '{2,4,6}')), (3, 20.000000, NULL::numeric, NULL::numeric), 'no interval where nothing varies');
SELECT is(f.f, NULL, f.a) FROM (VALUES
  ('fewer than three periods', (SELECT forecast FROM crm.forecast_total(10, '{1,2}', '{2,5}'))), ('none at all', (SELECT forecast FROM crm.forecast_total(10, NULL, NULL))),
  ('nothing so far', (SELECT forecast FROM crm.forecast_total(0, '{1,2,3}', '{2,5,6}'))), ('below nothing', (SELECT forecast FROM crm.forecast_total(-1, '{1,2,3}', '{2,5,6}'))),
  ('unknown so far', (SELECT forecast FROM crm.forecast_total(NULL, '{1,2,3}', '{2,5,6}'))), ('NaN so far', (SELECT forecast FROM crm.forecast_total('NaN', '{1,2,3}', '{2,5,6}'))),
  ('arrays of different length', (SELECT forecast FROM crm.forecast_total(3, '{1,2,3}', '{2,5}')))) f (a, f);
SELECT pg_temp.refused(format('SELECT crm.forecast_total(1, ''{1,2,3}'', ''{2,5,7}'', level => %s)', l), '22023', 'level', 'level ' || l) FROM unnest('{0,1,-1,2,''''NaN''''}'::text[]) u (l0), LATERAL (SELECT replace(l0, '''''', '''')) x (l);

-- how often the interval holds the outcome: factors that vary as assumed, counts of a seasonal year after seven months, a balance that drifts
SELECT setseed(0.61);
CREATE FUNCTION pg_temp.normal() RETURNS float8 LANGUAGE sql VOLATILE AS 'SELECT sqrt(-2 * ln(1 - random())) * cos(2 * pi() * random())';
CREATE FUNCTION pg_temp.held(process text, years integer) RETURNS numeric LANGUAGE plpgsql AS $$
DECLARE
  so_far numeric[];
  total numeric[];
  holds integer := 0;
  f record;
  level float8;
  c float8;
  s float8;
BEGIN
  FOR run IN 1 .. 700 LOOP
    so_far := '{}'; total := '{}';
    level := 40;
    FOR y IN 0 .. years LOOP
      s := 0; c := 0;
      IF process = 'factor' THEN
        s := 100 + 900 * random();
        c := s * exp(0.3 + 0.1 * pg_temp.normal());
      ELSE
        IF process = 'count' THEN
          level := 30 + 60 * random();
        END IF;
        FOR m IN 0 .. 11 LOOP
          IF process = 'count' THEN
            c := c + greatest(round(level * (1 + 0.5 * sin(m)) + sqrt(level * (1 + 0.5 * sin(m))) * pg_temp.normal()), 0);
          ELSE
            level := level * exp(0.004 + 0.01 * pg_temp.normal());
            c := level;
          END IF;
          IF m = 6 THEN
            s := c;
          END IF;
        END LOOP;
      END IF;
      so_far := so_far || s::numeric; total := total || c::numeric;
    END LOOP;
    SELECT * INTO f FROM crm.forecast_total(so_far[years + 1], so_far[:years], total[:years]);
    holds := holds + (total[years + 1] >= f.lower AND total[years + 1] <= f.upper)::integer;
  END LOOP;
  RETURN round(holds / 700.0, 3);
END
$$;
SELECT ok(h >= 0.76 AND h <= 0.84, format('80 of 100 intervals hold the outcome: %s after %s years of %s', h, y, p))
FROM (VALUES ('factor', 3), ('count', 6), ('drift', 5)) v (p, y) CROSS JOIN LATERAL pg_temp.held(p, y) h;

-- the report ---------------------------------------------------------------------

CALL crm.generate(customers => 1500, seed => 9, units => '{2,4,8}', as_of => '2025-12-31');
SET crm.as_of = '2025-08-20';
CALL crm.rebuild('2025-08-20', batch => NULL);
SELECT is_empty('SELECT * FROM crm_bi.target', 'no targets, no rows');
INSERT INTO crm.target (org_id, channel_id, code, class, grain, period_start, value)
SELECT o, h, k.code, CASE k.code WHEN 'activity' THEN 'dormant' END, g, date_trunc(g, '2025-08-20'::timestamp), k.value
FROM unnest('{1,2}'::bigint[]) o, unnest('{NULL,1}'::bigint[]) h, unnest('{year,quarter,month}'::text[]) g,
     (VALUES ('new_customers', 70), ('plan_customers', 700), ('repeat_purchase', 0.06), ('total_churn', 0.05), ('insured_growth', 0.04), ('activity', 300)) k (code, value);

-- numbers by hand: what the figure was in a month or period, over channels and kinds
CREATE FUNCTION pg_temp.figure(t crm.target, of_grain text, start date, OUT n numeric, OUT d numeric) LANGUAGE sql AS $$
  SELECT coalesce(sum(k.numerator), 0), sum(k.denominator) FROM crm_bi.kpi k LEFT JOIN crm.channel h ON h.id = t.channel_id
  WHERE k.code = t.code AND k.org_id = t.org_id AND k.grain = of_grain AND k.period_start = start AND k.channel = coalesce(h.code, k.channel) AND coalesce(k.class, '') = coalesce(t.class, '')
$$;
CREATE FUNCTION pg_temp.by_hand(t crm.target, today date, OUT id bigint, OUT actual numeric, OUT last_actual numeric, OUT expected numeric, OUT needed numeric, OUT forecast numeric, OUT lower numeric, OUT upper numeric, OUT periods integer)
LANGUAGE plpgsql AS $$
DECLARE
  span integer := CASE t.grain WHEN 'month' THEN 1 WHEN 'quarter' THEN 3 ELSE 12 END;
  rate boolean := t.code IN ('repeat_purchase', 'total_churn', 'insured_growth');
  flow boolean := t.code IN ('repeat_purchase', 'total_churn', 'new_customers');
  f record;
  m record;
  start date;
  cursor_day date;
  so_far numeric;
  at_month numeric;
  total numeric;
  value numeric;
  part numeric;
  logs numeric[] := '{}';
  spreads numeric[] := '{}';
  days numeric := (t.period_start + make_interval(months => span))::date - t.period_start;
  mean numeric;
  margin float8;
BEGIN
  id := t.id;
  SELECT * INTO f FROM pg_temp.figure(t, t.grain, (t.period_start - make_interval(months => span))::date);
  last_actual := CASE WHEN rate THEN f.n / nullif(f.d, 0) ELSE f.n END;
  SELECT * INTO f FROM pg_temp.figure(t, t.grain, t.period_start);
  actual := CASE WHEN rate THEN f.n / nullif(f.d, 0) ELSE f.n END;
  expected := CASE WHEN rate OR flow THEN 0 ELSE last_actual END;
  expected := expected + (t.value - expected) * ((today + 1 - t.period_start) / days);
  needed := CASE WHEN rate THEN t.value * f.d - f.n ELSE t.value - f.n END;
  FOR back IN 1 .. 10 LOOP
    start := t.period_start - make_interval(years => back);
    CONTINUE WHEN start < (SELECT g.first_day FROM crm.generation g WHERE g.state = 'current');
    SELECT * INTO m FROM pg_temp.figure(t, 'month', (start - interval '1 month')::date);
    value := CASE WHEN flow THEN 0 WHEN rate THEN m.n + m.d ELSE m.n END;
    at_month := NULL; so_far := NULL;
    cursor_day := start;
    WHILE cursor_day < start + make_interval(months => span) LOOP
      IF extract(month FROM cursor_day) = extract(month FROM today) THEN
        at_month := value;
      END IF;
      SELECT * INTO m FROM pg_temp.figure(t, 'month', cursor_day);
      total := CASE WHEN flow THEN value + m.n WHEN rate THEN m.n + m.d ELSE m.n END;
      IF extract(month FROM cursor_day) = extract(month FROM today) THEN
        part := extract(day FROM today) / extract(day FROM date_trunc('month', today) + interval '1 month - 1 day');
        so_far := value + part * (total - value);
      END IF;
      value := total;
      cursor_day := cursor_day + interval '1 month';
    END LOOP;
    IF at_month > 0 AND so_far > 0 AND value > 0 THEN
      logs := logs || ln(value / so_far);
      spreads := spreads || ln(value / at_month);
    END IF;
  END LOOP;
  IF cardinality(logs) >= 3 AND (CASE WHEN rate AND NOT flow THEN f.n + f.d ELSE f.n END) > 0 THEN
    periods := cardinality(logs);
    SELECT avg(x) INTO mean FROM unnest(logs) x;
    -- R: qt(.9, 2:9)
    SELECT ('{1.885618083,1.637744354,1.533206274,1.475884049,1.439755747,1.414923928,1.396815310,1.383028738}'::float8[])[periods - 2] * sqrt(var_samp(x) * (1 + 1.0 / periods)) INTO margin FROM unnest(spreads) x;
    forecast := exp(mean); lower := exp(mean - margin::numeric); upper := exp(mean + margin::numeric);
    IF flow AND rate THEN
      forecast := least(actual * forecast, 1); lower := least(actual * lower, 1); upper := least(actual * upper, 1);
    ELSIF rate THEN
      forecast := (1 + actual) * forecast - 1; lower := (1 + actual) * lower - 1; upper := (1 + actual) * upper - 1;
    ELSE
      forecast := actual * forecast; lower := actual * lower; upper := actual * upper;
    END IF;
  END IF;
END
$$;
SELECT pg_temp.same('SELECT target_id, round(actual, 6), round(last_actual, 6), round(expected, 4), round(needed, 4), round(forecast, 4), round(forecast_lower, 3), round(forecast_upper, 3), forecast_periods FROM crm_bi.target',
  'SELECT h.id, round(h.actual, 6), round(h.last_actual, 6), round(h.expected, 4), round(h.needed, 4), round(h.forecast, 4), round(h.lower, 3), round(h.upper, 3), h.periods FROM crm.target t CROSS JOIN LATERAL pg_temp.by_hand(t, ''2025-08-20'') h',
  'every number of every figure, unit, channel and grain is that of a loop over the figures');
SELECT ok(count(*) = 72 AND count(forecast) >= 50 AND count(*) FILTER (WHERE forecast IS NULL) >= 8, 'with a forecast for most, none for a month of turnover') FROM crm_bi.target;
SELECT is_empty('SELECT * FROM crm_bi.target WHERE NOT (forecast_lower <= forecast AND forecast <= forecast_upper)', 'which lies within its interval');
SELECT is((SELECT array_agg(DISTINCT direction ORDER BY direction) FROM crm_bi.target WHERE code IN ('activity', 'total_churn')), '{at_most}', 'losses are to stay below');
SELECT is_empty($$SELECT * FROM crm_bi.target t WHERE status <> CASE
    WHEN direction = 'at_least' AND forecast_upper < target OR direction = 'at_most' AND forecast_lower > target THEN 'off_track'
    WHEN forecast IS NOT NULL AND (direction = 'at_least' AND forecast < target OR direction = 'at_most' AND forecast > target) THEN 'at_risk'
    WHEN forecast IS NULL AND (direction = 'at_least' AND actual < expected OR direction = 'at_most' AND actual > expected) THEN 'at_risk' ELSE 'on_track' END
  OR warning <> (status IN ('at_risk', 'off_track')) OR gap <> actual - target OR round(attainment - actual / target, 12) <> 0$$, 'the warning goes by the interval, without a forecast by the time gone');
SELECT is((SELECT array_agg(DISTINCT status ORDER BY status) FROM crm_bi.target), '{at_risk,off_track,on_track}', 'each of them occurs');
SELECT is_empty($$SELECT * FROM crm_bi.target WHERE code = 'plan_customers' AND round(actual * power(1 + needed_growth_per_month, CASE grain WHEN 'month' THEN 1 WHEN 'quarter' THEN 3 ELSE 12 END * (1 - time_gone)), 3) <> target
  OR round(needed_per_month * CASE grain WHEN 'month' THEN 1 WHEN 'quarter' THEN 3 ELSE 12 END * (1 - time_gone) - needed, 6) <> 0$$, 'what is needed each month leads to the target');
SELECT is((SELECT round(time_gone, 6) FROM crm_bi.target WHERE target_id = (SELECT min(target_id) FROM crm_bi.target WHERE grain = 'year')), round((31 + 28 + 31 + 30 + 31 + 30 + 31 + 20) / 365.0, 6), 'time gone counts days, today among them');

-- periods that are over, to come, or beyond the book
CREATE TEMP TABLE year AS SELECT (pg_temp.figure(t, 'year', '2024-01-01')).n AS n FROM crm.target t WHERE code = 'new_customers' AND org_id = 1 AND channel_id IS NULL AND grain = 'year';
INSERT INTO crm.target (org_id, code, grain, period_start, value, direction)
SELECT 1, 'new_customers', 'year', v.d, v.n, v.way FROM year, LATERAL (VALUES ('2024-01-01'::date, n, NULL), ('2023-01-01', 100000, NULL), ('2022-01-01', 100000, 'at_most'), ('2026-01-01', 1, NULL), ('1950-01-01', 1, NULL)) v (d, n, way);
SELECT results_eq('SELECT period_start, status, forecast = actual, warning, actual IS NULL FROM crm_bi.target WHERE grain = ''year'' AND org_id = 1 AND code = ''new_customers'' AND channel IS NULL AND period_start <> ''2025-01-01'' ORDER BY 1',
  $$VALUES ('1950-01-01'::date, 'unknown', NULL::boolean, false, true), ('2022-01-01', 'reached', true, false, false), ('2023-01-01', 'missed', true, false, false), ('2024-01-01', 'reached', true, false, false), ('2026-01-01', 'not_begun', NULL, false, true)$$,
  'reached to the customer, missed, not begun, and before the book');
SET crm.as_of = '2025-08-01';
SELECT is((SELECT array_agg(DISTINCT status ORDER BY status) FROM crm_bi.target WHERE period_start >= '2025-01-01'), '{not_begun,unknown}', 'what the figures do not show is not taken for nothing');
SET crm.as_of = '2025-08-20';
DELETE FROM crm.target;

-- growths of what happened, and averages
INSERT INTO crm.target (org_id, code, grain, period_start, value) VALUES (1, 'new_customers', 'year', '2025-01-01', 50), (1, 'new_customer_growth_yoy', 'year', '2025-01-01', 0.1), (1, 'premium_per_customer', 'year', '2025-01-01', 20000);
SELECT is((SELECT format('%s %s %s', round(g.actual, 6) = round(n.actual / k.d - 1, 6), round(g.forecast, 6) = round(n.forecast / k.d - 1, 6), round(g.expected, 6) = round(1.1 * g.time_gone - 1, 6))
           FROM crm_bi.target g, crm_bi.target n, (SELECT sum(x.numerator) AS d FROM crm_bi.kpi x WHERE x.code = 'new_customers' AND x.org_id = 1 AND x.grain = 'year' AND x.period_start = '2024-01-01') k
           WHERE g.code = 'new_customer_growth_yoy' AND n.code = 'new_customers'), 't t t', 'the growth of new customers goes by the new customers');
SELECT is((SELECT format('%s %s', round(t.actual, 6) = round(k.v, 6), t.forecast BETWEEN k.v / 2 AND k.v * 2)
           FROM crm_bi.target t, (SELECT sum(x.numerator) / sum(x.denominator) AS v FROM crm_bi.kpi x WHERE x.code = 'premium_per_customer' AND x.org_id = 1 AND x.grain = 'month' AND x.period_start = '2025-08-01') k
           WHERE t.code = 'premium_per_customer'), 't t', 'an average may be above 1');
DELETE FROM crm.target;

-- a five-year plan from one file ---------------------------------------------------

SELECT code AS top FROM crm.organisation WHERE id = 1 \gset
CREATE FUNCTION pg_temp.file() RETURNS void LANGUAGE sql AS $$
  INSERT INTO crm.import_target (source_key, org_code, code, grain, period_start, value, purpose, label, note)
  SELECT split_part(l, ',', 1), (SELECT o.code FROM crm.organisation o WHERE o.id = 1), split_part(l, ',', 2), 'year', split_part(l, ',', 3), split_part(l, ',', 4), nullif(split_part(l, ',', 5), ''), nullif(split_part(l, ',', 6), ''), nullif(split_part(l, ',', 7), '')
  FROM regexp_split_to_table('c12,plan_customers,2012-01-01,1096000,base
c13,plan_customers,2013-01-01,1151000,,,active individual-channel customers; group legacy
c14,plan_customers,2014-01-01,1208000
c15,plan_customers,2015-01-01,1269000
c16,plan_customers,2016-01-01,1332000
c17,plan_customers,2017-01-01,1399000
r12,repeat_purchase,2012-01-01,5.53%,base
r13,repeat_purchase,2013-01-01,6%
r14,repeat_purchase,2014-01-01,6.5%
r15,repeat_purchase,2015-01-01,0.07
r16,repeat_purchase,2016-01-01,7 %
r17,repeat_purchase,2017-01-01,7％
b1,repeat_purchase,2012-01-01,5.10%,benchmark,system mean,group statistics
b2,repeat_purchase,2012-01-01,8.15%,benchmark,system best
b3,plan_growth,2012-01-01,4.35%,benchmark,system mean', E'\n') l
$$;
SELECT pg_temp.file();
SELECT results_eq('SELECT action, count(*) FROM crm.import_preview(''planning'') GROUP BY 1', $$VALUES ('insert', 15::bigint)$$, 'a dry run tells what would go in');
SELECT is_empty('SELECT * FROM crm.target', 'and puts nothing in');
CALL crm.import('planning') \gset
SELECT results_eq('SELECT read, inserted, updated, unchanged, rejected FROM crm.import_batch_kind ORDER BY batch_id DESC LIMIT 1', 'VALUES (15::bigint, 15::bigint, 0::bigint, 0::bigint, 0::bigint)', 'one file, fifteen rows');
CREATE TEMP TABLE first_load AS SELECT t.*, t.xmin AS version FROM crm.target t;
SELECT pg_temp.file();
CALL crm.import('planning') \gset
SELECT results_eq('SELECT unchanged, rejected FROM crm.import_batch_kind ORDER BY batch_id DESC LIMIT 1', 'VALUES (15::bigint, 0::bigint)', 'the same file again changes nothing');
SELECT pg_temp.same('SELECT t.*, t.xmin AS version FROM crm.target t', 'SELECT * FROM first_load', 'and touches nothing');
SELECT results_eq($$SELECT extract(year FROM period_start)::integer, target, round(planned_growth, 4) FROM crm_bi.target WHERE code = 'plan_customers' ORDER BY 1$$,
  $$VALUES (2013, 1151000.000000, 0.0502), (2014, 1208000, 0.0495), (2015, 1269000, 0.0505), (2016, 1332000, 0.0496), (2017, 1399000, 0.0503)$$, 'five per cent a year');
SELECT results_eq($$SELECT target FROM crm_bi.target WHERE code = 'repeat_purchase' ORDER BY period_start$$, 'VALUES (0.060000), (0.065), (0.07), (0.07), (0.07)', 'percentages are fractions');
SELECT results_eq($$SELECT b.label, b.benchmark, b.target_gap, b.actual_gap = b.actual - b.benchmark, b.note FROM crm_bi.target_benchmark b JOIN crm_bi.target t USING (target_id) WHERE t.period_start = '2017-01-01' ORDER BY 1$$,
  $$VALUES ('system best', 0.081500, -0.011500, true, NULL), ('system mean', 0.051, 0.019, true, 'group statistics')$$, 'beside what others reach');
SELECT is_empty($$SELECT t.target_id FROM crm_bi.target t LEFT JOIN (SELECT target_id, count(*) AS n FROM crm_bi.target_benchmark GROUP BY 1) b USING (target_id) WHERE coalesce(b.n, 0) <> CASE t.code WHEN 'repeat_purchase' THEN 2 ELSE 0 END$$, 'each once');
INSERT INTO crm.target (org_id, code, grain, period_start, value, purpose, label) VALUES (2, 'repeat_purchase', 'year', '2012-01-01', 0.04, 'benchmark', 'system mean'), (1, 'repeat_purchase', 'year', '2016-01-01', 0.052, 'benchmark', 'system mean'), (1, 'repeat_purchase', 'year', '2018-01-01', 0.9, 'benchmark', 'system mean');
INSERT INTO crm.target (org_id, code, grain, period_start, value) VALUES (2, 'repeat_purchase', 'year', '2017-01-01', 0.05);
SELECT results_eq($$SELECT t.org_id, t.period_start, b.benchmark FROM crm_bi.target_benchmark b JOIN crm_bi.target t USING (target_id) WHERE b.label = 'system mean' AND t.period_start >= '2015-01-01' ORDER BY 1, 2$$,
  $$VALUES (1::bigint, '2015-01-01'::date, 0.051000), (1, '2016-01-01', 0.052), (1, '2017-01-01', 0.052), (2, '2017-01-01', 0.04)$$, 'of a label the nearest unit, then the latest, none of later');
SELECT is((SELECT format('%s %s', t.last_actual = (SELECT (pg_temp.figure(x, 'year', '2012-01-01')).n FROM crm.target x WHERE x.id = t.target_id), round(t.needed_growth, 6) = round(t.target / t.last_actual - 1, 6))
           FROM crm_bi.target t WHERE t.code = 'plan_customers' AND t.period_start = '2013-01-01'), 't t', 'where the book tells the year before it goes before the base');
UPDATE crm.target SET period_start = period_start - interval '100 years' WHERE purpose <> 'benchmark';
SELECT is((SELECT round(needed_growth, 4) FROM crm_bi.target WHERE code = 'plan_customers' AND period_start = '1913-01-01'), 0.0502, 'where it does not the base counts');

INSERT INTO crm.target (org_id, code, grain, period_start, value, purpose) VALUES (1, 'new_customers', 'year', '2025-01-01', 50, 'base'), (1, 'new_customers', 'year', '2025-01-01', 40, 'target'), (1, 'new_customers', 'year', '2026-01-01', 60, 'target'),
  (1, 'plan_customers', 'quarter', '2025-10-01', 900, 'target'), (1, 'plan_customers', 'quarter', '2026-01-01', 900, 'target');
SELECT results_eq($$SELECT code, period_start, status, last_actual = (SELECT (pg_temp.figure(x, 'month', '2025-08-01')).n FROM crm.target x WHERE x.id = t.target_id), round(planned_growth, 4), round(needed_growth, 4) = round(target / last_actual - 1, 4)
                     FROM crm_bi.target t WHERE period_start >= '2025-10-01' ORDER BY 1, 2$$,
  $$VALUES ('new_customers', '2026-01-01'::date, 'not_begun', false, 0.5000, true), ('plan_customers', '2025-10-01', 'not_begun', true, NULL, true), ('plan_customers', '2026-01-01', 'not_begun', NULL, 0.0000, NULL)$$,
  'of a period to come the last actual is a balance as it stands, else the base, never a turnover cut short');
DELETE FROM crm.target WHERE period_start >= '2025-01-01';

-- bad rows -----------------------------------------------------------------------

INSERT INTO crm.import_target (source_key, org_code, channel_code, code, class, grain, period_start, value, purpose, label, direction)
SELECT v.key, coalesce(v.org, :'top'), v.channel, coalesce(v.code, 'insured'), v.class, coalesce(v.grain, 'year'), coalesce(v.start, '2027-01-01'), v.value, v.purpose, v.label, v.way
FROM (VALUES ('x01', 'nowhere', NULL, NULL, NULL, NULL, NULL, '1', NULL, NULL, NULL), ('x02', NULL, 'smoke', NULL, NULL, NULL, NULL, '1', NULL, NULL, NULL), ('x03', NULL, NULL, 'luck', NULL, NULL, NULL, '1', NULL, NULL, NULL),
             ('x04', NULL, NULL, NULL, 'gold', NULL, NULL, '1', NULL, NULL, NULL), ('x05', NULL, NULL, 'tier', NULL, NULL, NULL, '1', NULL, NULL, NULL), ('x06', NULL, NULL, 'tier', 'tin', NULL, NULL, '1', NULL, NULL, NULL),
             ('x07', NULL, NULL, NULL, NULL, 'week', NULL, '1', NULL, NULL, NULL), ('x08', NULL, NULL, NULL, NULL, NULL, '2027-02-01', '1', NULL, NULL, NULL), ('x09', NULL, NULL, NULL, NULL, 'quarter', '2027-02-01', '1', NULL, NULL, NULL),
             ('x10', NULL, NULL, NULL, NULL, 'month', '2027-02-02', '1', NULL, NULL, NULL), ('x11', NULL, NULL, NULL, NULL, NULL, '2027-02-30', '1', NULL, NULL, NULL), ('x12', NULL, NULL, NULL, NULL, NULL, NULL, '1,000', NULL, NULL, NULL),
             ('x13', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL), ('x14', NULL, NULL, NULL, NULL, NULL, NULL, '-1', NULL, NULL, NULL), ('x15', NULL, NULL, 'repeat_purchase', NULL, NULL, NULL, '6.5', NULL, NULL, NULL),
             ('x16', NULL, NULL, 'insured_growth', NULL, NULL, NULL, '-101%', NULL, NULL, NULL), ('x17', NULL, NULL, NULL, NULL, NULL, NULL, 'NaN', NULL, NULL, NULL), ('x18', NULL, NULL, NULL, NULL, NULL, NULL, '1e3', NULL, NULL, NULL),
             ('x19', NULL, NULL, NULL, NULL, NULL, NULL, '1', 'wish', NULL, NULL), ('x20', NULL, NULL, NULL, NULL, NULL, NULL, '1', 'benchmark', NULL, NULL), ('x21', NULL, NULL, NULL, NULL, NULL, NULL, '1', NULL, 'mean', NULL),
             ('x22', NULL, NULL, NULL, NULL, NULL, NULL, '1', NULL, NULL, 'about'), ('x23', NULL, NULL, 'coverage', 'lost', NULL, NULL, '1', NULL, NULL, NULL), ('x24', NULL, NULL, NULL, NULL, NULL, NULL, '0.0000001', NULL, NULL, NULL),
             ('ok1', NULL, NULL, 'insured_growth', NULL, NULL, NULL, '-5.25%', NULL, NULL, NULL), ('ok2', NULL, 'individual', 'tier', 'gold', 'quarter', '2027-04-01', '12', NULL, NULL, 'at_most'),
             ('ok3', NULL, NULL, NULL, NULL, NULL, NULL, '5', NULL, NULL, NULL), ('x25', NULL, NULL, NULL, NULL, NULL, NULL, '6', NULL, NULL, NULL)) v (key, org, channel, code, class, grain, start, value, purpose, label, way);
CALL crm.import('planning') \gset
SELECT results_eq('SELECT source_key, column_name, code FROM crm.import_reject j JOIN crm.import_reason r USING (batch_id, kind, row_no) WHERE kind = ''target'' ORDER BY 1',
  $$VALUES ('x01', 'org_code', '23503'), ('x02', 'channel_code', '23503'), ('x03', 'code', '23503'), ('x04', 'class', '23514'), ('x05', 'class', '23514'), ('x06', 'class', '23503'), ('x07', 'grain', '22P02'),
           ('x08', 'period_start', '23514'), ('x09', 'period_start', '23514'), ('x10', 'period_start', '23514'), ('x11', 'period_start', '22008'), ('x12', 'value', '22P02'), ('x13', 'value', '23502'), ('x14', 'value', '22003'),
           ('x15', 'value', '22003'), ('x16', 'value', '22003'), ('x17', 'value', '22P02'), ('x18', 'value', '22P02'), ('x19', 'purpose', '22P02'), ('x20', 'label', '23514'), ('x21', 'label', '23514'), ('x22', 'direction', '22P02'),
           ('x23', 'class', '23503'), ('x24', 'value', '22P02'), ('x25', 'source_key', '23505')$$, 'each bad row comes back with its column and reason');
SELECT matches(hint, '6\.5%', 'and what to write') FROM crm.import_reason WHERE row_no = 15 AND kind = 'target';
SELECT results_eq('SELECT k.source_key, t.value, t.direction FROM crm.target t JOIN crm.target_key k ON k.target_id = t.id WHERE k.source_key ~ ''^ok'' ORDER BY 1', $$VALUES ('ok1', -0.052500, NULL), ('ok2', 12, 'at_most'), ('ok3', 5, NULL)$$, 'the good ones are in');
UPDATE crm.import_reject SET correction = '{"value": "6.5%"}' WHERE source_key = 'x15';
SELECT is(crm.resubmit_import((SELECT max(batch_id) FROM crm.import_batch_kind), corrected_only => true), 1::bigint, 'one is mended');
CALL crm.import('planning') \gset
SELECT is((SELECT value FROM crm.target t JOIN crm.target_key k ON k.target_id = t.id WHERE k.source_key = 'x15'), 0.065, 'and goes in');

SELECT pg_temp.refused(format('INSERT INTO crm.target (org_id, code, class, grain, period_start, value, purpose, label) VALUES (%s)', v.row), v.code, v.words, v.row) FROM (VALUES
  ('1, ''luck'', NULL, ''year'', ''2028-01-01'', 1, DEFAULT, NULL', '23503', 'figure "luck" is not known'), ('1, ''insured'', ''x'', ''year'', ''2028-01-01'', 1, DEFAULT, NULL', '23514', 'not given by class'),
  ('1, ''vip_premium_share'', NULL, ''year'', ''2028-01-01'', 1.01, DEFAULT, NULL', '22003', 'out of range'), ('1, ''premium_per_customer'', NULL, ''year'', ''2028-01-01'', -0.01, DEFAULT, NULL', '22003', 'out of range'),
  ('1, ''new_customer_growth'', NULL, ''year'', ''2028-01-01'', -1.01, DEFAULT, NULL', '22003', 'out of range'), ('1, ''insured_by_role'', ''none'', ''year'', ''2028-01-01'', 1, DEFAULT, NULL', '23503', 'role "none"'),
  ('1, ''tier'', ''tin'', ''year'', ''2028-01-01'', 1, DEFAULT, NULL', '23503', 'tier "tin"'), ('1, ''repeat_purchase'', NULL, ''year'', ''2028-01-01'', 1.01, DEFAULT, NULL', '22003', 'out of range'),
  ('1, ''insured'', NULL, ''year'', ''2028-01-01'', ''NaN'', DEFAULT, NULL', '23514', 'target_value_check'), ('1, ''insured'', NULL, ''year'', ''2028-01-01'', ''Infinity'', DEFAULT, NULL', '22003', 'overflow'),
  ('1, ''insured'', NULL, ''trailing_12'', ''2028-01-01'', 1, DEFAULT, NULL', '23514', 'target_grain_check'), ('1, ''insured'', NULL, ''year'', ''2028-06-01'', 1, DEFAULT, NULL', '23514', 'target_period_check'),
  ('1, ''insured'', NULL, ''year'', ''infinity'', 1, DEFAULT, NULL', '23514|22008', ''), ('99, ''insured'', NULL, ''year'', ''2028-01-01'', 1, DEFAULT, NULL', '23503', 'target_org_id_fkey'),
  ('1, ''insured'', NULL, ''year'', ''2028-01-01'', 1, ''benchmark'', '' ''', '23514', 'label'), ('1, ''insured'', NULL, ''year'', ''2027-01-01'', 9, DEFAULT, NULL', '23505', 'target_cell_key')) v (row, code, words);
SELECT pg_temp.refused('UPDATE crm.target SET code = ''luck'' WHERE code = ''tier''', '23503', 'luck', 'nor by a change');

-- rights -------------------------------------------------------------------------

CREATE ROLE crm_test_analyst; CREATE ROLE crm_test_manager; CREATE ROLE crm_test_loader; CREATE ROLE crm_test_nobody;
CALL crm.grant_duty('analyst', 'crm_test_analyst'); CALL crm.grant_duty('manager', 'crm_test_manager'); CALL crm.grant_duty('loader', 'crm_test_loader');
SELECT results_eq($$SELECT pg_temp.by_login(r, s) COLLATE "default" FROM unnest('{crm_test_analyst,crm_test_manager,crm_test_loader,crm_test_nobody}'::name[]) WITH ORDINALITY u (r, n), unnest(ARRAY['SELECT count(*) > 0 FROM crm_bi.target', 'SELECT count(*) > 0 FROM crm_bi.target_benchmark',
    format('INSERT INTO crm.target (org_id, code, grain, period_start, value) VALUES (1, ''insured'', ''month'', ''2030-%s-01'', 5) RETURNING value', n), 'INSERT INTO crm.target (set_by) VALUES (''x'')', 'UPDATE crm.target SET value = 6 WHERE period_start >= ''2030-01-01''']) WITH ORDINALITY v (s, m) ORDER BY n, m$$,
  $$VALUES ('true'), ('true'), ('42501'), ('42501'), ('42501'), ('42501'), ('42501'), ('5.000000'), ('42501'), ('done'), ('42501'), ('42501'), ('42501'), ('42501'), ('42501'), ('42501'), ('42501'), ('42501'), ('42501'), ('42501')$$, 'analysts read, managers set, nobody else');
SELECT is((SELECT set_by FROM crm.target WHERE period_start >= '2030-01-01'), 'crm_test_manager', 'who set it is kept');
SELECT is_empty('SELECT * FROM crm.check()', 'all is well');
SELECT * FROM finish();
ROLLBACK;
