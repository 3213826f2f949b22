-- bi: how many customers are shown as of another day, and the columns added for joins

@model/80_bi crm_bi.freshness
@model/80_bi crm_bi._slot
@model/80_bi crm_bi.standing
@model/80_bi crm_bi.holding
@model/80_bi crm_bi.organisation
@model/80_bi crm_bi.date
@model/80_bi crm_bi.policy
