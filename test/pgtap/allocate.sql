-- Who holds whom: claim, release, transfer, allocation, quotas, cool-off, one history.
BEGIN;
SELECT no_plan();
\ir include/helpers.sql

INSERT INTO crm.organisation (id, parent_id, code, name) VALUES
  (1, NULL, 'co', 'Company'), (2, 1, 'n', 'North'), (3, 1, 's', 'South'), (4, 2, 'n1', 'North one');
-- channels 1 and 2 stand already
INSERT INTO crm.staff (id, code, name, org_id, channel_id, joined_on, left_on) VALUES
  (1, 'a', 'Ann', 2, 1, '2020-01-01', NULL), (2, 'b', 'Bo', 2, 1, '2020-01-01', NULL), (3, 'c', 'Cy', 3, 1, '2020-01-01', NULL),
  (4, 'd', 'Di', 4, 1, '2020-01-01', NULL), (5, 'e', 'Ed', 2, 2, '2020-01-01', NULL),
  (8, 'g', 'Gone', 2, 1, '2020-01-01', '2021-01-01'), (9, 'f', 'Future', 2, 1, '2190-01-01', NULL);
INSERT INTO crm.customer (id, kind, name, org_id, source_channel_id, known_from)
SELECT i, 'person', 'Customer ' || i, 2 + i % 3, 1, '2020-01-01' FROM generate_series(1, 400) i;

CREATE FUNCTION pg_temp.held(staff bigint) RETURNS bigint LANGUAGE sql AS
  'SELECT count(*) FROM crm.holding h WHERE h.staff_id = $1 AND h.held_to IS NULL';
CREATE FUNCTION pg_temp.past(customer bigint, staff bigint, started interval, ended interval, ended_by text DEFAULT 'release') RETURNS void LANGUAGE sql AS $$
  INSERT INTO crm.holding (customer_id, channel_id, org_id, staff_id, held_from, held_to, start_cause, end_cause, ended_by, rule)
  SELECT $1, s.channel_id, s.org_id, s.id, now() - $3, now() - $4, 'claim', $5, 'test',
         'at most 365 days; cool off 90 days'::crm.recycle_rule FROM crm.staff s WHERE s.id = $2
$$;

-- claim -----------------------------------------------------------------------

SELECT ok(crm.claim(1, 1) > 0, 'a claim returns the key of the holding');
SELECT results_eq(
  'SELECT channel_id, org_id, staff_id, held_to, start_cause, end_cause, started_by, locked, cool_off_waived FROM crm.holding WHERE customer_id = 1',
  $$VALUES (1::bigint, 2::bigint, 1::bigint, NULL::timestamptz, 'claim', NULL, current_user::text COLLATE "default", false, false)$$, 'the row tells channel, unit, person and who');
SELECT ok((SELECT held_from BETWEEN now() AND clock_timestamp() AND due_at = held_from + interval '168 hours' AND due_cause = 'first contact within'
           FROM crm.holding WHERE customer_id = 1), 'it starts now, and falls due by the rule in force');
SELECT is(pg_temp.code_of('SELECT crm.claim(1, 2)'), '55006', 'somebody else''s customer: held already');
SELECT is(pg_temp.code_of('SELECT crm.claim(1, 1)'), '55006', 'one''s own customer: held already');
SELECT is(pg_temp.code_of('SELECT crm.claim(999, 1)'), '23503', 'no such customer');
SELECT is(pg_temp.code_of('SELECT crm.claim(2, 999)'), '23503', 'no such member of staff');
SELECT is(pg_temp.code_of('SELECT crm.claim(NULL, 1)'), '22004', 'customer NULL');
SELECT is(pg_temp.code_of('SELECT crm.claim(2, NULL)'), '22004', 'staff NULL');
SELECT is(pg_temp.code_of('SELECT crm.claim(2, 8)'), '55000', 'left');
SELECT is(pg_temp.code_of('SELECT crm.claim(2, 9)'), '55000', 'not joined yet');
SELECT is(pg_temp.code_of('SELECT crm.claim(-9223372036854775808, 9223372036854775807)'), '23503', 'keys at the limits');
SELECT is((SELECT count(*) FROM crm.holding), 1::bigint, 'refusals leave nothing behind');

-- release ---------------------------------------------------------------------

SELECT is(pg_temp.code_of('SELECT crm.release(1, 2)'), '55000', 'only the holder may release, when named');
SELECT is(pg_temp.code_of('SELECT crm.release(2)'), '55000', 'nothing to release');
SELECT is(pg_temp.code_of('SELECT crm.release(999)'), '23503', 'release: no such customer');
SELECT is(pg_temp.code_of('SELECT crm.release(NULL)'), '22004', 'release: NULL');
SELECT is(crm.release(1, 1, 'moved away'), (SELECT id FROM crm.holding WHERE customer_id = 1), 'release returns the holding that ended');
SELECT results_eq('SELECT end_cause, end_reason, ended_by, held_to >= held_from FROM crm.holding WHERE customer_id = 1',
                  $$VALUES ('release', 'moved away', current_user::text COLLATE "default", true)$$, 'and says why');
SELECT is(pg_temp.code_of('SELECT crm.release(1)'), '55000', 'a second release finds nobody');

-- cool-off of every earlier holder ----------------------------------------------

SELECT is(pg_temp.code_of('SELECT crm.claim(1, 1)'), '23514', 'the last holder waits for the cool-off');
SELECT is(pg_temp.code_of('SELECT crm.claim(1, 2)'), '00000', 'somebody else does not');
SELECT crm.release(1);
SELECT is(pg_temp.code_of('SELECT crm.claim(1, 1)'), '23514', 'the holder before the last one waits as well');
SELECT is(pg_temp.code_of('SELECT crm.claim(1, 3)'), '00000', 'a third one does not');
SELECT pg_temp.past(10, 1, '200 days', '91 days'), pg_temp.past(10, 2, '91 days', '89 days');
SELECT is(pg_temp.code_of('SELECT crm.claim(10, 2)'), '23514', 'each cool-off counts from that one''s own end');
SELECT is(pg_temp.code_of('SELECT crm.claim(10, 1)'), '00000', 'the earlier one is free again, though the customer became free later');
SELECT pg_temp.past(11, 1, '400 days', '2 days');
UPDATE crm.holding SET rule = 'at most 365 days' WHERE customer_id = 11;
SELECT is(pg_temp.code_of('SELECT crm.claim(11, 1)'), '00000', 'a rule without cool-off has none');

-- quota -------------------------------------------------------------------------

INSERT INTO crm.holding_quota (staff_id, quota) VALUES (2, 2);
SELECT is(pg_temp.code_of('SELECT crm.claim(20, 2), crm.claim(21, 2)'), '00000', 'up to the quota');
SELECT is(pg_temp.code_of('SELECT crm.claim(22, 2)'), '53400', 'and not beyond');
SELECT is(pg_temp.held(2), 2::bigint, 'the refused one is not held');
SELECT crm.release(20);
SELECT is(pg_temp.code_of('SELECT crm.claim(22, 2)'), '00000', 'a release makes room');
UPDATE crm.holding_quota SET quota = 0 WHERE staff_id = 2;
SELECT is(pg_temp.code_of('SELECT crm.claim(23, 2)'), '53400', 'a lower quota ends nothing and admits nothing');
SELECT is(pg_temp.code_of('UPDATE crm.holding_quota SET quota = -1'), '23514', 'a quota below 0 is refused');
INSERT INTO crm.setting (name, org_id, value) VALUES ('holding_quota', 3, '2');
SELECT is(pg_temp.held(3), 1::bigint, 'Cy holds one');
SELECT is(pg_temp.code_of('SELECT crm.claim(24, 3)'), '00000', 'the setting of the unit holds where no quota is set');
SELECT is(pg_temp.code_of('SELECT crm.claim(25, 3)'), '53400', 'and no more');
INSERT INTO crm.setting (name, org_id, channel_id, value) VALUES ('holding_quota', 3, 1, '3');
SELECT is(pg_temp.code_of('SELECT crm.claim(25, 3)'), '00000', 'unit and channel come before the unit alone');
DELETE FROM crm.setting WHERE name = 'holding_quota';
DELETE FROM crm.holding_quota;

-- transfer ----------------------------------------------------------------------

SELECT is(pg_temp.code_of('SELECT crm.transfer(30, 1)'), '55000', 'nobody holds it: nothing to transfer');
SELECT crm.claim(30, 1);
SELECT is(pg_temp.code_of('SELECT crm.transfer(30, 1)'), '55006', 'not to the holder');
SELECT is(pg_temp.code_of('SELECT crm.transfer(30, 8)'), '55000', 'not to somebody who left');
SELECT is(pg_temp.code_of('SELECT crm.transfer(30, 999)'), '23503', 'not to nobody');
SELECT ok(crm.transfer(30, 3, 'nearer') > 0, 'transfer');
SELECT results_eq('SELECT staff_id, start_cause, start_reason, end_cause, end_reason FROM crm.holding WHERE customer_id = 30 ORDER BY held_from, held_to',
                  $$VALUES (1::bigint, 'claim', NULL, 'transfer', 'nearer'), (3, 'transfer', 'nearer', NULL, NULL)$$, 'one row ends, one begins');
SELECT is((SELECT held_from FROM crm.holding WHERE customer_id = 30 AND held_to IS NULL),
          (SELECT held_to FROM crm.holding WHERE customer_id = 30 AND held_to IS NOT NULL), 'without a gap');
SELECT is(pg_temp.code_of('SELECT crm.transfer(30, 1)'), '23514', 'back only after the cool-off');
SELECT is(pg_temp.code_of('SELECT crm.transfer(30, 1, ''a mistake'', waive_cool_off => true)'), '00000', 'or when it is waived');
SELECT ok((SELECT cool_off_waived FROM crm.holding WHERE customer_id = 30 AND held_to IS NULL), 'which the holding tells');
INSERT INTO crm.holding_quota (staff_id, quota) VALUES (4, 0);
SELECT is(pg_temp.code_of('SELECT crm.transfer(30, 4)'), '53400', 'a transfer keeps to the quota');
SELECT is((SELECT staff_id FROM crm.holding WHERE customer_id = 30 AND held_to IS NULL), 1::bigint, 'and a refused one changes nothing');
DELETE FROM crm.holding_quota;

-- channel, unit, person -----------------------------------------------------------

SELECT results_eq('SELECT customer_id, outcome FROM crm.entrust(ARRAY[40, 41, 42, 1, 999, 40], 1)',
                  $$VALUES (1::bigint, 'held'), (40, 'allocated'), (41, 'allocated'), (42, 'allocated'), (999, 'unknown')$$, 'to a channel');
SELECT is(pg_temp.code_of('SELECT crm.claim(40, 5)'), '55006', 'not for the staff of another channel');
SELECT results_eq('SELECT customer_id, outcome FROM crm.entrust(ARRAY[40, 41], 1, 2)', $$VALUES (40::bigint, 'allocated'), (41, 'allocated')$$, 'on to a unit');
SELECT results_eq('SELECT outcome FROM crm.entrust(ARRAY[40], 1, 2)', $$VALUES ('held')$$, 'not to the same unit again');
SELECT results_eq('SELECT outcome FROM crm.entrust(ARRAY[40], 1, 3)', $$VALUES ('held')$$, 'not to a unit beside it');
SELECT results_eq('SELECT outcome FROM crm.entrust(ARRAY[40], 1)', $$VALUES ('held')$$, 'not back to the channel');
SELECT is(pg_temp.code_of('SELECT crm.claim(40, 3)'), '55006', 'not for the staff of another unit');
SELECT is(pg_temp.code_of('SELECT crm.claim(40, 4)'), '00000', 'a claim by staff below the unit narrows');
SELECT results_eq('SELECT channel_id, org_id, staff_id, end_cause FROM crm.holding WHERE customer_id = 40 ORDER BY id',
                  $$VALUES (1::bigint, NULL::bigint, NULL::bigint, 'narrowing'), (1, 2, NULL, 'narrowing'), (1, 4, 4, NULL)$$, 'each step is a row');
SELECT is((SELECT count(*) FROM crm.holding a JOIN crm.holding b ON b.customer_id = a.customer_id AND b.held_from = a.held_to WHERE a.customer_id = 40),
          2::bigint, 'without gaps');
SELECT results_eq('SELECT customer_id, staff_id, outcome FROM crm.allocate(ARRAY[41, 42], ARRAY[3, 1])',
                  $$VALUES (41::bigint, NULL::bigint, 'held'), (42, 1::bigint, 'allocated')$$, 'an allocation narrows where all the staff belong to the holder');
SELECT results_eq('SELECT staff_id, outcome FROM crm.allocate(ARRAY[41], ARRAY[1, 4])', $$VALUES (1::bigint, 'allocated')$$, 'of a unit too');
SELECT is(pg_temp.code_of('SELECT crm.entrust(ARRAY[43], NULL)'), '22004', 'entrust: no channel');
SELECT is(pg_temp.code_of('SELECT crm.entrust(ARRAY[43], 99)'), '23503', 'entrust: unknown channel');
SELECT is(pg_temp.code_of('SELECT crm.entrust(ARRAY[43], 1, 99)'), '23503', 'entrust: unknown unit');
SELECT is(pg_temp.code_of('SELECT crm.entrust(ARRAY[[43]], 1)'), '2202E', 'entrust: two dimensions');
SELECT is(pg_temp.code_of('SELECT crm.entrust(ARRAY[43, NULL], 1)'), '22004', 'entrust: NULL');
SELECT crm.entrust(ARRAY[43], 1, 3);
SELECT crm.release(43);
SELECT results_eq('SELECT outcome FROM crm.entrust(ARRAY[43], 1, 3)', $$VALUES ('cool_off')$$, 'a unit has its cool-off');
SELECT results_eq('SELECT outcome FROM crm.entrust(ARRAY[43], 1, 2)', $$VALUES ('allocated')$$, 'another unit has not');

-- allocate ------------------------------------------------------------------------

SELECT results_eq('SELECT customer_id, staff_id, holding_id IS NOT NULL, outcome FROM crm.allocate(ARRAY[104, 102, 101, 103, 105, 103], ARRAY[5, 1])',
  $$VALUES (101::bigint, 1::bigint, true, 'allocated'), (102, 5, true, 'allocated'), (103, 1, true, 'allocated'), (104, 5, true, 'allocated'), (105, 1, true, 'allocated')$$,
  'even: in turn, whatever the order of the input');
SELECT cmp_ok(abs(pg_temp.held(1) - pg_temp.held(5)), '>', 5::bigint, 'so far one holds more');
SELECT is((SELECT count(*) FROM crm.allocate(ARRAY(SELECT generate_series(310, 349)), ARRAY[1, 5], 'least_loaded') WHERE outcome = 'allocated'), 40::bigint, 'least loaded');
SELECT cmp_ok(abs(pg_temp.held(1) - pg_temp.held(5)), '<=', 1::bigint, 'levels what is held');
SELECT is(pg_temp.code_of($$SELECT crm.allocate(ARRAY[120], ARRAY[1], 'fair')$$), '22023', 'no such strategy');
SELECT is(pg_temp.code_of($$SELECT crm.allocate(ARRAY[120], ARRAY[1], NULL)$$), '22004', 'strategy NULL');
SELECT is(pg_temp.code_of($$SELECT crm.allocate(NULL, ARRAY[1])$$), '22004', 'customers NULL');
SELECT is(pg_temp.code_of($$SELECT crm.allocate(ARRAY[120], NULL)$$), '22004', 'staff NULL');
SELECT is(pg_temp.code_of($$SELECT crm.allocate(ARRAY[120, NULL], ARRAY[1])$$), '22004', 'a customer NULL');
SELECT is(pg_temp.code_of($$SELECT crm.allocate(ARRAY[120], ARRAY[1, NULL])$$), '22004', 'a member of staff NULL');
SELECT is(pg_temp.code_of($$SELECT crm.allocate(ARRAY[[120, 121]], ARRAY[1])$$), '2202E', 'two dimensions');
SELECT is(pg_temp.code_of($$SELECT crm.allocate(ARRAY[120], ARRAY[1, 1])$$), '22023', 'a member of staff twice');
SELECT is(pg_temp.code_of($$SELECT crm.allocate(ARRAY[120], ARRAY[1, 999])$$), '23503', 'unknown staff');
SELECT is(pg_temp.code_of($$SELECT crm.allocate(ARRAY[120], ARRAY[1, 8])$$), '55000', 'staff not in post');
SELECT is(pg_temp.code_of($$SELECT crm.allocate(ARRAY[120], ARRAY[1], 'even', 'SELECT 1')$$), '22023', 'edges without optimal');
SELECT is(pg_temp.code_of($$SELECT crm.allocate(ARRAY[120, 121], ARRAY[1], 'given')$$), '22023', 'given: lengths differ');
SELECT is(pg_temp.code_of($$SELECT crm.allocate(ARRAY[120, 120], ARRAY[1, 3], 'given')$$), '22023', 'given: a customer twice');
SELECT is_empty($$SELECT * FROM crm.allocate('{}', ARRAY[1])$$, 'no customers: nothing');
SELECT results_eq($$SELECT customer_id, outcome FROM crm.allocate(ARRAY[120], '{}')$$, $$VALUES (120::bigint, 'left_over')$$, 'no staff: left over');
SELECT is_empty(format($$SELECT * FROM crm.allocate('{}', '{}', %L)$$, strategy), strategy || ' of nobody to nobody: nothing') FROM unnest('{even,round_robin,least_loaded,best_fit,optimal,given}'::text[]) strategy;
SELECT results_eq($$SELECT customer_id, outcome FROM crm.allocate(ARRAY[101, 999, 120], ARRAY[3]) ORDER BY 1$$,
                  $$VALUES (101::bigint, 'held'), (120, 'allocated'), (999, 'unknown')$$, 'held and unknown ones are told apart');
SELECT results_eq($$SELECT customer_id, staff_id, outcome FROM crm.allocate(ARRAY[122, 121], ARRAY[5, 3], 'given', reason => 'plan 7')$$,
                  $$VALUES (121::bigint, 3::bigint, 'allocated'), (122, 5, 'allocated')$$, 'given: each to the one at the same place');
SELECT is((SELECT start_reason FROM crm.holding WHERE customer_id = 121), 'plan 7', 'the reason is kept');

INSERT INTO crm.holding_quota (staff_id, quota) SELECT 1, pg_temp.held(1) + 2;
INSERT INTO crm.holding_quota (staff_id, quota) SELECT 3, pg_temp.held(3) + 3;
SELECT results_eq($$SELECT outcome, count(*), count(holding_id) FROM crm.allocate(ARRAY(SELECT generate_series(130, 139)), ARRAY[1, 3]) GROUP BY 1 ORDER BY 1$$,
                  $$VALUES ('allocated', 5::bigint, 5::bigint), ('left_over', 5, 0)$$, 'full quotas: the rest is left over');
SELECT results_eq($$SELECT crm.pool(current_date) INTERSECT SELECT generate_series(130, 139)::bigint ORDER BY 1$$,
                  $$VALUES (135::bigint), (136), (137), (138), (139)$$, 'and stays in the pool');
SELECT is(pg_temp.code_of('SELECT crm.claim(135, 1)'), '53400', 'nothing beyond the quota');
SELECT results_eq($$SELECT outcome FROM crm.allocate(ARRAY[135], ARRAY[1], 'given')$$, $$VALUES ('quota')$$, 'given keeps to the quota');
DELETE FROM crm.holding_quota;

-- everybody who held a customer is passed over, and the loads still come out even
SELECT pg_temp.past(i, CASE WHEN i % 2 = 0 THEN 1 ELSE 3 END, '100 days', '1 day') FROM generate_series(201, 260) i;
CREATE TEMP TABLE done AS SELECT * FROM crm.allocate(ARRAY(SELECT generate_series(201, 260)), ARRAY[1, 3, 5]);
SELECT results_eq('SELECT staff_id, count(*) FROM done GROUP BY 1 ORDER BY 1', 'VALUES (1::bigint, 20::bigint), (3, 20), (5, 20)', 'even beside cool-offs');
SELECT is_empty('SELECT * FROM done WHERE staff_id = CASE WHEN customer_id % 2 = 0 THEN 1 ELSE 3 END', 'nobody gets back whom they had');
SELECT pg_temp.past(261, 1, '100 days', '1 day');
SELECT results_eq('SELECT outcome FROM crm.allocate(ARRAY[261], ARRAY[1])', $$VALUES ('left_over')$$, 'only an earlier holder: left over');
SELECT results_eq($$SELECT outcome FROM crm.allocate(ARRAY[261], ARRAY[1], 'given')$$, $$VALUES ('cool_off')$$, 'given names the cool-off');

-- optimal ----------------------------------------------------------------------------

SELECT setseed(0.5);
CREATE TEMP TABLE edge AS
SELECT r, 350 + c AS customer_id, s AS holder_id, round(random() * 20)::double precision AS benefit
FROM generate_series(1, 12) r, generate_series(1, 5) c, unnest(ARRAY[1, 2, 3, 4]) s WHERE random() < 0.6;
GRANT SELECT ON edge TO PUBLIC;
-- every way to give five customers one of four or nobody, within room for two, two, one and none
CREATE FUNCTION pg_temp.best(round integer) RETURNS text LANGUAGE sql AS $$
  WITH RECURSIVE way AS (
    SELECT 350 AS customer, '{}'::bigint[] AS taken, 0::double precision AS total
    UNION ALL
    SELECT w.customer + 1, CASE WHEN o.holder_id IS NULL THEN w.taken ELSE w.taken || o.holder_id END, w.total + coalesce(o.benefit, 0)
    FROM way w CROSS JOIN LATERAL (
      SELECT e.holder_id::bigint, e.benefit FROM edge e WHERE e.r = best.round AND e.customer_id = w.customer + 1
        AND (e.customer_id, e.holder_id) <> (351, 1)
        AND (SELECT count(*) FROM unnest(w.taken) t WHERE t = e.holder_id) < CASE e.holder_id WHEN 1 THEN 2 WHEN 2 THEN 2 WHEN 3 THEN 1 ELSE 0 END
      UNION ALL SELECT NULL, 0) o
    WHERE w.customer < 355)
  SELECT format('%s with %s', cardinality(taken), total) FROM way WHERE customer = 355 ORDER BY cardinality(taken) DESC, total DESC LIMIT 1
$$;
SELECT pg_temp.past(351, 1, '20 days', '10 days');
CREATE FUNCTION pg_temp.reached(round integer) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  reached text;
BEGIN
  BEGIN
    INSERT INTO crm.holding_quota SELECT i, pg_temp.held(i) + least(2, 4 - i) FROM generate_series(1, 4) i ON CONFLICT DO NOTHING;
    SELECT format('%s with %s', count(a.holding_id), coalesce(sum(e.benefit) FILTER (WHERE a.holding_id IS NOT NULL), 0)) INTO reached
    FROM crm.allocate(ARRAY(SELECT generate_series(351, 355)), ARRAY[1, 2, 3, 4], 'optimal',
                      format('SELECT e.customer_id, e.holder_id, e.benefit FROM %s.edge e WHERE e.r = %s', pg_my_temp_schema()::regnamespace, round)) a
    LEFT JOIN edge e ON e.r = round AND e.customer_id = a.customer_id AND e.holder_id = a.staff_id;
    RAISE EXCEPTION USING ERRCODE = 'P0099', MESSAGE = reached;
  EXCEPTION WHEN SQLSTATE 'P0099' THEN
    RETURN SQLERRM;
  END;
END
$$;
SELECT is(pg_temp.reached(r), pg_temp.best(r), format('optimal, round %s: most customers, then most benefit, within quotas and cool-offs', r)) FROM generate_series(1, 12) r;

INSERT INTO crm.product (id, code, name) VALUES (1, 'w', 'Whole life');
INSERT INTO crm.policy (customer_id, id, product_id, channel_id, servicer_id, issued_on, premium) VALUES (361, 1, 1, 1, 3, '2021-01-01', 1), (362, 2, 1, 1, 1, '2021-01-01', 1);
INSERT INTO crm.customer_organisation VALUES (363, '2022-01-01', 3), (364, '2022-01-01', 4);
SELECT results_eq($$SELECT customer_id, staff_id, outcome FROM crm.allocate(ARRAY[361, 362, 363, 364], ARRAY[1, 3, 4], 'optimal')$$,
  $$VALUES (361::bigint, 3::bigint, 'allocated'), (362, 1, 'allocated'), (363, 3, 'allocated'), (364, 4, 'allocated')$$, 'optimal: the servicer, else somebody of the home unit');
SELECT results_eq($$SELECT customer_id, staff_id, outcome FROM crm.allocate(ARRAY[365, 366], ARRAY[1], 'optimal', 'SELECT 365::bigint AS customer_id, 1::bigint AS holder_id, 1::float8 AS benefit')$$,
  $$VALUES (365::bigint, 1::bigint, 'allocated'), (366, NULL, 'left_over')$$, 'no edge: left over');
SELECT is(pg_temp.code_of($$SELECT crm.allocate(ARRAY[367], ARRAY[1], 'optimal', 'SELECT nonsense')$$), '42703', 'edges that are no query of edges');
SELECT isnt(pg_temp.code_of($$SELECT crm.allocate(ARRAY[367], ARRAY[1], 'optimal', 'DELETE FROM crm.holding RETURNING customer_id, staff_id AS holder_id, 1 AS benefit')$$), '00000', 'edges that write');
SELECT is(pg_temp.code_of($$SELECT * FROM crm._allocation_edges(ARRAY(SELECT generate_series(1, 20001)), ARRAY(SELECT generate_series(1, 1000)), current_date)$$), '54000', 'too many pairs');

-- edges run with the rights of the caller
CREATE ROLE crm_test_manager;
GRANT EXECUTE ON FUNCTION crm.allocate(bigint[], bigint[], text, text, text), crm._allocation_state(bigint[], bigint[]), crm._allocation_edges(bigint[], bigint[], date),
  crm._allocate(bigint[], bigint[], text), crm.claim(bigint, bigint), crm.transfer(bigint, bigint, text, boolean) TO crm_test_manager;
SET LOCAL ROLE crm_test_manager;
SELECT results_eq($$SELECT customer_id, outcome FROM crm.allocate(ARRAY[370, 371], ARRAY[1, 3], 'optimal')$$, $$VALUES (370::bigint, 'allocated'), (371, 'allocated')$$,
                  'without a right on any table a manager may allocate');
SELECT is(pg_temp.code_of($$SELECT crm.allocate(ARRAY[372], ARRAY[1], 'optimal', 'SELECT c.id AS customer_id, 1::bigint AS holder_id, 1::float8 AS benefit FROM crm.customer c')$$), '42501',
          'but not read what they may not read');
SELECT is(pg_temp.code_of('SELECT crm.claim(373, 1)'), '00000', 'and claim');
SELECT is(pg_temp.code_of('SELECT crm.release(373)'), '42501', 'but call nothing not granted');
SELECT is(pg_temp.code_of(statement), code, name) FROM (VALUES
  ($$SELECT crm._allocate('{374}', '{8}', NULL)$$, '55000', 'the inner function: staff who left'),
  ($$SELECT crm._allocate('{374,375}', '{1,9}', NULL)$$, '55000', 'staff who have not joined yet'),
  ($$SELECT crm._allocate('{374}', '{999}', NULL)$$, '23503', 'unknown staff'),
  ($$SELECT crm._allocate('{374,374}', '{1,3}', NULL)$$, '22023', 'a customer twice'),
  ($$SELECT crm._allocate('{374,375}', '{1}', NULL)$$, '22023', 'lengths that differ'),
  ($$SELECT crm._allocate('{374}', '{1,3}', NULL)$$, '22023', 'either way'),
  ($$SELECT crm._allocate('{374,NULL}', '{1,3}', NULL)$$, '22004', 'a customer NULL'),
  ($$SELECT crm._allocate(NULL, '{1}', NULL)$$, '22004', 'customers NULL'),
  ($$SELECT crm._allocate('{374}', NULL, NULL)$$, '22004', 'staff NULL'),
  ($$SELECT crm._allocate('{{374,375}}', '{1,3}', NULL)$$, '2202E', 'two dimensions'),
  ($$SELECT crm._hold('{374}', '{8}', NULL, NULL, NULL)$$, '42501', 'and what comes after is closed')) v (statement, code, name);
SELECT results_eq($$SELECT customer_id, staff_id, outcome FROM crm._allocate('{375,374,999}', '{NULL,1,1}', NULL)$$,
                  $$VALUES (374::bigint, 1::bigint, 'allocated'), (375, NULL, 'left_over'), (999, NULL, 'unknown')$$, 'else it does as crm.allocate');
RESET ROLE;

-- deal: against a plain statement of what it must yield -----------------------------

CREATE FUNCTION pg_temp.dealt(customers bigint[], staff bigint[], loads bigint[], rooms bigint[], bc bigint[], bs bigint[]) RETURNS bigint[] LANGUAGE plpgsql AS $$
DECLARE
  guest bigint;
  place bigint;
  chosen bigint;
  dealt bigint[] := array_fill(NULL::bigint, ARRAY[cardinality(customers)]);
BEGIN
  FOR guest, place IN
    SELECT x.id, x.n FROM unnest(customers) WITH ORDINALITY x(id, n)
    ORDER BY (SELECT count(*) FROM unnest(bc) b(id) WHERE b.id = x.id) DESC, x.id
  LOOP
    SELECT t.n INTO chosen FROM unnest(staff, loads, rooms) WITH ORDINALITY t(id, load, room, n)
    WHERE t.room > 0 AND (guest, t.id) NOT IN (SELECT * FROM unnest(bc, bs)) ORDER BY t.load, t.id LIMIT 1;
    CONTINUE WHEN chosen IS NULL;
    loads[chosen] := loads[chosen] + 1;
    rooms[chosen] := rooms[chosen] - 1;
    dealt[place] := staff[chosen];
  END LOOP;
  RETURN dealt;
END
$$;
SELECT setseed(0.25);
CREATE TEMP TABLE round AS
SELECT n, ARRAY(SELECT i FROM generate_series(1, n % 23) i ORDER BY random()) AS customers,
       ARRAY(SELECT i * 7 FROM generate_series(1, n % 6) i ORDER BY random()) AS staff,
       ARRAY(SELECT (random() * 5)::bigint FROM generate_series(1, n % 6)) AS loads,
       ARRAY(SELECT (random() * 9)::bigint - 1 FROM generate_series(1, n % 6)) AS rooms,
       bars.bc, bars.bs
FROM generate_series(1, 150) n
CROSS JOIN LATERAL (SELECT coalesce(array_agg(c), '{}') AS bc, coalesce(array_agg(s * 7), '{}') AS bs
                    FROM (SELECT (random() * 25)::bigint AS c, (random() * 7)::bigint AS s FROM generate_series(1, n % 40)) b) bars;
SELECT is_empty($$SELECT n FROM round WHERE crm.deal(customers::bigint[], staff::bigint[], loads, rooms, bc, bs)
                    IS DISTINCT FROM pg_temp.dealt(customers::bigint[], staff::bigint[], loads, rooms, bc, bs)$$, 'dealing agrees with its definition');
SELECT is(crm.deal('{}', '{}', '{}', '{}'), '{}'::bigint[], 'nobody to deal');
SELECT is(crm.deal('{1}', '{}', '{}', '{}'), '{NULL}'::bigint[], 'nobody to deal to');
SELECT is(pg_temp.code_of($$SELECT crm.deal('{1}', '{1}', '{}', '{1}')$$), '22023', 'deal: lengths differ');
SELECT is(pg_temp.code_of($$SELECT crm.deal('{1}', '{1}', '{0}', '{1}', '{1}', '{}')$$), '22023', 'deal: lengths of the bars differ');
SELECT is(pg_temp.code_of($$SELECT crm.deal('{1}', '{1,1}', '{0,0}', '{1,1}')$$), '22023', 'deal: staff twice');
SELECT is(pg_temp.code_of($$SELECT crm.deal('{1,1}', '{1}', '{0}', '{1}')$$), '22023', 'deal: customer twice');
SELECT is(pg_temp.code_of($$SELECT crm.deal('{1,NULL}', '{1}', '{0}', '{1}')$$), '22004', 'deal: NULL within');
SELECT is(pg_temp.code_of($$SELECT crm.deal(NULL, '{1}', '{0}', '{1}')$$), '22004', 'deal: NULL');
SELECT is(pg_temp.code_of($$SELECT crm.deal('{{1,2},{3,4}}', '{1}', '{0}', '{1}')$$), '2202E', 'deal: two dimensions');
SELECT is(pg_temp.code_of($$SELECT crm.deal('{1}', '{1}', '{9223372036854775807}', '{1}')$$), '22003', 'deal: load out of range');
SELECT is(crm.deal('{1,2}', '{-9223372036854775808,9223372036854775807}', '{-9223372036854775808,0}', '{1,9223372036854775807}'),
          '{-9223372036854775808,9223372036854775807}'::bigint[], 'deal: numbers at the limits');
SELECT is(crm.deal('[5:6]={1,2}'::bigint[], '{1}', '{0}', '{1}'), '{1,NULL}'::bigint[], 'deal: an array that begins elsewhere');

-- departure -------------------------------------------------------------------------

SELECT is(pg_temp.code_of('SELECT crm.release_departed(NULL)'), '22004', 'departure: NULL');
SELECT is(pg_temp.code_of('SELECT crm.release_departed(''2190-01-01'')'), '22023', 'departure: in the future');
SELECT crm.lock_holding((SELECT min(customer_id) FROM crm.holding WHERE staff_id = 5 AND held_to IS NULL));
SELECT is(crm.release_departed(current_date - 1), 0::bigint, 'nobody left');
UPDATE crm.staff SET left_on = current_date - 1 WHERE id = 5;
SELECT isnt_empty($$SELECT * FROM crm._check_holding() WHERE check_name = 'holding_in_post'$$, 'a holder not in post is found');
SELECT is((SELECT pg_temp.held(5)), (SELECT crm.release_departed(current_date - 1)), 'all that the leaver held, locked or not');
SELECT is(pg_temp.held(5), 0::bigint, 'is in the pool');

-- locking -----------------------------------------------------------------------------

SELECT is(pg_temp.code_of('SELECT crm.lock_holding(399)'), '55000', 'lock: nobody holds');
SELECT is(pg_temp.code_of('SELECT crm.lock_holding(1, NULL)'), '22004', 'lock: NULL');

-- pool --------------------------------------------------------------------------------

SELECT set_eq('SELECT crm.pool(current_date)',
              'SELECT id FROM crm.customer EXCEPT SELECT customer_id FROM crm.holding WHERE held_to IS NULL', 'the pool: whom nobody holds');
SELECT set_eq('SELECT crm.pool(current_date, 2)', 'SELECT p FROM crm.pool(current_date) p JOIN crm.customer c ON c.id = p WHERE c.org_id IN (2, 4)', 'of a unit with its subtree');
INSERT INTO crm.customer_organisation (customer_id, from_date, org_id) VALUES (300, '2024-01-01', 3), (300, '2024-06-01', 2), (300, '2100-01-01', 3);
SELECT is((SELECT array_agg(EXISTS (SELECT FROM crm.pool(d, 3) p WHERE p = 300) ORDER BY d) FROM unnest(ARRAY['2023-12-31', '2024-03-01', '2024-06-01']::date[]) d),
          ARRAY[false, true, false], 'by the home unit of the day');
SELECT is_empty('SELECT crm.pool(current_date, 2, 4)', 'of a channel that brought nobody');

-- invariants -----------------------------------------------------------------------------

SELECT is_empty('SELECT * FROM crm._check_holding()', 'all of this keeps the invariants');
UPDATE crm.holding_count SET held = held + 1 WHERE staff_id = 1;
SELECT is((SELECT array_agg(check_name) FROM crm._check_holding()), ARRAY['holding_count'], 'a wrong count is found');
UPDATE crm.holding_count SET held = held - 1 WHERE staff_id = 1;
INSERT INTO crm.holding_count VALUES (9, 77);
SELECT is_empty('SELECT FROM crm.holding_count WHERE staff_id = 9', 'a count given by hand is passed over');
SELECT pg_temp.past(301, 1, '30 days', '10 days'), pg_temp.past(301, 3, '20 days', '5 days');
SELECT is((SELECT array_agg(check_name) FROM crm._check_holding()), ARRAY['holding_overlap'], 'an overlap is found');
DELETE FROM crm.holding WHERE customer_id = 301;
SELECT pg_temp.past(301, 1, '30 days', '20 days'), pg_temp.past(301, 1, '10 days', '5 days');
SELECT is((SELECT array_agg(check_name) FROM crm._check_holding()), ARRAY['holding_cool_off'], 'a holding within the cool-off is found');
DELETE FROM crm.holding WHERE customer_id = 301;
SELECT is(pg_temp.code_of($$INSERT INTO crm.holding (customer_id, channel_id, org_id, staff_id, start_cause, rule) VALUES (1, 1, 2, 1, 'claim', 'never')$$),
          '23505', 'a second holder is refused whoever writes');
DELETE FROM crm.holding WHERE staff_id = 3;
SELECT is((SELECT array_agg(DISTINCT check_name) FROM crm._check_holding()), ARRAY['holding_gap'], 'counts follow deletion, and who was passed on to nobody is found');
TRUNCATE crm.holding CASCADE;
SELECT is_empty('SELECT * FROM crm._check_holding()', 'and truncation');

SELECT crm.post() \g /dev/null
SELECT is_empty('SELECT * FROM crm.check()', 'the book agrees');

SELECT * FROM finish();
ROLLBACK;
