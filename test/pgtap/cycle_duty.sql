-- Who does what in a cycle of resources; lists dealt out by need, attachments, problems; customers of plans who are merged.
\set ON_ERROR_STOP on
BEGIN;
SELECT no_plan();
\ir include/helpers.sql
SET LOCAL client_min_messages = warning;
INSERT INTO crm.organisation (id, parent_id, code, name) VALUES (1, NULL, 'c', 'Company'), (2, 1, 'n', 'North'), (3, 1, 's', 'South');
CREATE ROLE crm_test_provider; CREATE ROLE crm_test_planner; CREATE ROLE crm_test_approver; CREATE ROLE crm_test_resources; CREATE ROLE crm_test_unit; CREATE ROLE crm_test_analyst;
CALL crm.grant_duty('provider', 'crm_test_provider');
CALL crm.grant_duty('planner', 'crm_test_planner');
CALL crm.grant_duty('approver', 'crm_test_approver');
CALL crm.grant_duty('resource_manager', 'crm_test_resources');
CALL crm.grant_duty('sales', 'crm_test_unit');
CALL crm.grant_duty('analyst', 'crm_test_analyst');
INSERT INTO crm.staff (id, code, name, org_id, channel_id, joined_on, login) VALUES
  (1, 'a', 'Provider', 1, 1, '2020-01-01', 'crm_test_provider'), (2, 'b', 'Planner', 1, 4, '2020-01-01', 'crm_test_planner'), (3, 'c', 'Approver', 1, 2, '2020-01-01', 'crm_test_approver'),
  (4, 'd', 'Resources', 1, 2, '2020-01-01', 'crm_test_resources'), (5, 'e', 'Unit', 2, 4, '2020-01-01', 'crm_test_unit'), (6, 'f', 'Agent', 2, 4, '2020-01-01', NULL), (7, 'g', 'Agent', 3, 4, '2020-01-01', NULL);
INSERT INTO crm.position (staff_id, org_id, duty) VALUES (1, 1, 'provider'), (2, 1, 'planner'), (3, 1, 'approver'), (4, 1, 'resource_manager');
INSERT INTO crm.customer (id, kind, name, org_id, source_channel_id, known_from)
SELECT i, 'person', 'Customer ' || i, 2 + i % 2, CASE WHEN i <= 20 THEN 1 ELSE 4 END, '2024-01-01' FROM generate_series(1, 40) i;
INSERT INTO crm.setting (name, value) VALUES ('cycle_consent', 'false');
CALL crm.rebuild('2025-12-31', NULL);
SET LOCAL crm.as_of = '2025-12-31';

-- a statement as somebody: its answer, or the code
SELECT is(pg_temp.by_login(login::name, statement), answer, login || ': ' || statement) FROM (VALUES
  (1, 'crm_test_planner', $$SELECT crm.open_cycle('y', 1, '2026-01-01', '2026-06-30') > 0$$, '42501'),
  (2, 'crm_test_resources', $$SELECT crm.open_cycle('x', 1, '2026-01-01', '2026-06-30') > 0$$, 'true'),
  (3, 'crm_test_provider', $$SELECT count(*) FROM crm.release_to_inventory((SELECT id FROM crm.cycle), 1, condition => 'channel = ''individual''') WHERE outcome = 'released'$$, '20'),
  (4, 'crm_test_provider', $$SELECT crm.release_to_inventory((SELECT id FROM crm.cycle), 4, '{21}')$$, '42501'),
  (5, 'crm_test_provider', $$SELECT crm.release_to_inventory((SELECT id FROM crm.cycle), 5, '{21}')$$, '42501'),
  (6, 'crm_test_provider', $$SELECT crm.withdraw_from_inventory((SELECT id FROM crm.cycle), 4)$$, '42501'),
  (7, 'crm_test_resources', $$SELECT count(*) FROM crm.release_to_inventory((SELECT id FROM crm.cycle), 5, '{21,22,23}') WHERE outcome = 'released'$$, '3'),
  (8, 'crm_test_unit', $$SELECT crm.release_to_inventory((SELECT id FROM crm.cycle), 4, '{24}')$$, '42501'),
  (9, 'crm_test_provider', $$SELECT crm.propose((SELECT id FROM crm.cycle), 4, 'x', 'true', 10, 5, 1, 100, '2026-06-30')$$, '42501'),
  (10, 'crm_test_planner', $$SELECT crm.propose((SELECT id FROM crm.cycle), 1, 'x', 'true', 10, 5, 1, 100, '2026-06-30')$$, '42501'),
  (11, 'crm_test_planner', $$SELECT crm.propose((SELECT id FROM crm.cycle), 4, 'x', 'true', 18, 9, 2, 1000, '2026-06-30', 90) > 0$$, 'true'),
  (12, 'crm_test_planner', 'SELECT crm.submit_proposal(max(id)) FROM crm_bi.proposal p, LATERAL (SELECT p.proposal_id) v (id)', 'submitted'),
  (13, 'crm_test_approver', 'SELECT crm.withdraw_proposal(1, ''x'')', '42501'),
  (14, 'crm_test_approver', $$SELECT crm.make_plan((SELECT id FROM crm.cycle), 'p')$$, '42501'),
  (15, 'crm_test_planner', $$SELECT crm.make_plan((SELECT id FROM crm.cycle), 'p') > 0$$, 'true'),
  (16, 'crm_test_planner', $$SELECT crm.compute_plan((SELECT plan_id FROM crm_bi.plan), '2025-12-31')$$, '1'),
  (17, 'crm_test_planner', $$SELECT planned FROM crm_bi.plan$$, '18'),
  (18, 'crm_test_approver', $$SELECT planned FROM crm_bi.plan$$, '18'),
  (19, 'crm_test_planner', $$SELECT crm.set_terms((SELECT plan_id FROM crm_bi.plan), 1, 4, t, 0.5, 0.5) FROM unnest('{premium,assessment,commission,cost}'::text[]) t$$, ''),
  (20, 'crm_test_planner', 'SELECT crm.accept_terms((SELECT plan_id FROM crm_bi.plan), 1, 4, 1)', '42501'),
  (21, 'crm_test_planner', 'SELECT crm.accept_terms((SELECT plan_id FROM crm_bi.plan), 1, 4, 4)', ''),
  (22, 'crm_test_provider', 'SELECT crm.accept_terms((SELECT DISTINCT plan_id FROM crm_bi.plan_terms), 1, 4, 1)', ''),
  (23, 'crm_test_planner', 'SELECT crm.approve_plan(1, 1)', '42501'),
  (24, 'crm_test_planner', 'SELECT crm.submit_plan((SELECT plan_id FROM crm_bi.plan), 1)', 'submitted'),
  (24.1, 'crm_test_approver', $$SELECT string_agg(workflow || ' ' || state || ' ' || mine, ', ') FROM crm.my_items()$$, 'plan submitted true'),
  (24.2, 'crm_test_planner', $$SELECT string_agg(workflow || ' ' || state || ' ' || mine, ', ' ORDER BY workflow) FROM crm.my_items() WHERE workflow = 'plan'$$, 'plan submitted false'),
  (24.3, 'crm_test_analyst', 'SELECT count(*) FROM crm.my_items()', '42501'),
  (25, 'crm_test_resources', 'SELECT crm.approve_plan((SELECT plan_id FROM crm_bi.plan), 1)', '42501'),
  (26, 'crm_test_planner', 'CALL crm.carry_out_plan(1, batch => NULL)', '55000'),
  (27, 'crm_test_approver', 'SELECT crm.approve_plan((SELECT plan_id FROM crm_bi.plan), 1)', 'approved'),
  (28, 'crm_test_approver', 'CALL crm.carry_out_plan(1, batch => NULL)', '42501'),
  (29, 'crm_test_planner', 'CALL crm.carry_out_plan(1, batch => NULL)', 'done'),
  (30, 'crm_test_planner', 'SELECT state || allocated FROM crm_bi.plan', 'carried_out18'),
  (31, 'crm_test_planner', 'SELECT crm.allocate(''{1}'', ''{1}'')', '42501'),
  (32, 'crm_test_planner', 'INSERT INTO crm.plan_customer (plan_id, customer_id) VALUES (1, 1)', '42501'),
  (33, 'crm_test_analyst', 'SELECT count(*) FROM crm_bi.inventory', '23'),
  (34, 'crm_test_analyst', 'SELECT sum(allocated) FROM crm.allocation_history((now() AT TIME ZONE ''Asia/Shanghai'')::date + 90)', '18'),
  (35, 'crm_test_unit', 'SELECT count(*) FROM crm_bi.inventory', '42501')) v (n, login, statement, answer) ORDER BY n;
SELECT is((SELECT plan_id FROM crm_bi.plan) IS NOT NULL, true, 'one plan');
SELECT plan_id AS plan FROM crm_bi.plan \gset
SELECT results_eq('SELECT DISTINCT staff_id, start_reason, started_by FROM crm.holding WHERE plan_id IS NOT NULL AND staff_id IN (5, 6) ORDER BY 1',
                  format('VALUES (5::bigint, ''plan %1$s: p'', ''crm_test_planner''), (6, ''plan %1$s: p'', ''crm_test_planner'')', :plan), 'allocated in the name of who carried it out');

-- to a unit, and to a channel
SELECT crm.submit_proposal(crm.propose((SELECT id FROM crm.cycle), 4, 'rest', 'true', 100, 1, 1, 1, '2026-06-30')) \g /dev/null
SELECT crm.make_plan((SELECT id FROM crm.cycle), 'to units', level => 'unit') AS units \gset
SELECT crm.make_plan((SELECT id FROM crm.cycle), 'to the channel', level => 'channel') AS channel \gset
SELECT is(crm.compute_plan(:units, '2025-12-31') + crm.compute_plan(:channel, '2025-12-31'), 2, 'plans for units and channel');
SELECT is_empty(format('SELECT * FROM crm_bi.plan_customer c JOIN crm.customer b ON b.id = c.customer_id WHERE c.plan_id = %s AND (c.org_id <> b.org_id OR c.staff_id IS NOT NULL)', :units), 'units get those at home');
SELECT results_eq(format('SELECT DISTINCT org_id, staff_id, why FROM crm_bi.plan_customer WHERE plan_id = %s', :channel), $$VALUES (NULL::bigint, NULL::bigint, 'channel')$$, 'the channel as such');
SELECT crm.set_terms(:units, 1, 4, t, 0, 1) FROM unnest('{premium,assessment,commission,cost}'::text[]) t \g /dev/null
SET LOCAL crm.actor = 'crm_test_provider';
SELECT crm.accept_terms(:units, 1, 4, 1) \g /dev/null
SET LOCAL crm.actor = 'crm_test_unit';
SELECT crm.accept_terms(:units, 1, 4, 4) \g /dev/null
SELECT is(crm.submit_plan(:units, 1), 'submitted', 'submitted');
SELECT customer_id AS kept FROM crm.plan_customer WHERE plan_id = :units ORDER BY 1 LIMIT 1 \gset
SELECT customer_id AS dropped FROM crm.plan_customer WHERE plan_id = :units ORDER BY 1 OFFSET 1 LIMIT 1 \gset
SET LOCAL crm.actor = 'crm_test_approver';
SELECT is(crm.approve_plan(:units, 1), 'approved', 'approved');
SAVEPOINT whole;
SELECT lives_ok(format('SELECT crm.merge(%s, %s, ''one person'')', :kept, :dropped), 'two of a plan are one');
SELECT is((SELECT count(*) FROM crm.plan_customer WHERE plan_id = :units AND customer_id IN (:kept, :dropped)), 1::bigint, 'planned once');
CALL crm.carry_out_plan(:units, batch => NULL);
SELECT results_eq(format('SELECT DISTINCT outcome FROM crm.plan_customer WHERE plan_id = %s', :units), $$VALUES ('allocated')$$, 'and allocated with the others');
SELECT is_empty('SELECT * FROM crm._check_cycle()', 'which holds together');
ROLLBACK TO whole;
CALL crm.carry_out_plan(:units, batch => NULL);
SELECT ok(bool_and(h.staff_id IS NULL AND h.org_id = c.org_id), 'units hold') FROM crm.holding h JOIN crm_bi.plan_customer c ON c.customer_id = h.customer_id AND c.holding_id = h.id WHERE c.plan_id = :units;
RESET crm.actor;

-- lists by need ----------------------------------------------------------------

SELECT crm.freeze_list('rest', 'source_channel = ''telesales''') AS list \gset
SELECT pg_temp.refused(format('SELECT crm.distribute_list(%s)', args), code, words, name) FROM (VALUES
  ('999, ''{5}''', '42704', 'no target list', 'a list that there is'), (:'list' || ', ''{5,6}'', ''{1}''', '22023', '2 members of staff .* 1 wants', 'a want for each'),
  (:'list' || ', ''{5}'', ''{-1}''', '22023', 'less than 0', 'of nobody at least'), (:'list' || ', ''{5,NULL}''', '22004', '', 'without nulls'), (:'list' || ', ''{99}''', '23503', 'no member of staff', 'to staff that there is')) v (args, code, words, name);
SELECT results_eq(format('SELECT staff_id, outcome, count(*) FROM crm.distribute_list(%s, ''{5,6,7}'', ''{2,4,0}'') GROUP BY 1, 2 ORDER BY 1, 2', :list),
                  $$VALUES (5::bigint, 'allocated', 2::bigint), (6, 'allocated', 4), (NULL, 'left_over', 11)$$, 'each gets what it wants');
SELECT results_eq(format('SELECT outcome, count(*) FROM crm.distribute_list(%s, ''{5,6,7}'') GROUP BY 1', :list), $$VALUES ('allocated', 11::bigint)$$, 'without wants all are dealt out');
SELECT is_empty(format('SELECT * FROM crm.distribute_list(%s, ''{5}'')', :list), 'then nobody is left');

-- attachments and problems -------------------------------------------------------

SELECT is(pg_temp.by_login('crm_test_planner', format($$INSERT INTO crm.plan_attachment (plan_id, kind, title, link) VALUES (%s, 'script', 'Opening words', 'https://example.com/a') RETURNING title$$, :plan)), 'Opening words', 'a script goes along');
SELECT is(pg_temp.by_login('crm_test_unit', format($$INSERT INTO crm.plan_attachment (plan_id, kind, title, link) VALUES (%s, 'script', 'x', 'https://example.com/a')$$, :plan)), '42501', 'not from anybody');
SELECT pg_temp.refused(format('INSERT INTO crm.plan_attachment (plan_id, target_list_id, kind, title, body, link) VALUES (%s)', v), '23514', words, name) FROM (VALUES
  (:'plan' || ', ' || :'list' || ', ''script'', ''x'', ''y'', NULL', 'of_check', 'with one of plan and list'), ('NULL, NULL, ''script'', ''x'', ''y'', NULL', 'of_check', 'not none'),
  (:'plan' || ', NULL, ''song'', ''x'', ''y'', NULL', 'kind', 'of a known kind'), (:'plan' || ', NULL, ''script'', ''x'', NULL, NULL', 'what_check', 'text or link'),
  (:'plan' || ', NULL, ''script'', ''x'', NULL, ''javascript:alert(1)''', 'link', 'a link of the web')) r (v, words, name);
SELECT is(pg_temp.by_login('crm_test_unit', format($$SELECT crm.report_problem(3, 'wrong numbers', %s)$$, :plan)), '42501', 'nobody reports for another unit');
SELECT is(pg_temp.by_login('crm_test_unit', format($$SELECT crm.report_problem(2, 'wrong numbers', %s) > 0$$, :plan)), 'true', 'a unit reports a problem');
SELECT max(problem_id) AS problem FROM crm_bi.problem \gset
SELECT results_eq('SELECT state, responsible, due_at IS NOT NULL FROM crm_bi.problem', $$VALUES ('open', 'crm_test_resources', true)$$, 'somebody is to answer, in time');
SELECT is(pg_temp.by_login(login::name, format(statement, :problem)), answer, login || ': ' || statement) FROM (VALUES
  (1, 'crm_test_unit', 'SELECT crm.answer_problem(%s, ''x'')', '42501'), (2, 'crm_test_resources', 'SELECT crm.answer_problem(%s, NULL)', '23502'), (3, 'crm_test_unit', 'SELECT crm.reopen_problem(%s, ''x'')', '55000'),
  (4, 'crm_test_resources', 'SELECT crm.answer_problem(%s, ''new ones come'')', 'answered'), (5, 'crm_test_unit', 'SELECT crm.reopen_problem(%s, '''')', '23502'),
  (6, 'crm_test_unit', 'SELECT crm.reopen_problem(%s, ''when?'')', 'open'), (7, 'crm_test_resources', 'SELECT crm.answer_problem(%s, ''tomorrow'')', 'answered'),
  (8, 'crm_test_provider', 'SELECT crm.close_problem(%s)', '42501'), (9, 'crm_test_unit', 'SELECT crm.close_problem(%s)', 'closed'), (10, 'crm_test_unit', 'SELECT crm.close_problem(%s)', '55000')) v (n, login, statement, answer) ORDER BY n;
SELECT results_eq('SELECT state, answer, responsible FROM crm_bi.problem', $$VALUES ('closed', 'tomorrow', NULL::text)$$, 'tracked to its answer');
SELECT crm.post() >= 0 AS posted \g /dev/null
SELECT is_empty('SELECT * FROM crm.check()', 'all is well');
SELECT * FROM finish();
ROLLBACK;
