-- allocate: who holds whom: quotas, claim, release, transfer, allocation

-- quotas ------------------------------------------------------------------

CREATE TABLE crm.holding_quota (
  staff_id bigint PRIMARY KEY REFERENCES crm.staff,
  quota integer NOT NULL CHECK (quota >= 0),
  set_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
  set_by text NOT NULL DEFAULT crm.actor()
);
COMMENT ON TABLE crm.holding_quota IS 'How many customers a member of staff may hold, where not as the setting holding_quota says.';
COMMENT ON COLUMN crm.holding_quota.staff_id IS 'Member of staff.';
COMMENT ON COLUMN crm.holding_quota.quota IS 'Customers at most; who holds more already keeps them and gets no other.';
COMMENT ON COLUMN crm.holding_quota.set_at IS 'When it was set.';
COMMENT ON COLUMN crm.holding_quota.set_by IS 'Who set it.';
CREATE TRIGGER stamp BEFORE UPDATE ON crm.holding_quota FOR EACH ROW EXECUTE FUNCTION crm._stamp();

CREATE TABLE crm.holding_count (
  staff_id bigint PRIMARY KEY REFERENCES crm.staff,
  held bigint NOT NULL
);
COMMENT ON TABLE crm.holding_count IS 'How many customers each member of staff holds: kept by triggers on crm.holding, and the row that those who give a member of staff another customer lock.';
COMMENT ON COLUMN crm.holding_count.staff_id IS 'Member of staff.';
COMMENT ON COLUMN crm.holding_count.held IS 'Open holdings.';

CREATE FUNCTION crm._holding_count_given() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN NULL;
END
$$;
COMMENT ON FUNCTION crm._holding_count_given() IS 'Trigger: a count that comes from a data-only restore and not from crm.holding is passed over.';
CREATE TRIGGER given BEFORE INSERT ON crm.holding_count
  FOR EACH ROW WHEN (NEW.held <> 0 AND pg_catalog.pg_trigger_depth() = 0) EXECUTE FUNCTION crm._holding_count_given();

CREATE FUNCTION crm._holding_counted() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO crm.holding_count AS q (staff_id, held)
    SELECT n.staff_id, count(*) FROM new_rows n
    WHERE n.staff_id IS NOT NULL AND n.held_to IS NULL
    GROUP BY n.staff_id ORDER BY n.staff_id
    ON CONFLICT (staff_id) DO UPDATE SET held = q.held + excluded.held;
  ELSIF TG_OP = 'UPDATE' THEN
    INSERT INTO crm.holding_count AS q (staff_id, held)
    SELECT d.staff_id, sum(d.n)
    FROM (SELECT o.staff_id, -1 AS n FROM old_rows o WHERE o.held_to IS NULL
          UNION ALL SELECT n.staff_id, 1 FROM new_rows n WHERE n.held_to IS NULL) d
    WHERE d.staff_id IS NOT NULL
    GROUP BY d.staff_id HAVING sum(d.n) <> 0 ORDER BY d.staff_id
    ON CONFLICT (staff_id) DO UPDATE SET held = q.held + excluded.held;
  ELSIF TG_OP = 'DELETE' THEN
    INSERT INTO crm.holding_count AS q (staff_id, held)
    SELECT o.staff_id, -count(*) FROM old_rows o
    WHERE o.staff_id IS NOT NULL AND o.held_to IS NULL
    GROUP BY o.staff_id ORDER BY o.staff_id
    ON CONFLICT (staff_id) DO UPDATE SET held = q.held + excluded.held;
  ELSE
    UPDATE crm.holding_count SET held = 0 WHERE held <> 0;
  END IF;
  RETURN NULL;
END
$$;
COMMENT ON FUNCTION crm._holding_counted() IS 'Trigger: keeps crm.holding_count, in order of the staff.';
REVOKE ALL ON FUNCTION crm._holding_counted() FROM PUBLIC;
CREATE TRIGGER counted_insert AFTER INSERT ON crm.holding REFERENCING NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION crm._holding_counted();
CREATE TRIGGER counted_update AFTER UPDATE ON crm.holding REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION crm._holding_counted();
CREATE TRIGGER counted_delete AFTER DELETE ON crm.holding REFERENCING OLD TABLE AS old_rows
  FOR EACH STATEMENT EXECUTE FUNCTION crm._holding_counted();
CREATE TRIGGER counted_truncate AFTER TRUNCATE ON crm.holding
  FOR EACH STATEMENT EXECUTE FUNCTION crm._holding_counted();

CREATE FUNCTION crm._lock_counts(staff_ids bigint[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
  INSERT INTO crm.holding_count (staff_id, held)
  SELECT DISTINCT s.id, 0 FROM unnest(_lock_counts.staff_ids) s(id) WHERE s.id IS NOT NULL ORDER BY s.id
  ON CONFLICT (staff_id) DO NOTHING;
  PERFORM FROM crm.holding_count q WHERE q.staff_id = ANY (_lock_counts.staff_ids) ORDER BY q.staff_id FOR NO KEY UPDATE;
END
$$;
COMMENT ON FUNCTION crm._lock_counts(bigint[]) IS 'Locks what these members of staff hold in order of the staff; after the customers, before anything is given to them.';
REVOKE ALL ON FUNCTION crm._lock_counts(bigint[]) FROM PUBLIC;

CREATE FUNCTION crm._quota(staff crm.staff, as_of date) RETURNS integer
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT coalesce((SELECT q.quota FROM crm.holding_quota q WHERE q.staff_id = (_quota.staff).id),
                  crm._setting_for('holding_quota', (_quota.staff).org_id, (_quota.staff).channel_id, _quota.as_of)::integer);
END;
COMMENT ON FUNCTION crm._quota(crm.staff, date) IS 'How many customers a member of staff may hold: their own quota, else the setting for their unit and channel.';

-- one customer ------------------------------------------------------------

CREATE FUNCTION crm._staff_in_post(staff_id bigint, day date) RETURNS crm.staff
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  staff crm.staff;
BEGIN
  IF _staff_in_post.staff_id IS NULL THEN
    RAISE EXCEPTION 'the member of staff must be given' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  SELECT * INTO staff FROM crm.staff s WHERE s.id = _staff_in_post.staff_id;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'there is no member of staff "%"', _staff_in_post.staff_id USING ERRCODE = 'foreign_key_violation';
  END IF;
  IF day < staff.joined_on OR day >= staff.left_on THEN
    RAISE EXCEPTION 'staff member "%" is not in post', staff.id
      USING ERRCODE = 'object_not_in_prerequisite_state',
            DETAIL = format('In post from %s%s.', staff.joined_on, coalesce(format(', until before %s', staff.left_on), '')),
            HINT = 'Choose somebody in post.';
  END IF;
  RETURN staff;
END
$$;
COMMENT ON FUNCTION crm._staff_in_post(bigint, date) IS 'A member of staff in post on a day. Errors: 22004, 23503 unknown, 55000 not in post.';

CREATE FUNCTION crm._act_for(staff_id bigint) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  actor CONSTANT text := crm.actor();
BEGIN
  IF NOT EXISTS (SELECT FROM crm.staff s WHERE s.id = _act_for.staff_id AND s.login::text COLLATE "C" = actor)
     AND NOT has_function_privilege(crm._login(), 'crm.transfer(bigint, bigint, text, boolean)', 'EXECUTE') THEN
    RAISE EXCEPTION 'login "%" may not act for %', crm._login(), coalesce('staff member "' || _act_for.staff_id || '"', 'a channel or unit')
      USING ERRCODE = 'insufficient_privilege', DETAIL = format('The acting person is "%s".', actor),
            HINT = 'Everybody acts for the member of staff whose login in crm.staff they are, the duty manager for anyone.';
  END IF;
END
$$;
COMMENT ON FUNCTION crm._act_for(bigint) IS
  'Whether the acting person is that member of staff, or the login may act for anyone: whoever may execute crm.transfer(). Errors: 42501.';

CREATE FUNCTION crm._open_holding(customer_id bigint) RETURNS crm.holding
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  held crm.holding;
BEGIN
  PERFORM crm._lock_customer(_open_holding.customer_id);
  SELECT * INTO held FROM crm.holding h
  WHERE h.customer_id = _open_holding.customer_id AND h.held_to IS NULL FOR UPDATE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'nobody holds customer "%"', _open_holding.customer_id
      USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'The customer is in the pool: use crm.claim() or crm.allocate().';
  END IF;
  RETURN held;
END
$$;
COMMENT ON FUNCTION crm._open_holding(bigint) IS 'Locks a customer and its open holding. Errors: 22004, 23503 unknown, 55000 held by nobody.';
REVOKE ALL ON FUNCTION crm._open_holding(bigint) FROM PUBLIC;

CREATE FUNCTION crm._lies_within(channel_id bigint, org_id bigint, holder_channel_id bigint, holder_org_id bigint) RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT _lies_within.channel_id = _lies_within.holder_channel_id
    AND (_lies_within.holder_org_id IS NULL
         OR EXISTS (SELECT FROM crm.organisation_tree t
                    WHERE t.ancestor_id = _lies_within.holder_org_id AND t.descendant_id = _lies_within.org_id));
END;
COMMENT ON FUNCTION crm._lies_within(bigint, bigint, bigint, bigint) IS 'Whether a channel and unit lie within the channel, or unit of a channel, that holds a customer.';

CREATE FUNCTION crm._held_by(holding crm.holding) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT CASE WHEN (_held_by.holding).staff_id IS NOT NULL THEN pg_catalog.format('staff member %s', (_held_by.holding).staff_id)
              WHEN (_held_by.holding).org_id IS NOT NULL THEN pg_catalog.format('unit %s of channel %s', (_held_by.holding).org_id, (_held_by.holding).channel_id)
              ELSE pg_catalog.format('channel %s', (_held_by.holding).channel_id) END;
END;
COMMENT ON FUNCTION crm._held_by(crm.holding) IS 'The holder in words.';

CREATE FUNCTION crm._hold_one(customer_id bigint, staff crm.staff, at timestamptz, cause text, reason text, waive_cool_off boolean) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  day CONSTANT date := crm._business_day(at);
  free_at timestamptz;
  bought date;
  quota integer;
  holding_id bigint;
BEGIN
  SELECT max(crm._free_again(h.held_to, h.rule)) INTO free_at FROM crm.holding h
  WHERE h.customer_id = _hold_one.customer_id AND h.staff_id = staff.id AND h.held_to IS NOT NULL;
  IF free_at > at AND NOT waive_cool_off THEN
    RAISE EXCEPTION 'staff member "%" may not hold customer "%" again yet', staff.id, _hold_one.customer_id
      USING ERRCODE = 'check_violation', DETAIL = format('The cool-off since the last holding of this customer ends at %s.', free_at),
            HINT = 'Somebody else may hold the customer; crm.transfer() can waive the cool-off.';
  END IF;
  bought := crm._last_purchase(_hold_one.customer_id, day);
  INSERT INTO crm.holding (customer_id, channel_id, org_id, staff_id, held_from, start_cause, start_reason, rule, last_purchase_at, cool_off_waived)
  VALUES (_hold_one.customer_id, staff.channel_id, staff.org_id, staff.id, at, cause, reason,
          crm._recycle_rule(staff.org_id, staff.channel_id, day),
          CASE WHEN bought IS NOT NULL THEN greatest(at, crm._business_time(bought)) END, coalesce(free_at > at, false))
  ON CONFLICT (customer_id) WHERE held_to IS NULL DO NOTHING
  RETURNING id INTO holding_id;
  IF holding_id IS NULL THEN
    RAISE EXCEPTION 'customer "%" is held already', _hold_one.customer_id USING ERRCODE = 'object_in_use';
  END IF;
  quota := crm._quota(staff, day);
  IF (SELECT q.held FROM crm.holding_count q WHERE q.staff_id = staff.id) > quota THEN
    RAISE EXCEPTION 'quota of % customers of staff member "%" is reached', quota, staff.id
      USING ERRCODE = 'configuration_limit_exceeded', HINT = 'Release a customer, or raise the quota in crm.holding_quota.';
  END IF;
  RETURN holding_id;
END
$$;
COMMENT ON FUNCTION crm._hold_one(bigint, crm.staff, timestamptz, text, text, boolean) IS
  'Starts a holding of a customer that the caller has locked. Errors: 23514 cool-off, 53400 quota, 55006 held.';
REVOKE ALL ON FUNCTION crm._hold_one(bigint, crm.staff, timestamptz, text, text, boolean) FROM PUBLIC;

CREATE FUNCTION crm.claim(customer_id bigint, staff_id bigint) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  staff CONSTANT crm.staff := crm._staff_in_post(claim.staff_id, crm._business_day(clock_timestamp()));
  held crm.holding;
  at timestamptz;
BEGIN
  PERFORM crm._act_for(staff.id);
  PERFORM crm._lock_customer(claim.customer_id);
  SELECT * INTO held FROM crm.holding h WHERE h.customer_id = claim.customer_id AND h.held_to IS NULL FOR UPDATE;
  at := clock_timestamp();
  IF FOUND THEN
    IF held.staff_id IS NOT NULL OR NOT crm._lies_within(staff.channel_id, staff.org_id, held.channel_id, held.org_id) THEN
      RAISE EXCEPTION 'customer "%" is held already', claim.customer_id
        USING ERRCODE = 'object_in_use', DETAIL = format('Held by %s since %s.', crm._held_by(held), held.held_from);
    END IF;
    UPDATE crm.holding h SET held_to = greatest(at, h.held_from, h.last_contact_at), end_cause = 'narrowing', ended_by = crm.actor()
    WHERE h.customer_id = held.customer_id AND h.id = held.id
    RETURNING h.held_to INTO at;
  END IF;
  RETURN crm._hold_one(claim.customer_id, staff, at, 'claim', NULL, false);
END
$$;
COMMENT ON FUNCTION crm.claim(bigint, bigint) IS
  'A member of staff takes a customer out of the pool, or out of the hands of their own channel or unit; returns the key of the holding. Of several at once one wins. Errors: 55006 held already, 53400 quota reached, 23514 cool-off of an earlier holder, 55000 not in post, 42501 not for that member of staff, 23503 unknown, 22004; 40P01, to be retried, where several calls in one transaction meet another such transaction, since each locks its customer and then what the member of staff holds (crm.allocate() locks many in order).';
REVOKE ALL ON FUNCTION crm.claim(bigint, bigint) FROM PUBLIC;

CREATE FUNCTION crm.release(customer_id bigint, staff_id bigint DEFAULT NULL, reason text DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  held CONSTANT crm.holding := crm._open_holding(release.customer_id);
BEGIN
  IF held.staff_id IS DISTINCT FROM coalesce(release.staff_id, held.staff_id) THEN
    RAISE EXCEPTION 'staff member "%" does not hold customer "%"', release.staff_id, release.customer_id
      USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = format('Held by %s since %s.', crm._held_by(held), held.held_from);
  END IF;
  PERFORM crm._act_for(held.staff_id);
  UPDATE crm.holding h
  SET held_to = greatest(clock_timestamp(), h.held_from, h.last_contact_at), end_cause = 'release', ended_by = crm.actor(), end_reason = release.reason
  WHERE h.customer_id = held.customer_id AND h.id = held.id;
  RETURN held.id;
END
$$;
COMMENT ON FUNCTION crm.release(bigint, bigint, text) IS
  'Gives a customer back to the pool: the holder, or for any holder whoever may transfer; with staff_id only when that member of staff holds. Returns the key of the holding that ended. The cool-off begins. Errors: 55000 held by nobody or by somebody else, 42501 not for that holder, 23503 unknown, 22004; 40P01 as crm.claim.';
REVOKE ALL ON FUNCTION crm.release(bigint, bigint, text) FROM PUBLIC;

CREATE FUNCTION crm.transfer(customer_id bigint, to_staff_id bigint, reason text DEFAULT NULL, waive_cool_off boolean DEFAULT false) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  staff CONSTANT crm.staff := crm._staff_in_post(transfer.to_staff_id, crm._business_day(clock_timestamp()));
  held CONSTANT crm.holding := crm._open_holding(transfer.customer_id);
  at timestamptz;
BEGIN
  IF held.staff_id = staff.id THEN
    RAISE EXCEPTION 'staff member "%" holds customer "%" already', staff.id, transfer.customer_id USING ERRCODE = 'object_in_use';
  END IF;
  PERFORM crm._lock_counts(ARRAY[held.staff_id, staff.id]);
  UPDATE crm.holding h
  SET held_to = greatest(clock_timestamp(), h.held_from, h.last_contact_at), end_cause = 'transfer', ended_by = crm.actor(), end_reason = transfer.reason
  WHERE h.customer_id = held.customer_id AND h.id = held.id
  RETURNING h.held_to INTO at;
  RETURN crm._hold_one(transfer.customer_id, staff, at, 'transfer', transfer.reason, coalesce(transfer.waive_cool_off, false));
END
$$;
COMMENT ON FUNCTION crm.transfer(bigint, bigint, text, boolean) IS
  'Hands a held customer to another member of staff, whose holding starts afresh; returns its key. The right to execute it is the right to act for any member of staff. A cool-off still running is waived only on demand, which the holding tells. Errors: 55000 held by nobody or not in post, 55006 held by that one already, 53400 quota, 23514 cool-off, 23503 unknown, 22004; 40P01 as crm.claim.';
REVOKE ALL ON FUNCTION crm.transfer(bigint, bigint, text, boolean) FROM PUBLIC;

CREATE FUNCTION crm.lock_holding(customer_id bigint, locked boolean DEFAULT true) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  held CONSTANT crm.holding := crm._open_holding(lock_holding.customer_id);
BEGIN
  IF lock_holding.locked IS NULL THEN
    RAISE EXCEPTION 'locked must be true or false' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  UPDATE crm.holding h SET locked = lock_holding.locked
  WHERE h.customer_id = held.customer_id AND h.id = held.id AND h.locked <> lock_holding.locked;
  RETURN held.id;
END
$$;
COMMENT ON FUNCTION crm.lock_holding(bigint, boolean) IS
  'Keeps the open holding of a customer out of the sweep, or lets it in again; returns its key. Errors: 55000 held by nobody, 23503 unknown, 22004; 40P01 as crm.claim.';
REVOKE ALL ON FUNCTION crm.lock_holding(bigint, boolean) FROM PUBLIC;

CREATE FUNCTION crm.release_departed(as_of date) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
  IF release_departed.as_of IS NULL THEN
    RAISE EXCEPTION 'the day must be given' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  IF release_departed.as_of > crm._business_day(clock_timestamp()) THEN
    RAISE EXCEPTION 'day "%" is in the future', release_departed.as_of
      USING ERRCODE = 'invalid_parameter_value', HINT = 'Use crm.transfer() for customers of somebody who is about to leave.';
  END IF;
  RETURN crm._depart_all(release_departed.as_of);
END
$$;
COMMENT ON FUNCTION crm.release_departed(date) IS
  'Hands over every customer held by somebody no longer in post on a day, locked or not: as planned, else back to the pool; returns how many. Errors: 22004, 22023 day in the future.';
REVOKE ALL ON FUNCTION crm.release_departed(date) FROM PUBLIC;

-- many customers ----------------------------------------------------------

CREATE FUNCTION crm.pool(as_of date, org_id bigint DEFAULT NULL, channel_id bigint DEFAULT NULL) RETURNS SETOF bigint
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT c.id FROM crm.customer c
  WHERE NOT EXISTS (SELECT FROM crm.holding h WHERE h.customer_id = c.id AND h.held_to IS NULL)
    AND (pool.channel_id IS NULL OR c.source_channel_id = pool.channel_id)
    AND (pool.org_id IS NULL OR EXISTS (
      SELECT FROM crm.organisation_tree t
      WHERE t.ancestor_id = pool.org_id
        AND t.descendant_id = coalesce((SELECT o.org_id FROM crm.customer_organisation o
                                        WHERE o.customer_id = c.id AND o.from_date <= pool.as_of
                                        ORDER BY o.from_date DESC LIMIT 1), c.org_id)))
  ORDER BY c.id;
END;
COMMENT ON FUNCTION crm.pool(date, bigint, bigint) IS
  'Customers that nobody holds now, by key; with org_id those at home in that unit or below on the day, with channel_id those that channel brought.';

CREATE FUNCTION crm._hold(customers bigint[], staff bigint[], channel_id bigint, org_id bigint, reason text)
RETURNS TABLE (customer_id bigint, staff_id bigint, holding_id bigint, outcome text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  to_unit CONSTANT boolean := _hold.channel_id IS NOT NULL;
  actor CONSTANT text := crm.actor();
  at timestamptz;
  day date;
  twice bigint;
  locked bigint[];
  narrowing boolean;
  wish_customer bigint[];
  wish_holder bigint[];
  wish_outcome text[];
BEGIN
  SELECT u.id INTO twice FROM unnest(_hold.customers) u(id) GROUP BY u.id HAVING count(*) > 1 ORDER BY u.id LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'customer "%" is named twice', twice USING ERRCODE = 'invalid_parameter_value';
  END IF;

  -- customers, then open holdings, then counts of staff: the order of locks everywhere
  locked := ARRAY(
    SELECT c.id FROM unnest(_hold.customers, _hold.staff) u(id, staff_id) JOIN crm.customer c ON c.id = u.id
    WHERE to_unit OR u.staff_id IS NOT NULL
    ORDER BY c.id FOR NO KEY UPDATE OF c SKIP LOCKED);
  PERFORM FROM unnest(locked) u(id) JOIN crm.holding h ON h.customer_id = u.id
  WHERE h.held_to IS NULL AND h.staff_id IS NULL
  ORDER BY h.customer_id FOR UPDATE OF h;
  narrowing := FOUND;
  PERFORM crm._lock_counts(ARRAY(SELECT DISTINCT u.id FROM unnest(_hold.staff) u(id)));
  at := clock_timestamp();
  day := crm._business_day(at);

  WITH holder AS MATERIALIZED (
    SELECT s.id, s.channel_id, s.org_id, greatest(crm._quota(s, day) - q.held, 0) AS room
    FROM crm.staff s JOIN crm.holding_count q ON q.staff_id = s.id
    WHERE s.id = ANY (_hold.staff)
    UNION ALL SELECT 0, _hold.channel_id, _hold.org_id, NULL WHERE to_unit),
  wish AS (
    SELECT u.id AS customer_id, CASE WHEN to_unit THEN 0 ELSE u.staff_id END AS holder_id
    FROM unnest(_hold.customers, _hold.staff) u(id, staff_id)),
  cooling AS (
    SELECT DISTINCT h.customer_id, CASE WHEN to_unit THEN 0 ELSE h.staff_id END AS holder_id
    FROM unnest(locked) u(id) JOIN crm.holding h ON h.customer_id = u.id
    WHERE h.held_to IS NOT NULL AND crm._free_again(h.held_to, h.rule) > at
      AND CASE WHEN to_unit THEN h.staff_id IS NULL AND h.end_cause <> 'narrowing' AND h.channel_id = _hold.channel_id
                                 AND h.org_id IS NOT DISTINCT FROM _hold.org_id
               ELSE h.staff_id IS NOT NULL END),
  judged AS (
    SELECT w.customer_id, w.holder_id, s.room,
           CASE WHEN c.id IS NULL THEN 'unknown'
                WHEN o.id IS NOT NULL
                     AND (o.staff_id IS NOT NULL OR s.id IS NULL OR NOT crm._lies_within(s.channel_id, s.org_id, o.channel_id, o.org_id)
                          OR (to_unit AND o.org_id IS NOT DISTINCT FROM _hold.org_id)) THEN 'held'
                WHEN s.id IS NULL THEN 'left_over'
                WHEN l.id IS NULL THEN 'busy'
                WHEN f.customer_id IS NOT NULL THEN 'cool_off'
                ELSE 'allocated' END AS outcome
    FROM wish w
    LEFT JOIN holder s ON s.id = w.holder_id
    LEFT JOIN crm.customer c ON c.id = w.customer_id
    LEFT JOIN unnest(locked) l(id) ON l.id = w.customer_id
    LEFT JOIN crm.holding o ON o.customer_id = w.customer_id AND o.held_to IS NULL
    LEFT JOIN cooling f ON f.customer_id = w.customer_id AND f.holder_id = w.holder_id),
  ranked AS (
    SELECT j.customer_id, j.holder_id,
           CASE WHEN j.outcome = 'allocated'
                     AND row_number() OVER (PARTITION BY j.holder_id, j.outcome ORDER BY j.customer_id) > j.room THEN 'quota'
                ELSE j.outcome END AS outcome
    FROM judged j)
  SELECT array_agg(r.customer_id ORDER BY r.customer_id), array_agg(r.holder_id ORDER BY r.customer_id), array_agg(r.outcome ORDER BY r.customer_id)
  INTO wish_customer, wish_holder, wish_outcome
  FROM ranked r;

  -- only now: what ended before the statement above saw it, ended before this
  at := clock_timestamp();
  IF narrowing THEN
    UPDATE crm.holding h SET held_to = greatest(at, h.held_from, h.last_contact_at), end_cause = 'narrowing', ended_by = actor, end_reason = _hold.reason
    FROM unnest(wish_customer, wish_outcome) w(customer_id, outcome)
    WHERE w.outcome = 'allocated' AND h.customer_id = w.customer_id AND h.held_to IS NULL;
  END IF;

  RETURN QUERY
  WITH holder AS MATERIALIZED (
    SELECT s.id, s.id AS staff_id, s.channel_id, s.org_id, crm._recycle_rule(s.org_id, s.channel_id, day) AS rule
    FROM crm.staff s WHERE s.id = ANY (_hold.staff)
    UNION ALL SELECT 0, NULL, _hold.channel_id, _hold.org_id, crm._recycle_rule(_hold.org_id, _hold.channel_id, day) WHERE to_unit),
  bought AS (
    SELECT c.customer_id, max(c.issued_on) AS day
    FROM unnest(locked) u(id) JOIN crm.cover c ON c.customer_id = u.id
    WHERE c.role = 'policyholder' AND c.issued_on >= day AND c.to_date > c.from_date
    GROUP BY c.customer_id),
  opened AS (
    INSERT INTO crm.holding (customer_id, channel_id, org_id, staff_id, held_from, start_cause, started_by, start_reason, rule, last_purchase_at)
    SELECT w.customer_id, s.channel_id, s.org_id, s.staff_id, at, 'allocation', actor, _hold.reason, s.rule,
           CASE WHEN b.day IS NOT NULL THEN greatest(at, crm._business_time(b.day)) END
    FROM unnest(wish_customer, wish_holder, wish_outcome) w(customer_id, holder_id, outcome)
    JOIN holder s ON s.id = w.holder_id
    LEFT JOIN bought b ON b.customer_id = w.customer_id
    WHERE w.outcome = 'allocated'
    ORDER BY w.customer_id
    ON CONFLICT (customer_id) WHERE held_to IS NULL DO NOTHING
    RETURNING customer_id, staff_id, id)
  SELECT w.customer_id, o.staff_id, o.id, CASE WHEN w.outcome = 'allocated' AND o.id IS NULL THEN 'held' ELSE w.outcome END
  FROM unnest(wish_customer, wish_outcome) w(customer_id, outcome)
  LEFT JOIN opened o ON o.customer_id = w.customer_id
  ORDER BY w.customer_id;
END
$$;
COMMENT ON FUNCTION crm._hold(bigint[], bigint[], bigint, bigint, text) IS
  'Starts a holding of each customer by the member of staff at the same place of the other array, or of all by a channel or unit, wherever that is allowed; one row for each customer tells what came of it. Trusts that its caller has looked at the arguments. Errors: 22023 customer named twice.';
REVOKE ALL ON FUNCTION crm._hold(bigint[], bigint[], bigint, bigint, text) FROM PUBLIC;

CREATE FUNCTION crm._allocate(customers bigint[], staff bigint[], reason text)
RETURNS TABLE (customer_id bigint, staff_id bigint, holding_id bigint, outcome text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  day CONSTANT date := crm._business_day(clock_timestamp());
BEGIN
  IF array_ndims(_allocate.customers) > 1 OR array_ndims(_allocate.staff) > 1 THEN
    RAISE EXCEPTION 'customers and staff must have one dimension' USING ERRCODE = 'array_subscript_error';
  END IF;
  IF _allocate.customers IS NULL OR _allocate.staff IS NULL OR array_position(_allocate.customers, NULL) IS NOT NULL THEN
    RAISE EXCEPTION 'customers and staff must be given' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  IF cardinality(_allocate.customers) <> cardinality(_allocate.staff) THEN
    RAISE EXCEPTION '% customers are given and % members of staff', cardinality(_allocate.customers), cardinality(_allocate.staff)
      USING ERRCODE = 'invalid_parameter_value', HINT = 'Each customer goes to the member of staff at the same place.';
  END IF;
  PERFORM crm._staff_in_post(s.id, day)
  FROM (SELECT DISTINCT u.id FROM unnest(_allocate.staff) u(id) WHERE u.id IS NOT NULL ORDER BY u.id) s;
  RETURN QUERY SELECT h.customer_id, h.staff_id, h.holding_id, h.outcome FROM crm._hold(_allocate.customers, _allocate.staff, NULL, NULL, _allocate.reason) h;
END
$$;
COMMENT ON FUNCTION crm._allocate(bigint[], bigint[], text) IS
  'What an allocation ends in: each customer goes to the member of staff at the same place, or to nobody where that is NULL. crm.allocate() runs with the rights of its caller, for the sake of the edges, so whoever may call it may call this: nothing is taken for checked. Errors: 22004, 22023 lengths or a customer named twice, 23503 unknown staff, 55000 staff not in post, 2202E.';
REVOKE ALL ON FUNCTION crm._allocate(bigint[], bigint[], text) FROM PUBLIC;

CREATE FUNCTION crm._allocation_state(customers bigint[], staff bigint[],
  OUT eligible bigint[], OUT loads bigint[], OUT rooms bigint[], OUT barred_customers bigint[], OUT barred_staff bigint[])
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  at CONSTANT timestamptz := clock_timestamp();
  day CONSTANT date := crm._business_day(at);
BEGIN
  SELECT coalesce(array_agg(coalesce(q.held, 0) ORDER BY u.n), '{}'),
         coalesce(array_agg(greatest(crm._quota(s, day) - coalesce(q.held, 0), 0) ORDER BY u.n), '{}')
  INTO loads, rooms
  FROM unnest(_allocation_state.staff) WITH ORDINALITY u(id, n)
  CROSS JOIN LATERAL crm._staff_in_post(u.id, day) s
  LEFT JOIN crm.holding_count q ON q.staff_id = s.id;
  WITH open AS MATERIALIZED (
    SELECT h.customer_id, h.channel_id, h.org_id, h.staff_id
    FROM unnest(_allocation_state.customers) u(id) JOIN crm.holding h ON h.customer_id = u.id AND h.held_to IS NULL),
  unit AS MATERIALIZED (
    SELECT DISTINCT o.channel_id, o.org_id FROM open o WHERE o.staff_id IS NULL),
  own AS (
    SELECT n.channel_id, n.org_id FROM unit n
    WHERE NOT EXISTS (SELECT FROM crm.staff s
                      WHERE s.id = ANY (_allocation_state.staff) AND NOT crm._lies_within(s.channel_id, s.org_id, n.channel_id, n.org_id)))
  SELECT coalesce(array_agg(c.id ORDER BY c.id), '{}') INTO eligible
  FROM unnest(_allocation_state.customers) u(id)
  JOIN crm.customer c ON c.id = u.id
  LEFT JOIN open o ON o.customer_id = c.id
  LEFT JOIN own n ON o.staff_id IS NULL AND n.channel_id = o.channel_id AND n.org_id IS NOT DISTINCT FROM o.org_id
  WHERE o.customer_id IS NULL OR n.channel_id IS NOT NULL;
  SELECT coalesce(array_agg(h.customer_id), '{}'), coalesce(array_agg(h.staff_id), '{}') INTO barred_customers, barred_staff
  FROM unnest(eligible) u(id) JOIN crm.holding h ON h.customer_id = u.id
  WHERE h.staff_id = ANY (_allocation_state.staff) AND h.held_to IS NOT NULL AND crm._free_again(h.held_to, h.rule) > at;
END
$$;
COMMENT ON FUNCTION crm._allocation_state(bigint[], bigint[]) IS
  'What an allocation starts from: the customers that may be allocated, what each member of staff holds and may hold more, and the pairs in cool-off. Errors: 23503, 55000.';
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
  SELECT c.id, s.id, (CASE WHEN s.org_id = c.org_id THEN 1 ELSE 0 END + CASE WHEN v.staff_id IS NOT NULL THEN 2 ELSE 0 END)::double precision
  FROM (SELECT c.id, coalesce((SELECT o.org_id FROM crm.customer_organisation o
                               WHERE o.customer_id = c.id AND o.from_date <= _allocation_edges.as_of
                               ORDER BY o.from_date DESC LIMIT 1), c.org_id) AS org_id
        FROM unnest(_allocation_edges.customers) u(id) JOIN crm.customer c ON c.id = u.id) c
  CROSS JOIN (SELECT s.id, s.org_id FROM crm.staff s WHERE s.id = ANY (_allocation_edges.staff)) s
  LEFT JOIN (SELECT DISTINCT p.customer_id, p.servicer_id AS staff_id
             FROM unnest(_allocation_edges.customers) u(id) JOIN crm.policy p ON p.customer_id = u.id
             WHERE p.servicer_id = ANY (_allocation_edges.staff)) v ON v.customer_id = c.id AND v.staff_id = s.id;
END
$$;
COMMENT ON FUNCTION crm._allocation_edges(bigint[], bigint[], date) IS
  'Benefit of each pair of customer and member of staff: 2 for the servicer of a policy of the customer, 1 for the customer''s home unit. Errors: 54000 above 20 million pairs.';
REVOKE ALL ON FUNCTION crm._allocation_edges(bigint[], bigint[], date) FROM PUBLIC;

CREATE FUNCTION crm.allocate(customers bigint[], staff bigint[], strategy text DEFAULT 'even', edges text DEFAULT NULL, reason text DEFAULT NULL)
RETURNS TABLE (customer_id bigint, staff_id bigint, holding_id bigint, outcome text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  state record;
  place bigint[];
  who bigint[];
BEGIN
  IF array_ndims(allocate.customers) > 1 OR array_ndims(allocate.staff) > 1 THEN
    RAISE EXCEPTION 'customers and staff must have one dimension' USING ERRCODE = 'array_subscript_error';
  END IF;
  IF allocate.customers IS NULL OR allocate.staff IS NULL OR allocate.strategy IS NULL
     OR array_position(allocate.customers, NULL) IS NOT NULL OR array_position(allocate.staff, NULL) IS NOT NULL THEN
    RAISE EXCEPTION 'customers, staff and strategy must be given, without nulls' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  IF allocate.strategy NOT IN ('even', 'least_loaded', 'optimal', 'given') THEN
    RAISE EXCEPTION 'there is no strategy "%"', allocate.strategy
      USING ERRCODE = 'invalid_parameter_value', HINT = 'The strategies are even, least_loaded, optimal and given.';
  END IF;
  IF allocate.edges IS NOT NULL AND allocate.strategy <> 'optimal' THEN
    RAISE EXCEPTION 'strategy "%" takes no edges', allocate.strategy
      USING ERRCODE = 'invalid_parameter_value', HINT = 'Edges are for the strategy optimal.';
  END IF;

  IF allocate.strategy = 'given' THEN
    place := allocate.customers;
    who := allocate.staff;
  ELSE
    SELECT * INTO state FROM crm._allocation_state(ARRAY(SELECT DISTINCT u.id FROM unnest(allocate.customers) u(id)), allocate.staff);
    IF allocate.strategy = 'optimal' THEN
      SELECT array_agg(a.customer_id), array_agg(a.holder_id) INTO place, who
      FROM crm.assign(
        format('SELECT e.customer_id, e.holder_id, e.benefit FROM (%s) e
                WHERE e.customer_id = ANY (%L::bigint[]) AND e.holder_id = ANY (%L::bigint[])
                  AND (e.customer_id, e.holder_id) NOT IN (SELECT * FROM unnest(%L::bigint[], %L::bigint[]))',
               coalesce(allocate.edges,
                        format('SELECT * FROM crm._allocation_edges(%L, %L, %L)', state.eligible, allocate.staff, crm._business_day(clock_timestamp()))),
               state.eligible, allocate.staff, state.barred_customers, state.barred_staff),
        format('SELECT s.holder_id, s.capacity FROM unnest(%L::bigint[], %L::bigint[]) s(holder_id, capacity)', allocate.staff, state.rooms)) a;
    ELSE
      place := state.eligible;
      who := crm.deal(state.eligible, allocate.staff,
                      CASE allocate.strategy WHEN 'even' THEN array_fill(0::bigint, ARRAY[cardinality(allocate.staff)]) ELSE state.loads END,
                      state.rooms, state.barred_customers, state.barred_staff);
    END IF;
    SELECT coalesce(array_agg(c.id), '{}'), coalesce(array_agg(w.staff_id), '{}') INTO place, who
    FROM (SELECT DISTINCT u.id FROM unnest(allocate.customers) u(id)) c
    LEFT JOIN unnest(place, who) w(customer_id, staff_id) ON w.customer_id = c.id;
  END IF;
  RETURN QUERY SELECT h.customer_id, h.staff_id, h.holding_id, h.outcome FROM crm._allocate(place, who, allocate.reason) h;
END
$$;
COMMENT ON FUNCTION crm.allocate(bigint[], bigint[], text, text, text) IS
  'Allocates customers from the pool to members of staff within their quotas and never to an earlier holder in cool-off: even (as many to each), least_loaded (so that what they hold comes out level), optimal (most customers, then the best sum of benefits; edges is a query of customer_id, holder_id, benefit with qualified names, without it the servicer of a policy counts 2 and the home unit 1) or given (each customer to the member of staff at the same place). One row for each customer, by key; holding_id is NULL and the customer stays in the pool where outcome is not allocated but held, left_over (nobody had room), busy (locked by somebody else at that moment), cool_off, quota or unknown. A customer held by a channel or unit is allocated when all the staff belong to it. The same input gives the same answer in any order. Errors: 22004, 22023, 23503 unknown staff, 55000 staff not in post, 54000, 2202E.';
REVOKE ALL ON FUNCTION crm.allocate(bigint[], bigint[], text, text, text) FROM PUBLIC;

CREATE FUNCTION crm.entrust(customers bigint[], channel_id bigint, org_id bigint DEFAULT NULL, reason text DEFAULT NULL)
RETURNS TABLE (customer_id bigint, holding_id bigint, outcome text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
  IF array_ndims(entrust.customers) > 1 THEN
    RAISE EXCEPTION 'customers must have one dimension' USING ERRCODE = 'array_subscript_error';
  END IF;
  IF entrust.customers IS NULL OR entrust.channel_id IS NULL OR array_position(entrust.customers, NULL) IS NOT NULL THEN
    RAISE EXCEPTION 'customers and channel must be given, without nulls' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  IF NOT EXISTS (SELECT FROM crm.channel c WHERE c.id = entrust.channel_id) THEN
    RAISE EXCEPTION 'there is no channel "%"', entrust.channel_id USING ERRCODE = 'foreign_key_violation';
  END IF;
  IF entrust.org_id IS NOT NULL AND NOT EXISTS (SELECT FROM crm.organisation o WHERE o.id = entrust.org_id) THEN
    RAISE EXCEPTION 'there is no unit "%"', entrust.org_id USING ERRCODE = 'foreign_key_violation';
  END IF;
  RETURN QUERY
  SELECT h.customer_id, h.holding_id, h.outcome
  FROM crm._hold(ARRAY(SELECT DISTINCT u.id FROM unnest(entrust.customers) u(id)), '{}', entrust.channel_id, entrust.org_id, entrust.reason) h;
END
$$;
COMMENT ON FUNCTION crm.entrust(bigint[], bigint, bigint, text) IS
  'Puts customers from the pool into the hands of a channel, or of a unit with its subtree in a channel, or on from a channel to a unit; its staff may claim them. One row for each customer, as crm.allocate. Errors: 22004, 23503, 2202E.';
REVOKE ALL ON FUNCTION crm.entrust(bigint[], bigint, bigint, text) FROM PUBLIC;

INSERT INTO crm.duty_right (duty, privilege, kind, object) VALUES
  ('sales', 'EXECUTE', 'FUNCTION', 'crm.claim(bigint, bigint)'),
  ('sales', 'EXECUTE', 'FUNCTION', 'crm.release(bigint, bigint, text)'),
  ('manager', 'EXECUTE', 'FUNCTION', 'crm.transfer(bigint, bigint, text, boolean)'),
  ('manager', 'EXECUTE', 'FUNCTION', 'crm.lock_holding(bigint, boolean)'),
  ('manager', 'EXECUTE', 'FUNCTION', 'crm.entrust(bigint[], bigint, bigint, text)'),
  ('manager', 'EXECUTE', 'FUNCTION', 'crm.allocate(bigint[], bigint[], text, text, text)'),
  ('manager', 'EXECUTE', 'FUNCTION', 'crm.release_departed(date)'),
  ('manager', 'EXECUTE', 'FUNCTION', 'crm._allocation_state(bigint[], bigint[])'),
  ('manager', 'EXECUTE', 'FUNCTION', 'crm._allocation_edges(bigint[], bigint[], date)'),
  ('manager', 'EXECUTE', 'FUNCTION', 'crm._allocate(bigint[], bigint[], text)'),
  ('manager', 'SELECT', 'TABLE', 'crm.holding_quota'),
  ('manager', 'INSERT (staff_id, quota)', 'TABLE', 'crm.holding_quota'),
  ('manager', 'UPDATE (staff_id, quota)', 'TABLE', 'crm.holding_quota'),
  ('manager', 'DELETE', 'TABLE', 'crm.holding_quota');
