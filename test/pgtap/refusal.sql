-- What functions that people call refuse, each by its code and in words that say what to do, and never by the name of a constraint.
\set ON_ERROR_STOP on
BEGIN;
SELECT no_plan();
\ir include/helpers.sql
SET LOCAL client_min_messages = warning;
INSERT INTO crm.organisation (id, code, name, parent_id) VALUES (1, 'hq', 'HQ', NULL), (2, 'east', 'East', 1), (3, 'west', 'West', 1);
INSERT INTO crm.staff (id, code, name, org_id, channel_id, joined_on) VALUES (1, 's1', 'S1', 2, 1, '2020-01-01');
INSERT INTO crm.customer (id, kind, name, org_id, source_channel_id, known_from) SELECT i, 'person', 'C' || i, 2, 1, '2024-01-01' FROM generate_series(1, 3) i;
INSERT INTO crm.position (staff_id, org_id, duty) VALUES (1, 2, 'resource_manager');
SELECT crm.open_cycle('spring', 2, '2026-01-01', '2026-06-30') AS cycle \gset
SELECT crm.make_plan(:cycle, 'one') AS plan \gset
INSERT INTO crm.plan (cycle_id, name, weighing, strategy, level, state) VALUES (:cycle, 'approved', 'net', 'even', 'staff', 'approved') RETURNING id AS approved \gset

CREATE TEMP TABLE refusal (n integer GENERATED ALWAYS AS IDENTITY, call text, code text, words text);
INSERT INTO refusal (call, code, words)
SELECT replace(replace(replace(v.call, '$c', :'cycle'), '$p', :'plan'), '$a', :'approved'), v.code, v.words
FROM (VALUES
  ($$crm.open_cycle(NULL, 2, '2026-01-01', '2026-06-30')$$, '23502', 'name of a cycle must be given'),
  ($$crm.open_cycle(NULL, NULL, NULL, NULL)$$, '23502', 'name, org_id, from_date, to_date of a cycle must be given'),
  ($$crm.open_cycle(' ', 2, '2026-01-01', '2026-06-30')$$, '23514', 'name of a cycle is blank'),
  ($$crm.open_cycle('x', 9, '2026-01-01', '2026-06-30')$$, '23503', 'there is no unit "9"'),
  ($$crm.open_cycle('x', 2, '2026-07-01', '2026-06-30')$$, '23514', 'the last day, 2026-06-30, comes before the first, 2026-07-01'),
  ($$crm.open_cycle('x', 2, '1899-12-31', '2026-06-30')$$, '23514', 'day "1899-12-31" is out of range'),
  ($$crm.open_cycle('x', 2, '2026-01-01', 'infinity')$$, '23514', 'day "infinity" is out of range'),
  ($$crm.inventory(NULL, '2026-01-01')$$, '22004', 'the cycle must be given'),
  ($$crm.propose($c, 9, 'x', 'true', 10, 1, 1, 1, '2026-06-01')$$, '23503', 'there is no channel "9"'),
  ($$crm.propose($c, 1, 'x', NULL, 10, 1, 1, NULL, '2026-06-01')$$, '23502', 'segment, expected_premium of a proposal must be given'),
  ($$crm.make_plan($c, NULL)$$, '23502', 'name of a plan must be given'),
  ($$crm.make_plan($c, ' ')$$, '23514', 'name of a plan is blank'),
  ($$crm.make_plan($c, 'x', like_plan => 999)$$, '23503', 'there is no plan "999"'),
  ($$crm.set_plan_stage(NULL, 1, 'x', '2026-03-01', '2026-04-01')$$, '22004', 'the plan must be given'),
  ($$crm.set_plan_stage(999, 1, 'x', '2026-03-01', '2026-04-01')$$, '23503', 'there is no plan "999"'),
  ($$crm.set_plan_stage($p, NULL, NULL, NULL, NULL, 'city', NULL)$$, '23502', 'stage, name, from_date, to_date, org_ids of a roll-out must be given'),
  ($$crm.set_plan_stage($p, 0, 'x', '2026-03-01', '2026-04-01')$$, '23514', 'there is no stage "0"'),
  ($$crm.set_plan_stage($p, 1, ' ', '2026-03-01', '2026-04-01')$$, '23514', 'name of a roll-out is blank'),
  ($$crm.set_plan_stage($p, 1, 'x', '2026-05-01', '2026-04-01')$$, '23514', 'comes before the first'),
  ($$crm.set_plan_stage($p, 1, 'x', '2026-05-01', '2200-01-01')$$, '23514', 'day "2200-01-01" is out of range'),
  ($$crm.set_plan_stage($p, 1, 'x', '2026-03-01', '2026-04-01')$$, '23514', 'stage "x" names neither units nor an area'),
  ($$crm.set_plan_stage($p, 1, 'x', '2026-03-01', '2026-04-01', 'moon')$$, '23514', 'there is no area "moon"'),
  ($$crm.set_plan_stage($p, 1, 'x', '2026-03-01', '2026-04-01', org_ids => '{3}')$$, '23514', 'unit "3" lies outside the cycle'),
  ($$crm.drop_plan_stage($p, 9)$$, '42704', 'has no stage 9'),
  ($$crm.adjust_plan($p, 'bar', 9)$$, '23503', 'there is no customer "9"'),
  ($$crm.adjust_plan($p, 'pin', 1, 9)$$, '23503', 'there is no channel "9"'),
  ($$crm.adjust_plan($p, 'pin', 1, 1, 9)$$, '23503', 'there is no unit "9"'),
  ($$crm.adjust_plan($p, 'pin', 1, staff_id => 9)$$, '23503', 'there is no member of staff "9"'),
  ($$crm.adjust_plan($p, 'volume', channel_id => 1, org_id => 9, volume => 3)$$, '23503', 'there is no unit "9"'),
  ($$crm.drop_adjustment($p, 9)$$, '42704', 'has no adjustment 9'),
  ($$crm.set_terms($p, NULL, 2, 'premium', NULL, 1)$$, '23502', 'provider_channel_id, provider_share of terms must be given'),
  ($$crm.set_terms($p, 1, 2, 'glory', 0, 1)$$, '23514', 'there is no thing "glory"'),
  ($$crm.set_terms($p, 1, 1, 'premium', 0, 1)$$, '23514', 'channel "1" has no terms with itself'),
  ($$crm.set_terms($p, 1, 9, 'premium', 0, 1)$$, '23503', 'there is no channel "9"'),
  ($$crm.set_terms($p, 1, 2, 'premium', -0.5, 1.5)$$, '23514', 'provider_share -0.5 is no share'),
  ($$crm.set_terms($p, 1, 2, 'premium', 1.5, -0.5)$$, '23514', 'provider_share 1.5 is no share'),
  ($$crm.set_terms($p, 1, 2, 'premium', 0.3333333333333333333333333333333, 0.6666666666666666666666666666667)$$, '23514', 'is no share'),
  ($$crm.accept_terms($p, 1, 2, 3)$$, '22023', 'channel "3" is not a party'),
  ($$crm.amend_terms($a, NULL, 2, NULL, 0, 0, 0, 0)$$, '23502', 'provider_channel_id, from_date of terms must be given'),
  ($$crm.amend_terms($a, 1, 9, '2026-03-01', 0, 0, 0, 0)$$, '23503', 'there is no channel "9"'),
  ($$crm.amend_terms($a, 1, 1, '2026-03-01', 0, 0, 0, 0)$$, '23514', 'has no terms with itself'),
  ($$crm.amend_terms($a, 1, 2, '-infinity', 0, 0, 0, 0)$$, '23514', 'day "-infinity" is out of range'),
  ($$crm.amend_terms($a, 1, 2, '2026-03-01', 0, 0, 0, 1.1)$$, '23514', 'cost_share 1.1 is no share'),
  ($$crm.amend_terms($a, 1, 2, '2026-03-01', 0, 'NaN', 0, 0)$$, '23514', 'assessment_share NaN is no share'),
  ($$crm.report_problem(9, 'x')$$, '23503', 'there is no unit "9"'),
  ($$crm.report_problem(2, NULL)$$, '23502', 'title of a problem must be given'),
  ($$crm.report_problem(2, ' ')$$, '23514', 'title of a problem is blank'),
  ($$crm.report_problem(2, 'x', 999)$$, '23503', 'there is no plan "999"'),
  ($$crm.report_problem(2, 'x', NULL, 9)$$, '23503', 'there is no target list "9"'),
  ($$crm.report_problem(2, 'x', NULL, NULL, 9)$$, '23503', 'there is no channel "9"'),
  ($$crm.answer_problem(NULL, 'x')$$, '22004', 'the problem must be given'),
  ($$crm.reopen_problem(NULL, 'x')$$, '22004', 'the problem must be given'),
  ($$crm.close_problem(NULL)$$, '22004', 'the problem must be given'),
  ($$crm.close_problem(9)$$, '23503', 'there is no problem "9"'),
  ($$crm.await_allocation('{1}', '{}')$$, '23514', 'no member of staff is named'),
  ($$crm.await_allocation('{1}', '{1}', strategy => 'optimal')$$, '23514', 'cannot wait for strategy "optimal"'),
  ($$crm.await_allocation('{1,9}', '{1}')$$, '23503', 'there is no customer "9"'),
  ($$crm.await_allocation('{1}', '{1,9}')$$, '23503', 'there is no member of staff "9"'),
  ($$crm.await_allocation('{1}', NULL, 9)$$, '23503', 'there is no unit "9"'),
  ($$crm.await_allocation('{1}', NULL, NULL, 9)$$, '23503', 'there is no channel "9"'),
  ($$crm.enter_customer(1, NULL, NULL)$$, '23502', 'kind, name of a customer must be given'),
  ($$crm.enter_customer(1, 'person', ' ')$$, '23514', 'name of a customer is blank'),
  ($$crm.enter_customer(1, 'dog', 'Rex')$$, '23514', 'there is no kind of customer "dog"'),
  ($$crm.enter_customer(1, 'person', 'Rex', sex => 'x')$$, '23514', 'there is no sex "x"'),
  ($$crm.enter_customer(1, 'person', 'Rex', 9)$$, '23503', 'there is no unit "9"'),
  ($$crm.save_list(NULL, NULL)$$, '23502', 'name, condition of a list must be given'),
  ($$crm.save_list(' ', 'true')$$, '23514', 'name of a list is blank'),
  ($$crm.make_appointment(1, 1, clock_timestamp() + interval '1 day', ' ')$$, '23514', 'place of an appointment is blank'),
  ($$crm.end_appointment(NULL, 1, 'kept')$$, '22004', 'the customer must be given'),
  ($$crm.end_appointment(1, NULL, 'kept')$$, '22004', 'the appointment must be given'),
  ($$crm.end_appointment(1, 9, 'kept')$$, '23503', 'customer "1" has no appointment "9"')) v (call, code, words);
SELECT is(t.code || ': ' || CASE WHEN strpos(t.message, r.words) > 0 THEN r.words ELSE t.message END, r.code || ': ' || r.words, r.call)
FROM refusal r, pg_temp.told('SELECT ' || r.call) t ORDER BY r.n;
SELECT is_empty($$SELECT r.call, t.code FROM refusal r, pg_temp.told('SELECT ' || r.call) t WHERE r.code <> '22004' AND coalesce(t.hint, '') = ''$$,
                'what is wrong comes with what to do');
SELECT is((pg_temp.told(format('SELECT crm.propose(%s, 1, ''x'', ''true'', 10, 1, 1, NULL, ''2026-06-01'')', :cycle))).hint, 'Expect 0 where nothing is to be expected.',
          'as the caller knows it');
SELECT crm.post() \gset
SELECT crm.merge(2, 3, 'one') \gset
SELECT crm.post() \gset
SELECT is((pg_temp.told(format('SELECT crm.adjust_plan(%s, ''bar'', 3)', :plan))).hint, 'The customer was merged into customer 2.', 'of a customer who was merged it tells into whom');
DELETE FROM crm.plan WHERE id = :approved;
SELECT is_empty('SELECT * FROM crm.check()', 'nothing of it has left a trace');
SELECT * FROM finish();
ROLLBACK;
