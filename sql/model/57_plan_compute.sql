-- allocate: the computation of a plan: who could be had, by which channel, in which unit, by whom

-- The steps hand each other tables of the session, which the first makes and the last drops:
-- crm_plan_work (customers to be had, one row each, filled step by step), crm_plan_match (who is in the segment of which proposal),
-- crm_plan_rate (what a proposal may expect of a class), crm_plan_staff (who may take how much more), crm_plan_bar (pairs that must not meet),
-- crm_plan_load (what a customer of a kind counts in a unit; tiers that count the same everywhere are one kind, 1 the heaviest),
-- crm_plan_trait (what customers ask of staff), crm_plan_affinity (who suits whom), crm_plan_price and crm_plan_solved (limits, what they cost, what the optimum is worth).
-- A step drops those that no other one uses.
CREATE FUNCTION crm._plan_tables() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  CREATE TEMPORARY TABLE crm_plan_work (
    customer_id bigint PRIMARY KEY, provider_id bigint, home bigint, coverage text, tier text, kind bigint, proposal_id bigint, channel_id bigint, org_id bigint, staff_id bigint,
    why text, stage integer, community_org bigint, arm text) ON COMMIT DROP;
  CREATE TEMPORARY TABLE crm_plan_match (customer_id bigint, proposal_id bigint, PRIMARY KEY (customer_id, proposal_id)) ON COMMIT DROP;
  CREATE TEMPORARY TABLE crm_plan_proposal (id bigint PRIMARY KEY, version integer, channel_id bigint, org_id bigint, segment crm.condition, volume bigint,
    contacts numeric, purchases numeric, premium numeric, cost numeric, room bigint) ON COMMIT DROP;
  CREATE TEMPORARY TABLE crm_plan_rate (proposal_id bigint, coverage text, tier text, customers bigint, basis text, allocated bigint, contacted bigint, purchased bigint,
    premium numeric, cost numeric, capped_premium numeric, premium_load numeric, days numeric,
    premium_low numeric, premium_high numeric, cost_low numeric, cost_high numeric, days_low numeric, days_high numeric, credibility numeric, prior_contacts numeric, prior_purchases numeric, prior_premium_per_purchase numeric, prior_cost numeric,
    expected_contacts numeric, expected_purchases numeric, expected_premium numeric, expected_cost numeric, PRIMARY KEY (proposal_id, coverage, tier)) ON COMMIT DROP;
  CREATE TEMPORARY TABLE crm_plan_staff (staff_id bigint PRIMARY KEY, channel_id bigint, org_id bigint, stage integer, held bigint, room bigint) ON COMMIT DROP;
  CREATE TEMPORARY TABLE crm_plan_load (channel_id bigint, org_id bigint, kind bigint, load bigint, PRIMARY KEY (channel_id, org_id, kind)) ON COMMIT DROP;
  CREATE TEMPORARY TABLE crm_plan_bar (customer_id bigint, staff_id bigint, PRIMARY KEY (customer_id, staff_id)) ON COMMIT DROP;
  CREATE TEMPORARY TABLE crm_plan_price (kind text, channel_id bigint, org_id bigint, proposal_id bigint, value bigint, in_load boolean NOT NULL DEFAULT false, price double precision, is_exact boolean) ON COMMIT DROP;
  CREATE TEMPORARY TABLE crm_plan_solved (worth double precision, bound double precision, is_proven boolean) ON COMMIT DROP;
END
$$;
COMMENT ON FUNCTION crm._plan_tables() IS 'Makes the tables in which a plan is computed.';
REVOKE ALL ON FUNCTION crm._plan_tables() FROM PUBLIC;

CREATE FUNCTION crm._plan_candidates(plan crm.plan, day date) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan SET jit = off AS $$
#variable_conflict use_column
DECLARE
  p record;
BEGIN
  INSERT INTO pg_temp.crm_plan_work (customer_id, provider_id, home, coverage, tier)
  SELECT i.customer_id, i.provider_id, i.org_id, coalesce(i.coverage, 'none'), i.tier
  FROM crm.inventory(plan.cycle_id, day) i
  WHERE i.conflicts IS NULL
    AND NOT EXISTS (SELECT FROM crm.plan_adjustment a
                    WHERE a.plan_id = plan.id AND a.kind = 'bar' AND a.customer_id = i.customer_id AND num_nulls(a.channel_id, a.org_id, a.staff_id) = 3);
  ANALYZE pg_temp.crm_plan_work;
  INSERT INTO pg_temp.crm_plan_proposal (id, version, channel_id, org_id, segment, volume, contacts, purchases, premium, cost)
  SELECT o.id, o.version, o.channel_id, o.org_id, v.segment, v.volume, v.expected_contacts, v.expected_purchases, v.expected_premium, v.expected_cost
  FROM crm.proposal o JOIN crm.proposal_version v ON v.proposal_id = o.id AND v.version = o.version
  WHERE o.cycle_id = plan.cycle_id AND o.state = 'submitted';
  FOR p IN SELECT * FROM pg_temp.crm_plan_proposal x ORDER BY x.id LOOP
    -- a constant, so that the condition becomes plain operators
    EXECUTE format('INSERT INTO pg_temp.crm_plan_match (customer_id, proposal_id)
                    SELECT w.customer_id, %s FROM pg_temp.crm_plan_work w JOIN crm_bi.listed_customer c ON c.customer_id = w.customer_id
                    WHERE crm.matches(%L::crm.condition, c, %L::date)
                      AND (%4$L::bigint IS NULL OR w.home IN (SELECT t.descendant_id FROM crm.organisation_tree t WHERE t.ancestor_id = %4$L::bigint))
                      AND NOT EXISTS (SELECT FROM crm.do_not_contact d
                                      WHERE d.customer_id = w.customer_id AND d.channel_id = %5$s AND d.way = ''any'' AND d.from_date <= %3$L AND (d.to_date IS NULL OR d.to_date > %3$L))
                      AND NOT EXISTS (SELECT FROM crm.plan_adjustment a
                                      WHERE a.plan_id = %6$s AND a.kind = ''bar'' AND a.customer_id = w.customer_id AND a.channel_id = %5$s
                                        AND num_nulls(a.org_id, a.staff_id) = 2)',
                   p.id, p.segment, day, p.org_id, p.channel_id, plan.id);
  END LOOP;
  ANALYZE pg_temp.crm_plan_match;
END
$$;
COMMENT ON FUNCTION crm._plan_candidates(crm.plan, date) IS 'Step 1: the customers free in the inventory, the proposals submitted, and who is in the segment of which.';
REVOKE ALL ON FUNCTION crm._plan_candidates(crm.plan, date) FROM PUBLIC;

CREATE FUNCTION crm._plan_loads(day date) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
  CREATE TEMPORARY TABLE crm_plan_kind ON COMMIT DROP AS
  WITH counted AS MATERIALIZED (
    SELECT l.loads, t.tier, crm.load_of(l.loads::crm.tier_load, t.tier)::bigint AS load
    FROM (SELECT DISTINCT crm._setting_for('tier_load', u.org_id, u.channel_id, day) AS loads
          FROM (SELECT DISTINCT s.channel_id, s.org_id FROM pg_temp.crm_plan_staff s) u) l
    CROSS JOIN (SELECT DISTINCT w.tier FROM pg_temp.crm_plan_work w) t)
  SELECT c.loads, c.tier, c.load, k.kind
  FROM counted c
  JOIN (SELECT x.tier, dense_rank() OVER (ORDER BY max(x.load) DESC, array_agg(x.load ORDER BY x.loads) DESC) AS kind FROM counted x GROUP BY x.tier) k ON k.tier = c.tier;
  INSERT INTO pg_temp.crm_plan_load (channel_id, org_id, kind, load)
  SELECT DISTINCT u.channel_id, u.org_id, k.kind, k.load
  FROM (SELECT DISTINCT s.channel_id, s.org_id, crm._setting_for('tier_load', s.org_id, s.channel_id, day) AS loads FROM pg_temp.crm_plan_staff s) u
  JOIN pg_temp.crm_plan_kind k ON k.loads = u.loads;
  ANALYZE pg_temp.crm_plan_load;
  UPDATE pg_temp.crm_plan_work w SET kind = coalesce(k.kind, 1)
  FROM (SELECT DISTINCT x.tier FROM pg_temp.crm_plan_work x) t
  LEFT JOIN (SELECT DISTINCT x.tier, x.kind FROM pg_temp.crm_plan_kind x) k ON k.tier = t.tier WHERE w.tier = t.tier;
END
$$;
COMMENT ON FUNCTION crm._plan_loads(date) IS 'What customers count in the units of a plan, by kind.';
REVOKE ALL ON FUNCTION crm._plan_loads(date) FROM PUBLIC;

CREATE FUNCTION crm._plan_fit(customers bigint[], staff bigint[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  kinds bigint[];
  holders bigint[];
  rooms bigint[];
  kind_loads bigint[];
BEGIN
  SELECT array_agg(w.kind ORDER BY u.n) INTO kinds
  FROM unnest(_plan_fit.customers) WITH ORDINALITY u(id, n) JOIN pg_temp.crm_plan_work w ON w.customer_id = u.id;
  IF kinds IS NULL THEN
    RETURN;
  END IF;
  SELECT array_agg(s.staff_id ORDER BY s.staff_id), array_agg(s.room ORDER BY s.staff_id) INTO holders, rooms
  FROM pg_temp.crm_plan_staff s WHERE s.staff_id = ANY (_plan_fit.staff);
  SELECT array_agg(l.load ORDER BY s.staff_id, l.kind) INTO kind_loads
  FROM pg_temp.crm_plan_staff s JOIN pg_temp.crm_plan_load l ON l.channel_id = s.channel_id AND l.org_id = s.org_id WHERE s.staff_id = ANY (holders);
  UPDATE pg_temp.crm_plan_work w SET staff_id = f.staff_id, channel_id = s.channel_id, org_id = s.org_id
  FROM unnest(_plan_fit.customers, crm._fit(_plan_fit.customers, kinds, holders, rooms, kind_loads, _plan_fit.customers, _plan_fit.staff)) f(customer_id, staff_id)
  JOIN pg_temp.crm_plan_staff s ON s.staff_id = f.staff_id
  WHERE w.customer_id = f.customer_id;
  PERFORM crm._plan_seated(_plan_fit.customers);
END
$$;
COMMENT ON FUNCTION crm._plan_fit(bigint[], bigint[]) IS 'Gives each customer to the member of staff at the same place, in order, while what it counts fits.';
REVOKE ALL ON FUNCTION crm._plan_fit(bigint[], bigint[]) FROM PUBLIC;

CREATE FUNCTION crm._plan_seated(customers bigint[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  UPDATE pg_temp.crm_plan_staff s SET room = s.room - n.load, held = s.held + n.load
  FROM (SELECT w.staff_id, sum(l.load) AS load
        FROM unnest(customers) u(id) JOIN pg_temp.crm_plan_work w ON w.customer_id = u.id
        JOIN pg_temp.crm_plan_load l ON l.channel_id = w.channel_id AND l.org_id = w.org_id AND l.kind = w.kind
        WHERE w.staff_id IS NOT NULL GROUP BY w.staff_id) n
  WHERE s.staff_id = n.staff_id;
END
$$;
COMMENT ON FUNCTION crm._plan_seated(bigint[]) IS 'Takes what these customers count off the room of those they were given to.';
REVOKE ALL ON FUNCTION crm._plan_seated(bigint[]) FROM PUBLIC;

CREATE FUNCTION crm._plan_rooms(plan crm.plan, day date) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off AS $$
#variable_conflict use_column
DECLARE
  staged CONSTANT boolean := EXISTS (SELECT FROM crm.plan_stage s WHERE s.plan_id = plan.id);
  at CONSTANT timestamptz := crm._business_time(day);
  ids bigint[];
  rooms record;
BEGIN
  CREATE TEMPORARY TABLE crm_plan_result ON COMMIT DROP AS SELECT * FROM crm._holding_result(day);
  ids := ARRAY(
    SELECT s.id FROM crm.staff s
    JOIN crm.cycle y ON y.id = plan.cycle_id
    JOIN crm.organisation_tree t ON t.ancestor_id = y.org_id AND t.descendant_id = s.org_id
    WHERE s.joined_on <= day AND (s.left_on IS NULL OR s.left_on > day)
      AND s.channel_id IN (SELECT p.channel_id FROM pg_temp.crm_plan_proposal p UNION SELECT a.channel_id FROM crm.plan_adjustment a WHERE a.plan_id = plan.id AND a.kind = 'pin')
    ORDER BY s.id);
  rooms := crm._rooms(ids, day);
  INSERT INTO pg_temp.crm_plan_staff (staff_id, channel_id, org_id, stage, held, room)
  SELECT s.id, s.channel_id, s.org_id, g.stage, r.load, greatest(r.room, 0)
  FROM unnest(ids, rooms.loads, rooms.rooms, rooms.away) r(id, load, room, away)
  JOIN crm.staff s ON s.id = r.id
  JOIN crm.organisation o ON o.id = s.org_id
  LEFT JOIN LATERAL (
    SELECT coalesce((SELECT x.stage FROM crm.plan_stage x JOIN crm.organisation_tree u ON u.ancestor_id = ANY (x.org_ids) AND u.descendant_id = s.org_id
                     WHERE x.plan_id = plan.id ORDER BY u.depth, x.stage LIMIT 1),
                    (SELECT min(x.stage) FROM crm.plan_stage x WHERE x.plan_id = plan.id AND x.area = o.area)) AS stage) g ON true
  WHERE NOT r.away AND (NOT staged OR g.stage IS NOT NULL);
  ANALYZE pg_temp.crm_plan_staff;
  UPDATE pg_temp.crm_plan_proposal p
  SET room = (SELECT coalesce(sum(s.room), 0) FROM pg_temp.crm_plan_staff s
              WHERE s.channel_id = p.channel_id
                AND (p.org_id IS NULL OR EXISTS (SELECT FROM crm.organisation_tree t WHERE t.ancestor_id = p.org_id AND t.descendant_id = s.org_id)));
  PERFORM crm._plan_loads(day), crm._plan_traits(day);

  -- earlier holders within their cool-off, and whom somebody barred
  INSERT INTO pg_temp.crm_plan_bar (customer_id, staff_id)
  SELECT h.customer_id, h.staff_id
  FROM pg_temp.crm_plan_work w JOIN crm.holding h ON h.customer_id = w.customer_id
  WHERE h.held_to IS NOT NULL AND h.staff_id IS NOT NULL AND crm._free_again(h.held_to, h.rule) > at
  UNION
  SELECT a.customer_id, s.staff_id
  FROM crm.plan_adjustment a
  JOIN pg_temp.crm_plan_staff s ON (a.staff_id IS NULL OR s.staff_id = a.staff_id) AND (a.channel_id IS NULL OR s.channel_id = a.channel_id)
    AND (a.org_id IS NULL OR EXISTS (SELECT FROM crm.organisation_tree t WHERE t.ancestor_id = a.org_id AND t.descendant_id = s.org_id))
  WHERE a.plan_id = plan.id AND a.kind = 'bar' AND num_nonnulls(a.org_id, a.staff_id) > 0;
  ANALYZE pg_temp.crm_plan_bar;

  PERFORM crm._plan_rates(greatest(crm.setting_value('history_sample', day)::integer, 0));
END
$$;
COMMENT ON FUNCTION crm._plan_rooms(crm.plan, date) IS
  'Step 2: the staff in post, not on leave, in the stages with the room they have, pairs that must not meet, and what each proposal may expect of each class.';
REVOKE ALL ON FUNCTION crm._plan_rooms(crm.plan, date) FROM PUBLIC;

CREATE FUNCTION crm._plan_pins(plan crm.plan) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  customers bigint[];
  staff bigint[];
BEGIN
  UPDATE pg_temp.crm_plan_work w
  SET channel_id = a.channel_id, org_id = a.org_id, why = 'pin',
      proposal_id = (SELECT min(p.id) FROM pg_temp.crm_plan_match m JOIN pg_temp.crm_plan_proposal p ON p.id = m.proposal_id
                     WHERE m.customer_id = w.customer_id AND p.channel_id = a.channel_id)
  FROM (SELECT DISTINCT ON (x.customer_id) x.* FROM crm.plan_adjustment x WHERE x.plan_id = plan.id AND x.kind = 'pin' ORDER BY x.customer_id, x.id DESC) a
  WHERE w.customer_id = a.customer_id;
  SELECT array_agg(p.customer_id ORDER BY w.kind, p.customer_id), array_agg(p.staff_id ORDER BY w.kind, p.customer_id) INTO customers, staff
  FROM (SELECT DISTINCT ON (x.customer_id) x.customer_id, x.staff_id FROM crm.plan_adjustment x WHERE x.plan_id = plan.id AND x.kind = 'pin' ORDER BY x.customer_id, x.id DESC) p
  JOIN pg_temp.crm_plan_work w ON w.customer_id = p.customer_id
  JOIN pg_temp.crm_plan_staff s ON s.staff_id = p.staff_id
  WHERE NOT EXISTS (SELECT FROM pg_temp.crm_plan_bar b WHERE b.customer_id = p.customer_id AND b.staff_id = p.staff_id);
  PERFORM crm._plan_fit(customers, staff);
  -- whom the holder cannot take, nobody gets
  DELETE FROM pg_temp.crm_plan_work w
  USING (SELECT DISTINCT ON (x.customer_id) x.customer_id, x.staff_id FROM crm.plan_adjustment x WHERE x.plan_id = plan.id AND x.kind = 'pin' ORDER BY x.customer_id, x.id DESC) a
  WHERE w.customer_id = a.customer_id AND a.staff_id IS NOT NULL AND w.staff_id IS NULL;
END
$$;
COMMENT ON FUNCTION crm._plan_pins(crm.plan) IS 'Step 3: customers pinned by hand, within the room of their holder, the heaviest first.';
REVOKE ALL ON FUNCTION crm._plan_pins(crm.plan) FROM PUBLIC;

CREATE FUNCTION crm._plan_channels(plan crm.plan) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off AS $$
#variable_conflict use_column
DECLARE
  ids CONSTANT bigint[] := ARRAY(SELECT p.id FROM pg_temp.crm_plan_proposal p ORDER BY p.id);
  channels CONSTANT bigint[] := ARRAY(SELECT p.channel_id FROM pg_temp.crm_plan_proposal p ORDER BY p.id);
  wants bigint[];                          -- by proposal: customers that it may still get
  proposal_rooms bigint[];                 -- and the load that staff where it asks may still take
  channel_keys bigint[];
  rooms bigint[];                          -- by channel: the load that its staff may still take
  cell record;
  places integer[];                        -- places of the proposals of a cell in ids
  caps bigint[];
  loads bigint[];                          -- what one of the cell counts, at least
  weights numeric[];
  seats bigint[];
  n bigint;
  take bigint;
  c integer;
  shares bigint[] := '{}';                 -- cell, proposal, customers: three elements for each share
BEGIN
  wants := ARRAY(SELECT greatest(p.volume - (SELECT count(*) FROM pg_temp.crm_plan_work w WHERE w.proposal_id = p.id), 0) FROM pg_temp.crm_plan_proposal p ORDER BY p.id);
  proposal_rooms := ARRAY(
    SELECT p.room - coalesce((SELECT sum(l.load) FROM pg_temp.crm_plan_work w JOIN pg_temp.crm_plan_load l ON l.channel_id = w.channel_id AND l.org_id = w.org_id AND l.kind = w.kind
                              WHERE w.proposal_id = p.id), 0)
    FROM pg_temp.crm_plan_proposal p ORDER BY p.id);
  SELECT array_agg(s.channel_id ORDER BY s.channel_id), array_agg(s.room - s.pinned ORDER BY s.channel_id) INTO channel_keys, rooms
  FROM (SELECT x.channel_id, sum(x.room)::bigint AS room,
               (SELECT coalesce(sum((SELECT min(l.load) FROM pg_temp.crm_plan_load l
                                     WHERE l.channel_id = w.channel_id AND l.kind = w.kind AND (w.org_id IS NULL OR l.org_id = w.org_id))), 0)::bigint
                FROM pg_temp.crm_plan_work w WHERE w.channel_id = x.channel_id AND w.staff_id IS NULL) AS pinned
        FROM pg_temp.crm_plan_staff x GROUP BY x.channel_id) s;

  -- a cell: customers of one class whom the same proposals want
  CREATE TEMPORARY TABLE crm_plan_cell ON COMMIT DROP AS
  SELECT w.customer_id, w.home, w.coverage, w.tier, w.kind, m.proposals, dense_rank() OVER (ORDER BY cardinality(m.proposals), m.proposals, w.coverage, w.tier) AS cell
  FROM pg_temp.crm_plan_work w
  JOIN (SELECT x.customer_id, array_agg(x.proposal_id ORDER BY x.proposal_id) AS proposals FROM pg_temp.crm_plan_match x GROUP BY x.customer_id) m ON m.customer_id = w.customer_id
  WHERE w.why IS NULL;

  -- whom the fewest want come first
  FOR cell IN SELECT x.cell, x.proposals, x.coverage, x.tier, x.kind, count(*) AS customers FROM pg_temp.crm_plan_cell x GROUP BY x.cell, x.proposals, x.coverage, x.tier, x.kind ORDER BY x.cell LOOP
    n := cell.customers;
    places := ARRAY(SELECT array_position(ids, u.id) FROM unnest(cell.proposals) WITH ORDINALITY u(id, k) ORDER BY u.k);
    loads := ARRAY(SELECT coalesce((SELECT min(l.load) FROM pg_temp.crm_plan_load l WHERE l.channel_id = channels[u.place] AND l.kind = cell.kind), 1)
                   FROM unnest(places) WITH ORDINALITY u(place, k) ORDER BY u.k);
    weights := ARRAY(
      SELECT CASE plan.weighing
               WHEN 'demand' THEN p.volume
               WHEN 'result' THEN p.volume * round(r.expected_premium, 6)
               WHEN 'net' THEN p.volume * greatest(round(r.expected_premium - r.expected_cost, 6), 0)
               ELSE round(r.expected_premium - r.expected_cost, 6) END
      FROM unnest(cell.proposals) WITH ORDINALITY u(id, k)
      JOIN pg_temp.crm_plan_proposal p ON p.id = u.id
      JOIN pg_temp.crm_plan_rate r ON r.proposal_id = u.id AND r.coverage = cell.coverage AND r.tier = cell.tier
      ORDER BY u.k);
    WHILE n > 0 LOOP
      caps := ARRAY(SELECT CASE WHEN r.room < u.load THEN 0 WHEN u.load = 0 THEN wants[u.place] ELSE least(wants[u.place], r.room / u.load) END
                    FROM unnest(places, loads) WITH ORDINALITY u(place, load, k)
                    CROSS JOIN LATERAL (SELECT least(proposal_rooms[u.place], coalesce(rooms[array_position(channel_keys, channels[u.place])], -1)) AS room) r ORDER BY u.k);
      EXIT WHEN 0 >= ALL (caps);
      IF plan.weighing = 'best' THEN
        seats := ARRAY(SELECT CASE WHEN u.k = (SELECT v.k FROM unnest(caps, weights) WITH ORDINALITY v(cap, weight, k) WHERE v.cap > 0 ORDER BY v.weight DESC, v.k LIMIT 1)
                                   THEN n ELSE 0 END
                       FROM unnest(caps) WITH ORDINALITY u(cap, k) ORDER BY u.k);
      ELSE
        seats := crm.apportion(n, ARRAY(
          SELECT CASE WHEN u.cap <= 0 THEN 0 WHEN sum(u.weight) FILTER (WHERE u.cap > 0) OVER () > 0 THEN u.weight ELSE u.cap END::numeric
          FROM unnest(caps, weights) WITH ORDINALITY u(cap, weight, k) ORDER BY u.k));
      END IF;
      FOR i IN 1 .. cardinality(places) LOOP
        c := array_position(channel_keys, channels[places[i]]);
        take := least(seats[i], caps[i], CASE WHEN loads[i] > 0 THEN rooms[c] / loads[i] END);
        CONTINUE WHEN take <= 0;
        wants[places[i]] := wants[places[i]] - take;
        proposal_rooms[places[i]] := proposal_rooms[places[i]] - take * loads[i];
        rooms[c] := rooms[c] - take * loads[i];
        shares := shares || ARRAY[cell.cell, ids[places[i]], take];
        n := n - take;
      END LOOP;
    END LOOP;
  END LOOP;

  -- within a cell every share, and the rest that nobody gets, is spread evenly over the units
  WITH share AS (
    SELECT shares[k] AS cell, shares[k + 1] AS proposal_id, sum(shares[k + 2]) AS n FROM generate_series(1, cardinality(shares), 3) k GROUP BY 1, 2),
  filled AS (
    SELECT s.cell, s.proposal_id, s.n FROM share s
    UNION ALL
    SELECT x.cell, NULL, count(*) - coalesce((SELECT sum(s.n) FROM share s WHERE s.cell = x.cell), 0) FROM pg_temp.crm_plan_cell x GROUP BY x.cell),
  seat AS MATERIALIZED (
    SELECT f.cell, f.proposal_id, row_number() OVER (PARTITION BY f.cell ORDER BY (2 * k - 1) / (2 * f.n), f.proposal_id NULLS LAST) AS place
    FROM filled f CROSS JOIN LATERAL generate_series(1, f.n) k),
  customer AS MATERIALIZED (
    SELECT x.customer_id, x.cell, row_number() OVER (PARTITION BY x.cell ORDER BY x.home, x.customer_id) AS place FROM pg_temp.crm_plan_cell x)
  UPDATE pg_temp.crm_plan_work w SET proposal_id = p.id, channel_id = p.channel_id, why = CASE plan.level WHEN 'channel' THEN 'channel' END, org_id = CASE plan.level WHEN 'channel' THEN p.org_id END
  FROM customer u JOIN seat s ON s.cell = u.cell AND s.place = u.place JOIN pg_temp.crm_plan_proposal p ON p.id = s.proposal_id
  WHERE w.customer_id = u.customer_id;
  DELETE FROM pg_temp.crm_plan_work w WHERE w.channel_id IS NULL;
  ANALYZE pg_temp.crm_plan_work;
  DROP TABLE pg_temp.crm_plan_cell;
END
$$;
COMMENT ON FUNCTION crm._plan_channels(crm.plan) IS
  'Step 4: customers wanted by the same proposals are apportioned among them, within volume and room, by what the plan weighs.';
REVOKE ALL ON FUNCTION crm._plan_channels(crm.plan) FROM PUBLIC;
