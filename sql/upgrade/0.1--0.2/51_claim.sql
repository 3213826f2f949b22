-- allocate: what may be claimed, and released, has rules

@model/51_claim crm.claim
@model/51_claim crm.release
