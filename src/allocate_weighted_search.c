/*-------------------------------------------------------------------------
 * allocate_weighted_search.c
 *		Weighted assignments improved by moves and ejections, taken apart in
 *		places and built up again.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "allocate_weighted_steps.h"

#include "miscadmin.h"

/* Of each holder so many customers are looked at for one to eject. */
#define EJECTION_LOOKS		64

/* So much work is one round of the search, and for few edges so much each. */
#define ROUND_WORK			2000000
#define EDGE_WORK			1000

/* Holders taken apart together, and customers taken from them */
#define APART_HOLDERS		4
#define APART_CUSTOMERS		10

/* ... from among so many of one holder */
#define APART_MEMBERS		256

/*
 * The best move of one customer: to a holder with room, or to one where
 * another makes room by going elsewhere or being left out.  Returns how much
 * work it was.
 */
static int64
improve_customer(const Weighted *w, Plan *plan, int32 i, bool *improved)
{
	int64		from = plan->at[i];
	int32		j = from == NONE ? NOBODY : w->holder[from];
	int64		now = from == NONE ? w->leave : w->cost[from];
	int64		best = 0;
	int64		to = NONE;
	int64		other_to = NONE;
	int32		other = NOBODY;
	int64		work = 0;

	for (int64 e = w->first[i]; e < w->first[i + 1]; e++)
	{
		int32		k = w->holder[e];
		int64		change = w->cost[e] - now;
		int64		need = w->load[e] - plan->room[k];
		int			looks = EJECTION_LOOKS;

		work++;
		if (k == j)
			continue;
		if (need <= 0)
		{
			if (change < best)
			{
				best = change;
				to = e;
				other = NOBODY;
			}
			continue;
		}
		if (w->load[e] > w->capacity[k])
			continue;
		for (int32 o = plan->head[k]; o != NOBODY && looks > 0; o = plan->next[o], looks--)
		{
			int64		at = plan->at[o];
			int64		base = change - w->cost[at];

			work += 2;
			if (w->load[at] < need || base + w->low[o] >= best)
				continue;
			if (base + w->leave < best)
			{
				best = base + w->leave;
				to = e;
				other = o;
				other_to = NONE;
			}
			for (int64 f = w->first[o]; f < w->first[o + 1]; f++)
			{
				int32		l = w->holder[f];

				work++;
				if (base + w->cost[f] >= best || l == k)
					continue;
				if (w->load[f] <= plan->room[l] + (l == j ? w->load[from] : 0))
				{
					best = base + w->cost[f];
					to = e;
					other = o;
					other_to = f;
				}
			}
		}
	}
	*improved = to != NONE;
	if (*improved)
	{
		if (other != NOBODY)
			plan_move(w, plan, other, NONE);
		plan_move(w, plan, i, to);
		if (other != NOBODY && other_to != NONE)
			plan_move(w, plan, other, other_to);
	}
	return work;
}

/*
 * Improve a plan as long as single moves do, or for so much work (0: as much as
 * ten rounds of the search, or as there are edges).
 */
void
plan_improve(Weighted *w, Plan *plan, int64 work)
{
	bool		any = true;

	if (work == 0)
		work = Max(10 * ROUND_WORK, w->first[w->n]);
	while (any && work > 0)
	{
		any = false;
		for (int32 i = 0; i < w->n && work > 0; i++)
		{
			bool		improved;

			CHECK_FOR_INTERRUPTS();
			work -= improve_customer(w, plan, i, &improved);
			any |= improved;
		}
	}
}

/* Customers taken from their holders */
typedef struct Apart
{
	int32		customer[APART_CUSTOMERS];
	int32		count;
} Apart;

/*
 * Take some customers from a holder, at random.
 */
static void
take_apart(Weighted *w, Plan *plan, Apart *apart, int32 j)
{
	int32		want = 1 + some_number(w, APART_CUSTOMERS / APART_HOLDERS);
	int32		members = 0;

	for (int32 i = plan->head[j]; i != NOBODY && members < APART_MEMBERS; i = plan->next[i])
		members++;
	for (int32 i = plan->head[j], next; members > 0 && want > 0; i = next, members--)
	{
		next = plan->next[i];
		if ((int32) some_number(w, members) >= want || apart->count == APART_CUSTOMERS)
			continue;
		apart->customer[apart->count++] = i;
		plan_move(w, plan, i, NONE);
		want--;
	}
}

/*
 * Build up again: always the one next who would lose most by waiting.
 */
static int64
build_up(const Weighted *w, Plan *plan, const Apart *apart, const double *price)
{
	int64		work = 0;

	for (;;)
	{
		int32		next = NOBODY;
		int64		to = NONE;
		double		most = 0;

		for (int32 k = 0; k < apart->count; k++)
		{
			int32		i = apart->customer[k];
			double		regret;
			int64		e;

			if (plan->at[i] != NONE)
				continue;
			e = plan_cheapest(w, plan, price, i, &regret);
			work += w->first[i + 1] - w->first[i];
			if (e != NONE && (next == NOBODY || regret > most))
			{
				most = regret;
				next = i;
				to = e;
			}
		}
		if (next == NOBODY)
			return work;
		plan_move(w, plan, next, to);
	}
}

/*
 * One round of the search: parts of the plan around some customer are taken
 * apart, built up again and improved; what is not much worse than the best
 * stays (record-to-record travel, Dueck 1993).
 */
void
weighted_search(Weighted *w, Plan *plan)
{
	int64		range = (w->best_cost - cost_bound(w)) / Max(4, w->n / (2 * APART_CUSTOMERS));

	for (int64 work = 0; work < Min(ROUND_WORK, EDGE_WORK * w->first[w->n]);)
	{
		Apart		apart;
		int32		i = (int32) some_number(w, w->n);
		int64		degree = w->first[i + 1] - w->first[i];
		int64		best = w->best_cost + w->leave * w->best_left;
		int64		before = plan_value(w, plan);

		CHECK_FOR_INTERRUPTS();
		work += 100;
		if (degree == 0)
			continue;
		apart.count = 0;
		plan->steps = 0;
		plan->keeps_steps = true;
		if (plan->at[i] == NONE)
			apart.customer[apart.count++] = i;
		else
			take_apart(w, plan, &apart, w->holder[plan->at[i]]);
		for (int k = 1; k < APART_HOLDERS; k++)
			take_apart(w, plan, &apart, w->holder[w->first[i] + some_number(w, (uint32) Min(degree, PG_INT32_MAX))]);
		work += build_up(w, plan, &apart, some_number(w, 2) == 0 ? w->price : w->no_price);
		for (int32 k = 0; k < 2 * apart.count; k++)
		{
			bool		improved;

			work += improve_customer(w, plan, apart.customer[k % apart.count], &improved);
		}
		plan->keeps_steps = false;
		plan_keep(w, plan);
		if (plan_value(w, plan) > Max(before, best + some_number(w, 1024) * (range / 1024)))
		{
			while (plan->steps-- > 0)
				plan_move(w, plan, plan->who[plan->steps], plan->was[plan->steps]);
		}
	}
}
