/*-------------------------------------------------------------------------
 * allocate_assign.c
 *		crm.assign(): the best assignment for any two queries.
 *-------------------------------------------------------------------------
 */
#include "crm.h"

#include <math.h>

#include "allocate_solver.h"
#include "base_query.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "portability/instr_time.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/tuplestore.h"

#define RADIX_BITS		11
#define RADIX			(1 << RADIX_BITS)

/* Customers and holders are counted in 32 bits, with room for two more. */
#define MAX_MEMBERS		(PG_INT32_MAX - 2)

typedef struct Holder
{
	int64		id;
	int64		capacity;
} Holder;

typedef struct Edge
{
	int64		customer;
	double		benefit;
	int32		holder;			/* index into the holders in order of id */
} Edge;

typedef struct Input
{
	MemoryContext context;		/* for what is read */
	MemoryContext row_context;	/* reset after each row */
	GivenColumn column[3];		/* of the query that is read */

	Holder	   *holders;
	int64		holder_count;
	int64		holder_space;
	int32	   *table;			/* hash table of holders: index + 1, or 0 */
	uint64		table_mask;

	Edge	   *edges;
	int64		edge_count;
	int64		edge_space;
} Input;

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
grow(Input *input, void *array, int64 count, int64 *space, Size size)
{
	if (count < *space)
		return array;
	*space = Max(*space * 2, 1024);
	if (array == NULL)
		return MemoryContextAllocHuge(input->context, mul_size(*space, size));
	return repalloc_huge(array, mul_size(*space, size));
}

static void
take_holder(void *arg, const Datum *values, const bool *nulls pg_attribute_unused())
{
	Input	   *input = arg;
	int64		id = integer_value(values[0], input->column[0].type);
	int64		capacity = integer_value(values[1], input->column[1].type);

	if (capacity < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("capacity \"" INT64_FORMAT "\" of holder " INT64_FORMAT " is negative",
						capacity, id)));
	input->holders = grow(input, input->holders, input->holder_count,
						  &input->holder_space, sizeof(Holder));
	input->holders[input->holder_count].id = id;
	input->holders[input->holder_count++].capacity = capacity;
}

static inline uint64
hash_id(int64 id)
{
	uint64		h = (uint64) id * UINT64CONST(0x9e3779b97f4a7c15);

	return h ^ (h >> 32);
}

/* The benefit of an edge, without leaving anything behind. */
static double
benefit_value(Input *input, Datum value)
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
take_edge(void *arg, const Datum *values, const bool *nulls pg_attribute_unused())
{
	Input	   *input = arg;
	Edge	   *edge;
	int64		id = integer_value(values[1], input->column[1].type);
	double		benefit = benefit_value(input, values[2]);
	int32		holder = 0;

	for (uint64 h = hash_id(id) & input->table_mask;;
		 h = (h + 1) & input->table_mask)
	{
		holder = input->table[h] - 1;
		if (holder < 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("holder " INT64_FORMAT " of the edges query has no row in the capacities query",
							id),
					 errhint("Give every holder a capacity; 0 is allowed.")));
		if (input->holders[holder].id == id)
			break;
	}
	input->edges = grow(input, input->edges, input->edge_count,
						&input->edge_space, sizeof(Edge));
	edge = &input->edges[input->edge_count++];
	edge->customer = integer_value(values[0], input->column[0].type);
	edge->benefit = benefit;
	edge->holder = holder;
}

static int
compare_holders(const void *a, const void *b)
{
	int64		x = ((const Holder *) a)->id;
	int64		y = ((const Holder *) b)->id;

	return x < y ? -1 : x > y;
}

/*
 * Order the holders by id, refuse repeated ones and make them easy to find.
 */
static void
index_holders(Input *input)
{
	uint64		size = 16;

	if (input->holder_count > MAX_MEMBERS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("the capacities query returns more than %d holders", MAX_MEMBERS)));
	if (input->holder_count > 0)
		qsort(input->holders, input->holder_count, sizeof(Holder), compare_holders);
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

static inline bool
edge_before(const Edge *a, const Edge *b)
{
	return a->customer != b->customer ? a->customer < b->customer : a->holder < b->holder;
}

/*
 * Sort the edges by customer and holder: radix sort from the last digit,
 * skipping digits in which all agree.
 */
static void
sort_edges(Input *input)
{
	Edge	   *from = input->edges;
	Edge	   *to;
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

	to = MemoryContextAllocHuge(input->context, mul_size(n, sizeof(Edge)));
	for (int key = 0; key < 2; key++)
	{
		uint64		range = key == 0 ? (uint64) input->holder_count - 1 :
			(uint64) high - (uint64) low;

		for (int shift = 0; shift < 64 && (range >> shift) > 0; shift += RADIX_BITS)
		{
			int64		start[RADIX + 1] = {0};
			Edge	   *swap;

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
 * Benefits become integer costs: multiples of a power of two, such that the
 * largest magnitude fits into the bits the solver allows.
 */
static void
set_costs(const Input *input, AllocateProblem *problem, bool maximize)
{
	double		largest = 0;
	double		factor1;
	double		factor2;
	int			exponent;

	for (int64 e = 0; e < input->edge_count; e++)
		largest = Max(largest, fabs(input->edges[e].benefit));
	(void) frexp(largest, &exponent);
	exponent = allocate_cost_bits(problem->holders) - exponent;

	/* one factor alone might overflow */
	factor1 = ldexp(1.0, exponent / 2);
	factor2 = ldexp(maximize ? -1.0 : 1.0, exponent - exponent / 2);
	for (int64 e = 0; e < input->edge_count; e++)
		problem->cost[e] = llrint(input->edges[e].benefit * factor1 * factor2);
}

/*
 * Make the solver's problem of the sorted edges; returns the ids of the
 * customers.
 */
static int64 *
build_problem(Input *input, AllocateProblem *problem, bool maximize)
{
	int64	   *ids;
	int64		customers = 0;
	int32	   *degree;

	for (int64 e = 0; e < input->edge_count; e++)
	{
		const Edge *edge = &input->edges[e];

		if (e == 0 || edge->customer != edge[-1].customer)
			customers++;
		else if (edge->holder == edge[-1].holder)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("customer " INT64_FORMAT " and holder " INT64_FORMAT " appear more than once in the edges query",
							edge->customer, input->holders[edge->holder].id),
					 errhint("Aggregate the edges query by customer_id and holder_id.")));
	}
	if (customers > MAX_MEMBERS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("the edges query returns more than %d customers", MAX_MEMBERS)));

	problem->customers = (int32) customers;
	problem->holders = (int32) input->holder_count;
	problem->first = MemoryContextAllocHuge(input->context, mul_size(customers + 1, sizeof(int64)));
	problem->holder = MemoryContextAllocHuge(input->context, mul_size(input->edge_count, sizeof(int32)));
	problem->cost = MemoryContextAllocHuge(input->context, mul_size(input->edge_count, sizeof(int64)));
	problem->capacity = MemoryContextAllocHuge(input->context, mul_size(problem->holders, sizeof(int32)));
	ids = MemoryContextAllocHuge(input->context, mul_size(customers, sizeof(int64)));
	degree = MemoryContextAllocExtended(input->context, mul_size(problem->holders, sizeof(int32)),
										MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);

	set_costs(input, problem, maximize);
	customers = 0;
	for (int64 e = 0; e < input->edge_count; e++)
	{
		const Edge *edge = &input->edges[e];

		if (e == 0 || edge->customer != edge[-1].customer)
		{
			problem->first[customers] = e;
			ids[customers++] = edge->customer;
		}
		problem->holder[e] = edge->holder;
		degree[edge->holder]++;
	}
	problem->first[customers] = input->edge_count;
	for (int32 j = 0; j < problem->holders; j++)
		problem->capacity[j] = (int32) Min(input->holders[j].capacity, degree[j]);
	pfree(degree);
	return ids;
}

/*
 * Whether the objective is the largest total.
 */
static bool
parse_objective(const char *objective)
{
	if (strcmp(objective, "max") == 0)
		return true;
	if (strcmp(objective, "min") == 0)
		return false;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("objective \"%s\" is not known", objective),
			 errhint("The objective is \"max\" or \"min\".")));
	return false;
}

/*
 * crm.assign(edges text, capacities text, objective text)
 *
 * The best assignment of customers to holders: each customer to at most one
 * holder, each holder at most to its capacity; as many customers as possible,
 * and among those assignments one with the largest (or least) sum of benefits.
 * Rows come in the order of customer_id; unassigned customers are left out.
 *
 * The answer is exact for the benefits rounded to multiples of 2^k, where k is
 * the least exponent at which the largest magnitude is at most 2^(k + b) with
 * b = 56 - floor(log2(holders + 2)): 47 bits for 1,000 holders, 37 for a
 * million.  Whole numbers and other multiples of a power of two within that
 * range are not rounded at all.  So no total is further from the optimum than
 * customers * 2^k.  Optimality is proven by the dual prices at the end of
 * every call.  The answer depends on the set of rows and not on their order.
 *
 * Errors: 22004 an argument or a column is NULL; 22023 objective, negative
 * capacity, holder without capacity, repeated holder or edge, no single SELECT
 * that only reads; 22003 NaN or infinite benefit; 42703, 42702, 42804 a
 * column is missing, ambiguous or of the wrong type; 54000 too many customers
 * or holders; and whatever the queries raise.
 */
PG_FUNCTION_INFO_V1(crm_allocate_assign);

Datum
crm_allocate_assign(PG_FUNCTION_ARGS)
{
	static const char *const argument[] = {"edges", "capacities", "objective"};
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	MemoryContext context;
	MemoryContext old;
	Input		input = {0};
	AllocateProblem problem;
	AllocateStats stats;
	bool		maximize;
	int64	   *ids;
	int32	   *assigned;
	char	   *edges_query;
	char	   *capacities_query;
	instr_time	start;
	instr_time	middle;
	instr_time	end;

	for (int i = 0; i < 3; i++)
	{
		if (PG_ARGISNULL(i))
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("argument \"%s\" of crm.assign is null", argument[i])));
	}
	edges_query = text_to_cstring(PG_GETARG_TEXT_PP(0));
	capacities_query = text_to_cstring(PG_GETARG_TEXT_PP(1));
	maximize = parse_objective(text_to_cstring(PG_GETARG_TEXT_PP(2)));
	InitMaterializedSRF(fcinfo, 0);

	context = AllocSetContextCreate(CurrentMemoryContext, "crm.assign",
									ALLOCSET_DEFAULT_SIZES);
	input.context = context;
	input.row_context = AllocSetContextCreate(context, "crm.assign row",
											  ALLOCSET_SMALL_SIZES);

	INSTR_TIME_SET_CURRENT(start);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	input.column[0] = (GivenColumn) {.name = "holder_id", .types = integers, .cast = INT8OID};
	input.column[1] = (GivenColumn) {.name = "capacity", .types = integers, .cast = INT8OID};
	given_query_rows(capacities_query, "capacities", 2, input.column, take_holder, &input);
	index_holders(&input);
	input.column[0] = (GivenColumn) {.name = "customer_id", .types = integers, .cast = INT8OID};
	input.column[1] = (GivenColumn) {.name = "holder_id", .types = integers, .cast = INT8OID};
	input.column[2] = (GivenColumn) {.name = "benefit", .types = numbers, .cast = FLOAT8OID};
	given_query_rows(edges_query, "edges", 3, input.column, take_edge, &input);
	SPI_finish();
	INSTR_TIME_SET_CURRENT(middle);

	old = MemoryContextSwitchTo(context);
	sort_edges(&input);
	ids = build_problem(&input, &problem, maximize);
	assigned = MemoryContextAllocHuge(context, mul_size(problem.customers, sizeof(int32)));
	allocate_solve(&problem, assigned, &stats);
	MemoryContextSwitchTo(old);
	INSTR_TIME_SET_CURRENT(end);

	for (int64 e = 0, i = -1; e < input.edge_count; e++)
	{
		const Edge *edge = &input.edges[e];

		if (e == 0 || edge->customer != edge[-1].customer)
			i++;
		if (assigned[i] == edge->holder)
		{
			Datum		values[3] = {Int64GetDatum(ids[i]),
				Int64GetDatum(input.holders[edge->holder].id),
			Float8GetDatum(edge->benefit)};
			bool		nulls[3] = {false, false, false};

			tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
		}
	}
	MemoryContextDelete(context);

	INSTR_TIME_SUBTRACT(end, middle);
	INSTR_TIME_SUBTRACT(middle, start);
	ereport(DEBUG1,
			(errmsg_internal("crm.assign: read %.3f s, solved %.3f s; " INT64_FORMAT " edges, "
							 INT64_FORMAT " of %d customers assigned to %d holders; %d phases, "
							 INT64_FORMAT " bids, " INT64_FORMAT " paths",
							 INSTR_TIME_GET_DOUBLE(middle), INSTR_TIME_GET_DOUBLE(end),
							 input.edge_count, stats.assigned, problem.customers,
							 problem.holders, stats.phases, stats.bids,
							 stats.augmentations)));
	return (Datum) 0;
}
