/*-------------------------------------------------------------------------
 * allocate_weighted_bound.c
 *		How good a weighted assignment can be at best: Lagrangian relaxation.
 *
 * Two relaxations, both improved by subgradient steps.  With a price on the
 * capacity each customer goes where it is cheapest, whatever fits: a quick
 * bound, the same as that of linear programming, and prices of use to the
 * search.  With a value for each customer each holder picks those it profits
 * from most, a knapsack problem: customers may be picked by several holders or
 * by none, but capacities hold, so this bound is better (Fisher, Jaikumar and
 * van Wassenhove 1986).
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "allocate_weighted_relaxation.h"

#include <math.h>

#include "miscadmin.h"

/* Rounds of either relaxation, and how many without success halve the steps */
#define PRICE_ROUNDS		300
#define VALUE_ROUNDS		1500
#define PATIENCE			20
#define LEAST_STEP			0.004

/*
 * Before that prices move in so many rounds by how far a holder is over or
 * under its capacity, less and less down to this part of the first time.
 */
#define WARM_ROUNDS			80
#define WARM_LEAST			0.001
/* A plan is built at these prices, then at every so many rounds */
#define FIRST_BUILDS		10
#define BUILD_ROUNDS		50

/* Knapsacks up to so many cells are solved exactly */
#define KNAPSACK_CELLS		(INT64CONST(1) << 24)

/* Share of the direction that comes from the step before */
#define MOMENTUM			0.3

/*
 * The bound at these prices; used becomes the load that comes to each holder.
 * Sums of so many floating point numbers err by less than a 10^-12th of what
 * was added up.
 */
static double
relax_capacities(const Weighted *w, const double *price, double *used)
{
	double		sum = 0;
	double		magnitude = 0;

	memset(used, 0, sizeof(double) * w->m);
	for (int32 i = 0; i < w->n; i++)
	{
		double		least = (double) w->leave;
		int64		at = NONE;

		if ((i & 0xffff) == 0)
			CHECK_FOR_INTERRUPTS();
		for (int64 e = w->first[i]; e < w->first[i + 1]; e++)
		{
			double		cost = (double) w->cost[e] + price[w->holder[e]] * w->load[e];

			if (cost < least)
			{
				least = cost;
				at = e;
			}
		}
		sum += least;
		magnitude += fabs(least);
		if (at != NONE)
			used[w->holder[at]] += w->load[at];
	}
	for (int32 j = 0; j < w->m; j++)
	{
		sum -= price[j] * (double) w->capacity[j];
		magnitude += price[j] * (double) w->capacity[j];
	}
	return sum - magnitude * 1e-12;
}

static void
raise_dual(Weighted *w, double bound)
{
	if (bound > -9e18 && bound < 9e18)
		w->dual = Max(w->dual, round_up((int64) ceil(bound), w->grain));
}

/* By how much a price may move at first: costs differ so much for a load. */
static double
warm_price(const Weighted *w)
{
	double		load = 0;
	int64		edges = w->first[w->n];

	for (int64 e = 0; e < edges; e++)
		load += w->load[e];
	return load > 0 ? (double) w->leave / 2 / (load / (double) edges) : 0;
}

/*
 * Find prices of the capacities, and plans that go with them.
 */
void
weighted_prices(Weighted *w, Plan *plan)
{
	double	   *price = ALLOC0(double, w->m);
	double	   *used = ALLOC(double, w->m);
	double	   *way = ALLOC0(double, w->m);
	double		best = -INFINITY;
	double		step = 1;
	double		warmth = warm_price(w);
	int			patience = PATIENCE;

	for (int round = 0; round < PRICE_ROUNDS && step > LEAST_STEP; round++)
	{
		double		bound;
		double		norm = 0;
		double		gap;

		if (!weighted_round(w))
			break;
		bound = relax_capacities(w, price, used);
		if (bound > best)
		{
			best = bound;
			memcpy(w->price, price, sizeof(double) * w->m);
			raise_dual(w, bound);
			patience = PATIENCE;
		}
		else if (round > WARM_ROUNDS && --patience == 0)
		{
			step /= 2;
			patience = PATIENCE;
			memcpy(price, w->price, sizeof(double) * w->m);
			memset(way, 0, sizeof(double) * w->m);
			continue;
		}
		if (is_proven(w))
			break;
		if (round == FIRST_BUILDS || round == WARM_ROUNDS ||
			round % BUILD_ROUNDS == BUILD_ROUNDS - 1)
		{
			plan_build(w, plan, price);
			plan_improve(w, plan, 0);
			plan_keep(w, plan);
		}
		if (round < WARM_ROUNDS)
		{
			for (int32 j = 0; j < w->m; j++)
				price[j] = Max(price[j] + warmth * Min(used[j] / Max((double) w->capacity[j], 1) - 1, 1), 0);
			warmth *= pow(WARM_LEAST, 1.0 / WARM_ROUNDS);
			continue;
		}
		if (round == WARM_ROUNDS)
			memcpy(price, w->price, sizeof(double) * w->m);
		gap = (double) w->best_cost + (double) w->leave * w->best_left - bound;
		for (int32 j = 0; j < w->m; j++)
		{
			double		more = used[j] - (double) w->capacity[j];

			if (price[j] == 0 && more < 0)
				more = 0;
			way[j] = more + MOMENTUM * way[j];
			norm += way[j] * way[j];
		}
		if (norm == 0)
			break;
		for (int32 j = 0; j < w->m; j++)
			price[j] = Max(price[j] + step * gap / norm * way[j], 0);
	}
	pfree(price);
	pfree(used);
	pfree(way);
}

Relaxation *
relaxation_make(Weighted *w, const int64 *cost, int64 leave, int64 grain)
{
	Relaxation *r = ALLOC0(Relaxation, 1);

	r->w = w;
	r->cost = cost;
	r->leave = leave;
	r->grain = grain;
	r->value = ALLOC0(int64, w->n);
	r->way = ALLOC0(double, w->n);
	r->picked = ALLOC0(int32, w->n);
	r->open = ALLOC(bool, w->first[w->n]);
	memset(r->open, true, w->first[w->n]);
	r->taken = ALLOC0(bool, w->first[w->n]);
	r->fixed = ALLOC0(bool, w->n);
	r->room = ALLOC(int64, w->m);
	memcpy(r->room, w->capacity, sizeof(int64) * w->m);
	r->step = 1;
	r->patience = PATIENCE;
	return r;
}

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
static int64
pick(Relaxation *r, int32 j)
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

/*
 * The bound at the present values, without what is fixed.
 */
int64
relaxation_value(Relaxation *r)
{
	const Weighted *w = r->w;
	int64		sum = 0;

	memset(r->picked, 0, sizeof(int32) * w->n);
	for (int32 i = 0; i < w->n; i++)
	{
		if (r->fixed[i])
			continue;
		/* leaving it out brings value - leave */
		if (r->value[i] > r->leave)
		{
			r->picked[i]++;
			sum += r->leave;
		}
		else
			sum += r->value[i];
	}
	for (int32 j = 0; j < w->m; j++)
	{
		CHECK_FOR_INTERRUPTS();
		sum -= pick(r, j);
		for (int64 p = w->begin[j]; p < w->begin[j + 1]; p++)
			r->picked[w->owner[p]] += r->taken[w->edge[p]];
	}
	return sum;
}

/*
 * Change the values towards a better bound: those whom nobody picks are worth
 * more, those whom several pick less.  value is the bound now, target what it
 * should reach.
 */
void
relaxation_step(Relaxation *r, int64 value, int64 target)
{
	const Weighted *w = r->w;
	double		norm = 0;
	double		factor;
	double		limit = 2.0 * (double) r->leave;

	for (int32 i = 0; i < w->n; i++)
	{
		if (r->fixed[i])
			continue;
		r->way[i] = (1 - r->picked[i]) + MOMENTUM * r->way[i];
		norm += r->way[i] * r->way[i];
	}
	if (norm == 0)
		return;
	factor = r->step * ((double) target - (double) value) / norm;
	for (int32 i = 0; i < w->n; i++)
	{
		if (!r->fixed[i])
			r->value[i] = (int64) Max(-limit, Min(limit, (double) r->value[i] + factor * r->way[i]));
	}
}

/*
 * Edges that are in no better solution than the best known are closed: their
 * reduced cost alone is more than lies between.  bound is that of the present
 * values.
 */
void
relaxation_close(Relaxation *r, int64 bound)
{
	const Weighted *w = r->w;
	int64		above = w->best_cost + w->leave * w->best_left - bound;

	/* fewer left out at a higher cost would be better too */
	if (w->best_left > w->left_bound)
		return;

	for (int32 i = 0; i < w->n; i++)
	{
		for (int64 e = w->first[i]; e < w->first[i + 1]; e++)
		{
			if (r->cost[e] - Min(r->value[i], r->leave) > above)
				r->open[e] = false;
		}
	}
}

/* A plan from what the holders pick: each customer where it is cheapest. */
static void
build_from_picks(Weighted *w, Relaxation *r, Plan *plan)
{
	for (int32 i = 0; i < w->n; i++)
	{
		int64		at = NONE;

		for (int64 e = w->first[i]; e < w->first[i + 1]; e++)
		{
			if (r->taken[e] && (at == NONE || w->cost[e] < w->cost[at]))
				at = e;
		}
		plan_move(w, plan, i, NONE);
		if (at != NONE)
			r->wish[i] = at;
		else
			r->wish[i] = NONE;
	}
	for (int32 i = 0; i < w->n; i++)
	{
		if (r->wish[i] != NONE)
			plan_move(w, plan, i, r->wish[i]);
	}
	plan_fill(w, plan, w->price);
}

/*
 * Find values of the customers, and plans that go with them.
 */
void
weighted_values(Weighted *w, Relaxation *r, Plan *plan)
{
	int64	   *value = ALLOC(int64, w->n);
	int64		best = PG_INT64_MIN;

	r->wish = ALLOC(int64, w->n);
	for (int32 i = 0; i < w->n; i++)
	{
		double		least = (double) w->leave;

		for (int64 e = w->first[i]; e < w->first[i + 1]; e++)
			least = Min(least, (double) w->cost[e] + w->price[w->holder[e]] * w->load[e]);
		r->value[i] = (int64) least;
	}
	for (int round = 0; round < VALUE_ROUNDS && r->step > LEAST_STEP; round++)
	{
		int64		bound;

		if (!weighted_round(w))
			break;
		bound = relaxation_value(r);
		if (bound > best)
		{
			best = bound;
			memcpy(value, r->value, sizeof(int64) * w->n);
			w->dual = Max(w->dual, round_up(bound, w->grain));
			r->patience = PATIENCE;
			relaxation_close(r, bound);
		}
		else if (--r->patience == 0)
		{
			r->step /= 2;
			r->patience = PATIENCE;
			memcpy(r->value, value, sizeof(int64) * w->n);
			memset(r->way, 0, sizeof(double) * w->n);
			continue;
		}
		if (is_proven(w))
			break;
		if (round == FIRST_BUILDS || round % BUILD_ROUNDS == BUILD_ROUNDS - 1)
		{
			build_from_picks(w, r, plan);
			plan_improve(w, plan, 0);
			plan_keep(w, plan);
		}
		relaxation_step(r, bound, w->best_cost + w->leave * w->best_left);
	}
	memcpy(r->value, value, sizeof(int64) * w->n);
	memcpy(w->value, value, sizeof(int64) * w->n);
	pfree(value);
	pfree(r->wish);
}
