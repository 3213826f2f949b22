-- kpi: figures that channels, service, reach and product holdings bear on, of everybody known

INSERT INTO crm.kpi_code (code, name, name_zh, shape, account, base_account, base_at, unit, base_unit, cell, adds_over_periods, description) VALUES
  ('reachable_customers', 'Reachable customers', '可联系客户数', 0, 100, NULL, NULL, 'customers', NULL, 'closing', false, 'Known customers with a valid phone, address or e-mail at closing.'),
  ('reachable_share', 'Reachable share', '可联系客户占比', 1, 100, 4, 'closing', 'customers', 'customers', 'closing', false, 'Of the known customers at closing, those with a valid phone, address or e-mail.'),
  ('served_customers', 'Served customers', '有人服务客户数', 0, 101, NULL, NULL, 'customers', NULL, 'closing', false, 'Known customers at closing whom staff in post hold, or serve by a policy in force.'),
  ('served_share', 'Served share', '有人服务客户占比', 1, 101, 4, 'closing', 'customers', 'customers', 'closing', false, 'Of the known customers at closing, those whom staff in post hold, or serve by a policy in force.'),
  ('orphan_customers', 'Orphan customers', '孤儿客户数', 0, 102, NULL, NULL, 'customers', NULL, 'closing', false, 'Known customers at closing whom nobody serves, with an orphan policy; or not insured, or with a product, whose last manager left.'),
  ('orphan_policies', 'Orphan policies', '孤儿单件数', 0, 103, NULL, NULL, 'policies', NULL, 'closing', false, 'Policies of channels of kind individual in force at closing whose servicer has left, in the cell of their policyholder.'),
  ('product_customers', 'Product customers', '产品客户数', 0, 104, NULL, NULL, 'customers', NULL, 'closing', false, 'Known customers at closing with an open holding of a product other than policies, insured or not.');
