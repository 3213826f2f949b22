/*-------------------------------------------------------------------------
 * classify_facets.c
 *		The type crm.facets: packing, input and output.
 *
 * Packed form: a byte of version, the channels in ascending order, the number
 * of rows, and for each row the days since the row before, a mask of what
 * changed, and the changed values; numbers are varints.
 *-------------------------------------------------------------------------
 */
#include "classify_facets.h"

#include "lib/stringinfo.h"
#include "libpq/pqformat.h"
#include "utils/builtins.h"
#include "varint.h"

#define FACETS_VERSION 1

/* what a row changes */
#define CH_SERVICE	0x01
#define CH_REACH	0x02
#define CH_ORIGIN	0x04
#define CH_TOUCH	0x08
#define CH_CHANNELS	0x10
#define CH_HELD		0x20		/* orphan policies, and whether there is a product */
#define CH_ALL		0x3f

#define ROW_MAX (3 * VARINT_MAX + 5)

#define PRODUCT_WORD "product"

const char *const service_name[] = {NULL, "served", "orphan", "group_legacy", "bancassurance", "other"};
const char *const reach_name[] = {NULL, "reachable", "corporate_insured", "sector_line", "other"};
const char *const origin_name[] = {NULL, "appointment", "activity", "partner", "referral", "other"};
const char *const touch_name[] = {"maturity", "lapse", "claim", "appointment"};

bool
facet_same(const Facet *a, const Facet *b)
{
	return a->service == b->service && a->reach == b->reach && a->origin == b->origin &&
		a->touch == b->touch && a->channels == b->channels && a->orphans == b->orphans && a->product == b->product;
}

static bool
row_is_valid(const Facet *f, const Facet *before)
{
	if (f->from < TIMELINE_FIRST_DAY || f->from > TIMELINE_LAST_DAY)
		return false;
	if (before && (f->from <= before->from || facet_same(f, before)))
		return false;
	return f->service >= 1 && f->service <= N_SERVICES && f->reach >= 1 && f->reach <= N_REACHES &&
		f->origin >= 1 && f->origin <= N_ORIGINS && (f->touch & ~TOUCH_ALL) == 0 && f->orphans >= 0;
}

/* Every channel is in some row, and no row has another. */
static bool
channels_are_used(const Facets *f)
{
	uint64		used = 0;

	for (int i = 0; i < f->n; i++)
		used |= f->row[i].channels;
	return used == (f->nchannels == FACET_CHANNELS ? PG_UINT64_MAX : (UINT64CONST(1) << f->nchannels) - 1);
}

struct varlena *
facets_pack(const Facets *f)
{
	struct varlena *v = palloc(VARHDRSZ + 1 + VARINT_MAX * (2 + f->nchannels) + (Size) f->n * ROW_MAX);
	uint8	   *p = (uint8 *) VARDATA(v);
	Facet		last = {.from = TIMELINE_FIRST_DAY};

	*p++ = FACETS_VERSION;
	p = varint_put(p, f->nchannels);
	for (int i = 0; i < f->nchannels; i++)
		p = varint_put(p, zigzag(f->channel[i]));
	p = varint_put(p, f->n);
	for (int i = 0; i < f->n; i++)
	{
		const Facet *r = &f->row[i];
		uint8		mask = (r->service != last.service ? CH_SERVICE : 0) | (r->reach != last.reach ? CH_REACH : 0) |
			(r->origin != last.origin ? CH_ORIGIN : 0) | (r->touch != last.touch ? CH_TOUCH : 0) |
			(r->channels != last.channels ? CH_CHANNELS : 0) |
			(r->orphans != last.orphans || r->product != last.product ? CH_HELD : 0);

		p = varint_put(p, r->from - last.from);
		*p++ = mask;
		if (mask & CH_SERVICE)
			*p++ = r->service;
		if (mask & CH_REACH)
			*p++ = r->reach;
		if (mask & CH_ORIGIN)
			*p++ = r->origin;
		if (mask & CH_TOUCH)
			*p++ = r->touch;
		if (mask & CH_CHANNELS)
			p = varint_put(p, r->channels);
		if (mask & CH_HELD)
			p = varint_put(p, (uint64) r->orphans << 1 | r->product);
		last = *r;
	}
	SET_VARSIZE(v, (char *) p - (char *) v);
	return v;
}

static const uint8 *
get_byte(const uint8 *p, const uint8 *end, uint8 *v)
{
	if (p == NULL || p >= end)
		return NULL;
	*v = *p;
	return p + 1;
}

static const uint8 *
get_number(const uint8 *p, const uint8 *end, uint64 max, uint64 *v)
{
	if (p)
		p = varint_get(p, end, v);
	return (p && *v <= max) ? p : NULL;
}

/* False when the bytes are not facets.  f->row is allocated. */
static bool
unpack_bytes(const uint8 *p, const uint8 *end, Facets *f)
{
	uint64		v;
	uint8		mask;
	Facet		r = {.from = TIMELINE_FIRST_DAY};

	if (p >= end || *p++ != FACETS_VERSION)
		return false;
	p = get_number(p, end, FACET_CHANNELS, &v);
	if (p == NULL)
		return false;
	f->nchannels = (int) v;
	for (int i = 0; i < f->nchannels; i++)
	{
		p = get_number(p, end, PG_UINT64_MAX, &v);
		if (p == NULL)
			return false;
		f->channel[i] = unzigzag(v);
		if (i > 0 && f->channel[i] <= f->channel[i - 1])
			return false;
	}
	/* a row takes two bytes at least, and no two begin on one day */
	p = get_number(p, end, Min((end - p) / 2, TIMELINE_LAST_DAY - TIMELINE_FIRST_DAY + 1), &v);
	if (p == NULL)
		return false;
	f->n = f->size = (int) v;
	f->row = palloc_array(Facet, Max(f->n, 1));
	for (int i = 0; i < f->n; i++)
	{
		p = get_number(p, end, TIMELINE_LAST_DAY - TIMELINE_FIRST_DAY, &v);
		p = get_byte(p, end, &mask);
		if (p == NULL || (mask & ~CH_ALL))
			return false;
		r.from += (int32) v;
		if (mask & CH_SERVICE)
			p = get_byte(p, end, &r.service);
		if (mask & CH_REACH)
			p = get_byte(p, end, &r.reach);
		if (mask & CH_ORIGIN)
			p = get_byte(p, end, &r.origin);
		if (mask & CH_TOUCH)
			p = get_byte(p, end, &r.touch);
		if (mask & CH_CHANNELS)
		{
			p = get_number(p, end, PG_UINT64_MAX, &v);
			r.channels = v;
		}
		if (mask & CH_HELD)
		{
			p = get_number(p, end, ((uint64) PG_INT32_MAX << 1) + 1, &v);
			r.orphans = (int32) (v >> 1);
			r.product = v & 1;
		}
		if (p == NULL || !row_is_valid(&r, i > 0 ? &f->row[i - 1] : NULL))
			return false;
		f->row[i] = r;
	}
	return p == end && channels_are_used(f);
}

/* v must be detoasted and is trusted no further than its length */
void
facets_unpack(const struct varlena *v, Facets *f)
{
	const uint8 *p = (const uint8 *) VARDATA_ANY(v);

	if (!unpack_bytes(p, p + VARSIZE_ANY_EXHDR(v), f))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("stored facets of a customer are damaged"),
				 errhint("Run CALL crm.rebuild().")));
}

/* text ---------------------------------------------------------------------- */

PG_FUNCTION_INFO_V1(crm_facets_out);
/*
 * Text form: rows "day service reach origin touchpoints channels", with ";" between; sets have commas, "-" is the empty one.
 * The number of orphan policies is behind where there are some, then "product" where there is one.
 */
Datum
crm_facets_out(PG_FUNCTION_ARGS)
{
	Facets		f;
	StringInfoData buf;

	facets_unpack(PG_GETARG_VARLENA_PP(0), &f);
	initStringInfo(&buf);
	for (int i = 0; i < f.n; i++)
	{
		Facet	   *r = &f.row[i];
		const char *comma = "";

		if (i > 0)
			appendStringInfoString(&buf, "; ");
		append_day(&buf, r->from);
		appendStringInfo(&buf, " %s %s %s ", service_name[r->service], reach_name[r->reach], origin_name[r->origin]);
		for (int k = 0; k < N_TOUCHES; k++)
			if (r->touch & (1 << k))
			{
				appendStringInfo(&buf, "%s%s", comma, touch_name[k]);
				comma = ",";
			}
		appendStringInfoString(&buf, r->touch ? " " : "- ");
		comma = "";
		for (int k = 0; k < f.nchannels; k++)
			if (r->channels & (UINT64CONST(1) << k))
			{
				appendStringInfo(&buf, "%s" INT64_FORMAT, comma, f.channel[k]);
				comma = ",";
			}
		if (r->channels == 0)
			appendStringInfoChar(&buf, '-');
		if (r->orphans > 0)
			appendStringInfo(&buf, " %d", r->orphans);
		if (r->product)
			appendStringInfoString(&buf, " " PRODUCT_WORD);
	}
	PG_RETURN_CSTRING(buf.data);
}

/* The number of a name among n, counted from first; -1 when it is not there */
static int
number_of(const char *word, const char *const *name, int first, int last)
{
	for (int i = first; i <= last; i++)
		if (strcmp(word, name[i]) == 0)
			return i;
	return -1;
}

static bool
parse_touch(char *word, uint8 *touch)
{
	char	   *save;

	*touch = 0;
	if (strcmp(word, "-") == 0)
		return true;
	for (char *w = strtok_r(word, ",", &save); w; w = strtok_r(NULL, ",", &save))
	{
		int			i = number_of(w, touch_name, 0, N_TOUCHES - 1);

		if (i < 0 || (*touch & (1 << i)))
			return false;
		*touch |= 1 << i;
	}
	return *touch != 0;
}

/* The bit of a channel, which is put into the list where it is new; rows before are moved along. */
static bool
note_channel(Facets *f, int64 id, uint64 *set)
{
	int			at = 0;

	while (at < f->nchannels && f->channel[at] < id)
		at++;
	if (at == f->nchannels || f->channel[at] != id)
	{
		uint64		below = (UINT64CONST(1) << at) - 1;

		if (f->nchannels == FACET_CHANNELS)
			return false;
		memmove(&f->channel[at + 1], &f->channel[at], (f->nchannels - at) * sizeof(int64));
		f->channel[at] = id;
		f->nchannels++;
		for (int i = 0; i < f->n; i++)
			f->row[i].channels = (f->row[i].channels & below) | ((f->row[i].channels & ~below) << 1);
		*set = (*set & below) | ((*set & ~below) << 1);
	}
	if (*set & (UINT64CONST(1) << at))
		return false;
	*set |= UINT64CONST(1) << at;
	return true;
}

static bool
parse_row(char *text, Facets *f, Facet *r)
{
	char	   *word[8];
	char	   *save;
	int			n = 0;
	int			service,
				reach,
				origin;
	int64		orphans = 0;

	for (char *w = strtok_r(text, " \t\n", &save); w; w = strtok_r(NULL, " \t\n", &save))
	{
		if (n == lengthof(word))
			return false;
		word[n++] = w;
	}
	if (n < 6 || !parse_day(word[0], &r->from))
		return false;
	r->product = n > 6 && strcmp(word[n - 1], PRODUCT_WORD) == 0;
	if (n - r->product > 7 ||
		(n - r->product == 7 && (!parse_whole(word[6], &orphans) || orphans < 1 || orphans > PG_INT32_MAX)))
		return false;
	r->orphans = (int32) orphans;
	service = number_of(word[1], service_name, 1, N_SERVICES);
	reach = number_of(word[2], reach_name, 1, N_REACHES);
	origin = number_of(word[3], origin_name, 1, N_ORIGINS);
	if (service < 0 || reach < 0 || origin < 0 || !parse_touch(word[4], &r->touch))
		return false;
	r->service = service;
	r->reach = reach;
	r->origin = origin;
	r->channels = 0;
	if (strcmp(word[5], "-") == 0)
		return true;
	for (char *w = strtok_r(word[5], ",", &save); w; w = strtok_r(NULL, ",", &save))
	{
		int64		id;

		if (!parse_whole(w, &id) || !note_channel(f, id, &r->channels))
			return false;
	}
	return r->channels != 0;
}

PG_FUNCTION_INFO_V1(crm_facets_in);
/* Errors: 22P02 for anything that crm_facets_out does not write. */
Datum
crm_facets_in(PG_FUNCTION_ARGS)
{
	char	   *text = PG_GETARG_CSTRING(0);
	char	   *rest = pstrdup(text);
	Facets		f = {0};
	bool		ok = true;

	rest += strspn(rest, " \t\n");
	if (*rest == '\0')
		rest = NULL;
	while (ok && rest)
	{
		char	   *row = rest;
		Facet		r;

		rest = strchr(row, ';');
		if (rest)
			*rest++ = '\0';
		if (f.n == f.size)
		{
			f.size = Max(8, f.size * 2);
			f.row = f.row ? repalloc_array(f.row, Facet, f.size) : palloc_array(Facet, f.size);
		}
		ok = parse_row(row, &f, &r) && row_is_valid(&r, f.n > 0 ? &f.row[f.n - 1] : NULL);
		f.row[f.n++] = r;
	}
	if (!ok)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
				 errmsg("invalid input syntax for type %s: \"%.200s\"", "crm.facets", text),
				 errhint("Facets are made by crm and not written by hand.")));
	PG_RETURN_POINTER(facets_pack(&f));
}

PG_FUNCTION_INFO_V1(crm_facets_recv);
/* Errors: 22P03 for bytes that are no facets. */
Datum
crm_facets_recv(PG_FUNCTION_ARGS)
{
	StringInfo	buf = (StringInfo) PG_GETARG_POINTER(0);
	int			len = buf->len - buf->cursor;
	const uint8 *p = (const uint8 *) pq_getmsgbytes(buf, len);
	Facets		f;

	if (!unpack_bytes(p, p + len, &f))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("invalid external \"%s\" value", "crm.facets")));
	PG_RETURN_POINTER(facets_pack(&f));
}
