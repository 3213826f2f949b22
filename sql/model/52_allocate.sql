-- allocate: customers of the pool to members of staff

CREATE FUNCTION crm._allocation_state(customers bigint[], staff bigint[],
  OUT eligible bigint[], OUT others bigint[], OUT narrowing boolean, OUT kinds bigint[], OUT kind_loads bigint[], OUT loads bigint[], OUT rooms bigint[],
  OUT turns bigint[], OUT barred_customers bigint[], OUT barred_staff bigint[])
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
DECLARE
  pool record;
  at timestamptz;
  day date;
  r record;
BEGIN
  PERFORM crm._staff_in_post(u.id, crm._business_day(clock_timestamp())) FROM unnest(_allocation_state.staff) u(id);
  pool := crm._lock_pool(_allocation_state.customers);
  PERFORM crm._lock_counts(_allocation_state.staff);
  at := clock_timestamp();
  day := crm._business_day(at);
  narrowing := pool.narrowing;
  r := crm._rooms(_allocation_state.staff, day);
  loads := r.loads;
  rooms := r.rooms;
  turns := r.turns;

  WITH open AS MATERIALIZED (
    SELECT h.customer_id, h.channel_id, h.org_id, h.staff_id
    FROM unnest(pool.locked) u(id) JOIN crm.holding h ON h.customer_id = u.id AND h.held_to IS NULL),
  unit AS MATERIALIZED (
    SELECT DISTINCT o.channel_id, o.org_id FROM open o WHERE o.staff_id IS NULL),
  own AS (
    SELECT n.channel_id, n.org_id FROM unit n
    WHERE NOT EXISTS (SELECT FROM crm.staff s
                      WHERE s.id = ANY (_allocation_state.staff) AND NOT crm._lies_within(s.channel_id, s.org_id, n.channel_id, n.org_id))),
  out AS MATERIALIZED (
    SELECT o.customer_id AS id FROM open o LEFT JOIN own n ON o.staff_id IS NULL AND n.channel_id = o.channel_id AND n.org_id IS NOT DISTINCT FROM o.org_id
    WHERE n.channel_id IS NULL
    UNION
    SELECT b.customer_id FROM crm.blacklist b WHERE b.from_date <= day AND (b.to_date IS NULL OR b.to_date > day)
    UNION
    SELECT h.customer_id FROM crm._held_out h)
  SELECT coalesce(array_agg(u.id ORDER BY u.n) FILTER (WHERE l.id IS NOT NULL AND t.id IS NULL), '{}'),
         coalesce(array_agg(u.id) FILTER (WHERE l.id IS NULL OR t.id IS NOT NULL), '{}')
  INTO eligible, others
  FROM unnest(_allocation_state.customers) WITH ORDINALITY u(id, n)
  LEFT JOIN unnest(pool.locked) l(id) ON l.id = u.id
  LEFT JOIN out t ON t.id = u.id;
  SELECT coalesce(array_agg(h.customer_id), '{}'), coalesce(array_agg(h.staff_id), '{}') INTO barred_customers, barred_staff
  FROM unnest(eligible) u(id) JOIN crm.holding h ON h.customer_id = u.id
  WHERE h.staff_id = ANY (_allocation_state.staff) AND h.held_to IS NOT NULL AND crm._free_again(h.held_to, h.rule) > at;
  SELECT k.kinds, k.kind_loads INTO kinds, kind_loads FROM crm._kinds(eligible, _allocation_state.staff, day) k;
END
$$;
COMMENT ON FUNCTION crm._allocation_state(bigint[], bigint[]) IS
  'Locks what an allocation is about and says what it starts from: the customers that may be allocated, in the order given, and the others; what each kind of customer counts with each member of staff; what each holds, may hold more, and their place by the last allocation; and the pairs in cool-off. Customers are each named once. Errors: 22004, 23503, 55000.';
REVOKE ALL ON FUNCTION crm._allocation_state(bigint[], bigint[]) FROM PUBLIC;

CREATE FUNCTION crm._allocation_edges(customers bigint[], staff bigint[], as_of date)
RETURNS TABLE (customer_id bigint, holder_id bigint, benefit double precision)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
  IF cardinality(_allocation_edges.customers)::bigint * cardinality(_allocation_edges.staff) > 20000000 THEN
    RAISE EXCEPTION '% customers and % members of staff are too many pairs', cardinality(_allocation_edges.customers), cardinality(_allocation_edges.staff)
      USING ERRCODE = 'program_limit_exceeded', DETAIL = 'The limit is 20 million pairs.',
            HINT = 'Allocate unit by unit, or give a query of the pairs that matter as edges.';
  END IF;
  RETURN QUERY
  SELECT c.id, s.id, coalesce(f.benefit, 0)::double precision
  FROM unnest(_allocation_edges.customers) u(id) JOIN crm.customer c ON c.id = u.id
  CROSS JOIN (SELECT s.id FROM crm.staff s WHERE s.id = ANY (_allocation_edges.staff)) s
  LEFT JOIN crm._suits(_allocation_edges.customers, _allocation_edges.staff, _allocation_edges.as_of) f ON f.customer_id = c.id AND f.staff_id = s.id;
END
$$;
COMMENT ON FUNCTION crm._allocation_edges(bigint[], bigint[], date) IS
  'Benefit of each pair of customer and member of staff, as crm._suits(), 0 where nothing speaks for it. Errors: 54000 above 20 million pairs.';
REVOKE ALL ON FUNCTION crm._allocation_edges(bigint[], bigint[], date) FROM PUBLIC;

CREATE FUNCTION crm._deal_out(customers bigint[], staff bigint[], strategy text, weights bigint[], as_given boolean, reason text)
RETURNS TABLE (customer_id bigint, staff_id bigint, holding_id bigint, outcome text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
DECLARE
  -- a round robin goes by the order of the customers
  served CONSTANT bigint[] := CASE WHEN _deal_out.as_given THEN _deal_out.customers
                                   ELSE ARRAY(SELECT DISTINCT u.id FROM unnest(_deal_out.customers) u(id) WHERE u.id IS NOT NULL ORDER BY u.id) END;
  state record;
  who bigint[];
BEGIN
  state := crm._allocation_state(served, _deal_out.staff);
  who := crm._deal(CASE _deal_out.strategy WHEN 'weighted' THEN 'weighted' WHEN 'round_robin' THEN 'in_turn' ELSE 'level' END, state.eligible, state.kinds, _deal_out.staff,
                   CASE _deal_out.strategy WHEN 'weighted' THEN _deal_out.weights WHEN 'round_robin' THEN state.turns WHEN 'least_loaded' THEN state.loads
                                           ELSE array_fill(0::bigint, ARRAY[cardinality(_deal_out.staff)]) END,
                   state.rooms, state.kind_loads, state.barred_customers, state.barred_staff, _deal_out.as_given OR _deal_out.strategy = 'round_robin');
  RETURN QUERY
  SELECT s.customer_id, s.staff_id, s.holding_id, 'allocated'
  FROM crm._start(state.eligible, who, crm._pair_loads(who, state.kinds, _deal_out.staff, state.kind_loads), NULL, NULL, state.narrowing, _deal_out.reason) s;
  IF cardinality(state.others) > 0 OR array_position(who, NULL) IS NOT NULL THEN
    RETURN QUERY
    SELECT w.id, NULL::bigint, NULL::bigint, 'left_over' FROM unnest(state.eligible, who) w(id, staff_id) WHERE w.staff_id IS NULL
    UNION ALL
    SELECT w.id, NULL, NULL, CASE w.outcome WHEN 'left_over' THEN 'busy' ELSE w.outcome END
    FROM crm._judge(state.others, array_fill(NULL::bigint, ARRAY[cardinality(state.others)]), NULL, NULL, '{}') j
    CROSS JOIN LATERAL unnest(j.place, j.outcome) w(id, outcome);
  END IF;
END
$$;
COMMENT ON FUNCTION crm._deal_out(bigint[], bigint[], text, bigint[], boolean, text) IS
  'Deals customers to staff by even, weighted, round_robin or least_loaded: in the order of the array, each named once, or else in the order of their keys. One row for each customer. Whoever may call crm.allocate() may call this: nothing is taken for checked. Errors: 22004, 22023, 22003, 23503, 55000, 2202E.';
REVOKE ALL ON FUNCTION crm._deal_out(bigint[], bigint[], text, bigint[], boolean, text) FROM PUBLIC;

CREATE FUNCTION crm.allocate(customers bigint[], staff bigint[], strategy text DEFAULT 'even', edges text DEFAULT NULL, reason text DEFAULT NULL)
RETURNS TABLE (customer_id bigint, staff_id bigint, holding_id bigint, outcome text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  state record;
  pairs text;
  weights bigint[];
  place bigint[];
  who bigint[];
  pair_customers bigint[];
  pair_staff bigint[];
  many bigint;
  k bigint;
  rooms bigint[];
  loads bigint[];
BEGIN
  IF array_ndims(allocate.customers) > 1 OR array_ndims(allocate.staff) > 1 THEN
    RAISE EXCEPTION 'customers and staff must have one dimension' USING ERRCODE = 'array_subscript_error';
  END IF;
  IF allocate.customers IS NULL OR allocate.staff IS NULL OR allocate.strategy IS NULL
     OR array_position(allocate.customers, NULL) IS NOT NULL OR array_position(allocate.staff, NULL) IS NOT NULL THEN
    RAISE EXCEPTION 'customers, staff and strategy must be given, without nulls' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  IF allocate.strategy NOT IN ('even', 'weighted', 'round_robin', 'least_loaded', 'best_fit', 'optimal', 'given') THEN
    RAISE EXCEPTION 'there is no strategy "%"', allocate.strategy
      USING ERRCODE = 'invalid_parameter_value', HINT = 'The strategies are even, weighted, round_robin, least_loaded, best_fit, optimal and given.';
  END IF;
  IF allocate.edges IS NOT NULL AND allocate.strategy NOT IN ('weighted', 'best_fit', 'optimal') THEN
    RAISE EXCEPTION 'strategy "%" takes no edges', allocate.strategy
      USING ERRCODE = 'invalid_parameter_value', HINT = 'Edges are for the strategies best_fit and optimal, and for weighted the weights.';
  END IF;

  IF allocate.strategy = 'given' THEN
    RETURN QUERY SELECT h.customer_id, h.staff_id, h.holding_id, h.outcome FROM crm._allocate(allocate.customers, allocate.staff, allocate.reason) h;
    RETURN;
  ELSIF allocate.strategy NOT IN ('best_fit', 'optimal') THEN
    IF allocate.strategy = 'weighted' THEN
      IF allocate.edges IS NULL THEN
        RAISE EXCEPTION 'strategy "weighted" needs the weights' USING ERRCODE = 'null_value_not_allowed', HINT = 'Give as edges a query of holder_id and weight.';
      END IF;
      EXECUTE format('SELECT array_agg(coalesce(w.weight, 0) ORDER BY u.n) FROM unnest($1) WITH ORDINALITY u(id, n)
                      LEFT JOIN (SELECT w.holder_id::bigint AS holder_id, sum(w.weight)::bigint AS weight FROM (%s) w GROUP BY 1) w ON w.holder_id = u.id', allocate.edges)
      INTO weights USING allocate.staff;
    END IF;
    RETURN QUERY
    SELECT d.customer_id, d.staff_id, d.holding_id, d.outcome
    FROM crm._deal_out(allocate.customers, allocate.staff, allocate.strategy, coalesce(weights, '{}'), false, allocate.reason) d ORDER BY d.customer_id;
    RETURN;
  END IF;

  state := crm._allocation_state(ARRAY(SELECT DISTINCT u.id FROM unnest(allocate.customers) u(id) ORDER BY u.id), allocate.staff);
  pairs := format('SELECT e.customer_id, e.holder_id, e.benefit FROM (%s) e
                   WHERE e.customer_id = ANY (%L::bigint[]) AND e.holder_id = ANY (%L::bigint[])
                     AND (e.customer_id, e.holder_id) NOT IN (SELECT * FROM unnest(%L::bigint[], %L::bigint[]))',
                  coalesce(allocate.edges,
                           format('SELECT * FROM crm._allocation_edges(%L, %L, %L)', state.eligible, allocate.staff, crm._business_day(clock_timestamp()))),
                  state.eligible, allocate.staff, state.barred_customers, state.barred_staff);
  IF allocate.strategy = 'optimal' THEN
    -- those of one kind count alike, so that what fits is a number of them; the heaviest first
    many := cardinality(state.kind_loads) / greatest(cardinality(allocate.staff), 1);
    rooms := state.rooms;
    FOR k IN SELECT u.kind FROM (SELECT DISTINCT x.kind FROM unnest(state.kinds) x(kind)) u
             ORDER BY (SELECT max(state.kind_loads[(n - 1) * many + u.kind]) FROM generate_series(1, cardinality(allocate.staff)) n) DESC, u.kind LOOP
      loads := ARRAY(SELECT state.kind_loads[(n - 1) * many + k] FROM generate_series(1, cardinality(allocate.staff)) n ORDER BY n);
      SELECT array_agg(a.customer_id), array_agg(a.holder_id) INTO pair_customers, pair_staff
      FROM crm.assign(format('SELECT k.customer_id, k.holder_id, k.benefit FROM (%s) k WHERE k.customer_id = ANY (%L::bigint[])', pairs,
                             ARRAY(SELECT u.id FROM unnest(state.eligible, state.kinds) u(id, kind) WHERE u.kind = k)),
                      format('SELECT s.holder_id, CASE WHEN s.room < s.load THEN 0 WHEN s.load = 0 THEN 1000000000 ELSE s.room / s.load END AS capacity
                              FROM unnest(%L::bigint[], %L::bigint[], %L::bigint[]) s(holder_id, room, load)', allocate.staff, rooms, loads)) a;
      place := place || pair_customers;
      who := who || pair_staff;
      rooms := ARRAY(SELECT r.room - r.load * (SELECT count(*) FROM unnest(pair_staff) g(id) WHERE g.id = r.id)
                     FROM unnest(allocate.staff, rooms, loads) WITH ORDINALITY r(id, room, load, n) ORDER BY r.n);
    END LOOP;
  ELSE
    EXECUTE format('SELECT array_agg(p.customer_id::bigint ORDER BY p.benefit DESC, p.customer_id, p.holder_id), array_agg(p.holder_id::bigint ORDER BY p.benefit DESC, p.customer_id, p.holder_id)
                    FROM (%s) p', pairs)
    INTO pair_customers, pair_staff;
    place := state.eligible;
    who := crm._fit(state.eligible, state.kinds, allocate.staff, state.rooms, state.kind_loads, coalesce(pair_customers, '{}'), coalesce(pair_staff, '{}'));
  END IF;
  SELECT coalesce(array_agg(c.id), '{}'), coalesce(array_agg(w.staff_id), '{}') INTO place, who
  FROM (SELECT DISTINCT u.id FROM unnest(allocate.customers) u(id)) c
  LEFT JOIN unnest(place, who) w(customer_id, staff_id) ON w.customer_id = c.id;
  RETURN QUERY
  SELECT h.customer_id, h.staff_id, h.holding_id, CASE WHEN h.outcome = 'left_over' AND o.id IS NOT NULL THEN 'busy' ELSE h.outcome END
  FROM crm._allocate(place, who, allocate.reason) h LEFT JOIN unnest(state.others) o(id) ON o.id = h.customer_id ORDER BY h.customer_id;
END
$$;
COMMENT ON FUNCTION crm.allocate(bigint[], bigint[], text, text, text) IS
  'Allocates customers from the pool to members of staff within their quotas, never to an earlier holder in cool-off nor to somebody on leave: even (as much load to each), weighted (load in proportion to weights; edges is a query of holder_id, weight), round_robin (one after the other to who waited longest since the last allocation), least_loaded (so that the loads held come out level), best_fit (best pair first), optimal (most customers, then the best sum of benefits; of customers who count differently the heaviest first) or given (each customer to the member of staff at the same place). For best_fit and optimal edges is a query of customer_id, holder_id, benefit with qualified names, without it the servicer of a policy counts 2, the home unit 1 and each skill that suits (crm.staff_skill) 1. One row for each customer, by key; holding_id is NULL and the customer stays in the pool where outcome is not allocated but held, left_over (nobody had room), busy (locked by somebody else at that moment), cool_off, quota, on_leave, blacklisted, held_out (by a plan, for comparison) or unknown. A customer held by a channel or unit is allocated when all the staff belong to it. The same input gives the same answer in any order. Errors: 22004, 22023, 22003, 23503 unknown staff, 55000 staff not in post, 54000, 2202E.';
REVOKE ALL ON FUNCTION crm.allocate(bigint[], bigint[], text, text, text) FROM PUBLIC;

INSERT INTO crm.duty_right (duty, privilege, kind, object) VALUES
  ('manager', 'EXECUTE', 'FUNCTION', 'crm.allocate(bigint[], bigint[], text, text, text)'),
  ('manager', 'EXECUTE', 'FUNCTION', 'crm._allocation_state(bigint[], bigint[])'),
  ('manager', 'EXECUTE', 'FUNCTION', 'crm._allocation_edges(bigint[], bigint[], date)'),
  ('manager', 'EXECUTE', 'FUNCTION', 'crm._deal_out(bigint[], bigint[], text, bigint[], boolean, text)');
