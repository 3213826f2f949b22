-- Loads purchases of compact discs into an empty book: a purchase is a policy of one year.
--   psql --set data=FOLDER -f load_cdnow.sql
-- FOLDER holds cdnow/cdnow_master.csv.gz; without it nothing is loaded. Sets the psql variable loaded to true or false.
\if :{?data}
\else
\set data ''
\endif
\set source :data '/cdnow/cdnow_master.csv.gz'
\setenv SOURCE :source
\set loaded `test -r "$SOURCE" && echo true || echo false`
\if :loaded
BEGIN;
CREATE TEMP TABLE load (customer_id bigint, bought_on date, discs int, dollars numeric) ON COMMIT DROP;
\set copy '\\copy load from program ''gzip -dc "$SOURCE"'' with (format csv, header)'
:copy
ALTER TABLE load ADD n bigint GENERATED ALWAYS AS IDENTITY;
INSERT INTO crm.organisation (id, parent_id, code, name)
SELECT u, CASE WHEN u > 1 THEN 1 END, 'u' || u, CASE WHEN u = 1 THEN 'Company' ELSE 'Unit ' || u END FROM generate_series(1, 8) AS u;
INSERT INTO crm.product (id, code, name) VALUES (1, 'disc', 'Discs');
CREATE TEMP TABLE load_customer ON COMMIT DROP AS
SELECT l.customer_id AS id, min(l.bought_on) AS known_from, 2 + l.customer_id % 7 AS org_id, ((SELECT array_agg(h.id ORDER BY h.id) FROM crm.channel h))[1 + l.customer_id % 4] AS channel_id
FROM load l GROUP BY l.customer_id;
INSERT INTO crm.customer (id, kind, name, org_id, source_channel_id, known_from)
SELECT c.id, 'person', 'Customer ' || c.id, c.org_id, c.channel_id, c.known_from FROM load_customer c;
INSERT INTO crm.policy (customer_id, id, product_id, channel_id, issued_on, term_months, matures_on, payment, premium, payments)
SELECT c.id, l.n, 1, c.channel_id, l.bought_on, 12, (l.bought_on + interval '1 year')::date, 'yearly', l.dollars, 1
FROM load l JOIN load_customer c ON c.id = l.customer_id;
COMMIT;
\else
\echo skipped: no :source
\endif
