-- What bounds a holder: load, daily claims, scope, protection, leave; who waits; who enters.
BEGIN;
SELECT no_plan();
\ir include/helpers.sql

INSERT INTO crm.organisation (id, parent_id, code, name) VALUES
  (1, NULL, 'co', 'Company'), (2, 1, 'n', 'North'), (3, 1, 's', 'South'), (4, 2, 'n1', 'North office'), (5, 2, 'n2', 'Other office'), (6, 4, 'n11', 'Outlet'), (7, 4, 'n12', 'Next outlet');
INSERT INTO crm.staff (id, code, name, org_id, channel_id, joined_on, left_on, login) VALUES
  (1, 'a', 'Ann', 6, 1, '2020-01-01', NULL, 'ann'), (2, 'b', 'Bo', 6, 1, '2020-01-01', NULL, 'bo'), (3, 'c', 'Cy', 3, 2, '2020-01-01', NULL, NULL),
  (4, 'd', 'Di', 1, 1, '2020-01-01', NULL, NULL), (8, 'g', 'Gone', 6, 1, '2020-01-01', '2021-01-01', NULL);
INSERT INTO crm.customer (id, kind, name, org_id, source_channel_id, known_from)
SELECT i, 'person', 'Customer ' || i, 6, 1, '2020-01-01' FROM generate_series(1, 300) i;
SELECT setval('crm.customer_id_seq', 1000) AS numbered;
INSERT INTO crm.product (id, code, name) VALUES (1, 'w', 'Whole life');
CREATE FUNCTION pg_temp.load(staff bigint) RETURNS bigint LANGUAGE sql AS 'SELECT coalesce(sum(h.load), 0)::bigint FROM crm.holding h WHERE h.staff_id = $1 AND h.held_to IS NULL';
CREATE FUNCTION pg_temp.setting(name text, value text, org bigint DEFAULT NULL, channel bigint DEFAULT NULL) RETURNS void LANGUAGE sql AS
  'INSERT INTO crm.setting (name, org_id, channel_id, value) VALUES ($1, $3, $4, $2) ON CONFLICT (name, org_id, channel_id, valid_from) DO UPDATE SET value = excluded.value';
CREATE FUNCTION pg_temp.today() RETURNS date LANGUAGE sql AS 'SELECT crm._business_day(clock_timestamp())';

-- the literal of loads -------------------------------------------------------------

SELECT is(crm.load_of(l::crm.tier_load, t), n, format('%s of %s', t, l)) FROM (VALUES
  ('others 1', 'gold', 1), ('platinum 3, gold 2', 'platinum', 3), ('platinum 3, gold 2', 'gold', 2), ('platinum 3, gold 2', 'lead', 1), ('platinum 3, gold 2', 'none', 1),
  ('platinum 3,gold 2,others 5', 'none', 5), (' gold   1000 ', 'gold', 1000), ('lead 0', 'lead', 0), ('"very rich" 7, 白金 4', 'very rich', 7), ('"very rich" 7, 白金 4', '白金', 4),
  ('gold 2', NULL, 1)) v (l, t, n);
SELECT is(pg_temp.code_of(format('SELECT %L::crm.tier_load', l)), '23514', format('no loads: %s', l)) FROM unnest(ARRAY[
  '', ' ', 'gold', '3', 'gold 2,', ',gold 2', 'gold 2 silver 3', 'gold -1', 'gold 1.5', 'gold 1001', 'gold 99999', 'gold 2, gold 3', 'others 1, others 2', 'gold 2; lead 1', '"gold 2', '"" 2',
  'gold 2，lead 1']) l;
SELECT is(pg_temp.code_of($$SELECT pg_temp.setting('tier_load', 'gold two')$$), '23514', 'the setting takes nothing else');
SELECT is(pg_temp.code_of($$SELECT pg_temp.setting('tier_load', 'golden 2')$$), '22023', 'nor a tier that no scale names');

-- weighted load ----------------------------------------------------------------------

INSERT INTO crm.policy (customer_id, id, product_id, channel_id, issued_on, premium, payments, payment, term_months, matures_on)
SELECT i, i, 1, 1, '2021-01-01', CASE WHEN i <= 5 THEN 2000000 ELSE 600000 END, 1, 'single', NULL, NULL FROM generate_series(1, 10) i;
SELECT crm.post() > 0 AS posted;
SELECT results_eq('SELECT tier FROM crm._tiers_of(ARRAY[1, 6, 11, 999999], current_date) ORDER BY customer_id', $$VALUES ('platinum'), ('gold'), ('none'), ('none')$$, 'tiers');
SELECT pg_temp.setting('tier_load', 'platinum 3, gold 2', 6, 1);
INSERT INTO crm.holding_quota (staff_id, quota) VALUES (1, 7);
SELECT crm.claim(1, 1), crm.claim(6, 1);
SELECT results_eq('SELECT held, load FROM crm.holding_count WHERE staff_id = 1', 'VALUES (2::bigint, 5::bigint)', 'platinum counts 3, gold 2');
SELECT is(pg_temp.code_of('SELECT crm.claim(2, 1)'), '53400', 'a third platinum one does not fit 7');
SELECT is(pg_temp.code_of('SELECT crm.claim(7, 1)'), '00000', 'gold does');
SELECT is(pg_temp.code_of('SELECT crm.claim(11, 1)'), '53400', 'then nobody does');
SELECT crm.claim(3, 3);
SELECT is(pg_temp.load(3), 1::bigint, 'in another unit and channel each counts 1');
SELECT results_eq($$SELECT customer_id, outcome FROM crm.allocate('{8,4,12,13,14}', '{2,2,2,2,2}', 'given')$$,
                  $$VALUES (4::bigint, 'allocated'), (8, 'allocated'), (12, 'allocated'), (13, 'allocated'), (14, 'allocated')$$, 'given');
SELECT is(pg_temp.load(2), 8::bigint, 'counts by tier too');
UPDATE crm.holding_quota SET quota = 9 WHERE staff_id = 1;
SELECT results_eq($$SELECT customer_id, outcome FROM crm.allocate('{5,15,16,17}', '{1,1,1,1}', 'given')$$,
                  $$VALUES (5::bigint, 'quota'), (15, 'allocated'), (16, 'allocated'), (17, 'quota')$$, 'who does not fit any more stays, who still does comes');
UPDATE crm.holding_quota SET quota = 13 WHERE staff_id = 1;
SELECT results_eq($$SELECT customer_id, outcome FROM crm.allocate('{5,9,18,19}', '{1}', 'even')$$,
                  $$VALUES (5::bigint, 'allocated'), (9, 'left_over'), (18, 'allocated'), (19, 'left_over')$$, 'the heavy ones are placed first');
SELECT crm.transfer(3, 2);
SELECT is(pg_temp.load(2), 11::bigint, 'a transfer counts by the new holder''s setting');
SELECT crm.post() >= 0 AS posted;
SELECT is_empty('SELECT * FROM crm.check()', 'and all that agrees');

-- tier and setting change
INSERT INTO crm.policy (customer_id, id, product_id, channel_id, issued_on, premium, payments, payment) VALUES (12, 12, 1, 1, '2021-01-01', 3000000, 1, 'single');
SELECT crm.post() > 0 AS posted;
SELECT is((SELECT array_agg(check_name) FROM crm.check()), ARRAY['holding_load'], 'a tier that rose is found');
SELECT is(crm.refresh_loads(crm.today()), 1::bigint, 'and refreshed');
SELECT is(pg_temp.load(2), 13::bigint, 'the load follows');
SELECT is(crm.refresh_loads(crm.today()), 0::bigint, 'once');
SELECT pg_temp.setting('tier_load', 'platinum 5, none 0', 6, 1);
SELECT is((SELECT count(*) FROM crm.check()), 1::bigint, 'a change of setting is found');
SELECT ok(crm.refresh_loads(crm.today()) > 0, 'and brought to all');
SELECT is((SELECT array_agg(load) FROM crm.holding WHERE customer_id IN (1, 6, 15) AND held_to IS NULL), '{5,1,0}', 'up and down');
SELECT crm.post() >= 0 AS posted;
SELECT is_empty('SELECT * FROM crm.check()', 'everywhere');
UPDATE crm.holding_quota SET quota = pg_temp.load(1) WHERE staff_id = 1;
SELECT is(pg_temp.code_of('SELECT crm.claim(20, 1)'), '00000', 'who counts 0 fits a full quota');
UPDATE crm.holding_quota SET quota = pg_temp.load(1) - 1 WHERE staff_id = 1;
SELECT is(pg_temp.code_of('SELECT crm.claim(21, 1)'), '53400', 'but not beyond one');
SELECT results_eq($$SELECT outcome FROM crm.allocate('{21}', '{1}')$$, $$VALUES ('left_over')$$, 'nor by allocation');
SELECT is(pg_temp.code_of('SELECT crm.refresh_loads(NULL)'), '22004', 'no day');
DELETE FROM crm.setting WHERE name = 'tier_load';
SELECT ok(crm.refresh_loads(crm.today()) > 0, 'back to one each');
SELECT is_empty('SELECT FROM crm.holding WHERE held_to IS NULL AND load <> 1', 'everywhere');
DELETE FROM crm.holding_quota;
SELECT crm.release(h.customer_id) FROM crm.holding h WHERE h.held_to IS NULL;

-- claims a day ---------------------------------------------------------------------------

SELECT pg_temp.setting('claims_per_day', '3', 6);
DELETE FROM crm.claim_count;
SELECT is(pg_temp.code_of('SELECT crm.claim(31, 1), crm.claim(32, 1)'), '00000', 'two claims');
SELECT crm.release(31), crm.release(32);
SELECT is(pg_temp.code_of('SELECT crm.claim(31, 1)'), '23514', 'a refused claim');
SELECT is(pg_temp.code_of('SELECT crm.claim(33, 1)'), '00000', 'does not count: a third');
SELECT crm.release(33);
SELECT pg_temp.refused('SELECT crm.claim(34, 1)', '53400', 'limit of 3 claims a day of staff member "1"', 'pick and return and pick does not evade the limit');
SELECT is(pg_temp.code_of('SELECT crm.claim(34, 2)'), '00000', 'each has their own');
SELECT is(pg_temp.code_of('SELECT crm.claim(i, 3) FROM generate_series(35, 40) i'), '00000', 'another unit has another limit');
SELECT results_eq($$SELECT outcome FROM crm.allocate('{41}', '{1}')$$, $$VALUES ('allocated')$$, 'an allocation is no claim');
SELECT is(pg_temp.code_of('SELECT crm.transfer(34, 1)'), '00000', 'nor is a transfer');
SELECT results_eq('SELECT staff_id, day, claims FROM crm.claim_count ORDER BY 1', 'VALUES (1::bigint, pg_temp.today(), 3), (2, pg_temp.today(), 1), (3, pg_temp.today(), 6)', 'the count');
UPDATE crm.claim_count SET day = day - 1 WHERE staff_id = 1;
SELECT is(pg_temp.code_of('SELECT crm.claim(42, 1)'), '00000', 'the next day counts afresh');
SELECT results_eq('SELECT staff_id, claims, still_held FROM crm_bi.claim_day WHERE day = pg_temp.today() ORDER BY 1', 'VALUES (1::bigint, 1, 1::bigint), (2, 1, 0), (3, 6, 6)', 'the view tells what is held still');
SELECT pg_temp.setting('claims_per_day', '0', 6);
SELECT is(pg_temp.code_of('SELECT crm.claim(43, 1)'), '53400', 'no claims at all');
SELECT is(pg_temp.code_of($$SELECT pg_temp.setting('claims_per_day', '-1')$$), '22003', 'a limit below 0');
DELETE FROM crm.setting WHERE name = 'claims_per_day';

-- scope ------------------------------------------------------------------------------------

UPDATE crm.customer SET org_id = CASE id WHEN 51 THEN 6 WHEN 52 THEN 7 WHEN 53 THEN 4 WHEN 54 THEN 5 WHEN 55 THEN 3 ELSE 1 END WHERE id BETWEEN 51 AND 56;
CREATE FUNCTION pg_temp.scope(scope text, staff bigint) RETURNS bigint[] LANGUAGE plpgsql AS $$
DECLARE
  got bigint[] := '{}';
  c bigint;
BEGIN
  PERFORM pg_temp.setting('claim_scope', scope);
  FOR c IN 51 .. 56 LOOP
    BEGIN
      PERFORM crm.claim(c, staff);
      RAISE EXCEPTION USING ERRCODE = 'P0099';
    EXCEPTION
      WHEN SQLSTATE 'P0099' THEN got := got || c;
      WHEN insufficient_privilege THEN NULL;
    END;
  END LOOP;
  RETURN got;
END
$$;
SELECT is(pg_temp.scope(s, 1), c, 'scope ' || s) FROM (VALUES
  ('none', '{}'::bigint[]), ('unit', '{51}'), ('office', '{51,52,53}'), ('sub_bureau', '{51,52,53,54}'), ('company', '{51,52,53,54,55,56}')) v (s, c);
SELECT is(pg_temp.scope(s, 4), '{51,52,53,54,55,56}', 'of the head office all: ' || s) FROM unnest(ARRAY['unit', 'office', 'company']) s;
SELECT is(pg_temp.code_of($$SELECT pg_temp.setting('claim_scope', 'world')$$), '23514', 'no scope');
SELECT pg_temp.setting('claim_scope', 'unit');
INSERT INTO crm.customer_organisation (customer_id, from_date, org_id) VALUES (55, '2024-01-01', 6), (51, '2024-01-01', 3), (51, '2190-01-01', 6);
SELECT is(pg_temp.code_of('SELECT crm.claim(55, 1)'), '00000', 'by the home unit of the day');
SELECT is(pg_temp.code_of('SELECT crm.claim(51, 1)'), '42501', 'not that of another');
SELECT crm.entrust('{56}', 1, 4);
SELECT is(pg_temp.code_of('SELECT crm.claim(56, 1)'), '00000', 'what is entrusted to the own unit is within reach');
DELETE FROM crm.setting WHERE name = 'claim_scope';

-- served by another channel, blacklisted ------------------------------------------------------

INSERT INTO crm.policy (customer_id, id, product_id, channel_id, servicer_id, issued_on, premium) VALUES
  (61, 61, 1, 1, 1, '2021-01-01', 1), (62, 62, 1, 1, 8, '2020-06-01', 1), (63, 63, 1, 2, 3, '2021-01-01', 1);
SELECT crm.post() > 0 AS posted;
SELECT pg_temp.refused('SELECT crm.claim(61, 3)', '23514', 'customer "61" is served by channel "individual"', 'a channel''s own served customer stays out');
SELECT is(pg_temp.code_of('SELECT crm.claim(61, 2)'), '00000', 'of other channels');
SELECT is(pg_temp.code_of('SELECT crm.claim(62, 3)'), '00000', 'a servicer who left serves nobody');
SELECT pg_temp.setting('keeps_served', 'false', NULL, 2);
SELECT is(pg_temp.code_of('SELECT crm.claim(63, 1)'), '00000', 'a channel may open its own');
SELECT is(pg_temp.code_of($$SELECT pg_temp.setting('keeps_served', 'perhaps')$$), '22P02', 'no truth value');
INSERT INTO crm.blacklist (customer_id, reason, from_date, to_date, end_reason) VALUES (64, 'fraud', '2020-01-01', NULL, NULL), (65, 'fraud', '2020-01-01', '2021-01-01', 'paid'), (66, 'fraud', '2190-01-01', NULL, NULL);
SELECT pg_temp.refused('SELECT crm.claim(64, 1)', '23514', 'customer "64" is on the blacklist', 'blacklisted');
SELECT is(pg_temp.code_of('SELECT crm.claim(65, 1), crm.claim(66, 1)'), '00000', 'no longer, not yet');
SELECT results_eq(format('SELECT outcome FROM crm.allocate(''{64}'', ''{1}'', %L, %s)', s, CASE s WHEN 'weighted' THEN quote_literal('SELECT 1 AS holder_id, 1 AS weight') ELSE 'NULL' END),
                  $$VALUES ('blacklisted')$$, 'by allocation neither: ' || s)
FROM unnest(ARRAY['even', 'weighted', 'round_robin', 'least_loaded', 'best_fit', 'optimal', 'given']) s;
SELECT results_eq('SELECT outcome FROM crm.entrust(''{64}'', 1)', $$VALUES ('blacklisted')$$, 'nor to a channel');

-- cool-off of each earlier holder from their own end
SELECT crm.claim(71, 1);
UPDATE crm.holding SET held_from = now() - interval '95 days' WHERE customer_id = 71;
SELECT crm.transfer(71, 2);
UPDATE crm.holding SET held_to = now() - interval '91 days' WHERE customer_id = 71 AND held_to IS NOT NULL;
UPDATE crm.holding SET held_from = now() - interval '91 days' WHERE customer_id = 71 AND held_to IS NULL;
SELECT is(pg_temp.code_of('SELECT crm.transfer(71, 1)'), '00000', 'A to B and back: the cool-off of A runs from A''s own end');
SELECT crm.release(71);
SELECT is(pg_temp.code_of('SELECT crm.claim(71, 2)'), '23514', 'B waits');
SELECT is(pg_temp.code_of('SELECT crm.claim(71, 1)'), '23514', 'and so does A again');
SELECT is(pg_temp.code_of('SELECT crm.claim(71, 3)'), '00000', 'C does not');

-- protection ----------------------------------------------------------------------------------

SELECT is(crm.protected_until('2025-01-01Z', d, r, m, c, p, o), u::timestamptz, format('%s %s %s %s %s %s', d, r, m, c, p, o)) FROM (VALUES
  (NULL::integer, 3, 20, NULL::timestamptz, NULL::timestamptz, NULL::timestamptz, NULL), (10, 3, 20, NULL, NULL, NULL, '2025-01-11Z'), (10, NULL, NULL, '2025-01-10Z', NULL, NULL, '2025-01-11Z'),
  (10, 3, 20, '2025-01-02Z', NULL, NULL, '2025-01-11Z'), (10, 3, 20, '2025-01-10Z', NULL, NULL, '2025-01-13Z'), (10, 3, 20, '2025-01-09Z', '2025-01-15Z', NULL, '2025-01-18Z'),
  (10, 3, 20, '2025-01-19Z', NULL, NULL, '2025-01-21Z'), (10, 3, 5, NULL, NULL, NULL, '2025-01-06Z'), (10, 3, 20, '2024-12-31Z', NULL, NULL, '2025-01-11Z'),
  (10, 3, 20, '2025-01-10Z', NULL, '2025-01-05Z', '2025-01-05Z'), (10, 3, 20, 'infinity', '-infinity', NULL, '2025-01-11Z'), (1000000, 0, 1000000, NULL, NULL, NULL, '4762-11-29Z')) v (d, r, m, c, p, o, u);
SELECT is(crm.protected_until(NULL, 10, 1, 1, NULL, NULL, NULL), NULL, 'no start');
SELECT is(pg_temp.code_of($$SELECT crm.protected_until('2025-01-01Z', -1, 1, 1, NULL, NULL, NULL)$$), '22003', 'days below 0');
SELECT is(pg_temp.code_of($$SELECT crm.protected_until('2025-01-01Z', 1000001, 1, 1, NULL, NULL, NULL)$$), '22003', 'days above the most');
SELECT is(pg_temp.code_of($$SELECT crm.protected_until('infinity', 1, 1, 1, NULL, NULL, NULL)$$), '22008', 'a start that is no time');
SELECT is(crm.protected_until('294276-12-31 23:00Z', 1, 1, 1, NULL, NULL, NULL), 'infinity', 'the end of time');

SELECT crm.claim(80, 1);
SELECT is((SELECT protected_until FROM crm.holding WHERE customer_id = 80), NULL, 'without a setting nothing is protected');
SELECT pg_temp.setting('protection_days', '10', 6), pg_temp.setting('protection_renewal_days', '3'), pg_temp.setting('protection_max_days', '20');
SELECT crm.claim(81, 1);
SELECT is((SELECT protected_until - held_from FROM crm.holding WHERE customer_id = 81), interval '240 hours', 'protected from the start');
SELECT is((SELECT protected_until FROM crm.holding WHERE customer_id = 80), NULL, 'a setting changes no holding');
SELECT results_eq($$SELECT outcome FROM crm.allocate('{82,83}', '{1}')$$, $$VALUES ('allocated'), ('allocated')$$, 'an allocation');
SELECT is((SELECT count(*) FROM crm.holding WHERE customer_id IN (82, 83) AND protected_until = held_from + interval '240 hours'), 2::bigint, 'protects as well');
-- edits that are no contacts
UPDATE crm.holding SET held_from = now() - interval '9 days' WHERE customer_id IN (81, 82, 83);
CREATE TEMP TABLE before AS SELECT customer_id, protected_until FROM crm.holding WHERE customer_id IN (81, 82, 83);
UPDATE crm.customer SET name = 'Renamed' WHERE id IN (81, 82, 83);
SELECT crm.lock_holding(81), crm.lock_holding(81, false);
SELECT crm.record_contact(81, 2, 'service', 'reached');
SELECT crm.refresh_loads(crm.today());
CALL crm.refresh_due(crm.today(), NULL);
SELECT is_empty('SELECT * FROM before EXCEPT SELECT customer_id, protected_until FROM crm.holding', 'no edit, nor a contact by somebody else, extends it');
SELECT is(pg_temp.code_of('UPDATE crm.holding SET protected_until = now() + interval ''1 year'' WHERE customer_id = 81'), '428C9', 'nor a hand');
SELECT crm.record_contact(81, 1, 'sales', 'reached');
SELECT ok((SELECT protected_until = last_contact_at + interval '72 hours' FROM crm.holding WHERE customer_id = 81), 'a contact by the holder does');
UPDATE crm.holding SET held_from = now() - interval '19 days' WHERE customer_id = 81;
SELECT crm.record_contact(81, 1, 'sales', 'reached');
SELECT ok((SELECT protected_until = held_from + interval '480 hours' FROM crm.holding WHERE customer_id = 81), 'up to the hard maximum');
INSERT INTO crm.policy (customer_id, id, product_id, channel_id, issued_on, premium) VALUES (82, 82, 1, 1, pg_temp.today(), 1);
SELECT crm.post() > 0 AS posted;
SELECT ok((SELECT protected_until = last_purchase_at + interval '72 hours' FROM crm.holding WHERE customer_id = 82), 'so does a purchase');
-- against others
SELECT pg_temp.refused('SELECT crm.transfer(81, 2)', '55000', 'customer "81" is protected for staff member 1', 'no transfer');
SELECT is(pg_temp.code_of('SELECT crm.release(81)'), '55000', 'no release by somebody else');
SELECT is(pg_temp.code_of('SELECT crm.claim(81, 2)'), '55006', 'no claim');
SELECT results_eq($$SELECT outcome FROM crm.allocate('{81}', '{2}', 'given')$$, $$VALUES ('held')$$, 'no allocation');
UPDATE crm.holding SET rule = 'at most 5 days; cool off 90 days' WHERE customer_id IN (81, 82, 83, 84) AND held_to IS NULL;
SELECT is(crm.recycle(clock_timestamp()), 0::bigint, 'the sweep passes over what is protected though due');
SELECT set_config('crm.actor', 'ann', true) IS NOT NULL AS named;
SELECT is(crm.actor(), 'ann', 'Ann acts');
SELECT is(pg_temp.code_of('SELECT crm.release(83, 1, ''moved away'')'), '00000', 'the holder may give back');
SELECT set_config('crm.actor', '', true) IS NOT NULL AS named;
SELECT is(pg_temp.code_of('SELECT crm.override_protection(81, NULL)'), '23514', 'an override needs a reason');
SELECT is(pg_temp.code_of('SELECT crm.override_protection(81, '' '')'), '23514', 'in words');
SELECT is(pg_temp.code_of('SELECT crm.override_protection(80, ''why'')'), '55000', 'and a protection');
SELECT is(pg_temp.code_of('SELECT crm.override_protection(299, ''why'')'), '55000', 'and a holder');
SELECT is(pg_temp.code_of('SELECT crm.override_protection(NULL, ''why'')'), '22004', 'and a customer');
SELECT ok(crm.override_protection(81, 'complaint') > 0, 'a manager may override');
SELECT ok((SELECT overridden_at = protected_until AND overridden_by = crm.actor() AND override_reason = 'complaint' FROM crm.holding WHERE customer_id = 81), 'which the holding tells');
SELECT crm.record_contact(81, 1, 'sales', 'reached');
SELECT ok((SELECT overridden_at = protected_until FROM crm.holding WHERE customer_id = 81), 'no contact brings it back');
SELECT is(pg_temp.code_of('SELECT crm.override_protection(81, ''again'')'), '55000', 'once');
SELECT is(pg_temp.code_of('SELECT crm.transfer(81, 2)'), '00000', 'then it can be transferred');
SELECT ok((SELECT protected_until > now() FROM crm.holding WHERE customer_id = 81 AND held_to IS NULL), 'and the new holder is protected');
SELECT crm.claim(84, 2);
UPDATE crm.staff SET left_on = pg_temp.today() + 5 WHERE id = 2;
SELECT is(pg_temp.code_of('SELECT crm.transfer(84, 1)'), '55000', 'who leaves in days to come is protected until then');
UPDATE crm.staff SET left_on = pg_temp.today() WHERE id = 2;
SELECT is(pg_temp.code_of('SELECT crm.transfer(84, 1)'), '00000', 'who has left is not protected from handing over');
UPDATE crm.staff SET left_on = NULL WHERE id = 2;
UPDATE crm.holding SET held_from = now() - interval '10 days' WHERE customer_id = 82;
UPDATE crm.holding SET last_purchase_at = NULL WHERE customer_id = 82;
SELECT is(crm.recycle(clock_timestamp()), 1::bigint, 'on the very second of its end a protection is over');
DELETE FROM crm.setting WHERE name LIKE 'protection%';

-- leave ---------------------------------------------------------------------------------------

INSERT INTO crm.staff_leave (staff_id, from_date, to_date, reason) VALUES (1, pg_temp.today() - 2, pg_temp.today() + 3, 'holiday');
SELECT is(pg_temp.code_of(format('INSERT INTO crm.staff_leave (staff_id, from_date, to_date) VALUES (%s, pg_temp.today() + %s, pg_temp.today() + %s)', s, f, t)), code, why) FROM (VALUES
  (1, 2, 9, '23P01', 'leaves do not overlap'), (1, -9, -1, '23P01', 'from either side'), (1, -1, 1, '23P01', 'nor within'), (1, 3, 9, '00000', 'one may follow the other'), (2, 2, 9, '00000', 'or be of somebody else'),
  (3, 5, 5, '23514', 'none of no day'), (999, 1, 2, '23503', 'nor of nobody')) v (s, f, t, code, why);
SELECT is(pg_temp.code_of($$INSERT INTO crm.staff_leave (staff_id, from_date) VALUES (2, pg_temp.today() + 5)$$), '23P01', 'nor without end');
DELETE FROM crm.staff_leave WHERE from_date > pg_temp.today();
CREATE TEMP TABLE kept AS SELECT customer_id FROM crm.holding WHERE staff_id = 1 AND held_to IS NULL;
SELECT pg_temp.refused('SELECT crm.claim(91, 1)', '55000', 'staff member "1" is on leave', 'no claim on leave');
SELECT results_eq(format('SELECT staff_id, outcome FROM crm.allocate(''{91,92}'', ''{1}'', %L, %s) ORDER BY 1', s, CASE s WHEN 'weighted' THEN quote_literal('SELECT 1 AS holder_id, 1 AS weight') ELSE 'NULL' END),
                  $$VALUES (NULL::bigint, 'left_over'), (NULL, 'left_over')$$, 'nothing by allocation: ' || s)
FROM unnest(ARRAY['even', 'weighted', 'round_robin', 'least_loaded', 'best_fit', 'optimal']) s;
SELECT results_eq($$SELECT outcome FROM crm.allocate('{91,92}', '{1,2}', 'given')$$, $$VALUES ('on_leave'), ('allocated')$$, 'given names the leave');
SELECT results_eq($$SELECT staff_id FROM crm.allocate('{93,94}', '{1,2}')$$, 'VALUES (2::bigint), (2)', 'others get it all');
SELECT is_empty('SELECT * FROM kept EXCEPT SELECT customer_id FROM crm.holding WHERE staff_id = 1 AND held_to IS NULL', 'what they hold stays');
SELECT results_eq('SELECT on_leave, back_on FROM crm_bi.staff_load WHERE staff_id = 1', 'VALUES (true, pg_temp.today() + 3)', 'the view tells');
UPDATE crm.staff_leave SET to_date = pg_temp.today(), from_date = pg_temp.today() - 9;
SELECT is(pg_temp.code_of('SELECT crm.claim(91, 1)'), '00000', 'back on the first day back');
UPDATE crm.staff_leave SET to_date = NULL, from_date = pg_temp.today() + 3;
SELECT is(pg_temp.code_of('SELECT crm.claim(95, 1)'), '00000', 'and before');
SELECT pg_temp.setting('leave_notice_days', '3', 6);
SELECT is(pg_temp.code_of('SELECT crm.claim(96, 1)'), '55000', 'unless within the days of notice');
SELECT results_eq($$SELECT outcome FROM crm.allocate('{96}', '{1}')$$, $$VALUES ('left_over')$$, 'in which nothing is allocated either');
SELECT pg_temp.setting('leave_notice_days', '2', 6);
SELECT is(pg_temp.code_of('SELECT crm.claim(96, 1)'), '00000', 'a day earlier');
DELETE FROM crm.staff_leave;
DELETE FROM crm.setting WHERE name = 'leave_notice_days';

-- waiting ---------------------------------------------------------------------------------------

SELECT is(pg_temp.code_of(statement), code, why) FROM (VALUES
  ($$SELECT crm.await_allocation(NULL, '{1}')$$, '22004', 'wait: no customers'), ($$SELECT crm.await_allocation('{101,NULL}', '{1}')$$, '22004', 'wait: one NULL'),
  ($$SELECT crm.await_allocation('{101}')$$, '22023', 'wait: for nobody'), ($$SELECT crm.await_allocation('{101}', '{1}', 6)$$, '22023', 'wait: for two'),
  ($$SELECT crm.await_allocation('{101}', '{1,999}')$$, '23503', 'wait: unknown staff'), ($$SELECT crm.await_allocation('{99999}', '{1}')$$, '23503', 'wait: unknown customer'),
  ($$SELECT crm.await_allocation('{101}', NULL, 99)$$, '23503', 'wait: unknown unit'), ($$SELECT crm.await_allocation('{101}', '{}')$$, '23514', 'wait: an empty list is nobody, not everybody'),
  ($$SELECT crm.await_allocation('{101}', '{1}', strategy => 'optimal')$$, '23514', 'wait: a strategy that needs all at once'), ($$SELECT crm.await_allocation('{{101}}', '{1}')$$, '2202E', 'wait: two dimensions')) v (statement, code, why);
INSERT INTO crm.holding_quota SELECT i, (SELECT count(*) FROM crm.holding h WHERE h.staff_id = i AND h.held_to IS NULL) FROM generate_series(1, 4) i;
SELECT is(crm.await_allocation(ARRAY(SELECT customer_id FROM crm.allocate('{101,102,103,104}', '{1,2}') WHERE outcome = 'left_over'), '{1,2}', reason => 'round two'), 4::bigint, 'four are left over and wait');
UPDATE crm.waiting SET since = since - interval '1 day' WHERE customer_id = 103;
SELECT is(crm.await_allocation('{105,106}', NULL, 3, 2, 'round_robin'), 2::bigint, 'two more, for a unit and channel');
SELECT is_empty('SELECT * FROM crm.drain_waiting() WHERE outcome = ''allocated''', 'no room, nobody goes');
SELECT results_eq('SELECT customer_id, tries, last_outcome FROM crm_bi.waiting ORDER BY place',
                  $$VALUES (103::bigint, 1, 'left_over'), (101, 1, 'left_over'), (102, 1, 'left_over'), (104, 1, 'left_over'), (105, 1, 'left_over'), (106, 1, 'left_over')$$, 'each tried once');
UPDATE crm.holding_quota SET quota = quota + 2 WHERE staff_id = 1;
SELECT results_eq('SELECT customer_id, staff_id FROM crm.drain_waiting(''{1}'') WHERE outcome = ''allocated'' ORDER BY 1', 'VALUES (101::bigint, 1::bigint), (103, 1)', 'added capacity goes to who waits longest');
SELECT results_eq($$SELECT start_cause, start_reason FROM crm.holding WHERE customer_id = 103 AND held_to IS NULL$$, $$VALUES ('allocation', 'round two')$$, 'with the reason given');
SELECT is((SELECT count(*) FROM crm.waiting), 4::bigint, 'they leave the queue');
SELECT results_eq('SELECT tries FROM crm.waiting WHERE customer_id = 105', 'VALUES (1)', 'wishes that this capacity does not serve are not tried');
-- who cannot be routed does not starve the rest
INSERT INTO crm.holding (customer_id, channel_id, org_id, staff_id, held_from, held_to, start_cause, end_cause, ended_by, rule)
SELECT i, 1, 6, s, now() - interval '9 days', now() - interval '1 day', 'claim', 'release', 'test', 'cool off 90 days' FROM (VALUES (102, 1), (102, 2)) v (i, s);
UPDATE crm.holding SET held_from = now() - interval '9 days' - s.n * interval '1 hour', held_to = now() - interval '9 days' - (s.n - 1) * interval '1 hour'
FROM (VALUES (1, 1), (2, 2)) s (staff, n) WHERE customer_id = 102 AND staff_id = s.staff;
UPDATE crm.waiting SET since = '2020-01-01' WHERE customer_id = 102;
UPDATE crm.holding_quota SET quota = quota + 1 WHERE staff_id = 2;
SELECT results_eq('SELECT customer_id, staff_id, outcome FROM crm.drain_waiting() ORDER BY 1', $$VALUES (102::bigint, NULL::bigint, 'left_over'), (104, 2, 'allocated')$$, 'the first in the queue is in cool-off with all: the next is served');
UPDATE crm.holding_quota SET quota = quota + 5 WHERE staff_id IN (3, 4);
SELECT crm.claim(106, 4) > 0 AS claimed;
SELECT is((SELECT count(*) FROM crm_bi.waiting), 2::bigint, 'who is claimed meanwhile waits no more');
SELECT results_eq('SELECT customer_id, staff_id, outcome FROM crm.drain_waiting() WHERE customer_id > 104 ORDER BY 1', $$VALUES (105::bigint, 3::bigint, 'allocated'), (106, NULL, 'held')$$, 'by unit and channel');
SELECT is((SELECT array_agg(customer_id) FROM crm.waiting), '{102}', 'both are gone from the queue');
SELECT is(crm.await_allocation('{102}', NULL, 6, NULL, 'best_fit'), 1::bigint, 'a new wish');
SELECT results_eq('SELECT strategy, staff, org_id, since FROM crm.waiting', $$VALUES ('best_fit', NULL::bigint[], 6::bigint, '2020-01-01'::timestamptz)$$, 'keeps the place');
SELECT is(crm.await_allocation('{103}', '{2}'), 0::bigint, 'who is held need not wait');
INSERT INTO crm.policy (customer_id, id, product_id, channel_id, servicer_id, issued_on, premium) VALUES (111, 111, 1, 1, 4, '2021-01-01', 1);
SELECT crm.await_allocation('{110,111,112}', NULL, 1, 1, 'best_fit');
UPDATE crm.holding_quota SET quota = quota + 1 WHERE staff_id = 1;
SELECT results_eq('SELECT customer_id, staff_id FROM crm.drain_waiting() WHERE outcome = ''allocated'' ORDER BY 1', 'VALUES (110::bigint, 1::bigint), (111, 4), (112, 4)', 'best fit: the home unit, the servicer, whoever is left');
DELETE FROM crm.waiting;
-- best fit for a queue: each in turn to whom it suits best of all with room and not in cool-off, reckoned one by one
INSERT INTO crm.staff (id, code, name, org_id, channel_id, joined_on) SELECT i, 'q' || i, 'Q' || i, 4 + i % 4, 3, '2020-01-01' FROM generate_series(21, 40) i;
INSERT INTO crm.holding_quota (staff_id, quota) SELECT i, (i * 7) % 9 FROM generate_series(21, 40) i;
INSERT INTO crm.customer (id, kind, name, org_id, source_channel_id, known_from) SELECT i, 'person', 'Q' || i, 1 + i % 7, 1, '2020-01-01' FROM generate_series(401, 500) i;
INSERT INTO crm.policy (customer_id, id, product_id, channel_id, servicer_id, issued_on, premium) SELECT i, i, 1, 3, 21 + i % 20, '2021-01-01', 1 FROM generate_series(401, 500, 9) i;
INSERT INTO crm.holding (customer_id, channel_id, org_id, staff_id, held_from, held_to, start_cause, end_cause, ended_by, rule)
SELECT i, 3, 4, 21 + (i * 3) % 5, now() - interval '9 days', now() - interval '1 day', 'claim', 'release', 'test', 'cool off 90 days' FROM generate_series(401, 500, 2) i;
SELECT crm.post() > 0 AS posted;
DO $$
DECLARE
  c bigint;
BEGIN
  CREATE TEMP TABLE reckoned (customer_id bigint, staff_id bigint);
  FOR c IN 401 .. 500 LOOP
    INSERT INTO reckoned SELECT c, (
      SELECT s.id FROM crm.staff s JOIN crm.holding_quota q ON q.staff_id = s.id
      WHERE s.id BETWEEN 21 AND 40 AND q.quota > (SELECT count(*) FROM reckoned r WHERE r.staff_id = s.id)
        AND NOT EXISTS (SELECT FROM crm.holding h WHERE h.customer_id = c AND h.staff_id = s.id)
      ORDER BY (s.org_id = 1 + c % 7)::integer + 2 * EXISTS (SELECT FROM crm.policy p WHERE p.customer_id = c AND p.servicer_id = s.id)::integer DESC, s.id LIMIT 1);
  END LOOP;
END
$$;
SELECT ok(count(staff_id) BETWEEN 60 AND 99, 'not everybody can be served') FROM reckoned;
SELECT crm.await_allocation(ARRAY(SELECT customer_id FROM reckoned), ARRAY(SELECT i FROM generate_series(21, 40) i), strategy => 'best_fit') AS waiting \gset
SELECT results_eq('SELECT customer_id, staff_id FROM crm.drain_waiting() ORDER BY 1', 'SELECT customer_id, staff_id FROM reckoned ORDER BY 1', 'best fit in turn is as reckoned one by one');
SELECT crm.release(customer_id) FROM reckoned WHERE staff_id IS NOT NULL;
DELETE FROM crm.waiting;
DELETE FROM crm.holding_quota;
DELETE FROM crm.holding WHERE staff_id BETWEEN 21 AND 40;
UPDATE crm.staff SET left_on = pg_temp.today() - 1 WHERE id BETWEEN 21 AND 40;
SELECT is(pg_temp.code_of(s), code, s) FROM (VALUES ('CALL crm.drain_waiting_in_batches()', '2D000'), ('CALL crm.drain_waiting_in_batches(batch => 0)', '22023'), ('CALL crm.drain_waiting_in_batches(batch => NULL)', '22023')) v (s, code);

-- who enters holds ----------------------------------------------------------------------------------

SELECT ok(holding_id IS NOT NULL, 'who enters holds by default') FROM crm.enter_customer(3, 'person', 'New Zero');
SELECT pg_temp.setting('entry_holds', 'false', 1);
SELECT results_eq($$SELECT customer_id > 0, holding_id FROM crm.enter_customer(1, 'person', 'New One')$$, 'VALUES (true, NULL::bigint)', 'off: in the pool');
SELECT pg_temp.setting('entry_holds', 'true', 6);
CREATE TEMP TABLE entered AS SELECT * FROM crm.enter_customer(1, 'person', 'New Two', sex => 'female');
SELECT results_eq('SELECT h.staff_id, h.start_cause, c.org_id, c.source_channel_id, c.sex FROM entered e JOIN crm.holding h ON h.customer_id = e.customer_id AND h.id = e.holding_id AND h.held_to IS NULL JOIN crm.customer c ON c.id = e.customer_id',
                  $$VALUES (1::bigint, 'entry', 6::bigint, 1::bigint, 'female')$$, 'first to enter is the holder');
SELECT ok((SELECT holding_id IS NULL FROM crm.enter_customer(3, 'person', 'New Three')), 'elsewhere not');
INSERT INTO crm.holding_quota VALUES (1, 0);
SELECT ok((SELECT customer_id IS NOT NULL AND holding_id IS NULL FROM crm.enter_customer(1, 'person', 'New Four')), 'nor beyond the quota: the customer is entered all the same');
DELETE FROM crm.holding_quota;
SELECT is(pg_temp.code_of(statement), code, why) FROM (VALUES
  ($$SELECT crm.enter_customer(1, 'person', ' ')$$, '23514', 'enter: no name'), ($$SELECT crm.enter_customer(1, NULL, 'X')$$, '23502', 'enter: no kind'), ($$SELECT crm.enter_customer(1, 'dog', 'X')$$, '23514', 'enter: another kind'),
  ($$SELECT crm.enter_customer(8, 'person', 'X')$$, '55000', 'enter: not in post'), ($$SELECT crm.enter_customer(NULL, 'person', 'X')$$, '22004', 'enter: nobody'), ($$SELECT crm.enter_customer(1, 'person', 'X', 999)$$, '23503', 'enter: no unit'),
  ($$SELECT crm.enter_customer(1, 'person', 'X', resident_id => 'x')$$, '22P02', 'enter: no identity number')) v (statement, code, why);

-- an entry is no way around cool-off, holder, blacklist or scope
SELECT customer_id AS person, holding_id IS NOT NULL AS held FROM crm.enter_customer(1, 'person', 'New Five', resident_id => '11010519491231002X') \gset
SELECT results_eq($$SELECT code, message, hint FROM pg_temp.told('SELECT crm.enter_customer(2, ''person'', ''Another name'', resident_id => ''11010519491231002X'')')$$,
  format($$VALUES ('23505', 'customer "%s" has that resident number', 'Take the customer by crm.claim(), or ask who holds them by crm.request_transfer() or crm.open_dispute().')$$, :person), 'who is a customer is not entered again');
SELECT is(pg_temp.code_of($$SELECT crm.enter_customer(2, 'person', 'X', resident_id => '110105491231002')$$), '23505', 'nor by the old number');
SELECT crm.release(:person) \gset
INSERT INTO crm.blacklist (customer_id, from_date, reason) VALUES (:person, '2020-01-01', 'fraud');
SELECT is(pg_temp.code_of($$SELECT crm.enter_customer(1, 'person', 'New Five', resident_id => '11010519491231002x')$$), '23505', 'neither released nor blacklisted');
SELECT pg_temp.setting('claim_scope', 'office', 6);
SELECT is(pg_temp.code_of(format($$SELECT crm.enter_customer(1, 'person', 'X', %s)$$, u)), code, 'a customer of unit ' || u) FROM (VALUES (7, '00000'), (4, '00000'), (5, '42501'), (1, '42501')) v (u, code);
SELECT pg_temp.setting('claim_scope', 'none', 6);
SELECT is(pg_temp.code_of(format($$SELECT crm.enter_customer(1, 'person', 'X', %s)$$, u)), code, 'who may not claim enters for unit ' || u) FROM (VALUES (6, '00000'), (7, '42501')) v (u, code);
DELETE FROM crm.setting WHERE name = 'claim_scope' AND org_id = 6;

SELECT set_eq('SELECT staff_id, held, load FROM crm_bi.staff_load', 'SELECT s.id, (SELECT count(*) FROM crm.holding h WHERE h.staff_id = s.id AND h.held_to IS NULL), pg_temp.load(s.id) FROM crm.staff s WHERE s.left_on IS NULL', 'loads of staff in post');
SELECT is((SELECT quota FROM crm_bi.staff_load WHERE staff_id = 1), crm._quota(s, crm.today())::bigint, 'and their quotas') FROM crm.staff s WHERE s.id = 1;
SELECT pg_temp.setting('holding_quota', '77', 4, 1);
SELECT results_eq('SELECT staff_id, quota FROM crm_bi.staff_load ORDER BY 1', 'VALUES (1::bigint, 77::bigint), (2, 77), (3, 200), (4, 200)', 'by unit and channel');
SELECT crm.post() >= 0 AS posted;
CREATE TEMP VIEW shown AS SELECT c.oid, c.relname FROM pg_class c WHERE c.relnamespace = 'crm_bi'::regnamespace AND c.relname IN ('staff_load', 'waiting', 'claim_day', 'staff_leave', 'holding');
SELECT is((SELECT count(*) FROM shown), 5::bigint, 'the views');
SELECT is_empty($$SELECT s.relname, a.attname FROM shown s JOIN pg_attribute a ON a.attrelid = s.oid AND a.attnum > 0 WHERE col_description(s.oid, a.attnum) !~ '[一-龥]'$$, 'every column is told in Chinese, too');
INSERT INTO crm.staff_leave (staff_id, from_date) VALUES (3, '2190-01-01');
SELECT crm.await_allocation('{290,291}', NULL, 3);
CREATE ROLE crm_test_analyst;
CALL crm.grant_duty('analyst', 'crm_test_analyst');
SET LOCAL ROLE crm_test_analyst;
SELECT is(pg_temp.rows_of(v, k), ARRAY[n, n], v || ': an analyst sees its rows, each by its key')
FROM (VALUES ('staff_load', 'staff_id', 4::bigint), ('waiting', 'customer_id', 2), ('staff_leave', 'staff_leave_key', 1)) x (v, k, n);
SELECT ok((pg_temp.rows_of('claim_day', 'claim_day_key'))[1] = (pg_temp.rows_of('claim_day', 'claim_day_key'))[2], 'claims, too');
RESET ROLE;
SELECT is_empty('SELECT * FROM crm.check()', 'every invariant holds');

SELECT * FROM finish();
ROLLBACK;
