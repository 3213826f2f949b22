-- The figures of crm_bi.kpi_event in plain SQL, from their definitions and the rows that people write alone.
-- oracle.event_build() goes on from what oracle.build() left and leaves the figures of each unit on its own in pg_temp.o_event.

CREATE FUNCTION oracle.event_cell(of_customer bigint, on_day date) RETURNS TABLE (org_id bigint, channel_id bigint, kind text)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
  SELECT h.org_id,
         coalesce((SELECT v.channel_id FROM o_cover v WHERE v.customer_id = of_customer AND v.from_date <= on_day AND on_day < v.to_date
                   ORDER BY v.own DESC, v.annual_premium DESC, v.issued_on, v.policy_id LIMIT 1),
                  (SELECT l.channel_id FROM o_last l WHERE l.customer_id = of_customer AND l.from_date <= on_day AND on_day < l.to_date ORDER BY l.own DESC LIMIT 1),
                  c.source_channel_id), c.kind
  FROM o_customer c JOIN o_home h ON h.customer_id = c.customer_id AND h.from_date <= on_day AND on_day < h.to_date WHERE c.customer_id = of_customer;
END
$$;

CREATE FUNCTION oracle.event_build(as_of date) RETURNS void LANGUAGE plpgsql SET client_min_messages = warning SET work_mem = '256MB' AS $build$
DECLARE
  zone text := oracle.setting('business_time_zone');
BEGIN
  DROP TABLE IF EXISTS o_held, o_event_row, o_event_cell, o_event;
  -- what counts: whom, on which day the cell is taken, and for what
  CREATE TEMP TABLE o_event_row (code text, class text, grain text, period_start date, customer_id bigint, day date, numerator numeric, denominator numeric, open boolean DEFAULT false);

  -- insured at opening who introduced somebody
  INSERT INTO o_event_row
  SELECT 'referral_rate', NULL, p.grain, p.period_start, s.customer_id, p.opening,
         CASE WHEN EXISTS (SELECT FROM crm.prospect q WHERE q.introduced_by = s.customer_id AND q.entered_on BETWEEN p.period_start AND p.closing) THEN 1 ELSE 0 END, 1
  FROM o_period p JOIN o_standing s ON s.day = p.opening AND s.coverage = 'insured';

  -- those introduced, once, on the first day
  INSERT INTO o_event_row
  SELECT 'referral_conversion', NULL, q.grain, q.period_start, q.customer_id, q.day,
         CASE WHEN EXISTS (SELECT FROM o_purchase b WHERE b.customer_id = q.customer_id AND b.day BETWEEN q.day AND as_of) THEN 1 ELSE 0 END, 1
  FROM (SELECT p.grain, p.period_start, q.customer_id, min(q.entered_on) AS day
        FROM o_period p JOIN crm.prospect q ON q.entered_on BETWEEN p.period_start AND p.closing
        WHERE q.introduced_by IS NOT NULL GROUP BY p.grain, p.period_start, q.customer_id) q;

  -- complaints, on the day of the business calendar; of a period in the cells of a unit each class that it has there
  INSERT INTO o_event_row
  SELECT 'complaints_per_10k', NULL, p.grain, p.period_start, c.customer_id, c.day, 1, 0
  FROM o_period p JOIN (SELECT x.customer_id, (x.opened_at AT TIME ZONE zone)::date AS day FROM crm.service_case x WHERE x.kind = 'complaint') c ON c.day BETWEEN p.period_start AND p.closing;
  INSERT INTO o_event_row
  SELECT 'complaint_share', x.category, p.grain, p.period_start, x.customer_id, (x.opened_at AT TIME ZONE zone)::date, 1, 0
  FROM crm.service_case x JOIN o_period p ON (x.opened_at AT TIME ZONE zone)::date BETWEEN p.period_start AND p.closing WHERE x.kind = 'complaint';
  INSERT INTO o_event_row
  SELECT 'complaint_share_by_staff', coalesce(f.code, 'none'), p.grain, p.period_start, x.customer_id, (x.opened_at AT TIME ZONE zone)::date, 1, 0
  FROM crm.service_case x LEFT JOIN crm.staff f ON f.id = x.staff_id
  JOIN o_period p ON (x.opened_at AT TIME ZONE zone)::date BETWEEN p.period_start AND p.closing WHERE x.kind = 'complaint';

  -- holdings numbered, those that continue a narrower one as one with it
  CREATE TEMP TABLE o_held AS
  SELECT y.customer_id, y.part, min(y.day) AS first_day, max(y.last_day) AS last_day, (array_agg(y.start_cause ORDER BY y.n))[1] AS start_cause, (array_agg(y.end_cause ORDER BY y.n DESC))[1] AS end_cause
  FROM (SELECT x.*, count(*) FILTER (WHERE x.before IS DISTINCT FROM 'narrowing') OVER (PARTITION BY x.customer_id ORDER BY x.n) AS part
        FROM (SELECT h.customer_id, h.start_cause, h.end_cause, (h.held_from AT TIME ZONE zone)::date AS day, coalesce((h.held_to AT TIME ZONE zone)::date, 'infinity') AS last_day,
                     row_number() OVER w AS n, lag(h.end_cause) OVER w AS before
              FROM crm.holding h WINDOW w AS (PARTITION BY h.customer_id ORDER BY h.held_from, h.id)) x) y
  GROUP BY y.customer_id, y.part;

  -- customers allocated, in each class once, on the first day
  INSERT INTO o_event_row
  SELECT 'development', a.class, p.grain, p.period_start, a.customer_id, min(a.first_day), max(a.bought), 1, bool_or(a.until > as_of)
  FROM o_period p
  JOIN (SELECT b.*, CASE WHEN EXISTS (SELECT FROM o_purchase q WHERE q.customer_id = b.customer_id AND q.day BETWEEN b.first_day AND least(b.until, as_of)) THEN 1 ELSE 0 END AS bought
        FROM (SELECT h.customer_id, h.first_day,
                     h.first_day + coalesce((SELECT s.value FROM crm.setting s WHERE s.name = 'development_days' AND s.valid_from <= h.first_day ORDER BY s.valid_from DESC LIMIT 1), '90')::integer AS until,
                     CASE WHEN EXISTS (SELECT FROM o_held e WHERE e.customer_id = h.customer_id AND e.part < h.part AND e.end_cause = 'recycle') THEN 'second' ELSE 'first' END AS class
              FROM o_held h WHERE h.start_cause = 'allocation') b) a ON a.first_day BETWEEN p.period_start AND p.closing
  GROUP BY a.class, p.grain, p.period_start, a.customer_id;

  INSERT INTO o_event_row
  SELECT 'recycle', NULL, p.grain, p.period_start, h.customer_id, h.last_day, 1, 0 FROM o_period p JOIN o_held h ON h.end_cause = 'recycle' AND h.last_day BETWEEN p.period_start AND p.closing
  UNION ALL
  SELECT 'recycle', NULL, p.grain, p.period_start, h.customer_id, CASE WHEN h.first_day < p.period_start THEN p.opening ELSE h.first_day END, 0, 1
  FROM o_period p JOIN o_held h ON h.first_day <= p.closing AND h.last_day >= p.period_start;

  -- before the customer is known the cell of the first day counts
  CREATE TEMP TABLE o_event_cell AS
  SELECT d.customer_id, d.day, s.org_id, s.channel_id, s.kind
  FROM (SELECT DISTINCT r.customer_id, r.day FROM o_event_row r) d JOIN o_standing s ON s.customer_id = d.customer_id AND s.day = d.day
  UNION ALL
  SELECT d.customer_id, d.day, x.*
  FROM (SELECT DISTINCT r.customer_id, r.day FROM o_event_row r) d
  JOIN o_customer c ON c.customer_id = d.customer_id
  CROSS JOIN LATERAL oracle.event_cell(d.customer_id, greatest(d.day, c.starts)) x
  WHERE NOT EXISTS (SELECT FROM o_standing s WHERE s.customer_id = d.customer_id AND s.day = d.day);
  ANALYZE o_event_row, o_event_cell;
  CREATE INDEX ON o_event_cell (customer_id, day);
  CREATE TEMP TABLE o_event AS
  SELECT r.code, r.class, r.grain, r.period_start, c.org_id, c.channel_id, c.kind, sum(r.numerator) AS numerator, sum(r.denominator) AS denominator, bool_or(r.open) AS open
  FROM o_event_row r JOIN o_event_cell c ON c.customer_id = r.customer_id AND c.day = r.day
  GROUP BY r.code, r.class, r.grain, r.period_start, c.org_id, c.channel_id, c.kind;

  INSERT INTO o_event
  SELECT 'market_penetration', NULL, p.grain, p.period_start, b.org_id, NULL::bigint, b.kind, b.n, 0, false
  FROM o_period p JOIN o_balance b ON b.day = p.closing AND b.code = 'insured'
  WHERE date_part('year', p.period_end) IN (SELECT a.year FROM crm.addressable_population a)
  UNION ALL
  SELECT 'market_penetration', NULL, p.grain, p.period_start, a.org_id, NULL, a.kind, 0, a.n, false
  FROM o_period p JOIN crm.addressable_population a ON a.year = date_part('year', p.period_end)
  UNION ALL
  SELECT 'complaints_per_10k', NULL, p.grain, p.period_start, b.org_id, b.channel_id, b.kind, 0, b.n / 10000, false
  FROM o_period p JOIN o_balance b ON b.day = p.closing AND b.code = 'policies_in_force';

  -- as recorded in the month of closing
  INSERT INTO o_event
  SELECT 'average_completeness', NULL, p.grain, p.period_start, c.org_id, c.channel_id, c.kind, sum(round(c.score_sum, 6)), sum(c.customers), false
  FROM o_period p JOIN crm.completeness_cell c ON to_char(c.month, 'YYYY-MM') = to_char(p.closing, 'YYYY-MM')
  WHERE c.month IN (SELECT m.month FROM crm.completeness_month m WHERE m.day <= as_of)
  GROUP BY p.grain, p.period_start, c.org_id, c.channel_id, c.kind;
END
$build$;

-- What oracle.event_build() left; by_node: each unit with its subtree.
CREATE FUNCTION oracle.event_built(by_node boolean)
RETURNS TABLE (code text, class text, grain text, period_start date, org_id bigint, channel text, kind text, numerator numeric, denominator numeric, open boolean) LANGUAGE plpgsql AS $$
BEGIN
  RETURN QUERY
  WITH RECURSIVE above AS (
    SELECT o.id AS org_id, o.id AS node_id FROM crm.organisation o
    UNION ALL
    SELECT a.org_id, o.parent_id FROM above a JOIN crm.organisation o ON o.id = a.node_id WHERE by_node AND o.parent_id IS NOT NULL),
  summed AS (
    SELECT w.code, w.class, w.grain, w.period_start, a.node_id, h.code AS channel, w.kind, sum(w.numerator) AS n, sum(w.denominator) AS d, bool_or(w.open) AS open
    FROM o_event w JOIN above a ON a.org_id = w.org_id LEFT JOIN crm.channel h ON h.id = w.channel_id
    GROUP BY w.code, w.class, w.grain, w.period_start, a.node_id, h.code, w.kind)
  SELECT s.code, s.class, s.grain, s.period_start, s.node_id, s.channel, s.kind, trim_scale(s.n), trim_scale(s.d), s.open
  FROM summed s WHERE s.code !~ '^complaint_share' AND (s.n <> 0 OR s.d <> 0)
  UNION ALL
  -- every class of the unit and period in every cell of it
  SELECT c.code, k.class, c.grain, c.period_start, c.node_id, c.channel, c.kind, coalesce(trim_scale(s.n), 0), c.n, false
  FROM (SELECT x.code, x.grain, x.period_start, x.node_id, x.channel, x.kind, sum(x.n) AS n FROM summed x WHERE x.code ~ '^complaint_share' GROUP BY 1, 2, 3, 4, 5, 6) c
  JOIN (SELECT DISTINCT x.code, x.grain, x.period_start, x.node_id, x.class FROM summed x) k USING (code, grain, period_start, node_id)
  LEFT JOIN summed s USING (code, grain, period_start, node_id, channel, kind, class);
END
$$;

-- Differences between the oracle and crm_bi.kpi_event, kpi_event_own: no rows when they agree. The shown is as of crm.today().
CREATE FUNCTION oracle.event_differences(as_of date, build text DEFAULT 'oracle.event_build', relations text[] DEFAULT '{kpi_event,kpi_event_own}') RETURNS TABLE (copies bigint, relation text, code text, class text, grain text, period_start date,
  org_id bigint, channel text, kind text, numerator numeric, denominator numeric, is_complete boolean) LANGUAGE plpgsql AS $$
BEGIN
  IF to_regclass('pg_temp.e_shown') IS NULL THEN
    CREATE TEMP TABLE e_shown AS
    SELECT 'kpi_event' AS relation, k.* FROM crm_bi.kpi_event k UNION ALL SELECT 'kpi_event_own', k.* FROM crm_bi.kpi_event_own k;
  END IF;
  EXECUTE format('SELECT %s(%L)', build, as_of);
  RETURN QUERY
  SELECT sum(d.copies)::bigint, d.relation, d.code, d.class, d.grain, d.period_start, d.org_id, d.channel, d.kind, trim_scale(d.numerator), trim_scale(d.denominator), d.is_complete
  FROM (SELECT -1 AS copies, s.relation, s.code, s.class, s.grain, s.period_start, s.org_id, s.channel, s.kind, s.numerator, s.denominator, s.is_complete FROM e_shown s WHERE s.relation = ANY (relations)
        UNION ALL
        SELECT 1, r.relation, b.code, b.class, b.grain, b.period_start, b.org_id, b.channel, b.kind, b.numerator, b.denominator, p.period_end <= as_of AND NOT b.open
        FROM (VALUES ('kpi_event', true), ('kpi_event_own', false)) r (relation, by_node) CROSS JOIN LATERAL (SELECT t.* FROM oracle.event_built(r.by_node) t WHERE r.relation = ANY (relations)) b
        JOIN o_period p ON p.grain = b.grain AND p.period_start = b.period_start WHERE r.relation = ANY (relations)) d
  GROUP BY 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 HAVING sum(d.copies) <> 0;
END
$$;

-- Wrong definitions: in how many rows each makes its figure differ from what is shown.
CREATE TABLE oracle.event_mutation (code text NOT NULL, name text NOT NULL, right_text text NOT NULL, wrong_text text NOT NULL, PRIMARY KEY (code, name));
INSERT INTO oracle.event_mutation (code, name, right_text, wrong_text) VALUES
  ('average_completeness', 'of the month of opening', $$to_char(p.closing, 'YYYY-MM')$$, $$to_char(p.period_start, 'YYYY-MM')$$),
  ('average_completeness', 'recorded on a later day', 'm.day <= as_of', 'm.day IS NOT NULL'),
  ('average_completeness', 'those who are complete', 'round(c.score_sum, 6)', 'c.complete'),
  ('referral_rate', 'of the insured at closing', $$s.day = p.opening AND s.coverage = 'insured'$$, $$s.day = p.closing AND s.coverage = 'insured'$$),
  ('referral_rate', 'of everybody known', $$s.day = p.opening AND s.coverage = 'insured'$$, $$s.day = p.opening AND s.coverage IS NOT NULL$$),
  ('referral_rate', 'in the cell of the event', 's.customer_id, p.opening,', 's.customer_id, p.closing,'),
  ('referral_rate', 'an introduction on the last day is late', 'q.introduced_by = s.customer_id AND q.entered_on BETWEEN p.period_start AND p.closing', 'q.introduced_by = s.customer_id AND q.entered_on >= p.period_start AND q.entered_on < p.closing'),
  ('referral_conversion', 'every introduction counts', 'GROUP BY p.grain, p.period_start, q.customer_id) q', 'GROUP BY p.grain, p.period_start, q.customer_id, q.entered_on) q'),
  ('referral_conversion', 'purchased in the period only', 'b.day BETWEEN q.day AND as_of', $$b.day BETWEEN q.day AND least(as_of, (q.period_start + interval '1 month')::date)$$),
  ('referral_conversion', 'a purchase before counts', 'b.day BETWEEN q.day AND as_of', 'b.day <= as_of'),
  ('referral_conversion', 'in the cell at closing', 'q.customer_id, q.day,', 'q.customer_id, as_of,'),
  ('complaints_per_10k', 'of every kind of case', $$FROM crm.service_case x WHERE x.kind = 'complaint') c$$, 'FROM crm.service_case x) c'),
  ('complaints_per_10k', 'days of another zone', 'c.day BETWEEN p.period_start AND p.closing', 'c.day + 1 BETWEEN p.period_start AND p.closing'),
  ('complaints_per_10k', 'policies at opening', $$b.day = p.closing AND b.code = 'policies_in_force'$$, $$b.day = p.opening AND b.code = 'policies_in_force'$$),
  ('complaint_share', 'in the cell at closing', $$'complaint_share', x.category, p.grain, p.period_start, x.customer_id, (x.opened_at AT TIME ZONE zone)::date,$$, $$'complaint_share', x.category, p.grain, p.period_start, x.customer_id, p.closing,$$),
  ('complaint_share', 'by cause', $$'complaint_share', x.category$$, $$'complaint_share', coalesce(x.cause, x.category)$$),
  ('complaint_share_by_staff', 'without those about nobody', 'x LEFT JOIN crm.staff f', 'x JOIN crm.staff f'),
  ('development', 'what was narrowed is allocated again', $$WHERE x.before IS DISTINCT FROM 'narrowing'$$, 'WHERE true'),
  ('development', 'the second time as the first', $$THEN 'second' ELSE 'first' END AS class$$, $$THEN 'first' ELSE 'first' END AS class$$),
  ('development', 'purchases without end', 'least(b.until, as_of)', 'as_of'),
  ('development', 'windows are closed at once', 'bool_or(a.until > as_of)', 'false'),
  ('development', 'claimed is allocated', $$WHERE h.start_cause = 'allocation') b$$, $$WHERE h.start_cause IN ('allocation', 'claim')) b$$),
  ('recycle', 'released is recycled', $$h.end_cause = 'recycle' AND h.last_day BETWEEN$$, $$h.end_cause IN ('recycle', 'release') AND h.last_day BETWEEN$$),
  ('recycle', 'of holdings at closing', 'h.first_day <= p.closing AND h.last_day >= p.period_start', 'h.first_day <= p.closing AND h.last_day >= p.closing'),
  ('recycle', 'of holdings at opening', 'h.first_day <= p.closing AND h.last_day >= p.period_start', 'h.first_day < p.period_start AND h.last_day >= p.period_start'),
  ('market_penetration', 'at opening', $$b.day = p.closing AND b.code = 'insured'$$, $$b.day = p.opening AND b.code = 'insured'$$),
  ('market_penetration', 'the year in which the period begins', $$a.year = date_part('year', p.period_end)$$, $$a.year = date_part('year', p.period_start)$$),
  ('market_penetration', 'of policyholders', $$b.day = p.closing AND b.code = 'insured'$$, $$b.day = p.closing AND b.code = 'insured_by_role' AND b.class = 'policyholder'$$);

CREATE FUNCTION oracle.event_mutations_seen(as_of date) RETURNS TABLE (code text, name text, differences bigint) LANGUAGE plpgsql AS $$
DECLARE
  m oracle.event_mutation;
  body CONSTANT text := pg_get_functiondef('oracle.event_build(date)'::regprocedure);
BEGIN
  FOR m IN SELECT * FROM oracle.event_mutation LOOP
    IF (length(body) - length(replace(body, m.right_text, ''))) / length(m.right_text) = 0 THEN
      RAISE EXCEPTION 'mutation "%" changes nothing', m.name;
    END IF;
    EXECUTE replace(replace(body, 'oracle.event_build', 'oracle.event_build_wrong'), m.right_text, m.wrong_text);
    RETURN QUERY SELECT m.code, m.name, (SELECT count(*) FROM oracle.event_differences(as_of, 'oracle.event_build_wrong', '{kpi_event_own}') d WHERE d.code = m.code);
  END LOOP;
END
$$;
