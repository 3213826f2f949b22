-- allocate: the check of holdings stands in a module of its own

DROP FUNCTION crm._check_holding();
