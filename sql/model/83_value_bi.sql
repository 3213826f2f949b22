-- bi: profit, concentration, purchases and what to expect of them

CREATE VIEW crm_bi.organisation_tree AS
SELECT t.ancestor_id::text || '/' || t.descendant_id AS organisation_tree_key, t.ancestor_id, t.descendant_id, t.depth
FROM crm.organisation_tree t;
COMMENT ON VIEW crm_bi.organisation_tree IS 'Every unit with each unit above it, itself included: joins a unit with its subtree. 机构层级';
COMMENT ON COLUMN crm_bi.organisation_tree.organisation_tree_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.organisation_tree.ancestor_id IS 'The unit above. 上级机构';
COMMENT ON COLUMN crm_bi.organisation_tree.descendant_id IS 'The unit below. 下级机构';
COMMENT ON COLUMN crm_bi.organisation_tree.depth IS 'Steps between the two; 0 for a unit and itself. 层级差';

CREATE VIEW crm_bi.profit_entry AS
SELECT e.kind || '/' || e.customer_id || '/' || coalesce(e.policy_id::text, '') || '/' || e.id AS profit_entry_key, e.customer_id, e.policy_id, r.line AS product_line,
       e.day, e.kind, e.item, e.premium, e.claims, e.selling_cost, e.servicing_cost, e.commission, e.premium - e.claims - e.selling_cost - e.servicing_cost - e.commission AS profit
FROM (
  SELECT x.customer_id, x.policy_id, x.id, x.received_on AS day, 'premium' AS kind, x.way AS item, CASE WHEN x.reverses IS NULL THEN x.amount ELSE - x.amount END AS premium,
         0::numeric AS claims, 0::numeric AS selling_cost, 0::numeric AS servicing_cost, 0::numeric AS commission
  FROM crm.premium_receipt x
  UNION ALL
  SELECT x.customer_id, x.policy_id, x.id, x.paid_on, 'claim', x.kind, 0, x.paid_amount, 0, 0, 0
  FROM crm.policy_claim x WHERE x.paid_on IS NOT NULL
  UNION ALL
  SELECT x.customer_id, x.policy_id, x.id, x.incurred_on, k.purpose, x.kind, 0, 0, CASE k.purpose WHEN 'selling' THEN x.amount ELSE 0 END,
         CASE k.purpose WHEN 'servicing' THEN x.amount ELSE 0 END, 0
  FROM crm.customer_cost x JOIN crm.cost_kind k ON k.code = x.kind
  UNION ALL
  SELECT x.customer_id, x.policy_id, x.id, x.earned_on, 'commission', x.kind, 0, 0, 0, 0, x.amount
  FROM crm.commission x) e
LEFT JOIN crm.policy p ON p.customer_id = e.customer_id AND p.id = e.policy_id
LEFT JOIN crm.product r ON r.id = p.product_id
WHERE e.day <= (SELECT crm.today());
COMMENT ON VIEW crm_bi.profit_entry IS 'What customers brought and cost up to today: one row for each receipt, claim paid, cost and commission. 客户收支明细';
COMMENT ON COLUMN crm_bi.profit_entry.profit_entry_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.profit_entry.customer_id IS 'Customer; of a policy its policyholder. 客户';
COMMENT ON COLUMN crm_bi.profit_entry.policy_id IS 'Policy; NULL: the customer as such. 保单';
COMMENT ON COLUMN crm_bi.profit_entry.product_line IS 'Product line of the policy. 产品线';
COMMENT ON COLUMN crm_bi.profit_entry.day IS 'Day of receipt or payment, or to which the cost belongs. 日期';
COMMENT ON COLUMN crm_bi.profit_entry.kind IS 'premium 保费, claim 赔款, selling 销售费用, servicing 服务费用 or commission 佣金.';
COMMENT ON COLUMN crm_bi.profit_entry.item IS 'Way of payment, kind of claim, of cost or of commission. 细项';
COMMENT ON COLUMN crm_bi.profit_entry.premium IS 'Premium received, below 0 where reversed. 实收保费';
COMMENT ON COLUMN crm_bi.profit_entry.claims IS 'Claims paid. 赔款支出';
COMMENT ON COLUMN crm_bi.profit_entry.selling_cost IS 'Cost of selling. 销售费用';
COMMENT ON COLUMN crm_bi.profit_entry.servicing_cost IS 'Cost of servicing. 服务费用';
COMMENT ON COLUMN crm_bi.profit_entry.commission IS 'Commission. 佣金';
COMMENT ON COLUMN crm_bi.profit_entry.profit IS 'Premium less claims, costs and commission. 利润贡献';

CREATE VIEW crm_bi.customer_profit AS
SELECT e.customer_id, pg_catalog.sum(e.premium) AS premium, pg_catalog.sum(e.claims) AS claims, pg_catalog.sum(e.selling_cost) AS selling_cost,
       pg_catalog.sum(e.servicing_cost) AS servicing_cost, pg_catalog.sum(e.commission) AS commission, pg_catalog.sum(e.profit) AS profit,
       coalesce(pg_catalog.sum(e.premium) FILTER (WHERE e.day > d.year_ago), 0) AS premium_year, coalesce(pg_catalog.sum(e.profit) FILTER (WHERE e.day > d.year_ago), 0) AS profit_year
FROM crm_bi.profit_entry e
CROSS JOIN (SELECT (crm.today() - interval '1 year')::date AS year_ago OFFSET 0) d
GROUP BY e.customer_id;
COMMENT ON VIEW crm_bi.customer_profit IS 'What customers brought and cost up to today: one row for each customer with a receipt, claim paid, cost or commission; crm.customer_profit() gives any period. 客户利润';
COMMENT ON COLUMN crm_bi.customer_profit.customer_id IS 'Customer. 客户';
COMMENT ON COLUMN crm_bi.customer_profit.premium IS 'Premium received, less reversals. 实收保费';
COMMENT ON COLUMN crm_bi.customer_profit.claims IS 'Claims paid. 赔款支出';
COMMENT ON COLUMN crm_bi.customer_profit.selling_cost IS 'Cost of selling. 销售费用';
COMMENT ON COLUMN crm_bi.customer_profit.servicing_cost IS 'Cost of servicing. 服务费用';
COMMENT ON COLUMN crm_bi.customer_profit.commission IS 'Commissions. 佣金';
COMMENT ON COLUMN crm_bi.customer_profit.profit IS 'Premium less claims, costs and commissions. 利润贡献';
COMMENT ON COLUMN crm_bi.customer_profit.premium_year IS 'Premium received in the year up to today. 近一年实收保费';
COMMENT ON COLUMN crm_bi.customer_profit.profit_year IS 'Profit of the year up to today. 近一年利润贡献';

CREATE VIEW crm_bi.customer_structure AS
SELECT d.dimension || '/' || s.class AS customer_structure_key, d.dimension, s.class, s.customers, s.premium, s.claims, s.selling_cost, s.servicing_cost, s.commission, s.profit,
       s.all_customers, s.all_premium, s.all_profit, s.customer_share, s.premium_share, s.profit_share, s.cumulative_customer_share, s.cumulative_profit_share
FROM pg_catalog.unnest(ARRAY['tier', 'coverage', 'activity', 'channel', 'kind', 'age', 'unit', 'line']) AS d (dimension)
CROSS JOIN (SELECT crm.today() AS today OFFSET 0) t
CROSS JOIN LATERAL crm.customer_structure(d.dimension, (t.today - interval '1 year' + interval '1 day')::date, t.today) s;
COMMENT ON VIEW crm_bi.customer_structure IS 'Structure of customers and of profit in the year up to today: one row for each class of each dimension; crm.customer_structure() gives any period and subtree. 客户结构与利润结构';
COMMENT ON COLUMN crm_bi.customer_structure.customer_structure_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.customer_structure.dimension IS 'tier, coverage, activity, channel, kind, age, unit or line. 维度';
COMMENT ON COLUMN crm_bi.customer_structure.class IS 'Class in it; of units the code. 类别';
COMMENT ON COLUMN crm_bi.customer_structure.customers IS 'Customers who are in the class today. 客户数';
COMMENT ON COLUMN crm_bi.customer_structure.premium IS 'Premium received of them. 实收保费';
COMMENT ON COLUMN crm_bi.customer_structure.claims IS 'Claims paid. 赔款支出';
COMMENT ON COLUMN crm_bi.customer_structure.selling_cost IS 'Cost of selling. 销售费用';
COMMENT ON COLUMN crm_bi.customer_structure.servicing_cost IS 'Cost of servicing. 服务费用';
COMMENT ON COLUMN crm_bi.customer_structure.commission IS 'Commissions. 佣金';
COMMENT ON COLUMN crm_bi.customer_structure.profit IS 'Premium less claims, costs and commissions. 利润贡献';
COMMENT ON COLUMN crm_bi.customer_structure.all_customers IS 'Customers of all classes. 客户总数';
COMMENT ON COLUMN crm_bi.customer_structure.all_premium IS 'Premium of all classes. 总保费';
COMMENT ON COLUMN crm_bi.customer_structure.all_profit IS 'Profit of all classes. 总利润';
COMMENT ON COLUMN crm_bi.customer_structure.customer_share IS 'Customers as a share of all. 客户占比';
COMMENT ON COLUMN crm_bi.customer_structure.premium_share IS 'Premium as a share of all. 保费占比';
COMMENT ON COLUMN crm_bi.customer_structure.profit_share IS 'Profit as a share of all. 利润占比';
COMMENT ON COLUMN crm_bi.customer_structure.cumulative_customer_share IS 'Share of customers of the classes up to this one, the most profitable first. 累计客户占比';
COMMENT ON COLUMN crm_bi.customer_structure.cumulative_profit_share IS 'Share of profit of the same. 累计利润占比';

CREATE VIEW crm_bi.pareto AS
SELECT b.basis || '/' || p.customer_id AS pareto_key, b.basis, p.customer_id, p.value, p.place, p.customers, p.cumulative_share, p.abc, p.in_top_fifth
FROM pg_catalog.unnest(ARRAY['premium', 'profit', 'amount']) AS b (basis)
CROSS JOIN (SELECT crm.today() AS today OFFSET 0) t
CROSS JOIN LATERAL crm.pareto((t.today - interval '1 year' + interval '1 day')::date, t.today, b.basis) p;
COMMENT ON VIEW crm_bi.pareto IS 'Who brings how much in the year up to today: one row for each customer and basis; crm.pareto() gives any period. 二八分析';
COMMENT ON COLUMN crm_bi.pareto.pareto_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.pareto.basis IS 'premium received, profit, or the amount that the tier goes by today. 口径';
COMMENT ON COLUMN crm_bi.pareto.customer_id IS 'Customer. 客户';
COMMENT ON COLUMN crm_bi.pareto.value IS 'What the customer brings. 价值';
COMMENT ON COLUMN crm_bi.pareto.place IS 'Place among all, the largest first. 名次';
COMMENT ON COLUMN crm_bi.pareto.customers IS 'How many there are. 客户总数';
COMMENT ON COLUMN crm_bi.pareto.cumulative_share IS 'Share of the value of all that those up to this one and its equals bring. 累计占比';
COMMENT ON COLUMN crm_bi.pareto.abc IS 'A the first 80 % of value, B up to 95 %, C the rest. ABC分类';
COMMENT ON COLUMN crm_bi.pareto.in_top_fifth IS 'Among the top 20 % of customers. 前20%客户';

-- Joined by the policy alone: with the customer as well the planner would multiply two conditions that say the same, and expect one row of a million.
CREATE VIEW crm_bi.owned_product AS
SELECT o.customer_id::text || '/' || o.item AS owned_product_key, o.customer_id, o.item, o.line_item, pg_catalog.max(o.product) AS product, pg_catalog.max(o.product_line) AS product_line,
       pg_catalog.max(o.category) AS category, pg_catalog.count(*) AS pieces
FROM (
  SELECT c.customer_id, 'product:' || r.code AS item, 'line:' || r.line AS line_item, r.code AS product, r.line AS product_line, NULL::text AS category
  FROM crm.cover c
  JOIN crm.policy p ON p.id = c.policy_id
  JOIN crm.product r ON r.id = p.product_id
  WHERE c.role = 'policyholder' AND c.from_date <= (SELECT crm.today()) AND c.to_date > (SELECT crm.today())
  UNION ALL
  SELECT h.customer_id, coalesce('product:' || r.code, 'category:' || g.code), 'category:' || g.code, r.code, NULL, g.code
  FROM crm.product_holding h
  JOIN crm.product_category g ON g.id = h.category_id
  LEFT JOIN crm.product r ON r.id = h.product_id
  WHERE h.opened_on <= (SELECT crm.today()) AND coalesce(h.closed_on > (SELECT crm.today()), true)) o
GROUP BY o.customer_id, o.item, o.line_item;
COMMENT ON VIEW crm_bi.owned_product IS 'What customers have today: one row for each product of policies in force as policyholder, and each product and category of open holdings. 客户持有产品';
COMMENT ON COLUMN crm_bi.owned_product.owned_product_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.owned_product.customer_id IS 'Customer. 客户';
COMMENT ON COLUMN crm_bi.owned_product.item IS 'product: and its code, or category: and its code. 产品项';
COMMENT ON COLUMN crm_bi.owned_product.line_item IS 'line: and the product line, or category: and the code of the category. 产品线项';
COMMENT ON COLUMN crm_bi.owned_product.product IS 'Code of the product. 产品代码';
COMMENT ON COLUMN crm_bi.owned_product.product_line IS 'Product line of a policy. 产品线';
COMMENT ON COLUMN crm_bi.owned_product.category IS 'Code of the category of a holding. 业务分类';
COMMENT ON COLUMN crm_bi.owned_product.pieces IS 'How many policies or holdings. 件数';

CREATE VIEW crm_bi.purchase AS
SELECT p.policy_id, p.customer_id, p.issued_on, h.code AS channel, pg_catalog.round(p.amount / 100.0, 2) AS amount, pg_catalog.round(p.annual_premium / 100.0, 2) AS annual_premium
FROM (SELECT DISTINCT c.customer_id, c.policy_id, c.issued_on, c.channel_id, c.amount, c.annual_premium FROM crm.cover c
      WHERE c.role = 'policyholder' AND c.from_date < c.to_date AND c.issued_on <= (SELECT crm.today())) p
LEFT JOIN crm.channel h ON h.id = p.channel_id;
COMMENT ON VIEW crm_bi.purchase IS 'Policies bought up to today, void ones left out: one row each. 购买明细';
COMMENT ON COLUMN crm_bi.purchase.policy_id IS 'Policy. 保单';
COMMENT ON COLUMN crm_bi.purchase.customer_id IS 'Policyholder. 投保人';
COMMENT ON COLUMN crm_bi.purchase.issued_on IS 'Day. 购买日';
COMMENT ON COLUMN crm_bi.purchase.channel IS 'Channel of the policy. 渠道';
COMMENT ON COLUMN crm_bi.purchase.amount IS 'Contractual premium. 合同保费';
COMMENT ON COLUMN crm_bi.purchase.annual_premium IS 'Premium of a year. 年化保费';

-- Policies issued on one day are one purchase. Summed in hundredths, since sums of numeric take twice the time.
CREATE VIEW crm_bi.purchase_history AS
SELECT d.customer_id, pg_catalog.count(*) AS purchases, pg_catalog.sum(d.policies)::bigint AS policies, pg_catalog.min(d.day) AS first_on, pg_catalog.max(d.day) AS last_on,
       (SELECT crm.today()) - pg_catalog.max(d.day) AS days_since, pg_catalog.round(pg_catalog.sum(d.amount) / 100, 2) AS amount,
       pg_catalog.round(coalesce(pg_catalog.sum(d.amount) FILTER (WHERE d.day > d.first_on), 0) / 100, 2) AS repeat_amount
FROM (SELECT p.customer_id, p.issued_on AS day, pg_catalog.count(*) AS policies, pg_catalog.sum(p.amount)::bigint AS amount,
             pg_catalog.min(p.issued_on) OVER (PARTITION BY p.customer_id) AS first_on
      FROM (SELECT DISTINCT c.customer_id, c.policy_id, c.issued_on, c.amount FROM crm.cover c
            WHERE c.role = 'policyholder' AND c.from_date < c.to_date AND c.issued_on <= (SELECT crm.today())) p
      GROUP BY p.customer_id, p.issued_on) d
GROUP BY d.customer_id;
COMMENT ON VIEW crm_bi.purchase_history IS 'Purchases up to today: one row for each customer who has bought. 购买历史';
COMMENT ON COLUMN crm_bi.purchase_history.customer_id IS 'Policyholder. 客户';
COMMENT ON COLUMN crm_bi.purchase_history.purchases IS 'Days on which the customer bought. 购买次数';
COMMENT ON COLUMN crm_bi.purchase_history.policies IS 'Policies bought. 保单数';
COMMENT ON COLUMN crm_bi.purchase_history.first_on IS 'First of those days. 首次购买日';
COMMENT ON COLUMN crm_bi.purchase_history.last_on IS 'Last of those days. 最近购买日';
COMMENT ON COLUMN crm_bi.purchase_history.days_since IS 'Days since the last. 距最近购买天数';
COMMENT ON COLUMN crm_bi.purchase_history.amount IS 'Contractual premium of all that was bought. 购买金额';
COMMENT ON COLUMN crm_bi.purchase_history.repeat_amount IS 'The same without the first day. 重复购买金额';

CREATE VIEW crm_bi.rfm AS
SELECT r.customer_id, r.last_on, r.recency_days, r.frequency, r.amount, r.rank_r, r.rank_f, r.rank_m, r.rank_r * 100 + r.rank_f * 10 + r.rank_m AS rank_rfm,
       r.bound_r, r.bound_f, r.bound_m, r.bound_r * 100 + r.bound_f * 10 + r.bound_m AS bound_rfm
FROM (SELECT crm.today() AS today OFFSET 0) t
CROSS JOIN LATERAL crm.rfm(t.today) r;
COMMENT ON VIEW crm_bi.rfm IS 'Recency, frequency and money today in five classes, 5 the best: one row for each customer who has bought; crm.rfm() scores any day, subtree and channel. RFM评分';
COMMENT ON COLUMN crm_bi.rfm.customer_id IS 'Policyholder. 客户';
COMMENT ON COLUMN crm_bi.rfm.last_on IS 'Last purchase. 最近购买日';
COMMENT ON COLUMN crm_bi.rfm.recency_days IS 'Days since. 距最近购买天数';
COMMENT ON COLUMN crm_bi.rfm.frequency IS 'Days on which the customer bought. 购买次数';
COMMENT ON COLUMN crm_bi.rfm.amount IS 'Contractual premium of what was bought. 购买金额';
COMMENT ON COLUMN crm_bi.rfm.rank_r IS 'Recency by classes of equal ranks. 近度（秩）';
COMMENT ON COLUMN crm_bi.rfm.rank_f IS 'Frequency by classes of equal ranks. 频度（秩）';
COMMENT ON COLUMN crm_bi.rfm.rank_m IS 'Money by classes of equal ranks. 额度（秩）';
COMMENT ON COLUMN crm_bi.rfm.rank_rfm IS 'These three as digits. RFM（秩）';
COMMENT ON COLUMN crm_bi.rfm.bound_r IS 'Recency between quantile bounds. 近度（分位）';
COMMENT ON COLUMN crm_bi.rfm.bound_f IS 'Frequency between quantile bounds. 频度（分位）';
COMMENT ON COLUMN crm_bi.rfm.bound_m IS 'Money between quantile bounds. 额度（分位）';
COMMENT ON COLUMN crm_bi.rfm.bound_rfm IS 'These three as digits. RFM（分位）';

CREATE VIEW crm_bi.purchase_model AS
SELECT m.id AS purchase_model_id, m.as_of, m.org_id, h.code AS channel, m.customers, m.repeaters, crm.r(m.purchases)::numeric AS r, crm.alpha(m.purchases)::numeric AS alpha,
       crm.a(m.purchases)::numeric AS a, crm.b(m.purchases)::numeric AS b, crm.log_likelihood(m.purchases)::numeric AS log_likelihood,
       crm.p(m.value)::numeric AS p, crm.q(m.value)::numeric AS q, crm.gamma(m.value)::numeric AS gamma, crm.log_likelihood(m.value)::numeric AS value_log_likelihood,
       m.converged, m.problem, m.fitted_at, m.fitted_by
FROM crm.purchase_model m
LEFT JOIN crm.channel h ON h.id = m.channel_id;
COMMENT ON VIEW crm_bi.purchase_model IS 'Models fitted to purchases: one row each. 购买模型';
COMMENT ON COLUMN crm_bi.purchase_model.purchase_model_id IS 'Key. 模型';
COMMENT ON COLUMN crm_bi.purchase_model.as_of IS 'End of observation. 观察截止日';
COMMENT ON COLUMN crm_bi.purchase_model.org_id IS 'Unit whose subtree it was fitted to; NULL: all. 机构';
COMMENT ON COLUMN crm_bi.purchase_model.channel IS 'Channel it was fitted to; NULL: all. 渠道';
COMMENT ON COLUMN crm_bi.purchase_model.customers IS 'Customers it was fitted to. 样本客户数';
COMMENT ON COLUMN crm_bi.purchase_model.repeaters IS 'Those who had bought again. 重复购买客户数';
COMMENT ON COLUMN crm_bi.purchase_model.r IS 'Shape of the purchase rates. 参数r';
COMMENT ON COLUMN crm_bi.purchase_model.alpha IS 'Rate of the purchase rates, in months. 参数alpha';
COMMENT ON COLUMN crm_bi.purchase_model.a IS 'Of the chances of dropping out. 参数a';
COMMENT ON COLUMN crm_bi.purchase_model.b IS 'Of the chances of dropping out. 参数b';
COMMENT ON COLUMN crm_bi.purchase_model.log_likelihood IS 'Log likelihood of the purchases. 购买对数似然';
COMMENT ON COLUMN crm_bi.purchase_model.p IS 'Shape of the values of one customer. 参数p';
COMMENT ON COLUMN crm_bi.purchase_model.q IS 'Shape of the rates of customers. 参数q';
COMMENT ON COLUMN crm_bi.purchase_model.gamma IS 'Rate of the rates of customers. 参数gamma';
COMMENT ON COLUMN crm_bi.purchase_model.value_log_likelihood IS 'Log likelihood of the values. 金额对数似然';
COMMENT ON COLUMN crm_bi.purchase_model.converged IS 'Both fits found a maximum. 已收敛';
COMMENT ON COLUMN crm_bi.purchase_model.problem IS 'Why not. 未收敛原因';
COMMENT ON COLUMN crm_bi.purchase_model.fitted_at IS 'When it was fitted. 拟合时间';
COMMENT ON COLUMN crm_bi.purchase_model.fitted_by IS 'Who had it fitted. 拟合人';

CREATE VIEW crm_bi.customer_forecast AS
SELECT f.customer_id, f.purchase_model_id, f.converged, f.activity, f.frequency, pg_catalog.round(f.recency::numeric, 4) AS recency_months, pg_catalog.round(f.age::numeric, 4) AS age_months,
       crm.p_alive(f.purchases, f.frequency, f.recency, f.age)::numeric AS p_alive,
       crm.expected_purchases(f.purchases, 12, f.frequency, f.recency, f.age)::numeric AS purchases_12_months,
       CASE WHEN f.valued THEN pg_catalog.round(crm.expected_value(f.value, f.frequency, f.mean_value)::numeric, 2) END AS value_per_purchase,
       CASE WHEN f.valued THEN pg_catalog.round(crm.lifetime_value(f.purchases, f.value, f.frequency, f.recency, f.age, f.mean_value, f.horizon, f.discount)::numeric, 2) END AS lifetime_value
FROM (
  SELECT h.customer_id, m.id AS purchase_model_id, m.converged, c.activity, m.purchases, m.value, h.purchases - 1 AS frequency,
         (h.last_on - h.first_on) / 30.4375::double precision AS recency, (d.today - h.first_on) / 30.4375::double precision AS age,
         CASE WHEN h.purchases > 1 THEN h.repeat_amount::double precision / (h.purchases - 1) ELSE 0 END AS mean_value, coalesce(crm.q(m.value) > 1, false) AND (h.purchases = 1 OR h.repeat_amount > 0) AS valued,
         d.horizon, d.discount
  FROM crm_bi.purchase_history h
  CROSS JOIN (
    SELECT t.today, greatest(1, least(1200, crm.setting_value('lifetime_months', t.today)::integer)) AS horizon,
           (1 + crm.setting_value('discount_percent', t.today)::integer / 100.0::double precision) ^ (1 / 12.0::double precision) - 1 AS discount
    FROM (SELECT crm.today() AS today OFFSET 0) t OFFSET 0) d
  JOIN crm_bi.customer c ON c.customer_id = h.customer_id
  JOIN crm.channel x ON x.code = c.channel
  JOIN crm._purchase_model_for m ON m.org_id = c.org_id AND m.channel_id = x.id) f;
COMMENT ON VIEW crm_bi.customer_forecast IS 'What to expect of who has bought, by the latest model of their unit and channel: one row each. 客户购买预测';
COMMENT ON COLUMN crm_bi.customer_forecast.customer_id IS 'Policyholder. 客户';
COMMENT ON COLUMN crm_bi.customer_forecast.purchase_model_id IS 'Model. 模型';
COMMENT ON COLUMN crm_bi.customer_forecast.converged IS 'The fit of the model found a maximum. 模型已收敛';
COMMENT ON COLUMN crm_bi.customer_forecast.activity IS 'Class of activity by the threshold of days, to be seen beside p_alive. 活跃度';
COMMENT ON COLUMN crm_bi.customer_forecast.frequency IS 'Purchases after the first. 重复购买次数';
COMMENT ON COLUMN crm_bi.customer_forecast.recency_months IS 'Months from the first purchase to the last. 首末次购买间隔月数';
COMMENT ON COLUMN crm_bi.customer_forecast.age_months IS 'Months from the first purchase to today. 首次购买至今月数';
COMMENT ON COLUMN crm_bi.customer_forecast.p_alive IS 'Chance that the customer still buys; 1 for who bought once. 存活概率';
COMMENT ON COLUMN crm_bi.customer_forecast.purchases_12_months IS 'Purchases expected within 12 months. 未来一年预期购买次数';
COMMENT ON COLUMN crm_bi.customer_forecast.value_per_purchase IS 'Contractual premium expected of a purchase; NULL where repeat purchases were worth nothing, and where the model has no mean. 单次预期金额';
COMMENT ON COLUMN crm_bi.customer_forecast.lifetime_value IS 'Contractual premium expected within the months of setting lifetime_months, discounted by discount_percent a year; NULL as before. 客户终身价值';
