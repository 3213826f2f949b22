-- Exemptions, preview, sweep, undo, return, reminders and the history of holdings.
BEGIN;
SELECT no_plan();
\ir include/helpers.sql

INSERT INTO crm.organisation (id, parent_id, code, name) VALUES (1, NULL, 'co', 'Company'), (2, 1, 'n', 'North'), (3, 1, 's', 'South');
INSERT INTO crm.staff (id, code, name, org_id, channel_id, joined_on)
SELECT i, 's' || i, 'Staff ' || i, 2 + i % 2, 1 + i % 2, '2020-01-01' FROM generate_series(1, 8) i;
INSERT INTO crm.customer (id, kind, name, org_id, source_channel_id, known_from)
SELECT i, 'person', 'Customer ' || i, 2, 1, '2020-01-01' FROM generate_series(1, 300) i;
INSERT INTO crm.setting (name, value) VALUES ('recycle_rule', 'first contact within 7 days; contact every 30 days; at most 365 days; cool off 90 days');

-- a holding that began a while ago
CREATE PROCEDURE pg_temp.hold(customer bigint, staff bigint, since interval, rule text DEFAULT 'first contact within 7 days; contact every 30 days; at most 365 days; cool off 90 days') LANGUAGE sql AS $$
  INSERT INTO crm.holding (customer_id, channel_id, org_id, staff_id, held_from, start_cause, rule)
  SELECT $1, s.channel_id, s.org_id, s.id, now() - $3, 'claim', $4::crm.recycle_rule FROM crm.staff s WHERE s.id = $2
$$;
CREATE FUNCTION pg_temp.events(customer bigint) RETURNS text LANGUAGE sql AS $$
  SELECT string_agg(e.event, ' ' ORDER BY e.event_no) FROM crm_bi.holding_event e WHERE e.customer_id = $1
$$;

-- boundaries -----------------------------------------------------------------------

CALL pg_temp.hold(1, 1, '7 days');
SELECT is(crm.recycle(now() - interval '1 microsecond'), 0::bigint, 'a microsecond before it is due it stays');
SELECT results_eq($$SELECT days_overdue, ends FROM crm.recycle_preview(now())$$, 'VALUES (0, true)', 'on the instant it is due');
SELECT is(crm.recycle(now()), 1::bigint, 'and goes');
CALL pg_temp.hold(2, 1, '7 days');
UPDATE crm.holding SET last_contact_at = due_at - interval '1 microsecond' WHERE customer_id = 2;
SELECT is(crm.recycle(now()), 0::bigint, 'a contact a microsecond before saves it');
SELECT is((SELECT due_at FROM crm.holding WHERE customer_id = 2), now() - interval '1 microsecond' + interval '720 hours', 'for thirty days');
UPDATE crm.holding SET held_to = held_from, end_cause = 'release', ended_by = 'x' WHERE customer_id = 2;
SELECT is(crm.recycle(now() + interval '10 years', early => true), 0::bigint, 'who holds nobody has nobody taken: an empty scope recycles nobody');
SELECT is_empty('SELECT * FROM crm.recycle_preview(now() + interval ''10 years'')', 'nor would it');
SELECT results_eq('SELECT ended, reopened, finished_at IS NOT NULL FROM crm.sweep ORDER BY id', 'VALUES (0::bigint, 0::bigint, true), (1, 0, true), (0, 0, true), (0, 0, true)', 'every sweep is on record');
SELECT results_eq('SELECT sweep_id FROM crm.holding WHERE customer_id = 1', 'SELECT id FROM crm.sweep WHERE ended = 1', 'and the holdings tell which');

-- exemptions ---------------------------------------------------------------------------

CALL pg_temp.hold(10, 1, '8 days');
CALL pg_temp.hold(11, 1, '8 days');
CALL pg_temp.hold(12, 1, '8 days');
CALL pg_temp.hold(13, 1, '1 day', 'never');
SELECT is(pg_temp.code_of(s), code, name) FROM (VALUES
  ($$SELECT crm.exempt(10, NULL, now() + interval '1 day', 'x')$$, '22004', 'exempt: no kind'),
  ($$SELECT crm.exempt(10, 'case', NULL, 'x')$$, '22004', 'no end'),
  ($$SELECT crm.exempt(10, 'case', now() + interval '1 day', NULL)$$, '22004', 'no reason'),
  ($$SELECT crm.exempt(NULL, 'case', now() + interval '1 day', 'x')$$, '22004', 'no customer'),
  ($$SELECT crm.exempt(10, 'case', now() + interval '1 day', '  ')$$, '23514', 'a blank reason'),
  ($$SELECT crm.exempt(10, 'holiday', now() + interval '1 day', 'x')$$, '22023', 'a kind that is none'),
  ($$SELECT crm.exempt(10, 'case', now(), 'x')$$, '22023', 'over already'),
  ($$SELECT crm.exempt(10, 'case', '-infinity', 'x')$$, '22023', 'long over'),
  ($$SELECT crm.exempt(10, 'case', 'infinity', 'x')$$, '53400', 'for ever'),
  ($$SELECT crm.exempt(10, 'case', now() + interval '59 days 1 microsecond', 'x')$$, '53400', 'longer than the setting lets'),
  ($$SELECT crm.exempt(13, 'case', now() + interval '1 day', 'x')$$, '55000', 'what never falls due'),
  ($$SELECT crm.exempt(9, 'case', now() + interval '1 day', 'x')$$, '55000', 'whom nobody holds'),
  ($$SELECT crm.exempt(999, 'case', now() + interval '1 day', 'x')$$, '23503', 'whom nobody knows'),
  ($$SELECT crm.withdraw_exemption(10, 'x')$$, '55000', 'withdraw: none in force'),
  ($$SELECT crm.withdraw_exemption(10, NULL)$$, '22004', 'no reason'),
  ($$INSERT INTO crm.recycle_exemption (customer_id, holding_id, kind, until, reason) VALUES (10, 0, 'case', now() + interval '1 day', 'x')$$, '23503', 'no exemption without a holding')) v (s, code, name);
SELECT ok(crm.exempt(10, 'case', now() + interval '59 days', 'a case is open') > 0, 'just as long as the setting lets, counted from the due time');
SELECT is(pg_temp.code_of($$SELECT crm.exempt(10, 'case', now() + interval '60 days', 'again')$$), '53400', 'an edit does not make it longer');
SELECT ok(crm.exempt(11, 'application', now() + interval '3 days', 'application 7') > 0 AND crm.exempt(11, 'planned_contact', now() + interval '1 day', 'call on Monday') > 0, 'several at once');
SELECT is((SELECT exempt_until FROM crm.holding WHERE customer_id = 11), now() + interval '3 days', 'the longest counts');
SELECT results_eq('SELECT customer_id, ends, kept_by, kept_until FROM crm.recycle_preview(now())',
  $$VALUES (10::bigint, false, 'exempt', now() + interval '59 days'), (11, false, 'exempt', now() + interval '3 days'), (12, true, NULL, NULL)$$, 'the preview tells what it passes over');
SELECT is(crm.recycle(now()), 1::bigint, 'the sweep passes over both');
SELECT is(crm.recycle(now() + interval '3 days' - interval '1 microsecond', early => true), 0::bigint, 'up to the last microsecond');
SELECT is(crm.withdraw_exemption(11, 'signed', (SELECT max(id) FROM crm.recycle_exemption WHERE customer_id = 11)), 1::bigint, 'one withdrawn');
SELECT is((SELECT exempt_until FROM crm.holding WHERE customer_id = 11), now() + interval '3 days', 'leaves the other');
SELECT is(crm.recycle(now() + interval '3 days', early => true), 1::bigint, 'and on its end it goes');
SELECT is(crm.withdraw_exemption(10, 'closed'), 1::bigint, 'all withdrawn');
SELECT is((SELECT exempt_until FROM crm.holding WHERE customer_id = 10), NULL, 'and nothing keeps it');
SELECT is(pg_temp.code_of($$SELECT crm.withdraw_exemption(10, 'closed')$$), '55000', 'once');
SELECT crm.exempt(10, 'other', now() + interval '1 day', 'something') AS ignored \gset
SELECT ok(crm.release(10) > 0, 'a release takes no notice of it');
SELECT crm.claim(10, 2) AS ignored \gset
SELECT is((SELECT exempt_until FROM crm.holding WHERE customer_id = 10 AND held_to IS NULL), NULL, 'the next holding is not exempt');
SELECT is(pg_temp.code_of($$SELECT crm.withdraw_exemption(10, 'late')$$), '55000', 'and has none to withdraw');
SELECT results_eq('SELECT over_at = held_to FROM crm_bi.recycle_exemption e JOIN crm.holding h ON h.customer_id::text || ''/'' || h.id = e.holding_key WHERE e.reason = ''something''', 'VALUES (true)', 'it was over with its holding');
INSERT INTO crm.setting (name, org_id, value) VALUES ('exemption_days', 2, '0');
CALL pg_temp.hold(14, 2, '8 days');
SELECT is(pg_temp.code_of($$SELECT crm.exempt(14, 'case', clock_timestamp() + interval '1 hour', 'x')$$), '53400', 'a unit may have none');
SELECT is(pg_temp.events(10), 'claim exemption exemption exemption release claim', 'the history tells each');
SELECT results_eq($$SELECT reason, before IS NULL, after IS NULL FROM crm_bi.holding_event WHERE customer_id = 10 AND event = 'exemption' ORDER BY event_no$$,
  $$VALUES ('a case is open', true, false), ('closed', false, true), ('something', true, false)$$, 'with its reason, before and after');
SELECT is_empty('SELECT * FROM crm._check_holding() WHERE check_name <> ''holding_rule''', 'the invariants hold');

-- undo ------------------------------------------------------------------------------------

DELETE FROM crm.holding;
DELETE FROM crm.sweep;
INSERT INTO crm.staff (id, code, name, org_id, channel_id, joined_on) VALUES (20, 's20', 'Staff 20', 2, 1, '2020-01-01');
INSERT INTO crm.holding_quota (staff_id, quota) VALUES (3, 2);
DO $$ BEGIN FOR i IN 20..29 LOOP CALL pg_temp.hold(i, CASE WHEN i < 26 THEN 1 WHEN i = 26 THEN 20 ELSE 3 END, interval '9 days'); END LOOP; END $$;
INSERT INTO crm.holding (customer_id, channel_id, held_from, start_cause, rule) VALUES (30, 1, now() - interval '2 days', 'allocation', 'at most 1 day; cool off 9 days');
CREATE TEMP TABLE before AS SELECT * FROM crm.holding;
SELECT is(crm.recycle(now()), 11::bigint, 'a sweep');
SELECT max(id) AS sweep FROM crm.sweep \gset
SELECT is(pg_temp.code_of('SELECT crm.claim(20, 1)'), '23514', 'the cool-off has begun');
SELECT crm.claim(21, 3) > 0 AND crm.claim(22, 5) > 0 AND crm.release(22) > 0 AND crm.claim(22, 7) > 0 AND crm.claim(23, 5) > 0 AND crm.release(23) > 0 AS meanwhile \gset
UPDATE crm.staff SET left_on = current_date - 2 WHERE id = 20;
SELECT crm.merge(40, 24, 'one and the same') > 0 AS merged \gset
SELECT is(pg_temp.code_of(s), code, name) FROM (VALUES
  ('SELECT crm.undo_sweep(NULL, ''x'')', '22004', 'undo: no sweep'), (format('SELECT crm.undo_sweep(%s, NULL)', :sweep), '22004', 'no reason'),
  (format('SELECT crm.undo_sweep(%s, '' '')', :sweep), '23514', 'a blank one'), ('SELECT crm.undo_sweep(0, ''x'')', '23503', 'a sweep that is none')) v (s, code, name);
SELECT results_eq(format('SELECT customer_id, staff_id, outcome FROM crm.undo_sweep(%s, ''wrong rule'')', :sweep),
  $$VALUES (20::bigint, 1::bigint, 'reopened'), (21, 1, 'held'), (22, 1, 'held'), (23, 1, 'held_since'), (25, 1, 'reopened'), (26, 20, 'departed'),
           (27, 3, 'reopened'), (28, 3, 'quota'), (29, 3, 'quota'), (30, NULL, 'reopened'), (40, 1, 'merged')$$, 'one row for each tells what came of it');
SELECT is_empty($$SELECT * FROM (SELECT h.* FROM crm.holding h WHERE h.customer_id IN (20, 25, 27, 30)) h JOIN before b USING (customer_id, id)
                  WHERE (h.held_from, h.held_to, h.end_cause, h.sweep_id, h.last_contact_at) IS DISTINCT FROM (b.held_from, b.held_to, b.end_cause, b.sweep_id, b.last_contact_at)$$, 'those reopened are as before');
SELECT is((SELECT count(*) FROM crm.holding WHERE sweep_id = :sweep), 7::bigint, 'the others stay ended by the sweep');
SELECT results_eq('SELECT ended, reopened, undo_reason FROM crm.sweep', $$VALUES (11::bigint, 4::bigint, 'wrong rule')$$, 'the sweep tells');
SELECT is(pg_temp.events(20), 'claim recycle undo', 'and the history');
SELECT results_eq($$SELECT reason, before FROM crm_bi.holding_event WHERE customer_id = 20 AND event = 'undo'$$, format($$VALUES ('wrong rule', '%s')$$, :sweep), 'why, and which sweep');
SELECT is(pg_temp.events(22), 'claim recycle claim release claim', 'of who was claimed since as well');
UPDATE crm.holding_quota SET quota = 3 WHERE staff_id = 3;
SELECT results_eq(format('SELECT customer_id FROM crm.undo_sweep(%s, ''room was made'') WHERE outcome = ''reopened''', :sweep), 'VALUES (28::bigint)', 'what was left can be tried again');
SELECT is_empty('SELECT * FROM crm._check_holding() WHERE check_name NOT IN (''holding_rule'')', 'the invariants hold');
SELECT is(crm.recycle(now()), 4::bigint, 'what is due still by the rule in force goes with the next');
SELECT is(pg_temp.code_of('SELECT crm.claim(20, 1)'), '23514', 'and then the cool-off counts');
UPDATE crm.sweep SET started_at = now() - interval '2 days', finished_at = now() - interval '24 hours' - interval '1 second' WHERE id = :sweep;
SELECT is(pg_temp.code_of(format('SELECT crm.undo_sweep(%s, ''x'')', :sweep)), '55000', 'after a day it is too late');
SELECT is(crm.recycle('2001-01-01'), 0::bigint, 'a sweep that ends nobody');
SELECT matches(hint, '^The last that did is sweep \d+\.$', 'is none to undo') FROM pg_temp.told(format('SELECT crm.undo_sweep(%s, ''x'')', (SELECT max(id) FROM crm.sweep))) WHERE code = '55000';
INSERT INTO crm.setting (name, value) VALUES ('sweep_undo_hours', '48');
SELECT is(pg_temp.code_of(format('SELECT crm.undo_sweep(%s, ''x'')', :sweep)), '00000', 'unless the setting lets it');

-- cool-off across sweep, undo and transfer -------------------------------------------------

CALL pg_temp.hold(50, 1, '9 days');
SELECT crm.transfer(50, 2) > 0 AND crm.transfer(50, 3) > 0 AS to_and_fro \gset
SELECT crm.recycle(now() + interval '8 days', early => true) > 0 AS swept \gset
SELECT is(pg_temp.events(50), 'claim transfer transfer recycle', 'after two transfers the holder loses the customer in a sweep');
SELECT is(pg_temp.code_of(format('SELECT crm.claim(50, %s)', s)), code, 'then claims ' || s) FROM (VALUES (1, '23514'), (2, '23514'), (3, '23514'), (5, '00000')) v (s, code);
SELECT crm.release(50) > 0 AS given_back \gset
SELECT is_empty('SELECT * FROM crm.allocate(ARRAY[50], ARRAY[1,2,3,5]) WHERE outcome <> ''left_over''', 'nor is the customer allocated to any of the four');
CALL pg_temp.hold(51, 1, '9 days');
SELECT is(crm.recycle(now()), 1::bigint, 'swept');
SELECT set_eq('SELECT outcome FROM crm.undo_sweep((SELECT max(id) FROM crm.sweep), ''mistake'')', ARRAY['reopened'], 'undone');
SELECT crm.transfer(51, 4) > 0 AS handed_on \gset
SELECT is(pg_temp.code_of('SELECT crm.transfer(51, 1)'), '23514', 'a transfer after the undo starts the cool-off of its own end');
SELECT ok(crm.transfer(51, 1, 'an error', true) > 0, 'which can be waived');
SELECT is(pg_temp.code_of('SELECT crm.transfer(51, 4)'), '23514', 'the other''s is not');
SELECT is(pg_temp.events(51), 'claim recycle undo transfer transfer', 'one row for each');
SELECT results_eq($$SELECT before, after, reason FROM crm_bi.holding_event WHERE customer_id = 51 AND event = 'transfer' ORDER BY event_no$$,
  $$VALUES ('staff member 1', 'staff member 4', NULL), ('staff member 4', 'staff member 1', 'an error')$$, 'from whom to whom, and why');

-- return -----------------------------------------------------------------------------------

SELECT is(pg_temp.code_of(s), code, name) FROM (VALUES
  ('SELECT crm.return_customer(51, NULL)', '22004', 'return: no reason'), ('SELECT crm.return_customer(51, ''bored'')', '22023', 'one that is none'),
  ('SELECT crm.return_customer(51, ''other'')', '23514', 'one that needs a note'), ('SELECT crm.return_customer(51, ''other'', '' '')', '23514', 'and has a blank one'),
  ('SELECT crm.return_customer(60, ''wish'')', '55000', 'whom nobody holds'), ('SELECT crm.return_customer(999, ''wish'')', '23503', 'whom nobody knows')) v (s, code, name);
UPDATE crm.return_reason SET in_use = false WHERE code = 'no_time';
SELECT is(pg_temp.code_of('SELECT crm.return_customer(51, ''no_time'')'), '22023', 'one no longer in use');
SELECT ok(crm.return_customer(51, 'moved_away', 'to Shanghai') > 0, 'a return');
SELECT results_eq('SELECT reason, reason_name_zh, note, returned_at IS NOT NULL FROM crm_bi.customer_return', $$VALUES ('moved_away', '迁离服务区域', 'to Shanghai', true)$$, 'is told with its reason');
SELECT results_eq($$SELECT event, reason FROM crm_bi.holding_event WHERE customer_id = 51 ORDER BY event_no DESC LIMIT 1$$, $$VALUES ('release', 'moved out of the area: to Shanghai')$$, 'also in the history');
SELECT is(pg_temp.code_of('SELECT crm.claim(51, 1)'), '23514', 'and begins the cool-off');

-- reminders ----------------------------------------------------------------------------------

SELECT is(pg_temp.code_of(format('INSERT INTO crm.setting (name, value) VALUES (''reminder_days'', %L)', v)), '23514', 'no days: ' || v)
FROM unnest(ARRAY['', '7,,3', '0', '7, 7', '1000', '-1', 'supervisor', 'none, 3', '3 days', '3 supervisors', '3 7']) v;
SELECT is(pg_temp.code_of(format('INSERT INTO crm.setting (name, org_id, valid_from, value) VALUES (''reminder_days'', 3, date ''2000-01-01'' + %s, %L)', n, v)), '00000', 'days: ' || v)
FROM (VALUES (1, 'none'), (2, '1'), (3, ' 30 supervisor , 10,2 supervisor ')) x (n, v);
DELETE FROM crm.setting WHERE name = 'reminder_days';
INSERT INTO crm.setting (name, org_id, value) VALUES ('reminder_days', 3, '5 supervisor, 2');
SELECT is(pg_temp.code_of('SELECT crm.remind(NULL)'), '22004', 'remind: no time');
SELECT is(pg_temp.code_of('SELECT crm.remind(''infinity'')'), '22023', 'for ever');
SELECT is(pg_temp.code_of('SELECT crm.take_reminders(0)'), '22023', 'take none');
UPDATE crm.holding SET held_to = clock_timestamp(), end_cause = 'release', ended_by = 'x' WHERE held_to IS NULL;
SELECT is(crm.remind(now()), 0::bigint, 'nobody is held');
CALL pg_temp.hold(70, 2, '0 days');
CALL pg_temp.hold(71, 1, '0 days');
SELECT org_id FROM crm.staff WHERE id IN (1, 2) ORDER BY id;
SELECT is(crm.remind(now() - interval '1 microsecond'), 0::bigint, 'a microsecond before the first stage nothing');
SELECT is(crm.remind(now()), 1::bigint, 'seven days before');
SELECT is(crm.remind(now()), 0::bigint, 'once, however often it runs');
SELECT is(crm.remind(now() + interval '2 days'), 1::bigint, 'the other unit five days before');
SELECT is(crm.remind(now() + interval '4 days'), 1::bigint, 'three days');
SELECT is(crm.remind(now() + interval '6 days'), 2::bigint, 'one day, and two of the other, passed over until now');
SELECT is(crm.remind(now() + interval '7 days'), 0::bigint, 'when it is due it is too late');
SELECT results_eq('SELECT customer_id, stage, to_supervisor, is_current FROM crm_bi.reminder ORDER BY 1, 2 DESC',
  'VALUES (70::bigint, 7, false, true), (70, 3, false, true), (70, 1, true, true), (71, 5, true, true), (71, 2, false, true)', 'to the supervisor where the stage says so');
DELETE FROM crm.reminder;
SELECT is(crm.remind(now() + interval '6 days 1 hour'), 2::bigint, 'a job that comes late');
SELECT results_eq('SELECT customer_id, stage, to_supervisor FROM crm.reminder ORDER BY 1', 'VALUES (70::bigint, 1, true), (71, 2, true)', 'tells the last stage, and the supervisor of the one missed');
SELECT crm.record_contact(70, 2, 'sales', 'reached') > 0 AND crm.exempt(71, 'other', now() + interval '9 days', 'x') > 0 AS moved \gset
SELECT is(crm.remind(now() + interval '6 days 1 hour'), 1::bigint, 'a time that moved is reminded of anew');
SELECT results_eq('SELECT customer_id, stage, due_at = now() + interval ''9 days'', is_current FROM crm_bi.reminder WHERE is_current', 'VALUES (71::bigint, 5, true, true)', 'an exemption counts');
SELECT is(crm.lock_holding(71) > 0, true, 'who is locked');
SELECT is_empty('SELECT * FROM crm.recycle_reminder(now() + interval ''8 days'')', 'is not reminded of');
SELECT is((SELECT count(*) FROM crm.take_reminders(2)), 2::bigint, 'two are taken to be sent');
SELECT is((SELECT count(*) FROM crm.take_reminders()), 1::bigint, 'then the rest');
SELECT is_empty('SELECT * FROM crm.take_reminders()', 'then none');
SELECT is(pg_temp.events(71), 'claim exemption lock', 'the history');

-- protection -------------------------------------------------------------------------------------

CALL pg_temp.hold(80, 1, '8 days');
UPDATE crm.holding SET protection_days = 20, protection_renewal_days = 0, protection_max_days = 30 WHERE customer_id = 80;
SELECT results_eq('SELECT kept_by, kept_until = now() + interval ''12 days'' FROM crm.recycle_preview(now()) WHERE customer_id = 80', $$VALUES ('protected', true)$$, 'a protection keeps as an exemption does');
SELECT is((SELECT stage FROM crm.recycle_reminder(now() + interval '10 days') WHERE customer_id = 80), 2, 'and the reminders wait for its end');
SELECT crm.override_protection(80, 'complaint') > 0 AS overridden \gset
SELECT results_eq('SELECT kept_by, ends FROM crm.recycle_preview(clock_timestamp()) WHERE customer_id = 80', $$VALUES (NULL, true)$$, 'until it is overridden');
SELECT results_eq($$SELECT event, reason, before::timestamptz = now() + interval '12 days' FROM crm_bi.holding_event WHERE customer_id = 80 ORDER BY event_no$$,
  $$VALUES ('claim', NULL, NULL), ('override', 'complaint', true)$$, 'as the history tells');
SELECT is_empty($$SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
                  WHERE c.oid = ANY ('{crm_bi.holding_event,crm_bi.sweep,crm_bi.reminder,crm_bi.recycle_exemption,crm_bi.customer_return}'::regclass[])
                    AND col_description(c.oid, a.attnum) !~ '[一-龥]'$$, 'every column is told in Chinese, too');

-- random histories, against what the tables say in plain SQL -----------------------------------

DELETE FROM crm.holding;
DELETE FROM crm.sweep;
DELETE FROM crm.holding_quota;
DELETE FROM crm.setting WHERE name IN ('reminder_days', 'exemption_days');
UPDATE crm.staff SET left_on = NULL;
CREATE VIEW pg_temp.naive AS
SELECT h.customer_id, h.id, h.staff_id, h.locked, x.until,
       (SELECT min(d.at) FROM (
          SELECT h.held_from + crm.recycle_days(h.rule, 'first contact within') * interval '24 hours' WHERE t.last IS NULL
          UNION ALL SELECT coalesce(t.last, h.held_from) + crm.recycle_days(h.rule, 'contact every') * interval '24 hours'
          UNION ALL SELECT h.held_from + crm.recycle_days(h.rule, 'purchase within') * interval '24 hours'
          UNION ALL SELECT h.held_from + crm.recycle_days(h.rule, 'at most') * interval '24 hours') d (at)) AS due
FROM crm.holding h
LEFT JOIN LATERAL (SELECT max(c.at) FROM crm.contact c WHERE c.customer_id = h.customer_id AND c.staff_id = h.staff_id AND c.at >= h.held_from) t (last) ON true
LEFT JOIN LATERAL (SELECT max(e.until) FROM crm.recycle_exemption e WHERE e.customer_id = h.customer_id AND e.holding_id = h.id AND e.withdrawn_at IS NULL) x (until) ON true
WHERE h.held_to IS NULL;
CREATE TEMP TABLE wrong (seed integer, n integer, what text, customer_id bigint);
CREATE TEMP TABLE done (what text, code text);
CREATE PROCEDURE pg_temp.history(seed integer, steps integer) LANGUAGE plpgsql AS $$
DECLARE
  c integer; s integer; w double precision; at timestamptz; call text; code text; k integer; swept bigint;
  rules CONSTANT text[] := '{never,at most 40 days; cool off 5 days,first contact within 7 days; contact every 30 days,contact every 20 days; at most 60 days; cool off 90 days}';
BEGIN
  PERFORM setseed(seed / 1000.0);
  FOR n IN 1 .. steps LOOP
    c := 200 + floor(random() * 25); s := 1 + floor(random() * 8); w := random();
    at := clock_timestamp() + (floor(random() * 90) - 20) * interval '1 day';
    call := CASE
      WHEN w < 0.25 THEN format('SELECT crm.claim(%s, %s)', c, s)
      WHEN w < 0.35 THEN format('SELECT crm.record_contact(%s, %s, ''sales'', ''reached'')', c, s)
      WHEN w < 0.40 THEN format('SELECT crm.return_customer(%s, ''wish'')', c)
      WHEN w < 0.47 THEN format('SELECT crm.transfer(%s, %s, NULL, %s)', c, s, (random() < 0.5)::text)
      WHEN w < 0.53 THEN format('SELECT crm.lock_holding(%s, %s)', c, (random() < 0.5)::text)
      WHEN w < 0.63 THEN format('SELECT crm.exempt(%s, ''case'', %L, ''case'')', c, at)
      WHEN w < 0.68 THEN format('SELECT crm.withdraw_exemption(%s, ''over'')', c)
      WHEN w < 0.73 THEN format('UPDATE crm.holding SET rule = %L WHERE customer_id = %s AND held_to IS NULL', rules[1 + floor(random() * 4)::integer], c)
      WHEN w < 0.78 THEN format('SELECT crm.remind(%L)', at)
      WHEN w < 0.83 THEN format('SELECT crm.undo_sweep((SELECT max(id) FROM crm.sweep WHERE ended > reopened), ''undone'')')
      ELSE format('SELECT crm.recycle(%L, early => true)', at) END;
    IF call LIKE '%crm.recycle(%' THEN
      DROP TABLE IF EXISTS due;
      CREATE TEMP TABLE due AS SELECT v.customer_id, v.id FROM pg_temp.naive v WHERE v.due <= at AND NOT v.locked AND coalesce(v.until <= at, true);
      INSERT INTO wrong SELECT seed, n, 'preview', x.customer_id FROM (
        (SELECT customer_id, id FROM due EXCEPT SELECT p.customer_id, p.holding_id FROM crm.recycle_preview(at) p WHERE p.ends)
        UNION ALL (SELECT p.customer_id, p.holding_id FROM crm.recycle_preview(at) p WHERE p.ends EXCEPT SELECT customer_id, id FROM due)) x;
      INSERT INTO wrong SELECT seed, n, 'kept', v.customer_id FROM pg_temp.naive v FULL JOIN crm.recycle_preview(at) p ON p.customer_id = v.customer_id
      WHERE (v.due <= at) <> (p.customer_id IS NOT NULL)
         OR p.kept_by IS DISTINCT FROM CASE WHEN p.customer_id IS NULL THEN NULL WHEN v.locked THEN 'locked' WHEN v.until > at THEN 'exempt' END;
      SELECT count(*) INTO swept FROM crm.holding WHERE held_to IS NULL;
    END IF;
    code := pg_temp.code_of(call);
    INSERT INTO done VALUES (substring(call FROM 'crm\.(\w+)'), code);
    IF call LIKE '%crm.recycle(%' THEN
      INSERT INTO wrong SELECT seed, n, 'sweep', d.customer_id FROM due d JOIN crm.holding h USING (customer_id, id) WHERE h.end_cause IS DISTINCT FROM 'recycle';
      INSERT INTO wrong SELECT seed, n, 'swept', 0 WHERE swept - (SELECT count(*) FROM crm.holding WHERE held_to IS NULL) <> (SELECT count(*) FROM due);
    ELSIF call LIKE '%crm.remind(%' THEN
      INSERT INTO wrong SELECT seed, n, 'reminder', x.customer_id FROM (
        SELECT v.customer_id, v.id, greatest(v.due, v.until) AS due, min(g.stage) AS stage FROM pg_temp.naive v, unnest('{7,3,1}'::integer[]) g (stage)
        WHERE NOT v.locked AND greatest(v.due, v.until) > at AND greatest(v.due, v.until) <= at + g.stage * interval '24 hours' AND v.due IS NOT NULL
          AND v.due <= at + interval '7 days' GROUP BY 1, 2, 3) x
      WHERE NOT EXISTS (SELECT FROM crm.reminder r WHERE (r.customer_id, r.holding_id, r.due_at, r.stage) = (x.customer_id, x.id, x.due, x.stage));
    END IF;
    INSERT INTO wrong SELECT seed, n, check_name, 0 FROM crm._check_holding() WHERE check_name <> 'holding_rule';
  END LOOP;
END
$$;
CALL pg_temp.history(1, 350);
CALL pg_temp.history(2, 350);
SELECT is_empty('SELECT * FROM wrong', 'preview, sweep, reminders and invariants agree with plain SQL at every step');
SELECT is_empty($$SELECT * FROM done WHERE code NOT IN ('00000', '55000', '55006', '23514', '53400', '22023', '22004')$$, 'no error but the documented');
SELECT is((SELECT count(DISTINCT what) FROM done WHERE code = '00000'), 11::bigint, 'everything was done');
SELECT cmp_ok((SELECT count(*) FROM crm_bi.holding_event WHERE event = 'undo'), '>', 5::bigint, 'undone now and then');
SELECT is_empty($$SELECT event_key FROM crm_bi.holding_event GROUP BY event_key HAVING count(*) > 1$$, 'each event once');
SELECT is_empty($$SELECT * FROM (SELECT happened_at, lag(happened_at) OVER (PARTITION BY customer_id ORDER BY event_no) AS before FROM crm_bi.holding_event) x WHERE happened_at < before$$, 'in order of time');
SELECT is((SELECT count(*) FROM crm_bi.holding_event WHERE event IN ('claim', 'allocation', 'transfer')), (SELECT count(*) FROM crm.holding), 'each holding begins once');
SELECT is((SELECT count(*) FROM crm_bi.holding_event WHERE event = 'recycle'), (SELECT sum(ended) FROM crm.sweep)::bigint, 'each sweep is there as often as it ended somebody');
SELECT is((SELECT count(*) FROM crm_bi.holding_event WHERE event = 'undo'), (SELECT sum(reopened) FROM crm.sweep)::bigint, 'and each undo');
SELECT ok(crm.post() >= 0, 'posted');
CALL crm.refresh_due(crm.today(), NULL);
SELECT is_empty('SELECT * FROM crm.check()', 'all is in order');

-- who may ---------------------------------------------------------------------------------------

CREATE ROLE sweep_test_sales;
CREATE ROLE sweep_test_manager;
CALL crm.grant_duty('sales', 'sweep_test_sales');
CALL crm.grant_duty('manager', 'sweep_test_manager');
GRANT EXECUTE ON FUNCTION pg_temp.code_of(text) TO PUBLIC;
UPDATE crm.staff SET login = 'sweep_test_sales' WHERE id = 1;
CALL pg_temp.hold(90, 1, '8 days');
CALL pg_temp.hold(91, 2, '8 days');
CREATE TEMP TABLE try (login text, statement text, code text, name text);
INSERT INTO try VALUES
  ('sweep_test_sales', $$SELECT crm.exempt(91, 'case', now() + interval '1 day', 'x')$$, '42501', 'nobody exempts what another holds'),
  ('sweep_test_sales', $$SELECT crm.return_customer(91, 'wish')$$, '42501', 'nor gives it back'),
  ('sweep_test_sales', $$SELECT crm.exempt(90, 'case', now() + interval '1 day', 'x')$$, '00000', 'only their own'),
  ('sweep_test_sales', $$SELECT crm.withdraw_exemption(90, 'x')$$, '00000', 'and takes it back'),
  ('sweep_test_sales', $$SELECT crm.return_customer(90, 'wish')$$, '00000', 'or returns the customer'),
  ('sweep_test_sales', 'SELECT crm.recycle_preview(now())', '42501', 'sales does not look ahead'),
  ('sweep_test_sales', $$SELECT crm.undo_sweep(1, 'x')$$, '42501', 'nor undo'),
  ('sweep_test_sales', 'SELECT crm.remind(now())', '42501', 'nor remind'),
  ('sweep_test_sales', 'UPDATE crm.return_reason SET in_use = true', '42501', 'nor make up reasons'),
  ('sweep_test_manager', $$SELECT crm.exempt(91, 'case', now() + interval '1 day', 'x')$$, '00000', 'a manager exempts for anyone'),
  ('sweep_test_manager', 'SELECT crm.recycle_preview(now())', '00000', 'looks ahead'),
  ('sweep_test_manager', 'SELECT crm.remind(now())', '00000', 'reminds'),
  ('sweep_test_manager', $$SELECT crm.undo_sweep((SELECT max(id) FROM crm.sweep), 'x')$$, '00000', 'undoes'),
  ('sweep_test_manager', 'DELETE FROM crm.holding_change', '42501', 'but changes no history'),
  ('sweep_test_manager', $$INSERT INTO crm.recycle_rule_for (tier, rule) VALUES ('gold', 'never')$$, '42501', 'and sets no rule'),
  ('sweep_test_manager', 'CALL crm.recycle_in_batches(now())', '42501', 'batches are for the owner');
GRANT SELECT ON try TO PUBLIC;
CREATE FUNCTION pg_temp.as_login(login text, statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  code text;
BEGIN
  EXECUTE format('SET LOCAL SESSION AUTHORIZATION %I', login);
  code := pg_temp.code_of(statement);
  RESET SESSION AUTHORIZATION;
  RETURN code;
END
$$;
SELECT is(pg_temp.as_login(t.login, t.statement), t.code, t.name) FROM try t;

-- batches are not for a transaction block -----------------------------------------------------------

SELECT is(pg_temp.code_of('CALL crm.recycle_in_batches(now(), 0)'), '22023', 'no batch');
SELECT is(pg_temp.code_of('CALL crm.recycle_in_batches(now(), NULL)'), '22023', 'nor none');
SELECT is(pg_temp.code_of('CALL crm.recycle_in_batches(now())'), '2D000', 'batches commit');
SELECT is(pg_temp.code_of('SELECT crm.recycle_preview(NULL)'), '22004', 'preview: no time');
SELECT * FROM finish();
ROLLBACK;
