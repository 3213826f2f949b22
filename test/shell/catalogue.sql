-- Everything that crm has in this database, one line each, in an order that does not depend on how it came there.
-- Output names inside views and atomic bodies are left out, since a restored one spells out those it was not given.
SET search_path = '';
WITH extension AS (
  SELECT d.classid, d.objid FROM pg_catalog.pg_depend d
  WHERE d.deptype = 'e' AND d.refclassid = 'pg_catalog.pg_extension'::regclass
    AND d.refobjid = (SELECT e.oid FROM pg_catalog.pg_extension e WHERE e.extname = 'crm')
), space AS (
  SELECT n.oid FROM pg_catalog.pg_namespace n WHERE n.nspname IN ('crm', 'crm_bi')
), proc AS (
  SELECT p.* FROM pg_catalog.pg_proc p WHERE p.pronamespace IN (SELECT s.oid FROM space s)
), rel AS (
  SELECT c.* FROM pg_catalog.pg_class c WHERE c.relnamespace IN (SELECT s.oid FROM space s)
)
SELECT 'member', pg_catalog.pg_describe_object(x.classid, x.objid, 0), '', ''
FROM extension x
UNION ALL
SELECT 'function', p.oid::regprocedure::text,
       CASE WHEN p.prokind = 'a' THEN (SELECT pg_catalog.concat_ws(' ', a.aggtransfn, a.aggcombinefn, a.aggfinalfn, a.aggserialfn, a.aggdeserialfn,
                                                                   a.aggtranstype::regtype, a.agginitval, p.proparallel)
                                       FROM pg_catalog.pg_aggregate a WHERE a.aggfnoid = p.oid)
            WHEN p.prosqlbody IS NOT NULL THEN pg_catalog.regexp_replace(pg_catalog.pg_get_functiondef(p.oid), ' AS \w+(?=,?$)', '', 'gn')
            ELSE pg_catalog.pg_get_functiondef(p.oid) END,
       pg_catalog.concat_ws(' ', p.proowner::regrole, (SELECT pg_catalog.string_agg(a::text, ' ' ORDER BY a::text) FROM pg_catalog.unnest(p.proacl) a),
                            pg_catalog.obj_description(p.oid, 'pg_proc'))
FROM proc p
UNION ALL
SELECT 'relation', c.oid::regclass::text,
       CASE WHEN c.relkind IN ('v', 'm') THEN pg_catalog.regexp_replace(pg_catalog.pg_get_viewdef(c.oid), ' AS \w+(?=,?$)', '', 'gn')
            WHEN c.relkind = 'i' THEN pg_catalog.pg_get_indexdef(c.oid)
            ELSE pg_catalog.concat_ws(' ', c.relkind, c.relrowsecurity) END,
       pg_catalog.concat_ws(' ', c.relowner::regrole, (SELECT pg_catalog.string_agg(a::text, ' ' ORDER BY a::text) FROM pg_catalog.unnest(c.relacl) a),
                            pg_catalog.obj_description(c.oid, 'pg_class'))
FROM rel c
UNION ALL
SELECT 'column', a.attrelid::regclass || '.' || a.attname,
       pg_catalog.concat_ws(' ', pg_catalog.format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity, a.attgenerated,
                            pg_catalog.pg_get_expr(d.adbin, d.adrelid)),
       pg_catalog.concat_ws(' ', a.attacl, pg_catalog.col_description(a.attrelid, a.attnum))
FROM pg_catalog.pg_attribute a JOIN rel c ON c.oid = a.attrelid
LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'c') AND a.attnum > 0 AND NOT a.attisdropped
UNION ALL
SELECT 'constraint', k.conrelid::regclass || '.' || k.conname, pg_catalog.pg_get_constraintdef(k.oid), ''
FROM pg_catalog.pg_constraint k WHERE k.conrelid IN (SELECT c.oid FROM rel c)
UNION ALL
SELECT 'trigger', t.tgrelid::regclass || '.' || t.tgname, pg_catalog.pg_get_triggerdef(t.oid), t.tgenabled::text
FROM pg_catalog.pg_trigger t WHERE t.tgrelid IN (SELECT c.oid FROM rel c) AND NOT t.tgisinternal
UNION ALL
SELECT 'policy', p.polrelid::regclass || '.' || p.polname, pg_catalog.pg_get_expr(p.polqual, p.polrelid), pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid)
FROM pg_catalog.pg_policy p WHERE p.polrelid IN (SELECT c.oid FROM rel c)
UNION ALL
SELECT 'type', t.oid::regtype::text,
       pg_catalog.concat_ws(' ', t.typtype, t.typlen, t.typbyval, t.typalign, t.typstorage, t.typcategory, t.typinput, t.typoutput, t.typreceive, t.typsend),
       pg_catalog.concat_ws(' ', t.typowner::regrole, pg_catalog.obj_description(t.oid, 'pg_type'))
FROM pg_catalog.pg_type t WHERE t.typnamespace IN (SELECT s.oid FROM space s) AND t.typrelid = 0 AND t.typelem = 0
ORDER BY 1, 2;
