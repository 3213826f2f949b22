-- classify: which products go together, and what to offer next

CREATE TABLE crm.product_rule_set (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  as_of date NOT NULL,
  level text NOT NULL CHECK (level IN ('product', 'line')),
  min_support numeric NOT NULL,
  min_confidence numeric NOT NULL,
  min_lift numeric NOT NULL,
  customers bigint NOT NULL,
  found_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  found_by text NOT NULL DEFAULT crm.actor()
);
COMMENT ON TABLE crm.product_rule_set IS 'Searches for products that go together. 产品关联分析';
COMMENT ON COLUMN crm.product_rule_set.id IS 'Key, in order of search.';
COMMENT ON COLUMN crm.product_rule_set.as_of IS 'Day on which customers had the products.';
COMMENT ON COLUMN crm.product_rule_set.level IS 'product, or line of products; holdings without a product count by category.';
COMMENT ON COLUMN crm.product_rule_set.min_support IS 'Least share of customers who have all products of a rule.';
COMMENT ON COLUMN crm.product_rule_set.min_confidence IS 'Least share of those with the left side who have the right one.';
COMMENT ON COLUMN crm.product_rule_set.min_lift IS 'Least ratio of that to the share among all customers.';
COMMENT ON COLUMN crm.product_rule_set.customers IS 'Customers who had any product.';
INSERT INTO crm.customer_reference (relation, column_name, way, note) VALUES ('crm.product_rule_set', 'customers', 'count', 'As found then.');
COMMENT ON COLUMN crm.product_rule_set.found_at IS 'When it was done.';
COMMENT ON COLUMN crm.product_rule_set.found_by IS 'Who had it done.';

CREATE TABLE crm.product_rule (
  rule_set_id bigint NOT NULL REFERENCES crm.product_rule_set ON DELETE CASCADE,
  id integer NOT NULL,
  item_1 text NOT NULL,
  item_2 text,
  item text NOT NULL,
  with_left bigint NOT NULL,
  with_right bigint NOT NULL,
  with_both bigint NOT NULL,
  PRIMARY KEY (rule_set_id, id)
);
COMMENT ON TABLE crm.product_rule IS 'Who has item_1 (and item_2) has item as well: the rules found. 产品关联规则';
COMMENT ON COLUMN crm.product_rule.rule_set_id IS 'Search.';
COMMENT ON COLUMN crm.product_rule.id IS 'Key within the search: the most confident rules first.';
COMMENT ON COLUMN crm.product_rule.item_1 IS 'Left side: product:, line: or category: and the code.';
COMMENT ON COLUMN crm.product_rule.item_2 IS 'Second one of the left side; NULL: none.';
COMMENT ON COLUMN crm.product_rule.item IS 'Right side.';
COMMENT ON COLUMN crm.product_rule.with_left IS 'Customers who have the left side.';
COMMENT ON COLUMN crm.product_rule.with_right IS 'Customers who have the right side.';
COMMENT ON COLUMN crm.product_rule.with_both IS 'Customers who have both.';

-- Customers are many and different sets of products few: all counting is over the sets.
CREATE FUNCTION crm.find_product_rules(as_of date, level text DEFAULT 'product', min_support numeric DEFAULT 0.001, min_confidence numeric DEFAULT 0.05, min_lift numeric DEFAULT 1) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET crm.as_of = '' SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
DECLARE
  set_id bigint;
BEGIN
  PERFORM crm._check_period(as_of, as_of), crm._take_day(as_of);
  IF find_product_rules.level IS NULL OR find_product_rules.level NOT IN ('product', 'line') THEN
    RAISE EXCEPTION 'there are no rules by "%"', find_product_rules.level USING ERRCODE = 'invalid_parameter_value', HINT = 'Rules are by product or line.';
  ELSIF coalesce(min_support, -1) NOT BETWEEN 0 AND 1 OR coalesce(min_confidence, -1) NOT BETWEEN 0 AND 1 THEN
    RAISE EXCEPTION 'support "%" and confidence "%" are not both from 0 to 1', min_support, min_confidence USING ERRCODE = 'invalid_parameter_value';
  ELSIF min_lift IS NULL OR min_lift = 'NaN' OR min_lift < 0 THEN
    RAISE EXCEPTION 'lift "%" is not 0 or more', min_lift USING ERRCODE = 'invalid_parameter_value';
  END IF;
  INSERT INTO crm.product_rule_set AS s (as_of, level, min_support, min_confidence, min_lift, customers)
  VALUES (find_product_rules.as_of, find_product_rules.level, find_product_rules.min_support, find_product_rules.min_confidence, find_product_rules.min_lift, 0)
  RETURNING s.id INTO set_id;
  WITH basket AS MATERIALIZED (
    SELECT b.items, count(*) AS n
    FROM (SELECT o.customer_id, array_agg(DISTINCT CASE find_product_rules.level WHEN 'line' THEN o.line_item ELSE o.item END COLLATE "C") AS items
          FROM crm_bi.owned_product o GROUP BY o.customer_id) b
    GROUP BY b.items),
  whole AS (SELECT coalesce(sum(b.n), 0)::bigint AS n, greatest(1, ceil(coalesce(sum(b.n), 0) * find_product_rules.min_support)) AS least FROM basket b),
  counted AS (
    UPDATE crm.product_rule_set s SET customers = w.n FROM whole w WHERE s.id = set_id),
  one AS MATERIALIZED (
    SELECT i.item, sum(b.n)::bigint AS n FROM basket b CROSS JOIN unnest(b.items) AS i (item)
    GROUP BY i.item HAVING sum(b.n) >= (SELECT w.least FROM whole w)),
  often AS MATERIALIZED (
    SELECT b.items, sum(b.n)::bigint AS n
    FROM (SELECT array_agg(i.item ORDER BY i.item) AS items, b.n
          FROM basket b CROSS JOIN unnest(b.items) AS i (item) JOIN one o ON o.item = i.item
          GROUP BY b.items, b.n) b
    GROUP BY b.items),
  two AS MATERIALIZED (
    SELECT x.item AS a, y.item AS b, sum(o.n)::bigint AS n
    FROM often o CROSS JOIN unnest(o.items) AS x (item) CROSS JOIN unnest(o.items) AS y (item)
    WHERE x.item < y.item
    GROUP BY x.item, y.item HAVING sum(o.n) >= (SELECT w.least FROM whole w)),
  three AS MATERIALIZED (
    SELECT t.a, t.b, z.item AS c, sum(o.n)::bigint AS n
    FROM often o CROSS JOIN unnest(o.items) AS x (item) CROSS JOIN unnest(o.items) AS y (item) JOIN two t ON t.a = x.item AND t.b = y.item
    CROSS JOIN unnest(o.items) AS z (item)
    WHERE z.item > y.item
    GROUP BY t.a, t.b, z.item HAVING sum(o.n) >= (SELECT w.least FROM whole w)),
  rule AS (
    SELECT t.a AS item_1, NULL::text AS item_2, t.b AS item, l.n AS with_left, t.n AS with_both FROM two t JOIN one l ON l.item = t.a
    UNION ALL
    SELECT t.b, NULL, t.a, l.n, t.n FROM two t JOIN one l ON l.item = t.b
    UNION ALL
    SELECT t.a, t.b, t.c, l.n, t.n FROM three t JOIN two l ON l.a = t.a AND l.b = t.b
    UNION ALL
    SELECT t.a, t.c, t.b, l.n, t.n FROM three t JOIN two l ON l.a = t.a AND l.b = t.c
    UNION ALL
    SELECT t.b, t.c, t.a, l.n, t.n FROM three t JOIN two l ON l.a = t.b AND l.b = t.c)
  INSERT INTO crm.product_rule (rule_set_id, id, item_1, item_2, item, with_left, with_right, with_both)
  SELECT set_id, row_number() OVER (ORDER BY r.with_both::numeric / r.with_left DESC, r.with_both::numeric / r.with_left / o.n DESC, r.with_both DESC, r.item_2 IS NOT NULL,
                                    r.item_1 COLLATE "C", r.item_2 COLLATE "C", r.item COLLATE "C"),
         r.item_1, r.item_2, r.item, r.with_left, o.n, r.with_both
  FROM rule r JOIN one o ON o.item = r.item CROSS JOIN whole w
  WHERE r.with_both >= find_product_rules.min_confidence * r.with_left AND r.with_both::numeric * w.n >= find_product_rules.min_lift * r.with_left * o.n;
  RETURN set_id;
END
$$;
COMMENT ON FUNCTION crm.find_product_rules(date, text, numeric, numeric, numeric) IS
  'Finds the rules "who has this product, or these two, has that one" among the products that customers have on a day, keeps them in crm.product_rule and returns the key of the search. support: share of the customers with any product who have all of the rule; confidence: share of those with the left side who have the right one; lift: that over the share of the right one among all. Errors: 22004, 22023. 产品关联分析';
REVOKE ALL ON FUNCTION crm.find_product_rules(date, text, numeric, numeric, numeric) FROM PUBLIC;

CREATE FUNCTION crm.next_products(level text DEFAULT 'product', customer_id bigint DEFAULT NULL, at_most integer DEFAULT 3,
  OUT customer bigint, OUT place integer, OUT item text, OUT because text, OUT rule_set_id bigint, OUT rule_id integer)
RETURNS SETOF record LANGUAGE plpgsql STABLE ROWS 100000 SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
BEGIN
  IF next_products.level IS NULL OR next_products.level NOT IN ('product', 'line') THEN
    RAISE EXCEPTION 'there are no rules by "%"', next_products.level USING ERRCODE = 'invalid_parameter_value', HINT = 'Rules are by product or line.';
  ELSIF at_most IS NULL OR at_most < 1 THEN
    RAISE EXCEPTION 'number of products "%" is not 1 or more', at_most USING ERRCODE = 'invalid_parameter_value';
  END IF;
  RETURN QUERY
  WITH rule AS MATERIALIZED (
    SELECT r.* FROM crm_bi.product_rule r WHERE r.is_latest AND r.level = next_products.level),
  owned AS MATERIALIZED (
    SELECT o.customer_id, array_agg(DISTINCT CASE next_products.level WHEN 'line' THEN o.line_item ELSE o.item END COLLATE "C") AS items
    FROM crm_bi.owned_product o
    WHERE (next_products.customer_id IS NULL OR o.customer_id = next_products.customer_id) AND EXISTS (SELECT FROM rule)
    GROUP BY o.customer_id),
  best AS (
    SELECT f.items, f.rule_id, row_number() OVER (PARTITION BY f.items ORDER BY f.rule_id)::integer AS place
    FROM (SELECT s.items, r.item, min(r.rule_id) AS rule_id
          FROM (SELECT DISTINCT o.items FROM owned o) s
          CROSS JOIN unnest(s.items) AS i (item)
          JOIN rule r ON r.item_1 = i.item
          WHERE (r.item_2 IS NULL OR r.item_2 = ANY (s.items)) AND r.item <> ALL (s.items)
          GROUP BY s.items, r.item) f)
  SELECT o.customer_id, b.place, r.item,
         format('%s%s -> %s: %s of %s, %s times the usual', r.item_1, ' + ' || r.item_2, r.item, r.with_both, r.with_left, round(r.lift, 2)), r.rule_set_id, r.rule_id
  FROM owned o JOIN best b ON b.items = o.items JOIN rule r ON r.rule_id = b.rule_id
  WHERE b.place <= next_products.at_most;
END
$$;
COMMENT ON FUNCTION crm.next_products(text, bigint, integer) IS
  'What to offer next: of the products that a customer (NULL: every one) does not have today, those of the most confident rules of the latest search up to today whose left side the customer has, with the rule that says why. With the caller''s rights on crm_bi. Errors: 22023. 下一产品推荐';

GRANT SELECT ON crm.product_rule_set, crm.product_rule TO crm_bi_owner;
INSERT INTO crm.duty_right (duty, privilege, kind, object) VALUES
  ('manager', 'EXECUTE', 'FUNCTION', 'crm.find_product_rules(date, text, numeric, numeric, numeric)'),
  ('manager', 'SELECT', 'TABLE', 'crm.product_rule_set'),
  ('manager', 'SELECT', 'TABLE', 'crm.product_rule');
