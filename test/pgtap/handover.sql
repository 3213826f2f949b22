-- Staff who leave or move: plans and what becomes of them, nobody out of post holds, who sees what, what is refused.
\set ON_ERROR_STOP on
SET client_min_messages = warning;
BEGIN;
SELECT no_plan();
SET LOCAL client_min_messages = warning;
\ir include/helpers.sql
SELECT crm._business_day(clock_timestamp()) AS today \gset

INSERT INTO crm.organisation (id, parent_id, code, name) VALUES (1, NULL, 'c', 'Company'), (2, 1, 'n', 'North'), (3, 1, 's', 'South');
INSERT INTO crm.staff (id, code, name, org_id, channel_id, joined_on, login, phone, email) VALUES
  (1, 'a', '安娜', 2, 1, '2020-01-01', 'anna', '021-1', 'anna@example.com'), (2, 'b', '白波', 2, 1, '2020-01-01', 'bo', '021-2', 'bo@example.com'), (3, 'c', '陈程', 2, 1, '2020-01-01', 'cy', NULL, NULL),
  (4, 'd', '丁迪', 2, 2, '2020-01-01', NULL, NULL, NULL), (5, 'e', '艾德', 3, 1, '2020-01-01', 'ed', NULL, NULL), (6, 'f', '傅菲', 3, 1, '2020-01-01', NULL, NULL, NULL), (9, 'x', '夏先', 3, 1, '2020-01-01', NULL, NULL, NULL), (7, 'g', '顾总', 1, 1, '2020-01-01', 'gu', NULL, NULL);
INSERT INTO crm.position (staff_id, org_id, duty) VALUES (7, 1, 'manager');
UPDATE crm.staff SET left_on = '2021-01-01' WHERE id = 9;
INSERT INTO crm.customer (id, kind, name, org_id, source_channel_id, known_from) SELECT i, 'person', 'Customer ' || i, 2, 1, '2020-01-01' FROM generate_series(1, 100) i;
CREATE FUNCTION pg_temp.holders(customers bigint[]) RETURNS text LANGUAGE sql AS $$
  SELECT string_agg(u.id || ':' || coalesce(h.staff_id::text, '-'), ' ' ORDER BY u.id) FROM unnest(customers) u(id) LEFT JOIN crm.holding h ON h.customer_id = u.id AND h.held_to IS NULL
$$;
CREATE FUNCTION pg_temp.hold(staff bigint, customers bigint[]) RETURNS bigint LANGUAGE sql AS $$
  SELECT count(*) FROM crm.allocate(customers, (SELECT array_agg(staff) FROM unnest(customers)), 'given') WHERE outcome = 'allocated'
$$;

-- a departure, planned and done ------------------------------------------------------

SELECT is(pg_temp.hold(1, ARRAY[1, 2, 3, 4, 5, 6, 7, 8]) + pg_temp.hold(2, ARRAY[11, 12]), 10::bigint, 'Anna holds 8, Bo 2');
SELECT crm.record_contact(1, 1, 'sales', 'reached', '谈了年金') \gset
INSERT INTO crm.appointment (customer_id, staff_id, at, result) VALUES (1, 1, now() + interval '3 days', NULL), (1, 1, now() - interval '9 days', 'kept'), (50, 1, now() + interval '1 day', NULL), (8, 1, now() + interval '1 day', NULL), (11, 2, now() + interval '1 day', NULL);
SELECT crm.define_workflow('paper', '{"subject": "customer", "states": [{"state": "open", "initial": true}, {"state": "done", "final": true}], "transitions": [{"transition": "end", "from": "open", "to": "done", "by": "anyone"}]}') \gset
SELECT crm.define_workflow('other', '{"subject": "paper", "states": [{"state": "open", "initial": true}, {"state": "done", "final": true}], "transitions": [{"transition": "end", "from": "open", "to": "done", "by": "anyone"}]}') \gset
SELECT crm.open_item('paper', 1, 2, 1, '{}', 'anna') AS item_1, crm.open_item('paper', 50, 2, 1, '{}', 'anna') AS item_50, crm.open_item('other', 3, 2, 1, '{}', 'anna') AS item_other, crm.open_item('paper', 2, 2, 1, '{}', 'bo') AS item_bo,
       crm.open_item('paper', 4, 2, 1, '{}', 'anna') AS item_done \gset
SELECT crm.make_transition(:item_done, 'end') \gset
SELECT crm.plan_departure(1, :'today'::date + 30, deputy_id => 3, reason => '辞职') AS plan \gset
SELECT is((SELECT left_on FROM crm.staff WHERE id = 1), :'today'::date + 30, 'the last day is recorded');
SELECT results_eq('SELECT customer_id, to_staff_id, chosen, outcome FROM crm.hand_over_customer ORDER BY 1', $$SELECT i::bigint, l.to_staff_id, false, NULL::text FROM generate_series(1, 8) i JOIN crm.hand_over_customer l ON l.customer_id = i ORDER BY 1$$, 'each customer has a line');
SELECT results_eq('SELECT to_staff_id, count(*) FROM crm.hand_over_customer GROUP BY 1 ORDER BY 1', 'VALUES (2::bigint, 3::bigint), (3, 5)', 'planned for the colleagues of unit and channel, so that they end up level');
SELECT is(pg_temp.holders(ARRAY[1, 2, 3, 4, 5, 6, 7, 8]), '1:1 2:1 3:1 4:1 5:1 6:1 7:1 8:1', 'and still held');
SELECT is_empty('SELECT FROM crm.holding WHERE end_cause IS NOT NULL', 'planning leaves no trace in the holdings');
SELECT is(crm.plan_successor(:plan, ARRAY[1, 2, 2], 5), 2::bigint, 'two are chosen for somebody elsewhere');
SELECT is(crm.plan_successor(:plan, ARRAY[8], NULL), 1::bigint, 'one for the pool');
SELECT results_eq('SELECT to_staff_id, chosen, count(*) FROM crm.hand_over_customer GROUP BY 1, 2 ORDER BY 1, 2', 'VALUES (2::bigint, false, 2::bigint), (3, false, 3), (5, true, 2), (NULL, true, 1)', 'the others are planned anew');
SELECT results_eq('SELECT customer_id, customer_name, on_date, state, outcome, old_name, old_unit, new_name, new_unit, new_phone, new_email FROM crm.hand_over_list(1) WHERE customer_id IN (1, 8)',
  format($$VALUES (1::bigint, 'Customer 1', %L::date, 'planned', NULL::text, '安娜', 'North', '艾德', 'South', NULL::text, NULL::text), (8, 'Customer 8', %L, 'planned', NULL, '安娜', 'North', NULL, NULL, NULL, NULL)$$, :'today'::date + 30, :'today'::date + 30), 'the letter can be written');
SELECT results_eq('SELECT org_id, leavers, unplanned, overdue, customers, planned, orphans FROM crm_bi.hand_over_unit', 'VALUES (2::bigint, 1::bigint, 0::bigint, 0::bigint, 8::bigint, 7::bigint, 0::bigint)', 'the unit sees what is ahead');
SELECT is(crm.hand_over(:'today'), 0::bigint, 'nothing is done before the day');
-- until then the world goes on: one is released, one claimed, a successor is full, another leaves
SELECT crm.release(2) AS gone, crm.claim(20, 1) AS new \gset
INSERT INTO crm.holding_quota (staff_id, quota) VALUES (2, 3);
SELECT crm.plan_departure(5, :'today'::date + 1, 'pool') AS other \gset
-- the day comes
UPDATE crm.hand_over SET on_date = :'today' WHERE id = :plan;
UPDATE crm.staff SET left_on = :'today' WHERE id = 1;
SELECT is((SELECT count(*) FROM crm_bi.orphan), 8::bigint, 'until it is done they are orphans');
SELECT is((SELECT string_agg(DISTINCT c.check_name, ', ') FROM crm._check_holding() c), 'appointment_owner, hand_over_due, holding_in_post', 'which the check tells');
SELECT is(crm.hand_over(:'today'), 8::bigint, 'all that Anna holds goes');
SELECT is_empty('SELECT * FROM crm_bi.orphan', 'there is no orphan');
SELECT is(pg_temp.holders(ARRAY[2, 8]), '2:- 8:-', 'who was released and who was for the pool are there');
SELECT results_eq('SELECT customer_id, outcome, obstacle, got_staff_id IS NOT NULL FROM crm.hand_over_customer WHERE hand_over_id = ' || :plan || ' AND customer_id IN (1, 2, 8, 20) ORDER BY 1',
  $$VALUES (1::bigint, 'handed_over', NULL::text, true), (2, 'gone', NULL, false), (8, 'pool', NULL, false), (20, 'handed_over', NULL, true)$$, 'what became of each is on record');
SELECT is((SELECT count(*) FROM crm.holding WHERE staff_id = 2 AND held_to IS NULL), 3::bigint, 'nobody goes over the quota');
SELECT results_eq('SELECT count(*), count(DISTINCT obstacle) FROM crm.hand_over_customer WHERE obstacle = ''quota''', 'VALUES (1::bigint, 1::bigint)', 'and who had to go elsewhere is told');
SELECT is_empty('SELECT FROM crm.hand_over_customer l JOIN crm.holding h ON h.customer_id = l.customer_id AND h.held_to IS NULL WHERE l.hand_over_id = ' || :plan || ' AND h.staff_id IS DISTINCT FROM l.got_staff_id', 'the lines tell the holders');
SELECT is_empty('SELECT FROM crm.holding o JOIN crm.holding n ON n.customer_id = o.customer_id AND n.held_to IS NULL WHERE o.staff_id = 1 AND o.end_cause = ''departure'' AND o.held_to <> n.held_from', 'one holding goes over into the other');
SELECT results_eq('SELECT customer_id, staff_id, result FROM crm.appointment ORDER BY 1, 3', $$SELECT * FROM (VALUES (1::bigint, 5::bigint, NULL::text), (1, 1, 'kept'), (8, 3, NULL), (11, 2, NULL), (50, 3, NULL)) v (c, s, r) ORDER BY 1, 3$$,
  'open appointments go to the successor, else to the deputy; what was stays') ;
SELECT is((SELECT string_agg(coalesce(responsible, '-'), ' ' ORDER BY id) FROM crm.workflow_item), 'ed cy cy bo -', 'so do open items of workflows');
SELECT is((SELECT reason FROM crm.workflow_log WHERE item_id = :item_1 ORDER BY id DESC LIMIT 1), 'hand-over ' || :plan, 'as their log tells');
SELECT is_empty('SELECT * FROM crm._check_workflow()', 'which is in order');
SELECT results_eq('SELECT state, appointments, items, handed_over, pool, still_held, overdue FROM crm_bi.hand_over WHERE hand_over_id = ' || :plan, $$VALUES ('done', 3::bigint, 3::bigint, 7::bigint, 1::bigint, 0::bigint, false)$$, 'the view sums up');
SELECT is((SELECT count(*) FROM crm.hand_over_list(1)), 8::bigint, 'the list is of those who changed');
SELECT is(crm.hand_over(:'today'), 0::bigint, 'once');
SELECT is_empty('SELECT * FROM crm._check_holding()', 'the invariants hold');

-- who sees what -------------------------------------------------------------------------

CREATE ROLE crm_test_hand_pool;
CALL crm.grant_duty('sales', 'crm_test_hand_pool'); CALL crm.grant_duty('pool', 'crm_test_hand_pool');
CREATE FUNCTION pg_temp.seen(who text, customer bigint) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  n text;
BEGIN
  SET LOCAL SESSION AUTHORIZATION crm_test_hand_pool;
  PERFORM set_config('crm.actor', who, true);
  EXECUTE format('SELECT string_agg(event || '' '' || coalesce(staff_name, ''-''), '', '' ORDER BY at, event DESC) FROM crm.customer_history(%s) WHERE event IN (''contact'', ''held'', ''held no longer'')', customer) INTO n;
  RESET SESSION AUTHORIZATION;
  PERFORM set_config('crm.actor', '', true);
  RETURN n;
EXCEPTION WHEN OTHERS THEN
  RETURN SQLSTATE;
END
$$;
SELECT is(pg_temp.seen('ed', 1), 'held 安娜, contact 安娜, held no longer 安娜, held 艾德', 'the successor sees the records of before');
SELECT is(pg_temp.seen('anna', 1), '42501', 'who left no longer does');
SELECT is(pg_temp.seen('bo', 1), '42501', 'nor a colleague');
SELECT is(pg_temp.seen('ed', 8), '42501', 'nobody of sales looks into the pool');
SELECT is((SELECT count(*) FROM crm.customer_history(1)), 7::bigint, 'a manager sees all, appointments and workflows too');

-- nobody out of post holds ----------------------------------------------------------------

SELECT is(pg_temp.hold(6, ARRAY[61, 62, 63]), 3::bigint, 'Fei holds 3');
UPDATE crm.staff SET left_on = :'today' WHERE id = 6;
SET CONSTRAINTS ALL IMMEDIATE;
SELECT is(pg_temp.holders(ARRAY[61, 62, 63]), '61:- 62:- 63:-', 'who leaves without a plan gives all back at the end of the transaction');
SELECT results_eq('SELECT strategy, state, on_date, pool FROM crm_bi.hand_over WHERE staff_id = 6', format($$VALUES ('pool', 'done', %L::date, 3::bigint)$$, :'today'), 'and there is a record');
SELECT is(pg_temp.code_of('SELECT crm.claim(61, 6)'), '55000', 'and holds nobody again');
SELECT is(pg_temp.code_of($$INSERT INTO crm.holding (customer_id, channel_id, org_id, staff_id, start_cause, rule) VALUES (61, 1, 3, 6, 'claim', 'never')$$), '55000', 'not even by hand');
SELECT is(pg_temp.code_of($$UPDATE crm.holding SET held_to = NULL, end_cause = NULL, ended_by = NULL WHERE customer_id = 62 AND staff_id = 6$$), '55000', 'nor by taking the end back');
SELECT is(pg_temp.code_of($$INSERT INTO crm.holding (customer_id, channel_id, org_id, staff_id, held_from, held_to, start_cause, end_cause, ended_by, rule) VALUES (70, 1, 3, 9, '2020-05-01', '2020-06-01', 'claim', 'release', 'x', 'never')$$), '00000', 'the past may be written');
SELECT is(crm.claim(71, 3) > 0, true, 'Cy claims');
SELECT crm.plan_departure(3, :'today', 'even', ARRAY[2]) AS today_plan \gset
SELECT is(pg_temp.holders(ARRAY[71]), '71:-', 'a departure today is done when the transaction ends, Bo being full');
SELECT is((SELECT string_agg(state, ',') FROM crm.hand_over WHERE id = :today_plan), 'done', 'by its plan');
UPDATE crm.staff SET left_on = left_on + 1 WHERE id = 5;
SELECT is((SELECT on_date - :'today'::date FROM crm.hand_over WHERE id = :other), 2, 'a plan follows the last day');
UPDATE crm.staff SET left_on = NULL WHERE id = 5;
SELECT is((SELECT state FROM crm.hand_over WHERE id = :other), 'cancelled', 'and goes with it');
SELECT crm.plan_departure(5, :'today'::date + 9) AS again \gset
SELECT crm.cancel_hand_over(:again, '留任');
SELECT is((SELECT left_on FROM crm.staff WHERE id = 5), NULL, 'who stays after all has no last day');
SET CONSTRAINTS ALL DEFERRED;
SELECT crm.plan_departure(5, :'today'::date + 9, 'pool') AS again \gset
UPDATE crm.staff SET left_on = NULL WHERE id = 5;
SELECT crm.cancel_hand_over(:again, '留任');

-- a move --------------------------------------------------------------------------------------

DELETE FROM crm.holding_quota;
SELECT is(pg_temp.hold(2, ARRAY[31, 32, 33]), 3::bigint, 'Bo holds 3 more');
SELECT count(*) AS bo FROM crm.holding WHERE staff_id = 2 AND held_to IS NULL \gset
SELECT crm.plan_move(2, :'today', 3) AS move \gset
SELECT crm.plan_successor(:move, ARRAY[33], 5) \gset
INSERT INTO crm.appointment (customer_id, staff_id, at) VALUES (33, 2, now() + interval '1 day');
SELECT is(crm.hand_over(:'today'), 1::bigint, 'one is handed over');
SELECT results_eq('SELECT org_id, left_on FROM crm.staff WHERE id = 2', 'VALUES (3::bigint, NULL::date)', 'Bo is in the new unit');
SELECT results_eq('SELECT DISTINCT org_id FROM crm.holding WHERE staff_id = 2 AND held_to IS NULL', 'VALUES (2::bigint)', 'what is kept goes on in the unit where it began');
SELECT results_eq('SELECT handed_over, pool, kept, appointments FROM crm_bi.hand_over WHERE hand_over_id = ' || :move, format('VALUES (1::bigint, 0::bigint, %s::bigint, 1::bigint)', :bo - 1), 'the rest is kept');
SELECT is((SELECT staff_id FROM crm.appointment WHERE customer_id = 33), 5::bigint, 'the appointment goes along');
SELECT is((SELECT end_cause FROM crm.holding WHERE customer_id = 33 AND staff_id = 2), 'transfer', 'as a transfer');
SELECT crm.plan_move(2, :'today', 2, 1, 'least_loaded', ARRAY[5]) AS move \gset
SELECT is(crm.hand_over(:'today'), (:bo - 1)::bigint, 'or all are handed over');
SELECT is((SELECT count(*) FROM crm.holding WHERE staff_id = 2 AND held_to IS NULL), 0::bigint, 'nothing is kept then');
SELECT is_empty('SELECT * FROM crm._check_holding()', 'the invariants hold after that');

-- who was to move and leaves holds nobody on
SAVEPOINT leaver;
SELECT is(crm.claim(81, 5) > 0, true, 'Ed claims');
SELECT crm.plan_move(5, :'today'::date + 10, 2) AS move_later \gset
UPDATE crm.staff SET left_on = :'today' WHERE id = 5;
SET CONSTRAINTS ALL IMMEDIATE;
SELECT is(pg_temp.holders(ARRAY[81]), '81:-', 'a move planned keeps no customer of who left');
SELECT results_eq('SELECT kind, state FROM crm.hand_over WHERE staff_id = 5 AND (id >= ' || :move_later || ') ORDER BY id', $$VALUES ('move', 'cancelled'), ('departure', 'done')$$, 'the move is off, the departure done');
SELECT is_empty('SELECT * FROM crm._check_holding()', 'and nobody who left holds');
ROLLBACK TO leaver;

-- a customer in dispute stays with who moves, and stops nobody
SAVEPOINT dispute;
SELECT count(crm.release(customer_id)) AS released FROM crm.holding WHERE staff_id = 5 AND held_to IS NULL \gset
SAVEPOINT dispute;
SELECT is(pg_temp.hold(5, ARRAY[82, 83, 84]) + pg_temp.hold(4, ARRAY[85]), 4::bigint, 'Ed and Di hold');
SELECT crm.open_dispute(82, 4, 'mine') AS disputed \gset
SELECT crm.plan_move(5, :'today', 2, strategy => 'least_loaded', successors => ARRAY[2]) AS moves, crm.plan_move(4, :'today', 3, strategy => 'pool') AS moves_too \gset
SELECT results_eq('SELECT customer_id, to_staff_id, obstacle FROM crm.hand_over_customer WHERE hand_over_id = ' || :moves || ' ORDER BY 1', $$VALUES (82::bigint, NULL::bigint, 'in_dispute'), (83, 2, NULL), (84, 2, NULL)$$, 'planned with a customer in dispute');
SELECT is(crm.plan_successor(:moves, ARRAY[83], NULL), 1::bigint, 'and planned anew');
SELECT is(crm.hand_over(:'today'), 3::bigint, 'and done');
SELECT results_eq('SELECT customer_id, outcome, obstacle, got_staff_id FROM crm.hand_over_customer WHERE hand_over_id = ' || :moves || ' ORDER BY 1', $$VALUES (82::bigint, 'kept', 'in_dispute', NULL::bigint), (83, 'pool', NULL, NULL), (84, 'handed_over', NULL, 2)$$, 'but for that one');
SELECT is(pg_temp.holders(ARRAY[82, 83, 84, 85]), '82:5 83:- 84:2 85:-', 'who stays with the holder');
UPDATE crm.staff SET left_on = :'today' WHERE id = 5;
SET CONSTRAINTS ALL IMMEDIATE;
SELECT is(pg_temp.holders(ARRAY[82]), '82:-', 'until the holder leaves');
ROLLBACK TO dispute;
-- nor does one that fails
CREATE FUNCTION pg_temp.stop() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'not this one' USING DETAIL = 'By a rule of the house.'; END$$;
SELECT is(pg_temp.hold(5, ARRAY[82]) + pg_temp.hold(4, ARRAY[85]) + pg_temp.hold(2, ARRAY[86]), 3::bigint, 'three hold');
SELECT crm.plan_move(2, :'today', 3, strategy => 'pool') AS first, crm.plan_move(5, :'today', 2, strategy => 'pool') AS second \gset
UPDATE crm.staff SET left_on = :'today' WHERE id = 4;
CREATE TRIGGER stop BEFORE UPDATE ON crm.holding FOR EACH ROW WHEN (OLD.customer_id IN (82, 85)) EXECUTE FUNCTION pg_temp.stop();
SELECT is(crm.hand_over(:'today'), 1::bigint, 'two that fail stop no third');
SELECT is((SELECT string_agg(kind || ' ' || p.staff_id || ' ' || state || coalesce(' ' || failure, ''), ', ' ORDER BY p.staff_id) FROM crm.hand_over p WHERE p.id >= :first),
  'move 2 done, departure 4 planned not this one. By a rule of the house., move 5 planned not this one. By a rule of the house.', 'and are told');
SELECT is((SELECT detail FROM crm._check_holding() WHERE check_name = 'hand_over_due' ORDER BY 1 DESC LIMIT 1), format('move of staff member 5 was planned for %s and is not done: not this one. By a rule of the house.', :'today'), 'by the check, too');
SELECT is((SELECT count(*) FROM crm_bi.hand_over WHERE failed_at IS NOT NULL AND overdue), 2::bigint, 'and the view');
DROP TRIGGER stop ON crm.holding;
SELECT is(crm.release_departed(:'today'), 1::bigint, 'the next run tries again');
SELECT is(crm.hand_over(:'today'), 1::bigint, 'as does this');
SELECT is_empty('SELECT FROM crm.hand_over WHERE failed_at IS NOT NULL OR failure IS NOT NULL', 'and what is done did not fail');
ROLLBACK TO dispute;
-- nobody to take over
SELECT is(pg_temp.hold(4, ARRAY[85, 86, 87]), 3::bigint, 'Di is alone in her channel');
SELECT crm.plan_departure(4, :'today'::date + 3) AS alone \gset
SELECT crm.plan_successor(:alone, ARRAY[85], NULL), crm.plan_successor(:alone, ARRAY[86], 2) \gset
SELECT results_eq('SELECT customer_id, to_staff_id, obstacle FROM crm.hand_over_customer WHERE hand_over_id = ' || :alone || ' ORDER BY 1', $$VALUES (85::bigint, NULL::bigint, NULL::text), (86, 2, NULL), (87, NULL, 'no_successor')$$, 'which is told');
ROLLBACK TO dispute;
-- appointments have an owner
INSERT INTO crm.appointment (customer_id, staff_id, at) VALUES (88, 5, now() + interval '1 day'), (89, 4, now() + interval '1 day');
SELECT is(pg_temp.hold(4, ARRAY[89]), 1::bigint, 'Di has an appointment with whom she holds');
UPDATE crm.staff SET left_on = :'today' WHERE id = 5;
SET CONSTRAINTS ALL IMMEDIATE;
SELECT is((SELECT staff_id FROM crm.appointment WHERE customer_id = 88), 7::bigint, 'without successor and deputy they go to the nearest manager');
DELETE FROM crm.position;
UPDATE crm.staff SET left_on = :'today' WHERE id = 4;
SELECT is((SELECT staff_id FROM crm.appointment WHERE customer_id = 89), 4::bigint, 'without one they stay');
SELECT is((SELECT string_agg(check_name || ' ' || detail, ', ') FROM crm._check_holding()), format('appointment_owner 1 open appointments are with staff member 4, who left on %s', :'today'), 'which the check tells');
SELECT is(crm.hand_over(:'today'), 0::bigint, 'with nobody to take them nothing happens');
SELECT is((SELECT count(*) FROM crm.hand_over WHERE staff_id = 4), 1::bigint, 'night by night');
INSERT INTO crm.position (staff_id, org_id, duty) VALUES (7, 1, 'manager');
SELECT is(crm.hand_over(:'today'), 0::bigint, 'no customer is left');
SELECT is((SELECT staff_id FROM crm.appointment WHERE customer_id = 89), 7::bigint, 'but the appointment goes where there is a manager');
SELECT is_empty('SELECT * FROM crm._check_holding()', 'and all is well');
SET CONSTRAINTS ALL DEFERRED;
ROLLBACK TO dispute;
RELEASE dispute;
ROLLBACK TO dispute;

-- never back to who is in cool-off
SELECT is(crm.claim(80, 5) > 0 AND crm.release(80) > 0 AND crm.claim(80, 2) > 0, true, 'Ed held before Bo');
SELECT crm.plan_departure(2, :'today', 'even', ARRAY[5]) AS cool \gset
SELECT results_eq('SELECT to_staff_id, obstacle FROM crm.hand_over_customer WHERE customer_id = 80 AND hand_over_id = ' || :cool, $$VALUES (NULL::bigint, 'left_over')$$, 'is not planned for Ed again');
SELECT crm.cancel_hand_over(:cool, 'x');

-- merged customers
SELECT is(pg_temp.hold(5, ARRAY[90, 91]), 2::bigint, 'two who are one');
SELECT crm.plan_departure(5, :'today'::date + 3) AS merged \gset
SELECT crm.merge(90, 91, 'the same') \gset
SELECT is((SELECT count(*) FROM crm.hand_over_customer WHERE hand_over_id = :merged AND customer_id IN (90, 91)), 1::bigint, 'have one line');
SELECT crm.cancel_hand_over(:merged, 'x');

SELECT is_empty($$SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 WHERE c.relnamespace = 'crm_bi'::regnamespace AND (c.relname LIKE 'hand_over%' OR c.relname = 'orphan')
                  AND col_description(c.oid, a.attnum) !~ '[一-龥]'$$, 'the views speak two languages');

-- wrong input -----------------------------------------------------------------------------------

SELECT crm.plan_departure(5, :'today'::date + 3, 'pool') AS open \gset
SELECT is(pg_temp.code_of(replace(replace(replace(q, '$day', quote_literal(:'today'::date + 5)), '$open', :'open'), '$done', :'move')), code, q) FROM (VALUES
  ('SELECT crm.plan_departure(NULL, $day)', '22004'), ('SELECT crm.plan_departure(2, NULL)', '22004'), ('SELECT crm.plan_departure(2, $day, NULL)', '22004'), ('SELECT crm.plan_departure(99, $day)', '23503'), ('SELECT crm.plan_departure(9, $day)', '55000'),
  ('SELECT crm.plan_departure(2, ''2020-01-01'')', '22023'), ('SELECT crm.plan_departure(2, ''infinity'')', '22023'), ('SELECT crm.plan_departure(2, $day, ''lottery'')', '22023'), ('SELECT crm.plan_departure(2, $day, ''given'')', '22023'),
  ('SELECT crm.plan_departure(2, $day, ''keep'')', '22023'), ('SELECT crm.plan_departure(2, $day, ''pool'', ARRAY[4])', '22023'), ('SELECT crm.plan_departure(2, $day, ''even'', ARRAY[2])', '55000'), ('SELECT crm.plan_departure(2, $day, ''even'', ARRAY[9])', '55000'),
  ('SELECT crm.plan_departure(2, $day, ''even'', ARRAY[5])', '55000'), ('SELECT crm.plan_departure(2, $day, ''even'', ARRAY[99])', '23503'), ('SELECT crm.plan_departure(2, $day, ''even'', ARRAY[4, NULL])', '22004'), ('SELECT crm.plan_departure(2, $day, ''even'', ARRAY[[4]])', '2202E'),
  ('SELECT crm.plan_departure(2, $day, deputy_id => 2)', '55000'), ('SELECT crm.plan_departure(2, $day, deputy_id => 99)', '23503'), ('SELECT crm.plan_departure(2, $day, ''even'', ARRAY[4, 4])', '00000'), ('SELECT crm.plan_departure(2, $day, ''even'', ARRAY[]::bigint[])', '55006'), ('SELECT crm.plan_departure(5, $day, ''lottery'')', '22023'),
  ('SELECT crm.plan_departure(5, $day)', '55006'), ('SELECT crm.plan_move(5, $day, 2)', '55000'), ('SELECT crm.plan_move(4, $day, NULL)', '22004'), ('SELECT crm.plan_move(4, $day, 99)', '23503'), ('SELECT crm.plan_move(4, $day, 3, 99)', '23503'),
  ('SELECT crm.plan_move(4, $day, 2)', '22023'), ('SELECT crm.plan_move(4, NULL, 3)', '22004'), ('SELECT crm.plan_move(4, ''2020-01-01'', 3)', '22023'), ('SELECT crm.plan_move(4, $day, 2, 1)', '00000'),
  ('SELECT crm.plan_successor(NULL, ARRAY[1], 4)', '22004'), ('SELECT crm.plan_successor(999, ARRAY[1], 4)', '23503'), ('SELECT crm.plan_successor($done, ARRAY[1], 4)', '55000'), ('SELECT crm.plan_successor($open, ARRAY[1, NULL], 4)', '22004'), ('SELECT crm.plan_successor($open, NULL, 4)', '22004'),
  ('SELECT crm.plan_successor($open, ARRAY[[1]], 4)', '2202E'), ('SELECT crm.plan_successor($open, ARRAY[8], 4)', '22023'), ('SELECT crm.plan_successor($open, ARRAY[33], 5)', '55000'), ('SELECT crm.plan_successor($open, ARRAY[33], 99)', '23503'), ('SELECT crm.plan_successor($open, ARRAY[]::bigint[], 4)', '00000'),
  ('SELECT crm.cancel_hand_over(NULL, ''x'')', '22004'), ('SELECT crm.cancel_hand_over(999, ''x'')', '23503'), ('SELECT crm.cancel_hand_over($open, '' '')', '23514'), ('SELECT crm.cancel_hand_over($open, NULL)', '23514'), ('SELECT crm.cancel_hand_over($done, ''x'')', '55000'),
  ('SELECT crm.hand_over(NULL)', '22004'), ('SELECT crm.hand_over($day)', '22023'), ('SELECT crm.hand_over_list(NULL)', '22004'), ('SELECT crm.hand_over_list(99)', '23503'), ('SELECT * FROM crm.hand_over_list(4)', '00000'),
  ('SELECT crm.customer_history(NULL)', '22004'), ('SELECT crm.customer_history(9999)', '23503')) v (q, code);

SELECT crm.post() \gset
SELECT is_empty('SELECT * FROM crm.check()', 'the book agrees');
SELECT * FROM finish();
ROLLBACK;
