/*-------------------------------------------------------------------------
 * kpi_entries.c
 *		The type crm.entries: what is to be added to one account of one unit,
 *		by period, day, class, kind and channel.
 *
 * Packed form: a version byte, then the entries in ascending order, each as
 * varints: the key of its period and its day, both less those of the entry
 * before, the number of periods with the kind, the class, the channel and n.
 *-------------------------------------------------------------------------
 */
#include "kpi_entries.h"

#include "base_key.h"
#include "base_query.h"
#include "catalog/pg_type.h"
#include "common/int.h"
#include "funcapi.h"
#include "kpi_cells.h"
#include "lib/stringinfo.h"
#include "libpq/pqformat.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/memutils.h"
#include "varint.h"

#define ENTRIES_VERSION 1

/* Rows stay below the size from which values are moved out of them */
#define ENTRIES_BYTES 1700
#define ENTRY_BYTES_MAX (6 * VARINT_MAX)

/* Key of a period: its number times 8 and its grain; 0 for balances */
static inline int32
posting_key(const Posting *p)
{
	return p->grain == GRAIN_DAY ? 0 : p->period * 8 + p->grain;
}

/* In the order of the packed form */
static int
packed_cmp(const Posting *a, const Posting *b)
{
	int32		x = posting_key(a);
	int32		y = posting_key(b);

	if (x != y)
		return x - y;
	if (a->day != b->day)
		return a->day - b->day;
	if (a->periods != b->periods)
		return a->periods - b->periods;
	if (a->company != b->company)
		return a->company - b->company;
	if (a->class_id != b->class_id)
		return a->class_id - b->class_id;
	return compare_keys(a->channel, b->channel);
}

static uint8 *
put_entry(uint8 *p, const Posting *before, const Posting *e)
{
	p = varint_put(p, (uint64) (posting_key(e) - (before ? posting_key(before) : 0)));
	p = varint_put(p, zigzag((int64) e->day - (before ? before->day : 0)));
	p = varint_put(p, (uint64) e->periods << 1 | e->company);
	p = varint_put(p, (uint64) e->class_id);
	p = varint_put(p, zigzag(e->channel));
	return varint_put(p, zigzag(e->n));
}

/* The next entry after *e, which is all zero at first; NULL when the bytes are none. */
static const uint8 *
get_entry(const uint8 *p, const uint8 *end, Posting *e)
{
	uint64		key,
				day,
				periods,
				class_id,
				channel,
				n;
	Posting		next = {0};
	int64		d;

	if ((p = varint_get(p, end, &key)) == NULL ||
		(p = varint_get(p, end, &day)) == NULL ||
		(p = varint_get(p, end, &periods)) == NULL ||
		(p = varint_get(p, end, &class_id)) == NULL ||
		(p = varint_get(p, end, &channel)) == NULL ||
		(p = varint_get(p, end, &n)) == NULL)
		return NULL;
	if (key >= N_MONTHS * 8)
		return NULL;
	key += posting_key(e);
	if (key >= N_MONTHS * 8 || (key & 7) > GRAIN_TRAILING || ((key & 7) == 0 && key != 0))
		return NULL;
	next.period = (int16) (key >> 3);
	next.grain = (int16) (key & 7);
	if (pg_add_s64_overflow(unzigzag(day), e->day, &d) || d < TIMELINE_FIRST_DAY || d > TIMELINE_LAST_DAY)
		return NULL;
	next.day = (DateADT) d;
	next.company = periods & 1;
	periods >>= 1;
	if (periods < 1 || periods > N_MONTHS || class_id > PG_INT16_MAX)
		return NULL;
	next.periods = (int16) periods;
	next.class_id = (int16) class_id;
	next.channel = unzigzag(channel);
	if (n == 0)
		return NULL;
	next.n = unzigzag(n);
	if (e->n != 0 && packed_cmp(e, &next) >= 0)
		return NULL;
	*e = next;
	return p;
}

/* Where a stored value is being read */
typedef struct Reader
{
	const uint8 *p;
	const uint8 *end;
	Posting		e;
} Reader;

static Reader
read_entries(const struct varlena *v)
{
	Reader		r = {.p = (const uint8 *) VARDATA_ANY(v)};

	r.end = r.p + VARSIZE_ANY_EXHDR(v);
	if (r.p < r.end && *r.p == ENTRIES_VERSION)
		r.p++;
	else
		r.p = NULL;
	return r;
}

static bool
next_entry(Reader *r)
{
	if (r->p != NULL && r->p >= r->end)
		return false;
	if (r->p != NULL)
		r->p = get_entry(r->p, r->end, &r->e);
	if (r->p == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("stored entries are damaged"),
				 errhint("Run CALL crm.rebuild().")));
	return true;
}

/* packing what was summed up -------------------------------------------------- */

typedef struct Sorted
{
	int64		org;
	const Posting *p;
	DateADT		day;			/* of the row it goes to */
	int16		account;
} Sorted;

static inline int
sorted_cmp(const Sorted *a, const Sorted *b)
{
	if (a->account != b->account)
		return a->account - b->account;
	if (a->org != b->org)
		return compare_keys(a->org, b->org);
	if (a->day != b->day)
		return a->day - b->day;
	return packed_cmp(a->p, b->p);
}

#define ST_SORT sort_entries
#define ST_ELEMENT_TYPE Sorted
#define ST_COMPARE(a, b) sorted_cmp(a, b)
#define ST_SCOPE static
#define ST_DEFINE
#define ST_CHECK_FOR_INTERRUPTS
#include "lib/sort_template.h"

/*
 * The rows for crm.kpi_entry, in the order of its index: one for each account,
 * unit and day, with all days up to the settled one as that day, as long as
 * the entries are short enough.
 */
void
entries_pack(entries_hash *entries, DateADT settled, EntryRowFunction put, void *arg)
{
	Sorted	   *sorted = MemoryContextAllocHuge(CurrentMemoryContext, Max(entries->members, 1) * sizeof(Sorted));
	struct varlena *v = palloc(VARHDRSZ + 1 + ENTRIES_BYTES + ENTRY_BYTES_MAX);
	uint8	   *start = (uint8 *) VARDATA(v);
	entries_iterator it;
	DayEntry   *e;
	size_t		n = 0;

	entries_start_iterate(entries, &it);
	while ((e = entries_iterate(entries, &it)) != NULL)
		if (e->key.n != 0)
			sorted[n++] = (Sorted) {
				.account = e->key.account, .org = e->key.org, .day = Max(e->key.day, settled), .p = &e->key
			};
	sort_entries(sorted, n);
	for (size_t i = 0, j; i < n; i = j)
	{
		EntryRow	row = {
			.account = sorted[i].account, .org = sorted[i].org, .day = sorted[i].day, .entries = v
		};
		uint8	   *p = start;

		CHECK_FOR_INTERRUPTS();
		*p++ = ENTRIES_VERSION;
		for (j = i; j < n && p - start < ENTRIES_BYTES && sorted[j].account == row.account &&
			 sorted[j].org == row.org && sorted[j].day == row.day; j++)
			p = put_entry(p, j > i ? sorted[j - 1].p : NULL, sorted[j].p);
		SET_VARSIZE(v, (char *) p - (char *) v);
		row.n = (int) (j - i);
		put(arg, &row);
	}
	pfree(v);
	pfree(sorted);
}

/* the SQL type ---------------------------------------------------------------- */

PG_FUNCTION_INFO_V1(crm_entries_out);
/* Text form: "key/periods/day/class/kind/channel=n" with spaces between, kind p or c, day in ISO form. */
Datum
crm_entries_out(PG_FUNCTION_ARGS)
{
	Reader		r = read_entries(PG_GETARG_VARLENA_PP(0));
	StringInfoData buf;

	initStringInfo(&buf);
	while (next_entry(&r))
	{
		int			y,
					m,
					d;

		j2date(r.e.day + POSTGRES_EPOCH_JDATE, &y, &m, &d);
		appendStringInfo(&buf, "%s%d/%d/%04d-%02d-%02d/%d/%c/" INT64_FORMAT "=" INT64_FORMAT, buf.len > 0 ? " " : "",
						 posting_key(&r.e), r.e.periods, y, m, d, r.e.class_id, r.e.company ? 'c' : 'p',
						 r.e.channel, r.e.n);
	}
	PG_RETURN_CSTRING(buf.data);
}

static bool
parse_entry(char *word, Posting *e)
{
	int64		key,
				periods,
				y,
				m,
				d,
				class_id,
				n;

	if (!parse_number(&word, '/', 0, N_MONTHS * 8 - 1, &key) ||
		!parse_number(&word, '/', 1, N_MONTHS, &periods) ||
		!parse_number(&word, '-', 1, 9999, &y) ||
		!parse_number(&word, '-', 1, 12, &m) ||
		!parse_number(&word, '/', 1, 31, &d) || d > day_tab[isleap(y)][m - 1] ||
		!parse_number(&word, '/', 0, PG_INT16_MAX, &class_id) ||
		(word[0] != 'p' && word[0] != 'c') || word[1] != '/')
		return false;
	*e = (Posting) {
		.period = (int16) (key >> 3), .grain = (int16) (key & 7), .periods = (int16) periods,
		.day = date2j((int) y, (int) m, (int) d) - POSTGRES_EPOCH_JDATE, .class_id = (int16) class_id,
		.company = word[0] == 'c'
	};
	word += 2;
	if (!parse_number(&word, '=', PG_INT64_MIN, PG_INT64_MAX, &e->channel) ||
		!parse_number(&word, '\0', PG_INT64_MIN, PG_INT64_MAX, &n))
		return false;
	e->n = n;
	return true;
}

PG_FUNCTION_INFO_V1(crm_entries_in);
/* Errors: 22P02 for anything that crm_entries_out does not write. */
Datum
crm_entries_in(PG_FUNCTION_ARGS)
{
	char	   *text = PG_GETARG_CSTRING(0);
	/* an entry takes more letters than a quarter of its bytes at most */
	struct varlena *v = palloc_extended(VARHDRSZ + 1 + strlen(text) * 4 + ENTRY_BYTES_MAX, MCXT_ALLOC_HUGE);
	uint8	   *p = (uint8 *) VARDATA(v);
	char	   *save;
	Posting		before = {0};
	Posting		e;

	*p++ = ENTRIES_VERSION;
	for (char *w = strtok_r(pstrdup(text), " \t\n", &save); w; w = strtok_r(NULL, " \t\n", &save))
	{
		uint8	   *at = p;

		CHECK_FOR_INTERRUPTS();
		if (parse_entry(w, &e))
		{
			Posting		read = before;

			p = put_entry(p, before.n != 0 ? &before : NULL, &e);
			/* what cannot be read back is out of range or out of order */
			if (get_entry(at, p, &read) == p)
			{
				before = e;
				continue;
			}
		}
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
				 errmsg("invalid input syntax for type %s: \"%.200s\"", "crm.entries", text),
				 errhint("Entries are made by crm and not written by hand.")));
	}
	SET_VARSIZE(v, (char *) p - (char *) v);
	PG_RETURN_POINTER(v);
}

PG_FUNCTION_INFO_V1(crm_entries_recv);
/* Errors: 22P03 for bytes that are no entries. */
Datum
crm_entries_recv(PG_FUNCTION_ARGS)
{
	StringInfo	buf = (StringInfo) PG_GETARG_POINTER(0);
	int			len = buf->len - buf->cursor;
	const uint8 *from = (const uint8 *) pq_getmsgbytes(buf, len);
	const uint8 *end = from + len;
	/* numbers written longer than they need be are written anew */
	struct varlena *v = palloc(VARHDRSZ + len + 1);
	uint8	   *to = (uint8 *) VARDATA(v);
	Posting		before = {0};
	Posting		e = {0};

	if (from < end && *from == ENTRIES_VERSION)
	{
		*to++ = *from++;
		for (; from != NULL && from < end; before = e)
			if ((from = get_entry(from, end, &e)) != NULL)
				to = put_entry(to, before.n != 0 ? &before : NULL, &e);
	}
	if (from != end || len == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("invalid external \"%s\" value", "crm.entries")));
	SET_VARSIZE(v, (char *) to - (char *) v);
	PG_RETURN_POINTER(v);
}

PG_FUNCTION_INFO_V1(crm_entries_send);
Datum
crm_entries_send(PG_FUNCTION_ARGS)
{
	struct varlena *v = PG_GETARG_VARLENA_PP(0);
	StringInfoData buf;

	pq_begintypsend(&buf);
	pq_sendbytes(&buf, VARDATA_ANY(v), VARSIZE_ANY_EXHDR(v));
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}

PG_FUNCTION_INFO_V1(crm_entries_unnest);
/* unnest(entries): rows (period_key, periods, day, class_id, company, channel_id, n) in order */
Datum
crm_entries_unnest(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	Reader		r = read_entries(PG_GETARG_VARLENA_PP(0));

	InitMaterializedSRF(fcinfo, 0);
	while (next_entry(&r))
	{
		Datum		values[7] = {
			Int32GetDatum(posting_key(&r.e)),
			Int16GetDatum(r.e.periods),
			DateADTGetDatum(r.e.day),
			Int16GetDatum(r.e.class_id),
			BoolGetDatum(r.e.company),
			Int64GetDatum(r.e.channel),
			Int64GetDatum(r.e.n)
		};
		bool		nulls[7] = {false};

		CHECK_FOR_INTERRUPTS();
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	return (Datum) 0;
}

/* summing values up for a reader ------------------------------------------------ */

/* Sixes of an array, as crm._kpi_cells() takes them */
typedef struct Six
{
	int64		key;
	int64		day;
	int64		class_id;
	int64		channel;
	int64		company;		/* and twice the number of periods */
	int64		n;
} Six;

static inline int
six_cmp(const Six *a, const Six *b)
{
	if (a->key != b->key)
		return compare_keys(a->key, b->key);
	if (a->day != b->day)
		return compare_keys(a->day, b->day);
	if (a->class_id != b->class_id)
		return compare_keys(a->class_id, b->class_id);
	if (a->channel != b->channel)
		return compare_keys(a->channel, b->channel);
	return compare_keys(a->company, b->company);
}

#define ST_SORT sort_sixes
#define ST_ELEMENT_TYPE Six
#define ST_COMPARE(a, b) six_cmp(a, b)
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

PG_FUNCTION_INFO_V1(crm_entries_sum);
/*
 * entries_sum(entries[]): their sum as an array of sixes, NULL when there are
 * none.  NULL elements count for nothing.  Errors: 54000, 22003.
 */
Datum
crm_entries_sum(PG_FUNCTION_ARGS)
{
	ArrayType  *in = PG_GETARG_ARRAYTYPE_P(0);
	ArrayType  *out;
	Datum	   *value;
	bool	   *isnull;
	int			nvalues;
	Six		   *six = NULL;
	int64		size = 0;
	int64		n = 0;
	int64		k = 0;
	Size		bytes;

	deconstruct_array(in, ARR_ELEMTYPE(in), -1, false, TYPALIGN_INT, &value, &isnull, &nvalues);
	for (int i = 0; i < nvalues; i++)
	{
		Reader		r;

		if (isnull[i])
			continue;
		r = read_entries(PG_DETOAST_DATUM_PACKED(value[i]));
		while (next_entry(&r))
		{
			six = make_room(six, n, &size, sizeof(Six));
			six[n++] = (Six) {
				.key = posting_key(&r.e), .day = r.e.day, .class_id = r.e.class_id, .channel = r.e.channel,
				.company = r.e.company + 2 * r.e.periods, .n = r.e.n
			};
		}
	}
	if (n == 0)
		PG_RETURN_NULL();
	sort_sixes(six, n);
	for (int64 i = 0; i < n; i++)
	{
		if (k > 0 && six_cmp(&six[k - 1], &six[i]) == 0)
		{
			if (pg_add_s64_overflow(six[k - 1].n, six[i].n, &six[k - 1].n))
				ereport(ERROR,
						(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
						 errmsg("a figure is out of range")));
		}
		else
			six[k++] = six[i];
	}
	bytes = ARR_OVERHEAD_NONULLS(1) + k * sizeof(Six);
	if (!AllocSizeIsValid(bytes))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many entries are not folded"),
				 errhint("Run CALL crm.refresh().")));
	out = palloc(bytes);
	SET_VARSIZE(out, bytes);
	out->ndim = 1;
	out->dataoffset = 0;
	out->elemtype = INT8OID;
	ARR_DIMS(out)[0] = (int) (k * 6);
	ARR_LBOUND(out)[0] = 1;
	memcpy(ARR_DATA_PTR(out), six, k * sizeof(Six));
	PG_RETURN_ARRAYTYPE_P(out);
}
