-- crm.scale: text form, grading against plain SQL, operators, wrong literals
\pset null '(null)'
\pset format unaligned
\pset footer off
SET client_min_messages = warning;
SET search_path = public, crm;

CREATE FUNCTION pg_temp.outcome(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  detail text;
BEGIN
  EXECUTE query;
  RETURN 'ok';
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
  RETURN SQLSTATE || ' ' || SQLERRM || coalesce(' | ' || nullif(detail, ''), '');
END
$$;

-- canonical output
SELECT input::crm.scale
FROM (VALUES
  ('lead, ungraded 100000, iron > 300000, gold > 500000, platinum > 1000000'),
  ('  active ,semi_dormant   365,dormant>1095.00  '),
  ('one'),
  ('a, b 5, c > 5'),
  ('a, b -5, c > -0.0, d .5, e +0007.250, f 8.'),
  ('客户, 铁卡 300000, 金卡 > 500000'),
  ('"no limit yet", "a, b" 1, "say ""hi""" 2, "7" 3, "plain" 4, " " 5, "x>1" 6, "，" 7'),
  ('a_1-b, _c-2 -3, d- 4')) AS v (input);

-- classes at and around the limits
SELECT x, crm.grade(s, x), crm.grade_rank(s, x)
FROM (VALUES ('lead, ungraded 100000, iron > 300000, gold > 500000, platinum > 1000000'::crm.scale)) AS v (s),
  unnest('{-Infinity, -1, 99999.99, 100000, 100000.00000000000000000001, 300000, 300000.01, 500000, 500001, 1000000,
           1000000.00000000000000000001, 1e30, Infinity}'::numeric[]) AS x;
SELECT x, crm.grade('a, b 0.1, c > 0.1, d 9223372036854775808', x)
FROM unnest('{-Infinity, -0, 0, 0.1, 0.10000000000000002, 9.3e18, 1e308, Infinity}'::double precision[]) AS x;
SELECT x, crm.grade('a, b -9223372036854775808, c > -9223372036854775808, d 9223372036854775807, e > 9223372036854775807', x)
FROM unnest('{-9223372036854775808, -9223372036854775807, 0, 9223372036854775806, 9223372036854775807}'::bigint[]) AS x;
SELECT crm.grade('a, b 5', NULL::numeric), crm.grade(NULL, 5::bigint), crm.grade_rank('a, b 5', NULL::double precision), crm.labels(NULL);
SELECT crm.labels('lead, "a, b" 1, "say ""hi""" 2, 金卡 3'), crm.labels('one');

-- NaN is refused
SELECT pg_temp.outcome(format('SELECT crm.%s(''a, b 5'', ''NaN''::%s)', f, t))
FROM unnest('{grade,grade_rank}'::text[]) AS f, unnest('{numeric,double precision}'::text[]) AS t;

-- Random scales: the class is that of the last limit reached, in plain SQL.
SELECT setseed(0.5);
CREATE TEMPORARY TABLE limits AS
SELECT s, row_number() OVER (PARTITION BY s ORDER BY value, exclusive) AS rank, value, exclusive
FROM (SELECT DISTINCT s, round((random() * 40 - 20)::numeric, s % 4) AS value, random() < 0.5 AS exclusive
      FROM generate_series(1, 300) AS s, generate_series(1, 1 + s % 40)) AS l;
CREATE INDEX ON limits (s);
ANALYZE limits;
CREATE TEMPORARY TABLE scales AS
SELECT s, ('l0' || string_agg(format(', l%s%s %s', rank, CASE WHEN exclusive THEN ' >' ELSE '' END, value), '' ORDER BY rank))::crm.scale AS scale
FROM limits GROUP BY s;
CREATE TEMPORARY TABLE samples AS
SELECT s, round((random() * 44 - 22)::numeric, s % 4) AS x FROM generate_series(1, 300) AS s, generate_series(1, 30)
UNION ALL SELECT s, value FROM limits;
SELECT count(*) > 10000 AS enough,
  count(*) FILTER (WHERE crm.grade(scale, x) IS DISTINCT FROM 'l' || expected) AS numeric_label,
  count(*) FILTER (WHERE crm.grade_rank(scale, x) IS DISTINCT FROM expected) AS numeric_rank,
  count(*) FILTER (WHERE crm.grade(scale, x::double precision) IS DISTINCT FROM 'l' || expected) AS double_label,
  count(*) FILTER (WHERE crm.grade_rank(scale, x::double precision) IS DISTINCT FROM expected) AS double_rank
FROM scales JOIN samples USING (s)
CROSS JOIN LATERAL (SELECT coalesce(max(rank), 0)::integer AS expected FROM limits AS l
                    WHERE l.s = scales.s AND (x > value OR (x = value AND NOT exclusive))) AS e;
SELECT count(*) FILTER (WHERE crm.grade(scale, x) IS DISTINCT FROM 'l' || expected) AS bigint_label,
  count(*) FILTER (WHERE crm.grade_rank(scale, x) IS DISTINCT FROM expected) AS bigint_rank
FROM scales CROSS JOIN generate_series(-22::bigint, 22) AS x
CROSS JOIN LATERAL (SELECT coalesce(max(rank), 0)::integer AS expected FROM limits AS l
                    WHERE l.s = scales.s AND (x > value OR (x = value AND NOT exclusive))) AS e;
-- thresholds in scaled integers: ceil, or floor + 1 above an excluded limit
SELECT count(*) > 10000 AS enough,
  count(*) FILTER (WHERE (crm._thresholds(scale, d))[rank + 1] IS DISTINCT FROM
                         CASE WHEN exclusive THEN floor(value * 10::numeric ^ d) + 1 ELSE ceil(value * 10::numeric ^ d) END) AS differ,
  count(*) FILTER (WHERE (crm._thresholds(scale, d))[1] <> -9223372036854775808) AS first
FROM limits JOIN scales USING (s), generate_series(0, 3) AS d;
SELECT crm._thresholds('a, b -92233720368547758.09, c -92233720368547758.08, d > -92233720368547758.08, e 92233720368547758.07, f > 92233720368547758.07, g 1000000000000000000000000000000', 2);
SELECT pg_temp.outcome('SELECT crm._thresholds(''a, b 1'', -1)'), pg_temp.outcome('SELECT crm._thresholds(''a, b 1'', 19)');

-- a scale that varies from row to row, and a variable of PL/pgSQL
SELECT crm.grade(scale, 5::numeric), min(crm.grade(scale, 5::bigint)) OVER ()
FROM (VALUES (1, 'a, b 5'::crm.scale), (2, 'c, d 6'), (3, 'a, b 5'), (4, 'e, f > 4')) AS v (i, scale) ORDER BY i;
DO $$
DECLARE
  s crm.scale;
  result text := '';
BEGIN
  FOR i IN 1 .. 6 LOOP
    s := format('low%s, high%s %s', i, i, i);
    result := result || crm.grade(s, 3) || ' ' || crm.grade('x, y 4', i::bigint) || '; ';
  END LOOP;
  RAISE WARNING '%', result;
END
$$;
PREPARE by_parameter(crm.scale) AS SELECT crm.grade($1, x::bigint) FROM generate_series(1, 3) AS x;
EXECUTE by_parameter('a, b 2');
EXECUTE by_parameter('c, d 3');
DEALLOCATE by_parameter;

-- round trips, and one value for all spellings
SELECT count(*), count(*) FILTER (WHERE scale::text::crm.scale = scale AND scale::text::crm.scale::text = scale::text) AS equal FROM scales;
SELECT 'a,b 05.10'::crm.scale = '"a" , "b" 5.1'::crm.scale AS same, 'a, b 5'::crm.scale = 'a, b > 5'::crm.scale AS different;

-- operators, order, hash, index, casts
SELECT a < b AS lt, a <= b AS le, a = b AS eq, a <> b AS ne, a >= b AS ge, a > b AS gt, crm.scale_cmp(a, b) AS cmp
FROM (VALUES ('a, b 1'::crm.scale, 'a, b 2'::crm.scale), ('a', 'a'), ('b', 'a, b 2'), ('a', 'a, b 1')) AS v (a, b);
SELECT count(*) AS distinct_sorted FROM (SELECT DISTINCT scale FROM scales ORDER BY scale) AS d;
SELECT count(*) = (SELECT count(DISTINCT scale::text) FROM scales) AS grouped FROM (SELECT scale FROM scales GROUP BY scale) AS d;
CREATE TEMPORARY TABLE kept (scale crm.scale PRIMARY KEY, note text);
INSERT INTO kept SELECT DISTINCT scale FROM scales;
INSERT INTO kept VALUES ('solo'::text, 'assigned'::crm.scale);
INSERT INTO kept VALUES ('solo');
SET enable_seqscan = off;
EXPLAIN (COSTS OFF) SELECT note FROM kept WHERE scale = 'solo';
SELECT note FROM kept WHERE scale = 'solo';
RESET enable_seqscan;
SET enable_mergejoin = off; SET enable_nestloop = off;
SELECT count(*) = (SELECT count(*) FROM scales) AS hash_join FROM kept JOIN scales USING (scale);
RESET enable_mergejoin; RESET enable_nestloop;
SELECT crm.scale_hash('a, b 1') = crm.scale_hash('a,b 1.0') AS hash, crm.scale_hash_extended('a, b 1', 7) = crm.scale_hash_extended('a,b 1.0', 7) AS extended,
  crm.scale_hash('a, b 1')::bigint & 4294967295 = crm.scale_hash_extended('a, b 1', 0) & 4294967295 AS low_half;
-- a long one, stored out of line
INSERT INTO kept SELECT ('"' || repeat('x', 100) || '"' || string_agg(format(', "%s" %s', md5(i::text) || repeat(chr(19968 + i), 20), i), ''))::crm.scale, 'long'
FROM generate_series(1, 20) AS i;
SELECT crm.grade_rank(scale, 7::bigint), crm.grade(scale, 7::numeric) LIKE md5('7') || '%' AS label FROM kept WHERE note = 'long';

-- wrong literals
SELECT input, pg_temp.outcome(format('SELECT %L::crm.scale', input))
FROM (VALUES (''), (' '), (','), ('a,'), (',a'), ('a,,b 1'), ('a 5'), ('a, b'), ('a, b 1, c'), ('a, b 1, c 1'), ('a, b > 1, c 1'),
  ('a, b > 1, c > 1'), ('a, b 2, c 1'), ('a, a 1'), ('a, "a" 1'), ('a, b >'), ('a, b > c'), ('a, b >= 5'), ('a, b 5 6'), ('a, b 1e5'), ('a, b 1万'),
  ('a, b NaN'), ('a, b Infinity'), ('a, b 1,000,000'), ('1a, b 2'), ('-a'), ('a b, c 5'), ('"a'), ('""'), ('a, "b'), ('a, b -'), ('a, b .'), ('a, b --1'),
  ('a, b 0x10'), ('a; b 5'), (E'"a\nb"'), (E'"a\x7f"'), ('a，b 5'), ('a　b'), ('a, b < 5'), ('a, b''s 5'), ('a, b 1 2'), ('a, b 1"'), ('a, b"c" 1'), ('a, "b""" 1, "b""" 2')) AS v (input);
SELECT kind, left(pg_temp.outcome(format('SELECT %L::crm.scale', input)), 150)
FROM (VALUES
  ('1 MB label', repeat('x', 1048576)),
  ('1 MB quoted label', '"' || repeat('金', 349525) || '"'),
  ('1 MB quotes', repeat('"', 1048576)),
  ('1 MB limit', 'a, b ' || repeat('9', 1048576)),
  ('1 MB zeros', 'a, b ' || repeat('0', 1048576) || '.' || repeat('0', 1048576)),
  ('1 MB decimals', 'a, b 0.' || repeat('1', 1048576)),
  ('1 MB commas', repeat(',', 1048576)),
  ('1 MB spaces', repeat(' ', 1048576)),
  ('label of 120 bytes', repeat('x', 120)),
  ('label of 121 bytes', repeat('x', 121)),
  ('label of 40 characters', repeat('金', 40)),
  ('label of 41 characters', repeat('金', 41)),
  ('57 digits', 'a, b ' || repeat('9', 57)),
  ('58 digits', 'a, b ' || repeat('9', 58)),
  ('256 labels', (SELECT 'l0' || string_agg(format(', l%s %s', i, i), '' ORDER BY i) FROM generate_series(1, 255) AS i)),
  ('257 labels', (SELECT 'l0' || string_agg(format(', l%s %s', i, i), '' ORDER BY i) FROM generate_series(1, 256) AS i)),
  ('100,000 labels', (SELECT 'l0' || string_agg(format(', l%s %s', i, i), '' ORDER BY i) FROM generate_series(1, 100000) AS i))) AS v (kind, input);
SELECT crm.grade_rank(s, 250.5::numeric), crm.grade_rank(s, 250::bigint), crm.grade_rank(s, 0.5::double precision), crm.grade(s, 1e9::double precision)
FROM (SELECT ('l0' || string_agg(format(', l%s %s', i, i), '' ORDER BY i))::crm.scale AS s FROM generate_series(1, 255) AS i) AS big;
