-- allocate: a member of staff takes a customer, and gives one back

CREATE FUNCTION crm.claim(customer_id bigint, staff_id bigint) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  staff CONSTANT crm.staff := crm._staff_in_post(claim.staff_id, crm._business_day(clock_timestamp()));
  held crm.holding;
  at timestamptz;
  holding_id bigint;
BEGIN
  PERFORM crm._act_for(staff.id);
  PERFORM crm._at_work(staff, crm._business_day(clock_timestamp()));
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
  ELSE
    PERFORM crm._may_claim(claim.customer_id, staff, crm._business_day(at));
  END IF;
  PERFORM crm._refuse_blacklisted(claim.customer_id, crm._business_day(at));
  holding_id := crm._hold_one(claim.customer_id, staff, at, 'claim', NULL, false);
  PERFORM crm._count_claim(staff, crm._business_day(at));
  RETURN holding_id;
END
$$;
COMMENT ON FUNCTION crm.claim(bigint, bigint) IS
  'A member of staff takes a customer out of the pool, or out of the hands of their own channel or unit; returns the key of the holding. Of several at once one wins, and none goes beyond quota or daily limit. Errors: 55006 held already, 53400 quota or daily limit reached, 23514 cool-off of an earlier holder, blacklisted, or served by another channel, 55000 not in post or on leave, 42501 not for that member of staff, or outside the scope, 23503 unknown, 22004; 40P01, to be retried, where several calls in one transaction meet another such transaction, since each locks its customer and then what the member of staff holds (crm.allocate() locks many in order).';
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
  IF NOT EXISTS (SELECT FROM crm.staff s WHERE s.id = held.staff_id AND s.login::text COLLATE "C" = crm.actor()) THEN
    PERFORM crm._refuse_protected(held);
  END IF;
  UPDATE crm.holding h
  SET held_to = greatest(clock_timestamp(), h.held_from, h.last_contact_at), end_cause = 'release', ended_by = crm.actor(), end_reason = release.reason
  WHERE h.customer_id = held.customer_id AND h.id = held.id;
  RETURN held.id;
END
$$;
COMMENT ON FUNCTION crm.release(bigint, bigint, text) IS
  'Gives a customer back to the pool: the holder, or for any holder whoever may transfer; with staff_id only when that member of staff holds. Returns the key of the holding that ended. The cool-off begins. Errors: 55000 held by nobody or by somebody else, or protected against anybody but the holder, 42501 not for that holder, 23503 unknown, 22004; 40P01 as crm.claim.';
REVOKE ALL ON FUNCTION crm.release(bigint, bigint, text) FROM PUBLIC;

INSERT INTO crm.duty_right (duty, privilege, kind, object) VALUES
  ('sales', 'EXECUTE', 'FUNCTION', 'crm.claim(bigint, bigint)'),
  ('sales', 'EXECUTE', 'FUNCTION', 'crm.release(bigint, bigint, text)');
