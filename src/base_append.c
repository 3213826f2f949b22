/*-------------------------------------------------------------------------
 * base_append.c
 *		Many rows into a table, one by one, without a plan.
 *
 * What an INSERT ... SELECT from a function would do, less the storing of its
 * rows on the way: constraints are checked, indexes kept, triggers fired.
 *-------------------------------------------------------------------------
 */
#include "base_append.h"

#include "access/table.h"
#include "catalog/namespace.h"
#include "commands/trigger.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

struct Appender
{
	Relation	rel;
	EState	   *estate;
	ResultRelInfo *result;
	TupleTableSlot *slot;
	int			ncolumns;
	AttrNumber *attnum;			/* of the columns given; the others are null */
};

/* Begin with a table of schema crm, not a partitioned one.  Errors: 42P01, 42703, 42809, 42501. */
Appender *
append_begin(const char *table, int ncolumns, const char *const *columns)
{
	Appender   *a = palloc0_object(Appender);

	a->rel = table_openrv(makeRangeVar("crm", pstrdup(table), -1), RowExclusiveLock);
	if (a->rel->rd_rel->relkind != RELKIND_RELATION)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is not a table", table)));
	if (pg_class_aclcheck(RelationGetRelid(a->rel), GetUserId(), ACL_INSERT) != ACLCHECK_OK)
		aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_TABLE, table);
	a->ncolumns = ncolumns;
	a->attnum = palloc_array(AttrNumber, ncolumns);
	for (int i = 0; i < ncolumns; i++)
		if ((a->attnum[i] = get_attnum(RelationGetRelid(a->rel), columns[i])) <= 0)
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_COLUMN),
					 errmsg("table \"%s\" has no column \"%s\"", table, columns[i])));
	a->estate = CreateExecutorState();
	a->result = makeNode(ResultRelInfo);
	InitResultRelInfo(a->result, a->rel, 1, NULL, 0);
	ExecOpenIndices(a->result, false);
	a->slot = MakeSingleTupleTableSlot(RelationGetDescr(a->rel), &TTSOpsVirtual);
	AfterTriggerBeginQuery();
	return a;
}

/* Append a row; no value of the columns given is null. */
void
append_row(Appender *a, const Datum *values)
{
	ResetPerTupleExprContext(a->estate);
	ExecStoreAllNullTuple(a->slot);
	for (int i = 0; i < a->ncolumns; i++)
	{
		a->slot->tts_values[a->attnum[i] - 1] = values[i];
		a->slot->tts_isnull[a->attnum[i] - 1] = false;
	}
	ExecSimpleRelationInsert(a->result, a->estate, a->slot);
}

void
append_end(Appender *a)
{
	AfterTriggerEndQuery(a->estate);
	ExecDropSingleTupleTableSlot(a->slot);
	ExecCloseIndices(a->result);
	FreeExecutorState(a->estate);
	table_close(a->rel, NoLock);
	pfree(a->attnum);
	pfree(a);
}
