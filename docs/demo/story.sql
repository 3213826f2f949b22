-- The main job on one page: what the branch is, how it went for twelve months, and one turn of the cycle
-- classify, allocate, contact, purchase, recycle, allocate again. For a database filled and rebuilt, by psql.
\set ON_ERROR_STOP on
\set QUIET on
\pset footer off
\pset linestyle unicode
\pset border 1
\pset null ''
SET client_min_messages = warning;

CREATE FUNCTION pg_temp.sparkline(points numeric[]) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT string_agg(CASE WHEN p.v IS NULL THEN ' ' WHEN r.high = r.low THEN '▄'
                         ELSE substr('▁▂▃▄▅▆▇█', 1 + least(7, floor(8 * (p.v - r.low) / (r.high - r.low)))::integer, 1) END, '' ORDER BY p.k)
  FROM unnest(points) WITH ORDINALITY p (v, k), (SELECT min(q.v) AS low, max(q.v) AS high FROM unnest(points) q (v)) r
$$;
CREATE FUNCTION pg_temp.percent(part numeric, whole numeric) RETURNS numeric LANGUAGE sql IMMUTABLE AS $$
  SELECT round(100 * part / nullif(whole, 0), 2)
$$;

SELECT crm.today() AS today, date_trunc('month', crm.today()::timestamp)::date AS month,
       (date_trunc('month', crm.today()::timestamp) - interval '12 months')::date AS year_ago,
       (clock_timestamp() AT TIME ZONE crm.setting_value('business_time_zone'))::date AS now_day,
       (SELECT o.org_id FROM crm_bi.organisation o WHERE o.level = 0 ORDER BY o.org_id LIMIT 1) AS root \gset

\echo
\echo '═══ 1. The branch on' :today '═══'
\echo
SELECT k.org_name AS unit,
       sum(k.numerator) FILTER (WHERE k.code = 'insured') AS insured,
       sum(k.numerator) FILTER (WHERE k.code = 'insured_long_term') AS long_term,
       sum(k.numerator) FILTER (WHERE k.code = 'plan_customers') AS plan,
       sum(k.numerator) FILTER (WHERE k.code = 'tier' AND k.class IN ('gold', 'platinum')) AS vip,
       sum(k.numerator) FILTER (WHERE k.code = 'activity' AND k.class = 'dormant') AS dormant,
       sum(k.numerator) FILTER (WHERE k.code = 'coverage' AND k.class = 'prospect') AS prospects,
       sum(k.numerator) FILTER (WHERE k.code = 'coverage' AND k.class = 'former') AS former
FROM crm_bi.kpi k
WHERE k.org_id IN (SELECT u.org_id FROM crm_bi.organisation u WHERE u.org_id = :root OR u.parent_id = :root)
  AND k.grain = 'month' AND k.period_start = :'month'
  AND k.code IN ('insured', 'insured_long_term', 'plan_customers', 'tier', 'activity', 'coverage')
GROUP BY k.org_level, k.org_id, k.org_name ORDER BY k.org_level DESC, k.org_id;

\echo
\echo '═══ 2. Who its customers are ═══'
\echo
SELECT c.code AS dimension, c.class, c.persons, c.companies, pg_temp.percent(c.n, sum(c.n) OVER (PARTITION BY c.code)) AS "%",
       repeat('█', round(40 * c.n / nullif(sum(c.n) OVER (PARTITION BY c.code), 0))::integer) AS share
FROM (SELECT k.code, k.class, sum(k.numerator) AS n, sum(k.numerator) FILTER (WHERE k.kind = 'person') AS persons,
             sum(k.numerator) FILTER (WHERE k.kind = 'company') AS companies
      FROM crm_bi.kpi k
      WHERE k.org_id = :root AND k.grain = 'month' AND k.period_start = :'month' AND k.code IN ('coverage', 'activity', 'tier')
      GROUP BY k.code, k.class) c
ORDER BY array_position('{coverage,activity,tier}', c.code),
         array_position('{prospect,insured,former,active,semi_dormant,dormant,lead,ungraded,iron,gold,platinum}', c.class);

\echo
\echo '═══ 3. The last twelve months ═══'
\echo
CREATE TEMPORARY TABLE month_figure AS
SELECT k.code, k.period_start, sum(k.numerator) AS numerator, sum(k.denominator) AS denominator
FROM crm_bi.kpi k
WHERE k.org_id = :root AND k.grain = 'month' AND k.period_start >= :'year_ago' AND k.period_start < :'month' AND k.class IS NULL
GROUP BY k.code, k.period_start;
SELECT c.name AS figure, CASE WHEN c.has_denominator THEN '%' ELSE '' END AS unit, s.first AS "first month", s.last AS "last month", s.line AS "twelve months"
FROM crm_bi.kpi_code c
CROSS JOIN LATERAL (
  SELECT (array_agg(v.v ORDER BY v.month))[1] AS first, (array_agg(v.v ORDER BY v.month DESC))[1] AS last,
         pg_temp.sparkline(array_agg(v.v ORDER BY v.month)) AS line
  FROM (SELECT m.month, CASE WHEN c.has_denominator THEN pg_temp.percent(f.numerator, f.denominator) ELSE coalesce(f.numerator, 0) END AS v
        FROM generate_series(:'year_ago'::timestamp, :'month'::timestamp - interval '1 month', interval '1 month') m (month)
        LEFT JOIN month_figure f ON f.code = c.code AND f.period_start = m.month) v) s
WHERE c.shown_in = 'kpi' AND c.dimension IS NULL AND c.unit = 'customers'
ORDER BY c.has_denominator, c.code;

\echo
\echo '═══ 4. Rates of twelve months by channel, in % ═══'
\echo
SELECT k.channel,
       pg_temp.percent(sum(k.numerator) FILTER (WHERE k.code = 'plan_growth'), sum(k.denominator) FILTER (WHERE k.code = 'plan_growth')) AS plan_growth,
       pg_temp.percent(sum(k.numerator) FILTER (WHERE k.code = 'repeat_purchase'), sum(k.denominator) FILTER (WHERE k.code = 'repeat_purchase')) AS repeat_purchase,
       pg_temp.percent(sum(k.numerator) FILTER (WHERE k.code = 'total_churn'), sum(k.denominator) FILTER (WHERE k.code = 'total_churn')) AS total_churn,
       pg_temp.percent(sum(k.numerator) FILTER (WHERE k.code = 'lapse_churn'), sum(k.denominator) FILTER (WHERE k.code = 'lapse_churn')) AS lapse_churn,
       pg_temp.percent(sum(k.numerator) FILTER (WHERE k.code = 'win_back'), sum(k.denominator) FILTER (WHERE k.code = 'win_back')) AS win_back
FROM crm_bi.kpi k
WHERE k.org_id = :root AND k.grain = 'trailing_12' AND k.period_end = :'month'::date - 1
  AND k.code IN ('plan_growth', 'repeat_purchase', 'total_churn', 'lapse_churn', 'win_back')
GROUP BY k.channel ORDER BY k.channel;

-- one unit below the root turns the cycle: the one with the most customers
SELECT o.org_id AS unit, o.name AS unit_name FROM crm_bi.organisation o
LEFT JOIN crm_bi.kpi k ON k.org_id = o.org_id AND k.grain = 'month' AND k.period_start = :'month' AND k.code = 'insured'
WHERE o.parent_id = :root
GROUP BY o.org_id, o.name ORDER BY sum(k.numerator) DESC NULLS LAST, o.org_id LIMIT 1 \gset

\echo
\echo '═══ 5. Classify: whom' :unit_name 'should work on, at most 2000 of the most valuable ═══'
\echo
CREATE TEMPORARY TABLE target AS
SELECT c.customer_id, w.why, c.reachable, c.tier, c.amount
FROM crm_bi.customer c
JOIN crm.organisation_tree t ON t.descendant_id = c.org_id AND t.ancestor_id = :unit
CROSS JOIN LATERAL (
  SELECT CASE WHEN EXISTS (SELECT FROM crm_bi.policy p JOIN crm.staff s ON s.id = p.servicer_id
                           WHERE p.customer_id = c.customer_id AND p.in_force AND p.channel = 'individual' AND s.left_on <= :'today') THEN 'orphan'
              WHEN c.coverage = 'former' THEN 'former' WHEN c.activity = 'dormant' THEN 'dormant' END AS why OFFSET 0) w
WHERE w.why IS NOT NULL
  AND NOT EXISTS (SELECT FROM crm.holding h WHERE h.customer_id = c.customer_id AND h.held_to IS NULL)
ORDER BY c.reachable DESC, c.amount DESC, c.customer_id LIMIT 2000;
SELECT t.why, count(*) AS customers, count(*) FILTER (WHERE t.reachable) AS reachable, count(*) FILTER (WHERE t.tier IN ('gold', 'platinum')) AS vip, round(sum(t.amount), 2) AS amount FROM target t GROUP BY t.why ORDER BY t.why;

CREATE TEMPORARY TABLE seller AS
SELECT s.id FROM crm.staff s
JOIN crm.organisation_tree t ON t.descendant_id = s.org_id AND t.ancestor_id = :unit
JOIN crm.channel h ON h.id = s.channel_id
WHERE h.code = 'individual' AND (s.left_on IS NULL OR s.left_on > :'now_day') AND s.joined_on <= :'now_day';

\echo
\echo '═══ 6. Allocate them: the servicer of a policy first, then agents of the home unit ═══'
\echo
CREATE TEMPORARY TABLE first_round AS
SELECT a.* FROM crm.allocate(ARRAY(SELECT t.customer_id FROM target t ORDER BY t.customer_id), ARRAY(SELECT s.id FROM seller s ORDER BY s.id),
                             'optimal', reason => 'orphans, dormant and former customers') a;
SELECT a.outcome, count(*) AS customers, count(DISTINCT a.staff_id) AS holders,
       (SELECT max(n.n) FROM (SELECT count(*) AS n FROM first_round b WHERE b.outcome = a.outcome AND b.staff_id IS NOT NULL GROUP BY b.staff_id) n) AS "most held by one"
FROM first_round a GROUP BY a.outcome ORDER BY a.outcome;

\echo
\echo '═══ 7. Contact: the holders reach two in five ═══'
\echo
CREATE TEMPORARY TABLE contacted AS
SELECT a.customer_id, a.staff_id, w.outcome,
       crm.record_contact(a.customer_id, a.staff_id, 'sales', w.outcome, 'second policy offered') AS contact_id
FROM first_round a
CROSS JOIN LATERAL (SELECT CASE WHEN a.customer_id % 10 = 0 THEN 'agreed' WHEN a.customer_id % 10 < 3 THEN 'thinks about it' ELSE 'declined' END AS outcome) w
WHERE a.outcome = 'allocated' AND a.customer_id % 5 < 2;
SELECT c.outcome, count(*) AS contacts FROM contacted c GROUP BY c.outcome ORDER BY count(*) DESC, c.outcome;

\echo
\echo '═══ 8. Purchase: who agreed buys today what is bought most, and the figures of' :unit_name 'move with the commit ═══'
\echo
CREATE TEMPORARY VIEW unit_now AS
SELECT k.code, k.class, sum(k.numerator) AS n FROM crm_bi.kpi k
WHERE k.org_id = current_setting('demo.unit')::bigint
  AND k.grain = 'month' AND k.period_start = date_trunc('month', crm.today()::timestamp)::date
  AND (k.code = 'activity' AND k.class IN ('active', 'dormant') OR k.code IN ('insured_long_term', 'repeat_purchase', 'repeat_purchase_any'))
GROUP BY k.code, k.class;
SELECT set_config('demo.unit', :'unit', false) AS set \gset
CREATE TEMPORARY TABLE unit_before AS SELECT * FROM unit_now;
INSERT INTO crm.policy (customer_id, product_id, channel_id, servicer_id, issued_on, term_months, matures_on, payment, premium, payments)
SELECT c.customer_id, r.product_id, s.channel_id, s.id, :'today', r.term_months, (:'today'::date + make_interval(months => r.term_months))::date,
       r.payment, r.premium, r.payments
FROM contacted c
JOIN crm.staff s ON s.id = c.staff_id
CROSS JOIN (SELECT p.product_id, p.term_months, p.payment, p.payments, percentile_disc(0.5) WITHIN GROUP (ORDER BY p.premium) AS premium
            FROM crm.policy p GROUP BY p.product_id, p.term_months, p.payment, p.payments
            ORDER BY coalesce(p.term_months > 12, true) DESC, count(*) DESC, p.product_id, p.payment, p.payments LIMIT 1) r
WHERE c.outcome = 'agreed';
SELECT coalesce(a.code, b.code) || coalesce(' ' || coalesce(a.class, b.class), '') AS "customers this month", coalesce(b.n, 0) AS before, coalesce(a.n, 0) AS after,
       coalesce(a.n, 0) - coalesce(b.n, 0) AS change
FROM unit_now a FULL JOIN unit_before b ON b.code = a.code AND b.class IS NOT DISTINCT FROM a.class ORDER BY 1;

\echo
\echo '═══ 9. Recycle: eight days on, whom nobody has contacted goes back to the pool ═══'
\echo
SELECT crm.recycle(clock_timestamp() + interval '8 days', early => true) AS recycled \gset
SELECT count(*) FILTER (WHERE h.held_to IS NULL) AS still_held, count(*) FILTER (WHERE h.end_cause = 'recycle') AS recycled,
       count(*) FILTER (WHERE h.end_cause = 'recycle' AND h.customer_id IN (SELECT c.customer_id FROM contacted c)) AS "recycled though contacted"
FROM crm.holding h;

\echo
\echo '═══ 10. Allocate again: level by load, and never back to the earlier holder ═══'
\echo
CREATE TEMPORARY TABLE second_round AS
SELECT a.* FROM crm.allocate(ARRAY(SELECT DISTINCT h.customer_id FROM crm.holding h WHERE h.end_cause = 'recycle' ORDER BY h.customer_id),
                             ARRAY(SELECT s.id FROM seller s ORDER BY s.id), 'least_loaded', reason => 'second allocation') a;
SELECT b.outcome, count(*) AS customers, count(DISTINCT b.staff_id) AS holders, count(*) FILTER (WHERE a.staff_id = b.staff_id) AS "back to the same"
FROM second_round b JOIN first_round a ON a.customer_id = b.customer_id GROUP BY b.outcome ORDER BY b.outcome;

\echo
\echo 'One customer''s way:'
SELECT h.customer_id AS customer, s.name AS holder, o.name AS unit, h.start_cause AS start, h.start_reason AS reason, h.held_from::timestamp(0) AS "from",
       h.end_cause AS "end", h.due_at::timestamp(0) AS due, h.due_cause AS "due by"
FROM crm.holding h JOIN crm.staff s ON s.id = h.staff_id JOIN crm.organisation o ON o.id = h.org_id
WHERE h.customer_id = (SELECT min(b.customer_id) FROM second_round b WHERE b.outcome = 'allocated')
ORDER BY h.held_from, h.id;

\echo
\echo '═══ 11. Does all agree ═══'
\echo
SELECT * FROM crm_bi.freshness;
SELECT c.check_name, count(*) AS findings, min(c.detail) AS "the first" FROM crm.check() c GROUP BY c.check_name ORDER BY c.check_name;
