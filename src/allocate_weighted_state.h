/*-------------------------------------------------------------------------
 * allocate_weighted_state.h
 *		What the parts of the weighted assignment share.
 *-------------------------------------------------------------------------
 */
#ifndef ALLOCATE_WEIGHTED_STATE_H
#define ALLOCATE_WEIGHTED_STATE_H

#include "allocate_memory.h"
#include "allocate_weighted.h"

#include "miscadmin.h"
#include "portability/instr_time.h"

/* No edge: the customer is left out */
#define NONE			INT64CONST(-1)
#define NOBODY			(-1)

/*
 * Subgradient steps: so many rounds without success halve them, this share of
 * the direction comes from the step before, and so small they end.
 */
#define PATIENCE		20
#define MOMENTUM		0.3
#define LEAST_STEP		0.004

typedef struct Weighted
{
	int32		n;				/* customers */
	int32		m;				/* holders */
	int64	   *first;
	int32	   *holder;
	int64	   *cost;
	int32	   *load;
	int64	   *capacity;
	int64	   *begin;			/* edges by holder: m + 1 offsets into the next */
	int64	   *edge;
	int32	   *owner;			/* customer of each edge in that order */
	int64	   *low;			/* the least that each customer can cost */
	int64		leave;			/* what it counts to leave a customer out; a
								 * multiple of the grain, above any difference
								 * of two costs */
	int64		grain;			/* power of two dividing every cost */

	int64	   *best;			/* the best found: edge of each customer */
	int64		best_cost;
	int32		best_left;
	int64		dual;			/* cost + leave * left is nowhere less */
	int32		left_bound;		/* so many are left out at least */
	double	   *no_price;		/* 0 for each holder */
	double	   *price;			/* of a unit of load, at the best bound */
	int64	   *value;			/* of each customer: the multipliers of the bound */

	uint64		random;
	int64		rounds;
	int64		rounds_limit;
	instr_time	start;
	double		seconds;
} Weighted;

/* The next number below a limit of a fixed sequence (xorshift64*) */
static inline uint32
some_number(Weighted *w, uint32 limit)
{
	w->random ^= w->random >> 12;
	w->random ^= w->random << 25;
	w->random ^= w->random >> 27;
	return (uint32) (((w->random * UINT64CONST(2685821657736338717)) >> 32) * limit >> 32);
}

static inline int64
round_up(int64 x, int64 grain)
{
	return (x + grain - 1) & ~(grain - 1);
}

/* What all solutions that leave out as many as the best cost at least */
static inline int64
cost_bound(const Weighted *w)
{
	int64		bound = round_up(w->dual - w->leave * w->best_left, w->grain);

	return Min(bound, w->best_cost);
}

static inline bool
is_proven(const Weighted *w)
{
	return w->best_left == w->left_bound && cost_bound(w) == w->best_cost;
}

/* Whether there is time for one more round; counts it. */
static inline bool
weighted_round(Weighted *w)
{
	instr_time	now;

	CHECK_FOR_INTERRUPTS();
	if (w->rounds >= w->rounds_limit)
		return false;
	INSTR_TIME_SET_CURRENT(now);
	INSTR_TIME_SUBTRACT(now, w->start);
	if (INSTR_TIME_GET_DOUBLE(now) > w->seconds)
		return false;
	w->rounds++;
	return true;
}

#endif							/* ALLOCATE_WEIGHTED_STATE_H */
