-- bi: policies attributed, terms with their versions, the settlement between channels down to the receipt

CREATE VIEW crm_bi.attributed_policy AS
SELECT a.policy_id::text || '/' || a.holding_id AS attributed_policy_key, a.policy_id, p.customer_id, p.issued_on, r.code AS product, s.code AS sold_by_channel, p.annual_premium,
       a.plan_id, l.attribution, l.attribution_days, v.code AS provider_channel, a.holding_id, h.code AS channel, a.org_id, a.staff_id, a.share, a.attributed_at
FROM crm.policy_attribution a
JOIN crm.policy p ON p.id = a.policy_id
JOIN crm.product r ON r.id = p.product_id
JOIN crm.channel s ON s.id = p.channel_id
JOIN crm.plan l ON l.id = a.plan_id
JOIN crm.channel h ON h.id = a.channel_id
LEFT JOIN crm.channel v ON v.id = a.provider_channel_id;
COMMENT ON VIEW crm_bi.attributed_policy IS 'Policies that customers of plans bought, and to whom they are attributed: one row for each policy and holder. 保单归属';
COMMENT ON COLUMN crm_bi.attributed_policy.attributed_policy_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.attributed_policy.policy_id IS 'Policy. 保单';
COMMENT ON COLUMN crm_bi.attributed_policy.customer_id IS 'Policyholder. 投保人';
COMMENT ON COLUMN crm_bi.attributed_policy.issued_on IS 'Day of issue. 签发日期';
COMMENT ON COLUMN crm_bi.attributed_policy.product IS 'Product. 产品';
COMMENT ON COLUMN crm_bi.attributed_policy.sold_by_channel IS 'Channel that sold it. 销售渠道';
COMMENT ON COLUMN crm_bi.attributed_policy.annual_premium IS 'Annual premium. 年化保费';
COMMENT ON COLUMN crm_bi.attributed_policy.plan_id IS 'Plan in whose window it was issued. 计划';
COMMENT ON COLUMN crm_bi.attributed_policy.attribution IS 'last_holder 末次持有, first_holder 首次持有 or shared 共享. 归属方式';
COMMENT ON COLUMN crm_bi.attributed_policy.attribution_days IS 'Days after the end of a holding on which policies count. 归属天数';
COMMENT ON COLUMN crm_bi.attributed_policy.provider_channel IS 'Channel that provided the customer; NULL: none. 提供渠道';
COMMENT ON COLUMN crm_bi.attributed_policy.holding_id IS 'Holding, within the customer. 持有';
COMMENT ON COLUMN crm_bi.attributed_policy.channel IS 'Channel of the holder. 持有渠道';
COMMENT ON COLUMN crm_bi.attributed_policy.org_id IS 'Unit of the holder. 持有机构';
COMMENT ON COLUMN crm_bi.attributed_policy.staff_id IS 'Member of staff that held. 持有人员';
COMMENT ON COLUMN crm_bi.attributed_policy.share IS 'Share of the holder; those of a policy make 1. 份额';
COMMENT ON COLUMN crm_bi.attributed_policy.attributed_at IS 'When it was attributed so. 归属时间';

CREATE VIEW crm_bi.terms_version AS
SELECT pg_catalog.concat_ws('/', x.plan_id, p.code, u.code, x.version) AS terms_version_key, x.plan_id, p.code AS provider_channel, u.code AS user_channel, x.version, x.from_date,
       f.to_date, x.premium_share, x.assessment_share, x.commission_share, x.cost_share,
       CASE WHEN x.withdrawn_at IS NOT NULL THEN 'withdrawn' WHEN f.plan_id IS NULL THEN 'proposed' ELSE 'agreed' END AS state,
       f.plan_id IS NOT NULL AND d.today >= f.from_date AND coalesce(d.today < f.to_date, true) AS is_in_force,
       x.note, x.proposed_at, x.proposed_by, x.provider_accepted_at, x.provider_accepted_by, x.user_accepted_at, x.user_accepted_by, x.withdrawn_at, x.withdrawn_by
FROM (SELECT m.plan_id, m.provider_channel_id, m.user_channel_id, m.version, m.from_date, m.premium_share, m.assessment_share, m.commission_share, m.cost_share, m.note,
             m.proposed_at, m.proposed_by, m.provider_accepted_at, m.provider_accepted_by, m.user_accepted_at, m.user_accepted_by, m.withdrawn_at, m.withdrawn_by
      FROM crm.terms_amendment m
      UNION ALL
      SELECT t.plan_id, t.provider_channel_id, t.user_channel_id, 1, NULL,
             pg_catalog.max(t.provider_share) FILTER (WHERE t.thing = 'premium'), pg_catalog.max(t.provider_share) FILTER (WHERE t.thing = 'assessment'),
             pg_catalog.max(t.provider_share) FILTER (WHERE t.thing = 'commission'), pg_catalog.max(t.provider_share) FILTER (WHERE t.thing = 'cost'), NULL,
             pg_catalog.max(t.set_at), pg_catalog.max(t.set_by), pg_catalog.max(a.accepted_at), pg_catalog.max(a.accepted_by), pg_catalog.max(b.accepted_at), pg_catalog.max(b.accepted_by), NULL, NULL
      FROM crm.plan_terms t
      LEFT JOIN crm.plan_terms_acceptance a ON a.plan_id = t.plan_id AND a.provider_channel_id = t.provider_channel_id AND a.user_channel_id = t.user_channel_id AND a.channel_id = t.provider_channel_id
      LEFT JOIN crm.plan_terms_acceptance b ON b.plan_id = t.plan_id AND b.provider_channel_id = t.provider_channel_id AND b.user_channel_id = t.user_channel_id AND b.channel_id = t.user_channel_id
      GROUP BY t.plan_id, t.provider_channel_id, t.user_channel_id) x
JOIN crm.channel p ON p.id = x.provider_channel_id
JOIN crm.channel u ON u.id = x.user_channel_id
LEFT JOIN crm._terms_in_force f ON f.plan_id = x.plan_id AND f.provider_channel_id = x.provider_channel_id AND f.user_channel_id = x.user_channel_id AND f.version = x.version
CROSS JOIN (SELECT crm.today() AS today OFFSET 0) d;
COMMENT ON VIEW crm_bi.terms_version IS 'Terms between two channels by a plan: one row for each version. 条款版本';
COMMENT ON COLUMN crm_bi.terms_version.terms_version_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.terms_version.plan_id IS 'Plan. 计划';
COMMENT ON COLUMN crm_bi.terms_version.provider_channel IS 'Channel that gave the customers. 提供渠道';
COMMENT ON COLUMN crm_bi.terms_version.user_channel IS 'Channel that uses them. 使用渠道';
COMMENT ON COLUMN crm_bi.terms_version.version IS 'Version; 1 are the terms of the plan. 版本';
COMMENT ON COLUMN crm_bi.terms_version.from_date IS 'First day; NULL: from the beginning. 起始日';
COMMENT ON COLUMN crm_bi.terms_version.to_date IS 'Day from which on the next version holds; NULL: none, or not agreed. 止期';
COMMENT ON COLUMN crm_bi.terms_version.premium_share IS 'Share of the provider in premium received; the rest is the user''s. 实收保费提供方比例';
COMMENT ON COLUMN crm_bi.terms_version.assessment_share IS 'Share of the provider in assessment credit. 考核任务提供方比例';
COMMENT ON COLUMN crm_bi.terms_version.commission_share IS 'Share of the provider in direct commission. 直接佣金提供方比例';
COMMENT ON COLUMN crm_bi.terms_version.cost_share IS 'Share of the provider in cost. 费用提供方比例';
COMMENT ON COLUMN crm_bi.terms_version.state IS 'proposed 提出, agreed 达成 (the plan too is approved) or withdrawn 撤回. 状态';
COMMENT ON COLUMN crm_bi.terms_version.is_in_force IS 'Whether it holds today. 当前有效';
COMMENT ON COLUMN crm_bi.terms_version.note IS 'Why. 说明';
COMMENT ON COLUMN crm_bi.terms_version.proposed_at IS 'When it was set or proposed. 提出时间';
COMMENT ON COLUMN crm_bi.terms_version.proposed_by IS 'By whom. 提出人';
COMMENT ON COLUMN crm_bi.terms_version.provider_accepted_at IS 'When the provider accepted. 提供方确认时间';
COMMENT ON COLUMN crm_bi.terms_version.provider_accepted_by IS 'Who for it. 提供方确认人';
COMMENT ON COLUMN crm_bi.terms_version.user_accepted_at IS 'When the user accepted. 使用方确认时间';
COMMENT ON COLUMN crm_bi.terms_version.user_accepted_by IS 'Who for it. 使用方确认人';
COMMENT ON COLUMN crm_bi.terms_version.withdrawn_at IS 'When it was withdrawn. 撤回时间';
COMMENT ON COLUMN crm_bi.terms_version.withdrawn_by IS 'By whom. 撤回人';

CREATE VIEW crm_bi.settlement_period AS
SELECT p.month, p.state, coalesce(s.lines, 0) AS lines, coalesce(s.premium, 0) AS premium, coalesce(s.assessment, 0) AS assessment, coalesce(s.commission, 0) AS commission, coalesce(s.cost, 0) AS cost,
       p.closed_at, p.closed_by, p.settled_at, p.settled_by, p.reopened_at, p.reopened_by, p.reopen_reason
FROM crm.settlement_period p
LEFT JOIN (SELECT x.month, pg_catalog.count(*) AS lines, pg_catalog.sum(l.amount) FILTER (WHERE a.thing = 'premium') AS premium, pg_catalog.sum(l.amount) FILTER (WHERE a.thing = 'assessment') AS assessment,
                  pg_catalog.sum(l.amount) FILTER (WHERE a.thing = 'commission') AS commission, pg_catalog.sum(l.amount) FILTER (WHERE a.thing = 'cost') AS cost
           FROM crm.settlement_line l JOIN crm.settlement x ON x.id = l.settlement_id JOIN crm.settlement_account a ON a.id = x.account_id GROUP BY x.month) s ON s.month = p.month;
COMMENT ON VIEW crm_bi.settlement_period IS 'Months of the settlement between channels: one row each. 结算期间';
COMMENT ON COLUMN crm_bi.settlement_period.month IS 'First day of the month. 月份';
COMMENT ON COLUMN crm_bi.settlement_period.state IS 'open 未结, closed 已关账 or settled 已结算. 状态';
COMMENT ON COLUMN crm_bi.settlement_period.lines IS 'Lines. 明细数';
COMMENT ON COLUMN crm_bi.settlement_period.premium IS 'Premium received that was divided. 实收保费';
COMMENT ON COLUMN crm_bi.settlement_period.assessment IS 'Assessment credit that was divided. 考核任务';
COMMENT ON COLUMN crm_bi.settlement_period.commission IS 'Direct commission that was divided. 直接佣金';
COMMENT ON COLUMN crm_bi.settlement_period.cost IS 'Cost that was divided. 费用';
COMMENT ON COLUMN crm_bi.settlement_period.closed_at IS 'When it was closed. 关账时间';
COMMENT ON COLUMN crm_bi.settlement_period.closed_by IS 'By whom. 关账人';
COMMENT ON COLUMN crm_bi.settlement_period.settled_at IS 'When it was settled. 结算时间';
COMMENT ON COLUMN crm_bi.settlement_period.settled_by IS 'By whom. 结算人';
COMMENT ON COLUMN crm_bi.settlement_period.reopened_at IS 'When it was opened again last. 反关账时间';
COMMENT ON COLUMN crm_bi.settlement_period.reopened_by IS 'By whom. 反关账人';
COMMENT ON COLUMN crm_bi.settlement_period.reopen_reason IS 'Why. 反关账原因';

CREATE VIEW crm_bi.settlement AS
SELECT s.id AS settlement_id, s.month, p.state, a.plan_id, a.thing, v.code AS provider_channel, u.code AS user_channel, a.terms_version, coalesce(l.lines, 0) AS lines,
       coalesce(l.amount, 0) AS amount, coalesce(l.provider_amount, 0) AS provider_amount, coalesce(l.user_amount, 0) AS user_amount,
       s.provider_amount AS closed_provider_amount, s.user_amount AS closed_user_amount,
       a.provider_channel_id, a.user_channel_id
FROM crm.settlement s
JOIN crm.settlement_account a ON a.id = s.account_id
JOIN crm.settlement_period p ON p.month = s.month
JOIN crm.channel u ON u.id = a.user_channel_id
LEFT JOIN crm.channel v ON v.id = a.provider_channel_id
LEFT JOIN (SELECT x.settlement_id, pg_catalog.count(*) AS lines, pg_catalog.sum(x.amount) AS amount, pg_catalog.sum(x.provider_amount) AS provider_amount, pg_catalog.sum(x.user_amount) AS user_amount
           FROM crm.settlement_line x GROUP BY x.settlement_id) l ON l.settlement_id = s.id;
COMMENT ON VIEW crm_bi.settlement IS 'What two channels share: one row for each month, plan, thing, pair of channels and version of the terms. 渠道结算';
COMMENT ON COLUMN crm_bi.settlement.settlement_id IS 'Key. 结算';
COMMENT ON COLUMN crm_bi.settlement.month IS 'First day of the month. 月份';
COMMENT ON COLUMN crm_bi.settlement.state IS 'State of the month: open 未结, closed 已关账 or settled 已结算. 状态';
COMMENT ON COLUMN crm_bi.settlement.plan_id IS 'Plan. 计划';
COMMENT ON COLUMN crm_bi.settlement.thing IS 'premium 实收保费, assessment 考核任务, commission 直接佣金 or cost 费用.';
COMMENT ON COLUMN crm_bi.settlement.provider_channel IS 'Channel that provided the customers; NULL: none. 提供渠道';
COMMENT ON COLUMN crm_bi.settlement.user_channel IS 'Channel of the holders. 使用渠道';
COMMENT ON COLUMN crm_bi.settlement.terms_version IS 'Version of the terms; NULL: no terms, all is the user''s. 条款版本';
COMMENT ON COLUMN crm_bi.settlement.lines IS 'Lines. 明细数';
COMMENT ON COLUMN crm_bi.settlement.amount IS 'What was divided. 金额';
COMMENT ON COLUMN crm_bi.settlement.provider_amount IS 'Part of the provider. 提供方金额';
COMMENT ON COLUMN crm_bi.settlement.user_amount IS 'Part of the user. 使用方金额';
COMMENT ON COLUMN crm_bi.settlement.closed_provider_amount IS 'Part of the provider as written down when the month was closed; NULL: it is open. 关账提供方金额';
COMMENT ON COLUMN crm_bi.settlement.closed_user_amount IS 'Part of the user as written down then. 关账使用方金额';
COMMENT ON COLUMN crm_bi.settlement.provider_channel_id IS 'Channel that provided the customers, in crm_bi.channel; NULL: none. 提供渠道键';
COMMENT ON COLUMN crm_bi.settlement.user_channel_id IS 'Channel of the holders, in crm_bi.channel. 使用渠道键';

CREATE VIEW crm_bi.settlement_channel AS
SELECT pg_catalog.concat_ws('/', x.month, x.channel, x.thing) AS settlement_channel_key, x.month, x.state, x.channel, x.thing, pg_catalog.sum(x.as_provider) AS as_provider, pg_catalog.sum(x.as_user) AS as_user,
       pg_catalog.sum(x.as_provider + x.as_user) AS amount, pg_catalog.sum(x.given_away) AS given_away
FROM (SELECT s.month, s.state, s.provider_channel AS channel, s.thing, s.provider_amount AS as_provider, 0 AS as_user, 0 AS given_away FROM crm_bi.settlement s WHERE s.provider_channel IS NOT NULL
      UNION ALL SELECT s.month, s.state, s.user_channel, s.thing, 0, s.user_amount, s.provider_amount FROM crm_bi.settlement s) x
GROUP BY x.month, x.state, x.channel, x.thing;
COMMENT ON VIEW crm_bi.settlement_channel IS 'What each channel gets: one row for each month, channel and thing. 渠道结算汇总';
COMMENT ON COLUMN crm_bi.settlement_channel.settlement_channel_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.settlement_channel.month IS 'First day of the month. 月份';
COMMENT ON COLUMN crm_bi.settlement_channel.state IS 'State of the month: open 未结, closed 已关账 or settled 已结算. 状态';
COMMENT ON COLUMN crm_bi.settlement_channel.channel IS 'Channel. 渠道';
COMMENT ON COLUMN crm_bi.settlement_channel.thing IS 'premium 实收保费, assessment 考核任务, commission 直接佣金 or cost 费用.';
COMMENT ON COLUMN crm_bi.settlement_channel.as_provider IS 'Of customers whom it gave to others. 作为提供方';
COMMENT ON COLUMN crm_bi.settlement_channel.as_user IS 'Of customers whom it holds. 作为使用方';
COMMENT ON COLUMN crm_bi.settlement_channel.amount IS 'Both together. 合计';
COMMENT ON COLUMN crm_bi.settlement_channel.given_away IS 'What others get of customers whom it holds. 分出金额';

CREATE VIEW crm_bi.settlement_line AS
SELECT l.id AS settlement_line_id, l.settlement_id, s.month, p.state, a.plan_id, a.thing, l.policy_id, o.customer_id, l.source_id, l.day, l.day < s.month AS is_late, v.code AS provider_channel,
       u.code AS user_channel, a.terms_version, l.amount, l.provider_amount, l.user_amount, l.posted_at, l.posted_by,
       a.provider_channel_id, a.user_channel_id, o.product_id
FROM crm.settlement_line l
JOIN crm.settlement s ON s.id = l.settlement_id
JOIN crm.settlement_account a ON a.id = s.account_id
JOIN crm.settlement_period p ON p.month = s.month
JOIN crm.channel u ON u.id = a.user_channel_id
LEFT JOIN crm.channel v ON v.id = a.provider_channel_id
LEFT JOIN crm.policy o ON o.id = l.policy_id;
COMMENT ON VIEW crm_bi.settlement_line IS 'Receipts, commissions, costs and credits as divided: one row for each line. 结算明细';
COMMENT ON COLUMN crm_bi.settlement_line.settlement_line_id IS 'Key. 明细';
COMMENT ON COLUMN crm_bi.settlement_line.settlement_id IS 'Settlement that it is part of. 结算';
COMMENT ON COLUMN crm_bi.settlement_line.month IS 'First day of the month to which it was posted. 月份';
COMMENT ON COLUMN crm_bi.settlement_line.state IS 'State of the month: open 未结, closed 已关账 or settled 已结算. 状态';
COMMENT ON COLUMN crm_bi.settlement_line.plan_id IS 'Plan. 计划';
COMMENT ON COLUMN crm_bi.settlement_line.thing IS 'premium 实收保费, assessment 考核任务, commission 直接佣金 or cost 费用.';
COMMENT ON COLUMN crm_bi.settlement_line.policy_id IS 'Policy. 保单';
COMMENT ON COLUMN crm_bi.settlement_line.customer_id IS 'Policyholder; NULL: the policy is gone. 投保人';
COMMENT ON COLUMN crm_bi.settlement_line.source_id IS 'Key of the receipt, commission or cost; of an assessment credit that of the policy. 来源';
COMMENT ON COLUMN crm_bi.settlement_line.day IS 'Day on which it was received, earned, incurred or issued. 业务日期';
COMMENT ON COLUMN crm_bi.settlement_line.is_late IS 'Posted to a later month than that of its day, which was closed. 跨期补记';
COMMENT ON COLUMN crm_bi.settlement_line.provider_channel IS 'Channel that provided the customer; NULL: none. 提供渠道';
COMMENT ON COLUMN crm_bi.settlement_line.user_channel IS 'Channel of the holder. 使用渠道';
COMMENT ON COLUMN crm_bi.settlement_line.terms_version IS 'Version of the terms; NULL: no terms. 条款版本';
COMMENT ON COLUMN crm_bi.settlement_line.amount IS 'What was divided; below 0 what was taken back. 金额';
COMMENT ON COLUMN crm_bi.settlement_line.provider_amount IS 'Part of the provider. 提供方金额';
COMMENT ON COLUMN crm_bi.settlement_line.user_amount IS 'Part of the user. 使用方金额';
COMMENT ON COLUMN crm_bi.settlement_line.posted_at IS 'When it was posted. 入账时间';
COMMENT ON COLUMN crm_bi.settlement_line.posted_by IS 'By whom. 入账人';
COMMENT ON COLUMN crm_bi.settlement_line.provider_channel_id IS 'Channel that provided the customer, in crm_bi.channel; NULL: none. 提供渠道键';
COMMENT ON COLUMN crm_bi.settlement_line.user_channel_id IS 'Channel of the holder, in crm_bi.channel. 使用渠道键';
COMMENT ON COLUMN crm_bi.settlement_line.product_id IS 'Product of the policy. 产品';

CREATE VIEW crm_bi.settlement_reconciliation AS
SELECT pg_catalog.concat_ws('/', x.thing, x.policy_id, x.source_id) AS settlement_reconciliation_key, x.thing, x.policy_id, x.source_id, x.day, x.amount, x.posted_amount, x.provider_amount,
       x.user_amount, x.amount - x.posted_amount AS difference, x.lines, CASE WHEN NOT x.differs THEN 'agrees' WHEN x.lines = 0 THEN 'to_be_posted' ELSE 'differs' END AS state,
       x.due_provider_amount, x.due_user_amount
FROM (SELECT s.thing, s.policy_id, s.source_id, pg_catalog.max(s.day) AS day, coalesce(pg_catalog.max(s.amount) FILTER (WHERE s.amount <> 0), 0) AS amount,
             pg_catalog.sum(s.provider_amount + s.user_amount) AS posted_amount, pg_catalog.sum(s.provider_amount) AS provider_amount, pg_catalog.sum(s.user_amount) AS user_amount,
             pg_catalog.sum(s.due_provider_amount) AS due_provider_amount, pg_catalog.sum(s.due_user_amount) AS due_user_amount, pg_catalog.sum(s.lines)::bigint AS lines,
             pg_catalog.bool_or(s.due_provider_amount <> s.provider_amount OR s.due_user_amount <> s.user_amount) AS differs
      FROM crm.settlement_parts() s GROUP BY s.thing, s.policy_id, s.source_id) x;
COMMENT ON VIEW crm_bi.settlement_reconciliation IS 'What attributed policies brought and what was posted of it: one row for each receipt, reversal, commission, cost and credit. 逐笔对账';
COMMENT ON COLUMN crm_bi.settlement_reconciliation.settlement_reconciliation_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.settlement_reconciliation.thing IS 'premium 实收保费, assessment 考核任务, commission 直接佣金 or cost 费用.';
COMMENT ON COLUMN crm_bi.settlement_reconciliation.policy_id IS 'Policy. 保单';
COMMENT ON COLUMN crm_bi.settlement_reconciliation.source_id IS 'Key of the receipt, commission or cost; of an assessment credit that of the policy. 来源';
COMMENT ON COLUMN crm_bi.settlement_reconciliation.day IS 'Day on which it was received, earned, incurred or issued. 业务日期';
COMMENT ON COLUMN crm_bi.settlement_reconciliation.amount IS 'Amount as recorded; of a reversal below 0; 0: it is there no more, or its policy not attributed. 原始金额';
COMMENT ON COLUMN crm_bi.settlement_reconciliation.posted_amount IS 'Sum of its lines. 入账金额';
COMMENT ON COLUMN crm_bi.settlement_reconciliation.provider_amount IS 'Of that the part of providers. 提供方金额';
COMMENT ON COLUMN crm_bi.settlement_reconciliation.user_amount IS 'The part of users. 使用方金额';
COMMENT ON COLUMN crm_bi.settlement_reconciliation.difference IS 'amount less posted_amount. 差额';
COMMENT ON COLUMN crm_bi.settlement_reconciliation.lines IS 'Lines. 明细数';
COMMENT ON COLUMN crm_bi.settlement_reconciliation.state IS 'agrees 相符; to_be_posted 待入账: no line yet; differs 不符: some plan and pair of channels has, by some version of the terms, other than it must, as after a policy came to count to another channel.';
COMMENT ON COLUMN crm_bi.settlement_reconciliation.due_provider_amount IS 'What providers must have of it, by the attribution and the terms in force. 提供方应得金额';
COMMENT ON COLUMN crm_bi.settlement_reconciliation.due_user_amount IS 'What users must have. 使用方应得金额';
