-- allocate: the optimum of a plan: all customers and all units of all channels in one problem, within floors and capacities

CREATE FUNCTION crm._refuse_floors(plan crm.plan, units text[], asked numeric, had numeric) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RAISE EXCEPTION 'floors of plan "%" cannot be met', plan.name
    USING ERRCODE = 'object_not_in_prerequisite_state',
          DETAIL = format('They ask for %s customers in all, and %s can be had together: %s.', asked, had, array_to_string(units[1:10], '; ') || CASE WHEN cardinality(units) > 10 THEN format('; and %s more', cardinality(units) - 10) ELSE '' END),
          HINT = 'Lower them with crm.set_plan_limit(), or give these units more: room of their staff, or customers that a proposal of the channel asks for.';
END
$$;
COMMENT ON FUNCTION crm._refuse_floors(crm.plan, text[], numeric, numeric) IS 'Raises 55000 with the units whose floors cannot be met, and how far they can.';
REVOKE ALL ON FUNCTION crm._refuse_floors(crm.plan, text[], numeric, numeric) FROM PUBLIC;

CREATE FUNCTION crm._plan_seats(plan crm.plan) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off AS $$
#variable_conflict use_column
DECLARE
  fault record;
BEGIN
  PERFORM crm._plan_supply(plan);
  CREATE TEMPORARY TABLE crm_plan_seat ON COMMIT DROP AS
  WITH load AS (
    SELECT x.channel_id, x.org_id, min(x.load) AS least, max(x.load) AS most
    FROM pg_temp.crm_plan_load x WHERE x.kind IN (SELECT w.kind FROM pg_temp.crm_plan_work w) GROUP BY x.channel_id, x.org_id),
  staff AS (
    SELECT x.channel_id, x.org_id, sum(greatest(x.room, 0) / nullif(l.most, 0))::bigint AS places
    FROM pg_temp.crm_plan_staff x JOIN load l ON l.channel_id = x.channel_id AND l.org_id = x.org_id GROUP BY x.channel_id, x.org_id),
  taken AS (
    SELECT w.channel_id, w.org_id, count(*) AS taken FROM pg_temp.crm_plan_work w WHERE w.org_id IS NOT NULL GROUP BY w.channel_id, w.org_id)
  SELECT row_number() OVER (ORDER BY u.channel_id, u.org_id) AS holder_id, u.channel_id, u.org_id, greatest(u.room, 0) AS room, l.least, l.most, l.least < l.most AS uneven,
         CASE WHEN l.most = 0 THEN 1000000000 ELSE least(greatest(u.room, 0) / l.most, CASE plan.level WHEN 'staff' THEN s.places END) END AS places,
         coalesce(t.taken, 0) AS taken, coalesce(v.volume, f.floor, 0) AS floor, coalesce(v.volume, c.capacity) AS capacity, v.volume IS NOT NULL AS by_hand
  FROM pg_temp.crm_plan_unit u
  JOIN load l ON l.channel_id = u.channel_id AND l.org_id = u.org_id
  JOIN staff s ON s.channel_id = u.channel_id AND s.org_id = u.org_id
  LEFT JOIN taken t ON t.channel_id = u.channel_id AND t.org_id = u.org_id
  LEFT JOIN LATERAL (SELECT a.volume FROM crm.plan_adjustment a WHERE a.plan_id = plan.id AND a.kind = 'volume' AND a.channel_id = u.channel_id AND a.org_id = u.org_id) v ON true
  LEFT JOIN LATERAL (SELECT x.floor FROM crm.plan_limit x JOIN crm.organisation_tree t ON t.ancestor_id = x.org_id AND t.descendant_id = u.org_id
                     WHERE x.plan_id = plan.id AND x.channel_id = u.channel_id AND x.floor IS NOT NULL ORDER BY t.depth LIMIT 1) f ON true
  LEFT JOIN LATERAL (SELECT x.capacity FROM crm.plan_limit x JOIN crm.organisation_tree t ON t.ancestor_id = x.org_id AND t.descendant_id = u.org_id
                     WHERE x.plan_id = plan.id AND x.channel_id = u.channel_id AND x.capacity IS NOT NULL ORDER BY t.depth LIMIT 1) c ON true;
  -- where customers count differently, a floor that would not fit with the heaviest is for those with whom it does
  UPDATE pg_temp.crm_plan_seat s SET most = f.load, places = f.places
  FROM (SELECT DISTINCT ON (x.holder_id) x.holder_id, l.load, p.places
        FROM pg_temp.crm_plan_seat x
        JOIN pg_temp.crm_plan_load l ON l.channel_id = x.channel_id AND l.org_id = x.org_id AND l.load <= x.most AND l.load >= x.least
        CROSS JOIN LATERAL (
          SELECT CASE WHEN l.load = 0 THEN 1000000000 ELSE least(x.room / l.load, CASE plan.level WHEN 'staff' THEN sum(greatest(y.room, 0) / nullif(l.load, 0)) END)::bigint END AS places
          FROM pg_temp.crm_plan_staff y WHERE y.channel_id = x.channel_id AND y.org_id = x.org_id) p
        WHERE x.uneven AND x.floor - x.taken > x.places
        ORDER BY x.holder_id, p.places >= x.floor - x.taken DESC, CASE WHEN p.places >= x.floor - x.taken THEN - l.load ELSE l.load END) f
  WHERE s.holder_id = f.holder_id;
  ANALYZE pg_temp.crm_plan_seat;

  SELECT o.code AS unit, h.code AS channel, s.floor, s.capacity INTO fault
  FROM pg_temp.crm_plan_seat s JOIN crm.organisation o ON o.id = s.org_id JOIN crm.channel h ON h.id = s.channel_id WHERE s.floor > s.capacity ORDER BY s.holder_id LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'unit "%" has floor % above its capacity % in channel "%"', fault.unit, fault.floor, fault.capacity, fault.channel
      USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = 'Limits set further up hold where nothing nearer is said.', HINT = 'Set both for the unit itself with crm.set_plan_limit().';
  END IF;
  SELECT o.code AS unit, h.code AS channel, x.floor INTO fault
  FROM crm.plan_limit x JOIN crm.organisation o ON o.id = x.org_id JOIN crm.channel h ON h.id = x.channel_id
  WHERE x.plan_id = plan.id AND x.floor > 0
    AND NOT EXISTS (SELECT FROM pg_temp.crm_plan_seat s JOIN crm.organisation_tree t ON t.ancestor_id = x.org_id AND t.descendant_id = s.org_id WHERE s.channel_id = x.channel_id)
  ORDER BY x.channel_id, x.org_id LIMIT 1;
  IF FOUND THEN
    PERFORM crm._refuse_floors(plan, ARRAY[format('unit "%s" has nobody of channel "%s" who could take customers', fault.unit, fault.channel)], fault.floor, 0);
  END IF;
END
$$;
COMMENT ON FUNCTION crm._plan_seats(crm.plan) IS 'The units of all channels, what they have room for, what they have been given by hand, and their limits. Errors: 55000.';
REVOKE ALL ON FUNCTION crm._plan_seats(crm.plan) FROM PUBLIC;

-- Worth of a pair: that of the customer to the proposal, a tenth more for each match, two tenths for the unit of an earlier servicer, a tenth less for each level
-- up from home to what it has in common with the unit. Beyond some million pairs a customer is offered to the nearest units, and to some of the others in turn.
CREATE FUNCTION crm._plan_edges(plan crm.plan) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off AS $$
#variable_conflict use_column
DECLARE
  customers CONSTANT bigint := (SELECT count(*) FROM pg_temp.crm_plan_may m);
  units bigint;
  near bigint;
  turns bigint;
BEGIN
  CREATE TEMPORARY TABLE crm_plan_place ON COMMIT DROP AS
  SELECT row_number() OVER () AS place, y.channel_id, y.home, y.within
  FROM (SELECT DISTINCT m.channel_id, w.home, m.within FROM pg_temp.crm_plan_may m JOIN pg_temp.crm_plan_work w ON w.customer_id = m.customer_id) y;
  CREATE TEMPORARY TABLE crm_plan_near ON COMMIT DROP AS
  SELECT y.place, s.holder_id, (0.9 ^ d.depth)::double precision AS factor, row_number() OVER (PARTITION BY y.place ORDER BY d.depth, s.org_id) AS n
  FROM pg_temp.crm_plan_place y
  JOIN pg_temp.crm_plan_seat s ON s.channel_id = y.channel_id
  JOIN (SELECT h.descendant_id AS home, u.descendant_id AS org_id, min(h.depth) AS depth
        FROM (SELECT DISTINCT x.home FROM pg_temp.crm_plan_place x) x
        JOIN crm.organisation_tree h ON h.descendant_id = x.home
        JOIN crm.organisation_tree u ON u.ancestor_id = h.ancestor_id
        WHERE u.descendant_id IN (SELECT z.org_id FROM pg_temp.crm_plan_seat z) GROUP BY 1, 2) d ON d.home = y.home AND d.org_id = s.org_id
  WHERE y.within IS NULL OR EXISTS (SELECT FROM crm.organisation_tree t WHERE t.ancestor_id = y.within AND t.descendant_id = s.org_id);
  units := (SELECT coalesce(max(n.n), 0) FROM pg_temp.crm_plan_near n);
  near := CASE WHEN customers * units <= 6000000 THEN units ELSE greatest(3000000 / customers, 10) END;
  turns := greatest(units / greatest(near, 1), 1);
  -- each customer has one of the lists of units of the place
  CREATE TEMPORARY TABLE crm_plan_offer ON COMMIT DROP AS
  SELECT n.place * turns + i AS list, n.holder_id, n.factor
  FROM pg_temp.crm_plan_near n CROSS JOIN LATERAL generate_series(CASE WHEN n.n > near THEN n.n % turns ELSE 0 END, CASE WHEN n.n > near THEN n.n % turns ELSE turns - 1 END) i;
  ANALYZE pg_temp.crm_plan_offer;

  -- who suits whom: kinds of what a customer asks for that somebody of the unit, or the outlet of the community, gives
  CREATE TEMPORARY TABLE crm_plan_taste ON COMMIT DROP AS
  SELECT x.customer_id, dense_rank() OVER (ORDER BY x.asks, w.community_org) AS taste, x.asks, w.community_org
  FROM (SELECT t.customer_id, array_agg(t.kind || ' ' || t.value ORDER BY t.kind) AS asks FROM pg_temp.crm_plan_trait t GROUP BY t.customer_id) x
  JOIN pg_temp.crm_plan_work w ON w.customer_id = x.customer_id;
  CREATE TEMPORARY TABLE crm_plan_liking ON COMMIT DROP AS
  SELECT y.taste, y.holder_id, count(DISTINCT y.kind) AS matches
  FROM (SELECT t.taste, s.holder_id, k.kind
        FROM (SELECT DISTINCT x.taste, x.asks FROM pg_temp.crm_plan_taste x) t
        CROSS JOIN LATERAL unnest(t.asks) a(ask)
        JOIN (SELECT DISTINCT p.channel_id, p.org_id, z.kind, z.kind || ' ' || z.value AS ask FROM crm.staff_skill z JOIN pg_temp.crm_plan_staff p ON p.staff_id = z.staff_id) k ON k.ask = a.ask
        JOIN pg_temp.crm_plan_seat s ON s.channel_id = k.channel_id AND s.org_id = k.org_id
        UNION ALL
        SELECT t.taste, s.holder_id, 'community' FROM (SELECT DISTINCT x.taste, x.community_org FROM pg_temp.crm_plan_taste x) t JOIN pg_temp.crm_plan_seat s ON s.org_id = t.community_org) y
  GROUP BY y.taste, y.holder_id;
  ANALYZE pg_temp.crm_plan_liking;
  CREATE TEMPORARY TABLE crm_plan_server ON COMMIT DROP AS
  SELECT DISTINCT m.customer_id, s.holder_id
  FROM pg_temp.crm_plan_may m
  JOIN crm.policy p ON p.customer_id = m.customer_id
  JOIN pg_temp.crm_plan_staff f ON f.staff_id = p.servicer_id AND f.channel_id = m.channel_id
  JOIN pg_temp.crm_plan_seat s ON s.channel_id = f.channel_id AND s.org_id = f.org_id
  WHERE NOT EXISTS (SELECT FROM pg_temp.crm_plan_bar b WHERE b.customer_id = m.customer_id AND b.staff_id = f.staff_id);
  ANALYZE pg_temp.crm_plan_server;

  -- what a customer counts matters where those of a unit count differently
  CREATE TEMPORARY TABLE crm_plan_weight ON COMMIT DROP AS
  SELECT s.holder_id, l.kind, CASE WHEN s.capacity IS NULL THEN l.load ELSE greatest(l.load, 1) END AS load
  FROM pg_temp.crm_plan_seat s JOIN pg_temp.crm_plan_load l ON l.channel_id = s.channel_id AND l.org_id = s.org_id WHERE s.uneven;
  CREATE TEMPORARY TABLE crm_plan_guest ON COMMIT DROP AS
  SELECT m.customer_id, y.place * turns + m.customer_id % turns AS list, w.kind, t.taste, m.value
  FROM pg_temp.crm_plan_may m
  JOIN pg_temp.crm_plan_work w ON w.customer_id = m.customer_id
  JOIN pg_temp.crm_plan_place y ON y.channel_id = m.channel_id AND y.home = w.home AND y.within IS NOT DISTINCT FROM m.within
  LEFT JOIN pg_temp.crm_plan_taste t ON t.customer_id = m.customer_id;
  ANALYZE pg_temp.crm_plan_guest;
  CREATE TEMPORARY TABLE crm_plan_edge ON COMMIT DROP AS
  SELECT g.customer_id, o.holder_id, g.value * o.factor * (1 + (coalesce(x.matches, 0) + CASE WHEN v.customer_id IS NULL THEN 0 ELSE 2 END)::double precision / 10) AS benefit, coalesce(z.load, 1) AS load
  FROM pg_temp.crm_plan_guest g
  JOIN pg_temp.crm_plan_offer o ON o.list = g.list
  LEFT JOIN pg_temp.crm_plan_weight z ON z.holder_id = o.holder_id AND z.kind = g.kind
  LEFT JOIN pg_temp.crm_plan_liking x ON x.taste = g.taste AND x.holder_id = o.holder_id
  LEFT JOIN pg_temp.crm_plan_server v ON v.customer_id = g.customer_id AND v.holder_id = o.holder_id;
  DELETE FROM pg_temp.crm_plan_edge e USING pg_temp.crm_plan_shut z, pg_temp.crm_plan_seat s
  WHERE e.customer_id = z.customer_id AND e.holder_id = s.holder_id AND s.channel_id = z.channel_id AND s.org_id = z.org_id;
  DROP TABLE pg_temp.crm_plan_place, pg_temp.crm_plan_near, pg_temp.crm_plan_offer, pg_temp.crm_plan_taste, pg_temp.crm_plan_liking, pg_temp.crm_plan_server, pg_temp.crm_plan_weight, pg_temp.crm_plan_guest;
END
$$;
COMMENT ON FUNCTION crm._plan_edges(crm.plan) IS 'Which unit may get whom, what that is worth, and what the customer counts there.';
REVOKE ALL ON FUNCTION crm._plan_edges(crm.plan) FROM PUBLIC;

-- Of the places that floors take, which can be had together: volumes by hand get what there is, other floors are refused.
CREATE FUNCTION crm._plan_reach(plan crm.plan) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off AS $$
#variable_conflict use_column
DECLARE
  got CONSTANT crm.assignment := crm.solve_assignment(
    'SELECT e.customer_id, e.holder_id, CASE WHEN s.by_hand THEN 0 ELSE 1 END AS benefit FROM pg_temp.crm_plan_edge e JOIN pg_temp.crm_plan_seat s ON s.holder_id = e.holder_id AND (e.load <= s.most OR NOT s.uneven) WHERE s.floor > s.taken',
    'SELECT s.holder_id, least(s.floor - s.taken, s.places) AS capacity FROM pg_temp.crm_plan_seat s WHERE s.floor > s.taken');
  units text[];
BEGIN
  SELECT array_agg(format('unit "%s" of channel "%s" gets %s of %s', o.code, h.code, s.taken + g.customers, s.floor) ORDER BY s.holder_id) INTO units
  FROM crm.assigned_holders(got) g JOIN pg_temp.crm_plan_seat s ON s.holder_id = g.holder_id JOIN crm.organisation o ON o.id = s.org_id JOIN crm.channel h ON h.id = s.channel_id
  WHERE NOT s.by_hand AND s.taken + g.customers < s.floor;
  IF units IS NOT NULL THEN
    PERFORM crm._refuse_floors(plan, units, sum(s.floor), sum(least(s.floor, s.taken + g.customers)))
    FROM crm.assigned_holders(got) g JOIN pg_temp.crm_plan_seat s ON s.holder_id = g.holder_id WHERE NOT s.by_hand;
  END IF;
  UPDATE pg_temp.crm_plan_seat s SET floor = s.taken + g.customers FROM crm.assigned_holders(got) g WHERE s.holder_id = g.holder_id AND s.by_hand;
END
$$;
COMMENT ON FUNCTION crm._plan_reach(crm.plan) IS 'Which floors can be met together; those of volumes by hand are lowered to what there is. Errors: 55000 a floor that cannot be met.';
REVOKE ALL ON FUNCTION crm._plan_reach(crm.plan) FROM PUBLIC;

CREATE FUNCTION crm._plan_meet(plan crm.plan, edges text, loads boolean) RETURNS crm.assignment
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  rooms CONSTANT text := format($q$
    SELECT s.holder_id, CASE WHEN s.uneven AND %1$L THEN least(s.room, least(s.capacity - s.taken, s.room) * greatest(s.least, 1)) ELSE least(s.places, s.capacity - s.taken) END AS capacity %2$s
    FROM (SELECT x.holder_id, x.uneven, x.room, x.least, x.places, x.taken, CASE WHEN x.capacity IS NOT NULL THEN greatest(x.capacity, x.taken) END AS capacity, x.floor FROM pg_temp.crm_plan_seat x) s
    UNION ALL SELECT 0, 1000000000 %3$s$q$, loads, CASE WHEN NOT loads THEN ', greatest(s.floor - s.taken, 0) AS floor' END, CASE WHEN NOT loads THEN ', 0' END);
  -- where customers count differently, rounds by size alone
  rounds CONSTANT bigint := greatest(20, least(300, 200000000 / greatest((SELECT count(*) FROM pg_temp.crm_plan_edge e), 1)));
BEGIN
  BEGIN
    RETURN crm.solve_assignment(edges, rooms, 'max', NULL, rounds);
  EXCEPTION WHEN invalid_parameter_value THEN
    PERFORM crm._plan_reach(plan);
  END;
  RETURN crm.solve_assignment(edges, rooms, 'max', NULL, rounds);
END
$$;
COMMENT ON FUNCTION crm._plan_meet(crm.plan, text, boolean) IS 'Solves for the customers of a query: by loads without floors, or with floors and room for whatever they count. Errors: 55000 a floor that cannot be met.';
REVOKE ALL ON FUNCTION crm._plan_meet(crm.plan, text, boolean) FROM PUBLIC;

CREATE FUNCTION crm._plan_goes(solved crm.assignment) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off AS $$
#variable_conflict use_column
BEGIN
  CREATE TEMPORARY TABLE crm_plan_gone ON COMMIT DROP AS
  SELECT a.customer_id, s.holder_id, s.channel_id, s.org_id FROM crm.assigned(solved) a JOIN pg_temp.crm_plan_seat s ON s.holder_id = a.holder_id;
  ANALYZE pg_temp.crm_plan_gone;
  UPDATE pg_temp.crm_plan_work w SET channel_id = g.channel_id, org_id = g.org_id, proposal_id = m.proposal_id
  FROM pg_temp.crm_plan_gone g JOIN pg_temp.crm_plan_may m ON m.customer_id = g.customer_id AND m.channel_id = g.channel_id
  WHERE w.customer_id = g.customer_id;
  UPDATE pg_temp.crm_plan_seat s SET room = greatest(s.room - n.load, 0), places = greatest(s.places - n.customers, 0), taken = s.taken + n.customers
  FROM (SELECT g.holder_id, count(*) AS customers, sum(l.load)::bigint AS load
        FROM pg_temp.crm_plan_gone g
        JOIN pg_temp.crm_plan_work w ON w.customer_id = g.customer_id
        JOIN pg_temp.crm_plan_load l ON l.channel_id = g.channel_id AND l.org_id = g.org_id AND l.kind = w.kind
        GROUP BY g.holder_id) n WHERE s.holder_id = n.holder_id;
  DROP TABLE pg_temp.crm_plan_gone;
END
$$;
COMMENT ON FUNCTION crm._plan_goes(crm.assignment) IS 'Gives units whom an assignment gives them, and takes off their room what these count.';
REVOKE ALL ON FUNCTION crm._plan_goes(crm.assignment) FROM PUBLIC;

CREATE FUNCTION crm._plan_optimum(plan crm.plan) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off AS $$
#variable_conflict use_column
DECLARE
  uneven CONSTANT boolean := EXISTS (SELECT FROM pg_temp.crm_plan_seat s WHERE s.uneven);
  edges CONSTANT text := 'SELECT e.customer_id, e.holder_id, e.benefit FROM pg_temp.crm_plan_edge e'
    || CASE WHEN uneven THEN ' JOIN pg_temp.crm_plan_seat s ON s.holder_id = e.holder_id AND (e.load <= s.most OR NOT s.uneven)' ELSE '' END || ' UNION ALL SELECT w.customer_id, 0, 0 FROM pg_temp.crm_plan_work w WHERE w.org_id IS NULL';
  weighted CONSTANT text := 'SELECT e.customer_id, e.holder_id, e.benefit, e.load FROM pg_temp.crm_plan_edge e UNION ALL SELECT w.customer_id, 0, 0, 1 FROM pg_temp.crm_plan_work w WHERE w.org_id IS NULL';
  solved crm.assignment;
  floored crm.assignment;
  worth double precision;
BEGIN
  PERFORM crm._plan_edges(plan);
  -- pinned to a channel: before all others
  IF EXISTS (SELECT FROM pg_temp.crm_plan_work w WHERE w.why = 'pin' AND w.org_id IS NULL) THEN
    PERFORM crm._plan_goes(crm.solve_assignment(
      'SELECT e.customer_id, e.holder_id, e.benefit, e.load FROM pg_temp.crm_plan_edge e JOIN pg_temp.crm_plan_work w ON w.customer_id = e.customer_id WHERE w.why = ''pin''',
      'SELECT s.holder_id, CASE WHEN s.uneven THEN s.room ELSE s.places END AS capacity FROM pg_temp.crm_plan_seat s', 'max', NULL, 300));
    DELETE FROM pg_temp.crm_plan_edge e USING pg_temp.crm_plan_work w WHERE w.customer_id = e.customer_id AND w.why = 'pin';
  END IF;
  ANALYZE pg_temp.crm_plan_edge;

  solved := crm._plan_meet(plan, CASE WHEN uneven THEN weighted ELSE edges END, uneven);
  worth := solved.total;
  CREATE TEMPORARY TABLE crm_plan_cost ON COMMIT DROP AS
  SELECT s.holder_id, s.taken, s.taken + s.places AS places, s.room, coalesce(h.place_price, 0) AS place_price, coalesce(h.floor_price, 0) AS floor_price
  FROM pg_temp.crm_plan_seat s LEFT JOIN crm.assigned_holders(solved) h ON h.holder_id = s.holder_id;
  IF uneven AND EXISTS (SELECT FROM pg_temp.crm_plan_seat s LEFT JOIN crm.assigned_holders(solved) h ON h.holder_id = s.holder_id WHERE s.taken + coalesce(h.customers, 0) < s.floor) THEN
    -- floors with customers who count differently: first as if each counted the most that fits, then the others by what they count
    floored := crm._plan_meet(plan, edges, false);
    UPDATE pg_temp.crm_plan_cost c SET floor_price = h.floor_price FROM crm.assigned_holders(floored) h WHERE h.holder_id = c.holder_id;
    PERFORM crm._plan_goes(floored);
    worth := floored.total;
    DELETE FROM pg_temp.crm_plan_edge e USING pg_temp.crm_plan_work w WHERE w.customer_id = e.customer_id AND w.org_id IS NOT NULL;
    floored := crm._plan_meet(plan, weighted, true);
    PERFORM crm._plan_goes(floored);
    worth := worth + floored.total;
  ELSE
    PERFORM crm._plan_goes(solved);
  END IF;
  DELETE FROM pg_temp.crm_plan_work w WHERE w.org_id IS NULL;
  ANALYZE pg_temp.crm_plan_work;
  PERFORM crm._plan_servicers(plan);
  UPDATE pg_temp.crm_plan_work w
  SET why = CASE WHEN s.by_hand THEN 'volume' WHEN w.org_id = w.home THEN 'home' WHEN w.org_id = w.community_org THEN 'community' ELSE 'near' END
  FROM pg_temp.crm_plan_seat s WHERE w.why IS NULL AND s.channel_id = w.channel_id AND s.org_id = w.org_id;

  INSERT INTO pg_temp.crm_plan_price (kind, channel_id, org_id, value, in_load, price, is_exact)
  SELECT CASE WHEN s.by_hand THEN 'volume' WHEN s.capacity < c.places THEN 'capacity' ELSE 'room' END, s.channel_id, s.org_id,
         CASE WHEN s.capacity < c.places OR s.by_hand THEN s.capacity WHEN s.uneven THEN c.room ELSE c.places END, s.uneven AND s.capacity IS NULL,
         CASE WHEN s.by_hand AND c.floor_price > 0 THEN - c.floor_price ELSE c.place_price END, NOT uneven
  FROM pg_temp.crm_plan_seat s JOIN pg_temp.crm_plan_cost c ON c.holder_id = s.holder_id
  WHERE s.by_hand OR s.capacity IS NOT NULL OR c.places < 1000000000
  UNION ALL
  SELECT 'floor', s.channel_id, s.org_id, s.floor, false, c.floor_price, NOT uneven
  FROM pg_temp.crm_plan_seat s JOIN pg_temp.crm_plan_cost c ON c.holder_id = s.holder_id WHERE s.floor > 0 AND NOT s.by_hand;
  INSERT INTO pg_temp.crm_plan_solved (worth, bound, is_proven) VALUES (worth, solved.bound, solved.is_proven AND worth >= solved.total);
  DROP TABLE pg_temp.crm_plan_seat, pg_temp.crm_plan_may, pg_temp.crm_plan_edge, pg_temp.crm_plan_cost, pg_temp.crm_plan_unit, pg_temp.crm_plan_shut;
END
$$;
COMMENT ON FUNCTION crm._plan_optimum(crm.plan) IS
  'Step 5 of the optimum: the units of all channels get, within floors and capacities, those whom their proposals may have, for the most that they are worth together. Errors: 55000 a floor that cannot be met.';
REVOKE ALL ON FUNCTION crm._plan_optimum(crm.plan) FROM PUBLIC;

CREATE FUNCTION crm._keep_prices(plan crm.plan) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off AS $$
#variable_conflict use_column
DECLARE
  units text[];
  asked numeric;
  had numeric;
BEGIN
  DELETE FROM crm.plan_price x WHERE x.plan_id = plan.id;
  INSERT INTO crm.plan_price (plan_id, id, kind, channel_id, org_id, proposal_id, value, used, price, is_exact)
  SELECT plan.id, row_number() OVER (ORDER BY x.channel_id, x.org_id NULLS FIRST, x.proposal_id NULLS LAST, x.kind), x.kind, x.channel_id, x.org_id, x.proposal_id, x.value, u.used,
         -- a proposal that got less than it asks for has places to spare
         CASE WHEN x.kind = 'proposal' AND u.used < x.value THEN 0 ELSE round(x.price::numeric, 6) END, x.is_exact
  FROM pg_temp.crm_plan_price x
  LEFT JOIN (SELECT w.proposal_id, count(*) AS n FROM pg_temp.crm_plan_work w GROUP BY w.proposal_id) p ON p.proposal_id = x.proposal_id
  LEFT JOIN (SELECT w.channel_id, w.org_id, count(*) AS n, sum(l.load)::bigint AS load
             FROM pg_temp.crm_plan_work w LEFT JOIN pg_temp.crm_plan_load l ON l.channel_id = w.channel_id AND l.org_id = w.org_id AND l.kind = w.kind
             GROUP BY w.channel_id, w.org_id) g ON x.kind <> 'proposal' AND g.channel_id = x.channel_id AND g.org_id = x.org_id
  CROSS JOIN LATERAL (SELECT coalesce(CASE WHEN x.kind = 'proposal' THEN p.n WHEN x.in_load THEN g.load ELSE g.n END, 0) AS used) u;
  SELECT array_agg(format('unit "%s" of channel "%s" gets %s of %s', o.code, h.code, x.used, x.value) ORDER BY x.id), sum(x.value), sum(x.used) INTO units, asked, had
  FROM crm.plan_price x JOIN crm.organisation o ON o.id = x.org_id JOIN crm.channel h ON h.id = x.channel_id WHERE x.plan_id = plan.id AND x.kind = 'floor' AND x.used < x.value;
  IF units IS NOT NULL THEN
    PERFORM crm._refuse_floors(plan, units, asked, had);
  END IF;
  UPDATE crm.plan p SET worth = round(s.worth::numeric, 6), worth_bound = round(s.bound::numeric, 6), is_proven = s.is_proven
  FROM (SELECT max(x.worth) AS worth, max(x.bound) AS bound, bool_and(x.is_proven) AS is_proven FROM pg_temp.crm_plan_solved x) s WHERE p.id = plan.id;
END
$$;
COMMENT ON FUNCTION crm._keep_prices(crm.plan) IS 'Step 8: limits and prices take the place of those before. Errors: 55000 staff cannot take whom a floor gives their unit.';
REVOKE ALL ON FUNCTION crm._keep_prices(crm.plan) FROM PUBLIC;
