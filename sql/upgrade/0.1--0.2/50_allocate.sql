-- allocate: what staff hold is a load, and who waited longest is kept

ALTER TABLE crm.holding_count
  ADD COLUMN load bigint NOT NULL DEFAULT 0,
  ADD COLUMN last_given_at timestamptz;
UPDATE crm.holding_count SET load = held;
@model/50_allocate crm._holding_counted
@model/50_allocate crm._quota comments
@model/50_allocate crm.holding_quota comments
@model/50_allocate crm.holding_count comments

-- the lock of a customer tells of merges, the check of holdings stands in a module of its own
DROP FUNCTION crm._lock_customer(bigint), crm._check_holding();
