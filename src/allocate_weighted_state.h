/*-------------------------------------------------------------------------
 * allocate_weighted_state.h
 *		What the parts of the weighted assignment share.
 *-------------------------------------------------------------------------
 */
#ifndef ALLOCATE_WEIGHTED_STATE_H
#define ALLOCATE_WEIGHTED_STATE_H

#include "allocate_weighted.h"

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

/* A state of the search: who is where, always within the capacities */
typedef struct Plan
{
	int64	   *at;				/* edge of each customer, or NONE */
	int64	   *room;			/* left at each holder */
	int32	   *head;			/* first customer of each holder */
	int32	   *next;			/* the customers beside this one */
	int32	   *previous;
	int64		cost;
	int32		left;			/* customers left out */
	bool		keeps_steps;	/* to be taken back perhaps: */
	int32	   *who;
	int64	   *was;
	int64		steps;
	int64		steps_size;
} Plan;

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

#define ALLOC(type, count) \
	((type *) palloc_extended(mul_size(Max(count, 1), sizeof(type)), MCXT_ALLOC_HUGE))
#define ALLOC0(type, count) \
	((type *) palloc_extended(mul_size(Max(count, 1), sizeof(type)), MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO))

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

/* allocate_weighted.c */
extern bool weighted_round(Weighted *w);

/* allocate_weighted_price.c */
extern void weighted_prices(Weighted *w, Plan *plan);

/* allocate_weighted_value.c */
typedef struct Relaxation Relaxation;
extern Relaxation *relaxation_make(Weighted *w, const int64 *cost, int64 leave, int64 grain);
extern int64 relaxation_value(Relaxation *r);
extern void relaxation_step(Relaxation *r, int64 value, int64 target);
extern void relaxation_close(Relaxation *r, int64 bound);
extern void weighted_values(Weighted *w, Relaxation *r, Plan *plan);

/* allocate_weighted_search.c */
extern Plan *plan_make(Weighted *w);
extern void plan_build(Weighted *w, Plan *plan, const double *price);
extern void plan_of_best(const Weighted *w, Plan *plan);
extern void plan_keep(Weighted *w, const Plan *plan);
extern void plan_move(const Weighted *w, Plan *plan, int32 i, int64 e);
extern void plan_fill(Weighted *w, Plan *plan, const double *price);
extern void plan_improve(Weighted *w, Plan *plan, int64 work);
extern void weighted_search(Weighted *w, Plan *plan);

/* allocate_weighted_anneal.c */
typedef struct Annealing Annealing;
extern Annealing *annealing_make(Weighted *w);
extern void annealing_go(Annealing *a, Plan *plan);

/* allocate_weighted_branch.c */
typedef struct Branching Branching;
extern Branching *branching_make(Weighted *w, bool count_only);
extern bool branching_go(Branching *b, int nodes);

#endif							/* ALLOCATE_WEIGHTED_STATE_H */
