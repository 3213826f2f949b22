/*-------------------------------------------------------------------------
 * kpi_post.c
 *		What one customer contributes to the accounts, and of it the turnovers.
 *
 * Balances are kpi_balance.c's.  A turnover of a period is a step function of
 * the closing day: +1 in the cell the figure counts in when it comes to hold,
 * -1 when it is undone.  Of a period that is over by the settled day only the
 * outcome is posted, on its last day.  Definitions: docs/figures.md.
 *-------------------------------------------------------------------------
 */
#include "kpi_poster.h"

#include "port/pg_bitutils.h"

/* Those that hold, and of each the row whose cell it counts in */
typedef struct Turnovers
{
	uint32		holds;			/* a bit for each account from ACC_FIRST_TURNOVER */
	int			cell[N_TURNOVERS];
} Turnovers;

StaticAssertDecl(N_TURNOVERS <= 32, "a turnover is a bit");

/* settled: periods ending up to it are over; until: last day posted. */
Poster *
poster_create(DateADT settled, DateADT until, PostFunction post, void *arg)
{
	Poster	   *p = palloc0(sizeof(Poster));

	p->settled = settled;
	p->until = Min(until, TIMELINE_LAST_DAY);
	p->post = post;
	p->arg = arg;
	p->around_size = 64;
	p->around = palloc_array(Around, p->around_size);
	return p;
}

/* Post no more than the balances (GRAIN_DAY), or the turnovers of one period. */
void
poster_limit(Poster *p, Grain grain, int period)
{
	p->limited = true;
	p->grain = grain;
	p->period = period;
}

static inline bool
grain_is_wanted(const Poster *p, Grain grain)
{
	return !p->limited || p->grain == grain;
}

#define SET(account, row) \
	(v->cell[(account) - ACC_FIRST_TURNOVER] = (row), v->holds |= (uint32) 1 << ((account) - ACC_FIRST_TURNOVER))

/*
 * The turnovers of a period whose opening row is lo (-1: none) when it closes
 * in row hi.
 */
static void
turnovers(const Poster *p, int lo, int hi, Turnovers *v)
{
	const Standing *row = p->t->row;
	const Around *around = &p->around[hi];
	int			opened = lo >= 0 ? row[lo].state : 0;
	int			closes = row[hi].state;
	int			lapse = p->around[lo + 1].lapse;

	v->holds = 0;
	if (p->first_purchase > lo && p->first_purchase <= hi)
		SET(ACC_NEW, p->first_purchase);
	if ((closes & ST_INSURED) && p->first_insured > lo)
		SET(ACC_GAINED, hi);
	if (opened & ST_INSURED)
	{
		if (!(closes & ST_INSURED))
		{
			SET(ACC_CHURN, lo);
			if (around->end > lo && (row[around->end].events & EV_LAPSE))
				SET(ACC_LAPSE_CHURN, lo);
		}
		else if (row[lo].org != row[hi].org || row[lo].channel != row[hi].channel)
		{
			SET(ACC_MOVED_OUT, lo);
			SET(ACC_MOVED_IN, hi);
		}
		if (around->purchase > lo)
			SET(ACC_REPEAT_ANY, lo);
		if (around->long_purchase > lo)
		{
			if (opened & ST_PLAN)
				SET(ACC_REPEAT, lo);
			if (!(opened & ST_LONG))
				SET(ACC_LONG_DEVELOPED, lo);
		}
		if ((opened & ST_VIP) && !(closes & ST_VIP))
			SET(ACC_VIP_LOSS, lo);
		if (!(opened & ST_VIP) && (closes & ST_VIP))
			SET(ACC_VIP_UPGRADE, lo);
	}
	else if ((opened & ST_WAS) && (closes & ST_INSURED))
	{
		SET(ACC_WIN_BACK, lo);
		SET(ACC_WON_BACK, hi);
	}
	if (!(opened & ST_VIP) && (closes & ST_VIP))
		SET(ACC_NEW_VIP, hi);
	if ((opened & ST_DORMANT) && around->purchase > lo)
		SET(ACC_REACTIVATED, lo);
	if (lapse <= hi)
	{
		SET(ACC_LAPSED, lapse);
		if (!(closes & ST_INSURED))
			SET(ACC_LAPSED_LOST, lapse);
	}
}

#undef SET

static inline bool
same_cell(const Standing *a, const Standing *b)
{
	return a->org == b->org && a->channel == b->channel;
}

/* Post what changes from one closing day to a later one. */
static void
post_change(Poster *p, Grain grain, int period, DateADT day, const Turnovers *old, const Turnovers *new)
{
	const Standing *row = p->t->row;

	for (uint32 left = old->holds | new->holds; left != 0; left &= left - 1)
	{
		int			i = pg_rightmost_one_pos32(left);
		int			a = (old->holds >> i) & 1 ? old->cell[i] : -1;
		int			b = (new->holds >> i) & 1 ? new->cell[i] : -1;

		if (a == b || (a >= 0 && b >= 0 && same_cell(&row[a], &row[b])))
			continue;
		if (a >= 0)
			post(p, ACC_FIRST_TURNOVER + i, 0, grain, period, 1, day, &row[a], -1);
		if (b >= 0)
			post(p, ACC_FIRST_TURNOVER + i, 0, grain, period, 1, day, &row[b], 1);
	}
}

/* Post the outcome of periods in a row that are over, with the same first and last row. */
static void
post_outcome(Poster *p, Grain grain, int period, int periods, int lo, int hi)
{
	Turnovers	v;

	turnovers(p, lo, hi, &v);
	for (; v.holds != 0; v.holds &= v.holds - 1)
	{
		int			i = pg_rightmost_one_pos32(v.holds);

		post(p, ACC_FIRST_TURNOVER + i, 0, grain, period, periods, period_end(grain, period), &p->t->row[v.cell[i]], 1);
	}
}

/*
 * One period: opening row lo; rows first .. last - 1 begin on a closing day
 * of the period, and row first - 1 holds when closing begins.
 */
static void
post_period(Poster *p, Grain grain, int period, int lo, int first, int last, DateADT closing_from)
{
	const Standing *row = p->t->row;
	DateADT		end = period_end(grain, period);
	Turnovers	v[2];
	Turnovers	nothing;
	const Turnovers *old = &nothing;
	int			i = first;

	if (end <= p->settled)
	{
		post_outcome(p, grain, period, 1, lo, last - 1);
		return;
	}
	nothing.holds = 0;
	/* what has happened by the settled day, or before closing begins */
	while (i < last && row[i].from <= p->settled)
		i++;
	if (i - 1 > lo)
	{
		turnovers(p, lo, i - 1, &v[0]);
		post_change(p, grain, period, Max(closing_from, row[i - 1].from), old, &v[0]);
		old = &v[0];
	}
	for (; i < last && row[i].from <= p->until; i++)
	{
		Turnovers  *new = old == &v[0] ? &v[1] : &v[0];

		turnovers(p, lo, i, new);
		post_change(p, grain, period, row[i].from, old, new);
		old = new;
	}
}

static void
post_calendar_periods(Poster *p, Grain grain)
{
	const Standing *row = p->t->row;
	int			n = p->t->n;

	for (int i = 0; i < n && row[i].from <= p->until;)
	{
		int			period = period_of(grain, row[i].from);
		DateADT		end = period_end(grain, period);
		int			j = i + 1;

		while (j < n && row[j].from <= end)
			j++;
		if (!p->limited || p->period == period)
			post_period(p, grain, period, i - 1, i, j, period_start(grain, period));
		i = j;
	}
}

static void
post_trailing_periods(Poster *p)
{
	const Standing *row = p->t->row;
	int			n = p->t->n;
	int			last_month = month_of(p->until);
	int			last_over = month_of(p->settled + 1) - 1;
	int			lo = -1;		/* last row before the period */
	int			hi = -1;		/* last row by its end */
	int			m;

	if (n == 0)
		return;
	m = month_of(row[0].from);
	if (p->limited)
	{
		m = Max(m, p->period);
		last_month = Min(last_month, p->period);
	}
	while (m <= last_month)
	{
		int			next = last_month + 1;

		while (lo + 1 < n && row[lo + 1].from < month_start(m - 11))
			lo++;
		if (m > last_over)
		{
			int			first;

			/* rows of the closing month come one by one */
			for (first = lo + 1; first < n && row[first].from < month_start(m);)
				first++;
			for (hi = first - 1; hi + 1 < n && row[hi + 1].from < month_start(m + 1);)
				hi++;
			if (hi > lo)
				post_period(p, GRAIN_TRAILING, m, lo, first, hi + 1, month_start(m));
			if (hi + 1 == n && hi == lo)
				break;
			m++;
			continue;
		}
		while (hi + 1 < n && row[hi + 1].from < month_start(m + 1))
			hi++;
		/* until a row comes in at the end or goes out at the beginning */
		if (hi + 1 < n)
			next = Min(next, month_of(row[hi + 1].from));
		if (lo < hi)
			next = Min(next, month_of(row[lo + 1].from) + 12);
		else if (hi + 1 == n)
			break;
		next = Min(next, last_over + 1);
		if (lo < hi)
			post_outcome(p, GRAIN_TRAILING, m, next - m, lo, hi);
		m = next;
	}
}

/* Post the balances that facets bear on, or take them back with sign -1. */
void
poster_run_facets(Poster *p, const Timeline *t, const Facets *f, int sign)
{
	p->t = t;
	p->sign = sign;
	if (f && grain_is_wanted(p, GRAIN_DAY))
		post_facet_balances(p, f);
}

/* Post a timeline, and facets unless NULL, or take them back with sign -1. */
void
poster_run(Poster *p, const Timeline *t, const Facets *f, int sign)
{
	Around		around = {-1, -1, -1, t->n};

	poster_run_facets(p, t, f, sign);
	p->first_purchase = p->first_insured = t->n;
	if (p->around_size < t->n)
	{
		p->around_size = t->n * 2;
		p->around = repalloc_huge(p->around, sizeof(Around) * p->around_size);
	}
	for (int i = 0; i < t->n; i++)
	{
		if (t->row[i].events & EV_PURCHASE)
		{
			around.purchase = i;
			p->first_purchase = Min(p->first_purchase, i);
		}
		if (t->row[i].events & EV_LONG)
			around.long_purchase = i;
		if (t->row[i].events & EV_END)
			around.end = i;
		if (t->row[i].state & ST_INSURED)
			p->first_insured = Min(p->first_insured, i);
		p->around[i] = around;
	}
	for (int i = t->n - 1; i >= 0; i--)
	{
		if (t->row[i].events & EV_LAPSE)
			around.lapse = i;
		p->around[i].lapse = around.lapse;
	}
	if (grain_is_wanted(p, GRAIN_DAY))
		post_standing_balances(p);
	for (Grain g = GRAIN_MONTH; g <= GRAIN_YEAR; g++)
		if (grain_is_wanted(p, g))
			post_calendar_periods(p, g);
	if (grain_is_wanted(p, GRAIN_TRAILING))
		post_trailing_periods(p);
}
