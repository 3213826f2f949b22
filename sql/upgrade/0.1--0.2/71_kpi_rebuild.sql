-- kpi: standings are written in one place, and stand on a day; background sessions help

DROP FUNCTION crm._drain_cover(integer);
DROP FUNCTION crm._rebuild_step(integer, crm.generation);
DROP FUNCTION crm._drain_pending(integer);
@model/71_kpi_rebuild crm._derive_part
REVOKE ALL ON FUNCTION crm._derive_part(bigint[], bigint[]) FROM PUBLIC;
@model/71_kpi_rebuild crm._drain_cover
REVOKE ALL ON FUNCTION crm._drain_cover(integer, boolean) FROM PUBLIC;
@model/71_kpi_rebuild crm._held_parts
REVOKE ALL ON FUNCTION crm._held_parts() FROM PUBLIC;
@model/71_kpi_rebuild crm._fill_part
REVOKE ALL ON FUNCTION crm._fill_part(bigint[], bigint[]) FROM PUBLIC;
@model/71_kpi_rebuild crm._put_accounts
REVOKE ALL ON FUNCTION crm._put_accounts(crm.generation, regprocedure, bigint[]) FROM PUBLIC;
@model/71_kpi_rebuild crm._drain_replay
@model/71_kpi_rebuild crm._drain_pending
REVOKE ALL ON FUNCTION crm._drain_pending(integer, bigint, bigint, boolean) FROM PUBLIC;
@model/71_kpi_rebuild crm._rebuild_step
REVOKE ALL ON FUNCTION crm._rebuild_step(integer, boolean, crm.generation) FROM PUBLIC;
@model/71_kpi_rebuild crm._rebuild_begin
@model/71_kpi_rebuild crm.rebuild
@model/71_kpi_rebuild crm.refresh
