-- allocate: holdings that go to another member of staff, or back

CREATE FUNCTION crm._transfer(held crm.holding, staff crm.staff, reason text, waive_cool_off boolean) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  at timestamptz;
BEGIN
  PERFORM crm._refuse_protected(held);
  PERFORM crm._lock_counts(ARRAY[held.staff_id, staff.id]);
  UPDATE crm.holding h
  SET held_to = greatest(clock_timestamp(), h.held_from, h.last_contact_at), end_cause = 'transfer', ended_by = crm.actor(), end_reason = _transfer.reason
  WHERE h.customer_id = held.customer_id AND h.id = held.id
  RETURNING h.held_to INTO at;
  RETURN crm._hold_one(held.customer_id, staff, at, 'transfer', _transfer.reason, _transfer.waive_cool_off);
END
$$;
COMMENT ON FUNCTION crm._transfer(crm.holding, crm.staff, text, boolean) IS
  'Hands a customer whom the caller has locked to another member of staff in post; returns the key of the holding that begins. Errors: 55000 protected, 53400 quota, 23514 cool-off.';
REVOKE ALL ON FUNCTION crm._transfer(crm.holding, crm.staff, text, boolean) FROM PUBLIC;

CREATE FUNCTION crm.transfer(customer_id bigint, to_staff_id bigint, reason text DEFAULT NULL, waive_cool_off boolean DEFAULT false) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  staff CONSTANT crm.staff := crm._staff_in_post(transfer.to_staff_id, crm._business_day(clock_timestamp()));
  held CONSTANT crm.holding := crm._open_holding(transfer.customer_id);
  waives CONSTANT boolean := coalesce(transfer.waive_cool_off, false);
  item bigint;
BEGIN
  IF held.staff_id = staff.id THEN
    RAISE EXCEPTION 'staff member "%" holds customer "%" already', staff.id, transfer.customer_id USING ERRCODE = 'object_in_use';
  END IF;
  -- out of the hands of a channel or unit is no change of manager
  IF held.staff_id IS NULL OR crm._confirms_transfer(ARRAY[held.staff_id, staff.id]) THEN
    RETURN crm._transfer(held, staff, transfer.reason, waives);
  END IF;
  PERFORM crm._refuse_protected(held);
  item := crm.request_transfer(transfer.customer_id, staff.id, transfer.reason, waives);
  RAISE NOTICE 'customer "%" goes over when request % is confirmed', transfer.customer_id, item
    USING HINT = 'A manager at the level above both confirms it by crm.make_transition().';
  RETURN NULL;
END
$$;
COMMENT ON FUNCTION crm.transfer(bigint, bigint, text, boolean) IS
  'Hands a held customer to another member of staff, whose holding starts afresh; returns its key. A change of manager is confirmed by the level above both: where the acting person is a manager there, and none of the two, the call is the confirmation, which the holding tells (started_by); so it is for the owner of the model. From anybody else it is a request, as crm.request_transfer(), of which a notice tells, and the answer is NULL. The right to execute it is the right to act for any member of staff. A cool-off still running is waived only on demand, which the holding tells. Errors: 55000 held by nobody, protected (crm.override_protection()) or not in post, 55006 held by that one already, 53400 quota, 23514 cool-off, 23503 unknown, 22004; as a request 23502 no reason, 55000 nobody to confirm, 55006 requested already; 40P01 as crm.claim.';
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
      USING ERRCODE = 'invalid_parameter_value', HINT = 'Plan it by crm.plan_departure().';
  END IF;
  RETURN crm._hand_over_all(release_departed.as_of, false);
END
$$;
COMMENT ON FUNCTION crm.release_departed(date) IS
  'Hands over every customer held by somebody no longer in post on a day, locked or not: as planned, else back to the pool; returns how many. One that fails is told, as by crm.hand_over(). Errors: 22004, 22023 day in the future; 40P01 and 40001, to be retried.';
REVOKE ALL ON FUNCTION crm.release_departed(date) FROM PUBLIC;

INSERT INTO crm.duty_right (duty, privilege, kind, object) VALUES
  ('manager', 'EXECUTE', 'FUNCTION', 'crm.transfer(bigint, bigint, text, boolean)'),
  ('manager', 'EXECUTE', 'FUNCTION', 'crm.lock_holding(bigint, boolean)'),
  ('manager', 'EXECUTE', 'FUNCTION', 'crm.release_departed(date)');
