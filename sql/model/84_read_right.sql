-- access: what those who run a cycle, and managers, see beyond the views of their own area

INSERT INTO crm.duty_right (duty, privilege, kind, object)
SELECT d.duty, 'SELECT', 'TABLE', 'crm_bi.' || v.name
FROM (VALUES ('provider'), ('planner'), ('approver'), ('resource_manager')) d (duty),
     (VALUES ('channel'), ('organisation'), ('staff'), ('staff_load')) v (name);
INSERT INTO crm.duty_right (duty, privilege, kind, object)
SELECT 'manager', 'SELECT', 'TABLE', 'crm_bi.' || v.name
FROM (VALUES ('staff_load'), ('holding'), ('holding_event'), ('sweep'), ('reminder'), ('recycle_exemption'), ('customer_return'), ('waiting'), ('claim_day'), ('quota_change'),
             ('calendar_change'), ('hand_over'), ('hand_over_customer'), ('hand_over_unit'), ('orphan')) v (name);
-- who deals out target lists makes them
INSERT INTO crm.duty_right (duty, privilege, kind, object)
SELECT 'resource_manager', 'EXECUTE', 'FUNCTION', f.name
FROM (VALUES ('crm.freeze_list(text, crm.condition, text)'), ('crm._freeze_list(text, crm.condition, date, bigint[], text)'), ('crm.refresh_target_list(bigint)'),
             ('crm._refresh_target_list(bigint, date, bigint[])'), ('crm._target_condition(bigint)')) f (name)
UNION ALL
SELECT 'resource_manager', 'SELECT', 'TABLE', v.name FROM (VALUES ('crm_bi.target_list'), ('crm_bi.target_list_member')) v (name);
