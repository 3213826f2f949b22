-- bi: lists of the acting person and shared ones, target lists

CREATE VIEW crm_bi.list AS
SELECT l.owner || '/' || l.name AS list_key, l.owner, l.name, l.shared, l.condition::text AS condition, l.note, l.updated_at
FROM crm.lists() l;
COMMENT ON VIEW crm_bi.list IS 'Lists, named conditions on customers: one row for each of the acting person and for each shared. 客户名单';
COMMENT ON COLUMN crm_bi.list.list_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.list.owner IS 'Whose it is; crm: comes with crm. 所有人';
COMMENT ON COLUMN crm_bi.list.name IS 'Name, for crm.list_condition(). 名称';
COMMENT ON COLUMN crm_bi.list.shared IS 'Whether others may use it. 是否共享';
COMMENT ON COLUMN crm_bi.list.condition IS 'Who is on it. 条件';
COMMENT ON COLUMN crm_bi.list.note IS 'What it is for. 用途说明';
COMMENT ON COLUMN crm_bi.list.updated_at IS 'When it was last saved. 更新时间';

CREATE VIEW crm_bi.target_list AS
SELECT t.id AS target_list_id, t.name, t.condition::text AS condition, t.as_of,
       (SELECT pg_catalog.count(*) FROM crm.target_list_member m WHERE m.target_list_id = t.id) AS members, t.note, t.frozen_at, t.frozen_by
FROM crm.target_list t;
COMMENT ON VIEW crm_bi.target_list IS 'Target lists, frozen from a condition: one row each. 目标客户名单';
COMMENT ON COLUMN crm_bi.target_list.target_list_id IS 'Key. 名单键';
COMMENT ON COLUMN crm_bi.target_list.name IS 'Name. 名称';
COMMENT ON COLUMN crm_bi.target_list.condition IS 'Condition that its members met. 条件';
COMMENT ON COLUMN crm_bi.target_list.as_of IS 'Day on which they met it. 截至日期';
COMMENT ON COLUMN crm_bi.target_list.members IS 'How many customers are on it. 客户数';
COMMENT ON COLUMN crm_bi.target_list.note IS 'What it is for. 用途说明';
COMMENT ON COLUMN crm_bi.target_list.frozen_at IS 'When it was frozen or last refreshed. 冻结时间';
COMMENT ON COLUMN crm_bi.target_list.frozen_by IS 'Who did that. 冻结人';

CREATE VIEW crm_bi.target_list_member AS
SELECT m.target_list_id || '/' || m.customer_id AS target_list_member_key, m.target_list_id, m.customer_id, m.added_at
FROM crm.target_list_member m;
COMMENT ON VIEW crm_bi.target_list_member IS 'Who is on a target list: one row for each list and customer. 名单成员';
COMMENT ON COLUMN crm_bi.target_list_member.target_list_member_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.target_list_member.target_list_id IS 'Target list. 名单';
COMMENT ON COLUMN crm_bi.target_list_member.customer_id IS 'Customer. 客户';
COMMENT ON COLUMN crm_bi.target_list_member.added_at IS 'When the customer came onto it. 加入时间';
