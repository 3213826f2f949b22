-- bi: staff who leave or move, and what becomes of their customers

CREATE VIEW crm_bi.hand_over AS
SELECT p.id AS hand_over_id, p.staff_id, s.name AS staff_name, p.kind, p.on_date, p.org_id, h.code AS channel, p.to_org_id, g.code AS to_channel, p.strategy, p.deputy_id, p.reason, p.state,
       p.state = 'planned' AND p.on_date <= d.today AS overdue,
       CASE WHEN p.state = 'planned' THEN (SELECT pg_catalog.count(*) FROM crm.holding o WHERE o.staff_id = p.staff_id AND o.held_to IS NULL) ELSE 0 END AS still_held,
       coalesce(l.planned, 0) AS planned, coalesce(l.handed_over, 0) AS handed_over, coalesce(l.pool, 0) AS pool, coalesce(l.kept, 0) AS kept, p.appointments, p.items,
       p.planned_at, p.planned_by, p.ended_at, p.ended_by, p.end_reason, p.failed_at, p.failure
FROM crm.hand_over p
JOIN crm.staff s ON s.id = p.staff_id
JOIN crm.channel h ON h.id = p.channel_id
LEFT JOIN crm.channel g ON g.id = p.to_channel_id
LEFT JOIN (SELECT x.hand_over_id, pg_catalog.count(*) FILTER (WHERE x.to_staff_id IS NOT NULL) AS planned, pg_catalog.count(*) FILTER (WHERE x.outcome = 'handed_over') AS handed_over,
                  pg_catalog.count(*) FILTER (WHERE x.outcome = 'pool') AS pool, pg_catalog.count(*) FILTER (WHERE x.outcome = 'kept') AS kept
           FROM crm.hand_over_customer x GROUP BY x.hand_over_id) l ON l.hand_over_id = p.id
CROSS JOIN (SELECT crm.today() AS today OFFSET 0) d;
COMMENT ON VIEW crm_bi.hand_over IS 'Staff who leave or move: one row for each hand-over. 离职与调动交接';
COMMENT ON COLUMN crm_bi.hand_over.hand_over_id IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.hand_over.staff_id IS 'Who leaves or moves. 人员';
COMMENT ON COLUMN crm_bi.hand_over.staff_name IS 'Name. 人员姓名';
COMMENT ON COLUMN crm_bi.hand_over.kind IS 'departure 离职 or move 调动. 类别';
COMMENT ON COLUMN crm_bi.hand_over.on_date IS 'First day no longer in post, or in the new unit. 生效日';
COMMENT ON COLUMN crm_bi.hand_over.org_id IS 'Unit left. 原机构';
COMMENT ON COLUMN crm_bi.hand_over.channel IS 'Channel left. 原渠道';
COMMENT ON COLUMN crm_bi.hand_over.to_org_id IS 'New unit. 新机构';
COMMENT ON COLUMN crm_bi.hand_over.to_channel IS 'New channel. 新渠道';
COMMENT ON COLUMN crm_bi.hand_over.strategy IS 'How customers without a successor of their own go over. 分配策略';
COMMENT ON COLUMN crm_bi.hand_over.deputy_id IS 'Who takes open appointments and items of workflows that no successor takes. 代理人';
COMMENT ON COLUMN crm_bi.hand_over.reason IS 'Why. 原因';
COMMENT ON COLUMN crm_bi.hand_over.state IS 'planned 计划, done 完成 or cancelled 取消. 状态';
COMMENT ON COLUMN crm_bi.hand_over.overdue IS 'Planned for today or before and not done. 是否逾期';
COMMENT ON COLUMN crm_bi.hand_over.still_held IS 'Customers still held by who leaves or moves. 待交接客户数';
COMMENT ON COLUMN crm_bi.hand_over.planned IS 'Customers with a successor planned. 已定接任人客户数';
COMMENT ON COLUMN crm_bi.hand_over.handed_over IS 'Customers handed over. 已移交客户数';
COMMENT ON COLUMN crm_bi.hand_over.pool IS 'Customers back in the pool. 退回资源池客户数';
COMMENT ON COLUMN crm_bi.hand_over.kept IS 'Customers kept in a move. 保留客户数';
COMMENT ON COLUMN crm_bi.hand_over.appointments IS 'Open appointments that went to somebody else. 移交预约数';
COMMENT ON COLUMN crm_bi.hand_over.items IS 'Open items of workflows that went to somebody else. 移交流程事项数';
COMMENT ON COLUMN crm_bi.hand_over.planned_at IS 'When it was planned. 计划时间';
COMMENT ON COLUMN crm_bi.hand_over.planned_by IS 'Who planned it. 计划人';
COMMENT ON COLUMN crm_bi.hand_over.ended_at IS 'When it was done or cancelled. 完成时间';
COMMENT ON COLUMN crm_bi.hand_over.ended_by IS 'Who did or cancelled it. 完成人';
COMMENT ON COLUMN crm_bi.hand_over.end_reason IS 'Why it was cancelled. 取消原因';
COMMENT ON COLUMN crm_bi.hand_over.failed_at IS 'When it could not be done last; NULL: never, or done since. 失败时间';
COMMENT ON COLUMN crm_bi.hand_over.failure IS 'Why it could not. 失败原因';

CREATE VIEW crm_bi.hand_over_customer AS
SELECT l.hand_over_id || '/' || l.customer_id AS hand_over_customer_key, l.hand_over_id, p.staff_id, p.on_date, p.state, l.customer_id, l.to_staff_id, l.chosen, l.outcome, l.obstacle, l.got_staff_id
FROM crm.hand_over_customer l JOIN crm.hand_over p ON p.id = l.hand_over_id;
COMMENT ON VIEW crm_bi.hand_over_customer IS 'To whom customers of staff who leave or move shall go, and went: one row for each hand-over and customer. 客户交接明细';
COMMENT ON COLUMN crm_bi.hand_over_customer.hand_over_customer_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.hand_over_customer.hand_over_id IS 'Hand-over. 交接';
COMMENT ON COLUMN crm_bi.hand_over_customer.staff_id IS 'Who leaves or moves. 原客户经理';
COMMENT ON COLUMN crm_bi.hand_over_customer.on_date IS 'Day of the hand-over. 生效日';
COMMENT ON COLUMN crm_bi.hand_over_customer.state IS 'planned, done or cancelled. 状态';
COMMENT ON COLUMN crm_bi.hand_over_customer.customer_id IS 'Customer. 客户';
COMMENT ON COLUMN crm_bi.hand_over_customer.to_staff_id IS 'Successor planned; NULL: the pool. 计划接任人';
COMMENT ON COLUMN crm_bi.hand_over_customer.chosen IS 'Chosen by hand, not by the strategy. 是否指定';
COMMENT ON COLUMN crm_bi.hand_over_customer.outcome IS 'handed_over 移交, pool 退回资源池, kept 保留 or gone 已不再持有. 结果';
COMMENT ON COLUMN crm_bi.hand_over_customer.obstacle IS 'Why the successor planned did not get the customer, or nobody did: no_successor 无人接任, in_dispute 争议中, not_in_post 不在岗, or an outcome of the allocation. 未能移交原因';
COMMENT ON COLUMN crm_bi.hand_over_customer.got_staff_id IS 'Who got the customer. 接任人';

CREATE VIEW crm_bi.hand_over_unit AS
SELECT s.org_id, h.code AS channel, pg_catalog.count(*) AS leavers,
       pg_catalog.count(*) FILTER (WHERE p.id IS NULL AND o.held > 0) AS unplanned,
       pg_catalog.count(*) FILTER (WHERE s.left_on <= d.today AND o.held > 0) AS overdue,
       pg_catalog.sum(o.held)::bigint AS customers, pg_catalog.sum(o.planned)::bigint AS planned,
       coalesce(pg_catalog.sum(o.held) FILTER (WHERE s.left_on <= d.today), 0)::bigint AS orphans, pg_catalog.min(s.left_on) AS next_on
FROM crm.staff s
JOIN crm.channel h ON h.id = s.channel_id
CROSS JOIN (SELECT crm.today() AS today OFFSET 0) d
LEFT JOIN crm.hand_over p ON p.staff_id = s.id AND p.state = 'planned' AND p.kind = 'departure'
CROSS JOIN LATERAL (
  SELECT pg_catalog.count(*) AS held, pg_catalog.count(l.to_staff_id) AS planned
  FROM crm.holding x LEFT JOIN crm.hand_over_customer l ON l.hand_over_id = p.id AND l.customer_id = x.customer_id
  WHERE x.staff_id = s.id AND x.held_to IS NULL) o
WHERE s.left_on IS NOT NULL AND (s.left_on > d.today OR o.held > 0)
GROUP BY s.org_id, h.code;
COMMENT ON VIEW crm_bi.hand_over_unit IS 'What is left to hand over: one row for each unit and channel with staff about to leave, or gone and holding. 待交接汇总';
COMMENT ON COLUMN crm_bi.hand_over_unit.org_id IS 'Unit. 机构';
COMMENT ON COLUMN crm_bi.hand_over_unit.channel IS 'Channel. 渠道';
COMMENT ON COLUMN crm_bi.hand_over_unit.leavers IS 'Staff about to leave, or gone and holding. 离职人数';
COMMENT ON COLUMN crm_bi.hand_over_unit.unplanned IS 'Of them holding and without a plan: their customers will go to the pool. 未计划人数';
COMMENT ON COLUMN crm_bi.hand_over_unit.overdue IS 'Of them gone and holding. 逾期人数';
COMMENT ON COLUMN crm_bi.hand_over_unit.customers IS 'Customers they hold. 待交接客户数';
COMMENT ON COLUMN crm_bi.hand_over_unit.planned IS 'Of them with a successor planned. 已定接任人客户数';
COMMENT ON COLUMN crm_bi.hand_over_unit.orphans IS 'Of them held by somebody gone. 孤儿客户数';
COMMENT ON COLUMN crm_bi.hand_over_unit.next_on IS 'The next day on which one of them leaves, or left. 最近离职日';

CREATE VIEW crm_bi.orphan AS
SELECT h.customer_id, h.staff_id, s.name AS staff_name, s.org_id, s.left_on, h.held_from, h.last_contact_at
FROM crm.staff s
CROSS JOIN (SELECT crm.today() AS today OFFSET 0) d
JOIN crm.holding h ON h.staff_id = s.id AND h.held_to IS NULL
WHERE s.left_on <= d.today;
COMMENT ON VIEW crm_bi.orphan IS 'Customers held by somebody no longer in post, until crm.hand_over() has run: one row each. 孤儿客户';
COMMENT ON COLUMN crm_bi.orphan.customer_id IS 'Customer. 客户';
COMMENT ON COLUMN crm_bi.orphan.staff_id IS 'Who held and left. 原客户经理';
COMMENT ON COLUMN crm_bi.orphan.staff_name IS 'Name. 姓名';
COMMENT ON COLUMN crm_bi.orphan.org_id IS 'Unit. 机构';
COMMENT ON COLUMN crm_bi.orphan.left_on IS 'First day no longer in post. 离职日';
COMMENT ON COLUMN crm_bi.orphan.held_from IS 'Since when held. 持有开始';
COMMENT ON COLUMN crm_bi.orphan.last_contact_at IS 'Last contact by the holder. 最近联系';
