/*-------------------------------------------------------------------------
 * allocate_weighted_plan.c
 *		A state of the search for weighted assignments, changed by moves and
 *		built by regret.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "allocate_weighted_plan.h"

#include "miscadmin.h"

Plan *
plan_make(Weighted *w)
{
	Plan	   *plan = ALLOC(Plan, 1);

	plan->at = ALLOC(int64, w->n);
	plan->room = ALLOC(int64, w->m);
	plan->head = ALLOC(int32, w->m);
	plan->next = ALLOC(int32, w->n);
	plan->previous = ALLOC(int32, w->n);
	for (int32 i = 0; i < w->n; i++)
		plan->at[i] = NONE;
	for (int32 j = 0; j < w->m; j++)
	{
		plan->room[j] = w->capacity[j];
		plan->head[j] = NOBODY;
	}
	plan->cost = 0;
	plan->left = w->n;
	plan->keeps_steps = false;
	plan->steps = 0;
	plan->steps_size = 256;
	plan->who = ALLOC(int32, plan->steps_size);
	plan->was = ALLOC(int64, plan->steps_size);
	return plan;
}

/*
 * Put a customer to an edge, or to none.  There may be too little room for a
 * moment.
 */
void
plan_move(const Weighted *w, Plan *plan, int32 i, int64 e)
{
	int64		from = plan->at[i];

	if (plan->keeps_steps)
	{
		if (plan->steps == plan->steps_size)
		{
			plan->steps_size *= 2;
			plan->who = repalloc_huge(plan->who, mul_size(plan->steps_size, sizeof(int32)));
			plan->was = repalloc_huge(plan->was, mul_size(plan->steps_size, sizeof(int64)));
		}
		plan->who[plan->steps] = i;
		plan->was[plan->steps++] = from;
	}
	if (from != NONE)
	{
		int32		j = w->holder[from];

		plan->room[j] += w->load[from];
		plan->cost -= w->cost[from];
		plan->left++;
		if (plan->previous[i] == NOBODY)
			plan->head[j] = plan->next[i];
		else
			plan->next[plan->previous[i]] = plan->next[i];
		if (plan->next[i] != NOBODY)
			plan->previous[plan->next[i]] = plan->previous[i];
	}
	if (e != NONE)
	{
		int32		j = w->holder[e];

		plan->room[j] -= w->load[e];
		plan->cost += w->cost[e];
		plan->left--;
		plan->previous[i] = NOBODY;
		plan->next[i] = plan->head[j];
		if (plan->head[j] != NOBODY)
			plan->previous[plan->head[j]] = i;
		plan->head[j] = i;
	}
	plan->at[i] = e;
}

/* Remember a plan that is better than the best. */
void
plan_keep(Weighted *w, const Plan *plan)
{
	if (plan->left < w->best_left ||
		(plan->left == w->best_left && plan->cost < w->best_cost))
	{
		memcpy(w->best, plan->at, sizeof(int64) * w->n);
		w->best_left = plan->left;
		w->best_cost = plan->cost;
	}
}

void
plan_of_best(const Weighted *w, Plan *plan)
{
	for (int32 i = 0; i < w->n; i++)
		plan_move(w, plan, i, NONE);
	for (int32 i = 0; i < w->n; i++)
		plan_move(w, plan, i, w->best[i]);
}

typedef struct Wish
{
	double		regret;
	int32		customer;
} Wish;

static int
compare_wishes(const void *a, const void *b)
{
	const Wish *x = a;
	const Wish *y = b;

	if (x->regret != y->regret)
		return x->regret > y->regret ? -1 : 1;
	return x->customer < y->customer ? -1 : x->customer > y->customer;
}

/*
 * The cheapest edge with room at these prices, and what the next costs more.
 */
int64
plan_cheapest(const Weighted *w, const Plan *plan, const double *price, int32 i, double *regret)
{
	int64		best = NONE;
	double		v1 = (double) w->leave;
	double		v2 = (double) w->leave;

	for (int64 e = w->first[i]; e < w->first[i + 1]; e++)
	{
		int32		j = w->holder[e];
		double		v;

		if (w->load[e] > plan->room[j])
			continue;
		v = (double) w->cost[e] + price[j] * w->load[e];
		if (v < v1 || best == NONE)
		{
			v2 = v1;
			v1 = v;
			best = e;
		}
		else if (v < v2)
			v2 = v;
	}
	*regret = v2 - v1;
	return best;
}

/*
 * Give those who are left out the cheapest holder with room, those first who
 * would lose most by another.
 */
void
plan_fill(Weighted *w, Plan *plan, const double *price)
{
	Wish	   *wish = ALLOC(Wish, plan->left);
	int32		n = 0;

	for (int32 i = 0; i < w->n; i++)
	{
		if (plan->at[i] == NONE)
		{
			wish[n].customer = i;
			(void) plan_cheapest(w, plan, price, i, &wish[n++].regret);
		}
	}
	qsort(wish, n, sizeof(Wish), compare_wishes);
	for (int32 k = 0; k < n; k++)
	{
		if ((k & 0xfff) == 0)
			CHECK_FOR_INTERRUPTS();
		plan_move(w, plan, wish[k].customer,
				  plan_cheapest(w, plan, price, wish[k].customer, &wish[k].regret));
	}
	pfree(wish);
}

void
plan_build(Weighted *w, Plan *plan, const double *price)
{
	for (int32 i = 0; i < w->n; i++)
		plan_move(w, plan, i, NONE);
	plan_fill(w, plan, price);
}
