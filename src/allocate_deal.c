/*-------------------------------------------------------------------------
 * allocate_deal.c
 *		crm.deal: customers dealt to staff so that loads come out level.
 *
 * One customer after the other goes to the least loaded member of staff who
 * has room and is not barred from that customer; the customers barred from
 * most come first, while there is choice. With s members of staff and b
 * barred pairs it takes (n + b) log s after sorting.
 *-------------------------------------------------------------------------
 */
#include "crm.h"

#include "catalog/pg_type.h"
#include "lib/binaryheap.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/memutils.h"

/* A column of the input: keys or numbers, none of them null. */
typedef struct Column
{
	const int64 *value;
	int			n;
} Column;

typedef struct Seat
{
	int64		staff;
	int64		load;
	int64		room;
} Seat;

typedef struct Guest
{
	int64		customer;
	int32		position;		/* in the input */
	int32		bars;			/* number of pairs below that name the customer */
	int64		first_bar;
} Guest;

typedef struct Bar
{
	int64		customer;
	int64		staff;
} Bar;

static void *
allocate(Size n, Size size)
{
	return MemoryContextAllocHuge(CurrentMemoryContext, Max(n, 1) * size);
}

static int
order(int64 a, int64 b)
{
	return (a > b) - (a < b);
}

static int
by_staff(const void *a, const void *b)
{
	return order(((const Seat *) a)->staff, ((const Seat *) b)->staff);
}

static int
by_customer(const void *a, const void *b)
{
	return order(((const Guest *) a)->customer, ((const Guest *) b)->customer);
}

static int
by_bars(const void *a, const void *b)
{
	const Guest *x = a,
			   *y = b;

	return x->bars != y->bars ? order(y->bars, x->bars) : order(x->customer, y->customer);
}

static int
bar_order(const void *a, const void *b)
{
	const Bar  *x = a,
			   *y = b;

	return x->customer != y->customer ? order(x->customer, y->customer) : order(x->staff, y->staff);
}

/* Above zero if seat a takes the next customer before seat b. */
static int
least_loaded_first(Datum a, Datum b, void *seats)
{
	const Seat *x = (const Seat *) seats + DatumGetInt32(a),
			   *y = (const Seat *) seats + DatumGetInt32(b);

	return x->load != y->load ? order(y->load, x->load) : order(y->staff, x->staff);
}

/* Tell each guest its pairs; both arrays in order of the customer. */
static void
count_bars(Guest *guest, int guests, const Bar *bar, int bars)
{
	int			b = 0;

	for (int i = 0; i < guests; i++)
	{
		while (b < bars && bar[b].customer < guest[i].customer)
			b++;
		guest[i].first_bar = b;
		while (b < bars && bar[b].customer == guest[i].customer)
			b++;
		guest[i].bars = b - guest[i].first_bar;
	}
}

static bool
is_barred(const Guest *guest, const Bar *bar, int64 staff)
{
	Bar			wanted = {guest->customer, staff};

	return guest->bars > 0 &&
		bsearch(&wanted, bar + guest->first_bar, guest->bars, sizeof(Bar), bar_order) != NULL;
}

/* Guests in the order in which they are served; the staff of each to dealt, by its position. */
static void
deal(const Guest *guest, int guests, Seat *seat, int seats, const Bar *bar, int64 *dealt, bool *left)
{
	binaryheap *heap = binaryheap_allocate(Max(seats, 1), least_loaded_first, seat);
	int32	   *passed_over = allocate(seats, sizeof(int32));

	for (int s = 0; s < seats; s++)
		if (seat[s].room > 0)
			binaryheap_add_unordered(heap, Int32GetDatum(s));
	binaryheap_build(heap);
	for (int i = 0; i < guests; i++)
	{
		int			passed = 0;

		CHECK_FOR_INTERRUPTS();
		left[guest[i].position] = true;
		while (!binaryheap_empty(heap))
		{
			int32		s = DatumGetInt32(binaryheap_first(heap));

			if (is_barred(&guest[i], bar, seat[s].staff))
			{
				passed_over[passed++] = s;
				binaryheap_remove_first(heap);
				continue;
			}
			left[guest[i].position] = false;
			dealt[guest[i].position] = seat[s].staff;
			seat[s].load++;
			if (--seat[s].room > 0)
				binaryheap_replace_first(heap, Int32GetDatum(s));
			else
				binaryheap_remove_first(heap);
			break;
		}
		while (passed > 0)
			binaryheap_add(heap, Int32GetDatum(passed_over[--passed]));
	}
}

static Column
get_column(FunctionCallInfo fcinfo, int argument, const char *name)
{
	ArrayType  *array;
	Column		column;

	if (PG_ARGISNULL(argument))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("\"%s\" must not be null", name)));
	array = PG_GETARG_ARRAYTYPE_P(argument);
	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("\"%s\" must have one dimension", name)));
	if (array_contains_nulls(array))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("\"%s\" must not contain nulls", name)));
	if (ARR_ELEMTYPE(array) != INT8OID)
		elog(ERROR, "\"%s\" is not an array of bigint", name);
	column.n = ARR_NDIM(array) == 0 ? 0 : ARR_DIMS(array)[0];
	/* an array may have a bitmap of nulls without any null; its data are aligned all the same */
	column.value = (const int64 *) ARR_DATA_PTR(array);
	return column;
}

static void
check_length(Column column, const char *name, Column other, const char *other_name)
{
	if (column.n != other.n)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"%s\" has %d elements and \"%s\" has %d", name, column.n, other_name, other.n)));
}

PG_FUNCTION_INFO_V1(crm_allocate_deal);
/*
 * crm.deal(customers, staff, loads, rooms, barred_customers, barred_staff) -> staff[]:
 * the member of staff for each customer, null where nobody with room is left
 * who is not barred; loads are what each has already, rooms how many more each
 * may take. The answer does not depend on the order of the input.
 * Errors: 22004 null, 22023 lengths that differ or a key named twice, 22003 load.
 */
Datum
crm_allocate_deal(PG_FUNCTION_ARGS)
{
	Column		customers = get_column(fcinfo, 0, "customers");
	Column		staff = get_column(fcinfo, 1, "staff");
	Column		loads = get_column(fcinfo, 2, "loads");
	Column		rooms = get_column(fcinfo, 3, "rooms");
	Column		barred_customers = get_column(fcinfo, 4, "barred_customers");
	Column		barred_staff = get_column(fcinfo, 5, "barred_staff");
	Guest	   *guest;
	Seat	   *seat;
	Bar		   *bar;
	int64	   *dealt;
	bool	   *left;
	Datum	   *element;
	int			lower = 1;

	check_length(loads, "loads", staff, "staff");
	check_length(rooms, "rooms", staff, "staff");
	check_length(barred_customers, "barred_customers", barred_staff, "barred_staff");

	seat = allocate(staff.n, sizeof(Seat));
	for (int i = 0; i < staff.n; i++)
	{
		if (loads.value[i] > PG_INT64_MAX - customers.n)
			ereport(ERROR,
					(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					 errmsg("load " INT64_FORMAT " of staff member " INT64_FORMAT " is out of range",
							loads.value[i], staff.value[i])));
		seat[i].staff = staff.value[i];
		seat[i].load = loads.value[i];
		seat[i].room = rooms.value[i];
	}
	qsort(seat, staff.n, sizeof(Seat), by_staff);
	for (int i = 1; i < staff.n; i++)
		if (seat[i].staff == seat[i - 1].staff)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("staff member " INT64_FORMAT " is named twice", seat[i].staff)));

	guest = allocate(customers.n, sizeof(Guest));
	for (int i = 0; i < customers.n; i++)
	{
		guest[i].customer = customers.value[i];
		guest[i].position = i;
	}
	qsort(guest, customers.n, sizeof(Guest), by_customer);
	for (int i = 1; i < customers.n; i++)
		if (guest[i].customer == guest[i - 1].customer)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("customer " INT64_FORMAT " is named twice", guest[i].customer)));

	bar = allocate(barred_staff.n, sizeof(Bar));
	for (int i = 0; i < barred_staff.n; i++)
	{
		bar[i].customer = barred_customers.value[i];
		bar[i].staff = barred_staff.value[i];
	}
	qsort(bar, barred_staff.n, sizeof(Bar), bar_order);
	count_bars(guest, customers.n, bar, barred_staff.n);
	qsort(guest, customers.n, sizeof(Guest), by_bars);

	dealt = allocate(customers.n, sizeof(int64));
	left = allocate(customers.n, sizeof(bool));
	deal(guest, customers.n, seat, staff.n, bar, dealt, left);

	element = allocate(customers.n, sizeof(Datum));
	for (int i = 0; i < customers.n; i++)
		element[i] = left[i] ? (Datum) 0 : Int64GetDatum(dealt[i]);
	PG_RETURN_ARRAYTYPE_P(customers.n == 0 ? construct_empty_array(INT8OID) :
						  construct_md_array(element, left, 1, &customers.n, &lower, INT8OID,
											 sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}
