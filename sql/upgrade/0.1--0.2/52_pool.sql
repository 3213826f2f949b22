-- allocate: the pool is as it was

@model/52_pool crm.pool
@model/52_pool crm.entrust
