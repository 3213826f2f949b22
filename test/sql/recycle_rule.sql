-- crm.recycle_rule: text form, due times against plain SQL, wrong literals
\pset null '(null)'
\pset format unaligned
\pset footer off
SET client_min_messages = warning;
SET search_path = public, crm;
SET datestyle = ISO;
SET intervalstyle = postgres;
SET timezone = 'UTC';

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

-- canonical output
SELECT input::crm.recycle_rule
FROM (VALUES
  ('first contact within 7 days; contact every 30 days; purchase within 180 days; at most 365 days; cool off 90 days'),
  ('cool off 90 days;at most 365 days;purchase within 180 days;contact every 30 days;first contact within 7 days'),
  (E'  AT  Most\t1days ;\n First\nContact Within 0002 day  '),
  ('cool off 36500 days'), ('never'), (' Never ')) AS v (input);

-- one holding by and by
SELECT contact, purchase, crm.recycle_due(r, '2024-01-01', contact, purchase), crm.recycle_cause(r, '2024-01-01', contact, purchase)
FROM (VALUES ('first contact within 7 days; contact every 30 days; purchase within 180 days; at most 365 days; cool off 90 days'::crm.recycle_rule)) AS v (r),
  (VALUES (NULL::timestamptz, NULL::timestamptz), ('2023-12-31 23:59:59.999999', '2023-06-01'), ('2024-01-01', NULL), ('2024-01-05 12:00', NULL), ('2024-01-20', NULL),
    ('2024-06-15', NULL), ('2024-06-15', '2024-01-01'), ('2024-12-20', '2024-05-05'), ('infinity', NULL), ('infinity', 'infinity'), ('-infinity', '-infinity'), (NULL, '2024-01-02')) AS f (contact, purchase);

-- due together: the first in canonical order is the cause
SELECT r, crm.recycle_cause(r, '2024-01-01', contact, NULL)
FROM (VALUES ('first contact within 9 days; contact every 9 days; purchase within 9 days; at most 9 days'::crm.recycle_rule, NULL::timestamptz),
  ('contact every 9 days; purchase within 9 days; at most 9 days', NULL), ('purchase within 9 days; at most 9 days', NULL), ('at most 9 days', NULL),
  ('first contact within 9 days; contact every 9 days; purchase within 9 days; at most 9 days', '2024-01-01'),
  ('first contact within 9 days; contact every 9 days; purchase within 9 days; at most 9 days', '2024-01-02'),
  ('cool off 9 days', NULL), ('never', NULL)) AS v (r, contact);

-- no day is 23 or 25 hours
SET timezone = 'Europe/Berlin';
SELECT crm.recycle_due('at most 1 day', '2024-03-30 12:00', NULL, NULL), crm.recycle_due('at most 1 day', '2024-10-26 12:00', NULL, NULL);
SET timezone = 'UTC';

-- ends of time
SELECT held, crm.recycle_due(r, held, contact, NULL), crm.recycle_cause(r, held, contact, NULL)
FROM (VALUES ('first contact within 7 days; contact every 30 days; purchase within 180 days; at most 365 days'::crm.recycle_rule)) AS v (r),
  (VALUES ('infinity'::timestamptz, NULL::timestamptz), ('infinity', 'infinity'), ('infinity', '2024-01-01'), ('-infinity', NULL), ('-infinity', '-infinity'), ('-infinity', '2024-01-01'),
    ('4714-11-24 00:00:00 BC', NULL), ('294276-12-24 23:59:59.999999', NULL)) AS h (held, contact);
SELECT q, pg_temp.outcome(q)
FROM (VALUES ($$SELECT crm.recycle_due('at most 36500 days', '294276-12-31 23:59:59.999999', NULL, NULL)$$),
  ($$SELECT crm.recycle_cause('at most 8 days', '294276-12-24', NULL, NULL)$$),
  ($$SELECT crm.recycle_due('contact every 36500 days', '294276-12-24', '294276-12-31', NULL)$$),
  ($$SELECT crm.recycle_due('at most 7 days; contact every 36500 days', '294276-12-24', NULL, NULL)$$)) AS v (q);
SELECT crm.recycle_due(NULL, '2024-01-01', NULL, NULL), crm.recycle_due('at most 1 day', NULL, NULL, NULL), crm.recycle_cause(NULL, '2024-01-01', NULL, NULL), crm.recycle_cause('at most 1 day', NULL, NULL, NULL);

-- random rules and histories: earliest of the clauses in plain SQL
SELECT setseed(0.75);
CREATE TEMPORARY TABLE cases AS
SELECT i, first_contact, every, purchase, most, cool, held, held + contact * interval '1 hour' AS contact, held + bought * interval '1 hour' AS bought,
  coalesce((SELECT string_agg(clause || days || CASE WHEN i % 3 = 0 THEN ' day' ELSE ' days' END, '; ' ORDER BY md5(clause || i))
   FROM (VALUES ('first contact within ', first_contact), ('contact every ', every), ('purchase within ', purchase), ('at most ', most), ('cool off ', cool)) AS c (clause, days)
   WHERE days IS NOT NULL), 'never')::crm.recycle_rule AS rule
FROM (SELECT i, '2020-01-01'::timestamptz + random() * 1000 * interval '1 day' AS held,
        CASE WHEN random() < 0.8 THEN floor(random() * 1000) - 300 END AS contact, CASE WHEN random() < 0.5 THEN floor(random() * 1000) - 300 END AS bought,
        CASE WHEN random() < 0.5 THEN 1 + floor(random() * 20)::integer END AS first_contact, CASE WHEN random() < 0.5 THEN 1 + floor(random() * 20)::integer END AS every,
        CASE WHEN random() < 0.5 THEN 1 + floor(random() * 20)::integer END AS purchase, CASE WHEN random() < 0.5 THEN 1 + floor(random() * 40)::integer END AS most,
        CASE WHEN random() < 0.5 THEN 1 + floor(random() * 400)::integer END AS cool
      FROM generate_series(1, 20000) AS i) AS r;
CREATE TEMPORARY TABLE expected AS
SELECT i, rule, held, contact, bought, cool, first_contact, every, purchase, most,
  least(a, b, c, d) AS due,
  CASE least(a, b, c, d) WHEN a THEN 'first contact within' WHEN b THEN 'contact every' WHEN c THEN 'purchase within' WHEN d THEN 'at most' END AS cause
FROM (SELECT *,
        CASE WHEN contact IS NULL OR contact < held THEN held + first_contact * interval '24 hours' END AS a,
        greatest(held, contact) + every * interval '24 hours' AS b,
        CASE WHEN bought IS NULL OR bought < held THEN held + purchase * interval '24 hours' END AS c,
        held + most * interval '24 hours' AS d
      FROM cases) AS clauses;
SELECT count(*), count(due) > 15000 AS most_due, count(DISTINCT cause) AS causes,
  count(*) FILTER (WHERE crm.recycle_due(rule, held, contact, bought) IS DISTINCT FROM due) AS due_differs,
  count(*) FILTER (WHERE crm.recycle_cause(rule, held, contact, bought) IS DISTINCT FROM cause) AS cause_differs,
  count(*) FILTER (WHERE crm.cool_off(rule) IS DISTINCT FROM cool * interval '24 hours') AS cool_off_differs,
  count(*) FILTER (WHERE (crm.recycle_days(rule, 'first contact within'), crm.recycle_days(rule, 'contact every'), crm.recycle_days(rule, 'purchase within'), crm.recycle_days(rule, 'at most'), crm.recycle_days(rule, 'cool off'))
                         IS DISTINCT FROM (first_contact, every, purchase, most, cool)) AS days_differ,
  count(*) FILTER (WHERE rule::text::crm.recycle_rule <> rule) AS round_trip_differs,
  count(*) FILTER (WHERE due <= held) AS due_at_once
FROM expected;
SELECT pg_temp.outcome($$SELECT crm.recycle_days('never', 'at least')$$), crm.recycle_days('never', 'cool off'), crm.cool_off('cool off 90 days'), crm.cool_off('never'), crm.cool_off(NULL);

-- operators, order, hash, index, casts
SELECT a < b AS lt, a <= b AS le, a = b AS eq, a <> b AS ne, a >= b AS ge, a > b AS gt, crm.recycle_rule_cmp(a, b) AS cmp
FROM (VALUES ('never'::crm.recycle_rule, 'cool off 1 day'::crm.recycle_rule), ('at most 9 days; cool off 2 days', 'cool off 2 days; at most 9 day'), ('first contact within 1 day', 'contact every 100 days'), ('cool off 2 days', 'cool off 10 days')) AS v (a, b);
SELECT count(DISTINCT rule) = count(DISTINCT (coalesce(first_contact, 0), coalesce(every, 0), coalesce(purchase, 0), coalesce(most, 0), coalesce(cool, 0))) AS all_apart,
  count(DISTINCT rule) = (SELECT count(*) FROM (SELECT rule FROM cases GROUP BY rule) AS g) AS hashed FROM cases;
SELECT count(*) FILTER (WHERE by_rule <> by_days) AS order_differs
FROM (SELECT dense_rank() OVER (ORDER BY rule) AS by_rule,
             dense_rank() OVER (ORDER BY coalesce(first_contact, 0), coalesce(every, 0), coalesce(purchase, 0), coalesce(most, 0), coalesce(cool, 0)) AS by_days FROM cases) AS r;
CREATE TEMPORARY TABLE kept (rule crm.recycle_rule PRIMARY KEY, note text);
INSERT INTO kept VALUES ('at most 9 days'::text, 'cool off 2 day'::crm.recycle_rule), ('never', NULL);
INSERT INTO kept VALUES ('AT MOST 9 DAYS');
SELECT * FROM kept ORDER BY rule;
SELECT crm.recycle_rule_hash('at most 1 day; cool off 1 day') = crm.recycle_rule_hash('cool off 1 day; at most 1 day') AS hash,
  crm.recycle_rule_hash('at most 1 day')::bigint & 4294967295 = crm.recycle_rule_hash_extended('at most 1 day', 0) & 4294967295 AS low_half;
SET enable_mergejoin = off; SET enable_nestloop = off;
SELECT count(*) = count(DISTINCT i) AS hash_join FROM cases JOIN (SELECT DISTINCT rule FROM cases) AS d USING (rule);

-- wrong literals
SELECT input, pg_temp.outcome(format('SELECT %L::crm.recycle_rule', input))
FROM (VALUES (''), (' '), (';'), ('never; at most 1 day'), ('never 1 day'), ('at most'), ('at most days'), ('at most 0 days'), ('at most -1 days'), ('at most 36501 days'), ('at most 99999999999999999999 days'),
  ('at most 1.5 days'), ('at most 1 month'), ('at most 1'), ('at most 1 dayss'), ('at most 1 days ago'), ('at most 1 day;'), ('; at most 1 day'), ('at most 1 day;; cool off 1 day'), ('at most 1 day, cool off 1 day'),
  ('at most 1 day; at most 1 day'), ('at most 1 day; cool off 2 days; AT MOST 3 days'), ('atmost 1 day'), ('at most1 day'), ('first contact 7 days'), ('contact each 30 days'), ('cooling off 90 days'),
  ('at most infinity days'), ('at most NaN days'), ('最多 365 days'), ('at most ３ days'), ('first  contact  within')) AS v (input);
SELECT kind, left(pg_temp.outcome(format('SELECT %L::crm.recycle_rule', input)), 100)
FROM (VALUES ('1 MB letters', repeat('x', 1048576)), ('1 MB digits', 'at most ' || repeat('9', 1048576) || ' days'), ('1 MB zeros', 'at most ' || repeat('0', 1048576) || ' days'), ('1 MB zeros and 7', 'at most ' || repeat('0', 1048576) || '7 days'),
  ('1 MB spaces', repeat(' ', 1048576)), ('1 MB spaces between', 'at' || repeat(' ', 1048576) || 'most 1 day'), ('1 MB semicolons', repeat(';', 1048576)), ('1 MB clauses', repeat('at most 1 day; ', 70000))) AS v (kind, input);
