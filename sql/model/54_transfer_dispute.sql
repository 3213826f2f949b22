-- allocate: disputes over a customer, decided by the level above both

INSERT INTO crm.setting_kind (name, type, initial, by_unit, rebuilds, description) VALUES
  ('dispute_days', 'integer', '30', true, false,
   'Days for which a dispute keeps a holding that is not due yet from the sweep, each holding once; 0: not at all.');

CREATE FUNCTION crm._in_dispute() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  item bigint;
BEGIN
  SELECT i.id INTO item FROM crm.workflow_item i WHERE i.workflow = 'dispute' AND i.customer_id = OLD.customer_id AND i.closed_at IS NULL;
  -- customers of who has left go all the same
  IF FOUND AND NOT EXISTS (SELECT FROM crm.staff s WHERE s.id = OLD.staff_id AND s.left_on <= crm._business_day(clock_timestamp())) THEN
    RAISE EXCEPTION 'customer "%" is in dispute', OLD.customer_id
      USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = format('Item %s is open.', item), HINT = 'The holding stays as it is until the dispute is decided or withdrawn.';
  END IF;
  RETURN NEW;
END
$$;
COMMENT ON FUNCTION crm._in_dispute() IS 'Trigger: a holding in dispute is neither given up nor handed over.';
REVOKE ALL ON FUNCTION crm._in_dispute() FROM PUBLIC;
CREATE TRIGGER in_dispute BEFORE UPDATE ON crm.holding
  FOR EACH ROW WHEN (OLD.held_to IS NULL AND NEW.end_cause IN ('release', 'transfer'))
  EXECUTE FUNCTION crm._in_dispute();

CREATE FUNCTION crm._dispute_over(item crm.workflow_item) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM crm._lock_customer(item.customer_id);
  UPDATE crm.holding h SET disputed_until = clock_timestamp()
  WHERE h.customer_id = item.customer_id AND h.staff_id = (item.data ->> 'holder_id')::bigint AND h.disputed_until > clock_timestamp();
END
$$;
COMMENT ON FUNCTION crm._dispute_over(crm.workflow_item) IS 'The customer stays: the dispute keeps the holding, also if it has ended, from the sweep no longer. A holding by somebody else is not touched.';
REVOKE ALL ON FUNCTION crm._dispute_over(crm.workflow_item) FROM PUBLIC;

CREATE FUNCTION crm._dispute_given(item crm.workflow_item) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  claimant CONSTANT crm.staff := crm._staff_in_post((item.data ->> 'claimant_id')::bigint, crm._business_day(clock_timestamp()));
  why CONSTANT text := format('dispute %s', item.id);
  held crm.holding;
BEGIN
  PERFORM crm._lock_customer(item.customer_id);
  SELECT * INTO held FROM crm.holding h WHERE h.customer_id = item.customer_id AND h.held_to IS NULL FOR UPDATE;
  IF NOT FOUND THEN
    PERFORM crm._lock_counts(ARRAY[claimant.id]);
    PERFORM crm._hold_one(item.customer_id, claimant, clock_timestamp(), 'transfer', why, true);
  ELSIF held.staff_id = claimant.id THEN
    PERFORM crm._dispute_over(item);
  ELSIF held.staff_id = (item.data ->> 'holder_id')::bigint THEN
    PERFORM crm._transfer(held, claimant, why, true);
  ELSE
    RAISE EXCEPTION 'customer "%" is held by % now', item.customer_id, crm._held_by(held)
      USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = format('The dispute is with staff member %s.', item.data ->> 'holder_id'),
            HINT = 'Close this one with keep; another dispute may be opened.';
  END IF;
END
$$;
COMMENT ON FUNCTION crm._dispute_given(crm.workflow_item) IS
  'The customer goes to who claimed them, whatever the cool-off. Errors: 55000 held by a third or the claimant not in post, 53400 quota.';
REVOKE ALL ON FUNCTION crm._dispute_given(crm.workflow_item) FROM PUBLIC;
INSERT INTO crm.workflow_action (code, function, description) VALUES
  ('dispute_over', '_dispute_over', 'Lets the holding that was in dispute into the sweep again.'), ('dispute_given', '_dispute_given', 'Gives the customer to who claimed them.');

PERFORM crm.define_workflow('dispute', '{
  "name": "Dispute over a customer", "name_zh": "客户归属争议", "subject": "customer", "one_per_subject": true, "open_by": [],
  "fields": {"holder_id": "bigint", "claimant_id": "bigint", "holding_id": "bigint", "grounds": "text"},
  "states": [
    {"state": "opened", "name": "Opened", "name_zh": "待答复", "initial": true, "limit_hours": 15, "responsible": "duty:manager"},
    {"state": "arbitration", "name": "Arbitration", "name_zh": "仲裁中", "limit_hours": 22.5, "responsible": "duty:manager"},
    {"state": "kept", "name": "Stays", "name_zh": "维持原归属", "final": true, "action": "dispute_over"},
    {"state": "given", "name": "Goes over", "name_zh": "改归申请人", "final": true, "action": "dispute_given"},
    {"state": "withdrawn", "name": "Withdrawn", "name_zh": "已撤回", "final": true, "action": "dispute_over"}],
  "transitions": [
    {"transition": "answer", "name": "Answer", "name_zh": "答复", "from": "opened", "to": "arbitration", "by": "field:holder_id", "fields": {"answer": "text"}},
    {"transition": "proceed", "name": "Proceed without answer", "name_zh": "未答复转仲裁", "from": "opened", "to": "arbitration", "by": ["duty:manager", "duty:arbiter"], "not_by": ["field:claimant_id"], "reason_required": true},
    {"transition": "keep", "name": "Decide that they stay", "name_zh": "裁定维持", "from": "arbitration", "to": "kept", "by": ["duty:manager", "duty:arbiter"], "not_by": ["opener", "field:claimant_id", "field:holder_id"], "reason_required": true},
    {"transition": "give", "name": "Decide that they go", "name_zh": "裁定改归", "from": "arbitration", "to": "given", "by": ["duty:manager", "duty:arbiter"], "not_by": ["opener", "field:claimant_id", "field:holder_id"], "reason_required": true},
    {"transition": "withdraw", "name": "Withdraw", "name_zh": "撤回", "from": ["opened", "arbitration"], "to": "withdrawn", "by": "opener"}]}');

CREATE FUNCTION crm.open_dispute(customer_id bigint, claimant_id bigint, grounds text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  day CONSTANT date := crm._business_day(clock_timestamp());
  claimant CONSTANT crm.staff := crm._staff_in_post(open_dispute.claimant_id, day);
  held crm.holding;
  holder crm.staff;
  unit bigint;
  item_id bigint;
BEGIN
  IF NOT crm._answers_for(ARRAY[claimant.id]) THEN
    RAISE EXCEPTION '"%" may not claim a customer for staff member "%"', crm.actor(), claimant.id
      USING ERRCODE = 'insufficient_privilege', HINT = 'Everybody does for themselves, and the managers of their unit and above.';
  END IF;
  held := crm._open_holding(open_dispute.customer_id);
  IF held.staff_id IS NULL THEN
    RAISE EXCEPTION 'customer "%" is held by %', open_dispute.customer_id, crm._held_by(held)
      USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Whoever belongs there may claim the customer.';
  ELSIF held.staff_id = claimant.id THEN
    RAISE EXCEPTION 'staff member "%" holds customer "%" already', claimant.id, open_dispute.customer_id USING ERRCODE = 'object_in_use';
  END IF;
  IF EXISTS (SELECT FROM crm.workflow_item i
             WHERE i.workflow = 'dispute' AND i.customer_id = held.customer_id AND i.closed_at IS NOT NULL
               AND (i.data ->> 'claimant_id')::bigint = claimant.id AND (i.data ->> 'holding_id')::bigint = held.id) THEN
    RAISE EXCEPTION 'staff member "%" has disputed this holding of customer "%" before', claimant.id, held.customer_id
      USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = format('Held by %s since %s.', crm._held_by(held), held.held_from), HINT = 'A transfer may be asked for by crm.request_transfer().';
  END IF;
  SELECT * INTO STRICT holder FROM crm.staff s WHERE s.id = held.staff_id;
  unit := crm._unit_over_staff(ARRAY[holder.id, claimant.id]);
  IF NOT EXISTS (SELECT FROM crm._in_charge(unit, 'manager', false, day))
     OR NOT EXISTS (SELECT FROM unnest(ARRAY['manager', 'arbiter']) d(duty) CROSS JOIN LATERAL crm._in_charge(unit, d.duty, false, day) c
                    WHERE c.staff_id NOT IN (holder.id, claimant.id) AND c.person <> crm.actor()) THEN
    RAISE EXCEPTION 'there is nobody to decide between staff members % and %', holder.id, claimant.id
      USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = format('A manager must be in charge of unit %s or above, and a manager or arbiter who is neither of them nor opens the dispute.', unit),
            HINT = 'Add a row to crm.position for a member of staff in post who has a login.';
  END IF;
  item_id := crm._open_item('dispute', open_dispute.customer_id, unit, held.channel_id,
    jsonb_build_object('holder_id', holder.id, 'claimant_id', claimant.id, 'holding_id', held.id, 'grounds', open_dispute.grounds),
    CASE WHEN coalesce(holder.left_on > day, true) THEN holder.login::text END);
  -- what is due already goes with the next sweep, and nobody freezes a holding twice
  UPDATE crm.holding h SET disputed_until = f.until
  FROM (SELECT clock_timestamp() + crm._setting_for('dispute_days', held.org_id, held.channel_id, day)::integer * interval '24 hours' AS until) f
  WHERE h.customer_id = held.customer_id AND h.id = held.id AND h.disputed_until IS NULL AND coalesce(h.due_at > clock_timestamp(), true) AND f.until > clock_timestamp();
  RETURN item_id;
END
$$;
COMMENT ON FUNCTION crm.open_dispute(bigint, bigint, text) IS
  'A member of staff, or a manager for them, claims a customer whom another one holds, and says on what grounds; returns the key of the item. Until it ends the holding is neither given up nor handed over, and for the days of the setting dispute_days no sweep ends it unless it was due before. The holder answers, the manager or arbiter at the level above both decides (transitions keep and give of the workflow dispute), in whose transaction the customer goes over. Errors: 55000 held by nobody or by a unit, not in post, disputed by that one before, or nobody to decide; 55006 held by that one already, or in dispute already; 23502 no grounds; 42501 not for the acting person; 23503 unknown, 22004.';
REVOKE ALL ON FUNCTION crm.open_dispute(bigint, bigint, text) FROM PUBLIC;

INSERT INTO crm.duty_right (duty, privilege, kind, object) VALUES
  ('sales', 'EXECUTE', 'FUNCTION', 'crm.open_dispute(bigint, bigint, text)'), ('manager', 'EXECUTE', 'FUNCTION', 'crm.open_dispute(bigint, bigint, text)');

CREATE FUNCTION crm._check_dispute() RETURNS TABLE (check_name text, detail text, hint text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT 'dispute_over', pg_catalog.format('holding %s of customer %s is frozen until %s, and not in dispute', h.id, h.customer_id, h.disputed_until), 'UPDATE crm.holding SET disputed_until = now() for that row.'
  FROM crm.holding h
  WHERE h.held_to IS NULL AND h.disputed_until > pg_catalog.clock_timestamp()
    AND NOT EXISTS (SELECT FROM crm.workflow_item i WHERE i.workflow = 'dispute' AND i.customer_id = h.customer_id AND i.closed_at IS NULL);
END;
COMMENT ON FUNCTION crm._check_dispute() IS 'Invariants of disputes that do not hold, each with what to do.';
REVOKE ALL ON FUNCTION crm._check_dispute() FROM PUBLIC;
