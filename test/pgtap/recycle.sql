-- When a holding falls due, and the sweep.
BEGIN;
SELECT no_plan();
\ir include/helpers.sql

INSERT INTO crm.organisation (id, parent_id, code, name) VALUES
  (1, NULL, 'co', 'Company'), (2, 1, 'n', 'North'), (3, 1, 's', 'South'), (4, 2, 'n1', 'North one');
INSERT INTO crm.staff (id, code, name, org_id, channel_id, joined_on)
SELECT i, 's' || i, 'Staff ' || i, 2 + i % 3, 1 + i % 2, '2020-01-01' FROM generate_series(1, 20) i;
INSERT INTO crm.customer (id, kind, name, org_id, source_channel_id, known_from)
SELECT i, 'person', 'Customer ' || i, 2, 1, '2020-01-01' FROM generate_series(1, 45000) i;
INSERT INTO crm.product (id, code, name) VALUES (1, 'w', 'Whole life');

-- a holding that began a while ago
CREATE PROCEDURE pg_temp.hold(customer bigint, staff bigint, since interval, rule text, locked boolean DEFAULT false) LANGUAGE sql AS $$
  INSERT INTO crm.holding (customer_id, channel_id, org_id, staff_id, held_from, start_cause, rule, locked)
  SELECT $1, s.channel_id, s.org_id, s.id, now() - $3, 'claim', $4::crm.recycle_rule, $5 FROM crm.staff s WHERE s.id = $2
$$;

-- the sweep -------------------------------------------------------------------

CALL pg_temp.hold(1, 1, '8 days', 'first contact within 7 days; cool off 90 days');
CALL pg_temp.hold(2, 1, '6 days', 'first contact within 7 days; cool off 90 days');
CALL pg_temp.hold(3, 1, '8 days', 'first contact within 7 days; cool off 90 days', locked => true);
CALL pg_temp.hold(4, 2, '367 days', 'at most 365 days');
CALL pg_temp.hold(5, 2, '1000 days', 'never');
INSERT INTO crm.holding (customer_id, channel_id, held_from, start_cause, rule) VALUES (6, 1, now() - interval '2 days', 'allocation', 'at most 1 day; cool off 9 days');

SELECT is(pg_temp.code_of('SELECT crm.recycle(NULL)'), '22004', 'no time');
SELECT is(pg_temp.code_of('SELECT crm.recycle(clock_timestamp() + interval ''1 hour'')'), '22023', 'a time in the future is refused');
SELECT is(pg_temp.code_of('SELECT crm.recycle(''infinity'')'), '22023', 'and so is infinity');
SELECT is(crm.recycle('-infinity'), 0::bigint, 'nothing was due before all time');
SELECT is(crm.recycle(now() - interval '1 day' - interval '1 second'), 1::bigint, 'what was due a day and a second ago');
SELECT results_eq('SELECT customer_id FROM crm.holding WHERE held_to IS NOT NULL', 'VALUES (4::bigint)', 'and nothing else');
SELECT is(crm.recycle(now() - interval '1 day'), 2::bigint, 'what was due exactly then is due');
SELECT is(crm.recycle(now()), 0::bigint, 'a second sweep finds nothing');
SELECT results_eq($$SELECT customer_id, due_cause, end_cause, ended_by IS NOT NULL, held_to BETWEEN now() AND clock_timestamp() FROM crm.holding WHERE held_to IS NOT NULL ORDER BY 1$$,
                  $$VALUES (1::bigint, 'first contact within', 'recycle', true, true), (4, 'at most', 'recycle', true, true), (6, 'at most', 'recycle', true, true)$$,
                  'the rows tell why, and end now, not when they were due');
SELECT is(pg_temp.code_of('SELECT crm.claim(1, 1)'), '23514', 'the cool-off begins');
SELECT is(pg_temp.code_of('SELECT crm.claim(1, 2)'), '00000', 'for the earlier holder only');
SELECT is(crm.recycle(now() + interval '2 days', early => true), 1::bigint, 'ahead of time on demand');
SELECT results_eq('SELECT customer_id, held_to < due_at FROM crm.holding WHERE customer_id = 2', 'VALUES (2::bigint, true)', 'which the row shows');
SELECT crm.lock_holding(3, false);
SELECT is(crm.recycle(now()), 1::bigint, 'once it is not locked it goes');
SELECT is_empty('SELECT * FROM crm._check_holding() WHERE check_name <> ''holding_rule''', 'all this keeps the invariants');

-- a contact saves ---------------------------------------------------------------

CALL pg_temp.hold(20, 1, '8 days', 'first contact within 7 days; contact every 30 days');
CALL pg_temp.hold(21, 1, '8 days', 'first contact within 7 days; contact every 30 days');
SELECT ok(crm.record_contact(20, 1, 'sales', 'reached') > 0, 'a contact');
SELECT ok((SELECT due_at = last_contact_at + interval '720 hours' AND due_cause = 'contact every' FROM crm.holding WHERE customer_id = 20), 'moves the due time');
SELECT is(crm.recycle(now()), 1::bigint, 'of two that were due one is saved');
SELECT results_eq('SELECT customer_id FROM crm.holding WHERE customer_id IN (20, 21) AND held_to IS NULL', 'VALUES (20::bigint)', 'by its contact');

-- purchases ---------------------------------------------------------------------

CREATE FUNCTION pg_temp.buy(customer bigint, policy bigint, day date) RETURNS void LANGUAGE sql AS $$
  INSERT INTO crm.policy (customer_id, id, product_id, channel_id, issued_on, premium) VALUES ($1, $2, 1, 1, $3, 1000);
  INSERT INTO crm.cover SELECT s.* FROM crm._cover_source s WHERE s.policy_id = $2 ON CONFLICT DO NOTHING
$$;
CALL pg_temp.hold(30, 1, '10 days', 'purchase within 180 days; at most 365 days');
CALL pg_temp.hold(31, 1, '10 days', 'purchase within 180 days; at most 365 days');
SELECT pg_temp.buy(30, 1, (SELECT crm._business_day(held_from) - 1 FROM crm.holding WHERE customer_id = 30));
SELECT is(crm._holding_purchases('{30,31,999}'), 0::bigint, 'a purchase before the holding is none');
SELECT pg_temp.buy(30, 2, (SELECT crm._business_day(held_from) FROM crm.holding WHERE customer_id = 30));
SELECT isnt_empty($$SELECT * FROM crm._check_holding() WHERE check_name = 'holding_purchase'$$, 'a purchase not taken over is found');
SELECT is(crm._holding_purchases('{30,31,999}'), 1::bigint, 'one on its first day is one');
SELECT is((SELECT last_purchase_at FROM crm.holding WHERE customer_id = 30), (SELECT held_from FROM crm.holding WHERE customer_id = 30), 'not before the start');
SELECT is((SELECT due_cause FROM crm.holding WHERE customer_id = 30), 'at most', 'and it meets the clause');
SELECT pg_temp.buy(30, 3, (SELECT crm._business_day(held_from) + 3 FROM crm.holding WHERE customer_id = 30));
SELECT is(crm._holding_purchases('{30,31}'), 1::bigint, 'a later one');
SELECT is((SELECT last_purchase_at AT TIME ZONE 'Asia/Shanghai' FROM crm.holding WHERE customer_id = 30),
          (SELECT (held_from AT TIME ZONE 'Asia/Shanghai')::date + 3 FROM crm.holding WHERE customer_id = 30)::timestamp, 'from the beginning of its business day');
INSERT INTO crm.policy_event (customer_id, policy_id, kind, on_date, reason) SELECT customer_id, id, 'end', issued_on, 'cancellation' FROM crm.policy WHERE id IN (2, 3);
DELETE FROM crm.cover WHERE policy_id IN (2, 3);
INSERT INTO crm.cover SELECT * FROM crm._cover_source WHERE policy_id IN (2, 3);
SELECT is(crm._holding_purchases('{30}'), 1::bigint, 'void policies are no purchases');
SELECT is((SELECT last_purchase_at FROM crm.holding WHERE customer_id = 30), NULL, 'any more');
SELECT is(crm._holding_purchases('{}'), 0::bigint, 'no customers');
SELECT pg_temp.buy(32, 4, crm._business_day(clock_timestamp()));
SELECT crm.claim(32, 1);
SELECT is((SELECT last_purchase_at = held_from FROM crm.holding WHERE customer_id = 32), true, 'a claim after a purchase on the day counts it');
SELECT pg_temp.buy(33, 5, crm._business_day(clock_timestamp()));
SELECT is((SELECT count(*) FROM crm.allocate(ARRAY[33, 34], ARRAY[1]) a JOIN crm.holding h ON h.id = a.holding_id WHERE h.last_purchase_at = h.held_from), 0::bigint,
          'nothing is seen of an allocation in its own statement');
SELECT results_eq('SELECT customer_id, last_purchase_at = held_from FROM crm.holding WHERE customer_id IN (33, 34) ORDER BY 1',
                  'VALUES (33::bigint, true), (34, NULL)', 'an allocation counts it too');

-- which rule ------------------------------------------------------------------------

INSERT INTO crm.setting (name, org_id, channel_id, valid_from, value) VALUES
  ('recycle_rule', NULL, NULL, '2000-01-01', 'at most 11 days'),
  ('recycle_rule', NULL, NULL, '2100-01-01', 'at most 12 days'),
  ('recycle_rule', NULL, 1, '2000-01-01', 'at most 13 days'),
  ('recycle_rule', NULL, 1, '2010-01-01', 'at most 14 days'),
  ('recycle_rule', 1, NULL, '2000-01-01', 'at most 15 days'),
  ('recycle_rule', 2, NULL, '2020-01-01', 'at most 16 days'),
  ('recycle_rule', 2, 1, '2020-01-01', 'at most 17 days');
SELECT results_eq($$SELECT crm._recycle_rule(o, c, d)::text FROM (VALUES
                      (NULL::bigint, 3::bigint, '1999-12-31'::date), (NULL, 3, '2024-01-01'), (NULL, 3, '2100-01-01'), (NULL, 1, '2009-12-31'), (NULL, 1, '2010-01-01'),
                      (3, 1, '2024-01-01'), (4, 2, '2024-01-01'), (4, 1, '2024-01-01'), (4, 1, '2019-12-31')) v(o, c, d)$$,
  $$VALUES ('first contact within 7 days; contact every 30 days; purchase within 180 days; at most 365 days; cool off 90 days'), ('at most 11 days'), ('at most 12 days'),
           ('at most 13 days'), ('at most 14 days'), ('at most 15 days'), ('at most 16 days'), ('at most 17 days'), ('at most 15 days')$$,
  'the nearest unit first, then the channel, then the company, each from its day on');
SELECT is(pg_temp.code_of($$INSERT INTO crm.setting (name, value) VALUES ('recycle_rule', 'at most forever')$$), '22P02', 'a rule that is none is refused');
SELECT is(pg_temp.code_of($$INSERT INTO crm.setting (name, value) VALUES ('reinstatement_months', '1201')$$), '22003', 'a time that cover cannot be derived by, too');
SELECT crm.claim(40, 3);
SELECT is((SELECT due_at - held_from FROM crm.holding WHERE customer_id = 40), crm.recycle_days(crm._recycle_rule(org_id, channel_id, current_date), 'at most') * interval '24 hours',
          'a holding starts with the rule of its unit and channel') FROM crm.staff WHERE id = 3;

-- a change of rule ---------------------------------------------------------------------

SELECT isnt_empty($$SELECT * FROM crm._check_holding() WHERE check_name = 'holding_rule'$$, 'open holdings under an older rule are shown');
CREATE TEMP TABLE before AS SELECT * FROM crm.holding;
SELECT is(pg_temp.code_of('CALL crm.refresh_due(NULL, NULL)'), '22004', 'refresh: no day');
SELECT is(pg_temp.code_of('CALL crm.refresh_due(current_date, 0)'), '22023', 'refresh: no batch');
SELECT is(pg_temp.code_of('CALL crm.refresh_due(current_date, 1)'), '2D000', 'refresh: batches are not for a transaction block');
SELECT set_config('search_path', 'pg_catalog, public', true);
CALL crm.refresh_due(crm.today(), NULL);
SELECT public.is(current_setting('search_path'), 'pg_catalog, public', 'the path of the caller stays');
SET LOCAL search_path = DEFAULT;
SELECT crm.post() \g /dev/null
SELECT is_empty('SELECT * FROM crm.check()', 'refreshed they all follow the rule in force');
SELECT is_empty($$SELECT * FROM crm.holding h JOIN before b USING (customer_id, id) WHERE h.held_to IS NOT NULL AND h IS DISTINCT FROM b$$, 'what has ended keeps its rule');
SELECT is_empty($$SELECT * FROM crm.holding h WHERE h.held_to IS NULL AND h.due_at IS DISTINCT FROM h.held_from
                    + crm.recycle_days(crm._recycle_rule(h.org_id, h.channel_id, current_date), 'at most') * interval '24 hours'$$, 'and the due times with it');

-- what the sweep reads -----------------------------------------------------------------

CREATE PROCEDURE pg_temp.fill(first integer, last integer, due integer) LANGUAGE sql AS $$
  INSERT INTO crm.holding (customer_id, channel_id, org_id, staff_id, held_from, start_cause, rule)
  SELECT i, 1, 2, 1 + i % 20, now() - CASE WHEN i < first + due THEN interval '40 days' ELSE interval '1 day' + i * interval '1 second' END, 'claim', 'at most 30 days'
  FROM generate_series(first, last) i;
  ANALYZE crm.holding
$$;
DELETE FROM crm.holding;
CALL pg_temp.fill(1001, 2000, 50);
SELECT crm.recycle(now() - interval '20 days') AS warm_up \gset
CREATE TEMP TABLE read AS SELECT 1 AS n, pg_temp.buffers('SELECT crm.recycle(now())') AS buffers;
CALL pg_temp.fill(2001, 42000, 50);
INSERT INTO read SELECT 2, pg_temp.buffers('SELECT crm.recycle(now())');
CALL pg_temp.fill(42001, 44000, 500);
INSERT INTO read SELECT 3, pg_temp.buffers('SELECT crm.recycle(now())');
SELECT is((SELECT count(*) FROM crm.holding WHERE end_cause = 'recycle'), 600::bigint, 'all that is due, three times');
SELECT cmp_ok((SELECT buffers FROM read WHERE n = 2), '<', (SELECT 3 * buffers FROM read WHERE n = 1), 'with 40 times as many held it reads about as much');
SELECT cmp_ok((SELECT buffers FROM read WHERE n = 3), '>', (SELECT 3 * buffers FROM read WHERE n = 2), 'with 10 times as many due it reads more');
SELECT diag(format('buffers: %s with 1000 held and 50 due, %s with 41000 and 50, %s with 43000 and 500', a.buffers, b.buffers, c.buffers))
FROM read a, read b, read c WHERE a.n = 1 AND b.n = 2 AND c.n = 3;

SELECT * FROM finish();
ROLLBACK;
