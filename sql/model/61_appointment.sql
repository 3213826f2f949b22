-- engage: planned contacts, which keep a holding from recycling until their time

ALTER TABLE crm.recycle_exemption ADD COLUMN appointment_id bigint;
COMMENT ON COLUMN crm.recycle_exemption.appointment_id IS 'Appointment of the customer (crm.appointment) that it follows; NULL: granted by crm.exempt().';
CREATE INDEX recycle_exemption_appointment ON crm.recycle_exemption (customer_id) WHERE appointment_id IS NOT NULL AND withdrawn_at IS NULL;

CREATE FUNCTION crm._follow_appointments(customers bigint[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET jit = off AS $$
#variable_conflict use_column
DECLARE
  instant CONSTANT timestamptz := clock_timestamp();
  day CONSTANT date := crm._business_day(instant);
  actor CONSTANT text := crm.actor();
BEGIN
  WITH planned AS MATERIALIZED (
    SELECT h.customer_id, h.id AS holding_id, a.id AS appointment_id, least(a.at, crm._exempt_at_most(h, 'planned_contact', day)) AS until,
           concat_ws(', ', 'appointment ' || a.id, a.place, nullif(btrim(a.note), '')) AS reason
    FROM unnest(_follow_appointments.customers) u(id)
    JOIN crm.holding h ON h.customer_id = u.id AND h.held_to IS NULL
    JOIN crm.appointment a ON a.customer_id = h.customer_id AND a.staff_id = h.staff_id AND a.result IS NULL AND a.at > instant
    WHERE h.due_at IS NOT NULL),
  over AS (
    UPDATE crm.recycle_exemption e SET withdrawn_at = instant, withdrawn_by = actor, withdrawal_reason = 'appointment moved, ended or with somebody else'
    FROM unnest(_follow_appointments.customers) u(id) JOIN crm.holding h ON h.customer_id = u.id AND h.held_to IS NULL
    WHERE e.customer_id = h.customer_id AND e.holding_id = h.id AND e.appointment_id IS NOT NULL AND e.withdrawn_at IS NULL AND e.until > instant
      AND NOT EXISTS (SELECT FROM planned p WHERE p.customer_id = e.customer_id AND p.holding_id = e.holding_id AND p.appointment_id = e.appointment_id AND p.until = e.until))
  INSERT INTO crm.recycle_exemption (customer_id, holding_id, kind, until, reason, appointment_id)
  SELECT p.customer_id, p.holding_id, 'planned_contact', p.until, p.reason, p.appointment_id FROM planned p
  WHERE p.until > instant
    AND NOT EXISTS (SELECT FROM crm.recycle_exemption e WHERE e.customer_id = p.customer_id AND e.holding_id = p.holding_id AND e.appointment_id = p.appointment_id
                      AND e.withdrawn_at IS NULL AND e.until = p.until)
  ORDER BY p.customer_id, p.until, p.appointment_id;
  PERFORM crm._exempt_until(h.customer_id, h.id)
  FROM unnest(_follow_appointments.customers) u(id) JOIN crm.holding h ON h.customer_id = u.id AND h.held_to IS NULL;
END
$$;
COMMENT ON FUNCTION crm._follow_appointments(bigint[]) IS
  'Brings the exemptions of the open holdings of these customers, which the caller has locked, up to date with the appointments that the holder has ahead.';
REVOKE ALL ON FUNCTION crm._follow_appointments(bigint[]) FROM PUBLIC;

CREATE FUNCTION crm._appointments_changed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  customers bigint[];
BEGIN
  IF crm._merging() THEN
    RETURN NULL;
  END IF;
  IF TG_OP <> 'DELETE' THEN
    customers := ARRAY(SELECT h.customer_id FROM new_rows n JOIN crm.holding h ON h.customer_id = n.customer_id AND h.held_to IS NULL AND h.staff_id = n.staff_id
                       WHERE n.result IS NULL AND n.at > clock_timestamp());
  END IF;
  IF TG_OP <> 'INSERT' THEN
    customers := customers || ARRAY(SELECT e.customer_id FROM old_rows o JOIN crm.recycle_exemption e ON e.customer_id = o.customer_id AND e.appointment_id = o.id AND e.withdrawn_at IS NULL);
  END IF;
  IF cardinality(customers) > 0 THEN
    customers := ARRAY(SELECT c.id FROM crm.customer c WHERE c.id = ANY (customers) ORDER BY c.id FOR NO KEY UPDATE);
    PERFORM crm._follow_appointments(customers);
  END IF;
  RETURN NULL;
END
$$;
COMMENT ON FUNCTION crm._appointments_changed() IS 'Trigger: an appointment of the holder that lies ahead keeps the holding from recycling until its time; one that is over, moved or gone no longer does.';
REVOKE ALL ON FUNCTION crm._appointments_changed() FROM PUBLIC;
CREATE TRIGGER planned_insert AFTER INSERT ON crm.appointment REFERENCING NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION crm._appointments_changed();
CREATE TRIGGER planned_update AFTER UPDATE ON crm.appointment REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION crm._appointments_changed();
CREATE TRIGGER planned_delete AFTER DELETE ON crm.appointment REFERENCING OLD TABLE AS old_rows
  FOR EACH STATEMENT EXECUTE FUNCTION crm._appointments_changed();

CREATE FUNCTION crm.make_appointment(customer_id bigint, staff_id bigint, at timestamptz, place text DEFAULT NULL, note text DEFAULT NULL, purpose text DEFAULT 'sales') RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  staff CONSTANT crm.staff := crm._staff_in_post(make_appointment.staff_id, crm._business_day(clock_timestamp()));
  p CONSTANT crm.contact_purpose := crm._require_purpose(make_appointment.purpose);
  refusal record;
  made bigint;
BEGIN
  PERFORM crm._act_for(staff.id);
  PERFORM crm._require_contact(staff.channel_id, make_appointment.at, 'any');
  IF btrim(make_appointment.place) = '' THEN
    RAISE EXCEPTION 'the place of an appointment is blank' USING ERRCODE = 'check_violation', HINT = 'Leave it NULL where none is agreed.';
  ELSIF make_appointment.at <= clock_timestamp() THEN
    RAISE EXCEPTION 'time "%" of the appointment is over', make_appointment.at
      USING ERRCODE = 'invalid_parameter_value', HINT = 'What was had is recorded by crm.record_contact().';
  END IF;
  PERFORM crm._lock_customer(make_appointment.customer_id);
  SELECT * INTO refusal FROM crm._may_contact(ARRAY[make_appointment.customer_id], p, staff.channel_id, make_appointment.at, 'any', staff.id);
  IF FOUND THEN
    PERFORM crm._refuse_contact(make_appointment.customer_id, p.code, refusal.cause, refusal.cap_id, refusal.allowed_from);
  END IF;
  INSERT INTO crm.appointment (customer_id, staff_id, at, place, note)
  VALUES (make_appointment.customer_id, staff.id, make_appointment.at, make_appointment.place, make_appointment.note) RETURNING id INTO made;
  RETURN made;
END
$$;
COMMENT ON FUNCTION crm.make_appointment(bigint, bigint, timestamptz, text, text, text) IS
  'Plans the next contact of a member of staff with a customer; returns its key within the customer. Made by the holder it keeps the customer from recycling until then, as an exemption of the kind planned_contact. Errors: 22023 over already or out of range, 53400 over a cap then, 23514 something else stands against it, or place blank; 23502 or 23503 purpose, 23503 unknown, 55000 not in post, 42501 not for that member of staff, 22004; 40P01 as crm.claim. 预约客户';
REVOKE ALL ON FUNCTION crm.make_appointment(bigint, bigint, timestamptz, text, text, text) FROM PUBLIC;

CREATE FUNCTION crm.end_appointment(customer_id bigint, appointment_id bigint, result text, note text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  a crm.appointment;
BEGIN
  PERFORM crm._lock_customer(end_appointment.customer_id);
  IF end_appointment.appointment_id IS NULL THEN
    RAISE EXCEPTION 'the appointment must be given' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  SELECT * INTO a FROM crm.appointment x WHERE x.customer_id = end_appointment.customer_id AND x.id = end_appointment.appointment_id FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'customer "%" has no appointment "%"', end_appointment.customer_id, end_appointment.appointment_id
      USING ERRCODE = 'foreign_key_violation', HINT = 'crm.appointment lists the appointments, counted for each customer.';
  END IF;
  PERFORM crm._act_for(a.staff_id);
  IF end_appointment.result IS NULL OR end_appointment.result NOT IN ('kept', 'missed', 'moved', 'cancelled') THEN
    RAISE EXCEPTION 'an appointment does not end "%"', end_appointment.result USING ERRCODE = 'invalid_parameter_value', HINT = 'It ends kept, missed, moved or cancelled.';
  ELSIF a.result IS NOT NULL THEN
    RAISE EXCEPTION 'appointment "%" of customer "%" has ended: %', a.id, a.customer_id, a.result USING ERRCODE = 'object_not_in_prerequisite_state';
  END IF;
  UPDATE crm.appointment x SET result = end_appointment.result, note = coalesce(end_appointment.note, x.note) WHERE x.customer_id = a.customer_id AND x.id = a.id;
END
$$;
COMMENT ON FUNCTION crm.end_appointment(bigint, bigint, text, text) IS
  'Tells how an appointment ended: kept, missed, moved (to another that is made) or cancelled; it keeps no holding from recycling any more. A contact had at it is recorded by crm.record_contact(). Errors: 22023, 55000 ended already, 42501 not for that member of staff, 23503, 22004. 预约结果';
REVOKE ALL ON FUNCTION crm.end_appointment(bigint, bigint, text, text) FROM PUBLIC;

INSERT INTO crm.duty_right (duty, privilege, kind, object)
SELECT d.duty, 'EXECUTE', 'FUNCTION', f.name
FROM (VALUES ('sales'), ('manager')) d (duty), (VALUES ('crm.make_appointment(bigint, bigint, timestamptz, text, text, text)'), ('crm.end_appointment(bigint, bigint, text, text)')) f (name);
