-- allocate: who enters a customer holds it

INSERT INTO crm.setting_kind (name, type, initial, by_unit, rebuilds, description) VALUES
  ('entry_holds', 'boolean', 'true', true, false,
   'Whether a member of staff who enters a new customer by crm.enter_customer() holds it.');

CREATE FUNCTION crm.enter_customer(staff_id bigint, kind text, name text, org_id bigint DEFAULT NULL, resident_id text DEFAULT NULL, birth_date date DEFAULT NULL,
  sex text DEFAULT NULL, OUT customer_id bigint, OUT holding_id bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  at CONSTANT timestamptz := clock_timestamp();
  day CONSTANT date := crm._business_day(at);
  staff CONSTANT crm.staff := crm._staff_in_post(enter_customer.staff_id, day);
  resident CONSTANT crm.resident_id := enter_customer.resident_id;
  scope text;
  known bigint;
BEGIN
  PERFORM crm._act_for(staff.id);
  PERFORM crm._require_values('a customer', json_build_object('kind', enter_customer.kind, 'name', enter_customer.name));
  PERFORM crm._require_known('unit', enter_customer.org_id);
  IF enter_customer.kind NOT IN ('person', 'company') THEN
    RAISE EXCEPTION 'there is no kind of customer "%"', enter_customer.kind USING ERRCODE = 'check_violation', HINT = 'The kinds are person and company.';
  ELSIF enter_customer.sex NOT IN ('male', 'female') THEN
    RAISE EXCEPTION 'there is no sex "%"', enter_customer.sex USING ERRCODE = 'check_violation', HINT = 'Give male, female, or NULL where it is not known.';
  ELSIF enter_customer.org_id <> staff.org_id THEN
    -- whom one may not claim there one does not enter there
    scope := replace(crm._setting_for('claim_scope', staff.org_id, staff.channel_id, day), 'none', 'unit');
    IF NOT EXISTS (SELECT FROM crm.organisation_tree t WHERE t.ancestor_id = crm._claim_unit(staff.org_id, scope::crm.claim_scope) AND t.descendant_id = enter_customer.org_id) THEN
      RAISE EXCEPTION 'unit "%" is not for staff member "%" to enter customers of', enter_customer.org_id, staff.id
        USING ERRCODE = 'insufficient_privilege', DETAIL = format('The setting claim_scope lets them have customers of unit %s and below.', crm._claim_unit(staff.org_id, scope::crm.claim_scope));
    END IF;
  END IF;
  IF resident IS NOT NULL THEN
    -- two who enter one person at once follow each other
    PERFORM pg_advisory_xact_lock(hashtextextended('crm.enter_customer ' || resident::text, 0));
    SELECT min(c.id) INTO known FROM crm.customer c WHERE c.resident_id OPERATOR(crm.=) resident;
    IF known IS NOT NULL THEN
      RAISE EXCEPTION 'customer "%" has that resident number', known
        USING ERRCODE = 'unique_violation', HINT = 'Take the customer by crm.claim(), or ask who holds them by crm.request_transfer() or crm.open_dispute().';
    END IF;
  END IF;
  INSERT INTO crm.customer (kind, name, org_id, source_channel_id, known_from, resident_id, birth_date, sex)
  VALUES (enter_customer.kind, enter_customer.name, coalesce(enter_customer.org_id, staff.org_id), staff.channel_id, day,
          resident, enter_customer.birth_date, enter_customer.sex)
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
  'A member of staff enters a new customer, of the own unit unless another is given, brought by the own channel, known from today; returns its key. First to enter is the holder unless the setting entry_holds says otherwise: holding_id is the key of the holding, NULL where it does or the quota is reached, and then the customer is in the pool. An entry is no claim, nor a way around one: who is a customer already, held, in cool-off or blacklisted, is refused by the resident number, and another unit than the own must lie within the setting claim_scope. Errors: 23505 resident number of a customer, 23502 or 23514 kind, name, sex missing or wrong, 22P02 resident_id, 23503 unknown, 55000 not in post, 42501 not for that member of staff or that unit, 22004. 录入客户';
REVOKE ALL ON FUNCTION crm.enter_customer(bigint, text, text, bigint, text, date, text) FROM PUBLIC;
INSERT INTO crm.duty_right (duty, privilege, kind, object) VALUES
  ('sales', 'EXECUTE', 'FUNCTION', 'crm.enter_customer(bigint, text, text, bigint, text, date, text)');
