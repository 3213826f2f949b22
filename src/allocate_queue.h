/*-------------------------------------------------------------------------
 * allocate_queue.h
 *		Nodes ordered by a key: a heap that knows their places.
 *-------------------------------------------------------------------------
 */
#ifndef ALLOCATE_QUEUE_H
#define ALLOCATE_QUEUE_H

#include "allocate_memory.h"

/* Nodes ordered by a key, the lowest on top: a heap that knows their places */
typedef struct Queue
{
	int64	   *key;			/* of each node */
	int32	   *place;			/* of each node in the heap */
	int32	   *node;			/* the heap */
	int32		size;
} Queue;

static inline void
queue_init(Queue *q, int32 nodes)
{
	q->key = ALLOC(int64, nodes);
	q->place = ALLOC(int32, nodes);
	q->node = ALLOC(int32, nodes);
	q->size = 0;
}

static inline void
queue_free(Queue *q)
{
	pfree(q->key);
	pfree(q->place);
	pfree(q->node);
}

/* The node has a lower key than before. */
static inline void
queue_up(Queue *q, int32 node)
{
	int32		p = q->place[node];

	while (p > 0 && q->key[q->node[(p - 1) / 2]] > q->key[node])
	{
		q->node[p] = q->node[(p - 1) / 2];
		q->place[q->node[p]] = p;
		p = (p - 1) / 2;
	}
	q->node[p] = node;
	q->place[node] = p;
}

/* The node has a higher key than before. */
static inline void
queue_down(Queue *q, int32 node)
{
	int32		p = q->place[node];

	for (;;)
	{
		int32		child = 2 * p + 1;

		if (child >= q->size)
			break;
		if (child + 1 < q->size &&
			q->key[q->node[child + 1]] < q->key[q->node[child]])
			child++;
		if (q->key[q->node[child]] >= q->key[node])
			break;
		q->node[p] = q->node[child];
		q->place[q->node[p]] = p;
		p = child;
	}
	q->node[p] = node;
	q->place[node] = p;
}

static inline void
queue_add(Queue *q, int32 node, int64 key)
{
	q->key[node] = key;
	q->place[node] = q->size++;
	queue_up(q, node);
}

static inline int32
queue_take(Queue *q)
{
	int32		top = q->node[0];
	int32		last = q->node[--q->size];

	q->place[last] = 0;
	queue_down(q, last);
	return top;
}

#endif							/* ALLOCATE_QUEUE_H */
