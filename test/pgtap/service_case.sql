-- Cases of customers: opened and closed by whom it becomes, what is refused, what the views tell, import, and figures by hand.
\set ON_ERROR_STOP on
BEGIN;
SELECT no_plan();
\ir include/helpers.sql
SET LOCAL client_min_messages = warning;
INSERT INTO crm.organisation (id, parent_id, code, name) VALUES (1, NULL, 'c', 'Company'), (2, 1, 'n', 'North'), (3, 1, 's', 'South');
CREATE ROLE crm_test_seller; CREATE ROLE crm_test_manager; CREATE ROLE crm_test_leaver; CREATE ROLE crm_test_analyst; CREATE ROLE crm_test_centre;
CALL crm.grant_duty('sales', 'crm_test_seller');
CALL crm.grant_duty('sales', 'crm_test_leaver');
CALL crm.grant_duty('manager', 'crm_test_manager');
CALL crm.grant_duty('analyst', 'crm_test_analyst');
CALL crm.grant_duty('resource_manager', 'crm_test_centre');
INSERT INTO crm.staff (id, code, name, org_id, channel_id, joined_on, left_on, login) VALUES
  (1, 'A', 'Agent', 2, 1, '2020-01-01', NULL, 'crm_test_seller'), (2, 'B', 'Gone', 2, 1, '2020-01-01', '2021-01-01', 'crm_test_leaver'),
  (3, 'C', 'Centre', 1, 1, '2020-01-01', NULL, 'crm_test_centre'), (4, 'D', 'Other', 3, 1, '2020-01-01', NULL, NULL);
INSERT INTO crm.product (id, code, name) VALUES (1, 'w', 'Whole life');
INSERT INTO crm.customer (id, kind, name, org_id, source_channel_id, known_from) VALUES
  (1, 'person', 'One', 2, 1, '2020-01-01'), (2, 'person', 'Two', 3, 1, '2020-01-01'), (3, 'company', 'Firm', 2, 1, '2022-01-01');
INSERT INTO crm.policy (customer_id, id, product_id, channel_id, issued_on, premium) VALUES (1, 11, 1, 1, '2020-02-01', 100), (1, 12, 1, 1, '2020-02-01', 100), (2, 21, 1, 1, '2020-03-01', 100);
SELECT ok(crm.post() > 0, 'the book is posted');

-- opened and closed ------------------------------------------------------------------

SET LOCAL SESSION AUTHORIZATION crm_test_seller;
SELECT crm.open_case(1, 'complaint', 'delay', 'phone', policy_id => 11, staff_id => 3, org_id => 2, note => 'too slow') AS first_case \gset
SELECT crm.open_case(2, 'service', 'servicing', 'mail', due_on => '2199-12-31') AS second_case \gset
SELECT throws_ok('SELECT crm.close_case(1, 1, ''upheld'')', '42501', NULL, 'a seller closes none');
SET LOCAL SESSION AUTHORIZATION crm_test_leaver;
SELECT throws_ok($$SELECT crm.open_case(1, 'complaint', 'delay', 'phone')$$, '42501', NULL, 'who has left opens none');
SET LOCAL SESSION AUTHORIZATION crm_test_analyst;
SELECT throws_ok($$SELECT crm.open_case(1, 'complaint', 'delay', 'phone')$$, '42501', NULL, 'nor an analyst');
SELECT throws_ok('SELECT FROM crm.service_case', '42501', NULL, 'who reads no table');
SELECT results_eq('SELECT customer_id, case_kind, category_name_zh, intake, policy_id, staff_id, org_id, opened_by, is_open, is_overdue, due_on - opened_date, result FROM crm_bi.service_case ORDER BY 1',
  $$VALUES (1::bigint, 'complaint', '时效', 'phone', 11::bigint, 3::bigint, 2::bigint, 'crm_test_seller', true, false, 15, NULL),
           (2, 'service', '保全', 'mail', NULL, NULL, NULL, 'crm_test_seller', true, false, (SELECT '2199-12-31' - opened_date FROM crm_bi.service_case WHERE customer_id = 2), NULL)$$, 'but the view');
SET LOCAL SESSION AUTHORIZATION crm_test_centre;
SELECT throws_ok(format('SELECT crm.close_case(1, %s, ''upheld'')', :first_case), '42501', NULL, 'nobody closes a complaint about oneself');
SELECT is((SELECT count(*) FROM crm_bi.service_case WHERE is_open), 2::bigint, 'the service centre sees what is open');
SELECT lives_ok(format('SELECT crm.close_case(2, %s, ''done'', '' '')', :second_case), 'other cases the service centre closes');
SELECT crm.open_case(3, 'suggestion', 'other', 'site', cause => ' a wish ') AS third_case \gset
SELECT throws_ok(format('SELECT crm.close_case(3, %s, ''done'')', :third_case), '42501', NULL, 'but none that it opened');
SET LOCAL SESSION AUTHORIZATION crm_test_manager;
SELECT lives_ok(format('SELECT crm.close_case(1, %s, ''upheld'', ''a second desk'', ''too few people'')', :first_case), 'a manager closes for anyone');
SELECT throws_ok(format('SELECT crm.close_case(1, %s, ''upheld'')', :first_case), '55000', NULL, 'once');
RESET SESSION AUTHORIZATION;
SELECT results_eq('SELECT customer_id, result, correction, cause, closed_by, closed_at >= opened_at, hours_taken >= 0 FROM crm_bi.service_case ORDER BY 1',
  $$VALUES (1::bigint, 'upheld', 'a second desk', 'too few people', 'crm_test_manager', true, true), (2, 'done', NULL, NULL, 'crm_test_centre', true, true), (3, NULL, NULL, 'a wish', NULL, NULL, NULL)$$, 'as they were closed');
SELECT set_eq($$SELECT field, old_value, new_value FROM crm.customer_change WHERE subject = 'service_case' AND customer_id = 1 AND field IN ('result', 'cause')$$,
              $$VALUES ('result', NULL, 'upheld'), ('cause', NULL, 'too few people')$$, 'changes are kept');

-- what is refused ----------------------------------------------------------------------

SELECT is(pg_temp.code_of('SELECT crm.' || b.call), b.code, b.what)
FROM (VALUES ($$open_case(9, 'complaint', 'delay', 'phone')$$, '23503', 'an unknown customer'), ($$open_case(NULL, 'complaint', 'delay', 'phone')$$, '23502', 'no customer'),
             ($$open_case(1, 'quarrel', 'delay', 'phone')$$, '22023', 'an unknown kind'), ($$open_case(1, NULL, 'delay', 'phone')$$, '23502', 'no kind'),
             ($$open_case(1, 'complaint', 'weather', 'phone')$$, '23503', 'an unknown category'), ($$open_case(1, 'complaint', ' ', 'phone')$$, '23514', 'a blank category'),
             ($$open_case(1, 'complaint', 'delay', 'pigeon')$$, '22023', 'an unknown intake'), ($$open_case(1, 'complaint', 'delay', 'phone', policy_id => 21)$$, '23503', 'the policy of somebody else'),
             ($$open_case(1, 'complaint', 'delay', 'phone', staff_id => 99)$$, '23503', 'about nobody'), ($$open_case(1, 'complaint', 'delay', 'phone', org_id => 99)$$, '23503', 'about no unit'),
             ($$open_case(1, 'complaint', 'delay', 'phone', due_on => '2001-01-01')$$, '22023', 'due long ago'), ($$open_case(1, 'complaint', 'delay', 'phone', due_on => 'infinity')$$, '22023', 'due never'),
             ('close_case(3, 987654, ''done'')', '23503', 'an unknown case'), ('close_case(9, 1, ''done'')', '23503', 'of an unknown customer'), ('close_case(3, 1, NULL)', '23502', 'without result'),
             ('close_case(3, 1, ''fine'')', '22023', 'an unknown result')) b (call, code, what);
SELECT isnt_empty(format($$SELECT FROM pg_temp.told(%L) t WHERE t.hint ~ 'mis_selling'$$, $$SELECT crm.open_case(1, 'complaint', 'weather', 'phone')$$), 'a hint names the categories');
SELECT is(pg_temp.code_of('INSERT INTO crm.service_case (customer_id, kind, category, intake, opened_at, result, closed_at) VALUES ' || b.row), b.code, b.what)
FROM (VALUES ($$(1, 'complaint', 'delay', 'phone', '2020-01-02', 'done', NULL)$$, '23514', 'a result without its time'), ($$(1, 'complaint', 'delay', 'phone', '2020-01-02', NULL, '2020-01-03')$$, '23514', 'a time without result'),
             ($$(1, 'complaint', 'delay', 'phone', '2020-01-02', 'done', '2020-01-01')$$, '23514', 'closed before it is opened')) b (row, code, what);

-- imported -------------------------------------------------------------------------------

INSERT INTO crm.customer_key (source_system, source_key, customer_id) VALUES ('core', 'C1', 1), ('core', 'C2', 2);
INSERT INTO crm.policy_key (source_system, source_key, customer_id, policy_id) VALUES ('core', 'P11', 1, 11), ('core', 'P21', 2, 21);
INSERT INTO crm.import_service_case (source_key, customer_key, policy_key, kind, category, intake, staff_code, org_code, opened_at, due_on, result, correction, closed_at) VALUES
  ('K1', 'C1', 'P11', 'complaint', 'claim', 'regulator', 'D', 's', '2020-05-31 23:59:59', '2020-06-10', 'partly', 'paid', '2020-06-11 00:00:00'),
  ('K2', 'C1', NULL, 'complaint', 'delay', 'mail', NULL, NULL, '2020-06-01 00:00:00', NULL, NULL, NULL, NULL),
  ('K3', 'C2', NULL, 'complaint', 'delay', 'mail', 'D', NULL, '2020-06-30 12:00:00', NULL, NULL, NULL, NULL),
  ('K4', 'C2', NULL, 'inquiry', 'delay', 'mail', NULL, NULL, '2020-06-30 12:00:00', NULL, NULL, NULL, NULL),
  ('B1', 'C1', NULL, 'quarrel', 'delay', 'mail', NULL, NULL, '2020-06-30 12:00:00', NULL, NULL, NULL, NULL),
  ('B2', 'C1', NULL, 'complaint', 'weather', 'mail', NULL, NULL, '2020-06-30 12:00:00', NULL, NULL, NULL, NULL),
  ('B3', 'C1', 'P21', 'complaint', 'delay', 'mail', NULL, NULL, '2020-06-30 12:00:00', NULL, NULL, NULL, NULL),
  ('B4', 'C1', NULL, 'complaint', 'delay', 'mail', NULL, NULL, '2190-06-30 12:00:00', NULL, NULL, NULL, NULL),
  ('B5', 'C1', NULL, 'complaint', 'delay', 'mail', NULL, NULL, '2020-06-30 12:00:00', NULL, 'done', NULL, NULL),
  ('B6', 'C1', NULL, 'complaint', 'delay', 'mail', NULL, NULL, '2020-06-30 12:00:00', NULL, NULL, 'mended', NULL),
  ('B7', 'C9', NULL, 'complaint', 'delay', 'mail', NULL, NULL, '2020-06-30 12:00:00', NULL, NULL, NULL, NULL);
CALL crm.import('core') \gset
SELECT results_eq(format($$SELECT source_key, string_agg(DISTINCT r.column_name || ' ' || r.code, ', ') FROM crm.import_reject j JOIN crm.import_reason r USING (batch_id, kind, row_no) WHERE j.batch_id = %s GROUP BY 1 ORDER BY 1$$, :batch_id),
  $$VALUES ('B1', 'kind 22P02'), ('B2', 'category 23503'), ('B3', 'policy_key 23514'), ('B4', 'opened_at 23514'), ('B5', 'closed_at 23514'), ('B6', 'correction 23514'), ('B7', 'customer_key 23503')$$, 'bad rows are told');
SELECT is((SELECT count(*) FROM crm.service_case_key), 4::bigint, 'good ones are there');
SELECT results_eq($$SELECT s.policy_id, s.staff_id, s.org_id, s.opened_date, s.closed_date, s.is_overdue FROM crm_bi.service_case s WHERE s.intake = 'regulator'$$,
                  $$VALUES (11::bigint, 4::bigint, 3::bigint, '2020-05-31'::date, '2020-06-11'::date, true)$$, 'with what they are about');

-- figures by hand ----------------------------------------------------------------------------
-- June 2020: one complaint in the north, where two policies are in force, and one in the south with one; the inquiry is none

CALL crm.rebuild('2020-07-15', NULL);
SET LOCAL crm.as_of = '2020-07-15';
SELECT results_eq($$SELECT k.org_id, k.numerator, k.denominator, k.value FROM crm_bi.kpi_event k WHERE k.code = 'complaints_per_10k' AND k.grain = 'month' AND k.period_start = '2020-06-01' ORDER BY 1$$,
                  $$VALUES (1::bigint, 2::numeric, 0.0003::numeric, 2 / 0.0003), (2, 1, 0.0002, 5000), (3, 1, 0.0001, 10000)$$, 'complaints over policies');
SELECT results_eq($$SELECT k.org_id, k.class, k.numerator, k.denominator FROM crm_bi.kpi_event k WHERE k.code = 'complaint_share' AND k.grain = 'quarter' AND k.period_start = '2020-04-01' ORDER BY 1, 2$$,
                  $$VALUES (1::bigint, 'claim', 1::numeric, 3::numeric), (1, 'delay', 2, 3), (2, 'claim', 1, 2), (2, 'delay', 1, 2), (3, 'delay', 1, 1)$$, 'by category');
SELECT results_eq($$SELECT k.org_id, k.class, k.numerator, k.denominator, k.class_key FROM crm_bi.kpi_event k WHERE k.code = 'complaint_share_by_staff' AND k.grain = 'year' AND k.org_id = 1 ORDER BY 1, 2$$,
                  $$VALUES (1::bigint, 'D', 2::numeric, 3::numeric, 'staff/D'), (1, 'none', 1, 3, 'staff/none')$$, 'and by person');
SELECT results_eq($$SELECT customer_id, n FROM crm.kpi_contributions('complaints_per_10k', 'quarter', '2020-04-01', 1) ORDER BY 1$$, 'VALUES (1::bigint, 2::numeric), (2, 1)', 'who complained how often');
SELECT is_empty('SELECT * FROM crm.check()', 'what must hold holds');
SELECT * FROM finish();
ROLLBACK;
