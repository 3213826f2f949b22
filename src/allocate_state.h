/*-------------------------------------------------------------------------
 * allocate_state.h
 *		What the steps of the assignment solver share.
 *-------------------------------------------------------------------------
 */
#ifndef ALLOCATE_STATE_H
#define ALLOCATE_STATE_H

#include "allocate_memory.h"
#include "allocate_solver.h"

/* Leave so few customers to shortest paths; below it the auction is dearer. */
#define FEW_DISPLACED		16

/* No price may pass this, so that price + cost + distance fits in 64 bits. */
#define PRICE_LIMIT			(INT64CONST(1) << 61)

/* How much work passes between two checks for interrupts */
#define INTERRUPT_MASK		0x3fff

#define NOBODY				(-1)

/* An edge to a holder without room, which the steps do not see */
typedef struct ClosedEdge
{
	int32		customer;
	int32		holder;
	int64		cost;
} ClosedEdge;

typedef struct Solver
{
	int32		n;				/* customers */
	int32		m;				/* holders; number m is the dummy holder */
	int64	   *first;
	int32	   *holder;
	int64	   *cost;
	int32	   *room;			/* m + 1 capacities */
	int32	   *floor;			/* m + 1 lower bounds */
	int64		floors;			/* their sum */
	int32		groups;
	int32	   *group;			/* of m + 1 holders, or NOBODY */
	int64	   *limit;			/* of each group */
	int32	   *at;				/* holder of each customer, or NOBODY */
	bool	   *scarce;			/* of m + 1 holders */
	bool	   *scarce_customer;
	int64	   *price;			/* of m + 1 holders, free room and the groups */
	int64		span;			/* largest cost difference, the dummy included */
	int64		grain;			/* power of two dividing every cost, 0: all are 0 */
	int64		served;			/* size of the maximum matching */
	AllocateStats *stats;
	ClosedEdge *closed;			/* gathered where prices are wanted */
	int64		closed_count;
	int64		closed_space;
	AllocatePrices *prices;		/* that are wanted, or NULL */
} Solver;

/* The place of a group among the prices */
static inline int32
group_node(const Solver *s, int32 group)
{
	return s->m + 2 + group;
}

/*
 * The cheapest holder of a customer at the present prices, its cost and the
 * cheapest cost elsewhere (PG_INT64_MAX where there is no other).
 */
static inline int32
best_holder(const Solver *s, int32 i, int64 *cost, int64 *other)
{
	int32		best = NOBODY;
	int64		v1 = PG_INT64_MAX;
	int64		v2 = PG_INT64_MAX;

	if (s->scarce_customer[i])
	{
		v1 = s->price[s->m];
		best = s->m;
	}
	for (int64 e = s->first[i]; e < s->first[i + 1]; e++)
	{
		int32		j = s->holder[e];
		int64		v = s->cost[e] + s->price[j];

		/* no branches: they would be mispredicted */
		v2 = Min(v2, Max(v, v1));
		best = v < v1 ? j : best;
		v1 = Min(v, v1);
	}
	*cost = v1;
	*other = v2;
	return best;
}

/* What a customer pays at one of its holders at the present prices */
static inline int64
cost_at(const Solver *s, int32 i, int32 j)
{
	if (j == s->m)
		return s->price[j];
	for (int64 e = s->first[i]; e < s->first[i + 1]; e++)
	{
		if (s->holder[e] == j)
			return s->cost[e] + s->price[j];
	}
	elog(ERROR, "cannot happen: customer %d has no edge to holder %d", i, j);
	return 0;
}

#endif							/* ALLOCATE_STATE_H */
