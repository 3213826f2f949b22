-- bi: plans, what they come to and what came of them, what goes along with them

CREATE VIEW crm_bi.plan AS
SELECT p.id AS plan_id, p.cycle_id, p.name, p.state, p.version, p.weighing, p.strategy, p.level, p.as_of, coalesce(l.customers, 0) AS planned, coalesce(c.allocated, 0) AS allocated,
       coalesce(c.not_allocated, 0) AS not_allocated, coalesce(c.to_do, 0) AS to_do, coalesce(l.contacts, 0) AS expected_contacts, coalesce(l.purchases, 0) AS expected_purchases,
       coalesce(l.premium, 0) AS expected_premium, coalesce(l.cost, 0) AS expected_cost, l.cost / nullif(l.purchases, 0) AS expected_cost_per_purchase,
       (SELECT pg_catalog.count(*) FROM crm.plan_adjustment a WHERE a.plan_id = p.id) AS adjustments, p.made_at, p.made_by, p.computed_at, p.computed_by, p.submitted_by, p.recycle_rule::text AS recycle_rule,
       i.responsible, i.due_at, t.reason, t.by_whom AS decided_by, t.at AS decided_at, p.hold_out, coalesce(l.held_out, 0) AS held_out, p.hold_out_days,
       p.worth, p.worth_bound, p.is_proven
FROM crm.plan p
LEFT JOIN crm.workflow_item i ON i.id = p.item_id
LEFT JOIN LATERAL (SELECT x.reason, x.by_whom, x.at FROM crm.workflow_log x WHERE x.item_id = p.item_id AND x.kind = 'transition' ORDER BY x.id DESC LIMIT 1) t ON true
LEFT JOIN (SELECT x.plan_id, pg_catalog.sum(x.customers)::bigint AS customers, pg_catalog.sum(x.held_out)::bigint AS held_out, pg_catalog.sum(x.expected_contacts) AS contacts, pg_catalog.sum(x.expected_purchases) AS purchases,
                  pg_catalog.sum(x.expected_premium) AS premium, pg_catalog.sum(x.expected_cost) AS cost FROM crm.plan_line x GROUP BY x.plan_id) l ON l.plan_id = p.id
LEFT JOIN (SELECT x.plan_id, pg_catalog.count(*) FILTER (WHERE x.outcome = 'allocated') AS allocated, pg_catalog.count(*) FILTER (WHERE x.outcome NOT IN ('allocated', 'busy') AND x.arm IS DISTINCT FROM 'hold_out') AS not_allocated,
                  pg_catalog.count(*) FILTER (WHERE coalesce(x.outcome, 'busy') = 'busy' AND x.arm IS DISTINCT FROM 'hold_out') AS to_do FROM crm.plan_customer x GROUP BY x.plan_id) c ON c.plan_id = p.id;
COMMENT ON VIEW crm_bi.plan IS 'Plans, the variants of a cycle side by side: one row each. 预分配计划';
COMMENT ON COLUMN crm_bi.plan.plan_id IS 'Key. 计划';
COMMENT ON COLUMN crm_bi.plan.cycle_id IS 'Cycle. 周期';
COMMENT ON COLUMN crm_bi.plan.name IS 'Name. 名称';
COMMENT ON COLUMN crm_bi.plan.state IS 'draft 草稿, submitted 待审批, approved 已批准, carried_out 已执行, rejected 已否决 or dropped 已放弃.';
COMMENT ON COLUMN crm_bi.plan.version IS 'How often it was computed. 版本';
COMMENT ON COLUMN crm_bi.plan.weighing IS 'What apportions customers wanted by several. 权衡方式';
COMMENT ON COLUMN crm_bi.plan.strategy IS 'even or least_loaded: how units deal them to staff; optimal: the most worth over all units and staff. 分配策略';
COMMENT ON COLUMN crm_bi.plan.level IS 'channel, unit or staff. 分配层级';
COMMENT ON COLUMN crm_bi.plan.as_of IS 'Day as of which it was computed; NULL: to be computed. 截至日期';
COMMENT ON COLUMN crm_bi.plan.planned IS 'Customers planned. 计划客户数';
COMMENT ON COLUMN crm_bi.plan.allocated IS 'Customers allocated. 已分配客户数';
COMMENT ON COLUMN crm_bi.plan.not_allocated IS 'Customers who could not be allocated. 未能分配客户数';
COMMENT ON COLUMN crm_bi.plan.to_do IS 'Customers not carried out yet. 待执行客户数';
COMMENT ON COLUMN crm_bi.plan.expected_contacts IS 'Contacts expected. 预期接触数';
COMMENT ON COLUMN crm_bi.plan.expected_purchases IS 'Customers expected to buy. 预期购买数';
COMMENT ON COLUMN crm_bi.plan.expected_premium IS 'Annual premium expected. 预期年化保费';
COMMENT ON COLUMN crm_bi.plan.expected_cost IS 'Cost expected. 预期费用';
COMMENT ON COLUMN crm_bi.plan.expected_cost_per_purchase IS 'expected_cost / expected_purchases. 预期单均费用';
COMMENT ON COLUMN crm_bi.plan.adjustments IS 'Adjustments by hand. 人工调整数';
COMMENT ON COLUMN crm_bi.plan.made_at IS 'When it was made. 编制时间';
COMMENT ON COLUMN crm_bi.plan.made_by IS 'Who made it. 编制人';
COMMENT ON COLUMN crm_bi.plan.computed_at IS 'When it was computed. 计算时间';
COMMENT ON COLUMN crm_bi.plan.computed_by IS 'Who computed it. 计算人';
COMMENT ON COLUMN crm_bi.plan.submitted_by IS 'Who submitted it. 提交人';
COMMENT ON COLUMN crm_bi.plan.recycle_rule IS 'Rule by which its holdings fall due; NULL: as of any holding. 回收规则';
COMMENT ON COLUMN crm_bi.plan.responsible IS 'Who has it in hand; NULL: nobody any more. 责任人';
COMMENT ON COLUMN crm_bi.plan.due_at IS 'End of the time limit of its state; NULL: none. 到期时间';
COMMENT ON COLUMN crm_bi.plan.reason IS 'Reason given with the last step, as of its return or rejection; NULL: none. 最近处理意见';
COMMENT ON COLUMN crm_bi.plan.decided_by IS 'Who made that step. 最近处理人';
COMMENT ON COLUMN crm_bi.plan.decided_at IS 'When. 最近处理时间';
COMMENT ON COLUMN crm_bi.plan.hold_out IS 'Share drawn to be held out. 对照组比例';
COMMENT ON COLUMN crm_bi.plan.held_out IS 'Of those planned held out for comparison. 对照组客户数';
COMMENT ON COLUMN crm_bi.plan.hold_out_days IS 'Days in which both groups are compared. 对比期（天）';
COMMENT ON COLUMN crm_bi.plan.worth IS 'What the customers distributed by strategy optimal are worth together where they go, in what the plan weighs: result net of cost, premium or customers; NULL: another strategy. 最优分配价值';
COMMENT ON COLUMN crm_bi.plan.worth_bound IS 'No choice and distribution of customers within the same volumes and limits is worth more; NULL: too many pairs for a bound. 价值上界';
COMMENT ON COLUMN crm_bi.plan.is_proven IS 'worth is proven the best. 是否已证明最优';

CREATE VIEW crm_bi.plan_proposal AS
SELECT n.plan_id::text || '/' || n.proposal_id AS plan_proposal_key, n.plan_id, n.proposal_id, h.code AS channel, p.org_id, p.title, n.version, v.volume, n.matching, n.room, n.planned,
       v.volume - n.planned AS unmet, n.planned_load
FROM crm.plan_proposal n
JOIN crm.proposal p ON p.id = n.proposal_id
JOIN crm.proposal_version v ON v.proposal_id = n.proposal_id AND v.version = n.version
JOIN crm.channel h ON h.id = p.channel_id;
COMMENT ON VIEW crm_bi.plan_proposal IS 'Proposals in plans: one row for each plan and proposal. 计划所用方案';
COMMENT ON COLUMN crm_bi.plan_proposal.plan_proposal_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.plan_proposal.plan_id IS 'Plan. 计划';
COMMENT ON COLUMN crm_bi.plan_proposal.proposal_id IS 'Proposal. 方案';
COMMENT ON COLUMN crm_bi.plan_proposal.channel IS 'Channel. 渠道';
COMMENT ON COLUMN crm_bi.plan_proposal.org_id IS 'Unit; NULL: the whole channel. 机构';
COMMENT ON COLUMN crm_bi.plan_proposal.title IS 'Title. 标题';
COMMENT ON COLUMN crm_bi.plan_proposal.version IS 'Version taken in. 版本';
COMMENT ON COLUMN crm_bi.plan_proposal.volume IS 'Customers asked for. 需求量';
COMMENT ON COLUMN crm_bi.plan_proposal.matching IS 'Free customers in the segment. 符合条件客户数';
COMMENT ON COLUMN crm_bi.plan_proposal.room IS 'Load that the staff may still take on. 可容纳负荷';
COMMENT ON COLUMN crm_bi.plan_proposal.planned IS 'Customers planned. 计划客户数';
COMMENT ON COLUMN crm_bi.plan_proposal.unmet IS 'volume - planned. 未满足数';
COMMENT ON COLUMN crm_bi.plan_proposal.planned_load IS 'What the customers planned count against the room. 计划负荷';

CREATE VIEW crm_bi.plan_cell AS
SELECT pg_catalog.concat_ws('/', c.plan_id, c.proposal_id, c.coverage, c.tier) AS plan_cell_key, c.plan_id, c.proposal_id, h.code AS channel, c.coverage, c.tier, c.customers, c.planned, c.basis,
       c.allocated, c.contacted, c.purchased, c.premium, c.cost, c.purchased::numeric / c.allocated AS purchases_per_allocated, c.premium / c.allocated AS premium_per_allocated,
       c.premium_low AS premium_per_allocated_low, c.premium_high AS premium_per_allocated_high, pg_catalog.round(c.cost / c.allocated, 2) AS cost_per_allocated,
       c.cost_low AS cost_per_allocated_low, c.cost_high AS cost_per_allocated_high, c.cost / nullif(c.purchased, 0) AS cost_per_purchase,
       CASE WHEN c.basis <> 'proposal' THEN pg_catalog.round(i.lower::numeric, 6) END AS purchase_rate_low, CASE WHEN c.basis <> 'proposal' THEN pg_catalog.round(i.upper::numeric, 6) END AS purchase_rate_high,
       c.capped_premium, c.premium_load, c.days, c.days_low, c.days_high, c.credibility, c.prior_contacts, c.prior_purchases, c.prior_premium_per_purchase, c.prior_cost, c.expected_contacts, c.expected_purchases, c.expected_premium, c.expected_cost
FROM crm.plan_cell c
JOIN crm.proposal p ON p.id = c.proposal_id
JOIN crm.channel h ON h.id = p.channel_id
CROSS JOIN LATERAL crm.rate_interval(least(c.purchased, c.allocated), c.allocated) i;
COMMENT ON VIEW crm_bi.plan_cell IS 'The past on which plans rest: one row for each plan, proposal, coverage and tier. 历史效果依据';
COMMENT ON COLUMN crm_bi.plan_cell.plan_cell_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.plan_cell.plan_id IS 'Plan. 计划';
COMMENT ON COLUMN crm_bi.plan_cell.proposal_id IS 'Proposal. 方案';
COMMENT ON COLUMN crm_bi.plan_cell.channel IS 'Channel. 渠道';
COMMENT ON COLUMN crm_bi.plan_cell.coverage IS 'prospect, insured or former. 新老客户分类';
COMMENT ON COLUMN crm_bi.plan_cell.tier IS 'Tier. 等级';
COMMENT ON COLUMN crm_bi.plan_cell.customers IS 'Free customers of the segment in the class. 可用客户数';
COMMENT ON COLUMN crm_bi.plan_cell.planned IS 'Of those planned for the proposal. 计划客户数';
COMMENT ON COLUMN crm_bi.plan_cell.basis IS 'Whose past: class, channel, company; proposal: its promise. 依据';
COMMENT ON COLUMN crm_bi.plan_cell.allocated IS 'Sample: customers allocated. 样本数';
COMMENT ON COLUMN crm_bi.plan_cell.contacted IS 'Of those contacted. 接触数';
COMMENT ON COLUMN crm_bi.plan_cell.purchased IS 'Of those who bought. 购买数';
COMMENT ON COLUMN crm_bi.plan_cell.premium IS 'Annual premium of that. 年化保费';
COMMENT ON COLUMN crm_bi.plan_cell.cost IS 'Selling cost and commissions. 费用';
COMMENT ON COLUMN crm_bi.plan_cell.purchases_per_allocated IS 'purchased / allocated. 购买率';
COMMENT ON COLUMN crm_bi.plan_cell.premium_per_allocated IS 'premium / allocated. 户均保费';
COMMENT ON COLUMN crm_bi.plan_cell.premium_per_allocated_low IS 'Its lower bound at 95 %, by Student; NULL: a promise, fewer than 5 bought, too few to tell, or all the same. 户均保费下限';
COMMENT ON COLUMN crm_bi.plan_cell.premium_per_allocated_high IS 'Its upper bound. 户均保费上限';
COMMENT ON COLUMN crm_bi.plan_cell.cost_per_allocated IS 'cost / allocated. 户均费用';
COMMENT ON COLUMN crm_bi.plan_cell.cost_per_allocated_low IS 'Its lower bound at 95 %, by Student; NULL: a promise, fewer than 5 had any cost, or all the same. 户均费用下限';
COMMENT ON COLUMN crm_bi.plan_cell.cost_per_allocated_high IS 'Its upper bound. 户均费用上限';
COMMENT ON COLUMN crm_bi.plan_cell.cost_per_purchase IS 'cost / purchased. 单均费用';
COMMENT ON COLUMN crm_bi.plan_cell.purchase_rate_low IS 'Lower bound of the rate of purchase at 95 %; NULL: a promise. 购买率下限';
COMMENT ON COLUMN crm_bi.plan_cell.purchase_rate_high IS 'Upper bound. 购买率上限';
COMMENT ON COLUMN crm_bi.plan_cell.capped_premium IS 'Annual premium without what single customers bought above the 90th percentile. 截尾保费';
COMMENT ON COLUMN crm_bi.plan_cell.premium_load IS 'What was cut off, of the whole company, for each purchase. 截尾部分均摊';
COMMENT ON COLUMN crm_bi.plan_cell.days IS 'Days from the first contact to the first purchase, on average. 平均销售周期';
COMMENT ON COLUMN crm_bi.plan_cell.days_low IS 'Its lower bound at 95 %, by Student, from the sample of purchased; NULL: a promise, fewer than 5 bought, or all the same. 销售周期下限';
COMMENT ON COLUMN crm_bi.plan_cell.days_high IS 'Its upper bound. 销售周期上限';
COMMENT ON COLUMN crm_bi.plan_cell.credibility IS 'What the sample counts beside the prior, from 0 to 1; NULL: a promise. 信度';
COMMENT ON COLUMN crm_bi.plan_cell.prior_contacts IS 'Contacts per customer expected without the sample. 先验接触率';
COMMENT ON COLUMN crm_bi.plan_cell.prior_purchases IS 'Purchases per customer expected without the sample. 先验购买率';
COMMENT ON COLUMN crm_bi.plan_cell.prior_premium_per_purchase IS 'Premium per purchase, capped, expected without the sample. 先验件均保费（截尾）';
COMMENT ON COLUMN crm_bi.plan_cell.prior_cost IS 'Cost per customer expected without the sample. 先验户均费用';
COMMENT ON COLUMN crm_bi.plan_cell.expected_contacts IS 'Contacts per customer that the plan expects. 预期接触率';
COMMENT ON COLUMN crm_bi.plan_cell.expected_purchases IS 'Purchases per customer that the plan expects. 预期购买率';
COMMENT ON COLUMN crm_bi.plan_cell.expected_premium IS 'Premium per customer that the plan expects. 预期户均保费';
COMMENT ON COLUMN crm_bi.plan_cell.expected_cost IS 'Cost per customer that the plan expects. 预期户均费用';

CREATE VIEW crm_bi.plan_line AS
SELECT l.plan_id::text || '/' || l.line AS plan_line_key, l.plan_id, l.line, l.proposal_id, p.code AS provider, h.code AS channel, l.org_id, l.stage, l.customers AS planned,
       coalesce(c.allocated, 0) AS allocated, l.customers - l.held_out - coalesce(c.allocated, 0) AS difference, l.expected_contacts, l.expected_purchases, l.expected_premium, l.expected_cost,
       l.held_out
FROM crm.plan_line l
JOIN crm.provider p ON p.id = l.provider_id
JOIN crm.channel h ON h.id = l.channel_id
LEFT JOIN (SELECT x.plan_id, x.line, pg_catalog.count(*) AS allocated FROM crm.plan_customer x WHERE x.outcome = 'allocated' GROUP BY x.plan_id, x.line) c
  ON c.plan_id = l.plan_id AND c.line = l.line;
COMMENT ON VIEW crm_bi.plan_line IS 'What plans come to, expected and allocated: one row for each plan and line. 计划明细';
COMMENT ON COLUMN crm_bi.plan_line.plan_line_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.plan_line.plan_id IS 'Plan. 计划';
COMMENT ON COLUMN crm_bi.plan_line.line IS 'Number of the line. 行号';
COMMENT ON COLUMN crm_bi.plan_line.proposal_id IS 'Proposal; NULL: pinned by hand beside any. 方案';
COMMENT ON COLUMN crm_bi.plan_line.provider IS 'Provider. 提供方';
COMMENT ON COLUMN crm_bi.plan_line.channel IS 'Channel that gets them. 渠道';
COMMENT ON COLUMN crm_bi.plan_line.org_id IS 'Unit that gets them. 机构';
COMMENT ON COLUMN crm_bi.plan_line.stage IS 'Stage. 批次';
COMMENT ON COLUMN crm_bi.plan_line.planned IS 'Customers planned. 计划客户数';
COMMENT ON COLUMN crm_bi.plan_line.allocated IS 'Customers allocated. 已分配客户数';
COMMENT ON COLUMN crm_bi.plan_line.difference IS 'planned - held_out - allocated. 差异';
COMMENT ON COLUMN crm_bi.plan_line.held_out IS 'Of those planned held out. 对照组客户数';
COMMENT ON COLUMN crm_bi.plan_line.expected_contacts IS 'Contacts expected. 预期接触数';
COMMENT ON COLUMN crm_bi.plan_line.expected_purchases IS 'Customers expected to buy. 预期购买数';
COMMENT ON COLUMN crm_bi.plan_line.expected_premium IS 'Annual premium expected. 预期年化保费';
COMMENT ON COLUMN crm_bi.plan_line.expected_cost IS 'Cost expected. 预期费用';

CREATE VIEW crm_bi.plan_customer AS
SELECT c.plan_id::text || '/' || c.customer_id AS plan_customer_key, c.plan_id, c.customer_id, c.line, l.proposal_id, p.code AS provider, h.code AS channel, l.org_id, c.staff_id, l.stage, c.why,
       c.outcome, c.holding_id, c.done_at, pg_catalog.array_to_string(c.wanted, ', ') AS wanted, pg_catalog.array_to_string(c.met, ', ') AS met,
       c.arm, c.coverage, c.tier
FROM crm.plan_customer c
JOIN crm.plan_line l ON l.plan_id = c.plan_id AND l.line = c.line
JOIN crm.provider p ON p.id = l.provider_id
JOIN crm.channel h ON h.id = l.channel_id;
COMMENT ON VIEW crm_bi.plan_customer IS 'Customers of plans and what came of them: one row for each plan and customer. 计划客户';
COMMENT ON COLUMN crm_bi.plan_customer.plan_customer_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.plan_customer.plan_id IS 'Plan. 计划';
COMMENT ON COLUMN crm_bi.plan_customer.customer_id IS 'Customer. 客户';
COMMENT ON COLUMN crm_bi.plan_customer.line IS 'Line. 行号';
COMMENT ON COLUMN crm_bi.plan_customer.proposal_id IS 'Proposal. 方案';
COMMENT ON COLUMN crm_bi.plan_customer.provider IS 'Provider. 提供方';
COMMENT ON COLUMN crm_bi.plan_customer.channel IS 'Channel. 渠道';
COMMENT ON COLUMN crm_bi.plan_customer.org_id IS 'Unit. 机构';
COMMENT ON COLUMN crm_bi.plan_customer.staff_id IS 'Member of staff; NULL: unit or channel. 人员';
COMMENT ON COLUMN crm_bi.plan_customer.stage IS 'Stage. 批次';
COMMENT ON COLUMN crm_bi.plan_customer.why IS 'pin 指定, volume 定量, servicer 原服务人员, home 归属机构, community 社区网点, near 就近 or channel 渠道.';
COMMENT ON COLUMN crm_bi.plan_customer.outcome IS 'What came of it; NULL: not carried out. 执行结果';
COMMENT ON COLUMN crm_bi.plan_customer.holding_id IS 'Key within the customer of the holding. 持有记录';
COMMENT ON COLUMN crm_bi.plan_customer.done_at IS 'When. 执行时间';
COMMENT ON COLUMN crm_bi.plan_customer.wanted IS 'What the customer asks of staff: community 社区, language 语言, line 产品线, tier 等级. 匹配需求';
COMMENT ON COLUMN crm_bi.plan_customer.met IS 'Of that what is given. 已匹配';
COMMENT ON COLUMN crm_bi.plan_customer.arm IS 'treated 实验组 or hold_out 对照组; NULL: outside the comparison. 分组';
COMMENT ON COLUMN crm_bi.plan_customer.coverage IS 'prospect, insured or former, at the computation. 新老客户分类';
COMMENT ON COLUMN crm_bi.plan_customer.tier IS 'Tier at the computation. 等级';

CREATE VIEW crm_bi.plan_difference AS
SELECT c.plan_customer_key AS plan_difference_key, c.plan_id, c.customer_id, c.line, c.provider, c.channel, c.org_id, c.staff_id, c.stage, c.outcome AS cause, c.done_at,
       h.staff_id AS held_by_staff_id, h.held_from AS held_since
FROM crm_bi.plan_customer c
LEFT JOIN crm.holding h ON h.customer_id = c.customer_id AND h.held_to IS NULL
WHERE c.outcome <> 'allocated' AND c.arm IS DISTINCT FROM 'hold_out';
COMMENT ON VIEW crm_bi.plan_difference IS 'Customers whom a plan did not allocate though it would, and why: one row for each plan and customer. 计划差异';
COMMENT ON COLUMN crm_bi.plan_difference.plan_difference_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.plan_difference.plan_id IS 'Plan. 计划';
COMMENT ON COLUMN crm_bi.plan_difference.customer_id IS 'Customer. 客户';
COMMENT ON COLUMN crm_bi.plan_difference.line IS 'Line. 行号';
COMMENT ON COLUMN crm_bi.plan_difference.provider IS 'Provider. 提供方';
COMMENT ON COLUMN crm_bi.plan_difference.channel IS 'Channel. 渠道';
COMMENT ON COLUMN crm_bi.plan_difference.org_id IS 'Unit. 机构';
COMMENT ON COLUMN crm_bi.plan_difference.staff_id IS 'Member of staff planned. 计划人员';
COMMENT ON COLUMN crm_bi.plan_difference.stage IS 'Stage. 批次';
COMMENT ON COLUMN crm_bi.plan_difference.cause IS 'held 已被持有, busy 占用待重试, quota 超限额, cool_off 冷却期, served 已有人服务, blacklisted 黑名单, do_not_contact 勿扰, consent_withdrawn 撤回同意, no_consent 未同意, not_in_post 不在岗, moved 已调动, given_up 放弃, held_out 对照组（由其他计划保留）, or another word of crm.allocate(). 原因';
COMMENT ON COLUMN crm_bi.plan_difference.done_at IS 'When it was tried. 执行时间';
COMMENT ON COLUMN crm_bi.plan_difference.held_by_staff_id IS 'Who holds the customer now. 现持有人';
COMMENT ON COLUMN crm_bi.plan_difference.held_since IS 'Since when. 持有起始';

CREATE VIEW crm_bi.plan_stage AS
WITH held AS (
  SELECT c.plan_id, l.stage, h.last_contact_at < u.until
           OR EXISTS (SELECT FROM crm.contact x WHERE x.customer_id = c.customer_id AND h.last_contact_at >= u.until AND x.staff_id = h.last_staff_id
                      AND x.at >= (h.first_day)::timestamp AT TIME ZONE z.zone AND x.at < u.until) AS contacted,
         h.last_end_cause = 'recycle' AND h.held_to < u.until AS recycled,
         (SELECT pg_catalog.min(v.issued_on) FROM crm.cover v
          WHERE v.customer_id = c.customer_id AND v.role = 'policyholder' AND v.seq = 1 AND v.to_date > v.from_date AND v.issued_on >= h.first_day
            AND v.issued_on <= least(h.last_day, s.to_date, z.today)) - h.first_day AS days
  FROM crm.plan_customer c
  JOIN crm.plan_line l ON l.plan_id = c.plan_id AND l.line = c.line
  JOIN crm._holding_days h ON h.customer_id = c.customer_id AND h.id = c.holding_id
  LEFT JOIN crm.plan_stage s ON s.plan_id = l.plan_id AND s.stage = l.stage
  CROSS JOIN (SELECT crm.setting_value('business_time_zone') AS zone, crm.today() AS today OFFSET 0) z
  CROSS JOIN LATERAL (SELECT coalesce((s.to_date + 1)::timestamp AT TIME ZONE z.zone, 'infinity') AS until) u
  WHERE h.plan_id = c.plan_id)
SELECT l.plan_id::text || '/' || coalesce(l.stage, 0) AS plan_stage_key, l.plan_id, l.stage, s.name, s.area, s.from_date, s.to_date, l.planned, l.expected_purchases, l.expected_premium,
       coalesce(r.allocated, 0) AS allocated, coalesce(r.contacted, 0) AS contacted, coalesce(r.purchased_30, 0) AS purchased_30, coalesce(r.purchased_90, 0) AS purchased_90,
       coalesce(r.purchased, 0) AS purchased, coalesce(r.recycled, 0) AS recycled, r.contacted::numeric / nullif(r.allocated, 0) AS contact_rate, r.purchased::numeric / nullif(r.allocated, 0) AS purchase_rate
FROM (SELECT x.plan_id, x.stage, pg_catalog.sum(x.customers)::bigint AS planned, pg_catalog.sum(x.expected_purchases) AS expected_purchases, pg_catalog.sum(x.expected_premium) AS expected_premium
      FROM crm.plan_line x GROUP BY x.plan_id, x.stage) l
LEFT JOIN crm.plan_stage s ON s.plan_id = l.plan_id AND s.stage = l.stage
LEFT JOIN (
  SELECT h.plan_id, h.stage, pg_catalog.count(*) AS allocated, pg_catalog.count(*) FILTER (WHERE h.contacted) AS contacted, pg_catalog.count(*) FILTER (WHERE h.days <= 30) AS purchased_30,
         pg_catalog.count(*) FILTER (WHERE h.days <= 90) AS purchased_90, pg_catalog.count(h.days) AS purchased, pg_catalog.count(*) FILTER (WHERE h.recycled) AS recycled
  FROM held h GROUP BY h.plan_id, h.stage) r ON r.plan_id = l.plan_id AND r.stage IS NOT DISTINCT FROM l.stage;
COMMENT ON VIEW crm_bi.plan_stage IS 'Stages of plans compared: one row for each plan and stage, a plan without stages has one. Contacts, purchases and recycling count up to the last day of the stage and while the customer is held through the plan. 批次对比';
COMMENT ON COLUMN crm_bi.plan_stage.plan_stage_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.plan_stage.plan_id IS 'Plan. 计划';
COMMENT ON COLUMN crm_bi.plan_stage.stage IS 'Place in the order; NULL: the plan has no stages. 批次';
COMMENT ON COLUMN crm_bi.plan_stage.name IS 'Name. 名称';
COMMENT ON COLUMN crm_bi.plan_stage.area IS 'Area. 区域';
COMMENT ON COLUMN crm_bi.plan_stage.from_date IS 'First day. 起始日';
COMMENT ON COLUMN crm_bi.plan_stage.to_date IS 'Last day, up to which results are compared. 截止日';
COMMENT ON COLUMN crm_bi.plan_stage.planned IS 'Customers planned. 计划客户数';
COMMENT ON COLUMN crm_bi.plan_stage.expected_purchases IS 'Customers expected to buy. 预期购买数';
COMMENT ON COLUMN crm_bi.plan_stage.expected_premium IS 'Annual premium expected. 预期年化保费';
COMMENT ON COLUMN crm_bi.plan_stage.allocated IS 'Customers allocated. 已分配客户数';
COMMENT ON COLUMN crm_bi.plan_stage.contacted IS 'Of those contacted by the holder. 已接触数';
COMMENT ON COLUMN crm_bi.plan_stage.purchased_30 IS 'Bought within 30 days of the allocation. 30天内购买数';
COMMENT ON COLUMN crm_bi.plan_stage.purchased_90 IS 'Within 90 days. 90天内购买数';
COMMENT ON COLUMN crm_bi.plan_stage.purchased IS 'At any time of the holding, up to the last day of the stage and today; on a day on which the holder changes for the later one. 购买数';
COMMENT ON COLUMN crm_bi.plan_stage.recycled IS 'Gone back to the pool by recycling. 已回收数';
COMMENT ON COLUMN crm_bi.plan_stage.contact_rate IS 'contacted / allocated. 接触率';
COMMENT ON COLUMN crm_bi.plan_stage.purchase_rate IS 'purchased / allocated. 购买率';

CREATE VIEW crm_bi.plan_terms AS
SELECT pg_catalog.concat_ws('/', x.plan_id, p.code, u.code, x.thing) AS plan_terms_key, x.plan_id, p.code AS provider_channel, u.code AS user_channel, x.thing, t.provider_share, t.user_share,
       coalesce(n.customers, 0) AS customers, a.accepted_at AS provider_accepted_at, a.accepted_by AS provider_accepted_by, b.accepted_at AS user_accepted_at, b.accepted_by AS user_accepted_by,
       t.provider_share IS NOT NULL AND a.accepted_at IS NOT NULL AND b.accepted_at IS NOT NULL AS is_agreed
FROM (SELECT y.plan_id, y.provider_channel_id, y.user_channel_id, g.thing
      FROM crm._plan_terms_needed y CROSS JOIN pg_catalog.unnest('{premium,assessment,commission,cost}'::text[]) g (thing)
      UNION SELECT y.plan_id, y.provider_channel_id, y.user_channel_id, y.thing FROM crm.plan_terms y) x
JOIN crm.channel p ON p.id = x.provider_channel_id
JOIN crm.channel u ON u.id = x.user_channel_id
LEFT JOIN crm._plan_terms_needed n ON n.plan_id = x.plan_id AND n.provider_channel_id = x.provider_channel_id AND n.user_channel_id = x.user_channel_id
LEFT JOIN crm.plan_terms t ON t.plan_id = x.plan_id AND t.provider_channel_id = x.provider_channel_id AND t.user_channel_id = x.user_channel_id AND t.thing = x.thing
LEFT JOIN crm.plan_terms_acceptance a ON a.plan_id = x.plan_id AND a.provider_channel_id = x.provider_channel_id AND a.user_channel_id = x.user_channel_id AND a.channel_id = x.provider_channel_id
LEFT JOIN crm.plan_terms_acceptance b ON b.plan_id = x.plan_id AND b.provider_channel_id = x.provider_channel_id AND b.user_channel_id = x.user_channel_id AND b.channel_id = x.user_channel_id;
COMMENT ON VIEW crm_bi.plan_terms IS 'Terms between channels that plans need or have: one row for each plan, pair of channels and thing. 利益分配条款';
COMMENT ON COLUMN crm_bi.plan_terms.plan_terms_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.plan_terms.plan_id IS 'Plan. 计划';
COMMENT ON COLUMN crm_bi.plan_terms.provider_channel IS 'Channel that gives customers. 提供渠道';
COMMENT ON COLUMN crm_bi.plan_terms.user_channel IS 'Channel that uses them. 使用渠道';
COMMENT ON COLUMN crm_bi.plan_terms.thing IS 'premium 实收保费, assessment 考核任务, commission 直接佣金 or cost 费用.';
COMMENT ON COLUMN crm_bi.plan_terms.provider_share IS 'Share of the provider; NULL: to be set. 提供方比例';
COMMENT ON COLUMN crm_bi.plan_terms.user_share IS 'Share of the user. 使用方比例';
COMMENT ON COLUMN crm_bi.plan_terms.customers IS 'Customers whom the plan moves between them. 涉及客户数';
COMMENT ON COLUMN crm_bi.plan_terms.provider_accepted_at IS 'When the provider accepted. 提供方确认时间';
COMMENT ON COLUMN crm_bi.plan_terms.provider_accepted_by IS 'Who for it. 提供方确认人';
COMMENT ON COLUMN crm_bi.plan_terms.user_accepted_at IS 'When the user accepted. 使用方确认时间';
COMMENT ON COLUMN crm_bi.plan_terms.user_accepted_by IS 'Who for it. 使用方确认人';
COMMENT ON COLUMN crm_bi.plan_terms.is_agreed IS 'Set and accepted by both. 已达成';

CREATE VIEW crm_bi.plan_adjustment AS
SELECT a.plan_id::text || '/' || a.id AS plan_adjustment_key, a.plan_id, a.id AS adjustment_id, a.kind, a.customer_id, h.code AS channel, a.org_id, a.staff_id, a.volume, a.note, a.made_at, a.made_by
FROM crm.plan_adjustment a LEFT JOIN crm.channel h ON h.id = a.channel_id;
COMMENT ON VIEW crm_bi.plan_adjustment IS 'Adjustments of plans by hand: one row each. 人工调整';
COMMENT ON COLUMN crm_bi.plan_adjustment.plan_adjustment_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.plan_adjustment.plan_id IS 'Plan. 计划';
COMMENT ON COLUMN crm_bi.plan_adjustment.adjustment_id IS 'Key within the plan. 调整';
COMMENT ON COLUMN crm_bi.plan_adjustment.kind IS 'pin 指定, bar 禁止 or volume 定量.';
COMMENT ON COLUMN crm_bi.plan_adjustment.customer_id IS 'Customer. 客户';
COMMENT ON COLUMN crm_bi.plan_adjustment.channel IS 'Channel. 渠道';
COMMENT ON COLUMN crm_bi.plan_adjustment.org_id IS 'Unit. 机构';
COMMENT ON COLUMN crm_bi.plan_adjustment.staff_id IS 'Member of staff. 人员';
COMMENT ON COLUMN crm_bi.plan_adjustment.volume IS 'Volume of the unit. 数量';
COMMENT ON COLUMN crm_bi.plan_adjustment.note IS 'Why. 说明';
COMMENT ON COLUMN crm_bi.plan_adjustment.made_at IS 'When. 时间';
COMMENT ON COLUMN crm_bi.plan_adjustment.made_by IS 'Who. 操作人';

CREATE VIEW crm_bi.plan_limit AS
SELECT x.plan_id::text || '/' || x.id AS plan_limit_key, x.plan_id, p.name AS plan, h.code AS channel, x.org_id, o.name AS unit, x.proposal_id, x.kind, x.value, x.used,
       CASE x.kind WHEN 'floor' THEN x.used - x.value ELSE x.value - x.used END AS slack, x.price, x.is_exact
FROM crm.plan_price x
JOIN crm.plan p ON p.id = x.plan_id
JOIN crm.channel h ON h.id = x.channel_id
LEFT JOIN crm.organisation o ON o.id = x.org_id;
COMMENT ON VIEW crm_bi.plan_limit IS 'Limits within which plans of strategy optimal were computed, and what each costs: one row for each plan, unit or proposal, and kind of limit. 约束与价格';
COMMENT ON COLUMN crm_bi.plan_limit.plan_limit_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.plan_limit.plan_id IS 'Plan. 计划';
COMMENT ON COLUMN crm_bi.plan_limit.plan IS 'Name of the plan. 计划名称';
COMMENT ON COLUMN crm_bi.plan_limit.channel IS 'Channel. 渠道';
COMMENT ON COLUMN crm_bi.plan_limit.org_id IS 'Unit; NULL: a proposal of the whole channel. 机构';
COMMENT ON COLUMN crm_bi.plan_limit.unit IS 'Name of the unit. 机构名称';
COMMENT ON COLUMN crm_bi.plan_limit.proposal_id IS 'Proposal, of the volume that it asks for. 方案';
COMMENT ON COLUMN crm_bi.plan_limit.kind IS 'room 人员余量, capacity 上限, volume 定量 or floor 下限 of a unit; proposal 方案需求量.';
COMMENT ON COLUMN crm_bi.plan_limit.value IS 'The limit, in customers; a room in load where customers count differently. 限值';
COMMENT ON COLUMN crm_bi.plan_limit.used IS 'What the plan gives, in the same. 实际值';
COMMENT ON COLUMN crm_bi.plan_limit.slack IS 'How far the plan is from the limit. 余量';
COMMENT ON COLUMN crm_bi.plan_limit.price IS 'By how much the plan would be worth more with a limit higher by one, a floor lower by one; of a volume that the unit would not get by itself minus what one fewer would bring. 影子价格';
COMMENT ON COLUMN crm_bi.plan_limit.is_exact IS 'The price is exact; else that of a relaxation, to compare limits by. 是否精确';

CREATE VIEW crm_bi.plan_unit_limit AS
SELECT pg_catalog.concat_ws('/', l.plan_id, h.code, l.org_id) AS plan_unit_limit_key, l.plan_id, h.code AS channel, l.org_id, o.name AS unit, l.floor, l.capacity, l.note, l.set_at, l.set_by
FROM crm.plan_limit l
JOIN crm.channel h ON h.id = l.channel_id
JOIN crm.organisation o ON o.id = l.org_id;
COMMENT ON VIEW crm_bi.plan_unit_limit IS 'Floors and capacities of units that plans set by hand: one row for each plan, channel and unit. 机构上下限';
COMMENT ON COLUMN crm_bi.plan_unit_limit.plan_unit_limit_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.plan_unit_limit.plan_id IS 'Plan. 计划';
COMMENT ON COLUMN crm_bi.plan_unit_limit.channel IS 'Channel. 渠道';
COMMENT ON COLUMN crm_bi.plan_unit_limit.org_id IS 'Unit; each below it for which nothing nearer is said has these limits. 机构';
COMMENT ON COLUMN crm_bi.plan_unit_limit.unit IS 'Name of the unit. 机构名称';
COMMENT ON COLUMN crm_bi.plan_unit_limit.floor IS 'Customers at least; NULL: not said. 下限';
COMMENT ON COLUMN crm_bi.plan_unit_limit.capacity IS 'Customers at most; NULL: not said. 上限';
COMMENT ON COLUMN crm_bi.plan_unit_limit.note IS 'Why. 说明';
COMMENT ON COLUMN crm_bi.plan_unit_limit.set_at IS 'When it was set. 时间';
COMMENT ON COLUMN crm_bi.plan_unit_limit.set_by IS 'Who set it. 操作人';

CREATE VIEW crm_bi.plan_attachment AS
SELECT a.id AS attachment_id, a.plan_id, a.target_list_id, a.kind, a.title, a.body, a.link, a.added_at, a.added_by FROM crm.plan_attachment a;
COMMENT ON VIEW crm_bi.plan_attachment IS 'What goes along with plans and target lists: one row each. 附件';
COMMENT ON COLUMN crm_bi.plan_attachment.attachment_id IS 'Key. 附件';
COMMENT ON COLUMN crm_bi.plan_attachment.plan_id IS 'Plan. 计划';
COMMENT ON COLUMN crm_bi.plan_attachment.target_list_id IS 'Target list. 名单';
COMMENT ON COLUMN crm_bi.plan_attachment.kind IS 'sales_plan 销售方案, visit_tool 拜访工具, script 话术 or other 其他.';
COMMENT ON COLUMN crm_bi.plan_attachment.title IS 'Title. 标题';
COMMENT ON COLUMN crm_bi.plan_attachment.body IS 'Text. 正文';
COMMENT ON COLUMN crm_bi.plan_attachment.link IS 'Link. 链接';
COMMENT ON COLUMN crm_bi.plan_attachment.added_at IS 'When it was added. 添加时间';
COMMENT ON COLUMN crm_bi.plan_attachment.added_by IS 'Who added it. 添加人';

CREATE VIEW crm_bi.problem AS
SELECT p.id AS problem_id, p.plan_id, p.target_list_id, p.org_id, h.code AS channel, p.title, p.body, p.state, i.data ->> 'answer' AS answer, i.responsible, i.due_at,
       coalesce(i.closed_at IS NULL AND i.due_at < n.at, false) AS is_overdue, p.reported_at, p.reported_by, i.closed_at
FROM crm.problem p
JOIN crm.workflow_item i ON i.id = p.item_id
LEFT JOIN crm.channel h ON h.id = p.channel_id
CROSS JOIN crm._workflow_clock n;
COMMENT ON VIEW crm_bi.problem IS 'Problems reported by units: one row each. 问题反馈';
COMMENT ON COLUMN crm_bi.problem.problem_id IS 'Key. 问题';
COMMENT ON COLUMN crm_bi.problem.plan_id IS 'Plan. 计划';
COMMENT ON COLUMN crm_bi.problem.target_list_id IS 'Target list. 名单';
COMMENT ON COLUMN crm_bi.problem.org_id IS 'Unit that reports. 反馈机构';
COMMENT ON COLUMN crm_bi.problem.channel IS 'Channel. 渠道';
COMMENT ON COLUMN crm_bi.problem.title IS 'In a few words. 标题';
COMMENT ON COLUMN crm_bi.problem.body IS 'In full. 内容';
COMMENT ON COLUMN crm_bi.problem.state IS 'open 待答复, answered 已答复 or closed 已关闭.';
COMMENT ON COLUMN crm_bi.problem.answer IS 'Latest answer. 答复';
COMMENT ON COLUMN crm_bi.problem.responsible IS 'Who is to act. 责任人';
COMMENT ON COLUMN crm_bi.problem.due_at IS 'Until when. 时限';
COMMENT ON COLUMN crm_bi.problem.is_overdue IS 'The time is over. 是否超时';
COMMENT ON COLUMN crm_bi.problem.reported_at IS 'When it was reported. 反馈时间';
COMMENT ON COLUMN crm_bi.problem.reported_by IS 'Who reported it. 反馈人';
COMMENT ON COLUMN crm_bi.problem.closed_at IS 'When it was closed. 关闭时间';
