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
 * A floor, the least number of customers of a holder, bounds the room that may
 * stay free there.  A maximum matching grown from one that meets the floors
 * meets them, so they cost no customer a place, and the price of a holder that
 * stands at its floor may be negative.
 *
 * A group of holders with a limit of its own is a second layer: what it cannot
 * take is free room that must stay within it, and its price comes on top of
 * those of its holders.  Customers who find no place there have one outside, so
 * a group makes no holder scarce.
 *
 * 4. The result is proven: a vertex cover as large as the matching, and prices
 *	  at which no customer would move and nothing is left over.
 *
 * The same problem gives the same answer: there is no randomness in it.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "allocate_steps.h"

#include "port/pg_bitutils.h"

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
		for (int32 j = 0; j < s->m + 2 + s->groups; j++)
			s->price[j] /= factor;
		s->span /= factor;
		s->grain /= factor;
	}
}

/*
 * Prove the optimum by its duals: no customer has a cheaper holder at these
 * prices; scarce holders and the dummy are full; plain holders hold no more
 * than they have room for, have no price if some of the room is free, and a
 * negative one only at their floor; a group that is not full has no price
 * either, and those of its holders count from its own.  With the cover checked in match() this makes the
 * assignment one of the largest and among those one of the cheapest.
 */
static void
prove(const Solver *s)
{
	int64	   *load = ALLOC0(int64, s->m + 1);
	int64	   *held = ALLOC0(int64, s->groups + 1);

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
		int64		zero = 0;

		if (s->group[j] != NOBODY)
		{
			zero = s->price[group_node(s, s->group[j])];
			held[s->group[j]] += load[j];
		}
		if (s->scarce[j] ? load[j] != s->room[j]
			: (load[j] > s->room[j] || load[j] < s->floor[j] ||
			   (load[j] < s->room[j] && s->price[j] > zero) ||
			   (load[j] > s->floor[j] && s->price[j] < zero)))
			elog(ERROR, "cannot happen: holder %d breaks its optimality condition", j);
	}
	for (int32 g = 0; g < s->groups; g++)
	{
		if (held[g] > s->limit[g] || s->price[group_node(s, g)] < 0 ||
			(held[g] < s->limit[g] && s->price[group_node(s, g)] > 0))
			elog(ERROR, "cannot happen: group %d breaks its optimality condition", g);
	}
	pfree(load);
	pfree(held);
}

/*
 * Assign as many customers as possible at the least total cost: assigned[i]
 * becomes the holder of customer i, or -1.  prices may be NULL; its arrays are
 * made here.  Returns false where the floors cannot all be met; stats says why.
 * Memory is left to the current context.
 */
bool
allocate_solve(AllocateProblem *problem, int32 *assigned, AllocatePrices *prices,
			   AllocateStats *stats)
{
	Solver		s = {0};
	int64		low = 0;
	int64		high = 0;
	uint64		bits = 0;
	int64		overload = 0;
	int32	   *load;
	int64	   *held;

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
	s.floor = ALLOC0(int32, s.m + 1);
	for (int32 j = 0; problem->floor && j < s.m; j++)
	{
		s.floor[j] = problem->floor[j];
		s.floors += s.floor[j];
	}
	s.groups = problem->group ? problem->groups : 0;
	s.group = ALLOC(int32, s.m + 1);
	for (int32 j = 0; j <= s.m; j++)
		s.group[j] = s.groups > 0 && j < s.m ? problem->group[j] : NOBODY;
	s.limit = problem->limit;
	s.prices = prices;
	s.scarce = ALLOC(bool, s.m + 1);
	s.scarce_customer = ALLOC(bool, s.n);
	s.price = ALLOC0(int64, s.m + 2 + s.groups);

	if (!allocate_match(&s))
		return false;

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
	held = ALLOC0(int64, s.groups + 1);
	for (int32 i = 0; i < s.n; i++)
	{
		int64		v1;
		int64		v2;

		s.at[i] = best_holder(&s, i, &v1, &v2);
		if (++load[s.at[i]] > s.room[s.at[i]])
			overload++;
		else if (s.group[s.at[i]] != NOBODY && ++held[s.group[s.at[i]]] > s.limit[s.group[s.at[i]]])
			overload++;
	}
	for (int32 j = 0; j < s.m; j++)
		overload += s.scarce[j] ? 0 : Max(s.floor[j] - load[j], 0);
	if (overload > FEW_DISPLACED)
	{
		scale_costs(&s, fine_bits(s.m));
		allocate_auction(&s);
		scale_costs(&s, -fine_bits(s.m));
	}
	allocate_exchange(&s);
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
	return true;
}
