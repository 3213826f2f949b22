-- book: which columns name customers, and what becomes of them when two customers turn out to be one

CREATE TABLE crm.customer_reference (
  relation text NOT NULL CHECK (relation ~ '^crm\.[a-z0-9_]+$'),
  column_name text NOT NULL,
  way text NOT NULL CHECK (way IN ('move', 'fill', 'leave', 'derived', 'record', 'count')),
  prepare text CHECK (prepare ~ '^crm\.[a-z0-9_]+$'),
  binds boolean NOT NULL DEFAULT true,
  step integer NOT NULL DEFAULT 0,
  note text NOT NULL CHECK (pg_catalog.btrim(note) <> ''),
  PRIMARY KEY (relation, column_name)
);
COMMENT ON TABLE crm.customer_reference IS 'Columns that name customers and of which a foreign key does not tell all that crm.merge() must know. Foreign keys to crm.customer, and those that follow them by ON UPDATE CASCADE, are found in the catalogue; each area adds its own exceptions. 客户引用';
COMMENT ON COLUMN crm.customer_reference.relation IS 'Table.';
COMMENT ON COLUMN crm.customer_reference.column_name IS 'Column that names a customer.';
COMMENT ON COLUMN crm.customer_reference.way IS 'What a merge does: move (the row comes to the customer kept; where a key made by a sequence is taken there it gets another, where another key is taken it is left out), fill (one row a customer: it fills what is empty), leave (it is left out), derived (made from other rows), record (names customers as they were) or count (names nobody, but says how many).';
COMMENT ON COLUMN crm.customer_reference.prepare IS 'Function (kept, dropped) that makes room first.';
COMMENT ON COLUMN crm.customer_reference.binds IS 'Whether a row added after a merge stands in the way of undoing it.';
COMMENT ON COLUMN crm.customer_reference.step IS 'Order among tables of which none refers to the other.';
COMMENT ON COLUMN crm.customer_reference.note IS 'Why it is not as the foreign key alone would have it.';
INSERT INTO crm.customer_reference (relation, column_name, way, note) VALUES
  ('crm.customer_organisation', 'customer_id', 'leave', 'The home unit stays that of the customer kept, on every day.'),
  ('crm.policy_insured', 'insured_id', 'move', 'Who is insured twice by a policy is insured once.'),
  ('crm.cover', 'customer_id', 'derived', 'Made from policies.');

-- A foreign key names a customer in its own right (direct) or along with a row that does, which it follows.
CREATE VIEW crm._customer_column AS
WITH RECURSIVE named (relid, attnum) AS (
  SELECT 'crm.customer'::pg_catalog.regclass::pg_catalog.oid, 1::smallint
  UNION
  SELECT k.conrelid, p.attnum
  FROM named n
  JOIN pg_catalog.pg_constraint k ON k.contype = 'f' AND k.confrelid = n.relid AND k.conparentid = 0
    AND (k.confupdtype = 'c' OR n.relid = 'crm.customer'::pg_catalog.regclass)
  CROSS JOIN LATERAL ROWS FROM (pg_catalog.unnest(k.conkey), pg_catalog.unnest(k.confkey)) AS p (attnum, target)
  WHERE p.target = n.attnum),
direct AS (
  SELECT k.conrelid AS relid, k.conkey[1] AS attnum FROM pg_catalog.pg_constraint k
  WHERE k.contype = 'f' AND k.confrelid = 'crm.customer'::pg_catalog.regclass AND k.conparentid = 0),
known AS (
  SELECT n.relid, a.attname::text AS column_name, EXISTS (SELECT FROM direct d WHERE (d.relid, d.attnum) = (n.relid, n.attnum)) AS direct
  FROM named n JOIN pg_catalog.pg_attribute a ON a.attrelid = n.relid AND a.attnum = n.attnum
  WHERE n.relid <> 'crm.customer'::pg_catalog.regclass),
depth (relid, level) AS (
  SELECT DISTINCT k.relid, 0 FROM known k
  UNION
  SELECT f.conrelid, d.level + 1
  FROM depth d
  JOIN pg_catalog.pg_constraint f ON f.contype = 'f' AND f.confrelid = d.relid AND f.conrelid <> d.relid AND f.conparentid = 0 AND d.level < 20
  JOIN known k ON k.relid = f.conrelid)
SELECT coalesce(k.relid, pg_catalog.to_regclass(r.relation))::pg_catalog.regclass AS relation, coalesce(k.column_name, r.column_name) AS column_name,
       coalesce(r.way, CASE WHEN k.direct THEN 'move' ELSE 'follow' END) AS way, r.prepare, coalesce(r.binds, true) AS binds,
       coalesce((SELECT pg_catalog.max(d.level) FROM depth d WHERE d.relid = k.relid), 0) * 100 + coalesce(r.step, 0) AS step
FROM known k
FULL JOIN crm.customer_reference r ON pg_catalog.to_regclass(r.relation) = k.relid AND r.column_name = k.column_name
WHERE r.way IS DISTINCT FROM 'count';
COMMENT ON VIEW crm._customer_column IS 'Every column that names a customer: by foreign key, by a key that follows it, or by crm.customer_reference; in which order a merge takes them.';

CREATE FUNCTION crm._merging() RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN EXISTS (SELECT FROM crm.merge_record m WHERE m.state IN ('merging', 'unmerging'));
END
$$;
COMMENT ON FUNCTION crm._merging() IS
  'Whether two customers are just being merged or parted in this transaction, when triggers neither stamp rows nor write history; nobody else sees such a record.';
REVOKE ALL ON FUNCTION crm._merging() FROM PUBLIC;
