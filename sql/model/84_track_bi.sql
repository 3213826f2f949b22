-- bi: what plans brought: bulletins, channels and stages compared, uplift against those held out, feedback, and the past of channels by class

CREATE VIEW crm_bi.plan_bulletin AS
WITH promised AS (
  SELECT l.plan_id, l.line, (l.customers - l.held_out) * v.expected_contacts::numeric / v.volume AS contacts, (l.customers - l.held_out) * v.expected_purchases::numeric / v.volume AS purchases,
         (l.customers - l.held_out) * v.expected_premium / v.volume AS premium, (l.customers - l.held_out) * v.expected_cost / v.volume AS cost, v.expected_by
  FROM crm.plan_line l
  JOIN crm.plan_proposal n ON n.plan_id = l.plan_id AND n.proposal_id = l.proposal_id
  JOIN crm.proposal_version v ON v.proposal_id = n.proposal_id AND v.version = n.version),
-- the past is told over history_days, a promise over the time up to its day; a plan rests on the one or, where there is no past at all, on the other
followed AS (
  SELECT p.id AS plan_id, CASE WHEN NOT EXISTS (SELECT FROM crm.plan_cell c WHERE c.plan_id = p.id AND c.basis = 'proposal') THEN crm.setting_value('history_days', p.as_of)::integer END AS days
  FROM crm.plan p),
part AS (
  SELECT l.plan_id, l.line, l.stage, l.channel_id, l.org_id, l.customers, l.held_out, l.expected_contacts, l.expected_purchases, l.expected_premium, l.expected_cost, s.started_on, h.days, h.until,
         p.contacts, p.purchases, p.premium, p.cost, p.expected_by,
         least(greatest(crm.today() + 1 - s.started_on, 0), h.days) AS gone
  FROM crm.plan_line l
  JOIN followed f ON f.plan_id = l.plan_id
  LEFT JOIN promised p ON p.plan_id = l.plan_id AND p.line = l.line
  LEFT JOIN crm._plan_start s ON s.plan_id = l.plan_id AND s.stage IS NOT DISTINCT FROM l.stage
  CROSS JOIN LATERAL (SELECT greatest(d.days, 1) AS days, s.started_on + greatest(d.days, 1) AS until FROM (SELECT coalesce(f.days, p.expected_by + 1 - s.started_on) AS days) d) h),
line AS (
  SELECT l.plan_id, l.stage, l.channel_id, l.org_id, pg_catalog.sum(l.customers)::bigint AS planned, pg_catalog.sum(l.held_out)::bigint AS held_out,
         pg_catalog.sum(l.expected_contacts) AS expected_contacts, pg_catalog.sum(l.expected_purchases) AS expected_purchases,
         pg_catalog.sum(l.expected_premium) AS expected_premium, pg_catalog.sum(l.expected_cost) AS expected_cost,
         pg_catalog.max(l.days) AS expected_days, pg_catalog.sum(l.expected_purchases * l.gone / l.days) AS expected_so_far, pg_catalog.max(l.started_on) AS started_on,
         pg_catalog.sum(l.contacts) AS promised_contacts, pg_catalog.sum(l.purchases) AS promised_purchases, pg_catalog.sum(l.premium) AS promised_premium,
         pg_catalog.sum(l.cost) AS promised_cost, pg_catalog.max(l.expected_by) AS promised_by
  FROM part l GROUP BY l.plan_id, l.stage, l.channel_id, l.org_id),
result AS (
  SELECT r.plan_id, r.stage, r.channel_id, r.org_id, pg_catalog.count(r.allocated_on) AS allocated, pg_catalog.count(r.contacted_on) AS contacted, pg_catalog.count(r.feedback) AS fed_back,
         pg_catalog.count(*) FILTER (WHERE r.feedback_contacted) AS reached, pg_catalog.count(r.bought_on) AS purchases, pg_catalog.count(*) FILTER (WHERE r.bought_on < coalesce(l.until, 'infinity')) AS purchases_in_time,
         pg_catalog.sum(r.policies)::bigint AS policies,
         pg_catalog.sum(r.premium) AS premium, pg_catalog.sum(r.cost) AS cost, pg_catalog.sum(r.attributed_policies) AS attributed_policies, pg_catalog.sum(r.attributed_premium) AS attributed_premium
  FROM crm._plan_result r JOIN part l ON l.plan_id = r.plan_id AND l.line = r.line
  GROUP BY r.plan_id, r.stage, r.channel_id, r.org_id)
SELECT pg_catalog.concat_ws('/', l.plan_id, coalesce(l.stage, 0), h.code, coalesce(l.org_id, 0)) AS plan_bulletin_key, l.plan_id, l.stage, h.code AS channel, l.org_id, l.planned, l.held_out,
       coalesce(r.allocated, 0) AS allocated, coalesce(r.contacted, 0) AS contacted, coalesce(r.fed_back, 0) AS fed_back, coalesce(r.reached, 0) AS reached, coalesce(r.purchases, 0) AS purchases,
       coalesce(r.policies, 0) AS policies, coalesce(r.premium, 0) AS premium, coalesce(r.cost, 0) AS cost, coalesce(r.attributed_policies, 0) AS attributed_policies,
       coalesce(r.attributed_premium, 0) AS attributed_premium, l.expected_contacts, l.expected_purchases, l.expected_premium, l.expected_cost,
       pg_catalog.round(l.promised_contacts, 4) AS promised_contacts, pg_catalog.round(l.promised_purchases, 4) AS promised_purchases, pg_catalog.round(l.promised_premium, 2) AS promised_premium,
       pg_catalog.round(l.promised_cost, 2) AS promised_cost, l.promised_by, l.started_on,
       CASE WHEN l.promised_by > l.started_on THEN pg_catalog.round(least(greatest(crm.today() - l.started_on, 0)::numeric / (l.promised_by - l.started_on), 1), 4)
            WHEN l.started_on IS NOT NULL THEN 1 END AS time_gone,
       l.expected_days, pg_catalog.round(l.expected_so_far, 4) AS expected_so_far, CASE WHEN l.started_on IS NOT NULL THEN coalesce(r.purchases_in_time, 0) END AS purchases_in_time,
       pg_catalog.round(coalesce(r.purchases_in_time, 0) / nullif(l.expected_so_far, 0), 4) AS attained_expected, pg_catalog.round(r.purchases / nullif(l.promised_purchases, 0), 4) AS attained_promised
FROM line l
JOIN crm.channel h ON h.id = l.channel_id
LEFT JOIN result r ON r.plan_id = l.plan_id AND r.stage IS NOT DISTINCT FROM l.stage AND r.channel_id = l.channel_id AND r.org_id IS NOT DISTINCT FROM l.org_id;
COMMENT ON VIEW crm_bi.plan_bulletin IS 'Bulletins of plans up to crm.today(), beside what the plan expects and the proposals promise: one row for each plan, stage, channel and unit. 计划通报';
COMMENT ON COLUMN crm_bi.plan_bulletin.plan_bulletin_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.plan_bulletin.plan_id IS 'Plan. 计划';
COMMENT ON COLUMN crm_bi.plan_bulletin.stage IS 'Stage; NULL: the plan has none. 批次';
COMMENT ON COLUMN crm_bi.plan_bulletin.channel IS 'Channel. 渠道';
COMMENT ON COLUMN crm_bi.plan_bulletin.org_id IS 'Unit; NULL: the whole channel. 机构';
COMMENT ON COLUMN crm_bi.plan_bulletin.planned IS 'Customers planned. 计划客户数';
COMMENT ON COLUMN crm_bi.plan_bulletin.held_out IS 'Of those held out. 对照组客户数';
COMMENT ON COLUMN crm_bi.plan_bulletin.allocated IS 'Customers allocated. 已分配客户数';
COMMENT ON COLUMN crm_bi.plan_bulletin.contacted IS 'Of those contacted by the channel while held. 已接触客户数';
COMMENT ON COLUMN crm_bi.plan_bulletin.fed_back IS 'Customers with feedback. 已反馈客户数';
COMMENT ON COLUMN crm_bi.plan_bulletin.reached IS 'Of those spoken to, by the latest feedback. 反馈已接触客户数';
COMMENT ON COLUMN crm_bi.plan_bulletin.purchases IS 'Customers who bought while held. 购买客户数';
COMMENT ON COLUMN crm_bi.plan_bulletin.policies IS 'Policies that they bought. 保单数';
COMMENT ON COLUMN crm_bi.plan_bulletin.premium IS 'Annual premium of those. 年化保费';
COMMENT ON COLUMN crm_bi.plan_bulletin.cost IS 'Selling cost while held, and commissions. 费用';
COMMENT ON COLUMN crm_bi.plan_bulletin.attributed_policies IS 'Policies attributed to the plan, as attributed last. 归属保单数';
COMMENT ON COLUMN crm_bi.plan_bulletin.attributed_premium IS 'Their annual premium. 归属年化保费';
COMMENT ON COLUMN crm_bi.plan_bulletin.expected_contacts IS 'Contacts that the plan expects. 计划预期接触数';
COMMENT ON COLUMN crm_bi.plan_bulletin.expected_purchases IS 'Purchases that the plan expects. 计划预期购买数';
COMMENT ON COLUMN crm_bi.plan_bulletin.expected_premium IS 'Annual premium that the plan expects. 计划预期保费';
COMMENT ON COLUMN crm_bi.plan_bulletin.expected_cost IS 'Cost that the plan expects. 计划预期费用';
COMMENT ON COLUMN crm_bi.plan_bulletin.promised_contacts IS 'Contacts that proposals promise of as many customers. 方案承诺接触数';
COMMENT ON COLUMN crm_bi.plan_bulletin.promised_purchases IS 'Purchases that proposals promise. 方案承诺购买数';
COMMENT ON COLUMN crm_bi.plan_bulletin.promised_premium IS 'Annual premium that proposals promise. 方案承诺保费';
COMMENT ON COLUMN crm_bi.plan_bulletin.promised_cost IS 'Cost that proposals name. 方案预计费用';
COMMENT ON COLUMN crm_bi.plan_bulletin.promised_by IS 'By which day. 承诺日期';
COMMENT ON COLUMN crm_bi.plan_bulletin.started_on IS 'First day on which it was carried out. 启动日';
COMMENT ON COLUMN crm_bi.plan_bulletin.time_gone IS 'Share of the time up to promised_by that is gone. 时间进度';
COMMENT ON COLUMN crm_bi.plan_bulletin.expected_days IS 'Days from started_on in which the plan expects its purchases: the setting history_days on the day of the computation, over which the past is told; of a plan without any past those up to promised_by. 预期天数';
COMMENT ON COLUMN crm_bi.plan_bulletin.expected_so_far IS 'expected_purchases, pro rata to the share of expected_days that is gone, today included; NULL: not carried out yet. 截至当日预期购买数';
COMMENT ON COLUMN crm_bi.plan_bulletin.purchases_in_time IS 'Of purchases those within expected_days. 预期天数内购买客户数';
COMMENT ON COLUMN crm_bi.plan_bulletin.attained_expected IS 'purchases_in_time / expected_so_far; NULL: not carried out yet, or nothing expected. 计划达成率';
COMMENT ON COLUMN crm_bi.plan_bulletin.attained_promised IS 'purchases / promised_purchases. 承诺达成率';

CREATE VIEW crm_bi.plan_channel AS
WITH x AS (
  SELECT r.plan_id, r.channel_id, pg_catalog.count(*) AS planned, pg_catalog.count(*) FILTER (WHERE r.arm = 'hold_out') AS held_out, pg_catalog.count(r.allocated_on) AS allocated,
         pg_catalog.count(r.contacted_on) AS contacted, pg_catalog.count(r.bought_on) AS purchases, pg_catalog.sum(r.premium) AS premium, pg_catalog.sum(r.cost) AS cost,
         pg_catalog.var_samp(r.premium) FILTER (WHERE r.allocated_on IS NOT NULL) AS premium_variance, pg_catalog.count(*) FILTER (WHERE r.cost <> 0) AS costing,
         pg_catalog.var_samp(r.cost) FILTER (WHERE r.allocated_on IS NOT NULL) AS cost_variance, pg_catalog.avg(d.days) AS days, pg_catalog.var_samp(d.days) AS days_variance
  FROM crm._plan_result r
  CROSS JOIN LATERAL (SELECT r.bought_on - CASE WHEN r.contacted_on <= r.bought_on THEN r.contacted_on ELSE r.allocated_on END AS days) d
  GROUP BY r.plan_id, r.channel_id),
expected AS (
  SELECT l.plan_id, l.channel_id, pg_catalog.sum(l.expected_purchases) AS purchases, pg_catalog.sum(l.expected_premium) AS premium, pg_catalog.sum(l.expected_cost) AS cost
  FROM crm.plan_line l GROUP BY l.plan_id, l.channel_id)
SELECT x.plan_id::text || '/' || h.code AS plan_channel_key, x.plan_id, h.code AS channel, x.planned, x.held_out, x.allocated, x.contacted, x.purchases,
       pg_catalog.round(x.purchases::numeric / nullif(x.allocated, 0), 6) AS purchase_rate, pg_catalog.round(i.lower::numeric, 6) AS purchase_rate_low, pg_catalog.round(i.upper::numeric, 6) AS purchase_rate_high,
       x.premium, pg_catalog.round(x.premium / nullif(x.allocated, 0), 2) AS premium_per_allocated, p.lower AS premium_per_allocated_low, p.upper AS premium_per_allocated_high,
       x.cost, pg_catalog.round(x.cost / nullif(x.allocated, 0), 2) AS cost_per_allocated, k.lower AS cost_per_allocated_low, k.upper AS cost_per_allocated_high,
       pg_catalog.round(x.cost / nullif(x.purchases, 0), 2) AS cost_per_purchase, pg_catalog.round((x.premium - x.cost) / nullif(x.allocated, 0), 2) AS net_per_allocated,
       pg_catalog.round(x.days, 2) AS days, d.lower AS days_low, d.upper AS days_high, e.purchases AS expected_purchases,
       e.premium AS expected_premium, e.cost AS expected_cost
FROM x
JOIN crm.channel h ON h.id = x.channel_id
JOIN expected e ON e.plan_id = x.plan_id AND e.channel_id = x.channel_id
CROSS JOIN LATERAL crm.rate_interval(x.purchases, x.allocated) i
CROSS JOIN LATERAL crm._told_interval(x.premium / nullif(x.allocated, 0), x.premium_variance, x.allocated, x.purchases) p
CROSS JOIN LATERAL crm._told_interval(x.cost / nullif(x.allocated, 0), x.cost_variance, x.allocated, x.costing) k
CROSS JOIN LATERAL crm._told_interval(x.days, x.days_variance, x.purchases, x.purchases) d;
COMMENT ON VIEW crm_bi.plan_channel IS 'Channels of plans compared, up to crm.today(): one row for each plan and channel. 渠道对比';
COMMENT ON COLUMN crm_bi.plan_channel.plan_channel_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.plan_channel.plan_id IS 'Plan. 计划';
COMMENT ON COLUMN crm_bi.plan_channel.channel IS 'Channel. 渠道';
COMMENT ON COLUMN crm_bi.plan_channel.planned IS 'Customers planned. 计划客户数';
COMMENT ON COLUMN crm_bi.plan_channel.held_out IS 'Of those held out. 对照组客户数';
COMMENT ON COLUMN crm_bi.plan_channel.allocated IS 'Customers allocated. 已分配客户数';
COMMENT ON COLUMN crm_bi.plan_channel.contacted IS 'Of those contacted by the channel while held. 已接触客户数';
COMMENT ON COLUMN crm_bi.plan_channel.purchases IS 'Customers who bought while held. 购买客户数';
COMMENT ON COLUMN crm_bi.plan_channel.purchase_rate IS 'purchases / allocated. 购买率';
COMMENT ON COLUMN crm_bi.plan_channel.purchase_rate_low IS 'Its lower bound at 95 %. 购买率下限';
COMMENT ON COLUMN crm_bi.plan_channel.purchase_rate_high IS 'Its upper bound. 购买率上限';
COMMENT ON COLUMN crm_bi.plan_channel.premium IS 'Annual premium of what was bought. 年化保费';
COMMENT ON COLUMN crm_bi.plan_channel.premium_per_allocated IS 'premium / allocated. 户均保费';
COMMENT ON COLUMN crm_bi.plan_channel.premium_per_allocated_low IS 'Its lower bound at 95 %, by Student; NULL: fewer than 5 bought, too few to tell, or all the same. 户均保费下限';
COMMENT ON COLUMN crm_bi.plan_channel.premium_per_allocated_high IS 'Its upper bound. 户均保费上限';
COMMENT ON COLUMN crm_bi.plan_channel.cost IS 'Selling cost while held, and commissions. 费用';
COMMENT ON COLUMN crm_bi.plan_channel.cost_per_allocated IS 'cost / allocated. 户均费用';
COMMENT ON COLUMN crm_bi.plan_channel.cost_per_allocated_low IS 'Its lower bound at 95 %, by Student; NULL: fewer than 5 had any cost, or all the same. 户均费用下限';
COMMENT ON COLUMN crm_bi.plan_channel.cost_per_allocated_high IS 'Its upper bound. 户均费用上限';
COMMENT ON COLUMN crm_bi.plan_channel.cost_per_purchase IS 'cost / purchases. 单均费用';
COMMENT ON COLUMN crm_bi.plan_channel.net_per_allocated IS '(premium - cost) / allocated. 户均净收益';
COMMENT ON COLUMN crm_bi.plan_channel.days IS 'Days from the first contact, or else the allocation, to the first purchase, on average. 平均销售周期';
COMMENT ON COLUMN crm_bi.plan_channel.days_low IS 'Its lower bound at 95 %, by Student, from the sample of purchases; NULL: fewer than 5 bought, or all the same. 销售周期下限';
COMMENT ON COLUMN crm_bi.plan_channel.days_high IS 'Its upper bound. 销售周期上限';
COMMENT ON COLUMN crm_bi.plan_channel.expected_purchases IS 'Purchases that the plan expects. 计划预期购买数';
COMMENT ON COLUMN crm_bi.plan_channel.expected_premium IS 'Annual premium that the plan expects. 计划预期保费';
COMMENT ON COLUMN crm_bi.plan_channel.expected_cost IS 'Cost that the plan expects. 计划预期费用';

CREATE VIEW crm_bi.plan_stage_comparison AS
WITH stage AS (
  SELECT s.plan_id, s.stage, s.started_on, crm.today() - s.started_on AS age, pg_catalog.first_value(s.stage) OVER w AS first_stage, pg_catalog.first_value(s.started_on) OVER w AS first_on
  FROM crm._plan_start s WHERE s.stage IS NOT NULL AND s.started_on <= crm.today()
  WINDOW w AS (PARTITION BY s.plan_id ORDER BY s.stage)),
counted AS (
  SELECT s.plan_id, s.stage, s.first_stage, s.started_on, least(s.age, crm.today() - s.first_on) AS days,
         pg_catalog.count(r.allocated_on) FILTER (WHERE r.stage = s.stage) AS allocated,
         pg_catalog.count(*) FILTER (WHERE r.stage = s.stage AND r.contacted_on <= s.started_on + least(s.age, crm.today() - s.first_on)) AS contacted,
         pg_catalog.count(*) FILTER (WHERE r.stage = s.stage AND r.bought_on <= s.started_on + least(s.age, crm.today() - s.first_on)) AS purchases,
         pg_catalog.count(r.allocated_on) FILTER (WHERE r.stage = s.first_stage) AS first_allocated,
         pg_catalog.count(*) FILTER (WHERE r.stage = s.first_stage AND r.bought_on <= s.first_on + least(s.age, crm.today() - s.first_on)) AS first_purchases
  FROM stage s JOIN crm._plan_result r ON r.plan_id = s.plan_id AND r.stage IN (s.stage, s.first_stage)
  GROUP BY s.plan_id, s.stage, s.first_stage, s.started_on, s.first_on, s.age)
SELECT x.plan_id::text || '/' || x.stage AS plan_stage_comparison_key, x.plan_id, x.stage, t.name, x.started_on, x.days, x.allocated, x.contacted, x.purchases,
       pg_catalog.round(x.purchases::numeric / nullif(x.allocated, 0), 6) AS purchase_rate, pg_catalog.round(i.lower::numeric, 6) AS purchase_rate_low, pg_catalog.round(i.upper::numeric, 6) AS purchase_rate_high,
       x.first_stage, x.first_allocated, x.first_purchases, pg_catalog.round(x.first_purchases::numeric / nullif(x.first_allocated, 0), 6) AS first_purchase_rate,
       CASE WHEN x.stage <> x.first_stage THEN pg_catalog.round(u.uplift::numeric, 6) END AS difference, CASE WHEN x.stage <> x.first_stage THEN pg_catalog.round(u.lower::numeric, 6) END AS difference_low,
       CASE WHEN x.stage <> x.first_stage THEN pg_catalog.round(u.upper::numeric, 6) END AS difference_high
FROM counted x
JOIN crm.plan_stage t ON t.plan_id = x.plan_id AND t.stage = x.stage
CROSS JOIN LATERAL crm.rate_interval(x.purchases, x.allocated) i
CROSS JOIN LATERAL crm.uplift(x.purchases, x.allocated, x.first_purchases, x.first_allocated) u;
COMMENT ON VIEW crm_bi.plan_stage_comparison IS 'Stages of plans beside the first one of each after as many days, up to crm.today(): one row for each plan and stage that has begun. 批次同期对比';
COMMENT ON COLUMN crm_bi.plan_stage_comparison.plan_stage_comparison_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.plan_stage_comparison.plan_id IS 'Plan. 计划';
COMMENT ON COLUMN crm_bi.plan_stage_comparison.stage IS 'Place in the order. 批次';
COMMENT ON COLUMN crm_bi.plan_stage_comparison.name IS 'Name. 名称';
COMMENT ON COLUMN crm_bi.plan_stage_comparison.started_on IS 'First day on which it was carried out. 启动日';
COMMENT ON COLUMN crm_bi.plan_stage_comparison.days IS 'Days from the start that both stages have gone through: later contacts and purchases count in neither. 同期天数';
COMMENT ON COLUMN crm_bi.plan_stage_comparison.allocated IS 'Customers allocated. 已分配客户数';
COMMENT ON COLUMN crm_bi.plan_stage_comparison.contacted IS 'Of those contacted within those days. 已接触客户数';
COMMENT ON COLUMN crm_bi.plan_stage_comparison.purchases IS 'Customers who bought within those days. 购买客户数';
COMMENT ON COLUMN crm_bi.plan_stage_comparison.purchase_rate IS 'purchases / allocated. 购买率';
COMMENT ON COLUMN crm_bi.plan_stage_comparison.purchase_rate_low IS 'Its lower bound at 95 %. 购买率下限';
COMMENT ON COLUMN crm_bi.plan_stage_comparison.purchase_rate_high IS 'Its upper bound. 购买率上限';
COMMENT ON COLUMN crm_bi.plan_stage_comparison.first_stage IS 'The first stage. 首批次';
COMMENT ON COLUMN crm_bi.plan_stage_comparison.first_allocated IS 'Its customers allocated. 首批已分配客户数';
COMMENT ON COLUMN crm_bi.plan_stage_comparison.first_purchases IS 'Its customers who bought within as many days. 首批同期购买客户数';
COMMENT ON COLUMN crm_bi.plan_stage_comparison.first_purchase_rate IS 'first_purchases / first_allocated. 首批同期购买率';
COMMENT ON COLUMN crm_bi.plan_stage_comparison.difference IS 'purchase_rate - first_purchase_rate; NULL: the first stage itself. 与首批差异';
COMMENT ON COLUMN crm_bi.plan_stage_comparison.difference_low IS 'Its lower bound at 95 %, by Newcombe. 差异下限';
COMMENT ON COLUMN crm_bi.plan_stage_comparison.difference_high IS 'Its upper bound. 差异上限';

CREATE VIEW crm_bi.plan_uplift AS
WITH x AS (
  SELECT a.plan_id, g.dimension, g.member, pg_catalog.min(a.started_on) AS started_on, pg_catalog.max(a.until) AS until, pg_catalog.bool_and(a.is_over) AS is_over,
         pg_catalog.count(*) FILTER (WHERE a.arm = 'treated') AS treated, pg_catalog.count(*) FILTER (WHERE a.arm = 'treated' AND a.bought) AS treated_bought,
         pg_catalog.count(*) FILTER (WHERE a.arm = 'hold_out') AS held_out, pg_catalog.count(*) FILTER (WHERE a.arm = 'hold_out' AND a.bought) AS held_out_bought,
         pg_catalog.count(*) FILTER (WHERE a.was_held) AS held_out_but_held,
         pg_catalog.avg(a.premium) FILTER (WHERE a.arm = 'treated') AS treated_premium, pg_catalog.var_samp(a.premium) FILTER (WHERE a.arm = 'treated') AS treated_variance,
         pg_catalog.avg(a.premium) FILTER (WHERE a.arm = 'hold_out') AS held_out_premium, pg_catalog.var_samp(a.premium) FILTER (WHERE a.arm = 'hold_out') AS held_out_variance
  FROM crm._plan_arm a
  JOIN crm.channel h ON h.id = a.channel_id
  CROSS JOIN LATERAL (VALUES ('plan', a.plan_id::text), ('stage', a.stage::text), ('channel', h.code), ('proposal', a.proposal_id::text), ('coverage', a.coverage), ('tier', a.tier)) g (dimension, member)
  WHERE g.member IS NOT NULL
  GROUP BY a.plan_id, g.dimension, g.member),
lost AS (
  SELECT c.plan_id, g.dimension, g.member, pg_catalog.sum(c.held_out_merged) AS customers
  FROM crm.plan_customer c
  JOIN crm.plan_line l ON l.plan_id = c.plan_id AND l.line = c.line
  JOIN crm.channel h ON h.id = l.channel_id
  CROSS JOIN LATERAL (VALUES ('plan', c.plan_id::text), ('stage', l.stage::text), ('channel', h.code), ('proposal', l.proposal_id::text), ('coverage', c.coverage), ('tier', c.tier)) g (dimension, member)
  WHERE c.held_out_merged > 0
  GROUP BY c.plan_id, g.dimension, g.member)
SELECT pg_catalog.concat_ws('/', x.plan_id, x.dimension, x.member) AS plan_uplift_key, x.plan_id, x.dimension, x.member, x.started_on, x.until, x.is_over, x.treated, x.treated_bought,
       pg_catalog.round(u.treated_rate::numeric, 6) AS treated_rate, x.held_out, x.held_out_bought, pg_catalog.round(u.control_rate::numeric, 6) AS held_out_rate, x.held_out_but_held,
       coalesce(z.customers, 0)::bigint AS held_out_merged, pg_catalog.round(u.uplift::numeric, 6) AS uplift, pg_catalog.round(u.lower::numeric, 6) AS uplift_low, pg_catalog.round(u.upper::numeric, 6) AS uplift_high,
       pg_catalog.round((u.uplift * x.treated)::numeric, 2) AS extra_purchases, pg_catalog.round(x.treated_premium, 2) AS treated_premium, pg_catalog.round(x.held_out_premium, 2) AS held_out_premium,
       pg_catalog.round(m.uplift::numeric, 2) AS premium_uplift, CASE WHEN least(x.treated_bought, x.held_out_bought) >= 5 THEN pg_catalog.round(m.lower::numeric, 2) END AS premium_uplift_low,
       CASE WHEN least(x.treated_bought, x.held_out_bought) >= 5 THEN pg_catalog.round(m.upper::numeric, 2) END AS premium_uplift_high,
       pg_catalog.round((m.uplift * x.treated)::numeric, 2) AS extra_premium
FROM x
LEFT JOIN lost z ON z.plan_id = x.plan_id AND z.dimension = x.dimension AND z.member = x.member
CROSS JOIN LATERAL crm.uplift(x.treated_bought, x.treated, x.held_out_bought, x.held_out) u
CROSS JOIN LATERAL crm.mean_uplift(x.treated_premium::double precision, x.treated_variance::double precision, x.treated, x.held_out_premium::double precision,
                                   x.held_out_variance::double precision, x.held_out) m;
COMMENT ON VIEW crm_bi.plan_uplift IS 'What plans brought beside those they held out, as drawn whatever became of them, up to crm.today(): one row for each plan, dimension and member of it. 提升效果';
COMMENT ON COLUMN crm_bi.plan_uplift.plan_uplift_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.plan_uplift.plan_id IS 'Plan. 计划';
COMMENT ON COLUMN crm_bi.plan_uplift.dimension IS 'plan 计划, stage 批次, channel 渠道, proposal 方案, coverage 新老客户 or tier 等级: rows of one add up.';
COMMENT ON COLUMN crm_bi.plan_uplift.member IS 'Which plan, stage, channel, proposal, coverage or tier. 成员';
COMMENT ON COLUMN crm_bi.plan_uplift.started_on IS 'First day of the window. 起始日';
COMMENT ON COLUMN crm_bi.plan_uplift.until IS 'Last day of it so far. 截止日';
COMMENT ON COLUMN crm_bi.plan_uplift.is_over IS 'Whether the window of all of them is over, its last day included. 是否结束';
COMMENT ON COLUMN crm_bi.plan_uplift.treated IS 'Customers drawn to be treated, allocated or not. 实验组客户数';
COMMENT ON COLUMN crm_bi.plan_uplift.treated_bought IS 'Of those who bought in the window. 实验组购买客户数';
COMMENT ON COLUMN crm_bi.plan_uplift.treated_rate IS 'treated_bought / treated. 实验组购买率';
COMMENT ON COLUMN crm_bi.plan_uplift.held_out IS 'Customers held out. 对照组客户数';
COMMENT ON COLUMN crm_bi.plan_uplift.held_out_bought IS 'Of those who bought in the window. 对照组购买客户数';
COMMENT ON COLUMN crm_bi.plan_uplift.held_out_rate IS 'held_out_bought / held_out. 对照组购买率';
COMMENT ON COLUMN crm_bi.plan_uplift.held_out_but_held IS 'Held out, and held by somebody all the same: they stay where they were drawn, which makes the uplift too small. 对照组中被持有数';
COMMENT ON COLUMN crm_bi.plan_uplift.held_out_merged IS 'Held out once, and counted there no more: merged into a customer who was not, whose stage, channel, proposal and class are meant. Many of them make the groups unlike. 对照组中被合并数';
COMMENT ON COLUMN crm_bi.plan_uplift.uplift IS 'treated_rate - held_out_rate. 购买率提升';
COMMENT ON COLUMN crm_bi.plan_uplift.uplift_low IS 'Its lower bound at 95 %, by Newcombe. 提升下限';
COMMENT ON COLUMN crm_bi.plan_uplift.uplift_high IS 'Its upper bound. 提升上限';
COMMENT ON COLUMN crm_bi.plan_uplift.extra_purchases IS 'uplift times treated: customers who bought because of the plan. 增量购买客户数';
COMMENT ON COLUMN crm_bi.plan_uplift.treated_premium IS 'Annual premium bought per customer treated. 实验组户均保费';
COMMENT ON COLUMN crm_bi.plan_uplift.held_out_premium IS 'Per customer held out. 对照组户均保费';
COMMENT ON COLUMN crm_bi.plan_uplift.premium_uplift IS 'Their difference. 户均保费提升';
COMMENT ON COLUMN crm_bi.plan_uplift.premium_uplift_low IS 'Its lower bound at 95 %, by Welch; NULL: fewer than 5 of a group bought, too few to tell. 户均保费提升下限';
COMMENT ON COLUMN crm_bi.plan_uplift.premium_uplift_high IS 'Its upper bound. 户均保费提升上限';
COMMENT ON COLUMN crm_bi.plan_uplift.extra_premium IS 'premium_uplift times treated. 增量保费';

CREATE VIEW crm_bi.feedback AS
SELECT f.customer_id::text || '/' || f.id AS feedback_key, f.customer_id, f.plan_id, f.staff_id, f.result, r.name AS result_name, r.name_zh AS result_name_zh, r.contacted, f.next_on, f.note,
       f.given_at, f.given_by, NOT EXISTS (SELECT FROM crm.feedback l WHERE l.customer_id = f.customer_id AND l.plan_id = f.plan_id AND (l.given_at, l.id) > (f.given_at, f.id)) AS is_latest
FROM crm.feedback f JOIN crm.feedback_result r ON r.code = f.result;
COMMENT ON VIEW crm_bi.feedback IS 'Feedback of holders on customers of plans: one row each. 客户反馈';
COMMENT ON COLUMN crm_bi.feedback.feedback_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.feedback.customer_id IS 'Customer. 客户';
COMMENT ON COLUMN crm_bi.feedback.plan_id IS 'Plan. 计划';
COMMENT ON COLUMN crm_bi.feedback.staff_id IS 'Who gave it. 反馈人员';
COMMENT ON COLUMN crm_bi.feedback.result IS 'Code. 结果代码';
COMMENT ON COLUMN crm_bi.feedback.result_name IS 'Name in English. 英文名称';
COMMENT ON COLUMN crm_bi.feedback.result_name_zh IS 'Name in Chinese. 中文名称';
COMMENT ON COLUMN crm_bi.feedback.contacted IS 'Whether the customer was spoken to. 是否接触';
COMMENT ON COLUMN crm_bi.feedback.next_on IS 'Day of the next step. 下一步日期';
COMMENT ON COLUMN crm_bi.feedback.note IS 'Remark. 说明';
COMMENT ON COLUMN crm_bi.feedback.given_at IS 'When. 反馈时间';
COMMENT ON COLUMN crm_bi.feedback.given_by IS 'Who recorded it. 记录人';
COMMENT ON COLUMN crm_bi.feedback.is_latest IS 'The latest of the customer in the plan, which counts. 是否最新';

CREATE VIEW crm_bi.channel_history AS
WITH h AS MATERIALIZED (SELECT * FROM crm.allocation_history(crm.today())),
w AS (SELECT greatest(crm.setting_value('history_sample', crm.today())::numeric, 0) AS weight),
g AS (
  SELECT h.channel_id, h.coverage, h.tier, pg_catalog.sum(h.allocated) AS allocated, pg_catalog.sum(h.purchased) AS purchased, pg_catalog.sum(h.purchased) / pg_catalog.sum(h.allocated) AS rate,
         pg_catalog.sum(h.capped_premium) / nullif(pg_catalog.sum(h.purchased), 0) AS each,
         (pg_catalog.sum(h.premium) - pg_catalog.sum(h.capped_premium)) / nullif(pg_catalog.sum(h.purchased), 0) AS load, pg_catalog.sum(h.cost) / pg_catalog.sum(h.allocated) AS cost
  FROM h GROUP BY GROUPING SETS ((h.channel_id, h.coverage, h.tier), (h.channel_id), ()) HAVING pg_catalog.count(*) > 0),
c AS (
  SELECT n.channel_id, crm.credible(n.rate, n.allocated, a.rate, w.weight) AS rate, crm.credible(n.each, n.purchased, a.each, w.weight) AS each, crm.credible(n.cost, n.allocated, a.cost, w.weight) AS cost
  FROM g n CROSS JOIN w JOIN g a ON a.channel_id IS NULL WHERE n.channel_id IS NOT NULL AND n.coverage IS NULL),
e AS (
  SELECT n.channel_id, n.coverage, n.tier, crm.credible(n.rate, n.allocated, c.rate, w.weight) AS rate, coalesce(crm.credible(n.each, n.purchased, c.each, w.weight), 0) + coalesce(a.load, 0) AS each,
         crm.credible(n.cost, n.allocated, c.cost, w.weight) AS cost
  FROM g n CROSS JOIN w JOIN c ON c.channel_id = n.channel_id JOIN g a ON a.channel_id IS NULL WHERE n.coverage IS NOT NULL)
SELECT pg_catalog.concat_ws('/', k.code, h.coverage, h.tier) AS channel_history_key, h.coverage, h.tier, k.code AS channel, h.allocated, h.contacted, h.purchased,
       pg_catalog.round(h.purchased::numeric / h.allocated, 6) AS purchase_rate, pg_catalog.round(i.lower::numeric, 6) AS purchase_rate_low, pg_catalog.round(i.upper::numeric, 6) AS purchase_rate_high,
       pg_catalog.round(h.premium, 2) AS premium, pg_catalog.round(h.premium / h.allocated, 2) AS premium_per_allocated, h.premium_low AS premium_per_allocated_low, h.premium_high AS premium_per_allocated_high,
       h.cost, pg_catalog.round(h.cost / h.allocated, 2) AS cost_per_allocated, h.cost_low AS cost_per_allocated_low, h.cost_high AS cost_per_allocated_high,
       pg_catalog.round(h.cost / nullif(h.purchased, 0), 2) AS cost_per_purchase, pg_catalog.round(h.days, 2) AS days, h.days_low, h.days_high, h.median_days,
       pg_catalog.round(e.rate, 6) AS expected_purchases, pg_catalog.round(e.rate * e.each, 2) AS expected_premium, pg_catalog.round(e.cost, 2) AS expected_cost,
       pg_catalog.round(e.rate * e.each - e.cost, 2) AS expected_net,
       pg_catalog.row_number() OVER (PARTITION BY h.coverage, h.tier ORDER BY e.rate * e.each - e.cost DESC, k.id) AS place
FROM h
JOIN crm.channel k ON k.id = h.channel_id
JOIN e ON e.channel_id = h.channel_id AND e.coverage = h.coverage AND e.tier = h.tier
CROSS JOIN LATERAL crm.rate_interval(h.purchased, h.allocated) i;
COMMENT ON VIEW crm_bi.channel_history IS 'Past of channels by class of customers, up to crm.today(): result, cost and length of the sales cycle of what was held, each holding followed for the setting history_days from its beginning; one row for each channel, coverage and tier. 渠道历史效果';
COMMENT ON COLUMN crm_bi.channel_history.channel_history_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.channel_history.coverage IS 'prospect, insured or former, at the start of the holding. 新老客户分类';
COMMENT ON COLUMN crm_bi.channel_history.tier IS 'Tier then. 等级';
COMMENT ON COLUMN crm_bi.channel_history.channel IS 'Channel. 渠道';
COMMENT ON COLUMN crm_bi.channel_history.allocated IS 'Sample: holdings that began in the setting history_months and at least the setting history_days ago. 样本数';
COMMENT ON COLUMN crm_bi.channel_history.contacted IS 'Of those contacted by the holder. 接触数';
COMMENT ON COLUMN crm_bi.channel_history.purchased IS 'Of those in which the customer bought. 购买数';
COMMENT ON COLUMN crm_bi.channel_history.purchase_rate IS 'purchased / allocated. 购买率';
COMMENT ON COLUMN crm_bi.channel_history.purchase_rate_low IS 'Its lower bound at 95 %. 购买率下限';
COMMENT ON COLUMN crm_bi.channel_history.purchase_rate_high IS 'Its upper bound. 购买率上限';
COMMENT ON COLUMN crm_bi.channel_history.premium IS 'Annual premium of what was bought. 年化保费';
COMMENT ON COLUMN crm_bi.channel_history.premium_per_allocated IS 'premium / allocated. 户均保费';
COMMENT ON COLUMN crm_bi.channel_history.premium_per_allocated_low IS 'Its lower bound at 95 %, by Student; NULL: fewer than 5 bought, too few to tell, or all the same. 户均保费下限';
COMMENT ON COLUMN crm_bi.channel_history.premium_per_allocated_high IS 'Its upper bound. 户均保费上限';
COMMENT ON COLUMN crm_bi.channel_history.cost IS 'Selling cost and commissions. 费用';
COMMENT ON COLUMN crm_bi.channel_history.cost_per_allocated IS 'cost / allocated. 户均费用';
COMMENT ON COLUMN crm_bi.channel_history.cost_per_allocated_low IS 'Its lower bound at 95 %, by Student; NULL: fewer than 5 had any cost, or all the same. 户均费用下限';
COMMENT ON COLUMN crm_bi.channel_history.cost_per_allocated_high IS 'Its upper bound. 户均费用上限';
COMMENT ON COLUMN crm_bi.channel_history.cost_per_purchase IS 'cost / purchased. 单均费用';
COMMENT ON COLUMN crm_bi.channel_history.days IS 'Days from the first contact by the channel, or else the start, to the first purchase, on average. 平均销售周期';
COMMENT ON COLUMN crm_bi.channel_history.days_low IS 'Its lower bound at 95 %, by Student, from the sample of purchased; NULL: fewer than 5 bought, or all the same. 销售周期下限';
COMMENT ON COLUMN crm_bi.channel_history.days_high IS 'Its upper bound. 销售周期上限';
COMMENT ON COLUMN crm_bi.channel_history.median_days IS 'Their median. 销售周期中位数';
COMMENT ON COLUMN crm_bi.channel_history.expected_purchases IS 'Purchases per customer to be expected, the sample credited beside the whole channel and the company, as plans do. 预期购买率';
COMMENT ON COLUMN crm_bi.channel_history.expected_premium IS 'Annual premium per customer to be expected. 预期户均保费';
COMMENT ON COLUMN crm_bi.channel_history.expected_cost IS 'Cost per customer to be expected. 预期户均费用';
COMMENT ON COLUMN crm_bi.channel_history.expected_net IS 'expected_premium - expected_cost. 预期户均净收益';
COMMENT ON COLUMN crm_bi.channel_history.place IS 'Place of the channel in the class by expected_net, 1 the best. 类别内名次';
