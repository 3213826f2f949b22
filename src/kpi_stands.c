/*-------------------------------------------------------------------------
 * kpi_stands.c
 *		Whether a generation of standings and figures has its rows still.
 *
 * A slot is emptied by TRUNCATE, which older snapshots see as well; the row
 * of its generation goes in the same transaction.  Read by a snapshot of the
 * kind that catalogs are read by, which parallel workers may take.
 *-------------------------------------------------------------------------
 */
#include "crm.h"

#include "access/table.h"
#include "access/tableam.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "executor/tuptable.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

PG_FUNCTION_INFO_V1(crm_generation_stands);
/* generation_stands(generation): as committed by now.  Errors: 55000 without a model. */
Datum
crm_generation_stands(PG_FUNCTION_ARGS)
{
	int64		generation = PG_GETARG_INT64(0);
	Oid			table = get_relname_relid("generation", get_namespace_oid("crm", false));
	AttrNumber	id = OidIsValid(table) ? get_attnum(table, "id") : InvalidAttrNumber;
	Relation	rel;
	Snapshot	snapshot;
	TableScanDesc scan;
	TupleTableSlot *slot;
	bool		found = false;

	if (id == InvalidAttrNumber || get_atttype(table, id) != INT8OID)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("no model of crm stands in this database"),
				 errhint("Run CALL crm.create_model().")));
	rel = table_open(table, AccessShareLock);
	snapshot = RegisterSnapshot(GetCatalogSnapshot(table));
	slot = table_slot_create(rel, NULL);
	scan = table_beginscan(rel, snapshot, 0, NULL);
	while (!found && table_scan_getnextslot(scan, ForwardScanDirection, slot))
	{
		bool		isnull;
		Datum		v = slot_getattr(slot, id, &isnull);

		found = !isnull && DatumGetInt64(v) == generation;
	}
	table_endscan(scan);
	ExecDropSingleTupleTableSlot(slot);
	UnregisterSnapshot(snapshot);
	table_close(rel, AccessShareLock);
	PG_RETURN_BOOL(found);
}
