-- A planned next contact keeps its customer from the sweep until its time, and no longer than the rule lets it.
\set ON_ERROR_STOP on
BEGIN;
SELECT no_plan();
SET LOCAL client_min_messages = warning;
SET LOCAL timezone = 'UTC';
\ir include/helpers.sql

CREATE ROLE crm_test_pool;
CALL crm.grant_duty('sales', 'crm_test_pool');
CALL crm.grant_duty('pool', 'crm_test_pool');
INSERT INTO crm.organisation (id, parent_id, code, name) VALUES (1, NULL, 'c', 'Company');
INSERT INTO crm.staff (id, code, name, org_id, channel_id, joined_on, login) VALUES (1, 'a', 'Ann', 1, 1, '2020-01-01', 'ann'), (2, 'b', 'Bob', 1, 1, '2020-01-01', 'bob'), (3, 'c', 'Cy', 1, 1, '2020-01-01', 'cy');
INSERT INTO crm.customer (id, kind, name, org_id, source_channel_id, known_from) SELECT i, 'person', 'Customer ' || i, 1, 1, '2024-01-01' FROM generate_series(1, 60) i;
SELECT crm.post() \gset
INSERT INTO crm.setting (name, value) VALUES ('recycle_rule', 'first contact within 7 days; contact every 10 days; at most 100 days; cool off 5 days'), ('exemption_days', '30');
SELECT count(crm.claim(i, 1 + i % 2)) FROM generate_series(1, 40) i \gset

CREATE FUNCTION pg_temp.exempt(customer bigint) RETURNS text LANGUAGE sql AS $$
  SELECT CASE WHEN h.exempt_until IS NULL THEN 'none'
              ELSE coalesce((SELECT 'appointment in ' || round(extract(epoch FROM a.at - now()) / 86400) || ' days' FROM crm.appointment a WHERE a.customer_id = h.customer_id AND a.at = h.exempt_until LIMIT 1),
                            round(extract(epoch FROM h.exempt_until - h.held_from) / 86400, 3) || ' days') END
  FROM crm.holding h WHERE h.customer_id = customer AND h.held_to IS NULL
$$;
SELECT is(pg_temp.exempt(2), 'none', 'nothing planned');
SELECT pg_temp.as('ann', $$SELECT crm.make_appointment(2, 1, now() + interval '20 days', 'office', 'annuity')$$) AS appointment \gset
SELECT is(pg_temp.exempt(2), 'appointment in 20 days', 'the holder plans the next contact');
SELECT results_eq('SELECT kind, reason, granted_by, appointment_id FROM crm_bi.recycle_exemption WHERE customer_id = 2', format('VALUES (''planned_contact'', %L, ''ann'', %s::bigint)', format('appointment %s, office, annuity', :'appointment'), :'appointment'), 'as an exemption on record');
SELECT results_eq('SELECT kept_by, ends FROM crm.recycle_preview(now() + interval ''19 days'') WHERE customer_id = 2', $$VALUES ('exempt', false)$$, 'the sweep passes over until then');
SELECT results_eq('SELECT kept_by, ends FROM crm.recycle_preview((SELECT at FROM crm.appointment WHERE customer_id = 2)) WHERE customer_id = 2', 'VALUES (NULL, true)', 'and ends it at that very time');
SELECT results_eq('SELECT customer_id, at FROM crm.appointment', format('SELECT 2::bigint, (%L::jsonb ->> ''at'')::timestamptz', (SELECT to_json(a) FROM crm.appointment a)), 'one row');
SELECT is(pg_temp.as('ann', 'SELECT next_appointment = (now() + interval ''20 days'') FROM crm.my_customers() WHERE customer_id = 2'), 'true', 'the holder sees it');
UPDATE crm.appointment SET at = now() + interval '25 days', note = 'later' WHERE customer_id = 2;
SELECT is(pg_temp.exempt(2), 'appointment in 25 days', 'moved');
SELECT results_eq('SELECT withdrawn_at IS NULL FROM crm.recycle_exemption WHERE customer_id = 2 ORDER BY id', 'VALUES (false), (true)', 'the former is withdrawn');
UPDATE crm.appointment SET note = 'still' WHERE customer_id = 2;
SELECT is((SELECT count(*) FROM crm.recycle_exemption WHERE customer_id = 2), 2::bigint, 'other edits change nothing');
SELECT pg_temp.as('ann', format('SELECT crm.end_appointment(2, %s, ''cancelled'')', :'appointment')) \g /dev/null
SELECT is(pg_temp.exempt(2), 'none', 'cancelled');
SELECT results_eq('SELECT after IS NULL, reason FROM crm.holding_change WHERE customer_id = 2 ORDER BY id DESC LIMIT 1', $$VALUES (true, 'appointment moved, ended or with somebody else')$$, 'all of it on record');

-- bounds: the setting, the hard end, however often
SELECT pg_temp.as('ann', $$SELECT crm.make_appointment(4, 1, now() + interval '90 days')$$) \g /dev/null
SELECT is(pg_temp.exempt(4), '37.000 days', 'not longer than exemption_days beyond the due time');
SELECT count(pg_temp.as('ann', format('SELECT crm.make_appointment(4, 1, now() + interval ''%s days'')', d))) FROM generate_series(91, 99) d \gset
SELECT is(pg_temp.exempt(4), '37.000 days', 'however often');
UPDATE crm.holding SET held_from = now() - interval '95 days', last_contact_at = now() - interval '1 day' WHERE customer_id = 6;
SELECT pg_temp.as('ann', $$SELECT crm.make_appointment(6, 1, now() + interval '20 days')$$) \g /dev/null
SELECT is(pg_temp.exempt(6), '100.000 days', 'nor beyond the end that the rule sets');
SELECT is(pg_temp.as('ann', $$SELECT crm.exempt(6, 'planned_contact', now() + interval '20 days', 'x')$$) ~ '^53400', true, 'nor by hand');
SELECT is(pg_temp.as('ann', $$SELECT crm.exempt(6, 'application', now() + interval '20 days', 'x') > 0$$), 'true', 'what else is in hand may');
UPDATE crm.holding SET held_from = now() - interval '101 days' WHERE customer_id = 8;
SELECT pg_temp.as('ann', $$SELECT crm.make_appointment(8, 1, now() + interval '20 days')$$) \g /dev/null
SELECT is(pg_temp.exempt(8), 'none', 'who is over it is not kept');

-- only the holder's own, while they hold
SELECT pg_temp.as('bob', $$SELECT crm.make_appointment(10, 2, now() + interval '20 days')$$) \g /dev/null
SELECT is(pg_temp.exempt(10), 'none', 'an appointment with somebody else keeps nothing');
UPDATE crm.appointment SET staff_id = 1 WHERE customer_id = 10;
SELECT is(pg_temp.exempt(10), 'appointment in 20 days', 'given to the holder it does');
SELECT crm.transfer(10, 2) \gset
SELECT is(pg_temp.exempt(10), 'none', 'the next holder begins afresh');
INSERT INTO crm.appointment (customer_id, staff_id, at, result) VALUES (12, 1, now() + interval '9 days', 'kept'), (14, 1, now() - interval '1 day', NULL), (16, NULL, now() + interval '9 days', NULL);
SELECT is(string_agg(pg_temp.exempt(c), ' '), 'none none none', 'what is over, or with nobody, does not') FROM unnest('{12,14,16}'::bigint[]) c;
INSERT INTO crm.appointment (customer_id, staff_id, at) SELECT i, 1 + i % 2, now() + i * interval '1 day' FROM generate_series(20, 36) i;
SELECT is((SELECT count(*) FROM crm.holding WHERE customer_id BETWEEN 20 AND 36 AND exempt_until = now() + customer_id * interval '1 day'), 17::bigint, 'many at once');
DELETE FROM crm.appointment WHERE customer_id BETWEEN 20 AND 30;
SELECT is((SELECT count(*) FROM crm.holding WHERE customer_id BETWEEN 20 AND 36 AND exempt_until IS NOT NULL), 6::bigint, 'deleted');
-- who leaves hands over what is planned
SELECT crm.plan_departure(1, crm._business_day(now()) + 1, successors => '{3}', deputy_id => 3) \gset
UPDATE crm.staff SET left_on = crm._business_day(now()) WHERE id = 1;
SET CONSTRAINTS ALL IMMEDIATE;
SELECT results_eq('SELECT h.staff_id, h.exempt_until = a.at FROM crm.holding h JOIN crm.appointment a USING (customer_id) WHERE h.customer_id = 32 AND h.held_to IS NULL', 'VALUES (3::bigint, true)', 'the successor keeps the appointment');

-- caps count for what is planned
INSERT INTO crm.contact_cap (kind, at_most) VALUES ('sales', '1 in 30 days');
SELECT crm.record_contact(5, 2, 'sales', 'reached') \gset
SELECT is(left(pg_temp.as('bob', $$SELECT crm.make_appointment(5, 2, now() + interval '20 days')$$), 5), '53400', 'nothing is planned over a cap');
SELECT is(pg_temp.as('bob', $$SELECT crm.make_appointment(5, 2, now() + interval '20 days', purpose => 'claim') > 0$$), 'true', 'service apart');
SELECT is(pg_temp.as('bob', $$SELECT crm.make_appointment(5, 2, now() + interval '31 days') > 0$$), 'true', 'nor after it');

SELECT is(left(pg_temp.as('bob', q), 5), code, q) FROM (VALUES
  ('SELECT crm.make_appointment(1, 3, now() + interval ''1 day'')', '42501'), ('SELECT crm.make_appointment(1, 1, now() + interval ''1 day'')', '55000'), ('SELECT crm.make_appointment(NULL, 2, now() + interval ''1 day'')', '22004'),
  ('SELECT crm.make_appointment(999, 2, now() + interval ''1 day'')', '23503'), ('SELECT crm.make_appointment(1, 2, NULL)', '22004'), ('SELECT crm.make_appointment(1, 2, now())', '22023'), ('SELECT crm.make_appointment(1, 2, ''infinity'')', '22023'),
  ('SELECT crm.make_appointment(1, 2, now() + interval ''1 day'', '' '')', '23514'), ('SELECT crm.make_appointment(1, 2, now() + interval ''1 day'', purpose => ''x'')', '23503'), ('SELECT crm.make_appointment(1, NULL, now() + interval ''1 day'')', '22004'),
  (format('SELECT crm.end_appointment(5, %s, ''x'')', (SELECT max(id) FROM crm.appointment WHERE customer_id = 5)), '22023'), (format('SELECT crm.end_appointment(5, %s, NULL)', (SELECT max(id) FROM crm.appointment WHERE customer_id = 5)), '22023'),
  ('SELECT crm.end_appointment(5, 0, ''kept'')', '23503'), ('SELECT crm.end_appointment(5, NULL, ''kept'')', '22004'), ('SELECT crm.end_appointment(NULL, 1, ''kept'')', '22004'),
  (format('SELECT crm.end_appointment(32, %s, ''kept'')', (SELECT max(id) FROM crm.appointment WHERE customer_id = 32)), '42501'), (format('SELECT crm.end_appointment(12, %s, ''kept'')', (SELECT max(id) FROM crm.appointment WHERE customer_id = 12)), '42501')) v (q, code);
SELECT is(left(pg_temp.refusal(format('SELECT crm.end_appointment(12, %s, ''kept'')', (SELECT max(id) FROM crm.appointment WHERE customer_id = 12))), 5), '55000', 'ended already');

SELECT crm.post() \gset
SELECT is_empty('SELECT * FROM crm.check()', 'the book agrees');
SELECT * FROM finish();
ROLLBACK;
