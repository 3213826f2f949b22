-- access: what the views may read

GRANT SELECT ON crm.generation, crm.kpi_code, crm.organisation, crm.organisation_tree, crm.period, crm.kpi_cell, crm.kpi_entry,
  crm.channel, crm.class, crm.standing, crm.customer, crm.contact_point, crm.policy, crm.product, crm.cover, crm.pending, crm._scale_change,
  crm.replay, crm.staff, crm.holding TO crm_bi_owner;

CREATE PROCEDURE crm.grant_duty(duty text, grantee name)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles r WHERE r.rolname = grantee) THEN
    RAISE EXCEPTION 'role "%" does not exist', grantee USING ERRCODE = 'undefined_object', HINT = 'Make the role first: CREATE ROLE ... .';
  END IF;
  CASE duty
    WHEN 'analyst' THEN
      EXECUTE format('GRANT USAGE ON SCHEMA crm_bi TO %I', grantee);
      EXECUTE format('GRANT SELECT ON ALL TABLES IN SCHEMA crm_bi TO %I', grantee);
    WHEN 'sales' THEN
      EXECUTE format('GRANT EXECUTE ON FUNCTION crm.claim(bigint, bigint), crm.release(bigint, bigint, text), crm.record_contact(bigint, bigint, text, text, text, bigint) TO %I', grantee);
    WHEN 'pool' THEN
      EXECUTE format('GRANT EXECUTE ON FUNCTION crm._name_actor() TO %I', grantee);
    WHEN 'manager' THEN
      EXECUTE format('GRANT EXECUTE ON FUNCTION crm.transfer(bigint, bigint, text, boolean), crm.lock_holding(bigint, boolean), crm.entrust(bigint[], bigint, bigint, text), crm.allocate(bigint[], bigint[], text, text, text), crm.recycle(timestamptz, boolean), crm.release_departed(date) TO %I', grantee);
      EXECUTE format((SELECT 'GRANT EXECUTE ON FUNCTION ' || string_agg(p.oid::regprocedure::text, ', ') || ' TO %I' FROM pg_proc p
                      WHERE p.pronamespace = 'crm'::regnamespace AND p.proname IN ('_allocation_state', '_allocation_edges', '_allocate')), grantee);
      EXECUTE format('GRANT SELECT ON crm.customer, crm.customer_organisation, crm.organisation_tree, crm.holding TO %I', grantee);
      EXECUTE format('GRANT SELECT, INSERT (staff_id, quota), UPDATE (staff_id, quota), DELETE ON crm.holding_quota TO %I', grantee);
    WHEN 'loader' THEN
      EXECUTE format('GRANT SELECT, INSERT, DELETE ON crm.import_customer, crm.import_policy, crm.import_insured, crm.import_event TO %I', grantee);
      EXECUTE format('GRANT SELECT ON crm.import_batch, crm.import_batch_kind, crm.import_reason TO %I', grantee);
      EXECUTE format('GRANT SELECT, UPDATE (correction) ON crm.import_reject TO %I', grantee);
      EXECUTE format('GRANT EXECUTE ON PROCEDURE crm.import(text, bigint) TO %I', grantee);
      EXECUTE format('GRANT EXECUTE ON FUNCTION crm.resubmit_import(bigint, boolean) TO %I', grantee);
    ELSE
      RAISE EXCEPTION 'duty "%" is not known', duty
        USING ERRCODE = 'invalid_parameter_value',
              HINT = 'Duties are analyst, sales, pool, manager and loader. Who runs rebuild, refresh, check and refresh_due must be a member of the owner of the tables.';
  END CASE;
END
$$;
COMMENT ON PROCEDURE crm.grant_duty(text, name) IS
  'Gives a role what a duty needs and no more: analyst (the views of crm_bi), sales (claim, release, record contacts, each person for themselves), pool (name the acting person by crm.actor), manager (the same for anyone; allocate, entrust, transfer, lock, quotas, recycle, departures), loader (import). To be called by the owner of tables and views, or a superuser. Errors: 22023, 42704.';
REVOKE ALL ON PROCEDURE crm.grant_duty(text, name) FROM PUBLIC;
