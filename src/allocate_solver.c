/*-------------------------------------------------------------------------
 * allocate_solver.c
 *		The assignment problem with capacities, solved exactly.
 *
 * As many customers as possible get a holder, and among all such assignments
 * the sum of the costs is the least.  Four steps:
 *
 * 1. A maximum matching (Dinic's algorithm with the customers of a holder
 *	  contracted into it) says how many customers can be served.  The holders
 *	  that an alternating path reaches from an unserved customer, and the
 *	  customers that see only those, are "scarce": such a holder is full in
 *	  every maximum assignment and no other customer may use it (Dulmage and
 *	  Mendelsohn).  The other customers, "plain" ones, are all served.  So the
 *	  demand for the largest number turns into equations: scarce holders are
 *	  full, plain customers are served.  Unserved customers sit with a dummy
 *	  holder of cost 0, open to scarce customers, with just the capacity left.
 *	  No large penalty mixes with the costs.
 *
 * 2. An auction with falling epsilon (Bertsekas and Castanon, similar objects)
 *	  finds prices of the holders that are nearly right.  A customer bids for
 *	  its best holder; a full holder drops its lowest bid.  Nothing depends on
 *	  its outcome but the time of the next step.
 *
 * 3. Each customer takes a holder that is best at those prices.  What is then
 *	  too much at one holder and missing at another moves along shortest paths
 *	  in the graph of the holders: an arc from j to k is the customer of j that
 *	  would lose least by moving to k.  Prices follow the distances and stay
 *	  exact all the time.
 *
 * 4. The result is proven: a vertex cover as large as the matching, and prices
 *	  at which no customer would move and nothing is left over.
 *
 * The same problem gives the same answer: there is no randomness in it.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "allocate_solver.h"

#include "base_key.h"
#include "miscadmin.h"
#include "port/pg_bitutils.h"

/* Epsilon falls by this factor from one phase of the auction to the next. */
#define EPSILON_FACTOR		6

/* Leave so few customers to shortest paths; below it the auction is dearer. */
#define FEW_DISPLACED		16

/* ... and so many if another phase has hardly made them fewer */
#define SOME_DISPLACED		1000

/* No price may pass this, so that price + cost + distance fits in 64 bits. */
#define PRICE_LIMIT			(INT64CONST(1) << 61)

/* Bids stop here, except for the epsilon that outbids another */
#define PRICE_CEILING		(PRICE_LIMIT / 2)

/* Bids of one phase, per customer, at which the auction is given up. */
#define BIDS_PER_CUSTOMER	200

/* How much work passes between two checks for interrupts */
#define INTERRUPT_MASK		0x3fff

#define NOBODY				(-1)

typedef struct Slot
{
	int64		price;			/* the bid that won it */
	int32		customer;
} Slot;

typedef struct Solver
{
	int32		n;				/* customers */
	int32		m;				/* holders; number m is the dummy holder */
	int64	   *first;
	int32	   *holder;
	int64	   *cost;
	int32	   *room;			/* m + 1 capacities */
	int32	   *at;				/* holder of each customer, or NOBODY */
	bool	   *scarce;			/* of m + 1 holders */
	bool	   *scarce_customer;
	int64	   *price;			/* of m + 1 holders */
	int64		span;			/* largest cost difference, the dummy included */
	int64		grain;			/* power of two dividing every cost, 0: all are 0 */
	int64		served;			/* size of the maximum matching */
	AllocateStats *stats;
} Solver;

/* Bits by which the auction counts finer than the costs */
static int
fine_bits(int32 holders)
{
	return pg_leftmost_one_pos64((uint64) holders + 2) + 1;
}

/*
 * Costs may have so many bits.  The largest difference of two costs has one
 * more; counted finer in the auction it stays below 2^58, an eighth of
 * PRICE_LIMIT; and exact prices rise by (holders + 2) times that difference at
 * most, which is less than 2^58 too.
 */
int
allocate_cost_bits(int32 holders)
{
	return 57 - fine_bits(holders);
}

static void *
alloc_array(int64 count, Size size)
{
	return palloc_extended(mul_size(Max(count, 1), size), MCXT_ALLOC_HUGE);
}

static void *
alloc_zeroed(int64 count, Size size)
{
	return palloc_extended(mul_size(Max(count, 1), size),
						   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
}

#define ALLOC(type, count) ((type *) alloc_array((count), sizeof(type)))
#define ALLOC0(type, count) ((type *) alloc_zeroed((count), sizeof(type)))

/*
 * List the customers of each holder: those of holder j become
 * list[begin[j]] .. list[begin[j + 1] - 1], in ascending order.
 */
static void
list_customers(const Solver *s, int32 *begin, int32 *list)
{
	memset(begin, 0, sizeof(int32) * (s->m + 2));
	for (int32 i = 0; i < s->n; i++)
	{
		if (s->at[i] != NOBODY)
			begin[s->at[i]]++;
	}
	for (int32 j = 1; j <= s->m + 1; j++)
		begin[j] += begin[j - 1];
	for (int32 i = s->n - 1; i >= 0; i--)
	{
		if (s->at[i] != NOBODY)
			list[--begin[s->at[i]]] = i;
	}
}

/*
 * Depth of each holder in a breadth first search from the unserved customers;
 * -1 where it does not come.  Returns whether it met a holder with free room,
 * and goes no deeper than the first such depth then.
 */
static bool
find_levels(const Solver *s, const int32 *begin, const int32 *list,
			const int32 *load, int32 *level, int32 *queue)
{
	int32		head = 0;
	int32		tail = 0;
	bool		found = false;

	memset(level, -1, sizeof(int32) * s->m);
	for (int32 i = 0; i < s->n; i++)
	{
		if (s->at[i] != NOBODY)
			continue;
		for (int64 e = s->first[i]; e < s->first[i + 1]; e++)
		{
			int32		j = s->holder[e];

			if (level[j] < 0)
			{
				level[j] = 0;
				queue[tail++] = j;
				found |= load[j] < s->room[j];
			}
		}
	}
	while (head < tail)
	{
		int32		j = queue[head++];

		CHECK_FOR_INTERRUPTS();
		if (found && load[j] < s->room[j])
			continue;
		for (int32 p = begin[j]; p < begin[j + 1]; p++)
		{
			int32		i = list[p];

			for (int64 e = s->first[i]; e < s->first[i + 1]; e++)
			{
				int32		k = s->holder[e];

				if (level[k] < 0)
				{
					level[k] = level[j] + 1;
					queue[tail++] = k;
					if (load[k] < s->room[k])
						found = true;
				}
			}
		}
		/* once a free holder is met, its depth is the last of interest */
		if (found && head < tail && level[queue[head]] > level[j])
			break;
	}
	return found;
}

/*
 * Serve as many customers as possible, then tell scarce from plain holders and
 * customers and take away the edges that no maximum assignment uses.
 */
static void
match(Solver *s)
{
	int32		n = s->n;
	int32		m = s->m;
	int32	   *load = ALLOC0(int32, m + 1);
	int32	   *level = ALLOC(int32, m + 1);
	int32	   *queue = ALLOC(int32, m + 1);
	int32	   *begin = ALLOC(int32, m + 2);
	int32	   *list = ALLOC(int32, n);
	int32	   *next = ALLOC(int32, m + 1); /* position in list */
	int32	   *edge = ALLOC(int32, n); /* which edge of the customer is tried */
	int32	   *path = ALLOC(int32, m + 1);
	int64		room = 0;
	int64		kept = 0;

	/* first fill evenly: each customer to the holder with most room left */
	for (int32 i = 0; i < n; i++)
	{
		int32		best = NOBODY;

		for (int64 e = s->first[i]; e < s->first[i + 1]; e++)
		{
			int32		j = s->holder[e];
			int32		left = s->room[j] - load[j];

			if (left > 0 &&
				(best == NOBODY || left > s->room[best] - load[best]))
				best = j;
		}
		s->at[i] = best;
		if (best != NOBODY)
		{
			load[best]++;
			s->served++;
		}
	}

	for (;;)
	{
		if (s->served == n)
		{
			memset(level, -1, sizeof(int32) * m);
			break;
		}
		list_customers(s, begin, list);
		if (!find_levels(s, begin, list, load, level, queue))
			break;

		/* disjoint shortest augmenting paths, depth first */
		memcpy(next, begin, sizeof(int32) * m);
		memset(edge, 0, sizeof(int32) * n);
		for (int32 i = 0; i < n; i++)
		{
			int32		depth = -1;
			int32		mover = i;

			if (s->at[i] != NOBODY)
				continue;
			if ((i & INTERRUPT_MASK) == 0)
				CHECK_FOR_INTERRUPTS();
			for (;;)
			{
				int32		j = NOBODY;

				/* the next holder, one level deeper, that mover may go to */
				while (s->first[mover] + edge[mover] < s->first[mover + 1])
				{
					j = s->holder[s->first[mover] + edge[mover]];
					if (level[j] == depth + 1)
						break;
					edge[mover]++;
					j = NOBODY;
				}
				if (j != NOBODY)
				{
					path[++depth] = j;
					if (load[j] < s->room[j])
					{
						/* everybody on the path moves one step on */
						load[j]++;
						s->served++;
						for (; depth > 0; depth--)
							s->at[list[next[path[depth - 1]]++]] = path[depth];
						s->at[i] = path[0];
						break;
					}
				}
				else if (depth < 0)
					break;
				else
					next[path[depth]]++;

				/* the next customer of the deepest holder, or one step back */
				while (depth >= 0 && next[path[depth]] == begin[path[depth] + 1])
				{
					level[path[depth]] = -1;
					depth--;
				}
				mover = depth < 0 ? i : list[next[path[depth]]];
			}
		}
	}

	/* the last search has met the scarce holders and no other */
	for (int32 j = 0; j < m; j++)
	{
		s->scarce[j] = level[j] >= 0;
		if (s->scarce[j])
			room += s->room[j];
	}
	s->scarce[m] = true;
	s->room[m] = 0;
	for (int32 i = 0; i < n; i++)
	{
		bool		scarce = s->at[i] == NOBODY || s->scarce[s->at[i]];
		int64		from = s->first[i];

		s->scarce_customer[i] = scarce;
		if (scarce)
			s->room[m]++;
		else
			room++;
		s->first[i] = kept;
		for (int64 e = from; e < s->first[i + 1]; e++)
		{
			/* the cover: scarce holders and plain customers */
			if (scarce && !s->scarce[s->holder[e]])
				elog(ERROR, "cannot happen: customer %d sees beyond the cover", i);
			if (scarce != s->scarce[s->holder[e]] || s->room[s->holder[e]] == 0)
				continue;
			s->holder[kept] = s->holder[e];
			s->cost[kept] = s->cost[e];
			kept++;
		}
	}
	s->first[n] = kept;
	if (room != s->served)
		elog(ERROR, "cannot happen: " INT64_FORMAT " customers served, the cover has " INT64_FORMAT,
			 s->served, room);
	for (int32 j = 0; j < m; j++)
	{
		if (s->scarce[j])
			s->room[m] -= s->room[j];
	}

	pfree(load);
	pfree(level);
	pfree(queue);
	pfree(begin);
	pfree(list);
	pfree(next);
	pfree(edge);
	pfree(path);
}

/*
 * The cheapest holder of a customer at the present prices, its cost and the
 * cheapest cost elsewhere (PG_INT64_MAX where there is no other).
 */
static inline int32
best_holder(const Solver *s, int32 i, int64 *cost, int64 *other)
{
	int32		best = NOBODY;
	int64		v1 = PG_INT64_MAX;
	int64		v2 = PG_INT64_MAX;

	if (s->scarce_customer[i])
	{
		v1 = s->price[s->m];
		best = s->m;
	}
	for (int64 e = s->first[i]; e < s->first[i + 1]; e++)
	{
		int32		j = s->holder[e];
		int64		v = s->cost[e] + s->price[j];

		/* no branches: they would be mispredicted */
		v2 = Min(v2, Max(v, v1));
		best = v < v1 ? j : best;
		v1 = Min(v, v1);
	}
	*cost = v1;
	*other = v2;
	return best;
}

/* What a customer pays at one of its holders at the present prices */
static int64
cost_at(const Solver *s, int32 i, int32 j)
{
	if (j == s->m)
		return s->price[j];
	for (int64 e = s->first[i]; e < s->first[i + 1]; e++)
	{
		if (s->holder[e] == j)
			return s->cost[e] + s->price[j];
	}
	elog(ERROR, "cannot happen: customer %d has no edge to holder %d", i, j);
	return 0;
}

/* Nodes ordered by a key, the lowest on top: a heap that knows their places */
typedef struct Queue
{
	int64	   *key;			/* of each node */
	int32	   *place;			/* of each node in the heap */
	int32	   *node;			/* the heap */
	int32		size;
} Queue;

static void
queue_init(Queue *q, int32 nodes)
{
	q->key = ALLOC(int64, nodes);
	q->place = ALLOC(int32, nodes);
	q->node = ALLOC(int32, nodes);
	q->size = 0;
}

static void
queue_free(Queue *q)
{
	pfree(q->key);
	pfree(q->place);
	pfree(q->node);
}

/* The node has a lower key than before. */
static void
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
static void
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

static void
queue_add(Queue *q, int32 node, int64 key)
{
	q->key[node] = key;
	q->place[node] = q->size++;
	queue_up(q, node);
}

static int32
queue_take(Queue *q)
{
	int32		top = q->node[0];
	int32		last = q->node[--q->size];

	q->place[last] = 0;
	queue_down(q, last);
	return top;
}

/* Restore the heap order, lowest price on top, below place p. */
static inline void
sift_down(Slot *heap, int32 size, int32 p)
{
	Slot		slot = heap[p];

	for (;;)
	{
		int32		child = 2 * p + 1;

		if (child >= size)
			break;
		if (child + 1 < size && heap[child + 1].price < heap[child].price)
			child++;
		if (heap[child].price >= slot.price)
			break;
		heap[p] = heap[child];
		p = child;
	}
	heap[p] = slot;
}

/* Move a new last slot up to its place. */
static inline void
sift_up(Slot *heap, int32 p)
{
	Slot		slot = heap[p];

	while (p > 0 && heap[(p - 1) / 2].price > slot.price)
	{
		heap[p] = heap[(p - 1) / 2];
		p = (p - 1) / 2;
	}
	heap[p] = slot;
}

/*
 * The auction.  A holder has slots; the price of the holder is that of its
 * cheapest slot.  Slots are empty (all at the price of the beginning of the
 * phase), won by a customer, or won for the slack: the room that plain holders
 * have beyond the plain customers is a bidder of its own, which values all of
 * them alike, holds all its slots at one common price and takes what is
 * cheapest.  So supply and demand are equal, and all slots go.
 */
typedef struct Auction
{
	Slot	   *slots;			/* heaps by price, the cheapest on top */
	int64	   *slot_first;		/* where the heap of each holder begins */
	int32	   *taken;			/* slots won by customers */
	int32	   *slack;			/* slots won for the slack */
	int64		slack_total;
	int64		slack_left;		/* slots the slack has still to win */
	int64		slack_price;	/* what it pays for each */
	int64	   *base;			/* price of an empty slot */
	int32	   *kicked;			/* customers that lost a slot to the slack */
	int32		kicked_count;
	Queue		cheapest;		/* plain holders, by at most what their cheapest
								 * slot outside the slack costs */
} Auction;

static inline void
set_price(Solver *s, const Auction *a, int32 j)
{
	int64		price = PG_INT64_MAX;

	if (a->taken[j] + a->slack[j] < s->room[j])
		price = a->base[j];
	else
	{
		if (a->taken[j] > 0)
			price = a->slots[a->slot_first[j]].price;
		if (a->slack[j] > 0)
			price = Min(price, a->slack_price);
		if (price == PG_INT64_MAX)
			price = PRICE_LIMIT;	/* no room at all */
	}
	s->price[j] = price;
}

/* What the cheapest slot of a holder costs that is not the slack's */
static inline int64
cheapest_slot(const Solver *s, const Auction *a, int32 j)
{
	if (a->taken[j] + a->slack[j] < s->room[j])
		return a->base[j];
	return a->taken[j] > 0 ? a->slots[a->slot_first[j]].price : PG_INT64_MAX;
}

/*
 * The plain holder with the cheapest slot that is not the slack's.  Keys are
 * brought up to date only here, where it matters: slots have become dearer.
 */
static int32
cheapest_holder(const Solver *s, Auction *a)
{
	for (;;)
	{
		int32		j = a->cheapest.node[0];
		int64		price = cheapest_slot(s, a, j);

		if (price == a->cheapest.key[j])
			return j;
		a->cheapest.key[j] = price;
		queue_down(&a->cheapest, j);
	}
}

/*
 * The slack wins what it still needs, always the cheapest slot that is not its
 * own, and pays epsilon more than the next one costs.
 */
static void
slack_bids(const Solver *s, Auction *a, int64 eps)
{
	int64		next;

	while (a->slack_left > 0)
	{
		int32		j = cheapest_holder(s, a);
		int32		empty = s->room[j] - a->taken[j] - a->slack[j];
		Slot	   *slots = &a->slots[a->slot_first[j]];

		if (empty > 0)
			empty = Min(empty, a->slack_left);
		else
		{
			a->kicked[a->kicked_count++] = slots[0].customer;
			s->at[slots[0].customer] = NOBODY;
			slots[0] = slots[--a->taken[j]];
			sift_down(slots, a->taken[j], 0);
			empty = 1;
		}
		a->slack[j] += empty;
		a->slack_left -= empty;
	}
	next = a->cheapest.key[cheapest_holder(s, a)];
	if (next < PRICE_LIMIT)
		a->slack_price = Max(a->slack_price, next + eps);
}

/*
 * One phase of the auction: everybody bids until everybody has a holder.
 * Returns false when prices or bids pass all measure; the assignment is not
 * complete then.
 */
static bool
auction_phase(Solver *s, Auction *a, int64 eps)
{
	int64		bids = 0;
	int64		limit = (int64) s->n * BIDS_PER_CUSTOMER + 1000;

	s->stats->phases++;
	memset(a->taken, 0, sizeof(int32) * (s->m + 1));
	memset(a->slack, 0, sizeof(int32) * (s->m + 1));
	memcpy(a->base, s->price, sizeof(int64) * (s->m + 1));
	a->slack_left = a->slack_total;
	a->slack_price = -PRICE_LIMIT;
	a->kicked_count = s->n;
	for (int32 i = 0; i < s->n; i++)
	{
		s->at[i] = NOBODY;
		a->kicked[i] = s->n - 1 - i;
	}
	a->cheapest.size = 0;
	for (int32 j = 0; j < s->m; j++)
	{
		if (!s->scarce[j] && s->room[j] > 0)
			queue_add(&a->cheapest, j, a->base[j]);
	}
	while (a->kicked_count > 0)
	{
		int32		bidder = a->kicked[--a->kicked_count];

		while (bidder != NOBODY)
		{
			int64		v1;
			int64		v2;
			int64		raise;
			int64		ceiling;
			int32		j = best_holder(s, bidder, &v1, &v2);
			Slot	   *heap = &a->slots[a->slot_first[j]];
			Slot		bid;

			if ((++bids & INTERRUPT_MASK) == 0)
				CHECK_FOR_INTERRUPTS();

			/*
			 * Prices rise behind our back when the slack pays more.  Too low
			 * a price elsewhere does no harm, it only makes the bid smaller.
			 */
			if (a->slack[j] > 0)
			{
				int64		price = s->price[j];

				set_price(s, a, j);
				if (s->price[j] != price)
					continue;
			}

			/* a customer with nowhere else to go bids to the ceiling */
			raise = Min(v2, PRICE_LIMIT) - v1;
			ceiling = Max(s->price[j], PRICE_CEILING);
			bid.price = Min(s->price[j] + Max(raise, 0), ceiling) + eps;
			bid.customer = bidder;
			if (bid.price > PRICE_LIMIT || bids > limit)
			{
				s->stats->bids += bids;
				return false;
			}
			s->at[bidder] = j;
			bidder = NOBODY;
			if (a->taken[j] + a->slack[j] == s->room[j])
			{
				if (a->slack[j] > 0 &&
					(a->taken[j] == 0 || a->slack_price <= heap[0].price))
				{
					a->slack[j]--;
					a->slack_left++;
				}
				else
				{
					bidder = heap[0].customer;
					s->at[bidder] = NOBODY;
					heap[0] = bid;
					sift_down(heap, a->taken[j], 0);
					set_price(s, a, j);
					continue;
				}
			}
			heap[a->taken[j]] = bid;
			sift_up(heap, a->taken[j]++);
			set_price(s, a, j);
			if (!s->scarce[j] && cheapest_slot(s, a, j) < a->cheapest.key[j])
			{
				a->cheapest.key[j] = bid.price;
				queue_up(&a->cheapest, j);
			}
		}
		if (a->kicked_count == 0 && a->slack_left > 0)
			slack_bids(s, a, eps);
	}
	s->stats->bids += bids;

	/* the dummy and the slack are worth nothing: prices count from theirs */
	for (int32 j = 0; j < s->m; j++)
	{
		if (s->scarce[j])
			s->price[j] -= s->price[s->m];
		else if (a->slack_total > 0)
		{
			set_price(s, a, j);
			s->price[j] = Max(s->price[j] - a->slack_price, 0);
		}
	}
	s->price[s->m] = 0;
	return true;
}

/* Customers for whom another holder is cheaper at the present prices */
static int64
count_displaced(const Solver *s)
{
	int64		displaced = 0;

	for (int32 i = 0; i < s->n; i++)
	{
		int64		v1;
		int64		v2;
		int32		j = best_holder(s, i, &v1, &v2);

		if (j != s->at[i] && cost_at(s, i, s->at[i]) > v1)
			displaced++;
	}
	return displaced;
}

/*
 * All costs are multiples of the grain, so there are optimal prices that are.
 * Cut the circle of the remainders in its widest gap and round down from
 * there: if the gap is wider than epsilon, no customer displaced by epsilon
 * stays displaced.
 */
static void
round_prices(Solver *s, int64 *scratch)
{
	int64		mask = s->grain - 1;
	int64		cut = 0;
	int64		gap = -1;

	for (int32 j = 0; j <= s->m; j++)
		scratch[j] = s->price[j] & mask;
	scratch[s->m + 1] = 0;		/* the floor of the plain prices */
	qsort(scratch, s->m + 2, sizeof(int64), int64_cmp);
	for (int32 j = 0; j <= s->m + 1; j++)
	{
		int64		before = j > 0 ? scratch[j - 1] : scratch[s->m + 1] - s->grain;

		if (scratch[j] - before > gap)
		{
			gap = scratch[j] - before;
			cut = scratch[j];
		}
	}
	for (int32 j = 0; j <= s->m; j++)
	{
		s->price[j] = (s->price[j] - cut) & ~mask;
		if (!s->scarce[j])
			s->price[j] -= (-cut) & ~mask;
	}
}

/* Multiply costs and prices by a power of two, or divide them. */
static void
scale_costs(Solver *s, int bits)
{
	int64		factor = INT64CONST(1) << abs(bits);

	if (bits > 0)
	{
		for (int64 e = 0; e < s->first[s->n]; e++)
			s->cost[e] *= factor;
		s->span *= factor;
		s->grain *= factor;
	}
	else
	{
		for (int64 e = 0; e < s->first[s->n]; e++)
			s->cost[e] /= factor;
		for (int32 j = 0; j <= s->m; j++)
			s->price[j] /= factor;
		s->span /= factor;
		s->grain /= factor;
	}
}

/*
 * Find good prices, and an assignment that fits them but for a few customers.
 */
static void
auction(Solver *s)
{
	Auction		a;
	int64	   *saved = ALLOC(int64, s->m + 1);
	int64	   *scratch = ALLOC(int64, s->m + 2);
	int64		eps = Max(s->span / EPSILON_FACTOR, 1);
	int64		before = PG_INT64_MAX;

	a.slot_first = ALLOC(int64, s->m + 2);
	a.taken = ALLOC(int32, s->m + 1);
	a.slack = ALLOC(int32, s->m + 1);
	a.base = ALLOC(int64, s->m + 1);
	a.kicked = ALLOC(int32, s->n);
	queue_init(&a.cheapest, s->m);
	a.slack_total = 0;
	a.slot_first[0] = 0;
	for (int32 j = 0; j <= s->m; j++)
	{
		a.slot_first[j + 1] = a.slot_first[j] + s->room[j];
		if (!s->scarce[j])
			a.slack_total += s->room[j];
	}
	for (int32 i = 0; i < s->n; i++)
		a.slack_total -= !s->scarce_customer[i];
	a.slots = ALLOC(Slot, a.slot_first[s->m + 1]);

	for (;;)
	{
		int64		displaced;

		if (!auction_phase(s, &a, eps))
			break;
		displaced = count_displaced(s);
		if (displaced > FEW_DISPLACED && eps < s->grain)
		{
			int64		rounded;

			memcpy(saved, s->price, sizeof(int64) * (s->m + 1));
			round_prices(s, scratch);
			rounded = count_displaced(s);
			if (rounded <= FEW_DISPLACED)
				break;
			memcpy(s->price, saved, sizeof(int64) * (s->m + 1));
		}
		if (displaced <= FEW_DISPLACED || eps == 1 ||
			(displaced <= SOME_DISPLACED && displaced > before - before / 4))
			break;
		before = displaced;
		eps = Max(eps / EPSILON_FACTOR, 1);
	}

	pfree(a.slots);
	pfree(a.slot_first);
	pfree(a.taken);
	pfree(a.slack);
	pfree(a.base);
	pfree(a.kicked);
	queue_free(&a.cheapest);
	pfree(saved);
	pfree(scratch);
}

/*
 * The graph of the holders, in which customers change places.  Nodes are the
 * holders, the dummy holder m and the node m + 1 for room that plain holders
 * leave free: "slack" is such room standing at a holder, and it moves like a
 * customer that may sit anywhere at cost 0.
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

static void
enter_customer(Exchange *x, int32 j, int32 i)
{
	x->previous[i] = NOBODY;
	x->next[i] = x->head[j];
	if (x->head[j] != NOBODY)
		x->previous[x->head[j]] = i;
	x->head[j] = i;
}

static void
leave_customer(Exchange *x, int32 j, int32 i)
{
	if (x->previous[i] == NOBODY)
		x->head[j] = x->next[i];
	else
		x->next[x->previous[i]] = x->next[i];
	if (x->next[i] != NOBODY)
		x->previous[x->next[i]] = x->previous[i];
}

/*
 * Give node k the distance d, reached from node "from" by moving a customer.
 */
static void
reach(Exchange *x, int32 k, int64 d, int32 from, int32 mover)
{
	if (x->reached.key[k] == PG_INT64_MAX)
	{
		x->touched[x->touched_count++] = k;
		queue_add(&x->reached, k, d);
	}
	else
	{
		x->reached.key[k] = d;
		queue_up(&x->reached, k);
	}
	x->from[k] = from;
	x->mover[k] = mover;
}

/*
 * Dijkstra's algorithm from a node with excess to the nearest node that lacks
 * something, which is returned.
 */
static int32
find_path(const Solver *s, Exchange *x, int32 source)
{
	int32		z = s->m + 1;
	int64		bound = PG_INT64_MAX;	/* shortest path to a lacking node so far */

	x->reached.size = x->touched_count = x->settled_count = 0;
	reach(x, source, 0, NOBODY, NOBODY);
	while (x->reached.size > 0)
	{
		int32		j = queue_take(&x->reached);
		int64		d = x->reached.key[j];

		if (x->excess[j] < 0)
			return j;
		x->settled[x->settled_count++] = j;
		CHECK_FOR_INTERRUPTS();

#define RELAX(node, length, who) \
		do { \
			int64		relax_d = (length); \
			if (relax_d < x->reached.key[node] && relax_d < bound) \
			{ \
				reach(x, (node), relax_d, j, (who)); \
				if (x->excess[node] < 0) \
					bound = relax_d; \
			} \
		} while (0)

		if (j == z)
		{
			for (int32 k = 0; k < s->m; k++)
			{
				if (!s->scarce[k])
					RELAX(k, d + s->price[k] - s->price[z], NOBODY);
			}
			continue;
		}
		if (x->slack[j] > 0)
			RELAX(z, d + s->price[z] - s->price[j], NOBODY);
		for (int32 i = x->head[j]; i != NOBODY; i = x->next[i])
		{
			int64		base = d - x->own[i] - s->price[j];

			if (s->scarce_customer[i])
				RELAX(s->m, base + s->price[s->m], i);
			for (int64 e = s->first[i]; e < s->first[i + 1]; e++)
				RELAX(s->holder[e], base + s->cost[e] + s->price[s->holder[e]], i);
		}
#undef RELAX
	}
	elog(ERROR, "cannot happen: nowhere to go from holder %d", source);
	return NOBODY;
}

/* Move one unit along the path found. */
static void
augment(Solver *s, Exchange *x, int32 source, int32 target)
{
	int32		z = s->m + 1;

	x->excess[source]--;
	x->excess[target]++;
	for (int32 k = target; k != source; k = x->from[k])
	{
		int32		j = x->from[k];
		int32		i = x->mover[k];

		if (j == z)
			x->slack[k]++;
		else if (k == z)
			x->slack[j]--;
		else
		{
			leave_customer(x, j, i);
			enter_customer(x, k, i);
			s->at[i] = k;
			x->own[i] = cost_at(s, i, k) - s->price[k];
		}
	}
}

/*
 * Make the assignment and the prices exact, whatever they are now.
 */
static void
exchange(Solver *s)
{
	int32		nodes = s->m + 2;
	int32		z = s->m + 1;
	Exchange	x;

	x.head = ALLOC(int32, nodes);
	x.next = ALLOC(int32, s->n);
	x.previous = ALLOC(int32, s->n);
	x.own = ALLOC(int64, s->n);
	x.slack = ALLOC0(int64, nodes);
	x.excess = ALLOC0(int64, nodes);
	queue_init(&x.reached, nodes);
	x.from = ALLOC(int32, nodes);
	x.mover = ALLOC(int32, nodes);
	x.touched = ALLOC(int32, nodes);
	x.settled = ALLOC(int32, nodes);
	for (int32 j = 0; j < nodes; j++)
	{
		x.head[j] = NOBODY;
		x.reached.key[j] = PG_INT64_MAX;
	}

	s->price[z] = 0;
	for (int32 j = 0; j <= s->m; j++)
	{
		if (s->price[j] > PRICE_LIMIT)
			s->price[j] = PRICE_LIMIT;
		if (!s->scarce[j] && s->price[j] < 0)
			s->price[j] = 0;
		x.excess[j] = -(int64) s->room[j];
		if (!s->scarce[j])
			x.excess[z] += s->room[j];
	}
	for (int32 i = s->n - 1; i >= 0; i--)
	{
		int64		v1;
		int64		v2;
		int32		j = best_holder(s, i, &v1, &v2);

		/* whoever is well placed stays */
		if (s->at[i] == NOBODY || cost_at(s, i, s->at[i]) > v1)
			s->at[i] = j;
		enter_customer(&x, s->at[i], i);
		x.own[i] = v1 - s->price[s->at[i]];
		x.excess[s->at[i]]++;
		if (!s->scarce_customer[i])
			x.excess[z]--;
	}
	for (int32 j = 0; j < s->m; j++)
	{
		if (!s->scarce[j] && s->price[j] == 0 && x.excess[j] < 0)
		{
			x.slack[j] = -x.excess[j];
			x.excess[z] += x.excess[j];
			x.excess[j] = 0;
		}
	}

	for (int32 j = 0; j < nodes; j++)
	{
		while (x.excess[j] > 0)
		{
			int32		target = find_path(s, &x, j);
			int64		d = x.reached.key[target];

			for (int32 p = 0; p < x.settled_count; p++)
				s->price[x.settled[p]] += d - x.reached.key[x.settled[p]];
			augment(s, &x, j, target);
			s->stats->augmentations++;
			for (int32 p = 0; p < x.touched_count; p++)
				x.reached.key[x.touched[p]] = PG_INT64_MAX;
		}
	}

	for (int32 j = 0; j < s->m; j++)
	{
		if (!s->scarce[j])
			s->price[j] -= s->price[z];
	}
}

/*
 * Prove the optimum by its duals: no customer has a cheaper holder at these
 * prices; scarce holders and the dummy are full; plain holders hold no more
 * than they have room for, have no negative price, and none at all if some of
 * the room is free.  With the cover checked in match() this makes the
 * assignment one of the largest and among those one of the cheapest.
 */
static void
prove(const Solver *s)
{
	int64	   *load = ALLOC0(int64, s->m + 1);

	for (int32 i = 0; i < s->n; i++)
	{
		int64		v1;
		int64		v2;

		best_holder(s, i, &v1, &v2);
		if (cost_at(s, i, s->at[i]) != v1)
			elog(ERROR, "cannot happen: customer %d has a cheaper holder", i);
		load[s->at[i]]++;
	}
	for (int32 j = 0; j <= s->m; j++)
	{
		if (s->scarce[j] ? load[j] != s->room[j]
			: (load[j] > s->room[j] || s->price[j] < 0 ||
			   (load[j] < s->room[j] && s->price[j] != 0)))
			elog(ERROR, "cannot happen: holder %d breaks its optimality condition", j);
	}
	pfree(load);
}

/*
 * Assign as many customers as possible at the least total cost: assigned[i]
 * becomes the holder of customer i, or -1.  Memory is left to the current
 * context.
 */
void
allocate_solve(AllocateProblem *problem, int32 *assigned, AllocateStats *stats)
{
	Solver		s = {0};
	int64		low = 0;
	int64		high = 0;
	uint64		bits = 0;
	int64		overload = 0;
	int32	   *load;

	s.n = problem->customers;
	s.m = problem->holders;
	s.first = problem->first;
	s.holder = problem->holder;
	s.cost = problem->cost;
	s.at = assigned;
	s.stats = stats;
	memset(stats, 0, sizeof(AllocateStats));
	s.room = ALLOC(int32, s.m + 1);
	memcpy(s.room, problem->capacity, sizeof(int32) * s.m);
	s.scarce = ALLOC(bool, s.m + 1);
	s.scarce_customer = ALLOC(bool, s.n);
	s.price = ALLOC0(int64, s.m + 2);

	match(&s);

	for (int64 e = 0; e < s.first[s.n]; e++)
	{
		low = Min(low, s.cost[e]);
		high = Max(high, s.cost[e]);
		bits |= (uint64) s.cost[e];
	}
	s.span = high - low;
	s.grain = (int64) (bits & (~bits + 1));

	/* often enough all can have what they like best */
	load = ALLOC0(int32, s.m + 1);
	for (int32 i = 0; i < s.n; i++)
	{
		int64		v1;
		int64		v2;

		s.at[i] = best_holder(&s, i, &v1, &v2);
		if (++load[s.at[i]] > s.room[s.at[i]])
			overload++;
	}
	if (overload > FEW_DISPLACED)
	{
		scale_costs(&s, fine_bits(s.m));
		auction(&s);
		scale_costs(&s, -fine_bits(s.m));
	}
	exchange(&s);
	prove(&s);

	stats->assigned = 0;
	for (int32 i = 0; i < s.n; i++)
	{
		if (assigned[i] == s.m)
			assigned[i] = NOBODY;
		else
			stats->assigned++;
	}
	if (stats->assigned != s.served)
		elog(ERROR, "cannot happen: " INT64_FORMAT " customers assigned of " INT64_FORMAT,
			 stats->assigned, s.served);
}
