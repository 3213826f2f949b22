-- allocate: staff who leave or move: to whom their customers go

CREATE TABLE crm.hand_over (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  staff_id bigint NOT NULL REFERENCES crm.staff,
  kind text NOT NULL CHECK (kind IN ('departure', 'move')),
  on_date date NOT NULL CHECK (on_date BETWEEN '1900-01-01' AND '2199-12-31'),
  org_id bigint NOT NULL REFERENCES crm.organisation,
  channel_id bigint NOT NULL REFERENCES crm.channel,
  to_org_id bigint REFERENCES crm.organisation,
  to_channel_id bigint REFERENCES crm.channel,
  strategy text NOT NULL CHECK (strategy IN ('pool', 'keep', 'even', 'round_robin', 'least_loaded', 'best_fit', 'optimal')),
  deputy_id bigint REFERENCES crm.staff,
  reason text,
  state text NOT NULL DEFAULT 'planned' CHECK (state IN ('planned', 'done', 'cancelled')),
  planned_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  planned_by text NOT NULL DEFAULT crm.actor(),
  ended_at timestamptz,
  ended_by text,
  end_reason text,
  appointments bigint,
  items bigint,
  failed_at timestamptz,
  failure text,
  CONSTRAINT hand_over_move_check CHECK ((kind = 'move') = (to_org_id IS NOT NULL) AND (kind = 'move') = (to_channel_id IS NOT NULL)),
  CONSTRAINT hand_over_keep_check CHECK (kind = 'move' OR strategy <> 'keep'),
  CONSTRAINT hand_over_deputy_check CHECK (deputy_id <> staff_id),
  CONSTRAINT hand_over_end_check CHECK ((state = 'planned') = (ended_at IS NULL) AND (ended_at IS NULL) = (ended_by IS NULL) AND (state = 'done') = (appointments IS NOT NULL) AND (appointments IS NULL) = (items IS NULL)),
  CONSTRAINT hand_over_failure_check CHECK ((failed_at IS NULL) = (failure IS NULL))
);
COMMENT ON TABLE crm.hand_over IS 'Staff who leave, or move to another unit, and what becomes of the customers they hold; written by crm.plan_departure, plan_move, cancel_hand_over and hand_over. 人员离职与调动交接';
COMMENT ON COLUMN crm.hand_over.id IS 'Key.';
COMMENT ON COLUMN crm.hand_over.staff_id IS 'Who leaves or moves.';
COMMENT ON COLUMN crm.hand_over.kind IS 'departure or move.';
COMMENT ON COLUMN crm.hand_over.on_date IS 'First day no longer in post, or in the new unit.';
COMMENT ON COLUMN crm.hand_over.org_id IS 'Unit left.';
COMMENT ON COLUMN crm.hand_over.channel_id IS 'Channel left.';
COMMENT ON COLUMN crm.hand_over.to_org_id IS 'New unit.';
COMMENT ON COLUMN crm.hand_over.to_channel_id IS 'New channel.';
COMMENT ON COLUMN crm.hand_over.strategy IS 'How customers without a successor of their own go to the successors: a strategy of crm.allocate(), pool (back to the pool) or, for a move, keep.';
COMMENT ON COLUMN crm.hand_over.deputy_id IS 'Who takes open appointments and items of workflows that no successor takes.';
COMMENT ON COLUMN crm.hand_over.reason IS 'Why.';
COMMENT ON COLUMN crm.hand_over.state IS 'planned, done or cancelled.';
COMMENT ON COLUMN crm.hand_over.planned_at IS 'When it was planned.';
COMMENT ON COLUMN crm.hand_over.planned_by IS 'Who planned it.';
COMMENT ON COLUMN crm.hand_over.ended_at IS 'When it was done or cancelled.';
COMMENT ON COLUMN crm.hand_over.ended_by IS 'Who did or cancelled it.';
COMMENT ON COLUMN crm.hand_over.end_reason IS 'Why it was cancelled.';
COMMENT ON COLUMN crm.hand_over.appointments IS 'Open appointments that went to somebody else.';
COMMENT ON COLUMN crm.hand_over.items IS 'Open items of workflows that went to somebody else.';
COMMENT ON COLUMN crm.hand_over.failed_at IS 'When crm.hand_over() could not do it last, nothing of it being done; NULL: never, or done since.';
COMMENT ON COLUMN crm.hand_over.failure IS 'Why it could not.';
CREATE UNIQUE INDEX hand_over_planned ON crm.hand_over (staff_id) WHERE state = 'planned';
CREATE INDEX ON crm.hand_over (staff_id);
CREATE INDEX ON crm.hand_over (on_date) WHERE state = 'planned';
CREATE INDEX ON crm.hand_over (org_id);
CREATE INDEX ON crm.hand_over (channel_id);
CREATE INDEX ON crm.hand_over (to_org_id);
CREATE INDEX ON crm.hand_over (to_channel_id);
CREATE INDEX ON crm.hand_over (deputy_id);

CREATE TABLE crm.hand_over_successor (
  hand_over_id bigint NOT NULL REFERENCES crm.hand_over ON DELETE CASCADE,
  staff_id bigint NOT NULL REFERENCES crm.staff,
  PRIMARY KEY (hand_over_id, staff_id)
);
COMMENT ON TABLE crm.hand_over_successor IS 'Among whom a strategy hands over; none: the staff in post in the unit and channel left. 接任人员';
COMMENT ON COLUMN crm.hand_over_successor.hand_over_id IS 'Hand-over.';
COMMENT ON COLUMN crm.hand_over_successor.staff_id IS 'Successor.';
CREATE INDEX ON crm.hand_over_successor (staff_id);

CREATE TABLE crm.hand_over_customer (
  hand_over_id bigint NOT NULL REFERENCES crm.hand_over ON DELETE CASCADE,
  customer_id bigint NOT NULL REFERENCES crm.customer ON DELETE CASCADE,
  to_staff_id bigint REFERENCES crm.staff,
  chosen boolean NOT NULL DEFAULT false,
  outcome text CHECK (outcome IN ('handed_over', 'pool', 'kept', 'gone')),
  obstacle text,
  got_staff_id bigint REFERENCES crm.staff,
  PRIMARY KEY (hand_over_id, customer_id),
  CONSTRAINT hand_over_customer_check CHECK ((outcome = 'handed_over') = (got_staff_id IS NOT NULL) OR outcome IS NULL AND got_staff_id IS NULL)
);
COMMENT ON TABLE crm.hand_over_customer IS 'To whom each customer of somebody who leaves or moves shall go, and went. 客户交接明细';
COMMENT ON COLUMN crm.hand_over_customer.hand_over_id IS 'Hand-over.';
COMMENT ON COLUMN crm.hand_over_customer.customer_id IS 'Customer.';
COMMENT ON COLUMN crm.hand_over_customer.to_staff_id IS 'Successor planned; NULL: the pool, or for a move that keeps nobody else.';
COMMENT ON COLUMN crm.hand_over_customer.chosen IS 'Chosen by crm.plan_successor(), not by the strategy.';
COMMENT ON COLUMN crm.hand_over_customer.outcome IS 'handed_over, pool, kept (a move) or gone (no longer held on the day); NULL: not yet done.';
COMMENT ON COLUMN crm.hand_over_customer.obstacle IS 'Why the successor planned did not get the customer, or nobody did: an outcome of crm.allocate(), not_in_post, no_successor (nobody to deal out to), or in_dispute (who moves keeps the customer until the dispute ends).';
COMMENT ON COLUMN crm.hand_over_customer.got_staff_id IS 'Who got the customer.';
CREATE INDEX ON crm.hand_over_customer (customer_id);
CREATE INDEX ON crm.hand_over_customer (to_staff_id);
CREATE INDEX ON crm.hand_over_customer (got_staff_id);

CREATE FUNCTION crm._may_succeed(staff_id bigint, leaver_id bigint, on_date date) RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT EXISTS (SELECT FROM crm.staff s CROSS JOIN (SELECT crm._business_day(pg_catalog.clock_timestamp()) AS today) d
                 WHERE s.id = _may_succeed.staff_id AND s.id <> _may_succeed.leaver_id AND s.joined_on <= d.today
                   AND (s.left_on IS NULL OR s.left_on > greatest(d.today, _may_succeed.on_date)));
END;
COMMENT ON FUNCTION crm._may_succeed(bigint, bigint, date) IS 'Whether somebody is in post now and beyond the day of a hand-over by somebody else.';

CREATE FUNCTION crm._successors(plan crm.hand_over) RETURNS bigint[]
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT coalesce(pg_catalog.array_agg(s.id ORDER BY s.id), '{}')
  FROM crm.staff s
  WHERE crm._may_succeed(s.id, (_successors.plan).staff_id, (_successors.plan).on_date)
    AND CASE WHEN EXISTS (SELECT FROM crm.hand_over_successor x WHERE x.hand_over_id = (_successors.plan).id)
             THEN EXISTS (SELECT FROM crm.hand_over_successor x WHERE x.hand_over_id = (_successors.plan).id AND x.staff_id = s.id)
             ELSE s.org_id = (_successors.plan).org_id AND s.channel_id = (_successors.plan).channel_id END;
END;
COMMENT ON FUNCTION crm._successors(crm.hand_over) IS 'Among whom a hand-over deals out: those named and still in post, or where none is named the staff in post in the unit and channel left.';

CREATE FUNCTION crm._receivers(plan crm.hand_over) RETURNS bigint[]
LANGUAGE sql STABLE
BEGIN ATOMIC
  SELECT coalesce(pg_catalog.array_agg(DISTINCT r.id), '{}')
  FROM (SELECT pg_catalog.unnest(crm._successors(_receivers.plan)) AS id WHERE (_receivers.plan).strategy NOT IN ('pool', 'keep')
        UNION ALL
        SELECT l.to_staff_id FROM crm.hand_over_customer l WHERE l.hand_over_id = (_receivers.plan).id AND l.to_staff_id IS NOT NULL) r;
END;
COMMENT ON FUNCTION crm._receivers(crm.hand_over) IS 'Who may get a customer by a hand-over.';
REVOKE ALL ON FUNCTION crm._receivers(crm.hand_over) FROM PUBLIC;

CREATE FUNCTION crm._leaver(staff_id bigint, leaves boolean) RETURNS crm.staff
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
  IF _leaver.leaves THEN
    -- as a change of the last day locks them later
    PERFORM FROM crm.staff s WHERE s.id = _leaver.staff_id FOR UPDATE;
  ELSE
    PERFORM FROM crm.staff s WHERE s.id = _leaver.staff_id FOR NO KEY UPDATE;
  END IF;
  RETURN crm._staff_in_post(_leaver.staff_id, crm._business_day(clock_timestamp()));
END
$$;
COMMENT ON FUNCTION crm._leaver(bigint, boolean) IS 'Locks a member of staff in post who moves or leaves. Errors: as crm._staff_in_post.';
REVOKE ALL ON FUNCTION crm._leaver(bigint, boolean) FROM PUBLIC;

CREATE FUNCTION crm._require_successor(staff_id bigint, leaver_id bigint, on_date date) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
  IF NOT EXISTS (SELECT FROM crm.staff s WHERE s.id = _require_successor.staff_id) THEN
    RAISE EXCEPTION 'there is no member of staff "%"', _require_successor.staff_id USING ERRCODE = 'foreign_key_violation';
  ELSIF NOT crm._may_succeed(_require_successor.staff_id, _require_successor.leaver_id, _require_successor.on_date) THEN
    RAISE EXCEPTION 'staff member "%" cannot take over', _require_successor.staff_id
      USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = format('A successor of staff member %s is somebody else, in post today and after %s.', _require_successor.leaver_id, _require_successor.on_date);
  END IF;
END
$$;
COMMENT ON FUNCTION crm._require_successor(bigint, bigint, date) IS 'Errors: 23503 unknown, 55000 not in post, or who leaves.';

CREATE FUNCTION crm._plan_hand_over(staff crm.staff, kind text, on_date date, to_org_id bigint, to_channel_id bigint, strategy text, successors bigint[], deputy_id bigint, reason text) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  plan_id bigint;
BEGIN
  IF _plan_hand_over.on_date IS NULL OR _plan_hand_over.strategy IS NULL THEN
    RAISE EXCEPTION 'day and strategy must be given' USING ERRCODE = 'null_value_not_allowed';
  ELSIF _plan_hand_over.on_date NOT BETWEEN crm._business_day(clock_timestamp()) AND '2199-12-31' THEN
    RAISE EXCEPTION 'day "%" cannot be planned for', _plan_hand_over.on_date USING ERRCODE = 'invalid_parameter_value', HINT = 'Plan for today or a day to come.';
  ELSIF array_ndims(_plan_hand_over.successors) > 1 THEN
    RAISE EXCEPTION 'successors must have one dimension' USING ERRCODE = 'array_subscript_error';
  ELSIF array_position(_plan_hand_over.successors, NULL) IS NOT NULL THEN
    RAISE EXCEPTION 'successors must not contain nulls' USING ERRCODE = 'null_value_not_allowed';
  ELSIF _plan_hand_over.strategy NOT IN ('pool', 'keep', 'even', 'round_robin', 'least_loaded', 'best_fit', 'optimal') OR _plan_hand_over.strategy = 'keep' AND _plan_hand_over.kind <> 'move' THEN
    RAISE EXCEPTION 'strategy "%" is none for a %', _plan_hand_over.strategy, _plan_hand_over.kind
      USING ERRCODE = 'invalid_parameter_value', HINT = 'Strategies are pool, keep (for a move), even, round_robin, least_loaded, best_fit and optimal; single customers have crm.plan_successor().';
  ELSIF _plan_hand_over.strategy IN ('pool', 'keep') AND cardinality(_plan_hand_over.successors) > 0 THEN
    RAISE EXCEPTION 'strategy "%" takes no successors', _plan_hand_over.strategy USING ERRCODE = 'invalid_parameter_value';
  END IF;
  PERFORM crm._require_successor(u.id, staff.id, _plan_hand_over.on_date) FROM unnest(_plan_hand_over.successors || _plan_hand_over.deputy_id) u(id) WHERE u.id IS NOT NULL;
  INSERT INTO crm.hand_over (staff_id, kind, on_date, org_id, channel_id, to_org_id, to_channel_id, strategy, deputy_id, reason)
  VALUES (staff.id, _plan_hand_over.kind, _plan_hand_over.on_date, staff.org_id, staff.channel_id, _plan_hand_over.to_org_id, _plan_hand_over.to_channel_id,
          _plan_hand_over.strategy, _plan_hand_over.deputy_id, _plan_hand_over.reason)
  ON CONFLICT (staff_id) WHERE state = 'planned' DO NOTHING
  RETURNING id INTO plan_id;
  IF plan_id IS NULL THEN
    RAISE EXCEPTION 'a hand-over of staff member "%" is planned already', staff.id
      USING ERRCODE = 'object_in_use', HINT = 'Cancel it by crm.cancel_hand_over(), or choose other successors by crm.plan_successor().';
  END IF;
  INSERT INTO crm.hand_over_successor (hand_over_id, staff_id) SELECT DISTINCT plan_id, u.id FROM unnest(_plan_hand_over.successors) u(id);
  RETURN plan_id;
END
$$;
COMMENT ON FUNCTION crm._plan_hand_over(crm.staff, text, date, bigint, bigint, text, bigint[], bigint, text) IS 'Writes a plan. Errors: 22004, 22023, 23503, 2202E, 55000, 55006.';
REVOKE ALL ON FUNCTION crm._plan_hand_over(crm.staff, text, date, bigint, bigint, text, bigint[], bigint, text) FROM PUBLIC;

CREATE FUNCTION crm.plan_departure(staff_id bigint, left_on date, strategy text DEFAULT 'least_loaded', successors bigint[] DEFAULT NULL, deputy_id bigint DEFAULT NULL, reason text DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  staff CONSTANT crm.staff := crm._leaver(plan_departure.staff_id, true);
  plan_id bigint;
BEGIN
  plan_id := crm._plan_hand_over(staff, 'departure', plan_departure.left_on, NULL, NULL, plan_departure.strategy, plan_departure.successors, plan_departure.deputy_id, plan_departure.reason);
  -- who waits for what the rehearsal locks waits for the whole transaction, which locks it again at its end: so it does before
  PERFORM crm._lock_leavers(ARRAY[staff.id], true);
  PERFORM crm._rehearse_hand_over(plan_id);
  UPDATE crm.staff s SET left_on = plan_departure.left_on WHERE s.id = staff.id AND s.left_on IS DISTINCT FROM plan_departure.left_on;
  RETURN plan_id;
END
$$;
COMMENT ON FUNCTION crm.plan_departure(bigint, date, text, bigint[], bigint, text) IS
  'A member of staff leaves on a day (the first one no longer in post): records that, and plans to whom each customer held goes, by a strategy of crm.allocate() among successors (NULL: the staff of the unit and channel), or pool; deputy_id takes open appointments with other customers and open items of workflows, else the nearest manager does. A notice tells where there is nobody to deal out to. Returns the key of the hand-over, of which crm.hand_over_list() tells. Done on the day by crm.hand_over(); where the day is today when the transaction commits. Errors: 22004, 22023 day gone by, strategy, 23503, 2202E, 55000 not in post or no successor, 55006 planned already. 离职交接计划';
REVOKE ALL ON FUNCTION crm.plan_departure(bigint, date, text, bigint[], bigint, text) FROM PUBLIC;

CREATE FUNCTION crm.plan_move(staff_id bigint, on_date date, to_org_id bigint, to_channel_id bigint DEFAULT NULL, strategy text DEFAULT 'keep', successors bigint[] DEFAULT NULL, deputy_id bigint DEFAULT NULL, reason text DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  staff CONSTANT crm.staff := crm._leaver(plan_move.staff_id, false);
  in_channel CONSTANT bigint := coalesce(plan_move.to_channel_id, staff.channel_id);
  plan_id bigint;
BEGIN
  IF plan_move.to_org_id IS NULL THEN
    RAISE EXCEPTION 'the new unit must be given' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  PERFORM crm._require_known('unit', plan_move.to_org_id), crm._require_known('channel', in_channel);
  IF (staff.org_id, staff.channel_id) = (plan_move.to_org_id, in_channel) THEN
    RAISE EXCEPTION 'staff member "%" is in unit "%" and channel "%" already', staff.id, staff.org_id, staff.channel_id USING ERRCODE = 'invalid_parameter_value';
  ELSIF staff.left_on <= plan_move.on_date THEN
    RAISE EXCEPTION 'staff member "%" leaves on %', staff.id, staff.left_on USING ERRCODE = 'object_not_in_prerequisite_state';
  END IF;
  plan_id := crm._plan_hand_over(staff, 'move', plan_move.on_date, plan_move.to_org_id, in_channel, plan_move.strategy, plan_move.successors, plan_move.deputy_id, plan_move.reason);
  PERFORM crm._rehearse_hand_over(plan_id);
  RETURN plan_id;
END
$$;
COMMENT ON FUNCTION crm.plan_move(bigint, date, bigint, bigint, text, bigint[], bigint, text) IS
  'A member of staff moves to another unit or channel on a day: plans what becomes of the customers held: keep, or handed over as by crm.plan_departure(). A holding that is kept goes on in the unit where it began. Returns the key of the hand-over, done on the day by crm.hand_over(). Errors: as crm.plan_departure; 22023 there already, 55000 leaves before. 调动交接计划';
REVOKE ALL ON FUNCTION crm.plan_move(bigint, date, bigint, bigint, text, bigint[], bigint, text) FROM PUBLIC;

CREATE FUNCTION crm._planned(hand_over_id bigint) RETURNS crm.hand_over
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  plan crm.hand_over;
BEGIN
  IF _planned.hand_over_id IS NULL THEN
    RAISE EXCEPTION 'the hand-over must be given' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  -- who leaves before the plan, as where a last day is written to crm.staff
  PERFORM FROM crm.staff s WHERE s.id = (SELECT p.staff_id FROM crm.hand_over p WHERE p.id = _planned.hand_over_id) FOR NO KEY UPDATE;
  SELECT * INTO plan FROM crm.hand_over p WHERE p.id = _planned.hand_over_id FOR UPDATE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'there is no hand-over "%"', _planned.hand_over_id USING ERRCODE = 'foreign_key_violation';
  ELSIF plan.state <> 'planned' THEN
    RAISE EXCEPTION 'hand-over "%" is %', plan.id, plan.state USING ERRCODE = 'object_not_in_prerequisite_state';
  END IF;
  RETURN plan;
END
$$;
COMMENT ON FUNCTION crm._planned(bigint) IS 'Locks who leaves or moves, and the hand-over, which must be planned. Errors: 22004, 23503, 55000 done or cancelled.';
REVOKE ALL ON FUNCTION crm._planned(bigint) FROM PUBLIC;

CREATE FUNCTION crm.plan_successor(hand_over_id bigint, customers bigint[], to_staff_id bigint) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  plan CONSTANT crm.hand_over := crm._planned(plan_successor.hand_over_id);
  stranger bigint;
  changed bigint;
BEGIN
  IF array_ndims(plan_successor.customers) > 1 THEN
    RAISE EXCEPTION 'customers must have one dimension' USING ERRCODE = 'array_subscript_error';
  ELSIF plan_successor.customers IS NULL OR array_position(plan_successor.customers, NULL) IS NOT NULL THEN
    RAISE EXCEPTION 'customers must be given, without nulls' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  IF plan_successor.to_staff_id IS NOT NULL THEN
    PERFORM crm._require_successor(plan_successor.to_staff_id, plan.staff_id, plan.on_date);
  END IF;
  SELECT u.id INTO stranger FROM unnest(plan_successor.customers) u(id)
  WHERE NOT EXISTS (SELECT FROM crm.holding h WHERE h.customer_id = u.id AND h.staff_id = plan.staff_id AND h.held_to IS NULL)
  ORDER BY u.id LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'staff member "%" does not hold customer "%"', plan.staff_id, stranger USING ERRCODE = 'invalid_parameter_value';
  END IF;
  INSERT INTO crm.hand_over_customer AS l (hand_over_id, customer_id, to_staff_id, chosen)
  SELECT DISTINCT plan.id, u.id, plan_successor.to_staff_id, true FROM unnest(plan_successor.customers) u(id)
  ON CONFLICT (hand_over_id, customer_id) DO UPDATE SET to_staff_id = excluded.to_staff_id, chosen = true, obstacle = NULL;
  GET DIAGNOSTICS changed = ROW_COUNT;
  PERFORM crm._rehearse_hand_over(plan.id);
  RETURN changed;
END
$$;
COMMENT ON FUNCTION crm.plan_successor(bigint, bigint[], bigint) IS
  'Chooses who gets these customers when a hand-over that is planned is done, to_staff_id NULL: the pool, and plans for the others anew; returns how many customers were named. Errors: 22004, 22023 not held by who leaves, 23503, 2202E, 55000 no successor or not planned any more. 指定接任人';
REVOKE ALL ON FUNCTION crm.plan_successor(bigint, bigint[], bigint) FROM PUBLIC;

CREATE FUNCTION crm.cancel_hand_over(hand_over_id bigint, reason text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  plan CONSTANT crm.hand_over := crm._planned(cancel_hand_over.hand_over_id);
BEGIN
  IF cancel_hand_over.reason IS NULL OR btrim(cancel_hand_over.reason) = '' THEN
    RAISE EXCEPTION 'a hand-over is cancelled for a reason' USING ERRCODE = 'check_violation', HINT = 'Give it as reason.';
  END IF;
  UPDATE crm.hand_over p SET state = 'cancelled', ended_at = clock_timestamp(), ended_by = crm.actor(), end_reason = cancel_hand_over.reason WHERE p.id = plan.id;
  IF plan.kind = 'departure' THEN
    UPDATE crm.staff s SET left_on = NULL WHERE s.id = plan.staff_id AND s.left_on = plan.on_date;
  END IF;
END
$$;
COMMENT ON FUNCTION crm.cancel_hand_over(bigint, text) IS
  'Who was to leave or move stays: cancels the plan, and takes the last day back. Errors: 22004, 23503, 23514 no reason, 55000 done or cancelled already. 取消交接';
REVOKE ALL ON FUNCTION crm.cancel_hand_over(bigint, text) FROM PUBLIC;

GRANT SELECT ON crm.hand_over, crm.hand_over_customer TO crm_bi_owner;
INSERT INTO crm.duty_right (duty, privilege, kind, object) VALUES
  ('manager', 'SELECT', 'TABLE', 'crm.hand_over'),
  ('manager', 'SELECT', 'TABLE', 'crm.hand_over_customer'),
  ('manager', 'SELECT', 'TABLE', 'crm.hand_over_successor'),
  ('manager', 'EXECUTE', 'FUNCTION', 'crm.plan_departure(bigint, date, text, bigint[], bigint, text)'),
  ('manager', 'EXECUTE', 'FUNCTION', 'crm.plan_move(bigint, date, bigint, bigint, text, bigint[], bigint, text)'),
  ('manager', 'EXECUTE', 'FUNCTION', 'crm.plan_successor(bigint, bigint[], bigint)'),
  ('manager', 'EXECUTE', 'FUNCTION', 'crm.cancel_hand_over(bigint, text)');
INSERT INTO crm.customer_reference (relation, column_name, way, binds, note) VALUES
  ('crm.hand_over_customer', 'customer_id', 'move', false, 'Once in each hand-over, and those planned later know one customer.');
