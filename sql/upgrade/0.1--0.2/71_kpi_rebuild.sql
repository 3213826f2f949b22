-- kpi: standings are written in one place, and stand on a day

@model/71_kpi_rebuild crm._drain_replay
@model/71_kpi_rebuild crm._drain_pending
@model/71_kpi_rebuild crm._fill_accounts
REVOKE ALL ON FUNCTION crm._fill_accounts(crm.generation) FROM PUBLIC;
@model/71_kpi_rebuild crm._rebuild_step
@model/71_kpi_rebuild crm._rebuild_begin
@model/71_kpi_rebuild crm.refresh
