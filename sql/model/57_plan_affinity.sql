-- allocate: who suits whom in a plan: language, training for tier and product line, community

CREATE FUNCTION crm._plan_traits(day date) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off AS $$
#variable_conflict use_column
BEGIN
  CREATE TEMPORARY TABLE crm_plan_trait (customer_id bigint, kind text, value text, PRIMARY KEY (customer_id, kind)) ON COMMIT DROP;
  CREATE TEMPORARY TABLE crm_plan_affinity (customer_id bigint, staff_id bigint, matches integer, PRIMARY KEY (customer_id, staff_id)) ON COMMIT DROP;
  UPDATE pg_temp.crm_plan_work w SET community_org = m.org_id
  FROM crm.profile p JOIN crm.community m ON m.id = p.community_id
  WHERE p.customer_id = w.customer_id AND EXISTS (SELECT FROM pg_temp.crm_plan_staff s WHERE s.org_id = m.org_id);
  -- what nobody can suit is not asked for
  INSERT INTO pg_temp.crm_plan_trait (customer_id, kind, value)
  SELECT t.customer_id, t.kind, t.value
  FROM crm._customer_traits(ARRAY(SELECT w.customer_id FROM pg_temp.crm_plan_work w), day) t
  JOIN (SELECT DISTINCT k.kind, k.value FROM crm.staff_skill k JOIN pg_temp.crm_plan_staff s ON s.staff_id = k.staff_id) k ON k.kind = t.kind AND k.value = t.value;
  INSERT INTO pg_temp.crm_plan_trait (customer_id, kind, value)
  SELECT w.customer_id, 'community', m.code
  FROM pg_temp.crm_plan_work w JOIN crm.profile p ON p.customer_id = w.customer_id JOIN crm.community m ON m.id = p.community_id
  WHERE w.community_org IS NOT NULL
  ON CONFLICT ON CONSTRAINT crm_plan_trait_pkey DO NOTHING;
  ANALYZE pg_temp.crm_plan_trait;
END
$$;
COMMENT ON FUNCTION crm._plan_traits(date) IS 'What customers to be had ask of staff, as far as staff of the plan, or the outlet of a community, can give it.';
REVOKE ALL ON FUNCTION crm._plan_traits(date) FROM PUBLIC;

CREATE FUNCTION crm._plan_deal(plan crm.plan) RETURNS bigint[]
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off AS $$
#variable_conflict use_column
DECLARE
  dealt bigint[];
BEGIN
  WITH customer AS (
    SELECT w.channel_id, w.org_id, array_agg(w.customer_id ORDER BY w.customer_id) AS ids, array_agg(w.kind ORDER BY w.customer_id) AS kinds
    FROM pg_temp.crm_plan_work w WHERE w.staff_id IS NULL GROUP BY w.channel_id, w.org_id),
  holder AS (
    SELECT s.channel_id, s.org_id, array_agg(s.staff_id ORDER BY s.staff_id) AS ids, array_agg(greatest(s.room, 0) ORDER BY s.staff_id) AS rooms,
           array_agg(CASE plan.strategy WHEN 'even' THEN 0 ELSE s.held END::bigint ORDER BY s.staff_id) AS loads,
           (SELECT array_agg(l.load ORDER BY x.staff_id, l.kind) FROM pg_temp.crm_plan_staff x JOIN pg_temp.crm_plan_load l ON l.channel_id = x.channel_id AND l.org_id = x.org_id
            WHERE x.channel_id = s.channel_id AND x.org_id = s.org_id) AS kind_loads
    FROM pg_temp.crm_plan_staff s GROUP BY s.channel_id, s.org_id),
  bar AS (
    SELECT s.channel_id, s.org_id, array_agg(b.customer_id ORDER BY b.customer_id, b.staff_id) AS customers, array_agg(b.staff_id ORDER BY b.customer_id, b.staff_id) AS staff
    FROM pg_temp.crm_plan_bar b
    JOIN pg_temp.crm_plan_staff s ON s.staff_id = b.staff_id
    JOIN pg_temp.crm_plan_work w ON w.customer_id = b.customer_id AND w.channel_id = s.channel_id AND w.org_id = s.org_id
    GROUP BY s.channel_id, s.org_id),
  given AS (
    UPDATE pg_temp.crm_plan_work w SET staff_id = d.staff_id
    FROM customer c
    JOIN holder h ON h.channel_id = c.channel_id AND h.org_id = c.org_id
    LEFT JOIN bar b ON b.channel_id = c.channel_id AND b.org_id = c.org_id
    CROSS JOIN LATERAL unnest(c.ids, crm._deal('level', c.ids, c.kinds, h.ids, h.loads, h.rooms, h.kind_loads, coalesce(b.customers, '{}'), coalesce(b.staff, '{}'), false))
      d(customer_id, staff_id)
    WHERE w.customer_id = d.customer_id AND d.staff_id IS NOT NULL
    RETURNING w.customer_id)
  SELECT array_agg(g.customer_id) INTO dealt FROM given g;
  RETURN dealt;
END
$$;
COMMENT ON FUNCTION crm._plan_deal(crm.plan) IS 'Deals the customers of each unit who have nobody yet level to its staff, as far as there is room; who got somebody.';
REVOKE ALL ON FUNCTION crm._plan_deal(crm.plan) FROM PUBLIC;

CREATE FUNCTION crm._plan_suit(dealt bigint[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off AS $$
#variable_conflict use_column
BEGIN
  -- the seats dealt stay, of each kind and member of staff; who sits on them is chosen anew where somebody suits somebody
  CREATE TEMPORARY TABLE crm_plan_seat ON COMMIT DROP AS
  SELECT row_number() OVER (ORDER BY w.staff_id, w.kind) AS seat, w.channel_id, w.org_id, w.staff_id, w.kind, count(*) AS n
  FROM unnest(_plan_suit.dealt) u(id) JOIN pg_temp.crm_plan_work w ON w.customer_id = u.id
  WHERE (w.channel_id, w.org_id) IN (SELECT s.channel_id, s.org_id FROM pg_temp.crm_plan_affinity f JOIN pg_temp.crm_plan_staff s ON s.staff_id = f.staff_id)
  GROUP BY w.channel_id, w.org_id, w.staff_id, w.kind;
  CREATE TEMPORARY TABLE crm_plan_guest ON COMMIT DROP AS
  SELECT w.customer_id, w.channel_id, w.org_id, w.kind, EXISTS (SELECT FROM pg_temp.crm_plan_bar b WHERE b.customer_id = w.customer_id) AS choosy
  FROM unnest(_plan_suit.dealt) u(id) JOIN pg_temp.crm_plan_work w ON w.customer_id = u.id
  WHERE (w.channel_id, w.org_id) IN (SELECT s.channel_id, s.org_id FROM pg_temp.crm_plan_seat s);
  UPDATE pg_temp.crm_plan_work w SET staff_id = NULL FROM pg_temp.crm_plan_guest g WHERE w.customer_id = g.customer_id;
  UPDATE pg_temp.crm_plan_work w SET staff_id = s.staff_id
  FROM crm.assign('SELECT g.customer_id, s.seat AS holder_id, f.matches AS benefit
                   FROM pg_temp.crm_plan_guest g
                   JOIN pg_temp.crm_plan_affinity f ON f.customer_id = g.customer_id
                   JOIN pg_temp.crm_plan_seat s ON s.staff_id = f.staff_id AND s.kind = g.kind AND s.channel_id = g.channel_id AND s.org_id = g.org_id
                   WHERE NOT g.choosy
                   UNION ALL
                   -- who fits on some seats only has one before all matches together, of four kinds at most, count
                   SELECT g.customer_id, s.seat, 4 * (SELECT count(*) FROM pg_temp.crm_plan_guest) + coalesce(f.matches, 0)
                   FROM pg_temp.crm_plan_guest g
                   JOIN pg_temp.crm_plan_seat s ON s.kind = g.kind AND s.channel_id = g.channel_id AND s.org_id = g.org_id
                   LEFT JOIN pg_temp.crm_plan_affinity f ON f.customer_id = g.customer_id AND f.staff_id = s.staff_id
                   WHERE g.choosy AND NOT EXISTS (SELECT FROM pg_temp.crm_plan_bar b WHERE b.customer_id = g.customer_id AND b.staff_id = s.staff_id)',
                  'SELECT s.seat AS holder_id, s.n AS capacity FROM pg_temp.crm_plan_seat s') a
  JOIN pg_temp.crm_plan_seat s ON s.seat = a.holder_id
  WHERE w.customer_id = a.customer_id;
  UPDATE pg_temp.crm_plan_seat s SET n = s.n - t.n
  FROM (SELECT w.staff_id, g.kind, count(*) AS n FROM pg_temp.crm_plan_guest g JOIN pg_temp.crm_plan_work w ON w.customer_id = g.customer_id AND w.staff_id IS NOT NULL
        GROUP BY w.staff_id, g.kind) t
  WHERE s.staff_id = t.staff_id AND s.kind = t.kind;
  -- the others take what is left
  WITH customer AS (
    SELECT g.channel_id, g.org_id, g.kind, array_agg(g.customer_id ORDER BY g.customer_id) AS ids
    FROM pg_temp.crm_plan_guest g JOIN pg_temp.crm_plan_work w ON w.customer_id = g.customer_id AND w.staff_id IS NULL GROUP BY g.channel_id, g.org_id, g.kind),
  holder AS (
    SELECT s.channel_id, s.org_id, s.kind, array_agg(s.staff_id ORDER BY s.staff_id) AS ids, array_agg(s.n ORDER BY s.staff_id) AS rooms,
           array_agg(0::bigint) AS nothing, array_agg(1::bigint) AS ones
    FROM pg_temp.crm_plan_seat s GROUP BY s.channel_id, s.org_id, s.kind),
  bar AS (
    SELECT g.channel_id, g.org_id, g.kind, array_agg(b.customer_id) AS customers, array_agg(b.staff_id) AS staff
    FROM pg_temp.crm_plan_guest g JOIN pg_temp.crm_plan_bar b ON b.customer_id = g.customer_id GROUP BY g.channel_id, g.org_id, g.kind)
  UPDATE pg_temp.crm_plan_work w SET staff_id = d.staff_id
  FROM customer c
  JOIN holder h ON h.channel_id = c.channel_id AND h.org_id = c.org_id AND h.kind = c.kind
  LEFT JOIN bar b ON b.channel_id = c.channel_id AND b.org_id = c.org_id AND b.kind = c.kind
  CROSS JOIN LATERAL unnest(c.ids, crm._deal('level', c.ids, array_fill(1::bigint, ARRAY[cardinality(c.ids)]), h.ids, h.nothing, h.rooms, h.ones,
                                             coalesce(b.customers, '{}'), coalesce(b.staff, '{}'), false)) d(customer_id, staff_id)
  WHERE w.customer_id = d.customer_id AND d.staff_id IS NOT NULL;
  DROP TABLE pg_temp.crm_plan_seat, pg_temp.crm_plan_guest;
END
$$;
COMMENT ON FUNCTION crm._plan_suit(bigint[]) IS
  'Exchanges the customers dealt within each unit so that as many as can be have somebody who suits them, and those the most; how many of a kind each member of staff gets stays, and nobody dealt is lost for being barred from some of them.';
REVOKE ALL ON FUNCTION crm._plan_suit(bigint[]) FROM PUBLIC;
