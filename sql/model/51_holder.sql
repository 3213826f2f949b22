-- allocate: one customer and one holder

CREATE FUNCTION crm._staff_in_post(staff_id bigint, day date) RETURNS crm.staff
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  staff crm.staff;
BEGIN
  IF _staff_in_post.staff_id IS NULL THEN
    RAISE EXCEPTION 'the member of staff must be given' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  -- A departure locks who leaves before their customers, so it is waited for here, before anything is locked that it waits for;
  -- an old snapshot does not show it, and fails.
  IF current_setting('transaction_isolation') = 'read committed' THEN
    PERFORM FROM crm.staff s WHERE s.id = _staff_in_post.staff_id FOR KEY SHARE;
  ELSE
    PERFORM FROM crm.staff s WHERE s.id = _staff_in_post.staff_id FOR SHARE;
  END IF;
  SELECT * INTO staff FROM crm.staff s WHERE s.id = _staff_in_post.staff_id;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'there is no member of staff "%"', _staff_in_post.staff_id USING ERRCODE = 'foreign_key_violation';
  END IF;
  IF day < staff.joined_on OR day >= staff.left_on THEN
    RAISE EXCEPTION 'staff member "%" is not in post', staff.id
      USING ERRCODE = 'object_not_in_prerequisite_state',
            DETAIL = format('In post from %s%s.', staff.joined_on, coalesce(', until before ' || staff.left_on, '')),
            HINT = 'Choose somebody in post.';
  END IF;
  RETURN staff;
END
$$;
COMMENT ON FUNCTION crm._staff_in_post(bigint, date) IS 'A member of staff in post on a day. Errors: 22004, 23503 unknown, 55000 not in post; 40001 beyond read committed.';
REVOKE ALL ON FUNCTION crm._staff_in_post(bigint, date) FROM PUBLIC;

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
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET jit = off AS $$
#variable_conflict use_column
DECLARE
  day CONSTANT date := crm._business_day(at);
  terms record;
  loads text;
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
  SELECT max(c.issued_on) INTO bought FROM crm.cover c
  WHERE c.customer_id = _hold_one.customer_id AND c.role = 'policyholder' AND c.issued_on >= day AND c.to_date > c.from_date;
  terms := crm._terms(staff.org_id, staff.channel_id, day);
  loads := crm._setting_for('tier_load', staff.org_id, staff.channel_id, day);
  INSERT INTO crm.holding (customer_id, channel_id, org_id, staff_id, held_from, start_cause, start_reason, rule, last_purchase_at, cool_off_waived,
                           load, protection_days, protection_renewal_days, protection_max_days)
  VALUES (_hold_one.customer_id, staff.channel_id, staff.org_id, staff.id, at, cause, reason,
          crm._recycle_rule_of(_hold_one.customer_id, staff.org_id, staff.channel_id, day),
          CASE WHEN bought IS NOT NULL THEN greatest(at, crm._business_time(bought)) END, coalesce(free_at > at, false),
          CASE loads WHEN 'others 1' THEN 1 ELSE crm.load_of(loads, (SELECT t.tier FROM crm._tiers_of(ARRAY[_hold_one.customer_id], day) t)) END,
          terms.protection_days, terms.protection_renewal_days, terms.protection_max_days)
  ON CONFLICT (customer_id) WHERE held_to IS NULL DO NOTHING
  RETURNING id INTO holding_id;
  IF holding_id IS NULL THEN
    RAISE EXCEPTION 'customer "%" is held already', _hold_one.customer_id USING ERRCODE = 'object_in_use';
  END IF;
  SELECT q.quota INTO quota FROM crm.holding_quota q WHERE q.staff_id = staff.id;
  quota := coalesce(quota, crm._setting_for('holding_quota', staff.org_id, staff.channel_id, day)::integer);
  IF (SELECT q.load FROM crm.holding_count q WHERE q.staff_id = staff.id) > quota THEN
    RAISE EXCEPTION 'quota of % customers of staff member "%" is reached', quota, staff.id
      USING ERRCODE = 'configuration_limit_exceeded', HINT = 'Release a customer, or raise the quota in crm.holding_quota.';
  END IF;
  RETURN holding_id;
END
$$;
COMMENT ON FUNCTION crm._hold_one(bigint, crm.staff, timestamptz, text, text, boolean) IS
  'Starts a holding of a customer that the caller has locked. Errors: 23514 cool-off, 53400 quota, 55006 held.';
REVOKE ALL ON FUNCTION crm._hold_one(bigint, crm.staff, timestamptz, text, text, boolean) FROM PUBLIC;
