-- engage: contacts with customers

CREATE FUNCTION crm.record_contact(customer_id bigint, staff_id bigint, purpose text, outcome text, note text DEFAULT NULL, channel_id bigint DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  staff CONSTANT crm.staff := crm._staff_in_post(record_contact.staff_id, crm._business_day(clock_timestamp()));
  at timestamptz;
  contact_id bigint;
BEGIN
  PERFORM crm._act_for(staff.id);
  PERFORM crm._lock_customer(record_contact.customer_id);
  at := clock_timestamp();
  INSERT INTO crm.contact (customer_id, staff_id, channel_id, purpose, at, outcome, note)
  VALUES (record_contact.customer_id, staff.id, coalesce(record_contact.channel_id, staff.channel_id),
          record_contact.purpose, at, record_contact.outcome, record_contact.note)
  RETURNING id INTO contact_id;
  UPDATE crm.holding h SET last_contact_at = greatest(h.last_contact_at, at, h.held_from)
  WHERE h.customer_id = record_contact.customer_id AND h.held_to IS NULL
    AND (h.staff_id = staff.id
         OR (h.staff_id IS NULL AND crm._lies_within(staff.channel_id, staff.org_id, h.channel_id, h.org_id)));
  RETURN contact_id;
END
$$;
COMMENT ON FUNCTION crm.record_contact(bigint, bigint, text, text, text, bigint) IS
  'Records a contact that a member of staff has just had with a customer, in their own channel unless another is given; returns its key. A contact by the holder, or by anyone of the unit or channel that holds, moves the due time of the holding in the same transaction; a contact by anybody else does not. Errors: 23502 or 23514 purpose or outcome missing or blank, 23503 unknown, 55000 not in post, 42501 not for that member of staff, 22004; 40P01 as crm.claim.';
REVOKE ALL ON FUNCTION crm.record_contact(bigint, bigint, text, text, text, bigint) FROM PUBLIC;

INSERT INTO crm.duty_right (duty, privilege, kind, object) VALUES
  ('sales', 'EXECUTE', 'FUNCTION', 'crm.record_contact(bigint, bigint, text, text, text, bigint)');
