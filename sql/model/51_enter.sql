-- allocate: who enters a customer holds it

INSERT INTO crm.setting_kind (name, type, initial, by_unit, rebuilds, description) VALUES
  ('entry_holds', 'boolean', 'false', true, false,
   'Whether a member of staff who enters a new customer by crm.enter_customer() holds it.');

CREATE FUNCTION crm.enter_customer(staff_id bigint, kind text, name text, org_id bigint DEFAULT NULL, resident_id text DEFAULT NULL, birth_date date DEFAULT NULL,
  sex text DEFAULT NULL, OUT customer_id bigint, OUT holding_id bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  at CONSTANT timestamptz := clock_timestamp();
  day CONSTANT date := crm._business_day(at);
  staff CONSTANT crm.staff := crm._staff_in_post(enter_customer.staff_id, day);
BEGIN
  PERFORM crm._act_for(staff.id);
  INSERT INTO crm.customer (kind, name, org_id, source_channel_id, known_from, resident_id, birth_date, sex)
  VALUES (enter_customer.kind, enter_customer.name, coalesce(enter_customer.org_id, staff.org_id), staff.channel_id, day,
          enter_customer.resident_id::crm.resident_id, enter_customer.birth_date, enter_customer.sex)
  RETURNING id INTO customer_id;
  IF crm._setting_for('entry_holds', staff.org_id, staff.channel_id, day)::boolean THEN
    PERFORM crm._lock_counts(ARRAY[staff.id]);
    IF (SELECT q.load FROM crm.holding_count q WHERE q.staff_id = staff.id) + crm.load_of(crm._tier_load(staff.org_id, staff.channel_id, day), 'none') <= crm._quota(staff, day) THEN
      holding_id := crm._hold_one(customer_id, staff, at, 'entry', NULL, false);
    END IF;
  END IF;
END
$$;
COMMENT ON FUNCTION crm.enter_customer(bigint, text, text, bigint, text, date, text) IS
  'A member of staff enters a new customer, of the own unit unless another is given, brought by the own channel, known from today; returns its key. First to enter is the holder where the setting entry_holds says so: holding_id is the key of the holding, NULL where it does not or the quota is reached, and then the customer is in the pool. An entry is no claim. Errors: 23502 or 23514 kind, name, sex missing or wrong, 22P02 resident_id, 23503 unknown, 55000 not in post, 42501 not for that member of staff, 22004. 录入客户';
REVOKE ALL ON FUNCTION crm.enter_customer(bigint, text, text, bigint, text, date, text) FROM PUBLIC;
INSERT INTO crm.duty_right (duty, privilege, kind, object) VALUES
  ('sales', 'EXECUTE', 'FUNCTION', 'crm.enter_customer(bigint, text, text, bigint, text, date, text)');
