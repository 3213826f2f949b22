-- base: settings of the dimensions

INSERT INTO crm.setting_kind (name, type, initial, by_unit, rebuilds, description) VALUES
  ('tier_basis', 'crm.tier_basis', 'contractual_premium', false, true,
   'What the tier goes by: contractual_premium, annual_premium, sum_insured (of the policies held in force), premium_received (for them to date), or assets_held (balances of the product holdings).'),
  ('maturity_touch_days', 'integer', '90', false, true,
   'Days before and after a maturity that are a touchpoint.'),
  ('claim_touch_days', 'integer', '365', false, true,
   'Days after the report of a claim that are a touchpoint.'),
  ('appointment_touch_days', 'integer', '90', false, true,
   'Days after an appointment that are a touchpoint.');

@model/10_base crm._take_day
