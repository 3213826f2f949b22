/*-------------------------------------------------------------------------
 * allocate_price.c
 *		What each capacity and each floor costs.
 *
 * Prices of an optimum are not unique, so these are defined by what they mean:
 * how much better the whole assignment would be with one more place at a
 * holder, or a floor lower by one.  Either is the length of a shortest path
 * among the holders, counted from the optimum.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "allocate_graph.h"

#include "miscadmin.h"

static inline void
come_near(Exchange *x, int32 k, int64 d)
{
	if (x->reached.place[k] == NOBODY)
	{
		if (x->reached.key[k] == PG_INT64_MAX)
			queue_add(&x->reached, k, d);
		return;
	}
	if (d < x->reached.key[k])
	{
		x->reached.key[k] = d;
		queue_up(&x->reached, k);
	}
}

/* Take the nearest node, whose distance is final, or NOBODY. */
static int32
take_nearest(Exchange *x)
{
	int32		j;

	if (x->reached.size == 0)
		return NOBODY;
	CHECK_FOR_INTERRUPTS();
	j = queue_take(&x->reached);
	x->reached.place[j] = NOBODY;
	return j;
}

static void
begin_search(const Solver *s, Exchange *x)
{
	x->reached.size = 0;
	for (int32 j = 0; j < s->m + 2; j++)
	{
		x->reached.key[j] = PG_INT64_MAX;
		x->reached.place[j] = NOBODY;
	}
}

/*
 * One more place at holder j: somebody moves there, another to that place, and
 * so on, until room is left free or a customer comes from the dummy holder.
 */
static void
price_places(const Solver *s, Exchange *x)
{
	int32		z = s->m + 1;
	bool	   *valued = ALLOC0(bool, s->m);
	int32		j;

	begin_search(s, x);
	come_near(x, s->m, 0);
	for (int32 k = 0; k < s->m; k++)
	{
		if (slack_fits(s, x, k))
			come_near(x, k, s->price[k] - s->price[z]);
	}
	while ((j = take_nearest(x)) != NOBODY)
	{
		int64		d = x->reached.key[j];

		for (int32 i = x->head[j]; i != NOBODY; i = x->next[i])
		{
			int64		base = d - x->own[i] - s->price[j];

			if (s->scarce_customer[i])
				come_near(x, s->m, base + s->price[s->m]);
			for (int64 e = s->first[i]; e < s->first[i + 1]; e++)
				come_near(x, s->holder[e], base + s->cost[e] + s->price[s->holder[e]]);
		}
	}

	for (int32 k = 0; k < s->m; k++)
	{
		int64		zero = s->price[s->scarce[k] ? s->m : z];

		s->prices->serves[k] = s->scarce[k];
		s->prices->place[k] = x->reached.key[k] == PG_INT64_MAX ? 0 :
			s->price[k] - zero - x->reached.key[k];
	}

	/* holders without any room stand at the end of such paths only */
	for (int64 c = 0; c < s->closed_count; c++)
	{
		const ClosedEdge *edge = &s->closed[c];
		int32		h = s->at[edge->customer];
		int64		zero = s->price[s->scarce[h] ? s->m : z];
		int64	   *place = &s->prices->place[edge->holder];
		int64		gain;

		if (x->reached.key[h] == PG_INT64_MAX)
			continue;
		gain = s->price[h] - zero - x->reached.key[h] + x->own[edge->customer] - edge->cost;
		if (!valued[edge->holder] || gain > *place)
			*place = gain;
		valued[edge->holder] = true;
	}
	for (int32 k = 0; k < s->m; k++)
	{
		if (!s->scarce[k])
			s->prices->place[k] = Max(s->prices->place[k], 0);
	}
	pfree(valued);
}

/*
 * A floor lower by one: somebody leaves holder j for another place, and so on,
 * until free room is filled.
 */
static void
price_floors(const Solver *s, Exchange *x)
{
	int32		z = s->m + 1;
	int64	   *begin;
	int32	   *who;
	int64	   *what;
	int32		k;

	memset(s->prices->floor, 0, sizeof(int64) * s->m);
	if (s->floors == 0)
		return;

	/* who may come to each holder, and at what cost */
	begin = ALLOC0(int64, s->m + 2);
	who = ALLOC(int32, s->first[s->n]);
	what = ALLOC(int64, s->first[s->n]);
	for (int64 e = 0; e < s->first[s->n]; e++)
		begin[s->holder[e] + 1]++;
	for (int32 j = 0; j <= s->m; j++)
		begin[j + 1] += begin[j];
	for (int32 i = s->n - 1; i >= 0; i--)
	{
		for (int64 e = s->first[i]; e < s->first[i + 1]; e++)
		{
			int64		p = --begin[s->holder[e] + 1];

			who[p] = i;
			what[p] = s->cost[e];
		}
	}

	begin_search(s, x);
	for (int32 j = 0; j < s->m; j++)
	{
		if (x->slack[j] > 0)
			come_near(x, j, s->price[z] - s->price[j]);
	}
	while ((k = take_nearest(x)) != NOBODY)
	{
		int64		d = x->reached.key[k];
		int64		end = k + 1 < s->m ? begin[k + 2] : s->first[s->n];

		for (int64 p = begin[k + 1]; p < end; p++)
		{
			int32		i = who[p];
			int32		j = s->at[i];

			come_near(x, j, d + what[p] + s->price[k] - x->own[i] - s->price[j]);
		}
	}
	for (int32 j = 0; j < s->m; j++)
	{
		if (!s->scarce[j] && s->floor[j] > 0 && !slack_fits(s, x, j) &&
			x->reached.key[j] != PG_INT64_MAX)
			s->prices->floor[j] = Max(s->price[z] - s->price[j] - x->reached.key[j], 0);
	}
	pfree(begin);
	pfree(who);
	pfree(what);
}

void
allocate_price(const Solver *s, Exchange *x)
{
	s->prices->serves = ALLOC(bool, s->m);
	s->prices->place = ALLOC(int64, s->m);
	s->prices->floor = ALLOC(int64, s->m);
	price_places(s, x);
	price_floors(s, x);
}
