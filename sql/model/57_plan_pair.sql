-- allocate: the optimum of a plan: which customers may go to which unit by which proposal, and what that is worth

-- Customers of a class are alike in all that a plan for units looks at: the same proposal, home, worth, load, wishes, earlier servicers and bars.
CREATE FUNCTION crm._plan_classes(plan crm.plan) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off AS $$
#variable_conflict use_column
BEGIN
  PERFORM crm._plan_values(plan);
  CREATE TEMPORARY TABLE crm_plan_ask ON COMMIT DROP AS
  SELECT p.id AS proposal_id, p.channel_id, p.org_id AS within, greatest(p.volume - (SELECT count(*) FROM pg_temp.crm_plan_work w WHERE w.proposal_id = p.id), 0) AS wants,
         p.id AS crowd, 0::double precision AS price, 0::double precision AS best_price
  FROM pg_temp.crm_plan_proposal p;
  CREATE TEMPORARY TABLE crm_plan_may ON COMMIT DROP AS
  SELECT m.customer_id, a.channel_id, m.proposal_id, a.within, v.value, false AS pinned
  FROM pg_temp.crm_plan_match m
  JOIN pg_temp.crm_plan_ask a ON a.proposal_id = m.proposal_id
  JOIN pg_temp.crm_plan_work w ON w.customer_id = m.customer_id
  JOIN pg_temp.crm_plan_value v ON v.proposal_id = m.proposal_id AND v.coverage = w.coverage AND v.tier = w.tier
  WHERE w.why IS NULL
  UNION ALL
  SELECT w.customer_id, w.channel_id, coalesce(w.proposal_id, 0), p.org_id, 1, true
  FROM pg_temp.crm_plan_work w LEFT JOIN pg_temp.crm_plan_proposal p ON p.id = w.proposal_id WHERE w.why = 'pin' AND w.org_id IS NULL;
  ANALYZE pg_temp.crm_plan_may;

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
  -- units of earlier servicers, and those that are shut to the customer, below 0
  CREATE TEMPORARY TABLE crm_plan_special ON COMMIT DROP AS
  SELECT y.customer_id, y.channel_id, array_agg(DISTINCT y.unit ORDER BY y.unit) AS units
  FROM (SELECT m.customer_id, m.channel_id, s.holder_id AS unit
        FROM (SELECT DISTINCT x.customer_id, x.channel_id FROM pg_temp.crm_plan_may x) m
        JOIN crm.policy p ON p.customer_id = m.customer_id
        JOIN pg_temp.crm_plan_staff f ON f.staff_id = p.servicer_id AND f.channel_id = m.channel_id
        JOIN pg_temp.crm_plan_seat s ON s.channel_id = f.channel_id AND s.org_id = f.org_id
        WHERE NOT EXISTS (SELECT FROM pg_temp.crm_plan_bar b WHERE b.customer_id = m.customer_id AND b.staff_id = f.staff_id)
        UNION ALL
        SELECT z.customer_id, z.channel_id, - s.holder_id FROM pg_temp.crm_plan_shut z JOIN pg_temp.crm_plan_seat s ON s.channel_id = z.channel_id AND s.org_id = z.org_id) y
  GROUP BY y.customer_id, y.channel_id;
  ANALYZE pg_temp.crm_plan_special;

  CREATE TEMPORARY TABLE crm_plan_guest ON COMMIT DROP AS
  SELECT m.customer_id, m.channel_id, m.proposal_id, m.pinned, m.value, coalesce(m.within, 0) AS within, w.home, w.kind, coalesce(t.taste, 0) AS taste, coalesce(s.units, '{}') AS special
  FROM pg_temp.crm_plan_may m
  JOIN pg_temp.crm_plan_work w ON w.customer_id = m.customer_id
  LEFT JOIN pg_temp.crm_plan_taste t ON t.customer_id = m.customer_id
  LEFT JOIN pg_temp.crm_plan_special s ON s.customer_id = m.customer_id AND s.channel_id = m.channel_id;
  CREATE TEMPORARY TABLE crm_plan_class ON COMMIT DROP AS
  SELECT row_number() OVER (ORDER BY min(g.customer_id), g.channel_id, g.proposal_id, g.pinned) AS class, g.channel_id, g.proposal_id, g.pinned, g.value, g.within, g.home, g.kind, g.taste, g.special,
         count(*) AS customers
  FROM pg_temp.crm_plan_guest g GROUP BY g.channel_id, g.proposal_id, g.pinned, g.value, g.within, g.home, g.kind, g.taste, g.special;
  ANALYZE pg_temp.crm_plan_class;
  CREATE TEMPORARY TABLE crm_plan_member ON COMMIT DROP AS
  SELECT g.customer_id, c.class, row_number() OVER (PARTITION BY c.class ORDER BY hashint8(g.customer_id), g.customer_id) AS n
  FROM pg_temp.crm_plan_guest g
  JOIN pg_temp.crm_plan_class c ON c.channel_id = g.channel_id AND c.proposal_id = g.proposal_id AND c.pinned = g.pinned AND c.value = g.value AND c.within = g.within AND c.home = g.home
    AND c.kind = g.kind AND c.taste = g.taste AND c.special = g.special;
  ANALYZE pg_temp.crm_plan_member;
  DROP TABLE pg_temp.crm_plan_value, pg_temp.crm_plan_may, pg_temp.crm_plan_taste, pg_temp.crm_plan_special, pg_temp.crm_plan_guest;
END
$$;
COMMENT ON FUNCTION crm._plan_classes(crm.plan) IS 'What proposals ask for, and the customers in their segments in classes: those of one are alike in all that units are chosen by.';
REVOKE ALL ON FUNCTION crm._plan_classes(crm.plan) FROM PUBLIC;

-- Worth of a pair: that of the customer to the proposal, a tenth more for each match, two tenths for the unit of an earlier servicer, a tenth less for each level
-- up from home to what it has in common with the unit.
--
-- Of the customers for a unit by a proposal only the best can matter, as many as all proposals still ask for together, and one: where an assignment gives the unit another,
-- one of those is free, who is worth no less and counts as much there, and takes the place. Neither the customers that each unit and each proposal gets change by it, nor loads.
CREATE FUNCTION crm._plan_edges(plan crm.plan, OUT is_whole boolean)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off AS $$
#variable_conflict use_column
DECLARE
  most_pairs CONSTANT bigint := 6000000;
  asked CONSTANT bigint := (SELECT least(sum(a.wants), 1000000000) FROM pg_temp.crm_plan_ask a) + 1;
  near bigint;
  turns bigint;
  units bigint;
BEGIN
  CREATE TEMPORARY TABLE crm_plan_near ON COMMIT DROP AS
  SELECT y.channel_id, y.home, y.within, s.holder_id, (0.9 ^ d.depth)::double precision AS factor,
         row_number() OVER (PARTITION BY y.channel_id, y.home, y.within ORDER BY d.depth, s.org_id) AS n
  FROM (SELECT DISTINCT c.channel_id, c.home, c.within FROM pg_temp.crm_plan_class c) y
  JOIN pg_temp.crm_plan_seat s ON s.channel_id = y.channel_id
  JOIN (SELECT h.descendant_id AS home, u.descendant_id AS org_id, min(h.depth) AS depth
        FROM (SELECT DISTINCT x.home FROM pg_temp.crm_plan_class x) x
        JOIN crm.organisation_tree h ON h.descendant_id = x.home
        JOIN crm.organisation_tree u ON u.ancestor_id = h.ancestor_id
        WHERE u.descendant_id IN (SELECT z.org_id FROM pg_temp.crm_plan_seat z) GROUP BY 1, 2) d ON d.home = y.home AND d.org_id = s.org_id
  WHERE y.within = 0 OR EXISTS (SELECT FROM crm.organisation_tree t WHERE t.ancestor_id = y.within AND t.descendant_id = s.org_id);
  ANALYZE pg_temp.crm_plan_near;
  units := (SELECT coalesce(max(n.n), 0) FROM pg_temp.crm_plan_near n);
  -- where even the classes are too many, each looks at the nearest units, and at some of the others in turn
  near := CASE WHEN (SELECT count(*) FROM pg_temp.crm_plan_class c) * units <= 5 * most_pairs THEN units
               ELSE greatest(2 * most_pairs / (SELECT count(*) FROM pg_temp.crm_plan_class c), 10) END;
  is_whole := near >= units;
  turns := greatest(units / greatest(near, 1), 1);

  -- what a customer counts matters where those of a unit count differently
  CREATE TEMPORARY TABLE crm_plan_weight ON COMMIT DROP AS
  SELECT s.holder_id, l.kind, CASE WHEN s.capacity IS NULL THEN l.load ELSE greatest(l.load, 1) END AS load
  FROM pg_temp.crm_plan_seat s JOIN pg_temp.crm_plan_load l ON l.channel_id = s.channel_id AND l.org_id = s.org_id WHERE s.uneven;
  CREATE TEMPORARY TABLE crm_plan_cell ON COMMIT DROP AS
  SELECT y.class, y.proposal_id, y.holder_id, y.benefit, y.load, y.n, CASE WHEN y.pinned THEN y.customers ELSE least(y.customers, asked - y.before) END AS customers
  FROM (SELECT x.*, sum(x.customers) OVER (PARTITION BY x.proposal_id, x.holder_id, x.pinned, x.load ORDER BY x.benefit DESC, x.class ROWS UNBOUNDED PRECEDING) - x.customers AS before
        FROM (SELECT c.class, c.proposal_id, c.pinned, c.customers, n.holder_id, n.n, coalesce(z.load, 1) AS load,
                     c.value * n.factor * (1 + (coalesce(k.matches, 0) + CASE WHEN n.holder_id = ANY (c.special) THEN 2 ELSE 0 END)::double precision / 10) AS benefit
              FROM pg_temp.crm_plan_class c
              JOIN pg_temp.crm_plan_near n ON n.channel_id = c.channel_id AND n.home = c.home AND n.within = c.within AND (n.n <= near OR n.n % turns = c.class % turns)
              LEFT JOIN pg_temp.crm_plan_weight z ON z.holder_id = n.holder_id AND z.kind = c.kind
              LEFT JOIN pg_temp.crm_plan_liking k ON k.taste = c.taste AND k.holder_id = n.holder_id
              WHERE - n.holder_id <> ALL (c.special)) x) y
  WHERE y.pinned OR y.before < asked;
  ANALYZE pg_temp.crm_plan_cell;
  IF (SELECT sum(x.customers) FROM pg_temp.crm_plan_cell x) > most_pairs THEN
    is_whole := false;
    near := greatest(most_pairs / 2 / (SELECT count(DISTINCT m.customer_id) FROM pg_temp.crm_plan_member m), 10);
    turns := greatest(units / near, 1);
  END IF;
  CREATE TEMPORARY TABLE crm_plan_edge ON COMMIT DROP AS
  SELECT m.customer_id, x.holder_id, x.proposal_id, x.benefit, x.load
  FROM pg_temp.crm_plan_cell x JOIN pg_temp.crm_plan_member m ON m.class = x.class AND m.n <= x.customers
  WHERE is_whole OR x.n <= near OR x.n % turns = m.customer_id % turns;
  ANALYZE pg_temp.crm_plan_edge;
  DROP TABLE pg_temp.crm_plan_near, pg_temp.crm_plan_liking, pg_temp.crm_plan_weight, pg_temp.crm_plan_cell, pg_temp.crm_plan_class, pg_temp.crm_plan_member;
END
$$;
COMMENT ON FUNCTION crm._plan_edges(crm.plan) IS
  'Which unit may get whom by which proposal, what that is worth, and what the customer counts there, without those who cannot matter; tells whether it is without no other.';
REVOKE ALL ON FUNCTION crm._plan_edges(crm.plan) FROM PUBLIC;

-- Proposals of a channel for units of their own have limits of their own; those that share a unit are one crowd.
CREATE FUNCTION crm._plan_crowds() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off AS $$
#variable_conflict use_column
DECLARE
  n bigint;
BEGIN
  CREATE TEMPORARY TABLE crm_plan_share ON COMMIT DROP AS SELECT DISTINCT e.holder_id, e.proposal_id FROM pg_temp.crm_plan_edge e WHERE e.proposal_id > 0;
  LOOP
    UPDATE pg_temp.crm_plan_ask a SET crowd = x.crowd
    FROM (SELECT s.proposal_id, min(b.crowd) AS crowd
          FROM pg_temp.crm_plan_share s JOIN pg_temp.crm_plan_share t ON t.holder_id = s.holder_id JOIN pg_temp.crm_plan_ask b ON b.proposal_id = t.proposal_id GROUP BY s.proposal_id) x
    WHERE a.proposal_id = x.proposal_id AND x.crowd < a.crowd;
    GET DIAGNOSTICS n = ROW_COUNT;
    EXIT WHEN n = 0;
  END LOOP;
  UPDATE pg_temp.crm_plan_seat s SET crowd = x.crowd
  FROM (SELECT DISTINCT t.holder_id, a.crowd FROM pg_temp.crm_plan_share t JOIN pg_temp.crm_plan_ask a ON a.proposal_id = t.proposal_id) x WHERE x.holder_id = s.holder_id;
  DROP TABLE pg_temp.crm_plan_share;
END
$$;
COMMENT ON FUNCTION crm._plan_crowds() IS 'Which proposals share units, and whose units are whose.';
REVOKE ALL ON FUNCTION crm._plan_crowds() FROM PUBLIC;
