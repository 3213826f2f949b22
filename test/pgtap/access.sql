-- Each duty can do its work and nothing else.
BEGIN;
SELECT no_plan();

CREATE ROLE crm_test_analyst; CREATE ROLE crm_test_sales; CREATE ROLE crm_test_manager; CREATE ROLE crm_test_loader; CREATE ROLE crm_test_nobody;
CREATE ROLE crm_test_pool; CREATE ROLE crm_test_person;
CREATE ROLE crm_test_provider; CREATE ROLE crm_test_planner; CREATE ROLE crm_test_approver; CREATE ROLE crm_test_resources;
CALL crm.grant_duty('analyst', 'crm_test_analyst');
CALL crm.grant_duty('sales', 'crm_test_sales');
CALL crm.grant_duty('manager', 'crm_test_manager');
CALL crm.grant_duty('loader', 'crm_test_loader');
CALL crm.grant_duty('sales', 'crm_test_pool');
CALL crm.grant_duty('provider', 'crm_test_provider');
CREATE ROLE crm_test_finance;
CALL crm.grant_duty('finance', 'crm_test_finance');
CALL crm.grant_duty('planner', 'crm_test_planner');
CALL crm.grant_duty('approver', 'crm_test_approver');
CALL crm.grant_duty('resource_manager', 'crm_test_resources');
SET LOCAL ROLE crm_owner;
CALL crm.grant_duty('pool', 'crm_test_pool');
RESET ROLE;
GRANT crm_test_sales TO crm_test_person;
SELECT throws_ok($$CALL crm.grant_duty('king', 'crm_test_nobody')$$, '22023', NULL, 'an unknown duty is refused');
SELECT throws_ok($$CALL crm.grant_duty(NULL, 'crm_test_nobody')$$, '22023', NULL, 'so is none');
SELECT throws_ok($$CALL crm.grant_duty('sales', 'crm_test_missing')$$, '42704', NULL, 'and a role that does not exist');
INSERT INTO crm.duty_right (duty, privilege, kind, object) VALUES
  ('reader', 'SELECT', 'TABLE', 'crm.channel'), ('spy', 'SELECT', 'TABLE', 'pg_catalog.pg_authid'), ('lost', 'EXECUTE', 'FUNCTION', 'crm.claim(text)');
CALL crm.grant_duty('reader', 'crm_test_nobody');
SELECT ok(has_table_privilege('crm_test_nobody', 'crm.channel', 'SELECT') AND NOT has_table_privilege('crm_test_nobody', 'crm.channel', 'INSERT'), 'a duty of one''s own');
REVOKE SELECT ON crm.channel FROM crm_test_nobody;
SELECT throws_ok($$CALL crm.grant_duty('spy', 'crm_test_nobody')$$, '42704', NULL, 'no duty gives what is not of crm');
SELECT throws_ok($$CALL crm.grant_duty('lost', 'crm_test_nobody')$$, '42704', NULL, 'nor what is not there');
SELECT throws_ok(format('INSERT INTO crm.duty_right (duty, privilege, kind, object) VALUES (''spy'', %L, ''TABLE'', ''crm.channel'')', p), '23514', NULL, 'no privilege: ' || p)
FROM unnest(ARRAY['ALL', 'SELECT ON crm.staff, crm.channel', 'pg_read_all_data', 'SELECT (', 'TRUNCATE']) p;
DELETE FROM crm.duty_right WHERE duty IN ('reader', 'spy', 'lost');

SELECT results_eq($$SELECT (r.rolname || ': ' || p.proname) COLLATE "default" FROM pg_proc p, pg_roles r
                     WHERE p.pronamespace = 'crm'::regnamespace AND p.proname LIKE '\_%' AND r.rolname LIKE 'crm\_test\_%'
                       AND has_function_privilege(r.oid, p.oid, 'EXECUTE') AND NOT has_function_privilege('public', p.oid, 'EXECUTE') ORDER BY 1$$,
                  $$VALUES ('crm_test_analyst: _kpi_event_contributions'), ('crm_test_analyst: _kpi_part'), ('crm_test_loader: _import_step'), ('crm_test_manager: _allocate'), ('crm_test_manager: _allocation_edges'), ('crm_test_manager: _allocation_state'), ('crm_test_manager: _deal_out'), ('crm_test_manager: _freeze_list'),
                     ('crm_test_manager: _refresh_target_list'), ('crm_test_manager: _target_condition'), ('crm_test_planner: _carry_out_plan'), ('crm_test_planner: _end_plan'), ('crm_test_pool: _name_actor'),
                     ('crm_test_resources: _carry_out_plan'), ('crm_test_resources: _end_plan'), ('crm_test_resources: _freeze_list'), ('crm_test_resources: _refresh_target_list'), ('crm_test_resources: _target_condition')$$,
                  'of the inner functions only these are open by a duty');

INSERT INTO crm.organisation (id, parent_id, code, name) VALUES (1, NULL, 'c', 'Company'), (2, 1, 'n', 'North');
INSERT INTO crm.staff (id, code, name, org_id, channel_id, joined_on, login) VALUES
  (1, 'a', 'Agent', 2, 1, '2020-01-01', 'crm_test_person'), (2, 'b', 'Bo', 2, 1, '2020-01-01', 'bo'), (3, 'c', 'Cy', 2, 1, '2020-01-01', NULL),
  (4, 'd', 'Di', 2, 1, '2020-01-01', repeat('d', 63)), (5, 'e', 'Ed', 1, 1, '2020-01-01', 'crm_test_manager');
INSERT INTO crm.customer (id, kind, name, org_id, source_channel_id, known_from) VALUES (1, 'person', 'One', 2, 1, '2024-01-01'), (2, 'person', 'Two', 2, 1, '2024-01-01');
SELECT ok(crm.post() > 0, 'the customers are posted');

SET LOCAL ROLE crm_test_analyst;
SELECT results_eq('SELECT customer_id, coverage FROM crm_bi.customer ORDER BY 1', $$VALUES (1::bigint, 'prospect'), (2, 'prospect')$$, 'an analyst reads the views');
SELECT ok((SELECT count(*) FROM crm_bi.kpi WHERE code = 'coverage') > 0, 'the figures, too');
SELECT lives_ok($$SELECT count(*) FROM crm.near_upgrade('2025-01-01'), crm.entitlements(1, '2025-01-01'), crm.completeness('2025-01-01')$$,
                'and asks for another day by functions');
SELECT throws_ok('SELECT name FROM crm.customer', '42501', NULL, 'but no table');
SELECT throws_ok('SELECT crm.claim(1, 1)', '42501', NULL, 'and claims nobody');
SET LOCAL SESSION AUTHORIZATION crm_test_person;
SELECT lives_ok('SELECT crm.claim(1, 1)', 'sales claims');
SELECT lives_ok($$SELECT crm.record_contact(1, 1, 'sales', 'reached')$$, 'sales records a contact');
SELECT throws_ok('UPDATE crm.holding SET locked = true', '42501', NULL, 'but writes no holding by hand');
SELECT throws_ok('SELECT * FROM crm.allocate(ARRAY[2::bigint], ARRAY[1::bigint])', '42501', NULL, 'and does not allocate');
RESET SESSION AUTHORIZATION;
SET LOCAL ROLE crm_test_manager;
SELECT results_eq('SELECT outcome FROM crm.allocate(ARRAY[2::bigint], ARRAY[1::bigint])', $$VALUES ('allocated')$$, 'a manager allocates');
SELECT throws_ok('DELETE FROM crm.policy', '42501', NULL, 'but leaves the book alone');
SET LOCAL ROLE crm_test_loader;
SELECT lives_ok($$INSERT INTO crm.import_customer (source_key, kind, name, org_code, channel_code, known_from) VALUES ('k', 'person', 'Three', 'n', 'individual', '2024-01-01')$$, 'a loader fills the staging table');
SELECT lives_ok('SELECT FROM crm_bi.import_batch, crm_bi.import_progress, crm_bi.import_reject, crm_bi.source_key, crm_bi.freshness', 'and reads what came of it');
SELECT throws_ok('SELECT FROM crm_bi.customer', '42501', NULL, 'but no customers');
SET LOCAL ROLE crm_owner;
SELECT lives_ok('SELECT FROM crm_bi.freshness, crm_bi.customer', 'the owner of the model reads the views');
SET LOCAL ROLE crm_test_nobody;
SELECT throws_ok('SELECT count(*) FROM crm_bi.kpi', '42501', NULL, 'without a duty nothing is to be seen');
RESET ROLE;

-- who runs a cycle reads names and rooms, a manager what they act upon
SELECT is_empty($$SELECT d, v FROM unnest('{provider,planner,approver,resources}'::text[]) d, unnest('{channel,organisation,staff,staff_load}'::text[]) v
                  WHERE NOT has_table_privilege('crm_test_' || d, 'crm_bi.' || v, 'SELECT')$$, 'those who run a cycle read channels, units, staff and loads');
SELECT is_empty($$SELECT v FROM unnest('{staff_load,holding,holding_event,sweep,reminder,recycle_exemption,customer_return,waiting,claim_day,hand_over,hand_over_customer,hand_over_unit,orphan}'::text[]) v
                  WHERE NOT has_table_privilege('crm_test_manager', 'crm_bi.' || v, 'SELECT')$$, 'a manager what is held, swept and handed over');
SELECT is_empty($$SELECT d, v FROM unnest('{provider,planner,approver,resources,sales,loader}'::text[]) d, unnest('{customer,contact,standing,kpi}'::text[]) v
                  WHERE has_table_privilege('crm_test_' || d, 'crm_bi.' || v, 'SELECT')$$, 'none of them customers at large');
SET LOCAL ROLE crm_test_resources;
SELECT lives_ok($$SELECT crm.refresh_target_list(crm.freeze_list('all', 'true'))$$, 'a resource manager freezes lists');
SELECT lives_ok('SELECT FROM crm_bi.target_list, crm_bi.target_list_member', 'and sees them');
SET LOCAL ROLE crm_test_planner;
SELECT throws_ok($$SELECT crm.freeze_list('none', 'true')$$, '42501', NULL, 'a planner does not');
RESET ROLE;

-- who acts for whom -----------------------------------------------------------

INSERT INTO crm.customer (id, kind, name, org_id, source_channel_id, known_from) SELECT i, 'person', 'Customer ' || i, 2, 1, '2024-01-01' FROM generate_series(10, 39) i;
CREATE FUNCTION pg_temp.refused(login name, actor text, statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  text text;
BEGIN
  EXECUTE format('SET LOCAL SESSION AUTHORIZATION %I', login);
  PERFORM set_config('crm.actor', actor, true);
  EXECUTE statement INTO text;
  RESET SESSION AUTHORIZATION;
  PERFORM set_config('crm.actor', '', true);
  RETURN text;
EXCEPTION WHEN OTHERS THEN
  RETURN SQLSTATE || ' ' || SQLERRM;
END
$$;
SELECT crm.entrust('{30}', 1, 2) \gset
SELECT crm.claim(31, 2), crm.claim(32, 1), crm.claim(33, 3) \gset
SELECT is(pg_temp.refused(login, actor, statement), answer, name) FROM (VALUES
  ('crm_test_person', '', 'SELECT crm.claim(10, 1) > 0', 'true', 'a person claims'),
  ('crm_test_person', '', 'SELECT crm.claim(11, 2)', '42501 login "crm_test_person" may not act for staff member "2"', 'but not for a colleague'),
  ('crm_test_person', '', 'SELECT crm.claim(11, 3)', '42501 login "crm_test_person" may not act for staff member "3"', 'nor for somebody without a login'),
  ('crm_test_person', '', 'SELECT crm.claim(11, 99)', '23503 there is no member of staff "99"', 'nor for nobody'),
  ('crm_test_person', '', $$SELECT crm.record_contact(10, 2, 'sales', 'reached')$$, '42501 login "crm_test_person" may not act for staff member "2"', 'nor records their contacts'),
  ('crm_test_person', '', 'SELECT crm.release(31)', '42501 login "crm_test_person" may not act for staff member "2"', 'nor releases whom they hold'),
  ('crm_test_person', '', 'SELECT crm.release(31, 2)', '42501 login "crm_test_person" may not act for staff member "2"', 'however it is said'),
  ('crm_test_person', '', 'SELECT crm.release(30)', '42501 login "crm_test_person" may not act for a channel or unit', 'nor whom the unit holds'),
  ('crm_test_person', '', 'SELECT crm.claim(30, 1) > 0', 'true', 'though claiming is open there'),
  ('crm_test_person', '', 'SELECT crm.release(32) > 0', 'true', 'and releases whom they hold themselves'),
  ('crm_test_person', 'bo', 'SELECT crm.claim(11, 2)', '42501 login "crm_test_person" may not act for "bo"', 'nobody names another without the duty'),
  ('crm_test_person', 'bo', 'SELECT crm.claim(11, 1)', '42501 login "crm_test_person" may not act for "bo"', 'nor hides behind a name'),
  ('crm_test_person', 'bo', 'SELECT crm.actor()', '42501 login "crm_test_person" may not act for "bo"', 'wherever it is read'),
  ('crm_test_person', 'crm_test_person', 'SELECT crm.claim(12, 1) > 0', 'true', 'one''s own name is no other'),
  ('crm_test_sales', '', 'SELECT crm.claim(11, 1)', '42501 login "crm_test_sales" may not act for staff member "1"', 'the duty alone is no person'),
  ('crm_test_pool', 'bo', 'SELECT crm.claim(13, 2) > 0', 'true', 'a pooled login names the person'),
  ('crm_test_pool', 'bo', 'SELECT crm.claim(14, 1)', '42501 login "crm_test_pool" may not act for staff member "1"', 'and acts for that one only'),
  ('crm_test_pool', 'bo', 'SELECT crm.release(31) > 0', 'true', 'whose customers it releases'),
  ('crm_test_pool', 'bo', 'SELECT crm.release(33)', '42501 login "crm_test_pool" may not act for staff member "3"', 'and no others'),
  ('crm_test_pool', 'crm_test_person', 'SELECT crm.claim(15, 1) > 0', 'true', 'also one who has a login of their own'),
  ('crm_test_pool', 'Bo', 'SELECT crm.claim(14, 2)', '42501 login "crm_test_pool" may not act for staff member "2"', 'by the very name'),
  ('crm_test_pool', repeat('d', 63), 'SELECT crm.claim(16, 4) > 0', 'true', 'however long'),
  ('crm_test_pool', repeat('d', 64), 'SELECT crm.claim(14, 4)', '42501 login "crm_test_pool" may not act for staff member "4"', 'but none is cut to fit'),
  ('crm_test_pool', '', 'SELECT crm.claim(14, 2)', '42501 login "crm_test_pool" may not act for staff member "2"', 'and for nobody while it names none'),
  ('crm_test_pool', 'crm_owner', 'SELECT crm.claim(14, 2)', '42501 login "crm_test_pool" may not act for staff member "2"', 'a name brings no rights'),
  ('crm_test_manager', '', 'SELECT crm.transfer(33, 2, ''x'')', '55000 nobody has the duty "manager" at or above unit "1"', 'who acts for anyone only asks for a transfer'),
  ('crm_owner', '', 'INSERT INTO crm.position (staff_id, org_id, duty) VALUES (5, 1, ''manager'') RETURNING duty', 'manager', 'until in charge'),
  ('crm_test_manager', '', 'SELECT crm.transfer(33, 2) > 0', 'true', 'of both'),
  ('crm_test_manager', 'bo', 'SELECT crm.transfer(33, 3)', '42501 login "crm_test_manager" may not act for "bo"', 'in their own name'),
  ('crm_test_manager', 'bo', 'INSERT INTO crm.holding_quota (staff_id, quota) VALUES (1, 50) RETURNING set_by', '42501 login "crm_test_manager" may not act for "bo"', 'also where they write a table'),
  ('crm_test_manager', '', 'INSERT INTO crm.holding_quota (staff_id, quota) VALUES (1, 50) RETURNING set_by', 'crm_test_manager', 'which they may'),
  ('crm_test_manager', '', $$INSERT INTO crm.holding_quota (staff_id, quota, set_by) VALUES (2, 50, 'bo')$$, '42501 permission denied for table holding_quota', 'but in no other name'),
  ('crm_test_manager', '', $$UPDATE crm.holding_quota SET set_at = '2020-01-01'$$, '42501 permission denied for table holding_quota', 'nor at another time'),
  ('crm_owner', '', $$UPDATE crm.holding_quota SET quota = 60, set_by = 'bo' WHERE staff_id = 1 RETURNING set_by$$, 'crm_owner', 'and who changes it is told'),
  ('crm_test_manager', '', $$UPDATE crm.holding_quota SET quota = 70 WHERE staff_id = 1 RETURNING set_by$$, 'crm_test_manager', 'each time'),
  ('crm_owner', 'bo', 'SELECT crm.claim(17, 3) > 0', 'true', 'the owner may all of it')) v (login, actor, statement, answer, name);
SELECT results_eq($$SELECT customer_id, staff_id, started_by FROM crm.holding WHERE customer_id IN (10, 13, 15, 17, 33) AND held_to IS NULL ORDER BY customer_id$$,
                  $$VALUES (10::bigint, 1::bigint, 'crm_test_person' COLLATE "default"), (13, 2, 'bo'), (15, 1, 'crm_test_person'), (17, 3, 'bo'), (33, 2, 'crm_test_manager')$$,
                  'the holdings tell who acted');
GRANT crm_test_manager TO crm_test_person;
SELECT is(pg_temp.refused('crm_test_person', '', 'SELECT crm.claim(18, 3) > 0'), 'true', 'duties are inherited');
SET LOCAL SESSION AUTHORIZATION crm_test_person;
SET LOCAL ROLE crm_test_sales;
SELECT throws_ok('SELECT crm.claim(19, 3)', '42501', NULL, 'but not those that SET ROLE has laid down');
SELECT lives_ok('SELECT crm.claim(19, 1)', 'the person remains');
RESET SESSION AUTHORIZATION;
RESET ROLE;
SELECT crm.post();
SELECT is_empty('SELECT * FROM crm.check()', 'what must hold holds');
SELECT * FROM finish();
ROLLBACK;
