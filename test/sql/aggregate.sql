-- Rates of customers and policies as aggregates, against plain SQL: random rows, every way of running, bad input
\pset null '(null)'
\pset format unaligned
\pset footer off
SET client_min_messages = warning;
SET search_path = public, crm;
SET timezone = 'UTC';
SET datestyle = ISO;

CREATE FUNCTION pg_temp.outcome(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  result text;
BEGIN
  EXECUTE query INTO result;
  RETURN coalesce(result, '(null)');
EXCEPTION WHEN OTHERS THEN
  RETURN SQLSTATE || ' ' || SQLERRM;
END
$$;

-- by hand --------------------------------------------------------------------
SELECT crm.repeat_rate(c, d) FROM (VALUES (1, date '2024-01-01'), (1, '2024-01-01'), (2, '2024-01-01'), (2, '2024-05-01'), (NULL, '2024-01-01'), (3, NULL), (4, '2023-01-01')) AS v(c, d);
-- customer 1 came in January, February and April, 2 in February, 3 in April: February counts for 1 alone, March for 1 and 2
SELECT crm.retention(c, d, 4), crm.retention(c, d, 2, 'quarter', '2024-06-30') AS quarters, crm.retention(c, d, 2, 'quarter', '2024-06-29') AS quarter_not_over
FROM (VALUES (1, date '2024-01-31'), (1, '2024-02-01'), (1, '2024-04-01'), (2, '2024-02-29'), (3, '2024-04-30'), (3, '2024-04-01')) AS v(c, d);
SELECT unit, crm.retention(1, d, 2, unit, '2024-12-31')
FROM unnest('{day,week,month,quarter,year}'::text[]) AS unit, unnest('{2024-03-31,2024-04-01}'::date[]) AS d GROUP BY unit ORDER BY unit;
-- 1 stays, 2 leaves, 3 comes back in another policy, 4 is not covered on the day cover ends, 5 comes
SELECT crm.churn(c, f, t, '2023-12-31', '2024-12-31')
FROM (VALUES (1, date '2020-01-01', NULL::date), (2, '2020-01-01', '2024-12-31'), (3, '2020-01-01', '2024-02-01'), (3, '2024-06-01', 'infinity'), (4, '2020-01-01', '2023-12-31'), (5, '2024-01-01', NULL), (6, '-infinity', '2024-01-01'), (NULL, '2020-01-01', '2024-01-01'), (7, NULL, '2024-01-01')) AS v(c, f, t);
-- 1 is covered after 13 months, 2 lapsed, 3 reinstated in time, 4 too late, 5 not old enough, 6 void, 7 ended on the very day
SELECT crm.persistency(p, f, t, 13, '2024-12-31'), crm.persistency(p, f, t, 13, '2024-12-31', premium), crm.persistency(p, f, t, 1, '2024-12-31') AS one_month
FROM (VALUES (1, date '2023-01-31', NULL::date, 1000), (2, '2023-01-15', '2024-01-15', 500), (3, '2023-01-01', '2023-03-01', 300), (3, '2024-02-01', NULL, 9999), (4, '2023-01-01', '2023-03-01', 100), (4, '2024-02-02', NULL, 100),
  (5, '2023-12-01', '2023-12-02', 100), (6, '2020-01-01', '2020-01-01', 100), (7, '2023-01-31', '2024-02-29', 200)) AS v(p, f, t, premium);
-- 1 takes all steps, 2 steps 1 and 3, 3 step 2 alone, 4 begins twice and comes through in time only the second time
SELECT crm.funnel(c, s, t), crm.funnel(c, s, t, '2 hours') AS two_hours, crm.funnel(c, s, t, '0') AS at_once
FROM (VALUES (1, 1, timestamptz '2024-01-01 00:00'), (1, 2, '2024-01-01 00:00'), (1, 3, '2024-01-01 02:00'), (2, 1, '2024-01-01'), (2, 3, '2024-01-02'), (3, 2, '2024-01-01'),
  (4, 1, '2024-01-01 00:00'), (4, 2, '2024-01-01 01:00'), (4, 1, '2024-01-01 02:00'), (4, 2, '2024-01-01 03:00'), (4, 3, '2024-01-01 04:00'), (5, NULL, '2024-01-01'), (NULL, 4, '2024-01-01'), (5, 4, NULL)) AS v(c, s, t);
SELECT crm.funnel(1, s, '4713-01-01 BC'::timestamptz + CASE s WHEN 2 THEN interval '298900 years' ELSE '0' END) AS whole_range FROM generate_series(1, 2) AS s;
-- remission of 21 patients on 6-mercaptopurine (Freireich and others 1963), as printed since Gehan 1965
SELECT duration, at_risk, events, round(survival::numeric, 4) AS survival, round(sqrt(variance)::numeric, 4) AS standard_error, round(incidence[1]::numeric, 4) AS incidence
FROM unnest((SELECT crm.survival(abs(t), (t > 0)::integer) FROM unnest('{6,6,6,-6,7,-9,10,-10,-11,13,16,-17,-19,-20,22,23,-25,-32,-32,-34,-35}'::integer[]) AS t)) WHERE events > 0;
-- the control group, of whom none is left
SELECT max(survival) FILTER (WHERE duration = 8), min(survival), bool_and(variance IS NULL) FILTER (WHERE survival = 0) AS no_variance
FROM unnest((SELECT crm.survival(t, 1) FROM unnest('{1,1,2,2,3,4,4,5,5,8,8,8,8,11,11,12,12,15,17,22,23}'::integer[]) AS t));
-- causes that compete
SELECT * FROM unnest((SELECT crm.survival(t, c) FROM (VALUES (1, 1), (2, 2), (2, 0), (3, 1), (NULL, 1), (3, NULL)) AS v(t, c)));
SELECT * FROM unnest((SELECT crm.survival(t, 0) FROM generate_series(0, 1) AS t));
-- nothing
SELECT crm.repeat_rate(c, d) AS repeat_rate, crm.retention(c, d, 3) AS retention, crm.retention(c, d, 3, 'day', d) AS retention_as_of, crm.churn(c, d, d, d, d) AS churn, crm.persistency(c, d, d, 13, d) AS persistency, crm.persistency(c, d, d, 13, d, 1) AS persistency_premium,
  crm.funnel(c, 1, d) AS funnel, crm.funnel(c, 1, d, '1 day') AS funnel_within, crm.survival(c, 1) AS survival
FROM (VALUES (NULL::integer, NULL::date)) AS v(c, d), generate_series(0, 1) AS rows WHERE rows > 0 GROUP BY rows;
SELECT crm.repeat_rate(1, '2024-01-01'), crm.retention(1, '2024-01-01', 2), crm.churn(1, '2024-01-01', NULL, '2023-01-01', '2024-01-01'), crm.persistency(1, '2024-01-01', NULL, 13, '2024-12-31'), crm.funnel(1, 2, '2024-01-01') FROM generate_series(1, 3);

-- random rows -----------------------------------------------------------------
SELECT setseed(0.75);
-- customers near each other, far apart, and at both ends of the range; groups of 1 to 2000 rows
CREATE TABLE act (g integer, c bigint, d date, e date, s integer, t timestamptz, w numeric) PARTITION BY HASH (c);
CREATE TABLE act_0 PARTITION OF act FOR VALUES WITH (MODULUS 3, REMAINDER 0);
CREATE TABLE act_1 PARTITION OF act FOR VALUES WITH (MODULUS 3, REMAINDER 1);
CREATE TABLE act_2 PARTITION OF act FOR VALUES WITH (MODULUS 3, REMAINDER 2);
INSERT INTO act
SELECT g, CASE WHEN k % 5 < 3 THEN k WHEN k % 5 = 3 THEN k * 123456789012345 ELSE CASE k % 2 WHEN 0 THEN 9223372036854775807 - k ELSE -9223372036854775808 + k END END,
  d, nullif(d + floor(random() ^ 2 * 1500)::integer, '2024-07-01'), 1 + floor(random() * 4)::integer, d + floor(random() * 4) * interval '6 hours', round((random() * 1000)::numeric, 2)
FROM (SELECT g, floor(random() * (1 + n / 4))::bigint AS k, date '2021-12-20' + floor(random() ^ 0.5 * 900)::integer AS d
      FROM unnest('{1,2,3,5,8,31,32,33,34,63,64,65,66,127,128,129,130,200,500,2000}'::integer[]) WITH ORDINALITY AS sizes(n, g), generate_series(1, n)) AS r;
CREATE TABLE kept_act AS TABLE act;
CREATE INDEX ON kept_act (g, c, d);
ANALYZE act, kept_act;

CREATE VIEW by_crm AS
SELECT g, crm.repeat_rate(c, d) AS repeat_rate, crm.retention(c, d, 6) AS retention, crm.retention(c, d, 9, 'week', '2023-08-15') AS weeks, crm.retention(c, d, 4, 'quarter', '2024-03-31') AS quarters, crm.retention(c, d, 2, 'year', '2024-12-30') AS years, crm.retention(c, d, 40, 'day', '2024-02-29') AS days,
  crm.churn(c, d, e, '2022-12-31', '2023-12-31') AS churn, crm.persistency(c, d, e, 13, '2024-03-31') AS persistency, round(crm.persistency(c, d, e, 13, '2024-03-31', w)::numeric, 12) AS persistency_premium,
  crm.funnel(c, s, t) AS funnel, crm.funnel(c, s, t, '90 days 6 hours') AS funnel_within
FROM act GROUP BY g;
CREATE FUNCTION pg_temp.retention_sql(_g integer, periods integer, unit text, as_of date) RETURNS float8[] LANGUAGE sql AS $$
  WITH step AS (SELECT CASE unit WHEN 'quarter' THEN interval '3 months' ELSE ('1 ' || unit)::interval END AS one),
  first AS (SELECT c, date_trunc(unit, min(d)::timestamp) AS begun FROM kept_act WHERE g = _g AND d <= as_of GROUP BY c)
  SELECT array_agg(value ORDER BY k) FILTER (WHERE EXISTS (SELECT FROM first)) FROM (
    SELECT k, (SELECT avg(EXISTS (SELECT FROM kept_act AS a WHERE a.g = _g AND a.c = f.c AND a.d >= f.begun + k * one AND a.d < f.begun + (k + 1) * one)::integer)::float8
               FROM first AS f WHERE f.begun + (k + 1) * one <= as_of + interval '1 day') AS value
    FROM step, generate_series(1, periods) AS k) AS v
$$;
CREATE FUNCTION pg_temp.funnel_sql(_g integer, within interval) RETURNS bigint[] LANGUAGE sql AS $$
  WITH RECURSIVE way AS (
    SELECT c, t AS begun, t, 1 AS step FROM kept_act WHERE g = _g AND s = 1
    UNION
    SELECT w.c, w.begun, (SELECT min(a.t) FROM kept_act AS a WHERE a.g = _g AND a.c = w.c AND a.s = w.step + 1 AND a.t BETWEEN w.t AND w.begun + within), w.step + 1 FROM way AS w WHERE w.t IS NOT NULL AND w.step < 4)
  SELECT array_agg((SELECT count(DISTINCT w.c) FROM way AS w WHERE w.step = k AND w.t IS NOT NULL) ORDER BY k) FROM generate_series(1, (SELECT max(s) FROM kept_act WHERE g = _g)) AS k
$$;
CREATE VIEW by_sql AS
SELECT g,
  (SELECT avg((n > 1)::integer)::float8 FROM (SELECT count(DISTINCT d) AS n FROM kept_act AS a WHERE a.g = s.g GROUP BY c) AS x) AS repeat_rate,
  pg_temp.retention_sql(g, 6, 'month', (date_trunc('month', (SELECT max(d) FROM kept_act AS a WHERE a.g = s.g)) + interval '1 month - 1 day')::date) AS retention,
  pg_temp.retention_sql(g, 9, 'week', '2023-08-15') AS weeks, pg_temp.retention_sql(g, 4, 'quarter', '2024-03-31') AS quarters, pg_temp.retention_sql(g, 2, 'year', '2024-12-30') AS years, pg_temp.retention_sql(g, 40, 'day', '2024-02-29') AS days,
  (SELECT avg((NOT after)::integer)::float8 FROM (SELECT bool_or(daterange(d, e) @> date '2022-12-31') AS before, bool_or(daterange(d, e) @> date '2023-12-31') AS after FROM kept_act AS a WHERE a.g = s.g GROUP BY c) AS x WHERE before) AS churn,
  p.n AS persistency, round((p.w)::numeric, 12) AS persistency_premium, pg_temp.funnel_sql(g, '1000 years') AS funnel, pg_temp.funnel_sql(g, '90 days 6 hours') AS funnel_within
FROM (SELECT DISTINCT g FROM kept_act) AS s,
  LATERAL (SELECT avg(kept::integer)::float8 AS n, (sum(w) FILTER (WHERE kept))::float8 / nullif(sum(w), 0)::float8 AS w0, coalesce(sum(w) FILTER (WHERE kept), 0)::float8 / nullif(sum(w), 0)::float8 AS w FROM (
    SELECT DISTINCT ON (a.c) a.w, EXISTS (SELECT FROM kept_act AS b WHERE b.g = s.g AND b.c = a.c AND daterange(b.d, b.e) @> (a.d + interval '13 months')::date) AS kept, (a.d + interval '13 months')::date AS due
    FROM kept_act AS a WHERE a.g = s.g AND NOT isempty(daterange(a.d, a.e)) ORDER BY a.c, a.d, coalesce(a.e, 'infinity') DESC, a.w DESC) AS x WHERE due <= '2024-03-31') AS p;
CREATE TABLE plain AS TABLE by_crm;
SELECT count(*) AS groups, count(*) FILTER (WHERE to_jsonb(p) <> to_jsonb(s)) AS differ, count(DISTINCT to_jsonb(p) - 'g') AS different FROM plain AS p FULL JOIN by_sql AS s USING (g);

-- survival
CREATE TABLE lives AS SELECT i % 3 AS g, floor(-ln(1 - random()) * (5 + i % 3 * 20)) / 4 AS t, CASE WHEN random() < 0.3 THEN 0 ELSE 1 + floor(random() * (1 + i % 3))::integer END AS cause FROM generate_series(1, 3000) AS i;
INSERT INTO lives SELECT 3, i, 1 FROM generate_series(1, 5) AS i;
ANALYZE lives;
CREATE VIEW lives_by_crm AS SELECT g, s.* FROM (SELECT g, crm.survival(t, cause) AS curve FROM lives GROUP BY g) AS c, unnest(curve) AS s;
CREATE VIEW lives_by_sql AS
WITH counted AS (SELECT g, t AS duration, (SELECT count(*) FROM lives AS b WHERE b.g = a.g AND b.t >= a.t) AS at_risk, count(*) FILTER (WHERE cause > 0) AS events, count(*) FILTER (WHERE cause = 0) AS censored,
    count(*) FILTER (WHERE cause = 1) AS first, count(*) FILTER (WHERE cause = 2) AS second, count(*) FILTER (WHERE cause = 3) AS third FROM lives AS a GROUP BY g, t),
lasting AS (SELECT *, CASE WHEN bool_or(events = at_risk) OVER w THEN 0 ELSE exp(sum(ln(1 - events::float8 / nullif(at_risk, events))) OVER w) END AS survival,
    CASE WHEN bool_or(events = at_risk) OVER w THEN NULL ELSE sum(events::float8 / at_risk / nullif(at_risk - events, 0)) OVER w END AS greenwood FROM counted WINDOW w AS (PARTITION BY g ORDER BY duration)),
behind AS (SELECT *, coalesce(lag(survival) OVER (PARTITION BY g ORDER BY duration), 1) AS before FROM lasting)
SELECT g, duration, at_risk, events, censored, survival, survival ^ 2 * greenwood AS variance, ARRAY[sum(before * first / at_risk) OVER w, sum(before * second / at_risk) OVER w, sum(before * third / at_risk) OVER w] AS incidence
FROM behind WINDOW w AS (PARTITION BY g ORDER BY duration);
SELECT g, count(*) AS steps, count(*) FILTER (WHERE (c.at_risk, c.events, c.censored) IS DISTINCT FROM (s.at_risk, s.events, s.censored) OR abs(c.survival - s.survival) > 1e-12 OR abs(c.variance - s.variance) > 1e-12 OR (c.variance IS NULL) <> (s.variance IS NULL)
  OR abs(coalesce(c.incidence[1], 0) - s.incidence[1]) > 1e-12 OR abs(coalesce(c.incidence[2], 0) - s.incidence[2]) > 1e-12 OR abs(coalesce(c.incidence[3], 0) - s.incidence[3]) > 1e-12) AS differ,
  max(cardinality(c.incidence)) AS causes, bool_and(abs(1 - c.survival - (SELECT coalesce(sum(i), 0) FROM unnest(c.incidence) AS i)) < 1e-12) AS all_told
FROM lives_by_crm AS c FULL JOIN lives_by_sql AS s USING (g, duration) GROUP BY g ORDER BY g;
-- whole durations have a transition of their own
SELECT count(*) AS groups, count(*) FILTER (WHERE whole = number AND whole = wide) AS same, count(whole) AS curves
FROM (SELECT g, crm.survival(t, cause) AS whole, crm.survival(t::float8, cause) AS number, crm.survival(t::bigint, cause) AS wide
      FROM (SELECT g, (4 * t)::integer AS t, cause FROM lives UNION ALL VALUES (0, NULL, 1), (1, 0, 0), (1, 2147483647, NULL), (2, 2147483647, 16), (4, NULL, NULL)) AS v GROUP BY g) AS s;
-- what is counted in a grid: the state is that of plain counting, whatever the numbers are like and in whatever order they come, merged, as text, and of one number
CREATE AGGREGATE pg_temp.life_state(float8, integer) (SFUNC = crm._survival_add, STYPE = crm._tally, COMBINEFUNC = crm._tally_merge, PARALLEL = SAFE);
CREATE AGGREGATE pg_temp.value_state(float8) (SFUNC = crm._gini_add, STYPE = crm._tally, COMBINEFUNC = crm._tally_merge, PARALLEL = SAFE);
CREATE AGGREGATE pg_temp.merged_state(crm._tally) (SFUNC = crm._tally_merge, STYPE = crm._tally, COMBINEFUNC = crm._tally_merge, PARALLEL = SAFE);
CREATE TEMPORARY TABLE spread AS
SELECT shape, i, random() AS r, CASE shape WHEN 'days' THEN floor(random() * 5001) WHEN 'rising' THEN i / 4 WHEN 'falling' THEN (20000 - i) / 4 WHEN 'far' THEN floor(random() ^ 8 * 3e9) WHEN 'far first' THEN CASE WHEN i < 1500 THEN 1e6 + i ELSE i % 700 END
    WHEN 'halves' THEN floor(random() * 3000) / 2 WHEN 'few' THEN i % 3 WHEN 'fractions' THEN random() WHEN 'edge' THEN 65535 + i % 3 WHEN 'zero' THEN -0.0 END::float8 AS t,
  CASE WHEN i > 15000 THEN i % 17 ELSE i % 4 END AS cause
FROM unnest('{days,rising,falling,far,far first,halves,few,fractions,edge,zero}'::text[]) AS shape, generate_series(1, 20000) AS i;
WITH counted AS (SELECT shape, abs(t) AS t, cause, count(*) AS n FROM spread GROUP BY 1, 2, 3), valued AS (SELECT shape, t, sum(n) AS n FROM counted GROUP BY 1, 2),
plain AS (SELECT shape, '2 0: ' || string_agg(format('%s %s * %s', t, cause, n), ', ' ORDER BY t, cause) AS lives FROM counted GROUP BY 1),
plain_values AS (SELECT shape, '1 0: ' || string_agg(format('%s * %s', t, n), ', ' ORDER BY t) AS amounts FROM valued GROUP BY 1),
parts AS (SELECT shape, i % 5 AS part, pg_temp.life_state(t, cause) AS state FROM spread GROUP BY 1, 2)
SELECT shape, pg_temp.life_state(t, cause)::text = min(lives) AS as_it_comes, pg_temp.life_state(t, cause ORDER BY r)::text = min(lives) AS shuffled, pg_temp.value_state(t)::text = min(amounts) AS of_one_number,
  (SELECT pg_temp.merged_state(state)::text FROM parts WHERE parts.shape = spread.shape) = min(lives) AS merged, (SELECT pg_temp.merged_state(state::text::crm._tally)::text FROM parts WHERE parts.shape = spread.shape) = min(lives) AS as_text
FROM spread JOIN plain USING (shape) JOIN plain_values USING (shape) GROUP BY shape ORDER BY shape;
-- read between rows, while it grows
SELECT count(*), count(*) FILTER (WHERE running <> (SELECT sum(duration * (events + censored)) FROM unnest(curve))) AS differ
FROM (SELECT i, t, crm.survival(t, cause) OVER w AS curve, sum(t) OVER w AS running FROM spread WHERE shape = 'rising' AND i <= 2500 WINDOW w AS (ORDER BY i)) AS s;

-- concentration of many values that first differ and then come again, few that come again and then differ
CREATE TABLE amounts AS SELECT i, CASE WHEN i <= 12000 THEN i * 7919 % 1000003 ELSE i % 300 END::double precision / 8 - CASE WHEN i % 5 = 0 THEN 0 ELSE 3 END AS v FROM generate_series(1, 30000) AS i;
SELECT way, crm.pareto_share(v, 0.2) = (SELECT sum(v) FROM (SELECT v FROM amounts ORDER BY v DESC LIMIT 6000) AS s) / sum(v) AS share,
  abs(crm.gini(v) FILTER (WHERE v >= 0) - (SELECT sum((2 * n - of - 1) * v) / sum(v) / max(of) FROM (SELECT v, row_number() OVER (ORDER BY v) AS n, count(*) OVER () AS of FROM amounts WHERE v >= 0) AS s)) < 1e-12 AS gini,
  crm.quantile_bounds(v, 7) = (SELECT percentile_cont((SELECT array_agg(k / 7::float8) FROM generate_series(1, 6) AS k)) WITHIN GROUP (ORDER BY v) FROM amounts) AS bounds
FROM (SELECT 'distinct first' AS way, v FROM (SELECT * FROM amounts ORDER BY i) AS a UNION ALL SELECT 'distinct last', v FROM (SELECT * FROM amounts ORDER BY i DESC) AS a UNION ALL SELECT 'ascending', v FROM (SELECT * FROM amounts ORDER BY v) AS a) AS s GROUP BY way ORDER BY way;

-- every way of running is one --------------------------------------------------
CREATE TABLE ways (way text, result jsonb);
CREATE FUNCTION pg_temp.run(_way text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  CREATE TEMPORARY TABLE seen AS SELECT * FROM by_crm;
  CREATE TEMPORARY TABLE seen_lives AS SELECT g, crm.survival(t, cause) FROM lives GROUP BY g;
  INSERT INTO ways SELECT _way, (SELECT jsonb_agg(to_jsonb(v) ORDER BY g) FROM seen AS v) || (SELECT jsonb_agg(to_jsonb(v) ORDER BY g) FROM seen_lives AS v);
  DROP TABLE seen, seen_lives;
END
$$;
SELECT pg_temp.run('hashed');
SET enable_hashagg = off;
SELECT pg_temp.run('sorted');
RESET enable_hashagg;
CREATE TABLE kept_lives AS TABLE lives;
TRUNCATE act, lives;
INSERT INTO act SELECT * FROM kept_act ORDER BY md5(kept_act::text);
INSERT INTO lives SELECT * FROM kept_lives ORDER BY md5(kept_lives::text);
SELECT pg_temp.run('shuffled');
TRUNCATE act;
INSERT INTO act SELECT * FROM kept_act ORDER BY c DESC, d DESC;
SELECT pg_temp.run('descending');
TRUNCATE act;
INSERT INTO act SELECT k.* FROM kept_act AS k, generate_series(1, 3) ORDER BY c;
SELECT pg_temp.run('three times each');
TRUNCATE act;
INSERT INTO act TABLE kept_act;
ANALYZE act, lives;
SET enable_partitionwise_aggregate = on;
EXPLAIN (COSTS OFF) SELECT g, crm.repeat_rate(c, d) FROM act GROUP BY g;
SELECT pg_temp.run('partitionwise');
SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SET max_parallel_workers_per_gather = 2; SET parallel_leader_participation = off;
SELECT pg_temp.run('partitionwise in workers');
RESET enable_partitionwise_aggregate;
EXPLAIN (COSTS OFF) SELECT crm.repeat_rate(c, d), crm.retention(c, d, 6), crm.churn(c, d, e, '2022-12-31', '2023-12-31'), crm.persistency(c, d, e, 13, '2024-03-31'), crm.funnel(c, s, t) FROM act;
EXPLAIN (COSTS OFF) SELECT g, crm.survival(t, cause) FROM lives GROUP BY g;
SELECT pg_temp.run('parallel');
SET parallel_leader_participation = on;
SELECT pg_temp.run('parallel with the leader');
SELECT way, result = (SELECT result FROM ways WHERE way = 'hashed') AS equal FROM ways ORDER BY way;
-- the whole, not by groups: large states travel
CREATE TEMPORARY TABLE whole AS SELECT 'parallel' AS way, crm.repeat_rate(c, d), crm.retention(c, d, 6), crm.churn(c, d, e, '2022-12-31', '2023-12-31'), crm.persistency(c, d, e, 13, '2024-03-31', w), crm.funnel(c, s, t) FROM act;
CREATE TEMPORARY TABLE concentration AS SELECT 'parallel' AS way, crm.pareto_share(v, 0.2), crm.quantile_bounds(v, 7), crm.gini(v) FILTER (WHERE v >= 0) FROM amounts;
RESET parallel_setup_cost; RESET parallel_tuple_cost; RESET min_parallel_table_scan_size; SET max_parallel_workers_per_gather = 0;
INSERT INTO whole SELECT 'plain', crm.repeat_rate(c, d), crm.retention(c, d, 6), crm.churn(c, d, e, '2022-12-31', '2023-12-31'), crm.persistency(c, d, e, 13, '2024-03-31', w), crm.funnel(c, s, t) FROM act;
-- states as text and as values of a table, merged in groups of any size
CREATE AGGREGATE pg_temp.repeat_state(bigint, date) (SFUNC = crm._repeat_add, STYPE = crm._trail, COMBINEFUNC = crm._trail_merge, PARALLEL = SAFE);
CREATE AGGREGATE pg_temp.retention_state(bigint, date, integer) (SFUNC = crm._retention_add, STYPE = crm._trail, COMBINEFUNC = crm._trail_merge, PARALLEL = SAFE);
CREATE AGGREGATE pg_temp.churn_state(bigint, date, date, date, date) (SFUNC = crm._churn_add, STYPE = crm._trail, COMBINEFUNC = crm._trail_merge, PARALLEL = SAFE);
CREATE AGGREGATE pg_temp.persistency_state(bigint, date, date, integer, date, double precision) (SFUNC = crm._persistency_add, STYPE = crm._trail, COMBINEFUNC = crm._trail_merge, PARALLEL = SAFE);
CREATE AGGREGATE pg_temp.funnel_state(bigint, integer, timestamptz) (SFUNC = crm._funnel_add, STYPE = crm._trail, COMBINEFUNC = crm._trail_merge, PARALLEL = SAFE);
CREATE AGGREGATE pg_temp.merged(crm._trail) (SFUNC = crm._trail_merge, STYPE = crm._trail, COMBINEFUNC = crm._trail_merge, PARALLEL = SAFE);
CREATE TABLE states AS SELECT g, pg_temp.repeat_state(c, d) AS a, pg_temp.retention_state(c, d, 6) AS b, pg_temp.churn_state(c, d, e, '2022-12-31', '2023-12-31') AS c, pg_temp.persistency_state(c, d, e, 13, '2024-03-31', w) AS d, pg_temp.funnel_state(c, s, t) AS e FROM act GROUP BY g;
INSERT INTO whole SELECT 'stored', crm._repeat_rate(pg_temp.merged(a)), crm._retention(pg_temp.merged(b)), crm._churn(pg_temp.merged(c)), crm._persistency_weighted(pg_temp.merged(d)), crm._funnel(pg_temp.merged(e)) FROM states;
INSERT INTO whole SELECT 'as text', crm._repeat_rate(pg_temp.merged(a::text::crm._trail)), crm._retention(pg_temp.merged(b::text::crm._trail)), crm._churn(pg_temp.merged(c::text::crm._trail)), crm._persistency_weighted(pg_temp.merged(d::text::crm._trail)), crm._funnel(pg_temp.merged(e::text::crm._trail)) FROM states;
INSERT INTO concentration SELECT 'plain', crm.pareto_share(v, 0.2), crm.quantile_bounds(v, 7), crm.gini(v) FILTER (WHERE v >= 0) FROM amounts;
SELECT count(*) AS ways, count(DISTINCT to_jsonb(w) - 'way') AS different FROM whole AS w UNION ALL SELECT count(*), count(DISTINCT to_jsonb(c) - 'way') FROM concentration AS c;
-- the order of rows leaves no mark on a state
SELECT (SELECT pg_temp.repeat_state(c, d ORDER BY c, d)::text FROM act) = (SELECT pg_temp.repeat_state(c, d ORDER BY d DESC)::text FROM act) AS repeat_rate, (SELECT pg_temp.funnel_state(c, s, t ORDER BY c)::text FROM act) = (SELECT pg_temp.funnel_state(c, s, t ORDER BY t)::text FROM act) AS funnel;

-- with DISTINCT, ORDER BY, FILTER, as window functions, within each other
SELECT crm.repeat_rate(DISTINCT c, d) = crm.repeat_rate(c, d) AS repeat_rate, crm.churn(DISTINCT c, d, e, '2022-12-31', '2023-12-31') = crm.churn(c, d, e, '2022-12-31', '2023-12-31') AS churn, crm.funnel(DISTINCT c, s, t) = crm.funnel(c, s, t ORDER BY s DESC, t DESC) AS funnel,
  crm.repeat_rate(c, d) FILTER (WHERE g = 20) = (SELECT repeat_rate FROM plain WHERE g = 20) AS filtered, crm.retention(c, d, 6) FILTER (WHERE false) IS NULL AS none FROM act;
CREATE TABLE few AS SELECT *, row_number() OVER (ORDER BY d, c, s, t, w) AS n FROM act WHERE g = 19;
SELECT count(*) AS rows, count(*) FILTER (WHERE growing <> growing_sql OR sliding <> sliding_sql OR funnel <> funnel_sql) AS differ, count(DISTINCT sliding) > 20 AS varied
FROM (SELECT crm.repeat_rate(c, d) OVER w AS growing, crm.repeat_rate(c, d) OVER (w ROWS BETWEEN 40 PRECEDING AND CURRENT ROW) AS sliding, crm.funnel(c, s, t) OVER (w ROWS BETWEEN 70 PRECEDING AND 5 FOLLOWING) AS funnel,
        (SELECT avg((days > 1)::integer)::float8 FROM (SELECT count(DISTINCT d) AS days FROM few AS b WHERE b.n <= a.n GROUP BY c) AS x) AS growing_sql,
        (SELECT avg((days > 1)::integer)::float8 FROM (SELECT count(DISTINCT d) AS days FROM few AS b WHERE b.n BETWEEN a.n - 40 AND a.n GROUP BY c) AS x) AS sliding_sql,
        (SELECT crm.funnel(b.c, b.s, b.t) FROM few AS b WHERE b.n BETWEEN a.n - 70 AND a.n + 5) AS funnel_sql
      FROM few AS a WINDOW w AS (ORDER BY n)) AS x;
SELECT n, state FROM (SELECT n, pg_temp.repeat_state(n % 2, '2024-01-01'::date + n) OVER (ORDER BY n)::text AS state FROM generate_series(1, 5) AS n) AS x;
SELECT round(crm.gini((SELECT crm.repeat_rate(b.c, b.d) FROM act AS b WHERE b.g = a.g))::numeric, 6) = round(crm.gini(a.repeat_rate)::numeric, 6) AS nested FROM plain AS a;
CREATE FUNCTION pg_temp.within() RETURNS double precision LANGUAGE sql AS 'SELECT crm.repeat_rate(c, d) FROM act WHERE g = 20';
SELECT crm.repeat_rate(1, '2024-01-01'::date + (pg_temp.within() * 0)::integer + i % 2) AS called_within FROM generate_series(1, 3) AS i;
-- called directly nothing is changed in place
SELECT s AS before, crm._repeat_add(s, 1, '2024-01-02') AS added, crm._trail_merge(s, s) AS merged, s AS after FROM (VALUES ('repeat_rate: 1 5, 1 9'::crm._trail)) AS v(s);
SELECT crm._repeat_add(crm._repeat_add(crm._repeat_add(NULL, 1, '2000-01-03'), 1, '2000-01-02'), NULL, '2000-01-01'), crm._trail_merge(NULL, NULL), crm._trail_merge(NULL, 'churn 1 2: 1 3'), crm._trail_merge('churn 1 2: 1 3', NULL);

-- bad input --------------------------------------------------------------------
SELECT query, pg_temp.outcome('SELECT ' || query) AS outcome
FROM unnest(ARRAY['crm.repeat_rate(1, ''infinity'')', 'crm.repeat_rate(1, ''-infinity'')', 'crm.retention(1, ''infinity'', 3)', 'crm.retention(1, ''2024-01-01'', 0)', 'crm.retention(1, ''2024-01-01'', 10001)', 'crm.retention(1, ''2024-01-01'', -2147483648)',
  'crm.retention(1, ''2024-01-01'', 3, ''fortnight'', ''2024-01-01'')', 'crm.retention(1, ''2024-01-01'', 3, '''', ''2024-01-01'')', 'crm.retention(1, ''2024-01-01'', 3, ''month'', ''infinity'')', 'crm.retention(1, ''5874897-12-31'', 3, ''month'', ''5874897-12-31'')', 'crm.retention(1, ''4713-01-01 BC'', 10000, ''day'', ''5874897-12-31'') = array_fill(0::float8, ''{10000}'')',
  'crm.retention(1, ''2024-01-01'', p) FROM generate_series(3, 4) AS p', 'crm.retention(1, ''2024-01-01'', 1, u, ''2024-01-01'') FROM unnest(''{day,week}''::text[]) AS u', 'crm.retention(1, ''2024-01-01'', 1, ''month'', a) FROM unnest(''{2020-01-01,2024-01-01}''::date[]) AS a',
  'crm.churn(1, ''2024-01-02'', ''2024-01-01'', ''2024-01-01'', ''2024-02-01'')', 'crm.churn(1, ''2024-01-01'', NULL, ''2024-01-01'', ''2024-01-01'')', 'crm.churn(1, ''2024-01-01'', NULL, ''-infinity'', ''2024-01-01'')', 'crm.churn(1, ''2024-01-01'', NULL, ''2024-01-01'', ''infinity'')', 'crm.churn(1, ''2024-01-01'', NULL, ''2024-01-01'', c) FROM unnest(''{2024-02-01,2024-03-01}''::date[]) AS c',
  'crm.churn(1, ''2030-01-01'', NULL, ''2024-01-01'', c) FROM unnest(''{2024-02-01,2024-03-01}''::date[]) AS c',
  'crm.persistency(1, ''-infinity'', NULL, 13, ''2024-01-01'')', 'crm.persistency(1, ''2020-01-01'', ''2019-01-01'', 13, ''2024-01-01'')', 'crm.persistency(1, ''2020-01-01'', NULL, 0, ''2024-01-01'')', 'crm.persistency(1, ''2020-01-01'', NULL, 12001, ''2024-01-01'')', 'crm.persistency(1, ''2020-01-01'', NULL, 13, ''infinity'')', 'crm.persistency(1, ''5874897-12-31'', NULL, 12000, ''5874897-12-31'')',
  'crm.persistency(1, ''2020-01-01'', NULL, m, ''2024-01-01'') FROM generate_series(13, 14) AS m', 'crm.persistency(1, ''2020-01-01'', NULL, 13, ''2024-01-01'', ''NaN'')', 'crm.persistency(1, ''2020-01-01'', NULL, 13, ''2024-01-01'', ''Infinity'')', 'crm.persistency(1, ''2020-01-01'', NULL, 13, ''2024-01-01'', -1)', 'crm.persistency(1, ''2020-01-01'', NULL, 13, ''2024-01-01'', ''-0'')', 'crm.persistency(i, ''2020-01-01'', NULL, 13, ''2024-01-01'', 1.7e308) FROM generate_series(1, 3) AS i',
  'crm.funnel(1, 0, ''2024-01-01'')', 'crm.funnel(1, -1, ''2024-01-01'')', 'crm.funnel(1, 101, ''2024-01-01'')', 'crm.funnel(1, 1, ''infinity'')', 'crm.funnel(1, 1, ''-infinity'', ''1 day'')', 'crm.funnel(1, 1, ''2024-01-01'', ''1 month'')', 'crm.funnel(1, 1, ''2024-01-01'', ''-1 day'')', 'crm.funnel(1, 1, ''2024-01-01'', ''2147483647 days'')', 'crm.funnel(1, 1, ''2024-01-01'', w) FROM unnest(''{1 day,2 days}''::interval[]) AS w',
  'crm.survival(''NaN'', 1)', 'crm.survival(''Infinity'', 1)', 'crm.survival(-1, 1)', 'crm.survival(-1::float8, 1)', 'crm.survival(-2147483648, 1)', 'crm.survival(7, -2147483648)', 'crm.survival(''-0'', 1)', 'crm.survival(1, -1)', 'crm.survival(1, 17)', 'crm.survival(5e-324, 16)', 'crm.survival(t, 0) FROM unnest(''{1e308,5e-324}''::float8[]) AS t']) AS query;
-- parts of a table that were called in different ways meet in a merge only
SET enable_partitionwise_aggregate = on;
SELECT pg_temp.outcome('SELECT crm.retention(c, d, CASE tableoid WHEN ''act_0''::regclass THEN 3 ELSE 4 END) FROM act') AS retention, pg_temp.outcome('SELECT crm.churn(c, d, e, ''2020-01-01'', ''2021-01-01''::date + CASE tableoid WHEN ''act_0''::regclass THEN 3 ELSE 4 END) FROM act') AS churn;
RESET enable_partitionwise_aggregate;
-- forged states
SELECT state, pg_temp.outcome(format('SELECT %L::crm._trail', state)) AS outcome
FROM unnest(ARRAY['', 'repeat_rate', 'repeat_rate:', ' repeat_rate : 1 2 , 3 4 ', 'repeat: 1 2', 'repeat_rate: 1', 'repeat_rate: 1 2 3', 'repeat_rate: 1 2,', 'repeat_rate: ,1 2', 'repeat_rate: 1 2, 1 2', 'repeat_rate: 1 3, 1 2', 'repeat_rate: 2 1, 1 2', 'repeat_rate: 1 2147483648', 'repeat_rate: 9223372036854775808 1', 'repeat_rate: -9223372036854775808 -2147483648',
  'repeat_rate: +1 2', 'repeat_rate: 0x1 2', 'repeat_rate: 1.5 2', 'repeat_rate: 1 2; 3 4', 'repeat_rate 1: 1 2', 'churn 1: 1 2', 'churn 1 2: 1 0', 'churn 1 2: 1 4', 'churn 1 2: 1 3', 'funnel 5: 1 2 0', 'funnel 5: 1 2 101', 'funnel 5: 1 9223372036854775807 1', 'funnel 5: 1 2 3', 'persistency_weighted 13 1: 1 2 -1', 'persistency_weighted 13 1: 1 2 9218868437227405312', 'retention 3 2 : 1 5', 'retention 3 2 1: 1 5', repeat('9', 300)]) AS state;
SELECT state, final, pg_temp.outcome(format('SELECT crm.%s(%L)', final, state)) AS outcome
FROM (VALUES ('repeat_rate: 1 1, 1 2, 1 3, 2 1', '_repeat_rate'), ('repeat_rate:', '_repeat_rate'), ('churn 1 2: 1 3', '_repeat_rate'), ('retention 0 0 0: 1 1', '_retention'), ('retention 9223372036854775807 0 0: 1 1', '_retention'), ('retention 3 99 9223372036854775806: -5 -2147483648, 5 2147483647', '_retention'), ('retention 3 99 -9223372036854775808: -5 -2147483648, 5 2147483647', '_retention'), ('retention 3 2 9223372036854775807: -5 -2147483648, 5 2147483647', '_retention'),
  ('churn 9 1: 1 1, 1 2, 2 1', '_churn'), ('persistency -1 0: 1 1', '_persistency'), ('persistency 13 9223372036854775807: 1 -9223372036854775808, 2 9223372036854775807', '_persistency'), ('persistency 13 0: 1 0', '_persistency_weighted'), ('persistency_weighted 13 9000: 1 -9000000000 0, 2 0 4607182418800017408', '_persistency_weighted'), ('funnel -5: 1 1 1, 1 2 2', '_funnel'), ('funnel 9223372036854775806: 1 -9223372036854775807 1, 1 9223372036854775806 2', '_funnel'), ('funnel 9223372036854775807: 1 -9223372036854775807 1, 1 9223372036854775806 2', '_funnel'), ('funnel 0: 1 1 100', '_funnel')) AS v(state, final);
SELECT state, pg_temp.outcome(format('SELECT crm._survival(%L)', state)) AS outcome FROM unnest('{"2 0: 1 1.5 * 1","2 0: 1 17 * 1","2 0: -1 1 * 1","2 7: 1 0 * 3","2 0: 0 1 * 9223372036854775807","1 0: 1 * 1","2 0:"}'::text[]) AS state;
SELECT pg_temp.outcome('SELECT crm._repeat_add(''churn 1 2: 1 3'', 1, ''2024-01-01'')'), pg_temp.outcome('SELECT crm._trail_merge(''churn 1 2: 1 3'', ''churn 1 3: 1 3'')'), pg_temp.outcome('SELECT crm._trail_merge(''churn 1 2: 1 3'', ''repeat_rate:'')'), pg_temp.outcome('SELECT crm._survival_add(''1 0: 1 * 1'', 1, 1)');
-- a megabyte of them
SELECT length(state::text) > 1000000 AS large, crm._repeat_rate(state), crm._repeat_rate(crm._trail_merge(state, state)) AS twice, crm._repeat_rate(crm._trail_merge(state, 'repeat_rate: 1 7')) AS more, crm._trail_merge(state, state)::text = state::text AS equal, state::text::crm._trail::text = state::text AS back,
  pg_temp.outcome(format('SELECT %L::crm._trail', state::text || ', 5 5')) LIKE '22P02%' AS forged
FROM (SELECT ('repeat_rate: ' || string_agg(format('%s %s', i * 1000000::bigint, i % 2000), ', ' ORDER BY i))::crm._trail AS state FROM generate_series(1, 80000) AS i) AS s;
CREATE TABLE large AS SELECT pg_temp.funnel_state(i % 30000 * 7919, 1 + i % 3, '2024-01-01'::timestamptz + i * interval '1 minute') AS state FROM generate_series(1, 90000) AS i;
SELECT crm._funnel(state), pg_column_size(state) < length(state::text) AS packed FROM large;
SELECT crm._funnel(pg_temp.merged(state)) FROM large, generate_series(1, 3);
