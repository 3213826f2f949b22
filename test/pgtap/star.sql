-- The star of crm_bi: every key of a fact leads to one row of its dimension, sums do not change by a join, and what the dimensions add is right.
BEGIN;
SELECT no_plan();
\ir include/helpers.sql
SET LOCAL client_min_messages = warning;
-- a ragged tree: a unit without a level between, and one eight levels deep
CALL crm.generate(customers => 600, seed => 9, as_of => '2024-06-30', years => 4, units => ARRAY[2, 3, 6]);
INSERT INTO crm.organisation (id, parent_id, code, name) SELECT 900 + i, CASE i WHEN 1 THEN 2 ELSE 899 + i END, 'deep' || i, 'Deep ' || i FROM generate_series(1, 7) i;
UPDATE crm.customer SET org_id = 900 + id % 8 WHERE id % 11 = 0 AND id % 8 > 0;
INSERT INTO crm.customer_organisation (customer_id, from_date, org_id) SELECT c.id, '2023-01-01'::date + (c.id % 400)::integer, 902 FROM crm.customer c WHERE c.id % 17 = 0 ON CONFLICT DO NOTHING;
INSERT INTO crm.channel (id, code, name) VALUES (77, 'web', 'Web');
UPDATE crm.policy SET channel_id = 77 WHERE id % 5 = 0;
INSERT INTO crm.setting (name, value) VALUES ('tier_scale', 'none_yet, low 1000, top 50000');
CALL crm.rebuild('2024-06-30', NULL);
SET LOCAL crm.as_of = '2024-06-30';
-- holdings and contacts about the midnight of Shanghai, which is 16:00 of UTC
INSERT INTO crm.holding (customer_id, channel_id, org_id, staff_id, held_from, held_to, start_cause, end_cause, ended_by, rule)
SELECT c.id, s.channel_id, s.org_id, s.id, t.at, CASE WHEN c.id % 2 = 0 THEN t.at + interval '20 days' END, 'claim', CASE WHEN c.id % 2 = 0 THEN 'release' END, CASE WHEN c.id % 2 = 0 THEN 'x' END, 'at most 90 days'
FROM crm.customer c CROSS JOIN LATERAL (SELECT timestamptz '2024-03-01 15:59:00+00' + c.id * interval '1 minute' AS at) t
CROSS JOIN LATERAL (SELECT s.* FROM crm.staff s WHERE s.left_on IS NULL AND s.joined_on < '2024-01-01' ORDER BY (s.id * 7 + c.id) % 13, s.id LIMIT 1) s WHERE c.id <= 300;
INSERT INTO crm.contact (customer_id, staff_id, channel_id, purpose, at, outcome, way)
SELECT h.customer_id, h.staff_id, h.channel_id, (SELECT min(p.code) FROM crm.contact_purpose p), h.held_from, 'reached', 'call' FROM crm.holding h;
SELECT crm.post() \gset
-- a settlement written by hand
SET LOCAL session_replication_role = replica;
INSERT INTO crm.settlement_period (month) VALUES ('2024-05-01');
INSERT INTO crm.settlement_account (id, plan_id, thing, provider_channel_id, user_channel_id) OVERRIDING SYSTEM VALUE VALUES (1, 1, 'premium', 2, 77), (2, 1, 'cost', NULL, 1);
INSERT INTO crm.settlement (id, account_id, month) OVERRIDING SYSTEM VALUE VALUES (1, 1, '2024-05-01'), (2, 2, '2024-05-01');
INSERT INTO crm.settlement_line (settlement_id, policy_id, source_id, day, provider_amount, user_amount, posted_at, posted_by)
SELECT 1 + row_number() OVER () % 2, p.id, p.id, '2024-05-02', 4, 6, now(), 'x' FROM crm.policy p ORDER BY p.id LIMIT 9;
INSERT INTO crm.service_case (customer_id, kind, category, intake, policy_id, staff_id, org_id, opened_at, result, closed_at)
SELECT p.customer_id, CASE p.id % 3 WHEN 0 THEN 'service' ELSE 'complaint' END, 'delay', 'phone', CASE p.id % 2 WHEN 0 THEN p.id END, CASE p.id % 2 WHEN 0 THEN 1 END, CASE p.id % 2 WHEN 1 THEN 902 END,
       '2023-12-31 17:00+00'::timestamptz + p.id % 90 * interval '1 day', CASE p.id % 4 WHEN 0 THEN 'done' END, CASE p.id % 4 WHEN 0 THEN timestamptz '2024-05-31 16:00+00' END
FROM crm.policy p ORDER BY p.id LIMIT 60;
SET LOCAL session_replication_role = origin;

ANALYZE;

-- keys ------------------------------------------------------------------------

CREATE FUNCTION pg_temp.dimension(view text, key text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
  RETURN QUERY EXECUTE format('SELECT %1$L || '': '' || coalesce(d.%2$I::text, ''NULL'') FROM crm_bi.%1$I d GROUP BY d.%2$I HAVING d.%2$I IS NULL OR count(*) > 1', view, key);
  RETURN QUERY EXECUTE format('SELECT %1$L || '' is empty'' WHERE NOT EXISTS (SELECT FROM crm_bi.%1$I)', view);
END
$$;
CREATE TEMPORARY TABLE dimension (view text, key text);
INSERT INTO dimension VALUES ('date', 'date'), ('organisation', 'org_id'), ('channel', 'channel_id'), ('channel', 'channel'), ('product', 'product_id'), ('staff', 'staff_id'),
  ('customer', 'customer_id'), ('kpi_code', 'code'), ('class', 'class_key'), ('label', 'label_key'), ('tier', 'tier'), ('activity', 'activity'), ('coverage', 'coverage'), ('kind', 'kind'),
  ('grain', 'grain'), ('book', 'book'), ('payment', 'payment'), ('start_cause', 'start_cause'), ('end_cause', 'end_cause'), ('contact_way', 'way'), ('contact_direction', 'direction'),
  ('contact_purpose', 'purpose'), ('settlement_thing', 'thing'), ('case_category', 'category');
SELECT is_empty('SELECT x FROM dimension d, pg_temp.dimension(d.view, d.key) x', 'the key of every dimension is one, and never NULL');

-- fact, column, dimension, its key, may it be NULL
CREATE TEMPORARY TABLE fact (view text, name text, dimension text, key text, optional boolean);
INSERT INTO fact
SELECT f.view, split_part(k.k, '=', 1), split_part(split_part(k.k, '=', 2), '.', 1), rtrim(split_part(k.k, '.', 2), '?'), k.k LIKE '%?'
FROM (VALUES
  ('kpi', 'period_start=date.date period_end=date.date org_id=organisation.org_id channel_id=channel.channel_id channel=channel.channel kind=kind.kind grain=grain.grain code=kpi_code.code class_key=class.class_key?'),
  ('kpi_own', 'period_start=date.date period_end=date.date org_id=organisation.org_id channel_id=channel.channel_id kind=kind.kind grain=grain.grain code=kpi_code.code class_key=class.class_key?'),
  ('standing', 'customer_id=customer.customer_id org_id=organisation.org_id channel_id=channel.channel_id kind=kind.kind coverage=coverage.coverage? activity=activity.activity tier=tier.tier'),
  ('policy', 'customer_id=customer.customer_id product_id=product.product_id channel_id=channel.channel_id org_id=organisation.org_id issued_org_id=organisation.org_id servicer_id=staff.staff_id? issued_on=date.date book=book.book payment=payment.payment'),
  ('holding', 'customer_id=customer.customer_id channel_id=channel.channel_id org_id=organisation.org_id? staff_id=staff.staff_id? held_from_date=date.date held_to_date=date.date? start_cause=start_cause.start_cause end_cause=end_cause.end_cause?'),
  ('contact', 'customer_id=customer.customer_id channel_id=channel.channel_id org_id=organisation.org_id staff_id=staff.staff_id contact_date=date.date way=contact_way.way direction=contact_direction.direction purpose=contact_purpose.purpose'),
  ('service_case', 'customer_id=customer.customer_id policy_id=policy.policy_id? staff_id=staff.staff_id? org_id=organisation.org_id? opened_date=date.date closed_date=date.date? category=case_category.category'),
  ('kpi_event', 'period_start=date.date period_end=date.date org_id=organisation.org_id channel_id=channel.channel_id? channel=channel.channel? kind=kind.kind grain=grain.grain code=kpi_code.code'),
  ('settlement', 'month=date.date provider_channel_id=channel.channel_id? user_channel_id=channel.channel_id thing=settlement_thing.thing'),
  ('settlement_line', 'month=date.date day=date.date provider_channel_id=channel.channel_id? user_channel_id=channel.channel_id product_id=product.product_id customer_id=customer.customer_id thing=settlement_thing.thing')) f (view, keys)
CROSS JOIN LATERAL regexp_split_to_table(f.keys, ' ') k (k);
SELECT format('CREATE TEMPORARY TABLE %I AS SELECT DISTINCT %s FROM crm_bi.%I WHERE %s', 'seen_' || f.view, string_agg(DISTINCT format('%I', f.name), ', '), f.view,
              CASE WHEN f.view IN ('kpi', 'kpi_own') THEN $$org_id IN (1, 2, 903) OR period_end > '2024-06-01'$$ ELSE 'true' END) FROM fact f GROUP BY f.view \gexec
CREATE FUNCTION pg_temp.astray(view text, name text, dimension text, key text, optional boolean) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
  n bigint;
BEGIN
  EXECUTE format('SELECT count(*) FROM %I', 'seen_' || view) INTO n;
  IF n = 0 THEN
    RETURN NEXT view || ' is empty';
  END IF;
  EXECUTE format('SELECT count(*) FROM (SELECT DISTINCT %2$I FROM %1$I) f LEFT JOIN crm_bi.%3$I d ON d.%4$I = f.%2$I WHERE d.%4$I IS NULL AND (f.%2$I IS NOT NULL OR NOT %5$L)', 'seen_' || view, name, dimension, key, optional)
    INTO n;
  IF n > 0 THEN
    RETURN NEXT format('%s.%s leads astray %s times', view, name, n);
  END IF;
END
$$;
SELECT is_empty('SELECT x FROM fact f, pg_temp.astray(f.view, f.name, f.dimension, f.key, f.optional) x', 'every key of a fact leads to a row of its dimension');
SELECT is_empty($$SELECT f.view, f.name FROM fact f WHERE NOT EXISTS (SELECT FROM pg_attribute a JOIN pg_attribute d ON d.attrelid = ('crm_bi.' || f.dimension)::regclass AND d.attname = f.key AND d.atttypid = a.atttypid
                  WHERE a.attrelid = ('crm_bi.' || f.view)::regclass AND a.attname = f.name)$$, 'and has its type');

-- what is added to the facts ------------------------------------------------------

SELECT is_empty('SELECT k.channel, k.channel_id FROM seen_kpi k EXCEPT SELECT h.code, h.id FROM crm.channel h', 'a figure has the key of its channel');
SELECT ok(EXISTS (SELECT FROM seen_kpi k WHERE k.channel_id = 77 AND k.channel = 'web'), 'of one with a key out of line, too');
SELECT results_eq($$SELECT k.code, c.class, sum(k.numerator)::bigint FROM crm_bi.kpi_own k JOIN crm_bi.class c USING (class_key) WHERE k.grain = 'month' AND k.period_start = '2024-05-01' GROUP BY 1, 2 ORDER BY 1, 2$$,
                  $$SELECT k.code, k.class, sum(k.numerator)::bigint FROM crm_bi.kpi_own k WHERE k.class IS NOT NULL AND k.grain = 'month' AND k.period_start = '2024-05-01' GROUP BY 1, 2 ORDER BY 1, 2$$,
                  'figures by class find their class');
SELECT is_empty('SELECT s.customer_id, s.org_id, s.channel, s.tier, s.activity, s.coverage FROM crm_bi.standing s WHERE s.is_current
                 EXCEPT SELECT c.customer_id, c.org_id, c.channel, c.tier, c.activity, c.coverage FROM crm_bi.customer c', 'the current standing is that of today');
SELECT results_eq('SELECT count(*), count(DISTINCT s.customer_id) FROM crm_bi.standing s WHERE s.is_current', 'SELECT count(*), count(*) FROM crm_bi.customer c WHERE c.coverage IS NOT NULL', 'one a known customer');
SELECT is_empty('SELECT p.policy_id FROM crm_bi.policy p JOIN crm_bi.customer c USING (customer_id) WHERE p.org_id IS DISTINCT FROM c.org_id', 'policies belong to the unit of the policyholder');
SELECT is_empty('SELECT p.policy_id FROM crm_bi.policy p WHERE p.issued_org_id IS DISTINCT FROM crm._home_unit(p.customer_id, p.issued_on)', 'and were issued in the unit of that day');
SELECT ok(EXISTS (SELECT FROM crm_bi.policy p WHERE p.issued_org_id <> p.org_id), 'which is another of those who moved');
SELECT is_empty('SELECT t.contact_key FROM crm_bi.contact t WHERE t.org_id IS DISTINCT FROM crm._home_unit(t.customer_id, t.contact_date)', 'contacts belong to the unit of the customer on that day');
SELECT results_eq($$SELECT min(h.held_from_date), max(h.held_from_date), count(*) FILTER (WHERE h.held_from_date = '2024-03-02')::bigint, max(h.due_date) FROM crm_bi.holding h$$,
                  $$VALUES ('2024-03-02'::date, '2024-03-02'::date, 300::bigint, '2024-05-31'::date)$$, 'holdings begin on the day of the business calendar');
SET LOCAL TimeZone = 'America/New_York';
SELECT is((SELECT count(*) FROM crm_bi.contact t WHERE t.contact_date = '2024-03-02'), 300::bigint, 'whatever the time zone of the reader');
RESET TimeZone;
SELECT results_eq('SELECT s.thing, v.channel, u.channel, s.amount FROM crm_bi.settlement s LEFT JOIN crm_bi.channel v ON v.channel_id = s.provider_channel_id JOIN crm_bi.channel u ON u.channel_id = s.user_channel_id ORDER BY 1',
                  'SELECT s.thing, s.provider_channel, s.user_channel, s.amount FROM crm_bi.settlement s ORDER BY 1', 'settlements have the keys of both channels');
SELECT results_eq('SELECT l.policy_id, r.product FROM crm_bi.settlement_line l JOIN crm_bi.product r USING (product_id) ORDER BY 1',
                  'SELECT p.policy_id, p.product FROM crm_bi.policy p WHERE p.policy_id IN (SELECT l.policy_id FROM crm_bi.settlement_line l) ORDER BY 1', 'and lines that of the product');
-- a book whose day goes back: the unit of the day asked for
SET LOCAL crm.as_of = '2023-06-15';
SELECT is_empty($$SELECT p.policy_id FROM crm_bi.policy p WHERE p.org_id IS DISTINCT FROM crm._home_unit(p.customer_id, '2023-06-15')$$, 'on another day policies belong to the unit of that day');
SELECT is_empty('SELECT s.customer_id, s.org_id, s.tier FROM crm_bi.standing s WHERE s.is_current EXCEPT SELECT c.customer_id, c.org_id, c.tier FROM crm_bi.customer c', 'and current is what held then');
SET LOCAL crm.as_of = '2024-06-30';

-- sums through every join are those without ---------------------------------------

CREATE FUNCTION pg_temp.sums(view text, measure text, keys text[], filter text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
  plain numeric;
  joined numeric;
BEGIN
  EXECUTE format('SELECT sum(f.%I) FROM crm_bi.%I f WHERE %s', measure, view, filter) INTO plain;
  EXECUTE format('SELECT sum(f.%I) FROM crm_bi.%I f %s WHERE %s', measure, view,
    (SELECT string_agg(format('LEFT JOIN crm_bi.%I d%s ON d%2$s.%I = f.%I', x.dimension, x.n, x.key, x.name), ' ')
     FROM (SELECT f.*, row_number() OVER () AS n FROM fact f WHERE f.view = sums.view) x), filter) INTO joined;
  IF plain IS DISTINCT FROM joined OR plain IS NULL THEN
    RETURN NEXT format('%s.%s: %s, joined %s', view, measure, plain, joined);
  END IF;
END
$$;
SELECT is_empty($$SELECT x FROM (VALUES ('kpi_own', 'numerator', $f$f.grain = 'month' AND f.period_start = '2024-05-01'$f$), ('standing', 'amount', 'f.is_current'), ('policy', 'annual_premium', 'true'),
                                         ('holding', 'load', 'true'), ('settlement', 'amount', 'true'), ('settlement_line', 'amount', 'true')) v (view, measure, filter),
                  pg_temp.sums(v.view, v.measure, NULL, v.filter) x$$, 'joined with all dimensions at once, sums stay');

-- organisation ------------------------------------------------------------------

CREATE TEMPORARY TABLE tree AS
WITH RECURSIVE r AS (
  SELECT o.id, ARRAY[o.id] AS ids, ARRAY[o.name] AS names FROM crm.organisation o WHERE o.parent_id IS NULL
  UNION ALL SELECT o.id, r.ids || o.id, r.names || o.name FROM r JOIN crm.organisation o ON o.parent_id = r.id)
SELECT * FROM r;
SELECT cmp_ok(max(cardinality(t.ids)), '=', 9, 'the tree goes deeper than there are columns') FROM tree t;
SELECT results_eq('SELECT o.org_id, ARRAY[o.drill_0_id, o.drill_1_id, o.drill_2_id, o.drill_3_id, o.drill_4_id, o.drill_5_id],
                          ARRAY[o.drill_0_name, o.drill_1_name, o.drill_2_name, o.drill_3_name, o.drill_4_name, o.drill_5_name], o.path FROM crm_bi.organisation o ORDER BY 1',
                  $$SELECT t.id, (SELECT array_agg(t.ids[least(i, cardinality(t.ids))] ORDER BY i) FROM generate_series(1, 6) i),
                           (SELECT array_agg(t.names[least(i, cardinality(t.ids))] ORDER BY i) FROM generate_series(1, 6) i), array_to_string(t.names, ' / ') FROM tree t ORDER BY 1$$,
                  'a unit has those above it, and itself below');
SELECT is_empty($$SELECT o.drill_3_id, sum(k.numerator) FROM crm_bi.kpi_own k JOIN crm_bi.organisation o USING (org_id)
                  WHERE k.code = 'insured' AND k.grain = 'month' AND k.period_start = '2024-05-01' GROUP BY 1
                  EXCEPT SELECT u.id, (SELECT sum(k.numerator) FROM crm_bi.kpi_own k JOIN tree t ON t.id = k.org_id
                                       WHERE t.ids[least(4, cardinality(t.ids))] = u.id AND k.code = 'insured' AND k.grain = 'month' AND k.period_start = '2024-05-01') FROM tree u$$,
                'sums by a column of levels are those of the ragged tree');

-- dates -------------------------------------------------------------------------

CREATE TEMPORARY VIEW naive AS
SELECT d.date, to_char(d.date, 'IYYY')::integer AS iso_year, to_char(d.date, 'IW')::integer AS iso_week, to_char(d.date, 'DDD')::integer AS day_of_year, to_char(d.date, 'FMMonth') AS month_name,
       to_char(d.date, 'FMDay') AS weekday_name, extract(month FROM d.date + 1) <> d.month AS is_month_end, extract(quarter FROM d.date + 1) <> d.quarter AS is_quarter_end,
       to_char(d.date, 'MMDD') = '1231' AS is_year_end, to_char(d.date, 'YYYY-MM') AS year_month
FROM crm_bi.date d;
SELECT results_eq('SELECT d.date, d.iso_year, d.iso_week, d.day_of_year, d.month_name, d.weekday_name, d.is_month_end, d.is_quarter_end, d.is_year_end, d.year_month FROM crm_bi.date d ORDER BY 1',
                  'SELECT * FROM naive ORDER BY 1', 'days are told as to_char() tells them');
SELECT is_empty($$SELECT d.date FROM crm_bi.date d WHERE d.is_month_end <> (d.date = d.month_end) OR d.is_quarter_end <> (d.date = d.quarter_end) OR d.is_year_end <> (d.date = d.year_end)
                  OR extract(isodow FROM d.week_start) <> 1 OR d.date - d.week_start <> d.weekday - 1$$, 'ends of months, quarters and years are theirs');
SELECT is((SELECT count(DISTINCT (d.month, d.month_name_zh)) || ' ' || count(DISTINCT (d.weekday, d.weekday_name_zh)) || ' ' || count(DISTINCT (d.quarter, d.quarter_name_zh)) FROM crm_bi.date d), '12 7 4', 'months, weekdays and quarters have one Chinese name each');
SELECT results_eq($$SELECT d.weekday_name_zh, d.month_name_zh, d.quarter_name_zh, d.year_quarter, d.year_week FROM crm_bi.date d WHERE d.date = '2023-01-01'$$, $$VALUES ('星期日', '一月', '第一季度', '2023-Q1', '2022-W52')$$, 'the right ones');
SELECT results_eq('SELECT count(*), max(d.date) - min(d.date) + 1, min(d.date) = min(d.year_start), max(d.date) = max(d.year_end), min(d.date) FILTER (WHERE d.is_today) FROM crm_bi.date d',
                  $$SELECT count(*), count(*)::integer, true, true, '2024-06-30'::date FROM crm_bi.date d$$, 'whole years without a gap');
SELECT is_empty($$SELECT p.period_start FROM seen_kpi p WHERE p.period_start < (SELECT min(d.date) FROM crm_bi.date d) OR p.period_end > (SELECT max(d.date) FROM crm_bi.date d)$$, 'periods of every grain lie within');
SELECT results_eq($$SELECT DISTINCT d.fiscal_year = d.year AND d.fiscal_quarter = d.quarter AND d.fiscal_month = d.month FROM crm_bi.date d$$, ARRAY[true], 'the fiscal year is the calendar year');
INSERT INTO crm.setting (name, value) VALUES ('fiscal_year_month', '4');
SELECT results_eq($$SELECT d.date, d.fiscal_year, d.fiscal_quarter, d.fiscal_month FROM crm_bi.date d WHERE d.date IN ('2023-03-31', '2023-04-01', '2023-12-31', '2024-01-01') ORDER BY 1$$,
                  $$VALUES ('2023-03-31'::date, 2023, 4, 12), ('2023-04-01', 2024, 1, 1), ('2023-12-31', 2024, 3, 9), ('2024-01-01', 2024, 4, 10)$$, 'or begins in April, told by the year in which it ends');
DELETE FROM crm.setting WHERE name = 'fiscal_year_month';
SELECT is(pg_temp.code_of($$INSERT INTO crm.setting (name, value) VALUES ('fiscal_year_month', '13')$$), '23514', 'there is no month 13');
SELECT is(pg_temp.code_of($$INSERT INTO crm.setting (name, value) VALUES ('fiscal_year_month', '0')$$), '23514', 'nor 0');
SELECT is(pg_temp.code_of($$INSERT INTO crm.setting (name, value) VALUES ('fiscal_year_month', 'April')$$), '22P02', 'nor in words');
SELECT is(pg_temp.code_of($$INSERT INTO crm.setting (name, value, org_id) VALUES ('fiscal_year_month', '4', 1)$$), '22023', 'units have none of their own');
INSERT INTO crm.holiday (day, kind, name) VALUES ('2024-05-01', 'holiday', '劳动节'), ('2024-05-11', 'working', '劳动节');
INSERT INTO crm.holiday (calendar, day, kind) VALUES ('duty', '2024-05-02', 'holiday');
SELECT results_eq($$SELECT d.date, d.is_working_day, d.holiday FROM crm_bi.date d WHERE d.date IN ('2024-04-30', '2024-05-01', '2024-05-02', '2024-05-04', '2024-05-11') ORDER BY 1$$,
                  $$VALUES ('2024-04-30'::date, true, NULL), ('2024-05-01', false, '劳动节'), ('2024-05-02', true, NULL), ('2024-05-04', false, NULL), ('2024-05-11', true, '劳动节')$$, 'holidays and days worked instead are those of the default calendar');

-- names -------------------------------------------------------------------------

SELECT results_eq('SELECT t.tier, t.place, t.name, t.name_zh FROM crm_bi.tier t WHERE t.tier IN (''none'', ''none_yet'', ''low'', ''top'') ORDER BY t.place',
                  $$VALUES ('none', 0, 'Not insured', '无等级'), ('none_yet', 1, 'None yet', 'none_yet'), ('low', 2, 'Low', 'low'), ('top', 3, 'Top', 'top')$$, 'labels of the company stand for themselves');
SELECT is_empty($$SELECT l.label_key FROM crm_bi.label l WHERE l.name IS NULL OR btrim(l.name) = '' OR l.name_zh IS NULL OR (l.name_zh !~ '[一-龥]' AND l.field NOT IN ('tier', 'activity'))$$, 'every code has both names');
-- the codes that the tables allow
CREATE TEMPORARY VIEW allowed AS
SELECT v.field, m.code[1] AS code
FROM (VALUES ('crm.customer', 'kind', 'kind'), ('crm.customer', 'sex', 'sex'), ('crm.policy', 'book', 'book'), ('crm.policy', 'payment', 'payment'), ('crm.organisation', 'area', 'area'), ('crm.channel', 'kind', 'channel_kind'),
             ('crm.holding', 'start_cause', 'start_cause'), ('crm.holding', 'end_cause', 'end_cause'), ('crm.contact', 'way', 'way'), ('crm.contact', 'direction', 'direction'),
             ('crm.plan_terms', 'thing', 'thing'), ('crm.settlement_period', 'state', 'settlement_state'), ('crm.kpi_code', 'cell', 'cell_rule')) v (relation, name, field)
JOIN pg_constraint k ON k.conrelid = v.relation::regclass AND k.contype = 'c' AND pg_get_constraintdef(k.oid) LIKE '%' || v.name || ' = ANY %'
CROSS JOIN LATERAL regexp_matches(pg_get_constraintdef(k.oid), '''(\w+)''::text', 'g') m (code)
UNION SELECT 'grain', p.grain_name FROM crm.period p;
SELECT bag_eq($$SELECT l.field, l.code FROM crm_bi.label l WHERE l.field IN (SELECT a.field FROM allowed a)$$, 'SELECT a.field, a.code FROM allowed a', 'codes are those that the tables allow, all of them');
SELECT is((SELECT count(DISTINCT a.field) FROM allowed a), 14::bigint, 'of every field');

-- who may ------------------------------------------------------------------------

CREATE ROLE star_analyst;
CALL crm.grant_duty('analyst', 'star_analyst');
CREATE ROLE star_nobody;
SET LOCAL ROLE star_analyst;
SELECT cmp_ok((SELECT count(*) FROM crm_bi.policy p JOIN crm_bi.date d ON d.date = p.issued_on JOIN crm_bi.organisation o ON o.org_id = p.issued_org_id JOIN crm_bi.payment y USING (payment)), '>', 100::bigint, 'analysts read the star');
SELECT is(pg_temp.code_of('SELECT * FROM crm.holiday'), '42501', 'but no table under it');
RESET ROLE;
SET LOCAL ROLE star_nobody;
SELECT is(pg_temp.code_of('SELECT * FROM crm_bi.tier'), '42501', 'nobody else reads it');
RESET ROLE;
SELECT * FROM finish();
ROLLBACK;
