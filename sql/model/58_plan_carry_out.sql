-- allocate: carrying an approved plan out, through the same functions as any allocation

CREATE FUNCTION crm._approved_plan(plan_id bigint) RETURNS crm.plan
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  plan crm.plan := crm._plan(_approved_plan.plan_id);
BEGIN
  PERFORM FROM crm.workflow_item i WHERE i.id = plan.item_id FOR NO KEY UPDATE;
  plan := crm._plan(plan.id);
  PERFORM crm._ask_plan_right(plan, 'carry_out');
  IF plan.state <> 'approved' THEN
    RAISE EXCEPTION 'plan "%" is %', plan.name, replace(plan.state, '_', ' ')
      USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Only an approved plan is carried out.';
  END IF;
  RETURN plan;
END
$$;
COMMENT ON FUNCTION crm._approved_plan(bigint) IS 'Locks the item of a plan that is approved, for who may carry it out. Errors: 22004, 23503, 42501, 55000.';
REVOKE ALL ON FUNCTION crm._approved_plan(bigint) FROM PUBLIC;

CREATE FUNCTION crm._carry_out_plan(plan_id bigint, stage integer, batch integer, INOUT after bigint, INOUT done bigint, INOUT allocated bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan SET jit = off AS $$
#variable_conflict use_column
DECLARE
  plan CONSTANT crm.plan := crm._approved_plan(_carry_out_plan.plan_id);
  today CONSTANT date := crm._business_day(clock_timestamp());
  needs_consent CONSTANT boolean := crm.setting_value('cycle_consent', today)::boolean;
  reason CONSTANT text := format('plan %s: %s', plan.id, plan.name);
  begins date;
  page bigint[];
  who bigint[];
  refusals text[];
  customers bigint[];
  staff bigint[];
  got_customers bigint[] := '{}';
  got_holdings bigint[] := '{}';
  got_outcomes text[] := '{}';
  o record;
BEGIN
  IF _carry_out_plan.stage IS NOT NULL THEN
    SELECT s.from_date INTO begins FROM crm.plan_stage s WHERE s.plan_id = plan.id AND s.stage = _carry_out_plan.stage;
    IF NOT FOUND THEN
      RAISE EXCEPTION 'plan "%" has no stage %', plan.name, _carry_out_plan.stage USING ERRCODE = 'undefined_object', HINT = 'crm_bi.plan_stage shows its stages.';
    ELSIF begins > today THEN
      RAISE EXCEPTION 'stage % of plan "%" begins on %', _carry_out_plan.stage, plan.name, begins
        USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Carry it out on that day or later.';
    END IF;
  END IF;
  WITH page AS MATERIALIZED (
    SELECT c.customer_id, c.staff_id, c.arm, l.channel_id, l.org_id
    FROM crm.plan_customer c
    JOIN crm.plan_line l ON l.plan_id = c.plan_id AND l.line = c.line
    LEFT JOIN crm.plan_stage s ON s.plan_id = l.plan_id AND s.stage = l.stage
    WHERE c.plan_id = plan.id AND c.customer_id > coalesce(_carry_out_plan.after, '-9223372036854775808'::bigint) AND coalesce(c.outcome, 'busy') = 'busy'
      AND CASE WHEN _carry_out_plan.stage IS NULL THEN l.stage IS NULL OR s.from_date <= today ELSE l.stage = _carry_out_plan.stage END
    ORDER BY c.customer_id LIMIT _carry_out_plan.batch),
  judged AS (
    SELECT p.customer_id, p.staff_id,
           CASE WHEN p.arm = 'hold_out' THEN 'held_out'
                WHEN crm.is_blacklisted(p.customer_id, today) THEN 'blacklisted'
                WHEN c.obstacle IS NOT NULL THEN c.obstacle
                WHEN EXISTS (SELECT FROM crm.cover v JOIN crm.staff e ON e.id = v.servicer_id
                             WHERE v.customer_id = p.customer_id AND v.from_date <= today AND v.to_date > today
                               AND e.joined_on <= today AND (e.left_on IS NULL OR e.left_on > today)) THEN 'served'
                WHEN p.staff_id IS NOT NULL AND NOT (today >= s.joined_on AND coalesce(today < s.left_on, true)) THEN 'not_in_post'
                WHEN s.id IS NOT NULL AND (s.channel_id, s.org_id) <> (p.channel_id, p.org_id) THEN 'moved' END AS refusal
    FROM page p
    LEFT JOIN crm.staff s ON s.id = p.staff_id
    CROSS JOIN LATERAL (
      SELECT nullif(replace(crm.contact_obstacle(p.customer_id, today, channel_id => p.channel_id), ' ', '_'), CASE WHEN NOT needs_consent THEN 'no_consent' END) AS obstacle) c)
  SELECT array_agg(j.customer_id ORDER BY j.customer_id), array_agg(j.staff_id ORDER BY j.customer_id), array_agg(j.refusal ORDER BY j.customer_id)
  INTO page, who, refusals FROM judged j;
  after := page[cardinality(page)];
  IF page IS NULL THEN
    RETURN;
  END IF;

  SELECT array_agg(w.customer_id ORDER BY w.customer_id), array_agg(w.staff_id ORDER BY w.customer_id) INTO customers, staff
  FROM unnest(page, who, refusals) w(customer_id, staff_id, refusal) WHERE w.refusal IS NULL AND w.staff_id IS NOT NULL;
  IF customers IS NOT NULL THEN
    SELECT array_agg(a.customer_id), array_agg(a.holding_id), array_agg(a.outcome) INTO got_customers, got_holdings, got_outcomes
    FROM crm._hold(customers, staff, NULL, NULL, reason, plan.id, plan.recycle_rule) a;
  END IF;
  FOR o IN SELECT l.channel_id, l.org_id, array_agg(w.customer_id ORDER BY w.customer_id) AS customers
           FROM unnest(page, who, refusals) w(customer_id, staff_id, refusal)
           JOIN crm.plan_customer c ON c.plan_id = plan.id AND c.customer_id = w.customer_id
           JOIN crm.plan_line l ON l.plan_id = c.plan_id AND l.line = c.line
           WHERE w.refusal IS NULL AND w.staff_id IS NULL
           GROUP BY l.channel_id, l.org_id ORDER BY l.channel_id, l.org_id NULLS FIRST LOOP
    SELECT got_customers || array_agg(e.customer_id), got_holdings || array_agg(e.holding_id), got_outcomes || array_agg(e.outcome)
    INTO got_customers, got_holdings, got_outcomes
    FROM crm._hold(o.customers, '{}', o.channel_id, o.org_id, reason, plan.id, plan.recycle_rule) e;
  END LOOP;

  UPDATE crm.plan_customer c SET outcome = r.outcome, holding_id = r.holding_id, done_at = clock_timestamp()
  FROM (SELECT g.customer_id, g.holding_id, CASE WHEN g.holding_id IS NOT NULL THEN 'allocated' ELSE g.outcome END AS outcome
        FROM unnest(got_customers, got_holdings, got_outcomes) g(customer_id, holding_id, outcome)
        UNION ALL
        SELECT w.customer_id, NULL, w.refusal FROM unnest(page, refusals) w(customer_id, refusal) WHERE w.refusal IS NOT NULL) r
  WHERE c.plan_id = plan.id AND c.customer_id = r.customer_id;
  done := coalesce(done, 0) + (SELECT count(*) FROM unnest(refusals) r(refusal) WHERE r.refusal IS DISTINCT FROM 'held_out');
  allocated := coalesce(allocated, 0) + (SELECT count(*) FROM unnest(got_holdings) g(id) WHERE g.id IS NOT NULL);
END
$$;
COMMENT ON FUNCTION crm._carry_out_plan(bigint, integer, integer, bigint, bigint, bigint) IS
  'Carries out the next customers of an approved plan after a key, those only that were not allocated or refused before; after is NULL at the end. Whoever may call crm.carry_out_plan() may call it. Errors: 22004, 23503, 42501, 42704, 55000.';
REVOKE ALL ON FUNCTION crm._carry_out_plan(bigint, integer, integer, bigint, bigint, bigint) FROM PUBLIC;

CREATE FUNCTION crm._end_plan(plan_id bigint, reason text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  plan CONSTANT crm.plan := crm._approved_plan(_end_plan.plan_id);
  rest bigint;
BEGIN
  SELECT count(*) INTO rest FROM crm.plan_customer c WHERE c.plan_id = plan.id AND coalesce(c.outcome, 'busy') = 'busy';
  IF rest = 0 THEN
    PERFORM crm.make_transition(plan.item_id, 'carry_out', '{}', _end_plan.reason);
  END IF;
  RETURN rest;
END
$$;
COMMENT ON FUNCTION crm._end_plan(bigint, text) IS 'Ends an approved plan of which nothing is left to do; returns how many are. Errors: 22004, 23503, 42501, 55000.';
REVOKE ALL ON FUNCTION crm._end_plan(bigint, text) FROM PUBLIC;

CREATE PROCEDURE crm.carry_out_plan(plan_id bigint, stage integer DEFAULT NULL, batch integer DEFAULT 10000)
LANGUAGE plpgsql AS $$
DECLARE
  path CONSTANT text := pg_catalog.current_setting('search_path');
  after bigint;
  done bigint := 0;
  allocated bigint := 0;
  rest bigint;
BEGIN
  PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
  IF batch <= 0 THEN
    RAISE EXCEPTION 'batch % is not above 0', batch
      USING ERRCODE = 'invalid_parameter_value', HINT = 'NULL does all in the transaction of the caller.';
  END IF;
  IF batch IS NOT NULL THEN
    PERFORM crm._may_commit();
  END IF;
  LOOP
    SELECT c.after, c.done, c.allocated INTO after, done, allocated FROM crm._carry_out_plan(plan_id, stage, batch, after, done, allocated) c;
    EXIT WHEN after IS NULL;
    IF batch IS NOT NULL THEN
      COMMIT;
      PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
    END IF;
  END LOOP;
  rest := crm._end_plan(plan_id, NULL);
  PERFORM pg_catalog.set_config('search_path', path, true);
  RAISE NOTICE '% of % customers allocated, % left to be done', allocated, done, rest;
END
$$;
COMMENT ON PROCEDURE crm.carry_out_plan(bigint, integer, integer) IS
  'Allocates what an approved plan says, as crm.allocate() and crm.entrust() would, of one stage that has begun or of all that have; except to whom it holds out, and writes for each customer what came of it: crm_bi.plan_difference tells who was not allocated and why. Commits after each batch of customers; broken off or busy with some, it may be called again, does what is left and nothing twice. With nothing left the plan is carried out. batch => NULL does all in the caller''s transaction. Errors: 22004, 22023, 23503, 42501, 42704 no such stage, 55000 not approved or the stage has not begun; 2D000 inside a transaction block unless batch is NULL. 执行计划';
REVOKE ALL ON PROCEDURE crm.carry_out_plan(bigint, integer, integer) FROM PUBLIC;

CREATE FUNCTION crm.finish_plan(plan_id bigint, reason text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  plan CONSTANT crm.plan := crm._approved_plan(finish_plan.plan_id);
  given_up bigint;
BEGIN
  IF coalesce(btrim(finish_plan.reason), '') = '' THEN
    RAISE EXCEPTION 'giving up the rest of plan "%" needs a reason', plan.name USING ERRCODE = 'not_null_violation', HINT = 'Give it as reason.';
  END IF;
  UPDATE crm.plan_customer c SET outcome = 'given_up', done_at = clock_timestamp() WHERE c.plan_id = plan.id AND coalesce(c.outcome, 'busy') = 'busy';
  GET DIAGNOSTICS given_up = ROW_COUNT;
  PERFORM crm.make_transition(plan.item_id, 'carry_out', '{}', finish_plan.reason);
  RETURN given_up;
END
$$;
COMMENT ON FUNCTION crm.finish_plan(bigint, text) IS
  'Gives up what is left of an approved plan, with a reason, and ends it; returns how many customers are not tried again. Errors: 22004, 23502, 23503, 42501, 55000. 结束计划';
REVOKE ALL ON FUNCTION crm.finish_plan(bigint, text) FROM PUBLIC;

INSERT INTO crm.duty_right (duty, privilege, kind, object)
SELECT d.duty, f.privilege, f.kind, f.name
FROM (VALUES ('planner'), ('resource_manager')) d(duty)
CROSS JOIN (VALUES ('EXECUTE', 'PROCEDURE', 'crm.carry_out_plan(bigint, integer, integer)'),
                   ('EXECUTE', 'FUNCTION', 'crm._carry_out_plan(bigint, integer, integer, bigint, bigint, bigint)'),
                   ('EXECUTE', 'FUNCTION', 'crm._end_plan(bigint, text)'),
                   ('EXECUTE', 'FUNCTION', 'crm.finish_plan(bigint, text)')) f(privilege, kind, name);
