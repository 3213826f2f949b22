-- allocate: making a plan and adjusting it by hand

CREATE FUNCTION crm._ask_plan_right(plan crm.plan, transition text) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  item crm.workflow_item;
  t crm.workflow_transition;
BEGIN
  SELECT * INTO STRICT item FROM crm.workflow_item i WHERE i.id = plan.item_id;
  SELECT * INTO STRICT t FROM crm.workflow_transition x
  WHERE x.workflow = item.workflow AND x.version = item.version AND x.transition = _ask_plan_right.transition;
  PERFORM crm._ask_right(item, t);
END
$$;
COMMENT ON FUNCTION crm._ask_plan_right(crm.plan, text) IS 'Raises 42501 unless the acting person is one of those who may make a transition of a plan.';
REVOKE ALL ON FUNCTION crm._ask_plan_right(crm.plan, text) FROM PUBLIC;

CREATE FUNCTION crm._plan(plan_id bigint) RETURNS crm.plan
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  plan crm.plan;
BEGIN
  IF _plan.plan_id IS NULL THEN
    RAISE EXCEPTION 'the plan must be given' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  PERFORM crm._require_known('plan', _plan.plan_id);
  SELECT * INTO plan FROM crm.plan p WHERE p.id = _plan.plan_id;
  RETURN plan;
END
$$;
COMMENT ON FUNCTION crm._plan(bigint) IS 'A plan, not locked. Errors: 22004, 23503 unknown.';
REVOKE ALL ON FUNCTION crm._plan(bigint) FROM PUBLIC;

CREATE FUNCTION crm._draft_plan(plan_id bigint) RETURNS crm.plan
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  plan crm.plan := crm._plan(_draft_plan.plan_id);
BEGIN
  PERFORM crm._open_cycle(plan.cycle_id);
  SELECT * INTO plan FROM crm.plan p WHERE p.id = plan.id FOR NO KEY UPDATE;
  IF plan.state <> 'draft' THEN
    RAISE EXCEPTION 'plan "%" is %', plan.name, plan.state
      USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Only a draft changes: a submitted plan is returned first, and a variant of any plan is made by crm.make_plan(like_plan => ...).';
  END IF;
  RETURN plan;
END
$$;
COMMENT ON FUNCTION crm._draft_plan(bigint) IS 'Locks a draft plan and its cycle. Errors: 22004, 23503, 55000.';
REVOKE ALL ON FUNCTION crm._draft_plan(bigint) FROM PUBLIC;

CREATE FUNCTION crm._changing_plan(plan_id bigint, keep boolean DEFAULT false) RETURNS crm.plan
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  plan crm.plan := crm._draft_plan(_changing_plan.plan_id);
BEGIN
  PERFORM crm._ask_plan_right(plan, 'submit');
  IF NOT _changing_plan.keep THEN
    UPDATE crm.plan p SET as_of = NULL WHERE p.id = plan.id RETURNING p.* INTO plan;
  END IF;
  RETURN plan;
END
$$;
COMMENT ON FUNCTION crm._changing_plan(bigint, boolean) IS
  'Locks a draft plan and its cycle for who may submit it; what was computed no longer holds, unless it keeps. Errors: 22004, 23503, 42501, 55000.';
REVOKE ALL ON FUNCTION crm._changing_plan(bigint, boolean) FROM PUBLIC;

CREATE FUNCTION crm.make_plan(cycle_id bigint, name text, weighing text DEFAULT NULL, strategy text DEFAULT NULL, level text DEFAULT NULL, like_plan bigint DEFAULT NULL,
  recycle_rule crm.recycle_rule DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  cycle CONSTANT crm.cycle := crm._open_cycle(make_plan.cycle_id);
  model crm.plan;
  new_id bigint;
  new_item bigint;
BEGIN
  PERFORM crm._ask_duty('{planner,resource_manager}', cycle.org_id);
  IF make_plan.weighing NOT IN ('demand', 'result', 'net', 'best') THEN
    RAISE EXCEPTION 'there is no weighing "%"', make_plan.weighing USING ERRCODE = 'invalid_parameter_value', HINT = 'They are demand, result, net and best.';
  ELSIF make_plan.strategy NOT IN ('even', 'least_loaded', 'optimal') THEN
    RAISE EXCEPTION 'there is no strategy "%"', make_plan.strategy USING ERRCODE = 'invalid_parameter_value', HINT = 'The strategies are even, least_loaded and optimal.';
  ELSIF make_plan.level NOT IN ('channel', 'unit', 'staff') THEN
    RAISE EXCEPTION 'there is no level "%"', make_plan.level USING ERRCODE = 'invalid_parameter_value', HINT = 'The levels are channel, unit and staff.';
  END IF;
  PERFORM crm._require_values('a plan', json_build_object('name', make_plan.name));
  IF make_plan.like_plan IS NOT NULL THEN
    model := crm._plan(make_plan.like_plan);
  END IF;
  INSERT INTO crm.plan AS p (cycle_id, name, weighing, strategy, level, recycle_rule, like_id)
  VALUES (cycle.id, make_plan.name, coalesce(make_plan.weighing, model.weighing, 'net'), coalesce(make_plan.strategy, model.strategy, 'even'),
          coalesce(make_plan.level, model.level, 'staff'), coalesce(make_plan.recycle_rule, model.recycle_rule), model.id) RETURNING p.id INTO new_id;
  UPDATE crm.plan p
  SET attribution = model.attribution, attribution_days = model.attribution_days, attribution_any_channel = model.attribution_any_channel,
      hold_out = model.hold_out, hold_out_days = model.hold_out_days
  WHERE p.id = new_id AND model.id IS NOT NULL;
  new_item := crm._open_item('plan', new_id, cycle.org_id, NULL, '{}', NULL, false);
  UPDATE crm.plan p SET item_id = new_item WHERE p.id = new_id;
  INSERT INTO crm.plan_stage (plan_id, stage, name, area, org_ids, from_date, to_date, note)
  SELECT new_id, s.stage, s.name, s.area, s.org_ids, s.from_date, s.to_date, s.note FROM crm.plan_stage s WHERE s.plan_id = model.id;
  INSERT INTO crm.plan_adjustment (plan_id, kind, customer_id, channel_id, org_id, staff_id, volume, note)
  SELECT new_id, a.kind, a.customer_id, a.channel_id, a.org_id, a.staff_id, a.volume, a.note FROM crm.plan_adjustment a WHERE a.plan_id = model.id ORDER BY a.id;
  INSERT INTO crm.plan_limit (plan_id, channel_id, org_id, floor, capacity, note)
  SELECT p.id, l.channel_id, l.org_id, l.floor, l.capacity, l.note
  FROM crm.plan p JOIN crm.plan_limit l ON l.plan_id = model.id WHERE p.id = new_id AND p.strategy = 'optimal' AND p.level <> 'channel';
  INSERT INTO crm.plan_terms (plan_id, provider_channel_id, user_channel_id, thing, provider_share, user_share, note)
  SELECT new_id, t.provider_channel_id, t.user_channel_id, t.thing, t.provider_share, t.user_share, t.note FROM crm.plan_terms t WHERE t.plan_id = model.id;
  RETURN new_id;
END
$$;
COMMENT ON FUNCTION crm.make_plan(bigint, text, text, text, text, bigint, crm.recycle_rule) IS
  'Makes a plan for a cycle, one of several variants, and returns its key; crm.compute_plan() fills it. weighing apportions customers wanted by several: demand, result, net (at first) or best; strategy deals them to staff: even (at first) or least_loaded, or goes for the most worth over all units and staff: optimal; level is staff (at first), unit or channel; recycle_rule is that of its holdings, before every other. like_plan copies the four, attribution, hold-out, stages, adjustments, limits of units (where strategy and level keep to them) and terms (to be accepted anew) of another. Errors: 22004, 22023, 23502, 23503, 23505 name taken, 23514, 42501 without the duty planner or resource_manager at the unit of the cycle, 55000 cycle closed. 编制预分配计划';
REVOKE ALL ON FUNCTION crm.make_plan(bigint, text, text, text, text, bigint, crm.recycle_rule) FROM PUBLIC;

CREATE FUNCTION crm.set_plan_stage(plan_id bigint, stage integer, name text, from_date date, to_date date, area text DEFAULT NULL, org_ids bigint[] DEFAULT '{}',
  note text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  plan CONSTANT crm.plan := crm._changing_plan(set_plan_stage.plan_id);
  strange bigint;
BEGIN
  PERFORM crm._require_values('a roll-out', json_build_object('stage', set_plan_stage.stage, 'name', set_plan_stage.name, 'from_date', set_plan_stage.from_date,
    'to_date', set_plan_stage.to_date, 'org_ids', set_plan_stage.org_ids));
  PERFORM crm._require_days(set_plan_stage.from_date, set_plan_stage.to_date);
  IF set_plan_stage.stage < 1 THEN
    RAISE EXCEPTION 'there is no stage "%"', set_plan_stage.stage USING ERRCODE = 'check_violation', HINT = 'Stages are numbered from 1, in their order.';
  ELSIF set_plan_stage.area NOT IN ('city', 'suburb') THEN
    RAISE EXCEPTION 'there is no area "%"', set_plan_stage.area USING ERRCODE = 'check_violation', HINT = 'The areas are city and suburb.';
  ELSIF set_plan_stage.area IS NULL AND set_plan_stage.org_ids = '{}' THEN
    RAISE EXCEPTION 'stage "%" names neither units nor an area', set_plan_stage.name
      USING ERRCODE = 'check_violation', HINT = 'Give org_ids or area; units in no stage get nobody.';
  END IF;
  SELECT u.id INTO strange
  FROM unnest(set_plan_stage.org_ids) u(id)
  JOIN crm.cycle y ON y.id = plan.cycle_id
  WHERE NOT EXISTS (SELECT FROM crm.organisation_tree t WHERE t.ancestor_id = y.org_id AND t.descendant_id = u.id) LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'unit "%" lies outside the cycle', coalesce(strange::text, '(none)')
      USING ERRCODE = 'check_violation', HINT = 'Name units in the subtree of the unit of the cycle.';
  END IF;
  INSERT INTO crm.plan_stage AS s (plan_id, stage, name, area, org_ids, from_date, to_date, note)
  VALUES (plan.id, set_plan_stage.stage, set_plan_stage.name, set_plan_stage.area, set_plan_stage.org_ids, set_plan_stage.from_date, set_plan_stage.to_date, set_plan_stage.note)
  ON CONFLICT ON CONSTRAINT plan_stage_pkey DO UPDATE
  SET name = excluded.name, area = excluded.area, org_ids = excluded.org_ids, from_date = excluded.from_date, to_date = excluded.to_date,
      note = excluded.note, set_at = excluded.set_at, set_by = excluded.set_by;
END
$$;
COMMENT ON FUNCTION crm.set_plan_stage(bigint, integer, text, date, date, text, bigint[], text) IS
  'Sets a stage of the roll-out of a draft plan: units named, with their subtrees, and those of an area that no stage names. Units in no stage get nobody. Errors: 22004, 23502, 23503, 23514, 42501, 55000. 设定推广批次';
REVOKE ALL ON FUNCTION crm.set_plan_stage(bigint, integer, text, date, date, text, bigint[], text) FROM PUBLIC;

CREATE FUNCTION crm.drop_plan_stage(plan_id bigint, stage integer, reason text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  plan CONSTANT crm.plan := crm._changing_plan(drop_plan_stage.plan_id);
BEGIN
  DELETE FROM crm.plan_stage s WHERE s.plan_id = plan.id AND s.stage = drop_plan_stage.stage;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'plan "%" has no stage %', plan.name, coalesce(drop_plan_stage.stage::text, '(none)')
      USING ERRCODE = 'undefined_object', HINT = 'crm_bi.plan_stage shows its stages.';
  END IF;
  PERFORM crm._tell_why(plan.id, drop_plan_stage.reason);
END
$$;
COMMENT ON FUNCTION crm.drop_plan_stage(bigint, integer, text) IS 'Takes a stage out of a draft plan. Errors: 22004, 23503, 42501, 42704, 55000. 取消批次';
REVOKE ALL ON FUNCTION crm.drop_plan_stage(bigint, integer, text) FROM PUBLIC;

CREATE FUNCTION crm.adjust_plan(plan_id bigint, kind text, customer_id bigint DEFAULT NULL, channel_id bigint DEFAULT NULL, org_id bigint DEFAULT NULL,
  staff_id bigint DEFAULT NULL, volume bigint DEFAULT NULL, note text DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  plan CONSTANT crm.plan := crm._changing_plan(adjust_plan.plan_id);
  holder crm.staff;
  new_id bigint;
BEGIN
  IF adjust_plan.kind IS NULL OR adjust_plan.kind NOT IN ('pin', 'bar', 'volume') THEN
    RAISE EXCEPTION 'there is no adjustment "%"', adjust_plan.kind USING ERRCODE = 'invalid_parameter_value', HINT = 'They are pin, bar and volume.';
  END IF;
  IF adjust_plan.kind = 'volume' AND (num_nonnulls(adjust_plan.channel_id, adjust_plan.org_id, adjust_plan.volume) < 3 OR num_nonnulls(adjust_plan.customer_id, adjust_plan.staff_id) > 0)
     OR adjust_plan.kind <> 'volume' AND (adjust_plan.customer_id IS NULL OR adjust_plan.volume IS NOT NULL)
     OR adjust_plan.kind = 'pin' AND num_nonnulls(adjust_plan.channel_id, adjust_plan.staff_id) = 0 THEN
    RAISE EXCEPTION 'adjustment "%" is not given what it takes, or more', adjust_plan.kind
      USING ERRCODE = 'check_violation',
            HINT = CASE adjust_plan.kind WHEN 'pin' THEN 'A pin takes customer_id, and staff_id or channel_id, with org_id where it is to be a unit of the channel.'
                   WHEN 'bar' THEN 'A bar takes customer_id, and staff_id, org_id or channel_id where it is not from everybody.'
                   ELSE 'A volume takes channel_id, org_id and volume.' END;
  ELSIF adjust_plan.volume < 0 THEN
    RAISE EXCEPTION 'volume % is below 0', adjust_plan.volume USING ERRCODE = 'check_violation', HINT = 'With 0 the unit gets nobody.';
  END IF;
  PERFORM crm._require_known('customer', adjust_plan.customer_id), crm._require_known('channel', adjust_plan.channel_id), crm._require_known('unit', adjust_plan.org_id);
  IF adjust_plan.staff_id IS NOT NULL THEN
    SELECT * INTO holder FROM crm.staff s WHERE s.id = adjust_plan.staff_id;
    IF NOT FOUND THEN
      RAISE EXCEPTION 'there is no member of staff "%"', adjust_plan.staff_id USING ERRCODE = 'foreign_key_violation', HINT = 'crm.staff lists the staff.';
    ELSIF holder.channel_id <> adjust_plan.channel_id OR holder.org_id <> adjust_plan.org_id THEN
      RAISE EXCEPTION 'staff member "%" is not of that channel and unit', holder.id USING ERRCODE = 'invalid_parameter_value', HINT = 'Name the member of staff alone.';
    END IF;
  END IF;
  -- the last word about a customer or unit holds
  DELETE FROM crm.plan_adjustment a
  WHERE a.plan_id = plan.id AND a.kind = adjust_plan.kind
    AND CASE adjust_plan.kind WHEN 'pin' THEN a.customer_id = adjust_plan.customer_id
        WHEN 'volume' THEN (a.channel_id, a.org_id) = (adjust_plan.channel_id, adjust_plan.org_id) ELSE false END;
  INSERT INTO crm.plan_adjustment AS a (plan_id, kind, customer_id, channel_id, org_id, staff_id, volume, note)
  VALUES (plan.id, adjust_plan.kind, adjust_plan.customer_id, coalesce(holder.channel_id, adjust_plan.channel_id), coalesce(holder.org_id, adjust_plan.org_id),
          holder.id, adjust_plan.volume, adjust_plan.note)
  RETURNING a.id INTO new_id;
  RETURN new_id;
END
$$;
COMMENT ON FUNCTION crm.adjust_plan(bigint, text, bigint, bigint, bigint, bigint, bigint, text) IS
  'Adjusts a draft plan by hand, for every computation to come: pin a customer to a member of staff, or to a channel and perhaps a unit; bar a customer altogether, or from a channel, unit or member of staff; set the volume that a unit gets in a channel. Returns the key of the adjustment. Errors: 22004, 22023, 23503, 23514 what the kind needs is missing, 42501, 55000. 人工调整计划';
REVOKE ALL ON FUNCTION crm.adjust_plan(bigint, text, bigint, bigint, bigint, bigint, bigint, text) FROM PUBLIC;

CREATE FUNCTION crm.drop_adjustment(plan_id bigint, adjustment_id bigint, reason text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  plan CONSTANT crm.plan := crm._changing_plan(drop_adjustment.plan_id);
BEGIN
  DELETE FROM crm.plan_adjustment a WHERE a.plan_id = plan.id AND a.id = drop_adjustment.adjustment_id;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'plan "%" has no adjustment %', plan.name, coalesce(drop_adjustment.adjustment_id::text, '(none)')
      USING ERRCODE = 'undefined_object', HINT = 'crm_bi.plan_adjustment shows its adjustments.';
  END IF;
  PERFORM crm._tell_why(plan.id, drop_adjustment.reason);
END
$$;
COMMENT ON FUNCTION crm.drop_adjustment(bigint, bigint, text) IS 'Takes an adjustment out of a draft plan. Errors: 22004, 23503, 42501, 42704, 55000. 取消调整';
REVOKE ALL ON FUNCTION crm.drop_adjustment(bigint, bigint, text) FROM PUBLIC;

INSERT INTO crm.duty_right (duty, privilege, kind, object)
SELECT d.duty, 'EXECUTE', 'FUNCTION', f.name
FROM (VALUES ('planner'), ('resource_manager')) d(duty)
CROSS JOIN (VALUES ('crm.make_plan(bigint, text, text, text, text, bigint, crm.recycle_rule)'), ('crm.set_plan_stage(bigint, integer, text, date, date, text, bigint[], text)'),
                   ('crm.drop_plan_stage(bigint, integer, text)'), ('crm.adjust_plan(bigint, text, bigint, bigint, bigint, bigint, bigint, text)'),
                   ('crm.drop_adjustment(bigint, bigint, text)')) f(name);
