/*-------------------------------------------------------------------------
 * kpi_accounts.c
 *		The accounts of a whole book from the timelines and facets of its customers.
 *
 * Each cell (unit, channel, kind) that occurs owns a dense block of counters:
 * balances as changes by month, turnovers by period.  What is posted after
 * the settled day is kept by day in a hash table instead.  Blocks are then
 * summed up the tree and written out packed.
 *-------------------------------------------------------------------------
 */
#include "kpi_entries.h"

#include "base_key.h"
#include "base_parts.h"
#include "base_query.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "funcapi.h"
#include "kpi_cells.h"
#include "miscadmin.h"
#include "storage/ipc.h"
#include "utils/builtins.h"
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
	int64	   *money;			/* months of each money balance */
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

/* A customer; the facets are packed, NULL where a model of 0.1 has none */
typedef struct Held
{
	Timeline	timeline;
	struct varlena *facets;
} Held;

typedef struct Accounts
{
	DateADT		settled;
	bool		extends;		/* where a timeline begins before the first month, else an error */
	bool		has_facets;		/* beside the timelines, as but a model of 0.1 has them */
	int			first_month;
	int			nperiods[GRAIN_TRAILING + 1];	/* GRAIN_DAY: months of balances */
	int			first_period[GRAIN_TRAILING + 1];
	Size		offset[GRAIN_TRAILING + 1];
	Size		block_size;		/* counters in a block */
	int			nseries;
	int16	   *series_account;
	int16	   *series_class;
	int			plain_series[ACC_LAST_BALANCE + 1];
	blocks_hash *blocks;
	CellBlock	last;			/* the block used last */
	entries_hash *entries;
	Poster	   *poster;
	/* the tree: pairs, ascending by descendant */
	int64		npairs;
	int64		pair_size;
	struct Pair
	{
		int64		ancestor;
		int64		descendant;
	}		   *pair;
	/* customers read but not posted yet */
	int			nheld;
	Held	   *held;
	MemoryContext held_context;
} Accounts;

/*
 * Timelines posted at a time, ordered by unit: those of one unit find its
 * blocks in the cache of the processor.
 */
#define HELD_TIMELINES 65536
#define HELD_BYTES (64 * 1024 * 1024)

static int
series_of(Accounts *a, const Posting *p)
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
allocate_block(Accounts *a, CellBlock *b)
{
	Size		money = sizeof(int64) * N_MONEY * a->nperiods[GRAIN_DAY];

	b->money = MemoryContextAllocExtended(a->blocks->ctx, money + a->block_size * sizeof(int32),
										  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	b->count = (int32 *) ((char *) b->money + money);
}

static CellBlock *
get_block(Accounts *a, CellKey key)
{
	bool		found;
	CellBlock  *b = blocks_insert(a->blocks, key, &found);

	if (!found)
		allocate_block(a, b);
	return b;
}

static void
post_to_book(void *arg, const Posting *p)
{
	Accounts   *a = arg;
	int			period;
	Size		at;

	if (p->day > a->settled)
	{
		entries_add(a->entries, p);
		return;
	}
	if (a->last.count == NULL || a->last.key.org != p->org || a->last.key.channel != p->channel ||
		a->last.key.company != p->company)
		a->last = *get_block(a, (CellKey) {.org = p->org, .channel = p->channel, .company = p->company});
	period = (p->grain == GRAIN_DAY ? month_of(p->day) : p->period) - a->first_period[p->grain];
	if (period < 0 || period >= a->nperiods[p->grain])
		elog(ERROR, "a posting lies outside of the periods");
	if (IS_MONEY(p->account))
	{
		a->last.money[(p->account - ACC_PREMIUM) * a->nperiods[GRAIN_DAY] + period] += p->n;
		return;
	}
	at = a->offset[p->grain];
	if (p->grain == GRAIN_DAY)
		at += (Size) series_of(a, p) * a->nperiods[GRAIN_DAY];
	else
		at += (Size) (p->account - ACC_FIRST_TURNOVER) * a->nperiods[p->grain];
	a->last.count[at + period] += (int32) p->n;
	/* trailing months are kept as changes, like balances */
	if (p->grain == GRAIN_TRAILING && period + p->periods < a->nperiods[GRAIN_TRAILING])
		a->last.count[at + period + p->periods] -= (int32) p->n;
}

static int
held_cmp(const Held *x, const Held *y)
{
	const Standing *p = x->timeline.row;
	const Standing *q = y->timeline.row;

	if (p->org != q->org)
		return compare_keys(p->org, q->org);
	if (p->channel != q->channel)
		return compare_keys(p->channel, q->channel);
	return x->timeline.company - y->timeline.company;
}

#define ST_SORT sort_held
#define ST_ELEMENT_TYPE Held
#define ST_COMPARE(a, b) held_cmp(a, b)
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

static void
post_held(Accounts *a)
{
	sort_held(a->held, a->nheld);
	for (int i = 0; i < a->nheld; i++)
	{
		Held	   *h = &a->held[i];
		Facets		f;

		CHECK_FOR_INTERRUPTS();
		if (h->facets)
			facets_unpack(h->facets, &f);
		poster_run(a->poster, &h->timeline, h->facets ? &f : NULL, 1);
		if (h->facets)
			pfree(f.row);
	}
	a->nheld = 0;
	MemoryContextReset(a->held_context);
}

/* Lay the counters of a block out, from the period of first_day on. */
static void
lay_out(Accounts *a, DateADT first_day)
{
	a->first_month = month_of(first_day);
	a->block_size = 0;
	for (Grain g = GRAIN_DAY; g <= GRAIN_TRAILING; g++)
	{
		a->first_period[g] = period_of(g, first_day);
		a->nperiods[g] = period_of(g, a->settled) - a->first_period[g] + 1;
		a->offset[g] = a->block_size;
		a->block_size += (Size) a->nperiods[g] * (g == GRAIN_DAY ? a->nseries : N_TURNOVERS);
	}
}

/* Make room in every block for periods from that of an earlier day on. */
static void
extend_back(Accounts *a, DateADT first_day)
{
	Accounts	old = *a;
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
		for (int s = 0; s < N_MONEY; s++)
			memcpy(b->money + (Size) (s + 1) * a->nperiods[GRAIN_DAY] - old.nperiods[GRAIN_DAY],
				   money + (Size) s * old.nperiods[GRAIN_DAY], old.nperiods[GRAIN_DAY] * sizeof(int64));
		for (Grain g = GRAIN_DAY; g <= GRAIN_TRAILING; g++)
			for (int s = 0; s < (g == GRAIN_DAY ? a->nseries : N_TURNOVERS); s++)
				memcpy(b->count + a->offset[g] + (Size) (s + 1) * a->nperiods[g] - old.nperiods[g],
					   was + old.offset[g] + (Size) s * old.nperiods[g], old.nperiods[g] * sizeof(int32));
		pfree(money);
	}
}

static void
customer_row(void *arg, const Datum *v, const bool *nulls)
{
	Accounts   *a = arg;
	MemoryContext old;
	Held		h = {0};

	if (nulls[0])
		return;
	old = MemoryContextSwitchTo(a->held_context);
	timeline_unpack(pg_detoast_datum_packed((struct varlena *) DatumGetPointer(v[0])), &h.timeline);
	if (a->has_facets && !nulls[1])
		h.facets = pg_detoast_datum_copy((struct varlena *) DatumGetPointer(v[1]));
	MemoryContextSwitchTo(old);
	if (h.timeline.n == 0)
		return;
	if (h.timeline.row[0].from < month_start(a->first_month))
	{
		if (!a->extends)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("a timeline begins before the first day")));
		extend_back(a, h.timeline.row[0].from);
	}
	a->held[a->nheld++] = h;
	if (a->nheld == HELD_TIMELINES || MemoryContextMemAllocated(a->held_context, false) > HELD_BYTES)
		post_held(a);
}

static void
pair_row(void *arg, const Datum *v, const bool *nulls pg_attribute_unused())
{
	Accounts   *a = arg;

	a->pair = make_room(a->pair, a->npairs, &a->pair_size, sizeof(*a->pair));
	a->pair[a->npairs].ancestor = DatumGetInt64(v[0]);
	a->pair[a->npairs++].descendant = DatumGetInt64(v[1]);
}

static int
pair_cmp(const void *a, const void *b)
{
	const struct Pair *x = a;
	const struct Pair *y = b;

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

static void
accumulate(int32 *count, int nseries, int n)
{
	for (int s = 0; s < nseries; s++, count += n)
		for (int i = 1; i < n; i++)
			count[i] += count[i - 1];
}

/* Changes become values; what a unit holds goes to those above. */
static CellBlock *
sum_up(Accounts *a, int *nblocks)
{
	blocks_iterator it;
	CellBlock  *b;
	int			n = 0;
	int			own;
	CellBlock  *all = palloc_array(CellBlock, Max(a->blocks->members, 1));

	blocks_start_iterate(a->blocks, &it);
	while ((b = blocks_iterate(a->blocks, &it)) != NULL)
	{
		accumulate(b->count + a->offset[GRAIN_DAY], a->nseries, a->nperiods[GRAIN_DAY]);
		accumulate(b->count + a->offset[GRAIN_TRAILING], N_TURNOVERS, a->nperiods[GRAIN_TRAILING]);
		for (int m = 0; m < N_MONEY; m++)
			for (int i = 1; i < a->nperiods[GRAIN_DAY]; i++)
				b->money[m * a->nperiods[GRAIN_DAY] + i] += b->money[m * a->nperiods[GRAIN_DAY] + i - 1];
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

/*
 * Columns: account, grain, org_id, subtree, year, cells, day, n, entries.  Of
 * cells the last three are NULL; of entries grain, subtree, year and cells.
 */
static void
put_cells(ReturnSetInfo *rsinfo, Account account, Grain grain, const CellKey *key, int year, const Cell *cell, int n)
{
	Datum		values[9] = {
		Int16GetDatum(account),
		Int16GetDatum(grain),
		Int64GetDatum(key->org),
		BoolGetDatum(key->subtree),
		Int16GetDatum(year),
		PointerGetDatum(cells_pack(cell, n))
	};
	bool		nulls[9] = {0, 0, 0, 0, 0, 0, 1, 1, 1};

	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	pfree(DatumGetPointer(values[5]));
}

static void
put_entry_row(void *arg, const EntryRow *row)
{
	ReturnSetInfo *rsinfo = arg;
	Datum		values[9] = {
		Int16GetDatum(row->account),
		0,
		Int64GetDatum(row->org),
		0,
		0,
		0,
		DateADTGetDatum(row->day),
		Int32GetDatum(row->n),
		PointerGetDatum(row->entries)
	};
	bool		nulls[9] = {0, 1, 0, 1, 1, 1, 0, 0, 0};

	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

/* Append the cells of one counter, of money or not, of every block of a unit. */
static inline int
gather(const CellBlock *block, int nblocks, bool money, Size at, int period, int16 class_id, Cell *cell, int n)
{
	for (int b = 0; b < nblocks; b++)
	{
		int64		v = money ? block[b].money[at] : block[b].count[at];

		if (v != 0)
			cell[n++] = (Cell) {
				.period = (int16) period, .class_id = class_id, .company = block[b].key.company,
				.channel = block[b].key.channel, .n = v
			};
	}
	return n;
}

/* The cells of one account and grain, unit by unit and year by year */
static void
put_account(ReturnSetInfo *rsinfo, const Accounts *a, const CellBlock *block, int nblocks,
			Account account, Grain grain, Cell *cell)
{
	static const int in_year[] = {12, 12, 4, 1, 12};
	int		   *series = palloc_array(int, a->nseries);	/* of the account */
	int			nseries = 0;

	for (int s = 0; s < a->nseries; s++)
		if (a->series_account[s] == (int16) account)
			series[nseries++] = s;
	for (int i = 0, j; i < nblocks; i = j)
	{
		int			n = 0;

		for (j = i; j < nblocks && block[j].key.org == block[i].key.org &&
			 block[j].key.subtree == block[i].key.subtree;)
			j++;
		CHECK_FOR_INTERRUPTS();
		for (int period = 0; period < a->nperiods[grain]; period++)
		{
			int			number = a->first_period[grain] + period;

			if (IS_MONEY(account))
				n = gather(block + i, j - i, true, (Size) (account - ACC_PREMIUM) * a->nperiods[grain] + period,
						   number % in_year[grain], 0, cell, n);
			else if (grain == GRAIN_DAY)
			{
				for (int s = 0; s < nseries; s++)
					n = gather(block + i, j - i, false,
							   a->offset[grain] + (Size) series[s] * a->nperiods[grain] + period,
							   number % in_year[grain], a->series_class[series[s]], cell, n);
			}
			else
				n = gather(block + i, j - i, false,
						   a->offset[grain] + (Size) (account - ACC_FIRST_TURNOVER) * a->nperiods[grain] + period,
						   number % in_year[grain], 0, cell, n);
			if (n > 0 && (period + 1 == a->nperiods[grain] || (number + 1) % in_year[grain] == 0))
			{
				put_cells(rsinfo, account, grain == GRAIN_DAY ? GRAIN_MONTH : grain,
						  &block[i].key, 1900 + number / in_year[grain], cell, n);
				n = 0;
			}
		}
	}
	pfree(series);
}

/* Most blocks that one unit has, by itself or with its subtree */
static int
largest_unit(const CellBlock *block, int nblocks)
{
	int			most = 0;

	for (int i = 0, j; i < nblocks; i = j)
	{
		for (j = i; j < nblocks && block[j].key.org == block[i].key.org &&
			 block[j].key.subtree == block[i].key.subtree;)
			j++;
		most = Max(most, j - i);
	}
	return most;
}

static const Oid pair_types[] = {INT8OID, INT8OID};

/*
 * Accounts of timelines to come.  first_day: none begins before it; settled:
 * the day up to which cells hold; until: the last day for which entries are
 * made; classes: the largest class id.  Errors: 22023.
 */
static Accounts *
accounts_create(DateADT first_day, DateADT settled, DateADT until, int classes)
{
	Accounts   *a = palloc0_object(Accounts);

	if (classes < 0 || classes > PG_INT16_MAX || first_day < TIMELINE_FIRST_DAY || settled < first_day ||
		until < settled || until > TIMELINE_LAST_DAY)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("days or classes are out of range")));
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
	a->entries = entries_create(CurrentMemoryContext, 1024, NULL);
	a->poster = poster_create(settled, until, post_to_book, a);
	a->held = palloc_array(Held, HELD_TIMELINES);
	a->has_facets = !model_is_0_1();
	a->held_context = AllocSetContextCreate(CurrentMemoryContext, "crm timelines", ALLOCSET_DEFAULT_SIZES);
	return a;
}

/* Cells of every unit, summed up the tree. */
static void
put_all_cells(ReturnSetInfo *rsinfo, Accounts *a)
{
	int			nblocks;
	CellBlock  *block = sum_up(a, &nblocks);
	Cell	   *cell = palloc_array(Cell, (Size) largest_unit(block, nblocks) * a->nseries * CELL_PERIODS + 1);

	for (Account x = ACC_INSURED; x <= ACC_LAST_BALANCE; x++)
		if (account_is_balance(x))
			put_account(rsinfo, a, block, nblocks, x, GRAIN_DAY, cell);
	for (Account x = ACC_FIRST_TURNOVER; x <= ACC_LAST_TURNOVER; x++)
		for (Grain g = GRAIN_MONTH; g <= GRAIN_TRAILING; g++)
			put_account(rsinfo, a, block, nblocks, x, g, cell);
}

static void
begin_accounts(FunctionCallInfo fcinfo, const char *name, int may_be_null)
{
	for (int i = 0; i < PG_NARGS(); i++)
		if (i != may_be_null && PG_ARGISNULL(i))
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("arguments of %s must not be NULL", name)));
	InitMaterializedSRF(fcinfo, 0);
	if (((ReturnSetInfo *) fcinfo->resultinfo)->setDesc->natts != 9)
		elog(ERROR, "function must return nine columns");
}

PG_FUNCTION_INFO_V1(crm_accounts);
/*
 * accounts(timelines, tree, first_day, settled, until, classes)
 * timelines: a query for crm.timeline and crm.facets values; tree: a query for pairs
 * (ancestor, descendant) of units, bigint, NULL for entries only; the others as of
 * accounts_create().  Errors: 22023, 22004, and what the queries raise.
 */
Datum
crm_accounts(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	MemoryContext here;
	Accounts   *a;
	Oid			types[2];

	begin_accounts(fcinfo, "crm._accounts", 1);
	a = accounts_create(PG_GETARG_DATEADT(2), PG_GETARG_DATEADT(3), PG_GETARG_DATEADT(4), PG_GETARG_INT32(5));
	here = CurrentMemoryContext;
	SPI_connect();
	MemoryContextSwitchTo(here);
	types[0] = crm_type("timeline");
	types[1] = a->has_facets ? crm_type("facets") : InvalidOid;
	query_rows(text_to_cstring(PG_GETARG_TEXT_PP(0)), a->has_facets ? 2 : 1, types, customer_row, a);
	post_held(a);
	if (!PG_ARGISNULL(1))
		query_rows(text_to_cstring(PG_GETARG_TEXT_PP(1)), 2, pair_types, pair_row, a);
	SPI_finish();
	if (!PG_ARGISNULL(1))
		put_all_cells(rsinfo, a);
	entries_pack(a->entries, a->settled, put_entry_row, rsinfo);
	return (Datum) 0;
}

static KeptQuery timelines_of_part = {
	.sql = "SELECT s.timeline, s.facets FROM crm.standing s WHERE s.slot = $1 AND s.customer_id >= $2 AND s.customer_id < $3",
	.nargs = 3, .args = {INT2OID, INT8OID, INT8OID}
};

PG_FUNCTION_INFO_V1(crm_accounts_of);
/*
 * accounts_of(fill, args, parts, slot, tree, first_day, settled, until, classes)
 * The accounts of the timelines in a slot, of the customers from <= id < to;
 * parts holds such pairs.  fill NULL: they are there; else they are made
 * meanwhile by fill(args, part), in background sessions where these can be had.
 * The others as of accounts(), but a timeline may begin before first_day.
 * Errors: 22023, 22004, 54000, 57014, what fill raises.
 */
Datum
crm_accounts_of(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	MemoryContext here;
	Accounts   *a;
	Parts	   *parts;

	begin_accounts(fcinfo, "crm._accounts_of", 0);
	a = accounts_create(PG_GETARG_DATEADT(5), PG_GETARG_DATEADT(6), PG_GETARG_DATEADT(7), PG_GETARG_INT32(8));
	a->extends = true;
	here = CurrentMemoryContext;
	parts = parts_begin(PG_ARGISNULL(0) ? InvalidOid : PG_GETARG_OID(0), PG_GETARG_DATUM(1), PG_GETARG_DATUM(2), 2);
	PG_ENSURE_ERROR_CLEANUP(parts_break_off, PointerGetDatum(parts));
	{
		SPI_connect();
		MemoryContextSwitchTo(here);
		for (int i = 0; i < parts_count(parts); i++)
		{
			int			n;
			const int64 *range = part_items(parts, i, &n);
			Datum		args[3] = {PG_GETARG_DATUM(3), Int64GetDatum(range[0]), Int64GetDatum(range[n - 1])};

			if (!PG_ARGISNULL(0))
				parts_wait(parts, i);
			kept_query_rows(&timelines_of_part, args, NULL, 2, customer_row, a);
		}
		parts_end(parts);
	}
	PG_END_ENSURE_ERROR_CLEANUP(parts_break_off, PointerGetDatum(parts));
	post_held(a);
	query_rows(text_to_cstring(PG_GETARG_TEXT_PP(4)), 2, pair_types, pair_row, a);
	SPI_finish();
	put_all_cells(rsinfo, a);
	entries_pack(a->entries, a->settled, put_entry_row, rsinfo);
	return (Datum) 0;
}
