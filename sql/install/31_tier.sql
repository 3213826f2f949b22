-- classify: what the tier of a customer goes by

CREATE DOMAIN crm.tier_basis AS text
  CHECK (VALUE IN ('contractual_premium', 'annual_premium', 'sum_insured', 'premium_received', 'assets_held'));
COMMENT ON DOMAIN crm.tier_basis IS
  'What the tier of a customer goes by: contractual_premium, annual_premium, sum_insured, premium_received or assets_held.';
