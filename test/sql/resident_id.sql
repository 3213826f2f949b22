-- crm.resident_id: check character against plain SQL, parts, wrong literals
\pset null '(null)'
\pset format unaligned
\pset footer off
SET client_min_messages = warning;
SET search_path = public, crm;
SET datestyle = ISO;

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

-- ISO 7064 MOD 11-2 straight from the standard: the sum of digit x 2^(18 - position) and the check value is 1 modulo 11.
CREATE FUNCTION pg_temp.check_character(body text) RETURNS text LANGUAGE sql AS $$
  SELECT CASE v WHEN 10 THEN 'X' ELSE v::text END
  FROM generate_series(0, 10) AS v
  WHERE (v + (SELECT sum(substr(body, i, 1)::integer * 2 ^ (18 - i))::bigint FROM generate_series(1, 17) AS i)) % 11 = 1
$$;

-- the standard's own examples, lower case, spaces, 15 digits
SELECT input::crm.resident_id, crm.birth_date(input::crm.resident_id), crm.sex(input::crm.resident_id), crm.region_code(input::crm.resident_id)
FROM (VALUES ('11010519491231002X'), ('11010519491231002x'), ('440524188001010014'), (' 440524188001010014 '),
  ('110105491231002'), (' 440524800101001 '), ('810000199408230021'), ('830000199201300022')) AS v (input);

-- random numbers: all parts against what they were made of
SELECT setseed(0.25);
CREATE TEMPORARY TABLE made AS
SELECT region, born, sequence, to_char(region, 'FM000000') || to_char(born, 'YYYYMMDD') || to_char(sequence, 'FM000') AS body
FROM (SELECT (ARRAY[11, 12, 13, 14, 15, 21, 22, 23, 31, 32, 33, 34, 35, 36, 37, 41, 42, 43, 44, 45, 46, 50, 51, 52, 53, 54, 61, 62, 63, 64, 65,
                    71, 81, 82, 83, 90, 91, 95, 99])[1 + i % 39] * 10000 + floor(random() * 10000)::integer AS region,
             '1850-01-01'::date + floor(random() * 80000)::integer AS born, floor(random() * 1000)::integer AS sequence
      FROM generate_series(1, 20000) AS i) AS r;
CREATE TEMPORARY TABLE numbers AS
SELECT *, (body || pg_temp.check_character(body))::crm.resident_id AS id FROM made;
SELECT count(*),
  count(*) FILTER (WHERE id::text <> body || pg_temp.check_character(body)) AS text_differs,
  count(*) FILTER (WHERE crm.region_code(id) <> to_char(region, 'FM000000')) AS region_differs,
  count(*) FILTER (WHERE crm.birth_date(id) <> born) AS born_differs,
  count(*) FILTER (WHERE crm.sex(id) <> CASE WHEN sequence % 2 = 1 THEN 'male' ELSE 'female' END) AS sex_differs,
  count(*) FILTER (WHERE id::text::crm.resident_id <> id) AS round_trip_differs,
  count(DISTINCT right(id::text, 1)) AS check_characters
FROM numbers;
-- of the eleven check characters one is right
SELECT count(*) AS tried, count(*) FILTER (WHERE (pg_temp.outcome(format('SELECT %L::crm.resident_id', body || c)) = 'ok') <> (c = right(id::text, 1))) AS wrong
FROM (SELECT body, id FROM numbers LIMIT 300) AS n, unnest('{0,1,2,3,4,5,6,7,8,9,X}'::text[]) AS c;
-- every change of one digit and every exchange of neighbours is noticed
SELECT count(*) AS tried, count(*) FILTER (WHERE pg_temp.outcome(format('SELECT %L::crm.resident_id', changed)) NOT LIKE '22P02%') AS accepted
FROM (SELECT body || right(id::text, 1) AS good FROM numbers LIMIT 50) AS n,
  LATERAL (SELECT overlay(good PLACING d::text FROM p FOR 1) AS changed FROM generate_series(1, 17) AS p, generate_series(0, 9) AS d
           UNION SELECT overlay(good PLACING substr(good, p + 1, 1) || substr(good, p, 1) FROM p FOR 2) FROM generate_series(1, 16) AS p) AS c
WHERE changed <> good;
-- 15 digits are the 18 without century and check character
SELECT count(*) > 5000 AS enough, count(*) FILTER (WHERE (left(body, 6) || substr(body, 9))::crm.resident_id <> id) AS differ
FROM numbers WHERE born BETWEEN '1900-01-01' AND '1999-12-31';

-- age: completed years as the calendar counts them
SELECT count(*) AS tried, count(*) FILTER (WHERE crm.age(id, d) IS DISTINCT FROM CASE WHEN d >= born THEN extract(year FROM age(d, born))::integer END) AS differ
FROM (SELECT * FROM numbers LIMIT 3000) AS n, LATERAL (SELECT born + delta AS d FROM unnest('{-400,-1,0,1,364,365,366,1460,1461,7304,7305,36524,36525}'::integer[]) AS delta) AS days;
SELECT d, crm.age('110105200002290021', d) FROM unnest('{2000-02-28,2000-02-29,2001-02-28,2001-03-01,2004-02-28,2004-02-29,4713-01-01 BC,5874897-12-31}'::date[]) AS d;
SELECT pg_temp.outcome('SELECT crm.age(''11010519491231002X'', ''infinity'')'), pg_temp.outcome('SELECT crm.age(''11010519491231002X'', ''-infinity'')');
SELECT crm.age(NULL, '2000-01-01'), crm.age('11010519491231002X', NULL), crm.sex(NULL), crm.birth_date(NULL), crm.region_code(NULL);

-- provinces: those of GB/T 2260, 83 and 90 to 99
SELECT string_agg(to_char(p, 'FM00'), ' ' ORDER BY p) AS accepted
FROM generate_series(0, 99) AS p
WHERE pg_temp.outcome(format('SELECT %L::crm.resident_id', to_char(p, 'FM00') || '0101800101001')) = 'ok';
-- birth dates: the calendar, of every year and day that can be written
SELECT count(*) AS tried, count(*) FILTER (WHERE (pg_temp.outcome(format('SELECT %L::crm.resident_id', body || pg_temp.check_character(body))) = 'ok')
                                                 IS DISTINCT FROM (pg_temp.outcome(format('SELECT make_date(%s, %s, %s)', y, m, d)) = 'ok')) AS differ
FROM (SELECT y, m, d, '110105' || to_char(y, 'FM0000') || to_char(m, 'FM00') || to_char(d, 'FM00') || '001' AS body
      FROM unnest('{0,1,1600,1700,1900,1999,2000,2023,2024,2100,9999}'::integer[]) AS y, generate_series(0, 13) AS m, generate_series(0, 32) AS d) AS dates;

-- operators, order of the texts, hash, index, casts
SELECT a < b AS lt, a <= b AS le, a = b AS eq, a <> b AS ne, a >= b AS ge, a > b AS gt, crm.resident_id_cmp(a, b) AS cmp
FROM (VALUES ('11010519491231002X'::crm.resident_id, '440524188001010014'::crm.resident_id), ('440524188001010014', '11010519491231002x'), ('110105491231002', '11010519491231002X')) AS v (a, b);
SELECT count(*) FILTER (WHERE by_id <> by_text) AS order_differs
FROM (SELECT dense_rank() OVER (ORDER BY id) AS by_id, dense_rank() OVER (ORDER BY id::text COLLATE "C") AS by_text FROM numbers) AS r;
CREATE TEMPORARY TABLE kept (id crm.resident_id PRIMARY KEY, note text);
INSERT INTO kept SELECT id, min(body) FROM numbers GROUP BY id;
INSERT INTO kept VALUES ('11010519491231002x'::text, '110105491231002'::crm.resident_id);
INSERT INTO kept VALUES ('110105491231002');
CREATE INDEX hashed ON kept USING hash (id);
ANALYZE kept;
EXPLAIN (COSTS OFF) SELECT note FROM kept WHERE id = '110105491231002';
SELECT note FROM kept WHERE id = '110105491231002';
SET enable_mergejoin = off; SET enable_nestloop = off;
SELECT count(*) AS hash_join FROM kept JOIN numbers USING (id);
SET enable_mergejoin = on; SET enable_hashjoin = off;
SELECT count(*) AS merge_join FROM kept JOIN numbers USING (id);
RESET enable_mergejoin; RESET enable_nestloop; RESET enable_hashjoin;
SELECT crm.resident_id_hash('110105491231002') = crm.resident_id_hash('11010519491231002X') AS hash,
  crm.resident_id_hash('110105491231002')::bigint & 4294967295 = crm.resident_id_hash_extended('110105491231002', 0) & 4294967295 AS low_half,
  crm.resident_id_hash_extended('110105491231002', 1) <> crm.resident_id_hash_extended('110105491231002', 2) AS seeded;
SELECT typlen, typbyval, typalign FROM pg_type WHERE oid = 'crm.resident_id'::regtype;

-- wrong literals
SELECT input, pg_temp.outcome(format('SELECT %L::crm.resident_id', input))
FROM (VALUES (''), (' '), ('X'), ('1101051949123100'), ('11010519491231002'), ('11010519491231002XX'), ('110105194912310021'), ('11010519491231X02'), ('110105194902300024'),
  ('110105194913010024'), ('110105194900010024'), ('110105194901000024'), ('110105190002290024'), ('110105000001010024'), ('000000194912310024'), ('160105194912310024'),
  ('700105194912310024'), ('840105194912310024'), ('550105491231002'), ('110105990230002'), ('11010549123100X'), ('11010549123100'), ('1101054912310021'), ('1101 0519491231002X'),
  ('-10105194912310024'), ('+10105194912310024'), ('１１０１０５１９４９１２３１００２Ｘ'), ('11010519491231002χ'), ('NaN'), ('Infinity'), ('11010519491231002.0'), ('1e17')) AS v (input);
SELECT kind, left(pg_temp.outcome(format('SELECT %L::crm.resident_id', input)), 100)
FROM (VALUES ('1 MB digits', repeat('1', 1048576)), ('1 MB X', repeat('X', 1048576)), ('1 MB spaces', repeat(' ', 1048576)),
  ('1 MB spaces around', repeat(' ', 1048576) || '11010519491231002X' || repeat(E'\n', 1048576))) AS v (kind, input);
