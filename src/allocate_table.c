/*-------------------------------------------------------------------------
 * allocate_table.c
 *		Reads the arrays that say who is to be given to whom.
 *-------------------------------------------------------------------------
 */
#include "allocate_table.h"

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/memutils.h"

static int
by_staff(const void *a, const void *b)
{
	return table_order(((const Seat *) a)->staff, ((const Seat *) b)->staff);
}

static int
by_customer(const void *a, const void *b)
{
	return table_order(((const Guest *) a)->customer, ((const Guest *) b)->customer);
}

static int
bar_order(const void *a, const void *b)
{
	const Bar  *x = a,
			   *y = b;

	return x->customer != y->customer ? table_order(x->customer, y->customer) : table_order(x->staff, y->staff);
}

void *
table_memory(Size n, Size size)
{
	return MemoryContextAllocHuge(CurrentMemoryContext, mul_size(Max(n, 1), size));
}

/*
 * An argument as a column. Errors: 22004 null, 2202E more than one dimension.
 */
Column
table_column(FunctionCallInfo fcinfo, int argument, const char *name)
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

void
table_same_length(Column column, const char *name, Column other, const char *other_name)
{
	if (column.n != other.n)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"%s\" has %d elements and \"%s\" has %d", name, column.n, other_name, other.n)));
}

/*
 * Staff and customers, each named once. Errors: 22023.
 */
void
table_init(Table *table, Column customers, Column staff, Column keys, Column rooms)
{
	memset(table, 0, sizeof(Table));
	table->seats = staff.n;
	table->seat = table_memory(staff.n, sizeof(Seat));
	for (int i = 0; i < staff.n; i++)
		table->seat[i] = (Seat) {.staff = staff.value[i], .key = keys.value[i], .room = rooms.value[i], .position = i};
	qsort(table->seat, staff.n, sizeof(Seat), by_staff);
	for (int i = 1; i < staff.n; i++)
		if (table->seat[i].staff == table->seat[i - 1].staff)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("staff member " INT64_FORMAT " is named twice", table->seat[i].staff)));

	table->guests = customers.n;
	table->guest = table_memory(customers.n, sizeof(Guest));
	table->given = table_memory(customers.n, sizeof(int64));
	table->left = table_memory(customers.n, sizeof(bool));
	for (int i = 0; i < customers.n; i++)
	{
		table->guest[i] = (Guest) {.customer = customers.value[i], .position = i};
		table->left[i] = true;
	}
	qsort(table->guest, customers.n, sizeof(Guest), by_customer);
	for (int i = 1; i < customers.n; i++)
		if (table->guest[i].customer == table->guest[i - 1].customer)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("customer " INT64_FORMAT " is named twice", table->guest[i].customer)));
}

/*
 * The kind of each customer, from 1, and what each kind counts with each
 * member of staff, kinds of one member side by side. Errors: 22023, 22003.
 */
void
table_set_kinds(Table *table, Column kinds, Column kind_loads)
{
	if (table->seats == 0)
		return;
	if (kinds.n != table->guests || kind_loads.n == 0 || kind_loads.n % table->seats != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%d kinds and %d loads do not suit %d customers and %d members of staff",
						kinds.n, kind_loads.n, table->guests, table->seats)));
	table->kinds = kind_loads.n / table->seats;
	table->kind_load = kind_loads.value;
	for (int i = 0; i < kind_loads.n; i++)
		if (kind_loads.value[i] < 0 || kind_loads.value[i] > MAX_KIND_LOAD)
			ereport(ERROR,
					(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					 errmsg("load " INT64_FORMAT " is out of range", kind_loads.value[i])));
	for (int i = 0; i < table->guests; i++)
	{
		Guest	   *guest = &table->guest[i];
		int64		kind = kinds.value[guest->position];

		if (kind < 1 || kind > table->kinds)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("kind " INT64_FORMAT " of customer " INT64_FORMAT " has no loads", kind, guest->customer)));
		guest->kind = (int32) kind - 1;
	}
}

/*
 * The pairs that must not meet; the guests stand in order of the customer.
 */
void
table_set_bars(Table *table, Column barred_customers, Column barred_staff)
{
	int			b = 0;

	table->bars = barred_staff.n;
	table->bar = table_memory(barred_staff.n, sizeof(Bar));
	for (int i = 0; i < barred_staff.n; i++)
		table->bar[i] = (Bar) {barred_customers.value[i], barred_staff.value[i]};
	qsort(table->bar, table->bars, sizeof(Bar), bar_order);
	for (int i = 0; i < table->guests; i++)
	{
		Guest	   *guest = &table->guest[i];

		while (b < table->bars && table->bar[b].customer < guest->customer)
			b++;
		guest->first_bar = b;
		while (b < table->bars && table->bar[b].customer == guest->customer)
			b++;
		guest->bars = b - guest->first_bar;
	}
}

bool
table_is_barred(const Table *table, const Guest *guest, const Seat *seat)
{
	Bar			wanted = {guest->customer, seat->staff};

	return guest->bars > 0 &&
		bsearch(&wanted, table->bar + guest->first_bar, guest->bars, sizeof(Bar), bar_order) != NULL;
}

/*
 * The staff for each customer as an array, null where there is none.
 */
Datum
table_answer(const Table *table)
{
	Datum	   *element = table_memory(table->guests, sizeof(Datum));
	int			n = table->guests;
	int			lower = 1;

	if (n == 0)
		return PointerGetDatum(construct_empty_array(INT8OID));
	for (int i = 0; i < n; i++)
		element[i] = table->left[i] ? (Datum) 0 : Int64GetDatum(table->given[i]);
	return PointerGetDatum(construct_md_array(element, table->left, 1, &n, &lower, INT8OID,
											  sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}
