-- bi: workflows and what goes through them, made by and belonging to crm_bi_owner

CREATE VIEW crm_bi.workflow AS
SELECT v.workflow || '/' || v.version AS workflow_key, v.workflow, v.version, v.name, v.name_zh, v.subject, v.version = w.version AS is_current, v.defined_at, v.defined_by
FROM crm.workflow_version v JOIN crm.workflow w ON w.code = v.workflow;
COMMENT ON VIEW crm_bi.workflow IS 'Workflows: one row for each version. 流程';
COMMENT ON COLUMN crm_bi.workflow.workflow_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.workflow.workflow IS 'Code. 流程代码';
COMMENT ON COLUMN crm_bi.workflow.version IS 'Version. 版本';
COMMENT ON COLUMN crm_bi.workflow.name IS 'Name in English. 英文名';
COMMENT ON COLUMN crm_bi.workflow.name_zh IS 'Name in Chinese. 中文名';
COMMENT ON COLUMN crm_bi.workflow.subject IS 'What an item is about. 对象';
COMMENT ON COLUMN crm_bi.workflow.is_current IS 'Whether new items take it. 是否现行';
COMMENT ON COLUMN crm_bi.workflow.defined_at IS 'When it was defined. 定义时间';
COMMENT ON COLUMN crm_bi.workflow.defined_by IS 'Who defined it. 定义人';

CREATE VIEW crm_bi.workflow_state AS
SELECT s.workflow || '/' || s.version || '/' || s.state AS workflow_state_key, s.workflow, s.version, s.state, s.place AS state_order, s.name, s.name_zh,
       s.initial AS is_initial, s.final AS is_final, s.limit_hours, s.responsible, s.action
FROM crm.workflow_state s;
COMMENT ON VIEW crm_bi.workflow_state IS 'States of workflows. 流程状态';
COMMENT ON COLUMN crm_bi.workflow_state.workflow_state_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.workflow_state.workflow IS 'Workflow. 流程';
COMMENT ON COLUMN crm_bi.workflow_state.version IS 'Version. 版本';
COMMENT ON COLUMN crm_bi.workflow_state.state IS 'State, as the other views give it. 状态';
COMMENT ON COLUMN crm_bi.workflow_state.state_order IS 'Place in the definition. 次序';
COMMENT ON COLUMN crm_bi.workflow_state.name IS 'Name in English. 英文名';
COMMENT ON COLUMN crm_bi.workflow_state.name_zh IS 'Name in Chinese. 中文名';
COMMENT ON COLUMN crm_bi.workflow_state.is_initial IS 'Where items begin. 是否初始';
COMMENT ON COLUMN crm_bi.workflow_state.is_final IS 'Where items end. 是否终结';
COMMENT ON COLUMN crm_bi.workflow_state.limit_hours IS 'Working hours after which a stay is overdue; NULL: never. 时限（工作小时）';
COMMENT ON COLUMN crm_bi.workflow_state.responsible IS 'Who becomes responsible on entry; NULL: who was. 进入时责任人';
COMMENT ON COLUMN crm_bi.workflow_state.action IS 'What is done on entry; NULL: nothing. 进入动作';

CREATE VIEW crm_bi.workflow_transition AS
SELECT t.workflow || '/' || t.version || '/' || f.from_state || '/' || t.transition AS workflow_transition_key, t.workflow, t.version, t.transition, t.name, t.name_zh,
       f.from_state, t.to_state, pg_catalog.array_to_string(t.made_by, ', ') AS made_by, nullif(pg_catalog.array_to_string(t.not_made_by, ', '), '') AS not_made_by, t.reason_required,
       (SELECT pg_catalog.string_agg(x.field || ' ' || x.type || CASE WHEN x.required THEN '' ELSE ' ?' END, ', ' ORDER BY x.place) FROM crm.workflow_field x
        WHERE x.workflow = t.workflow AND x.version = t.version AND x.transition = t.transition) AS fields
FROM crm.workflow_transition t
JOIN crm.workflow_transition_from f ON f.workflow = t.workflow AND f.version = t.version AND f.transition = t.transition;
COMMENT ON VIEW crm_bi.workflow_transition IS 'Transitions of workflows: one row for each state from which one may be made. 流程转换';
COMMENT ON COLUMN crm_bi.workflow_transition.workflow_transition_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.workflow_transition.workflow IS 'Workflow. 流程';
COMMENT ON COLUMN crm_bi.workflow_transition.version IS 'Version. 版本';
COMMENT ON COLUMN crm_bi.workflow_transition.transition IS 'Transition. 转换';
COMMENT ON COLUMN crm_bi.workflow_transition.name IS 'Name in English. 英文名';
COMMENT ON COLUMN crm_bi.workflow_transition.name_zh IS 'Name in Chinese. 中文名';
COMMENT ON COLUMN crm_bi.workflow_transition.from_state IS 'State before. 起始状态';
COMMENT ON COLUMN crm_bi.workflow_transition.to_state IS 'State after. 目标状态';
COMMENT ON COLUMN crm_bi.workflow_transition.made_by IS 'Who may make it. 可操作人';
COMMENT ON COLUMN crm_bi.workflow_transition.not_made_by IS 'Who may not, though otherwise allowed; NULL: nobody is excluded. 回避人';
COMMENT ON COLUMN crm_bi.workflow_transition.reason_required IS 'Whether a reason must be given. 是否须填原因';
COMMENT ON COLUMN crm_bi.workflow_transition.fields IS 'Fields with their types, a question mark after those that may stay empty. 填写项';

CREATE VIEW crm_bi.workflow_step AS
WITH calendar AS MATERIALIZED (SELECT * FROM crm._calendar),
unit AS MATERIALIZED (
  SELECT o.id, coalesce((SELECT c.calendar FROM crm.organisation_calendar c JOIN crm.organisation_tree t ON t.ancestor_id = c.org_id AND t.descendant_id = o.id
                         ORDER BY t.depth LIMIT 1), 'default') AS calendar
  FROM crm.organisation o WHERE EXISTS (SELECT FROM crm.workflow_item i WHERE i.org_id = o.id))
SELECT s.id AS workflow_step_id, i.id AS item_id, i.workflow, i.version, s.to_state AS state, t.final AS is_final, i.org_id, h.code AS channel, s.transition, s.from_state, s.by_whom, s.reason,
       s.at AS entered_at, s.left_at, s.left_by,
       CASE WHEN NOT t.final THEN pg_catalog.round(extract(epoch FROM
         crm._working_time_between(s.at, greatest(coalesce(s.left_at, n.at), s.at), c.zone, c.weekdays, c.starts, c.ends, c.days, c.day_weekdays)) / 3600, 4) END AS working_hours,
       t.limit_hours, s.due_at, coalesce(coalesce(s.left_at, n.at) > s.due_at, false) AS is_overdue
FROM (SELECT l.id, l.item_id, l.transition, l.from_state, l.to_state, l.at, l.by_whom, l.reason, l.due_at,
             pg_catalog.lead(l.at) OVER w AS left_at, pg_catalog.lead(l.transition) OVER w AS left_by
      FROM crm.workflow_log l WHERE l.kind <> 'assign' WINDOW w AS (PARTITION BY l.item_id ORDER BY l.id)) s
JOIN crm.workflow_item i ON i.id = s.item_id
JOIN crm.workflow_state t ON t.workflow = i.workflow AND t.version = i.version AND t.state = s.to_state
JOIN unit u ON u.id = i.org_id
JOIN calendar c ON c.code = u.calendar
LEFT JOIN crm.channel h ON h.id = i.channel_id
CROSS JOIN crm._workflow_clock n;
COMMENT ON VIEW crm_bi.workflow_step IS 'Stays of items in states: how they came there, how long it took in working hours of the unit, to now while it lasts. 流程步骤';
COMMENT ON COLUMN crm_bi.workflow_step.workflow_step_id IS 'Key, rising within an item. 步骤键';
COMMENT ON COLUMN crm_bi.workflow_step.item_id IS 'Item. 事项';
COMMENT ON COLUMN crm_bi.workflow_step.workflow IS 'Workflow. 流程';
COMMENT ON COLUMN crm_bi.workflow_step.version IS 'Version that the item follows. 版本';
COMMENT ON COLUMN crm_bi.workflow_step.state IS 'State. 状态';
COMMENT ON COLUMN crm_bi.workflow_step.is_final IS 'Whether the item ended there. 是否终结';
COMMENT ON COLUMN crm_bi.workflow_step.org_id IS 'Unit in whose hands the item lies. 机构';
COMMENT ON COLUMN crm_bi.workflow_step.channel IS 'Channel that the item concerns; NULL: none. 渠道';
COMMENT ON COLUMN crm_bi.workflow_step.transition IS 'Transition that led there; NULL: the opening. 进入转换';
COMMENT ON COLUMN crm_bi.workflow_step.from_state IS 'State before; NULL: none. 上一状态';
COMMENT ON COLUMN crm_bi.workflow_step.by_whom IS 'Who brought it there. 操作人';
COMMENT ON COLUMN crm_bi.workflow_step.reason IS 'Why. 原因';
COMMENT ON COLUMN crm_bi.workflow_step.entered_at IS 'When it came. 进入时间';
COMMENT ON COLUMN crm_bi.workflow_step.left_at IS 'When it left; NULL: it is there. 离开时间';
COMMENT ON COLUMN crm_bi.workflow_step.left_by IS 'Transition by which it left. 离开转换';
COMMENT ON COLUMN crm_bi.workflow_step.working_hours IS 'Working hours of the stay, to now while it lasts; NULL in a final state. 停留工作小时';
COMMENT ON COLUMN crm_bi.workflow_step.limit_hours IS 'Limit in working hours; NULL: none. 时限（工作小时）';
COMMENT ON COLUMN crm_bi.workflow_step.due_at IS 'When the limit ends. 到期时间';
COMMENT ON COLUMN crm_bi.workflow_step.is_overdue IS 'Whether it left after its limit, or is there still. 是否超时';

CREATE VIEW crm_bi.workflow_item AS
SELECT i.id AS item_id, i.workflow, i.version, i.state, s.name AS state_name, s.name_zh AS state_name_zh, i.closed_at IS NULL AS is_open, i.subject_id,
       CASE WHEN v.subject = 'customer' THEN i.subject_id END AS customer_id, i.org_id, h.code AS channel, i.opened_by, i.opened_at, i.responsible,
       r.id AS responsible_staff_id, i.entered_at, p.working_hours AS hours_in_state, i.due_at, coalesce(i.closed_at IS NULL AND p.is_overdue, false) AS is_overdue, i.closed_at
FROM crm.workflow_item i
JOIN crm.workflow_version v ON v.workflow = i.workflow AND v.version = i.version
JOIN crm.workflow_state s ON s.workflow = i.workflow AND s.version = i.version AND s.state = i.state
JOIN crm_bi.workflow_step p ON p.item_id = i.id AND p.left_at IS NULL
LEFT JOIN crm.staff r ON r.login = i.responsible::name
LEFT JOIN crm.channel h ON h.id = i.channel_id;
COMMENT ON VIEW crm_bi.workflow_item IS 'Items of workflows as they are: one row each. 流程事项';
COMMENT ON COLUMN crm_bi.workflow_item.item_id IS 'Key. 事项键';
COMMENT ON COLUMN crm_bi.workflow_item.workflow IS 'Workflow. 流程';
COMMENT ON COLUMN crm_bi.workflow_item.version IS 'Version that it follows. 版本';
COMMENT ON COLUMN crm_bi.workflow_item.state IS 'State. 状态';
COMMENT ON COLUMN crm_bi.workflow_item.state_name IS 'Name of the state in English. 状态英文名';
COMMENT ON COLUMN crm_bi.workflow_item.state_name_zh IS 'Name of the state in Chinese. 状态中文名';
COMMENT ON COLUMN crm_bi.workflow_item.is_open IS 'Whether it is open. 是否进行中';
COMMENT ON COLUMN crm_bi.workflow_item.subject_id IS 'Key of what it is about. 对象键';
COMMENT ON COLUMN crm_bi.workflow_item.customer_id IS 'Customer whom it is about; NULL: it is about something else. 客户';
COMMENT ON COLUMN crm_bi.workflow_item.org_id IS 'Unit in whose hands it lies. 机构';
COMMENT ON COLUMN crm_bi.workflow_item.channel IS 'Channel that it concerns; NULL: none. 渠道';
COMMENT ON COLUMN crm_bi.workflow_item.opened_by IS 'Who opened it. 发起人';
COMMENT ON COLUMN crm_bi.workflow_item.opened_at IS 'When. 发起时间';
COMMENT ON COLUMN crm_bi.workflow_item.responsible IS 'The one person responsible; NULL: closed. 责任人';
COMMENT ON COLUMN crm_bi.workflow_item.responsible_staff_id IS 'That person in crm_bi.staff; NULL: closed, or not there. 责任人键';
COMMENT ON COLUMN crm_bi.workflow_item.entered_at IS 'When it came into its state. 进入状态时间';
COMMENT ON COLUMN crm_bi.workflow_item.hours_in_state IS 'Working hours since; NULL: closed. 在本状态的工作小时';
COMMENT ON COLUMN crm_bi.workflow_item.due_at IS 'End of the time limit; NULL: none. 到期时间';
COMMENT ON COLUMN crm_bi.workflow_item.is_overdue IS 'Whether the limit is over. 是否超时';
COMMENT ON COLUMN crm_bi.workflow_item.closed_at IS 'When it ended; NULL: open. 办结时间';

CREATE VIEW crm_bi.workflow_change AS
SELECT l.id AS workflow_change_id, l.item_id, i.workflow, l.kind, l.transition, l.from_state, l.to_state, l.at AS changed_at, l.by_whom, l.reason, l.responsible, l.due_at,
       l.data_before::text AS data_before, l.data_after::text AS data_after
FROM crm.workflow_log l JOIN crm.workflow_item i ON i.id = l.item_id;
COMMENT ON VIEW crm_bi.workflow_change IS 'Everything that happened to items: who, when, why, before and after. 流程日志';
COMMENT ON COLUMN crm_bi.workflow_change.workflow_change_id IS 'Key, rising within an item. 日志键';
COMMENT ON COLUMN crm_bi.workflow_change.item_id IS 'Item. 事项';
COMMENT ON COLUMN crm_bi.workflow_change.workflow IS 'Workflow. 流程';
COMMENT ON COLUMN crm_bi.workflow_change.kind IS 'open 发起, transition 转换 or assign 改派. 类别';
COMMENT ON COLUMN crm_bi.workflow_change.transition IS 'Which transition. 转换';
COMMENT ON COLUMN crm_bi.workflow_change.from_state IS 'State before; NULL: none. 原状态';
COMMENT ON COLUMN crm_bi.workflow_change.to_state IS 'State after. 新状态';
COMMENT ON COLUMN crm_bi.workflow_change.changed_at IS 'When. 时间';
COMMENT ON COLUMN crm_bi.workflow_change.by_whom IS 'Who. 操作人';
COMMENT ON COLUMN crm_bi.workflow_change.reason IS 'Why. 原因';
COMMENT ON COLUMN crm_bi.workflow_change.responsible IS 'Who is responsible afterwards; NULL: closed. 之后的责任人';
COMMENT ON COLUMN crm_bi.workflow_change.due_at IS 'End of the time limit afterwards. 之后的到期时间';
COMMENT ON COLUMN crm_bi.workflow_change.data_before IS 'Data before, as JSON. 变更前内容';
COMMENT ON COLUMN crm_bi.workflow_change.data_after IS 'Data after, as JSON. 变更后内容';

CREATE VIEW crm_bi.workflow_throughput AS
SELECT m.workflow || '/' || m.state || '/' || m.month AS workflow_throughput_key, m.workflow, m.state, m.month,
       pg_catalog.sum(m.entered)::bigint AS entered, pg_catalog.count(m.left_hours) AS left_count,
       pg_catalog.percentile_disc(0.5) WITHIN GROUP (ORDER BY m.left_hours) AS median_hours,
       pg_catalog.percentile_disc(0.9) WITHIN GROUP (ORDER BY m.left_hours) AS p90_hours,
       pg_catalog.count(*) FILTER (WHERE m.late) AS overdue
FROM (SELECT p.workflow, p.state, pg_catalog.date_trunc('month', p.entered_at AT TIME ZONE n.zone)::date AS month, 1 AS entered, NULL::numeric AS left_hours, false AS late
      FROM crm_bi.workflow_step p CROSS JOIN crm._workflow_clock n
      UNION ALL
      SELECT p.workflow, p.state, pg_catalog.date_trunc('month', p.left_at AT TIME ZONE n.zone)::date, 0, p.working_hours, p.is_overdue
      FROM crm_bi.workflow_step p CROSS JOIN crm._workflow_clock n WHERE p.left_at IS NOT NULL) m
GROUP BY m.workflow, m.state, m.month;
COMMENT ON VIEW crm_bi.workflow_throughput IS 'Month by month, how many items came into a state and left it, and how long those that left took. 流程吞吐';
COMMENT ON COLUMN crm_bi.workflow_throughput.workflow_throughput_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.workflow_throughput.workflow IS 'Workflow. 流程';
COMMENT ON COLUMN crm_bi.workflow_throughput.state IS 'State. 状态';
COMMENT ON COLUMN crm_bi.workflow_throughput.month IS 'First day of the month. 月份';
COMMENT ON COLUMN crm_bi.workflow_throughput.entered IS 'Stays that began in the month. 进入数';
COMMENT ON COLUMN crm_bi.workflow_throughput.left_count IS 'Stays that ended in it. 离开数';
COMMENT ON COLUMN crm_bi.workflow_throughput.median_hours IS 'Working hours within which half of these ended; NULL: none did. 中位工作小时';
COMMENT ON COLUMN crm_bi.workflow_throughput.p90_hours IS 'Working hours within which 90 % of these ended. 九成工作小时';
COMMENT ON COLUMN crm_bi.workflow_throughput.overdue IS 'Of these, after the limit. 超时数';

CREATE VIEW crm_bi.position AS
SELECT p.id AS position_id, p.staff_id, p.org_id, p.duty, k.name AS duty_name, k.name_zh AS duty_name_zh, coalesce(l.code, o.level::text) AS level, p.from_date, p.to_date,
       p.from_date <= d.today AND coalesce(d.today < p.to_date, true) AND s.joined_on <= d.today AND coalesce(d.today < s.left_on, true) AND coalesce(l.active, true) AS is_valid
FROM crm.position p
JOIN crm.position_kind k ON k.duty = p.duty
JOIN crm.staff s ON s.id = p.staff_id
JOIN crm.organisation o ON o.id = p.org_id
LEFT JOIN crm.authority_level l ON l.level = o.level
CROSS JOIN (SELECT crm.today() AS today OFFSET 0) d;
COMMENT ON VIEW crm_bi.position IS 'Who has which duty over which unit with its subtree. 任职';
COMMENT ON COLUMN crm_bi.position.position_id IS 'Key. 任职键';
COMMENT ON COLUMN crm_bi.position.staff_id IS 'Member of staff. 人员';
COMMENT ON COLUMN crm_bi.position.org_id IS 'Unit. 机构';
COMMENT ON COLUMN crm_bi.position.duty IS 'Duty. 职责';
COMMENT ON COLUMN crm_bi.position.duty_name IS 'Its name in English. 职责英文名';
COMMENT ON COLUMN crm_bi.position.duty_name_zh IS 'Its name in Chinese. 职责中文名';
COMMENT ON COLUMN crm_bi.position.level IS 'Level of permission of the unit: enterprise 企业, sub_bureau 分局, office 支局, outlet 网点, or its number. 权限层级';
COMMENT ON COLUMN crm_bi.position.from_date IS 'First day. 起始日';
COMMENT ON COLUMN crm_bi.position.to_date IS 'First day no longer; NULL: none set. 终止日';
COMMENT ON COLUMN crm_bi.position.is_valid IS 'Whether it counts today: on the day, of staff in post, at a level that is on. 是否有效';
