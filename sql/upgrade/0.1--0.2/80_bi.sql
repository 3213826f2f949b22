-- bi: how many customers are shown as of another day

@model/80_bi crm_bi.freshness
@model/80_bi crm_bi._slot
@model/80_bi crm_bi.standing
@model/80_bi crm_bi.holding
