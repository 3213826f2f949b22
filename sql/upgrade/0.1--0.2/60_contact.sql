-- engage: a contact has a way and a direction

PERFORM pg_catalog.set_config('crm_upgrade.record_grants', coalesce((
  SELECT pg_catalog.string_agg(a.grantee::regrole::text, ', ') FROM pg_catalog.pg_proc p CROSS JOIN LATERAL pg_catalog.aclexplode(p.proacl) a
  WHERE p.oid = 'crm.record_contact(bigint, bigint, text, text, text, bigint)'::regprocedure AND a.grantee NOT IN (0, p.proowner)), ''), true);
DROP FUNCTION crm.record_contact(bigint, bigint, text, text, text, bigint);
DELETE FROM crm.duty_right WHERE object = 'crm.record_contact(bigint, bigint, text, text, text, bigint)';
