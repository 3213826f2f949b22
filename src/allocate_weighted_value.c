/*-------------------------------------------------------------------------
 * allocate_weighted_value.c
 *		Values of customers: a good bound on a weighted assignment.
 *
 * With a value for each customer each holder picks those it profits from most,
 * a knapsack problem: customers may be picked by several holders or by none,
 * but capacities hold, so this bound is better than that of prices (Fisher,
 * Jaikumar and van Wassenhove 1986).
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "allocate_weighted_steps.h"

#include "miscadmin.h"

#define VALUE_ROUNDS		1500

/* A plan is built from what is picked, then at every so many rounds */
#define FIRST_BUILDS		10
#define BUILD_ROUNDS		50

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
		sum -= relaxation_pick(r, j);
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
		r->wish[i] = at;
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
