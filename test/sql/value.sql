-- Scores of recency, frequency and money, and concentration of value, against plain SQL; ties, merging, bad input
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

SELECT setseed(0.25);
CREATE TABLE amounts AS SELECT i, i % 4 AS g, floor(-ln(1 - random()) * 5)::integer AS n, round((exp(random() * 6) - 1)::numeric, 2) AS amount FROM generate_series(1, 3000) AS i;
ANALYZE amounts;

-- quantile bounds are those of percentile_cont
SELECT g, classes, crm.quantile_bounds(amount, classes) = percentile_cont((SELECT array_agg(k::float8 / classes ORDER BY k) FROM generate_series(1, classes - 1) AS k)) WITHIN GROUP (ORDER BY amount::float8) AS equal
FROM amounts, unnest('{2,3,5,7,100}'::int[]) AS classes GROUP BY g, classes HAVING g < 2 ORDER BY g, classes;
SELECT crm.quantile_bounds(v, 5) FROM unnest('{1,1,1,1,2}'::float8[]) AS v;
SELECT crm.quantile_bounds(v, 4), crm.quantile_bounds(v, 2) FROM unnest('{7}'::float8[]) AS v;
SELECT crm.quantile_bounds(v, 4) FROM unnest('{-3,NULL,0,1e300,-1e300}'::float8[]) AS v;
SELECT crm.quantile_bounds(v, 2) FROM unnest('{-1.7e308,1.7e308,-1.7e308}'::float8[]) AS v;
SELECT crm.quantile_bounds(v, 4), crm.quantile_bounds(1, NULL) FROM unnest('{NULL}'::float8[]) AS v;
SELECT v, crm.bound_score(v, '{10,20,20,30}') FROM unnest('{-Infinity,9,10,10.5,20,20.5,30,31,Infinity}'::float8[]) AS v;
SELECT crm.bound_score(1, '{}'), crm.bound_score(NULL, '{1}'), crm.bound_score(1, NULL), crm.bound_score(5, '{-Infinity,Infinity}');
SELECT count(*) FILTER (WHERE score <> below + 1) AS differ, count(DISTINCT score) AS scores
FROM (SELECT crm.bound_score(amount, b) AS score, (SELECT count(*) FROM unnest(b) AS u WHERE u < amount::float8) AS below FROM amounts, (SELECT crm.quantile_bounds(amount, 5) AS b FROM amounts) AS q) AS s;

-- ranks: without ties classes of equal size, as ntile has them where the rows divide evenly
SELECT count(*) FILTER (WHERE score <> tile) AS differ FROM (SELECT crm.rank_score(5) OVER w AS score, ntile(5) OVER w AS tile FROM amounts WINDOW w AS (ORDER BY i DESC)) AS s;
-- with ties the class of the first, middle or last rank, in whatever order the rows come
SELECT ties, count(*) FILTER (WHERE score <> 1 + floor((CASE ties WHEN 'first' THEN rank - 0.5 WHEN 'last' THEN rank + peers - 1.5 ELSE rank - 1 + peers / 2.0 END) * 5 / rows)) AS differ, count(DISTINCT (n, score)) = count(DISTINCT n) AS peers_alike
FROM (SELECT ties, n, crm.rank_score(5, ties) OVER (PARTITION BY ties ORDER BY n) AS score, rank() OVER (PARTITION BY ties ORDER BY n) AS rank, count(*) OVER (PARTITION BY ties, n) AS peers, count(*) OVER (PARTITION BY ties) AS rows
      FROM amounts, unnest('{first,middle,last}'::text[]) AS ties) AS s GROUP BY ties ORDER BY ties;
SELECT count(*) FILTER (WHERE crm_first <> crm_default) AS differ FROM (SELECT crm.rank_score(7, 'first') OVER (ORDER BY n) AS crm_first, crm.rank_score(7) OVER (ORDER BY n) AS crm_default FROM amounts) AS s;
SELECT g, array_agg(DISTINCT score ORDER BY score) AS scores, min(n) FROM (SELECT g, n, crm.rank_score(3) OVER (PARTITION BY g ORDER BY n) AS score FROM amounts) AS s GROUP BY g ORDER BY g;
SELECT v, crm.rank_score(4) OVER (ORDER BY v) AS first, crm.rank_score(4, 'middle') OVER (ORDER BY v) AS middle, crm.rank_score(4, 'last') OVER (ORDER BY v) AS last, crm.rank_score(4, 'last') OVER (ORDER BY v DESC) AS down, crm.rank_score(4) OVER () AS none FROM unnest('{5,5,5,5,6,7,8,NULL}'::int[]) AS v ORDER BY v;
SELECT crm.rank_score(1000) OVER (ORDER BY v) FROM unnest('{1,2}'::int[]) AS v;

-- shares
SELECT count(*) FILTER (WHERE abs(cumulative - cumulative_sql) > 1e-15 OR abs(before - before_sql) > 1e-15) AS differ, min(before), max(cumulative)
FROM (SELECT crm.cumulative_share(n) OVER w AS cumulative, crm.share_before(n) OVER w AS before, sum(n) OVER w / (sum(n) OVER ())::float8 AS cumulative_sql, coalesce(sum(n) OVER (w GROUPS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) / (sum(n) OVER ())::float8 AS before_sql
      FROM amounts WINDOW w AS (ORDER BY n DESC)) AS s;
-- hundredths add up exactly: eight tenths are eight tenths
SELECT i, crm.share_before(0.10) OVER (ORDER BY i) AS before, crm.cumulative_share(0.10) OVER (ORDER BY i) AS cumulative, crm.grade('A, B 0.8, C 0.9', crm.share_before(0.10) OVER (ORDER BY i)) AS class FROM generate_series(1, 10) AS i;
-- one who has nearly all is still class A
SELECT v, crm.share_before(v) OVER w AS before, crm.cumulative_share(v) OVER w AS cumulative, crm.grade('A, B 0.8, C 0.95', crm.share_before(v) OVER w) AS class FROM unnest('{990,4,3,2,1}'::numeric[]) AS v WINDOW w AS (ORDER BY v DESC);
SELECT v, crm.share_before(v) OVER w AS before, crm.cumulative_share(v) OVER w AS cumulative FROM unnest('{10,NULL,-4,10}'::numeric[]) AS v WINDOW w AS (ORDER BY v DESC NULLS LAST);
SELECT v, crm.share_before(v) OVER w AS before, crm.cumulative_share(v) OVER w AS cumulative FROM unnest('{0,0}'::numeric[]) AS v WINDOW w AS (ORDER BY v DESC);
SELECT g, max(c) FROM (SELECT g, crm.cumulative_share(amount) OVER (PARTITION BY g ORDER BY amount DESC) AS c FROM amounts) AS s GROUP BY g ORDER BY g;

-- concentration
SELECT top, abs(crm.pareto_share(amount, top) / (SELECT sum(amount) FILTER (WHERE r <= top * 3000)::float8 / sum(amount)::float8 FROM (SELECT amount, row_number() OVER (ORDER BY amount DESC) AS r FROM amounts) AS s) - 1) < 1e-12 AS equal
FROM amounts, unnest('{0.01,0.2,0.5,1}'::float8[]) AS top GROUP BY top ORDER BY top;
SELECT crm.pareto_share(v, 0.2), crm.pareto_share(v, 0.3), crm.pareto_share(v, 1), crm.gini(v) FROM unnest('{50,30,10,6,4}'::float8[]) AS v;
SELECT crm.pareto_share(v, 0.5), crm.gini(v) FROM unnest('{7,7,7,7}'::float8[]) AS v;
SELECT crm.pareto_share(v, 0.25), crm.gini(v) FROM unnest('{0,0,0,9}'::float8[]) AS v;
SELECT crm.pareto_share(v, 0.25), crm.gini(v) FROM unnest('{0,0}'::float8[]) AS v;
SELECT crm.pareto_share(v, 0.25), crm.gini(v) FROM unnest('{NULL}'::float8[]) AS v;
SELECT crm.pareto_share(v, 0.5) AS above_1, crm.pareto_share(-v, 0.5) AS negative_total FROM unnest('{9,-3}'::float8[]) AS v;
-- of values of either sign and any size, the smallest double among them, some once and some a thousand times; the order of rows tells not even in the last digit
CREATE TABLE sizes AS
SELECT i, ((CASE WHEN random() < 0.3 THEN '-' ELSE '' END || round((1 + random() * 8)::numeric, 2)) || 'e' || (random() * 580 - 290)::integer)::float8 AS v FROM generate_series(1, 9000) AS i
UNION ALL SELECT 9000 + i, unnest('{0,-0,4.9e-324,-4.9e-324,2.2250738585072014e-308,2.2250738585072009e-308,1e300,3e300,-2e299}'::float8[]) FROM generate_series(1, 1000) AS i;
SELECT t, count(DISTINCT s) AS sums, abs(min(s) / min(naive)::float8 - 1) < 1e-12 AS equal
FROM unnest('{0.0001,0.05,0.11,0.2,0.4999,0.55,0.87,0.99999,1}'::float8[]) AS t,
  LATERAL (SELECT sum(v * greatest(least(t::numeric * n - r + 1, 1), 0)) / sum(v) AS naive FROM (SELECT v::text::numeric AS v, row_number() OVER (ORDER BY v DESC) AS r, count(*) OVER () AS n FROM sizes) AS x) AS y,
  LATERAL (SELECT crm.pareto_share(v, t) FROM sizes UNION ALL SELECT crm.pareto_share(v, t) FROM (SELECT v FROM sizes ORDER BY v) AS x UNION ALL SELECT crm.pareto_share(v, t) FROM (SELECT v FROM sizes ORDER BY md5(i::text)) AS x) AS shares(s) GROUP BY t ORDER BY t;
SELECT crm.pareto_share(v, 0.4) AS five_of_six, crm.pareto_share(v, 0.3) AS four_of_six FROM unnest('{4.9e-324,-0,1.5e-323,0,1e-323}'::float8[]) AS v;
SELECT crm.pareto_share(v, 0.75) AS seventeen_of_thirteen, crm.pareto_share(v, 0.875) AS fifteen_of_thirteen FROM unnest('{-1,-4,20,-2}'::float8[]) AS v;
SELECT abs(crm.pareto_share(1 + i / 10000.0, 0.3) - (SELECT sum(1 + i / 10000.0) FROM generate_series(7000, 9999) AS i) / (SELECT sum(1 + i / 10000.0) FROM generate_series(0, 9999) AS i)) < 1e-15 AS equal FROM generate_series(0, 9999) AS i;
-- half the mean absolute difference over the mean
SELECT g, abs(crm.gini(amount) / (SELECT sum(abs(a.amount - b.amount)) / 2 / sum(a.amount) FROM amounts AS a, amounts AS b WHERE a.g = s.g AND b.g = s.g)::float8 - 1) < 1e-12 AS equal FROM amounts AS s WHERE g = 1 GROUP BY g;

-- the same in parallel, and shuffled
CREATE TABLE results (how text, bounds float8[], share float8, gini float8);
INSERT INTO results SELECT 'plain', crm.quantile_bounds(amount, 7), crm.pareto_share(amount, 0.2), crm.gini(amount) FROM amounts;
INSERT INTO results SELECT 'shuffled', crm.quantile_bounds(amount, 7), crm.pareto_share(amount, 0.2), crm.gini(amount) FROM (SELECT amount FROM amounts ORDER BY md5(i::text)) AS s;
SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SET max_parallel_workers_per_gather = 2; SET parallel_leader_participation = off;
EXPLAIN (COSTS OFF) SELECT crm.quantile_bounds(amount, 7), crm.pareto_share(amount, 0.2), crm.gini(amount) FROM amounts;
CREATE TEMPORARY TABLE parallel AS SELECT 'parallel', crm.quantile_bounds(amount, 7), crm.pareto_share(amount, 0.2), crm.gini(amount) FROM amounts;
INSERT INTO results TABLE parallel;
SELECT count(*), count(DISTINCT (bounds, share, gini)) AS different FROM results;

-- bad input
SELECT query, pg_temp.outcome('SELECT ' || query) AS outcome
FROM unnest(ARRAY['crm.quantile_bounds(1, 1)', 'crm.quantile_bounds(1, 1001)', 'crm.quantile_bounds(1, -5)', 'crm.quantile_bounds(''NaN'', 5)', 'crm.quantile_bounds(''Infinity'', 5)',
  'crm.quantile_bounds(1, c) FROM generate_series(2, 3) AS c', 'crm.pareto_share(1, t) FROM unnest(''{0.2,0.3}''::float8[]) AS t',
  'crm.bound_score(''NaN'', ''{1}'')', 'crm.bound_score(1, ''{2,1}'')', 'crm.bound_score(1, ''{NaN}'')', 'crm.bound_score(1, ''{1,NULL}'')', 'crm.bound_score(1, ''{{1,2},{3,4}}'')',
  'crm.rank_score(1) OVER ()', 'crm.rank_score(0) OVER ()', 'crm.rank_score(1001) OVER ()', 'crm.rank_score(NULL) OVER ()', 'crm.rank_score(5, NULL) OVER ()', 'crm.rank_score(5, ''average'') OVER ()', 'crm.rank_score(5)',
  'crm.cumulative_share(''NaN'') OVER ()', 'crm.share_before(''Infinity'') OVER ()', 'crm.share_before(1)',
  'crm.pareto_share(1, 0)', 'crm.pareto_share(1, 1.01)', 'crm.pareto_share(1, 1.0000001)', 'crm.pareto_share(1, t) FROM (VALUES (0.3::float8), (0.1::float8 + 0.2::float8)) AS t (t)', 'crm.pareto_share(1, ''NaN'')', 'crm.pareto_share(''NaN'', 0.2)', 'crm.pareto_share(''-Infinity'', 0.2)', 'crm.gini(-1)', 'crm.gini(''NaN'')', 'crm.gini(''Infinity'')',
  'crm.pareto_share(1e308, 0.5) FROM generate_series(1, 10)', 'crm.gini(1e308) FROM generate_series(1, 10)',
  'crm._quantile_bounds(''1 0: 1 * 1'')', 'crm._quantile_bounds(''1 1e300: 1 * 1'')', 'crm._quantile_bounds(''2 5: 1 1 * 1'')', 'crm._quantile_bounds(''1 5:'')', 'crm._quantile_bounds(''1 5: 1 * 9223372036854775807'')', 'crm._pareto_share(''1 -7: 1 * 1'')', 'crm._pareto_share(''1 7: 1 * 1'')', 'crm._gini(''1 0: -5 * 1, 7 * 1'')', 'crm._quantile_bounds(''1 2.5: 1 * 1'')',
  'crm._gini_add(''1 3: 1 * 1'', 2)']) AS query;
