/*-------------------------------------------------------------------------
 * kpi_restate.c
 *		Standings made anew: of a range of customers for a rebuild, and of
 *		the customers a transaction has touched, with the entries that the
 *		change makes in the accounts.
 *-------------------------------------------------------------------------
 */
#include "crm.h"

#include "base_key.h"
#include "base_query.h"
#include "catalog/pg_type.h"
#include "classify_book.h"
#include "funcapi.h"
#include "kpi_entries.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

PG_FUNCTION_INFO_V1(crm_standings);
/*
 * standings(generation, from, to): the timelines and facets of the customers
 * from <= id < to by the rules of a generation.  A customer of whom nothing
 * counts has no row.  NULL arguments: no rows.
 */
Datum
crm_standings(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	Book	   *book;
	Kernels		kernels;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(2))
		return (Datum) 0;
	SPI_connect();
	kernels = kernels_create(rules_of(PG_GETARG_INT64(0)));
	book = book_read_range(kernels.rules, PG_GETARG_INT64(1), PG_GETARG_INT64(2));
	for (int64 i = 0; i < book->ncustomers; i++)
	{
		const Facets *f;
		const Timeline *t = book_timeline(book, &kernels, i, &f);
		Datum		values[4];
		bool		nulls[4] = {false};

		if (t->n == 0)
			continue;
		values[0] = Int64GetDatum(book->customer[i].id);
		values[1] = DateADTGetDatum(t->row[0].from);
		values[2] = PointerGetDatum(timeline_pack(t));
		values[3] = PointerGetDatum(facets_pack(f));
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
		pfree(DatumGetPointer(values[2]));
		pfree(DatumGetPointer(values[3]));
	}
	SPI_finish();
	return (Datum) 0;
}

/* Rows written at a time */
#define ENTRY_ROWS 1000

typedef struct OldStanding
{
	int64		customer;
	struct varlena *timeline;
	struct varlena *facets;
	bool		stands;			/* the columns beside them do */
} OldStanding;

typedef struct OldStandings
{
	int64		n;
	int64		size;
	OldStanding *old;
} OldStandings;

static KeptQuery standings_by_id = {
	.sql = "SELECT s.customer_id, s.timeline, s.facets, coalesce(g.shown_on >= s.valid_from AND g.shown_on < s.valid_to "
	"AND (s.kind, s.name, s.known_from, s.source_channel) = (c.kind, c.name, c.known_from, x.code) "
	"AND s.sex IS NOT DISTINCT FROM c.sex AND s.birth_date IS NOT DISTINCT FROM c.birth_date, false) "
	"FROM crm.standing s JOIN crm.generation g ON g.slot = s.slot AND g.state <> 'retired' "
	"LEFT JOIN crm.customer c ON c.id = s.customer_id LEFT JOIN crm.channel x ON x.id = c.source_channel_id "
	"WHERE s.slot = $1 AND s.customer_id = ANY ($2)",
	.nargs = 2, .args = {INT2OID, INT8ARRAYOID}
};
static KeptQuery standings_of_0_1 = {
	.sql = "SELECT customer_id, timeline, NULL::crm.timeline, true FROM crm.standing WHERE slot = $1 AND customer_id = ANY ($2)",
	.nargs = 2, .args = {INT2OID, INT8ARRAYOID}
};
static KeptQuery put_standings_0_1 = {
	.sql = "INSERT INTO crm.standing (slot, customer_id, first_day, timeline) "
	"SELECT $1, u.customer_id, u.first_day, u.timeline FROM unnest($2, $3, $4) AS u (customer_id, first_day, timeline) "
	"ON CONFLICT (slot, customer_id) DO UPDATE SET first_day = excluded.first_day, timeline = excluded.timeline",
	.nargs = 4, .args = {INT2OID, INT8ARRAYOID, DATEARRAYOID, InvalidOid}
};
static KeptQuery put_standings = {
	.sql = "SELECT crm._put_standings($1, $2, $3, $4, $5)",
	.nargs = 5, .args = {INT2OID, INT8ARRAYOID, DATEARRAYOID, InvalidOid, InvalidOid}
};
static KeptQuery drop_standings = {
	.sql = "DELETE FROM crm.standing WHERE slot = $1 AND customer_id = ANY ($2)",
	.nargs = 2, .args = {INT2OID, INT8ARRAYOID}
};
static KeptQuery mark_standings = {
	.sql = "UPDATE crm.standing SET first_day = first_day WHERE slot = $1 AND customer_id = ANY ($2)",
	.nargs = 2, .args = {INT2OID, INT8ARRAYOID}
};
static KeptQuery mark_customers = {
	.sql = "UPDATE crm.customer SET version = version + 1 WHERE id = ANY ($2)",
	.nargs = 2, .args = {INT2OID, INT8ARRAYOID}
};
static KeptQuery put_entries = {
	.sql = "INSERT INTO crm.kpi_entry (slot, account, org_id, day, n, entries) "
	"SELECT $1, u.* FROM unnest($2, $3, $4, $5, $6) u",
	.nargs = 6, .args = {INT2OID, INT2ARRAYOID, INT8ARRAYOID, DATEARRAYOID, INT4ARRAYOID, InvalidOid}
};

static void
old_row(void *arg, const Datum *v, const bool *nulls)
{
	OldStandings *o = arg;

	o->old = make_room(o->old, o->n, &o->size, sizeof(OldStanding));
	o->old[o->n++] = (OldStanding) {
		.customer = DatumGetInt64(v[0]),
		.timeline = pg_detoast_datum_copy((struct varlena *) DatumGetPointer(v[1])),
		.facets = nulls[2] ? NULL : pg_detoast_datum_copy((struct varlena *) DatumGetPointer(v[2])),
		.stands = DatumGetBool(v[3])
	};
}

static int
old_cmp(const void *a, const void *b)
{
	const OldStanding *x = a;
	const OldStanding *y = b;

	return compare_keys(x->customer, y->customer);
}

static bool
same_bytes(const struct varlena *a, const struct varlena *b)
{
	return VARSIZE(a) == VARSIZE(b) && memcmp(VARDATA(a), VARDATA(b), VARSIZE(a) - VARHDRSZ) == 0;
}

static Datum
array_of(Datum *values, int n, Oid type)
{
	int16		len;
	bool		byval;
	char		align;

	get_typlenbyvalalign(type, &len, &byval, &align);
	return PointerGetDatum(construct_array(values, n, type, len, byval, align));
}

/* A list of customers on its way to a query */
typedef struct CustomerList
{
	int			n;
	Datum	   *id;
} CustomerList;

static void
run_for(KeptQuery *q, Datum slot, const CustomerList *list)
{
	Datum		args[2] = {slot};

	if (list->n == 0)
		return;
	args[1] = array_of(list->id, list->n, INT8OID);
	kept_query_rows(q, args, NULL, 0, NULL, NULL);
}

static void
post_change(void *arg, const Posting *p)
{
	entries_add(arg, p);
}

/* Take back what was posted of a standing, or where the timeline stays what its facets bear on. */
static void
post_old(Poster *poster, const OldStanding *o, const Timeline *t, bool same_timeline)
{
	Facets		f;

	if (o->facets)
		facets_unpack(o->facets, &f);
	if (same_timeline)
		poster_run_facets(poster, t, o->facets ? &f : NULL, -1);
	else
		poster_run(poster, t, o->facets ? &f : NULL, -1);
	if (o->facets)
		pfree(f.row);
}

/* Rows for crm.kpi_entry on their way */
typedef struct EntryRows
{
	Datum		slot;
	Oid			type;			/* crm.entries */
	int			n;
	Datum		account[ENTRY_ROWS];
	Datum		org[ENTRY_ROWS];
	Datum		day[ENTRY_ROWS];
	Datum		count[ENTRY_ROWS];
	Datum		entries[ENTRY_ROWS];
} EntryRows;

static void
flush_entries(EntryRows *rows)
{
	Datum		args[6] = {
		rows->slot,
		array_of(rows->account, rows->n, INT2OID),
		array_of(rows->org, rows->n, INT8OID),
		array_of(rows->day, rows->n, DATEOID),
		array_of(rows->count, rows->n, INT4OID),
		array_of(rows->entries, rows->n, rows->type)
	};

	if (rows->n > 0)
		kept_query_rows(&put_entries, args, NULL, 0, NULL, NULL);
	for (int i = 0; i < rows->n; i++)
		pfree(DatumGetPointer(rows->entries[i]));
	rows->n = 0;
}

static void
put_entry_row(void *arg, const EntryRow *row)
{
	EntryRows  *rows = arg;

	if (rows->n == ENTRY_ROWS)
		flush_entries(rows);
	rows->account[rows->n] = Int16GetDatum(row->account);
	rows->org[rows->n] = Int64GetDatum(row->org);
	rows->day[rows->n] = DateADTGetDatum(row->day);
	rows->count[rows->n] = Int32GetDatum(row->n);
	rows->entries[rows->n++] = PointerGetDatum(pg_detoast_datum_copy(row->entries));
}

PG_FUNCTION_INFO_V1(crm_restate);
/*
 * restate(generation, slot, customers, settled, until, entries)
 * Makes the standings of these customers anew in a slot, where they differ
 * from what is there, and with entries true posts the difference of their
 * timelines and facets.  Then a row of every customer is written, changed or not, so that
 * whoever posts for one of them by an older snapshot fails.  Returns the earliest
 * day of any timeline changed, NULL when none was.
 * Errors: 22004, 22023.
 */
Datum
crm_restate(PG_FUNCTION_ARGS)
{
	Datum		args[5];
	Oid			timeline_type;
	Oid			facets_type;
	EntryRows  *rows;
	OldStandings old = {0};
	Book	   *book;
	Kernels		kernels;
	Poster	   *poster;
	entries_hash *entries;
	Datum	   *put[4];
	CustomerList gone = {0};
	CustomerList same_row = {0};
	CustomerList no_row = {0};
	int			nput = 0;
	int64		at = 0;
	bool		of_0_1;
	bool		post;
	DateADT		earliest = DATEVAL_NOEND;
	DateADT		settled,
				until;

	for (int i = 0; i < 6; i++)
		if (PG_ARGISNULL(i))
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("arguments of %s must not be NULL", "crm._restate")));
	settled = PG_GETARG_DATEADT(3);
	until = PG_GETARG_DATEADT(4);
	post = PG_GETARG_BOOL(5);
	if (settled < TIMELINE_FIRST_DAY || until < settled || until > TIMELINE_LAST_DAY)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("days are out of range")));

	SPI_connect();
	timeline_type = crm_type("timeline");
	of_0_1 = model_is_0_1();
	facets_type = of_0_1 ? InvalidOid : crm_type("facets");
	kept_query_arg(&put_standings_0_1, 3, get_array_type(timeline_type));
	kept_query_arg(&put_standings, 3, get_array_type(timeline_type));
	kept_query_arg(&put_standings, 4, of_0_1 ? InvalidOid : get_array_type(facets_type));
	rows = palloc0(sizeof(EntryRows));
	rows->type = crm_type("entries");
	rows->slot = Int16GetDatum(PG_GETARG_INT16(1));
	kept_query_arg(&put_entries, 5, get_array_type(rows->type));
	kernels = kernels_create(rules_of(PG_GETARG_INT64(0)));
	book = book_read(kernels.rules, PG_GETARG_DATUM(2));
	args[0] = Int16GetDatum(PG_GETARG_INT16(1));
	args[1] = PG_GETARG_DATUM(2);
	kept_query_rows(of_0_1 ? &standings_of_0_1 : &standings_by_id, args, NULL, 4, old_row, &old);
	qsort(old.old, old.n, sizeof(OldStanding), old_cmp);

	entries = entries_create(CurrentMemoryContext, 256, NULL);
	poster = poster_create(settled, until, post_change, entries);
	for (Size c = 0; c < lengthof(put); c++)
		put[c] = palloc_array(Datum, Max(book->ncustomers, 1));
	gone.id = palloc_array(Datum, Max(old.n, 1));
	same_row.id = palloc_array(Datum, Max(old.n, 1));
	no_row.id = palloc_array(Datum, Max(book->ncustomers, 1));
	/* both are in order of customer */
	for (int64 i = 0; i < book->ncustomers || at < old.n;)
	{
		const Timeline *t = NULL;
		const Facets *f = NULL;
		struct varlena *packed = NULL;
		struct varlena *facets = NULL;
		OldStanding *o = NULL;
		int64		customer;
		bool		same;
		bool		same_facets;

		CHECK_FOR_INTERRUPTS();
		if (i < book->ncustomers && (at == old.n || book->customer[i].id <= old.old[at].customer))
		{
			customer = book->customer[i].id;
			t = book_timeline(book, &kernels, i, &f);
			if (t->n > 0)
			{
				packed = timeline_pack(t);
				facets = facets_pack(f);
			}
			i++;
		}
		else
			customer = old.old[at].customer;
		if (at < old.n && old.old[at].customer == customer)
			o = &old.old[at++];

		same = o && packed && same_bytes(o->timeline, packed);
		same_facets = of_0_1 || (o && packed && o->facets && same_bytes(o->facets, facets));
		if (same && o->stands && same_facets)
		{
			pfree(packed);
			pfree(facets);
			same_row.id[same_row.n++] = Int64GetDatum(customer);
			continue;
		}
		if (o && !(same && same_facets))
		{
			Timeline	was;

			timeline_unpack(o->timeline, &was);
			if (was.n > 0)
				earliest = Min(earliest, was.row[0].from);
			if (post)
				post_old(poster, o, &was, same);
			pfree(was.row);
			if (packed == NULL)
				gone.id[gone.n++] = Int64GetDatum(customer);
		}
		if (packed)
		{
			if (!(same && same_facets))
			{
				earliest = Min(earliest, t->row[0].from);
				if (post && same)
					poster_run_facets(poster, t, f, 1);
				else if (post)
					poster_run(poster, t, of_0_1 ? NULL : f, 1);
			}
			put[0][nput] = Int64GetDatum(customer);
			put[1][nput] = DateADTGetDatum(t->row[0].from);
			put[2][nput] = PointerGetDatum(packed);
			put[3][nput] = PointerGetDatum(facets);
			nput++;
		}
		else if (o == NULL)
			no_row.id[no_row.n++] = Int64GetDatum(customer);
	}

	if (nput > 0)
	{
		args[1] = array_of(put[0], nput, INT8OID);
		args[2] = array_of(put[1], nput, DATEOID);
		args[3] = array_of(put[2], nput, timeline_type);
		if (of_0_1)
			kept_query_rows(&put_standings_0_1, args, NULL, 0, NULL, NULL);
		else
		{
			args[4] = array_of(put[3], nput, facets_type);
			kept_query_rows(&put_standings, args, NULL, 1, ignore_row, NULL);
		}
	}
	run_for(&drop_standings, args[0], &gone);
	if (post && !of_0_1)
	{
		run_for(&mark_standings, args[0], &same_row);
		run_for(&mark_customers, args[0], &no_row);
	}
	entries_pack(entries, settled, put_entry_row, rows);
	flush_entries(rows);
	SPI_finish();
	if (DATE_IS_NOEND(earliest))
		PG_RETURN_NULL();
	PG_RETURN_DATEADT(earliest);
}
