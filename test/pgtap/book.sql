-- Base and business data: what is taken, how it is kept and shown, and what is refused with which reason.
BEGIN;
SELECT no_plan();
\ir include/helpers.sql
SET LOCAL client_min_messages = warning;

-- keys given here and keys drawn do not meet
SELECT count(setval(pg_get_serial_sequence(a.attrelid::regclass::text, a.attname), 5000)) > 0 AS drawn
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid WHERE c.relnamespace = 'crm'::regnamespace AND c.relkind = 'r' AND a.attidentity <> '' \gset

INSERT INTO crm.organisation (id, parent_id, code, name) VALUES (1, NULL, 'co', 'Company'), (2, 1, 'n', 'North'), (3, 2, 'n1', 'North 1'), (4, 1, 's', 'South');
INSERT INTO crm.staff (id, code, name, org_id, channel_id, joined_on) VALUES (1, 'a', 'Agent', 3, 1, '2020-01-01');
INSERT INTO crm.product (id, code, name) VALUES (1, 'w', 'Whole life');
INSERT INTO crm.customer (id, kind, name, org_id, source_channel_id, known_from)
SELECT i, CASE WHEN i > 20 THEN 'company' ELSE 'person' END, 'Customer ' || i, 3, 1, '2020-01-01' FROM generate_series(1, 30) i;
INSERT INTO crm.policy (customer_id, id, product_id, channel_id, issued_on, premium, payments)
VALUES (1, 101, 1, 1, '2024-03-01', 1000, 10), (2, 102, 1, 1, '2023-01-01', 500, 10), (21, 103, 1, 1, '2024-01-01', 9000, 1);
INSERT INTO crm.policy_insured (customer_id, policy_id, insured_id) VALUES (21, 103, 5), (21, 103, 6);
SELECT ok(crm.post() > 0, 'the book is posted');
SET LOCAL crm.as_of = '2025-06-30';

-- contact points --------------------------------------------------------------

INSERT INTO crm.contact_point (customer_id, id, kind, value, preferred, rank, valid_from, valid_to, source, verified_on, verified_source, use) VALUES
  (1, 1, 'mobile', ' +86 138-1234-5678 ', true, NULL, '2020-01-01', NULL, 'application', '2025-01-10', 'claim', 'home'),
  (1, 2, 'mobile', '１３９　１２３４　５６７８', false, 1, NULL, '2024-12-31', NULL, NULL, NULL, 'work'),
  (1, 3, 'email', ' someone@example.com ', false, 2, NULL, NULL, NULL, NULL, NULL, NULL),
  (1, 4, 'wechat', 'wx_1', false, 3, '2026-01-01', NULL, NULL, NULL, NULL, NULL),
  (1, 5, 'phone', '028-8123 4567', false, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
  (1, 6, 'address', '　人民路 5 号　', false, NULL, NULL, NULL, NULL, NULL, NULL, 'mail');
SELECT results_eq('SELECT value FROM crm.contact_point WHERE customer_id = 1 ORDER BY id',
                  ARRAY['13812345678', '13912345678', 'someone@example.com', 'wx_1', '028-8123 4567', '人民路 5 号'], 'values are kept in one form');
SELECT results_eq('SELECT contact_point_key, is_valid FROM crm_bi.contact_point WHERE customer_id = 1 ORDER BY 1',
                  $$VALUES ('1/1', true), ('1/2', false), ('1/3', true), ('1/4', false), ('1/5', true), ('1/6', true)$$, 'and valid within their days');
SELECT pg_temp.refused(format('INSERT INTO crm.contact_point (customer_id, kind, value) VALUES (2, %L, %L)', k, v), c, w, format('%s %s is refused', k, v))
FROM (VALUES ('mobile', '12345678901', '22P02', '12345678901'), ('mobile', '1381234567', '22P02', '1381234567'), ('mobile', '028-81234567', '22P02', '028'),
             ('email', 'someone', '22P02', 'someone'), ('email', 'a b@c', '22P02', 'e-mail'), ('email', '@', '22P02', 'e-mail'), ('phone', 'none', '22P02', 'telephone'),
             ('pigeon', 'x', '23514', 'kind'), ('address', '　', '23514', 'value'), ('mobile', NULL, '23502', 'value')) b (k, v, c, w);
SELECT pg_temp.refused('UPDATE crm.contact_point SET value = ''1'' WHERE customer_id = 1 AND id = 1', '22P02', '"1"', 'a change is looked at, too');
SELECT pg_temp.refused('UPDATE crm.contact_point SET valid_to = ''2019-01-01'' WHERE customer_id = 1 AND id = 1', '23514', 'validity', 'an end before the start');
SELECT pg_temp.refused('UPDATE crm.contact_point SET verified_on = ''2025-01-01'' WHERE customer_id = 1 AND id = 2', '23514', 'verified', 'verified, but not by what');
SELECT pg_temp.refused('UPDATE crm.contact_point SET rank = 0 WHERE customer_id = 1 AND id = 2', '23514', 'rank', 'a rank of 0');
ALTER TABLE crm.contact_point DISABLE TRIGGER canonical;
INSERT INTO crm.contact_point (customer_id, id, kind, value) VALUES (3, 1, 'mobile', '12345');
ALTER TABLE crm.contact_point ENABLE TRIGGER canonical;
SELECT is(pg_temp.refusal('UPDATE crm.contact_point SET wrong = true WHERE customer_id = 3'), 'taken', 'a row of old is not looked at until its value changes');
SELECT results_eq('SELECT well_formed, is_valid FROM crm_bi.contact_point WHERE customer_id = 3', 'VALUES (false, false)', 'but told apart');

-- consent and do not contact ---------------------------------------------------

INSERT INTO crm.consent (customer_id, purpose, way, state, on_date, source) VALUES
  (1, 'marketing', 'any', 'given', '2024-01-01', 'form'), (1, 'marketing', 'sms', 'withdrawn', '2025-01-01', 'sms'),
  (2, 'marketing', 'call', 'given', '2024-01-01', 'form'), (2, 'marketing', 'any', 'withdrawn', '2025-01-01', 'call'), (2, 'marketing', 'call', 'given', '2025-01-01', 'call');
INSERT INTO crm.do_not_contact (customer_id, way, channel_id, from_date, to_date, source) VALUES
  (4, 'call', NULL, '2025-01-01', '2025-07-01', 'hotline'), (5, 'any', 2, '2025-01-01', NULL, 'letter'), (6, 'any', NULL, '2025-01-01', NULL, 'letter');
SELECT is(crm.contact_obstacle(c, d::date, p, w, h), o, format('customer %s, %s, %s, %s, channel %s', c, d, p, w, h))
FROM (VALUES (1, '2025-06-30', 'marketing', 'call', NULL, NULL), (1, '2025-06-30', 'marketing', 'sms', NULL, 'consent withdrawn'), (1, '2024-06-30', 'marketing', 'sms', 1, NULL),
             (1, '2023-12-31', 'marketing', 'sms', 1, 'no consent'), (1, '2025-06-30', 'survey', 'call', NULL, 'no consent'), (1, '2025-06-30', 'service', 'sms', NULL, NULL),
             (2, '2025-01-01', 'marketing', 'call', NULL, NULL), (2, '2025-01-01', 'marketing', 'sms', NULL, 'consent withdrawn'), (2, '2024-12-31', 'marketing', 'any', NULL, 'no consent'),
             (4, '2025-06-30', 'service', 'call', NULL, 'do not contact'), (4, '2025-07-01', 'service', 'call', NULL, NULL), (4, '2025-06-30', 'service', 'sms', NULL, NULL),
             (5, '2025-06-30', 'service', 'sms', 2, 'do not contact'), (5, '2025-06-30', 'service', 'sms', 1, NULL), (5, '2025-06-30', 'service', 'sms', NULL, NULL),
             (6, '2025-06-30', 'service', 'visit', 1, 'do not contact'), (6, '2024-12-31', 'service', 'visit', 1, NULL)) t (c, d, p, w, h, o);
SELECT throws_ok($$SELECT crm.contact_obstacle(1, NULL)$$, '22004', NULL, 'an obstacle on no day');
SELECT throws_ok($$SELECT crm.contact_obstacle(1, '2025-01-01', 'fun')$$, '22023', NULL, 'for no purpose');
SELECT throws_ok($$SELECT crm.contact_obstacle(1, '2025-01-01', way => NULL)$$, '22023', NULL, 'in no way');
SELECT results_eq('SELECT customer_id, purpose, way, state FROM crm_bi.consent WHERE is_last ORDER BY 1, 3',
                  $$VALUES (1::bigint, 'marketing', 'any', 'given'), (1, 'marketing', 'sms', 'withdrawn'), (2, 'marketing', 'any', 'withdrawn'), (2, 'marketing', 'call', 'given')$$, 'the last consents');
SELECT pg_temp.refused($$INSERT INTO crm.consent (customer_id, purpose, state, on_date, source) VALUES (1, 'marketing', 'perhaps', '2025-01-01', 'x')$$, '23514', 'state', 'consent given perhaps');
SELECT pg_temp.refused($$INSERT INTO crm.consent (customer_id, purpose, state, on_date, source) VALUES (1, 'marketing', 'given', 'infinity', 'x')$$, '23514', 'on_date', 'consent at the end of time');
SELECT pg_temp.refused($$INSERT INTO crm.consent (customer_id, purpose, state, on_date, source) VALUES (1, 'marketing', 'given', '2025-01-01', ' ')$$, '23514', 'source', 'consent from nowhere');
SELECT pg_temp.refused($$INSERT INTO crm.do_not_contact (customer_id, from_date, to_date, source) VALUES (1, '2025-01-01', '2025-01-01', 'x')$$, '23514', 'check', 'left alone for no day');
SELECT pg_temp.refused($$INSERT INTO crm.do_not_contact (customer_id, channel_id, from_date, source) VALUES (1, 99, '2025-01-01', 'x')$$, '23503', 'channel', 'an unknown channel');

-- profile and its history --------------------------------------------------------

INSERT INTO crm.profile (customer_id, employment_status, education, marital_status, children, asset_band, income_band, investable_amount, verified_on, verified_source)
VALUES (1, 'farmer', 'junior', 'single', 0, 'a1', 'i1', 20000, '2024-01-01', 'visit');
INSERT INTO crm.profile (customer_id, industry, asset_band) VALUES (21, 'trade', 'a5');
SET LOCAL crm.actor = 'sister';
UPDATE crm.profile SET marital_status = 'married', children = 1, debt_amount = 5000, verified_on = '2025-02-01', verified_source = 'claim' WHERE customer_id = 1;
UPDATE crm.profile SET investable_amount = NULL WHERE customer_id = 1;
UPDATE crm.customer SET name = 'Customer One' WHERE id = 1;
UPDATE crm.customer SET version = version + 1 WHERE id = 1;
RESET crm.actor;
SELECT results_eq($$SELECT subject, field, old_value, new_value, changed_by FROM crm.customer_change WHERE customer_id = 1 ORDER BY id$$,
                  $$VALUES ('profile', 'marital_status', 'single', 'married', 'sister'), ('profile', 'children', '0', '1', 'sister'), ('profile', 'debt_amount', NULL, '5000.00', 'sister'),
                           ('profile', 'verified_on', '2024-01-01', '2025-02-01', 'sister'), ('profile', 'verified_source', 'visit', 'claim', 'sister'),
                           ('profile', 'investable_amount', '20000.00', NULL, 'sister'), ('customer', 'name', 'Customer 1', 'Customer One', 'sister')$$, 'who changed what from what');
SELECT results_eq('SELECT marital_status_name_zh, education_name_zh, asset_band_name, industry_name FROM crm_bi.profile ORDER BY customer_id',
                  $$VALUES ('已婚', '初中', '10,000 to 50,000', NULL), (NULL, NULL, '1 to 5 million', 'wholesale and retail')$$, 'codes have names');
SELECT is((SELECT updated_by FROM crm.profile WHERE customer_id = 1), 'sister', 'the profile says who changed it last');
SELECT is_empty($$SELECT field FROM (SELECT a.field, a.to_amount, lead(a.from_amount) OVER (PARTITION BY a.field ORDER BY a.position) AS next FROM crm.profile_code a
                    WHERE a.field LIKE '%\_band') b WHERE to_amount IS DISTINCT FROM next$$, 'each band begins where the one before ends');
SELECT pg_temp.refused(format('INSERT INTO crm.profile (customer_id, %s) VALUES (%s, %s)', f, i, v), c, w, format('%s %s of customer %s is refused', f, v, i))
FROM (VALUES ('education', 2, '''nursery''', '23503', 'education "nursery"'), ('asset_band', 2, '''i1''', '23503', 'asset band "i1"'), ('children', 2, '-1', '23514', 'children'),
             ('children', 22, '1', '23514', 'is a company'), ('investable_amount', 2, '-0.01', '23514', 'investable'), ('debt_amount', 2, '''NaN''', '23514', 'debt_amount'),
             ('verified_on', 2, '''2025-01-01''', '23514', 'verified'), ('children', 99, '1', '23503', 'customer'), ('children', 1, '1', '23505', 'profile')) b (f, i, v, c, w);
SELECT pg_temp.refused($$DELETE FROM crm.profile_code WHERE field = 'education' AND code = 'junior'$$, '23503', 'education "junior" is in use', 'a code in use stays');
SELECT pg_temp.refused($$UPDATE crm.profile_code SET code = 'lower' WHERE field = 'education' AND code = 'junior'$$, '23503', 'in use', 'and keeps its name');
SELECT is(pg_temp.refusal($$DELETE FROM crm.profile_code WHERE field = 'education' AND code = 'doctor'$$), 'taken', 'one not in use may go');
SELECT pg_temp.refused($$INSERT INTO crm.profile_code (field, code, position, name, name_zh) VALUES ('shoe_size', 'x', 1, 'x', 'x')$$, '23514', 'field', 'no codes for other fields');

-- relations and households --------------------------------------------------------

INSERT INTO crm.relation (customer_id, kind, other_id, from_date) VALUES
  (2, 'spouse', 1, '2010-01-01'), (3, 'child', 1, NULL), (2, 'parent', 3, NULL), (7, 'introduced', 1, NULL), (5, 'contact_person', 21, NULL), (21, 'employer', 6, NULL),
  (22, 'subsidiary', 21, NULL), (22, 'parent_company', 23, NULL);
SELECT results_eq('SELECT customer_id, kind, other_id FROM crm.relation ORDER BY id',
                  $$VALUES (1::bigint, 'spouse', 2::bigint), (1, 'parent', 3), (2, 'parent', 3), (1, 'introducer', 7), (5, 'contact_person', 21), (21, 'employer', 6),
                           (21, 'parent_company', 22), (22, 'parent_company', 23)$$, 'a relation is stored once, in one direction');
SELECT results_eq('SELECT other_id, other_is, other_name_zh FROM crm_bi.relation WHERE customer_id = 1 ORDER BY 1',
                  $$VALUES (2::bigint, 'spouse', '配偶'), (3, 'child', '子女'), (7, 'introduced', '被介绍人')$$, 'and seen from one end');
SELECT results_eq('SELECT other_id, other_is, other_name_zh FROM crm_bi.relation WHERE customer_id = 3 ORDER BY 1',
                  $$VALUES (1::bigint, 'parent', '父母'), (2, 'parent', '父母')$$, 'and from the other');
SELECT results_eq('SELECT other_id, other_is FROM crm_bi.relation WHERE customer_id = 22 ORDER BY 1', $$VALUES (21::bigint, 'parent_company'), (23, 'subsidiary')$$, 'a company in the middle');
SELECT results_eq('SELECT count(*), count(*) FILTER (WHERE is_first) FROM crm_bi.relation', 'SELECT 2 * count(*), count(*) FROM crm.relation', 'two rows each, one to count');
SELECT pg_temp.refused(format('INSERT INTO crm.relation (customer_id, kind, other_id) VALUES (%s, %L, %s)', coalesce(a::text, 'NULL'), k, b), c, w, format('%s %s %s is refused', a, k, b))
FROM (VALUES (1, 'spouse', 2, '23505', 'relation_open_key'), (2, 'spouse', 1, '23505', 'relation_open_key'), (1, 'child', 3, '23514', 'cannot be parent'), (3, 'parent', 2, '23514', 'cannot be parent'),
             (23, 'parent_company', 21, '23514', 'cannot be parent company'), (21, 'subsidiary', 23, '23514', 'cannot be parent company'), (1, 'spouse', 1, '23514', 'other'), (1, 'spouse', 21, '23514', 'a company cannot|a person cannot'),
             (21, 'parent', 22, '23514', 'a company cannot be parent'), (1, 'employer', 2, '23514', 'cannot be employer'), (1, 'owner', 2, '23503', '"owner" is not known'),
             (1, 'friend', 99, '23503', 'customer|relation'), (NULL, 'friend', 1, '23502', 'customer_id')) t (a, k, b, c, w);
SELECT pg_temp.refused($$UPDATE crm.relation SET other_id = 21 WHERE customer_id = 22 AND kind = 'parent_company'$$, '23514', 'cannot be parent company', 'nor turned round into a circle');
SELECT is(pg_temp.refusal($$UPDATE crm.relation SET title = 'aunt' WHERE customer_id = 21 AND kind = 'parent_company'$$), 'taken', 'a relation is not its own circle');
SELECT is(pg_temp.refusal($$INSERT INTO crm.relation (customer_id, kind, other_id, from_date, to_date) VALUES (24, 'parent_company', 25, '2000-01-01', '2010-01-01'), (25, 'parent_company', 24, '2010-01-01', NULL)$$),
          'taken', 'a subsidiary may buy its former parent');
SELECT pg_temp.refused($$INSERT INTO crm.relation (customer_id, kind, other_id, from_date, to_date) VALUES (24, 'parent_company', 25, '2009-01-01', '2010-01-02')$$, '23514', 'cannot be', 'but not while it is one');
SELECT pg_temp.refused($$INSERT INTO crm.relation_kind (code, inverse, name, name_zh, inverse_name, inverse_name_zh) VALUES ('uncle', 'uncle', 'uncle', '叔', 'nephew', '侄')$$, '23514', 'check', 'a symmetric kind with two names');

INSERT INTO crm.household (id, name) VALUES (1, 'One'), (2, 'Two');
INSERT INTO crm.household_member (customer_id, from_date, household_id, role) VALUES (1, '2010-01-01', 1, 'head'), (2, '2010-01-01', 1, 'spouse'), (3, '2012-01-01', 1, 'child'), (3, '2024-01-01', 2, 'head'), (2, '2025-06-30', NULL, NULL);
SELECT results_eq('SELECT household_id, customer_id FROM crm_bi.household_member WHERE is_current ORDER BY 1, 2', $$VALUES (1::bigint, 1::bigint), (2, 3)$$, 'who lives where today');
SELECT pg_temp.refused($$INSERT INTO crm.household_member (customer_id, from_date, household_id) VALUES (21, '2010-01-01', 1)$$, '23514', 'is no person', 'a company in a household');
SELECT pg_temp.refused($$INSERT INTO crm.household_member (customer_id, from_date, household_id) VALUES (1, '2010-01-01', 2)$$, '23505', 'household', 'two households on one day');
SELECT pg_temp.refused($$INSERT INTO crm.household_member (customer_id, from_date, household_id) VALUES (4, '2010-01-01', 9)$$, '23503', 'household', 'a household that is not there');
SELECT pg_temp.refused($$INSERT INTO crm.household_member (customer_id, from_date, role) VALUES (4, '2010-01-01', 'head')$$, '23514', 'check', 'the head of none');

-- assets, debts, cover elsewhere ----------------------------------------------------

INSERT INTO crm.asset (customer_id, id, kind, value, valued_on, owned_to, source) VALUES (1, 1, 'real_estate', 800000, '2024-01-01', NULL, 'visit'), (1, 2, 'vehicle', 90000, '2020-01-01', '2025-01-01', 'visit');
INSERT INTO crm.debt (customer_id, kind, asset_id, amount, stated_on, source) VALUES (1, 'mortgage', 1, 300000, '2024-01-01', 'visit');
INSERT INTO crm.cover_elsewhere (customer_id, kind, insurer, from_date, to_date, source) VALUES (1, 'motor', 'Other', '2025-01-01', '2026-01-01', 'visit'), (1, 'motor', 'Other', '2024-01-01', '2025-01-01', 'visit');
SELECT results_eq('SELECT sum(value) FROM crm_bi.asset WHERE is_owned', 'VALUES (800000.00)', 'what is owned today');
SELECT results_eq('SELECT count(*) FROM crm_bi.cover_elsewhere WHERE is_covered', 'VALUES (1::bigint)', 'what is covered elsewhere today');
SELECT results_eq('SELECT amount FROM crm_bi.debt WHERE is_owed', 'VALUES (300000.00)', 'what is owed today');
SELECT pg_temp.refused($$INSERT INTO crm.asset (customer_id, kind, value, source) VALUES (1, 'deposit', 1, 'x')$$, '23514', 'valued', 'a value of no day');
SELECT pg_temp.refused($$INSERT INTO crm.asset (customer_id, kind, source) VALUES (1, 'castle', 'x')$$, '23514', 'kind', 'an asset of no kind');
SELECT pg_temp.refused($$INSERT INTO crm.debt (customer_id, kind, amount, stated_on, source) VALUES (1, 'private', -1, '2025-01-01', 'x')$$, '23514', 'amount', 'a debt below 0');
SELECT pg_temp.refused($$INSERT INTO crm.debt (customer_id, kind, asset_id, amount, stated_on, source) VALUES (2, 'mortgage', 1, 1, '2025-01-01', 'x')$$, '23503', 'asset', 'secured by the asset of somebody else');
SELECT pg_temp.refused($$DELETE FROM crm.asset WHERE customer_id = 1 AND id = 1$$, '23503', 'debt', 'an asset that secures a debt');
SELECT pg_temp.refused($$INSERT INTO crm.cover_elsewhere (customer_id, kind, from_date, to_date, source) VALUES (1, 'life', '2025-01-01', '2024-01-01', 'x')$$, '23514', 'dates', 'cover that ends before it starts');

-- blacklist ---------------------------------------------------------------------------

INSERT INTO crm.blacklist (customer_id, id, category, reason, from_date) VALUES (8, 1, 'fraud', 'forged papers', '2025-01-01'), (9, 1, 'arrears', 'did not pay', '2024-01-01');
SET LOCAL crm.actor = 'judge';
UPDATE crm.blacklist SET to_date = '2025-03-01', end_reason = 'paid' WHERE customer_id = 9;
RESET crm.actor;
SELECT results_eq('SELECT customer_id, is_listed, ended_by FROM crm_bi.blacklist ORDER BY 1', $$VALUES (8::bigint, true, NULL), (9, false, 'judge')$$, 'who is on the blacklist, and who ended it');
SELECT is(ARRAY(SELECT crm.is_blacklisted(c, d::date) FROM (VALUES (8, '2024-12-31'), (8, '2025-01-01'), (9, '2025-02-28'), (9, '2025-03-01'), (10, '2025-01-01')) t (c, d)), '{f,t,t,f,f}', 'by day');
SELECT pg_temp.refused($$INSERT INTO crm.blacklist (customer_id, reason, from_date) VALUES (8, 'again', '2025-02-01')$$, '23505', 'blacklist', 'twice at once');
SELECT pg_temp.refused($$INSERT INTO crm.blacklist (customer_id, reason, from_date) VALUES (10, '', '2025-02-01')$$, '23514', 'reason', 'for no reason');
SELECT pg_temp.refused($$UPDATE crm.blacklist SET to_date = '2025-03-01' WHERE customer_id = 8$$, '23514', 'end', 'off it for no reason');
SELECT pg_temp.refused($$UPDATE crm.blacklist SET to_date = '2024-03-01', end_reason = 'x' WHERE customer_id = 8$$, '23514', 'dates', 'off it before on it');
SELECT is(pg_temp.refusal($$INSERT INTO crm.blacklist (customer_id, reason, from_date) VALUES (9, 'again', '2025-04-01')$$), 'taken', 'on it again');

-- taxonomy -----------------------------------------------------------------------------

SELECT results_eq('SELECT level, count(*) FROM crm.product_category GROUP BY 1 ORDER BY 1', 'VALUES (0, 3::bigint), (1, 9), (2, 22)', 'three levels are shipped');
SELECT is((SELECT path_zh FROM crm_bi.product_category WHERE code = 'finance.savings.fixed'), '代理金融 / 储蓄业务 / 定期', 'with their names');
SELECT id AS fixed FROM crm.product_category WHERE code = 'finance.savings.fixed' \gset
SELECT id AS funds FROM crm.product_category WHERE code = 'finance.intermediary.funds' \gset
SELECT id AS loans FROM crm.product_category WHERE code = 'finance.lending.small-loans' \gset
INSERT INTO crm.product_category (id, parent_id, org_id, code, name, name_zh, nature) VALUES
  (1001, :fixed, 2, 'n.spring', 'Spring deposit', '春天定期', 'asset'), (1002, 1001, 3, 'n1.spring', 'Spring deposit of North 1', '春天定期一', 'asset'), (1003, 1001, 2, 'n.spring.2', 'Spring 2', '春天二', 'asset');
SELECT results_eq('SELECT category_id, level, level_2 FROM crm_bi.product_category WHERE category_id > 1000 ORDER BY 1',
                  $$VALUES (1001::bigint, 3, 'finance.savings.fixed'), (1002, 4, 'finance.savings.fixed'), (1003, 4, 'finance.savings.fixed')$$, 'units add below');
SELECT pg_temp.refused(format('INSERT INTO crm.product_category (parent_id, org_id, code, name, name_zh, nature) VALUES (%s, %s, %L, ''x'', ''x'', ''asset'')', p, o, k), c, w, format('below %s by %s', p, o))
FROM (VALUES ('1001', '4', 'x', '23514', 'of unit 4 cannot extend'), ('1001', '1', 'x', '23514', 'of unit 1 cannot extend'), ('1001', 'NULL', 'x', '23514', 'of the company cannot extend'), ('1002', '2', 'x', '23514', 'cannot extend'),
             ('9999', '2', 'x', '23503', 'parent'), ('NULL', '99', 'x', '23503', 'org'), ('NULL', '2', 'finance', '23505', 'code'), ('NULL', '2', 'a b', '23514', 'code')) t (p, o, k, c, w);
SELECT pg_temp.refused('UPDATE crm.product_category SET parent_id = 1002 WHERE id = 1001', '23514', 'below itself', 'a node below itself');
SELECT pg_temp.refused('UPDATE crm.product_category SET org_id = 4 WHERE id = 1001', '23514', 'cannot go', 'a node to a unit beside those below');
SELECT pg_temp.refused('UPDATE crm.product_category SET org_id = 3 WHERE id = 1001', '23514', 'cannot go', 'or to one of them');
SELECT is(pg_temp.refusal('UPDATE crm.product_category SET org_id = NULL WHERE id = 1001'), 'taken', 'a node to the company');
UPDATE crm.product_category SET parent_id = (SELECT id FROM crm.product_category WHERE code = 'express') WHERE id = 1001;
SELECT results_eq('SELECT id, level FROM crm.product_category WHERE id > 1000 ORDER BY 1', 'VALUES (1001::bigint, 1), (1002, 2), (1003, 2)', 'levels follow a move');
UPDATE crm.product_category SET level = 17 WHERE id = 1002;
SELECT is((SELECT level FROM crm.product_category WHERE id = 1002), 2, 'and nothing else');
SELECT pg_temp.refused('DELETE FROM crm.product_category WHERE id = 1001', '23503', 'product_category', 'a node with nodes below stays');
UPDATE crm.product SET category_id = (SELECT id FROM crm.product_category WHERE code = 'finance.intermediary.insurance') WHERE id = 1;
SELECT pg_temp.refused('UPDATE crm.product SET category_id = 9999 WHERE id = 1', '23503', 'category', 'a product of no category');

-- product holdings ------------------------------------------------------------------------

INSERT INTO crm.product_holding (customer_id, id, category_id, opened_on, matures_on, closed_on) VALUES
  (10, 1, :fixed, '2024-01-01', '2025-07-03', NULL), (10, 2, :funds, '2023-01-01', NULL, '2025-01-01'), (10, 3, :loans, '2025-01-01', '2026-01-01', NULL), (11, 4, :fixed, '2025-07-01', NULL, NULL);
INSERT INTO crm.product_holding_key (source_system, source_key, customer_id, holding_id) VALUES ('core', 'A-1', 10, 1);
INSERT INTO crm.product_balance (customer_id, holding_id, from_date, balance) VALUES
  (10, 1, '2024-01-01', 10000), (10, 1, '2025-06-30', 12000), (10, 1, '2025-07-02', 99), (10, 2, '2023-01-01', 500), (10, 3, '2025-01-01', 3000), (11, 4, '2025-07-01', 1);
SELECT results_eq('SELECT product_holding_key, is_open, balance, balance_since, days_to_maturity FROM crm_bi.product_holding ORDER BY 1',
                  $$VALUES ('10/1', true, 12000.00, '2025-06-30'::date, 3), ('10/2', false, NULL, NULL, NULL), ('10/3', true, 3000.00, '2025-01-01', 185), ('11/4', false, NULL, NULL, NULL)$$, 'holdings as they stand today');
SELECT results_eq($$SELECT nature, sum(balance) FROM crm_bi.product_holding WHERE is_open GROUP BY 1 ORDER BY 1$$, $$VALUES ('asset', 12000.00), ('debt', 3000.00)$$, 'debts apart');
SELECT pg_temp.refused($$INSERT INTO crm.product_balance (customer_id, holding_id, from_date, balance) VALUES (10, 1, '2023-12-31', 1)$$, '23514', 'lies outside', 'a balance before the opening');
SELECT pg_temp.refused($$INSERT INTO crm.product_balance (customer_id, holding_id, from_date, balance) VALUES (10, 2, '2025-01-01', 1)$$, '23514', 'lies outside', 'a balance on closing');
SELECT pg_temp.refused($$INSERT INTO crm.product_balance (customer_id, holding_id, from_date, balance) VALUES (11, 1, '2025-01-01', 1)$$, '23503', 'product_balance', 'a balance of the holding of somebody else');
SELECT pg_temp.refused($$INSERT INTO crm.product_balance (customer_id, holding_id, from_date, balance) VALUES (10, 1, '2025-01-01', -1)$$, '23514', 'balance', 'a balance below 0');
SELECT pg_temp.refused($$UPDATE crm.product_holding SET closed_on = '2025-06-30' WHERE customer_id = 10 AND id = 1$$, '23514', 'balance of 2025-06-30', 'closing before a balance');
SELECT pg_temp.refused($$UPDATE crm.product_holding SET opened_on = '2024-01-02' WHERE customer_id = 10 AND id = 1$$, '23514', 'balance of 2024-01-01', 'opening after a balance');
SELECT pg_temp.refused($$INSERT INTO crm.product_holding (customer_id, category_id, opened_on, matures_on) VALUES (10, 1, '2025-01-01', '2024-01-01')$$, '23514', 'matures', 'maturity before the opening');
SELECT pg_temp.refused($$INSERT INTO crm.product_holding (customer_id, category_id, opened_on) VALUES (10, 9999, '2025-01-01')$$, '23503', 'category', 'a holding of nothing');
INSERT INTO crm.need (customer_id, kind, category_id, amount, noted_on, source) VALUES (10, 'need', :funds, 50000, '2025-06-01', 'visit');
INSERT INTO crm.need (customer_id, kind, what, noted_on, source, closed_on, outcome) VALUES (10, 'preference', 'tea', '2025-06-01', 'visit', NULL, NULL), (10, 'need', 'umbrella', '2025-06-01', 'visit', '2025-06-02', 'met');
SELECT results_eq('SELECT kind, category, amount FROM crm_bi.need WHERE is_open ORDER BY 1', $$VALUES ('need', 'finance.intermediary.funds', 50000.00), ('preference', NULL, NULL)$$, 'what is needed and preferred');
SELECT pg_temp.refused($$INSERT INTO crm.need (customer_id, noted_on, source) VALUES (10, '2025-06-01', 'visit')$$, '23514', 'named', 'a need of nothing');
SELECT pg_temp.refused($$UPDATE crm.need SET closed_on = '2025-06-03' WHERE what = 'tea'$$, '23514', 'closed', 'closed without outcome');

-- premiums, claims, servicing ------------------------------------------------------------------

INSERT INTO crm.premium_due (customer_id, policy_id, number, due_on, amount) VALUES
  (1, 101, 1, '2024-03-01', 1000), (1, 101, 2, '2025-03-01', 1000), (1, 101, 3, '2026-03-01', 1000), (2, 102, 1, '2025-06-01', 500), (2, 102, 2, '2025-06-30', 500), (2, 102, 3, '2025-05-01', 500);
INSERT INTO crm.premium_receipt (customer_id, policy_id, id, number, received_on, amount, reverses, reason) VALUES
  (1, 101, 1, 1, '2024-03-02', 400, NULL, NULL), (1, 101, 2, 1, '2024-03-09', 600, NULL, NULL), (1, 101, 3, 2, '2025-03-05', 1000, NULL, NULL), (1, 101, 4, 2, '2025-03-20', 1000, 3, 'bounced'),
  (2, 102, 5, 2, '2025-07-01', 500, NULL, NULL);
SELECT results_eq('SELECT premium_key, state, received, outstanding, last_received_on, reversals, days_overdue FROM crm_bi.premium ORDER BY 1',
                  $$VALUES ('101/1', 'paid', 1000.00, 0.00, '2024-03-09'::date, 0, 0), ('101/2', 'late', 0.00, 1000.00, NULL, 1, 121), ('101/3', 'ahead', 0, 1000.00, NULL, 0, 0),
                           ('102/1', 'due', 0, 500.00, NULL, 0, 29), ('102/2', 'due', 0, 500.00, NULL, 0, 0), ('102/3', 'due', 0, 500.00, NULL, 0, 60)$$, 'premiums paid, ahead, due and late');
SET LOCAL crm.as_of = '2025-03-10';
SELECT is((SELECT state FROM crm_bi.premium WHERE premium_key = '101/2'), 'paid', 'paid until the receipt bounced');
SET LOCAL crm.as_of = '2025-07-01';
SELECT results_eq($$SELECT state FROM crm_bi.premium WHERE policy_id = 102 ORDER BY number$$, ARRAY['due', 'paid', 'late'], 'late on the day after the grace');
SET LOCAL crm.as_of = '2025-06-30';
SELECT pg_temp.refused(format('INSERT INTO crm.premium_receipt (customer_id, policy_id, number, received_on, amount, reverses, reason) VALUES (1, 101, %s)', v), c, w, d)
FROM (VALUES ('9, ''2025-01-01'', 1, NULL, NULL', '23503', 'premium_receipt', 'a receipt of no payment'), ('1, ''2025-01-01'', 0, NULL, NULL', '23514', 'amount', 'a receipt of 0'),
             ('1, ''2025-01-01'', 400, 1, NULL', '23514', 'reversal', 'a reversal for no reason'), ('1, ''2025-01-01'', 399, 1, ''x''', '23514', 'does not fit', 'a reversal of a part'),
             ('2, ''2025-01-01'', 400, 1, ''x''', '23514', 'does not fit', 'a reversal of another payment'), ('1, ''2024-03-01'', 400, 1, ''x''', '23514', 'does not fit', 'a reversal before the receipt'),
             ('2, ''2025-04-01'', 1000, 3, ''x''', '23505', 'reverses', 'a second reversal'), ('2, ''2025-04-01'', 1000, 4, ''x''', '23514', 'is a reversal itself', 'a reversal of a reversal'),
             ('1, ''2025-01-01'', 1, 99, ''x''', '23503', 'premium_receipt', 'a reversal of nothing')) b (v, c, w, d);
SELECT pg_temp.refused('UPDATE crm.premium_receipt SET amount = 1 WHERE id = 1', '23514', 'cannot be changed', 'a receipt does not change');
SELECT pg_temp.refused('DELETE FROM crm.premium_due WHERE policy_id = 101 AND number = 1', '23503', 'premium_receipt', 'what was received for stays');
SELECT pg_temp.refused('INSERT INTO crm.premium_due (customer_id, policy_id, number, due_on, amount) VALUES (2, 101, 9, ''2025-01-01'', 1)', '23503', 'premium_due', 'a premium of the policy of somebody else');

INSERT INTO crm.policy_claim (customer_id, policy_id, id, insured_id, kind, occurred_on, reported_on, claimed_amount, outcome, decided_on, reason, paid_amount, paid_on) VALUES
  (1, 101, 1, 1, 'hospital', '2025-01-01', '2025-01-03', 5000, 'partly', '2025-01-13', 'not covered', 3000, '2025-01-14'), (21, 103, 2, 5, 'accident', '2025-06-01', '2025-06-01', NULL, NULL, NULL, NULL, NULL, NULL);
SELECT results_eq('SELECT claim_key, outcome, days_to_decision, paid_amount FROM crm_bi.claim ORDER BY 1', $$VALUES ('101/1', 'partly', 10, 3000.00), ('103/2', 'open', NULL, NULL)$$, 'claims');
SELECT pg_temp.refused(format('INSERT INTO crm.policy_claim (customer_id, policy_id, kind, occurred_on, reported_on, %s) VALUES (21, 103, ''accident'', ''2025-01-02'', ''2025-01-02'', %s)', f, v), c, w, d)
FROM (VALUES ('insured_id', '7', '23514', 'is not insured', 'a person not insured'), ('outcome', '''accepted''', '23514', 'closed', 'decided on no day'), ('decided_on', '''2025-01-03''', '23514', 'closed', 'a day of no decision'),
             ('outcome, decided_on, reason', '''refused'', ''2025-01-01'', ''x''', '23514', 'closed', 'decided before reported'), ('outcome, decided_on', '''refused'', ''2025-01-03''', '23514', 'unpaid', 'refused for no reason'),
             ('outcome, decided_on, reason, paid_on, paid_amount', '''refused'', ''2025-01-03'', ''x'', ''2025-01-03'', 1', '23514', 'paid', 'refused and paid'), ('paid_on, paid_amount', '''2025-01-03'', 1', '23514', 'paid', 'paid while open'),
             ('claimed_amount', '-1', '23514', 'claimed', 'claimed below 0')) b (f, v, c, w, d);
SELECT pg_temp.refused($$INSERT INTO crm.policy_claim (customer_id, policy_id, kind, occurred_on, reported_on) VALUES (1, 101, 'death', '2025-01-02', '2025-01-01')$$, '23514', 'reported', 'reported before it happened');

INSERT INTO crm.service_order (customer_id, policy_id, id, kind, applicant, applied_at, result, ended_at) VALUES
  (1, 101, 1, 'reinstatement', 'policyholder', '2025-01-01 09:00+08', 'done', '2025-01-03 15:00+08'), (1, 101, 2, 'surrender', 'policyholder', '2025-02-01 09:00+08', NULL, NULL);
INSERT INTO crm.service_order_step (customer_id, policy_id, order_id, number, step, staff_id, started_at, ended_at, result) VALUES
  (1, 101, 1, 1, 'intake', 1, '2025-01-01 09:00+08', '2025-01-01 10:00+08', 'returned'), (1, 101, 1, 2, 'intake', 1, '2025-01-02 09:00+08', '2025-01-02 10:00+08', 'passed'), (1, 101, 2, 1, 'intake', 1, '2025-02-01 09:00+08', NULL, NULL);
SELECT results_eq('SELECT service_order_key, kind_name_zh, result, hours_taken, steps, steps_returned, current_step FROM crm_bi.service_order ORDER BY 1',
                  $$VALUES ('101/1', '复效', 'done', 54.00, 2, 1, NULL), ('101/2', '退保', 'open', NULL, 1, 0, 'intake')$$, 'servicing orders with their steps');
SELECT pg_temp.refused($$INSERT INTO crm.service_order (customer_id, policy_id, kind, applicant, applied_at) VALUES (1, 101, 'dance', 'policyholder', '2025-01-01')$$, '23503', 'kind', 'an order of no kind');
SELECT pg_temp.refused($$INSERT INTO crm.service_order (customer_id, policy_id, kind, applicant, applied_at) VALUES (1, 101, 'surrender', 'proxy', '2025-01-01')$$, '23514', 'proxy', 'a proxy without name');
SELECT pg_temp.refused($$UPDATE crm.service_order SET result = 'refused', ended_at = '2025-03-01' WHERE id = 2$$, '23514', 'refused', 'refused for no reason');
SELECT pg_temp.refused($$UPDATE crm.service_order SET result = 'done' WHERE id = 2$$, '23514', 'ended', 'done at no time');
SELECT pg_temp.refused($$UPDATE crm.service_order_step SET result = 'passed', ended_at = '2025-01-01' WHERE order_id = 2$$, '23514', 'ended', 'a step that ends before it starts');

-- partners and prospects --------------------------------------------------------------------------

INSERT INTO crm.partner (id, code, name, kind, class, customer_id, contact_mobile, from_date, to_date) VALUES
  (1, 'tea', 'Tea house', 'merchant', 'A', 26, '+86 137 0000 0001', '2024-01-01', NULL), (2, 'cars', 'Car dealer', 'car_dealer', 'C', NULL, NULL, '2020-01-01', '2025-01-01');
INSERT INTO crm.partner_action (partner_id, id, kind, name, campaign, from_date, to_date, cost) VALUES (1, 1, 'contest', 'Painting', 'paint25', '2025-05-01', '2025-06-01', 800);
INSERT INTO crm.consent (customer_id, id, purpose, state, on_date, source) VALUES (12, 900, 'marketing', 'given', '2025-05-02', 'contest'), (12, 901, 'marketing', 'withdrawn', '2025-05-03', 'call');
INSERT INTO crm.policy (customer_id, id, product_id, channel_id, issued_on, premium) VALUES (12, 112, 1, 1, '2025-05-20', 1000), (13, 113, 1, 1, '2025-07-20', 1000), (14, 114, 1, 1, '2025-01-20', 1000), (15, 115, 1, 1, '2025-05-20', 1000);
INSERT INTO crm.policy_event (customer_id, policy_id, kind, on_date, reason) VALUES (15, 115, 'end', '2025-05-20', 'cancellation');
INSERT INTO crm.prospect (customer_id, id, source, entered_on, campaign, partner_id, action_id, consent_id) VALUES
  (12, 1, 'painting_contest', '2025-05-02', 'paint25', 1, 1, 900), (12, 2, 'hotline', '2025-05-25', NULL, NULL, NULL, NULL),
  (13, 3, 'partner_employee', '2025-05-02', NULL, 1, NULL, NULL), (14, 4, 'walk_in', '2025-05-02', NULL, NULL, NULL, NULL), (15, 5, 'merchant', '2025-05-02', NULL, 1, NULL, NULL);
INSERT INTO crm.appointment (customer_id, prospect_id, staff_id, at, callback_at, called_back_at, callback_result, result) VALUES
  (12, 1, 1, '2025-05-10 10:00+08', '2025-05-09 10:00+08', '2025-05-09 11:00+08', 'confirmed', 'kept'), (12, 1, 1, '2025-05-12 10:00+08', NULL, NULL, NULL, 'missed');
SELECT ok(crm.post() > 0, 'their policies are posted');
SELECT results_eq('SELECT prospect_key, has_consent, is_first, appointments, appointments_kept, converted_on, days_to_conversion FROM crm_bi.prospect ORDER BY 1',
                  $$VALUES ('12/1', true, true, 2, 1, '2025-05-20'::date, 18), ('12/2', false, false, 0, 0, NULL, NULL), ('13/3', false, true, 0, 0, NULL, NULL), ('14/4', false, true, 0, 0, NULL, NULL),
                           ('15/5', false, true, 0, 0, NULL, NULL)$$, 'who bought since: not before, not later than today, not void');
SELECT results_eq('SELECT code, is_active, actions, cost, prospects, customers, converted, last_prospect_on FROM crm_bi.partner ORDER BY 1',
                  $$VALUES ('cars', false, 0, 0.00, 0, 0, 0, NULL), ('tea', true, 1, 800.00, 3, 3, 1, '2025-05-02'::date)$$, 'what partners brought');
SELECT results_eq('SELECT is_running, prospects FROM crm_bi.partner_action', 'VALUES (false, 1)', 'and what an action brought');
SELECT is((SELECT contact_mobile::text FROM crm.partner WHERE id = 1), '13700000001', 'a mobile number in one form');
SELECT pg_temp.refused(format('INSERT INTO crm.prospect (customer_id, entered_on, source, %s) VALUES (16, ''2025-05-02'', %s)', f, v), c, w, d)
FROM (VALUES ('partner_id', '''merchant'', NULL', '23502', 'needs a partner', 'a merchant without name'), ('introduced_by', '''referral'', NULL', '23502', 'who introduced', 'introduced by nobody'),
             ('introduced_by', '''referral'', 16', '23514', 'introduced', 'introduced by oneself'), ('action_id', '''activity'', 1', '23514', 'action', 'an action of no partner'),
             ('partner_id, action_id', '''merchant'', 2, 1', '23503', 'prospect', 'an action of another partner'), ('consent_id', '''activity'', 900', '23503', 'consent', 'the consent of somebody else'),
             ('note', '''dream'', ''x''', '23503', 'source', 'an unknown source')) b (f, v, c, w, d);
SELECT pg_temp.refused('UPDATE crm.prospect SET consent_id = 901 WHERE customer_id = 12 AND id = 2', '23514', 'was given', 'a withdrawal is no consent');
SELECT pg_temp.refused($$INSERT INTO crm.partner (code, name, kind, contact_mobile, from_date) VALUES ('x', 'x', 'bank', '123', '2025-01-01')$$, '22P02', '123', 'a partner with a wrong number');
SELECT pg_temp.refused($$INSERT INTO crm.partner (code, name, kind, class, from_date) VALUES ('x', 'x', 'bank', 'Z', '2025-01-01')$$, '23514', 'class', 'a partner of no class');
SELECT pg_temp.refused($$INSERT INTO crm.appointment (customer_id, at, callback_result) VALUES (12, '2025-01-01', 'confirmed')$$, '23514', 'callback', 'called back at no time');
SELECT pg_temp.refused($$INSERT INTO crm.appointment (customer_id, prospect_id, at) VALUES (13, 1, '2025-01-01')$$, '23503', 'appointment', 'an appointment of the prospect of somebody else');

-- keys move, customers go --------------------------------------------------------------------------

UPDATE crm.policy SET customer_id = 17 WHERE id = 101;
UPDATE crm.product_holding SET customer_id = 17 WHERE customer_id = 10;
UPDATE crm.prospect SET customer_id = 17, consent_id = NULL WHERE customer_id = 12;
SELECT results_eq($$SELECT count(*), count(*) FILTER (WHERE customer_id = 17) FROM (
                      SELECT customer_id FROM crm.premium_due WHERE policy_id = 101 UNION ALL SELECT customer_id FROM crm.premium_receipt WHERE policy_id = 101
                      UNION ALL SELECT customer_id FROM crm.policy_claim WHERE policy_id = 101 UNION ALL SELECT customer_id FROM crm.service_order UNION ALL SELECT customer_id FROM crm.service_order_step
                      UNION ALL SELECT customer_id FROM crm.product_balance WHERE holding_id < 4 UNION ALL SELECT customer_id FROM crm.product_holding_key) x$$,
                  'VALUES (19::bigint, 19::bigint)', 'what belongs to a policy or a holding goes with it to another customer');
SELECT is((SELECT count(*) FROM crm.appointment WHERE customer_id = 17 AND prospect_id = 1), 2::bigint, 'appointments follow their prospect');
DELETE FROM crm.customer WHERE id = 3;
SELECT is((SELECT count(*) FROM (SELECT customer_id FROM crm.contact_point UNION ALL SELECT customer_id FROM crm.relation_end UNION ALL SELECT other_id FROM crm.relation_end
                                 UNION ALL SELECT customer_id FROM crm.household_member UNION ALL SELECT customer_id FROM crm.customer_change) x WHERE customer_id = 3), 0::bigint, 'of a customer who is gone nothing stays');
SELECT pg_temp.refused('DELETE FROM crm.customer WHERE id = 17', '23503', 'customer', 'a customer with business stays');

-- rights and views ----------------------------------------------------------------------------------

CREATE ROLE crm_test_analyst; CREATE ROLE crm_test_sales; CREATE ROLE crm_test_manager; CREATE ROLE crm_test_loader;
CALL crm.grant_duty('analyst', 'crm_test_analyst');
CALL crm.grant_duty('sales', 'crm_test_sales');
CALL crm.grant_duty('manager', 'crm_test_manager');
CALL crm.grant_duty('loader', 'crm_test_loader');
CREATE TEMP VIEW data AS
SELECT c.oid, c.relname FROM pg_class c
WHERE c.relnamespace = 'crm'::regnamespace AND c.relname IN ('customer_change', 'contact_point', 'consent', 'do_not_contact', 'profile_code', 'profile', 'relation_kind', 'relation', 'relation_end', 'household',
  'household_member', 'asset', 'debt', 'cover_elsewhere', 'product_category', 'product_holding', 'product_holding_key', 'product_balance', 'need', 'premium_due', 'premium_receipt', 'policy_claim', 'service_order_kind',
  'service_order', 'service_order_step', 'blacklist', 'partner', 'partner_action', 'prospect_source', 'prospect', 'appointment');
SELECT is((SELECT count(*) FROM data), 31::bigint, 'all are there');
SELECT is_empty($$SELECT relname FROM data WHERE NOT has_table_privilege('crm_test_manager', oid, 'SELECT')$$, 'a manager reads them');
SELECT is_empty($$SELECT r.role, d.relname FROM data d, unnest('{crm_test_sales,crm_test_loader,crm_test_analyst}'::text[]) r (role)
                  WHERE has_table_privilege(r.role, d.oid, 'SELECT, INSERT, UPDATE, DELETE') OR has_any_column_privilege(r.role, d.oid, 'SELECT')$$, 'nobody else does');
SELECT is_empty($$SELECT relname FROM data WHERE has_table_privilege('crm_test_manager', oid, 'INSERT, UPDATE, DELETE')$$, 'nor does a manager write them by hand');
CREATE TEMP VIEW shown AS
SELECT c.oid, c.relname, (SELECT a.attname FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum = 1) AS key
FROM pg_class c WHERE c.relnamespace = 'crm_bi'::regnamespace AND c.relname IN ('contact_point', 'consent', 'do_not_contact', 'profile', 'relation', 'household_member', 'asset', 'debt', 'cover_elsewhere', 'blacklist', 'need',
  'product_category', 'product_holding', 'premium', 'claim', 'service_order', 'service_order_step', 'prospect', 'appointment', 'partner', 'partner_action', 'customer_change');
SELECT is((SELECT count(*) FROM shown), 22::bigint, 'and the views');
GRANT SELECT ON shown TO crm_test_analyst;
SET LOCAL ROLE crm_test_analyst;
CREATE TEMP TABLE counted AS SELECT s.relname, pg_temp.rows_of(s.relname, s.key) AS n FROM shown s;
RESET ROLE;
SELECT is_empty('SELECT relname, n FROM counted WHERE n[1] = 0', 'an analyst sees rows in every view');
SELECT is_empty('SELECT relname, n FROM counted WHERE n[1] <> n[2]', 'the first column of each is a key');
SELECT is_empty($$SELECT s.relname, a.attname FROM shown s JOIN pg_attribute a ON a.attrelid = s.oid AND a.attnum > 0 WHERE col_description(s.oid, a.attnum) !~ '[一-龥]'$$, 'every column is told in Chinese, too');
SELECT is_empty($$SELECT s.relname, a.attname FROM shown s JOIN pg_attribute a ON a.attrelid = s.oid WHERE a.attname IN ('value', 'old_value', 'new_value') AND s.relname <> 'asset'$$, 'no numbers, addresses or old values');
SET LOCAL ROLE crm_test_sales;
SELECT is(crm.contact_obstacle(6, '2025-06-30', 'service', 'call'), 'do not contact', 'sales asks before a call');
SELECT ok(crm.is_blacklisted(8, '2025-06-30'), 'and before a sale');
SELECT throws_ok('SELECT * FROM crm.profile', '42501', NULL, 'but reads no profiles');
RESET ROLE;

RESET ROLE;
SELECT crm.post();
SELECT is_empty('SELECT * FROM crm.check()', 'what must hold holds');
SELECT * FROM finish();
ROLLBACK;
