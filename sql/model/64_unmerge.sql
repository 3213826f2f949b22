-- book: undoing a merge

CREATE FUNCTION crm._row_now(relation regclass, key jsonb) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
  columns CONSTANT text[] := crm._row_key(relation);
  image jsonb;
BEGIN
  EXECUTE format('SELECT %s FROM %s t WHERE (%s) = (SELECT %s FROM jsonb_populate_record(NULL::%s, $1) k)',
                 (crm._row_image(relation, 't')).image, relation, (SELECT string_agg(format('t.%I', c), ', ') FROM unnest(columns) c),
                 (SELECT string_agg(format('k.%I', c), ', ') FROM unnest(columns) c), relation)
  INTO image USING key;
  RETURN image;
END
$$;
COMMENT ON FUNCTION crm._row_now(regclass, jsonb) IS 'The row of this key as it stands; NULL: none.';
REVOKE ALL ON FUNCTION crm._row_now(regclass, jsonb) FROM PUBLIC;

CREATE FUNCTION crm._row_set(relation regclass, key jsonb, changes jsonb) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
  columns CONSTANT text[] := crm._row_key(relation);
  n bigint;
BEGIN
  EXECUTE format('UPDATE %s t SET %s WHERE (%s) = (SELECT %s FROM jsonb_populate_record(NULL::%s, $1) k)', relation,
                 (SELECT string_agg(format('%I = (SELECT r.%I FROM jsonb_populate_record(NULL::%s, $2) r)', c, c, relation), ', ') FROM jsonb_object_keys(changes) c),
                 (SELECT string_agg(format('t.%I', c), ', ') FROM unnest(columns) c),
                 (SELECT string_agg(format('k.%I', c), ', ') FROM unnest(columns) c), relation)
  USING key, changes;
  GET DIAGNOSTICS n = ROW_COUNT;
  RETURN n = 1;
END
$$;
COMMENT ON FUNCTION crm._row_set(regclass, jsonb, jsonb) IS 'Sets columns of the row of this key; whether there is one.';
REVOKE ALL ON FUNCTION crm._row_set(regclass, jsonb, jsonb) FROM PUBLIC;

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
BEGIN
  SELECT * INTO m FROM crm.merge_record x WHERE x.id = unmerge_blockers.merge_id;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'there is no merge "%"', unmerge_blockers.merge_id USING ERRCODE = 'foreign_key_violation', HINT = 'crm.merge_record lists the merges.';
  ELSIF m.state <> 'merged' THEN
    RAISE EXCEPTION 'merge "%" was undone already', m.id
      USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = format('By %s on %s.', m.undone_by, m.undone_at);
  END IF;
  FOR later IN SELECT * FROM crm.merge_record x WHERE x.id > m.id AND x.state = 'merged' AND m.kept_id IN (x.kept_id, x.dropped_id) ORDER BY x.id LOOP
    relation := 'crm.merge_record'; key := later.id::text; forcible := false;
    why := format('customer %s was merged into customer %s afterwards: undo that first', later.dropped_id, later.kept_id);
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
  FROM jsonb_each(crm._bound_keys(m.kept_id)) b
  CROSS JOIN LATERAL jsonb_array_elements(b.value) k
  LEFT JOIN LATERAL (SELECT o.value FROM jsonb_array_elements(m.kept_keys -> b.key) o) o ON o.value = k.value
  WHERE o.value IS NULL
  ORDER BY 1, 2;
END
$$;
COMMENT ON FUNCTION crm.unmerge_blockers(bigint) IS
  'What depends on a merge by now, and why: no row when crm.unmerge() would give equal rows back. forcible: crm.unmerge(forced => true) passes over it. Errors: 23503 no such merge, 55000 undone already.';
REVOKE ALL ON FUNCTION crm.unmerge_blockers(bigint) FROM PUBLIC;

CREATE FUNCTION crm._restore(m crm.merge_record) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  r record;
  now jsonb;
  back jsonb;
BEGIN
  -- rows that the merge made, the last tables first
  FOR r IN
    SELECT x.relation::regclass AS relation, x.key_after FROM crm.merge_row x
    JOIN (SELECT c.relation, max(c.step) AS step FROM crm._customer_column c GROUP BY c.relation) t ON t.relation::text = x.relation
    WHERE x.merge_id = m.id AND x.key_before IS NULL ORDER BY t.step DESC, x.relation, x.n
  LOOP
    EXECUTE format('DELETE FROM %s t WHERE (%s) = (SELECT %s FROM jsonb_populate_record(NULL::%s, $1) k)', r.relation,
                   (SELECT string_agg(format('t.%I', c), ', ') FROM unnest(crm._row_key(r.relation)) c),
                   (SELECT string_agg(format('k.%I', c), ', ') FROM unnest(crm._row_key(r.relation)) c), r.relation) USING r.key_after;
  END LOOP;
  -- the others, the first tables first: what follows a row is where it was by then
  FOR r IN
    SELECT x.relation::regclass AS relation, x.key_before, x.key_after, x.before, x.after FROM crm.merge_row x
    LEFT JOIN (SELECT c.relation, max(c.step) AS step FROM crm._customer_column c GROUP BY c.relation) t ON t.relation::text = x.relation
    WHERE x.merge_id = m.id AND x.key_before IS NOT NULL
    ORDER BY coalesce(t.step, -1), x.relation, x.key_after IS NULL, x.n
  LOOP
    IF r.key_after IS NOT NULL THEN
      now := coalesce(crm._row_now(r.relation, r.key_before), crm._row_now(r.relation, r.key_after));
      back := (SELECT jsonb_object_agg(b.key, b.value) FROM jsonb_each(r.before) b
               WHERE now -> b.key = r.after -> b.key AND b.value IS DISTINCT FROM now -> b.key);
      IF back IS NOT NULL THEN
        IF NOT crm._row_set(r.relation, r.key_before, back) THEN
          PERFORM crm._row_set(r.relation, r.key_after, back);
        END IF;
        PERFORM crm._row_agree(r.relation, r.key_before, back);
      END IF;
    ELSIF NOT (crm._row_parents_gone(r.relation, r.before, m.dropped_id)).went_along THEN
      PERFORM crm._row_insert(r.relation, r.key_before, r.before);
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
