-- allocate: customers are locked before their holdings

@model/50_allocate crm.release_departed
