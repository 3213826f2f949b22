-- recycle: the sweep, on record, at once or in batches, and what it would do

CREATE TABLE crm.sweep (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  as_of timestamptz NOT NULL,
  started_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  started_by text NOT NULL DEFAULT crm.actor(),
  finished_at timestamptz,
  ended bigint NOT NULL DEFAULT 0,
  reopened bigint NOT NULL DEFAULT 0,
  undone_at timestamptz,
  undone_by text,
  undo_reason text CHECK (pg_catalog.btrim(undo_reason) <> ''),
  CONSTRAINT sweep_undo_check CHECK (pg_catalog.num_nulls(undone_at, undone_by, undo_reason) IN (0, 3)),
  CONSTRAINT sweep_reopened_check CHECK (reopened BETWEEN 0 AND ended)
);
COMMENT ON TABLE crm.sweep IS 'Sweeps: each call of crm.recycle() and crm.recycle_in_batches(), the latter with all calls that went on with it. 回收批次';
COMMENT ON COLUMN crm.sweep.id IS 'Key, rising.';
COMMENT ON COLUMN crm.sweep.as_of IS 'What was due then was ended.';
COMMENT ON COLUMN crm.sweep.started_at IS 'When it began.';
COMMENT ON COLUMN crm.sweep.started_by IS 'Who began it.';
COMMENT ON COLUMN crm.sweep.finished_at IS 'When it was done; NULL: it runs in batches, or was broken off and can be gone on with.';
COMMENT ON COLUMN crm.sweep.ended IS 'Holdings it ended.';
COMMENT ON COLUMN crm.sweep.reopened IS 'How many of them crm.undo_sweep() opened again.';
COMMENT ON COLUMN crm.sweep.undone_at IS 'When it was undone last; NULL: never.';
COMMENT ON COLUMN crm.sweep.undone_by IS 'By whom.';
COMMENT ON COLUMN crm.sweep.undo_reason IS 'Why.';
CREATE INDEX ON crm.sweep (as_of) WHERE finished_at IS NULL;

ALTER TABLE crm.holding
  ADD COLUMN sweep_id bigint REFERENCES crm.sweep,
  ADD CONSTRAINT holding_sweep_check CHECK (sweep_id IS NULL OR coalesce(end_cause = 'recycle', false));
COMMENT ON COLUMN crm.holding.sweep_id IS 'Sweep that ended it.';
CREATE INDEX holding_sweep ON crm.holding (sweep_id) WHERE sweep_id IS NOT NULL;
-- what is due and locked, which holding_due leaves out
CREATE INDEX holding_locked ON crm.holding (due_at) WHERE held_to IS NULL AND locked;

CREATE FUNCTION crm._due(as_of timestamptz) RETURNS bigint[]
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET jit = off AS $$
BEGIN
  RETURN ARRAY(SELECT h.customer_id FROM crm.holding h
               WHERE h.held_to IS NULL AND NOT h.locked AND h.due_at <= _due.as_of AND crm._kept_by(h, _due.as_of) IS NULL
               ORDER BY h.customer_id);
END
$$;
COMMENT ON FUNCTION crm._due(timestamptz) IS 'Customers whose holding a sweep as of an instant ends, in order; reads by due time whatever the statistics say.';
REVOKE ALL ON FUNCTION crm._due(timestamptz) FROM PUBLIC;

CREATE FUNCTION crm._recycle(sweep_id bigint, customers bigint[], as_of timestamptz) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET jit = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
#variable_conflict use_column
DECLARE
  at CONSTANT timestamptz := clock_timestamp();
  actor CONSTANT text := crm.actor();
  due bigint[];
  n bigint;
BEGIN
  -- Customers are locked before their holdings and in order, as everywhere; a holding changed meanwhile is judged again as it is now.
  due := ARRAY(SELECT c.id FROM crm.customer c WHERE c.id = ANY (_recycle.customers) ORDER BY c.id FOR NO KEY UPDATE);
  UPDATE crm.holding h
  SET held_to = greatest(at, h.held_from, h.last_contact_at), end_cause = 'recycle', ended_by = actor, sweep_id = _recycle.sweep_id
  WHERE h.customer_id = ANY (due) AND h.held_to IS NULL AND NOT h.locked AND h.due_at <= _recycle.as_of AND crm._kept_by(h, _recycle.as_of) IS NULL;
  GET DIAGNOSTICS n = ROW_COUNT;
  UPDATE crm.sweep s SET ended = s.ended + n WHERE s.id = _recycle.sweep_id;
  RETURN n;
END
$$;
COMMENT ON FUNCTION crm._recycle(bigint, bigint[], timestamptz) IS
  'Ends now, as part of a sweep, the holdings of those of these customers that are due as of an instant and that nothing keeps; returns how many.';
REVOKE ALL ON FUNCTION crm._recycle(bigint, bigint[], timestamptz) FROM PUBLIC;

CREATE FUNCTION crm._sweep_begin(as_of timestamptz, early boolean) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  begun bigint;
BEGIN
  IF _sweep_begin.as_of IS NULL OR _sweep_begin.early IS NULL THEN
    RAISE EXCEPTION 'the time of the sweep must be given' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  IF _sweep_begin.as_of > clock_timestamp() AND NOT _sweep_begin.early THEN
    RAISE EXCEPTION 'time of the sweep "%" is in the future', _sweep_begin.as_of
      USING ERRCODE = 'invalid_parameter_value', DETAIL = 'Holdings that are not due yet would end.',
            HINT = 'To look ahead use crm.recycle_preview(); to end holdings before they are due add early => true.';
  END IF;
  INSERT INTO crm.sweep (as_of) VALUES (_sweep_begin.as_of) RETURNING id INTO begun;
  RETURN begun;
END
$$;
COMMENT ON FUNCTION crm._sweep_begin(timestamptz, boolean) IS 'Begins the record of a sweep. Errors: 22004, 22023.';
REVOKE ALL ON FUNCTION crm._sweep_begin(timestamptz, boolean) FROM PUBLIC;

-- It commits, so it cannot carry a SET clause: each transaction sets its own path.
CREATE PROCEDURE crm.recycle_in_batches(as_of timestamptz, batch integer DEFAULT 10000, early boolean DEFAULT false, INOUT sweep_id bigint DEFAULT NULL, INOUT ended bigint DEFAULT NULL)
LANGUAGE plpgsql AS $$
#variable_conflict use_variable
DECLARE
  path CONSTANT text := pg_catalog.current_setting('search_path');
  due bigint[];
  task_id bigint;
  at integer := 1;
BEGIN
  PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
  IF batch IS NULL OR batch <= 0 THEN
    RAISE EXCEPTION 'batch must be positive' USING ERRCODE = 'invalid_parameter_value', HINT = 'crm.recycle() does all in one transaction.';
  END IF;
  PERFORM crm._may_commit();
  ended := 0;
  sweep_id := (SELECT s.id FROM crm.sweep s WHERE s.finished_at IS NULL AND s.as_of = recycle_in_batches.as_of ORDER BY s.id DESC LIMIT 1);
  IF sweep_id IS NULL THEN
    sweep_id := crm._sweep_begin(as_of, early);
  ELSE
    RAISE NOTICE 'going on with sweep %', sweep_id;
  END IF;
  due := crm._due(as_of);
  INSERT INTO crm.progress (task, step, total) VALUES ('sweep ' || sweep_id, 'recycle', cardinality(due)) RETURNING id INTO task_id;
  WHILE at <= cardinality(due) LOOP
    ended := ended + crm._recycle(sweep_id, due[at : at + batch - 1], as_of);
    at := least(at::bigint + batch, cardinality(due) + 1::bigint);
    UPDATE crm.progress p SET done = at - 1, changed_at = clock_timestamp() WHERE p.id = task_id;
    COMMIT;
    PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
  END LOOP;
  UPDATE crm.sweep s SET finished_at = clock_timestamp() WHERE s.id = sweep_id;
  UPDATE crm.progress p SET step = 'done', finished_at = clock_timestamp(), changed_at = clock_timestamp() WHERE p.id = task_id;
  PERFORM pg_catalog.set_config('search_path', path, true);
END
$$;
COMMENT ON PROCEDURE crm.recycle_in_batches(timestamptz, integer, boolean, bigint, bigint) IS
  'As crm.recycle(), for large sweeps: so many customers in a transaction, each committed; crm.progress tells how far it is. Called again with the same as_of after it was broken off, or beside a call that runs, it goes on with the same sweep. Returns the key of the sweep and how many holdings this call ended. For the owner of the model. Errors: 22004, 22023, 2D000 inside a transaction block. 分批回收';
REVOKE ALL ON PROCEDURE crm.recycle_in_batches(timestamptz, integer, boolean, bigint, bigint) FROM PUBLIC;

CREATE FUNCTION crm.recycle_preview(as_of timestamptz,
  OUT customer_id bigint, OUT holding_id bigint, OUT channel_id bigint, OUT org_id bigint, OUT staff_id bigint, OUT due_at timestamptz, OUT due_cause text,
  OUT days_overdue integer, OUT ends boolean, OUT kept_by text, OUT kept_until timestamptz)
RETURNS SETOF record LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET jit = off AS $$
#variable_conflict use_column
BEGIN
  IF recycle_preview.as_of IS NULL THEN
    RAISE EXCEPTION 'the time of the sweep must be given' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  RETURN QUERY
  SELECT d.customer_id, d.id, d.channel_id, d.org_id, d.staff_id, d.due_at, d.due_cause,
         CASE WHEN isfinite(recycle_preview.as_of) THEN floor(extract(epoch FROM recycle_preview.as_of - d.due_at) / 86400)::integer END,
         d.kept_by IS NULL, d.kept_by, CASE WHEN d.kept_by IS NOT NULL THEN nullif(d.kept_until, 'infinity') END
  FROM (SELECT h.*, crm._kept_by(h, recycle_preview.as_of) AS kept_by, crm._kept_until(h) AS kept_until
        FROM crm.holding h WHERE h.held_to IS NULL AND NOT h.locked AND h.due_at <= recycle_preview.as_of
        UNION ALL
        SELECT h.*, crm._kept_by(h, recycle_preview.as_of), crm._kept_until(h)
        FROM crm.holding h WHERE h.held_to IS NULL AND h.locked AND h.due_at <= recycle_preview.as_of) d
  ORDER BY d.due_at, d.customer_id;
END
$$;
COMMENT ON FUNCTION crm.recycle_preview(timestamptz) IS
  'The open holdings due at as_of, past or to come, the longest overdue first: those that a sweep would end, and those that it passes over: kept_by tells why (locked, in_dispute, exempt, protected) and kept_until how long, NULL without end. days_overdue counts whole days of 24 hours. What is recorded until then may change it. Errors: 22004. 回收预览';
REVOKE ALL ON FUNCTION crm.recycle_preview(timestamptz) FROM PUBLIC;

GRANT SELECT ON crm.sweep TO crm_bi_owner;
INSERT INTO crm.duty_right (duty, privilege, kind, object) VALUES
  ('manager', 'SELECT', 'TABLE', 'crm.sweep'),
  ('manager', 'EXECUTE', 'FUNCTION', 'crm.recycle_preview(timestamptz)');
