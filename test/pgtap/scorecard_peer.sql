-- With whom scorecards are ranked, beside a loop over people and units; values from files: accepted, unchanged, corrected, refused.
\set ON_ERROR_STOP on
\set QUIET on
BEGIN;
SELECT no_plan();
\ir include/helpers.sql
SET LOCAL client_min_messages = warning;
SET LOCAL crm.posting = 'commit';
CREATE ROLE crm_test_pool; CREATE ROLE crm_test_loader; CREATE ROLE crm_test_analyst;
CALL crm.grant_duty('sales', 'crm_test_pool'); CALL crm.grant_duty('manager', 'crm_test_pool'); CALL crm.grant_duty('controller', 'crm_test_pool');
CALL crm.grant_duty('loader', 'crm_test_loader'); CALL crm.grant_duty('analyst', 'crm_test_analyst');
SET LOCAL ROLE crm_owner;
CALL crm.grant_duty('pool', 'crm_test_pool');
RESET ROLE;
INSERT INTO crm.organisation (id, parent_id, code, name) VALUES (1, NULL, 'co', 'Company'), (2, 1, 'n', 'North'), (3, 1, 's', 'South'), (4, 2, 'n1', 'North one'), (5, 2, 'n2', 'North two'), (6, 3, 's1', 'South one');
-- channels 5 and 1 are both of individual agents
INSERT INTO crm.channel (id, code, name, kind) VALUES (50, 'agents_two', 'Agents two', 'individual');
INSERT INTO crm.staff (id, code, name, org_id, channel_id, joined_on, login)
SELECT i, 's' || i, 'Staff ' || i, (ARRAY[4, 5, 6, 2])[1 + i % 4], CASE i % 3 WHEN 0 THEN 50 WHEN 1 THEN (SELECT id FROM crm.channel WHERE code = 'individual') ELSE (SELECT id FROM crm.channel WHERE code = 'bancassurance') END, '2020-01-01', 'p' || i FROM generate_series(1, 16) i;
INSERT INTO crm.staff (id, code, name, org_id, channel_id, joined_on, login) VALUES (30, 'chief', 'Chief', 1, 50, '2020-01-01', 'chief');
INSERT INTO crm.position (staff_id, org_id, duty, from_date, to_date) VALUES
  (30, 1, 'manager', '2020-01-01', NULL),
  (1, 4, 'manager', '2020-01-01', NULL), (4, 5, 'manager', '2020-01-01', NULL), (7, 6, 'manager', '2025-11-30', NULL),  -- on the last day only
  (10, 4, 'manager', '2020-01-01', '2025-11-30'),                                                                  -- until the day before it
  (13, 2, 'manager', '2020-01-01', NULL), (13, 2, 'approver', '2020-01-01', '2025-12-01'), (3, 2, 'approver', '2025-12-01', NULL), (2, 3, 'planner', '2020-01-01', NULL), (5, 3, 'planner', '2020-01-01', NULL), (5, 2, 'planner', '2020-01-01', NULL);
CALL crm.rebuild('2025-12-31', NULL);
SET LOCAL crm.as_of = '2025-12-31';
SELECT is(crm.define_scorecard('desk', '{"name": "Desk", "name_zh": "后台", "subject": "staff", "grain": "month", "indicators": [{"measure": "satisfaction", "weight": 60, "floor": 0, "target": 100}, {"measure": "service_standard", "weight": 40, "floor": 0, "target": 1}]}'), 1, 'of staff');
SELECT is(crm.define_scorecard('house', '{"name": "House", "name_zh": "机构", "subject": "unit", "grain": "month", "indicators": [{"measure": "satisfaction", "weight": 100, "floor": 0, "target": 100}]}'), 1, 'of units');
CREATE TEMP TABLE goal (id bigint, p text);
GRANT ALL ON goal TO crm_test_pool;
INSERT INTO goal SELECT crm.set_goal('desk', s.id, NULL, m), s.login FROM crm.staff s, unnest('{2025-11-01,2025-12-01}'::date[]) m;
INSERT INTO goal SELECT crm.set_goal('house', NULL, o, '2025-11-01'), p FROM (VALUES (1, 'chief'), (2, 'p13'), (4, 'p1'), (5, 'p4'), (6, 'p7')) v (o, p);
SELECT is(pg_temp.as(g.p, 'SELECT crm.sign_goal(' || g.id || ')'), '', 'signed') FROM goal g;

-- values from a file ------------------------------------------------------------------------------

CREATE FUNCTION pg_temp.rows_in() RETURNS void LANGUAGE sql AS $$
  INSERT INTO crm.import_scorecard_value (source_key, measure, staff_code, grain, period_start, value, source)
  SELECT 'sat/' || s.code || '/' || m, 'satisfaction', s.code, 'month', m, (40 + s.id % 5 * 10)::text, 'survey of ' || m FROM crm.staff s, unnest('{2025-11-01,2025-12-01}'::text[]) m
  UNION ALL SELECT 'std/' || s.code || '/' || m, 'service_standard', s.code, 'month', m, CASE s.id % 3 WHEN 0 THEN '95%' WHEN 1 THEN '0.5' ELSE '87.25 %' END, 'checks' FROM crm.staff s, unnest('{2025-11-01,2025-12-01}'::text[]) m WHERE s.id <> 9
  ORDER BY 1;
  INSERT INTO crm.import_scorecard_value (source_key, measure, org_code, grain, period_start, value, source)
  SELECT 'sat/' || o.code, 'satisfaction', o.code, 'month', '2025-11-01', (50 + o.id % 2 * 20)::text, 'survey' FROM crm.organisation o WHERE o.id <> 3 ORDER BY 1;
$$;
CREATE FUNCTION pg_temp.batch() RETURNS text LANGUAGE sql AS $$SELECT format('%s = %s + %s + %s + %s', read, inserted, updated, unchanged, rejected) FROM crm.import_batch_kind WHERE kind = 'scorecard_value' ORDER BY batch_id DESC LIMIT 1$$;
SELECT pg_temp.rows_in();
CALL crm.import('surveys') \gset
SELECT is(pg_temp.batch(), '71 = 71 + 0 + 0 + 0', 'values go in');
SELECT pg_temp.same('SELECT measure, staff_id, org_id, grain, period_start, value::float8, counts FROM crm_bi.scorecard_value',
  $$SELECT 'satisfaction', s.id, NULL::bigint, 'month', m, (40 + s.id % 5 * 10)::float8, true FROM crm.staff s, unnest('{2025-11-01,2025-12-01}'::date[]) m
    UNION ALL SELECT 'service_standard', s.id, NULL, 'month', m, (ARRAY[0.95, 0.5, 0.8725])[1 + s.id % 3], true FROM crm.staff s, unnest('{2025-11-01,2025-12-01}'::date[]) m WHERE s.id <> 9
    UNION ALL SELECT 'satisfaction', NULL, o.id, 'month', '2025-11-01', 50 + o.id % 2 * 20, true FROM crm.organisation o WHERE o.id <> 3$$, 'as they were written, percentages as fractions');
CREATE TEMP TABLE was AS SELECT * FROM crm.scorecard_value;
SELECT pg_temp.rows_in();
CALL crm.import('surveys') \gset
SELECT is(pg_temp.batch(), '71 = 0 + 0 + 71 + 0', 'the same file again changes nothing');
SELECT pg_temp.same('SELECT * FROM crm.scorecard_value', 'SELECT * FROM was', 'nor a row');

-- ranks ---------------------------------------------------------------------------------------------

CREATE FUNCTION pg_temp.by_hand(OUT goal_id bigint, OUT peer_group text, OUT score numeric, OUT rank bigint, OUT tied bigint, OUT peers bigint) RETURNS SETOF record LANGUAGE plpgsql AS $$
DECLARE
  g record;
  other record;
  sat numeric;
  std numeric;
BEGIN
  CREATE TEMP TABLE hand (goal_id bigint, scorecard text, period_start date, peer_group text, score numeric, whole boolean) ON COMMIT DROP;
  FOR g IN SELECT x.*, s.channel_id, s.org_id AS home FROM crm.scorecard_goal x LEFT JOIN crm.staff s ON s.id = x.staff_id WHERE x.state = 'signed' LOOP
    peer_group := NULL;
    SELECT v.value INTO sat FROM crm.scorecard_value v WHERE v.measure = 'satisfaction' AND v.period_start = g.period_start AND (v.staff_id = g.staff_id OR v.org_id = g.org_id) ORDER BY v.id DESC LIMIT 1;
    IF g.org_id IS NOT NULL THEN
      peer_group := 'level ' || CASE g.org_id WHEN 1 THEN 0 WHEN 2 THEN 1 WHEN 3 THEN 1 ELSE 2 END;
      INSERT INTO hand VALUES (g.id, 'house', g.period_start, peer_group, round(sat, 2), sat IS NOT NULL);
      CONTINUE;
    END IF;
    SELECT v.value INTO std FROM crm.scorecard_value v WHERE v.measure = 'service_standard' AND v.period_start = g.period_start AND v.staff_id = g.staff_id ORDER BY v.id DESC LIMIT 1;
    FOR other IN SELECT y.duty, (SELECT count(*) - 1 FROM crm.organisation_tree t WHERE t.descendant_id = y.org_id) AS level FROM crm.position y
                 WHERE y.staff_id = g.staff_id AND y.from_date <= g.period_start + interval '1 month - 1 day' AND (y.to_date IS NULL OR y.to_date > g.period_start + interval '1 month - 1 day') ORDER BY 1, 2 LOOP
      IF peer_group IS NULL OR position(other.duty || ' of level ' || other.level IN peer_group) = 0 THEN
        peer_group := coalesce(peer_group || ' + ', '') || other.duty || ' of level ' || other.level;
      END IF;
    END LOOP;
    peer_group := CASE WHEN g.channel_id = 50 OR g.channel_id = (SELECT id FROM crm.channel WHERE code = 'individual') THEN 'individual' ELSE 'bancassurance' END || ', ' || coalesce(peer_group, 'no position');
    INSERT INTO hand VALUES (g.id, 'desk', g.period_start, peer_group, round(sat * 0.6 + coalesce(std, 0) * 40, 2), std IS NOT NULL);
  END LOOP;
  FOR g IN SELECT * FROM hand LOOP
    goal_id := g.goal_id; peer_group := g.peer_group; score := g.score;
    rank := 1; tied := 0; peers := 0;
    FOR other IN SELECT h.score FROM hand h WHERE h.scorecard = g.scorecard AND h.period_start = g.period_start AND h.peer_group = g.peer_group AND h.whole LOOP
      peers := peers + 1;
      rank := rank + (other.score > g.score)::integer;
      tied := tied + (other.score = g.score)::integer;
    END LOOP;
    IF NOT g.whole THEN rank := NULL; tied := NULL; END IF;
    RETURN NEXT;
  END LOOP;
  DROP TABLE hand;
END
$$;
SELECT pg_temp.same('SELECT goal_id, peer_group, score, rank, tied, peers FROM crm_bi.scorecard', 'SELECT * FROM pg_temp.by_hand()', 'every group, score, rank and tie is that of a loop over people and units');
SELECT results_eq($$SELECT peer_group, count(*) FROM crm_bi.scorecard WHERE period_start = '2025-11-01' GROUP BY 1 ORDER BY peer_group COLLATE "C"$$,
  $$VALUES ('bancassurance, no position', 3::bigint), ('bancassurance, planner of level 1', 2), ('individual, approver of level 1 + manager of level 1', 1), ('individual, manager of level 0', 1), ('individual, manager of level 2', 3), ('individual, no position', 7),
           ('level 0', 1), ('level 1', 1), ('level 2', 3)$$, 'peers are of one position, whatever the channel of the kind or the unit');
SELECT results_eq($$SELECT staff_id, period_start, peer_group FROM crm_bi.scorecard WHERE staff_id IN (3, 7, 10, 13) ORDER BY 1, 2$$,
  $$VALUES (3::bigint, '2025-11-01'::date, 'individual, no position'), (3, '2025-12-01', 'individual, approver of level 1'), (7, '2025-11-01', 'individual, manager of level 2'), (7, '2025-12-01', 'individual, manager of level 2'), (10, '2025-11-01', 'individual, no position'), (10, '2025-12-01', 'individual, no position'),
           (13, '2025-11-01', 'individual, approver of level 1 + manager of level 1'), (13, '2025-12-01', 'individual, manager of level 1')$$, 'the position on the last day counts');
SELECT is(pg_temp.as('p4', $$SELECT string_agg(format('%s %s %s', rank, peers, peer_group), '; ' ORDER BY scorecard, period_start) FROM crm.my_scorecards() WHERE own AND period_start = '2025-11-01'$$),
  (SELECT string_agg(format('%s %s %s', rank, peers, peer_group), '; ' ORDER BY scorecard) FROM crm_bi.scorecard WHERE (staff_id = 4 OR org_id = 5) AND period_start = '2025-11-01'), 'each person reads among whom');

-- corrections ----------------------------------------------------------------------------------------

SELECT pg_temp.rows_in();
UPDATE crm.import_scorecard_value SET value = '99' WHERE source_key = 'sat/s6/2025-11-01';
UPDATE crm.import_scorecard_value SET measure = 'contacts' WHERE source_key = 'sat/s8/2025-11-01';
UPDATE crm.import_scorecard_value SET staff_code = NULL, org_code = 'n' WHERE source_key = 'std/s9/2025-11-01' OR source_key = 'std/s8/2025-12-01';
CALL crm.import('surveys') \gset
SELECT is(pg_temp.batch(), '71 = 0 + 2 + 68 + 1', 'a file with two corrections and a bad row');
SELECT results_eq($$SELECT value::float8, counts FROM crm_bi.scorecard_value WHERE measure = 'satisfaction' AND staff_id = 6 AND period_start = '2025-11-01' ORDER BY scorecard_value_id$$, 'VALUES (50::float8, false), (99, true)', 'what is corrected stays beside the correction, which counts');
SELECT pg_temp.same('SELECT v.* FROM crm.scorecard_value v JOIN was USING (id)', 'SELECT * FROM was', 'each row as it was entered');
SELECT pg_temp.same('SELECT goal_id, peer_group, score, rank, tied, peers FROM crm_bi.scorecard', 'SELECT * FROM pg_temp.by_hand()', 'and the ranks follow');
SELECT pg_temp.rows_in();
CALL crm.import('surveys') \gset
SELECT is(pg_temp.batch(), '71 = 0 + 2 + 69 + 0', 'corrected back');
SELECT results_eq($$SELECT value::float8, counts FROM crm_bi.scorecard_value WHERE measure = 'satisfaction' AND staff_id = 6 AND period_start = '2025-11-01' ORDER BY scorecard_value_id$$, 'VALUES (50::float8, false), (99, false), (50, true)', 'is one more');
SELECT results_eq($$SELECT count(*) FROM crm.scorecard_value_key$$, 'VALUES (71::bigint)', 'of each key one counts');
INSERT INTO crm.scorecard_value (measure, staff_id, grain, period_start, value, source) VALUES ('satisfaction', 6, 'month', '2025-11-01', 77, 'by hand');
SELECT is(pg_temp.code_of($$UPDATE crm.scorecard_value SET value = 1 WHERE source = 'by hand'$$), '55000', 'what was entered by hand stands');
SELECT is(pg_temp.code_of('DELETE FROM crm.scorecard_value'), '55000', 'and nothing is deleted');
SELECT is(pg_temp.code_of($$UPDATE crm.scorecard_value SET measure = 'contacts' WHERE id IN (SELECT scorecard_value_id FROM crm.scorecard_value_key)$$), '23514', 'a correction is checked, too');

-- bad rows ---------------------------------------------------------------------------------------------

INSERT INTO crm.import_scorecard_value (source_key, measure, staff_code, org_code, grain, period_start, value, source)
SELECT v.k, coalesce(v.m, 'satisfaction'), v.s, v.o, coalesce(v.g, 'month'), coalesce(v.d, '2025-10-01'), v.v, coalesce(v.t, 'survey') FROM (VALUES
  ('x01', NULL, 's1', NULL, NULL, NULL, '8O', NULL), ('x02', NULL, 's1', NULL, NULL, NULL, '', NULL), ('x03', NULL, 's1', NULL, NULL, NULL, '1e3', NULL), ('x04', NULL, 's1', NULL, NULL, NULL, '9999999999999', NULL),
  ('x05', 'joy', 's1', NULL, NULL, NULL, '5', NULL), ('x06', 'contacts', 's1', NULL, NULL, NULL, '5', NULL), ('x07', NULL, 'nobody', NULL, NULL, NULL, '5', NULL), ('x08', NULL, NULL, 'nowhere', NULL, NULL, '5', NULL),
  ('x09', NULL, NULL, NULL, NULL, NULL, '5', NULL), ('x10', NULL, 's1', 'n', NULL, NULL, '5', NULL), ('x11', NULL, 's1', NULL, 'week', NULL, '5', NULL), ('x12', NULL, 's1', NULL, NULL, '2025-10-02', '5', NULL),
  ('x13', NULL, 's1', NULL, 'quarter', '2025-11-01', '5', NULL), ('x14', NULL, 's1', NULL, NULL, '2025-13-01', '5', NULL), ('x15', NULL, 's1', NULL, NULL, NULL, '5', ' '), ('x16', NULL, 's1', NULL, NULL, NULL, 'NaN', NULL),
  ('ok1', NULL, 's1', NULL, NULL, NULL, '5', NULL), ('ok1', NULL, 's1', NULL, NULL, NULL, '6', NULL), ('ok3', NULL, 's1', NULL, NULL, NULL, '5', NULL), ('ok2', NULL, NULL, 's', 'quarter', NULL, '-5.5', NULL)) v (k, m, s, o, g, d, v, t);
CALL crm.import('surveys') \gset
SELECT results_eq($$SELECT source_key, column_name, code FROM crm.import_reject j JOIN crm.import_reason r USING (batch_id, kind, row_no) WHERE kind = 'scorecard_value' AND source_key !~ '^s' ORDER BY 1, 2$$,
  $$VALUES ('ok1', 'source_key', '23505'), ('ok1', 'source_key', '23505'), ('x01', 'value', '22P02'), ('x02', 'value', '23502'), ('x03', 'value', '22P02'), ('x04', 'value', '22003'), ('x05', 'measure', '23503'), ('x06', 'measure', '23514'), ('x07', 'staff_code', '23503'), ('x08', 'org_code', '23503'),
    ('x09', 'staff_code', '23514'), ('x10', 'staff_code', '23514'), ('x11', 'grain', '22P02'), ('x12', 'period_start', '23514'), ('x13', 'period_start', '23514'), ('x14', 'period_start', '22008'), ('x15', 'source', '23502'), ('x16', 'value', '22P02')$$,
  'each bad row comes back with its column and reason');
SELECT ok(read = inserted + updated + unchanged + rejected, 'read = accepted + unchanged + rejected') FROM crm.import_batch_kind WHERE kind = 'scorecard_value';
SELECT is(pg_temp.by_login(r, s), w, r || ': ' || s) FROM (VALUES
  ('crm_test_loader', $$INSERT INTO crm.import_scorecard_value (source_key) VALUES ('x') RETURNING source_key$$, 'x'), ('crm_test_loader', $$INSERT INTO crm.scorecard_value (measure) VALUES ('x') RETURNING 1$$, '42501'),
  ('crm_test_analyst', $$INSERT INTO crm.import_scorecard_value (source_key) VALUES ('x') RETURNING source_key$$, '42501'), ('crm_test_analyst', 'SELECT count(peer_group) > 30 FROM crm_bi.scorecard', 'true'),
  ('crm_test_pool', 'UPDATE crm.scorecard_value SET value = 1', '42501')) v (r, s, w);
DELETE FROM crm.import_scorecard_value;
SELECT is_empty('SELECT * FROM crm.check()', 'all is well');
SELECT * FROM finish();
ROLLBACK;
