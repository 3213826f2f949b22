/*-------------------------------------------------------------------------
 * base_query.c
 *		Reading the rows of a query one by one, without storing them.
 *-------------------------------------------------------------------------
 */
#include "base_query.h"

#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "jit/jit.h"
#include "nodes/params.h"
#include "optimizer/cost.h"
#include "tcop/dest.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/plancache.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

typedef struct RowReceiver
{
	DestReceiver pub;
	int			natts;
	const Oid  *types;
	const char *what;			/* name of a query that a user gave */
	GivenColumn *columns;		/* and what it returns, or NULL */
	RowFunction row;
	void	   *arg;
	MemoryContext context;		/* of the caller */
} RowReceiver;

static void
row_startup(DestReceiver *self, int operation pg_attribute_unused(), TupleDesc desc)
{
	RowReceiver *r = (RowReceiver *) self;

	if (desc->natts != r->natts)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("query returns %d columns instead of %d", desc->natts, r->natts)));
	for (int i = 0; r->types && i < desc->natts; i++)
		if (TupleDescAttr(desc, i)->atttypid != r->types[i])
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("column \"%s\" is of type %s instead of %s",
							NameStr(TupleDescAttr(desc, i)->attname),
							format_type_be(TupleDescAttr(desc, i)->atttypid),
							format_type_be(r->types[i]))));
}

static bool
row_receive(TupleTableSlot *slot, DestReceiver *self)
{
	RowReceiver *r = (RowReceiver *) self;
	MemoryContext old = MemoryContextSwitchTo(r->context);

	slot_getallattrs(slot);
	r->row(r->arg, slot->tts_values, slot->tts_isnull);
	MemoryContextSwitchTo(old);
	return true;
}

/* Find the columns of a user's query by name and check their types. */
static void
given_startup(DestReceiver *self, int operation pg_attribute_unused(), TupleDesc desc)
{
	RowReceiver *r = (RowReceiver *) self;

	for (GivenColumn *c = r->columns; c < r->columns + r->natts; c++)
	{
		const Oid  *type = c->types;

		c->attnum = InvalidAttrNumber;
		for (int a = 0; a < desc->natts; a++)
		{
			if (strcmp(NameStr(TupleDescAttr(desc, a)->attname), c->name) != 0)
				continue;
			if (c->attnum != InvalidAttrNumber)
				ereport(ERROR,
						(errcode(ERRCODE_AMBIGUOUS_COLUMN),
						 errmsg("the %s query returns column \"%s\" more than once", r->what, c->name)));
			c->attnum = (AttrNumber) (a + 1);
		}
		if (c->attnum == InvalidAttrNumber && c->optional)
			continue;
		if (c->attnum == InvalidAttrNumber)
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_COLUMN),
					 errmsg("the %s query returns no column \"%s\"", r->what, c->name)));
		c->type = getBaseType(TupleDescAttr(desc, c->attnum - 1)->atttypid);
		while (OidIsValid(*type) && *type != c->type)
			type++;
		if (!OidIsValid(*type))
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("column \"%s\" of the %s query has type %s", c->name, r->what,
							format_type_be(TupleDescAttr(desc, c->attnum - 1)->atttypid)),
					 errhint("Cast it to %s.", format_type_be(c->cast))));
	}
}

static bool
given_receive(TupleTableSlot *slot, DestReceiver *self)
{
	RowReceiver *r = (RowReceiver *) self;
	MemoryContext old = MemoryContextSwitchTo(r->context);
	Datum		values[GIVEN_QUERY_COLUMNS];
	bool		nulls[GIVEN_QUERY_COLUMNS];

	for (int c = 0; c < r->natts; c++)
	{
		nulls[c] = r->columns[c].attnum == InvalidAttrNumber;
		if (nulls[c])
			continue;
		values[c] = slot_getattr(slot, r->columns[c].attnum, &nulls[c]);
		if (nulls[c])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("column \"%s\" of the %s query is null", r->columns[c].name, r->what)));
	}
	r->row(r->arg, values, nulls);
	MemoryContextSwitchTo(old);
	return true;
}

static void
row_nothing(DestReceiver *self pg_attribute_unused())
{
}

static RowReceiver
row_receiver(int natts, const Oid *types, RowFunction row, void *arg)
{
	return (RowReceiver) {
		.pub = {
			.receiveSlot = row_receive,
			.rStartup = row_startup,
			.rShutdown = row_nothing,
			.rDestroy = row_nothing,
			.mydest = DestNone
		},
		.natts = natts, .types = types, .row = row, .arg = arg,
		.context = CurrentMemoryContext
	};
}

/*
 * Run a read-only query and hand each row to a function, which allocates in
 * the caller's context; values passed by reference live until it returns.  types NULL: any.  Needs SPI_connect().
 */
uint64
query_rows(const char *sql, int natts, const Oid *types, RowFunction row, void *arg)
{
	RowReceiver receiver = row_receiver(natts, types, row, arg);
	SPIExecuteOptions options = {
		.read_only = true,
		.must_return_tuples = true,
		.dest = &receiver.pub
	};
	int			rc = SPI_execute_extended(sql, &options);

	/* SPI leaves its own context behind */
	MemoryContextSwitchTo(receiver.context);
	if (rc < 0)
		elog(ERROR, "query failed: %s", SPI_result_code_string(rc));
	return SPI_processed;
}

/* Whether a plan is one SELECT, without row locks and changes in WITH. */
static bool
only_reads(SPIPlanPtr plan)
{
	List	   *sources = SPI_plan_get_plan_sources(plan);
	List	   *queries;
	Query	   *query;

	if (list_length(sources) != 1)
		return false;
	queries = ((CachedPlanSource *) linitial(sources))->query_list;
	if (list_length(queries) != 1)
		return false;
	query = linitial_node(Query, queries);
	return query->commandType == CMD_SELECT && !query->hasModifyingCTE &&
		query->rowMarks == NIL;
}

/*
 * The same for a query that a user gives, run with the caller's rights: its
 * columns are found by name, whatever else it returns.  what names it in messages.
 */
uint64
given_query_rows(const char *sql, const char *what, int ncolumns, GivenColumn *columns, RowFunction row, void *arg)
{
	RowReceiver receiver = row_receiver(ncolumns, NULL, row, arg);
	SPIExecuteOptions options = {
		.read_only = true,
		.must_return_tuples = true,
		.dest = &receiver.pub
	};
	SPIPlanPtr	plan = SPI_prepare(sql, 0, NULL);
	int			rc;

	Assert(ncolumns <= GIVEN_QUERY_COLUMNS);
	if (plan == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("the %s query cannot be prepared: %s", what, SPI_result_code_string(SPI_result))));
	if (!only_reads(plan))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the %s query must be one SELECT that only reads", what)));
	receiver.pub.rStartup = given_startup;
	receiver.pub.receiveSlot = given_receive;
	receiver.what = what;
	receiver.columns = columns;
	rc = SPI_execute_plan_extended(plan, &options);
	MemoryContextSwitchTo(receiver.context);
	if (rc < 0)
		elog(ERROR, "the %s query failed: %s", what, SPI_result_code_string(rc));
	SPI_freeplan(plan);
	return SPI_processed;
}

/*
 * Kept queries look rows up by keys.  Their plans must go by index, row by
 * row, even when they are made while a table is empty: it may fill before the
 * next plan.  A table without an index that serves gets a forbidding cost
 * thereby, which must not lead to compilation.
 */
static void
plan_by_index(SPIPlanPtr plan)
{
	CachedPlanSource *source = linitial(SPI_plan_get_plan_sources(plan));
	bool	   *const barred[] = {&enable_seqscan, &enable_hashjoin, &enable_mergejoin, &jit_enabled};
	bool		set[lengthof(barred)];
	bool		pushed = !ActiveSnapshotSet();

	if (source->is_valid && source->gplan && source->gplan->is_valid)
		return;
	if (pushed)
		PushActiveSnapshot(GetTransactionSnapshot());
	for (int i = 0; i < (int) lengthof(barred); i++)
	{
		set[i] = *barred[i];
		*barred[i] = false;
	}
	PG_TRY();
	{
		CachedPlan *made = SPI_plan_get_cached_plan(plan);

		if (made)
			ReleaseCachedPlan(made, CurrentResourceOwner);
	}
	PG_FINALLY();
	{
		for (int i = 0; i < (int) lengthof(barred); i++)
			*barred[i] = set[i];
	}
	PG_END_TRY();
	if (pushed)
		PopActiveSnapshot();
}

/*
 * The same for a query whose plan is kept; it sees the transaction's latest
 * snapshot.  row NULL: the query returns no rows.
 */
uint64
kept_query_rows(KeptQuery *q, Datum *args, const char *nulls, int natts, RowFunction row, void *arg)
{
	RowReceiver receiver = row_receiver(natts, NULL, row, arg);
	ParamListInfo params = NULL;
	SPIExecuteOptions options = {
		.read_only = q->by_active_snapshot,
		.must_return_tuples = row != NULL,
		.dest = row ? &receiver.pub : NULL
	};
	int			rc;

	if (q->plan == NULL)
	{
		SPIPlanPtr	plan = SPI_prepare_cursor(q->sql, q->nargs, q->args, CURSOR_OPT_GENERIC_PLAN);

		if (plan == NULL)
			elog(ERROR, "query cannot be prepared: %s", SPI_result_code_string(SPI_result));
		SPI_keepplan(plan);
		q->plan = plan;
	}
	if (q->nargs > 0)
	{
		params = makeParamList(q->nargs);
		for (int i = 0; i < q->nargs; i++)
		{
			params->params[i].value = args[i];
			params->params[i].isnull = nulls && nulls[i] == 'n';
			/* not PARAM_FLAG_CONST: a generic plan serves every call */
			params->params[i].pflags = 0;
			params->params[i].ptype = q->args[i];
		}
	}
	options.params = params;
	plan_by_index(q->plan);
	rc = SPI_execute_plan_extended(q->plan, &options);
	MemoryContextSwitchTo(receiver.context);
	if (rc < 0)
		elog(ERROR, "query failed: %s", SPI_result_code_string(rc));
	return SPI_processed;
}

/* An array of rows gathered so far, with room for one more; NULL at first. */
void *
make_room(void *array, int64 n, int64 *size, Size width)
{
	if (n < *size)
		return array;
	*size = Max(64, *size * 2);
	return array ? repalloc_huge(array, *size * width)
		: MemoryContextAllocHuge(CurrentMemoryContext, *size * width);
}

/* Set the type of an argument that is only known at run time. */
void
kept_query_arg(KeptQuery *q, int i, Oid type)
{
	if (q->args[i] == type)
		return;
	q->args[i] = type;
	if (q->plan)
		SPI_freeplan(q->plan);
	q->plan = NULL;
}

/* The type of this name in schema crm. */
Oid
crm_type(const char *name)
{
	Oid			oid = GetSysCacheOid2(TYPENAMENSP, Anum_pg_type_oid, CStringGetDatum(name),
									  ObjectIdGetDatum(get_namespace_oid("crm", false)));

	if (!OidIsValid(oid))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("type \"crm.%s\" does not exist", name)));
	return oid;
}

/* For queries whose rows say nothing */
void
ignore_row(void *arg pg_attribute_unused(), const Datum *values pg_attribute_unused(),
		   const bool *nulls pg_attribute_unused())
{
}

/*
 * Whether the tables are those of 0.1: the library serves them until
 * crm.upgrade_model() has run, so that a package may be replaced first.
 */
bool
model_is_0_1(void)
{
	return !OidIsValid(get_relname_relid("_facet_source", get_namespace_oid("crm", false)));
}
