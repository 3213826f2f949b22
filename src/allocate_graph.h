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
 * holders, the dummy holder m, the node m + 1 for room that plain holders
 * leave free, and one for each group: "slack" is such room standing at a
 * holder, and it moves like a customer that may sit anywhere at cost 0, but for
 * the floors.  What a group must leave free begins at its node, comes to its
 * holders only from there, and more of it, "spare", from the node m + 1.
 */
typedef struct Exchange
{
	int32	   *head;			/* first customer of each holder */
	int32	   *next;			/* the customers beside this one */
	int32	   *previous;
	int64	   *own;			/* what each customer costs where it is */
	int64	   *slack;			/* free room standing at each holder */
	int64	   *spare;			/* room free in each group beyond what must be */
	int32	   *member_first;	/* groups + 1 offsets into the next */
	int32	   *member;			/* holders by group */
	int64	   *excess;			/* what each node has too much */
	Queue		reached;		/* by distance; PG_INT64_MAX: not reached */
	int32	   *from;			/* node before on the shortest path */
	int32	   *mover;			/* and the customer that moves, or NOBODY */
	int32	   *touched;		/* nodes that have a distance */
	int32		touched_count;
	int32	   *settled;
	int32		settled_count;
} Exchange;

/* The node from which slack comes to a holder */
static inline int32
slack_source(const Solver *s, int32 j)
{
	return s->group[j] == NOBODY ? s->m + 1 : group_node(s, s->group[j]);
}

/* Whether more slack may come to a holder */
static inline bool
slack_fits(const Solver *s, const Exchange *x, int32 j)
{
	return !s->scarce[j] && x->slack[j] < s->room[j] - s->floor[j];
}

/* allocate_price.c */
extern void allocate_price(const Solver *s, Exchange *x);

#endif							/* ALLOCATE_GRAPH_H */
