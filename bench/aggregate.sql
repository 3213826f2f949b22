-- The aggregates over customers and policies beside the best plain SQL for the same, at 100 thousand and 1 million customers: milliseconds,
-- the least of three runs each in turn, with the results compared; times: plain SQL over crm. Then both with parallel workers, by the variable
-- workers: one less than there are cores, for the leader works as well; by default 1.
-- Other forms that were tried lose by far and are left out: rows of days for repeat_rate, joins for retention and persistency, arrays for funnels.
-- Run with: psql -f bench/aggregate.sql
\set ON_ERROR_STOP on
\pset pager off
\if :{?workers}
\else
\set workers 1
\endif
SET bench.workers = :workers;
SET work_mem = '1GB';
SET jit = off;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SELECT setseed(0.5) \g /dev/null

-- five purchases a customer, some have many; cover in one or two intervals; a funnel of three steps; lives in days with three causes
CREATE TABLE bench_purchase_1000000 AS
SELECT 1 + floor(random() * random() * 1000000)::bigint AS customer_id, date '2020-01-01' + i / 2740 AS on_date, round((exp(random() * 8))::numeric, 2) AS amount FROM generate_series(1, 5000000) AS i;
CREATE TABLE bench_cover_1000000 AS
SELECT p::bigint AS policy_id, 1 + p::bigint * 7919 % 1000000 AS customer_id, f AS from_date, CASE WHEN r < 0.4 THEN f + 1 + (r * 3000)::integer END AS to_date, 1000 + p % 5000 AS premium
FROM (SELECT p, date '2018-01-01' + (random() * 2500)::integer AS f, random() AS r FROM generate_series(1, 1500000) AS p) AS s;
INSERT INTO bench_cover_1000000 SELECT policy_id, customer_id, to_date + 30, NULL, premium FROM bench_cover_1000000 WHERE policy_id % 4 = 0 AND to_date IS NOT NULL;
CREATE TABLE bench_step_1000000 AS
SELECT customer_id, step, at FROM (SELECT 1 + floor(random() * 1000000)::bigint AS customer_id, 1 + floor(random() ^ 2 * 3)::integer AS step, timestamptz '2024-01-01' + i * interval '8 seconds' AS at FROM generate_series(1, 4000000) AS i) AS s;
CREATE TABLE bench_life_1000000 AS
SELECT customer_id, least(1 - ln(1 - random()) * 2000, 5000)::integer AS days, floor(random() * 4)::integer AS cause, round((exp(random() * 10))::numeric, 2)::double precision AS amount FROM generate_series(1, 1000000) AS customer_id;
CREATE TABLE bench_purchase_100000 AS SELECT customer_id / 10 AS customer_id, on_date, amount FROM bench_purchase_1000000 WHERE customer_id % 10 = 0;
CREATE TABLE bench_cover_100000 AS SELECT policy_id, customer_id / 10 AS customer_id, from_date, to_date, premium FROM bench_cover_1000000 WHERE customer_id % 10 = 0;
CREATE TABLE bench_step_100000 AS SELECT customer_id / 10 AS customer_id, step, at FROM bench_step_1000000 WHERE customer_id % 10 = 0;
CREATE TABLE bench_life_100000 AS SELECT * FROM bench_life_1000000 WHERE customer_id % 10 = 0;
VACUUM ANALYZE bench_purchase_100000, bench_cover_100000, bench_step_100000, bench_life_100000, bench_purchase_1000000, bench_cover_1000000, bench_step_1000000, bench_life_1000000;

CREATE TEMPORARY TABLE forms (n integer, aggregate text, form text, query text);
INSERT INTO forms VALUES
  (1, 'repeat_rate', 'crm', 'SELECT crm.repeat_rate(customer_id, on_date)::numeric FROM bench_purchase_%1$s'),
  (1, 'repeat_rate', 'two levels', 'SELECT avg((low < high)::integer) FROM (SELECT min(on_date) AS low, max(on_date) AS high FROM bench_purchase_%1$s GROUP BY customer_id) AS c'),
  (2, 'retention, 12 months', 'crm', 'SELECT crm.retention(customer_id, on_date, 12)::numeric[] FROM bench_purchase_%1$s'),
  (2, 'retention, 12 months', 'window', 'WITH active AS MATERIALIZED (SELECT customer_id, month, min(month) OVER (PARTITION BY customer_id) AS first FROM (SELECT customer_id, (extract(year FROM on_date) * 12 + extract(month FROM on_date))::integer AS month FROM bench_purchase_%1$s GROUP BY 1, 2) AS a),
     cell AS MATERIALIZED (SELECT first, month, count(*) AS n FROM active GROUP BY 1, 2)
     SELECT array_agg((SELECT sum(n) FROM cell WHERE month = first + k) / (SELECT sum(n) FROM cell WHERE month = first AND first + k <= (SELECT max(month) FROM cell)) ORDER BY k) FROM generate_series(1, 12) AS k'),
  (3, 'churn', 'crm', 'SELECT crm.churn(customer_id, from_date, to_date, ''2021-12-31'', ''2022-12-31'')::numeric FROM bench_cover_%1$s'),
  (3, 'churn', 'two levels', 'SELECT avg((NOT after)::integer) FROM (SELECT bool_or(from_date <= ''2021-12-31'' AND (to_date IS NULL OR to_date > ''2021-12-31'')) AS before, bool_or(from_date <= ''2022-12-31'' AND (to_date IS NULL OR to_date > ''2022-12-31'')) AS after FROM bench_cover_%1$s GROUP BY customer_id) AS c WHERE before'),
  (3, 'churn', 'anti-join', 'WITH before AS (SELECT DISTINCT customer_id FROM bench_cover_%1$s WHERE from_date <= ''2021-12-31'' AND (to_date IS NULL OR to_date > ''2021-12-31''))
     SELECT avg((NOT EXISTS (SELECT FROM bench_cover_%1$s AS a WHERE a.customer_id = b.customer_id AND a.from_date <= ''2022-12-31'' AND (a.to_date IS NULL OR a.to_date > ''2022-12-31'')))::integer) FROM before AS b'),
  (4, 'persistency, 13 months', 'crm', 'SELECT crm.persistency(policy_id, from_date, to_date, 13, ''2024-12-31'')::numeric FROM bench_cover_%1$s'),
  (4, 'persistency, 13 months', 'window', 'SELECT avg(kept::integer) FROM (SELECT bool_or(from_date <= due AND (to_date IS NULL OR to_date > due)) AS kept FROM (SELECT policy_id, from_date, to_date, (min(from_date) OVER (PARTITION BY policy_id) + interval ''13 months'')::date AS due FROM bench_cover_%1$s) AS c WHERE due <= ''2024-12-31'' GROUP BY policy_id) AS p'),
  (5, 'funnel, 3 steps in 90 days', 'crm', 'SELECT crm.funnel(customer_id, step, at, ''90 days'') FROM bench_step_%1$s'),
  (5, 'funnel, 3 steps in 90 days', 'windows', 'SELECT ARRAY[count(*) FILTER (WHERE one), count(*) FILTER (WHERE two), count(*) FILTER (WHERE three)] FROM (
     SELECT bool_or(begun IS NOT NULL) AS one, bool_or(second IS NOT NULL) AS two, bool_or(step = 3 AND at <= second + interval ''90 days'') AS three FROM (
       SELECT *, max(CASE WHEN step = 2 AND at <= begun + interval ''90 days'' THEN begun END) OVER w AS second FROM (
         SELECT *, max(CASE WHEN step = 1 THEN at END) OVER w AS begun FROM bench_step_%1$s WINDOW w AS (PARTITION BY customer_id ORDER BY at, step ROWS UNBOUNDED PRECEDING)) AS a
       WINDOW w AS (PARTITION BY customer_id ORDER BY at, step ROWS UNBOUNDED PRECEDING)) AS b GROUP BY customer_id) AS c'),
  (6, 'survival, 3 causes', 'crm', 'SELECT a::numeric[] FROM (SELECT ARRAY[survival, variance, incidence[1], incidence[2], incidence[3]] AS a FROM unnest((SELECT crm.survival(days, cause) FROM bench_life_%1$s)) WHERE duration <= 4000 ORDER BY duration DESC LIMIT 1) AS y'),
  (6, 'survival, 3 causes', 'windows', 'WITH counted AS (SELECT days, count(*) AS n, count(*) FILTER (WHERE cause > 0) AS d, count(*) FILTER (WHERE cause = 1) AS d1, count(*) FILTER (WHERE cause = 2) AS d2, count(*) FILTER (WHERE cause = 3) AS d3 FROM bench_life_%1$s GROUP BY days),
     risk AS (SELECT *, (sum(n) OVER (ORDER BY days DESC))::float8 AS r FROM counted),
     lasting AS (SELECT *, exp(sum(ln(nullif(1 - d / r, 0))) OVER (ORDER BY days)) AS s, sum(d / r / nullif(r - d, 0)) OVER (ORDER BY days) AS g FROM risk), behind AS (SELECT *, coalesce(lag(s) OVER (ORDER BY days), 1) AS b FROM lasting)
     SELECT a::numeric[] FROM (SELECT a FROM (SELECT days, ARRAY[s, s * s * g, sum(b * d1 / r) OVER (ORDER BY days), sum(b * d2 / r) OVER (ORDER BY days), sum(b * d3 / r) OVER (ORDER BY days)] AS a FROM behind) AS x WHERE days <= 4000 ORDER BY days DESC LIMIT 1) AS y'),
  (7, 'gini', 'crm', 'SELECT crm.gini(amount)::numeric FROM bench_life_%1$s'),
  (7, 'gini', 'window', 'SELECT (sum((2 * i - n - 1) * amount) / (max(n) * sum(amount)))::numeric FROM (SELECT amount, row_number() OVER (ORDER BY amount) AS i, count(*) OVER () AS n FROM bench_life_%1$s) AS s'),
  (7, 'gini', 'grouped', 'SELECT (sum((2 * i - k - n + 0.0::float8) * k * amount) / (max(n) * sum(k * amount)))::numeric FROM (SELECT amount, k, sum(k) OVER (ORDER BY amount)::float8 AS i, sum(k) OVER ()::float8 AS n FROM (SELECT amount, count(*) AS k FROM bench_life_%1$s GROUP BY amount) AS v) AS s'),
  (8, 'pareto_share, a fifth', 'crm', 'SELECT crm.pareto_share(amount, 0.2)::numeric FROM bench_life_%1$s'),
  (8, 'pareto_share, a fifth', 'window', 'SELECT (sum(amount) FILTER (WHERE i <= n * 0.2) / sum(amount))::numeric FROM (SELECT amount, row_number() OVER (ORDER BY amount DESC) AS i, count(*) OVER () AS n FROM bench_life_%1$s) AS s'),
  (8, 'pareto_share, a fifth', 'limit', 'SELECT ((SELECT sum(amount) FROM (SELECT amount FROM bench_life_%1$s ORDER BY amount DESC LIMIT (SELECT count(*) / 5 FROM bench_life_%1$s)) AS s) / (SELECT sum(amount) FROM bench_life_%1$s))::numeric');
CREATE TEMPORARY TABLE runs (customers integer, workers integer, n integer, aggregate text, form text, ms double precision, result text);
DO $$
DECLARE
  f record;
  start timestamptz;
  result text;
  workers integer;
BEGIN
  FOR customers IN 5 .. 6 LOOP
    FOREACH workers IN ARRAY ARRAY[0, current_setting('bench.workers')::integer] LOOP
      PERFORM set_config('max_parallel_workers_per_gather', workers::text, true);
      FOR run IN 1 .. 3 LOOP
        FOR f IN SELECT * FROM forms ORDER BY n, form LOOP
          start := clock_timestamp();
          EXECUTE format(f.query, (10 ^ customers)::integer) INTO result;
          INSERT INTO runs VALUES ((10 ^ customers)::integer, workers, f.n, f.aggregate, f.form, extract(epoch FROM clock_timestamp() - start) * 1000,
            (SELECT string_agg(round(v::numeric, 8)::text, ' ') FROM unnest(string_to_array(trim(result, '{}'), ',')) AS v));
        END LOOP;
      END LOOP;
    END LOOP;
  END LOOP;
END
$$;
CREATE TEMPORARY VIEW best AS SELECT customers, workers, n, aggregate, form, min(ms) AS ms, min(result) AS result, max(result) AS other_result FROM runs GROUP BY customers, workers, n, aggregate, form;
SELECT c.customers, c.aggregate, round(c.ms::numeric) AS crm_ms, p.form AS best_plain, round(p.ms::numeric) AS plain_ms, round((p.ms / c.ms)::numeric, 1) AS times,
  round(cp.ms::numeric) AS crm_parallel_ms, round((c.ms / cp.ms)::numeric, 2) AS speed_up, pp.form AS best_parallel_plain, round(pp.ms::numeric) AS plain_parallel_ms, round((pp.ms / cp.ms)::numeric, 1) AS times_parallel,
  (SELECT count(DISTINCT r.result) FROM runs AS r WHERE (r.customers, r.n) = (c.customers, c.n)) AS results
FROM best AS c, LATERAL (SELECT * FROM best AS b WHERE (b.customers, b.workers, b.n) = (c.customers, 0, c.n) AND b.form <> 'crm' ORDER BY ms LIMIT 1) AS p,
  LATERAL (SELECT * FROM best AS b WHERE (b.customers, b.n) = (c.customers, c.n) AND b.workers > 0 AND b.form = 'crm') AS cp,
  LATERAL (SELECT * FROM best AS b WHERE (b.customers, b.n) = (c.customers, c.n) AND b.workers > 0 AND b.form <> 'crm' ORDER BY ms LIMIT 1) AS pp
WHERE c.workers = 0 AND c.form = 'crm' ORDER BY c.customers, c.n;
DROP TABLE bench_purchase_100000, bench_cover_100000, bench_step_100000, bench_life_100000, bench_purchase_1000000, bench_cover_1000000, bench_step_1000000, bench_life_1000000;
