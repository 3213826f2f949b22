/*-------------------------------------------------------------------------
 * classify_timeline.c
 *		The type crm.timeline: packing, input and output, reading.
 *
 * Packed form: a byte of version and kind, the number of rows, and for each
 * row the days since the row before, a mask of what changed, and the changed
 * values, all as varints.
 *-------------------------------------------------------------------------
 */
#include "classify_timeline.h"

#include "base_row.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "libpq/pqformat.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/numeric.h"
#include "varint.h"

#define TIMELINE_VERSION 1
#define KIND_COMPANY	0x80

/* what a row changes */
#define CH_ORG		0x01
#define CH_CHANNEL	0x02
#define CH_STATE	0x04
#define CH_ACTIVITY	0x08
#define CH_TIER		0x10
#define CH_AMOUNT	0x20
#define CH_EVENTS	0x40
#define CH_HELD		0x80	/* policies and premium */
#define CH_ALL		0xff

#define ROW_MAX (2 + 9 * VARINT_MAX)

const char *const coverage_name[] = {NULL, "prospect", "insured", "former"};

static const char state_letters[] = "kiwhlpdvn";
static const char event_letters[] = "plec";

/* Rows of a timeline must be reachable: what pack writes and the kernel makes. */
static bool
row_is_valid(const Standing *s, const Standing *before)
{
	if (s->from < TIMELINE_FIRST_DAY || s->from > TIMELINE_LAST_DAY)
		return false;
	if (before && s->from <= before->from)
		return false;
	if ((s->state & ~ST_ALL) || (s->events & ~EV_ALL))
		return false;
	if ((s->state & ST_INSURED) ? !(s->state & ST_WAS)
		: (s->state & (ST_HOLDER | ST_LONG | ST_PLAN | ST_VIP | ST_NEAR_VIP)) != 0)
		return false;
	if ((s->state & ST_VIP) && (s->state & ST_NEAR_VIP))
		return false;
	if ((s->state & ST_DORMANT) && (s->activity == 0 || standing_coverage(s) == COVERAGE_NONE))
		return false;
	if (((s->state & ST_PLAN) && (s->state & (ST_HOLDER | ST_LONG)) != (ST_HOLDER | ST_LONG)) ||
		((s->events & EV_LONG) && !(s->events & EV_PURCHASE)) ||
		((s->events & EV_LAPSE) && !(s->events & EV_END)))
		return false;
	if (before && (before->state & ST_WAS) && !(s->state & ST_WAS))
		return false;
	if (s->policies < 0 || s->premium < 0 || (s->premium > 0 && s->policies == 0) ||
		(s->policies > 0 && !(s->state & ST_HOLDER)))
		return false;
	return s->activity >= 0 && s->tier >= 0 && s->amount >= 0;
}

struct varlena *
timeline_pack(const Timeline *t)
{
	struct varlena *v = palloc(VARHDRSZ + 1 + VARINT_MAX + (Size) t->n * ROW_MAX);
	uint8	   *p = (uint8 *) VARDATA(v);
	Standing	last = {0};

	last.from = TIMELINE_FIRST_DAY;
	*p++ = TIMELINE_VERSION | (t->company ? KIND_COMPANY : 0);
	p = varint_put(p, t->n);
	for (int i = 0; i < t->n; i++)
	{
		const Standing *s = &t->row[i];
		uint8		mask = 0;

		if (s->org != last.org)
			mask |= CH_ORG;
		if (s->channel != last.channel)
			mask |= CH_CHANNEL;
		if (s->state != last.state)
			mask |= CH_STATE;
		if (s->activity != last.activity)
			mask |= CH_ACTIVITY;
		if (s->tier != last.tier)
			mask |= CH_TIER;
		if (s->amount != last.amount)
			mask |= CH_AMOUNT;
		if (s->events)
			mask |= CH_EVENTS;
		if (s->policies != last.policies || s->premium != last.premium)
			mask |= CH_HELD;
		p = varint_put(p, s->from - last.from);
		*p++ = mask;
		if (mask & CH_ORG)
			p = varint_put(p, zigzag(s->org));
		if (mask & CH_CHANNEL)
			p = varint_put(p, zigzag(s->channel));
		if (mask & CH_STATE)
			p = varint_put(p, s->state);
		if (mask & CH_ACTIVITY)
			p = varint_put(p, s->activity);
		if (mask & CH_TIER)
			p = varint_put(p, s->tier);
		if (mask & CH_AMOUNT)
			p = varint_put(p, s->amount);
		if (mask & CH_EVENTS)
			*p++ = s->events;
		if (mask & CH_HELD)
		{
			p = varint_put(p, s->policies);
			p = varint_put(p, s->premium);
		}
		last = *s;
	}
	SET_VARSIZE(v, (char *) p - (char *) v);
	return v;
}

static const uint8 *
get_bounded(const uint8 *p, const uint8 *end, uint64 max, uint64 *v)
{
	if (p)
		p = varint_get(p, end, v);
	return (p && *v <= max) ? p : NULL;
}

/* Head of a timeline: its kind and number of rows; NULL when the bytes are none. */
static const uint8 *
unpack_head(const uint8 *p, const uint8 *end, bool *company, int *n)
{
	uint64		v;

	if (p >= end || (*p & ~KIND_COMPANY) != TIMELINE_VERSION)
		return NULL;
	*company = (*p++ & KIND_COMPANY) != 0;
	/* a row takes two bytes at least, and no two begin on one day */
	p = get_bounded(p, end, Min((end - p) / 2, TIMELINE_LAST_DAY - TIMELINE_FIRST_DAY + 1), &v);
	if (p != NULL)
		*n = (int) v;
	return p;
}

/* The row after *s, which before the first holds nothing but the first day; NULL when the bytes are none. */
static inline const uint8 *
unpack_row(const uint8 *p, const uint8 *end, Standing *s)
{
	uint64		v;
	uint8		mask;

	p = get_bounded(p, end, TIMELINE_LAST_DAY - TIMELINE_FIRST_DAY, &v);
	if (p == NULL || p >= end)
		return NULL;
	s->from += (int32) v;
	mask = *p++;
	if (mask & CH_ORG)
	{
		p = get_bounded(p, end, PG_UINT64_MAX, &v);
		s->org = unzigzag(v);
	}
	if (mask & CH_CHANNEL)
	{
		p = get_bounded(p, end, PG_UINT64_MAX, &v);
		s->channel = unzigzag(v);
	}
	if (mask & CH_STATE)
	{
		p = get_bounded(p, end, ST_ALL, &v);
		s->state = (uint16) v;
	}
	if (mask & CH_ACTIVITY)
	{
		p = get_bounded(p, end, PG_INT16_MAX, &v);
		s->activity = (int16) v;
	}
	if (mask & CH_TIER)
	{
		p = get_bounded(p, end, PG_INT16_MAX, &v);
		s->tier = (int16) v;
	}
	if (mask & CH_AMOUNT)
	{
		p = get_bounded(p, end, PG_INT64_MAX, &v);
		s->amount = (int64) v;
	}
	s->events = 0;
	if (mask & CH_EVENTS)
	{
		if (p == NULL || p >= end)
			return NULL;
		s->events = *p++;
	}
	if (mask & CH_HELD)
	{
		p = get_bounded(p, end, PG_INT32_MAX, &v);
		s->policies = (int32) v;
		p = get_bounded(p, end, PG_INT64_MAX, &v);
		s->premium = (int64) v;
	}
	return p;
}

/* False when the bytes are not a timeline.  t->row is allocated. */
static bool
unpack_bytes(const uint8 *p, const uint8 *end, Timeline *t)
{
	Standing	s = {.from = TIMELINE_FIRST_DAY};

	p = unpack_head(p, end, &t->company, &t->n);
	if (p == NULL)
		return false;
	t->size = t->n;
	t->row = palloc_array(Standing, Max(t->n, 1));
	for (int i = 0; i < t->n; i++)
	{
		p = unpack_row(p, end, &s);
		if (p == NULL || !row_is_valid(&s, i > 0 ? &t->row[i - 1] : NULL))
			return false;
		t->row[i] = s;
	}
	return p == end;
}

static void
raise_damaged(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("a stored timeline is damaged"),
			 errhint("Run CALL crm.rebuild().")));
}

/* v must be detoasted and is trusted no further than its length */
void
timeline_unpack(const struct varlena *v, Timeline *t)
{
	const uint8 *p = (const uint8 *) VARDATA_ANY(v);

	if (!unpack_bytes(p, p + VARSIZE_ANY_EXHDR(v), t))
		raise_damaged();
}

/* Kind and first row of such a timeline, the others unread; false when it has no row. */
bool
timeline_first(const struct varlena *v, bool *company, Standing *first)
{
	const uint8 *p = (const uint8 *) VARDATA_ANY(v);
	const uint8 *end = p + VARSIZE_ANY_EXHDR(v);
	int			n;

	*first = (Standing) {.from = TIMELINE_FIRST_DAY};
	p = unpack_head(p, end, company, &n);
	if (p == NULL || (n > 0 && unpack_row(p, end, first) == NULL))
		raise_damaged();
	return n > 0;
}

static void
get_timeline(FunctionCallInfo fcinfo, int arg, Timeline *t)
{
	timeline_unpack(PG_GETARG_VARLENA_PP(arg), t);
}

static void
append_letters(StringInfo buf, const char *letters, uint16 bits)
{
	if (bits == 0)
		appendStringInfoChar(buf, '-');
	for (int i = 0; letters[i]; i++)
		if (bits & (1 << i))
			appendStringInfoChar(buf, letters[i]);
}

void
append_day(StringInfo buf, DateADT d)
{
	int			y,
				m,
				day;

	j2date(d + POSTGRES_EPOCH_JDATE, &y, &m, &day);
	appendStringInfo(buf, "%04d-%02d-%02d", y, m, day);
}

PG_FUNCTION_INFO_V1(crm_timeline_out);
/*
 * Text form: kind, then rows "day org channel state activity tier hundredths
 * events", each after a ";", with "policies hundredths" behind where there
 * are policies.
 */
Datum
crm_timeline_out(PG_FUNCTION_ARGS)
{
	Timeline	t;
	StringInfoData buf;

	get_timeline(fcinfo, 0, &t);
	initStringInfo(&buf);
	appendStringInfoString(&buf, t.company ? "company" : "person");
	for (int i = 0; i < t.n; i++)
	{
		Standing   *s = &t.row[i];

		appendStringInfoString(&buf, "; ");
		append_day(&buf, s->from);
		appendStringInfo(&buf, " " INT64_FORMAT " " INT64_FORMAT " ", s->org, s->channel);
		append_letters(&buf, state_letters, s->state);
		appendStringInfo(&buf, " %d %d " INT64_FORMAT " ", s->activity, s->tier, s->amount);
		append_letters(&buf, event_letters, s->events);
		if (s->policies > 0)
			appendStringInfo(&buf, " %d " INT64_FORMAT, s->policies, s->premium);
	}
	PG_RETURN_CSTRING(buf.data);
}

static bool
parse_letters(const char *word, const char *letters, uint16 *bits)
{
	*bits = 0;
	if (strcmp(word, "-") == 0)
		return true;
	for (; *word; word++)
	{
		const char *at = strchr(letters, *word);

		if (at == NULL || (*bits & (1 << (at - letters))))
			return false;
		*bits |= 1 << (at - letters);
	}
	return true;
}

bool
parse_whole(const char *word, int64 *v)
{
	char	   *end;

	errno = 0;
	*v = strtoll(word, &end, 10);
	return errno == 0 && end > word && *end == '\0';
}

/* yyyy-mm-dd, a day that a timeline may hold */
bool
parse_day(const char *word, DateADT *day)
{
	int			y,
				m,
				d,
				len;

	if (strlen(word) != 10 || sscanf(word, "%4d-%2d-%2d%n", &y, &m, &d, &len) != 3 || len != 10 ||
		y < 1900 || y > 2299 || m < 1 || m > 12 || d < 1 || d > day_tab[isleap(y)][m - 1])
		return false;
	*day = date2j(y, m, d) - POSTGRES_EPOCH_JDATE;
	return true;
}

static bool
parse_row(char *text, Standing *s)
{
	char	   *word[10];
	char	   *save;
	int			n = 0;
	int64		activity,
				tier,
				policies = 0;
	uint16		events;

	for (char *w = strtok_r(text, " \t\n", &save); w; w = strtok_r(NULL, " \t\n", &save))
	{
		if (n == lengthof(word))
			return false;
		word[n++] = w;
	}
	if ((n != lengthof(word) && n != lengthof(word) - 2) || !parse_day(word[0], &s->from))
		return false;
	if (!parse_whole(word[1], &s->org) || !parse_whole(word[2], &s->channel) ||
		!parse_letters(word[3], state_letters, &s->state) ||
		!parse_whole(word[4], &activity) || activity < 0 || activity > PG_INT16_MAX ||
		!parse_whole(word[5], &tier) || tier < 0 || tier > PG_INT16_MAX ||
		!parse_whole(word[6], &s->amount) ||
		!parse_letters(word[7], event_letters, &events))
		return false;
	s->premium = 0;
	if (n == lengthof(word) &&
		(!parse_whole(word[8], &policies) || policies < 1 || policies > PG_INT32_MAX || !parse_whole(word[9], &s->premium)))
		return false;
	s->policies = (int32) policies;
	s->events = (uint8) events;
	s->activity = (int16) activity;
	s->tier = (int16) tier;
	return true;
}

PG_FUNCTION_INFO_V1(crm_timeline_in);
/* Errors: 22P02 for anything that crm_timeline_out does not write. */
Datum
crm_timeline_in(PG_FUNCTION_ARGS)
{
	char	   *text = PG_GETARG_CSTRING(0);
	char	   *copy = pstrdup(text);
	char	   *semicolon;
	char	   *kind;
	Timeline	t = {0};
	bool		ok;

	semicolon = strchr(copy, ';');
	if (semicolon)
		*semicolon++ = '\0';
	kind = copy + strspn(copy, " \t\n");
	kind[strcspn(kind, " \t\n")] = '\0';
	t.company = strcmp(kind, "company") == 0;
	ok = t.company || strcmp(kind, "person") == 0;
	while (ok && semicolon)
	{
		char	   *row = semicolon;

		semicolon = strchr(row, ';');
		if (semicolon)
			*semicolon++ = '\0';
		if (t.n == t.size)
		{
			t.size = Max(8, t.size * 2);
			t.row = t.row ? repalloc_array(t.row, Standing, t.size)
				: palloc_array(Standing, t.size);
		}
		ok = parse_row(row, &t.row[t.n]) &&
			row_is_valid(&t.row[t.n], t.n > 0 ? &t.row[t.n - 1] : NULL);
		t.n++;
	}
	if (!ok)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
				 errmsg("invalid input syntax for type %s: \"%.200s\"", "crm.timeline", text),
				 errhint("Timelines are made by crm and not written by hand.")));
	PG_RETURN_POINTER(timeline_pack(&t));
}

PG_FUNCTION_INFO_V1(crm_timeline_recv);
/* Errors: 22P03 for bytes that are no timeline. */
Datum
crm_timeline_recv(PG_FUNCTION_ARGS)
{
	StringInfo	buf = (StringInfo) PG_GETARG_POINTER(0);
	int			len = buf->len - buf->cursor;
	const uint8 *p = (const uint8 *) pq_getmsgbytes(buf, len);
	Timeline	t;

	if (!unpack_bytes(p, p + len, &t))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("invalid external \"%s\" value", "crm.timeline")));
	PG_RETURN_POINTER(timeline_pack(&t));
}

PG_FUNCTION_INFO_V1(crm_timeline_send);
Datum
crm_timeline_send(PG_FUNCTION_ARGS)
{
	struct varlena *v = PG_GETARG_VARLENA_PP(0);
	StringInfoData buf;

	pq_begintypsend(&buf);
	pq_sendbytes(&buf, VARDATA_ANY(v), VARSIZE_ANY_EXHDR(v));
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}

#define ROW_COLUMNS 16

static const char *const state_columns_role[] = {"insured", "policyholder"};

/*
 * Columns of crm._standing_row: valid_from, valid_to, org_id, channel_id,
 * company, coverage, role, long_term, plan, activity, tier, amount, purchase,
 * long_purchase, cover_end, lapse_end.
 */
static Datum
standing_tuple(TupleDesc desc, const Timeline *t, int i)
{
	const Standing *s = &t->row[i];
	Coverage	coverage = standing_coverage(s);
	Datum		values[ROW_COLUMNS];
	bool		nulls[ROW_COLUMNS] = {false};

	values[0] = DateADTGetDatum(s->from);
	values[1] = i + 1 < t->n ? DateADTGetDatum(t->row[i + 1].from) : DateADTGetDatum(DATEVAL_NOEND);
	values[2] = Int64GetDatum(s->org);
	values[3] = Int64GetDatum(s->channel);
	values[4] = BoolGetDatum(t->company);
	if (coverage == COVERAGE_NONE)
		nulls[5] = true;
	else
		values[5] = CStringGetTextDatum(coverage_name[coverage]);
	if (s->state & ST_INSURED)
		values[6] = CStringGetTextDatum(state_columns_role[(s->state & ST_HOLDER) != 0]);
	else
		nulls[6] = true;
	values[7] = BoolGetDatum((s->state & ST_LONG) != 0);
	values[8] = BoolGetDatum((s->state & ST_PLAN) != 0);
	values[9] = Int16GetDatum(s->activity);
	values[10] = Int16GetDatum(s->tier);
	values[11] = Int64GetDatum(s->amount);
	values[12] = BoolGetDatum((s->events & EV_PURCHASE) != 0);
	values[13] = BoolGetDatum((s->events & EV_LONG) != 0);
	values[14] = BoolGetDatum((s->events & EV_END) != 0);
	values[15] = BoolGetDatum((s->events & EV_LAPSE) != 0);
	return HeapTupleGetDatum(heap_form_tuple(desc, values, nulls));
}

PG_FUNCTION_INFO_V1(crm_timeline_unnest);
/* Every row of a timeline, in order of day.  NULL: no rows. */
Datum
crm_timeline_unnest(PG_FUNCTION_ARGS)
{
	FuncCallContext *ctx;
	Timeline   *t;

	if (SRF_IS_FIRSTCALL())
	{
		MemoryContext old;

		ctx = SRF_FIRSTCALL_INIT();
		old = MemoryContextSwitchTo(ctx->multi_call_memory_ctx);
		t = palloc(sizeof(Timeline));
		get_timeline(fcinfo, 0, t);
		ctx->user_fctx = t;
		ctx->max_calls = t->n;
		ctx->tuple_desc = row_type(fcinfo, ROW_COLUMNS);
		MemoryContextSwitchTo(old);
	}
	ctx = SRF_PERCALL_SETUP();
	t = ctx->user_fctx;
	if (ctx->call_cntr < ctx->max_calls)
	{
		Datum		row = standing_tuple(ctx->tuple_desc, t, (int) ctx->call_cntr);

		SRF_RETURN_NEXT(ctx, row);
	}
	SRF_RETURN_DONE(ctx);
}

PG_FUNCTION_INFO_V1(crm_timeline_at);
/* The row in force on a day; NULL before the first. */
Datum
crm_timeline_at(PG_FUNCTION_ARGS)
{
	DateADT		day = PG_GETARG_DATEADT(1);
	Timeline	t;
	int			i;

	get_timeline(fcinfo, 0, &t);
	for (i = t.n; i > 0 && t.row[i - 1].from > day; i--)
		;
	if (i == 0)
		PG_RETURN_NULL();
	PG_RETURN_DATUM(standing_tuple(kept_row_type(fcinfo, ROW_COLUMNS), &t, i - 1));
}

PG_FUNCTION_INFO_V1(crm_timeline_cell_at);
/* Unit, channel and kind on a day, as of the row in force; NULL before the first.  Later rows are not read. */
Datum
crm_timeline_cell_at(PG_FUNCTION_ARGS)
{
	struct varlena *v = PG_GETARG_VARLENA_PP(0);
	DateADT		day = PG_GETARG_DATEADT(1);
	const uint8 *p = (const uint8 *) VARDATA_ANY(v);
	const uint8 *end = p + VARSIZE_ANY_EXHDR(v);
	Standing	next = {.from = TIMELINE_FIRST_DAY};
	Standing	row = {0};
	bool		company;
	int			n;
	int			i;
	Datum		values[3];
	bool		nulls[3] = {false};

	p = unpack_head(p, end, &company, &n);
	if (p == NULL)
		raise_damaged();
	for (i = 0; i < n; i++)
	{
		if ((p = unpack_row(p, end, &next)) == NULL)
			raise_damaged();
		if (next.from > day)
			break;
		row = next;
	}
	if (i == 0)
		PG_RETURN_NULL();
	values[0] = Int64GetDatum(row.org);
	values[1] = Int64GetDatum(row.channel);
	values[2] = BoolGetDatum(company);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(kept_row_type(fcinfo, 3), values, nulls)));
}

static int
compare_bytes(FunctionCallInfo fcinfo)
{
	struct varlena *a = PG_GETARG_VARLENA_PP(0);
	struct varlena *b = PG_GETARG_VARLENA_PP(1);
	int			la = VARSIZE_ANY_EXHDR(a);
	int			lb = VARSIZE_ANY_EXHDR(b);
	int			r = memcmp(VARDATA_ANY(a), VARDATA_ANY(b), Min(la, lb));

	return r != 0 ? r : (la > lb) - (la < lb);
}

PG_FUNCTION_INFO_V1(crm_timeline_eq);
/* Packing is canonical: equal timelines are equal bytes. */
Datum
crm_timeline_eq(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_bytes(fcinfo) == 0);
}

PG_FUNCTION_INFO_V1(crm_timeline_ne);
Datum
crm_timeline_ne(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_bytes(fcinfo) != 0);
}
