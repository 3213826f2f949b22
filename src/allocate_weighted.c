/*-------------------------------------------------------------------------
 * allocate_weighted.c
 *		The generalised assignment problem: customers count more or less.
 *
 * As many customers as possible get a holder, and then the sum of the costs is
 * as small as can be found; with it comes a bound below which no assignment of
 * as many customers can be.  To count first without a penalty that swamps the
 * costs, the bound charges a moderate price for each customer left out, and
 * takes it off again for as many as are left out: a relaxation in itself.
 *
 * 1. Prices of capacity, a quick bound, and plans built at these prices.
 * 2. Values of customers, a better bound, and plans from what the holders pick.
 * 3. Annealing, and a search that takes plans apart and builds them up, for as
 *	  long as allowed.
 * 4. Beside it branch and bound, which small problems come to the end of.
 *
 * All goes in rounds, whose order depends on nothing but the problem.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "allocate_weighted_steps.h"

#include "port/pg_bitutils.h"

/*
 * Rounds of the search before branching begins; beside each after that so many
 * nodes as have this many edges together
 */
#define FIRST_SEARCHES	20
#define NODES_EDGES		2000

/* Beyond so many customers there is no annealing. */
#define ANNEALING_CUSTOMERS	5000

/* To leave a customer out counts so many times the widest difference of costs. */
#define LEAVE_TIMES		2

/* Branching is worth while with at most so many edges. */
#define BRANCHING_EDGES	1000

/* Picking holders are too slow for more edges. */
#define VALUE_EDGES		1000000

/* What a call without a budget of its own may cost, in edges looked at */
#define USUAL_WORK		INT64CONST(1000000000)
#define USUAL_ROUNDS	1200

/*
 * Costs may have so many bits that sums of values, which are up to 16 times
 * as large, stay below 2^62, over all customers and over the edges of a problem
 * that has values.
 */
int
weighted_cost_bits(int32 customers)
{
	return Min(36, 54 - pg_leftmost_one_pos64((uint64) customers + 2));
}

/*
 * The number of rounds for a call without a budget of its own.
 */
int64
weighted_rounds(const WeightedProblem *problem)
{
	int64		edges = problem->first[problem->customers];

	return Max(10, Min(USUAL_ROUNDS, USUAL_WORK / Max(edges, 1)));
}

/*
 * Drop the edges that do not fit, list the edges of each holder, and set what
 * it counts to leave a customer out.
 */
static void
prepare(Weighted *w)
{
	int64		kept = 0;
	int64		low = 0;
	int64		high = 0;
	uint64		bits = 0;

	w->low = ALLOC(int64, w->n);
	w->begin = ALLOC0(int64, w->m + 2);
	for (int32 i = 0; i < w->n; i++)
	{
		int64		from = w->first[i];

		w->first[i] = kept;
		for (int64 e = from; e < w->first[i + 1]; e++)
		{
			if (w->load[e] > w->capacity[w->holder[e]])
				continue;
			w->holder[kept] = w->holder[e];
			w->cost[kept] = w->cost[e];
			w->load[kept] = w->load[e];
			w->begin[w->holder[kept] + 1]++;
			low = Min(low, w->cost[kept]);
			high = Max(high, w->cost[kept]);
			bits |= (uint64) w->cost[kept++];
		}
		if (kept == w->first[i])
			w->left_bound++;
	}
	w->first[w->n] = kept;
	w->grain = bits == 0 ? 1 : (int64) (bits & (~bits + 1));
	w->leave = Max((high - low) * LEAVE_TIMES, w->grain);

	w->edge = ALLOC(int64, kept);
	w->owner = ALLOC(int32, kept);
	for (int32 j = 0; j <= w->m; j++)
		w->begin[j + 1] += w->begin[j];
	for (int32 i = w->n - 1; i >= 0; i--)
	{
		w->low[i] = w->leave;
		for (int64 e = w->first[i + 1] - 1; e >= w->first[i]; e--)
		{
			int64		p = --w->begin[w->holder[e] + 1];

			w->edge[p] = e;
			w->owner[p] = i;
			w->low[i] = Min(w->low[i], w->cost[e]);
		}
	}
	memmove(w->begin, w->begin + 1, sizeof(int64) * w->m);
	w->begin[w->m] = kept;

	/* a holder never takes more than all its customers */
	for (int32 j = 0; j < w->m; j++)
	{
		int64		sum = 0;

		for (int64 p = w->begin[j]; p < w->begin[j + 1]; p++)
			sum += w->load[w->edge[p]];
		w->capacity[j] = Min(w->capacity[j], sum);
	}
}

/*
 * How few can be left out at least, by the first relaxation of the problem in
 * which nothing but that counts.
 */
static void
bound_left(Weighted *w)
{
	int64		unit = INT64CONST(1) << 20;
	int64	   *nothing = ALLOC0(int64, w->first[w->n]);
	Weighted	count = *w;

	count.cost = nothing;
	count.grain = count.leave = unit;
	count.price = ALLOC0(double, w->m);
	count.best_cost = 0;
	count.dual = unit * w->left_bound;
	weighted_prices(&count, NULL);
	w->rounds = count.rounds;
	w->left_bound = Max(w->left_bound, (int32) (count.dual / unit));
	Assert(w->left_bound <= w->best_left);
}

/*
 * One round of the search.  Annealing is for what can be cooled slowly enough.
 */
static void
search(Weighted *w, Annealing **annealing, Plan *plan)
{
	if (w->n > ANNEALING_CUSTOMERS)
	{
		weighted_search(w, plan);
		return;
	}
	if (*annealing == NULL)
		*annealing = annealing_make(w);
	annealing_go(*annealing, plan);
}

void
weighted_solve(WeightedProblem *problem, const WeightedBudget *budget, WeightedResult *result)
{
	Weighted	w = {0};
	Plan	   *plan;
	Branching  *branching = NULL;
	Annealing  *annealing = NULL;
	bool		counted;

	w.n = problem->customers;
	w.m = problem->holders;
	w.first = problem->first;
	w.holder = problem->holder;
	w.cost = problem->cost;
	w.load = problem->load;
	w.capacity = problem->capacity;
	w.rounds_limit = budget->rounds;
	w.seconds = budget->seconds;
	w.random = UINT64CONST(0x2545f4914f6cdd1d);
	INSTR_TIME_SET_CURRENT(w.start);
	prepare(&w);
	w.best = ALLOC(int64, w.n);
	w.best_left = w.n + 1;
	w.price = ALLOC0(double, w.m);
	w.no_price = ALLOC0(double, w.m);
	w.value = ALLOC0(int64, w.n);
	for (int32 i = 0; i < w.n; i++)
		w.dual += w.low[i];

	plan = plan_make(&w);
	plan_build(&w, plan, w.price);
	plan_keep(&w, plan);
	weighted_prices(&w, plan);
	plan_build(&w, plan, w.price);
	plan_improve(&w, plan, 0);
	plan_keep(&w, plan);
	if (w.best_left > w.left_bound)
		bound_left(&w);
	if (w.first[w.n] <= VALUE_EDGES && !is_proven(&w))
	{
		Relaxation *r = relaxation_make(&w, w.cost, w.leave, w.grain);

		weighted_values(&w, r, plan);
	}
	plan_of_best(&w, plan);
	for (int k = 0; k < FIRST_SEARCHES && !is_proven(&w) && weighted_round(&w); k++)
		search(&w, &annealing, plan);
	counted = w.best_left == w.left_bound;
	plan_of_best(&w, plan);
	while (!is_proven(&w) && weighted_round(&w))
	{
		search(&w, &annealing, plan);
		if (w.first[w.n] > BRANCHING_EDGES)
			continue;
		if (!counted && w.best_left == w.left_bound)
		{
			counted = true;
			branching = NULL;
			continue;
		}
		if (branching == NULL)
			branching = branching_make(&w, !counted);
		if (!branching_go(branching, (int) Max(NODES_EDGES / Max(w.first[w.n], 1), 1)))
			continue;
		branching = NULL;
		if (counted)
			w.dual = w.best_cost + w.leave * w.best_left;
		w.left_bound = w.best_left;
		counted = true;
		plan_of_best(&w, plan);
	}

	result->assigned = ALLOC(int32, w.n);
	for (int32 i = 0; i < w.n; i++)
		result->assigned[i] = w.best[i] == NONE ? NOBODY : w.holder[w.best[i]];
	result->served = w.n - w.best_left;
	result->served_bound = w.n - w.left_bound;
	result->cost = w.best_cost;
	result->bound = cost_bound(&w);
	result->price = w.price;
	result->rounds = w.rounds;
}
