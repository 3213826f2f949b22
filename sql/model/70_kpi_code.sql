-- kpi: figures whose base is no balance at opening, and those of VIP, dormant and lapsed customers

ALTER TABLE crm.kpi_code ADD COLUMN base_less smallint, ADD COLUMN base_at text;
UPDATE crm.kpi_code k SET base_at = 'opening' WHERE k.base_account IS NOT NULL;
ALTER TABLE crm.kpi_code
  ADD CONSTRAINT kpi_code_base_at_check CHECK (base_at IN ('opening', 'closing', 'before', 'year_before')),
  ADD CONSTRAINT kpi_code_base_check CHECK ((base_account IS NULL) = (base_at IS NULL) AND (base_less IS NULL OR base_account IS NOT NULL));
COMMENT ON COLUMN crm.kpi_code.base_account IS 'Account of the denominator.';
COMMENT ON COLUMN crm.kpi_code.base_less IS 'Account that is taken off it: a balance as it is one; NULL: none.';
COMMENT ON COLUMN crm.kpi_code.base_at IS 'The denominator is a balance at opening or closing, or a turnover of the period (closing), of the period before, or of the same period a year before.';

INSERT INTO crm.kpi_code (code, name, name_zh, shape, account, base_account, base_less, base_at, dimension, cell, adds_over_periods, description) VALUES
  ('former', 'Former customers', '流失客户数', 0, 7, NULL, NULL, NULL, NULL, 'closing', false, 'Customers who were insured before and are not at closing.'),
  ('vip_customers', 'VIP customers', 'VIP客户数', 0, 9, NULL, NULL, NULL, NULL, 'closing', false, 'Customers of the first VIP tier or a higher one at closing.'),
  ('near_vip', 'Near VIP', '准VIP客户数', 0, 10, NULL, NULL, NULL, NULL, 'closing', false, 'Insured at closing whose amount is little below the least of a VIP.'),
  ('vip_share', 'VIP share', 'VIP客户占比', 1, 9, 1, NULL, 'closing', NULL, 'closing', false, 'Of the insured at closing, the VIP customers.'),
  ('new_vip', 'New VIP rate', '新增VIP客户率', 1, 32, 1, NULL, 'closing', NULL, 'closing', false, 'Of the insured at closing, those who are VIP and were not at opening, newcomers included.'),
  ('vip_upgrade', 'VIP upgrade rate', 'VIP客户升级率', 1, 33, 1, 9, 'opening', NULL, 'opening', false, 'Of the insured below VIP at opening, those who are VIP at closing.'),
  ('vip_loss', 'VIP loss rate', 'VIP客户流失率', 1, 34, 9, NULL, 'opening', NULL, 'opening', false, 'Of the VIP customers at opening, those who are none at closing.'),
  ('reactivation', 'Reactivation rate', '休眠客户激活率', 1, 31, 8, NULL, 'opening', NULL, 'opening', false, 'Of the dormant customers at opening, those who made any purchase in the period.'),
  ('long_term_development', 'Long-term development rate', '长险开发率', 1, 30, 1, 2, 'opening', NULL, 'opening', false, 'Of the insured without long-term cover at opening, those who bought a long-term policy in the period.'),
  ('lapsed_customer_loss', 'Loss of lapsed customers', '失效客户流失率', 1, 36, 35, NULL, 'closing', NULL, 'event', false, 'Of the customers with a policy lapsed in the period, those with none in force at closing.'),
  ('new_customer_growth', 'Growth of new customers', '新增客户环比增长率', 2, 20, 20, NULL, 'before', NULL, 'event', false, 'New customers of the period less those of the period before, over the latter.'),
  ('new_customer_growth_yoy', 'Growth of new customers on the year', '新增客户同比增长率', 2, 20, 20, NULL, 'year_before', NULL, 'event', false, 'New customers of the period less those of the same period a year before, over the latter.');
