-- kpi: more columns of customers and policies bear on the standing

CREATE OR REPLACE TRIGGER touch_update AFTER UPDATE OF id, kind, name, sex, birth_date, org_id, source_channel_id, known_from
  ON crm.customer FOR EACH ROW EXECUTE FUNCTION crm._touch('customer', 'id');
CREATE OR REPLACE TRIGGER touch_update AFTER UPDATE OF id, customer_id, product_id, channel_id, servicer_id, book, sector_line, issued_on, term_months, matures_on, payment, premium, payments, sum_insured
  ON crm.policy FOR EACH ROW EXECUTE FUNCTION crm._touch('policy', 'id');
CREATE TRIGGER touch_gone AFTER DELETE ON crm.policy FOR EACH ROW EXECUTE FUNCTION crm._touch('customer', 'customer_id');
CREATE TRIGGER touch_moved AFTER UPDATE OF customer_id ON crm.policy FOR EACH ROW WHEN (OLD.customer_id <> NEW.customer_id)
  EXECUTE FUNCTION crm._touch('customer', 'customer_id');
@model/70_kpi crm._members_of
@model/70_kpi crm._post_holdings
REVOKE ALL ON FUNCTION crm._post_holdings(bigint[]) FROM PUBLIC;
@model/70_kpi crm._post
@model/70_kpi crm._product_changed
@model/70_kpi crm._refuse_truncate
@model/70_kpi crm._foldable
@model/70_kpi crm._fold
@model/70_kpi crm._post_ahead
COMMENT ON COLUMN crm.kpi_code.account IS 'Account of the numerator; crm._is_balance() tells balances from turnovers.';
ALTER TABLE crm.period
  ADD COLUMN first_month integer NOT NULL GENERATED ALWAYS AS (CASE grain WHEN 2 THEN (key >> 3) * 3 WHEN 3 THEN (key >> 3) * 12 WHEN 4 THEN (key >> 3) - 11 ELSE key >> 3 END) STORED,
  ADD COLUMN last_month integer NOT NULL GENERATED ALWAYS AS (CASE grain WHEN 2 THEN (key >> 3) * 3 + 2 WHEN 3 THEN (key >> 3) * 12 + 11 ELSE key >> 3 END) STORED;
@model/70_kpi crm.period comments
ALTER TABLE crm.kpi_cell DROP CONSTRAINT kpi_cell_pkey, ADD PRIMARY KEY (org_id, account, year, grain, subtree, slot);
