-- allocate: the optimum of a plan: what customers are worth to proposals, and whom each proposal may have

CREATE FUNCTION crm._plan_values(plan crm.plan) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  -- nobody is worth nothing: whoever has room takes a customer of whom little is expected rather than none
  CREATE TEMPORARY TABLE crm_plan_value ON COMMIT DROP AS
  SELECT r.proposal_id, r.coverage, r.tier,
         (CASE plan.weighing WHEN 'demand' THEN 1 WHEN 'result' THEN greatest(r.expected_premium, 0.01) ELSE greatest(r.expected_premium - r.expected_cost, 0.01) END)::double precision AS value
  FROM pg_temp.crm_plan_rate r;
  ANALYZE pg_temp.crm_plan_value;
END
$$;
COMMENT ON FUNCTION crm._plan_values(crm.plan) IS 'What a customer of a class is worth to a proposal: 1 by demand, else the premium expected, by net and best less the cost, at least 0.01.';
REVOKE ALL ON FUNCTION crm._plan_values(crm.plan) FROM PUBLIC;

CREATE FUNCTION crm._plan_wants(plan crm.plan) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off AS $$
BEGIN
  CREATE TEMPORARY TABLE crm_plan_want ON COMMIT DROP AS
  WITH kind AS (SELECT DISTINCT w.kind FROM pg_temp.crm_plan_work w),
  -- a plan for units sees to the room of each of them later; one for channels only here, so that whoever comes fits
  load AS (
    SELECT l.channel_id, CASE plan.level WHEN 'channel' THEN max(l.load) ELSE min(l.load) END AS load
    FROM pg_temp.crm_plan_load l JOIN kind k ON k.kind = l.kind GROUP BY l.channel_id),
  room AS (
    SELECT s.channel_id, l.load,
           greatest(CASE l.load WHEN 0 THEN 1000000000 ELSE sum(s.room)::bigint / l.load END
                    - (SELECT count(*) FROM pg_temp.crm_plan_work w WHERE w.channel_id = s.channel_id AND w.staff_id IS NULL), 0)::bigint AS seats
    FROM pg_temp.crm_plan_staff s JOIN load l ON l.channel_id = s.channel_id GROUP BY s.channel_id, l.load),
  want AS (
    SELECT p.id AS proposal_id, p.channel_id, r.seats, x.wants, least(x.wants, CASE r.load WHEN 0 THEN 1000000000 ELSE p.room / r.load END) AS places
    FROM pg_temp.crm_plan_proposal p
    JOIN room r ON r.channel_id = p.channel_id
    CROSS JOIN LATERAL (SELECT greatest(p.volume - count(*), 0) AS wants FROM pg_temp.crm_plan_work w WHERE w.proposal_id = p.id) x)
  SELECT u.proposal_id, w.channel_id, u.wants, u.places, 0::bigint AS floor
  FROM (SELECT y.channel_id, array_agg(y.proposal_id ORDER BY y.proposal_id) AS ids, array_agg(y.wants ORDER BY y.proposal_id) AS wants, array_agg(y.places ORDER BY y.proposal_id) AS places,
               least(sum(y.places), y.seats)::bigint AS seats
        FROM want y GROUP BY y.channel_id, y.seats) w
  CROSS JOIN LATERAL unnest(w.ids, w.wants, crm.apportion(w.seats, w.places::numeric[])) u(proposal_id, wants, places);
  IF plan.level <> 'channel' THEN
    UPDATE pg_temp.crm_plan_want w SET floor = u.floor
    FROM (SELECT y.channel_id, array_agg(y.proposal_id ORDER BY y.proposal_id) AS ids, array_agg(y.places ORDER BY y.proposal_id) AS places, sum(y.places) AS places_in_all
          FROM pg_temp.crm_plan_want y GROUP BY y.channel_id) x
    JOIN (SELECT s.channel_id, sum(greatest(s.floor - s.taken, 0)) AS floor FROM pg_temp.crm_plan_seat s GROUP BY s.channel_id) f ON f.channel_id = x.channel_id
    CROSS JOIN LATERAL unnest(x.ids, crm.apportion(least(f.floor, x.places_in_all)::bigint, x.places::numeric[])) u(proposal_id, floor)
    WHERE w.proposal_id = u.proposal_id;
  END IF;
END
$$;
COMMENT ON FUNCTION crm._plan_wants(crm.plan) IS 'What each proposal still asks for, how much of it the staff of the channel have room for, and how much the floors of its units take together.';
REVOKE ALL ON FUNCTION crm._plan_wants(crm.plan) FROM PUBLIC;

CREATE FUNCTION crm._plan_choose(plan crm.plan) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
  -- of customers worth the same those first whom no unit with a floor must do without
  edges CONSTANT text := format($q$
    SELECT m.customer_id, m.proposal_id AS holder_id, v.value%s AS benefit
    FROM pg_temp.crm_plan_match m
    JOIN pg_temp.crm_plan_want n ON n.proposal_id = m.proposal_id
    JOIN pg_temp.crm_plan_work w ON w.customer_id = m.customer_id
    JOIN pg_temp.crm_plan_value v ON v.proposal_id = m.proposal_id AND v.coverage = w.coverage AND v.tier = w.tier%s
    WHERE w.why IS NULL
    UNION ALL
    SELECT w.customer_id, 0, 0 FROM pg_temp.crm_plan_work w WHERE w.why IS NULL$q$,
    CASE WHEN plan.level <> 'channel' THEN ' * (1 - least(coalesce(u.units, 0), 1000) / 1e7::double precision)' END,
    CASE WHEN plan.level <> 'channel' THEN $q$
    LEFT JOIN (SELECT z.customer_id, z.channel_id, count(*) AS units
               FROM pg_temp.crm_plan_shut z JOIN pg_temp.crm_plan_seat s ON s.channel_id = z.channel_id AND s.org_id = z.org_id
               WHERE s.floor > s.taken GROUP BY z.customer_id, z.channel_id) u ON u.customer_id = m.customer_id AND u.channel_id = n.channel_id$q$ END);
  chosen crm.assignment;
BEGIN
  PERFORM crm._plan_values(plan), crm._plan_wants(plan);
  BEGIN
    chosen := crm.solve_assignment(edges, 'SELECT n.proposal_id AS holder_id, n.places AS capacity, n.floor FROM pg_temp.crm_plan_want n UNION ALL SELECT 0, 1000000000, 0');
  EXCEPTION WHEN invalid_parameter_value THEN
    -- whether the units can have their floors is for the units to tell
    chosen := crm.solve_assignment(edges, 'SELECT n.proposal_id AS holder_id, n.places AS capacity FROM pg_temp.crm_plan_want n UNION ALL SELECT 0, 1000000000');
  END;
  CREATE TEMPORARY TABLE crm_plan_base ON COMMIT DROP AS SELECT a.customer_id, a.holder_id AS proposal_id, a.benefit AS value FROM crm.assigned(chosen) a WHERE a.holder_id > 0;
  ANALYZE pg_temp.crm_plan_base;
  INSERT INTO pg_temp.crm_plan_price (kind, channel_id, org_id, proposal_id, value, price, is_exact)
  SELECT 'proposal', p.channel_id, p.org_id, p.id, p.volume, h.place_price, plan.level = 'channel'
  FROM crm.assigned_holders(chosen) h JOIN pg_temp.crm_plan_proposal p ON p.id = h.holder_id;

  IF plan.level = 'channel' THEN
    UPDATE pg_temp.crm_plan_work w SET proposal_id = p.id, channel_id = p.channel_id, org_id = p.org_id, why = 'channel'
    FROM pg_temp.crm_plan_base b JOIN pg_temp.crm_plan_proposal p ON p.id = b.proposal_id WHERE w.customer_id = b.customer_id;
    DELETE FROM pg_temp.crm_plan_work w WHERE w.channel_id IS NULL;
    INSERT INTO pg_temp.crm_plan_solved (worth, bound, is_proven) VALUES (chosen.total, chosen.bound, chosen.is_proven);
  ELSE
    -- as many as it wants at most, whoever of them comes: those it was given, then those whom it costs least to have instead
    CREATE TEMPORARY TABLE crm_plan_may ON COMMIT DROP AS
    SELECT DISTINCT ON (x.customer_id, x.channel_id) x.customer_id, x.channel_id, x.proposal_id, x.org_id AS within, x.value
    FROM (SELECT m.customer_id, p.channel_id, p.id AS proposal_id, p.org_id, v.value, n.wants, b.proposal_id IS NOT DISTINCT FROM p.id AS given,
                 row_number() OVER (PARTITION BY p.id ORDER BY (b.proposal_id IS NOT DISTINCT FROM p.id) DESC, v.value - coalesce(b.value, 0) DESC, hashint8(m.customer_id), m.customer_id) AS place
          FROM pg_temp.crm_plan_match m
          JOIN pg_temp.crm_plan_proposal p ON p.id = m.proposal_id
          JOIN pg_temp.crm_plan_want n ON n.proposal_id = p.id
          JOIN pg_temp.crm_plan_work w ON w.customer_id = m.customer_id
          JOIN pg_temp.crm_plan_value v ON v.proposal_id = p.id AND v.coverage = w.coverage AND v.tier = w.tier
          LEFT JOIN pg_temp.crm_plan_base b ON b.customer_id = m.customer_id
          WHERE w.why IS NULL) x
    WHERE x.place <= x.wants
    ORDER BY x.customer_id, x.channel_id, x.given DESC, x.value DESC, x.proposal_id;
    -- pinned to a channel
    INSERT INTO pg_temp.crm_plan_may (customer_id, channel_id, proposal_id, within, value)
    SELECT w.customer_id, w.channel_id, w.proposal_id, p.org_id, 1 FROM pg_temp.crm_plan_work w LEFT JOIN pg_temp.crm_plan_proposal p ON p.id = w.proposal_id WHERE w.why = 'pin' AND w.org_id IS NULL;
    ANALYZE pg_temp.crm_plan_may;
  END IF;
  DROP TABLE pg_temp.crm_plan_value, pg_temp.crm_plan_want, pg_temp.crm_plan_base;
END
$$;
COMMENT ON FUNCTION crm._plan_choose(crm.plan) IS
  'Step 4 of the optimum: customers go to proposals, within volume and room, for the most that they are worth together; that is the plan for channels. For units it tells whom each proposal may have, so that whoever of them comes it gets no more than it asks for.';
REVOKE ALL ON FUNCTION crm._plan_choose(crm.plan) FROM PUBLIC;
