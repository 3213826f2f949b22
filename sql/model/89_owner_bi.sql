-- bi: the owner of the model reads the views; the last of the modules that make views, and of each upgrade that makes some

EXECUTE (
  SELECT pg_catalog.format('GRANT USAGE ON SCHEMA crm_bi TO %1$I; GRANT SELECT ON ALL TABLES IN SCHEMA crm_bi TO %1$I; GRANT SELECT ON crm._timeline, crm._persistency_month, crm._kpi_period, crm._kpi_event, crm._kpi_event_base, crm._kpi_event_class TO %1$I', pg_catalog.pg_get_userbyid(c.relowner))
  FROM pg_catalog.pg_class c WHERE c.oid = 'crm.model'::pg_catalog.regclass);
