SELECT o.org_id, o.name, o.level FROM crm_bi.organisation o WHERE o.level <= 1 ORDER BY o.level, o.org_id
