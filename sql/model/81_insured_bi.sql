-- bi: who is insured by the policies of others, members of companies above all

CREATE VIEW crm_bi.policy_insured AS
SELECT i.policy_id || '/' || i.insured_id AS policy_insured_key, i.customer_id, h.kind AS holder_kind, i.policy_id, i.insured_id,
       EXISTS (SELECT FROM crm.cover c WHERE c.customer_id = i.customer_id AND c.policy_id = i.policy_id
               AND c.from_date <= (SELECT crm.today()) AND c.to_date > (SELECT crm.today())) AS in_force
FROM crm.policy_insured i JOIN crm.customer h ON h.id = i.customer_id;
COMMENT ON VIEW crm_bi.policy_insured IS 'Insured persons of policies, the members of a company''s policy among them: one row for each policy and person. 被保险人';
COMMENT ON COLUMN crm_bi.policy_insured.policy_insured_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.policy_insured.customer_id IS 'Policyholder. 投保人';
COMMENT ON COLUMN crm_bi.policy_insured.holder_kind IS 'person 个人 or company 法人客户. 投保人类型';
COMMENT ON COLUMN crm_bi.policy_insured.policy_id IS 'Policy. 保单';
COMMENT ON COLUMN crm_bi.policy_insured.insured_id IS 'Insured person. 被保险人';
COMMENT ON COLUMN crm_bi.policy_insured.in_force IS 'Whether the policy covers today. 是否有效';
