-- Plans of strategy optimal: all units of all channels at once, within floors and capacities, and what each limit costs, beside enumeration.
\set ON_ERROR_STOP on
BEGIN;
SELECT no_plan();
\ir include/helpers.sql
SET LOCAL client_min_messages = warning;
CALL crm.generate(customers => 1200, seed => 5, as_of => '2025-12-31', units => ARRAY[2, 3, 4]);
INSERT INTO crm.setting (name, value, valid_from) VALUES ('cycle_consent', 'false', '2020-01-01'), ('holding_quota', '60', '2020-01-01');
-- seven customers at home in four units; five people of two channels who speak this and that
INSERT INTO crm.organisation (id, parent_id, code, name) SELECT 900, id, 'V', 'Valley' FROM crm.organisation WHERE parent_id IS NULL;
INSERT INTO crm.organisation (id, parent_id, code, name) VALUES (901, 900, 'VA', 'A'), (902, 900, 'VB', 'B'), (903, 900, 'VC', 'C');
INSERT INTO crm.organisation (id, parent_id, code, name) VALUES (904, 901, 'VAA', 'AA'), (905, 900, 'VE', 'Empty');
INSERT INTO crm.staff (id, code, name, org_id, channel_id, joined_on)
VALUES (9001, 'V1', 'V1', 901, 1, '2020-01-01'), (9002, 'V2', 'V2', 902, 1, '2020-01-01'), (9003, 'V3', 'V3', 903, 1, '2020-01-01'), (9004, 'V4', 'V4', 902, 4, '2020-01-01'), (9005, 'V5', 'V5', 904, 4, '2020-01-01');
INSERT INTO crm.staff_skill (staff_id, kind, value) VALUES (9001, 'language', 'hakka'), (9004, 'language', 'cantonese'), (9004, 'language', 'hakka'), (9003, 'language', 'cantonese');
INSERT INTO crm.community (code, name, org_id) VALUES ('brook', 'Brook', 903);
INSERT INTO crm.customer (id, kind, name, org_id, source_channel_id, known_from)
SELECT 9000 + i, 'person', 'V' || i, (ARRAY[901, 901, 902, 903, 904, 900, 904])[i], 1, '2024-01-01' FROM generate_series(1, 7) i;
INSERT INTO crm.profile (customer_id, language, community_id)
VALUES (9001, 'hakka', NULL), (9003, 'cantonese', NULL), (9005, 'cantonese', (SELECT id FROM crm.community WHERE code = 'brook')), (9006, NULL, (SELECT id FROM crm.community WHERE code = 'brook'))
ON CONFLICT (customer_id) DO UPDATE SET language = excluded.language, community_id = excluded.community_id;
CALL crm.rebuild('2025-12-31', NULL);
SET LOCAL crm.as_of = '2025-12-31';
SET LOCAL crm.posting = 'commit';
SELECT crm.open_cycle('valley', 900, '2026-01-01', '2026-12-31') AS cycle \gset
SELECT results_eq(format($$SELECT outcome, count(*) FROM crm.release_to_inventory(%s, 5, ARRAY(SELECT 9000 + i FROM generate_series(1, 7) i)) GROUP BY 1$$, :cycle), $$VALUES ('released', 7::bigint)$$, 'seven are free');
SELECT crm.propose(:cycle, 1, 'visit', 'true', 20, 20, 4, 2000, '2026-06-30', 100) AS visit \gset
SELECT crm.propose(:cycle, 4, 'call', 'true', 20, 20, 4, 2200, '2026-06-30', 20) AS call \gset
SELECT crm.submit_proposal(:visit), crm.submit_proposal(:call) \g /dev/null
SELECT crm.make_plan(:cycle, 'best', weighing => 'net', strategy => 'optimal') AS plan \gset
SELECT is(crm.compute_plan(:plan, '2025-12-31'), 1, 'the optimum without limits');

-- what each pair is worth, from the definition
CREATE TEMP TABLE unit AS SELECT staff_id, channel_id, org_id, row_number() OVER (ORDER BY channel_id, org_id) AS h FROM (SELECT id AS staff_id, channel_id, org_id FROM crm.staff WHERE id BETWEEN 9001 AND 9005) s;
CREATE FUNCTION pg_temp.level_up(home bigint, unit bigint) RETURNS integer LANGUAGE sql AS $$
  SELECT min(h.depth) FROM crm.organisation_tree h JOIN crm.organisation_tree u USING (ancestor_id) WHERE h.descendant_id = home AND u.descendant_id = unit
$$;
CREATE TEMP TABLE pair AS
SELECT c.id AS customer_id, u.h, CASE u.channel_id WHEN 1 THEN (2000 - 100) / 20.0 ELSE (2200 - 20) / 20.0 END * 0.9 ^ pg_temp.level_up(c.org_id, u.org_id)
       * (1 + 0.1 * ((SELECT count(*) FROM crm.staff_skill k WHERE k.staff_id = u.staff_id AND k.kind = 'language' AND k.value = p.language)
                     + (SELECT count(*) FROM crm.community m WHERE m.id = p.community_id AND m.org_id = u.org_id))) AS worth
FROM crm.customer c LEFT JOIN crm.profile p ON p.customer_id = c.id CROSS JOIN unit u WHERE c.id BETWEEN 9001 AND 9007;
-- every way to give seven customers to five units or nobody: how many each unit gets, and the most that is worth
CREATE TEMP TABLE way (n integer[] PRIMARY KEY, worth numeric);
INSERT INTO way VALUES ('{0,0,0,0,0}', 0);
DO $$
BEGIN
  FOR c IN 9001 .. 9007 LOOP
    CREATE TEMP TABLE further ON COMMIT DROP AS
    SELECT ARRAY(SELECT w.n[i] + (i = x.h)::integer FROM generate_series(1, 5) i) AS n, max(w.worth + x.worth) AS worth
    FROM way w CROSS JOIN (SELECT p.h, p.worth FROM pair p WHERE p.customer_id = c UNION ALL SELECT 0, 0) x GROUP BY 1;
    TRUNCATE way;
    INSERT INTO way SELECT * FROM further;
    DROP TABLE further;
  END LOOP;
END
$$;
SELECT is((SELECT count(*) FROM way), 792::bigint, 'all ways to fill five units');
CREATE FUNCTION pg_temp.optimum(floors integer[], capacities integer[]) RETURNS numeric LANGUAGE sql AS $$
  SELECT max(w.worth) FROM way w WHERE NOT EXISTS (SELECT FROM generate_series(1, 5) i WHERE w.n[i] < floors[i] OR w.n[i] > capacities[i])
$$;
CREATE FUNCTION pg_temp.near(a numeric, b numeric) RETURNS boolean LANGUAGE sql AS 'SELECT abs(a - b) < 0.0001';
SELECT ok(pg_temp.near(worth, pg_temp.optimum('{0,0,0,0,0}', '{60,60,60,60,60}')) AND is_proven AND pg_temp.near(worth, worth_bound), 'worth as much as the best of them') FROM crm_bi.plan WHERE plan_id = :plan;
CREATE FUNCTION pg_temp.worth_of(plan bigint) RETURNS numeric LANGUAGE sql AS $$
  SELECT coalesce(sum(p.worth), 0) FROM crm_bi.plan_customer c JOIN crm.channel k ON k.code = c.channel JOIN unit u ON u.channel_id = k.id AND u.org_id = c.org_id
  JOIN pair p ON p.customer_id = c.customer_id AND p.h = u.h WHERE c.plan_id = plan AND c.why <> 'pin'
$$;
SELECT ok(pg_temp.near(worth, pg_temp.worth_of(:plan)), 'which is what its customers are worth where they go') FROM crm_bi.plan WHERE plan_id = :plan;

-- limits by chance: the optimum within them, each price the change of the optimum by one, refused when there is no way
CREATE FUNCTION pg_temp.trial(plan bigint, seed double precision) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  floors integer[];
  capacities integer[];
  best numeric;
  got record;
  wrong text;
BEGIN
  PERFORM setseed(seed);
  SELECT array_agg(f ORDER BY h), array_agg(greatest(f, c) ORDER BY h) INTO floors, capacities
  FROM (SELECT h, CASE WHEN random() < 0.5 THEN (random() * 4)::integer ELSE 0 END AS f, CASE WHEN random() < 0.6 THEN (random() * 4)::integer ELSE 60 END AS c FROM unit ORDER BY h) x;
  PERFORM crm.set_plan_limit(plan, u.channel_id, u.org_id, nullif(floors[u.h], 0), CASE WHEN capacities[u.h] < 60 THEN capacities[u.h] WHEN floors[u.h] = 0 THEN 60 END) FROM unit u;
  best := pg_temp.optimum(floors, capacities);
  SELECT * INTO got FROM pg_temp.told(format('SELECT crm.compute_plan(%s, ''2025-12-31'')', plan));
  IF best IS NULL THEN
    RETURN CASE WHEN got.code = '55000' AND got.message ~ 'floors of plan .* cannot be met' AND got.detail ~ format('^They ask for %s customers in all, and 7 can be had', (SELECT sum(f) FROM unnest(floors) f)) THEN 'refused'
                ELSE format('%s %s: %s %s', floors, capacities, got.message, got.detail) END;
  ELSIF got.code <> '00000' OR NOT pg_temp.near(best, (SELECT worth FROM crm.plan p WHERE p.id = plan)) OR NOT pg_temp.near(best, pg_temp.worth_of(plan)) THEN
    RETURN format('%s %s: %s, not %s: %s', floors, capacities, (SELECT worth FROM crm.plan p WHERE p.id = plan), best, got.message);
  END IF;
  SELECT string_agg(format('%s of %s: %s', l.kind, u.h, l.price), ', ') INTO wrong
  FROM crm.plan_price l JOIN unit u ON u.channel_id = l.channel_id AND u.org_id = l.org_id
  WHERE l.plan_id = plan AND NOT (l.is_exact AND l.value = CASE l.kind WHEN 'floor' THEN floors[u.h] ELSE capacities[u.h] END
    AND pg_temp.near(l.price, CASE l.kind WHEN 'floor' THEN pg_temp.optimum(ARRAY(SELECT floors[i] - (i = u.h)::integer FROM generate_series(1, 5) i), capacities)
                                   ELSE pg_temp.optimum(floors, ARRAY(SELECT capacities[i] + (i = u.h)::integer FROM generate_series(1, 5) i)) END - best));
  RETURN coalesce(format('%s %s: ', floors, capacities) || wrong,
                  CASE WHEN (SELECT count(*) FROM crm.plan_price l WHERE l.plan_id = plan AND l.proposal_id IS NULL) <> 5 + (SELECT count(*) FROM unnest(floors) f WHERE f > 0) THEN 'limits are missing'
                       WHEN EXISTS (SELECT FROM crm.plan_price l WHERE l.plan_id = plan AND l.kind = 'floor' AND l.price > 0) THEN 'floor costs' ELSE 'met' END);
END
$$;
CREATE TEMP TABLE trial AS SELECT i, pg_temp.trial(:plan, i / 40.0) AS came FROM generate_series(1, 30) i;
SELECT is_empty($$SELECT * FROM trial WHERE came NOT IN ('refused', 'met', 'floor costs')$$, 'the optimum and the price of each limit, as by enumeration');
SELECT results_eq('SELECT DISTINCT came FROM trial ORDER BY 1', $$VALUES ('floor costs'), ('met'), ('refused')$$, 'of each sort some');
SELECT * FROM finish();
ROLLBACK;
