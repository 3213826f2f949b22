-- import: writing what was found, and finding the rows to blame where the book objects

CREATE FUNCTION crm._import_collect_customers(kind text, source_system text, relation text, clean boolean) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  found record;
BEGIN
  FOR found IN
    SELECT x.name, x.key_table,
           EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = ('crm.' || x.key_table)::regclass AND a.attname = 'policy_id') AS of_policy
    FROM (SELECT 'source_key' AS name, k.key_table FROM crm.import_kind k WHERE k.kind = _import_collect_customers.kind
          UNION ALL
          SELECT c.name, r.key_table FROM crm.import_column c JOIN crm.import_kind r ON r.kind = c.refers WHERE c.kind = _import_collect_customers.kind) x
    WHERE EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = to_regclass('crm.' || x.key_table) AND a.attname = 'customer_id')
  LOOP
    EXECUTE format(
      'INSERT INTO crm_import_lock (id) SELECT k.customer_id FROM %s JOIN crm.%I k ON k.source_system = %L AND k.source_key = %s',
      relation, found.key_table, source_system, CASE WHEN clean THEN crm._import_clean(format('d.%I', found.name)) ELSE format('d.%I', found.name) END);
    IF found.of_policy THEN
      EXECUTE format(
        'INSERT INTO crm_import_lock (id) SELECT n.insured_id FROM %s JOIN crm.%I k ON k.source_system = %L AND k.source_key = %s
         JOIN crm.policy_insured n ON n.policy_id = k.policy_id',
        relation, found.key_table, source_system, CASE WHEN clean THEN crm._import_clean(format('d.%I', found.name)) ELSE format('d.%I', found.name) END);
    END IF;
  END LOOP;
END
$$;
COMMENT ON FUNCTION crm._import_collect_customers(text, text, text, boolean) IS 'Puts into crm_import_lock the standing customers whom rows d of a kind name or whose rows they name, insured persons included.';
REVOKE ALL ON FUNCTION crm._import_collect_customers(text, text, text, boolean) FROM PUBLIC;

CREATE FUNCTION crm._import_lock(kinds text[], source_system text, staged boolean) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  kind text;
BEGIN
  CREATE TEMP TABLE crm_import_lock (id bigint);
  FOREACH kind IN ARRAY kinds LOOP
    PERFORM crm._import_collect_customers(kind, source_system, CASE WHEN staged THEN format('crm.%I d', 'import_' || kind) ELSE 'crm_import_row d' END, staged);
  END LOOP;
  ANALYZE crm_import_lock;
  PERFORM FROM crm.customer c WHERE c.id IN (SELECT l.id FROM crm_import_lock l) ORDER BY c.id FOR NO KEY UPDATE;
  DROP TABLE crm_import_lock;
END
$$;
COMMENT ON FUNCTION crm._import_lock(text[], text, boolean) IS 'Locks the standing customers whom rows of some kinds touch, in order of id: rows still staged, or those of crm_import_row.';
REVOKE ALL ON FUNCTION crm._import_lock(text[], text, boolean) FROM PUBLIC;

CREATE FUNCTION crm._import_lock_target(kind text) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  own constant crm.import_kind := (SELECT k FROM crm.import_kind k WHERE k.kind = _import_lock_target.kind);
BEGIN
  IF own.key_table IS NULL AND crm._key_columns(('crm.' || own.target)::regclass) <@ '{id,code,field}' AND EXISTS (SELECT FROM crm_import_change t WHERE t._action <> 'unchanged') THEN
    PERFORM pg_advisory_xact_lock('crm.import_kind'::regclass::oid::integer, own.position);
    RETURN true;
  END IF;
  RETURN false;
END
$$;
COMMENT ON FUNCTION crm._import_lock_target(text) IS 'Lets imports that change rows known by a code, whatever their system, go one after the other. True when it took the lock.';
REVOKE ALL ON FUNCTION crm._import_lock_target(text) FROM PUBLIC;

CREATE FUNCTION crm._import_statements(kind text, source_system text) RETURNS text[]
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  own constant crm.import_kind := (SELECT k FROM crm.import_kind k WHERE k.kind = _import_statements.kind);
  parts constant text[] := crm._key_columns(('crm.' || own.target)::regclass);
  written constant text[] := (SELECT array_agg(t.target ORDER BY t.nth, t.target) FROM crm._import_targets(own.kind) t WHERE t.first);
  changing constant text[] := (SELECT array_agg(t.target ORDER BY t.nth, t.target) FROM crm._import_targets(own.kind) t
                               WHERE t.first AND (own.key_table IS NOT NULL OR NOT t.name = ANY (own.key_columns)));
  inserted text[] := written;
  within constant text := 't.row_no BETWEEN $1 AND $2';
BEGIN
  IF 'id' = ANY (parts) AND NOT 'id' = ANY (written) THEN
    inserted := 'id'::text || written;
  END IF;
  RETURN ARRAY[
    format('INSERT INTO crm.%I (%s) OVERRIDING SYSTEM VALUE SELECT %s FROM crm_import_change t WHERE t._action = ''insert'' AND %s ORDER BY t.row_no',
           own.target, (SELECT string_agg(quote_ident(x), ', ' ORDER BY n) FROM unnest(inserted) WITH ORDINALITY u (x, n)),
           (SELECT string_agg(format('t.%I', x), ', ' ORDER BY n) FROM unnest(inserted) WITH ORDINALITY u (x, n)), within),
    (SELECT format('UPDATE crm.%I o SET %s FROM crm_import_change t WHERE %s AND t._action = ''update'' AND %s', own.target,
                   string_agg(format('%1$I = t.%1$I', x), ', '), (SELECT string_agg(format('o.%I = t.%I', p, '_old_' || p), ' AND ') FROM unnest(parts) p), within)
     FROM unnest(changing) x HAVING count(*) > 0),
    CASE WHEN own.key_table IS NOT NULL THEN
      format('INSERT INTO crm.%I (source_system, source_key, %s) SELECT %L, t._key, %s FROM crm_import_change t WHERE t._action = ''insert'' AND %s ORDER BY t.row_no',
             own.key_table, (SELECT string_agg(quote_ident(x), ', ' ORDER BY n) FROM unnest(crm._import_key_columns(own.kind)) WITH ORDINALITY u (x, n)), source_system,
             (SELECT string_agg(format('t.%I', x), ', ' ORDER BY n) FROM unnest(parts) WITH ORDINALITY u (x, n)), within) END,
    CASE WHEN own.hook IS NOT NULL THEN format('SELECT crm.%I($1, $2)', own.hook) END,
    format('SELECT count(*) FROM crm_import_change t WHERE t._action <> ''unchanged'' AND %s', within)];
END
$$;
COMMENT ON FUNCTION crm._import_statements(text, text) IS 'Statements that write the changes of rows $1 to $2 of a kind: insert, update, keep the source keys, call the hook, count what is due.';
REVOKE ALL ON FUNCTION crm._import_statements(text, text) FROM PUBLIC;

CREATE FUNCTION crm._import_write(statements text[], low bigint, high bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  written bigint;
  changed bigint := 0;
  due bigint;
BEGIN
  EXECUTE statements[1] USING low, high;
  GET DIAGNOSTICS written = ROW_COUNT;
  IF statements[2] IS NOT NULL THEN
    EXECUTE statements[2] USING low, high;
    GET DIAGNOSTICS changed = ROW_COUNT;
  END IF;
  FOR i IN 3 .. 4 LOOP
    IF statements[i] IS NOT NULL THEN
      EXECUTE statements[i] USING low, high;
    END IF;
  END LOOP;
  EXECUTE statements[5] INTO due USING low, high;
  IF written + changed <> due THEN
    RAISE EXCEPTION 'the row was not written' USING ERRCODE = 'integrity_constraint_violation',
      DETAIL = 'A trigger kept it out, or what it changes was deleted meanwhile.';
  END IF;
END
$$;
COMMENT ON FUNCTION crm._import_write(text[], bigint, bigint) IS 'Makes the changes of the rows low to high.';
REVOKE ALL ON FUNCTION crm._import_write(text[], bigint, bigint) FROM PUBLIC;

CREATE FUNCTION crm._import_blame(kind text, row_no bigint, code text, message text, detail text, hint text, constraint_name text, column_name text, context text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  rule crm.import_rule;
BEGIN
  SELECT * INTO rule FROM crm.import_rule r
  WHERE r.kind = _import_blame.kind AND r.constraint_name IN (_import_blame.constraint_name, substring(split_part(context, E'\n', 1) FROM 'crm\.(_\w+)\('))
  ORDER BY r.nth LIMIT 1;
  IF rule.message IS NOT NULL THEN
    message := rule.message;
    hint := rule.hint;
  ELSIF code = '23505' THEN
    message := 'another row is there already that this one may not stand beside';
    hint := detail;
  ELSIF constraint_name <> '' THEN
    hint := coalesce(nullif(hint, ''), nullif(detail, ''));
    message := format('does not fit the rule "%s"', constraint_name);
  END IF;
  column_name := coalesce(rule.column_name,
    (SELECT min(t.name) FROM crm._import_targets(_import_blame.kind) t WHERE t.target = _import_blame.column_name AND t.first));
  INSERT INTO crm_import_fault (row_no, column_name, code, message, value, hint)
  SELECT w.row_no, _import_blame.column_name, _import_blame.code, left(_import_blame.message, 300), to_jsonb(w) ->> _import_blame.column_name,
         coalesce(nullif(_import_blame.hint, ''), nullif(left(detail, 300), ''))
  FROM crm_import_row w WHERE w.row_no = _import_blame.row_no;
END
$$;
COMMENT ON FUNCTION crm._import_blame(text, bigint, text, text, text, text, text, text, text) IS 'Notes an error of a constraint or a trigger as the fault of a row, in the words of crm.import_rule where it has any.';
REVOKE ALL ON FUNCTION crm._import_blame(text, bigint, text, text, text, text, text, text, text) FROM PUBLIC;

CREATE FUNCTION crm._import_write_part(kind text, statements text[], low bigint, high bigint) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  half constant bigint := low + (high - low) / 2;
  code text;
  message text;
  detail text;
  hint text;
  constraint_name text;
  column_name text;
  context text;
BEGIN
  IF low > high OR NOT EXISTS (SELECT FROM crm_import_change t WHERE t.row_no BETWEEN low AND high AND t._action <> 'unchanged') THEN
    RETURN true;
  END IF;
  BEGIN
    PERFORM crm._import_write(statements, low, high);
    RETURN true;
  EXCEPTION WHEN data_exception OR integrity_constraint_violation OR raise_exception OR with_check_option_violation OR program_limit_exceeded THEN
    GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT,
                            constraint_name = CONSTRAINT_NAME, column_name = COLUMN_NAME, context = PG_EXCEPTION_CONTEXT;
  END;
  IF low < high THEN
    PERFORM crm._import_write_part(kind, statements, low, half);
    PERFORM crm._import_write_part(kind, statements, half + 1, high);
  ELSE
    PERFORM crm._import_blame(kind, low, code, message, detail, hint, constraint_name, column_name, context);
  END IF;
  RETURN false;
END
$$;
COMMENT ON FUNCTION crm._import_write_part(text, text[], bigint, bigint) IS 'Makes the changes of the rows low to high. Where a constraint or a trigger of the tables objects, halves the rows until it has those to blame. False when there were any.';
REVOKE ALL ON FUNCTION crm._import_write_part(text, text[], bigint, bigint) FROM PUBLIC;

CREATE FUNCTION crm._import_write_all(kind text, source_system text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  statements constant text[] := crm._import_statements(kind, source_system);
  part constant bigint := 10000;
  low bigint;
  high bigint;
  complete boolean := true;
BEGIN
  SELECT min(t.row_no), max(t.row_no) INTO low, high FROM crm_import_change t WHERE t._action <> 'unchanged';
  -- a part that is refused as a whole does not undo the others
  WHILE low <= high LOOP
    complete := crm._import_write_part(kind, statements, low, least(low + part - 1, high)) AND complete;
    SELECT min(t.row_no) INTO low FROM crm_import_change t WHERE t._action <> 'unchanged' AND t.row_no >= low + part;
  END LOOP;
  IF NOT complete THEN
    PERFORM crm._import_drop_faulty();
  END IF;
END
$$;
COMMENT ON FUNCTION crm._import_write_all(text, text) IS 'Makes the changes of crm_import_change in parts, so that a fault found late costs one part.';
REVOKE ALL ON FUNCTION crm._import_write_all(text, text) FROM PUBLIC;
