-- recycle: the rule, the change of rule and the sweep stand in modules of their own

DROP VIEW crm._stale_rule;
DROP FUNCTION crm._recycle(timestamptz, timestamptz), crm._refresh_due(date, integer, bigint, bigint), crm._recycle_rule(bigint, bigint, date);

@model/40_recycle crm._setting_for
@model/40_recycle crm._holding_purchases
DROP FUNCTION crm._last_purchase(bigint, date);
@model/40_recycle crm.recycle
@model/40_recycle crm.refresh_due comments

-- it stands in the way of new columns and is made again with its neighbours
DROP FUNCTION crm._held_by(crm.holding);
ALTER TABLE crm.holding
  DROP CONSTRAINT holding_end_cause_check,
  ADD CONSTRAINT holding_end_cause_check CHECK (end_cause IN ('narrowing', 'transfer', 'release', 'recycle', 'departure', 'merge')),
  DROP CONSTRAINT holding_start_cause_check,
  ADD CONSTRAINT holding_start_cause_check CHECK (start_cause IN ('claim', 'allocation', 'transfer', 'entry')),
  ADD COLUMN load integer NOT NULL DEFAULT 1 CONSTRAINT holding_load_check CHECK (load >= 0),
  ADD COLUMN protection_days integer,
  ADD COLUMN protection_renewal_days integer,
  ADD COLUMN protection_max_days integer,
  ADD COLUMN overridden_at timestamptz,
  ADD COLUMN overridden_by text,
  ADD COLUMN override_reason text CONSTRAINT holding_override_reason_check CHECK (pg_catalog.btrim(override_reason) <> ''),
  ADD COLUMN protected_until timestamptz GENERATED ALWAYS AS (crm.protected_until(held_from, protection_days, protection_renewal_days, protection_max_days,
                                                                                  last_contact_at, last_purchase_at, overridden_at)) STORED,
  ADD CONSTRAINT holding_override_check CHECK (pg_catalog.num_nulls(overridden_at, overridden_by, override_reason) IN (0, 3));
@model/40_recycle crm.holding comments
INSERT INTO crm.customer_reference (relation, column_name, way, prepare, note) VALUES
  ('crm.holding', 'customer_id', 'move', 'crm._merge_holdings', 'One open holding a customer; the history of both stays, and with it each cool-off.');
