/*-------------------------------------------------------------------------
 * allocate_input.c
 *		What an assignment is made of, read from two queries of a user.
 *-------------------------------------------------------------------------
 */
#include "allocate_input.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#define RADIX_BITS		11
#define RADIX			(1 << RADIX_BITS)

/* Customers and holders are counted in 32 bits, with room for two more. */
#define MAX_MEMBERS		(PG_INT32_MAX - 2)

static const Oid integers[] = {INT2OID, INT4OID, INT8OID, InvalidOid};
static const Oid numbers[] = {INT2OID, INT4OID, INT8OID, FLOAT4OID, FLOAT8OID, NUMERICOID, InvalidOid};

static double
number_value(Datum value, Oid type)
{
	switch (type)
	{
		case INT2OID:
			return DatumGetInt16(value);
		case INT4OID:
			return DatumGetInt32(value);
		case INT8OID:
			return (double) DatumGetInt64(value);
		case FLOAT4OID:
			return DatumGetFloat4(value);
		case FLOAT8OID:
			return DatumGetFloat8(value);
		default:
			return DatumGetFloat8(DirectFunctionCall1(numeric_float8, value));
	}
}

static int64
integer_value(Datum value, Oid type)
{
	return type == INT2OID ? DatumGetInt16(value) :
		type == INT4OID ? DatumGetInt32(value) : DatumGetInt64(value);
}

/*
 * Room for one more element; the array doubles when it is full.
 */
static void *
grow(AssignInput *input, void *array, int64 count, int64 *space, Size size)
{
	if (count < *space)
		return array;
	*space = Max(*space * 2, 1024);
	if (array == NULL)
		return MemoryContextAllocHuge(input->context, mul_size(*space, size));
	return repalloc_huge(array, mul_size(*space, size));
}

static void
take_holder(void *arg, const Datum *values, const bool *nulls)
{
	AssignInput *input = arg;
	int64		id = integer_value(values[0], input->column[0].type);
	int64		capacity = integer_value(values[1], input->column[1].type);
	int64		floor = nulls[2] ? 0 : integer_value(values[2], input->column[2].type);

	if (capacity < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("capacity \"" INT64_FORMAT "\" of holder " INT64_FORMAT " is negative",
						capacity, id)));
	if (floor < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("floor \"" INT64_FORMAT "\" of holder " INT64_FORMAT " is negative",
						floor, id)));
	if (floor > capacity)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("floor \"" INT64_FORMAT "\" of holder " INT64_FORMAT " is above its capacity \"" INT64_FORMAT "\"",
						floor, id, capacity)));
	input->holders = grow(input, input->holders, input->holder_count,
						  &input->holder_space, sizeof(AssignHolder));
	input->holders[input->holder_count++] = (AssignHolder) {id, capacity, floor, nulls[3] ? id : integer_value(values[3], input->column[3].type), -1};
	input->floors |= floor > 0;
}

static inline uint64
hash_id(int64 id)
{
	uint64		h = (uint64) id * UINT64CONST(0x9e3779b97f4a7c15);

	return h ^ (h >> 32);
}

/* The index of a holder, or -1 */
static inline int32
find_holder(const AssignInput *input, int64 id)
{
	for (uint64 h = hash_id(id) & input->table_mask;; h = (h + 1) & input->table_mask)
	{
		int32		holder = input->table[h] - 1;

		if (holder < 0 || input->holders[holder].id == id)
			return holder;
	}
}

/* The benefit of an edge, without leaving anything behind. */
static double
benefit_value(AssignInput *input, Datum value)
{
	MemoryContext old = MemoryContextSwitchTo(input->row_context);
	double		benefit = number_value(value, input->column[2].type);

	MemoryContextSwitchTo(old);
	if (input->column[2].type == NUMERICOID)
		MemoryContextReset(input->row_context);
	if (isnan(benefit) || isinf(benefit))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("column \"%s\" of the %s query is \"%s\"", "benefit", "edges",
						isnan(benefit) ? "NaN" : benefit > 0 ? "Infinity" : "-Infinity")));
	return benefit;
}

static void
take_edge(void *arg, const Datum *values, const bool *nulls)
{
	AssignInput *input = arg;
	AssignEdge *edge;
	int64		id = integer_value(values[1], input->column[1].type);
	double		benefit = benefit_value(input, values[2]);
	int64		load = nulls[3] ? 1 : integer_value(values[3], input->column[3].type);
	int32		holder = find_holder(input, id);

	if (holder < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("holder " INT64_FORMAT " of the edges query has no row in the capacities query",
						id),
				 errhint("Give every holder a capacity; 0 is allowed.")));
	if (load < 0 || load > PG_INT32_MAX)
		ereport(ERROR,
				(errcode(load < 0 ? ERRCODE_INVALID_PARAMETER_VALUE : ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("load \"" INT64_FORMAT "\" of customer " INT64_FORMAT " with holder " INT64_FORMAT " is %s",
						load, integer_value(values[0], input->column[0].type), id,
						load < 0 ? "negative" : "out of range"),
				 errhint("A load is a whole number from 0 to %d.", PG_INT32_MAX)));
	input->edges = grow(input, input->edges, input->edge_count,
						&input->edge_space, sizeof(AssignEdge));
	edge = &input->edges[input->edge_count++];
	edge->customer = integer_value(values[0], input->column[0].type);
	edge->benefit = benefit;
	edge->holder = holder;
	edge->load = (int32) load;
}

static int
compare_holders(const void *a, const void *b)
{
	int64		x = ((const AssignHolder *) a)->id;
	int64		y = ((const AssignHolder *) b)->id;

	return x < y ? -1 : x > y;
}

/*
 * Order the holders by id, refuse repeated ones and make them easy to find.
 */
static void
index_holders(AssignInput *input)
{
	uint64		size = 16;

	if (input->holder_count > MAX_MEMBERS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("the capacities query returns more than %d holders", MAX_MEMBERS)));
	if (input->holder_count > 0)
		qsort(input->holders, input->holder_count, sizeof(AssignHolder), compare_holders);
	while (size < (uint64) input->holder_count * 2)
		size *= 2;
	input->table_mask = size - 1;
	input->table = MemoryContextAllocExtended(input->context, mul_size(size, sizeof(int32)),
											  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	for (int64 j = 0; j < input->holder_count; j++)
	{
		uint64		h = hash_id(input->holders[j].id) & input->table_mask;

		if (j > 0 && input->holders[j].id == input->holders[j - 1].id)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("holder " INT64_FORMAT " appears more than once in the capacities query",
							input->holders[j].id)));
		while (input->table[h] != 0)
			h = (h + 1) & input->table_mask;
		input->table[h] = (int32) j + 1;
	}
}

/*
 * Find the holder within which each is.
 */
static void
find_groups(AssignInput *input)
{
	for (int64 j = 0; j < input->holder_count; j++)
	{
		AssignHolder *holder = &input->holders[j];

		if (holder->within == holder->id)
			continue;
		holder->group = find_holder(input, holder->within);
		if (holder->group < 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("holder " INT64_FORMAT " is within holder " INT64_FORMAT ", which has no row in the capacities query",
							holder->id, holder->within),
					 errhint("A holder that is within none is within itself.")));
		if (input->holders[holder->group].within != holder->within || input->holders[holder->group].floor > 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("holder " INT64_FORMAT " is within holder " INT64_FORMAT ", which %s",
							holder->id, holder->within,
							input->holders[holder->group].floor > 0 ? "has a floor" : "is within another itself"),
					 errhint("A holder in which others are has a capacity only.")));
		input->grouped = true;
	}
}

static inline bool
edge_before(const AssignEdge *a, const AssignEdge *b)
{
	return a->customer != b->customer ? a->customer < b->customer : a->holder < b->holder;
}

/*
 * Sort the edges by customer and holder: radix sort from the last digit,
 * skipping digits in which all agree.
 */
static void
sort_edges(AssignInput *input)
{
	AssignEdge *from = input->edges;
	AssignEdge *to;
	int64		n = input->edge_count;
	int64		low = PG_INT64_MAX;
	int64		high = PG_INT64_MIN;
	bool		sorted = true;

	for (int64 e = 0; e < n; e++)
	{
		low = Min(low, from[e].customer);
		high = Max(high, from[e].customer);
		if (e > 0 && edge_before(&from[e], &from[e - 1]))
			sorted = false;
	}
	if (sorted)
		return;

	to = MemoryContextAllocHuge(input->context, mul_size(n, sizeof(AssignEdge)));
	for (int key = 0; key < 2; key++)
	{
		uint64		range = key == 0 ? (uint64) input->holder_count - 1 :
			(uint64) high - (uint64) low;

		for (int shift = 0; shift < 64 && (range >> shift) > 0; shift += RADIX_BITS)
		{
			int64		start[RADIX + 1] = {0};
			AssignEdge *swap;

#define DIGIT(edge) \
			(((key == 0 ? (uint64) (edge).holder : (uint64) (edge).customer - (uint64) low) \
			  >> shift) & (RADIX - 1))

			CHECK_FOR_INTERRUPTS();
			for (int64 e = 0; e < n; e++)
				start[DIGIT(from[e]) + 1]++;
			for (int d = 0; d < RADIX; d++)
				start[d + 1] += start[d];
			for (int64 e = 0; e < n; e++)
				to[start[DIGIT(from[e])]++] = from[e];
#undef DIGIT
			swap = from;
			from = to;
			to = swap;
		}
	}
	input->edges = from;
	pfree(to);
}

/*
 * Count the customers, refuse repeated edges, and see whether loads matter.
 */
static void
check_edges(AssignInput *input)
{
	int64		customers = 0;
	int32	   *load = MemoryContextAllocHuge(input->context, mul_size(input->holder_count + 1, sizeof(int32)));

	memset(load, -1, sizeof(int32) * input->holder_count);
	for (int64 e = 0; e < input->edge_count; e++)
	{
		const AssignEdge *edge = &input->edges[e];

		if (e == 0 || edge->customer != edge[-1].customer)
			customers++;
		else if (edge->holder == edge[-1].holder)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("customer " INT64_FORMAT " and holder " INT64_FORMAT " appear more than once in the edges query",
							edge->customer, input->holders[edge->holder].id),
					 errhint("Aggregate the edges query by customer_id and holder_id.")));
		if (load[edge->holder] < 0)
			load[edge->holder] = edge->load;
		else if (load[edge->holder] != edge->load)
			input->weighted = true;
	}
	if (customers > MAX_MEMBERS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("the edges query returns more than %d customers", MAX_MEMBERS)));
	input->customers = (int32) customers;
	pfree(load);
}

/*
 * Read both queries, with the rights of the caller.  Where all customers of a
 * holder count alike, the load is left to whoever makes a problem of it.
 */
void
assign_read(AssignInput *input, MemoryContext context, const char *edges, const char *capacities)
{
	MemoryContext old;

	memset(input, 0, sizeof(AssignInput));
	input->context = context;
	input->row_context = AllocSetContextCreate(context, "assign row", ALLOCSET_SMALL_SIZES);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	input->column[0] = (GivenColumn) {.name = "holder_id", .types = integers, .cast = INT8OID};
	input->column[1] = (GivenColumn) {.name = "capacity", .types = integers, .cast = INT8OID};
	input->column[2] = (GivenColumn) {.name = "floor", .types = integers, .cast = INT8OID, .optional = true};
	input->column[3] = (GivenColumn) {.name = "within", .types = integers, .cast = INT8OID, .optional = true};
	given_query_rows(capacities, "capacities", 4, input->column, take_holder, input);
	index_holders(input);
	find_groups(input);
	input->column[0] = (GivenColumn) {.name = "customer_id", .types = integers, .cast = INT8OID};
	input->column[1] = (GivenColumn) {.name = "holder_id", .types = integers, .cast = INT8OID};
	input->column[2] = (GivenColumn) {.name = "benefit", .types = numbers, .cast = FLOAT8OID};
	input->column[3] = (GivenColumn) {.name = "load", .types = integers, .cast = INT8OID, .optional = true};
	given_query_rows(edges, "edges", 4, input->column, take_edge, input);
	SPI_finish();

	old = MemoryContextSwitchTo(context);
	sort_edges(input);
	check_edges(input);
	MemoryContextSwitchTo(old);
}

/*
 * Benefits become integer costs: multiples of a power of two, such that the
 * largest magnitude fits into so many bits.  Returns by which power of two they
 * were multiplied.
 */
int
assign_costs(const AssignInput *input, int bits, bool maximize, int64 *cost)
{
	double		largest = 0;
	double		factor1;
	double		factor2;
	int			exponent;

	for (int64 e = 0; e < input->edge_count; e++)
		largest = Max(largest, fabs(input->edges[e].benefit));
	(void) frexp(largest, &exponent);
	exponent = bits - exponent;

	/* one factor alone might overflow */
	factor1 = ldexp(1.0, exponent / 2);
	factor2 = ldexp(maximize ? -1.0 : 1.0, exponent - exponent / 2);
	for (int64 e = 0; e < input->edge_count; e++)
		cost[e] = llrint(input->edges[e].benefit * factor1 * factor2);
	return exponent;
}
