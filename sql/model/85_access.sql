-- access: what the views may read

GRANT SELECT ON crm.generation, crm.kpi_code, crm.organisation, crm.organisation_tree, crm.period, crm.kpi_cell, crm.kpi_entry,
  crm.channel, crm.class, crm.standing, crm.customer, crm.contact_point, crm.policy, crm.product, crm.cover, crm.pending, crm.setting,
  crm.setting_kind, crm.replay, crm.staff, crm.holding TO crm_bi_owner;
