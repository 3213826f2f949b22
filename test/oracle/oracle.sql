-- The figures in plain SQL, from their definitions alone.
--
-- Nothing derived is read: no crm function or view, no crm.cover, no crm.organisation_tree; only the rows that
-- people write.  oracle.build() leaves the figures of each unit on its own in pg_temp.o_own; oracle.kpi_own() shows
-- them, oracle.kpi() adds each unit's subtree.  It sees the book in several statements: where others may write
-- meanwhile, call it in a REPEATABLE READ transaction.

CREATE SCHEMA oracle;

-- The company's text of a setting.
CREATE FUNCTION oracle.setting(setting text) RETURNS text LANGUAGE sql STABLE AS $$
  SELECT coalesce(
    (SELECT s.value FROM crm.setting s
     WHERE s.name = setting AND s.org_id IS NULL AND s.channel_id IS NULL ORDER BY s.valid_from DESC LIMIT 1),
    (SELECT k.initial FROM crm.setting_kind k WHERE k.name = setting))
$$;

-- The classes of a scale: 'low, middle 10, high > 20' as rows; the first class has no limit.
CREATE FUNCTION oracle.scale(setting text)
RETURNS TABLE (rank bigint, label text, above boolean, threshold numeric) LANGUAGE sql STABLE AS $$
  SELECT t.n, m[1], m[2] = '>', nullif(m[3], '')::numeric
  FROM regexp_split_to_table(oracle.setting(setting), ',') WITH ORDINALITY AS t(part, n),
       regexp_match(t.part, '^\s*(\w+)\s*(>?)\s*([0-9.]*)\s*$') AS m
$$;

-- Whether the class of a label is the named one or lies above it in the scale.
CREATE FUNCTION oracle.reaches(setting text, label text, first_label text) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT coalesce((SELECT a.rank >= b.rank FROM oracle.scale(setting) a, oracle.scale(setting) b WHERE a.label = reaches.label AND b.label = first_label), false)
$$;

-- The joins of many customer-days are fastest by hash; the planner, which expects few of them, would sort.
CREATE FUNCTION oracle.build(as_of date, first date DEFAULT NULL) RETURNS void
LANGUAGE plpgsql SET client_min_messages = warning SET work_mem = '256MB' SET enable_mergejoin = off AS $build$
DECLARE
  reinstatement interval := make_interval(months => oracle.setting('reinstatement_months')::integer);
  long_term_months integer := oracle.setting('long_term_months')::integer;
  near_percent numeric := oracle.setting('near_vip_percent')::numeric;
  vip_limit numeric := (SELECT s.threshold + CASE WHEN s.above THEN 0.01 ELSE 0 END FROM oracle.scale('tier_scale') s WHERE s.label = oracle.setting('vip_from'));
  zone text := oracle.setting('business_time_zone');
  earliest date;
BEGIN
  DROP TABLE IF EXISTS o_policy, o_event, o_interval, o_cover, o_purchase, o_lapse, o_last, o_home, o_customer, o_period,
    o_point, o_in_force, o_hold, o_held, o_left, o_reached, o_product, o_tier, o_activity, o_standing, o_balance, o_own;

  -- the book ---------------------------------------------------------------

  CREATE TEMP TABLE o_policy AS
  SELECT p.customer_id AS holder_id, p.id AS policy_id, p.channel_id, p.issued_on,
         coalesce(p.matures_on, 'infinity') AS matures_on,
         p.term_months IS NULL OR p.term_months > long_term_months OR r.guaranteed_renewable AS long_term,
         p.book = 'own' AS own_book,
         p.premium * CASE WHEN p.payment = 'single' THEN 1 ELSE coalesce(p.payments, y.payments) END AS amount,
         CASE WHEN p.payment = 'single' THEN round(p.premium * 0.10, 2) ELSE p.premium * y.payments END AS annual_premium,
         s.joined_on AS serviced_from, CASE WHEN s.id IS NOT NULL THEN coalesce(s.left_on, 'infinity') END AS serviced_to, h.kind = 'individual' AS agent_sold
  FROM crm.policy p
  JOIN crm.product r ON r.id = p.product_id
  JOIN crm.channel h ON h.id = p.channel_id
  LEFT JOIN crm.staff s ON s.id = p.servicer_id
  LEFT JOIN (VALUES ('yearly', 1), ('half_yearly', 2), ('quarterly', 4), ('monthly', 12)) AS y(payment, payments)
    ON y.payment = p.payment;

  CREATE TEMP TABLE o_event AS
  SELECT e.customer_id AS holder_id, e.policy_id, e.kind, e.on_date,
         row_number() OVER (PARTITION BY e.customer_id, e.policy_id ORDER BY e.on_date, e.id) AS n
  FROM crm.policy_event e
  JOIN o_policy p ON p.holder_id = e.customer_id AND p.policy_id = e.policy_id
  WHERE e.on_date >= p.issued_on AND e.on_date < p.matures_on;
  ANALYZE o_policy, o_event;

  -- one step for each event; "since" is the first day of cover while open, the day of the lapse while lapsed
  CREATE TEMP TABLE o_interval AS
  WITH RECURSIVE walk AS (
    SELECT p.holder_id, p.policy_id, p.matures_on, 0::bigint AS n, 'open' AS state, p.issued_on AS since,
           NULL::date AS closed_from, NULL::date AS closed_to, false AS by_lapse
    FROM o_policy p
    UNION ALL
    SELECT w.holder_id, w.policy_id, w.matures_on, e.n, s.state,
           CASE WHEN s.state = w.state THEN w.since ELSE e.on_date END,
           CASE WHEN w.state = 'open' AND s.state <> 'open' THEN w.since END,
           CASE WHEN w.state = 'open' AND s.state <> 'open' THEN e.on_date END,
           s.state = 'lapsed'
    FROM walk w
    JOIN o_event e ON e.holder_id = w.holder_id AND e.policy_id = w.policy_id AND e.n = w.n + 1
    CROSS JOIN LATERAL (
      SELECT CASE WHEN w.state <> 'ended' AND e.kind = 'end' THEN 'ended'
                  WHEN w.state = 'open' AND e.kind = 'lapse' THEN 'lapsed'
                  WHEN w.state = 'lapsed' AND e.kind = 'reinstatement' AND e.on_date < w.since + reinstatement THEN 'open'
                  ELSE w.state END AS state) s),
  all_intervals AS (
    SELECT w.holder_id, w.policy_id, w.closed_from AS from_date, w.closed_to AS to_date, w.by_lapse
    FROM walk w WHERE w.closed_from IS NOT NULL
    UNION ALL
    SELECT w.holder_id, w.policy_id, w.since, w.matures_on, false
    FROM walk w
    LEFT JOIN o_event e ON e.holder_id = w.holder_id AND e.policy_id = w.policy_id AND e.n = w.n + 1
    WHERE w.state = 'open' AND e.n IS NULL)
  SELECT * FROM all_intervals i WHERE i.from_date < i.to_date;

  -- policies without an interval are void and are not seen from here on
  CREATE TEMP TABLE o_cover AS
  SELECT l.customer_id, l.own, i.from_date, i.to_date, i.by_lapse,
         p.policy_id, p.issued_on, p.channel_id, p.long_term, p.own_book, p.amount, p.annual_premium, p.serviced_from, p.serviced_to, p.agent_sold
  FROM o_interval i
  JOIN o_policy p ON p.holder_id = i.holder_id AND p.policy_id = i.policy_id
  JOIN (SELECT p.holder_id, p.policy_id, p.holder_id AS customer_id, true AS own FROM o_policy p
        UNION ALL
        SELECT n.customer_id, n.policy_id, n.insured_id, false FROM crm.policy_insured n
        WHERE n.insured_id <> n.customer_id) l ON l.holder_id = p.holder_id AND l.policy_id = p.policy_id;
  CREATE INDEX ON o_cover (customer_id);

  CREATE TEMP TABLE o_purchase AS
  SELECT v.customer_id, v.issued_on AS day, lead(v.issued_on, 1, 'infinity') OVER w AS next_day,
         max(CASE WHEN bool_or(v.long_term) THEN v.issued_on END) OVER w AS last_long_term
  FROM o_cover v WHERE v.own
  GROUP BY v.customer_id, v.issued_on
  WINDOW w AS (PARTITION BY v.customer_id ORDER BY v.issued_on);

  CREATE TEMP TABLE o_lapse AS
  SELECT v.customer_id, v.to_date AS day, lag(v.to_date) OVER (PARTITION BY v.customer_id ORDER BY v.to_date) AS day_before
  FROM o_cover v WHERE v.by_lapse GROUP BY v.customer_id, v.to_date;

  -- the last policy as policyholder, and the last as insured only, from its issue to the issue of the next
  CREATE TEMP TABLE o_last AS
  SELECT v.customer_id, v.own, v.channel_id, v.issued_on AS from_date,
         lead(v.issued_on, 1, 'infinity') OVER (PARTITION BY v.customer_id, v.own ORDER BY v.issued_on, v.policy_id) AS to_date
  FROM (SELECT DISTINCT v.customer_id, v.own, v.policy_id, v.channel_id, v.issued_on FROM o_cover v) v;

  CREATE TEMP TABLE o_home AS
  SELECT h.customer_id, h.org_id, h.from_date,
         lead(h.from_date, 1, 'infinity') OVER (PARTITION BY h.customer_id ORDER BY h.from_date) AS to_date
  FROM (SELECT c.id AS customer_id, '-infinity'::date AS from_date, c.org_id FROM crm.customer c
        UNION ALL
        SELECT m.customer_id, m.from_date, m.org_id FROM crm.customer_organisation m) h;
  ANALYZE o_cover, o_purchase, o_lapse, o_last, o_home;

  CREATE TEMP TABLE o_customer AS
  SELECT c.id AS customer_id, c.kind, c.source_channel_id, c.known_from, v.first_insured, b.first_purchase,
         least(c.known_from, v.first_insured, b.first_purchase) AS starts
  FROM crm.customer c
  LEFT JOIN (SELECT v.customer_id, min(v.from_date) AS first_insured FROM o_cover v GROUP BY v.customer_id) v ON v.customer_id = c.id
  LEFT JOIN (SELECT b.customer_id, min(b.day) AS first_purchase FROM o_purchase b GROUP BY b.customer_id) b ON b.customer_id = c.id;

  -- periods ----------------------------------------------------------------

  earliest := coalesce(first, (SELECT min(c.starts) FROM o_customer c));

  CREATE TEMP TABLE o_period AS
  SELECT g.grain, g.period_start, g.period_end, g.period_start - 1 AS opening, least(g.period_end, as_of) AS closing,
         (g.period_start - g.step)::date AS start_before, (g.period_start - interval '1 year')::date AS start_last_year,
         (g.period_start - interval '1 year' + g.step)::date - 1 AS end_last_year
  FROM (
    SELECT s.grain, t::date AS period_start, (t + s.step)::date - 1 AS period_end, s.step
    FROM (VALUES ('month', interval '1 month'), ('quarter', interval '3 months'), ('year', interval '1 year')) AS s(grain, step),
         generate_series(date_trunc(s.grain, earliest::timestamp), as_of::timestamp, s.step) AS t
    UNION ALL
    SELECT 'trailing_12', (t - interval '11 months')::date, (t + interval '1 month')::date - 1, interval '1 year'
    FROM generate_series(date_trunc('month', earliest::timestamp), as_of::timestamp, interval '1 month') AS t) g;
  ALTER TABLE o_period ADD n integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY;
  ANALYZE o_customer, o_period;

  -- standing of the customers on the days that matter ------------------------

  CREATE TEMP TABLE o_point AS
  SELECT c.customer_id, d.day
  FROM (SELECT p.opening AS day FROM o_period p UNION SELECT p.closing FROM o_period p) d
  JOIN o_customer c ON c.starts <= d.day
  UNION
  SELECT c.customer_id, c.first_purchase
  FROM o_customer c WHERE c.first_purchase <= as_of
  UNION
  SELECT l.customer_id, l.day
  FROM o_lapse l WHERE l.day BETWEEN (SELECT min(p.period_start) FROM o_period p) AND as_of;
  ANALYZE o_point;

  CREATE TEMP TABLE o_in_force AS
  SELECT t.customer_id, t.day,
         bool_or(v.long_term) AS long_term,
         bool_or(v.own AND v.long_term AND v.own_book) AS plan,
         coalesce(sum(v.amount) FILTER (WHERE v.own), 0) AS amount,
         coalesce(sum(v.annual_premium) FILTER (WHERE v.own), 0) AS premium,
         count(*) FILTER (WHERE v.own) AS policies,
         bool_or(v.serviced_from <= t.day AND t.day < v.serviced_to) AS serviced,
         bool_or(v.agent_sold AND v.serviced_to <= t.day) AS orphaned,
         count(*) FILTER (WHERE v.own AND v.agent_sold AND v.serviced_to <= t.day) AS orphan_policies,
         (array_agg(v.channel_id ORDER BY v.own DESC, v.annual_premium DESC, v.issued_on, v.policy_id))[1] AS channel_id
  FROM o_point t
  JOIN o_cover v ON v.customer_id = t.customer_id AND v.from_date <= t.day AND t.day < v.to_date
  GROUP BY t.customer_id, t.day;

  -- who is held by staff in post, and whose holder was the last and has left
  CREATE TEMP TABLE o_hold AS
  SELECT h.customer_id, greatest((h.held_from AT TIME ZONE zone)::date, s.joined_on) AS from_date, least((h.held_to AT TIME ZONE zone)::date, s.left_on, 'infinity') AS to_date,
         h.end_cause IS NOT DISTINCT FROM 'departure' OR (h.held_to AT TIME ZONE zone)::date >= s.left_on OR (h.held_to IS NULL AND s.left_on IS NOT NULL) AS by_leaving
  FROM crm.holding h JOIN crm.staff s ON s.id = h.staff_id;
  CREATE TEMP TABLE o_held AS
  SELECT DISTINCT t.customer_id, t.day FROM o_point t JOIN o_hold w ON w.customer_id = t.customer_id AND w.from_date <= t.day AND t.day < w.to_date;
  CREATE TEMP TABLE o_left AS
  SELECT t.customer_id, t.day FROM o_point t JOIN o_hold h ON h.customer_id = t.customer_id
  GROUP BY t.customer_id, t.day
  HAVING max(h.to_date) FILTER (WHERE h.by_leaving AND h.to_date <= t.day)
    >= coalesce(max(h.to_date) FILTER (WHERE h.from_date < h.to_date AND h.from_date <= t.day), '-infinity');
  CREATE TEMP TABLE o_reached AS
  SELECT DISTINCT t.customer_id, t.day
  FROM o_point t JOIN crm.contact_point p ON p.customer_id = t.customer_id
  WHERE NOT p.wrong AND p.kind IN ('mobile', 'phone', 'email', 'address')
    AND coalesce(p.valid_from <= t.day, true) AND coalesce(t.day < p.valid_to, true);
  CREATE TEMP TABLE o_product AS
  SELECT DISTINCT t.customer_id, t.day
  FROM o_point t JOIN crm.product_holding p ON p.customer_id = t.customer_id AND p.opened_on <= t.day AND (p.closed_on IS NULL OR t.day < p.closed_on);
  ANALYZE o_held, o_left, o_reached, o_product;

  CREATE TEMP TABLE o_tier AS
  SELECT t.amount, t.label, oracle.reaches('tier_scale', t.label, oracle.setting('vip_from')) AS vip,
         t.amount < vip_limit AND t.amount >= trunc(vip_limit * (100 - near_percent) / 100, 2) AS near_vip
  FROM (SELECT a.amount,
         (SELECT s.label FROM oracle.scale('tier_scale') s
          WHERE s.threshold IS NULL OR (CASE WHEN s.above THEN a.amount > s.threshold ELSE a.amount >= s.threshold END)
          ORDER BY s.rank DESC LIMIT 1) AS label
  FROM (SELECT DISTINCT f.amount FROM o_in_force f) a) t;
  CREATE TEMP TABLE o_activity AS
  SELECT t.days, t.label, oracle.reaches('activity_scale', t.label, oracle.setting('dormant_from')) AS dormant
  FROM (SELECT a.days,
         (SELECT s.label FROM oracle.scale('activity_scale') s
          WHERE s.threshold IS NULL OR (CASE WHEN s.above THEN a.days > s.threshold ELSE a.days >= s.threshold END)
          ORDER BY s.rank DESC LIMIT 1) AS label
  FROM (SELECT DISTINCT t.day - b.day AS days
        FROM (SELECT DISTINCT t.day FROM o_point t) t, (SELECT DISTINCT b.day FROM o_purchase b) b WHERE t.day >= b.day) a) t;
  ANALYZE o_in_force, o_tier, o_activity;

  CREATE TEMP TABLE o_standing AS
  SELECT t.customer_id, t.day, h.org_id, coalesce(f.channel_id, lo.channel_id, li.channel_id, c.source_channel_id) AS channel_id, c.kind COLLATE "C" AS kind,
         CASE WHEN f.day IS NOT NULL THEN 'insured'
              WHEN c.first_insured <= t.day THEN 'former'
              WHEN c.known_from <= t.day THEN 'prospect' END COLLATE "C" AS coverage,
         coalesce(f.long_term, false) AS long_term,
         coalesce(f.plan, false) AS plan,
         coalesce(q.label, 'none') AS tier,
         coalesce(a.label, 'none') AS activity,
         CASE WHEN f.policies > 0 THEN 'policyholder' WHEN f.day IS NOT NULL THEN 'insured' END COLLATE "C" AS role,
         f.amount > 10000 AS over_10000, f.amount > 50000 AS over_50000, f.policies, f.premium,
         e.day IS NOT NULL AS reachable,
         coalesce(f.serviced, false) OR d.day IS NOT NULL AS served,
         NOT coalesce(f.serviced, false) AND d.day IS NULL
           AND (coalesce(f.orphaned, false) OR (g.day IS NOT NULL AND (f.day IS NULL OR x.day IS NOT NULL))) AS orphan,
         x.day IS NOT NULL AS product, f.orphan_policies,
         coalesce(q.vip, false) AS vip,
         coalesce(q.near_vip, false) AS near_vip,
         coalesce(a.dormant, false) AS dormant,
         c.first_insured, c.first_purchase, b.day AS last_purchase, b.last_long_term
  FROM o_point t
  JOIN o_customer c ON c.customer_id = t.customer_id
  JOIN o_home h ON h.customer_id = t.customer_id AND h.from_date <= t.day AND t.day < h.to_date
  LEFT JOIN o_in_force f ON f.customer_id = t.customer_id AND f.day = t.day
  LEFT JOIN o_held d ON d.customer_id = t.customer_id AND d.day = t.day
  LEFT JOIN o_left g ON g.customer_id = t.customer_id AND g.day = t.day
  LEFT JOIN o_reached e ON e.customer_id = t.customer_id AND e.day = t.day
  LEFT JOIN o_product x ON x.customer_id = t.customer_id AND x.day = t.day
  LEFT JOIN o_last lo ON lo.customer_id = t.customer_id AND lo.own AND lo.from_date <= t.day AND t.day < lo.to_date
  LEFT JOIN o_last li ON li.customer_id = t.customer_id AND NOT li.own AND li.from_date <= t.day AND t.day < li.to_date
  LEFT JOIN o_purchase b ON b.customer_id = t.customer_id AND b.day <= t.day AND t.day < b.next_day
  LEFT JOIN o_tier q ON q.amount = f.amount
  LEFT JOIN o_activity a ON a.days = t.day - b.day;
  ANALYZE o_standing;

  -- figures of each unit on its own -------------------------------------------

  CREATE TEMP TABLE o_own (code text, class text, grain text, period_start date, period_end date,
    org_id bigint, channel_id bigint, kind text, numerator numeric, denominator numeric);

  -- balances: everybody who counts on the day, in the cell of that day
  CREATE TEMP TABLE o_balance AS
  SELECT b.code, b.class, s.day, s.org_id, s.channel_id, s.kind, sum(s.n) AS n
  FROM (
    SELECT s.day, s.org_id, s.channel_id, s.kind, s.coverage, s.activity, s.tier, s.long_term, s.plan, s.vip, s.near_vip, s.role, s.over_10000, s.over_50000, s.reachable, s.served, s.orphan, s.product, count(*) AS n
    FROM o_standing s WHERE s.coverage IS NOT NULL
    GROUP BY s.day, s.org_id, s.channel_id, s.kind, s.coverage, s.activity, s.tier, s.long_term, s.plan, s.vip, s.near_vip, s.role, s.over_10000, s.over_50000, s.reachable, s.served, s.orphan, s.product) s
  CROSS JOIN LATERAL (VALUES
    ('coverage', s.coverage, true),
    ('activity', s.activity, true),
    ('tier', s.tier, true),
    ('insured', NULL, s.coverage = 'insured'),
    ('insured_long_term', NULL, s.long_term),
    ('plan_customers', NULL, s.plan),
    ('former', NULL, s.coverage = 'former'),
    ('vip_customers', NULL, s.vip),
    ('near_vip', NULL, s.near_vip),
    ('insured_by_role', s.role, s.role IS NOT NULL),
    ('over_10000', NULL, s.over_10000),
    ('over_50000', NULL, s.over_50000),
    ('reachable_customers', NULL, s.reachable),
    ('served_customers', NULL, s.served),
    ('orphan_customers', NULL, s.orphan),
    ('product_customers', NULL, s.product)) AS b(code, class, counts)
  WHERE b.counts
  GROUP BY b.code, b.class, s.day, s.org_id, s.channel_id, s.kind;

  INSERT INTO o_balance
  SELECT b.code, NULL, s.day, s.org_id, s.channel_id, s.kind, sum(b.n)
  FROM o_standing s
  CROSS JOIN LATERAL (VALUES
    ('policies_in_force', s.policies),
    ('orphan_policies', s.orphan_policies),
    ('annual_premium', s.premium),
    ('vip_premium', CASE WHEN s.vip THEN s.premium END)) AS b(code, n)
  WHERE b.n <> 0
  GROUP BY b.code, s.day, s.org_id, s.channel_id, s.kind;

  INSERT INTO o_own
  SELECT b.code, b.class, p.grain, p.period_start, p.period_end, b.org_id, b.channel_id, b.kind, b.n, NULL
  FROM o_period p JOIN o_balance b ON b.day = p.closing;

  -- shares: of two balances at closing
  INSERT INTO o_own
  SELECT x.code, NULL, p.grain, p.period_start, p.period_end, b.org_id, b.channel_id, b.kind,
         coalesce(sum(b.n) FILTER (WHERE b.code = x.part), 0), coalesce(sum(b.n) FILTER (WHERE b.code = x.whole), 0)
  FROM o_period p JOIN o_balance b ON b.day = p.closing
  JOIN (VALUES ('vip_share', 'vip_customers', 'insured'),
               ('over_10000_share', 'over_10000', 'insured'),
               ('over_50000_share', 'over_50000', 'insured'),
               ('over_50000_of_10000', 'over_50000', 'over_10000'),
               ('policies_per_customer', 'policies_in_force', 'insured'),
               ('premium_per_customer', 'annual_premium', 'insured'),
               ('average_premium', 'annual_premium', 'policies_in_force'),
               ('vip_premium_share', 'vip_premium', 'annual_premium'),
               ('reachable_share', 'reachable_customers', 'coverage'),
               ('served_share', 'served_customers', 'coverage')) AS x(code, part, whole) ON b.code IN (x.part, x.whole)
  GROUP BY x.code, p.grain, p.period_start, p.period_end, b.org_id, b.channel_id, b.kind;

  -- growth: closing less opening, each in its own cell
  INSERT INTO o_own
  SELECT g.code, NULL, g.grain, g.period_start, g.period_end, g.org_id, g.channel_id, g.kind, sum(g.n), sum(g.base)
  FROM (
    SELECT x.code, p.grain, p.period_start, p.period_end, b.org_id, b.channel_id, b.kind, b.n, 0 AS base
    FROM o_period p JOIN o_balance b ON b.day = p.closing
    JOIN (VALUES ('insured_growth', 'insured'), ('plan_growth', 'plan_customers')) AS x(code, balance) ON x.balance = b.code
    UNION ALL
    SELECT x.code, p.grain, p.period_start, p.period_end, b.org_id, b.channel_id, b.kind, -b.n, b.n
    FROM o_period p JOIN o_balance b ON b.day = p.opening
    JOIN (VALUES ('insured_growth', 'insured'), ('plan_growth', 'plan_customers')) AS x(code, balance) ON x.balance = b.code) g
  GROUP BY g.code, g.grain, g.period_start, g.period_end, g.org_id, g.channel_id, g.kind;

  -- in the cell at opening: customers who are alike in what matters are counted first, then told apart by figure
  INSERT INTO o_own
  SELECT x.code, NULL, t.grain, t.period_start, t.period_end, t.org_id, t.channel_id, t.kind,
         coalesce(sum(t.n) FILTER (WHERE x.counts), 0),
         CASE WHEN x.code <> 'moved_out' THEN sum(t.n) END
  FROM (
    SELECT p.grain, p.period_start, p.period_end, o.org_id, o.channel_id, o.kind, o.plan, o.long_term, o.dormant, o.vip AS vip_at_opening, c.vip AS vip_at_closing,
           o.coverage AS coverage_at_opening,
           c.coverage AS coverage_at_closing,
           (c.org_id, c.channel_id, c.kind) <> (o.org_id, o.channel_id, o.kind) AS moved,
           c.last_purchase >= p.period_start AS bought,
           c.last_long_term >= p.period_start AS bought_long_term,
           CASE WHEN o.coverage = 'insured' AND c.coverage <> 'insured' THEN
             (SELECT v.by_lapse FROM o_cover v
              WHERE v.customer_id = o.customer_id AND v.to_date BETWEEN p.period_start AND p.closing
              ORDER BY v.to_date DESC, v.by_lapse DESC LIMIT 1) END AS left_by_lapse,
           count(*) AS n
    FROM o_period p
    JOIN o_standing o ON o.day = p.opening
    JOIN o_standing c ON c.day = p.closing AND c.customer_id = o.customer_id
    WHERE o.coverage IS NOT NULL
    GROUP BY p.n, o.org_id, o.channel_id, o.kind, o.plan, o.long_term, o.dormant, vip_at_opening, vip_at_closing, coverage_at_opening, coverage_at_closing, moved, bought, bought_long_term, left_by_lapse) t
  CROSS JOIN LATERAL (VALUES
    ('repeat_purchase', t.plan, t.bought_long_term),
    ('repeat_purchase_any', t.coverage_at_opening = 'insured', t.bought),
    ('total_churn', t.coverage_at_opening = 'insured', t.coverage_at_closing <> 'insured'),
    ('lapse_churn', t.coverage_at_opening = 'insured', t.left_by_lapse),
    ('win_back', t.coverage_at_opening = 'former', t.coverage_at_closing = 'insured'),
    ('long_term_development', t.coverage_at_opening = 'insured' AND NOT t.long_term, t.bought_long_term),
    ('reactivation', t.dormant, t.bought),
    ('vip_upgrade', t.coverage_at_opening = 'insured' AND NOT t.vip_at_opening, t.vip_at_closing),
    ('vip_loss', t.vip_at_opening, NOT t.vip_at_closing),
    ('moved_out', t.coverage_at_opening = 'insured', t.coverage_at_closing = 'insured' AND t.moved))
    AS x(code, base, counts)
  WHERE x.base
  GROUP BY x.code, t.grain, t.period_start, t.period_end, t.org_id, t.channel_id, t.kind;

  -- in the cell at closing
  INSERT INTO o_own
  SELECT x.code, NULL, t.grain, t.period_start, t.period_end, t.org_id, t.channel_id, t.kind,
         coalesce(sum(t.n) FILTER (WHERE x.counts), 0), CASE WHEN x.code = 'new_vip' THEN sum(t.n) END
  FROM (
    SELECT p.grain, p.period_start, p.period_end, c.org_id, c.channel_id, c.kind,
           c.vip AND o.vip IS NOT TRUE AS vip_now,
           o.coverage AS coverage_at_opening,
           (c.org_id, c.channel_id, c.kind) <> (o.org_id, o.channel_id, o.kind) AS moved,
           c.first_insured >= p.period_start AS first_insured_here,
           count(*) AS n
    FROM o_period p
    JOIN o_standing c ON c.day = p.closing AND c.coverage = 'insured'
    LEFT JOIN o_standing o ON o.day = p.opening AND o.customer_id = c.customer_id
    GROUP BY p.n, c.org_id, c.channel_id, c.kind, vip_now, coverage_at_opening, moved, first_insured_here) t
  CROSS JOIN LATERAL (VALUES
    ('gained', t.first_insured_here),
    ('moved_in', t.coverage_at_opening = 'insured' AND t.moved),
    ('won_back', t.coverage_at_opening = 'former'),
    ('new_vip', t.vip_now)) AS x(code, counts)
  GROUP BY x.code, t.grain, t.period_start, t.period_end, t.org_id, t.channel_id, t.kind;

  -- in the cell of the event
  INSERT INTO o_own
  SELECT 'new_customers', NULL, p.grain, p.period_start, p.period_end, e.org_id, e.channel_id, e.kind, count(*), NULL
  FROM o_period p
  JOIN o_standing e ON e.day BETWEEN p.period_start AND p.closing AND e.day = e.first_purchase
  GROUP BY p.grain, p.period_start, p.period_end, e.org_id, e.channel_id, e.kind;

  -- new customers of the period less those of another one, which is over
  INSERT INTO o_own
  SELECT x.code, NULL, p.grain, p.period_start, p.period_end, e.org_id, e.channel_id, e.kind,
         coalesce(sum(e.n) FILTER (WHERE e.day BETWEEN p.period_start AND p.closing), 0) - coalesce(sum(e.n) FILTER (WHERE e.day BETWEEN x.first_day AND x.last_day), 0),
         coalesce(sum(e.n) FILTER (WHERE e.day BETWEEN x.first_day AND x.last_day), 0)
  FROM o_period p
  CROSS JOIN LATERAL (VALUES
    ('new_customer_growth', p.start_before, p.opening),
    ('new_customer_growth_yoy', p.start_last_year, p.end_last_year)) AS x(code, first_day, last_day)
  JOIN (SELECT e.day, e.org_id, e.channel_id, e.kind, count(*) AS n FROM o_standing e WHERE e.first_purchase = e.day
        GROUP BY e.day, e.org_id, e.channel_id, e.kind) e ON e.day BETWEEN p.period_start AND p.closing OR e.day BETWEEN x.first_day AND x.last_day
  GROUP BY x.code, p.grain, p.period_start, p.period_end, e.org_id, e.channel_id, e.kind;

  -- customers with a lapse in the period, in the cell of the first one
  INSERT INTO o_own
  SELECT 'lapsed_customer_loss', NULL, p.grain, p.period_start, p.period_end, e.org_id, e.channel_id, e.kind,
         count(*) FILTER (WHERE c.coverage <> 'insured'), count(*)
  FROM o_period p
  JOIN o_lapse l ON l.day BETWEEN p.period_start AND p.closing AND (l.day_before IS NULL OR l.day_before < p.period_start)
  JOIN o_standing e ON e.customer_id = l.customer_id AND e.day = l.day
  JOIN o_standing c ON c.customer_id = l.customer_id AND c.day = p.closing
  GROUP BY p.grain, p.period_start, p.period_end, e.org_id, e.channel_id, e.kind;

  DELETE FROM o_own w WHERE w.numerator = 0 AND coalesce(w.denominator, 0) = 0;
END
$build$;

-- What oracle.build() left, with channel codes; by_node: each unit with its subtree.
CREATE FUNCTION oracle.built(by_node boolean)
RETURNS TABLE (code text, class text, grain text, period_start date, period_end date, org_id bigint, channel text, kind text,
  numerator numeric, denominator numeric) LANGUAGE plpgsql AS $$
BEGIN
  RETURN QUERY
  WITH RECURSIVE above AS (
    SELECT o.id AS org_id, o.id AS node_id FROM crm.organisation o
    UNION ALL
    SELECT a.org_id, o.parent_id FROM above a JOIN crm.organisation o ON o.id = a.node_id
    WHERE by_node AND o.parent_id IS NOT NULL)
  SELECT w.code, w.class, w.grain, w.period_start, w.period_end, a.node_id, h.code, w.kind, sum(w.numerator), sum(w.denominator)
  FROM o_own w
  JOIN above a ON a.org_id = w.org_id
  JOIN crm.channel h ON h.id = w.channel_id
  GROUP BY w.code, w.class, w.grain, w.period_start, w.period_end, a.node_id, h.code, w.kind
  HAVING sum(w.numerator) <> 0 OR coalesce(sum(w.denominator), 0) <> 0;
END
$$;

CREATE FUNCTION oracle.kpi(as_of date, first date DEFAULT NULL)
RETURNS TABLE (code text, class text, grain text, period_start date, period_end date, org_id bigint, channel text, kind text,
  numerator numeric, denominator numeric) LANGUAGE plpgsql AS $$
BEGIN
  PERFORM oracle.build(as_of, first);
  RETURN QUERY SELECT * FROM oracle.built(true);
END
$$;

CREATE FUNCTION oracle.kpi_own(as_of date, first date DEFAULT NULL)
RETURNS TABLE (code text, class text, grain text, period_start date, period_end date, org_id bigint, channel text, kind text,
  numerator numeric, denominator numeric) LANGUAGE plpgsql AS $$
BEGIN
  PERFORM oracle.build(as_of, first);
  RETURN QUERY SELECT * FROM oracle.built(false);
END
$$;
