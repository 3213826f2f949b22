-- bi: the settlement as each channel sees its own, without customers; barriers, so that no condition of a reader sees the rows of others

CREATE VIEW crm_bi.my_settlement WITH (security_barrier) AS
SELECT s.settlement_id, s.month, s.state, o.code AS channel, s.plan_id, s.thing, s.provider_channel, s.user_channel, s.terms_version, s.lines, s.amount, s.provider_amount, s.user_amount,
       CASE WHEN s.provider_channel = o.code THEN s.provider_amount ELSE 0 END + CASE WHEN s.user_channel = o.code THEN s.user_amount ELSE 0 END AS own_amount,
       s.closed_provider_amount, s.closed_user_amount
FROM crm.my_settlement_plans() m
JOIN crm.channel o ON o.id = m.channel_id
JOIN crm_bi.settlement s ON s.plan_id = m.plan_id AND (s.provider_channel = o.code OR s.user_channel = o.code);
COMMENT ON VIEW crm_bi.my_settlement IS 'What the own channel shares with others: one row for each month, plan, thing, pair of channels and version of the terms. 本渠道结算';
COMMENT ON COLUMN crm_bi.my_settlement.settlement_id IS 'Key. 结算';
COMMENT ON COLUMN crm_bi.my_settlement.month IS 'First day of the month. 月份';
COMMENT ON COLUMN crm_bi.my_settlement.state IS 'State of the month: open 未结, closed 已关账 or settled 已结算. 状态';
COMMENT ON COLUMN crm_bi.my_settlement.channel IS 'Own channel. 本渠道';
COMMENT ON COLUMN crm_bi.my_settlement.plan_id IS 'Plan. 计划';
COMMENT ON COLUMN crm_bi.my_settlement.thing IS 'premium 实收保费, assessment 考核任务, commission 直接佣金 or cost 费用.';
COMMENT ON COLUMN crm_bi.my_settlement.provider_channel IS 'Channel that provided the customers; NULL: none. 提供渠道';
COMMENT ON COLUMN crm_bi.my_settlement.user_channel IS 'Channel of the holders. 使用渠道';
COMMENT ON COLUMN crm_bi.my_settlement.terms_version IS 'Version of the terms; NULL: no terms, all is the user''s. 条款版本';
COMMENT ON COLUMN crm_bi.my_settlement.lines IS 'Lines. 明细数';
COMMENT ON COLUMN crm_bi.my_settlement.amount IS 'What was divided. 金额';
COMMENT ON COLUMN crm_bi.my_settlement.provider_amount IS 'Part of the provider. 提供方金额';
COMMENT ON COLUMN crm_bi.my_settlement.user_amount IS 'Part of the user. 使用方金额';
COMMENT ON COLUMN crm_bi.my_settlement.own_amount IS 'Part of the own channel. 本渠道金额';
COMMENT ON COLUMN crm_bi.my_settlement.closed_provider_amount IS 'Part of the provider as written down when the month was closed; NULL: it is open. 关账提供方金额';
COMMENT ON COLUMN crm_bi.my_settlement.closed_user_amount IS 'Part of the user as written down then. 关账使用方金额';

CREATE VIEW crm_bi.my_settlement_line WITH (security_barrier) AS
SELECT s.settlement_line_id, s.settlement_id, s.month, s.state, o.code AS channel, s.plan_id, s.thing, s.policy_id, s.source_id, s.day, s.is_late, s.provider_channel, s.user_channel, s.terms_version,
       s.amount, s.provider_amount, s.user_amount,
       CASE WHEN s.provider_channel = o.code THEN s.provider_amount ELSE 0 END + CASE WHEN s.user_channel = o.code THEN s.user_amount ELSE 0 END AS own_amount, s.posted_at
FROM crm.my_settlement_plans() m
JOIN crm.channel o ON o.id = m.channel_id
JOIN crm_bi.settlement_line s ON s.plan_id = m.plan_id AND (s.provider_channel = o.code OR s.user_channel = o.code);
COMMENT ON VIEW crm_bi.my_settlement_line IS 'Receipts, commissions, costs and credits as divided between the own channel and others: one row for each line. 本渠道结算明细';
COMMENT ON COLUMN crm_bi.my_settlement_line.settlement_line_id IS 'Key. 明细';
COMMENT ON COLUMN crm_bi.my_settlement_line.settlement_id IS 'Settlement that it is part of. 结算';
COMMENT ON COLUMN crm_bi.my_settlement_line.month IS 'First day of the month to which it was posted. 月份';
COMMENT ON COLUMN crm_bi.my_settlement_line.state IS 'State of the month: open 未结, closed 已关账 or settled 已结算. 状态';
COMMENT ON COLUMN crm_bi.my_settlement_line.channel IS 'Own channel. 本渠道';
COMMENT ON COLUMN crm_bi.my_settlement_line.plan_id IS 'Plan. 计划';
COMMENT ON COLUMN crm_bi.my_settlement_line.thing IS 'premium 实收保费, assessment 考核任务, commission 直接佣金 or cost 费用.';
COMMENT ON COLUMN crm_bi.my_settlement_line.policy_id IS 'Policy. 保单';
COMMENT ON COLUMN crm_bi.my_settlement_line.source_id IS 'Key of the receipt, commission or cost; of an assessment credit that of the policy. 来源';
COMMENT ON COLUMN crm_bi.my_settlement_line.day IS 'Its day: received, earned, incurred or issued. 业务日期';
COMMENT ON COLUMN crm_bi.my_settlement_line.is_late IS 'Whether it came too late for the month of its day. 是否逾期入账';
COMMENT ON COLUMN crm_bi.my_settlement_line.provider_channel IS 'Channel that provided the customer; NULL: none. 提供渠道';
COMMENT ON COLUMN crm_bi.my_settlement_line.user_channel IS 'Channel of the holder. 使用渠道';
COMMENT ON COLUMN crm_bi.my_settlement_line.terms_version IS 'Version of the terms; NULL: no terms. 条款版本';
COMMENT ON COLUMN crm_bi.my_settlement_line.amount IS 'What was divided; below 0 what was taken back. 金额';
COMMENT ON COLUMN crm_bi.my_settlement_line.provider_amount IS 'Part of the provider. 提供方金额';
COMMENT ON COLUMN crm_bi.my_settlement_line.user_amount IS 'Part of the user. 使用方金额';
COMMENT ON COLUMN crm_bi.my_settlement_line.own_amount IS 'Part of the own channel. 本渠道金额';
COMMENT ON COLUMN crm_bi.my_settlement_line.posted_at IS 'When it was posted. 入账时间';

CREATE VIEW crm_bi.my_settlement_reconciliation WITH (security_barrier) AS
SELECT pg_catalog.concat_ws('/', x.thing, x.policy_id, x.source_id) AS my_settlement_reconciliation_key, x.thing, x.policy_id, x.source_id, x.day, x.amount, x.due_amount, x.posted_amount,
       x.own_due_amount, x.own_amount, x.own_due_amount - x.own_amount AS difference, x.lines,
       CASE WHEN NOT x.differs THEN 'agrees' WHEN x.lines = 0 THEN 'to_be_posted' ELSE 'differs' END AS state
FROM (SELECT m.thing, m.policy_id, m.source_id, pg_catalog.max(m.day) AS day, coalesce(pg_catalog.max(m.amount) FILTER (WHERE m.amount <> 0), 0) AS amount,
             pg_catalog.sum(m.due_provider_amount + m.due_user_amount) AS due_amount, pg_catalog.sum(m.provider_amount + m.user_amount) AS posted_amount,
             pg_catalog.sum(CASE WHEN m.provider_channel_id = m.own_channel_id THEN m.due_provider_amount ELSE 0 END
                            + CASE WHEN m.user_channel_id = m.own_channel_id THEN m.due_user_amount ELSE 0 END) AS own_due_amount,
             pg_catalog.sum(CASE WHEN m.provider_channel_id = m.own_channel_id THEN m.provider_amount ELSE 0 END
                            + CASE WHEN m.user_channel_id = m.own_channel_id THEN m.user_amount ELSE 0 END) AS own_amount,
             pg_catalog.sum(m.lines)::bigint AS lines,
             pg_catalog.bool_or(m.due_provider_amount <> m.provider_amount OR m.due_user_amount <> m.user_amount) AS differs
      FROM crm.my_settlement_parts() m GROUP BY m.thing, m.policy_id, m.source_id) x;
COMMENT ON VIEW crm_bi.my_settlement_reconciliation IS 'What policies attributed to the own channel, or provided by it, brought and what was posted of it, and what the own lines on others come to: one row for each receipt, reversal, commission, cost and credit. 本渠道逐笔对账';
COMMENT ON COLUMN crm_bi.my_settlement_reconciliation.my_settlement_reconciliation_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.my_settlement_reconciliation.thing IS 'premium 实收保费, assessment 考核任务, commission 直接佣金 or cost 费用.';
COMMENT ON COLUMN crm_bi.my_settlement_reconciliation.policy_id IS 'Policy. 保单';
COMMENT ON COLUMN crm_bi.my_settlement_reconciliation.source_id IS 'Key of the receipt, commission or cost; of an assessment credit that of the policy. 来源';
COMMENT ON COLUMN crm_bi.my_settlement_reconciliation.day IS 'Day on which it was received, earned, incurred or issued. 业务日期';
COMMENT ON COLUMN crm_bi.my_settlement_reconciliation.amount IS 'Amount as recorded; of a reversal below 0; 0: it is there no more, or its policy is the own channel''s no more. 原始金额';
COMMENT ON COLUMN crm_bi.my_settlement_reconciliation.due_amount IS 'Of that what the own channel and who shares with it must have, by the attribution and the terms in force; less than all where several channels hold the customer. 应分金额';
COMMENT ON COLUMN crm_bi.my_settlement_reconciliation.posted_amount IS 'What lines of the own channel divide. 入账金额';
COMMENT ON COLUMN crm_bi.my_settlement_reconciliation.own_due_amount IS 'Of due_amount the part of the own channel. 本渠道应得金额';
COMMENT ON COLUMN crm_bi.my_settlement_reconciliation.own_amount IS 'Of posted_amount the part of the own channel. 本渠道金额';
COMMENT ON COLUMN crm_bi.my_settlement_reconciliation.difference IS 'own_due_amount less own_amount: what posting is still to give the own channel. 差额';
COMMENT ON COLUMN crm_bi.my_settlement_reconciliation.lines IS 'Lines of the own channel. 本渠道明细数';
COMMENT ON COLUMN crm_bi.my_settlement_reconciliation.state IS 'agrees 相符; to_be_posted 待入账: no line yet; differs 不符: some pair of channels with the own one has, by some version of the terms, other than it must.';
