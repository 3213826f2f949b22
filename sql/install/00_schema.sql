-- The schema is no member of the extension: dropping the extension must not drop the tables in it.
DO $$
BEGIN
  IF NOT EXISTS (
    SELECT FROM pg_catalog.pg_namespace n JOIN pg_catalog.pg_roles r ON r.oid OPERATOR(pg_catalog.=) n.nspowner
    WHERE n.nspname OPERATOR(pg_catalog.=) 'crm'
      AND (r.rolsuper OR r.oid OPERATOR(pg_catalog.=) (SELECT d.datdba FROM pg_catalog.pg_database d
                                                       WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database()))) THEN
    RAISE EXCEPTION 'schema "crm" is owned by somebody other than a superuser or the database owner'
      USING ERRCODE = 'insufficient_privilege',
            HINT = 'Rename or drop that schema, or change its owner, and run CREATE EXTENSION crm again.';
  END IF;
END
$$;
COMMENT ON SCHEMA crm IS 'crm: customer resource management';
