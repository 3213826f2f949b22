-- Keys of other systems and benefits of customers who are merged and parted: what keys mean, what imports by them do, when that is told; uses add up.
\set ON_ERROR_STOP on
SET client_min_messages = warning;
SELECT no_plan();

\ir include/helpers.sql
INSERT INTO crm.organisation (id, code, name) VALUES (1, 'c', 'Company');
INSERT INTO crm.staff (id, code, name, org_id, channel_id, joined_on) VALUES (1, 's1', 'Staff 1', 1, 1, '2020-01-01');
INSERT INTO crm.customer (id, kind, name, org_id, source_channel_id, known_from) SELECT i, 'person', 'Person ' || i, 1, 1, '2024-01-01' FROM generate_series(1, 6) i;
INSERT INTO crm.customer_key (source_system, source_key, customer_id) SELECT 'core', 'k' || c.id, c.id FROM crm.customer c;
INSERT INTO crm.benefit_rule (benefit, tier, quantity) VALUES ('check_up', 'none', 1);
CALL crm.rebuild(crm.today());

-- what a key means: the two who are related, or who is on the blacklist, and the remark there
CREATE FUNCTION pg_temp.meaning() RETURNS TABLE (key text, customer_id bigint, other_id bigint, said text) LANGUAGE sql AS $$
  SELECT k.source_key, r.customer_id, r.other_id, r.note FROM crm.relation_key k JOIN crm.relation r ON r.customer_id = k.customer_id AND r.id = k.relation_id
  UNION ALL
  SELECT k.source_key, b.customer_id, NULL, b.reason FROM crm.blacklist_key k JOIN crm.blacklist b ON b.customer_id = k.customer_id AND b.id = k.blacklist_id
$$;
INSERT INTO crm.import_relation (source_key, customer_key, kind, other_key, note) VALUES
  ('f13', 'k1', 'friend', 'k3', 'one'), ('f23', 'k2', 'friend', 'k3', 'two'), ('f12', 'k1', 'friend', 'k2', 'each other'),
  ('p41', 'k4', 'parent', 'k1', 'one'), ('p42', 'k4', 'parent', 'k2', 'two'), ('f25', 'k2', 'friend', 'k5', 'alone');
INSERT INTO crm.import_blacklist (source_key, customer_key, category, reason, from_date) VALUES ('b1', 'k1', 'fraud', 'one', '2024-02-01'), ('b2', 'k2', 'fraud', 'two', '2024-03-01');
CALL crm.import('core') \gset import_
SELECT is((SELECT count(*) FROM pg_temp.meaning()), 8::bigint, 'keys of relations and of the blacklist');
CREATE TEMP TABLE meant AS SELECT * FROM pg_temp.meaning();
SELECT crm.use_benefit(1, 'check_up', 1) AS first, crm.use_benefit(2, 'check_up', 1) AS second \gset use_
SELECT clock_timestamp() AS before_merge \gset

-- merged ----------------------------------------------------------------------------

SELECT crm.merge(1, 2, 'one') AS id \gset
SELECT results_eq('SELECT * FROM pg_temp.meaning() ORDER BY 1', $$VALUES ('b1', 1::bigint, NULL::bigint, 'one'), ('b2', 1, NULL, 'one'), ('f13', 1, 3, 'one'), ('f23', 1, 3, 'one'),
  ('f25', 1, 5, 'alone'), ('p41', 4, 1, 'one'), ('p42', 4, 1, 'one')$$, 'a key whose row gave way means the one that stays');
SELECT results_eq(format('SELECT kind, source_key, customer_id FROM crm.export_keys(''core'', %L) ORDER BY 1, 2', :'before_merge'),
  $$VALUES ('blacklist', 'b2', 1::bigint), ('customer', 'k2', 1), ('relation', 'f23', 1), ('relation', 'f25', 1), ('relation', 'p42', 4)$$, 'what means something else is told');
INSERT INTO crm.import_relation (source_key, customer_key, kind, other_key, note) VALUES ('f23', 'k2', 'friend', 'k3', 'new'), ('p42', 'k4', 'parent', 'k2', 'new'), ('f12', 'k1', 'friend', 'k2', 'each other');
INSERT INTO crm.import_blacklist (source_key, customer_key, category, reason, from_date) VALUES ('b2', 'k2', 'fraud', 'new', '2024-02-01');
CALL crm.import('core') \gset import_
SELECT results_eq(format('SELECT b.accepted, b.rejected, r.message, r.value FROM crm.import_batch b JOIN crm.import_reason r ON r.batch_id = b.id WHERE b.id = %s', :import_batch_id),
  $$VALUES (3::bigint, 1::bigint, 'nobody is related to the same customer', 'k2')$$, 'an import by such a key is taken, but nobody is related to themselves');
SELECT is((SELECT ARRAY[(SELECT count(*) FROM crm.relation), (SELECT count(*) FROM crm.blacklist)]), '{3,1}'::bigint[], 'no row is added');
SELECT results_eq('SELECT * FROM pg_temp.meaning() ORDER BY 1', $$VALUES ('b1', 1::bigint, NULL::bigint, 'new'), ('b2', 1, NULL, 'new'), ('f13', 1, 3, 'new'), ('f23', 1, 3, 'new'),
  ('f25', 1, 5, 'alone'), ('p41', 4, 1, 'new'), ('p42', 4, 1, 'new')$$, 'the row that stays is changed');
SELECT results_eq('SELECT used, remaining FROM crm.entitlements(1, crm.today())', 'VALUES (2::bigint, -1::bigint)', 'uses of a benefit add up, beyond what there is a right to');
SELECT results_eq('SELECT customer_id, benefit, changes FROM crm.benefit_account', $$VALUES (1::bigint, 'check_up', 2::bigint)$$, 'in one account');
SELECT is(pg_temp.code_of('SELECT crm.use_benefit(1, ''check_up'', 1)'), '53400', 'there is no more');
SELECT is(pg_temp.code_of('SELECT crm.use_benefit(2, ''check_up'', 1)'), '23503', 'nor anything for who is gone');
SELECT crm.reverse_benefit(1, :use_second, 'not given');
SELECT clock_timestamp() AS before_parting \gset

-- parted ----------------------------------------------------------------------------

SELECT is_empty(format('SELECT * FROM crm.unmerge_blockers(%s)', :id), 'nothing of that depends on the merge');
SELECT is(crm.unmerge(:id, 'two'), 2::bigint, 'parted');
SELECT results_eq('SELECT m.key, m.customer_id, m.other_id FROM pg_temp.meaning() m ORDER BY 1', 'SELECT m.key, m.customer_id, m.other_id FROM meant m ORDER BY 1', 'every key means what it meant');
SELECT results_eq('SELECT m.key, m.said FROM pg_temp.meaning() m WHERE m.said <> ''new'' ORDER BY 1', $$VALUES ('b2', 'two'), ('f12', 'each other'), ('f23', 'two'), ('f25', 'alone'), ('p42', 'two')$$, 'rows that had given way are as they were');
SELECT results_eq(format('SELECT kind, source_key, customer_id FROM crm.export_keys(''core'', %L) ORDER BY 1, 2', :'before_parting'),
  $$VALUES ('blacklist', 'b2', 2::bigint), ('customer', 'k2', 2), ('relation', 'f12', 1), ('relation', 'f23', 2), ('relation', 'f25', 2), ('relation', 'p42', 4)$$, 'which is told again');
SELECT results_eq('SELECT customer_id, changes FROM crm.benefit_account ORDER BY 1', 'VALUES (1::bigint, 1::bigint), (2, 2)', 'accounts are parted, with the reversal since');
SELECT results_eq('SELECT c, e.used FROM generate_series(1, 2) c, crm.entitlements(c, crm.today()) e ORDER BY 1', 'VALUES (1, 1::bigint), (2, 0)', 'as the uses are');
SELECT isnt(crm.use_benefit(2, 'check_up', 1), NULL, 'what was reversed is there again');
SELECT is_empty('SELECT * FROM crm.check()', 'all checks hold');

-- what came since --------------------------------------------------------------------

SELECT crm.merge(1, 2, 'one') AS id \gset
SELECT crm.reverse_benefit(1, :use_first, 'not given');
UPDATE crm.benefit_rule SET quantity = 5;
SELECT crm.use_benefit(1, 'check_up', 1) AS third \gset use_
INSERT INTO crm.import_relation (source_key, customer_key, kind, other_key) VALUES ('f12', 'k1', 'friend', 'k6');
CALL crm.import('core') \gset import_
DELETE FROM crm.relation r WHERE r.kind = 'parent';
SELECT results_eq(format('SELECT relation, why, forcible FROM crm.unmerge_blockers(%s) ORDER BY 1', :id), $$VALUES
  ('crm.benefit_use', 'was added since and may be of either customer', true), ('crm.relation', 'was added since and may be of either customer', true),
  ('crm.relation_key', 'was moved or made by the merge and is gone', true)$$, 'a use, a key that means something new, and one that means nothing');
SELECT is(crm.unmerge(:id, 'two', forced => true), 2::bigint, 'forced');
SELECT results_eq('SELECT m.key, m.customer_id, m.other_id FROM pg_temp.meaning() m WHERE m.key ~ ''^[fp]'' ORDER BY 1',
  $$VALUES ('f12', 1::bigint, 6::bigint), ('f13', 1, 3), ('f23', 2, 3), ('f25', 2, 5)$$, 'a key keeps what it has come to mean, and stays away if it was deleted');
SELECT results_eq('SELECT customer_id, changes FROM crm.benefit_account ORDER BY 1', 'VALUES (1::bigint, 3::bigint), (2, 3)', 'the new use stays with the one kept');
SELECT is_empty('SELECT * FROM crm.check()', 'all checks hold');
SELECT * FROM finish();
