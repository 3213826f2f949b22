-- base: settings of the dimensions

INSERT INTO crm.setting_kind (name, type, initial, by_unit, rebuilds, description) VALUES
  ('tier_basis', 'crm.tier_basis', 'contractual_premium', false, true,
   'What the tier goes by: contractual_premium, annual_premium, sum_insured (of the policies held in force), premium_received (for them to date), or assets_held (balances of the product holdings).'),
  ('maturity_touch_days', 'integer', '90', false, true,
   'Days before and after a maturity that are a touchpoint.'),
  ('claim_touch_days', 'integer', '365', false, true,
   'Days after the report of a claim that are a touchpoint.'),
  ('appointment_touch_days', 'integer', '90', false, true,
   'Days after an appointment that are a touchpoint.'),
  ('vip_from', 'text', 'gold', false, true,
   'The lowest tier whose customers are VIP.'),
  ('near_vip_percent', 'integer', '10', false, true,
   'Percent below the limit of the first VIP tier from which on customers are near it.'),
  ('dormant_from', 'text', 'dormant', false, true,
   'The first class of activity whose customers are dormant.');

@model/10_base crm._setting_check

@model/10_base crm._take_day
