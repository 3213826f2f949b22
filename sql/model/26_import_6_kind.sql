-- import: one kind of row from its staging table into the book

CREATE FUNCTION crm._import_put_back(kind text, condition text) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  n bigint;
BEGIN
  EXECUTE format(
    'WITH r AS (
       UPDATE crm.import_reject j SET resubmitted_at = clock_timestamp()
       WHERE j.kind = %1$L AND j.resubmitted_at IS NULL AND %2$s
       RETURNING j.batch_id, j.row_no, j.source_system, j.data || coalesce(j.correction, ''{}'') AS row)
     INSERT INTO crm.%3$I (source_system, %4$s)
     SELECT coalesce(d.source_system, b.source_system), %5$s FROM r d JOIN crm.import_batch b ON b.id = d.batch_id ORDER BY d.batch_id, d.row_no',
    _import_put_back.kind, condition, 'import_' || _import_put_back.kind, string_agg(quote_ident(c.name), ', ' ORDER BY c.nth), string_agg(format('d.row ->> %L', c.name), ', ' ORDER BY c.nth))
  FROM crm.import_column c WHERE c.kind = _import_put_back.kind;
  GET DIAGNOSTICS n = ROW_COUNT;
  RETURN n;
END
$$;
COMMENT ON FUNCTION crm._import_put_back(text, text) IS 'Puts refused rows j of a kind, with their corrections, back into the staging table. Gives their number.';
REVOKE ALL ON FUNCTION crm._import_put_back(text, text) FROM PUBLIC;

CREATE FUNCTION crm._import_wake(kind text, source_system text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
  IF EXISTS (SELECT FROM crm.import_reject j
             WHERE j.source_system = _import_wake.source_system AND j.kind = _import_wake.kind AND j.follows AND j.resubmitted_at IS NULL AND j.resolved_at IS NULL) THEN
    PERFORM crm._import_put_back(kind, format(
      'j.source_system = %L AND j.follows AND j.resolved_at IS NULL
       AND NOT EXISTS (SELECT FROM crm.import_reason r
                       WHERE (r.batch_id, r.kind, r.row_no) = (j.batch_id, j.kind, j.row_no) AND NOT CASE r.column_name %s ELSE false END)
       AND NOT EXISTS (SELECT FROM crm.import_reject later
                       WHERE later.source_system = j.source_system AND later.kind = j.kind AND later.source_key = j.source_key
                         AND later.resubmitted_at IS NULL AND later.resolved_at IS NULL AND (later.batch_id, later.row_no) > (j.batch_id, j.row_no))
       AND NOT EXISTS (SELECT %s AND left(concat_ws('' / '', %s), 650) = j.source_key)',
      source_system,
      (SELECT string_agg(format('WHEN %L THEN EXISTS (SELECT FROM crm.%I x WHERE %s = r.value)', c.name, coalesce(k.key_table, k.target),
                                CASE WHEN k.key_table IS NULL THEN format('x.%I', k.key_columns[1]) ELSE format('x.source_system = %L AND x.source_key', source_system) END), ' ')
       FROM crm.import_column c JOIN crm.import_kind k ON k.kind = c.refers WHERE c.kind = _import_wake.kind),
      crm._import_waiting(kind, source_system), crm._import_key_list(kind, 'd')));
  END IF;
END
$$;
COMMENT ON FUNCTION crm._import_wake(text, text) IS 'Puts rows of a kind that only followed refused ones back into the staging table once these have gone in, unless a newer row with their key waits or was refused.';
REVOKE ALL ON FUNCTION crm._import_wake(text, text) FROM PUBLIC;

CREATE FUNCTION crm._import_apply(kind text, source_system text, round integer) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM crm._import_find_changes(kind, source_system, round);
  IF crm._import_lock_target(kind) THEN
    -- another import may have made these meanwhile
    DROP TABLE crm_import_change;
    PERFORM crm._import_find_changes(kind, source_system, round);
  END IF;
  PERFORM crm._import_check_rules(kind);
  PERFORM crm._import_drop_faulty();
  PERFORM crm._import_write_all(kind, source_system);
  INSERT INTO crm_import_done (row_no, action) SELECT t.row_no, t._action FROM crm_import_change t;
  DROP TABLE crm_import_change;
END
$$;
COMMENT ON FUNCTION crm._import_apply(text, text, integer) IS 'Checks and writes the rows of a round.';
REVOKE ALL ON FUNCTION crm._import_apply(text, text, integer) FROM PUBLIC;

CREATE FUNCTION crm._import_apply_in_rounds(kind text, source_system text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  col crm.import_column;
  names text[];
  ready text := '';
  circle text := '';
  round integer := 0;
  n bigint;
BEGIN
  SELECT string_agg(format('(w.%I IS NULL OR w.%I IS NOT NULL)', c.name, c.name || '_1'), ' AND '), string_agg(format('w.%I', c.name), ', ')
  INTO ready, circle FROM crm.import_column c WHERE c.kind = _import_apply_in_rounds.kind AND c.refers = c.kind;
  LOOP
    EXECUTE format('UPDATE crm_import_row w SET round = %s WHERE w.round IS NULL AND %s', round, ready);
    GET DIAGNOSTICS n = ROW_COUNT;
    EXIT WHEN n = 0;
    PERFORM crm._import_apply(kind, source_system, round);
    round := round + 1;
    FOR col IN SELECT * FROM crm.import_column c WHERE c.kind = _import_apply_in_rounds.kind AND c.refers = c.kind ORDER BY c.nth LOOP
      names := crm._import_key_columns(col.refers);
      EXECUTE format('UPDATE crm_import_row w SET %s FROM crm_import_row s%s WHERE s.row_no = w.row_no AND w.round IS NULL AND %I.%I IS NOT NULL',
        (SELECT string_agg(format('%I = %I.%I', col.name || '_' || i, col.name || '_', p), ', ') FROM unnest(names) WITH ORDINALITY u (p, i)),
        crm._import_join(col, source_system), col.name || '_', names[1]);
    END LOOP;
  END LOOP;
  -- what is left refers to nothing, to a refused row, or back to itself
  EXECUTE format(
    'INSERT INTO crm_import_fault (row_no, column_name, code, message, value, hint)
     WITH RECURSIVE step AS (SELECT w.row_no, w.row_key, p.key, p.name FROM crm_import_row w CROSS JOIN LATERAL unnest(ARRAY[%s], ARRAY[%s]) p (key, name) WHERE w.round IS NULL),
     way AS (SELECT s.row_no, s.row_key AS start, s.name, s.key FROM step s
             UNION SELECT w.row_no, w.start, w.name, s.key FROM way w JOIN step s ON s.row_key = w.key)
     SELECT row_no, name, ''23514'', ''refers to itself, directly or through others'', (SELECT s.key FROM step s WHERE s.row_no = way.row_no AND s.name = way.name LIMIT 1), ''Break the circle.''
     FROM way WHERE way.key = way.start',
    circle, (SELECT string_agg(quote_literal(c.name), ', ') FROM crm.import_column c WHERE c.kind = _import_apply_in_rounds.kind AND c.refers = c.kind));
  UPDATE crm_import_row w SET round = -1 WHERE w.round IS NULL;
  GET DIAGNOSTICS n = ROW_COUNT;
  IF n > 0 THEN
    CREATE TEMP TABLE crm_import_circle AS SELECT f.row_no, f.column_name FROM crm_import_fault f WHERE f.message LIKE 'refers to itself%';
    PERFORM crm._import_check_values(kind, true);
    DELETE FROM crm_import_fault f USING crm_import_circle c WHERE c.row_no = f.row_no AND c.column_name = f.column_name AND f.code = '23503';
    DROP TABLE crm_import_circle;
    PERFORM crm._import_apply(kind, source_system, -1);
  END IF;
END
$$;
COMMENT ON FUNCTION crm._import_apply_in_rounds(text, text) IS 'Checks and writes rows that refer to others of their kind: first those whose row is there, then those that refer to these, and so on.';
REVOKE ALL ON FUNCTION crm._import_apply_in_rounds(text, text) FROM PUBLIC;

CREATE FUNCTION crm._import_report(kind text, source_system text, batch_id bigint, n bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  r crm.import_batch_kind;
BEGIN
  INSERT INTO crm_import_fault
  SELECT r.row_no, f.column_name, f.code, f.message, f.value, f.hint, f.follows
  FROM crm_import_repeat r JOIN crm_import_fault f ON f.row_no = r.first_no
  WHERE NOT EXISTS (SELECT FROM crm_import_fault g WHERE g.row_no = r.row_no);
  EXECUTE format(
    'INSERT INTO crm.import_reject (batch_id, kind, row_no, source_system, source_key, follows, data)
     SELECT $1, %L, w.row_no, $2, w.row_key, f.follows, jsonb_strip_nulls(jsonb_build_object(%s))
     FROM crm_import_row w JOIN (SELECT row_no, bool_and(follows IS NOT NULL) AS follows FROM crm_import_fault GROUP BY row_no) f USING (row_no) ORDER BY w.row_no',
    kind, (SELECT string_agg(format('%L, w.%1$I', c.name), ', ' ORDER BY c.nth) FROM crm.import_column c WHERE c.kind = _import_report.kind)) USING batch_id, source_system;
  INSERT INTO crm.import_reason (batch_id, kind, row_no, column_name, code, message, value, hint, follows)
  SELECT _import_report.batch_id, _import_report.kind, f.row_no, f.column_name, f.code, f.message, f.value, f.hint, f.follows
  FROM crm_import_fault f LEFT JOIN crm.import_column c ON c.kind = _import_report.kind AND c.name = f.column_name
  ORDER BY f.row_no, c.nth, f.code, f.message;
  IF EXISTS (SELECT FROM crm.import_reject j
             WHERE j.source_system = _import_report.source_system AND j.kind = _import_report.kind AND j.batch_id <> _import_report.batch_id
               AND j.resubmitted_at IS NULL AND j.resolved_at IS NULL) THEN
    UPDATE crm.import_reject j SET resolved_at = clock_timestamp()
    FROM crm_import_row w JOIN crm_import_done d ON d.row_no = w.row_no
    WHERE j.source_system = _import_report.source_system AND j.kind = _import_report.kind AND j.batch_id <> _import_report.batch_id AND j.source_key = w.row_key
      AND j.resubmitted_at IS NULL AND j.resolved_at IS NULL;
  END IF;

  SELECT _import_report.batch_id, _import_report.kind, n, count(*) FILTER (WHERE d.action = 'insert'), count(*) FILTER (WHERE d.action = 'update'),
         count(*) FILTER (WHERE d.action = 'unchanged')
         + (SELECT count(*) FROM crm_import_repeat x WHERE NOT EXISTS (SELECT FROM crm_import_fault f WHERE f.row_no = x.row_no)),
         (SELECT count(DISTINCT f.row_no) FROM crm_import_fault f)
  INTO r.batch_id, r.kind, r.read, r.inserted, r.updated, r.unchanged, r.rejected FROM crm_import_done d;
  INSERT INTO crm.import_batch_kind AS b (batch_id, kind, read, inserted, updated, unchanged, rejected)
  VALUES (r.batch_id, r.kind, r.read, r.inserted, r.updated, r.unchanged, r.rejected)
  ON CONFLICT (batch_id, kind) DO UPDATE
  SET read = b.read + excluded.read, inserted = b.inserted + excluded.inserted, updated = b.updated + excluded.updated,
      unchanged = b.unchanged + excluded.unchanged, rejected = b.rejected + excluded.rejected;
  UPDATE crm.import_batch b
  SET read = b.read + r.read, accepted = b.accepted + r.inserted + r.updated, unchanged = b.unchanged + r.unchanged, rejected = b.rejected + r.rejected
  WHERE b.id = r.batch_id;
  RAISE NOTICE 'batch % from "%", %: % read = % new + % changed + % unchanged + % rejected', r.batch_id, source_system, kind,
    r.read, r.inserted, r.updated, r.unchanged, r.rejected;
END
$$;
COMMENT ON FUNCTION crm._import_report(text, text, bigint, bigint) IS 'Keeps what became of the rows: rejects with their reasons, sums, and earlier rejects that are settled by what went in.';
REVOKE ALL ON FUNCTION crm._import_report(text, text, bigint, bigint) FROM PUBLIC;

CREATE FUNCTION crm._import_kind(kind text, source_system text, batch_id bigint, at_most bigint, first_row bigint, repeats boolean, preview boolean) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  n bigint := 0;
  waiting boolean;
BEGIN
  PERFORM crm._import_wake(kind, source_system);
  EXECUTE format('SELECT EXISTS (SELECT %s)', crm._import_waiting(kind, source_system)) INTO waiting;
  IF NOT waiting THEN
    RETURN 0;
  END IF;
  n := crm._import_read(kind, source_system, at_most, first_row, repeats);
  CREATE TEMP TABLE crm_import_done (row_no bigint, action text);
  PERFORM crm._import_check_values(kind, false);
  PERFORM crm._import_find_repeats(kind);
  IF at_most IS NOT NULL THEN
    PERFORM crm._import_lock(ARRAY[kind], source_system, false);
  END IF;
  IF (SELECT k.whole FROM crm.import_kind k WHERE k.kind = _import_kind.kind) THEN
    PERFORM crm._import_apply_in_rounds(kind, source_system);
  ELSE
    PERFORM crm._import_apply(kind, source_system, 0);
  END IF;
  PERFORM crm._import_note_followers(kind, source_system);
  PERFORM crm._import_report(kind, source_system, batch_id, n);
  IF preview THEN
    INSERT INTO crm_import_preview (kind, row_no, source_key, action)
    SELECT _import_kind.kind, w.row_no, w.row_key,
           CASE WHEN EXISTS (SELECT FROM crm_import_fault f WHERE f.row_no = w.row_no) THEN 'reject' ELSE coalesce(d.action, 'unchanged') END
    FROM crm_import_row w LEFT JOIN crm_import_done d ON d.row_no = w.row_no;
  END IF;
  DROP TABLE crm_import_row, crm_import_fault, crm_import_repeat, crm_import_done;
  RETURN n;
END
$$;
COMMENT ON FUNCTION crm._import_kind(text, text, bigint, bigint, bigint, boolean, boolean) IS 'Imports waiting rows of one kind, at_most about so many. Gives their number.';
REVOKE ALL ON FUNCTION crm._import_kind(text, text, bigint, bigint, bigint, boolean, boolean) FROM PUBLIC;
