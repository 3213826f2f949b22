-- import: which row of the book a key of another system means, and what changed since

EXECUTE (
  SELECT pg_catalog.format('CREATE VIEW crm.source_key AS %s', pg_catalog.string_agg(pg_catalog.format(
    'SELECT %1$L AS kind, k.source_system, k.source_key, %2$s AS customer_id, k.%3$I AS row_id, y.changed_at FROM crm.%4$I k LEFT JOIN crm.key_change y ON y.key_table = %4$L AND y.source_system = k.source_system AND y.source_key = k.source_key',
    x.kind, CASE WHEN 'customer_id' = ANY (p.parts) THEN 'k.customer_id' ELSE 'NULL::bigint' END, p.parts[pg_catalog.cardinality(p.parts)], x.key_table), ' UNION ALL ' ORDER BY x.position))
  FROM crm.import_kind x CROSS JOIN LATERAL (SELECT crm._import_key_columns(x.kind) AS parts) p WHERE x.key_table IS NOT NULL);
COMMENT ON VIEW crm.source_key IS 'Keys of other systems and the rows of the book that they mean, of every kind that has its own.';
COMMENT ON COLUMN crm.source_key.kind IS 'Kind of row, of crm.import_kind.';
COMMENT ON COLUMN crm.source_key.source_system IS 'The other system.';
COMMENT ON COLUMN crm.source_key.source_key IS 'Key there.';
COMMENT ON COLUMN crm.source_key.customer_id IS 'Customer it belongs to; NULL where it belongs to none.';
COMMENT ON COLUMN crm.source_key.row_id IS 'Key of the row here.';
COMMENT ON COLUMN crm.source_key.changed_at IS 'When the key came to mean this row; NULL: always.';

CREATE FUNCTION crm.export_keys(source_system text, since timestamptz DEFAULT '-infinity', kinds text[] DEFAULT NULL)
RETURNS TABLE (kind text, source_key text, customer_id bigint, id bigint, changed_at timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  k crm.import_kind;
  unknown text := (SELECT min(u) FROM unnest(kinds) u WHERE u NOT IN (SELECT x.kind FROM crm.import_kind x WHERE x.key_table IS NOT NULL));
  parts text[];
  key_parts text[];
BEGIN
  IF export_keys.source_system IS NULL OR since IS NULL THEN
    RAISE EXCEPTION 'source_system and since must not be null' USING ERRCODE = 'null_value_not_allowed';
  ELSIF unknown IS NOT NULL THEN
    RAISE EXCEPTION 'there are no source keys of kind "%"', unknown
      USING ERRCODE = 'invalid_parameter_value', HINT = 'crm.import_kind lists the kinds; those with a key_table have source keys.';
  END IF;
  FOR k IN SELECT * FROM crm.import_kind x WHERE x.key_table IS NOT NULL AND (kinds IS NULL OR x.kind = ANY (kinds)) ORDER BY x.position LOOP
    parts := crm._key_columns(('crm.' || k.target)::regclass);
    key_parts := crm._import_key_columns(k.kind);
    RETURN QUERY EXECUTE format(
      'SELECT %L, y.source_key, %s, y.%I, x.changed_at
       FROM crm.%I y JOIN crm.%I o ON %s
       LEFT JOIN crm.key_change z ON z.key_table = %s AND z.source_system = y.source_system AND z.source_key = y.source_key
       CROSS JOIN LATERAL (SELECT greatest(z.changed_at%s%s) AS changed_at) x
       WHERE y.source_system = $1 AND x.changed_at >= $2 ORDER BY y.source_key',
      k.kind, CASE WHEN 'customer_id' = ANY (key_parts) THEN 'y.customer_id' ELSE 'NULL::bigint' END, key_parts[cardinality(key_parts)], k.key_table, k.target,
      (SELECT string_agg(format('o.%I = y.%I', p, q), ' AND ') FROM unnest(parts, key_parts) u (p, q)),
      quote_literal(k.key_table),
      (SELECT string_agg(', o.' || a.attname, '') FROM pg_attribute a
       WHERE a.attrelid = ('crm.' || k.target)::regclass AND a.attname IN ('created_at', 'updated_at', 'recorded_at', 'ended_at') AND a.atttypid = 'timestamptz'::regtype
         AND NOT EXISTS (SELECT FROM crm.import_column c WHERE c.kind = k.kind AND c.name = a.attname)),
      CASE WHEN 'customer_id' = ANY (key_parts) THEN format(
        ', (SELECT max(h.changed_at) FROM crm.customer_change h WHERE h.customer_id = y.customer_id AND h.subject = %L AND %s)%s', k.target,
        CASE WHEN k.kind = 'customer' THEN 'h.subject_key IS NULL' ELSE format('h.subject_key = y.%I::text', key_parts[cardinality(key_parts)]) END,
        CASE WHEN k.kind = 'policy' THEN ', (SELECT max(e.recorded_at) FROM crm.policy_event e WHERE e.policy_id = y.policy_id)' ELSE '' END) ELSE '' END)
    USING export_keys.source_system, since;
  END LOOP;
END
$$;
COMMENT ON FUNCTION crm.export_keys(text, timestamptz, text[]) IS
  'For feeding another system: its keys, the rows of the book that they mean now, and when something about the key or the row was last recorded, no earlier than since. A merge shows as a new customer_id. Times are those of the start of a transaction: ask for a little more than since the last time. Errors: 22004, 22023.';
REVOKE ALL ON FUNCTION crm.export_keys(text, timestamptz, text[]) FROM PUBLIC;
INSERT INTO crm.duty_right (duty, privilege, kind, object) VALUES ('loader', 'EXECUTE', 'FUNCTION', 'crm.export_keys(text, timestamptz, text[])');


GRANT SELECT ON crm.source_key, crm.import_batch, crm.import_batch_kind, crm.import_reject, crm.import_reason, crm.import_kind TO crm_bi_owner;
