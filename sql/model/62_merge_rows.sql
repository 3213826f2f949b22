-- book: how the rows of one customer come to another, and what that changed

-- making room -----------------------------------------------------------------

CREATE FUNCTION crm._merge_keys(relation regclass, gone jsonb, stays jsonb) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  k record;
BEGIN
  FOR k IN
    SELECT x.relation, string_agg(format('%I = ($2 ->> %L)::bigint', u.own, u.theirs), ', ') AS changes,
           string_agg(format('%I = ($1 ->> %L)::bigint', u.own, u.theirs), ' AND ') AS condition
    FROM crm._key_table x
    CROSS JOIN LATERAL ROWS FROM (unnest(x.columns), unnest(crm._key_columns(x.target))) u (own, theirs)
    WHERE x.target = _merge_keys.relation GROUP BY x.relation
  LOOP
    EXECUTE format('UPDATE %s SET %s WHERE %s', k.relation, k.changes, k.condition) USING gone, stays;
  END LOOP;
END
$$;
COMMENT ON FUNCTION crm._merge_keys(regclass, jsonb, jsonb) IS 'Lets the source keys of a row that goes mean the one that stays, so that an import finds it.';
REVOKE ALL ON FUNCTION crm._merge_keys(regclass, jsonb, jsonb) FROM PUBLIC;

CREATE FUNCTION crm._merge_relations(kept bigint, dropped bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  r record;
  twin bigint;
BEGIN
  DELETE FROM crm.relation r WHERE (r.customer_id, r.other_id) IN ((kept, dropped), (dropped, kept));
  FOR r IN
    SELECT x.customer_id, x.id, x.kind, x.to_date, CASE WHEN turns THEN b ELSE a END AS first_id, CASE WHEN turns THEN a ELSE b END AS second_id
    FROM crm.relation x JOIN crm.relation_kind k ON k.code = x.kind
    CROSS JOIN LATERAL (VALUES (CASE x.customer_id WHEN dropped THEN kept ELSE x.customer_id END,
                                CASE x.other_id WHEN dropped THEN kept ELSE x.other_id END)) n (a, b)
    CROSS JOIN LATERAL (VALUES (k.code = k.inverse AND b < a)) s (turns)
    WHERE dropped IN (x.customer_id, x.other_id) ORDER BY x.id
  LOOP
    twin := (SELECT x.id FROM crm.relation x
             WHERE (x.customer_id, x.other_id, x.kind) = (r.first_id, r.second_id, r.kind) AND x.to_date IS NULL AND r.to_date IS NULL);
    IF twin IS NOT NULL THEN
      PERFORM crm._merge_keys('crm.relation', jsonb_build_object('customer_id', r.customer_id, 'id', r.id), jsonb_build_object('customer_id', r.first_id, 'id', twin));
      DELETE FROM crm.relation x WHERE (x.customer_id, x.id) = (r.customer_id, r.id);
    ELSE
      UPDATE crm.relation x
      SET customer_id = r.first_id, other_id = r.second_id,
          id = CASE WHEN r.first_id <> r.customer_id AND EXISTS (SELECT FROM crm.relation o WHERE (o.customer_id, o.id) = (r.first_id, r.id))
                    THEN greatest(nextval('crm.relation_id_seq'), 1 + (SELECT max(o.id) FROM crm.relation o WHERE o.customer_id = r.first_id))
                    ELSE x.id END
      WHERE (x.customer_id, x.id) = (r.customer_id, r.id);
    END IF;
  END LOOP;
END
$$;
COMMENT ON FUNCTION crm._merge_relations(bigint, bigint) IS 'Takes relations between the two away, and open ones that both have; moves the others.';
REVOKE ALL ON FUNCTION crm._merge_relations(bigint, bigint) FROM PUBLIC;

CREATE FUNCTION crm._merge_candidates(kept bigint, dropped bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  d crm.duplicate_candidate;
  other bigint;
BEGIN
  DELETE FROM crm.duplicate_candidate d WHERE (d.customer_id, d.other_id) = (least(kept, dropped), greatest(kept, dropped));
  FOR d IN SELECT * FROM crm.duplicate_candidate x WHERE dropped IN (x.customer_id, x.other_id) ORDER BY x.customer_id, x.other_id LOOP
    other := CASE d.customer_id WHEN dropped THEN d.other_id ELSE d.customer_id END;
    IF EXISTS (SELECT FROM crm.duplicate_candidate x WHERE (x.customer_id, x.other_id) = (least(kept, other), greatest(kept, other))) THEN
      DELETE FROM crm.duplicate_candidate x WHERE (x.customer_id, x.other_id) = (d.customer_id, d.other_id);
      -- who is not the one is not the other
      UPDATE crm.duplicate_candidate x SET state = d.state, decided_at = d.decided_at, decided_by = d.decided_by
      WHERE (x.customer_id, x.other_id) = (least(kept, other), greatest(kept, other)) AND x.state = 'open' AND d.state = 'rejected';
    ELSE
      UPDATE crm.duplicate_candidate x SET customer_id = least(kept, other), other_id = greatest(kept, other)
      WHERE (x.customer_id, x.other_id) = (d.customer_id, d.other_id);
    END IF;
  END LOOP;
END
$$;
COMMENT ON FUNCTION crm._merge_candidates(bigint, bigint) IS 'Takes the pair out of the queue and moves the other pairs; a pair that was rejected stays so.';
REVOKE ALL ON FUNCTION crm._merge_candidates(bigint, bigint) FROM PUBLIC;

CREATE FUNCTION crm._merge_blacklist(kept bigint, dropped bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  since date := (SELECT b.from_date FROM crm.blacklist b WHERE b.customer_id = kept AND b.to_date IS NULL);
BEGIN
  PERFORM crm._merge_keys('crm.blacklist', jsonb_build_object('customer_id', d.customer_id, 'id', d.id), jsonb_build_object('customer_id', k.customer_id, 'id', k.id))
  FROM crm.blacklist d JOIN crm.blacklist k ON k.customer_id = kept AND k.to_date IS NULL
  WHERE d.customer_id = dropped AND d.to_date IS NULL AND d.from_date >= since;
  DELETE FROM crm.blacklist b WHERE b.customer_id = dropped AND b.to_date IS NULL AND b.from_date >= since;
  UPDATE crm.blacklist b SET to_date = since, end_reason = 'continued by the entry of the customer merged with'
  WHERE b.customer_id = dropped AND b.to_date IS NULL AND b.from_date < since;
END
$$;
COMMENT ON FUNCTION crm._merge_blacklist(bigint, bigint) IS 'Where both have an open entry, the one of the customer dropped ends where the other begins, so that the days are those of both.';
REVOKE ALL ON FUNCTION crm._merge_blacklist(bigint, bigint) FROM PUBLIC;

CREATE FUNCTION crm._merge_prospects(kept bigint, dropped bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
  UPDATE crm.prospect p SET introduced_by = NULL, source = CASE p.source WHEN 'referral' THEN 'other' ELSE p.source END
  WHERE (p.customer_id, p.introduced_by) IN ((kept, dropped), (dropped, kept));
END
$$;
COMMENT ON FUNCTION crm._merge_prospects(bigint, bigint) IS 'Who introduced themselves was introduced by nobody.';
REVOKE ALL ON FUNCTION crm._merge_prospects(bigint, bigint) FROM PUBLIC;

CREATE FUNCTION crm._merge_holdings(kept bigint, dropped bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
  UPDATE crm.holding h
  SET held_to = greatest(clock_timestamp(), h.held_from, h.last_contact_at), end_cause = 'merge', ended_by = crm.actor(),
      end_reason = format('merged with customer %s, who is held', kept)
  WHERE h.customer_id = dropped AND h.held_to IS NULL
    AND EXISTS (SELECT FROM crm.holding k WHERE k.customer_id = kept AND k.held_to IS NULL);
END
$$;
COMMENT ON FUNCTION crm._merge_holdings(bigint, bigint) IS 'Where both are held, the holder of the customer kept stays and the other holding ends.';
REVOKE ALL ON FUNCTION crm._merge_holdings(bigint, bigint) FROM PUBLIC;

-- moving ------------------------------------------------------------------------

CREATE FUNCTION crm._merge_fill(relation regclass, column_name text, kept bigint, dropped bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  assignments text;
  wanted text;
  n bigint;
BEGIN
  SELECT string_agg(format('%1$I = coalesce(k.%1$I, d.%1$I)', a.attname), ', '), string_agg(format('k.%1$I IS NULL AND d.%1$I IS NOT NULL', a.attname), ' OR ')
  INTO assignments, wanted
  FROM pg_attribute a
  WHERE a.attrelid = relation AND a.attnum > 0 AND NOT a.attisdropped AND NOT a.attnotnull AND a.attgenerated = '' AND a.attname <> column_name;
  IF assignments IS NOT NULL THEN
    EXECUTE format('UPDATE %s k SET %s FROM %s d WHERE k.%I = $1 AND d.%I = $2 AND (%s)', relation, assignments, relation, column_name, column_name, wanted)
    USING kept, dropped;
  END IF;
  EXECUTE format('DELETE FROM %1$s WHERE %2$I = $2 AND EXISTS (SELECT FROM %1$s WHERE %2$I = $1)', relation, column_name) USING kept, dropped;
  EXECUTE format('UPDATE %s SET %I = $1 WHERE %I = $2', relation, column_name, column_name) USING kept, dropped;
END
$$;
COMMENT ON FUNCTION crm._merge_fill(regclass, text, bigint, bigint) IS 'Fills what is empty in the one row of the customer kept from that of the customer dropped.';
REVOKE ALL ON FUNCTION crm._merge_fill(regclass, text, bigint, bigint) FROM PUBLIC;

CREATE FUNCTION crm._numbered(relation regclass, column_name text, OUT id text, OUT identity "char")
LANGUAGE sql STABLE
BEGIN ATOMIC
  SELECT a.attname::text, a.attidentity
  FROM pg_catalog.pg_index i
  JOIN pg_catalog.pg_attribute c ON c.attrelid = i.indrelid AND c.attname = _numbered.column_name AND c.attnum = ANY (i.indkey)
  JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey) AND a.attnum <> c.attnum AND a.attidentity <> ''
  WHERE i.indrelid = _numbered.relation AND i.indisprimary AND i.indnkeyatts = 2;
END;
COMMENT ON FUNCTION crm._numbered(regclass, text) IS 'The number that makes the primary key together with this column.';
REVOKE ALL ON FUNCTION crm._numbered(regclass, text) FROM PUBLIC;

-- Before anything moves, since a row that follows another may meet one of the customer kept.
CREATE FUNCTION crm._merge_renumber(relations regclass[], kept bigint, dropped bigint) RETURNS jsonb
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  c record;
  old bigint;
  new bigint;
  done jsonb := '[]';
BEGIN
  FOR c IN
    SELECT x.relation, x.column_name, n.id, n.identity = 'a' AS always FROM crm._customer_column x CROSS JOIN LATERAL crm._numbered(x.relation, x.column_name) n
    WHERE x.way = 'move' AND x.relation = ANY (relations) AND n.id IS NOT NULL ORDER BY x.step, x.relation::text, x.column_name
  LOOP
    FOR old IN EXECUTE format('SELECT %3$I FROM %1$s WHERE %2$I = $1 INTERSECT SELECT %3$I FROM %1$s WHERE %2$I = $2 ORDER BY 1', c.relation, c.column_name, c.id)
      USING kept, dropped
    LOOP
      EXECUTE format('UPDATE %1$s SET %3$I = %4$s WHERE %2$I = $2 AND %3$I = $3 RETURNING %3$I', c.relation, c.column_name, c.id,
                     CASE WHEN c.always THEN 'DEFAULT'
                          ELSE format('greatest(nextval(%L), 1 + (SELECT max(x.%I) FROM %s x WHERE x.%I IN ($1, $2)))',
                                      pg_get_serial_sequence(c.relation::text, c.id), c.id, c.relation, c.column_name) END)
      INTO new USING kept, dropped, old;
      done := done || jsonb_build_object('relation', c.relation::text, 'column', c.column_name, 'number', c.id, 'old', old, 'new', new);
    END LOOP;
  END LOOP;
  RETURN done;
END
$$;
COMMENT ON FUNCTION crm._merge_renumber(regclass[], bigint, bigint) IS 'Gives rows of the customer dropped another number where the customer kept has a row of theirs; says which.';
REVOKE ALL ON FUNCTION crm._merge_renumber(regclass[], bigint, bigint) FROM PUBLIC;

CREATE FUNCTION crm._merge_move(relation regclass, column_name text, kept bigint, dropped bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  keyed CONSTANT boolean := EXISTS (SELECT FROM crm._key_table k WHERE k.target = _merge_move.relation);
  i record;
BEGIN
  FOR i IN
    SELECT k.names, k.same, coalesce(' AND ' || pg_get_expr(x.indpred, x.indrelid), '') AS condition
    FROM pg_index x
    CROSS JOIN LATERAL (
      SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) FILTER (WHERE a.attname <> column_name) AS names,
             coalesce(string_agg(format('g.%1$I = s.%1$I', a.attname), ' AND ') FILTER (WHERE a.attname <> column_name), 'true') AS same,
             bool_or(a.attname = column_name) AS has_it
      FROM pg_attribute a WHERE a.attrelid = x.indrelid AND a.attnum = ANY ((x.indkey::smallint[])[0:x.indnkeyatts - 1])) k
    WHERE x.indrelid = relation AND x.indisunique AND k.has_it
      AND NOT (x.indisprimary AND (crm._numbered(relation, column_name)).id IS NOT NULL)
    ORDER BY x.indisprimary DESC, x.indexrelid
  LOOP
    IF keyed THEN
      EXECUTE format('SELECT crm._merge_keys(%1$L, %2$s, %3$s) FROM (SELECT * FROM %1$s WHERE %4$I = $2%5$s) g JOIN (SELECT * FROM %1$s WHERE %4$I = $1%5$s) s ON %6$s',
                     relation, (crm._row_image(relation, 'g')).key, (crm._row_image(relation, 's')).key, column_name, i.condition, i.same) USING kept, dropped;
    END IF;
    EXECUTE format('DELETE FROM %1$s WHERE %2$I = $2%3$s AND %4$s (SELECT %5$s FROM %1$s WHERE %2$I = $1%3$s)', relation, column_name, i.condition,
                   coalesce('(' || i.names || ') IN', 'EXISTS'), i.names) USING kept, dropped;
  END LOOP;
  EXECUTE format('UPDATE %s SET %I = $1 WHERE %I = $2', relation, column_name, column_name) USING kept, dropped;
END
$$;
COMMENT ON FUNCTION crm._merge_move(regclass, text, bigint, bigint) IS
  'Puts the customer kept where a column names the one dropped; a row that says what the customer kept has already, by a unique key, goes.';
REVOKE ALL ON FUNCTION crm._merge_move(regclass, text, bigint, bigint) FROM PUBLIC;

CREATE FUNCTION crm._merge_rows(relations regclass[], kept bigint, dropped bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  c record;
BEGIN
  FOR c IN SELECT DISTINCT x.prepare FROM crm._customer_column x WHERE x.prepare IS NOT NULL ORDER BY 1 LOOP
    EXECUTE format('SELECT %s($1, $2)', c.prepare::regproc) USING kept, dropped;
  END LOOP;
  FOR c IN SELECT x.relation, x.column_name, x.way FROM crm._customer_column x WHERE x.relation = ANY (relations) ORDER BY x.step, x.relation::text, x.column_name LOOP
    CASE c.way
    WHEN 'move' THEN
      PERFORM crm._merge_move(c.relation, c.column_name, kept, dropped);
    WHEN 'fill' THEN
      PERFORM crm._merge_fill(c.relation, c.column_name, kept, dropped);
    WHEN 'leave' THEN
      EXECUTE format('DELETE FROM %s WHERE %I = $1', c.relation, c.column_name) USING dropped;
    ELSE
      NULL;
    END CASE;
  END LOOP;
  UPDATE crm.customer k
  SET resident_id = n.resident_id, birth_date = n.birth_date, sex = n.sex, known_from = n.known_from
  FROM (SELECT x.id, x.resident_id, x.known_from,
               coalesce(x.birth_date, CASE WHEN crm.birth_date(x.resident_id) = x.d_birth_date OR x.resident_id IS NULL THEN x.d_birth_date END) AS birth_date,
               coalesce(x.sex, CASE WHEN crm.sex(x.resident_id) = x.d_sex OR x.resident_id IS NULL THEN x.d_sex END) AS sex
        FROM (SELECT a.id, coalesce(a.resident_id, b.resident_id) AS resident_id, least(a.known_from, b.known_from) AS known_from,
                     a.birth_date, b.birth_date AS d_birth_date, a.sex, b.sex AS d_sex
              FROM crm.customer a, crm.customer b WHERE a.id = kept AND b.id = dropped) x) n
  WHERE k.id = n.id AND (k.resident_id::text, k.birth_date, k.sex, k.known_from) IS DISTINCT FROM (n.resident_id::text, n.birth_date, n.sex, n.known_from);
  DELETE FROM crm.customer x WHERE x.id = dropped;
END
$$;
COMMENT ON FUNCTION crm._merge_rows(regclass[], bigint, bigint) IS 'Moves all rows of one customer, who has some in these tables, to another, fills what is empty there, and deletes the one.';
REVOKE ALL ON FUNCTION crm._merge_rows(regclass[], bigint, bigint) FROM PUBLIC;

CREATE FUNCTION crm._merge_difference(before crm.merge_row[], after crm.merge_row[], kept bigint, dropped bigint) RETURNS SETOF crm.merge_row
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET jit = off AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
  WITH named AS MATERIALIZED (
    SELECT c.relation::text AS relation, c.column_name, c.way FROM crm._customer_column c WHERE c.way NOT IN ('derived', 'record')),
  b AS MATERIALIZED (
    SELECT x.relation, x.key_before AS key, x.before AS image,
           x.key_before || coalesce((SELECT jsonb_object_agg(c.column_name, kept) FROM named c
                                     WHERE c.relation = x.relation AND x.key_before -> c.column_name = to_jsonb(dropped)), '{}') AS moved
    FROM unnest(_merge_difference.before) x),
  a AS MATERIALIZED (
    SELECT x.relation, x.key_after AS key, x.after AS image FROM unnest(_merge_difference.after) x),
  -- a row stands where it stood, else where it was moved to; of two that came to one place it is the one that had the shorter way
  stays AS MATERIALIZED (SELECT b.relation, b.key FROM b JOIN a USING (relation, key)),
  pair AS (
    SELECT coalesce(b.relation, a.relation) AS relation, b.key AS key_before, a.key AS key_after, b.image AS old, a.image AS new
    FROM (SELECT b.*, CASE WHEN s.key IS NOT NULL THEN b.key
                           WHEN t.key IS NULL AND 1 = row_number() OVER (
                             PARTITION BY b.relation, b.moved, s.key IS NULL
                             ORDER BY (SELECT count(*) FROM jsonb_each(b.key) e WHERE e.value <> b.moved -> e.key), b.key) THEN b.moved END AS key_now
          FROM b LEFT JOIN stays s ON (s.relation, s.key) = (b.relation, b.key)
          LEFT JOIN stays t ON (t.relation, t.key) = (b.relation, b.moved)) b
    FULL JOIN a ON a.relation = b.relation AND a.key = b.key_now),
  changed AS (
    SELECT p.relation, p.key_before, p.key_after,
           CASE WHEN p.old IS NULL THEN NULL WHEN p.new IS NULL OR p.keys THEN p.old
                ELSE (SELECT jsonb_object_agg(o.key, o.value) FROM jsonb_each(p.old) o WHERE o.value IS DISTINCT FROM p.new -> o.key) END AS before,
           CASE WHEN p.new IS NULL THEN NULL WHEN p.old IS NULL OR p.keys THEN p.new
                ELSE (SELECT jsonb_object_agg(o.key, o.value) FROM jsonb_each(p.new) o WHERE o.value IS DISTINCT FROM p.old -> o.key) END AS after
    FROM (SELECT x.*, x.relation IN (SELECT k.relation::text FROM crm._key_table k) AS keys FROM pair x WHERE x.old IS DISTINCT FROM x.new) p)
  SELECT NULL::bigint, (row_number() OVER (ORDER BY c.relation, c.key_before, c.key_after))::integer, c.relation, c.key_before, c.key_after, c.before, c.after
  FROM changed c
  WHERE c.key_before IS NULL OR c.key_after IS NULL
     OR EXISTS (SELECT FROM jsonb_each(c.after) k
                WHERE k.value IS DISTINCT FROM c.before -> k.key
                  AND NOT (c.before -> k.key = to_jsonb(dropped) AND k.value = to_jsonb(kept)
                         AND EXISTS (SELECT FROM named f WHERE f.relation = c.relation AND f.column_name = k.key AND f.way = 'follow')));
END
$$;
COMMENT ON FUNCTION crm._merge_difference(crm.merge_row[], crm.merge_row[], bigint, bigint) IS 'What a merge did, from all rows of the two customers before and after; rows that only followed others aside.';
REVOKE ALL ON FUNCTION crm._merge_difference(crm.merge_row[], crm.merge_row[], bigint, bigint) FROM PUBLIC;

CREATE FUNCTION crm._bound_keys(rows crm.merge_row[], kept bigint) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET jit = off AS $$
BEGIN
  RETURN (
    WITH bound AS MATERIALIZED (
      SELECT c.relation::text AS relation, c.column_name FROM crm._customer_column c WHERE c.way IN ('move', 'fill') AND c.binds)
    SELECT coalesce(jsonb_object_agg(g.relation, g.keys), '{}')
    FROM (SELECT r.relation, jsonb_agg(r.key_after ORDER BY r.key_after) AS keys
          FROM unnest(rows) r
          WHERE EXISTS (SELECT FROM bound c WHERE c.relation = r.relation AND r.after -> c.column_name = to_jsonb(kept))
          GROUP BY r.relation) g);
END
$$;
COMMENT ON FUNCTION crm._bound_keys(crm.merge_row[], bigint) IS 'Keys of those of these rows that name a customer in their own right, by table.';
REVOKE ALL ON FUNCTION crm._bound_keys(crm.merge_row[], bigint) FROM PUBLIC;
