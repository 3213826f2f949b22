-- recycle: undoing a sweep

INSERT INTO crm.setting_kind (name, type, initial, by_unit, rebuilds, description) VALUES
  ('sweep_undo_hours', 'integer', '24', false, false,
   'Hours within which a sweep can be undone.');

CREATE FUNCTION crm.undo_sweep(sweep_id bigint, reason text) RETURNS TABLE (customer_id bigint, holding_id bigint, staff_id bigint, outcome text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan SET jit = off AS $$
#variable_conflict use_column
DECLARE
  hours CONSTANT integer := crm.setting_value('sweep_undo_hours')::integer;
  day CONSTANT date := crm._business_day(clock_timestamp());
  swept crm.sweep;
  swept_customers bigint[];
  wish_customer bigint[];
  wish_id bigint[];
  wish_staff bigint[];
  wish_outcome text[];
  opened bigint[];
BEGIN
  IF undo_sweep.sweep_id IS NULL OR undo_sweep.reason IS NULL THEN
    RAISE EXCEPTION 'sweep and reason must be given' USING ERRCODE = 'null_value_not_allowed';
  ELSIF btrim(undo_sweep.reason) = '' THEN
    RAISE EXCEPTION 'a sweep is undone for a reason' USING ERRCODE = 'check_violation';
  END IF;
  SELECT * INTO swept FROM crm.sweep s WHERE s.id = undo_sweep.sweep_id;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'there is no sweep "%"', undo_sweep.sweep_id USING ERRCODE = 'foreign_key_violation', HINT = 'crm.sweep lists the sweeps.';
  END IF;
  IF clock_timestamp() > coalesce(swept.finished_at, swept.started_at) + hours * interval '1 hour' THEN
    RAISE EXCEPTION 'sweep "%" can no longer be undone', swept.id
      USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = format('It ended at %s, more than %s hours ago.', coalesce(swept.finished_at, swept.started_at), hours),
            HINT = 'Use crm.allocate() or crm.claim(); the setting sweep_undo_hours tells how long an undo is possible.';
  END IF;
  swept_customers := ARRAY(SELECT h.customer_id FROM crm.holding h WHERE h.sweep_id = swept.id);
  IF swept.ended = 0 AND swept_customers = '{}' THEN
    RAISE EXCEPTION 'sweep "%" has ended no holding', swept.id
      USING ERRCODE = 'object_not_in_prerequisite_state', HINT = coalesce('The last that did is sweep ' || (SELECT max(s.id) FROM crm.sweep s WHERE s.ended > s.reopened) || '.', 'crm_bi.sweep shows the sweeps.');
  END IF;

  -- customers, then holdings, then counts of staff: the order of locks everywhere; the sweep last, as a sweep that runs has it
  swept_customers := ARRAY(SELECT c.id FROM crm.customer c WHERE c.id = ANY (swept_customers) ORDER BY c.id FOR NO KEY UPDATE);
  PERFORM FROM crm.holding h WHERE h.sweep_id = swept.id ORDER BY h.customer_id, h.id FOR UPDATE;
  PERFORM crm._lock_counts(ARRAY(SELECT DISTINCT h.staff_id FROM crm.holding h WHERE h.sweep_id = swept.id));
  UPDATE crm.sweep s SET undone_at = clock_timestamp(), undone_by = crm.actor(), undo_reason = undo_sweep.reason WHERE s.id = swept.id;

  WITH ended AS MATERIALIZED (
    SELECT h.customer_id, h.id, h.staff_id, h.held_from, h.held_to, h.load FROM crm.holding h
    WHERE h.sweep_id = swept.id AND h.customer_id = ANY (swept_customers)),
  holder AS MATERIALIZED (
    SELECT s.id, coalesce(day >= s.joined_on AND day < s.left_on, day >= s.joined_on) AS in_post, crm._quota(s, day) - q.load AS room
    FROM crm.staff s JOIN crm.holding_count q ON q.staff_id = s.id
    WHERE s.id IN (SELECT e.staff_id FROM ended e)),
  merged AS MATERIALIZED (
    SELECT m.customer_id, max(m.merged_at) AS at FROM crm._merged_holding m WHERE m.customer_id = ANY (swept_customers) GROUP BY m.customer_id),
  judged AS MATERIALIZED (
    SELECT e.customer_id, e.id, e.staff_id, e.load, s.room,
           CASE WHEN m.at > e.held_to THEN 'merged'
                WHEN EXISTS (SELECT FROM crm.holding o WHERE o.customer_id = e.customer_id AND o.id <> e.id AND o.held_to IS NULL) THEN 'held'
                WHEN EXISTS (SELECT FROM crm.holding o WHERE o.customer_id = e.customer_id AND o.id <> e.id AND (o.held_from >= e.held_to OR o.held_to > e.held_to)) THEN 'held_since'
                WHEN e.staff_id IS NOT NULL AND NOT s.in_post THEN 'departed'
                ELSE 'reopened' END AS outcome
    FROM ended e LEFT JOIN holder s ON s.id = e.staff_id LEFT JOIN merged m ON m.customer_id = e.customer_id),
  ranked AS (
    SELECT j.customer_id, j.id, j.staff_id,
           CASE WHEN j.outcome = 'reopened' AND j.staff_id IS NOT NULL
                     AND sum(j.load) OVER (PARTITION BY j.staff_id, j.outcome ORDER BY j.customer_id, j.id) > j.room THEN 'quota'
                ELSE j.outcome END AS outcome
    FROM judged j)
  SELECT coalesce(array_agg(r.customer_id ORDER BY r.customer_id, r.id), '{}'), array_agg(r.id ORDER BY r.customer_id, r.id),
         array_agg(r.staff_id ORDER BY r.customer_id, r.id), array_agg(r.outcome ORDER BY r.customer_id, r.id)
  INTO wish_customer, wish_id, wish_staff, wish_outcome
  FROM ranked r;

  BEGIN
    WITH reopened AS (
      UPDATE crm.holding h SET held_to = NULL, end_cause = NULL, ended_by = NULL, end_reason = NULL, sweep_id = NULL
      FROM unnest(wish_customer, wish_id, wish_outcome) w(customer_id, id, outcome)
      WHERE w.outcome = 'reopened' AND h.customer_id = w.customer_id AND h.id = w.id
      RETURNING h.customer_id)
    SELECT coalesce(array_agg(r.customer_id), '{}') INTO opened FROM reopened r;
  EXCEPTION WHEN unique_violation THEN
    RAISE EXCEPTION 'a customer of sweep "%" is held since the snapshot of this transaction was taken', swept.id
      USING ERRCODE = 'serialization_failure', HINT = 'The transaction might succeed if retried.';
  END;
  UPDATE crm.sweep s SET reopened = s.reopened + cardinality(opened) WHERE s.id = swept.id;
  FOR at IN 1 .. cardinality(opened) BY 10000 LOOP
    PERFORM crm._holding_purchases(opened[at : at + 9999]);
    PERFORM crm._follow_rules(opened[at : at + 9999], day);
  END LOOP;
  RETURN QUERY SELECT w.customer_id, w.id, w.staff_id, w.outcome FROM unnest(wish_customer, wish_id, wish_staff, wish_outcome) w(customer_id, id, staff_id, outcome);
END
$$;
COMMENT ON FUNCTION crm.undo_sweep(bigint, text) IS
  'Undoes a sweep within the hours of the setting sweep_undo_hours: opens again each holding that it ended and that can be, as if it had never ended, so that no cool-off counts; purchases and rule are brought up to date. One row for each, by customer: reopened; held (by somebody since); held_since (and given back); merged (customers merged since); departed (the holder is not in post); quota (the holder has no room). May be called again for what was left. What is still due goes with the next sweep, so correct first what was wrong. Errors: 22004; 23503 no such sweep; 23514 reason blank; 55000 too late, or a sweep that ended nobody; 40001. 撤销回收';
REVOKE ALL ON FUNCTION crm.undo_sweep(bigint, text) FROM PUBLIC;

INSERT INTO crm.duty_right (duty, privilege, kind, object) VALUES
  ('manager', 'EXECUTE', 'FUNCTION', 'crm.undo_sweep(bigint, text)');
