-- Lists at hand, projects, products that go together, intentions and phases of a random book against plain SQL; association rules on real orders.
-- psql --set data=FOLDER; FOLDER holds northwind; what is missing is skipped.
\set ON_ERROR_STOP on
\if :{?data}
\else
\set data ''
\endif
BEGIN;
SELECT no_plan();
\ir include/helpers.sql
SET LOCAL client_min_messages = warning;
CREATE ROLE crm_test_analyst; CREATE ROLE crm_test_manager; CREATE ROLE crm_test_sales;
CALL crm.grant_duty('analyst', 'crm_test_analyst');
CALL crm.grant_duty('manager', 'crm_test_manager');
CALL crm.grant_duty('sales', 'crm_test_sales');
CALL crm.generate(customers => 3000, seed => 22, as_of => '2025-12-31', units => ARRAY[3, 6, 12]);
-- amounts at and beside the limits, and a channel with a scale of its own
UPDATE crm.policy SET payment = 'single', payments = 1, premium = (ARRAY[449999.99, 450000, 499999.99, 500000, 500000.01, 5000])[1 + customer_id % 6] WHERE customer_id % 11 = 0;
INSERT INTO crm.setting (name, channel_id, value) SELECT 'tier_scale', h.id, 'lead, gold 20000' FROM crm.channel h WHERE h.code = 'telesales';
-- some are held: by staff in post, by staff who left, no longer, not yet
ALTER TABLE crm.holding DISABLE TRIGGER in_post_insert;
INSERT INTO crm.holding (customer_id, channel_id, org_id, staff_id, held_from, held_to, start_cause, end_cause, ended_by, rule)
SELECT c.id, s.channel_id, s.org_id, s.id, '2024-01-01', CASE c.id % 3 WHEN 0 THEN '2025-06-30'::timestamptz END, 'claim', CASE c.id % 3 WHEN 0 THEN 'release' END, CASE c.id % 3 WHEN 0 THEN 'x' END, 'at most 9999 days'
FROM crm.customer c JOIN LATERAL (SELECT x.* FROM crm.staff x ORDER BY hashint8(x.id * 1000 + c.id) LIMIT 1) s ON true WHERE c.id % 7 = 0;
ALTER TABLE crm.holding ENABLE TRIGGER in_post_insert;
CALL crm.rebuild('2025-12-31', NULL);
SET LOCAL crm.as_of = '2025-12-31';

-- lists at hand --------------------------------------------------------------

-- each list by its own query, over the rows that the kernel reads too
CREATE FUNCTION pg_temp.naive_list(list text, d date) RETURNS SETOF bigint LANGUAGE plpgsql AS $$
DECLARE
  was text := current_setting('crm.as_of');
BEGIN
  PERFORM set_config('crm.as_of', d::text, true);
  CREATE TEMP TABLE c ON COMMIT DROP AS SELECT * FROM crm_bi.customer WHERE coverage = 'insured';
  PERFORM set_config('crm.as_of', was, true);
  CREATE TEMP TABLE v ON COMMIT DROP AS SELECT s.customer_id, s.policy_id, s.role, s.long_term, h.code AS channel, p.term_months, p.payment, p.payments, p.servicer_id
    FROM crm._cover_source s JOIN crm.policy p ON p.id = s.policy_id JOIN crm.channel h ON h.id = p.channel_id WHERE s.from_date <= d AND d < s.to_date;
  CREATE TEMP TABLE post ON COMMIT DROP AS SELECT id FROM crm.staff WHERE joined_on <= d AND (left_on IS NULL OR left_on > d);
  RETURN QUERY EXECUTE CASE list
    WHEN 'ten_year' THEN $q$SELECT DISTINCT customer_id FROM v WHERE role = 'policyholder' AND channel = 'individual'
                              AND (term_months = 120 OR (payment, payments) IN (('yearly', 10), ('half_yearly', 20), ('quarterly', 40), ('monthly', 120)))$q$
    WHEN 'vip' THEN $q$SELECT customer_id FROM c WHERE tier IN ('gold', 'platinum')$q$
    WHEN 'near_vip' THEN $q$SELECT customer_id FROM c WHERE channel <> 'telesales' AND amount >= 450000 AND amount <= 500000 OR channel = 'telesales' AND amount >= 18000 AND amount < 20000$q$
    WHEN 'one_long_term' THEN $q$SELECT customer_id FROM v WHERE role = 'policyholder' AND long_term GROUP BY 1 HAVING count(DISTINCT policy_id) = 1$q$
    WHEN 'telesales' THEN $q$SELECT DISTINCT customer_id FROM v WHERE role = 'policyholder' AND channel = 'telesales'$q$
    WHEN 'orphan' THEN $q$SELECT DISTINCT customer_id FROM v WHERE channel = 'individual' AND servicer_id IS NOT NULL AND servicer_id NOT IN (TABLE post)
                            EXCEPT SELECT customer_id FROM v WHERE servicer_id IN (TABLE post)
                            EXCEPT SELECT customer_id FROM crm.holding WHERE staff_id IN (TABLE post) AND held_from < '$q$ || d || $q$ 16:00+00' AND (held_to IS NULL OR held_to >= '$q$ || d || $q$ 16:00+00')$q$
    WHEN 'active_individual' THEN $q$SELECT customer_id FROM c WHERE channel = 'individual' AND activity = 'active'$q$ END;
  DROP TABLE c, v, post;
END
$$;
SELECT pg_temp.same(format('SELECT crm.ready_list_members(%L, %L)', l.list, d), format('SELECT pg_temp.naive_list(%L, %L)', l.list, d), format('list %s on %s', l.list, d))
FROM crm_bi.ready_list l, unnest(ARRAY['2025-12-31', '2023-08-15']::date[]) d;
SELECT is_empty('SELECT list FROM crm_bi.ready_list WHERE members = 0', 'somebody is on each');
SELECT results_eq('SELECT list, members FROM crm_bi.ready_list ORDER BY 1', $$SELECT l COLLATE "default", count(*) FROM unnest(ARRAY['active_individual', 'near_vip', 'one_long_term', 'orphan', 'telesales', 'ten_year', 'vip']) l, pg_temp.naive_list(l, '2025-12-31') GROUP BY 1 ORDER BY 1$$, 'and so many of today');
SELECT is((SELECT count(*) FROM crm_bi.ready_list_member), (SELECT count(DISTINCT ready_list_member_key) FROM crm_bi.ready_list_member), 'with a key');
SELECT is((SELECT count(*) FROM crm_bi.listed_customer), (SELECT count(*) FROM crm.customer), 'every customer has a row with lists');
SELECT is_empty($$SELECT a.attname FROM pg_attribute a WHERE a.attrelid = 'crm_bi.customer'::regclass AND a.attnum > 0
                  EXCEPT SELECT b.attname FROM pg_attribute b WHERE b.attrelid = 'crm_bi.listed_customer'::regclass$$, 'and the columns of crm_bi.customer');

GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA pg_temp TO PUBLIC;
CREATE TEMP TABLE n AS SELECT l AS list, pg_temp.naive_list(l, '2025-12-31') AS id FROM unnest(ARRAY['ten_year', 'vip', 'orphan', 'one_long_term', 'near_vip']) l;
GRANT SELECT ON n TO PUBLIC;
SET LOCAL ROLE crm_test_manager;
SELECT results_eq($$SELECT name FROM crm.lists() WHERE owner = 'crm' ORDER BY 1$$, 'SELECT code FROM crm.ready_list ORDER BY 1', 'they are lists like any other');
SELECT is(crm.list_members(crm.list_condition('orphan')), ARRAY(SELECT id FROM n WHERE list = 'orphan' ORDER BY 1), 'with members');
SELECT is(crm.list_count(crm.list_condition('one_long_term') OPERATOR(crm.&) crm.list_condition('ten_year')), (SELECT count(*) FROM (SELECT id FROM n WHERE list = 'one_long_term' INTERSECT SELECT id FROM n WHERE list = 'ten_year') x), 'both of two lists');
SELECT is(crm.list_count(crm.list_condition('vip') OPERATOR(crm.|) crm.list_condition('near_vip')), (SELECT count(DISTINCT id) FROM n WHERE list IN ('vip', 'near_vip')), 'either');
SELECT is(crm.list_count(crm.list_condition('one_long_term') OPERATOR(crm.-) crm.list_condition('ten_year')), (SELECT count(*) FROM (SELECT id FROM n WHERE list = 'one_long_term' EXCEPT SELECT id FROM n WHERE list = 'ten_year') x), 'one but not the other');
SELECT is(crm.list_count(crm.list_condition('ten_year') OPERATOR(crm.&) 'sex = ''female'''), (SELECT count(*) FROM n JOIN crm_bi.customer c ON c.customer_id = n.id WHERE list = 'ten_year' AND sex = 'female'), 'with a condition');
SELECT is(crm.list_count('count(lists) = 0'), (SELECT count(*) FROM crm.customer) - (SELECT count(DISTINCT m.customer_id) FROM crm_bi.listed_customer m WHERE m.lists <> ''), 'and who is on none');
SELECT crm.freeze_list('orphans', crm.list_condition('orphan')) AS orphans \gset
SELECT results_eq(format('SELECT customer_id FROM crm.target_list_member WHERE target_list_id = %s ORDER BY 1', :orphans), $$SELECT id FROM n WHERE list = 'orphan' ORDER BY 1$$, 'frozen for allocation');
RESET ROLE;
UPDATE crm.setting_kind SET initial = 'diamond' WHERE name = 'vip_from';
CALL crm.rebuild('2025-12-31', NULL);
SELECT results_eq($$SELECT list, members FROM crm_bi.ready_list WHERE list IN ('vip', 'near_vip') ORDER BY 1$$, $$VALUES ('near_vip', 0::bigint), ('vip', 0)$$, 'without such a tier nobody is VIP');
UPDATE crm.setting_kind SET initial = 'lead' WHERE name = 'vip_from';
CALL crm.rebuild('2025-12-31', NULL);
SELECT results_eq($$SELECT list, members FROM crm_bi.ready_list WHERE list IN ('vip', 'near_vip') ORDER BY 1$$, $$SELECT 'near_vip', 0::bigint UNION ALL SELECT 'vip', count(*) FROM crm_bi.customer WHERE coverage = 'insured'$$, 'from the first tier on everybody is');
UPDATE crm.setting_kind SET initial = 'gold' WHERE name = 'vip_from';
CALL crm.rebuild('2025-12-31', NULL);

-- projects ---------------------------------------------------------------------

SET LOCAL ROLE crm_test_manager;
SELECT crm.freeze_list('one long', crm.list_condition('one_long_term')) AS list \gset
SELECT crm.start_project('second long-term policy', :list, '2025-03-01', '2025-06-30', 'sell another') AS project \gset
SELECT crm.start_project('running', :list, '2025-12-01', '2026-01-31') AS running \gset
SELECT crm.start_project('ahead', :list, '2026-02-01', '2026-03-31') AS ahead \gset
RESET ROLE;
DELETE FROM crm.target_list_member WHERE target_list_id = :list AND customer_id % 2 = 0;
INSERT INTO crm.premium_due (customer_id, policy_id, number, due_on, amount) SELECT p.customer_id, p.id, 1, '2025-05-05', 100 FROM crm.policy p WHERE p.id % 3 = 1;
INSERT INTO crm.premium_receipt (customer_id, policy_id, id, number, received_on, amount) SELECT customer_id, policy_id, 1, 1, '2025-04-01'::date + (policy_id % 200)::integer, 100 FROM crm.premium_due;
INSERT INTO crm.premium_receipt (customer_id, policy_id, id, number, received_on, amount, reverses, reason) SELECT customer_id, policy_id, 2, 1, received_on, 100, 1, 'no' FROM crm.premium_receipt WHERE policy_id % 5 = 0;
CREATE FUNCTION pg_temp.naive_result(f date, t date) RETURNS TABLE (side text, customers bigint, buyers bigint, before bigint, policies bigint, amount numeric, annual numeric, received numeric) LANGUAGE sql AS $$
  WITH person AS (SELECT c.id, CASE WHEN c.id IN (SELECT id FROM n WHERE list = 'one_long_term') THEN 'members' ELSE 'others' END AS side FROM crm.customer c WHERE c.known_from <= f OR c.id IN (SELECT id FROM n WHERE list = 'one_long_term')),
  bought AS (SELECT p.* FROM crm.policy p WHERE EXISTS (SELECT FROM crm._cover_source s WHERE s.policy_id = p.id AND s.customer_id = p.customer_id AND s.from_date < s.to_date))
  SELECT side, count(*), count(*) FILTER (WHERE EXISTS (SELECT FROM bought b WHERE b.customer_id = person.id AND b.issued_on >= f AND b.issued_on <= t)),
         count(*) FILTER (WHERE EXISTS (SELECT FROM bought b WHERE b.customer_id = person.id AND b.issued_on < f AND b.issued_on >= f - (t - f + 1))),
         sum((SELECT count(*) FROM bought b WHERE b.customer_id = person.id AND b.issued_on >= f AND b.issued_on <= t))::bigint,
         sum((SELECT coalesce(sum(b.amount), 0) FROM bought b WHERE b.customer_id = person.id AND b.issued_on >= f AND b.issued_on <= t)),
         sum((SELECT coalesce(sum(b.annual_premium), 0) FROM bought b WHERE b.customer_id = person.id AND b.issued_on >= f AND b.issued_on <= t)),
         sum((SELECT coalesce(sum(CASE WHEN r.reverses IS NULL THEN r.amount ELSE - r.amount END), 0) FROM crm.premium_receipt r WHERE r.customer_id = person.id AND r.received_on >= f AND r.received_on <= t))
  FROM person GROUP BY 1
$$;
SELECT pg_temp.same(format('SELECT side, customers, buyers, buyers_before, policies, amount, annual_premium, premium_received FROM crm_bi.mining_result WHERE project_id = %s', p),
                    format('SELECT * FROM pg_temp.naive_result(%L, %L)', f, t), 'members beside others, ' || t)
FROM (VALUES (:project, '2025-03-01', '2025-06-30'), (:running, '2025-12-01', '2025-12-31')) v (p, f, t);
SELECT is_empty(format('SELECT * FROM crm_bi.mining_result WHERE project_id = %s', :ahead), 'nothing yet of a project ahead');
SELECT results_eq('SELECT name, state FROM crm_bi.mining_project ORDER BY 1', $$VALUES ('ahead', 'ahead'), ('running', 'trial'), ('second long-term policy', 'to close')$$, 'the state of projects');
SET LOCAL ROLE crm_test_manager;
SELECT throws_ok(format('SELECT crm.close_project(%s, ''x'')', :running), '55000', NULL, 'a trial that runs is not judged');
SELECT throws_ok(format('SELECT crm.close_project(%s, NULL)', :project), '22004', NULL, 'nor without a conclusion');
SELECT throws_ok(format('SELECT crm.close_project(%s, '' '')', :project), '23514', NULL, 'nor with a blank one');
SELECT lives_ok(format('SELECT crm.close_project(%s, ''worth doing'')', :project), 'closed after its trial');
RESET ROLE;
CREATE TEMP TABLE kept AS SELECT * FROM crm_bi.mining_result WHERE project_id = :project;
UPDATE crm.policy SET issued_on = '2020-01-01', matures_on = NULL WHERE issued_on BETWEEN '2025-03-01' AND '2025-06-30';
SELECT results_eq(format('SELECT * FROM crm_bi.mining_result WHERE project_id = %s ORDER BY side', :project), 'SELECT * FROM kept ORDER BY side', 'what was kept at the closing stays');
SELECT ok(bool_and(is_final) AND count(*) = 2, 'and is final') FROM kept;
SELECT throws_ok(format('SELECT crm.close_project(%s, ''again'')', :project), '55000', NULL, 'it is closed once');
SELECT throws_ok('SELECT crm.close_project(-1, ''x'')', '42704', NULL, 'if there is one');
SELECT throws_ok(format('SELECT crm.start_project(%s)', a), e, NULL, 'no project: ' || a)
FROM (VALUES ('''x'', -1, ''2025-01-01'', ''2025-02-01''', '42704'), (format('''x'', %s, ''2025-02-01'', ''2025-01-01''', :list), '22023'), (format('''x'', %s, NULL, ''2025-01-01''', :list), '22004'),
             (format(''' '', %s, ''2025-01-01'', ''2025-01-01''', :list), '23514'), (format('NULL, %s, ''2025-01-01'', ''2025-01-01''', :list), '23502'), (format('''running'', %s, ''2025-01-01'', ''2025-01-01''', :list), '23505')) v (a, e);
DELETE FROM crm.target_list_member WHERE target_list_id = :list;
SELECT throws_ok(format('SELECT crm.start_project(''x'', %s, ''2025-01-01'', ''2025-02-01'')', :list), '55000', NULL, 'nor with nobody');

-- products that go together ------------------------------------------------------

INSERT INTO crm.product_holding (customer_id, id, category_id, opened_on, closed_on)
SELECT c.id, k, 11 + (hashint8(c.id * 3 + k) & 3), '2024-01-01', CASE WHEN (c.id + k) % 9 = 0 THEN '2025-12-31'::date END FROM crm.customer c, generate_series(1, 3) k WHERE c.id % 3 > 0;
CREATE TEMP TABLE owned AS
SELECT DISTINCT x.level, x.customer_id, x.item FROM (
  SELECT l.level, p.customer_id, CASE l.level WHEN 'product' THEN 'product:' || r.code ELSE 'line:' || r.line END AS item FROM crm_bi.policy p JOIN crm.product r ON r.id = p.product_id, (VALUES ('product'), ('line')) l (level) WHERE p.in_force
  UNION ALL SELECT l.level, h.customer_id, 'category:' || g.code FROM crm.product_holding h JOIN crm.product_category g ON g.id = h.category_id, (VALUES ('product'), ('line')) l (level)
  WHERE h.opened_on <= '2025-12-31' AND (h.closed_on IS NULL OR h.closed_on > '2025-12-31')) x;
CREATE FUNCTION pg_temp.naive_rules(lv text, support numeric, confidence numeric, lift numeric) RETURNS TABLE (item_1 text, item_2 text, item text, l bigint, r bigint, b bigint) LANGUAGE sql AS $$
  WITH o AS (SELECT customer_id, item FROM owned WHERE level = lv),
  whole AS (SELECT count(DISTINCT customer_id) AS n FROM o),
  left_side AS (SELECT a.customer_id, a.item AS i1, NULL::text AS i2 FROM o a UNION ALL SELECT a.customer_id, a.item, b.item FROM o a JOIN o b ON b.customer_id = a.customer_id AND b.item COLLATE "C" > a.item COLLATE "C"),
  both_sides AS (SELECT s.i1, s.i2, o.item, count(*) AS b FROM left_side s JOIN o ON o.customer_id = s.customer_id AND o.item <> s.i1 AND o.item IS DISTINCT FROM s.i2 GROUP BY 1, 2, 3),
  l AS (SELECT i1, i2, count(*) AS l FROM left_side GROUP BY 1, 2),
  r AS (SELECT item, count(*) AS r FROM o GROUP BY 1)
  SELECT x.i1, x.i2, x.item, l.l, r.r, x.b FROM both_sides x JOIN l ON l.i1 = x.i1 AND l.i2 IS NOT DISTINCT FROM x.i2 JOIN r ON r.item = x.item, whole w
  WHERE x.b::numeric / w.n >= support AND x.b::numeric / l.l >= confidence AND x.b::numeric / l.l / (r.r::numeric / w.n) >= lift - 0.0000000001
$$;
SET LOCAL ROLE crm_test_manager;
SELECT crm.find_product_rules('2025-12-31') AS p1, crm.find_product_rules('2025-12-31', 'line', 0.01, 0.1, 0.9) AS l1, crm.find_product_rules('2025-12-31', 'product', 0, 0, 0) AS p0 \gset
RESET ROLE;
SELECT pg_temp.same(format('SELECT item_1, item_2, item, with_left, with_right, with_both FROM crm_bi.product_rule WHERE rule_set_id = %s', s), format('SELECT * FROM pg_temp.naive_rules(%s)', a), 'rules with ' || a)
FROM (VALUES (:p1, '''product'', 0.001, 0.05, 1'), (:l1, '''line'', 0.01, 0.1, 0.9'), (:p0, '''product'', 0, 0, 0')) v (s, a);
SELECT cmp_ok((SELECT count(*) FROM crm.product_rule WHERE item_2 IS NOT NULL AND rule_set_id = :p1), '>', 5::bigint, 'some have two products on the left');
SELECT is_empty($$SELECT * FROM crm_bi.product_rule WHERE support <> with_both::numeric / customers OR confidence <> with_both::numeric / with_left OR round(lift, 9) <> round(confidence / (with_right::numeric / customers), 9)
                  OR customers <> (SELECT count(DISTINCT customer_id) FROM owned)$$, 'support, confidence and lift');
SELECT is_empty($$SELECT * FROM (SELECT confidence, lag(confidence) OVER (PARTITION BY rule_set_id ORDER BY rule_id) AS before FROM crm_bi.product_rule) x WHERE confidence > before$$, 'the most confident first');
-- of each customer and product not owned the best rule, by a join of all with all
CREATE TEMP TABLE naive_next AS
SELECT customer_id, item, row_number() OVER (PARTITION BY customer_id ORDER BY rule_id) AS place
FROM (SELECT DISTINCT ON (o.customer_id, r.item) o.customer_id, r.item, r.rule_id
      FROM owned o JOIN crm_bi.product_rule r ON r.rule_set_id = :l1 AND r.item_1 = o.item
      WHERE o.level = 'line' AND (r.item_2 IS NULL OR EXISTS (SELECT FROM owned z WHERE z.level = 'line' AND z.customer_id = o.customer_id AND z.item = r.item_2))
        AND NOT EXISTS (SELECT FROM owned z WHERE z.level = 'line' AND z.customer_id = o.customer_id AND z.item = r.item)
      ORDER BY o.customer_id, r.item, r.rule_id) x;
SELECT pg_temp.same($$SELECT customer_id, place, item FROM crm_bi.next_product WHERE level = 'line'$$, 'SELECT customer_id, place, item FROM naive_next WHERE place <= 3', 'what to offer next');
SELECT cmp_ok((SELECT count(DISTINCT customer_id) FROM naive_next), '>', 100::bigint, 'to many');
SELECT pg_temp.same(format('SELECT place, item FROM crm.next_products(''line'', %s, 2)', c), format('SELECT place, item FROM naive_next WHERE place <= 2 AND customer_id = %s', c), 'what to offer one of them next')
FROM (SELECT min(customer_id) FROM naive_next WHERE place = 2) x (c);
SELECT matches((SELECT because FROM crm.next_products('line', (SELECT min(customer_id) FROM naive_next), 1)), '^\S+( \+ \S+)? -> \S+: \d+ of \d+, \d+\.\d\d times the usual$', 'with the reason');
SELECT is((SELECT DISTINCT rule_set_id FROM crm.next_products('product')), :p0::bigint, 'by the latest search');
SET LOCAL crm.as_of = '2025-12-30';
SELECT is_empty($$SELECT * FROM crm.next_products('product')$$, 'a search of a later day is not known yet');
SET LOCAL crm.as_of = '2025-12-31';
SELECT crm.find_product_rules('1905-01-01') AS nothing \gset
SELECT results_eq(format('SELECT s.customers, count(r.*) FROM crm.product_rule_set s LEFT JOIN crm.product_rule r ON r.rule_set_id = s.id WHERE s.id = %s GROUP BY 1', :nothing), 'VALUES (0::bigint, 0::bigint)', 'before anybody had anything there are no rules');
SELECT throws_ok(format('SELECT crm.find_product_rules(%s)', a), e, NULL, 'no search: ' || a)
FROM (VALUES ('NULL', '22004'), ('''2025-01-01'', ''colour''', '22023'), ('''2025-01-01'', NULL', '22023'), ('''2025-01-01'', ''line'', -0.1', '22023'), ('''2025-01-01'', ''line'', ''NaN''', '22023'), ('''2025-01-01'', ''line'', 0.1, 1.1', '22023'),
             ('''2025-01-01'', ''line'', NULL', '22023'), ('''2025-01-01'', ''line'', 0.1, 0.1, -1', '22023'), ('''2025-01-01'', ''line'', 0.1, 0.1, ''NaN''', '22023')) v (a, e);
SELECT throws_ok($$SELECT * FROM crm.next_products('colour')$$, '22023', NULL, 'nothing to offer by colour');
SELECT throws_ok($$SELECT * FROM crm.next_products('line', 1, 0)$$, '22023', NULL, 'nor none of it');

-- intentions beside assets ---------------------------------------------------------

INSERT INTO crm.profile (customer_id, asset_band) SELECT c.id, 'a' || c.id % 7 FROM crm.customer c WHERE c.id % 4 = 1;
INSERT INTO crm.asset (customer_id, kind, value, valued_on, owned_from, owned_to, source)
SELECT c.id, 'deposit', (hashint8(c.id) & 1048575), '2024-01-01', '2020-01-01', CASE c.id % 5 WHEN 0 THEN '2025-12-31'::date END, 'visit' FROM crm.customer c WHERE c.id % 3 = 1;
INSERT INTO crm.product_balance (customer_id, holding_id, from_date, balance) SELECT h.customer_id, h.id, date '2024-01-01' + 300 * k, hashint8(h.customer_id + k) & 65535 FROM crm.product_holding h, generate_series(0, 2) k WHERE h.id = 1 AND coalesce(date '2024-01-01' + 300 * k < h.closed_on, true);
INSERT INTO crm.need (customer_id, kind, category_id, what, amount, noted_on, source, closed_on, outcome)
SELECT c.id, CASE c.id % 2 WHEN 0 THEN 'need' ELSE 'preference' END, CASE c.id % 3 WHEN 0 THEN NULL ELSE 11 + c.id % 3 END, 'x', c.id % 50, CASE c.id % 8 WHEN 0 THEN '2026-01-01'::date ELSE '2025-01-01' END, 'visit',
       CASE c.id % 7 WHEN 0 THEN CASE c.id % 8 WHEN 0 THEN '2026-02-01' ELSE '2025-12-31'::date END END, CASE c.id % 7 WHEN 0 THEN 'met' END FROM crm.customer c WHERE c.id % 5 > 1;
INSERT INTO crm.prospect (customer_id, source, entered_on, category_id, intention) SELECT c.id, 'web', date '2025-01-01' + 100 * k, 14, (ARRAY['high', 'low', NULL])[1 + (c.id + k) % 3] FROM crm.customer c, generate_series(1, 4) k WHERE c.id % 10 = 7;
CREATE TEMP TABLE wealth AS
SELECT c.id, p.asset_band AS stated, coalesce((SELECT sum(a.value) FROM crm.asset a WHERE a.customer_id = c.id AND a.owned_from <= '2025-12-31' AND (a.owned_to IS NULL OR a.owned_to > '2025-12-31')), 0)
  + coalesce((SELECT sum((SELECT b.balance FROM crm.product_balance b WHERE b.customer_id = h.customer_id AND b.holding_id = h.id AND b.from_date <= '2025-12-31' ORDER BY b.from_date DESC LIMIT 1)) FROM crm.product_holding h JOIN crm.product_category g ON g.id = h.category_id
              WHERE h.customer_id = c.id AND g.nature = 'asset' AND (h.closed_on IS NULL OR h.closed_on > '2025-12-31')), 0) AS known
FROM crm.customer c LEFT JOIN crm.profile p ON p.customer_id = c.id;
SELECT pg_temp.same('SELECT customer_id, known_assets, asset_band FROM crm_bi.customer_wealth WHERE known_assets > 0 OR stated_band IS NOT NULL',
  $$SELECT w.id, w.known, coalesce(w.stated, CASE WHEN known <= 0 THEN NULL WHEN known < 10000 THEN 'a0' WHEN known < 50000 THEN 'a1' WHEN known < 200000 THEN 'a2' WHEN known < 500000 THEN 'a3' WHEN known < 1000000 THEN 'a4' WHEN known < 5000000 THEN 'a5' ELSE 'a6' END)
    FROM wealth w WHERE w.known > 0 OR w.stated IS NOT NULL$$, 'what customers own');
CREATE TEMP TABLE intention AS
SELECT c.org_id, x.* FROM crm_bi.customer c JOIN (
  SELECT n.customer_id, n.kind AS source, 'stated' AS intention, n.category_id, n.amount FROM crm.need n WHERE n.noted_on <= '2025-12-31' AND (n.closed_on IS NULL OR n.closed_on > '2025-12-31')
  UNION ALL SELECT p.customer_id, 'prospect', p.intention, p.category_id, NULL FROM crm.prospect p WHERE p.intention IS NOT NULL AND p.entered_on <= '2025-12-31'
    AND NOT EXISTS (SELECT FROM crm.prospect l WHERE l.customer_id = p.customer_id AND l.category_id = p.category_id AND l.intention IS NOT NULL AND l.entered_on > p.entered_on AND l.entered_on <= '2025-12-31')) x USING (customer_id);
SELECT pg_temp.same('SELECT customer_id, org_id, source, intention, category_id, amount FROM crm_bi.customer_intention', 'SELECT customer_id, org_id, source, intention, category_id, amount FROM intention', 'what customers intend');
SELECT pg_temp.same('SELECT org_id, source, intention, category, asset_band, customers, intentions, amount FROM crm_bi.intention_by_assets',
  $$SELECT t.ancestor_id, i.source, i.intention, g.code, w.asset_band, count(DISTINCT i.customer_id), count(*), coalesce(sum(i.amount), 0) FROM intention i JOIN crm.organisation_tree t ON t.descendant_id = i.org_id
    LEFT JOIN crm.product_category g ON g.id = i.category_id LEFT JOIN crm_bi.customer_wealth w ON w.customer_id = i.customer_id GROUP BY 1, 2, 3, 4, 5$$, 'and how many of what assets');
SELECT is((SELECT count(*) FROM crm_bi.intention_by_assets), (SELECT count(DISTINCT intention_by_assets_key) FROM crm_bi.intention_by_assets), 'with a key');
SELECT cmp_ok((SELECT count(DISTINCT asset_band) FROM crm_bi.intention_by_assets), '>', 5::bigint, 'in many bands');

-- phases of a sale ------------------------------------------------------------------

UPDATE crm.product SET category_id = (SELECT id FROM crm.product_category WHERE code = 'finance.intermediary.insurance') WHERE code IN ('WL', 'AC', 'ME');
INSERT INTO crm.sale_phase (campaign, phase, org_id, name, from_date, to_date, basis, category_id, target)
SELECT 'autumn', p.n, o.id, 'phase ' || p.n, p.f::date, p.t::date, p.basis, (SELECT id FROM crm.product_category WHERE code = p.category), 1000 * o.id
FROM crm.organisation o, (VALUES (1, '2025-09-01', '2025-09-01', 'premium', NULL), (2, '2025-09-01', '2025-11-30', 'premium', NULL), (3, '2025-09-01', '2025-11-30', 'amount', 'finance'),
                                 (4, '2023-12-31', '2024-01-02', 'balance', 'finance.savings'), (5, '2025-12-15', '2026-01-15', 'amount', NULL), (6, '2026-01-01', '2026-01-15', 'balance', NULL)) p (n, f, t, basis, category) WHERE o.level < 2;
SELECT pg_temp.same('SELECT phase, org_id, actual FROM crm_bi.sale_phase',
  $$SELECT p.phase, p.org_id, round(coalesce(CASE p.basis WHEN 'balance' THEN
      (SELECT sum((SELECT b.balance FROM crm.product_balance b WHERE b.customer_id = h.customer_id AND b.holding_id = h.id ORDER BY b.from_date LIMIT 1)) FROM crm.product_holding h JOIN crm_bi.customer c USING (customer_id)
       WHERE h.opened_on BETWEEN p.from_date AND least(p.to_date, '2025-12-31') AND c.org_id IN (SELECT descendant_id FROM crm.organisation_tree WHERE ancestor_id = p.org_id)
         AND (p.category_id IS NULL OR h.category_id IN (SELECT x.category_id FROM crm_bi.product_category x WHERE g.code IN (x.level_0, x.level_1, x.level_2))))
      ELSE (SELECT sum(CASE p.basis WHEN 'premium' THEN v.premium ELSE v.amount END) FROM crm_bi.policy v JOIN crm_bi.customer c USING (customer_id) JOIN crm.product r ON r.id = v.product_id
       WHERE v.issued_on BETWEEN p.from_date AND least(p.to_date, '2025-12-31') AND EXISTS (SELECT FROM crm.cover q WHERE q.policy_id = v.policy_id AND q.customer_id = v.customer_id AND q.from_date < q.to_date)
         AND c.org_id IN (SELECT descendant_id FROM crm.organisation_tree WHERE ancestor_id = p.org_id)
         AND (p.category_id IS NULL OR r.category_id IN (SELECT x.category_id FROM crm_bi.product_category x WHERE g.code IN (x.level_0, x.level_1, x.level_2)))) END, 0), 2)
    FROM crm.sale_phase p LEFT JOIN crm.product_category g ON g.id = p.category_id$$, 'what was sold in each phase');
SELECT cmp_ok((SELECT count(*) FROM crm_bi.sale_phase WHERE actual > 0), '>', 10::bigint, 'something was');
SELECT is_empty('SELECT * FROM crm_bi.sale_phase WHERE gap <> actual - target OR round(of_target, 4) <> round(actual / target, 4)', 'against its target');
SELECT pg_temp.same('SELECT a.phase, a.org_id, round(a.of_unit_above, 6) FROM crm_bi.sale_phase a', 'SELECT a.phase, a.org_id, round(a.actual / nullif(b.actual, 0), 6) FROM crm_bi.sale_phase a JOIN crm.organisation o ON o.id = a.org_id LEFT JOIN crm_bi.sale_phase b ON b.phase = a.phase AND b.org_id = o.parent_id', 'and against the unit above');
SELECT results_eq('SELECT DISTINCT phase, state FROM crm_bi.sale_phase ORDER BY 1', $$VALUES (1, 'over'), (2, 'over'), (3, 'over'), (4, 'over'), (5, 'running'), (6, 'ahead')$$, 'each has its state');
SELECT throws_ok(format('INSERT INTO crm.sale_phase (campaign, phase, org_id, name, from_date, to_date, basis, target) VALUES (%s)', v), e, NULL, 'no phase: ' || v)
FROM (VALUES ('''autumn'', 1, 1, ''x'', ''2025-01-01'', ''2025-01-01'', ''premium'', 1', '23505'), ('''x'', 0, 1, ''x'', ''2025-01-01'', ''2025-01-01'', ''premium'', 1', '23514'), ('''x'', 1, 1, ''x'', ''2025-01-02'', ''2025-01-01'', ''premium'', 1', '23514'),
             ('''x'', 1, 1, ''x'', ''2025-01-01'', ''2025-01-01'', ''luck'', 1', '23514'), ('''x'', 1, 1, ''x'', ''2025-01-01'', ''2025-01-01'', ''premium'', 0', '23514'), ('''x'', 1, 1, ''x'', ''2025-01-01'', ''2025-01-01'', ''premium'', ''NaN''', '23514'),
             ('''x'', 1, -1, ''x'', ''2025-01-01'', ''2025-01-01'', ''premium'', 1', '23503')) x (v, e);

-- who may what ------------------------------------------------------------------------

CREATE TEMP VIEW shown AS
SELECT c.oid, c.relname, (SELECT a.attname FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum = 1) AS key
FROM pg_class c WHERE c.relnamespace = 'crm_bi'::regnamespace AND c.relname IN ('organisation_tree', 'profit_entry', 'customer_profit', 'customer_structure', 'pareto', 'owned_product', 'purchase', 'purchase_history', 'rfm',
  'purchase_model', 'customer_forecast', 'product_rule', 'next_product', 'customer_lists', 'ready_list_member', 'ready_list', 'mining_project', 'mining_result', 'customer_wealth', 'customer_intention', 'intention_by_assets',
  'sale_phase', 'product_balance', 'over_limit', 'listed_customer');
SELECT is((SELECT count(*) FROM shown), 25::bigint, 'the views of value and mining are there');
SELECT is_empty($$SELECT s.relname, a.attname FROM shown s JOIN pg_attribute a ON a.attrelid = s.oid AND a.attnum > 0 WHERE col_description(s.oid, a.attnum) !~ '[一-龥]'$$, 'every column is told in Chinese, too');
SELECT is_empty(format('SELECT %L WHERE (SELECT count(*) <> count(DISTINCT %I) FROM crm_bi.%I)', relname, key, relname), 'the first column is a key: ' || relname) FROM shown;
SELECT throws_ok($$SELECT crm.ready_list_members('rich', '2025-12-31')$$, '42704', NULL, 'no such list');
SELECT throws_ok($$SELECT crm.ready_list_members(NULL, '2025-12-31')$$, '42704', NULL, 'nor none');
SELECT throws_ok($$SELECT crm.ready_list_members('vip', NULL)$$, '22004', NULL, 'nor on no day');
SET LOCAL ROLE crm_test_analyst;
SELECT lives_ok('SELECT * FROM crm_bi.' || v, 'an analyst reads ' || v)
FROM unnest(ARRAY['ready_list', 'ready_list_member', 'customer_lists', 'listed_customer', 'mining_project', 'mining_result', 'product_rule', 'next_product', 'customer_intention', 'intention_by_assets', 'sale_phase', 'owned_product']) v;
SELECT throws_ok($$SELECT crm.find_product_rules('2025-12-31')$$, '42501', NULL, 'but looks for no rules');
SELECT throws_ok($$SELECT crm.start_project('x', 1, '2025-01-01', '2025-02-01')$$, '42501', NULL, 'and starts no projects');
SET LOCAL ROLE crm_test_sales;
SELECT throws_ok($$SELECT crm.ready_list_members('vip', '2025-12-31')$$, '42501', NULL, 'sales read no lists');
SELECT throws_ok($$SELECT * FROM crm.next_products()$$, '42501', NULL, 'nor offers');
RESET ROLE;

-- real orders, long before the book: a basket is an order ------------------------------------------------------

\set source :data '/northwind/order_details.csv'
\setenv SOURCE :source
\set have `test -r "$SOURCE" && echo true || echo false`
\if :have
CREATE TEMPORARY TABLE detail (order_id bigint, product_id bigint, unit_price numeric, quantity numeric, discount numeric);
\set copy '\\copy detail from program ''cat "$SOURCE"'' with (format csv, header)'
:copy
INSERT INTO crm.product (id, code, name) SELECT DISTINCT 1000 + d.product_id, 'N' || d.product_id, 'x' FROM detail d;
DELETE FROM owned;
INSERT INTO crm.customer (id, kind, name, org_id, source_channel_id, known_from) SELECT DISTINCT 1000000 + d.order_id, 'company', 'x', 1, 1, '1900-01-01'::date FROM detail d;
INSERT INTO crm.product_holding (customer_id, category_id, product_id, opened_on) SELECT 1000000 + d.order_id, 11, 1000 + d.product_id, '1900-01-01' FROM detail d;
INSERT INTO owned SELECT DISTINCT 'product', 1000000 + d.order_id, 'product:N' || d.product_id FROM detail d;
SELECT crm.find_product_rules('1900-06-01', 'product', 0.002, 0.1, 1) AS northwind \gset
SELECT pg_temp.same(format('SELECT item_1, item_2, item, with_left, with_right, with_both FROM crm_bi.product_rule WHERE rule_set_id = %s', :northwind), $$SELECT * FROM pg_temp.naive_rules('product', 0.002, 0.1, 1)$$, 'rules of the orders of Northwind');
SELECT is((SELECT customers FROM crm.product_rule_set WHERE id = :northwind), 830::bigint, 'of 830 orders');
\else
SELECT skip('there is no folder northwind with data', 2);
\endif
SELECT * FROM finish();
ROLLBACK;
