-- Import: every fault of every row told, sums that agree, merging, correction.
BEGIN;
SET LOCAL client_min_messages = warning;
SELECT no_plan();

INSERT INTO crm.organisation (code, name) VALUES ('HQ', 'Head office'), ('B1', 'Branch 1'), ('B2', 'Branch 2');
INSERT INTO crm.product (code, name) VALUES ('LIFE', 'Whole life'), ('TERM', 'Term life');
INSERT INTO crm.staff (code, name, org_id, channel_id, joined_on)
SELECT 'S1', 'Agent 1', o.id, c.id, '2000-01-01' FROM crm.organisation o, crm.channel c WHERE o.code = 'B1' AND c.code = 'individual';

-- what the book holds, as text, by plain joins
CREATE TEMP VIEW book_customer AS
SELECT k.source_system, k.source_key, c.kind, c.name, c.resident_id::text, c.birth_date::text, c.sex, o.code AS org_code, h.code AS channel_code, c.known_from::text
FROM crm.customer c JOIN crm.customer_key k ON k.customer_id = c.id JOIN crm.organisation o ON o.id = c.org_id JOIN crm.channel h ON h.id = c.source_channel_id;
CREATE TEMP VIEW book_policy AS
SELECT k.source_system, k.source_key, ck.source_key AS customer_key, r.code AS product_code, h.code AS channel_code, s.code AS servicer_code, p.book, p.sector_line,
       p.issued_on::text, p.term_months, p.matures_on::text, p.payment, p.premium, p.payments, p.sum_insured
FROM crm.policy p JOIN crm.policy_key k ON k.customer_id = p.customer_id AND k.policy_id = p.id
JOIN crm.customer_key ck ON ck.customer_id = p.customer_id
JOIN crm.product r ON r.id = p.product_id JOIN crm.channel h ON h.id = p.channel_id LEFT JOIN crm.staff s ON s.id = p.servicer_id;
CREATE TEMP VIEW reason AS
SELECT batch_id, kind, row_no::integer AS row_no, column_name, code FROM crm.import_reason;
CREATE TEMP VIEW sums AS
SELECT batch_id, kind, read::integer, inserted::integer, updated::integer, unchanged::integer, rejected::integer FROM crm.import_batch_kind;

-- the staging tables ---------------------------------------------------------

SELECT set_eq($$SELECT substr(c.relname, 8), a.attname::text FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid JOIN crm.import_kind k ON c.oid = ('crm.import_' || k.kind)::regclass
                WHERE a.attnum > 0 AND a.attname NOT IN ('row_no', 'source_system')$$,
              $$SELECT kind, name FROM crm.import_column$$, 'every column of the staging tables is read');
SELECT is_empty($$SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid JOIN crm.import_kind k ON c.oid = ('crm.import_' || k.kind)::regclass
                  WHERE a.attnum > 0 AND a.attname <> 'row_no' AND (a.atttypid <> 'text'::regtype OR a.attnotnull)$$, 'they take any text');

-- faults in customers ----------------------------------------------------------

COPY crm.import_customer (source_key, kind, name, resident_id, birth_date, sex, org_code, org_from, channel_code, known_from) FROM stdin CSV;
C1,person,Ann,11010519491231002X,,,B1,,individual,2001-01-01
C2,company,Acme Ltd,,,,HQ,,group,2001-01-01
 C3 ,person,"  王五 ",,1980-02-29,male,B1,,individual,2001-01-01
,person,No key,,,,B1,,individual,2001-01-01
E2,persn,Kind unknown,,,,B1,,individual,2001-01-01
E3,,Kind missing,,,,B1,,individual,2001-01-01
E4,person,"   ",,,,B1,,individual,2001-01-01
E5,person,Check digit,110105194912310021,,,B1,,individual,2001-01-01
E6,person,Province,990105194912310021,,,B1,,individual,2001-01-01
E7,person,Short,12345,,,B1,,individual,2001-01-01
E8,person,Birth differs,11010519491231002X,1949-12-30,,B1,,individual,2001-01-01
E9,person,Sex differs,11010519491231002X,,male,B1,,individual,2001-01-01
E10,person,29 February,,1981-02-29,,B1,,individual,2001-01-01
E11,person,Day first,,31.12.1981,,B1,,individual,2001-01-01
E12,person,Month 13,,1981-13-01,,B1,,individual,2001-01-01
E13,person,Too old,,1799-12-31,,B1,,individual,2001-01-01
E14,person,Sex in another code,,,F,B1,,individual,2001-01-01
E15,person,Unit unknown,,,,B9,,individual,2001-01-01
E16,person,Unit missing,,,,,,individual,2001-01-01
E17,person,Channel unknown,,,,B1,,carrier pigeon,2001-01-01
E18,person,Channel missing,,,,B1,,,2001-01-01
E19,person,Known from missing,,,,B1,,individual,
E20,person,Known too early,,,,B1,,individual,1899-12-31
E21,person,Known too late,,,,B1,,individual,2200-01-01
E22,person,Known before birth,,2001-01-02,,B1,,individual,2001-01-01
E23,company,Company with a number,11010519491231002X,,,B1,,group,2001-01-01
E24,company,Company with birth and sex,,1980-01-01,male,B1,,group,2001-01-01
E25,person,Lost � characters,,,,B1,,individual,2001-01-01
E26,person,"Line
break",,,,B1,,individual,2001-01-01
E27,person,Word for a day,,yesterday,,B1,infinity,individual,today
E28,person,"O'Brien'); DROP TABLE crm.customer; --",,,,"B1'; --",,individual,2001-01-01
E29,person,Twice with different content,,,,B1,,individual,2001-01-01
E29,person,Twice with other content,,,,B1,,individual,2001-01-01
C2,company,Acme Ltd,,,,HQ,,group,2001-01-01
E30,x,,x,x,x,x,x,x,x
E31,person,Five-digit year,,12001-01-01,,B1,,individual,2001-01-01
E32,person,Year and month,,200111,,B1,,individual,2001123
E33,person,Separators mixed,,2001-01/01,,B1,,individual,2001-0-1
E34,person,Without hyphens,,20010101,,B1,,individual,2001/1/1
\.
INSERT INTO crm.import_customer (source_key, kind, name, org_code, channel_code, known_from)
VALUES (repeat('k', 1000000), 'person', repeat('n', 1000000), repeat('o', 1000000), 'individual', repeat('9', 1000000)),
       (E'E\x01', 'person', 'Control character in the key', 'B1', 'individual', '2001-01-01');

CREATE TEMP TABLE expected_reason (row_no integer, column_name text, code text);
INSERT INTO expected_reason VALUES
  (4, 'source_key', '23502'), (5, 'kind', '22P02'), (6, 'kind', '23502'), (7, 'name', '23502'), (8, 'resident_id', '22P02'), (9, 'resident_id', '22P02'),
  (10, 'resident_id', '22P02'), (11, 'birth_date', '23514'), (12, 'sex', '23514'), (13, 'birth_date', '22008'), (14, 'birth_date', '22007'),
  (15, 'birth_date', '22008'), (16, 'birth_date', '22008'), (17, 'sex', '22P02'), (18, 'org_code', '23503'), (19, 'org_code', '23502'),
  (20, 'channel_code', '23503'), (21, 'channel_code', '23502'), (22, 'known_from', '23502'), (23, 'known_from', '22008'), (24, 'known_from', '22008'),
  (25, 'known_from', '23514'), (26, 'resident_id', '23514'), (27, 'birth_date', '23514'), (27, 'sex', '23514'), (28, 'name', '22021'), (29, 'name', '22021'),
  (30, 'birth_date', '22007'), (30, 'org_from', '22007'), (30, 'known_from', '22007'), (31, 'org_code', '23503'),
  (32, 'source_key', '23505'), (33, 'source_key', '23505'),
  (35, 'kind', '22P02'), (35, 'name', '23502'), (35, 'resident_id', '22P02'), (35, 'birth_date', '22007'), (35, 'sex', '22P02'), (35, 'org_code', '23503'),
  (35, 'org_from', '22007'), (35, 'channel_code', '23503'), (35, 'known_from', '22007'), (36, 'birth_date', '22007'),
  (37, 'birth_date', '22007'), (37, 'known_from', '22007'), (38, 'birth_date', '22007'), (38, 'known_from', '22007'),
  (39, 'birth_date', '22007'), (39, 'known_from', '22007'),
  (40, 'source_key', '22001'), (40, 'name', '22001'), (40, 'org_code', '23503'), (40, 'known_from', '22007'), (41, 'source_key', '22021');

CALL crm.import('core') \gset dirty_
SELECT results_eq(format('SELECT row_no, column_name, code FROM reason WHERE batch_id = %s AND kind = ''customer'' ORDER BY 1, 2, 3', :dirty_batch_id),
                  'SELECT * FROM expected_reason ORDER BY 1, 2, 3', 'each fault of a customer is told with row, column and code');
SELECT results_eq(format('SELECT * FROM sums WHERE batch_id = %s ORDER BY kind', :dirty_batch_id),
                  format('VALUES (%1$s::bigint, ''customer'', 41, 3, 0, 1, 37)', :dirty_batch_id),
                  'the sums of the customers');
SELECT set_eq('SELECT * FROM book_customer', $$VALUES
  ('core', 'C1', 'person', 'Ann', '11010519491231002X', '1949-12-31', 'female', 'B1', 'individual', '2001-01-01'),
  ('core', 'C2', 'company', 'Acme Ltd', NULL, NULL, NULL, 'HQ', 'group', '2001-01-01'),
  ('core', 'C3', 'person', '王五', NULL, '1980-02-29', 'male', 'B1', 'individual', '2001-01-01')$$, 'the good customers are in the book');
SELECT is_empty($$SELECT r.* FROM crm.import_reason r JOIN crm.import_reject j USING (batch_id, kind, row_no)
                  WHERE r.value IS DISTINCT FROM j.data ->> r.column_name$$, 'each reason bears the offending value');
SELECT is_empty($$SELECT * FROM crm.import_reason WHERE length(message) > 400 OR message IS NULL OR message = ''$$, 'messages are short');
SELECT is((SELECT message FROM crm.import_reason WHERE row_no = 13), 'date/time field value out of range: "1981-02-29"', 'and say what is wrong');
SELECT is((SELECT count(*)::integer FROM crm.import_customer), 0, 'nothing is left waiting');

-- faults in policies, insured persons and events ----------------------------------

COPY crm.import_policy (source_key, customer_key, product_code, channel_code, servicer_code, book, sector_line, issued_on, term_months, matures_on, payment, premium, payments, sum_insured) FROM stdin CSV;
P1,C1,LIFE,individual,S1,,,2005-06-07,,,yearly,1000.5,20,
P2,C2,TERM,group,,legacy,YES,2006-01-01,12,2007-01-01,single,1e3,1,100000
,C1,LIFE,individual,,,,2005-06-07,,,yearly,1000,,
F2,,LIFE,individual,,,,2005-06-07,,,yearly,1000,,
F3,C9,LIFE,individual,,,,2005-06-07,,,yearly,1000,,
F4,E10,LIFE,individual,,,,2005-06-07,,,yearly,1000,,
F5,C1,GONE,individual,,,,2005-06-07,,,yearly,1000,,
F6,C1,LIFE,gone,,,,2005-06-07,,,yearly,1000,,
F7,C1,LIFE,individual,S9,,,2005-06-07,,,yearly,1000,,
F8,C1,LIFE,individual,,theirs,,2005-06-07,,,yearly,1000,,
F9,C1,LIFE,individual,,,maybe,2005-06-07,,,yearly,1000,,
F10,C1,LIFE,individual,,,,2005-06-31,,,yearly,1000,,
F11,C1,LIFE,individual,,,,,,,yearly,1000,,
F12,C3,LIFE,individual,,,,1980-02-28,,,yearly,1000,,
F13,C1,LIFE,individual,,,,2005-06-07,0,,yearly,1000,,
F14,C1,LIFE,individual,,,,2005-06-07,12.5,,yearly,1000,,
F15,C1,LIFE,individual,,,,2005-06-07,,2005-06-06,yearly,1000,,
F16,C1,LIFE,individual,,,,2005-06-07,,9999-12-31,yearly,1000,,
F17,C1,LIFE,individual,,,,2005-06-07,,,weekly,1000,,
F18,C1,LIFE,individual,,,,2005-06-07,,,,1000,,
F19,C1,LIFE,individual,,,,2005-06-07,,,yearly,"1,000",,
F20,C1,LIFE,individual,,,,2005-06-07,,,yearly,-1,,
F21,C1,LIFE,individual,,,,2005-06-07,,,yearly,1000.005,,
F22,C1,LIFE,individual,,,,2005-06-07,,,yearly,NaN,,
F23,C1,LIFE,individual,,,,2005-06-07,,,yearly,Infinity,,
F24,C1,LIFE,individual,,,,2005-06-07,,,yearly,10000000000000,,
F25,C1,LIFE,individual,,,,2005-06-07,,,yearly,,,
F26,C1,LIFE,individual,,,,2005-06-07,,,yearly,1000,1201,
F27,C1,LIFE,individual,,,,2005-06-07,,,yearly,1000,99999999999,
F28,C1,LIFE,individual,,,,2005-06-07,,,single,1000,2,
F29,C1,LIFE,individual,,,,2005-06-07,,,yearly,¥1000,,-5
F30,C9,GONE,gone,S9,theirs,maybe,x,x,x,x,x,x,x
F31,C1,LIFE,individual,,,,2005-06-07,,,yearly,1000.000,,
\.
COPY crm.import_insured (policy_key, customer_key) FROM stdin CSV;
P1,C3
P2,C3
P2,C1
P1,C3
P9,C3
F4,C3
P1,C9
P1,C2
,
\.
COPY crm.import_event (policy_key, kind, on_date, reason) FROM stdin CSV;
P1,lapse,2010-01-01,
P1,reinstatement,2010-03-01,
P1,end,2015-01-01,surrender
P2,end,2007-01-01,maturity
P1,lapse,2010-01-01,
P9,lapse,2010-01-01,
P1,pause,2010-01-01,
P1,lapse,2010-02-30,
P1,end,2016-01-01,
P1,lapse,2011-01-01,death
P1,end,2016-01-02,boredom
P1,lapse,2005-06-06,
P2,lapse,2007-01-02,
,,,
P1,end,2020-01-01,claim
P1,end,2020-01-01,death
\.
CALL crm.import('core') \gset dirty_

SELECT results_eq(format('SELECT row_no, column_name, code FROM reason WHERE batch_id = %s AND kind = ''policy'' ORDER BY 1, 2, 3', :dirty_batch_id), $$
  SELECT * FROM (VALUES (3, 'source_key', '23502'), (4, 'customer_key', '23502'), (5, 'customer_key', '23503'), (6, 'customer_key', '23503'), (7, 'product_code', '23503'),
    (8, 'channel_code', '23503'), (9, 'servicer_code', '23503'), (10, 'book', '22P02'), (11, 'sector_line', '22P02'), (12, 'issued_on', '22008'),
    (13, 'issued_on', '23502'), (14, 'issued_on', '23514'), (15, 'term_months', '22003'), (16, 'term_months', '22P02'), (17, 'matures_on', '23514'),
    (18, 'matures_on', '22008'), (19, 'payment', '22P02'), (20, 'payment', '23502'), (21, 'premium', '22P02'), (22, 'premium', '22003'),
    (23, 'premium', '22003'), (24, 'premium', '22003'), (25, 'premium', '22003'), (26, 'premium', '22003'), (27, 'premium', '23502'),
    (28, 'payments', '22003'), (29, 'payments', '22003'), (30, 'payments', '23514'), (31, 'premium', '22P02'), (31, 'sum_insured', '22003'),
    (32, 'customer_key', '23503'), (32, 'product_code', '23503'), (32, 'channel_code', '23503'), (32, 'servicer_code', '23503'), (32, 'book', '22P02'),
    (32, 'sector_line', '22P02'), (32, 'issued_on', '22007'), (32, 'term_months', '22P02'), (32, 'matures_on', '22007'), (32, 'payment', '22P02'),
    (32, 'premium', '22P02'), (32, 'payments', '22P02'), (32, 'sum_insured', '22P02')) v (r, c, e) ORDER BY 1, 2, 3$$,
  'each fault of a policy is told');
SELECT results_eq(format('SELECT row_no, column_name, code FROM reason WHERE batch_id = %s AND kind = ''insured'' ORDER BY 1, 2', :dirty_batch_id), $$VALUES
  (5, 'policy_key', '23503'), (6, 'policy_key', '23503'), (7, 'customer_key', '23503'), (8, 'customer_key', '23514'), (9, 'customer_key', '23502'), (9, 'policy_key', '23502')$$,
  'each fault of an insured person is told');
SELECT results_eq(format('SELECT row_no, column_name, code FROM reason WHERE batch_id = %s AND kind = ''event'' ORDER BY 1, 2', :dirty_batch_id), $$VALUES
  (6, 'policy_key', '23503'), (7, 'kind', '22P02'), (8, 'on_date', '22008'), (9, 'reason', '23502'), (10, 'reason', '23514'), (11, 'reason', '22P02'),
  (12, 'on_date', '23514'), (13, 'on_date', '23514'), (14, 'kind', '23502'), (14, 'on_date', '23502'), (14, 'policy_key', '23502'),
  (15, 'policy_key', '23505'), (16, 'policy_key', '23505')$$,
  'each fault of an event is told');
SELECT results_eq(format('SELECT * FROM sums WHERE batch_id = %s ORDER BY kind', :dirty_batch_id),
                  format('VALUES (%1$s::bigint, ''event'', 16, 4, 0, 1, 11), (%1$s, ''insured'', 9, 3, 0, 1, 5), (%1$s, ''policy'', 33, 3, 0, 0, 30)', :dirty_batch_id),
                  'the sums of policies, insured persons and events');
SELECT set_eq('SELECT * FROM book_policy', $$VALUES
  ('core', 'P1', 'C1', 'LIFE', 'individual', 'S1', 'own', false, '2005-06-07', NULL::integer, NULL, 'yearly', 1000.50, 20, NULL::numeric),
  ('core', 'P2', 'C2', 'TERM', 'group', NULL, 'legacy', true, '2006-01-01', 12, '2007-01-01', 'single', 1000.00, 1, 100000.00),
  ('core', 'F31', 'C1', 'LIFE', 'individual', NULL, 'own', false, '2005-06-07', NULL, NULL, 'yearly', 1000.00, NULL, NULL)$$, 'the good policies are in the book');
SELECT set_eq($$SELECT pk.source_key AS policy, ck.source_key AS insured FROM crm.policy_insured n JOIN crm.policy_key pk USING (customer_id, policy_id) JOIN crm.customer_key ck ON ck.customer_id = n.insured_id$$,
              $$VALUES ('P1', 'C3'), ('P2', 'C3'), ('P2', 'C1')$$, 'so are the insured persons');
SELECT results_eq($$SELECT pk.source_key, e.kind, e.on_date::text, e.reason FROM crm.policy_event e JOIN crm.policy_key pk USING (customer_id, policy_id) ORDER BY e.id$$,
                  $$VALUES ('P1', 'lapse', '2010-01-01', NULL), ('P1', 'reinstatement', '2010-03-01', NULL), ('P1', 'end', '2015-01-01', 'surrender'), ('P2', 'end', '2007-01-01', 'maturity')$$,
                  'and the events, in the order of their rows');

-- the same again, and changes -------------------------------------------------

COPY crm.import_customer (source_system, source_key, kind, name, resident_id, birth_date, sex, org_code, channel_code, known_from) FROM stdin CSV;
core,C1,person,Ann,11010519491231002x,1949-12-31,female,B1,individual,2001-01-01
 ,C2,company,Acme Ltd,,,,HQ,group,2001-01-01
,C3,person,王五,,1980-02-29,male,B1,individual,2001-01-01
\.
COPY crm.import_policy (source_key, customer_key, product_code, channel_code, servicer_code, book, sector_line, issued_on, term_months, matures_on, payment, premium, payments, sum_insured) FROM stdin CSV;
P1,C1,LIFE,individual,S1,own,no,2005-06-07,,,yearly,1000.50,20,
P2,C2,TERM,group,,legacy,1,2006-01-01,12,2007-01-01,single,1000,01,100000.00
\.
COPY crm.import_insured (policy_key, customer_key) FROM stdin CSV;
P1,C3
\.
COPY crm.import_event (policy_key, kind, on_date, reason) FROM stdin CSV;
P1,end,2015-01-01,surrender
\.
SET LOCAL DateStyle = 'SQL, DMY';
CALL crm.import('core') \gset same_
RESET DateStyle;
SELECT results_eq(format('SELECT read::integer, accepted::integer, unchanged::integer, rejected::integer FROM crm.import_batch WHERE id = %s', :same_batch_id),
                  'VALUES (7, 0, 7, 0)', 'the same data written another way, under another DateStyle, change nothing');

CREATE TEMP TABLE change (kind text, row jsonb);
INSERT INTO change VALUES
  ('customer', '{"kind": "company", "birth_date": null, "sex": null}'), ('customer', '{"name": "Wang Wu"}'), ('customer', '{"resident_id": "11010519491231002X", "birth_date": null, "sex": null}'),
  ('customer', '{"birth_date": "1980-03-01"}'), ('customer', '{"sex": "female"}'), ('customer', '{"org_code": "B2"}'), ('customer', '{"channel_code": "telesales"}'), ('customer', '{"known_from": "2001-01-02"}'),
  ('policy', '{"product_code": "TERM"}'), ('policy', '{"channel_code": "group"}'), ('policy', '{"servicer_code": null}'), ('policy', '{"book": "legacy"}'), ('policy', '{"sector_line": "t"}'),
  ('policy', '{"issued_on": "2005-06-08"}'), ('policy', '{"term_months": "240"}'), ('policy', '{"matures_on": "2055-06-07"}'), ('policy', '{"payment": "monthly"}'),
  ('policy', '{"premium": "0"}'), ('policy', '{"payments": null}'), ('policy', '{"sum_insured": "1"}'), ('policy', '{"customer_key": "C3"}');
CREATE FUNCTION pg_temp.change_one(kind text, change jsonb) RETURNS text LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  base jsonb := CASE kind WHEN 'customer' THEN '{"source_key": "C3", "kind": "person", "name": "王五", "birth_date": "1980-02-29", "sex": "male", "org_code": "B1", "channel_code": "individual", "known_from": "2001-01-01"}'
    ELSE '{"source_key": "P1", "customer_key": "C1", "product_code": "LIFE", "channel_code": "individual", "servicer_code": "S1", "issued_on": "2005-06-07", "payment": "yearly", "premium": "1000.50", "payments": "20"}' END::jsonb;
  b bigint;
  given jsonb;
  held jsonb;
  result text := '';
BEGIN
  FOREACH given IN ARRAY ARRAY[base || change, base || change, base] LOOP
    IF kind = 'customer' THEN
      INSERT INTO crm.import_customer SELECT nextval('crm.import_customer_row_no_seq'), r.source_system, r.source_key, r.kind, r.name, r.resident_id, r.birth_date, r.sex, r.org_code, r.org_from, r.channel_code, r.known_from
      FROM jsonb_populate_record(NULL::crm.import_customer, given) r;
    ELSE
      INSERT INTO crm.import_policy SELECT (jsonb_populate_record(NULL::crm.import_policy, given || jsonb_build_object('row_no', nextval('crm.import_policy_row_no_seq')))).*;
    END IF;
    b := NULL;
    CALL crm.import('core', b);
    SELECT result || format('%s/%s/%s/%s ', read, accepted, unchanged, rejected) INTO result FROM crm.import_batch WHERE id = b;
    EXECUTE format('SELECT jsonb_strip_nulls(to_jsonb(v)) FROM book_%s v WHERE v.source_key = $1', kind) INTO held USING given ->> 'source_key';
    SELECT result || coalesce(string_agg(format('%s: %s, not %s ', k, held ->> k, v), '' ORDER BY k), '') INTO result
    FROM jsonb_each_text(given) g (k, v) WHERE v IS NOT NULL AND CASE WHEN k = 'sector_line' THEN (held ->> k)::boolean <> v::boolean WHEN k = 'premium' THEN (held ->> k)::numeric <> v::numeric
      WHEN k = 'sum_insured' THEN (held ->> k)::numeric <> v::numeric ELSE held ->> k IS DISTINCT FROM v END;
  END LOOP;
  RETURN result;
END
$$;
ALTER TABLE crm.import_customer ALTER row_no SET GENERATED BY DEFAULT;
ALTER TABLE crm.import_policy ALTER row_no SET GENERATED BY DEFAULT;
SELECT is(pg_temp.change_one(c.kind, c.row), '1/1/0/0 1/0/1/0 1/1/0/0 ', format('change of a %s %s: updated, then unchanged, then back', c.kind, c.row)) FROM change c;
SELECT set_eq($$SELECT pk.source_key AS policy, ck.source_key AS insured FROM crm.policy_insured n JOIN crm.policy_key pk USING (customer_id, policy_id) JOIN crm.customer_key ck ON ck.customer_id = n.insured_id$$,
              $$VALUES ('P1', 'C3'), ('P2', 'C3'), ('P2', 'C1')$$, 'insured persons follow their policy to another policyholder and back');

COPY crm.import_policy (source_key, customer_key, product_code, channel_code, issued_on, payment, premium) FROM stdin CSV;
P1,C1,LIFE,individual,2010-01-02,yearly,1000
\.
COPY crm.import_event (policy_key, kind, on_date, reason) FROM stdin CSV;
P1,end,2015-01-01,death
\.
CALL crm.import('core') \gset late_
SELECT results_eq(format('SELECT row_no, column_name, code FROM reason WHERE batch_id = %s', :late_batch_id), $$VALUES (1, 'issued_on', '23514')$$, 'an issue after an event is refused');
SELECT results_eq($$SELECT reason FROM crm.policy_event WHERE on_date = '2015-01-01'$$, $$VALUES ('death')$$, 'the reason of an event is corrected');

-- units are dated ---------------------------------------------------------------

CREATE FUNCTION pg_temp.move(org text, day text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  b bigint;
BEGIN
  INSERT INTO crm.import_customer (source_key, kind, name, org_code, org_from, channel_code, known_from) VALUES ('M', 'person', 'Mover', org, day, 'individual', '2001-01-01');
  CALL crm.import('core', b);
  RETURN (SELECT format('%s/%s/%s', accepted, unchanged, rejected) FROM crm.import_batch WHERE id = b)
    || (SELECT ' ' || o.code FROM crm.customer c JOIN crm.customer_key k ON k.customer_id = c.id JOIN crm.organisation o ON o.id = c.org_id WHERE k.source_key = 'M')
    || coalesce((SELECT string_agg(format(', %s from %s', o.code, m.from_date), '' ORDER BY m.from_date)
                 FROM crm.customer_organisation m JOIN crm.customer_key k USING (customer_id) JOIN crm.organisation o ON o.id = m.org_id WHERE k.source_key = 'M'), '');
END
$$;
SELECT is(pg_temp.move('HQ', NULL), '1/0/0 HQ', 'a new customer belongs to the unit from the beginning');
SELECT is(pg_temp.move('B1', NULL), '1/0/0 B1', 'another unit without a day corrects the beginning');
SELECT is(pg_temp.move('B2', '2010-01-01'), '1/0/0 B1, B2 from 2010-01-01', 'another unit from a day is a move');
SELECT is(pg_temp.move('B2', '2010-01-01'), '0/1/0 B1, B2 from 2010-01-01', 'told again, nothing');
SELECT is(pg_temp.move('B2', '2011-01-01'), '0/1/0 B1, B2 from 2010-01-01', 'the unit of that day, nothing');
SELECT is(pg_temp.move('B2', NULL), '0/1/0 B1, B2 from 2010-01-01', 'the present unit without a day, nothing');
SELECT is(pg_temp.move('HQ', NULL), '0/0/1 B1, B2 from 2010-01-01', 'after a move another unit needs a day');
SELECT is(pg_temp.move('HQ', '2010-01-01'), '1/0/0 B1, HQ from 2010-01-01', 'the same day corrects the move');
SELECT is(pg_temp.move('B2', '2005-01-01'), '1/0/0 B1, B2 from 2005-01-01, HQ from 2010-01-01', 'an earlier move is filled in');
SELECT is(pg_temp.move('B2', '2006-01-01'), '0/1/0 B1, B2 from 2005-01-01, HQ from 2010-01-01', 'the unit of a day between two moves, nothing');

-- correction and resubmission ---------------------------------------------------

COPY crm.import_customer (source_key, kind, name, birth_date, org_code, channel_code, known_from) FROM stdin CSV;
R1,person,Wrong birth,1981-02-29,B1,individual,2001-01-01
R2,person,Unit to come,,B7,individual,2001-01-01
R3,person,Stays wrong,,B8,individual,2001-01-01
\.
COPY crm.import_policy (source_key, customer_key, product_code, channel_code, issued_on, payment, premium) FROM stdin CSV;
R1,R1,LIFE,individual,2010-01-02,yearly,1000
R2,R2,LIFE,individual,2010-01-02,yearly,1000
\.
CALL crm.import('core') \gset first_
SELECT is((SELECT array[read, rejected]::integer[] FROM crm.import_batch WHERE id = :first_batch_id), '{5,5}', 'all refused, with the policies of refused customers');
SELECT throws_ok(format($$UPDATE crm.import_reject SET correction = '{"brith_date": "1981-02-28"}' WHERE batch_id = %s AND kind = 'customer' AND row_no = 1$$, :first_batch_id),
                 '42703', NULL, 'a correction of a column that is not there is refused');
SELECT throws_ok(format($$UPDATE crm.import_reject SET correction = '["birth_date"]' WHERE batch_id = %s AND kind = 'customer' AND row_no = 1$$, :first_batch_id),
                 '23514', NULL, 'so is one that is no object');
UPDATE crm.import_reject SET correction = '{"birth_date": "1981-02-28"}' WHERE batch_id = :first_batch_id AND kind = 'customer' AND row_no = 1;
SELECT is(crm.resubmit_import(:first_batch_id, corrected_only => true), 1::bigint, 'the corrected row goes back');
INSERT INTO crm.organisation (code, name) VALUES ('B7', 'Branch 7');
SELECT is(crm.resubmit_import(:first_batch_id), 4::bigint, 'then the others');
SELECT is(crm.resubmit_import(:first_batch_id), 0::bigint, 'each once');
CALL crm.import('core') \gset second_
SELECT results_eq(format('SELECT kind, read, inserted, updated, unchanged, rejected FROM sums WHERE batch_id = %s AND read > 0 ORDER BY kind', :second_batch_id),
                  $$VALUES ('customer', 3, 2, 0, 0, 1), ('policy', 2, 2, 0, 0, 0)$$, 'what was mended is accepted, the rest refused again');
SELECT is((SELECT birth_date FROM book_customer WHERE source_key = 'R1'), '1981-02-28', 'with the correction');
SELECT is((SELECT data ->> 'birth_date' FROM crm.import_reject WHERE batch_id = :first_batch_id AND kind = 'customer' AND row_no = 1), '1981-02-29', 'the row as it came is kept');
SELECT throws_ok('SELECT crm.resubmit_import(-1)', '22023', NULL, 'there must be such a batch');

-- source systems ------------------------------------------------------------------

INSERT INTO crm.import_customer (source_system, source_key, kind, name, org_code, channel_code, known_from) VALUES
  ('other', 'C1', 'person', 'Another Ann', 'B1', 'individual', '2001-01-01'), ('core', 'N1', 'person', 'New', 'B1', 'individual', '2001-01-01');
CALL crm.import('core') \gset core_
SELECT is((SELECT array[read, accepted]::integer[] FROM crm.import_batch WHERE id = :core_batch_id), '{1,1}', 'rows of another system wait');
SELECT results_eq('SELECT source_system FROM crm.import_customer', $$VALUES ('other')$$, 'for their own import');
CALL crm.import(' other ') \gset other_
SELECT results_eq($$SELECT source_system, name FROM book_customer WHERE source_key = 'C1' ORDER BY 1$$, $$VALUES ('core', 'Ann'), ('other', 'Another Ann')$$, 'keys are apart by system');
SELECT throws_ok('CALL crm.import(NULL)', '22023', NULL, 'the system must be named');
SELECT throws_ok($$CALL crm.import(' ')$$, '22023', NULL, 'blank is no name');
CALL crm.import('core') \gset none_
SELECT is((SELECT read FROM crm.import_batch WHERE id = :none_batch_id), 0::bigint, 'nothing waiting is an empty batch');

-- constraints and triggers that the database owner added -----------------------------

ALTER TABLE crm.customer ADD CONSTRAINT house_rule CHECK (name NOT LIKE 'Bad%');
CREATE FUNCTION pg_temp.house_trigger() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.name = 'Unwanted' THEN
    RAISE EXCEPTION 'we do not want "%"', NEW.name;
  ELSIF NEW.name = 'Dropped' THEN
    RETURN NULL;
  END IF;
  RETURN NEW;
END
$$;
CREATE TRIGGER house BEFORE INSERT OR UPDATE ON crm.customer FOR EACH ROW EXECUTE FUNCTION pg_temp.house_trigger();
INSERT INTO crm.import_customer (source_key, kind, name, org_code, channel_code, known_from)
SELECT 'H' || i, 'person', CASE i WHEN 3 THEN 'Bad luck' WHEN 7 THEN 'Unwanted' WHEN 9 THEN 'Dropped' WHEN 10 THEN 'Bad end' ELSE 'Good' END, 'B1', 'individual', '2001-01-01'
FROM generate_series(1, 10) i;
INSERT INTO crm.import_customer (source_key, kind, name, org_code, channel_code, known_from) VALUES ('H3', 'person', 'Bad luck', 'B1', 'individual', '2001-01-01'), ('N1', 'person', 'Dropped', 'B1', 'individual', '2001-01-01');
INSERT INTO crm.import_policy (source_key, customer_key, product_code, channel_code, issued_on, payment, premium)
SELECT 'H' || i, 'H' || i, 'LIFE', 'individual', '2010-01-01', 'yearly', '100' FROM generate_series(1, 10) i;
INSERT INTO crm.import_insured (policy_key, customer_key) VALUES ('H3', 'H1'), ('H1', 'H3'), ('H1', 'H2');
INSERT INTO crm.import_event (policy_key, kind, on_date) VALUES ('H1', 'lapse', '2011-01-01'), ('H7', 'lapse', '2011-01-01');
CALL crm.import('core') \gset house_
SELECT results_eq(format('SELECT kind, read, inserted, updated, unchanged, rejected FROM sums WHERE batch_id = %s ORDER BY kind', :house_batch_id),
                  $$VALUES ('customer', 12, 6, 0, 0, 6), ('event', 2, 1, 0, 0, 1), ('insured', 3, 1, 0, 0, 2), ('policy', 10, 6, 0, 0, 4)$$,
                  'what a constraint or trigger of the house refuses is rejected, with what depends on it, and stops nothing else');
SELECT results_eq(format('SELECT row_no, code FROM reason WHERE batch_id = %s AND kind = ''customer'' ORDER BY 1', :house_batch_id),
                  $$VALUES (3, '23514'), (7, 'P0001'), (9, '23503'), (10, '23514'), (11, '23514'), (12, '23000')$$, 'with the code');
SELECT results_eq(format('SELECT kind, row_no::integer, column_name, message FROM crm.import_reason WHERE batch_id = %s AND kind <> ''customer'' ORDER BY 1, 2, 3', :house_batch_id), $$VALUES
  ('event', 2, 'policy_key', 'follows a refused policy'),
  ('insured', 1, 'policy_key', 'follows a refused policy'), ('insured', 2, 'customer_key', 'follows a refused customer'),
  ('policy', 3, 'customer_key', 'follows a refused customer'), ('policy', 7, 'customer_key', 'follows a refused customer'),
  ('policy', 9, 'customer_key', 'follows a refused customer'), ('policy', 10, 'customer_key', 'follows a refused customer')$$, 'and what depends on it says so');
SELECT is((SELECT name FROM book_customer WHERE source_key = 'N1'), 'New', 'a refused change leaves the customer as it was');
DROP TRIGGER house ON crm.customer;
ALTER TABLE crm.customer DROP CONSTRAINT house_rule;

-- random files against a computation on their text ------------------------------------

SELECT set_config('crm_test.seed', coalesce(nullif(current_setting('crm_test.seed', true), ''), round(random()::numeric, 6)::text), true);
SELECT diag('seed of the random files (crm_test.seed): ' || current_setting('crm_test.seed'));
SELECT setseed(current_setting('crm_test.seed')::double precision);
CREATE TEMP TABLE file (round integer, row_no integer, source_key text, kind text, name text, birth_date text, org_code text, channel_code text, known_from text, fault text, code text);
INSERT INTO file
SELECT r, row_number() OVER (PARTITION BY r ORDER BY i), CASE WHEN f = 1 THEN '' ELSE 'Z' || i END, CASE WHEN f = 2 THEN 'people' ELSE 'person' END,
       CASE WHEN f = 3 THEN ' ' ELSE 'Name ' || i % 7 + CASE WHEN random() < 0.3 THEN r ELSE 0 END END,
       CASE f WHEN 4 THEN '1970-04-31' WHEN 5 THEN '70-04-30' WHEN 6 THEN '1700-01-01' WHEN 7 THEN '2020-01-01' ELSE (date '1900-02-27' + floor(random() * 3)::integer + i)::text END,
       CASE WHEN f = 8 THEN '?' WHEN random() < 0.1 THEN 'B' || r ELSE 'HQ' END, CASE WHEN f = 9 THEN NULL ELSE 'individual' END,
       CASE WHEN f = 10 THEN '2010' ELSE '2010-01-01' END,
       (array['source_key', 'kind', 'name', 'birth_date', 'birth_date', 'birth_date', 'known_from', 'org_code', 'channel_code', 'known_from'])[f],
       (array['23502', '22P02', '23502', '22008', '22007', '22008', '23514', '23503', '23502', '22007'])[f]
FROM (SELECT r, i, floor(random() * 30)::integer AS f FROM generate_series(1, 2) r, generate_series(1, 2000) i WHERE random() < 0.9 OFFSET 0) x;
CREATE TEMP TABLE batch (round integer, id bigint);
DO $$
DECLARE
  b bigint;
BEGIN
  FOR r IN 1 .. 2 LOOP
    b := NULL;
    INSERT INTO crm.import_customer (source_key, kind, name, birth_date, org_code, channel_code, known_from)
    SELECT source_key, kind, name, birth_date, org_code, channel_code, known_from FROM file WHERE round = r ORDER BY row_no;
    CALL crm.import('random', b);
    INSERT INTO batch VALUES (r, b);
  END LOOP;
END
$$;
SELECT set_eq('SELECT b.round, r.row_no, r.column_name, r.code FROM reason r JOIN batch b ON b.id = r.batch_id',
              'SELECT round, row_no, fault, code FROM file WHERE fault IS NOT NULL', 'exactly the faults put in are told');
SELECT results_eq('SELECT b.round, s.read, s.inserted, s.updated, s.unchanged, s.rejected FROM sums s JOIN batch b ON b.id = s.batch_id WHERE s.kind = ''customer'' ORDER BY 1', $$
  SELECT n.round, count(*)::integer, count(*) FILTER (WHERE n.fault IS NULL AND o.round IS NULL)::integer,
         count(*) FILTER (WHERE n.fault IS NULL AND (n.name, n.birth_date, n.org_code) <> (o.name, o.birth_date, o.org_code))::integer,
         count(*) FILTER (WHERE n.fault IS NULL AND (n.name, n.birth_date, n.org_code) = (o.name, o.birth_date, o.org_code))::integer,
         count(*) FILTER (WHERE n.fault IS NOT NULL)::integer
  FROM file n LEFT JOIN file o ON o.source_key = n.source_key AND o.round = 1 AND n.round = 2 AND o.fault IS NULL GROUP BY 1 ORDER BY 1$$,
  'new, changed, unchanged and refused rows are counted right');
SELECT set_eq($$SELECT source_key, name, birth_date, org_code FROM book_customer WHERE source_system = 'random'$$,
              'SELECT DISTINCT ON (source_key) source_key, name, birth_date, org_code FROM file WHERE fault IS NULL ORDER BY source_key, round DESC',
              'the book holds the last good row of each key');

-- costs, commissions and what customers are classified by -----------------------------------

INSERT INTO crm.import_channel (code, name, kind) VALUES ('postbank', 'Post bank', 'bancassurance'), ('web', 'Web', NULL), ('individual', 'Agents', NULL), ('kiosk', 'Kiosk', 'shop');
INSERT INTO crm.import_prospect_source (code, name, name_zh, kind) VALUES ('bazaar', 'bazaar', '集市', 'activity'), ('painting_contest', 'painting contest', '绘画比赛', NULL);
INSERT INTO crm.import_cost_kind (code, purpose, name, name_zh) VALUES ('parking', 'selling', 'parking', '停车'), ('bribe', 'joy', 'bribe', '贿赂');
INSERT INTO crm.import_customer (source_key, kind, name, org_code, channel_code, known_from) VALUES ('Q1', 'person', 'Quinn', 'B1', 'web', '2001-01-01'), ('Q2', 'person', 'Quentin', 'B1', 'web', '2001-01-01');
INSERT INTO crm.import_policy (source_key, customer_key, product_code, channel_code, issued_on, payment, premium) VALUES ('QP', 'Q1', 'LIFE', 'web', '2020-01-01', 'yearly', '100');
INSERT INTO crm.import_customer_cost (source_key, customer_key, policy_key, kind, incurred_on, amount) VALUES
  ('1', 'Q1', 'QP', 'parking', '2020-01-02', '12.50'), ('2', 'Q1', NULL, 'visit', '2020-01-03', '-2.5'), ('3', 'Q1', NULL, 'visit', '2020-01-03', '0'),
  ('4', 'Q2', 'QP', 'visit', '2020-01-03', '1'), ('5', 'Q1', NULL, 'bribe', '2020-01-03', '1'), ('6', 'Q1', NULL, 'visit', '2020-01-03', '-1.234');
INSERT INTO crm.import_commission (source_key, policy_key, kind, staff_code, earned_on, amount) VALUES
  ('1', 'QP', 'first_year', 'S1', '2020-01-02', '20'), ('2', 'QP', 'clawback', 'S1', '2020-03-02', '-20'), ('3', 'QP', 'clawback', 'S1', '2020-03-02', '20'), ('4', 'QP', 'bonus', 'S9', '2020-03-02', 'ten');
CALL crm.import('cost') \gset cost_
SELECT set_eq(format('SELECT kind, row_no, column_name, code FROM reason WHERE batch_id = %s', :cost_batch_id),
              $$VALUES ('channel', 4, 'kind', '22P02'), ('cost_kind', 2, 'purpose', '22P02'), ('customer_cost', 3, 'amount', '22003'), ('customer_cost', 4, 'policy_key', '23514'), ('customer_cost', 5, 'kind', '23503'),
                       ('customer_cost', 6, 'amount', '22003'), ('commission', 3, 'amount', '23514'), ('commission', 4, 'staff_code', '23503'), ('commission', 4, 'amount', '22P02')$$, 'every fault of costs and codes');
SELECT set_eq($$SELECT k.source_key, c.kind, c.policy_id IS NOT NULL, c.amount FROM crm.customer_cost c JOIN crm.customer_cost_key k ON (k.customer_id, k.customer_cost_id) = (c.customer_id, c.id)$$,
              $$VALUES ('1', 'parking', true, 12.50), ('2', 'visit', false, -2.50)$$, 'costs may be taken back');
SELECT set_eq('SELECT c.kind, c.amount FROM crm.commission c', $$VALUES ('first_year', 20.00), ('clawback', -20.00)$$, 'and commissions');
SELECT set_eq($$SELECT code, kind FROM crm.channel WHERE code IN ('postbank', 'web', 'individual')$$, $$VALUES ('postbank', 'bancassurance'), ('web', 'other'), ('individual', 'individual')$$, 'the kind of a channel comes with it, and stays where the file has none');
SELECT set_eq($$SELECT code, kind FROM crm.prospect_source WHERE code IN ('bazaar', 'painting_contest')$$, $$VALUES ('bazaar', 'activity'), ('painting_contest', 'activity')$$, 'so does that of a source of prospects');

-- at the end ---------------------------------------------------------------------------

SELECT is_empty('SELECT * FROM crm.import_batch WHERE read <> accepted + unchanged + rejected OR finished_at IS NULL', 'read = accepted + unchanged + rejected in every batch');
SELECT is_empty($$SELECT b.id FROM crm.import_batch b LEFT JOIN crm.import_batch_kind k ON k.batch_id = b.id
                  GROUP BY b.id HAVING (b.read, b.accepted, b.unchanged, b.rejected) IS DISTINCT FROM (coalesce(sum(k.read), 0), coalesce(sum(k.inserted + k.updated), 0), coalesce(sum(k.unchanged), 0), coalesce(sum(k.rejected), 0))$$,
                'and the kinds add up to it');
SELECT is_empty($$SELECT b.batch_id, b.kind FROM crm.import_batch_kind b
                  WHERE b.rejected <> (SELECT count(*) FROM crm.import_reject j WHERE (j.batch_id, j.kind) = (b.batch_id, b.kind))
                     OR b.rejected <> (SELECT count(DISTINCT r.row_no) FROM crm.import_reason r WHERE (r.batch_id, r.kind) = (b.batch_id, b.kind))$$,
                'every refused row is kept and has a reason');
SELECT is_empty($$SELECT relname FROM pg_class WHERE relname LIKE 'crm\_import\_%'$$, 'no working table is left');

CREATE ROLE crm_test_clerk;
GRANT INSERT ON crm.import_customer TO crm_test_clerk;
SET LOCAL ROLE crm_test_clerk;
INSERT INTO crm.import_customer (source_key, kind, name, org_code, channel_code, known_from) VALUES ('K1', 'person', 'By a clerk', 'B1', 'individual', '2001-01-01');
SELECT throws_ok($$CALL crm.import('clerk')$$, '42501', NULL, 'import is not for everybody');
SELECT throws_ok('SELECT crm.resubmit_import(1)', '42501', NULL, 'nor is resubmission');
RESET ROLE;
GRANT EXECUTE ON PROCEDURE crm.import(text, bigint) TO crm_test_clerk;
SET LOCAL ROLE crm_test_clerk;
CREATE TEMP TABLE crm_import_fault (kind text);
SELECT throws_ok($$CALL crm.import('clerk')$$, '42P07', NULL, 'working tables that the caller made are not used');
DROP TABLE crm_import_fault;
SELECT lives_ok($$CALL crm.import('clerk')$$, 'with the right to call it, nothing else is needed');
RESET ROLE;
SELECT is((SELECT name FROM book_customer WHERE source_system = 'clerk'), 'By a clerk', 'the clerk''s row is in the book');

RESET ROLE;
SELECT crm.post();
SELECT is_empty('SELECT * FROM crm.check()', 'what must hold holds');
SELECT * FROM finish();
ROLLBACK;
