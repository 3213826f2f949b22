/*-------------------------------------------------------------------------
 * kpi_accounts.c
 *		The accounts of a whole book from the timelines and facets of its customers.
 *
 * What is posted up to the settled day goes to counters, what is posted after
 * it is kept by day in a hash table.
 *-------------------------------------------------------------------------
 */
#include "kpi_entries.h"

#include "base_key.h"
#include "base_parts.h"
#include "base_query.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "kpi_counters.h"
#include "miscadmin.h"
#include "storage/ipc.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

/* A customer; the facets are packed, NULL where a model of 0.1 has none */
typedef struct Held
{
	Timeline	timeline;
	struct varlena *facets;
} Held;

typedef struct Accounts
{
	DateADT		settled;
	bool		extends;		/* where a timeline begins before the first month, else an error */
	DateADT		earliest;		/* on which a timeline begins */
	bool		has_facets;		/* beside the timelines, as but a model of 0.1 has them */
	Counters   *counters;		/* of settled days */
	entries_hash *entries;		/* of later ones */
	Poster	   *poster;
	/* customers read but not posted yet */
	int			nheld;
	Held	   *held;
	MemoryContext held_context;
} Accounts;

/*
 * Timelines posted at a time, ordered by unit: those of one unit find its
 * blocks in the cache of the processor.
 */
#define HELD_TIMELINES 65536
#define HELD_BYTES (64 * 1024 * 1024)

static void
post_to_book(void *arg, const Posting *p)
{
	Accounts   *a = arg;

	if (p->day > a->settled)
		entries_add(a->entries, p);
	else
		counters_add(a->counters, p);
}

static int
held_cmp(const Held *x, const Held *y)
{
	const Standing *p = x->timeline.row;
	const Standing *q = y->timeline.row;

	if (p->org != q->org)
		return compare_keys(p->org, q->org);
	if (p->channel != q->channel)
		return compare_keys(p->channel, q->channel);
	return x->timeline.company - y->timeline.company;
}

#define ST_SORT sort_held
#define ST_ELEMENT_TYPE Held
#define ST_COMPARE(a, b) held_cmp(a, b)
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

static void
post_held(Accounts *a)
{
	sort_held(a->held, a->nheld);
	for (int i = 0; i < a->nheld; i++)
	{
		Held	   *h = &a->held[i];
		Facets		f;

		CHECK_FOR_INTERRUPTS();
		if (h->facets)
			facets_unpack(h->facets, &f);
		poster_run(a->poster, &h->timeline, h->facets ? &f : NULL, 1);
		if (h->facets)
			pfree(f.row);
	}
	a->nheld = 0;
	MemoryContextReset(a->held_context);
}

static void
customer_row(void *arg, const Datum *v, const bool *nulls)
{
	Accounts   *a = arg;
	MemoryContext old;
	Held		h = {0};

	if (nulls[0])
		return;
	old = MemoryContextSwitchTo(a->held_context);
	timeline_unpack(pg_detoast_datum_packed((struct varlena *) DatumGetPointer(v[0])), &h.timeline);
	if (a->has_facets && !nulls[1])
		h.facets = pg_detoast_datum_copy((struct varlena *) DatumGetPointer(v[1]));
	MemoryContextSwitchTo(old);
	if (h.timeline.n == 0)
		return;
	a->earliest = Min(a->earliest, h.timeline.row[0].from);
	if (!counters_begin_by(a->counters, h.timeline.row[0].from))
	{
		if (!a->extends)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("a timeline begins before the first day")));
		counters_extend_back(a->counters, h.timeline.row[0].from);
	}
	a->held[a->nheld++] = h;
	if (a->nheld == HELD_TIMELINES || MemoryContextMemAllocated(a->held_context, false) > HELD_BYTES)
		post_held(a);
}

static void
pair_row(void *arg, const Datum *v, const bool *nulls pg_attribute_unused())
{
	counters_add_pair(((Accounts *) arg)->counters, DatumGetInt64(v[0]), DatumGetInt64(v[1]));
}

static void
put_entry_row(void *arg, const EntryRow *row)
{
	ReturnSetInfo *rsinfo = arg;
	Datum		values[ACCOUNT_COLUMNS] = {
		Int16GetDatum(row->account),
		0,
		Int64GetDatum(row->org),
		0,
		0,
		0,
		DateADTGetDatum(row->day),
		Int32GetDatum(row->n),
		PointerGetDatum(row->entries)
	};
	bool		nulls[ACCOUNT_COLUMNS] = {0, 1, 0, 1, 1, 1, 0, 0, 0};

	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

static const Oid pair_types[] = {INT8OID, INT8OID};

/*
 * Accounts of timelines to come.  first_day: none begins before it; settled:
 * the day up to which cells hold; until: the last day for which entries are
 * made; classes: the largest class id.  Errors: 22023.
 */
static Accounts *
accounts_create(DateADT first_day, DateADT settled, DateADT until, int classes)
{
	Accounts   *a = palloc0_object(Accounts);

	if (classes < 0 || classes > PG_INT16_MAX || first_day < TIMELINE_FIRST_DAY || settled < first_day ||
		until < settled || until > TIMELINE_LAST_DAY)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("days or classes are out of range")));
	a->settled = settled;
	a->earliest = DATEVAL_NOEND;
	a->counters = counters_create(first_day, settled, classes);
	a->entries = entries_create(CurrentMemoryContext, 1024, NULL);
	a->poster = poster_create(settled, until, post_to_book, a);
	a->held = palloc_array(Held, HELD_TIMELINES);
	a->has_facets = !model_is_0_1();
	a->held_context = AllocSetContextCreate(CurrentMemoryContext, "crm timelines", ALLOCSET_DEFAULT_SIZES);
	return a;
}

static void
begin_accounts(FunctionCallInfo fcinfo, const char *name, int may_be_null)
{
	for (int i = 0; i < PG_NARGS(); i++)
		if (i != may_be_null && PG_ARGISNULL(i))
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("arguments of %s must not be NULL", name)));
	InitMaterializedSRF(fcinfo, 0);
	if (((ReturnSetInfo *) fcinfo->resultinfo)->setDesc->natts != ACCOUNT_COLUMNS)
		elog(ERROR, "function must return nine columns");
}

PG_FUNCTION_INFO_V1(crm_accounts);
/*
 * accounts(timelines, tree, first_day, settled, until, classes)
 * timelines: a query for crm.timeline and crm.facets values; tree: a query for pairs
 * (ancestor, descendant) of units, bigint, NULL for entries only; the others as of
 * accounts_create().  Errors: 22023, 22004, and what the queries raise.
 */
Datum
crm_accounts(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	MemoryContext here;
	Accounts   *a;
	Oid			types[2];

	begin_accounts(fcinfo, "crm._accounts", 1);
	a = accounts_create(PG_GETARG_DATEADT(2), PG_GETARG_DATEADT(3), PG_GETARG_DATEADT(4), PG_GETARG_INT32(5));
	here = CurrentMemoryContext;
	SPI_connect();
	MemoryContextSwitchTo(here);
	types[0] = crm_type("timeline");
	types[1] = a->has_facets ? crm_type("facets") : InvalidOid;
	query_rows(text_to_cstring(PG_GETARG_TEXT_PP(0)), a->has_facets ? 2 : 1, types, customer_row, a);
	post_held(a);
	if (!PG_ARGISNULL(1))
		query_rows(text_to_cstring(PG_GETARG_TEXT_PP(1)), 2, pair_types, pair_row, a);
	SPI_finish();
	if (!PG_ARGISNULL(1))
		counters_put(a->counters, rsinfo);
	entries_pack(a->entries, a->settled, put_entry_row, rsinfo);
	return (Datum) 0;
}

static KeptQuery timelines_of_part = {
	.sql = "SELECT s.timeline, s.facets FROM crm.standing s WHERE s.slot = $1 AND s.customer_id >= $2 AND s.customer_id < $3",
	.nargs = 3, .args = {INT2OID, INT8OID, INT8OID}
};

PG_FUNCTION_INFO_V1(crm_accounts_of);
/*
 * accounts_of(fill, args, parts, slot, tree, first_day, settled, until, classes)
 * The accounts of the timelines in a slot, of the customers from <= id < to;
 * parts holds such pairs.  fill NULL: they are there; else they are made
 * meanwhile by fill(args, part), in background sessions where these can be had.
 * The others as of accounts(), but a timeline may begin before first_day; a
 * row without account tells the first day on which one does.
 * Errors: 22023, 22004, 54000, 57014, what fill raises.
 */
Datum
crm_accounts_of(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	MemoryContext here;
	Accounts   *a;
	Parts	   *parts;

	begin_accounts(fcinfo, "crm._accounts_of", 0);
	a = accounts_create(PG_GETARG_DATEADT(5), PG_GETARG_DATEADT(6), PG_GETARG_DATEADT(7), PG_GETARG_INT32(8));
	a->extends = true;
	here = CurrentMemoryContext;
	parts = parts_begin(PG_ARGISNULL(0) ? InvalidOid : PG_GETARG_OID(0), PG_GETARG_DATUM(1), PG_GETARG_DATUM(2), 2);
	PG_ENSURE_ERROR_CLEANUP(parts_break_off, PointerGetDatum(parts));
	{
		SPI_connect();
		MemoryContextSwitchTo(here);
		for (int i = 0; i < parts_count(parts); i++)
		{
			int			n;
			const int64 *range = part_items(parts, i, &n);
			Datum		args[3] = {PG_GETARG_DATUM(3), Int64GetDatum(range[0]), Int64GetDatum(range[n - 1])};

			if (!PG_ARGISNULL(0))
				parts_wait(parts, i);
			kept_query_rows(&timelines_of_part, args, NULL, 2, customer_row, a);
		}
		parts_end(parts);
	}
	PG_END_ENSURE_ERROR_CLEANUP(parts_break_off, PointerGetDatum(parts));
	post_held(a);
	query_rows(text_to_cstring(PG_GETARG_TEXT_PP(4)), 2, pair_types, pair_row, a);
	SPI_finish();
	counters_put(a->counters, rsinfo);
	entries_pack(a->entries, a->settled, put_entry_row, rsinfo);
	if (!DATE_IS_NOEND(a->earliest))
	{
		Datum		values[9] = {[6] = DateADTGetDatum(a->earliest)};
		bool		nulls[9] = {true, true, true, true, true, true, false, true, true};

		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	return (Datum) 0;
}
