/*-------------------------------------------------------------------------
 * allocate_weighted.h
 *		The generalised assignment problem: customers count more or less.
 *-------------------------------------------------------------------------
 */
#ifndef ALLOCATE_WEIGHTED_H
#define ALLOCATE_WEIGHTED_H

/*
 * Customer i may go to the holders holder[first[i]] .. holder[first[i + 1] - 1],
 * each named once, in ascending order, at the cost beside it, and counts there
 * what load says.  What the holder takes in all is at most capacity[j].
 * Edges beyond the capacity are dropped from the arrays.
 */
typedef struct WeightedProblem
{
	int32		customers;
	int32		holders;
	int64	   *first;			/* customers + 1 offsets into the next three */
	int32	   *holder;
	int64	   *cost;			/* magnitude at most 2^weighted_cost_bits() */
	int32	   *load;			/* 0 or more */
	int64	   *capacity;		/* 0 or more */
} WeightedProblem;

/* How long to go on: whatever comes first */
typedef struct WeightedBudget
{
	int64		rounds;			/* the same number gives the same answer */
	double		seconds;
} WeightedBudget;

typedef struct WeightedResult
{
	int32	   *assigned;		/* holder of each customer, or -1 */
	int64		served;			/* customers that have one */
	int64		served_bound;	/* no assignment serves more */
	int64		cost;
	int64		bound;			/* none that serves as many is cheaper */
	double	   *price;			/* of one unit of load at each holder, in costs */
	int64		rounds;
} WeightedResult;

extern int	weighted_cost_bits(int32 customers);
extern int64 weighted_rounds(const WeightedProblem *problem);
extern void weighted_solve(WeightedProblem *problem, const WeightedBudget *budget,
						   WeightedResult *result);

#endif							/* ALLOCATE_WEIGHTED_H */
