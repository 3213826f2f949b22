-- bi: cases of customers

CREATE VIEW crm_bi.case_category AS
SELECT c.code AS category, c.name, c.name_zh FROM crm.case_category c;
COMMENT ON VIEW crm_bi.case_category IS 'What cases are about: one row each. 投诉与服务类别';
COMMENT ON COLUMN crm_bi.case_category.category IS 'Code. 类别代码';
COMMENT ON COLUMN crm_bi.case_category.name IS 'Name in English. 英文名';
COMMENT ON COLUMN crm_bi.case_category.name_zh IS 'Name in Chinese. 中文名';

CREATE VIEW crm_bi.service_case AS
SELECT c.customer_id || '/' || c.id AS service_case_key, c.customer_id, c.id AS case_id, c.kind AS case_kind, c.category, g.name AS category_name, g.name_zh AS category_name_zh,
       c.cause, c.intake, c.policy_id, c.staff_id, c.org_id, c.note, c.opened_at, o.day AS opened_date, c.opened_by, c.due_on,
       c.closed_at, (c.closed_at AT TIME ZONE z.zone)::date AS closed_date, c.closed_by, c.result, c.correction, c.closed_at IS NULL AS is_open,
       coalesce(coalesce((c.closed_at AT TIME ZONE z.zone)::date, z.today) > c.due_on, false) AS is_overdue,
       pg_catalog.round((extract(epoch FROM c.closed_at - c.opened_at) / 3600)::numeric, 2) AS hours_taken
FROM crm.service_case c
CROSS JOIN (SELECT crm.setting_value('business_time_zone') AS zone, crm.today() AS today OFFSET 0) z
CROSS JOIN LATERAL (SELECT (c.opened_at AT TIME ZONE z.zone)::date AS day) o
JOIN crm.case_category g ON g.code = c.category;
COMMENT ON VIEW crm_bi.service_case IS 'Cases of customers (complaints, service, suggestions, inquiries): one row each. 投诉与服务跟踪单';
COMMENT ON COLUMN crm_bi.service_case.service_case_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.service_case.customer_id IS 'Customer. 客户';
COMMENT ON COLUMN crm_bi.service_case.case_id IS 'Key within the customer. 序号';
COMMENT ON COLUMN crm_bi.service_case.case_kind IS 'complaint 投诉, service 服务, suggestion 建议 or inquiry 咨询. 类型';
COMMENT ON COLUMN crm_bi.service_case.category IS 'What it is about, in crm_bi.case_category. 类别代码';
COMMENT ON COLUMN crm_bi.service_case.category_name IS 'That in English. 类别英文';
COMMENT ON COLUMN crm_bi.service_case.category_name_zh IS 'That in Chinese. 类别';
COMMENT ON COLUMN crm_bi.service_case.cause IS 'How it came about. 原因';
COMMENT ON COLUMN crm_bi.service_case.intake IS 'phone 电话, site 网站, mail 信函, counter 柜面, activity 活动, agent 代理人, staff 员工 or regulator 监管转办. 受理渠道';
COMMENT ON COLUMN crm_bi.service_case.policy_id IS 'Policy that it is about. 保单';
COMMENT ON COLUMN crm_bi.service_case.staff_id IS 'Member of staff that it is about. 涉及人员';
COMMENT ON COLUMN crm_bi.service_case.org_id IS 'Unit that it is about. 涉及机构';
COMMENT ON COLUMN crm_bi.service_case.note IS 'What the customer says. 内容';
COMMENT ON COLUMN crm_bi.service_case.opened_at IS 'When it came in. 受理时间';
COMMENT ON COLUMN crm_bi.service_case.opened_date IS 'Day of that, of the business calendar. 受理日';
COMMENT ON COLUMN crm_bi.service_case.opened_by IS 'Who opened it. 受理人';
COMMENT ON COLUMN crm_bi.service_case.due_on IS 'Day by which it is to be closed. 办结期限';
COMMENT ON COLUMN crm_bi.service_case.closed_at IS 'When it was closed; NULL while it is open. 办结时间';
COMMENT ON COLUMN crm_bi.service_case.closed_date IS 'Day of that. 办结日';
COMMENT ON COLUMN crm_bi.service_case.closed_by IS 'Who closed it. 办结人';
COMMENT ON COLUMN crm_bi.service_case.result IS 'upheld 成立, partly 部分成立, rejected 不成立, done 办结 or withdrawn 撤回. 处理结果';
COMMENT ON COLUMN crm_bi.service_case.correction IS 'What was put right. 整改措施';
COMMENT ON COLUMN crm_bi.service_case.is_open IS 'Open still. 是否未结';
COMMENT ON COLUMN crm_bi.service_case.is_overdue IS 'Closed after due_on, or open after it. 是否超期';
COMMENT ON COLUMN crm_bi.service_case.hours_taken IS 'Hours to the closing. 处理时长';
