-- Import of a dirty file of 10,000 rows of every kind: what was planted, by kind of error, against what is told; nothing lost.
BEGIN;
SET LOCAL client_min_messages = warning;
SELECT no_plan();
SELECT setseed(0.4);

INSERT INTO crm.organisation (code, name) SELECT 'B' || i, 'Branch ' || i FROM generate_series(0, 4) i;
INSERT INTO crm.product (code, name) VALUES ('LIFE', 'Whole life');
INSERT INTO crm.staff (code, name, org_id, channel_id, joined_on)
SELECT 'S1', 'Agent 1', o.id, c.id, '2000-01-01' FROM crm.organisation o, crm.channel c WHERE o.code = 'B1' AND c.code = 'individual';

-- good rows: {i} is the number of the row, {c} of a good customer, {n} and {m} of its neighbours
CREATE TEMP TABLE base (kind text, rows integer, row text);
INSERT INTO base VALUES
  ('organisation', 100, '{"code": "U{i}", "parent_code": "B1", "name": "Unit {i}"}'),
  ('partner', 50, '{"code": "PA{i}", "name": "Partner {i}", "kind": "bank", "from_date": "2020-01-01", "contact_mobile": "13800138000"}'),
  ('customer', 3000, '{"source_key": "C{i}", "kind": "person", "name": "Customer {i}", "birth_date": "1950-01-01", "sex": "male", "org_code": "B1", "channel_code": "individual", "known_from": "2010-01-01"}'),
  ('profile', 300, '{"customer_key": "C{i}", "industry": "mining", "children": "2"}'),
  ('contact_point', 1700, '{"source_key": "T{i}", "customer_key": "C{c}", "kind": "email", "value": "c{i}@example.com"}'),
  ('consent', 200, '{"source_key": "N{i}", "customer_key": "C{c}", "purpose": "marketing", "state": "given", "on_date": "2020-01-01", "source": "form"}'),
  ('do_not_contact', 50, '{"source_key": "N{i}", "customer_key": "C{c}", "from_date": "2020-01-01", "source": "call"}'),
  ('relation', 500, '{"source_key": "R{i}", "customer_key": "C{n}", "kind": "parent", "other_key": "C{m}"}'),
  ('household', 100, '{"source_key": "H{i}", "name": "Household {i}"}'),
  ('household_member', 100, '{"customer_key": "C{i}", "from_date": "2020-01-01", "household_key": "H{i}", "role": "head"}'),
  ('blacklist', 100, '{"source_key": "X{i}", "customer_key": "C{i}", "reason": "fraud found", "from_date": "2020-01-01"}'),
  ('asset', 200, '{"source_key": "A{i}", "customer_key": "C{i}", "kind": "vehicle", "source": "visit"}'),
  ('debt', 100, '{"source_key": "E{i}", "customer_key": "C{i}", "kind": "car_loan", "asset_key": "A{i}", "amount": "100", "stated_on": "2020-01-01", "source": "visit"}'),
  ('cover_elsewhere', 50, '{"source_key": "V{i}", "customer_key": "C{c}", "kind": "life", "source": "visit"}'),
  ('product_holding', 150, '{"source_key": "G{i}", "customer_key": "C{c}", "category_code": "finance.savings.current", "opened_on": "2020-01-01"}'),
  ('product_balance', 150, '{"holding_key": "G{i}", "from_date": "2020-01-01", "balance": "10.50"}'),
  ('need', 50, '{"source_key": "W{i}", "customer_key": "C{c}", "what": "a pension", "noted_on": "2020-01-01", "source": "call"}'),
  ('partner_action', 50, '{"source_key": "Y{i}", "partner_code": "PA{i}", "kind": "fair", "name": "Fair", "from_date": "2020-01-01", "to_date": "2020-01-02"}'),
  ('prospect', 150, '{"source_key": "O{i}", "customer_key": "C{i}", "source": "web", "entered_on": "2020-01-01"}'),
  ('appointment', 100, '{"source_key": "Z{i}", "customer_key": "C{i}", "prospect_key": "O{i}", "staff_code": "S1", "at": "2020-02-01 10:00:00"}'),
  ('policy', 1200, '{"source_key": "L{i}", "customer_key": "C{i}", "product_code": "LIFE", "channel_code": "individual", "issued_on": "2015-01-01", "term_months": "120", "matures_on": "2025-01-01", "payment": "yearly", "premium": "1000", "payments": "10"}'),
  ('insured', 300, '{"policy_key": "L{i}", "customer_key": "C{n}"}'),
  ('event', 150, '{"policy_key": "L{i}", "kind": "lapse", "on_date": "2018-01-01"}'),
  ('premium_due', 200, '{"policy_key": "L{i}", "number": "1", "due_on": "2015-01-01", "amount": "1000"}'),
  ('premium_receipt', 200, '{"source_key": "Q{i}", "policy_key": "L{i}", "number": "1", "received_on": "2015-01-05", "amount": "1000"}'),
  ('policy_claim', 100, '{"source_key": "M{i}", "policy_key": "L{i}", "insured_key": "C{i}", "kind": "accident", "occurred_on": "2018-01-01", "reported_on": "2018-01-05"}'),
  ('service_order', 100, '{"source_key": "J{i}", "policy_key": "L{i}", "kind": "reissue", "applicant": "policyholder", "applied_at": "2018-01-01 09:30"}'),
  ('service_order_step', 100, '{"order_key": "J{i}", "number": "1", "step": "intake", "staff_code": "S1", "started_at": "2018-01-01 09:30"}'),
  ('contact', 100, '{"source_key": "K{i}", "customer_key": "C{c}", "staff_code": "S1", "channel_code": "individual", "purpose": "sales", "at": "2020-01-01 09:30", "outcome": "reached"}');

-- errors: what is put into a good row, and what must be told of it, column and code; those that come late depend on good rows before them
CREATE TEMP TABLE error (id integer GENERATED ALWAYS AS IDENTITY, kind text, patch text, faults text, name text, late boolean DEFAULT false);
INSERT INTO error (kind, patch, faults, name) VALUES
  ('customer', '{"source_key": ""}', 'source_key 23502', 'no key'),
  ('customer', '{"kind": "persn"}', 'kind 22P02', 'wrong enum'),
  ('customer', '{"name": " \u3000"}', 'name 23502', 'blank name'),
  ('customer', '{"resident_id": "110105194912310021", "birth_date": "", "sex": ""}', 'resident_id 22P02', 'wrong check character'),
  ('customer', '{"birth_date": "1981-02-29"}', 'birth_date 22008', 'impossible date'),
  ('customer', '{"known_from": "2024/3/5"}', 'known_from 22007', 'date in another form'),
  ('customer', '{"birth_date": "2150-01-01", "known_from": "2151-01-01"}', 'birth_date 23514', 'future birth'),
  ('customer', '{"birth_date": "1700-01-01"}', 'birth_date 22008', 'birth too early'),
  ('customer', '{"org_code": "B9"}', 'org_code 23503', 'unknown unit'),
  ('customer', '{"channel_code": "pigeon"}', 'channel_code 23503', 'unknown channel'),
  ('customer', '{"name": "Bell\u0007"}', 'name 22021', 'control character'),
  ('customer', '{"name": "Lost \ufffd"}', 'name 22021', 'lost character'),
  ('customer', '{"name": "{long}"}', 'name 22001', 'text too long'),
  ('customer', '{"source_key": "{i}{long}"}', 'source_key 22001', 'key too long'),
  ('customer', '{"resident_id": "11010519491231002X", "birth_date": "1949-12-30", "sex": ""}', 'birth_date 23514', 'birth differs from the number'),
  ('customer', '{"resident_id": "11010519491231002X", "birth_date": "", "sex": "male"}', 'sex 23514', 'sex differs from the number'),
  ('customer', '{"kind": "company", "sex": ""}', 'birth_date 23514', 'company with a birth'),
  ('customer', '{"known_from": "1949-12-31"}', 'known_from 23514', 'known before birth'),
  ('customer', '{"source_key": "DUP{k}", "name": "Twin {i}"}', 'source_key 23505', 'key repeated with other content'),
  ('customer', '{"kind": "x", "name": "", "org_code": "?", "birth_date": "?"}', 'birth_date 22007,kind 22P02,name 23502,org_code 23503', 'several faults'),
  ('contact_point', '{"kind": "mobile", "value": "12345"}', 'value 22P02', 'wrong mobile number'),
  ('contact_point', '{"value": "a b@c"}', 'value 22P02', 'wrong e-mail address'),
  ('contact_point', '{"kind": "phone", "value": "none"}', 'value 22P02', 'telephone without digits'),
  ('contact_point', '{"customer_key": "NOBODY"}', 'customer_key 23503', 'unknown customer'),
  ('contact_point', '{"customer_key": "BAD{k}"}', 'customer_key 23503', 'follows a refused customer'),
  ('contact_point', '{"preferred": "maybe"}', 'preferred 22P02', 'wrong boolean'),
  ('contact_point', '{"rank": "0"}', 'rank 22003', 'rank below 1'),
  ('contact_point', '{"rank": "1.5"}', 'rank 22P02', 'no whole number'),
  ('contact_point', '{"valid_from": "2020-02-01", "valid_to": "2020-01-01"}', 'valid_to 23514', 'end before the beginning'),
  ('contact_point', '{"verified_on": "2020-01-01"}', 'verified_on 23514', 'half a verification'),
  ('consent', '{"purpose": "fun", "state": ""}', 'purpose 22P02,state 23502', 'consent to nothing'),
  ('do_not_contact', '{"to_date": "2019-01-01"}', 'to_date 23514', 'left alone until before'),
  ('profile', '{"customer_key": "C40{k}", "industry": "magic"}', 'industry 23503', 'unknown code'),
  ('profile', '{"customer_key": "C41{k}", "children": "31"}', 'children 22003', 'too many children'),
  ('profile', '{"customer_key": "FIRM", "education": "master"}', 'children 23514,education 23514', 'schooled company'),
  ('relation', '{"other_key": "C{n}"}', 'other_key 23514', 'related to oneself'),
  ('relation', '{"kind": "nemesis"}', 'kind 23503', 'unknown relation'),
  ('relation', '{"kind": "employer"}', 'kind 23514', 'relation of the wrong kinds'),
  ('household_member', '{"customer_key": "FIRM", "from_date": "2021-01-0{d}"}', 'customer_key 23514', 'company in a household'),
  ('household_member', '{"from_date": "2021-01-01", "household_key": "", "customer_key": "C9{k}"}', 'role 23514', 'role in no household'),
  ('blacklist', '{"to_date": "2021-01-01"}', 'end_reason 23514', 'end without reason'),
  ('asset', '{"value": "100"}', 'valued_on 23514', 'value without day'),
  ('asset', '{"value": "-1", "valued_on": "2020-01-01"}', 'value 22003', 'negative value'),
  ('debt', '{"asset_key": "A1"}', 'asset_key 23514', 'asset of another customer'),
  ('cover_elsewhere', '{"annual_premium": "1e20"}', 'annual_premium 22003', 'overflow with exponent'),
  ('product_holding', '{"category_code": "finance.lost"}', 'category_code 23503', 'unknown category'),
  ('product_holding', '{"matures_on": "2019-01-01"}', 'matures_on 23514', 'matures before opening'),
  ('product_balance', '{"from_date": "2019-01-0{d}", "holding_key": "G{k}"}', 'from_date 23514', 'balance before opening'),
  ('product_balance', '{"holding_key": "GONE", "from_date": "2021-01-0{d}"}', 'holding_key 23503', 'balance of nothing'),
  ('need', '{"what": ""}', 'what 23514', 'need of nothing'),
  ('partner', '{"contact_mobile": "99"}', 'contact_mobile 22P02', 'wrong mobile of a partner'),
  ('partner_action', '{"partner_code": "PA0"}', 'partner_code 23503', 'action of no partner'),
  ('prospect', '{"source": "merchant"}', 'partner_code 23502', 'source without its partner'),
  ('prospect', '{"introduced_by_key": "C{i}"}', 'introduced_by_key 23514', 'introduces oneself'),
  ('appointment', '{"prospect_key": "O1"}', 'prospect_key 23514', 'prospect of another customer'),
  ('appointment', '{"at": "2020-02-30 10:00:00"}', 'at 22008', 'impossible time'),
  ('policy', '{"premium": "-5"}', 'premium 22003', 'negative premium'),
  ('policy', '{"premium": "99999999999999"}', 'premium 22003', 'number overflow'),
  ('policy', '{"premium": "1,000"}', 'premium 22P02', 'number with separators'),
  ('policy', '{"premium": "NaN"}', 'premium 22003', 'no number'),
  ('policy', '{"product_code": "GONE"}', 'product_code 23503', 'unknown product'),
  ('policy', '{"matures_on": "2014-12-31"}', 'matures_on 23514', 'matures before issue'),
  ('policy', '{"issued_on": "1949-12-31"}', 'issued_on 23514', 'issued before birth'),
  ('policy', '{"payments": "1201"}', 'payments 22003', 'too many payments'),
  ('policy', '{"payment": "single"}', 'payments 23514', 'single premium paid often'),
  ('policy', '{"term_months": "99999999999"}', 'term_months 22003', 'whole number overflow'),
  ('policy', '{"customer_key": "BAD{k}"}', 'customer_key 23503', 'policy of a refused customer'),
  ('insured', '{"customer_key": "FIRM"}', 'customer_key 23514', 'insured company'),
  ('insured', '{"policy_key": "NONE{i}"}', 'policy_key 23503', 'insured by nothing'),
  ('event', '{"kind": "end"}', 'reason 23502', 'end without reason'),
  ('event', '{"on_date": "2014-01-01"}', 'on_date 23514', 'event before issue'),
  ('event', '{"on_date": "2026-01-01"}', 'on_date 23514', 'event after maturity'),
  ('premium_due', '{"number": "0"}', 'number 22003', 'payment number 0'),
  ('premium_due', '{"amount": "0", "number": "2"}', 'amount 22003', 'nothing due'),
  ('premium_receipt', '{"number": "7"}', 'number 23503', 'nothing is due'),
  ('premium_receipt', '{"reason": "mistake"}', 'reason 23514', 'reason without reversal'),
  ('premium_receipt', '{"source_key": "CIRCLE{i}", "reverses_key": "CIRCLE{i}", "reason": "x"}', 'reverses_key 23514', 'circle'),
  ('policy_claim', '{"reported_on": "2017-12-31"}', 'reported_on 23514', 'reported before it happened'),
  ('policy_claim', '{"paid_on": "2018-03-01", "paid_amount": "5"}', 'paid_on 23514', 'paid without decision'),
  ('policy_claim', '{"insured_key": "C2999"}', 'insured_key 23514', 'claim of a stranger'),
  ('service_order', '{"applied_at": "2018-01-01 25:00"}', 'applied_at 22008', 'hour 25'),
  ('service_order', '{"result": "refused", "ended_at": "2018-01-02 09:00"}', 'reason 23514', 'refused without reason'),
  ('service_order_step', '{"number": "2", "result": "passed"}', 'ended_at 23514', 'passed without end'),
  ('contact', '{"at": "2150-01-01 09:30"}', 'at 23514', 'future contact'),
  ('contact', '{"staff_code": "S9"}', 'staff_code 23503', 'unknown member of staff'),
  ('organisation', '{"code": "RING{i}", "parent_code": "RING{i}"}', 'parent_code 23514', 'unit below itself');
INSERT INTO error (kind, patch, faults, name, late) VALUES
  ('relation', '{"customer_key": "C{m}", "other_key": "C{n}"}', 'other_key 23514', 'circle of parents', true),
  ('relation', '{}', 'other_key 23505', 'same relation under another key', true),
  ('blacklist', '{}', 'from_date 23505', 'overlapping entries', true),
  ('premium_receipt', '{"reverses_key": "Q{k}", "policy_key": "L{k}", "amount": "999", "reason": "x"}', 'reverses_key 23514', 'reversal that does not fit', true);
SELECT cmp_ok((SELECT count(*)::integer FROM error), '>=', 30, 'at least 30 kinds of errors');

-- the file: the good rows, each error as often as {k} says, mixed; errors stand in rows with numbers of their own
CREATE TEMP TABLE file (kind text, row_no bigint, source text, error integer, row jsonb);
CREATE FUNCTION pg_temp.filled(template text, i integer, k integer) RETURNS jsonb LANGUAGE sql AS $$
  SELECT replace(replace(replace(replace(replace(replace(replace(template, '{i}', i::text), '{c}', (1 + i % 3000)::text), '{n}', (2 * (i % 1000) + 1)::text),
    '{m}', (2 * (i % 1000) + 2)::text), '{k}', k::text), '{d}', k::text), '{long}', repeat('x', 1001))::jsonb
$$;
INSERT INTO file (kind, row_no, error, row)
SELECT kind, row_number() OVER (PARTITION BY kind ORDER BY late, random()), error, row
FROM (
  SELECT b.kind, NULL::integer AS error, false AS late, pg_temp.filled(b.row, i, 0) AS row FROM base b, generate_series(1, b.rows) i
  UNION ALL
  SELECT b.kind, e.id, e.late, pg_temp.filled(b.row, CASE WHEN e.late THEN k WHEN b.kind = 'relation' THEN 500 + e.id % 10 * 10 + k ELSE b.rows + e.id * 5 + k END, k)
         || pg_temp.filled(e.patch, CASE WHEN e.late THEN k WHEN b.kind = 'relation' THEN 500 + e.id % 10 * 10 + k ELSE b.rows + e.id * 5 + k END, k)
         || CASE WHEN b.row LIKE '{"source_key"%' AND e.patch NOT LIKE '%"source_key"%' THEN jsonb_build_object('source_key', 'ERR' || e.id || '-' || k) ELSE '{}'::jsonb END
         -- what the refused row stands on is good
         || CASE WHEN e.kind IN ('insured', 'event', 'premium_due', 'premium_receipt', 'policy_claim', 'service_order') AND e.patch NOT LIKE '%"policy_key"%' THEN jsonb_build_object('policy_key', 'L' || 10 + k) ELSE '{}'::jsonb END
         || CASE WHEN e.kind = 'policy_claim' AND e.patch NOT LIKE '%"insured_key"%' THEN jsonb_build_object('insured_key', 'C' || 10 + k) ELSE '{}'::jsonb END
         || CASE WHEN e.kind = 'debt' THEN '{"customer_key": "C2"}' ELSE '{}'::jsonb END
         || CASE WHEN e.kind = 'partner_action' AND e.patch NOT LIKE '%"partner_code"%' THEN '{"partner_code": "PA1"}' ELSE '{}'::jsonb END
         || CASE WHEN e.kind = 'product_balance' AND e.patch NOT LIKE '%"holding_key"%' THEN '{"holding_key": "G1"}' ELSE '{}'::jsonb END
         || CASE WHEN e.kind = 'service_order_step' THEN jsonb_build_object('order_key', 'J' || k) ELSE '{}'::jsonb END
         || CASE WHEN e.kind = 'appointment' AND e.patch NOT LIKE '%"prospect_key"%' THEN '{"prospect_key": ""}' ELSE '{}'::jsonb END
         || CASE WHEN e.kind = 'household_member' AND e.patch NOT LIKE '%"household_key"%' THEN '{"household_key": "H1"}' ELSE '{}'::jsonb END
  FROM error e JOIN base b USING (kind), generate_series(1, 3) k
  UNION ALL
  -- those whom other rows follow, and rows twice the same
  SELECT 'customer', -1, false, pg_temp.filled(b.row, 0, 0) || jsonb_build_object('source_key', 'BAD' || k, 'birth_date', '1999-99-99') FROM base b, generate_series(1, 3) k WHERE kind = 'customer'
  UNION ALL
  SELECT 'customer', NULL, false, '{"source_key": "FIRM", "kind": "company", "name": "Firm", "org_code": "B1", "channel_code": "group", "known_from": "2010-01-01"}'
  UNION ALL
  SELECT 'customer', -2, true, pg_temp.filled(b.row, i, 0) FROM base b, generate_series(1, 200) i WHERE kind = 'customer') x;
-- keys repeated with other content: three rows of each
UPDATE file f SET row = f.row || jsonb_build_object('source_key', 'DUP') FROM error e WHERE e.id = f.error AND e.name LIKE 'key repeated%';
SELECT cmp_ok((SELECT count(*)::integer FROM file), '>=', 10000, 'the file has 10,000 rows');

CREATE TEMP VIEW planned AS
SELECT f.kind, f.row_no, split_part(p, ' ', 1) AS column_name, split_part(p, ' ', 2) AS code
FROM file f JOIN (SELECT id, faults FROM error UNION ALL SELECT -1, 'birth_date 22008') e ON e.id = f.error CROSS JOIN unnest(string_to_array(e.faults, ',')) p;

CREATE FUNCTION pg_temp.load(which text DEFAULT 'true') RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  k record;
BEGIN
  FOR k IN SELECT c.kind, string_agg(quote_ident(c.name), ', ' ORDER BY c.nth) AS names, string_agg(format('f.row ->> %L', c.name), ', ' ORDER BY c.nth) AS parts
           FROM crm.import_column c GROUP BY c.kind LOOP
    EXECUTE format('INSERT INTO crm.import_%s (%s) SELECT %s FROM file f WHERE f.kind = %L AND %s ORDER BY f.row_no', k.kind, k.names, k.parts, k.kind, which);
  END LOOP;
END
$$;

-- told beforehand, then done ------------------------------------------------------

SELECT pg_temp.load();
CREATE TEMP TABLE counts AS SELECT 0::bigint AS n, ''::text AS name WHERE false;
CREATE FUNCTION pg_temp.count_all() RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
  t text;
  n bigint;
BEGIN
  FOR t IN SELECT c.oid::regclass::text FROM pg_class c WHERE c.relnamespace = 'crm'::regnamespace AND c.relkind = 'r' ORDER BY 1 LOOP
    EXECUTE format('SELECT count(*) FROM %s', t) INTO n;
    RETURN NEXT t || ' ' || n;
  END LOOP;
END
$$;
CREATE TEMP TABLE before AS SELECT c FROM pg_temp.count_all() c;
CREATE TEMP TABLE preview AS SELECT * FROM crm.import_preview('core');
SELECT set_eq('SELECT c FROM pg_temp.count_all() c', 'SELECT c FROM before', 'a trial changes nothing');
SELECT set_eq($$SELECT kind, row_no, column_name, code FROM preview WHERE action = 'reject'$$, 'SELECT * FROM planned', 'it tells exactly what was planted');

CALL crm.import('core') \gset
SELECT set_eq(format('SELECT kind, row_no, column_name, code FROM crm.import_reason WHERE batch_id = %s', :batch_id), 'SELECT * FROM planned',
              'every planted error is told with row, column and code, and no other');
SELECT is_empty(format($$SELECT e.id, e.name FROM error e WHERE NOT EXISTS (SELECT FROM file f JOIN crm.import_reject j ON j.batch_id = %s AND j.kind = f.kind AND j.row_no = f.row_no WHERE f.error = e.id)$$, :batch_id),
                'each kind of error was met');
SELECT set_eq(format($$SELECT kind, read, inserted, updated, unchanged, rejected FROM crm.import_batch_kind WHERE batch_id = %s$$, :batch_id),
              $$SELECT kind, count(*) AS a, count(*) FILTER (WHERE error IS NULL) AS b, 0::bigint AS c, count(*) FILTER (WHERE error = -2) AS d, count(*) FILTER (WHERE error IS NOT NULL AND error <> -2) AS e FROM file GROUP BY kind$$,
              'all good rows are in, the others refused: counted by kind');
SELECT set_eq(format($$SELECT kind, action, count(*) FROM (SELECT DISTINCT kind, row_no, action FROM preview) p GROUP BY 1, 2$$),
              format($$SELECT k.kind, a.action, a.n FROM crm.import_batch_kind k CROSS JOIN LATERAL (VALUES ('insert', inserted), ('update', updated), ('unchanged', unchanged), ('reject', rejected)) a (action, n)
                       WHERE k.batch_id = %s AND a.n > 0$$, :batch_id), 'as the trial said');
SELECT is_empty(format($$SELECT r.kind, r.row_no, r.message, r.hint FROM crm.import_reason r WHERE batch_id = %s AND (message ~ 'violates|constraint|null value|_check|_key"' OR message IS NULL)$$, :batch_id),
                'no message is the raw one of a constraint');
SELECT is_empty(format($$SELECT r.kind, r.row_no FROM crm.import_reason r JOIN file f ON f.kind = r.kind AND f.row_no = r.row_no WHERE batch_id = %s AND r.value IS DISTINCT FROM nullif(btrim(f.row ->> r.column_name, E' \u3000'), '')$$, :batch_id),
                'each bears the offending value');
SELECT set_eq(format($$SELECT j.kind, j.source_key FROM crm.import_reject j WHERE batch_id = %s AND j.follows$$, :batch_id),
              $$SELECT f.kind, f.row ->> 'source_key' FROM file f JOIN error e ON e.id = f.error WHERE f.row ->> 'customer_key' LIKE 'BAD%'$$, 'rows that only follow a refused one are told as such');
SELECT set_eq($$SELECT source_key FROM crm.customer_key WHERE source_system = 'core'$$, $$SELECT row ->> 'source_key' FROM file WHERE kind = 'customer' AND error IS NULL$$, 'the good customers are in the book');
SELECT set_eq($$SELECT k.source_key AS a, c.source_key AS b, p.kind AS c, p.value AS d FROM crm.contact_point p JOIN crm.contact_point_key k ON (k.customer_id, k.contact_point_id) = (p.customer_id, p.id) JOIN crm.customer_key c ON c.customer_id = p.customer_id$$,
              $$SELECT row ->> 'source_key' AS a, row ->> 'customer_key' AS b, row ->> 'kind' AS c, row ->> 'value' AS d FROM file WHERE kind = 'contact_point' AND error IS NULL$$, 'and their contact points');
SELECT set_eq($$SELECT k.source_key AS a, c.source_key AS b, p.source_key AS c, s.applied_at AS d FROM crm.service_order s JOIN crm.service_order_key k ON (k.customer_id, k.policy_id, k.service_order_id) = (s.customer_id, s.policy_id, s.id)
                JOIN crm.customer_key c ON c.customer_id = s.customer_id JOIN crm.policy_key p ON p.policy_id = s.policy_id$$,
              $$SELECT row ->> 'source_key' AS a, 'C' || substr(row ->> 'policy_key', 2) AS b, row ->> 'policy_key' AS c, (row ->> 'applied_at')::timestamp AT TIME ZONE crm.setting_value('business_time_zone') AS d FROM file WHERE kind = 'service_order' AND error IS NULL$$,
              'and their servicing orders, with the time of the company');
SELECT is_empty($$SELECT b.kind FROM base b WHERE NOT EXISTS (SELECT FROM error e WHERE e.kind = b.kind) AND b.kind <> 'household'$$, 'errors were planted in every kind but households');

-- the same again ---------------------------------------------------------------------

CREATE TEMP TABLE tuple AS SELECT 'c' AS t, ctid::text AS place FROM crm.customer UNION ALL SELECT 'p', ctid::text FROM crm.policy UNION ALL SELECT 'r', ctid::text FROM crm.relation
UNION ALL SELECT 't', ctid::text FROM crm.contact_point UNION ALL SELECT 'b', ctid::text FROM crm.product_balance UNION ALL SELECT 'f', ctid::text FROM crm.profile;
SELECT pg_temp.load('f.error IS NULL');
CALL crm.import('core') \gset again_
SELECT results_eq(format('SELECT read, accepted, unchanged, rejected FROM crm.import_batch WHERE id = %s', :again_batch_id), 'SELECT count(*) AS a, 0::bigint AS b, count(*) AS c, 0::bigint AS d FROM file WHERE error IS NULL',
                  'a second import of the good rows changes nothing');
SELECT set_eq($$SELECT 'c' AS t, ctid::text AS place FROM crm.customer UNION ALL SELECT 'p', ctid::text FROM crm.policy UNION ALL SELECT 'r', ctid::text FROM crm.relation
  UNION ALL SELECT 't', ctid::text FROM crm.contact_point UNION ALL SELECT 'b', ctid::text FROM crm.product_balance UNION ALL SELECT 'f', ctid::text FROM crm.profile$$, 'SELECT * FROM tuple', 'and touches nothing');

-- correction in place and in a new file -------------------------------------------------

UPDATE crm.import_reject SET correction = '{"birth_date": "1999-09-09"}' WHERE batch_id = :batch_id AND source_key IN ('BAD1', 'BAD2');
SELECT is(crm.resubmit_import(:batch_id, corrected_only => true), 2::bigint, 'two are corrected where they are');
INSERT INTO crm.import_customer (source_key, kind, name, org_code, channel_code, known_from) VALUES ('BAD3', 'person', 'Corrected', 'B1', 'individual', '2010-01-01');
INSERT INTO crm.import_contact_point (source_key, customer_key, kind, value)
SELECT f.row ->> 'source_key', f.row ->> 'customer_key', 'email', 'newer@example.com' FROM file f WHERE f.kind = 'contact_point' AND f.row ->> 'customer_key' = 'BAD3';
CALL crm.import('core') \gset mended_
SELECT set_eq(format('SELECT kind, read, inserted, rejected FROM crm.import_batch_kind WHERE batch_id = %s', :mended_batch_id),
              $$VALUES ('customer', 3::bigint, 3::bigint, 0::bigint), ('contact_point', 3, 3, 0), ('policy', 3, 3, 0)$$, 'what followed goes in by itself once the others do');
SELECT results_eq($$SELECT p.value FROM crm.contact_point p JOIN crm.customer_key c USING (customer_id) WHERE c.source_key LIKE 'BAD%' ORDER BY c.source_key$$,
                  $$SELECT CASE WHEN f.row ->> 'customer_key' = 'BAD3' THEN 'newer@example.com' ELSE f.row ->> 'value' END FROM file f WHERE f.kind = 'contact_point' AND f.row ->> 'customer_key' LIKE 'BAD%' ORDER BY f.row ->> 'customer_key'$$,
                  'a newer row with the key counts before the one that waited');
SELECT is_empty(format($$SELECT kind, source_key FROM crm.import_reject WHERE batch_id = %s AND (follows OR source_key LIKE 'BAD%%') AND resubmitted_at IS NULL AND resolved_at IS NULL$$, :batch_id), 'none of these is open any more');

-- keys of a merged customer --------------------------------------------------------------

UPDATE crm.customer_key SET customer_id = (SELECT customer_id FROM crm.customer_key WHERE source_key = 'C2001') WHERE source_key = 'C2002';
INSERT INTO crm.import_contact_point (source_key, customer_key, kind, value) VALUES ('MERGED', 'C2002', 'email', 'merged@example.com');
SELECT pg_temp.load($$f.kind = 'customer' AND f.error IS NULL AND f.row ->> 'source_key' IN ('C2001', 'C2002')$$);
CALL crm.import('core') \gset merged_
SELECT set_eq(format('SELECT kind, inserted, updated, unchanged, rejected FROM crm.import_batch_kind WHERE batch_id = %s', :merged_batch_id),
              $$VALUES ('customer', 0::bigint, 0::bigint, 2::bigint, 0::bigint), ('contact_point', 1, 0, 0, 0)$$, 'a key that came to mean another customer repeats the row of that customer');
SELECT results_eq($$SELECT c.name FROM crm.contact_point p JOIN crm.customer c ON c.id = p.customer_id WHERE p.value = 'merged@example.com'$$, $$VALUES ('Customer 2001')$$, 'and leads to that one');
SELECT results_eq($$SELECT source_key, customer_id = (SELECT customer_id FROM crm.customer_key WHERE source_key = 'C2001') FROM crm.export_keys('core', kinds => '{customer}') WHERE source_key IN ('C2001', 'C2002') ORDER BY 1$$,
                  $$VALUES ('C2001', true), ('C2002', true)$$, 'as the other system is told');
SELECT is_empty($$SELECT * FROM crm.export_keys('core', 'infinity')$$, 'nothing changed since the future');
SELECT throws_ok($$SELECT * FROM crm.export_keys('core', kinds => '{customer,insured}')$$, '22023', NULL, 'insured persons have no keys of their own');
SELECT throws_ok('SELECT * FROM crm.export_keys(NULL)', '22004', NULL, 'the system must be named');

-- what is known changes ------------------------------------------------------------------

CREATE TEMP TABLE revision (n integer GENERATED ALWAYS AS IDENTITY, kind text, key text, change jsonb, outcome text, name text);
INSERT INTO revision (kind, key, change, outcome, name) VALUES
  ('organisation', 'U7', '{"name": "Renamed", "parent_code": "B2"}', 'update', 'a unit moves'),
  ('organisation', 'B1', '{"name": "Branch 1", "parent_code": "U8"}', 'reject', 'a unit that stands is not placed below its own'),
  ('product', 'LIFE', '{"name": "Whole life", "category_code": "finance.intermediary.insurance"}', 'update', 'a product made by hand is known by its code'),
  ('staff', 'S1', '{"name": "Agent 1", "org_code": "B1", "channel_code": "individual", "joined_on": "2000-01-01", "login": "agent_1"}', 'update', 'a member of staff gets a login'),
  ('staff', 'S1', '{"name": "Agent 1", "org_code": "B1", "channel_code": "individual", "joined_on": "2000-01-01", "login": "agent_1", "phone": "021-6000 0000", "email": "a@example.com"}', 'update', 'and a number and address'),
  ('staff', 'S1', '{"name": "Agent 1", "org_code": "B1", "channel_code": "individual", "joined_on": "2000-01-01", "login": "agent_1"}', 'unchanged', 'which stay when a file does not tell them'),
  ('staff', 'S1', '{"name": "Agent 1", "org_code": "B1", "channel_code": "individual", "joined_on": "2000-01-01", "email": "a@ b"}', 'reject', 'an address that is none'),
  ('staff', 'S1', '{"name": "Agent 1", "org_code": "B1", "channel_code": "individual", "joined_on": "2000-01-01", "phone": "none"}', 'reject', 'nor a number'),
  ('channel', 'web', '{"name": "Web"}', 'insert', 'a new channel'),
  ('profile_code', 'industry / space', '{"field": "industry", "code": "space", "position": "20", "name": "space", "name_zh": "航天"}', 'insert', 'a new code'),
  ('partner', 'PA7', '{"class": "A"}', 'update', 'class of a partner'),
  ('contact_point', 'T7', '{"value": " c7@example.org "}', 'update', 'another address'),
  ('contact_point', 'T8', '{"customer_key": "C1000"}', 'update', 'an address that is another customer''s'),
  ('contact_point', 'T9', '{"kind": "mobile", "value": "+86 138-0013-8000"}', 'update', 'an address becomes a number'),
  ('contact_point', 'T9', '{"kind": "mobile", "value": "13800138000"}', 'unchanged', 'which is the same however it is written'),
  ('consent', 'N7', '{"state": "withdrawn"}', 'update', 'a consent corrected'),
  ('profile', 'C7', '{"industry": "space", "investable_amount": "5.00"}', 'update', 'a profile'),
  ('relation', 'R7', '{"customer_key": "C16", "kind": "child", "other_key": "C15"}', 'unchanged', 'a relation told by its inverse'),
  ('relation', 'R7', '{"to_date": "2020-01-01"}', 'update', 'a relation ends'),
  ('household', 'H7', '{"address": "人民路"}', 'update', 'a household'),
  ('household_member', 'C7 / 2020-01-01', '{"household_key": "H8"}', 'update', 'who lives elsewhere'),
  ('blacklist', 'X7', '{"to_date": "2022-01-01", "end_reason": "settled"}', 'update', 'off the blacklist'),
  ('debt', 'E7', '{"amount": "0"}', 'update', 'a debt repaid'),
  ('product_holding', 'G7', '{"closed_on": "2019-12-31"}', 'reject', 'closed before opening'),
  ('product_holding', 'G7', '{"closed_on": "2020-01-01"}', 'reject', 'closed before its balance'),
  ('product_balance', 'G7 / 2020-01-01', '{"balance": "11"}', 'update', 'a balance corrected'),
  ('prospect', 'O7', '{"source": "merchant", "partner_code": "PA7", "action_key": "Y7"}', 'update', 'a prospect with partner and action'),
  ('prospect', 'O8', '{"source": "merchant", "partner_code": "PA7", "action_key": "Y8"}', 'reject', 'the action of another partner'),
  ('appointment', 'Z7', '{"result": "kept"}', 'update', 'an appointment'),
  ('policy', 'L7', '{"premium": "1000.00", "payments": "010"}', 'unchanged', 'numbers written otherwise'),
  ('event', 'L7 / lapse / 2018-01-01', '{}', 'unchanged', 'an event told again'),
  ('premium_due', 'L7 / 1', '{"amount": "1001"}', 'update', 'a premium due corrected'),
  ('premium_receipt', 'Q7', '{"amount": "999"}', 'reject', 'a receipt is not changed'),
  ('premium_receipt', 'Q7R', '{"source_key": "Q7R", "reverses_key": "Q7", "received_on": "2015-02-01", "reason": "bounced"}', 'insert', 'but reversed'),
  ('premium_receipt', 'Q7S', '{"source_key": "Q7S", "reverses_key": "Q7", "received_on": "2015-02-01", "reason": "bounced"}', 'reject', 'once'),
  ('policy_claim', 'M7', '{"outcome": "accepted", "decided_on": "2018-02-01", "paid_amount": "5", "paid_on": "2018-02-02"}', 'update', 'a claim paid'),
  ('service_order', 'J7', '{"applied_at": "2018-01-01T01:30:00Z"}', 'unchanged', 'a time with its offset'),
  ('service_order_step', 'J7 / 1', '{"ended_at": "2018-01-02 09:30", "result": "passed"}', 'update', 'a step passed'),
  ('contact', 'K7', '{"outcome": "sold"}', 'update', 'a contact');
CREATE FUNCTION pg_temp.revise(r revision) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  given jsonb := coalesce((SELECT f.row FROM file f JOIN crm.import_kind k USING (kind) WHERE f.kind = r.kind AND f.error IS NULL
    AND (SELECT string_agg(f.row ->> c, ' / ' ORDER BY n) FROM unnest(k.key_columns) WITH ORDINALITY u (c, n))
      = CASE WHEN r.kind = 'premium_receipt' THEN left(r.key, 2) ELSE r.key END), CASE WHEN r.key !~ '/' THEN jsonb_build_object('code', r.key) ELSE '{}' END) || r.change;
  b bigint;
BEGIN
  EXECUTE (SELECT format('INSERT INTO crm.import_%s (%s) SELECT %s', r.kind, string_agg(quote_ident(k), ', '), string_agg(quote_nullable(v), ', ')) FROM jsonb_each_text(given) e (k, v));
  CALL crm.import('core', b);
  RETURN (SELECT CASE WHEN read <> 1 THEN 'read ' || read WHEN inserted = 1 THEN 'insert' WHEN updated = 1 THEN 'update' WHEN unchanged = 1 THEN 'unchanged' ELSE 'reject' END
          FROM crm.import_batch_kind k WHERE k.batch_id = b AND k.kind = r.kind);
END
$$;
SELECT is(pg_temp.revise(r), r.outcome, r.kind || ': ' || r.name) FROM revision r ORDER BY n;
SELECT is(pg_temp.revise(r), 'unchanged', r.kind || ': told again, nothing') FROM revision r WHERE r.outcome IN ('insert', 'update') AND r.key <> 'T9' AND (r.kind, r.key) <> ('relation', 'R7') ORDER BY n;
SELECT is_empty($$SELECT r.kind, r.message FROM crm.import_reason r JOIN crm.import_batch b ON b.id = r.batch_id
                  WHERE r.message ~ 'violates|constraint|null value|_check|_key"' OR r.column_name IS NULL$$, 'whatever is refused has words and a column');
SELECT results_eq($$SELECT c.source_key FROM crm.contact_point p JOIN crm.contact_point_key k ON (k.customer_id, k.contact_point_id) = (p.customer_id, p.id) JOIN crm.customer_key c ON c.customer_id = p.customer_id WHERE k.source_key = 'T8'$$,
                  $$VALUES ('C1000')$$, 'what moves to another customer keeps its key');

-- an imported contact counts for the holder -------------------------------------------------

INSERT INTO crm.holding (customer_id, channel_id, org_id, staff_id, held_from, start_cause, rule)
SELECT k.customer_id, s.channel_id, s.org_id, s.id, '2020-06-01', 'claim', crm.setting_value('recycle_rule')::crm.recycle_rule FROM crm.customer_key k, crm.staff s WHERE k.source_key = 'C500' AND s.code = 'S1';
INSERT INTO crm.import_contact (source_key, customer_key, staff_code, channel_code, purpose, at, outcome)
SELECT 'HELD' || i, 'C500', 'S1', 'individual', 'sales', '2020-0' || i || '-15 12:00', 'reached' FROM generate_series(5, 8) i;
CALL crm.import('core') \gset held_
SELECT results_eq($$SELECT h.last_contact_at FROM crm.holding h JOIN crm.customer_key k USING (customer_id) WHERE k.source_key = 'C500'$$,
                  $$SELECT '2020-08-15 12:00'::timestamp AT TIME ZONE crm.setting_value('business_time_zone')$$, 'the last contact while held');

-- every constraint has words ---------------------------------------------------------------

SELECT is_empty($$SELECT k.kind, c.name FROM crm.import_kind k CROSS JOIN LATERAL crm._import_constraints(k.kind) c
                  WHERE c.message LIKE 'does not fit%' AND NOT EXISTS (
                    SELECT FROM crm.import_column x WHERE x.kind = k.kind AND c.columns = ARRAY[x.name] AND x.type IN ('choice', 'date', 'birth', 'text', 'money'))$$,
                'every constraint that a value of the right type can break has words of its own');
SELECT is_empty($$SELECT r.kind, r.constraint_name FROM crm.import_rule r JOIN crm.import_kind k USING (kind)
                  WHERE r.constraint_name IS NOT NULL AND to_regproc('crm.' || r.constraint_name) IS NULL AND to_regclass('crm.' || r.constraint_name) IS NULL
                    AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conrelid = ('crm.' || k.target)::regclass AND c.conname = r.constraint_name)$$, 'and no words are for a constraint that is not there');
RESET ROLE;
SELECT crm.post();
SELECT is_empty('SELECT * FROM crm.check()', 'what must hold holds');
SELECT * FROM finish();
ROLLBACK;
