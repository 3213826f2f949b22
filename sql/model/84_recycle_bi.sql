-- bi: the history of holdings, sweeps, reminders, exemptions and returns, made by and belonging to crm_bi_owner

CREATE VIEW crm_bi.holding_event AS
WITH event AS (
  SELECT h.customer_id, h.id, h.held_from AS at, 1 AS step, 0::bigint AS seq, h.start_cause AS event, h.started_by AS by_whom, h.start_reason AS reason,
         (SELECT crm._held_by(p) FROM crm.holding p
          WHERE p.customer_id = h.customer_id AND p.held_to = h.held_from AND p.end_cause IN ('transfer', 'narrowing') AND p.id <> h.id
          ORDER BY p.id DESC LIMIT 1) AS before, crm._held_by(h) AS after
  FROM crm.holding h
  UNION ALL
  SELECT c.customer_id, c.holding_id, c.changed_at, 2, c.id, c.kind, c.changed_by, c.reason, c.before, c.after
  FROM crm.holding_change c
  UNION ALL
  SELECT c.customer_id, c.holding_id, c.ended_at, 2, c.id - 1, 'recycle', c.ended_by, NULL, crm._held_by(h), NULL
  FROM crm.holding_change c JOIN crm.holding h ON h.customer_id = c.customer_id AND h.id = c.holding_id WHERE c.kind = 'undo'
  UNION ALL
  SELECT h.customer_id, h.id, h.held_to, 3, 0, h.end_cause, h.ended_by,
         CASE WHEN h.return_code IS NULL THEN h.end_reason ELSE r.name || coalesce(': ' || h.end_reason, '') END, crm._held_by(h), NULL
  FROM crm.holding h LEFT JOIN crm.return_reason r ON r.code = h.return_code
  WHERE h.end_cause NOT IN ('transfer', 'narrowing'))
SELECT e.customer_id::text || '/' || e.id || '/' || pg_catalog.row_number() OVER (PARTITION BY e.customer_id, e.id ORDER BY e.at, e.step, e.seq) AS event_key,
       e.customer_id, e.customer_id::text || '/' || e.id AS holding_key,
       pg_catalog.row_number() OVER (PARTITION BY e.customer_id ORDER BY e.at, e.id, e.step, e.seq) AS event_no,
       e.at AS happened_at, e.event, c.code AS channel, h.org_id, h.staff_id, s.name AS staff_name, e.by_whom, e.reason, e.before, e.after
FROM event e
JOIN crm.holding h ON h.customer_id = e.customer_id AND h.id = e.id
JOIN crm.channel c ON c.id = h.channel_id
LEFT JOIN crm.staff s ON s.id = h.staff_id;
COMMENT ON VIEW crm_bi.holding_event IS 'What happened to holdings, in order: one row for each start, change and end. 客户持有历史';
COMMENT ON COLUMN crm_bi.holding_event.event_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.holding_event.customer_id IS 'Customer. 客户';
COMMENT ON COLUMN crm_bi.holding_event.holding_key IS 'Holding, see crm_bi.holding. 持有记录';
COMMENT ON COLUMN crm_bi.holding_event.event_no IS 'Number of the event among those of the customer, in order of time. 序号';
COMMENT ON COLUMN crm_bi.holding_event.happened_at IS 'When. 时间';
COMMENT ON COLUMN crm_bi.holding_event.event IS 'claim 领取, allocation 分配, transfer 转移, entry 录入, lock 锁定, unlock 解锁, exemption 豁免, override 解除保护, rule 规则变更, load 负荷变更, release 释放, recycle 回收, undo 撤销回收, departure 离职 or merge 合并. 事件';
COMMENT ON COLUMN crm_bi.holding_event.channel IS 'Channel of the holder. 渠道';
COMMENT ON COLUMN crm_bi.holding_event.org_id IS 'Unit of the holder. 机构';
COMMENT ON COLUMN crm_bi.holding_event.staff_id IS 'Member of staff. 人员';
COMMENT ON COLUMN crm_bi.holding_event.staff_name IS 'Name of the member of staff. 人员姓名';
COMMENT ON COLUMN crm_bi.holding_event.by_whom IS 'Who did it. 操作人';
COMMENT ON COLUMN crm_bi.holding_event.reason IS 'Why, where a reason was given. 原因';
COMMENT ON COLUMN crm_bi.holding_event.before IS 'What was so before: the holder, the end of the exemption or protection, the rule, the load, or the sweep undone. 变更前';
COMMENT ON COLUMN crm_bi.holding_event.after IS 'What is so after it. 变更后';

CREATE VIEW crm_bi.sweep AS
SELECT s.id AS sweep_id, s.as_of, s.started_at, s.started_by, s.finished_at, s.finished_at IS NOT NULL AS is_finished, s.ended, s.reopened,
       s.undone_at, s.undone_by, s.undo_reason
FROM crm.sweep s;
COMMENT ON VIEW crm_bi.sweep IS 'Sweeps that gave customers back to the pool: one row each. 回收批次';
COMMENT ON COLUMN crm_bi.sweep.sweep_id IS 'Key of the sweep. 批次键';
COMMENT ON COLUMN crm_bi.sweep.as_of IS 'What was due then went back. 截止时间';
COMMENT ON COLUMN crm_bi.sweep.started_at IS 'Start. 开始';
COMMENT ON COLUMN crm_bi.sweep.started_by IS 'Who started it. 发起人';
COMMENT ON COLUMN crm_bi.sweep.finished_at IS 'End. 结束';
COMMENT ON COLUMN crm_bi.sweep.is_finished IS 'Whether it has ended. 是否完成';
COMMENT ON COLUMN crm_bi.sweep.ended IS 'Holdings it ended. 回收客户数';
COMMENT ON COLUMN crm_bi.sweep.reopened IS 'Holdings opened again by undoing it. 撤销客户数';
COMMENT ON COLUMN crm_bi.sweep.undone_at IS 'When it was undone last. 撤销时间';
COMMENT ON COLUMN crm_bi.sweep.undone_by IS 'Who undid it. 撤销人';
COMMENT ON COLUMN crm_bi.sweep.undo_reason IS 'Why it was undone. 撤销原因';

CREATE VIEW crm_bi.reminder AS
SELECT r.customer_id::text || '/' || r.holding_id || '/' || r.stage || '/' || (extract(epoch FROM r.due_at) * 1000000)::bigint AS reminder_key,
       r.customer_id, r.customer_id::text || '/' || r.holding_id AS holding_key, c.code AS channel, h.org_id, h.staff_id, s.name AS staff_name,
       r.due_at, r.stage, r.to_supervisor, r.supervisor_id, v.name AS supervisor_name, r.made_at, r.made_by, r.taken_at, r.taken_by,
       crm._reminds(r, h) AS is_current
FROM crm.reminder r
LEFT JOIN crm.staff v ON v.id = r.supervisor_id
JOIN crm.holding h ON h.customer_id = r.customer_id AND h.id = r.holding_id
JOIN crm.channel c ON c.id = h.channel_id
LEFT JOIN crm.staff s ON s.id = h.staff_id;
COMMENT ON VIEW crm_bi.reminder IS 'Reminders that a customer goes back to the pool soon: one row for each holding, time and stage. 回收提醒';
COMMENT ON COLUMN crm_bi.reminder.reminder_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.reminder.customer_id IS 'Customer. 客户';
COMMENT ON COLUMN crm_bi.reminder.holding_key IS 'Holding, see crm_bi.holding. 持有记录';
COMMENT ON COLUMN crm_bi.reminder.channel IS 'Channel of the holder. 渠道';
COMMENT ON COLUMN crm_bi.reminder.org_id IS 'Unit of the holder. 机构';
COMMENT ON COLUMN crm_bi.reminder.staff_id IS 'Member of staff. 人员';
COMMENT ON COLUMN crm_bi.reminder.staff_name IS 'Name of the member of staff. 人员姓名';
COMMENT ON COLUMN crm_bi.reminder.due_at IS 'When the customer goes back, as it stood. 回收时间';
COMMENT ON COLUMN crm_bi.reminder.stage IS 'Days before that. 提前天数';
COMMENT ON COLUMN crm_bi.reminder.to_supervisor IS 'For the supervisor as well. 是否抄送主管';
COMMENT ON COLUMN crm_bi.reminder.supervisor_id IS 'Who the supervisor is: manager of the holder''s unit or the nearest above; NULL: nobody, or not for them. 主管';
COMMENT ON COLUMN crm_bi.reminder.supervisor_name IS 'Name of the supervisor. 主管姓名';
COMMENT ON COLUMN crm_bi.reminder.made_at IS 'When it was made. 生成时间';
COMMENT ON COLUMN crm_bi.reminder.made_by IS 'By whom. 生成人';
COMMENT ON COLUMN crm_bi.reminder.taken_at IS 'When it was taken to be sent. 发送时间';
COMMENT ON COLUMN crm_bi.reminder.taken_by IS 'By whom. 发送人';
COMMENT ON COLUMN crm_bi.reminder.is_current IS 'Whether the customer is still held and goes back at that time. 是否仍有效';

CREATE VIEW crm_bi.recycle_exemption AS
SELECT e.customer_id::text || '/' || e.holding_id || '/' || e.id AS exemption_key, e.customer_id, e.customer_id::text || '/' || e.holding_id AS holding_key,
       c.code AS channel, h.org_id, h.staff_id, s.name AS staff_name, e.kind, k.name AS kind_name, k.name_zh AS kind_name_zh, e.until, e.reason, e.appointment_id, e.granted_at, e.granted_by,
       e.withdrawn_at, e.withdrawn_by, e.withdrawal_reason, least(e.until, e.withdrawn_at, greatest(h.held_to, e.granted_at)) AS over_at
FROM crm.recycle_exemption e
JOIN crm.exemption_kind k ON k.code = e.kind
JOIN crm.holding h ON h.customer_id = e.customer_id AND h.id = e.holding_id
JOIN crm.channel c ON c.id = h.channel_id
LEFT JOIN crm.staff s ON s.id = h.staff_id;
COMMENT ON VIEW crm_bi.recycle_exemption IS 'Exemptions of holdings from recycling: one row each. 回收豁免';
COMMENT ON COLUMN crm_bi.recycle_exemption.exemption_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.recycle_exemption.customer_id IS 'Customer. 客户';
COMMENT ON COLUMN crm_bi.recycle_exemption.holding_key IS 'Holding, see crm_bi.holding. 持有记录';
COMMENT ON COLUMN crm_bi.recycle_exemption.channel IS 'Channel of the holder. 渠道';
COMMENT ON COLUMN crm_bi.recycle_exemption.org_id IS 'Unit of the holder. 机构';
COMMENT ON COLUMN crm_bi.recycle_exemption.staff_id IS 'Member of staff. 人员';
COMMENT ON COLUMN crm_bi.recycle_exemption.staff_name IS 'Name of the member of staff. 人员姓名';
COMMENT ON COLUMN crm_bi.recycle_exemption.kind IS 'Why: code. 类型代码';
COMMENT ON COLUMN crm_bi.recycle_exemption.kind_name IS 'Why, in English. 类型(英文)';
COMMENT ON COLUMN crm_bi.recycle_exemption.kind_name_zh IS 'Why, in Chinese. 类型(中文)';
COMMENT ON COLUMN crm_bi.recycle_exemption.until IS 'Until when it was granted. 豁免至';
COMMENT ON COLUMN crm_bi.recycle_exemption.reason IS 'What exactly. 原因';
COMMENT ON COLUMN crm_bi.recycle_exemption.appointment_id IS 'Appointment of the customer that it follows; NULL: none. 预约';
COMMENT ON COLUMN crm_bi.recycle_exemption.granted_at IS 'When it was granted. 批准时间';
COMMENT ON COLUMN crm_bi.recycle_exemption.granted_by IS 'By whom. 批准人';
COMMENT ON COLUMN crm_bi.recycle_exemption.withdrawn_at IS 'When it was withdrawn. 撤回时间';
COMMENT ON COLUMN crm_bi.recycle_exemption.withdrawn_by IS 'By whom. 撤回人';
COMMENT ON COLUMN crm_bi.recycle_exemption.withdrawal_reason IS 'Why it was withdrawn. 撤回原因';
COMMENT ON COLUMN crm_bi.recycle_exemption.over_at IS 'When it is over, or was: at its end, by withdrawal, or with the holding. 失效时间';

CREATE VIEW crm_bi.customer_return AS
SELECT h.customer_id::text || '/' || h.id AS holding_key, h.customer_id, c.code AS channel, h.org_id, h.staff_id, s.name AS staff_name, h.held_from, h.held_to AS returned_at,
       h.ended_by AS returned_by, h.return_code AS reason, r.name AS reason_name, r.name_zh AS reason_name_zh, h.end_reason AS note
FROM crm.holding h
JOIN crm.return_reason r ON r.code = h.return_code
JOIN crm.channel c ON c.id = h.channel_id
LEFT JOIN crm.staff s ON s.id = h.staff_id;
COMMENT ON VIEW crm_bi.customer_return IS 'Customers given back by their holder with a reason: one row for each holding that ended so. 客户退回';
COMMENT ON COLUMN crm_bi.customer_return.holding_key IS 'Holding, see crm_bi.holding. 持有记录';
COMMENT ON COLUMN crm_bi.customer_return.customer_id IS 'Customer. 客户';
COMMENT ON COLUMN crm_bi.customer_return.channel IS 'Channel of the holder. 渠道';
COMMENT ON COLUMN crm_bi.customer_return.org_id IS 'Unit of the holder. 机构';
COMMENT ON COLUMN crm_bi.customer_return.staff_id IS 'Member of staff. 人员';
COMMENT ON COLUMN crm_bi.customer_return.staff_name IS 'Name of the member of staff. 人员姓名';
COMMENT ON COLUMN crm_bi.customer_return.held_from IS 'Start of the holding. 开始';
COMMENT ON COLUMN crm_bi.customer_return.returned_at IS 'When the customer was given back. 退回时间';
COMMENT ON COLUMN crm_bi.customer_return.returned_by IS 'By whom. 退回人';
COMMENT ON COLUMN crm_bi.customer_return.reason IS 'Why: code. 原因代码';
COMMENT ON COLUMN crm_bi.customer_return.reason_name IS 'Why, in English. 原因(英文)';
COMMENT ON COLUMN crm_bi.customer_return.reason_name_zh IS 'Why, in Chinese. 原因(中文)';
COMMENT ON COLUMN crm_bi.customer_return.note IS 'What the holder added. 备注';
