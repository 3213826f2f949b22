-- Plans of strategy optimal: all units of all channels at once, within floors and capacities, and what each limit costs, beside enumeration.
\set ON_ERROR_STOP on
BEGIN;
SELECT no_plan();
\ir include/helpers.sql
SET LOCAL client_min_messages = warning;
\ir include/valley.sql
SELECT crm.make_plan(:cycle, 'best', weighing => 'net', strategy => 'optimal') AS plan \gset
SELECT is(crm.compute_plan(:plan, '2025-12-31'), 1, 'the optimum without limits');


-- every way to give seven customers to five units or nobody: how many each unit gets, and the most that is worth
CREATE TEMP TABLE way (n integer[] PRIMARY KEY, worth numeric);
INSERT INTO way VALUES ('{0,0,0,0,0}', 0);
DO $$
BEGIN
  FOR c IN 9001 .. 9007 LOOP
    CREATE TEMP TABLE further ON COMMIT DROP AS
    SELECT ARRAY(SELECT w.n[i] + (i = x.h)::integer FROM generate_series(1, 5) i) AS n, max(w.worth + x.worth) AS worth
    FROM way w CROSS JOIN (SELECT p.h, p.worth FROM pair p WHERE p.customer_id = c UNION ALL SELECT 0, 0) x GROUP BY 1;
    TRUNCATE way;
    INSERT INTO way SELECT * FROM further;
    DROP TABLE further;
  END LOOP;
END
$$;
SELECT is((SELECT count(*) FROM way), 792::bigint, 'all ways to fill five units');
CREATE FUNCTION pg_temp.optimum(floors integer[], capacities integer[]) RETURNS numeric LANGUAGE sql AS $$
  SELECT max(w.worth) FROM way w WHERE NOT EXISTS (SELECT FROM generate_series(1, 5) i WHERE w.n[i] < floors[i] OR w.n[i] > capacities[i])
$$;
SELECT ok(pg_temp.near(worth, pg_temp.optimum('{0,0,0,0,0}', '{60,60,60,60,60}')) AND is_proven AND pg_temp.near(worth, worth_bound), 'worth as much as the best of them') FROM crm_bi.plan WHERE plan_id = :plan;
CREATE FUNCTION pg_temp.worth_of(plan bigint) RETURNS numeric LANGUAGE sql AS $$
  SELECT coalesce(sum(p.worth), 0) FROM crm_bi.plan_customer c JOIN crm.channel k ON k.code = c.channel JOIN unit u ON u.channel_id = k.id AND u.org_id = c.org_id
  JOIN pair p ON p.customer_id = c.customer_id AND p.h = u.h WHERE c.plan_id = plan AND c.why <> 'pin'
$$;
SELECT ok(pg_temp.near(worth, pg_temp.worth_of(:plan)), 'which is what its customers are worth where they go') FROM crm_bi.plan WHERE plan_id = :plan;

-- limits by chance: the optimum within them, each price the change of the optimum by one, refused when there is no way
CREATE FUNCTION pg_temp.trial(plan bigint, seed double precision) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  floors integer[];
  capacities integer[];
  best numeric;
  got record;
  wrong text;
BEGIN
  PERFORM setseed(seed);
  SELECT array_agg(f ORDER BY h), array_agg(greatest(f, c) ORDER BY h) INTO floors, capacities
  FROM (SELECT h, CASE WHEN random() < 0.5 THEN (random() * 4)::integer ELSE 0 END AS f, CASE WHEN random() < 0.6 THEN (random() * 4)::integer ELSE 60 END AS c FROM unit ORDER BY h) x;
  PERFORM crm.set_plan_limit(plan, u.channel_id, u.org_id, nullif(floors[u.h], 0), CASE WHEN capacities[u.h] < 60 THEN capacities[u.h] WHEN floors[u.h] = 0 THEN 60 END) FROM unit u;
  best := pg_temp.optimum(floors, capacities);
  SELECT * INTO got FROM pg_temp.told(format('SELECT crm.compute_plan(%s, ''2025-12-31'')', plan));
  IF best IS NULL THEN
    RETURN CASE WHEN got.code = '55000' AND got.message ~ 'floors of plan .* cannot be met' AND got.detail ~ format('^They ask for %s customers in all, and 7 can be had', (SELECT sum(f) FROM unnest(floors) f)) THEN 'refused'
                ELSE format('%s %s: %s %s', floors, capacities, got.message, got.detail) END;
  ELSIF got.code <> '00000' OR NOT pg_temp.near(best, (SELECT worth FROM crm.plan p WHERE p.id = plan)) OR NOT pg_temp.near(best, pg_temp.worth_of(plan)) THEN
    RETURN format('%s %s: %s, not %s: %s', floors, capacities, (SELECT worth FROM crm.plan p WHERE p.id = plan), best, got.message);
  END IF;
  SELECT string_agg(format('%s of %s: %s', l.kind, u.h, l.price), ', ') INTO wrong
  FROM crm.plan_price l JOIN unit u ON u.channel_id = l.channel_id AND u.org_id = l.org_id
  WHERE l.plan_id = plan AND NOT (l.is_exact AND l.value = CASE l.kind WHEN 'floor' THEN floors[u.h] ELSE capacities[u.h] END
    AND pg_temp.near(l.price, CASE l.kind WHEN 'floor' THEN pg_temp.optimum(ARRAY(SELECT floors[i] - (i = u.h)::integer FROM generate_series(1, 5) i), capacities)
                                   ELSE pg_temp.optimum(floors, ARRAY(SELECT capacities[i] + (i = u.h)::integer FROM generate_series(1, 5) i)) END - best));
  RETURN coalesce(format('%s %s: ', floors, capacities) || wrong,
                  CASE WHEN (SELECT count(*) FROM crm.plan_price l WHERE l.plan_id = plan AND l.proposal_id IS NULL) <> 5 + (SELECT count(*) FROM unnest(floors) f WHERE f > 0) THEN 'limits are missing'
                       WHEN EXISTS (SELECT FROM crm.plan_price l WHERE l.plan_id = plan AND l.kind = 'floor' AND l.price > 0) THEN 'floor costs' ELSE 'met' END);
END
$$;
CREATE TEMP TABLE trial AS SELECT i, pg_temp.trial(:plan, i / 40.0) AS came FROM generate_series(1, 30) i;
SELECT is_empty($$SELECT * FROM trial WHERE came NOT IN ('refused', 'met', 'floor costs')$$, 'the optimum and the price of each limit, as by enumeration');
SELECT results_eq('SELECT DISTINCT came FROM trial ORDER BY 1', $$VALUES ('floor costs'), ('met'), ('refused')$$, 'of each sort some');

-- a floor that cannot be met: which, and how far; the plan is not computed, and cannot be submitted
DELETE FROM crm.plan_limit;
SELECT crm.set_plan_limit(:plan, 1, 901, floor => 5), crm.set_plan_limit(:plan, 4, 902, floor => 4) \g /dev/null
SELECT results_eq(format($q$SELECT code, message, hint FROM pg_temp.told('SELECT crm.compute_plan(%s, ''2025-12-31'')')$q$, :plan),
  $$VALUES ('55000', 'floors of plan "best" cannot be met', 'Lower them with crm.set_plan_limit(), or give these units more: room of their staff, or customers that a proposal of the channel asks for.')$$, 'seven are not nine');
SELECT matches((SELECT detail FROM pg_temp.told(format('SELECT crm.compute_plan(%s, ''2025-12-31'')', :plan))), '^They ask for 9 customers in all, and 7 can be had together: unit "V.*" of channel ".*" gets \d of \d', 'told how far');
SELECT pg_temp.refused(format('SELECT crm._submittable(p) FROM crm.plan p WHERE id = %s', :plan), '55000', 'not computed since', 'no plan without its floors');
SELECT crm.set_plan_limit(:plan, 1, 901, floor => 3) \g /dev/null
SELECT lives_ok(format('SELECT crm.compute_plan(%s, ''2025-12-31'')', :plan), 'seven are three and four');
-- a channel that asks for three of seven, of whom some may not go where three must: others are asked for
CREATE FUNCTION pg_temp.beside(plan bigint, visit bigint, barred integer[]) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  came text;
BEGIN
  INSERT INTO crm.holding (customer_id, channel_id, org_id, staff_id, held_from, held_to, start_cause, end_cause, ended_by, rule)
  SELECT 9000 + i, 1, 901, 9001, '2025-11-01', '2025-12-25', 'claim', 'release', 'holder', crm.setting_value('recycle_rule')::crm.recycle_rule FROM unnest(barred) i;
  PERFORM crm.revise_proposal(visit, 1, volume => 3, expected_contacts => 3, expected_purchases => 1);
  PERFORM crm.submit_proposal(visit);
  DELETE FROM crm.plan_limit;
  PERFORM crm.set_plan_limit(plan, 1, 901, floor => 3);
  PERFORM crm.compute_plan(plan, '2025-12-31');
  SELECT string_agg(format('%s of %s to %s', l.used, l.value, l.kind), ', ' ORDER BY l.kind) INTO came FROM crm.plan_price l WHERE l.plan_id = plan AND l.channel_id = 1 AND (l.org_id = 901 AND l.kind = 'floor' OR l.proposal_id IS NOT NULL);
  RAISE EXCEPTION USING ERRCODE = 'XX999', MESSAGE = came;
EXCEPTION WHEN OTHERS THEN
  RETURN SQLERRM;
END
$$;
SELECT is(pg_temp.beside(:plan, :visit, b::integer[]), '3 of 3 to floor, 3 of 3 to proposal', 'with customers who may go there: without ' || b) FROM unnest('{"{1,2,3,4}","{4,5,6,7}","{1,3,5,7}","{2,4,6,7}"}'::text[]) b;
INSERT INTO crm.holding_quota (staff_id, quota) VALUES (9001, 2);
SELECT results_eq(format($q$SELECT code, detail FROM pg_temp.told('SELECT crm.compute_plan(%s, ''2025-12-31'')')$q$, :plan),
  $$VALUES ('55000', 'They ask for 7 customers in all, and 6 can be had together: unit "VA" of channel "individual" gets 2 of 3.')$$, 'nor above the quota');
DELETE FROM crm.holding_quota;
SELECT crm.drop_plan_limit(:plan, 4, 902, 'not needed') \g /dev/null
SELECT crm.set_plan_limit(:plan, 4, 905, floor => 1) \g /dev/null
SELECT results_eq(format($q$SELECT code, detail FROM pg_temp.told('SELECT crm.compute_plan(%s, ''2025-12-31'')')$q$, :plan),
  $$VALUES ('55000', 'They ask for 1 customers in all, and 0 can be had together: unit "VE" has nobody of channel "telesales" who could take customers.')$$, 'nor where nobody is');
SELECT crm.drop_plan_limit(:plan, 4, 905), crm.drop_plan_limit(:plan, 1, 901) \g /dev/null

-- what is said further up holds where nothing nearer is
SELECT crm.set_plan_limit(:plan, 1, 900, floor => 2, note => 'nobody without'), crm.set_plan_limit(:plan, 1, 903, floor => 0, capacity => 1) \g /dev/null
SELECT lives_ok(format('SELECT crm.compute_plan(%s, ''2025-12-31'')', :plan), 'a floor for all');
SELECT ok(pg_temp.near(worth, pg_temp.optimum('{2,2,0,0,0}', '{60,60,1,60,60}')), 'but one') FROM crm.plan WHERE id = :plan;
SELECT results_eq(format('SELECT unit, kind, value FROM crm_bi.plan_limit WHERE plan_id = %s AND channel = ''individual'' AND org_id IS NOT NULL ORDER BY 1, 2', :plan),
  $$VALUES ('A', 'floor', 2::bigint), ('A', 'room', 60), ('B', 'floor', 2), ('B', 'room', 60), ('C', 'capacity', 1)$$, 'each unit has its limits');
SELECT is_empty(format($$SELECT * FROM crm_bi.plan_limit l WHERE plan_id = %s AND org_id IS NOT NULL AND (slack < 0 OR used <> (
  SELECT count(*) FROM crm_bi.plan_customer c WHERE c.plan_id = l.plan_id AND c.channel = l.channel AND c.org_id = l.org_id))$$, :plan), 'and what it uses of them');
SELECT crm.set_plan_limit(:plan, 1, 903, capacity => 1) \g /dev/null
SELECT results_eq(format($q$SELECT code, message FROM pg_temp.told('SELECT crm.compute_plan(%s, ''2025-12-31'')')$q$, :plan), $$VALUES ('55000', 'unit "VC" has floor 2 above its capacity 1 in channel "individual"')$$, 'both at once is none');
SELECT crm.set_plan_limit(:plan, 1, 903, 1, 1, 'small') \g /dev/null

-- pins count, before all others and outside what is distributed; the rest is the best of what is left
SELECT crm.adjust_plan(:plan, 'pin', 9007, staff_id => 9001), crm.adjust_plan(:plan, 'pin', 9004, channel_id => 4), crm.adjust_plan(:plan, 'bar', 9001, org_id => 901), crm.adjust_plan(:plan, 'bar', 9003, staff_id => 9002) \g /dev/null
SELECT lives_ok(format('SELECT crm.compute_plan(%s, ''2025-12-31'')', :plan), 'with adjustments by hand');
SELECT results_eq(format('SELECT customer_id, channel, CASE customer_id WHEN 9007 THEN staff_id END FROM crm_bi.plan_customer WHERE plan_id = %s AND why = ''pin'' ORDER BY 1', :plan), $$VALUES (9004::bigint, 'telesales', NULL::bigint), (9007, 'individual', 9001)$$, 'pins hold');
SELECT is_empty(format('SELECT * FROM crm.plan_customer WHERE plan_id = %s AND (customer_id, staff_id) IN ((9001, 9001), (9003, 9002))', :plan), 'so do bars');
SELECT ok(bool_and(used >= value), 'and floors, pins included') FROM crm_bi.plan_limit WHERE plan_id = :plan AND kind = 'floor';
SELECT ok(pg_temp.near((SELECT worth FROM crm.plan WHERE id = :plan), pg_temp.worth_of(:plan)), 'pins are not what the optimum is worth');
CREATE TEMP TABLE before AS SELECT customer_id, staff_id, why FROM crm.plan_customer WHERE plan_id = :plan;
SELECT lives_ok(format('SELECT crm.compute_plan(%s, ''2025-12-31'')', :plan), 'again');
SELECT pg_temp.same(format('SELECT customer_id, staff_id, why FROM crm.plan_customer WHERE plan_id = %s', :plan), 'SELECT * FROM before', 'the same input gives the same plan');
-- a volume by hand: that many, as far as there are any
SELECT crm.adjust_plan(:plan, 'volume', channel_id => 1, org_id => 902, volume => 3) \g /dev/null
SELECT lives_ok(format('SELECT crm.compute_plan(%s, ''2025-12-31'')', :plan), 'with a volume');
SELECT results_eq(format('SELECT used, price <= 0 FROM crm_bi.plan_limit WHERE plan_id = %s AND kind = ''volume''', :plan), 'VALUES (3::bigint, true)', 'which the unit gets, and costs');
SELECT crm.adjust_plan(:plan, 'volume', channel_id => 1, org_id => 902, volume => 30) \g /dev/null
SELECT lives_ok(format('SELECT crm.compute_plan(%s, ''2025-12-31'')', :plan), 'more than there are');
SELECT results_eq(format('SELECT used < 7 FROM crm_bi.plan_limit WHERE plan_id = %s AND kind = ''volume''', :plan), 'VALUES (true)', 'it gets what there is');
SELECT ok(bool_and(used >= value), 'after the floors') FROM crm_bi.plan_limit WHERE plan_id = :plan AND kind = 'floor';

-- what cannot be said
SELECT pg_temp.refused(format('SELECT crm.set_plan_limit(%s, %s)', coalesce(plan, :plan::text), args), code, words, name) FROM (VALUES
  (NULL, '1, 901', '23514', 'neither a floor nor a capacity', 'a limit says something'), (NULL, '1, 901, -1', '23514', 'limit -1 is below 0', 'not below nobody'), (NULL, '1, 901, capacity => -2', '23514', 'limit -2 is below 0', 'at most neither'),
  (NULL, '1, 901, 3, 2', '23514', 'floor 3 is above capacity 2', 'the right way round'), (NULL, '1, 1, 3', '23514', 'outside the cycle', 'a unit of the cycle'), (NULL, '1, 99999, 3', '23514', 'outside the cycle', 'that there is'),
  (NULL, '99, 901, 3', '23503', 'no channel "99"', 'a channel that there is'), (NULL, 'NULL, 901, 3', '22004', 'must be given', 'and is told'), (NULL, '1, NULL, 3', '22004', 'must be given', 'with the unit'),
  ('NULL', '1, 901, 3', '22004', 'plan must be given', 'of a plan'), ('999999', '1, 901, 3', '23503', 'no plan', 'that there is')) v (plan, args, code, words, name);
SELECT pg_temp.refused(format('SELECT crm.drop_plan_limit(%s, %s)', :plan, args), '42704', 'has no limit', 'what is not there cannot go: ' || args) FROM (VALUES ('1, 904'), ('4, 903'), ('NULL, 903'), ('1, NULL')) v (args);
SELECT pg_temp.refused(format('INSERT INTO crm.plan_limit (plan_id, channel_id, org_id, floor, capacity) VALUES (%s, 4, 903, %s)', :plan, v), '23514', 'plan_limit', 'nor by hand: ' || v) FROM (VALUES ('NULL, NULL'), ('2, 1'), ('-1, NULL'), ('NULL, -1')) x (v);
SELECT crm.make_plan(:cycle, 'even', strategy => 'even', like_plan => :plan) AS even \gset
SELECT crm.make_plan(:cycle, 'channels', level => 'channel', like_plan => :plan) AS channels \gset
SELECT crm.make_plan(:cycle, 'units', level => 'unit', like_plan => :plan) AS units \gset
SELECT results_eq(format($q$SELECT code, message, hint ~ 'make_plan' FROM pg_temp.told('SELECT crm.set_plan_limit(%s, 1, 901, 1)')$q$, p), format('VALUES (''55000'', %L, true)', m), m)
FROM (VALUES (:even, 'plan "even" is of strategy even, for level staff'), (:channels, 'plan "channels" is of strategy optimal, for level channel')) v (p, m);
SELECT results_eq(format('SELECT plan_id, count(*) FROM crm_bi.plan_unit_limit WHERE plan_id IN (%s, %s, %s, %s) GROUP BY 1 ORDER BY 1', :plan, :even, :channels, :units), format('VALUES (%s::bigint, 2::bigint), (%s, 2)', :plan, :units), 'a variant has the limits where it keeps to them');
SELECT lives_ok(format('SELECT crm.compute_plan(%s, ''2025-12-31'')', p), 'computed: ' || p) FROM (VALUES (:units), (:even), (:channels)) v (p);
SELECT ok(bool_and(used >= value), 'floors are kept for units') FROM crm_bi.plan_limit WHERE plan_id = :units AND kind = 'floor';
SELECT results_eq(format('SELECT plan_id, worth IS NULL, (SELECT count(*) FROM crm_bi.plan_limit l WHERE l.plan_id = p.plan_id) FROM crm_bi.plan p WHERE plan_id IN (%s, %s) ORDER BY 1', :even, :channels), format('VALUES (%s::bigint, true, 0::bigint), (%s, false, 2)', :even, :channels), 'others have no limits of units');

-- all of it is told
SELECT results_eq(format($$SELECT action, subject, before::jsonb - '{channel_id,org_id}'::text[], after::jsonb - '{channel_id,org_id}'::text[], reason FROM crm_bi.cycle_change WHERE plan_id = %s AND kind = 'limit' AND changed_at >= (
    SELECT min(changed_at) FROM crm_bi.cycle_change WHERE plan_id = %1$s AND kind = 'limit' AND reason = 'not needed') AND subject <> 'individual/900' ORDER BY changed_at$$, :plan),
  $$VALUES ('drop', 'telesales/902', '{"floor": 4}'::jsonb, NULL::jsonb, 'not needed'), ('make', 'telesales/905', NULL, '{"floor": 1}', NULL), ('drop', 'telesales/905', '{"floor": 1}', NULL, NULL), ('drop', 'individual/901', '{"floor": 3}', NULL, NULL),
           ('make', 'individual/903', NULL, '{"floor": 0, "capacity": 1}', NULL), ('change', 'individual/903', '{"floor": 0}', '{}', NULL), ('change', 'individual/903', '{}', '{"floor": 1, "note": "small"}', 'small')$$, 'limits stand in the history');

-- where proposals ask for fewer than would do, none gets more; the price of the volume is what one more would be worth
SELECT crm.revise_proposal(:call, 1, volume => 3, expected_contacts => 3, expected_purchases => 1, expected_premium => 360, expected_cost => 3), crm.revise_proposal(:visit, 1, volume => 2, expected_contacts => 2, expected_purchases => 1, expected_premium => 160, expected_cost => 2) \g /dev/null
SELECT crm.submit_proposal(:visit), crm.submit_proposal(:call) \g /dev/null
SELECT crm.make_plan(:cycle, 'few', weighing => 'net', strategy => 'optimal', level => 'channel') AS few \gset
SELECT lives_ok(format('SELECT crm.compute_plan(%s, ''2025-12-31'')', :few), 'with less asked for than there are');
SELECT results_eq(format('SELECT channel, value, used, price, is_exact FROM crm_bi.plan_limit WHERE plan_id = %s ORDER BY 1', :few), $$VALUES ('individual', 2::bigint, 2::bigint, 79::numeric, true), ('telesales', 3, 3, 119, true)$$, 'one more would be worth what a customer is');
SELECT is((SELECT worth FROM crm.plan WHERE id = :few), 3 * 119.0 + 2 * 79, 'the plan what five are');
SELECT crm.make_plan(:cycle, 'few, for units', like_plan => :few, level => 'unit') AS few_units \gset
SELECT crm.set_plan_limit(:few_units, 4, 902, 3), crm.set_plan_limit(:few_units, 1, 903, 1) \g /dev/null
SELECT lives_ok(format('SELECT crm.compute_plan(%s, ''2025-12-31'')', :few_units), 'for units, with floors');
SELECT results_eq(format('SELECT channel, planned FROM crm_bi.plan_proposal WHERE plan_id = %s ORDER BY 1', :few_units), $$VALUES ('individual', 2::bigint), ('telesales', 3)$$, 'as many as asked for');
SELECT crm.set_plan_limit(:few_units, 4, 904, 1) \g /dev/null
SELECT matches((SELECT code || detail FROM pg_temp.told(format('SELECT crm.compute_plan(%s, ''2025-12-31'')', :few_units))), '^55000They ask for 5 customers in all, and 4 can be had together: unit "V', 'floors above what the channel asks for are refused');

-- only a draft changes
SELECT crm.make_plan(:cycle, 'submitted', weighing => 'net', strategy => 'optimal') AS done \gset
UPDATE crm.plan SET state = 'approved' WHERE id = :done;
SELECT pg_temp.refused(format('SELECT crm.set_plan_limit(%s, 1, 901, 1)', :done), '55000', 'is approved', 'an approved plan keeps its limits');
SELECT pg_temp.refused(format('SELECT crm.drop_plan_limit(%s, 1, 901)', :done), '55000', 'is approved', 'all of them');
UPDATE crm.plan SET state = 'draft' WHERE id = :done;

-- customers who count differently: floors are kept, nobody is above the quota, the worth is below its bound
INSERT INTO crm.setting (name, value, valid_from) VALUES ('tier_load', 'none 1, others 3', '2020-01-01');
SELECT crm.open_cycle('loads', 1, '2026-01-01', '2026-12-31') AS loads \gset
SELECT ok(count(*) FILTER (WHERE outcome = 'released') > 200, 'many are free') FROM crm.release_to_inventory(:loads, 5, condition => 'true');
SELECT crm.propose(:loads, 1, 'visit', 'true', 400, 20, 4, 2000, '2026-06-30', 100) AS visit \gset
SELECT crm.propose(:loads, 4, 'call', 'true', 300, 20, 4, 2200, '2026-06-30', 20) AS call \gset
SELECT crm.submit_proposal(:visit), crm.submit_proposal(:call) \g /dev/null
SELECT crm.make_plan(:loads, 'weighted', weighing => 'result', strategy => 'optimal') AS weighted \gset
SELECT lives_ok(format('SELECT crm.compute_plan(%s, ''2025-12-31'')', :weighted), 'where customers count differently');
CREATE TEMP TABLE free_worth AS SELECT worth, worth_bound FROM crm.plan WHERE id = :weighted;
SELECT ok(worth > 0 AND worth <= worth_bound * 1.000001, 'the worth has a bound') FROM free_worth;
SELECT is_empty(format('SELECT * FROM crm_bi.plan_limit WHERE plan_id = %s AND (is_exact OR slack < 0)', :weighted), 'prices are figures to compare by');
SELECT l.channel_id AS low_channel, l.org_id AS low_unit, l.used AS low_used FROM crm.plan_price l WHERE plan_id = :weighted AND org_id IS NOT NULL AND value >= 60 ORDER BY used, id LIMIT 1 \gset
SELECT crm.set_plan_limit(:weighted, :low_channel, :low_unit, floor => :low_used + 12) \g /dev/null
SELECT lives_ok(format('SELECT crm.compute_plan(%s, ''2025-12-31'')', :weighted), 'with a floor');
SELECT ok(l.used >= l.value AND p.worth <= f.worth_bound * 1.000001, 'which is kept, at a cost') FROM crm.plan_price l JOIN crm.plan p ON p.id = l.plan_id CROSS JOIN free_worth f WHERE l.plan_id = :weighted AND l.kind = 'floor';
SELECT is_empty(format($$SELECT c.staff_id FROM crm.plan_customer c JOIN crm.staff s ON s.id = c.staff_id JOIN crm_bi.customer b USING (customer_id) WHERE c.plan_id = %s
  GROUP BY c.staff_id, s.* HAVING sum(crm.load_of(crm._tier_load(s.org_id, s.channel_id, '2025-12-31'), b.tier)) > crm._quota(s.*, '2025-12-31')$$, :weighted), 'nobody is above the quota');
-- a floor for which there is room with light customers only
INSERT INTO crm.holding_quota (staff_id, quota) VALUES (9003, 6);
SELECT crm.set_plan_limit(:weighted, 1, 903, 6) \g /dev/null
SELECT lives_ok(format('SELECT crm.compute_plan(%s, ''2025-12-31'')', :weighted), 'six of one, not two of three');
SELECT results_eq(format($$SELECT kind, used FROM crm_bi.plan_limit WHERE plan_id = %s AND org_id = 903 AND channel = 'individual' ORDER BY 1$$, :weighted), $$VALUES ('floor', 6::bigint), ('room', 6)$$, 'fill the quota');
SELECT crm.set_plan_limit(:weighted, 1, 903, 7) \g /dev/null
SELECT matches((SELECT code || detail FROM pg_temp.told(format('SELECT crm.compute_plan(%s, ''2025-12-31'')', :weighted))), '^55000.*unit "VC" of channel "individual" gets 6 of 7', 'seven do not fit');
SELECT crm.set_plan_limit(:weighted, 1, 902, 9223372036854775807), crm.set_plan_limit(:weighted, 1, 903, 9223372036854775807) \g /dev/null
SELECT matches((SELECT code || detail FROM pg_temp.told(format('SELECT crm.compute_plan(%s, ''2025-12-31'')', :weighted))), '^55000They ask for 18446744073709551\d\d\d customers in all', 'nor do all there could be');
SELECT crm.set_plan_limit(:weighted, 1, 902, capacity => 9223372036854775807), crm.set_plan_limit(:weighted, 1, 903, 1, 9223372036854775807) \g /dev/null
SELECT lives_ok(format('SELECT crm.compute_plan(%s, ''2025-12-31'')', :weighted), 'no limit is too high');
SELECT crm.post() >= 0 AS posted \g /dev/null
SELECT is_empty('SELECT * FROM crm.check()', 'all is well');
SELECT * FROM finish();
ROLLBACK;
