-- The oracle itself: figures worked out by hand, the same figures counted day by day, books that balance, and wrong
-- definitions that show.
\set ON_ERROR_STOP on
\ir ../oracle/oracle.sql
\ir ../oracle/compare.sql
\ir ../oracle/random_book.sql
\ir ../oracle/random_service.sql
\ir ../oracle/brute.sql
\ir ../oracle/mutations.sql
\ir ../oracle/hand.sql
SELECT no_plan();

-- by hand -----------------------------------------------------------------

CALL oracle.hand_book();
SELECT set_eq(
  $$SELECT k.code, k.class, k.org_id, k.channel, k.kind, k.numerator, k.denominator FROM oracle.kpi_own('2021-05-20') k
    WHERE k.grain = 'year' AND k.period_start = '2020-01-01'$$,
  $$SELECT f.code, f.class, f.org_id, f.channel, f.kind, f.numerator, f.denominator FROM oracle.hand_figure f
    WHERE f.own AND f.grain = 'year' AND f.period_start = '2020-01-01' AND f.as_of = '2021-05-20'$$,
  'every figure of the year 2020');
SELECT is_empty(
  format($$SELECT f.* FROM oracle.hand_figure f WHERE f.as_of = %L AND NOT EXISTS (
      SELECT FROM oracle.%I(%L) k
      WHERE (k.code, k.class, k.grain, k.period_start, k.org_id, k.channel, k.kind, k.numerator, k.denominator)
        IS NOT DISTINCT FROM (f.code, f.class, f.grain, f.period_start, f.org_id, f.channel, f.kind, f.numerator, f.denominator)) AND f.own = %L$$,
    a.as_of, a.kpi, a.as_of, a.kpi = 'kpi_own'),
  format('figures by hand on %s from %s', a.as_of, a.kpi))
FROM (SELECT DISTINCT f.as_of, CASE WHEN f.own THEN 'kpi_own' ELSE 'kpi' END AS kpi FROM oracle.hand_figure f) a ORDER BY a.as_of, a.kpi;
SELECT is_empty($$SELECT * FROM oracle.kpi('2014-12-31')$$, 'no figure before the first standing');
SELECT is((SELECT min(k.period_start) FROM oracle.kpi('2021-05-20', '2020-07-15') k WHERE k.grain = 'month'), '2020-07-01'::date, 'first limits the periods');
SELECT is_empty(
  $$(SELECT * FROM oracle.kpi('2021-05-20', '2020-07-15') EXCEPT SELECT * FROM oracle.kpi('2021-05-20'))$$, 'and changes none of them');

-- day by day ----------------------------------------------------------------

CALL oracle.clear_book();
VACUUM ANALYZE crm.policy, crm.policy_event, crm.policy_insured, crm.customer, crm.customer_organisation;
CALL oracle.random_book(11, 25, '2019-01-01', '2022-12-31');
CALL oracle.random_service(11, '2019-01-01', '2022-12-31');
SELECT set_eq('SELECT * FROM oracle.kpi(''2022-02-28'')', 'SELECT * FROM oracle.brute(''2022-02-28'')', 'a random book, day by day');
CALL oracle.clear_book();
VACUUM ANALYZE crm.policy, crm.policy_event, crm.policy_insured, crm.customer, crm.customer_organisation;

-- wrong definitions ------------------------------------------------------------

CALL oracle.random_book(5, 150, '2014-01-01', '2020-12-31');
CALL oracle.random_service(5, '2014-01-01', '2020-12-31');
ANALYZE;
SELECT cmp_ok(s.differences, '>', 0::bigint, format('%s: %s', s.code, s.mutation)) FROM oracle.mutations_seen('2019-06-10') s;
SELECT is((SELECT array_agg(c ORDER BY c) FROM unnest(oracle.codes()) AS c),
  (SELECT array_agg(DISTINCT c ORDER BY c) FROM oracle.mutation m, unnest(m.codes) AS c), 'each figure has a wrong definition');
SELECT isnt_empty($$SELECT * FROM oracle.kpi('2019-06-10')$$, 'the book has figures');
SELECT is_empty('SELECT * FROM oracle.unbalanced()', 'opening and turnovers make the closing in every cell');

-- the comparison sees what differs ------------------------------------------------

CREATE TEMP TABLE have AS
WITH RECURSIVE down AS (
  SELECT o.id, o.name, 0 AS depth FROM crm.organisation o WHERE o.parent_id IS NULL
  UNION ALL SELECT o.id, o.name, d.depth + 1 FROM down d JOIN crm.organisation o ON o.parent_id = d.id)
SELECT row_number() OVER (ORDER BY b.grain, b.period_start, b.code, b.class, b.org_id, b.channel, b.kind) AS kpi_key,
       b.grain, b.period_start, b.period_end, b.period_end <= '2019-06-10' AS is_complete, b.org_id, d.depth AS org_level, d.name AS org_name,
       b.channel, b.kind, b.code, b.class, b.numerator, b.denominator,
       CASE WHEN b.denominator IS NULL THEN b.numerator ELSE b.numerator / nullif(b.denominator, 0) END AS value
FROM oracle.built(true) b JOIN down d ON d.id = b.org_id;
CREATE TEMP TABLE have_own AS
WITH RECURSIVE down AS (
  SELECT o.id, o.name, 0 AS depth FROM crm.organisation o WHERE o.parent_id IS NULL
  UNION ALL SELECT o.id, o.name, d.depth + 1 FROM down d JOIN crm.organisation o ON o.parent_id = d.id)
SELECT row_number() OVER (ORDER BY b.grain, b.period_start, b.code, b.class, b.org_id, b.channel, b.kind) AS kpi_key,
       b.grain, b.period_start, b.period_end, b.period_end <= '2019-06-10' AS is_complete, b.org_id, d.depth AS org_level, d.name AS org_name,
       b.channel, b.kind, b.code, b.class, b.numerator, b.denominator,
       CASE WHEN b.denominator IS NULL THEN b.numerator ELSE b.numerator / nullif(b.denominator, 0) END AS value
FROM oracle.built(false) b JOIN down d ON d.id = b.org_id;
SELECT is_empty($$SELECT * FROM oracle.compare('2019-06-10', 'have', 'have_own')$$, 'equal figures have no difference');
UPDATE have SET numerator = numerator + 1, value = CASE WHEN denominator IS NULL THEN value + 1 ELSE (numerator + 1) / denominator END
WHERE code = 'insured' AND kpi_key = (SELECT min(kpi_key) FROM have WHERE code = 'insured');
DELETE FROM have WHERE kpi_key = (SELECT min(kpi_key) FROM have WHERE code = 'win_back');
INSERT INTO have_own SELECT -1, grain, period_start, period_end, is_complete, org_id, org_level, org_name, channel, kind, code, class, numerator, denominator, value
FROM have_own WHERE kpi_key = 7;
UPDATE have_own SET is_complete = NOT is_complete WHERE kpi_key = 8;
UPDATE have_own SET org_level = org_level + 1 WHERE kpi_key = 9;
UPDATE have_own SET value = 5 WHERE kpi_key = 10;
UPDATE have_own SET kpi_key = 11 WHERE kpi_key = 12;
UPDATE have_own SET denominator = NULL, value = numerator WHERE kpi_key = (SELECT min(kpi_key) FROM have_own WHERE code = 'total_churn' AND numerator <> 0);
SELECT results_eq(
  $$SELECT c.relation, c.what FROM oracle.compare('2019-06-10', 'have', 'have_own') c ORDER BY 1, 2$$,
  $$VALUES ('kpi', 'different'), ('kpi', 'missing'), ('kpi_own', 'different'), ('kpi_own', 'is_complete'), ('kpi_own', 'kpi_key'),
           ('kpi_own', 'org_level'), ('kpi_own', 'unknown or twice'), ('kpi_own', 'value')$$,
  'each kind of difference is shown once');

SELECT * FROM finish();
