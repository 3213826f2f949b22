-- access: what the views may read

GRANT SELECT ON crm.generation, crm.kpi_code, crm.organisation, crm.organisation_tree, crm.period, crm.kpi_cell, crm.kpi_entry,
  crm.channel, crm.class, crm.standing, crm.customer, crm.contact_point, crm.policy, crm.product, crm.cover, crm.pending, crm._stale_scale,
  crm.replay, crm.rule, crm.staff, crm.holding TO crm_bi_owner;

CREATE PROCEDURE crm.grant_duty(duty text, grantee name)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  r crm.duty_right;
  object text;
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles x WHERE x.rolname = grantee) THEN
    RAISE EXCEPTION 'role "%" does not exist', grantee USING ERRCODE = 'undefined_object', HINT = 'Make the role first: CREATE ROLE ... .';
  END IF;
  FOR r IN SELECT * FROM crm.duty_right x WHERE x.duty = grant_duty.duty ORDER BY x.kind, x.object, x.privilege LOOP
    -- a superuser may run this: nothing but objects of crm, whatever the table says
    object := CASE
      WHEN r.kind IN ('SCHEMA', 'ALL TABLES IN SCHEMA') THEN (SELECT n.oid::regnamespace::text FROM pg_namespace n WHERE n.nspname = r.object AND n.nspname IN ('crm', 'crm_bi'))
      WHEN r.kind = 'TABLE' THEN (SELECT c.oid::regclass::text FROM pg_class c
                                  WHERE c.oid = to_regclass(r.object) AND c.relnamespace::regnamespace::text IN ('crm', 'crm_bi'))
      ELSE (SELECT p.oid::regprocedure::text FROM pg_proc p
            WHERE p.oid = to_regprocedure(r.object) AND p.pronamespace::regnamespace::text IN ('crm', 'crm_bi')) END;
    IF object IS NULL THEN
      RAISE EXCEPTION 'there is no % % of crm to grant', lower(r.kind), r.object
        USING ERRCODE = 'undefined_object', HINT = format('Correct or delete the row of crm.duty_right for the duty "%s".', duty);
    END IF;
    EXECUTE format('GRANT %s ON %s %s TO %I', r.privilege, r.kind, object, grantee);
  END LOOP;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'duty "%" is not known', duty
      USING ERRCODE = 'invalid_parameter_value',
            HINT = format('Duties are %s. Who runs rebuild, refresh, refresh_due, generate or check must be a member of the owner of the model.',
                          (SELECT string_agg(DISTINCT x.duty, ', ') FROM crm.duty_right x));
  END IF;
END
$$;
COMMENT ON PROCEDURE crm.grant_duty(text, name) IS
  'Gives a role what a duty needs and no more, by crm.duty_right: analyst (the views of crm_bi), sales (claim, release, record and plan contacts, see one''s own customers, each person for themselves), pool (name the acting person by crm.actor), manager (allocate, entrust, transfer, lock, quotas, recycle, departures, holidays; with sales, claim, release and record contacts for anyone), provider, planner, approver and resource_manager (the steps of a cycle), loader (import), and those that rows added there make. To be called by the owner of tables and views, or a superuser. Errors: 22023, 42704.';
REVOKE ALL ON PROCEDURE crm.grant_duty(text, name) FROM PUBLIC;
