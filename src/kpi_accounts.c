/*-------------------------------------------------------------------------
 * kpi_accounts.c
 *		The accounts of a whole book from the timelines and facets of its customers.
 *
 * What is posted up to the settled day goes to counters, what is posted after
 * it is kept by day in a hash table.
 *-------------------------------------------------------------------------
 */
#include "kpi_entries.h"

#include "base_append.h"
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

/* A customer, with the cell of the first day; the facets are NULL where a model of 0.1 has none */
typedef struct Held
{
	int64		org;
	int64		channel;
	bool		company;
	struct varlena *timeline;
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
	int			held_size;
	Held	   *held;
	MemoryContext held_context;
} Accounts;

/*
 * Timelines posted at a time, ordered by unit: those of one unit find its
 * blocks in the cache of the processor.  They are held packed.
 */
#define HELD_TIMELINES (1 << 20)
#define HELD_BYTES (96 * 1024 * 1024)

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
	if (x->org != y->org)
		return compare_keys(x->org, y->org);
	if (x->channel != y->channel)
		return compare_keys(x->channel, y->channel);
	return x->company - y->company;
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
		Timeline	t;
		Facets		f;

		CHECK_FOR_INTERRUPTS();
		timeline_unpack(h->timeline, &t);
		if (h->facets)
			facets_unpack(h->facets, &f);
		poster_run(a->poster, &t, h->facets ? &f : NULL, 1);
		if (h->facets)
			pfree(f.row);
		pfree(t.row);
	}
	a->nheld = 0;
	MemoryContextReset(a->held_context);
}

static void
customer_row(void *arg, const Datum *v, const bool *nulls)
{
	Accounts   *a = arg;
	MemoryContext old;
	Standing	first;
	Held		h = {0};

	if (nulls[0])
		return;
	old = MemoryContextSwitchTo(a->held_context);
	h.timeline = pg_detoast_datum_copy((struct varlena *) DatumGetPointer(v[0]));
	if (a->has_facets && !nulls[1])
		h.facets = pg_detoast_datum_copy((struct varlena *) DatumGetPointer(v[1]));
	MemoryContextSwitchTo(old);
	if (!timeline_first(h.timeline, &h.company, &first))
		return;
	h.org = first.org;
	h.channel = first.channel;
	a->earliest = Min(a->earliest, first.from);
	if (!counters_begin_by(a->counters, first.from))
	{
		if (!a->extends)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("a timeline begins before the first day")));
		counters_extend_back(a->counters, first.from);
	}
	if (a->nheld == a->held_size)
	{
		a->held_size = Max(1024, a->held_size * 2);
		a->held = a->held ? repalloc_huge(a->held, a->held_size * sizeof(Held)) : palloc_array(Held, a->held_size);
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
	a->has_facets = !model_is_0_1();
	a->held_context = AllocSetContextCreate(CurrentMemoryContext, "crm timelines", ALLOCSET_DEFAULT_SIZES);
	return a;
}

static void
no_nulls(FunctionCallInfo fcinfo, const char *name, int may_be_null)
{
	for (int i = 0; i < PG_NARGS(); i++)
		if (i != may_be_null && PG_ARGISNULL(i))
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("arguments of %s must not be NULL", name)));
}

/* rows to be returned: account, grain, org_id, subtree, year, cells, day, n, entries -------- */

#define ACCOUNT_COLUMNS 9

static void
return_cells(void *arg, const CellRow *row)
{
	ReturnSetInfo *rsinfo = arg;
	Datum		values[ACCOUNT_COLUMNS] = {
		Int16GetDatum(row->account),
		Int16GetDatum(row->grain),
		Int64GetDatum(row->org),
		BoolGetDatum(row->subtree),
		Int16GetDatum(row->year),
		PointerGetDatum(row->cells)
	};
	bool		nulls[ACCOUNT_COLUMNS] = {0, 0, 0, 0, 0, 0, 1, 1, 1};

	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

static void
return_entries(void *arg, const EntryRow *row)
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

	no_nulls(fcinfo, "crm._accounts", 1);
	InitMaterializedSRF(fcinfo, 0);
	if (rsinfo->setDesc->natts != ACCOUNT_COLUMNS)
		elog(ERROR, "function must return nine columns");
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
		counters_put(a->counters, return_cells, rsinfo);
	entries_pack(a->entries, a->settled, return_entries, rsinfo);
	return (Datum) 0;
}

static KeptQuery timelines_of_part = {
	.sql = "SELECT s.timeline, s.facets FROM crm.standing s WHERE s.slot = $1 AND s.customer_id >= $2 AND s.customer_id < $3",
	.nargs = 3, .args = {INT2OID, INT8OID, INT8OID}
};

/* rows to be kept in a slot ------------------------------------------------------------------- */

typedef struct Kept
{
	Appender   *table;
	Datum		slot;
} Kept;

static void
keep_cells(void *arg, const CellRow *row)
{
	Kept	   *k = arg;
	Datum		values[] = {
		k->slot,
		Int16GetDatum(row->account),
		Int16GetDatum(row->grain),
		Int64GetDatum(row->org),
		BoolGetDatum(row->subtree),
		Int16GetDatum(row->year),
		PointerGetDatum(row->cells)
	};

	append_row(k->table, values);
}

static void
keep_entries(void *arg, const EntryRow *row)
{
	Kept	   *k = arg;
	Datum		values[] = {
		k->slot,
		Int16GetDatum(row->account),
		Int64GetDatum(row->org),
		DateADTGetDatum(row->day),
		Int32GetDatum(row->n),
		PointerGetDatum(row->entries)
	};

	append_row(k->table, values);
}

static void
keep_accounts(Accounts *a, int16 slot)
{
	static const char *const cell_columns[] = {"slot", "account", "grain", "org_id", "subtree", "year", "cells"};
	static const char *const entry_columns[] = {"slot", "account", "org_id", "day", "n", "entries"};
	Kept		k = {.slot = Int16GetDatum(slot)};

	k.table = append_begin(psprintf("kpi_cell_%d", slot), lengthof(cell_columns), cell_columns);
	counters_put(a->counters, keep_cells, &k);
	append_end(k.table);
	k.table = append_begin(psprintf("kpi_entry_%d", slot), lengthof(entry_columns), entry_columns);
	entries_pack(a->entries, a->settled, keep_entries, &k);
	append_end(k.table);
}

PG_FUNCTION_INFO_V1(crm_keep_accounts);
/*
 * keep_accounts(fill, args, parts, slot, tree, first_day, settled, until, classes)
 * Puts the accounts of the timelines in a slot into crm.kpi_cell and
 * crm.kpi_entry, of the customers from <= id < to; parts holds such pairs.
 * fill NULL: the timelines are there; else they are made meanwhile by
 * fill(args, part), in background sessions where these can be had; a part
 * with from >= to is other work, done by the end.  The others
 * as of accounts(), but a timeline may begin before first_day; returns the
 * first day on which one does, NULL when there is none.
 * Errors: 22023, 22004, 42501, 54000, 57014, what fill raises.
 */
Datum
crm_keep_accounts(PG_FUNCTION_ARGS)
{
	MemoryContext here;
	Accounts   *a;
	Parts	   *parts;

	no_nulls(fcinfo, "crm._keep_accounts", 0);
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

			if (range[0] >= range[n - 1])
				continue;
			if (!PG_ARGISNULL(0))
				parts_wait(parts, i);
			kept_query_rows(&timelines_of_part, args, NULL, 2, customer_row, a);
		}
		post_held(a);
		query_rows(text_to_cstring(PG_GETARG_TEXT_PP(4)), 2, pair_types, pair_row, a);
		SPI_finish();
		keep_accounts(a, PG_GETARG_INT16(3));
		parts_end(parts);
	}
	PG_END_ENSURE_ERROR_CLEANUP(parts_break_off, PointerGetDatum(parts));
	if (DATE_IS_NOEND(a->earliest))
		PG_RETURN_NULL();
	PG_RETURN_DATEADT(a->earliest);
}
