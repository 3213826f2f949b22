-- Merging customers one by one: what is kept, what is refused and how, what depends on a merge, chains, import by either key, the queue.
\set ON_ERROR_STOP on
SET client_min_messages = warning;
SELECT no_plan();

\ir include/helpers.sql
INSERT INTO crm.organisation (id, parent_id, code, name) VALUES (1, NULL, 'c', 'Company'), (2, 1, 'n', 'North');
INSERT INTO crm.staff (id, code, name, org_id, channel_id, joined_on) SELECT i, 's' || i, 'Staff ' || i, 2, 1, '2020-01-01' FROM generate_series(1, 3) i;
INSERT INTO crm.product (id, code, name) VALUES (1, 'p', 'Life');
INSERT INTO crm.customer (id, kind, name, org_id, source_channel_id, known_from) SELECT i, 'person', 'Person ' || i, 2, 1, date '2024-01-01' + i FROM generate_series(1, 40) i;
INSERT INTO crm.customer (id, kind, name, org_id, source_channel_id, known_from) SELECT i, 'company', 'Company ' || i, 2, 1, '2024-01-01' FROM generate_series(41, 44) i;
INSERT INTO crm.customer_key (source_system, source_key, customer_id) SELECT 'core', 'k' || c.id, c.id FROM crm.customer c;

-- refused -------------------------------------------------------------------------

SELECT results_eq(format('SELECT code, message, hint <> '''' FROM pg_temp.told(%L)', v.statement), format('VALUES (%L, %L, %L::boolean)', v.code, v.message, v.hint), v.name)
FROM (VALUES
  ('SELECT crm.merge(1, 1, ''x'')', '22023', 'customer "1" cannot be merged with itself', false, 'one customer twice'),
  ('SELECT crm.merge(1, 99, ''x'')', '23503', 'there is no customer "99"', false, 'an unknown one to drop'),
  ('SELECT crm.merge(99, 1, ''x'')', '23503', 'there is no customer "99"', false, 'an unknown one to keep'),
  ('SELECT crm.merge(NULL, 1, ''x'')', '22004', 'keep, drop, reason and forced must not be null', false, 'nobody to keep'),
  ('SELECT crm.merge(1, NULL, ''x'')', '22004', 'keep, drop, reason and forced must not be null', false, 'nobody to drop'),
  ('SELECT crm.merge(1, 2, NULL)', '22004', 'keep, drop, reason and forced must not be null', false, 'no reason'),
  ('SELECT crm.merge(1, 2, '' '')', '22023', 'a merge needs a reason', true, 'an empty reason'),
  ('SELECT crm.merge(1, 41, ''x'', true)', '23514', 'customers "1" and "41" cannot be merged: kind', true, 'a person and a company, even if forced'),
  ('SELECT crm.unmerge(99, ''x'')', '23503', 'there is no merge "99"', true, 'an unknown merge'),
  ('SELECT crm.unmerge(NULL, ''x'')', '22004', 'merge_id, reason and forced must not be null', false, 'no merge'),
  ('SELECT crm.unmerge(1, '''')', '22023', 'undoing a merge needs a reason', false, 'no reason to undo'),
  ('SELECT * FROM crm.unmerge_blockers(99)', '23503', 'there is no merge "99"', true, 'nor has an unknown merge dependents'),
  ('SELECT crm.accept_duplicate(1, 2)', '23503', 'customers "1" and "2" are no candidates', true, 'no candidates'),
  ('SELECT crm.accept_duplicate(1, 2, 3)', '22023', 'customer "3" is neither of the two', true, 'a third one to keep'),
  ('CALL crm.merge_duplicates(batch => 0)', '22023', 'batch must be positive, and at_most not negative', false, 'no batch'),
  ('CALL crm.merge_duplicates(2, NULL)', '23514', 'value for domain crm.probability violates check constraint "probability_check"', false, 'no score')
) v (statement, code, message, hint, name);
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT (pg_temp.told('SELECT crm.merge(1, 2, ''x'')')).code AS code \gset
COMMIT;
SELECT is(:'code'::text, '25001', 'an older snapshot');
SELECT is((SELECT count(*) FROM crm.merge_record), 0::bigint, 'nothing came of it');

-- what is kept -----------------------------------------------------------------------

UPDATE crm.customer SET resident_id = '11010519491231002X', sex = 'female' WHERE id = 2;
UPDATE crm.customer SET birth_date = '1949-12-31' WHERE id = 1;
INSERT INTO crm.customer_organisation (customer_id, from_date, org_id) VALUES (1, '2024-05-01', 1), (2, '2024-06-01', 1);
INSERT INTO crm.profile (customer_id, industry, children) VALUES (1, 'trade', NULL), (2, 'finance', 3);
INSERT INTO crm.policy (customer_id, id, product_id, channel_id, issued_on, premium) VALUES (1, 10, 1, 1, '2024-03-01', 1000), (2, 20, 1, 1, '2024-04-01', 2000), (3, 30, 1, 1, '2024-04-01', 2000);
INSERT INTO crm.policy_insured (customer_id, policy_id, insured_id) VALUES (3, 30, 1), (3, 30, 2), (1, 10, 2);
INSERT INTO crm.policy_claim (customer_id, policy_id, id, insured_id, kind, occurred_on, reported_on) VALUES (3, 30, 1, 2, 'illness', '2024-05-01', '2024-05-02'), (1, 10, 1, 2, 'illness', '2024-05-01', '2024-05-02');
INSERT INTO crm.relation (customer_id, id, kind, other_id) VALUES (1, 1, 'friend', 2), (1, 2, 'friend', 3), (2, 3, 'friend', 3), (2, 4, 'parent', 4), (5, 5, 'parent', 1);
SELECT crm.claim(1, 1), crm.claim(2, 2), crm.record_contact(2, 2, 'sales', 'reached') \gset held_
INSERT INTO crm.blacklist (customer_id, id, reason, from_date) VALUES (1, 1, 'Later', '2024-06-01'), (2, 1, 'Earlier', '2024-03-01');
INSERT INTO crm.duplicate_candidate (customer_id, other_id, score, reasons, state, decided_at, decided_by) VALUES
  (1, 2, 0.9, '{same name}', 'open', NULL, NULL), (1, 6, 0.9, '{same name}', 'open', NULL, NULL), (2, 6, 0.9, '{same name}', 'rejected', now(), 'clerk'), (2, 7, 0.8, '{same phone}', 'open', NULL, NULL);
SELECT set_eq('SELECT conflict, bars FROM crm.merge_conflicts(1, 2)', $$VALUES ('blacklist', 'automatic'), ('holding', 'automatic'), ('relation', 'automatic')$$, 'what stands against it');
SELECT crm.merge(1, 2, 'the same person') AS first \gset
SELECT results_eq('SELECT id, name, resident_id::text, birth_date, sex, known_from FROM crm.customer WHERE id IN (1, 2)',
  $$VALUES (1::bigint, 'Person 1', '11010519491231002X', date '1949-12-31', 'female', date '2024-01-02')$$, 'what is empty is filled');
SELECT results_eq('SELECT from_date FROM crm.customer_organisation WHERE customer_id = 1', $$VALUES (date '2024-05-01')$$, 'the home unit is that of the one kept');
SELECT results_eq('SELECT customer_id, industry, children FROM crm.profile', $$VALUES (1::bigint, 'trade', 3)$$, 'so is the profile, where it says something');
SELECT results_eq('SELECT customer_id, id FROM crm.policy ORDER BY id', 'VALUES (1::bigint, 10::bigint), (1, 20), (3, 30)', 'policies');
SELECT results_eq('SELECT policy_id, insured_id FROM crm.policy_insured ORDER BY 1', 'VALUES (10::bigint, 1::bigint), (30, 1)', 'who was insured twice is once');
SELECT results_eq('SELECT policy_id, insured_id FROM crm.policy_claim ORDER BY 1', 'VALUES (10::bigint, 1::bigint), (30, 1)', 'claims');
SELECT results_eq('SELECT customer_id, kind, other_id FROM crm.relation ORDER BY 1, 2', $$VALUES (1::bigint, 'friend', 3::bigint), (1, 'parent', 4), (5, 'parent', 1)$$, 'relations');
SELECT results_eq('SELECT customer_id, reason, from_date, to_date FROM crm.blacklist ORDER BY from_date', $$VALUES (1::bigint, 'Earlier', date '2024-03-01', date '2024-06-01'), (1, 'Later', '2024-06-01', NULL)$$, 'the days on the blacklist');
SELECT results_eq('SELECT customer_id, other_id, state FROM crm.duplicate_candidate ORDER BY 1, 2', $$VALUES (1::bigint, 6::bigint, 'rejected'), (1, 7, 'open')$$, 'the queue');
SELECT results_eq('SELECT customer_id, staff_id, end_cause FROM crm.holding ORDER BY id', $$VALUES (1::bigint, 1::bigint, NULL), (1, 2, 'merge')$$, 'the holder of the one kept stays');
SELECT results_eq('SELECT staff_id, held FROM crm.holding_count ORDER BY 1', 'VALUES (1::bigint, 1::bigint), (2, 0)', 'and is counted');
SELECT is_empty($$SELECT * FROM crm._check_holding()$$, 'holdings are in order');
SELECT results_eq('SELECT source_key FROM crm.customer_key WHERE customer_id = 1 ORDER BY 1', $$VALUES ('k1'), ('k2')$$, 'both keys');
SELECT results_eq($$SELECT crm.customer_of(2), crm.customer_of(1), crm.customer_of(99), crm.customer_of(NULL), crm.customer_of('core', 'k2'), crm.customer_of('core', 'x')$$, 'VALUES (1::bigint, 1::bigint, NULL::bigint, NULL::bigint, 1::bigint, NULL::bigint)', 'old keys');
SELECT is_empty($$SELECT FROM crm.customer_change c WHERE c.changed_at >= (SELECT m.merged_at FROM crm.merge_record m)$$, 'history tells what people changed, not what merging did');
SELECT results_eq('SELECT kept_id, dropped_id, reason, score, reasons, automatic, state FROM crm.merge_record', $$VALUES (1::bigint, 2::bigint, 'the same person', 0.9::double precision, '{same name}'::text[], false, 'merged')$$, 'the merge is on record');
SELECT is_empty('SELECT * FROM crm.check()', 'all checks hold');
SELECT results_eq(format('SELECT code, message, hint <> '''' FROM pg_temp.told(%L)', s), $$VALUES ('55000', 'customer "2" was merged into customer "1" already', true)$$, s)
FROM unnest('{"SELECT crm.merge(3, 2, ''x'')","SELECT crm.merge(2, 3, ''x'')","SELECT crm.accept_duplicate(2, 3)"}'::text[]) s;

SELECT results_eq(format('SELECT code, message, hint FROM pg_temp.told(%L)', s), $$VALUES ('23503', 'there is no customer "2"', 'The customer was merged into customer 1.')$$, s)
FROM unnest('{"SELECT crm.record_contact(2, 1, ''sales'', ''reached'')","SELECT crm.claim(2, 1)"}'::text[]) s;

-- import by either key ------------------------------------------------------------------

INSERT INTO crm.import_customer (source_key, kind, name, org_code, channel_code, known_from) VALUES ('k2', 'person', 'By the old key', 'c', 'individual', '2024-01-02');
INSERT INTO crm.import_policy (source_key, customer_key, product_code, channel_code, issued_on, payment, premium) VALUES ('new', 'k2', 'p', 'individual', '2024-07-01', 'yearly', '500');
CALL crm.import('core') \gset import_
SELECT results_eq('SELECT rejected, accepted FROM crm.import_batch', 'VALUES (0::bigint, 2::bigint)', 'an import by the key of the one dropped');
SELECT results_eq('SELECT id, name FROM crm.customer WHERE id <= 2', $$VALUES (1::bigint, 'By the old key')$$, 'updates the one kept');
SELECT results_eq($$SELECT customer_id FROM crm.policy WHERE issued_on = '2024-07-01'$$, 'VALUES (1::bigint)', 'and adds to them');
INSERT INTO crm.import_customer (source_key, kind, name, org_code, channel_code, known_from) VALUES ('k2', 'person', 'Two', 'c', 'individual', '2024-01-02'), ('k1', 'person', 'One', 'c', 'individual', '2024-01-02'), ('k3', 'person', 'Three', 'n', 'individual', '2024-01-02');
CALL crm.import('core') \gset import_
SELECT results_eq('SELECT b.rejected, c.name FROM crm.import_batch b, crm.customer c WHERE b.id = 2 AND c.id = 1', $$VALUES (0::bigint, 'One')$$, 'of two rows for one customer the last holds');

-- what depends on a merge ----------------------------------------------------------------

SELECT results_eq(format('SELECT relation, key::jsonb - ''id'', why, forcible FROM crm.unmerge_blockers(%s) WHERE relation <> ''crm.customer''', :first),
  $$VALUES ('crm.policy', '{"customer_id": 1}'::jsonb, 'was added since and may be of either customer', true)$$, 'a policy added since');
SELECT results_eq(format('SELECT code, message, detail LIKE ''%%crm.policy {"id": %% was added since and may be of either customer%%'', hint IS NOT NULL FROM pg_temp.told(''SELECT crm.unmerge(%s, ''''x'''')'')', :first),
  $$VALUES ('2BP01', 'merge "1" cannot be undone: 2 rows depend on it', true, true)$$, 'it is refused with the list');
SELECT results_eq(format('SELECT relation, why, forcible FROM crm.unmerge_blockers(%s) WHERE relation = ''crm.customer''', :first),
  $$VALUES ('crm.customer', 'was changed since: resident_id, sex', false)$$, 'the import cleared what the merge had filled');
UPDATE crm.customer SET resident_id = '11010519491231002X', sex = 'female' WHERE id = 1;
DELETE FROM crm.policy WHERE issued_on = '2024-07-01';
SELECT is_empty(format('SELECT * FROM crm.unmerge_blockers(%s)', :first), 'without them nothing depends on it');
INSERT INTO crm.policy_event (customer_id, policy_id, id, kind, on_date) VALUES (1, 20, 1, 'lapse', '2024-08-01');
UPDATE crm.policy SET premium = 2500 WHERE id = 20;
SELECT is_empty(format('SELECT * FROM crm.unmerge_blockers(%s)', :first), 'nor does what happened to a policy that moved: it goes along');
SELECT crm.merge(8, 1, 'again') AS second, crm.merge(9, 8, 'and again') AS third \gset
SELECT results_eq('SELECT crm.customer_of(2), crm.customer_of(1), crm.customer_of(8)', 'VALUES (9::bigint, 9::bigint, 9::bigint)', 'a chain is followed');
SELECT results_eq(format('SELECT relation, array_agg(key), bool_or(forcible) FROM crm.unmerge_blockers(%s) GROUP BY 1', m), format('VALUES (''crm.merge_record'', %L::text[], false)', b),
                  'it is undone in reverse order only')
FROM (VALUES (:first, ARRAY[:third, :second]), (:second, ARRAY[:third])) v (m, b);
SELECT is((pg_temp.told(format('SELECT crm.unmerge(%s, ''x'', true)', :first))).code, '2BP01', 'even if forced');
SELECT results_eq(format('SELECT crm.unmerge(%s, ''wrong''), crm.unmerge(%s, ''wrong'')', :third, :second), 'VALUES (8::bigint, 1::bigint)', 'the last first');
SELECT is(crm.unmerge(:first, 'wrong'), 2::bigint, 'and then the first');
SELECT results_eq('SELECT customer_id, id, premium FROM crm.policy ORDER BY id', 'VALUES (1::bigint, 10::bigint, 1000.00), (2, 20, 2500.00), (3, 30, 2000.00)', 'policies are where they were, as they are now');
SELECT results_eq('SELECT customer_id, policy_id FROM crm.policy_event', 'VALUES (2::bigint, 20::bigint)', 'with what happened to them since');
SELECT results_eq('SELECT customer_id, staff_id, end_cause FROM crm.holding ORDER BY id', $$VALUES (1::bigint, 1::bigint, NULL), (2, 2, NULL)$$, 'both are held again');
SELECT results_eq('SELECT crm.customer_of(2), crm.customer_of(1), crm.customer_of(''core'', ''k2'')', 'VALUES (2::bigint, 1::bigint, 2::bigint)', 'keys name whom they named');
SELECT results_eq(format('SELECT code, message, detail <> '''' FROM pg_temp.told(''SELECT crm.unmerge(%s, ''''x'''')'')', :first), $$VALUES ('55000', 'merge "1" was undone already', true)$$, 'once is enough');
SELECT is_empty('SELECT * FROM crm.check()', 'all checks hold');

-- forced, with rows added, deleted and changed
INSERT INTO crm.asset (customer_id, id, kind, source) VALUES (11, 1, 'fund', 'visit'), (11, 2, 'fund', 'visit');
INSERT INTO crm.need (customer_id, id, what, noted_on, source) VALUES (11, 1, 'a car', '2024-01-01', 'visit');
SELECT crm.merge(10, 11, 'x') AS id \gset
INSERT INTO crm.asset (customer_id, id, kind, source) VALUES (10, 7, 'deposit', 'visit');
DELETE FROM crm.asset WHERE id = 1;
UPDATE crm.need SET what = 'a better car' WHERE customer_id = 10;
SELECT set_eq(format('SELECT relation, key::jsonb, why, forcible FROM crm.unmerge_blockers(%s)', :id), $$VALUES
  ('crm.asset', '{"id": 7, "customer_id": 10}'::jsonb, 'was added since and may be of either customer', true),
  ('crm.asset', '{"id": 1, "customer_id": 10}', 'was moved or made by the merge and is gone', true)$$, 'one added and one gone');
SELECT is(crm.unmerge(:id, 'x', forced => true), 11::bigint, 'forced');
SELECT results_eq('SELECT customer_id, id FROM crm.asset ORDER BY 1', 'VALUES (10::bigint, 7::bigint), (11, 2)', 'what was added stays, what is gone stays away');
SELECT results_eq('SELECT customer_id, what FROM crm.need', $$VALUES (11::bigint, 'a better car')$$, 'what was changed goes back as it is');
-- what cannot come back
INSERT INTO crm.household (id, name) VALUES (1, 'One'), (2, 'Two');
INSERT INTO crm.household_member (customer_id, from_date, household_id) VALUES (12, '2024-01-01', 1), (13, '2024-01-01', 2);
INSERT INTO crm.target_list (name, condition, as_of) VALUES ('L', 'kind = ''person''', '2024-01-01') RETURNING id AS list \gset
INSERT INTO crm.target_list_member (target_list_id, customer_id) VALUES (:list, 12), (:list, 13);
SELECT crm.merge(12, 13, 'x') AS id \gset
DELETE FROM crm.household WHERE id = 2;
DELETE FROM crm.target_list WHERE id = :list;
SELECT results_eq(format('SELECT relation, why, forcible FROM crm.unmerge_blockers(%s)', :id), $$VALUES ('crm.household_member', 'refers to what is gone: crm.household', false)$$, 'a household that is gone, but not a list, whose members go along');
INSERT INTO crm.household (id, name) VALUES (2, 'Two');
SELECT is(crm.unmerge(:id, 'x'), 13::bigint, 'back again');
SELECT crm.merge(12, 13, 'x') AS id \gset
INSERT INTO crm.customer (id, kind, name, org_id, source_channel_id, known_from) VALUES (13, 'person', 'Another', 2, 1, '2024-01-01');
SELECT results_eq(format('SELECT relation, key, why FROM crm.unmerge_blockers(%s)', :id), $$VALUES ('crm.customer', '13', 'there is another customer with this key now')$$, 'a key that is taken');
DELETE FROM crm.customer WHERE id IN (12, 13);
SELECT results_eq(format('SELECT relation, key, why FROM crm.unmerge_blockers(%s)', :id), $$VALUES ('crm.customer', '12', 'the customer kept was deleted')$$, 'a customer who is gone');
SELECT is(crm.customer_of(13), NULL, 'whom no key names');

-- a module of a later day ------------------------------------------------------------------

BEGIN;
SET LOCAL ROLE crm_owner;
CREATE TABLE crm.later (customer_id bigint NOT NULL REFERENCES crm.customer, id bigint GENERATED BY DEFAULT AS IDENTITY, said text, PRIMARY KEY (customer_id, id));
CREATE TABLE crm.later_share (customer_id bigint, later_id bigint, staff_id bigint, PRIMARY KEY (customer_id, later_id, staff_id),
  FOREIGN KEY (customer_id, later_id) REFERENCES crm.later ON UPDATE CASCADE);
CREATE TABLE crm.later_badge (badge text, customer_id bigint REFERENCES crm.customer, PRIMARY KEY (badge, customer_id));
RESET ROLE;
INSERT INTO crm.later (customer_id, id, said) VALUES (14, 1, 'fourteen'), (15, 1, 'fifteen'), (15, 5, 'five');
INSERT INTO crm.later_share (customer_id, later_id, staff_id) VALUES (15, 1, 1), (14, 1, 1), (15, 5, 2);
INSERT INTO crm.later_badge (badge, customer_id) VALUES ('a', 14), ('a', 15), ('b', 15);
SELECT crm.merge(14, 15, 'x') AS id \gset
SELECT results_eq('SELECT l.said, s.staff_id, l.id IN (1, 5) FROM crm.later l JOIN crm.later_share s ON s.customer_id = l.customer_id AND s.later_id = l.id WHERE l.customer_id = 14 ORDER BY 1',
  $$VALUES ('fifteen', 1::bigint, false), ('five', 2, true), ('fourteen', 1, true)$$, 'tables that came later are moved as well, numbers and followers and all');
SELECT results_eq('SELECT badge, customer_id FROM crm.later_badge ORDER BY 1', $$VALUES ('a', 14::bigint), ('b', 14)$$, 'and unique keys are kept');
SELECT is(crm.unmerge(:id, 'x'), 15::bigint, 'and back');
SELECT results_eq('SELECT l.customer_id, l.id, l.said, s.staff_id FROM crm.later l JOIN crm.later_share s ON s.customer_id = l.customer_id AND s.later_id = l.id ORDER BY 1, 2',
  $$VALUES (14::bigint, 1::bigint, 'fourteen', 1::bigint), (15, 1, 'fifteen', 1), (15, 5, 'five', 2)$$, 'as it was');
SELECT results_eq('SELECT badge, customer_id FROM crm.later_badge ORDER BY 1, 2', $$VALUES ('a', 14::bigint), ('a', 15), ('b', 15)$$, 'in each');
DROP TABLE crm.later_badge, crm.later_share, crm.later;
COMMIT;

-- posting put off ------------------------------------------------------------------------------

SET crm.posting = 'deferred';
SELECT crm.merge(1, 2, 'x') AS id \gset
RESET crm.posting;
SELECT isnt_empty('SELECT FROM crm.pending', 'with posting deferred it waits');
CALL crm.refresh(crm.today());
SELECT is_empty('SELECT * FROM crm.check()', 'and is posted by a refresh');
SELECT is(crm.unmerge(:id, 'x'), 2::bigint, 'undone at once');
SELECT is_empty('SELECT * FROM crm.check()', 'all checks hold');
-- while a rebuild is under way: what changes is made anew in it
INSERT INTO crm.generation (slot, state, step, settled, posted_to, first_day) SELECT 1 - g.slot, 'building', 'standings', g.settled, g.posted_to, g.first_day FROM crm.generation g WHERE g.state = 'current';
SELECT crm.merge(1, 2, 'x') AS id \gset
SELECT results_eq('SELECT DISTINCT customer_id FROM crm.replay ORDER BY 1', 'VALUES (1::bigint), (2), (3)', 'a rebuild under way hears of all whom a merge concerns');
DELETE FROM crm.replay;
DELETE FROM crm.generation WHERE state = 'building';
SELECT is(crm.unmerge(:id, 'x'), 2::bigint, 'undone');

-- the queue ------------------------------------------------------------------------------------

UPDATE crm.customer SET resident_id = CASE id WHEN 20 THEN '11010519491231002X' ELSE '440524188001010014' END::crm.resident_id WHERE id IN (20, 21);
UPDATE crm.customer SET birth_date = date '1970-01-01' + (id % 2)::integer WHERE id IN (22, 23);
INSERT INTO crm.relation (customer_id, kind, other_id) VALUES (24, 'spouse', 25), (32, 'parent', 33), (33, 'parent', 34);
INSERT INTO crm.blacklist (customer_id, reason, from_date) VALUES (27, 'fraud', '2024-01-01');
SELECT crm.claim(29, 1), crm.claim(30, 1), crm.claim(31, 2), crm.claim(36, 3) \gset held_
INSERT INTO crm.policy (customer_id, id, product_id, channel_id, issued_on, premium) VALUES (39, 390, 1, 1, '2024-03-01', 1000);
INSERT INTO crm.duplicate_candidate (customer_id, other_id, score, reasons) SELECT i, i + 1, 0.99, '{same name}' FROM generate_series(20, 30, 2) i;
INSERT INTO crm.duplicate_candidate (customer_id, other_id, score, reasons, state, decided_at, decided_by) VALUES
  (32, 34, 0.995, '{same name}', 'open', NULL, NULL), (35, 36, 1, '{same phone,same name}', 'open', NULL, NULL), (35, 37, 0.985, '{same phone}', 'open', NULL, NULL),
  (38, 39, 0.97, '{same phone}', 'open', NULL, NULL), (3, 4, 1, '{same name}', 'rejected', now(), 'clerk');
SELECT is((pg_temp.told('SELECT crm.merge(20, 21, ''x'')')).message, 'customers "20" and "21" cannot be merged: resident_id', 'two valid numbers are two persons');
SELECT results_eq($$SELECT code, message, hint LIKE '%forced%' FROM pg_temp.told('SELECT crm.accept_duplicate(4, 3)')$$, $$VALUES ('23514', 'customers "3" and "4" cannot be merged: rejected', true)$$, 'who was told apart stays so');
CALL crm.merge_duplicates(0.98, 2) \gset run_
SELECT results_eq('SELECT kept_id, dropped_id, reason, automatic FROM crm.merge_record WHERE automatic ORDER BY id', $$VALUES (36::bigint, 35::bigint, 'same phone, same name', true), (29, 28, 'same name', true), (36, 37, 'same phone', true)$$,
  'the surest first, the one who is held is kept, and pairs follow');
SELECT is(ARRAY[:run_merged, :run_skipped], ARRAY[3, 6], 'they are counted');
SELECT results_eq('SELECT customer_id, other_id, obstacle FROM crm.duplicate_candidate WHERE obstacle IS NOT NULL ORDER BY 1', $$VALUES
  (20::bigint, 21::bigint, 'customers "20" and "21" cannot be merged: resident_id. Customers 20 and 21 have different resident numbers, both valid.'),
  (22, 23, 'customers "22" and "23" cannot be merged: birth_date. Customer 22 was born on 1970-01-01, customer 23 on 1970-01-02.'),
  (24, 25, 'customers "24" and "25" cannot be merged: relation. Customer 24 is spouse of customer 25.'),
  (26, 27, 'customers "26" and "27" cannot be merged: blacklist. Customer 27 is on the blacklist.'),
  (30, 31, 'customers "30" and "31" cannot be merged: holding. Customer 30 is held by staff member 1, customer 31 by staff member 2.'),
  (32, 34, 'customer "33" cannot be parent of "32". "32" is parent of "33" already, directly or through others.')$$, 'what is left has its reason beside it');
SELECT results_eq('SELECT crm.customer_of(37), crm.customer_of(35)', 'VALUES (36::bigint, 36::bigint)', 'three who are one');
SELECT is((SELECT count(*) FROM crm.progress p WHERE p.task = 'merge duplicates' AND p.step = 'done' AND p.done = 9), 1::bigint, 'progress is told');
CALL crm.merge_duplicates(0.5, NULL, 0) \gset run_
SELECT is(ARRAY[:run_merged, :run_skipped], ARRAY[0, 0], 'none at most');
SELECT crm.accept_duplicate(39, 38) AS fourth, crm.accept_duplicate(20, 21, 21, 'a typing error in the number', true) AS fifth \gset
SELECT is((SELECT m.kept_id FROM crm.merge_record m WHERE m.id = :fourth), 39::bigint, 'somebody accepts a pair: the one with more policies is kept');
SELECT is((SELECT m.kept_id FROM crm.merge_record m WHERE m.id = :fifth), 21::bigint, 'or the other, in spite of the numbers');
SELECT is((SELECT c.resident_id::text FROM crm.customer c WHERE c.id = 21), '440524188001010014', 'whose number stays');
SELECT is_empty('SELECT * FROM crm.check()', 'all checks hold');

-- views and duties --------------------------------------------------------------------------------

SELECT results_eq('SELECT kept_id, dropped_id, is_undone, is_automatic, reason, reasons, rows_moved > 0 FROM crm_bi.customer_merge WHERE merge_id = 1', $$VALUES (1::bigint, 2::bigint, true, false, 'the same person', 'same name', true)$$, 'merges in crm_bi');
SELECT results_eq('SELECT candidate_key, score, reasons, state FROM crm_bi.duplicate_candidate WHERE customer_id = 22', $$VALUES ('22/23', 0.99, 'same name', 'open')$$, 'the queue in crm_bi');
SELECT is_empty($$SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
                  WHERE c.oid IN ('crm_bi.customer_merge'::regclass, 'crm_bi.duplicate_candidate'::regclass) AND col_description(c.oid, a.attnum) !~ '[一-龥]'$$, 'every column is told in Chinese, too');
BEGIN;
CREATE ROLE crm_test_manager; CREATE ROLE crm_test_sales; CREATE ROLE crm_test_analyst;
CALL crm.grant_duty('manager', 'crm_test_manager');
CALL crm.grant_duty('sales', 'crm_test_sales');
CALL crm.grant_duty('analyst', 'crm_test_analyst');
SET LOCAL ROLE crm_test_manager;
SELECT isnt(crm.merge(16, 17, 'x'), NULL, 'a manager merges');
SELECT is(crm.unmerge((SELECT max(m.id) FROM crm.merge_record m), 'x'), 17::bigint, 'and parts');
SELECT is((pg_temp.told('UPDATE crm.merge_record SET reason = ''y''')).code, '42501', 'but writes no record by hand');
SET LOCAL ROLE crm_test_sales;
SELECT is((pg_temp.told('SELECT crm.merge(16, 17, ''x'')')).code, '42501', 'sales does not merge');
SELECT is((pg_temp.told('SELECT crm.unmerge(1, ''x'')')).code, '42501', 'nor part');
SELECT is(crm.customer_of(28), 29::bigint, 'but finds whom an old key names');
SET LOCAL ROLE crm_test_analyst;
SELECT ok((SELECT count(*) FROM crm_bi.customer_merge) > 5, 'an analyst sees merges');
SELECT is((pg_temp.told('SELECT * FROM crm.merge_row')).code, '42501', 'but not what was in the rows');
RESET ROLE;
COMMIT;
DROP OWNED BY crm_test_manager, crm_test_sales, crm_test_analyst;
DROP ROLE crm_test_manager, crm_test_sales, crm_test_analyst;

SELECT * FROM finish();
