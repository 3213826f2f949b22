-- engage: contacts with customers

INSERT INTO crm.setting_kind (name, type, initial, by_unit, rebuilds, description) VALUES
  ('inbound_renews', 'boolean', 'false', true, false,
   'Whether a contact that the customer began is care by the holder: moves the due time of the holding and renews its protection.');

CREATE FUNCTION crm._contact_renews(direction text, org_id bigint, channel_id bigint, at timestamptz) RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT CASE WHEN _contact_renews.direction = 'outbound' THEN true
              ELSE crm._setting_for('inbound_renews', _contact_renews.org_id, _contact_renews.channel_id, crm._business_day(_contact_renews.at))::boolean END;
END;
COMMENT ON FUNCTION crm._contact_renews(text, bigint, bigint, timestamptz) IS 'Whether a contact in a direction counts as care for a holding of a unit and channel.';

CREATE FUNCTION crm._require_channel(staff crm.staff, channel_id bigint) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF _require_channel.channel_id <> staff.channel_id AND NOT has_function_privilege(crm._login(), 'crm.transfer(bigint, bigint, text, boolean)', 'EXECUTE') THEN
    RAISE EXCEPTION 'login "%" may not record contacts of staff member "%" in channel "%"', crm._login(), staff.id, _require_channel.channel_id
      USING ERRCODE = 'insufficient_privilege', DETAIL = format('That member of staff belongs to channel %s.', staff.channel_id),
            HINT = 'Leave the channel out; whoever may act for anyone may name another.';
  END IF;
END
$$;
COMMENT ON FUNCTION crm._require_channel(crm.staff, bigint) IS
  'Whether a contact of a member of staff may be recorded in a channel: their own, or any by who may act for anyone; so nobody evades the caps of one channel by naming another. Errors: 42501.';

CREATE FUNCTION crm._write_contact(customer_id bigint, staff crm.staff, channel_id bigint, purpose text, outcome text, note text, way text, direction text, at timestamptz, obstacle text)
RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  contact_id bigint;
BEGIN
  INSERT INTO crm.contact (customer_id, staff_id, channel_id, purpose, at, outcome, note, way, direction, obstacle)
  VALUES (_write_contact.customer_id, staff.id, _write_contact.channel_id, _write_contact.purpose, _write_contact.at, _write_contact.outcome, _write_contact.note,
          _write_contact.way, _write_contact.direction, _write_contact.obstacle)
  RETURNING id INTO contact_id;
  UPDATE crm.holding h SET last_contact_at = greatest(h.last_contact_at, _write_contact.at)
  WHERE h.customer_id = _write_contact.customer_id AND h.held_to IS NULL AND h.held_from <= _write_contact.at
    AND (h.staff_id = staff.id
         OR (h.staff_id IS NULL AND crm._lies_within(staff.channel_id, staff.org_id, h.channel_id, h.org_id)))
    AND crm._contact_renews(_write_contact.direction, h.org_id, h.channel_id, _write_contact.at);
  RETURN contact_id;
END
$$;
COMMENT ON FUNCTION crm._write_contact(bigint, crm.staff, bigint, text, text, text, text, text, timestamptz, text) IS
  'Writes a contact with a customer that the caller has locked; a contact by the holder that counts as care moves the due time of the holding. Returns its key.';
REVOKE ALL ON FUNCTION crm._write_contact(bigint, crm.staff, bigint, text, text, text, text, text, timestamptz, text) FROM PUBLIC;

CREATE FUNCTION crm._await_contacts(customer_id bigint, purpose crm.contact_purpose, channel_id bigint, inbound boolean, at timestamptz) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
  INSERT INTO crm.contact_account AS a (customer_id)
  SELECT _await_contacts.customer_id
  WHERE EXISTS (SELECT FROM crm._contact_cap(crm._business_day(_await_contacts.at)) c
                JOIN crm.contact_kind k ON k.code = (_await_contacts.purpose).kind
                WHERE c.at_most OPERATOR(crm.<>) 'unlimited'
                  AND crm._cap_counts(c, (_await_contacts.purpose).code, k.code, k.exempt, _await_contacts.channel_id, _await_contacts.inbound))
  ON CONFLICT (customer_id) DO UPDATE SET changes = a.changes + 1;
END
$$;
COMMENT ON FUNCTION crm._await_contacts(bigint, crm.contact_purpose, bigint, boolean, timestamptz) IS
  'Before a contact that a cap counts: others of the customer wait for the end of the transaction, and at REPEATABLE READ fail with 40001.';
REVOKE ALL ON FUNCTION crm._await_contacts(bigint, crm.contact_purpose, bigint, boolean, timestamptz) FROM PUBLIC;

CREATE FUNCTION crm._refuse_contact(customer_id bigint, purpose text, cause text, cap_id bigint, allowed_from timestamptz) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  c crm.contact_cap;
BEGIN
  IF cause = 'cap' THEN
    SELECT * INTO c FROM crm.contact_cap x WHERE x.id = _refuse_contact.cap_id;
    RAISE EXCEPTION 'customer "%" may not be contacted for "%" again yet', _refuse_contact.customer_id, _refuse_contact.purpose
      USING ERRCODE = 'configuration_limit_exceeded',
            DETAIL = format('At most %s%s%s%s%s. Allowed from %s.', c.at_most,
                            coalesce(' for ' || coalesce(c.purpose, c.kind), ''), coalesce(' in channel ' || c.channel_id, ''),
                            coalesce(' with tier ' || c.tier, ''), coalesce(' in unit ' || c.org_id, ''), coalesce(_refuse_contact.allowed_from::text, 'no time known now')),
            HINT = 'crm.may_contact() tells beforehand; what happened all the same is recorded by crm.report_contact().';
  END IF;
  RAISE EXCEPTION 'customer "%" may not be contacted for "%": %', _refuse_contact.customer_id, _refuse_contact.purpose, _refuse_contact.cause
    USING ERRCODE = 'check_violation',
          DETAIL = coalesce('Allowed from ' || _refuse_contact.allowed_from || '.', 'No time is known from which it is allowed.'),
          HINT = 'crm.may_contact() tells beforehand; what happened all the same is recorded by crm.report_contact().';
END
$$;
COMMENT ON FUNCTION crm._refuse_contact(bigint, text, text, bigint, timestamptz) IS 'Raises 53400 for a cap, 23514 for all else that stands against a contact.';

CREATE FUNCTION crm._require_direction(direction text) RETURNS void LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF direction IS NULL OR direction NOT IN ('outbound', 'inbound') THEN
    RAISE EXCEPTION 'direction "%" is not known', direction
      USING ERRCODE = 'invalid_parameter_value', HINT = 'Directions are outbound and inbound.';
  END IF;
END
$$;
COMMENT ON FUNCTION crm._require_direction(text) IS 'Errors: 22023.';

CREATE FUNCTION crm.record_contact(customer_id bigint, staff_id bigint, purpose text, outcome text, note text DEFAULT NULL, channel_id bigint DEFAULT NULL,
  way text DEFAULT 'any', direction text DEFAULT 'outbound') RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  staff CONSTANT crm.staff := crm._staff_in_post(record_contact.staff_id, crm._business_day(clock_timestamp()));
  in_channel CONSTANT bigint := coalesce(record_contact.channel_id, staff.channel_id);
  p CONSTANT crm.contact_purpose := crm._require_purpose(record_contact.purpose);
  at timestamptz;
  refusal record;
BEGIN
  PERFORM crm._act_for(staff.id);
  PERFORM crm._require_direction(record_contact.direction);
  PERFORM crm._require_contact(in_channel, clock_timestamp(), record_contact.way);
  PERFORM crm._require_channel(staff, in_channel);
  PERFORM crm._lock_customer(record_contact.customer_id);
  at := clock_timestamp();
  PERFORM crm._await_contacts(record_contact.customer_id, p, in_channel, record_contact.direction = 'inbound', at);
  SELECT * INTO refusal FROM crm._may_contact(ARRAY[record_contact.customer_id], p, in_channel, at, record_contact.way, staff.id);
  IF FOUND AND record_contact.direction = 'outbound' THEN
    PERFORM crm._refuse_contact(record_contact.customer_id, p.code, refusal.cause, refusal.cap_id, refusal.allowed_from);
  END IF;
  RETURN crm._write_contact(record_contact.customer_id, staff, in_channel, p.code, record_contact.outcome, record_contact.note, record_contact.way,
                            record_contact.direction, at, refusal.cause);
END
$$;
COMMENT ON FUNCTION crm.record_contact(bigint, bigint, text, text, text, bigint, text, text) IS
  'Records a contact that a member of staff has just had with a customer, in their own channel; who may act for anyone may give another. Returns its key. An outbound contact that crm.may_contact() forbids is refused; of several at once none goes over a cap. An inbound one is always taken, and tells what would have stood against an outbound one. A contact by the holder, or by anyone of the unit or channel that holds, moves the due time of the holding in the same transaction, an inbound one only where the setting inbound_renews says so; a contact by anybody else does not. Errors: 53400 over a cap, the detail tells from when on it is allowed; 23514 blacklisted, do not contact, consent withdrawn or missing, held by another; 23502 or 23514 purpose or outcome missing or blank, 23503 unknown, 22023 way or direction, 55000 not in post, 42501 not for that member of staff, or in another channel, 22004; 40001; 40P01 as crm.claim.';
REVOKE ALL ON FUNCTION crm.record_contact(bigint, bigint, text, text, text, bigint, text, text) FROM PUBLIC;

CREATE FUNCTION crm.report_contact(customer_id bigint, staff_id bigint, purpose text, outcome text, at timestamptz, note text DEFAULT NULL, channel_id bigint DEFAULT NULL,
  way text DEFAULT 'any', direction text DEFAULT 'outbound') RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  staff CONSTANT crm.staff := crm._staff_in_post(report_contact.staff_id, crm._business_day(coalesce(report_contact.at, clock_timestamp())));
  in_channel CONSTANT bigint := coalesce(report_contact.channel_id, staff.channel_id);
  p CONSTANT crm.contact_purpose := crm._require_purpose(report_contact.purpose);
BEGIN
  PERFORM crm._require_direction(report_contact.direction);
  PERFORM crm._require_contact(in_channel, report_contact.at, report_contact.way);
  IF report_contact.at > clock_timestamp() THEN
    RAISE EXCEPTION 'time "%" of the contact is in the future', report_contact.at
      USING ERRCODE = 'invalid_parameter_value', HINT = 'Record a contact when it was had.';
  END IF;
  PERFORM crm._lock_customer(report_contact.customer_id);
  PERFORM crm._await_contacts(report_contact.customer_id, p, in_channel, report_contact.direction = 'inbound', report_contact.at);
  RETURN crm._write_contact(report_contact.customer_id, staff, in_channel, p.code, report_contact.outcome, report_contact.note, report_contact.way,
                            report_contact.direction, report_contact.at,
                            (SELECT m.cause FROM crm._may_contact(ARRAY[report_contact.customer_id], p, in_channel, report_contact.at, report_contact.way, staff.id) m));
END
$$;
COMMENT ON FUNCTION crm.report_contact(bigint, bigint, text, text, timestamptz, text, bigint, text, text) IS
  'Records a contact that was had at a time gone by, outside or before anybody asked: it is kept whatever stood against it, which crm.contact.obstacle tells, and counts for the caps. Returns its key. Errors: 22004, 22023 in the future, way or direction, 23502, 23503, 23514, 55000 not in post then. 补录联系';
REVOKE ALL ON FUNCTION crm.report_contact(bigint, bigint, text, text, timestamptz, text, bigint, text, text) FROM PUBLIC;

INSERT INTO crm.duty_right (duty, privilege, kind, object) VALUES
  ('sales', 'EXECUTE', 'FUNCTION', 'crm.record_contact(bigint, bigint, text, text, text, bigint, text, text)'),
  ('manager', 'EXECUTE', 'FUNCTION', 'crm.report_contact(bigint, bigint, text, text, timestamptz, text, bigint, text, text)');
