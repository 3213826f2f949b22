/*-------------------------------------------------------------------------
 * allocate_match.c
 *		How many customers can be served: a maximum matching with capacities.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "allocate_steps.h"

#include "miscadmin.h"

typedef struct Matching
{
	int32	   *load;			/* customers of each holder */
	int32	   *level;			/* depth of each holder in the last search */
	int32	   *queue;
	int32	   *begin;			/* where the list of each holder begins */
	int32	   *list;			/* customers by holder */
	int32	   *next;			/* position in list */
	int32	   *edge;			/* which edge of the customer is tried */
	int32	   *path;
} Matching;

/*
 * List the customers of each holder: those of holder j become
 * list[begin[j]] .. list[begin[j + 1] - 1], in ascending order.
 */
static void
list_customers(const Solver *s, int32 *begin, int32 *list)
{
	memset(begin, 0, sizeof(int32) * (s->m + 2));
	for (int32 i = 0; i < s->n; i++)
	{
		if (s->at[i] != NOBODY)
			begin[s->at[i]]++;
	}
	for (int32 j = 1; j <= s->m + 1; j++)
		begin[j] += begin[j - 1];
	for (int32 i = s->n - 1; i >= 0; i--)
	{
		if (s->at[i] != NOBODY)
			list[--begin[s->at[i]]] = i;
	}
}

/*
 * Depth of each holder in a breadth first search from the unserved customers;
 * -1 where it does not come.  Returns whether it met a holder with free room,
 * and goes no deeper than the first such depth then.
 */
static bool
find_levels(const Solver *s, const Matching *t, const int32 *room)
{
	const int32 *begin = t->begin;
	const int32 *load = t->load;
	int32	   *level = t->level;
	int32	   *queue = t->queue;
	int32		head = 0;
	int32		tail = 0;
	bool		found = false;

	memset(level, -1, sizeof(int32) * s->m);
	for (int32 i = 0; i < s->n; i++)
	{
		if (s->at[i] != NOBODY)
			continue;
		for (int64 e = s->first[i]; e < s->first[i + 1]; e++)
		{
			int32		j = s->holder[e];

			if (level[j] < 0)
			{
				level[j] = 0;
				queue[tail++] = j;
				found |= load[j] < room[j];
			}
		}
	}
	while (head < tail)
	{
		int32		j = queue[head++];

		CHECK_FOR_INTERRUPTS();
		if (found && load[j] < room[j])
			continue;
		for (int32 p = begin[j]; p < begin[j + 1]; p++)
		{
			int32		i = t->list[p];

			for (int64 e = s->first[i]; e < s->first[i + 1]; e++)
			{
				int32		k = s->holder[e];

				if (level[k] < 0)
				{
					level[k] = level[j] + 1;
					queue[tail++] = k;
					if (load[k] < room[k])
						found = true;
				}
			}
		}
		/* once a free holder is met, its depth is the last of interest */
		if (found && head < tail && level[queue[head]] > level[j])
			break;
	}
	return found;
}

static void
close_edge(Solver *s, int32 customer, int32 holder, int64 cost)
{
	if (s->closed_count == s->closed_space)
	{
		s->closed_space = Max(1024, s->closed_space * 2);
		s->closed = s->closed ?
			repalloc_huge(s->closed, mul_size(s->closed_space, sizeof(ClosedEdge))) :
			ALLOC(ClosedEdge, s->closed_space);
	}
	s->closed[s->closed_count++] = (ClosedEdge) {customer, holder, cost};
}

/*
 * Serve as many customers as possible, nobody served before being dropped and
 * no holder getting fewer.
 */
static void
serve(Solver *s, Matching *t, const int32 *room)
{
	int32		n = s->n;
	int32	   *load = t->load;
	int32	   *level = t->level;
	int32	   *next = t->next;
	int32	   *edge = t->edge;
	int32	   *path = t->path;

	/* first fill evenly: each customer to the holder with most room left */
	for (int32 i = 0; i < n; i++)
	{
		int32		best = NOBODY;

		if (s->at[i] != NOBODY)
			continue;
		for (int64 e = s->first[i]; e < s->first[i + 1]; e++)
		{
			int32		j = s->holder[e];
			int32		left = room[j] - load[j];

			if (left > 0 &&
				(best == NOBODY || left > room[best] - load[best]))
				best = j;
		}
		s->at[i] = best;
		if (best != NOBODY)
		{
			load[best]++;
			s->served++;
		}
	}

	for (;;)
	{
		if (s->served == n)
		{
			memset(level, -1, sizeof(int32) * s->m);
			break;
		}
		list_customers(s, t->begin, t->list);
		if (!find_levels(s, t, room))
			break;

		/* disjoint shortest augmenting paths, depth first */
		memcpy(next, t->begin, sizeof(int32) * s->m);
		memset(edge, 0, sizeof(int32) * n);
		for (int32 i = 0; i < n; i++)
		{
			int32		depth = -1;
			int32		mover = i;

			if (s->at[i] != NOBODY)
				continue;
			if ((i & INTERRUPT_MASK) == 0)
				CHECK_FOR_INTERRUPTS();
			for (;;)
			{
				int32		j = NOBODY;

				/* the next holder, one level deeper, that mover may go to */
				while (s->first[mover] + edge[mover] < s->first[mover + 1])
				{
					j = s->holder[s->first[mover] + edge[mover]];
					if (level[j] == depth + 1)
						break;
					edge[mover]++;
					j = NOBODY;
				}
				if (j != NOBODY)
				{
					path[++depth] = j;
					if (load[j] < room[j])
					{
						/* everybody on the path moves one step on */
						load[j]++;
						s->served++;
						for (; depth > 0; depth--)
							s->at[t->list[next[path[depth - 1]]++]] = path[depth];
						s->at[i] = path[0];
						break;
					}
				}
				else if (depth < 0)
					break;
				else
					next[path[depth]]++;

				/* the next customer of the deepest holder, or one step back */
				while (depth >= 0 && next[path[depth]] == t->begin[path[depth] + 1])
				{
					level[path[depth]] = -1;
					depth--;
				}
				mover = depth < 0 ? i : t->list[next[path[depth]]];
			}
		}
	}
}

/*
 * Floors cannot all be met: find holders that need more customers than may go
 * to any of them.  From a holder that lacks one, whoever may go there sits with
 * another holder of the kind.
 */
static void
find_unmet(const Solver *s, const Matching *t)
{
	bool	   *unmet = ALLOC0(bool, s->m);
	bool		grown = true;

	for (int32 j = 0; j < s->m; j++)
	{
		if (t->load[j] < s->floor[j])
		{
			unmet[j] = true;
			break;
		}
	}
	while (grown)
	{
		grown = false;
		s->stats->at_hand = 0;
		for (int32 i = 0; i < s->n; i++)
		{
			bool		sees = false;

			if ((i & INTERRUPT_MASK) == 0)
				CHECK_FOR_INTERRUPTS();
			for (int64 e = s->first[i]; e < s->first[i + 1] && !sees; e++)
				sees = unmet[s->holder[e]];
			if (!sees)
				continue;
			s->stats->at_hand++;
			if (!unmet[s->at[i]])
				unmet[s->at[i]] = grown = true;
		}
	}
	s->stats->needed = 0;
	for (int32 j = 0; j < s->m; j++)
		s->stats->needed += unmet[j] ? s->floor[j] : 0;
	s->stats->unmet = unmet;
}

/*
 * Whether some group has floors beyond its limit; the holders that do are told.
 */
static bool
find_crowded(const Solver *s)
{
	int64	   *floors = ALLOC0(int64, s->groups + 1);
	int32		crowded = NOBODY;

	for (int32 j = 0; j < s->m; j++)
	{
		if (s->group[j] != NOBODY)
			floors[s->group[j]] += s->floor[j];
	}
	for (int32 g = s->groups - 1; g >= 0; g--)
	{
		if (floors[g] > s->limit[g])
			crowded = g;
	}
	if (crowded != NOBODY)
	{
		s->stats->unmet = ALLOC0(bool, s->m);
		s->stats->needed = floors[crowded];
		s->stats->at_hand = s->limit[crowded];
		for (int32 j = 0; j < s->m; j++)
			s->stats->unmet[j] = s->group[j] == crowded && s->floor[j] > 0;
	}
	pfree(floors);
	return crowded != NOBODY;
}

/*
 * Serve as many customers as possible, then tell scarce from plain holders and
 * customers and take away the edges that no maximum assignment uses.  Returns
 * false where the floors cannot all be met.
 */
bool
allocate_match(Solver *s)
{
	int32		n = s->n;
	int32		m = s->m;
	Matching	t;
	int64		room = 0;
	int64		kept = 0;

	t.load = ALLOC0(int32, m + 1);
	t.level = ALLOC(int32, m + 1);
	t.queue = ALLOC(int32, m + 1);
	t.begin = ALLOC(int32, m + 2);
	t.list = ALLOC(int32, n);
	t.next = ALLOC(int32, m + 1);
	t.edge = ALLOC(int32, n);
	t.path = ALLOC(int32, m + 1);
	for (int32 i = 0; i < n; i++)
		s->at[i] = NOBODY;

	/* once floors are met they stay so */
	if (s->floors > 0)
	{
		if (find_crowded(s))
			return false;
		serve(s, &t, s->floor);
		if (s->served < s->floors)
		{
			find_unmet(s, &t);
			return false;
		}
	}
	serve(s, &t, s->room);

	/* the last search has met the scarce holders and no other */
	for (int32 j = 0; j < m; j++)
	{
		s->scarce[j] = t.level[j] >= 0;
		if (s->scarce[j])
			room += s->room[j];
	}
	s->scarce[m] = true;
	s->room[m] = 0;
	for (int32 i = 0; i < n; i++)
	{
		bool		scarce = s->at[i] == NOBODY || s->scarce[s->at[i]];
		int64		from = s->first[i];

		s->scarce_customer[i] = scarce;
		if (scarce)
			s->room[m]++;
		else
			room++;
		s->first[i] = kept;
		for (int64 e = from; e < s->first[i + 1]; e++)
		{
			/* the cover: scarce holders and plain customers */
			if (scarce && !s->scarce[s->holder[e]])
				elog(ERROR, "cannot happen: customer %d sees beyond the cover", i);
			if (scarce != s->scarce[s->holder[e]])
				continue;
			if (s->room[s->holder[e]] == 0)
			{
				if (s->prices)
					close_edge(s, i, s->holder[e], s->cost[e]);
				continue;
			}
			s->holder[kept] = s->holder[e];
			s->cost[kept] = s->cost[e];
			kept++;
		}
	}
	s->first[n] = kept;
	if (room != s->served)
		elog(ERROR, "cannot happen: " INT64_FORMAT " customers served, the cover has " INT64_FORMAT,
			 s->served, room);
	for (int32 j = 0; j < m; j++)
	{
		if (s->scarce[j])
			s->room[m] -= s->room[j];
	}

	pfree(t.load);
	pfree(t.level);
	pfree(t.queue);
	pfree(t.begin);
	pfree(t.list);
	pfree(t.next);
	pfree(t.edge);
	pfree(t.path);
	return true;
}
