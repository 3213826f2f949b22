-- Each duty can do its work and nothing else.
BEGIN;
SELECT plan(17);

CREATE ROLE crm_test_analyst; CREATE ROLE crm_test_sales; CREATE ROLE crm_test_manager; CREATE ROLE crm_test_loader; CREATE ROLE crm_test_nobody;
CALL crm.grant_duty('analyst', 'crm_test_analyst');
CALL crm.grant_duty('sales', 'crm_test_sales');
CALL crm.grant_duty('manager', 'crm_test_manager');
CALL crm.grant_duty('loader', 'crm_test_loader');
SELECT throws_ok($$CALL crm.grant_duty('king', 'crm_test_nobody')$$, '22023', NULL, 'an unknown duty is refused');
SELECT throws_ok($$CALL crm.grant_duty(NULL, 'crm_test_nobody')$$, '22023', NULL, 'so is none');
SELECT throws_ok($$CALL crm.grant_duty('sales', 'crm_test_missing')$$, '42704', NULL, 'and a role that does not exist');

SELECT results_eq($$SELECT (r.rolname || ': ' || p.proname) COLLATE "default" FROM pg_proc p, pg_roles r
                     WHERE p.pronamespace = 'crm'::regnamespace AND p.proname LIKE '\_%' AND r.rolname LIKE 'crm\_test\_%'
                       AND has_function_privilege(r.oid, p.oid, 'EXECUTE') AND NOT has_function_privilege('public', p.oid, 'EXECUTE') ORDER BY 1$$,
                  $$VALUES ('crm_test_manager: _allocate'), ('crm_test_manager: _allocation_edges'), ('crm_test_manager: _allocation_state')$$,
                  'of the inner functions only the parts of an allocation are open, to managers');

INSERT INTO crm.organisation (id, parent_id, code, name) VALUES (1, NULL, 'c', 'Company'), (2, 1, 'n', 'North');
INSERT INTO crm.staff (id, code, name, org_id, channel_id, joined_on) VALUES (1, 'a', 'Agent', 2, 1, '2020-01-01');
INSERT INTO crm.customer (id, kind, name, org_id, source_channel_id, known_from) VALUES (1, 'person', 'One', 2, 1, '2024-01-01'), (2, 'person', 'Two', 2, 1, '2024-01-01');
SELECT ok(crm.post() > 0, 'the customers are posted');

SET LOCAL ROLE crm_test_analyst;
SELECT results_eq('SELECT customer_id, coverage FROM crm_bi.customer ORDER BY 1', $$VALUES (1::bigint, 'prospect'), (2, 'prospect')$$, 'an analyst reads the views');
SELECT ok((SELECT count(*) FROM crm_bi.kpi WHERE code = 'coverage') > 0, 'the figures, too');
SELECT throws_ok('SELECT name FROM crm.customer', '42501', NULL, 'but no table');
SELECT throws_ok('SELECT crm.claim(1, 1)', '42501', NULL, 'and claims nobody');
SET LOCAL ROLE crm_test_sales;
SELECT lives_ok('SELECT crm.claim(1, 1)', 'sales claims');
SELECT lives_ok($$SELECT crm.record_contact(1, 1, 'sales', 'reached')$$, 'sales records a contact');
SELECT throws_ok('UPDATE crm.holding SET locked = true', '42501', NULL, 'but writes no holding by hand');
SELECT throws_ok('SELECT * FROM crm.allocate(ARRAY[2::bigint], ARRAY[1::bigint])', '42501', NULL, 'and does not allocate');
SET LOCAL ROLE crm_test_manager;
SELECT results_eq('SELECT outcome FROM crm.allocate(ARRAY[2::bigint], ARRAY[1::bigint])', $$VALUES ('allocated')$$, 'a manager allocates');
SELECT throws_ok('DELETE FROM crm.policy', '42501', NULL, 'but leaves the book alone');
SET LOCAL ROLE crm_test_loader;
SELECT lives_ok($$INSERT INTO crm.import_customer (source_key, kind, name, org_code, channel_code, known_from) VALUES ('k', 'person', 'Three', 'n', 'individual', '2024-01-01')$$, 'a loader fills the staging table');
SET LOCAL ROLE crm_test_nobody;
SELECT throws_ok('SELECT count(*) FROM crm_bi.kpi', '42501', NULL, 'without a duty nothing is to be seen');
RESET ROLE;
SELECT * FROM finish();
ROLLBACK;
