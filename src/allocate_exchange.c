/*-------------------------------------------------------------------------
 * allocate_exchange.c
 *		Shortest paths that make an assignment and its prices exact.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "allocate_graph.h"
#include "allocate_steps.h"

#include "miscadmin.h"

static void
enter_customer(Exchange *x, int32 j, int32 i)
{
	x->previous[i] = NOBODY;
	x->next[i] = x->head[j];
	if (x->head[j] != NOBODY)
		x->previous[x->head[j]] = i;
	x->head[j] = i;
}

static void
leave_customer(Exchange *x, int32 j, int32 i)
{
	if (x->previous[i] == NOBODY)
		x->head[j] = x->next[i];
	else
		x->next[x->previous[i]] = x->next[i];
	if (x->next[i] != NOBODY)
		x->previous[x->next[i]] = x->previous[i];
}

/*
 * Give node k the distance d, reached from node "from" by moving a customer.
 */
static void
reach(Exchange *x, int32 k, int64 d, int32 from, int32 mover)
{
	if (x->reached.key[k] == PG_INT64_MAX)
	{
		x->touched[x->touched_count++] = k;
		queue_add(&x->reached, k, d);
	}
	else
	{
		x->reached.key[k] = d;
		queue_up(&x->reached, k);
	}
	x->from[k] = from;
	x->mover[k] = mover;
}

/*
 * Dijkstra's algorithm from a node with excess to the nearest node that lacks
 * something, which is returned.
 */
static int32
find_path(const Solver *s, Exchange *x, int32 source)
{
	int32		z = s->m + 1;
	int64		bound = PG_INT64_MAX;	/* shortest path to a lacking node so far */

	x->reached.size = x->touched_count = x->settled_count = 0;
	reach(x, source, 0, NOBODY, NOBODY);
	while (x->reached.size > 0)
	{
		int32		j = queue_take(&x->reached);
		int64		d = x->reached.key[j];

		if (x->excess[j] < 0)
			return j;
		x->settled[x->settled_count++] = j;
		CHECK_FOR_INTERRUPTS();

#define RELAX(node, length, who) \
		do { \
			int64		relax_d = (length); \
			if (relax_d < x->reached.key[node] && relax_d < bound) \
			{ \
				reach(x, (node), relax_d, j, (who)); \
				if (x->excess[node] < 0) \
					bound = relax_d; \
			} \
		} while (0)

		if (j == z)
		{
			for (int32 k = 0; k < s->m; k++)
			{
				if (s->group[k] == NOBODY && slack_fits(s, x, k))
					RELAX(k, d + s->price[k] - s->price[z], NOBODY);
			}
			for (int32 g = 0; g < s->groups; g++)
				RELAX(group_node(s, g), d + s->price[group_node(s, g)] - s->price[z], NOBODY);
			continue;
		}
		if (j > z)
		{
			int32		g = j - group_node(s, 0);

			for (int32 p = x->member_first[g]; p < x->member_first[g + 1]; p++)
			{
				int32		k = x->member[p];

				if (slack_fits(s, x, k))
					RELAX(k, d + s->price[k] - s->price[j], NOBODY);
			}
			if (x->spare[g] > 0)
				RELAX(z, d + s->price[z] - s->price[j], NOBODY);
			continue;
		}
		if (x->slack[j] > 0)
		{
			int32		k = slack_source(s, j);

			RELAX(k, d + s->price[k] - s->price[j], NOBODY);
		}
		for (int32 i = x->head[j]; i != NOBODY; i = x->next[i])
		{
			int64		base = d - x->own[i] - s->price[j];

			if (s->scarce_customer[i])
				RELAX(s->m, base + s->price[s->m], i);
			for (int64 e = s->first[i]; e < s->first[i + 1]; e++)
				RELAX(s->holder[e], base + s->cost[e] + s->price[s->holder[e]], i);
		}
#undef RELAX
	}
	elog(ERROR, "cannot happen: nowhere to go from holder %d", source);
	return NOBODY;
}

/* Move one unit along the path found. */
static void
augment(Solver *s, Exchange *x, int32 source, int32 target)
{
	int32		z = s->m + 1;

	x->excess[source]--;
	x->excess[target]++;
	for (int32 k = target; k != source; k = x->from[k])
	{
		int32		j = x->from[k];
		int32		i = x->mover[k];

		if (j >= z && k >= z)
			x->spare[Max(j, k) - group_node(s, 0)] += j == z ? 1 : -1;
		else if (j >= z)
			x->slack[k]++;
		else if (k >= z)
			x->slack[j]--;
		else
		{
			leave_customer(x, j, i);
			enter_customer(x, k, i);
			s->at[i] = k;
			x->own[i] = cost_at(s, i, k) - s->price[k];
		}
	}
}

/* The holders of each group, in ascending order */
static void
list_members(const Solver *s, Exchange *x)
{
	x->spare = ALLOC0(int64, s->groups);
	x->member_first = ALLOC0(int32, s->groups + 2);
	x->member = ALLOC(int32, s->m);
	for (int32 j = 0; j < s->m; j++)
	{
		if (s->group[j] != NOBODY)
			x->member_first[s->group[j] + 2]++;
	}
	for (int32 g = 0; g < s->groups; g++)
		x->member_first[g + 2] += x->member_first[g + 1];
	for (int32 j = 0; j < s->m; j++)
	{
		if (s->group[j] != NOBODY)
			x->member[x->member_first[s->group[j] + 1]++] = j;
	}
}

/*
 * Make the assignment and the prices exact, whatever they are now.
 */
void
allocate_exchange(Solver *s)
{
	int32		nodes = s->m + 2 + s->groups;
	int32		z = s->m + 1;
	Exchange	x;

	x.head = ALLOC(int32, nodes);
	x.next = ALLOC(int32, s->n);
	x.previous = ALLOC(int32, s->n);
	x.own = ALLOC(int64, s->n);
	x.slack = ALLOC0(int64, nodes);
	x.excess = ALLOC0(int64, nodes);
	queue_init(&x.reached, nodes);
	x.from = ALLOC(int32, nodes);
	x.mover = ALLOC(int32, nodes);
	x.touched = ALLOC(int32, nodes);
	x.settled = ALLOC(int32, nodes);
	list_members(s, &x);
	for (int32 j = 0; j < nodes; j++)
	{
		x.head[j] = NOBODY;
		x.reached.key[j] = PG_INT64_MAX;
	}

	s->price[z] = 0;
	for (int32 j = 0; j <= s->m; j++)
	{
		int64		zero = s->group[j] == NOBODY ? 0 : s->price[group_node(s, s->group[j])];

		if (s->price[j] > PRICE_LIMIT)
			s->price[j] = PRICE_LIMIT;
		if (!s->scarce[j] && s->price[j] < zero && s->floor[j] == 0)
			s->price[j] = zero;
		x.excess[j] = -(int64) s->room[j];
		if (!s->scarce[j])
			x.excess[z] += s->room[j];
		if (s->group[j] != NOBODY)
			x.excess[group_node(s, s->group[j])] += s->room[j];
	}
	for (int32 g = 0; g < s->groups; g++)
	{
		int64	   *excess = &x.excess[group_node(s, g)];

		*excess = Max(*excess - s->limit[g], 0);
		x.excess[z] -= *excess;
	}
	for (int32 i = s->n - 1; i >= 0; i--)
	{
		int64		v1;
		int64		v2;
		int32		j = best_holder(s, i, &v1, &v2);

		/* whoever is well placed stays */
		if (s->at[i] == NOBODY || cost_at(s, i, s->at[i]) > v1)
			s->at[i] = j;
		enter_customer(&x, s->at[i], i);
		x.own[i] = v1 - s->price[s->at[i]];
		x.excess[s->at[i]]++;
		if (!s->scarce_customer[i])
			x.excess[z]--;
	}
	for (int32 j = 0; j < s->m; j++)
	{
		int64		limit = s->room[j] - s->floor[j];
		int32		source = slack_source(s, j);

		if (s->scarce[j] || s->price[j] > s->price[source])
			continue;
		x.slack[j] = s->price[j] < s->price[source] ? limit : Min(Max(-x.excess[j], 0), limit);
		x.excess[j] += x.slack[j];
		x.excess[source] -= x.slack[j];
	}
	for (int32 g = 0; g < s->groups; g++)
	{
		int32		k = group_node(s, g);

		if (s->price[k] > 0 || x.excess[k] >= 0)
			continue;
		x.spare[g] = -x.excess[k];
		x.excess[z] += x.excess[k];
		x.excess[k] = 0;
	}

	for (int32 j = 0; j < nodes; j++)
	{
		while (x.excess[j] > 0)
		{
			int32		target = find_path(s, &x, j);
			int64		d = x.reached.key[target];

			for (int32 p = 0; p < x.settled_count; p++)
				s->price[x.settled[p]] += d - x.reached.key[x.settled[p]];
			augment(s, &x, j, target);
			s->stats->augmentations++;
			for (int32 p = 0; p < x.touched_count; p++)
				x.reached.key[x.touched[p]] = PG_INT64_MAX;
		}
	}

	for (int32 j = 0; j < s->m; j++)
	{
		if (!s->scarce[j])
			s->price[j] -= s->price[z];
	}
	for (int32 g = 0; g < s->groups; g++)
		s->price[group_node(s, g)] -= s->price[z];
	s->price[z] = 0;
	if (s->prices)
		allocate_price(s, &x);
}
