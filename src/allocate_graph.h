/*-------------------------------------------------------------------------
 * allocate_graph.h
 *		The graph of the holders, in which customers change places.
 *-------------------------------------------------------------------------
 */
#ifndef ALLOCATE_GRAPH_H
#define ALLOCATE_GRAPH_H

#include "allocate_queue.h"
#include "allocate_state.h"

/*
 * The graph of the holders, in which customers change places.  Nodes are the
 * holders, the dummy holder m and the node m + 1 for room that plain holders
 * leave free: "slack" is such room standing at a holder, and it moves like a
 * customer that may sit anywhere at cost 0, but for the floors.
 */
typedef struct Exchange
{
	int32	   *head;			/* first customer of each holder */
	int32	   *next;			/* the customers beside this one */
	int32	   *previous;
	int64	   *own;			/* what each customer costs where it is */
	int64	   *slack;			/* free room standing at each holder */
	int64	   *excess;			/* what each node has too much */
	Queue		reached;		/* by distance; PG_INT64_MAX: not reached */
	int32	   *from;			/* node before on the shortest path */
	int32	   *mover;			/* and the customer that moves, or NOBODY */
	int32	   *touched;		/* nodes that have a distance */
	int32		touched_count;
	int32	   *settled;
	int32		settled_count;
} Exchange;

/* Whether more slack may come to a holder */
static inline bool
slack_fits(const Solver *s, const Exchange *x, int32 j)
{
	return !s->scarce[j] && x->slack[j] < s->room[j] - s->floor[j];
}

/* allocate_price.c */
extern void allocate_price(const Solver *s, Exchange *x);

#endif							/* ALLOCATE_GRAPH_H */
