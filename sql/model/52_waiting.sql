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
  END IF;
  SELECT u.id INTO unknown FROM unnest(await_allocation.staff) u(id) WHERE NOT EXISTS (SELECT FROM crm.staff s WHERE s.id = u.id) ORDER BY u.id LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'there is no member of staff "%"', unknown USING ERRCODE = 'foreign_key_violation';
  END IF;
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
  SELECT coalesce(array_agg(p.customer_id ORDER BY p.place, p.benefit DESC, p.holder_id), '{}'), coalesce(array_agg(p.holder_id ORDER BY p.place, p.benefit DESC, p.holder_id), '{}')
  INTO pair_customers, pair_staff
  FROM (SELECT e.customer_id, e.holder_id, e.benefit, u.n AS place
        FROM crm._allocation_edges(state.eligible, _fit_in_turn.staff, crm._business_day(clock_timestamp())) e
        JOIN unnest(state.eligible) WITH ORDINALITY u(id, n) ON u.id = e.customer_id
        WHERE (e.customer_id, e.holder_id) NOT IN (SELECT b.customer_id, b.staff_id FROM unnest(state.barred_customers, state.barred_staff) b(customer_id, staff_id))) p;
  who := crm._fit(state.eligible, state.kinds, _fit_in_turn.staff, state.rooms, state.kind_loads, pair_customers, pair_staff);
  RETURN QUERY SELECT h.customer_id, h.staff_id, h.holding_id, h.outcome
  FROM crm._hold(state.eligible || state.others, who || array_fill(NULL::bigint, ARRAY[cardinality(state.others)]), NULL, NULL, _fit_in_turn.reason) h;
END
$$;
COMMENT ON FUNCTION crm._fit_in_turn(bigint[], bigint[], text) IS 'Allocates customers in the order of the array, each to whom it suits best of those with room. Errors: as crm.allocate.';
REVOKE ALL ON FUNCTION crm._fit_in_turn(bigint[], bigint[], text) FROM PUBLIC;

CREATE FUNCTION crm.drain_waiting(staff bigint[] DEFAULT NULL)
RETURNS TABLE (customer_id bigint, staff_id bigint, holding_id bigint, outcome text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  batch CONSTANT integer := 1000;
  at CONSTANT timestamptz := clock_timestamp();
  day CONSTANT date := crm._business_day(at);
  wish record;
  members bigint[];
  tried bigint[];
  gone bigint[];
BEGIN
  -- one at a time, and every count that it may touch before the first: it waits for no customer, so nobody waits for it in a circle
  LOCK TABLE crm.waiting IN SHARE UPDATE EXCLUSIVE MODE;
  PERFORM crm._lock_counts(ARRAY(
    SELECT DISTINCT u.id
    FROM (SELECT DISTINCT w.staff, w.org_id, w.channel_id FROM crm.waiting w) w
    CROSS JOIN LATERAL unnest(crm._wished_staff(w.staff, w.org_id, w.channel_id, drain_waiting.staff, day)) u(id)));
  FOR wish IN
    SELECT w.strategy, w.staff, w.org_id, w.channel_id, w.reason, array_agg(w.customer_id ORDER BY w.since, w.customer_id) AS customers
    FROM crm.waiting w GROUP BY w.strategy, w.staff, w.org_id, w.channel_id, w.reason ORDER BY min(w.since), min(w.customer_id)
  LOOP
    members := crm._wished_staff(wish.staff, wish.org_id, wish.channel_id, drain_waiting.staff, day);
    CONTINUE WHEN cardinality(members) = 0 AND drain_waiting.staff IS NOT NULL;
    FOR part IN 0 .. (cardinality(wish.customers) - 1) / batch LOOP
      tried := wish.customers[part * batch + 1 : (part + 1) * batch];
      -- those without room, or on leave, need not be looked at for each batch
      members := ARRAY(SELECT m.id FROM unnest(members, (SELECT r.rooms FROM crm._rooms(members, day) r)) m(id, room) WHERE m.room > 0 ORDER BY m.id);
      IF cardinality(members) = 0 THEN
        UPDATE crm.waiting w SET tries = w.tries + 1, last_tried_at = at, last_outcome = 'left_over'
        WHERE w.customer_id = ANY (wish.customers[part * batch + 1 :]);
        EXIT;
      END IF;
      gone := '{}';
      FOR customer_id, staff_id, holding_id, outcome IN
        SELECT d.customer_id, d.staff_id, d.holding_id, d.outcome FROM crm._deal_out(tried, members, wish.strategy, '{}', true, wish.reason) d WHERE wish.strategy <> 'best_fit'
        UNION ALL
        SELECT f.customer_id, f.staff_id, f.holding_id, f.outcome FROM crm._fit_in_turn(tried, members, wish.reason) f WHERE wish.strategy = 'best_fit'
      LOOP
        IF outcome IN ('allocated', 'held') THEN
          gone := gone || customer_id;
        ELSE
          UPDATE crm.waiting w SET tries = w.tries + 1, last_tried_at = at, last_outcome = drain_waiting.outcome WHERE w.customer_id = drain_waiting.customer_id;
        END IF;
        RETURN NEXT;
      END LOOP;
      DELETE FROM crm.waiting w WHERE w.customer_id = ANY (gone);
    END LOOP;
  END LOOP;
END
$$;
COMMENT ON FUNCTION crm.drain_waiting(bigint[]) IS
  'Tries again to allocate the customers of crm.waiting, wish by wish, in the order in which they wait, as far as there is room: for the nightly job, and for whoever adds capacity, then with the staff who have it (NULL: all). Whom nobody may take is passed over and keeps waiting, whoever is held leaves the queue. One row for each customer looked at, as crm.allocate(). One at a time. Errors: as crm.allocate. 重试分配';
REVOKE ALL ON FUNCTION crm.drain_waiting(bigint[]) FROM PUBLIC;

GRANT SELECT ON crm.waiting TO crm_bi_owner;
INSERT INTO crm.duty_right (duty, privilege, kind, object) VALUES
  ('manager', 'EXECUTE', 'FUNCTION', 'crm.await_allocation(bigint[], bigint[], bigint, bigint, text, text)'),
  ('manager', 'EXECUTE', 'FUNCTION', 'crm.drain_waiting(bigint[])'),
  ('manager', 'SELECT', 'TABLE', 'crm.waiting'),
  ('manager', 'DELETE', 'TABLE', 'crm.waiting');
