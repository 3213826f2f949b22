-- engage: cases are opened and closed

INSERT INTO crm.setting_kind (name, type, initial, by_unit, rebuilds, description) VALUES
  ('case_days', 'integer', '15', false, false, 'Days within which a case is to be closed where none are given.');

CREATE FUNCTION crm._require_person() RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM crm.staff s WHERE s.login::text COLLATE "C" = crm.actor() AND (s.left_on IS NULL OR s.left_on > crm.today())) THEN
    PERFORM crm._act_for(NULL);
  END IF;
END
$$;
COMMENT ON FUNCTION crm._require_person() IS 'Whether the acting person is a member of staff in post, or the login may act for anyone. Errors: 42501.';
REVOKE ALL ON FUNCTION crm._require_person() FROM PUBLIC;

CREATE FUNCTION crm.open_case(customer_id bigint, kind text, category text, intake text, policy_id bigint DEFAULT NULL, staff_id bigint DEFAULT NULL, org_id bigint DEFAULT NULL,
  cause text DEFAULT NULL, note text DEFAULT NULL, due_on date DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  at CONSTANT timestamptz := clock_timestamp();
  today CONSTANT date := (at AT TIME ZONE crm.setting_value('business_time_zone'))::date;
  new_id bigint;
BEGIN
  PERFORM crm._require_person();
  PERFORM crm._require_values('a case', json_build_object('customer_id', open_case.customer_id, 'kind', open_case.kind, 'category', open_case.category, 'intake', open_case.intake));
  PERFORM crm._require_known('customer', open_case.customer_id), crm._require_known('unit', open_case.org_id);
  IF open_case.kind NOT IN ('complaint', 'service', 'suggestion', 'inquiry') THEN
    RAISE EXCEPTION 'there is no kind of case "%"', open_case.kind
      USING ERRCODE = 'invalid_parameter_value', HINT = 'Kinds are complaint, service, suggestion and inquiry.';
  ELSIF open_case.intake NOT IN ('phone', 'site', 'mail', 'counter', 'activity', 'agent', 'staff', 'regulator') THEN
    RAISE EXCEPTION 'there is no intake "%"', open_case.intake
      USING ERRCODE = 'invalid_parameter_value', HINT = 'Cases come in by phone, site, mail, counter, activity, agent, staff or regulator.';
  ELSIF NOT EXISTS (SELECT FROM crm.case_category c WHERE c.code = open_case.category) THEN
    RAISE EXCEPTION 'there is no category "%"', open_case.category
      USING ERRCODE = 'foreign_key_violation', HINT = format('Categories are %s.', (SELECT string_agg(c.code, ', ' ORDER BY c.code) FROM crm.case_category c));
  ELSIF open_case.staff_id IS NOT NULL AND NOT EXISTS (SELECT FROM crm.staff s WHERE s.id = open_case.staff_id) THEN
    RAISE EXCEPTION 'there is no staff member "%"', open_case.staff_id USING ERRCODE = 'foreign_key_violation', HINT = 'crm_bi.staff shows the members of staff.';
  ELSIF open_case.policy_id IS NOT NULL AND NOT EXISTS (SELECT FROM crm.policy p WHERE p.customer_id = open_case.customer_id AND p.id = open_case.policy_id) THEN
    RAISE EXCEPTION 'customer "%" has no policy "%"', open_case.customer_id, open_case.policy_id
      USING ERRCODE = 'foreign_key_violation', HINT = 'A case names a policy of its policyholder; leave it out for others.';
  ELSIF open_case.due_on < today OR open_case.due_on > '2199-12-31' THEN
    RAISE EXCEPTION 'day "%" is out of range', open_case.due_on
      USING ERRCODE = 'invalid_parameter_value', HINT = 'A case is due today or later.';
  END IF;
  INSERT INTO crm.service_case AS c (customer_id, kind, category, intake, policy_id, staff_id, org_id, cause, note, opened_at, due_on)
  VALUES (open_case.customer_id, open_case.kind, open_case.category, open_case.intake, open_case.policy_id, open_case.staff_id, open_case.org_id,
          nullif(btrim(open_case.cause), ''), open_case.note, at,
          coalesce(open_case.due_on, today + greatest(crm.setting_value('case_days', today)::integer, 0)))
  RETURNING c.id INTO new_id;
  RETURN new_id;
END
$$;
COMMENT ON FUNCTION crm.open_case(bigint, text, text, text, bigint, bigint, bigint, text, text, date) IS
  'Opens a case of a customer: a complaint, request for service, suggestion or inquiry, on a policy, member of staff or unit where it is about one. To be closed by due_on, by default setting case_days from today. Returns its key within the customer. Errors: 22023, 23502, 23503, 23514, 42501 neither staff in post nor manager. 登记跟踪单';
REVOKE ALL ON FUNCTION crm.open_case(bigint, text, text, text, bigint, bigint, bigint, text, text, date) FROM PUBLIC;

CREATE FUNCTION crm.close_case(customer_id bigint, case_id bigint, result text, correction text DEFAULT NULL, cause text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  c crm.service_case;
BEGIN
  PERFORM crm._require_person();
  PERFORM crm._require_values('a case', json_build_object('customer_id', close_case.customer_id, 'case_id', close_case.case_id, 'result', close_case.result));
  IF close_case.result NOT IN ('upheld', 'partly', 'rejected', 'done', 'withdrawn') THEN
    RAISE EXCEPTION 'there is no result "%"', close_case.result
      USING ERRCODE = 'invalid_parameter_value', HINT = 'Results are upheld, partly, rejected, done and withdrawn.';
  END IF;
  SELECT * INTO c FROM crm.service_case x WHERE x.customer_id = close_case.customer_id AND x.id = close_case.case_id FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    PERFORM crm._require_known('customer', close_case.customer_id);
    RAISE EXCEPTION 'customer "%" has no case "%"', close_case.customer_id, close_case.case_id
      USING ERRCODE = 'foreign_key_violation', HINT = 'crm_bi.service_case shows the cases.';
  ELSIF c.closed_at IS NOT NULL THEN
    RAISE EXCEPTION 'case "%" of customer "%" is closed', c.id, c.customer_id
      USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = format('It was closed at %s: %s.', c.closed_at, c.result), HINT = 'Open a new one.';
  ELSIF c.opened_by = crm.actor() THEN
    RAISE EXCEPTION 'who opened case "%" does not close it', c.id
      USING ERRCODE = 'insufficient_privilege', HINT = 'Somebody else reviews and closes it.';
  ELSIF EXISTS (SELECT FROM crm.staff s WHERE s.id = c.staff_id AND s.login::text COLLATE "C" = crm.actor()) THEN
    RAISE EXCEPTION 'case "%" is about "%", who does not close it', c.id, crm.actor()
      USING ERRCODE = 'insufficient_privilege', HINT = 'Somebody else reviews and closes it.';
  END IF;
  UPDATE crm.service_case x
  SET result = close_case.result, correction = nullif(btrim(close_case.correction), ''), cause = coalesce(nullif(btrim(close_case.cause), ''), x.cause),
      closed_at = greatest(clock_timestamp(), x.opened_at), closed_by = crm.actor()
  WHERE x.customer_id = c.customer_id AND x.id = c.id;
END
$$;
COMMENT ON FUNCTION crm.close_case(bigint, bigint, text, text, text) IS
  'Closes a case with its result (upheld, partly, rejected, done, withdrawn), what was put right, and the cause as found out; not by who opened it or is complained of. Errors: 22023, 23502, 23503, 42501, 55000 closed already. 结案';
REVOKE ALL ON FUNCTION crm.close_case(bigint, bigint, text, text, text) FROM PUBLIC;

INSERT INTO crm.duty_right (duty, privilege, kind, object)
SELECT d.duty, 'EXECUTE', 'FUNCTION', 'crm.open_case(bigint, text, text, text, bigint, bigint, bigint, text, text, date)' FROM (VALUES ('sales'), ('resource_manager'), ('manager')) d (duty)
UNION ALL
SELECT d.duty, 'EXECUTE', 'FUNCTION', 'crm.close_case(bigint, bigint, text, text, text)' FROM (VALUES ('resource_manager'), ('manager')) d (duty);
INSERT INTO crm.duty_right (duty, privilege, kind, object)
SELECT d.duty, 'SELECT', 'TABLE', 'crm_bi.' || v.name FROM (VALUES ('resource_manager'), ('manager')) d (duty) CROSS JOIN (VALUES ('service_case'), ('case_category')) v (name);
