-- A five-year plan from one file, lines of the plan by segment, kind and unit; sums of targets against a walk through the units; bad rows.
\set ON_ERROR_STOP on
\set QUIET on
BEGIN;
SELECT no_plan();
\ir include/helpers.sql
SET LOCAL client_min_messages = warning;
CALL crm.generate(customers => 1200, seed => 4, units => '{2,4,8}', as_of => '2015-12-31');
SET crm.as_of = '2015-06-30';
CALL crm.rebuild('2015-06-30', batch => NULL);

-- the plan, one file: base and targets of the company, a split by unit, lines by segment, what others reach ---------------------------

CREATE TEMP TABLE unit AS SELECT o.id, o.code, row_number() OVER (ORDER BY o.id) AS n FROM crm.organisation o WHERE o.id = 1 OR o.parent_id = 1;
CREATE FUNCTION pg_temp.load(plan text) RETURNS void LANGUAGE sql AS $$
  INSERT INTO crm.import_target (source_key, org_code, channel_code, code, class, kind, grain, period_start, value, purpose, label, direction, segment, aim, note)
  SELECT f[1], coalesce((SELECT u.code FROM unit u WHERE u.n::text = f[2]), f[2]), f[3], f[4], f[5], f[6], 'year', f[7] || '-01-01', f[8], f[9], f[10], f[11], f[12], f[13], f[14]
  FROM regexp_split_to_table(plan, E'\n') l CROSS JOIN LATERAL (SELECT ARRAY(SELECT nullif(x, '') FROM unnest(string_to_array(l, ',')) WITH ORDINALITY u (x, n) ORDER BY n) AS f) s
$$;
CREATE FUNCTION pg_temp.plan() RETURNS text LANGUAGE sql AS $$SELECT 'c12,1,,plan_customers,,,2012,1096000,base
c13,1,,plan_customers,,,2013,1151000
c14,1,,plan_customers,,,2014,1208000
c15,1,,plan_customers,,,2015,1269000
c16,1,,plan_customers,,,2016,1332000
c17,1,,plan_customers,,,2017,1399000
r12,1,,repeat_purchase,,,2012,5.53%,base
r13,1,,repeat_purchase,,,2013,6%
r14,1,,repeat_purchase,,,2014,6.5%
r15,1,,repeat_purchase,,,2015,7%
r16,1,,repeat_purchase,,,2016,7%
r17,1,,repeat_purchase,,,2017,7%
u13n,2,,plan_customers,,,2013,600000
u13s,3,,plan_customers,,,2013,551000
u14n,2,,plan_customers,,,2014,640000
u14s,3,,plan_customers,,,2014,560000
u15n,2,,plan_customers,,,2015,1300000
q15n,2,,repeat_purchase,,,2015,6%
q15s,3,,repeat_purchase,,,2015,8%
q16n,2,,repeat_purchase,,,2016,7.5%
q16s,3,,repeat_purchase,,,2016,8%
l131,1,individual,activity,active,,2013,300,,,,active individual-channel customers,develop
l132,1,group,insured,,person,2013,40,,,,group legacy,develop
l141,1,individual,orphan_customers,,,2014,5,,,,individual orphans,develop
l142,1,group,repeat_purchase_any,,person,2014,5%,,,,sector-line claims customers,develop
l143,1,,vip_customers,,,2014,50,,,,VIP,develop
l144,1,,near_vip,,,2014,10,,,at_most,near-VIP,develop
l145,1,group,reachable_share,,,2014,90%,,,,sector-line,complete
l151,1,group,insured,,,2015,60,,,,sector-line,develop
l152,1,,win_back,,,2015,10%,,,,lapsed,develop
l161,1,group,reachable_share,,person,2016,95%,,,,insured persons of corporates,complete
l162,1,,activity,semi_dormant,,2016,100,,,,semi-dormant,develop
l171,1,group,long_term_development,,person,2017,8%,,,,insured persons of corporates,develop
l172,1,,reactivation,,,2017,4%,,,,dormant,develop
b1,1,,repeat_purchase,,,2012,5.10%,benchmark,system mean,,,,group statistics
b2,1,,repeat_purchase,,,2012,8.15%,benchmark,system best,,,,group statistics
b3,1,,plan_growth,,,2012,4.35%,benchmark,system mean'$$;
SELECT pg_temp.load(pg_temp.plan());
CALL crm.import('planning') \gset
SELECT results_eq('SELECT read, inserted, updated, unchanged, rejected FROM crm.import_batch_kind ORDER BY batch_id DESC LIMIT 1', 'VALUES (37::bigint, 37::bigint, 0::bigint, 0::bigint, 0::bigint)', 'the plan goes in from one file');
SELECT pg_temp.load(pg_temp.plan());
CALL crm.import('planning') \gset
SELECT results_eq('SELECT read, unchanged FROM crm.import_batch_kind ORDER BY batch_id DESC LIMIT 1', 'VALUES (37::bigint, 37::bigint)', 'again it changes nothing');
SELECT results_eq($$SELECT extract(year FROM period_start)::integer, string_agg(segment || ' ' || aim, '; ' ORDER BY target_id) FROM crm_bi.target WHERE segment IS NOT NULL GROUP BY 1 ORDER BY 1$$,
  $$VALUES (2013, 'active individual-channel customers develop; group legacy develop'), (2014, 'individual orphans develop; sector-line claims customers develop; VIP develop; near-VIP develop; sector-line complete'),
    (2015, 'sector-line develop; lapsed develop'), (2016, 'insured persons of corporates complete; semi-dormant develop'), (2017, 'insured persons of corporates develop; dormant develop')$$, 'the lines of each year');

-- every line beside the customers whom the figure counts
CREATE FUNCTION pg_temp.members(t crm.target, part text) RETURNS numeric LANGUAGE sql AS $$
  SELECT coalesce(sum(k.n), 0) FROM crm.channel h CROSS JOIN unnest('{person,company}'::text[]) p (kind)
  CROSS JOIN LATERAL (SELECT count(*) AS n FROM crm.kpi_members(t.code, t.grain, t.period_start, t.org_id, h.code, p.kind, part, t.class)) k
  WHERE h.id = coalesce(t.channel_id, h.id) AND p.kind = coalesce(t.kind, p.kind)
$$;
SELECT pg_temp.same($$SELECT t.target_id, t.actual FROM crm_bi.target t WHERE t.period_start <= '2015-01-01'$$,
  $$SELECT t.id, CASE k.shape WHEN 0 THEN pg_temp.members(t, 'numerator') ELSE pg_temp.members(t, 'numerator') / nullif(pg_temp.members(t, 'denominator'), 0) END
    FROM crm.target t JOIN crm.kpi_code k ON k.code = t.code WHERE t.purpose = 'target' AND t.period_start <= '2015-01-01'$$, 'what was reached is counted by unit, channel, class and kind');
SELECT ok(count(*) FILTER (WHERE kind = 'person' AND actual > 0) >= 1 AND count(*) FILTER (WHERE status = 'missed') >= 3 AND count(*) FILTER (WHERE status = 'not_begun') = 10, 'some are missed, some not begun')
FROM crm_bi.target;
SELECT is_empty($$SELECT * FROM crm_bi.target WHERE gap <> actual - target OR needed_growth IS DISTINCT FROM target / nullif(last_actual, 0) - 1 OR direction <> CASE WHEN code IN ('orphan_customers', 'near_vip') OR class = 'semi_dormant' THEN 'at_most' ELSE 'at_least' END$$, 'with the gap and the growth needed');
SELECT results_eq($$SELECT extract(year FROM t.period_start)::integer, b.label, b.target_gap, b.actual_gap = b.actual - b.benchmark FROM crm_bi.target_benchmark b JOIN crm_bi.target t USING (target_id) WHERE t.org_id = 1 AND t.period_start IN ('2013-01-01', '2017-01-01') ORDER BY 1, 2$$,
  $$VALUES (2013, 'system best', -0.021500, true), (2013, 'system mean', 0.009, true), (2017, 'system best', -0.0115, NULL), (2017, 'system mean', 0.019, NULL)$$, 'and the gap to each benchmark');
INSERT INTO crm.target (org_id, code, kind, grain, period_start, value, purpose, label) VALUES (1, 'repeat_purchase', 'person', 'year', '2013-01-01', 0.09, 'benchmark', 'system mean');
INSERT INTO crm.target (org_id, code, kind, grain, period_start, value) VALUES (1, 'repeat_purchase', 'person', 'year', '2017-01-01', 0.07), (1, 'repeat_purchase', 'company', 'year', '2017-01-01', 0.07);
INSERT INTO crm.target (org_id, code, kind, grain, period_start, value, purpose) VALUES (1, 'repeat_purchase', 'company', 'year', '2016-01-01', 0.05, 'base');
SELECT results_eq($$SELECT t.kind, b.benchmark, round(t.planned_growth, 4) FROM crm_bi.target_benchmark b JOIN crm_bi.target t USING (target_id) WHERE t.org_id = 1 AND t.period_start = '2017-01-01' AND label = 'system mean' ORDER BY 1$$,
  $$VALUES ('company', 0.051000, 0.4000), ('person', 0.09, NULL), (NULL, 0.051, 0.0000)$$, 'a benchmark of a kind is for that kind, and so is a base');

-- the sums -----------------------------------------------------------------------------------------

SELECT results_eq($$SELECT code, extract(year FROM period_start)::integer, split_by, rule, target::float8, parts, parts_missing, parts_value::float8, difference::float8, status FROM crm_bi.target_sum ORDER BY 1, 2, 3$$,
  $$VALUES ('plan_customers', 2013, 'unit', 'sum', 1151000::float8, 2::bigint, 0::bigint, 1151000::float8, 0::float8, 'agrees'), ('plan_customers', 2014, 'unit', 'sum', 1208000, 2, 0, 1200000, -8000, 'under'),
    ('plan_customers', 2015, 'unit', 'sum', 1269000, 1, 4, 1300000, 31000, 'over'), ('repeat_purchase', 2015, 'unit', 'mean', 0.07, 2, 0, NULL, 0, 'agrees'),
    ('repeat_purchase', 2016, 'unit', 'mean', 0.07, 2, 0, NULL, 0.005, 'over'), ('repeat_purchase', 2017, 'kind', 'mean', 0.07, 2, 0, NULL, 0, 'agrees')$$, 'units below against the whole: by hand');
SELECT is_empty($$SELECT * FROM crm.target WHERE code = 'plan_customers' AND period_start = '2014-01-01' AND value NOT IN (1208000, 640000, 560000)$$, 'and no target is mended');
DELETE FROM crm.target;

CREATE FUNCTION pg_temp.cell(t crm.target) RETURNS jsonb LANGUAGE sql AS $$SELECT to_jsonb(t) - '{id,org_id,value,note,set_at,set_by,segment,aim,direction,label}'::text[]$$;
CREATE FUNCTION pg_temp.below(w crm.target, unit bigint, OUT numbers numeric[], OUT missing bigint) LANGUAGE plpgsql AS $$
DECLARE
  child bigint;
  v numeric;
  deeper record;
BEGIN
  numbers := '{}'; missing := 0;
  FOR child IN SELECT o.id FROM crm.organisation o WHERE o.parent_id = unit LOOP
    SELECT t.value INTO v FROM crm.target t WHERE t.org_id = child AND pg_temp.cell(t) = pg_temp.cell(w);
    IF FOUND THEN
      numbers := numbers || v;
    ELSIF NOT EXISTS (SELECT FROM crm.organisation o WHERE o.parent_id = child) THEN
      missing := missing + 1;
    ELSE
      SELECT * INTO deeper FROM pg_temp.below(w, child);
      numbers := numbers || deeper.numbers; missing := missing + deeper.missing;
    END IF;
  END LOOP;
END
$$;
CREATE FUNCTION pg_temp.by_hand() RETURNS TABLE (id bigint, way text, parts bigint, missing bigint, value numeric, difference numeric, status text) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  w crm.target;
  way text;
  n record;
  last numeric;
  counts CONSTANT text[] := '{insured,tier,insured_by_role,new_customers,moved_in}';
  span integer;
BEGIN
  FOR w IN SELECT t.* FROM crm.target t WHERE t.purpose <> 'benchmark' LOOP
    span := CASE w.grain WHEN 'year' THEN 12 WHEN 'quarter' THEN 3 ELSE 1 END;
    FOREACH way IN ARRAY '{unit,channel,kind,tier,role,month,quarter}'::text[] LOOP
      last := NULL;
      IF way = 'unit' THEN
        CONTINUE WHEN w.code = 'moved_in';
        SELECT b.numbers AS v, b.missing AS m INTO n FROM pg_temp.below(w, w.org_id) b;
      ELSIF way = 'channel' THEN
        CONTINUE WHEN w.channel_id IS NOT NULL;
        SELECT coalesce(array_agg(t.value), '{}') AS v, (SELECT count(*) FROM crm.channel) - count(*) AS m INTO n FROM crm.target t WHERE t.org_id = w.org_id AND t.channel_id IS NOT NULL AND pg_temp.cell(t) - 'channel_id' = pg_temp.cell(w) - 'channel_id';
      ELSIF way = 'kind' THEN
        CONTINUE WHEN w.kind IS NOT NULL;
        SELECT coalesce(array_agg(t.value), '{}') AS v, 2 - count(*) AS m INTO n FROM crm.target t WHERE t.org_id = w.org_id AND t.kind IS NOT NULL AND pg_temp.cell(t) - 'kind' = pg_temp.cell(w) - 'kind';
      ELSIF way IN ('tier', 'role') THEN
        CONTINUE WHEN w.code <> 'insured';
        SELECT coalesce(array_agg(t.value), '{}') AS v, CASE way WHEN 'tier' THEN 5 ELSE 2 END - count(*) AS m INTO n FROM crm.target t
        WHERE t.org_id = w.org_id AND t.code = CASE way WHEN 'tier' THEN 'tier' ELSE 'insured_by_role' END AND t.class <> 'none' AND pg_temp.cell(t) - '{code,class}'::text[] = pg_temp.cell(w) - '{code,class}'::text[];
      ELSE
        CONTINUE WHEN w.code IN ('moved_in', 'repeat_purchase', 'plan_growth') OR NOT (CASE way WHEN 'month' THEN span > 1 ELSE span > 3 END);
        SELECT coalesce(array_agg(t.value), '{}') AS v, span / CASE way WHEN 'month' THEN 1 ELSE 3 END - count(*) AS m INTO n FROM crm.target t
        WHERE t.org_id = w.org_id AND t.grain = way AND date_trunc(w.grain, t.period_start) = w.period_start AND pg_temp.cell(t) - '{grain,period_start}'::text[] = pg_temp.cell(w) - '{grain,period_start}'::text[];
        IF w.code <> 'new_customers' THEN
          SELECT t.value INTO last FROM crm.target t WHERE t.org_id = w.org_id AND t.grain = way AND pg_temp.cell(t) - '{grain,period_start}'::text[] = pg_temp.cell(w) - '{grain,period_start}'::text[]
            AND t.period_start + make_interval(months => CASE way WHEN 'month' THEN 1 ELSE 3 END) = w.period_start + make_interval(months => span);
          id := w.id; way := way; parts := cardinality(n.v); missing := n.m; value := last; difference := last - w.value;
          status := CASE WHEN last IS NULL THEN 'incomplete' WHEN last > w.value THEN 'over' WHEN last < w.value THEN 'under' ELSE 'agrees' END;
          CONTINUE WHEN parts = 0;
          by_hand.way := way;
          RETURN NEXT;
          CONTINUE;
        END IF;
      END IF;
      CONTINUE WHEN n.v = '{}';
      id := w.id; by_hand.way := way; parts := cardinality(n.v); missing := n.m;
      IF w.code = ANY (counts) THEN
        SELECT sum(x) INTO value FROM unnest(n.v) x;
        difference := value - w.value;
        status := CASE WHEN difference > 0 THEN 'over' WHEN n.m > 0 THEN 'incomplete' WHEN difference < 0 THEN 'under' ELSE 'agrees' END;
      ELSE
        value := NULL;
        SELECT CASE WHEN w.value < min(x) THEN min(x) - w.value WHEN w.value > max(x) THEN max(x) - w.value ELSE 0 END INTO difference FROM unnest(n.v) x;
        status := CASE WHEN n.m > 0 THEN 'incomplete' WHEN difference > 0 THEN 'over' WHEN difference < 0 THEN 'under' ELSE 'agrees' END;
      END IF;
      RETURN NEXT;
    END LOOP;
  END LOOP;
END
$$;
SELECT setseed(0.27);
INSERT INTO crm.target (org_id, channel_id, code, class, kind, grain, period_start, value, purpose)
SELECT o.id, c.c, k.code, k.class, d.kind, p.grain, p.start, CASE WHEN k.rate THEN round((0.01 * ceil(6 * random()))::numeric, 2) ELSE ceil(3 * random()) * CASE o.level WHEN 0 THEN 4 WHEN 1 THEN 2 ELSE 1 END END, k.purpose
FROM crm.organisation o CROSS JOIN unnest('{NULL,1,2}'::bigint[]) c (c) CROSS JOIN unnest('{NULL,person,company}'::text[]) d (kind)
CROSS JOIN (VALUES ('year', '2016-01-01'::date), ('quarter', '2016-01-01'), ('quarter', '2016-10-01'), ('month', '2016-01-01'), ('month', '2016-03-01'), ('month', '2016-12-01')) p (grain, start)
CROSS JOIN (VALUES ('insured', NULL, false, 'target'), ('insured', NULL, false, 'base'), ('tier', 'lead', false, 'target'), ('tier', 'gold', false, 'target'), ('tier', 'iron', false, 'target'), ('tier', 'ungraded', false, 'target'), ('tier', 'platinum', false, 'target'), ('tier', 'none', false, 'target'),
  ('insured_by_role', 'policyholder', false, 'target'), ('insured_by_role', 'insured', false, 'target'), ('new_customers', NULL, false, 'target'), ('moved_in', NULL, false, 'target'), ('repeat_purchase', NULL, true, 'target'), ('plan_growth', NULL, true, 'target'),
  ('premium_per_customer', NULL, true, 'target')) k (code, class, rate, purpose)
WHERE random() < CASE WHEN o.id % 3 = 0 AND k.code <> 'moved_in' THEN 0.05 WHEN c.c IS NULL AND d.kind IS NULL THEN 0.7 ELSE 0.05 END;
SELECT pg_temp.same('SELECT target_id, split_by, parts, parts_missing, parts_value, difference, status FROM crm_bi.target_sum', 'SELECT id, way, parts, missing, value, difference, status FROM pg_temp.by_hand()', 'every split of a plan at random is that of a walk through the units');
SELECT results_eq('SELECT DISTINCT split_by, rule FROM crm_bi.target_sum ORDER BY 1, 2', $$VALUES ('channel', 'mean'), ('channel', 'sum'), ('kind', 'mean'), ('kind', 'sum'), ('month', 'last'), ('month', 'sum'), ('quarter', 'last'), ('quarter', 'sum'), ('role', 'sum'), ('tier', 'sum'), ('unit', 'mean'), ('unit', 'sum')$$, 'each way and rule occurs');
SELECT ok(count(DISTINCT status) = 4 AND count(*) > 500 AND count(DISTINCT target_sum_key) = count(*), 'and each status') FROM crm_bi.target_sum;
SELECT is_empty($$SELECT * FROM crm_bi.target_sum WHERE purpose = 'base' AND code <> 'insured'$$, 'bases with bases');
DELETE FROM crm.target;
SELECT is_empty('SELECT * FROM crm_bi.target_sum', 'nothing without targets');
INSERT INTO crm.target (org_id, code, grain, period_start, value, purpose, label) VALUES (1, 'insured', 'year', '2016-01-01', 5, 'benchmark', 'x'), (2, 'insured', 'year', '2016-01-01', 5, 'benchmark', 'x');
INSERT INTO crm.target (org_id, code, grain, period_start, value) VALUES (1, 'insured', 'year', '2016-01-01', 5), (2, 'insured', 'year', '2017-01-01', 5), (1, 'new_customers', 'month', '2015-12-01', 5), (1, 'new_customers', 'year', '2016-01-01', 5), (1, 'new_customers', 'month', '2017-01-01', 5);
SELECT is_empty('SELECT * FROM crm_bi.target_sum', 'nor of benchmarks, other years or a single one');

-- bad rows -----------------------------------------------------------------------------------------

SELECT pg_temp.load('x1,1,,insured,,people,2018,5
x2,1,,insured,,Person,2018,5
x3,1,,insured,,,2018,5,,,,a,improve
x4,1,,insured,,,2018,5%%
x5,nowhere,,insured,,person,2018,5
x6,1,,activity,,person,2018,5
x7,1,,insured,active,,2018,5
x8,1,,activity,asleep,,2018,5
x9,1,,reachable_share,,,2018,101%
x10,1,,insured,,,201O,5
ok1,1,,insured,,person,2018,5,,,, VIP ,complete
x11,1,,insured,,person,2018,6
ok2,1,,insured,,company,2018,6');
CALL crm.import('planning') \gset
SELECT results_eq('SELECT source_key, column_name, code FROM crm.import_reject j JOIN crm.import_reason r USING (batch_id, kind, row_no) WHERE kind = ''target'' ORDER BY row_no',
  $$VALUES ('x1', 'kind', '22P02'), ('x2', 'kind', '22P02'), ('x3', 'aim', '22P02'), ('x4', 'value', '22P02'), ('x5', 'org_code', '23503'), ('x6', 'class', '23514'), ('x7', 'class', '23514'), ('x8', 'class', '23503'), ('x9', 'value', '22003'), ('x10', 'period_start', '22007'), ('x11', 'source_key', '23505')$$,
  'each bad line comes back with its column and reason');
SELECT results_eq('SELECT k.source_key, t.kind, t.segment, t.aim FROM crm.target t JOIN crm.target_key k ON k.target_id = t.id WHERE k.source_key ~ ''^ok'' ORDER BY 1', $$VALUES ('ok1', 'person', 'VIP', 'complete'), ('ok2', 'company', NULL, NULL)$$, 'the good ones are in');
SELECT pg_temp.refused(format('INSERT INTO crm.target (org_id, code, grain, period_start, value, kind, segment, aim) VALUES (1, ''vip_customers'', ''year'', ''2018-01-01'', 5, %s)', v.row), v.code, v.words, v.row) FROM (VALUES
  ('''persons'', NULL, NULL', '23514', 'kind'), ('NULL, '' '', NULL', '23514', 'segment'), ('NULL, NULL, ''both''', '23514', 'aim')) v (row, code, words);
SELECT pg_temp.refused('INSERT INTO crm.target (org_id, code, kind, grain, period_start, value) VALUES (1, ''insured'', ''person'', ''year'', ''2018-01-01'', 7)', '23505', 'target_cell_key', 'a cell of a kind has one target');

CREATE ROLE crm_test_analyst; CREATE ROLE crm_test_manager; CREATE ROLE crm_test_nobody;
CALL crm.grant_duty('analyst', 'crm_test_analyst'); CALL crm.grant_duty('manager', 'crm_test_manager');
SELECT results_eq($$SELECT pg_temp.by_login(r, s) COLLATE "default" FROM unnest('{crm_test_analyst,crm_test_manager,crm_test_nobody}'::name[]) WITH ORDINALITY u (r, n),
    unnest(ARRAY['SELECT count(*) = 0 FROM crm_bi.target_sum', 'INSERT INTO crm.target (org_id, code, kind, grain, period_start, value, segment, aim) VALUES (1, ''insured'', ''person'', ''month'', ''2030-01-01'', 5, ''all'', ''develop'') RETURNING aim']) WITH ORDINALITY v (s, m) ORDER BY n, m$$,
  $$VALUES ('true'), ('42501'), ('42501'), ('develop'), ('42501'), ('42501')$$, 'analysts read, managers set, nobody else');
SELECT is_empty('SELECT * FROM crm.check()', 'all is well');
SELECT * FROM finish();
ROLLBACK;
