/*-------------------------------------------------------------------------
 * kpi_member.c
 *		What one customer counts in a figure.
 *
 * Timeline and facets are posted as to the accounts, by a poster that settles
 * on the closing day and keeps nothing but the account, period and cells asked for.
 * So the definitions stand in kpi_post.c and kpi_balance.c alone.
 *-------------------------------------------------------------------------
 */
#include "kpi_post.h"

#include "base_key.h"
#include "kpi_cells.h"
#include "utils/array.h"
#include "utils/memutils.h"

/* What is asked of every timeline, kept between calls */
typedef struct Asked
{
	int16		account;
	int16		less;			/* account taken off it, 0 none */
	bool		any_class;
	int16		class_id;
	Grain		grain;
	int			period;
	DateADT		day;
	bool		any_unit;
	int			nunits;
	int64	   *unit;			/* ascending */
	int64		last_unit;		/* tested last, and whether it is one of them */
	bool		last_is_unit;
	bool		any_channel;
	int64		channel;
	bool		any_kind;
	bool		company;
	ArrayType  *units;			/* as given, for comparison */
	MemoryContext context;		/* holds all of this */
	Poster	   *poster;
	int64		n;				/* of the timeline at work */
} Asked;

static bool
unit_is_asked(Asked *a, int64 org)
{
	if (a->any_unit)
		return true;
	if (org != a->last_unit)
	{
		a->last_unit = org;
		a->last_is_unit = bsearch(&org, a->unit, a->nunits, sizeof(int64), int64_cmp) != NULL;
	}
	return a->last_is_unit;
}

static void
count_posting(void *arg, const Posting *p)
{
	Asked	   *a = arg;

	if ((p->account != a->account && p->account != a->less) || p->day > a->day || (!a->any_class && p->class_id != a->class_id) ||
		(!a->any_channel && p->channel != a->channel) || (!a->any_kind && p->company != a->company))
		return;
	if (a->grain != GRAIN_DAY &&
		((Grain) p->grain != a->grain || a->period < p->period || a->period >= p->period + p->periods))
		return;
	if (unit_is_asked(a, p->org))
		a->n += p->account == a->less ? -p->n : p->n;
}

static bool
same_array(const ArrayType *a, const ArrayType *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	return VARSIZE(a) == VARSIZE(b) && memcmp(a, b, VARSIZE(a)) == 0;
}

/* The arguments from the account on, in *a; all but the poster. */
static void
get_asked(FunctionCallInfo fcinfo, Asked *a)
{
	int32		key = PG_ARGISNULL(5) ? 0 : PG_GETARG_INT32(5);

	*a = (Asked) {
		.account = PG_GETARG_INT16(2),
		.less = PG_ARGISNULL(3) ? 0 : PG_GETARG_INT16(3),
		.any_class = PG_ARGISNULL(4),
		.class_id = PG_ARGISNULL(4) ? 0 : PG_GETARG_INT16(4),
		.grain = (Grain) (key & 7),
		.period = key >> 3,
		/* a poster adds to it */
		.day = Min(Max(PG_GETARG_DATEADT(6), TIMELINE_FIRST_DAY - 1), TIMELINE_LAST_DAY),
		.any_unit = PG_ARGISNULL(7),
		.units = PG_ARGISNULL(7) ? NULL : PG_GETARG_ARRAYTYPE_P(7),
		.any_channel = PG_ARGISNULL(8),
		.channel = PG_ARGISNULL(8) ? 0 : PG_GETARG_INT64(8),
		.any_kind = PG_ARGISNULL(9),
		.company = !PG_ARGISNULL(9) && PG_GETARG_BOOL(9)
	};
	if (key < 0 || a->grain > GRAIN_TRAILING || a->period >= N_MONTHS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("period key %d is not known", key)));
}

static bool
same_asked(const Asked *a, const Asked *b)
{
	return a->account == b->account && a->less == b->less && a->any_class == b->any_class && a->class_id == b->class_id &&
		a->grain == b->grain && a->period == b->period && a->day == b->day &&
		a->any_channel == b->any_channel && a->channel == b->channel &&
		a->any_kind == b->any_kind && a->company == b->company;
}

static Asked *
keep_asked(FmgrInfo *flinfo, const Asked *asked)
{
	Asked	   *before = flinfo->fn_extra;
	MemoryContext context = AllocSetContextCreate(flinfo->fn_mcxt, "crm figure asked", ALLOCSET_SMALL_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	Asked	   *a = palloc(sizeof(Asked));

	*a = *asked;
	a->context = context;
	if (a->units)
	{
		const int64 *given;

		a->units = DatumGetArrayTypePCopy(PointerGetDatum(a->units));
		given = int8_array(a->units, &a->nunits);
		a->unit = palloc0_array(int64, a->nunits + 1);
		memcpy(a->unit, given, a->nunits * sizeof(int64));
		qsort(a->unit, a->nunits, sizeof(int64), int64_cmp);
		a->last_unit = a->unit[0];
		a->last_is_unit = a->nunits > 0;
	}
	a->poster = poster_create(a->day, a->day, count_posting, a);
	poster_limit(a->poster, a->grain, a->period);
	MemoryContextSwitchTo(old);
	flinfo->fn_extra = a;
	if (before)
		MemoryContextDelete(before->context);
	return a;
}

PG_FUNCTION_INFO_V1(crm_kpi_counts);
/*
 * kpi_counts(timeline, facets, account, less, class_id, period_key, day, units,
 *			  channel_id, company)
 * What a customer counts in an account, less what in another (NULL: none),
 * when they close on a day: in the balances, or with a period_key
 * (crm.period.key) in the turnovers of that period.  Facets NULL: nobody has
 * what they tell.  Only cells of these units, this channel and kind, and this class
 * are counted; NULL: all.  NULL without timeline, account or day.
 * Errors: 22004, 22023.
 */
Datum
crm_kpi_counts(PG_FUNCTION_ARGS)
{
	Asked	   *a = fcinfo->flinfo->fn_extra;
	Asked		asked;
	Timeline	t;
	Facets		f;
	bool		by_facets;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(2) || PG_ARGISNULL(6))
		PG_RETURN_NULL();
	get_asked(fcinfo, &asked);
	if (a == NULL || !same_asked(a, &asked) ||
		!(get_fn_expr_arg_stable(fcinfo->flinfo, 7) || same_array(a->units, asked.units)))
		a = keep_asked(fcinfo->flinfo, &asked);
	timeline_unpack(PG_GETARG_VARLENA_PP(0), &t);
	by_facets = !PG_ARGISNULL(1) && (account_needs_facets(a->account) || account_needs_facets(a->less));
	if (by_facets)
		facets_unpack(PG_GETARG_VARLENA_PP(1), &f);
	a->n = 0;
	poster_run(a->poster, &t, by_facets ? &f : NULL, 1);
	PG_RETURN_INT64(a->n);
}
