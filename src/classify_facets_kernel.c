/*-------------------------------------------------------------------------
 * classify_facets_kernel.c
 *		From the records of one customer to the facets on every day.
 *
 * Covers and facts become dated marks that raise and lower tallies; the marks
 * are sorted and swept once, and a row is made where the tallies come to
 * something else than the day before.
 *-------------------------------------------------------------------------
 */
#include "classify_facets_kernel.h"

#include "base_key.h"
#include "miscadmin.h"

typedef enum Tally
{
	TALLY_COVER,
	TALLY_SERVED,
	TALLY_ORPHAN,
	TALLY_ORPHAN_HELD,			/* orphan policies of the policyholder */
	TALLY_LEGACY,
	TALLY_BANK,
	TALLY_CORPORATE,
	TALLY_SECTOR,
	TALLY_CONTACT,
	TALLY_HELD,
	TALLY_PRODUCT,
	TALLY_TOUCH,				/* and the N_TOUCHES - 1 after it */
	N_TALLIES = TALLY_TOUCH + N_TOUCHES
} Tally;

/* What a mark does beside raising a tally */
enum
{
	MARK_CHANNEL = N_TALLIES,	/* n: its place in Facets.channel */
	MARK_ORIGIN,				/* n: the Origin */
	MARK_DEPARTED,
	MARK_FIRST
};

typedef struct Mark
{
	DateADT		day;
	int16		what;			/* a Tally or MARK_ */
	int16		n;
	int32		delta;
	int32		order;			/* among those of one day */
} Mark;

struct FacetKernel
{
	const Rules *rules;
	Facets		out;
	int			nmarks;
	int			mark_size;
	Mark	   *mark;
};

FacetKernel *
facet_kernel_create(const Rules *rules)
{
	FacetKernel *k = palloc0(sizeof(FacetKernel));

	k->rules = rules;
	k->out.size = 16;
	k->out.row = palloc_array(Facet, k->out.size);
	k->mark_size = 64;
	k->mark = palloc_array(Mark, k->mark_size);
	return k;
}

static void
add_mark(FacetKernel *k, DateADT day, int what, int n, int delta)
{
	if (k->nmarks == k->mark_size)
	{
		k->mark_size *= 2;
		k->mark = repalloc_huge(k->mark, sizeof(Mark) * k->mark_size);
	}
	k->mark[k->nmarks] = (Mark) {
		.day = Max(day, TIMELINE_FIRST_DAY), .what = what, .n = n, .delta = delta, .order = k->nmarks
	};
	k->nmarks++;
}

/* One more of something on the days [from, to) */
static void
add_stretch(FacetKernel *k, DateADT from, DateADT to, int what, int n)
{
	from = Max(from, TIMELINE_FIRST_DAY);
	if (from >= to || from > TIMELINE_LAST_DAY)
		return;
	add_mark(k, from, what, n, 1);
	if (to <= TIMELINE_LAST_DAY)
		add_mark(k, to, what, n, -1);
}

/* n days after a day of the book, which may be infinite */
static DateADT
days_after(DateADT day, int n)
{
	return DATE_NOT_FINITE(day) ? day : day + n;
}

/* Collect the channels of covers that have a day.  Errors: 54000. */
static void
note_channels(Facets *f, const Cover *cover, int ncovers)
{
	f->nchannels = 0;
	for (int i = 0; i < ncovers; i++)
	{
		int			at = 0;

		if (cover[i].from >= cover[i].to)
			continue;
		while (at < f->nchannels && f->channel[at] < cover[i].channel)
			at++;
		if (at < f->nchannels && f->channel[at] == cover[i].channel)
			continue;
		if (f->nchannels == FACET_CHANNELS)
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("customer " INT64_FORMAT " has policies of more than %d channels", cover[i].customer, FACET_CHANNELS)));
		memmove(&f->channel[at + 1], &f->channel[at], (f->nchannels - at) * sizeof(int64));
		f->channel[at] = cover[i].channel;
		f->nchannels++;
	}
}

static int
channel_place(const Facets *f, int64 channel)
{
	int			at = 0;

	while (f->channel[at] != channel)
		at++;
	return at;
}

static void
mark_cover(FacetKernel *k, const Cover *c)
{
	if (c->from >= c->to)
		return;
	add_stretch(k, c->from, c->to, TALLY_COVER, 0);
	add_stretch(k, c->from, c->to, MARK_CHANNEL, channel_place(&k->out, c->channel));
	if (c->serviced)
	{
		add_stretch(k, Max(c->from, c->post_from), Min(c->to, c->post_to), TALLY_SERVED, 0);
		if (c->agent_sold)
			add_stretch(k, Max(c->from, c->post_to), c->to, TALLY_ORPHAN, 0);
		if (c->agent_sold && c->holder)
			add_stretch(k, Max(c->from, c->post_to), c->to, TALLY_ORPHAN_HELD, 0);
	}
	if (!c->own_book)
		add_stretch(k, c->from, c->to, TALLY_LEGACY, 0);
	if (c->bank_sold)
		add_stretch(k, c->from, c->to, TALLY_BANK, 0);
	if (c->corporate && !c->holder)
		add_stretch(k, c->from, c->to, TALLY_CORPORATE, 0);
	if (c->sector_line)
		add_stretch(k, c->from, c->to, TALLY_SECTOR, 0);
	if (c->holder && c->matures)
		add_stretch(k, Max(c->from, days_after(c->to, -k->rules->maturity_days)),
					days_after(c->to, k->rules->maturity_days + 1), TALLY_TOUCH, 0);
	if (c->holder && c->lapse)
		add_stretch(k, c->to, c->lapsed_to, TALLY_TOUCH + 1, 0);
}

static void
mark_fact(FacetKernel *k, const Fact *f)
{
	switch ((FactKind) f->kind)
	{
		case FACT_CONTACT:
			add_stretch(k, f->from, f->to, TALLY_CONTACT, 0);
			break;
		case FACT_HOLDER:
			add_stretch(k, f->from, f->to, TALLY_HELD, 0);
			if (f->n != 0 && f->to <= TIMELINE_LAST_DAY)
				add_mark(k, f->to, MARK_DEPARTED, 0, 0);
			break;
		case FACT_ORIGIN:
			if (f->n >= 1 && f->n <= N_ORIGINS && f->from <= TIMELINE_LAST_DAY)
				add_mark(k, f->from, MARK_ORIGIN, f->n, 0);
			break;
		case FACT_CLAIM:
			add_stretch(k, f->from, days_after(f->from, k->rules->claim_days + 1), TALLY_TOUCH + 2, 0);
			break;
		case FACT_APPOINTMENT:
			add_stretch(k, f->from, days_after(f->to, k->rules->appointment_days + 1), TALLY_TOUCH + 3, 0);
			break;
		case FACT_PRODUCT:
			add_stretch(k, f->from, f->to, TALLY_PRODUCT, 0);
			break;
	}
}

static int
mark_cmp(const Mark *x, const Mark *y)
{
	if (x->day != y->day)
		return x->day < y->day ? -1 : 1;
	return (x->order > y->order) - (x->order < y->order);
}

#define ST_SORT sort_marks
#define ST_ELEMENT_TYPE Mark
#define ST_COMPARE(a, b) mark_cmp(a, b)
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

static Facet
facet_of(const int32 *tally, DateADT day, uint64 channels, int origin, bool departed)
{
	Facet		f = {
		.from = day, .channels = channels, .origin = origin,
		.orphans = tally[TALLY_ORPHAN_HELD], .product = tally[TALLY_PRODUCT] > 0
	};

	if (tally[TALLY_SERVED] > 0 || tally[TALLY_HELD] > 0)
		f.service = SERVICE_SERVED;
	else if (tally[TALLY_ORPHAN] > 0 || (departed && (tally[TALLY_COVER] == 0 || f.product)))
		f.service = SERVICE_ORPHAN;
	else if (tally[TALLY_LEGACY] > 0)
		f.service = SERVICE_GROUP_LEGACY;
	else if (tally[TALLY_BANK] > 0)
		f.service = SERVICE_BANCASSURANCE;
	else
		f.service = SERVICE_OTHER;
	if (tally[TALLY_CONTACT] > 0)
		f.reach = REACH_REACHABLE;
	else if (tally[TALLY_CORPORATE] > 0)
		f.reach = REACH_CORPORATE;
	else if (tally[TALLY_SECTOR] > 0)
		f.reach = REACH_SECTOR;
	else
		f.reach = REACH_OTHER;
	for (int i = 0; i < N_TOUCHES; i++)
		if (tally[TALLY_TOUCH + i] > 0)
			f.touch |= 1 << i;
	return f;
}

static void
add_row(Facets *f, const Facet *r)
{
	if (f->n > 0 && facet_same(r, &f->row[f->n - 1]))
		return;
	if (f->n == f->size)
	{
		f->size *= 2;
		f->row = repalloc_huge(f->row, sizeof(Facet) * f->size);
	}
	f->row[f->n++] = *r;
}

/*
 * The facets of a customer from a day on, valid until the next call.  Covers
 * come in any order, facts ascend by day and id.  An insured person's policy
 * may serve and reach, but it matures and lapses for its holder.
 */
const Facets *
facet_kernel_run(FacetKernel *k, DateADT first, const Cover *cover, int ncovers, const Fact *fact, int nfacts)
{
	Facets	   *f = &k->out;
	int32		tally[N_TALLIES] = {0};
	int32		of_channel[FACET_CHANNELS] = {0};
	uint64		channels = 0;
	int			origin = ORIGIN_OTHER;
	bool		departed = false;

	k->nmarks = 0;
	f->n = 0;
	note_channels(f, cover, ncovers);
	add_mark(k, first, MARK_FIRST, 0, 0);
	for (int i = 0; i < ncovers; i++)
		mark_cover(k, &cover[i]);
	for (int i = 0; i < nfacts; i++)
		mark_fact(k, &fact[i]);
	sort_marks(k->mark, k->nmarks);

	for (int at = 0; at < k->nmarks;)
	{
		DateADT		day = k->mark[at].day;
		Facet		row;

		CHECK_FOR_INTERRUPTS();
		for (; at < k->nmarks && k->mark[at].day == day; at++)
		{
			const Mark *m = &k->mark[at];

			switch (m->what)
			{
				case MARK_CHANNEL:
					of_channel[m->n] += m->delta;
					if (of_channel[m->n] > 0)
						channels |= UINT64CONST(1) << m->n;
					else
						channels &= ~(UINT64CONST(1) << m->n);
					break;
				case MARK_ORIGIN:
					origin = m->n;
					break;
				case MARK_DEPARTED:
					departed = true;
					break;
				case MARK_FIRST:
					break;
				default:
					tally[m->what] += m->delta;
			}
		}
		if (tally[TALLY_HELD] > 0)
			departed = false;
		if (day < first)
			continue;
		row = facet_of(tally, day, channels, origin, departed);
		add_row(f, &row);
	}
	return f;
}
