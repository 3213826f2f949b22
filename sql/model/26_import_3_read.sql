-- import: taking rows from a staging table, finding what is wrong with single values and with repeated keys

CREATE FUNCTION crm._import_key_list(kind text, alias text) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT pg_catalog.string_agg(crm._import_clean(pg_catalog.format('%s.%I', alias, c)), ', ' ORDER BY n)
  FROM crm.import_kind k CROSS JOIN LATERAL pg_catalog.unnest(k.key_columns) WITH ORDINALITY u (c, n)
  WHERE k.kind = _import_key_list.kind;
END;
COMMENT ON FUNCTION crm._import_key_list(text, text) IS 'Expressions for the key columns of a row of a staging table.';
REVOKE ALL ON FUNCTION crm._import_key_list(text, text) FROM PUBLIC;

CREATE FUNCTION crm._import_waiting(kind text, source_system text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT pg_catalog.format('FROM crm.%I d WHERE coalesce(%s, %L) = %3$L', 'import_' || kind, crm._import_clean('d.source_system'), source_system);
END;
COMMENT ON FUNCTION crm._import_waiting(text, text) IS 'FROM and WHERE for the rows of a kind that wait for a source system.';
REVOKE ALL ON FUNCTION crm._import_waiting(text, text) FROM PUBLIC;

-- A key that stands in several rows is seen as a whole, wherever the rows are.
CREATE FUNCTION crm._import_bound(kind text, source_system text, at_most bigint, repeats boolean) RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  waiting constant text := crm._import_waiting(kind, source_system);
  low bigint;
  upto bigint;
  beyond bigint[];
BEGIN
  EXECUTE format('SELECT min(x.row_no), max(x.row_no) FROM (SELECT d.row_no %s ORDER BY d.row_no LIMIT %s) x', waiting, at_most) INTO low, upto;
  IF NOT repeats THEN
    RETURN format(' AND d.row_no BETWEEN %s AND %s', coalesce(low, 0), coalesce(upto, 0));
  END IF;
  EXECUTE format('CREATE TEMP TABLE crm_import_taken AS SELECT DISTINCT ARRAY[%s] AS k %s AND d.row_no <= %s',
                 crm._import_key_list(kind, 'd'), waiting, coalesce(upto, 0));
  ANALYZE crm_import_taken;
  EXECUTE format('SELECT array_agg(x.row_no) FROM (SELECT d.row_no, ARRAY[%s] AS k %s AND d.row_no > %s) x JOIN crm_import_taken t USING (k)',
                 crm._import_key_list(kind, 'd'), waiting, coalesce(upto, 0)) INTO beyond;
  DROP TABLE crm_import_taken;
  RETURN format(' AND (d.row_no BETWEEN %s AND %s%s)', coalesce(low, 0), coalesce(upto, 0), ' OR d.row_no = ANY (' || quote_literal(beyond) || '::bigint[])');
END
$$;
COMMENT ON FUNCTION crm._import_bound(text, text, bigint, boolean) IS 'Condition on the next rows of a kind to take, about at_most of them; repeats: whether keys may stand in several rows.';
REVOKE ALL ON FUNCTION crm._import_bound(text, text, bigint, boolean) FROM PUBLIC;

CREATE FUNCTION crm._import_join(c crm.import_column, source_system text) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  k crm.import_kind;
BEGIN
  SELECT * INTO STRICT k FROM crm.import_kind x WHERE x.kind = c.refers;
  RETURN CASE WHEN k.key_table IS NOT NULL
    THEN format(' LEFT JOIN crm.%I %I ON %2$I.source_system = %3$L AND %2$I.source_key = s.%4$I', k.key_table, c.name || '_', source_system, c.name)
    ELSE format(' LEFT JOIN crm.%I %I ON %2$I.%I = s.%I', k.target, c.name || '_', k.key_columns[1], c.name) END;
END
$$;
COMMENT ON FUNCTION crm._import_join(crm.import_column, text) IS 'Join that finds the row which a column refers to: by its source key or its code, and nowhere else.';
REVOKE ALL ON FUNCTION crm._import_join(crm.import_column, text) FROM PUBLIC;

CREATE FUNCTION crm._import_read(kind text, source_system text, at_most bigint, first_row bigint, repeats boolean) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  col crm.import_column;
  own constant crm.import_kind := (SELECT k FROM crm.import_kind k WHERE k.kind = _import_read.kind);
  names text[];
  cleaned text := '';
  columns text := '';
  joins text := '';
  n bigint;
BEGIN
  FOR col IN SELECT * FROM crm.import_column c WHERE c.kind = _import_read.kind ORDER BY c.nth LOOP
    cleaned := cleaned || format(', %s AS %I', crm._import_clean(format('d.%I', col.name)), col.name);
    columns := columns || format(', s.%I', col.name);
    IF col.refers IS NULL THEN
      columns := columns || format(', %s AS %I', crm._import_parsed(col.type, format('s.%I', col.name), col.choices), col.name || '_');
    ELSE
      names := crm._import_key_columns(col.refers);
      joins := joins || crm._import_join(col, source_system);
      FOR i IN 1 .. cardinality(names) LOOP
        columns := columns || format(', %I.%I AS %I', col.name || '_', names[i], col.name || '_' || i);
      END LOOP;
    END IF;
  END LOOP;
  EXECUTE format(
    'CREATE TEMP TABLE crm_import_row AS
     WITH s AS (DELETE %s%s RETURNING d.row_no%s)
     SELECT %s AS row_no, %s AS round, left(concat_ws('' / '', %s), 650) AS row_key%s FROM s%s',
    crm._import_waiting(kind, source_system), CASE WHEN at_most IS NULL OR own.whole THEN '' ELSE crm._import_bound(kind, source_system, at_most, repeats) END, cleaned,
    CASE WHEN first_row IS NULL THEN 'row_number() OVER (ORDER BY s.row_no)' ELSE format('s.row_no - %s + 1', first_row) END,
    CASE WHEN own.whole THEN 'NULL::integer' ELSE '0' END,
    (SELECT string_agg(format('s.%I', x), ', ') FROM unnest(own.key_columns) x), columns, joins);
  GET DIAGNOSTICS n = ROW_COUNT;
  CREATE UNIQUE INDEX ON crm_import_row (row_no);
  ANALYZE crm_import_row;
  CREATE TEMP TABLE crm_import_fault (row_no bigint, column_name text, code text, message text, value text, hint text, follows text);
  CREATE TEMP TABLE crm_import_repeat (row_no bigint, first_no bigint);
  RETURN n;
END
$$;
COMMENT ON FUNCTION crm._import_read(text, text, bigint, bigint, boolean) IS 'Takes waiting rows of one kind into crm_import_row: values as text and, with a trailing underscore, as what they mean, of references with the number of the part of the key. Gives the number of rows.';
REVOKE ALL ON FUNCTION crm._import_read(text, text, bigint, bigint, boolean) FROM PUBLIC;

CREATE FUNCTION crm._import_check_values(kind text, "references" boolean) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  col crm.import_column;
  parsed text;
  wrong text;
  wrongs text := '';
  faults text := '';
BEGIN
  FOR col IN
    SELECT * FROM crm.import_column c
    WHERE c.kind = _import_check_values.kind AND coalesce(c.refers = c.kind, false) = _import_check_values.references ORDER BY c.nth
  LOOP
    parsed := format('w.%I', col.name || CASE WHEN col.refers IS NULL THEN '_' ELSE '_1' END);
    wrong := format(CASE WHEN col.required THEN '%s IS NULL' ELSE '(%s IS NULL AND w.%I IS NOT NULL)' END, parsed, col.name)
      || CASE WHEN col.refers IS NULL THEN ' OR NOT ' || crm._import_within(col.type, parsed) ELSE '' END;
    wrongs := wrongs || ' OR ' || wrong;
    faults := faults || format(', (%L, %L, %s, w.%I, %L::text[], %L)', col.name, col.type, wrong, col.name, col.choices, col.refers);
  END LOOP;
  IF wrongs <> '' THEN
    EXECUTE format(
      'INSERT INTO crm_import_fault (row_no, column_name, code, message, value, hint)
       SELECT w.row_no, f.name, r.code, r.message, f.value, r.hint
       FROM crm_import_row w
       CROSS JOIN LATERAL (VALUES %s) f (name, type, wrong, value, choices, refers)
       CROSS JOIN LATERAL crm._import_fault(f.type, f.value, f.choices, f.refers) r
       WHERE (%s) AND f.wrong',
      substr(faults, 3), substr(wrongs, 5));
  END IF;
END
$$;
COMMENT ON FUNCTION crm._import_check_values(text, boolean) IS 'Notes what is wrong with single values of crm_import_row: references to rows of the same kind, or all the others.';
REVOKE ALL ON FUNCTION crm._import_check_values(text, boolean) FROM PUBLIC;

CREATE FUNCTION crm._import_find_repeats(kind text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  own constant crm.import_kind := (SELECT k FROM crm.import_kind k WHERE k.kind = _import_find_repeats.kind);
  keys text;
BEGIN
  SELECT string_agg(quote_ident(CASE WHEN c.refers IS NULL THEN c.name || '_' ELSE c.name END), ', ' ORDER BY u.n) INTO keys
  FROM unnest(own.key_columns) WITH ORDINALITY u (name, n) JOIN crm.import_column c ON c.kind = own.kind AND c.name = u.name;
  EXECUTE format(
    'WITH twin AS (
       SELECT w.row_no, count(*) OVER k AS rows, min(w.row_no) OVER k AS first_no,
              min(w.content) OVER k <> max(w.content) OVER k AS differ, w.value
       FROM (SELECT w.row_no, ROW(%1$s)::text COLLATE "C" AS content, w.%2$I AS value, %3$s
             FROM crm_import_row w JOIN (SELECT %3$s FROM crm_import_row GROUP BY %3$s HAVING count(*) > 1) d USING (%3$s)) w
       WINDOW k AS (PARTITION BY %3$s)),
     repeats AS (INSERT INTO crm_import_repeat SELECT row_no, first_no FROM twin WHERE NOT differ AND row_no > first_no)
     INSERT INTO crm_import_fault (row_no, column_name, code, message, value, hint)
     SELECT row_no, %2$L, ''23505'', format(''this key stands in %%s rows of the batch that differ'', rows), value, ''Keep the row that is right.'' FROM twin WHERE differ',
    (SELECT string_agg(CASE WHEN c.refers IS NULL THEN format('coalesce(w.%I::text, w.%I)', c.name || '_', c.name) ELSE format('w.%I', c.name) END, ', ' ORDER BY c.nth)
     FROM crm.import_column c WHERE c.kind = own.kind), own.key_columns[1], keys);
END
$$;
COMMENT ON FUNCTION crm._import_find_repeats(text) IS 'Finds rows with the same key: those that agree repeat the first, those that differ are faulty.';
REVOKE ALL ON FUNCTION crm._import_find_repeats(text) FROM PUBLIC;

CREATE FUNCTION crm._import_note_followers(kind text, source_system text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  UPDATE crm_import_fault f
  SET follows = c.refers, message = format('follows a refused %s', k.noun), hint = 'Nothing to do here: the row goes in by itself once the other does.'
  FROM crm.import_column c JOIN crm.import_kind k ON k.kind = c.refers
  WHERE c.kind = _import_note_followers.kind AND c.name = f.column_name AND f.code = '23503' AND f.follows IS NULL AND c.type = 'ref'
    AND (EXISTS (SELECT FROM crm.import_reject j
                 WHERE j.source_system = _import_note_followers.source_system AND j.kind = c.refers AND j.source_key = f.value
                   AND j.resubmitted_at IS NULL AND j.resolved_at IS NULL)
         OR c.refers = c.kind AND EXISTS (SELECT FROM crm_import_row w JOIN crm_import_fault g ON g.row_no = w.row_no
                                          WHERE w.row_key = f.value AND w.row_no <> f.row_no));
END
$$;
COMMENT ON FUNCTION crm._import_note_followers(text, text) IS 'Marks the references that fail because the row referred to was refused.';
REVOKE ALL ON FUNCTION crm._import_note_followers(text, text) FROM PUBLIC;
