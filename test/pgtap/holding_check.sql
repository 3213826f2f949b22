-- crm.check() tells a quota that was broken and a gap in who held whom, and nothing of what is right.
\set ON_ERROR_STOP on
BEGIN;
SELECT no_plan();
SET LOCAL client_min_messages = warning;
\ir include/helpers.sql

INSERT INTO crm.organisation (id, parent_id, code, name) VALUES (1, NULL, 'c', 'Company'), (2, 1, 'n', 'North');
INSERT INTO crm.staff (id, code, name, org_id, channel_id, joined_on) SELECT i, 's' || i, 'Staff ' || i, 2, 1, '2020-01-01' FROM generate_series(1, 9) i;
INSERT INTO crm.customer (id, kind, name, org_id, source_channel_id, known_from) SELECT i, 'person', 'Customer ' || i, 2, 1, '2024-01-01' FROM generate_series(1, 90) i;
SELECT crm.post() \gset
CALL crm.rebuild(crm.today(), NULL);
CREATE FUNCTION pg_temp.found(name text) RETURNS text LANGUAGE sql AS $$
  SELECT coalesce(string_agg(detail, '; ' ORDER BY detail), 'nothing') FROM crm._check_holding() WHERE check_name = name
$$;

-- quotas ------------------------------------------------------------------------------

INSERT INTO crm.holding_quota (staff_id, quota) SELECT i, 5 FROM generate_series(1, 9) i;
SELECT count(*) FROM crm.allocate(ARRAY(SELECT generate_series(1, 45)::bigint), '{1,2,3,4,5,6,7,8,9}') \gset
SELECT is(pg_temp.found('holding_quota'), 'nothing', 'who is full is not above');
UPDATE crm.holding_quota SET quota = 0 WHERE staff_id = 1;
DELETE FROM crm.holding_quota WHERE staff_id = 2;
INSERT INTO crm.setting (name, value, org_id) VALUES ('holding_quota', '3', 2);
SELECT is(pg_temp.found('holding_quota'), 'nothing', 'a quota lowered leaves customers with their holder, and is no fault');
SELECT results_eq('SELECT staff_id, before, after FROM crm.quota_change ORDER BY id DESC LIMIT 3', $$VALUES (NULL::bigint, NULL, '{"value": "3", "org_id": 2, "channel_id": null, "valid_from": "1900-01-01"}'), (2, '5', NULL), (1, '5', '0')$$, 'who changed which quota is on record');
DELETE FROM crm.setting WHERE name = 'holding_quota';
SELECT is((SELECT count(*) FROM crm.quota_change WHERE staff_id IS NULL), 2::bigint, 'also of the setting');
INSERT INTO crm.setting (name, value) VALUES ('recycle_rule', 'never');
SELECT is((SELECT count(*) FROM crm.quota_change WHERE staff_id IS NULL), 2::bigint, 'and of no other');
DELETE FROM crm.setting WHERE name = 'recycle_rule';
SELECT is(crm.release(customer_id) > 0, true, 'back') FROM (SELECT min(customer_id) AS customer_id FROM crm.holding WHERE staff_id = 3) x;
INSERT INTO crm.setting (name, value) VALUES ('tier_load', 'others 2');
SELECT crm.refresh_loads(crm.today()) \gset
SELECT is(pg_temp.found('holding_quota'), 'nothing', 'nor is a load that grew');
DELETE FROM crm.setting WHERE name = 'tier_load';
SELECT crm.refresh_loads(crm.today()) \gset
-- a gift beyond the quota, by hand
INSERT INTO crm.holding (customer_id, channel_id, org_id, staff_id, start_cause, rule) VALUES (50, 1, 2, 3, 'claim', 'never'), (51, 1, 2, 4, 'claim', 'never');
SELECT is(pg_temp.found('holding_quota'), 'staff member 4 was given customers up to a load of 6, above the quota of 5', 'one above the quota is told, one that fits is not');
SELECT is((SELECT check_name FROM crm.check() WHERE check_name = 'holding_quota'), 'holding_quota', 'by crm.check()');
INSERT INTO crm.holding (customer_id, channel_id, org_id, staff_id, start_cause, rule) VALUES (52, 1, 2, 1, 'claim', 'never');
SELECT matches(pg_temp.found('holding_quota'), 'staff member 1 was given customers up to a load of 6, above the quota of 0', 'so is who was given somebody after the quota was lowered');
UPDATE crm.holding_quota SET quota = 9;
DELETE FROM crm.holding WHERE customer_id BETWEEN 50 AND 52;
SELECT is(pg_temp.found('holding_quota'), 'nothing', 'all is well again');

-- history -----------------------------------------------------------------------------

SELECT crm.entrust(ARRAY(SELECT generate_series(60, 70)::bigint), 1) \g /dev/null
SELECT crm.entrust(ARRAY(SELECT generate_series(60, 62)::bigint), 1, 2) \g /dev/null
SELECT crm.claim(63, 1), crm.claim(60, 1) \g /dev/null
SELECT count(*) FROM crm.allocate('{64,65}', '{2}') \gset
SELECT min(customer_id) AS one, max(customer_id) AS two FROM crm.holding WHERE staff_id = 5 AND held_to IS NULL \gset
SELECT crm.transfer(:one, 6), crm.transfer(:two, 7) \g /dev/null
SELECT crm.release(64), crm.claim(64, 3) \g /dev/null
-- one moves and gives all to the pool or to a colleague, one leaves
SELECT crm.plan_move(8, crm._business_day(now()) + 1, 1, NULL, 'even', successors => '{1}') \gset
SELECT crm.plan_departure(9, crm._business_day(now()) + 1, 'even', successors => '{3}') \gset
UPDATE crm.holding_quota SET quota = 7 WHERE staff_id = 3;
UPDATE crm.hand_over SET on_date = crm._business_day(now());
UPDATE crm.staff SET left_on = crm._business_day(now()) WHERE id = 9;
SET CONSTRAINTS ALL IMMEDIATE;
SELECT crm.hand_over(crm._business_day(now())) \gset
SELECT cmp_ok((SELECT count(*) FROM crm.hand_over_customer WHERE outcome = 'pool'), '>', 0::bigint, 'some go to the pool');
SELECT cmp_ok((SELECT count(*) FROM crm.hand_over_customer WHERE outcome = 'handed_over'), '>', 2::bigint, 'some to a colleague');
SELECT is(pg_temp.found('holding_gap'), 'nothing', 'claims out of the hands of a unit, transfers and hand-overs leave no gap');
SELECT is_empty('SELECT * FROM crm._check_holding()', 'nor anything else');

-- who came back, and left again: the hand-over that ended a holding tells, not another one
SELECT customer_id AS again FROM crm.hand_over_customer WHERE outcome = 'pool' AND NOT EXISTS (SELECT FROM crm.holding h WHERE h.customer_id = hand_over_customer.customer_id AND h.held_to IS NULL)
ORDER BY 1 LIMIT 1 \gset
UPDATE crm.holding_quota SET quota = 100 WHERE staff_id IN (3, 9);
UPDATE crm.staff SET left_on = NULL WHERE id = 9;
SET CONSTRAINTS ALL IMMEDIATE;
SELECT outcome FROM crm.allocate(ARRAY[:again], '{9}', 'given') \gset
SELECT crm.plan_departure(9, crm._business_day(now()), 'pool') \gset
SET CONSTRAINTS ALL DEFERRED;
SET CONSTRAINTS ALL IMMEDIATE;
UPDATE crm.staff SET left_on = NULL WHERE id = 9;
DELETE FROM crm.holding WHERE customer_id = :again AND held_to IS NULL;
UPDATE crm.holding SET rule = 'never' WHERE customer_id = :again;
SELECT is(outcome, 'allocated', 'held again') FROM crm.allocate(ARRAY[:again], '{9}', 'given');
SELECT crm.plan_departure(9, crm._business_day(now()), 'even', successors => '{3}') \gset
SET CONSTRAINTS ALL DEFERRED;
SET CONSTRAINTS ALL IMMEDIATE;
SELECT set_eq(format('SELECT outcome FROM crm.hand_over_customer l JOIN crm.hand_over p ON p.id = l.hand_over_id WHERE p.staff_id = 9 AND p.kind = ''departure'' AND customer_id = %s', :again),
              $$VALUES ('pool'), ('handed_over')$$, 'once to the pool, once to a colleague');
SELECT is(pg_temp.found('holding_gap'), 'nothing', 'which leaves no gap');

CREATE FUNCTION pg_temp.plant(statement text, OUT answer text) LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE statement;
  answer := pg_temp.found('holding_gap');
  RAISE EXCEPTION USING ERRCODE = 'CRM01', MESSAGE = answer;
EXCEPTION WHEN SQLSTATE 'CRM01' THEN
  answer := SQLERRM;
END
$$;
SELECT matches(pg_temp.plant(statement), found, statement) FROM (VALUES
  (format('UPDATE crm.holding SET held_from = held_from + interval ''1 second'' WHERE customer_id = %s AND held_to IS NULL', :'one'), '^nobody holds customer \d+ from the transfer of holding \d+ on, at'),
  (format('UPDATE crm.holding SET held_to = held_to - interval ''1 microsecond'' WHERE customer_id = %s AND end_cause = ''transfer''', :'two'), '^nobody holds customer \d+ from the transfer'),
  ('UPDATE crm.holding SET held_from = held_from + interval ''1 second'' WHERE customer_id = 63 AND held_to IS NULL', '^nobody holds customer 63 from the narrowing of holding \d+ on'),
  ('UPDATE crm.holding SET held_from = held_from + interval ''1 microsecond'' WHERE customer_id = 60 AND staff_id IS NULL AND org_id IS NOT NULL', '^nobody holds customer 60 from the narrowing'),
  ('DELETE FROM crm.holding WHERE customer_id = 65 AND staff_id IS NOT NULL', '^nobody holds customer 65 from the narrowing'),
  ('UPDATE crm.holding h SET held_from = held_from + interval ''1 second'' WHERE held_to IS NULL AND customer_id = (SELECT min(l.customer_id) FROM crm.hand_over_customer l JOIN crm.hand_over p ON p.id = l.hand_over_id WHERE p.kind = ''departure'' AND l.outcome = ''handed_over'')', '^nobody holds customer \d+ from the departure'),
  ('UPDATE crm.holding h SET held_from = held_from + interval ''1 second'' WHERE held_to IS NULL AND customer_id = (SELECT min(l.customer_id) FROM crm.hand_over_customer l JOIN crm.hand_over p ON p.id = l.hand_over_id WHERE p.kind = ''move'' AND l.outcome = ''handed_over'')', '^nobody holds customer \d+ from the transfer'),
  ('UPDATE crm.holding SET held_from = held_from + interval ''1 second'' WHERE customer_id = 64 AND held_to IS NULL', '^nothing$')) v (statement, found);

SELECT crm.post() \gset
SELECT is_empty('SELECT * FROM crm.check()', 'the book agrees');
SELECT * FROM finish();
ROLLBACK;
