-- What a person with the duty sales and nothing else sees and may claim, against what crm.claim() does with each customer.
\set ON_ERROR_STOP on
BEGIN;
SELECT no_plan();
SET LOCAL client_min_messages = warning;
SET LOCAL timezone = 'UTC';
\ir include/helpers.sql

CREATE ROLE crm_test_pool;
CALL crm.grant_duty('sales', 'crm_test_pool');
CALL crm.grant_duty('pool', 'crm_test_pool');
CREATE ROLE crm_test_ann LOGIN;
CALL crm.grant_duty('sales', 'crm_test_ann');

INSERT INTO crm.organisation (id, parent_id, code, name) VALUES (1, NULL, 'c', 'Company'), (2, 1, 'n', 'North'), (3, 1, 's', 'South'), (4, 2, 'n1', 'North 1'), (5, 2, 'n2', 'North 2'), (6, 3, 's1', 'South 1');
INSERT INTO crm.staff (id, code, name, org_id, channel_id, joined_on, login)
SELECT i, 's' || i, 'Staff ' || i, 4 + i % 3, 1 + i % 2, '2020-01-01', CASE i WHEN 1 THEN 'crm_test_ann' ELSE 'seller' || i END FROM generate_series(1, 12) i;
INSERT INTO crm.staff (id, code, name, org_id, channel_id, joined_on, left_on, login) VALUES (20, 'boss', 'Boss', 2, 2, '2020-01-01', NULL, 'boss'), (21, 'top', 'Top', 1, 1, '2020-01-01', NULL, 'top'), (22, 'gone', 'Gone', 2, 1, '2020-01-01', '2025-01-01', 'gone');
SELECT setseed(0.3);
INSERT INTO crm.customer (id, kind, name, org_id, source_channel_id, known_from)
SELECT i, 'person', 'Customer ' || i, 4 + floor(random() * 3)::integer, 1, '2020-01-01' FROM generate_series(1, 150) i;
INSERT INTO crm.customer_organisation (customer_id, org_id, from_date) SELECT i, 4 + (i % 3), '2024-01-01' FROM generate_series(1, 150, 7) i ON CONFLICT DO NOTHING;
INSERT INTO crm.product (id, code, name, line) VALUES (1, 'p', 'Plan', (SELECT min(line) FROM (VALUES ('annuity')) v (line)));
INSERT INTO crm.policy (customer_id, product_id, channel_id, issued_on, term_months, matures_on, payment, premium, payments, servicer_id)
SELECT i, 1, 1, '2023-01-01', 240, '2043-01-01', 'yearly', 1000 * (1 + i % 150), 10, CASE WHEN random() < 0.5 THEN 1 + floor(random() * 12) END FROM generate_series(2, 150, 3) i;
SELECT crm.post() \gset
CALL crm.rebuild(crm.today(), NULL);
INSERT INTO crm.blacklist (customer_id, reason, from_date, to_date, end_reason) SELECT i, 'x', '2024-01-01', CASE WHEN i % 2 = 0 THEN date '2024-06-01' END, CASE WHEN i % 2 = 0 THEN 'y' END FROM generate_series(5, 150, 13) i;
SELECT pg_temp.code_of(format('SELECT crm.claim(%s, %s)', i, 1 + i % 12)) FROM generate_series(1, 60) i \g /dev/null
SELECT pg_temp.code_of(format('SELECT crm.release(%s)', i)) FROM generate_series(1, 60, 7) i \g /dev/null
SELECT count(*) FROM crm.entrust(ARRAY(SELECT generate_series(61, 80)::bigint), 1) \gset
SELECT count(*) FROM crm.entrust(ARRAY(SELECT generate_series(81, 95)::bigint), 2, 2) \gset
INSERT INTO crm.setting (name, value) VALUES ('tier_load', 'iron 2, gold 3, platinum 4');
INSERT INTO crm.setting (name, value, channel_id) VALUES ('claim_scope', 'sub_bureau', 2);
INSERT INTO crm.setting (name, value, org_id) VALUES ('keeps_served', 'false', 6), ('claim_scope', 'unit', 6);
SELECT crm.refresh_loads(crm.today()) \gset
INSERT INTO crm.holding_quota (staff_id, quota) SELECT s.id, coalesce(q.load, 0) + CASE s.id % 4 WHEN 0 THEN 0 WHEN 1 THEN 1 ELSE 30 END FROM crm.staff s LEFT JOIN crm.holding_count q ON q.staff_id = s.id WHERE s.id <= 12;
INSERT INTO crm.staff_leave (staff_id, from_date, reason) VALUES (6, crm._business_day(now()) - 1, 'holiday');
UPDATE crm.claim_count SET claims = 1000000 WHERE staff_id = 7;

-- what each may claim is what claim() takes, of each customer alone
CREATE FUNCTION pg_temp.takes(seller bigint, customer bigint) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  PERFORM crm.claim(customer, seller);
  RAISE EXCEPTION USING ERRCODE = 'TAKEN';
EXCEPTION WHEN SQLSTATE 'TAKEN' THEN
  RETURN true;
WHEN OTHERS THEN
  RETURN false;
END
$$;
CREATE TEMP TABLE may AS SELECT s.id AS staff_id, c.id AS customer_id FROM crm.staff s, crm.customer c WHERE s.id <= 12 AND pg_temp.takes(s.id, c.id);
SELECT is(pg_temp.as(s.login::text, 'SELECT coalesce(string_agg(customer_id::text, '' '' ORDER BY customer_id), '''') FROM crm.claimable(1000)'),
          (SELECT coalesce(string_agg(m.customer_id::text, ' ' ORDER BY m.customer_id), '') FROM may m WHERE m.staff_id = s.id), 'what staff ' || s.id || ' may claim')
FROM crm.staff s WHERE s.id <= 12 ORDER BY s.id;
SELECT cmp_ok((SELECT count(DISTINCT customers) FROM (SELECT array_agg(customer_id ORDER BY customer_id) AS customers FROM may GROUP BY staff_id) x), '>', 5::bigint, 'not the same for all');
SELECT is((SELECT count(*) FROM may WHERE staff_id IN (4, 6, 7, 8, 12)), 0::bigint, 'nobody at quota, on leave or at the daily limit claims anybody');
SELECT is(pg_temp.as('seller2', 'SELECT string_agg(held_by, '' '') FROM (SELECT held_by FROM crm.claimable(2)) x'), 'channel 1 channel 1', 'those of the own channel first');
SELECT is(pg_temp.as('seller3', 'SELECT count(*) FROM crm.claimable(3)'), '3', 'at most so many');
SELECT is((SELECT name FROM crm.customer WHERE id = (pg_temp.as('seller3', 'SELECT min(customer_id) FROM crm.claimable(3)'))::bigint),
          pg_temp.as('seller3', 'SELECT name FROM crm.claimable(3) ORDER BY customer_id LIMIT 1'), 'by name');

-- whom they hold
SELECT is(pg_temp.as('seller' || s, 'SELECT string_agg(customer_id::text, '' '' ORDER BY customer_id) FROM crm.my_customers()'),
          (SELECT string_agg(h.customer_id::text, ' ' ORDER BY h.customer_id) FROM crm.holding h WHERE h.staff_id = s AND h.held_to IS NULL), 'whom staff ' || s || ' hold, and nobody else') FROM generate_series(2, 12) s;
SELECT customer_id AS one FROM crm.holding WHERE staff_id = 1 AND held_to IS NULL ORDER BY 1 LIMIT 1 \gset
INSERT INTO crm.contact_cap (kind, at_most) VALUES ('sales', '1 in 10 days');
SELECT crm.lock_holding(:one) \gset
SET LOCAL SESSION AUTHORIZATION crm_test_ann;
SELECT ok((SELECT count(*) FROM crm.my_customers()) > 0, 'a login with the duty sales alone sees them');
SELECT results_eq(format('SELECT kept_by, kept_until, contact_obstacle, contact_from > clock_timestamp() FROM crm.my_customers() WHERE customer_id = %s', :one), $$VALUES ('locked', NULL::timestamptz, NULL::text, false)$$, 'what keeps them, and that they may be called');
SELECT crm.record_contact(:one, 1, 'sales', 'reached') \gset
SELECT results_eq(format('SELECT contact_obstacle, contact_from = last_contact_at + interval ''240 hours'', due_cause FROM crm.my_customers() WHERE customer_id = %s', :one), $$VALUES ('cap', true, 'contact every')$$, 'from when on again');
SELECT results_eq(format('SELECT contact_obstacle FROM crm.my_customers(''claim'') WHERE customer_id = %s', :one), 'VALUES (NULL::text)', 'for service at once');
SELECT is((SELECT array_agg(customer_id) FROM crm.my_customers()), (SELECT array_agg(customer_id ORDER BY due_at, customer_id) FROM crm.my_customers()), 'those due first first');
SELECT throws_ok('SELECT FROM crm_bi.holding', '42501', NULL, 'but no view');
SELECT throws_ok('SELECT FROM crm.holding', '42501', NULL, 'nor table');
SELECT throws_ok('SELECT crm.take_reminders()', '42501', NULL, 'nor the reminders of others');
SELECT throws_ok('SELECT crm._own_person()', '42501', NULL, 'nor what is inside');
RESET SESSION AUTHORIZATION;

-- reminders: to the holder, and to who leads them
INSERT INTO crm.position (staff_id, org_id, duty) VALUES (20, 2, 'manager'), (22, 2, 'manager'), (21, 1, 'manager'), (1, 5, 'manager');
INSERT INTO crm.setting (name, value) VALUES ('reminder_days', '7, 3 supervisor');
UPDATE crm.holding SET locked = false WHERE locked;
SELECT h.customer_id AS two FROM crm.holding h WHERE h.staff_id = 2 AND h.held_to IS NULL ORDER BY 1 LIMIT 1 \gset
SELECT h.customer_id AS three FROM crm.holding h WHERE h.staff_id = 3 AND h.held_to IS NULL ORDER BY 1 LIMIT 1 \gset
SELECT h.customer_id AS eleven FROM crm.holding h WHERE h.staff_id = 11 AND h.held_to IS NULL ORDER BY 1 LIMIT 1 \gset
UPDATE crm.holding SET held_from = held_from - interval '5 days' WHERE held_to IS NULL AND customer_id IN (:two, :three, :eleven);
UPDATE crm.holding SET locked = true WHERE held_to IS NULL AND customer_id NOT IN (:two, :three, :eleven);
SELECT is(crm.remind(now()), 3::bigint, 'three are reminded of');
SELECT results_eq('SELECT customer_id, supervisor_id, supervisor_name FROM crm_bi.reminder ORDER BY staff_id',
  format('VALUES (%s::bigint, 21::bigint, ''Top''), (%s, 20, ''Boss''), (%s, 21, ''Top'')', :two, :three, :eleven), 'the nearest manager of each is named');
SELECT is(pg_temp.as(who, 'SELECT coalesce(string_agg(customer_id || CASE WHEN mine THEN '' mine'' ELSE '' of '' || holder END, '', '' ORDER BY holder_id), ''none'') FROM crm.my_reminders()'), answer, 'reminders of ' || who)
FROM (VALUES ('seller2', :'two' || ' mine'), ('seller3', :'three' || ' mine'), ('seller4', 'none'), ('boss', :'three' || ' of Staff 3'), ('top', :'two' || ' of Staff 2, ' || :'eleven' || ' of Staff 11')) v (who, answer);
SELECT crm.record_contact(:two, 2, 'service', 'reached') \gset
SELECT is(pg_temp.as('seller2', 'SELECT count(*) FROM crm.my_reminders()'), '0', 'a time that moved is over');
SELECT crm.release(:eleven) \gset
SELECT is(pg_temp.as('top', 'SELECT count(*) FROM crm.my_reminders()'), '0', 'and so is a holding that ended');
SELECT is(crm._supervisor(5, 2, 1, crm._business_day(now())), 20::bigint, 'nobody leads themselves');
SELECT is(crm._supervisor(NULL, 2, NULL, crm._business_day(now())), NULL::bigint, 'nor is there anybody for a channel');

-- scripts for whom they hold
SELECT crm.open_cycle('c', 1, '2026-01-01', '2026-12-31') AS cycle \gset
SELECT crm.make_plan(:cycle, 'p'), crm.make_plan(:cycle, 'q') \g /dev/null
UPDATE crm.holding SET plan_id = (SELECT min(id) FROM crm.plan) WHERE customer_id = :three AND held_to IS NULL;
INSERT INTO crm.target_list (name, condition, as_of) VALUES ('l', 'true', '2026-01-01'), ('m', 'true', '2026-01-01');
INSERT INTO crm.target_list_member (target_list_id, customer_id) SELECT min(id), :two FROM crm.target_list;
INSERT INTO crm.plan_attachment (plan_id, target_list_id, kind, title, body) VALUES ((SELECT min(id) FROM crm.plan), NULL, 'script', 'of p', 'x'), ((SELECT max(id) FROM crm.plan), NULL, 'script', 'of q', 'x'),
  (NULL, (SELECT min(id) FROM crm.target_list), 'visit_tool', 'of l', 'x'), (NULL, (SELECT max(id) FROM crm.target_list), 'visit_tool', 'of m', 'x');
SELECT is(pg_temp.as(who, 'SELECT coalesce(string_agg(title || '' '' || customers, '', ''), ''none'') FROM crm.my_attachments()'), answer, 'attachments of ' || who)
FROM (VALUES ('seller3', 'of p 1'), ('seller2', 'of l 1'), ('seller4', 'none')) v (who, answer);
UPDATE crm.holding SET plan_id = NULL WHERE plan_id IS NOT NULL;

-- who they are
SELECT is(pg_temp.as('seller3', 'SELECT crm.my_staff_id()'), '3', 'everybody learns the own key');

-- who is nobody
SELECT is(left(pg_temp.as(who, q), 5), code, who || ': ' || q) FROM (VALUES
  ('nobody', 'SELECT crm.my_staff_id()', '42501'), ('gone', 'SELECT crm.my_staff_id()', '42501'), ('nobody', 'SELECT crm.my_customers()', '42501'), ('nobody', 'SELECT crm.my_reminders()', '42501'), ('nobody', 'SELECT crm.claimable()', '42501'), ('nobody', 'SELECT crm.my_attachments()', '42501'), ('gone', 'SELECT crm.my_customers()', '42501'),
  ('seller2', 'SELECT crm.my_customers(NULL)', '23502'), ('seller2', 'SELECT crm.my_customers(''x'')', '23503'), ('seller2', 'SELECT crm.my_customers('' '')', '23514'),
  ('seller2', 'SELECT crm.claimable(0)', '22023'), ('seller2', 'SELECT crm.claimable(NULL)', '22023'), ('seller2', 'SELECT crm.claimable(1001)', '22023'), ('seller2', 'SELECT crm.claimable(2147483647)', '22023')) v (who, q, code);

SELECT crm.post() \gset
SELECT is_empty('SELECT * FROM crm.check()', 'the book agrees');
SELECT * FROM finish();
ROLLBACK;
