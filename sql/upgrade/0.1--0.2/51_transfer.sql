-- allocate: protected holdings are not transferred, customers are locked before their holdings

@model/51_transfer crm._transfer
@model/51_transfer crm.transfer
@model/51_transfer crm.lock_holding
@model/51_transfer crm.release_departed

REVOKE ALL ON FUNCTION crm._transfer(crm.holding, crm.staff, text, boolean) FROM PUBLIC;
