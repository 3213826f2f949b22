-- crm.assign: the best assignment with capacities
\set VERBOSITY terse
SET client_min_messages = warning;

-- What the tests assign: the rows of two tables.
CREATE TEMP TABLE e (customer_id bigint, holder_id bigint, benefit double precision);
CREATE TEMP TABLE c (holder_id bigint, capacity bigint);
\set solve 'SELECT * FROM crm.assign(\'SELECT * FROM e\', \'SELECT * FROM c\')'
\set solve_min 'SELECT * FROM crm.assign(\'SELECT * FROM e\', \'SELECT * FROM c\', \'min\')'

-- nothing to assign
:solve;
INSERT INTO c VALUES (1, 1), (2, 1), (3, 0);
:solve;

-- the greedy choice (customer 1 to holder 1) is not the best one
INSERT INTO e VALUES (1, 1, 10), (1, 2, 9), (2, 1, 8), (2, 2, 1), (3, 3, 99);
:solve;
:solve_min;

-- the number of customers comes before the benefit
UPDATE c SET capacity = 1;
TRUNCATE e;
INSERT INTO e VALUES (1, 1, 1000), (1, 2, -1000), (2, 1, 1);
:solve;

-- ids at the ends of their range, all integer types, numeric benefits, more columns, any order of columns
SELECT * FROM crm.assign(
  $$SELECT 'more'::text AS remark, 1.25::numeric AS benefit, 2::smallint AS holder_id, 9223372036854775807 AS customer_id
    UNION ALL SELECT '', 7, 2, -9223372036854775808 UNION ALL SELECT '', -3, 1, 0$$,
  $$SELECT 1::smallint AS capacity, 1::integer AS holder_id UNION ALL SELECT 2, 2$$);
SELECT * FROM crm.assign('SELECT 1 AS customer_id, 1 AS holder_id, 0.1::real AS benefit', 'SELECT 1 AS holder_id, 9223372036854775807 AS capacity');
CREATE DOMAIN pg_temp.key AS integer;
CREATE DOMAIN pg_temp.score AS numeric(5, 2);
SELECT * FROM crm.assign('SELECT 1.005::pg_temp.score AS benefit, 7::pg_temp.key AS holder_id, 8::pg_temp.key AS customer_id', 'SELECT 7 AS holder_id, 1::pg_temp.key AS capacity');

-- magnitudes far apart: the small ones count for nothing, but nothing overflows
SELECT * FROM crm.assign('SELECT * FROM (VALUES (1, 1, 1e300), (1, 2, -1e300), (2, 1, 1e-300), (2, 2, 5e-324), (3, 2, 0)) v (customer_id, holder_id, benefit)',
  'SELECT 1 AS holder_id, 1 AS capacity UNION ALL SELECT 2, 1');
SELECT * FROM crm.assign('SELECT * FROM (VALUES (1, 1, 5e-324::float8), (1, 2, 0), (2, 1, 1e-323), (2, 2, 0)) v (customer_id, holder_id, benefit)',
  'SELECT 1 AS holder_id, 1 AS capacity UNION ALL SELECT 2, 1');
SELECT * FROM crm.assign('SELECT g AS customer_id, h AS holder_id, 1.7976931348623157e308 * (1 - 2 * ((g + h) % 2)) AS benefit FROM generate_series(1, 2) g, generate_series(1, 2) h',
  'SELECT 1 AS holder_id, 1 AS capacity UNION ALL SELECT 2, 1');

-- whole numbers up to 2^53 are exact with so few holders: one unit decides
SELECT * FROM crm.assign('SELECT * FROM (VALUES (1, 1, 9007199254740992), (1, 2, 9007199254740991), (2, 1, 9007199254740991), (2, 2, 9007199254740991)) v (customer_id, holder_id, benefit)',
  'SELECT 1 AS holder_id, 1 AS capacity UNION ALL SELECT 2, 1');

-- all alike: full holders, and everybody else is left out
SELECT holder_id, count(*), sum(benefit) FROM crm.assign(
  'SELECT g AS customer_id, h AS holder_id, 1 AS benefit FROM generate_series(1, 1000) g, generate_series(1, 20) h',
  'SELECT h AS holder_id, h AS capacity FROM generate_series(1, 20) h') GROUP BY 1 ORDER BY 1;

-- Brute force: every assignment of a tiny instance, tried one by one.
CREATE FUNCTION pg_temp.best(p_max boolean, OUT n int, OUT total float8) LANGUAGE sql AS $$
  WITH RECURSIVE
  k AS (SELECT customer_id, row_number() OVER (ORDER BY customer_id) AS step FROM (SELECT DISTINCT customer_id FROM e) d),
  h AS (SELECT holder_id, row_number() OVER (ORDER BY holder_id)::int AS place FROM c),
  s (step, room, n, total) AS (
    SELECT 0::bigint, (SELECT array_agg(capacity ORDER BY holder_id) FROM c), 0, 0::float8
    UNION
    SELECT k.step, o.room, o.n, o.total FROM s JOIN k ON k.step = s.step + 1, LATERAL (
      SELECT s.room, s.n, s.total
      UNION
      SELECT s.room[:h.place - 1] || (s.room[h.place] - 1) || s.room[h.place + 1:], s.n + 1, s.total + e.benefit
      FROM e JOIN h USING (holder_id) WHERE e.customer_id = k.customer_id AND s.room[h.place] > 0) o)
  SELECT n, total FROM s WHERE step = (SELECT count(*) FROM k)
  ORDER BY n DESC, CASE WHEN p_max THEN -total ELSE total END LIMIT 1
$$;

CREATE FUNCTION pg_temp.compare(p_cases int, p_seed float8) RETURNS TABLE (cases bigint, short bigint, wrong bigint, unruly bigint, unstable bigint) LANGUAGE plpgsql AS $$
DECLARE
  k int; b record; r record; again text; goal text; customers int; holders int; kind int;
BEGIN
  cases := 0; short := 0; wrong := 0; unruly := 0; unstable := 0;
  PERFORM setseed(p_seed);
  FOR k IN 1..p_cases LOOP
    customers := 1 + floor(random() * 7); holders := 1 + floor(random() * 4); kind := k % 4;
    TRUNCATE e; TRUNCATE c;
    INSERT INTO c SELECT 10 * h, floor(random() * 3.5) FROM generate_series(1, holders) h;
    -- kinds: few values, all alike, whole numbers of both signs, eighths
    INSERT INTO e SELECT 7 * i - 20, 10 * h,
        CASE kind WHEN 0 THEN floor(random() * 3) WHEN 1 THEN 2 WHEN 2 THEN floor(random() * 2000) - 1000 ELSE floor(random() * 80) / 8 END
      FROM generate_series(1, customers) i, generate_series(1, holders) h WHERE random() < 0.6 ORDER BY random();
    FOREACH goal IN ARRAY '{max,min}'::text[] LOOP
      cases := cases + 1;
      b := pg_temp.best(goal = 'max');
      SELECT count(*)::int AS n, coalesce(sum(a.benefit), 0) AS total, string_agg(a::text, ' ') AS rows INTO r
        FROM crm.assign('SELECT * FROM e', 'SELECT * FROM c', goal) a;
      IF r.n < (SELECT count(DISTINCT customer_id) FROM e) THEN short := short + 1; END IF;
      IF (r.n, r.total) IS DISTINCT FROM (b.n, b.total) THEN wrong := wrong + 1; END IF;
      -- each row is an edge, each customer comes once, no holder takes too many
      IF EXISTS (SELECT FROM crm.assign('SELECT * FROM e', 'SELECT * FROM c', goal) a LEFT JOIN e USING (customer_id, holder_id, benefit) WHERE e IS NULL)
        OR EXISTS (SELECT FROM crm.assign('SELECT * FROM e', 'SELECT * FROM c', goal) a GROUP BY a.customer_id HAVING count(*) > 1)
        OR EXISTS (SELECT FROM crm.assign('SELECT * FROM e', 'SELECT * FROM c', goal) a JOIN c USING (holder_id) GROUP BY holder_id, capacity HAVING count(*) > capacity) THEN
        unruly := unruly + 1;
      END IF;
      SELECT string_agg(a::text, ' ') INTO again
        FROM crm.assign('SELECT * FROM e ORDER BY random()', 'SELECT * FROM c ORDER BY random()', goal) a;
      IF again IS DISTINCT FROM r.rows THEN unstable := unstable + 1; END IF;
    END LOOP;
  END LOOP;
  RETURN NEXT;
END
$$;
SELECT cases, short > 50 AS some_short, wrong, unruly, unstable FROM pg_temp.compare(300, 0.42);

-- Larger instances with a known optimum: products are best paired in order, and worst in opposite order.
SELECT count(*) AS n, sum(benefit) = (
    SELECT sum(x.v * y.v) FROM (SELECT row_number() OVER (ORDER BY g) AS r, g AS v FROM generate_series(1, 400) g) x
    JOIN (SELECT row_number() OVER (ORDER BY h, i) AS r, h AS v FROM generate_series(1, 40) h, generate_series(1, 10) i) y USING (r)) AS optimal
FROM crm.assign('SELECT g AS customer_id, h AS holder_id, g * h AS benefit FROM generate_series(1, 400) g, generate_series(1, 40) h',
  'SELECT h AS holder_id, 10 AS capacity FROM generate_series(1, 40) h');
SELECT count(*) AS n, sum(benefit) = (
    SELECT sum(x.v * y.v) FROM (SELECT row_number() OVER (ORDER BY g DESC) AS r, g AS v FROM generate_series(1, 400) g) x
    JOIN (SELECT row_number() OVER (ORDER BY h, i) AS r, h AS v FROM generate_series(1, 40) h, generate_series(1, 10) i) y USING (r)) AS optimal
FROM crm.assign('SELECT g AS customer_id, h AS holder_id, g * h AS benefit FROM generate_series(1, 400) g, generate_series(1, 40) h',
  'SELECT h AS holder_id, 10 AS capacity FROM generate_series(1, 40) h', 'min');
-- room for half of them only: the better half, or the worse
SELECT count(*) AS n, min(customer_id), max(customer_id), sum(benefit) FROM crm.assign(
  'SELECT g AS customer_id, h AS holder_id, g AS benefit FROM generate_series(1, 400) g, generate_series(1, 20) h', 'SELECT h AS holder_id, 10 AS capacity FROM generate_series(1, 20) h');
SELECT count(*) AS n, min(customer_id), max(customer_id), sum(benefit) FROM crm.assign(
  'SELECT g AS customer_id, h AS holder_id, g AS benefit FROM generate_series(1, 400) g, generate_series(1, 20) h', 'SELECT h AS holder_id, 10 AS capacity FROM generate_series(1, 20) h', 'min');

-- row order does not matter on a larger, tied and short instance either
CREATE TEMP TABLE big AS SELECT g AS customer_id, h AS holder_id, (g * 7919 + h * 104729) % 5 AS benefit
  FROM generate_series(1, 2000) g, generate_series(1, 50) h WHERE (g * 31 + h * 17) % 5 = 0;
CREATE TEMP TABLE a1 AS SELECT * FROM crm.assign('SELECT * FROM big', 'SELECT h AS holder_id, 30 + h % 9 AS capacity FROM generate_series(1, 50) h');
CREATE TEMP TABLE a2 AS SELECT * FROM crm.assign('SELECT * FROM big ORDER BY md5(customer_id::text || holder_id)', 'SELECT h AS holder_id, 30 + h % 9 AS capacity FROM generate_series(50, 1, -1) h');
SELECT (SELECT count(*) FROM a1) AS n, count(*) AS differences FROM ((TABLE a1 EXCEPT TABLE a2) UNION ALL (TABLE a2 EXCEPT TABLE a1)) d;

-- rights and settings are the caller's
CREATE ROLE regress_crm_assign;
GRANT USAGE ON SCHEMA crm TO regress_crm_assign;
SET ROLE regress_crm_assign;
SELECT * FROM crm.assign('SELECT * FROM e', 'SELECT * FROM c');
RESET ROLE;
REVOKE USAGE ON SCHEMA crm FROM regress_crm_assign;
DROP ROLE regress_crm_assign;

-- what is refused
\set VERBOSITY default
\set SHOW_CONTEXT never
TRUNCATE e; TRUNCATE c;
INSERT INTO e VALUES (1, 1, 1);
INSERT INTO c VALUES (1, 1);
CREATE FUNCTION pg_temp.refusal(edges text, capacities text, objective text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  hint text;
BEGIN
  PERFORM crm.assign(edges, capacities, objective);
  RETURN 'accepted';
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
  RETURN SQLSTATE || ' ' || left(SQLERRM, 100) || coalesce(nullif(' ' || hint, ' '), '');
END
$$;
\pset format unaligned
SELECT coalesce(edges, '(null)') AS edges, coalesce(capacities, '(null)') AS capacities, E'\n    ' || pg_temp.refusal(edges, capacities, objective) AS refusal FROM (VALUES
  (1, NULL, 'SELECT * FROM c', 'max'),
  (2, 'SELECT * FROM e', NULL, 'max'),
  (3, 'SELECT * FROM e', 'SELECT * FROM c', NULL),
  (4, 'SELECT * FROM e', 'SELECT * FROM c', 'best'),
  (5, 'SELEC * FROM e', 'SELECT * FROM c', 'max'),
  (6, 'SELECT * FROM e WHERE', 'SELECT * FROM c', 'max'),
  (7, '', 'SELECT * FROM c', 'max'),
  (8, 'SELECT * FROM e', '   ;  ', 'max'),
  (9, 'SELECT * FROM e; SELECT * FROM e', 'SELECT * FROM c', 'max'),
  (10, 'SELECT * FROM e WHERE customer_id = $1', 'SELECT * FROM c', 'max'),
  (11, 'SELECT * FROM nowhere', 'SELECT * FROM c', 'max'),
  (12, 'SELECT customer_id, holder_id FROM e', 'SELECT * FROM c', 'max'),
  (13, 'SELECT * FROM e', 'SELECT 1', 'max'),
  (14, 'SELECT *, 1 AS benefit FROM e', 'SELECT * FROM c', 'max'),
  (15, 'SELECT customer_id::text, holder_id, benefit FROM e', 'SELECT * FROM c', 'max'),
  (16, 'SELECT customer_id, holder_id, ''1''::text AS benefit FROM e', 'SELECT * FROM c', 'max'),
  (17, 'SELECT * FROM e', 'SELECT holder_id, 1.5 AS capacity FROM c', 'max'),
  (18, 'SELECT NULL::bigint AS customer_id, holder_id, benefit FROM e', 'SELECT * FROM c', 'max'),
  (19, 'SELECT customer_id, NULL::bigint AS holder_id, benefit FROM e', 'SELECT * FROM c', 'max'),
  (20, 'SELECT customer_id, holder_id, NULL::float8 AS benefit FROM e', 'SELECT * FROM c', 'max'),
  (21, 'SELECT * FROM e', 'SELECT holder_id, NULL::int AS capacity FROM c', 'max'),
  (22, 'SELECT customer_id, holder_id, ''NaN''::float8 AS benefit FROM e', 'SELECT * FROM c', 'max'),
  (23, 'SELECT customer_id, holder_id, ''NaN''::numeric AS benefit FROM e', 'SELECT * FROM c', 'max'),
  (24, 'SELECT customer_id, holder_id, ''-Infinity''::real AS benefit FROM e', 'SELECT * FROM c', 'max'),
  (25, 'SELECT customer_id, holder_id, ''Infinity''::numeric AS benefit FROM e', 'SELECT * FROM c', 'max'),
  (26, 'SELECT customer_id, holder_id, 1e400 AS benefit FROM e', 'SELECT * FROM c', 'max'),
  (27, 'SELECT * FROM e', 'SELECT holder_id, -1 AS capacity FROM c', 'max'),
  (28, 'SELECT * FROM e', 'SELECT holder_id, capacity FROM c, generate_series(1, 2)', 'max'),
  (29, 'SELECT e.* FROM e, generate_series(1, 2)', 'SELECT * FROM c', 'max'),
  (30, 'SELECT customer_id, 2 AS holder_id, benefit FROM e', 'SELECT * FROM c', 'max'),
  (31, 'SELECT * FROM e', 'SELECT * FROM c WHERE false', 'max'),
  (32, 'DELETE FROM e', 'SELECT * FROM c', 'max'),
  (33, 'DELETE FROM e RETURNING *', 'SELECT * FROM c', 'max'),
  (34, 'WITH d AS (DELETE FROM e RETURNING *) SELECT * FROM d', 'SELECT * FROM c', 'max'),
  (35, 'SELECT * FROM e FOR UPDATE', 'SELECT * FROM c', 'max'),
  (36, 'EXPLAIN SELECT * FROM e', 'SELECT * FROM c', 'max'),
  (37, 'COPY e TO STDOUT', 'SELECT * FROM c', 'max'),
  (38, 'COMMIT', 'SELECT * FROM c', 'max'),
  (39, 'SELECT customer_id, holder_id, benefit / 0 AS benefit FROM e', 'SELECT * FROM c', 'max')
) v (ordinal, edges, capacities, objective) ORDER BY ordinal;
\pset format aligned
SELECT crm.assign('SELEC * FROM e', 'SELECT * FROM c');
-- nothing was deleted, and calls nest
TABLE e;
SELECT * FROM crm.assign('SELECT * FROM crm.assign(''TABLE e'', ''TABLE c'')', 'TABLE c');
SELECT crm.assign('TABLE e', 'TABLE c') FROM generate_series(1, 2);
