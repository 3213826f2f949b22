-- Scorecards: measures, points, scores, ranks and trends beside an independent computation; goals set and signed; who sees what; what is closed stays.
BEGIN;
SELECT no_plan();
\ir include/helpers.sql
SET LOCAL client_min_messages = warning;
SET LOCAL crm.posting = 'commit';
SELECT setseed(0.3);
CREATE ROLE crm_test_pool; CREATE ROLE crm_test_seller; CREATE ROLE crm_test_analyst;
CALL crm.grant_duty('sales', 'crm_test_pool'); CALL crm.grant_duty('manager', 'crm_test_pool'); CALL crm.grant_duty('controller', 'crm_test_pool');
CALL crm.grant_duty('sales', 'crm_test_seller'); CALL crm.grant_duty('analyst', 'crm_test_analyst');
SET LOCAL ROLE crm_owner;
CALL crm.grant_duty('pool', 'crm_test_pool');
RESET ROLE;

INSERT INTO crm.organisation (id, parent_id, code, name) VALUES (1, NULL, 'co', 'Company'), (2, 1, 'n', 'North'), (3, 1, 's', 'South'), (4, 2, 'n1', 'North one'), (5, 2, 'n2', 'North two'), (6, 3, 's1', 'South one');
INSERT INTO crm.staff (id, code, name, org_id, channel_id, joined_on, login) SELECT i, 's' || i, 'Staff ' || i, 4 + i % 3, 1, '2020-01-01', 'p' || i FROM generate_series(1, 9) i;
INSERT INTO crm.staff (id, code, name, org_id, channel_id, joined_on, left_on, login) VALUES
  (10, 'gone', 'Gone', 4, 1, '2020-01-01', '2024-01-01', 'gone'), (20, 'head', 'Head of North', 2, 1, '2020-01-01', NULL, 'north'), (21, 'chief', 'Chief', 1, 1, '2020-01-01', NULL, 'chief'), (22, 'south', 'Head of South', 3, 1, '2020-01-01', NULL, 'south');
INSERT INTO crm.position (staff_id, org_id, duty, from_date) VALUES (20, 2, 'manager', '2020-01-01'), (21, 1, 'manager', '2020-01-01'), (22, 3, 'manager', '2020-01-01');
INSERT INTO crm.product (id, code, name) VALUES (1, 'p', 'Product');
INSERT INTO crm.customer (id, kind, name, org_id, source_channel_id, known_from, created_at, created_by)
SELECT i, 'person', 'Customer ' || i, 4 + i % 3, 1, '2024-01-01', '2025-06-01'::timestamptz + i * interval '17 hours', CASE WHEN i % 4 = 0 THEN 'someone' ELSE 'p' || 1 + i % 9 END FROM generate_series(1, 300) i;
INSERT INTO crm.contact_point (customer_id, kind, value) SELECT i, 'email', 'c' || i || '@example.com' FROM generate_series(1, 300, 2) i;
INSERT INTO crm.policy (customer_id, id, product_id, channel_id, issued_on, premium, payment)
SELECT 1 + i % 300, i, 1, 1, '2024-06-01'::date + i * 13 % 500, round((random() * 90000)::numeric, 2), (ARRAY['yearly', 'single'])[1 + i % 2] FROM generate_series(1, 500) i;
UPDATE crm.policy SET matures_on = issued_on WHERE id % 50 = 0;
INSERT INTO crm.holding (customer_id, channel_id, org_id, staff_id, held_from, held_to, start_cause, end_cause, ended_by, rule)
SELECT c.id, 1, s.org_id, s.id, '2025-01-05'::timestamptz + c.id * interval '11 hours' + (k - 1) * interval '61 days', CASE WHEN k < 4 THEN '2025-01-05'::timestamptz + c.id * interval '11 hours' + k * interval '61 days' END,
       'transfer', CASE WHEN k < 4 THEN (ARRAY['recycle', 'transfer', 'release'])[1 + (c.id + k) % 3] END, CASE WHEN k < 4 THEN 'x' END, 'at most 3650 days'
FROM crm.customer c CROSS JOIN generate_series(1, 4) k JOIN crm.staff s ON s.id = 1 + (c.id * 7 + k * 5) % 9;
INSERT INTO crm.contact (customer_id, staff_id, channel_id, purpose, outcome, at)
SELECT 1 + i % 300, 1 + i % 9, 1, 'sales', 'reached', '2025-01-10'::timestamptz + random() * interval '360 days' FROM generate_series(1, 1500) i;
INSERT INTO crm.appointment (customer_id, staff_id, at, result)
SELECT 1 + i % 300, 1 + i % 9, '2025-01-10'::timestamptz + i * interval '17 hours', (ARRAY['kept', 'missed', 'moved', 'cancelled', NULL, 'kept'])[1 + i % 6] FROM generate_series(1, 480) i;
INSERT INTO crm.cycle (name, org_id, from_date, to_date) VALUES ('c', 1, '2025-01-01', '2025-12-31');
INSERT INTO crm.plan (cycle_id, name, weighing, strategy, level, state) SELECT id, 'p', 'net', 'even', 'staff', 'carried_out' FROM crm.cycle;
INSERT INTO crm.feedback (customer_id, plan_id, holding_id, staff_id, result, given_at)
SELECT h.customer_id, (SELECT max(id) FROM crm.plan), h.id, h.staff_id, (SELECT min(code) FROM crm.feedback_result), h.held_from + interval '1 day' FROM crm.holding h WHERE h.customer_id % 5 = 0;
SELECT ok(crm.post() > 0, 'posted');
CALL crm.rebuild('2025-12-31', NULL);
SET LOCAL crm.as_of = '2025-12-31';

-- definitions ---------------------------------------------------------------------------

CREATE FUNCTION pg_temp.card(indicators text, subject text DEFAULT 'staff', grain text DEFAULT 'month') RETURNS jsonb LANGUAGE sql AS $$
  SELECT format('{"name": "Card", "name_zh": "方案", "subject": "%s", "grain": "%s", "indicators": [%s]}', subject, grain, indicators)::jsonb
$$;
CREATE FUNCTION pg_temp.define(definition jsonb) RETURNS text LANGUAGE sql AS $$SELECT (pg_temp.told(format('SELECT crm.define_scorecard(''bad'', %L)', definition))).code || ': ' || regexp_replace((pg_temp.told(format('SELECT crm.define_scorecard(''bad'', %L)', definition))).message, '^.*defined: ', '')$$;
SELECT is(pg_temp.define(pg_temp.card(i, s, g)), '22023: ' || w, w) FROM (VALUES
  ('{"measure": "contacts", "weight": 100, "floor": 0, "target": 5}', 'staff', 'month', 'no indicator tells satisfaction'),
  ('{"measure": "satisfaction", "weight": 99.9, "floor": 0, "target": 5}', 'staff', 'month', 'weights make 99.9 and not 100'),
  ('{"measure": "satisfaction", "weight": 50, "floor": 0, "target": 5}, {"measure": "satisfaction", "weight": 50, "floor": 0, "target": 5}', 'staff', 'month', 'indicator "satisfaction" is there twice'),
  ('{"measure": "satisfaction", "weight": 100, "floor": 5, "target": 5}', 'staff', 'month', 'indicator 1: its floor must lie below its target'),
  ('{"measure": "satisfaction", "direction": "at_most", "weight": 100, "floor": 0, "target": 5}', 'staff', 'month', 'indicator 1: its floor must lie above its target'),
  ('{"measure": "satisfaction", "direction": "up", "weight": 100, "floor": 0, "target": 5}', 'staff', 'month', 'indicator 1: there is no direction "up"; it is at_least or at_most'),
  ('{"measure": "satisfaction", "weight": 100, "floor": 0, "target": 5, "cap": 0.5}', 'staff', 'month', 'indicator 1: its cap must be from 1 to 10'),
  ('{"measure": "satisfaction", "weight": 100, "floor": 0, "target": 1e13}', 'staff', 'month', 'indicator 1: floor and target are at most 1e12'),
  ('{"measure": "satisfaction", "weight": 100, "floor": 0}', 'staff', 'month', 'indicator 1 has no "target"'),
  ('{"measure": "satisfaction", "weight": "100", "floor": 0, "target": 5}', 'staff', 'month', '"weight" of indicator 1 is not a number; weights make 0 and not 100'),
  ('{"measure": "satisfaction", "weight": 50, "floor": 0, "target": 5}, {"measure": "; DROP TABLE x", "weight": 50, "floor": 0, "target": 5}', 'staff', 'month', '"measure" of indicator 2 is not a name of small letters, digits and underscores'),
  ('{"measure": "satisfaction", "weight": 50, "floor": 0, "target": 5}, {"measure": "nothing", "weight": 50, "floor": 0, "target": 5}', 'staff', 'month', 'indicator 2: there is no measure "nothing"'),
  ('{"measure": "satisfaction", "weight": 50, "floor": 0, "target": 5}, {"kpi": "insured", "weight": 50, "floor": 0, "target": 5}', 'staff', 'month', 'indicator 2: figures are of units'),
  ('{"measure": "satisfaction", "weight": 50, "floor": 0, "target": 5}, {"kpi": "nothing", "weight": 50, "floor": 0, "target": 5}', 'unit', 'month', 'indicator 2: there is no figure "nothing"'),
  ('{"measure": "satisfaction", "weight": 50, "floor": 0, "target": 5}, {"kpi": "tier", "weight": 50, "floor": 0, "target": 5}', 'unit', 'month', 'indicator 2: figure "tier" is given by class'),
  ('{"measure": "satisfaction", "weight": 50, "floor": 0, "target": 5}, {"kpi": "insured", "class": "x", "weight": 50, "floor": 0, "target": 5}', 'unit', 'month', 'indicator 2: figure "insured" is not given by class'),
  ('{"measure": "satisfaction", "weight": 50, "floor": 0, "target": 5}, {"measure": "assets_over_10000", "weight": 50, "floor": 0, "target": 5}', 'staff', 'month', 'indicator 2: measure "assets_over_10000" is not of staff'),
  ('{"measure": "satisfaction", "weight": 50, "floor": 0, "target": 5}, {"weight": 50, "floor": 0, "target": 5}', 'staff', 'month', 'indicator 2 needs a measure or a kpi, and not both'),
  ('{"measure": "satisfaction", "weight": 100, "floor": 0, "target": 5}', 'branch', 'week', 'there is no subject "branch"; it is staff or unit; there is no grain "week"; it is month, quarter or year')) v (i, s, g, w);
SELECT is(pg_temp.define('[]'), '22023: the scorecard is not an object', 'a scorecard is an object');
SELECT is(pg_temp.code_of($$SELECT crm.define_scorecard('Bad', '{}')$$), '22023', 'its code is a name');
SELECT is(pg_temp.code_of($$SELECT crm.define_scorecard(NULL, '{}')$$), '22004', 'which must be given');
SELECT is(crm.define_scorecard('seller', pg_temp.card($$
  {"measure": "held_customers", "weight": 5, "floor": 0, "target": 40}, {"measure": "contacts", "weight": 10, "floor": 2, "target": 14, "cap": 1.2}, {"measure": "contacted_share", "weight": 10, "floor": 0, "target": 0.3},
  {"measure": "appointments_kept", "weight": 5, "floor": 0, "target": 4}, {"measure": "appointments_kept_share", "weight": 5, "floor": 0.2, "target": 0.8}, {"measure": "purchases", "weight": 10, "floor": 0, "target": 5, "cap": 2},
  {"measure": "purchase_premium", "weight": 5, "floor": 1000, "target": 100000}, {"measure": "customers_entered", "weight": 5, "floor": 0, "target": 4}, {"measure": "completeness_of_new", "weight": 5, "floor": 0, "target": 0.5},
  {"measure": "holdings_recycled", "weight": 10, "floor": 0.5, "target": 0.01}, {"measure": "feedback_given", "weight": 5, "floor": 0, "target": 2}, {"measure": "held_over_10000", "weight": 3, "floor": 0, "target": 0.9},
  {"measure": "held_over_50000", "weight": 2, "floor": 0, "target": 0.4}, {"measure": "satisfaction", "indicator": "happy", "name": "Happy", "name_zh": "满意", "weight": 20, "floor": 60, "target": 90, "cap": 1.1}$$)), 1, 'a scorecard of staff');
SELECT is(crm.define_scorecard('outlet', pg_temp.card($$
  {"kpi": "total_churn", "weight": 30, "floor": 0.1, "target": 0.01, "cap": 1.2}, {"kpi": "coverage", "class": "insured", "weight": 20, "floor": 0, "target": 150}, {"measure": "contacts", "weight": 10, "floor": 0, "target": 200},
  {"measure": "holdings_recycled", "weight": 10, "floor": 0.5, "target": 0.01}, {"measure": "assets_over_10000", "weight": 10, "floor": 0, "target": 0.5}, {"measure": "satisfaction", "weight": 20, "floor": 60, "target": 90}$$, 'unit', 'quarter')), 1, 'one of units');
SELECT is(pg_temp.code_of($$SELECT crm.define_scorecard('seller', pg_temp.card('{"measure": "satisfaction", "weight": 100, "floor": 0, "target": 5}', 'staff', 'year'))$$), '22023', 'versions of a scorecard are of one grain');
SELECT results_eq($$SELECT indicator, name, name_zh, direction FROM crm_bi.scorecard_indicator WHERE indicator IN ('happy', 'holdings_recycled', 'total_churn') ORDER BY 1, scorecard$$,
  $$VALUES ('happy', 'Happy', '满意', 'at_least'), ('holdings_recycled', 'Holdings recycled', '持有回收率', 'at_most'), ('holdings_recycled', 'Holdings recycled', '持有回收率', 'at_most'), ('total_churn', 'Total churn', '客户总流失比率', 'at_most')$$, 'names and direction come with the measure');
SELECT is(pg_temp.code_of('UPDATE crm.scorecard_indicator SET weight = 1'), '55000', 'a version stands');

-- goals -----------------------------------------------------------------------------------

SELECT is(pg_temp.as(p, format('SELECT crm.set_goal(%s)', a)), w, d) FROM (VALUES
  ('north', $$NULL, 1, NULL, '2025-11-01'$$, '23502 scorecard of a goal must be given / Give each of them a value.', 'a scorecard must be given'),
  ('north', $$'none', 1, NULL, '2025-11-01'$$, '23503 there is no scorecard "none" / crm_bi.scorecard_indicator shows them.', 'and known'),
  ('north', $$'seller', NULL, 4, '2025-11-01'$$, '23514 scorecard "seller" is of a member of staff / Give staff_id, and NULL for the other.', 'staff have one, units another'),
  ('north', $$'outlet', 1, 4, '2025-10-01'$$, '23514 scorecard "outlet" is of a unit / Give org_id, and NULL for the other.', 'not both'),
  ('north', $$'seller', 999, NULL, '2025-11-01'$$, '23503 there is no member of staff "999" / crm_bi.staff shows them.', 'of staff there are'),
  ('chief', $$'outlet', NULL, 999, '2025-10-01'$$, '23503 there is no unit "999" / crm.organisation lists the units.', 'of units there are'),
  ('north', $$'seller', 3, NULL, '2025-11-02'$$, '23514 2025-11-02 is not the first day of a month / Give the first day of the period, from 1900 to 2199.', 'a period begins on its first day'),
  ('north', $$'seller', 10, NULL, '2025-11-01'$$, '23514 member of staff "10" is not in post in the period from 2025-11-01 / Goals are for who is in post on one day of the period at least.', 'who has left gets none'),
  ('north', $$'seller', 3, NULL, '2025-11-01', '[1]'$$, '22023 targets must be an object / Write {"contacts": 40, "satisfaction": {"floor": 70, "target": 90}}.', 'targets are an object'),
  ('north', $$'seller', 3, NULL, '2025-11-01', '{"nothing": 4}'$$, '22023 the goal cannot be set: there is no indicator "nothing" / crm_bi.scorecard_indicator shows the indicators with the floors and targets they start from.', 'of indicators there are'),
  ('north', $$'seller', 3, NULL, '2025-11-01', '{"contacts": "4"}'$$, '22023 the goal cannot be set: "contacts" must be a number, or an object of floor and target / crm_bi.scorecard_indicator shows the indicators with the floors and targets they start from.', 'in numbers'),
  ('north', $$'seller', 3, NULL, '2025-11-01', '{"contacts": 1}'$$, '22023 the goal cannot be set: the floor of "contacts" must lie below its target / crm_bi.scorecard_indicator shows the indicators with the floors and targets they start from.', 'above the floor'),
  ('north', $$'seller', 2, NULL, '2025-11-01'$$, '42501 "north" does not supervise member of staff 2 / That takes the duty manager in crm.position, at the unit of the person or above it, for a unit above it.', 'by their supervisor'),
  ('p3', $$'seller', 3, NULL, '2025-11-01'$$, '42501 "p3" may not set their own goals / The supervisor sets goals, the person signs them.', 'nobody sets their own'),
  ('p4', $$'seller', 3, NULL, '2025-11-01'$$, '42501 "p4" does not supervise member of staff 3 / That takes the duty manager in crm.position, at the unit of the person or above it, for a unit above it.', 'nor that of a colleague'),
  ('north', $$'outlet', NULL, 2, '2025-10-01'$$, '42501 "north" does not supervise unit 2 / That takes the duty manager in crm.position, at the unit of the person or above it, for a unit above it.', 'goals of a unit come from above')) v (p, a, w, d);
SELECT is_empty('SELECT FROM crm.scorecard_goal', 'nothing is left of that');
CREATE TEMP TABLE goal (id bigint, p text);
GRANT ALL ON goal TO crm_test_pool;
-- units 4, 5 belong to North (staff 3, 6, 9 and 1, 4, 7), 6 to South (2, 5, 8)
SELECT is(pg_temp.as(CASE WHEN i % 3 = 2 THEN 'south' ELSE 'north' END, format($$INSERT INTO goal SELECT crm.set_goal('seller', %s, NULL, '%s', '{"contacts": %s, "happy": {"floor": 50, "target": 80}}'), 'p%s' RETURNING 'set'$$, i, m, 8 + i, i)), 'set', 'goal of person ' || i || ' for ' || m)
FROM generate_series(1, 9) i, unnest('{2025-10-01,2025-11-01,2025-12-01}'::text[]) m;
SELECT is(pg_temp.as('chief', format($$INSERT INTO goal SELECT crm.set_goal('outlet', NULL, %s, '%s'), '%s' RETURNING 'set'$$, o, m, p)), 'set', 'goal of unit ' || o)
FROM (VALUES (2, 'north'), (3, 'south')) u (o, p), unnest('{2025-07-01,2025-10-01}'::text[]) m;
SELECT is_empty('SELECT FROM crm_bi.scorecard', 'what is not signed does not count');
SELECT is(pg_temp.as(p, format('SELECT crm.sign_goal(%s)', coalesce(g, '(SELECT min(id) FROM goal)'))), w, d) FROM (VALUES
  ('p2', NULL, '42501 goal ' || (SELECT min(id) FROM goal) || ' is not for "p2" to sign / The person whose goal it is signs it, of a unit who has the duty manager there.', 'somebody else signs nothing'),
  ('north', NULL, '42501 goal ' || (SELECT min(id) FROM goal) || ' is not for "north" to sign / The person whose goal it is signs it, of a unit who has the duty manager there.', 'the supervisor neither'),
  ('p1', '-1', '42704 there is no goal "-1" / crm.my_goals() lists those to be signed.', 'goals are known')) v (p, g, w, d);
SELECT is(pg_temp.as(p, format('SELECT crm.sign_goal(%s)', id)), '', 'signed by ' || p) FROM goal;
SELECT matches(pg_temp.as('p1', 'SELECT crm.sign_goal((SELECT min(id) FROM goal))'), '^55000 goal .* is signed', 'once');
SELECT results_eq($$SELECT DISTINCT state, set_by, signed_by FROM crm_bi.scorecard_goal WHERE staff_id = 3$$, $$VALUES ('signed', 'north', 'p3')$$, 'who set it and who signed it is told');

-- values entered
SELECT is(pg_temp.as('ctl', format('INSERT INTO crm.scorecard_value (measure, staff_id, org_id, grain, period_start, value, source) VALUES (%s) RETURNING %L', v, 'in')), w, d) FROM (VALUES
  ($$'contacts', 1, NULL, 'month', '2025-11-01', 5, 'x'$$, '23514 measure "contacts" is computed from the book / Only measures of source entered are entered.', 'what the book knows is not entered'),
  ($$'nothing', 1, NULL, 'month', '2025-11-01', 5, 'x'$$, '23503 there is no measure "nothing" / crm_bi.scorecard_measure lists the measures; a row of crm.scorecard_measure makes one more.', 'nor what is not known')) x (v, w, d);
SELECT is(left(pg_temp.as('ctl', format('INSERT INTO crm.scorecard_value (measure, staff_id, org_id, grain, period_start, value, source) VALUES (%s)', v)), 5), '23514', d) FROM (VALUES
  ($$'satisfaction', 1, NULL, 'month', '2025-11-02', 5, 'x'$$, 'of a period'), ($$'satisfaction', 1, 2, 'month', '2025-11-01', 5, 'x'$$, 'of one subject'), ($$'satisfaction', 1, NULL, 'month', '2025-11-01', 'NaN', 'x'$$, 'a number'),
  ($$'satisfaction', 1, NULL, 'month', '2025-11-01', 5, ' '$$, 'with its source')) x (v, d);
SELECT is(pg_temp.as('ctl', format($$INSERT INTO crm.scorecard_value (measure, staff_id, grain, period_start, value, source) SELECT 'satisfaction', i, 'month', '%s', 50 + (i * 7 + extract(month FROM date '%s')::integer * 5) %% 45, 'survey' FROM generate_series(1, 9) i WHERE i <> 9 OR '%s' <> '2025-12-01'$$, m, m, m)
  || $$ RETURNING 'in'$$), 'in', 'satisfaction of staff for ' || m) FROM unnest('{2025-10-01,2025-11-01,2025-12-01}'::text[]) m;
SELECT is(pg_temp.as('ctl', $$INSERT INTO crm.scorecard_value (measure, org_id, grain, period_start, value, source) VALUES ('satisfaction', 2, 'quarter', '2025-10-01', 10, 'typo'), ('satisfaction', 2, 'quarter', '2025-10-01', 88, 'survey'), ('satisfaction', 3, 'quarter', '2025-10-01', 70, 'survey') RETURNING 'in'$$), 'in', 'and of units');
SELECT results_eq($$SELECT value, counts, entered_by FROM crm_bi.scorecard_value WHERE org_id = 2 ORDER BY 1$$, $$VALUES (10::numeric, false, 'ctl'), (88, true, 'ctl')$$, 'the one entered last counts');
SELECT is(pg_temp.code_of('UPDATE crm.scorecard_value SET value = 1'), '55000', 'values entered stand');

-- by hand: days in the business time zone, one query a measure -------------------------------------

CREATE FUNCTION pg_temp.day(at timestamptz) RETURNS date LANGUAGE sql AS $$SELECT (at AT TIME ZONE crm.setting_value('business_time_zone'))::date$$;
CREATE FUNCTION pg_temp.naive(staff bigint, s date, e date) RETURNS TABLE (measure text, n numeric, d numeric) LANGUAGE sql AS $$
  WITH held AS (SELECT h.*, pg_temp.day(h.held_from) AS f, coalesce(pg_temp.day(h.held_to), 'infinity') AS t FROM crm.holding h WHERE h.staff_id = staff),
  c AS (SELECT * FROM crm.contact x WHERE x.staff_id = staff AND pg_temp.day(x.at) BETWEEN s AND e),
  a AS (SELECT * FROM crm.appointment x WHERE x.staff_id = staff AND pg_temp.day(x.at) BETWEEN s AND e),
  bought AS (SELECT DISTINCT p.id, p.annual_premium FROM crm_bi.purchase b JOIN crm.policy p ON p.id = b.policy_id JOIN held h ON h.customer_id = p.customer_id WHERE p.issued_on BETWEEN s AND e AND p.issued_on BETWEEN h.f AND h.t),
  entered AS (SELECT x.id FROM crm.customer x WHERE x.created_by = 'p' || staff AND pg_temp.day(x.created_at) BETWEEN s AND e),
  amount AS (SELECT z.amount FROM held h JOIN crm_bi.standing z ON z.customer_id = h.customer_id AND z.valid_from <= e AND coalesce(z.valid_to > e, true) WHERE h.f <= e AND h.t > e)
  SELECT 'held_customers', count(*)::numeric, NULL::numeric FROM held WHERE f <= e AND t > e
  UNION ALL SELECT 'contacts', count(*), NULL FROM c
  UNION ALL SELECT 'contacted_share', count(*) FILTER (WHERE customer_id IN (SELECT customer_id FROM c)), count(*) FROM held WHERE f <= e AND t > e
  UNION ALL SELECT 'appointments_kept', count(*), NULL FROM a WHERE result = 'kept'
  UNION ALL SELECT 'appointments_kept_share', count(*) FILTER (WHERE result = 'kept'), count(*) FROM a WHERE result IS NULL OR result IN ('kept', 'missed')
  UNION ALL SELECT 'purchases', count(*), NULL FROM bought
  UNION ALL SELECT 'purchase_premium', coalesce(sum(annual_premium), 0), NULL FROM bought
  UNION ALL SELECT 'customers_entered', count(*), NULL FROM entered
  UNION ALL SELECT 'completeness_of_new', coalesce(sum(x.points), 0), coalesce(sum(x.weight), 0) FROM entered n JOIN crm_bi.completeness x ON x.customer_id = n.id
  UNION ALL SELECT 'holdings_recycled', count(*) FILTER (WHERE end_cause = 'recycle' AND t <= e), count(*) FROM held WHERE f <= e AND t >= s
  UNION ALL SELECT 'feedback_given', count(*), NULL FROM crm.feedback x WHERE x.staff_id = staff AND pg_temp.day(x.given_at) BETWEEN s AND e
  UNION ALL SELECT 'held_over_10000', count(*) FILTER (WHERE amount > 10000), count(*) FROM amount
  UNION ALL SELECT 'held_over_50000', count(*) FILTER (WHERE amount > 50000), count(*) FROM amount
  UNION ALL SELECT 'satisfaction', value, NULL FROM (SELECT value FROM crm.scorecard_value x WHERE x.staff_id = staff AND x.period_start = s ORDER BY id DESC LIMIT 1) v
$$;
CREATE TEMP TABLE wanted AS
SELECT i AS staff_id, m AS period_start, CASE n.measure WHEN 'satisfaction' THEN 'happy' ELSE n.measure END AS indicator, n.n, n.d, CASE WHEN n.d IS NULL THEN n.n WHEN n.d = 0 THEN NULL ELSE n.n / n.d END AS actual
FROM generate_series(1, 9) i, unnest('{2025-10-01,2025-11-01,2025-12-01}'::date[]) m CROSS JOIN LATERAL pg_temp.naive(i, m, (m + interval '1 month - 1 day')::date) n;
SELECT pg_temp.same($$SELECT staff_id, period_start, indicator, numerator, denominator FROM crm_bi.scorecard_part WHERE scorecard = 'seller' AND (numerator IS NOT NULL)$$, 'SELECT staff_id, period_start, indicator, n, d FROM wanted', 'every measure of staff is as counted by hand');
SELECT cmp_ok(count(DISTINCT n), '>', 1::bigint, indicator || ' differs between staff') FROM wanted GROUP BY indicator;
SELECT pg_temp.same($$SELECT org_id, indicator, numerator, denominator FROM crm_bi.scorecard_part WHERE scorecard = 'outlet' AND measure IN ('contacts', 'holdings_recycled') AND period_start = '2025-10-01'$$,
  $$SELECT u.o, n.measure, sum(n.n), sum(n.d) FROM (VALUES (2, '{1,3,4,6,7,9,20}'::bigint[]), (3, '{2,5,8,22}')) u (o, s), unnest(u.s) s (s), LATERAL pg_temp.naive(s.s, '2025-10-01', '2025-12-31') n WHERE n.measure IN ('contacts', 'holdings_recycled') GROUP BY 1, 2$$,
  'those of a unit are those of its staff together');
SELECT pg_temp.same($$SELECT org_id, period_start, indicator, numerator, denominator FROM crm_bi.scorecard_part WHERE kpi IS NOT NULL$$,
  $$SELECT k.org_id, k.period_start, k.code, sum(k.numerator), sum(k.denominator) FROM crm_bi.kpi k WHERE k.grain = 'quarter' AND k.org_id IN (2, 3) AND k.period_start IN ('2025-07-01', '2025-10-01') AND (k.code = 'total_churn' OR k.code = 'coverage' AND k.class = 'insured') GROUP BY 1, 2, 3$$,
  'figures are those of crm_bi.kpi, channels and kinds together');
SELECT pg_temp.same($$SELECT org_id, numerator, denominator FROM crm_bi.scorecard_part WHERE measure = 'assets_over_10000' AND period_start = '2025-10-01'$$,
  $$SELECT u, o.over_low::numeric, o.customers::numeric FROM unnest('{2,3}'::bigint[]) u, crm.over_limit('2025-12-31', '2025-12-31', u, 'assets') o$$, 'shares over limits are those of crm.over_limit()');

-- points, scores, ranks and trends by hand
CREATE FUNCTION pg_temp.points(x numeric, f numeric, t numeric, w numeric, c numeric) RETURNS numeric LANGUAGE sql AS $$
  SELECT round(CASE WHEN f < t THEN CASE WHEN x <= f THEN 0 WHEN x >= f + c * (t - f) THEN w * c ELSE w * (x - f) / (t - f) END ELSE CASE WHEN x >= f THEN 0 WHEN x <= f - c * (f - t) THEN w * c ELSE w * (f - x) / (f - t) END END, 4)
$$;
SELECT is_empty($$SELECT * FROM crm_bi.scorecard_part p WHERE p.points IS DISTINCT FROM CASE WHEN p.actual IS NOT NULL THEN pg_temp.points(p.actual, p.floor, p.target, p.weight, p.cap) END OR p.attainment IS DISTINCT FROM p.points / p.weight$$, 'points are linear between floor and target, up to the cap');
SELECT is(crm.indicator_points(x, f, t, 10, 1.5), w, x || ' of ' || f || ' to ' || t) FROM (VALUES (5, 0, 10, 5.0), (0, 0, 10, 0), (-3, 0, 10, 0), (12, 0, 10, 12), (99, 0, 10, 15), (0.3, 0.5, 0.1, 5), (0.6, 0.5, 0.1, 0), (-1, 0.5, 0.1, 15)) v (x, f, t, w);
SELECT is(crm.indicator_points(NULL, 0, 1, 1), NULL, 'of nothing known there are none');
SELECT is(crm.indicator_points(1, 1, 1, 1), NULL, 'nor without a way from floor to target');
SELECT ok((SELECT count(*) FILTER (WHERE points > weight) > 0 AND count(*) FILTER (WHERE points = 0) > 0 AND count(*) FILTER (WHERE points > 0 AND points < weight) > 10 FROM crm_bi.scorecard_part), 'some exceed their targets, some miss the floor');
CREATE TEMP TABLE score AS
SELECT p.goal_id, p.scorecard, p.staff_id, p.org_id, p.period_start, round(sum(coalesce(p.points, 0)), 2) AS score, count(p.actual) = count(*) AS is_whole FROM crm_bi.scorecard_part p GROUP BY 1, 2, 3, 4, 5;
SELECT pg_temp.same('SELECT goal_id, score, is_whole, rank, tied, peers, score_before, trend FROM crm_bi.scorecard',
  $$SELECT s.goal_id, s.score, s.is_whole, CASE WHEN s.is_whole THEN 1 + (SELECT count(*) FROM score b WHERE b.is_whole AND b.scorecard = s.scorecard AND b.period_start = s.period_start AND b.score > s.score) END,
           CASE WHEN s.is_whole THEN (SELECT count(*) FROM score b WHERE b.is_whole AND b.scorecard = s.scorecard AND b.period_start = s.period_start AND b.score = s.score) END,
           (SELECT count(*) FROM score b WHERE b.is_whole AND b.scorecard = s.scorecard AND b.period_start = s.period_start), o.score, CASE WHEN s.score > o.score THEN 'up' WHEN s.score < o.score THEN 'down' WHEN s.score = o.score THEN 'same' END
    FROM score s LEFT JOIN score o ON o.scorecard = s.scorecard AND (o.staff_id = s.staff_id OR o.org_id = s.org_id) AND o.period_start = (s.period_start - CASE s.scorecard WHEN 'seller' THEN interval '1 month' ELSE interval '3 months' END)::date$$,
  'scores, ranks, ties and trends, too');
SELECT results_eq($$SELECT is_whole, rank FROM crm_bi.scorecard WHERE staff_id = 9 AND period_start = '2025-12-01'$$, 'VALUES (false, NULL::bigint)', 'who lacks an indicator has no rank');

-- equal scores share a rank, and levels are ranked apart
SELECT is(crm.define_scorecard('desk', pg_temp.card('{"measure": "internal_satisfaction", "weight": 100, "floor": 0, "target": 100}')), 1, 'a scorecard of the back office');
CREATE TEMP TABLE desk AS SELECT s.id AS staff_id, crm.set_goal('desk', s.id, NULL, '2025-11-01') AS id FROM crm.staff s WHERE s.id <> 10;
INSERT INTO crm.scorecard_value (measure, staff_id, grain, period_start, value, source) SELECT 'internal_satisfaction', d.staff_id, 'month', date '2025-11-01', (ARRAY[80, 90, 80, 70, 80, 60, 90, 50, 40])[d.staff_id], 'survey' FROM desk d WHERE d.staff_id < 10
  UNION ALL VALUES ('internal_satisfaction', 20, 'month', date '2025-11-01', 30, 'survey'), ('internal_satisfaction', 21, 'month', '2025-11-01', 20, 'survey'), ('internal_satisfaction', 22, 'month', '2025-11-01', 30, 'survey');
SELECT is(pg_temp.as((SELECT login::text FROM crm.staff WHERE id = d.staff_id), 'SELECT crm.sign_goal(' || d.id || ')'), '', 'signed') FROM desk d;
SELECT results_eq($$SELECT staff_id, org_level, rank, tied, peers FROM crm_bi.scorecard WHERE scorecard = 'desk' ORDER BY org_level, rank, staff_id$$,
  $$VALUES (21::bigint, 0, 1::bigint, 1::bigint, 1::bigint), (20, 1, 1, 2, 2), (22, 1, 1, 2, 2), (2, 2, 1, 2, 9), (7, 2, 1, 2, 9), (1, 2, 3, 3, 9), (3, 2, 3, 3, 9), (5, 2, 3, 3, 9), (4, 2, 6, 1, 9), (6, 2, 7, 1, 9), (8, 2, 8, 1, 9), (9, 2, 9, 1, 9)$$,
  'equal scores share a rank, the next ones leave room, and only the same level is compared');

-- a goal changed is a new version, which counts when it is signed
SELECT is(pg_temp.as('north', $$SELECT crm.set_goal('seller', 3, NULL, '2025-12-01', '{"contacts": 100}')$$), '23502 reason of a changed goal must be given / Give each of them a value.', 'a change needs a reason');
SELECT ok(pg_temp.as('north', $$INSERT INTO goal SELECT crm.set_goal('seller', 3, NULL, '2025-12-01', '{"contacts": 100}', 'more staff') RETURNING 'set'$$) = 'set', 'a goal is changed');
SELECT results_eq($$SELECT target FROM crm_bi.scorecard_part WHERE staff_id = 3 AND period_start = '2025-12-01' AND indicator = 'contacts'$$, 'VALUES (11::numeric)', 'until it is signed the old one counts');
SELECT ok(pg_temp.as('north', $$INSERT INTO goal SELECT crm.set_goal('seller', 3, NULL, '2025-12-01', '{"contacts": 50}', 'after talking') RETURNING 'set'$$) = 'set', 'and changed again');
SELECT matches(pg_temp.as('p3', 'SELECT crm.sign_goal((SELECT max(id) FROM goal WHERE id < (SELECT max(id) FROM goal)))'), '^55000 goal .* is withdrawn', 'the one between is not signed any more');
SELECT is(pg_temp.as('p3', 'SELECT crm.sign_goal((SELECT max(id) FROM goal))'), '', 'the last is');
SELECT results_eq($$SELECT goal_version, state, target FROM crm_bi.scorecard_goal WHERE staff_id = 3 AND period_start = '2025-12-01' AND indicator = 'contacts' AND scorecard = 'seller' ORDER BY 1$$, $$VALUES (1, 'superseded', 11::numeric), (2, 'withdrawn', 100), (3, 'signed', 50)$$, 'all versions stay');
SELECT results_eq($$SELECT target FROM crm_bi.scorecard_part WHERE staff_id = 3 AND period_start = '2025-12-01' AND indicator = 'contacts'$$, 'VALUES (50::numeric)', 'now the new one counts');

-- who sees what --------------------------------------------------------------------------------

SELECT is(pg_temp.as('p3', $$SELECT string_agg(DISTINCT staff_id || ' ' || own, ',') FROM crm.my_scorecards()$$), '3 true', 'a person sees the own scores');
SELECT is(pg_temp.as('north', $$SELECT string_agg(DISTINCT coalesce('s' || staff_id, 'o' || org_id) || ' ' || own, ',' ORDER BY coalesce('s' || staff_id, 'o' || org_id) || ' ' || own) FROM crm.my_scorecards()$$),
  'o2 true,s1 false,s20 true,s3 false,s4 false,s6 false,s7 false,s9 false', 'a head those of the unit and its staff');
SELECT is(pg_temp.as('chief', 'SELECT count(DISTINCT goal_id) FROM crm.my_scorecards()'), (SELECT count(*)::text FROM crm_bi.scorecard), 'the chief all');
SELECT is(pg_temp.as('p3', 'SELECT count(*) FROM crm.my_goals()'), '6', 'and the goals, all versions');
SELECT is(pg_temp.as('p3', format('SELECT round(sum(points), 2) FROM crm.my_scorecard_parts(%s)', x.goal_id)), x.score::text, 'the parts make the score') FROM crm_bi.scorecard x WHERE x.staff_id = 3 AND x.scorecard = 'seller' ORDER BY x.period_start;
SELECT matches(pg_temp.as('p4', format('SELECT crm.my_scorecard_parts(%s)', x.goal_id)), '^42501 goal .* is not for "p4" to see', 'nobody else sees them') FROM crm_bi.scorecard x WHERE x.staff_id = 3 AND x.period_start = '2025-12-01';
SELECT matches(pg_temp.as('south', format('SELECT crm.my_scorecard_parts(%s)', x.goal_id)), '^42501', 'nor the head of another unit') FROM crm_bi.scorecard x WHERE x.staff_id = 3 AND x.period_start = '2025-12-01';
SELECT is(left(pg_temp.as('gone', 'SELECT crm.my_scorecards()'), 5), '42501', 'who has left sees nothing');
SELECT is(left(pg_temp.as('stranger', 'SELECT crm.my_goals()'), 5), '42501', 'nor does a stranger');
SELECT is(pg_temp.by_login('crm_test_analyst', 'SELECT count(*) > 0 FROM crm_bi.' || v), 'true', 'an analyst reads ' || v) FROM unnest('{scorecard,scorecard_part,scorecard_goal,scorecard_indicator,scorecard_value,scorecard_measure}'::text[]) v;
SELECT is(pg_temp.by_login(r, s), '42501', r || ' may not: ' || s) FROM (VALUES ('crm_test_seller', 'SELECT count(*) FROM crm_bi.scorecard'), ('crm_test_seller', 'SELECT count(*) FROM crm.scorecard_actuals()'),
  ('crm_test_seller', $$SELECT crm.set_goal('seller', 3, NULL, '2026-01-01')$$), ('crm_test_seller', $$SELECT crm.define_scorecard('x', '{}')$$), ('crm_test_analyst', $$SELECT crm.close_scorecards('seller', '2025-11-01')$$),
  ('crm_test_analyst', 'SELECT count(*) FROM crm.scorecard_goal'), ('crm_test_pool', $$INSERT INTO crm.scorecard_measure (code, source, name, name_zh, description) VALUES ('x', 'book', 'x', 'x', 'x') RETURNING 1$$), ('crm_test_pool', 'DELETE FROM crm.scorecard_value')) v (r, s);
SELECT is(pg_temp.as('ctl', $$INSERT INTO crm.scorecard_measure (code, name, name_zh, description) VALUES ('audits', 'Audits', '检查', 'Audits passed') RETURNING 'in'$$), 'in', 'a controller adds a measure that is entered');

-- closed with the month -----------------------------------------------------------------------------

SELECT is(pg_temp.as('ctl', format('SELECT crm.close_scorecards(%s)', a)), w, w) FROM (VALUES
  ($$NULL, '2025-11-01'$$, '23502 scorecard of closing scorecards must be given / Give each of them a value.'), ($$'none', '2025-11-01'$$, '23503 there is no scorecard "none" with a period that begins on 2025-11-01 / crm_bi.scorecard_indicator shows scorecards and their grain.'),
  ($$'seller', '2025-11-11'$$, '23503 there is no scorecard "seller" with a period that begins on 2025-11-11 / crm_bi.scorecard_indicator shows scorecards and their grain.'),
  ($$'seller', '2025-11-01'$$, '55000 2025-11 is not published / Scorecards are closed after the last month of their period: crm.close_month(), crm.publish_month().')) v (a, w);
SELECT matches(pg_temp.as('ctl', $$SELECT crm.close_scorecards('seller', '2190-01-01')$$), '^55000 the period from 2190-01-01 is not over', 'not before it is over by the clock');
SELECT ok(pg_temp.as('ctl', $$SELECT crm.close_month('2025-11-01') > 0 AND crm.close_month('2025-12-01') > 0$$)::boolean, 'months are closed');
SELECT is(pg_temp.as('chief', $$SELECT crm.publish_month('2025-11-01') + crm.publish_month('2025-12-01')$$), '2', 'and published');
CREATE TEMP TABLE before AS SELECT goal_id, score, is_whole, rank, tied, peers FROM crm_bi.scorecard;
CREATE TEMP TABLE parts_before AS SELECT * FROM crm_bi.scorecard_part;
SELECT is(pg_temp.as('ctl', $$SELECT crm.close_scorecards('seller', '2025-11-01')$$), '9', 'then scorecards are closed');
SELECT is(pg_temp.as('ctl', $$SELECT crm.close_scorecards('outlet', '2025-10-01')$$), '2', 'those of units, too');
SELECT matches(pg_temp.as('ctl', $$SELECT crm.close_scorecards('seller', '2025-11-01')$$), '^55000 scorecard "seller" of the period from 2025-11-01 is closed', 'once');
SELECT matches(pg_temp.as('ctl', $$SELECT crm.close_scorecards('desk', '2025-12-01')$$), '^55000 no goal of scorecard "desk" is signed', 'not without goals');
SELECT pg_temp.same('SELECT goal_id, score, is_whole, rank, tied, peers FROM crm_bi.scorecard', 'SELECT * FROM before', 'scores and ranks are as they were');
SELECT results_eq('SELECT scorecard, period_start, count(*) FROM crm_bi.scorecard WHERE is_final GROUP BY 1, 2 ORDER BY 1', $$VALUES ('outlet', date '2025-10-01', 2::bigint), ('seller', '2025-11-01', 9)$$, 'and final');
SELECT matches(pg_temp.as('north', $$SELECT crm.set_goal('seller', 3, NULL, '2025-11-01', '{}', 'late')$$), '^55000 scorecard "seller" of the period from 2025-11-01 is closed', 'their goals are not changed');
INSERT INTO crm.scorecard_value (measure, staff_id, grain, period_start, value, source) VALUES ('satisfaction', 3, 'month', '2025-11-01', 1, 'late'), ('satisfaction', 3, 'month', '2025-10-01', 1, 'late');
DELETE FROM crm.contact WHERE customer_id % 2 = 0;
DELETE FROM crm.policy WHERE id % 3 = 1;
SELECT ok(crm.post() > 0, 'the book changes');
SELECT pg_temp.same($$SELECT goal_id, score, is_whole, rank, tied, peers FROM crm_bi.scorecard WHERE is_final$$, $$SELECT b.* FROM before b JOIN crm.scorecard_final f ON f.goal_id = b.goal_id$$, 'what is closed stays');
SELECT pg_temp.same($$SELECT goal_id, indicator, numerator, denominator, actual, points FROM crm_bi.scorecard_part WHERE is_final$$, $$SELECT b.goal_id, b.indicator, b.numerator, b.denominator, b.actual, b.points FROM parts_before b JOIN crm.scorecard_final f ON f.goal_id = b.goal_id$$, 'with its parts');
SELECT isnt((SELECT score FROM crm_bi.scorecard WHERE staff_id = 3 AND period_start = '2025-10-01'), (SELECT b.score FROM before b JOIN crm_bi.scorecard x USING (goal_id) WHERE x.staff_id = 3 AND x.period_start = '2025-10-01'), 'what is not moves on');
SELECT is(pg_temp.code_of(s), '55000', s) FROM unnest('{UPDATE crm.scorecard_final SET score = 1,DELETE FROM crm.scorecard_result,DELETE FROM crm.scorecard_final,DELETE FROM crm.scorecard_goal_target}'::text[]) s;
-- figures of a published month go by what was published
SELECT is(pg_temp.as('chief', $$SELECT crm.set_goal('outlet', NULL, 4, '2025-10-01') > 0$$), '55000 scorecard "outlet" of the period from 2025-10-01 is closed / What is closed stays; set goals for the next period.', 'no goal comes in when all is closed');
SELECT is(crm.define_scorecard('churn', pg_temp.card('{"kpi": "insured", "weight": 60, "floor": 0, "target": 100}, {"measure": "satisfaction", "weight": 40, "floor": 0, "target": 5}', 'unit')), 1, 'a scorecard by months');
SELECT is(pg_temp.as('south', 'SELECT crm.sign_goal(' || crm.set_goal('churn', NULL, 3, '2025-12-01') || ')'), '', 'goal of a month published');
SELECT results_eq($$SELECT numerator FROM crm_bi.scorecard_part WHERE indicator = 'insured'$$, $$SELECT sum(numerator) FROM crm_bi.kpi_version WHERE code = 'insured' AND org_id = 3 AND grain = 'month' AND month = '2025-12-01'$$, 'goes by the published figure');
SELECT isnt((SELECT sum(numerator)::numeric FROM crm_bi.kpi WHERE code = 'insured' AND org_id = 3 AND grain = 'month' AND period_end = '2025-12-31'), (SELECT numerator FROM crm_bi.scorecard_part WHERE indicator = 'insured'), 'though the figure is another now');
SELECT is_empty('SELECT * FROM crm._check_closing()', 'all holds');
SELECT * FROM finish();
ROLLBACK;
