-- Duplicates: planted pairs and near misses in a small book, against every pair compared; the queue; one customer; refusals.
BEGIN;
SELECT no_plan();
\ir include/helpers.sql

INSERT INTO crm.organisation (id, parent_id, code, name) VALUES (1, NULL, 'co', 'Company'), (2, 1, 'n', 'North'), (3, 1, 's', 'South');

-- six hundred strangers, few names, days of birth close together, every third without
INSERT INTO crm.customer (id, kind, name, birth_date, org_id, source_channel_id, known_from)
SELECT i, CASE WHEN i % 20 = 0 THEN 'company' ELSE 'person' END,
       CASE WHEN i % 20 = 0 THEN substr('锦城天府蜀都蓉光金山青江', 1 + 2 * (i / 20 % 6), 2) || '建设' || i || '有限公司'
            WHEN i % 7 = 0 THEN (ARRAY['John Smith', 'Mary Jones', 'Ahmed Khan', 'Anna Schmidt', 'José García'])[1 + i / 7 % 5]
            ELSE substr('王李张刘陈杨赵黄', 1 + i % 8, 1) || substr('伟芳娜敏静丽强磊', 1 + i / 8 % 8, 1) || CASE WHEN i % 5 > 0 THEN substr('军洋勇艳杰娟涛明', 1 + i / 64 % 8, 1) ELSE '' END END,
       CASE WHEN i % 20 <> 0 AND i % 3 > 0 THEN '1950-01-01'::date + i * 7919 % 200 END, 2 + i % 2, 1 + i % 4, '2020-01-01'
FROM generate_series(1, 600) i;
INSERT INTO crm.contact_point (customer_id, kind, value)
SELECT i, CASE i % 4 WHEN 0 THEN 'mobile' WHEN 1 THEN 'phone' WHEN 2 THEN 'email' ELSE 'address' END,
       CASE i % 4 WHEN 0 THEN (13000000000 + i * 104729::bigint * 7919 % 999999999)::text WHEN 1 THEN '028-' || 60000000 + i * 7919 WHEN 2 THEN 'c' || i || '@example.com' ELSE '人民路' || i || '号' END
FROM generate_series(1, 600) i WHERE i % 5 > 0;

-- planted: who, what, and whether the pair is to be found
CREATE TEMP TABLE planted (pair integer, side integer, name text, resident_id crm.resident_id, birth_date date, phone text, email text, address text, finds boolean, story text, kind text DEFAULT 'person');
INSERT INTO planted VALUES
  (1, 1, '孙建国', '11010519491231002X', NULL, NULL, NULL, NULL, true, 'same ID number, one written with 15 digits'),
  (1, 2, '孙建国', '110105491231002', '1949-12-31', NULL, NULL, NULL, true, NULL),
  (2, 1, '周海燕', '440524188001010014', NULL, NULL, NULL, NULL, true, 'same ID number under another name'),
  (2, 2, '吴丽萍', '440524188001010014', NULL, NULL, NULL, NULL, true, NULL),
  (3, 1, '徐小明', NULL, NULL, '13912340001', NULL, NULL, true, 'same mobile number and similar name'),
  (3, 2, '徐晓明', NULL, NULL, '+86 139-1234-0001', NULL, NULL, true, NULL),
  (4, 1, '胡志强', NULL, '1971-05-06', NULL, NULL, NULL, true, 'same name and birth date'),
  (4, 2, '胡 志 强', NULL, '1971-05-06', NULL, NULL, NULL, true, NULL),
  (5, 1, '郭文静', NULL, '1982-03-10', NULL, NULL, NULL, true, 'day and month exchanged'),
  (5, 2, '郭文静', NULL, '1982-10-03', NULL, NULL, NULL, true, NULL),
  (6, 1, '何晓峰', NULL, '1968-07-21', NULL, NULL, NULL, true, 'digits of the year exchanged'),
  (6, 2, '何晓峰', NULL, '1986-07-21', NULL, NULL, NULL, true, NULL),
  (7, 1, '高玉兰', NULL, NULL, '13712345678', NULL, NULL, true, 'digits of the telephone exchanged'),
  (7, 2, '高玉兰', NULL, NULL, '13712354678', NULL, NULL, true, NULL),
  (8, 1, '林秀英', NULL, NULL, '13612345678', NULL, NULL, true, 'one digit of the telephone missing'),
  (8, 2, '林秀英', NULL, NULL, '1361234578', NULL, NULL, true, NULL),
  (9, 1, '买买提·艾力', NULL, '1990-01-15', NULL, NULL, NULL, true, 'middle dot and one character'),
  (9, 2, '买买提艾里', NULL, '1990-01-15', NULL, NULL, NULL, true, NULL),
  (10, 1, 'Katharina Meyer', NULL, '1977-09-30', NULL, NULL, NULL, true, 'words exchanged and one letter'),
  (10, 2, 'Meyer, Katarina', NULL, '1977-09-30', NULL, NULL, NULL, true, NULL),
  (11, 1, '欧阳明月', NULL, '1979-02-28', NULL, NULL, NULL, true, 'compound surname, one character missing'),
  (11, 2, '欧阳月', NULL, '1979-02-28', NULL, NULL, NULL, true, NULL),
  (12, 1, 'Müller Bau GmbH', NULL, NULL, NULL, 'Info@Bau.example', NULL, true, 'company with one e-mail address'),
  (12, 2, 'Muller Bau GMBH', NULL, NULL, NULL, 'info@bau.example ', NULL, true, NULL),
  (13, 1, '罗春梅', NULL, '1980-08-08', NULL, NULL, '人民路 5 号 3 单元', true, 'similar name, birth date and address'),
  (13, 2, '罗春美', NULL, '1980-08-08', NULL, NULL, '人民路5号3单元', true, NULL),
  (21, 1, '谢大力', NULL, '1975-01-01', '13512340021', NULL, NULL, false, 'a couple with one telephone'),
  (21, 2, '韩小红', NULL, '1976-11-12', '13512340021', NULL, NULL, false, NULL),
  (22, 1, '唐国庆', NULL, '1949-10-01', NULL, NULL, NULL, false, 'one name, other days of birth'),
  (22, 2, '唐国庆', NULL, '1984-03-17', NULL, NULL, NULL, false, NULL),
  (23, 1, '冯建军', '51010419700101001X', NULL, NULL, NULL, NULL, false, 'one name and birth date, two ID numbers'),
  (23, 2, '冯建军', '510104197001010036', NULL, NULL, NULL, NULL, false, NULL),
  (24, 1, '董伟', NULL, '1991-06-06', NULL, NULL, NULL, false, 'short names with one character in common'),
  (24, 2, '董丽', NULL, '1991-06-06', NULL, NULL, NULL, false, NULL),
  (25, 1, '萧雅文', NULL, NULL, '13312340025', NULL, NULL, false, 'similar names, telephones one digit off'),
  (25, 2, '萧雅雯', NULL, NULL, '13312340026', NULL, NULL, false, NULL),
  (26, 1, '程勇', NULL, NULL, NULL, NULL, NULL, false, 'only the name'),
  (26, 2, '程勇', NULL, NULL, NULL, NULL, NULL, false, NULL),
  (27, 1, '曹操', NULL, NULL, '02861234567', NULL, NULL, false, 'person and company of one name and telephone'),
  (27, 2, '曹操', NULL, NULL, '028-6123-4567', NULL, NULL, false, NULL);
UPDATE planted SET kind = 'company' WHERE pair = 12 OR (pair, side) = (27, 2);
INSERT INTO crm.customer (id, kind, name, resident_id, birth_date, org_id, source_channel_id, known_from)
SELECT 1000 * side + pair, kind, name, resident_id, birth_date, 1 + side, 1 + pair % 4, '2020-01-01' FROM planted;
INSERT INTO crm.contact_point (customer_id, kind, value)
SELECT 1000 * side + pair, c.kind, c.value FROM planted, LATERAL (VALUES ('phone', phone), ('email', email), ('address', address)) c (kind, value) WHERE c.value IS NOT NULL;

-- every pair compared, no keys, no blocks
CREATE TEMP TABLE naive AS
SELECT a.id AS customer_id, b.id AS other_id, crm.match_score(a.record, b.record) AS score, crm.match_reasons(a.record, b.record) AS reasons
FROM crm._customer_identity a JOIN crm._customer_identity b ON a.id < b.id;
SELECT cmp_ok((SELECT count(*) FROM naive), '>', 200000::bigint, 'every pair is compared');

SELECT is((SELECT n.score >= 0.5 FROM naive n WHERE n.customer_id = 1000 + p.pair AND n.other_id = 2000 + p.pair), p.finds, p.story)
FROM planted p WHERE p.side = 1 ORDER BY p.pair;
CALL crm.find_duplicates(batch => NULL);
SELECT set_eq($$SELECT customer_id, other_id, score, reasons FROM crm.duplicate_candidate$$,
              $$SELECT customer_id, other_id, score, reasons FROM naive WHERE score >= 0.5$$, 'the search finds what comparing every pair finds');
SELECT set_eq($$SELECT customer_id - 1000 AS a, other_id - 2000 AS b FROM crm.duplicate_candidate WHERE customer_id > 1000$$,
              $$SELECT DISTINCT pair::bigint AS a, pair::bigint AS b FROM planted WHERE finds$$, 'of those planted the right ones');
SELECT set_eq($$SELECT DISTINCT state, decided_at IS NULL AS a, decided_by IS NULL AS b, found_at = now() AS c FROM crm.duplicate_candidate$$, $$VALUES ('open', true, true, true)$$, 'all are open');
SELECT set_eq($$SELECT c.id, d.other_id, d.score, d.reasons FROM crm.customer c, crm.duplicates_of(c.id) d$$,
              $$SELECT v.* FROM naive n, LATERAL (VALUES (n.customer_id, n.other_id, n.score, n.reasons), (n.other_id, n.customer_id, n.score, n.reasons)) v WHERE n.score >= 0.5$$,
              'so does the search for each customer');
SELECT results_eq($$SELECT * FROM crm.duplicates_of(1003)$$, $$SELECT 2003::bigint, 1 / (1 + 2 ^ (-1)::double precision), '{similar name,same phone}'::text[]$$, 'score and reasons by hand');
SELECT is_empty($$SELECT * FROM crm.duplicates_of(1003, 0.9)$$, 'a higher score leaves it out');
SELECT results_eq($$SELECT * FROM crm.duplicates_of(1021, 0)$$, $$SELECT 2021::bigint, 1 / (1 + 2 ^ 9.5::double precision), '{other name,other birth date,same phone}'::text[]$$, 'a lower one shows the couple');

-- the same search again
SELECT set_config('crm.actor', 'clerk', true) IS NOT NULL;
SELECT lives_ok($$SELECT crm.reject_duplicate(2003, 1003)$$, 'reject, in either order');
SELECT results_eq($$SELECT state, decided_at IS NOT NULL, decided_by FROM crm.duplicate_candidate WHERE customer_id = 1003$$, $$VALUES ('rejected', true, 'clerk')$$, 'rejected, by whom');
CREATE TEMP TABLE before AS SELECT ctid AS place, * FROM crm.duplicate_candidate;
CALL crm.find_duplicates(batch => NULL);
SELECT set_eq($$SELECT ctid AS place, * FROM crm.duplicate_candidate$$, $$SELECT * FROM before$$, 'a second search changes no row');
-- the book changes
UPDATE crm.customer SET name = '徐小明' WHERE id = 2003;
UPDATE crm.customer SET birth_date = '1966-06-06' WHERE id = 2004;
UPDATE crm.customer SET name = '郭文敬' WHERE id = 2005;
UPDATE crm.contact_point SET value = '13712345678' WHERE customer_id = 2007;
CALL crm.find_duplicates(batch => NULL);
SELECT set_eq($$SELECT customer_id, state, reasons FROM crm.duplicate_candidate WHERE customer_id IN (1003, 1004, 1005, 1007)$$,
              $$VALUES (1003::bigint, 'rejected', '{similar name,same phone}'::text[]), (1007, 'open', '{same name,same phone}')$$,
              'rejected pairs stay, open ones follow the book');
SELECT lives_ok($$SELECT crm.reject_duplicate(1003, 2003, false)$$, 'open it again');
SELECT results_eq($$SELECT state, decided_at, decided_by FROM crm.duplicate_candidate WHERE customer_id = 1003$$, $$VALUES ('open', NULL::timestamptz, NULL)$$, 'as if never decided');
SELECT lives_ok($$SELECT crm.reject_duplicate(1003, 2003)$$, 'and reject it for good');
DELETE FROM crm.customer WHERE id = 2007;
SELECT is_empty($$SELECT FROM crm.duplicate_candidate WHERE other_id = 2007$$, 'a customer who goes takes the pairs along');

-- keys that many share
INSERT INTO crm.contact_point (customer_id, kind, value) SELECT id, 'phone', '400-800-1234' FROM crm.customer WHERE id <= 40;
INSERT INTO crm.setting (name, value) VALUES ('duplicate_block', '30');
CREATE TEMP TABLE run (candidates bigint, compared bigint, skipped_keys bigint, skipped_customers bigint);
DO $$
DECLARE
  r run;
BEGIN
  CALL crm.find_duplicates(NULL, r.candidates, r.compared, r.skipped_keys, r.skipped_customers);
  INSERT INTO run VALUES (r.*);
END
$$;
SELECT results_eq($$SELECT skipped_keys, skipped_customers FROM run$$, $$VALUES (1::bigint, 40::bigint)$$, 'a key of forty is skipped and counted');
SELECT is((SELECT candidates FROM run), (SELECT count(*) FROM crm.duplicate_candidate), 'candidates are counted, rejected ones with them');
UPDATE crm.setting SET value = '40' WHERE name = 'duplicate_block';
DO $$
DECLARE
  r run;
BEGIN
  CALL crm.find_duplicates(NULL, r.candidates, r.compared, r.skipped_keys, r.skipped_customers);
  INSERT INTO run VALUES (r.*);
END
$$;
SELECT results_eq($$SELECT skipped_keys, skipped_customers FROM run OFFSET 1$$, $$VALUES (0::bigint, 0::bigint)$$, 'with a limit of forty it is searched');
SELECT cmp_ok((SELECT max(compared) - min(compared) FROM run), '>', 600::bigint, 'and its pairs are compared');

-- settings
INSERT INTO crm.setting (name, value) VALUES ('duplicate_weights', '{"name_same": 20, "name_similar": 0}'), ('duplicate_score', '0.99');
CALL crm.find_duplicates(batch => NULL);
SELECT isnt_empty($$SELECT FROM crm.duplicate_candidate WHERE customer_id = 1023 AND reasons = '{other id number,same name,same birth date}'$$, 'weights are taken from the settings');
SELECT is_empty($$SELECT FROM crm.duplicate_candidate WHERE state = 'open' AND score < 0.99$$, 'so is the score');
SELECT isnt_empty($$SELECT FROM crm.duplicates_of(1023) WHERE other_id = 2023$$, 'in the search for one customer too');
SELECT is(pg_temp.code_of(format('INSERT INTO crm.setting (name, value) VALUES (%L, %L)', name, value)), code, format('%s is refused as %s', value, name))
FROM (VALUES ('duplicate_weights', '{"names": 1}', '22023'), ('duplicate_weights', '[]', '22023'), ('duplicate_weights', '{', '22P02'), ('duplicate_weights', '{"prior": 1e9}', '22003'),
             ('duplicate_score', '1.5', '23514'), ('duplicate_score', '-0.1', '23514'), ('duplicate_score', 'NaN', '23514'), ('duplicate_score', 'much', '22P02'), ('duplicate_block', '-1', '22003')) v (name, value, code);

-- refusals
SELECT is(pg_temp.code_of(statement), code, statement) FROM (VALUES
  ('SELECT * FROM crm.duplicates_of(999999)', '23503'), ('SELECT * FROM crm.duplicates_of(NULL)', '23503'), ('SELECT * FROM crm.duplicates_of(1, 2)', '23514'), ('SELECT * FROM crm.duplicates_of(1, ''NaN'')', '23514'),
  ('SELECT crm.reject_duplicate(1, 2)', '23503'), ('SELECT crm.reject_duplicate(NULL, 2)', '22004'), ('SELECT crm.reject_duplicate(1, NULL)', '22004'), ('SELECT crm.reject_duplicate(1, 2, NULL)', '22004'),
  ('CALL crm.find_duplicates(0)', '22023'), ('CALL crm.find_duplicates(-1)', '22023'), ('CALL crm.find_duplicates(100)', '2D000'),
  ('INSERT INTO crm.duplicate_candidate (customer_id, other_id, score, reasons) VALUES (2, 1, 0.5, ''{}'')', '23514'),
  ('INSERT INTO crm.duplicate_candidate (customer_id, other_id, score, reasons) VALUES (1, 1, 0.5, ''{}'')', '23514'),
  ('INSERT INTO crm.duplicate_candidate (customer_id, other_id, score, reasons) VALUES (1, 2, 1.5, ''{}'')', '23514'),
  ('INSERT INTO crm.duplicate_candidate (customer_id, other_id, score, reasons, state) VALUES (1, 2, 0.5, ''{}'', ''maybe'')', '23514'),
  ('INSERT INTO crm.duplicate_candidate (customer_id, other_id, score, reasons, state) VALUES (1, 2, 0.5, ''{}'', ''rejected'')', '23514'),
  ('INSERT INTO crm.duplicate_candidate (customer_id, other_id, score, reasons, decided_at) VALUES (1, 2, 0.5, ''{}'', now())', '23514'),
  ('INSERT INTO crm.duplicate_candidate (customer_id, other_id, score, reasons) VALUES (1, 999999, 0.5, ''{}'')', '23503')) v (statement, code);

-- rights
CREATE ROLE identity_nobody;
CREATE ROLE identity_manager;
CALL crm.grant_duty('manager', 'identity_manager');
CALL crm.grant_duty('pool', 'identity_manager');
SET LOCAL ROLE identity_nobody;
SELECT is(pg_temp.code_of('SELECT * FROM crm.duplicates_of(1)'), '42501', 'nobody may not search');
SELECT is(pg_temp.code_of('SELECT crm.reject_duplicate(1, 2)'), '42501', 'nobody may not reject');
SELECT is(pg_temp.code_of('CALL crm.find_duplicates(NULL)'), '42501', 'nobody may not run the search');
SELECT is(pg_temp.code_of('TABLE crm.duplicate_candidate'), '42501', 'nobody may not see the queue');
SELECT is(pg_temp.code_of('SELECT * FROM crm.match_pairs(''SELECT i.id, i.record FROM crm._customer_identity i'')'), '42501', 'pairs of a query are found with the rights of the caller');
RESET ROLE;
SET LOCAL ROLE identity_manager;
SELECT is(pg_temp.code_of('SELECT * FROM crm.duplicates_of(1)'), '00000', 'a manager may search');
SELECT is(pg_temp.code_of('SELECT crm.reject_duplicate(customer_id, other_id) FROM crm.duplicate_candidate WHERE state = ''open'' LIMIT 1'), '00000', 'a manager may reject');
SELECT is(pg_temp.code_of('DELETE FROM crm.duplicate_candidate'), '42501', 'a manager may not empty the queue');
RESET ROLE;

-- an empty book
DELETE FROM crm.customer;
TRUNCATE run;
DO $$
DECLARE
  r run;
BEGIN
  CALL crm.find_duplicates(NULL, r.candidates, r.compared, r.skipped_keys, r.skipped_customers);
  INSERT INTO run VALUES (r.*);
END
$$;
SELECT results_eq($$SELECT * FROM run$$, $$VALUES (0::bigint, 0::bigint, 0::bigint, 0::bigint)$$, 'an empty book has no duplicates');

RESET ROLE;
SELECT crm.post();
SELECT is_empty('SELECT * FROM crm.check()', 'what must hold holds');
SELECT * FROM finish();
ROLLBACK;
