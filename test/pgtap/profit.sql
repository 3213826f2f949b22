-- Profit, structure, concentration, scores and purchase models of a random book against plain SQL over the tables.
BEGIN;
SELECT no_plan();
\ir include/helpers.sql
SET LOCAL client_min_messages = warning;
CREATE ROLE crm_test_analyst; CREATE ROLE crm_test_manager; CREATE ROLE crm_test_sales;
CALL crm.grant_duty('analyst', 'crm_test_analyst');
CALL crm.grant_duty('manager', 'crm_test_manager');
CALL crm.grant_duty('sales', 'crm_test_sales');
CALL crm.generate(customers => 1500, seed => 21, as_of => '2025-12-31', units => ARRAY[3, 6, 12]);
CALL crm.rebuild('2025-12-31', NULL);
SET LOCAL crm.as_of = '2025-12-31';

-- some receipts are reversed, some costs belong to no policy, some commissions are taken back
INSERT INTO crm.premium_due (customer_id, policy_id, number, due_on, amount)
SELECT p.customer_id, p.id, n, p.issued_on + 365 * (n - 1), greatest(p.premium, 1) FROM crm.policy p, generate_series(1, 3) n WHERE p.issued_on > '2021-01-01';
INSERT INTO crm.premium_receipt (customer_id, policy_id, id, number, received_on, amount, reverses, reason)
SELECT d.customer_id, d.policy_id, d.number, d.number, d.due_on + (hashint8(d.policy_id + d.number) & 31), d.amount, NULL, NULL FROM crm.premium_due d
UNION ALL
SELECT d.customer_id, d.policy_id, 10 + d.number, d.number, d.due_on + 40, d.amount, d.number, 'bounced' FROM crm.premium_due d WHERE hashint8(d.policy_id * 7 + d.number) & 15 = 0;
INSERT INTO crm.policy_claim (customer_id, policy_id, kind, occurred_on, reported_on, outcome, decided_on, paid_amount, paid_on)
SELECT p.customer_id, p.id, 'illness', p.issued_on + 100, p.issued_on + 101, 'accepted', p.issued_on + 110, round(p.premium * (hashint8(p.id) & 7), 2), p.issued_on + 120
FROM crm.policy p WHERE hashint8(p.id + 7) & 7 = 1;
INSERT INTO crm.policy_claim (customer_id, policy_id, kind, occurred_on, reported_on) SELECT p.customer_id, p.id, 'death', '2025-06-01', '2025-06-02' FROM crm.policy p WHERE p.id % 50 = 1;
INSERT INTO crm.customer_cost (customer_id, policy_id, kind, incurred_on, amount)
SELECT p.customer_id, CASE WHEN p.id % 3 > 0 THEN p.id END, (SELECT k.code FROM crm.cost_kind k ORDER BY hashtext(k.code || p.id) LIMIT 1), p.issued_on + 5, CASE WHEN p.id % 17 = 0 THEN -3 ELSE 20 + p.id % 90 END
FROM crm.policy p;
INSERT INTO crm.customer_cost (customer_id, kind, incurred_on, amount) SELECT c.id, 'visit', '2025-03-03', 11.11 FROM crm.customer c WHERE c.id % 10 = 3;
INSERT INTO crm.commission (customer_id, policy_id, kind, staff_id, earned_on, amount)
SELECT p.customer_id, p.id, k.kind, p.servicer_id, p.issued_on + k.days, k.sign * greatest(round(p.annual_premium * 0.1, 2), 0.01)
FROM crm.policy p, (VALUES ('first_year', 3, 1), ('clawback', 300, -1)) k (kind, days, sign) WHERE k.sign = 1 OR p.id % 9 = 0;

-- profit ---------------------------------------------------------------------

CREATE FUNCTION pg_temp.entries(f date, t date) RETURNS TABLE (customer_id bigint, policy_id bigint, premium numeric, claims numeric, selling numeric, servicing numeric, commission numeric)
LANGUAGE sql AS $$
  SELECT customer_id, policy_id, amount, 0.0, 0.0, 0.0, 0.0 FROM crm.premium_receipt WHERE reverses IS NULL AND received_on >= f AND received_on <= t
  UNION ALL SELECT customer_id, policy_id, -amount, 0, 0, 0, 0 FROM crm.premium_receipt WHERE reverses IS NOT NULL AND received_on >= f AND received_on <= t
  UNION ALL SELECT customer_id, policy_id, 0, paid_amount, 0, 0, 0 FROM crm.policy_claim WHERE paid_on >= f AND paid_on <= t
  UNION ALL SELECT customer_id, policy_id, 0, 0, amount, 0, 0 FROM crm.customer_cost WHERE kind IN (SELECT code FROM crm.cost_kind WHERE purpose = 'selling') AND incurred_on >= f AND incurred_on <= t
  UNION ALL SELECT customer_id, policy_id, 0, 0, 0, amount, 0 FROM crm.customer_cost WHERE kind IN (SELECT code FROM crm.cost_kind WHERE purpose = 'servicing') AND incurred_on >= f AND incurred_on <= t
  UNION ALL SELECT customer_id, policy_id, 0, 0, 0, 0, amount FROM crm.commission WHERE earned_on >= f AND earned_on <= t
$$;
CREATE TEMP TABLE period (f date, t date);
INSERT INTO period VALUES ('2025-01-01', '2025-12-31'), ('2023-04-17', '2024-02-29'), ('2024-05-05', '2024-05-05'), ('2026-02-01', '2026-12-31');
SELECT pg_temp.same(format('SELECT * FROM crm.customer_profit(%L, %L)', f, t),
              format('SELECT customer_id, sum(premium), sum(claims), sum(selling), sum(servicing), sum(commission), sum(premium) - sum(claims) - sum(selling) - sum(servicing) - sum(commission) FROM pg_temp.entries(%L, %L) GROUP BY 1', f, t),
              format('profit of each customer from %s to %s', f, t)) FROM period;
SELECT cmp_ok((SELECT count(*) FROM crm.customer_profit('2025-01-01', '2025-12-31')), '>', 100::bigint, 'there are some');
SELECT pg_temp.same('SELECT customer_id, premium, profit, premium_year, profit_year FROM crm_bi.customer_profit',
              $$SELECT customer_id, sum(premium), sum(premium - claims - selling - servicing - commission), coalesce(sum(premium) FILTER (WHERE y), 0), coalesce(sum(premium - claims - selling - servicing - commission) FILTER (WHERE y), 0)
                FROM (SELECT *, false AS y FROM pg_temp.entries('1900-01-01', '2024-12-31') UNION ALL SELECT *, true FROM pg_temp.entries('2025-01-01', '2025-12-31')) e GROUP BY 1$$, 'the view gives all time and the last year');
SELECT results_eq('SELECT count(*), count(DISTINCT profit_entry_key), sum(profit) FROM crm_bi.profit_entry', $$SELECT count(*), count(*), sum(premium - claims - selling - servicing - commission) FROM pg_temp.entries('1900-01-01', '2025-12-31')$$, 'entries of today and before');
SELECT is(current_setting('crm.as_of'), '2025-12-31', 'the functions leave the day asked for as it was');
CREATE TEMP TABLE concentration AS SELECT * FROM crm.pareto('2024-02-05', '2025-02-03', 'amount');
CREATE TEMP TABLE score AS SELECT * FROM crm.rfm('2025-02-03');
SET LOCAL DateStyle = 'SQL, DMY';
SELECT pg_temp.same($$SELECT * FROM crm.pareto('2024-02-05'::date, date '2025-02-03', 'amount')$$, 'TABLE concentration', 'under another DateStyle the day is the same');
SELECT pg_temp.same($$SELECT * FROM crm.rfm(date '2025-02-03')$$, 'TABLE score', 'of scores too');
RESET DateStyle;
SELECT isnt_empty('SELECT FROM concentration WHERE value > 0', 'and there are some');

-- structure ------------------------------------------------------------------

-- each class by its own query over the customers of the day
CREATE FUNCTION pg_temp.naive_structure(dimension text, f date, t date, org bigint) RETURNS TABLE (class text, customers bigint, premium numeric, selling numeric, profit numeric)
LANGUAGE plpgsql AS $$
DECLARE
  was text := current_setting('crm.as_of');
BEGIN
  PERFORM set_config('crm.as_of', t::text, true);
  CREATE TEMP TABLE day ON COMMIT DROP AS
  SELECT c.customer_id, c.coverage, c.org_id,
         CASE dimension WHEN 'tier' THEN c.tier WHEN 'coverage' THEN coalesce(c.coverage, 'none') WHEN 'activity' THEN c.activity WHEN 'channel' THEN c.channel WHEN 'kind' THEN c.kind
           WHEN 'age' THEN CASE WHEN c.birth_date IS NULL THEN 'unknown' WHEN c.birth_date + interval '18 years' > t THEN '0-17' WHEN c.birth_date + interval '25 years' > t THEN '18-24'
             WHEN c.birth_date + interval '35 years' > t THEN '25-34' WHEN c.birth_date + interval '45 years' > t THEN '35-44' WHEN c.birth_date + interval '55 years' > t THEN '45-54'
             WHEN c.birth_date + interval '65 years' > t THEN '55-64' ELSE '65+' END
           WHEN 'unit' THEN (WITH RECURSIVE up AS (SELECT o.id, o.parent_id, o.code FROM crm.organisation o WHERE o.id = c.org_id
                                                   UNION ALL SELECT o.id, o.parent_id, o.code FROM up JOIN crm.organisation o ON o.id = up.parent_id WHERE up.id IS DISTINCT FROM org)
                             SELECT up.code FROM up WHERE up.parent_id IS NOT DISTINCT FROM org OR up.id = c.org_id AND up.id = org ORDER BY up.id DESC LIMIT 1) END AS class
  FROM crm_bi.customer c
  WHERE org IS NULL OR c.org_id IN (WITH RECURSIVE down AS (SELECT org AS id UNION ALL SELECT o.id FROM down JOIN crm.organisation o ON o.parent_id = down.id) SELECT id FROM down);
  PERFORM set_config('crm.as_of', was, true);
  RETURN QUERY
  SELECT d.class, count(DISTINCT d.customer_id), coalesce(sum(e.premium), 0), coalesce(sum(e.selling), 0), coalesce(sum(e.premium - e.claims - e.selling - e.servicing - e.commission), 0)
  FROM day d LEFT JOIN pg_temp.entries(f, t) e ON e.customer_id = d.customer_id
  WHERE d.coverage IS NOT NULL OR e.customer_id IS NOT NULL
  GROUP BY 1;
  DROP TABLE day;
END
$$;
SELECT pg_temp.same(format('SELECT class, customers, premium, selling_cost, profit FROM crm.customer_structure(%L, %L, %L, %s)', d, f, t, coalesce(o::text, 'NULL')),
              format('SELECT * FROM pg_temp.naive_structure(%L, %L, %L, %s)', d, f, t, coalesce(o::text, 'NULL')), format('structure by %s on %s, unit %s', d, t, coalesce(o::text, 'all')))
FROM unnest(ARRAY['tier', 'coverage', 'activity', 'channel', 'kind', 'age', 'unit']) d, (VALUES ('2025-01-01'::date, '2025-12-31'::date, NULL::bigint), ('2023-04-17', '2024-02-29', 1), ('2023-04-17', '2024-02-29', 2)) p (f, t, o);
SELECT pg_temp.same($$SELECT class, customers, premium, profit FROM crm.customer_structure('line', '2025-01-01', '2025-12-31')$$,
              $$SELECT line, count(DISTINCT customer_id), sum(premium), sum(profit)
                FROM (SELECT e.customer_id, coalesce(r.line, 'none') AS line, e.premium, e.premium - e.claims - e.selling - e.servicing - e.commission AS profit
                      FROM pg_temp.entries('2025-01-01', '2025-12-31') e LEFT JOIN crm.policy p ON p.id = e.policy_id LEFT JOIN crm.product r ON r.id = p.product_id
                      UNION ALL SELECT v.customer_id, v.product_line, 0, 0 FROM crm_bi.policy v WHERE v.in_force) x GROUP BY 1$$, 'structure by line');
SELECT is_empty($$SELECT d.dimension, s.class FROM unnest(ARRAY['tier', 'line', 'unit']) AS d (dimension), crm.customer_structure(d.dimension, '2025-01-01', '2025-12-31') s
                  WHERE s.customer_share <> s.customers::numeric / s.all_customers OR s.profit_share <> s.profit / s.all_profit OR s.premium_share <> s.premium / s.all_premium$$, 'shares are of all');
SELECT is_empty($$SELECT * FROM (SELECT s.*, sum(profit) OVER (ORDER BY profit DESC, class) AS so_far, count(*) OVER (ORDER BY profit DESC, class) AS n, count(*) OVER () AS classes
                                FROM crm.customer_structure('age', '2025-01-01', '2025-12-31') s) s
                  WHERE round(s.cumulative_profit_share, 10) <> round(s.so_far / s.all_profit, 10) OR s.n = s.classes AND (s.cumulative_profit_share <> 1 OR s.cumulative_customer_share <> 1)$$, 'and add up to 1');
SELECT pg_temp.same($$SELECT class, customers, profit FROM crm_bi.customer_structure WHERE dimension = 'tier'$$, $$SELECT class, customers, profit FROM crm.customer_structure('tier', '2025-01-01', '2025-12-31')$$, 'the view is of the last year');
SELECT is((SELECT count(*) FROM crm_bi.customer_structure), (SELECT count(DISTINCT customer_structure_key) FROM crm_bi.customer_structure), 'with a key');

-- concentration ----------------------------------------------------------------

CREATE TEMP TABLE naive_value AS
SELECT b.basis, c.customer_id, CASE b.basis WHEN 'amount' THEN c.amount WHEN 'premium' THEN coalesce(e.premium, 0) ELSE coalesce(e.profit, 0) END AS value
FROM unnest(ARRAY['premium', 'profit', 'amount']) b (basis), crm_bi.customer c
LEFT JOIN (SELECT customer_id, sum(premium) AS premium, sum(premium - claims - selling - servicing - commission) AS profit FROM pg_temp.entries('2025-01-01', '2025-12-31') GROUP BY 1) e USING (customer_id)
WHERE c.coverage = 'insured' OR b.basis <> 'amount' AND e.customer_id IS NOT NULL;
SELECT pg_temp.same(format($$SELECT customer_id, value, place, customers, round(cumulative_share, 9), abc, in_top_fifth FROM crm.pareto('2025-01-01', '2025-12-31', %L)$$, b),
              format($$SELECT customer_id, value, place, n, round(upto / total, 9), CASE WHEN before / total < 0.8 THEN 'A' WHEN before / total < 0.95 THEN 'B' ELSE 'C' END, place <= ceil(n / 5.0)
                       FROM (SELECT v.*, row_number() OVER (ORDER BY value DESC, customer_id) AS place, count(*) OVER () AS n, sum(value) OVER () AS total,
                                    (SELECT sum(o.value) FROM naive_value o WHERE o.basis = v.basis AND o.value >= v.value) AS upto,
                                    (SELECT coalesce(sum(o.value), 0) FROM naive_value o WHERE o.basis = v.basis AND o.value > v.value) AS before
                             FROM naive_value v WHERE basis = %L) v$$, b), 'who brings how much by ' || b)
FROM unnest(ARRAY['premium', 'profit', 'amount']) b;
SELECT pg_temp.same($$SELECT customer_id, abc FROM crm_bi.pareto WHERE basis = 'profit'$$, $$SELECT customer_id, abc FROM crm.pareto('2025-01-01', '2025-12-31', 'profit')$$, 'the view is of the last year');
SELECT ok(sum(value) FILTER (WHERE in_top_fifth) / sum(value) BETWEEN crm.pareto_share(value::float8, 0.2) AND crm.pareto_share(value::float8, 0.2) + 0.01, 'the top fifth brings what crm.pareto_share says') FROM crm.pareto('2025-01-01', '2025-12-31', 'amount');

-- over the limits ----------------------------------------------------------------

INSERT INTO crm.product_holding (customer_id, id, category_id, opened_on, closed_on)
SELECT c.id, k, g.id, c.known_from + (50 * k)::integer, CASE WHEN (c.id + k) % 3 = 0 THEN c.known_from + 900 END
FROM crm.customer c, generate_series(1, 2) k, crm.product_category g WHERE c.id % 3 = 0 AND c.known_from < '2024-06-01' AND g.code = CASE c.id % 2 WHEN 0 THEN 'finance.savings.fixed' ELSE 'finance.lending.small-loans' END;
INSERT INTO crm.product_balance (customer_id, holding_id, from_date, balance)
SELECT h.customer_id, h.id, h.opened_on + 97 * k, hashint8(h.customer_id * 10 + k) & 65535 FROM crm.product_holding h, generate_series(0, 6) k WHERE coalesce(h.opened_on + 97 * k < h.closed_on, true);
CREATE FUNCTION pg_temp.naive_limit(basis text, org bigint) RETURNS TABLE (month_end date, customers bigint, over_low bigint, over_high bigint) LANGUAGE sql AS $$
  SELECT m.d, count(*), count(*) FILTER (WHERE v.value > 10000), count(*) FILTER (WHERE v.value > 50000)
  FROM (SELECT (date '2023-01-01' + make_interval(months => k) - interval '1 day')::date AS d FROM generate_series(1, 36) k) m
  CROSS JOIN LATERAL (
    SELECT CASE basis WHEN 'balance' THEN 0 ELSE s.amount END
           + CASE basis WHEN 'amount' THEN 0 ELSE coalesce((SELECT sum((SELECT b.balance FROM crm.product_balance b WHERE (b.customer_id, b.holding_id) = (h.customer_id, h.id) AND b.from_date <= m.d ORDER BY b.from_date DESC LIMIT 1))
                      FROM crm.product_holding h JOIN crm.product_category g ON g.id = h.category_id AND g.nature = 'asset'
                      WHERE h.customer_id = s.customer_id AND h.opened_on <= m.d AND coalesce(h.closed_on > m.d, true)), 0) END AS value
    FROM crm_bi.standing s
    WHERE s.coverage IS NOT NULL AND s.valid_from <= m.d AND coalesce(s.valid_to > m.d, true)
      AND (org IS NULL OR s.org_id IN (SELECT descendant_id FROM crm.organisation_tree WHERE ancestor_id = org))) v
  GROUP BY 1
$$;
SELECT pg_temp.same(format($$SELECT month_end, customers, over_low, over_high FROM crm.over_limit('2023-01-15', '2025-12-31', %s, %L)$$, coalesce(o::text, 'NULL'), b),
              format('SELECT * FROM pg_temp.naive_limit(%L, %s)', b, coalesce(o::text, 'NULL')), format('shares over limits by %s, unit %s', b, o))
FROM (VALUES ('amount', NULL::bigint), ('balance', NULL), ('assets', NULL), ('assets', 2)) v (b, o);
SELECT is_empty($$SELECT * FROM crm.over_limit('2025-01-01', '2025-12-31') WHERE share_over_low <> over_low::numeric / customers OR share_over_high <> over_high::numeric / customers OR high_of_low <> over_high::numeric / over_low$$, 'shares are of their denominators');
SELECT results_eq('SELECT basis, month_end, over_10000 FROM crm_bi.over_limit ORDER BY 1, 2', $$SELECT b, (l).month_end, (l).over_low FROM (SELECT b, crm.over_limit('2024-12-31', '2025-12-31', NULL, b) AS l FROM unnest(ARRAY['amount', 'assets', 'balance']) b) l ORDER BY 1, 2$$, 'the view is of the last year');

-- recency, frequency, money --------------------------------------------------------

CREATE FUNCTION pg_temp.naive_purchases(d date) RETURNS TABLE (customer_id bigint, day date, amount numeric) LANGUAGE sql AS $$
  SELECT p.customer_id, p.issued_on, sum(p.amount) FROM crm.policy p
  WHERE p.issued_on <= d AND EXISTS (SELECT FROM crm._cover_source s WHERE s.policy_id = p.id AND s.customer_id = p.customer_id AND s.from_date < s.to_date) GROUP BY 1, 2
$$;
CREATE TEMP TABLE h AS SELECT d.d, p.customer_id, max(p.day) AS l, min(p.day) AS f, count(*) AS n, sum(p.amount) AS m
FROM (VALUES ('2025-12-31'::date), ('2023-05-05')) d (d), pg_temp.naive_purchases(d.d) p GROUP BY 1, 2;
SELECT pg_temp.same($$SELECT customer_id, purchases, first_on, last_on, amount FROM crm_bi.purchase_history$$, $$SELECT customer_id, n, f, l, m FROM h WHERE d = '2025-12-31'$$, 'who bought when');
SELECT pg_temp.same($$SELECT customer_id, repeat_amount FROM crm_bi.purchase_history$$,
              $$SELECT h.customer_id, coalesce(sum(p.amount) FILTER (WHERE p.day > h.f), 0) FROM h JOIN pg_temp.naive_purchases('2025-12-31') p USING (customer_id) WHERE h.d = '2025-12-31' GROUP BY 1$$, 'and for how much again');
CREATE FUNCTION pg_temp.naive_rfm(day date, org bigint, ch text, k integer) RETURNS TABLE (customer_id bigint, rr integer, rf integer, rm integer, br integer, bf integer, bm integer)
LANGUAGE plpgsql AS $$
DECLARE
  was text := current_setting('crm.as_of');
BEGIN
  PERFORM set_config('crm.as_of', day::text, true);
  CREATE TEMP TABLE s ON COMMIT DROP AS SELECT h.* FROM h JOIN crm_bi.customer c USING (customer_id)
    WHERE h.d = day AND (ch IS NULL OR c.channel = ch) AND (org IS NULL OR c.org_id IN (SELECT descendant_id FROM crm.organisation_tree WHERE ancestor_id = org));
  PERFORM set_config('crm.as_of', was, true);
  RETURN QUERY
  SELECT s.customer_id, (1 + floor((rank() OVER (ORDER BY s.l) - 0.5) * k / count(*) OVER ()))::integer, (1 + floor((rank() OVER (ORDER BY s.n) - 0.5) * k / count(*) OVER ()))::integer,
         (1 + floor((rank() OVER (ORDER BY s.m) - 0.5) * k / count(*) OVER ()))::integer,
         (SELECT 1 + count(*) FROM unnest(q.l) b WHERE s.l - date '2000-01-01' > b)::integer, (SELECT 1 + count(*) FROM unnest(q.n) b WHERE s.n > b)::integer, (SELECT 1 + count(*) FROM unnest(q.m) b WHERE s.m::float8 > b)::integer
  FROM s, (SELECT percentile_cont(a.a) WITHIN GROUP (ORDER BY l - date '2000-01-01') AS l, percentile_cont(a.a) WITHIN GROUP (ORDER BY n) AS n, percentile_cont(a.a) WITHIN GROUP (ORDER BY m::float8) AS m
           FROM s, (SELECT array_agg(x / k::float8) AS a FROM generate_series(1, k - 1) x) a GROUP BY a.a) q;
  DROP TABLE s;
END
$$;
SELECT pg_temp.same(format('SELECT customer_id, rank_r, rank_f, rank_m, bound_r, bound_f, bound_m FROM crm.rfm(%s)', a), format('SELECT * FROM pg_temp.naive_rfm(%s)', a), 'scores of ' || a)
FROM unnest(ARRAY['''2025-12-31'', NULL, NULL, 5', '''2023-05-05'', 2, NULL, 4', '''2023-05-05'', NULL, ''telesales'', 5']) a;
SELECT pg_temp.same('SELECT customer_id, rank_rfm, bound_rfm FROM crm_bi.rfm', $$SELECT customer_id, rank_r * 100 + rank_f * 10 + rank_m, bound_r * 100 + bound_f * 10 + bound_m FROM crm.rfm('2025-12-31')$$, 'the view is of today');

-- purchase models ----------------------------------------------------------------

-- purchases as the models have them: rates, chances and values differ between customers
UPDATE crm.policy SET payments = 1, payment = 'yearly', premium = 1000 + (hashint8(customer_id) & 4095) + (hashint8(id) & 1023);
CREATE TEMP TABLE buyer AS
SELECT c.id, c.org_id, greatest(c.known_from, date '2015-01-01') AS f, (hashint8(c.id) & 1023) / 1024.0 AS u, (hashint8(c.id + 7) & 1023) / 1024.0 AS v FROM crm.customer c WHERE c.kind = 'person' AND c.id % 2 = 0;
INSERT INTO crm.policy (customer_id, product_id, channel_id, issued_on, premium, payments)
SELECT b.id, 1, 1, b.f + (k * (40 + 900 * b.u * b.u) + (hashint8(b.id * 100 + k) & 31))::integer, 1000 + (hashint8(b.id) & 4095) + (hashint8(b.id * 31 + k) & 1023), 1
FROM buyer b, generate_series(0, (5 * b.v * b.v * b.v / (0.05 + b.u))::integer) k WHERE b.f + (k * (40 + 900 * b.u * b.u) + 31)::integer <= '2025-12-31';
CALL crm.rebuild('2025-12-31', NULL);
SELECT is((SELECT count(*) FROM crm_bi.customer_forecast), 0::bigint, 'without a model nothing is foretold');
SET LOCAL ROLE crm_test_manager;
SELECT crm.fit_purchase_model('2025-12-31') AS whole \gset
SELECT crm.fit_purchase_model('2024-06-30', 2) AS unit \gset
SELECT crm.fit_purchase_model('2024-06-30', NULL, 'individual') AS channel \gset
RESET ROLE;
CREATE TEMP TABLE fitted AS
SELECT m.id, crm.fit_bgnbd(p.n - 1, (p.l - p.f) / 30.4375::float8, (m.as_of - p.f) / 30.4375::float8) AS purchases, crm.fit_gamma_gamma(p.n - 1, (p.again / (p.n - 1))::float8) FILTER (WHERE p.n > 1) AS value,
       count(*) AS customers, count(*) FILTER (WHERE p.n > 1) AS repeaters
FROM crm.purchase_model m
CROSS JOIN LATERAL (SELECT x.customer_id, count(*) AS n, min(x.day) AS f, max(x.day) AS l, sum(x.amount) - (array_agg(x.amount ORDER BY x.day))[1] AS again FROM pg_temp.naive_purchases(m.as_of) x GROUP BY 1) p
JOIN LATERAL (SELECT s.org_id, s.channel FROM crm_bi.standing s WHERE s.customer_id = p.customer_id AND s.valid_from <= m.as_of AND coalesce(s.valid_to > m.as_of, true)) s ON true
LEFT JOIN crm.channel h ON h.id = m.channel_id
WHERE (m.org_id IS NULL OR s.org_id IN (SELECT descendant_id FROM crm.organisation_tree WHERE ancestor_id = m.org_id)) AND (h.code IS NULL OR h.code = s.channel)
GROUP BY m.id;
SELECT results_eq('SELECT id, customers, repeaters, purchases::text, round(crm.p(value)::numeric, 6), round(crm.q(value)::numeric, 6) FROM crm.purchase_model ORDER BY 1',
                  'SELECT id, customers, repeaters, purchases::text, round(crm.p(value)::numeric, 6), round(crm.q(value)::numeric, 6) FROM fitted ORDER BY 1', 'models are fitted to the purchases of their day, unit and channel');
SELECT is((SELECT count(*) FROM crm.purchase_model WHERE converged), 3::bigint, 'and converge');
SELECT pg_temp.same('SELECT customer_id, purchase_model_id, round(p_alive, 9), round(purchases_12_months, 9), lifetime_value FROM crm_bi.customer_forecast',
              format($$SELECT p.customer_id, f.id, round(crm.p_alive(f.purchases, x, t, a)::numeric, 9), round(crm.expected_purchases(f.purchases, 12, x, t, a)::numeric, 9),
                              round(crm.lifetime_value(f.purchases, f.value, x, t, a, m, 36, 1.1 ^ (1 / 12.0::float8) - 1)::numeric, 2)
                       FROM (SELECT h.customer_id, h.purchases - 1 AS x, (h.last_on - h.first_on) / 30.4375::float8 AS t, ('2025-12-31' - h.first_on) / 30.4375::float8 AS a,
                                    CASE WHEN h.purchases > 1 THEN h.repeat_amount::float8 / (h.purchases - 1) ELSE 0 END AS m FROM crm_bi.purchase_history h) p
                       JOIN crm_bi.customer c USING (customer_id)
                       JOIN fitted f ON f.id = CASE WHEN c.org_id IN (SELECT descendant_id FROM crm.organisation_tree WHERE ancestor_id = 2) THEN %s WHEN c.channel = 'individual' THEN %s ELSE %s END$$,
                     :unit, :channel, :whole), 'forecasts follow the nearest model');
SELECT ok(bool_and(p_alive BETWEEN 0 AND 1 AND lifetime_value >= 0) AND avg(p_alive) FILTER (WHERE activity = 'active') > avg(p_alive) FILTER (WHERE activity = 'dormant'), 'the dormant are less alive') FROM crm_bi.customer_forecast WHERE frequency > 0;
SAVEPOINT mean;
UPDATE crm.purchase_model SET value = 'p 0.5, q 0.9, gamma 1000';
SELECT results_eq('SELECT count(*), count(p_alive), count(value_per_purchase), count(lifetime_value) FROM crm_bi.customer_forecast', 'SELECT count(*), count(*), 0::bigint, 0::bigint FROM crm_bi.purchase_history', 'without a mean value there are chances, but no values');
ROLLBACK TO mean;
SET LOCAL crm.as_of = '2024-01-01';
SELECT is((SELECT count(*) FROM crm_bi.customer_forecast), 0::bigint, 'no model foretells a day before it was observed to');
SET LOCAL crm.as_of = '2025-12-31';
SELECT ok(crm.fit_purchase_model('2008-02-01') > 0, 'few who bought once');
SELECT is((SELECT converged FROM crm.purchase_model ORDER BY id DESC LIMIT 1), false, 'make no model');
SELECT matches((SELECT problem FROM crm.purchase_model ORDER BY id DESC LIMIT 1), 'purchases: ', 'and it says why');

-- bad input ---------------------------------------------------------------------

SELECT throws_ok($$INSERT INTO crm.customer_cost (customer_id, kind, incurred_on, amount) VALUES (1, 'bribe', '2025-01-01', 1)$$, '23503', NULL, 'a cost of no kind');
SELECT throws_ok($$INSERT INTO crm.customer_cost (customer_id, kind, incurred_on, amount) VALUES (1, 'visit', '2025-01-01', 0)$$, '23514', NULL, 'a cost of nothing');
SELECT throws_ok($$INSERT INTO crm.customer_cost (customer_id, kind, incurred_on, amount) VALUES (1, 'visit', '2025-01-01', 'NaN')$$, '23514', NULL, 'a cost that is no number');
SELECT throws_ok($$INSERT INTO crm.customer_cost (customer_id, kind, incurred_on, amount) VALUES (1, 'visit', 'infinity', 1)$$, '23514', NULL, 'a cost on no day');
SELECT throws_ok($$INSERT INTO crm.customer_cost (customer_id, policy_id, kind, incurred_on, amount) VALUES (1, -5, 'visit', '2025-01-01', 1)$$, '23503', NULL, 'a cost for no policy of the customer');
SELECT throws_ok($$INSERT INTO crm.commission (customer_id, policy_id, kind, earned_on, amount) SELECT customer_id, id, 'clawback', '2025-01-01', 5 FROM crm.policy LIMIT 1$$, '23514', NULL, 'a clawback that gives');
SELECT throws_ok($$INSERT INTO crm.cost_kind VALUES ('x', 'joy', 'x', 'x')$$, '23514', NULL, 'a kind of cost for no purpose');
SELECT throws_ok(format('SELECT * FROM crm.customer_profit(%s)', a), e, NULL, 'no period: ' || a)
FROM (VALUES ('NULL, ''2025-01-01''', '22004'), ('''2025-01-02'', ''2025-01-01''', '22023'), ('''-infinity'', ''2025-01-01''', '22023'), ('''2025-01-01'', ''infinity''', '22023')) v (a, e);
SELECT throws_ok(format('SELECT * FROM crm.customer_structure(%s, ''2025-01-01'', ''2025-12-31'', %s)', d, o), '22023', NULL, format('no structure by %s of %s', d, o))
FROM (VALUES ('''sex''', 'NULL'), ('NULL', 'NULL'), ('''tier''', '-1')) v (d, o);
SELECT throws_ok($$SELECT * FROM crm.pareto('2025-01-01', '2025-12-31', 'beauty')$$, '22023', NULL, 'no value by beauty');
SELECT throws_ok($$SELECT * FROM crm.pareto('2025-01-01', '2025-12-31', NULL)$$, '22023', NULL, 'nor by nothing');
SELECT throws_ok(format('SELECT * FROM crm.over_limit(''2025-01-01'', ''2025-12-31'', %s)', a), '22023', NULL, 'no limits: ' || a)
FROM unnest(ARRAY['NULL, ''debt''', 'NULL, NULL', '-1', 'NULL, ''amount'', 5, 4', 'NULL, ''amount'', -1', 'NULL, ''amount'', ''NaN''', 'NULL, ''amount'', NULL']) a;
SELECT throws_ok($$SELECT * FROM crm.over_limit('0101-01-01', '2025-12-31')$$, '22023', NULL, 'nor over two thousand years');
SELECT throws_ok($$SELECT * FROM crm.rfm('2025-12-31', NULL, NULL, 1)$$, '22023', NULL, 'no scores in one class');
SELECT throws_ok($$SELECT * FROM crm.rfm(NULL)$$, '22004', NULL, 'nor on no day');
SELECT throws_ok($$SELECT crm.fit_purchase_model('1901-01-01')$$, '55000', NULL, 'no model before anyone bought');
SELECT throws_ok($$SELECT crm.fit_purchase_model('2025-12-31', -1)$$, '22023', NULL, 'nor of no unit');
SELECT throws_ok($$SELECT crm.fit_purchase_model('2025-12-31', NULL, 'smoke')$$, '22023', NULL, 'nor of no channel');
SELECT throws_ok($$SELECT crm.fit_purchase_model(NULL)$$, '22004', NULL, 'nor on no day');
SELECT is(current_setting('crm.as_of'), '2025-12-31', 'after errors the day asked for is as it was');
SET LOCAL ROLE crm_test_analyst;
SELECT lives_ok(q, 'an analyst: ' || q) FROM unnest(ARRAY['SELECT * FROM crm_bi.customer_structure', 'SELECT * FROM crm_bi.rfm', 'SELECT * FROM crm_bi.customer_forecast', 'SELECT * FROM crm_bi.purchase_model', 'SELECT * FROM crm_bi.pareto',
  $$SELECT * FROM crm.customer_profit('2025-01-01', '2025-12-31')$$]) q;
SELECT throws_ok($$SELECT crm.fit_purchase_model('2025-12-31')$$, '42501', NULL, 'an analyst fits no model');
SET LOCAL ROLE crm_test_sales;
SELECT throws_ok(q, '42501', NULL, 'sales: ' || q) FROM unnest(ARRAY['SELECT * FROM crm_bi.rfm', $$SELECT * FROM crm.customer_profit('2025-01-01', '2025-12-31')$$, 'SELECT * FROM crm.commission']) q;
RESET ROLE;
RESET ROLE;
SELECT crm.post();
SELECT is_empty('SELECT * FROM crm.check()', 'what must hold holds');
SELECT * FROM finish();
ROLLBACK;
