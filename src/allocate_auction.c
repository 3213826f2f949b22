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
 * cheapest, but leaves each holder its floor.  Each group has a bidder of the
 * kind too, for what it must leave free, which bids only there; the slack of
 * the group and that of all outbid each other.  So supply and demand are equal,
 * and all slots go.
 */
typedef struct Slack
{
	int32	   *held;			/* slots won, of each holder */
	int64		total;
	int64		left;			/* slots still to be won */
	int64		price;			/* what is paid for each */
	Queue		cheapest;		/* holders where it bids, by at most what their
								 * cheapest slot outside it costs */
} Slack;

typedef struct Auction
{
	Slot	   *slots;			/* heaps by price, the cheapest on top */
	int64	   *slot_first;		/* where the heap of each holder begins */
	int32	   *taken;			/* slots won by customers */
	int32	   *slack_limit;	/* slots that slack may win */
	Slack		all;			/* the slack of all plain holders */
	Slack	   *of_group;		/* that of each group; they share the array held */
	int64	   *base;			/* price of an empty slot */
	int32	   *kicked;			/* customers that lost a slot to the slack */
	int32		kicked_count;
} Auction;

static inline Slack *
group_slack(const Solver *s, const Auction *a, int32 j)
{
	return s->group[j] == NOBODY ? NULL : &a->of_group[s->group[j]];
}

/* Slots of a holder that are not empty */
static inline int32
slots_won(const Solver *s, const Auction *a, int32 j)
{
	const Slack *group = group_slack(s, a, j);

	return a->taken[j] + a->all.held[j] + (group ? group->held[j] : 0);
}

/* Of the slack that has slots of a holder the one that pays least, or NULL */
static inline Slack *
cheapest_slack(const Solver *s, Auction *a, int32 j)
{
	Slack	   *group = group_slack(s, a, j);
	Slack	   *slack = a->all.held[j] > 0 ? &a->all : NULL;

	if (group && group->held[j] > 0 && (slack == NULL || group->price < slack->price))
		slack = group;
	return slack;
}

static inline void
set_price(Solver *s, Auction *a, int32 j)
{
	int64		price = PG_INT64_MAX;

	if (slots_won(s, a, j) < s->room[j])
		price = a->base[j];
	else
	{
		const Slack *slack = cheapest_slack(s, a, j);

		if (a->taken[j] > 0)
			price = a->slots[a->slot_first[j]].price;
		if (slack)
			price = Min(price, slack->price);
		if (price == PG_INT64_MAX)
			price = PRICE_LIMIT;	/* no room at all */
	}
	s->price[j] = price;
}

/* The slack of the other kind that has slots of a holder, or NULL */
static inline Slack *
other_slack(const Solver *s, Auction *a, const Slack *slack, int32 j)
{
	Slack	   *other = slack == &a->all ? group_slack(s, a, j) : &a->all;

	return other && other->held[j] > 0 ? other : NULL;
}

/* Slots of a holder that slack may win beside those it has, of either kind */
static inline int32
slack_space(const Solver *s, const Auction *a, int32 j)
{
	return a->slack_limit[j] - (slots_won(s, a, j) - a->taken[j]);
}

/* What the cheapest slot costs that the slack might win */
static inline int64
cheapest_slot(const Solver *s, Auction *a, const Slack *slack, int32 j)
{
	const Slack *other = other_slack(s, a, slack, j);
	int64		price = PG_INT64_MAX;

	if (slack_space(s, a, j) > 0)
	{
		if (slots_won(s, a, j) < s->room[j])
			price = a->base[j];
		else if (a->taken[j] > 0)
			price = a->slots[a->slot_first[j]].price;
	}
	return other ? Min(price, other->price) : price;
}

/*
 * The holder with the cheapest slot that the slack might win.  Keys are brought
 * up to date only here, where it matters: slots have become dearer.
 */
static int32
cheapest_holder(const Solver *s, Auction *a, Slack *slack)
{
	for (;;)
	{
		int32		j = slack->cheapest.node[0];
		int64		price = cheapest_slot(s, a, slack, j);

		if (price == slack->cheapest.key[j])
			return j;
		slack->cheapest.key[j] = price;
		queue_down(&slack->cheapest, j);
	}
}

/* Tell slack that the cheapest slot of a holder may have become cheaper. */
static inline void
tell_cheaper(const Solver *s, Auction *a, Slack *slack, int32 j)
{
	int64		price = cheapest_slot(s, a, slack, j);

	if (price < slack->cheapest.key[j])
	{
		slack->cheapest.key[j] = price;
		queue_up(&slack->cheapest, j);
	}
}

static inline void
tell_all_cheaper(const Solver *s, Auction *a, int32 j)
{
	if (s->scarce[j])
		return;
	tell_cheaper(s, a, &a->all, j);
	if (s->group[j] != NOBODY)
		tell_cheaper(s, a, group_slack(s, a, j), j);
}

/*
 * Slack wins what it still needs, always the cheapest slot that is not its
 * own, and pays epsilon more than the next one costs.
 */
static void
slack_bids(const Solver *s, Auction *a, Slack *slack, int64 eps)
{
	int64		next;

	while (slack->left > 0)
	{
		int32		j = cheapest_holder(s, a, slack);
		int64		price = slack->cheapest.key[j];
		Slack	   *other = other_slack(s, a, slack, j);
		Slot	   *slots = &a->slots[a->slot_first[j]];
		int32		won;

		CHECK_FOR_INTERRUPTS();
		if (price == PG_INT64_MAX)
			elog(ERROR, "cannot happen: nowhere to leave room free");
		if (other && other->price == price)
		{
			won = Min(other->held[j], slack->left);
			other->held[j] -= won;
			other->left += won;
		}
		else if (slots_won(s, a, j) < s->room[j])
			won = Min(Min(s->room[j] - slots_won(s, a, j), slack->left), slack_space(s, a, j));
		else
		{
			a->kicked[a->kicked_count++] = slots[0].customer;
			s->at[slots[0].customer] = NOBODY;
			slots[0] = slots[--a->taken[j]];
			sift_down(slots, a->taken[j], 0);
			won = 1;
		}
		slack->held[j] += won;
		slack->left -= won;
		if (s->group[j] != NOBODY)
			tell_all_cheaper(s, a, j);
	}
	next = slack->cheapest.key[cheapest_holder(s, a, slack)];
	if (next < PRICE_LIMIT)
		slack->price = Max(slack->price, next + eps);
}

/* Slack bids until it has all it needs or customers have lost slots. */
static bool
all_slack_bids(const Solver *s, Auction *a, int64 eps, int64 *bids, int64 limit)
{
	bool		bidding = true;

	while (bidding && a->kicked_count == 0)
	{
		bidding = a->all.left > 0;
		if (bidding)
			slack_bids(s, a, &a->all, eps);
		for (int32 g = 0; g < s->groups && a->kicked_count == 0; g++)
		{
			if (a->of_group[g].left == 0)
				continue;
			slack_bids(s, a, &a->of_group[g], eps);
			bidding = true;
		}
		if (s->groups > 0 && ++*bids > limit)
			return false;
	}
	return true;
}

static void
begin_slack(Slack *slack)
{
	slack->left = slack->total;
	slack->price = -PRICE_LIMIT;
	slack->cheapest.size = 0;
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
	memset(a->all.held, 0, sizeof(int32) * (s->m + 1));
	if (s->groups > 0)
		memset(a->of_group[0].held, 0, sizeof(int32) * (s->m + 1));
	memcpy(a->base, s->price, sizeof(int64) * (s->m + 1));
	begin_slack(&a->all);
	for (int32 g = 0; g < s->groups; g++)
		begin_slack(&a->of_group[g]);
	a->kicked_count = s->n;
	for (int32 i = 0; i < s->n; i++)
	{
		s->at[i] = NOBODY;
		a->kicked[i] = s->n - 1 - i;
	}
	for (int32 j = 0; j < s->m; j++)
	{
		if (s->scarce[j] || s->room[j] == 0)
			continue;
		queue_add(&a->all.cheapest, j, a->base[j]);
		if (s->group[j] != NOBODY)
			queue_add(&group_slack(s, a, j)->cheapest, j, a->base[j]);
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
			Slack	   *slack = cheapest_slack(s, a, j);
			Slot		bid;

			if ((++bids & INTERRUPT_MASK) == 0)
				CHECK_FOR_INTERRUPTS();

			/*
			 * Prices rise behind our back when the slack pays more.  Too low
			 * a price elsewhere does no harm, it only makes the bid smaller.
			 */
			if (slack)
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
			if (slots_won(s, a, j) == s->room[j])
			{
				if (slack && (a->taken[j] == 0 || slack->price <= heap[0].price))
				{
					slack->held[j]--;
					slack->left++;
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
			tell_all_cheaper(s, a, j);
		}
		if (!all_slack_bids(s, a, eps, &bids, limit))
		{
			s->stats->bids += bids;
			return false;
		}
	}
	s->stats->bids += bids;

	/* the dummy and the slack are worth nothing: prices count from theirs */
	for (int32 g = 0; g < s->groups; g++)
		s->price[group_node(s, g)] = a->of_group[g].total > 0 && a->all.total > 0 ?
			Min(Max(a->of_group[g].price - a->all.price, 0), PRICE_LIMIT) : 0;
	for (int32 j = 0; j < s->m; j++)
	{
		if (s->scarce[j])
			s->price[j] -= s->price[s->m];
		else if (a->all.total > 0)
		{
			set_price(s, a, j);
			s->price[j] -= a->all.price;
			if (slack_space(s, a, j) > 0)
				s->price[j] = Max(s->price[j], s->group[j] == NOBODY ? 0 : s->price[group_node(s, s->group[j])]);
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
	int32		nodes = s->m + 2 + s->groups;

	for (int32 j = 0; j < nodes; j++)
		scratch[j] = s->price[j] & mask;
	scratch[s->m + 1] = 0;		/* the floor of the plain prices */
	qsort(scratch, nodes, sizeof(int64), int64_cmp);
	for (int32 j = 0; j < nodes; j++)
	{
		int64		before = j > 0 ? scratch[j - 1] : scratch[nodes - 1] - s->grain;

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
	for (int32 g = 0; g < s->groups; g++)
	{
		int64	   *price = &s->price[group_node(s, g)];

		*price = Max(((*price - cut) & ~mask) - ((-cut) & ~mask), 0);
	}
}

/*
 * The queues of the groups share their arrays: each holder is in one of them.
 */
static void
share_queue(const Solver *s, Slack *of_group, int32 *held)
{
	int64	   *first = ALLOC0(int64, s->groups + 1);

	if (s->groups > 0)
		queue_init(&of_group[0].cheapest, s->m);
	for (int32 j = 0; j < s->m; j++)
	{
		if (s->group[j] != NOBODY)
			first[s->group[j] + 1]++;
	}
	for (int32 g = 0; g < s->groups; g++)
	{
		first[g + 1] += first[g];
		of_group[g].held = held;
		of_group[g].cheapest = of_group[0].cheapest;
	}
	for (int32 g = 1; g < s->groups; g++)
		of_group[g].cheapest.node += first[g];
	pfree(first);
}

static void
run_auction(Solver *s)
{
	Auction		a;
	int32		nodes = s->m + 2 + s->groups;
	int64	   *saved = ALLOC(int64, nodes);
	int64	   *scratch = ALLOC(int64, nodes);
	int32	   *held = ALLOC(int32, s->m + 1);
	int64		eps = Max(s->span / EPSILON_FACTOR, 1);
	int64		before = PG_INT64_MAX;

	a.slot_first = ALLOC(int64, s->m + 2);
	a.taken = ALLOC(int32, s->m + 1);
	a.slack_limit = ALLOC0(int32, s->m + 1);
	a.base = ALLOC(int64, s->m + 1);
	a.kicked = ALLOC(int32, s->n);
	a.all.held = ALLOC(int32, s->m + 1);
	a.all.total = 0;
	queue_init(&a.all.cheapest, s->m);
	a.of_group = ALLOC0(Slack, s->groups);
	share_queue(s, a.of_group, held);
	a.slot_first[0] = 0;
	for (int32 j = 0; j <= s->m; j++)
	{
		a.slot_first[j + 1] = a.slot_first[j] + s->room[j];
		if (!s->scarce[j])
		{
			a.all.total += s->room[j];
			a.slack_limit[j] = s->room[j] - s->floor[j];
			if (s->group[j] != NOBODY)
				a.of_group[s->group[j]].total += s->room[j];
		}
	}
	for (int32 i = 0; i < s->n; i++)
		a.all.total -= !s->scarce_customer[i];
	for (int32 g = 0; g < s->groups; g++)
	{
		a.of_group[g].total = Max(a.of_group[g].total - s->limit[g], 0);
		a.all.total -= a.of_group[g].total;
	}
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

			memcpy(saved, s->price, sizeof(int64) * nodes);
			round_prices(s, scratch);
			rounded = count_displaced(s);
			if (rounded <= FEW_DISPLACED)
				break;
			memcpy(s->price, saved, sizeof(int64) * nodes);
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
	pfree(a.all.held);
	pfree(a.slack_limit);
	pfree(a.base);
	pfree(a.kicked);
	queue_free(&a.all.cheapest);
	if (s->groups > 0)
		queue_free(&a.of_group[0].cheapest);
	pfree(a.of_group);
	pfree(held);
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
