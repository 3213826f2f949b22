-- book: two customers who are one: what is kept of a merge, rows as they stand, locks

CREATE TABLE crm.merge_record (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  kept_id bigint NOT NULL,
  dropped_id bigint NOT NULL,
  reason text NOT NULL CHECK (pg_catalog.btrim(reason) <> ''),
  score double precision,
  reasons text[],
  automatic boolean NOT NULL DEFAULT false,
  state text NOT NULL DEFAULT 'merging' CHECK (state IN ('merging', 'merged', 'unmerging', 'undone')),
  kept_keys jsonb,
  renumbered jsonb NOT NULL DEFAULT '[]',
  merged_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  merged_by text NOT NULL DEFAULT crm.actor(),
  undone_at timestamptz,
  undone_by text,
  undone_reason text,
  CHECK (kept_id <> dropped_id),
  CHECK ((state = 'undone') = (undone_at IS NOT NULL) AND pg_catalog.num_nonnulls(undone_at, undone_by, undone_reason) IN (0, 3))
);
COMMENT ON TABLE crm.merge_record IS 'Merges of two customers into one, and which of them were undone. The dropped customer is in crm.customer no more. 客户合并记录';
COMMENT ON COLUMN crm.merge_record.id IS 'Key, rising.';
COMMENT ON COLUMN crm.merge_record.kept_id IS 'Customer kept.';
COMMENT ON COLUMN crm.merge_record.dropped_id IS 'Customer whose rows went to the one kept.';
COMMENT ON COLUMN crm.merge_record.reason IS 'Why they are one.';
COMMENT ON COLUMN crm.merge_record.score IS 'Score of the pair in crm.duplicate_candidate; NULL: it was not there.';
COMMENT ON COLUMN crm.merge_record.reasons IS 'What agreed and what did not, from crm.duplicate_candidate.';
COMMENT ON COLUMN crm.merge_record.automatic IS 'Merged by crm.merge_duplicates().';
COMMENT ON COLUMN crm.merge_record.state IS 'merged or undone; merging and unmerging only while that goes on.';
COMMENT ON COLUMN crm.merge_record.kept_keys IS 'Keys of the rows that named the customer kept right after, by table: what is not among them was added since.';
COMMENT ON COLUMN crm.merge_record.renumbered IS 'Rows of the customer dropped that got another number before all else: table, column of the customer, column of the number, and the number before and after.';
COMMENT ON COLUMN crm.merge_record.merged_at IS 'When they were merged.';
COMMENT ON COLUMN crm.merge_record.merged_by IS 'Who merged them.';
COMMENT ON COLUMN crm.merge_record.undone_at IS 'When it was undone.';
COMMENT ON COLUMN crm.merge_record.undone_by IS 'Who undid it.';
COMMENT ON COLUMN crm.merge_record.undone_reason IS 'Why it was undone.';
CREATE INDEX ON crm.merge_record (kept_id);
CREATE INDEX ON crm.merge_record (dropped_id);
CREATE INDEX ON crm.merge_record (state) WHERE state IN ('merging', 'unmerging');

CREATE TABLE crm.merge_row (
  merge_id bigint NOT NULL REFERENCES crm.merge_record ON DELETE CASCADE,
  n integer NOT NULL,
  relation text NOT NULL,
  key_before jsonb,
  key_after jsonb,
  before jsonb,
  after jsonb,
  PRIMARY KEY (merge_id, n),
  CHECK ((key_before IS NULL) = (before IS NULL) AND (key_after IS NULL) = (after IS NULL)),
  CHECK (before IS NOT NULL OR after IS NOT NULL)
);
COMMENT ON TABLE crm.merge_row IS 'What merges did to rows. Rows that only follow another by ON UPDATE CASCADE are not listed. 合并明细';
COMMENT ON COLUMN crm.merge_row.merge_id IS 'Merge.';
COMMENT ON COLUMN crm.merge_row.n IS 'Number within the merge.';
COMMENT ON COLUMN crm.merge_row.relation IS 'Table.';
COMMENT ON COLUMN crm.merge_row.key_before IS 'Primary key before; NULL: a row that the merge made.';
COMMENT ON COLUMN crm.merge_row.key_after IS 'Primary key after; NULL: a row that the merge took away.';
COMMENT ON COLUMN crm.merge_row.before IS 'Columns changed as they were before; of a row taken away all.';
COMMENT ON COLUMN crm.merge_row.after IS 'The same columns after; of a row made all.';
CREATE INDEX ON crm.merge_row USING gin (key_before pg_catalog.jsonb_path_ops);

INSERT INTO crm.customer_reference (relation, column_name, way, note) VALUES
  ('crm.standing', 'customer_id', 'derived', 'Kept by posting.'),
  ('crm.standing_0', 'customer_id', 'derived', 'Kept by posting.'),
  ('crm.standing_1', 'customer_id', 'derived', 'Kept by posting.'),
  ('crm.pending', 'customer_id', 'derived', 'Queue of posting.'),
  ('crm.replay', 'customer_id', 'derived', 'Queue of a rebuild.'),
  ('crm.merge_record', 'kept_id', 'record', 'Who was kept then.'),
  ('crm.merge_record', 'dropped_id', 'record', 'Who was dropped then.');

CREATE FUNCTION crm._row_image(relation regclass, alias text, OUT key text, OUT image text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  computed CONSTANT text[] := (SELECT array_agg(a.attname::text) FROM pg_attribute a
                               WHERE a.attrelid = relation AND a.attnum > 0 AND NOT a.attisdropped
                                 AND (a.attgenerated <> '' OR relation = 'crm.customer'::regclass AND a.attname = 'version'));
BEGIN
  key := (SELECT format('jsonb_build_object(%s)', string_agg(format('%L, %I.%I', c, alias, c), ', '))
          FROM unnest(crm._key_columns(relation)) c);
  image := format('to_jsonb(%I)', alias) || CASE WHEN computed IS NULL THEN '' ELSE format(' - %L::text[]', computed) END;
END
$$;
COMMENT ON FUNCTION crm._row_image(regclass, text) IS 'SQL for the key of a row and for its columns, but those computed, as jsonb.';
REVOKE ALL ON FUNCTION crm._row_image(regclass, text) FROM PUBLIC;

CREATE VIEW crm._key_table AS
SELECT ('crm.' || k.target)::pg_catalog.regclass AS target, ('crm.' || k.key_table)::pg_catalog.regclass AS relation, p.columns,
       (SELECT pg_catalog.string_agg(pg_catalog.format('t.%I = o.%I', u.own, u.theirs), ' AND ')
        FROM ROWS FROM (pg_catalog.unnest(p.columns), pg_catalog.unnest(p.target_columns)) u (own, theirs)) AS same
FROM (SELECT x.target, x.key_table, pg_catalog.min(x.kind) AS kind FROM crm.import_kind x WHERE x.key_table IS NOT NULL GROUP BY x.target, x.key_table) k
CROSS JOIN LATERAL (SELECT crm._import_key_columns(k.kind) AS columns, crm._key_columns(('crm.' || k.target)::pg_catalog.regclass) AS target_columns) p;
COMMENT ON VIEW crm._key_table IS 'Tables of source keys: of which table, by which columns in the order of its primary key, and SQL for: the key t is one of the row o.';

CREATE FUNCTION crm._customer_query() RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
  statement text;
BEGIN
  WITH named AS MATERIALIZED (
    SELECT x.relation, x.column_name, x.way FROM crm._customer_column x WHERE x.way NOT IN ('derived', 'record')
    UNION ALL SELECT 'crm.customer', 'id', 'move'),
  own AS (
    SELECT n.relation, string_agg(format('t.%I = ANY ($1)', n.column_name), ' OR ' ORDER BY n.column_name) AS condition FROM named n GROUP BY n.relation)
  SELECT string_agg(format('SELECT %L, %s, %s FROM %s t %s WHERE %s', r.relation, i.key, i.image, r.relation, r.joined, r.condition), ' UNION ALL ')
  INTO statement
  FROM (SELECT o.relation, '' AS joined, o.condition FROM own o
        UNION ALL
        -- a row of somebody else that may give way to another one has keys
        SELECT k.relation, format('JOIN %s o ON %s', n.relation, k.same), format('o.%I = ANY ($1) AND NOT (%s)', n.column_name, o.condition)
        FROM named n
        JOIN crm._key_table k ON k.target = n.relation
        JOIN own o ON o.relation = k.relation
        WHERE n.way = 'move' AND n.column_name <> ALL (crm._key_columns(n.relation))
          AND EXISTS (SELECT FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
                      WHERE i.indrelid = n.relation AND i.indisunique AND a.attname = n.column_name)) r
  CROSS JOIN LATERAL crm._row_image(r.relation, 't') i;
  RETURN statement;
END
$$;
COMMENT ON FUNCTION crm._customer_query() IS 'SQL for crm._customer_rows(), as the catalogue stands: dearer to make than to run.';
REVOKE ALL ON FUNCTION crm._customer_query() FROM PUBLIC;

CREATE FUNCTION crm._customer_rows(customers bigint[], query text DEFAULT NULL) RETURNS TABLE (relation text, key jsonb, image jsonb)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET jit = off AS $$
BEGIN
  RETURN QUERY EXECUTE coalesce(query, crm._customer_query()) USING customers;
END
$$;
COMMENT ON FUNCTION crm._customer_rows(bigint[], text) IS 'Every row that names one of these customers, what posting keeps aside, and the source keys of those of the rows that a merge may take away.';
REVOKE ALL ON FUNCTION crm._customer_rows(bigint[], text) FROM PUBLIC;

-- locks -----------------------------------------------------------------------

CREATE FUNCTION crm._sharing(customers bigint[]) RETURNS bigint[]
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN (SELECT array_agg(DISTINCT m ORDER BY m)
          FROM unnest(customers || crm._members_of(ARRAY(
            SELECT p.id FROM crm.policy p WHERE p.customer_id = ANY (customers)
            UNION SELECT n.policy_id FROM crm.policy_insured n WHERE n.insured_id = ANY (customers)))) m);
END
$$;
COMMENT ON FUNCTION crm._sharing(bigint[]) IS 'These customers and all who share a policy with them, in order.';
REVOKE ALL ON FUNCTION crm._sharing(bigint[]) FROM PUBLIC;

-- Whoever inserts a row for a customer holds a share of the customer already and asks for the others when posting, so that
-- a merge must never wait while it holds anything: it takes all at once or lets go, waits for one at a time, and tries again.
CREATE FUNCTION crm._lock_for_merge(customers bigint[], gone bigint, wait boolean) RETURNS regclass[]
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  members bigint[];
  r record;
  n bigint;
  filled regclass[];
  c bigint;
BEGIN
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'customers are merged and parted at isolation level read committed only'
      USING ERRCODE = 'active_sql_transaction', HINT = 'An older snapshot does not show every row of theirs.';
  END IF;
  LOOP
    members := crm._sharing(_lock_for_merge.customers);
    BEGIN
      PERFORM FROM crm.customer c WHERE c.id = ANY (members) AND c.id IS DISTINCT FROM gone ORDER BY c.id FOR NO KEY UPDATE NOWAIT;
      PERFORM FROM crm.customer c WHERE c.id = gone FOR UPDATE NOWAIT;
      filled := '{}';
      FOR r IN
        SELECT x.relation, format('SELECT FROM %s t WHERE t.%I = ANY ($1) FOR UPDATE NOWAIT', x.relation, x.column_name) AS statement
        FROM crm._customer_column x WHERE x.way IN ('move', 'fill', 'leave') ORDER BY x.step, x.relation::text, x.column_name
      LOOP
        EXECUTE r.statement USING CASE WHEN gone IS NULL THEN _lock_for_merge.customers ELSE ARRAY[gone] END;
        GET DIAGNOSTICS n = ROW_COUNT;
        IF n > 0 THEN
          filled := filled || r.relation;
        END IF;
      END LOOP;
      IF members @> crm._sharing(_lock_for_merge.customers) THEN
        RETURN filled;
      END IF;
      RAISE EXCEPTION USING ERRCODE = 'lock_not_available';
    EXCEPTION WHEN lock_not_available THEN
      IF NOT wait THEN
        RAISE EXCEPTION 'somebody is changing customer "%" or "%"', _lock_for_merge.customers[1], _lock_for_merge.customers[2]
          USING ERRCODE = 'lock_not_available';
      END IF;
    END;
    FOREACH c IN ARRAY members LOOP
      BEGIN
        IF c = gone THEN
          PERFORM FROM crm.customer x WHERE x.id = c FOR UPDATE;
        ELSE
          PERFORM FROM crm.customer x WHERE x.id = c FOR NO KEY UPDATE;
        END IF;
        RAISE EXCEPTION USING ERRCODE = 'lock_not_available';
      EXCEPTION WHEN lock_not_available THEN
        NULL;
      END;
    END LOOP;
    -- whoever refers to a policy holds it and not the customer; with a second merge in the transaction that may be a deadlock, which only a wait shows
    FOR c IN SELECT p.id FROM crm.policy p WHERE p.customer_id = ANY (CASE WHEN gone IS NULL THEN _lock_for_merge.customers ELSE ARRAY[gone] END) ORDER BY p.id LOOP
      BEGIN
        PERFORM FROM crm.policy p WHERE p.id = c FOR UPDATE;
        RAISE EXCEPTION USING ERRCODE = 'lock_not_available';
      EXCEPTION WHEN lock_not_available THEN
        NULL;
      END;
    END LOOP;
    PERFORM pg_sleep(0.01);
  END LOOP;
END
$$;
COMMENT ON FUNCTION crm._lock_for_merge(bigint[], bigint, boolean) IS
  'Locks customers, those who share policies with them, and the rows that are to move. gone: the one to be deleted. Returns the tables that have rows to move. Errors: 25001 beyond read committed; 55P03 where it may not wait.';
REVOKE ALL ON FUNCTION crm._lock_for_merge(bigint[], bigint, boolean) FROM PUBLIC;
