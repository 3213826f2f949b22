-- allocate: handing over what somebody holds who leaves or moves

CREATE FUNCTION crm._lock_leavers(leavers bigint[], posted boolean DEFAULT false) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  receivers bigint[];
  items bigint[];
  customers bigint[];
BEGIN
  PERFORM FROM crm.staff s WHERE s.id = ANY (_lock_leavers.leavers) ORDER BY s.id FOR NO KEY UPDATE;
  PERFORM FROM crm.hand_over p WHERE p.staff_id = ANY (_lock_leavers.leavers) AND p.state = 'planned' ORDER BY p.staff_id FOR UPDATE;
  receivers := ARRAY(SELECT DISTINCT r.id FROM crm.hand_over p CROSS JOIN LATERAL unnest(crm._receivers(p)) r(id)
                     WHERE p.staff_id = ANY (_lock_leavers.leavers) AND p.state = 'planned');
  -- Items, then customers, then counts, as everywhere; what came to somebody while this waited is locked in its place, so all is let go and begun again.
  LOOP
    BEGIN
      items := ARRAY(SELECT i.id FROM crm.workflow_item i
                     WHERE i.responsible IN (SELECT s.login::text COLLATE "C" FROM crm.staff s WHERE s.id = ANY (_lock_leavers.leavers)) AND i.closed_at IS NULL
                     ORDER BY i.id FOR NO KEY UPDATE);
      customers := ARRAY(SELECT h.customer_id FROM crm.holding h WHERE h.staff_id = ANY (_lock_leavers.leavers) AND (_lock_leavers.posted OR h.held_to IS NULL)
                         UNION SELECT a.customer_id FROM crm.appointment a WHERE a.staff_id = ANY (_lock_leavers.leavers) AND a.result IS NULL
                         UNION SELECT v.customer_id FROM crm.policy p JOIN crm.cover v ON v.policy_id = p.id
                         WHERE _lock_leavers.posted AND p.servicer_id = ANY (_lock_leavers.leavers));
      PERFORM FROM crm.customer c WHERE c.id = ANY (customers) ORDER BY c.id FOR NO KEY UPDATE;
      PERFORM crm._lock_counts(_lock_leavers.leavers || receivers);
      IF EXISTS (SELECT FROM crm.holding h WHERE h.staff_id = ANY (_lock_leavers.leavers) AND h.held_to IS NULL AND h.customer_id NOT IN (SELECT u.id FROM unnest(customers) u(id)))
         OR EXISTS (SELECT FROM crm.appointment a WHERE a.staff_id = ANY (_lock_leavers.leavers) AND a.result IS NULL AND a.customer_id NOT IN (SELECT u.id FROM unnest(customers) u(id)))
         OR EXISTS (SELECT FROM crm.workflow_item i JOIN crm.staff s ON s.login::text COLLATE "C" = i.responsible
                    WHERE s.id = ANY (_lock_leavers.leavers) AND i.closed_at IS NULL AND i.id NOT IN (SELECT u.id FROM unnest(items) u(id))) THEN
        RAISE EXCEPTION USING ERRCODE = 'CRM01';
      END IF;
      RETURN;
    EXCEPTION WHEN SQLSTATE 'CRM01' THEN
      NULL;
    END;
  END LOOP;
END
$$;
COMMENT ON FUNCTION crm._lock_leavers(bigint[], boolean) IS
  'Locks, in this order, members of staff, their hand-overs that are planned, the open items of workflows they are responsible for, the customers they hold or have appointments with, and what they and those who may get a customer hold; until the transaction ends nobody is added to them. posted: also the customers whom they serve or held before, whom posting locks after a change of their last day.';
REVOKE ALL ON FUNCTION crm._lock_leavers(bigint[], boolean) FROM PUBLIC;

CREATE FUNCTION crm._pass_on(plan crm.hand_over, afresh boolean)
RETURNS TABLE (customer_id bigint, to_staff_id bigint, outcome text, obstacle text, got_staff_id bigint)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
DECLARE
  leaver CONSTANT bigint := (_pass_on.plan).staff_id;
  words CONSTANT text := coalesce((_pass_on.plan).reason, (_pass_on.plan).kind);
  strategy CONSTANT text := (_pass_on.plan).strategy;
  deals CONSTANT boolean := strategy NOT IN ('pool', 'keep');
  at timestamptz;
  successors bigint[];
  held bigint[];
  disputed bigint[];
  wish_customer bigint[];
  wish_staff bigint[];
  wish_obstacle text[];
  given bigint[];
  rest bigint[];
  got_customer bigint[] := '{}';
  got_staff bigint[] := '{}';
  got_id bigint[] := '{}';
  got_outcome text[] := '{}';
  ended_customer bigint[];
  ended_id bigint[];
BEGIN
  PERFORM crm._lock_leavers(ARRAY[leaver]);
  successors := CASE WHEN deals THEN crm._successors(_pass_on.plan) ELSE '{}' END;
  held := ARRAY(SELECT h.customer_id FROM crm.holding h WHERE h.staff_id = leaver AND h.held_to IS NULL ORDER BY h.customer_id);
  -- who moves answers for what is disputed, who leaves cannot
  disputed := ARRAY(SELECT i.customer_id FROM unnest(held) u(id) JOIN crm.workflow_item i ON i.customer_id = u.id
                    WHERE i.workflow = 'dispute' AND i.closed_at IS NULL AND (_pass_on.plan).kind = 'move');
  SELECT coalesce(array_agg(w.id ORDER BY w.id), '{}'), array_agg(w.staff_id ORDER BY w.id), array_agg(w.obstacle ORDER BY w.id)
  INTO wish_customer, wish_staff, wish_obstacle
  FROM (SELECT u.id, CASE WHEN crm._may_succeed(l.to_staff_id, leaver, (_pass_on.plan).on_date) THEN l.to_staff_id END AS staff_id,
               CASE WHEN NOT crm._may_succeed(l.to_staff_id, leaver, (_pass_on.plan).on_date) AND l.to_staff_id IS NOT NULL THEN 'not_in_post' END AS obstacle
        FROM unnest(held) u(id)
        LEFT JOIN crm.hand_over_customer l ON l.hand_over_id = (_pass_on.plan).id AND l.customer_id = u.id AND (l.chosen OR NOT _pass_on.afresh)
        WHERE (strategy <> 'keep' OR l.chosen) AND NOT u.id = ANY (disputed)) w;

  at := clock_timestamp();
  WITH ended AS (
    UPDATE crm.holding h
    SET held_to = greatest(at, h.held_from, h.last_contact_at), end_cause = CASE (_pass_on.plan).kind WHEN 'move' THEN 'transfer' ELSE 'departure' END,
        ended_by = crm.actor(), end_reason = (_pass_on.plan).reason
    FROM unnest(wish_customer) w(id)
    WHERE h.customer_id = w.id AND h.staff_id = leaver AND h.held_to IS NULL
    RETURNING h.customer_id, h.id)
  SELECT array_agg(e.customer_id), array_agg(e.id) INTO ended_customer, ended_id FROM ended e;

  given := ARRAY(SELECT w.id FROM unnest(wish_customer, wish_staff) w(id, staff_id) WHERE w.staff_id IS NOT NULL ORDER BY w.id);
  IF cardinality(given) > 0 THEN
    SELECT array_agg(a.customer_id), array_agg(a.staff_id), array_agg(a.holding_id), array_agg(a.outcome) INTO got_customer, got_staff, got_id, got_outcome
    FROM crm.allocate(given, ARRAY(SELECT w.staff_id FROM unnest(wish_customer, wish_staff) w(id, staff_id) WHERE w.staff_id IS NOT NULL ORDER BY w.id), 'given', reason => words) a;
  END IF;
  -- whoever has no successor of their own, or one who could not take them
  rest := ARRAY(SELECT w.id FROM unnest(wish_customer, wish_staff, wish_obstacle) w(id, staff_id, obstacle)
                WHERE NOT EXISTS (SELECT FROM unnest(got_customer, got_staff) g(id, staff_id) WHERE g.id = w.id AND g.staff_id IS NOT NULL)
                  AND (w.staff_id IS NOT NULL OR w.obstacle IS NOT NULL
                       OR NOT EXISTS (SELECT FROM crm.hand_over_customer l WHERE l.hand_over_id = (_pass_on.plan).id AND l.customer_id = w.id AND l.chosen))
                ORDER BY w.id);
  IF cardinality(successors) > 0 AND cardinality(rest) > 0 THEN
    SELECT got_customer || array_agg(a.customer_id), got_staff || array_agg(a.staff_id), got_id || array_agg(a.holding_id), got_outcome || array_agg(a.outcome)
    INTO got_customer, got_staff, got_id, got_outcome
    FROM crm.allocate(rest, successors, strategy, reason => words) a;
  END IF;
  -- one holding goes over into the other; by the keys, whatever the statistics say of who holds how many
  UPDATE crm.holding h SET held_to = n.held_from
  FROM unnest(ended_customer, ended_id) e(customer_id, id)
  JOIN unnest(got_customer, got_id) g(customer_id, id) ON g.customer_id = e.customer_id
  JOIN crm.holding n ON n.customer_id = g.customer_id AND n.id = g.id
  WHERE h.customer_id = e.customer_id AND h.id = e.id AND h.held_to < n.held_from;

  RETURN QUERY
  SELECT u.id, w.staff_id,
         CASE WHEN w.id IS NULL THEN 'kept' WHEN g.staff_id IS NOT NULL THEN 'handed_over' ELSE 'pool' END,
         CASE WHEN u.id = ANY (disputed) THEN 'in_dispute'
              ELSE coalesce(w.obstacle, f.outcome, CASE WHEN deals AND successors = '{}' AND g.staff_id IS NULL AND r.id IS NOT NULL THEN 'no_successor' END) END, g.staff_id
  FROM unnest(held) u(id)
  LEFT JOIN unnest(wish_customer, wish_staff, wish_obstacle) w(id, staff_id, obstacle) ON w.id = u.id
  LEFT JOIN unnest(got_customer, got_staff) g(id, staff_id) ON g.id = u.id AND g.staff_id IS NOT NULL
  LEFT JOIN unnest(rest) r(id) ON r.id = u.id
  LEFT JOIN (SELECT DISTINCT ON (x.id) x.id, x.outcome FROM unnest(got_customer, got_outcome) WITH ORDINALITY x(id, outcome, n)
             WHERE x.outcome <> 'allocated' ORDER BY x.id, x.n) f ON f.id = u.id
  ORDER BY u.id;
END
$$;
COMMENT ON FUNCTION crm._pass_on(crm.hand_over, boolean) IS
  'Ends what somebody holds and starts the holdings of the successors planned, then deals out by the strategy what has none; the rest is in the pool. afresh: looks at successors chosen only. What is in dispute who moves keeps. One row for each customer held.';
REVOKE ALL ON FUNCTION crm._pass_on(crm.hand_over, boolean) FROM PUBLIC;

CREATE FUNCTION crm._rehearse_hand_over(hand_over_id bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  plan CONSTANT crm.hand_over := crm._planned(_rehearse_hand_over.hand_over_id);
  customers bigint[];
  staff bigint[];
  obstacles text[];
  kept boolean[];
BEGIN
  -- what the day would bring if it were today
  BEGIN
    SELECT array_agg(p.customer_id), array_agg(coalesce(p.got_staff_id, p.to_staff_id)), array_agg(p.obstacle), array_agg(p.outcome = 'kept' AND p.obstacle IS NULL) INTO customers, staff, obstacles, kept FROM crm._pass_on(plan, true) p;
    RAISE EXCEPTION USING ERRCODE = 'CRM01';
  EXCEPTION WHEN SQLSTATE 'CRM01' THEN
    NULL;
  END;
  DELETE FROM crm.hand_over_customer l WHERE l.hand_over_id = plan.id AND NOT l.chosen;
  INSERT INTO crm.hand_over_customer AS l (hand_over_id, customer_id, to_staff_id, obstacle)
  SELECT plan.id, u.customer_id, u.staff_id, u.obstacle FROM unnest(customers, staff, obstacles, kept) u(customer_id, staff_id, obstacle, kept) WHERE NOT u.kept
  ON CONFLICT (hand_over_id, customer_id) DO UPDATE SET obstacle = excluded.obstacle;
  IF 'no_successor' = ANY (obstacles) THEN
    RAISE NOTICE 'there is nobody to take over from staff member "%": % customers go to the pool', plan.staff_id, cardinality(array_positions(obstacles, 'no_successor'))
      USING HINT = 'Name successors by crm.plan_successor(), or cancel the plan and make another.';
  END IF;
END
$$;
COMMENT ON FUNCTION crm._rehearse_hand_over(bigint) IS 'Plans a hand-over as it would go today, successors chosen staying as they are.';
REVOKE ALL ON FUNCTION crm._rehearse_hand_over(bigint) FROM PUBLIC;

CREATE FUNCTION crm._next_owner(staff crm.staff, day date) RETURNS bigint
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT coalesce((SELECT c.staff_id FROM crm._in_charge((_next_owner.staff).org_id, 'manager', false, _next_owner.day) c
                   WHERE c.staff_id <> (_next_owner.staff).id ORDER BY c.depth, c.staff_id LIMIT 1),
                  nullif(crm._own_staff(crm.actor(), _next_owner.day), (_next_owner.staff).id));
END;
COMMENT ON FUNCTION crm._next_owner(crm.staff, date) IS 'Who answers for what a member of staff leaves behind and nobody else was named for: the nearest manager, else who acts; NULL: no member of staff.';
REVOKE ALL ON FUNCTION crm._next_owner(crm.staff, date) FROM PUBLIC;

CREATE FUNCTION crm._pass_items(plan crm.hand_over, deputy bigint) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  leaver CONSTANT text := (SELECT s.login::text FROM crm.staff s WHERE s.id = (_pass_items.plan).staff_id);
  day CONSTANT date := crm._business_day(clock_timestamp());
  passed bigint := 0;
  r record;
BEGIN
  FOR r IN
    SELECT i AS item, coalesce(n.login::text, d.login::text, c.person, crm.actor()) AS person
    FROM crm.workflow_item i
    JOIN crm.workflow_version v ON v.workflow = i.workflow AND v.version = i.version
    LEFT JOIN crm.hand_over_customer l ON l.hand_over_id = (_pass_items.plan).id AND l.customer_id = i.subject_id AND v.subject = 'customer'
    LEFT JOIN crm.staff n ON n.id = l.got_staff_id
    LEFT JOIN crm.staff d ON d.id = deputy
    LEFT JOIN LATERAL (SELECT a.person FROM crm._in_charge(i.org_id, 'manager', false, day) a WHERE a.person <> leaver ORDER BY a.depth, a.staff_id LIMIT 1) c ON true
    WHERE i.responsible = leaver COLLATE "C" AND i.closed_at IS NULL AND ((_pass_items.plan).kind = 'departure' OR l.outcome IN ('handed_over', 'pool'))
    ORDER BY i.id
  LOOP
    PERFORM crm._assign_item(r.item, r.person, format('hand-over %s', (_pass_items.plan).id));
    passed := passed + 1;
  END LOOP;
  RETURN passed;
END
$$;
COMMENT ON FUNCTION crm._pass_items(crm.hand_over, bigint) IS
  'Open items of workflows for which somebody is responsible who leaves go to the successor of their customer, else to the deputy, else to the nearest manager of their unit, else to who hands over. Returns how many.';
REVOKE ALL ON FUNCTION crm._pass_items(crm.hand_over, bigint) FROM PUBLIC;

CREATE FUNCTION crm._hand_over(hand_over_id bigint) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  plan CONSTANT crm.hand_over := crm._planned(_hand_over.hand_over_id);
  deputy bigint;
  next_owner bigint;
  moved bigint;
  passed_items bigint;
  passed bigint;
BEGIN
  WITH p AS MATERIALIZED (SELECT * FROM crm._pass_on(plan, false))
  INSERT INTO crm.hand_over_customer AS l (hand_over_id, customer_id, to_staff_id, outcome, obstacle, got_staff_id)
  SELECT plan.id, p.customer_id, p.to_staff_id, p.outcome, p.obstacle, p.got_staff_id FROM p ORDER BY p.customer_id
  ON CONFLICT (hand_over_id, customer_id) DO UPDATE SET outcome = excluded.outcome, obstacle = excluded.obstacle, got_staff_id = excluded.got_staff_id;
  UPDATE crm.hand_over_customer l SET outcome = 'gone', obstacle = NULL WHERE l.hand_over_id = plan.id AND l.outcome IS NULL;

  deputy := CASE WHEN crm._may_succeed(plan.deputy_id, plan.staff_id, plan.on_date) THEN plan.deputy_id END;
  next_owner := crm._next_owner((SELECT s FROM crm.staff s WHERE s.id = plan.staff_id), crm._business_day(clock_timestamp()));
  UPDATE crm.appointment a SET staff_id = coalesce(l.got_staff_id, deputy, next_owner)
  FROM crm.appointment o LEFT JOIN crm.hand_over_customer l ON l.hand_over_id = plan.id AND l.customer_id = o.customer_id
  WHERE o.staff_id = plan.staff_id AND o.result IS NULL AND a.customer_id = o.customer_id AND a.id = o.id
    AND num_nonnulls(l.got_staff_id, deputy, next_owner) > 0
    AND (plan.kind = 'departure' OR l.outcome IN ('handed_over', 'pool'));
  GET DIAGNOSTICS moved = ROW_COUNT;
  passed_items := crm._pass_items(plan, deputy);
  IF plan.kind = 'move' THEN
    UPDATE crm.staff s SET org_id = plan.to_org_id, channel_id = plan.to_channel_id WHERE s.id = plan.staff_id;
  END IF;
  UPDATE crm.hand_over p SET state = 'done', ended_at = clock_timestamp(), ended_by = crm.actor(), appointments = moved, items = passed_items,
    failed_at = NULL, failure = NULL
  WHERE p.id = plan.id;
  SELECT count(*) INTO passed FROM crm.hand_over_customer l WHERE l.hand_over_id = plan.id AND l.outcome IN ('handed_over', 'pool');
  RETURN passed;
END
$$;
COMMENT ON FUNCTION crm._hand_over(bigint) IS 'Does a hand-over that is planned; returns how many holdings ended.';
REVOKE ALL ON FUNCTION crm._hand_over(bigint) FROM PUBLIC;

CREATE FUNCTION crm._departure_of(staff_id bigint) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  plan_id bigint;
BEGIN
  UPDATE crm.hand_over p SET state = 'cancelled', ended_at = clock_timestamp(), ended_by = crm.actor(), end_reason = 'leaves'
  WHERE p.staff_id = _departure_of.staff_id AND p.state = 'planned' AND p.kind = 'move';
  SELECT p.id INTO plan_id FROM crm.hand_over p WHERE p.staff_id = _departure_of.staff_id AND p.state = 'planned';
  IF NOT FOUND THEN
    INSERT INTO crm.hand_over (staff_id, kind, on_date, org_id, channel_id, strategy)
    SELECT s.id, 'departure', s.left_on, s.org_id, s.channel_id, 'pool' FROM crm.staff s WHERE s.id = _departure_of.staff_id
    RETURNING id INTO plan_id;
  END IF;
  RETURN plan_id;
END
$$;
COMMENT ON FUNCTION crm._departure_of(bigint) IS 'The departure planned of somebody who left, else one made now that gives all to the pool.';
REVOKE ALL ON FUNCTION crm._departure_of(bigint) FROM PUBLIC;

CREATE FUNCTION crm._leaves_behind(staff crm.staff, day date) RETURNS boolean
LANGUAGE sql STABLE
BEGIN ATOMIC
  SELECT EXISTS (SELECT FROM crm.holding_count q WHERE q.staff_id = (_leaves_behind.staff).id AND q.held > 0)
    OR EXISTS (SELECT FROM crm.appointment a WHERE a.staff_id = (_leaves_behind.staff).id AND a.result IS NULL) AND crm._next_owner(_leaves_behind.staff, _leaves_behind.day) IS NOT NULL
    OR EXISTS (SELECT FROM crm.workflow_item i WHERE i.responsible = (_leaves_behind.staff).login::text COLLATE "C" AND i.closed_at IS NULL)
    OR EXISTS (SELECT FROM crm.hand_over p WHERE p.staff_id = (_leaves_behind.staff).id AND p.state = 'planned');
END;
COMMENT ON FUNCTION crm._leaves_behind(crm.staff, date) IS 'Whether a member of staff holds, owns or has planned anything that can go to somebody else.';
REVOKE ALL ON FUNCTION crm._leaves_behind(crm.staff, date) FROM PUBLIC;

CREATE FUNCTION crm._try_hand_over(hand_over_id bigint) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  words text;
BEGIN
  BEGIN
    RETURN crm._hand_over(_try_hand_over.hand_over_id);
  EXCEPTION
    WHEN transaction_rollback THEN
      RAISE;
    WHEN OTHERS THEN
      GET STACKED DIAGNOSTICS words = PG_EXCEPTION_DETAIL;
      words := SQLERRM || coalesce('. ' || nullif(words, ''), '');
  END;
  UPDATE crm.hand_over p SET failed_at = clock_timestamp(), failure = words WHERE p.id = _try_hand_over.hand_over_id;
  RAISE WARNING 'hand-over % was not done: %', _try_hand_over.hand_over_id, words USING HINT = 'crm.hand_over.failure keeps that; the next crm.hand_over() tries again.';
  RETURN 0;
END
$$;
COMMENT ON FUNCTION crm._try_hand_over(bigint) IS 'Does a hand-over that the caller has locked, or writes down why it cannot be done; returns how many holdings ended. Errors: 40001.';
REVOKE ALL ON FUNCTION crm._try_hand_over(bigint) FROM PUBLIC;

CREATE FUNCTION crm._hand_over_all(as_of date, moves boolean) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  leavers CONSTANT bigint[] := ARRAY(
    SELECT p.staff_id FROM crm.hand_over p WHERE moves AND p.state = 'planned' AND p.kind = 'move' AND p.on_date <= _hand_over_all.as_of
    UNION SELECT s.id FROM crm.staff s WHERE s.left_on <= _hand_over_all.as_of AND crm._leaves_behind(s, _hand_over_all.as_of));
  ended bigint := 0;
  one bigint;
BEGIN
  -- all of all of them before the first; what somebody else did meanwhile is done
  PERFORM crm._lock_leavers(leavers);
  FOR one IN
    SELECT p.id FROM crm.hand_over p JOIN crm.staff s ON s.id = p.staff_id
    WHERE moves AND p.staff_id = ANY (leavers) AND p.state = 'planned' AND p.kind = 'move' AND p.on_date <= _hand_over_all.as_of
      AND (s.left_on IS NULL OR s.left_on > _hand_over_all.as_of)
    ORDER BY p.staff_id
  LOOP
    ended := ended + crm._try_hand_over(one);
  END LOOP;
  FOR one IN
    SELECT s.id FROM crm.staff s WHERE s.id = ANY (leavers) AND s.left_on <= _hand_over_all.as_of AND crm._leaves_behind(s, _hand_over_all.as_of) ORDER BY s.id
  LOOP
    ended := ended + crm._try_hand_over(crm._departure_of(one));
  END LOOP;
  RETURN ended;
END
$$;
COMMENT ON FUNCTION crm._hand_over_all(date, boolean) IS 'Hands over what everybody holds who is no longer in post on a day, and with moves does the moves planned until then. One that fails is told and stops no other.';
REVOKE ALL ON FUNCTION crm._hand_over_all(date, boolean) FROM PUBLIC;

CREATE FUNCTION crm.hand_over(as_of date) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
  IF hand_over.as_of IS NULL THEN
    RAISE EXCEPTION 'the day must be given' USING ERRCODE = 'null_value_not_allowed';
  ELSIF hand_over.as_of > crm._business_day(clock_timestamp()) THEN
    RAISE EXCEPTION 'day "%" is in the future', hand_over.as_of
      USING ERRCODE = 'invalid_parameter_value', HINT = 'Plan it by crm.plan_departure() or crm.plan_move().';
  END IF;
  RETURN crm._hand_over_all(hand_over.as_of, true);
END
$$;
COMMENT ON FUNCTION crm.hand_over(date) IS
  'Does every hand-over planned for a day or before: successors get the customers, whom they cannot take (quota, cool-off, no longer in post) the strategy deals out again, the rest goes to the pool; a customer in dispute stays with who moves. Open appointments go along, else to the deputy, else to the nearest manager. Who left without a plan gives all to the pool. One that fails is told by a warning and in crm.hand_over.failure, stops no other and is tried again by the next call. Returns how many holdings ended. For each morning. Errors: 22004, 22023 day in the future; 40P01 and 40001, to be retried. 执行交接';
REVOKE ALL ON FUNCTION crm.hand_over(date) FROM PUBLIC;

INSERT INTO crm.duty_right (duty, privilege, kind, object) VALUES
  ('manager', 'EXECUTE', 'FUNCTION', 'crm.hand_over(date)');
