-- allocate: approval of plans: submitted, approved, returned, rejected

CREATE FUNCTION crm._submittable(plan crm.plan) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  fault text;
BEGIN
  IF plan.as_of IS NULL THEN
    RAISE EXCEPTION 'plan "%" is not computed since its last change', plan.name
      USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'crm.compute_plan() computes it.';
  ELSIF NOT EXISTS (SELECT FROM crm.plan_customer c WHERE c.plan_id = plan.id) THEN
    RAISE EXCEPTION 'plan "%" has no customers', plan.name
      USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'crm_bi.plan_proposal tells who matches, and what room there is.';
  END IF;
  SELECT o.title INTO fault FROM crm.plan_proposal n JOIN crm.proposal o ON o.id = n.proposal_id
  WHERE n.plan_id = plan.id AND (o.version <> n.version OR o.state <> 'submitted') ORDER BY o.id LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'proposal "%" has changed since plan "%" was computed', fault, plan.name
      USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Compute the plan anew with crm.compute_plan().';
  END IF;
  SELECT c.customer_id INTO fault
  FROM crm.plan_customer c
  JOIN crm.plan_line l ON l.plan_id = c.plan_id AND l.line = c.line
  LEFT JOIN crm.cycle_offer o ON o.cycle_id = plan.cycle_id AND o.customer_id = c.customer_id AND o.provider_id = l.provider_id AND o.withdrawn_at IS NULL
  WHERE c.plan_id = plan.id AND o.customer_id IS NULL ORDER BY c.customer_id LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'customer "%" of plan "%" was withdrawn from the inventory', fault, plan.name
      USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Compute the plan anew with crm.compute_plan().';
  END IF;
  SELECT format('%s and %s', p.code, u.code) INTO fault
  FROM crm._plan_terms_needed n JOIN crm.channel p ON p.id = n.provider_channel_id JOIN crm.channel u ON u.id = n.user_channel_id
  WHERE n.plan_id = plan.id AND NOT (n.complete AND n.accepted) ORDER BY p.id, u.id LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'terms of plan "%" between % are not accepted by both', plan.name, fault
      USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'crm_bi.plan_terms shows what is missing; crm.set_terms() and crm.accept_terms() complete it.';
  END IF;
END
$$;
COMMENT ON FUNCTION crm._submittable(crm.plan) IS 'Raises 55000 for what stands against submitting or approving a plan.';
REVOKE ALL ON FUNCTION crm._submittable(crm.plan) FROM PUBLIC;

CREATE FUNCTION crm._plan_entered(item crm.workflow_item) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  actor CONSTANT text := crm.actor();
  cycle crm.cycle;
  plan crm.plan;
BEGIN
  -- the item is locked; the cycle comes before the plan, as everywhere
  IF item.state IN ('submitted', 'approved', 'carried_out') THEN
    cycle := (SELECT crm._open_cycle(p.cycle_id) FROM crm.plan p WHERE p.id = item.subject_id);
  END IF;
  SELECT * INTO plan FROM crm.plan p WHERE p.id = item.subject_id FOR NO KEY UPDATE;
  IF item.state IN ('submitted', 'approved') THEN
    IF (item.data ->> 'version')::integer <> plan.version THEN
      RAISE EXCEPTION 'version % of plan "%" is not its latest', item.data ->> 'version', plan.name
        USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = format('The latest is %s.', plan.version), HINT = 'Look at what it says now.';
    END IF;
    IF item.state = 'approved' AND (actor IN (plan.computed_by, plan.submitted_by)
                                    -- a copy has what was said of the plan that it was copied from, but for acceptances
                                    OR EXISTS (WITH RECURSIVE line AS (
                                                 SELECT p.id, p.like_id, p.made_by FROM crm.plan p WHERE p.id = plan.id
                                                 UNION ALL SELECT p.id, p.like_id, p.made_by FROM line l JOIN crm.plan p ON p.id = l.like_id)
                                               SELECT FROM line l
                                               WHERE l.made_by = actor
                                                  OR EXISTS (SELECT FROM crm.cycle_change c
                                                             WHERE c.plan_id = l.id AND c.changed_by = actor AND (l.id = plan.id OR c.kind <> 'acceptance')))
                                    OR EXISTS (SELECT FROM crm.plan_proposal n JOIN crm.proposal_version v ON v.proposal_id = n.proposal_id
                                               WHERE n.plan_id = plan.id AND n.planned > 0 AND v.made_by = actor)) THEN
      RAISE EXCEPTION '"%" has had a hand in plan "%"', actor, plan.name
        USING ERRCODE = 'insufficient_privilege', DETAIL = 'Who made, changed, computed or submitted a plan, made or changed one that it is a copy of, accepted its terms, or made a proposal that gets customers by it, does not approve it.',
              HINT = 'Somebody else approves it.';
    ELSIF item.state = 'approved' AND cycle.approved_plan_id IS NOT NULL THEN
      RAISE EXCEPTION 'cycle "%" has an approved plan', cycle.name
        USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = format('Plan "%s" is not carried out yet.', (SELECT p.name FROM crm.plan p WHERE p.id = cycle.approved_plan_id)),
              HINT = 'Carry it out, or give up the rest with crm.finish_plan().';
    END IF;
    PERFORM crm._submittable(plan);
  END IF;
  IF item.state = 'approved' THEN
    UPDATE crm.cycle y SET approved_plan_id = plan.id WHERE y.id = cycle.id;
    PERFORM crm.make_transition(o.item_id, 'grant')
    FROM (SELECT p.item_id FROM crm.plan_proposal n JOIN crm.proposal p ON p.id = n.proposal_id WHERE n.plan_id = plan.id AND n.planned > 0 ORDER BY p.item_id) o;
  ELSIF item.state = 'carried_out' THEN
    IF EXISTS (SELECT FROM crm.plan_customer c WHERE c.plan_id = plan.id AND coalesce(c.outcome, 'busy') = 'busy') THEN
      RAISE EXCEPTION 'plan "%" is not carried out yet', plan.name
        USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'CALL crm.carry_out_plan(), or give up the rest with crm.finish_plan().';
    END IF;
    UPDATE crm.cycle y SET approved_plan_id = NULL WHERE y.id = cycle.id AND y.approved_plan_id = plan.id;
  END IF;
  UPDATE crm.plan p SET state = item.state, submitted_by = CASE item.state WHEN 'submitted' THEN actor ELSE p.submitted_by END WHERE p.id = plan.id;
END
$$;
COMMENT ON FUNCTION crm._plan_entered(crm.workflow_item) IS
  'Action of the workflow "plan": what a plan must be to be submitted, approved or at its end, whatever way it came there. Errors: 42501 one''s own, 55000.';
REVOKE ALL ON FUNCTION crm._plan_entered(crm.workflow_item) FROM PUBLIC;

INSERT INTO crm.workflow_action (code, function, description) VALUES
  ('plan_entered', '_plan_entered', 'Checks the plan, which tells its state; approved, it grants its proposals.');
PERFORM crm.define_workflow('plan', $d${
  "name": "Plan", "name_zh": "预分配计划", "subject": "plan", "open_by": [], "one_per_subject": true, "assign_by": ["responsible", "duty:resource_manager"],
  "states": [
    {"state": "draft", "name": "Draft", "name_zh": "草稿", "initial": true, "responsible": "opener", "action": "plan_entered"},
    {"state": "submitted", "name": "Submitted", "name_zh": "待审批", "responsible": "duty:approver", "limit_hours": 24, "action": "plan_entered"},
    {"state": "approved", "name": "Approved", "name_zh": "已批准", "responsible": "opener", "action": "plan_entered"},
    {"state": "carried_out", "name": "Carried out", "name_zh": "已执行", "final": true, "action": "plan_entered"},
    {"state": "rejected", "name": "Rejected", "name_zh": "已否决", "final": true, "action": "plan_entered"},
    {"state": "dropped", "name": "Dropped", "name_zh": "已放弃", "final": true, "action": "plan_entered"}],
  "transitions": [
    {"transition": "submit", "name_zh": "提交", "from": "draft", "to": "submitted", "fields": {"version": "integer"}, "by": ["duty:planner", "duty:resource_manager"]},
    {"transition": "approve", "name_zh": "批准", "from": "submitted", "to": "approved", "by": ["duty:approver"], "not_by": ["opener", "submit"], "fields": {"version": "integer"}},
    {"transition": "return", "name_zh": "退回", "from": "submitted", "to": "draft", "by": ["duty:approver"], "reason_required": true},
    {"transition": "withdraw", "name_zh": "撤回", "from": "submitted", "to": "draft", "by": ["duty:planner", "duty:resource_manager"], "reason_required": true},
    {"transition": "reject", "name_zh": "否决", "from": "submitted", "to": "rejected", "by": ["duty:approver"], "reason_required": true},
    {"transition": "drop", "name_zh": "放弃", "from": "draft", "to": "dropped", "by": ["duty:planner", "duty:resource_manager"], "reason_required": true},
    {"transition": "carry_out", "name_zh": "执行", "from": "approved", "to": "carried_out", "by": ["duty:planner", "duty:resource_manager"]}]}$d$);

CREATE FUNCTION crm._move_plan(plan_id bigint, transition text, version integer, reason text) RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
  RETURN crm.make_transition((crm._plan(_move_plan.plan_id)).item_id, _move_plan.transition, CASE WHEN _move_plan.transition IN ('submit', 'approve') THEN jsonb_build_object('version', _move_plan.version) ELSE '{}' END,
                             _move_plan.reason);
END
$$;
COMMENT ON FUNCTION crm._move_plan(bigint, text, integer, text) IS 'Makes a transition of a plan. Errors: 22004, 23503, those of crm.make_transition().';
REVOKE ALL ON FUNCTION crm._move_plan(bigint, text, integer, text) FROM PUBLIC;

CREATE FUNCTION crm.submit_plan(plan_id bigint, version integer) RETURNS text
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT crm._move_plan(submit_plan.plan_id, 'submit', submit_plan.version, NULL);
END;
COMMENT ON FUNCTION crm.submit_plan(bigint, integer) IS
  'Submits a plan for approval in the version seen. Errors: 22004, 23502 no version, 23503, 42501, 55000 not a draft, a stale version, not computed since its last change, nobody in it, a proposal or the inventory changed since, terms not accepted by both channels, or nobody has the duty to approve. 提交计划';
REVOKE ALL ON FUNCTION crm.submit_plan(bigint, integer) FROM PUBLIC;

CREATE FUNCTION crm.approve_plan(plan_id bigint, version integer, reason text DEFAULT NULL) RETURNS text
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT crm._move_plan(approve_plan.plan_id, 'approve', approve_plan.version, approve_plan.reason);
END;
COMMENT ON FUNCTION crm.approve_plan(bigint, integer, text) IS
  'Approves a submitted plan in the version seen, and with it its terms and the proposals that get customers by it; CALL crm.carry_out_plan() allocates. Of two at once one wins. Errors: 22004, 23502, 23503, 42501 without the duty, or a plan that one has made, adjusted, computed or submitted, whose terms or stages one has set, or that grants a proposal of one''s own; 55000 not submitted, a stale version, or another plan of the cycle is approved and not carried out; 40001 to be retried. 批准计划';
REVOKE ALL ON FUNCTION crm.approve_plan(bigint, integer, text) FROM PUBLIC;

CREATE FUNCTION crm.return_plan(plan_id bigint, reason text) RETURNS text
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT crm._move_plan(return_plan.plan_id, 'return', NULL, return_plan.reason);
END;
COMMENT ON FUNCTION crm.return_plan(bigint, text) IS 'Returns a submitted plan to be changed, with a reason. Errors: 22004, 23502 no reason, 23503, 42501, 55000. 退回计划';
REVOKE ALL ON FUNCTION crm.return_plan(bigint, text) FROM PUBLIC;

CREATE FUNCTION crm.reject_plan(plan_id bigint, reason text) RETURNS text
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT crm._move_plan(reject_plan.plan_id, 'reject', NULL, reject_plan.reason);
END;
COMMENT ON FUNCTION crm.reject_plan(bigint, text) IS 'Rejects a submitted plan for good, with a reason. Errors: 22004, 23502 no reason, 23503, 42501, 55000. 否决计划';
REVOKE ALL ON FUNCTION crm.reject_plan(bigint, text) FROM PUBLIC;

CREATE FUNCTION crm.withdraw_plan(plan_id bigint, reason text) RETURNS text
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT crm._move_plan(withdraw_plan.plan_id, 'withdraw', NULL, withdraw_plan.reason);
END;
COMMENT ON FUNCTION crm.withdraw_plan(bigint, text) IS 'Takes a plan back that was submitted, to change it. Errors: 22004, 23502 no reason, 23503, 42501, 55000. 撤回计划';
REVOKE ALL ON FUNCTION crm.withdraw_plan(bigint, text) FROM PUBLIC;

CREATE FUNCTION crm.drop_plan(plan_id bigint, reason text) RETURNS text
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT crm._move_plan(drop_plan.plan_id, 'drop', NULL, drop_plan.reason);
END;
COMMENT ON FUNCTION crm.drop_plan(bigint, text) IS 'Gives up a draft; it stays for comparison. Errors: 22004, 23502 no reason, 23503, 42501, 55000. 放弃计划';
REVOKE ALL ON FUNCTION crm.drop_plan(bigint, text) FROM PUBLIC;

INSERT INTO crm.duty_right (duty, privilege, kind, object)
SELECT d.duty, 'EXECUTE', 'FUNCTION', f.name
FROM (VALUES ('planner'), ('resource_manager')) d(duty)
CROSS JOIN (VALUES ('crm.submit_plan(bigint, integer)'), ('crm.withdraw_plan(bigint, text)'), ('crm.drop_plan(bigint, text)')) f(name);
INSERT INTO crm.duty_right (duty, privilege, kind, object) VALUES
  ('approver', 'EXECUTE', 'FUNCTION', 'crm.approve_plan(bigint, integer, text)'),
  ('approver', 'EXECUTE', 'FUNCTION', 'crm.return_plan(bigint, text)'),
  ('approver', 'EXECUTE', 'FUNCTION', 'crm.reject_plan(bigint, text)');
