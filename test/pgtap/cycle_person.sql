-- In a cycle the duty of the person decides, by position, though one login has every duty of the database; what cannot be is refused with words
-- that tell what to do; and all that was done is told.
\set ON_ERROR_STOP on
BEGIN;
SELECT no_plan();
\ir include/helpers.sql
SET LOCAL client_min_messages = warning;
INSERT INTO crm.organisation (id, parent_id, code, name) VALUES (1, NULL, 'c', 'Company'), (2, 1, 'n', 'North'), (3, 1, 's', 'South'), (4, 1, 'bc', 'Business centre'), (5, 2, 'o', 'Outlet');
CREATE ROLE crm_test_pool;
CALL crm.grant_duty('pool', 'crm_test_pool');
CALL crm.grant_duty('provider', 'crm_test_pool');
CALL crm.grant_duty('planner', 'crm_test_pool');
CALL crm.grant_duty('approver', 'crm_test_pool');
CALL crm.grant_duty('resource_manager', 'crm_test_pool');
INSERT INTO crm.staff (id, code, name, org_id, channel_id, joined_on, login)
SELECT v.id, v.login, v.login, v.org, v.channel, '2020-01-01', v.login
FROM (VALUES (1, 1, 1, 'giver'), (2, 1, 4, 'user'), (3, 1, 4, 'planner'), (4, 1, 2, 'head'), (5, 1, 2, 'manager'), (6, 5, 1, 'agent'), (7, 4, 1, 'centre'), (8, 1, 1, 'stray'),
             (9, 5, 4, 'caller'), (10, 1, 4, 'both'), (11, 1, 1, 'past'), (12, 2, 4, 'north')) v (id, org, channel, login);
INSERT INTO crm.position (staff_id, org_id, duty, to_date) VALUES
  (1, 1, 'provider', NULL), (2, 1, 'planner', NULL), (3, 1, 'planner', NULL), (4, 1, 'approver', NULL), (5, 1, 'resource_manager', NULL), (6, 5, 'provider', NULL), (7, 4, 'provider', NULL),
  (10, 1, 'planner', NULL), (10, 1, 'approver', NULL), (11, 1, 'provider', '2024-01-01'), (11, 1, 'planner', '2024-01-01'), (11, 1, 'resource_manager', '2024-01-01'), (12, 2, 'planner', NULL);
INSERT INTO crm.provider (id, code, name, kind, channel_id, org_id) VALUES (100, 'outlet', 'Agents of the outlet', 'channel', 1, 5), (101, 'north', 'North', 'unit', NULL, 2);
INSERT INTO crm.customer (id, kind, name, org_id, source_channel_id, known_from)
SELECT i, 'person', 'Customer ' || i, CASE WHEN i % 4 = 0 THEN 5 ELSE 2 + i % 2 END, CASE WHEN i <= 30 THEN 1 ELSE 4 END, '2024-01-01' FROM generate_series(1, 40) i;
INSERT INTO crm.customer (id, kind, name, org_id, source_channel_id, known_from) SELECT i, 'person', 'Customer ' || i, 2, 4, '2024-01-01' FROM generate_series(41, 60) i;
INSERT INTO crm.setting (name, value) VALUES ('cycle_consent', 'false');
CALL crm.rebuild('2025-12-31', NULL);
CREATE FUNCTION pg_temp.by(person text, statement text) RETURNS text LANGUAGE sql AS $$SELECT split_part(pg_temp.as(person, statement), ' / ', 1)$$;

-- opening, releasing ------------------------------------------------------------

SELECT is(pg_temp.by(person, $$SELECT crm.open_cycle('x', 1, '2026-01-01', '2026-12-31')$$), format('42501 "%s" has not the duty resource_manager at unit "c"', person), 'opens no cycle: ' || person)
FROM unnest('{nobody at all,stray,giver,planner,head,past}'::text[]) person;
SELECT is(pg_temp.by('manager', $$SELECT crm.open_cycle('y', 1, '2026-01-01', '2026-12-31') > 0$$), 'true', 'who has the duty does');
SELECT id AS cycle FROM crm.cycle \gset
SELECT is(pg_temp.by(person, format('SELECT string_agg(DISTINCT outcome, '' '') FROM crm.release_to_inventory(%s, %s, %L)', :cycle, provider, customers)), answer, person || ' releases for provider ' || provider) FROM (VALUES
  (1, 'nobody at all', 1, '{1}', '42501 "nobody at all" may not act for channel "individual"'), (2, 'stray', 1, '{1}', '42501 "stray" may not act for channel "individual"'),
  (3, 'agent', 1, '{1}', '42501 "agent" may not act for channel "individual"'), (4, 'past', 1, '{1}', '42501 "past" may not act for channel "individual"'),
  (5, 'user', 4, '{41}', '42501 "user" may not act for channel "telesales"'), (6, 'giver', 4, '{41}', '42501 "giver" may not act for channel "telesales"'),
  (7, 'giver', 1, '{1,2,3}', 'released'), (8, 'agent', 100, '{3,4,8}', 'not_own released'), (9, 'caller', 100, '{4}', '42501 "caller" may not act for channel "individual"'),
  (10, 'centre', 5, '{5}', '42501 "centre" may not act for a centre without a unit'), (11, 'manager', 5, '{5,6}', 'released'), (12, 'manager', 4, '{41}', 'released'),
  (13, 'agent', 101, '{10}', '42501 "agent" may not act for unit "n"'), (14, 'giver', 101, '{10,12}', 'released')) v (n, person, provider, customers, answer) ORDER BY n;
SELECT is(pg_temp.by(person, format('UPDATE crm.provider SET org_id = %s WHERE code = ''business_centre'' RETURNING org_id', org)), answer, format('%s makes unit %s the centre', person, org)) FROM (VALUES
  (1, 'agent', 5, '42501 "agent" has not the duty resource_manager at unit "c"'), (2, 'centre', 4, '42501 "centre" has not the duty resource_manager at unit "c"'), (3, 'manager', 4, '4')) v (n, person, org, answer) ORDER BY n;
SELECT is(pg_temp.by('agent', $$INSERT INTO crm.provider (code, name, kind, org_id) VALUES ('z', 'Z', 'centre', 5) RETURNING id$$), '42501 "agent" has not the duty resource_manager at unit "o"', 'nor makes anybody a new one');
SELECT is(pg_temp.by(person, format('SELECT string_agg(DISTINCT outcome, '' '') FROM crm.release_to_inventory(%s, 5, ''{7,43}'')', :cycle)), answer, person || ' releases for a centre that is a unit') FROM (VALUES
  (1, 'giver', '42501 "giver" may not act for unit "bc"'), (2, 'stray', '42501 "stray" may not act for unit "bc"'), (3, 'centre', 'released')) v (n, person, answer) ORDER BY n;
SELECT matches(pg_temp.as('stray', format('SELECT crm.release_to_inventory(%s, 1, ''{1}'')', :cycle)), 'of that channel, with the duty provider at unit "c" or above it in crm.position; or the duty resource_manager, for anyone\.', 'the hint tells what it takes');
SELECT is(pg_temp.by(person, format('SELECT string_agg(DISTINCT outcome, '' '') FROM crm.withdraw_from_inventory(%s, 1, ''{3}'', ''a slip'')', :cycle)), answer, person || ' withdraws') FROM (VALUES
  (1, 'stray', '42501 "stray" may not act for channel "individual"'), (2, 'giver', 'withdrawn')) v (n, person, answer) ORDER BY n;

-- a rule is written with what it selected, and nobody is told in its name
SELECT is(pg_temp.by('giver', format($$SELECT count(*) FROM crm.release_to_inventory(%s, 1, condition => 'source_channel = ''individual''') WHERE outcome IN ('released', 'already')$$, :cycle)), '30', 'by a rule');
SELECT hasnt_function('crm', '_release_to_inventory', 'there is no other way');

-- who is released is judged by the day on which it happens, whatever day the session looks at
INSERT INTO crm.product (id, code, name, line) VALUES (901, 'p', 'P', 'life');
INSERT INTO crm.policy (customer_id, product_id, channel_id, issued_on, term_months, matures_on, payment, premium, payments, servicer_id) VALUES (60, 901, 4, '2026-01-01', 1800, '2176-01-01', 'yearly', 1000, 10, 9);
SELECT ok(crm.post() > 0, 'somebody gets a servicer');
SET LOCAL crm.as_of = '2025-06-01';
SELECT is((SELECT service FROM crm_bi.customer WHERE customer_id = 60) = 'served', false, 'whom nobody served before');
SELECT results_eq(format('SELECT outcome FROM crm.release_to_inventory(%s, 6, ''{60}'')', :cycle), $$VALUES ('served')$$, 'and is served');
SELECT results_eq(format('SELECT outcome FROM crm.release_to_inventory(%s, 6, condition => ''customer_id = 60'')', :cycle), $$VALUES ('served')$$, 'also when a rule says so');
SELECT results_eq('SELECT condition IS NULL, as_of FROM crm.cycle_release ORDER BY id DESC LIMIT 2', $$VALUES (false, '2025-06-01'::date), (true, (now() AT TIME ZONE 'Asia/Shanghai')::date)$$, 'each with its day');
RESET crm.as_of;
SET LOCAL crm.as_of = '2025-12-31';

-- proposals ------------------------------------------------------------------------

SELECT is(pg_temp.by(person, format($$SELECT crm.propose(%s, 4, 't', 'true', 10, 5, 1, 100, '2026-06-30', org_id => %s) > 0$$, :cycle, coalesce(org::text, 'NULL'))), answer, person || ' proposes') FROM (VALUES
  (1, 'nobody at all', NULL, '42501 "nobody at all" may not act for channel "telesales"'), (2, 'caller', NULL, '42501 "caller" may not act for channel "telesales"'),
  (3, 'giver', NULL, '42501 "giver" may not act for channel "telesales"'), (4, 'north', NULL, '42501 "north" may not act for channel "telesales"'), (5, 'north', 2, 'true'), (6, 'user', NULL, 'true'),
  (7, 'manager', NULL, 'true')) v (n, person, org, answer) ORDER BY n;
SELECT max(id) FILTER (WHERE made_by = 'north') AS north, max(id) FILTER (WHERE made_by = 'user') AS main, max(id) FILTER (WHERE made_by = 'manager') AS spare FROM crm.proposal \gset
SELECT is(pg_temp.by('caller', format('SELECT crm.submit_proposal(%s)', :main)), '42501 "caller" may not act for channel "telesales"', 'nor does anybody submit that of others');
SELECT is(pg_temp.by('user', format('SELECT crm.submit_proposal(%s)', :main)), 'submitted', 'their own');
SELECT crm.propose(:cycle, 4, 'who is not there', 'amount > 1000000', 7, 6, 1, 100, '2026-06-30') AS none \gset
SELECT crm.submit_proposal(:none) \g /dev/null

-- what cannot be
SELECT results_eq(format($q$SELECT code, message FROM pg_temp.told($$SELECT crm.propose(%s, 4, %s, '2026-06-30')$$)$q$, :cycle, args), format('VALUES (%L, %L)', code, message), message) FROM (VALUES
  ($$'t', 'true', 4, 30, 1, 1$$, '23514', 'of 4 customers 30 cannot be contacted'), ($$'t', 'true', 4, 3, 10, 1$$, '23514', '10 purchases cannot be expected of 4 customers'),
  ($$'t', 'true', -4, 0, 0, 1$$, '23514', 'volume -4 of a proposal is not from 1 to 1000000000'), ($$'t', 'true', 4, -1, 0, 1$$, '23514', 'of 4 customers -1 cannot be contacted'),
  ($$'t', 'true', 4, 1, 0, 'Infinity'$$, '23514', 'premium Infinity and cost 0 cannot be expected'), ($$'t', 'true', NULL, 0, NULL, 1$$, '23502', 'volume, expected_purchases of a proposal must be given'),
  ($$' ', 'true', 4, 1, 0, 1$$, '23514', 'a proposal needs a title'), ($$'t', 'tier', 4, 1, 0, 1$$, '22P02', (SELECT message FROM pg_temp.told($$SELECT 'tier'::crm.condition$$)))) v (args, code, message);
SELECT results_eq(format($q$SELECT code, message, detail, hint FROM pg_temp.told($$SELECT crm.propose(%s, 4, 't', 'true', 4, 1, 1, 1, '2020-06-30')$$)$q$, :cycle),
                  $$VALUES ('23514', 'an effect by 2020-06-30 cannot be expected of cycle "y"', 'It begins on 2026-01-01.', 'Give a day from then on.')$$, 'nor before the cycle');
SELECT is_empty(format($q$SELECT * FROM pg_temp.told($$SELECT crm.propose(%s, 4, 't', 'true', 4, 30, 1, 1, '2026-06-30')$$) WHERE coalesce(hint, '') = '' OR detail ~ 'Failing row'$q$, :cycle), 'with a hint');
SELECT results_eq(format($q$SELECT code, message FROM pg_temp.told('SELECT crm.revise_proposal(%s, 1, volume => 3)')$q$, :north), $$VALUES ('23514', 'of 3 customers 5 cannot be contacted')$$, 'nor in another version');
SELECT throws_ok(format($$INSERT INTO crm.proposal_version (proposal_id, version, segment, volume, expected_contacts, expected_purchases, expected_premium, expected_cost, expected_by) VALUES (%s, 9, 'true', 1, 2, 0, 0, 0, '2026-06-30')$$, :main),
                 '23514', NULL, 'nor by hand');

-- plans --------------------------------------------------------------------------------

SELECT is(pg_temp.by(person, format($$SELECT crm.make_plan(%s, 'p') > 0$$, :cycle)), answer, person || ' makes a plan') FROM (VALUES
  (1, 'nobody at all', '42501 "nobody at all" has not the duty planner or resource_manager at unit "c"'), (2, 'stray', '42501 "stray" has not the duty planner or resource_manager at unit "c"'),
  (3, 'north', '42501 "north" has not the duty planner or resource_manager at unit "c"'), (4, 'planner', 'true')) v (n, person, answer) ORDER BY n;
SELECT id AS plan, item_id AS item FROM crm.plan \gset
SELECT is(pg_temp.by('stray', format(statement, :plan)), format('42501 "stray" may not make transition "submit" of item "%s"', :item), 'not by anybody: ' || statement) FROM (VALUES
  ('SELECT crm.compute_plan(%s, ''2025-12-31'')'), ('SELECT crm.adjust_plan(%s, ''pin'', 1, staff_id => 9)'), ('SELECT crm.drop_adjustment(%s, 1)'), ('SELECT crm.set_plan_limit(%s, 1, 2, 1)'), ('SELECT crm.drop_plan_limit(%s, 1, 2)'), ('SELECT crm.set_terms(%s, 1, 4, ''cost'', 0, 1)'),
  ('SELECT crm.set_plan_stage(%s, 1, ''x'', ''2026-01-01'', ''2026-02-01'')'), ('SELECT crm.drop_plan_stage(%s, 1)'), ('SELECT crm.submit_plan(%s, 1)')) v (statement);
SELECT is(pg_temp.by('stray', format('SELECT crm.drop_plan(%s, ''x'')', :plan)), format('42501 "stray" may not make transition "drop" of item "%s"', :item), 'nor given up');
SELECT results_eq(format($q$SELECT code, message, hint FROM pg_temp.told('SELECT crm.adjust_plan(%s, %s)')$q$, :plan, args), format('VALUES (''23514'', %L, %L)', message, hint), args) FROM (VALUES
  ('''''pin'''', 1', 'adjustment "pin" is not given what it takes, or more', 'A pin takes customer_id, and staff_id or channel_id, with org_id where it is to be a unit of the channel.'),
  ('''''bar''''', 'adjustment "bar" is not given what it takes, or more', 'A bar takes customer_id, and staff_id, org_id or channel_id where it is not from everybody.'),
  ('''''volume'''', channel_id => 1, org_id => 1', 'adjustment "volume" is not given what it takes, or more', 'A volume takes channel_id, org_id and volume.'),
  ('''''volume'''', channel_id => 1, org_id => 1, volume => -1', 'volume -1 is below 0', 'With 0 the unit gets nobody.')) v (args, message, hint);

-- somebody else pins, sets terms and stages: all of them are barred from the approval
SELECT is(pg_temp.by('both', format('SELECT crm.adjust_plan(%s, ''pin'', 42, staff_id => 9, note => ''asked for'') > 0', :plan)), 'true', 'a second planner pins');
SELECT is(pg_temp.by('planner', format('SELECT crm.compute_plan(%s, ''2025-12-31'')', :plan)), '1', 'the first computes');
SELECT is(pg_temp.by('planner', format('SELECT count(crm.set_terms(%s, 1, 4, t, 0.3, 0.7)) FROM unnest(''{premium,assessment,commission,cost}''::text[]) t', :plan)), '4', 'and sets terms');
SELECT is(pg_temp.by(person, format('SELECT crm.accept_terms(%s, 1, 4, %s)', :plan, channel)), answer, format('%s accepts terms for channel %s', person, channel)) FROM (VALUES
  (1, 'stray', 1, '42501 "stray" may not act for channel "individual"'), (2, 'agent', 1, '42501 "agent" may not act for channel "individual"'), (3, 'manager', 1, '42501 "manager" may not act for channel "individual"'),
  (4, 'caller', 4, '42501 "caller" may not act for channel "telesales"'), (5, 'user', 1, '42501 "user" may not act for channel "individual"'), (6, 'giver', 1, ''), (7, 'user', 4, '')) v (n, person, channel, answer) ORDER BY n;
SELECT is(pg_temp.by('planner', format('SELECT crm.submit_plan(%s, 1)', :plan)), 'submitted', 'submitted');
SELECT is(pg_temp.by('both', format('SELECT crm.approve_plan(%s, 1)', :plan)), '42501 "both" has had a hand in plan "p"', 'who pinned does not approve');
SELECT is(pg_temp.by('head', format('SELECT crm.return_plan(%s, ''less'')', :plan)), 'draft', 'returned');
SELECT is(pg_temp.by('planner', format('SELECT crm.drop_adjustment(%s, (SELECT max(id) FROM crm_bi.plan_adjustment a, LATERAL (SELECT a.adjustment_id) x (id)), ''a mistake'')', :plan)), '', 'the pin is taken out');
SELECT is(pg_temp.by('planner', format('SELECT crm.compute_plan(%s, ''2025-12-31'')', :plan)), '2', 'computed anew');
SELECT is(pg_temp.by('planner', format('SELECT crm.submit_plan(%s, 2)', :plan)), 'submitted', 'submitted again');
SELECT is(pg_temp.by('both', format('SELECT crm.approve_plan(%s, 2)', :plan)), '42501 "both" has had a hand in plan "p"', 'not even when the pin is out');
SELECT is(pg_temp.by('head', format('SELECT crm.approve_plan(%s, 2)', :plan)), 'approved', 'somebody else does');

-- carrying out asks before the first customer
SELECT is(pg_temp.by(person, format('CALL crm.carry_out_plan(%s, batch => NULL)', :plan)), format('42501 "%s" may not make transition "carry_out" of item "%s"', person, :item), person || ' carries nothing out')
FROM unnest('{stray,giver,nobody at all,past}'::text[]) person;
SELECT is(pg_temp.by('stray', format('SELECT allocated FROM crm._carry_out_plan(%s, NULL, 1, NULL, 0, 0)', :plan)), format('42501 "stray" may not make transition "carry_out" of item "%s"', :item), 'nor by the batch');
SELECT is(pg_temp.by('stray', format('SELECT crm.finish_plan(%s, ''x'')', :plan)), format('42501 "stray" may not make transition "carry_out" of item "%s"', :item), 'nor ends it');
SELECT is(pg_temp.by('head', format('SELECT crm.finish_plan(%s, ''x'')', :plan)), format('42501 "head" may not make transition "carry_out" of item "%s"', :item), 'not even who approved');
UPDATE crm.position SET to_date = '2024-01-01' WHERE staff_id = 3;
SELECT is(pg_temp.by('planner', format('SELECT allocated FROM crm._carry_out_plan(%s, NULL, 1, NULL, 0, 0)', :plan)), format('42501 "planner" may not make transition "carry_out" of item "%s"', :item), 'nor who made it, without the duty any more');
SELECT is(pg_temp.by('planner', format($$SELECT crm.make_plan(%s, 'late')$$, :cycle)), '42501 "planner" has not the duty planner or resource_manager at unit "c"', 'nor do they make another');
UPDATE crm.position SET to_date = NULL WHERE staff_id = 3;
SELECT is((SELECT count(*) FROM crm.holding), 0::bigint, 'nobody is held');

-- who got nobody is not granted; the rest of who got some goes on
SELECT results_eq('SELECT id, state FROM crm.proposal ORDER BY id', format($$VALUES (%s::bigint, 'draft'), (%s, 'granted'), (%s, 'draft'), (%s, 'submitted')$$, :north, :main, :spare, :none), 'granted is who gets customers');
SELECT is((SELECT planned FROM crm_bi.plan_proposal WHERE plan_id = :plan AND proposal_id = :none), 0::bigint, 'not who gets none');
SELECT crm.open_cycle('z', 1, '2026-07-01', '2027-03-31') AS next \gset
SELECT is(pg_temp.by('user', format('SELECT crm.carry_over_proposal(%s, %s)', :main, :next)), format('55000 plan "p", which grants proposal "%s", is not carried out yet', :main), 'a rest is known in the end');
SELECT customer_id AS lost FROM crm.plan_customer WHERE plan_id = :plan ORDER BY 1 LIMIT 1 \gset
INSERT INTO crm.blacklist (customer_id, reason, from_date) VALUES (:lost, 'fraud', '2026-01-01');
SET LOCAL SESSION AUTHORIZATION crm_test_pool;
SET LOCAL crm.actor = 'planner';
CALL crm.carry_out_plan(:plan, batch => NULL);
RESET SESSION AUTHORIZATION;
RESET crm.actor;
SELECT is((SELECT state FROM crm.plan WHERE id = :plan), 'carried_out', 'who may carries it out');
SELECT is((SELECT count(*) FROM crm.holding), 9::bigint, 'but for one');
SELECT is(pg_temp.by('caller', format('SELECT crm.carry_over_proposal(%s, %s)', :main, :next)), '42501 "caller" may not act for channel "telesales"', 'not carried over by anybody');
SELECT is(pg_temp.by('user', format('SELECT crm.carry_over_proposal(%s, %s) > 0', :main, :next)), 'true', 'the rest is carried over');
SELECT results_eq(format('SELECT state, volume, expected_contacts, expected_purchases, expected_premium, expected_by, carried_from FROM crm_bi.proposal WHERE cycle_id = %s', :next),
                  format($$VALUES ('draft', 1::bigint, 1::bigint, 0::bigint, 10::numeric, '2026-09-28'::date, %s::bigint)$$, :main), 'with its part of the figures');
SELECT is(pg_temp.by('user', format('SELECT crm.carry_over_proposal(%s, %s)', :main, :next)), format('55000 the rest of proposal "%s" is carried over already', :main), 'once');
SELECT max(id) AS rest FROM crm.proposal \gset
SELECT is(pg_temp.by('user', format('SELECT crm.withdraw_proposal(%s, ''enough'')', :rest)), 'withdrawn', 'unless that was withdrawn');
SELECT is(pg_temp.by('user', format('SELECT crm.carry_over_proposal(%s, %s) > 0', :main, :next)), 'true', 'then again');
SELECT is(pg_temp.by('user', format('SELECT crm.carry_over_proposal(%s, %s) > 0', :none, :next)), 'true', 'who got nobody goes on as well');
SELECT results_eq(format('SELECT volume, expected_contacts FROM crm_bi.proposal WHERE carried_from = %s', :none), 'VALUES (7::bigint, 6::bigint)', 'with all it asked for');
SELECT is(pg_temp.by('user', format('SELECT crm.withdraw_proposal(%s, ''late'')', :none)), format('55000 item "%s" is in state "carried_over", from which there is no transition "withdraw"', (SELECT item_id FROM crm.proposal WHERE id = :none)), 'and is done with');

-- the history: who, when, why, before and after --------------------------------------------

SELECT results_eq(format($$SELECT action, changed_by, before, after, reason FROM crm_bi.cycle_change WHERE plan_id = %s AND kind = 'adjustment' ORDER BY changed_at$$, :plan),
  $$VALUES ('make', 'both', NULL, '{"kind": "pin", "note": "asked for", "org_id": 5, "staff_id": 9, "channel_id": 4}', 'asked for'),
           ('drop', 'planner', '{"kind": "pin", "note": "asked for", "org_id": 5, "staff_id": 9, "channel_id": 4}', NULL, 'a mistake')$$, 'an adjustment made and dropped');
SELECT results_eq(format($$SELECT action, subject, customer_id, changed_by, reason, before ~ '"withdrawn_by": "giver"', after ~ 'withdrawn' FROM crm_bi.cycle_change WHERE cycle_id = %s AND kind = 'offer' ORDER BY changed_at$$, :cycle),
  $$VALUES ('withdraw', 'individual', 3::bigint, 'giver', 'a slip', false, true), ('release', 'individual', 3, 'giver', NULL, true, false)$$, 'a withdrawal and the release after it');
SELECT results_eq(format($$SELECT subject, changed_by, before IS NULL, before = lag(after) OVER (ORDER BY changed_at), after::jsonb - '{expected_purchases,expected_premium,expected_cost}'::text[] FROM crm_bi.cycle_change WHERE plan_id = %s AND kind = 'computation' ORDER BY changed_at$$, :plan),
  $$VALUES ('1', 'planner', true, NULL::boolean, '{"as_of": "2025-12-31", "customers": 10}'::jsonb), ('2', 'planner', false, true, '{"as_of": "2025-12-31", "customers": 10}')$$, 'each computation');
SELECT results_eq(format($$SELECT kind, action, changed_by, before, after, reason FROM crm_bi.cycle_change WHERE plan_id = %s AND kind = 'plan' ORDER BY changed_at$$, :plan),
  $$VALUES ('plan', 'open', 'planner', NULL, 'draft', NULL), ('plan', 'submit', 'planner', 'draft', 'submitted', NULL), ('plan', 'return', 'head', 'submitted', 'draft', 'less'), ('plan', 'submit', 'planner', 'draft', 'submitted', NULL),
           ('plan', 'approve', 'head', 'submitted', 'approved', NULL), ('plan', 'carry_out', 'planner', 'approved', 'carried_out', NULL)$$, 'each step of the plan, with the reason');
SELECT results_eq(format($$SELECT action, subject, changed_by FROM crm_bi.cycle_change WHERE plan_id = %s AND kind = 'acceptance' ORDER BY changed_at$$, :plan), $$VALUES ('accept', 'individual/telesales/individual', 'giver'), ('accept', 'individual/telesales/telesales', 'user')$$, 'acceptances');
SELECT is((SELECT count(*) FROM crm_bi.cycle_change WHERE plan_id = :plan AND kind = 'terms' AND action = 'make' AND subject ~ '^individual/telesales/(premium|assessment|commission|cost)$'), 4::bigint, 'terms');
SELECT is((SELECT count(*) FROM crm_bi.cycle_change WHERE kind = 'release'), (SELECT count(*) FROM crm.cycle_release), 'releases');
SELECT is((SELECT count(*) FROM crm_bi.cycle_change WHERE kind = 'proposal' AND action IN ('make', 'change')), (SELECT count(*) FROM crm.proposal_version), 'versions of proposals');
SELECT crm.make_plan(:next, 'q', like_plan => :plan) AS copy \gset
SELECT crm.set_plan_stage(:copy, 1, 'pilot', '2026-07-01', '2026-08-31', org_ids => '{2}'), crm.set_plan_stage(:copy, 1, 'pilot', '2026-07-01', '2026-09-30', org_ids => '{2}') \g /dev/null
SELECT crm.set_plan_stage(:copy, 1, 'pilot', '2026-07-01', '2026-09-30', org_ids => '{2}'), crm.drop_plan_stage(:copy, 1, 'no pilot') \g /dev/null
SELECT results_eq(format($$SELECT action, before::jsonb ->> 'to_date', after::jsonb ->> 'to_date', after::jsonb ? 'name', reason FROM crm_bi.cycle_change WHERE plan_id = %s AND kind = 'stage' ORDER BY changed_at$$, :copy),
  $$VALUES ('make', NULL, '2026-08-31', true, NULL), ('change', '2026-08-31', '2026-09-30', false, NULL), ('drop', '2026-09-30', NULL, NULL, 'no pilot')$$, 'a stage set, changed and dropped; the same again is no change');
SELECT crm.set_terms(:copy, 1, 4, 'cost', 0, 1, 'they have the work') \g /dev/null
SELECT results_eq(format($$SELECT action, before::jsonb, after::jsonb - 'note', reason FROM crm_bi.cycle_change WHERE plan_id = %s AND subject ~ 'cost' ORDER BY changed_at$$, :copy),
  $$VALUES ('make', NULL::jsonb, '{"thing": "cost", "user_share": 0.7, "provider_share": 0.3, "user_channel_id": 4, "provider_channel_id": 1}'::jsonb, NULL),
           ('change', '{"user_share": 0.7, "provider_share": 0.3}', '{"user_share": 1, "provider_share": 0}', 'they have the work')$$, 'other terms');
SELECT crm.adjust_plan(:copy, 'bar', 59) \g /dev/null
SELECT is((SELECT count(*) FROM crm.cycle_change WHERE customer_id = 59), 1::bigint, 'somebody is barred');
SELECT lives_ok('DELETE FROM crm.customer WHERE id = 59', 'and deleted as a whole');
SELECT is_empty('SELECT * FROM crm.cycle_change WHERE customer_id = 59', 'with the history');
SELECT results_eq('SELECT cycle_change_key IS NOT NULL, count(*) = count(DISTINCT cycle_change_key) FROM crm_bi.cycle_change GROUP BY 1', 'VALUES (true, true)', 'its first column is a key');
SELECT is_empty($$SELECT attname FROM pg_attribute WHERE attrelid = 'crm_bi.cycle_change'::regclass AND attnum > 0 AND col_description(attrelid, attnum) !~ '[一-龥]'$$, 'every column is told in Chinese, too');
SELECT is(pg_temp.by('planner', 'DELETE FROM crm.cycle_change'), '42501 permission denied for table cycle_change', 'nobody changes it');

-- who asked for customers does not approve the plan that gives them
SELECT crm.open_cycle('asked', 2, '2026-01-01', '2026-12-31') AS asked \gset
SELECT count(*) FROM crm.release_to_inventory(:asked, 101, '{50,52,54}') \g /dev/null
SELECT is(pg_temp.by('both', format($$SELECT crm.submit_proposal(crm.propose(%s, 4, 'mine', 'true', 3, 3, 1, 100, '2026-06-30'))$$, :asked)), 'submitted', 'a planner who also approves proposes');
SELECT crm.make_plan(:asked, 'asked') AS asked_plan \gset
SELECT crm.compute_plan(:asked_plan, '2025-12-31') AS asked_version \gset
SELECT is(crm.submit_plan(:asked_plan, :asked_version), 'submitted', 'somebody plans and submits');
SELECT is(pg_temp.by('both', format('SELECT crm.approve_plan(%s, %s)', :asked_plan, :asked_version)), '42501 "both" has had a hand in plan "asked"', 'who proposed does not approve');
SELECT is(pg_temp.by('head', format('SELECT crm.approve_plan(%s, %s)', :asked_plan, :asked_version)), 'approved', 'another one does');

-- nor who had a hand in the plan that it is a copy of, or accepted its terms
SELECT crm.open_cycle('copied', 2, '2026-01-01', '2026-12-31') AS copied \gset
SELECT count(*) FROM crm.release_to_inventory(:copied, 101, '{51,53,55}') \g /dev/null
SELECT is(pg_temp.by('user', format($$SELECT crm.submit_proposal(crm.propose(%s, 4, 'ours', 'true', 3, 3, 1, 100, '2026-06-30'))$$, :copied)), 'submitted', 'the channel proposes');
INSERT INTO crm.position (staff_id, org_id, duty, from_date) SELECT s.id, 2, 'approver', '2020-01-01' FROM crm.staff s WHERE s.login = 'giver';
SELECT crm.make_plan(:copied, 'first', like_plan => :plan) AS first_copy \gset
SELECT crm.make_plan(:copied, 'second', like_plan => :first_copy) AS second_copy \gset
SELECT crm.compute_plan(:second_copy, '2025-12-31') AS copied_version \gset
SELECT is(pg_temp.by(person, format('SELECT crm.accept_terms(%s, 1, 4, %s)', :second_copy, channel)), '', person || ' accepts') FROM (VALUES ('giver', 1), ('user', 4)) v (person, channel);
SELECT is(crm.submit_plan(:second_copy, :copied_version), 'submitted', 'submitted');
SELECT is(pg_temp.by(person, format('SELECT crm.approve_plan(%s, %s)', :second_copy, :copied_version)), format('42501 "%s" has had a hand in plan "second"', person), why)
FROM (VALUES ('both', 'who pinned in the plan that was copied twice does not approve'), ('giver', 'nor who accepted the terms')) v (person, why);

SELECT crm.post() >= 0 AS posted \g /dev/null
SELECT is_empty('SELECT * FROM crm.check()', 'all is well');

-- a problem is late by the clock of the views
INSERT INTO crm.position (staff_id, org_id, duty) VALUES (12, 2, 'manager');
SELECT is(pg_temp.by(person, 'SELECT crm.report_problem(2, ''wrong numbers'') > 0'), answer, person || ' reports') FROM (VALUES (1, 'stray', '42501 "stray" may not act for unit "n"'), (2, 'caller', 'true')) v (n, person, answer) ORDER BY n;
SELECT is((SELECT is_overdue FROM crm_bi.problem), false, 'in time');
SET LOCAL crm.as_of = '2199-01-01';
SELECT is((SELECT is_overdue FROM crm_bi.problem), true, 'late one day');
SELECT * FROM finish();
ROLLBACK;
