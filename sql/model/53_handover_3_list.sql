-- allocate: what customers and successors are told when a manager changes

CREATE FUNCTION crm.hand_over_list(staff_id bigint,
  OUT customer_id bigint, OUT customer_name text, OUT on_date date, OUT state text, OUT outcome text,
  OUT old_staff_id bigint, OUT old_name text, OUT old_unit text,
  OUT new_staff_id bigint, OUT new_name text, OUT new_unit text, OUT new_phone text, OUT new_email text)
RETURNS SETOF record LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  plan crm.hand_over;
BEGIN
  IF hand_over_list.staff_id IS NULL THEN
    RAISE EXCEPTION 'the member of staff must be given' USING ERRCODE = 'null_value_not_allowed';
  ELSIF NOT EXISTS (SELECT FROM crm.staff s WHERE s.id = hand_over_list.staff_id) THEN
    RAISE EXCEPTION 'there is no member of staff "%"', hand_over_list.staff_id USING ERRCODE = 'foreign_key_violation';
  END IF;
  SELECT * INTO plan FROM crm.hand_over p WHERE p.staff_id = hand_over_list.staff_id AND p.state <> 'cancelled' ORDER BY p.id DESC LIMIT 1;
  RETURN QUERY
  SELECT c.id, c.name, plan.on_date, plan.state, l.outcome, o.id, o.name, u.name, n.id, n.name, v.name, n.phone, n.email
  FROM crm.hand_over_customer l
  JOIN crm.customer c ON c.id = l.customer_id
  JOIN crm.staff o ON o.id = plan.staff_id
  JOIN crm.organisation u ON u.id = plan.org_id
  LEFT JOIN crm.staff n ON n.id = CASE WHEN plan.state = 'done' THEN l.got_staff_id ELSE l.to_staff_id END
  LEFT JOIN crm.organisation v ON v.id = n.org_id
  WHERE l.hand_over_id = plan.id AND coalesce(l.outcome, '') NOT IN ('kept', 'gone')
  ORDER BY c.id;
END
$$;
COMMENT ON FUNCTION crm.hand_over_list(bigint) IS
  'For the letter to customers: each customer of the last hand-over of a member of staff with the old and the new manager, name, unit and how to reach the new one; before the day as planned, after it as done; new_staff_id NULL: nobody yet. Errors: 22004, 23503. 客户经理变更通知清单';
REVOKE ALL ON FUNCTION crm.hand_over_list(bigint) FROM PUBLIC;

CREATE FUNCTION crm.customer_history(customer_id bigint,
  OUT at timestamptz, OUT event text, OUT staff_id bigint, OUT staff_name text, OUT by_whom text, OUT org_id bigint, OUT channel_id bigint, OUT subject text, OUT detail text)
RETURNS SETOF record LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  held crm.holding;
  own crm.staff;
BEGIN
  IF customer_history.customer_id IS NULL THEN
    RAISE EXCEPTION 'the customer must be given' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  PERFORM crm._require_known('customer', customer_history.customer_id);
  SELECT * INTO held FROM crm.holding h WHERE h.customer_id = customer_history.customer_id AND h.held_to IS NULL;
  SELECT * INTO own FROM crm.staff s WHERE s.id = crm._own_staff(crm.actor(), crm._business_day(clock_timestamp()));
  IF NOT crm._answers_for(ARRAY[held.staff_id])
     AND NOT coalesce(held.staff_id IS NULL AND crm._lies_within(own.channel_id, own.org_id, held.channel_id, held.org_id), false) THEN
    RAISE EXCEPTION '"%" does not see the history of customer "%"', crm.actor(), customer_history.customer_id
      USING ERRCODE = 'insufficient_privilege', HINT = 'The holder does, and the managers of the holder''s unit and above.';
  END IF;
  RETURN QUERY
  SELECT e.at, e.event, s.id, s.name, e.by_whom, e.org_id, e.channel_id, e.subject, e.detail
  FROM (SELECT t.at, 'contact' AS event, t.staff_id, t.recorded_by AS by_whom, NULL::bigint AS org_id, t.channel_id, t.purpose AS subject, concat_ws(': ', t.outcome, t.note) AS detail, t.id
        FROM crm.contact t WHERE t.customer_id = customer_history.customer_id
        UNION ALL
        SELECT h.held_from, 'held', h.staff_id, h.started_by, h.org_id, h.channel_id, h.start_cause, h.start_reason, h.id FROM crm.holding h WHERE h.customer_id = customer_history.customer_id
        UNION ALL
        SELECT h.held_to, 'held no longer', h.staff_id, h.ended_by, h.org_id, h.channel_id, h.end_cause, h.end_reason, h.id FROM crm.holding h
        WHERE h.customer_id = customer_history.customer_id AND h.held_to IS NOT NULL
        UNION ALL
        SELECT a.at, 'appointment', a.staff_id, a.recorded_by, NULL, NULL, a.result, concat_ws(': ', a.place, a.note), a.id FROM crm.appointment a WHERE a.customer_id = customer_history.customer_id
        UNION ALL
        SELECT l.at, i.workflow, NULL, l.by_whom, i.org_id, i.channel_id, l.to_state, l.reason, l.id FROM crm.workflow_item i JOIN crm.workflow_log l ON l.item_id = i.id
        WHERE i.customer_id = customer_history.customer_id AND l.kind <> 'assign') e
  LEFT JOIN crm.staff s ON s.id = e.staff_id
  ORDER BY e.at, e.event DESC, e.id;
END
$$;
COMMENT ON FUNCTION crm.customer_history(bigint) IS
  'All that was done about a customer by anybody, in order of time: contacts, who held and why no longer, appointments, steps of workflows. For the holder, who sees all earlier records with the first day, or everybody in the unit or channel that holds; for the managers of the holder''s unit and above, and whoever may act for anyone. Errors: 22004, 23503, 42501 none of these. 客户历史';
REVOKE ALL ON FUNCTION crm.customer_history(bigint) FROM PUBLIC;

INSERT INTO crm.duty_right (duty, privilege, kind, object) VALUES
  ('manager', 'EXECUTE', 'FUNCTION', 'crm.hand_over_list(bigint)'),
  ('manager', 'EXECUTE', 'FUNCTION', 'crm.customer_history(bigint)'),
  ('sales', 'EXECUTE', 'FUNCTION', 'crm.customer_history(bigint)');
