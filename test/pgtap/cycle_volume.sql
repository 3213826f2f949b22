-- Plans of strategy optimal whose proposals ask for fewer than there are: who is taken and where is one problem, beside enumeration of all choices; ties, and floors that no choice meets.
\set ON_ERROR_STOP on
BEGIN;
SELECT no_plan();
\ir include/helpers.sql
SET LOCAL client_min_messages = warning;
\ir include/valley.sql
SELECT crm.propose(:cycle, 4, 'call the near', 'true', 20, 20, 4, 2600, '2026-06-30', 20, 901) AS beside \gset
SELECT crm.make_plan(:cycle, 'net', weighing => 'net', strategy => 'optimal', level => 'unit') AS net \gset
SELECT crm.make_plan(:cycle, 'demand', weighing => 'demand', strategy => 'optimal', level => 'unit') AS demand \gset

-- every way to give seven customers to nobody, to one of five units, or (6) to the last of them by a second proposal of its channel, for customers at home in its branch:
-- how many go where, and the most that is worth, by net result and by demand, where far more are worth the same
CREATE TEMP TABLE choice AS
SELECT k.weighing, p.customer_id, v.slot, p.worth / CASE WHEN p.h <= 3 THEN 95 ELSE 109 END * CASE k.weighing WHEN 'demand' THEN 1 ELSE v.value END AS worth
FROM pair p CROSS JOIN (VALUES ('net'), ('demand')) k (weighing)
JOIN (VALUES (1, 1, 95), (2, 2, 95), (3, 3, 95), (4, 4, 109), (5, 5, 109), (6, 5, 129)) v (slot, h, value) ON v.h = p.h AND (v.slot < 6 OR p.customer_id IN (9001, 9002, 9005, 9007));
CREATE TEMP TABLE way (weighing text, n integer[], worth numeric, PRIMARY KEY (weighing, n));
INSERT INTO way VALUES ('net', '{0,0,0,0,0,0}', 0), ('demand', '{0,0,0,0,0,0}', 0);
DO $$
BEGIN
  FOR c IN 9001 .. 9007 LOOP
    CREATE TEMP TABLE further ON COMMIT DROP AS
    SELECT w.weighing, ARRAY(SELECT w.n[i] + (i = x.slot)::integer FROM generate_series(1, 6) i) AS n, max(w.worth + x.worth) AS worth
    FROM way w JOIN (SELECT p.weighing, p.slot, p.worth FROM choice p WHERE p.customer_id = c UNION ALL VALUES ('net', 0, 0), ('demand', 0, 0)) x ON x.weighing = w.weighing GROUP BY 1, 2;
    TRUNCATE way;
    INSERT INTO way SELECT * FROM further;
    DROP TABLE further;
  END LOOP;
END
$$;
-- volumes: of the visit, the call, and the call of the near, NULL where it is not submitted
CREATE FUNCTION pg_temp.optimum(weighing text, floors integer[], capacities integer[], volumes integer[]) RETURNS numeric LANGUAGE sql AS $$
  SELECT max(w.worth) FROM way w
  WHERE w.weighing = optimum.weighing AND w.n[1] >= floors[1] AND w.n[2] >= floors[2] AND w.n[3] >= floors[3] AND w.n[4] >= floors[4] AND w.n[5] + w.n[6] >= floors[5]
    AND w.n[1] <= capacities[1] AND w.n[2] <= capacities[2] AND w.n[3] <= capacities[3] AND w.n[4] <= capacities[4] AND w.n[5] + w.n[6] <= capacities[5]
    AND w.n[1] + w.n[2] + w.n[3] <= volumes[1] AND w.n[4] + w.n[5] <= volumes[2] AND w.n[6] <= coalesce(volumes[3], 0)
$$;
CREATE FUNCTION pg_temp.most_floors(floors integer[], capacities integer[], volumes integer[]) RETURNS bigint LANGUAGE sql AS $$
  SELECT max((SELECT sum(least(floors[i], w.n[i] + CASE i WHEN 5 THEN w.n[6] ELSE 0 END)) FROM generate_series(1, 5) i)) FROM way w
  WHERE w.weighing = 'net' AND w.n[1] <= capacities[1] AND w.n[2] <= capacities[2] AND w.n[3] <= capacities[3] AND w.n[4] <= capacities[4] AND w.n[5] + w.n[6] <= capacities[5]
    AND w.n[1] + w.n[2] + w.n[3] <= volumes[1] AND w.n[4] + w.n[5] <= volumes[2] AND w.n[6] <= coalesce(volumes[3], 0)
$$;
CREATE FUNCTION pg_temp.ask(proposal bigint, volume integer, premium integer, cost integer) RETURNS void LANGUAGE sql AS $$
  SELECT crm.revise_proposal(proposal, p.version, volume => volume, expected_contacts => volume, expected_purchases => 1, expected_premium => volume * premium, expected_cost => volume * cost)
  FROM crm.proposal p WHERE p.id = proposal;
  SELECT crm.submit_proposal(proposal);
$$;
CREATE FUNCTION pg_temp.trial(seed integer, plan bigint, weighing text, visit bigint, call bigint, beside bigint, crowded boolean) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  floors integer[];
  capacities integer[];
  volumes integer[];
  best numeric;
  got record;
  came record;
  wrong text;
BEGIN
  PERFORM setseed(seed / 500.0);
  SELECT array_agg(f ORDER BY h), array_agg(greatest(f, c) ORDER BY h) INTO floors, capacities
  FROM (SELECT h, CASE WHEN random() < 0.35 THEN (random() * 3)::integer ELSE 0 END AS f, CASE WHEN random() < 0.5 THEN (random() * 3)::integer ELSE 60 END AS c FROM unit ORDER BY h) x;
  volumes := ARRAY[1 + (random() * 4)::integer, 1 + (random() * 3)::integer, CASE WHEN crowded THEN 1 + (random() * 2)::integer END];
  PERFORM pg_temp.ask(visit, volumes[1], 100, 5), pg_temp.ask(call, volumes[2], 110, 1);
  IF crowded THEN
    PERFORM pg_temp.ask(beside, volumes[3], 130, 1);
  END IF;
  PERFORM crm.set_plan_limit(plan, u.channel_id, u.org_id, nullif(floors[u.h], 0), CASE WHEN capacities[u.h] < 60 THEN capacities[u.h] WHEN floors[u.h] = 0 THEN 60 END) FROM unit u;
  best := pg_temp.optimum(weighing, floors, capacities, volumes);
  SELECT * INTO got FROM pg_temp.told(format('SELECT crm.compute_plan(%s, ''2025-12-31'')', plan));
  SELECT * INTO came FROM crm.plan p WHERE p.id = plan;
  SELECT string_agg(format('%s of %s: %s', l.kind, coalesce(u.h, l.proposal_id), l.price), ', ') INTO wrong
  FROM crm.plan_price l LEFT JOIN unit u ON u.channel_id = l.channel_id AND u.org_id = l.org_id AND l.proposal_id IS NULL
  WHERE l.plan_id = plan AND NOT crowded AND NOT (l.is_exact AND pg_temp.near(l.price, pg_temp.optimum(weighing,
    ARRAY(SELECT floors[i] - (l.kind = 'floor' AND i = u.h)::integer FROM generate_series(1, 5) i),
    ARRAY(SELECT capacities[i] + (l.kind IN ('capacity', 'room') AND i = u.h)::integer FROM generate_series(1, 5) i),
    ARRAY(SELECT volumes[i] + (coalesce(l.proposal_id, 0) = CASE i WHEN 1 THEN visit ELSE call END)::integer FROM generate_series(1, 2) i)) - best));
  RAISE EXCEPTION USING ERRCODE = 'XX999', MESSAGE = format('%s, ', CASE
    WHEN best IS NULL AND got.code = '55000' AND got.message ~ 'floors of plan .* cannot be met'
      AND (crowded OR got.detail ~ format('^They ask for %s customers in all, and %s can be had', (SELECT sum(f) FROM unnest(floors) f), pg_temp.most_floors(floors, capacities, volumes))) THEN 'refused'
    WHEN best IS NULL THEN format('%s %s %s: %s %s, and %s can be had', floors, capacities, volumes, got.message, got.detail, pg_temp.most_floors(floors, capacities, volumes))
    WHEN got.code <> '00000' OR came.worth > best + 0.0001 OR came.worth_bound < best - 0.0001 OR came.is_proven AND NOT pg_temp.near(came.worth, best) OR NOT crowded AND NOT came.is_proven
      THEN format('%s %s %s: %s to %s, not %s: %s %s', floors, capacities, volumes, came.worth, came.worth_bound, best, got.message, got.detail)
    WHEN EXISTS (SELECT FROM crm_bi.plan_proposal x WHERE x.plan_id = plan AND x.planned > x.volume) THEN 'more than asked for'
    WHEN NOT pg_temp.near(came.worth, (SELECT coalesce(sum(c.worth), 0) FROM crm.plan_customer x JOIN crm.plan_line l ON l.plan_id = x.plan_id AND l.line = x.line
      JOIN unit u ON u.channel_id = l.channel_id AND u.org_id = l.org_id JOIN choice c ON c.weighing = trial.weighing AND c.customer_id = x.customer_id AND c.slot = CASE l.proposal_id WHEN beside THEN 6 ELSE u.h END
      WHERE x.plan_id = plan)) THEN 'the worth is not that of its customers'
    WHEN wrong IS NOT NULL THEN format('%s %s %s: %s', floors, capacities, volumes, wrong)
    WHEN came.is_proven THEN 'proven' WHEN pg_temp.near(came.worth, best) THEN 'the best' ELSE 'bounded' END) || round(coalesce(came.worth / nullif(best, 0), 1), 2);
EXCEPTION WHEN SQLSTATE 'XX999' THEN
  RETURN SQLERRM;
END
$$;
CREATE TEMP TABLE trial AS
SELECT i, split_part(t, ', ', 1) AS came, t FROM generate_series(1, 120) i
CROSS JOIN LATERAL pg_temp.trial(i, CASE WHEN i % 2 = 0 THEN :net ELSE :demand END, CASE WHEN i % 2 = 0 THEN 'net' ELSE 'demand' END, :visit, :call, :beside, false) t;
SELECT is_empty($$SELECT i, t FROM trial WHERE came NOT IN ('refused', 'proven')$$, 'with volumes that bind: the optimum, proven, each price as by enumeration, and refused what no choice of customers meets, with how far any can');
SELECT ok(count(*) FILTER (WHERE came = 'refused') > 15 AND count(*) FILTER (WHERE came = 'proven') > 60, 'of each sort many') FROM trial;
-- two proposals of a channel that share a unit: the bound holds, what is called proven is the best, most are; no floor is refused that some choice meets
CREATE TEMP TABLE crowded AS
SELECT i, split_part(t, ', ', 1) AS came, t FROM generate_series(31, 80) i
CROSS JOIN LATERAL pg_temp.trial(i, CASE WHEN i % 2 = 0 THEN :net ELSE :demand END, CASE WHEN i % 2 = 0 THEN 'net' ELSE 'demand' END, :visit, :call, :beside, true) t;
SELECT is_empty($$SELECT i, t FROM crowded WHERE came NOT IN ('refused', 'proven', 'the best', 'bounded')$$, 'with proposals that share units: within volumes, floors and capacities, beside a bound that holds');
SELECT ok(count(*) FILTER (WHERE came = 'refused') > 5 AND count(*) FILTER (WHERE came = 'proven') >= 0.9 * count(*) FILTER (WHERE came <> 'refused'), 'nearly all of them proven') FROM crowded;
SELECT is_empty('SELECT * FROM crm.check()', 'all is well');
SELECT * FROM finish();
ROLLBACK;
