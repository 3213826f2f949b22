-- crm.assign and crm.solve_assignment with floors, and with customers that count more or less
SET client_min_messages = warning;
CREATE TEMP TABLE e (customer_id bigint, holder_id bigint, benefit double precision);
CREATE TEMP TABLE l (customer_id bigint, holder_id bigint, benefit double precision, load bigint);
CREATE TEMP TABLE c (holder_id bigint, capacity bigint, floor integer);

-- all want holder 1; holder 2 gets its floor from who loses least
INSERT INTO e SELECT i, h, CASE h WHEN 1 THEN 10 WHEN 2 THEN i ELSE 0 END FROM generate_series(1, 6) i, generate_series(1, 3) h;
INSERT INTO c VALUES (1, 6, 0), (2, 6, 2), (3, 1, 1);
SELECT * FROM crm.assign('TABLE e', 'TABLE c');
SELECT s.customers, s.assigned, s.assigned_bound, s.total, s.bound, s.gap, s.is_proven, s.rounds FROM crm.solve_assignment('TABLE e', 'TABLE c') s;
SELECT h.* FROM crm.solve_assignment('TABLE e', 'TABLE c') s, crm.assigned_holders(s) h;
-- the prices are what the limits are worth
SELECT f, (SELECT s.total FROM crm.solve_assignment('TABLE e', format('SELECT holder_id, capacity, CASE holder_id WHEN %s THEN floor - 1 ELSE floor END AS floor FROM c', f)) s) AS lower
FROM generate_series(2, 3) f;
-- a floor costs no customer its place, however bad the pair
SELECT h.holder_id, h.customers, h.serves_one_more, h.place_price, h.floor_price
FROM crm.solve_assignment('SELECT i AS customer_id, h AS holder_id, CASE h WHEN 1 THEN 1 ELSE -5 END AS benefit FROM generate_series(1, 5) i, generate_series(1, 2) h',
  'SELECT 1 AS holder_id, 2 AS capacity, 1 AS floor UNION ALL SELECT 2, 1, 1') s, crm.assigned_holders(s) h;
-- no room at all: what the first place would bring
SELECT h.holder_id, h.customers, h.serves_one_more, h.place_price
FROM crm.solve_assignment('SELECT i AS customer_id, h AS holder_id, 10 * h - i AS benefit FROM generate_series(1, 2) i, generate_series(1, 2) h', 'SELECT 1 AS holder_id, 2 AS capacity UNION ALL SELECT 2, 0') s,
  crm.assigned_holders(s) h;
-- the least total
SELECT h.holder_id, h.customers, h.place_price, h.floor_price FROM crm.solve_assignment('TABLE e', 'TABLE c', 'min') s, crm.assigned_holders(s) h;
-- floors that take everybody, on an instance large enough for the auction
SELECT s.assigned, s.is_proven, count(*) AS holders, bool_and(h.customers = h.floor) AS at_floor, bool_and(h.floor_price >= 0 AND h.place_price = 0) AS priced, min(h.floor_price) AS least
FROM crm.solve_assignment('SELECT i AS customer_id, h AS holder_id, (i * 7919 + h * h * 104729) % 1000 AS benefit FROM generate_series(1, 600) i, generate_series(1, 20) h WHERE (i + h) % 3 > 0',
  'SELECT h AS holder_id, 100 AS capacity, 30 AS floor FROM generate_series(1, 20) h') s, crm.assigned_holders(s) h GROUP BY 1, 2;

-- customers that count more or less: the greedy choice does not fit
INSERT INTO l VALUES (1, 1, 10, 3), (1, 2, 4, 2), (2, 1, 9, 2), (2, 2, 1, 1), (3, 1, 8, 2), (3, 2, 7, 3);
SELECT * FROM crm.assign('TABLE l', 'SELECT 1 AS holder_id, 4 AS capacity UNION ALL SELECT 2, 3');
SELECT s.customers, s.assigned, s.assigned_bound, s.total, s.bound, s.gap, s.is_proven, a.* FROM crm.solve_assignment('TABLE l', 'SELECT 1 AS holder_id, 4 AS capacity UNION ALL SELECT 2, 3') s, crm.assigned(s) a;
-- the number comes first here too
SELECT s.assigned, s.assigned_bound, s.total, s.bound, s.is_proven FROM crm.solve_assignment(
  'SELECT * FROM (VALUES (1, 1, 1000, 3), (2, 1, 1, 1), (3, 1, 1, 2)) v (customer_id, holder_id, benefit, load)', 'SELECT 1 AS holder_id, 3 AS capacity') s;
-- what counts nothing always fits; what counts too much never does
SELECT s.assigned, s.assigned_bound, s.total, s.is_proven FROM crm.solve_assignment(
  'SELECT * FROM (VALUES (1, 1, 5, 0), (2, 1, 5, 0), (3, 1, 5, 7), (4, 1, 5, 2147483647)) v (customer_id, holder_id, benefit, load)', 'SELECT 1 AS holder_id, 6 AS capacity') s;
SELECT s.assigned, s.assigned_bound, s.total, s.bound, s.gap, s.is_proven FROM crm.solve_assignment(
  'SELECT * FROM (VALUES (1, 1, 5, 8), (2, 1, 5, 7)) v (customer_id, holder_id, benefit, load)', 'SELECT 1 AS holder_id, 6 AS capacity') s;
-- all alike for a holder: whole places, exact, with prices of places
SELECT s.is_proven, h.* FROM crm.solve_assignment('SELECT i AS customer_id, h AS holder_id, i * h AS benefit, 2 * h AS load FROM generate_series(1, 9) i, generate_series(1, 2) h',
  'SELECT 1 AS holder_id, 7 AS capacity UNION ALL SELECT 2, 9223372036854775807') s, crm.assigned_holders(s) h;
SELECT count(*) FROM crm.assign('SELECT i AS customer_id, 1 AS holder_id, 1 AS benefit, 0 AS load FROM generate_series(1, 9) i', 'SELECT 1 AS holder_id, 0 AS capacity');
-- the ends of the ranges
SELECT s.assigned, s.total, s.bound, s.gap, s.is_proven FROM crm.solve_assignment(
  'SELECT * FROM (VALUES (1, 1, 0.8e308, 2147483647), (1, 2, -0.8e308, 1), (2, 1, 0.8e308, 2147483646), (2, 2, 1e-300, 2), (3, 1, 0, 1)) v (customer_id, holder_id, benefit, load)',
  'SELECT 1 AS holder_id, 9223372036854775807 AS capacity UNION ALL SELECT 2, 2') s;
SELECT s.assigned, s.total, s.bound, s.is_proven FROM crm.solve_assignment('SELECT i AS customer_id, h AS holder_id, 0 AS benefit, i AS load FROM generate_series(1, 5) i, generate_series(1, 2) h',
  'SELECT h AS holder_id, 8 AS capacity FROM generate_series(1, 2) h') s;
-- nothing to do
SELECT s.customers, s.assigned, s.total, s.gap, s.is_proven, s.customer_ids, s.holders FROM crm.solve_assignment('SELECT * FROM l WHERE false', 'SELECT holder_id, capacity FROM c') s;
SELECT s.customers, s.assigned, s.total, s.holders FROM crm.solve_assignment('SELECT * FROM l WHERE false', 'SELECT * FROM c WHERE false') s;
SELECT * FROM crm.assigned(NULL);
SELECT * FROM crm.assigned_holders(NULL);

-- rounds alone say what comes out, in whatever order the rows come; more rounds are never worse
CREATE TEMP TABLE m AS SELECT i AS customer_id, h AS holder_id, (i * 7919 + h * 104729) % 101 AS benefit, 1 + (i * 31 + h * 17) % 23 AS load FROM generate_series(1, 150) i, generate_series(1, 10) h;
CREATE TEMP TABLE r AS SELECT k, x.s FROM (VALUES (0), (50), (400), (700)) v(k), LATERAL (SELECT crm.solve_assignment('TABLE m', 'SELECT h AS holder_id, 120 AS capacity FROM generate_series(1, 10) h', 'max', NULL, k) AS s) x;
SELECT k, (s).assigned, (s).rounds <= k AS kept, (s).total <= (s).bound AS below, (s).gap < 0.02 AS near,
  (s).total >= lag((s).total, 1, 0::float8) OVER w AS better, (s).bound <= lag((s).bound, 1, 'Infinity') OVER w AS tighter,
  s = crm.solve_assignment('SELECT * FROM m ORDER BY md5(customer_id::text || holder_id)', 'SELECT h AS holder_id, 120 AS capacity FROM generate_series(10, 1, -1) h', 'max', 1000, k) AS same
FROM r WINDOW w AS (ORDER BY k) ORDER BY k;
SELECT count(*) AS overloaded FROM r, crm.assigned_holders(s) h WHERE h.load > 120;
SELECT count(*) AS n, count(DISTINCT customer_id) AS customers, bool_and(x.benefit = m.benefit AND x.load = m.load) AS edges FROM r, crm.assigned(s) x LEFT JOIN m USING (customer_id, holder_id) GROUP BY k ORDER BY k;

-- time ends a search, and so does a cancel
\set SHOW_CONTEXT never
SELECT s.assigned FROM crm.solve_assignment('TABLE m', 'SELECT h AS holder_id, 120 AS capacity FROM generate_series(1, 10) h', 'max', 0.3) s;
SET statement_timeout = '300ms';
SELECT s.assigned FROM crm.solve_assignment('TABLE m', 'SELECT h AS holder_id, 120 AS capacity FROM generate_series(1, 10) h', 'max', 600) s;
SELECT s.assigned FROM crm.solve_assignment('SELECT i AS customer_id, h AS holder_id, 1 AS benefit, 1 + (i + h) % 2 AS load FROM generate_series(1, 20000) i, generate_series(1, 20) h', 'SELECT h AS holder_id, 180 AS capacity FROM generate_series(1, 20) h', 'max', 600) s;
RESET statement_timeout;

-- what is refused
CREATE FUNCTION pg_temp.refusal(edges text, capacities text, seconds double precision DEFAULT 1, rounds bigint DEFAULT NULL) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  detail text;
  hint text;
BEGIN
  PERFORM crm.solve_assignment(edges, capacities, 'max', seconds, rounds);
  RETURN 'accepted';
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
  RETURN concat_ws(' ', SQLSTATE, SQLERRM, nullif(detail, ''), nullif(hint, ''));
END
$$;
TRUNCATE e, l, c;
INSERT INTO l VALUES (1, 1, 1, 1), (2, 1, 1, 2);
INSERT INTO c VALUES (1, 5, 0);
\pset format unaligned
SELECT edges, capacities, E'\n    ' || pg_temp.refusal(edges, capacities) AS refusal FROM (VALUES
  (1, 'SELECT customer_id, holder_id, benefit, -1 AS load FROM l', 'TABLE c'),
  (2, 'SELECT customer_id, holder_id, benefit, 2147483648 AS load FROM l', 'TABLE c'),
  (3, 'SELECT customer_id, holder_id, benefit, NULL::int AS load FROM l', 'TABLE c'),
  (4, 'SELECT customer_id, holder_id, benefit, 1.5 AS load FROM l', 'TABLE c'),
  (5, 'SELECT customer_id, holder_id, benefit, ''NaN''::float8 AS load FROM l', 'TABLE c'),
  (6, 'SELECT *, 1 AS load FROM l', 'TABLE c'),
  (7, 'SELECT customer_id, holder_id, ''NaN''::float8 AS benefit, load FROM l', 'TABLE c'),
  (8, 'SELECT customer_id, holder_id, ''Infinity''::float8 AS benefit, load FROM l', 'TABLE c'),
  (9, 'SELECT * FROM l UNION ALL SELECT * FROM l', 'TABLE c'),
  (10, 'SELECT customer_id, 9 AS holder_id, benefit, load FROM l', 'TABLE c'),
  (11, 'TABLE l', 'SELECT holder_id, capacity, 1 AS floor FROM c'),
  (12, 'TABLE l', 'SELECT holder_id, -1 AS capacity FROM c'),
  (13, 'TABLE l', 'SELECT holder_id, capacity, -1 AS floor FROM c'),
  (14, 'TABLE l', 'SELECT holder_id, capacity, 6 AS floor FROM c'),
  (15, 'TABLE l', 'SELECT holder_id, capacity, 0.5 AS floor FROM c'),
  (16, 'TABLE l', 'SELECT holder_id, capacity, NULL::int AS floor FROM c'),
  (17, 'SELECT customer_id, holder_id, benefit FROM l', 'SELECT holder_id, capacity, 3 AS floor FROM c'),
  (18, 'SELECT i AS customer_id, h AS holder_id, 1 AS benefit FROM generate_series(1, 3) i, generate_series(1, 2) h UNION ALL SELECT 1, 3, 1 UNION ALL SELECT 4, 3, 1',
   'SELECT h AS holder_id, 2 AS capacity, 2 AS floor FROM generate_series(1, 3) h'),
  (19, 'SELECT i AS customer_id, h AS holder_id, 1 AS benefit FROM generate_series(1, 20) i, generate_series(1, 20) h', 'SELECT h AS holder_id, 2 AS capacity, 2 AS floor FROM generate_series(1, 20) h'),
  (20, 'DELETE FROM l RETURNING *', 'TABLE c'),
  (21, 'SELECT customer_id, holder_id, 1e308 AS benefit FROM l', 'TABLE c'),
  (22, 'SELECT customer_id, holder_id, -1e308 AS benefit, load FROM l', 'TABLE c'),
  (23, 'SELECT customer_id, holder_id, 1e308 AS benefit, load FROM l WHERE customer_id = 1', 'TABLE c')
) v (ordinal, edges, capacities) ORDER BY ordinal;
SELECT seconds, rounds, pg_temp.refusal('TABLE l', 'TABLE c', seconds, rounds) AS refusal FROM (VALUES
  (1, 0::float8, NULL::bigint), (2, -1, 5), (3, 'NaN', 5), (4, '-Infinity', 5), (5, 'Infinity', 5), (6, NULL, NULL), (7, NULL, -1), (8, NULL, 0), (9, 1e-300, 9223372036854775807)
) v (ordinal, seconds, rounds) ORDER BY ordinal;
SELECT pg_temp.refusal(NULL, 'TABLE c'), pg_temp.refusal('TABLE l', NULL);
\pset format aligned
TABLE l;

-- holders within others: what is refused, and a shared limit
CREATE TEMP TABLE pairs AS SELECT c AS customer_id, h AS holder_id, (c * h) % 5 AS benefit FROM generate_series(1, 6) c, generate_series(1, 3) h UNION ALL SELECT c, 0, 0 FROM generate_series(1, 6) c;
SELECT * FROM crm.assign('TABLE pairs', 'SELECT h AS holder_id, 6 AS capacity, 99 AS within FROM generate_series(0, 3) h');
SELECT * FROM crm.assign('TABLE pairs', 'SELECT h AS holder_id, 6 AS capacity, greatest(h - 1, 0) AS within FROM generate_series(0, 3) h');
SELECT * FROM crm.assign('TABLE pairs', 'SELECT h AS holder_id, 6 AS capacity, CASE WHEN h = 3 THEN 2 ELSE h END AS within FROM generate_series(0, 3) h');
SELECT * FROM crm.assign('TABLE pairs', 'SELECT h AS holder_id, 6 AS capacity, (h = 9)::int AS floor, CASE WHEN h IN (1, 2) THEN 9 ELSE h END AS within FROM unnest(ARRAY[0, 1, 2, 3, 9]) h');
SELECT * FROM crm.assign('TABLE pairs', 'SELECT h AS holder_id, 6 AS capacity, NULL::int AS within FROM generate_series(0, 3) h');
SELECT * FROM crm.assign('TABLE pairs', 'SELECT h AS holder_id, 6 AS capacity, h::text AS within FROM generate_series(0, 3) h');
SELECT * FROM crm.assign('SELECT * FROM pairs WHERE holder_id > 0', 'SELECT h AS holder_id, 6 AS capacity, CASE WHEN h IN (1, 2, 3) THEN 9 ELSE h END AS within FROM unnest(ARRAY[1, 2, 3, 9]) h');
SELECT * FROM crm.assign('SELECT *, customer_id AS load FROM pairs', 'SELECT h AS holder_id, 6 AS capacity, CASE WHEN h IN (1, 2) THEN 9 ELSE h END AS within FROM unnest(ARRAY[0, 1, 2, 3, 9]) h');
SELECT * FROM crm.assign('TABLE pairs', 'SELECT h AS holder_id, CASE h WHEN 9 THEN 1 ELSE 6 END AS capacity, (h IN (1, 2))::int AS floor, CASE WHEN h IN (1, 2) THEN 9 ELSE h END AS within FROM unnest(ARRAY[0, 1, 2, 3, 9]) h');
SELECT h.* FROM crm.assigned_holders(crm.solve_assignment('TABLE pairs', 'SELECT h AS holder_id, CASE h WHEN 9 THEN 2 ELSE 6 END AS capacity, (h IN (1, 2))::int AS floor, CASE WHEN h IN (1, 2) THEN 9 ELSE h END AS within FROM unnest(ARRAY[0, 1, 2, 3, 9]) h')) h;
SELECT h.* FROM crm.assigned_holders(crm.solve_assignment('TABLE pairs', 'SELECT h AS holder_id, CASE h WHEN 9 THEN 0 ELSE 6 END AS capacity, CASE WHEN h IN (1, 2, 3) THEN 9 ELSE h END AS within FROM unnest(ARRAY[0, 1, 2, 3, 9]) h')) h;
SELECT h.* FROM crm.assigned_holders(crm.solve_assignment('TABLE pairs', 'SELECT h AS holder_id, CASE h WHEN 9 THEN 1 ELSE 6 END AS capacity, CASE WHEN h IN (1, 2, 3) THEN 9 ELSE h END AS within FROM unnest(ARRAY[0, 1, 2, 3, 9]) h', 'min')) h;
