-- Working time against a count minute by minute, on random calendars, over changes of the clock; boundaries; calendars that are none.
\set ON_ERROR_STOP on
BEGIN;
SELECT no_plan();
SET LOCAL client_min_messages = warning;
\ir include/helpers.sql

-- minutes in [f, t) in which the local clock stands within a span of its day, one by one
CREATE FUNCTION pg_temp.naive(f timestamptz, t timestamptz, zone text, weekdays integer[], starts time[], ends time[], days date[], day_weekdays integer[]) RETURNS interval LANGUAGE sql AS $$
  SELECT count(*) * interval '1 minute' FROM generate_series(f, t - interval '1 minute', '1 minute') m,
    LATERAL (SELECT m AT TIME ZONE zone AS l) x,
    LATERAL (SELECT coalesce((SELECT w FROM unnest(days, day_weekdays) e (d, w) WHERE d = l::date), extract(isodow FROM l)::integer) AS w) y
  WHERE EXISTS (SELECT FROM unnest(weekdays, starts, ends) s (weekday, a, b) WHERE s.weekday = y.w AND l - l::date >= a - time '0:00' AND l - l::date < b - time '0:00')
$$;

-- random calendars: up to nine spans that may overlap, some to 24:00, days off, days worked, in zones with and without changes of the clock
SELECT setseed(0.5);
CREATE TEMP TABLE c AS
SELECT n, (ARRAY['Asia/Shanghai', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kathmandu', 'America/Sao_Paulo'])[1 + n % 6] AS zone,
       (ARRAY['2024-03-08', '2024-03-30', '2024-10-25', '2024-04-05', '2024-11-01', '2018-11-02', '1991-04-12'])[1 + n % 7]::timestamptz + floor(random() * 3000) * interval '1 minute' AS f,
       floor(random() * 9000) * interval '1 minute' AS long, s.*, d.*
FROM generate_series(1, 84) n
CROSS JOIN LATERAL (
  SELECT array_agg(1 + floor(random() * 7)::integer) AS weekdays, array_agg(time '0:00' + a * interval '1 minute') AS starts,
         array_agg(CASE WHEN a + b >= 1440 THEN '24:00' ELSE time '0:00' + (a + b) * interval '1 minute' END) AS ends
  FROM (SELECT floor(random() * 1200) AS a, 1 + floor(random() * 700) AS b FROM generate_series(1, 1 + (n % 9))) x) s
CROSS JOIN LATERAL (
  SELECT array_agg(day) AS days, array_agg(w) AS day_weekdays
  FROM (SELECT DISTINCT ON (day) day, floor(random() * 8)::integer AS w
        FROM (SELECT (ARRAY['2024-03-08', '2024-03-30', '2024-10-25', '2024-04-05', '2024-11-01', '2018-11-02', '1991-04-12'])[1 + n % 7]::date + floor(random() * 9)::integer AS day FROM generate_series(1, 3)) x) y) d;
CREATE TEMP TABLE w AS
SELECT c.*, f + long AS t, pg_temp.naive(f, f + long, zone, weekdays, starts, ends, days, day_weekdays) AS naive,
       crm._working_time_between(f, f + long, zone, weekdays, starts, ends, days, day_weekdays) AS got FROM c;
SELECT is_empty('SELECT n, zone, f, t, naive, got FROM w WHERE naive IS DISTINCT FROM got', 'working time is what a count of the minutes gives');
SELECT cmp_ok((SELECT count(*) FROM w WHERE got > '0'), '>', 60::bigint, 'and seldom none');
SELECT is_empty('SELECT n FROM w WHERE crm._working_time_between(t, f, zone, weekdays, starts, ends, days, day_weekdays) IS DISTINCT FROM -got', 'backwards it is negative');
SELECT is_empty($$SELECT n, f, t, got, a FROM (SELECT *, crm._working_time_add(f, got, zone, weekdays, starts, ends, days, day_weekdays) AS a FROM w) x
                  WHERE a > t OR crm._working_time_between(f, a, zone, weekdays, starts, ends, days, day_weekdays) <> got
                     OR got > '0' AND crm._working_time_between(f, a - interval '1 us', zone, weekdays, starts, ends, days, day_weekdays) <> got - interval '1 us'$$,
                'adding it again comes to the earliest instant with as much');
SELECT is_empty($$SELECT n FROM (SELECT *, f + random() * (t - f) AS m FROM w) x
                  WHERE crm._working_time_between(f, m, zone, weekdays, starts, ends, days, day_weekdays) + crm._working_time_between(m, t, zone, weekdays, starts, ends, days, day_weekdays) <> got$$,
                'parts add up, to the microsecond');

-- the calendar of the office, in Shanghai
SET LOCAL timezone = 'Asia/Shanghai';
INSERT INTO crm.holiday (day, kind, name) VALUES ('2026-02-14', 'working', '春节调休'), ('2026-02-17', 'holiday', '春节'), ('2026-02-18', 'holiday', '春节');
INSERT INTO crm.holiday (day, kind, as_weekday) VALUES ('2026-02-15', 'working', 6);
SELECT is(crm.add_working_time(a::timestamptz, b), c::timestamptz, d) FROM (VALUES
  ('2026-02-09 09:00', interval '7.5 hours', '2026-02-09 17:30', 'a full day ends with the day'),
  ('2026-02-09 09:00', '3 hours', '2026-02-09 12:00', 'a full morning before lunch'),
  ('2026-02-09 09:00', '3:00:00.000001', '2026-02-09 13:00:00.000001', 'a moment more after it'),
  ('2026-02-09 12:30', '1 hour', '2026-02-09 14:00', 'from lunch on'),
  ('2026-02-09 17:30', '1 hour', '2026-02-10 10:00', 'from the evening on'),
  ('2026-02-09 17:29:59.999999', '0:00:00.000001', '2026-02-09 17:30', 'the last moment of the day'),
  ('2026-02-08 20:00', '0', '2026-02-08 20:00', 'nothing added is nothing'),
  ('2026-02-13 17:00', '1 hour', '2026-02-14 09:30', 'a Saturday to make up for a holiday has the hours of Monday'),
  ('2026-02-14 17:00', '1 hour', '2026-02-16 09:30', 'as a Saturday the Sunday has none'),
  ('2026-02-16 17:00', '1 hour', '2026-02-19 09:30', 'holidays are not worked')) v (a, b, c, d);
SELECT is(crm.working_time('2026-02-13 17:00', '2026-02-19 09:30'), '16:00', 'over the holidays');
SELECT is(crm.working_time('2026-02-19 09:30', '2026-02-13 17:00'), '-16:00', 'and back');
SELECT is(crm.working_time('2026-02-09 17:30', '2026-02-10 09:00'), '0', 'a night');
SELECT is(crm.add_working_time('2026-02-09 17:00'::timestamptz, interval '1 hour', 'duty'), '2026-02-10 09:30'::timestamptz, 'another calendar');
SELECT is(crm.working_time('2026-02-14 09:00', '2026-02-15 17:30', 'duty'), '15:00', 'which works at weekends');
SELECT ok(crm.add_working_time(NULL, '1 hour') IS NULL AND crm.add_working_time('2026-02-09', NULL) IS NULL AND crm.working_time('2026-02-09', NULL) IS NULL, 'null is not known');
SELECT is(crm.working_time('1900-01-02', '2199-12-31 00:00'), (SELECT sum(CASE WHEN h.kind = 'holiday' OR h.as_weekday = 6 THEN 0 WHEN h.kind = 'working' THEN 7.5 WHEN extract(isodow FROM d) < 6 THEN 7.5 ELSE 0 END) * interval '1 hour'
          FROM generate_series('1900-01-02'::timestamp, '2199-12-30', '1 day') d LEFT JOIN crm.holiday h ON h.day = d AND h.calendar = 'default'), 'three centuries');

-- the calendar of a unit
INSERT INTO crm.organisation (id, parent_id, code, name) VALUES (1, NULL, 'c', 'Company'), (2, 1, 'b', 'Bureau'), (3, 2, 'o', 'Office'), (4, 3, 'w', 'Window');
INSERT INTO crm.calendar (code, name, name_zh, time_zone) VALUES ('west', 'West', '西部', 'Asia/Urumqi'), ('never', 'Never', '无', NULL);
INSERT INTO crm.working_hours (calendar, weekday, from_time, to_time) VALUES ('west', 1, '10:00', '14:00'), ('west', 1, '13:00', '18:00');
SELECT is(array_agg(crm.calendar_of(u) ORDER BY u), '{default,default,default,default,default}', 'every unit works as the office') FROM unnest('{1,2,3,4,99}'::bigint[]) u;
INSERT INTO crm.organisation_calendar (org_id, calendar) VALUES (2, 'west'), (4, 'duty');
SELECT is(array_agg(crm.calendar_of(u) ORDER BY u), '{default,west,west,duty,default}', 'until it or one above has another calendar') FROM unnest('{1,2,3,4,99}'::bigint[]) u;
SELECT is(crm.calendar_of(NULL), 'default', 'no unit works as the office');
SELECT is(crm.add_working_time('2026-02-09 10:00'::timestamptz, interval '1 hour', 3::bigint), '2026-02-09 13:00'::timestamptz, 'in its time zone');
SELECT is(crm.working_time('2026-02-09 00:00', '2026-02-16 00:00', 3::bigint), '8:00', 'spans that overlap count once');
SELECT is(crm.working_time('2026-02-09 00:00', '2026-02-16 00:00', 'never'), '0', 'a calendar without hours never works');

-- default stays; what is changed is on record; managers write holidays and nothing else
SELECT pg_temp.refused(s, '55000', 'calendar "default" can be neither deleted nor renamed', s) FROM (VALUES
  ($$DELETE FROM crm.calendar WHERE code = 'default'$$), ($$UPDATE crm.calendar SET code = 'other' WHERE code = 'default'$$), ('DELETE FROM crm.calendar')) v (s);
UPDATE crm.calendar SET code = code, name = 'Office hours' WHERE code = 'default';
UPDATE crm.calendar SET code = 'window' WHERE code = 'duty';
SELECT is(crm.calendar_of(4), 'window', 'another calendar may be renamed');
UPDATE crm.calendar SET code = 'duty' WHERE code = 'window';
CREATE ROLE crm_test_manager;
CALL crm.grant_duty('manager', 'crm_test_manager');
SET LOCAL ROLE crm_test_manager;
SELECT lives_ok($$INSERT INTO crm.holiday (day, name) VALUES ('2026-05-01', 'May')$$, 'a manager enters a holiday');
SELECT lives_ok($$UPDATE crm.holiday SET name = 'May Day' WHERE day = '2026-05-01'$$, 'corrects it');
SELECT lives_ok($$UPDATE crm.holiday SET name = 'May Day' WHERE day = '2026-05-01'$$, 'once more, which is no change');
SELECT lives_ok($$DELETE FROM crm.holiday WHERE day = '2026-05-01'$$, 'and takes it away');
SELECT throws_ok(s, '42501', NULL, 'not: ' || s) FROM unnest(ARRAY[$$DELETE FROM crm.calendar WHERE code = 'duty'$$, $$UPDATE crm.working_hours SET to_time = '18:00'$$, $$DELETE FROM crm.organisation_calendar$$,
  $$DELETE FROM crm.calendar_change$$, $$INSERT INTO crm.calendar_change (relation) VALUES ('holiday')$$]) s;
RESET ROLE;
SELECT results_eq($$SELECT before ->> 'name', after ->> 'name', changed_by FROM crm.calendar_change WHERE relation = 'holiday' ORDER BY id DESC LIMIT 3$$,
                  $$VALUES ('May Day', NULL, 'postgres' COLLATE "default"), ('May', 'May Day', 'postgres'), (NULL, 'May', 'postgres')$$, 'who changed what is on record');
SELECT is((SELECT count(*) FROM crm_bi.calendar_change WHERE day = '2026-05-01' AND calendar = 'default'), 3::bigint, 'and seen');

-- what is refused
SELECT pg_temp.refused(s, c, w, w) FROM (VALUES
  ($$SELECT crm.add_working_time('2026-02-09', '1 hour', 'never')$$, '22008', 'less working time before the year 2200'),
  ($$SELECT crm.add_working_time('2026-02-09', '900000 hours')$$, '22008', 'less working time'),
  ($$SELECT crm.add_working_time('2026-02-09', '2000000000 hours')$$, '22008', 'less working time'),
  ($$SELECT crm.add_working_time('2026-02-09', '1 day')$$, '22023', 'neither days nor months'),
  ($$SELECT crm.add_working_time('2026-02-09', '1 month')$$, '22023', 'neither days nor months'),
  ($$SELECT crm.add_working_time('2026-02-09', '-1 hour')$$, '22023', 'must not be negative'),
  ($$SELECT crm.add_working_time('infinity', '1 hour')$$, '22008', 'instant "infinity" is out of range'),
  ($$SELECT crm.add_working_time('1899-12-31', '1 hour')$$, '22008', 'is out of range'),
  ($$SELECT crm.working_time('-infinity', now())$$, '22008', 'instant "-infinity" is out of range'),
  ($$SELECT crm.working_time(now(), '2200-01-02')$$, '22008', 'is out of range'),
  ($$SELECT crm.working_time(now(), now(), 'nothing')$$, '22023', 'there is no calendar "nothing"'),
  ($$SELECT crm.working_time(now(), now(), NULL::text)$$, '22023', 'there is no calendar'),
  ($$INSERT INTO crm.calendar VALUES ('x', 'X', 'X', 'Mars/Phobos')$$, '22023', 'there is no time zone "Mars/Phobos"'),
  ($$INSERT INTO crm.working_hours VALUES ('default', 0, '1:00', '2:00')$$, '23514', 'weekday'),
  ($$INSERT INTO crm.working_hours VALUES ('default', 1, '18:00', '2:00')$$, '23514', ''),
  ($$INSERT INTO crm.holiday (day, kind, as_weekday) VALUES ('2026-05-01', 'holiday', 1)$$, '23514', 'holiday_weekday_check'),
  ($$INSERT INTO crm.holiday (day) VALUES ('2026-02-17')$$, '23505', ''),
  ($$INSERT INTO crm.organisation_calendar VALUES (3, 'nothing')$$, '23503', '')) v (s, c, w);
SELECT pg_temp.refused(format('SELECT crm._working_time_%s)', s), c, w, w || ' (' || left(s, 7) || ')') FROM (VALUES
  ($$between(now(), now(), 'Mars', '{}', '{}', '{}', '{}', '{}'$$, '22023', 'there is no time zone "Mars"'),
  ($$between(now(), now(), repeat('x', 5000), '{}', '{}', '{}', '{}', '{}'$$, '22023', 'there is no time zone'),
  ($$between(now(), now(), '', '{}', '{}', '{}', '{}', '{}'$$, '22023', 'there is no time zone ""'),
  ($$between(now(), now(), 'UTC', '{1}', '{}', '{}', '{}', '{}'$$, '22023', 'there are 1 weekdays, 0 starts and 0 ends'),
  ($$between(now(), now(), 'UTC', '{8}', '{1:00}', '{2:00}', '{}', '{}'$$, '22023', 'weekday 8 is out of range'),
  ($$between(now(), now(), 'UTC', '{0}', '{1:00}', '{2:00}', '{}', '{}'$$, '22023', 'weekday 0 is out of range'),
  ($$between(now(), now(), 'UTC', '{1}', '{2:00}', '{2:00}', '{}', '{}'$$, '22023', 'must end after it starts'),
  ($$between(now(), now(), 'UTC', '{NULL}', '{2:00}', '{3:00}', '{}', '{}'$$, '22004', 'must not contain null'),
  ($$between(now(), now(), 'UTC', '{{1}}', '{2:00}', '{3:00}', '{}', '{}'$$, '22023', 'one dimension'),
  ($$between(now(), now(), 'UTC', '{}', '{}', '{}', '{2026-01-01}', '{}'$$, '22023', 'there are 1 days and 0 weekdays'),
  ($$between(now(), now(), 'UTC', '{}', '{}', '{}', '{2026-01-01}', '{8}'$$, '22023', 'weekday 8'),
  ($$between(now(), now(), 'UTC', '{}', '{}', '{}', '{2026-01-01,2026-01-02,2026-01-01}', '{0,0,0}'$$, '22023', 'day "2026-01-01" is named twice'),
  ($$between(now(), now(), 'UTC', '{}', '{}', '{}', '{infinity,-infinity,infinity}', '{0,0,0}'$$, '22023', 'day "infinity" is named twice'),
  ($$add(now(), '1 hour', 'UTC', '{}', '{}', '{}', '{}', '{}'$$, '22008', 'less working time')) v (s, c, w);
SELECT is(crm._working_time_between('2026-01-01 00:00+0', '2026-01-08 00:00+0', 'UTC', '{1,2,3,4,5,6,7}', '{0:00,0:00,0:00,0:00,0:00,0:00,0:00}', '{24:00,24:00,24:00,24:00,24:00,24:00,24:00}', '{infinity,-infinity,4713-01-01 BC}', '{0,0,0}'),
          '168:00', 'days at the ends of time do no harm');

SELECT * FROM finish();
ROLLBACK;
