-- crm.fit_bgnbd at 2 thousand, 100 thousand and 1 million simulated customers, times in whole weeks and in days; median of three runs each
-- without parallel workers. growth: seconds per customer over those at the size before. The same for crm.fit_gamma_gamma, whose mean values
-- are nearly all distinct, and crm.expected_purchases of every customer.
-- Run with: psql -f bench/bgnbd.sql
\set ON_ERROR_STOP on
\pset pager off
SET max_parallel_workers_per_gather = 0;
SET work_mem = '256MB';
SET jit = off;
SELECT setseed(0.5) \g /dev/null

-- the model itself with rate ~ gamma(1/2, 30.9 days), the half of a squared normal variate, and dropout ~ beta(1, 2.5)
CREATE FUNCTION pg_temp.history(age integer, OUT x integer, OUT day integer) LANGUAGE plpgsql AS $$
DECLARE
  rate float8 := -ln(1 - random()) * cos(2 * pi() * random()) ^ 2 / 30.9;
  dropout float8 := 1 - random() ^ (1 / 2.5);
  at float8 := 0;
BEGIN
  x := 0;
  day := 0;
  LOOP
    at := at - ln(1 - random()) / rate;
    EXIT WHEN at > age;
    x := x + 1;
    day := ceil(at);
    EXIT WHEN random() < dropout;
  END LOOP;
END
$$;
CREATE TEMPORARY TABLE customers_1000000 AS
SELECT i, h.x, h.day, age, exp(3.5 + 0.4 * sqrt(-2 * ln(1 - random())) * cos(2 * pi() * random())) AS m
FROM (SELECT i, 190 + i % 84 AS age FROM generate_series(1, 1000000) AS i) AS s, LATERAL pg_temp.history(age) AS h;
CREATE TEMPORARY TABLE customers_100000 AS SELECT * FROM customers_1000000 WHERE i <= 100000;
CREATE TEMPORARY TABLE customers_2000 AS SELECT * FROM customers_1000000 WHERE i <= 2000;
VACUUM ANALYZE customers_2000, customers_100000, customers_1000000;

CREATE TEMPORARY TABLE forms (n integer, form text, query text);
INSERT INTO forms VALUES
  (1, 'fit_bgnbd, whole weeks', 'SELECT crm.fit_bgnbd(x, ceil(day / 7::float8), ceil(age / 7::float8))::text FROM %I'),
  (2, 'fit_bgnbd, days', 'SELECT crm.fit_bgnbd(x, day, age)::text FROM %I'),
  (3, 'fit_gamma_gamma', 'SELECT crm.fit_gamma_gamma(x, m)::text FROM %I'),
  (4, 'expected_purchases', 'SELECT sum(crm.expected_purchases(''r 0.243, alpha 30.9, a 0.793, b 2.426'', 365, x, day, age))::text FROM %I'),
  (5, 'rows read', 'SELECT count(x + day + age)::text FROM %I');
CREATE TEMPORARY TABLE runs (n integer, customers integer, seconds double precision, result text);
DO $$
DECLARE
  size integer;
  start timestamptz;
  result text;
  f record;
BEGIN
  FOR run IN 1 .. 3 LOOP
    FOREACH size IN ARRAY '{2000,100000,1000000}'::integer[] LOOP
      FOR f IN SELECT * FROM forms ORDER BY n LOOP
        start := clock_timestamp();
        EXECUTE format(f.query, 'customers_' || size) INTO result;
        INSERT INTO runs VALUES (f.n, size, extract(epoch FROM clock_timestamp() - start), result);
      END LOOP;
    END LOOP;
  END LOOP;
END
$$;

SELECT form, customers, round(seconds::numeric, 4) AS seconds, round((seconds / customers / (lag(seconds / customers) OVER (PARTITION BY n ORDER BY customers)))::numeric, 2) AS growth,
       CASE n WHEN 3 THEN crm.converged(result::crm.gamma_gamma) WHEN 1 THEN crm.converged(result::crm.bgnbd) WHEN 2 THEN crm.converged(result::crm.bgnbd) END AS converged,
       CASE n WHEN 1 THEN (SELECT count(DISTINCT (x, ceil(day / 7.0), ceil(age / 7.0))) FROM customers_1000000 WHERE i <= m.customers)
              WHEN 2 THEN (SELECT count(DISTINCT (x, day, age)) FROM customers_1000000 WHERE i <= m.customers)
              WHEN 3 THEN (SELECT count(DISTINCT (x, customers_1000000.m)) FROM customers_1000000 WHERE i <= m.customers AND x > 0) END AS distinct_histories
FROM (SELECT n, form, customers, percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds) AS seconds, max(result) AS result FROM runs JOIN forms USING (n) GROUP BY n, form, customers) AS m
ORDER BY n, customers;
