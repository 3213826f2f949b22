/*-------------------------------------------------------------------------
 * allocate_price.c
 *		What each capacity and each floor costs.
 *
 * Prices of an optimum are not unique, so these are defined by what they mean:
 * how much better the whole assignment would be with one more place at a
 * holder, a floor lower by one, or the limit of a group higher by one.  Each is the length of a shortest path
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
begin_search(const Solver *s, Exchange *x, int32 node)
{
	x->reached.size = 0;
	for (int32 j = 0; j < s->m + 2 + s->groups; j++)
	{
		x->reached.key[j] = PG_INT64_MAX;
		x->reached.place[j] = NOBODY;
	}
	come_near(x, node, 0);
}

/*
 * How far every node is from where free room begins: the node m + 1, or that of
 * a group.  From the former also what is beyond the dummy holder.
 */
static void
search_from(const Solver *s, Exchange *x, int32 source)
{
	int32		z = s->m + 1;
	int32		j;

	begin_search(s, x, source);
	if (source == z)
		come_near(x, s->m, 0);
	while ((j = take_nearest(x)) != NOBODY)
	{
		int64		d = x->reached.key[j] - s->price[j];

		if (j == z)
		{
			for (int32 k = 0; k < s->m; k++)
			{
				if (s->group[k] == NOBODY && slack_fits(s, x, k))
					come_near(x, k, d + s->price[k]);
			}
			for (int32 g = 0; g < s->groups; g++)
				come_near(x, group_node(s, g), d + s->price[group_node(s, g)]);
			continue;
		}
		if (j > z)
		{
			int32		g = j - group_node(s, 0);

			for (int32 p = x->member_first[g]; p < x->member_first[g + 1]; p++)
			{
				if (slack_fits(s, x, x->member[p]))
					come_near(x, x->member[p], d + s->price[x->member[p]]);
			}
			if (x->spare[g] > 0)
				come_near(x, z, d + s->price[z]);
			continue;
		}
		if (x->slack[j] > 0)
			come_near(x, slack_source(s, j), d + s->price[slack_source(s, j)]);
		for (int32 i = x->head[j]; i != NOBODY; i = x->next[i])
		{
			if (s->scarce_customer[i])
				come_near(x, s->m, d - x->own[i] + s->price[s->m]);
			for (int64 e = s->first[i]; e < s->first[i + 1]; e++)
				come_near(x, s->holder[e], d - x->own[i] + s->cost[e] + s->price[s->holder[e]]);
		}
	}
}

/* What one more place at a node is worth, counted from where it is left free */
static inline int64
gain_at(const Solver *s, const Exchange *x, int32 k, int32 source)
{
	int64		zero = s->price[k <= s->m && s->scarce[k] ? s->m : source];

	return x->reached.key[k] == PG_INT64_MAX ? 0 : s->price[k] - zero - x->reached.key[k];
}

/*
 * One more place at holder j: somebody moves there, another to that place, and
 * so on, until room is left free or a customer comes from the dummy holder.  A
 * place more within a group is one more that the group must leave free.
 */
static void
price_places(const Solver *s, Exchange *x, bool *valued, int32 group)
{
	int32		source = group == NOBODY ? s->m + 1 : group_node(s, group);

	search_from(s, x, source);
	for (int32 k = 0; k < s->m; k++)
	{
		if (s->group[k] != group)
			continue;
		s->prices->serves[k] = s->scarce[k];
		s->prices->place[k] = gain_at(s, x, k, source);
	}
	for (int32 g = 0; g < s->groups && group == NOBODY; g++)
		s->prices->limit[g] = gain_at(s, x, group_node(s, g), source);

	/* holders without any room stand at the end of such paths only */
	for (int64 c = 0; c < s->closed_count; c++)
	{
		const ClosedEdge *edge = &s->closed[c];
		int32		h = s->at[edge->customer];
		int64	   *place = &s->prices->place[edge->holder];
		int64		gain;

		if (s->group[edge->holder] != group || x->reached.key[h] == PG_INT64_MAX)
			continue;
		gain = gain_at(s, x, h, source) + x->own[edge->customer] - edge->cost;
		if (!valued[edge->holder] || gain > *place)
			*place = gain;
		valued[edge->holder] = true;
	}
	for (int32 k = 0; k < s->m; k++)
	{
		if (s->group[k] == group && !s->scarce[k])
			s->prices->place[k] = Max(s->prices->place[k], 0);
	}
}

/* Who may come to each holder, and at what cost */
typedef struct Comers
{
	int64	   *begin;			/* m + 2 offsets into the next two */
	int32	   *who;
	int64	   *cost;
} Comers;

static void
list_comers(const Solver *s, Comers *comers)
{
	int64	   *begin = comers->begin = ALLOC0(int64, s->m + 2);

	comers->who = ALLOC(int32, s->first[s->n]);
	comers->cost = ALLOC(int64, s->first[s->n]);
	for (int64 e = 0; e < s->first[s->n]; e++)
		begin[s->holder[e] + 2]++;
	for (int32 j = 1; j <= s->m; j++)
		begin[j + 1] += begin[j];
	for (int32 i = 0; i < s->n; i++)
	{
		for (int64 e = s->first[i]; e < s->first[i + 1]; e++)
		{
			int64		p = begin[s->holder[e] + 1]++;

			comers->who[p] = i;
			comers->cost[p] = s->cost[e];
		}
	}
}

/* How far it is from every node to where free room is filled */
static void
search_to(const Solver *s, Exchange *x, const Comers *comers, int32 target)
{
	int32		z = s->m + 1;
	int32		k;

	begin_search(s, x, target);
	while ((k = take_nearest(x)) != NOBODY)
	{
		int64		d = x->reached.key[k] + s->price[k];

		if (k == z)
		{
			for (int32 j = 0; j < s->m; j++)
			{
				if (s->group[j] == NOBODY && x->slack[j] > 0)
					come_near(x, j, d - s->price[j]);
			}
			for (int32 g = 0; g < s->groups; g++)
			{
				if (x->spare[g] > 0)
					come_near(x, group_node(s, g), d - s->price[group_node(s, g)]);
			}
			continue;
		}
		if (k > z)
		{
			int32		g = k - group_node(s, 0);

			for (int32 p = x->member_first[g]; p < x->member_first[g + 1]; p++)
			{
				if (x->slack[x->member[p]] > 0)
					come_near(x, x->member[p], d - s->price[x->member[p]]);
			}
			come_near(x, z, d - s->price[z]);
			continue;
		}
		if (k == s->m)
			continue;
		if (slack_fits(s, x, k))
			come_near(x, slack_source(s, k), d - s->price[slack_source(s, k)]);
		for (int64 p = comers->begin[k]; p < comers->begin[k + 1]; p++)
		{
			int32		i = comers->who[p];
			int32		j = s->at[i];

			come_near(x, j, d + comers->cost[p] - x->own[i] - s->price[j]);
		}
	}
}

/*
 * A floor lower by one: somebody leaves holder j for another place, and so on,
 * until free room is filled: any, or some within the group.
 */
static void
price_floors(const Solver *s, Exchange *x)
{
	Comers		comers;

	memset(s->prices->floor, 0, sizeof(int64) * s->m);
	if (s->floors == 0)
		return;
	list_comers(s, &comers);
	for (int32 g = NOBODY; g < s->groups; g++)
	{
		int32		target = g == NOBODY ? s->m + 1 : group_node(s, g);

		search_to(s, x, &comers, target);
		for (int32 j = 0; j < s->m; j++)
		{
			if (s->group[j] == g && !s->scarce[j] && s->floor[j] > 0 && !slack_fits(s, x, j) &&
				x->reached.key[j] != PG_INT64_MAX)
				s->prices->floor[j] = Max(s->price[target] - s->price[j] - x->reached.key[j], 0);
		}
	}
	pfree(comers.begin);
	pfree(comers.who);
	pfree(comers.cost);
}

void
allocate_price(const Solver *s, Exchange *x)
{
	bool	   *valued = ALLOC0(bool, s->m);

	s->prices->serves = ALLOC(bool, s->m);
	s->prices->place = ALLOC(int64, s->m);
	s->prices->floor = ALLOC(int64, s->m);
	s->prices->limit = ALLOC0(int64, s->groups);
	for (int32 g = NOBODY; g < s->groups; g++)
		price_places(s, x, valued, g);
	price_floors(s, x);
	pfree(valued);
}
