/*-------------------------------------------------------------------------
 * allocate_solver.h
 *		The assignment problem with capacities, solved exactly.
 *-------------------------------------------------------------------------
 */
#ifndef ALLOCATE_SOLVER_H
#define ALLOCATE_SOLVER_H

/*
 * Customer i may go to the holders holder[first[i]] .. holder[first[i + 1] - 1],
 * each named once, at the cost beside it; holder j takes at most capacity[j].
 * Holders of a group take together at most its limit; where there
 * are groups each customer has an edge to a holder of none that has room for
 * all who have.  The solver drops edges from the three edge arrays while it works.
 */
typedef struct AllocateProblem
{
	int32		customers;
	int32		holders;
	int64	   *first;			/* customers + 1 offsets into the next two */
	int32	   *holder;
	int64	   *cost;			/* magnitude at most 2^allocate_cost_bits() */
	int32	   *capacity;		/* 0 or more */
	int32	   *floor;			/* at most the capacity; NULL: no floors */
	int32		groups;
	int32	   *group;			/* of each holder, or -1; NULL: no groups */
	int64	   *limit;			/* of each group */
} AllocateProblem;

/* What the solver did, for whoever tunes it */
typedef struct AllocateStats
{
	int64		assigned;		/* customers that got a holder */
	int			phases;			/* of the auction */
	int64		bids;
	int64		augmentations;	/* shortest paths after the auction */
	/* why floors cannot be met: */
	bool	   *unmet;			/* holders that together need ... */
	int64		needed;			/* so many, and only ... */
	int64		at_hand;		/* so many may go to one of them */
} AllocateStats;

/* What relaxing a constraint by one changes, exactly; for each holder */
typedef struct AllocatePrices
{
	bool	   *serves;			/* one more place serves one more customer */
	int64	   *place;			/* and takes so much off the total cost */
	int64	   *floor;			/* a floor lower by one takes off so much */
	int64	   *limit;			/* so does a limit higher by one; of each group */
} AllocatePrices;

extern int	allocate_cost_bits(int32 holders);
extern bool allocate_solve(AllocateProblem *problem, int32 *assigned,
						   AllocatePrices *prices, AllocateStats *stats);

#endif							/* ALLOCATE_SOLVER_H */
