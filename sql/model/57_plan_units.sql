-- allocate: the computation of a plan: units by nearness, staff by the strategy, and what it comes to

CREATE FUNCTION crm._plan_units(plan crm.plan) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off AS $$
#variable_conflict use_column
DECLARE
  a crm.plan_adjustment;
  r record;
  unit bigint;
  deepest CONSTANT integer := (SELECT max(o.level) FROM crm.organisation o);
BEGIN
  -- an earlier servicer who has room
  UPDATE pg_temp.crm_plan_work w SET org_id = f.org_id, staff_id = f.staff_id, why = coalesce(w.why, 'servicer')
  FROM (
    SELECT v.customer_id, v.org_id, v.staff_id, row_number() OVER (PARTITION BY v.staff_id ORDER BY v.customer_id) AS n,
           v.room - coalesce(k.n, 0) AS room
    FROM (SELECT DISTINCT ON (w.customer_id) w.customer_id, s.staff_id, s.org_id, s.room
          FROM pg_temp.crm_plan_work w
          JOIN crm.policy p ON p.customer_id = w.customer_id
          JOIN pg_temp.crm_plan_staff s ON s.staff_id = p.servicer_id AND s.channel_id = w.channel_id
          LEFT JOIN pg_temp.crm_plan_proposal o ON o.id = w.proposal_id
          WHERE w.staff_id IS NULL AND s.room > 0 AND (w.org_id IS NULL OR w.org_id = s.org_id)
            AND (o.org_id IS NULL OR EXISTS (SELECT FROM crm.organisation_tree t WHERE t.ancestor_id = o.org_id AND t.descendant_id = s.org_id))
            AND NOT EXISTS (SELECT FROM pg_temp.crm_plan_bar b WHERE b.customer_id = w.customer_id AND b.staff_id = s.staff_id)
            AND NOT EXISTS (SELECT FROM crm.plan_adjustment x WHERE x.plan_id = plan.id AND x.kind = 'volume' AND x.channel_id = s.channel_id AND x.org_id = s.org_id)
          ORDER BY w.customer_id, p.issued_on DESC, p.id DESC) v
    LEFT JOIN (SELECT x.staff_id, count(*) AS n FROM pg_temp.crm_plan_work x WHERE x.staff_id IS NOT NULL GROUP BY x.staff_id) k ON k.staff_id = v.staff_id) f
  WHERE f.n <= f.room AND w.customer_id = f.customer_id;

  CREATE TEMPORARY TABLE crm_plan_unit ON COMMIT DROP AS
  SELECT s.channel_id, s.org_id, s.room - coalesce(w.n, 0) AS room
  FROM (SELECT x.channel_id, x.org_id, sum(x.room)::bigint AS room FROM pg_temp.crm_plan_staff x GROUP BY x.channel_id, x.org_id) s
  LEFT JOIN (SELECT x.channel_id, x.org_id, count(*) AS n FROM pg_temp.crm_plan_work x WHERE x.org_id IS NOT NULL GROUP BY x.channel_id, x.org_id) w
    ON w.channel_id = s.channel_id AND w.org_id = s.org_id;
  ANALYZE pg_temp.crm_plan_unit;

  -- units with a volume of their own get it from the nearest customers, and no more
  FOR a IN SELECT * FROM crm.plan_adjustment x WHERE x.plan_id = plan.id AND x.kind = 'volume' ORDER BY x.channel_id, x.org_id LOOP
    UPDATE pg_temp.crm_plan_work w SET org_id = a.org_id, why = coalesce(w.why, 'volume')
    FROM (SELECT x.customer_id
          FROM pg_temp.crm_plan_work x
          LEFT JOIN pg_temp.crm_plan_proposal p ON p.id = x.proposal_id
          CROSS JOIN LATERAL (
            SELECT h.depth FROM crm.organisation_tree h JOIN crm.organisation_tree u ON u.ancestor_id = h.ancestor_id AND u.descendant_id = a.org_id
            WHERE h.descendant_id = x.home ORDER BY h.depth LIMIT 1) d
          WHERE x.channel_id = a.channel_id AND x.org_id IS NULL
            AND (p.org_id IS NULL OR EXISTS (SELECT FROM crm.organisation_tree t WHERE t.ancestor_id = p.org_id AND t.descendant_id = a.org_id))
          ORDER BY d.depth, x.customer_id
          LIMIT (SELECT greatest(least(u.room, a.volume - (SELECT count(*) FROM pg_temp.crm_plan_work y WHERE y.channel_id = a.channel_id AND y.org_id = a.org_id)), 0)
                 FROM pg_temp.crm_plan_unit u WHERE u.channel_id = a.channel_id AND u.org_id = a.org_id)) n
    WHERE w.customer_id = n.customer_id
      AND EXISTS (SELECT FROM pg_temp.crm_plan_unit u WHERE u.channel_id = a.channel_id AND u.org_id = a.org_id);
    UPDATE pg_temp.crm_plan_unit u SET room = 0 WHERE u.channel_id = a.channel_id AND u.org_id = a.org_id;
  END LOOP;

  -- barred from a unit, which only concerns a few: the nearest other one with the most room
  FOR r IN SELECT w.customer_id, w.channel_id, w.home, p.org_id AS within
           FROM pg_temp.crm_plan_work w LEFT JOIN pg_temp.crm_plan_proposal p ON p.id = w.proposal_id
           WHERE w.org_id IS NULL AND EXISTS (SELECT FROM crm.plan_adjustment x WHERE x.plan_id = plan.id AND x.kind = 'bar' AND x.customer_id = w.customer_id
                                                AND x.org_id IS NOT NULL AND x.staff_id IS NULL)
           ORDER BY w.customer_id LOOP
    SELECT u.org_id INTO unit
    FROM pg_temp.crm_plan_unit u
    CROSS JOIN LATERAL (
      SELECT h.depth FROM crm.organisation_tree h JOIN crm.organisation_tree t ON t.ancestor_id = h.ancestor_id AND t.descendant_id = u.org_id
      WHERE h.descendant_id = r.home ORDER BY h.depth LIMIT 1) d
    WHERE u.channel_id = r.channel_id AND u.room > 0
      AND (r.within IS NULL OR EXISTS (SELECT FROM crm.organisation_tree t WHERE t.ancestor_id = r.within AND t.descendant_id = u.org_id))
      AND NOT EXISTS (SELECT FROM crm.plan_adjustment x JOIN crm.organisation_tree t ON t.ancestor_id = x.org_id AND t.descendant_id = u.org_id
                      WHERE x.plan_id = plan.id AND x.kind = 'bar' AND x.customer_id = r.customer_id AND x.staff_id IS NULL
                        AND (x.channel_id IS NULL OR x.channel_id = u.channel_id))
    ORDER BY d.depth, u.room DESC, u.org_id LIMIT 1;
    IF FOUND THEN
      UPDATE pg_temp.crm_plan_work w SET org_id = unit, why = coalesce(w.why, CASE WHEN w.home = unit THEN 'home' ELSE 'near' END) WHERE w.customer_id = r.customer_id;
      UPDATE pg_temp.crm_plan_unit u SET room = u.room - 1 WHERE u.channel_id = r.channel_id AND u.org_id = unit;
    ELSE
      DELETE FROM pg_temp.crm_plan_work w WHERE w.customer_id = r.customer_id;
    END IF;
  END LOOP;

  -- the home unit itself, then upwards: what lies below each unit shares the customers of homes there who are still without, by room
  FOR top IN REVERSE deepest + 1 .. 0 LOOP
    WITH place AS MATERIALIZED (
      SELECT w.customer_id, w.channel_id, t.ancestor_id, row_number() OVER (PARTITION BY w.channel_id, t.ancestor_id ORDER BY w.home, w.customer_id) AS n
      FROM pg_temp.crm_plan_work w
      JOIN crm.organisation_tree t ON t.descendant_id = w.home
      JOIN crm.organisation o ON o.id = t.ancestor_id AND CASE WHEN top > deepest THEN t.depth = 0 ELSE o.level = top END
      LEFT JOIN pg_temp.crm_plan_proposal p ON p.id = w.proposal_id
      WHERE w.org_id IS NULL AND (p.org_id IS NULL OR EXISTS (SELECT FROM crm.organisation_tree x WHERE x.ancestor_id = p.org_id AND x.descendant_id = t.ancestor_id))),
    supply AS (
      SELECT u.channel_id, t.ancestor_id, array_agg(u.org_id ORDER BY u.org_id) AS orgs, array_agg(u.room::numeric ORDER BY u.org_id) AS rooms, sum(u.room) AS room
      FROM pg_temp.crm_plan_unit u
      JOIN crm.organisation_tree t ON t.descendant_id = u.org_id
      JOIN crm.organisation o ON o.id = t.ancestor_id AND CASE WHEN top > deepest THEN t.depth = 0 ELSE o.level = top END
      WHERE u.room > 0 GROUP BY u.channel_id, t.ancestor_id),
    share AS (
      SELECT s.channel_id, s.ancestor_id, x.org_id, x.n, sum(x.n) OVER (PARTITION BY s.channel_id, s.ancestor_id ORDER BY x.org_id) AS upto
      FROM supply s
      JOIN (SELECT y.channel_id, y.ancestor_id, count(*) AS n FROM place y GROUP BY y.channel_id, y.ancestor_id) d ON d.channel_id = s.channel_id AND d.ancestor_id = s.ancestor_id
      CROSS JOIN LATERAL unnest(s.orgs, crm.apportion(least(d.n, s.room)::bigint, s.rooms)) x(org_id, n)),
    seat AS MATERIALIZED (
      SELECT s.channel_id, s.ancestor_id, s.org_id, k AS n FROM share s CROSS JOIN LATERAL generate_series((s.upto - s.n + 1)::bigint, s.upto::bigint) k),
    moved AS (
      UPDATE pg_temp.crm_plan_work w SET org_id = s.org_id, why = coalesce(w.why, CASE WHEN s.org_id = w.home THEN 'home' ELSE 'near' END)
      FROM place p JOIN seat s ON s.channel_id = p.channel_id AND s.ancestor_id = p.ancestor_id AND s.n = p.n
      WHERE w.customer_id = p.customer_id
      RETURNING w.channel_id, w.org_id)
    UPDATE pg_temp.crm_plan_unit u SET room = u.room - m.n
    FROM (SELECT x.channel_id, x.org_id, count(*) AS n FROM moved x GROUP BY x.channel_id, x.org_id) m
    WHERE u.channel_id = m.channel_id AND u.org_id = m.org_id;
  END LOOP;
  DELETE FROM pg_temp.crm_plan_work w WHERE w.org_id IS NULL;
END
$$;
COMMENT ON FUNCTION crm._plan_units(crm.plan) IS
  'Step 5: each customer of a channel goes to an earlier servicer with room, else to the home unit, else to the units nearest to it, by room.';
REVOKE ALL ON FUNCTION crm._plan_units(crm.plan) FROM PUBLIC;

CREATE FUNCTION crm._plan_staff(plan crm.plan, day date) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off AS $$
#variable_conflict use_column
BEGIN
  UPDATE pg_temp.crm_plan_staff s SET room = greatest(s.room - n.n, 0), held = s.held + n.n
  FROM (SELECT w.staff_id, count(*) AS n FROM pg_temp.crm_plan_work w WHERE w.staff_id IS NOT NULL GROUP BY w.staff_id) n
  WHERE s.staff_id = n.staff_id;
  IF plan.strategy = 'optimal' THEN
    UPDATE pg_temp.crm_plan_work w SET staff_id = a.holder_id
    FROM crm.assign(
      'SELECT w.customer_id, s.staff_id AS holder_id, (coalesce(r.purchased, 0) + 1)::double precision / (coalesce(r.allocated, 0) + 10) AS benefit
       FROM pg_temp.crm_plan_work w JOIN pg_temp.crm_plan_staff s ON s.channel_id = w.channel_id AND s.org_id = w.org_id
       LEFT JOIN (SELECT x.staff_id, x.tier, count(*) AS allocated, count(*) FILTER (WHERE x.purchased) AS purchased
                  FROM pg_temp.crm_plan_result x GROUP BY x.staff_id, x.tier) r ON r.staff_id = s.staff_id AND r.tier = w.tier
       WHERE w.staff_id IS NULL AND s.room > 0
         AND NOT EXISTS (SELECT FROM pg_temp.crm_plan_bar b WHERE b.customer_id = w.customer_id AND b.staff_id = s.staff_id)',
      'SELECT s.staff_id AS holder_id, s.room AS capacity FROM pg_temp.crm_plan_staff s WHERE s.room > 0') a
    WHERE w.customer_id = a.customer_id;
  ELSE
    WITH customer AS (
      SELECT w.channel_id, w.org_id, array_agg(w.customer_id ORDER BY w.customer_id) AS ids
      FROM pg_temp.crm_plan_work w WHERE w.staff_id IS NULL GROUP BY w.channel_id, w.org_id),
    holder AS (
      SELECT s.channel_id, s.org_id, array_agg(s.staff_id ORDER BY s.staff_id) AS ids, array_agg(s.room ORDER BY s.staff_id) AS rooms,
             array_agg(CASE plan.strategy WHEN 'even' THEN 0 ELSE s.held END::bigint ORDER BY s.staff_id) AS loads
      FROM pg_temp.crm_plan_staff s GROUP BY s.channel_id, s.org_id),
    bar AS (
      SELECT s.channel_id, s.org_id, array_agg(b.customer_id ORDER BY b.customer_id, b.staff_id) AS customers, array_agg(b.staff_id ORDER BY b.customer_id, b.staff_id) AS staff
      FROM pg_temp.crm_plan_bar b
      JOIN pg_temp.crm_plan_staff s ON s.staff_id = b.staff_id
      JOIN pg_temp.crm_plan_work w ON w.customer_id = b.customer_id AND w.channel_id = s.channel_id AND w.org_id = s.org_id
      GROUP BY s.channel_id, s.org_id)
    UPDATE pg_temp.crm_plan_work w SET staff_id = d.staff_id
    FROM customer c
    JOIN holder h ON h.channel_id = c.channel_id AND h.org_id = c.org_id
    LEFT JOIN bar b ON b.channel_id = c.channel_id AND b.org_id = c.org_id
    CROSS JOIN LATERAL crm._kinds(c.ids, h.ids, day) k
    CROSS JOIN LATERAL unnest(c.ids, crm._deal('level', c.ids, k.kinds, h.ids, h.loads, h.rooms, k.kind_loads, coalesce(b.customers, '{}'), coalesce(b.staff, '{}'), false))
      d(customer_id, staff_id)
    WHERE w.customer_id = d.customer_id AND d.staff_id IS NOT NULL;
  END IF;
  DELETE FROM pg_temp.crm_plan_work w WHERE w.staff_id IS NULL;
END
$$;
COMMENT ON FUNCTION crm._plan_staff(crm.plan, date) IS 'Step 6: the staff of each unit share its customers by the strategy, optimal by how well each sold to customers of the tier; whom nobody can take is left over.';
REVOKE ALL ON FUNCTION crm._plan_staff(crm.plan, date) FROM PUBLIC;

CREATE FUNCTION crm._keep_plan(plan crm.plan) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off AS $$
#variable_conflict use_column
BEGIN
  UPDATE pg_temp.crm_plan_work w SET stage = s.stage
  FROM (SELECT DISTINCT x.org_id, x.stage FROM pg_temp.crm_plan_staff x WHERE x.stage IS NOT NULL) s WHERE s.org_id = w.org_id;
  DELETE FROM crm.plan_customer c WHERE c.plan_id = plan.id;
  DELETE FROM crm.plan_line l WHERE l.plan_id = plan.id;
  DELETE FROM crm.plan_cell c WHERE c.plan_id = plan.id;
  DELETE FROM crm.plan_proposal p WHERE p.plan_id = plan.id;

  INSERT INTO crm.plan_proposal (plan_id, proposal_id, version, matching, room, planned)
  SELECT plan.id, p.id, p.version, (SELECT count(*) FROM pg_temp.crm_plan_match m WHERE m.proposal_id = p.id), p.room,
         (SELECT count(*) FROM pg_temp.crm_plan_work w WHERE w.proposal_id = p.id)
  FROM pg_temp.crm_plan_proposal p ORDER BY p.id;
  INSERT INTO crm.plan_cell (plan_id, proposal_id, coverage, tier, customers, planned, basis, allocated, contacted, purchased, premium, cost)
  SELECT plan.id, r.proposal_id, r.coverage, r.tier, r.customers, coalesce(n.planned, 0), r.basis, r.allocated, r.contacted, r.purchased, r.premium, r.cost
  FROM pg_temp.crm_plan_rate r
  LEFT JOIN (SELECT w.proposal_id, w.coverage, w.tier, count(*) AS planned FROM pg_temp.crm_plan_work w GROUP BY 1, 2, 3) n
    ON n.proposal_id = r.proposal_id AND n.coverage = r.coverage AND n.tier = r.tier
  ORDER BY r.proposal_id, r.coverage, r.tier;
  CREATE TEMPORARY TABLE crm_plan_line ON COMMIT DROP AS
  SELECT row_number() OVER (ORDER BY x.stage NULLS FIRST, x.proposal_id NULLS LAST, x.provider_id, x.channel_id, x.org_id NULLS FIRST)::integer AS line, x.*
  FROM (SELECT w.proposal_id, w.provider_id, w.channel_id, w.org_id, w.stage, count(*) AS customers,
               round(coalesce(sum(r.contacted::numeric / r.allocated), 0), 4) AS contacts, round(coalesce(sum(r.purchased::numeric / r.allocated), 0), 4) AS purchases,
               round(coalesce(sum(r.premium / r.allocated), 0), 2) AS premium, round(coalesce(sum(r.cost / r.allocated), 0), 2) AS cost
        FROM pg_temp.crm_plan_work w
        LEFT JOIN pg_temp.crm_plan_rate r ON r.proposal_id = w.proposal_id AND r.coverage = w.coverage AND r.tier = w.tier
        GROUP BY w.proposal_id, w.provider_id, w.channel_id, w.org_id, w.stage) x;
  INSERT INTO crm.plan_line (plan_id, line, proposal_id, provider_id, channel_id, org_id, stage, customers, expected_contacts, expected_purchases, expected_premium, expected_cost)
  SELECT plan.id, l.line, l.proposal_id, l.provider_id, l.channel_id, l.org_id, l.stage, l.customers, l.contacts, l.purchases, l.premium, l.cost
  FROM pg_temp.crm_plan_line l ORDER BY l.line;
  INSERT INTO crm.plan_customer (plan_id, customer_id, line, staff_id, why)
  SELECT plan.id, w.customer_id, l.line, w.staff_id, w.why
  FROM pg_temp.crm_plan_work w
  JOIN pg_temp.crm_plan_line l ON l.proposal_id IS NOT DISTINCT FROM w.proposal_id AND l.provider_id = w.provider_id AND l.channel_id = w.channel_id
    AND l.org_id IS NOT DISTINCT FROM w.org_id AND l.stage IS NOT DISTINCT FROM w.stage
  ORDER BY w.customer_id;
END
$$;
COMMENT ON FUNCTION crm._keep_plan(crm.plan) IS 'Step 7: what was computed takes the place of what the plan said before.';
REVOKE ALL ON FUNCTION crm._keep_plan(crm.plan) FROM PUBLIC;

CREATE FUNCTION crm.compute_plan(plan_id bigint, as_of date) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET crm.as_of = '' SET work_mem = '64MB' AS $$
#variable_conflict use_column
DECLARE
  plan crm.plan;
BEGIN
  PERFORM crm._take_day(compute_plan.as_of);
  plan := crm._changing_plan(compute_plan.plan_id);
  IF plan.level = 'channel' AND EXISTS (SELECT FROM crm.plan_stage s WHERE s.plan_id = plan.id) THEN
    RAISE EXCEPTION 'plan "%" goes to channels and has stages', plan.name
      USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Stages are made of units: drop them, or plan for units or staff.';
  END IF;
  PERFORM crm._plan_tables();
  PERFORM crm._plan_candidates(plan, compute_plan.as_of);
  IF NOT EXISTS (SELECT FROM pg_temp.crm_plan_work w) THEN
    RAISE EXCEPTION 'the inventory of the cycle has nobody free for use'
      USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'crm.inventory() tells who is offered and what stands in the way.';
  ELSIF NOT EXISTS (SELECT FROM pg_temp.crm_plan_proposal p) AND NOT EXISTS (SELECT FROM crm.plan_adjustment a WHERE a.plan_id = plan.id AND a.kind = 'pin') THEN
    RAISE EXCEPTION 'no proposal of the cycle is submitted' USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'crm.submit_proposal() submits one.';
  END IF;
  PERFORM crm._plan_rooms(plan, compute_plan.as_of), crm._plan_pins(plan), crm._plan_channels(plan);
  IF plan.level <> 'channel' THEN
    PERFORM crm._plan_units(plan);
  END IF;
  IF plan.level = 'staff' THEN
    PERFORM crm._plan_staff(plan, compute_plan.as_of);
  END IF;
  PERFORM crm._keep_plan(plan);
  UPDATE crm.plan p SET version = p.version + 1, as_of = compute_plan.as_of, computed_at = clock_timestamp(), computed_by = crm.actor() WHERE p.id = plan.id;
  DROP TABLE pg_temp.crm_plan_work, pg_temp.crm_plan_match, pg_temp.crm_plan_proposal, pg_temp.crm_plan_rate, pg_temp.crm_plan_staff, pg_temp.crm_plan_bar,
    pg_temp.crm_plan_result, pg_temp.crm_plan_cell, pg_temp.crm_plan_line;
  DROP TABLE IF EXISTS pg_temp.crm_plan_unit;
  RETURN plan.version + 1;
END
$$;
COMMENT ON FUNCTION crm.compute_plan(bigint, date) IS
  'Computes a draft plan as of a day, from the inventory without its conflicts, the proposals submitted, quotas and what staff hold, history and adjustments; returns its new version. Nothing is held by it. The same input gives the same plan. Channels come first: whom several want is apportioned by the weighing of the plan, within volume and room; then units: of an earlier servicer, at home, near; then staff in post, never within their cool-off. Who is left over stays in the inventory. Errors: 22004, 22023, 23503, 42501, 55000 not a draft, cycle closed, nobody free, no proposal submitted, no standings. 计算预分配';
REVOKE ALL ON FUNCTION crm.compute_plan(bigint, date) FROM PUBLIC;

INSERT INTO crm.duty_right (duty, privilege, kind, object)
SELECT d.duty, 'EXECUTE', 'FUNCTION', 'crm.compute_plan(bigint, date)' FROM (VALUES ('planner'), ('resource_manager')) d(duty);
