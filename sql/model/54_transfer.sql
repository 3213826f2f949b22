-- allocate: transfers that the level above confirms

CREATE FUNCTION crm._answers_for(staff_ids bigint[]) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  day CONSTANT date := crm._business_day(clock_timestamp());
  own CONSTANT bigint := crm._own_staff(crm.actor(), day);
BEGIN
  RETURN coalesce(own = ANY (staff_ids), false)
    OR has_function_privilege(crm._login(), 'crm.transfer(bigint, bigint, text, boolean)', 'EXECUTE')
    OR EXISTS (SELECT FROM crm.staff s CROSS JOIN LATERAL crm._in_charge(s.org_id, 'manager', false, day) c WHERE s.id = ANY (staff_ids) AND c.staff_id = own);
END
$$;
COMMENT ON FUNCTION crm._answers_for(bigint[]) IS
  'Whether the acting person is one of these members of staff, or manager of their unit or above it, or the login may act for anyone.';
REVOKE ALL ON FUNCTION crm._answers_for(bigint[]) FROM PUBLIC;

CREATE FUNCTION crm._unit_over_staff(staff_ids bigint[]) RETURNS bigint
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  unit CONSTANT bigint := crm._unit_over(ARRAY(SELECT s.org_id FROM crm.staff s WHERE s.id = ANY (staff_ids)));
BEGIN
  IF unit IS NULL THEN
    RAISE EXCEPTION 'no unit lies above staff members %', array_to_string(staff_ids, ' and ')
      USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Put their units below one root.';
  END IF;
  RETURN unit;
END
$$;
COMMENT ON FUNCTION crm._unit_over_staff(bigint[]) IS 'The unit that decides between members of staff: the level above them all. Errors: 55000 none.';
REVOKE ALL ON FUNCTION crm._unit_over_staff(bigint[]) FROM PUBLIC;

CREATE FUNCTION crm._confirms_transfer(staff_ids bigint[]) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  day CONSTANT date := crm._business_day(clock_timestamp());
BEGIN
  RETURN pg_has_role(crm._login(), current_user, 'MEMBER')
    OR EXISTS (SELECT FROM crm._in_charge(crm._unit_over_staff(staff_ids), 'manager', false, day) c
               WHERE c.staff_id = crm._own_staff(crm.actor(), day) AND NOT c.staff_id = ANY (staff_ids));
END
$$;
COMMENT ON FUNCTION crm._confirms_transfer(bigint[]) IS
  'Whether the acting person is manager at the level above these members of staff and none of them, whose word is the confirmation, or the login is a member of the owner of the model. Errors: 55000 no unit above.';
REVOKE ALL ON FUNCTION crm._confirms_transfer(bigint[]) FROM PUBLIC;

CREATE FUNCTION crm._transfer_confirmed(item crm.workflow_item) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  held CONSTANT crm.holding := crm._open_holding(item.customer_id);
BEGIN
  IF held.staff_id IS DISTINCT FROM (item.data ->> 'from_staff_id')::bigint THEN
    RAISE EXCEPTION 'customer "%" is held by % now', item.customer_id, crm._held_by(held)
      USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = format('When the transfer was requested staff member %s did.', item.data ->> 'from_staff_id'),
            HINT = 'Refuse this request; another may be made.';
  END IF;
  PERFORM crm._transfer(held, crm._staff_in_post((item.data ->> 'to_staff_id')::bigint, crm._business_day(clock_timestamp())),
                        format('request %s: %s', item.id, item.data ->> 'reason'), coalesce((item.data ->> 'waive_cool_off')::boolean, false));
END
$$;
COMMENT ON FUNCTION crm._transfer_confirmed(crm.workflow_item) IS 'Hands over the customer of a request that was confirmed. Errors: 55000 held by somebody else or nobody; those of crm._transfer().';
REVOKE ALL ON FUNCTION crm._transfer_confirmed(crm.workflow_item) FROM PUBLIC;
INSERT INTO crm.workflow_action (code, function, description) VALUES ('transfer', '_transfer_confirmed', 'Hands the customer over to who is to have them.');

PERFORM crm.define_workflow('transfer', '{
  "name": "Change of manager", "name_zh": "客户经理变更", "subject": "customer", "one_per_subject": true, "open_by": [],
  "fields": {"from_staff_id": "bigint", "to_staff_id": "bigint", "reason": "text", "waive_cool_off": {"type": "boolean", "required": false}},
  "states": [
    {"state": "requested", "name": "Requested", "name_zh": "待确认", "initial": true, "limit_hours": 15, "responsible": "duty:manager"},
    {"state": "confirmed", "name": "Confirmed", "name_zh": "已确认", "final": true, "action": "transfer"},
    {"state": "refused", "name": "Refused", "name_zh": "已驳回", "final": true},
    {"state": "withdrawn", "name": "Withdrawn", "name_zh": "已撤回", "final": true}],
  "transitions": [
    {"transition": "confirm", "name": "Confirm", "name_zh": "确认", "from": "requested", "to": "confirmed", "by": "duty:manager", "not_by": ["opener", "field:from_staff_id", "field:to_staff_id"]},
    {"transition": "refuse", "name": "Refuse", "name_zh": "驳回", "from": "requested", "to": "refused", "by": "duty:manager", "reason_required": true},
    {"transition": "withdraw", "name": "Withdraw", "name_zh": "撤回", "from": "requested", "to": "withdrawn", "by": "opener"}]}');

CREATE FUNCTION crm.request_transfer(customer_id bigint, to_staff_id bigint, reason text, waive_cool_off boolean DEFAULT false) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  staff CONSTANT crm.staff := crm._staff_in_post(request_transfer.to_staff_id, crm._business_day(clock_timestamp()));
  held CONSTANT crm.holding := crm._open_holding(request_transfer.customer_id);
BEGIN
  IF held.staff_id IS NULL THEN
    RAISE EXCEPTION 'customer "%" is held by %', request_transfer.customer_id, crm._held_by(held)
      USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Whoever belongs there may claim the customer.';
  ELSIF held.staff_id = staff.id THEN
    RAISE EXCEPTION 'staff member "%" holds customer "%" already', staff.id, request_transfer.customer_id USING ERRCODE = 'object_in_use';
  ELSIF NOT crm._answers_for(ARRAY[held.staff_id, staff.id]) THEN
    RAISE EXCEPTION '"%" may not request that customer "%" goes from staff member "%" to "%"', crm.actor(), request_transfer.customer_id, held.staff_id, staff.id
      USING ERRCODE = 'insufficient_privilege', HINT = 'The two may, and the manager of either.';
  END IF;
  RETURN crm._open_item('transfer', request_transfer.customer_id, crm._unit_over_staff(ARRAY[held.staff_id, staff.id]), staff.channel_id,
    jsonb_build_object('from_staff_id', held.staff_id, 'to_staff_id', staff.id, 'reason', request_transfer.reason, 'waive_cool_off', request_transfer.waive_cool_off), NULL);
END
$$;
COMMENT ON FUNCTION crm.request_transfer(bigint, bigint, text, boolean) IS
  'Asks for a held customer to go to another member of staff, which the manager at the level above both confirms (transition confirm of the workflow transfer: the customer goes over in that transaction) or refuses; returns the key of the item. By the holder, by who would be, or by a manager of either. Errors: 55000 held by nobody or by a unit, not in post, or nobody to confirm; 55006 held by that one already, or requested already; 23502 no reason; 42501 not for the acting person; 23503 unknown, 22004.';
REVOKE ALL ON FUNCTION crm.request_transfer(bigint, bigint, text, boolean) FROM PUBLIC;

INSERT INTO crm.duty_right (duty, privilege, kind, object)
SELECT d.duty, 'EXECUTE', 'FUNCTION', f.name
FROM (VALUES ('sales'), ('manager')) d (duty), (VALUES ('crm.request_transfer(bigint, bigint, text, boolean)')) f (name);
