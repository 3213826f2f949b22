/*-------------------------------------------------------------------------
 * allocate_weighted_steps.h
 *		What weighted_solve() goes through; each step leaves what it finds in
 *		Weighted.
 *-------------------------------------------------------------------------
 */
#ifndef ALLOCATE_WEIGHTED_STEPS_H
#define ALLOCATE_WEIGHTED_STEPS_H

#include "allocate_weighted_plan.h"
#include "allocate_weighted_relaxation.h"

/* allocate_weighted_search.c */
extern void plan_improve(Weighted *w, Plan *plan, int64 work);
extern void weighted_search(Weighted *w, Plan *plan);

/* allocate_weighted_price.c */
extern void weighted_prices(Weighted *w, Plan *plan);

/* allocate_weighted_value.c */
extern void weighted_values(Weighted *w, Relaxation *r, Plan *plan);

/* allocate_weighted_anneal.c */
typedef struct Annealing Annealing;
extern Annealing *annealing_make(Weighted *w);
extern void annealing_go(Annealing *a, Plan *plan);

/* allocate_weighted_branch.c */
typedef struct Branching Branching;
extern Branching *branching_make(Weighted *w, bool count_only);
extern bool branching_go(Branching *b, int nodes);

#endif							/* ALLOCATE_WEIGHTED_STEPS_H */
