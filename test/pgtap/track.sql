-- Plans that hold customers out, what came of plans by stage, unit and channel, feedback, and the past that plans go by.
\set ON_ERROR_STOP on
BEGIN;
SELECT no_plan();
\ir include/helpers.sql
SET LOCAL client_min_messages = warning;
SELECT (now() AT TIME ZONE 'Asia/Shanghai')::date AS today \gset
INSERT INTO crm.organisation (id, parent_id, code, name, area) VALUES (1, NULL, 'c', 'Company', NULL), (2, 1, 'n', 'North', 'suburb'), (3, 1, 's', 'South', 'city');
CREATE ROLE crm_test_agent; CREATE ROLE crm_test_analyst;
CALL crm.grant_duty('sales', 'crm_test_agent');
CALL crm.grant_duty('analyst', 'crm_test_analyst');
INSERT INTO crm.staff (id, code, name, org_id, channel_id, joined_on, login) VALUES
  (1, 'a', 'Planner', 1, 2, '2020-01-01', 'planner'), (2, 'b', 'Head', 1, 2, '2020-01-01', 'head'), (3, 'c', 'Agent', 2, 1, '2020-01-01', 'crm_test_agent'), (4, 'd', 'Agent', 3, 1, '2020-01-01', NULL),
  (5, 'e', 'Caller', 2, 4, '2020-01-01', NULL), (6, 'f', 'Caller', 3, 4, '2020-01-01', NULL), (7, 'g', 'Gone', 3, 4, '2020-01-01', NULL);
UPDATE crm.staff SET left_on = '2021-01-01' WHERE id = 7;
INSERT INTO crm.position (staff_id, org_id, duty) VALUES (1, 1, 'planner'), (2, 1, 'approver'), (2, 1, 'resource_manager');
INSERT INTO crm.setting (name, value, valid_from) VALUES ('cycle_consent', 'false', '2020-01-01'), ('holding_quota', '400', '2020-01-01');
-- 600 who may be planned, every third with a policy; 161 of the past
-- 600 who may be planned, every third insured; 101 of the past
INSERT INTO crm.product (id, code, name) VALUES (1, 'p', 'Product');
INSERT INTO crm.customer (id, kind, name, org_id, source_channel_id, known_from) SELECT i, 'person', 'Customer ' || i, 2 + i % 2, 1, '2019-01-01' FROM generate_series(1, 701) i;
INSERT INTO crm.policy (customer_id, product_id, channel_id, issued_on, payment, premium, payments)
SELECT i, 1, 1, '2019-06-01', 'yearly', 500, 20 FROM generate_series(1, 700) i WHERE i <= 600 AND i % 3 = 0 OR i > 660;
-- callers sold to 12 of 60, agents to 2 of 40 whom they knew, and to one of one who was rich
INSERT INTO crm.holding (customer_id, channel_id, org_id, staff_id, held_from, held_to, start_cause, end_cause, ended_by, rule, last_contact_at)
SELECT i, s.channel_id, s.org_id, s.id, crm._business_time(:'today'::date - 400), crm._business_time(:'today'::date - 200), 'claim', 'release', 'x', 'at most 9999 days', crm._business_time(:'today'::date - 390)
FROM generate_series(601, 701) i JOIN crm.staff s ON s.id = CASE WHEN i <= 660 THEN 5 ELSE 3 END;
INSERT INTO crm.contact (customer_id, staff_id, channel_id, purpose, at, outcome) SELECT i, 5, 4, 'sales', crm._business_time(:'today'::date - 390), 'x' FROM generate_series(601, 660) i;
INSERT INTO crm.contact (customer_id, staff_id, channel_id, purpose, at, outcome) SELECT 701, 5, 4, 'sales', crm._business_time(:'today'::date - 390), 'another channel';
INSERT INTO crm.policy (customer_id, product_id, channel_id, issued_on, payment, premium, payments)
SELECT i, 1, 1, :'today'::date - 360, 'yearly', CASE i WHEN 701 THEN 1000000 ELSE 2000 END, 10 FROM generate_series(601, 701) i WHERE i <= 660 AND i % 5 = 0 OR i IN (670, 690, 701);
INSERT INTO crm.customer_cost (customer_id, kind, incurred_on, amount) SELECT i, 'visit', :'today'::date - 380, 100 FROM generate_series(601, 660) i;
CALL crm.rebuild(:'today', NULL);
SET LOCAL crm.as_of = :'today';
SET LOCAL crm.posting = 'commit';
SET LOCAL crm.actor = 'planner';

SELECT crm.open_cycle('spring', 1, :'today', :'today'::date + 200) AS cycle \gset
SELECT is((SELECT count(*) FROM crm.release_to_inventory(:cycle, 5, ARRAY(SELECT i FROM generate_series(1::bigint, 600) i)) WHERE outcome = 'released'), 600::bigint, 'released');
SELECT crm.propose(:cycle, 1, 'agents', 'true', 400, 200, 40, 80000, :'today'::date + 60, 4000) AS agents \gset
SELECT crm.propose(:cycle, 4, 'calls', 'coverage = ''prospect''', 400, 150, 40, 80000, :'today'::date + 90) AS calls \gset
SELECT crm.submit_proposal(:agents), crm.submit_proposal(:calls) \g /dev/null

-- the past: who is credited with what -------------------------------------------------

SELECT results_eq($$SELECT channel, coverage, allocated, contacted, purchased, premium, cost, cost_per_purchase, days, median_days FROM crm_bi.channel_history ORDER BY 1, 2$$,
  $$VALUES ('individual', 'insured', 40::bigint, 40::bigint, 2::bigint, 4000::numeric, 0::numeric, 0.00, 40.00, 40::numeric), ('individual', 'prospect', 1, 1, 1, 1000000, 0, 0.00, 40.00, 40),
           ('telesales', 'prospect', 60, 60, 12, 24000, 6000, 500.00, 30.00, 30)$$, 'result, cost and sales cycle, from the first contact of the channel or else the start');
SELECT is_empty($$SELECT * FROM crm_bi.channel_history h, crm.rate_interval(h.purchased, h.allocated) i WHERE h.purchase_rate_low IS DISTINCT FROM round(i.lower::numeric, 6) OR h.purchase_rate_high IS DISTINCT FROM round(i.upper::numeric, 6)$$, 'with intervals');
SELECT results_eq($$SELECT channel, place FROM crm_bi.channel_history WHERE coverage = 'prospect' ORDER BY place$$, $$VALUES ('telesales', 1::bigint), ('individual', 2)$$, 'one rich customer does not make a channel the best');
SELECT crm.make_plan(:cycle, 'best', weighing => 'best') AS best \gset
SELECT is(crm.compute_plan(:best, :'today'), 1, 'planned by the best net result');
SELECT results_eq(format('SELECT channel, coverage, basis, allocated, purchased, premium_per_allocated::integer, days, round(credibility, 6) FROM crm_bi.plan_cell WHERE plan_id = %s ORDER BY 1, 2', :best),
  $$VALUES ('individual', 'insured', 'class', 40::bigint, 2::bigint, 100, 40.0000, round(40 / 70.0, 6)), ('individual', 'prospect', 'class', 1, 1, 1000000, 40.0000, round(1 / 31.0, 6)),
           ('telesales', 'prospect', 'class', 60, 12, 400, 30.0000, round(60 / 90.0, 6))$$, 'the plan shows the numbers that it used');
-- the same by hand: promise, company, channel, class; premium above 2000 spread over all 15 purchases
WITH step AS (SELECT 40 / 400.0 AS p1, 40 / 400.0 AS p4, 998000 / 15.0 * 15 / 45 AS load),
company AS (SELECT (15 + 30 * p1) / 131 AS c1, (15 + 30 * p4) / 131 AS c4, load FROM step),
channel AS (SELECT (3 + 30 * c1) / 71 AS h1, (12 + 30 * c4) / 90 AS h4, load FROM company)
SELECT results_eq(format('SELECT channel, coverage, round(expected_purchases, 8), round(expected_premium, 4) FROM crm_bi.plan_cell WHERE plan_id = %s ORDER BY 1, 2', :best),
  format($$VALUES ('individual', 'insured', %s, %s), ('individual', 'prospect', %s, %s), ('telesales', 'prospect', %s, %s)$$,
         round(a, 8), round(a * (2000 + load), 4), round(b, 8), round(b * (2000 + load), 4), round(d, 8), round(d * (2000 + load), 4)), 'as reckoned by hand')
FROM (SELECT (2 + 30 * h1) / 70 AS a, (1 + 30 * h1) / 31 AS b, (12 + 30 * h4) / 90 AS d, load FROM channel) x;
SELECT is_empty(format($$SELECT * FROM crm_bi.plan_cell c WHERE plan_id = %s AND abs(expected_purchases - crm.credible(purchased::numeric / allocated, allocated, prior_purchases, 30)) > 0.000000001$$, :best), 'what is shown leads to what is expected');
SELECT results_eq(format('SELECT count(*) FROM crm_bi.plan_customer WHERE plan_id = %s AND channel = ''telesales'' AND coverage = ''prospect''', :best), 'VALUES (400::bigint)', 'the channel with the larger sample gets the prospects it asks for');
INSERT INTO crm.setting (name, value, valid_from) VALUES ('history_sample', '0', '2020-01-01');
SELECT is(crm.compute_plan(:best, :'today'), 2, 'samples taken at their word');
SELECT is((SELECT count(*) FROM crm.plan_customer c JOIN crm.plan_line l USING (plan_id, line) WHERE c.plan_id = :best AND l.channel_id = 1 AND c.coverage = 'prospect'), 200::bigint, 'and the lucky one gets all it can');
DELETE FROM crm.setting WHERE name = 'history_sample';

-- who is held out -------------------------------------------------------------------

SELECT crm.make_plan(:cycle, 'trial', weighing => 'demand') AS plan \gset
SELECT crm.set_plan_stage(:plan, 1, 'pilot', :'today', :'today'::date + 90, org_ids => '{2}'), crm.set_plan_stage(:plan, 2, 'city', :'today', :'today'::date + 90, area => 'city') \g /dev/null
SELECT crm.adjust_plan(:plan, 'pin', customer_id => i, staff_id => 3) FROM generate_series(2, 10, 2) i \g /dev/null
SELECT pg_temp.refused(format('SELECT crm.set_hold_out(%s)', args), code, words, 'not held out: ' || args) FROM (VALUES
  (:'plan' || ', -0.1', '22023', 'share -0.1'), (:'plan' || ', 0.51', '22023', 'share 0.51'), (:'plan' || ', ''NaN''', '22023', 'share NaN'), (:'plan' || ', NULL', '22004', 'must be given'),
  (:'plan' || ', 0.1, NULL', '22004', 'must be given'), (:'plan' || ', 0.1, 0', '22023', 'window of 0'), (:'plan' || ', 0.1, 3661', '22023', 'window'), ('NULL, 0.1', '22004', 'plan must be given'), ('999, 0.1', '23503', 'no plan')) v (args, code, words);
SELECT crm.set_hold_out(:plan, 0.2, 60) \g /dev/null
SELECT results_eq(format('SELECT before::jsonb ->> ''share'', after::jsonb ->> ''share'', changed_by FROM crm_bi.cycle_change WHERE plan_id = %s AND kind = ''hold_out''', :plan), $$VALUES ('0', '0.2', 'planner')$$, 'which stands in the history');
SELECT is((SELECT as_of FROM crm.plan WHERE id = :plan), NULL, 'it is to be computed anew');
SELECT is(crm.compute_plan(:plan, :'today'), 1, 'computed');
SELECT results_eq(format('SELECT planned, held_out, hold_out FROM crm_bi.plan WHERE plan_id = %s', :plan), format('SELECT 600::bigint, count(*), 0.2 FROM crm.plan_customer WHERE plan_id = %s AND arm = ''hold_out''', :plan), 'the plan tells how many');
SELECT ok(abs(count(*) FILTER (WHERE arm = 'hold_out') - 0.2 * 595) < 1 AND count(*) FILTER (WHERE arm IS NULL) = 5 AND bool_and((arm IS NULL) = (why = 'pin')), 'a fifth, of those not pinned') FROM crm.plan_customer WHERE plan_id = :plan;
SELECT is_empty(format($$SELECT stage, channel, proposal_id, coverage, tier FROM crm_bi.plan_customer WHERE plan_id = %s AND arm IS NOT NULL GROUP BY 1, 2, 3, 4, 5 HAVING abs(count(*) FILTER (WHERE arm = 'hold_out') - 0.2 * count(*)) >= 1$$, :plan), 'of each stage, channel and class');
SELECT is_empty(format($$SELECT l.line FROM crm.plan_line l WHERE plan_id = %1$s AND ROW (held_out, expected_purchases)::text IS DISTINCT FROM
    (SELECT ROW (count(*) FILTER (WHERE c.arm = 'hold_out'), round(sum(x.expected_purchases) FILTER (WHERE c.arm IS DISTINCT FROM 'hold_out'), 4))::text FROM crm.plan_customer c
     JOIN crm.plan_cell x ON x.plan_id = %1$s AND x.proposal_id = l.proposal_id AND x.coverage = c.coverage AND x.tier = c.tier WHERE c.plan_id = %1$s AND c.line = l.line)$$, :plan), 'of whom nothing is expected');
CREATE TEMP TABLE first_time AS SELECT customer_id, staff_id, arm FROM crm.plan_customer WHERE plan_id = :plan;
SELECT crm.compute_plan(:plan, :'today') AS version \gset
SELECT pg_temp.same(format('SELECT customer_id, staff_id, arm FROM crm.plan_customer WHERE plan_id = %s', :plan), 'SELECT * FROM first_time', 'computed again the same are drawn');
SELECT crm.make_plan(:cycle, 'variant', like_plan => :plan) AS variant \gset
SELECT results_eq(format('SELECT hold_out, hold_out_days FROM crm.plan WHERE id = %s', :variant), 'VALUES (0.2, 60)', 'a variant holds out as many');
SELECT is(crm.compute_plan(:variant, :'today'), 1, 'computed');
SELECT isnt((SELECT array_agg(customer_id ORDER BY 1) FROM crm.plan_customer WHERE plan_id = :variant AND arm = 'hold_out'), (SELECT array_agg(customer_id ORDER BY 1) FROM first_time WHERE arm = 'hold_out'), 'but others');
SELECT is((SELECT count(*) FROM crm._held_out), 0::bigint, 'a draft keeps nobody from anything');
SELECT crm.submit_plan(:plan, :version) \g /dev/null
SELECT pg_temp.refused(format('SELECT crm.set_hold_out(%s, 0)', :plan), '55000', 'is submitted', 'nor changes who is held out once submitted');
SET LOCAL crm.actor = 'head';
SELECT crm.approve_plan(:plan, :version) \g /dev/null

-- nobody allocates them
CREATE TEMP TABLE kept AS SELECT customer_id, row_number() OVER (ORDER BY customer_id) AS n, stage FROM crm_bi.plan_customer WHERE plan_id = :plan AND arm = 'hold_out';
SELECT pg_temp.same('SELECT customer_id FROM crm._held_out', 'SELECT customer_id FROM kept', 'approved, it does');
CREATE FUNCTION pg_temp.outcomes() RETURNS TABLE (way text, outcomes text[]) LANGUAGE plpgsql AS $$
DECLARE
  few CONSTANT bigint[] := ARRAY(SELECT customer_id FROM kept ORDER BY 1 LIMIT 4);
BEGIN
  FOREACH way IN ARRAY '{even,round_robin,least_loaded,best_fit,optimal}'::text[] LOOP
    outcomes := ARRAY(SELECT DISTINCT a.outcome FROM crm.allocate(few, '{4,6}', way) a);
    RETURN NEXT;
  END LOOP;
  RETURN QUERY SELECT 'given', array_agg(DISTINCT a.outcome) FROM crm.allocate(few, '{4,6,4,6}', 'given') a;
  RETURN QUERY SELECT 'weighted', array_agg(DISTINCT a.outcome) FROM crm.allocate(few, '{4,6}', 'weighted', 'SELECT 4 AS holder_id, 1 AS weight') a;
  RETURN QUERY SELECT 'entrust', array_agg(DISTINCT a.outcome) FROM crm.entrust(few, 1) a;
  PERFORM crm.await_allocation(few, ARRAY[4::bigint, 6]);
  RETURN QUERY SELECT 'drain', array_agg(DISTINCT a.outcome) FROM crm.drain_waiting() a;
  DELETE FROM crm.waiting;
END
$$;
SELECT is(outcomes, '{held_out}', 'before they are told: ' || way) FROM pg_temp.outcomes();
CALL crm.carry_out_plan(:plan, 1, batch => NULL);
SELECT is(outcomes, '{held_out}', 'and after: ' || way) FROM pg_temp.outcomes();
SELECT is((SELECT count(*) FROM crm.holding h JOIN kept USING (customer_id)), 0::bigint, 'nobody holds them');
SELECT results_eq(format('SELECT c.outcome, count(*) FROM crm.plan_customer c JOIN crm.plan_line l USING (plan_id, line) WHERE c.plan_id = %s AND l.stage = 1 GROUP BY 1 ORDER BY 1', :plan),
  format('SELECT CASE WHEN arm = ''hold_out'' THEN ''held_out'' ELSE ''allocated'' END, count(*) FROM crm.plan_customer c JOIN crm.plan_line l USING (plan_id, line) WHERE c.plan_id = %s AND l.stage = 1 GROUP BY 1 ORDER BY 1', :plan), 'the first stage');
SELECT crm.open_cycle('another', 1, :'today', :'today'::date + 200) AS other \gset
SELECT count(*) FROM crm.release_to_inventory(:other, 5, ARRAY(SELECT customer_id FROM kept)) \g /dev/null
SELECT is_empty(format('SELECT customer_id FROM crm.inventory(%s, %L) WHERE conflicts IS NULL OR conflicts !~ ''held_out''', :other, :'today'), 'another cycle does not plan them');
-- one comes and is claimed; one is blacklisted before the plan comes to them
SELECT customer_id AS claimed FROM kept WHERE stage = 2 ORDER BY 1 LIMIT 1 \gset
SELECT ok(crm.claim(:claimed, 6) IS NOT NULL, 'whoever asks for a customer by name may have one');
SELECT customer_id AS black FROM crm_bi.plan_customer WHERE plan_id = :plan AND stage = 2 AND arm = 'treated' ORDER BY 1 DESC LIMIT 1 \gset
INSERT INTO crm.blacklist (customer_id, reason, from_date) VALUES (:black, 'fraud', :'today');
CALL crm.carry_out_plan(:plan, batch => NULL);
SELECT results_eq(format('SELECT state, planned, held_out, allocated, not_allocated, to_do FROM crm_bi.plan WHERE plan_id = %s', :plan), format('SELECT ''carried_out'', 600::bigint, n, 599 - n, 1::bigint, 0::bigint FROM (SELECT count(*) AS n FROM kept) k'), 'carried out');
SELECT results_eq(format('SELECT customer_id, cause FROM crm_bi.plan_difference WHERE plan_id = %s', :plan), format('VALUES (%s::bigint, ''blacklisted'')', :black), 'to hold out is no difference');
SELECT pg_temp.refused(format('UPDATE crm.plan_customer SET outcome = ''allocated'', holding_id = 1 WHERE plan_id = %s AND customer_id = %s', :plan, :claimed), '23514', 'plan_customer_hold_out_check', 'who is held out is never allocated');
SAVEPOINT later;
UPDATE crm.plan_customer SET done_at = done_at - interval '60 days' WHERE plan_id = :plan;
SELECT is((SELECT count(*) FROM crm._held_out), (SELECT count(*) - 1 FROM kept), 'up to the last day, but for who was claimed');
UPDATE crm.plan_customer SET done_at = done_at - interval '1 day' WHERE plan_id = :plan;
SELECT is((SELECT count(*) FROM crm._held_out), 0::bigint, 'and no longer');
SELECT is((SELECT array_agg(DISTINCT outcome) FROM crm.allocate(ARRAY(SELECT customer_id FROM kept WHERE customer_id <> :claimed), '{4,6}')), '{allocated}', 'then all are free');
ROLLBACK TO later;
SELECT crm.release(:claimed, 6) \g /dev/null
SELECT is((SELECT outcome FROM crm.allocate(ARRAY[:claimed::bigint], '{4}')), 'allocated', 'who was claimed is served, and passed on as anybody');
ROLLBACK TO later;

-- what came of it: purchases by a known chance ------------------------------------------

SELECT crm.record_contact(customer_id, staff_id, 'sales', 'spoken') FROM crm.holding WHERE plan_id = :plan AND customer_id % 3 = 0 \g /dev/null
CREATE TEMP TABLE buyer AS
SELECT c.customer_id, :'today'::date + (c.customer_id % 80)::integer AS day, 1000 + 10 * c.customer_id AS premium
FROM crm.plan_customer c WHERE c.plan_id = :plan AND (hashint8extended(c.customer_id, 12) & 1023) < CASE WHEN c.arm = 'hold_out' THEN 102 ELSE 307 END;
INSERT INTO crm.policy (customer_id, product_id, channel_id, issued_on, payment, premium, payments) SELECT b.customer_id, 1, 1, b.day, 'yearly', b.premium, 10 FROM buyer b;
INSERT INTO crm.policy (customer_id, product_id, channel_id, issued_on, payment, premium, payments) SELECT b.customer_id, 1, 1, b.day + 1, 'yearly', 77, 10 FROM buyer b WHERE b.customer_id % 7 = 0;
INSERT INTO crm.customer_cost (customer_id, kind, incurred_on, amount) SELECT customer_id, 'visit', :'today'::date + 5, 10 FROM crm.plan_customer WHERE plan_id = :plan AND customer_id % 2 = 0;
INSERT INTO crm.customer_cost (customer_id, kind, incurred_on, amount) SELECT customer_id, 'hotline', :'today'::date + 5, 99 FROM crm.plan_customer WHERE plan_id = :plan;
INSERT INTO crm.commission (customer_id, policy_id, kind, earned_on, amount) SELECT p.customer_id, p.id, 'first_year', p.issued_on, 100 FROM crm.policy p JOIN buyer b ON b.customer_id = p.customer_id AND b.day = p.issued_on;
SET LOCAL crm.posting = 'commit';
SELECT ok(crm.post() > 0, 'posted');

CREATE FUNCTION pg_temp.same_on(day date, got text, wanted text, name text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  PERFORM set_config('crm.as_of', day::text, true);
  RETURN pg_temp.same(got, wanted, name);
END
$$;
CREATE FUNCTION pg_temp.naive_uplift(plan bigint, day date, today date) RETURNS TABLE (dimension text, member text, treated bigint, treated_bought bigint, held_out bigint, held_out_bought bigint, treated_premium numeric, held_out_premium numeric) LANGUAGE sql AS $$
  SELECT d.dimension, d.member, count(*) FILTER (WHERE c.arm = 'treated'), count(*) FILTER (WHERE c.arm = 'treated' AND b.n > 0), count(*) FILTER (WHERE c.arm = 'hold_out'), count(*) FILTER (WHERE c.arm = 'hold_out' AND b.n > 0),
         round(avg(coalesce(b.premium, 0)) FILTER (WHERE c.arm = 'treated'), 2), round(avg(coalesce(b.premium, 0)) FILTER (WHERE c.arm = 'hold_out'), 2)
  FROM crm_bi.plan_customer c
  CROSS JOIN LATERAL (VALUES ('plan', c.plan_id::text), ('stage', c.stage::text), ('channel', c.channel), ('proposal', c.proposal_id::text), ('coverage', c.coverage), ('tier', c.tier)) d (dimension, member)
  CROSS JOIN LATERAL (SELECT count(*) AS n, sum(p.annual_premium) AS premium FROM crm.policy p WHERE p.customer_id = c.customer_id AND p.issued_on BETWEEN today AND least(today + 60, day)) b
  WHERE c.plan_id = plan AND c.arm IS NOT NULL GROUP BY 1, 2
$$;
SELECT pg_temp.same_on(:'today'::date + days, format('SELECT dimension, member, treated, treated_bought, held_out, held_out_bought, treated_premium, held_out_premium FROM crm_bi.plan_uplift WHERE plan_id = %s', :plan),
  format('SELECT * FROM pg_temp.naive_uplift(%s, %L, %L)', :plan, :'today'::date + days, :'today'), format('both groups after %s days', days)) FROM (VALUES (0), (20), (59), (60), (61), (79)) v (days);
SELECT is_empty(format($$SELECT u.* FROM crm_bi.plan_uplift u, crm.uplift(u.treated_bought, u.treated, u.held_out_bought, u.held_out) n
  WHERE plan_id = %s AND (u.uplift, u.uplift_low, u.uplift_high, u.extra_purchases) IS DISTINCT FROM (round(n.uplift::numeric, 6), round(n.lower::numeric, 6), round(n.upper::numeric, 6), round((n.uplift * u.treated)::numeric, 2))$$, :plan), 'with the interval of crm.uplift()');
SELECT ok(uplift_low < 0.15 AND uplift_high > 0.15 AND uplift_low > 0 AND is_over AND held_out_merged = 0 AND held_out_but_held = 1 AND premium_uplift_low < premium_uplift, 'which holds what chance was given, and is above nothing')
FROM crm_bi.plan_uplift WHERE plan_id = :plan AND dimension = 'plan';
SELECT set_config('crm.as_of', (:'today'::date + 60)::text, true) \g /dev/null
SELECT results_eq(format('SELECT DISTINCT is_over, until FROM crm_bi.plan_uplift WHERE plan_id = %s', :plan), format('SELECT false, %L::date', :'today'::date + 60), 'the window is not over on its last day');
SELECT set_config('crm.as_of', (:'today'::date + 61)::text, true) \g /dev/null
SELECT results_eq(format('SELECT DISTINCT is_over, until FROM crm_bi.plan_uplift WHERE plan_id = %s', :plan), format('SELECT true, %L::date', :'today'::date + 60), 'but on the next');
SELECT set_config('crm.as_of', (:'today'::date + 79)::text, true) \g /dev/null
SELECT ok(bool_and(premium_uplift_low IS NULL) AND count(*) > 0, 'too few purchases have no interval of premium') FROM crm_bi.plan_uplift WHERE plan_id = :plan AND least(treated_bought, held_out_bought) < 5;
SELECT set_config('crm.as_of', (:'today'::date - 1)::text, true) \g /dev/null
SELECT is_empty(format('SELECT * FROM crm_bi.plan_uplift WHERE plan_id = %s', :plan), 'before it began there is nothing to compare');

-- feedback ----------------------------------------------------------------------------

SELECT set_config('crm.as_of', (:'today'::date + 79)::text, true) \g /dev/null
SELECT customer_id AS mine FROM crm.holding WHERE plan_id = :plan AND staff_id = 3 AND held_to IS NULL ORDER BY 1 LIMIT 1 \gset
SELECT customer_id AS theirs FROM crm.holding WHERE plan_id = :plan AND staff_id = 4 AND held_to IS NULL ORDER BY 1 LIMIT 1 \gset
SELECT customer_id AS kept1 FROM kept WHERE customer_id <> :claimed ORDER BY 1 LIMIT 1 \gset
SELECT pg_temp.refused(format('SELECT crm.give_feedback(%s)', args), code, words, 'no feedback: ' || args) FROM (VALUES
  (:'mine' || ', 3, NULL', '22004', 'result must be given'), (:'mine' || ', 3, ''nonsense''', '22023', 'no result "nonsense"'), (:'mine' || ', 3, ''Interested''', '22023', 'no result'),
  (:'mine' || ', 3, ''later'', NULL, ''2020-01-01''', '22023', 'next step'), (:'mine' || ', 3, ''later'', NULL, ''infinity''', '22023', 'next step'), (:'mine' || ', 3, ''later'', ''  ''', '23514', 'feedback_note_check'),
  (:'mine' || ', 4, ''later''', '55000', 'does not hold'), (:'theirs' || ', 3, ''later''', '55000', 'does not hold'), (:'kept1' || ', 3, ''later''', '55000', 'does not hold'), (:'claimed' || ', 6, ''later''', '55000', 'through no plan'),
  (:'mine' || ', 7, ''later''', '55000', 'not in post'), (:'mine' || ', 99, ''later''', '23503', 'no member of staff'), (:'mine' || ', NULL, ''later''', '22004', ''), ('NULL, 3, ''later''', '22004', 'customer must be given'), ('99999, 3, ''later''', '23503', 'no customer')) v (args, code, words);
SELECT is((SELECT count(*) FROM crm.feedback), 0::bigint, 'none is kept');
RESET crm.actor;
SELECT is(pg_temp.by_login(login, statement), answer, login || ': ' || statement) FROM (VALUES
  ('crm_test_agent'::name, format('SELECT crm.give_feedback(%s, 3, ''interested'', ''wants a leaflet'', crm.today() + 9) > 0', :mine), 'true'), ('crm_test_agent', format('SELECT crm.give_feedback(%s, 4, ''interested'')', :theirs), '42501'),
  ('crm_test_analyst', format('SELECT crm.give_feedback(%s, 3, ''interested'')', :mine), '42501'), ('crm_test_agent', 'SELECT count(*) FROM crm.feedback', '42501'), ('crm_test_agent', 'SELECT count(*) FROM crm_bi.plan_uplift', '42501'),
  ('crm_test_analyst', 'SELECT count(*) > 0 FROM crm_bi.plan_uplift', 'true'), ('crm_test_analyst', 'SELECT count(*) > 0 FROM crm_bi.plan_bulletin', 'true'), ('crm_test_analyst', 'SELECT count(*) FROM crm_bi.plan_channel', '6'),
  ('crm_test_analyst', 'SELECT count(*) FROM crm_bi.feedback', '1'), ('crm_test_analyst', 'SELECT count(*) > 0 FROM crm_bi.plan_stage_comparison', 'true'), ('crm_test_analyst', 'SELECT count(*) > 0 FROM crm_bi.channel_history', 'true'),
  ('crm_test_analyst', 'SELECT crm.set_hold_out(1, 0)', '42501'), ('crm_test_agent', 'UPDATE crm.plan_customer SET arm = NULL', '42501')) v (login, statement, answer);
SET LOCAL crm.actor = 'head';
SELECT is((SELECT plan_id FROM crm.feedback), :plan::bigint, 'it tells the plan');
SELECT crm.give_feedback(customer_id, staff_id, CASE WHEN customer_id % 8 = 0 THEN 'not_reached' ELSE 'not_interested' END) FROM crm.holding WHERE plan_id = :plan AND held_to IS NULL AND customer_id % 4 = 0 \g /dev/null
SELECT crm.give_feedback(customer_id, staff_id, 'later') FROM crm.holding WHERE plan_id = :plan AND held_to IS NULL AND customer_id % 16 = 0 \g /dev/null
SELECT is((SELECT count(*) FROM crm_bi.feedback WHERE is_latest), (SELECT count(DISTINCT customer_id) FROM crm.feedback), 'the latest of each customer counts');
-- passed on, the customer is still of the plan, which the next holder may tell about
SELECT crm.transfer(:mine, 5, 'moved', waive_cool_off => true) AS passed \gset
SELECT ok(crm.give_feedback(:mine, 5, 'bought') > 0, 'the next holder gives feedback');
SELECT is((SELECT array_agg(DISTINCT plan_id) FROM crm.feedback WHERE customer_id = :mine), ARRAY[:plan::bigint], 'on the same plan');

-- bulletins ----------------------------------------------------------------------------

RESET crm.actor;
SELECT cmp_ok(crm.attribute_policies(), '>', 50::bigint, 'policies are attributed');
SET LOCAL crm.actor = 'head';
CREATE FUNCTION pg_temp.naive_bulletin(plan bigint, day date) RETURNS TABLE (stage integer, channel text, org_id bigint, planned bigint, held_out bigint, allocated bigint, contacted bigint, fed_back bigint, reached bigint, purchases bigint, policies bigint, premium numeric, cost numeric) LANGUAGE sql AS $$
  SELECT c.stage, c.channel, c.org_id, count(*), count(*) FILTER (WHERE c.arm = 'hold_out'), count(h.id) FILTER (WHERE h.f <= day), count(*) FILTER (WHERE h.id IS NOT NULL AND c.customer_id % 3 = 0 AND h.f <= day),
         count(f.result) FILTER (WHERE h.f <= day), count(*) FILTER (WHERE f.result NOT IN ('not_reached', 'not_tried') AND h.f <= day), count(*) FILTER (WHERE p.n > 0), coalesce(sum(p.n), 0)::bigint, coalesce(sum(p.premium), 0), coalesce(sum(p.commission), 0) + coalesce(sum(k.cost), 0)
  FROM crm_bi.plan_customer c
  LEFT JOIN (SELECT g.*, (g.held_from AT TIME ZONE 'Asia/Shanghai')::date AS f, CASE WHEN g.held_to IS NULL THEN day ELSE least(day, (g.held_to AT TIME ZONE 'Asia/Shanghai')::date - 1) END AS t FROM crm.holding g WHERE g.plan_id = naive_bulletin.plan) h ON h.customer_id = c.customer_id
  LEFT JOIN LATERAL (SELECT x.result FROM crm.feedback x WHERE x.customer_id = c.customer_id ORDER BY x.id DESC LIMIT 1) f ON true
  LEFT JOIN LATERAL (SELECT count(*) AS n, sum(x.annual_premium) AS premium, sum((SELECT sum(y.amount) FROM crm.commission y WHERE y.policy_id = x.id)) AS commission FROM crm.policy x WHERE x.customer_id = c.customer_id AND x.issued_on BETWEEN h.f AND h.t) p ON true
  LEFT JOIN LATERAL (SELECT sum(x.amount) AS cost FROM crm.customer_cost x WHERE x.kind = 'visit' AND x.customer_id = c.customer_id AND x.incurred_on BETWEEN h.f AND h.t) k ON true
  WHERE c.plan_id = naive_bulletin.plan GROUP BY 1, 2, 3
$$;
SELECT pg_temp.same_on(:'today'::date + days, format('SELECT stage, channel, org_id, planned, held_out, allocated, contacted, fed_back, reached, purchases, policies, premium, cost FROM crm_bi.plan_bulletin WHERE plan_id = %s', :plan),
  format('SELECT * FROM pg_temp.naive_bulletin(%s, %L) b', :plan, :'today'::date + days), format('bulletin after %s days', days)) FROM (VALUES (-1), (0), (5), (33), (79)) v (days);
SELECT results_eq(format('SELECT sum(planned), sum(allocated), sum(expected_purchases), sum(expected_premium) FROM crm_bi.plan_bulletin WHERE plan_id = %s', :plan), format('SELECT planned::numeric, allocated::numeric, expected_purchases, expected_premium FROM crm_bi.plan WHERE plan_id = %s', :plan), 'bulletins add up to the plan');
SELECT results_eq(format('SELECT channel, round(sum(promised_purchases), 2), round(sum(promised_premium)), max(promised_by) FROM crm_bi.plan_bulletin WHERE plan_id = %s GROUP BY 1 ORDER BY 1', :plan),
  format($$SELECT c.channel, round(count(*) * 0.1, 2), round(count(*) * 200.0), max(CASE c.channel WHEN 'telesales' THEN %L::date ELSE %L END) FROM crm_bi.plan_customer c WHERE plan_id = %s AND arm IS DISTINCT FROM 'hold_out' GROUP BY 1 ORDER BY 1$$, :'today'::date + 90, :'today'::date + 60, :plan), 'what proposals promise, of as many');
SELECT results_eq(format('SELECT DISTINCT channel, time_gone FROM crm_bi.plan_bulletin WHERE plan_id = %s ORDER BY 1', :plan), $$VALUES ('individual', 1::numeric), ('telesales', round(79 / 90.0, 4))$$, 'and how much of the time is gone');
-- expected over the 90 days of history_days from the first, pro rata: a plan on its way is not behind for being young
SELECT pg_temp.same_on(:'today'::date + days, format('SELECT stage, channel, org_id, expected_days, expected_so_far, purchases_in_time, attained_expected FROM crm_bi.plan_bulletin WHERE plan_id = %s', :plan),
  format($$SELECT b.stage, b.channel, b.org_id, 90, round(b.expected_purchases * least(%1$s + 1, 90) / 90.0, 4), n.n, round(n.n / nullif(b.expected_purchases * least(%1$s + 1, 90) / 90.0, 0), 4) FROM crm_bi.plan_bulletin b
    CROSS JOIN LATERAL (SELECT count(*) AS n FROM crm._plan_result r JOIN crm.channel h ON h.id = r.channel_id WHERE r.plan_id = %2$s AND (r.stage, h.code, r.org_id) = (b.stage, b.channel, b.org_id) AND r.bought_on < %3$L::date + 90) n WHERE b.plan_id = %2$s$$,
    days, :plan, :'today'), format('what was to be expected after %s days', days)) FROM (VALUES (0), (13), (79), (89), (90), (120)) v (days);
SELECT set_config('crm.as_of', (:'today'::date - 1)::text, true) \g /dev/null
SELECT results_eq(format('SELECT DISTINCT expected_so_far, purchases_in_time, attained_expected FROM crm_bi.plan_bulletin WHERE plan_id = %s', :plan), 'VALUES (0::numeric, 0::bigint, NULL::numeric)', 'before the start nothing');
SELECT set_config('crm.as_of', (:'today'::date + 79)::text, true) \g /dev/null
SELECT is((SELECT sum(attributed_premium) FROM crm_bi.plan_bulletin WHERE plan_id = :plan), (SELECT sum(round(p.annual_premium * a.share, 2)) FROM crm.policy_attribution a JOIN crm.policy p ON p.id = a.policy_id WHERE a.plan_id = :plan), 'with what is attributed');
SELECT results_eq(format('SELECT channel, allocated, purchases, premium, cost FROM crm_bi.plan_channel WHERE plan_id = %s ORDER BY 1', :plan), format('SELECT channel, sum(allocated)::bigint, sum(purchases)::bigint, sum(premium), sum(cost) FROM crm_bi.plan_bulletin WHERE plan_id = %s GROUP BY 1 ORDER BY 1', :plan), 'channels compared');
SELECT results_eq(format('SELECT channel, premium_per_allocated_low, premium_per_allocated_high, cost_per_allocated, cost_per_allocated_low, days_low, days_high FROM crm_bi.plan_channel WHERE plan_id = %s ORDER BY 1', :plan),
  format($$SELECT h.code, round(p.lower::numeric, 2), round(p.upper::numeric, 2), round(r.c, 2), CASE WHEN r.costing >= 5 THEN round(c.lower::numeric, 2) END, round(d.lower::numeric, 2), round(d.upper::numeric, 2)
    FROM (SELECT x.channel_id, count(*) AS n, count(bought_on) AS b, count(*) FILTER (WHERE cost > 0) AS costing, avg(premium) AS p, var_samp(premium) AS pv, avg(cost) AS c, var_samp(cost) AS cv, avg(bought_on - coalesce(contacted_on, allocated_on)) AS d, var_samp(bought_on - coalesce(contacted_on, allocated_on)) AS dv
          FROM crm._plan_result x WHERE plan_id = %s AND allocated_on IS NOT NULL GROUP BY 1) r JOIN crm.channel h ON h.id = r.channel_id,
    crm.mean_interval(r.p::float8, r.pv::float8, r.n) p, crm.mean_interval(r.c::float8, r.cv::float8, r.n) c, crm.mean_interval(r.d::float8, r.dv::float8, r.b) d ORDER BY 1$$, :plan), 'with the bounds of their means');
-- contacts were on the first day, so that the sales cycle goes from there to the purchase
SELECT results_eq(format('SELECT channel, days FROM crm_bi.plan_channel WHERE plan_id = %s ORDER BY 1', :plan),
  format('SELECT c.channel, round(avg(b.day - %L::date), 2) FROM crm_bi.plan_customer c JOIN buyer b USING (customer_id) WHERE c.plan_id = %s AND c.outcome = ''allocated'' AND (c.customer_id <> %s OR b.day = %1$L) GROUP BY 1 ORDER BY 1', :'today', :plan, :mine), 'and the sales cycle');
SELECT is((SELECT sum(purchases) FROM crm_bi.plan_bulletin WHERE plan_id = :plan), (SELECT sum(purchased) FROM crm_bi.plan_stage WHERE plan_id = :plan), 'stages count the same');
SELECT results_eq(format('SELECT stage, days, allocated, purchases, first_purchases FROM crm_bi.plan_stage_comparison WHERE plan_id = %s ORDER BY 1', :plan),
  format('SELECT stage, 79, sum(allocated)::bigint, sum(purchases)::bigint, first_value(sum(purchases)::bigint) OVER (ORDER BY stage) FROM crm_bi.plan_bulletin WHERE plan_id = %s GROUP BY 1 ORDER BY 1', :plan), 'stages begun together are compared over as many days');
-- the second stage is carried out ten days later than the first: both are compared over its days
UPDATE crm.plan_customer c SET done_at = done_at - interval '10 days' FROM crm.plan_line l WHERE c.plan_id = :plan AND l.plan_id = c.plan_id AND l.line = c.line AND l.stage = 1;
SELECT results_eq(format('SELECT s.stage, s.days, s.first_purchases, round(s.difference - u.uplift::numeric, 5) FROM crm_bi.plan_stage_comparison s, crm.uplift(s.purchases, s.allocated, s.first_purchases, s.first_allocated) u WHERE plan_id = %s ORDER BY 1', :plan),
  format($$SELECT v.stage, v.days, (SELECT count(*) FROM crm._plan_result r WHERE r.plan_id = %1$s AND r.stage = 1 AND r.bought_on <= %2$L::date - 10 + v.days), v.d FROM (VALUES (1, 89, NULL::numeric), (2, 79, 0.00000)) v (stage, days, d)$$, :plan, :'today'), 'or over the days of the younger');
UPDATE crm.plan_customer c SET done_at = done_at + interval '10 days' FROM crm.plan_line l WHERE c.plan_id = :plan AND l.plan_id = c.plan_id AND l.line = c.line AND l.stage = 1;

-- merged customers, and what must hold -----------------------------------------------------

SELECT customer_id AS given FROM crm.plan_customer WHERE plan_id = :plan AND outcome = 'allocated' AND customer_id NOT IN (:mine, :theirs) ORDER BY 1 DESC LIMIT 1 \gset
SELECT crm.give_feedback(:given, (SELECT staff_id FROM crm.holding WHERE customer_id = :given AND held_to IS NULL), 'applied') AS told_of \gset
CREATE TEMP TABLE before_it AS SELECT * FROM crm.plan_customer;
SELECT crm.merge(keep => :kept1, "drop" => :given, forced => true) AS merge \gset
SELECT results_eq(format('SELECT arm, outcome FROM crm.plan_customer WHERE plan_id = %s AND customer_id = %s', :plan, :kept1), $$VALUES ('treated', 'allocated')$$, 'of one held out and one allocated the allocated stays');
SELECT results_eq(format('SELECT dimension, held_out_merged FROM crm_bi.plan_uplift WHERE plan_id = %s AND held_out_merged > 0 ORDER BY 1', :plan),
  format($$SELECT d, 1::bigint FROM unnest('{channel,coverage,plan,proposal,stage,tier}'::text[]) d ORDER BY 1$$, :plan), 'and the group of those held out tells that it lost one');
SELECT is((SELECT held_out FROM crm_bi.plan_uplift WHERE plan_id = :plan AND dimension = 'plan'), (SELECT count(*) - 1 FROM kept), 'whom it counts no more');
SELECT ok((SELECT 'applied' = ANY (array_agg(result)) FROM crm.feedback WHERE customer_id = :kept1), 'and feedback comes along');
SELECT crm.unmerge(:merge, 'two after all') \g /dev/null
SELECT pg_temp.same('SELECT * FROM crm.plan_customer', 'SELECT * FROM before_it', 'undone, all is as it was');
SELECT crm.post() >= 0 AS posted \g /dev/null
RESET crm.actor;
SELECT crm.post_settlement() \g /dev/null
SELECT is_empty('SELECT * FROM crm.check()', 'all is well');
SELECT is_empty($$SELECT v.name, a.attname FROM (VALUES ('plan_bulletin'), ('plan_channel'), ('plan_stage_comparison'), ('plan_uplift'), ('feedback'), ('channel_history')) v (name)
  JOIN pg_attribute a ON a.attrelid = ('crm_bi.' || v.name)::regclass AND a.attnum > 0 WHERE coalesce(col_description(a.attrelid, a.attnum), '') !~ '[一-龥]'$$, 'every column is told in Chinese, too');
SELECT is(r[1], r[2], 'the first column is a key: ' || name) FROM (VALUES ('plan_bulletin', 'plan_bulletin_key'), ('plan_channel', 'plan_channel_key'), ('plan_stage_comparison', 'plan_stage_comparison_key'), ('plan_uplift', 'plan_uplift_key'), ('feedback', 'feedback_key'), ('channel_history', 'channel_history_key')) v (name, key),
  pg_temp.rows_of(name, key) r;
SELECT * FROM finish();
ROLLBACK;
