/*-------------------------------------------------------------------------
 * kpi_balance.c
 *		What one customer contributes to the balances.
 *
 * They get an entry for each change, on its day.  Definitions:
 * docs/figures.md.
 *-------------------------------------------------------------------------
 */
#include "kpi_poster.h"

/* Among settled days only the month matters: entries of one month then add up. */
static DateADT
settled_day(const Poster *p, DateADT day)
{
	if (day >= p->settled)
		return day;
	return Min(period_end(GRAIN_MONTH, month_of(day)), p->settled);
}

/* Whether the cell is another than that of the row before, if any */
static inline bool
is_moved(const Standing *from, const Standing *to)
{
	return from && (from->org != to->org || from->channel != to->channel);
}

/* Balances of the customers whose standing has a bit */
static const struct
{
	Account		account;
	uint16		bit;
}			state_balances[] = {
	{ACC_INSURED, ST_INSURED}, {ACC_INSURED_LONG, ST_LONG}, {ACC_PLAN, ST_PLAN}, {ACC_DORMANT, ST_DORMANT},
	{ACC_VIP, ST_VIP}, {ACC_NEAR_VIP, ST_NEAR_VIP}
};

static inline Role
role_of(const Standing *s)
{
	return (s->state & ST_HOLDER) ? ROLE_HOLDER : (s->state & ST_INSURED) ? ROLE_INSURED : ROLE_NONE;
}

/* Insured, with an amount over a limit */
static inline bool
is_over(const Standing *s, int64 limit)
{
	return (s->state & ST_INSURED) && s->amount > limit * 100;
}

/* A balance that sums up values */
static void
post_value(Poster *p, Account account, DateADT day, const Standing *from, const Standing *to, bool moved, int64 had, int64 has)
{
	if (moved && had != 0)
		post(p, account, 0, GRAIN_DAY, 0, 1, day, from, -had);
	else if (!moved)
		has -= had;
	if (has != 0)
		post(p, account, 0, GRAIN_DAY, 0, 1, day, to, has);
}

/* Those of the timeline */
void
post_standing_balances(Poster *p)
{
	for (int i = 0; i < p->t->n && p->t->row[i].from <= p->until; i++)
	{
		const Standing *to = &p->t->row[i];
		const Standing *from = i > 0 ? to - 1 : NULL;
		bool		moved = is_moved(from, to);
		DateADT		day = settled_day(p, to->from);
		Coverage	was = from ? standing_coverage(from) : COVERAGE_NONE;
		Coverage	is = standing_coverage(to);
		uint16		had = from ? from->state : 0;
		uint16		changed = moved ? had | to->state : had ^ to->state;

#define CHANGE(account, had, had_class, has, has_class) \
		do { \
			bool		had_ = (had); \
			bool		has_ = (has); \
			int16		c0_ = (had_class); \
			int16		c1_ = (has_class); \
			if (moved || had_ != has_ || c0_ != c1_) \
			{ \
				if (had_) \
					post(p, account, c0_, GRAIN_DAY, 0, 1, day, from, -1); \
				if (has_) \
					post(p, account, c1_, GRAIN_DAY, 0, 1, day, to, 1); \
			} \
		} while (0)

		for (int b = 0; changed && b < (int) lengthof(state_balances); b++)
		{
			uint16		bit = state_balances[b].bit;

			if (!(changed & bit))
				continue;
			if (had & bit)
				post(p, state_balances[b].account, 0, GRAIN_DAY, 0, 1, day, from, -1);
			if (to->state & bit)
				post(p, state_balances[b].account, 0, GRAIN_DAY, 0, 1, day, to, 1);
		}
		CHANGE(ACC_FORMER, was == COVERAGE_FORMER, 0, is == COVERAGE_FORMER, 0);
		CHANGE(ACC_COVERAGE, was != COVERAGE_NONE, was, is != COVERAGE_NONE, is);
		CHANGE(ACC_ACTIVITY, was != COVERAGE_NONE, from ? from->activity : 0, is != COVERAGE_NONE, to->activity);
		CHANGE(ACC_TIER, was != COVERAGE_NONE, from ? from->tier : 0, is != COVERAGE_NONE, to->tier);
		CHANGE(ACC_ROLE, from && role_of(from), from ? role_of(from) : 0, role_of(to) != ROLE_NONE, role_of(to));
		CHANGE(ACC_OVER_10000, from && is_over(from, 10000), 0, is_over(to, 10000), 0);
		CHANGE(ACC_OVER_50000, from && is_over(from, 50000), 0, is_over(to, 50000), 0);
#undef CHANGE
		post_value(p, ACC_POLICIES, day, from, to, moved, from ? from->policies : 0, to->policies);
		post_value(p, ACC_PREMIUM, day, from, to, moved, from ? from->premium : 0, to->premium);
		post_value(p, ACC_VIP_PREMIUM, day, from, to, moved, (had & ST_VIP) ? from->premium : 0,
				   (to->state & ST_VIP) ? to->premium : 0);
	}
}

/* Balances of the customers who hold what facets tell */
static const Account facet_balances[] = {ACC_REACHABLE, ACC_SERVED, ACC_ORPHAN, ACC_PRODUCT};

/* A bit for each of facet_balances: of everybody known */
static inline unsigned
facet_bits(const Standing *s, const Facet *f)
{
	if (standing_coverage(s) == COVERAGE_NONE)
		return 0;
	return (f->reach == REACH_REACHABLE ? 0x01 : 0) | (f->service == SERVICE_SERVED ? 0x02 : 0) |
		(f->service == SERVICE_ORPHAN ? 0x04 : 0) | (f->product ? 0x08 : 0);
}

/*
 * Those that facets bear on, in the cells of the timeline: the rows of both
 * are gone through by day.
 */
void
post_facet_balances(Poster *p, const Facets *f)
{
	const Timeline *t = p->t;
	const Standing *from = NULL;
	unsigned	had = 0;
	int32		orphans = 0;

	for (int i = 0, j = 0; i < t->n || j < f->n;)
	{
		DateADT		first = Min(i < t->n ? t->row[i].from : DATEVAL_NOEND, j < f->n ? f->row[j].from : DATEVAL_NOEND);
		DateADT		day = settled_day(p, first);
		const Standing *to;
		unsigned	has,
					changed;
		bool		moved;

		if (first > p->until)
			break;
		i += i < t->n && t->row[i].from == first;
		j += j < f->n && f->row[j].from == first;
		/* nobody is known before both begin */
		if (i == 0 || j == 0)
			continue;
		to = &t->row[i - 1];
		moved = is_moved(from, to);
		has = facet_bits(to, &f->row[j - 1]);
		changed = moved ? had | has : had ^ has;
		for (int b = 0; changed >> b; b++)
		{
			if (!(changed >> b & 1))
				continue;
			if (had >> b & 1)
				post(p, facet_balances[b], 0, GRAIN_DAY, 0, 1, day, from, -1);
			if (has >> b & 1)
				post(p, facet_balances[b], 0, GRAIN_DAY, 0, 1, day, to, 1);
		}
		post_value(p, ACC_ORPHAN_POLICIES, day, from, to, moved, orphans, f->row[j - 1].orphans);
		orphans = f->row[j - 1].orphans;
		had = has;
		from = to;
	}
}
