-- bi: products that go together, lists at hand, intentions, projects

CREATE VIEW crm_bi.product_rule AS
SELECT r.rule_set_id::text || '/' || r.id AS product_rule_key, r.rule_set_id, r.id AS rule_id, s.as_of, s.level, r.item_1, r.item_2, r.item,
       s.customers, r.with_left, r.with_right, r.with_both,
       r.with_both::numeric / nullif(s.customers, 0) AS support, r.with_both::numeric / r.with_left AS confidence,
       r.with_both::numeric * s.customers / r.with_left / r.with_right AS lift,
       r.rule_set_id = l.id AS is_latest
FROM crm.product_rule r
JOIN crm.product_rule_set s ON s.id = r.rule_set_id
LEFT JOIN (
  SELECT DISTINCT ON (x.level) x.level, x.id FROM crm.product_rule_set x WHERE x.as_of <= (SELECT crm.today())
  ORDER BY x.level, x.as_of DESC, x.id DESC) l ON l.level = s.level;
COMMENT ON VIEW crm_bi.product_rule IS 'Who has item_1 (and item_2) has item as well: one row for each rule. 产品关联规则';
COMMENT ON COLUMN crm_bi.product_rule.product_rule_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.product_rule.rule_set_id IS 'Search that found it. 分析批次';
COMMENT ON COLUMN crm_bi.product_rule.rule_id IS 'Place within the search, the most confident first. 序号';
COMMENT ON COLUMN crm_bi.product_rule.as_of IS 'Day of the search. 分析日期';
COMMENT ON COLUMN crm_bi.product_rule.level IS 'product or line. 层级';
COMMENT ON COLUMN crm_bi.product_rule.item_1 IS 'Left side: product:, line: or category: and the code. 前项一';
COMMENT ON COLUMN crm_bi.product_rule.item_2 IS 'Second one of the left side; NULL: none. 前项二';
COMMENT ON COLUMN crm_bi.product_rule.item IS 'Right side. 后项';
COMMENT ON COLUMN crm_bi.product_rule.customers IS 'Customers with any product. 客户总数';
COMMENT ON COLUMN crm_bi.product_rule.with_left IS 'Customers with the left side. 持有前项客户数';
COMMENT ON COLUMN crm_bi.product_rule.with_right IS 'Customers with the right side. 持有后项客户数';
COMMENT ON COLUMN crm_bi.product_rule.with_both IS 'Customers with both. 同时持有客户数';
COMMENT ON COLUMN crm_bi.product_rule.support IS 'with_both / customers. 支持度';
COMMENT ON COLUMN crm_bi.product_rule.confidence IS 'with_both / with_left. 置信度';
COMMENT ON COLUMN crm_bi.product_rule.lift IS 'Confidence over with_right / customers. 提升度';
COMMENT ON COLUMN crm_bi.product_rule.is_latest IS 'Of the latest search of its level up to today. 最新';

CREATE VIEW crm_bi.next_product AS
SELECT l.level || '/' || n.customer || '/' || n.place AS next_product_key, n.customer AS customer_id, l.level, n.place, n.item, n.because,
       n.rule_set_id::text || '/' || n.rule_id AS product_rule_key
FROM pg_catalog.unnest(ARRAY['product', 'line']) AS l (level)
CROSS JOIN LATERAL crm.next_products(l.level) n;
COMMENT ON VIEW crm_bi.next_product IS 'What to offer customers next: up to three rows for each customer and level. 下一产品推荐';
COMMENT ON COLUMN crm_bi.next_product.next_product_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.next_product.customer_id IS 'Customer. 客户';
COMMENT ON COLUMN crm_bi.next_product.level IS 'product or line. 层级';
COMMENT ON COLUMN crm_bi.next_product.place IS '1 for the most confident. 名次';
COMMENT ON COLUMN crm_bi.next_product.item IS 'What to offer: product:, line: or category: and the code. 推荐产品';
COMMENT ON COLUMN crm_bi.next_product.because IS 'The rule that says so, with its counts and lift. 推荐理由';
COMMENT ON COLUMN crm_bi.next_product.product_rule_key IS 'Row of crm_bi.product_rule. 规则';

CREATE VIEW crm_bi.customer_lists AS
WITH class_limit AS MATERIALIZED (
  SELECT x.org_id, h.code AS channel, x.near_limit / 100.0 AS near_limit,
         (SELECT pg_catalog.array_agg(k.label) FROM crm.class k WHERE k.id = ANY (x.vip_ids)) AS vip,
         (SELECT k.label FROM crm.class k WHERE k.id = x.active_id) AS active
  FROM crm._class_limit x JOIN crm.channel h ON h.id = x.channel_id)
SELECT c.customer_id,
       pg_catalog.concat_ws(', ', CASE WHEN f.ten_year THEN 'ten_year' END, CASE WHEN c.tier = ANY (r.vip) THEN 'vip' END,
                            CASE WHEN c.amount >= r.near_limit AND c.tier <> ALL (r.vip) THEN 'near_vip' END, CASE WHEN f.long_term = 1 THEN 'one_long_term' END,
                            CASE WHEN f.telesales THEN 'telesales' END, CASE WHEN c.service = 'orphan' THEN 'orphan' END,
                            CASE WHEN k.kind = 'individual' AND c.activity = r.active THEN 'active_individual' END) AS lists,
       coalesce(f.long_term, 0) AS long_term_policies, coalesce(f.orphan, 0) AS orphan_policies, c.service = 'served' AS is_served
FROM crm_bi.customer c
JOIN crm.channel k ON k.code = c.channel
LEFT JOIN (
  SELECT v.customer_id, pg_catalog.count(*) FILTER (WHERE v.long_term AND v.role = 'policyholder') AS long_term,
         pg_catalog.bool_or(v.role = 'policyholder' AND v.agent_sold
           AND (p.term_months = 120 OR p.payments = CASE p.payment WHEN 'yearly' THEN 10 WHEN 'half_yearly' THEN 20 WHEN 'quarterly' THEN 40 WHEN 'monthly' THEN 120 END)) AS ten_year,
         pg_catalog.bool_or(v.role = 'policyholder' AND h.kind = 'telesales') AS telesales,
         pg_catalog.count(*) FILTER (WHERE v.agent_sold AND s.left_on <= (SELECT crm.today())) AS orphan
  FROM crm.cover v
  JOIN crm.policy p ON p.id = v.policy_id
  JOIN crm.channel h ON h.id = v.channel_id
  LEFT JOIN crm.staff s ON s.id = v.servicer_id
  WHERE v.from_date <= (SELECT crm.today()) AND v.to_date > (SELECT crm.today())
  GROUP BY v.customer_id) f ON f.customer_id = c.customer_id
LEFT JOIN class_limit r ON r.org_id = c.org_id AND r.channel = c.channel
WHERE c.coverage = 'insured';
COMMENT ON VIEW crm_bi.customer_lists IS 'The lists at hand that insured customers are on today: one row for each insured customer. 客户所属名单';
COMMENT ON COLUMN crm_bi.customer_lists.customer_id IS 'Customer. 客户';
COMMENT ON COLUMN crm_bi.customer_lists.lists IS 'Codes of the lists, separated by comma and space; empty: none. 所属名单';
COMMENT ON COLUMN crm_bi.customer_lists.long_term_policies IS 'Long-term policies in force as policyholder. 有效长险保单数';
COMMENT ON COLUMN crm_bi.customer_lists.orphan_policies IS 'Policies in force sold by individual agents whose named servicer has left. 孤儿单数';
COMMENT ON COLUMN crm_bi.customer_lists.is_served IS 'Staff in post are named servicer of a policy in force, or hold the customer. 有人服务';

CREATE VIEW crm_bi.ready_list_member AS
SELECT m.list || '/' || l.customer_id AS ready_list_member_key, m.list, l.customer_id
FROM crm_bi.customer_lists l
CROSS JOIN LATERAL pg_catalog.string_to_table(l.lists, ', ') AS m (list);
COMMENT ON VIEW crm_bi.ready_list_member IS 'Who is on the lists at hand today: one row for each customer and list. 常用名单客户';
COMMENT ON COLUMN crm_bi.ready_list_member.ready_list_member_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.ready_list_member.list IS 'Code of the list. 名单';
COMMENT ON COLUMN crm_bi.ready_list_member.customer_id IS 'Customer. 客户';

CREATE VIEW crm_bi.ready_list AS
SELECT r.code AS list, r.position, r.name, r.name_zh, r.description, r.description_zh, coalesce(m.members, 0) AS members
FROM crm.ready_list r
LEFT JOIN (SELECT x.list, pg_catalog.count(*) AS members FROM crm_bi.ready_list_member x GROUP BY x.list) m ON m.list = r.code;
COMMENT ON VIEW crm_bi.ready_list IS 'The lists at hand: one row each. 常用名单';
COMMENT ON COLUMN crm_bi.ready_list.list IS 'Code. 代码';
COMMENT ON COLUMN crm_bi.ready_list.position IS 'Order in which to show them. 顺序';
COMMENT ON COLUMN crm_bi.ready_list.name IS 'Name in English. 英文名';
COMMENT ON COLUMN crm_bi.ready_list.name_zh IS 'Name in Chinese. 中文名';
COMMENT ON COLUMN crm_bi.ready_list.description IS 'Who is on it, in English. 英文说明';
COMMENT ON COLUMN crm_bi.ready_list.description_zh IS 'Who is on it, in Chinese. 中文说明';
COMMENT ON COLUMN crm_bi.ready_list.members IS 'Customers on it today. 客户数';

-- GROUP BY says that a customer comes once, so that the planner leaves a join out where no condition asks for its column.
CREATE VIEW crm_bi.listed_customer AS
SELECT c.*, coalesce(l.lists, '') AS lists, m.completeness
FROM crm_bi.customer c
LEFT JOIN (SELECT x.customer_id, pg_catalog.max(x.lists) AS lists FROM crm_bi.customer_lists x GROUP BY x.customer_id) l ON l.customer_id = c.customer_id
LEFT JOIN (SELECT x.customer_id, pg_catalog.max(x.score) AS completeness FROM crm._completeness x GROUP BY x.customer_id) m ON m.customer_id = c.customer_id;
COMMENT ON VIEW crm_bi.listed_customer IS 'Customers today with the lists at hand that they are on and how complete their data is: what conditions are matched with. 客户及所属名单';
DECLARE
  c record;
BEGIN
  FOR c IN SELECT a.attname, col_description(a.attrelid, a.attnum) AS comment FROM pg_attribute a
           WHERE a.attrelid = 'crm_bi.customer'::regclass AND a.attnum > 0 AND NOT a.attisdropped LOOP
    EXECUTE format('COMMENT ON COLUMN crm_bi.listed_customer.%I IS %L', c.attname, c.comment);
  END LOOP;
END;
COMMENT ON COLUMN crm_bi.listed_customer.lists IS 'Codes of the lists, separated by comma and space; empty: none. 所属名单';
COMMENT ON COLUMN crm_bi.listed_customer.completeness IS 'Completeness of the data, 0 to 100; NULL: no field is required. 完整度';

CREATE VIEW crm_bi.mining_project AS
SELECT p.id AS project_id, p.name, p.purpose, p.target_list_id, p.trial_from, p.trial_to,
       CASE WHEN p.closed_at IS NOT NULL THEN 'closed' WHEN d.today < p.trial_from THEN 'ahead' WHEN d.today <= p.trial_to THEN 'trial' ELSE 'to close' END AS state,
       (SELECT pg_catalog.count(*) FROM crm.mining_member m WHERE m.project_id = p.id) AS members, p.started_at, p.started_by, p.closed_at, p.closed_by, p.conclusion
FROM crm.mining_project p
CROSS JOIN (SELECT crm.today() AS today OFFSET 0) d;
COMMENT ON VIEW crm_bi.mining_project IS 'Mining projects: one row each. 客户挖掘项目';
COMMENT ON COLUMN crm_bi.mining_project.project_id IS 'Key. 项目';
COMMENT ON COLUMN crm_bi.mining_project.name IS 'Name. 名称';
COMMENT ON COLUMN crm_bi.mining_project.purpose IS 'What it is for. 目的';
COMMENT ON COLUMN crm_bi.mining_project.target_list_id IS 'Target list it began with. 目标名单';
COMMENT ON COLUMN crm_bi.mining_project.trial_from IS 'First day of the trial. 试点起始日';
COMMENT ON COLUMN crm_bi.mining_project.trial_to IS 'Last day of the trial. 试点终止日';
COMMENT ON COLUMN crm_bi.mining_project.state IS 'ahead 未开始, trial 试点中, to close 待评估 or closed 已关闭.';
COMMENT ON COLUMN crm_bi.mining_project.members IS 'Customers in it. 客户数';
COMMENT ON COLUMN crm_bi.mining_project.started_at IS 'When it was started. 启动时间';
COMMENT ON COLUMN crm_bi.mining_project.started_by IS 'Who started it. 启动人';
COMMENT ON COLUMN crm_bi.mining_project.closed_at IS 'When it was closed. 关闭时间';
COMMENT ON COLUMN crm_bi.mining_project.closed_by IS 'Who closed it. 关闭人';
COMMENT ON COLUMN crm_bi.mining_project.conclusion IS 'What was concluded. 结论';

CREATE VIEW crm_bi.mining_result AS
WITH project AS (
  SELECT p.id, p.trial_from, least(p.trial_to, d.today) AS trial_to, p.trial_from - (least(p.trial_to, d.today) - p.trial_from + 1) AS before_from
  FROM crm.mining_project p CROSS JOIN (SELECT crm.today() AS today) d
  WHERE p.closed_at IS NULL AND p.trial_from <= d.today),
size AS (
  SELECT p.id, 'members' AS side, (SELECT pg_catalog.count(*) FROM crm.mining_member m WHERE m.project_id = p.id) AS customers FROM project p
  UNION ALL
  SELECT p.id, 'others', (SELECT pg_catalog.count(*) FROM crm.customer c WHERE c.known_from <= p.trial_from)
         - (SELECT pg_catalog.count(*) FROM crm.mining_member m JOIN crm.customer c ON c.id = m.customer_id WHERE m.project_id = p.id AND c.known_from <= p.trial_from) FROM project p),
bought AS (
  SELECT p.id, CASE WHEN m.customer_id IS NULL THEN 'others' ELSE 'members' END AS side,
         pg_catalog.count(DISTINCT u.customer_id) FILTER (WHERE u.issued_on >= p.trial_from) AS buyers,
         pg_catalog.count(DISTINCT u.customer_id) FILTER (WHERE u.issued_on < p.trial_from) AS buyers_before,
         pg_catalog.count(*) FILTER (WHERE u.issued_on >= p.trial_from) AS policies,
         pg_catalog.sum(u.amount) FILTER (WHERE u.issued_on >= p.trial_from) AS amount,
         pg_catalog.sum(u.annual_premium) FILTER (WHERE u.issued_on >= p.trial_from) AS annual_premium
  FROM project p
  JOIN crm_bi.purchase u ON u.issued_on BETWEEN p.before_from AND p.trial_to
  JOIN crm.customer c ON c.id = u.customer_id
  LEFT JOIN crm.mining_member m ON m.project_id = p.id AND m.customer_id = u.customer_id
  WHERE m.customer_id IS NOT NULL OR c.known_from <= p.trial_from
  GROUP BY 1, 2),
received AS (
  SELECT p.id, CASE WHEN m.customer_id IS NULL THEN 'others' ELSE 'members' END AS side, pg_catalog.sum(CASE WHEN r.reverses IS NULL THEN r.amount ELSE - r.amount END) AS premium
  FROM project p
  JOIN crm.premium_receipt r ON r.received_on BETWEEN p.trial_from AND p.trial_to
  JOIN crm.customer c ON c.id = r.customer_id
  LEFT JOIN crm.mining_member m ON m.project_id = p.id AND m.customer_id = r.customer_id
  WHERE m.customer_id IS NOT NULL OR c.known_from <= p.trial_from
  GROUP BY 1, 2),
open AS (
  SELECT s.id AS project_id, s.side, s.customers, coalesce(b.buyers, 0) AS buyers, coalesce(b.buyers_before, 0) AS buyers_before, coalesce(b.policies, 0) AS policies,
         coalesce(b.amount, 0) AS amount, coalesce(b.annual_premium, 0) AS annual_premium, coalesce(r.premium, 0) AS premium_received
  FROM size s
  LEFT JOIN bought b ON b.id = s.id AND b.side = s.side
  LEFT JOIN received r ON r.id = s.id AND r.side = s.side)
SELECT r.project_id::text || '/' || r.side AS mining_result_key, r.project_id, r.side, r.is_final, r.customers, r.buyers, r.buyers_before, r.policies, r.amount, r.annual_premium, r.premium_received,
       r.buyers::numeric / nullif(r.customers, 0) AS buyer_rate, r.buyers_before::numeric / nullif(r.customers, 0) AS buyer_rate_before,
       r.amount / nullif(r.customers, 0) AS amount_per_customer
FROM (
  SELECT x.project_id, x.side, true AS is_final, x.customers, x.buyers, x.buyers_before, x.policies, x.amount, x.annual_premium, x.premium_received FROM crm.mining_result x
  UNION ALL
  SELECT x.project_id, x.side, false, x.customers, x.buyers, x.buyers_before, x.policies, x.amount, x.annual_premium, x.premium_received FROM open x) r;
COMMENT ON VIEW crm_bi.mining_result IS 'What came of mining projects, of their members beside the others: two rows each, as kept at the closing, else up to today. 挖掘项目评估';
COMMENT ON COLUMN crm_bi.mining_result.mining_result_key IS 'Key of the row. 主键';
COMMENT ON COLUMN crm_bi.mining_result.project_id IS 'Project. 项目';
COMMENT ON COLUMN crm_bi.mining_result.side IS 'members, or others: customers known on the first day of the trial who are no members. 对比组';
COMMENT ON COLUMN crm_bi.mining_result.is_final IS 'Kept at the closing. 已定稿';
COMMENT ON COLUMN crm_bi.mining_result.customers IS 'How many customers. 客户数';
COMMENT ON COLUMN crm_bi.mining_result.buyers IS 'Those who bought within the trial. 购买客户数';
COMMENT ON COLUMN crm_bi.mining_result.buyers_before IS 'Those who bought within as many days right before it. 前期购买客户数';
COMMENT ON COLUMN crm_bi.mining_result.policies IS 'Policies bought within the trial. 购买保单数';
COMMENT ON COLUMN crm_bi.mining_result.amount IS 'Their contractual premium. 购买金额';
COMMENT ON COLUMN crm_bi.mining_result.annual_premium IS 'Their annual premium. 年化保费';
COMMENT ON COLUMN crm_bi.mining_result.premium_received IS 'Premium received within the trial for any policy. 实收保费';
COMMENT ON COLUMN crm_bi.mining_result.buyer_rate IS 'buyers / customers. 购买率';
COMMENT ON COLUMN crm_bi.mining_result.buyer_rate_before IS 'buyers_before / customers. 前期购买率';
COMMENT ON COLUMN crm_bi.mining_result.amount_per_customer IS 'amount / customers. 户均购买金额';

-- the functions that keep models, rules and results read what everybody reads
DECLARE
  owner regrole := (SELECT c.relowner FROM pg_class c WHERE c.oid = 'crm.customer'::regclass);
BEGIN
  EXECUTE format('GRANT USAGE ON SCHEMA crm_bi TO %s', owner);
  EXECUTE format('GRANT SELECT ON crm_bi.purchase_history, crm_bi.owned_product, crm_bi.mining_result TO %s', owner);
END;
