-- allocate: handing over what somebody holds who leaves or moves; nobody holds who is not in post

CREATE FUNCTION crm._lock_held(staff_id bigint, receivers bigint[] DEFAULT '{}') RETURNS bigint[]
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  locked bigint[];
  held bigint[];
BEGIN
  -- customers before counts, as everywhere; whoever was just made to hold is looked for again once the count stands still
  LOOP
    held := ARRAY(SELECT h.customer_id FROM crm.holding h WHERE h.staff_id = _lock_held.staff_id AND h.held_to IS NULL ORDER BY h.customer_id);
    EXIT WHEN held <@ locked;
    PERFORM FROM crm.customer c WHERE c.id = ANY (held) ORDER BY c.id FOR NO KEY UPDATE;
    PERFORM crm._lock_counts(_lock_held.receivers || _lock_held.staff_id);
    locked := held;
  END LOOP;
  RETURN held;
END
$$;
COMMENT ON FUNCTION crm._lock_held(bigint, bigint[]) IS 'Locks the customers whom somebody holds, then the counts of those who may get them; until the transaction ends nobody else is added. Returns the customers.';
REVOKE ALL ON FUNCTION crm._lock_held(bigint, bigint[]) FROM PUBLIC;

CREATE FUNCTION crm._pass_on(plan crm.hand_over, afresh boolean)
RETURNS TABLE (customer_id bigint, to_staff_id bigint, outcome text, obstacle text, got_staff_id bigint)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  leaver CONSTANT bigint := (_pass_on.plan).staff_id;
  words CONSTANT text := coalesce((_pass_on.plan).reason, (_pass_on.plan).kind);
  strategy CONSTANT text := (_pass_on.plan).strategy;
  deals CONSTANT boolean := strategy NOT IN ('pool', 'keep');
  at timestamptz;
  successors bigint[];
  held bigint[];
  wish_customer bigint[];
  wish_staff bigint[];
  wish_obstacle text[];
  given bigint[];
  rest bigint[];
  got_customer bigint[] := '{}';
  got_staff bigint[] := '{}';
  got_outcome text[] := '{}';
BEGIN
  successors := crm._successors(_pass_on.plan);
  held := crm._lock_held(leaver, successors || ARRAY(SELECT DISTINCT l.to_staff_id FROM crm.hand_over_customer l WHERE l.hand_over_id = (_pass_on.plan).id AND l.to_staff_id IS NOT NULL));
  SELECT coalesce(array_agg(w.id ORDER BY w.id), '{}'), array_agg(w.staff_id ORDER BY w.id), array_agg(w.obstacle ORDER BY w.id)
  INTO wish_customer, wish_staff, wish_obstacle
  FROM (SELECT u.id, CASE WHEN crm._may_succeed(l.to_staff_id, leaver, (_pass_on.plan).on_date) THEN l.to_staff_id END AS staff_id,
               CASE WHEN NOT crm._may_succeed(l.to_staff_id, leaver, (_pass_on.plan).on_date) AND l.to_staff_id IS NOT NULL THEN 'not_in_post' END AS obstacle
        FROM unnest(held) u(id)
        LEFT JOIN crm.hand_over_customer l ON l.hand_over_id = (_pass_on.plan).id AND l.customer_id = u.id AND (l.chosen OR NOT _pass_on.afresh)
        WHERE strategy <> 'keep' OR l.chosen) w;

  at := clock_timestamp();
  UPDATE crm.holding h
  SET held_to = greatest(at, h.held_from, h.last_contact_at), end_cause = CASE (_pass_on.plan).kind WHEN 'move' THEN 'transfer' ELSE 'departure' END,
      ended_by = crm.actor(), end_reason = (_pass_on.plan).reason
  WHERE h.customer_id = ANY (wish_customer) AND h.staff_id = leaver AND h.held_to IS NULL;

  given := ARRAY(SELECT w.id FROM unnest(wish_customer, wish_staff) w(id, staff_id) WHERE w.staff_id IS NOT NULL ORDER BY w.id);
  IF cardinality(given) > 0 THEN
    SELECT array_agg(a.customer_id), array_agg(a.staff_id), array_agg(a.outcome) INTO got_customer, got_staff, got_outcome
    FROM crm.allocate(given, ARRAY(SELECT w.staff_id FROM unnest(wish_customer, wish_staff) w(id, staff_id) WHERE w.staff_id IS NOT NULL ORDER BY w.id), 'given', reason => words) a;
  END IF;
  -- whoever has no successor of their own, or one who could not take them
  rest := ARRAY(SELECT w.id FROM unnest(wish_customer, wish_staff, wish_obstacle) w(id, staff_id, obstacle)
                WHERE NOT EXISTS (SELECT FROM unnest(got_customer, got_staff) g(id, staff_id) WHERE g.id = w.id AND g.staff_id IS NOT NULL)
                  AND (w.staff_id IS NOT NULL OR w.obstacle IS NOT NULL
                       OR NOT EXISTS (SELECT FROM crm.hand_over_customer l WHERE l.hand_over_id = (_pass_on.plan).id AND l.customer_id = w.id AND l.chosen))
                ORDER BY w.id);
  IF deals AND cardinality(successors) > 0 AND cardinality(rest) > 0 THEN
    SELECT got_customer || array_agg(a.customer_id), got_staff || array_agg(a.staff_id), got_outcome || array_agg(a.outcome)
    INTO got_customer, got_staff, got_outcome
    FROM crm.allocate(rest, successors, strategy, reason => words) a;
  END IF;
  -- one holding goes over into the other
  UPDATE crm.holding h SET held_to = n.held_from
  FROM unnest(got_customer, got_staff) g(id, staff_id) JOIN crm.holding n ON n.customer_id = g.id AND n.held_to IS NULL AND n.staff_id = g.staff_id
  WHERE g.staff_id IS NOT NULL AND h.customer_id = g.id AND h.staff_id = leaver AND h.held_to >= at AND h.held_to < n.held_from AND h.id <> n.id
    AND h.end_cause IN ('departure', 'transfer');

  RETURN QUERY
  SELECT u.id, w.staff_id,
         CASE WHEN w.id IS NULL THEN 'kept' WHEN g.staff_id IS NOT NULL THEN 'handed_over' ELSE 'pool' END,
         coalesce(w.obstacle, f.outcome), g.staff_id
  FROM unnest(held) u(id)
  LEFT JOIN unnest(wish_customer, wish_staff, wish_obstacle) w(id, staff_id, obstacle) ON w.id = u.id
  LEFT JOIN unnest(got_customer, got_staff) g(id, staff_id) ON g.id = u.id AND g.staff_id IS NOT NULL
  LEFT JOIN (SELECT DISTINCT ON (x.id) x.id, x.outcome FROM unnest(got_customer, got_outcome) WITH ORDINALITY x(id, outcome, n)
             WHERE x.outcome <> 'allocated' ORDER BY x.id, x.n) f ON f.id = u.id
  ORDER BY u.id;
END
$$;
COMMENT ON FUNCTION crm._pass_on(crm.hand_over, boolean) IS
  'Ends what somebody holds and starts the holdings of the successors planned, then deals out by the strategy what has none; the rest is in the pool. afresh: looks at successors chosen only. One row for each customer held.';
REVOKE ALL ON FUNCTION crm._pass_on(crm.hand_over, boolean) FROM PUBLIC;

CREATE FUNCTION crm._propose(hand_over_id bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  plan CONSTANT crm.hand_over := crm._planned(_propose.hand_over_id);
  customers bigint[];
  staff bigint[];
  obstacles text[];
  kept boolean[];
BEGIN
  -- what the day would bring if it were today
  BEGIN
    SELECT array_agg(p.customer_id), array_agg(coalesce(p.got_staff_id, p.to_staff_id)), array_agg(p.obstacle), array_agg(p.outcome = 'kept') INTO customers, staff, obstacles, kept FROM crm._pass_on(plan, true) p;
    RAISE EXCEPTION USING ERRCODE = 'CRM01';
  EXCEPTION WHEN SQLSTATE 'CRM01' THEN
    NULL;
  END;
  DELETE FROM crm.hand_over_customer l WHERE l.hand_over_id = plan.id AND NOT l.chosen;
  INSERT INTO crm.hand_over_customer AS l (hand_over_id, customer_id, to_staff_id, obstacle)
  SELECT plan.id, u.customer_id, u.staff_id, u.obstacle FROM unnest(customers, staff, obstacles, kept) u(customer_id, staff_id, obstacle, kept) WHERE NOT u.kept
  ON CONFLICT (hand_over_id, customer_id) DO UPDATE SET obstacle = excluded.obstacle;
END
$$;
COMMENT ON FUNCTION crm._propose(bigint) IS 'Plans a hand-over as it would go today, successors chosen staying as they are.';
REVOKE ALL ON FUNCTION crm._propose(bigint) FROM PUBLIC;

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
  moved bigint;
  passed_items bigint;
  passed bigint;
BEGIN
  -- items before customers, as everywhere
  PERFORM FROM crm.workflow_item i
  WHERE i.responsible = (SELECT s.login::text COLLATE "C" FROM crm.staff s WHERE s.id = plan.staff_id) AND i.closed_at IS NULL ORDER BY i.id FOR NO KEY UPDATE;
  WITH p AS MATERIALIZED (SELECT * FROM crm._pass_on(plan, false))
  INSERT INTO crm.hand_over_customer AS l (hand_over_id, customer_id, to_staff_id, outcome, obstacle, got_staff_id)
  SELECT plan.id, p.customer_id, p.to_staff_id, p.outcome, p.obstacle, p.got_staff_id FROM p ORDER BY p.customer_id
  ON CONFLICT (hand_over_id, customer_id) DO UPDATE SET outcome = excluded.outcome, obstacle = excluded.obstacle, got_staff_id = excluded.got_staff_id;
  UPDATE crm.hand_over_customer l SET outcome = 'gone', obstacle = NULL WHERE l.hand_over_id = plan.id AND l.outcome IS NULL;

  deputy := CASE WHEN crm._may_succeed(plan.deputy_id, plan.staff_id, plan.on_date) THEN plan.deputy_id END;
  UPDATE crm.appointment a SET staff_id = coalesce(l.got_staff_id, deputy)
  FROM crm.appointment o LEFT JOIN crm.hand_over_customer l ON l.hand_over_id = plan.id AND l.customer_id = o.customer_id
  WHERE o.staff_id = plan.staff_id AND o.result IS NULL AND a.customer_id = o.customer_id AND a.id = o.id
    AND (plan.kind = 'departure' OR l.outcome IN ('handed_over', 'pool'));
  GET DIAGNOSTICS moved = ROW_COUNT;
  passed_items := crm._pass_items(plan, deputy);
  IF plan.kind = 'move' THEN
    UPDATE crm.staff s SET org_id = plan.to_org_id, channel_id = plan.to_channel_id WHERE s.id = plan.staff_id;
  END IF;
  UPDATE crm.hand_over p SET state = 'done', ended_at = clock_timestamp(), ended_by = crm.actor(), appointments = moved, items = passed_items WHERE p.id = plan.id;
  SELECT count(*) INTO passed FROM crm.hand_over_customer l WHERE l.hand_over_id = plan.id AND l.outcome IN ('handed_over', 'pool');
  RETURN passed;
END
$$;
COMMENT ON FUNCTION crm._hand_over(bigint) IS 'Does a hand-over that is planned; returns how many holdings ended.';
REVOKE ALL ON FUNCTION crm._hand_over(bigint) FROM PUBLIC;

CREATE FUNCTION crm._depart(staff_id bigint) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  plan_id bigint;
BEGIN
  UPDATE crm.hand_over p SET state = 'cancelled', ended_at = clock_timestamp(), ended_by = crm.actor(), end_reason = 'leaves'
  WHERE p.staff_id = _depart.staff_id AND p.state = 'planned' AND p.kind = 'move';
  SELECT p.id INTO plan_id FROM crm.hand_over p WHERE p.staff_id = _depart.staff_id AND p.state = 'planned';
  IF NOT FOUND THEN
    INSERT INTO crm.hand_over (staff_id, kind, on_date, org_id, channel_id, strategy)
    SELECT s.id, 'departure', s.left_on, s.org_id, s.channel_id, 'pool' FROM crm.staff s WHERE s.id = _depart.staff_id
    RETURNING id INTO plan_id;
  END IF;
  RETURN crm._hand_over(plan_id);
END
$$;
COMMENT ON FUNCTION crm._depart(bigint) IS 'Hands over what somebody holds who left: as planned, else to the pool. Returns how many holdings ended.';
REVOKE ALL ON FUNCTION crm._depart(bigint) FROM PUBLIC;

CREATE FUNCTION crm._depart_all(as_of date) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  ended bigint := 0;
  leaver bigint;
BEGIN
  FOR leaver IN
    SELECT s.id FROM crm.staff s WHERE s.left_on <= _depart_all.as_of
      AND (EXISTS (SELECT FROM crm.holding h WHERE h.staff_id = s.id AND h.held_to IS NULL)
           OR EXISTS (SELECT FROM crm.appointment a WHERE a.staff_id = s.id AND a.result IS NULL)
           OR EXISTS (SELECT FROM crm.workflow_item i WHERE i.responsible = s.login::text COLLATE "C" AND i.closed_at IS NULL)
           OR EXISTS (SELECT FROM crm.hand_over p WHERE p.staff_id = s.id AND p.state = 'planned'))
    ORDER BY s.id
  LOOP
    ended := ended + crm._depart(leaver);
  END LOOP;
  RETURN ended;
END
$$;
COMMENT ON FUNCTION crm._depart_all(date) IS 'crm._depart for everybody no longer in post on a day who holds or has a plan.';
REVOKE ALL ON FUNCTION crm._depart_all(date) FROM PUBLIC;

CREATE FUNCTION crm.hand_over(as_of date) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  ended bigint := 0;
  plan_id bigint;
BEGIN
  IF hand_over.as_of IS NULL THEN
    RAISE EXCEPTION 'the day must be given' USING ERRCODE = 'null_value_not_allowed';
  ELSIF hand_over.as_of > crm._business_day(clock_timestamp()) THEN
    RAISE EXCEPTION 'day "%" is in the future', hand_over.as_of
      USING ERRCODE = 'invalid_parameter_value', HINT = 'Plan it by crm.plan_departure() or crm.plan_move().';
  END IF;
  FOR plan_id IN SELECT p.id FROM crm.hand_over p WHERE p.state = 'planned' AND p.kind = 'move' AND p.on_date <= hand_over.as_of ORDER BY p.staff_id LOOP
    ended := ended + crm._hand_over(plan_id);
  END LOOP;
  RETURN ended + crm._depart_all(hand_over.as_of);
END
$$;
COMMENT ON FUNCTION crm.hand_over(date) IS
  'Does every hand-over planned for a day or before: successors get the customers, whom they cannot take (quota, cool-off, no longer in post) the strategy deals out again, the rest goes to the pool; open appointments go along. Who left without a plan gives all to the pool. Returns how many holdings ended. For each morning. Errors: 22004, 22023 day in the future; 40P01, to be retried. 执行交接';
REVOKE ALL ON FUNCTION crm.hand_over(date) FROM PUBLIC;

-- nobody holds who is not in post: the count of a holder is what a holding that begins and a departure wait for each other by

CREATE FUNCTION crm._holders_in_post() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  day CONSTANT date := crm._business_day(clock_timestamp());
  holder crm.staff;
BEGIN
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    -- who left since the snapshot was taken is not seen, but fails here
    PERFORM FROM crm.staff s WHERE s.id IN (SELECT n.staff_id FROM new_rows n WHERE n.held_to IS NULL) ORDER BY s.id FOR SHARE;
  END IF;
  IF TG_OP = 'INSERT' THEN
    SELECT s.* INTO holder FROM crm.staff s
    WHERE s.left_on <= day AND s.id IN (SELECT n.staff_id FROM new_rows n WHERE n.held_to IS NULL) ORDER BY s.id LIMIT 1;
  ELSE
    SELECT s.* INTO holder FROM new_rows n JOIN crm.staff s ON s.id = n.staff_id
    WHERE s.left_on <= day AND n.held_to IS NULL
      AND NOT EXISTS (SELECT FROM old_rows o WHERE o.id = n.id AND o.staff_id = n.staff_id AND o.held_to IS NULL) ORDER BY s.id LIMIT 1;
  END IF;
  IF holder.id IS NOT NULL THEN
    RAISE EXCEPTION 'staff member "%" is not in post', holder.id
      USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = format('Left on %s.', holder.left_on), HINT = 'Choose somebody in post.';
  END IF;
  RETURN NULL;
END
$$;
COMMENT ON FUNCTION crm._holders_in_post() IS 'Trigger, by its name after those that count: nobody who left begins to hold, or holds again. Errors: 55000.';
REVOKE ALL ON FUNCTION crm._holders_in_post() FROM PUBLIC;
CREATE TRIGGER in_post_insert AFTER INSERT ON crm.holding REFERENCING NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION crm._holders_in_post();
CREATE TRIGGER in_post_update AFTER UPDATE ON crm.holding REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION crm._holders_in_post();

CREATE FUNCTION crm._staff_left() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  staff crm.staff;
BEGIN
  SELECT * INTO staff FROM crm.staff s WHERE s.id = NEW.id;
  IF NOT FOUND THEN
    RETURN NULL;
  END IF;
  UPDATE crm.hand_over p SET on_date = staff.left_on
  WHERE p.staff_id = staff.id AND p.state = 'planned' AND p.kind = 'departure' AND p.on_date <> staff.left_on;
  UPDATE crm.hand_over p SET state = 'cancelled', ended_at = clock_timestamp(), ended_by = crm.actor(), end_reason = 'no longer leaving'
  WHERE p.staff_id = staff.id AND p.state = 'planned' AND p.kind = 'departure' AND staff.left_on IS NULL;
  IF staff.left_on <= crm._business_day(clock_timestamp()) THEN
    IF cardinality(crm._lock_held(staff.id)) > 0
       OR EXISTS (SELECT FROM crm.appointment a WHERE a.staff_id = staff.id AND a.result IS NULL)
       OR EXISTS (SELECT FROM crm.workflow_item i WHERE i.responsible = staff.login::text COLLATE "C" AND i.closed_at IS NULL)
       OR EXISTS (SELECT FROM crm.hand_over p WHERE p.staff_id = staff.id AND p.state = 'planned') THEN
      PERFORM crm._depart(staff.id);
    END IF;
  END IF;
  RETURN NULL;
END
$$;
COMMENT ON FUNCTION crm._staff_left() IS 'Trigger, at commit: who left holds nobody any more; a plan follows the last day, and goes with it.';
REVOKE ALL ON FUNCTION crm._staff_left() FROM PUBLIC;
CREATE CONSTRAINT TRIGGER left_holds_nobody AFTER UPDATE ON crm.staff DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW WHEN (OLD.left_on IS DISTINCT FROM NEW.left_on) EXECUTE FUNCTION crm._staff_left();

INSERT INTO crm.duty_right (duty, privilege, kind, object) VALUES
  ('manager', 'EXECUTE', 'FUNCTION', 'crm.hand_over(date)');
