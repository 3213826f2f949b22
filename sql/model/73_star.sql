-- kpi: what the dimensions of the star need

INSERT INTO crm.setting_kind (name, type, initial, by_unit, rebuilds, description) VALUES
  ('fiscal_year_month', 'crm.month_number', '1', false, false,
   'Month in which the fiscal year of crm_bi.date begins; figures keep to the calendar year.');

GRANT SELECT ON crm.customer_organisation, crm.working_hours, crm.holiday TO crm_bi_owner;
