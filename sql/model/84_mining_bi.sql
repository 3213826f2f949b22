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
