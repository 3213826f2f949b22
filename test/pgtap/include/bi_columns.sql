-- the columns of the views of crm_bi as they are
CREATE TEMPORARY VIEW bi_columns AS
SELECT c.relname::text COLLATE "default" AS view, row_number() OVER (PARTITION BY c.oid ORDER BY a.attnum)::integer AS place, a.attname::text COLLATE "default" AS name, replace(format_type(a.atttypid, a.atttypmod), ' ', '_') AS type
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relnamespace = 'crm_bi'::regnamespace AND c.relkind IN ('v', 'm', 'r', 'p', 'f');
