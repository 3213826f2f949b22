-- base: room for the rows of a dump

CREATE PROCEDURE crm.empty_for_restore()
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF EXISTS (SELECT FROM crm.organisation) OR EXISTS (SELECT FROM crm.staff) OR EXISTS (SELECT FROM crm.customer) THEN
    RAISE EXCEPTION 'the model has rows of its own'
      USING ERRCODE = 'object_not_in_prerequisite_state',
            HINT = 'A data-only dump goes into a database that has nothing but extension and model: create database, CREATE EXTENSION crm, CALL crm.create_model().';
  END IF;
  EXECUTE (SELECT format('TRUNCATE %s', string_agg(c.oid::regclass::text, ', ' ORDER BY c.oid)) FROM pg_class c
           WHERE c.relnamespace = 'crm'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition);
END
$$;
COMMENT ON PROCEDURE crm.empty_for_restore() IS
  'Empties every table of a model that has no book yet, dictionaries and settings included, for a data-only dump of the same version. Errors: 55000 where there are units, staff or customers.';
REVOKE ALL ON PROCEDURE crm.empty_for_restore() FROM PUBLIC;
