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
