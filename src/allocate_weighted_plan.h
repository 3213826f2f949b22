/*-------------------------------------------------------------------------
 * allocate_weighted_plan.h
 *		A state of the search for weighted assignments.
 *-------------------------------------------------------------------------
 */
#ifndef ALLOCATE_WEIGHTED_PLAN_H
#define ALLOCATE_WEIGHTED_PLAN_H

#include "allocate_weighted_state.h"

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

static inline int64
plan_value(const Weighted *w, const Plan *plan)
{
	return plan->cost + w->leave * plan->left;
}

extern Plan *plan_make(Weighted *w);
extern void plan_build(Weighted *w, Plan *plan, const double *price);
extern void plan_of_best(const Weighted *w, Plan *plan);
extern void plan_keep(Weighted *w, const Plan *plan);
extern void plan_move(const Weighted *w, Plan *plan, int32 i, int64 e);
extern int64 plan_cheapest(const Weighted *w, const Plan *plan, const double *price, int32 i, double *regret);
extern void plan_fill(Weighted *w, Plan *plan, const double *price);

#endif							/* ALLOCATE_WEIGHTED_PLAN_H */
