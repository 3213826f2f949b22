-- bi: business with customers: products held, premiums, claims, service orders, prospects, appointments and partners

CREATE VIEW crm_bi.product_category AS
WITH RECURSIVE tree AS (
  SELECT c.id, c.code AS level_0, NULL::text AS level_1, NULL::text AS level_2, c.name_zh AS path_zh, 0 AS depth
  FROM crm.product_category c WHERE c.parent_id IS NULL
  UNION ALL
  SELECT c.id, t.level_0, CASE t.depth WHEN 0 THEN c.code ELSE t.level_1 END, CASE t.depth WHEN 1 THEN c.code ELSE t.level_2 END,
         t.path_zh || ' / ' || c.name_zh, t.depth + 1
  FROM tree t JOIN crm.product_category c ON c.parent_id = t.id)
SELECT c.id AS category_id, c.parent_id, c.org_id, c.code, c.name, c.name_zh, c.nature, c.level, t.level_0, t.level_1, t.level_2, t.path_zh
FROM crm.product_category c JOIN tree t ON t.id = c.id;
COMMENT ON VIEW crm_bi.product_category IS 'The tree of businesses and products: one row for each node. 业务分类';
COMMENT ON COLUMN crm_bi.product_category.category_id IS 'Key. 业务分类';
COMMENT ON COLUMN crm_bi.product_category.parent_id IS 'Node above. 上级分类';
COMMENT ON COLUMN crm_bi.product_category.org_id IS 'Unit that it belongs to; NULL: the company. 所属机构';
COMMENT ON COLUMN crm_bi.product_category.code IS 'Code. 代码';
COMMENT ON COLUMN crm_bi.product_category.name IS 'Name in English. 英文名';
COMMENT ON COLUMN crm_bi.product_category.name_zh IS 'Name in Chinese. 中文名';
COMMENT ON COLUMN crm_bi.product_category.nature IS 'asset 资产, debt 负债 or service 服务.';
COMMENT ON COLUMN crm_bi.product_category.level IS 'Steps below the business. 层级';
COMMENT ON COLUMN crm_bi.product_category.level_0 IS 'Code of its business. 一级';
COMMENT ON COLUMN crm_bi.product_category.level_1 IS 'Code of its node on the second level. 二级';
COMMENT ON COLUMN crm_bi.product_category.level_2 IS 'Code of its node on the third level. 三级';
COMMENT ON COLUMN crm_bi.product_category.path_zh IS 'Names from the top in Chinese. 路径';

CREATE VIEW crm_bi.product_holding AS
SELECT h.customer_id::text || '/' || h.id AS product_holding_key, h.customer_id, h.category_id, c.code AS category, c.name_zh AS category_zh, c.nature, r.code AS product,
       x.code AS channel, h.org_id, h.opened_on, h.matures_on, h.closed_on, o.is_open, CASE WHEN o.is_open THEN b.balance END AS balance,
       CASE WHEN o.is_open THEN b.from_date END AS balance_since, CASE WHEN o.is_open THEN h.matures_on - d.today END AS days_to_maturity
FROM crm.product_holding h
CROSS JOIN (SELECT crm.today() AS today OFFSET 0) d
CROSS JOIN LATERAL (SELECT h.opened_on <= d.today AND coalesce(h.closed_on > d.today, true) AS is_open OFFSET 0) o
JOIN crm.product_category c ON c.id = h.category_id
LEFT JOIN crm.product r ON r.id = h.product_id
LEFT JOIN crm.channel x ON x.id = h.channel_id
LEFT JOIN LATERAL (
  SELECT l.balance, l.from_date FROM crm.product_balance l
  WHERE l.customer_id = h.customer_id AND l.holding_id = h.id AND l.from_date <= d.today ORDER BY l.from_date DESC LIMIT 1) b ON true;
COMMENT ON VIEW crm_bi.product_holding IS 'What customers have of products other than policies, as it stands today: one row each. 产品持有';
COMMENT ON COLUMN crm_bi.product_holding.product_holding_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.product_holding.customer_id IS 'Customer. 客户';
COMMENT ON COLUMN crm_bi.product_holding.category_id IS 'What it is. 业务分类';
COMMENT ON COLUMN crm_bi.product_holding.category IS 'Its code. 分类代码';
COMMENT ON COLUMN crm_bi.product_holding.category_zh IS 'Its name in Chinese. 分类名称';
COMMENT ON COLUMN crm_bi.product_holding.nature IS 'asset, debt or service. 性质';
COMMENT ON COLUMN crm_bi.product_holding.product IS 'Code of the product. 产品代码';
COMMENT ON COLUMN crm_bi.product_holding.channel IS 'Channel that sold it. 渠道';
COMMENT ON COLUMN crm_bi.product_holding.org_id IS 'Unit that keeps it. 机构';
COMMENT ON COLUMN crm_bi.product_holding.opened_on IS 'First day. 开户日';
COMMENT ON COLUMN crm_bi.product_holding.matures_on IS 'Maturity. 到期日';
COMMENT ON COLUMN crm_bi.product_holding.closed_on IS 'Day of closing. 销户日';
COMMENT ON COLUMN crm_bi.product_holding.is_open IS 'Open today. 当前持有';
COMMENT ON COLUMN crm_bi.product_holding.balance IS 'Balance today; NULL when not open or not known. 余额';
COMMENT ON COLUMN crm_bi.product_holding.balance_since IS 'First day of that balance. 余额日期';
COMMENT ON COLUMN crm_bi.product_holding.days_to_maturity IS 'Days from today to maturity. 距到期天数';

CREATE VIEW crm_bi.premium AS
SELECT p.policy_id::text || '/' || p.number AS premium_key, p.customer_id, p.policy_id, p.number, p.due_on, p.amount, s.received, w.amount - s.received AS outstanding,
       s.last_received_on, s.reversals,
       CASE WHEN p.waived THEN 'waived' WHEN s.received >= p.amount THEN 'paid' WHEN p.due_on > d.today THEN 'ahead'
            WHEN p.due_on + p.grace_days >= d.today THEN 'due' ELSE 'late' END AS state,
       CASE WHEN s.received < w.amount AND p.due_on < d.today THEN d.today - p.due_on ELSE 0 END AS days_overdue
FROM crm.premium_due p
CROSS JOIN (SELECT crm.today() AS today OFFSET 0) d
CROSS JOIN LATERAL (SELECT CASE WHEN p.waived THEN 0 ELSE p.amount END AS amount) w
CROSS JOIN LATERAL (
  SELECT coalesce(pg_catalog.sum(CASE WHEN r.reverses IS NULL THEN r.amount ELSE - r.amount END), 0) AS received,
         pg_catalog.count(r.reverses)::integer AS reversals,
         pg_catalog.max(r.received_on) FILTER (WHERE r.reverses IS NULL AND NOT EXISTS (
           SELECT FROM crm.premium_receipt v WHERE v.customer_id = r.customer_id AND v.policy_id = r.policy_id AND v.reverses = r.id AND v.received_on <= d.today)) AS last_received_on
  FROM crm.premium_receipt r
  WHERE r.customer_id = p.customer_id AND r.policy_id = p.policy_id AND r.number = p.number AND r.received_on <= d.today) s;
COMMENT ON VIEW crm_bi.premium IS 'Premiums due and what was received of them up to today: one row for each payment of a policy. 应收与实收保费';
COMMENT ON COLUMN crm_bi.premium.premium_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.premium.customer_id IS 'Policyholder. 投保人';
COMMENT ON COLUMN crm_bi.premium.policy_id IS 'Policy. 保单';
COMMENT ON COLUMN crm_bi.premium.number IS 'Which payment of the policy. 期次';
COMMENT ON COLUMN crm_bi.premium.due_on IS 'Day on which it is due. 应缴日';
COMMENT ON COLUMN crm_bi.premium.amount IS 'Amount due. 应收保费';
COMMENT ON COLUMN crm_bi.premium.received IS 'Received, less reversals. 实收保费';
COMMENT ON COLUMN crm_bi.premium.outstanding IS 'Not yet received, nothing of a waived one; below 0: too much. 未收保费';
COMMENT ON COLUMN crm_bi.premium.last_received_on IS 'Last receipt that was not reversed. 最近实收日';
COMMENT ON COLUMN crm_bi.premium.reversals IS 'Receipts reversed. 冲正次数';
COMMENT ON COLUMN crm_bi.premium.state IS 'paid 已缴, ahead 未到期, due 宽限期内, late 逾期 or waived 豁免.';
COMMENT ON COLUMN crm_bi.premium.days_overdue IS 'Days since it was due while not paid. 逾期天数';

CREATE VIEW crm_bi.claim AS
SELECT c.policy_id::text || '/' || c.id AS claim_key, c.customer_id, c.policy_id, c.insured_id, c.kind, c.occurred_on, c.reported_on, c.claimed_amount,
       coalesce(c.outcome, 'open') AS outcome, c.decided_on, c.decided_on - c.reported_on AS days_to_decision, c.paid_amount, c.paid_on
FROM crm.policy_claim c;
COMMENT ON VIEW crm_bi.claim IS 'Claims: one row each. 理赔';
COMMENT ON COLUMN crm_bi.claim.claim_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.claim.customer_id IS 'Policyholder. 投保人';
COMMENT ON COLUMN crm_bi.claim.policy_id IS 'Policy. 保单';
COMMENT ON COLUMN crm_bi.claim.insured_id IS 'Insured person concerned. 出险人';
COMMENT ON COLUMN crm_bi.claim.kind IS 'Kind of claim. 理赔类型';
COMMENT ON COLUMN crm_bi.claim.occurred_on IS 'Day of the event. 出险日期';
COMMENT ON COLUMN crm_bi.claim.reported_on IS 'Day of the report. 报案日期';
COMMENT ON COLUMN crm_bi.claim.claimed_amount IS 'Amount claimed. 索赔金额';
COMMENT ON COLUMN crm_bi.claim.outcome IS 'open 未决, accepted 赔付, partly 部分赔付, refused 拒赔 or withdrawn 撤案.';
COMMENT ON COLUMN crm_bi.claim.decided_on IS 'Day of the decision. 结案日期';
COMMENT ON COLUMN crm_bi.claim.days_to_decision IS 'Days from report to decision. 处理天数';
COMMENT ON COLUMN crm_bi.claim.paid_amount IS 'Amount paid. 赔付金额';
COMMENT ON COLUMN crm_bi.claim.paid_on IS 'Day of payment. 赔付日期';

CREATE VIEW crm_bi.service_order AS
SELECT o.policy_id::text || '/' || o.id AS service_order_key, o.customer_id, o.policy_id, o.kind, k.name AS kind_name, k.name_zh AS kind_name_zh, o.applicant,
       h.code AS channel, o.org_id, o.applied_at, o.ended_at, coalesce(o.result, 'open') AS result, o.reason,
       pg_catalog.round((extract(epoch FROM o.ended_at - o.applied_at) / 3600)::numeric, 2) AS hours_taken, s.steps, s.steps_returned, s.current_step
FROM crm.service_order o
JOIN crm.service_order_kind k ON k.code = o.kind
LEFT JOIN crm.channel h ON h.id = o.channel_id
CROSS JOIN LATERAL (
  SELECT pg_catalog.count(*)::integer AS steps, (pg_catalog.count(*) FILTER (WHERE t.result = 'returned'))::integer AS steps_returned,
         (pg_catalog.array_agg(t.step ORDER BY t.number DESC) FILTER (WHERE t.ended_at IS NULL))[1] AS current_step
  FROM crm.service_order_step t WHERE t.customer_id = o.customer_id AND t.policy_id = o.policy_id AND t.order_id = o.id) s;
COMMENT ON VIEW crm_bi.service_order IS 'Servicing orders: one row each. 保全';
COMMENT ON COLUMN crm_bi.service_order.service_order_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.service_order.customer_id IS 'Policyholder. 投保人';
COMMENT ON COLUMN crm_bi.service_order.policy_id IS 'Policy. 保单';
COMMENT ON COLUMN crm_bi.service_order.kind IS 'What is asked for, a code. 保全项目代码';
COMMENT ON COLUMN crm_bi.service_order.kind_name IS 'That in English. 保全项目英文';
COMMENT ON COLUMN crm_bi.service_order.kind_name_zh IS 'That in Chinese. 保全项目';
COMMENT ON COLUMN crm_bi.service_order.applicant IS 'policyholder, insured, beneficiary, proxy or company. 申请人';
COMMENT ON COLUMN crm_bi.service_order.channel IS 'Channel that took it in. 渠道';
COMMENT ON COLUMN crm_bi.service_order.org_id IS 'Unit that took it in. 机构';
COMMENT ON COLUMN crm_bi.service_order.applied_at IS 'When it was applied for. 申请时间';
COMMENT ON COLUMN crm_bi.service_order.ended_at IS 'When it ended. 结束时间';
COMMENT ON COLUMN crm_bi.service_order.result IS 'open 处理中, done 完成, refused 拒绝 or withdrawn 撤销.';
COMMENT ON COLUMN crm_bi.service_order.reason IS 'Why it was refused or withdrawn. 原因';
COMMENT ON COLUMN crm_bi.service_order.hours_taken IS 'Hours from application to end. 耗时（小时）';
COMMENT ON COLUMN crm_bi.service_order.steps IS 'Steps taken. 步骤数';
COMMENT ON COLUMN crm_bi.service_order.steps_returned IS 'Steps that were returned. 退回步骤数';
COMMENT ON COLUMN crm_bi.service_order.current_step IS 'Step that runs. 当前步骤';

CREATE VIEW crm_bi.service_order_step AS
SELECT t.policy_id::text || '/' || t.order_id || '/' || t.number AS service_order_step_key, t.policy_id::text || '/' || t.order_id AS service_order_key,
       t.customer_id, t.policy_id, t.number, t.step, t.staff_id, t.started_at, t.ended_at, t.result,
       pg_catalog.round((extract(epoch FROM t.ended_at - t.started_at) / 3600)::numeric, 2) AS hours_taken
FROM crm.service_order_step t;
COMMENT ON VIEW crm_bi.service_order_step IS 'Steps of servicing orders: one row each. 保全步骤';
COMMENT ON COLUMN crm_bi.service_order_step.service_order_step_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.service_order_step.service_order_key IS 'Servicing order. 保全';
COMMENT ON COLUMN crm_bi.service_order_step.customer_id IS 'Policyholder. 投保人';
COMMENT ON COLUMN crm_bi.service_order_step.policy_id IS 'Policy. 保单';
COMMENT ON COLUMN crm_bi.service_order_step.number IS 'Order of the steps. 序号';
COMMENT ON COLUMN crm_bi.service_order_step.step IS 'What is done. 步骤';
COMMENT ON COLUMN crm_bi.service_order_step.staff_id IS 'Who does it. 人员';
COMMENT ON COLUMN crm_bi.service_order_step.started_at IS 'Start. 开始';
COMMENT ON COLUMN crm_bi.service_order_step.ended_at IS 'End. 结束';
COMMENT ON COLUMN crm_bi.service_order_step.result IS 'passed, returned or refused. 结果';
COMMENT ON COLUMN crm_bi.service_order_step.hours_taken IS 'Hours from start to end. 耗时（小时）';

CREATE VIEW crm_bi.prospect AS
SELECT p.customer_id::text || '/' || p.id AS prospect_key, p.customer_id, p.source, s.name AS source_name, s.name_zh AS source_name_zh, p.entered_on, p.campaign, p.partner_id, p.action_id,
       p.introduced_by, h.code AS channel, p.org_id, p.staff_id, p.category_id, p.intention, p.consent_id IS NOT NULL AS has_consent,
       NOT EXISTS (SELECT FROM crm.prospect e WHERE e.customer_id = p.customer_id AND (e.entered_on, e.id) < (p.entered_on, p.id)) AS is_first,
       a.appointments, a.appointments_kept, v.converted_on, v.converted_on - p.entered_on AS days_to_conversion
FROM crm.prospect p
CROSS JOIN (SELECT crm.today() AS today OFFSET 0) d
JOIN crm.prospect_source s ON s.code = p.source
LEFT JOIN crm.channel h ON h.id = p.channel_id
CROSS JOIN LATERAL (
  SELECT pg_catalog.count(*)::integer AS appointments, (pg_catalog.count(*) FILTER (WHERE t.result = 'kept'))::integer AS appointments_kept
  FROM crm.appointment t WHERE t.customer_id = p.customer_id AND t.prospect_id = p.id) a
CROSS JOIN LATERAL (
  SELECT pg_catalog.min(c.issued_on) AS converted_on FROM crm.cover c
  WHERE c.customer_id = p.customer_id AND c.role = 'policyholder' AND c.from_date < c.to_date AND c.issued_on BETWEEN p.entered_on AND d.today) v;
COMMENT ON VIEW crm_bi.prospect IS 'How customers came to be prospects, and whether they bought: one row for each time. 准客户';
COMMENT ON COLUMN crm_bi.prospect.prospect_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.prospect.customer_id IS 'Customer. 客户';
COMMENT ON COLUMN crm_bi.prospect.source IS 'Where from, a code. 来源代码';
COMMENT ON COLUMN crm_bi.prospect.source_name IS 'That in English. 来源英文';
COMMENT ON COLUMN crm_bi.prospect.source_name_zh IS 'That in Chinese. 来源';
COMMENT ON COLUMN crm_bi.prospect.entered_on IS 'Day. 日期';
COMMENT ON COLUMN crm_bi.prospect.campaign IS 'Code of the campaign. 营销活动';
COMMENT ON COLUMN crm_bi.prospect.partner_id IS 'Partner or merchant. 合作伙伴';
COMMENT ON COLUMN crm_bi.prospect.action_id IS 'Joint action of that partner. 联合活动';
COMMENT ON COLUMN crm_bi.prospect.introduced_by IS 'Customer who introduced this one. 介绍人';
COMMENT ON COLUMN crm_bi.prospect.channel IS 'Channel. 渠道';
COMMENT ON COLUMN crm_bi.prospect.org_id IS 'Unit. 机构';
COMMENT ON COLUMN crm_bi.prospect.staff_id IS 'Who brought the customer in. 人员';
COMMENT ON COLUMN crm_bi.prospect.category_id IS 'Business or product of interest. 意向业务';
COMMENT ON COLUMN crm_bi.prospect.intention IS 'high, medium, low or none. 意向';
COMMENT ON COLUMN crm_bi.prospect.has_consent IS 'Consent was given at that time. 已授权';
COMMENT ON COLUMN crm_bi.prospect.is_first IS 'The first time for this customer. 首次来源';
COMMENT ON COLUMN crm_bi.prospect.appointments IS 'Appointments that follow from it. 预约数';
COMMENT ON COLUMN crm_bi.prospect.appointments_kept IS 'Those kept. 赴约数';
COMMENT ON COLUMN crm_bi.prospect.converted_on IS 'First policy issued since, up to today; NULL: none. 转化日期';
COMMENT ON COLUMN crm_bi.prospect.days_to_conversion IS 'Days to that. 转化天数';

CREATE VIEW crm_bi.appointment AS
SELECT a.customer_id::text || '/' || a.id AS appointment_key, a.customer_id, a.customer_id::text || '/' || a.prospect_id AS prospect_key, a.staff_id, a.at, a.callback_at, a.called_back_at,
       a.callback_result, a.result
FROM crm.appointment a;
COMMENT ON VIEW crm_bi.appointment IS 'Appointments: one row each. 预约';
COMMENT ON COLUMN crm_bi.appointment.appointment_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.appointment.customer_id IS 'Customer. 客户';
COMMENT ON COLUMN crm_bi.appointment.prospect_key IS 'Row of crm_bi.prospect that it follows. 准客户';
COMMENT ON COLUMN crm_bi.appointment.staff_id IS 'With whom. 人员';
COMMENT ON COLUMN crm_bi.appointment.at IS 'When. 时间';
COMMENT ON COLUMN crm_bi.appointment.callback_at IS 'When to call before it. 计划回拨时间';
COMMENT ON COLUMN crm_bi.appointment.called_back_at IS 'When that was done. 实际回拨时间';
COMMENT ON COLUMN crm_bi.appointment.callback_result IS 'confirmed, moved, cancelled or not_reached. 回拨结果';
COMMENT ON COLUMN crm_bi.appointment.result IS 'kept, missed, moved or cancelled; NULL: ahead. 结果';

CREATE VIEW crm_bi.partner AS
SELECT p.id AS partner_id, p.code, p.name, p.kind, p.class, p.customer_id, h.code AS channel, p.org_id, p.staff_id, p.employees, p.from_date, p.to_date,
       p.from_date <= d.today AND coalesce(p.to_date > d.today, true) AS is_active, a.actions, a.cost, l.prospects, l.customers, l.converted, l.last_prospect_on
FROM crm.partner p
CROSS JOIN (SELECT crm.today() AS today OFFSET 0) d
LEFT JOIN crm.channel h ON h.id = p.channel_id
CROSS JOIN LATERAL (
  SELECT pg_catalog.count(*)::integer AS actions, coalesce(pg_catalog.sum(x.cost), 0) AS cost FROM crm.partner_action x
  WHERE x.partner_id = p.id AND x.from_date <= d.today) a
CROSS JOIN LATERAL (
  SELECT pg_catalog.count(*)::integer AS prospects, pg_catalog.count(DISTINCT x.customer_id)::integer AS customers,
         (pg_catalog.count(DISTINCT x.customer_id) FILTER (WHERE EXISTS (
           SELECT FROM crm.cover c WHERE c.customer_id = x.customer_id AND c.role = 'policyholder' AND c.from_date < c.to_date
             AND c.issued_on BETWEEN x.entered_on AND d.today)))::integer AS converted,
         pg_catalog.max(x.entered_on) AS last_prospect_on
  FROM crm.prospect x WHERE x.partner_id = p.id AND x.entered_on <= d.today) l;
COMMENT ON VIEW crm_bi.partner IS 'Partners and merchants, and the prospects they brought up to today: one row each. 合作伙伴';
COMMENT ON COLUMN crm_bi.partner.partner_id IS 'Key. 合作伙伴';
COMMENT ON COLUMN crm_bi.partner.code IS 'Code. 代码';
COMMENT ON COLUMN crm_bi.partner.name IS 'Name. 名称';
COMMENT ON COLUMN crm_bi.partner.kind IS 'Kind of partner. 类型';
COMMENT ON COLUMN crm_bi.partner.class IS 'A to D. 等级';
COMMENT ON COLUMN crm_bi.partner.customer_id IS 'The partner as a customer. 对应客户';
COMMENT ON COLUMN crm_bi.partner.channel IS 'Channel that works with it. 渠道';
COMMENT ON COLUMN crm_bi.partner.org_id IS 'Unit that works with it. 机构';
COMMENT ON COLUMN crm_bi.partner.staff_id IS 'Who looks after it. 人员';
COMMENT ON COLUMN crm_bi.partner.employees IS 'Number of employees. 员工数';
COMMENT ON COLUMN crm_bi.partner.from_date IS 'First day. 起始日';
COMMENT ON COLUMN crm_bi.partner.to_date IS 'First day no longer. 终止日';
COMMENT ON COLUMN crm_bi.partner.is_active IS 'Partner today. 当前合作';
COMMENT ON COLUMN crm_bi.partner.actions IS 'Joint actions begun. 联合活动数';
COMMENT ON COLUMN crm_bi.partner.cost IS 'Their cost. 费用';
COMMENT ON COLUMN crm_bi.partner.prospects IS 'Times a prospect came from it. 准客户人次';
COMMENT ON COLUMN crm_bi.partner.customers IS 'Customers among them. 准客户数';
COMMENT ON COLUMN crm_bi.partner.converted IS 'Those who bought since. 转化客户数';
COMMENT ON COLUMN crm_bi.partner.last_prospect_on IS 'Last time. 最近一次';

CREATE VIEW crm_bi.partner_action AS
SELECT a.partner_id::text || '/' || a.id AS partner_action_key, a.partner_id, a.id AS action_id, a.kind, a.name, a.campaign, a.from_date, a.to_date,
       a.from_date <= d.today AND a.to_date > d.today AS is_running, a.cost, l.prospects
FROM crm.partner_action a
CROSS JOIN (SELECT crm.today() AS today OFFSET 0) d
CROSS JOIN LATERAL (
  SELECT pg_catalog.count(*)::integer AS prospects FROM crm.prospect x
  WHERE x.partner_id = a.partner_id AND x.action_id = a.id AND x.entered_on <= d.today) l;
COMMENT ON VIEW crm_bi.partner_action IS 'What is done together with partners: one row each. 联合活动';
COMMENT ON COLUMN crm_bi.partner_action.partner_action_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.partner_action.partner_id IS 'Partner. 合作伙伴';
COMMENT ON COLUMN crm_bi.partner_action.action_id IS 'Key within the partner. 序号';
COMMENT ON COLUMN crm_bi.partner_action.kind IS 'Kind of action. 类型';
COMMENT ON COLUMN crm_bi.partner_action.name IS 'Name. 名称';
COMMENT ON COLUMN crm_bi.partner_action.campaign IS 'Code of the campaign. 营销活动';
COMMENT ON COLUMN crm_bi.partner_action.from_date IS 'First day. 起始日';
COMMENT ON COLUMN crm_bi.partner_action.to_date IS 'First day no longer. 终止日';
COMMENT ON COLUMN crm_bi.partner_action.is_running IS 'Running today. 进行中';
COMMENT ON COLUMN crm_bi.partner_action.cost IS 'Cost to the company. 费用';
COMMENT ON COLUMN crm_bi.partner_action.prospects IS 'Times a prospect came from it. 准客户人次';
