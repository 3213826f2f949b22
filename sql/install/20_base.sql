-- base: the acting person, and the making of the model

CREATE FUNCTION crm._login() RETURNS name LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT coalesce(nullif(pg_catalog.current_setting('role'), 'none')::name, session_user);
END;
COMMENT ON FUNCTION crm._login() IS
  'The role whose rights the session has, also within a function that runs as its owner: the one of SET ROLE, otherwise the session user.';

CREATE FUNCTION crm._name_actor() RETURNS void LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
END;
COMMENT ON FUNCTION crm._name_actor() IS
  'Does nothing: the right to execute it is the right to name the acting person by crm.actor, which the duty pool gives.';
REVOKE ALL ON FUNCTION crm._name_actor() FROM PUBLIC;

CREATE FUNCTION crm._refuse_actor() RETURNS text LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RAISE EXCEPTION 'login "%" may not act for "%"', crm._login(), current_setting('crm.actor')
    USING ERRCODE = 'insufficient_privilege',
          HINT = format('RESET crm.actor, or have the duty given: CALL crm.grant_duty(''pool'', %L).', crm._login());
END
$$;
COMMENT ON FUNCTION crm._refuse_actor() IS 'Raises 42501 for a login that names another as the acting person without the right to.';

CREATE FUNCTION crm.actor() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT CASE WHEN coalesce(nullif(pg_catalog.current_setting('crm.actor', true), ''), session_user) = session_user THEN session_user::text
              WHEN pg_catalog.has_function_privilege(crm._login(), 'crm._name_actor()'::regprocedure, 'EXECUTE') THEN pg_catalog.current_setting('crm.actor')
              ELSE crm._refuse_actor() END;
END;
COMMENT ON FUNCTION crm.actor() IS
  'Who acts: whom the parameter crm.actor names, which takes the duty pool, otherwise the session user. Errors: 42501 when the login may not name another.';

CREATE FUNCTION crm._may_commit() RETURNS void LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'crm_may_commit';
COMMENT ON FUNCTION crm._may_commit() IS 'To be asked first by a procedure that commits as it goes. Errors: 2D000 inside a transaction block.';

CREATE FUNCTION crm._grant_temporary(owner name) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF (SELECT pg_catalog.pg_has_role(d.datdba, 'USAGE') FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database()) THEN
    EXECUTE pg_catalog.format('GRANT TEMPORARY ON DATABASE %I TO %I', pg_catalog.current_database(), owner);
  END IF;
END
$$;
COMMENT ON FUNCTION crm._grant_temporary(name) IS
  'Lets the owner of the model make temporary tables in this database, whatever PUBLIC may do; nothing where the caller does not own the database.';
REVOKE ALL ON FUNCTION crm._grant_temporary(name) FROM PUBLIC;

CREATE PROCEDURE crm.create_model(owner name DEFAULT 'crm_owner')
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  caller text := pg_catalog.current_setting('role');
  module text;
  version text := (SELECT e.extversion FROM pg_catalog.pg_extension e WHERE e.extname = 'crm');
  standing text;
BEGIN
  IF pg_catalog.to_regclass('crm.model') IS NOT NULL THEN
    EXECUTE 'SELECT m.version FROM crm.model m' INTO standing;
    IF pg_catalog.to_regclass('crm_bi.kpi') IS NULL THEN
      RAISE EXCEPTION 'the model of crm % lost its views, triggers and columns with the extension it was made by', standing
        USING ERRCODE = 'object_not_in_prerequisite_state',
              HINT = 'Every row is still there: drop the extension, rename schema crm, drop schema crm_bi, make extension and model again, and copy the rows of the book over.';
    END IF;
    IF standing = version THEN
      RAISE NOTICE 'the model of crm % stands already', version;
      RETURN;
    END IF;
    RAISE EXCEPTION 'a model of crm % stands already', standing
      USING ERRCODE = 'duplicate_object', HINT = 'Run CALL crm.upgrade_model().';
  END IF;

  IF owner IS NULL THEN
    RAISE EXCEPTION 'the owner of the model must be named' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  FOR module IN VALUES (owner::text), ('crm_bi_owner') LOOP
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles r WHERE r.rolname = module) THEN
      EXECUTE pg_catalog.format('CREATE ROLE %I NOLOGIN', module);
    END IF;
    IF EXISTS (SELECT FROM pg_catalog.pg_roles r WHERE r.rolname = module AND (r.rolsuper OR r.rolbypassrls)) THEN
      RAISE EXCEPTION 'role "%" must not be a superuser or bypass row security', module
        USING ERRCODE = 'invalid_parameter_value',
              DETAIL = 'Trigger functions run with the rights of the owner of the tables.',
              HINT = 'Name an ordinary role: CALL crm.create_model(owner => ''crm_owner'').';
    END IF;
  END LOOP;
  IF owner = 'crm_bi_owner' THEN
    RAISE EXCEPTION 'the tables and the views for BI tools must have different owners'
      USING ERRCODE = 'invalid_parameter_value', HINT = 'Analysts see what the owner of the views may see.';
  END IF;

  PERFORM crm._grant_temporary(owner);
  EXECUTE pg_catalog.format('GRANT USAGE, CREATE ON SCHEMA crm TO %I', owner);
  EXECUTE pg_catalog.format('GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA crm TO %I', owner);
  EXECUTE pg_catalog.format('GRANT EXECUTE ON FUNCTION crm._name_actor() TO %I WITH GRANT OPTION', owner);
  GRANT USAGE ON SCHEMA crm TO crm_bi_owner, PUBLIC;
  -- while the model is made only: what functions for analysts read by the rights of the views
  GRANT CREATE ON SCHEMA crm TO crm_bi_owner;
  GRANT EXECUTE ON FUNCTION crm._generation_stands(bigint) TO crm_bi_owner;
  CREATE SCHEMA crm_bi AUTHORIZATION crm_bi_owner;
  COMMENT ON SCHEMA crm_bi IS 'crm: views for BI tools, plain column types only';
  FOR module IN
    SELECT p.proname FROM pg_catalog.pg_proc p
    WHERE p.pronamespace = 'crm'::regnamespace AND p.proname ~ '^_model_\d\d_' ORDER BY p.proname
  LOOP
    EXECUTE pg_catalog.format('GRANT EXECUTE ON PROCEDURE crm.%I() TO %I, crm_bi_owner', module, owner);
    EXECUTE pg_catalog.format('SET LOCAL ROLE %I', CASE WHEN module LIKE '%\_bi' THEN 'crm_bi_owner' ELSE owner END);
    EXECUTE pg_catalog.format('CALL crm.%I()', module);
    PERFORM pg_catalog.set_config('role', caller, true);
    EXECUTE pg_catalog.format('REVOKE EXECUTE ON PROCEDURE crm.%I() FROM %I, crm_bi_owner', module, owner);
  END LOOP;
  REVOKE CREATE ON SCHEMA crm FROM crm_bi_owner;
  EXECUTE pg_catalog.format('SET LOCAL ROLE %I', owner);
  EXECUTE 'INSERT INTO crm.model (version) VALUES ($1)' USING version;
  PERFORM pg_catalog.set_config('role', caller, true);
END
$$;
COMMENT ON PROCEDURE crm.create_model(name) IS
  'Makes the tables, functions and views of crm as ordinary objects of the role owner (made when missing), which must be neither superuser nor exempt from row security. Errors: 42710 when another version stands, 22023 for an unfit owner.';
REVOKE ALL ON PROCEDURE crm.create_model(name) FROM PUBLIC;

CREATE PROCEDURE crm.upgrade_model()
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  caller text := pg_catalog.current_setting('role');
  version text := (SELECT e.extversion FROM pg_catalog.pg_extension e WHERE e.extname = 'crm');
  owner name := (SELECT pg_catalog.pg_get_userbyid(c.relowner) FROM pg_catalog.pg_class c WHERE c.oid = pg_catalog.to_regclass('crm.model'));
  standing text;
  next text;
  step record;
BEGIN
  IF owner IS NULL THEN
    RAISE EXCEPTION 'no model of crm stands in this database'
      USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Run CALL crm.create_model().';
  END IF;
  EXECUTE 'SELECT m.version FROM crm.model m' INTO standing;
  IF standing = version THEN
    RAISE NOTICE 'the model is of version % already', version;
    RETURN;
  END IF;
  FOR step IN
    SELECT p.oid::regprocedure AS name FROM pg_catalog.pg_depend d
    JOIN pg_catalog.pg_proc p ON p.oid = d.objid AND p.prokind <> 'p'
    JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid AND e.extname = 'crm'
    WHERE d.classid = 'pg_catalog.pg_proc'::regclass AND d.refclassid = 'pg_catalog.pg_extension'::regclass AND d.deptype = 'e'
  LOOP
    EXECUTE pg_catalog.format('GRANT EXECUTE ON FUNCTION %s TO %I', step.name, owner);
  END LOOP;
  PERFORM crm._grant_temporary(owner);
  GRANT CREATE ON SCHEMA crm TO crm_bi_owner;
  WHILE standing <> version LOOP
    next := (SELECT pg_catalog.min(pg_catalog.replace(pg_catalog.substring(p.proname, '__(\d+_\d+)_'), '_', '.')) FROM pg_catalog.pg_proc p
             WHERE p.pronamespace = 'crm'::regnamespace AND pg_catalog.starts_with(p.proname, '_upgrade_' || pg_catalog.replace(standing, '.', '_') || '__'));
    IF next IS NULL THEN
      RAISE EXCEPTION 'there is no way from model version % to %', standing, version
        USING ERRCODE = 'feature_not_supported';
    END IF;
    FOR step IN
      SELECT p.oid::regprocedure AS name, p.proname LIKE '%\_bi' AS for_bi,
             pg_catalog.to_regprocedure(pg_catalog.format('crm._model_%s()', pg_catalog.substring(p.proname, '__\d+_\d+_(.*)'))) AS whole
      FROM pg_catalog.pg_proc p
      WHERE p.pronamespace = 'crm'::regnamespace
        AND pg_catalog.starts_with(p.proname, pg_catalog.replace('_upgrade_' || standing || '__' || next || '_', '.', '_'))
      ORDER BY p.proname
    LOOP
      EXECUTE pg_catalog.format('GRANT EXECUTE ON PROCEDURE %s, %s TO %I, crm_bi_owner', step.name, coalesce(step.whole, step.name), owner);
      EXECUTE pg_catalog.format('SET LOCAL ROLE %I', CASE WHEN step.for_bi THEN 'crm_bi_owner' ELSE owner END);
      EXECUTE pg_catalog.format('CALL %s', step.name);
      PERFORM pg_catalog.set_config('role', caller, true);
      EXECUTE pg_catalog.format('REVOKE EXECUTE ON PROCEDURE %s, %s FROM %I, crm_bi_owner', step.name, coalesce(step.whole, step.name), owner);
    END LOOP;
    standing := next;
  END LOOP;
  REVOKE CREATE ON SCHEMA crm FROM crm_bi_owner;
  EXECUTE pg_catalog.format('SET LOCAL ROLE %I', owner);
  EXECUTE 'UPDATE crm.model SET version = $1, created_at = pg_catalog.now()' USING version;
  PERFORM pg_catalog.set_config('role', caller, true);
END
$$;
COMMENT ON PROCEDURE crm.upgrade_model() IS
  'Brings the model to the version of the installed extension. Errors: 55000 when no model stands, 0A000 when no path is known.';
REVOKE ALL ON PROCEDURE crm.upgrade_model() FROM PUBLIC;
