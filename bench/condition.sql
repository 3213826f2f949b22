-- crm.matches beside the same predicate written by hand: counts over a table with ten columns of crm_bi.customer,
-- 100,000 and one million rows, median of five runs each in turn. "call" has a condition that the planner does not know, so it
-- is evaluated on each row. Run with: psql -f bench/condition.sql
\set ON_ERROR_STOP on
\pset pager off
SET max_parallel_workers_per_gather = 0;
SET jit = off;

CREATE TEMPORARY TABLE wide AS
SELECT i::bigint AS customer_id, CASE WHEN random() < 0.97 THEN 'person' ELSE 'company' END AS kind,
       date '1940-01-01' + (random() * 25000)::integer AS birth_date, (random() * 472)::bigint AS org_id,
       (ARRAY['individual', 'bancassurance', 'group', 'online'])[1 + floor(random() * 4)] AS channel,
       (ARRAY['prospect', 'insured', 'former'])[1 + floor(random() * 3)] AS coverage,
       (ARRAY['active', 'semi_dormant', 'dormant', 'none'])[1 + floor(random() * 4)] AS activity,
       (ARRAY['lead', 'ungraded', 'iron', 'gold', 'platinum', 'none'])[1 + floor(random() * 6)] AS tier,
       round((random() * 1200000)::numeric, 2) AS amount, random() < 0.8 AS reachable
FROM generate_series(1, 1000000) AS i;
CREATE TEMPORARY TABLE narrow AS SELECT * FROM wide WHERE customer_id <= 100000;
VACUUM ANALYZE wide;
VACUUM ANALYZE narrow;

CREATE TEMPORARY TABLE cases (case_id integer, what text, condition text, predicate text);
INSERT INTO cases VALUES
(1, 'ten columns, and', $$customer_id > 10 and kind = 'person' and birth_date < today - 30 years and org_id between 10 and 400 and channel in ('individual', 'online', 'group') and coverage <> 'prospect' and activity <> 'none' and tier in ('iron', 'gold', 'platinum') and amount >= 100000 and reachable$$,
    $$customer_id > 10 AND kind = 'person' AND birth_date < '1995-12-31' AND org_id BETWEEN 10 AND 400 AND channel IN ('individual', 'online', 'group') AND coverage <> 'prospect' AND activity <> 'none' AND tier IN ('iron', 'gold', 'platinum') AND amount >= 100000 AND reachable$$),
(2, 'ten columns, and, or, not', $$not (customer_id < 10 or kind = 'company') and (birth_date < today - 60 years or org_id in (1, 2, 3) or channel = 'online' and coverage = 'insured') and not (activity = 'none' and tier = 'lead') and (amount > 50000.5 or reachable)$$,
    $$NOT (customer_id < 10 OR kind = 'company') AND (birth_date < '1965-12-31' OR org_id IN (1, 2, 3) OR channel = 'online' AND coverage = 'insured') AND NOT (activity = 'none' AND tier = 'lead') AND (amount > 50000.5 OR reachable)$$),
(3, 'every row tested on ten', $$customer_id > 0 and kind <> 'x' and birth_date < today and org_id >= 0 and channel <> 'x' and coverage <> 'x' and activity <> 'x' and tier <> 'x' and amount >= 0 and (reachable or not reachable)$$,
    $$customer_id > 0 AND kind <> 'x' AND birth_date < '2025-12-31' AND org_id >= 0 AND channel <> 'x' AND coverage <> 'x' AND activity <> 'x' AND tier <> 'x' AND amount >= 0 AND (reachable OR NOT reachable)$$);

CREATE TEMPORARY TABLE runs (case_id integer, size text, form text, n bigint, ms double precision);
DO $$
DECLARE
  c record;
  size text;
  form text;
  query text;
  start timestamptz;
  n bigint;
BEGIN
  FOR run IN 1 .. 6 LOOP
    FOR c IN SELECT * FROM cases ORDER BY case_id LOOP
      FOREACH size IN ARRAY '{narrow,wide}'::text[] LOOP
        FOREACH form IN ARRAY '{by hand,crm.matches,call}'::text[] LOOP
          query := CASE form
            WHEN 'by hand' THEN format('SELECT count(*) FROM %I AS t WHERE %s', size, c.predicate)
            WHEN 'crm.matches' THEN format('SELECT count(*) FROM %I AS t WHERE crm.matches(%L, t, ''2025-12-31'')', size, c.condition)
            ELSE format('SELECT count(*) FROM %I AS t, (SELECT %L::crm.condition AS c OFFSET 0) AS q WHERE crm.matches(c, t, ''2025-12-31'')', size, c.condition) END;
          start := clock_timestamp();
          EXECUTE query INTO n;
          IF run > 1 THEN
            INSERT INTO runs VALUES (c.case_id, size, form, n, 1000 * extract(epoch FROM clock_timestamp() - start));
          END IF;
        END LOOP;
      END LOOP;
    END LOOP;
  END LOOP;
END
$$;

SELECT c.what AS condition, CASE size WHEN 'narrow' THEN 100000 ELSE 1000000 END AS rows, min(n) AS counted, min(n) = max(n) AS equal,
       round(max(ms) FILTER (WHERE form = 'by hand')::numeric, 1) AS "by hand ms",
       round(max(ms) FILTER (WHERE form = 'crm.matches')::numeric, 1) AS "crm.matches ms",
       round((max(ms) FILTER (WHERE form = 'crm.matches') / max(ms) FILTER (WHERE form = 'by hand'))::numeric, 2) AS ratio,
       round(max(ms) FILTER (WHERE form = 'call')::numeric, 1) AS "call ms",
       round((max(ms) FILTER (WHERE form = 'call') / max(ms) FILTER (WHERE form = 'by hand'))::numeric, 2) AS "call ratio"
FROM (SELECT case_id, size, form, min(n) AS n, percentile_cont(0.5) WITHIN GROUP (ORDER BY ms) AS ms FROM runs GROUP BY case_id, size, form) AS medians
JOIN cases AS c USING (case_id)
GROUP BY c.case_id, c.what, size ORDER BY c.case_id, size;
