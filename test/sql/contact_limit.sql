-- crm.contact_limit: text form, whether one more contact fits and from when on, against plain SQL, wrong literals
\pset null '(null)'
\pset format unaligned
\pset footer off
SET client_min_messages = warning;
SET search_path = public, crm;
SET datestyle = ISO;
SET intervalstyle = postgres;
SET jit = off;
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
SELECT input::crm.contact_limit, crm.contact_window(input::crm.contact_limit)
FROM (VALUES ('3 in 30 days; 1 in 1 day'), ('1 in 24 hours;3 in 720 hours'), (E'  03  IN\t30 Days ;1 in 1 Hour '), ('1000000 in 36500 days'), ('7 in 876000 hours'), ('unlimited'), (' Never '),
  ('6 in 6 days; 5 in 5 days; 4 in 4 days; 3 in 3 days; 2 in 2 days; 1 in 1 hour')) AS v (input);
SELECT a OPERATOR(crm.=) b AS equal, a OPERATOR(crm.<>) b AS differs, crm.contact_limit_hash(a) = crm.contact_limit_hash(b) AS one_hash
FROM (VALUES ('1 in 1 day'::crm.contact_limit, '1 in 24 hours'::crm.contact_limit), ('never', 'unlimited'), ('1 in 1 day; 2 in 2 days', '2 in 2 days; 1 in 1 day')) AS v (a, b);
SELECT count(*) FROM (SELECT DISTINCT l FROM unnest('{"1 in 1 day","1 in 24 hours",never}'::crm.contact_limit[]) AS l) AS d;

-- boundaries: exactly a window ago is out, a microsecond less is in
SELECT at_most, contacts, at, crm.contact_allowed(at_most, contacts, at), crm.contact_allowed_from(at_most, contacts, at), crm.contact_room(at_most, contacts, at)
FROM (VALUES
  ('1 in 1 day'::crm.contact_limit, '{2024-01-01 12:00}'::timestamptz[], '2024-01-02 12:00'::timestamptz),
  ('1 in 1 day', '{2024-01-01 12:00}', '2024-01-02 11:59:59.999999'),
  ('1 in 1 day', '{2024-01-01 12:00}', '2024-01-01 12:00'),
  ('1 in 1 hour', '{2024-01-01 12:00}', '2024-01-01 12:59'),
  ('3 in 30 days; 1 in 1 day', '{2024-01-01,2024-01-05,2024-01-20}', '2024-01-30 23:59:59'),
  ('3 in 30 days; 1 in 1 day', '{2024-01-01,2024-01-05,2024-01-30}', '2024-01-30 06:00'),
  ('3 in 30 days; 1 in 1 day', '{2024-01-01,2024-01-05,2024-01-30 12:00}', '2024-01-30 23:00'),
  ('1 in 1 day', '{}', '2024-01-01'), ('unlimited', '{2024-01-01,2024-01-01}', '2024-01-01'), ('never', '{}', '2024-01-01'),
  -- too many already
  ('1 in 2 days', '{2024-01-01,2024-01-01,2024-01-02}', '2024-01-02'),
  -- contacts to come count: before, between and behind them
  ('1 in 2 days', '{2024-01-10,2024-01-13,2024-01-17}', '2024-01-07'), ('1 in 2 days', '{2024-01-10,2024-01-13,2024-01-17}', '2024-01-09'),
  ('2 in 2 days', '{2024-01-10,2024-01-10,2024-01-11}', '2024-01-08 00:00:01'), ('2 in 4 days; 1 in 1 day', '{2024-01-10,2024-01-12,2024-01-13}', '2024-01-08')) AS v (at_most, contacts, at);

-- a day is 24 hours when clocks change
SET timezone = 'Europe/Berlin';
SELECT crm.contact_allowed_from('1 in 1 day', '{2024-03-30 12:00}', '2024-03-31'), crm.contact_allowed_from('1 in 1 day', '{2024-10-26 12:00}', '2024-10-27');
SET timezone = 'UTC';

-- random limits and contacts: the windows counted one by one, at every instant that may be the first
SELECT setseed(0.25);
CREATE TEMPORARY TABLE cases AS
SELECT i, (SELECT string_agg(n || ' in ' || h || ' hours', '; ')
           FROM (SELECT DISTINCT ON (h) h, 1 + floor(random() * 4)::integer AS n
                 FROM (SELECT 1 + floor(random() * 60 + i * 0)::integer AS h FROM generate_series(1, 1 + i % 3)) AS h) AS c)::crm.contact_limit AS at_most,
  ARRAY(SELECT '2024-01-01'::timestamptz + floor(random() * 200 + i * 0) * interval '1 hour' AS t FROM generate_series(1, i % 14) ORDER BY t) AS contacts,
  '2024-01-01'::timestamptz + floor(random() * 250 - 20) * interval '1 hour' AS at
FROM generate_series(1, 300) AS i;
CREATE FUNCTION pg_temp.fits(at_most crm.contact_limit, contacts timestamptz[], at timestamptz, more integer) RETURNS boolean LANGUAGE sql AS $$
  -- every window that begins with a contact and holds the new one
  SELECT NOT EXISTS (
    SELECT FROM regexp_matches(replace(at_most::text, ' days', ' day'), '(\d+) in (\d+) (day|hour)', 'g') AS m
    CROSS JOIN LATERAL (SELECT m[1]::integer AS n, m[2]::integer * CASE m[3] WHEN 'day' THEN 24 ELSE 1 END * interval '1 hour' AS span) AS c
    CROSS JOIN LATERAL (SELECT w FROM unnest(contacts || at) AS w WHERE w <= at AND at < w + span) AS s
    WHERE (SELECT count(*) FROM unnest(contacts) AS o WHERE o >= s.w AND o < s.w + span) + more > n)
$$;
SELECT count(*) AS cases, count(*) FILTER (WHERE crm.contact_allowed(at_most, contacts, at)) BETWEEN 50 AND 250 AS both_ways,
  count(*) FILTER (WHERE crm.contact_allowed(at_most, contacts, at) <> pg_temp.fits(at_most, contacts, at, 1)) AS wrong
FROM cases;
SELECT count(*) AS wrong_from FROM cases
WHERE crm.contact_allowed_from(at_most, contacts, at) <>
  (SELECT min(x) FROM (SELECT at AS x UNION ALL SELECT c + h * interval '1 hour' FROM unnest(contacts) AS c, generate_series(1, 60) AS h) AS x
   WHERE x >= at AND pg_temp.fits(at_most, contacts, x, 1));
SELECT count(*) AS wrong_room FROM cases
WHERE crm.contact_room(at_most, contacts, at) <> (SELECT count(*) FROM generate_series(1, 4) AS k WHERE pg_temp.fits(at_most, contacts, at, k::integer));

-- many contacts and clauses take no quadratic time
SELECT crm.contact_allowed_from('1 in 1 hour; 2 in 2 hours; 3 in 3 hours', array_agg(t ORDER BY t), '2024-01-01')
FROM generate_series(0, 100000) AS i CROSS JOIN LATERAL (SELECT '2024-01-01'::timestamptz + i * interval '59 minutes' AS t) AS c;

-- ends of time
SELECT q, pg_temp.outcome(q)
FROM (VALUES ($$SELECT crm.contact_allowed('1 in 1 day', '{infinity}', '2024-01-01')$$), ($$SELECT crm.contact_allowed('1 in 1 day', '{-infinity}', '2024-01-01')$$),
  ($$SELECT crm.contact_allowed_from('1 in 1 day', '{}', 'infinity')$$), ($$SELECT crm.contact_room('1 in 1 day', '{}', '-infinity')$$)) AS v (q);
SELECT crm.contact_allowed_from('1 in 36500 days', '{294276-12-24}', '294276-12-31'), crm.contact_allowed('1 in 36500 days', '{4714-11-24 00:00:00 BC}', '294276-12-31'),
  crm.contact_room('1 in 36500 days', '{4714-11-24 00:00:00 BC, 294276-12-31}', '4714-11-24 00:00:00 BC');
SELECT crm.contact_allowed(NULL, '{}', '2024-01-01'), crm.contact_allowed('never', NULL, '2024-01-01'), crm.contact_allowed('never', '{}', NULL);

-- wrong arguments
SELECT q, pg_temp.outcome(q)
FROM (VALUES ($$SELECT crm.contact_allowed('1 in 1 day', '{2024-01-02,2024-01-01}', '2024-01-03')$$), ($$SELECT crm.contact_allowed('1 in 1 day', '{2024-01-02,NULL}', '2024-01-03')$$),
  ($$SELECT crm.contact_room('1 in 1 day', '{{2024-01-02},{2024-01-03}}', '2024-01-03')$$)) AS v (q);

-- wrong literals
SELECT input, pg_temp.outcome(format('SELECT %L::crm.contact_limit', input))
FROM (VALUES (''), (' '), (';'), ('3'), ('3 in'), ('3 in 30'), ('3 in 30days'), ('3in 30 days'), ('3 in 30 dayss'), ('3 in 30 days;'), (';3 in 30 days'), ('3 in 30 days 1 in 1 day'),
  ('3 in 30 days, 1 in 1 day'), ('0 in 1 day'), ('1 in 0 days'), ('-1 in 1 day'), ('+1 in 1 day'), ('1.5 in 1 day'), ('1 in 1 month'), ('1000001 in 1 day'), ('1 in 36501 days'), ('1 in 876001 hours'),
  ('99999999999999999999999999 in 1 day'), ('1 in 99999999999999999999999 hours'), ('1 in 1 day; 2 in 24 hours'), ('1 in 1 day; 1 in 1 day'), ('never; 1 in 1 day'), ('1 in 1 day; unlimited'),
  ('neverx'), ('un limited'), ('１ in 1 day'), ('1 in 1 day' || chr(160)), (repeat('1 in 1 day;', 20)),
  ('1 in 1 day; 1 in 2 days; 1 in 3 days; 1 in 4 days; 1 in 5 days; 1 in 6 days; 1 in 7 days')) AS v (input);
