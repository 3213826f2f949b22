-- Loads the purchases of a CD shop (1997-01-01 to 1998-06-30) into an empty book: psql -v data=FOLDER -f load_cdnow.sql
-- FOLDER holds cdnow_master.csv.gz (customer_id, date, number_of_cds, dollar_value) or cdnow_sample.csv (id_master, id_sample, ...).
-- A purchase is a policy of one year; the unit is the customer's number modulo 7, the channel modulo 4.
\set ON_ERROR_STOP on
\if :{?data}
\else
  \set data ''
\endif
\set file `for f in :'data'/cdnow_master.csv.gz :'data'/cdnow_sample.csv; do if [ -r "$f" ]; then printf %s "$f"; break; fi; done`
SELECT :'file' = '' AS absent, :'file' LIKE '%.gz' AS is_master \gset
\if :absent
  \warn There is neither cdnow_master.csv.gz nor cdnow_sample.csv in the folder :data
  DO $$ BEGIN RAISE EXCEPTION 'no purchases to load' USING ERRCODE = 'undefined_file', HINT = 'Name the folder: psql -v data=FOLDER'; END $$;
\endif
\setenv CDNOW :file

BEGIN;
DO $$
BEGIN
  IF EXISTS (SELECT FROM crm.organisation) OR EXISTS (SELECT FROM crm.customer) THEN
    RAISE EXCEPTION 'the book is not empty' USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Load into a database of its own.';
  END IF;
END
$$;
SET LOCAL crm.posting = 'deferred';
CREATE TEMPORARY TABLE purchase (
  line bigint GENERATED ALWAYS AS IDENTITY,
  customer bigint NOT NULL,
  sample bigint,
  day date NOT NULL,
  cds integer NOT NULL,
  dollars numeric(15,2) NOT NULL
) ON COMMIT DROP;
\if :is_master
  \copy purchase (customer, day, cds, dollars) FROM PROGRAM 'exec gzip -dc -- "$CDNOW"' (FORMAT csv, HEADER)
\else
  \copy purchase (customer, sample, day, cds, dollars) FROM PROGRAM 'exec cat -- "$CDNOW"' (FORMAT csv, HEADER)
\endif
ANALYZE purchase;

INSERT INTO crm.organisation (code, name) VALUES ('CDNOW', 'CD shop');
INSERT INTO crm.organisation (parent_id, code, name)
SELECT o.id, 'CDNOW-' || k, 'Shop ' || k FROM crm.organisation o, generate_series(0, 6) k WHERE o.code = 'CDNOW' ORDER BY k;
INSERT INTO crm.product (code, name) VALUES ('CD', 'Purchase of CDs');
INSERT INTO crm.staff (code, name, org_id, channel_id, joined_on)
SELECT format('CD-%s-%s', right(o.code, 1), k), format('Seller %s of shop %s', k, right(o.code, 1)), o.id, h.id, '1996-01-01'
FROM crm.organisation o, generate_series(1, 20) k, crm.channel h
WHERE o.code LIKE 'CDNOW-_' AND h.code = 'individual' ORDER BY o.code, k;

CREATE TEMPORARY VIEW channel_no AS
SELECT h.id, row_number() OVER (ORDER BY w.k) - 1 AS no
FROM unnest('{individual,bancassurance,group,telesales}'::text[]) WITH ORDINALITY w (code, k) JOIN crm.channel h ON h.code = w.code;
INSERT INTO crm.customer (kind, name, org_id, source_channel_id, known_from)
SELECT 'person', 'Customer ' || lpad(p.customer::text, 5, '0'), o.id, h.id, p.first_on
FROM (SELECT p.customer, min(p.day) AS first_on FROM purchase p GROUP BY p.customer) p
JOIN crm.organisation o ON o.code = 'CDNOW-' || p.customer % 7
JOIN channel_no h ON h.no = p.customer % 4
ORDER BY p.customer;
INSERT INTO crm.customer_key (source_system, source_key, customer_id)
SELECT 'cdnow', right(c.name, 5), c.id FROM crm.customer c;
INSERT INTO crm.policy (customer_id, product_id, channel_id, issued_on, term_months, matures_on, payment, premium, payments)
SELECT k.customer_id, r.id, h.id, p.day, 12, (p.day + interval '1 year')::date, 'single', p.dollars, 1
FROM purchase p
JOIN crm.customer_key k ON k.source_system = 'cdnow' AND k.source_key = lpad(p.customer::text, 5, '0')
JOIN channel_no h ON h.no = p.customer % 4
JOIN crm.product r ON r.code = 'CD'
ORDER BY p.line;
DROP VIEW channel_no;
SELECT count(DISTINCT p.customer) AS customers, count(*) AS purchases, max(p.day) AS last_day FROM purchase p \gset
COMMIT;
ANALYZE;
\echo :purchases purchases of :customers customers up to :last_day from :file
\echo run CALL crm.rebuild() to bring the figures up to date
