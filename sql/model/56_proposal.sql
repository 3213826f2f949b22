-- allocate: proposals, what channels and units ask of a cycle and what they promise

CREATE TABLE crm.proposal (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  cycle_id bigint NOT NULL REFERENCES crm.cycle,
  channel_id bigint NOT NULL REFERENCES crm.channel,
  org_id bigint REFERENCES crm.organisation,
  title text NOT NULL CHECK (pg_catalog.btrim(title) <> ''),
  version integer NOT NULL DEFAULT 1,
  state text NOT NULL DEFAULT 'draft',
  item_id bigint REFERENCES crm.workflow_item,
  carried_from bigint REFERENCES crm.proposal,
  made_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  made_by text NOT NULL DEFAULT crm.actor()
);
COMMENT ON TABLE crm.proposal IS 'Proposals: a channel, or a unit of it, asks for customers of a segment. 开拓方案';
COMMENT ON COLUMN crm.proposal.id IS 'Key.';
COMMENT ON COLUMN crm.proposal.cycle_id IS 'Cycle.';
COMMENT ON COLUMN crm.proposal.channel_id IS 'Channel that asks.';
COMMENT ON COLUMN crm.proposal.org_id IS 'Unit of the channel that asks, for customers at home in its subtree; NULL: the whole channel.';
COMMENT ON COLUMN crm.proposal.title IS 'Title.';
COMMENT ON COLUMN crm.proposal.version IS 'Version that holds, in crm.proposal_version.';
COMMENT ON COLUMN crm.proposal.state IS 'State in the workflow "proposal".';
COMMENT ON COLUMN crm.proposal.item_id IS 'Its item in the workflow.';
COMMENT ON COLUMN crm.proposal.carried_from IS 'Proposal of an earlier cycle that it goes on with.';
COMMENT ON COLUMN crm.proposal.made_at IS 'When it was made.';
COMMENT ON COLUMN crm.proposal.made_by IS 'Who made it.';
CREATE INDEX ON crm.proposal (cycle_id);
CREATE INDEX ON crm.proposal (channel_id);
CREATE INDEX ON crm.proposal (org_id);
CREATE INDEX ON crm.proposal (item_id);
CREATE INDEX ON crm.proposal (carried_from);
CREATE UNIQUE INDEX proposal_carried ON crm.proposal (carried_from) WHERE state <> 'withdrawn';

CREATE TABLE crm.proposal_version (
  proposal_id bigint NOT NULL REFERENCES crm.proposal,
  version integer NOT NULL CHECK (version >= 1),
  segment crm.condition NOT NULL,
  volume bigint NOT NULL CHECK (volume BETWEEN 1 AND 1000000000),
  expected_contacts bigint NOT NULL CHECK (expected_contacts >= 0),
  expected_purchases bigint NOT NULL CHECK (expected_purchases >= 0),
  expected_premium numeric NOT NULL CHECK (expected_premium >= 0 AND expected_premium < 'Infinity'),
  expected_cost numeric NOT NULL CHECK (expected_cost >= 0 AND expected_cost < 'Infinity'),
  expected_by date NOT NULL CHECK (expected_by BETWEEN '1900-01-01' AND '2199-12-31'),
  note text,
  made_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  made_by text NOT NULL DEFAULT crm.actor(),
  PRIMARY KEY (proposal_id, version),
  CONSTRAINT proposal_version_effect_check CHECK (expected_contacts <= volume AND expected_purchases <= volume)
);
COMMENT ON TABLE crm.proposal_version IS 'What proposals asked for and promised, version by version. 方案版本';
COMMENT ON COLUMN crm.proposal_version.proposal_id IS 'Proposal.';
COMMENT ON COLUMN crm.proposal_version.version IS 'Version, from 1.';
COMMENT ON COLUMN crm.proposal_version.segment IS 'Who is asked for.';
COMMENT ON COLUMN crm.proposal_version.volume IS 'How many customers.';
COMMENT ON COLUMN crm.proposal_version.expected_contacts IS 'Customers to be contacted.';
COMMENT ON COLUMN crm.proposal_version.expected_purchases IS 'Customers expected to buy.';
COMMENT ON COLUMN crm.proposal_version.expected_premium IS 'Annual premium they are expected to bring.';
COMMENT ON COLUMN crm.proposal_version.expected_cost IS 'What that is expected to cost.';
COMMENT ON COLUMN crm.proposal_version.expected_by IS 'By which day.';
COMMENT ON COLUMN crm.proposal_version.note IS 'Remark.';
COMMENT ON COLUMN crm.proposal_version.made_at IS 'When it was made.';
COMMENT ON COLUMN crm.proposal_version.made_by IS 'Who made it.';

CREATE FUNCTION crm._proposal_entered(item crm.workflow_item) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF item.state = 'submitted' AND EXISTS (SELECT FROM crm.proposal p JOIN crm.cycle y ON y.id = p.cycle_id WHERE p.id = item.subject_id AND y.state <> 'open') THEN
    RAISE EXCEPTION 'the cycle of proposal "%" is closed', item.subject_id
      USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Carry it over into another with crm.carry_over_proposal().';
  END IF;
  IF item.state = 'granted' AND NOT EXISTS (SELECT FROM crm.proposal p JOIN crm.cycle y ON y.id = p.cycle_id
                                            JOIN crm.plan_proposal n ON n.plan_id = y.approved_plan_id AND n.proposal_id = p.id AND n.planned > 0 WHERE p.id = item.subject_id) THEN
    RAISE EXCEPTION 'no approved plan grants proposal "%"', item.subject_id
      USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'The approval of a plan grants the proposals that get customers by it.';
  END IF;
  UPDATE crm.proposal p SET state = item.state WHERE p.id = item.subject_id;
END
$$;
COMMENT ON FUNCTION crm._proposal_entered(crm.workflow_item) IS 'Action of the workflow "proposal": the proposal tells its state. Errors: 55000 cycle closed, or granted by no plan.';
REVOKE ALL ON FUNCTION crm._proposal_entered(crm.workflow_item) FROM PUBLIC;

INSERT INTO crm.workflow_action (code, function, description) VALUES
  ('proposal_entered', '_proposal_entered', 'The proposal tells its state.');
PERFORM crm.define_workflow('proposal', $d${
  "name": "Proposal", "name_zh": "开拓方案", "subject": "proposal", "open_by": [], "one_per_subject": true, "assign_by": ["responsible", "duty:planner"],
  "states": [
    {"state": "draft", "name": "Draft", "name_zh": "草稿", "initial": true, "action": "proposal_entered"},
    {"state": "submitted", "name": "Submitted", "name_zh": "已提交", "action": "proposal_entered"},
    {"state": "granted", "name": "Granted", "name_zh": "已批准", "final": true, "action": "proposal_entered"},
    {"state": "withdrawn", "name": "Withdrawn", "name_zh": "已撤回", "final": true, "action": "proposal_entered"},
    {"state": "carried_over", "name": "Carried over", "name_zh": "已结转", "final": true, "action": "proposal_entered"}],
  "transitions": [
    {"transition": "submit", "name_zh": "提交", "from": "draft", "to": "submitted", "by": ["opener", "responsible", "duty:planner", "duty:resource_manager"]},
    {"transition": "revise", "name_zh": "修改", "from": "submitted", "to": "draft", "by": ["opener", "responsible", "duty:planner", "duty:resource_manager"]},
    {"transition": "grant", "name_zh": "批准", "from": "submitted", "to": "granted", "by": ["duty:approver"]},
    {"transition": "withdraw", "name_zh": "撤回", "from": ["draft", "submitted"], "to": "withdrawn", "reason_required": true,
     "by": ["opener", "responsible", "duty:planner", "duty:resource_manager"]},
    {"transition": "carry_over", "name_zh": "结转", "from": ["draft", "submitted"], "to": "carried_over",
     "by": ["opener", "responsible", "duty:planner", "duty:resource_manager"]}]}$d$);

CREATE FUNCTION crm._proposal(proposal_id bigint) RETURNS crm.proposal
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  proposal crm.proposal;
BEGIN
  IF _proposal.proposal_id IS NULL THEN
    RAISE EXCEPTION 'the proposal must be given' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  SELECT * INTO proposal FROM crm.proposal p WHERE p.id = _proposal.proposal_id;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'there is no proposal "%"', _proposal.proposal_id USING ERRCODE = 'foreign_key_violation', HINT = 'crm_bi.proposal shows the proposals.';
  END IF;
  PERFORM crm._act_for_side(proposal.channel_id, NULL, 'planner', coalesce(proposal.org_id, y.org_id), y.org_id) FROM crm.cycle y WHERE y.id = proposal.cycle_id;
  RETURN proposal;
END
$$;
COMMENT ON FUNCTION crm._proposal(bigint) IS 'A proposal that the acting person may speak for. Errors: 22004, 23503 unknown, 42501.';
REVOKE ALL ON FUNCTION crm._proposal(bigint) FROM PUBLIC;

CREATE FUNCTION crm._propose(cycle crm.cycle, channel_id bigint, org_id bigint, title text, carried_from bigint) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  new_id bigint;
  new_item bigint;
BEGIN
  IF _propose.org_id IS NOT NULL
     AND NOT EXISTS (SELECT FROM crm.organisation_tree t WHERE t.ancestor_id = cycle.org_id AND t.descendant_id = _propose.org_id) THEN
    RAISE EXCEPTION 'unit "%" lies outside cycle "%"', _propose.org_id, cycle.name
      USING ERRCODE = 'check_violation', HINT = 'Name a unit in the subtree of the unit of the cycle.';
  ELSIF coalesce(btrim(_propose.title), '') = '' THEN
    RAISE EXCEPTION 'a proposal needs a title' USING ERRCODE = 'check_violation', HINT = 'Say in a few words what it is for.';
  END IF;
  INSERT INTO crm.proposal AS p (cycle_id, channel_id, org_id, title, carried_from)
  VALUES (cycle.id, _propose.channel_id, _propose.org_id, _propose.title, _propose.carried_from) RETURNING p.id INTO new_id;
  new_item := crm._open_item('proposal', new_id, coalesce(_propose.org_id, cycle.org_id), _propose.channel_id, '{}', NULL, false);
  UPDATE crm.proposal p SET item_id = new_item WHERE p.id = new_id;
  RETURN new_id;
END
$$;
COMMENT ON FUNCTION crm._propose(crm.cycle, bigint, bigint, text, bigint) IS 'Makes a proposal without a version, and its item. Errors: 23502, 23503, 23514.';
REVOKE ALL ON FUNCTION crm._propose(crm.cycle, bigint, bigint, text, bigint) FROM PUBLIC;

CREATE FUNCTION crm._add_version(cycle crm.cycle, v crm.proposal_version) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM crm._require_values('a proposal', json_build_object('segment', v.segment, 'volume', v.volume, 'expected_contacts', v.expected_contacts,
    'expected_purchases', v.expected_purchases, 'expected_premium', v.expected_premium, 'expected_cost', v.expected_cost, 'expected_by', v.expected_by),
    'Expect 0 where nothing is to be expected.');
  IF v.volume NOT BETWEEN 1 AND 1000000000 THEN
    RAISE EXCEPTION 'volume % of a proposal is not from 1 to 1000000000', v.volume USING ERRCODE = 'check_violation', HINT = 'Ask for as many customers as are to be contacted, or more.';
  ELSIF v.expected_contacts NOT BETWEEN 0 AND v.volume THEN
    RAISE EXCEPTION 'of % customers % cannot be contacted', v.volume, v.expected_contacts
      USING ERRCODE = 'check_violation', HINT = 'expected_contacts counts customers to be contacted, from 0 to volume.';
  ELSIF v.expected_purchases NOT BETWEEN 0 AND v.volume THEN
    RAISE EXCEPTION '% purchases cannot be expected of % customers', v.expected_purchases, v.volume
      USING ERRCODE = 'check_violation', HINT = 'expected_purchases counts customers who buy, from 0 to volume.';
  ELSIF NOT (v.expected_premium >= 0 AND v.expected_premium < 'Infinity' AND v.expected_cost >= 0 AND v.expected_cost < 'Infinity') THEN
    RAISE EXCEPTION 'premium % and cost % cannot be expected', v.expected_premium, v.expected_cost
      USING ERRCODE = 'check_violation', HINT = 'Give amounts of money from 0 on.';
  ELSIF v.expected_by NOT BETWEEN cycle.from_date AND '2199-12-31' THEN
    RAISE EXCEPTION 'an effect by % cannot be expected of cycle "%"', v.expected_by, cycle.name
      USING ERRCODE = 'check_violation', DETAIL = format('It begins on %s.', cycle.from_date), HINT = 'Give a day from then on.';
  END IF;
  INSERT INTO crm.proposal_version (proposal_id, version, segment, volume, expected_contacts, expected_purchases, expected_premium, expected_cost, expected_by, note)
  VALUES (v.proposal_id, v.version, v.segment, v.volume, v.expected_contacts, v.expected_purchases, v.expected_premium, v.expected_cost, v.expected_by, v.note);
END
$$;
COMMENT ON FUNCTION crm._add_version(crm.cycle, crm.proposal_version) IS 'Writes a version of a proposal whose figures can be. Errors: 23502 one is missing, 23514 one cannot be.';
REVOKE ALL ON FUNCTION crm._add_version(crm.cycle, crm.proposal_version) FROM PUBLIC;

CREATE FUNCTION crm.propose(cycle_id bigint, channel_id bigint, title text, segment crm.condition, volume bigint, expected_contacts bigint, expected_purchases bigint,
  expected_premium numeric, expected_by date, expected_cost numeric DEFAULT 0, org_id bigint DEFAULT NULL, note text DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  cycle CONSTANT crm.cycle := crm._open_cycle(propose.cycle_id);
  new_id bigint;
BEGIN
  IF propose.channel_id IS NULL THEN
    RAISE EXCEPTION 'the channel must be given' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  PERFORM crm._require_known('channel', propose.channel_id);
  PERFORM crm._act_for_side(propose.channel_id, NULL, 'planner', coalesce(propose.org_id, cycle.org_id), cycle.org_id);
  new_id := crm._propose(cycle, propose.channel_id, propose.org_id, propose.title, NULL);
  PERFORM crm._add_version(cycle, ROW (new_id, 1, propose.segment, propose.volume, propose.expected_contacts, propose.expected_purchases, propose.expected_premium,
                                       propose.expected_cost, propose.expected_by, propose.note, NULL, NULL)::crm.proposal_version);
  RETURN new_id;
END
$$;
COMMENT ON FUNCTION crm.propose(bigint, bigint, text, crm.condition, bigint, bigint, bigint, numeric, date, numeric, bigint, text) IS
  'A channel, or a unit of it, asks a cycle for a volume of customers of a segment, with the effect and cost to be expected; returns the key of the proposal, a draft in version 1. Errors: those of crm.condition; 22004, 23502, 23503 unknown cycle, channel or unit, 23514 figures that cannot be, no title, or a unit outside the cycle, 42501 not for that channel, 55000 closed. 提出开拓方案';
REVOKE ALL ON FUNCTION crm.propose(bigint, bigint, text, crm.condition, bigint, bigint, bigint, numeric, date, numeric, bigint, text) FROM PUBLIC;

CREATE FUNCTION crm.revise_proposal(proposal_id bigint, version integer, segment crm.condition DEFAULT NULL, volume bigint DEFAULT NULL, expected_contacts bigint DEFAULT NULL,
  expected_purchases bigint DEFAULT NULL, expected_premium numeric DEFAULT NULL, expected_by date DEFAULT NULL, expected_cost numeric DEFAULT NULL, note text DEFAULT NULL)
RETURNS integer LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  proposal crm.proposal := crm._proposal(revise_proposal.proposal_id);
  cycle CONSTANT crm.cycle := crm._open_cycle(proposal.cycle_id);
  v crm.proposal_version;
BEGIN
  -- with the item locked, nobody submits or revises it meanwhile
  PERFORM FROM crm.workflow_item i WHERE i.id = proposal.item_id FOR UPDATE;
  SELECT * INTO proposal FROM crm.proposal p WHERE p.id = proposal.id FOR NO KEY UPDATE;
  IF revise_proposal.version IS DISTINCT FROM proposal.version THEN
    RAISE EXCEPTION 'version % of proposal "%" is not its latest', coalesce(revise_proposal.version::text, '(none)'), proposal.id
      USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = format('The latest is %s.', proposal.version), HINT = 'Look at what it says now before you revise it.';
  END IF;
  IF proposal.state <> 'draft' THEN
    PERFORM crm.make_transition(proposal.item_id, 'revise');
  END IF;
  SELECT * INTO v FROM crm.proposal_version x WHERE x.proposal_id = proposal.id AND x.version = proposal.version;
  PERFORM crm._add_version(cycle, ROW (
    v.proposal_id, v.version + 1, coalesce(revise_proposal.segment, v.segment), coalesce(revise_proposal.volume, v.volume),
    coalesce(revise_proposal.expected_contacts, v.expected_contacts), coalesce(revise_proposal.expected_purchases, v.expected_purchases),
    coalesce(revise_proposal.expected_premium, v.expected_premium), coalesce(revise_proposal.expected_cost, v.expected_cost),
    coalesce(revise_proposal.expected_by, v.expected_by), coalesce(revise_proposal.note, v.note), NULL, NULL)::crm.proposal_version);
  UPDATE crm.proposal p SET version = p.version + 1 WHERE p.id = proposal.id;
  RETURN proposal.version + 1;
END
$$;
COMMENT ON FUNCTION crm.revise_proposal(bigint, integer, crm.condition, bigint, bigint, bigint, numeric, date, numeric, text) IS
  'Makes the next version of a proposal, what is not given as in the version named, which must be the latest; a submitted one is a draft again. Returns the new version. Errors: those of crm.condition; 22004, 23503, 23514, 42501, 55000 another version is the latest, or its state does not allow it. 修改方案';
REVOKE ALL ON FUNCTION crm.revise_proposal(bigint, integer, crm.condition, bigint, bigint, bigint, numeric, date, numeric, text) FROM PUBLIC;

CREATE FUNCTION crm.submit_proposal(proposal_id bigint) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  proposal CONSTANT crm.proposal := crm._proposal(submit_proposal.proposal_id);
BEGIN
  PERFORM crm._open_cycle(proposal.cycle_id);
  RETURN crm.make_transition(proposal.item_id, 'submit');
END
$$;
COMMENT ON FUNCTION crm.submit_proposal(bigint) IS
  'Submits a proposal: plans of its cycle take it in from now on. Returns its state. Errors: 22004, 23503, 42501, 55000 not a draft or cycle closed. 提交方案';
REVOKE ALL ON FUNCTION crm.submit_proposal(bigint) FROM PUBLIC;

CREATE FUNCTION crm.withdraw_proposal(proposal_id bigint, reason text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  proposal CONSTANT crm.proposal := crm._proposal(withdraw_proposal.proposal_id);
BEGIN
  RETURN crm.make_transition(proposal.item_id, 'withdraw', '{}', withdraw_proposal.reason);
END
$$;
COMMENT ON FUNCTION crm.withdraw_proposal(bigint, text) IS
  'Withdraws a proposal with a reason; returns its state. Plans that took it in must be computed anew before they can be submitted. Errors: 22004, 23503, 42501, 55000 granted, withdrawn or carried over already. 撤回方案';
REVOKE ALL ON FUNCTION crm.withdraw_proposal(bigint, text) FROM PUBLIC;

CREATE FUNCTION crm._unmet(proposal crm.proposal, volume bigint) RETURNS bigint
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  fault text;
  rest bigint;
BEGIN
  SELECT p.name INTO fault FROM crm.plan_proposal n JOIN crm.plan p ON p.id = n.plan_id WHERE n.proposal_id = proposal.id AND p.state = 'approved';
  IF FOUND THEN
    RAISE EXCEPTION 'plan "%", which grants proposal "%", is not carried out yet', fault, proposal.id
      USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'CALL crm.carry_out_plan(), or give up the rest with crm.finish_plan().';
  END IF;
  SELECT p.id INTO fault FROM crm.proposal p WHERE p.carried_from = proposal.id AND p.state <> 'withdrawn' ORDER BY p.id LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'the rest of proposal "%" is carried over already', proposal.id
      USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = format('Proposal %s goes on with it.', fault);
  END IF;
  SELECT volume - count(*) INTO rest
  FROM crm.plan_line l JOIN crm.plan_customer c ON c.plan_id = l.plan_id AND c.line = l.line WHERE l.proposal_id = proposal.id AND c.outcome = 'allocated';
  IF rest <= 0 THEN
    RAISE EXCEPTION 'proposal "%" got all it asked for', proposal.id USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Make a new one with crm.propose().';
  END IF;
  RETURN rest;
END
$$;
COMMENT ON FUNCTION crm._unmet(crm.proposal, bigint) IS
  'What a proposal that was granted did not get of its volume. Errors: 55000 its plan is not carried out, nothing is left, or the rest is carried over.';
REVOKE ALL ON FUNCTION crm._unmet(crm.proposal, bigint) FROM PUBLIC;

CREATE FUNCTION crm.carry_over_proposal(proposal_id bigint, cycle_id bigint) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  proposal crm.proposal := crm._proposal(carry_over_proposal.proposal_id);
  cycle CONSTANT crm.cycle := crm._open_cycle(carry_over_proposal.cycle_id);
  v crm.proposal_version;
  part numeric := 1;                       -- of what the proposal asked for
BEGIN
  IF cycle.id = proposal.cycle_id THEN
    RAISE EXCEPTION 'proposal "%" is in cycle "%" already', proposal.id, cycle.name USING ERRCODE = 'invalid_parameter_value', HINT = 'Name another cycle.';
  END IF;
  PERFORM FROM crm.workflow_item i WHERE i.id = proposal.item_id FOR UPDATE;
  SELECT * INTO proposal FROM crm.proposal p WHERE p.id = proposal.id;
  SELECT * INTO v FROM crm.proposal_version x WHERE x.proposal_id = proposal.id AND x.version = proposal.version;
  IF proposal.state = 'granted' THEN
    part := crm._unmet(proposal, v.volume)::numeric / v.volume;
  ELSE
    PERFORM crm.make_transition(proposal.item_id, 'carry_over');
  END IF;
  v.proposal_id := crm._propose(cycle, proposal.channel_id, proposal.org_id, proposal.title, proposal.id);
  v.version := 1;
  v.volume := round(v.volume * part);
  v.expected_contacts := round(v.expected_contacts * part);
  v.expected_purchases := round(v.expected_purchases * part);
  v.expected_premium := round(v.expected_premium * part, greatest(scale(v.expected_premium), 2));
  v.expected_cost := round(v.expected_cost * part, greatest(scale(v.expected_cost), 2));
  v.expected_by := (SELECT greatest(v.expected_by + greatest(cycle.to_date - y.to_date, 0), cycle.from_date) FROM crm.cycle y WHERE y.id = proposal.cycle_id);
  PERFORM crm._add_version(cycle, v);
  RETURN v.proposal_id;
END
$$;
COMMENT ON FUNCTION crm.carry_over_proposal(bigint, bigint) IS
  'Carries a proposal that was not granted over into another open cycle, as a draft with the figures of its latest version and a term as much later as that cycle ends; of one that was granted, when its plan is carried out, the rest that it did not get, with its part of the figures. Returns the key of the new one. Errors: 22004, 22023 same cycle, 23503, 23514 its unit lies outside that cycle, 42501, 55000 withdrawn or carried over already, plan not carried out, or nothing left. 结转方案';
REVOKE ALL ON FUNCTION crm.carry_over_proposal(bigint, bigint) FROM PUBLIC;

GRANT SELECT ON crm.proposal, crm.proposal_version TO crm_bi_owner;
INSERT INTO crm.duty_right (duty, privilege, kind, object)
SELECT d.duty, 'EXECUTE', 'FUNCTION', f.name
FROM (VALUES ('planner'), ('resource_manager')) d(duty)
CROSS JOIN (VALUES ('crm.propose(bigint, bigint, text, crm.condition, bigint, bigint, bigint, numeric, date, numeric, bigint, text)'),
                   ('crm.revise_proposal(bigint, integer, crm.condition, bigint, bigint, bigint, numeric, date, numeric, text)'),
                   ('crm.submit_proposal(bigint)'), ('crm.withdraw_proposal(bigint, text)'), ('crm.carry_over_proposal(bigint, bigint)')) f(name);
INSERT INTO crm.duty_right (duty, privilege, kind, object)
SELECT d.duty, 'SELECT', 'TABLE', v.name
FROM (VALUES ('resource_manager'), ('planner'), ('approver')) d(duty)
CROSS JOIN (VALUES ('crm_bi.proposal'), ('crm_bi.proposal_version')) v(name);
