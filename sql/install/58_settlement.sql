-- settle: types

CREATE DOMAIN crm.assessment_credit AS text CHECK (VALUE IN ('annual_premium', 'count'));
COMMENT ON DOMAIN crm.assessment_credit IS 'What a policy counts in assessment: annual_premium (a tenth of a single premium) or count (1).';
