-- engage: who could record contacts still can

IF pg_catalog.current_setting('crm_upgrade.record_grants') <> '' THEN
  EXECUTE pg_catalog.format('GRANT EXECUTE ON FUNCTION crm.record_contact(bigint, bigint, text, text, text, bigint, text, text) TO %s', pg_catalog.current_setting('crm_upgrade.record_grants'));
END IF;
