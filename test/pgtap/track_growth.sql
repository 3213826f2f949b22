-- What a plan brought is read in proportion to its customers, before anybody has counted its tables.
BEGIN;
SELECT no_plan();
\ir include/helpers.sql
SET LOCAL client_min_messages = warning;
SET LOCAL crm.posting = 'deferred';
SET LOCAL crm.as_of = '2026-06-01';

INSERT INTO crm.organisation (id, code, name) VALUES (1, 'co', 'Company');
INSERT INTO crm.staff (id, code, name, org_id, channel_id, joined_on) SELECT i, 's' || i, 'Staff ' || i, 1, 4, '2020-01-01' FROM generate_series(1, 100) i;
INSERT INTO crm.product (id, code, name) VALUES (1, 'p', 'Product');
INSERT INTO crm.cycle (name, org_id, from_date, to_date) VALUES ('c', 1, '2026-01-01', '2026-06-30');
INSERT INTO crm.plan (cycle_id, name, weighing, strategy, level, state) SELECT max(id), 'p', 'net', 'even', 'staff', 'carried_out' FROM crm.cycle;
SELECT max(id) AS plan FROM crm.plan \gset
INSERT INTO crm.plan_line (plan_id, line, provider_id, channel_id, customers, expected_contacts, expected_purchases, expected_premium, expected_cost) VALUES (:plan, 1, 1, 4, 1, 0, 0, 0, 0);
CREATE FUNCTION pg_temp.grow(plan bigint, first bigint, last bigint) RETURNS void LANGUAGE sql AS $$
  INSERT INTO crm.customer (id, kind, name, org_id, source_channel_id, known_from) SELECT i, 'person', 'Customer ' || i, 1, 1, '2020-01-01' FROM generate_series(first, last) i;
  INSERT INTO crm.holding (customer_id, id, channel_id, org_id, staff_id, held_from, start_cause, rule, plan_id) OVERRIDING SYSTEM VALUE
  SELECT i, i, 4, 1, 1 + i % 100, '2026-01-01', 'allocation', 'at most 3650 days', plan FROM generate_series(first, last) i;
  INSERT INTO crm.plan_customer (plan_id, customer_id, line, why, outcome, holding_id, done_at) SELECT plan, i, 1, 'home', 'allocated', i, '2026-01-01' FROM generate_series(first, last) i;
  INSERT INTO crm.feedback (customer_id, plan_id, holding_id, staff_id, result, given_at) SELECT i, plan, i, 1 + i % 100, 'interested', '2026-02-01' FROM generate_series(first, last) i;
  INSERT INTO crm.policy (customer_id, id, product_id, channel_id, issued_on, premium) SELECT i, i, 1, 4, '2026-01-10', 100 FROM generate_series(first, last) i;
$$;
SELECT pg_temp.grow(:plan, 1, 400), crm.attribute_policies() \g /dev/null
CREATE TEMP TABLE view AS SELECT v.statement, pg_temp.buffers(v.statement) AS few
FROM (VALUES ('SELECT * FROM crm_bi.plan_bulletin'), ('SELECT * FROM crm_bi.plan_channel'), ('SELECT * FROM crm_bi.feedback WHERE is_latest')) v (statement);
SELECT pg_temp.grow(:plan, 401, 4000), crm.attribute_policies() \g /dev/null
SELECT results_eq('SELECT allocated, fed_back, attributed_policies FROM crm_bi.plan_bulletin', 'VALUES (4000::bigint, 4000::bigint, 4000.000000)', 'all are counted');
SELECT cmp_ok(pg_temp.buffers(statement), '<', 15 * few, 'ten times the customers, not much more than ten times the pages: ' || statement) FROM view;

SELECT * FROM finish();
ROLLBACK;
