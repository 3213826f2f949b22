-- allocate: the optimum of a plan: all customers and all units of all channels in one problem, within floors and capacities

-- Each with the proposal by which it is worth the most there.
CREATE FUNCTION crm._plan_gone(solved crm.assignment) RETURNS TABLE (customer_id bigint, holder_id bigint, proposal_id bigint, benefit double precision)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET jit = off AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
  SELECT DISTINCT ON (e.customer_id) e.customer_id, e.holder_id, nullif(e.proposal_id, 0), e.benefit
  FROM crm.assigned(solved) a
  JOIN pg_temp.crm_plan_edge e ON e.customer_id = a.customer_id AND e.holder_id = a.holder_id
  LEFT JOIN pg_temp.crm_plan_ask x ON x.proposal_id = e.proposal_id
  ORDER BY e.customer_id, e.benefit - coalesce(x.price, 0) DESC, e.proposal_id;
END
$$;
COMMENT ON FUNCTION crm._plan_gone(crm.assignment) IS 'Whom an assignment gives which unit, and by which proposal.';
REVOKE ALL ON FUNCTION crm._plan_gone(crm.assignment) FROM PUBLIC;

CREATE FUNCTION crm._plan_goes(solved crm.assignment) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off AS $$
#variable_conflict use_column
BEGIN
  CREATE TEMPORARY TABLE crm_plan_gone ON COMMIT DROP AS
  SELECT g.customer_id, g.proposal_id, s.holder_id, s.channel_id, s.org_id FROM crm._plan_gone(solved) g JOIN pg_temp.crm_plan_seat s ON s.holder_id = g.holder_id;
  ANALYZE pg_temp.crm_plan_gone;
  UPDATE pg_temp.crm_plan_work w SET channel_id = g.channel_id, org_id = g.org_id, proposal_id = g.proposal_id
  FROM pg_temp.crm_plan_gone g WHERE w.customer_id = g.customer_id;
  UPDATE pg_temp.crm_plan_ask a SET wants = a.wants - n.customers
  FROM (SELECT g.proposal_id, count(*) AS customers FROM pg_temp.crm_plan_gone g JOIN pg_temp.crm_plan_work w ON w.customer_id = g.customer_id WHERE w.why IS NULL GROUP BY g.proposal_id) n
  WHERE a.proposal_id = n.proposal_id;
  UPDATE pg_temp.crm_plan_seat s SET room = greatest(s.room - n.load, 0), places = greatest(s.places - n.customers, 0), taken = s.taken + n.customers
  FROM (SELECT g.holder_id, count(*) AS customers, sum(l.load)::bigint AS load
        FROM pg_temp.crm_plan_gone g
        JOIN pg_temp.crm_plan_work w ON w.customer_id = g.customer_id
        JOIN pg_temp.crm_plan_load l ON l.channel_id = g.channel_id AND l.org_id = g.org_id AND l.kind = w.kind
        GROUP BY g.holder_id) n WHERE s.holder_id = n.holder_id;
  DELETE FROM pg_temp.crm_plan_edge e USING pg_temp.crm_plan_gone g WHERE g.customer_id = e.customer_id;
  DROP TABLE pg_temp.crm_plan_gone;
END
$$;
COMMENT ON FUNCTION crm._plan_goes(crm.assignment) IS 'Gives units whom an assignment gives them, and takes off their room what these count, off what proposals ask for how many they are.';
REVOKE ALL ON FUNCTION crm._plan_goes(crm.assignment) FROM PUBLIC;

-- One proposal in a crowd may ask for fewer than it would get. A price on what it asks for, the same for all its customers, leaves a bound: no choice is worth more than the best
-- at those prices and what they bring. Prices follow what is too much and too little.
CREATE FUNCTION crm._plan_prices(plan crm.plan, INOUT solved crm.assignment, INOUT bound double precision, OUT is_kept boolean)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off AS $$
#variable_conflict use_column
DECLARE
  rounds CONSTANT integer := greatest(4, least(40, 2000000 / greatest((SELECT count(*) FROM pg_temp.crm_plan_edge e), 1)));
  best double precision := 'Infinity';
  found crm.assignment;
  step double precision := 1;
  length double precision;
  worth double precision;
BEGIN
  FOR i IN 1 .. rounds LOOP
    IF i > 1 THEN
      solved := crm._plan_meet(plan, false, true);
    END IF;
    CREATE TEMPORARY TABLE crm_plan_got ON COMMIT DROP AS
    SELECT a.proposal_id, a.wants, count(g.customer_id) AS got, coalesce(sum(g.benefit), 0) AS worth
    FROM pg_temp.crm_plan_ask a LEFT JOIN crm._plan_gone(solved) g ON g.proposal_id = a.proposal_id GROUP BY a.proposal_id, a.wants;
    bound := solved.bound + (SELECT coalesce(sum(a.price * a.wants), 0) FROM pg_temp.crm_plan_ask a);
    SELECT bool_and(x.got <= x.wants), sum(x.worth), sum((x.got - x.wants) * (x.got - x.wants)) FILTER (WHERE x.got > x.wants OR a.price > 0) INTO is_kept, worth, length
    FROM pg_temp.crm_plan_got x JOIN pg_temp.crm_plan_ask a ON a.proposal_id = x.proposal_id;
    IF bound < best THEN
      best := bound;
      found := solved;
      UPDATE pg_temp.crm_plan_ask a SET best_price = a.price;
    ELSE
      step := step / 2;
    END IF;
    EXIT WHEN is_kept AND worth >= bound - 1e-9 * abs(bound) OR coalesce(length, 0) = 0 OR i = rounds;
    -- a twentieth of the bound at first, which is more than the gap
    UPDATE pg_temp.crm_plan_ask a SET price = greatest(a.price + step * 0.05 * abs(best) * (x.got - x.wants) / length, 0)
    FROM pg_temp.crm_plan_got x WHERE x.proposal_id = a.proposal_id AND (x.got > x.wants OR a.price > 0);
    DROP TABLE pg_temp.crm_plan_got;
  END LOOP;
  DROP TABLE pg_temp.crm_plan_got;
  bound := best;
  IF NOT (is_kept AND worth >= bound - 1e-9 * abs(bound)) THEN
    is_kept := false;
    solved := found;
    UPDATE pg_temp.crm_plan_ask a SET price = a.best_price;
  END IF;
END
$$;
COMMENT ON FUNCTION crm._plan_prices(crm.plan, crm.assignment, double precision) IS
  'Where proposals share units: prices of what each asks for, the best assignment at them, and the bound that they leave; tells whether that assignment keeps all volumes and reaches the bound.';
REVOKE ALL ON FUNCTION crm._plan_prices(crm.plan, crm.assignment, double precision) FROM PUBLIC;

-- Whom each proposal may have, as many as it asks for: first those that the assignment gives it for floors, then others that it gives it, then who is worth most beside what it does with them.
CREATE FUNCTION crm._plan_restrict(solved crm.assignment) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off AS $$
#variable_conflict use_column
DECLARE
  n bigint;
BEGIN
  CREATE TEMPORARY TABLE crm_plan_base ON COMMIT DROP AS
  SELECT g.customer_id, g.proposal_id, s.channel_id, g.benefit - coalesce(a.price, 0) AS gain,
         row_number() OVER (PARTITION BY g.holder_id ORDER BY g.benefit DESC, g.customer_id) <= s.floor - s.taken AS needed
  FROM crm._plan_gone(solved) g JOIN pg_temp.crm_plan_seat s ON s.holder_id = g.holder_id LEFT JOIN pg_temp.crm_plan_ask a ON a.proposal_id = g.proposal_id;
  ANALYZE pg_temp.crm_plan_base;
  CREATE TEMPORARY TABLE crm_plan_kept ON COMMIT DROP AS
  SELECT y.customer_id, y.proposal_id
  FROM (SELECT x.customer_id, x.proposal_id, row_number() OVER (PARTITION BY x.proposal_id ORDER BY x.needed DESC, x.given DESC, x.gain DESC, hashint8(x.customer_id), x.customer_id) AS place
        FROM (SELECT DISTINCT ON (e.customer_id, s.channel_id) e.customer_id, e.proposal_id, coalesce(b.proposal_id = e.proposal_id, false) AS given,
                     coalesce(b.proposal_id = e.proposal_id AND b.needed, false) AS needed, max(e.benefit - a.price) - coalesce(max(b.gain), 0) AS gain
              FROM pg_temp.crm_plan_edge e
              JOIN pg_temp.crm_plan_seat s ON s.holder_id = e.holder_id
              JOIN pg_temp.crm_plan_ask a ON a.proposal_id = e.proposal_id
              LEFT JOIN pg_temp.crm_plan_base b ON b.customer_id = e.customer_id
              GROUP BY e.customer_id, s.channel_id, e.proposal_id, b.proposal_id, b.needed
              ORDER BY e.customer_id, s.channel_id, coalesce(b.proposal_id = e.proposal_id, false) DESC, max(e.benefit - a.price) DESC, e.proposal_id) x) y
  JOIN pg_temp.crm_plan_ask a ON a.proposal_id = y.proposal_id WHERE y.place <= a.wants;
  CREATE INDEX ON pg_temp.crm_plan_kept (customer_id, proposal_id);
  ANALYZE pg_temp.crm_plan_kept;
  DELETE FROM pg_temp.crm_plan_edge e WHERE NOT EXISTS (SELECT FROM pg_temp.crm_plan_kept k WHERE k.customer_id = e.customer_id AND k.proposal_id = e.proposal_id);
  GET DIAGNOSTICS n = ROW_COUNT;
  UPDATE pg_temp.crm_plan_ask a SET best_price = a.price, price = 0;
  DROP TABLE pg_temp.crm_plan_base, pg_temp.crm_plan_kept;
  RETURN n > 0;
END
$$;
COMMENT ON FUNCTION crm._plan_restrict(crm.assignment) IS 'Leaves each proposal as many customers as it asks for, at best those that an assignment gives it; tells whether any were taken.';
REVOKE ALL ON FUNCTION crm._plan_restrict(crm.assignment) FROM PUBLIC;

CREATE FUNCTION crm._plan_optimum(plan crm.plan) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off AS $$
#variable_conflict use_column
DECLARE
  uneven CONSTANT boolean := EXISTS (SELECT FROM pg_temp.crm_plan_seat s WHERE s.uneven);
  is_whole boolean;
  is_crowded boolean;
  is_kept boolean := true;
  is_cut boolean := false;
  solved crm.assignment;
  floored crm.assignment;
  priced record;
  bound double precision;
  worth double precision;
BEGIN
  PERFORM crm._plan_classes(plan);
  is_whole := crm._plan_edges(plan);
  -- pinned to a channel: before all others
  IF EXISTS (SELECT FROM pg_temp.crm_plan_work w WHERE w.why = 'pin' AND w.org_id IS NULL) THEN
    PERFORM crm._plan_goes(crm.solve_assignment(
      'SELECT e.customer_id, e.holder_id, max(e.benefit) AS benefit, max(e.load) AS load
       FROM pg_temp.crm_plan_edge e JOIN pg_temp.crm_plan_work w ON w.customer_id = e.customer_id WHERE w.why = ''pin'' GROUP BY e.customer_id, e.holder_id',
      'SELECT s.holder_id, CASE WHEN s.uneven THEN s.room ELSE s.places END AS capacity FROM pg_temp.crm_plan_seat s', 'max', NULL, 300));
    DELETE FROM pg_temp.crm_plan_edge e USING pg_temp.crm_plan_work w WHERE w.customer_id = e.customer_id AND w.why = 'pin';
    ANALYZE pg_temp.crm_plan_edge;
  END IF;
  PERFORM crm._plan_crowds();
  is_crowded := EXISTS (SELECT FROM pg_temp.crm_plan_ask a GROUP BY a.crowd HAVING count(*) > 1);

  -- all customers, units, floors and volumes at once; as if each counted the least, so that no plan is worth more
  solved := crm._plan_meet(plan, false, true);
  bound := solved.bound;
  IF is_crowded THEN
    priced := crm._plan_prices(plan, solved, bound);
    solved := priced.solved;
    bound := priced.bound;
    is_kept := priced.is_kept;
  END IF;
  CREATE TEMPORARY TABLE crm_plan_asked ON COMMIT DROP AS
  SELECT a.proposal_id, coalesce(h.place_price, 0) + a.price AS price FROM pg_temp.crm_plan_ask a LEFT JOIN crm.assigned_holders(solved) h ON h.holder_id = - a.crowd;
  CREATE TEMPORARY TABLE crm_plan_cost ON COMMIT DROP AS
  SELECT s.holder_id, s.taken, s.taken + s.places AS places, s.room, 0::double precision AS place_price, 0::double precision AS floor_price FROM pg_temp.crm_plan_seat s;
  UPDATE pg_temp.crm_plan_cost c SET place_price = h.place_price, floor_price = h.floor_price FROM crm.assigned_holders(solved) h WHERE h.holder_id = c.holder_id;
  IF NOT uneven AND NOT is_kept THEN
    CREATE TEMPORARY TABLE crm_plan_priced ON COMMIT DROP AS SELECT * FROM crm._plan_gone(solved);
    priced := crm._plan_split(plan, bound);
    bound := priced.bound;
    IF NOT priced.is_found THEN
      PERFORM crm._plan_restrict(solved);
    END IF;
    UPDATE pg_temp.crm_plan_ask a SET price = 0;
    BEGIN
      solved := crm._plan_meet(plan, false, false);
    EXCEPTION WHEN object_not_in_prerequisite_state THEN
      RAISE EXCEPTION 'no plan "%" was found that meets its floors', plan.name
        USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = 'Without the volumes that proposals of a channel ask for in the same units they can be met.',
              HINT = 'Lower them with crm.set_plan_limit(), or let proposals that share units ask for more, or be one.';
    END;
    DROP TABLE pg_temp.crm_plan_priced;
  ELSIF uneven THEN
    is_cut := crm._plan_restrict(solved);
    solved := crm._plan_meet(plan, true, false);
    IF NOT is_cut AND is_whole AND NOT EXISTS (SELECT FROM pg_temp.crm_plan_seat s WHERE s.floor > s.taken) THEN
      bound := least(bound, solved.bound);
    END IF;
    UPDATE pg_temp.crm_plan_cost c SET place_price = h.place_price, floor_price = h.floor_price FROM crm.assigned_holders(solved) h WHERE h.holder_id = c.holder_id;
  END IF;
  worth := (SELECT coalesce(sum(g.benefit), 0) FROM crm._plan_gone(solved) g);
  IF uneven AND EXISTS (SELECT FROM pg_temp.crm_plan_seat s LEFT JOIN crm.assigned_holders(solved) h ON h.holder_id = s.holder_id WHERE s.taken + coalesce(h.customers, 0) < s.floor) THEN
    -- floors with customers who count differently: first as if each counted the most that fits, then the others by what they count
    floored := crm._plan_meet(plan, false, false);
    UPDATE pg_temp.crm_plan_cost c SET floor_price = h.floor_price FROM crm.assigned_holders(floored) h WHERE h.holder_id = c.holder_id;
    worth := (SELECT coalesce(sum(g.benefit), 0) FROM crm._plan_gone(floored) g);
    PERFORM crm._plan_goes(floored);
    floored := crm._plan_meet(plan, true, false);
    worth := worth + floored.total;
    PERFORM crm._plan_goes(floored);
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
         CASE WHEN s.by_hand AND c.floor_price > 0 THEN - c.floor_price ELSE c.place_price END, NOT uneven AND NOT is_crowded AND is_whole
  FROM pg_temp.crm_plan_seat s JOIN pg_temp.crm_plan_cost c ON c.holder_id = s.holder_id
  WHERE s.by_hand OR s.capacity IS NOT NULL OR c.places < 1000000000
  UNION ALL
  SELECT 'floor', s.channel_id, s.org_id, s.floor, false, c.floor_price, NOT uneven AND NOT is_crowded AND is_whole
  FROM pg_temp.crm_plan_seat s JOIN pg_temp.crm_plan_cost c ON c.holder_id = s.holder_id WHERE s.floor > 0 AND NOT s.by_hand;
  INSERT INTO pg_temp.crm_plan_price (kind, channel_id, org_id, proposal_id, value, price, is_exact)
  SELECT 'proposal', p.channel_id, p.org_id, p.id, p.volume, a.price, NOT uneven AND NOT is_crowded AND is_whole
  FROM pg_temp.crm_plan_proposal p JOIN pg_temp.crm_plan_asked a ON a.proposal_id = p.id;
  INSERT INTO pg_temp.crm_plan_solved (worth, bound, is_proven)
  SELECT worth, CASE WHEN is_whole THEN greatest(bound, worth) END, is_whole AND worth >= bound - 1e-9 * abs(bound);
  DROP TABLE pg_temp.crm_plan_seat, pg_temp.crm_plan_ask, pg_temp.crm_plan_edge, pg_temp.crm_plan_cost, pg_temp.crm_plan_asked, pg_temp.crm_plan_unit, pg_temp.crm_plan_shut;
END
$$;
COMMENT ON FUNCTION crm._plan_optimum(crm.plan) IS
  'Step 5 of the optimum of a plan for units: all customers in the segments and all units of all channels, within volumes, floors and capacities, for the most that they are worth together. Errors: 55000 a floor that cannot be met.';
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
