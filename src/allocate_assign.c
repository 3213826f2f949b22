/*-------------------------------------------------------------------------
 * allocate_assign.c
 *		crm.assign() and crm.solve_assignment(): the best assignment for any
 *		two queries.
 *-------------------------------------------------------------------------
 */
#include "crm.h"

#include <math.h>

#include "allocate_input.h"
#include "allocate_solver.h"
#include "allocate_weighted.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "portability/instr_time.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/float.h"
#include "utils/memutils.h"
#include "utils/tuplestore.h"

/* So many holders are named in a message */
#define NAMED_HOLDERS	10

typedef struct Answer
{
	int32	   *assigned;		/* holder of each customer, or -1 */
	int64		served;
	int64		served_bound;
	double		bound;			/* on the total; NaN: it is the total */
	int64		rounds;
	bool	   *serves;			/* one more place at a holder serves one more */
	double	   *place;			/* and makes the total so much better */
	double	   *floor;			/* so does a floor lower by one */
} Answer;

static void
refuse_floor(int64 id, int64 floor, int64 most)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("the floors of the capacities query cannot all be met"),
			 errdetail("Holder " INT64_FORMAT " has a floor of " INT64_FORMAT " and can get " INT64_FORMAT " customers at most.",
					   id, floor, most),
			 errhint("Lower these floors, or give the holders more edges.")));
}

static void
refuse_floors(const AssignInput *input, const AllocateStats *stats)
{
	StringInfoData names;
	int			named = 0;

	initStringInfo(&names);
	for (int64 j = 0; j < input->holder_count; j++)
	{
		if (!stats->unmet[j])
			continue;
		if (named++ < NAMED_HOLDERS)
			appendStringInfo(&names, "%s" INT64_FORMAT, named > 1 ? ", " : "", input->holders[j].id);
	}
	if (named > NAMED_HOLDERS)
		appendStringInfo(&names, " and %d more", named - NAMED_HOLDERS);
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("the floors of the capacities query cannot all be met"),
			 errdetail("Floors of " INT64_FORMAT " in all at holders %s, and only " INT64_FORMAT " customers may go to them.",
					   stats->needed, names.data, stats->at_hand),
			 errhint("Lower these floors, or give the holders more edges.")));
}

/*
 * The edges as arrays of a solver.  Returns by which power of two the costs were
 * multiplied.
 */
static int
make_arrays(const AssignInput *input, int bits, bool maximize, int64 **first, int32 **holder, int64 **cost)
{
	int32		i = 0;

	*first = MemoryContextAllocHuge(input->context, mul_size((Size) input->customers + 1, sizeof(int64)));
	*holder = MemoryContextAllocHuge(input->context, mul_size(input->edge_count, sizeof(int32)));
	*cost = MemoryContextAllocHuge(input->context, mul_size(input->edge_count, sizeof(int64)));
	for (int64 e = 0; e < input->edge_count; e++)
	{
		const AssignEdge *edge = &input->edges[e];

		if (e == 0 || edge->customer != edge[-1].customer)
			(*first)[i++] = e;
		(*holder)[e] = edge->holder;
	}
	(*first)[i] = input->edge_count;
	return assign_costs(input, bits, maximize, *cost);
}

/*
 * Holders within others.  Returns the number of the group of each holder in
 * which others are, -1 of those that none are; NULL: there are none.
 */
static int32 *
make_groups(AssignInput *input, const int32 *degree, AllocateProblem *problem)
{
	int64		holders = input->holder_count;
	int32	   *group_of;
	int64	   *rooms;

	problem->group = NULL;
	problem->groups = 0;
	if (!input->grouped)
		return NULL;

	/* what has no room of its own to share is no limit */
	rooms = palloc_extended(mul_size(holders, sizeof(int64)), MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	group_of = MemoryContextAllocHuge(input->context, mul_size(holders, sizeof(int32)));
	problem->group = MemoryContextAllocHuge(input->context, mul_size(holders, sizeof(int32)));
	problem->limit = MemoryContextAllocHuge(input->context, mul_size(holders, sizeof(int64)));
	for (int64 j = 0; j < holders; j++)
	{
		int32		group = input->holders[j].group;

		group_of[j] = problem->group[j] = -1;
		if (group < 0)
			continue;
		if (degree[group] > 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("holder " INT64_FORMAT " has others within it and edges of its own",
							input->holders[group].id),
					 errhint("Give the shared capacity a row and a holder_id of its own.")));
		rooms[group] += problem->capacity[j];
	}
	for (int64 j = 0; j < holders; j++)
	{
		int32		group = input->holders[j].group;

		if (group < 0 || rooms[group] < input->holders[group].capacity)
			continue;
		if (group_of[group] < 0)
		{
			group_of[group] = problem->groups;
			problem->limit[problem->groups++] = input->holders[group].capacity;
		}
		problem->group[j] = group_of[group];
	}
	pfree(rooms);

	/* who finds no room within has it without */
	for (int32 i = 0; i < problem->customers && problem->groups > 0; i++)
	{
		bool		outside = false;

		for (int64 e = problem->first[i]; e < problem->first[i + 1] && !outside; e++)
		{
			int32		j = problem->holder[e];

			outside = problem->group[j] < 0 && problem->capacity[j] == degree[j];
		}
		if (!outside)
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("customer " INT64_FORMAT " has an edge to no holder outside that takes all",
							input->edges[problem->first[i]].customer),
					 errhint("Where holders are within others, give every customer an edge, of benefit 0, to a holder with room for all.")));
	}
	return group_of;
}

/*
 * All customers of a holder count alike: the solver for whole places.
 */
static void
solve_places(AssignInput *input, bool maximize, bool priced, Answer *answer)
{
	int64		edges = input->edge_count;
	int64		holders = input->holder_count;
	AllocateProblem problem;
	AllocatePrices prices;
	AllocateStats stats;
	int32	   *load = palloc_extended(mul_size(holders + 1, sizeof(int32)), MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	int32	   *degree = palloc_extended(mul_size(holders + 1, sizeof(int32)), MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	int32	   *group_of;
	int			exponent;

	problem.customers = input->customers;
	problem.holders = (int32) holders;
	problem.capacity = MemoryContextAllocHuge(input->context, mul_size(holders, sizeof(int32)));
	problem.floor = input->floors ? MemoryContextAllocHuge(input->context, mul_size(holders, sizeof(int32))) : NULL;
	exponent = make_arrays(input, allocate_cost_bits(problem.holders), maximize,
						   &problem.first, &problem.holder, &problem.cost);
	for (int64 e = 0; e < edges; e++)
	{
		const AssignEdge *edge = &input->edges[e];

		load[edge->holder] = edge->load;
		degree[edge->holder]++;
	}
	for (int32 j = 0; j < problem.holders; j++)
	{
		const AssignHolder *holder = &input->holders[j];

		problem.capacity[j] = (int32) Min(load[j] == 0 && degree[j] > 0 ? degree[j] :
										  holder->capacity / Max(load[j], 1), degree[j]);
		if (problem.floor == NULL)
			continue;
		if (holder->floor > problem.capacity[j])
			refuse_floor(holder->id, holder->floor, problem.capacity[j]);
		problem.floor[j] = (int32) holder->floor;
	}
	group_of = make_groups(input, degree, &problem);
	pfree(load);
	pfree(degree);

	answer->assigned = MemoryContextAllocHuge(input->context, mul_size(problem.customers, sizeof(int32)));
	if (!allocate_solve(&problem, answer->assigned, priced ? &prices : NULL, &stats))
		refuse_floors(input, &stats);
	answer->served = answer->served_bound = stats.assigned;
	answer->bound = get_float8_nan();
	answer->rounds = stats.augmentations;
	if (priced)
	{
		answer->serves = prices.serves;
		answer->place = palloc_extended(mul_size(holders + 1, sizeof(double)), MCXT_ALLOC_HUGE);
		answer->floor = palloc_extended(mul_size(holders + 1, sizeof(double)), MCXT_ALLOC_HUGE);
		for (int64 j = 0; j < holders; j++)
		{
			answer->place[j] = ldexp((double) prices.place[j], -exponent);
			answer->floor[j] = ldexp((double) prices.floor[j], -exponent);
			if (group_of && group_of[j] >= 0)
			{
				answer->serves[j] = false;
				answer->place[j] = ldexp((double) prices.limit[group_of[j]], -exponent);
			}
		}
	}
	ereport(DEBUG1,
			(errmsg_internal("assignment: " INT64_FORMAT " edges, " INT64_FORMAT " of %d customers assigned to %d holders; %d phases, "
							 INT64_FORMAT " bids, " INT64_FORMAT " paths",
							 edges, stats.assigned, problem.customers, problem.holders,
							 stats.phases, stats.bids, stats.augmentations)));
}

/*
 * Customers count more or less: the best that is found.  budget NULL: as much
 * as fits the size.
 */
static void
solve_loads(AssignInput *input, bool maximize, const WeightedBudget *budget, Answer *answer)
{
	int64		edges = input->edge_count;
	int64		holders = input->holder_count;
	WeightedProblem problem;
	WeightedResult result;
	WeightedBudget usual;
	int			exponent;

	if (input->grouped)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("holders within others and customers of different loads do not go together"),
				 errhint("Leave out the column within of the capacities query, or the column load of the edges query.")));
	if (input->floors)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("floors and customers of different loads do not go together"),
				 errhint("Leave out the column floor of the capacities query, or the column load of the edges query.")));
	problem.customers = input->customers;
	problem.holders = (int32) holders;
	problem.load = MemoryContextAllocHuge(input->context, mul_size(edges, sizeof(int32)));
	problem.capacity = MemoryContextAllocHuge(input->context, mul_size(holders, sizeof(int64)));
	exponent = make_arrays(input, weighted_cost_bits(problem.customers), maximize,
						   &problem.first, &problem.holder, &problem.cost);
	for (int64 e = 0; e < edges; e++)
		problem.load[e] = input->edges[e].load;
	for (int64 j = 0; j < holders; j++)
		problem.capacity[j] = input->holders[j].capacity;

	usual.rounds = weighted_rounds(&problem);
	usual.seconds = get_float8_infinity();
	weighted_solve(&problem, budget ? budget : &usual, &result);

	answer->assigned = result.assigned;
	answer->served = result.served;
	answer->served_bound = result.served_bound;
	answer->bound = result.bound == result.cost ? get_float8_nan() :
		ldexp((double) result.bound, -exponent) * (maximize ? -1 : 1);
	answer->rounds = result.rounds;
	answer->place = palloc_extended(mul_size(holders + 1, sizeof(double)), MCXT_ALLOC_HUGE);
	for (int64 j = 0; j < holders; j++)
		answer->place[j] = ldexp(result.price[j], -exponent);
}

/*
 * The arguments that both functions have; returns whether the objective is the
 * largest total.
 */
static bool
take_arguments(FunctionCallInfo fcinfo, const char *name, char **edges, char **capacities)
{
	static const char *const argument[] = {"edges", "capacities", "objective"};
	char	   *objective;

	for (int i = 0; i < 3; i++)
	{
		if (PG_ARGISNULL(i))
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("argument \"%s\" of %s is null", argument[i], name)));
	}
	*edges = text_to_cstring(PG_GETARG_TEXT_PP(0));
	*capacities = text_to_cstring(PG_GETARG_TEXT_PP(1));
	objective = text_to_cstring(PG_GETARG_TEXT_PP(2));
	if (strcmp(objective, "max") == 0)
		return true;
	if (strcmp(objective, "min") != 0)
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
 * A column "floor" of the capacities is the least number of customers that a
 * holder gets.  A column "load" of the edges is what a customer counts against
 * the capacity; where the customers of a holder count differently the answer is
 * the best found in a number of rounds that depends on the size alone.
 *
 * Errors: 22004 an argument or a column is NULL; 22023 objective, negative
 * capacity, floor or load, floor above the capacity, floors that cannot all be
 * met, holder without capacity, repeated holder or edge, no single SELECT that
 * only reads; 22003 NaN or infinite benefit, load above 2^31 - 1; 0A000 floors
 * with different loads; 42703, 42702, 42804 a column is missing, ambiguous or
 * of the wrong type; 54000 too many customers or holders; and whatever the
 * queries raise.
 */
PG_FUNCTION_INFO_V1(crm_allocate_assign);

Datum
crm_allocate_assign(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	MemoryContext context;
	MemoryContext old;
	AssignInput input;
	Answer		answer = {0};
	char	   *edges;
	char	   *capacities;
	bool		maximize = take_arguments(fcinfo, "crm.assign", &edges, &capacities);
	instr_time	start;
	instr_time	middle;
	instr_time	end;

	InitMaterializedSRF(fcinfo, 0);
	context = AllocSetContextCreate(CurrentMemoryContext, "crm.assign", ALLOCSET_DEFAULT_SIZES);
	INSTR_TIME_SET_CURRENT(start);
	assign_read(&input, context, edges, capacities);
	INSTR_TIME_SET_CURRENT(middle);
	old = MemoryContextSwitchTo(context);
	if (input.weighted)
		solve_loads(&input, maximize, NULL, &answer);
	else
		solve_places(&input, maximize, false, &answer);
	MemoryContextSwitchTo(old);
	INSTR_TIME_SET_CURRENT(end);

	for (int64 e = 0, i = -1; e < input.edge_count; e++)
	{
		const AssignEdge *edge = &input.edges[e];

		if (e == 0 || edge->customer != edge[-1].customer)
			i++;
		if (answer.assigned[i] == edge->holder)
		{
			Datum		values[3] = {Int64GetDatum(edge->customer),
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
			(errmsg_internal("crm.assign: read %.3f s, solved %.3f s",
							 INSTR_TIME_GET_DOUBLE(middle), INSTR_TIME_GET_DOUBLE(end))));
	return (Datum) 0;
}

static Datum
bigint_array(Datum *values, int64 n)
{
	return PointerGetDatum(construct_array(values, (int) n, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

static Datum
double_array(Datum *values, int64 n)
{
	return PointerGetDatum(construct_array(values, (int) n, FLOAT8OID, sizeof(double), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

/* Columns of the type crm.assignment */
enum
{
	SOLVED_CUSTOMERS,
	SOLVED_ASSIGNED,
	SOLVED_ASSIGNED_BOUND,
	SOLVED_TOTAL,
	SOLVED_BOUND,
	SOLVED_GAP,
	SOLVED_PROVEN,
	SOLVED_ROUNDS,
	SOLVED_CUSTOMER_IDS,
	SOLVED_HOLDER_IDS,
	SOLVED_BENEFITS,
	SOLVED_LOADS,
	SOLVED_HOLDERS,
	SOLVED_CAPACITIES,
	SOLVED_FLOORS,
	SOLVED_COUNTS,
	SOLVED_TAKEN,
	SOLVED_SERVES,
	SOLVED_PRICES,
	SOLVED_FLOOR_PRICES,
	SOLVED_COLUMNS
};

/* The pairs of an answer; returns the total */
static double
fill_pairs(const AssignInput *input, const Answer *answer, Datum *values, Datum *counts, Datum *taken)
{
	Datum	   *column[4];
	int64		n = 0;
	double		total = 0;

	for (int c = 0; c < 4; c++)
		column[c] = palloc_extended(mul_size(answer->served + 1, sizeof(Datum)), MCXT_ALLOC_HUGE);
	for (int64 e = 0, i = -1; e < input->edge_count; e++)
	{
		const AssignEdge *edge = &input->edges[e];

		if (e == 0 || edge->customer != edge[-1].customer)
			i++;
		if (answer->assigned[i] != edge->holder)
			continue;
		column[0][n] = Int64GetDatum(edge->customer);
		column[1][n] = Int64GetDatum(input->holders[edge->holder].id);
		column[2][n] = Float8GetDatum(edge->benefit);
		column[3][n++] = Int64GetDatum(edge->load);
		total += edge->benefit;
		counts[edge->holder] = Int64GetDatum(DatumGetInt64(counts[edge->holder]) + 1);
		taken[edge->holder] = Int64GetDatum(DatumGetInt64(taken[edge->holder]) + edge->load);
	}
	values[SOLVED_CUSTOMER_IDS] = bigint_array(column[0], n);
	values[SOLVED_HOLDER_IDS] = bigint_array(column[1], n);
	values[SOLVED_BENEFITS] = double_array(column[2], n);
	values[SOLVED_LOADS] = bigint_array(column[3], n);
	return total;
}

static double
within_range(double x)
{
	if (isinf(x) || isnan(x))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("benefits add up to more than double precision holds"),
				 errhint("Divide all benefits by the same number.")));
	return x;
}

/*
 * crm.solve_assignment(edges text, capacities text, objective text,
 *						seconds double precision, rounds bigint)
 *
 * The assignment of crm.assign() with all that is known of it, as one value of
 * type crm.assignment: pairs, total, bound, gap, and the price of each capacity
 * and floor.  Without different loads both are exact and the budget does not
 * matter.  With them the solver goes on until the optimum is proven, seconds
 * are over (NULL: no limit) or rounds are done (NULL: no limit).  Time ends it
 * only between rounds, so rounds alone says what comes out.
 *
 * gap is |total - bound| / |bound|.
 *
 * Errors: those of crm.assign(); 22003 also total, bound or a price beyond the
 * range of double precision; 22023 seconds not positive or NaN, rounds
 * negative, neither of both.
 */
PG_FUNCTION_INFO_V1(crm_allocate_solve_assignment);

Datum
crm_allocate_solve_assignment(PG_FUNCTION_ARGS)
{
	MemoryContext context;
	MemoryContext old;
	AssignInput input;
	Answer		answer = {0};
	WeightedBudget budget = {PG_INT64_MAX, get_float8_infinity()};
	char	   *edges;
	char	   *capacities;
	bool		maximize = take_arguments(fcinfo, "crm.solve_assignment", &edges, &capacities);
	TupleDesc	desc;
	Datum		values[SOLVED_COLUMNS] = {0};
	bool		nulls[SOLVED_COLUMNS] = {false};
	Datum	   *column[8];
	double		total;
	double		bound;
	HeapTuple	tuple;

	if (!PG_ARGISNULL(3))
		budget.seconds = PG_GETARG_FLOAT8(3);
	if (!PG_ARGISNULL(4))
		budget.rounds = PG_GETARG_INT64(4);
	if (!(budget.seconds > 0))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("seconds \"%g\" are not positive", budget.seconds)));
	if (budget.rounds < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("rounds \"" INT64_FORMAT "\" are negative", budget.rounds)));
	if (PG_ARGISNULL(3) && PG_ARGISNULL(4))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("neither seconds nor rounds limit the search")));
	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE || desc->natts != SOLVED_COLUMNS)
		elog(ERROR, "cannot happen: crm.assignment has other columns");
	desc = BlessTupleDesc(desc);

	context = AllocSetContextCreate(CurrentMemoryContext, "crm.solve_assignment", ALLOCSET_DEFAULT_SIZES);
	assign_read(&input, context, edges, capacities);
	old = MemoryContextSwitchTo(context);
	if (input.weighted)
		solve_loads(&input, maximize, &budget, &answer);
	else
		solve_places(&input, maximize, true, &answer);

	for (int c = 0; c < 8; c++)
		column[c] = palloc_extended(mul_size(input.holder_count + 1, sizeof(Datum)), MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	total = within_range(fill_pairs(&input, &answer, values, column[3], column[4]));
	for (int64 j = 0; j < input.holder_count; j++)
	{
		int32		group = input.holders[j].group;

		if (group < 0)
			continue;
		column[3][group] = Int64GetDatum(DatumGetInt64(column[3][group]) + DatumGetInt64(column[3][j]));
		column[4][group] = Int64GetDatum(DatumGetInt64(column[4][group]) + DatumGetInt64(column[4][j]));
	}
	bound = isnan(answer.bound) ? total : within_range(answer.bound);
	for (int64 j = 0; j < input.holder_count; j++)
	{
		column[0][j] = Int64GetDatum(input.holders[j].id);
		column[1][j] = Int64GetDatum(input.holders[j].capacity);
		column[2][j] = Int64GetDatum(input.holders[j].floor);
		column[5][j] = BoolGetDatum(answer.serves && answer.serves[j]);
		column[6][j] = Float8GetDatum(within_range(answer.place[j]));
		column[7][j] = Float8GetDatum(answer.floor ? within_range(answer.floor[j]) : 0);
	}
	values[SOLVED_CUSTOMERS] = Int64GetDatum(input.customers);
	values[SOLVED_ASSIGNED] = Int64GetDatum(answer.served);
	values[SOLVED_ASSIGNED_BOUND] = Int64GetDatum(answer.served_bound);
	values[SOLVED_TOTAL] = Float8GetDatum(total);
	values[SOLVED_BOUND] = Float8GetDatum(bound);
	values[SOLVED_GAP] = Float8GetDatum(bound == total ? 0 : fabs(total - bound) / fabs(bound));
	values[SOLVED_PROVEN] = BoolGetDatum(answer.served == answer.served_bound && isnan(answer.bound));
	values[SOLVED_ROUNDS] = Int64GetDatum(input.weighted ? answer.rounds : 0);
	values[SOLVED_HOLDERS] = bigint_array(column[0], input.holder_count);
	values[SOLVED_CAPACITIES] = bigint_array(column[1], input.holder_count);
	values[SOLVED_FLOORS] = bigint_array(column[2], input.holder_count);
	values[SOLVED_COUNTS] = bigint_array(column[3], input.holder_count);
	values[SOLVED_TAKEN] = bigint_array(column[4], input.holder_count);
	values[SOLVED_SERVES] = PointerGetDatum(construct_array(column[5], (int) input.holder_count, BOOLOID, 1, true, TYPALIGN_CHAR));
	values[SOLVED_PRICES] = double_array(column[6], input.holder_count);
	values[SOLVED_FLOOR_PRICES] = double_array(column[7], input.holder_count);
	nulls[SOLVED_SERVES] = input.weighted;
	MemoryContextSwitchTo(old);
	tuple = heap_form_tuple(desc, values, nulls);
	MemoryContextDelete(context);
	PG_RETURN_DATUM(HeapTupleGetDatum(tuple));
}
