-- Each strategy of crm.allocate() against a naive statement of what it must yield, on random pools.
BEGIN;
SELECT no_plan();
\ir include/helpers.sql

INSERT INTO crm.organisation (id, parent_id, code, name) VALUES (1, NULL, 'co', 'Company'), (2, 1, 'n', 'North'), (3, 1, 's', 'South');
INSERT INTO crm.staff (id, code, name, org_id, channel_id, joined_on) SELECT 7 * i, 's' || i, 'Staff ' || i, 2 + i % 2, 1 + i % 2, '2020-01-01' FROM generate_series(1, 6) i;
INSERT INTO crm.customer (id, kind, name, org_id, source_channel_id, known_from) SELECT i, 'person', 'Customer ' || i, 2 + i % 2, 1, '2020-01-01' FROM generate_series(1, 60) i;
INSERT INTO crm.product (id, code, name) VALUES (1, 'w', 'Whole life');
INSERT INTO crm.policy (customer_id, id, product_id, channel_id, servicer_id, issued_on, premium, payments, payment)
SELECT i, i, 1, 1, 7 * (1 + i % 6), '2021-01-01', 400000 * (1 + i % 4), 1, 'single' FROM generate_series(1, 60) i WHERE i % 3 <> 0;
SELECT crm.post() > 0 AS posted;
INSERT INTO crm.setting (name, org_id, value) VALUES ('tier_load', 2, 'platinum 3, gold 2'), ('tier_load', 3, 'platinum 4, none 0');

-- what the staff hold and may hold, naively
CREATE FUNCTION pg_temp.weighs(customer bigint, staff bigint) RETURNS bigint LANGUAGE sql AS $$
  SELECT CASE (SELECT tier FROM crm_bi.customer WHERE customer_id = $1) WHEN 'platinum' THEN CASE s.org_id WHEN 2 THEN 3 ELSE 4 END
           WHEN 'gold' THEN CASE s.org_id WHEN 2 THEN 2 ELSE 1 END WHEN 'none' THEN CASE s.org_id WHEN 2 THEN 1 ELSE 0 END ELSE 1 END
  FROM crm.staff s WHERE s.id = $2
$$;
CREATE FUNCTION pg_temp.free(customer bigint) RETURNS boolean LANGUAGE sql AS $$
  SELECT NOT EXISTS (SELECT FROM crm.holding WHERE customer_id = $1 AND held_to IS NULL) AND NOT EXISTS (SELECT FROM crm.blacklist WHERE customer_id = $1)
$$;
CREATE FUNCTION pg_temp.barred(customer bigint, staff bigint) RETURNS boolean LANGUAGE sql AS $$
  SELECT EXISTS (SELECT FROM crm.holding WHERE customer_id = $1 AND staff_id = $2 AND held_to + interval '90 days' > now())
$$;
CREATE TABLE pg_temp.seat (id bigint, weight bigint, load bigint, room bigint, given bigint, turn bigint, benefit bigint);
CREATE FUNCTION pg_temp.naive(customers bigint[], staff bigint[], strategy text, weights bigint[]) RETURNS TABLE (customer_id bigint, staff_id bigint) LANGUAGE plpgsql AS $$
DECLARE
  c bigint;
  s bigint;
BEGIN
  TRUNCATE seat;
  INSERT INTO seat
  SELECT u.id, u.w, l.load, CASE WHEN EXISTS (SELECT FROM crm.staff_leave x WHERE x.staff_id = u.id) THEN -1 ELSE coalesce((SELECT quota FROM crm.holding_quota q WHERE q.staff_id = u.id), 200) - l.load END, 0,
         row_number() OVER (ORDER BY (SELECT last_given_at FROM crm.holding_count n WHERE n.staff_id = u.id) NULLS FIRST, u.id)
  FROM unnest(staff, weights) u(id, w) CROSS JOIN LATERAL (SELECT coalesce(sum(h.load), 0)::bigint AS load FROM crm.holding h WHERE h.staff_id = u.id AND h.held_to IS NULL) l;
  IF strategy = 'best_fit' THEN
    FOR c, s IN
      SELECT x, z.id FROM unnest(customers) x CROSS JOIN seat z WHERE pg_temp.free(x)
      ORDER BY CASE WHEN EXISTS (SELECT FROM crm.policy p WHERE p.customer_id = x AND p.servicer_id = z.id) THEN 2 ELSE 0 END
               + CASE WHEN (SELECT org_id FROM crm.customer WHERE id = x) = (SELECT org_id FROM crm.staff t WHERE t.id = z.id) THEN 1 ELSE 0 END DESC, x, z.id
    LOOP
      CONTINUE WHEN c = ANY (ARRAY(SELECT d.customer_id FROM done d)) OR pg_temp.barred(c, s) OR (SELECT room FROM seat WHERE id = s) < pg_temp.weighs(c, s);
      UPDATE seat SET room = room - pg_temp.weighs(c, s) WHERE id = s;
      INSERT INTO done VALUES (c, s);
    END LOOP;
  ELSE
    FOR c IN
      SELECT x FROM unnest(customers) x WHERE pg_temp.free(x)
      ORDER BY CASE WHEN strategy <> 'round_robin' THEN (SELECT count(*) FROM crm.holding h WHERE h.customer_id = x AND h.held_to + interval '90 days' > now() AND h.staff_id = ANY (staff)) END DESC,
               CASE WHEN strategy <> 'round_robin' THEN (SELECT max(pg_temp.weighs(x, z.id)) FROM seat z) END DESC, x
    LOOP
      SELECT z.id INTO s FROM seat z
      WHERE z.room >= pg_temp.weighs(c, z.id) AND NOT pg_temp.barred(c, z.id) AND (strategy <> 'weighted' OR z.weight > 0)
      ORDER BY CASE strategy WHEN 'even' THEN z.given WHEN 'least_loaded' THEN z.load WHEN 'round_robin' THEN z.turn ELSE (2 * z.given + 1)::numeric / nullif(z.weight, 0) END, z.id LIMIT 1;
      CONTINUE WHEN s IS NULL;
      UPDATE seat SET room = room - pg_temp.weighs(c, s), load = load + pg_temp.weighs(c, s), given = given + pg_temp.weighs(c, s), turn = (SELECT max(turn) + 1 FROM seat) WHERE id = s;
      INSERT INTO done VALUES (c, s);
    END LOOP;
  END IF;
  RETURN QUERY SELECT d.customer_id, d.staff_id FROM done d;
  DELETE FROM done;
END
$$;
CREATE TABLE pg_temp.done (customer_id bigint, staff_id bigint);

-- a random pool and random staff; both answers, and nothing is left of it
CREATE FUNCTION pg_temp.round(strategy text, n integer) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  told text := '';
  staff bigint[];
  customers bigint[];
  weights bigint[];
  wrong text;
BEGIN
  INSERT INTO crm.holding (customer_id, channel_id, org_id, staff_id, held_from, held_to, start_cause, end_cause, ended_by, rule)
  SELECT c, s.channel_id, s.org_id, s.id, now() - x.d * interval '1 day' - interval '1 hour', now() - x.d * interval '1 day', 'claim', 'release', 'test', 'cool off 90 days'
  FROM generate_series(1, 60) c CROSS JOIN LATERAL (SELECT 7 * (1 + floor(random() * 6 + c * 0))::bigint AS s, 1 + floor(random() * 120 + c * 0)::integer AS d) x JOIN crm.staff s ON s.id = x.s WHERE c % 2 = n % 2;
  INSERT INTO crm.holding_quota SELECT s.id, floor(random() * 18) FROM crm.staff s WHERE random() < 0.7;
  INSERT INTO crm.staff_leave (staff_id, from_date) SELECT s.id, '2024-01-01' FROM crm.staff s WHERE random() < 0.1;
  INSERT INTO crm.blacklist (customer_id, reason, from_date) SELECT c, 'x', '2024-01-01' FROM generate_series(1, 60) c WHERE random() < 0.05;
  PERFORM crm.allocate(ARRAY(SELECT c FROM generate_series(1, 60) c WHERE random() < 0.1), ARRAY(SELECT s.id FROM crm.staff s ORDER BY s.id), 'round_robin');
  FOR i IN 1 .. 2 LOOP
    staff := ARRAY(SELECT s.id FROM crm.staff s WHERE random() < 0.8 ORDER BY random());
    customers := ARRAY(SELECT c FROM generate_series(1, 60) c WHERE random() < 0.5 ORDER BY random());
    weights := ARRAY(SELECT floor(random() * 5)::bigint FROM unnest(staff));
    CREATE TEMP TABLE wanted ON COMMIT DROP AS SELECT * FROM pg_temp.naive(customers, staff, round.strategy, weights);
    CREATE TEMP TABLE got ON COMMIT DROP AS
    SELECT a.customer_id, a.staff_id, a.outcome FROM crm.allocate(customers, staff, round.strategy,
      CASE round.strategy WHEN 'weighted' THEN format('SELECT * FROM unnest(%L::bigint[], %L::bigint[]) u(holder_id, weight)', staff, weights) END) a;
    SELECT string_agg(format('%s: %s, not %s', coalesce(w.customer_id, g.customer_id), g.staff_id, w.staff_id), '; ') INTO wrong
    FROM wanted w FULL JOIN (SELECT * FROM got WHERE outcome = 'allocated') g ON g.customer_id = w.customer_id WHERE g.staff_id IS DISTINCT FROM w.staff_id;
    told := concat_ws('; ', told, wrong);
    IF (SELECT count(*) FROM got) <> cardinality(customers) THEN
      told := told || 'rows';
    END IF;
    DROP TABLE wanted, got;
  END LOOP;
  SELECT concat(told, string_agg(c.detail, '; ')) INTO told FROM crm._check_holding() c WHERE c.check_name NOT IN ('holding_overlap');
  RAISE EXCEPTION USING ERRCODE = 'P0099', MESSAGE = coalesce(nullif(told, ''), 'agrees');
EXCEPTION WHEN SQLSTATE 'P0099' THEN
  RETURN SQLERRM;
END
$$;
SELECT setseed(0.3);
SELECT is(pg_temp.round(s, n), 'agrees', format('%s, round %s', s, n)) FROM unnest(ARRAY['even', 'weighted', 'round_robin', 'least_loaded', 'best_fit']) s, generate_series(1, 12) n;

-- weighted is an apportionment
DELETE FROM crm.setting WHERE name = 'tier_load';
SELECT results_eq($$SELECT staff_id, count(*) FROM crm.allocate(ARRAY(SELECT generate_series(1, 41)), '{7,14,21}', 'weighted', 'SELECT * FROM (VALUES (7, 5), (14, 3), (21, 1)) w (holder_id, weight)') GROUP BY 1 ORDER BY 1$$,
                  $$SELECT s, n::bigint FROM unnest('{7,14,21}'::bigint[], crm.apportion(41, '{5,3,1}', 'sainte_lague')) u(s, n)$$, 'by Sainte-Lague');
DELETE FROM crm.holding;
SELECT results_eq($$SELECT staff_id, count(*) FROM crm.allocate(ARRAY(SELECT generate_series(1, 10)), '{7,14,21}', 'weighted', 'SELECT 7 AS holder_id, 2.4 AS weight UNION ALL SELECT 14, 1') GROUP BY 1 ORDER BY 1$$,
                  $$VALUES (7::bigint, 7::bigint), (14, 3)$$, 'whom no weight names gets nobody');
SELECT is(pg_temp.code_of($$SELECT crm.allocate('{11}', '{7}', 'weighted')$$), '22004', 'no weights');
SELECT is(pg_temp.code_of($$SELECT crm.allocate('{11}', '{7}', 'weighted', 'SELECT 7 AS holder_id, -1 AS weight')$$), '22003', 'a weight below 0');
SELECT is(pg_temp.code_of($$SELECT crm.allocate('{11}', '{7}', 'weighted', 'SELECT nonsense')$$), '42703', 'no query of weights');
SELECT isnt(pg_temp.code_of($$SELECT crm.allocate('{11}', '{7}', 'weighted', 'DELETE FROM crm.holding RETURNING staff_id AS holder_id, 1 AS weight')$$), '00000', 'weights that write');
SELECT is(pg_temp.code_of($$SELECT crm.allocate('{11}', '{7}', 'round_robin', 'SELECT 1')$$), '22023', 'edges where none are taken');

-- round robin: who waited longest
DELETE FROM crm.holding;
UPDATE crm.holding_count SET last_given_at = NULL;
SELECT results_eq($$SELECT staff_id FROM crm.allocate('{1,2,3,4}', '{21,14,7}', 'round_robin') ORDER BY customer_id$$, 'VALUES (7::bigint), (14), (21), (7)', 'in turn, from the beginning');
SELECT results_eq($$SELECT staff_id FROM crm.allocate('{5,6}', '{21,14,7}', 'round_robin') ORDER BY customer_id$$, 'VALUES (14::bigint), (21)', 'and on from there');
SELECT results_eq($$SELECT staff_id FROM crm.allocate('{8,9,10}', '{28,21,14,7}', 'round_robin') ORDER BY customer_id$$, 'VALUES (28::bigint), (7), (14)', 'who never had one is next');
SELECT crm.allocate('{11}', '{21}', 'given');
SELECT crm.claim(12, 7) > 0 AS claimed;
SELECT results_eq($$SELECT staff_id FROM crm.allocate('{13,14,15,16}', '{28,21,14,7}', 'round_robin') ORDER BY customer_id$$, 'VALUES (28::bigint), (7), (14), (21)', 'every allocation counts, a claim does not');

-- best fit and optimal differ
DELETE FROM crm.holding;
INSERT INTO crm.holding_quota VALUES (7, 1), (14, 1);
CREATE FUNCTION pg_temp.total(strategy text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  told text;
BEGIN
  SELECT string_agg(format('%s-%s', a.customer_id, a.staff_id), ' ' ORDER BY a.customer_id) INTO told
  FROM crm.allocate('{21,22}', '{7,14}', strategy, 'SELECT * FROM (VALUES (21, 7, 10.0), (21, 14, 9), (22, 7, 8), (22, 14, 1)) e (customer_id, holder_id, benefit)') a;
  RAISE EXCEPTION USING ERRCODE = 'P0099', MESSAGE = told;
EXCEPTION WHEN SQLSTATE 'P0099' THEN
  RETURN SQLERRM;
END
$$;
SELECT is(pg_temp.total('best_fit'), '21-7 22-14', 'best fit takes the best pair first');
SELECT is(pg_temp.total('optimal'), '21-14 22-7', 'the optimum looks at all');
SELECT is(pg_temp.code_of($$SELECT crm.allocate('{21}', '{7}', 'best_fit', 'SELECT nonsense')$$), '42703', 'no query of edges');

-- the inner functions -----------------------------------------------------------------------

SELECT is(pg_temp.code_of(format('SELECT crm._deal(%s)', a)), code, a) FROM (VALUES
  ($$'level', '{1}', '{1}', '{1}', '{0}', '{1}', '{1}', '{}', '{}', false$$, '00000'), ($$NULL, '{1}', '{1}', '{1}', '{0}', '{1}', '{1}', '{}', '{}', false$$, '22004'),
  ($$'level', '{1}', '{1}', '{1}', '{0}', '{1}', '{1}', '{}', '{}', NULL$$, '22004'), ($$'level', '{1}', NULL, '{1}', '{0}', '{1}', '{1}', '{}', '{}', false$$, '22004'),
  ($$'sideways', '{1}', '{1}', '{1}', '{0}', '{1}', '{1}', '{}', '{}', false$$, '22023'), ($$'level', '{1}', '{2}', '{1}', '{0}', '{1}', '{1}', '{}', '{}', false$$, '22023'),
  ($$'level', '{1}', '{0}', '{1}', '{0}', '{1}', '{1}', '{}', '{}', false$$, '22023'), ($$'level', '{1}', '{}', '{1}', '{0}', '{1}', '{1}', '{}', '{}', false$$, '22023'),
  ($$'level', '{1}', '{1}', '{1,2}', '{0,0}', '{1,1}', '{1}', '{}', '{}', false$$, '22023'), ($$'level', '{1}', '{1}', '{1}', '{0}', '{1}', '{}', '{}', '{}', false$$, '22023'),
  ($$'level', '{1}', '{1}', '{1}', '{0}', '{1}', '{-1}', '{}', '{}', false$$, '22003'), ($$'level', '{1}', '{1}', '{1}', '{0}', '{1}', '{1000001}', '{}', '{}', false$$, '22003'),
  ($$'level', '{1}', '{1}', '{1}', '{9223372036854775807}', '{1}', '{1}', '{}', '{}', false$$, '22003'), ($$'in_turn', '{1}', '{1}', '{1}', '{9223372036854775807}', '{1}', '{1}', '{}', '{}', false$$, '22003'),
  ($$'weighted', '{1}', '{1}', '{1}', '{1000001}', '{1}', '{1}', '{}', '{}', false$$, '22003'), ($$'level', '{1,1}', '{1,1}', '{1}', '{0}', '{1}', '{1}', '{}', '{}', false$$, '22023'),
  ($$'level', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', true$$, '00000'), ($$'level', '{1}', '{1}', '{1}', '{-9223372036854775808}', '{-9223372036854775808}', '{1}', '{1}', '{1}', true$$, '00000'),
  ($$'level', '{{1,2}}', '{1}', '{1}', '{0}', '{1}', '{1}', '{}', '{}', false$$, '2202E'),
  ($$'level', '{1}', '{1}', '{1}', '{}', '{1}', '{1}', '{}', '{}', false$$, '22023')) v (a, code);
SELECT is(pg_temp.code_of(format('SELECT crm._fit(%s)', a)), code, 'fit ' || a) FROM (VALUES
  ($$'{1}', '{1}', '{1}', '{1}', '{1}', '{1}', '{1}'$$, '00000'), ($$'{1}', '{1}', '{1}', '{1}', '{1}', '{1}', '{}'$$, '22023'), ($$'{1}', '{1}', '{1}', '{}', '{1}', '{1}', '{1}'$$, '22023'),
  ($$'{1}', '{1}', '{1}', '{1}', '{1}', NULL, '{1}'$$, '22004'), ($$'{1}', '{9}', '{1}', '{1}', '{1}', '{1}', '{1}'$$, '22023'), ($$'{1}', '{1}', '{1}', '{1}', '{1}', '{NULL}', '{1}'$$, '22004')) v (a, code);
SELECT is(crm._fit('{1,2,3}', '{1,2,1}', '{10,20}', '{2,1}', '{1,2,1,2}', '{9,2,2,1,3,3,1}', '{10,20,10,10,99,20,20}'), ARRAY[NULL, 10, 20]::bigint[], 'pairs in order: who fits, once, and no stranger');
SELECT is(crm._deal('in_turn', '{5,3,4}', '{1,1,1}', '{1,2}', '{9,8}', '{9,9}', '{1,1}', '{}', '{}', true), '{2,1,2}'::bigint[], 'in turn, in the order given');
SELECT is(crm._deal('level', '{1,2,3}', '{1,1,2}', '{1,2}', '{0,0}', '{2,3}', '{1,3,1,3}', '{}', '{}', false), '{1,1,2}'::bigint[], 'heavy first, to who has room for it');

DELETE FROM crm.holding_quota;
SELECT crm.post() >= 0 AS posted;
SELECT is_empty('SELECT * FROM crm.check()', 'every invariant holds');
SELECT * FROM finish();
ROLLBACK;
