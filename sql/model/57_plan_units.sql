-- allocate: the computation of a plan: units by nearness, staff by the strategy, and what it comes to

CREATE FUNCTION crm._plan_servicers(plan crm.plan) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off AS $$
#variable_conflict use_column
DECLARE
  customers bigint[];
  staff bigint[];
BEGIN
  SELECT array_agg(v.customer_id ORDER BY v.kind, v.customer_id), array_agg(v.staff_id ORDER BY v.kind, v.customer_id) INTO customers, staff
  FROM (SELECT DISTINCT ON (w.customer_id) w.customer_id, w.kind, s.staff_id
        FROM pg_temp.crm_plan_work w
        JOIN crm.policy p ON p.customer_id = w.customer_id
        JOIN pg_temp.crm_plan_staff s ON s.staff_id = p.servicer_id AND s.channel_id = w.channel_id
        LEFT JOIN pg_temp.crm_plan_proposal o ON o.id = w.proposal_id
        WHERE w.staff_id IS NULL AND (w.org_id IS NULL OR w.org_id = s.org_id)
          AND (o.org_id IS NULL OR EXISTS (SELECT FROM crm.organisation_tree t WHERE t.ancestor_id = o.org_id AND t.descendant_id = s.org_id))
          AND NOT EXISTS (SELECT FROM pg_temp.crm_plan_bar b WHERE b.customer_id = w.customer_id AND b.staff_id = s.staff_id)
          AND NOT EXISTS (SELECT FROM crm.plan_adjustment x WHERE x.plan_id = plan.id AND x.kind = 'volume' AND x.channel_id = s.channel_id AND x.org_id = s.org_id)
        ORDER BY w.customer_id, p.issued_on DESC, p.id DESC) v;
  PERFORM crm._plan_fit(customers, staff);
  UPDATE pg_temp.crm_plan_work w SET why = 'servicer' WHERE w.why IS NULL AND w.staff_id IS NOT NULL;
END
$$;
COMMENT ON FUNCTION crm._plan_servicers(crm.plan) IS 'Customers of a channel, or of a unit where it is known, go to an earlier servicer of theirs who has room.';
REVOKE ALL ON FUNCTION crm._plan_servicers(crm.plan) FROM PUBLIC;

CREATE FUNCTION crm._plan_supply(plan crm.plan) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off AS $$
BEGIN
  CREATE TEMPORARY TABLE crm_plan_unit ON COMMIT DROP AS
  SELECT s.channel_id, s.org_id, s.room - coalesce(w.load, 0) AS room
  FROM (SELECT x.channel_id, x.org_id, sum(x.room)::bigint AS room FROM pg_temp.crm_plan_staff x GROUP BY x.channel_id, x.org_id) s
  LEFT JOIN (SELECT x.channel_id, x.org_id, sum(l.load)::bigint AS load
             FROM pg_temp.crm_plan_work x JOIN pg_temp.crm_plan_load l ON l.channel_id = x.channel_id AND l.org_id = x.org_id AND l.kind = x.kind
             WHERE x.staff_id IS NULL GROUP BY x.channel_id, x.org_id) w
    ON w.channel_id = s.channel_id AND w.org_id = s.org_id;
  ANALYZE pg_temp.crm_plan_unit;
  -- where nobody may take a customer, though the unit has room
  CREATE TEMPORARY TABLE crm_plan_shut ON COMMIT DROP AS
  SELECT b.customer_id, s.channel_id, s.org_id
  FROM pg_temp.crm_plan_bar b JOIN pg_temp.crm_plan_staff s ON s.staff_id = b.staff_id
  WHERE plan.level = 'staff'
  GROUP BY b.customer_id, s.channel_id, s.org_id
  HAVING count(*) = (SELECT count(*) FROM pg_temp.crm_plan_staff x WHERE x.channel_id = s.channel_id AND x.org_id = s.org_id)
  UNION
  SELECT a.customer_id, u.channel_id, u.org_id
  FROM crm.plan_adjustment a
  JOIN crm.organisation_tree t ON t.ancestor_id = a.org_id
  JOIN pg_temp.crm_plan_unit u ON u.org_id = t.descendant_id AND (a.channel_id IS NULL OR a.channel_id = u.channel_id)
  WHERE a.plan_id = plan.id AND a.kind = 'bar' AND a.staff_id IS NULL;
  CREATE INDEX ON pg_temp.crm_plan_shut (customer_id);
  ANALYZE pg_temp.crm_plan_shut;
END
$$;
COMMENT ON FUNCTION crm._plan_supply(crm.plan) IS 'The room of each unit, and where nobody may take a customer.';
REVOKE ALL ON FUNCTION crm._plan_supply(crm.plan) FROM PUBLIC;

CREATE FUNCTION crm._plan_units(plan crm.plan) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off AS $$
#variable_conflict use_column
DECLARE
  a crm.plan_adjustment;
  r record;
  unit bigint;
  weight bigint;
  of_kind bigint;
  customers bigint[];
  kinds bigint[];
  taken bigint;
  deepest CONSTANT integer := (SELECT max(o.level) FROM crm.organisation o);
BEGIN
  PERFORM crm._plan_servicers(plan), crm._plan_supply(plan);

  -- units with a volume of their own get it from the nearest customers, and no more
  FOR a IN SELECT * FROM crm.plan_adjustment x WHERE x.plan_id = plan.id AND x.kind = 'volume' ORDER BY x.channel_id, x.org_id LOOP
    SELECT array_agg(n.customer_id ORDER BY n.depth, n.customer_id), array_agg(n.kind ORDER BY n.depth, n.customer_id) INTO customers, kinds
    FROM (SELECT x.customer_id, x.kind, d.depth
          FROM pg_temp.crm_plan_work x
          LEFT JOIN pg_temp.crm_plan_proposal p ON p.id = x.proposal_id
          CROSS JOIN LATERAL (
            SELECT h.depth FROM crm.organisation_tree h JOIN crm.organisation_tree u ON u.ancestor_id = h.ancestor_id AND u.descendant_id = a.org_id
            WHERE h.descendant_id = x.home ORDER BY h.depth LIMIT 1) d
          WHERE x.channel_id = a.channel_id AND x.org_id IS NULL
            AND (p.org_id IS NULL OR EXISTS (SELECT FROM crm.organisation_tree t WHERE t.ancestor_id = p.org_id AND t.descendant_id = a.org_id))
            AND NOT EXISTS (SELECT FROM pg_temp.crm_plan_shut z WHERE z.customer_id = x.customer_id AND z.channel_id = a.channel_id AND z.org_id = a.org_id)) n;
    taken := (SELECT count(*) FROM pg_temp.crm_plan_work y WHERE y.channel_id = a.channel_id AND y.org_id = a.org_id);
    UPDATE pg_temp.crm_plan_work w SET org_id = a.org_id, why = coalesce(w.why, 'volume')
    FROM (SELECT f.customer_id, row_number() OVER (ORDER BY f.n) AS n
          FROM pg_temp.crm_plan_unit u
          CROSS JOIN LATERAL (SELECT array_agg(l.load ORDER BY l.kind) AS loads FROM pg_temp.crm_plan_load l WHERE l.channel_id = u.channel_id AND l.org_id = u.org_id) l
          CROSS JOIN LATERAL unnest(customers, crm._fit(customers, kinds, ARRAY[u.org_id], ARRAY[u.room], l.loads, customers, array_fill(u.org_id, ARRAY[cardinality(customers)])))
            WITH ORDINALITY f(customer_id, org_id, n)
          WHERE u.channel_id = a.channel_id AND u.org_id = a.org_id AND f.org_id IS NOT NULL) g
    WHERE w.customer_id = g.customer_id AND g.n <= a.volume - taken;
    UPDATE pg_temp.crm_plan_unit u SET room = 0 WHERE u.channel_id = a.channel_id AND u.org_id = a.org_id;
  END LOOP;

  -- barred from a unit, which only concerns a few: the nearest other one with the most room
  FOR r IN SELECT w.customer_id, w.channel_id, w.home, w.kind, p.org_id AS within
           FROM pg_temp.crm_plan_work w LEFT JOIN pg_temp.crm_plan_proposal p ON p.id = w.proposal_id
           WHERE w.org_id IS NULL AND EXISTS (SELECT FROM crm.plan_adjustment x WHERE x.plan_id = plan.id AND x.kind = 'bar' AND x.customer_id = w.customer_id
                                                AND x.org_id IS NOT NULL AND x.staff_id IS NULL)
           ORDER BY w.customer_id LOOP
    SELECT u.org_id, l.load INTO unit, weight
    FROM pg_temp.crm_plan_unit u
    JOIN pg_temp.crm_plan_load l ON l.channel_id = u.channel_id AND l.org_id = u.org_id AND l.kind = r.kind
    CROSS JOIN LATERAL (
      SELECT h.depth FROM crm.organisation_tree h JOIN crm.organisation_tree t ON t.ancestor_id = h.ancestor_id AND t.descendant_id = u.org_id
      WHERE h.descendant_id = r.home ORDER BY h.depth LIMIT 1) d
    WHERE u.channel_id = r.channel_id AND u.room >= l.load
      AND (r.within IS NULL OR EXISTS (SELECT FROM crm.organisation_tree t WHERE t.ancestor_id = r.within AND t.descendant_id = u.org_id))
      AND NOT EXISTS (SELECT FROM crm.plan_adjustment x JOIN crm.organisation_tree t ON t.ancestor_id = x.org_id AND t.descendant_id = u.org_id
                      WHERE x.plan_id = plan.id AND x.kind = 'bar' AND x.customer_id = r.customer_id AND x.staff_id IS NULL
                        AND (x.channel_id IS NULL OR x.channel_id = u.channel_id))
    ORDER BY d.depth, u.room DESC, u.org_id LIMIT 1;
    IF FOUND THEN
      UPDATE pg_temp.crm_plan_work w SET org_id = unit, why = coalesce(w.why, CASE WHEN w.home = unit THEN 'home' ELSE 'near' END) WHERE w.customer_id = r.customer_id;
      UPDATE pg_temp.crm_plan_unit u SET room = u.room - weight WHERE u.channel_id = r.channel_id AND u.org_id = unit;
    ELSE
      DELETE FROM pg_temp.crm_plan_work w WHERE w.customer_id = r.customer_id;
    END IF;
  END LOOP;

  -- the home unit itself, the outlet of the community, then upwards from home: what lies below each unit shares the customers of homes there who are still without, by room; the heaviest first
  FOR top IN REVERSE deepest + 2 .. 0 LOOP
    CONTINUE WHEN top = deepest + 1 AND NOT EXISTS (SELECT FROM pg_temp.crm_plan_work w WHERE w.org_id IS NULL AND w.community_org IS NOT NULL);
    FOR of_kind IN SELECT DISTINCT w.kind FROM pg_temp.crm_plan_work w WHERE w.org_id IS NULL ORDER BY w.kind LOOP
      WITH place AS MATERIALIZED (
        SELECT w.customer_id, w.channel_id, t.ancestor_id, row_number() OVER (PARTITION BY w.channel_id, t.ancestor_id ORDER BY w.home, w.customer_id) AS n
        FROM pg_temp.crm_plan_work w
        JOIN crm.organisation_tree t ON t.descendant_id = CASE WHEN top = deepest + 1 THEN w.community_org ELSE w.home END
        JOIN crm.organisation o ON o.id = t.ancestor_id AND CASE WHEN top > deepest THEN t.depth = 0 ELSE o.level = top END
        LEFT JOIN pg_temp.crm_plan_proposal p ON p.id = w.proposal_id
        WHERE w.org_id IS NULL AND w.kind = of_kind AND (p.org_id IS NULL OR EXISTS (SELECT FROM crm.organisation_tree x WHERE x.ancestor_id = p.org_id AND x.descendant_id = t.ancestor_id))),
      supply AS (
        SELECT u.channel_id, t.ancestor_id, array_agg(u.org_id ORDER BY u.org_id) AS orgs, array_agg(u.seats ORDER BY u.org_id) AS rooms, sum(u.seats) AS room
        FROM (SELECT x.channel_id, x.org_id, CASE WHEN x.room < l.load THEN 0 WHEN l.load = 0 THEN 1000000000 ELSE x.room / l.load END::numeric AS seats
              FROM pg_temp.crm_plan_unit x JOIN pg_temp.crm_plan_load l ON l.channel_id = x.channel_id AND l.org_id = x.org_id AND l.kind = of_kind) u
        JOIN crm.organisation_tree t ON t.descendant_id = u.org_id
        JOIN crm.organisation o ON o.id = t.ancestor_id AND CASE WHEN top > deepest THEN t.depth = 0 ELSE o.level = top END
        WHERE u.seats > 0 GROUP BY u.channel_id, t.ancestor_id),
      share AS (
        SELECT s.channel_id, s.ancestor_id, x.org_id, x.n, sum(x.n) OVER (PARTITION BY s.channel_id, s.ancestor_id ORDER BY x.org_id) AS upto
        FROM supply s
        JOIN (SELECT y.channel_id, y.ancestor_id, count(*) AS n FROM place y GROUP BY y.channel_id, y.ancestor_id) d ON d.channel_id = s.channel_id AND d.ancestor_id = s.ancestor_id
        CROSS JOIN LATERAL unnest(s.orgs, crm.apportion(least(d.n, s.room)::bigint, s.rooms)) x(org_id, n)),
      seat AS MATERIALIZED (
        SELECT s.channel_id, s.ancestor_id, s.org_id, k AS n FROM share s CROSS JOIN LATERAL generate_series((s.upto - s.n + 1)::bigint, s.upto::bigint) k),
      moved AS (
        UPDATE pg_temp.crm_plan_work w SET org_id = s.org_id, why = coalesce(w.why, CASE WHEN s.org_id = w.home THEN 'home' WHEN top = deepest + 1 THEN 'community' ELSE 'near' END)
        FROM place p JOIN seat s ON s.channel_id = p.channel_id AND s.ancestor_id = p.ancestor_id AND s.n = p.n
        WHERE w.customer_id = p.customer_id
        RETURNING w.channel_id, w.org_id)
      UPDATE pg_temp.crm_plan_unit u SET room = u.room - m.n * l.load
      FROM (SELECT x.channel_id, x.org_id, count(*) AS n FROM moved x GROUP BY x.channel_id, x.org_id) m
      JOIN pg_temp.crm_plan_load l ON l.channel_id = m.channel_id AND l.org_id = m.org_id AND l.kind = of_kind
      WHERE u.channel_id = m.channel_id AND u.org_id = m.org_id;
    END LOOP;
  END LOOP;
  DELETE FROM pg_temp.crm_plan_work w WHERE w.org_id IS NULL;
  DROP TABLE pg_temp.crm_plan_unit, pg_temp.crm_plan_shut;
END
$$;
COMMENT ON FUNCTION crm._plan_units(crm.plan) IS
  'Step 5: each customer of a channel goes to an earlier servicer with room, else to the home unit, else to the outlet of the community, else to the units nearest to the home, by room.';
REVOKE ALL ON FUNCTION crm._plan_units(crm.plan) FROM PUBLIC;

CREATE FUNCTION crm._plan_staff(plan crm.plan) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off AS $$
#variable_conflict use_column
DECLARE
  customers bigint[];
BEGIN
  INSERT INTO pg_temp.crm_plan_affinity (customer_id, staff_id, matches)
  SELECT w.customer_id, s.staff_id, count(*)
  FROM pg_temp.crm_plan_work w
  JOIN pg_temp.crm_plan_trait t ON t.customer_id = w.customer_id
  JOIN crm.staff_skill k ON k.kind = t.kind AND k.value = t.value
  JOIN pg_temp.crm_plan_staff s ON s.staff_id = k.staff_id AND s.channel_id = w.channel_id AND s.org_id = w.org_id
  WHERE w.staff_id IS NULL AND NOT EXISTS (SELECT FROM pg_temp.crm_plan_bar b WHERE b.customer_id = w.customer_id AND b.staff_id = s.staff_id)
  GROUP BY w.customer_id, s.staff_id;
  ANALYZE pg_temp.crm_plan_affinity;
  IF plan.strategy = 'optimal' THEN
    WITH given AS (
      UPDATE pg_temp.crm_plan_work w SET staff_id = a.holder_id
      FROM crm.assign(
        'SELECT w.customer_id, s.staff_id AS holder_id, (coalesce(r.purchased, 0) + 1)::double precision / (coalesce(r.allocated, 0) + 10) + 0.1 * coalesce(f.matches, 0) AS benefit, l.load
         FROM pg_temp.crm_plan_work w
         JOIN pg_temp.crm_plan_staff s ON s.channel_id = w.channel_id AND s.org_id = w.org_id
         JOIN pg_temp.crm_plan_load l ON l.channel_id = s.channel_id AND l.org_id = s.org_id AND l.kind = w.kind
         LEFT JOIN (SELECT x.staff_id, x.tier, count(*) AS allocated, count(*) FILTER (WHERE x.purchased) AS purchased
                    FROM pg_temp.crm_plan_result x GROUP BY x.staff_id, x.tier) r ON r.staff_id = s.staff_id AND r.tier = w.tier
         LEFT JOIN pg_temp.crm_plan_affinity f ON f.customer_id = w.customer_id AND f.staff_id = s.staff_id
         WHERE w.staff_id IS NULL AND NOT EXISTS (SELECT FROM pg_temp.crm_plan_bar b WHERE b.customer_id = w.customer_id AND b.staff_id = s.staff_id)',
        'SELECT s.staff_id AS holder_id, greatest(s.room, 0) AS capacity FROM pg_temp.crm_plan_staff s') a
      WHERE w.customer_id = a.customer_id
      RETURNING w.customer_id)
    SELECT array_agg(g.customer_id) INTO customers FROM given g;
    PERFORM crm._plan_seated(customers);
  ELSE
    customers := crm._plan_deal(plan);
    IF EXISTS (SELECT FROM pg_temp.crm_plan_affinity f) THEN
      PERFORM crm._plan_suit(customers);
      PERFORM crm._plan_seated(customers);
      PERFORM crm._plan_deal(plan);
    END IF;
  END IF;
  DELETE FROM pg_temp.crm_plan_work w WHERE w.staff_id IS NULL;
END
$$;
COMMENT ON FUNCTION crm._plan_staff(crm.plan) IS 'Step 6: the staff of each unit share its customers by the strategy, optimal by how well each sold to customers of the tier and a tenth of a purchase for each match of language, training or community; the others dealt level and then exchanged for the most matches; whom nobody can take is left over.';
REVOKE ALL ON FUNCTION crm._plan_staff(crm.plan) FROM PUBLIC;

CREATE FUNCTION crm._keep_plan(plan crm.plan) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off AS $$
#variable_conflict use_column
BEGIN
  UPDATE pg_temp.crm_plan_work w SET stage = s.stage
  FROM (SELECT DISTINCT x.org_id, x.stage FROM pg_temp.crm_plan_staff x WHERE x.stage IS NOT NULL) s WHERE s.org_id = w.org_id;
  PERFORM crm._plan_hold_out(plan);
  DELETE FROM crm.plan_customer c WHERE c.plan_id = plan.id;
  DELETE FROM crm.plan_line l WHERE l.plan_id = plan.id;
  DELETE FROM crm.plan_cell c WHERE c.plan_id = plan.id;
  DELETE FROM crm.plan_proposal p WHERE p.plan_id = plan.id;

  INSERT INTO crm.plan_proposal (plan_id, proposal_id, version, matching, room, planned, planned_load)
  SELECT plan.id, p.id, p.version, (SELECT count(*) FROM pg_temp.crm_plan_match m WHERE m.proposal_id = p.id), p.room,
         (SELECT count(*) FROM pg_temp.crm_plan_work w WHERE w.proposal_id = p.id),
         (SELECT coalesce(sum(g.n * coalesce((SELECT min(l.load) FROM pg_temp.crm_plan_load l
                                              WHERE l.channel_id = g.channel_id AND l.kind = g.kind AND (g.org_id IS NULL OR l.org_id = g.org_id)), 1)), 0)
          FROM (SELECT w.channel_id, w.org_id, w.kind, count(*) AS n FROM pg_temp.crm_plan_work w WHERE w.proposal_id = p.id GROUP BY w.channel_id, w.org_id, w.kind) g)
  FROM pg_temp.crm_plan_proposal p ORDER BY p.id;
  INSERT INTO crm.plan_cell (plan_id, proposal_id, coverage, tier, customers, planned, basis, allocated, contacted, purchased, premium, cost, capped_premium, premium_load, days,
    premium_low, premium_high, cost_low, cost_high, days_low, days_high, credibility,
    prior_contacts, prior_purchases, prior_premium_per_purchase, prior_cost, expected_contacts, expected_purchases, expected_premium, expected_cost)
  SELECT plan.id, r.proposal_id, r.coverage, r.tier, r.customers, coalesce(n.planned, 0), r.basis, r.allocated, r.contacted, r.purchased, r.premium, r.cost, r.capped_premium, r.premium_load, r.days,
         r.premium_low, r.premium_high, r.cost_low, r.cost_high, r.days_low, r.days_high, r.credibility,
         r.prior_contacts, r.prior_purchases, r.prior_premium_per_purchase, r.prior_cost, r.expected_contacts, r.expected_purchases, r.expected_premium, r.expected_cost
  FROM pg_temp.crm_plan_rate r
  LEFT JOIN (SELECT w.proposal_id, w.coverage, w.tier, count(*) AS planned FROM pg_temp.crm_plan_work w GROUP BY 1, 2, 3) n
    ON n.proposal_id = r.proposal_id AND n.coverage = r.coverage AND n.tier = r.tier
  ORDER BY r.proposal_id, r.coverage, r.tier;
  CREATE TEMPORARY TABLE crm_plan_line ON COMMIT DROP AS
  SELECT row_number() OVER (ORDER BY x.stage NULLS FIRST, x.proposal_id NULLS LAST, x.provider_id, x.channel_id, x.org_id NULLS FIRST)::integer AS line, x.*
  FROM (SELECT w.proposal_id, w.provider_id, w.channel_id, w.org_id, w.stage, count(*) AS customers, count(*) FILTER (WHERE w.arm = 'hold_out') AS held_out,
               round(coalesce(sum(r.expected_contacts), 0), 4) AS contacts, round(coalesce(sum(r.expected_purchases), 0), 4) AS purchases,
               round(coalesce(sum(r.expected_premium), 0), 2) AS premium, round(coalesce(sum(r.expected_cost), 0), 2) AS cost
        FROM pg_temp.crm_plan_work w
        LEFT JOIN pg_temp.crm_plan_rate r ON r.proposal_id = w.proposal_id AND r.coverage = w.coverage AND r.tier = w.tier AND w.arm IS DISTINCT FROM 'hold_out'
        GROUP BY w.proposal_id, w.provider_id, w.channel_id, w.org_id, w.stage) x;
  INSERT INTO crm.plan_line (plan_id, line, proposal_id, provider_id, channel_id, org_id, stage, customers, held_out, expected_contacts, expected_purchases, expected_premium, expected_cost)
  SELECT plan.id, l.line, l.proposal_id, l.provider_id, l.channel_id, l.org_id, l.stage, l.customers, l.held_out, l.contacts, l.purchases, l.premium, l.cost
  FROM pg_temp.crm_plan_line l ORDER BY l.line;
  INSERT INTO crm.plan_customer (plan_id, customer_id, line, staff_id, why, wanted, met, arm, coverage, tier)
  SELECT plan.id, w.customer_id, l.line, w.staff_id, w.why, t.wanted, t.met, w.arm, w.coverage, w.tier
  FROM pg_temp.crm_plan_work w
  LEFT JOIN (SELECT x.customer_id, array_agg(x.kind ORDER BY x.kind) AS wanted,
                    array_agg(x.kind ORDER BY x.kind) FILTER (WHERE k.staff_id IS NOT NULL OR x.kind = 'community' AND y.org_id = y.community_org) AS met
             FROM pg_temp.crm_plan_trait x
             JOIN pg_temp.crm_plan_work y ON y.customer_id = x.customer_id
             LEFT JOIN crm.staff_skill k ON k.staff_id = y.staff_id AND k.kind = x.kind AND k.value = x.value
             WHERE plan.level <> 'channel' GROUP BY x.customer_id) t ON t.customer_id = w.customer_id
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
  PERFORM crm._plan_rooms(plan, compute_plan.as_of), crm._plan_pins(plan);
  IF plan.strategy <> 'optimal' THEN
    PERFORM crm._plan_channels(plan);
    IF plan.level <> 'channel' THEN
      PERFORM crm._plan_units(plan);
    END IF;
  ELSIF plan.level = 'channel' THEN
    PERFORM crm._plan_choose(plan);
  ELSE
    PERFORM crm._plan_seats(plan), crm._plan_optimum(plan);
  END IF;
  IF plan.level = 'staff' THEN
    PERFORM crm._plan_staff(plan);
  END IF;
  PERFORM crm._keep_plan(plan), crm._keep_prices(plan);
  UPDATE crm.plan p SET version = p.version + 1, as_of = compute_plan.as_of, computed_at = clock_timestamp(), computed_by = crm.actor() WHERE p.id = plan.id;
  DROP TABLE pg_temp.crm_plan_work, pg_temp.crm_plan_match, pg_temp.crm_plan_proposal, pg_temp.crm_plan_rate, pg_temp.crm_plan_staff, pg_temp.crm_plan_kind, pg_temp.crm_plan_load, pg_temp.crm_plan_trait, pg_temp.crm_plan_affinity, pg_temp.crm_plan_bar,
    pg_temp.crm_plan_result, pg_temp.crm_plan_price, pg_temp.crm_plan_solved, pg_temp.crm_plan_line;
  RETURN plan.version + 1;
END
$$;
COMMENT ON FUNCTION crm.compute_plan(bigint, date) IS
  'Computes a draft plan as of a day, from the inventory without its conflicts, the proposals submitted, quotas and what staff hold, history and adjustments; returns its new version. Nothing is held by it. The same input gives the same plan. Channels come first: whom several want is apportioned by the weighing of the plan, within volume and room; then units: of an earlier servicer, at home, of the community, near; then staff in post, those first who suit by language, training for tier or product line, or community (crm.staff_skill), never within their cool-off. With strategy optimal all units of all channels share the customers at once, for the most worth within crm.plan_limit, and every limit gets its price. Who is left over stays in the inventory. Errors: 22004, 22023, 23503, 42501, 55000 not a draft, cycle closed, nobody free, no proposal submitted, a floor that cannot be met, no standings. 计算预分配';
REVOKE ALL ON FUNCTION crm.compute_plan(bigint, date) FROM PUBLIC;

INSERT INTO crm.duty_right (duty, privilege, kind, object)
SELECT d.duty, 'EXECUTE', 'FUNCTION', 'crm.compute_plan(bigint, date)' FROM (VALUES ('planner'), ('resource_manager')) d(duty);
