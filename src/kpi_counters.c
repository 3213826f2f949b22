/*-------------------------------------------------------------------------
 * kpi_counters.c
 *		What the accounts of a whole book hold, cell by cell.
 *
 * Each cell (unit, channel, kind) that occurs owns a dense block of counters,
 * period by period: balances as changes by month, then the turnovers of each
 * grain.  What one standing changes lies side by side.  Blocks are summed up
 * the tree and written out packed.
 *-------------------------------------------------------------------------
 */
#include "kpi_counters.h"

#include "base_key.h"
#include "base_query.h"
#include "common/hashfn.h"
#include "kpi_cells.h"
#include "miscadmin.h"
#include "utils/memutils.h"

/* Balances by series: accounts without classes, coverage, then class ids */
static const Account plain_balances[] = {
	ACC_INSURED, ACC_INSURED_LONG, ACC_PLAN, ACC_FORMER, ACC_DORMANT, ACC_VIP, ACC_NEAR_VIP, ACC_OVER_10000, ACC_OVER_50000,
	ACC_POLICIES, ACC_REACHABLE, ACC_SERVED, ACC_ORPHAN, ACC_ORPHAN_POLICIES, ACC_PRODUCT
};

#define N_PLAIN					((int) lengthof(plain_balances))
#define SERIES_COVERAGE			(N_PLAIN - 1)	/* + Coverage, 1 to 3 */
#define SERIES_ROLE				(N_PLAIN + 2)	/* + Role, 1 and 2 */
#define SERIES_ACTIVITY_NONE	(N_PLAIN + 5)
#define SERIES_TIER_NONE		(N_PLAIN + 6)
#define SERIES_CLASS			(N_PLAIN + 6)	/* + class id, from 1 */

/* Balances of money, which need wider counters */
#define N_MONEY					(ACC_VIP_PREMIUM - ACC_PREMIUM + 1)
#define IS_MONEY(account)		((account) >= ACC_PREMIUM && (account) <= ACC_VIP_PREMIUM)

typedef struct CellKey
{
	int64		org;
	int64		channel;
	bool		company;
	bool		subtree;
} CellKey;

typedef struct CellBlock
{
	CellKey		key;
	int32	   *count;
	int64	   *money;			/* money balances of each month */
	char		status;
} CellBlock;

static inline uint32
cell_key_hash(const CellKey *k)
{
	return murmurhash32((uint32) k->org * 2654435761U ^ (uint32) k->channel * 40503U ^
						(uint32) (k->company * 2 + k->subtree));
}

static inline bool
cell_key_equal(const CellKey *a, const CellKey *b)
{
	return a->org == b->org && a->channel == b->channel && a->company == b->company &&
		a->subtree == b->subtree;
}

#define SH_PREFIX blocks
#define SH_ELEMENT_TYPE CellBlock
#define SH_KEY_TYPE CellKey
#define SH_KEY key
#define SH_HASH_KEY(tb, k) cell_key_hash(&(k))
#define SH_EQUAL(tb, a, b) cell_key_equal(&(a), &(b))
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

/* A pair of units, of the tree */
typedef struct Pair
{
	int64		ancestor;
	int64		descendant;
} Pair;

struct Counters
{
	DateADT		settled;
	int			first_month;
	int			nperiods[GRAIN_TRAILING + 1];	/* GRAIN_DAY: months of balances */
	int			first_period[GRAIN_TRAILING + 1];
	Size		offset[GRAIN_TRAILING + 1];
	int			width[GRAIN_TRAILING + 1];	/* counters of a period */
	Size		block_size;		/* counters in a block */
	int			nseries;
	int16	   *series_account;
	int16	   *series_class;
	int			plain_series[ACC_LAST_BALANCE + 1];
	blocks_hash *blocks;
	CellBlock	last;			/* the block used last */
	/* the tree, ascending by descendant */
	int64		npairs;
	int64		pair_size;
	Pair	   *pair;
};

static int
series_of(Counters *a, const Posting *p)
{
	int			s;

	switch ((Account) p->account)
	{
		case ACC_COVERAGE:
			return SERIES_COVERAGE + p->class_id;
		case ACC_ROLE:
			return SERIES_ROLE + p->class_id;
		case ACC_ACTIVITY:
			s = p->class_id == 0 ? SERIES_ACTIVITY_NONE : SERIES_CLASS + p->class_id;
			break;
		case ACC_TIER:
			s = p->class_id == 0 ? SERIES_TIER_NONE : SERIES_CLASS + p->class_id;
			break;
		default:
			return a->plain_series[p->account];
	}
	if (s >= a->nseries)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("a timeline has class %d, which is not known", p->class_id)));
	a->series_account[s] = p->account;
	return s;
}

/* Counters of the block at zero: money first, then counts */
static void
allocate_block(Counters *a, CellBlock *b)
{
	Size		money = sizeof(int64) * N_MONEY * a->nperiods[GRAIN_DAY];

	b->money = MemoryContextAllocExtended(a->blocks->ctx, money + a->block_size * sizeof(int32),
										  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	b->count = (int32 *) ((char *) b->money + money);
}

static CellBlock *
get_block(Counters *a, CellKey key)
{
	bool		found;
	CellBlock  *b = blocks_insert(a->blocks, key, &found);

	if (!found)
		allocate_block(a, b);
	return b;
}

/* Add a posting of a settled day. */
void
counters_add(Counters *a, const Posting *p)
{
	int			period;
	Size		at;

	if (a->last.count == NULL || a->last.key.org != p->org || a->last.key.channel != p->channel ||
		a->last.key.company != p->company)
		a->last = *get_block(a, (CellKey) {.org = p->org, .channel = p->channel, .company = p->company});
	period = (p->grain == GRAIN_DAY ? month_of(p->day) : p->period) - a->first_period[p->grain];
	if (period < 0 || period >= a->nperiods[p->grain])
		elog(ERROR, "a posting lies outside of the periods");
	if (IS_MONEY(p->account))
	{
		a->last.money[period * N_MONEY + p->account - ACC_PREMIUM] += p->n;
		return;
	}
	at = a->offset[p->grain] + (Size) period * a->width[p->grain] +
		(p->grain == GRAIN_DAY ? series_of(a, p) : p->account - ACC_FIRST_TURNOVER);
	a->last.count[at] += (int32) p->n;
	/* trailing months are kept as changes, like balances */
	if (p->grain == GRAIN_TRAILING && period + p->periods < a->nperiods[GRAIN_TRAILING])
		a->last.count[at + p->periods * N_TURNOVERS] -= (int32) p->n;
}

/* Lay the counters of a block out, from the period of first_day on. */
static void
lay_out(Counters *a, DateADT first_day)
{
	a->first_month = month_of(first_day);
	a->block_size = 0;
	for (Grain g = GRAIN_DAY; g <= GRAIN_TRAILING; g++)
	{
		a->first_period[g] = period_of(g, first_day);
		a->nperiods[g] = period_of(g, a->settled) - a->first_period[g] + 1;
		a->offset[g] = a->block_size;
		a->width[g] = g == GRAIN_DAY ? a->nseries : N_TURNOVERS;
		a->block_size += (Size) a->nperiods[g] * a->width[g];
	}
}

/* Make room in every block for periods from that of an earlier day on. */
void
counters_extend_back(Counters *a, DateADT first_day)
{
	Counters	old = *a;
	blocks_iterator it;
	CellBlock  *b;

	lay_out(a, first_day);
	a->last.count = NULL;
	blocks_start_iterate(a->blocks, &it);
	while ((b = blocks_iterate(a->blocks, &it)) != NULL)
	{
		int64	   *money = b->money;
		int32	   *was = b->count;

		allocate_block(a, b);
		memcpy(b->money + (a->nperiods[GRAIN_DAY] - old.nperiods[GRAIN_DAY]) * N_MONEY,
			   money, old.nperiods[GRAIN_DAY] * N_MONEY * sizeof(int64));
		for (Grain g = GRAIN_DAY; g <= GRAIN_TRAILING; g++)
			memcpy(b->count + a->offset[g] + (Size) (a->nperiods[g] - old.nperiods[g]) * a->width[g],
				   was + old.offset[g], (Size) old.nperiods[g] * a->width[g] * sizeof(int32));
		pfree(money);
	}
}

/* Whether there are counters for a day. */
bool
counters_begin_by(const Counters *a, DateADT day)
{
	return day >= month_start(a->first_month);
}

/* Add a pair of units to the tree by which the cells are summed up. */
void
counters_add_pair(Counters *a, int64 ancestor, int64 descendant)
{
	a->pair = make_room(a->pair, a->npairs, &a->pair_size, sizeof(Pair));
	a->pair[a->npairs++] = (Pair) {.ancestor = ancestor, .descendant = descendant};
}

static int
pair_cmp(const void *a, const void *b)
{
	const Pair   *x = a;
	const Pair   *y = b;

	if (x->descendant != y->descendant)
		return compare_keys(x->descendant, y->descendant);
	return compare_keys(x->ancestor, y->ancestor);
}

static int
block_cmp(const void *a, const void *b)
{
	const CellKey *x = &((const CellBlock *) a)->key;
	const CellKey *y = &((const CellBlock *) b)->key;

	if (x->org != y->org)
		return compare_keys(x->org, y->org);
	if (x->subtree != y->subtree)
		return x->subtree - y->subtree;
	if (x->company != y->company)
		return x->company - y->company;
	return compare_keys(x->channel, y->channel);
}

/* Add to every period what the ones before it hold. */
static void
accumulate(Counters *a, CellBlock *b, Grain grain)
{
	Size		width = a->width[grain];
	int32	   *count = b->count + a->offset[grain];

	for (Size i = width; i < a->nperiods[grain] * width; i++)
		count[i] += count[i - width];
}

/* Changes become values; what a unit holds goes to those above. */
static CellBlock *
sum_up(Counters *a, int *nblocks)
{
	blocks_iterator it;
	CellBlock  *b;
	int			n = 0;
	int			own;
	CellBlock  *all = palloc_array(CellBlock, Max(a->blocks->members, 1));

	blocks_start_iterate(a->blocks, &it);
	while ((b = blocks_iterate(a->blocks, &it)) != NULL)
	{
		accumulate(a, b, GRAIN_DAY);
		accumulate(a, b, GRAIN_TRAILING);
		for (int i = N_MONEY; i < a->nperiods[GRAIN_DAY] * N_MONEY; i++)
			b->money[i] += b->money[i - N_MONEY];
		all[n++] = *b;
	}
	own = n;
	qsort(a->pair, a->npairs, sizeof(*a->pair), pair_cmp);
	for (int i = 0; i < own; i++)
	{
		int64		lo = 0,
					hi = a->npairs;

		CHECK_FOR_INTERRUPTS();
		while (lo < hi)
		{
			int64		mid = (lo + hi) / 2;

			if (a->pair[mid].descendant < all[i].key.org)
				lo = mid + 1;
			else
				hi = mid;
		}
		for (; lo < a->npairs && a->pair[lo].descendant == all[i].key.org; lo++)
		{
			CellKey		key = all[i].key;
			CellBlock  *to;

			key.org = a->pair[lo].ancestor;
			key.subtree = true;
			to = get_block(a, key);
			for (Size c = 0; c < a->block_size; c++)
				to->count[c] += all[i].count[c];
			for (int m = 0; m < N_MONEY * a->nperiods[GRAIN_DAY]; m++)
				to->money[m] += all[i].money[m];
		}
	}
	pfree(all);

	all = palloc_array(CellBlock, Max(a->blocks->members, 1));
	n = 0;
	blocks_start_iterate(a->blocks, &it);
	while ((b = blocks_iterate(a->blocks, &it)) != NULL)
		all[n++] = *b;
	qsort(all, n, sizeof(CellBlock), block_cmp);
	*nblocks = n;
	return all;
}

/* The blocks of one unit, by itself or with its subtree */
typedef struct UnitBlocks
{
	const CellBlock *block;
	int			n;
} UnitBlocks;

/* The series of one balance */
typedef struct SeriesList
{
	int			n;
	int		   *series;
} SeriesList;

static const int periods_in_year[] = {12, 12, 4, 1, 12};

/* Append the cells of one counter, of money or not, of every block of a unit. */
static inline int
gather(const UnitBlocks *u, bool money, Size at, int number, int16 class_id, Cell *cell, int n)
{
	for (int b = 0; b < u->n; b++)
	{
		int64		v = money ? u->block[b].money[at] : u->block[b].count[at];

		if (v != 0)
			cell[n++] = (Cell) {
				.period = (int16) number, .class_id = class_id, .company = u->block[b].key.company,
				.channel = u->block[b].key.channel, .n = v
			};
	}
	return n;
}

/* The cells of one account and grain in a year since 1900; returns how many. */
static int
gather_year(const Counters *a, const UnitBlocks *u, Account account, const SeriesList *balance, Grain grain, int year, Cell *cell)
{
	int			in_year = periods_in_year[grain];
	int			first = year * in_year - a->first_period[grain];
	int			n = 0;

	for (int period = Max(first, 0); period < Min(first + in_year, a->nperiods[grain]); period++)
	{
		Size		at = a->offset[grain] + (Size) period * a->width[grain];

		if (IS_MONEY(account))
			n = gather(u, true, (Size) period * N_MONEY + account - ACC_PREMIUM, period - first, 0, cell, n);
		else if (grain == GRAIN_DAY)
			for (int s = 0; s < balance->n; s++)
				n = gather(u, false, at + balance->series[s], period - first, a->series_class[balance->series[s]], cell, n);
		else
			n = gather(u, false, at + account - ACC_FIRST_TURNOVER, period - first, 0, cell, n);
	}
	return n;
}

/* The rows of one unit, in the order of the key of crm.kpi_cell; alone_and_subtree: its own blocks, those of its subtree */
static void
put_unit(const Counters *a, const UnitBlocks alone_and_subtree[2], const SeriesList *balance, Cell *cell, CellRowFunction put, void *arg)
{
	int64		org = alone_and_subtree[alone_and_subtree[0].n == 0].block->key.org;
	int			last_year = a->first_period[GRAIN_YEAR] + a->nperiods[GRAIN_YEAR] - 1;

	for (Account x = ACC_INSURED; x <= ACC_LAST_BALANCE; x++)
	{
		bool		is_balance = account_is_balance(x);

		if (!is_balance && x > ACC_LAST_TURNOVER)
			continue;
		for (int year = a->first_period[GRAIN_YEAR]; year <= last_year; year++)
			for (Grain g = is_balance ? GRAIN_DAY : GRAIN_MONTH; g <= (is_balance ? GRAIN_DAY : GRAIN_TRAILING); g++)
				for (int subtree = 0; subtree < 2; subtree++)
				{
					int			n = gather_year(a, &alone_and_subtree[subtree], x, &balance[x], g, year, cell);
					CellRow		row = {
						.account = x, .grain = g == GRAIN_DAY ? GRAIN_MONTH : g, .org = org,
						.subtree = subtree, .year = (int16) (1900 + year)
					};

					if (n == 0)
						continue;
					row.cells = cells_pack(cell, n);
					put(arg, &row);
					pfree(row.cells);
				}
	}
}

/* For postings from a first day to the settled one, with class ids up to classes */
Counters *
counters_create(DateADT first_day, DateADT settled, int classes)
{
	Counters   *a = palloc0_object(Counters);

	a->settled = settled;
	a->nseries = SERIES_CLASS + 1 + classes;
	a->series_account = palloc0_array(int16, a->nseries);
	a->series_class = palloc0_array(int16, a->nseries);
	for (int i = 0; i < N_PLAIN; i++)
	{
		a->series_account[i] = (int16) plain_balances[i];
		a->plain_series[plain_balances[i]] = i;
	}
	for (int c = COVERAGE_PROSPECT; c <= COVERAGE_FORMER; c++)
	{
		a->series_account[SERIES_COVERAGE + c] = ACC_COVERAGE;
		a->series_class[SERIES_COVERAGE + c] = (int16) c;
	}
	for (int r = ROLE_HOLDER; r <= ROLE_INSURED; r++)
	{
		a->series_account[SERIES_ROLE + r] = ACC_ROLE;
		a->series_class[SERIES_ROLE + r] = (int16) r;
	}
	a->series_account[SERIES_ACTIVITY_NONE] = ACC_ACTIVITY;
	a->series_account[SERIES_TIER_NONE] = ACC_TIER;
	for (int c = 1; c <= classes; c++)
		a->series_class[SERIES_CLASS + c] = (int16) c;
	lay_out(a, first_day);
	a->blocks = blocks_create(CurrentMemoryContext, 1024, NULL);
	return a;
}

/* Put out the cells of every unit, summed up the tree; nothing is to be added any more. */
void
counters_put(Counters *a, CellRowFunction put, void *arg)
{
	int			nblocks;
	CellBlock  *block = sum_up(a, &nblocks);
	Cell	   *cell = NULL;
	Size		cells = 0;
	SeriesList *balance = palloc0_array(SeriesList, ACC_LAST_BALANCE + 1);

	for (int s = 0; s < a->nseries; s++)
	{
		SeriesList *l = &balance[a->series_account[s]];

		if (l->series == NULL)
			l->series = palloc_array(int, a->nseries);
		l->series[l->n++] = s;
	}
	for (int i = 0; i < nblocks;)
	{
		UnitBlocks	u[2] = {{.block = &block[i]}};
		int			most;

		CHECK_FOR_INTERRUPTS();
		while (i < nblocks && block[i].key.org == u[0].block->key.org && !block[i].key.subtree)
			i++, u[0].n++;
		u[1].block = &block[i];
		while (i < nblocks && block[i].key.org == u[0].block->key.org)
			i++, u[1].n++;
		most = Max(u[0].n, u[1].n);
		if (cells < (Size) most * a->nseries * CELL_PERIODS)
		{
			cells = (Size) most * a->nseries * CELL_PERIODS;
			if (cell)
				pfree(cell);
			cell = MemoryContextAllocHuge(CurrentMemoryContext, cells * sizeof(Cell));
		}
		put_unit(a, u, balance, cell, put, arg);
	}
}
