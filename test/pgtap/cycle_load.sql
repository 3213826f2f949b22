-- Plans where tiers count differently: what is planned fits, and is allocated to the last customer.
\set ON_ERROR_STOP on
BEGIN;
SELECT no_plan();
\ir include/helpers.sql
SET LOCAL client_min_messages = warning;
-- plans are carried out by the clock, so that the book is of today
SELECT (now() AT TIME ZONE 'Asia/Shanghai')::date AS today \gset
CALL crm.generate(customers => 2000, seed => 7, as_of => :'today', units => ARRAY[3, 6, 12]);
INSERT INTO crm.setting (name, value, valid_from) VALUES ('cycle_consent', 'false', '2020-01-01'), ('holding_quota', '9', '2020-01-01'),
  ('tier_load', 'platinum 5, gold 4, iron 3, lead 2, none 1', '2020-01-01');
INSERT INTO crm.setting (name, value, org_id, channel_id, valid_from) VALUES ('tier_load', 'platinum 2, none 0, others 3', 4, NULL, '2020-01-01');
CALL crm.rebuild(:'today', NULL);
SET LOCAL crm.as_of = :'today';
SET LOCAL crm.posting = 'commit';
-- customers whose servicers have left, so that all tiers may be had
UPDATE crm.staff SET left_on = :'today' WHERE id IN (SELECT s.id FROM (SELECT id, row_number() OVER (PARTITION BY channel_id ORDER BY id) AS n FROM crm.staff WHERE left_on IS NULL) s WHERE n % 2 = 0);
SELECT crm.post() >= 0 AS posted \g /dev/null
UPDATE crm.staff s SET login = 'planner' WHERE s.id = (SELECT min(id) FROM crm.staff WHERE org_id = 1 AND left_on IS NULL);
UPDATE crm.staff s SET login = 'head' WHERE s.id = (SELECT max(id) FROM crm.staff WHERE left_on IS NULL);
INSERT INTO crm.position (staff_id, org_id, duty)
SELECT s.id, 1, d.duty FROM crm.staff s JOIN (VALUES ('head', 'approver'), ('head', 'resource_manager'), ('planner', 'planner')) d (login, duty) ON s.login = d.login::name;
SELECT is((SELECT count(*) FROM crm.position), 3::bigint, 'people have positions');
SET LOCAL crm.actor = 'planner';

SELECT crm.open_cycle('loads', 1, :'today', :'today'::date + 300) AS cycle \gset
SELECT ok(count(*) FILTER (WHERE outcome = 'released') > 500, 'many are released') FROM crm.release_to_inventory(:cycle, 5, condition => 'true');
SELECT ok(count(DISTINCT tier) >= 4, 'of every tier') FROM crm.inventory(:cycle, :'today') WHERE conflicts IS NULL;
SELECT crm.propose(:cycle, 1, 'agents', 'true', 400, 100, 12, 60000, (:'today'::date + 90)) AS agents \gset
SELECT crm.propose(:cycle, 4, 'calls', 'true', 200, 100, 12, 60000, (:'today'::date + 90)) AS calls \gset
SELECT crm.submit_proposal(:agents), crm.submit_proposal(:calls) \g /dev/null

-- what each customer of a plan counts, and what its holder may hold
CREATE FUNCTION pg_temp.overbooked(plan bigint) RETURNS SETOF text LANGUAGE sql AS $$
  SELECT format('%s holds %s, may %s', s.id, sum(crm.load_of(crm._tier_load(s.org_id, s.channel_id, crm.today()), b.tier)), crm._quota(s.*, crm.today()))
  FROM crm.plan_customer c JOIN crm.staff s ON s.id = c.staff_id JOIN crm_bi.customer b ON b.customer_id = c.customer_id
  WHERE c.plan_id = plan GROUP BY s.id, s.*
  HAVING sum(crm.load_of(crm._tier_load(s.org_id, s.channel_id, crm.today()), b.tier)) > crm._quota(s.*, crm.today())
$$;
-- of those free, some pinned to one person beyond the quota
SELECT id AS pinned_to, channel_id AS pinned_channel, org_id AS pinned_unit FROM crm.staff WHERE channel_id = 1 AND left_on IS NULL AND joined_on <= :'today' AND org_id > 10 ORDER BY id LIMIT 1 \gset
SELECT crm.make_plan(:cycle, 'even', weighing => 'demand', strategy => 'even') AS even \gset
SELECT crm.adjust_plan(:even, 'pin', customer_id => customer_id, staff_id => :pinned_to) FROM crm.inventory(:cycle, :'today') WHERE conflicts IS NULL AND tier <> 'none' ORDER BY customer_id LIMIT 20 \g /dev/null
SELECT crm.adjust_plan(:even, 'volume', channel_id => 1, org_id => x.org_id, volume => 7)
FROM (SELECT org_id FROM crm.staff WHERE channel_id = 1 AND left_on IS NULL AND org_id > 10 AND org_id <> :pinned_unit GROUP BY org_id ORDER BY count(*) DESC, 1 LIMIT 2) x \g /dev/null
SELECT crm.make_plan(:cycle, 'least', strategy => 'least_loaded', like_plan => :even) AS least \gset
SELECT crm.make_plan(:cycle, 'optimal', strategy => 'optimal', like_plan => :even) AS optimal \gset
-- where not everybody may make temporary tables, the owner of the model still may
SELECT format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC, crm_owner', current_database()) \gexec
SELECT pg_temp.refused(format('SELECT crm.compute_plan(%s, crm.today())', :even), '42501', 'permission denied', 'a plan is computed in temporary tables');
SELECT crm._grant_temporary('crm_owner');
SELECT crm.compute_plan(p, :'today') FROM (VALUES (:even), (:least), (:optimal)) v (p) \g /dev/null
SELECT is_empty(format('SELECT * FROM pg_temp.overbooked(%s)', p), 'nobody is planned above the quota: ' || p) FROM (VALUES (:even), (:least), (:optimal)) v (p);
SELECT ok(count(*) > 100, 'yet many are planned: ' || p) FROM (VALUES (:even), (:least), (:optimal)) v (p) JOIN crm.plan_customer c ON c.plan_id = p GROUP BY p;
SELECT ok(count(DISTINCT b.tier) >= 4, 'of every tier: ' || p) FROM (VALUES (:even), (:least), (:optimal)) v (p) JOIN crm.plan_customer c ON c.plan_id = p JOIN crm_bi.customer b USING (customer_id) GROUP BY p;
SELECT cmp_ok(count(*), '>', 1::bigint, 'of the pins what fits: ' || p) FROM (VALUES (:even), (:least), (:optimal)) v (p) JOIN crm.plan_customer c ON c.plan_id = p AND c.why = 'pin' GROUP BY p;
SELECT is_empty(format($$SELECT proposal_id FROM crm.plan_proposal p WHERE plan_id = %1$s AND (planned_load > room OR planned_load <> (
    SELECT sum(crm.load_of(crm._tier_load(l.org_id, l.channel_id, crm.today()), b.tier)) FROM crm.plan_customer c JOIN crm.plan_line l USING (plan_id, line) JOIN crm_bi.customer b USING (customer_id)
    WHERE c.plan_id = p.plan_id AND l.proposal_id = p.proposal_id))$$, p), 'the load planned is told: ' || p) FROM (VALUES (:even), (:least), (:optimal)) v (p);

-- terms, approval, and all of it is allocated; then as if it had not been
CREATE FUNCTION pg_temp.carried_out(plan bigint) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  v CONSTANT integer := (SELECT p.version FROM crm.plan p WHERE p.id = carried_out.plan);
BEGIN
  PERFORM crm.set_terms(carried_out.plan, t.provider_channel_id, t.user_channel_id, thing, 0.5, 0.5)
  FROM crm._plan_terms_needed t CROSS JOIN unnest('{premium,assessment,commission,cost}'::text[]) thing WHERE t.plan_id = carried_out.plan;
  PERFORM crm.submit_plan(carried_out.plan, v);
  PERFORM set_config('crm.actor', 'head', true);
  PERFORM crm.approve_plan(carried_out.plan, v);
  PERFORM set_config('crm.actor', 'planner', true);
  CALL crm.carry_out_plan(carried_out.plan, batch => NULL);
  PERFORM crm.post();
  RAISE EXCEPTION '%', coalesce((SELECT string_agg(DISTINCT c.outcome, ', ') FROM crm.plan_customer c WHERE c.plan_id = carried_out.plan), 'nobody')
    || coalesce(': ' || (SELECT string_agg(DISTINCT k.check_name, ', ') FROM crm.check() k), '') USING ERRCODE = 'P0099';
EXCEPTION WHEN SQLSTATE 'P0099' THEN
  PERFORM set_config('crm.actor', 'planner', true);
  RETURN SQLERRM;
END
$$;
SELECT is(pg_temp.carried_out(p), 'allocated', 'all that is planned is allocated, and all is well: ' || p) FROM (VALUES (:even), (:least), (:optimal)) v (p);
SELECT is((SELECT count(*) FROM crm.holding), 0::bigint, 'nothing is held');
-- to units and channels, which have no quota of their own but plan within that of their staff
SELECT crm.make_plan(:cycle, 'units', level => 'unit', weighing => 'demand') AS units \gset
SELECT crm.make_plan(:cycle, 'channels', level => 'channel', weighing => 'demand') AS channels \gset
SELECT crm.compute_plan(p, :'today') FROM (VALUES (:units), (:channels)) v (p) \g /dev/null
SELECT is_empty(format($$SELECT l.channel_id, l.org_id FROM crm.plan_customer c JOIN crm.plan_line l USING (plan_id, line) JOIN crm_bi.customer b USING (customer_id) WHERE c.plan_id = %s GROUP BY 1, 2
  HAVING sum(crm.load_of(crm._tier_load(l.org_id, l.channel_id, crm.today()), b.tier)) > (SELECT sum(crm._quota(s.*, crm.today())) FROM crm.staff s
    WHERE s.channel_id = l.channel_id AND s.org_id = l.org_id AND s.joined_on <= crm.today() AND coalesce(s.left_on > crm.today(), true))$$, :units), 'no unit is planned above what its staff may hold');
SELECT ok(bool_and(planned > 20 AND planned_load <= room), 'nor any channel') FROM crm.plan_proposal WHERE plan_id IN (:units, :channels);
SELECT is(pg_temp.carried_out(p), 'allocated', 'all of it is allocated: ' || p) FROM (VALUES (:units), (:channels)) v (p);

-- lists, by the number of customers; and the optimum of an allocation
SELECT crm.freeze_list('mixed', 'tier in (''none'', ''lead'', ''iron'') and service <> ''served''') AS list \gset
CREATE TEMP TABLE some_staff AS SELECT id, row_number() OVER (ORDER BY id) AS n FROM crm.staff WHERE left_on IS NULL AND joined_on <= crm.today() AND org_id <> 4 ORDER BY id LIMIT 4;
UPDATE crm.setting SET value = '12' WHERE name = 'holding_quota';
CREATE TEMP TABLE dealt AS SELECT * FROM crm.distribute_list(:list, ARRAY(SELECT id FROM some_staff ORDER BY n), '{3,4,0,100}');
SELECT results_eq('SELECT s.n, count(d.customer_id) FROM some_staff s LEFT JOIN dealt d ON d.staff_id = s.id WHERE s.n < 4 GROUP BY 1 ORDER BY 1', 'VALUES (1::bigint, 3::bigint), (2, 4), (3, 0)', 'each gets as many as wanted, whatever they count');
SELECT results_eq('SELECT DISTINCT outcome FROM dealt ORDER BY 1', $$VALUES ('allocated'), ('left_over')$$, 'and what is dealt out is held');
SELECT is((SELECT sum(h.load) FROM crm.holding h JOIN some_staff s ON s.id = h.staff_id WHERE s.n = 4), 12::bigint, 'who wants more than fits is full');
SELECT is((SELECT count(*) FROM crm.holding WHERE load > 1), (SELECT count(*) FROM dealt d JOIN crm_bi.customer b USING (customer_id) WHERE d.holding_id IS NOT NULL AND b.tier <> 'none'), 'the heavier count so');
CREATE TEMP TABLE best AS
SELECT * FROM crm.allocate(ARRAY(SELECT customer_id FROM dealt WHERE outcome = 'left_over'), ARRAY(SELECT id FROM crm.staff WHERE left_on IS NULL AND joined_on <= crm.today() ORDER BY id DESC LIMIT 5), 'optimal');
SELECT results_eq('SELECT DISTINCT outcome FROM best ORDER BY 1', $$VALUES ('allocated'), ('left_over')$$, 'the optimum of an allocation fits, too');
SELECT is_empty($$SELECT * FROM crm_bi.staff_load WHERE load > quota$$, 'nobody is above the quota');

-- units and channels have no quota
SELECT results_eq($$SELECT DISTINCT outcome FROM crm.entrust(ARRAY(SELECT customer_id FROM best WHERE outcome = 'left_over' ORDER BY 1 LIMIT 20), 1, 11)$$, $$VALUES ('allocated')$$, 'some are entrusted to a unit');
SELECT crm.post() >= 0 AS posted \g /dev/null
SELECT is_empty('SELECT * FROM crm.check()', 'all is well');
SELECT is(crm.refresh_loads(crm.today()), 0::bigint, 'and nothing to be counted anew');
SELECT * FROM finish();
ROLLBACK;
