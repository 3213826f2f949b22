-- bi: tiers and benefits, made by and belonging to crm_bi_owner

CREATE VIEW crm_bi.tier_change AS
SELECT c.month || '/' || coalesce(c.from_org_id, 0) || '/' || c.org_id || '/' || coalesce(ho.code, '') || '/' || hn.code || '/' || c.kind || '/' || tf.label || '/' || tt.label AS tier_change_key,
       c.month, c.from_org_id, c.org_id, ho.code AS from_channel, hn.code AS channel, c.kind, tf.label AS from_tier, tt.label AS to_tier,
       crm._direction(tf.place, tt.place, false) AS direction, c.customers, pg_catalog.round(c.from_amount / 100.0, 2) AS from_amount, pg_catalog.round(c.to_amount / 100.0, 2) AS to_amount
FROM (SELECT m.month, m.from_org_id, m.org_id, m.from_channel_id, m.channel_id, CASE WHEN m.company THEN 'company' ELSE 'person' END AS kind, m.from_tier, m.tier,
             pg_catalog.count(*) AS customers, pg_catalog.sum(m.from_amount) AS from_amount, pg_catalog.sum(m.amount) AS to_amount
      FROM crm._month_step m WHERE m.tier <> m.from_tier
      GROUP BY m.month, m.from_org_id, m.org_id, m.from_channel_id, m.channel_id, m.company, m.from_tier, m.tier) c
JOIN crm._tier tf ON tf.id = c.from_tier
JOIN crm._tier tt ON tt.id = c.tier
LEFT JOIN crm.channel ho ON ho.id = c.from_channel_id
JOIN crm.channel hn ON hn.id = c.channel_id
WHERE crm_bi._slot() IS NOT NULL;
COMMENT ON VIEW crm_bi.tier_change IS 'Upgrades and downgrades month by month: customers whose tier at the end of a month is not that of its beginning, today for the open month. 等级升降';
COMMENT ON COLUMN crm_bi.tier_change.tier_change_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.tier_change.month IS 'First day of the month. 月份';
COMMENT ON COLUMN crm_bi.tier_change.from_org_id IS 'Unit at the beginning; NULL: not known then. 期初机构';
COMMENT ON COLUMN crm_bi.tier_change.org_id IS 'Unit at the end. 期末机构';
COMMENT ON COLUMN crm_bi.tier_change.from_channel IS 'Main channel at the beginning. 期初渠道';
COMMENT ON COLUMN crm_bi.tier_change.channel IS 'Main channel at the end. 期末渠道';
COMMENT ON COLUMN crm_bi.tier_change.kind IS 'person or company. 个人或法人';
COMMENT ON COLUMN crm_bi.tier_change.from_tier IS 'Tier at the beginning, or none. 期初等级';
COMMENT ON COLUMN crm_bi.tier_change.to_tier IS 'Tier at the end, or none. 期末等级';
COMMENT ON COLUMN crm_bi.tier_change.direction IS 'up, down, entered or left (from or to none), or other where the scale of today does not order the two. 升降';
COMMENT ON COLUMN crm_bi.tier_change.customers IS 'How many. 客户数';
COMMENT ON COLUMN crm_bi.tier_change.from_amount IS 'Their amount at the beginning. 期初金额';
COMMENT ON COLUMN crm_bi.tier_change.to_amount IS 'Their amount at the end. 期末金额';

CREATE VIEW crm_bi.tier_month AS
WITH step AS (
  SELECT x.org_id, x.channel_id, x.kind, x.tier, x.month, pg_catalog.sum(x.n) AS customers, pg_catalog.sum(x.amount) AS amount
  FROM (SELECT m.month, m.org_id, m.channel_id, CASE WHEN m.company THEN 'company' ELSE 'person' END AS kind, m.tier, 1 AS n, m.amount
        FROM crm._month_step m WHERE m.tier > 0
        UNION ALL
        SELECT m.month, m.from_org_id, m.from_channel_id, CASE WHEN m.company THEN 'company' ELSE 'person' END, m.from_tier, -1, -m.from_amount
        FROM crm._month_step m WHERE m.from_tier > 0) x
  GROUP BY x.org_id, x.channel_id, x.kind, x.tier, x.month),
level AS (
  SELECT s.org_id, s.channel_id, s.kind, s.tier, s.month,
         pg_catalog.lead(s.month, 1, (pg_catalog.date_trunc('month', d.today::timestamp) + interval '1 month')::date) OVER (PARTITION BY s.org_id, s.channel_id, s.kind, s.tier ORDER BY s.month) AS until,
         pg_catalog.sum(s.customers) OVER (PARTITION BY s.org_id, s.channel_id, s.kind, s.tier ORDER BY s.month) AS customers,
         pg_catalog.sum(s.amount) OVER (PARTITION BY s.org_id, s.channel_id, s.kind, s.tier ORDER BY s.month) AS amount
  FROM step s CROSS JOIN (SELECT crm.today() AS today OFFSET 0) d)
SELECT p.period_start || '/' || l.org_id || '/' || h.code || '/' || l.kind || '/' || t.label AS tier_month_key,
       p.period_start AS month, l.org_id, h.code AS channel, l.kind, t.label AS tier, l.customers::bigint AS customers, pg_catalog.round(l.amount / 100.0, 2) AS amount
FROM level l
JOIN crm.period p ON p.grain = 1 AND p.period_start >= l.month AND p.period_start < l.until
JOIN crm._tier t ON t.id = l.tier
JOIN crm.channel h ON h.id = l.channel_id
WHERE l.customers > 0 AND crm_bi._slot() IS NOT NULL;
COMMENT ON VIEW crm_bi.tier_month IS 'Customers of each tier at the end of each month, today for the open one, by unit itself: units add up. 各月等级客户';
COMMENT ON COLUMN crm_bi.tier_month.tier_month_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.tier_month.month IS 'First day of the month. 月份';
COMMENT ON COLUMN crm_bi.tier_month.org_id IS 'Unit. 机构';
COMMENT ON COLUMN crm_bi.tier_month.channel IS 'Main channel. 渠道';
COMMENT ON COLUMN crm_bi.tier_month.kind IS 'person or company. 个人或法人';
COMMENT ON COLUMN crm_bi.tier_month.tier IS 'Tier. 等级';
COMMENT ON COLUMN crm_bi.tier_month.customers IS 'Customers. 客户数';
COMMENT ON COLUMN crm_bi.tier_month.amount IS 'The amount their tier rests on. 金额';

CREATE VIEW crm_bi.next_tier AS
SELECT x.customer_id, x.org_id, h.code AS channel, CASE WHEN x.company THEN 'company' ELSE 'person' END AS kind, t.label AS tier, pg_catalog.round(x.amount / 100.0, 2) AS amount,
       n.label AS next_tier, pg_catalog.round(x.next_amount / 100.0, 2) AS next_amount, pg_catalog.round((x.next_amount - x.amount) / 100.0, 2) AS gap,
       x.amount::numeric / nullif(x.next_amount, 0) AS reached
FROM crm._next_tier x
JOIN crm.class t ON t.id = x.tier
JOIN crm.class n ON n.id = x.next_tier
JOIN crm.channel h ON h.id = x.channel_id
WHERE crm_bi._slot() IS NOT NULL;
COMMENT ON VIEW crm_bi.next_tier IS 'How far insured customers are from the next tier today: one row for each below the highest. 距下一等级';
COMMENT ON COLUMN crm_bi.next_tier.customer_id IS 'Key. 客户';
COMMENT ON COLUMN crm_bi.next_tier.org_id IS 'Home organisation. 归属机构';
COMMENT ON COLUMN crm_bi.next_tier.channel IS 'Main channel. 渠道';
COMMENT ON COLUMN crm_bi.next_tier.kind IS 'person or company. 个人或法人';
COMMENT ON COLUMN crm_bi.next_tier.tier IS 'Tier. 等级';
COMMENT ON COLUMN crm_bi.next_tier.amount IS 'The amount it rests on. 金额';
COMMENT ON COLUMN crm_bi.next_tier.next_tier IS 'The next tier above. 下一等级';
COMMENT ON COLUMN crm_bi.next_tier.next_amount IS 'Least amount of that tier. 下一等级起点金额';
COMMENT ON COLUMN crm_bi.next_tier.gap IS 'What is lacking. 差额';
COMMENT ON COLUMN crm_bi.next_tier.reached IS 'amount / next_amount; within 10 % below: at least 0.9. 达成比例';

CREATE VIEW crm_bi.benefit AS
SELECT b.code AS benefit, b.name, b.name_zh, b.description, p.name AS partner, b.from_date, b.to_date
FROM crm.benefit b LEFT JOIN crm.partner p ON p.id = b.partner_id;
COMMENT ON VIEW crm_bi.benefit IS 'Benefits: one row each. 增值服务';
COMMENT ON COLUMN crm_bi.benefit.benefit IS 'Code. 权益代码';
COMMENT ON COLUMN crm_bi.benefit.name IS 'Name in English. 英文名';
COMMENT ON COLUMN crm_bi.benefit.name_zh IS 'Name in Chinese. 中文名';
COMMENT ON COLUMN crm_bi.benefit.description IS 'What it is. 说明';
COMMENT ON COLUMN crm_bi.benefit.partner IS 'Partner who gives it; NULL: the company. 合作方';
COMMENT ON COLUMN crm_bi.benefit.from_date IS 'First day. 起始日';
COMMENT ON COLUMN crm_bi.benefit.to_date IS 'First day no longer; NULL: none set. 终止日';

CREATE VIEW crm_bi.benefit_rule AS
SELECT r.id AS benefit_rule_id, r.benefit, r.tier, r.org_id, h.code AS channel, r.valid_from,
       pg_catalog.lead(r.valid_from) OVER (PARTITION BY r.benefit, r.tier, r.org_id, r.channel_id ORDER BY r.valid_from) AS valid_to, r.quantity, r.period, r.set_at, r.set_by
FROM crm.benefit_rule r LEFT JOIN crm.channel h ON h.id = r.channel_id;
COMMENT ON VIEW crm_bi.benefit_rule IS 'Who is entitled to how much, over time. 权益规则';
COMMENT ON COLUMN crm_bi.benefit_rule.benefit_rule_id IS 'Key. 主键';
COMMENT ON COLUMN crm_bi.benefit_rule.benefit IS 'Benefit. 权益';
COMMENT ON COLUMN crm_bi.benefit_rule.tier IS 'Tier, or none; NULL: every tier. 等级';
COMMENT ON COLUMN crm_bi.benefit_rule.org_id IS 'Unit with its subtree; NULL: everywhere. 机构';
COMMENT ON COLUMN crm_bi.benefit_rule.channel IS 'Main channel; NULL: every channel. 渠道';
COMMENT ON COLUMN crm_bi.benefit_rule.valid_from IS 'First day. 起始日';
COMMENT ON COLUMN crm_bi.benefit_rule.valid_to IS 'First day no longer; NULL: none set. 终止日';
COMMENT ON COLUMN crm_bi.benefit_rule.quantity IS 'How many in a period; 0: not entitled, NULL: without limit. 次数';
COMMENT ON COLUMN crm_bi.benefit_rule.period IS 'day, month, quarter, year or ever. 周期';
COMMENT ON COLUMN crm_bi.benefit_rule.set_at IS 'When it was set. 设定时间';
COMMENT ON COLUMN crm_bi.benefit_rule.set_by IS 'By whom. 设定人';

CREATE VIEW crm_bi.entitlement AS
SELECT e.customer_id || '/' || e.benefit AS entitlement_key, e.customer_id, e.org_id, h.code AS channel, CASE WHEN e.company THEN 'company' ELSE 'person' END AS kind,
       coalesce(t.label, 'none') AS tier, e.benefit, e.quantity, e.period, nullif(e.period_start, '-infinity') AS period_start, nullif(e.period_end, 'infinity') AS period_end,
       coalesce(u.used, 0) AS used, e.quantity - coalesce(u.used, 0) AS remaining
FROM crm._entitlement e
JOIN crm.channel h ON h.id = e.channel_id
LEFT JOIN crm.class t ON t.id = e.tier
LEFT JOIN LATERAL (
  SELECT pg_catalog.sum(x.quantity) AS used FROM crm.benefit_use x
  WHERE x.customer_id = e.customer_id AND x.benefit = e.benefit AND x.reversed_at IS NULL AND x.used_on >= e.period_start AND x.used_on < e.period_end) u ON true
WHERE crm_bi._slot() IS NOT NULL;
COMMENT ON VIEW crm_bi.entitlement IS 'What customers are entitled to today, and what they have used of it: one row for each customer and benefit. 客户权益';
COMMENT ON COLUMN crm_bi.entitlement.entitlement_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.entitlement.customer_id IS 'Customer. 客户';
COMMENT ON COLUMN crm_bi.entitlement.org_id IS 'Home organisation. 归属机构';
COMMENT ON COLUMN crm_bi.entitlement.channel IS 'Main channel. 渠道';
COMMENT ON COLUMN crm_bi.entitlement.kind IS 'person or company. 个人或法人';
COMMENT ON COLUMN crm_bi.entitlement.tier IS 'Tier today, or none. 等级';
COMMENT ON COLUMN crm_bi.entitlement.benefit IS 'Benefit. 权益';
COMMENT ON COLUMN crm_bi.entitlement.quantity IS 'How many in the period; NULL: without limit. 次数';
COMMENT ON COLUMN crm_bi.entitlement.period IS 'day, month, quarter, year or ever. 周期';
COMMENT ON COLUMN crm_bi.entitlement.period_start IS 'First day of the period; NULL: ever. 周期起始';
COMMENT ON COLUMN crm_bi.entitlement.period_end IS 'First day no longer; NULL: ever. 周期终止';
COMMENT ON COLUMN crm_bi.entitlement.used IS 'Used in the period. 已使用';
COMMENT ON COLUMN crm_bi.entitlement.remaining IS 'Left; below 0 where the entitlement sank since; NULL: without limit. 剩余';

CREATE VIEW crm_bi.benefit_use AS
SELECT u.customer_id || '/' || u.id AS benefit_use_key, u.customer_id, u.benefit, u.used_on, u.used_at, u.quantity, u.tier, u.org_id, h.code AS channel, c.kind, u.staff_id,
       u.reversed_at IS NOT NULL AS is_reversed, u.reversed_at, u.reversed_by, u.reversal_reason, u.recorded_by
FROM crm.benefit_use u JOIN crm.channel h ON h.id = u.channel_id JOIN crm.customer c ON c.id = u.customer_id;
COMMENT ON VIEW crm_bi.benefit_use IS 'Benefits used, with tier, unit and channel at the time: one row each. 权益使用';
COMMENT ON COLUMN crm_bi.benefit_use.benefit_use_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.benefit_use.customer_id IS 'Customer. 客户';
COMMENT ON COLUMN crm_bi.benefit_use.benefit IS 'Benefit. 权益';
COMMENT ON COLUMN crm_bi.benefit_use.used_on IS 'Day of use. 使用日期';
COMMENT ON COLUMN crm_bi.benefit_use.used_at IS 'When it was used. 使用时间';
COMMENT ON COLUMN crm_bi.benefit_use.quantity IS 'How many. 次数';
COMMENT ON COLUMN crm_bi.benefit_use.tier IS 'Tier on that day, or none. 当时等级';
COMMENT ON COLUMN crm_bi.benefit_use.org_id IS 'Home organisation on that day. 当时机构';
COMMENT ON COLUMN crm_bi.benefit_use.channel IS 'Main channel on that day. 当时渠道';
COMMENT ON COLUMN crm_bi.benefit_use.kind IS 'person or company. 个人或法人';
COMMENT ON COLUMN crm_bi.benefit_use.staff_id IS 'Who gave it. 经办人';
COMMENT ON COLUMN crm_bi.benefit_use.is_reversed IS 'Whether it was reversed. 是否撤销';
COMMENT ON COLUMN crm_bi.benefit_use.reversed_at IS 'When it was reversed. 撤销时间';
COMMENT ON COLUMN crm_bi.benefit_use.reversed_by IS 'By whom. 撤销人';
COMMENT ON COLUMN crm_bi.benefit_use.reversal_reason IS 'Why. 撤销原因';
COMMENT ON COLUMN crm_bi.benefit_use.recorded_by IS 'Who recorded it. 记录人';

CREATE VIEW crm_bi.benefit_month AS
SELECT m.month || '/' || m.org_id || '/' || h.code || '/' || m.kind || '/' || m.tier || '/' || m.benefit AS benefit_month_key,
       m.month, m.org_id, h.code AS channel, m.kind, m.tier, m.benefit, m.uses, m.quantity, m.customers, m.reversed_uses, m.reversed_quantity
FROM (SELECT pg_catalog.date_trunc('month', u.used_on::timestamp)::date AS month, u.org_id, u.channel_id, c.kind, u.tier, u.benefit,
             pg_catalog.count(*) FILTER (WHERE u.reversed_at IS NULL) AS uses, coalesce(pg_catalog.sum(u.quantity) FILTER (WHERE u.reversed_at IS NULL), 0) AS quantity,
             pg_catalog.count(DISTINCT u.customer_id) FILTER (WHERE u.reversed_at IS NULL) AS customers,
             pg_catalog.count(*) FILTER (WHERE u.reversed_at IS NOT NULL) AS reversed_uses, coalesce(pg_catalog.sum(u.quantity) FILTER (WHERE u.reversed_at IS NOT NULL), 0) AS reversed_quantity
      FROM crm.benefit_use u JOIN crm.customer c ON c.id = u.customer_id
      GROUP BY 1, u.org_id, u.channel_id, c.kind, u.tier, u.benefit) m
JOIN crm.channel h ON h.id = m.channel_id;
COMMENT ON VIEW crm_bi.benefit_month IS 'Use of benefits by month, unit itself, channel, kind, tier and benefit: units add up. 权益使用统计';
COMMENT ON COLUMN crm_bi.benefit_month.benefit_month_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.benefit_month.month IS 'First day of the month. 月份';
COMMENT ON COLUMN crm_bi.benefit_month.org_id IS 'Unit. 机构';
COMMENT ON COLUMN crm_bi.benefit_month.channel IS 'Main channel. 渠道';
COMMENT ON COLUMN crm_bi.benefit_month.kind IS 'person or company. 个人或法人';
COMMENT ON COLUMN crm_bi.benefit_month.tier IS 'Tier at the time, or none. 当时等级';
COMMENT ON COLUMN crm_bi.benefit_month.benefit IS 'Benefit. 权益';
COMMENT ON COLUMN crm_bi.benefit_month.uses IS 'Uses that stand. 使用笔数';
COMMENT ON COLUMN crm_bi.benefit_month.quantity IS 'Their quantity. 使用次数';
COMMENT ON COLUMN crm_bi.benefit_month.customers IS 'Customers who used it; months and tiers do not add up. 使用客户数';
COMMENT ON COLUMN crm_bi.benefit_month.reversed_uses IS 'Uses reversed. 撤销笔数';
COMMENT ON COLUMN crm_bi.benefit_month.reversed_quantity IS 'Their quantity. 撤销次数';
