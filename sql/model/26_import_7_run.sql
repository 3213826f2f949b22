-- import: all kinds in one transaction, step by step, or for trial

CREATE FUNCTION crm._import_begin(source_system text, stepwise boolean) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  is_new boolean;
  batch_id bigint;
BEGIN
  INSERT INTO crm.import_source AS s (source_system) VALUES (source_system)
  ON CONFLICT ON CONSTRAINT import_source_pkey DO UPDATE SET batches = s.batches + 1
  RETURNING s.batches = 1 INTO is_new;
  IF is_new AND EXISTS (SELECT FROM crm.import_source s WHERE s.source_system <> _import_begin.source_system) THEN
    RAISE NOTICE 'source system "%" is new here; known are %', source_system,
      (SELECT string_agg(format('"%s"', s.source_system), ', ' ORDER BY s.source_system) FROM crm.import_source s WHERE s.source_system <> _import_begin.source_system);
  END IF;
  INSERT INTO crm.import_batch (source_system, stepwise) VALUES (source_system, stepwise) RETURNING id INTO batch_id;
  RETURN batch_id;
END
$$;
COMMENT ON FUNCTION crm._import_begin(text, boolean) IS 'Holds the row of a source system, so that its imports follow each other, and opens a batch.';
REVOKE ALL ON FUNCTION crm._import_begin(text, boolean) FROM PUBLIC;

CREATE FUNCTION crm._import_system(source_system text) RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  system constant text := nullif(btrim(source_system, E' \t\r\n\u3000'), '');
BEGIN
  IF system IS NULL THEN
    RAISE EXCEPTION 'the source system must be named'
      USING ERRCODE = 'invalid_parameter_value', HINT = 'Say CALL crm.import(''core'').';
  END IF;
  RETURN system;
END
$$;
COMMENT ON FUNCTION crm._import_system(text) IS 'Name of a source system without surrounding blanks. Errors: 22023 when there is none.';
REVOKE ALL ON FUNCTION crm._import_system(text) FROM PUBLIC;

CREATE FUNCTION crm._import_all(source_system text, preview boolean DEFAULT false) RETURNS bigint
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp SET DateStyle = 'ISO, YMD' SET synchronize_seqscans = off SET jit = off SET work_mem = '64MB' AS $$
DECLARE
  system constant text := crm._import_system(source_system);
  batch_id constant bigint := crm._import_begin(system, false);
  kind text;
  n bigint := 0;
BEGIN
  PERFORM crm._import_lock((SELECT array_agg(k.kind ORDER BY k.position) FROM crm.import_kind k), system, true);
  FOR kind IN SELECT k.kind FROM crm.import_kind k ORDER BY k.position LOOP
    n := n + crm._import_kind(kind, system, batch_id, NULL, NULL, true, preview);
  END LOOP;
  UPDATE crm.import_batch b SET finished_at = clock_timestamp() WHERE b.id = batch_id;
  IF n = 0 THEN
    RAISE NOTICE 'no row was waiting from "%"', system;
  END IF;
  RETURN batch_id;
END
$$;
COMMENT ON FUNCTION crm._import_all(text, boolean) IS 'Imports everything that waits for a source system. Gives the number of the batch.';
REVOKE ALL ON FUNCTION crm._import_all(text, boolean) FROM PUBLIC;

-- step by step ---------------------------------------------------------------

CREATE FUNCTION crm._import_step(source_system text, at_most bigint, INOUT batch_id bigint, OUT finished boolean)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET DateStyle = 'ISO, YMD' SET synchronize_seqscans = off SET jit = off SET work_mem = '64MB' AS $$
#variable_conflict use_variable
DECLARE
  system constant text := crm._import_system(source_system);
  batch crm.import_batch;
  k crm.import_kind;
  base bigint;
  repeats boolean;
  n bigint;
BEGIN
  finished := false;
  IF at_most IS NULL OR at_most <= 0 THEN
    RAISE EXCEPTION 'a step of % rows is not above 0', at_most USING ERRCODE = 'invalid_parameter_value', HINT = 'Leave it out: 100000 is usual.';
  END IF;
  INSERT INTO crm.import_source (source_system, batches) VALUES (system, 0) ON CONFLICT ON CONSTRAINT import_source_pkey DO NOTHING;
  PERFORM FROM crm.import_source s WHERE s.source_system = system FOR NO KEY UPDATE;
  IF batch_id IS NULL THEN
    SELECT * INTO batch FROM crm.import_batch b WHERE b.source_system = system AND b.stepwise AND b.finished_at IS NULL ORDER BY b.id LIMIT 1;
  ELSE
    SELECT * INTO batch FROM crm.import_batch b WHERE b.id = batch_id AND b.source_system = system AND b.stepwise;
    IF batch.id IS NULL THEN
      RAISE EXCEPTION 'there is no stepwise batch % of "%"', batch_id, system
        USING ERRCODE = 'invalid_parameter_value', HINT = 'Leave the batch out: one that was broken off is found by itself.';
    END IF;
  END IF;
  IF batch.finished_at IS NOT NULL THEN
    finished := true;
    RETURN;
  ELSIF batch.id IS NULL THEN
    batch_id := crm._import_begin(system, true);
    FOR k IN SELECT * FROM crm.import_kind x ORDER BY x.position LOOP
      EXECUTE format('SELECT count(*), min(d.row_no) %s', crm._import_waiting(k.kind, system)) INTO n, base;
      IF n > 0 THEN
        EXECUTE format('SELECT EXISTS (SELECT %s GROUP BY %s HAVING count(*) > 1)', crm._import_waiting(k.kind, system), crm._import_key_list(k.kind, 'd')) INTO repeats;
        INSERT INTO crm.import_batch_kind (batch_id, kind, read, inserted, updated, unchanged, rejected, expected, first_row, repeats)
        VALUES (batch_id, k.kind, 0, 0, 0, 0, 0, n, base, repeats);
      END IF;
    END LOOP;
    INSERT INTO crm.progress (task, step, total)
    SELECT 'import ' || batch_id, 'begun', (SELECT sum(b.expected) FROM crm.import_batch_kind b WHERE b.batch_id = _import_step.batch_id);
    RETURN;
  END IF;
  batch_id := batch.id;
  FOR k IN SELECT * FROM crm.import_kind x ORDER BY x.position LOOP
    SELECT b.first_row, b.repeats INTO base, repeats FROM crm.import_batch_kind b WHERE b.batch_id = batch.id AND b.kind = k.kind;
    IF base IS NULL THEN
      EXECUTE format('SELECT min(d.row_no) %s', crm._import_waiting(k.kind, system)) INTO base;
    END IF;
    n := crm._import_kind(k.kind, system, batch.id, at_most, coalesce(base, 1), coalesce(repeats, true), false);
    IF n > 0 THEN
      UPDATE crm.import_batch_kind b SET first_row = coalesce(b.first_row, base) WHERE b.batch_id = batch.id AND b.kind = k.kind;
      UPDATE crm.progress p SET step = k.kind, done = p.done + n, changed_at = clock_timestamp() WHERE p.task = 'import ' || batch.id;
      RETURN;
    END IF;
  END LOOP;
  UPDATE crm.import_batch b SET finished_at = clock_timestamp() WHERE b.id = batch.id;
  UPDATE crm.progress p SET step = 'done', changed_at = clock_timestamp(), finished_at = clock_timestamp() WHERE p.task = 'import ' || batch.id;
  finished := true;
END
$$;
COMMENT ON FUNCTION crm._import_step(text, bigint, bigint) IS 'The next step of a stepwise import: opens the batch, imports about at_most rows of one kind, or closes the batch.';
REVOKE ALL ON FUNCTION crm._import_step(text, bigint, bigint) FROM PUBLIC;

CREATE PROCEDURE crm.import_in_steps(source_system text, rows_per_step bigint DEFAULT 100000, INOUT batch_id bigint DEFAULT NULL)
LANGUAGE plpgsql AS $$
DECLARE
  path text := pg_catalog.current_setting('search_path');
  finished boolean := false;
BEGIN
  PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
  PERFORM crm._may_commit();
  WHILE NOT finished LOOP
    SELECT s.batch_id, s.finished INTO batch_id, finished FROM crm._import_step(source_system, rows_per_step, batch_id) s;
    COMMIT;
    PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
  END LOOP;
  PERFORM pg_catalog.set_config('search_path', path, true);
END
$$;
COMMENT ON PROCEDURE crm.import_in_steps(text, bigint, bigint) IS
  'As crm.import(), for large loads: commits after each step of about rows_per_step rows, so that crm_bi.import_progress shows how far it is. Broken off, what was committed stays and the next call goes on with the same batch; a second call at the same time does its part of it. Gives the number of the batch. Errors: 22023, 2D000 inside a transaction block.';
REVOKE ALL ON PROCEDURE crm.import_in_steps(text, bigint, bigint) FROM PUBLIC;

-- trial ----------------------------------------------------------------------

CREATE FUNCTION crm.import_preview(source_system text)
RETURNS TABLE (kind text, row_no bigint, source_key text, action text, column_name text, code text, message text, value text, hint text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
#variable_conflict use_column
DECLARE
  batch bigint;
BEGIN
  BEGIN
    CREATE TEMP TABLE crm_import_preview (kind text, row_no bigint, source_key text, action text);
    batch := crm._import_all(source_system, true);
    RETURN QUERY
    SELECT p.kind, p.row_no, p.source_key, p.action, r.column_name, r.code, r.message, r.value, r.hint
    FROM crm_import_preview p JOIN crm.import_kind k ON k.kind = p.kind
    LEFT JOIN crm.import_reason r ON r.batch_id = batch AND r.kind = p.kind AND r.row_no = p.row_no
    ORDER BY k.position, p.row_no, r.id;
    RAISE EXCEPTION USING ERRCODE = 'CRM00';
  EXCEPTION WHEN SQLSTATE 'CRM00' THEN
    RETURN;
  END;
END
$$;
COMMENT ON FUNCTION crm.import_preview(text) IS
  'What crm.import() would do with the rows that wait for a source system: a row for each, insert, update, unchanged or reject, and of a row to be rejected one for each reason. Does all of it and takes it back, so it is exact and takes as long; nothing is changed but sequences. Errors: as crm.import().';
REVOKE ALL ON FUNCTION crm.import_preview(text) FROM PUBLIC;

INSERT INTO crm.duty_right (duty, privilege, kind, object) VALUES
  ('loader', 'SELECT', 'TABLE', 'crm.import_kind'),
  ('loader', 'SELECT', 'TABLE', 'crm.import_column'),
  ('loader', 'SELECT', 'TABLE', 'crm.import_rule'),
  ('loader', 'EXECUTE', 'FUNCTION', 'crm._import_step(text, bigint, bigint)'),
  ('loader', 'EXECUTE', 'PROCEDURE', 'crm.import_in_steps(text, bigint, bigint)'),
  ('loader', 'EXECUTE', 'FUNCTION', 'crm.import_preview(text)');
