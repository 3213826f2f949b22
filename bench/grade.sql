-- crm.grade on a column beside the equivalent CASE: one million rows of each
-- number type, median of seven runs each in turn, ratio below 1: crm is faster.
-- Run with: psql -f bench/grade.sql
\set ON_ERROR_STOP on
\pset pager off
SET max_parallel_workers_per_gather = 0;
SET work_mem = '256MB';

CREATE TEMPORARY TABLE amounts AS
SELECT round((random() * 1200000)::numeric, 2) AS n,
       (random() * 1200000)::bigint AS i,
       random() * 1200000 AS f
FROM generate_series(1, 1000000);
VACUUM ANALYZE amounts;

CREATE TEMPORARY TABLE runs (col text, form text, ms double precision);

DO $$
DECLARE
  scale constant text := 'lead, ungraded 100000, iron > 300000, gold > 500000, platinum > 1000000';
  col text;
  form text;
  query text;
  start timestamptz;
BEGIN
  FOR run IN 1 .. 8 LOOP
    FOREACH col IN ARRAY '{n,i,f}'::text[] LOOP
      FOREACH form IN ARRAY '{crm.grade,CASE,column only}'::text[] LOOP
        query := CASE form
          WHEN 'crm.grade' THEN format('SELECT count(crm.grade(%L, %I)) FROM amounts', scale, col)
          WHEN 'CASE' THEN format($q$
            SELECT count(CASE WHEN %1$I > 1000000 THEN 'platinum' WHEN %1$I > 500000 THEN 'gold'
                              WHEN %1$I > 300000 THEN 'iron' WHEN %1$I >= 100000 THEN 'ungraded'
                              ELSE 'lead' END) FROM amounts$q$, col)
          ELSE format('SELECT count(%I) FROM amounts', col) END;
        start := clock_timestamp();
        EXECUTE query;
        IF run > 1 THEN
          INSERT INTO runs VALUES (col, form, 1000 * extract(epoch FROM clock_timestamp() - start));
        END IF;
      END LOOP;
    END LOOP;
  END LOOP;
END
$$;

SELECT CASE col WHEN 'n' THEN 'numeric' WHEN 'i' THEN 'bigint' ELSE 'double precision' END AS "column",
       round(max(ms) FILTER (WHERE form = 'crm.grade')::numeric, 1) AS "crm.grade ms",
       round(max(ms) FILTER (WHERE form = 'CASE')::numeric, 1) AS "CASE ms",
       round(max(ms) FILTER (WHERE form = 'column only')::numeric, 1) AS "column only ms",
       round((max(ms) FILTER (WHERE form = 'crm.grade') / max(ms) FILTER (WHERE form = 'CASE'))::numeric, 2) AS ratio
FROM (SELECT col, form, percentile_cont(0.5) WITHIN GROUP (ORDER BY ms) AS ms FROM runs GROUP BY col, form) AS medians
GROUP BY col ORDER BY col DESC;
