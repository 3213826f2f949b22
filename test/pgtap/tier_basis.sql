-- classify: what the tier goes by, each against plain SQL on a random book
\set ON_ERROR_STOP on
\set QUIET on
BEGIN;
SELECT no_plan();
\ir include/helpers.sql
CALL crm.generate(customers => 300, seed => 5, as_of => '2025-12-31');
SET crm.as_of = '2025-12-31';
SELECT setseed(0.17);
UPDATE crm.policy SET sum_insured = NULL WHERE id % 7 = 0;
INSERT INTO crm.premium_due (customer_id, policy_id, number, due_on, amount)
SELECT p.customer_id, p.id, n, p.issued_on + 300 * (n - 1), greatest(p.premium, 1) FROM crm.policy p, generate_series(1, 4) n;
INSERT INTO crm.premium_receipt (customer_id, policy_id, number, received_on, amount)
SELECT d.customer_id, d.policy_id, d.number, d.due_on + floor(random() * 80)::integer, round(d.amount / 2, 2) + 0.37 FROM crm.premium_due d, generate_series(1, 2) WHERE random() < 0.7;
INSERT INTO crm.premium_receipt (customer_id, policy_id, number, received_on, amount, reverses, reason)
SELECT r.customer_id, r.policy_id, r.number, r.received_on + floor(random() * 60)::integer, r.amount, r.id, 'bounced' FROM crm.premium_receipt r WHERE r.id % 9 = 0;
INSERT INTO crm.product_holding (customer_id, category_id, opened_on, closed_on)
SELECT c.id, (SELECT min(id) FROM crm.product_category), x.day, CASE WHEN random() < 0.4 THEN x.day + floor(random() * 2000)::integer END
FROM crm.customer c, LATERAL (SELECT '2012-01-01'::date + floor(random() * 4000)::integer AS day FROM generate_series(1, 2) WHERE c.id > 0) x;
INSERT INTO crm.product_balance (customer_id, holding_id, from_date, balance)
SELECT h.customer_id, h.id, h.opened_on + k * 97, round((random() * 900000)::numeric, 2) FROM crm.product_holding h, generate_series(0, 8) k
WHERE h.closed_on IS NULL OR h.opened_on + k * 97 < h.closed_on;
CALL crm.rebuild(batch => NULL);
SET crm.posting = 'commit';

CREATE FUNCTION pg_temp.naive(basis text, d date) RETURNS TABLE (customer_id bigint, amount numeric) LANGUAGE sql STABLE AS $$
  SELECT c.id, coalesce(CASE basis
    WHEN 'assets_held' THEN (
      SELECT sum((SELECT b.balance FROM crm.product_balance b WHERE b.customer_id = h.customer_id AND b.holding_id = h.id AND b.from_date <= d ORDER BY b.from_date DESC LIMIT 1))
      FROM crm.product_holding h WHERE h.customer_id = c.id AND (h.closed_on IS NULL OR d < h.closed_on))
    ELSE (
      SELECT sum(CASE basis WHEN 'contractual_premium' THEN p.amount WHEN 'annual_premium' THEN p.annual_premium WHEN 'sum_insured' THEN coalesce(p.sum_insured, 0)
                 ELSE (SELECT sum(CASE WHEN r.reverses IS NULL THEN r.amount ELSE -r.amount END) FROM crm.premium_receipt r WHERE r.policy_id = p.id AND r.received_on <= d) END)
      FROM crm.policy p
      WHERE p.customer_id = c.id AND EXISTS (SELECT FROM crm.cover v WHERE v.policy_id = p.id AND v.customer_id = c.id AND v.from_date <= d AND d < v.to_date)) END, 0)
  FROM crm.customer c
$$;
CREATE FUNCTION pg_temp.differs(d date) RETURNS TABLE (customer_id bigint, want numeric, want_tier text, have numeric, have_tier text) LANGUAGE sql STABLE AS $$
  SELECT * FROM (
    SELECT n.customer_id, n.amount,
           CASE WHEN k.coverage = 'insured' THEN crm.grade(crm.setting_value('tier_scale')::crm.scale, n.amount) ELSE 'none' END, k.amount, k.tier
    FROM pg_temp.naive(crm.setting_value('tier_basis'), d) n JOIN crm.classify(d) k USING (customer_id) WHERE k.coverage IS NOT NULL) x (id, want, want_tier, have, have_tier)
  WHERE (want, want_tier) IS DISTINCT FROM (have, have_tier)
$$;
CREATE FUNCTION pg_temp.holds(basis text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO crm.setting (name, value) VALUES ('tier_basis', basis);
  RETURN NEXT isnt_empty('SELECT * FROM crm._stale_scale', basis || ': a rebuild is due');
  CALL crm.rebuild(batch => NULL);
  RETURN NEXT is_empty('SELECT * FROM crm._stale_scale', basis || ': and done');
  RETURN QUERY SELECT is_empty(format('SELECT * FROM pg_temp.differs(%L) LIMIT 5', d), basis || ' on ' || d) FROM unnest('{2015-05-05,2020-01-31,2024-02-29,2025-12-31,2027-01-01}'::date[]) d;
  RETURN NEXT cmp_ok((SELECT count(DISTINCT tier) FROM crm.classify('2024-02-29')), '>=', 3::bigint, basis || ': several tiers occur');
  RETURN NEXT is_empty('SELECT * FROM crm.check()', basis || ': all agrees');
END
$$;
SELECT is_empty('SELECT * FROM pg_temp.differs(''2024-02-29'')', 'contractual premium, at first');
UPDATE crm.setting_kind SET initial = 'none, small 10000, big 60000' WHERE name = 'tier_scale';
SELECT pg_temp.holds('annual_premium');
DELETE FROM crm.setting WHERE name = 'tier_basis';
SELECT pg_temp.holds('sum_insured');
DELETE FROM crm.setting WHERE name = 'tier_basis';
SELECT pg_temp.holds('premium_received');
-- receipts move the tier from now on
INSERT INTO crm.premium_receipt (customer_id, policy_id, number, received_on, amount)
SELECT d.customer_id, d.policy_id, d.number, '2025-12-30', 99999.99 FROM crm.premium_due d WHERE d.policy_id % 3 = 0 AND d.number = 1;
SELECT crm.post() > 0;
SELECT is_empty('SELECT * FROM pg_temp.differs(''2025-12-31'')', 'a receipt moves the amount');
-- what was bought stays bought, whatever the tier goes by
SELECT results_eq('SELECT customer_id, amount, policies FROM crm_bi.purchase_history ORDER BY 1',
                  $$SELECT p.customer_id, sum(p.amount)::numeric, count(*) FROM crm.policy p
                    WHERE p.issued_on <= '2025-12-31' AND EXISTS (SELECT FROM crm.cover v WHERE v.policy_id = p.id AND v.role = 'policyholder' AND v.from_date < v.to_date)
                    GROUP BY 1 ORDER BY 1$$, 'purchases are contractual premium');
SELECT isnt_empty('SELECT FROM crm_bi.purchase_history WHERE amount > 0', 'of which there are some');
DELETE FROM crm.setting WHERE name = 'tier_basis';
SELECT pg_temp.holds('assets_held');
UPDATE crm.product_balance SET balance = balance + 100000 WHERE holding_id % 2 = 0;
UPDATE crm.product_holding SET closed_on = '2025-12-31' WHERE id % 5 = 0 AND closed_on IS NULL;
SELECT crm.post() > 0;
SELECT is_empty('SELECT * FROM pg_temp.differs(''2025-12-31'')', 'a balance or a closing moves the amount');
SELECT is_empty('SELECT * FROM crm.check()', 'and all agrees');

SELECT is(pg_temp.code_of('INSERT INTO crm.setting (name, value) VALUES (''tier_basis'', ''luck'')'), '23514', 'there is no other basis');
SELECT is(pg_temp.code_of('INSERT INTO crm.setting (name, value, valid_from) VALUES (''claim_touch_days'', ''-1'', ''2020-01-01'')'), '22003', 'no negative days');
SELECT * FROM finish();
ROLLBACK;
