-- base: items of workflows: opening, transitions, another person responsible

CREATE FUNCTION crm._enter_state(item crm.workflow_item, state crm.workflow_state) RETURNS crm.workflow_item
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  item.state := state.state;
  item.entered_at := greatest(clock_timestamp(), item.entered_at);
  item.responsible := crm._workflow_responsible(item, state);
  item.due_at := crm.add_working_time(item.entered_at, make_interval(secs => (state.limit_hours * 3600)::float8), item.org_id);
  item.closed_at := CASE WHEN state.final THEN item.entered_at END;
  RETURN item;
END
$$;
COMMENT ON FUNCTION crm._enter_state(crm.workflow_item, crm.workflow_state) IS 'An item as it is on entry into a state now.';
REVOKE ALL ON FUNCTION crm._enter_state(crm.workflow_item, crm.workflow_state) FROM PUBLIC;

CREATE FUNCTION crm._act_on_entry(item crm.workflow_item, action text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF action IS NOT NULL THEN
    EXECUTE format('SELECT crm.%I($1)', (SELECT a.function FROM crm.workflow_action a WHERE a.code = action)) USING item;
  END IF;
END
$$;
COMMENT ON FUNCTION crm._act_on_entry(crm.workflow_item, text) IS 'Does what a state says is to be done on entry.';
REVOKE ALL ON FUNCTION crm._act_on_entry(crm.workflow_item, text) FROM PUBLIC;

CREATE FUNCTION crm._open_item(workflow text, subject_id bigint, org_id bigint, channel_id bigint, data jsonb, responsible text, by_right boolean DEFAULT false) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  v crm.workflow_version;
  state crm.workflow_state;
  item crm.workflow_item;
BEGIN
  IF num_nulls(_open_item.workflow, _open_item.subject_id, _open_item.org_id) > 0 THEN
    RAISE EXCEPTION 'workflow, subject and unit must be given' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  SELECT x.* INTO v FROM crm.workflow w JOIN crm.workflow_version x ON x.workflow = w.code AND x.version = w.version WHERE w.code = _open_item.workflow;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'there is no workflow "%"', _open_item.workflow USING ERRCODE = 'invalid_parameter_value', HINT = 'crm.workflow lists the workflows.';
  END IF;
  PERFORM crm._require_known('unit', _open_item.org_id);
  IF v.subject = 'customer' THEN
    PERFORM crm._lock_customer(_open_item.subject_id);
    item.customer_id := _open_item.subject_id;
  ELSE
    item.object_id := _open_item.subject_id;
  END IF;
  SELECT * INTO state FROM crm.workflow_state s WHERE s.workflow = v.workflow AND s.version = v.version AND s.initial;
  item.workflow := v.workflow;
  item.version := v.version;
  item.subject_id := _open_item.subject_id;
  item.sole := v.one_per_subject;
  item.org_id := _open_item.org_id;
  item.channel_id := _open_item.channel_id;
  item.data := '{}';
  item.opened_by := crm.actor();
  item.opened_at := clock_timestamp();
  item.entered_at := item.opened_at;
  item.data := crm._fill(item, NULL, coalesce(_open_item.data, '{}'));
  IF by_right AND NOT crm._workflow_may(item, v.open_by) THEN
    RAISE EXCEPTION '"%" may not open an item of workflow "%" at unit "%"', item.opened_by, item.workflow, item.org_id
      USING ERRCODE = 'insufficient_privilege',
            HINT = CASE v.open_by WHEN '{}' THEN 'Functions of crm open its items.' ELSE format('It is open to %s.', array_to_string(v.open_by, ', ')) END;
  END IF;
  item.responsible := coalesce(crm._person_in_post(_open_item.responsible), item.opened_by);
  IF _open_item.responsible IS NOT NULL THEN
    state.responsible := NULL;
  END IF;
  item := crm._enter_state(item, state);
  -- an open one is refused at sight: who closes it just now may be waiting for what the caller has locked
  IF NOT item.sole OR NOT EXISTS (SELECT FROM crm.workflow_item i WHERE i.workflow = item.workflow AND i.subject_id = item.subject_id AND i.sole AND i.closed_at IS NULL) THEN
    INSERT INTO crm.workflow_item (workflow, version, state, customer_id, object_id, sole, org_id, channel_id, data, opened_by, opened_at, responsible, entered_at, due_at, closed_at)
    VALUES (item.workflow, item.version, item.state, item.customer_id, item.object_id, item.sole, item.org_id, item.channel_id, item.data, item.opened_by, item.opened_at,
            item.responsible, item.entered_at, item.due_at, item.closed_at)
    ON CONFLICT (workflow, subject_id) WHERE sole AND closed_at IS NULL DO NOTHING
    RETURNING id INTO item.id;
  END IF;
  IF item.id IS NULL THEN
    RAISE EXCEPTION 'an item of workflow "%" is open already for % "%"', item.workflow, v.subject, item.subject_id
      USING ERRCODE = 'object_in_use', HINT = 'End that one first.';
  END IF;
  INSERT INTO crm.workflow_log (item_id, kind, to_state, at, by_whom, responsible, due_at, data_after)
  VALUES (item.id, 'open', item.state, item.entered_at, item.opened_by, item.responsible, item.due_at, item.data);
  PERFORM crm._act_on_entry(item, state.action);
  RETURN item.id;
END
$$;
COMMENT ON FUNCTION crm._open_item(text, bigint, bigint, bigint, jsonb, text, boolean) IS
  'Opens an item; by_right: if the acting person may. Errors as of crm.open_item(); functions of crm that have looked themselves who calls them use this.';
REVOKE ALL ON FUNCTION crm._open_item(text, bigint, bigint, bigint, jsonb, text, boolean) FROM PUBLIC;

CREATE FUNCTION crm.open_item(workflow text, subject_id bigint, org_id bigint, channel_id bigint DEFAULT NULL, data jsonb DEFAULT '{}', responsible text DEFAULT NULL) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT crm._open_item(open_item.workflow, open_item.subject_id, open_item.org_id, open_item.channel_id, open_item.data, open_item.responsible, true);
END;
COMMENT ON FUNCTION crm.open_item(text, bigint, bigint, bigint, jsonb, text) IS
  'Opens an item of a workflow about a subject, in the hands of a unit, and returns its key. Without responsible the definition decides, at last the opener is. Errors: 42501 not for the acting person; 23502, 22023 as crm.make_transition; 22023 no such workflow; 23503 unknown unit, channel, customer or person; 55006 the subject has an open one; 55000 nobody has the duty that is to be responsible; 22004.';
REVOKE ALL ON FUNCTION crm.open_item(text, bigint, bigint, bigint, jsonb, text) FROM PUBLIC;

CREATE FUNCTION crm._locked_item(item_id bigint) RETURNS crm.workflow_item
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  item crm.workflow_item;
BEGIN
  IF item_id IS NULL THEN
    RAISE EXCEPTION 'the item must be given' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  SELECT * INTO item FROM crm.workflow_item i WHERE i.id = item_id FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'there is no item "%"', item_id USING ERRCODE = 'foreign_key_violation';
  END IF;
  RETURN item;
END
$$;
COMMENT ON FUNCTION crm._locked_item(bigint) IS 'Locks an item. Errors: 22004, 23503.';
REVOKE ALL ON FUNCTION crm._locked_item(bigint) FROM PUBLIC;

CREATE FUNCTION crm._legal(item crm.workflow_item) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT CASE WHEN (_legal.item).closed_at IS NOT NULL THEN 'The item is closed.'
              ELSE (SELECT pg_catalog.format('Legal in that state: %s.', pg_catalog.string_agg(t.transition, ', ' ORDER BY t.place))
                    FROM crm.workflow_transition_from f
                    JOIN crm.workflow_transition t ON t.workflow = f.workflow AND t.version = f.version AND t.transition = f.transition
                    WHERE f.workflow = (_legal.item).workflow AND f.version = (_legal.item).version AND f.from_state = (_legal.item).state) END;
END;
COMMENT ON FUNCTION crm._legal(crm.workflow_item) IS 'A sentence that tells the transitions that lead on.';

CREATE FUNCTION crm._ask_right(item crm.workflow_item, t crm.workflow_transition) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NOT crm._workflow_may(item, t.made_by) THEN
    RAISE EXCEPTION '"%" may not make transition "%" of item "%"', crm.actor(), t.transition, item.id
      USING ERRCODE = 'insufficient_privilege', DETAIL = format('Responsible is "%s".', item.responsible),
            HINT = format('It may be made by %s.', array_to_string(t.made_by, ', '));
  END IF;
END
$$;
COMMENT ON FUNCTION crm._ask_right(crm.workflow_item, crm.workflow_transition) IS 'Raises 42501 unless the acting person is one of those who may make a transition.';
REVOKE ALL ON FUNCTION crm._ask_right(crm.workflow_item, crm.workflow_transition) FROM PUBLIC;

CREATE FUNCTION crm.make_transition(item_id bigint, transition text, data jsonb DEFAULT '{}', reason text DEFAULT NULL) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  actor CONSTANT text := crm.actor();
  item crm.workflow_item := crm._locked_item(make_transition.item_id);
  before CONSTANT crm.workflow_item := item;
  t crm.workflow_transition;
  state crm.workflow_state;
  own text;
BEGIN
  IF make_transition.transition IS NULL THEN
    RAISE EXCEPTION 'the transition must be given' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  SELECT * INTO t FROM crm.workflow_transition x
  WHERE x.workflow = item.workflow AND x.version = item.version AND x.transition = make_transition.transition;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'version % of workflow "%" has no transition "%"', item.version, item.workflow, left(make_transition.transition, 100)
      USING ERRCODE = 'invalid_parameter_value', HINT = crm._legal(item);
  ELSIF NOT EXISTS (SELECT FROM crm.workflow_transition_from f
                    WHERE f.workflow = t.workflow AND f.version = t.version AND f.transition = t.transition AND f.from_state = item.state) THEN
    RAISE EXCEPTION 'item "%" is in state "%", from which there is no transition "%"', item.id, item.state, t.transition
      USING ERRCODE = 'object_not_in_prerequisite_state', HINT = crm._legal(item);
  END IF;
  PERFORM crm._ask_right(item, t);
  own := crm._workflow_barred(item, t.not_made_by);
  IF own IS NOT NULL THEN
    RAISE EXCEPTION '"%" may not make transition "%" of item "%", which is their own', actor, t.transition, item.id
      USING ERRCODE = 'insufficient_privilege', DETAIL = format('The acting person is excluded as %s.', CASE WHEN own IN ('opener', 'responsible') OR starts_with(own, 'field:') THEN own ELSE format('who made transition "%s"', own) END),
            HINT = 'Somebody else decides.';
  ELSIF t.reason_required AND coalesce(btrim(make_transition.reason), '') = '' THEN
    RAISE EXCEPTION 'transition "%" needs a reason', t.transition USING ERRCODE = 'not_null_violation', HINT = 'Give it as reason.';
  END IF;

  item.data := crm._fill(item, t.transition, coalesce(make_transition.data, '{}'));
  SELECT * INTO STRICT state FROM crm.workflow_state s WHERE s.workflow = t.workflow AND s.version = t.version AND s.state = t.to_state;
  item := crm._enter_state(item, state);
  UPDATE crm.workflow_item i
  SET state = item.state, data = item.data, responsible = item.responsible, entered_at = item.entered_at, due_at = item.due_at, closed_at = item.closed_at
  WHERE i.id = item.id;
  INSERT INTO crm.workflow_log (item_id, kind, transition, from_state, to_state, at, by_whom, reason, responsible, due_at, data_before, data_after)
  VALUES (item.id, 'transition', t.transition, before.state, item.state, item.entered_at, actor, make_transition.reason, item.responsible, item.due_at, before.data, item.data);
  PERFORM crm._act_on_entry(item, state.action);
  RETURN (SELECT i.state FROM crm.workflow_item i WHERE i.id = item.id);
END
$$;
COMMENT ON FUNCTION crm.make_transition(bigint, text, jsonb, text) IS
  'Brings an item into another state, with what is to be filled in, writes that down, sets the time limit and does what the state says on entry; returns the state it is in then. Of two at once one wins. Errors: 55000 not from this state (the hint lists what is), or nobody has the duty that is to be responsible; 42501 not for the acting person, or their own; 23502 a field or the reason is missing; 22023 no such transition or field, or a value of another type; 54000 data too long; 23503 unknown item; 22004; those of the action; 40001 to be retried.';
REVOKE ALL ON FUNCTION crm.make_transition(bigint, text, jsonb, text) FROM PUBLIC;

CREATE FUNCTION crm.legal_transitions(item_id bigint)
RETURNS TABLE (transition text, name text, name_zh text, to_state text, may boolean, needs text[], reason_required boolean)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  item crm.workflow_item;
BEGIN
  SELECT * INTO item FROM crm.workflow_item i WHERE i.id = legal_transitions.item_id;
  IF NOT FOUND AND legal_transitions.item_id IS NOT NULL THEN
    RAISE EXCEPTION 'there is no item "%"', legal_transitions.item_id USING ERRCODE = 'foreign_key_violation';
  END IF;
  RETURN QUERY
  SELECT t.transition, t.name, t.name_zh, t.to_state, crm._workflow_may(item, t.made_by) AND crm._workflow_barred(item, t.not_made_by) IS NULL,
         ARRAY(SELECT x.field FROM crm.workflow_field x
               WHERE x.workflow = t.workflow AND x.version = t.version AND x.transition = t.transition AND x.required AND NOT item.data ? x.field ORDER BY x.place),
         t.reason_required
  FROM crm.workflow_transition_from f
  JOIN crm.workflow_transition t ON t.workflow = f.workflow AND t.version = f.version AND t.transition = f.transition
  WHERE f.workflow = item.workflow AND f.version = item.version AND f.from_state = item.state
  ORDER BY t.place;
END
$$;
COMMENT ON FUNCTION crm.legal_transitions(bigint) IS
  'The transitions that lead on from the state of an item: where to, whether the acting person may make them, which fields are still to be filled, and whether a reason must be given. Errors: 23503.';
REVOKE ALL ON FUNCTION crm.legal_transitions(bigint) FROM PUBLIC;

CREATE FUNCTION crm.my_items() RETURNS TABLE (item_id bigint, workflow text, state text, name text, name_zh text, subject_id bigint, org_id bigint, opened_by text, opened_at timestamptz, responsible text, mine boolean, due_at timestamptz, overdue boolean, data jsonb)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT i.id, i.workflow, i.state, s.name, s.name_zh, i.subject_id, i.org_id, i.opened_by, i.opened_at, i.responsible, i.responsible = crm.actor(), i.due_at,
         coalesce(i.due_at < pg_catalog.clock_timestamp(), false), i.data
  FROM crm.workflow_item i JOIN crm.workflow_state s ON s.workflow = i.workflow AND s.version = i.version AND s.state = i.state
  WHERE i.closed_at IS NULL AND (i.responsible = crm.actor() OR i.opened_by = crm.actor())
  ORDER BY i.due_at, i.id;
END;
COMMENT ON FUNCTION crm.my_items() IS 'The open items for which the acting person is responsible (mine), or that they opened; what falls due first first.';
REVOKE ALL ON FUNCTION crm.my_items() FROM PUBLIC;

CREATE FUNCTION crm._assign_item(item crm.workflow_item, responsible text, reason text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF item.closed_at IS NOT NULL THEN
    RAISE EXCEPTION 'item "%" is closed', item.id USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Nobody is responsible for a closed item.';
  ELSIF coalesce(btrim(_assign_item.reason), '') = '' THEN
    RAISE EXCEPTION 'another person responsible needs a reason' USING ERRCODE = 'not_null_violation', HINT = 'Give it as reason.';
  ELSIF _assign_item.responsible IS NULL THEN
    RAISE EXCEPTION 'the person responsible must be given' USING ERRCODE = 'null_value_not_allowed';
  ELSIF _assign_item.responsible = item.responsible THEN
    RETURN;
  END IF;
  UPDATE crm.workflow_item i SET responsible = crm._person_in_post(_assign_item.responsible) WHERE i.id = item.id;
  INSERT INTO crm.workflow_log (item_id, kind, from_state, to_state, at, by_whom, reason, responsible, due_at, data_before, data_after)
  VALUES (item.id, 'assign', item.state, item.state, greatest(clock_timestamp(), item.entered_at), crm.actor(), _assign_item.reason, _assign_item.responsible, item.due_at, item.data, item.data);
END
$$;
COMMENT ON FUNCTION crm._assign_item(crm.workflow_item, text, text) IS 'Makes another person responsible for an item that the caller has locked, whoever acts. Errors as of crm.assign_item().';
REVOKE ALL ON FUNCTION crm._assign_item(crm.workflow_item, text, text) FROM PUBLIC;

CREATE FUNCTION crm.assign_item(item_id bigint, responsible text, reason text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  item CONSTANT crm.workflow_item := crm._locked_item(assign_item.item_id);
  rules CONSTANT text[] := (SELECT v.assign_by FROM crm.workflow_version v WHERE v.workflow = item.workflow AND v.version = item.version);
BEGIN
  IF NOT crm._workflow_may(item, rules) THEN
    RAISE EXCEPTION '"%" may not make another person responsible for item "%"', crm.actor(), item.id
      USING ERRCODE = 'insufficient_privilege', DETAIL = format('Responsible is "%s".', item.responsible), HINT = format('It may be done by %s.', array_to_string(rules, ', '));
  END IF;
  PERFORM crm._assign_item(item, assign_item.responsible, assign_item.reason);
END
$$;
COMMENT ON FUNCTION crm.assign_item(bigint, text, text) IS
  'Makes another person responsible for an open item; the same person again changes nothing. The time limit stays. Errors: 42501 not for the acting person, 55000 closed, 23502 no reason, 23503 unknown item or person, 22004.';
REVOKE ALL ON FUNCTION crm.assign_item(bigint, text, text) FROM PUBLIC;

INSERT INTO crm.duty_right (duty, privilege, kind, object)
SELECT d.duty, 'EXECUTE', 'FUNCTION', f.name
FROM (VALUES ('sales'), ('manager')) d (duty),
     (VALUES ('crm.open_item(text, bigint, bigint, bigint, jsonb, text)'), ('crm.make_transition(bigint, text, jsonb, text)'),
             ('crm.legal_transitions(bigint)'), ('crm.my_items()'), ('crm.assign_item(bigint, text, text)')) f (name)
UNION ALL
SELECT d.duty, 'EXECUTE', 'FUNCTION', f.name
FROM (VALUES ('provider'), ('planner'), ('approver'), ('resource_manager')) d (duty),
     (VALUES ('crm.legal_transitions(bigint)'), ('crm.my_items()'), ('crm.assign_item(bigint, text, text)')) f (name)
UNION ALL VALUES ('manager', 'EXECUTE', 'FUNCTION', 'crm.workflow_faults(jsonb)');
