-- allocate: left-over customers wait for staff, and are tried again

CREATE TABLE crm.waiting (
  customer_id bigint PRIMARY KEY REFERENCES crm.customer ON DELETE CASCADE,
  strategy text NOT NULL CHECK (strategy IN ('even', 'round_robin', 'least_loaded', 'best_fit')),
  staff bigint[] CHECK (pg_catalog.array_position(staff, NULL) IS NULL AND pg_catalog.cardinality(staff) > 0),
  org_id bigint REFERENCES crm.organisation,
  channel_id bigint REFERENCES crm.channel,
  reason text,
  since timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  added_by text NOT NULL DEFAULT crm.actor(),
  tries integer NOT NULL DEFAULT 0,
  last_tried_at timestamptz,
  last_outcome text,
  CONSTRAINT waiting_wish_check CHECK ((staff IS NULL) = (pg_catalog.num_nonnulls(org_id, channel_id) > 0))
);
COMMENT ON TABLE crm.waiting IS 'Customers of the pool whom nobody had room for, each with its wish: written by crm.await_allocation() and crm.drain_waiting(). 待分配';
COMMENT ON COLUMN crm.waiting.customer_id IS 'Customer.';
COMMENT ON COLUMN crm.waiting.strategy IS 'Strategy of crm.allocate().';
COMMENT ON COLUMN crm.waiting.staff IS 'Members of staff to whom the customer may go; NULL: those in post of unit and channel.';
COMMENT ON COLUMN crm.waiting.org_id IS 'Unit with its subtree; NULL: any.';
COMMENT ON COLUMN crm.waiting.channel_id IS 'Channel; NULL: any.';
COMMENT ON COLUMN crm.waiting.reason IS 'Reason that the holding will tell.';
COMMENT ON COLUMN crm.waiting.since IS 'Since when: who waits longest is served first.';
COMMENT ON COLUMN crm.waiting.added_by IS 'Who let the customer wait.';
COMMENT ON COLUMN crm.waiting.tries IS 'How often an allocation was tried since.';
COMMENT ON COLUMN crm.waiting.last_tried_at IS 'When last.';
COMMENT ON COLUMN crm.waiting.last_outcome IS 'What came of it.';
CREATE INDEX ON crm.waiting (org_id);
CREATE INDEX ON crm.waiting (channel_id);

CREATE FUNCTION crm.await_allocation(customers bigint[], staff bigint[] DEFAULT NULL, org_id bigint DEFAULT NULL, channel_id bigint DEFAULT NULL,
  strategy text DEFAULT 'least_loaded', reason text DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  unknown bigint;
  n bigint;
BEGIN
  IF array_ndims(await_allocation.customers) > 1 OR array_ndims(await_allocation.staff) > 1 THEN
    RAISE EXCEPTION 'customers and staff must have one dimension' USING ERRCODE = 'array_subscript_error';
  END IF;
  IF await_allocation.customers IS NULL OR await_allocation.strategy IS NULL
     OR array_position(await_allocation.customers, NULL) IS NOT NULL OR array_position(await_allocation.staff, NULL) IS NOT NULL THEN
    RAISE EXCEPTION 'customers and strategy must be given, without nulls' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  IF (await_allocation.staff IS NULL) <> (num_nonnulls(await_allocation.org_id, await_allocation.channel_id) > 0) THEN
    RAISE EXCEPTION 'staff, or unit or channel, must be given and not both' USING ERRCODE = 'invalid_parameter_value';
  ELSIF await_allocation.staff = '{}' THEN
    RAISE EXCEPTION 'no member of staff is named' USING ERRCODE = 'check_violation', HINT = 'Name some, or a unit or channel whose staff may take them.';
  ELSIF await_allocation.strategy NOT IN ('even', 'round_robin', 'least_loaded', 'best_fit') THEN
    RAISE EXCEPTION 'customers cannot wait for strategy "%"', await_allocation.strategy
      USING ERRCODE = 'check_violation', HINT = 'The strategies are even, round_robin, least_loaded and best_fit.';
  END IF;
  PERFORM crm._require_known('unit', await_allocation.org_id), crm._require_known('channel', await_allocation.channel_id);
  SELECT u.id INTO unknown FROM unnest(await_allocation.staff) u(id) WHERE NOT EXISTS (SELECT FROM crm.staff s WHERE s.id = u.id) ORDER BY u.id LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'there is no member of staff "%"', unknown USING ERRCODE = 'foreign_key_violation', HINT = 'crm.staff lists the staff.';
  END IF;
  SELECT u.id INTO unknown FROM unnest(await_allocation.customers) u(id) WHERE NOT EXISTS (SELECT FROM crm.customer c WHERE c.id = u.id) ORDER BY u.id LIMIT 1;
  PERFORM crm._require_known('customer', unknown);
  INSERT INTO crm.waiting AS w (customer_id, strategy, staff, org_id, channel_id, reason)
  SELECT u.id, await_allocation.strategy, (SELECT array_agg(DISTINCT s.id ORDER BY s.id) FROM unnest(await_allocation.staff) s(id)), await_allocation.org_id, await_allocation.channel_id,
         await_allocation.reason
  FROM (SELECT DISTINCT c.id FROM unnest(await_allocation.customers) c(id)) u
  WHERE NOT EXISTS (SELECT FROM crm.holding h WHERE h.customer_id = u.id AND h.held_to IS NULL AND h.staff_id IS NOT NULL)
  ORDER BY u.id
  ON CONFLICT (customer_id) DO UPDATE SET strategy = excluded.strategy, staff = excluded.staff, org_id = excluded.org_id, channel_id = excluded.channel_id, reason = excluded.reason;
  GET DIAGNOSTICS n = ROW_COUNT;
  RETURN n;
END
$$;
COMMENT ON FUNCTION crm.await_allocation(bigint[], bigint[], bigint, bigint, text, text) IS
  'Lets customers that no member of staff holds wait, as crm.allocate() left them over, for the staff of a list or of a unit with its subtree, a channel or both; returns how many wait now. Strategies: even, round_robin, least_loaded, best_fit. Who waits already keeps the place and gets the new wish. Errors: 22004, 22023, 23503 unknown, 23514 strategy or empty list, 2202E. 排队待分配';
REVOKE ALL ON FUNCTION crm.await_allocation(bigint[], bigint[], bigint, bigint, text, text) FROM PUBLIC;

CREATE FUNCTION crm._wished_staff(staff bigint[], org_id bigint, channel_id bigint, only_staff bigint[], day date) RETURNS bigint[]
LANGUAGE sql STABLE
BEGIN ATOMIC
  SELECT ARRAY(
    SELECT s.id FROM crm.staff s
    WHERE s.joined_on <= _wished_staff.day AND (s.left_on IS NULL OR s.left_on > _wished_staff.day)
      AND (_wished_staff.staff IS NULL OR s.id = ANY (_wished_staff.staff))
      AND (_wished_staff.only_staff IS NULL OR s.id = ANY (_wished_staff.only_staff))
      AND (_wished_staff.channel_id IS NULL OR s.channel_id = _wished_staff.channel_id)
      AND (_wished_staff.org_id IS NULL OR EXISTS (SELECT FROM crm.organisation_tree t WHERE t.ancestor_id = _wished_staff.org_id AND t.descendant_id = s.org_id))
    ORDER BY s.id);
END;
COMMENT ON FUNCTION crm._wished_staff(bigint[], bigint, bigint, bigint[], date) IS 'Members of staff in post on a day to whom a waiting customer may go.';

CREATE FUNCTION crm._edges_in_turn(customers bigint[], staff bigint[], rooms bigint[], kind_loads bigint[], barred_customers bigint[], barred_staff bigint[], day date)
RETURNS TABLE (customer_id bigint, staff_id bigint, benefit integer)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  last_resort bigint[];
BEGIN
  -- Whom nothing speaks for gets one of the first with room: of those who are barred from nobody as many as have room for all, and who comes before them.
  SELECT array_agg(s.id ORDER BY s.n) INTO last_resort
  FROM (SELECT m.id, m.n, sum(CASE WHEN b.staff_id IS NULL THEN greatest(m.room, 0) / k.most ELSE 0 END) OVER (ORDER BY m.id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before
        FROM unnest(_edges_in_turn.staff, _edges_in_turn.rooms) WITH ORDINALITY m(id, room, n)
        CROSS JOIN (SELECT max(l.load) AS most FROM unnest(_edges_in_turn.kind_loads) l(load)) k
        LEFT JOIN (SELECT DISTINCT x.staff_id FROM unnest(_edges_in_turn.barred_staff) x(staff_id)) b ON b.staff_id = m.id) s
  WHERE coalesce(s.before, 0) < cardinality(_edges_in_turn.customers);
  RETURN QUERY
  WITH pair AS (
    SELECT f.customer_id, f.staff_id, f.benefit FROM crm._suits(_edges_in_turn.customers, _edges_in_turn.staff, _edges_in_turn.day) f
    UNION ALL
    SELECT u.id, s.id, 0 FROM unnest(_edges_in_turn.customers) u(id) CROSS JOIN unnest(last_resort) s(id))
  SELECT p.customer_id, p.staff_id, max(p.benefit) FROM pair p
  WHERE (p.customer_id, p.staff_id) NOT IN (SELECT b.customer_id, b.staff_id FROM unnest(_edges_in_turn.barred_customers, _edges_in_turn.barred_staff) b(customer_id, staff_id))
  GROUP BY p.customer_id, p.staff_id;
END
$$;
COMMENT ON FUNCTION crm._edges_in_turn(bigint[], bigint[], bigint[], bigint[], bigint[], bigint[], date) IS
  'The pairs that an allocation in turn needs: those of crm._allocation_edges() with a benefit, and of the others as many as can matter.';
REVOKE ALL ON FUNCTION crm._edges_in_turn(bigint[], bigint[], bigint[], bigint[], bigint[], bigint[], date) FROM PUBLIC;

CREATE FUNCTION crm._fit_in_turn(customers bigint[], staff bigint[], reason text)
RETURNS TABLE (customer_id bigint, staff_id bigint, holding_id bigint, outcome text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  state CONSTANT record := crm._allocation_state(_fit_in_turn.customers, _fit_in_turn.staff);
  pair_customers bigint[];
  pair_staff bigint[];
  who bigint[];
BEGIN
  SELECT coalesce(array_agg(e.customer_id ORDER BY u.n, e.benefit DESC, e.staff_id), '{}'), coalesce(array_agg(e.staff_id ORDER BY u.n, e.benefit DESC, e.staff_id), '{}')
  INTO pair_customers, pair_staff
  FROM crm._edges_in_turn(state.eligible, _fit_in_turn.staff, state.rooms, state.kind_loads, state.barred_customers, state.barred_staff,
                          crm._business_day(clock_timestamp())) e
  JOIN unnest(state.eligible) WITH ORDINALITY u(id, n) ON u.id = e.customer_id;
  who := crm._fit(state.eligible, state.kinds, _fit_in_turn.staff, state.rooms, state.kind_loads, pair_customers, pair_staff);
  RETURN QUERY SELECT h.customer_id, h.staff_id, h.holding_id, h.outcome
  FROM crm._hold(state.eligible || state.others, who || array_fill(NULL::bigint, ARRAY[cardinality(state.others)]), NULL, NULL, _fit_in_turn.reason) h;
END
$$;
COMMENT ON FUNCTION crm._fit_in_turn(bigint[], bigint[], text) IS 'Allocates customers in the order of the array, each to whom it suits best of those with room. Errors: as crm.allocate.';
REVOKE ALL ON FUNCTION crm._fit_in_turn(bigint[], bigint[], text) FROM PUBLIC;

CREATE FUNCTION crm._wishes() RETURNS TABLE (strategy text, staff bigint[], org_id bigint, channel_id bigint, reason text)
LANGUAGE sql STABLE
BEGIN ATOMIC
  SELECT w.strategy, w.staff, w.org_id, w.channel_id, w.reason
  FROM crm.waiting w GROUP BY w.strategy, w.staff, w.org_id, w.channel_id, w.reason ORDER BY pg_catalog.min(w.since), pg_catalog.min(w.customer_id);
END;
COMMENT ON FUNCTION crm._wishes() IS 'What waiting customers wish, in the order in which they began to wait.';
REVOKE ALL ON FUNCTION crm._wishes() FROM PUBLIC;

CREATE FUNCTION crm._drain_batch(wish record, only_staff bigint[], since timestamptz, batch integer, OUT looked_at integer, OUT customers bigint[], OUT staff bigint[], OUT holdings bigint[], OUT outcomes text[])
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  at CONSTANT timestamptz := clock_timestamp();
  day CONSTANT date := crm._business_day(at);
  members bigint[] := crm._wished_staff(wish.staff, wish.org_id, wish.channel_id, only_staff, day);
  tried bigint[];
BEGIN
  looked_at := 0;
  IF only_staff IS NOT NULL AND members = '{}' THEN
    RETURN;
  END IF;
  -- those without room, or on leave, need not be looked at for each batch
  members := ARRAY(SELECT m.id FROM unnest(members, (SELECT r.rooms FROM crm._rooms(members, day) r)) m(id, room) WHERE m.room > 0 ORDER BY m.id);
  -- a row that somebody is changing is left to them, so that no lock of this waits for a customer's
  tried := ARRAY(SELECT w.customer_id FROM crm.waiting w
                 WHERE w.strategy = wish.strategy AND w.staff IS NOT DISTINCT FROM wish.staff AND w.org_id IS NOT DISTINCT FROM wish.org_id
                   AND w.channel_id IS NOT DISTINCT FROM wish.channel_id AND w.reason IS NOT DISTINCT FROM wish.reason AND coalesce(w.last_tried_at < _drain_batch.since, true)
                 ORDER BY w.since, w.customer_id LIMIT CASE WHEN members <> '{}' THEN batch END FOR UPDATE SKIP LOCKED);
  looked_at := cardinality(tried);
  IF members = '{}' OR looked_at = 0 THEN
    UPDATE crm.waiting w SET tries = w.tries + 1, last_tried_at = at, last_outcome = 'left_over' WHERE w.customer_id = ANY (tried);
    RETURN;
  END IF;
  IF wish.strategy = 'best_fit' THEN
    SELECT array_agg(f.customer_id), array_agg(f.staff_id), array_agg(f.holding_id), array_agg(f.outcome) INTO customers, staff, holdings, outcomes
    FROM crm._fit_in_turn(tried, members, wish.reason) f;
  ELSE
    SELECT array_agg(d.customer_id), array_agg(d.staff_id), array_agg(d.holding_id), array_agg(d.outcome) INTO customers, staff, holdings, outcomes
    FROM crm._deal_out(tried, members, wish.strategy, '{}', true, wish.reason) d;
  END IF;
  UPDATE crm.waiting w SET tries = w.tries + 1, last_tried_at = at, last_outcome = o.outcome
  FROM unnest(customers, outcomes) o(id, outcome) WHERE w.customer_id = o.id AND o.outcome NOT IN ('allocated', 'held');
  DELETE FROM crm.waiting w WHERE w.customer_id IN (SELECT o.id FROM unnest(customers, outcomes) o(id, outcome) WHERE o.outcome IN ('allocated', 'held'));
END
$$;
COMMENT ON FUNCTION crm._drain_batch(record, bigint[], timestamptz, integer) IS
  'Tries the first customers of a wish that were not tried since an instant, or where nobody has room all of them without an answer, and tells what came of each; looked_at 0: there is none.';
REVOKE ALL ON FUNCTION crm._drain_batch(record, bigint[], timestamptz, integer) FROM PUBLIC;

CREATE FUNCTION crm.drain_waiting(staff bigint[] DEFAULT NULL)
RETURNS TABLE (customer_id bigint, staff_id bigint, holding_id bigint, outcome text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  at CONSTANT timestamptz := clock_timestamp();
  members bigint[];
  wish record;
  done record;
BEGIN
  -- one at a time, and all staff and every count that it may touch before the first: it waits for no customer, so nobody waits for it in a circle
  LOCK TABLE crm.waiting IN SHARE UPDATE EXCLUSIVE MODE;
  members := ARRAY(
    SELECT DISTINCT u.id
    FROM (SELECT DISTINCT w.staff, w.org_id, w.channel_id FROM crm.waiting w) w
    CROSS JOIN LATERAL unnest(crm._wished_staff(w.staff, w.org_id, w.channel_id, drain_waiting.staff, crm._business_day(at))) u(id));
  PERFORM FROM crm.staff s WHERE s.id = ANY (members) ORDER BY s.id FOR KEY SHARE;
  PERFORM crm._lock_counts(members);
  FOR wish IN SELECT * FROM crm._wishes() LOOP
    LOOP
      done := crm._drain_batch(wish, drain_waiting.staff, at, 1000);
      EXIT WHEN done.looked_at = 0;
      RETURN QUERY SELECT * FROM unnest(done.customers, done.staff, done.holdings, done.outcomes);
    END LOOP;
  END LOOP;
END
$$;
COMMENT ON FUNCTION crm.drain_waiting(bigint[]) IS
  'Tries again to allocate the customers of crm.waiting, wish by wish, in the order in which they wait, as far as there is room: for whoever adds capacity, then with the staff who have it (NULL: all). Whom nobody may take is passed over and keeps waiting, whoever is held leaves the queue. One row for each customer looked at, as crm.allocate(). One at a time; until the transaction ends nobody else gives a customer to the staff that somebody waits for: long queues go by crm.drain_waiting_in_batches(). Errors: as crm.allocate. 重试分配';
REVOKE ALL ON FUNCTION crm.drain_waiting(bigint[]) FROM PUBLIC;

-- It commits, so it cannot carry a SET clause: each transaction sets its own path.
CREATE PROCEDURE crm.drain_waiting_in_batches(staff bigint[] DEFAULT NULL, batch integer DEFAULT 1000, INOUT allocated bigint DEFAULT NULL)
LANGUAGE plpgsql AS $$
#variable_conflict use_variable
DECLARE
  path CONSTANT text := pg_catalog.current_setting('search_path');
  at CONSTANT timestamptz := pg_catalog.clock_timestamp();
  wish record;
  done record;
BEGIN
  PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
  IF batch IS NULL OR batch <= 0 THEN
    RAISE EXCEPTION 'batch must be positive' USING ERRCODE = 'invalid_parameter_value', HINT = 'crm.drain_waiting() does all in one transaction.';
  END IF;
  PERFORM crm._may_commit();
  allocated := 0;
  FOR wish IN SELECT * FROM crm._wishes() LOOP
    LOOP
      LOCK TABLE crm.waiting IN SHARE UPDATE EXCLUSIVE MODE;
      done := crm._drain_batch(wish, staff, at, batch);
      allocated := allocated + coalesce(cardinality(array_positions(done.outcomes, 'allocated')), 0);
      COMMIT;
      PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
      EXIT WHEN done.looked_at = 0;
    END LOOP;
  END LOOP;
  PERFORM pg_catalog.set_config('search_path', path, true);
END
$$;
COMMENT ON PROCEDURE crm.drain_waiting_in_batches(bigint[], integer, bigint) IS
  'As crm.drain_waiting(), for the nightly job: so many customers in a transaction, each committed, so that claims and allocations go on beside it. Whoever is being changed by somebody else is left for the next call. Returns how many were allocated. For the owner of the model. Errors: as crm.allocate, 22023, 2D000 inside a transaction block. 分批重试分配';
REVOKE ALL ON PROCEDURE crm.drain_waiting_in_batches(bigint[], integer, bigint) FROM PUBLIC;

INSERT INTO crm.customer_reference (relation, column_name, way, note) VALUES
  ('crm.waiting', 'customer_id', 'move', 'A customer waits once: the wish of the one kept stays.');
GRANT SELECT ON crm.waiting TO crm_bi_owner;
INSERT INTO crm.duty_right (duty, privilege, kind, object) VALUES
  ('manager', 'EXECUTE', 'FUNCTION', 'crm.await_allocation(bigint[], bigint[], bigint, bigint, text, text)'),
  ('manager', 'EXECUTE', 'FUNCTION', 'crm.drain_waiting(bigint[])'),
  ('manager', 'SELECT', 'TABLE', 'crm.waiting'),
  ('manager', 'DELETE', 'TABLE', 'crm.waiting');
