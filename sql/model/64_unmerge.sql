-- book: undoing a merge

CREATE FUNCTION crm._row_is(relation regclass) RETURNS text
LANGUAGE sql STABLE
BEGIN ATOMIC
  SELECT pg_catalog.format('(%s) = (SELECT %s FROM pg_catalog.jsonb_populate_record(NULL::%s, $1) k)',
                           pg_catalog.string_agg(pg_catalog.format('t.%I', c), ', '), pg_catalog.string_agg(pg_catalog.format('k.%I', c), ', '), _row_is.relation)
  FROM pg_catalog.unnest(crm._key_columns(_row_is.relation)) c;
END;
COMMENT ON FUNCTION crm._row_is(regclass) IS 'SQL for: the row t of a table has the key $1.';
REVOKE ALL ON FUNCTION crm._row_is(regclass) FROM PUBLIC;

CREATE FUNCTION crm._row_now(relation regclass, key jsonb) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
  image jsonb;
BEGIN
  EXECUTE format('SELECT %s FROM %s t WHERE %s', (crm._row_image(relation, 't')).image, relation, crm._row_is(relation)) INTO image USING key;
  RETURN image;
END
$$;
COMMENT ON FUNCTION crm._row_now(regclass, jsonb) IS 'The row of this key as it stands; NULL: none.';
REVOKE ALL ON FUNCTION crm._row_now(regclass, jsonb) FROM PUBLIC;

CREATE FUNCTION crm._row_set(relation regclass, key jsonb, changes jsonb) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off AS $$
BEGIN
  EXECUTE format('UPDATE %s t SET %s WHERE %s', relation,
                 (SELECT string_agg(format('%I = (SELECT r.%I FROM jsonb_populate_record(NULL::%s, $2) r)', c, c, relation), ', ') FROM jsonb_object_keys(changes) c),
                 crm._row_is(relation))
  USING key, changes;
END
$$;
COMMENT ON FUNCTION crm._row_set(regclass, jsonb, jsonb) IS 'Sets columns of the row of this key.';
REVOKE ALL ON FUNCTION crm._row_set(regclass, jsonb, jsonb) FROM PUBLIC;

CREATE FUNCTION crm._row_delete(relation regclass, key jsonb) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off AS $$
BEGIN
  EXECUTE format('DELETE FROM %s t WHERE %s', relation, crm._row_is(relation)) USING key;
END
$$;
COMMENT ON FUNCTION crm._row_delete(regclass, jsonb) IS 'Deletes the row of this key.';
REVOKE ALL ON FUNCTION crm._row_delete(regclass, jsonb) FROM PUBLIC;

-- Triggers may stamp columns; what they changed is set once more by itself.
CREATE FUNCTION crm._row_agree(relation regclass, key jsonb, wanted jsonb) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  now CONSTANT jsonb := crm._row_now(relation, key);
  rest jsonb := (SELECT jsonb_object_agg(w.key, w.value) FROM jsonb_each(wanted) w WHERE w.value IS DISTINCT FROM now -> w.key);
BEGIN
  IF rest IS NOT NULL THEN
    PERFORM crm._row_set(relation, key, rest);
  END IF;
END
$$;
COMMENT ON FUNCTION crm._row_agree(regclass, jsonb, jsonb) IS 'Sets what a trigger made of columns other than was wanted.';
REVOKE ALL ON FUNCTION crm._row_agree(regclass, jsonb, jsonb) FROM PUBLIC;

CREATE FUNCTION crm._row_insert(relation regclass, key jsonb, image jsonb) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
  names CONSTANT text := (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) FROM pg_attribute a
                          WHERE a.attrelid = relation AND a.attnum > 0 AND NOT a.attisdropped AND image ? a.attname);
BEGIN
  EXECUTE format('INSERT INTO %s (%s) OVERRIDING SYSTEM VALUE SELECT %s FROM jsonb_populate_record(NULL::%s, $1) r', relation, names, names, relation) USING image;
  PERFORM crm._row_agree(relation, key, image);
END
$$;
COMMENT ON FUNCTION crm._row_insert(regclass, jsonb, jsonb) IS 'Inserts a row just as it was.';
REVOKE ALL ON FUNCTION crm._row_insert(regclass, jsonb, jsonb) FROM PUBLIC;

-- A row that was taken away refers to others than the customers of the merge: gone says which of those are no more.
CREATE FUNCTION crm._row_parents_gone(relation regclass, image jsonb, dropped bigint, OUT went_along boolean, OUT gone text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
  f record;
  there boolean;
BEGIN
  went_along := false;
  FOR f IN
    SELECT k.confrelid::regclass AS parent, k.confdeltype = 'c' AS cascades, p.own, p.theirs, p.names
    FROM pg_constraint k
    CROSS JOIN LATERAL (
      SELECT string_agg(format('r.%I', a.attname), ', ' ORDER BY u.n) AS own, string_agg(format('t.%I', b.attname), ', ' ORDER BY u.n) AS theirs,
             array_agg(a.attname::text) AS names
      FROM ROWS FROM (unnest(k.conkey), unnest(k.confkey)) WITH ORDINALITY AS u (own, theirs, n)
      JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.own
      JOIN pg_attribute b ON b.attrelid = k.confrelid AND b.attnum = u.theirs) p
    WHERE k.contype = 'f' AND k.conrelid = relation AND k.conparentid = 0
      AND (k.confrelid = 'crm.customer'::regclass OR NOT EXISTS (SELECT FROM crm._customer_column c WHERE c.relation = k.confrelid))
  LOOP
    CONTINUE WHEN EXISTS (SELECT FROM unnest(f.names) n WHERE image -> n = 'null')
      OR f.parent = 'crm.customer'::regclass AND image -> f.names[1] = to_jsonb(dropped);
    EXECUTE format('SELECT EXISTS (SELECT FROM %s t, jsonb_populate_record(NULL::%s, $1) r WHERE (%s) = (%s))', f.parent, relation, f.theirs, f.own)
    INTO there USING image;
    IF NOT there THEN
      went_along := went_along OR f.cascades;
      gone := coalesce(gone || ', ', '') || f.parent;
    END IF;
  END LOOP;
END
$$;
COMMENT ON FUNCTION crm._row_parents_gone(regclass, jsonb, bigint) IS
  'Which rows a row refers to that are there no more, and whether it would have been deleted along with one of them.';
REVOKE ALL ON FUNCTION crm._row_parents_gone(regclass, jsonb, bigint) FROM PUBLIC;

CREATE FUNCTION crm.unmerge_blockers(merge_id bigint) RETURNS TABLE (relation text, key text, why text, forcible boolean)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS $$
#variable_conflict use_column
DECLARE
  m crm.merge_record;
  later crm.merge_record;
  named bigint[];
BEGIN
  SELECT * INTO m FROM crm.merge_record x WHERE x.id = unmerge_blockers.merge_id;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'there is no merge "%"', unmerge_blockers.merge_id USING ERRCODE = 'foreign_key_violation', HINT = 'crm.merge_record lists the merges.';
  ELSIF m.state <> 'merged' THEN
    RAISE EXCEPTION 'merge "%" was undone already', m.id
      USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = format('By %s on %s.', m.undone_by, m.undone_at);
  END IF;
  -- another merge may have moved on what this one moved, or what follows it, or those whom its rows name beside the customer kept
  SELECT array_agg(DISTINCT (k.key ->> c.column_name)::bigint) INTO named
  FROM (SELECT r.relation, r.key_after AS key FROM crm.merge_row r WHERE r.merge_id = m.id
        UNION ALL SELECT b.key, e.value FROM jsonb_each(m.kept_keys) b CROSS JOIN LATERAL jsonb_array_elements(b.value) e) k
  JOIN crm._customer_column c ON c.relation::text = k.relation;
  FOR later IN
    SELECT * FROM crm.merge_record x
    WHERE x.id > m.id AND x.state = 'merged'
      AND (m.kept_id IN (x.kept_id, x.dropped_id) OR x.dropped_id = ANY (named)
           OR x.id IN (SELECT b.merge_id FROM crm.merge_row a JOIN crm.merge_row b ON b.relation = a.relation AND b.key_before @> a.key_after
                       WHERE a.merge_id = m.id AND b.merge_id > m.id
                       UNION ALL
                       SELECT b.merge_id FROM crm._customer_column f JOIN crm.merge_row b ON b.key_before @> jsonb_build_object(f.column_name, m.kept_id)
                       WHERE f.way = 'follow' AND b.relation = f.relation::text AND b.merge_id > m.id
                         AND EXISTS (SELECT FROM crm.merge_row a JOIN jsonb_each(b.key_before) e ON e.key <> f.column_name AND e.value = a.key_after -> 'id' WHERE a.merge_id = m.id)))
    ORDER BY x.id DESC
  LOOP
    relation := 'crm.merge_record'; key := later.id::text; forcible := false;
    why := format('customer %s was merged into customer %s afterwards, which changed the same rows: undo that first', later.dropped_id, later.kept_id);
    RETURN NEXT;
  END LOOP;
  IF FOUND THEN
    RETURN;
  END IF;
  IF NOT EXISTS (SELECT FROM crm.customer c WHERE c.id = m.kept_id) THEN
    relation := 'crm.customer'; key := m.kept_id::text; why := 'the customer kept was deleted'; forcible := false;
    RETURN NEXT;
    RETURN;
  ELSIF EXISTS (SELECT FROM crm.customer c WHERE c.id = m.dropped_id) THEN
    relation := 'crm.customer'; key := m.dropped_id::text; why := 'there is another customer with this key now'; forcible := false;
    RETURN NEXT;
  END IF;

  -- rows moved, filled or made: gone, or another merge or somebody changed what this one had changed
  RETURN QUERY
  SELECT r.relation, r.key_after::text,
         CASE WHEN n.image IS NULL THEN 'was moved or made by the merge and is gone' ELSE 'was changed since: ' || n.columns END, n.image IS NULL
  FROM crm.merge_row r
  CROSS JOIN LATERAL (SELECT crm._row_now(r.relation::regclass, r.key_after) AS image OFFSET 0) i
  CROSS JOIN LATERAL (
    SELECT i.image, string_agg(a.key, ', ' ORDER BY a.key) AS columns
    FROM jsonb_each(r.after) a
    WHERE a.value IS DISTINCT FROM i.image -> a.key AND a.key NOT IN ('updated_at', 'updated_by')
      AND (r.key_before IS NULL OR NOT EXISTS (SELECT FROM crm._customer_column f WHERE f.relation::text = r.relation AND f.column_name = a.key AND f.way = 'follow'))) n
  WHERE r.merge_id = m.id AND r.key_after IS NOT NULL AND (n.image IS NULL OR n.columns IS NOT NULL)
    AND (n.image IS NOT NULL OR EXISTS (SELECT FROM crm._customer_column b WHERE b.relation::text = r.relation AND b.binds))
  ORDER BY r.n;

  -- rows taken away that refer to something no longer there
  RETURN QUERY
  SELECT r.relation, r.key_before::text, 'refers to what is gone: ' || p.gone, false
  FROM crm.merge_row r
  CROSS JOIN LATERAL (SELECT * FROM crm._row_parents_gone(r.relation::regclass, r.before, m.dropped_id) OFFSET 0) p
  WHERE r.merge_id = m.id AND r.key_after IS NULL AND p.gone IS NOT NULL AND NOT p.went_along
  ORDER BY r.n;

  -- rows added, of which nobody knows whose they are
  RETURN QUERY
  SELECT b.key, k.value::text, 'was added since and may be of either customer', true
  FROM jsonb_each(crm._bound_keys((SELECT array_agg(ROW(NULL, 0, r.relation, NULL, r.key, NULL, r.image)::crm.merge_row) FROM crm._customer_rows(ARRAY[m.kept_id]) r),
                                  m.kept_id)) b
  CROSS JOIN LATERAL jsonb_array_elements(b.value) k
  LEFT JOIN LATERAL (SELECT o.value FROM jsonb_array_elements(m.kept_keys -> b.key) o) o ON o.value = k.value
  WHERE o.value IS NULL
  ORDER BY 1, 2;
END
$$;
COMMENT ON FUNCTION crm.unmerge_blockers(bigint) IS
  'What depends on a merge by now, and why: no row when crm.unmerge() would give equal rows back. forcible: crm.unmerge(forced => true) passes over it. Errors: 23503 no such merge, 55000 undone already.';
REVOKE ALL ON FUNCTION crm.unmerge_blockers(bigint) FROM PUBLIC;

CREATE FUNCTION crm._restore_key(relation regclass, key jsonb, image jsonb) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
  k crm._key_table := (SELECT x FROM crm._key_table x WHERE x.relation = _restore_key.relation);
  there boolean;
BEGIN
  EXECUTE format('SELECT EXISTS (SELECT FROM %s o, jsonb_populate_record(NULL::%s, $1) t WHERE %s)', k.target, k.relation, k.same) INTO there USING image;
  IF NOT there THEN
    RETURN;
  ELSIF crm._row_now(k.relation, key) IS NOT NULL THEN
    PERFORM crm._row_set(k.relation, key, image);
  ELSE
    PERFORM crm._row_insert(k.relation, key, image);
  END IF;
  INSERT INTO crm.key_change (key_table, source_system, source_key) VALUES (substr(k.relation::text, 5), key ->> 'source_system', key ->> 'source_key')
  ON CONFLICT (key_table, source_system, source_key) DO UPDATE SET changed_at = now();
END
$$;
COMMENT ON FUNCTION crm._restore_key(regclass, jsonb, jsonb) IS 'Lets a source key mean the row that it meant, if that is there.';
REVOKE ALL ON FUNCTION crm._restore_key(regclass, jsonb, jsonb) FROM PUBLIC;

CREATE FUNCTION crm._restore(m crm.merge_record) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  r record;
  key jsonb;
  now jsonb;
  back jsonb;
  -- source keys that mean what the merge made them mean, or nothing, wherever their rows go in between
  keys CONSTANT integer[] := ARRAY(
    SELECT x.n FROM crm.merge_row x JOIN crm._key_table k ON k.relation::text = x.relation
    WHERE x.merge_id = m.id AND x.key_before IS NOT NULL AND crm._row_now(k.relation, x.key_before) IS NOT DISTINCT FROM x.after);
BEGIN
  -- rows that the merge made, the last tables first
  FOR r IN
    SELECT x.relation::regclass AS relation, x.key_after FROM crm.merge_row x
    JOIN (SELECT c.relation, max(c.step) AS step FROM crm._customer_column c GROUP BY c.relation) t ON t.relation::text = x.relation
    WHERE x.merge_id = m.id AND x.key_before IS NULL ORDER BY t.step DESC, x.relation, x.n
  LOOP
    PERFORM crm._row_delete(r.relation, r.key_after);
  END LOOP;
  -- the others, the first tables first: what follows a row is where it was by then
  FOR r IN
    SELECT x.relation::regclass AS relation, x.key_before, x.key_after, x.before, x.after, x.n = ANY (keys) AS is_key,
           EXISTS (SELECT FROM crm._key_table k WHERE k.relation::text = x.relation) AS keyed
    FROM crm.merge_row x
    LEFT JOIN (SELECT c.relation, max(c.step) AS step FROM crm._customer_column c GROUP BY c.relation) t ON t.relation::text = x.relation
    WHERE x.merge_id = m.id AND x.key_before IS NOT NULL
    ORDER BY coalesce(t.step, -1), x.relation, x.key_after IS NULL, x.n
  LOOP
    IF r.is_key THEN
      PERFORM crm._restore_key(r.relation, r.key_before, r.before);
    ELSIF r.keyed THEN
      CONTINUE;
    ELSIF r.key_after IS NOT NULL THEN
      -- it may have come half the way with a row that it follows
      FOREACH key IN ARRAY ARRAY[r.key_before, r.key_after || coalesce((
        SELECT jsonb_object_agg(f.column_name, r.key_before -> f.column_name) FROM crm._customer_column f
        WHERE f.relation = r.relation AND f.way = 'follow' AND r.key_before ? f.column_name), '{}'), r.key_after] LOOP
        now := crm._row_now(r.relation, key);
        EXIT WHEN now IS NOT NULL;
      END LOOP;
      back := (SELECT jsonb_object_agg(b.key, b.value) FROM jsonb_each(r.before) b
               WHERE now -> b.key = r.after -> b.key AND b.value IS DISTINCT FROM now -> b.key);
      IF back IS NOT NULL THEN
        PERFORM crm._row_set(r.relation, key, back);
        PERFORM crm._row_agree(r.relation, r.key_before, back);
      END IF;
    ELSIF NOT (crm._row_parents_gone(r.relation, r.before, m.dropped_id)).went_along THEN
      PERFORM crm._row_insert(r.relation, r.key_before, r.before);
    END IF;
  END LOOP;
  FOR r IN
    SELECT x.relation::regclass AS relation, x."column" AS column_name, x.number, x.old, x.new, a.attidentity = 'a' AS always
    FROM jsonb_to_recordset(m.renumbered) x (relation text, "column" text, number text, old bigint, new bigint)
    JOIN pg_attribute a ON a.attrelid = x.relation::regclass AND a.attname = x.number
  LOOP
    key := jsonb_build_object(r.column_name, m.dropped_id, r.number, r.new);
    back := jsonb_build_object(r.number, r.old);
    IF r.always THEN
      now := crm._row_now(r.relation, key);
      PERFORM crm._row_delete(r.relation, key);
      PERFORM crm._row_insert(r.relation, key || back, now || back);
    ELSE
      PERFORM crm._row_set(r.relation, key, back);
    END IF;
  END LOOP;
END
$$;
COMMENT ON FUNCTION crm._restore(crm.merge_record) IS 'Puts the rows of a merge back as they were.';
REVOKE ALL ON FUNCTION crm._restore(crm.merge_record) FROM PUBLIC;

CREATE FUNCTION crm.unmerge(merge_id bigint, reason text, forced boolean DEFAULT false) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  m crm.merge_record;
  n bigint;
  blockers text;
BEGIN
  IF unmerge.merge_id IS NULL OR unmerge.reason IS NULL OR forced IS NULL THEN
    RAISE EXCEPTION 'merge_id, reason and forced must not be null' USING ERRCODE = 'null_value_not_allowed';
  ELSIF btrim(unmerge.reason) = '' THEN
    RAISE EXCEPTION 'undoing a merge needs a reason' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  SELECT * INTO m FROM crm.merge_record x WHERE x.id = unmerge.merge_id;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'there is no merge "%"', unmerge.merge_id USING ERRCODE = 'foreign_key_violation', HINT = 'crm.merge_record lists the merges.';
  END IF;
  PERFORM crm._lock_for_merge(ARRAY[m.kept_id], NULL, true);
  SELECT count(*), string_agg(format('%s %s %s', b.relation, b.key, b.why), E'\n') FILTER (WHERE b.n <= 100) INTO n, blockers
  FROM (SELECT x.*, row_number() OVER () AS n FROM crm.unmerge_blockers(unmerge.merge_id) x WHERE NOT (forced AND x.forcible)) b;
  IF n > 0 THEN
    RAISE EXCEPTION 'merge "%" cannot be undone: % rows depend on it', m.id, n
      USING ERRCODE = 'dependent_objects_still_exist', DETAIL = blockers,
            HINT = 'crm.unmerge_blockers() lists them. With forced => true rows added since stay with the customer kept, and rows deleted since stay away.';
  END IF;
  UPDATE crm.merge_record x SET state = 'unmerging' WHERE x.id = m.id;
  PERFORM crm._restore(m);
  UPDATE crm.merge_record x
  SET state = 'undone', undone_at = clock_timestamp(), undone_by = crm.actor(), undone_reason = unmerge.reason WHERE x.id = m.id;
  RETURN m.dropped_id;
END
$$;
COMMENT ON FUNCTION crm.unmerge(bigint, text, boolean) IS
  'Undoes a merge: both customers have their rows again, equal in every column but for what was changed about them since. Figures follow at commit. Returns the customer who is back. Refused with 2BP01 while something depends on the merge, which the detail and crm.unmerge_blockers() list: a later merge of that customer, rows changed, deleted or added since; forced: rows added since stay with the customer kept, rows deleted stay away. Other errors: 22004, 22023 no reason, 23503 no such merge, 55000 undone already, 25001 beyond read committed. 撤销合并';
REVOKE ALL ON FUNCTION crm.unmerge(bigint, text, boolean) FROM PUBLIC;

INSERT INTO crm.duty_right (duty, privilege, kind, object) VALUES
  ('manager', 'EXECUTE', 'FUNCTION', 'crm.unmerge_blockers(bigint)'),
  ('manager', 'EXECUTE', 'FUNCTION', 'crm.unmerge(bigint, text, boolean)');
