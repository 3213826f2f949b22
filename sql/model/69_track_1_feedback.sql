-- track: what holders say of the customers that plans gave them

CREATE TABLE crm.feedback_result (
  code text PRIMARY KEY CHECK (code ~ '^[a-z_]+$'),
  contacted boolean NOT NULL,
  name text NOT NULL CHECK (pg_catalog.btrim(name) <> ''),
  name_zh text NOT NULL CHECK (pg_catalog.btrim(name_zh) <> '')
);
COMMENT ON TABLE crm.feedback_result IS 'What may come of a customer of a plan, in the words of the holder; rows may be added. 反馈结果';
COMMENT ON COLUMN crm.feedback_result.code IS 'Code.';
COMMENT ON COLUMN crm.feedback_result.contacted IS 'Whether the customer was spoken to.';
COMMENT ON COLUMN crm.feedback_result.name IS 'Name in English.';
COMMENT ON COLUMN crm.feedback_result.name_zh IS 'Name in Chinese.';
INSERT INTO crm.feedback_result (code, contacted, name, name_zh) VALUES
  ('bought', true, 'has bought', '已购买'),
  ('applied', true, 'has applied', '已申请投保'),
  ('interested', true, 'interested', '有意向'),
  ('later', true, 'wants to be asked later', '暂缓'),
  ('not_interested', true, 'not interested', '无意向'),
  ('leave_alone', true, 'asks to be left alone', '要求勿扰'),
  ('not_reached', false, 'not reached', '未联系上'),
  ('wrong_details', false, 'number or address wrong', '联系方式有误'),
  ('not_tried', false, 'not tried yet', '尚未联系');

CREATE TABLE crm.feedback (
  customer_id bigint NOT NULL REFERENCES crm.customer,
  id bigint GENERATED ALWAYS AS IDENTITY,
  plan_id bigint NOT NULL REFERENCES crm.plan,
  holding_id bigint NOT NULL,
  staff_id bigint NOT NULL REFERENCES crm.staff,
  result text NOT NULL REFERENCES crm.feedback_result ON UPDATE CASCADE,
  next_on date,
  note text CHECK (pg_catalog.btrim(note) <> ''),
  given_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  given_by text NOT NULL DEFAULT crm.actor(),
  PRIMARY KEY (customer_id, id),
  FOREIGN KEY (customer_id, holding_id) REFERENCES crm.holding ON UPDATE CASCADE
);
COMMENT ON TABLE crm.feedback IS 'Feedback of holders on customers of plans, written by crm.give_feedback(); the latest of a customer counts. 客户反馈';
COMMENT ON COLUMN crm.feedback.customer_id IS 'Customer.';
COMMENT ON COLUMN crm.feedback.id IS 'Key within the customer.';
COMMENT ON COLUMN crm.feedback.plan_id IS 'Plan that gave the customer.';
COMMENT ON COLUMN crm.feedback.holding_id IS 'Holding at that time, within the customer.';
COMMENT ON COLUMN crm.feedback.staff_id IS 'Who says so.';
COMMENT ON COLUMN crm.feedback.result IS 'What came of it.';
COMMENT ON COLUMN crm.feedback.next_on IS 'Day of the next step; NULL: none.';
COMMENT ON COLUMN crm.feedback.note IS 'Remark.';
COMMENT ON COLUMN crm.feedback.given_at IS 'When.';
COMMENT ON COLUMN crm.feedback.given_by IS 'Who recorded it.';
CREATE INDEX ON crm.feedback (customer_id, holding_id);
CREATE INDEX ON crm.feedback (plan_id);
CREATE INDEX ON crm.feedback (staff_id);
CREATE INDEX ON crm.feedback (result);
INSERT INTO crm.customer_reference (relation, column_name, way, binds, note) VALUES ('crm.feedback', 'customer_id', 'move', false, 'It comes along with the holding.');

-- what begins in the instant in which another holding ends continues it
CREATE FUNCTION crm._plan_behind(customer_id bigint, holding_id bigint) RETURNS bigint
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  WITH RECURSIVE chain (id, held_from, plan_id) AS (
    SELECT h.id, h.held_from, h.plan_id FROM crm.holding h WHERE h.customer_id = _plan_behind.customer_id AND h.id = _plan_behind.holding_id
    UNION
    SELECT h.id, h.held_from, h.plan_id
    FROM chain c JOIN crm.holding h ON h.customer_id = _plan_behind.customer_id AND h.held_to = c.held_from AND h.id <> c.id WHERE c.plan_id IS NULL)
  SELECT c.plan_id FROM chain c WHERE c.plan_id IS NOT NULL ORDER BY c.held_from DESC, c.id DESC LIMIT 1;
END;
COMMENT ON FUNCTION crm._plan_behind(bigint, bigint) IS 'The plan that a holding goes back to, itself or through those it continues; NULL: none.';
REVOKE ALL ON FUNCTION crm._plan_behind(bigint, bigint) FROM PUBLIC;

CREATE FUNCTION crm.give_feedback(customer_id bigint, staff_id bigint, result text, note text DEFAULT NULL, next_on date DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  day CONSTANT date := crm._business_day(clock_timestamp());
  staff CONSTANT crm.staff := crm._staff_in_post(give_feedback.staff_id, day);
  held crm.holding;
  plan bigint;
  new_id bigint;
BEGIN
  PERFORM crm._act_for(staff.id);
  IF give_feedback.result IS NULL THEN
    RAISE EXCEPTION 'the result must be given' USING ERRCODE = 'null_value_not_allowed';
  ELSIF NOT EXISTS (SELECT FROM crm.feedback_result r WHERE r.code = give_feedback.result) THEN
    RAISE EXCEPTION 'there is no result "%"', give_feedback.result
      USING ERRCODE = 'invalid_parameter_value', HINT = format('They are %s.', (SELECT string_agg(r.code, ', ' ORDER BY r.code) FROM crm.feedback_result r));
  ELSIF give_feedback.next_on < day OR give_feedback.next_on > '2199-12-31' THEN
    RAISE EXCEPTION 'day "%" of the next step is out of range', give_feedback.next_on USING ERRCODE = 'invalid_parameter_value', HINT = 'Give a day to come.';
  END IF;
  PERFORM crm._lock_customer(give_feedback.customer_id);
  SELECT * INTO held FROM crm.holding h
  WHERE h.customer_id = give_feedback.customer_id AND h.held_to IS NULL
    AND (h.staff_id = staff.id OR h.staff_id IS NULL AND crm._lies_within(staff.channel_id, staff.org_id, h.channel_id, h.org_id));
  IF NOT FOUND THEN
    RAISE EXCEPTION 'staff member "%" does not hold customer "%"', staff.id, give_feedback.customer_id
      USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Feedback is given by the holder, or by staff of the unit or channel that holds.';
  END IF;
  plan := crm._plan_behind(held.customer_id, held.id);
  IF plan IS NULL THEN
    RAISE EXCEPTION 'customer "%" is held through no plan', held.customer_id
      USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'What was said is recorded by crm.record_contact().';
  END IF;
  INSERT INTO crm.feedback AS f (customer_id, plan_id, holding_id, staff_id, result, next_on, note)
  VALUES (held.customer_id, plan, held.id, staff.id, give_feedback.result, give_feedback.next_on, give_feedback.note)
  RETURNING f.id INTO new_id;
  RETURN new_id;
END
$$;
COMMENT ON FUNCTION crm.give_feedback(bigint, bigint, text, text, date) IS
  'Records what the holder says of a customer that a plan gave: a code of crm.feedback_result, a note, the day of the next step; returns its key. Contacts are recorded by crm.record_contact(). Errors: 22004, 22023 result or day, 23503 unknown, 23514 blank note, 42501 not for that member of staff, 55000 not in post, not the holder, or held through no plan. 客户反馈';
REVOKE ALL ON FUNCTION crm.give_feedback(bigint, bigint, text, text, date) FROM PUBLIC;

GRANT SELECT ON crm.feedback, crm.feedback_result TO crm_bi_owner;
INSERT INTO crm.duty_right (duty, privilege, kind, object) VALUES
  ('sales', 'EXECUTE', 'FUNCTION', 'crm.give_feedback(bigint, bigint, text, text, date)'),
  ('manager', 'EXECUTE', 'FUNCTION', 'crm.give_feedback(bigint, bigint, text, text, date)');
