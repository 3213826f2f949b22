-- allocate: units as holders of a plan's customers, with their floors and capacities, and whom they get by those

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
         coalesce(t.taken, 0) AS taken, coalesce(v.volume, f.floor, 0) AS floor, coalesce(v.volume, c.capacity) AS capacity, v.volume IS NOT NULL AS by_hand,
         NULL::bigint AS crowd
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

-- The units with their limits, those of a crowd of proposals within what it still asks for (below 0), and nobody (0). For loads by what customers count, without volumes;
-- least: as if each counted the least.
CREATE FUNCTION crm._plan_holders(by_load boolean, lightest boolean) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT CASE WHEN by_load THEN $q$
    SELECT s.holder_id, CASE WHEN s.uneven THEN least(s.room, greatest(least(s.capacity - s.taken, s.room), 0) * greatest(s.least, 1)) ELSE least(s.places, CASE WHEN s.capacity IS NOT NULL THEN greatest(s.capacity - s.taken, 0) END) END AS capacity
    FROM pg_temp.crm_plan_seat s
    UNION ALL SELECT 0, 1000000000$q$
  ELSE pg_catalog.format($q$
    SELECT s.holder_id, least(%s, CASE WHEN s.capacity IS NOT NULL THEN greatest(s.capacity - s.taken, 0) END) AS capacity, greatest(s.floor - s.taken, 0) AS floor, coalesce(- s.crowd, s.holder_id) AS within FROM pg_temp.crm_plan_seat s
    UNION ALL SELECT - a.crowd, least(sum(a.wants), 1000000000)::bigint, 0, - a.crowd FROM pg_temp.crm_plan_ask a GROUP BY a.crowd
    UNION ALL SELECT 0, 1000000000, 0, 0$q$, CASE WHEN lightest THEN 'CASE WHEN s.uneven AND s.least = 0 THEN 1000000000 WHEN s.uneven THEN s.room / s.least ELSE s.places END' ELSE 's.places' END) END;
END;
COMMENT ON FUNCTION crm._plan_holders(boolean, boolean) IS 'The query for the capacities of the units of a plan: by load, or in customers with floors and volumes, as if each counted the most that fits, or the least (lightest).';
REVOKE ALL ON FUNCTION crm._plan_holders(boolean, boolean) FROM PUBLIC;

-- Of the places that floors take, which can be had together: volumes by hand get what there is, other floors are refused.
CREATE FUNCTION crm._plan_reach(plan crm.plan, lightest boolean) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off AS $$
#variable_conflict use_column
DECLARE
  -- as many as can be, and among those as many as can be for floors that are not by hand, the small ones first, so that few units are named
  got CONSTANT crm.assignment := crm.solve_assignment(
    format('SELECT DISTINCT e.customer_id, e.holder_id, CASE WHEN s.by_hand THEN 1 ELSE 2 + 1 / (1 + s.floor::double precision) END AS benefit
            FROM pg_temp.crm_plan_edge e JOIN pg_temp.crm_plan_seat s ON s.holder_id = e.holder_id AND (%L OR e.load <= s.most OR NOT s.uneven) WHERE s.floor > s.taken
            UNION ALL SELECT DISTINCT e.customer_id, 0, 0 FROM pg_temp.crm_plan_edge e JOIN pg_temp.crm_plan_seat s ON s.holder_id = e.holder_id AND s.floor > s.taken', lightest),
    format('SELECT h.holder_id, CASE WHEN h.holder_id > 0 THEN least(h.floor, h.capacity) ELSE h.capacity END AS capacity, h.within FROM (%s) h', crm._plan_holders(false, lightest)));
  units text[];
BEGIN
  SELECT array_agg(format('unit "%s" of channel "%s" gets %s of %s', o.code, h.code, s.taken + g.customers, s.floor) ORDER BY s.holder_id) INTO units
  FROM crm.assigned_holders(got) g JOIN pg_temp.crm_plan_seat s ON s.holder_id = g.holder_id JOIN crm.organisation o ON o.id = s.org_id JOIN crm.channel h ON h.id = s.channel_id
  WHERE NOT s.by_hand AND s.taken + g.customers < s.floor;
  IF units IS NOT NULL THEN
    PERFORM crm._refuse_floors(plan, units, sum(s.floor), sum(least(s.floor, s.taken + g.customers)))
    FROM crm.assigned_holders(got) g JOIN pg_temp.crm_plan_seat s ON s.holder_id = g.holder_id WHERE NOT s.by_hand AND s.floor > s.taken;
  END IF;
  UPDATE pg_temp.crm_plan_seat s SET floor = s.taken + g.customers FROM crm.assigned_holders(got) g WHERE s.holder_id = g.holder_id AND s.by_hand AND s.floor > s.taken + g.customers;
END
$$;
COMMENT ON FUNCTION crm._plan_reach(crm.plan, boolean) IS 'Which floors can be met together; those of volumes by hand are lowered to what there is. Errors: 55000 a floor that cannot be met.';
REVOKE ALL ON FUNCTION crm._plan_reach(crm.plan, boolean) FROM PUBLIC;

CREATE FUNCTION crm._plan_meet(plan crm.plan, by_load boolean, lightest boolean) RETURNS crm.assignment
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  edges CONSTANT text := CASE WHEN by_load THEN 'SELECT e.customer_id, e.holder_id, max(e.benefit) AS benefit, max(e.load) AS load FROM pg_temp.crm_plan_edge e GROUP BY e.customer_id, e.holder_id
                                                 UNION ALL SELECT DISTINCT e.customer_id, 0, 0, 1 FROM pg_temp.crm_plan_edge e'
    ELSE format('SELECT e.customer_id, e.holder_id, max(e.benefit - coalesce(a.price, 0)) AS benefit
                 FROM pg_temp.crm_plan_edge e JOIN pg_temp.crm_plan_seat s ON s.holder_id = e.holder_id AND (%L OR e.load <= s.most OR NOT s.uneven)
                 LEFT JOIN pg_temp.crm_plan_ask a ON a.proposal_id = e.proposal_id GROUP BY e.customer_id, e.holder_id
                 UNION ALL SELECT DISTINCT e.customer_id, 0, 0 FROM pg_temp.crm_plan_edge e', lightest) END;
  -- where customers count differently, rounds by size alone
  rounds CONSTANT bigint := greatest(20, least(300, 200000000 / greatest((SELECT count(*) FROM pg_temp.crm_plan_edge e), 1)));
BEGIN
  BEGIN
    RETURN crm.solve_assignment(edges, crm._plan_holders(by_load, lightest), 'max', NULL, rounds);
  EXCEPTION WHEN invalid_parameter_value THEN
    PERFORM crm._plan_reach(plan, lightest);
  END;
  RETURN crm.solve_assignment(edges, crm._plan_holders(by_load, lightest), 'max', NULL, rounds);
END
$$;
COMMENT ON FUNCTION crm._plan_meet(crm.plan, boolean, boolean) IS
  'Solves by loads, without floors and volumes, or with both and as if each customer counted the most that fits, or the least (lightest). Errors: 55000 a floor that cannot be met.';
REVOKE ALL ON FUNCTION crm._plan_meet(crm.plan, boolean, boolean) FROM PUBLIC;
