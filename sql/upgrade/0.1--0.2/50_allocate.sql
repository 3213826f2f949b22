-- allocate: customers are locked before their holdings

@model/50_allocate crm.release_departed
@model/50_allocate crm._hold_one
@model/50_allocate crm._hold

-- the lock of a customer tells of merges, the check of holdings stands in a module of its own
DROP FUNCTION crm._lock_customer(bigint), crm._check_holding();
