-- import: finding what each row changes, and what rules it breaks

CREATE FUNCTION crm._import_targets(kind text) RETURNS TABLE (target text, nth integer, name text, expression text, first boolean)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT t.target, c.nth, c.name,
         CASE WHEN c.refers IS NOT NULL THEN coalesce(c.value, pg_catalog.format('w.%I', c.name || '_' || t.n))
              WHEN c.initial IS NULL THEN coalesce(c.value, pg_catalog.format('w.%I', c.name || '_'))
              ELSE pg_catalog.format('coalesce(%s, %s)', coalesce(c.value, pg_catalog.format('w.%I', c.name || '_')), c.initial) END,
         pg_catalog.row_number() OVER (PARTITION BY t.target ORDER BY c.nth) = 1
  FROM crm.import_column c CROSS JOIN LATERAL pg_catalog.unnest(c.targets) WITH ORDINALITY t (target, n)
  WHERE c.kind = _import_targets.kind;
END;
COMMENT ON FUNCTION crm._import_targets(text) IS 'Columns of the target with the expressions to be written; where several staging columns give one, the first decides.';
REVOKE ALL ON FUNCTION crm._import_targets(text) FROM PUBLIC;

CREATE FUNCTION crm._import_find_changes(kind text, source_system text, round integer) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  own constant crm.import_kind := (SELECT k FROM crm.import_kind k WHERE k.kind = _import_find_changes.kind);
  parts constant text[] := crm._key_columns(('crm.' || own.target)::regclass);
  key_parts text[];
  keys text[];
  joins text;
  held text;
  given text;
BEGIN
  SELECT string_agg(format('o.%I%s', t.target, x.suffix), ', ' ORDER BY t.nth, t.target), string_agg(format('v.%I%s', t.target, x.suffix), ', ' ORDER BY t.nth, t.target)
  INTO held, given
  FROM crm._import_targets(kind) t
  JOIN pg_attribute a ON a.attrelid = ('crm.' || own.target)::regclass AND a.attname = t.target
  JOIN pg_type y ON y.oid = a.atttypid
  CROSS JOIN LATERAL (SELECT CASE WHEN y.typnamespace <> 'pg_catalog'::regnamespace THEN '::text' ELSE '' END) x (suffix)
  WHERE t.first;
  IF own.key_table IS NOT NULL THEN
    key_parts := crm._import_key_columns(kind);
    joins := format(' LEFT JOIN crm.%I k ON k.source_system = %L AND k.source_key = w.source_key_ LEFT JOIN crm.%I o ON %s%s CROSS JOIN LATERAL (SELECT %s) v',
      own.key_table, source_system, own.target,
      (SELECT string_agg(format('o.%I = k.%I', p, q), ' AND ' ORDER BY n) FROM unnest(parts, key_parts) WITH ORDINALITY u (p, q, n)), ' ' || own.joins,
      (SELECT string_agg(format('%s AS %I', t.expression, t.target), ', ' ORDER BY t.nth) FROM crm._import_targets(kind) t WHERE t.first));
  ELSE
    SELECT array_agg(t.target ORDER BY t.nth, t.target) INTO keys FROM crm._import_targets(kind) t WHERE t.first AND t.name = ANY (own.key_columns);
    joins := format(' %s CROSS JOIN LATERAL (SELECT %s) v LEFT JOIN crm.%I o ON %s', own.joins,
      (SELECT string_agg(format('%s AS %I', t.expression, t.target), ', ' ORDER BY t.nth) FROM crm._import_targets(kind) t WHERE t.first),
      own.target, (SELECT string_agg(format('o.%I = v.%1$I', q), ' AND ') FROM unnest(keys) q));
  END IF;
  EXECUTE format(
    'CREATE TEMP TABLE crm_import_change AS
     SELECT x.*%s, CASE WHEN NOT x._exists THEN ''insert'' WHEN x._differs THEN ''update'' ELSE ''unchanged'' END AS _action
     FROM (SELECT %s w.row_no, w.row_key AS _key, v.*, %s, o.%I IS NOT NULL AS _exists,
                  (%s) IS DISTINCT FROM (%s) OR coalesce(%s, false) AS _differs%s
           FROM crm_import_row w%s
           WHERE w.round = %s AND NOT EXISTS (SELECT FROM crm_import_repeat r WHERE r.row_no = w.row_no)
           ORDER BY w.row_no%s) x',
    CASE WHEN 'id' = ANY (parts) AND NOT EXISTS (SELECT FROM crm._import_targets(kind) t WHERE t.target = 'id')
         THEN format(', CASE WHEN x._exists THEN x._old_id ELSE nextval(%L) END AS id', pg_get_serial_sequence('crm.' || own.target, 'id')) ELSE '' END,
    -- several events of one kind and day: the first one stands for them
    CASE WHEN own.key_table IS NULL AND 'id' = ANY (parts) THEN 'DISTINCT ON (w.row_no)' ELSE '' END,
    (SELECT string_agg(format('o.%I AS %I', p, '_old_' || p), ', ') FROM unnest(parts) p), parts[1],
    'ROW(' || held || ')', 'ROW(' || given || ')', own.also, own.extra, joins, round,
    CASE WHEN own.key_table IS NULL AND 'id' = ANY (parts) THEN ', o.id' ELSE '' END);
  CREATE UNIQUE INDEX ON crm_import_change (row_no);
  ANALYZE crm_import_change;

  IF own.key_table IS NOT NULL OR EXISTS (SELECT FROM crm.import_column c WHERE c.kind = own.kind AND c.name = ANY (own.key_columns) AND c.refers IS NOT NULL) THEN
    SELECT string_agg(format('t.%I', q), ', ') INTO given
    FROM unnest(CASE WHEN own.key_table IS NOT NULL THEN (SELECT array_agg('_old_' || p) FROM unnest(parts) p) ELSE keys END) q;
    EXECUTE format(
      'WITH twin AS (
         SELECT t.row_no, first_value(t.row_no) OVER (PARTITION BY %1$s ORDER BY y.changed_at NULLS FIRST, t._key, t.row_no) AS first_no
         FROM crm_import_change t
         LEFT JOIN crm.key_change y ON y.key_table = %3$L AND y.source_system = %4$L AND y.source_key = t._key
         WHERE (%1$s) IN (SELECT %1$s FROM crm_import_change t WHERE %2$s GROUP BY %1$s HAVING count(*) > 1)),
       gone AS (DELETE FROM crm_import_change t USING twin WHERE twin.row_no = t.row_no AND twin.first_no <> t.row_no)
       INSERT INTO crm_import_repeat SELECT row_no, first_no FROM twin WHERE row_no <> first_no',
      given, (SELECT string_agg(x || ' IS NOT NULL', ' AND ') FROM unnest(string_to_array(given, ', ')) x), own.key_table, source_system);
  END IF;
END
$$;
COMMENT ON FUNCTION crm._import_find_changes(text, text, integer) IS
  'Puts into crm_import_change what the rows of a round would write, what they find in the book, and whether they insert, update or change nothing. Of rows whose keys have come to mean one row, as after a merge, the one with the oldest key counts and the others repeat it.';
REVOKE ALL ON FUNCTION crm._import_find_changes(text, text, integer) FROM PUBLIC;

CREATE FUNCTION crm._import_constraints(kind text)
RETURNS TABLE (name text, condition text, column_name text, columns text[], code text, message text, hint text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT c.conname::text, pg_catalog.pg_get_expr(c.conbin, c.conrelid), coalesce(r.column_name, f.names[1]), f.names,
         coalesce(r.code, CASE WHEN pg_catalog.cardinality(c.conkey) > 1 THEN '23514' WHEN f.type IN ('integer', 'money') THEN '22003' WHEN f.type IN ('date', 'birth') THEN '22008' WHEN f.type = 'choice' THEN '22P02' ELSE '23514' END),
         coalesce(r.message, pg_catalog.format('does not fit the rule "%s" of crm.%s', c.conname, k.target)),
         coalesce(r.hint, CASE WHEN r.message IS NULL THEN pg_catalog.pg_get_constraintdef(c.oid) END)
  FROM crm.import_kind k
  JOIN pg_catalog.pg_constraint c ON c.conrelid = ('crm.' || k.target)::pg_catalog.regclass AND c.contype = 'c'
  CROSS JOIN LATERAL (
    SELECT pg_catalog.array_agg(DISTINCT t.name) AS names, pg_catalog.min(i.type) AS type,
           pg_catalog.count(DISTINCT t.target) = pg_catalog.cardinality(c.conkey) AS complete
    FROM pg_catalog.unnest(c.conkey) a (num)
    JOIN pg_catalog.pg_attribute b ON b.attrelid = c.conrelid AND b.attnum = a.num
    JOIN crm._import_targets(k.kind) t ON t.target = b.attname AND t.first
    JOIN crm.import_column i ON i.kind = k.kind AND i.name = t.name) f
  LEFT JOIN crm.import_rule r ON r.kind = k.kind AND r.constraint_name = c.conname
  WHERE k.kind = _import_constraints.kind AND f.complete
  ORDER BY pg_catalog.cardinality(c.conkey), c.conname;
END;
COMMENT ON FUNCTION crm._import_constraints(text) IS 'Check constraints of the target, as conditions on the rows to be written, with what to say of them.';
REVOKE ALL ON FUNCTION crm._import_constraints(text) FROM PUBLIC;

CREATE FUNCTION crm._import_note(conditions text[], names text[], columns text[], codes text[], messages text[], hints text[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF conditions IS NULL THEN
    RETURN;
  END IF;
  EXECUTE format(
    'INSERT INTO crm_import_fault (row_no, column_name, code, message, value, hint)
     SELECT t.row_no, f._column, f._code, f._message, to_jsonb(w) ->> f._column, f._hint
     FROM (SELECT * FROM crm_import_change t WHERE %2$s) t
     CROSS JOIN LATERAL (VALUES %1$s) f (_holds, _column, _columns, _code, _message, _hint)
     JOIN crm_import_row w ON w.row_no = t.row_no
     WHERE NOT f._holds
       AND NOT EXISTS (SELECT FROM crm_import_fault x WHERE x.row_no = t.row_no AND x.column_name = ANY (f._columns))',
    (SELECT string_agg(format('((%s), %L::text, %L::text[], %L::text, %L::text, %L::text)', c, n, string_to_array(s, ','), e, m, h), ', ')
     FROM unnest(conditions, names, columns, codes, messages, hints) u (c, n, s, e, m, h)),
    (SELECT string_agg(format('NOT (%s)', c), ' OR ') FROM unnest(conditions) c));
END
$$;
COMMENT ON FUNCTION crm._import_note(text[], text[], text[], text[], text[], text[]) IS 'Notes the rows of crm_import_change for which conditions are false, unless a column of the condition is faulty already; columns with commas between them.';
REVOKE ALL ON FUNCTION crm._import_note(text[], text[], text[], text[], text[], text[]) FROM PUBLIC;

CREATE FUNCTION crm._import_check_rules(kind text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  clash record;
BEGIN
  PERFORM crm._import_note(array_agg(r.condition ORDER BY r.nth), array_agg(r.column_name ORDER BY r.nth), array_agg(r.column_name ORDER BY r.nth),
                           array_agg(r.code ORDER BY r.nth), array_agg(r.message ORDER BY r.nth), array_agg(r.hint ORDER BY r.nth))
  FROM crm.import_rule r WHERE r.kind = _import_check_rules.kind AND r.condition IS NOT NULL;
  PERFORM crm._import_note(array_agg(c.condition), array_agg(c.column_name), array_agg(array_to_string(c.columns, ',')), array_agg(c.code), array_agg(c.message), array_agg(c.hint))
  FROM crm._import_constraints(kind) c;
  -- two columns that name rows of different customers
  FOR clash IN
    SELECT t.name, t.expression, t.target, u.name AS first_name, k.noun
    FROM crm._import_targets(kind) t
    JOIN crm._import_targets(kind) u ON u.target = t.target AND u.first
    JOIN crm.import_column c ON c.kind = _import_check_rules.kind AND c.name = u.name JOIN crm.import_kind k ON k.kind = c.refers
    WHERE NOT t.first
  LOOP
    EXECUTE format(
      'INSERT INTO crm_import_fault (row_no, column_name, code, message, value, hint)
       SELECT w.row_no, %1$L, ''23514'', %2$L, w.%1$I, ''Correct one of the two columns.''
       FROM crm_import_change t JOIN crm_import_row w ON w.row_no = t.row_no
       WHERE %3$s <> t.%4$I AND NOT EXISTS (SELECT FROM crm_import_fault x WHERE x.row_no = t.row_no AND x.column_name = %1$L)',
      clash.name, format('does not belong to the %s of column %s', clash.noun, clash.first_name), clash.expression, clash.target);
  END LOOP;
END
$$;
COMMENT ON FUNCTION crm._import_check_rules(text) IS 'Notes the rules and the constraints of the target that the rows to be written break.';
REVOKE ALL ON FUNCTION crm._import_check_rules(text) FROM PUBLIC;

CREATE FUNCTION crm._import_drop_faulty() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  DELETE FROM crm_import_change t USING crm_import_fault f WHERE f.row_no = t.row_no;
END
$$;
COMMENT ON FUNCTION crm._import_drop_faulty() IS 'Takes rows with a fault out of the changes to be made.';
REVOKE ALL ON FUNCTION crm._import_drop_faulty() FROM PUBLIC;
