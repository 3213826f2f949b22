-- allocate: customers are locked before their holdings


-- the lock of a customer tells of merges, the check of holdings stands in a module of its own
DROP FUNCTION crm._lock_customer(bigint), crm._check_holding();
