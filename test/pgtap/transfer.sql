-- Transfers that the level above confirms, disputes over customers, what the successor sees, merges of customers with open items.
\set ON_ERROR_STOP on
BEGIN;
SELECT no_plan();
SET LOCAL client_min_messages = warning;
SET LOCAL timezone = 'Asia/Shanghai';
\ir include/helpers.sql

CREATE ROLE crm_test_pool; CREATE ROLE crm_test_manager; CREATE ROLE crm_test_analyst;
CALL crm.grant_duty('sales', 'crm_test_pool');
CALL crm.grant_duty('pool', 'crm_test_pool');
CALL crm.grant_duty('sales', 'crm_test_manager');
CALL crm.grant_duty('manager', 'crm_test_manager');
CALL crm.grant_duty('analyst', 'crm_test_analyst');
-- enterprise 1, sub-bureau 2, office 3, outlets 4 and 5, another sub-bureau 6 with outlet 7, a company 8 of its own
INSERT INTO crm.organisation (id, parent_id, code, name) VALUES (1, NULL, 'e', 'Enterprise'), (2, 1, 'b', 'Bureau'), (3, 2, 'o', 'Office'), (4, 3, 'x', 'X'), (5, 3, 'y', 'Y'), (6, 1, 'z', 'Z'), (7, 6, 'w', 'W'), (8, NULL, 'f', 'F');
INSERT INTO crm.staff (id, code, name, org_id, channel_id, joined_on, left_on, login) VALUES
  (1, '1', 'Top', 1, 1, '2020-01-01', NULL, 'top'), (2, '2', 'Bureau', 2, 1, '2020-01-01', NULL, 'bureau'), (3, '3', 'Office', 3, 1, '2020-01-01', NULL, 'office'),
  (4, '4', 'Head', 4, 1, '2020-01-01', NULL, 'head'), (5, '5', 'Ann', 4, 1, '2020-01-01', NULL, 'ann'), (6, '6', 'Ben', 4, 1, '2020-01-01', NULL, 'ben'),
  (7, '7', 'Cat', 5, 1, '2020-01-01', NULL, 'cat'), (8, '8', 'Gone', 4, 1, '2020-01-01', '2021-01-01', 'gone'), (9, '9', 'Mute', 4, 1, '2020-01-01', NULL, NULL),
  (10, '10', 'Wim', 7, 1, '2020-01-01', NULL, 'wim'), (11, '11', 'Judge', 3, 1, '2020-01-01', NULL, 'judge'), (12, '12', 'Far', 8, 1, '2020-01-01', NULL, 'far');
INSERT INTO crm.position (staff_id, org_id, duty) VALUES (1, 1, 'manager'), (2, 2, 'manager'), (3, 3, 'manager'), (4, 4, 'manager'), (11, 3, 'arbiter');
INSERT INTO crm.customer (id, kind, name, org_id, source_channel_id, known_from) SELECT i, 'person', 'C' || i, 4, 1, '2024-01-01' FROM generate_series(1, 30) i;
CREATE FUNCTION pg_temp.by(person text, statement text) RETURNS text LANGUAGE sql AS $$SELECT split_part(pg_temp.as(person, statement), ' / ', 1)$$;
CREATE FUNCTION pg_temp.holder(customer bigint) RETURNS text LANGUAGE sql AS $$
  SELECT coalesce((SELECT crm._held_by(h) || CASE WHEN h.locked THEN ', locked' ELSE '' END FROM crm.holding h WHERE h.customer_id = customer AND h.held_to IS NULL), 'nobody')
$$;
CREATE FUNCTION pg_temp.item(customer bigint) RETURNS bigint LANGUAGE sql AS 'SELECT max(i.id) FROM crm.workflow_item i WHERE i.customer_id = customer';
SELECT sum(crm.claim(i, 5)) FROM generate_series(1, 20) i \gset
SELECT crm.claim(21, 9), crm.claim(22, 10), crm.claim(23, 2), crm.claim(24, 1), crm.record_contact(1, 5, 'sales', 'reached', 'likes tea') \gset
SELECT * FROM crm.entrust('{25}', 1, 4) \gset

-- requests ------------------------------------------------------------------------

SELECT is(pg_temp.by(who, statement), answer, name) FROM (VALUES
  ('ann', 'SELECT crm.request_transfer(NULL, 6, ''x'')', '22004 the customer must be given', 'no customer'),
  ('ann', 'SELECT crm.request_transfer(99, 6, ''x'')', '23503 there is no customer "99"', 'an unknown one'),
  ('ann', 'SELECT crm.request_transfer(1, NULL, ''x'')', '22004 the member of staff must be given', 'nobody to go to'),
  ('ann', 'SELECT crm.request_transfer(1, 99, ''x'')', '23503 there is no member of staff "99"', 'an unknown one to go to'),
  ('ann', 'SELECT crm.request_transfer(1, 8, ''x'')', '55000 staff member "8" is not in post', 'one who left'),
  ('ann', 'SELECT crm.request_transfer(1, 5, ''x'')', '55006 staff member "5" holds customer "1" already', 'the holder'),
  ('ann', 'SELECT crm.request_transfer(26, 6, ''x'')', '55000 nobody holds customer "26"', 'a customer of the pool'),
  ('ann', 'SELECT crm.request_transfer(25, 6, ''x'')', '55000 customer "25" is held by unit 4 of channel 1', 'a customer of a unit'),
  ('ann', 'SELECT crm.request_transfer(1, 6, NULL)', '23502 opening needs field "reason"', 'no reason'),
  ('ann', 'SELECT crm.request_transfer(1, 6, ''  '')', '23502 opening needs field "reason"', 'an empty one'),
  ('cat', 'SELECT crm.request_transfer(1, 6, ''x'')', '42501 "cat" may not request that customer "1" goes from staff member "5" to "6"', 'somebody else'),
  ('gone', 'SELECT crm.request_transfer(1, 6, ''x'')', '42501 "gone" may not request that customer "1" goes from staff member "5" to "6"', 'nobody in post'),
  ('ann', 'SELECT crm.request_transfer(1, 12, ''x'')', '55000 no unit lies above staff members 5 and 12', 'to another company'),
  ('ann', 'SELECT crm.transfer(1, 6)', '42501 permission denied for function transfer', 'nobody just does it'),
  ('ann', $$SELECT crm.open_item('transfer', 1, 4, 1, '{"from_staff_id": 5, "to_staff_id": 6, "reason": "x"}')$$, '42501 "ann" may not open an item of workflow "transfer" at unit "4"', 'nor goes around')) v (who, statement, answer, name);
SELECT is((SELECT count(*) FROM crm.workflow_item), 0::bigint, 'what is refused leaves nothing behind');

SELECT ok(pg_temp.by('ann', 'SELECT crm.request_transfer(1, 6, ''moved house'')')::bigint > 0, 'the holder asks');
SELECT ok(pg_temp.by('ben', 'SELECT crm.request_transfer(2, 6, ''my neighbour'')')::bigint > 0, 'who would be');
SELECT ok(pg_temp.by('head', 'SELECT crm.request_transfer(3, 6, ''fairness'')')::bigint > 0, 'the manager of the unit');
SELECT ok(pg_temp.by('ann', 'SELECT crm.request_transfer(4, 7, ''to outlet Y'')')::bigint > 0, 'to another outlet');
SELECT ok(pg_temp.by('wim', 'SELECT crm.request_transfer(5, 10, ''to bureau Z'')')::bigint > 0, 'to another bureau');
SELECT ok(pg_temp.by('office', 'SELECT crm.request_transfer(6, 3, ''mine'')')::bigint > 0, 'to a manager');
SELECT ok(pg_temp.by('top', 'SELECT crm.request_transfer(24, 2, ''down'')')::bigint > 0, 'from the top');
SELECT results_eq('SELECT customer_id, from_staff_id, to_staff_id, org_id, responsible, state_name_zh FROM crm_bi.transfer_request ORDER BY 1', $$VALUES
  (1::bigint, 5::bigint, 6::bigint, 3::bigint, 'office', '待确认'), (2, 5, 6, 3, 'office', '待确认'), (3, 5, 6, 3, 'office', '待确认'), (4, 5, 7, 3, 'office', '待确认'),
  (5, 5, 10, 1, 'top', '待确认'), (6, 5, 3, 2, 'bureau', '待确认'), (24, 1, 2, 1, 'top', '待确认')$$, 'the level above both is to confirm');
SELECT is(pg_temp.by('ann', 'SELECT crm.request_transfer(1, 7, ''or her'')'), '55006 an item of workflow "transfer" is open already for customer "1"', 'one request at a time');
SELECT is(pg_temp.holder(1), 'staff member 5', 'nothing happens before it is confirmed');
SELECT is(pg_temp.by(who, format('SELECT crm.make_transition(%s, %L, ''{}'', %L)', pg_temp.item(customer), transition, reason)), replace(answer, '@', pg_temp.item(customer)::text), name) FROM (VALUES
  ('ann', 1, 'confirm', NULL, '42501 "ann" may not make transition "confirm" of item "@"', 'nobody confirms their own'),
  ('ben', 1, 'confirm', NULL, '42501 "ben" may not make transition "confirm" of item "@"', 'nor does the other'),
  ('head', 1, 'confirm', NULL, '42501 "head" may not make transition "confirm" of item "@"', 'nor the manager of the unit'),
  ('judge', 1, 'confirm', NULL, '42501 "judge" may not make transition "confirm" of item "@"', 'nor with another duty'),
  ('bureau', 6, 'confirm', NULL, 'confirmed', 'the level above does'),
  ('office', 1, 'confirm', 'fine', 'confirmed', 'so here'),
  ('top', 24, 'confirm', NULL, '42501 "top" may not make transition "confirm" of item "@", which is their own', 'not even the top its own'),
  ('office', 2, 'refuse', NULL, '23502 transition "refuse" needs a reason', 'refused with a reason'),
  ('bureau', 2, 'refuse', 'no', 'refused', 'by any above'),
  ('head', 3, 'withdraw', NULL, 'withdrawn', 'withdrawn by who asked'),
  ('ann', 3, 'withdraw', NULL, '55000 item "@" is in state "withdrawn", from which there is no transition "withdraw"', 'once'),
  ('ann', 5, 'withdraw', NULL, '42501 "ann" may not make transition "withdraw" of item "@"', 'and by nobody else')) v (who, customer, transition, reason, answer, name);
SELECT is(array_agg(pg_temp.holder(i) ORDER BY i), '{staff member 6,staff member 5,staff member 5,staff member 5,staff member 5,staff member 3}', 'who holds now') FROM generate_series(1, 6) i;
SELECT results_eq('SELECT start_cause, started_by, start_reason FROM crm.holding WHERE customer_id = 1 AND held_to IS NULL', format($$VALUES ('transfer', 'office', 'request %s: moved house')$$, pg_temp.item(1)), 'by whom and why');
SELECT results_eq('SELECT customer_id, state, decided_by, decision FROM crm_bi.transfer_request WHERE closed_at IS NOT NULL ORDER BY 1', $$VALUES (1::bigint, 'confirmed', 'office', 'fine'), (2, 'refused', 'bureau', 'no'), (3, 'withdrawn', 'head', NULL), (6, 'confirmed', 'bureau', NULL)$$, 'who decided');
SET LOCAL ROLE crm_test_manager;
SELECT ok(crm.request_transfer(7, 6, 'by a login that acts for anyone') > 0, 'a login with the duty manager asks for anyone');
RESET ROLE;

-- crm.transfer() asks where the level above is to confirm
SAVEPOINT at_once;
GRANT crm_test_manager TO crm_test_pool;
CREATE FUNCTION pg_temp.requested(customer bigint) RETURNS text LANGUAGE sql AS $$SELECT string_agg(i.state || ' by ' || i.opened_by || ' of ' || i.responsible, ', ' ORDER BY i.id) FROM crm.workflow_item i WHERE i.workflow = 'transfer' AND i.customer_id = customer$$;
SELECT is(pg_temp.by(who, statement), answer, name) FROM (VALUES
  ('office', 'SELECT crm.transfer(17, 6, ''level'') > 0', 'true', 'the manager at the level above both transfers at once'),
  ('judge', 'SELECT crm.transfer(18, 6)', '23502 opening needs field "reason"', 'anybody else asks, with a reason'),
  ('judge', 'SELECT crm.transfer(18, 6, ''x'') IS NULL', 'true', 'and gets no holding'),
  ('head', 'SELECT crm.transfer(19, 6, ''x'') IS NULL', 'true', 'nor does the manager below'),
  ('bureau', 'SELECT crm.transfer(20, 2, ''mine'') IS NULL', 'true', 'nor one of the two'),
  ('office', 'SELECT crm.transfer(18, 6, ''x'') > 0', 'true', 'the word of the level above goes beside a request'),
  ('office', 'SELECT crm.transfer(25, 6) > 0', 'true', 'out of the hands of a unit'),
  ('head', 'SELECT crm.transfer(12, 12, ''x'')', '55000 no unit lies above staff members 5 and 12', 'nobody lies above two companies')) v (who, statement, answer, name);
SELECT is(array_agg(pg_temp.holder(i) ORDER BY i), '{staff member 6,staff member 6,staff member 5,staff member 5}', 'who holds') FROM generate_series(17, 20) i;
SELECT is(array_agg(pg_temp.requested(i) ORDER BY i), '{NULL,requested by judge of office,requested by head of office,requested by bureau of top}', 'what is asked for') FROM generate_series(17, 20) i;
SELECT results_eq('SELECT start_cause, started_by, start_reason FROM crm.holding WHERE customer_id = 17 AND held_to IS NULL', $$VALUES ('transfer', 'office', 'level')$$, 'the holding tells who confirmed');
UPDATE crm.holding SET protection_days = 30 WHERE customer_id = 16 AND held_to IS NULL;
SELECT is(pg_temp.by('head', 'SELECT crm.transfer(16, 6, ''x'')'), '55000 customer "16" is protected for staff member 5', 'what is protected is not even asked for');
ROLLBACK TO at_once;

-- what stands against it only at the end
SELECT pg_temp.by('ann', 'SELECT crm.release(7)'), pg_temp.by('ann', 'SELECT crm.request_transfer(8, 6, ''x'')'), pg_temp.by('ann', 'SELECT crm.request_transfer(9, 6, ''x'')'), pg_temp.by('ann', 'SELECT crm.request_transfer(10, 6, ''x'')') \gset
SELECT is(pg_temp.by('office', format('SELECT crm.make_transition(%s, ''confirm'')', pg_temp.item(7))), '55000 nobody holds customer "7"', 'given back meanwhile');
SELECT crm.transfer(8, 7) \gset
SELECT is(pg_temp.by('office', format('SELECT crm.make_transition(%s, ''confirm'')', pg_temp.item(8))), '55000 customer "8" is held by staff member 7 now', 'gone to somebody else meanwhile');
INSERT INTO crm.holding_quota (staff_id, quota) VALUES (6, 1);
SELECT is(pg_temp.by('office', format('SELECT crm.make_transition(%s, ''confirm'')', pg_temp.item(9))), '53400 quota of 1 customers of staff member "6" is reached', 'no room');
SELECT is((SELECT state FROM crm.workflow_item WHERE id = pg_temp.item(9)), 'requested', 'the request stands');
DELETE FROM crm.holding_quota;
SELECT is(pg_temp.by('office', format('SELECT crm.make_transition(%s, ''confirm'')', pg_temp.item(9))), 'confirmed', 'until there is');
SELECT pg_temp.by('ann', 'SELECT crm.request_transfer(9, 5, ''back'')') \gset
SELECT is(pg_temp.by('office', format('SELECT crm.make_transition(%s, ''confirm'')', pg_temp.item(9))), '23514 staff member "5" may not hold customer "9" again yet', 'back within the cool-off');
SELECT is(pg_temp.by('office', format('SELECT crm.make_transition(%s, ''refuse'', ''{}'', ''cool-off'')', pg_temp.item(9))), 'refused', 'is not so easy');
SELECT pg_temp.by('ann', 'SELECT crm.request_transfer(9, 5, ''back'', true)') \gset
SELECT is(pg_temp.by('office', format('SELECT crm.make_transition(%s, ''confirm'')', pg_temp.item(9))), 'confirmed', 'though it can be waived openly');
UPDATE crm.staff SET left_on = crm.today() WHERE id = 6;
SELECT is(pg_temp.by('office', format('SELECT crm.make_transition(%s, ''confirm'')', pg_temp.item(10))), '55000 staff member "6" is not in post', 'to somebody who left meanwhile');
UPDATE crm.staff SET left_on = NULL WHERE id = 6;

-- what the successor sees ------------------------------------------------------------

SELECT is(pg_temp.by('ben', 'SELECT string_agg(event || '' '' || coalesce(staff_id::text, ''-'') || '' '' || subject || coalesce('' ('' || detail || '')'', ''''), ''; '' ORDER BY at, event DESC) FROM crm.customer_history(1)'),
  format('held 5 claim; contact 5 sales (reached: likes tea); transfer - requested; transfer - confirmed (fine); held no longer 5 transfer (request %1$s: moved house); held 6 transfer (request %1$s: moved house)', pg_temp.item(1)), 'all records from before');
SELECT is(pg_temp.by(who, format('SELECT count(*) > 0 FROM crm.customer_history(%s)', customer)), answer, name) FROM (VALUES
  ('head', 1, 'true', 'the manager sees them'), ('top', 1, 'true', 'so does one high above'), ('ann', 1, '42501 "ann" does not see the history of customer "1"', 'who gave them up does not'),
  ('cat', 1, '42501 "cat" does not see the history of customer "1"', 'nor anybody else'), ('cat', 26, '42501 "cat" does not see the history of customer "26"', 'nor of the pool'),
  ('ann', 25, 'true', 'who belongs to the unit that holds does'), ('cat', 25, '42501 "cat" does not see the history of customer "25"', 'and nobody of another'),
  ('ann', 99, '23503 there is no customer "99"', 'nor of one who is not there')) v (who, customer, answer, name);

-- disputes ---------------------------------------------------------------------------

SELECT is(pg_temp.by(who, statement), answer, name) FROM (VALUES
  ('ben', 'SELECT crm.open_dispute(NULL, 6, ''x'')', '22004 the customer must be given', 'no customer'),
  ('ben', 'SELECT crm.open_dispute(99, 6, ''x'')', '23503 there is no customer "99"', 'an unknown one'),
  ('ben', 'SELECT crm.open_dispute(11, NULL, ''x'')', '22004 the member of staff must be given', 'no claimant'),
  ('ben', 'SELECT crm.open_dispute(11, 7, ''x'')', '42501 "ben" may not claim a customer for staff member "7"', 'for somebody else'),
  ('ben', 'SELECT crm.open_dispute(26, 6, ''x'')', '55000 nobody holds customer "26"', 'a customer of the pool'),
  ('ben', 'SELECT crm.open_dispute(25, 6, ''x'')', '55000 customer "25" is held by unit 4 of channel 1', 'a customer of a unit'),
  ('ann', 'SELECT crm.open_dispute(11, 5, ''x'')', '55006 staff member "5" holds customer "11" already', 'one''s own'),
  ('ben', 'SELECT crm.open_dispute(11, 6, NULL)', '23502 opening needs field "grounds"', 'no grounds'),
  ('gone', 'SELECT crm.open_dispute(11, 8, ''x'')', '55000 staff member "8" is not in post', 'one who left'),
  ('far', 'SELECT crm.open_dispute(11, 12, ''x'')', '55000 no unit lies above staff members 5 and 12', 'of another company'),
  ('head', 'SELECT crm.open_dispute(11, 6, ''brought by Ben in March'') > 0', 'true', 'a manager opens one for somebody'),
  ('ben', 'SELECT crm.open_dispute(12, 6, ''met first'') > 0', 'true', 'everybody for themselves'),
  ('ben', 'SELECT crm.open_dispute(12, 6, ''again'')', '55006 an item of workflow "dispute" is open already for customer "12"', 'once'),
  ('ben', 'SELECT crm.open_dispute(21, 6, ''met first'') > 0', 'true', 'with somebody without login'),
  ('ben', 'SELECT crm.open_dispute(22, 6, ''met first'') > 0', 'true', 'with somebody of another bureau'),
  ('ben', 'SELECT crm.open_dispute(13, 6, ''met first'') > 0', 'true', 'and more'),
  ('ben', 'SELECT crm.open_dispute(14, 6, ''met first'') > 0', 'true', 'and more'),
  ('ben', 'SELECT crm.open_dispute(15, 6, ''met first'') > 0', 'true', 'and more')) v (who, statement, answer, name);
SELECT results_eq('SELECT customer_id, holder_id, claimant_id, org_id, responsible, state FROM crm_bi.dispute ORDER BY 1', $$VALUES
  (11::bigint, 5::bigint, 6::bigint, 3::bigint, 'ann', 'opened'), (12, 5, 6, 3, 'ann', 'opened'), (13, 5, 6, 3, 'ann', 'opened'), (14, 5, 6, 3, 'ann', 'opened'), (15, 5, 6, 3, 'ann', 'opened'),
  (21, 9, 6, 3, 'office', 'opened'), (22, 10, 6, 1, 'wim', 'opened')$$, 'the holder is to answer, or the manager who will decide');
SELECT is(pg_temp.holder(12), 'staff member 5', 'the holder holds');
SELECT ok(disputed_until = opened_at + interval '720 hours' OR disputed_until - opened_at BETWEEN interval '719 hours' AND interval '721 hours', 'and is kept from the sweep for the days of the setting') FROM crm.holding h JOIN crm.workflow_item i ON i.customer_id = h.customer_id AND i.closed_at IS NULL WHERE h.customer_id = 12 AND held_to IS NULL;
SELECT is(crm._kept_by(h, now() + interval '29 days'), 'in_dispute', 'as the preview tells') FROM crm.holding h WHERE h.customer_id = 12 AND held_to IS NULL;
SELECT is(pg_temp.refusal(s), '55000 customer "12" is in dispute', s) FROM unnest(ARRAY['SELECT crm.release(12)', 'SELECT crm.transfer(12, 7)']) s;
SELECT is(pg_temp.refusal('SELECT crm.claim(12, 6)'), '55006 customer "12" is held already', 'nor is it claimed');
SELECT is(pg_temp.refusal('SELECT crm.lock_holding(14)'), 'taken', 'a manager may lock it meanwhile');
SELECT ok(pg_temp.by('ann', 'SELECT crm.request_transfer(13, 7, ''x'')')::bigint > 0, 'a transfer may be asked for');
SELECT is(pg_temp.by('office', format('SELECT crm.make_transition(%s, ''confirm'')', pg_temp.item(13))), '55000 customer "13" is in dispute', 'but waits');
SELECT is(pg_temp.by('ann', format('SELECT crm.make_transition(%s, ''withdraw'')', pg_temp.item(13))), 'withdrawn', 'or goes');
CREATE FUNCTION pg_temp.dispute(customer bigint) RETURNS bigint LANGUAGE sql AS $$SELECT max(i.id) FROM crm.workflow_item i WHERE i.customer_id = customer AND i.workflow = 'dispute'$$;
SELECT is(pg_temp.by(who, format('SELECT crm.make_transition(%s, %L, %L, %L)', pg_temp.dispute(customer), transition, data, reason)), replace(answer, '@', pg_temp.dispute(customer)::text), name) FROM (VALUES
  ('ben', 11, 'answer', '{"answer": "ok"}', NULL, '42501 "ben" may not make transition "answer" of item "@"', 'the claimant does not answer'),
  ('ann', 11, 'answer', '{}', NULL, '23502 transition "answer" needs field "answer"', 'an answer says something'),
  ('ann', 11, 'answer', '{"answer": "served since 2020"}', NULL, 'arbitration', 'the holder answers'),
  ('ann', 12, 'answer', '{"answer": "served since 2020"}', NULL, 'arbitration', 'and again'),
  ('office', 13, 'keep', '{}', 'x', '55000 item "@" is in state "opened", from which there is no transition "keep"', 'nobody decides before'),
  ('office', 13, 'proceed', '{}', NULL, '23502 transition "proceed" needs a reason', 'without an answer only'),
  ('office', 13, 'proceed', '{}', 'no answer in time', 'arbitration', 'with a reason'),
  ('office', 21, 'proceed', '{}', 'cannot answer', 'arbitration', 'who has no login neither'),
  ('ann', 11, 'keep', '{}', 'mine', '42501 "ann" may not make transition "keep" of item "@"', 'no party decides'),
  ('head', 11, 'give', '{}', 'his', '42501 "head" may not make transition "give" of item "@"', 'nor the manager below'),
  ('office', 11, 'give', '{}', NULL, '23502 transition "give" needs a reason', 'a decision has its reason'),
  ('office', 11, 'give', '{}', 'first contact was Ben''s', 'given', 'the level above both decides'),
  ('judge', 12, 'keep', '{}', 'served since 2020', 'kept', 'or the arbiter'),
  ('ben', 13, 'withdraw', '{}', NULL, 'withdrawn', 'who opened it withdraws it'),
  ('judge', 12, 'give', '{}', 'or not', '55000 item "@" is in state "kept", from which there is no transition "give"', 'decided is decided')) v (who, customer, transition, data, reason, answer, name);
SELECT is(array_agg(pg_temp.holder(i) ORDER BY i), '{staff member 6,staff member 5,staff member 5,"staff member 5, locked"}', 'who holds now') FROM generate_series(11, 14) i;
SELECT results_eq('SELECT customer_id, state, decided_by, decision, answer FROM crm_bi.dispute WHERE closed_at IS NOT NULL ORDER BY 1', $$VALUES
  (11::bigint, 'given', 'office', 'first contact was Ben''s', 'served since 2020'), (12, 'kept', 'judge', 'served since 2020', 'served since 2020'), (13, 'withdrawn', 'ben', NULL, NULL)$$, 'the record');
SELECT is(pg_temp.refusal('SELECT crm.release(12)'), 'taken', 'free again');
SAVEPOINT decided;
SELECT crm.lock_holding(16), pg_temp.by('ben', 'SELECT crm.open_dispute(16, 6, ''x'')') AS d \gset
SELECT is(pg_temp.by('ben', format('SELECT crm.make_transition(%s, ''withdraw'')', :d)), 'withdrawn', 'one that was locked before');
SELECT is(pg_temp.holder(16), 'staff member 5, locked', 'is so afterwards');
SELECT is(crm._kept_until(h) <= clock_timestamp(), true, 'a dispute that is over keeps nothing') FROM crm.holding h WHERE h.customer_id = 13 AND h.held_to IS NULL;
SELECT is(pg_temp.by('ben', 'SELECT crm.open_dispute(13, 6, ''again'')'), '55000 staff member "6" has disputed this holding of customer "13" before', 'nobody disputes one holding twice');
SELECT disputed_until AS frozen FROM crm.holding WHERE customer_id = 13 AND held_to IS NULL \gset
SELECT is(pg_temp.by('cat', 'SELECT crm.open_dispute(13, 7, ''me, too'') > 0'), 'true', 'somebody else may');
SELECT is(disputed_until, :'frozen', 'but a holding is frozen once') FROM crm.holding WHERE customer_id = 13 AND held_to IS NULL;
SELECT is(pg_temp.by('cat', format('SELECT crm.make_transition(%s, ''withdraw'')', pg_temp.dispute(13))), 'withdrawn', 'that is over, too');
-- what is due already is swept all the same
UPDATE crm.holding SET held_from = now() - interval '90 days' WHERE customer_id = 17 AND held_to IS NULL;
SELECT is(pg_temp.by('ben', 'SELECT crm.open_dispute(17, 6, ''a friend of Ann'') > 0'), 'true', 'a holding that is due is disputed');
SELECT is(count(*), 1::bigint, 'and swept') FROM crm.recycle_preview(now()) WHERE customer_id = 17 AND ends;
SELECT is(pg_temp.refusal('SELECT crm.recycle(now())'), 'taken', 'the sweep goes');
SELECT is(pg_temp.holder(17), 'nobody', 'over it');
SELECT is(pg_temp.by('ben', format('SELECT crm.make_transition(%s, ''withdraw'')', pg_temp.dispute(17))), 'withdrawn', 'and the dispute ends');
-- a sweep undone brings no freeze back that is over
UPDATE crm.holding SET held_from = now() - interval '1 minute' WHERE customer_id = 20 AND held_to IS NULL;
SELECT is(pg_temp.by('ben', 'SELECT crm.open_dispute(20, 6, ''x'') > 0'), 'true', 'a dispute');
SELECT crm.recycle(now() + interval '60 days', early => true) > 0 AS swept_early \gset
SELECT is(pg_temp.by('ben', format('SELECT crm.make_transition(%s, ''withdraw'')', pg_temp.dispute(20))), 'withdrawn', 'that ends after a sweep');
SELECT count(*) AS undone FROM crm.undo_sweep((SELECT max(id) FROM crm.sweep), 'too early') \gset
SELECT is(pg_temp.holder(20), 'staff member 5', 'which is undone');
SELECT is_empty('SELECT * FROM crm._check_dispute()', 'and nothing is frozen');
-- the end of a dispute touches nobody who holds by then
SELECT is(pg_temp.by('wim', 'SELECT crm.open_dispute(18, 10, ''x'') > 0'), 'true', 'a dispute with Ann');
SAVEPOINT left_meanwhile;
UPDATE crm.staff SET left_on = crm.today() WHERE id = 5;
SET CONSTRAINTS ALL IMMEDIATE;
SELECT crm.claim(18, 7), crm.lock_holding(18) \gset
SELECT is(pg_temp.by('wim', format('SELECT crm.make_transition(%s, ''withdraw'')', pg_temp.dispute(18))), 'withdrawn', 'ends when Cat holds');
SELECT is(pg_temp.holder(18), 'staff member 7, locked', 'whose holding stays locked');
ROLLBACK TO left_meanwhile;
-- nobody to decide
DELETE FROM crm.position WHERE staff_id <> 3;
SELECT is(pg_temp.by(who, statement), answer, name) FROM (VALUES
  ('wim', 'SELECT crm.open_dispute(19, 10, ''x'')', '55000 there is nobody to decide between staff members 5 and 10', 'nobody above both'),
  ('office', 'SELECT crm.open_dispute(19, 6, ''x'')', '55000 there is nobody to decide between staff members 5 and 6', 'nobody but who opens it'),
  ('ben', 'SELECT crm.open_dispute(6, 6, ''x'')', '55000 there is nobody to decide between staff members 3 and 6', 'nobody but the holder'),
  ('ben', 'SELECT crm.open_dispute(19, 6, ''x'') > 0', 'true', 'somebody')) v (who, statement, answer, name);
SELECT is(pg_temp.by('ben', format('SELECT crm.make_transition(%s, ''withdraw'')', pg_temp.dispute(19))), 'withdrawn', 'and over');
ROLLBACK TO decided;

-- the holder leaves while it is disputed
UPDATE crm.staff SET left_on = crm.today() WHERE id = 5;
SELECT is(pg_temp.holder(14), 'nobody', 'customers of who left go back to the pool all the same');
SELECT is(pg_temp.refusal('SELECT crm.claim(14, 7)'), 'taken', 'where others may claim them');
SELECT is(pg_temp.by('office', format('SELECT crm.make_transition(%s, ''proceed'', ''{}'', ''left'')', pg_temp.dispute(i))), 'arbitration', 'it goes on') FROM generate_series(14, 15) i;
SELECT is(pg_temp.by('office', format('SELECT crm.make_transition(%s, ''give'', ''{}'', ''his'')', pg_temp.dispute(14))), '55000 customer "14" is held by staff member 7 now', 'nothing is taken from a third');
SELECT is(pg_temp.by('office', format('SELECT crm.make_transition(%s, ''keep'', ''{}'', ''too late'')', pg_temp.dispute(14))), 'kept', 'it ends otherwise');
SELECT is(pg_temp.by('office', format('SELECT crm.make_transition(%s, ''give'', ''{}'', ''his'')', pg_temp.dispute(15))), 'given', 'and from the pool they go');
SELECT is(pg_temp.holder(15), 'staff member 6', 'to who claimed them');
UPDATE crm.staff SET left_on = NULL WHERE id = 5;
SELECT is_empty('SELECT * FROM crm._check_workflow() UNION ALL SELECT * FROM crm._check_dispute()', 'all is well');
SAVEPOINT s;
UPDATE crm.holding SET disputed_until = now() + interval '1 day' WHERE customer_id = 15 AND held_to IS NULL;
SELECT results_eq('SELECT check_name FROM crm._check_dispute()', $$VALUES ('dispute_over')$$, 'a holding that is frozen without a dispute is found');
ROLLBACK TO s;

-- merged customers ---------------------------------------------------------------------

INSERT INTO crm.holding_quota (staff_id, quota) VALUES (5, 1000);
SELECT crm.claim(27, 5), crm.claim(28, 5), crm.claim(29, 5), pg_temp.by('ann', 'SELECT crm.request_transfer(27, 7, ''x'')') AS m1, pg_temp.by('ann', 'SELECT crm.request_transfer(28, 7, ''x'')') AS m2 \gset
SELECT results_eq('SELECT conflict, detail, bars FROM crm.merge_conflicts(27, 28)', format($$VALUES ('workflow', 'Items %s and %s of workflow "transfer" are both open.', 'all')$$, :m1, :m2), 'two open requests');
SELECT is(pg_temp.refusal('SELECT crm.merge(27, 28, ''one'')'), '23514 customers "27" and "28" cannot be merged: workflow', 'stand against a merge');
SELECT crm.merge(29, 28, 'one') AS merged \gset
SELECT results_eq(format('SELECT customer_id, subject_id FROM crm.workflow_item WHERE id = %s', :m2), 'VALUES (29::bigint, 29::bigint)', 'one comes along');
SELECT is(pg_temp.by('office', format('SELECT crm.make_transition(%s, ''confirm'')', :m2)), 'confirmed', 'and goes on');
SELECT is(pg_temp.holder(29), 'staff member 7', 'with the customer who is both');

SELECT is(pg_temp.rows_of(v, 'item_id'), ARRAY[n, n], v || ' has one row for each key') FROM (SELECT v, (pg_temp.rows_of(v, 'item_id'))[1] AS n FROM unnest('{transfer_request,dispute}'::name[]) v) y;
SELECT is_empty($$SELECT a.attrelid::regclass, a.attname FROM pg_attribute a WHERE a.attrelid::regclass::text IN ('crm_bi.transfer_request', 'crm_bi.dispute') AND a.attnum > 0
                  AND col_description(a.attrelid, a.attnum) !~ '\. \S*[一-龥]'$$, 'every column is told in both languages');
SET LOCAL ROLE crm_test_analyst;
SELECT ok(count(*) > 5, 'an analyst reads them') FROM crm_bi.transfer_request;
RESET ROLE;
SELECT is(pg_temp.by('wim', 'SELECT string_agg(workflow || '' '' || mine::text, '', '') FROM crm.my_items()'), 'transfer false, dispute true', 'what is in one''s hands, and what one asked for');
CALL crm.rebuild(batch => NULL);
SELECT is_empty('SELECT * FROM crm.check()', 'nothing is wrong');
SELECT * FROM finish();
ROLLBACK;
