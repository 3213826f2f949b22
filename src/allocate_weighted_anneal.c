/*-------------------------------------------------------------------------
 * allocate_weighted_anneal.c
 *		Simulated annealing of a weighted assignment.
 *
 * Customers move or change places at random; what makes it worse is accepted
 * the less the colder it is.  Holders may be overloaded at a penalty, which
 * rises and falls so that about half the time none is.  Only edges that are
 * cheap at the prices of the bound are tried.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "allocate_weighted_steps.h"

#include <math.h>

#include "miscadmin.h"

/* Edges of each customer that are tried */
#define TRIED_EDGES		10

/* The heat goes by how much worse this edge of a customer is than its best. */
#define REGRET_EDGES	2

/* ... unless they are dearer than the best by so many times the heat */
#define TRIED_HEAT		6.0

/* So many customers can be looked through for those each round. */
#define LIST_CUSTOMERS	10000

/* Of so many to change places with the best is taken. */
#define PARTNERS		6

/* Moves of one round */
#define ROUND_MOVES		100000

/* Moves of the first cooling: so many per customer, and at most */
#define FIRST_MOVES		500
#define MOST_MOVES		20000000

/* It is as hot as the mean regret at first, and ends at this part of it. */
#define COLDEST			0.1

#define CHANCES			4096

/* The search follows for this part of the rounds. */
#define POLISH_SHARE	4

struct Annealing
{
	Weighted   *w;
	int64	   *at;				/* edge of each customer, or NONE */
	int64	   *room;			/* left at each holder, below 0: overloaded */
	int64	   *slot;			/* where the customers of each holder begin */
	int32	   *member;			/* the customers of each holder */
	int32	   *members;		/* and how many */
	int32	   *place;			/* of each customer among them */
	int64	   *tried;			/* TRIED_EDGES for each customer, or as many as
								 * it has, the cheapest first */
	float	   *more;			/* what each costs more than the first */
	int32	   *known;			/* how many these are */
	int32	   *tries;			/* and how many are not too dear for the heat */
	int32	   *active;			/* customers that have a choice */
	int32		actives;
	int64		rounds_listed;	/* rounds until that is looked at again */
	double	   *weight;			/* of a unit too much at each holder */
	double		penalty;		/* by which the weights are multiplied */
	int64		cost;
	int32		left;
	int64		over;			/* load too much in all */
	double		hottest;
	double		heat;
	double		cooling;		/* factor from round to round */
	double		hardening;
	int64		last_moves;
	int64		rounds;			/* of this cooling */
	int64		polish;			/* rounds of the search after it */
	int			round_moves;
	int64		moves_left;		/* of this cooling */
	int64		cycle_moves;
	int			cycle;
	double		chance[CHANCES];	/* heat multiples that are accepted */
};

typedef struct Tried
{
	double		cost;
	int64		edge;
} Tried;

static int
compare_tried(const void *a, const void *b)
{
	const Tried *x = a;
	const Tried *y = b;

	if (x->cost != y->cost)
		return x->cost < y->cost ? -1 : 1;
	return x->edge < y->edge ? -1 : 1;
}

Annealing *
annealing_make(Weighted *w)
{
	Annealing  *a = ALLOC0(Annealing, 1);
	Tried	   *tried;
	int64		most = 0;
	double		regret = 0;
	double		farther = 0;
	double		price = 0;
	int64		with = 0;

	a->w = w;
	a->at = ALLOC(int64, w->n);
	a->room = ALLOC(int64, w->m);
	a->slot = w->begin;
	a->member = ALLOC(int32, w->first[w->n]);
	a->members = ALLOC(int32, w->m);
	a->place = ALLOC(int32, w->n);
	a->tried = ALLOC(int64, (int64) w->n * TRIED_EDGES);
	a->more = ALLOC(float, (int64) w->n * TRIED_EDGES);
	a->known = ALLOC(int32, w->n);
	a->tries = ALLOC(int32, w->n);
	a->active = ALLOC(int32, w->n);
	a->weight = ALLOC(double, w->m);
	a->penalty = 1;
	for (int32 i = 0; i < w->n; i++)
		most = Max(most, w->first[i + 1] - w->first[i]);
	tried = ALLOC(Tried, most);
	for (int32 i = 0; i < w->n; i++)
	{
		int64		n = 0;

		for (int64 e = w->first[i]; e < w->first[i + 1]; e++)
		{
			tried[n].edge = e;
			tried[n++].cost = (double) w->cost[e] + w->price[w->holder[e]] * w->load[e];
		}
		qsort(tried, n, sizeof(Tried), compare_tried);
		a->known[i] = (int32) Min(n, TRIED_EDGES);
		for (int32 k = 0; k < a->known[i]; k++)
		{
			a->tried[(int64) i * TRIED_EDGES + k] = tried[k].edge;
			a->more[(int64) i * TRIED_EDGES + k] = (float) (tried[k].cost - tried[0].cost);
		}
		if (n > 1)
		{
			regret += tried[1].cost - tried[0].cost;
			farther += tried[Min(n, 4) - 1].cost - tried[0].cost;
			with++;
		}
	}
	pfree(tried);
	for (int32 j = 0; j < w->m; j++)
		price += w->price[j];
	for (int32 j = 0; j < w->m; j++)
		a->weight[j] = Max(w->price[j], price / w->m) + (double) w->grain * 0.01;
	a->hottest = Max(with > 0 ? Max(1.5 * regret, 0.6 * farther) / with : 0, (double) w->grain);
	for (int k = 0; k < CHANCES; k++)
		a->chance[k] = -log((k + 0.5) / CHANCES);
	a->round_moves = (int) Min((int64) w->n * FIRST_MOVES, ROUND_MOVES);
	a->cycle_moves = Min((int64) w->n * FIRST_MOVES, MOST_MOVES);
	return a;
}

static inline int64
over_at(int64 room)
{
	return room < 0 ? -room : 0;
}

static inline void
leave_holder(Annealing *a, int32 i)
{
	const Weighted *w = a->w;
	int64		e = a->at[i];
	int32		j;
	int32	   *member;
	int32		last;

	if (e == NONE)
		return;
	j = w->holder[e];
	member = a->member + a->slot[j];
	last = member[--a->members[j]];
	member[a->place[i]] = last;
	a->place[last] = a->place[i];
	a->over -= over_at(a->room[j]);
	a->room[j] += w->load[e];
	a->over += over_at(a->room[j]);
	a->cost -= w->cost[e];
	a->left++;
	a->at[i] = NONE;
}

static inline void
enter_holder(Annealing *a, int32 i, int64 e)
{
	const Weighted *w = a->w;
	int32		j = w->holder[e];

	a->place[i] = a->members[j];
	a->member[a->slot[j] + a->members[j]++] = i;
	a->over -= over_at(a->room[j]);
	a->room[j] -= w->load[e];
	a->over += over_at(a->room[j]);
	a->cost += w->cost[e];
	a->left--;
	a->at[i] = e;
}

/* The edge of a customer to a holder, or NONE */
static inline int64
find_edge(const Weighted *w, int32 i, int32 j)
{
	int64		low = w->first[i];
	int64		high = w->first[i + 1];

	if (high - low == w->m)
		return low + j;
	while (low < high)
	{
		int64		middle = (low + high) / 2;

		if (w->holder[middle] < j)
			low = middle + 1;
		else
			high = middle;
	}
	return low < w->first[i + 1] && w->holder[low] == j ? low : NONE;
}

/* How much more it costs when a holder gets this much more load */
static inline double
load_change(const Annealing *a, int32 j, int64 load)
{
	return (double) (over_at(a->room[j] - load) - over_at(a->room[j])) * a->weight[j] * a->penalty;
}

static void
begin_cycle(Annealing *a)
{
	const Weighted *w = a->w;
	int64		rounds = (a->cycle_moves + a->round_moves - 1) / a->round_moves;

	memcpy(a->room, w->capacity, sizeof(int64) * w->m);
	memset(a->members, 0, sizeof(int32) * w->m);
	a->cost = 0;
	a->over = 0;
	a->left = w->n;
	for (int32 i = 0; i < w->n; i++)
	{
		a->at[i] = NONE;
		if (w->best[i] != NONE)
			enter_holder(a, i, w->best[i]);
	}
	a->heat = a->hottest * pow(0.7, a->cycle % 3);
	a->cooling = pow(COLDEST * a->hottest / a->heat, 1.0 / (double) rounds);
	a->rounds = rounds;
	a->penalty = 1;
	a->hardening = pow(3, 1.0 / (double) rounds);
	a->moves_left = rounds * a->round_moves;
	a->last_moves = a->moves_left / 3;
	a->cycle++;
	a->cycle_moves = Min(a->cycle_moves * 2, INT64CONST(1) << 40);
}

/*
 * List the edges that may be accepted at this heat, and whose they are.
 */
static void
list_active(Annealing *a)
{
	const Weighted *w = a->w;

	a->rounds_listed = 1 + w->n / LIST_CUSTOMERS;
	a->actives = 0;
	for (int32 i = 0; i < w->n; i++)
	{
		const int64 *tried = a->tried + (int64) i * TRIED_EDGES;
		const float *more = a->more + (int64) i * TRIED_EDGES;
		int32		n = 0;

		while (n < a->known[i] && more[n] <= a->heat * TRIED_HEAT)
			n++;
		a->tries[i] = n;
		if (n > 1 || (n == 1 && a->at[i] != tried[0]))
			a->active[a->actives++] = i;
	}
}

static void
try_move(Annealing *a)
{
	Weighted   *w = a->w;
	int32		i = a->active[some_number(w, a->actives)];
	int64		from = a->at[i];
	int64		to;
	int64		other_from;
	int64		other_to = NONE;
	int32		j;
	int32		k;
	int32		other = NOBODY;
	double		best;
	uint32		first;
	uint32		second;
	double		change;
	double		accept = a->heat * a->chance[some_number(w, CHANCES)];

	first = some_number(w, a->tries[i]);
	second = some_number(w, a->tries[i]);
	to = a->tried[(int64) i * TRIED_EDGES + Min(first, second)];
	if (to == from)
		return;
	k = w->holder[to];
	if (from == NONE)
	{
		change = (double) (w->cost[to] - w->leave) + load_change(a, k, w->load[to]);
		if (change <= accept)
			enter_holder(a, i, to);
		return;
	}
	j = w->holder[from];
	change = (double) (w->cost[to] - w->cost[from]);
	if (a->members[k] == 0 || some_number(w, 4) == 0)
	{
		change += load_change(a, k, w->load[to]) + load_change(a, j, -w->load[from]);
		if (change <= accept)
		{
			leave_holder(a, i);
			enter_holder(a, i, to);
		}
		return;
	}
	best = INFINITY;
	for (int look = 0; look < PARTNERS; look++)
	{
		int32		somebody = a->member[a->slot[k] + some_number(w, a->members[k])];
		int64		e = find_edge(w, somebody, j);
		double		with;

		if (e == NONE)
			continue;
		other_from = a->at[somebody];
		with = change + (double) (w->cost[e] - w->cost[other_from]) +
			load_change(a, k, (int64) w->load[to] - w->load[other_from]) +
			load_change(a, j, (int64) w->load[e] - w->load[from]);
		if (with < best)
		{
			best = with;
			other = somebody;
			other_to = e;
		}
	}
	if (best <= accept)
	{
		leave_holder(a, i);
		leave_holder(a, other);
		enter_holder(a, i, to);
		enter_holder(a, other, other_to);
	}
}

/* What the state becomes when nobody stays where there is too little room */
static void
keep_state(Annealing *a, Plan *plan)
{
	Weighted   *w = a->w;

	for (int32 i = 0; i < w->n; i++)
		plan_move(w, plan, i, NONE);
	for (int32 i = 0; i < w->n; i++)
	{
		int64		e = a->at[i];

		if (e != NONE && w->load[e] <= plan->room[w->holder[e]])
			plan_move(w, plan, i, e);
	}
	plan_fill(w, plan, w->price);
	plan_improve(w, plan, 0);
	plan_keep(w, plan);
}

/*
 * One round.
 */
void
annealing_go(Annealing *a, Plan *plan)
{
	Weighted   *w = a->w;
	int			fitting = 0;

	if (a->moves_left == 0 && a->polish > 0)
	{
		a->polish--;
		weighted_search(w, plan);
		return;
	}
	if (a->moves_left == 0)
		begin_cycle(a);
	if (--a->rounds_listed < 0)
		list_active(a);
	for (int k = 0; k < a->round_moves && a->actives > 0; k++)
	{
		if ((k & 0xfff) == 0)
			CHECK_FOR_INTERRUPTS();
		try_move(a);
		if (a->over > 0)
			continue;
		fitting++;
		if (a->left < w->best_left || (a->left == w->best_left && a->cost < w->best_cost))
		{
			memcpy(w->best, a->at, sizeof(int64) * w->n);
			w->best_left = a->left;
			w->best_cost = a->cost;
		}
	}
	if (a->moves_left > a->last_moves)
		a->penalty *= a->hardening;
	else
		a->penalty *= fitting < a->round_moves / 4 ? 1.1 : 0.96;
	a->heat *= a->cooling;
	a->moves_left -= a->round_moves;
	if (a->moves_left == 0)
	{
		keep_state(a, plan);
		a->polish = a->rounds / POLISH_SHARE;
	}
}
