/*-------------------------------------------------------------------------
 * allocate_weighted_price.c
 *		Prices of capacity: a quick bound on a weighted assignment.
 *
 * With a price on the capacity each customer goes where it is cheapest, whatever
 * fits (Lagrangian relaxation): a quick bound, the same as that of linear
 * programming, and prices of use to the search.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "allocate_weighted_steps.h"

#include <math.h>

#include "miscadmin.h"

/* Rounds, and how many without success halve the steps */
#define PRICE_ROUNDS		300

/*
 * Before that prices move in so many rounds by how far a holder is over or
 * under its capacity, less and less down to this part of the first time.
 */
#define WARM_ROUNDS			80
#define WARM_LEAST			0.001

/* A plan is built at these prices, then at every so many rounds */
#define FIRST_BUILDS		10
#define BUILD_ROUNDS		50

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
 * Find prices of the capacities, and plans that go with them (NULL: only prices).
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
		if (plan != NULL &&
			(round == FIRST_BUILDS || round == WARM_ROUNDS ||
			 round % BUILD_ROUNDS == BUILD_ROUNDS - 1))
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
