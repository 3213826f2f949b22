-- bi: cycles of resources, their inventories and proposals

CREATE VIEW crm_bi.cycle AS
SELECT y.id AS cycle_id, y.name, y.org_id, y.from_date, y.to_date, y.state,
       (SELECT pg_catalog.count(DISTINCT o.customer_id) FROM crm.cycle_offer o WHERE o.cycle_id = y.id AND o.withdrawn_at IS NULL) AS offered,
       (SELECT pg_catalog.count(*) FROM crm.proposal p WHERE p.cycle_id = y.id AND p.state = 'submitted') AS proposals_submitted,
       (SELECT pg_catalog.count(*) FROM crm.proposal p WHERE p.cycle_id = y.id AND p.state = 'granted') AS proposals_granted,
       (SELECT pg_catalog.count(*) FROM crm.plan p WHERE p.cycle_id = y.id) AS plans, y.approved_plan_id,
       (SELECT pg_catalog.count(*) FROM crm.plan p JOIN crm.plan_customer c ON c.plan_id = p.id WHERE p.cycle_id = y.id AND c.outcome = 'allocated') AS allocated,
       y.opened_at, y.opened_by, y.closed_at, y.closed_by
FROM crm.cycle y;
COMMENT ON VIEW crm_bi.cycle IS 'Cycles of resources: one row each, with where they stand. 资源周期';
COMMENT ON COLUMN crm_bi.cycle.cycle_id IS 'Key. 周期';
COMMENT ON COLUMN crm_bi.cycle.name IS 'Name. 名称';
COMMENT ON COLUMN crm_bi.cycle.org_id IS 'Unit whose it is, with its subtree. 所属机构';
COMMENT ON COLUMN crm_bi.cycle.from_date IS 'First day. 起始日';
COMMENT ON COLUMN crm_bi.cycle.to_date IS 'Last day. 截止日';
COMMENT ON COLUMN crm_bi.cycle.state IS 'open or closed. 状态';
COMMENT ON COLUMN crm_bi.cycle.offered IS 'Customers in the inventory. 资源客户数';
COMMENT ON COLUMN crm_bi.cycle.proposals_submitted IS 'Proposals submitted. 已提交方案数';
COMMENT ON COLUMN crm_bi.cycle.proposals_granted IS 'Proposals granted. 已批准方案数';
COMMENT ON COLUMN crm_bi.cycle.plans IS 'Plans, variants included. 计划数';
COMMENT ON COLUMN crm_bi.cycle.approved_plan_id IS 'Plan approved and not yet carried out. 待执行计划';
COMMENT ON COLUMN crm_bi.cycle.allocated IS 'Customers allocated by its plans. 已分配客户数';
COMMENT ON COLUMN crm_bi.cycle.opened_at IS 'When it was opened. 开启时间';
COMMENT ON COLUMN crm_bi.cycle.opened_by IS 'Who opened it. 开启人';
COMMENT ON COLUMN crm_bi.cycle.closed_at IS 'When it was closed. 关闭时间';
COMMENT ON COLUMN crm_bi.cycle.closed_by IS 'Who closed it. 关闭人';

CREATE VIEW crm_bi.inventory_release AS
SELECT r.id AS release_id, r.cycle_id, p.code AS provider, p.kind AS provider_kind, r.condition::text AS condition, r.as_of, r.note, r.released, r.refused,
       (SELECT pg_catalog.count(*) FROM crm.cycle_refusal x WHERE x.release_id = r.id AND x.cause = 'served') AS refused_served,
       (SELECT pg_catalog.count(*) FROM crm.cycle_refusal x WHERE x.release_id = r.id AND x.cause = 'not_own') AS refused_not_own,
       (SELECT pg_catalog.count(*) FROM crm.cycle_offer o WHERE o.release_id = r.id AND o.withdrawn_at IS NULL) AS standing, r.released_at, r.released_by
FROM crm.cycle_release r JOIN crm.provider p ON p.id = r.provider_id;
COMMENT ON VIEW crm_bi.inventory_release IS 'Releases into inventories: one row each. 资源释放';
COMMENT ON COLUMN crm_bi.inventory_release.release_id IS 'Key. 释放';
COMMENT ON COLUMN crm_bi.inventory_release.cycle_id IS 'Cycle. 周期';
COMMENT ON COLUMN crm_bi.inventory_release.provider IS 'Code of the provider. 提供方';
COMMENT ON COLUMN crm_bi.inventory_release.provider_kind IS 'channel, unit or centre. 提供方类型';
COMMENT ON COLUMN crm_bi.inventory_release.condition IS 'Rule by which; NULL: given. 条件';
COMMENT ON COLUMN crm_bi.inventory_release.as_of IS 'Day as of which the condition was read; of customers given that of the release. 截至日期';
COMMENT ON COLUMN crm_bi.inventory_release.note IS 'Remark. 备注';
COMMENT ON COLUMN crm_bi.inventory_release.released IS 'Customers released. 释放客户数';
COMMENT ON COLUMN crm_bi.inventory_release.refused IS 'Customers refused. 拒绝客户数';
COMMENT ON COLUMN crm_bi.inventory_release.refused_served IS 'Of those since somebody serves them. 因已服务被拒';
COMMENT ON COLUMN crm_bi.inventory_release.refused_not_own IS 'Of those since they are not the providers. 因非本方客户被拒';
COMMENT ON COLUMN crm_bi.inventory_release.standing IS 'Customers who stand in the inventory by it. 仍在清单客户数';
COMMENT ON COLUMN crm_bi.inventory_release.released_at IS 'When. 释放时间';
COMMENT ON COLUMN crm_bi.inventory_release.released_by IS 'Who. 释放人';

CREATE VIEW crm_bi.inventory AS
SELECT y.id::text || '/' || i.customer_id AS inventory_key, y.id AS cycle_id, i.customer_id, p.code AS provider, i.providers, i.providers > 1 AS overlaps, i.org_id, i.channel,
       i.coverage, i.tier, i.activity, i.service, i.line, i.conflicts, i.conflicts IS NULL AS is_free
FROM crm.cycle y
CROSS JOIN LATERAL crm.inventory(y.id, (SELECT crm.today())) i
JOIN crm.provider p ON p.id = i.provider_id
WHERE y.state = 'open';
COMMENT ON VIEW crm_bi.inventory IS 'Inventories of open cycles as of today: one row for each cycle and customer. 资源盘点';
COMMENT ON COLUMN crm_bi.inventory.inventory_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.inventory.cycle_id IS 'Cycle. 周期';
COMMENT ON COLUMN crm_bi.inventory.customer_id IS 'Customer. 客户';
COMMENT ON COLUMN crm_bi.inventory.provider IS 'Provider whose release came first. 提供方';
COMMENT ON COLUMN crm_bi.inventory.providers IS 'How many offer the customer. 提供方数';
COMMENT ON COLUMN crm_bi.inventory.overlaps IS 'Offered by several. 重复提供';
COMMENT ON COLUMN crm_bi.inventory.org_id IS 'Home organisation. 归属机构';
COMMENT ON COLUMN crm_bi.inventory.channel IS 'Main channel. 主渠道';
COMMENT ON COLUMN crm_bi.inventory.coverage IS 'prospect, insured or former. 新老客户分类';
COMMENT ON COLUMN crm_bi.inventory.tier IS 'Tier. 等级';
COMMENT ON COLUMN crm_bi.inventory.activity IS 'Class of activity. 活跃度';
COMMENT ON COLUMN crm_bi.inventory.service IS 'Kind of unserved. 服务状态';
COMMENT ON COLUMN crm_bi.inventory.line IS 'Line of the policy in force issued last. 产品线';
COMMENT ON COLUMN crm_bi.inventory.conflicts IS 'What stands in the way: held, protected, blacklisted, do_not_contact, consent_withdrawn, no_consent, other_cycle, held_out; NULL: nothing. 冲突';
COMMENT ON COLUMN crm_bi.inventory.is_free IS 'Nothing stands in the way. 可用';

CREATE VIEW crm_bi.inventory_summary AS
SELECT pg_catalog.concat_ws('/', s.cycle_id, s.provider, s.org_id, s.channel, s.coverage, s.tier, s.activity, s.service, s.line) AS inventory_summary_key, s.*
FROM (SELECT i.cycle_id, i.provider, i.org_id, i.channel, coalesce(i.coverage, 'none') AS coverage, i.tier, i.activity, coalesce(i.service, 'none') AS service, coalesce(i.line, 'none') AS line,
             pg_catalog.count(*) AS customers, pg_catalog.count(*) FILTER (WHERE i.overlaps) AS overlapping, pg_catalog.count(*) FILTER (WHERE NOT i.is_free) AS in_conflict,
             pg_catalog.count(*) FILTER (WHERE i.is_free) AS free
      FROM crm_bi.inventory i GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9) s;
COMMENT ON VIEW crm_bi.inventory_summary IS 'Inventories of open cycles as of today by provider and class: one row for each combination. 资源盘点汇总';
COMMENT ON COLUMN crm_bi.inventory_summary.inventory_summary_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.inventory_summary.cycle_id IS 'Cycle. 周期';
COMMENT ON COLUMN crm_bi.inventory_summary.provider IS 'Provider whose release came first. 提供方';
COMMENT ON COLUMN crm_bi.inventory_summary.org_id IS 'Home organisation. 归属机构';
COMMENT ON COLUMN crm_bi.inventory_summary.channel IS 'Main channel. 主渠道';
COMMENT ON COLUMN crm_bi.inventory_summary.coverage IS 'prospect, insured or former. 新老客户分类';
COMMENT ON COLUMN crm_bi.inventory_summary.tier IS 'Tier. 等级';
COMMENT ON COLUMN crm_bi.inventory_summary.activity IS 'Class of activity. 活跃度';
COMMENT ON COLUMN crm_bi.inventory_summary.service IS 'Kind of unserved. 服务状态';
COMMENT ON COLUMN crm_bi.inventory_summary.line IS 'Line of the policy in force issued last. 产品线';
COMMENT ON COLUMN crm_bi.inventory_summary.customers IS 'Customers. 客户数';
COMMENT ON COLUMN crm_bi.inventory_summary.overlapping IS 'Of those offered by several. 重复客户数';
COMMENT ON COLUMN crm_bi.inventory_summary.in_conflict IS 'Of those with something in the way. 冲突客户数';
COMMENT ON COLUMN crm_bi.inventory_summary.free IS 'Of those free for use. 可用客户数';

CREATE VIEW crm_bi.proposal AS
SELECT p.id AS proposal_id, p.cycle_id, h.code AS channel, p.org_id, p.title, p.state, p.version, v.segment::text AS segment, v.volume, v.expected_contacts, v.expected_purchases,
       v.expected_premium, v.expected_cost, v.expected_by, v.note, p.carried_from,
       (SELECT pg_catalog.count(*) FROM crm.plan_line l JOIN crm.plan_customer c ON c.plan_id = l.plan_id AND c.line = l.line WHERE l.proposal_id = p.id AND c.outcome = 'allocated') AS allocated,
       p.made_at, p.made_by, i.responsible, i.due_at, t.reason, t.by_whom AS decided_by, t.at AS decided_at
FROM crm.proposal p
LEFT JOIN crm.workflow_item i ON i.id = p.item_id
LEFT JOIN LATERAL (SELECT x.reason, x.by_whom, x.at FROM crm.workflow_log x WHERE x.item_id = p.item_id AND x.kind = 'transition' ORDER BY x.id DESC LIMIT 1) t ON true
JOIN crm.channel h ON h.id = p.channel_id
JOIN crm.proposal_version v ON v.proposal_id = p.id AND v.version = p.version;
COMMENT ON VIEW crm_bi.proposal IS 'Proposals in their latest version: one row each. 开拓方案';
COMMENT ON COLUMN crm_bi.proposal.proposal_id IS 'Key. 方案';
COMMENT ON COLUMN crm_bi.proposal.cycle_id IS 'Cycle. 周期';
COMMENT ON COLUMN crm_bi.proposal.channel IS 'Channel that asks. 渠道';
COMMENT ON COLUMN crm_bi.proposal.org_id IS 'Unit of it; NULL: the whole channel. 机构';
COMMENT ON COLUMN crm_bi.proposal.title IS 'Title. 标题';
COMMENT ON COLUMN crm_bi.proposal.state IS 'draft 草稿, submitted 已提交, granted 已批准, withdrawn 已撤回 or carried_over 已结转.';
COMMENT ON COLUMN crm_bi.proposal.version IS 'Version. 版本';
COMMENT ON COLUMN crm_bi.proposal.segment IS 'Who is asked for. 目标客户条件';
COMMENT ON COLUMN crm_bi.proposal.volume IS 'How many. 需求量';
COMMENT ON COLUMN crm_bi.proposal.expected_contacts IS 'Contacts to be expected. 预期接触数';
COMMENT ON COLUMN crm_bi.proposal.expected_purchases IS 'Customers expected to buy. 预期购买数';
COMMENT ON COLUMN crm_bi.proposal.expected_premium IS 'Annual premium expected. 预期年化保费';
COMMENT ON COLUMN crm_bi.proposal.expected_cost IS 'Cost expected. 预期费用';
COMMENT ON COLUMN crm_bi.proposal.expected_by IS 'By which day. 预期完成日';
COMMENT ON COLUMN crm_bi.proposal.note IS 'Remark. 备注';
COMMENT ON COLUMN crm_bi.proposal.carried_from IS 'Proposal of an earlier cycle. 结转自';
COMMENT ON COLUMN crm_bi.proposal.allocated IS 'Customers allocated for it. 已分配客户数';
COMMENT ON COLUMN crm_bi.proposal.made_at IS 'When it was made. 提出时间';
COMMENT ON COLUMN crm_bi.proposal.made_by IS 'Who made it. 提出人';
COMMENT ON COLUMN crm_bi.proposal.responsible IS 'Who has it in hand; NULL: nobody any more. 责任人';
COMMENT ON COLUMN crm_bi.proposal.due_at IS 'End of the time limit of its state; NULL: none. 到期时间';
COMMENT ON COLUMN crm_bi.proposal.reason IS 'Reason given with the last step, as of its return or rejection; NULL: none. 最近处理意见';
COMMENT ON COLUMN crm_bi.proposal.decided_by IS 'Who made that step. 最近处理人';
COMMENT ON COLUMN crm_bi.proposal.decided_at IS 'When. 最近处理时间';

CREATE VIEW crm_bi.proposal_version AS
SELECT v.proposal_id::text || '/' || v.version AS proposal_version_key, v.proposal_id, v.version, v.version = p.version AS is_latest, v.segment::text AS segment, v.volume, v.expected_contacts,
       v.expected_purchases, v.expected_premium, v.expected_cost, v.expected_by, v.note, v.made_at, v.made_by
FROM crm.proposal_version v JOIN crm.proposal p ON p.id = v.proposal_id;
COMMENT ON VIEW crm_bi.proposal_version IS 'Versions of proposals: one row each. 方案版本';
COMMENT ON COLUMN crm_bi.proposal_version.proposal_version_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.proposal_version.proposal_id IS 'Proposal. 方案';
COMMENT ON COLUMN crm_bi.proposal_version.version IS 'Version. 版本';
COMMENT ON COLUMN crm_bi.proposal_version.is_latest IS 'The one that holds. 最新';
COMMENT ON COLUMN crm_bi.proposal_version.segment IS 'Who is asked for. 目标客户条件';
COMMENT ON COLUMN crm_bi.proposal_version.volume IS 'How many. 需求量';
COMMENT ON COLUMN crm_bi.proposal_version.expected_contacts IS 'Contacts to be expected. 预期接触数';
COMMENT ON COLUMN crm_bi.proposal_version.expected_purchases IS 'Customers expected to buy. 预期购买数';
COMMENT ON COLUMN crm_bi.proposal_version.expected_premium IS 'Annual premium expected. 预期年化保费';
COMMENT ON COLUMN crm_bi.proposal_version.expected_cost IS 'Cost expected. 预期费用';
COMMENT ON COLUMN crm_bi.proposal_version.expected_by IS 'By which day. 预期完成日';
COMMENT ON COLUMN crm_bi.proposal_version.note IS 'Remark. 备注';
COMMENT ON COLUMN crm_bi.proposal_version.made_at IS 'When it was made. 提出时间';
COMMENT ON COLUMN crm_bi.proposal_version.made_by IS 'Who made it. 提出人';
