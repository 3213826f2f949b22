-- The past that plans go by: each holding followed for a fixed time, against a count day by day on a random book, and its intervals against plain formulas.
\set ON_ERROR_STOP on
BEGIN;
SELECT no_plan();
\ir include/helpers.sql
SET LOCAL client_min_messages = warning;
SELECT setseed(0.3);
INSERT INTO crm.organisation (id, parent_id, code, name) VALUES (1, NULL, 'c', 'Company');
INSERT INTO crm.staff (id, code, name, org_id, channel_id, joined_on, login) SELECT i, 's' || i, 'Staff ' || i, 1, 1 + i % 3, '2020-01-01', 'person ' || i FROM generate_series(1, 9) i;
INSERT INTO crm.position (staff_id, org_id, duty) VALUES (1, 1, 'planner'), (2, 1, 'resource_manager');
INSERT INTO crm.setting (name, value, valid_from) VALUES ('cycle_consent', 'false', '2020-01-01'), ('business_time_zone', 'Asia/Shanghai', '2020-01-01'),
  ('holding_quota', '900', '2020-01-01'), ('recycle_rule', 'at most 9999 days', '2020-01-01');
INSERT INTO crm.product (id, code, name) VALUES (1, 'p', 'Product');

-- 270 with up to four holdings one after the other, to the minute, some on the same day as the next; a third insured before
INSERT INTO crm.customer (id, kind, name, org_id, source_channel_id, known_from) SELECT i, 'person', 'Customer ' || i, 1, 1, '2019-01-01' FROM generate_series(1, 270) i;
CREATE TEMP TABLE span AS
SELECT i AS customer_id, k, 1 + floor(random() * 9)::integer AS s, (random() ^ 3 * 60 * 1440)::integer AS gap, (60 + random() ^ 2 * 150 * 1440)::integer AS length, k < 1 + i % 4 AS goes_on, floor(144000 * random())::integer AS first
FROM generate_series(1, 270) i, generate_series(1, 4) k WHERE k <= 1 + i % 4;
-- who narrowed has the next holding at once
UPDATE span n SET gap = 0 FROM span p WHERE p.customer_id = n.customer_id AND p.k = n.k - 1 AND p.s % 4 < 2;
INSERT INTO crm.holding (customer_id, id, channel_id, org_id, staff_id, held_from, held_to, start_cause, end_cause, ended_by, rule) OVERRIDING SYSTEM VALUE
SELECT customer_id, customer_id * 10 + k, 1 + s % 3, CASE WHEN s % 4 > 0 THEN 1 END, CASE WHEN s % 4 > 1 THEN s END, f, t, 'claim',
       CASE WHEN t IS NOT NULL THEN CASE WHEN s % 4 < 2 AND goes_on THEN 'narrowing' ELSE 'release' END END, CASE WHEN t IS NOT NULL THEN 'x' END, 'at most 9999 days'
FROM (SELECT p.*, '2025-01-03 00:00+08'::timestamptz + (b.first + sum(p.gap + p.length) OVER w - p.length) * interval '1 minute' AS f,
             CASE WHEN p.goes_on OR p.customer_id % 3 > 0 THEN '2025-01-03 00:00+08'::timestamptz + (b.first + sum(p.gap + p.length) OVER w) * interval '1 minute' END AS t
      FROM span p JOIN span b ON b.customer_id = p.customer_id AND b.k = 1 WINDOW w AS (PARTITION BY p.customer_id ORDER BY p.k)) x;
INSERT INTO crm.policy (customer_id, id, product_id, channel_id, issued_on, payment, premium, payments)
SELECT 1 + floor(random() * 270)::integer, i, 1, 1, CASE WHEN i <= 90 THEN '2019-06-01'::date ELSE '2025-01-03'::date + floor(random() * 600)::integer END, (ARRAY['yearly', 'single'])[1 + i % 2],
       round((500 + random() ^ 4 * 30000)::numeric, 2), CASE i % 2 WHEN 0 THEN 20 END FROM generate_series(1, 800) i;
INSERT INTO crm.customer_cost (customer_id, kind, incurred_on, amount)
SELECT 1 + floor(random() * 270)::integer, (ARRAY['visit', 'hotline'])[1 + i % 2], '2025-01-03'::date + floor(random() * 600)::integer, round((random() * 100 + 1)::numeric, 2) FROM generate_series(1, 1000) i;
INSERT INTO crm.commission (customer_id, policy_id, kind, earned_on, amount)
SELECT p.customer_id, p.id, 'first_year', p.issued_on + k * 25, round((random() * 300 + 1)::numeric, 2) FROM crm.policy p, generate_series(0, 3) k WHERE p.issued_on > '2020-01-01' AND p.id % 3 > 0;
INSERT INTO crm.contact (customer_id, staff_id, channel_id, purpose, at, outcome)
SELECT h.customer_id, coalesce(h.staff_id, 3 + h.channel_id % 3), h.channel_id, 'sales', h.held_from + random() * least(coalesce(h.held_to, '2027-01-01') - h.held_from, interval '200 days'), 'x'
FROM crm.holding h, generate_series(1, 2) k WHERE h.id % 7 < 5 AND h.id % 2 < k;
UPDATE crm.holding h SET last_contact_at = (SELECT max(k.at) FROM crm.contact k WHERE k.customer_id = h.customer_id AND k.at >= h.held_from AND k.at <= coalesce(h.held_to, 'infinity') AND k.channel_id = h.channel_id
                                              AND (h.staff_id IS NULL OR k.staff_id = h.staff_id));
CALL crm.rebuild('2026-06-30', NULL);
ANALYZE crm.holding, crm.policy, crm.contact, crm.customer_cost, crm.commission;

-- each day belongs to the holding that began last on it or before, until the day on which that ends
CREATE FUNCTION pg_temp.naive(day date, days integer, months integer DEFAULT 24) RETURNS TABLE (channel_id bigint, coverage text, tier text, contacted boolean, purchased boolean, premium numeric, cost numeric, days_to integer) LANGUAGE sql AS $$
  WITH h AS NOT MATERIALIZED (SELECT g.*, (g.held_from AT TIME ZONE 'Asia/Shanghai')::date AS f, (g.held_to AT TIME ZONE 'Asia/Shanghai')::date AS t FROM crm.holding g),
  trial AS (SELECT * FROM h WHERE f > (day - make_interval(months => months))::date - 1 AND f + days <= day AND end_cause IS DISTINCT FROM 'narrowing'),
  own AS (
    SELECT r.id, r.customer_id, d.d::date AS d FROM trial r CROSS JOIN LATERAL generate_series(r.f, r.f + days - 1, interval '1 day') d (d)
    WHERE r.id = (SELECT x.id FROM h x WHERE x.customer_id = r.customer_id AND x.f <= d.d ORDER BY x.held_from DESC, x.id DESC LIMIT 1) AND coalesce(d.d <= r.t, true)),
  bought AS (SELECT o.id, p.id AS policy_id, p.issued_on, p.annual_premium FROM own o JOIN crm.policy p ON p.customer_id = o.customer_id AND p.issued_on = o.d)
  SELECT r.channel_id, coalesce(s.coverage, 'none'), coalesce(k.label, 'none'),
         EXISTS (SELECT FROM crm.contact c WHERE c.customer_id = r.customer_id AND c.at >= r.held_from AND c.at <= coalesce(r.held_to, 'infinity') AND c.channel_id = r.channel_id AND c.staff_id = coalesce(r.staff_id, c.staff_id)
                 AND (c.at AT TIME ZONE 'Asia/Shanghai')::date < r.f + days),
         EXISTS (SELECT FROM bought b WHERE b.id = r.id), (SELECT coalesce(sum(b.annual_premium), 0) FROM bought b WHERE b.id = r.id),
         (SELECT coalesce(sum(c.amount), 0) FROM crm.customer_cost c JOIN own o ON o.customer_id = c.customer_id AND o.d = c.incurred_on WHERE o.id = r.id AND c.kind = 'visit')
           + (SELECT coalesce(sum(c.amount), 0) FROM bought b JOIN crm.commission c ON c.policy_id = b.policy_id WHERE b.id = r.id AND c.earned_on < r.f + days),
         (SELECT min(b.issued_on) FROM bought b WHERE b.id = r.id)
           - coalesce((SELECT min((c.at AT TIME ZONE 'Asia/Shanghai')::date) FROM crm.contact c
                       WHERE c.customer_id = r.customer_id AND c.channel_id = r.channel_id AND (c.at AT TIME ZONE 'Asia/Shanghai')::date BETWEEN r.f AND (SELECT min(b.issued_on) FROM bought b WHERE b.id = r.id)), r.f)
  FROM trial r
  JOIN crm.standing st ON st.customer_id = r.customer_id AND st.slot = crm._slot()
  CROSS JOIN LATERAL crm.at(st.timeline, r.f) s
  LEFT JOIN crm.class k ON k.id = s.tier
$$;
CREATE TEMP TABLE naive_90 AS SELECT * FROM pg_temp.naive('2026-02-28', 90);
SELECT ok(count(*) > 300 AND count(*) FILTER (WHERE purchased) > 60 AND count(*) FILTER (WHERE contacted AND NOT purchased) > 30 AND count(DISTINCT coverage || tier) > 2, format('%s trials, %s with a purchase', count(*), count(*) FILTER (WHERE purchased)))
FROM naive_90;
CREATE FUNCTION pg_temp.compared(day date, days integer) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM crm.setting WHERE name = 'history_days';
  INSERT INTO crm.setting (name, value, valid_from) VALUES ('history_days', days, '2021-01-01');
  RETURN pg_temp.same(format('SELECT channel_id, coverage, tier, contacted, purchased, premium, cost, days FROM crm._holding_result(%L)', day), format('SELECT * FROM pg_temp.naive(%L, %s)', day, days), format('%s days up to %s', days, day));
END
$$;
SELECT pg_temp.compared(day::date, days) FROM (VALUES ('2026-02-28', 90), ('2026-02-28', 1), ('2026-02-28', 300), ('2025-06-01', 90), ('2025-01-04', 90), ('2026-06-30', 20)) v (day, days);
SELECT pg_temp.same($$SELECT channel_id, coverage, tier, allocated, contacted, purchased, premium, cost, round(days, 6) FROM crm.allocation_history('2026-02-28')$$,
  $$SELECT channel_id, coverage, tier, count(*), count(*) FILTER (WHERE contacted), count(*) FILTER (WHERE purchased), sum(premium), sum(cost), round(avg(days_to), 6) FROM pg_temp.naive('2026-02-28', 20) GROUP BY 1, 2, 3$$, 'and summed up by class and channel');
UPDATE crm.setting SET value = '0' WHERE name = 'history_days';
SELECT pg_temp.same($$SELECT channel_id, premium FROM crm._holding_result('2026-02-28')$$, $$SELECT channel_id, premium FROM pg_temp.naive('2026-02-28', 1)$$, 'followed for a day at least');
UPDATE crm.setting SET value = '1000000' WHERE name = 'history_days';
SELECT is_empty($$SELECT * FROM crm.allocation_history('2026-02-28')$$, 'of no holding is known what comes of it in so long a time');
DELETE FROM crm.setting WHERE name = 'history_days';
INSERT INTO crm.setting (name, value, valid_from) VALUES ('history_months', '1000000', '2020-01-01');
SELECT cmp_ok((SELECT sum(allocated) FROM crm.allocation_history('2026-02-28')), '>=', (SELECT count(*)::numeric FROM naive_90), 'but of all holdings that ever were');
DELETE FROM crm.setting WHERE name = 'history_months';

-- intervals: mean and its bounds by the textbook, with t of n - 1 degrees of freedom got from the interval of a difference of two equal samples
CREATE FUNCTION pg_temp.student(n bigint, total float8, squares float8, sign integer) RETURNS numeric LANGUAGE sql AS $$
  SELECT round((total / n + sign * t.t * sqrt((squares - total ^ 2 / n) / (n - 1) / n))::numeric, 2)
  FROM (SELECT CASE WHEN n % 2 = 1 THEN (SELECT (u.upper - u.lower) / 2 / sqrt(2.0 / ((n + 1) / 2)) FROM crm.mean_uplift(0, 1, (n + 1) / 2, 0, 1, (n + 1) / 2) u)
                    -- between two odd ones t hardly bends
                    ELSE (SELECT avg((u.upper - u.lower) / 2 / sqrt(2.0 / m)) FROM unnest(ARRAY[n / 2, n / 2 + 1]) m, crm.mean_uplift(0, 1, m, 0, 1, m) u) END AS t) t
$$;
SET LOCAL crm.as_of = '2026-02-28';
CREATE TEMP TABLE told AS
SELECT h.code AS channel, n.coverage, n.tier, count(*) AS n, count(*) FILTER (WHERE purchased) AS bought, count(*) FILTER (WHERE cost <> 0) AS costing, sum(premium)::float8 AS p, sum(premium ^ 2)::float8 AS pp, sum(cost)::float8 AS c, sum(cost ^ 2)::float8 AS cc,
       sum(days_to)::float8 AS d, sum(days_to ^ 2)::float8 AS dd
FROM naive_90 n JOIN crm.channel h ON h.id = n.channel_id GROUP BY 1, 2, 3;
SELECT ok(count(*) FILTER (WHERE bought >= 10) >= 2 AND count(*) FILTER (WHERE bought < 5) >= 1, 'classes large and small') FROM told;
SELECT is_empty($$SELECT * FROM crm_bi.channel_history v JOIN told t USING (channel, coverage, tier)
  WHERE t.bought >= 10 AND (abs(v.premium_per_allocated_low - pg_temp.student(n, p, pp, -1)) > 0.02 OR abs(v.premium_per_allocated_high - pg_temp.student(n, p, pp, 1)) > 0.02
    OR abs(v.cost_per_allocated_low - pg_temp.student(n, c, cc, -1)) > 0.02 OR abs(v.cost_per_allocated_high - pg_temp.student(n, c, cc, 1)) > 0.02
    OR abs(v.days_low - pg_temp.student(bought, d, dd, -1)) > 0.05 OR abs(v.days_high - pg_temp.student(bought, d, dd, 1)) > 0.05 OR num_nulls(v.premium_per_allocated_low, v.cost_per_allocated_low, v.days_low) > 0)$$, 'bounds of premium, cost and days');
SELECT is_empty('SELECT * FROM crm_bi.channel_history v FULL JOIN told t USING (channel, coverage, tier) WHERE (v.allocated, v.purchased) IS DISTINCT FROM (t.n, t.bought)', 'with the sizes of their samples');
SELECT is_empty($$SELECT * FROM crm_bi.channel_history v JOIN told t USING (channel, coverage, tier)
  WHERE (bought >= 5) <> (premium_per_allocated_low IS NOT NULL) OR (bought >= 5) <> (days_high IS NOT NULL) OR (costing >= 5) <> (cost_per_allocated_high IS NOT NULL)$$, 'none where fewer than five have any');
SELECT is_empty($$SELECT * FROM crm_bi.channel_history WHERE premium_per_allocated NOT BETWEEN premium_per_allocated_low AND premium_per_allocated_high OR cost_per_allocated NOT BETWEEN cost_per_allocated_low AND cost_per_allocated_high
  OR days NOT BETWEEN days_low AND days_high OR premium_per_allocated <> round(premium / allocated, 2) OR cost_per_allocated <> round(cost / allocated, 2)$$, 'around the mean');

-- what was allocated yesterday changes nothing that plans expect
INSERT INTO crm.customer (id, kind, name, org_id, source_channel_id, known_from) SELECT i, 'person', 'New ' || i, 1, 1, '2019-01-01' FROM generate_series(2001, 2400) i;
CALL crm.rebuild('2026-06-30', NULL);
SET LOCAL crm.posting = 'commit';
SET LOCAL crm.actor = 'person 1';
SELECT crm.open_cycle('spring', 1, '2026-02-28', '2026-06-30') AS cycle \gset
SELECT is((SELECT count(*) FROM crm.release_to_inventory(:cycle, 5, ARRAY(SELECT i FROM generate_series(2001::bigint, 2200) i)) WHERE outcome = 'released'), 200::bigint, 'released');
SELECT crm.submit_proposal(crm.propose(:cycle, c, 'p' || c, 'true', 90, 60, 9, 4500, '2026-06-30', 450)) FROM generate_series(1, 3) c \g /dev/null
SELECT crm.make_plan(:cycle, 'best', weighing => 'best') AS plan \gset
SELECT crm.compute_plan(:plan, '2026-02-28') \g /dev/null
SELECT cmp_ok(count(*), '>', 2::bigint, 'a plan that goes by the past') FROM crm.plan_cell WHERE plan_id = :plan AND basis = 'class';
SELECT is_empty(format($$SELECT * FROM crm_bi.plan_cell c JOIN crm_bi.channel_history h USING (channel, coverage, tier) WHERE c.plan_id = %s AND c.basis = 'class' AND
    (c.allocated, c.purchased, c.premium_per_allocated_low, c.premium_per_allocated_high, c.cost_per_allocated, c.cost_per_allocated_low, c.cost_per_allocated_high, c.days_low, c.days_high)
    IS DISTINCT FROM (h.allocated, h.purchased, h.premium_per_allocated_low, h.premium_per_allocated_high, h.cost_per_allocated, h.cost_per_allocated_low, h.cost_per_allocated_high, h.days_low, h.days_high)$$, :plan), 'shows the same bounds');
CREATE TEMP TABLE before_it AS SELECT proposal_id, coverage, tier, to_jsonb(c) - '{plan_id}'::text[] AS cell FROM crm.plan_cell c WHERE plan_id = :plan;
CREATE TEMP TABLE shown AS SELECT * FROM crm_bi.channel_history;
INSERT INTO crm.holding (customer_id, id, channel_id, org_id, staff_id, held_from, start_cause, rule) OVERRIDING SYSTEM VALUE
SELECT i, i * 10, s.channel_id, 1, s.id, '2026-02-27 09:00+08', 'claim', 'at most 9999 days' FROM generate_series(2201, 2400) i JOIN crm.staff s ON s.id = 3;
SELECT cmp_ok(crm.post(), '>=', 200::bigint, 'posted');
SELECT pg_temp.same('SELECT * FROM crm_bi.channel_history', 'SELECT * FROM shown', 'customers allocated yesterday are no failures');
SELECT crm.compute_plan(:plan, '2026-02-28') \g /dev/null
SELECT pg_temp.same(format('SELECT proposal_id, coverage, tier, to_jsonb(c) - ''{plan_id}''::text[] AS cell FROM crm.plan_cell c WHERE plan_id = %s', :plan), 'SELECT * FROM before_it', 'nor for the plan');
SELECT pg_temp.same(format('SELECT channel_id, coverage, tier, purchased FROM crm._holding_result(%L)', day), format('SELECT channel_id, coverage, tier, purchased FROM pg_temp.naive(%L, 90)', day), 'up to ' || day) FROM unnest('{2026-05-27,2026-05-28}'::date[]) day;
SELECT cmp_ok((SELECT count(*) FROM crm._holding_result('2026-05-28')) - (SELECT count(*) FROM crm._holding_result('2026-05-27')), '>=', 200::bigint, 'after 90 days they count, after 89 not yet');
SELECT is_empty('SELECT * FROM crm.check()', 'all is well');
SELECT * FROM finish();
ROLLBACK;
