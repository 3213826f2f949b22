/*-------------------------------------------------------------------------
 * allocate_auction.c
 *		An auction that brings the prices of holders near the optimum.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "allocate_queue.h"
#include "allocate_steps.h"

#include "base_key.h"
#include "miscadmin.h"

/* Epsilon falls by this factor from one phase of the auction to the next. */
#define EPSILON_FACTOR		6

/* ... and so many if another phase has hardly made them fewer */
#define SOME_DISPLACED		1000

/* Bids stop here, except for the epsilon that outbids another */
#define PRICE_CEILING		(PRICE_LIMIT / 2)

/* Bids of one phase, per customer, at which the auction is given up. */
#define BIDS_PER_CUSTOMER	200

typedef struct Slot
{
	int64		price;			/* the bid that won it */
	int32		customer;
} Slot;

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
 * cheapest, but leaves each holder its floor.  So supply and demand are equal,
 * and all slots go.
 */
typedef struct Auction
{
	Slot	   *slots;			/* heaps by price, the cheapest on top */
	int64	   *slot_first;		/* where the heap of each holder begins */
	int32	   *taken;			/* slots won by customers */
	int32	   *slack;			/* slots won for the slack */
	int32	   *slack_limit;	/* slots the slack may win */
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

/* What the cheapest slot costs that the slack might win */
static inline int64
cheapest_slot(const Solver *s, const Auction *a, int32 j)
{
	if (a->slack[j] >= a->slack_limit[j])
		return PG_INT64_MAX;
	if (a->taken[j] + a->slack[j] < s->room[j])
		return a->base[j];
	return a->taken[j] > 0 ? a->slots[a->slot_first[j]].price : PG_INT64_MAX;
}

/*
 * The plain holder with the cheapest slot that the slack might win.  Keys are
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
			empty = Min(Min(empty, a->slack_left), a->slack_limit[j] - a->slack[j]);
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
				a->cheapest.key[j] = cheapest_slot(s, a, j);
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
			s->price[j] -= a->slack_price;
			if (a->slack[j] < a->slack_limit[j])
				s->price[j] = Max(s->price[j], 0);
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

static void
run_auction(Solver *s)
{
	Auction		a;
	int64	   *saved = ALLOC(int64, s->m + 1);
	int64	   *scratch = ALLOC(int64, s->m + 2);
	int64		eps = Max(s->span / EPSILON_FACTOR, 1);
	int64		before = PG_INT64_MAX;

	a.slot_first = ALLOC(int64, s->m + 2);
	a.taken = ALLOC(int32, s->m + 1);
	a.slack = ALLOC(int32, s->m + 1);
	a.slack_limit = ALLOC0(int32, s->m + 1);
	a.base = ALLOC(int64, s->m + 1);
	a.kicked = ALLOC(int32, s->n);
	queue_init(&a.cheapest, s->m);
	a.slack_total = 0;
	a.slot_first[0] = 0;
	for (int32 j = 0; j <= s->m; j++)
	{
		a.slot_first[j + 1] = a.slot_first[j] + s->room[j];
		if (!s->scarce[j])
		{
			a.slack_total += s->room[j];
			a.slack_limit[j] = s->room[j] - s->floor[j];
		}
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
	pfree(a.slack_limit);
	pfree(a.base);
	pfree(a.kicked);
	queue_free(&a.cheapest);
	pfree(saved);
	pfree(scratch);
}

/*
 * Find good prices, and an assignment that fits them but for a few customers.
 */
void
allocate_auction(Solver *s)
{
	int64		spare = 0;		/* plain customers beyond the floors */
	int64		highest = PG_INT64_MIN;
	int32	   *room;

	for (int32 i = 0; i < s->n; i++)
		spare += !s->scarce_customer[i];
	for (int32 j = 0; j < s->m; j++)
		spare -= s->scarce[j] ? 0 : s->floor[j];
	if (spare > 0 || s->floors == 0)
	{
		run_auction(s);
		return;
	}

	/*
	 * The floors take everybody, so the slack has no choice and knows no
	 * price: there is just as much room as the floors.  Whatever the common
	 * level of the prices, all of them have to be below that of the slack.
	 */
	room = ALLOC(int32, s->m + 1);
	memcpy(room, s->room, sizeof(int32) * (s->m + 1));
	for (int32 j = 0; j < s->m; j++)
	{
		if (!s->scarce[j])
			s->room[j] = s->floor[j];
	}
	run_auction(s);
	memcpy(s->room, room, sizeof(int32) * (s->m + 1));
	pfree(room);
	for (int32 j = 0; j < s->m; j++)
	{
		if (!s->scarce[j] && s->floor[j] > 0)
			highest = Max(highest, s->price[j]);
	}
	for (int32 j = 0; j < s->m; j++)
	{
		if (!s->scarce[j])
			s->price[j] = s->floor[j] > 0 ? s->price[j] - highest : 0;
	}
}
