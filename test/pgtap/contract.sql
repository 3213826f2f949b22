-- What holds for every object of crm, whatever it does.
BEGIN;
SELECT no_plan();

CREATE TEMP VIEW space AS SELECT oid, nspname FROM pg_namespace WHERE nspname IN ('crm', 'crm_bi');
CREATE TEMP VIEW rel AS
SELECT c.oid, c.oid::regclass AS name, c.relkind, c.relowner::regrole::text AS owner, s.nspname
FROM pg_class c JOIN space s ON s.oid = c.relnamespace WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f');
CREATE TEMP VIEW proc AS
SELECT p.*, p.oid::regprocedure AS name, l.lanname, s.nspname,
       EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e') AS member
FROM pg_proc p JOIN space s ON s.oid = p.pronamespace JOIN pg_language l ON l.oid = p.prolang;

-- versions ------------------------------------------------------------------

\set meta `cat META.json`
SELECT is((SELECT extversion FROM pg_extension WHERE extname = 'crm'),
          (SELECT default_version FROM pg_available_extensions WHERE name = 'crm'), 'extension and control file have one version');
SELECT is(crm.model_version(), (SELECT extversion FROM pg_extension WHERE extname = 'crm'), 'so has the model');
SELECT matches(:'meta'::json ->> 'version', '^' || replace(crm.model_version(), '.', '\.') || '\.\d+$', 'META.json adds a patch level to it');
SELECT is(:'meta'::json #>> '{provides,crm,version}', :'meta'::json ->> 'version', 'META.json agrees with itself');
SELECT is(:'meta'::json #>> '{provides,crm,file}', 'sql/crm--' || crm.model_version() || '.sql', 'META.json names the install script');

-- comments ------------------------------------------------------------------

SELECT is_empty($$SELECT name FROM proc WHERE proname NOT LIKE '\_%' AND obj_description(oid, 'pg_proc') IS NULL$$,
                'every public function, procedure and aggregate has a comment');
SELECT is_empty($$SELECT name FROM rel WHERE relkind <> 'S' AND obj_description(oid, 'pg_class') IS NULL$$, 'every table and view has a comment');
SELECT is_empty($$SELECT r.name, a.attname FROM rel r JOIN pg_attribute a ON a.attrelid = r.oid
                  WHERE r.relkind <> 'S' AND r.name::text NOT LIKE 'crm.\_%' AND a.attnum > 0 AND NOT a.attisdropped
                    AND NOT (SELECT c.relispartition FROM pg_class c WHERE c.oid = r.oid)
                    AND col_description(r.oid, a.attnum) IS NULL$$, 'every column has a comment');
SELECT is_empty($$SELECT t.oid::regtype FROM pg_type t JOIN space s ON s.oid = t.typnamespace
                  LEFT JOIN pg_class c ON c.oid = t.typrelid
                  WHERE t.typname NOT LIKE '\_%' AND coalesce(c.relkind, 'c') = 'c' AND coalesce(obj_description(t.oid, 'pg_type'), obj_description(c.oid, 'pg_class')) IS NULL
                    AND NOT EXISTS (SELECT FROM pg_type e WHERE e.typarray = t.oid)$$, 'every type has a comment');
SELECT is_empty($$SELECT nspname FROM space WHERE obj_description(oid, 'pg_namespace') IS NULL$$, 'both schemas have a comment');

-- functions -----------------------------------------------------------------

-- a procedure that commits cannot have a SET clause: it sets the path itself
SELECT is_empty($$SELECT name FROM proc WHERE lanname IN ('sql', 'plpgsql') AND prosqlbody IS NULL
                    AND NOT coalesce('search_path=pg_catalog, pg_temp' = ANY (proconfig), false)
                    AND NOT (prokind = 'p' AND prosrc ~ '\mCOMMIT\M' AND prosrc LIKE '%set_config(''search_path'', ''pg_catalog, pg_temp''%')$$,
                'every function has a fixed search_path or an atomic body');
SELECT is_empty($$SELECT DISTINCT lanname FROM proc WHERE lanname NOT IN ('c', 'sql', 'plpgsql', 'internal')$$, 'no further languages');
SELECT is_empty($$SELECT name, proowner::regrole FROM proc JOIN pg_roles r ON r.oid = proowner
                  WHERE prosecdef AND (r.rolsuper OR r.rolbypassrls)$$, 'no SECURITY DEFINER function belongs to a superuser');
SELECT is_empty($$SELECT name FROM proc WHERE prosecdef AND has_function_privilege('public', oid, 'EXECUTE')
                    AND proname NOT IN ('today', '_today', '_slot', '_shown', 'setting_value', 'model_version')$$, 'SECURITY DEFINER functions are not for everybody');
SELECT is_empty($$SELECT name FROM proc WHERE provolatile = 'v' AND prokind IN ('f', 'p') AND prorettype <> 'trigger'::regtype
                    AND lanname IN ('sql', 'plpgsql') AND has_function_privilege('public', oid, 'EXECUTE')$$, 'what changes data is not for everybody');
-- a subtransaction cannot start in a parallel worker
SELECT is_empty($$SELECT name FROM proc WHERE prokind = 'f' AND provolatile = 'i' AND proparallel <> 's'
                    AND NOT (lanname = 'plpgsql' AND prosrc ~ '\mEXCEPTION\s+WHEN\M')$$,
                'immutable functions are parallel safe');
SELECT is_empty($$SELECT name FROM proc WHERE pronargs > 0 AND prokind IN ('f', 'p') AND proname NOT LIKE '\_%' AND lanname IN ('sql', 'plpgsql')
                    AND (proargnames IS NULL OR '' = ANY (proargnames))$$, 'arguments have names');

-- aggregates ----------------------------------------------------------------

CREATE TEMP VIEW agg AS
SELECT p.name, p.proparallel, a.* FROM proc p JOIN pg_aggregate a ON a.aggfnoid = p.oid;
SELECT is_empty($$SELECT name FROM agg WHERE aggcombinefn = 0$$, 'every aggregate can be combined');
SELECT is_empty($$SELECT name, aggtranstype::regtype FROM agg JOIN pg_type t ON t.oid = aggtranstype WHERE t.typtype = 'p'$$,
                'the state of every aggregate has a type of its own');
SELECT is_empty($$SELECT g.name, p.name FROM agg g JOIN proc p ON p.oid IN (g.aggfnoid, g.aggtransfn, g.aggcombinefn, g.aggfinalfn)
                  WHERE p.proparallel <> 's' OR NOT has_function_privilege('public', p.oid, 'EXECUTE')$$,
                'aggregates and their parts are parallel safe and open to everybody');
SELECT is_empty($$SELECT g.name, t.oid::regtype FROM agg g JOIN pg_type t ON t.oid = g.aggtranstype
                  WHERE t.typinput = 0 OR t.typoutput = 0 OR t.typreceive = 0 OR t.typsend = 0$$, 'states travel as text and binary');

-- tables --------------------------------------------------------------------

SELECT is_empty($$SELECT k.conrelid::regclass, k.conname FROM pg_constraint k JOIN rel r ON r.oid = k.conrelid
                  WHERE k.contype = 'f' AND NOT EXISTS (
                    SELECT FROM pg_index i
                    WHERE i.indrelid = k.conrelid AND i.indisvalid AND i.indnkeyatts >= cardinality(k.conkey)
                      AND (i.indpred IS NULL OR pg_get_expr(i.indpred, i.indrelid) ~ '^\((\w+ IS NOT NULL)\)$')
                      AND (SELECT array_agg(a ORDER BY a) FROM unnest((i.indkey::int2[])[0:cardinality(k.conkey) - 1]) a)
                        = (SELECT array_agg(a ORDER BY a) FROM unnest(k.conkey) a))$$, 'every foreign key is the beginning of an index');
-- queues and the journal are only appended to and taken from
SELECT is_empty($$SELECT r.name FROM rel r WHERE r.relkind IN ('r', 'p') AND r.name::text !~ '^crm\.(pending|replay|kpi_entry(_\d)?)$' AND NOT EXISTS (
                    SELECT FROM pg_constraint k WHERE k.conrelid = r.oid AND k.contype = 'p')
                    AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = r.oid AND i.indisunique)$$, 'every table has a key');
SELECT is_empty($$SELECT r.name, a.attname FROM rel r JOIN pg_attribute a ON a.attrelid = r.oid
                  WHERE r.relkind IN ('r', 'p') AND a.attnum > 0 AND a.atttypid IN ('timestamp'::regtype, 'money'::regtype, 'char'::regtype, 'varchar'::regtype)$$,
                'no column has a type that loses something');

-- views for BI tools ---------------------------------------------------------

SELECT is_empty($$SELECT r.name, a.attname, format_type(a.atttypid, a.atttypmod) FROM rel r JOIN pg_attribute a ON a.attrelid = r.oid
                  WHERE r.nspname = 'crm_bi' AND a.attnum > 0 AND NOT a.attisdropped
                    AND a.atttypid NOT IN ('bigint'::regtype, 'integer'::regtype, 'numeric'::regtype, 'text'::regtype, 'date'::regtype, 'timestamptz'::regtype, 'boolean'::regtype)$$,
                'views for BI tools have plain column types');
SELECT is_empty($$SELECT name FROM rel WHERE nspname = 'crm_bi' AND (relkind <> 'v' OR name::text ~ '^crm_bi\._')$$, 'crm_bi has views only, and none that are private');

-- ownership -----------------------------------------------------------------

SELECT is_empty($$SELECT r.name FROM rel r JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = r.oid WHERE d.deptype = 'e'$$,
                'no relation belongs to the extension');
SELECT is_empty($$SELECT name, owner FROM rel WHERE owner <> CASE WHEN nspname = 'crm' THEN 'crm_owner' ELSE 'crm_bi_owner' END
                    AND NOT (name::text ~ '^crm\._' AND relkind = 'v' AND owner = 'crm_bi_owner')$$,
                'tables and views belong to their owners, what analysts see by functions alone to that of their views');
SELECT is_empty($$SELECT name, proowner::regrole FROM proc WHERE NOT member AND proowner::regrole::text <> CASE nspname WHEN 'crm' THEN 'crm_owner' ELSE 'crm_bi_owner' END$$,
                'functions of the model belong to the owner of the tables');
SELECT is_empty($$SELECT rolname FROM pg_roles WHERE rolname IN ('crm_owner', 'crm_bi_owner')
                    AND (rolsuper OR rolbypassrls OR rolcanlogin OR rolcreaterole OR rolcreatedb OR rolreplication)$$, 'the owners have no powers of their own');
SELECT ok(NOT has_schema_privilege('public', 'crm', 'CREATE') AND NOT has_schema_privilege('crm_bi_owner', 'crm', 'CREATE') AND NOT has_schema_privilege('public', 'crm_bi', 'CREATE'), 'nobody else makes objects in crm');
SELECT is_empty($$SELECT name FROM rel WHERE nspname = 'crm' AND relkind IN ('r', 'p') AND has_table_privilege('public', oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE')$$,
                'no table is open to everybody');

SELECT * FROM finish();
ROLLBACK;
