-- bi: the owner of the model reads the views, those too that only functions read; the last of the modules that make views, and of each upgrade that makes some

EXECUTE (
  SELECT pg_catalog.format('GRANT USAGE ON SCHEMA crm_bi TO %1$I; GRANT SELECT ON ALL TABLES IN SCHEMA crm_bi TO %1$I; GRANT SELECT ON %2$s TO %1$I', pg_catalog.pg_get_userbyid(c.relowner),
                           (SELECT pg_catalog.string_agg(v.oid::pg_catalog.regclass::text, ', ') FROM pg_catalog.pg_class v
                            WHERE v.relnamespace = 'crm'::pg_catalog.regnamespace AND v.relkind = 'v' AND v.relowner = 'crm_bi_owner'::pg_catalog.regrole))
  FROM pg_catalog.pg_class c WHERE c.oid = 'crm.model'::pg_catalog.regclass);
