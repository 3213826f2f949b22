-- Posting in the corners: what a session may do to the book, and figures that equal the oracle's all the same.
\set ON_ERROR_STOP on
\ir ../oracle/oracle.sql
\ir ../oracle/compare.sql
\ir ../oracle/random_book.sql
\ir ../oracle/random_service.sql
SET client_min_messages = warning;
SELECT no_plan();
\ir include/helpers.sql

CREATE FUNCTION pg_temp.insured() RETURNS numeric LANGUAGE sql SET crm.as_of = '2024-05-17' AS $$
  SELECT coalesce(sum(k.numerator), 0) FROM crm_bi.kpi k WHERE k.code = 'insured' AND k.grain = 'month' AND k.period_start = '2024-05-01' AND k.org_id = 102
$$;

CALL oracle.random_book(1, 15, '2022-01-01', '2024-06-30');
CALL oracle.random_service(1, '2022-01-01', '2024-06-30');
CALL crm.rebuild('2024-05-17');
SELECT is_empty($$SELECT * FROM oracle.compare('2024-05-17')$$, 'rebuilt');

-- posting within the transaction ------------------------------------------------

SELECT pg_temp.insured() AS before \gset
BEGIN;
INSERT INTO crm.customer (id, kind, name, org_id, source_channel_id, known_from) VALUES (1, 'person', 'One', 102, 1, '2024-01-01'), (2, 'person', 'Two', 102, 1, '2024-01-01');
INSERT INTO crm.policy (customer_id, id, product_id, channel_id, issued_on, premium) VALUES (1, 1, 1, 1, '2024-05-03', 1000);
SELECT is(pg_temp.insured(), :before::numeric, 'figures move at commit');
SAVEPOINT s;
SELECT is(crm.post(), 3::bigint, 'two customers and a policy are posted on demand');
SELECT is(pg_temp.insured(), :before::numeric + 1, 'and then seen within the transaction');
ROLLBACK TO s;
SELECT is(pg_temp.insured(), :before::numeric, 'a rolled back savepoint takes the posting back');
COMMIT;
SELECT is(pg_temp.insured(), :before::numeric + 1, 'but not the change, which is posted at commit');
SELECT is(crm.post(), 0::bigint, 'nothing is left to post');

-- whoever touches the book while it is posted
CREATE FUNCTION public.echo() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE crm.customer SET known_from = '2023-03-03' WHERE id = 2 AND known_from <> '2023-03-03';
  RETURN NULL;
END
$$;
CREATE TRIGGER echo AFTER UPDATE ON crm.standing FOR EACH ROW WHEN (NEW.customer_id = 1) EXECUTE FUNCTION public.echo();
CREATE CONSTRAINT TRIGGER echo_late AFTER UPDATE ON crm.standing DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.customer_id = 1) EXECUTE FUNCTION public.echo();
UPDATE crm.policy SET premium = 2000 WHERE id = 1;
DROP TRIGGER echo ON crm.standing;
UPDATE crm.customer SET known_from = '2024-01-01' WHERE id = 2;
UPDATE crm.policy SET premium = 3000 WHERE id = 1;
DROP TRIGGER echo_late ON crm.standing;

-- names and rights ------------------------------------------------------------------

CREATE TEMP TABLE customer (id bigint);
CREATE TEMP TABLE kpi_entry (n bigint);
CREATE TEMP TABLE generation (id bigint);
CREATE ROLE crm_test_clerk;
GRANT USAGE ON SCHEMA crm TO crm_test_clerk;
GRANT INSERT ON crm.policy, crm.customer TO crm_test_clerk;
CREATE SCHEMA trap AUTHORIZATION crm_test_clerk;
SET ROLE crm_test_clerk;
CREATE TABLE trap.who (name text);
GRANT ALL ON TABLE trap.who TO PUBLIC;
GRANT USAGE ON SCHEMA trap TO PUBLIC;
CREATE FUNCTION trap.unnest(bigint[]) RETURNS SETOF bigint LANGUAGE plpgsql AS
  'BEGIN INSERT INTO trap.who VALUES (current_user); RETURN QUERY SELECT pg_catalog.unnest($1); END';
CREATE FUNCTION trap._post(bigint[], bigint[]) RETURNS bigint LANGUAGE plpgsql AS 'BEGIN INSERT INTO trap.who VALUES (current_user); RETURN 1; END';
CREATE FUNCTION trap.equal(bigint, bigint) RETURNS boolean LANGUAGE plpgsql AS 'BEGIN INSERT INTO trap.who VALUES (current_user); RETURN $1 OPERATOR(pg_catalog.=) $2; END';
CREATE OPERATOR trap.= (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = trap.equal);
SET search_path = trap, pg_temp, pg_catalog, public;
INSERT INTO crm.policy (customer_id, id, product_id, channel_id, issued_on, premium) VALUES (2, 2, 1, 1, '2024-05-04', 1000);
SET crm.posting = deferred;
INSERT INTO crm.policy (customer_id, id, product_id, channel_id, issued_on, premium) VALUES (2, 3, 1, 2, '2024-05-05', 9000);
RESET crm.posting;
RESET search_path;
RESET ROLE;
SELECT is_empty('SELECT name FROM trap.who WHERE name <> ''crm_test_clerk''', 'nobody''s code runs as the owner');
SELECT is((SELECT count(*) FROM crm.pending), 1::bigint, 'deferred posting queues the policy');
CALL crm.refresh('2024-05-17');
DROP SCHEMA trap CASCADE;
DROP OWNED BY crm_test_clerk;
DROP ROLE crm_test_clerk;
DROP TABLE pg_temp.customer, pg_temp.kpi_entry, pg_temp.generation;
SELECT is_empty($$SELECT * FROM oracle.compare('2024-05-17')$$, 'posted by a clerk who may only insert, behind names like ours');

-- a queue of runs: 1,205 policies, then a gap, then two more; a refresh takes whole runs
BEGIN;
SET LOCAL crm.posting = deferred;
INSERT INTO crm.policy (customer_id, id, product_id, channel_id, issued_on, premium)
SELECT 2, i, 1, 1, '2024-05-06', 10 FROM generate_series(1000, 2206) i WHERE i <> 2205;
COMMIT;
SELECT results_eq('SELECT policy_id, policies FROM crm.pending ORDER BY 1', 'VALUES (1000::bigint, 1000), (2000, 205), (2206, 1)', 'keys in a row are queued together');
SELECT is((SELECT n FROM crm_bi.freshness WHERE item LIKE 'queued%'), 1206::bigint, 'the queue is told in policies');
SELECT is(crm._drain_pending(1001), 1205::bigint, 'as many runs as begin below the number asked for');
SELECT is((SELECT array_agg(policy_id) FROM crm.pending), '{2206}', 'the last one stays');
CALL crm.refresh('2024-05-17');
SELECT is_empty($$SELECT * FROM oracle.compare('2024-05-17')$$, 'all were posted');
SELECT is((SELECT count(*) FROM crm.cover WHERE policy_id >= 1000 AND policy_id <= 2206), 1206::bigint, 'each once');
-- in no order and twice: no run
BEGIN;
SELECT results_eq('SELECT policy_id FROM crm._cover_of(ARRAY[1002, 1001, 1001, 1003], 12, 24, ''contractual_premium'') ORDER BY 1', 'VALUES (1001::bigint), (1002), (1003)', 'ids in any order');
SELECT results_eq('SELECT policy_id FROM crm._cover_of(ARRAY[2204, 2205, 2206], 12, 24, ''contractual_premium'')', 'VALUES (2204::bigint), (2206)', 'of a run, those that are there');
ROLLBACK;
DELETE FROM crm.policy WHERE id >= 1000 AND id <= 2206;

CREATE ROLE crm_test_analyst;
GRANT USAGE ON SCHEMA crm_bi TO crm_test_analyst;
GRANT SELECT ON ALL TABLES IN SCHEMA crm_bi TO crm_test_analyst;
CREATE TEMP TABLE seen AS SELECT ''::text AS name, 0::bigint AS n WHERE false;
GRANT INSERT ON seen TO crm_test_analyst;
SET crm.as_of = '2024-05-17';
SET ROLE crm_test_analyst;
INSERT INTO pg_temp.seen SELECT 'kpi', count(*) FROM crm_bi.kpi UNION ALL SELECT 'kpi_own', count(*) FROM crm_bi.kpi_own
UNION ALL SELECT 'standing', count(*) FROM crm_bi.standing UNION ALL SELECT 'customer', count(*) FROM crm_bi.customer;
RESET ROLE;
RESET crm.as_of;
SELECT is((SELECT count(*) FROM seen WHERE n > 0), 4::bigint, 'an analyst needs no more than the views');
DROP OWNED BY crm_test_analyst;
DROP ROLE crm_test_analyst;

-- the shape of the book ------------------------------------------------------------

UPDATE crm.policy SET customer_id = 1 WHERE id = 2;
UPDATE crm.policy SET id = 4, customer_id = 2 WHERE id = 3;
INSERT INTO crm.customer (id, kind, name, org_id, source_channel_id, known_from) VALUES (3, 'company', 'Three', 114, 2, '2199-12-31'), (4, 'person', 'Four', 114, 2, '2020-02-29');
UPDATE crm.customer SET id = 5 WHERE id = 4;
INSERT INTO crm.policy (customer_id, id, product_id, channel_id, issued_on, matures_on, premium) VALUES (5, 6, 1, 3, '2024-06-20', '2199-12-31', 5), (5, 7, 2, 3, '2199-12-31', NULL, 5);
INSERT INTO crm.organisation (id, parent_id, code, name) VALUES (201, 114, 'leaf', 'Under a leaf with figures');
UPDATE crm.organisation SET parent_id = 113 WHERE id = 103;
UPDATE crm.organisation SET parent_id = NULL WHERE id = 114;
UPDATE crm.product SET guaranteed_renewable = NOT guaranteed_renewable;
DELETE FROM crm.policy WHERE customer_id = (SELECT min(p.customer_id) FROM crm.policy p WHERE p.customer_id > 1000);
DELETE FROM crm.product_holding p WHERE p.customer_id % 2 = 0;
DELETE FROM crm.holding h WHERE h.customer_id % 2 = 0;
DELETE FROM crm.customer c WHERE c.id % 2 = 0 AND NOT EXISTS (SELECT FROM crm.policy p WHERE p.customer_id = c.id) AND NOT EXISTS (SELECT FROM crm.policy_insured n WHERE n.insured_id = c.id) AND c.id > 1000;
SELECT is_empty($$SELECT * FROM oracle.compare('2024-05-17')$$, 'keys, holders, units, products and customers changed');

-- who serves, how customers are reached, what else they have
UPDATE crm.contact_point SET wrong = NOT wrong WHERE customer_id % 3 = 0;
UPDATE crm.contact_point SET valid_to = '2023-05-05' WHERE customer_id % 3 = 1 AND coalesce(valid_from < '2023-05-05', true);
DELETE FROM crm.contact_point WHERE id = 2;
INSERT INTO crm.contact_point (customer_id, id, kind, value) SELECT c.id, 9, 'address', 'Street 9' FROM crm.customer c WHERE c.id % 5 = 0;
SELECT is_empty($$SELECT * FROM oracle.compare('2024-05-17')$$, 'contacts are posted');
UPDATE crm.product_holding SET closed_on = CASE WHEN closed_on IS NULL THEN greatest('2024-02-29', opened_on) END WHERE customer_id % 2 = 1;
INSERT INTO crm.product_holding (customer_id, id, category_id, opened_on) SELECT c.id, 9, (SELECT min(p.id) FROM crm.product_category p), '2024-04-30' FROM crm.customer c WHERE c.id % 5 = 1;
DELETE FROM crm.product_holding WHERE id = 2;
SELECT is_empty($$SELECT * FROM oracle.compare('2024-05-17')$$, 'products are posted');
BEGIN;
ALTER TABLE crm.staff DISABLE TRIGGER left_holds_nobody;
UPDATE crm.staff SET left_on = CASE WHEN left_on IS NULL THEN date '2023-11-11' + id::integer END;
SELECT crm.post() \gset
SELECT is_empty($$SELECT * FROM oracle.compare('2024-05-17')$$, 'so are staff who leave, and who come back');
ROLLBACK;
UPDATE crm.policy SET servicer_id = CASE WHEN servicer_id IS NULL THEN 1 + id % 12 WHEN id % 2 = 0 THEN 1 + (servicer_id + 1) % 12 END;
DELETE FROM crm.holding h WHERE h.customer_id % 3 = 0;
UPDATE crm.holding SET end_cause = CASE end_cause WHEN 'departure' THEN 'release' ELSE 'departure' END WHERE held_to IS NOT NULL;
SELECT is_empty($$SELECT * FROM oracle.compare('2024-05-17')$$, 'and successors, and holders');
DELETE FROM crm.holding WHERE held_to IS NULL;
TRUNCATE crm.product_holding CASCADE;
SELECT is_empty($$SELECT * FROM oracle.compare('2024-05-17')$$, 'a truncated table of products touches who had some');
INSERT INTO crm.policy (customer_id, id, product_id, channel_id, issued_on, matures_on, premium)
SELECT 1, 100000 + i, 1 + i % 3, 1 + i % 4, date '2022-01-01' + i % 900, date '2022-01-01' + i % 900 + i % 50, i % 977 FROM generate_series(1, 20000) i;
INSERT INTO crm.policy_event (customer_id, policy_id, kind, on_date) VALUES (1, 100777, 'lapse', '2023-11-11');
CALL crm.refresh('2024-06-30');
SELECT is_empty($$SELECT * FROM crm.check()$$, 'a customer with 20,000 policies');
DELETE FROM crm.policy WHERE id > 100000;
INSERT INTO crm.setting (name, value) VALUES ('reinstatement_months', '6'), ('long_term_months', '5'), ('tier_scale', 'small, big > 1000'), ('activity_scale', 'fresh, stale 30');
CALL crm.rebuild('2024-06-30');
SELECT is_empty($$SELECT * FROM oracle.compare('2024-06-30')$$, 'other settings hold after a rebuild');
SELECT is((SELECT string_agg(t.name, ' ' ORDER BY t.name) FROM unnest('{customer,customer_organisation,policy,policy_insured,policy_event}'::text[]) AS t (name)
           WHERE pg_temp.code_of(format('TRUNCATE crm.%I CASCADE', t.name)) <> '0A000'), NULL, 'no table of the book can be truncated');
SELECT is(pg_temp.code_of('TRUNCATE crm.organisation CASCADE'), '0A000', 'nor by way of another');

-- scales of a subtree, from a day on
INSERT INTO crm.setting (name, org_id, valid_from, value) VALUES ('tier_scale', 102, '2024-06-01', 'small, large > 1, huge > 1000000');
CALL crm.rebuild('2024-06-30');
SELECT results_eq($$SELECT s.tier FROM crm_bi.standing s WHERE s.customer_id = 1 AND s.valid_from IN ('2024-05-04', '2024-06-01') ORDER BY s.valid_from$$,
  ARRAY['big', 'large'], 'the scale of the subtree holds from its day on');

-- which classes are VIP and dormant: by the scale of the unit on the day, as fixed by the generation
INSERT INTO crm.setting (name, value) VALUES ('vip_from', 'big'), ('near_vip_percent', '50'), ('dormant_from', 'stale');
SELECT is((SELECT count(*) FROM crm._stale_scale s WHERE s.ord = 0), 2::bigint, 'other classes for VIP and dormant customers wait for a rebuild');
CALL crm.rebuild('2024-06-30');
SELECT is_empty($$SELECT * FROM crm._stale_scale$$, 'and then hold');
SET crm.as_of = '2024-06-30';
SELECT is_empty($$SELECT o.org_id FROM crm_bi.kpi_own o JOIN crm.organisation_tree t ON t.descendant_id = o.org_id AND t.ancestor_id = 102
  WHERE o.code IN ('vip_customers', 'near_vip') AND o.grain = 'month' AND o.period_start = '2024-06-01'$$, 'where the scale has no such tier nobody is VIP');
SELECT results_eq(
  $$SELECT k.code, sum(k.numerator) FROM crm_bi.kpi_own k WHERE k.code IN ('vip_customers', 'near_vip', 'over_10000') AND k.grain = 'month' AND k.period_start = '2024-06-01' GROUP BY 1 ORDER BY 1$$,
  $$SELECT v.code, count(*)::numeric FROM crm_bi.customer c
    CROSS JOIN LATERAL (SELECT EXISTS (SELECT FROM crm.organisation_tree t WHERE t.ancestor_id = 102 AND t.descendant_id = c.org_id) AS other) o
    CROSS JOIN LATERAL (VALUES ('vip_customers', c.tier = 'big' AND NOT o.other), ('near_vip', c.tier = 'small' AND c.amount >= 500 AND NOT o.other),
                               ('over_10000', c.coverage = 'insured' AND c.amount > 10000)) AS v (code, counts)
    WHERE v.counts GROUP BY 1 ORDER BY 1$$, 'and elsewhere who is by it');
RESET crm.as_of;
SELECT is(pg_temp.code_of(format('INSERT INTO crm.setting (name, value) VALUES (%L, %L)', s.name, s.value)), s.code, format('%s = %s', s.name, s.value))
FROM (VALUES ('vip_from', 'Big', '22023'), ('vip_from', 'stale', '22023'), ('dormant_from', '', '22023'), ('near_vip_percent', '101', '22003'), ('near_vip_percent', '-1', '22003'),
             ('near_vip_percent', 'ten', '22P02')) AS s (name, value, code);
DELETE FROM crm.setting WHERE name IN ('vip_from', 'near_vip_percent', 'dormant_from');
CALL crm.rebuild('2024-06-30');

-- days and transactions -----------------------------------------------------------------

SELECT is(pg_temp.code_of($$SET crm.as_of = 'yesterday'$$), '22023', 'crm.as_of must be a day');
SELECT is(pg_temp.code_of($$SET LOCAL crm.as_of = '2024-02-30'; SELECT crm.today()$$), '22023', 'a day that there is');
SELECT is(pg_temp.code_of($$SET LOCAL crm.as_of = '2025-06-30'; SELECT count(*) FROM crm_bi.kpi$$), '55000', 'and that is posted already');
SELECT is(pg_temp.code_of('CALL crm.rebuild(''2024-06-30'')'), '2D000', 'a rebuild commits');
BEGIN;
SELECT throws_ok(format('CALL crm.%s(''2024-06-15'')', p), '2D000', 'a procedure that commits as it goes cannot run inside a transaction block', p || ' says so before it works')
FROM unnest('{rebuild,refresh,refresh_due}'::text[]) p;
ROLLBACK;
SET default_transaction_isolation = 'repeatable read';
SELECT is(pg_temp.code_of('CALL crm.rebuild(''2024-06-30'')'), '25001', 'and would go on by older snapshots where that is the default');
SELECT is(pg_temp.code_of('CALL crm.refresh(''2024-06-30'')'), '25001', 'so would a refresh');
RESET default_transaction_isolation;
SELECT is(pg_temp.code_of('CALL crm.rebuild(''2024-06-30'', batch => 0)'), '22023', 'in batches of customers');
SELECT is(pg_temp.code_of(format('CALL crm.%s(%L, batch => NULL)', p.name, d.day)), '22008', format('%s on %s', p.name, d.day))
FROM (VALUES ('rebuild'), ('refresh')) AS p (name), (VALUES ('infinity'), ('-infinity'), ('1900-01-01'), ('2199-12-31')) AS d (day);
BEGIN;
SET LOCAL search_path = public, crm;
SET LOCAL lock_timeout = '7s';
UPDATE crm.policy SET premium = 7 WHERE id = 1;
CALL crm.rebuild('2024-06-15', batch => NULL);
CALL crm.refresh('2024-06-30', batch => NULL);
SELECT is(current_setting('search_path') || ' ' || current_setting('lock_timeout'), 'public, crm 7s', 'a rebuild within a transaction leaves its settings');
COMMIT;
SELECT is_empty($$SELECT * FROM crm.check()$$, 'and all is well after it');
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT is(pg_temp.code_of('CALL crm.rebuild(''2024-06-30'', batch => NULL)'), '25001', 'no rebuild by an older snapshot');
SELECT is(pg_temp.code_of('CALL crm.refresh(''2024-06-30'', batch => NULL)'), '25001', 'no refresh');
SELECT is(pg_temp.code_of('UPDATE crm.product SET guaranteed_renewable = NOT guaranteed_renewable'), '25001', 'no product turns');
ROLLBACK;

-- called by hand ----------------------------------------------------------------------------

SELECT is(pg_temp.code_of(c.statement), c.code, c.statement)
FROM (VALUES
  ('SELECT crm._touch()', '39P01'),
  ('SELECT crm.unnest(''nobody''::crm.timeline)', '22P02'),
  ('SELECT crm.unnest(''person; 2020-01-01 1 1 k 0 0 0''::crm.timeline)', '22P02'),
  ('SELECT crm.unnest(''0/1/2020-01-01/0/p/1=1 0/1/2019-12-31/0/p/1=1''::crm.entries)', '22P02'),
  ('SELECT crm.unnest(''0/1/2020-02-30/0/p/1=1''::crm.entries)', '22P02'),
  ('SELECT crm.unnest(''0/1/2020-01-01/0/p/1=0''::crm.entries)', '22P02'),
  ('SELECT crm.unnest(''5/1/2020-01-01/0/p/1=1''::crm.entries)', '22P02'),
  ('SELECT crm.at(''person; 2020-01-01 1 1 k 0 0 0 -'', ''infinity'')', '00000'),
  ('SELECT crm.at(''person'', ''-infinity'')', '00000'),
  ('SELECT crm._entries_sum(''{}'')', '00000'),
  ('SELECT crm._entries_sum(''{NULL,x}'')', '22P02'),
  ('SELECT crm._run_keys(''{1,2}'', ''{1}'')', '2202E'),
  ('SELECT crm._run_keys(''{1,NULL}'', ''{1,1}'')', '22004'),
  ('SELECT crm._run_keys(''{1,2}'', ''{1,NULL}'')', '22004'),
  ('SELECT crm._run_keys(''{1}'', ''{0}'')', '22023'),
  ('SELECT crm._run_keys(''{1,1}'', ''{-2147483648,5}'')', '22023'),
  ('SELECT crm._run_keys(''{9223372036854775807}'', ''{2}'')', '22003'),
  ('SELECT crm._run_keys(''{9223372036854775807,-9223372036854775808}'', ''{1,1}'')', '00000'),
  ('SELECT crm._run_keys(''{1}'', ''{2147483647}'')', '54000'),
  ('SELECT crm._run_keys(array_fill(1::bigint, ARRAY[100000]), array_fill(2147483647, ARRAY[100000]))', '54000'),
  ('SELECT crm._run_keys(''{}'', ''{}'')', '00000'),
  ('SELECT crm._cells_of(''{1,2,3}'')', '2202E'),
  ('SELECT crm._cells_of(''{}'')', '00000'),
  ('SELECT crm._cells_of(''{{0,0,0,1,0,9223372036854775807},{0,0,0,1,0,1}}'')', '22003'),
  ('SELECT crm._cells_of(''{0,0,40000,1,0,1}'')', '22003'),
  ('SELECT crm._cells_of(''{NULL,0,0,1,0,1}'')', '22004'),
  ('SELECT crm._cells_of(''{-1,0,0,1,0,1}'')', '22003'),
  ('SELECT crm._cells_of(''{9223372036854775807,0,0,1,0,1}'')', '22003'),
  ('SELECT crm._cells_add(''0/0/p/1=9223372036854775807'', ''0/0/p/1=1'')', '22003'),
  ('SELECT crm._cells_add(''0/0/p/1=5'', ''0/0/p/1=-5'')', '00000'),
  ('SELECT crm._cells_less(NULL, ''0/0/p/1=-9223372036854775808'')', '22003'),
  ('SELECT crm._cells_less(''0/0/p/1=-2'', ''0/0/p/1=9223372036854775807'')', '22003'),
  ('SELECT crm._entries_less(''{1,2}'', NULL)', '00000'),
  ('SELECT crm._entries_less(NULL, ''{1,2}'')', '2202E'),
  ('SELECT crm._entries_less(''{0,0,0,1,0,1}'', ''{0,0,0,1,0,NULL}'')', '22004'),
  ('SELECT crm._entries_less(NULL, ''{0,0,0,1,0,-9223372036854775808}'')', '22003'),
  ('SELECT crm._entries_sum(''{"0/1/2020-01-01/0/p/1=9223372036854775807","0/1/2020-01-01/0/p/1=1"}'')', '22003'),
  ('SELECT crm.unnest(''person; 2020-01-01 1 1 kiwh 0 0 0 - 0 0''::crm.timeline)', '22P02'),
  ('SELECT crm.unnest(''person; 2020-01-01 1 1 kiw 0 0 0 - 1 0''::crm.timeline)', '22P02'),
  ('SELECT crm.unnest(''person; 2020-01-01 1 1 kiwhvn 0 0 0 - 1 0''::crm.timeline)', '22P02'),
  ('SELECT crm.unnest(''person; 2020-01-01 1 1 kwv 0 0 0 -''::crm.timeline)', '22P02'),
  ('SELECT crm.unnest(''person; 2020-01-01 1 1 kd 0 0 0 -''::crm.timeline)', '22P02')) AS c (statement, code);

-- keys of runs, in any order and upon one another ---------------------------------------------

SELECT is_empty($$WITH runs AS (
  SELECT s.i, (1000 * random())::bigint - 500 AS first, 1 + (9 * random())::integer AS n FROM generate_series(1, 200) s (i), generate_series(1, 40 - s.i / 5))
  SELECT r.i FROM runs r GROUP BY r.i
  HAVING crm._run_keys(array_agg(r.first), array_agg(r.n)) IS DISTINCT FROM (SELECT array_agg(DISTINCT k ORDER BY k) FROM runs q, generate_series(q.first, q.first + q.n - 1) k WHERE q.i = r.i)
      OR crm._run_keys(array_agg(r.first ORDER BY r.first), array_agg(r.n ORDER BY r.first)) IS DISTINCT FROM crm._run_keys(array_agg(r.first), array_agg(r.n))$$,
  'keys of runs are those of each, once');
SELECT is(crm._run_keys('{7,3,9223372036854775807,-9223372036854775808}', '{2,5,1,1}'), '{-9223372036854775808,3,4,5,6,7,8,9223372036854775807}'::bigint[], 'to both ends of bigint');
SELECT is(crm._run_keys('{}', '{}'), '{}'::bigint[], 'of no runs there are none');

SELECT * FROM finish();
