-- Every region of GB/T 2260 is accepted in a crm.resident_id, and no province beyond it but 83 and 9x.
-- The list is read from $CRM_DATA/cn_region_codes, by default ../shared/data; without it the test is skipped.
\set ON_ERROR_STOP on
\set list `cat "${CRM_DATA:-../shared/data}/cn_region_codes/cn_loc.dat" 2> /dev/null`
SELECT :'list' <> '' AS have_list \gset
BEGIN;
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS crm;
SELECT plan(3);
\if :have_list
CREATE TEMPORARY TABLE lines AS
SELECT n, line FROM regexp_split_to_table(:'list', '\n') WITH ORDINALITY AS l (line, n) WHERE line ~ '^\d\d |^ +\d{4} ';
CREATE TEMPORARY TABLE regions AS
SELECT province || substr(ltrim(line), 1, 4) AS code
FROM (SELECT line, max(left(line, 2)) FILTER (WHERE line ~ '^\d') OVER (ORDER BY n) AS province FROM lines) AS l WHERE line ~ '^ ';
CREATE FUNCTION pg_temp.accepted(number text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  RETURN number::crm.resident_id IS NOT NULL;
EXCEPTION WHEN invalid_text_representation THEN
  RETURN false;
END
$$;
SELECT cmp_ok((SELECT count(DISTINCT code) FROM regions), '>', 6000::bigint, 'the list is read');
SELECT is_empty('SELECT code FROM regions WHERE NOT pg_temp.accepted(code || ''800101001'') OR crm.region_code((code || ''800101001'')::crm.resident_id) <> code',
  'every region of the list is accepted and given back');
SELECT set_eq('SELECT to_char(p, ''FM00'') FROM generate_series(0, 99) AS p WHERE pg_temp.accepted(to_char(p, ''FM00'') || ''0000800101001'')',
  'SELECT left(code, 2) FROM regions UNION SELECT ''83'' UNION SELECT ''9'' || d FROM generate_series(0, 9) AS d',
  'the provinces are those of the list, 83 and 90 to 99');
\else
SELECT skip('no list of regions in ${CRM_DATA:-../shared/data}/cn_region_codes', 3);
\endif
SELECT * FROM finish();
ROLLBACK;
