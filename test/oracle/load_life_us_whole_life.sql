-- Loads American whole life into an empty book: a customer for each policy; a quarter is a fourth of 365.25 days, the premium made dollars again.
--   psql --set data=FOLDER -f load_life_us_whole_life.sql
-- FOLDER holds life_us_whole_life/uslapseagent.csv.gz; without it nothing is loaded. Sets the psql variable loaded to true or false.
\if :{?data}
\else
\set data ''
\endif
\set source :data '/life_us_whole_life/uslapseagent.csv.gz'
\setenv SOURCE :source
\set loaded `test -r "$SOURCE" && echo true || echo false`
\if :loaded
BEGIN;
CREATE TEMP TABLE load (
  policy_no bigint, issued_on date, quarters numeric, rider text, gender text, frequency text, smoker text, age text, place text,
  premium numeric, djia numeric, cause text, surrender int, death int, other int, allcause int) ON COMMIT DROP;
\set copy '\\copy load from program ''gzip -dc "$SOURCE"'' with (format csv, header)'
:copy
ALTER TABLE load ADD n bigint GENERATED ALWAYS AS IDENTITY;
INSERT INTO crm.organisation (id, parent_id, code, name)
SELECT u, CASE WHEN u > 1 THEN 1 END, 'u' || u, CASE WHEN u = 1 THEN 'Company' ELSE 'Unit ' || u END FROM generate_series(1, 8) AS u;
INSERT INTO crm.product (id, code, name) VALUES (1, 'whole', 'Whole life');
CREATE TEMP TABLE load_policy ON COMMIT DROP AS
SELECT l.policy_no AS id, l.issued_on, 2 + l.policy_no % 7 AS org_id, ((SELECT array_agg(h.id ORDER BY h.id) FROM crm.channel h))[1 + l.policy_no % 4] AS channel_id,
       round(greatest(l.premium * 526.58 + 560.88, 0), 2) AS premium, l.cause,
       l.issued_on + greatest(round(l.quarters * 365.25 / 4)::integer, 1) AS ended_on
FROM load l;
INSERT INTO crm.customer (id, kind, name, org_id, source_channel_id, known_from)
SELECT p.id, 'person', 'Policyholder ' || p.id, p.org_id, p.channel_id, p.issued_on FROM load_policy p;
INSERT INTO crm.policy (customer_id, id, product_id, channel_id, issued_on, payment, premium)
SELECT p.id, p.id, 1, p.channel_id, p.issued_on, 'yearly', p.premium FROM load_policy p;
INSERT INTO crm.policy_event (customer_id, policy_id, id, kind, on_date, reason)
SELECT p.id, p.id, 1, 'end', p.ended_on, p.cause FROM load_policy p WHERE p.cause <> 'in-force';
COMMIT;
\else
\echo skipped: no :source
\endif
