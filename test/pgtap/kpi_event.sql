-- The figures of events: random books by the oracle, wrong definitions that show, customers behind the numbers, by hand, refusals.
\set ON_ERROR_STOP on
\ir ../oracle/oracle.sql
\ir ../oracle/random_book.sql
\ir ../oracle/event.sql
SET client_min_messages = warning;
SELECT no_plan();
\ir include/helpers.sql

-- random books ---------------------------------------------------------------------

CREATE PROCEDURE pg_temp.events(seed bigint) LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO crm.prospect (customer_id, id, source, entered_on, introduced_by)
  SELECT c.id, j, CASE j WHEN 1 THEN 'referral' ELSE 'activity' END, oracle.rnd_day(seed, 'introduced', c.id, '2015-01-01', '2018-12-31') + (j - 1) * oracle.rnd(seed, 'again', c.id, 40)::integer,
         CASE WHEN j < 3 THEN (SELECT o.id FROM crm.customer o WHERE o.id <> c.id ORDER BY hashint8extended(o.id / 40, seed + c.id / 4), o.id LIMIT 1) END
  FROM crm.customer c, generate_series(1, 3) j WHERE oracle.rnd(seed, 'whether', c.id * 4 + j, 3) = 0;
  INSERT INTO crm.addressable_population (org_id, year, kind, n)
  SELECT o.id, y, k, oracle.rnd(seed, k, o.id * 10000 + y, 1000) FROM crm.organisation o, generate_series(2015, 2017) y, unnest('{person,company}'::text[]) k
  WHERE oracle.rnd(seed, k || 'whether', o.id * 10000 + y, 3) > 0 AND (k = 'person' OR y < 2016);
  INSERT INTO crm.staff (id, code, name, org_id, channel_id, joined_on) SELECT i, 'F' || i, 'Staff ' || i, 101 + i, 1, '2010-01-01' FROM generate_series(1, 4) i;
  -- the last month is recorded after the day asked for
  INSERT INTO crm.completeness_month (month, day)
  SELECT m::date, CASE WHEN m = '2018-06-01' THEN '2018-06-20' ELSE m::date + oracle.rnd(seed, 'recorded', extract(epoch FROM m)::bigint, 28)::integer END
  FROM generate_series(timestamp '2015-03-01', '2018-06-01', '1 month') m WHERE m = '2018-06-01' OR oracle.rnd(seed, 'is recorded', extract(epoch FROM m)::bigint, 4) > 0;
  INSERT INTO crm.completeness_cell (month, org_id, channel_id, kind, tier, customers, complete, score_sum, points, weight)
  SELECT x.month, x.org_id, x.channel_id, x.kind, x.tier, x.n, x.n / 3, x.n * (1 + x.r) / 8.0 / 7, x.n * x.r, x.n * 7
  FROM (SELECT m.month, o.id AS org_id, h.id AS channel_id, k.kind, t.tier, 1 + oracle.rnd(seed, k.kind || t.tier || m.month, o.id * 9 + h.id, 50) AS n, oracle.rnd(seed, t.tier || k.kind || m.month, o.id * 9 + h.id, 7) AS r
        FROM crm.completeness_month m, crm.organisation o, crm.channel h, unnest('{person,company}'::text[]) k (kind), unnest('{none,gold}'::text[]) t (tier)
        WHERE oracle.rnd(seed, 'cell' || k.kind || t.tier || m.month, o.id * 9 + h.id, 3) = 0) x;
  -- about midnight of the business time zone, too
  INSERT INTO crm.service_case (customer_id, id, kind, category, intake, staff_id, cause, opened_at)
  SELECT c.id, j, oracle.pick(seed, 'case', c.id * 9 + j, '{complaint,complaint,complaint,service}'::text[]), oracle.pick(seed, 'category', c.id * 9 + j, '{mis_selling,delay,claim,other}'::text[]), 'phone',
         oracle.pick(seed, 'about', c.id * 9 + j, '{1,2,3,4,NULL}'::bigint[]), CASE j WHEN 1 THEN 'cause' END,
         oracle.rnd_day(seed, 'complained', c.id * 9 + j, '2015-01-01', '2018-12-31')::timestamp AT TIME ZONE 'Asia/Shanghai' + oracle.rnd(seed, 'hour', c.id * 9 + j, 3) * interval '11 hours 59 minutes 59 seconds'
  FROM crm.customer c, generate_series(1, 4) j WHERE oracle.rnd(seed, 'complains', c.id * 9 + j, 3) = 0;
  -- one after another, some narrowed, some at midnight of the business time zone
  INSERT INTO crm.holding (customer_id, channel_id, org_id, staff_id, held_from, held_to, start_cause, end_cause, ended_by, rule)
  SELECT h.id, 1, CASE WHEN h.j > 1 THEN 102 END, NULL, h.held_from, CASE WHEN NOT h.open THEN h.held_to END, oracle.pick(seed, 'started', h.id * 9 + h.j, '{allocation,allocation,claim}'::text[]),
         CASE WHEN NOT h.open THEN oracle.pick(seed, 'ended', h.id * 9 + h.j, '{recycle,recycle,release,narrowing}'::text[]) END, CASE WHEN NOT h.open THEN 'x' END, crm.setting_value('recycle_rule')::crm.recycle_rule
  FROM (SELECT c.id, j, d.at + j * interval '200 days' AS held_from,
               d.at + j * interval '200 days' + oracle.rnd(seed, 'held', c.id * 9 + j, 200) * interval '1 day' AS held_to, j = 5 AND oracle.rnd(seed, 'open', c.id, 2) = 0 AS open
        FROM crm.customer c, generate_series(1, 5) j,
             LATERAL (SELECT (date '2014-08-01' + oracle.rnd(seed, 'held from', c.id, 400)::integer)::timestamp AT TIME ZONE 'Asia/Shanghai' - oracle.rnd(seed, 'instant', c.id, 2) * interval '1 microsecond' AS at) d
        WHERE oracle.rnd(seed, 'is held', c.id, 2) = 0 AND oracle.rnd(seed, 'again', c.id * 9 + j, 4) > 0) h ORDER BY h.id, h.j;
  UPDATE crm.holding h SET end_cause = 'release'
  WHERE h.end_cause = 'narrowing' AND NOT EXISTS (SELECT FROM crm.holding x WHERE x.customer_id = h.customer_id AND (x.held_from, x.id) > (h.held_from, h.id));
  UPDATE crm.holding h SET held_to = (SELECT min(x.held_from) FROM crm.holding x WHERE x.customer_id = h.customer_id AND x.held_from > h.held_from) WHERE h.end_cause = 'narrowing';
  INSERT INTO crm.setting (name, value, valid_from) VALUES ('development_days', '200', '2016-03-01');
END
$$;
CALL oracle.random_book(7, 120, '2015-01-01', '2018-12-31');
CALL pg_temp.events(7);
CALL crm.rebuild('2018-06-10');
VACUUM ANALYZE;
SET jit = off;
SET crm.as_of = '2018-06-10';
SELECT oracle.build('2018-06-10');
SELECT is_empty($$SELECT * FROM oracle.event_differences('2018-06-10') LIMIT 20$$, 'every figure of a random book is what the oracle says');
SELECT set_eq('SELECT k.code FROM crm_bi.kpi_code k WHERE k.shown_in = ''kpi_event'' EXCEPT SELECT DISTINCT s.code FROM e_shown s', '{}'::text[], 'which has all of them');
SELECT is_empty($$SELECT kpi_key FROM e_shown GROUP BY relation, kpi_key HAVING count(*) > 1 OR kpi_key IS NULL$$, 'keys are keys');
SELECT is_empty($$SELECT * FROM e_shown k JOIN crm_bi.kpi_code c USING (code) WHERE k.value IS DISTINCT FROM k.numerator / nullif(k.denominator, 0)
                    OR (k.class IS NULL) <> (c.dimension IS NULL) OR k.class_key IS DISTINCT FROM c.dimension || '/' || k.class$$, 'value and class say what they should');
SELECT is_empty($$(SELECT a.attname, a.atttypid::regtype, a.attnum FROM pg_attribute a WHERE a.attrelid = 'crm_bi.kpi'::regclass AND a.attnum > 0)
                  EXCEPT SELECT a.attname, a.atttypid::regtype, a.attnum FROM pg_attribute a WHERE a.attrelid = 'crm_bi.kpi_event'::regclass$$, 'the columns are those of crm_bi.kpi');
SELECT is_empty($$(SELECT DISTINCT 'kpi_event', s.code FROM e_shown s UNION SELECT DISTINCT 'kpi', k.code FROM crm_bi.kpi k WHERE k.grain = 'year')
                  EXCEPT SELECT k.shown_in, k.code FROM crm_bi.kpi_code k$$, 'each figure is in the one view that crm_bi.kpi_code tells');

-- wrong definitions ------------------------------------------------------------------

SELECT cmp_ok(m.differences, '>', 0::bigint, m.code || ': ' || m.name) FROM oracle.event_mutations_seen('2018-06-10') m;
SELECT set_eq('SELECT DISTINCT code FROM oracle.event_mutation', 'SELECT code FROM crm_bi.kpi_code WHERE shown_in = ''kpi_event''', 'each figure has a wrong definition');

-- customers behind the numbers ---------------------------------------------------------

SELECT is_empty($$
  SELECT * FROM (
    SELECT k.kpi_key, x.part, CASE x.part WHEN 'numerator' THEN k.numerator ELSE trim_scale(k.denominator * CASE k.code WHEN 'complaints_per_10k' THEN 10000 ELSE 1 END) END AS number,
           (SELECT coalesce(sum(c.n), 0) FROM crm.kpi_contributions(k.code, k.grain, k.period_start, k.org_id, k.channel, k.kind, x.part, k.class) c) AS found,
           (SELECT count(*) - count(DISTINCT m.customer_id) FROM crm.kpi_members(k.code, k.grain, k.period_start, k.org_id, k.channel, k.kind, x.part, k.class) m) AS twice
    FROM (SELECT k.*, row_number() OVER (PARTITION BY k.code, k.grain ORDER BY md5(k.kpi_key)) AS nth FROM e_shown k WHERE k.relation = 'kpi_event') k
    CROSS JOIN (VALUES ('numerator'), ('denominator')) x (part)
    WHERE k.nth <= 5 AND (k.code <> 'market_penetration' OR x.part = 'numerator') AND k.code <> 'average_completeness') n
  WHERE n.found <> n.number OR n.twice <> 0$$, 'the customers behind a number are as many as it says');
SELECT is_empty($$
  SELECT * FROM (
    SELECT k.kpi_key, k.numerator, (SELECT coalesce(sum(c.n), 0) FROM crm.kpi_contributions(k.code, k.grain, k.period_start, k.org_id, k.channel, k.kind, 'numerator', k.class, true) c) AS found
    FROM (SELECT k.*, row_number() OVER (PARTITION BY k.code ORDER BY md5(k.kpi_key)) AS nth FROM e_shown k WHERE k.relation = 'kpi_event_own' AND k.code <> 'average_completeness') k WHERE k.nth <= 8) n
  WHERE n.found <> n.numerator$$, 'of the unit itself, too');
SELECT is((SELECT count(*) FROM crm.kpi_members('referral_conversion', 'year', '2017-01-01', 101, part => 'denominator')),
          (SELECT sum(k.denominator)::bigint FROM crm_bi.kpi_event k WHERE k.code = 'referral_conversion' AND k.grain = 'year' AND k.period_start = '2017-01-01' AND k.org_id = 101),
          'channel and kind may be left out');
SELECT is_empty($$SELECT FROM crm.kpi_members('referral_rate', 'year', '2019-01-01', 101) UNION ALL SELECT FROM crm.kpi_members('market_penetration', 'year', '2018-01-01', 101)$$,
                'nobody before the period begins, nor where there is no number');
SELECT is(pg_temp.code_of(format('SELECT * FROM crm.kpi_members(%s)', b.args)), b.code, b.what)
FROM (VALUES ($$'referral_rate', NULL, '2017-01-01', 101$$, '22004', 'no grain'), ($$'referral_rate', 'week', '2017-01-01', 101$$, '22023', 'unknown grain'),
             ($$'referral_rate', 'year', '2017-01-02', 101$$, '22023', 'no first day'), ($$'referral_rate', 'year', '2017-01-01', 1$$, '23503', 'unknown unit'),
             ($$'referral_rate', 'year', '2017-01-01', 101, 'owl'$$, '22023', 'unknown channel'), ($$'referral_rate', 'year', '2017-01-01', 101, kind => 'dog'$$, '22023', 'unknown kind'),
             ($$'referral_rate', 'year', '2017-01-01', 101, part => 'come'$$, '22023', 'a part that it has not'), ($$'referral_rate', 'year', '2017-01-01', 101, part => NULL$$, '22004', 'no part'),
             ($$'referral_rate', 'year', '2017-01-01', 101, class => 'x'$$, '22023', 'a class of what has none'),
             ($$'complaint_share', 'year', '2017-01-01', 101, class => 'owls'$$, '22023', 'an unknown class'),
             ($$'market_penetration', 'year', '2017-01-01', 101, part => 'denominator'$$, '22023', 'a population has no customers'),
             ($$'market_penetration', 'year', '2017-01-01', 101, 'individual'$$, '22023', 'nor channels'),
             ($$'average_completeness', 'year', '2017-01-01', 101$$, '0A000', 'what is recorded in sums'), ($$'average_completeness', 'year', '2017-01-01', 101, part => 'come'$$, '22023', 'a part that it has not'),
             ($$'referral_rat', 'year', '2017-01-01', 101$$, '22023', 'unknown figure')) b (args, code, what);

-- an earlier day, and exact at commit ---------------------------------------------------

SET crm.as_of = '2016-10-31';
DROP TABLE e_shown;
CALL crm.rebuild('2016-10-31');
VACUUM ANALYZE;
INSERT INTO crm.customer_organisation (customer_id, from_date, org_id) SELECT q.introduced_by, '2016-06-30', 112 FROM crm.prospect q WHERE q.introduced_by IS NOT NULL ON CONFLICT DO NOTHING;
UPDATE crm.policy SET channel_id = 2 WHERE customer_id % 4 = 0;
UPDATE crm.service_case SET category = 'data', staff_id = NULL WHERE id = 1;
DELETE FROM crm.service_case WHERE id = 4;
UPDATE crm.holding SET end_cause = 'release' WHERE end_cause = 'recycle' AND customer_id % 3 = 0;
DELETE FROM crm.prospect WHERE id = 2 AND customer_id % 2 = 0;
UPDATE crm.addressable_population SET n = n + 1 WHERE year = 2016;
SELECT oracle.build('2016-10-31');
SELECT is_empty($$SELECT * FROM oracle.event_differences('2016-10-31') LIMIT 20$$, 'as of another day, and changed in this moment');

-- the table people fill -------------------------------------------------------------------

SELECT is(pg_temp.code_of(format('INSERT INTO crm.addressable_population (org_id, year, kind, n) VALUES (%s)', b.row)), b.code, b.what)
FROM (VALUES ('101, 1899, ''person'', 1', '23514', 'a year before all'), ('101, 2200, ''person'', 1', '23514', 'a year after all'), ('101, 2018, ''dog'', 1', '23514', 'of dogs'),
             ('101, 2020, ''person'', -1', '23514', 'fewer than none'), ('1, 2020, ''person'', 1', '23503', 'of no unit'), ('101, 2020, ''person'', NULL', '23502', 'without a number')) b (row, code, what);
SELECT throws_ok($$INSERT INTO crm.addressable_population (org_id, year, kind, n) SELECT a.org_id, a.year, a.kind, 1 FROM crm.addressable_population a LIMIT 1$$, '23505', NULL, 'twice');
INSERT INTO crm.import_addressable_population (org_code, year, kind, n, note) VALUES
  ('u1', '2030', 'person', '1000', 'yearbook'), ('u1', '2030', 'company', '10', NULL), ('u1', '1030', 'person', '1', NULL), ('u1', '2031', 'person', '-1', NULL), ('zzz', '2030', 'person', '1', NULL), ('u1', '2032', 'person', 'many', NULL);
CALL crm.import('core') \gset
SELECT results_eq(format('SELECT r.column_name, r.code FROM crm.import_reason r WHERE r.batch_id = %s ORDER BY r.row_no', :batch_id), $$VALUES ('year', '22003'), ('n', '22003'), ('org_code', '23503'), ('n', '22P02')$$, 'bad rows of a file are told');
SELECT results_eq('SELECT kind, n, note FROM crm_bi.addressable_population WHERE org_id = 101 AND year >= 2030 ORDER BY n', $$VALUES ('company', 10, NULL), ('person', 1000, 'yearbook')$$, 'good ones are there');
SELECT is_empty('SELECT * FROM crm.check()', 'what must hold holds');
SELECT * FROM finish();
