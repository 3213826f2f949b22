-- kpi: figures whose base is no balance at opening, that count policies or money, those of VIP, dormant and lapsed customers, and those that have no accounts

ALTER TABLE crm.kpi_code ADD COLUMN base_less smallint, ADD COLUMN base_at text, ADD COLUMN unit text NOT NULL DEFAULT 'customers', ADD COLUMN base_unit text,
  ADD COLUMN base_code text REFERENCES crm.kpi_code, ADD COLUMN base_part text, ADD COLUMN base_divisor integer, ADD COLUMN goes_on boolean NOT NULL DEFAULT false,
  ALTER COLUMN account DROP NOT NULL;
UPDATE crm.kpi_code k SET base_at = 'opening', base_unit = 'customers' WHERE k.base_account IS NOT NULL;
ALTER TABLE crm.kpi_code DROP CONSTRAINT kpi_code_dimension_check, DROP CONSTRAINT kpi_code_check;
ALTER TABLE crm.kpi_code
  ADD CONSTRAINT kpi_code_account_check CHECK (CASE WHEN account IS NULL THEN shape = 1 AND base_account IS NULL ELSE (shape = 0) = (base_account IS NULL) AND base_code IS NULL AND NOT goes_on END),
  ADD CONSTRAINT kpi_code_dimension_check CHECK (CASE WHEN account IS NULL THEN dimension IN ('case_category', 'staff', 'allocation') ELSE dimension IN ('coverage', 'role', 'activity', 'tier') END),
  ADD CONSTRAINT kpi_code_unit_check CHECK (CASE WHEN account IS NULL THEN unit IN ('customers', 'complaints', 'holdings') ELSE unit IN ('customers', 'policies', 'money') END),
  ADD CONSTRAINT kpi_code_base_unit_check CHECK (CASE WHEN account IS NULL THEN base_unit IN ('customers', 'complaints', 'holdings', 'policies', 'people') ELSE base_unit IN ('customers', 'policies', 'money') END),
  ADD CONSTRAINT kpi_code_base_at_check CHECK (base_at IN ('opening', 'closing', 'before', 'year_before')),
  ADD CONSTRAINT kpi_code_base_check CHECK ((base_account IS NULL) = (base_at IS NULL) AND (shape = 0) = (base_unit IS NULL) AND (base_less IS NULL OR base_account IS NOT NULL)),
  ADD CONSTRAINT kpi_code_base_code_check CHECK ((base_code IS NULL) = (base_part IS NULL) AND (base_code IS NULL) = (base_divisor IS NULL) AND base_part IN ('numerator', 'denominator') AND base_divisor >= 1);
CREATE INDEX ON crm.kpi_code (base_code);
COMMENT ON COLUMN crm.kpi_code.account IS 'Account of the numerator; crm._is_balance() tells balances from turnovers. NULL: the figure is counted from events when it is asked for, in crm_bi.kpi_event.';
COMMENT ON COLUMN crm.kpi_code.base_code IS 'Figure of crm_bi.kpi that the denominator of such a figure is taken from; NULL: it is counted along with the numerator.';
COMMENT ON COLUMN crm.kpi_code.base_part IS 'Part of that figure.';
COMMENT ON COLUMN crm.kpi_code.base_divisor IS 'What that is divided by.';
COMMENT ON COLUMN crm.kpi_code.goes_on IS 'Whether it changes with what comes after the period, so that no closing keeps it.';
COMMENT ON COLUMN crm.kpi_code.base_account IS 'Account of the denominator.';
COMMENT ON COLUMN crm.kpi_code.base_less IS 'Account that is taken off it: a balance as it is one; NULL: none.';
COMMENT ON COLUMN crm.kpi_code.base_at IS 'The denominator is a balance at opening or closing, or a turnover of the period (closing), of the period before, or of the same period a year before.';
COMMENT ON COLUMN crm.kpi_code.unit IS 'What the numerator counts: customers, policies or money, which accounts hold in hundredths.';
COMMENT ON COLUMN crm.kpi_code.base_unit IS 'What the denominator counts.';

INSERT INTO crm.kpi_code (code, name, name_zh, shape, account, base_account, base_less, base_at, unit, base_unit, dimension, cell, adds_over_periods, description) VALUES
  ('former', 'Former customers', '流失客户数', 0, 7, NULL, NULL, NULL, 'customers', NULL, NULL, 'closing', false, 'Customers who were insured before and are not at closing.'),
  ('vip_customers', 'VIP customers', 'VIP客户数', 0, 9, NULL, NULL, NULL, 'customers', NULL, NULL, 'closing', false, 'Customers of the first VIP tier or a higher one at closing.'),
  ('near_vip', 'Near VIP', '准VIP客户数', 0, 10, NULL, NULL, NULL, 'customers', NULL, NULL, 'closing', false, 'Insured at closing whose amount is little below the least of a VIP.'),
  ('insured_by_role', 'Insured customers by role', '有效客户角色分类', 0, 11, NULL, NULL, NULL, 'customers', NULL, 'role', 'closing', false, 'Insured customers at closing: policyholders, and who is insured only.'),
  ('over_10000', 'Customers over 10,000', '万元以上客户数', 0, 12, NULL, NULL, NULL, 'customers', NULL, NULL, 'closing', false, 'Insured customers at closing with an amount over 10,000.'),
  ('over_50000', 'Customers over 50,000', '五万元以上客户数', 0, 13, NULL, NULL, NULL, 'customers', NULL, NULL, 'closing', false, 'Insured customers at closing with an amount over 50,000.'),
  ('over_10000_share', 'Share of customers over 10,000', '万元以上客户占比', 1, 12, 1, NULL, 'closing', 'customers', 'customers', NULL, 'closing', false, 'Of the insured at closing, those with an amount over 10,000.'),
  ('over_50000_share', 'Share of customers over 50,000', '五万元以上客户占比', 1, 13, 1, NULL, 'closing', 'customers', 'customers', NULL, 'closing', false, 'Of the insured at closing, those with an amount over 50,000.'),
  ('over_50000_of_10000', 'Those over 50,000 of those over 10,000', '五万元以上占万元以上客户比', 1, 13, 12, NULL, 'closing', 'customers', 'customers', NULL, 'closing', false, 'Of the insured at closing with an amount over 10,000, those with one over 50,000.'),
  ('policies_in_force', 'Policies in force', '有效保单数', 0, 14, NULL, NULL, NULL, 'policies', NULL, NULL, 'closing', false, 'Policies in force at closing, in the cell of their policyholder.'),
  ('annual_premium', 'Annual premium in force', '有效年化保费', 0, 15, NULL, NULL, NULL, 'money', NULL, NULL, 'closing', false, 'Annual premium of the policies in force at closing, in the cell of their policyholder.'),
  ('vip_premium', 'Annual premium of VIP customers', 'VIP客户有效年化保费', 0, 16, NULL, NULL, NULL, 'money', NULL, NULL, 'closing', false, 'Annual premium of the policies in force at closing whose policyholder is VIP.'),
  ('policies_per_customer', 'Policies per customer', '客均保单件数', 1, 14, 1, NULL, 'closing', 'policies', 'customers', NULL, 'closing', false, 'Policies in force over insured customers at closing.'),
  ('premium_per_customer', 'Premium per customer', '客均保费', 1, 15, 1, NULL, 'closing', 'money', 'customers', NULL, 'closing', false, 'Annual premium in force over insured customers at closing.'),
  ('average_premium', 'Average premium', '件均保费', 1, 15, 14, NULL, 'closing', 'money', 'policies', NULL, 'closing', false, 'Annual premium in force over policies in force at closing.'),
  ('vip_premium_share', 'VIP premium share', 'VIP客户保费占比', 1, 16, 15, NULL, 'closing', 'money', 'money', NULL, 'closing', false, 'Of the annual premium in force at closing, that of VIP customers.'),
  ('vip_share', 'VIP share', 'VIP客户占比', 1, 9, 1, NULL, 'closing', 'customers', 'customers', NULL, 'closing', false, 'Of the insured at closing, the VIP customers.'),
  ('new_vip', 'New VIP rate', '新增VIP客户率', 1, 32, 1, NULL, 'closing', 'customers', 'customers', NULL, 'closing', false, 'Of the insured at closing, those who are VIP and were not at opening, newcomers included.'),
  ('vip_upgrade', 'VIP upgrade rate', 'VIP客户升级率', 1, 33, 1, 9, 'opening', 'customers', 'customers', NULL, 'opening', false, 'Of the insured below VIP at opening, those who are VIP at closing.'),
  ('vip_loss', 'VIP loss rate', 'VIP客户流失率', 1, 34, 9, NULL, 'opening', 'customers', 'customers', NULL, 'opening', false, 'Of the VIP customers at opening, those who are none at closing.'),
  ('reactivation', 'Reactivation rate', '休眠客户激活率', 1, 31, 8, NULL, 'opening', 'customers', 'customers', NULL, 'opening', false, 'Of the dormant customers at opening, those who made any purchase in the period.'),
  ('long_term_development', 'Long-term development rate', '长险客户开发率', 1, 30, 1, 2, 'opening', 'customers', 'customers', NULL, 'opening', false, 'Of the insured without long-term cover at opening, those who bought a long-term policy in the period.'),
  ('lapsed_customer_loss', 'Loss of lapsed customers', '失效保单客户流失率（占失效客户）', 1, 36, 35, NULL, 'closing', 'customers', 'customers', NULL, 'event', false, 'Of the customers with a policy lapsed in the period, those with none in force at closing.'),
  ('new_customer_growth', 'Growth of new customers', '新增客户环比增长率', 2, 20, 20, NULL, 'before', 'customers', 'customers', NULL, 'event', false, 'New customers of the period less those of the period before, over the latter.'),
  ('new_customer_growth_yoy', 'Growth of new customers on the year', '新增客户同比增长率', 2, 20, 20, NULL, 'year_before', 'customers', 'customers', NULL, 'event', false, 'New customers of the period less those of the same period a year before, over the latter.');
