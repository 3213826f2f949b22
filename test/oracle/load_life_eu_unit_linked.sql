-- Loads European unit-linked life into an empty book: a customer for each policy, the single premium being its saving and its risk part.
--   psql --set data=FOLDER -f load_life_eu_unit_linked.sql
-- FOLDER holds life_eu_unit_linked/eusavingULnoPS_policies.csv.gz; without it nothing is loaded. Sets the psql variable loaded to true or false.
\if :{?data}
\else
\set data ''
\endif
\set source :data '/life_eu_unit_linked/eusavingULnoPS_policies.csv.gz'
\setenv SOURCE :source
\set loaded `test -r "$SOURCE" && echo true || echo false`
\if :loaded
BEGIN;
CREATE TEMP TABLE load (
  policy_id text, issued_on date, ended_on date, cause text, frequency text, gender text, age int, face numeric, risk numeric, saving numeric) ON COMMIT DROP;
\set copy '\\copy load from program ''gzip -dc "$SOURCE"'' with (format csv, header)'
:copy
ALTER TABLE load ADD n bigint GENERATED ALWAYS AS IDENTITY;
INSERT INTO crm.organisation (id, parent_id, code, name)
SELECT u, CASE WHEN u > 1 THEN 1 END, 'u' || u, CASE WHEN u = 1 THEN 'Company' ELSE 'Unit ' || u END FROM generate_series(1, 8) AS u;
INSERT INTO crm.product (id, code, name) VALUES (1, 'linked', 'Unit-linked');
CREATE TEMP TABLE load_policy ON COMMIT DROP AS
SELECT l.id, l.issued_on, 2 + l.id % 7 AS org_id, ((SELECT array_agg(h.id ORDER BY h.id) FROM crm.channel h))[1 + l.id % 4] AS channel_id, l.risk + l.saving AS premium, l.ended_on, lower(l.cause) AS cause
FROM (SELECT substr(l.policy_id, 2)::bigint AS id, l.* FROM load l) l;
INSERT INTO crm.customer (id, kind, name, org_id, source_channel_id, known_from)
SELECT p.id, 'person', 'Policyholder ' || p.id, p.org_id, p.channel_id, p.issued_on FROM load_policy p;
INSERT INTO crm.policy (customer_id, id, product_id, channel_id, issued_on, payment, premium)
SELECT p.id, p.id, 1, p.channel_id, p.issued_on, 'single', p.premium FROM load_policy p;
INSERT INTO crm.policy_event (customer_id, policy_id, id, kind, on_date, reason)
SELECT p.id, p.id, 1, 'end', p.ended_on, p.cause FROM load_policy p WHERE p.cause <> 'in force';
COMMIT;
\else
\echo skipped: no :source
\endif
