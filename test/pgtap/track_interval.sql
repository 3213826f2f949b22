-- Intervals of rates, of differences of rates and of means: against published examples, against plain formulas, and by simulation with a known effect.
\set ON_ERROR_STOP on
BEGIN;
SELECT no_plan();
\ir include/helpers.sql

-- Newcombe, Statistics in Medicine 17, 1998: page 860 (one rate, method 3) and table II (two rates, method 10)
SELECT is(ARRAY[round(i.lower::numeric, 4), round(i.upper::numeric, 4)], ARRAY[low, high], format('Wilson: %s of %s', hits, trials))
FROM (VALUES (81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0000, 0.1611), (1, 29, 0.0061, 0.1718)) v (hits, trials, low, high), crm.rate_interval(hits, trials) i;
SELECT is(ARRAY[round(u.lower::numeric, 4), round(u.upper::numeric, 4)], ARRAY[low, high], format('Newcombe: %s of %s beside %s of %s', a, m, b, n))
FROM (VALUES (56, 70, 48, 80, 0.0524, 0.3339), (9, 10, 3, 10, 0.1705, 0.8090), (6, 7, 2, 7, 0.0582, 0.8062), (5, 56, 0, 29, -0.0381, 0.1926),
  (0, 10, 0, 20, -0.1611, 0.2775), (0, 10, 0, 10, -0.2775, 0.2775), (10, 10, 0, 20, 0.6791, 1.0000), (10, 10, 0, 10, 0.6075, 1.0000)) v (a, m, b, n, low, high), crm.uplift(a, m, b, n) u;
-- the hours of sleep of Student, 1908, for which Welch's interval is 95 %: -3.3654832 to 0.2054832 with 17.776 degrees of freedom
CREATE TEMP TABLE sleep AS SELECT 1 AS g, x FROM unnest('{0.7,-1.6,-0.2,-1.2,-0.1,3.4,3.7,0.8,0,2}'::float8[]) x UNION ALL SELECT 2, x FROM unnest('{1.9,0.8,1.1,0.1,-0.1,4.4,5.5,1.6,4.6,3.4}'::float8[]) x;
SELECT is(ARRAY[round(u.uplift::numeric, 2), round(u.lower::numeric, 7), round(u.upper::numeric, 7), round(u.df::numeric, 3)], '{-1.58,-3.3654832,0.2054832,17.776}'::numeric[], 'Welch')
FROM (SELECT avg(x) FILTER (WHERE g = 1) AS a, var_samp(x) FILTER (WHERE g = 1) AS v, avg(x) FILTER (WHERE g = 2) AS b, var_samp(x) FILTER (WHERE g = 2) AS w FROM sleep) s, crm.mean_uplift(a, v, 10, b, w, 10) u;
-- the mean of their differences, of which Student told: 0.7001142 to 2.4598858, with 9 degrees of freedom
SELECT is(ARRAY[round(i.lower::numeric, 7), round(i.upper::numeric, 7)], '{0.7001142,2.4598858}'::numeric[], 'Student')
FROM (SELECT avg(x) AS m, var_samp(x) AS v FROM unnest('{1.2,2.4,1.3,1.3,0,1.0,1.8,0.8,4.6,1.4}'::float8[]) x) s, crm.mean_interval(m, v, 10) i;
-- tables of t: the interval of a mean of n with variance n is t to either side
SELECT is(ARRAY[round(i.lower::numeric, 3), round(i.upper::numeric, 3)], ARRAY[5 - t, 5 + t], format('t of %s at %s', n - 1, level))
FROM (VALUES (2, 0.95, 12.706), (3, 0.95, 4.303), (5, 0.9, 2.132), (8, 0.99, 3.499), (11, 0.999, 4.587), (31, 0.95, 2.042), (1000000000, 0.95, 1.960)) v (n, level, t), crm.mean_interval(5, n, n, level) i;
SELECT results_eq('SELECT i.lower, i.upper FROM crm.mean_interval(3, 1, 1) i UNION ALL SELECT i.lower, i.upper FROM crm.mean_interval(3, 0, 9) i UNION ALL SELECT i.lower, i.upper FROM crm.mean_interval(3, 1, 0) i UNION ALL SELECT i.lower, i.upper FROM crm.mean_interval(3, NULL, 9) i',
                  'SELECT NULL::float8, NULL::float8 FROM generate_series(1, 4)', 'one alone, none who varies, nobody, and what is not known have no interval');
SELECT results_eq('SELECT * FROM crm._told_interval(10, 5, 9, 5) UNION ALL SELECT * FROM crm._told_interval(10, 5, 9, 4) UNION ALL SELECT * FROM crm._told_interval(10, NULL, 9, 9) UNION ALL SELECT * FROM crm._told_interval(10, 5, NULL, NULL)',
                  'SELECT round(i.lower::numeric, 2), round(i.upper::numeric, 2) FROM crm.mean_interval(10, 5, 9) i UNION ALL SELECT NULL, NULL FROM generate_series(1, 3)', 'and views show none where fewer than five tell anything');
-- quantiles of Student: two groups of n with variance 1 have 2 n - 2 degrees of freedom
SELECT is(round(((u.upper - u.lower) / 2 / sqrt(2.0 / n))::numeric, 4), t, format('t of %s at %s', 2 * n - 2, level))
FROM (VALUES (2, 0.95, 4.3027), (3, 0.9, 2.1318), (6, 0.99, 3.1693), (16, 0.999, 3.6460), (61, 0.95, 1.9799), (1000000, 0.95, 1.9600)) v (n, level, t), crm.mean_uplift(0, 1, n, 0, 1, n, level) u;

-- against the formulas in numeric, at 95 %
CREATE FUNCTION pg_temp.wilson(x numeric, n numeric, sign integer) RETURNS numeric LANGUAGE sql AS $$
  SELECT round((2 * x + z * z + sign * z * sqrt(z * z + 4 * x * (1 - x / n))) / (2 * (n + z * z)), 9) FROM (VALUES (1.959963984540054)) v (z)
$$;
SELECT is_empty($$SELECT x, n, i FROM generate_series(1, 60) n, generate_series(0, n) x, crm.rate_interval(x, n) i
  WHERE abs(i.lower::numeric - greatest(pg_temp.wilson(x, n, -1), 0)) > 0.00000001 OR abs(i.upper::numeric - least(pg_temp.wilson(x, n, 1), 1)) > 0.00000001$$, 'every rate of up to 60');
SELECT is_empty($$SELECT a, m, b, n FROM (VALUES (1), (7), (30)) v (m), (VALUES (1), (12), (25)) w (n), generate_series(0, m) a, generate_series(0, n) b, crm.uplift(a, m, b, n) u, crm.uplift(b, n, a, m) r
  WHERE abs(u.lower::numeric - (a::numeric / m - b::numeric / n - sqrt((a::numeric / m - pg_temp.wilson(a, m, -1)) ^ 2 + (pg_temp.wilson(b, n, 1) - b::numeric / n) ^ 2))) > 0.00000001
     OR abs(u.upper::numeric - (a::numeric / m - b::numeric / n + sqrt((pg_temp.wilson(a, m, 1) - a::numeric / m) ^ 2 + (b::numeric / n - pg_temp.wilson(b, n, -1)) ^ 2))) > 0.00000001
     OR abs(u.lower + r.upper) > 1e-12 OR NOT u.uplift BETWEEN u.lower AND u.upper OR u.lower < -1 OR u.upper > 1$$, 'every difference, and the other way round it is the same');
SELECT ok(bool_and(w.upper > n.upper AND w.lower < n.lower), 'a higher level is wider') FROM (VALUES (0.5, 0.8), (0.8, 0.95), (0.95, 0.999999)) v (a, b), crm.uplift(5, 56, 3, 29, a) n, crm.uplift(5, 56, 3, 29, b) w;

-- coverage: known rates, buyers drawn by a hash; the interval holds the true difference about as often as it says
CREATE FUNCTION pg_temp.draw(key bigint, seed bigint) RETURNS float8 LANGUAGE sql IMMUTABLE AS $$ SELECT (hashint8extended(key, seed) & 4294967295) / 4294967296.0::float8 $$;
CREATE TEMP TABLE trial (id integer, p float8, m integer, q float8, n integer, level float8);
INSERT INTO trial VALUES (1, 0.12, 360, 0.07, 120, 0.95), (2, 0.05, 400, 0.05, 60, 0.95), (3, 0.4, 90, 0.2, 45, 0.8);
CREATE TEMP TABLE covered AS
WITH drawn AS (
  SELECT t.id, r, count(*) FILTER (WHERE k <= t.m AND pg_temp.draw(k, t.id * 100000 + r) < t.p) AS a, count(*) FILTER (WHERE k > t.m AND pg_temp.draw(k, t.id * 100000 + r) < t.q) AS b,
         coalesce(sum(CASE WHEN pg_temp.draw(k, t.id * 100000 + r) < t.p THEN 1000 + 4000 * pg_temp.draw(-k, t.id * 100000 + r) ELSE 0 END) FILTER (WHERE k <= t.m), 0) AS s,
         coalesce(sum(CASE WHEN pg_temp.draw(k, t.id * 100000 + r) < t.p THEN (1000 + 4000 * pg_temp.draw(-k, t.id * 100000 + r)) ^ 2 ELSE 0 END) FILTER (WHERE k <= t.m), 0) AS ss,
         coalesce(sum(CASE WHEN pg_temp.draw(k, t.id * 100000 + r) < t.q THEN 1000 + 4000 * pg_temp.draw(-k, t.id * 100000 + r) ELSE 0 END) FILTER (WHERE k > t.m), 0) AS c,
         coalesce(sum(CASE WHEN pg_temp.draw(k, t.id * 100000 + r) < t.q THEN (1000 + 4000 * pg_temp.draw(-k, t.id * 100000 + r)) ^ 2 ELSE 0 END) FILTER (WHERE k > t.m), 0) AS cc
  FROM trial t, generate_series(1, 1000) r, LATERAL generate_series(1, t.m + t.n) k GROUP BY t.id, r)
SELECT t.id, t.level, avg((t.p - t.q BETWEEN u.lower AND u.upper)::integer) AS rates, avg(((t.p - t.q) * 3000 BETWEEN w.lower AND w.upper)::integer) AS means
FROM drawn d JOIN trial t USING (id)
CROSS JOIN LATERAL crm.uplift(d.a, t.m, d.b, t.n, t.level) u
CROSS JOIN LATERAL crm.mean_uplift(d.s / t.m, greatest((d.ss - d.s ^ 2 / t.m) / (t.m - 1), 0), t.m, d.c / t.n, greatest((d.cc - d.c ^ 2 / t.n) / (t.n - 1), 0), t.n, t.level) w
GROUP BY t.id, t.level;
SELECT ok(abs(rates - level) < 0.03, format('rates of trial %s: %s of the intervals hold the difference, at level %s', id, rates, level)) FROM covered ORDER BY id;
SELECT ok(abs(means - level) < 0.035, format('premium of trial %s: %s of the intervals, at level %s', id, means, level)) FROM covered WHERE id <> 2 ORDER BY id;
SELECT ok(means < level - 0.05, 'with three purchases in a group Welch promises too much: crm_bi.plan_uplift does not show it then') FROM covered WHERE id = 2;

-- who is held out is drawn so that the difference of the groups is the effect: customers with known outcomes with and without the plan, many draws
CREATE TEMP TABLE people AS SELECT k AS id, CASE WHEN k % 3 = 0 THEN 'rich' ELSE 'poor' END AS stratum, pg_temp.draw(k, 5) < CASE WHEN k % 3 = 0 THEN 0.3 ELSE 0.05 END AS alone,
  pg_temp.draw(k, 5) < CASE WHEN k % 3 = 0 THEN 0.45 ELSE 0.1 END AS planned FROM generate_series(1::bigint, 900) k;
CREATE TEMP TABLE lot AS SELECT seed, crm._draw_hold_out(seed, 0.2, p.ids, p.strata) AS ids
FROM generate_series(1, 500) seed, (SELECT array_agg(id ORDER BY id) AS ids, array_agg(stratum ORDER BY id) AS strata FROM people) p;
CREATE TEMP TABLE judged AS
SELECT l.seed, u.*, count(*) FILTER (WHERE p.stratum = 'rich' AND o.id IS NOT NULL) AS rich FROM lot l CROSS JOIN people p LEFT JOIN LATERAL (SELECT x AS id FROM unnest(l.ids) x) o ON o.id = p.id
CROSS JOIN LATERAL (SELECT 1) z
JOIN LATERAL (SELECT x.* FROM (SELECT count(*) FILTER (WHERE q.planned AND NOT q.id = ANY (l.ids)) AS a, count(*) FILTER (WHERE NOT q.id = ANY (l.ids)) AS m,
                                      count(*) FILTER (WHERE q.alone AND q.id = ANY (l.ids)) AS b, count(*) FILTER (WHERE q.id = ANY (l.ids)) AS n FROM people q) s, crm.uplift(s.a, s.m, s.b, s.n) x) u ON true
GROUP BY l.seed, u.treated_rate, u.control_rate, u.uplift, u.lower, u.upper;
SELECT is((SELECT array_agg(DISTINCT cardinality(ids)) FROM lot), '{180}', 'a fifth is drawn, to the customer');
SELECT is((SELECT array_agg(DISTINCT rich ORDER BY rich) FROM judged), '{60}', 'and of each stratum');
SELECT is((SELECT count(DISTINCT ids) FROM lot), 500::bigint, 'each seed draws others');
SELECT ok(abs(avg(uplift) - effect) < 0.003, format('on average the difference is the effect: %s for %s', round(avg(uplift)::numeric, 4), round(effect, 4)))
FROM judged, (SELECT avg(planned::integer) - avg(alone::integer) AS effect FROM people) e GROUP BY effect;
SELECT ok(avg((effect BETWEEN lower AND upper)::integer) >= 0.94, format('and the interval holds it: %s', round(avg((effect BETWEEN lower AND upper)::integer), 3)))
FROM judged, (SELECT avg(planned::integer) - avg(alone::integer) AS effect FROM people) e;
SELECT ok(min(n) > 60 AND max(n) < 145, format('everybody is drawn about as often: %s to %s times of 500', min(n), max(n))) FROM (SELECT x, count(*) AS n FROM lot, unnest(ids) x GROUP BY x) c;
SELECT is((SELECT count(DISTINCT x) FROM lot, unnest(ids) x), 900::bigint, 'nobody never');
SELECT is(crm._draw_hold_out(7, 0.2, '{5,3,9,1}', '{a,a,b,b}'), crm._draw_hold_out(7, 0.2, '{1,9,3,5}', '{b,b,a,a}'), 'in whatever order they are named');
SELECT results_eq($$SELECT crm._draw_hold_out(1, 0, '{1,2,3}', '{a,a,a}'), crm._draw_hold_out(1, 0.5, '{}', '{}'), crm._draw_hold_out(1, 0.5, NULL, NULL)$$, $$VALUES ('{}'::bigint[], '{}'::bigint[], '{}'::bigint[])$$, 'a share of nothing');
SELECT is((SELECT sum(cardinality(crm._draw_hold_out(seed, 0.1, '{42}', '{a}'))) FROM generate_series(1, 2000) seed) BETWEEN 150 AND 250, true, 'one customer alone is drawn with the probability of the share');

-- a small sample beside what is known
SELECT is(crm.credible(1, 1, 0.1, 30), (1 + 30 * 0.1) / 31, 'one of one says little');
SELECT ok(crm.credible(0.2, 3000, 0.1, 30) > 0.199, 'three thousand speak for themselves');
SELECT results_eq('SELECT crm.credible(0.5, 0, 0.1, 30), crm.credible(NULL, 9, 0.1, 30), crm.credible(0.5, 9, NULL, 30), crm.credible(0.5, 9, 0.1, 0), crm.credible(NULL, NULL, NULL, NULL), crm.credible(0.5, 9, 0.1, -5)',
                  'VALUES (0.1, 0.1, 0.5, 0.5::numeric, NULL::numeric, 0.5::numeric)', 'without a sample the prior, without a prior the sample');

-- bad input
SELECT pg_temp.refused('SELECT crm.' || call, '22023', words, call) FROM (VALUES
  ('rate_interval(-1, 5)', 'no rate'), ('rate_interval(6, 5)', '6 of 5'), ('rate_interval(1, 5, 0)', 'level 0'), ('rate_interval(1, 5, 1)', 'level 1'), ('rate_interval(1, 5, -0.5)', 'level'),
  ('rate_interval(1, 5, ''NaN'')', 'level NaN'), ('rate_interval(1, 5, ''Infinity'')', 'level'), ('rate_interval(0, -1)', 'no rate'), ('rate_interval(-9223372036854775808, 9223372036854775807)', 'no rate'),
  ('uplift(3, 2, 1, 5)', '3 of 2'), ('uplift(1, 2, 6, 5)', '6 of 5'), ('uplift(1, 2, -1, 5)', 'no rate'), ('uplift(1, 2, 1, 5, 95)', 'level 95'),
  ('mean_interval(''NaN'', 1, 5)', 'of no group'), ('mean_interval(1, ''Infinity'', 5)', 'of no group'), ('mean_interval(1, -1, 5)', 'variance -1'), ('mean_interval(1, 1, -5)', 'number -5'), ('mean_interval(1, 1, 5, 1)', 'level 1'),
  ('mean_uplift(''NaN'', 1, 5, 1, 1, 5)', 'of no group'), ('mean_uplift(1, ''Infinity'', 5, 1, 1, 5)', 'of no group'), ('mean_uplift(1, -1, 5, 1, 1, 5)', 'variance -1'), ('mean_uplift(1, 1, -5, 1, 1, 5)', 'number -5'),
  ('mean_uplift(1, 1, 5, ''-Infinity'', 1, 5)', 'of no group'), ('mean_uplift(1, 1, 5, 1, 1, 5, 1.5)', 'level 1.5')) v (call, words);
SELECT is(num_nulls(i.lower, i.upper), 2, 'of no trials nothing is known') FROM crm.rate_interval(0, 0) i;
SELECT results_eq('SELECT u.treated_rate, u.control_rate, u.uplift, u.lower FROM crm.uplift(0, 0, 1, 4) u', 'VALUES (NULL::float8, 0.25::float8, NULL::float8, NULL::float8)', 'an empty group has no difference');
SELECT results_eq('SELECT m.uplift, m.lower, m.df FROM crm.mean_uplift(3, 1, 1, 2, 1, 9) m UNION ALL SELECT m.uplift, m.lower, m.df FROM crm.mean_uplift(3, 0, 9, 2, 0, 9) m UNION ALL SELECT m.uplift, m.lower, m.df FROM crm.mean_uplift(3, NULL, 9, 2, 1, 9) m',
                  'VALUES (1::float8, NULL::float8, NULL::float8), (1, NULL, NULL), (1, NULL, NULL)', 'one customer alone, or none who varies, has no interval');
SELECT results_eq('SELECT num_nulls(m.uplift, m.lower, m.upper, m.df) FROM crm.mean_uplift(NULL, 1, 5, 1, 1, 5) m UNION ALL SELECT num_nulls(m.uplift, m.lower) FROM crm.mean_uplift(1, 1, 5, 1, 1, 5, NULL) m UNION ALL SELECT num_nulls(m.uplift) FROM crm.mean_uplift(1e308, 1, 5, -1e308, 1, 5) m',
                  'VALUES (4), (2), (1)', 'what is not known is NULL');
SELECT ok(i.lower > 0.9999999 AND i.upper = 1, 'as many as there are numbers') FROM crm.rate_interval(9223372036854775807, 9223372036854775807) i;
SELECT ok(m.upper > m.uplift AND m.upper < 'Infinity', 'a level of many nines') FROM crm.mean_uplift(0, 1, 2, 0, 1, 2, 0.999999999999) m;
SELECT * FROM finish();
ROLLBACK;
