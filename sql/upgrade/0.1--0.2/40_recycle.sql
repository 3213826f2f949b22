-- recycle: a sweep locks customers before their holdings

@model/40_recycle crm._holding_purchases
@model/40_recycle crm._recycle

ALTER TABLE crm.holding
  DROP CONSTRAINT holding_end_cause_check,
  ADD CONSTRAINT holding_end_cause_check CHECK (end_cause IN ('narrowing', 'transfer', 'release', 'recycle', 'departure', 'merge'));
COMMENT ON COLUMN crm.holding.end_cause IS 'narrowing (from channel to unit or person), transfer, release, recycle, departure or merge (with a customer who is held).';
INSERT INTO crm.customer_reference (relation, column_name, way, prepare, note) VALUES
  ('crm.holding', 'customer_id', 'move', 'crm._merge_holdings', 'One open holding a customer; the history of both stays, and with it each cool-off.');
