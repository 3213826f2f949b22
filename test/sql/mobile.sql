-- crm.mobile: the numbering plan, ways of writing, wrong literals
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
-- NULL when refused
CREATE FUNCTION pg_temp.try_mobile(input text) RETURNS crm.mobile LANGUAGE plpgsql AS $$
BEGIN
  RETURN input::crm.mobile;
EXCEPTION WHEN invalid_text_representation THEN
  RETURN NULL;
END
$$;

-- ways of writing one number
SELECT count(*) AS ways, count(DISTINCT input::crm.mobile) AS numbers, min(input::crm.mobile::text) AS canonical
FROM unnest(ARRAY['13812345678', '+8613812345678', '+86 138 1234 5678', '+86-138-1234-5678', '008613812345678', '0086 (138) 1234-5678', '8613812345678',
  '86 138 1234 5678', ' 13812345678 ', E'\t138\n1234\r5678', '(+86)13812345678', '(86) 138-1234-5678', '１３８１２３４５６７８', '＋８６　１３８－１２３４－５６７８', '（＋８６）13812345678',
  '138‐1234‑5678', '138–1234—5678', '138−1234 5678', '138 1234 5678']) AS input;

-- the plan, written out once more as text
CREATE TEMPORARY TABLE plan AS
SELECT to_char(p, 'FM00000') AS first5,
  to_char(p, 'FM00000') ~ '^1(3\d|4[579]|5[0-35-9]|6[2567]|7[0-35-8]|8\d|9[0-35-9])' OR to_char(p, 'FM00000') ~ '^174(0\d|1[0-2]|9\d)' AS exists
FROM generate_series(0, 99999) AS p;
SELECT count(*) FILTER (WHERE exists) AS given_out,
  count(*) FILTER (WHERE (pg_temp.try_mobile(first5 || '123456') IS NOT NULL) <> exists AND first5 !~ '^00') AS differ,
  string_agg(DISTINCT left(first5, 3), ' ' ORDER BY left(first5, 3)) FILTER (WHERE exists) AS prefixes
FROM plan;

-- every character of a number changed to any ASCII character: accepted only where the result is a number
SELECT count(*) AS tried, count(*) FILTER (WHERE (n IS NOT NULL) <> (regexp_replace(changed, '[-() \t-\r]', '', 'g') ~ '^1(3\d|4[579]|5[0-35-9]|6[2567]|7[0-35-8]|8\d|9[0-35-9])\d{8}$')) AS differ
FROM (SELECT changed, pg_temp.try_mobile(changed) AS n
      FROM generate_series(1, 11) AS p, generate_series(1, 127) AS c, LATERAL (SELECT overlay('13512345678' PLACING chr(c) FROM p FOR 1) AS changed) AS o OFFSET 0) AS t;

-- operators, order, hash, indexes, casts
CREATE TEMPORARY TABLE numbers AS SELECT (first5 || to_char(i * 7919 % 1000000, 'FM000000'))::crm.mobile AS m FROM (SELECT first5, row_number() OVER (ORDER BY first5) AS i FROM plan WHERE exists) AS p;
SELECT count(*) AS numbers, count(*) FILTER (WHERE by_number <> by_text) AS order_differs, count(*) FILTER (WHERE m::text::crm.mobile <> m) AS round_trip_differs
FROM (SELECT m, dense_rank() OVER (ORDER BY m) AS by_number, dense_rank() OVER (ORDER BY m::text COLLATE "C") AS by_text FROM numbers) AS r;
SELECT a < b AS lt, a <= b AS le, a = b AS eq, a <> b AS ne, a >= b AS ge, a > b AS gt, crm.mobile_cmp(a, b) AS cmp
FROM (VALUES ('13812345678'::crm.mobile, '13912345678'::crm.mobile), ('13912345678', '13812345678'), ('+86 13812345678', '138-1234-5678')) AS v (a, b);
CREATE TEMPORARY TABLE kept (m crm.mobile PRIMARY KEY);
INSERT INTO kept SELECT m FROM numbers;
INSERT INTO kept VALUES ('+86 ' || (SELECT m FROM numbers ORDER BY m LIMIT 1)::text);
CREATE INDEX hashed ON kept USING hash (m);
ANALYZE kept;
EXPLAIN (COSTS OFF) SELECT FROM kept WHERE m = '13012345678';
SET enable_mergejoin = off; SET enable_nestloop = off;
SELECT count(*) = (SELECT count(*) FROM numbers) AS hash_join FROM kept JOIN numbers USING (m);
SET enable_mergejoin = on; SET enable_hashjoin = off;
SELECT count(*) = (SELECT count(*) FROM numbers) AS merge_join FROM kept JOIN numbers USING (m);
RESET enable_mergejoin; RESET enable_nestloop; RESET enable_hashjoin;
SELECT crm.mobile_hash('13812345678') = crm.mobile_hash('+8613812345678') AS hash,
  crm.mobile_hash('13812345678')::bigint & 4294967295 = crm.mobile_hash_extended('13812345678', 0) & 4294967295 AS low_half,
  crm.mobile_hash_extended('13812345678', 1) <> crm.mobile_hash_extended('13812345678', 2) AS seeded;
SELECT typlen, typbyval, typalign FROM pg_type WHERE oid = 'crm.mobile'::regtype;

-- wrong literals
SELECT input, pg_temp.outcome(format('SELECT %L::crm.mobile', input))
FROM (VALUES (''), (' '), ('-'), ('+'), ('+86'), ('0086'), ('1'), ('1381234567'), ('138123456789'), ('12812345678'), ('10012345678'), ('11012345678'), ('14012345678'), ('14612345678'), ('14812345678'),
  ('15412345678'), ('16012345678'), ('16412345678'), ('17412345678'), ('17413123456'), ('17489123456'), ('17912345678'), ('19412345678'), ('23812345678'), ('03812345678'), ('00000000000'), ('99999999999'),
  ('+1 2125551234'), ('+85261234567'), ('0085261234567'), ('+8513812345678'), ('+13812345678'), ('++8613812345678'), ('86+13812345678'), ('13812345678+'), ('+00 86 13812345678'), ('868613812345678'),
  ('013812345678'), ('1064812345678'), ('13812345678 ext 1'), ('1381234567a'), ('一三八'), ('1381234567８８'), ('138.1234.5678'), ('138/1234/5678'), ('NaN'), ('1.38e10'), ('-13812345678x'), ('١٣٨١٢٣٤٥٦٧٨')) AS v (input);
SELECT kind, left(pg_temp.outcome(format('SELECT %L::crm.mobile', input)), 160)
FROM (VALUES ('1 MB digits', repeat('1', 1048576)), ('1 MB pluses', repeat('+', 1048576)), ('1 MB hyphens', repeat('-', 1048576)), ('1 MB of wide spaces', repeat('　', 349525)),
  ('1 MB spaces around', repeat(' ', 1048576) || '13812345678' || repeat(E'\n', 1048576))) AS v (kind, input);
