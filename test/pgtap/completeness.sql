-- Completeness against a count of one customer and field after another; standards, supervision, months, verification and
-- correction; what is refused.
\set ON_ERROR_STOP on
SET client_min_messages = warning;
\ir ../oracle/oracle.sql
\ir ../oracle/random_book.sql
BEGIN;
SELECT no_plan();
SET LOCAL client_min_messages = warning;
\ir include/helpers.sql


-- sets of fields --------------------------------------------------------------

SELECT is(crm._mask_sum(5, '{1,10,100}'), 101::bigint, 'bits count from the first element');
SELECT is(crm._mask_sum(9223372036854775807, '{1,NULL,100}'), 101::bigint, 'bits without an element weigh nothing');
SELECT is(crm._mask_sum(3, '{}'), 0::bigint, 'nothing weighs nothing');
SELECT is(crm._mask_names(6, '{a,b,NULL,d}', ', '), 'b', 'nor have they names');
SELECT is(crm._mask_names(11, '{a,b,c,d}', '、'), 'a、b、d', 'names are told in order');
SELECT is(crm._mask_names(0, '{a}', ','), '', 'or none');
SELECT throws_ok(format('SELECT crm.%s', s), c, NULL, s) FROM (VALUES
  ($$_mask_sum(-1, '{1}')$$, '22023'), ($$_mask_sum(1, '{{1},{2}}')$$, '2202E'), ($$_mask_sum(1, '[0:1]={1,2}')$$, '2202E'),
  ($$_mask_sum(3, '{9223372036854775807,1}')$$, '22003'), ($$_mask_names(-1, '{a}', ',')$$, '22023'), ($$_mask_names(1, '{{a}}', ',')$$, '2202E')) b (s, c);

-- a random book with random data ---------------------------------------------

CALL oracle.random_book(21, 400, '2010-01-01', '2020-12-31');
INSERT INTO crm.staff (id, code, name, org_id, channel_id, joined_on, login) VALUES (1, 's1', 'One', 104, 1, '2020-01-01', 'one'), (2, 's2', 'Two', 112, 1, '2020-01-01', NULL);
UPDATE crm.customer c SET resident_id = '11010519491231002X' WHERE c.kind = 'person' AND oracle.rnd(1, 'id', c.id, 3) = 0;
UPDATE crm.customer c SET birth_date = '1970-01-01', sex = 'male' WHERE c.kind = 'person' AND oracle.rnd(1, 'birth', c.id, 3) = 0;
INSERT INTO crm.contact_point (customer_id, kind, value, wrong, valid_from, valid_to)
SELECT c.id, k, CASE k WHEN 'mobile' THEN '13812345678' WHEN 'phone' THEN '028-81234567' WHEN 'email' THEN 'a@b.cn' ELSE 'Road 1' END,
       oracle.rnd(j, 'wrong', c.id, 4) = 0, CASE WHEN oracle.rnd(j, 'from', c.id, 3) = 0 THEN '2018-01-01'::date + oracle.rnd(j, 'f', c.id, 900)::integer END,
       CASE WHEN oracle.rnd(j, 'to', c.id, 3) = 0 THEN '2020-12-30'::date + oracle.rnd(j, 't', c.id, 3)::integer END
FROM crm.customer c, unnest('{mobile,phone,address,email,mobile}'::text[]) WITH ORDINALITY u (k, j) WHERE oracle.rnd(j, 'has', c.id, 2) = 0;
INSERT INTO crm.profile (customer_id, industry, asset_band, income_band, investable_amount, debt_amount, employment_status, position_type, employer, marital_status, social_role, children, education)
SELECT c.id, CASE WHEN r.b[1] THEN 'trade' END, CASE WHEN r.b[2] THEN 'a1' END, CASE WHEN r.b[3] THEN 'i1' END, CASE WHEN r.b[4] THEN 0 END, CASE WHEN r.b[5] THEN 5 END,
       CASE WHEN p AND r.b[6] THEN 'employed' END, CASE WHEN p AND r.b[7] THEN 'clerk' END, CASE WHEN p AND r.b[8] THEN 'Works' END,
       CASE WHEN p AND r.b[9] THEN (SELECT min(x.code) FROM crm.profile_code x WHERE x.field = 'marital_status') END,
       CASE WHEN p AND r.b[10] THEN (SELECT min(x.code) FROM crm.profile_code x WHERE x.field = 'social_role') END, CASE WHEN p AND r.b[11] THEN 0 END, CASE WHEN p AND r.b[12] THEN 'college' END
FROM (SELECT x.id, x.kind = 'person' AS p FROM crm.customer x) c
CROSS JOIN LATERAL (SELECT array_agg(oracle.rnd(j, 'profile', c.id, 3) > 0 ORDER BY j) AS b FROM generate_series(1, 12) j) r
WHERE oracle.rnd(1, 'profile', c.id, 5) > 0;
INSERT INTO crm.relation (customer_id, kind, other_id, from_date, to_date)
SELECT c.id, k.kind, o.id, CASE WHEN oracle.rnd(2, 'since', c.id, 2) = 0 THEN '2020-12-31'::date + oracle.rnd(3, 'since', c.id, 2)::integer END, NULL
FROM crm.customer c CROSS JOIN LATERAL (SELECT oracle.pick(1, 'relation', c.id, ARRAY['spouse', 'friend', 'parent', 'contact_person', 'legal_representative', 'employee', NULL]) AS kind) k
JOIN crm.relation_kind n ON k.kind IN (n.code, n.inverse)
CROSS JOIN LATERAL (SELECT x.id FROM crm.customer x WHERE x.id > c.id
                      AND x.kind = CASE WHEN k.kind IN ('contact_person', 'legal_representative') THEN 'company' WHEN k.kind = 'employee' THEN 'company' ELSE 'person' END ORDER BY x.id LIMIT 1) o
WHERE c.kind = 'person';
INSERT INTO crm.household (id, name) VALUES (1, 'H');
INSERT INTO crm.household_member (customer_id, from_date, household_id, role)
SELECT c.id, '2015-01-01'::date, 1, 'other' FROM crm.customer c WHERE c.kind = 'person' AND oracle.rnd(1, 'household', c.id, 4) = 0
UNION ALL SELECT c.id, '2020-12-31', NULL, NULL FROM crm.customer c WHERE c.kind = 'person' AND oracle.rnd(1, 'household', c.id, 8) = 0
UNION ALL SELECT c.id, '2021-01-01', 1, 'head' FROM crm.customer c WHERE c.kind = 'person' AND oracle.rnd(1, 'household', c.id, 4) = 1;
INSERT INTO crm.asset (customer_id, kind, owned_from, owned_to, source)
SELECT c.id, 'deposit', CASE WHEN c.id % 2 = 0 THEN '2020-12-31'::date END, CASE WHEN c.id % 7 = 0 THEN '2020-12-31'::date + 1 WHEN c.id % 5 = 0 THEN '2021-01-01' END, 'visit'
FROM crm.customer c WHERE oracle.rnd(1, 'asset', c.id, 3) = 0;
INSERT INTO crm.debt (customer_id, kind, amount, stated_on, repaid_on, source)
SELECT c.id, 'mortgage', 1, '2020-12-30'::date + (c.id % 3)::integer, CASE WHEN c.id % 4 = 0 THEN '2020-12-31'::date WHEN c.id % 4 = 1 THEN '2021-01-01'::date END, 'visit'
FROM crm.customer c WHERE oracle.rnd(1, 'debt', c.id, 3) = 0;
INSERT INTO crm.cover_elsewhere (customer_id, kind, from_date, to_date, source)
SELECT c.id, 'health', CASE WHEN c.id % 2 = 0 THEN '2020-12-31'::date + (c.id % 2)::integer END, CASE WHEN c.id % 4 = 0 THEN '2021-01-01'::date WHEN c.id % 4 = 1 THEN '2020-12-31' END, 'visit'
FROM crm.customer c WHERE oracle.rnd(1, 'cover', c.id, 3) = 0;
INSERT INTO crm.need (customer_id, kind, what, noted_on, closed_on, outcome, source)
SELECT c.id, oracle.pick(1, 'need', c.id, ARRAY['need', 'preference']), 'x', '2020-12-01', CASE WHEN c.id % 3 = 0 THEN '2020-12-31'::date END, CASE WHEN c.id % 3 = 0 THEN 'met' END, 'visit'
FROM crm.customer c WHERE oracle.rnd(1, 'needs', c.id, 3) = 0;
INSERT INTO crm.consent (customer_id, purpose, state, on_date, source) SELECT c.id, 'marketing', 'given', '2020-12-31'::date + (c.id % 2)::integer, 'form' FROM crm.customer c WHERE c.id % 3 = 0;
INSERT INTO crm.product_holding (customer_id, category_id, opened_on, closed_on)
SELECT c.id, (SELECT min(x.id) FROM crm.product_category x), '2020-01-01', CASE WHEN c.id % 2 = 0 THEN '2020-12-31'::date END FROM crm.customer c WHERE c.id % 5 = 0;
INSERT INTO crm.field_check (customer_id, field, outcome, occasion, staff_id, new_value, checked_on)
SELECT c.id, f.code, o.outcome, 'review', 1, CASE o.outcome WHEN 'corrected' THEN 'x' END, o.day
FROM crm.customer c CROSS JOIN crm.completeness_field f CROSS JOIN generate_series(1, 2) j
CROSS JOIN LATERAL (SELECT oracle.pick(j, f.code, c.id, ARRAY['none', 'right', 'corrected', NULL, NULL, NULL]) AS outcome, '2020-12-30'::date + oracle.rnd(j, f.code || 'd', c.id, 3)::integer AS day) o
WHERE o.outcome IS NOT NULL ORDER BY c.id, j, f.code;
CALL crm.rebuild('2020-12-31', NULL);

-- standards that change with days and tiers
INSERT INTO crm.completeness_standard (kind, tier, field, weight, valid_from) VALUES
  ('person', 'gold', 'email', 2.5, '2015-01-01'), ('person', 'gold', 'name', 0, '2015-01-01'), ('person', 'platinum', 'consent', 0.125, '2020-12-31'), ('person', 'platinum', 'debts', 7, '2021-01-01'),
  ('person', NULL, 'sex', 1.333, '2020-12-31'), ('person', NULL, 'birth_date', 4, '2021-01-01'), ('person', NULL, 'income_band', 0, '2020-12-31'), ('person', 'none', 'income_band', 2, '2019-01-01'),
  ('company', 'lead', 'products', 3, '2020-01-01'), ('company', NULL, 'name', 2, '2018-01-01'), ('company', NULL, 'name', 1.5, '2020-12-31'), ('person', 'iron', 'employer', 1, '2000-01-01');

CREATE TEMP TABLE naive (day date, customer_id bigint, kind text, org_id bigint, channel text, tier text, field text, weight numeric, filled boolean);
CREATE FUNCTION pg_temp.has(c crm.customer, field text, day date) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  p crm.profile;
  r record;
  last crm.field_check;
BEGIN
  FOR last IN SELECT x.* FROM crm.field_check x WHERE x.customer_id = c.id AND x.field = has.field AND x.checked_on <= day ORDER BY x.id LOOP
    NULL;
  END LOOP;
  IF last.outcome = 'none' THEN
    RETURN true;
  END IF;
  SELECT * INTO p FROM crm.profile x WHERE x.customer_id = c.id;
  CASE has.field
    WHEN 'name' THEN RETURN c.name IS NOT NULL;
    WHEN 'resident_id' THEN RETURN c.resident_id IS NOT NULL;
    WHEN 'birth_date' THEN RETURN c.resident_id IS NOT NULL OR c.birth_date IS NOT NULL;
    WHEN 'sex' THEN RETURN c.resident_id IS NOT NULL OR c.sex IS NOT NULL;
    WHEN 'phone', 'address', 'email' THEN
      FOR r IN SELECT * FROM crm.contact_point x WHERE x.customer_id = c.id LOOP
        IF (r.kind = has.field OR has.field = 'phone' AND r.kind = 'mobile') AND NOT r.wrong
           AND (r.valid_from IS NULL OR r.valid_from <= day) AND (r.valid_to IS NULL OR day < r.valid_to) THEN
          RETURN true;
        END IF;
      END LOOP;
      RETURN false;
    WHEN 'employment_status' THEN RETURN p.employment_status IS NOT NULL;
    WHEN 'position_type' THEN RETURN p.position_type IS NOT NULL;
    WHEN 'industry' THEN RETURN p.industry IS NOT NULL;
    WHEN 'employer' THEN RETURN p.employer IS NOT NULL OR EXISTS (SELECT FROM crm_bi.relation x WHERE x.customer_id = c.id AND x.other_is = 'employer' AND (x.from_date IS NULL OR x.from_date <= day));
    WHEN 'marital_status' THEN RETURN p.marital_status IS NOT NULL OR EXISTS (SELECT FROM crm_bi.relation x WHERE x.customer_id = c.id AND x.other_is = 'spouse' AND (x.from_date IS NULL OR x.from_date <= day));
    WHEN 'family' THEN
      IF EXISTS (SELECT FROM crm_bi.relation x WHERE x.customer_id = c.id AND x.other_is IN ('spouse', 'parent', 'child', 'sibling', 'grandparent', 'grandchild') AND (x.from_date IS NULL OR x.from_date <= day)) THEN
        RETURN true;
      END IF;
      RETURN coalesce((SELECT x.household_id IS NOT NULL FROM crm.household_member x WHERE x.customer_id = c.id AND x.from_date <= day ORDER BY x.from_date DESC LIMIT 1), false);
    WHEN 'social_role' THEN RETURN p.social_role IS NOT NULL;
    WHEN 'children' THEN RETURN p.children IS NOT NULL;
    WHEN 'education' THEN RETURN p.education IS NOT NULL;
    WHEN 'asset_band' THEN RETURN p.asset_band IS NOT NULL OR EXISTS (SELECT FROM crm.asset x WHERE x.customer_id = c.id AND coalesce(x.owned_from, '1800-01-01') <= day AND coalesce(x.owned_to, '2300-01-01') > day);
    WHEN 'income_band' THEN RETURN p.income_band IS NOT NULL;
    WHEN 'investable_amount' THEN RETURN p.investable_amount IS NOT NULL;
    WHEN 'debts' THEN RETURN p.debt_amount IS NOT NULL OR EXISTS (SELECT FROM crm.debt x WHERE x.customer_id = c.id AND x.stated_on <= day AND coalesce(x.repaid_on, '2300-01-01') > day);
    WHEN 'needs' THEN RETURN EXISTS (SELECT FROM crm.need x WHERE x.customer_id = c.id AND x.noted_on <= day AND coalesce(x.closed_on, '2300-01-01') > day);
    WHEN 'cover_elsewhere' THEN RETURN EXISTS (SELECT FROM crm.cover_elsewhere x WHERE x.customer_id = c.id AND coalesce(x.from_date, '1800-01-01') <= day AND coalesce(x.to_date, '2300-01-01') > day);
    WHEN 'consent' THEN RETURN EXISTS (SELECT FROM crm.consent x WHERE x.customer_id = c.id AND x.on_date <= day);
    WHEN 'contact_person', 'legal_representative' THEN
      RETURN EXISTS (SELECT FROM crm_bi.relation x WHERE x.customer_id = c.id AND x.other_is = has.field AND (x.from_date IS NULL OR x.from_date <= day));
    WHEN 'products' THEN RETURN EXISTS (SELECT FROM crm.policy x WHERE x.customer_id = c.id AND x.issued_on <= day)
                             OR EXISTS (SELECT FROM crm.product_holding x WHERE x.customer_id = c.id AND x.opened_on <= day AND coalesce(x.closed_on, '2300-01-01') > day);
  END CASE;
END
$$;
CREATE PROCEDURE pg_temp.count_naively(day date) LANGUAGE plpgsql AS $$
DECLARE
  c crm.customer;
  f crm.completeness_field;
  s crm.completeness_standard;
  st record;
  weight numeric;
BEGIN
  FOR c IN SELECT * FROM crm.customer LOOP
    SELECT x.org_id, x.channel, x.tier INTO st FROM crm_bi.standing x WHERE x.customer_id = c.id AND x.valid_from <= day AND coalesce(x.valid_to, '2300-01-01') > day;
    FOR f IN SELECT * FROM crm.completeness_field LOOP
      weight := NULL;
      FOR s IN SELECT * FROM crm.completeness_standard x WHERE x.kind = c.kind AND x.field = f.code AND x.tier = coalesce(st.tier, 'none') AND x.valid_from <= day ORDER BY x.valid_from LOOP
        weight := s.weight;
      END LOOP;
      IF weight IS NULL THEN
        FOR s IN SELECT * FROM crm.completeness_standard x WHERE x.kind = c.kind AND x.field = f.code AND x.tier IS NULL AND x.valid_from <= day ORDER BY x.valid_from LOOP
          weight := s.weight;
        END LOOP;
      END IF;
      INSERT INTO naive VALUES (day, c.id, c.kind, st.org_id, st.channel, st.tier, f.code, coalesce(weight, 0), pg_temp.has(c, f.code, day));
    END LOOP;
  END LOOP;
END
$$;
CALL pg_temp.count_naively('2020-12-31');
CALL pg_temp.count_naively('2021-01-01');
CREATE TEMP VIEW naive_customer AS
SELECT n.day, n.customer_id, min(n.kind) AS kind, min(n.org_id) AS org_id, min(n.channel) AS channel, min(n.tier) AS tier,
       sum(n.weight) FILTER (WHERE n.filled) AS points, sum(n.weight) AS weight, round(sum(n.weight) FILTER (WHERE n.filled) * 100 / sum(n.weight), 2) AS score,
       coalesce(array_agg(n.field ORDER BY (SELECT f.bit FROM crm.completeness_field f WHERE f.code = n.field)) FILTER (WHERE NOT n.filled), '{}') AS missing
FROM naive n WHERE n.weight > 0 GROUP BY n.day, n.customer_id;
SELECT cmp_ok((SELECT count(DISTINCT n.score) FROM naive_customer n), '>', 100::bigint, 'the book has scores of all kinds');
SELECT results_eq(format('SELECT c.customer_id, c.points, c.weight, c.score, c.missing_fields FROM crm.completeness(%L) c ORDER BY 1', d),
                  format('SELECT n.customer_id, coalesce(n.points, 0), n.weight, coalesce(n.score, 0), n.missing FROM naive_customer n WHERE n.day = %L ORDER BY 1', d), 'every customer on ' || d)
FROM unnest('{2020-12-31,2021-01-01}'::date[]) d;
SELECT results_eq($$SELECT c.customer_id, c.score FROM crm.completeness('2020-12-31', '{1003,1009,1,NULL}') c ORDER BY 1$$,
                  $$SELECT n.customer_id, n.score FROM naive_customer n WHERE n.day = '2020-12-31' AND n.customer_id IN (1003, 1009) ORDER BY 1$$, 'or those asked for');
SELECT is((SELECT c.missing FROM crm.completeness('2020-12-31', ARRAY[n.customer_id]) c), (SELECT string_agg(f.name, ', ' ORDER BY f.bit) FROM crm.completeness_field f WHERE f.code = ANY (n.missing)), 'missing fields have English names')
FROM (SELECT * FROM naive_customer x WHERE x.day = '2020-12-31' AND cardinality(x.missing) > 2 ORDER BY x.customer_id LIMIT 1) n;
SET LOCAL crm.language = 'zh';
SELECT is((SELECT c.missing FROM crm.completeness('2020-12-31', ARRAY[n.customer_id]) c), (SELECT string_agg(f.name_zh, '、' ORDER BY f.bit) FROM crm.completeness_field f WHERE f.code = ANY (n.missing)), 'and Chinese ones')
FROM (SELECT * FROM naive_customer x WHERE x.day = '2020-12-31' AND cardinality(x.missing) > 2 ORDER BY x.customer_id LIMIT 1) n;
SELECT throws_ok('SET crm.language = ''fr''', '22023', NULL, 'there is no third language');
RESET crm.language;
SELECT is(crm.language(), 'en', 'English where none is asked for');
SET LOCAL DateStyle = 'German';
SELECT isnt_empty($$SELECT * FROM crm.completeness('2020-12-31')$$, 'however days are written');
RESET DateStyle;
SELECT throws_ok('SELECT * FROM crm.completeness(NULL)', '22004', NULL, 'on no day');
SELECT throws_ok('SELECT * FROM crm.completeness(''infinity'')', '22023', NULL, 'on no day of the calendar');
SET LOCAL crm.as_of = '2021-01-01';
SELECT is((SELECT count(*) FROM crm.completeness('2020-12-31') c JOIN naive_customer n USING (customer_id) WHERE n.day = '2020-12-31' AND c.score = coalesce(n.score, 0)),
          (SELECT count(*) FROM crm.customer), 'the day asked for counts, not the day set');
SELECT is(current_setting('crm.as_of'), '2021-01-01', 'which stays');

-- sums: the views of 2021-01-01 ------------------------------------------------

CREATE TEMP VIEW counted AS SELECT * FROM naive_customer n WHERE n.day = '2021-01-01' AND n.tier IS NOT NULL;
CREATE FUNCTION pg_temp.below(unit bigint) RETURNS SETOF bigint LANGUAGE sql AS $$
  WITH RECURSIVE t AS (SELECT unit AS id UNION ALL SELECT o.id FROM t JOIN crm.organisation o ON o.parent_id = t.id) SELECT t.id FROM t
$$;
SELECT isnt((SELECT count(*) FROM counted), (SELECT count(*) FROM crm.customer), 'some customers are not known yet');
SELECT results_eq('SELECT c.customer_id, c.kind, c.org_id, c.channel, c.tier, c.score, c.is_complete, c.missing_count FROM crm_bi.completeness c WHERE c.counted ORDER BY 1',
                  'SELECT n.customer_id, n.kind, n.org_id, n.channel, n.tier, coalesce(n.score, 0), n.missing = ''{}'', cardinality(n.missing) FROM counted n ORDER BY 1', 'by customer');
SELECT results_eq('SELECT u.org_id, u.channel, u.kind, u.tier, u.customers, u.complete_customers, u.score_sum, u.points, u.weight FROM crm_bi.completeness_unit_own u ORDER BY 1, 2, 3, 4',
                  $$SELECT n.org_id, n.channel, n.kind, n.tier, count(*), count(*) FILTER (WHERE n.missing = '{}'), sum(coalesce(n.score, 0)), sum(coalesce(n.points, 0)), sum(n.weight)
                    FROM counted n GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4$$, 'by unit itself');
SELECT results_eq('SELECT u.org_id, u.kind, sum(u.customers)::bigint, sum(u.score_sum), sum(u.score_sum) / sum(u.customers) FROM crm_bi.completeness_unit u GROUP BY 1, 2 ORDER BY 1, 2',
                  $$SELECT o.id, n.kind, count(*), sum(coalesce(n.score, 0)), avg(coalesce(n.score, 0)) FROM crm.organisation o JOIN counted n ON n.org_id IN (SELECT pg_temp.below(o.id)) GROUP BY 1, 2 ORDER BY 1, 2$$,
                  'by unit with its subtree');
SELECT results_eq('SELECT g.org_id, g.channel, g.kind, g.tier, g.field, g.customers, g.missing_customers FROM crm_bi.completeness_gap g ORDER BY 1, 2, 3, 4, 5',
                  $$SELECT n.org_id, n.channel, n.kind, n.tier, n.field, count(*), count(*) FILTER (WHERE NOT n.filled) FROM naive n
                    WHERE n.day = '2021-01-01' AND n.weight > 0 AND n.tier IS NOT NULL GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5$$, 'by field');
SELECT results_eq('SELECT f.customer_id, f.field, f.required, f.weight, f.filled FROM crm_bi.customer_field f ORDER BY 1, 2',
                  $$SELECT n.customer_id, n.field, n.weight > 0, n.weight, n.filled FROM naive n WHERE n.day = '2021-01-01' AND (n.weight > 0 OR n.filled) ORDER BY 1, 2$$, 'by customer and field');

-- nothing required, nothing to score
DELETE FROM crm.completeness_standard WHERE kind = 'company';
SELECT is_empty($$SELECT * FROM crm.completeness('2021-01-01') c JOIN crm.customer k ON k.id = c.customer_id WHERE k.kind = 'company' AND (c.score IS NOT NULL OR c.weight IS NOT NULL OR c.missing <> '')$$, 'without a standard nothing is scored');
SELECT is_empty($$SELECT * FROM crm_bi.completeness_unit WHERE kind = 'company'$$, 'nor counted');

-- fields ---------------------------------------------------------------------

INSERT INTO crm.completeness_field (code, name, name_zh, found_in) VALUES ('wechat', 'WeChat', '微信', '{contact_point.wechat,contact_point.qq}');
SELECT is((SELECT bit FROM crm.completeness_field WHERE code = 'wechat'), 26::smallint, 'a field gets the first free bit');
SELECT is(split_part(pg_temp.refusal(s), ' ', 1), c, s) FROM (VALUES
  ($$INSERT INTO crm.completeness_field (code, bit, name, name_zh, found_in) VALUES ('x', 0, 'x', 'x', '{customer.name}')$$, '23505'),
  ($$INSERT INTO crm.completeness_field (code, bit, name, name_zh, found_in) VALUES ('x', 63, 'x', 'x', '{customer.name}')$$, '23514'),
  ($$INSERT INTO crm.completeness_field (code, name, name_zh, found_in) VALUES ('x', 'x', 'x', '{customer.version}')$$, '22023'),
  ($$INSERT INTO crm.completeness_field (code, name, name_zh, found_in) VALUES ('x', 'x', 'x', '{"profile.x; DROP TABLE crm.customer"}')$$, '22023'),
  ($$INSERT INTO crm.completeness_field (code, name, name_zh, found_in) VALUES ('x', 'x', 'x', '{pg_authid.rolpassword}')$$, '22023'),
  ($$INSERT INTO crm.completeness_field (code, name, name_zh, found_in) VALUES ('x', 'x', 'x', '{NULL}')$$, '22023'),
  ($$INSERT INTO crm.completeness_field (code, name, name_zh, found_in) VALUES ('x', 'x', 'x', '{}')$$, '23514'),
  ($$INSERT INTO crm.completeness_field (code, name, name_zh, found_in) VALUES ('x', 'x', 'x', NULL)$$, '23502'),
  ($$INSERT INTO crm.completeness_field (code, name, name_zh, found_in) VALUES ('name', 'x', 'x', '{customer.name}')$$, '23505'),
  ($$INSERT INTO crm.completeness_field (code, name, name_zh, found_in) VALUES ('X', 'x', 'x', '{customer.name}')$$, '23514'),
  ($$INSERT INTO crm.completeness_field (code, name, name_zh, found_in) VALUES ('x', ' ', 'x', '{customer.name}')$$, '23514'),
  ($$INSERT INTO crm.completeness_field (code, name, name_zh, found_in) SELECT 'x' || i, 'x' || i, 'x' || i, '{customer.name}' FROM generate_series(1, 37) i$$, '54000'),
  ($$DELETE FROM crm.completeness_field WHERE code = 'name'$$, '23503'),
  ($$INSERT INTO crm.completeness_standard (kind, field, weight) VALUES ('person', 'shoe_size', 1)$$, '23503'),
  ($$INSERT INTO crm.completeness_standard (kind, field, weight) VALUES ('person', 'wechat', -1)$$, '23514'),
  ($$INSERT INTO crm.completeness_standard (kind, field, weight) VALUES ('person', 'wechat', 'NaN')$$, '23514'),
  ($$INSERT INTO crm.completeness_standard (kind, field, weight) VALUES ('person', 'wechat', 1000000)$$, '22003'),
  ($$INSERT INTO crm.completeness_standard (kind, field, weight) VALUES ('person', 'wechat', NULL)$$, '23502'),
  ($$INSERT INTO crm.completeness_standard (kind, field, weight) VALUES ('dog', 'wechat', 1)$$, '23514'),
  ($$INSERT INTO crm.completeness_standard (kind, field, weight, tier) VALUES ('person', 'wechat', 1, 'tin')$$, '22023'),
  ($$INSERT INTO crm.completeness_standard (kind, field, weight) VALUES ('person', 'name', 2)$$, '23505'),
  ($$INSERT INTO crm.completeness_standard (kind, field, weight, valid_from) VALUES ('person', 'wechat', 1, 'infinity')$$, '23514')) b (s, c);
INSERT INTO crm.completeness_field (code, name, name_zh, found_in) SELECT 'x' || i, 'x' || i, 'x' || i, '{customer.name}' FROM generate_series(1, 36) i;
INSERT INTO crm.completeness_standard (kind, field, weight) SELECT 'company', f.code, 999999.999 FROM crm.completeness_field f;
SELECT is((SELECT max(c.weight) FROM crm.completeness('2021-01-01') c JOIN crm.customer k ON k.id = c.customer_id WHERE k.kind = 'company'), 63 * 999999.999, '63 fields of the greatest weight');
DELETE FROM crm.completeness_standard s WHERE s.field ~ '^x';
DELETE FROM crm.completeness_field f WHERE f.code ~ '^x';

-- verification and correction ------------------------------------------------------

RESET crm.as_of;
DELETE FROM crm.field_check;
INSERT INTO crm.customer (id, kind, name, org_id, source_channel_id, known_from) VALUES (1, 'person', 'Wang', 104, 1, '2020-01-01'), (2, 'company', 'Works', 104, 1, '2020-01-01');
SELECT crm.post() \gset
SELECT is(pg_temp.refusal(s), r, d) FROM (VALUES
  ($$SELECT crm.correct_field(1, 'phone', '+86 138-1234-5678', 1, 'claim', '101/3')$$, 'taken', 'a telephone number learnt at a claim'),
  ($$SELECT crm.correct_field(1, 'phone', '139 1234 5678', 1, 'servicing', 'S1', '13812345678')$$, 'taken', 'replaced at servicing'),
  ($$SELECT crm.correct_field(1, 'phone', '02881234567', 1, 'contact')$$, 'taken', 'a fixed line'),
  ($$SELECT crm.correct_field(1, 'phone', '138 1234 5678', 1, 'contact', NULL, '028-81234567')$$, 'taken', 'back to the first'),
  ($$SELECT crm.correct_field(1, 'resident_id', '11010519491231002x', 1, 'claim', '101/3')$$, 'taken', 'an ID number'),
  ($$SELECT crm.correct_field(1, 'name', 'Wang Fang', 1, 'servicing')$$, 'taken', 'a name'),
  ($$SELECT crm.correct_field(1, 'children', '2', 2, 'visit')$$, 'taken', 'children'),
  ($$SELECT crm.correct_field(1, 'children', '2', 2, 'visit')$$, 'taken', 'the same once more'),
  ($$SELECT crm.correct_field(1, 'children', NULL, 2, 'return_call')$$, 'taken', 'not true'),
  ($$SELECT crm.correct_field(2, 'industry', 'trade', 1, 'application')$$, 'taken', 'an industry'),
  ($$SELECT crm.verify_field(1, 'phone', 1, 'claim')$$, 'taken', 'verified'),
  ($$SELECT crm.verify_field(1, 'debts', 1, 'review', 'none')$$, 'taken', 'no debts'),
  ($$SELECT crm.verify_field(1, 'debts', 1, 'review', 'none')$$, 'taken', 'still none'),
  ($$SELECT crm.verify_field(1, 'phone', 1, 'claim', 'none')$$, '23514 customer "1" has telephone', 'none, though there is'),
  ($$SELECT crm.verify_field(1, 'email', 1, 'claim')$$, '23514 customer "1" has no e-mail to be right', 'right, though there is none'),
  ($$SELECT crm.verify_field(1, 'email', 1, 'claim', 'wrong')$$, '22023 outcome "wrong" is not known', 'an unknown outcome'),
  ($$SELECT crm.verify_field(1, 'shoe_size', 1, 'claim')$$, '22023 field "shoe_size" is not known', 'an unknown field'),
  ($$SELECT crm.verify_field(1, NULL, 1, 'claim')$$, '22023 field "<NULL>" is not known', 'no field'),
  ($$SELECT crm.verify_field(NULL, 'phone', 1, 'claim')$$, '22004 the customer must be given', 'no customer'),
  ($$SELECT crm.verify_field(99, 'phone', 1, 'claim')$$, '23503 there is no customer "99"', 'an unknown customer'),
  ($$SELECT crm.verify_field(1, 'phone', 99, 'claim')$$, '23503 there is no member of staff "99"', 'unknown staff'),
  ($$SELECT crm.correct_field(1, 'needs', 'a car', 1, 'visit')$$, '22023 field "needs" is kept in rows of its own', 'what is kept in rows'),
  ($$SELECT crm.correct_field(1, 'children', '3', 1, 'visit', NULL, '2')$$, '22023 field "children" has one value', 'a column replaces nothing'),
  ($$SELECT crm.correct_field(1, 'phone', '13912345678', 1, 'visit', NULL, '13700000000')$$, '22023 customer "1" has no contact point "13700000000"', 'an unknown number is not replaced'),
  ($$SELECT crm.correct_field(1, 'phone', NULL, 1, 'visit')$$, '22004 neither value nor replaced value given', 'neither the one nor the other'),
  ($$SELECT crm.correct_field(1, 'phone', 'none', 1, 'visit')$$, '22P02 invalid telephone number: "none"', 'no telephone number'),
  ($$SELECT crm.correct_field(1, 'phone', ' ', 1, 'visit')$$, '23514 the value of a correction is blank', 'a blank'),
  ($$SELECT crm.correct_field(1, 'education', 'nursery', 1, 'visit')$$, '23503 education "nursery" is not known', 'an unknown code'),
  ($$SELECT crm.correct_field(2, 'children', '1', 1, 'visit')$$, '23514 customer "2" is a company', 'children of a company')) v (s, r, d);
SELECT is(split_part(pg_temp.refusal(s), ' ', 1), c, s) FROM (VALUES
  ($$SELECT crm.correct_field(1, 'children', 'two', 1, 'visit')$$, '22P02'), ($$SELECT crm.correct_field(1, 'children', '99999999999', 1, 'visit')$$, '22003'),
  ($$SELECT crm.correct_field(1, 'name', NULL, 1, 'visit')$$, '23502'), ($$SELECT crm.correct_field(1, 'birth_date', '31.02.2020', 1, 'visit')$$, '22008'),
  ($$SELECT crm.correct_field(1, 'resident_id', '1', 1, 'visit')$$, '22P02'), ($$SELECT crm.correct_field(1, 'name', 'x', 1, 'party')$$, '23514'),
  ($$SELECT crm.correct_field(1, 'employer', '''); DROP TABLE crm.profile; --', 1, 'visit')$$, 'taken')) v (s, c);
SELECT results_eq('SELECT value, wrong, verified_source FROM crm.contact_point WHERE customer_id = 1 ORDER BY id',
                  $$VALUES ('13812345678', false, 'contact'), ('13912345678', false, 'servicing'), ('02881234567', true, 'contact')$$, 'numbers are kept in one form, wrong ones marked');
SELECT results_eq('SELECT field, outcome, occasion, reference, staff_id, old_value, new_value FROM crm.field_check WHERE customer_id = 1 ORDER BY id LIMIT 11',
  $$VALUES ('phone', 'corrected', 'claim', '101/3', 1::bigint, NULL, '13812345678'), ('phone', 'corrected', 'servicing', 'S1', 1, '13812345678', '13912345678'), ('phone', 'corrected', 'contact', NULL, 1, NULL, '02881234567'),
           ('phone', 'corrected', 'contact', NULL, 1, '02881234567', '13812345678'), ('resident_id', 'corrected', 'claim', '101/3', 1, NULL, '11010519491231002X'), ('name', 'corrected', 'servicing', NULL, 1, 'Wang', 'Wang Fang'),
           ('children', 'corrected', 'visit', NULL, 2, NULL, '2'), ('children', 'right', 'visit', NULL, 2, NULL, NULL), ('children', 'cleared', 'return_call', NULL, 2, '2', NULL), ('phone', 'right', 'claim', NULL, 1, NULL, NULL),
           ('debts', 'none', 'review', NULL, 1, NULL, NULL)$$, 'who heard what, when and on what occasion');
SELECT results_eq($$SELECT field, old_value, new_value FROM crm.customer_change WHERE customer_id = 1 AND field IN ('name', 'children', 'resident_id') ORDER BY id$$,
                  $$VALUES ('resident_id', NULL, '11010519491231002X'), ('name', 'Wang', 'Wang Fang'), ('children', '2', NULL)$$, 'changes are kept, too');
SELECT results_eq($$SELECT field, filled, verified_on = crm.today(), verified_source, verified_by FROM crm_bi.customer_field WHERE customer_id = 1 AND field IN ('phone', 'name', 'children', 'debts', 'resident_id', 'email') ORDER BY field$$,
                  $$VALUES ('children', false, true, 'visit', 2::bigint), ('debts', true, true, 'review', 1), ('name', true, true, 'servicing', 1), ('phone', true, true, 'claim', 1), ('resident_id', true, true, 'claim', 1)$$,
                  'each field tells its last verification');
UPDATE crm.contact_point SET verified_on = '2020-05-05', verified_source = 'call' WHERE customer_id = 1;
DELETE FROM crm.field_check WHERE customer_id = 1 AND field = 'phone';
SELECT results_eq($$SELECT verified_on, verified_source FROM crm_bi.customer_field WHERE customer_id = 1 AND field = 'phone'$$, $$VALUES ('2020-05-05'::date, 'call')$$, 'or that of the row it is found in');

-- supervision and months ---------------------------------------------------------------

INSERT INTO crm.supervision (org_id, from_date, supervisor_id) VALUES (101, '2020-01-01', 111), (103, '2020-01-01', 112), (103, '2021-01-01', NULL), (105, '2020-06-01', 113), (102, '2022-01-01', 114), (111, '2020-01-01', 101);
SELECT is(crm.supervisor_of(o, d::date), s::bigint, format('unit %s on %s', o, d)) FROM (VALUES
  (101, '2019-12-31', NULL), (101, '2020-01-01', 111), (102, '2021-12-31', 111), (102, '2022-01-01', 114), (103, '2020-12-31', 112), (103, '2021-01-01', NULL), (104, '2020-12-31', 112), (104, '2022-02-01', NULL),
  (105, '2020-05-31', 112), (105, '2022-01-01', 113), (106, '2020-06-01', 113), (112, '2020-06-01', 101), (99, '2020-06-01', NULL)) v (o, d, s);
SELECT is(split_part(pg_temp.refusal(s), ' ', 1), c, s) FROM (VALUES
  ($$INSERT INTO crm.supervision (org_id, from_date, supervisor_id) VALUES (101, '2020-02-01', 101)$$, '23514'), ($$INSERT INTO crm.supervision (org_id, from_date, supervisor_id) VALUES (101, '2020-02-01', 99)$$, '23503'),
  ($$INSERT INTO crm.supervision (org_id, from_date, supervisor_id) VALUES (101, '2020-01-01', 112)$$, '23505'), ($$INSERT INTO crm.supervision (org_id, from_date, supervisor_id) VALUES (101, 'infinity', 112)$$, '23514')) v (s, c);
SELECT results_eq('SELECT c.supervisor_id, c.org_id, sum(c.customers)::bigint, sum(c.score_sum) FROM crm_bi.completeness_supervisor c GROUP BY 1, 2 ORDER BY 2',
                  'SELECT crm.supervisor_of(u.org_id, crm.today()), u.org_id, sum(u.customers)::bigint, sum(u.score_sum) FROM crm_bi.completeness_unit_own u GROUP BY 1, 2 ORDER BY 2', 'sums by service centre');
SELECT is(crm.record_completeness(), (now() AT TIME ZONE 'Asia/Shanghai')::date, 'a month is recorded as of today');
SET LOCAL crm.as_of = '2020-12-31';
SELECT is(crm.record_completeness(), (now() AT TIME ZONE 'Asia/Shanghai')::date, 'whatever day is set');
RESET crm.as_of;
SELECT results_eq('SELECT m.org_id, m.channel, m.kind, m.tier, m.customers, m.complete_customers, m.score_sum, m.points, m.weight FROM crm_bi.completeness_month_own m ORDER BY 1, 2, 3, 4',
                  'SELECT u.org_id, u.channel, u.kind, u.tier, u.customers, u.complete_customers, u.score_sum, u.points, u.weight FROM crm_bi.completeness_unit_own u ORDER BY 1, 2, 3, 4', 'as the units stand today');
SELECT results_eq('SELECT m.org_id, sum(m.customers), sum(m.score_sum) FROM crm_bi.completeness_month m GROUP BY 1 ORDER BY 1', 'SELECT u.org_id, sum(u.customers), sum(u.score_sum) FROM crm_bi.completeness_unit u GROUP BY 1 ORDER BY 1', 'subtrees, too');
CREATE TEMP TABLE before AS SELECT sum(score_sum) AS sum FROM crm_bi.completeness_month_own;
SELECT ok(crm.correct_field(1, 'email', 'a@b.cn', 1, 'visit') > 0 AND crm.correct_field(1, 'education', 'college', 1, 'visit') > 0, 'data come in');
SELECT is((SELECT sum(score_sum) FROM crm_bi.completeness_month_own), (SELECT sum FROM before), 'what was recorded stays');
SELECT crm.record_completeness() \gset
SELECT cmp_ok((SELECT sum(score_sum) FROM crm_bi.completeness_month_own), '>', (SELECT sum FROM before), 'until the month is recorded again');
SELECT is((SELECT count(DISTINCT month) FROM crm_bi.completeness_month_own), 1::bigint, 'under one month');

-- holders, rights and views ---------------------------------------------------------------

SELECT crm.claim(1, 1), crm.claim(1003, 2) \gset
SELECT results_eq('SELECT h.customer_id, h.staff_id, h.missing_count, h.is_complete FROM crm_bi.completeness_holding h ORDER BY 1',
                  $$SELECT c.customer_id, CASE c.customer_id WHEN 1 THEN 1::bigint ELSE 2 END, c.missing_count, c.is_complete FROM crm_bi.completeness c WHERE c.customer_id IN (1, 1003) ORDER BY 1$$, 'incomplete customers by holder');
CREATE ROLE crm_test_analyst; CREATE ROLE crm_test_manager; CREATE ROLE crm_test_sales;
CALL crm.grant_duty('analyst', 'crm_test_analyst'); CALL crm.grant_duty('manager', 'crm_test_manager'); CALL crm.grant_duty('sales', 'crm_test_sales');
CREATE TEMP TABLE shown AS
SELECT c.oid, c.relname, (SELECT a.attname FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum = 1) AS key
FROM pg_class c WHERE c.relnamespace = 'crm_bi'::regnamespace AND (c.relname ~ '^completeness' OR c.relname IN ('customer_field', 'field_check', 'supervision'));
SELECT is((SELECT count(*) FROM shown), 13::bigint, 'the views are there');
GRANT SELECT ON shown TO crm_test_analyst;
SET LOCAL ROLE crm_test_analyst;
CREATE TEMP TABLE seen AS SELECT s.relname, pg_temp.rows_of(s.relname, s.key) AS n FROM shown s;
RESET ROLE;
SELECT is_empty('SELECT relname, n FROM seen WHERE n[1] = 0', 'an analyst sees rows in every view');
SELECT is_empty('SELECT relname, n FROM seen WHERE n[1] <> n[2]', 'the first column of each is a key');
SELECT is_empty($$SELECT s.relname, a.attname FROM shown s JOIN pg_attribute a ON a.attrelid = s.oid AND a.attnum > 0 WHERE col_description(s.oid, a.attnum) !~ '[一-龥]'$$, 'every column is told in Chinese, too');
SET LOCAL ROLE crm_test_sales;
SELECT is(left(pg_temp.refusal($$SELECT crm.verify_field(1, 'phone', 1, 'claim')$$), 5), '42501', 'sales verifies for nobody else');
SELECT is(left(pg_temp.refusal($$SELECT * FROM crm.completeness('2020-12-31')$$), 5), '42501', 'and does not read all customers');
SELECT is(left(pg_temp.refusal($$INSERT INTO crm.field_check (customer_id, field, outcome, occasion, staff_id, checked_on) VALUES (1, 'name', 'right', 'claim', 1, '2020-01-01')$$), 5), '42501', 'nor writes by hand');
SET LOCAL ROLE crm_test_manager;
SELECT isnt_empty($$SELECT * FROM crm.completeness('2020-12-31')$$, 'a manager reads them');
SELECT ok(crm.verify_field(1, 'phone', 1, 'claim') > 0, 'and records for anyone');
SELECT is(left(pg_temp.refusal($$INSERT INTO crm.completeness_standard (kind, field, weight) VALUES ('person', 'wechat', 1)$$), 5), '42501', 'but sets no standard');
RESET ROLE;
SELECT is(crm.list_count('completeness < 60.5 and coverage = ''insured'''),
          (SELECT count(*) FROM crm_bi.completeness m JOIN crm_bi.customer c USING (customer_id) WHERE m.score < 60.5 AND c.coverage = 'insured'), 'lists go by completeness');
RESET ROLE;
SELECT crm.post();
SELECT is_empty('SELECT * FROM crm.check()', 'what must hold holds');
SELECT * FROM finish();
ROLLBACK;
