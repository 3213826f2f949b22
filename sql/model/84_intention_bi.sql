-- bi: what customers intend beside what they own, and what a sale brings in its phases

CREATE VIEW crm_bi.customer_wealth AS
SELECT w.customer_id, p.asset_band AS stated_band, w.assets, w.balances, w.assets + w.balances AS known_assets, coalesce(p.asset_band, b.code) AS asset_band
FROM (
  SELECT x.customer_id, pg_catalog.sum(x.assets) AS assets, pg_catalog.sum(x.balances) AS balances
  FROM (
    SELECT a.customer_id, a.value AS assets, 0::numeric AS balances FROM crm.asset a
    WHERE a.value IS NOT NULL AND coalesce(a.owned_from <= (SELECT crm.today()), true) AND coalesce(a.owned_to > (SELECT crm.today()), true)
    UNION ALL
    SELECT l.customer_id, 0, l.balance
    FROM (SELECT DISTINCT ON (y.customer_id, y.holding_id) y.customer_id, y.holding_id, y.balance FROM crm.product_balance y
          WHERE y.from_date <= (SELECT crm.today()) ORDER BY y.customer_id, y.holding_id, y.from_date DESC) l
    JOIN crm.product_holding h ON h.customer_id = l.customer_id AND h.id = l.holding_id AND coalesce(h.closed_on > (SELECT crm.today()), true)
    JOIN crm.product_category c ON c.id = h.category_id AND c.nature = 'asset'
    UNION ALL
    SELECT f.customer_id, 0, 0 FROM crm.profile f WHERE f.asset_band IS NOT NULL) x
  GROUP BY x.customer_id) w
LEFT JOIN crm.profile p ON p.customer_id = w.customer_id
LEFT JOIN crm.profile_code b ON b.field = 'asset_band' AND w.assets + w.balances > 0 AND w.assets + w.balances >= b.from_amount
  AND coalesce(w.assets + w.balances < b.to_amount, true);
COMMENT ON VIEW crm_bi.customer_wealth IS 'What is known today of what customers own: one row for each with a stated band, an asset or a balance. 客户资产规模';
COMMENT ON COLUMN crm_bi.customer_wealth.customer_id IS 'Customer. 客户';
COMMENT ON COLUMN crm_bi.customer_wealth.stated_band IS 'Band of assets in the profile. 登记资产规模';
COMMENT ON COLUMN crm_bi.customer_wealth.assets IS 'Assets elsewhere, by their last value. 他处资产';
COMMENT ON COLUMN crm_bi.customer_wealth.balances IS 'Balances of open holdings that are assets. 本机构余额';
COMMENT ON COLUMN crm_bi.customer_wealth.known_assets IS 'Both together. 已知资产';
COMMENT ON COLUMN crm_bi.customer_wealth.asset_band IS 'The stated band, else that of the known assets; NULL where they are 0. 资产规模';

CREATE VIEW crm_bi.customer_intention AS
SELECT i.source || '/' || i.customer_id || '/' || i.id AS customer_intention_key, i.customer_id, c.org_id, i.source, i.intention, i.category_id, g.code AS category, g.name_zh AS category_zh, i.what,
       i.amount, i.wanted_by, i.noted_on, w.asset_band, x.name AS asset_band_name, x.name_zh AS asset_band_name_zh, x.position AS asset_band_order, w.known_assets
FROM (
  SELECT n.customer_id, n.id, n.kind AS source, 'stated' AS intention, n.category_id, n.what, n.amount, n.wanted_by, n.noted_on
  FROM crm.need n WHERE n.noted_on <= (SELECT crm.today()) AND coalesce(n.closed_on > (SELECT crm.today()), true)
  UNION ALL
  (SELECT DISTINCT ON (p.customer_id, p.category_id) p.customer_id, p.id, 'prospect', p.intention, p.category_id, NULL, NULL::numeric, NULL::date, p.entered_on
  FROM crm.prospect p WHERE p.entered_on <= (SELECT crm.today()) AND p.intention IS NOT NULL
  ORDER BY p.customer_id, p.category_id, p.entered_on DESC, p.id DESC)) i
JOIN crm_bi.customer c ON c.customer_id = i.customer_id
LEFT JOIN crm.product_category g ON g.id = i.category_id
LEFT JOIN crm_bi.customer_wealth w ON w.customer_id = i.customer_id
LEFT JOIN crm.profile_code x ON x.field = 'asset_band' AND x.code = w.asset_band;
COMMENT ON VIEW crm_bi.customer_intention IS 'What customers need, prefer or showed interest in, with their assets: one row for each open need and preference, and for the last intention of a prospect for a category. 客户意向与资产';
COMMENT ON COLUMN crm_bi.customer_intention.customer_intention_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.customer_intention.customer_id IS 'Customer. 客户';
COMMENT ON COLUMN crm_bi.customer_intention.org_id IS 'Unit of the customer. 机构';
COMMENT ON COLUMN crm_bi.customer_intention.source IS 'need 需求, preference 偏好 or prospect 准客户.';
COMMENT ON COLUMN crm_bi.customer_intention.intention IS 'stated 已表明; of prospects high 高, medium 中, low 低 or none 无.';
COMMENT ON COLUMN crm_bi.customer_intention.category_id IS 'Business or product it is about. 业务分类';
COMMENT ON COLUMN crm_bi.customer_intention.category IS 'Its code. 分类代码';
COMMENT ON COLUMN crm_bi.customer_intention.category_zh IS 'Its name in Chinese. 分类名称';
COMMENT ON COLUMN crm_bi.customer_intention.what IS 'In words. 内容';
COMMENT ON COLUMN crm_bi.customer_intention.amount IS 'Amount intended. 意向金额';
COMMENT ON COLUMN crm_bi.customer_intention.wanted_by IS 'Day by which. 期望日期';
COMMENT ON COLUMN crm_bi.customer_intention.noted_on IS 'Day on which it was heard. 登记日期';
COMMENT ON COLUMN crm_bi.customer_intention.asset_band IS 'Band of assets, stated or by what is known. 资产规模代码';
COMMENT ON COLUMN crm_bi.customer_intention.asset_band_name IS 'That in English. 资产规模英文';
COMMENT ON COLUMN crm_bi.customer_intention.asset_band_name_zh IS 'That in Chinese. 资产规模';
COMMENT ON COLUMN crm_bi.customer_intention.asset_band_order IS 'Order of the bands. 资产规模顺序';
COMMENT ON COLUMN crm_bi.customer_intention.known_assets IS 'Assets and balances known. 已知资产';

CREATE VIEW crm_bi.intention_by_assets AS
SELECT t.ancestor_id::text || '/' || i.source || '/' || i.intention || '/' || coalesce(i.category, '') || '/' || coalesce(i.asset_band, '') AS intention_by_assets_key,
       t.ancestor_id AS org_id, i.source, i.intention, i.category, i.asset_band, pg_catalog.min(i.asset_band_order) AS asset_band_order,
       pg_catalog.count(DISTINCT i.customer_id) AS customers, pg_catalog.count(*) AS intentions, coalesce(pg_catalog.sum(i.amount), 0) AS amount
FROM crm_bi.customer_intention i
JOIN crm.organisation_tree t ON t.descendant_id = i.org_id
GROUP BY t.ancestor_id, i.source, i.intention, i.category, i.asset_band;
COMMENT ON VIEW crm_bi.intention_by_assets IS 'How many customers intend what, by band of assets: one row for each unit with its subtree, source, intention, category and band. 意向与资产交叉统计';
COMMENT ON COLUMN crm_bi.intention_by_assets.intention_by_assets_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.intention_by_assets.org_id IS 'Unit, its subtree included. 机构';
COMMENT ON COLUMN crm_bi.intention_by_assets.source IS 'need, preference or prospect. 来源';
COMMENT ON COLUMN crm_bi.intention_by_assets.intention IS 'stated, high, medium, low or none. 意向';
COMMENT ON COLUMN crm_bi.intention_by_assets.category IS 'Code of the business or product; NULL: none named. 分类代码';
COMMENT ON COLUMN crm_bi.intention_by_assets.asset_band IS 'Band of assets; NULL: not known. 资产规模代码';
COMMENT ON COLUMN crm_bi.intention_by_assets.asset_band_order IS 'Order of the bands. 资产规模顺序';
COMMENT ON COLUMN crm_bi.intention_by_assets.customers IS 'Customers. 客户数';
COMMENT ON COLUMN crm_bi.intention_by_assets.intentions IS 'Rows of crm_bi.customer_intention. 意向数';
COMMENT ON COLUMN crm_bi.intention_by_assets.amount IS 'Amount intended. 意向金额';

-- Everything that a phase may count, by day, unit and category, is summed once.
CREATE VIEW crm_bi.sale_phase AS
WITH RECURSIVE below AS (
  SELECT DISTINCT p.category_id AS top_id, p.category_id AS id FROM crm.sale_phase p WHERE p.category_id IS NOT NULL
  UNION
  SELECT b.top_id, c.id FROM below b JOIN crm.product_category c ON c.parent_id = b.id),
span AS (
  SELECT pg_catalog.min(p.from_date) AS from_date, pg_catalog.max(p.to_date) AS to_date FROM crm.sale_phase p),
sold AS MATERIALIZED (
  SELECT v.day, v.category_id, c.org_id, pg_catalog.sum(v.premium) AS premium, pg_catalog.sum(v.amount) AS amount, pg_catalog.sum(v.balance) AS balance
  FROM (
    SELECT u.customer_id, u.issued_on AS day, r.category_id, p.premium, u.amount, 0::numeric AS balance
    FROM crm_bi.purchase u
    JOIN crm.policy p ON p.id = u.policy_id
    JOIN crm.product r ON r.id = p.product_id
    WHERE u.issued_on >= (SELECT s.from_date FROM span s) AND u.issued_on <= (SELECT s.to_date FROM span s)
    UNION ALL
    SELECT h.customer_id, h.opened_on, h.category_id, 0, 0, b.balance
    FROM crm.product_holding h
    CROSS JOIN LATERAL (SELECT x.balance FROM crm.product_balance x WHERE x.customer_id = h.customer_id AND x.holding_id = h.id ORDER BY x.from_date LIMIT 1) b
    WHERE h.opened_on >= (SELECT s.from_date FROM span s) AND h.opened_on <= (SELECT s.to_date FROM span s) AND h.opened_on <= (SELECT crm.today())) v
  JOIN crm_bi.customer c ON c.customer_id = v.customer_id
  GROUP BY v.day, v.category_id, c.org_id),
actual AS (
  SELECT p.campaign, p.phase, p.org_id, p.name, p.from_date, p.to_date, p.basis, p.category_id, p.target,
         coalesce((SELECT pg_catalog.sum(CASE p.basis WHEN 'premium' THEN s.premium WHEN 'amount' THEN s.amount ELSE s.balance END)
                   FROM sold s JOIN crm.organisation_tree t ON t.ancestor_id = p.org_id AND t.descendant_id = s.org_id
                   WHERE s.day >= p.from_date AND s.day <= p.to_date
                     AND (p.category_id IS NULL OR s.category_id IN (SELECT b.id FROM below b WHERE b.top_id = p.category_id))), 0) AS actual
  FROM crm.sale_phase p)
SELECT a.campaign || '/' || a.phase || '/' || a.org_id AS sale_phase_key, a.campaign, a.phase, a.name, a.org_id, a.from_date, a.to_date, a.basis, a.category_id,
       CASE WHEN d.today < a.from_date THEN 'ahead' WHEN d.today <= a.to_date THEN 'running' ELSE 'over' END AS state,
       a.target, pg_catalog.round(a.actual, 2) AS actual, pg_catalog.round(a.actual, 2) - a.target AS gap, a.actual / a.target AS of_target,
       a.actual / nullif(u.actual, 0) AS of_unit_above
FROM actual a
CROSS JOIN (SELECT crm.today() AS today OFFSET 0) d
LEFT JOIN crm.organisation o ON o.id = a.org_id
LEFT JOIN actual u ON u.campaign = a.campaign AND u.phase = a.phase AND u.org_id = o.parent_id;
COMMENT ON VIEW crm_bi.sale_phase IS 'Targets of sales and what was sold up to today: one row for each campaign, phase and unit. 阶段目标完成情况';
COMMENT ON COLUMN crm_bi.sale_phase.sale_phase_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.sale_phase.campaign IS 'Code of the campaign. 营销活动';
COMMENT ON COLUMN crm_bi.sale_phase.phase IS 'Which phase. 阶段';
COMMENT ON COLUMN crm_bi.sale_phase.name IS 'Name of the phase. 阶段名称';
COMMENT ON COLUMN crm_bi.sale_phase.org_id IS 'Unit, its subtree included. 机构';
COMMENT ON COLUMN crm_bi.sale_phase.from_date IS 'First day. 起始日';
COMMENT ON COLUMN crm_bi.sale_phase.to_date IS 'Last day. 终止日';
COMMENT ON COLUMN crm_bi.sale_phase.basis IS 'premium or amount of policies issued, or balance of holdings opened. 口径';
COMMENT ON COLUMN crm_bi.sale_phase.category_id IS 'Only products of this category and below. 业务分类';
COMMENT ON COLUMN crm_bi.sale_phase.state IS 'ahead 未开始, running 进行中 or over 已结束.';
COMMENT ON COLUMN crm_bi.sale_phase.target IS 'Target. 目标';
COMMENT ON COLUMN crm_bi.sale_phase.actual IS 'Sold up to today. 实际';
COMMENT ON COLUMN crm_bi.sale_phase.gap IS 'actual - target. 差额';
COMMENT ON COLUMN crm_bi.sale_phase.of_target IS 'actual / target. 完成率';
COMMENT ON COLUMN crm_bi.sale_phase.of_unit_above IS 'actual / that of the unit right above in the same phase, where it has a target. 占上级比重';

CREATE VIEW crm_bi.product_balance AS
SELECT b.customer_id::text || '/' || b.holding_id || '/' || b.from_date AS product_balance_key, b.customer_id, b.customer_id::text || '/' || b.holding_id AS product_holding_key,
       c.nature, b.from_date, least(pg_catalog.lead(b.from_date) OVER (PARTITION BY b.customer_id, b.holding_id ORDER BY b.from_date), h.closed_on) AS to_date, b.balance
FROM crm.product_balance b
JOIN crm.product_holding h ON h.customer_id = b.customer_id AND h.id = b.holding_id
JOIN crm.product_category c ON c.id = h.category_id;
COMMENT ON VIEW crm_bi.product_balance IS 'Balances of product holdings over time: one row for each balance. 余额历史';
COMMENT ON COLUMN crm_bi.product_balance.product_balance_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.product_balance.customer_id IS 'Customer. 客户';
COMMENT ON COLUMN crm_bi.product_balance.product_holding_key IS 'Row of crm_bi.product_holding. 产品持有';
COMMENT ON COLUMN crm_bi.product_balance.nature IS 'asset, debt or service. 性质';
COMMENT ON COLUMN crm_bi.product_balance.from_date IS 'First day of the balance. 起始日';
COMMENT ON COLUMN crm_bi.product_balance.to_date IS 'First day no longer; NULL: it stands. 终止日';
COMMENT ON COLUMN crm_bi.product_balance.balance IS 'Balance. 余额';

CREATE VIEW crm_bi.over_limit AS
SELECT b.basis || '/' || o.month_end AS over_limit_key, b.basis, o.month_end, o.customers, o.over_low AS over_10000, o.over_high AS over_50000,
       o.share_over_low AS share_over_10000, o.share_over_high AS share_over_50000, o.high_of_low AS over_50000_of_10000
FROM pg_catalog.unnest(ARRAY['amount', 'balance', 'assets']) AS b (basis)
CROSS JOIN (SELECT crm.today() AS today OFFSET 0) t
CROSS JOIN LATERAL crm.over_limit((t.today - interval '1 year')::date, t.today, NULL, b.basis) o;
COMMENT ON VIEW crm_bi.over_limit IS 'Shares of customers over 10,000 and over 50,000 at the month ends of the year up to today: one row for each basis and month; crm.over_limit() gives any period, unit and limits. 万元以上客户占比';
COMMENT ON COLUMN crm_bi.over_limit.over_limit_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.over_limit.basis IS 'amount in force, balance of holdings, or assets, both together. 口径';
COMMENT ON COLUMN crm_bi.over_limit.month_end IS 'Last day of the month. 月末';
COMMENT ON COLUMN crm_bi.over_limit.customers IS 'Customers known then. 客户总数';
COMMENT ON COLUMN crm_bi.over_limit.over_10000 IS 'Those with more than 10,000. 一万元以上客户数';
COMMENT ON COLUMN crm_bi.over_limit.over_50000 IS 'Those with more than 50,000. 五万元以上客户数';
COMMENT ON COLUMN crm_bi.over_limit.share_over_10000 IS 'over_10000 / customers. 一万元以上占比';
COMMENT ON COLUMN crm_bi.over_limit.share_over_50000 IS 'over_50000 / customers. 五万元以上占比';
COMMENT ON COLUMN crm_bi.over_limit.over_50000_of_10000 IS 'over_50000 / over_10000. 五万元以上占一万元以上比重';
