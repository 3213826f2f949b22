-- allocate: holdings that go to another member of staff, or back

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
  PERFORM crm._refuse_protected(held);
  PERFORM crm._lock_counts(ARRAY[held.staff_id, staff.id]);
  UPDATE crm.holding h
  SET held_to = greatest(clock_timestamp(), h.held_from, h.last_contact_at), end_cause = 'transfer', ended_by = crm.actor(), end_reason = transfer.reason
  WHERE h.customer_id = held.customer_id AND h.id = held.id
  RETURNING h.held_to INTO at;
  RETURN crm._hold_one(transfer.customer_id, staff, at, 'transfer', transfer.reason, coalesce(transfer.waive_cool_off, false));
END
$$;
COMMENT ON FUNCTION crm.transfer(bigint, bigint, text, boolean) IS
  'Hands a held customer to another member of staff, whose holding starts afresh; returns its key. The right to execute it is the right to act for any member of staff. A cool-off still running is waived only on demand, which the holding tells. Errors: 55000 held by nobody, protected (crm.override_protection()) or not in post, 55006 held by that one already, 53400 quota, 23514 cool-off, 23503 unknown, 22004; 40P01 as crm.claim.';
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
DECLARE
  at CONSTANT timestamptz := clock_timestamp();
  actor CONSTANT text := crm.actor();
  gone bigint[];
  ended bigint;
BEGIN
  IF release_departed.as_of IS NULL THEN
    RAISE EXCEPTION 'the day must be given' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  IF release_departed.as_of > crm._business_day(at) THEN
    RAISE EXCEPTION 'day "%" is in the future', release_departed.as_of
      USING ERRCODE = 'invalid_parameter_value', HINT = 'Use crm.transfer() for customers of somebody who is about to leave.';
  END IF;
  -- customers before their holdings, as everywhere
  gone := ARRAY(SELECT h.customer_id FROM crm.staff s JOIN crm.holding h ON h.staff_id = s.id AND h.held_to IS NULL
                WHERE s.left_on <= release_departed.as_of);
  gone := ARRAY(SELECT c.id FROM crm.customer c WHERE c.id = ANY (gone) ORDER BY c.id FOR NO KEY UPDATE);
  UPDATE crm.holding h SET held_to = greatest(at, h.held_from, h.last_contact_at), end_cause = 'departure', ended_by = actor
  FROM crm.staff s
  WHERE h.customer_id = ANY (gone) AND h.held_to IS NULL AND s.id = h.staff_id AND s.left_on <= release_departed.as_of;
  GET DIAGNOSTICS ended = ROW_COUNT;
  RETURN ended;
END
$$;
COMMENT ON FUNCTION crm.release_departed(date) IS
  'Gives every customer held by somebody no longer in post on a day back to the pool, locked or not; returns how many. Errors: 22004, 22023 day in the future.';
REVOKE ALL ON FUNCTION crm.release_departed(date) FROM PUBLIC;

INSERT INTO crm.duty_right (duty, privilege, kind, object) VALUES
  ('manager', 'EXECUTE', 'FUNCTION', 'crm.transfer(bigint, bigint, text, boolean)'),
  ('manager', 'EXECUTE', 'FUNCTION', 'crm.lock_holding(bigint, boolean)'),
  ('manager', 'EXECUTE', 'FUNCTION', 'crm.release_departed(date)');
