-- allocate: lists dealt out by need, what goes along with a plan or list, problems reported on them

CREATE FUNCTION crm._deal_wanted(customers bigint[], kinds bigint[], staff bigint[], rooms bigint[], kind_loads bigint[], wanted bigint[],
  barred_customers bigint[], barred_staff bigint[]) RETURNS bigint[]
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  many CONSTANT bigint := cardinality(_deal_wanted.kind_loads) / cardinality(_deal_wanted.staff);
  ones CONSTANT bigint[] := array_fill(1::bigint, ARRAY[cardinality(_deal_wanted.staff)]);
  given bigint[] := array_fill(0::bigint, ARRAY[cardinality(_deal_wanted.staff)]);
  places bigint[];
  loads bigint[];
  dealt bigint[];
  who bigint[] := array_fill(NULL::bigint, ARRAY[cardinality(_deal_wanted.customers)]);
  k bigint;
BEGIN
  -- those of one kind count alike, so that what fits is a number of them; the heaviest first
  FOR k IN SELECT u.kind FROM (SELECT DISTINCT x.kind FROM unnest(_deal_wanted.kinds) x(kind)) u
           ORDER BY (SELECT max(_deal_wanted.kind_loads[(n - 1) * many + u.kind]) FROM generate_series(1, cardinality(_deal_wanted.staff)) n) DESC, u.kind LOOP
    places := ARRAY(SELECT u.n FROM unnest(_deal_wanted.kinds) WITH ORDINALITY u(kind, n) WHERE u.kind = k ORDER BY u.n);
    loads := ARRAY(SELECT _deal_wanted.kind_loads[(n - 1) * many + k] FROM generate_series(1, cardinality(_deal_wanted.staff)) n ORDER BY n);
    dealt := crm._deal('level', ARRAY(SELECT _deal_wanted.customers[u.n] FROM unnest(places) WITH ORDINALITY u(n, i) ORDER BY u.i), array_fill(1::bigint, ARRAY[cardinality(places)]),
                       _deal_wanted.staff, given,
                       ARRAY(SELECT CASE WHEN r.room < r.load THEN 0 WHEN r.load = 0 THEN r.wanted - r.given ELSE least(r.room / r.load, r.wanted - r.given) END
                             FROM unnest(_deal_wanted.rooms, loads, _deal_wanted.wanted, given) WITH ORDINALITY r(room, load, wanted, given, n) ORDER BY r.n),
                       ones, _deal_wanted.barred_customers, _deal_wanted.barred_staff, false);
    SELECT array_agg(coalesce(d.staff_id, w.staff_id) ORDER BY w.n) INTO who
    FROM unnest(who) WITH ORDINALITY w(staff_id, n) LEFT JOIN unnest(places, dealt) d(n, staff_id) ON d.n = w.n;
    SELECT array_agg(r.given + coalesce(g.n, 0) ORDER BY r.n), array_agg(r.room - coalesce(g.n, 0) * r.load ORDER BY r.n) INTO given, rooms
    FROM unnest(_deal_wanted.staff, _deal_wanted.rooms, loads, given) WITH ORDINALITY r(staff_id, room, load, given, n)
    LEFT JOIN (SELECT d.staff_id, count(*) AS n FROM unnest(dealt) d(staff_id) GROUP BY d.staff_id) g ON g.staff_id = r.staff_id;
  END LOOP;
  RETURN who;
END
$$;
COMMENT ON FUNCTION crm._deal_wanted(bigint[], bigint[], bigint[], bigint[], bigint[], bigint[], bigint[], bigint[]) IS
  'Deals customers of kinds to staff so that all get as many, none more than wanted, nor more than fits by what the kinds count; the member of staff for each customer, NULL where none is left.';
REVOKE ALL ON FUNCTION crm._deal_wanted(bigint[], bigint[], bigint[], bigint[], bigint[], bigint[], bigint[], bigint[]) FROM PUBLIC;

CREATE FUNCTION crm.distribute_list(target_list_id bigint, staff bigint[], wanted bigint[] DEFAULT NULL, reason text DEFAULT NULL)
RETURNS TABLE (customer_id bigint, staff_id bigint, holding_id bigint, outcome text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
DECLARE
  members bigint[];
  state record;
  who bigint[];
BEGIN
  IF distribute_list.target_list_id IS NULL OR distribute_list.staff IS NULL OR array_position(distribute_list.staff, NULL) IS NOT NULL
     OR array_position(distribute_list.wanted, NULL) IS NOT NULL THEN
    RAISE EXCEPTION 'target list and staff must be given, without nulls' USING ERRCODE = 'null_value_not_allowed';
  ELSIF cardinality(distribute_list.wanted) <> cardinality(distribute_list.staff) THEN
    RAISE EXCEPTION '% members of staff are given and % wants', cardinality(distribute_list.staff), cardinality(distribute_list.wanted)
      USING ERRCODE = 'invalid_parameter_value', HINT = 'Each member of staff wants as many as stand at the same place.';
  ELSIF 0 > ANY (distribute_list.wanted) THEN
    RAISE EXCEPTION 'nobody wants less than 0 customers' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  IF NOT EXISTS (SELECT FROM crm.target_list t WHERE t.id = distribute_list.target_list_id) THEN
    RAISE EXCEPTION 'there is no target list "%"', distribute_list.target_list_id USING ERRCODE = 'undefined_object', HINT = 'crm.freeze_list() makes one.';
  END IF;
  members := ARRAY(
    SELECT m.customer_id FROM crm.target_list_member m
    WHERE m.target_list_id = distribute_list.target_list_id
      AND NOT EXISTS (SELECT FROM crm.holding h WHERE h.customer_id = m.customer_id AND h.held_to IS NULL)
    ORDER BY m.customer_id);
  IF cardinality(members) = 0 OR cardinality(distribute_list.staff) = 0 THEN
    RETURN QUERY SELECT u.id, NULL::bigint, NULL::bigint, 'left_over' FROM unnest(members) u(id);
    RETURN;
  END IF;
  state := crm._allocation_state(members, distribute_list.staff);
  IF distribute_list.wanted IS NULL THEN
    who := crm._deal('level', state.eligible, state.kinds, distribute_list.staff, array_fill(0::bigint, ARRAY[cardinality(distribute_list.staff)]), state.rooms,
                     state.kind_loads, state.barred_customers, state.barred_staff, false);
  ELSE
    who := crm._deal_wanted(state.eligible, state.kinds, distribute_list.staff, state.rooms, state.kind_loads, distribute_list.wanted,
                            state.barred_customers, state.barred_staff);
  END IF;
  RETURN QUERY
  SELECT a.customer_id, a.staff_id, a.holding_id, a.outcome
  FROM crm._allocate(state.eligible || state.others, who || array_fill(NULL::bigint, ARRAY[cardinality(state.others)]),
                     coalesce(distribute_list.reason, format('target list %s', distribute_list.target_list_id))) a;
END
$$;
COMMENT ON FUNCTION crm.distribute_list(bigint, bigint[], bigint[], text) IS
  'Deals those on a target list whom nobody holds out to members of staff by need: in turns, to each no more customers than stands at the same place of wanted, nor, by what they count, than its quota leaves, never within a cool-off nor to somebody on leave. One row for each of them as crm.allocate(); those left over stay in the pool. Errors: 22004, 22023, 23503 unknown staff, 42704 unknown list, 55000 not in post, 2202E. 名单分发';
REVOKE ALL ON FUNCTION crm.distribute_list(bigint, bigint[], bigint[], text) FROM PUBLIC;

-- what goes along -------------------------------------------------------------

CREATE TABLE crm.plan_attachment (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  plan_id bigint REFERENCES crm.plan,
  target_list_id bigint REFERENCES crm.target_list ON DELETE CASCADE,
  kind text NOT NULL CHECK (kind IN ('sales_plan', 'visit_tool', 'script', 'other')),
  title text NOT NULL CHECK (pg_catalog.btrim(title) <> ''),
  body text CHECK (pg_catalog.btrim(body) <> ''),
  link text CHECK (link ~ '^https?://[^[:space:]]+$'),
  added_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  added_by text NOT NULL DEFAULT crm.actor(),
  CONSTRAINT plan_attachment_of_check CHECK (pg_catalog.num_nonnulls(plan_id, target_list_id) = 1),
  CONSTRAINT plan_attachment_what_check CHECK (pg_catalog.num_nonnulls(body, link) >= 1)
);
COMMENT ON TABLE crm.plan_attachment IS 'Sales plans, visit tools and scripts that go along with a plan or target list. 附件';
COMMENT ON COLUMN crm.plan_attachment.id IS 'Key.';
COMMENT ON COLUMN crm.plan_attachment.plan_id IS 'Plan.';
COMMENT ON COLUMN crm.plan_attachment.target_list_id IS 'Target list.';
COMMENT ON COLUMN crm.plan_attachment.kind IS 'sales_plan 销售方案, visit_tool 拜访工具, script 话术 or other.';
COMMENT ON COLUMN crm.plan_attachment.title IS 'Title.';
COMMENT ON COLUMN crm.plan_attachment.body IS 'Text.';
COMMENT ON COLUMN crm.plan_attachment.link IS 'Where it lies, by http or https.';
COMMENT ON COLUMN crm.plan_attachment.added_at IS 'When it was added.';
COMMENT ON COLUMN crm.plan_attachment.added_by IS 'Who added it.';
CREATE INDEX ON crm.plan_attachment (plan_id);
CREATE INDEX ON crm.plan_attachment (target_list_id);

-- problems --------------------------------------------------------------------

CREATE TABLE crm.problem (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  plan_id bigint REFERENCES crm.plan,
  target_list_id bigint REFERENCES crm.target_list ON DELETE SET NULL,
  org_id bigint NOT NULL REFERENCES crm.organisation,
  channel_id bigint REFERENCES crm.channel,
  title text NOT NULL CHECK (pg_catalog.btrim(title) <> ''),
  body text,
  state text NOT NULL DEFAULT 'open',
  item_id bigint REFERENCES crm.workflow_item,
  reported_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  reported_by text NOT NULL DEFAULT crm.actor()
);
COMMENT ON TABLE crm.problem IS 'Problems that units report on plans and lists, tracked to an answer. 问题反馈';
COMMENT ON COLUMN crm.problem.id IS 'Key.';
COMMENT ON COLUMN crm.problem.plan_id IS 'Plan that it is about.';
COMMENT ON COLUMN crm.problem.target_list_id IS 'Target list that it is about.';
COMMENT ON COLUMN crm.problem.org_id IS 'Unit that reports it.';
COMMENT ON COLUMN crm.problem.channel_id IS 'Channel in which.';
COMMENT ON COLUMN crm.problem.title IS 'In a few words.';
COMMENT ON COLUMN crm.problem.body IS 'In full.';
COMMENT ON COLUMN crm.problem.state IS 'State in the workflow "problem".';
COMMENT ON COLUMN crm.problem.item_id IS 'Its item in the workflow; the answers stand in its log.';
COMMENT ON COLUMN crm.problem.reported_at IS 'When it was reported.';
COMMENT ON COLUMN crm.problem.reported_by IS 'Who reported it.';
CREATE INDEX ON crm.problem (plan_id);
CREATE INDEX ON crm.problem (target_list_id);
CREATE INDEX ON crm.problem (org_id);
CREATE INDEX ON crm.problem (channel_id);
CREATE INDEX ON crm.problem (item_id);

CREATE FUNCTION crm._problem_entered(item crm.workflow_item) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  UPDATE crm.problem p SET state = (_problem_entered.item).state WHERE p.id = (_problem_entered.item).subject_id;
END;
COMMENT ON FUNCTION crm._problem_entered(crm.workflow_item) IS 'Action of the workflow "problem": the problem tells its state.';
REVOKE ALL ON FUNCTION crm._problem_entered(crm.workflow_item) FROM PUBLIC;

INSERT INTO crm.workflow_action (code, function, description) VALUES
  ('problem_entered', '_problem_entered', 'The problem tells its state.');
PERFORM crm.define_workflow('problem', $d${
  "name": "Problem", "name_zh": "问题反馈", "subject": "problem", "open_by": [], "one_per_subject": true, "assign_by": ["responsible", "duty:resource_manager"],
  "states": [
    {"state": "open", "name": "Open", "name_zh": "待答复", "initial": true, "responsible": "duty:resource_manager", "limit_hours": 16, "action": "problem_entered"},
    {"state": "answered", "name": "Answered", "name_zh": "已答复", "responsible": "opener", "action": "problem_entered"},
    {"state": "closed", "name": "Closed", "name_zh": "已关闭", "final": true, "action": "problem_entered"}],
  "transitions": [
    {"transition": "answer", "name_zh": "答复", "from": "open", "to": "answered", "by": ["responsible", "duty:resource_manager"], "not_by": ["opener"], "fields": {"answer": "text"}},
    {"transition": "reopen", "name_zh": "退回", "from": "answered", "to": "open", "by": ["opener"], "reason_required": true},
    {"transition": "close", "name_zh": "关闭", "from": ["open", "answered"], "to": "closed", "by": ["opener"]}]}$d$);

CREATE FUNCTION crm.report_problem(org_id bigint, title text, plan_id bigint DEFAULT NULL, target_list_id bigint DEFAULT NULL, channel_id bigint DEFAULT NULL, body text DEFAULT NULL)
RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  new_id bigint;
  new_item bigint;
BEGIN
  IF report_problem.org_id IS NULL THEN
    RAISE EXCEPTION 'the unit must be given' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  PERFORM crm._require_values('a problem', json_build_object('title', report_problem.title));
  PERFORM crm._require_known('unit', report_problem.org_id), crm._require_known('channel', report_problem.channel_id),
          crm._require_known('plan', report_problem.plan_id), crm._require_known('target list', report_problem.target_list_id);
  PERFORM crm._act_for_side(report_problem.channel_id, report_problem.org_id, NULL, NULL, report_problem.org_id);
  INSERT INTO crm.problem AS p (plan_id, target_list_id, org_id, channel_id, title, body)
  VALUES (report_problem.plan_id, report_problem.target_list_id, report_problem.org_id, report_problem.channel_id, report_problem.title, report_problem.body)
  RETURNING p.id INTO new_id;
  new_item := crm._open_item('problem', new_id, report_problem.org_id, report_problem.channel_id, '{}', NULL, false);
  UPDATE crm.problem p SET item_id = new_item WHERE p.id = new_id;
  RETURN new_id;
END
$$;
COMMENT ON FUNCTION crm.report_problem(bigint, text, bigint, bigint, bigint, text) IS
  'A unit reports a problem on a plan, a target list or at large; whoever has the duty resource_manager there is to answer. Returns its key. Errors: 22004, 23502, 23503, 23514, 42501 not for that unit, 55000 nobody has the duty. 反馈问题';
REVOKE ALL ON FUNCTION crm.report_problem(bigint, text, bigint, bigint, bigint, text) FROM PUBLIC;

CREATE FUNCTION crm._move_problem(problem_id bigint, transition text, data jsonb, reason text) RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  item_id bigint;
BEGIN
  IF _move_problem.problem_id IS NULL THEN
    RAISE EXCEPTION 'the problem must be given' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  SELECT p.item_id INTO item_id FROM crm.problem p WHERE p.id = _move_problem.problem_id;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'there is no problem "%"', _move_problem.problem_id USING ERRCODE = 'foreign_key_violation', HINT = 'crm_bi.problem shows the problems.';
  END IF;
  RETURN crm.make_transition(item_id, _move_problem.transition, _move_problem.data, _move_problem.reason);
END
$$;
COMMENT ON FUNCTION crm._move_problem(bigint, text, jsonb, text) IS 'Makes a transition of a problem. Errors: 22004, 23503, those of crm.make_transition().';
REVOKE ALL ON FUNCTION crm._move_problem(bigint, text, jsonb, text) FROM PUBLIC;

CREATE FUNCTION crm.answer_problem(problem_id bigint, answer text) RETURNS text
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT crm._move_problem(answer_problem.problem_id, 'answer', pg_catalog.jsonb_build_object('answer', answer_problem.answer), NULL);
END;
COMMENT ON FUNCTION crm.answer_problem(bigint, text) IS 'Answers an open problem. Errors: 22004, 23502 no answer, 23503, 42501 without the duty, or one''s own; 55000. 答复问题';
REVOKE ALL ON FUNCTION crm.answer_problem(bigint, text) FROM PUBLIC;

CREATE FUNCTION crm.reopen_problem(problem_id bigint, reason text) RETURNS text
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT crm._move_problem(reopen_problem.problem_id, 'reopen', '{}', reopen_problem.reason);
END;
COMMENT ON FUNCTION crm.reopen_problem(bigint, text) IS 'Who reported a problem is not content with the answer. Errors: 22004, 23502 no reason, 23503, 42501, 55000. 重新打开问题';
REVOKE ALL ON FUNCTION crm.reopen_problem(bigint, text) FROM PUBLIC;

CREATE FUNCTION crm.close_problem(problem_id bigint) RETURNS text
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT crm._move_problem(close_problem.problem_id, 'close', '{}', NULL);
END;
COMMENT ON FUNCTION crm.close_problem(bigint) IS 'Who reported a problem is content. Errors: 23503, 42501, 55000. 关闭问题';
REVOKE ALL ON FUNCTION crm.close_problem(bigint) FROM PUBLIC;

GRANT SELECT ON crm.plan_attachment, crm.problem TO crm_bi_owner;
INSERT INTO crm.duty_right (duty, privilege, kind, object)
SELECT d.duty, 'EXECUTE', 'FUNCTION', f.name
FROM (VALUES ('provider'), ('planner'), ('sales'), ('resource_manager')) d(duty)
CROSS JOIN (VALUES ('crm.report_problem(bigint, text, bigint, bigint, bigint, text)'), ('crm.reopen_problem(bigint, text)'), ('crm.close_problem(bigint)')) f(name);
INSERT INTO crm.duty_right (duty, privilege, kind, object) VALUES
  ('resource_manager', 'EXECUTE', 'FUNCTION', 'crm.answer_problem(bigint, text)'),
  ('manager', 'EXECUTE', 'FUNCTION', 'crm.distribute_list(bigint, bigint[], bigint[], text)'),
  ('resource_manager', 'EXECUTE', 'FUNCTION', 'crm.distribute_list(bigint, bigint[], bigint[], text)'),
  ('planner', 'INSERT (plan_id, target_list_id, kind, title, body, link)', 'TABLE', 'crm.plan_attachment'),
  ('planner', 'DELETE', 'TABLE', 'crm.plan_attachment'),
  ('planner', 'SELECT', 'TABLE', 'crm.plan_attachment'),
  ('resource_manager', 'INSERT (plan_id, target_list_id, kind, title, body, link)', 'TABLE', 'crm.plan_attachment'),
  ('resource_manager', 'DELETE', 'TABLE', 'crm.plan_attachment'),
  ('resource_manager', 'SELECT', 'TABLE', 'crm.plan_attachment');
INSERT INTO crm.duty_right (duty, privilege, kind, object)
SELECT d.duty, 'SELECT', 'TABLE', 'crm_bi.' || v.name
FROM (VALUES ('resource_manager'), ('planner'), ('approver')) d(duty)
CROSS JOIN (VALUES ('plan'), ('plan_proposal'), ('plan_cell'), ('plan_line'), ('plan_customer'), ('plan_difference'), ('plan_stage'), ('plan_affinity'), ('community'), ('staff_skill'), ('plan_terms'), ('plan_adjustment'), ('plan_limit'), ('plan_unit_limit'), ('plan_attachment'),
                   ('problem')) v(name);
INSERT INTO crm.duty_right (duty, privilege, kind, object) VALUES
  ('provider', 'SELECT', 'TABLE', 'crm_bi.plan_terms'),
  ('provider', 'SELECT', 'TABLE', 'crm_bi.problem');
