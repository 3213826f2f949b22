-- functions of 0.1 that give more now
DROP FUNCTION crm._standings(bigint, bigint, bigint);

@install/25_book crm._cover_of
REVOKE ALL ON FUNCTION crm._cover_of(bigint[], integer, integer, text) FROM PUBLIC;

@install/20_base crm._grant_temporary
REVOKE ALL ON FUNCTION crm._grant_temporary(name) FROM PUBLIC;
@install/20_base crm.create_model
@install/20_base crm.upgrade_model
@install/30_classify crm._cell_at
@install/50_allocate crm.assign comments
@install/70_kpi crm._cells_less
@install/70_kpi crm._entries_less
