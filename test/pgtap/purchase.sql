-- Published parameters on real purchases, and RFM scores against plain SQL.
-- psql --set data=FOLDER; FOLDER holds cdnow, rfm_package and online_retail; what is missing is skipped.
\set ON_ERROR_STOP on
\if :{?data}
\else
\set data ''
\endif
BEGIN;
SELECT plan(16);

-- CDNOW: first 39 weeks, purchases of one day are one ------------------------------------------------
\set source :data '/cdnow/cdnow_sample.csv'
\setenv SOURCE :source
\set have `test -r "$SOURCE" && echo true || echo false`
\if :have
CREATE TEMPORARY TABLE load (id_master text, id text, day date, discs integer, dollars numeric);
\set copy '\\copy load from program ''cat "$SOURCE"'' with (format csv, header)'
:copy
CREATE TEMPORARY TABLE customers AS
SELECT id, count(*) FILTER (WHERE repeat) AS x, coalesce(max(day - first) FILTER (WHERE repeat), 0) / 7.0 AS t, (date '1997-09-30' - first) / 7.0 AS age, avg(dollars) FILTER (WHERE repeat) AS m,
  count(*) FILTER (WHERE day > '1997-09-30') AS later
FROM (SELECT id, day, sum(dollars) AS dollars, min(day) OVER w AS first, day > min(day) OVER w AND day <= '1997-09-30' AS repeat FROM load GROUP BY id, day WINDOW w AS (PARTITION BY id)) AS days
GROUP BY id, first;
SELECT crm.fit_bgnbd(x, t, age) AS purchases, crm.fit_gamma_gamma(x, m) FILTER (WHERE m > 0) AS value FROM customers \gset
SELECT is(count(*)::integer, 2357, 'CDNOW: the calibration sample is loaded') FROM customers;
SELECT ok(crm.converged(:'purchases'::crm.bgnbd) AND crm.converged(:'value'::crm.gamma_gamma), 'CDNOW: both models are fitted');
SELECT is(format('%s %s %s %s %s', round(crm.r(f)::numeric, 3), round(crm.alpha(f)::numeric, 3), round(crm.a(f)::numeric, 3), round(crm.b(f)::numeric, 3), round(crm.log_likelihood(f)::numeric, 1)),
  '0.243 4.414 0.793 2.426 -9582.4', 'CDNOW: BG/NBD as in Fader, Hardie and Lee 2005') FROM (SELECT :'purchases'::crm.bgnbd AS f) AS v;
SELECT is(round(crm.expected_purchases(:'purchases', 39, 2, 30.43, 38.86)::numeric, 3), 1.226, 'CDNOW: their example of a customer');
SELECT is(format('%s %s %s %s', round(crm.p(g)::numeric, 2), round(crm.q(g)::numeric, 2), round(crm.gamma(g)::numeric, 2), crm.customers(g)), '6.25 3.74 15.44 946', 'CDNOW: gamma-gamma as in Fader and Hardie 2013') FROM (SELECT :'value'::crm.gamma_gamma AS g) AS v;
SELECT ok(sum(crm.expected_purchases(:'purchases', 39, x, t::float8, age::float8)) BETWEEN 0.8 * sum(later) AND 1.1 * sum(later), 'CDNOW: purchases of the next 39 weeks are foreseen') FROM customers;
SELECT ok(corr(crm.expected_purchases(:'purchases', 39, x, t::float8, age::float8), later) > 0.6, 'CDNOW: of each customer too') FROM customers;
SELECT ok(bool_and(v > 0) AND avg(v) BETWEEN 10 AND 60, 'CDNOW: lifetime values of a year')
FROM (SELECT crm.lifetime_value(:'purchases', :'value', x, t::float8, age::float8, coalesce(m, 0)::float8, 52, 1.1 ^ (1 / 52.0) - 1) AS v FROM customers WHERE x = 0 OR m > 0) AS l;
\else
SELECT skip('there is no folder cdnow with data', 8);
\endif

-- RFM of orders: who bought when, how often, for how much -----------------------------------------------
CREATE TEMPORARY TABLE orders (source text, customer text, day date, amount numeric);
\set source :data '/rfm_package/rfm_data_orders.csv'
\setenv SOURCE :source
\set have_package `test -r "$SOURCE" && echo true || echo false`
\if :have_package
CREATE TEMPORARY TABLE package (customer text, day date, amount numeric);
\set copy '\\copy package from program ''cat "$SOURCE"'' with (format csv, header)'
:copy
INSERT INTO orders SELECT 'rfm_package', * FROM package;
\endif
\set source :data '/online_retail/online_retail_invoices.csv.gz'
\setenv SOURCE :source
\set have_retail `test -r "$SOURCE" && echo true || echo false`
\if :have_retail
CREATE TEMPORARY TABLE retail (invoice text, day timestamp, customer text, amount numeric);
\set copy '\\copy retail from program ''gzip -dc "$SOURCE"'' with (format csv, header)'
:copy
INSERT INTO orders SELECT 'online_retail', customer, day::date, amount FROM retail;
\endif
CREATE TEMPORARY TABLE rfm AS
SELECT source, customer, max(day) - date '2000-01-01' AS r, count(*)::integer AS f, sum(amount) AS m FROM orders GROUP BY source, customer;
CREATE TEMPORARY TABLE by_rank AS
SELECT source, customer, crm.rank_score(5) OVER (PARTITION BY source ORDER BY r) AS r, crm.rank_score(5) OVER (PARTITION BY source ORDER BY f) AS f, crm.rank_score(5) OVER (PARTITION BY source ORDER BY m) AS m FROM rfm;
CREATE TEMPORARY TABLE by_bounds AS
SELECT source, customer, crm.bound_score(rfm.r, b.r) AS r, crm.bound_score(rfm.f, b.f) AS f, crm.bound_score(rfm.m::float8, b.m) AS m
FROM rfm JOIN (SELECT source, crm.quantile_bounds(r, 5) AS r, crm.quantile_bounds(f, 5) AS f, crm.quantile_bounds(m, 5) AS m FROM rfm GROUP BY source) AS b USING (source);
-- the same by counting who is below, and by percentile_cont
CREATE FUNCTION pg_temp.differ(name text) RETURNS SETOF text LANGUAGE sql AS $$
  SELECT format('%s by rank', s.customer) FROM by_rank AS s
  JOIN (SELECT customer, 5 * (rank() OVER (ORDER BY r) - 0.5) / count(*) OVER () AS r, 5 * (rank() OVER (ORDER BY f) - 0.5) / count(*) OVER () AS f, 5 * (rank() OVER (ORDER BY m) - 0.5) / count(*) OVER () AS m
        FROM rfm WHERE source = name) AS o USING (customer)
  WHERE s.source = name AND (s.r, s.f, s.m) IS DISTINCT FROM (ceil(o.r), ceil(o.f), ceil(o.m))
  UNION ALL
  SELECT format('%s by bounds', s.customer) FROM by_bounds AS s JOIN rfm AS o USING (source, customer),
    (SELECT percentile_cont('{0.2,0.4,0.6,0.8}'::float8[]) WITHIN GROUP (ORDER BY r) AS r, percentile_cont('{0.2,0.4,0.6,0.8}'::float8[]) WITHIN GROUP (ORDER BY f) AS f,
       percentile_cont('{0.2,0.4,0.6,0.8}'::float8[]) WITHIN GROUP (ORDER BY m::float8) AS m FROM rfm WHERE source = name) AS b
  WHERE s.source = name AND (s.r, s.f, s.m) IS DISTINCT FROM (1 + (o.r > b.r[1])::int + (o.r > b.r[2])::int + (o.r > b.r[3])::int + (o.r > b.r[4])::int,
    1 + (o.f > b.f[1])::int + (o.f > b.f[2])::int + (o.f > b.f[3])::int + (o.f > b.f[4])::int, 1 + (o.m::float8 > b.m[1])::int + (o.m::float8 > b.m[2])::int + (o.m::float8 > b.m[3])::int + (o.m::float8 > b.m[4])::int)
$$;
\if :have_package
SELECT is((SELECT count(*)::integer FROM rfm WHERE source = 'rfm_package'), 995, 'rfm_package: customers');
SELECT is_empty($$SELECT pg_temp.differ('rfm_package')$$, 'rfm_package: both scorings');
SELECT is((SELECT array_agg(m ORDER BY m) FROM (SELECT m FROM by_rank WHERE source = 'rfm_package' GROUP BY m HAVING count(*) BETWEEN 190 AND 208) AS c), '{1,2,3,4,5}', 'rfm_package: classes of money are of equal size but for ties');
\else
SELECT skip('there is no folder rfm_package with data', 3);
\endif
\if :have_retail
SELECT is((SELECT count(*)::integer FROM rfm WHERE source = 'online_retail'), 4338, 'online_retail: customers');
SELECT is_empty($$SELECT pg_temp.differ('online_retail')$$, 'online_retail: both scorings');
SELECT is((SELECT round(crm.pareto_share(m, 0.2)::numeric, 12) FROM rfm WHERE source = 'online_retail'),
  (SELECT round(((sum(m) FILTER (WHERE n <= 867) + 0.6 * sum(m) FILTER (WHERE n = 868)) / sum(m)), 12) FROM (SELECT m, row_number() OVER (ORDER BY m DESC) AS n FROM rfm WHERE source = 'online_retail') AS s), 'online_retail: share of the top fifth');
SELECT is_empty($$
  SELECT customer FROM (SELECT customer, crm.grade('A, B 0.8, C 0.95', crm.share_before(m) OVER (ORDER BY m DESC)) AS class, coalesce(sum(m) OVER (ORDER BY m DESC GROUPS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS before, sum(m) OVER () AS total FROM rfm WHERE source = 'online_retail') AS s
  WHERE class <> CASE WHEN before < 0.8 * total THEN 'A' WHEN before < 0.95 * total THEN 'B' ELSE 'C' END$$, 'online_retail: ABC classes');
\else
SELECT skip('there is no folder online_retail with data', 4);
\endif
RESET ROLE;
SELECT crm.post();
SELECT is_empty('SELECT * FROM crm.check()', 'what must hold holds');
SELECT * FROM finish();
ROLLBACK;
