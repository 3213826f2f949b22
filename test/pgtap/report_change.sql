-- What the monthly report says changed most, on a book made by hand where it is known: who lost most, which rates moved, what turned, and where nothing is to be said.
\set ON_ERROR_STOP on
\set QUIET on
BEGIN;
SELECT no_plan();
\ir include/helpers.sql
SET LOCAL client_min_messages = warning;

-- Three units of 300 customers each, insured since 2020. They leave by surrender: one in the North each month of 2025 up to May, in June 9 there and 11 in the South, in
-- July 50 of the South. Buyers of a further policy: 9 in May, 10 in June, 11 in July. In April 30 come new to the East, in May 40, in June 50; nobody in July.
INSERT INTO crm.organisation (id, parent_id, code, name) VALUES (1, NULL, 'c', 'Company'), (2, 1, 'n', 'North'), (3, 1, 's', 'South <b>&</b> {month}'), (4, 1, 'e', 'East'), (5, 1, 'x', 'Empty');
INSERT INTO crm.product (id, code, name, line) VALUES (1, 'L', 'Life', 'life');
INSERT INTO crm.customer (id, kind, name, org_id, source_channel_id, known_from)
SELECT i, 'person', 'Customer ' || i, 2 + i % 3, 1, date '2020-01-01' FROM generate_series(1, 900) i
UNION ALL SELECT i, 'person', 'Late ' || i, 4, 1, '2025-04-01' FROM generate_series(1001, 1120) i;
INSERT INTO crm.policy (customer_id, id, product_id, channel_id, issued_on, payment, premium, payments)
SELECT c.id, c.id, 1, 1, CASE WHEN c.id <= 900 THEN date '2020-01-15' WHEN c.id <= 1030 THEN '2025-04-10' WHEN c.id <= 1070 THEN '2025-05-10' ELSE '2025-06-10' END, 'yearly', 1000, 20 FROM crm.customer c;
INSERT INTO crm.policy (customer_id, id, product_id, channel_id, issued_on, payment, premium, payments)
SELECT 600 + i, 10000 + i, 1, 1, CASE WHEN i <= 9 THEN date '2025-05-05' WHEN i <= 19 THEN '2025-06-05' ELSE '2025-07-05' END, 'yearly', 1000, 20 FROM generate_series(1, 30) i;
INSERT INTO crm.policy_event (customer_id, policy_id, id, kind, on_date, reason)
SELECT c, c, 1, 'end', day, 'surrender'
FROM (SELECT 3 * i AS c, make_date(2025, i, 20) AS day FROM generate_series(1, 5) i
      UNION ALL SELECT 3 * i, '2025-06-20' FROM generate_series(6, 14) i
      UNION ALL SELECT 3 * i + 1, '2025-06-20' FROM generate_series(101, 111) i
      UNION ALL SELECT 3 * i + 1, '2025-07-20' FROM generate_series(121, 170) i) e;
CALL crm.rebuild('2025-08-05', batch => NULL);

CREATE TEMP TABLE page AS
SELECT d.day, l.language, xmlparse(document crm.report(d.day, 1, l.language)) AS doc FROM unnest('{2025-05-31,2025-06-30,2025-07-31,2025-08-05}'::date[]) d (day), unnest('{en,zh}'::text[]) l (language);
CREATE FUNCTION pg_temp.said(day date, id text, language text DEFAULT 'en') RETURNS text LANGUAGE sql AS $$
  SELECT (xpath(format('string(//li[@id="change-%s"])', id), p.doc))[1]::text FROM page p WHERE p.day = said.day AND p.language = said.language
$$;

-- the whole and its units ----------------------------------------------------------

SELECT is(pg_temp.said('2025-07-31', 'total'), 'Insured customers fell by 50 (-5.0%) in July 2025, from 995 to 945: 0 gained, 0 won back, 50 churned, net ±0 by moves.', 'what the month did to the whole');
SELECT is(pg_temp.said('2025-07-31', 'year'), 'Over twelve months insured customers rose by 45 (+5.0%), from 900 at the end of July 2024 to 945.', 'and the year');
SELECT is(pg_temp.said('2025-07-31', 'total', 'zh'), '2025年7月有效客户由995降至945，减少50（-5.0%）：新增0，赢回0，流失50，转移净额±0。', 'in Chinese as well');
SELECT is(pg_temp.said('2025-06-30', 'total'), 'Insured customers rose by 30 (+3.1%) in June 2025, from 965 to 995: 50 gained, 0 won back, 20 churned, net ±0 by moves.', 'a month of growth');
SELECT is(pg_temp.said('2025-07-31', 'unit-down-3'),
          'Of 3 units South &lt;b&gt;&amp;&lt;/b&gt; {month} lost most: insured customers fell by 50 (-17.3%) to 239, with 0 gained, 0 won back, 50 churned and net ±0 by moves. On its own this moved the whole by -5.0 pp.',
          'the unit that lost most; a name is not looked into for places');
SELECT is(pg_temp.said('2025-06-30', 'unit-up-4') LIKE 'Of 3 units East gained most: insured customers rose by 50 %', true, 'the unit that gained most');
SELECT is(pg_temp.said('2025-06-30', 'unit-down-3') LIKE 'Of 3 units South % lost most: insured customers fell by 11 %', true, 'and of two that lost the one that lost more');
SELECT is((SELECT count(*) FROM page p, unnest(xpath('//li[starts-with(@id, "change-unit-") or starts-with(@id, "change-channel-")]/@id', p.doc)) i WHERE p.language = 'en' AND p.day = '2025-07-31'), 1::bigint, 'nobody else, and no channel where there is but one');

-- turns ------------------------------------------------------------------------------

SELECT is(pg_temp.said('2025-07-31', 'turn-insured'), 'Insured customers declined in July 2025, by 50 to 945, after 3 months of growth in a row.', 'a turn after three months');
SELECT is(pg_temp.said('2025-06-30', 'turn-insured'), '', 'none where it goes on');
SELECT is((SELECT (xpath('string(//li[@id="change-turn-insured"])', xmlparse(document crm.report('2025-04-30', 1))))[1]::text), 'Insured customers grew again in April 2025, by 29 to 926, after 3 months of decline in a row.', 'a turn for the better');

-- rates ------------------------------------------------------------------------------

SELECT is(pg_temp.said('2025-07-31', 'rate-before-total_churn') ~ '^Total churn rose to 5\.0% in July 2025 \(50 of 995\), after 2\.1% in June 2025 \(20 of 965\): \+3\.0 pp, more than chance explains \(\+0\.\d\d pp to \+\d\.\d pp\)\.$', true, 'a jump that chance does not explain');
SELECT is(pg_temp.said('2025-06-30', 'rate-before-total_churn') <> '', true, '20 of 965 after 1 of 926 is one, too');
SELECT is(pg_temp.said('2025-07-31', 'rate-before-repeat_purchase'), '', '11 buyers after 10 are not');
SELECT is(pg_temp.said('2025-05-31', 'rate-before-total_churn'), '', '1 who left after 1 is not');
SELECT ok(pg_temp.said('2025-07-31', 'rate-unit-total_churn-3') LIKE 'South % stands out: its Total churn of twelve months is %', 'the unit whose churn stands out');
SELECT is(pg_temp.said('2025-07-31', 'rate-unit-repeat_purchase-3'), '', 'and where nothing does nothing is said');

-- by another way: the test of two proportions with pooled variance, at 5 % divided by the comparisons that the notes name
CREATE FUNCTION pg_temp.z(n float8, d float8, m float8, e float8) RETURNS float8 LANGUAGE sql AS $$
  SELECT (n / d - m / e) / sqrt((n + m) / (d + e) * (1 - (n + m) / (d + e)) * (1 / d + 1 / e))
$$;
SELECT ok(abs(pg_temp.z(50, 995, 20, 965)) > 3.4 AND abs(pg_temp.z(11, 945, 10, 975)) < 1, 'the classical test agrees');
-- a difference that alone would be beyond chance, and is not among as many as there are
SELECT ok((SELECT u.lower > 0 FROM crm.uplift(22, 600, 10, 600) u), '22 of 600 after 10 of 600: alone beyond chance');
CREATE FUNCTION pg_temp.moved(family integer) RETURNS bigint LANGUAGE sql AS $$
  SELECT count(*) FILTER (WHERE m.code = 'c1')
  FROM (SELECT ('en', '{}', (SELECT jsonb_agg(jsonb_build_object('code', 'c' || i, 'nature', 'rate')) FROM generate_series(1, family) i), '[]', '2025-07-01', '2025-07-31', 1, 'Unit')::crm._report_frame AS frame,
               ARRAY(SELECT (NULL, 'month', make_date(2025, 6 + k, 1), 'c' || i, NULL, NULL, CASE WHEN i > 1 OR k = 0 THEN 10 ELSE 22 END, 600)::crm._report_figure FROM generate_series(1, family) i, generate_series(0, 1) k) AS totals) x,
       LATERAL crm._report_moved(x.frame, x.totals, '{}') m
$$;
SELECT is(ARRAY[pg_temp.moved(1), pg_temp.moved(12)], '{1,0}', 'among twelve comparisons it is not said');

-- how often chance alone speaks: of 400 reports of 40 comparisons each in which nothing differs at most about one in twenty says anything
SELECT setseed(0.4);
CREATE FUNCTION pg_temp.draw(n integer, p float8) RETURNS integer LANGUAGE sql VOLATILE AS 'SELECT count(*) FILTER (WHERE random() < p)::integer FROM generate_series(1, n)';
CREATE TEMP TABLE drawn AS SELECT r, i, k, pg_temp.draw(400, 0.1) AS n FROM generate_series(1, 150) r, generate_series(1, 20) i, generate_series(0, 1) k;
SELECT cmp_ok((SELECT count(*) FROM (
  SELECT ('en', '{}', (SELECT jsonb_agg(jsonb_build_object('code', 'c' || i, 'nature', 'rate')) FROM generate_series(1, 20) i), '[]', '2025-07-01', '2025-07-31', 1, 'Unit')::crm._report_frame AS frame,
         array_agg((NULL, 'month', make_date(2025, 6 + d.k, 1), 'c' || d.i, NULL, NULL, d.n, 400)::crm._report_figure) AS totals
  FROM drawn d GROUP BY d.r) x WHERE EXISTS (SELECT FROM crm._report_moved(x.frame, x.totals, '{}'))), '<=', 15::bigint, 'where nothing differs hardly a report in twenty says so');

-- nothing to say ---------------------------------------------------------------------

SELECT is((SELECT array_agg(i::text) FROM unnest(xpath('//section[@id="changes"]//li/@id', xmlparse(document crm.report('2024-06-30', 1)))) i), NULL, 'where nothing changed nothing is said');
SELECT is((xpath('string(//section[@id="changes"]/p)', xmlparse(document crm.report('2024-06-30', 1))))[1]::text, 'Nothing changed that the figures could tell from chance.', 'but this');
SELECT matches(crm.report('2025-07-31', 5), 'id="no-figures"', 'a unit without customers has a page that says so');

-- holdings and targets that speak
INSERT INTO crm.staff (id, code, name, org_id, channel_id, joined_on) VALUES (1, 'a', 'Agent', 2, 1, '2020-01-01');
INSERT INTO crm.holding (customer_id, channel_id, org_id, staff_id, held_from, held_to, start_cause, end_cause, ended_by, rule)
SELECT i, 1, 2, 1, '2025-06-01', CASE WHEN i < 8 THEN timestamptz '2025-07-31 15:59:59.999999Z' WHEN i < 10 THEN '2025-06-30 15:59:59Z' WHEN i < 12 THEN '2025-07-31 16:00:00Z' END, 'claim',
       CASE WHEN i < 12 THEN 'recycle' END, CASE WHEN i < 12 THEN 'test' END, CASE WHEN i < 6 THEN 'first contact within 7 days' ELSE 'at most 66 days' END::crm.recycle_rule FROM generate_series(1, 14) i;
INSERT INTO crm.target (org_id, code, grain, period_start, value) VALUES (1, 'plan_customers', 'year', '2025-01-01', 2000), (1, 'insured', 'month', '2025-07-01', 940), (1, 'insured', 'quarter', '2025-04-01', 990);
-- held by the channel alone; exempt beyond the fortnight, within it, and past it
INSERT INTO crm.holding (customer_id, channel_id, org_id, staff_id, held_from, start_cause, rule, exempt_until)
SELECT i, 1, CASE WHEN i > 20 THEN 2 END, CASE WHEN i > 20 THEN 1 END, '2025-06-01', 'allocation', CASE i WHEN 20 THEN 'never' ELSE 'at most 30 days' END::crm.recycle_rule, CASE i WHEN 21 THEN date '2025-09-30' WHEN 22 THEN '2025-08-10' WHEN 23 THEN '2025-07-20' END FROM generate_series(20, 23) i;
CREATE TEMP TABLE later AS SELECT xmlparse(document crm.report('2025-08-05', 1)) AS doc;
SELECT is((SELECT (xpath('string(//li[@id="change-recycled"])', doc))[1]::text FROM later), '7 customers went back to the pool in July 2025 (2 the month before), most of them for this cause: no first contact in time (5).', 'recycled in the month, by the calendar of the business');
SELECT is((SELECT array_agg((xpath(format('string(//div[@id="holding-%s"]//data/@value)', i), doc))[1]::text ORDER BY o) FROM later, unnest('{held,begun,recycled,released,due,overdue}'::text[]) WITH ORDINALITY u (i, o)), '{7,0,7,0,4,1}', 'held, given out, recycled, given back, due, overdue');
SELECT is((xpath('string(//div[@id="holding-held"]//data/@value)', xmlparse(document crm.report('2025-08-05', 2))))[1]::text, '6', 'whom a channel holds without a unit is held by the topmost one');
SELECT is((SELECT (xpath('string(//li[starts-with(@id, "change-target-")][1])', doc))[1]::text ~ '^Plan population for 2025 is (at risk|off track): 945 so far against a target of 2,000' FROM later), true, 'a target that falls behind');
SELECT is((SELECT array_agg(l::text) FROM later, unnest(xpath('//li[starts-with(@id, "change-target-")]/text()', doc)) l WHERE l::text LIKE 'Insured%'), '{"Insured customers reached its target for July 2025: 945 against 940."}', 'one that was reached; that of an earlier quarter is past');
SELECT is((SELECT (xpath('string(//li[starts-with(@id, "change-target-")][1])', xmlparse(document crm.report('2025-08-05', 1, 'zh'))))[1]::text ~ '^2025年股份长险投保客户数(有风险|严重落后)：目前945，目标2,000'), true, 'in Chinese');

SELECT * FROM finish();
ROLLBACK;
