/*-------------------------------------------------------------------------
 * allocate_weighted_pick.c
 *		The customers that a holder profits from most: a knapsack problem.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "allocate_weighted_relaxation.h"

#include <math.h>

#include "miscadmin.h"

/* Knapsacks up to so many cells are solved exactly */
#define KNAPSACK_CELLS		(INT64CONST(1) << 24)

static inline bool
item_before(const Item *x, const Item *y)
{
	return x->rate > y->rate || (x->rate == y->rate && x->edge < y->edge);
}

static inline void
swap_items(Item *x, Item *y)
{
	Item		item = *x;

	*x = *y;
	*y = item;
}

/*
 * Bring the items with most profit for their load to the front, as many as fit
 * into the room, and the first that does not behind them: quickselect by the
 * sum of loads.  Returns how many fit; left becomes the room they leave.
 */
static int64
find_break(Item *items, int64 n, int64 *left)
{
	int64		low = 0;
	int64		high = n;

	while (high - low > 1)
	{
		int64		store = low;
		int64		sum = 0;
		Item	   *a = &items[low];
		Item	   *b = &items[(low + high) / 2];
		Item	   *c = &items[high - 1];

		/* the median of three goes last */
		if (item_before(a, b))
			swap_items(item_before(b, c) ? b : item_before(a, c) ? c : a, c);
		else
			swap_items(item_before(a, c) ? a : item_before(b, c) ? c : b, c);
		for (int64 k = low; k < high - 1; k++)
		{
			if (!item_before(&items[k], c))
				continue;
			sum += items[k].load;
			swap_items(&items[k], &items[store++]);
		}
		swap_items(&items[store], c);
		if (sum > *left)
			high = store;
		else
		{
			*left -= sum;
			if (items[store].load > *left)
				return store;
			*left -= items[store].load;
			low = store + 1;
		}
	}
	if (low < n && items[low].load <= *left)
		*left -= items[low++].load;
	return low;
}

/*
 * What n items bring at most that do not all fit, by dynamic programming over
 * the room; marks those that are taken.
 */
static int64
fill_room(Relaxation *r, const Item *items, int64 n, int64 room)
{
	int64		width = room + 1;
	int64	   *restrict value;

	if (r->cells_size < width * n)
	{
		if (r->cells)
			pfree(r->cells);
		r->cells_size = Max(width * n, r->cells_size * 2);
		r->cells = ALLOC(uint8, r->cells_size);
	}
	if (r->row_size < width)
	{
		if (r->row)
			pfree(r->row);
		r->row_size = Max(width, r->row_size * 2);
		r->row = ALLOC(int64, r->row_size);
	}
	value = r->row;
	memset(value, 0, sizeof(int64) * width);
	for (int64 k = 0; k < n; k++)
	{
		uint8	   *restrict takes = r->cells + width * k;
		int32		load = items[k].load;
		int64		profit = items[k].profit;

		CHECK_FOR_INTERRUPTS();
		for (int64 c = room; c >= load; c--)
		{
			int64		with = value[c - load] + profit;

			takes[c] = with > value[c];
			value[c] = Max(value[c], with);
		}
	}
	for (int64 k = n - 1, c = room; k >= 0; k--)
	{
		if (c >= items[k].load && (r->cells + width * k)[c])
		{
			r->taken[items[k].edge] = true;
			c -= items[k].load;
		}
	}
	return value[room];
}

/*
 * The same by what the items bring for their load.  Up to the first that does
 * not fit they are taken, or the difference to that one tells what it would
 * cost to do otherwise (Dantzig 1957); only where that leaves a doubt the room
 * has to be looked at unit by unit.  Where that is too much work the answer is
 * somewhat more than the truth.
 */
static int64
fill_best(Relaxation *r, Item *items, int64 n, int64 room)
{
	int64		whole = 0;		/* profit of those before the break */
	int64		greedy;			/* and of whatever fits after it */
	int64		left = room;
	int64		rest;
	int64		end;
	int64		core = 0;
	int64		sure = 0;
	int64		most;
	double		rate;

	end = find_break(items, n, &left);
	for (int64 k = 0; k < end; k++)
		whole += items[k].profit;
	most = whole + (int64) ((int128) items[end].profit * left / items[end].load);
	rate = items[end].rate;
	greedy = whole;
	rest = left;
	for (int64 k = end; k < n; k++)
	{
		if (items[k].load <= rest)
		{
			rest -= items[k].load;
			greedy += items[k].profit;
		}
	}
	rest = room;
	for (int64 k = 0; k < n; k++)
	{
		double		other = fabs((double) items[k].profit - rate * items[k].load);

		if (k != end && other > (double) (most - greedy) * (1 + 1e-9) + 1)
		{
			if (k < end)
			{
				r->taken[items[k].edge] = true;
				sure += items[k].profit;
				rest -= items[k].load;
			}
			continue;
		}
		items[core++] = items[k];
	}
	if (rest < KNAPSACK_CELLS && core * (rest + 1) <= KNAPSACK_CELLS)
		return sure + fill_room(r, items, core, rest);
	for (int64 k = 0; k < core; k++)
	{
		if (items[k].load > rest)
			continue;
		r->taken[items[k].edge] = true;
		rest -= items[k].load;
	}
	return most + 1;
}

/*
 * The most that a holder can profit, or somewhat more where it is too much
 * work to know.
 */
int64
relaxation_pick(Relaxation *r, int32 j)
{
	const Weighted *w = r->w;
	Item	   *items;
	int64		count = 0;
	int64		profit = 0;
	int64		load = 0;
	int64		room = r->room[j];

	if (r->items_size < w->begin[j + 1] - w->begin[j])
	{
		if (r->items)
			pfree(r->items);
		r->items_size = Max(w->begin[j + 1] - w->begin[j], r->items_size * 2);
		r->items = ALLOC(Item, r->items_size);
	}
	items = r->items;
	for (int64 p = w->begin[j]; p < w->begin[j + 1]; p++)
	{
		int64		e = w->edge[p];
		int32		i = w->owner[p];
		int64		gain = r->value[i] - r->cost[e];

		r->taken[e] = false;
		if (gain <= 0 || r->fixed[i] || !r->open[e] || w->load[e] > room)
			continue;
		if (w->load[e] == 0)
		{
			r->taken[e] = true;
			profit += gain;
			continue;
		}
		items[count].profit = gain;
		items[count].rate = (double) gain / w->load[e];
		items[count].edge = e;
		items[count++].load = w->load[e];
		load += w->load[e];
	}
	if (load > room)
		return profit + fill_best(r, items, count, room);
	for (int64 k = 0; k < count; k++)
	{
		r->taken[items[k].edge] = true;
		profit += items[k].profit;
	}
	return profit;
}
