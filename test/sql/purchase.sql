-- Purchase models: text forms, likelihood, expectation and chance of being alive against formulas and integrals in plain SQL,
-- merging, what cannot be fitted, bad input
\pset null '(null)'
\pset format unaligned
\pset footer off
SET client_min_messages = warning;
SET search_path = public, crm;

CREATE FUNCTION pg_temp.outcome(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  detail text;
  result text;
BEGIN
  EXECUTE query INTO result;
  RETURN coalesce(result, '(null)');
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
  RETURN SQLSTATE || ' ' || SQLERRM || coalesce(' | ' || nullif(detail, ''), '');
END
$$;

-- text forms
SELECT 'r 0.243, alpha 4.414, a 0.793, b 2.426'::crm.bgnbd, ' b 2.426 ,a 7.93e-1,alpha  4.4140 , r .243 '::crm.bgnbd;
SELECT 'r 1, alpha 2, a 3, b 4, log_likelihood -9582.4, customers 2357, converged'::crm.bgnbd, 'not converged: nobody bought again, r 1, alpha 2, a 3, b 4, log_likelihood 0, customers 1'::crm.bgnbd;
SELECT 'p 6.25, q 3.74, gamma 15.44'::crm.gamma_gamma, 'p 1, q 2, gamma 3, log_likelihood 12, customers 9223372036854775807, not converged: too many steps'::crm.gamma_gamma;
SELECT crm.r(m), crm.alpha(m), crm.a(m), crm.b(m), crm.log_likelihood(m), crm.customers(m), crm.converged(m), crm.fit_problem(m)
FROM unnest('{"r 1, alpha 2, a 3, b 4","r 1, alpha 2, a 3, b 4, log_likelihood -5, customers 6, converged","r 1, alpha 2, a 3, b 4, log_likelihood -5, customers 6, not converged: no maximum within the limits"}'::crm.bgnbd[]) AS m;
SELECT crm.p(m), crm.q(m), crm.gamma(m), crm.log_likelihood(m), crm.customers(m), crm.converged(m), crm.fit_problem(m)
FROM unnest('{"p 1, q 2, gamma 3","p 1, q 2, gamma 3, log_likelihood -5, customers 6, not converged: too many steps"}'::crm.gamma_gamma[]) AS m;
SELECT literal, pg_temp.outcome(format('SELECT %L::crm.bgnbd', literal)) AS outcome
FROM unnest(ARRAY['', ',', 'r 1', 'r 1, alpha 2, a 3', 'r 1, alpha 2, a 3, b 4,', 'r 1, alpha 2, a 3, b 4, b 4', 'r 1 alpha 2 a 3 b 4', 'r1, alpha 2, a 3, b 4', 'r 0, alpha 2, a 3, b 4',
  'r -1, alpha 2, a 3, b 4', 'r NaN, alpha 2, a 3, b 4', 'r inf, alpha 2, a 3, b 4', 'r 1e400, alpha 2, a 3, b 4', 'r 1e31, alpha 2, a 3, b 4', 'r 0x1, alpha 2, a 3, b 4', 'r 1.2.3, alpha 2, a 3, b 4',
  'r 1, alpha 2, a 3, b 4, c 5', 'R 1, alpha 2, a 3, b 4', 'p 6.25, q 3.74, gamma 15.44', 'r 1, alpha 2, a 3, b 4, converged', 'r 1, alpha 2, a 3, b 4, log_likelihood 1, customers 2',
  'r 1, alpha 2, a 3, b 4, log_likelihood 1, customers 0, converged', 'r 1, alpha 2, a 3, b 4, log_likelihood 1, customers 1.5, converged', 'r 1, alpha 2, a 3, b 4, log_likelihood 1, customers 9223372036854775808, converged',
  'r 1, alpha 2, a 3, b 4, log_likelihood 1e999, customers 1, converged', 'r 1, alpha 2, a 3, b 4, log_likelihood 1, customers 1, not converged', 'r 1, alpha 2, a 3, b 4, log_likelihood 1, customers 1, converged, not converged: too many steps',
  repeat('r 1, ', 100)]) AS literal;
SELECT literal, pg_temp.outcome(format('SELECT %L::crm.gamma_gamma', literal)) AS outcome
FROM unnest(ARRAY['', 'p 1, q 2', 'p 1, q 2, gamma 0', 'p 1, q 2, gamma 3, b 4', 'r 0.243, alpha 4.414, a 0.793, b 2.426', 'p 1, q 2, gamma 3, gamma 3']) AS literal;

-- Customers of known models, always the same ------------------------------------------------------
SELECT setseed(0.5);
CREATE FUNCTION pg_temp.gamma_variate(shape float8) RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE
  boost float8 := 1;
  d float8;
  z float8;
  v float8;
BEGIN
  IF shape < 1 THEN
    boost := (1 - random()) ^ (1 / shape);
    shape := shape + 1;
  END IF;
  d := shape - 1.0 / 3;
  LOOP
    z := sqrt(-2 * ln(1 - random())) * cos(2 * pi() * random());
    v := (1 + z / sqrt(9 * d)) ^ 3;
    IF v > 0 AND ln(1 - random()) < z * z / 2 + d - d * v + d * ln(v) THEN
      RETURN boost * d * v;
    END IF;
  END LOOP;
END
$$;
CREATE FUNCTION pg_temp.history(r float8, alpha float8, a float8, b float8, age float8, OUT x integer, OUT t float8) LANGUAGE plpgsql AS $$
DECLARE
  rate float8 := pg_temp.gamma_variate(r) / alpha;
  g float8 := pg_temp.gamma_variate(a);
  dropout float8 := g / (g + pg_temp.gamma_variate(b));
  at float8 := 0;
BEGIN
  x := 0;
  t := 0;
  LOOP
    at := at - ln(1 - random()) / rate;
    EXIT WHEN at > age;
    x := x + 1;
    t := at;
    EXIT WHEN random() < dropout;
  END LOOP;
END
$$;
CREATE FUNCTION pg_temp.mean_value(p float8, q float8, gamma float8, x integer) RETURNS float8 LANGUAGE sql VOLATILE AS $$
  SELECT CASE WHEN x > 0 THEN pg_temp.gamma_variate(p * x) / x / (pg_temp.gamma_variate(q) / gamma) END
$$;
CREATE TABLE truth (k integer, r float8, alpha float8, a float8, b float8, p float8, q float8, gamma float8);
INSERT INTO truth VALUES (1, 0.25, 4.5, 0.8, 2.5, 6.25, 3.75, 15.5), (2, 1, 10, 0.5, 5, 1.5, 6, 200), (3, 3, 20, 2, 12, 20, 2.5, 3), (4, 0.5, 2, 0.3, 0.3, 2, 10, 50);
CREATE TABLE customers AS
SELECT k, i, age, h.x, round(h.t::numeric, 1)::float8 AS t, pg_temp.mean_value(p, q, gamma, h.x) AS m
FROM truth, generate_series(1, 1000) AS i, LATERAL (SELECT 30.0 + i % 10 AS age) AS o, LATERAL pg_temp.history(r, alpha, a, b, age) AS h;
-- who bought again within the first tenth of a unit gets the end of it
UPDATE customers SET t = 0.1 WHERE x > 0 AND t = 0;
UPDATE customers SET t = least(t, age);
CREATE TABLE fits AS SELECT k, crm.fit_bgnbd(x, t, age) AS f, crm.fit_gamma_gamma(x, m) AS g FROM customers GROUP BY k;
SELECT k, crm.converged(f) AS f_converged, crm.customers(f) AS f_n, crm.converged(g) AS g_converged, crm.customers(g) = (SELECT count(*) FROM customers c WHERE c.k = fits.k AND x > 0) AS g_n FROM fits ORDER BY k;
-- near what they were made of: in mean rate, mean dropout, mean value
SELECT k, abs(ln(crm.r(f) / crm.alpha(f) / (r / alpha))) < 0.2 AS rate, abs(ln(crm.a(f) / (crm.a(f) + crm.b(f)) / (a / (a + b)))) < 0.25 AS dropout,
  abs(ln(crm.p(g) * crm.gamma(g) / (crm.q(g) - 1) / (p * gamma / (q - 1)))) < 0.2 AS value, abs(ln(crm.r(f) / r)) < 0.3 AS r, abs(ln(crm.p(g) / p)) < 0.3 AS p
FROM fits JOIN truth USING (k) ORDER BY k;

-- likelihoods in plain SQL ---------------------------------------------------------------------------
CREATE FUNCTION pg_temp.lgamma(z float8) RETURNS float8 LANGUAGE sql IMMUTABLE AS $$
  SELECT (y - 0.5) * ln(y) - y + 0.5 * ln(2 * pi()) + (1.0 / 12 - (1.0 / 360 - (1.0 / 1260 - (1.0 / 1680 - 1.0 / 1188 / y2) / y2) / y2) / y2) / y
    - ln(z * (z + 1) * (z + 2) * (z + 3) * (z + 4)) - ln((z + 5) * (z + 6) * (z + 7) * (z + 8) * (z + 9))
  FROM (SELECT z + 10 AS y, (z + 10) * (z + 10) AS y2) AS shifted
$$;
SELECT abs(pg_temp.lgamma(5) - ln(24::float8)) < 1e-12 AND abs(pg_temp.lgamma(0.5) - ln(pi()) / 2) < 1e-12 AND abs(pg_temp.lgamma(0.001) - 6.907178885383854) < 1e-11 AS lgamma;
-- Fader, Hardie and Lee 2005, equation 6, as it stands there
CREATE FUNCTION pg_temp.bgnbd_likelihood(v_k integer, r float8, alpha float8, a float8, b float8) RETURNS float8 LANGUAGE sql STABLE AS $$
  SELECT sum(n * ln(
    exp(pg_temp.lgamma(a) + pg_temp.lgamma(b + x) - pg_temp.lgamma(a + b + x) - pg_temp.lgamma(a) - pg_temp.lgamma(b) + pg_temp.lgamma(a + b)
      + pg_temp.lgamma(r + x) + r * ln(alpha) - pg_temp.lgamma(r) - (r + x) * ln(alpha + age))
    + CASE WHEN x > 0 THEN exp(pg_temp.lgamma(a + 1) + pg_temp.lgamma(b + x - 1) - pg_temp.lgamma(a + b + x) - pg_temp.lgamma(a) - pg_temp.lgamma(b) + pg_temp.lgamma(a + b)
      + pg_temp.lgamma(r + x) + r * ln(alpha) - pg_temp.lgamma(r) - (r + x) * ln(alpha + t)) ELSE 0 END))
  FROM (SELECT x, t, age::float8 AS age, count(*) AS n FROM customers WHERE k = v_k GROUP BY x, t, age) AS c
$$;
-- Fader and Hardie 2013, equation 1a
CREATE FUNCTION pg_temp.gamma_gamma_likelihood(v_k integer, p float8, q float8, gamma float8) RETURNS float8 LANGUAGE sql STABLE AS $$
  SELECT sum(pg_temp.lgamma(p * x + q) - pg_temp.lgamma(p * x) - pg_temp.lgamma(q) + q * ln(gamma) + (p * x - 1) * ln(m) + p * x * ln(x::float8) - (p * x + q) * ln(gamma + m * x))
  FROM customers WHERE k = v_k AND x > 0
$$;
CREATE TABLE likelihoods AS
SELECT k, pg_temp.bgnbd_likelihood(k, crm.r(f), crm.alpha(f), crm.a(f), crm.b(f)) AS f_sql, pg_temp.gamma_gamma_likelihood(k, crm.p(g), crm.q(g), crm.gamma(g)) AS g_sql FROM fits;
SELECT k, abs(crm.log_likelihood(f) / f_sql - 1) < 1e-11 AS f_equal, abs(crm.log_likelihood(g) / g_sql - 1) < 1e-11 AS g_equal FROM fits JOIN likelihoods USING (k) ORDER BY k;
-- it is a maximum: all steps around lead down, and the slope is none
SELECT k, bool_and(pg_temp.bgnbd_likelihood(k, crm.r(f) * exp(d * (i = 1)::int), crm.alpha(f) * exp(d * (i = 2)::int), crm.a(f) * exp(d * (i = 3)::int), crm.b(f) * exp(d * (i = 4)::int)) < f_sql) AS f_top,
  bool_and(i = 4 OR pg_temp.gamma_gamma_likelihood(k, crm.p(g) * exp(d * (i = 1)::int), crm.q(g) * exp(d * (i = 2)::int), crm.gamma(g) * exp(d * (i = 3)::int)) < g_sql) AS g_top
FROM fits JOIN likelihoods USING (k), generate_series(1, 4) AS i, unnest('{-0.01,0.01}'::float8[]) AS d GROUP BY k ORDER BY k;
SELECT k, max(abs(up - down) / 2e-4) < 1e-6 * max(abs(up)) AS f_flat
FROM (SELECT k, i, pg_temp.bgnbd_likelihood(k, crm.r(f) * exp(d * (i = 1)::int), crm.alpha(f) * exp(d * (i = 2)::int), crm.a(f) * exp(d * (i = 3)::int), crm.b(f) * exp(d * (i = 4)::int)) AS up,
        pg_temp.bgnbd_likelihood(k, crm.r(f) * exp(-d * (i = 1)::int), crm.alpha(f) * exp(-d * (i = 2)::int), crm.a(f) * exp(-d * (i = 3)::int), crm.b(f) * exp(-d * (i = 4)::int)) AS down
      FROM fits, generate_series(1, 4) AS i, (SELECT 1e-4::float8 AS d) AS s) AS slopes GROUP BY k ORDER BY k;

-- the unit of time or money changes nothing but alpha, gamma and the likelihood
SELECT k, abs(crm.r(f) / crm.r(d) - 1) < 1e-7 AND abs(crm.alpha(f) * 7 / crm.alpha(d) - 1) < 1e-7 AND abs(crm.a(f) / crm.a(d) - 1) < 1e-6 AND abs(crm.b(f) / crm.b(d) - 1) < 1e-6 AS days,
  abs(crm.p(g) / crm.p(c) - 1) < 1e-7 AND abs(crm.q(g) / crm.q(c) - 1) < 1e-7 AND abs(crm.gamma(g) * 100 / crm.gamma(c) - 1) < 1e-7 AS cents
FROM fits JOIN (SELECT k, crm.fit_bgnbd(x, t * 7, age * 7) AS d, crm.fit_gamma_gamma(x, m * 100) AS c FROM customers GROUP BY k) AS other USING (k) ORDER BY k;

-- expectation and chance of being alive by integration ------------------------------------------------
-- the mean of f over p ~ beta(a, b), on a grid of the log of its odds
CREATE FUNCTION pg_temp.expected(r float8, alpha float8, a float8, b float8, t float8) RETURNS float8 LANGUAGE sql STABLE AS $$
  SELECT sum(w * (1 - (1 + p * t / alpha) ^ (-r)) / p) / sum(w)
  FROM (SELECT p, exp(greatest(a * ln(p) + b * ln(1 - p), -100)) AS w FROM (SELECT 1 / (1 + exp(-v)) AS p FROM (SELECT ln(a / b) + i * 0.1 AS v FROM generate_series(-280, 280) AS i) AS grid) AS points WHERE p < 1) AS weights
$$;
CREATE TABLE models AS SELECT * FROM unnest('{"r 0.243, alpha 4.414, a 0.793, b 2.426","r 2, alpha 10, a 1, b 3","r 0.7, alpha 0.5, a 1.8, b 0.9","r 5, alpha 40, a 2.5, b 30"}'::crm.bgnbd[]) WITH ORDINALITY AS v (m, k);
SELECT count(*), max(abs(crm.expected_purchases(m, t) / pg_temp.expected(crm.r(m), crm.alpha(m), crm.a(m), crm.b(m), t) - 1)) < 1e-8 AS new_customer
FROM models, unnest('{0.5,10,52,520}'::float8[]) AS t;
-- a history in which the customer is alive, or dropped out with the last purchase, given rate and dropout: (1 - p)^x rate^x e^(-rate T), p (1 - p)^(x - 1) rate^x e^(-rate t)
CREATE FUNCTION pg_temp.alive(r float8, alpha float8, a float8, b float8, x integer, t float8, age float8) RETURNS float8 LANGUAGE sql STABLE AS $$
  WITH dropout AS (
    SELECT sum(w * (1 - p) ^ x) AS stayed, sum(w * p * (1 - p) ^ (x - 1)) AS left_then
    FROM (SELECT p, exp(greatest(a * ln(p) + b * ln(1 - p), -100)) AS w FROM (SELECT 1 / (1 + exp(-i * 0.1)) AS p FROM generate_series(-340, 340) AS i) AS points WHERE p < 1) AS weights),
  rate AS (
    SELECT sum(exp(greatest((r + x) * v - (alpha + age) * exp(v), -100))) AS to_age, sum(exp(greatest((r + x) * v - (alpha + t) * exp(v), -100))) AS to_t FROM (SELECT i * 0.05 AS v FROM generate_series(-680, 80) AS i) AS grid)
  SELECT stayed * to_age / (stayed * to_age + left_then * to_t) FROM dropout, rate
$$;
CREATE TABLE histories (x integer, t float8, age float8);
INSERT INTO histories VALUES (1, 0, 10), (1, 10, 10), (2, 30.43, 38.86), (7, 12.5, 39), (20, 38, 39), (20, 5, 39);
SELECT count(*), max(abs(crm.p_alive(m, x, t, age) / pg_temp.alive(crm.r(m), crm.alpha(m), crm.a(m), crm.b(m), x, t, age) - 1)) < 1e-8 AS p_alive,
  max(abs(crm.expected_purchases(m, 39, x, t, age) / (pg_temp.alive(crm.r(m), crm.alpha(m), crm.a(m), crm.b(m), x, t, age) * pg_temp.expected(crm.r(m) + x, crm.alpha(m) + age, crm.a(m), crm.b(m) + x, 39)) - 1)) < 1e-8 AS expected_purchases
FROM models, histories;
-- the example of Fader, Hardie and Lee: 1.226
SELECT round(crm.expected_purchases('r 0.243, alpha 4.414, a 0.793, b 2.426', 39, 2, 30.43, 38.86)::numeric, 3) AS expected;
SELECT crm.p_alive(m, 0, 0, age), crm.expected_purchases(m, 0), crm.expected_purchases(m, 0, 0, 0, 0), crm.expected_purchases(m, 10) = crm.expected_purchases(m, 10, 0, 0, 0) AS new FROM models, unnest('{0,39,1e9}'::float8[]) AS age WHERE k = 1;
-- smooth through a = 1 and a + b = 1, where the published formula divides by 0
SELECT abs(crm.expected_purchases('r 1, alpha 5, a 1, b 2', 39) / ((crm.expected_purchases('r 1, alpha 5, a 0.999, b 2', 39) + crm.expected_purchases('r 1, alpha 5, a 1.001, b 2', 39)) / 2) - 1) < 1e-6 AS a_is_1,
  abs(crm.expected_purchases('r 1, alpha 5, a 0.4, b 0.6', 39) / ((crm.expected_purchases('r 1, alpha 5, a 0.4, b 0.599', 39) + crm.expected_purchases('r 1, alpha 5, a 0.4, b 0.601', 39)) / 2) - 1) < 1e-6 AS a_b_is_1;
-- r = 1, a = b = 1: the integral of t / (alpha + p t) is ln(1 + t / alpha), also where the horizon is long or the series would not end
SELECT t, abs(crm.expected_purchases('r 1, alpha 5, a 1, b 1', t) / ln(1 + t / 5) - 1) < 1e-11 AS equal FROM unnest('{0.01,1,100,5000,1e6,1e9}'::float8[]) AS t;
-- without dropout it is a rate; x up to the limit
SELECT abs(crm.expected_purchases('r 2, alpha 4, a 1e-20, b 1', 10) - 5) < 1e-9 AS no_dropout, crm.expected_purchases('r 2, alpha 4, a 1, b 1e-20', 1e9) BETWEEN 0.999 AND 1 AS once,
  crm.p_alive(m, 1000000000, 38, 39) BETWEEN 0 AND 1e-9 AS silent, crm.expected_purchases(m, 39, 1000000000, 39, 39) / 1e9 BETWEEN 0.1 AND 0.9 AS busy FROM models WHERE k = 1;
SELECT count(*), count(*) FILTER (WHERE NOT (e >= 0 AND e < 'Infinity' AND alive BETWEEN 0 AND 1)) AS unsound
FROM (SELECT crm.expected_purchases(m, h, x, t * age, age) AS e, crm.p_alive(m, x, t * age, age) AS alive
      FROM (SELECT format('r %s, alpha %s, a %s, b %s', r, alpha, a, b)::crm.bgnbd AS m FROM unnest('{1e-30,1e-6,1,1e30}'::text[]) AS r, unnest('{1e-30,1,1e6,1e30}'::text[]) AS alpha, unnest('{1e-30,1e-6,1,1e30}'::text[]) AS a, unnest('{1e-30,1,1e6,1e30}'::text[]) AS b) AS corners,
        unnest('{1e-9,1e9}'::float8[]) AS h, (VALUES (1, 0, 1e-9), (1, 1, 39), (1000000000, 0, 39), (1000000000, 0.5, 1e9)) AS v (x, t, age)) AS values;
-- growing with the horizon, more alive the later the last purchase, less the longer the silence
SELECT bool_and(e > last OR last IS NULL) AS horizon FROM (SELECT e, lag(e) OVER (PARTITION BY k, x, t ORDER BY h) AS last FROM (SELECT k, x, t, h, crm.expected_purchases(m, h, x, t, age) AS e FROM models, histories, (SELECT 1.2 ^ i AS h FROM generate_series(-20, 60) AS i) AS g) AS v) AS w;
SELECT bool_and(alive > last OR last IS NULL) AS recency FROM (SELECT alive, lag(alive) OVER (PARTITION BY k, x ORDER BY t) AS last FROM (SELECT k, x, t, crm.p_alive(m, x, t, 39) AS alive FROM models, unnest('{1,2,5,20}'::int[]) AS x, generate_series(0, 39, 0.5) AS t) AS v) AS w;
SELECT bool_and(alive < last OR last IS NULL) AS silence FROM (SELECT alive, lag(alive) OVER (PARTITION BY k, x ORDER BY age) AS last FROM (SELECT k, x, age, crm.p_alive(m, x, 10, age) AS alive FROM models, unnest('{1,2,5,20}'::int[]) AS x, generate_series(10, 60) AS age) AS v) AS w;

-- value -------------------------------------------------------------------------------------------------
-- the mean of p / rate over rate ~ gamma(p x + q, gamma + m x), on a grid of the log of the rate over its mean
CREATE FUNCTION pg_temp.value_of(p float8, q float8, gamma float8, x float8, m float8) RETURNS float8 LANGUAGE sql STABLE AS $$
  SELECT sum(w * p / (exp(v) * (p * x + q) / (gamma + m * x))) / sum(w) FROM (SELECT v, exp(greatest((p * x + q) * v - (p * x + q) * (exp(v) - 1), -100)) AS w FROM (SELECT i * 0.02 AS v FROM generate_series(-1500, 200) AS i) AS grid) AS weights
$$;
SELECT max(abs(crm.expected_value(m, x, v) / pg_temp.value_of(crm.p(m), crm.q(m), crm.gamma(m), x, v) - 1)) < 1e-9 AS expected_value
FROM unnest('{"p 6.25, q 3.74, gamma 15.44","p 1.5, q 2.2, gamma 200"}'::crm.gamma_gamma[]) AS m, (VALUES (0, 0), (1, 35), (2, 22.35), (9, 300)) AS v (x, v);
SELECT bool_and(v > last OR last IS NULL) AS grows FROM (SELECT v, lag(v) OVER (PARTITION BY x ORDER BY m) AS last FROM (SELECT x, m, crm.expected_value('p 6.25, q 3.74, gamma 15.44', x, m) AS v FROM generate_series(1, 5) AS x, generate_series(1, 100) AS m) AS e) AS w;
-- the sum over periods in SQL
SELECT count(*), max(abs(crm.lifetime_value(m, g, x, t, age, 40, n, d) / s - 1)) < 1e-11 AS lifetime_value
FROM models, histories, (VALUES ('p 6.25, q 3.74, gamma 15.44'::crm.gamma_gamma)) AS v (g), unnest('{1,52}'::int[]) AS n, unnest('{0,0.0018,1}'::float8[]) AS d,
  LATERAL (SELECT sum((crm.expected_purchases(m, j, x, t, age) - crm.expected_purchases(m, j - 1, x, t, age)) / (1 + d) ^ j) * crm.expected_value(g, x, 40) AS s FROM generate_series(1, n) AS j) AS sums;

-- merging -----------------------------------------------------------------------------------------------
CREATE TABLE parts (LIKE customers) PARTITION BY LIST (k);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES IN (1, 2);
CREATE TABLE parts_2 PARTITION OF parts FOR VALUES IN (3, 4);
INSERT INTO parts SELECT * FROM customers;
ANALYZE customers;
ANALYZE parts;
CREATE TABLE results (how text, k integer, f text, g text);
INSERT INTO results SELECT 'plain', k, crm.fit_bgnbd(x, t, age), crm.fit_gamma_gamma(x, m) FROM customers GROUP BY k;
INSERT INTO results SELECT 'plain', 0, crm.fit_bgnbd(x, t, age), crm.fit_gamma_gamma(x, m) FROM customers;
INSERT INTO results SELECT 'shuffled', k, crm.fit_bgnbd(x, t, age), crm.fit_gamma_gamma(x, m) FROM (SELECT * FROM customers ORDER BY md5(i::text)) AS s GROUP BY k;
INSERT INTO results SELECT 'shuffled', 0, crm.fit_bgnbd(x, t, age), crm.fit_gamma_gamma(x, m) FROM (SELECT * FROM customers ORDER BY md5(i::text)) AS s;
SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SET max_parallel_workers_per_gather = 2; SET parallel_leader_participation = off;
CREATE FUNCTION pg_temp.plan_has(query text, node text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  line text;
BEGIN
  FOR line IN EXECUTE 'EXPLAIN ' || query LOOP
    IF line LIKE '%' || node || '%' THEN RETURN true; END IF;
  END LOOP;
  RETURN false;
END
$$;
SELECT pg_temp.plan_has('SELECT crm.fit_bgnbd(x, t, age), crm.fit_gamma_gamma(x, m) FROM customers', 'Partial Aggregate') AS partial;
CREATE TEMPORARY TABLE parallel AS SELECT 0 AS k, crm.fit_bgnbd(x, t, age)::text AS f, crm.fit_gamma_gamma(x, m)::text AS g FROM customers;
INSERT INTO results SELECT 'parallel', * FROM parallel;
SET enable_partitionwise_aggregate = on;
SELECT pg_temp.plan_has('SELECT crm.fit_bgnbd(x, t, age), crm.fit_gamma_gamma(x, m) FROM parts', 'Append') AS append;
CREATE TEMPORARY TABLE partitions AS SELECT 0 AS k, crm.fit_bgnbd(x, t, age)::text AS f, crm.fit_gamma_gamma(x, m)::text AS g FROM parts;
INSERT INTO results SELECT 'partitions', * FROM partitions;
RESET parallel_setup_cost; RESET parallel_tuple_cost; RESET min_parallel_table_scan_size; RESET max_parallel_workers_per_gather; RESET parallel_leader_participation; RESET enable_partitionwise_aggregate;
-- states that travel as text, as between machines
CREATE AGGREGATE pg_temp.bgnbd_state(bigint, float8, float8) (SFUNC = crm._bgnbd_add, STYPE = crm._tally, COMBINEFUNC = crm._tally_merge, PARALLEL = SAFE);
CREATE AGGREGATE pg_temp.merge_states(crm._tally) (SFUNC = crm._tally_merge, STYPE = crm._tally, COMBINEFUNC = crm._tally_merge, FINALFUNC = crm._bgnbd_fit, PARALLEL = SAFE);
INSERT INTO results SELECT 'as text', 0, pg_temp.merge_states(state::text::crm._tally), NULL FROM (SELECT pg_temp.bgnbd_state(x, t, age) AS state FROM customers GROUP BY i % 7, k) AS s;
CREATE TABLE states AS SELECT i % 5 AS part, pg_temp.bgnbd_state(x, t, age) AS state FROM customers GROUP BY 1;
INSERT INTO results SELECT 'stored', 0, pg_temp.merge_states(state), NULL FROM states;
SELECT how, count(*), count(*) FILTER (WHERE r.f <> p.f OR r.g <> p.g) AS differ FROM results AS r JOIN (SELECT k, f, g FROM results WHERE how = 'plain') AS p USING (k) GROUP BY how ORDER BY how;
-- as a window: a state goes on after it was read
SELECT count(*) FILTER (WHERE running IS DISTINCT FROM alone) AS differ
FROM (SELECT i, (crm.fit_bgnbd(x, t, age) OVER (ORDER BY i))::text AS running FROM customers WHERE k = 3 AND i <= 120) AS w
JOIN LATERAL (SELECT crm.fit_bgnbd(c.x, c.t, c.age)::text AS alone FROM customers AS c WHERE c.k = 3 AND c.i <= w.i) AS a ON true;
SELECT crm._tally_merge(NULL, NULL), crm._tally_merge('1 0: 1 * 2, 3 * 1', NULL), crm._tally_merge(NULL, '1 0: 1 * 2, 3 * 1'), crm._tally_merge('1 0: 1 * 2, 3 * 1', '1 0: 2 * 1, 3 * 4'), crm._tally_merge(s, s) FROM (SELECT crm._gini_add(NULL, 5) AS s) AS v;

-- nothing, or next to nothing, to fit -----------------------------------------------------------------------
SELECT crm.fit_bgnbd(x, t, age), crm.fit_gamma_gamma(x, m) FROM customers WHERE false;
SELECT crm.fit_bgnbd(NULL, 1, 1), crm.fit_gamma_gamma(1, NULL);
SELECT crm.fit_bgnbd(x, t, age)::text = crm.fit_bgnbd(x, t, age) FILTER (WHERE x IS NOT NULL AND t IS NOT NULL AND age IS NOT NULL)::text AS nulls, crm.customers(crm.fit_bgnbd(x, t, age))
FROM (SELECT x, t, age FROM customers WHERE k = 2 UNION ALL VALUES (NULL, 1, 2), (1, NULL, 2), (1, 1, NULL)) AS v;
SELECT crm.fit_gamma_gamma(x, 0) AS nobody_again FROM generate_series(1, 5), (VALUES (0)) AS v (x);
SELECT what, crm.converged(f), crm.fit_problem(f), crm.p_alive(f, 1, least(1, age), greatest(age, 1)) BETWEEN 0 AND 1 AS alive, crm.expected_purchases(f, 10) < 1e9 AS expected
FROM (SELECT what, max(age) AS age, crm.fit_bgnbd(x, t, age) AS f
      FROM (SELECT 'nobody bought again' AS what, 0 AS x, 0::float8 AS t, i::float8 AS age FROM generate_series(1, 50) AS i
            UNION ALL SELECT 'no time', 0, 0, 0 UNION ALL SELECT 'one customer', 3, 10, 20 UNION ALL SELECT 'one repeater of many', CASE i WHEN 1 THEN 1 ELSE 0 END, CASE i WHEN 1 THEN 5 ELSE 0 END, 20 FROM generate_series(1, 50) AS i
            UNION ALL SELECT 'nobody drops out', i % 5 + 1, 20, 20 FROM generate_series(1, 50) AS i UNION ALL SELECT 'all alike', 5, 15, 20 FROM generate_series(1, 50) AS i
            UNION ALL SELECT 'all at once', i % 4, 0, 20 FROM generate_series(1, 50) AS i UNION ALL SELECT 'very busy', 1000000000, 15, 20 FROM generate_series(1, 50) AS i) AS v GROUP BY what) AS w ORDER BY what;
SELECT what, crm.converged(f), crm.fit_problem(f) FROM (SELECT what, crm.fit_gamma_gamma(x, m) AS f
      FROM (SELECT 'one customer' AS what, 3 AS x, 10::float8 AS m UNION ALL SELECT 'all alike', 3, 10 FROM generate_series(1, 50) UNION ALL SELECT 'from the least to the most', 2, 10.0 ^ (i % 25 - 9) FROM generate_series(1, 50) AS i) AS v GROUP BY what) AS w ORDER BY what;

-- bad input -----------------------------------------------------------------------------------------------
SELECT args, pg_temp.outcome(format('SELECT crm.fit_bgnbd(%s)', args)) AS fit, pg_temp.outcome(format('SELECT crm.p_alive(''r 1, alpha 2, a 3, b 4'', %s)', args)) AS alive, pg_temp.outcome(format('SELECT crm.expected_purchases(''r 1, alpha 2, a 3, b 4'', 1, %s)', args)) AS expected
FROM unnest('{"-1, 0, 1","1000000001, 1, 2","1, -1, 2","1, 1, -2","1, ''NaN'', 2","1, 1, ''NaN''","1, 1, ''Infinity''","1, ''-Infinity'', 1","1, 3, 2","0, 1, 2","1, 0, 0","1, 0, 1e-10","1, 1, 1e10","-9223372036854775808, 0, 0"}'::text[]) AS args;
SELECT horizon, pg_temp.outcome(format('SELECT crm.expected_purchases(''r 1, alpha 2, a 3, b 4'', %L)', horizon)) AS new, pg_temp.outcome(format('SELECT crm.expected_purchases(''r 1, alpha 2, a 3, b 4'', %L, 1, 1, 2)', horizon)) AS known
FROM unnest('{-1,NaN,Infinity,-Infinity,1e10}'::text[]) AS horizon;
SELECT args, pg_temp.outcome(format('SELECT crm.fit_gamma_gamma(%s)', args)) AS fit, pg_temp.outcome(format('SELECT crm.expected_value(''p 6, q 4, gamma 15'', %s)', args)) AS expected
FROM unnest('{"-1, 5","1000000001, 5","1, 0","1, -5","0, -5","1, ''NaN''","0, ''NaN''","1, ''Infinity''","1, 1e16","1, 1e-10"}'::text[]) AS args;
SELECT pg_temp.outcome('SELECT crm.expected_value(''p 6, q 1, gamma 15'', 0, 0)'), pg_temp.outcome('SELECT crm.expected_value(''p 0.1, q 0.5, gamma 15'', 1, 20)');
SELECT args, pg_temp.outcome(format('SELECT crm.lifetime_value(''r 1, alpha 2, a 3, b 4'', ''p 6, q 4, gamma 15'', %s)', args)) AS outcome
FROM unnest('{"1, 1, 2, 5, 0, 0.1","1, 1, 2, 5, -1, 0.1","1, 1, 2, 5, 10001, 0.1","1, 1, 2, 5, 52, -0.1","1, 1, 2, 5, 52, ''NaN''","1, 1, 2, 5, 52, ''Infinity''","1, 1, 2, 0, 52, 0.1","1, 3, 2, 5, 52, 0.1","-1, 0, 2, 5, 52, 0.1"}'::text[]) AS args;
SELECT crm.lifetime_value('r 1, alpha 2, a 3, b 4', 'p 6, q 4, gamma 15', 1, 1, 2, NULL, 52, 0.1), crm.expected_purchases(NULL, 1), crm.p_alive('r 1, alpha 2, a 3, b 4', NULL, 1, 1), crm.expected_value('p 6, q 4, gamma 15', 1, NULL), crm.r(NULL);
-- forged states
SELECT state, pg_temp.outcome(format('SELECT crm.fit_problem(crm._bgnbd_fit(%L))', state)) AS bgnbd, pg_temp.outcome(format('SELECT crm.fit_problem(crm._gamma_gamma_fit(%L))', state)) AS gamma_gamma, pg_temp.outcome(format('SELECT crm._tally_merge(%L, ''3 0: 1 1 2 * 1'')', state)) AS merged
FROM unnest('{"","0 0:","4 0:","1 0","1 0:","3 0:","2 0:","3 0: 1 1","3 0: 1 1 2","3 0: 1 1 2 * 0","3 0: 1 1 2 * -1","3 0: 1 1 2 * 1,","3 0: 1 1 2 * 1, 1 1 2 * 1","3 0: 2 1 2 * 1, 1 1 2 * 1","3 0: NaN 1 2 * 1","3 0: 1e999 1 2 * 1","3 0: -0 0 2 * 1",
  "3 0: 1 1 2 * 9223372036854775807, 1 1 3 * 1","3 0: 1 1 2 * 9223372036854775807","3 0: 1.5 1 2 * 1","3 0: -1 0 2 * 1","3 0: 1e300 1 2 * 1","3 0: 1 3 2 * 1","2 0: 0 5 * 1","2 0: 1.5 5 * 1","2 0: 1 -5 * 1","3 1: 1 1 2 * 1","3 0: 0x1 1 2 * 1"}'::text[]) AS state;
SELECT pg_temp.outcome('SELECT crm._bgnbd_add(''2 0: 1 5 * 1'', 1, 1, 2)'), pg_temp.outcome('SELECT crm._bgnbd_add(''3 0: 1 1 2 * 9223372036854775807'', 1, 1, 2)'), pg_temp.outcome('SELECT crm._bgnbd_add(''3 0: 1 1 2 * 3'', 1, 1, 2)'), pg_temp.outcome('SELECT crm._bgnbd_add(NULL, NULL, 1, 2)');
