-- recycle: the rule, the change of rule and the sweep stand in modules of their own

DROP VIEW crm._stale_rule;
DROP FUNCTION crm._recycle(timestamptz, timestamptz), crm._refresh_due(date, integer, bigint, bigint), crm._recycle_rule(bigint, bigint, date);

@model/40_recycle crm._holding_purchases
@model/40_recycle crm.recycle
@model/40_recycle crm.refresh_due comments
@model/40_recycle crm.holding comments

ALTER TABLE crm.holding
  DROP CONSTRAINT holding_end_cause_check,
  ADD CONSTRAINT holding_end_cause_check CHECK (end_cause IN ('narrowing', 'transfer', 'release', 'recycle', 'departure', 'merge'));
INSERT INTO crm.customer_reference (relation, column_name, way, prepare, note) VALUES
  ('crm.holding', 'customer_id', 'move', 'crm._merge_holdings', 'One open holding a customer; the history of both stays, and with it each cool-off.');
