-- allocate: protected holdings are not transferred, customers are locked before their holdings

@model/51_transfer crm.transfer
@model/51_transfer crm.lock_holding
@model/51_transfer crm.release_departed
