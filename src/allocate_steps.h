/*-------------------------------------------------------------------------
 * allocate_steps.h
 *		The steps of the assignment solver, in their order.
 *-------------------------------------------------------------------------
 */
#ifndef ALLOCATE_STEPS_H
#define ALLOCATE_STEPS_H

#include "allocate_state.h"

extern bool allocate_match(Solver *s);
extern void allocate_auction(Solver *s);
extern void allocate_exchange(Solver *s);

#endif							/* ALLOCATE_STEPS_H */
