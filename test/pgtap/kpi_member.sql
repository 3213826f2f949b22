-- From every number to its customers: as many as it says, and those that the definitions in plain SQL name.
\set ON_ERROR_STOP on
\ir ../oracle/oracle.sql
\ir ../oracle/random_book.sql
\ir ../oracle/random_service.sql
SET client_min_messages = warning;
SET jit = off;
SELECT no_plan();
\ir include/helpers.sql

-- numbers of crm_bi.kpi and kpi_own of some periods, one in so many, that say something else than their members
CREATE FUNCTION pg_temp.strayed(one_in integer, periods integer) RETURNS TABLE (code text, class text, grain text, period_start date, org_id bigint, channel text, kind text, own boolean,
  part text, says numeric, adds_up numeric, members bigint) LANGUAGE sql AS $$
  SELECT k.code, k.class, k.grain, k.period_start, k.org_id, k.channel, k.kind, k.own, p.part, p.says, m.n, m.members
  FROM (SELECT false AS own, k.* FROM crm_bi.kpi k UNION ALL SELECT true, k.* FROM crm_bi.kpi_own k) k
  JOIN crm.kpi_code c ON c.code = k.code
  CROSS JOIN LATERAL (
    SELECT 'numerator' AS part, k.numerator AS says, c.unit WHERE c.shape < 2
    UNION ALL SELECT 'denominator', k.denominator, c.base_unit WHERE c.shape > 0
    UNION ALL SELECT 'closing', k.numerator + k.denominator, c.unit WHERE c.shape = 2
    UNION ALL SELECT 'opening', k.denominator, c.base_unit WHERE c.shape = 2
    UNION ALL SELECT 'come less gone', k.numerator, c.unit WHERE c.shape = 2) p
  CROSS JOIN LATERAL (
    SELECT coalesce(sum(m.n), 0) AS n, coalesce(sum(sign(m.n)), 0)::bigint AS members
    FROM (SELECT m.n FROM crm.kpi_contributions(k.code, k.grain, k.period_start, k.org_id, k.channel, k.kind, p.part, k.class, k.own) m WHERE p.part <> 'come less gone'
          UNION ALL
          SELECT w.sign * m.n FROM (VALUES ('come', 1), ('gone', -1)) AS w (part, sign), crm.kpi_contributions(k.code, k.grain, k.period_start, k.org_id, k.channel, k.kind, w.part, k.class, k.own) m
          WHERE p.part = 'come less gone') m) m
  WHERE abs(hashtext(k.grain || k.period_start)) % 16 = periods AND abs(hashtext(k.own || k.kpi_key)) % one_in = 0 AND (p.says <> m.n OR (p.unit = 'customers' AND p.says <> m.members))
$$;

-- numbers that add up channels, kinds and classes
CREATE FUNCTION pg_temp.strayed_sums(one_in integer, periods integer) RETURNS TABLE (code text, grain text, period_start date, org_id bigint, part text, says numeric, adds_up numeric, members bigint) LANGUAGE sql AS $$
  SELECT k.code, k.grain, k.period_start, k.org_id, p.part, p.says, n.n, m.n
  FROM (SELECT k.code, k.grain, k.period_start, k.org_id, sum(k.numerator) AS numerator, sum(k.denominator) AS denominator
        FROM crm_bi.kpi k WHERE abs(hashtext(k.grain || k.period_start)) % 16 = periods GROUP BY 1, 2, 3, 4) k
  JOIN crm.kpi_code c ON c.code = k.code
  CROSS JOIN LATERAL (SELECT CASE c.shape WHEN 2 THEN 'closing' ELSE 'numerator' END AS part, CASE c.shape WHEN 2 THEN k.numerator + k.denominator ELSE k.numerator END AS says, c.unit
                      UNION ALL SELECT 'denominator', k.denominator, c.base_unit WHERE c.shape > 0) p
  CROSS JOIN LATERAL (SELECT count(*) AS n FROM crm.kpi_members(k.code, k.grain, k.period_start, k.org_id, part => p.part)) m
  CROSS JOIN LATERAL (SELECT coalesce(sum(m.n), 0) AS n FROM crm.kpi_contributions(k.code, k.grain, k.period_start, k.org_id, part => p.part) m) n
  WHERE abs(hashtext(k.code || k.grain || k.org_id)) % one_in = 0 AND (p.says <> n.n OR (p.unit = 'customers' AND p.says <> m.n))
$$;

-- the members of every figure by the definitions, from what oracle.build() has left; one period in so many
CREATE FUNCTION pg_temp.wanted(one_in integer) RETURNS TABLE (code text, class text, grain text, period_start date, part text, customer_id bigint, org_id bigint, channel text, kind text)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
  WITH pair AS (
    SELECT p.grain, p.period_start, p.closing, o.customer_id,
           o.coverage AS was, o.plan AS plan_was, o.long_term AS long_was, o.vip AS vip_was, o.dormant AS dormant_was, o.org_id AS org_was, o.channel_id AS channel_was, o.kind AS kind_was
    FROM o_period p JOIN o_standing o ON o.day = p.opening WHERE abs(hashtext(p.grain || p.period_start)) % one_in = 0),
  closes AS (
    SELECT p.grain, p.period_start, p.closing, c.* FROM o_period p JOIN o_standing c ON c.day = p.closing WHERE abs(hashtext(p.grain || p.period_start)) % one_in = 0),
  both_ends AS (
    SELECT o.*, c.coverage AS "is", c.org_id AS org_is, c.channel_id AS channel_is, c.last_purchase, c.last_long_term, c.vip AS vip_is, c.kind AS kind_is
    FROM pair o JOIN closes c ON (c.grain, c.period_start, c.customer_id) = (o.grain, o.period_start, o.customer_id)),
  member AS (
    SELECT 'insured' AS code, NULL AS class, c.grain, c.period_start, 'numerator' AS part, c.customer_id, c.org_id, c.channel_id, c.kind FROM closes c WHERE c.coverage = 'insured'
    UNION ALL SELECT 'insured_long_term', NULL, c.grain, c.period_start, 'numerator', c.customer_id, c.org_id, c.channel_id, c.kind FROM closes c WHERE c.long_term
    UNION ALL SELECT 'plan_customers', NULL, c.grain, c.period_start, 'numerator', c.customer_id, c.org_id, c.channel_id, c.kind FROM closes c WHERE c.plan
    UNION ALL SELECT d.code, d.class, c.grain, c.period_start, 'numerator', c.customer_id, c.org_id, c.channel_id, c.kind
    FROM closes c CROSS JOIN LATERAL (VALUES ('coverage', c.coverage), ('activity', c.activity), ('tier', c.tier), ('insured_by_role', c.role)) AS d (code, class) WHERE c.coverage IS NOT NULL AND d.class IS NOT NULL
    UNION ALL SELECT d.code, NULL, c.grain, c.period_start, d.part, c.customer_id, c.org_id, c.channel_id, c.kind
    FROM closes c CROSS JOIN LATERAL (VALUES ('former', 'numerator', c.coverage = 'former'), ('vip_customers', 'numerator', c.vip), ('near_vip', 'numerator', c.near_vip),
      ('vip_share', 'numerator', c.vip), ('vip_share', 'denominator', c.coverage = 'insured'), ('new_vip', 'denominator', c.coverage = 'insured'),
      ('over_10000', 'numerator', c.over_10000), ('over_50000', 'numerator', c.over_50000), ('over_10000_share', 'numerator', c.over_10000), ('over_50000_share', 'numerator', c.over_50000),
      ('over_50000_of_10000', 'numerator', c.over_50000), ('over_50000_of_10000', 'denominator', c.over_10000), ('policies_in_force', 'numerator', c.policies > 0),
      ('policies_per_customer', 'numerator', c.policies > 0), ('policies_per_customer', 'denominator', c.coverage = 'insured'), ('annual_premium', 'numerator', c.premium > 0),
      ('premium_per_customer', 'numerator', c.premium > 0), ('average_premium', 'denominator', c.policies > 0), ('vip_premium', 'numerator', c.vip AND c.premium > 0),
      ('vip_premium_share', 'numerator', c.vip AND c.premium > 0), ('vip_premium_share', 'denominator', c.premium > 0), ('orphan_policies', 'numerator', c.orphan_policies > 0)) AS d (code, part, counts) WHERE d.counts
    UNION ALL SELECT d.code, NULL, c.grain, c.period_start, d.part, c.customer_id, c.org_id, c.channel_id, c.kind
    FROM closes c CROSS JOIN LATERAL (VALUES ('reachable_customers', 'numerator', c.reachable), ('reachable_share', 'numerator', c.reachable), ('reachable_share', 'denominator', true),
      ('served_customers', 'numerator', c.served), ('served_share', 'numerator', c.served), ('served_share', 'denominator', true),
      ('orphan_customers', 'numerator', c.orphan), ('product_customers', 'numerator', c.product)) AS d (code, part, counts) WHERE d.counts AND c.coverage IS NOT NULL
    UNION ALL SELECT 'new_vip', NULL, c.grain, c.period_start, 'numerator', c.customer_id, c.org_id, c.channel_id, c.kind
    FROM closes c WHERE c.vip AND NOT EXISTS (SELECT FROM pair o WHERE (o.grain, o.period_start, o.customer_id) = (c.grain, c.period_start, c.customer_id) AND o.vip_was)
    UNION ALL SELECT 'lapsed_customer_loss', NULL, c.grain, c.period_start, d.part, e.customer_id, e.org_id, e.channel_id, e.kind
    FROM closes c JOIN o_lapse l ON l.customer_id = c.customer_id AND l.day BETWEEN c.period_start AND c.closing AND coalesce(l.day_before < c.period_start, true)
    JOIN o_standing e ON e.customer_id = l.customer_id AND e.day = l.day
    CROSS JOIN LATERAL (VALUES ('numerator', c.coverage <> 'insured'), ('denominator', true)) AS d (part, counts) WHERE d.counts
    UNION ALL SELECT d.code, NULL, p.grain, p.period_start, d.part, s.customer_id, s.org_id, s.channel_id, s.kind
    FROM o_period p CROSS JOIN LATERAL (VALUES ('new_customer_growth', 'closing', p.period_start, p.closing), ('new_customer_growth', 'opening', p.start_before, p.opening),
      ('new_customer_growth_yoy', 'closing', p.period_start, p.closing), ('new_customer_growth_yoy', 'denominator', p.start_last_year, p.end_last_year)) AS d (code, part, first_day, last_day)
    JOIN o_standing s ON s.day = s.first_purchase AND s.day BETWEEN d.first_day AND d.last_day WHERE abs(hashtext(p.grain || p.period_start)) % one_in = 0
    UNION ALL SELECT 'new_customers', NULL, p.grain, p.period_start, 'numerator', s.customer_id, s.org_id, s.channel_id, s.kind
    FROM o_period p JOIN o_standing s ON s.day = s.first_purchase AND s.day BETWEEN p.period_start AND p.closing WHERE abs(hashtext(p.grain || p.period_start)) % one_in = 0
    UNION ALL SELECT 'gained', NULL, c.grain, c.period_start, 'numerator', c.customer_id, c.org_id, c.channel_id, c.kind FROM closes c WHERE c.coverage = 'insured' AND c.first_insured >= c.period_start
    UNION ALL SELECT 'moved_in', NULL, b.grain, b.period_start, 'numerator', b.customer_id, b.org_is, b.channel_is, b.kind_is FROM both_ends b
    WHERE b.was = 'insured' AND b."is" = 'insured' AND (b.org_was, b.channel_was) <> (b.org_is, b.channel_is)
    UNION ALL SELECT 'moved_out', NULL, b.grain, b.period_start, 'numerator', b.customer_id, b.org_was, b.channel_was, b.kind_was FROM both_ends b
    WHERE b.was = 'insured' AND b."is" = 'insured' AND (b.org_was, b.channel_was) <> (b.org_is, b.channel_is)
    UNION ALL SELECT 'won_back', NULL, b.grain, b.period_start, 'numerator', b.customer_id, b.org_is, b.channel_is, b.kind_is FROM both_ends b WHERE b.was = 'former' AND b."is" = 'insured'
    UNION ALL SELECT d.code, NULL, b.grain, b.period_start, 'numerator', b.customer_id, b.org_was, b.channel_was, b.kind_was
    FROM both_ends b CROSS JOIN LATERAL (VALUES
      ('win_back', b.was = 'former' AND b."is" = 'insured'),
      ('total_churn', b.was = 'insured' AND b."is" <> 'insured'),
      ('lapse_churn', b.was = 'insured' AND b."is" <> 'insured'
         AND (SELECT v.by_lapse FROM o_cover v WHERE v.customer_id = b.customer_id AND v.to_date BETWEEN b.period_start AND b.closing ORDER BY v.to_date DESC, v.by_lapse DESC LIMIT 1)),
      ('repeat_purchase_any', b.was = 'insured' AND b.last_purchase >= b.period_start),
      ('repeat_purchase', b.plan_was AND b.last_long_term >= b.period_start), ('reactivation', b.dormant_was AND b.last_purchase >= b.period_start),
      ('long_term_development', b.was = 'insured' AND NOT b.long_was AND b.last_long_term >= b.period_start),
      ('vip_upgrade', b.was = 'insured' AND NOT b.vip_was AND b.vip_is), ('vip_loss', b.vip_was AND NOT b.vip_is)) AS d (code, counts) WHERE d.counts
    UNION ALL SELECT d.code, NULL, o.grain, o.period_start, d.part, o.customer_id, o.org_was, o.channel_was, o.kind_was
    FROM pair o CROSS JOIN LATERAL (VALUES
      ('total_churn', 'denominator', o.was = 'insured'), ('lapse_churn', 'denominator', o.was = 'insured'), ('repeat_purchase_any', 'denominator', o.was = 'insured'),
      ('repeat_purchase', 'denominator', o.plan_was), ('win_back', 'denominator', o.was = 'former'), ('reactivation', 'denominator', o.dormant_was),
      ('long_term_development', 'denominator', o.was = 'insured' AND NOT o.long_was), ('vip_upgrade', 'denominator', o.was = 'insured' AND NOT o.vip_was), ('vip_loss', 'denominator', o.vip_was),
      ('insured_growth', 'opening', o.was = 'insured'), ('plan_growth', 'opening', o.plan_was)) AS d (code, part, counts) WHERE d.counts
    UNION ALL SELECT d.code, NULL, c.grain, c.period_start, 'closing', c.customer_id, c.org_id, c.channel_id, c.kind
    FROM closes c CROSS JOIN LATERAL (VALUES ('insured_growth', c.coverage = 'insured'), ('plan_growth', c.plan)) AS d (code, counts) WHERE d.counts)
  SELECT m.code, m.class, m.grain, m.period_start, m.part, m.customer_id, m.org_id, h.code, m.kind FROM member m JOIN crm.channel h ON h.id = m.channel_id;
END
$$;

-- what crm.kpi_members() names and the definitions do not, or the other way round, node by node
CREATE FUNCTION pg_temp.mistaken(one_in integer) RETURNS TABLE (code text, class text, grain text, period_start date, part text, node bigint, named bigint[], members bigint[]) LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
  CREATE TEMP TABLE want AS SELECT * FROM pg_temp.wanted(one_in);
  RETURN QUERY
  WITH RECURSIVE below AS (
    SELECT o.id AS node, o.id FROM crm.organisation o UNION ALL SELECT b.node, o.id FROM below b JOIN crm.organisation o ON o.parent_id = b.id),
  asked AS (
    SELECT DISTINCT w.code, w.class, w.grain, w.period_start, w.part FROM want w),
  named AS (
    SELECT w.code, w.class, w.grain, w.period_start, w.part, b.node, array_agg(w.customer_id ORDER BY w.customer_id) AS customers
    FROM want w JOIN below b ON b.id = w.org_id GROUP BY 1, 2, 3, 4, 5, 6)
  SELECT a.code, a.class, a.grain, a.period_start, a.part, o.id, n.customers, m.customers
  FROM asked a CROSS JOIN crm.organisation o
  LEFT JOIN named n ON (n.code, n.grain, n.period_start, n.part, n.node) = (a.code, a.grain, a.period_start, a.part, o.id) AND n.class IS NOT DISTINCT FROM a.class
  CROSS JOIN LATERAL (SELECT array_agg(m.customer_id ORDER BY m.customer_id) AS customers
                      FROM crm.kpi_members(a.code, a.grain, a.period_start, o.id, part => a.part, class => a.class) m) m
  WHERE n.customers IS DISTINCT FROM m.customers;
  DROP TABLE want;
END
$$;

-- random books ---------------------------------------------------------------

CALL oracle.random_book(4, 40, '2021-01-01', '2024-06-30');
CALL oracle.random_service(4, '2021-01-01', '2024-06-30');
CALL crm.rebuild('2024-05-17');
SET crm.as_of = '2024-05-17';
SELECT cmp_ok((SELECT count(*) FROM crm_bi.kpi k WHERE k.grain = 'year'), '>', 1000::bigint, 'the book has numbers');
SELECT is_empty('SELECT * FROM pg_temp.strayed(16, 3)', 'one number in sixteen counts its members');
SELECT is_empty('SELECT * FROM pg_temp.strayed_sums(8, 5)', 'so do sums over channels, kinds and classes');
SELECT oracle.build('2024-05-17');
SELECT is_empty($$SELECT k.code FROM crm.kpi_code k WHERE k.account IS NOT NULL EXCEPT SELECT w.code FROM pg_temp.wanted(1) w EXCEPT SELECT 'reactivation'$$, 'the definitions name members of every figure but one');
SELECT is_empty('SELECT * FROM pg_temp.mistaken(25)', 'and the members are those of the definitions');
SELECT is_empty($$SELECT k.code FROM crm.kpi_code k, crm.kpi_members(k.code, 'year', '2024-01-01', 101, part => CASE k.shape WHEN 2 THEN 'come' ELSE 'numerator' END) m WHERE k.code <> 'average_completeness' GROUP BY k.code, m.customer_id HAVING count(*) > 1$$,
  'nobody is named twice');
-- entries after the settled day, closing days ahead of it
SET crm.as_of = '2024-06-11';
SELECT is_empty('SELECT * FROM pg_temp.strayed(32, 7)', 'as of a later day, which is not folded');
CALL crm.refresh('2024-06-30');
SET crm.as_of = '2024-06-30';
SELECT is_empty('SELECT * FROM pg_temp.strayed(32, 9)', 'refreshed on a later day');
SELECT oracle.build('2024-06-30');
SELECT is_empty('SELECT * FROM pg_temp.mistaken(40)', 'with the members of the definitions');
CALL oracle.clear_book();
CALL oracle.random_book(9, 40, '2016-06-01', '2020-02-29');
CALL oracle.random_service(9, '2016-06-01', '2020-02-29');
CALL crm.rebuild('2020-02-29');
SET crm.as_of = '2020-02-29';
SELECT is_empty('SELECT * FROM pg_temp.strayed(32, 11)', 'another book, posted change by change and rebuilt on a leap day');
SELECT is_empty('SELECT * FROM pg_temp.strayed_sums(16, 13)', 'and its sums');
RESET crm.as_of;
CALL oracle.clear_book();

-- by hand ----------------------------------------------------------------------

INSERT INTO crm.organisation (id, parent_id, code, name) VALUES (1, NULL, 'c', 'Company'), (2, 1, 'n', 'North'), (3, 1, 's', 'South');
INSERT INTO crm.product (id, code, name) VALUES (1, 'w', 'Whole life');
INSERT INTO crm.customer (id, kind, name, org_id, source_channel_id, known_from) VALUES
  (1, 'person', 'Stays', 2, 1, '2020-01-01'), (2, 'person', 'Leaves', 2, 1, '2020-01-01'), (3, 'person', 'Comes', 3, 1, '2020-01-01'),
  (4, 'person', 'Moves', 2, 1, '2020-01-01'), (5, 'company', 'Buys again', 3, 1, '2020-01-01'), (6, 'person', 'Prospect', 3, 1, '2023-02-01'),
  (7, 'person', 'Back', 2, 1, '2020-01-01'), (8, 'person', 'Lapses', 3, 1, '2020-01-01'), (9, 'person', 'Insured only', 3, 1, '2020-01-01');
INSERT INTO crm.policy (customer_id, id, product_id, channel_id, issued_on, premium, matures_on) VALUES
  (1, 1, 1, 1, '2020-05-01', 1000, NULL), (2, 2, 1, 1, '2020-05-01', 1000, '2023-03-31'), (3, 3, 1, 2, '2023-03-31', 1000, NULL), (4, 4, 1, 1, '2021-05-01', 1000, NULL),
  (5, 5, 1, 1, '2020-05-01', 1000, NULL), (5, 6, 1, 1, '2023-01-01', 1000, NULL), (7, 7, 1, 1, '2019-05-01', 1000, NULL), (8, 8, 1, 1, '2022-02-01', 1000, NULL);
INSERT INTO crm.policy_insured (customer_id, policy_id, insured_id) VALUES (5, 5, 9);
INSERT INTO crm.policy_event (customer_id, policy_id, kind, on_date) VALUES (7, 7, 'lapse', '2022-11-01'), (7, 7, 'reinstatement', '2023-02-15'), (8, 8, 'lapse', '2023-02-20');
INSERT INTO crm.customer_organisation (customer_id, from_date, org_id) VALUES (4, '2023-02-10', 3);
CALL crm.rebuild('2023-12-31');
SET crm.as_of = '2023-12-31';
CREATE FUNCTION pg_temp.m(code text, org_id bigint, part text DEFAULT 'numerator', class text DEFAULT NULL, channel text DEFAULT NULL, kind text DEFAULT NULL, own boolean DEFAULT false) RETURNS text
LANGUAGE sql AS $$
  SELECT string_agg(m.customer_id::text, ' ' ORDER BY m.customer_id) FROM crm.kpi_members(m.code, 'quarter', '2023-01-01', m.org_id, m.channel, m.kind, m.part, m.class, m.own) m
$$;
SELECT is(pg_temp.m(h.code, h.org_id, h.part, h.class, h.channel, h.kind, h.own), h.customers, concat_ws(' ', h.code, h.part, h.class, h.channel, h.kind, h.org_id, CASE WHEN h.own THEN 'own' END))
FROM (VALUES
  ('insured', 1, 'numerator', NULL, NULL, NULL, false, '1 3 4 5 7 9'), ('insured', 2, 'numerator', NULL, NULL, NULL, false, '1 7'), ('insured', 3, 'numerator', NULL, NULL, NULL, false, '3 4 5 9'),
  ('insured', 1, 'numerator', NULL, NULL, NULL, true, NULL), ('insured', 3, 'numerator', NULL, NULL, 'company', true, '5'), ('insured', 1, 'numerator', NULL, 'individual', 'person', false, '1 4 7 9'),
  ('plan_customers', 1, 'numerator', NULL, NULL, NULL, false, '1 3 4 5 7'),
  ('coverage', 1, 'numerator', 'former', NULL, NULL, false, '2 8'), ('coverage', 1, 'numerator', 'prospect', NULL, NULL, false, '6'), ('coverage', 1, 'numerator', NULL, NULL, NULL, false, '1 2 3 4 5 6 7 8 9'),
  ('activity', 1, 'numerator', 'none', NULL, NULL, false, '6 9'), ('activity', 1, 'numerator', 'active', NULL, NULL, false, '3 5'), ('activity', 1, 'numerator', 'dormant', NULL, NULL, false, '7'),
  ('tier', 3, 'numerator', 'none', NULL, NULL, false, '6 8'),
  ('new_customers', 1, 'numerator', NULL, NULL, NULL, false, '3'), ('gained', 3, 'numerator', NULL, NULL, NULL, false, '3'), ('gained', 2, 'numerator', NULL, NULL, NULL, false, NULL),
  ('moved_in', 3, 'numerator', NULL, NULL, NULL, false, '4'), ('moved_out', 2, 'numerator', NULL, NULL, NULL, false, '4'), ('moved_out', 3, 'numerator', NULL, NULL, NULL, false, NULL),
  ('total_churn', 1, 'numerator', NULL, NULL, NULL, false, '2 8'), ('total_churn', 1, 'denominator', NULL, NULL, NULL, false, '1 2 4 5 8 9'), ('total_churn', 2, 'denominator', NULL, NULL, NULL, false, '1 2 4'),
  ('lapse_churn', 1, 'numerator', NULL, NULL, NULL, false, '8'), ('win_back', 2, 'numerator', NULL, NULL, NULL, false, '7'), ('win_back', 1, 'denominator', NULL, NULL, NULL, false, '7'),
  ('won_back', 1, 'numerator', NULL, NULL, NULL, false, '7'),
  ('repeat_purchase', 1, 'numerator', NULL, NULL, NULL, false, '5'), ('repeat_purchase_any', 3, 'numerator', NULL, NULL, NULL, false, '5'),
  ('insured_growth', 3, 'closing', NULL, NULL, NULL, false, '3 4 5 9'), ('insured_growth', 3, 'opening', NULL, NULL, NULL, false, '5 8 9'), ('insured_growth', 3, 'denominator', NULL, NULL, NULL, false, '5 8 9'),
  ('insured_growth', 3, 'come', NULL, NULL, NULL, false, '3 4'), ('insured_growth', 3, 'gone', NULL, NULL, NULL, false, '8'),
  ('insured_growth', 1, 'come', NULL, NULL, NULL, false, '3 7'), ('plan_growth', 1, 'gone', NULL, NULL, NULL, false, '2 8')) AS h (code, org_id, part, class, channel, kind, own, customers);
SELECT is((SELECT string_agg(m.customer_id::text, ' ' ORDER BY 1) FROM crm.kpi_members('total_churn', g.grain, g.day, 1) m), g.customers, format('churned by %s from %s', g.grain, g.day))
FROM (VALUES ('month', date '2023-01-01', NULL), ('month', '2023-02-01', '8'), ('month', '2023-03-01', '2'), ('year', '2023-01-01', '2 8'), ('trailing_12', '2022-03-01', '8'),
             ('trailing_12', '2022-04-01', '2 8'), ('month', '2024-01-01', NULL), ('year', '2150-01-01', NULL), ('month', '1900-01-01', NULL)) AS g (grain, day, customers);
SET crm.as_of = '2023-02-14';
SELECT is(pg_temp.m('total_churn', 1), NULL, 'an open period on a day before the settled one, which crm_bi.kpi does not show: nobody yet');
SET crm.as_of = '2023-02-20';
SELECT is(pg_temp.m('total_churn', 1) || ', ' || pg_temp.m('win_back', 1), '8, 7', 'and on a later day of it');
RESET crm.as_of;

-- beside posting --------------------------------------------------------------------

CREATE FUNCTION pg_temp.both(OUT says bigint, OUT members bigint) LANGUAGE sql SET crm.as_of = '2023-12-31' AS $$
  SELECT (SELECT sum(k.numerator) FROM crm_bi.kpi k WHERE k.code = 'insured' AND k.grain = 'month' AND k.period_start = '2023-12-01' AND k.org_id = 1),
         (SELECT count(*) FROM crm.kpi_members('insured', 'month', '2023-12-01', 1))
$$;
SELECT results_eq('SELECT * FROM pg_temp.both()', 'VALUES (6::bigint, 6::bigint)', 'six insured');
BEGIN;
INSERT INTO crm.policy (customer_id, id, product_id, channel_id, issued_on, premium) VALUES (6, 9, 1, 1, '2023-12-24', 1000);
SELECT results_eq('SELECT * FROM pg_temp.both()', 'VALUES (6::bigint, 6::bigint)', 'neither moves before the posting');
SELECT ok(crm.post() > 0, 'posted on demand');
SELECT results_eq('SELECT * FROM pg_temp.both()', 'VALUES (7::bigint, 7::bigint)', 'both with it');
ROLLBACK;
SET crm.posting = deferred;
INSERT INTO crm.policy (customer_id, id, product_id, channel_id, issued_on, premium) VALUES (6, 9, 1, 1, '2023-12-24', 1000);
RESET crm.posting;
SELECT results_eq('SELECT * FROM pg_temp.both()', 'VALUES (6::bigint, 6::bigint)', 'neither while the posting is queued');
CALL crm.refresh('2023-12-31');
SELECT results_eq('SELECT * FROM pg_temp.both()', 'VALUES (7::bigint, 7::bigint)', 'both when it is drained');
INSERT INTO crm.policy_event (customer_id, policy_id, kind, on_date, reason) VALUES (6, 9, 'end', '2023-12-24', 'cancellation');
SELECT results_eq('SELECT * FROM pg_temp.both()', 'VALUES (6::bigint, 6::bigint)', 'a correction takes both back');

-- rights --------------------------------------------------------------------------------

SET crm.as_of = '2023-12-31';
CREATE ROLE crm_test_analyst; CREATE ROLE crm_test_north; CREATE ROLE crm_test_sales;
CALL crm.grant_duty('analyst', 'crm_test_analyst');
CALL crm.grant_duty('analyst', 'crm_test_north');
CALL crm.grant_duty('sales', 'crm_test_sales');
SELECT is(pg_temp.by_login('crm_test_analyst', $$SELECT count(*) FROM crm.kpi_members('insured', 'month', '2023-12-01', 1)$$), '6', 'an analyst asks for members');
SELECT is(pg_temp.by_login('crm_test_sales', $$SELECT count(*) FROM crm.kpi_members('insured', 'month', '2023-12-01', 1)$$), '42501', 'a seller does not');
ALTER TABLE crm.standing ENABLE ROW LEVEL SECURITY;
CREATE POLICY everybody ON crm.standing USING (current_user <> 'crm_test_north' OR org_id = 2);
SELECT is(pg_temp.by_login('crm_test_north', $$SELECT string_agg(m.customer_id::text, ' ' ORDER BY 1) FROM crm.kpi_members('insured', 'month', '2023-12-01', 1) m$$), '1 7',
  'whom a row policy hides from the analyst is not named');
SELECT is(pg_temp.by_login('crm_test_north', $$SELECT string_agg(c.customer_id::text, ' ' ORDER BY 1) FROM crm_bi.customer c WHERE c.coverage = 'insured'$$), '1 7', 'as in crm_bi.customer');
SELECT is(pg_temp.by_login('crm_test_north', $$SELECT sum(k.numerator) FROM crm_bi.kpi k WHERE k.code = 'insured' AND k.grain = 'month' AND k.period_start = '2023-12-01' AND k.org_id = 1$$), '6',
  'though the number counts them');
SELECT is(pg_temp.by_login('crm_test_analyst', $$SELECT count(*) FROM crm.kpi_members('insured', 'month', '2023-12-01', 1)$$), '6', 'others see all');
DROP POLICY everybody ON crm.standing;
ALTER TABLE crm.standing DISABLE ROW LEVEL SECURITY;
DROP OWNED BY crm_test_analyst, crm_test_north, crm_test_sales;
DROP ROLE crm_test_analyst, crm_test_north, crm_test_sales;

-- bad input ---------------------------------------------------------------------------

SELECT results_eq(format('SELECT t.code, t.message FROM pg_temp.told(%L) t', format('SELECT * FROM crm.kpi_members(%s)', b.given)), format('VALUES (%L, %L)', b.code, b.message), b.given)
FROM (VALUES
  ($$'churn', 'month', '2023-12-01', 1$$, '22023', 'there is no figure "churn"'),
  ($$'insured', 'week', '2023-12-01', 1$$, '22023', 'there is no grain "week"'),
  ($$'insured', 'month', '2023-12-02', 1$$, '22023', 'no month begins on 2023-12-02'),
  ($$'insured', 'quarter', '2023-12-01', 1$$, '22023', 'no quarter begins on 2023-12-01'),
  ($$'insured', 'trailing_12', '2023-12-31', 1$$, '22023', 'no trailing_12 begins on 2023-12-31'),
  ($$'insured', 'month', 'infinity', 1$$, '22008', 'day "infinity" is out of range'),
  ($$'insured', 'month', '1899-12-01', 1$$, '22008', 'day "1899-12-01" is out of range'),
  ($$'insured', 'month', '2023-12-01', 77$$, '23503', 'there is no unit "77"'),
  ($$'insured', 'month', '2023-12-01', 1, 'smoke'$$, '22023', 'there is no channel "smoke"'),
  ($$'insured', 'month', '2023-12-01', 1, kind => 'cat'$$, '22023', 'there is no kind "cat"'),
  ($$'insured', 'month', '2023-12-01', 1, part => 'half'$$, '22023', 'figure "insured" has no part "half"'),
  ($$'insured', 'month', '2023-12-01', 1, part => 'denominator'$$, '22023', 'figure "insured" has no part "denominator"'),
  ($$'total_churn', 'month', '2023-12-01', 1, part => 'come'$$, '22023', 'figure "total_churn" has no part "come"'),
  ($$'insured_growth', 'month', '2023-12-01', 1$$, '22023', 'figure "insured_growth" has no part "numerator"'),
  ($$'insured', 'month', '2023-12-01', 1, class => 'gold'$$, '22023', 'figure "insured" has no classes'),
  ($$'tier', 'month', '2023-12-01', 1, class => 'active'$$, '22023', 'figure "tier" has no class "active"'),
  ($$'coverage', 'month', '2023-12-01', 1, class => 'none'$$, '22023', 'figure "coverage" has no class "none"'),
  ($$NULL, 'month', '2023-12-01', 1$$, '22004', 'code of a figure must be given'),
  ($$'insured', 'month', NULL, 1$$, '22004', 'period_start of a figure must be given'),
  ($$'insured', 'month', '2023-12-01', NULL$$, '22004', 'org_id of a figure must be given'),
  ($$'insured', 'month', '2023-12-01', 1, part => NULL$$, '22004', 'part of a figure must be given')) AS b (given, code, message);
SELECT is(t.hint, h.hint, h.given)
FROM (VALUES
  ($$'insured', 'quarter', '2023-12-01', 1$$, 'Give its first day, as 2023-10-01.'),
  ($$'insured', 'trailing_12', '2023-12-31', 1$$, 'Give its first day, as 2023-12-01.'),
  ($$'insured', 'month', '2023-12-01', 1, 'smoke'$$, 'Channels are ' || (SELECT string_agg(h.code, ', ' ORDER BY h.id) FROM crm.channel h) || '.'),
  ($$'coverage', 'month', '2023-12-01', 1, class => 'none'$$, 'Its classes are prospect, insured, former.'),
  ($$'insured', 'month', '2023-12-01', 1, class => 'gold'$$, 'Figures by class are ' || (SELECT string_agg(k.code, ', ' ORDER BY k.code) FROM crm.kpi_code k WHERE k.dimension IS NOT NULL) || '.'),
  ($$'total_churn', 'month', '2023-12-01', 1, part => 'come'$$, 'It has numerator and denominator.'),
  ($$'insured_growth', 'month', '2023-12-01', 1$$, 'It is a difference: closing less opening, or come less gone; its denominator is opening.')) AS h (given, hint),
  pg_temp.told(format('SELECT * FROM crm.kpi_members(%s)', h.given)) t;
SELECT is_empty($$SELECT k.code FROM crm.kpi_code k, pg_temp.told('SELECT * FROM crm.kpi_members(''none'', ''month'', ''2023-12-01'', 1)') t WHERE strpos(t.hint, k.code) = 0$$, 'the hint names every figure');
SET crm.as_of = '2026-12-31';
SELECT is(pg_temp.code_of($$SELECT * FROM crm.kpi_members('insured', 'month', '2023-12-01', 1)$$), '55000', 'a day beyond the last one posted');
RESET crm.as_of;
SELECT is(pg_temp.code_of('SELECT ' || c.call), c.code, c.call)
FROM (VALUES
  ($$crm._kpi_counts('person; 2020-01-01 1 1 k 0 0 0 -', NULL, 4::smallint, NULL, NULL, NULL, '2020-01-01', NULL, NULL, NULL)$$, '00000'),
  ($$crm._kpi_counts('person; 2020-01-01 1 1 k 0 0 0 -', NULL, 20::smallint, NULL, NULL, 2147483647, 'infinity', NULL, NULL, NULL)$$, '22023'),
  ($$crm._kpi_counts('person; 2020-01-01 1 1 k 0 0 0 -', NULL, 20::smallint, NULL, NULL, 13, '-infinity', NULL, NULL, NULL)$$, '22023'),
  ($$crm._kpi_counts('person; 2020-01-01 1 1 k 0 0 0 -', NULL, 20::smallint, NULL, NULL, -4, 'infinity', NULL, NULL, NULL)$$, '22023'),
  ($$crm._kpi_counts('person; 2020-01-01 1 1 k 0 0 0 -', NULL, 20::smallint, NULL, NULL, 38396, 'infinity', NULL, NULL, NULL)$$, '00000'),
  ($$crm._kpi_counts('person; 2020-01-01 1 1 k 0 0 0 -', NULL, 20::smallint, NULL, NULL, 38394, '-infinity', '{}', NULL, NULL)$$, '00000'),
  ($$crm._kpi_counts('person; 2020-01-01 1 1 k 0 0 0 -', NULL, 4::smallint, NULL, NULL, 0, 'infinity', '{1,NULL}', NULL, NULL)$$, '22004'),
  ($$crm._kpi_counts(NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)$$, '00000')) AS c (call, code);
-- asked differently from row to row
SELECT results_eq($$SELECT crm._kpi_counts(t.timeline, NULL, 4::smallint, NULL, c::smallint, NULL, '2020-01-01'::date + d, ARRAY[u, 9], NULL, NULL)
                    FROM (VALUES ('person; 2020-01-01 1 1 k 0 0 0 -'::crm.timeline)) AS t (timeline), generate_series(1, 2) c, generate_series(-1, 0) d, generate_series(1, 2) AS u ORDER BY c, d, u$$,
  $$VALUES (0::bigint), (0), (1), (0), (0), (0), (0), (0)$$, 'arguments may change from row to row');
SELECT is(crm._kpi_counts('person; 2020-01-01 1 1 kiwh 0 1 0 -', NULL, 4::smallint, l::smallint, NULL, NULL, '2020-01-01', NULL, NULL, NULL), (1 - n)::bigint, 'less account ' || coalesce(l::text, 'none'))
FROM (VALUES (NULL, 0), (1, 1), (2, 0)) AS x (l, n);

SELECT is_empty('SELECT * FROM crm.check()', 'the book is in order');
SELECT * FROM finish();
