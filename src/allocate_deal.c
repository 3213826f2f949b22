/*-------------------------------------------------------------------------
 * allocate_deal.c
 *		crm.deal: customers dealt one after the other to whoever comes first
 *		by the strategy, has room and is not barred.
 *
 * Each kind of customer has a heap of the staff it still fits; a member of
 * staff who has no room for a kind leaves its heap for good, since rooms only
 * shrink. What the strategy goes by only grows, so an entry that another kind
 * has made stale is found too early at worst, and put back where it belongs.
 * With s members of staff, k kinds and b barred pairs it takes
 * (s k + n k + b) log s after sorting.
 *-------------------------------------------------------------------------
 */
#include "allocate_table.h"

#include "miscadmin.h"
#include "utils/builtins.h"

typedef enum Strategy
{
	LEVEL,						/* least key first, which grows by the load */
	WEIGHTED,					/* Sainte-Lague: (2 given + 1) / weight */
	IN_TURN						/* key is a place in a queue: who is served goes to its end */
} Strategy;

typedef struct Entry
{
	int64		key;			/* as it was when the entry was placed */
	int32		seat;
	int32		gifts;
} Entry;

typedef struct Heap
{
	Entry	   *entry;
	int			n;
	bool		made;
} Heap;

typedef struct Deal
{
	Table	   *table;
	Strategy	strategy;
	int64	   *weight;			/* of each seat, for WEIGHTED */
	Heap	   *heap;			/* one for each kind */
	int64		last_turn;
} Deal;

/* Whether a comes before b. */
static inline bool
before(const Deal *deal, const Entry *a, const Entry *b)
{
	int			order;

	if (deal->strategy == WEIGHTED)
	{
		/* (2 a + 1) / wa and (2 b + 1) / wb by quotient and remainder */
		int64		wa = deal->weight[a->seat],
					wb = deal->weight[b->seat],
					na = 2 * a->key + 1,
					nb = 2 * b->key + 1;

		order = table_order(na / wa, nb / wb);
		if (order == 0)
			order = table_order((na % wa) * wb, (nb % wb) * wa);
	}
	else
		order = table_order(a->key, b->key);
	return order != 0 ? order < 0 : a->seat < b->seat;
}

static void
sift_down(const Deal *deal, Heap *heap, int at)
{
	Entry		moving = heap->entry[at];

	for (;;)
	{
		int			child = 2 * at + 1;

		if (child >= heap->n)
			break;
		if (child + 1 < heap->n && before(deal, &heap->entry[child + 1], &heap->entry[child]))
			child++;
		if (!before(deal, &heap->entry[child], &moving))
			break;
		heap->entry[at] = heap->entry[child];
		at = child;
	}
	heap->entry[at] = moving;
}

static void
add(const Deal *deal, Heap *heap, Entry entry)
{
	int			at = heap->n++;

	while (at > 0 && before(deal, &entry, &heap->entry[(at - 1) / 2]))
	{
		heap->entry[at] = heap->entry[(at - 1) / 2];
		at = (at - 1) / 2;
	}
	heap->entry[at] = entry;
}

static void
remove_first(const Deal *deal, Heap *heap)
{
	heap->entry[0] = heap->entry[--heap->n];
	if (heap->n > 0)
		sift_down(deal, heap, 0);
}

static Entry
entry_of(const Deal *deal, int seat)
{
	return (Entry) {deal->table->seat[seat].key, seat, deal->table->seat[seat].gifts};
}

static Heap *
heap_of(Deal *deal, int kind)
{
	Heap	   *heap = &deal->heap[kind];

	if (!heap->made)
	{
		heap->made = true;
		heap->entry = table_memory(deal->table->seats, sizeof(Entry));
		for (int s = 0; s < deal->table->seats; s++)
			if (table_fits(deal->table, &deal->table->seat[s], kind) && (deal->strategy != WEIGHTED || deal->weight[s] > 0))
				heap->entry[heap->n++] = entry_of(deal, s);
		for (int i = heap->n / 2 - 1; i >= 0; i--)
			sift_down(deal, heap, i);
	}
	return heap;
}

/* The first of a heap as it is now, or NULL. */
static Seat *
first_seat(const Deal *deal, Heap *heap, int kind)
{
	while (heap->n > 0)
	{
		Seat	   *seat = &deal->table->seat[heap->entry[0].seat];

		if (!table_fits(deal->table, seat, kind))
			remove_first(deal, heap);
		else if (heap->entry[0].gifts != seat->gifts)
		{
			heap->entry[0] = entry_of(deal, heap->entry[0].seat);
			sift_down(deal, heap, 0);
		}
		else
			return seat;
	}
	return NULL;
}

/* Guests in the order in which they stand. */
static void
deal_all(Deal *deal)
{
	Table	   *table = deal->table;
	Entry	   *passed_over = table_memory(table->seats, sizeof(Entry));

	for (int i = 0; i < table->guests; i++)
	{
		const Guest *guest = &table->guest[i];
		Heap	   *heap = heap_of(deal, guest->kind);
		int			passed = 0;
		Seat	   *seat;

		CHECK_FOR_INTERRUPTS();
		while ((seat = first_seat(deal, heap, guest->kind)) != NULL && table_is_barred(table, guest, seat))
		{
			passed_over[passed++] = heap->entry[0];
			remove_first(deal, heap);
		}
		if (seat != NULL)
		{
			table_give(table, guest, seat);
			seat->key = deal->strategy == IN_TURN ? ++deal->last_turn :
				seat->key + table_load(table, seat, guest->kind);
		}
		while (passed > 0)
			add(deal, heap, passed_over[--passed]);
	}
}

/* Guests with least choice first, then those who count most. */
static int
by_need(const void *a, const void *b, void *arg)
{
	const Guest *x = a,
			   *y = b;
	const int64 *heaviest = arg;

	if (x->bars != y->bars)
		return table_order(y->bars, x->bars);
	if (heaviest != NULL && heaviest[x->kind] != heaviest[y->kind])
		return table_order(heaviest[y->kind], heaviest[x->kind]);
	return table_order(x->customer, y->customer);
}

static int
by_position(const void *a, const void *b)
{
	return table_order(((const Guest *) a)->position, ((const Guest *) b)->position);
}

static void
rank_guests(Table *table)
{
	int64	   *heaviest = NULL;

	if (table->kind_load != NULL)
	{
		heaviest = table_memory(table->kinds, sizeof(int64));
		memset(heaviest, 0, sizeof(int64) * table->kinds);
		for (int s = 0; s < table->seats; s++)
			for (int k = 0; k < table->kinds; k++)
				heaviest[k] = Max(heaviest[k], table_load(table, &table->seat[s], k));
	}
	qsort_arg(table->guest, table->guests, sizeof(Guest), by_need, heaviest);
}

/* Seats take what the strategy goes by from their keys. */
static void
begin_strategy(Deal *deal, Table *table, Strategy strategy)
{
	/* the most that may come to a key, or to twice what is given */
	const int64 most = (int64) Max(table->guests, 1) * (table->kind_load == NULL ? 1 : MAX_KIND_LOAD);

	deal->table = table;
	deal->strategy = strategy;
	deal->heap = table_memory(Max(table->kinds, 1), sizeof(Heap));
	memset(deal->heap, 0, sizeof(Heap) * Max(table->kinds, 1));
	deal->last_turn = PG_INT64_MIN;
	if (strategy == WEIGHTED)
		deal->weight = table_memory(table->seats, sizeof(int64));
	for (int s = 0; s < table->seats; s++)
	{
		Seat	   *seat = &table->seat[s];

		if (strategy == WEIGHTED)
		{
			if (seat->key < 0 || seat->key > 1000000)
				ereport(ERROR,
						(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
						 errmsg("weight " INT64_FORMAT " of staff member " INT64_FORMAT " is out of range", seat->key, seat->staff),
						 errhint("Weights are whole numbers from 0 to 1000000.")));
			deal->weight[s] = seat->key;
			seat->key = 0;
		}
		else if (seat->key > PG_INT64_MAX - most)
			ereport(ERROR,
					(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					 errmsg("load " INT64_FORMAT " of staff member " INT64_FORMAT " is out of range",
							seat->key, seat->staff)));
		deal->last_turn = Max(deal->last_turn, seat->key);
	}
}

static Strategy
parse_strategy(const char *name)
{
	if (strcmp(name, "level") == 0)
		return LEVEL;
	if (strcmp(name, "weighted") == 0)
		return WEIGHTED;
	if (strcmp(name, "in_turn") == 0)
		return IN_TURN;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("there is no way of dealing \"%s\"", name),
			 errhint("The ways are level, weighted and in_turn.")));
	return LEVEL;
}

PG_FUNCTION_INFO_V1(crm_allocate_deal);
/*
 * crm.deal(customers, staff, loads, rooms, barred_customers, barred_staff) -> staff[]:
 * the member of staff for each customer, null where nobody with room is left
 * who is not barred; loads are what each has already, rooms how many more each
 * may take. The answer does not depend on the order of the input.
 * Errors: 22004 null, 22023 lengths that differ or a key named twice, 22003 load, 2202E.
 */
Datum
crm_allocate_deal(PG_FUNCTION_ARGS)
{
	Column		customers = table_column(fcinfo, 0, "customers");
	Column		staff = table_column(fcinfo, 1, "staff");
	Column		loads = table_column(fcinfo, 2, "loads");
	Column		rooms = table_column(fcinfo, 3, "rooms");
	Column		barred_customers = table_column(fcinfo, 4, "barred_customers");
	Column		barred_staff = table_column(fcinfo, 5, "barred_staff");
	Table		table;
	Deal		deal;

	table_same_length(loads, "loads", staff, "staff");
	table_same_length(rooms, "rooms", staff, "staff");
	table_same_length(barred_customers, "barred_customers", barred_staff, "barred_staff");
	table_init(&table, customers, staff, loads, rooms);
	table_set_bars(&table, barred_customers, barred_staff);
	rank_guests(&table);
	begin_strategy(&deal, &table, LEVEL);
	deal_all(&deal);
	PG_RETURN_DATUM(table_answer(&table));
}

PG_FUNCTION_INFO_V1(crm_allocate_deal_by);
/*
 * crm._deal(way, customers, kinds, staff, keys, rooms, kind_loads,
 * barred_customers, barred_staff, as_given) -> staff[]: as crm.deal where
 * customers count differently. way: level (least key first, which grows by the
 * load), weighted (keys are weights: Sainte-Lague on the load given) or in_turn
 * (keys are places in a queue); kinds from 1; kind_loads: what each kind counts
 * with each member of staff, kinds of one member side by side; as_given:
 * customers are served in the order of the input, else those barred from most
 * first, then the heaviest, then by key. Ties go to the smaller staff key.
 * Errors: 22004, 22023, 22003, 2202E.
 */
Datum
crm_allocate_deal_by(PG_FUNCTION_ARGS)
{
	Column		customers = table_column(fcinfo, 1, "customers");
	Column		kinds = table_column(fcinfo, 2, "kinds");
	Column		staff = table_column(fcinfo, 3, "staff");
	Column		keys = table_column(fcinfo, 4, "keys");
	Column		rooms = table_column(fcinfo, 5, "rooms");
	Column		kind_loads = table_column(fcinfo, 6, "kind_loads");
	Column		barred_customers = table_column(fcinfo, 7, "barred_customers");
	Column		barred_staff = table_column(fcinfo, 8, "barred_staff");
	Strategy	strategy;
	Table		table;
	Deal		deal;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(9))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("\"%s\" must not be null", PG_ARGISNULL(0) ? "way" : "as_given")));
	strategy = parse_strategy(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	table_same_length(keys, "keys", staff, "staff");
	table_same_length(rooms, "rooms", staff, "staff");
	table_same_length(barred_customers, "barred_customers", barred_staff, "barred_staff");
	table_init(&table, customers, staff, keys, rooms);
	table_set_kinds(&table, kinds, kind_loads);
	table_set_bars(&table, barred_customers, barred_staff);
	if (PG_GETARG_BOOL(9))
		qsort(table.guest, table.guests, sizeof(Guest), by_position);
	else
		rank_guests(&table);
	begin_strategy(&deal, &table, strategy);
	deal_all(&deal);
	PG_RETURN_DATUM(table_answer(&table));
}
