-- classify: profit by customer and by class, concentration, scores of recency, frequency and money

INSERT INTO crm.setting_kind (name, type, initial, by_unit, rebuilds, description) VALUES
  ('age_bands', 'crm.scale', '"0-17", "18-24" 18, "25-34" 25, "35-44" 35, "45-54" 45, "55-64" 55, "65+" 65', false, false,
   'Bands of age in structures of customers.');

-- The functions below read crm_bi with the rights of who calls them. They name the day by crm.as_of, which their SET clause puts back.

CREATE FUNCTION crm._check_period(from_date date, to_date date) RETURNS void
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF from_date IS NULL OR to_date IS NULL THEN
    RAISE EXCEPTION 'a period needs its first and last day' USING ERRCODE = 'null_value_not_allowed';
  ELSIF to_date < from_date THEN
    RAISE EXCEPTION 'the period from % to % is empty', from_date, to_date
      USING ERRCODE = 'invalid_parameter_value', HINT = 'Name the first day before the last.';
  ELSIF NOT isfinite(from_date) OR NOT isfinite(to_date) THEN
    RAISE EXCEPTION 'the period from % to % has no end', from_date, to_date USING ERRCODE = 'invalid_parameter_value';
  END IF;
END
$$;
COMMENT ON FUNCTION crm._check_period(date, date) IS 'Refuses what is no period. Errors: 22004, 22023.';

CREATE FUNCTION crm.customer_profit(from_date date, to_date date,
  OUT customer_id bigint, OUT premium numeric, OUT claims numeric, OUT selling_cost numeric, OUT servicing_cost numeric, OUT commission numeric, OUT profit numeric)
RETURNS SETOF record LANGUAGE plpgsql STABLE ROWS 100000 SET search_path = pg_catalog, pg_temp SET crm.as_of = '' AS $$
#variable_conflict use_column
BEGIN
  PERFORM crm._check_period(from_date, to_date), crm._take_day(to_date);
  RETURN QUERY
  SELECT e.customer_id, sum(e.premium), sum(e.claims), sum(e.selling_cost), sum(e.servicing_cost), sum(e.commission), sum(e.profit)
  FROM crm_bi.profit_entry e
  WHERE e.day BETWEEN customer_profit.from_date AND customer_profit.to_date
  GROUP BY e.customer_id;
END
$$;
COMMENT ON FUNCTION crm.customer_profit(date, date) IS
  'What each customer brought and cost from a day to a day, both inclusive: premium received less reversals, claims paid, costs of selling and servicing, commissions, and premium less all of these. Customers without any are left out. With the caller''s rights on crm_bi.profit_entry. Errors: 22004, 22023. 客户利润';

CREATE FUNCTION crm.customer_structure(dimension text, from_date date, to_date date, org_id bigint DEFAULT NULL,
  OUT class text, OUT customers bigint, OUT premium numeric, OUT claims numeric, OUT selling_cost numeric, OUT servicing_cost numeric, OUT commission numeric, OUT profit numeric,
  OUT all_customers bigint, OUT all_premium numeric, OUT all_profit numeric,
  OUT customer_share numeric, OUT premium_share numeric, OUT profit_share numeric, OUT cumulative_customer_share numeric, OUT cumulative_profit_share numeric)
RETURNS SETOF record LANGUAGE plpgsql STABLE ROWS 100 SET search_path = pg_catalog, pg_temp SET crm.as_of = '' SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
DECLARE
  ages CONSTANT crm.scale := crm.setting_value('age_bands', to_date)::crm.scale;
BEGIN
  PERFORM crm._check_period(from_date, to_date), crm._take_day(to_date);
  IF customer_structure.dimension IS NULL OR customer_structure.dimension NOT IN ('tier', 'coverage', 'activity', 'channel', 'kind', 'age', 'unit', 'line') THEN
    RAISE EXCEPTION 'there is no structure by "%"', customer_structure.dimension
      USING ERRCODE = 'invalid_parameter_value', HINT = 'Structures are by tier, coverage, activity, channel, kind, age, unit and line.';
  ELSIF customer_structure.org_id IS NOT NULL AND NOT EXISTS (SELECT FROM crm_bi.organisation o WHERE o.org_id = customer_structure.org_id) THEN
    RAISE EXCEPTION 'there is no unit "%"', customer_structure.org_id USING ERRCODE = 'invalid_parameter_value';
  END IF;
  RETURN QUERY
  WITH below AS (
    SELECT t.descendant_id AS org_id, o.code FROM crm_bi.organisation o JOIN crm_bi.organisation_tree t ON t.ancestor_id = o.org_id
    WHERE o.parent_id IS NOT DISTINCT FROM customer_structure.org_id
    UNION ALL
    SELECT o.org_id, o.code FROM crm_bi.organisation o WHERE o.org_id = customer_structure.org_id),
  entry AS (
    SELECT e.customer_id, CASE customer_structure.dimension WHEN 'line' THEN coalesce(e.product_line, 'none') END AS line,
           sum(e.premium) AS premium, sum(e.claims) AS claims, sum(e.selling_cost) AS selling_cost, sum(e.servicing_cost) AS servicing_cost,
           sum(e.commission) AS commission, sum(e.profit) AS profit
    FROM crm_bi.profit_entry e
    WHERE e.day BETWEEN customer_structure.from_date AND customer_structure.to_date
    GROUP BY 1, 2
    UNION ALL
    SELECT o.customer_id, o.product_line, 0, 0, 0, 0, 0, 0 FROM crm_bi.owned_product o
    WHERE customer_structure.dimension = 'line' AND o.product_line IS NOT NULL),
  part AS MATERIALIZED (
    SELECT c.customer_id,
           CASE customer_structure.dimension
             WHEN 'tier' THEN c.tier WHEN 'coverage' THEN coalesce(c.coverage, 'none') WHEN 'activity' THEN c.activity WHEN 'channel' THEN c.channel WHEN 'kind' THEN c.kind
             WHEN 'age' THEN coalesce(crm.grade(ages, extract(year FROM age(customer_structure.to_date, c.birth_date))), 'unknown')
             WHEN 'unit' THEN b.code ELSE e.line END AS class,
           e.premium, e.claims, e.selling_cost, e.servicing_cost, e.commission, e.profit
    FROM crm_bi.customer c
    JOIN below b ON b.org_id = c.org_id
    LEFT JOIN entry e ON e.customer_id = c.customer_id
    WHERE CASE customer_structure.dimension WHEN 'line' THEN e.line IS NOT NULL ELSE c.coverage IS NOT NULL OR e.customer_id IS NOT NULL END),
  counted AS (
    SELECT p.class, CASE customer_structure.dimension WHEN 'line' THEN count(DISTINCT p.customer_id) ELSE count(*) END AS customers,
           coalesce(sum(p.premium), 0) AS premium, coalesce(sum(p.claims), 0) AS claims, coalesce(sum(p.selling_cost), 0) AS selling_cost,
           coalesce(sum(p.servicing_cost), 0) AS servicing_cost, coalesce(sum(p.commission), 0) AS commission, coalesce(sum(p.profit), 0) AS profit
    FROM part p GROUP BY 1),
  whole AS (
    SELECT sum(n.premium) AS premium, sum(n.profit) AS profit,
           CASE customer_structure.dimension WHEN 'line' THEN (SELECT count(DISTINCT p.customer_id) FROM part p) ELSE sum(n.customers)::bigint END AS customers
    FROM counted n)
  SELECT n.class, n.customers, n.premium, n.claims, n.selling_cost, n.servicing_cost, n.commission, n.profit, w.customers, w.premium, w.profit,
         n.customers::numeric / nullif(w.customers, 0), n.premium / nullif(w.premium, 0), n.profit / nullif(w.profit, 0),
         sum(n.customers) OVER o / nullif(w.customers, 0), sum(n.profit) OVER o / nullif(w.profit, 0)
  FROM counted n CROSS JOIN whole w
  WINDOW o AS (ORDER BY n.profit DESC, n.class)
  ORDER BY n.profit DESC, n.class;
END
$$;
COMMENT ON FUNCTION crm.customer_structure(text, date, date, bigint) IS
  'Structure of customers and of profit from a day to a day, both inclusive, by tier, coverage, activity, channel, kind, age, unit (those right below org_id) or line of products, as customers stand on the last day; org_id: only its subtree. The class that brings most comes first; shares are of the customers, premium and profit of all classes. A customer with products of several lines counts in each, so that by line the shares of customers add up to more than 1. With the caller''s rights on crm_bi. Errors: 22004, 22023. 客户结构与利润结构';

CREATE FUNCTION crm.pareto(from_date date, to_date date, basis text DEFAULT 'premium',
  OUT customer_id bigint, OUT value numeric, OUT place bigint, OUT customers bigint, OUT cumulative_share numeric, OUT abc text, OUT in_top_fifth boolean)
RETURNS SETOF record LANGUAGE plpgsql STABLE ROWS 100000 SET search_path = pg_catalog, pg_temp SET crm.as_of = '' SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
BEGIN
  PERFORM crm._check_period(from_date, to_date), crm._take_day(to_date);
  IF basis IS NULL OR basis NOT IN ('premium', 'profit', 'amount') THEN
    RAISE EXCEPTION 'there is no value of customers by "%"', basis
      USING ERRCODE = 'invalid_parameter_value', HINT = 'Value is by premium, profit or amount.';
  END IF;
  RETURN QUERY
  WITH entry AS (
    SELECT e.customer_id, sum(CASE pareto.basis WHEN 'premium' THEN e.premium ELSE e.profit END) AS value
    FROM crm_bi.profit_entry e
    WHERE pareto.basis <> 'amount' AND e.day BETWEEN pareto.from_date AND pareto.to_date
    GROUP BY 1),
  valued AS (
    SELECT c.customer_id, CASE pareto.basis WHEN 'amount' THEN c.amount ELSE coalesce(e.value, 0) END AS value
    FROM crm_bi.customer c LEFT JOIN entry e ON e.customer_id = c.customer_id
    WHERE c.coverage = 'insured' OR e.customer_id IS NOT NULL)
  SELECT r.customer_id, r.value, r.place, r.customers, r.cumulative_share::numeric, crm.grade('A, B 0.8, C 0.95', r.share_before), r.place <= ceil(r.customers * 0.2)
  FROM (SELECT v.customer_id, v.value, row_number() OVER (ORDER BY v.value DESC, v.customer_id) AS place, count(*) OVER () AS customers,
               crm.cumulative_share(v.value) OVER (ORDER BY v.value DESC) AS cumulative_share, crm.share_before(v.value) OVER (ORDER BY v.value DESC) AS share_before
        FROM valued v) r;
END
$$;
COMMENT ON FUNCTION crm.pareto(date, date, text) IS
  'Who brings how much: customers insured on the last day or with money moved in the period, by premium received, profit, or the amount that the tier goes by on the last day; the largest first. cumulative_share: of the value of all, held by those up to this one and its equals; abc: A those before whom lie less than 80 %, C those before whom lie 95 %; NULL where all together bring nothing. in_top_fifth: the fifth of customers with the largest values, the smaller key first among equals. With the caller''s rights on crm_bi. Errors: 22004, 22023. 二八分析';

CREATE FUNCTION crm.rfm(as_of date, org_id bigint DEFAULT NULL, channel text DEFAULT NULL, classes integer DEFAULT 5,
  OUT customer_id bigint, OUT last_on date, OUT recency_days integer, OUT frequency bigint, OUT amount numeric,
  OUT rank_r integer, OUT rank_f integer, OUT rank_m integer, OUT bound_r integer, OUT bound_f integer, OUT bound_m integer)
RETURNS SETOF record LANGUAGE plpgsql STABLE ROWS 100000 SET search_path = pg_catalog, pg_temp SET crm.as_of = '' SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
BEGIN
  PERFORM crm._check_period(as_of, as_of), crm._take_day(as_of);
  RETURN QUERY
  WITH history AS (
    SELECT h.customer_id, h.last_on, h.purchases, h.amount FROM crm_bi.purchase_history h
    WHERE rfm.org_id IS NULL AND rfm.channel IS NULL
       OR h.customer_id IN (
         SELECT c.customer_id FROM crm_bi.customer c
         WHERE (rfm.org_id IS NULL OR c.org_id IN (SELECT t.descendant_id FROM crm_bi.organisation_tree t WHERE t.ancestor_id = rfm.org_id))
           AND (rfm.channel IS NULL OR c.channel = rfm.channel))),
  bound AS (
    SELECT crm.quantile_bounds(h.last_on - date '2000-01-01', rfm.classes) AS r, crm.quantile_bounds(h.purchases, rfm.classes) AS f,
           crm.quantile_bounds(h.amount::double precision, rfm.classes) AS m
    FROM history h)
  SELECT h.customer_id, h.last_on, rfm.as_of - h.last_on, h.purchases, h.amount,
         crm.rank_score(rfm.classes) OVER (ORDER BY h.last_on), crm.rank_score(rfm.classes) OVER (ORDER BY h.purchases), crm.rank_score(rfm.classes) OVER (ORDER BY h.amount),
         crm.bound_score(h.last_on - date '2000-01-01', b.r), crm.bound_score(h.purchases, b.f), crm.bound_score(h.amount::double precision, b.m)
  FROM history h CROSS JOIN bound b;
END
$$;
COMMENT ON FUNCTION crm.rfm(date, bigint, text, integer) IS
  'Recency, frequency and money of who had bought up to a day, scored among the customers of a subtree and channel (NULL: all) in classes from 1, the best the highest: by ranks (crm.rank_score) and by quantile bounds (crm.bound_score). Frequency counts days with a purchase, money the contractual premium of what was bought. With the caller''s rights on crm_bi. Errors: 22004, 22023. RFM评分';

CREATE FUNCTION crm.over_limit(from_date date, to_date date, org_id bigint DEFAULT NULL, basis text DEFAULT 'amount', low numeric DEFAULT 10000, high numeric DEFAULT 50000,
  OUT month_end date, OUT customers bigint, OUT over_low bigint, OUT over_high bigint, OUT share_over_low numeric, OUT share_over_high numeric, OUT high_of_low numeric)
RETURNS SETOF record LANGUAGE plpgsql STABLE ROWS 12 SET search_path = pg_catalog, pg_temp SET crm.as_of = '' SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
BEGIN
  PERFORM crm._check_period(from_date, to_date), crm._take_day(to_date);
  IF basis IS NULL OR basis NOT IN ('amount', 'balance', 'assets') THEN
    RAISE EXCEPTION 'there is no limit by "%"', basis USING ERRCODE = 'invalid_parameter_value', HINT = 'Limits are by amount, balance or assets (both).';
  ELSIF low IS NULL OR high IS NULL OR low = 'NaN' OR high = 'NaN' OR low < 0 OR high < low THEN
    RAISE EXCEPTION 'limits "%" and "%" do not ascend from 0', low, high USING ERRCODE = 'invalid_parameter_value';
  ELSIF over_limit.org_id IS NOT NULL AND NOT EXISTS (SELECT FROM crm_bi.organisation o WHERE o.org_id = over_limit.org_id) THEN
    RAISE EXCEPTION 'there is no unit "%"', over_limit.org_id USING ERRCODE = 'invalid_parameter_value';
  ELSIF to_date - from_date > 36600 THEN
    RAISE EXCEPTION 'the period from % to % is longer than a century', from_date, to_date USING ERRCODE = 'invalid_parameter_value';
  END IF;
  RETURN QUERY
  -- what holds from a day on holds from the first month end then, unless it has changed by it
  WITH month AS MATERIALIZED (
    SELECT (m.m + interval '1 month - 1 day')::date AS month_end
    FROM generate_series(date_trunc('month', over_limit.from_date::timestamp), over_limit.to_date::timestamp, interval '1 month') AS m (m)
    WHERE (m.m + interval '1 month - 1 day')::date BETWEEN over_limit.from_date AND over_limit.to_date),
  span AS (
    SELECT s.customer_id, s.amount, s.valid_from, coalesce(s.valid_to, 'infinity') AS valid_to
    FROM crm_bi.standing s
    WHERE (over_limit.org_id IS NULL OR s.org_id IN (SELECT t.descendant_id FROM crm_bi.organisation_tree t WHERE t.ancestor_id = over_limit.org_id))
      AND s.coverage IS NOT NULL AND s.valid_from <= over_limit.to_date AND coalesce(s.valid_to > over_limit.from_date, true)),
  held AS MATERIALIZED (
    SELECT b.customer_id, m.month_end, sum(b.balance) AS balance
    FROM crm_bi.product_balance b JOIN month m ON b.from_date <= m.month_end AND coalesce(b.to_date > m.month_end, true)
    WHERE over_limit.basis <> 'amount' AND b.nature = 'asset'
    GROUP BY 1, 2),
  -- spans without balances are counted as steps, those of customers with balances month by month
  value AS (
    SELECT s.valid_from, s.valid_to, CASE over_limit.basis WHEN 'balance' THEN 0 ELSE s.amount END AS value, 1 AS n
    FROM span s
    UNION ALL
    SELECT h.month_end, h.month_end + 1, CASE over_limit.basis WHEN 'balance' THEN 0 ELSE s.amount END, -1
    FROM held h JOIN span s ON s.customer_id = h.customer_id AND s.valid_from <= h.month_end AND s.valid_to > h.month_end
    UNION ALL
    SELECT h.month_end, h.month_end + 1, h.balance + CASE over_limit.basis WHEN 'balance' THEN 0 ELSE s.amount END, 1
    FROM held h JOIN span s ON s.customer_id = h.customer_id AND s.valid_from <= h.month_end AND s.valid_to > h.month_end),
  step AS MATERIALIZED (
    SELECT x.day, sum(v.n * x.sign)::bigint AS customers, coalesce(sum(v.n * x.sign) FILTER (WHERE v.value > over_limit.low), 0)::bigint AS over_low,
           coalesce(sum(v.n * x.sign) FILTER (WHERE v.value > over_limit.high), 0)::bigint AS over_high
    FROM value v CROSS JOIN LATERAL (VALUES (v.valid_from, 1), (v.valid_to, -1)) AS x (day, sign)
    WHERE x.day <= over_limit.to_date
    GROUP BY x.day)
  SELECT m.month_end, t.customers, t.over_low, t.over_high, t.over_low::numeric / nullif(t.customers, 0), t.over_high::numeric / nullif(t.customers, 0),
         t.over_high::numeric / nullif(t.over_low, 0)
  FROM month m
  CROSS JOIN LATERAL (
    SELECT coalesce(sum(s.customers), 0)::bigint AS customers, coalesce(sum(s.over_low), 0)::bigint AS over_low, coalesce(sum(s.over_high), 0)::bigint AS over_high
    FROM step s WHERE s.day <= m.month_end) t
  ORDER BY m.month_end;
END
$$;
COMMENT ON FUNCTION crm.over_limit(date, date, bigint, text, numeric, numeric) IS
  'At each month end from a day to a day, of the customers then known in a subtree (NULL: all): how many have more than low and more than high, as shares of all, and those over high as a share of those over low; by contractual amount in force, by balance of holdings that are assets, or by assets, both together. With the caller''s rights on crm_bi. Errors: 22004, 22023. 万元以上客户占比';
