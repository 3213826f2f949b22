-- crm.condition: text form, wrong literals, matching against plain SQL, planning
\pset null '(null)'
\pset format unaligned
\pset footer off
SET client_min_messages = warning;
SET search_path = public, crm;
SET datestyle = ISO;

CREATE FUNCTION pg_temp.outcome(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  detail text;
  hint text;
BEGIN
  EXECUTE query;
  RETURN 'ok';
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
  RETURN SQLSTATE || ' ' || SQLERRM || coalesce(' | ' || nullif(detail, ''), '') || coalesce(' | ' || nullif(hint, ''), '');
END
$$;

-- canonical output
SELECT input::crm.condition
FROM (VALUES
  ('amount>=100000'), ('  AMOUNT  <= -00.50 '), ('amount != +7.'), ('amount = .5'), ('amount = -0'),
  ('tier in(''gold'',''platinum'')'), ('tier NOT in (''it''''s'')'), ('name = '''''), ('name starts with ''张'' or name contains ''明_%\'''),
  ('birth_date<today-60 years'), ('birth_date = TODAY'), ('birth_date between ''1960-02-29'' and today - 1 year - 1 month + 2 weeks'),
  ('known_from >= today - 12 months'), ('known_from >= today - 1 month'), ('known_from > today + 1 day - 1 day'), ('known_from in (today, ''2024-01-01'', today - 7 days)'),
  ('reachable'), ('not reachable'), ('reachable = false'), ('reachable is true'), ('reachable is not true'), ('(reachable) is not true'), ('reachable is not null'),
  ('true'), ('false or true'), ('((true)) is true'), ('((amount > 1) is true) is not true'),
  ('channels contains ''bank'''), ('channels contains any (''a'', ''b'') and channels not contains all (''c'')'), ('count(channels) >= 2'),
  ('age(birth_date) between 60 and 70'), ('month(birth_date) = 5 and day(birth_date) = 17 or year(birth_date) < 1960'), ('days_to_anniversary(birth_date) <= 30'),
  ('age(birth_date) is null'),
  ('(amount > 1 and (amount > 2 and (amount > 3))) and (((amount > 4)))'), ('(amount > 1 or amount > 2) or amount > 3 and (amount > 4 or amount > 5)'),
  ('not (amount > 1 or amount > 2)'), ('not not amount > 1'), ('not amount not in (1)'), ('not (amount > 1) is true'), ('not (not (amount > 1 and amount > 2))'),
  ('amount not between 1 and 2 and not amount between 3 and 4'), (E'amount\n\t=\r1')) AS v (input);

-- wrong literals: what and where
SELECT input, pg_temp.outcome(format('SELECT %L::crm.condition', input))
FROM (VALUES (''), (' '), ('amount'), ('amount >'), ('amount > >'), ('> 5'), ('amount > 5 5'), ('amount > 5 and'), ('and amount > 5'), ('or'), ('not'), ('amount > 5 or or amount > 6'),
  ('(amount > 5'), ('amount > 5)'), ('()'), ('amount > 5 xor amount < 3'), ('amount => 5'), ('amount == 5'), ('amount ~ 5'), ('amount > 5;'), ('amount > 5 -- all'),
  ('birth_dat < today'), ('Reachble'), ('xyz = 1'), ('客户 = 1'), ('姓名 = ''张'' and amount > 1'), ('name = ''张三'' and amout > 1'), ('"amount" > 5'), ('crm.amount > 5'), ('customer_i'), ('amount > premium'), ('id = 1'), ('date > today'),
  ('amount > ''5'''), ('amount > five'), ('amount > true'), ('amount > today'), ('amount > 1e5'), ('amount > 30万'), ('amount > 1,000'), ('amount > - - 1'), ('amount > 1.2.3'), ('amount > NaN'), ('amount > 0x10'), ('amount = null'),
  ('tier = gold'), ('tier = 5'), ('tier = ''gold'), ('tier = ''gold'' ''x'''), ('tier in ''gold'''), ('tier in ()'), ('tier in (''gold'''), ('tier in (''gold'',)'), ('tier in (''gold'', 5)'), ('tier in (gold)'), ('tier = "gold"'), ('tier = ‘gold’'), ('tier like ''g%'''),
  ('birth_date < ''1960'''), ('birth_date < ''1960-02-30'''), ('birth_date < ''1900-02-29'''), ('birth_date < ''0000-01-01'''), ('birth_date < ''1960-1-1'''), ('birth_date < ''-960-01-01'''), ('birth_date < ''1960-01-01 '''), ('birth_date < 1960'), ('birth_date < now'),
  ('birth_date < today - 60'), ('birth_date < today - years'), ('birth_date < today - 1.5 years'), ('birth_date < today - 60 decades'), ('birth_date < today 60 years'), ('birth_date < today - 100000 years'), ('birth_date < today - 99999999999999999999 days'), ('birth_date < today + 1000000 days + 1 day'), ('birth_date < - 60 years'),
  ('birth_date starts with ''19'''), ('birth_date contains ''19'''), ('amount contains 5'), ('name contains any (''a'')'), ('name starts ''a'''), ('channels = ''bank'''), ('channels in (''bank'')'), ('channels contains bank'), ('channels contains any ''bank'''), ('channels starts with ''b'''), ('channels between ''a'' and ''b'''),
  ('reachable > false'), ('reachable in (true)'), ('reachable = 1'), ('reachable = ''true'''), ('reachable is false'), ('amount is true'), ('amount is'), ('amount is not'), ('amount is 5'), ('amount > 5 is true'), ('(amount > 5) is null'), ('(amount > 5) is'), ('true is true'),
  ('amount between 5'), ('amount between 5 or 6'), ('amount between 5 and'), ('amount not = 5'), ('amount not 5'), ('amount not'),
  ('age(amount) > 5'), ('age birth_date > 5'), ('age() > 5'), ('age(birth_date > 5'), ('age(birth_dat) > 5'), ('count(name) > 1'), ('count(birth_date) > 1'), ('year(channels) = 1'), ('lower(name) = ''x'''), ('age(birth_date) > ''5'''), ('age(age(birth_date)) > 5'), ('month(birth_date) starts with 5'),
  ('amount ＞ 5'), ('amount > 5，tier = ''gold'''), ('（amount > 5）')) AS v (input);

-- limits
SELECT kind, left(pg_temp.outcome(format('SELECT %L::crm.condition', input)), 150)
FROM (VALUES
  ('99 parentheses', repeat('(', 99) || 'amount > 1' || repeat(')', 99)),
  ('100 parentheses', repeat('(', 100) || 'amount > 1' || repeat(')', 100)),
  ('99 nots', repeat('not ', 99) || 'amount > 1'),
  ('100 nots', repeat('not ', 100) || 'amount > 1'),
  ('100,000 parentheses', repeat('(', 100000)),
  ('1,000 predicates', repeat('amount > 1 or ', 999) || 'amount > 1'),
  ('1,001 predicates', repeat('amount > 1 or ', 1000) || 'amount > 1'),
  ('1,001 constants', repeat('true or ', 1000) || 'true'),
  ('100 digits', 'amount > ' || repeat('9', 100)),
  ('101 digits', 'amount > ' || repeat('9', 101)),
  ('1 MB digits', 'amount > ' || repeat('9', 900000)),
  ('1 MB text', 'name = ''' || repeat('张', 300000) || ''''),
  ('1 MB quotes', 'name = ' || repeat('''', 900001)),
  ('1 MB open text', 'name = ''' || repeat('x', 900000)),
  ('1 MB word', repeat('x', 900000)),
  ('1 MB word beyond ASCII', repeat('客', 300000)),
  ('1 MB spaces', repeat(' ', 900000) || 'amount > 1'),
  ('over 1 MB', repeat(' ', 1000000) || 'amount > 1'),
  ('100,000 values', 'customer_id in (0' || repeat(', 1234567', 99999) || ')'),
  ('canonical over 1 MB', 'customer_id in (0' || repeat(',1', 499000) || ')'),
  ('many days', 'birth_date > today' || repeat(' + 1 day - 1 day', 10000))) AS v (kind, input);

-- both forms travel; equal conditions are equal values
SELECT 'amount>5  AND tier=''gold'''::crm.condition = '(amount > 5.0) and ((tier = ''gold''))'::crm.condition AS same, 'amount > 5'::crm.condition = 'amount >= 5'::crm.condition AS different;
SELECT a < b AS lt, a <= b AS le, a = b AS eq, a <> b AS ne, a >= b AS ge, a > b AS gt, crm.condition_cmp(a, b) AS cmp
FROM (VALUES ('amount > 1'::crm.condition, 'amount > 2'::crm.condition), ('true', 'true'), ('true', 'false')) AS v (a, b);
CREATE TEMPORARY TABLE kept (condition crm.condition PRIMARY KEY);
INSERT INTO kept VALUES ('amount > 5'::text), ('tier = ''gold''');
INSERT INTO kept VALUES (' amount>5');
SELECT count(DISTINCT condition), count(*) FROM (SELECT 'amount > 5'::crm.condition AS condition UNION ALL SELECT condition FROM kept) AS k;

-- and, or, but not
SELECT a & b AS both, a | b AS either, a - b AS but_not
FROM (VALUES ('amount > 5'::crm.condition, 'reachable'::crm.condition), ('amount > 5 or reachable', 'tier = ''gold'' and sex = ''female'''), ('true', 'not reachable'), ('reachable is true', 'reachable is true')) AS v (a, b);
SELECT ('amount > 5'::crm.condition & NULL) IS NULL AS null_in, left(pg_temp.outcome(format('SELECT %L::crm.condition & ''true''', repeat('not ', 99) || 'amount > 1')), 80) AS too_deep,
  left(pg_temp.outcome(format('SELECT %1$L::crm.condition | %1$L', 'name = ''' || repeat('x', 600000) || '''')), 80) AS too_long;

-- rows with every kind of column, many of them NULL
SELECT setseed(0.25);
CREATE COLLATION no_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE DOMAIN label AS text;
CREATE TABLE customers (
  customer_id bigint PRIMARY KEY, dropped integer, kind text COLLATE "C", name varchar(20), sex label, birth_date date, known_from date, org_id integer, role smallint,
  tier text COLLATE no_case, amount numeric, reachable boolean, insured_long_term boolean, channels text[], touchpoints text);
ALTER TABLE customers DROP COLUMN dropped;
INSERT INTO customers (customer_id, kind, name, sex, birth_date, known_from, org_id, tier, amount, reachable, insured_long_term, channels, touchpoints)
SELECT i, (ARRAY['person', 'company', NULL])[1 + random() * 2],
  (ARRAY['张三', '张三丰', '李%四', 'O''Neil', 'a_b\c', '', NULL])[1 + random() * 6], (ARRAY['male', 'female', NULL])[1 + random() * 2],
  CASE WHEN random() < 0.8 THEN date '1940-01-01' + (random() * 30000)::integer WHEN random() < 0.3 THEN date '1960-02-29' WHEN random() < 0.2 THEN date 'infinity' END,
  CASE WHEN random() < 0.8 THEN date '2023-01-01' + (random() * 800)::integer END,
  CASE WHEN random() < 0.8 THEN (random() * 10)::integer END, (ARRAY['Gold', 'gold', 'iron', NULL])[1 + random() * 3],
  CASE WHEN random() < 0.8 THEN round((random() * 20 - 5)::numeric, (random() * 2)::integer) WHEN random() < 0.2 THEN 'NaN' END,
  (ARRAY[true, false, NULL])[1 + random() * 2], (ARRAY[true, false, NULL])[1 + random() * 2],
  (ARRAY['{a}', '{b,a}', '{}', '{a,b,c}', '{NULL,b}', NULL])[1 + random() * 5]::text[], (ARRAY['shop', 'shop, app', '', 'app, shop, web', NULL])[1 + random() * 4]
FROM generate_series(1, 400) AS i;
-- rows as they were before a column was added
ALTER TABLE customers ADD COLUMN plan_customer boolean DEFAULT true, ADD COLUMN coverage text DEFAULT 'insured';
INSERT INTO customers (customer_id, plan_customer, coverage) VALUES (401, NULL, NULL), (402, false, 'former');
ANALYZE customers;

-- A random condition and, by another way, the predicate it stands for.
CREATE FUNCTION pg_temp.pick(VARIADIC choices text[]) RETURNS text LANGUAGE sql AS 'SELECT choices[1 + floor(random() * cardinality(choices))]';
CREATE FUNCTION pg_temp.day(OUT condition text, OUT sql text) LANGUAGE plpgsql AS $$
DECLARE
  months integer := floor(random() * 5) * floor(random() * 30 - 15);
  days integer := floor(random() * 2) * floor(random() * 60 - 30);
BEGIN
  IF random() < 0.3 THEN
    sql := quote_literal(date '1940-01-01' + (random() * 31000)::integer);
    condition := sql;
    sql := 'date ' || sql;
  ELSE
    condition := 'today' || CASE WHEN days <> 0 THEN format(' %s %s days', CASE WHEN days < 0 THEN '-' ELSE '+' END, abs(days)) ELSE '' END
      || CASE WHEN months <> 0 THEN format(' %s %s months', CASE WHEN months < 0 THEN '-' ELSE '+' END, abs(months)) ELSE '' END;
    sql := format('((d + make_interval(months => %s))::date + %s)', months, days);
  END IF;
END
$$;
CREATE FUNCTION pg_temp.random_condition(depth integer, OUT condition text, OUT sql text) LANGUAGE plpgsql AS $$
DECLARE
  op text := pg_temp.pick('=', '<>', '<', '<=', '>', '>=');
  col text;
  a record;
  b record;
  l text[];
  n text := pg_temp.pick('', '', 'not ');
BEGIN
  IF depth > 0 AND random() < 0.75 THEN
    a := pg_temp.random_condition(depth - 1);
    b := pg_temp.random_condition(depth - 1);
    CASE pg_temp.pick('and', 'and', 'or', 'or', 'not', 'is true')
      WHEN 'and' THEN condition := format('(%s) and (%s)', a.condition, b.condition); sql := format('((%s) AND (%s))', a.sql, b.sql);
      WHEN 'or' THEN condition := format('(%s) or %s', a.condition, b.condition); sql := format('((%s) OR (%s))', a.sql, b.sql);
        IF b.condition LIKE '%) or %' OR b.condition LIKE '%) and %' THEN condition := format('(%s) or (%s)', a.condition, b.condition); END IF;
      WHEN 'not' THEN condition := format('not (%s)', a.condition); sql := format('(NOT (%s))', a.sql);
      ELSE condition := format('(%s) is %strue', a.condition, n); sql := format('((%s) IS %sTRUE)', a.sql, n);
    END CASE;
    RETURN;
  END IF;
  CASE floor(random() * 14)
    WHEN 0 THEN
      col := pg_temp.pick('customer_id', 'org_id', 'amount', 'amount');
      l[1] := pg_temp.pick('0', '-3', '5', '7.5', '6.10', '0.05', '99999999999999999999', '300', '4');
      condition := format('%s %s %s', col, op, l[1]);
      sql := format('%s::numeric %s %s', col, op, l[1]);
    WHEN 1 THEN
      col := pg_temp.pick('customer_id', 'org_id', 'amount');
      condition := format('%s %sbetween %s and %s', col, n, floor(random() * 10), floor(random() * 100) / 8);
      sql := format('%s::numeric %sBETWEEN %s', col, n, split_part(condition, 'between ', 2));
    WHEN 2 THEN
      col := pg_temp.pick('customer_id', 'org_id', 'amount');
      SELECT array_agg(pg_temp.pick('1', '2', '3.0', '4', '5.5', '6', '7', '8.10', '9', '10', '11')) INTO l FROM generate_series(1, (1 + random() * 12)::integer);
      condition := format('%s %sin (%s)', col, n, array_to_string(l, ','));
      sql := format('%s::numeric %sIN (%s)', col, n, array_to_string(l, ','));
    WHEN 3 THEN
      col := pg_temp.pick('kind', 'name', 'sex', 'tier', 'coverage');
      l[1] := quote_literal(pg_temp.pick('person', 'male', '张三', 'O''Neil', '', 'gold', 'a_b\c', 'insured'));
      l[1] := ltrim(replace(l[1], '\\', '\'), ' E');
      condition := format('%s %s %s', col, op, l[1]);
      sql := format('convert_to(%s, ''UTF8'') %s convert_to(%s, ''UTF8'')', col, op, l[1]);
    WHEN 4 THEN
      col := pg_temp.pick('kind', 'name', 'sex', 'tier', 'coverage');
      condition := format('%s %sin (''person'', ''张三'', ''gold'', '''', ''female'', ''former''%s)', col, n, pg_temp.pick('', ', ''b'', ''c'', ''d'', ''e'', ''f'''));
      sql := regexp_replace(condition, '^\S+', col || ' COLLATE "C"');
    WHEN 5 THEN
      col := pg_temp.pick('name', 'sex', 'tier', 'coverage');
      l[1] := pg_temp.pick('张', '三', '%', '_', 'ale', 'i', '');
      op := pg_temp.pick('starts with', 'contains');
      condition := format('%s %s%s ''%s''', col, n, op, l[1]);
      sql := format(CASE op WHEN 'contains' THEN '%s(strpos(%s COLLATE "C", ''%s'') > 0)' ELSE '%s(starts_with(%s COLLATE "C", ''%s''))' END, n, col, l[1]);
    WHEN 6 THEN
      col := pg_temp.pick('reachable', 'insured_long_term', 'plan_customer');
      condition := format(pg_temp.pick('%s', 'not %s', '%s = false', '%s <> false', '%s is not true', '%s is true', '%s is null', '%s is not null'), col);
      sql := condition;
    WHEN 7 THEN
      col := pg_temp.pick('birth_date', 'known_from');
      a := pg_temp.day();
      condition := format('%s %s %s', col, op, a.condition);
      sql := format('%s %s %s', col, op, a.sql);
    WHEN 8 THEN
      col := pg_temp.pick('birth_date', 'known_from');
      a := pg_temp.day();
      b := pg_temp.day();
      IF random() < 0.5 THEN
        condition := format('%s %sbetween %s and %s', col, n, a.condition, b.condition);
        sql := format('%s %sBETWEEN %s AND %s', col, n, a.sql, b.sql);
      ELSE
        condition := format('%s %sin (%s, ''1960-02-29'', %s)', col, n, a.condition, b.condition);
        sql := format('%s %sIN (%s, ''1960-02-29'', %s)', col, n, a.sql, b.sql);
      END IF;
    WHEN 9 THEN
      col := pg_temp.pick('year', 'month', 'day');
      condition := format('%s(birth_date) %s %s', col, op, CASE col WHEN 'year' THEN 1960 WHEN 'month' THEN 6 ELSE 28.5 END);
      sql := format('extract(%s FROM CASE WHEN isfinite(birth_date) THEN birth_date END) %s %s', col, op, split_part(condition, op || ' ', 2));
    WHEN 10 THEN
      condition := format('age(birth_date) %sbetween %s and %s', n, floor(random() * 40), floor(random() * 80));
      sql := format('(SELECT max(k) FROM generate_series(-50, 150) AS k WHERE isfinite(birth_date) AND (birth_date + k * interval ''1 year'')::date <= d) %sBETWEEN %s', n, split_part(condition, 'between ', 2));
    WHEN 11 THEN
      condition := format('days_to_anniversary(birth_date) %s %s', op, pg_temp.pick('0', '30', '180', '364'));
      sql := format('(SELECT min((birth_date + k * interval ''1 year'')::date - d) FROM generate_series(-50, 150) AS k WHERE isfinite(birth_date) AND (birth_date + k * interval ''1 year'')::date >= d) %s', split_part(condition, ') ', 2));
    WHEN 12 THEN
      col := pg_temp.pick('channels', 'touchpoints');
      op := pg_temp.pick('contains ''b''', 'contains any (''a'', ''shop'')', 'contains all (''a'', ''b'')', 'contains all (''app'', ''shop'')', 'contains ''x''');
      condition := format('%s %s%s', col, n, op);
      sql := format('%s(SELECT CASE WHEN %s IS NOT NULL THEN coalesce(%s, false) END FROM unnest(%s) AS e)', n, col,
                    CASE WHEN op LIKE '%all%' THEN (SELECT string_agg(format('bool_or(e = %s)', w[1]), ' AND ') FROM regexp_matches(op, '''\w+''', 'g') AS w)
                         ELSE (SELECT string_agg(format('bool_or(e = %s)', w[1]), ' OR ') FROM regexp_matches(op, '''\w+''', 'g') AS w) END,
                    CASE col WHEN 'channels' THEN col ELSE 'string_to_array(touchpoints, '', '')' END);
      sql := replace(replace(sql, 'bool_or(', 'coalesce(bool_or('), ''')', '''), false)');
      sql := replace(sql, ''', ''), false))', ''', ''))');
    ELSE
      col := pg_temp.pick('customer_id', 'name', 'birth_date', 'amount', 'channels', 'tier');
      condition := format('%s is %snull', col, n);
      sql := condition;
  END CASE;
END
$$;
CREATE TEMPORARY TABLE random_conditions AS
SELECT i, (r).condition, (r).sql, (ARRAY['2024-02-29', '2025-03-01', '2023-12-31', '2000-01-01'])[1 + i % 4]::date AS d
FROM (SELECT i, pg_temp.random_condition(i % 4) AS r FROM generate_series(1, 1500) AS i OFFSET 0) AS g;
SELECT count(*), count(DISTINCT condition) > 1000 AS different, count(*) FILTER (WHERE condition::crm.condition::text::crm.condition <> condition::crm.condition
  OR condition::crm.condition::text::crm.condition::text <> condition::crm.condition::text) AS not_the_same_again FROM random_conditions;
CREATE FUNCTION pg_temp.differences(planned boolean) RETURNS TABLE (matched bigint, unknown bigint, differ bigint, examples text) LANGUAGE plpgsql AS $$
DECLARE
  r record;
  x record;
BEGIN
  matched := 0; unknown := 0; differ := 0;
  FOR r IN SELECT * FROM random_conditions ORDER BY i LOOP
    EXECUTE format('SELECT count(*) FILTER (WHERE m) AS m, count(*) FILTER (WHERE m IS NULL) AS u, count(*) FILTER (WHERE m IS DISTINCT FROM s) AS x
      FROM (SELECT %s AS m, (%s) AS s FROM customers, (SELECT %L::crm.condition AS c OFFSET 0) AS q, (SELECT %L::date AS d) AS w) AS v',
      CASE WHEN planned THEN format('crm.matches(%L, customers, d)', r.condition) ELSE 'crm.matches(c, customers, d)' END, r.sql, r.condition, r.d) INTO x;
    matched := matched + x.m; unknown := unknown + x.u; differ := differ + x.x;
    IF x.x > 0 THEN
      examples := coalesce(examples || E'\n', '') || r.condition || ' | ' || r.sql;
    END IF;
  END LOOP;
  RETURN NEXT;
END
$$;
SELECT matched > 100000 AS many_match, unknown > 50000 AS many_unknown, differ, examples FROM pg_temp.differences(true);
SELECT matched > 100000 AS many_match, unknown > 50000 AS many_unknown, differ, examples FROM pg_temp.differences(false);
-- all of them by one call site, more conditions than it keeps
SELECT count(*) FILTER (WHERE crm.matches(condition::crm.condition, customers, d) IS DISTINCT FROM crm.matches(condition::crm.condition, ROW(customers.*)::customers, d)) AS differ
FROM random_conditions, customers WHERE i <= 200;

-- as of NULL and infinity, without and with today
SELECT c, d, count(*) FILTER (WHERE crm.matches(c, customers, d)) AS matched, count(*) FILTER (WHERE crm.matches(c, customers, d) IS NULL) AS unknown
FROM customers, unnest('{amount > 5,known_from < today - 1 year,"known_from in (today, ''2023-06-07'')",age(birth_date) > 40,month(birth_date) = 2}'::crm.condition[]) AS c, unnest('{2024-06-30,infinity,NULL}'::date[]) AS d
GROUP BY c, d ORDER BY c, d;
SELECT count(*) FILTER (WHERE crm.matches('known_from < today', customers, NULL)) AS null_day, count(*) FILTER (WHERE crm.matches('known_from < today - 1 day', customers, 'infinity')) AS infinite_day,
  count(*) FILTER (WHERE crm.matches(NULL, customers, '2024-01-01') IS NULL) AS null_condition, count(*) FILTER (WHERE crm.matches('true', NULL::customers, '2024-01-01') IS NULL) AS null_row FROM customers;
SELECT crm._condition_day('2024-02-29', 12, 0), crm._condition_day('2024-01-31', 1, 1), crm._condition_day('2024-03-31', -1, 0), crm._condition_day('0001-03-01 BC', -2, 0), crm._condition_day('-infinity', 5, 5), crm._condition_day(NULL, 1, 1);
SELECT pg_temp.outcome(q) FROM unnest(ARRAY['SELECT crm._condition_day(''5874897-12-31'', 0, 1)', 'SELECT crm._condition_day(''5874897-12-31'', 2147483647, 2147483647)', 'SELECT crm._condition_day(''4714-11-24 BC'', 0, -1)',
  'SELECT crm._condition_day(''4714-11-24 BC'', -2147483648, -2147483648)', 'SELECT crm._condition_part(0, ''2000-01-01'', ''2000-01-01'')', 'SELECT crm._condition_part(6, ''2000-01-01'', ''2000-01-01'')']) AS q;
SELECT p, crm._condition_part(p, b, t) FROM generate_series(1, 5) AS p, (VALUES (date '4714-11-24 BC', date '5874897-12-31'), ('5874897-12-31', '4714-11-24 BC'), ('2000-02-29', '2001-02-28'), ('2000-02-29', '2004-02-28'), ('0001-02-29 BC', '0001-03-01 BC')) AS v (b, t) ORDER BY b, t, p;

-- rows that do not fit
CREATE TYPE other AS (amount text, birth_date timestamp, reachable integer, channels integer[], tier integer);
SELECT c, pg_temp.outcome(format('SELECT crm.matches(%L, ROW(''1'', NULL, 1, NULL, 1)::other, ''2024-01-01'')', c))
FROM unnest('{amount > 5,birth_date < today,reachable,channels contains ''a'',tier = ''gold'',name = ''x'',true or name = ''x''}'::crm.condition[]) AS c;
SELECT pg_temp.outcome('SELECT crm.matches(''amount > 5'', ROW(1, 2), ''2024-01-01'')');
SELECT crm.matches('amount > 5 and tier = ''gold''', r, '2024-01-01') FROM (SELECT 6 AS amount, 'gold' AS tier UNION ALL SELECT 4, 'gold') AS r;
SELECT crm.matches('false or true', ROW(1), NULL);

-- a row type altered between two calls of one expression
CREATE TABLE altered (name text, amount integer);
INSERT INTO altered VALUES ('a', 6);
CREATE FUNCTION pg_temp.alter_between() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  result text := '';
  got boolean;
BEGIN
  FOR i IN 1 .. 3 LOOP
    IF i = 2 THEN
      EXECUTE 'ALTER TABLE altered DROP COLUMN name, ADD COLUMN tier text DEFAULT ''gold'', ALTER amount TYPE numeric USING amount / 4.0';
    ELSIF i = 3 THEN
      EXECUTE 'ALTER TABLE altered RENAME amount TO premium';
    END IF;
    BEGIN
      EXECUTE 'SELECT crm.matches(c, a, ''2024-01-01'') FROM altered AS a, (SELECT ''amount > 5''::crm.condition AS c OFFSET 0) AS q' INTO got;
      result := result || got || ' ';
    EXCEPTION WHEN undefined_column THEN
      result := result || SQLERRM;
    END;
  END LOOP;
  RETURN result;
END
$$;
SELECT pg_temp.alter_between();

-- planning: operators in place of the call, indexes used
CREATE INDEX ON customers (known_from);
CREATE INDEX ON customers USING gin (channels);
CREATE INDEX ON customers (kind);
SET enable_seqscan = off;
EXPLAIN (COSTS OFF) SELECT FROM customers WHERE crm.matches('customer_id in (5, 7) and amount > 5', customers, '2024-06-30');
EXPLAIN (COSTS OFF) SELECT FROM customers AS c WHERE crm.matches('known_from >= today - 3 months and kind = ''person''', c, '2024-06-30');
EXPLAIN (COSTS OFF) SELECT FROM customers AS c WHERE crm.matches('channels contains all (''a'', ''b'')', c, current_date);
EXPLAIN (COSTS OFF) SELECT FROM customers AS c WHERE crm.matches('kind = ''company'' and not (reachable or birth_date > today - 1 year)', c.*, (SELECT min(known_from) FROM customers));
RESET enable_seqscan;
CREATE VIEW seen AS SELECT customer_id, kind, amount * 2 AS amount, EXISTS (SELECT FROM customers AS o WHERE o.org_id = c.org_id AND o.customer_id < c.customer_id) AS reachable FROM customers AS c;
EXPLAIN (COSTS OFF) SELECT FROM seen WHERE crm.matches('amount > 10 and kind = ''person''', seen, NULL);
EXPLAIN (COSTS OFF) SELECT FROM (SELECT kind, max(amount) AS amount FROM customers GROUP BY kind) AS g WHERE crm.matches('amount > 10 and kind = ''person''', g, NULL);
SELECT count(*) FILTER (WHERE crm.matches('amount > 10 and reachable', seen, NULL)) = count(*) FILTER (WHERE amount > 10 AND reachable) AS view_equal, count(*) FILTER (WHERE crm.matches('amount > 10 and reachable', seen, NULL)) > 10 AS some FROM seen;
-- a missing row matches nothing, not even where its columns are null
SELECT count(*) FILTER (WHERE crm.matches('amount is null', c, NULL)) AS matched, count(*) FILTER (WHERE crm.matches('amount is null', c, NULL) IS NULL) AS unknown FROM generate_series(-9, 0) AS i LEFT JOIN customers AS c ON c.customer_id = i;
SELECT count(*) FROM customers AS c RIGHT JOIN generate_series(-9, 0) AS i ON c.customer_id = i WHERE crm.matches('amount is null', c, NULL);
SELECT count(*) FROM customers AS c FULL JOIN generate_series(-9, 0) AS i ON c.customer_id = i WHERE crm.matches('amount is null', c, NULL) AND i IS NOT NULL;
SELECT count(*) FROM generate_series(-9, 0) AS i LEFT JOIN seen AS c ON c.customer_id = i WHERE crm.matches('amount is null', c, NULL);
-- a volatile row stays a call
SELECT count(*) FROM generate_series(1, 1000) WHERE crm.matches('amount > 0.5 and amount <= 0.5', (SELECT r FROM (SELECT random()::numeric AS amount) AS r), NULL);
SELECT count(*) FROM (SELECT random()::numeric AS amount FROM generate_series(1, 1000)) AS r WHERE crm.matches('amount > 0.5 and amount <= 0.5', r, NULL);
-- parameters, inheritance, UPDATE, a policy, SQL functions, parallel workers
PREPARE by_parameter(crm.condition, date) AS SELECT count(*) FROM customers AS c WHERE crm.matches($1, c, $2);
SET plan_cache_mode = force_generic_plan;
EXECUTE by_parameter('known_from >= today - 3 months', '2024-06-30');
EXECUTE by_parameter('coverage = ''former''', NULL);
SET plan_cache_mode = force_custom_plan;
EXECUTE by_parameter('known_from >= today - 3 months', '2024-06-30');
EXECUTE by_parameter('coverage = ''former''', NULL);
RESET plan_cache_mode;
CREATE TABLE parent (amount integer, note text);
CREATE TABLE child (extra integer) INHERITS (parent);
ALTER TABLE child DROP COLUMN extra, ADD COLUMN tier text;
INSERT INTO parent VALUES (1, 'p'), (9, 'p');
INSERT INTO child VALUES (2, 'c', 'gold'), (8, 'c', NULL);
UPDATE parent SET note = note || '!' WHERE crm.matches('amount > 5', parent, NULL) RETURNING *, crm.matches('amount > 8', parent, NULL);
SELECT count(*) FROM parent, (SELECT 'amount > 5'::crm.condition AS c OFFSET 0) AS q WHERE crm.matches(c, parent, NULL);
CREATE ROLE regress_condition_reader;
GRANT USAGE ON SCHEMA crm TO regress_condition_reader;
GRANT SELECT ON parent TO regress_condition_reader;
ALTER TABLE parent ENABLE ROW LEVEL SECURITY;
CREATE POLICY small ON parent USING (crm.matches('amount < 9', parent, NULL));
SET ROLE regress_condition_reader;
SELECT * FROM parent WHERE crm.matches('amount > 1', parent, NULL) ORDER BY amount;
RESET ROLE;
DROP POLICY small ON parent;
REVOKE ALL ON parent FROM regress_condition_reader;
REVOKE ALL ON SCHEMA crm FROM regress_condition_reader;
DROP ROLE regress_condition_reader;
-- wherever an expression can stand: planned, called, and by hand
CREATE TABLE log (customer_id bigint PRIMARY KEY, amount numeric, name text);
INSERT INTO log SELECT customer_id, amount, name FROM customers WHERE customer_id <= 40;
CREATE FUNCTION pg_temp.results(query text, form text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  result text;
BEGIN
  EXECUTE format('SELECT md5(string_agg(r::text, E''\n'' ORDER BY r::text)) || '' '' || count(*) FROM (%s) AS r', regexp_replace(query, '\{(\w+)\}', replace(form, '@', '\1'), 'g')) INTO result;
  RETURN result;
END
$$;
CREATE FUNCTION pg_temp.ways(query text, by_hand text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  condition text;
  planned text;
  called text;
  written text;
BEGIN
  FOREACH condition IN ARRAY ARRAY['amount is null or amount < -3', 'amount > 5'] LOOP
    planned := pg_temp.results(query, format('crm.matches(%L, @, NULL)', condition));
    called := pg_temp.results(query, format('crm.matches((SELECT %L::crm.condition OFFSET 0), @, NULL)', condition));
    IF planned IS DISTINCT FROM called THEN
      RETURN condition || ': planned ' || planned || ', called ' || called;
    END IF;
  END LOOP;
  -- columns of a row that is grouped by as a whole cannot be named
  written := CASE WHEN query LIKE '%GROUP BY%(_)' OR query LIKE '%GROUP BY c%' THEN planned ELSE pg_temp.results(query, by_hand) END;
  RETURN CASE WHEN planned = written THEN 'equal, ' || split_part(planned, ' ', 2) || ' rows' ELSE 'planned ' || planned || ', by hand ' || written END;
END
$$;
SELECT what, pg_temp.ways(query, '(@).amount > 5')
FROM (VALUES
  ('select list', 'SELECT customer_id, {c} FROM customers AS c'),
  ('group', 'SELECT {c}, count(*) FROM customers AS c GROUP BY 1'),
  ('grouped row', 'SELECT {c}, count(*) FROM customers AS c GROUP BY c'),
  ('having', 'SELECT c FROM log AS c GROUP BY c HAVING {c}'),
  ('rollup', 'SELECT org_id, count(*) FROM customers AS c WHERE {c} GROUP BY ROLLUP (org_id)'),
  ('rolled up row', 'SELECT c, {c} AS m, count(*) FROM log AS c GROUP BY ROLLUP (c)'),
  ('order and window', 'SELECT customer_id, row_number() OVER (PARTITION BY {c} ORDER BY customer_id) FROM customers AS c ORDER BY {c}, customer_id'),
  ('aggregate', 'SELECT org_id, count(*) FILTER (WHERE {c}), bool_or({c}) FROM customers AS c GROUP BY org_id'),
  ('case', 'SELECT CASE WHEN {c} THEN 1 WHEN NOT {c} THEN 2 ELSE 3 END AS x, customer_id FROM customers AS c'),
  ('inner join', 'SELECT c.customer_id FROM customers AS c JOIN log AS l ON {c} AND l.customer_id = c.customer_id'),
  ('condition of a left join', 'SELECT c.customer_id, l.name FROM customers AS c LEFT JOIN log AS l ON {c} AND l.customer_id = c.customer_id'),
  ('right side of a left join', 'SELECT l.customer_id, c.name FROM log AS l LEFT JOIN customers AS c ON {c} AND l.customer_id = c.customer_id'),
  ('above a left join', 'SELECT l.customer_id, {c} FROM customers AS l LEFT JOIN log AS c ON l.customer_id = c.customer_id'),
  ('above a left join of subqueries', 'SELECT l.customer_id, {u} FROM customers AS l LEFT JOIN (SELECT *, 1 AS one FROM log) AS u ON l.customer_id = u.customer_id'),
  ('exists', 'SELECT customer_id FROM customers AS c WHERE EXISTS (SELECT FROM log AS l WHERE l.customer_id = c.customer_id AND {c})'),
  ('not exists', 'SELECT customer_id FROM customers AS c WHERE NOT EXISTS (SELECT FROM log AS l WHERE l.customer_id = c.customer_id AND {c})'),
  ('inner exists', 'SELECT customer_id FROM customers AS l WHERE EXISTS (SELECT FROM log AS c WHERE l.customer_id = c.customer_id AND {c})'),
  ('scalar subquery', 'SELECT customer_id, (SELECT count(*) FROM log AS l WHERE {c}) FROM customers AS c'),
  ('lateral', 'SELECT c.customer_id, x.n FROM customers AS c, LATERAL (SELECT count(*) AS n FROM log AS l WHERE l.customer_id < 5 AND {c}) AS x'),
  ('union all', 'SELECT u.customer_id FROM (SELECT customer_id, amount FROM customers UNION ALL SELECT customer_id, -amount FROM log) AS u WHERE {u}'),
  ('union', 'SELECT u.customer_id FROM (SELECT customer_id, amount FROM customers UNION SELECT customer_id, -amount FROM log) AS u WHERE {u}'),
  ('common table expression', 'WITH u AS (SELECT * FROM customers) SELECT customer_id FROM u WHERE {u}'),
  ('materialized', 'WITH u AS MATERIALIZED (SELECT * FROM customers) SELECT customer_id FROM u WHERE {u}'),
  ('recursive', 'WITH RECURSIVE u AS (SELECT customer_id, amount FROM log UNION ALL SELECT customer_id + 40, amount + 1 FROM u WHERE {u} AND customer_id < 400) SELECT * FROM u'),
  ('limit below', 'SELECT u.customer_id FROM (SELECT * FROM customers ORDER BY customer_id LIMIT 50) AS u WHERE {u}'),
  ('distinct below', 'SELECT u.amount FROM (SELECT DISTINCT amount FROM customers) AS u WHERE {u}'),
  ('window below', 'SELECT u.amount FROM (SELECT amount, row_number() OVER (ORDER BY customer_id) AS customer_id FROM customers) AS u WHERE {u}'),
  ('view', 'SELECT customer_id FROM seen AS v WHERE {v}'),
  ('rolled up view', 'SELECT v, {v} AS m, count(*) FROM (SELECT * FROM seen WHERE customer_id < 20) AS v GROUP BY ROLLUP (v)'),
  ('full join', 'SELECT v.customer_id, l.name FROM seen AS v FULL JOIN log AS l ON v.customer_id = l.customer_id + 390 WHERE {v} IS NOT TRUE'),
  ('system column beside', 'SELECT c.tableoid::regclass, c.customer_id FROM customers AS c WHERE {c}'),
  ('tablesample', 'SELECT customer_id FROM customers AS c TABLESAMPLE BERNOULLI (50) REPEATABLE (1) WHERE {c}'),
  ('inherited', 'SELECT c.tableoid::regclass, c.amount FROM parent AS c WHERE {c}'),
  ('values', 'SELECT * FROM (VALUES (1, 7), (2, 3)) AS u (customer_id, amount) WHERE {u}'),
  ('function', 'SELECT * FROM json_populate_recordset(NULL::log, ''[{"customer_id": 1, "amount": 7}, {"customer_id": 2, "amount": 3}]'') AS u WHERE {u}')) AS q (what, query);
WITH changed AS (DELETE FROM log USING customers AS c WHERE c.customer_id = log.customer_id AND crm.matches('amount > 5', c, NULL) RETURNING log.customer_id, crm.matches('amount > 8', log, NULL) AS m)
SELECT count(*), count(*) FILTER (WHERE m) AS over_8 FROM changed;
INSERT INTO log VALUES (1, 100, 'x'), (2, 1, 'y'), (41, 9, 'z') ON CONFLICT (customer_id) DO UPDATE SET name = excluded.name WHERE crm.matches('amount > 5', excluded, NULL) AND crm.matches('amount is null or amount < 50', log, NULL);
MERGE INTO log USING (VALUES (1, 5), (2, 6), (41, 7), (500, 8)) AS s (customer_id, amount) ON log.customer_id = s.customer_id
WHEN MATCHED AND crm.matches('amount > 5 or amount is null', log, NULL) THEN UPDATE SET name = 'merged'
WHEN MATCHED AND crm.matches('amount > 5', s, NULL) THEN DELETE
WHEN NOT MATCHED AND crm.matches('amount > 5', s, NULL) THEN INSERT VALUES (s.customer_id, s.amount, 'new');
SELECT log.*, (SELECT amount FROM customers AS c WHERE c.customer_id = log.customer_id) AS of_customer FROM log WHERE customer_id IN (1, 2, 41, 500) ORDER BY 1;
CREATE VIEW few AS SELECT * FROM log WHERE crm.matches('amount < 10', log, NULL) WITH CHECK OPTION;
SELECT pg_temp.outcome('INSERT INTO few VALUES (600, 9)'), pg_temp.outcome('INSERT INTO few VALUES (601, 10)');
CREATE FUNCTION raise() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE WARNING ''% fires'', NEW.customer_id; RETURN NULL; END';
CREATE TRIGGER when_new AFTER INSERT ON log FOR EACH ROW WHEN (crm.matches('amount > 5', NEW, NULL)) EXECUTE FUNCTION raise();
INSERT INTO log VALUES (700, 5), (701, 6), (702, NULL);
CREATE FUNCTION pg_temp.counted(condition crm.condition, d date) RETURNS bigint LANGUAGE sql STABLE AS 'SELECT count(*) FROM customers AS c WHERE crm.matches(condition, c, d)';
SELECT pg_temp.counted('known_from >= today - 3 months', '2024-06-30');
SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SET force_parallel_mode = on;
SELECT count(*) FROM customers AS c, (SELECT 'known_from >= today - 3 months'::crm.condition AS q OFFSET 0) AS q WHERE crm.matches(q, c, '2024-06-30');
SELECT count(*) FROM customers AS c WHERE crm.matches('known_from >= today - 3 months', c, '2024-06-30');
