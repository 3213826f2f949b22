-- Tiers and benefits on a random book: changes, balances and who is near the next tier against plain SQL over standings;
-- entitlements against the rules read one by one; uses, their limits and reversals; what is refused.
\set ON_ERROR_STOP on
SET client_min_messages = warning;
\ir ../oracle/oracle.sql
\ir ../oracle/random_book.sql
BEGIN;
SELECT no_plan();
SET LOCAL client_min_messages = warning;
\ir include/helpers.sql
SELECT is(left(pg_temp.refusal(format('DO $x$ BEGIN UPDATE crm.generation SET state = ''retired''; PERFORM * FROM crm.%s; END $x$', s)), 5), '55000', 'without standings: ' || s) FROM (VALUES
  ($$tier_changes('2020-01-01', '2020-01-31')$$), ($$tier_balance('2020-01-01')$$), ($$near_upgrade('2020-01-01')$$), ($$entitlements(1, '2020-01-01')$$)) v (s);

CALL oracle.random_book(33, 500, '2012-01-01', '2020-12-31');
INSERT INTO crm.setting (name, org_id, channel_id, valid_from, value) VALUES
  ('tier_scale', 103, NULL, '2016-01-01', 'lead, iron 50000, gold 200000'), ('tier_scale', NULL, 2, '2018-01-01', 'lead, diamond > 400000'), ('tier_scale', NULL, NULL, '2019-07-15', 'lead, ungraded 90000, iron 250000, gold 600000, platinum 900000');
CALL crm.rebuild('2020-06-20', NULL);
SET LOCAL crm.as_of = '2020-06-20';
CREATE TEMP TABLE st AS SELECT s.*, coalesce(s.valid_to, '2300-01-01') AS until FROM crm_bi.standing s;
CREATE INDEX ON st (customer_id);
CREATE FUNCTION pg_temp.below(unit bigint) RETURNS SETOF bigint LANGUAGE sql AS $$
  WITH RECURSIVE t AS (SELECT unit AS id UNION ALL SELECT o.id FROM t JOIN crm.organisation o ON o.parent_id = t.id) SELECT t.id FROM t
$$;

-- changes -------------------------------------------------------------------------

SELECT results_eq(format('SELECT c.from_org_id, c.to_org_id, c.from_channel, c.to_channel, c.kind, c.from_tier, c.to_tier, c.customers, c.from_amount, c.to_amount FROM crm.tier_changes(%L, %L) c ORDER BY 1, 2, 3, 4, 5, 6, 7', f, t),
  format($$SELECT o.org_id, n.org_id, o.channel, n.channel, n.kind, coalesce(o.tier, 'none'), n.tier, count(*), sum(coalesce(o.amount, 0)), sum(n.amount)
           FROM st n LEFT JOIN st o ON o.customer_id = n.customer_id AND o.valid_from < %1$L AND o.until >= %1$L
           WHERE n.valid_from <= %2$L AND n.until > %2$L GROUP BY 1, 2, 3, 4, 5, 6, 7 ORDER BY 1, 2, 3, 4, 5, 6, 7$$, f, t), format('%s to %s', f, t))
FROM (VALUES ('2019-01-01', '2019-12-31'), ('2020-02-29', '2020-02-29'), ('2012-01-01', '2020-06-20'), ('2018-01-01', '2018-01-31'), ('1950-01-01', '2199-12-31')) v (f, t);
SELECT results_eq($$SELECT c.from_tier, c.to_tier, sum(c.customers)::bigint FROM crm.tier_changes('2019-01-01', '2019-12-31', 102) c GROUP BY 1, 2 ORDER BY 1, 2$$,
  $$SELECT coalesce(o.tier, 'none'), n.tier, count(*) FROM st n LEFT JOIN st o ON o.customer_id = n.customer_id AND o.valid_from < '2019-01-01' AND o.until >= '2019-01-01'
    WHERE n.valid_from <= '2019-12-31' AND n.until > '2019-12-31' AND (n.org_id IN (SELECT pg_temp.below(102)) OR o.org_id IN (SELECT pg_temp.below(102))) GROUP BY 1, 2 ORDER BY 1, 2$$, 'of a subtree');
SELECT results_eq($$SELECT DISTINCT c.from_tier, c.to_tier, c.direction FROM crm.tier_changes('2012-01-01', '2020-06-20') c
                    UNION SELECT DISTINCT c.from_tier, c.to_tier, c.direction FROM crm.tier_changes('2019-01-01', '2019-12-31') c ORDER BY 1, 2$$,
  $$SELECT DISTINCT x.f, x.t, CASE WHEN x.f = x.t THEN 'same' WHEN x.f = 'none' THEN 'entered' WHEN x.t = 'none' THEN 'left'
           WHEN f.class_order > t.class_order THEN 'down' WHEN f.class_order < t.class_order THEN 'up' ELSE 'other' END
    FROM (SELECT DISTINCT coalesce(o.tier, 'none') AS f, n.tier AS t FROM (VALUES ('2012-01-01'::date, '2020-06-20'::date), ('2019-01-01', '2019-12-31')) p (s, e)
          JOIN st n ON n.valid_from <= p.e AND n.until > p.e LEFT JOIN st o ON o.customer_id = n.customer_id AND o.valid_from < p.s AND o.until >= p.s) x
    JOIN crm_bi.class f ON f.dimension = 'tier' AND f.class = x.f JOIN crm_bi.class t ON t.dimension = 'tier' AND t.class = x.t ORDER BY 1, 2$$, 'up and down by the scale');
SELECT is(crm._direction(a, b, a = b), d, format('%s to %s', a, b)) FROM (VALUES (0, 0, 'same'), (0, 3, 'entered'), (3, 0, 'left'), (1, 2, 'up'), (2, 1, 'down'), (1000, 2, 'other'), (2, 1000, 'other'), (1000, 0, 'left')) v (a, b, d);
SELECT cmp_ok((SELECT count(DISTINCT c.direction) FROM crm.tier_changes('2019-01-01', '2019-12-31') c), '>=', 5::bigint, 'the book has changes of all kinds');

CREATE TEMP TABLE month_end AS
SELECT m::date AS month, least((m + interval '1 month')::date - 1, '2020-06-20') AS day FROM generate_series('1990-01-01'::timestamp, '2020-06-01', '1 month') m;
SELECT results_eq('SELECT c.month, c.from_org_id, c.org_id, c.from_channel, c.channel, c.kind, c.from_tier, c.to_tier, c.customers, c.from_amount, c.to_amount FROM crm_bi.tier_change c ORDER BY 1, 2, 3, 4, 5, 6, 7, 8',
  $$SELECT m.month, o.org_id, n.org_id, o.channel, n.channel, n.kind, coalesce(o.tier, 'none'), n.tier, count(*), sum(coalesce(o.amount, 0)), sum(n.amount)
    FROM month_end m JOIN st n ON n.valid_from <= m.day AND n.until > m.day LEFT JOIN st o ON o.customer_id = n.customer_id AND o.valid_from < m.month AND o.until >= m.month
    WHERE n.tier <> coalesce(o.tier, 'none') GROUP BY 1, 2, 3, 4, 5, 6, 7, 8 ORDER BY 1, 2, 3, 4, 5, 6, 7, 8$$, 'month by month');
SELECT results_eq('SELECT t.month, t.org_id, t.channel, t.kind, t.tier, t.customers, t.amount FROM crm_bi.tier_month t ORDER BY 1, 2, 3, 4, 5',
  $$SELECT m.month, n.org_id, n.channel, n.kind, n.tier, count(*), sum(n.amount) FROM month_end m JOIN st n ON n.valid_from <= m.day AND n.until > m.day
    WHERE n.tier <> 'none' GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5$$, 'and the balances of each month');
SELECT results_eq($$SELECT b.home_org_id, b.channel, b.kind, b.tier, b.customers, b.amount, b.annual_premium FROM crm.tier_balance('2017-05-05') b ORDER BY 1, 2, 3, 4$$,
  $$SELECT n.org_id, n.channel, n.kind, n.tier, count(*), sum(n.amount),
           sum((SELECT coalesce(sum(p.annual_premium), 0) FROM crm.policy p WHERE p.customer_id = n.customer_id
                  AND EXISTS (SELECT FROM crm._cover_source c WHERE c.policy_id = p.id AND c.role = 'policyholder' AND c.from_date <= '2017-05-05' AND c.to_date > '2017-05-05')))
    FROM st n WHERE n.valid_from <= '2017-05-05' AND n.until > '2017-05-05' AND n.tier <> 'none' GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4$$, 'balances and premium of a day');
SELECT is((SELECT sum(b.customers) FROM crm.tier_balance('2020-06-20', 102) b), (SELECT count(*)::numeric FROM crm_bi.customer c WHERE c.tier <> 'none' AND c.org_id IN (SELECT pg_temp.below(102))), 'of a subtree');

-- near the next tier -----------------------------------------------------------------

-- by plain limits: those of today by unit 103 and below, channel 2 elsewhere, the company
CREATE TEMP TABLE limits AS
SELECT c.customer_id, c.amount, (SELECT min(l.limit) FROM unnest(CASE WHEN c.org_id IN (SELECT pg_temp.below(103)) THEN '{50000,200000}' WHEN h.id = 2 THEN '{400000.01}' ELSE '{90000,250000,600000,900000}' END::numeric[]) l ("limit") WHERE l.limit > c.amount) AS next
FROM crm_bi.customer c JOIN crm.channel h ON h.code = c.channel WHERE c.tier <> 'none';
SELECT results_eq('SELECT n.customer_id, n.amount, n.next_amount, n.gap FROM crm_bi.next_tier n ORDER BY 1', 'SELECT l.customer_id, l.amount, l.next, l.next - l.amount FROM limits l WHERE l.next IS NOT NULL ORDER BY 1', 'the next limit of each');
SELECT results_eq(format('SELECT n.customer_id, n.next_amount FROM crm.near_upgrade(''2020-06-20'', %s) n', p),
                  format('SELECT l.customer_id, l.next FROM limits l WHERE l.amount >= l.next * (1 - %s / 100.0) ORDER BY l.next - l.amount, l.customer_id', p), p || ' percent')
FROM unnest('{0,10,16.6666,50,100}'::numeric[]) p;
SELECT cmp_ok((SELECT count(*) FROM crm.near_upgrade('2020-06-20', 50)), '>', (SELECT count(*) FROM crm.near_upgrade('2020-06-20', 50, 103)), 'a subtree has fewer');
SELECT isnt_empty($$SELECT * FROM crm.near_upgrade('2020-06-20', 100, 103)$$, 'though some');
SELECT isnt((SELECT array_agg(n.customer_id) FROM crm.near_upgrade('2019-07-14', 10) n), (SELECT array_agg(n.customer_id) FROM crm.near_upgrade('2020-06-20', 10) n), 'the scale and the book of the day count');

SELECT is(split_part(pg_temp.refusal('SELECT * FROM crm.' || s), ' ', 1), c, s) FROM (VALUES
  ($$tier_changes(NULL, '2020-01-01')$$, '22004'), ($$tier_changes('2020-01-02', '2020-01-01')$$, '22023'), ($$tier_changes('-infinity', '2020-01-01')$$, '22023'), ($$tier_changes('2020-01-01', 'infinity')$$, '22023'),
  ($$tier_changes('2020-01-01', '2020-01-01', 99)$$, '22023'), ($$tier_balance(NULL)$$, '22004'), ($$tier_balance('infinity')$$, '22023'), ($$tier_balance('2020-01-01', 99)$$, '22023'), ($$near_upgrade(NULL)$$, '22004'), ($$near_upgrade('2020-01-01', NULL)$$, '22004'),
  ($$near_upgrade('2020-01-01', 'NaN')$$, '22023'), ($$near_upgrade('2020-01-01', -1)$$, '22023'), ($$near_upgrade('2020-01-01', 100.1)$$, '22023'), ($$near_upgrade('infinity')$$, '22023'), ($$near_upgrade('2020-01-01', 10, 99)$$, '22023')) v (s, c);

-- entitlements ---------------------------------------------------------------------

SELECT set_eq('SELECT code FROM crm.benefit', ARRAY['service_card', 'own_counter', 'emergency_help', 'check_up', 'merchant_offer'], 'shipped benefits');
INSERT INTO crm.benefit_rule (benefit, tier, org_id, channel_id, valid_from, quantity, period) VALUES
  ('service_card', NULL, NULL, NULL, '2010-01-01', NULL, 'ever'), ('service_card', 'none', 104, NULL, '2010-01-01', 1, 'ever'), ('check_up', 'gold', NULL, NULL, '2015-01-01', 1, 'year'), ('check_up', 'gold', NULL, NULL, '2020-01-01', 2, 'year'),
  ('check_up', 'platinum', NULL, NULL, '2015-01-01', 3, 'quarter'), ('check_up', NULL, 103, NULL, '2018-01-01', 1, 'month'), ('check_up', 'gold', 103, 2, '2018-01-01', 0, 'month'), ('check_up', NULL, 105, NULL, '2021-01-01', 9, 'day'),
  ('merchant_offer', NULL, NULL, 1, '2018-01-01', 12, 'month'), ('merchant_offer', 'lead', NULL, NULL, '2018-01-01', 5, 'day'), ('merchant_offer', 'lead', NULL, 1, '2020-06-20', 0, 'day'), ('own_counter', 'gold', 102, NULL, '2018-01-01', 4, 'quarter'),
  ('own_counter', NULL, 104, NULL, '2018-01-01', 7, 'quarter'), ('emergency_help', NULL, NULL, NULL, '2018-01-01', 1, 'year');
UPDATE crm.benefit SET from_date = '2020-06-01', to_date = '2020-06-21' WHERE code = 'emergency_help';
CREATE FUNCTION pg_temp.depth(above bigint, unit bigint) RETURNS integer LANGUAGE sql AS $$
  WITH RECURSIVE t AS (SELECT unit AS id, 0 AS n UNION ALL SELECT o.parent_id, t.n + 1 FROM t JOIN crm.organisation o ON o.id = t.id WHERE o.parent_id IS NOT NULL) SELECT t.n FROM t WHERE t.id = above
$$;
CREATE FUNCTION pg_temp.entitled(day date) RETURNS TABLE (customer_id bigint, benefit text, quantity integer, period text) LANGUAGE plpgsql AS $$
DECLARE
  n record;
  b crm.benefit;
  r crm.benefit_rule;
  best crm.benefit_rule;
  rank integer[];
  best_rank integer[];
BEGIN
  FOR n IN SELECT s.customer_id, s.org_id, s.tier, h.id AS channel_id FROM st s JOIN crm.channel h ON h.code = s.channel WHERE s.valid_from <= day AND s.until > day LOOP
    FOR b IN SELECT * FROM crm.benefit x WHERE x.from_date <= day AND (x.to_date IS NULL OR x.to_date > day) LOOP
      best := NULL;
      best_rank := NULL;
      FOR r IN SELECT * FROM crm.benefit_rule x WHERE x.benefit = b.code AND x.valid_from <= day LOOP
        CONTINUE WHEN r.org_id IS NOT NULL AND pg_temp.depth(r.org_id, n.org_id) IS NULL OR r.channel_id <> n.channel_id OR coalesce(r.tier <> n.tier, n.tier = 'none');
        rank := ARRAY[coalesce(-pg_temp.depth(r.org_id, n.org_id), -1000), (r.channel_id IS NOT NULL)::integer, (r.tier IS NOT NULL)::integer, r.valid_from - '1900-01-01'::date];
        IF best_rank IS NULL OR rank > best_rank THEN
          best := r;
          best_rank := rank;
        END IF;
      END LOOP;
      IF best.quantity IS DISTINCT FROM 0 AND best.id IS NOT NULL THEN
        RETURN QUERY SELECT n.customer_id, b.code, best.quantity, best.period;
      END IF;
    END LOOP;
  END LOOP;
END
$$;
SELECT results_eq('SELECT e.customer_id, e.benefit, e.quantity, e.period FROM crm_bi.entitlement e ORDER BY 1, 2', $$SELECT * FROM pg_temp.entitled('2020-06-20') ORDER BY 1, 2$$, 'what each rule gives');
CREATE TEMP TABLE sample AS SELECT c.id AS customer_id FROM crm.customer c WHERE c.id % 7 = 0;
SELECT results_eq(format('SELECT s.customer_id, e.benefit, e.quantity, e.period FROM sample s CROSS JOIN LATERAL crm.entitlements(s.customer_id, %L) e ORDER BY 1, 2', d),
                  format('SELECT e.* FROM sample s JOIN pg_temp.entitled(%L) e USING (customer_id) ORDER BY 1, 2', d), 'on ' || d) FROM unnest('{2016-02-29,2019-12-31,2020-06-21,2021-01-01}'::date[]) d;
SELECT throws_ok('SELECT * FROM crm.entitlements(NULL, ''2020-01-01'')', '22004', NULL, 'entitlements of nobody');
SELECT throws_ok('SELECT * FROM crm.entitlements(1, NULL)', '22004', NULL, 'on no day');
SELECT is_empty('SELECT * FROM crm.entitlements(1, ''2020-01-01'')', 'a stranger has none');
SELECT is(split_part(pg_temp.refusal('INSERT INTO crm.benefit_rule (benefit, tier, org_id, quantity, period, valid_from) VALUES ' || v), ' ', 1), c, v) FROM (VALUES
  ($$('massage', 'gold', NULL, 1, 'year', '2020-01-01')$$, '23503'), ($$('check_up', 'tin', NULL, 1, 'year', '2020-01-01')$$, '22023'), ($$('check_up', 'gold', 99, 1, 'year', '2020-01-01')$$, '23503'),
  ($$('check_up', 'gold', NULL, -1, 'year', '2020-02-01')$$, '23514'), ($$('check_up', 'gold', NULL, 1, 'week', '2020-02-01')$$, '23514'), ($$('check_up', 'gold', NULL, 1, 'year', '2020-01-01')$$, '23505'),
  ($$('check_up', 'gold', NULL, 1, 'year', 'infinity')$$, '23514')) b (v, c);

-- use, by the clock ------------------------------------------------------------------

RESET crm.as_of;
INSERT INTO crm.staff (id, code, name, org_id, channel_id, joined_on, left_on, login) VALUES (1, 's1', 'One', 104, 1, '2020-01-01', NULL, 'one'), (2, 's2', 'Two', 104, 1, '2020-01-01', '2021-01-01', NULL);
INSERT INTO crm.customer (id, kind, name, org_id, source_channel_id, known_from) VALUES (1, 'person', 'Wang', 112, 3, '2020-01-01'), (2, 'person', 'Li', 112, 3, '2020-01-01');
INSERT INTO crm.policy (customer_id, id, product_id, channel_id, issued_on, payment, premium) VALUES (1, 1, 1, 3, '2020-01-01', 'single', 700000), (1, 2, 1, 3, '2020-01-01', 'single', 10);
DELETE FROM crm.benefit_rule;
INSERT INTO crm.benefit_rule (benefit, tier, quantity, period) VALUES ('check_up', 'gold', 3, 'year'), ('check_up', 'lead', 1, 'year'), ('service_card', NULL, NULL, 'ever'), ('own_counter', 'platinum', 1, 'year'), ('merchant_offer', NULL, 1, 'ever');
SELECT is(pg_temp.refusal($$SELECT crm.use_benefit(1, 'check_up', 1)$$), '23514 customer "1" is not entitled to "check_up"', 'who has no standing yet is not entitled');
SELECT crm.post() \gset
SELECT is(pg_temp.refusal(s), r, d) FROM (VALUES
  ($$SELECT crm.use_benefit(1, 'check_up', 1)$$, 'taken', 'one'), ($$SELECT crm.use_benefit(1, 'check_up', 1, 3)$$, '53400 customer "1" has used up "check_up"', 'three more are too many'), ($$SELECT crm.use_benefit(1, 'check_up', 1, 2, 'both')$$, 'taken', 'two are not'),
  ($$SELECT crm.use_benefit(1, 'check_up', 1)$$, '53400 customer "1" has used up "check_up"', 'now it is used up'), ($$SELECT crm.use_benefit(1, 'own_counter', 1)$$, '23514 customer "1" is not entitled to "own_counter"', 'that is for platinum'),
  ($$SELECT crm.use_benefit(2, 'service_card', 1)$$, '23514 customer "2" is not entitled to "service_card"', 'who is not insured has nothing by a rule for every tier'), ($$SELECT crm.use_benefit(1, 'service_card', 1, 1000000)$$, 'taken', 'without limit'),
  ($$SELECT crm.use_benefit(1, 'merchant_offer', 1)$$, 'taken', 'once'), ($$SELECT crm.use_benefit(1, 'merchant_offer', 1)$$, '53400 customer "1" has used up "merchant_offer"', 'for ever'),
  ($$SELECT crm.use_benefit(1, 'check_up', 1, 0)$$, '22023 quantity "0" cannot be used', 'nothing'), ($$SELECT crm.use_benefit(1, 'check_up', 1, NULL)$$, '22023 quantity "<NULL>" cannot be used', 'no quantity'),
  ($$SELECT crm.use_benefit(1, 'massage', 1)$$, '23503 there is no benefit "massage"', 'no such benefit'), ($$SELECT crm.use_benefit(99, 'check_up', 1)$$, '23503 there is no customer "99"', 'no such customer'),
  ($$SELECT crm.use_benefit(NULL, 'check_up', 1)$$, '22004 customer and benefit must be given', 'no customer'), ($$SELECT crm.use_benefit(1, NULL, 1)$$, '22004 customer and benefit must be given', 'no benefit'),
  ($$SELECT crm.use_benefit(1, 'check_up', NULL)$$, '22004 the member of staff must be given', 'nobody'), ($$SELECT crm.use_benefit(1, 'check_up', 2)$$, '55000 staff member "2" is not in post', 'who has left'),
  ($$SELECT crm.use_benefit(1, 'check_up', 1, 2147483647)$$, '53400 customer "1" has used up "check_up"', 'very many')) v (s, r, d);
SELECT results_eq('SELECT benefit, quantity, used, remaining FROM crm.entitlements(1, crm.today())', $$VALUES ('check_up', 3, 3::bigint, 0::bigint), ('merchant_offer', 1, 1, 0), ('service_card', NULL, 1000000, NULL)$$, 'what is left');
SELECT is((SELECT count(*) FROM crm.benefit_use), 4::bigint, 'what was refused left nothing');
SET LOCAL crm.language = 'zh';
SELECT is((SELECT name FROM crm.entitlements(1, crm.today()) WHERE benefit = 'check_up'), '健康体检', 'benefits have Chinese names');
RESET crm.language;

SELECT min(id) AS first_use FROM crm.benefit_use \gset
SELECT is(pg_temp.refusal(format(s, :first_use)), r, d) FROM (VALUES
  ('SELECT crm.reverse_benefit(1, %s, NULL)', '23514 a reversal needs a reason', 'no reason'), ('SELECT crm.reverse_benefit(1, %s, '' '')', '23514 a reversal needs a reason', 'a blank one'), ('SELECT crm.reverse_benefit(1, -%s, ''x'')', '22023 customer "1" has no use "-1" of a benefit', 'no use'),
  ('SELECT crm.reverse_benefit(2, %s, ''x'')', '22023 customer "2" has no use "1" of a benefit', 'of another customer'), ('SELECT crm.reverse_benefit(1, %s, ''a mistake'')', 'taken', 'reversed'),
  ('SELECT crm.reverse_benefit(1, %s, ''again'')', '55000 use "1" of customer "1" is reversed already', 'once')) v (s, r, d) WHERE :first_use = 1;
SELECT is((SELECT remaining FROM crm.entitlements(1, crm.today()) WHERE benefit = 'check_up'), 1::bigint, 'a reversal gives back');
SELECT ok(crm.use_benefit(1, 'check_up', 1) > 0, 'what can be used again');

-- a downgrade leaves the uses alone
INSERT INTO crm.policy_event (customer_id, policy_id, kind, on_date, reason) VALUES (1, 1, 'end', '2021-01-01', 'surrender');
SELECT crm.post() \gset
SELECT results_eq('SELECT tier, quantity, used, remaining FROM crm.entitlements(1, crm.today()) WHERE benefit = ''check_up''', $$VALUES ('lead', 1, 3::bigint, -2::bigint)$$, 'who sank has used more than is left');
SELECT is(pg_temp.refusal($$SELECT crm.use_benefit(1, 'check_up', 1)$$), '53400 customer "1" has used up "check_up"', 'and uses no more');
SELECT results_eq('SELECT tier, quantity, reversed_at IS NULL FROM crm.benefit_use WHERE benefit = ''check_up'' ORDER BY id', $$VALUES ('gold', 1, false), ('gold', 2, true), ('gold', 1, true)$$, 'the uses stand as they were');
SELECT results_eq('SELECT benefit, tier, org_id, channel, uses, quantity, customers, reversed_uses, reversed_quantity FROM crm_bi.benefit_month ORDER BY 1',
                  $$VALUES ('check_up', 'gold', 112::bigint, 'group', 2::bigint, 3::bigint, 1::bigint, 1::bigint, 1::bigint), ('merchant_offer', 'gold', 112, 'group', 1, 1, 1, 0, 0), ('service_card', 'gold', 112, 'group', 1, 1000000, 1, 0, 0)$$, 'and are reported by tier at the time');
UPDATE crm.benefit_rule SET period = 'month' WHERE benefit = 'check_up';
SELECT is((SELECT used FROM crm.entitlements(1, crm.today()) WHERE benefit = 'check_up'), 3::bigint, 'another period counts the same uses');

-- rights and views -----------------------------------------------------------------

CREATE ROLE crm_test_analyst; CREATE ROLE crm_test_manager; CREATE ROLE crm_test_sales;
CALL crm.grant_duty('analyst', 'crm_test_analyst'); CALL crm.grant_duty('manager', 'crm_test_manager'); CALL crm.grant_duty('sales', 'crm_test_sales');
CREATE TEMP TABLE shown AS
SELECT c.oid, c.relname, (SELECT a.attname FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum = 1) AS key
FROM pg_class c WHERE c.relnamespace = 'crm_bi'::regnamespace AND c.relname IN ('tier_change', 'tier_month', 'next_tier', 'benefit', 'benefit_rule', 'entitlement', 'benefit_use', 'benefit_month');
SELECT is((SELECT count(*) FROM shown), 8::bigint, 'the views are there');
GRANT SELECT ON shown TO crm_test_analyst;
SET LOCAL ROLE crm_test_analyst;
CREATE TEMP TABLE seen AS SELECT s.relname, pg_temp.rows_of(s.relname, s.key) AS n FROM shown s;
SELECT isnt_empty($$SELECT * FROM crm.tier_changes('2019-01-01', '2019-12-31')$$, 'an analyst asks for changes');
SELECT isnt_empty('SELECT * FROM crm.near_upgrade(''2020-01-01'', 100)', 'and who is near the next tier, as the view of today shows');
RESET ROLE;
SELECT is_empty('SELECT relname, n FROM seen WHERE n[1] = 0', 'an analyst sees rows in every view');
SELECT is_empty('SELECT relname, n FROM seen WHERE n[1] <> n[2]', 'the first column of each is a key');
SELECT is_empty($$SELECT s.relname, a.attname FROM shown s JOIN pg_attribute a ON a.attrelid = s.oid AND a.attnum > 0 WHERE col_description(s.oid, a.attnum) !~ '[一-龥]'$$, 'every column is told in Chinese, too');
SET LOCAL ROLE crm_test_sales;
SELECT is(left(pg_temp.refusal($$SELECT crm.use_benefit(1, 'service_card', 1)$$), 5), '42501', 'sales gives for nobody else');
SELECT is(left(pg_temp.refusal('DELETE FROM crm.benefit_use'), 5), '42501', 'and deletes nothing');
SET LOCAL ROLE crm_test_manager;
SELECT ok(crm.use_benefit(1, 'service_card', 1) > 0, 'a manager gives for anyone');
SELECT is(left(pg_temp.refusal('UPDATE crm.benefit_use SET quantity = 0'), 5), '42501', 'but changes no use');
RESET ROLE;
RESET ROLE;
SELECT crm.post();
SELECT is_empty('SELECT * FROM crm.check()', 'what must hold holds');
SELECT * FROM finish();
ROLLBACK;
