-- Names, numbers and records: normal forms, keys, similarity, score; against plain SQL and published values
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

-- normal form
SELECT name, crm.normal_name(name), crm.name_key(name)
FROM (VALUES ('王小明'), ('王 小 明'), ('　王小明　'), ('买买提·艾力'), ('买买提•艾力'), ('买买提．艾力'), ('阿依古丽・买买提'), ('张伟 David'), ('O''Brien-Smith'), ('O’BRIEN  SMITH'), ('Ｊｏｓｅ'), ('José'), (U&'Jose\0301'),
  ('Müller'), ('Straße'), ('Ærøskøbing'), ('Łukasz Żółć'), ('Nguyễn Thị Ánh'), ('Þórður'), ('ΑΘΗΝΑ'), ('ИВАНОВ'), ('Dr. Smith'), ('锦城建设8有限公司'), ('ABC（中国）有限公司'), ('  '), ('·'), (''), ('김철수'), ('㐂村'), ('李〇')) AS v (name);
SELECT crm.normal_name(NULL), crm.name_key(NULL), crm.name_keys(NULL), crm.name_similarity(NULL, 'a'), crm.name_similarity('a', NULL), crm.phone_digits(NULL), crm.digits_distance('1', NULL), crm.digits_similarity(NULL, '1');

-- Jaro and Winkler as published, words in any order, spaces
SELECT a, b, round(crm.name_similarity(a, b)::numeric, 4) AS similarity
FROM (VALUES ('MARTHA', 'MARHTA'), ('DIXON', 'DICKSONX'), ('DWAYNE', 'DUANE'), ('JONES', 'JOHNSON'), ('ABROMS', 'ABRAMS'), ('SHACKLEFORD', 'SHACKELFORD'), ('DUNNINGHAM', 'CUNNIGHAM'), ('NICHLESON', 'NICHULSON'),
  ('MASSEY', 'MASSIE'), ('MICHELLE', 'MICHAEL'), ('JERALDINE', 'GERALDINE'), ('ITMAN', 'SMITH'), ('John Smith', 'smith, JOHN'), ('ja ck matthews', 'jack matthews'), ('Kolodina', 'Rhiannon Kolodina'), ('Ada Byron', 'Zoe Klug'), ('José', 'jose')) AS v (a, b);
-- Chinese names: surname, given name, compound surnames, long names
SELECT a, b, round(crm.name_similarity(a, b)::numeric, 4) AS similarity
FROM (VALUES ('王小明', '王小明'), ('王小明', '王晓明'), ('王小明', '王明'), ('王小明', '王明小'), ('王小明', '李小明'), ('王小明', '王大华'), ('张伟', '张明'), ('张伟', '李伟'), ('王', '王'), ('王', '李'), ('王', '王明'),
  ('欧阳小明', '欧阳晓明'), ('欧阳修', '欧明修'), ('欧阳', '欧明'), ('诸葛亮', '葛亮'), ('买买提·艾力', '买买提艾里'), ('阿依古丽·买买提', '阿依古丽·买买题'), ('锦城建设8有限公司', '天府商贸9有限公司'), ('王小明', 'Wang Xiaoming')) AS v (a, b);

-- the same whichever comes first, between 0 and 1, 1 for itself
CREATE TEMPORARY TABLE names AS
SELECT CASE i % 3
    WHEN 0 THEN (SELECT string_agg(substr('王李张刘陈杨欧阳司马小明伟芳', 1 + get_byte(h, k) % 14, 1), '' ORDER BY k) FROM generate_series(1, 1 + get_byte(h, 0) % 5) AS k)
    WHEN 1 THEN (SELECT string_agg(substr('aeioubcdfg -''éç', 1 + get_byte(h, k) % 15, 1), '' ORDER BY k) FROM generate_series(1, 1 + get_byte(h, 0) % 20) AS k)
    ELSE (SELECT string_agg(chr(1 + (get_byte(h, k) * 256 + get_byte(h, k + 1)) % 55000), '' ORDER BY k) FROM generate_series(1, 1 + get_byte(h, 0) % 20) AS k) END AS name
FROM (SELECT i, sha256(convert_to('name ' || i, 'UTF8')) AS h FROM generate_series(1, 400) AS i) AS r;
SELECT count(*) AS tried, count(s) AS comparable, count(*) FILTER (WHERE s IS DISTINCT FROM crm.name_similarity(b, a)) AS not_symmetric, count(*) FILTER (WHERE s NOT BETWEEN 0 AND 1) AS out_of_range
FROM (SELECT x.name AS a, y.name AS b, crm.name_similarity(x.name, y.name) AS s FROM names AS x, names AS y OFFSET 0) AS t;
SELECT count(*) FILTER (WHERE crm.name_similarity(name, name) <> 1) AS unlike_itself, count(*) FILTER (WHERE crm.normal_name(crm.normal_name(name)) <> crm.normal_name(name)) AS not_normal,
  count(*) FILTER (WHERE (crm.name_keys(name))[1] IS DISTINCT FROM crm.name_key(name)) AS first_key_differs, count(*) FILTER (WHERE crm.name_key(name) IS NULL) AS without_key,
  count(*) FILTER (WHERE cardinality(crm.name_keys(name)) <> (SELECT count(DISTINCT k) FROM unnest(crm.name_keys(name)) AS k)) AS repeated
FROM names;

-- Chinese names with one character wrong, missing or exchanged share a key
SELECT count(*) AS tried, count(*) FILTER (WHERE NOT crm.name_keys(name) && crm.name_keys(changed)) AS missed
FROM (SELECT name FROM names WHERE name ~ '^[王李张刘陈杨欧阳司马小明伟芳]{2,5}$') AS n,
  LATERAL (SELECT overlay(name PLACING c FROM p FOR 1) AS changed FROM generate_series(1, length(name)) AS p, unnest('{赵,钱}'::text[]) AS c
           UNION SELECT overlay(name PLACING '' FROM p FOR 1) FROM generate_series(1, length(name)) AS p
           UNION SELECT overlay(name PLACING substr(name, p + 1, 1) || substr(name, p, 1) FROM p FOR 2) FROM generate_series(1, length(name) - 1) AS p WHERE length(name) BETWEEN 3 AND 4) AS c
WHERE changed <> '';
-- Latin names: doubled letters and vowels do not count, a shared word is a shared key
SELECT a, b, crm.name_key(a) = crm.name_key(b) AS whole, crm.name_keys(a) && crm.name_keys(b) AS some
FROM (VALUES ('Zhang Wei', 'Wei Zhang'), ('Meyer', 'Maier'), ('Philip Cook', 'Filip Kook'), ('Anna Schmidt', 'Ana Schmid'), ('Allison Green', 'Alison Grean'), ('John Smith', 'Mary Smith'), ('John Smith', 'Mary Jones'), ('Leo Blackwell', 'Leo Blackwebll'), ('Li Wei', 'Li Hai'), ('Leo Smith', 'Lea Jones')) AS v (a, b);

-- digits against a plain edit distance
CREATE FUNCTION pg_temp.distance(a text, b text) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
  d integer[] := '{}';
  w CONSTANT integer := length(b) + 1;
BEGIN
  FOR i IN 0 .. length(a) LOOP
    FOR j IN 0 .. length(b) LOOP
      d[i * w + j] := CASE WHEN i = 0 THEN j WHEN j = 0 THEN i
        ELSE least(d[(i - 1) * w + j] + 1, d[i * w + j - 1] + 1, d[(i - 1) * w + j - 1] + (substr(a, i, 1) <> substr(b, j, 1))::integer,
                   CASE WHEN i > 1 AND j > 1 AND substr(a, i, 1) = substr(b, j - 1, 1) AND substr(a, i - 1, 1) = substr(b, j, 1) THEN d[(i - 2) * w + j - 2] + 1 END) END;
    END LOOP;
  END LOOP;
  RETURN d[length(a) * w + length(b)];
END
$$;
SELECT count(*) AS tried, count(*) FILTER (WHERE crm.digits_distance(a, b) <> pg_temp.distance(a, b)) AS differ,
  count(*) FILTER (WHERE abs(crm.digits_similarity(a, b) - (1 - pg_temp.distance(a, b)::float8 / greatest(length(a), length(b)))) > 1e-12) AS similarity_differs
FROM (SELECT substr((x * 48271 % 2147483647)::text, 1, (1 + x % 9)::integer) AS a, substr((y * 16807 % 2147483647)::text, 1, (1 + y % 8)::integer) AS b FROM generate_series(1::bigint, 60) AS x, generate_series(1::bigint, 60) AS y) AS r;
SELECT a, b, crm.digits_distance(a, b), round(crm.digits_similarity(a, b)::numeric, 4) AS similarity
FROM (VALUES ('13812345678', '138-1234-5678'), ('13812345678', '13812345687'), ('13812345678', '1381234567'), ('13812345678', '13812345677'), ('11010519491231002X', '11010519491231002x'), ('１１０', '110'), ('1949-12-31', '19491213'),
  ('2000-01-02', '2000-02-01'), ('123', ''), ('', ''), ('--', '1'), ('一', '1')) AS v (a, b);
-- each number near a number, once, and no other
SELECT v, cardinality(n) AS n, cardinality(n) = (SELECT count(DISTINCT x) FROM unnest(n) AS x) AS once, (SELECT bool_and(x = v OR pg_temp.distance(x, v) = 1) FROM unnest(n) AS x) AS near
FROM (SELECT v, crm._digits_near(v) AS n FROM unnest('{13812345678,11,7,1122}'::text[]) AS v) AS t;
SELECT count(*) AS tried, count(*) FILTER (WHERE (pg_temp.distance(x::text, '1123') <= 1) <> (x::text = ANY (crm._digits_near('1123')))) AS differ FROM generate_series(100, 99999) AS x;
SELECT crm._digits_near(''), pg_temp.outcome('SELECT crm._digits_near(repeat(''1'', 21))');
SELECT day, (SELECT string_agg(d::text, ' ' ORDER BY d) FROM unnest(crm._dates_near(day)) AS d WHERE left(d::text, 4) = left(day::text, 4)) AS of_the_year
FROM unnest('{2000-02-29,1999-12-01,0001-01-01}'::date[]) AS day;
SELECT count(*) AS tried, count(*) FILTER (WHERE (crm.digits_distance(d::text, '1988-03-10') <= 1 OR d = '1988-10-03') <> (d = ANY (crm._dates_near('1988-03-10')))) AS differ
FROM (SELECT ('1900-01-01'::date + i) AS d FROM generate_series(0, 73000) AS i) AS days;

-- telephone numbers
SELECT v, crm.phone_digits(v) FROM unnest(ARRAY['13812345678', '+86 138-1234-5678', '0086 13812345678', '8613812345678', '013812345678', '028-61234567', '+86 28 6123 4567', '(028) 6123 4567', '61234567', '00112233', '+1 212 555 1234', '１３８', '', 'none']) AS v;

-- records: points by hand. id number 16 7 -4, name 4.5 3 -5, birth date 4.5 2.5 -2.5, phone 5 3 0, e-mail 5, address 3.5 2 0, prior -7
CREATE FUNCTION pg_temp.r(name text, id_number text DEFAULT NULL, birth_date text DEFAULT NULL, phone text DEFAULT NULL, email text DEFAULT NULL, address text DEFAULT NULL, kind text DEFAULT NULL)
RETURNS crm.identity LANGUAGE sql AS $$ SELECT ROW(kind, name, id_number, birth_date, ARRAY[phone], ARRAY[email], ARRAY[address])::crm.identity $$;
SELECT n, points, crm.match_score(a, b) = 1 / (1 + 2 ^ (-points)::float8) AS right, crm.match_score(a, b) = crm.match_score(b, a) AS symmetric, crm.match_reasons(a, b), crm.match_keys(a) && crm.match_keys(b) AS compared
FROM (VALUES
  (1, 18, pg_temp.r('王小明', '11010519491231002X', '19491231'), pg_temp.r('王小明', '11010519491231002x', '1949-12-31')),
  (2, 4, pg_temp.r('王小明', '11010519491231002X'), pg_temp.r('李大华', '11010519491231002X')),
  (3, 1, pg_temp.r('王小明', phone => '13812345678'), pg_temp.r('王晓明', phone => '+86 138 1234 5678')),
  (4, 2.5, pg_temp.r('王小明', phone => '13812345678'), pg_temp.r('王小明', phone => '138 1234 5678')),
  (5, 0.5, pg_temp.r('王小明', phone => '13812345678'), pg_temp.r('王小明', phone => '13812345687')),
  (6, 2, pg_temp.r('王小明', birth_date => '19491231'), pg_temp.r('王小明', birth_date => '19491231')),
  (7, 0, pg_temp.r('王小明', birth_date => '19490312'), pg_temp.r('王小明', birth_date => '19491203')),
  (8, 0.5, pg_temp.r('王小明', birth_date => '19490312'), pg_temp.r('王晓明', birth_date => '19490312')),
  (9, -7, pg_temp.r('王小明', phone => '13812345678'), pg_temp.r('李大华', phone => '13812345678')),
  (10, -2, pg_temp.r('王小明', '11010519491231002X', '19491231'), pg_temp.r('王小明', '440524194912310010', '19491231')),
  (11, 4.5, pg_temp.r('John Smith', '1234567', phone => '5551234567'), pg_temp.r('Smith, John', '1234576')),
  (12, 6, pg_temp.r('Acme Ltd', email => ' Info@Acme.example ', address => '1 High St'), pg_temp.r('ACME Ltd.', email => 'info@acme.example', address => '1, High St.')),
  (15, -2.5, pg_temp.r('王小明', address => '人民路12号3单元'), pg_temp.r('王小明', address => '人民路13号3单元')),
  (16, -0.5, pg_temp.r('王小明', address => '人民路12号3单元'), pg_temp.r('王小明', address => '人民路12号院3单元')),
  (17, -0.5, pg_temp.r('John Smith', address => '12 Herschell Circuit, Lawrence 2272'), pg_temp.r('John Smith', address => '12 Herschel Circuit, Lawrence 2722')),
  (13, -7, pg_temp.r(NULL), pg_temp.r(NULL)),
  (14, -7, pg_temp.r('··', '--', '', '1', ' ', '.'), pg_temp.r('··', '--', '', '1', ' ', '.'))) AS v (n, points, a, b) ORDER BY n;
-- of different kinds nothing is compared; unknown kinds are
SELECT x, y, crm.match_score(pg_temp.r('Acme', phone => '5551234567', kind => x), pg_temp.r('Acme', phone => '5551234567', kind => y)) AS score, crm.match_reasons(pg_temp.r('Acme', kind => x), pg_temp.r('Acme', kind => y))
FROM (VALUES ('person', 'company'), ('person', 'Person '), ('person', NULL), (NULL, 'company')) AS v (x, y);
-- weights
SELECT * FROM crm.match_weight_list();
SELECT name, value FROM crm.match_weight_list('{"phone_same": 9, "prior": -20.5}') EXCEPT SELECT name, value FROM crm.match_weight_list() ORDER BY 1;
SELECT crm.match_score(pg_temp.r('王小明', phone => '13812345678'), pg_temp.r('王小明', phone => '13812345678'), w::crm.match_weights) AS score
FROM unnest(ARRAY['{}', '{"prior": -10}', '{"prior": -1000}', '{"prior": 1000, "name_same": 1000}', '{"name_similar_from": 2, "name_same": 2}']) AS w;
SELECT w, pg_temp.outcome(format('SELECT %L::crm.match_weights', w))
FROM unnest(ARRAY['[]', '1', 'null', '{"phone": 1}', '{"phone_same": "5"}', '{"phone_same": null}', '{"phone_same": {"a": 1}}', '{"phone_same": [1]}', '{"phone_same": 1e400}', '{"phone_same": 1001}', '{"phone_same": -1e30}', '{"": 1}', '{', '{"手机": 1}', '{"phone_same": 1, "phone_same": 2}']) AS w;
SELECT left(pg_temp.outcome(format('SELECT %L::crm.match_weights', '{"' || repeat('x', 100000) || '": 1}')), 60);
SELECT crm.match_score(NULL, pg_temp.r('a')), crm.match_keys(NULL), crm.match_reasons(pg_temp.r('a'), pg_temp.r('a'), NULL), crm.match_keys(ROW(NULL, NULL, NULL, NULL, NULL, NULL, NULL)::crm.identity), crm.match_keys(ROW(NULL, '', '', '', '{}', '{}', '{}')::crm.identity);
SELECT crm.match_score(a, a) > 0.99 AS score, cardinality(crm.match_keys(a)) AS keys
FROM (SELECT ROW('x', repeat('王', 500000), repeat('1', 500000), repeat('2', 500000), array_fill('13812345678'::text, ARRAY[100, 100]), array_fill(repeat('a', 1000), ARRAY[1000]), array_fill(repeat('路 1 ', 1000), ARRAY[1000]))::crm.identity AS a) AS t;
-- long input ends in time
SELECT kind, length(crm.normal_name(input)) AS normal, cardinality(crm.name_keys(input)) AS keys, crm.name_similarity(input, input) AS similarity, crm.digits_similarity(input, input) AS digits
FROM (VALUES ('letters', repeat('ab', 500000)), ('words', repeat('a b ', 250000)), ('Chinese', repeat('王', 350000)), ('nothing', repeat('·', 500000)), ('ligatures', repeat('ß', 500000)), ('digits', repeat('1', 1000000))) AS v (kind, input);

-- pairs of any query
CREATE TEMPORARY TABLE people (id integer, record crm.identity);
INSERT INTO people VALUES (1, pg_temp.r('王小明', phone => '13812345678')), (2, pg_temp.r('王小明', phone => '13812345678')), (3, pg_temp.r('王晓明', phone => '13812345678')), (4, pg_temp.r('赵六', phone => '13912345678')), (5, NULL), (NULL, pg_temp.r('王小明'));
SELECT * FROM crm.match_pairs('SELECT id, record FROM pg_temp.people');
SELECT * FROM crm.match_pairs('TABLE pg_temp.people', min_score => 0.8);
SELECT * FROM crm.match_pairs('TABLE pg_temp.people', block_limit => 2);
SELECT * FROM crm.match_pairs('SELECT 1, NULL::crm.identity WHERE false');
SELECT q, pg_temp.outcome(format('SELECT * FROM crm.match_pairs(%L)', q))
FROM unnest(ARRAY['', 'SELECT 1', 'SELECT 1, 2', 'SELECT 1, NULL::crm.identity, 3', 'SELECT ''x'', NULL::crm.identity', 'DELETE FROM pg_temp.people RETURNING id, record', 'SELECT 1, NULL::crm.identity) r (id, record); DROP TABLE pg_temp.people; --']) AS q;
SELECT pg_temp.outcome(c) FROM unnest(ARRAY['SELECT * FROM crm.match_pairs(NULL)', 'SELECT * FROM crm.match_pairs(''TABLE pg_temp.people'', NULL)', 'SELECT * FROM crm.match_pairs(''TABLE pg_temp.people'', weights => NULL)',
  'SELECT * FROM crm.match_pairs(''TABLE pg_temp.people'', block_limit => 1)', 'SELECT * FROM crm.match_pairs(''TABLE pg_temp.people'', weights => ''{"x": 1}'')']) AS c;
SELECT count(*) AS people FROM people;
