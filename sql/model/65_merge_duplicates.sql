-- book: the queue of duplicates worked off: by somebody, or where nothing stands against it by itself

CREATE FUNCTION crm._kept_of(a bigint, b bigint) RETURNS bigint
LANGUAGE sql STABLE
BEGIN ATOMIC
  SELECT c.id FROM (VALUES (_kept_of.a), (_kept_of.b)) c (id)
  ORDER BY EXISTS (SELECT FROM crm.holding h WHERE h.customer_id = c.id AND h.held_to IS NULL) DESC,
           (SELECT pg_catalog.count(*) FROM crm.policy p WHERE p.customer_id = c.id) DESC, c.id
  LIMIT 1;
END;
COMMENT ON FUNCTION crm._kept_of(bigint, bigint) IS 'Which of two customers is kept where nobody says: the one who is held, else the one with more policies, else the smaller key.';
REVOKE ALL ON FUNCTION crm._kept_of(bigint, bigint) FROM PUBLIC;

CREATE FUNCTION crm.accept_duplicate(customer_id bigint, other_id bigint, keep bigint DEFAULT NULL, reason text DEFAULT NULL, forced boolean DEFAULT false) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  a CONSTANT bigint := least(accept_duplicate.customer_id, accept_duplicate.other_id);
  b CONSTANT bigint := greatest(accept_duplicate.customer_id, accept_duplicate.other_id);
  kept bigint;
  reasons text[];
BEGIN
  IF accept_duplicate.customer_id IS NULL OR accept_duplicate.other_id IS NULL OR forced IS NULL THEN
    RAISE EXCEPTION 'customer_id, other_id and forced must not be null' USING ERRCODE = 'null_value_not_allowed';
  ELSIF keep NOT IN (a, b) THEN
    RAISE EXCEPTION 'customer "%" is neither of the two', keep
      USING ERRCODE = 'invalid_parameter_value', HINT = format('Keep %s or %s; NULL keeps the one who is held, or has more policies.', a, b);
  END IF;
  SELECT d.reasons INTO reasons FROM crm.duplicate_candidate d WHERE d.customer_id = a AND d.other_id = b;
  IF NOT FOUND THEN
    PERFORM crm._there_to_merge(a), crm._there_to_merge(b);
    RAISE EXCEPTION 'customers "%" and "%" are no candidates', accept_duplicate.customer_id, accept_duplicate.other_id
      USING ERRCODE = 'foreign_key_violation', HINT = 'crm.duplicate_candidate lists the candidates; crm.merge() merges any two.';
  END IF;
  kept := coalesce(keep, crm._kept_of(a, b));
  RETURN crm.merge(kept, CASE kept WHEN a THEN b ELSE a END, coalesce(accept_duplicate.reason, nullif(array_to_string(reasons, ', '), ''), 'duplicate'), forced);
END
$$;
COMMENT ON FUNCTION crm.accept_duplicate(bigint, bigint, bigint, text, boolean) IS
  'Says that two candidates of the queue are one customer, and merges them. keep: who is kept, by default the one who is held, else the one with more policies, else the smaller key. reason: by default what the search found. Returns the key of the merge. Errors: 23503 no candidates, 22023 keep is neither, those of crm.merge(). 接受重复';
REVOKE ALL ON FUNCTION crm.accept_duplicate(bigint, bigint, bigint, text, boolean) FROM PUBLIC;

CREATE FUNCTION crm._merge_candidate(customer_id bigint, other_id bigint, query text, OUT merged boolean, OUT obstacle text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  d crm.duplicate_candidate;
  kept CONSTANT bigint := crm._kept_of(_merge_candidate.customer_id, _merge_candidate.other_id);
BEGIN
  SELECT * INTO d FROM crm.duplicate_candidate x
  WHERE x.customer_id = _merge_candidate.customer_id AND x.other_id = _merge_candidate.other_id AND x.state = 'open';
  IF NOT FOUND THEN
    RETURN;
  END IF;
  merged := false;
  BEGIN
    PERFORM crm._merge(kept, CASE kept WHEN d.customer_id THEN d.other_id ELSE d.customer_id END,
                       coalesce(nullif(array_to_string(d.reasons, ', '), ''), 'duplicate'), false, true, query);
    merged := true;
  EXCEPTION
    WHEN lock_not_available OR deadlock_detected THEN
      obstacle := 'somebody was changing one of the two';
    WHEN integrity_constraint_violation OR object_not_in_prerequisite_state OR data_exception OR raise_exception THEN
      GET STACKED DIAGNOSTICS obstacle = PG_EXCEPTION_DETAIL;
      obstacle := SQLERRM || coalesce('. ' || nullif(obstacle, ''), '');
  END;
  IF NOT merged THEN
    UPDATE crm.duplicate_candidate x SET obstacle = _merge_candidate.obstacle
    WHERE x.customer_id = d.customer_id AND x.other_id = d.other_id AND x.obstacle IS DISTINCT FROM _merge_candidate.obstacle;
  END IF;
END
$$;
COMMENT ON FUNCTION crm._merge_candidate(bigint, bigint, text) IS 'Merges an open candidate unless something stands against it, which it writes beside the pair. NULL: no longer an open candidate.';
REVOKE ALL ON FUNCTION crm._merge_candidate(bigint, bigint, text) FROM PUBLIC;

-- It commits, so it cannot carry a SET clause: each transaction sets its own path.
CREATE PROCEDURE crm.merge_duplicates(
  min_score double precision DEFAULT NULL, batch integer DEFAULT 100, at_most bigint DEFAULT NULL,
  INOUT merged bigint DEFAULT NULL, INOUT skipped bigint DEFAULT NULL)
LANGUAGE plpgsql AS $$
DECLARE
  path CONSTANT text := pg_catalog.current_setting('search_path');
  least_score double precision;
  task_id bigint;
  reached crm.duplicate_candidate;
  d crm.duplicate_candidate;
  r record;
  query text;
  seen bigint := 0;
BEGIN
  PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
  IF batch < 1 OR at_most < 0 THEN
    RAISE EXCEPTION 'batch must be positive, and at_most not negative' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  least_score := coalesce(min_score::crm.probability, crm.setting_value('duplicate_merge_score')::double precision);
  IF batch IS NOT NULL THEN
    PERFORM crm._may_commit();
  END IF;
  merged := 0;
  skipped := 0;
  query := crm._customer_query();
  INSERT INTO crm.progress (task, step, total)
  VALUES ('merge duplicates', 'pairs', (SELECT count(*) FROM crm.duplicate_candidate x WHERE x.state = 'open' AND x.score >= least_score))
  RETURNING id INTO task_id;
  LOOP
    EXIT WHEN merged >= at_most;
    SELECT * INTO d FROM crm.duplicate_candidate x
    WHERE x.state = 'open' AND x.score >= least_score
      AND (reached.score IS NULL OR x.score < reached.score
           OR x.score = reached.score AND (x.customer_id, x.other_id) > (reached.customer_id, reached.other_id))
    ORDER BY x.score DESC, x.customer_id, x.other_id LIMIT 1;
    EXIT WHEN NOT FOUND;
    reached := d;
    seen := seen + 1;
    SELECT * INTO r FROM crm._merge_candidate(d.customer_id, d.other_id, query);
    merged := merged + CASE WHEN r.merged THEN 1 ELSE 0 END;
    skipped := skipped + CASE WHEN NOT r.merged THEN 1 ELSE 0 END;
    IF seen % batch = 0 THEN
      UPDATE crm.progress SET done = seen, changed_at = clock_timestamp() WHERE id = task_id;
      COMMIT;
      PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
      query := crm._customer_query();
    END IF;
  END LOOP;
  UPDATE crm.progress SET step = 'done', done = seen, finished_at = clock_timestamp(), changed_at = clock_timestamp() WHERE id = task_id;
  RAISE NOTICE 'merged % pairs, left % to somebody', merged, skipped;
  PERFORM pg_catalog.set_config('search_path', path, true);
END
$$;
COMMENT ON PROCEDURE crm.merge_duplicates(double precision, integer, bigint, bigint, bigint) IS
  'Merges the open candidates of crm.duplicate_candidate from min_score on (default: the setting duplicate_merge_score), the surest first, and leaves those to somebody against which something stands, see crm.merge_conflicts() and the column obstacle. batch: pairs in a transaction; NULL: all in the caller''s. at_most: merges in this call. Waits for nobody. Returns how many were merged and how many left. Errors: 22023, 23514 for a score beyond 0 to 1; 2D000 inside a transaction block unless batch is NULL; 25001 beyond read committed. 自动合并';
REVOKE ALL ON PROCEDURE crm.merge_duplicates(double precision, integer, bigint, bigint, bigint) FROM PUBLIC;

GRANT SELECT ON crm.duplicate_candidate, crm.merge_record TO crm_bi_owner;
GRANT SELECT (merge_id, relation, key_before, key_after) ON crm.merge_row TO crm_bi_owner;
INSERT INTO crm.duty_right (duty, privilege, kind, object) VALUES
  ('manager', 'EXECUTE', 'FUNCTION', 'crm.accept_duplicate(bigint, bigint, bigint, text, boolean)');
