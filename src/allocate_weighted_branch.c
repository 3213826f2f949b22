/*-------------------------------------------------------------------------
 * allocate_weighted_branch.c
 *		Branch and bound: the proof that nothing better is left, for small
 *		weighted assignments.
 *
 * Depth first, one customer at a time: each of its edges and to leave it out
 * is a branch, the one of least reduced cost first.  The bound is that of the
 * picking holders, improved by a few steps at each node from the values of the
 * node above.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "allocate_weighted_steps.h"


/* Steps by which a node improves its bound */
#define NODE_STEPS		12
#define NODE_STEP		0.7

typedef struct Branch
{
	int64		edge;			/* or NONE */
	int64		reduced;		/* its reduced cost */
} Branch;

typedef struct Node
{
	int32		customer;
	Branch	   *branch;			/* the promising ones, best first */
	int32		count;
	int32		next;
	int64	   *value;			/* multipliers of the node */
} Node;

struct Branching
{
	Weighted   *w;
	Relaxation *r;
	bool		count_only;		/* least number left out, whatever it costs */
	int64	   *at;				/* of those fixed */
	int64	   *whole;
	int64		cost;			/* of those fixed */
	int32		left;
	Node	   *node;			/* the path from the root */
	int32		depth;			/* -1: done */
	bool		begun;
};

Branching *
branching_make(Weighted *w, bool count_only)
{
	Branching  *b = ALLOC0(Branching, 1);
	int64		edges = w->first[w->n];
	int64		unit = INT64CONST(1) << 20;

	b->w = w;
	b->count_only = count_only;
	b->r = count_only ? relaxation_make(w, ALLOC0(int64, edges), unit, unit) :
		relaxation_make(w, w->cost, w->leave, w->grain);
	if (!count_only)
	{
		memcpy(b->r->value, w->value, sizeof(int64) * w->n);
		relaxation_close(b->r, relaxation_value(b->r));
	}
	b->at = ALLOC(int64, w->n);
	b->whole = ALLOC(int64, w->n);
	b->node = ALLOC0(Node, w->n + 1);
	return b;
}

/* What a solution has to stay below, without what leaving out the least counts */
static int64
cutoff(const Branching *b)
{
	return b->count_only ? b->r->leave * b->w->best_left :
		b->w->best_cost + b->r->leave * b->w->best_left;
}

/*
 * Everybody who is not fixed is picked once: keep that as the best if it is as
 * good as its bound says, which it is but where a bound was not exact.
 */
static bool
is_solution(Branching *b, int64 fixed, int64 bound)
{
	Weighted   *w = b->w;
	Relaxation *r = b->r;
	int64		value = fixed;
	int64		cost = 0;
	int32		left = 0;

	for (int32 i = 0; i < w->n; i++)
	{
		int64		at = NONE;

		if (r->fixed[i])
			at = b->at[i];
		else
		{
			for (int64 e = w->first[i]; e < w->first[i + 1] && at == NONE; e++)
				at = r->taken[e] ? e : NONE;
			value += at == NONE ? r->leave : r->cost[at];
		}
		b->whole[i] = at;
		left += at == NONE;
		cost += at == NONE ? 0 : w->cost[at];
	}
	if (value != bound || left > w->best_left ||
		(left == w->best_left && (b->count_only || cost >= w->best_cost)))
		return false;
	memcpy(w->best, b->whole, sizeof(int64) * w->n);
	w->best_left = left;
	w->best_cost = cost;
	return true;
}

/*
 * Improve the bound of a node; returns whether there is something to look for
 * below it.
 */
static bool
promises(Branching *b)
{
	Relaxation *r = b->r;
	Weighted   *w = b->w;
	int64		fixed = b->cost + r->leave * b->left;

	if (b->left > (b->count_only ? w->best_left - 1 : w->best_left))
		return false;
	for (int k = 0; k < NODE_STEPS; k++)
	{
		int64		bound = relaxation_value(r) + fixed;
		bool		whole = true;

		if (round_up(bound, r->grain) >= cutoff(b))
			return false;
		/* each picked once: a solution as good as the bound */
		for (int32 i = 0; i < w->n && whole; i++)
			whole = r->fixed[i] || r->picked[i] == 1;
		if (whole && is_solution(b, fixed, bound))
			return false;
		r->step = NODE_STEP;
		relaxation_step(r, bound - fixed, cutoff(b) - fixed);
	}
	return true;
}

static int
compare_branches(const void *a, const void *b)
{
	const Branch *x = a;
	const Branch *y = b;

	if (x->reduced != y->reduced)
		return x->reduced < y->reduced ? -1 : 1;
	return x->edge < y->edge ? -1 : x->edge > y->edge;
}

/*
 * The customer to decide next: the one whose second best edge is worst, and of
 * those picked otherwise than once if there is any.
 */
static int32
choose_customer(const Branching *b)
{
	const Weighted *w = b->w;
	const Relaxation *r = b->r;
	int32		best = NOBODY;
	bool		best_odd = false;
	int64		best_regret = 0;

	for (int32 i = 0; i < w->n; i++)
	{
		bool		odd = r->picked[i] != 1;
		int64		v1 = r->leave;
		int64		v2 = PG_INT64_MAX;
		int64		regret;

		if (r->fixed[i])
			continue;
		for (int64 e = w->first[i]; e < w->first[i + 1]; e++)
		{
			int64		v;

			if (!r->open[e] || w->load[e] > r->room[w->holder[e]])
				continue;
			v = r->cost[e];
			if (v < v1)
			{
				v2 = v1;
				v1 = v;
			}
			else
				v2 = Min(v2, v);
		}
		regret = v2 == PG_INT64_MAX ? PG_INT64_MAX : v2 - v1;
		if (best == NOBODY || (odd && !best_odd) || (odd == best_odd && regret > best_regret))
		{
			best = i;
			best_odd = odd;
			best_regret = regret;
		}
	}
	return best;
}

/*
 * Make the node at the present depth; returns false where there is nothing to
 * look for below.
 */
static bool
open_node(Branching *b)
{
	Weighted   *w = b->w;
	Relaxation *r = b->r;
	Node	   *node = &b->node[b->depth];
	int32		i;

	if (!promises(b))
		return false;
	i = choose_customer(b);
	if (i == NOBODY)
		return false;
	if (node->value == NULL)
		node->value = ALLOC(int64, w->n);
	memcpy(node->value, r->value, sizeof(int64) * w->n);
	if (node->branch)
		pfree(node->branch);
	node->customer = i;
	node->branch = ALLOC(Branch, w->first[i + 1] - w->first[i] + 1);
	node->count = 0;
	node->next = 0;
	for (int64 e = w->first[i]; e < w->first[i + 1]; e++)
	{
		if (r->open[e] && w->load[e] <= r->room[w->holder[e]])
			node->branch[node->count++] = (Branch) {e,
				(int64) ((double) r->cost[e] + w->price[w->holder[e]] * (b->count_only ? 0 : w->load[e]))};
	}
	node->branch[node->count++] = (Branch) {NONE, r->leave};
	qsort(node->branch, node->count, sizeof(Branch), compare_branches);
	return true;
}

static void
decide(Branching *b, int32 i, int64 e)
{
	b->at[i] = e;
	b->r->fixed[i] = true;
	if (e == NONE)
		b->left++;
	else
	{
		b->cost += b->r->cost[e];
		b->r->room[b->w->holder[e]] -= b->w->load[e];
	}
}

static void
undo(Branching *b, int32 i)
{
	int64		e = b->at[i];

	b->r->fixed[i] = false;
	if (e == NONE)
		b->left--;
	else
	{
		b->cost -= b->r->cost[e];
		b->r->room[b->w->holder[e]] += b->w->load[e];
	}
}

/*
 * Look at so many nodes; returns true when all are done, so that the best known
 * is the best.
 */
bool
branching_go(Branching *b, int nodes)
{
	Relaxation *r = b->r;

	if (!b->begun)
	{
		b->begun = true;
		if (!open_node(b))
			return true;
	}
	while (nodes-- > 0)
	{
		Node	   *node = &b->node[b->depth];

		if (node->next > 0)
			undo(b, node->customer);
		if (node->next == node->count)
		{
			node->next = 0;
			if (b->depth-- == 0)
				return true;
			nodes++;
			continue;
		}
		memcpy(r->value, node->value, sizeof(int64) * b->w->n);
		decide(b, node->customer, node->branch[node->next++].edge);
		b->depth++;
		if (!open_node(b))
			b->depth--;
	}
	return false;
}
