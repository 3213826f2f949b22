/*-------------------------------------------------------------------------
 * classify_value.c
 *		Scores of recency, frequency and money, and concentration: quantile bounds
 *		and scores, ranks in equal classes, shares of a total.
 *-------------------------------------------------------------------------
 */
#include "crm.h"

#include <math.h>

#include "base_aggregate.h"
#include "catalog/pg_type.h"
#include "classify_purchase_tally.h"
#include "classify_value_largest.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/float.h"
#include "utils/memutils.h"
#include "utils/numeric.h"
#include "windowapi.h"

#define MOST_CLASSES 1000

static void
check_classes(int classes)
{
	if (classes < 2 || classes > MOST_CLASSES)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("number of classes \"%d\" is not between 2 and %d", classes, MOST_CLASSES)));
}

/* aggregates ------------------------------------------------------------------------ */

static double
finite_value(FunctionCallInfo fcinfo)
{
	double		value = PG_GETARG_FLOAT8(1);

	if (!isfinite(value))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("value \"%g\" is out of range", value),
				 errhint("Leave out rows whose value is not a finite number.")));
	return value;
}

PG_FUNCTION_INFO_V1(crm_quantile_add);
/* _quantile_add(state, value, classes): transition of crm.quantile_bounds.  Errors: 22003, 22023. */
Datum
crm_quantile_add(PG_FUNCTION_ARGS)
{
	double		value;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
		return state_unchanged(fcinfo);
	value = finite_value(fcinfo);
	check_classes(PG_GETARG_INT32(2));
	return tally_add(fcinfo, 1, PG_GETARG_INT32(2), &value);
}

PG_FUNCTION_INFO_V1(crm_quantile_bounds);
/*
 * _quantile_bounds(state): the classes - 1 values that divide the sorted values
 * into classes of equal size, as percentile_cont (Hyndman and Fan's type 7).
 */
Datum
crm_quantile_bounds(PG_FUNCTION_ARGS)
{
	TallyPoints points = tally_points(fcinfo, 1);
	int			classes;
	Datum	   *bounds;
	int64		passed = 0;
	Size		i = 0;

	if (points.n == 0)
		PG_RETURN_NULL();
	check_classes(fabs(points.parameter) < PG_INT32_MAX && points.parameter == floor(points.parameter) ? (int) points.parameter : 0);
	classes = (int) points.parameter;
	bounds = palloc_array(Datum, classes);
	for (int k = 1; k < classes; k++)
	{
		double		place = (double) k / classes * (double) (points.total - 1);
		int64		below = (int64) floor(place);
		double		low,
					high;

		while (passed + tally_point(&points, i)[1].count <= below)
			passed += tally_point(&points, i++)[1].count;
		low = high = tally_point(&points, i)[0].number;
		if (place > (double) below && passed + tally_point(&points, i)[1].count == below + 1 && i + 1 < points.n)
			high = tally_point(&points, i + 1)[0].number;
		bounds[k - 1] = Float8GetDatum(low + (place - (double) below) * (high - low));
	}
	PG_RETURN_ARRAYTYPE_P(construct_array(bounds, classes - 1, FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

static void
check_total(double total)
{
	if (!isfinite(total))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("the total of the values is out of range")));
}

static void
check_top(double top)
{
	if (!(top > 0 && top <= 1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("top \"%s\" is not above 0 and at most 1", float8out_internal(top)),
				 errhint("Top is a share of the rows: 0.2 for 20 %%.")));
}

PG_FUNCTION_INFO_V1(crm_pareto_add);
/* _pareto_add(state, value, top): transition of crm.pareto_share.  Errors: 22003, 22023. */
Datum
crm_pareto_add(PG_FUNCTION_ARGS)
{
	double		value,
				top;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
		return state_unchanged(fcinfo);
	value = finite_value(fcinfo);
	top = PG_GETARG_FLOAT8(2);
	check_top(top);
	return tally_add(fcinfo, 1, top, &value);
}

PG_FUNCTION_INFO_V1(crm_pareto_share);
/*
 * _pareto_share(state): what the largest values, top of the rows, make up of the
 * total; a row on the border counts for its part.  NULL where the total is not
 * positive.  Errors: 22003, 22023.
 */
Datum
crm_pareto_share(PG_FUNCTION_ARGS)
{
	TallyPoints points = tally_points_unordered(fcinfo, 1);
	double		total;
	double		largest;

	check_top(points.parameter);
	largest = sum_of_largest(&points, points.parameter * (double) points.total, &total);
	check_total(total);
	if (!(total > 0))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(largest / total);
}

static void
check_not_negative(double value)
{
	if (value < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("value \"%g\" is negative", value),
				 errhint("The Gini coefficient is defined for values of 0 and more.")));
}

PG_FUNCTION_INFO_V1(crm_gini_add);
/* _gini_add(state, value): transition of crm.gini.  Errors: 22003, 22023. */
Datum
crm_gini_add(PG_FUNCTION_ARGS)
{
	double		value;

	if (PG_ARGISNULL(1))
		return state_unchanged(fcinfo);
	value = finite_value(fcinfo);
	check_not_negative(value);
	return tally_add(fcinfo, 1, 0, &value);
}

PG_FUNCTION_INFO_V1(crm_gini);
/*
 * _gini(state): sum of (2 i - n - 1) x_i over n times the sum of x_i, ascending;
 * 0 where all are equal, near 1 where one has all.  NULL where the total is 0.
 * Errors: 22003, 22023.
 */
Datum
crm_gini(PG_FUNCTION_ARGS)
{
	TallyPoints points = tally_points(fcinfo, 1);
	double		n = (double) points.total;
	double		passed = 0;
	double		sum = 0;
	double		total = 0;

	if (points.n > 0)
		check_not_negative(tally_point(&points, 0)->number);
	for (Size i = 0; i < points.n; i++)
	{
		const TallyCell *point = tally_point(&points, i);
		double		count = (double) point[1].count;

		sum += point[0].number * count * ((2 * passed + count - n) / n);
		total += point[0].number * count;
		passed += count;
	}
	check_total(total);
	if (!(total > 0))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(sum / total);
}

/* scores ---------------------------------------------------------------------------- */

PG_FUNCTION_INFO_V1(crm_bound_score);
/*
 * bound_score(value, bounds): 1 for the lowest class up to one more than there
 * are bounds; a value equal to a bound belongs to the class below it.
 * Errors: 22003 NaN, 22004, 2202E, 22023 bounds that do not ascend.
 */
Datum
crm_bound_score(PG_FUNCTION_ARGS)
{
	double		value = PG_GETARG_FLOAT8(0);
	ArrayType  *array = PG_GETARG_ARRAYTYPE_P(1);
	int			n = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	const float8 *bound = (const float8 *) ARR_DATA_PTR(array);
	int			below = 0;

	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("bounds must have one dimension, not %d", ARR_NDIM(array))));
	if (ARR_HASNULL(array) && array_contains_nulls(array))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("bounds must not contain nulls")));
	if (isnan(value))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("value \"NaN\" has no score")));
	for (int i = 0; i < n; i++)
	{
		if (isnan(bound[i]) || (i > 0 && bound[i] < bound[i - 1]))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("bounds do not ascend: \"%g\" after \"%g\"", bound[i], i > 0 ? bound[i - 1] : -INFINITY),
					 errhint("crm.quantile_bounds() makes bounds.")));
		below += bound[i] < value;
	}
	PG_RETURN_INT32(below + 1);
}

/* The peers around the current row of a window */
typedef struct PeerGroup
{
	bool		begun;
	int64		first;
	int64		end;			/* the row after the last */
	int			score;
	Numeric		before;			/* sum up to the group */
	Numeric		through;		/* and with it */
	Numeric		total;
} PeerGroup;

/* Moves on to the group of the current row; false when it is that already */
static bool
next_group(WindowObject window, PeerGroup *group)
{
	int64		row = WinGetCurrentPosition(window);
	int64		rows;

	if (group->begun && row < group->end)
		return false;
	rows = WinGetPartitionRowCount(window);
	group->begun = true;
	group->first = row;
	for (group->end = row + 1; group->end < rows && WinRowsArePeers(window, row, group->end); group->end++)
		CHECK_FOR_INTERRUPTS();
	return true;
}

/* Which rank decides for peers: twice that, counted from the middle of the first row as 1 */
static int64
deciding_rank(const PeerGroup *group, const char *ties)
{
	if (strcmp(ties, "first") == 0)
		return 2 * group->first + 1;
	if (strcmp(ties, "middle") == 0)
		return group->first + group->end;
	if (strcmp(ties, "last") == 0)
		return 2 * group->end - 1;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("ties \"%s\" is not known", ties),
			 errhint("Ties are \"first\", \"middle\" or \"last\".")));
}

PG_FUNCTION_INFO_V1(crm_rank_score);
/*
 * rank_score(classes, ties) OVER (ORDER BY ...): classes of equal numbers of
 * ranks, 1 for the first in order; peers share the class of their first, middle
 * or last rank.  Errors: 22023, 22004.
 */
Datum
crm_rank_score(PG_FUNCTION_ARGS)
{
	WindowObject window = PG_WINDOW_OBJECT();
	PeerGroup  *group = WinGetPartitionLocalMemory(window, sizeof(PeerGroup));
	bool		no_classes,
				no_ties;
	int			classes = DatumGetInt32(WinGetFuncArgCurrent(window, 0, &no_classes));
	Datum		ties = WinGetFuncArgCurrent(window, 1, &no_ties);

	if (no_classes || no_ties)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("number of classes and ties must not be null")));
	check_classes(classes);
	if (next_group(window, group))
		group->score = 1 + (int) (deciding_rank(group, TextDatumGetCString(ties)) * classes / (2 * WinGetPartitionRowCount(window)));
	PG_RETURN_INT32(group->score);
}

static Numeric
add_numeric(Numeric a, Numeric b, MemoryContext context)
{
	MemoryContext caller = MemoryContextSwitchTo(context);
	Numeric		sum = DatumGetNumeric(DirectFunctionCall2(numeric_add, NumericGetDatum(a), NumericGetDatum(b)));

	MemoryContextSwitchTo(caller);
	pfree(a);
	return sum;
}

/* A sum of the values of rows from first up to end, NULLs left out */
static Numeric
add_rows(WindowObject window, Numeric sum, int64 first, int64 end, MemoryContext context)
{
	for (int64 i = first; i < end; i++)
	{
		bool		isnull,
					isout;
		Datum		d = WinGetFuncArgInPartition(window, 0, i, WINDOW_SEEK_HEAD, false, &isnull, &isout);
		Numeric		value;

		CHECK_FOR_INTERRUPTS();
		if (isnull || isout)
			continue;
		value = DatumGetNumeric(d);
		if (numeric_is_nan(value) || numeric_is_inf(value))
			ereport(ERROR,
					(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					 errmsg("value \"%s\" is out of range", DatumGetCString(DirectFunctionCall1(numeric_out, d))),
					 errhint("Leave out rows whose value is not a finite number.")));
		sum = add_numeric(sum, value, context);
	}
	return sum;
}

static bool
is_positive(Numeric n)
{
	return DatumGetBool(DirectFunctionCall2(numeric_gt, NumericGetDatum(n), NumericGetDatum(int64_to_numeric(0))));
}

/* What rows before the peers of the current one, or with them, make up of the total */
static Datum
share(FunctionCallInfo fcinfo, bool with_peers)
{
	WindowObject window = PG_WINDOW_OBJECT();
	PeerGroup  *group = WinGetPartitionLocalMemory(window, sizeof(PeerGroup));
	MemoryContext context = GetMemoryChunkContext(group);
	bool		isnull;

	if (!group->begun)
	{
		MemoryContext caller = MemoryContextSwitchTo(context);

		group->before = int64_to_numeric(0);
		group->through = int64_to_numeric(0);
		group->total = int64_to_numeric(0);
		MemoryContextSwitchTo(caller);
		group->total = add_rows(window, group->total, 0, WinGetPartitionRowCount(window), context);
	}
	if (next_group(window, group))
	{
		MemoryContext caller = MemoryContextSwitchTo(context);

		pfree(group->before);
		group->before = DatumGetNumeric(datumCopy(NumericGetDatum(group->through), false, -1));
		MemoryContextSwitchTo(caller);
		group->through = add_rows(window, group->through, group->first, group->end, context);
	}
	(void) WinGetFuncArgCurrent(window, 0, &isnull);
	if (isnull || !is_positive(group->total))
		PG_RETURN_NULL();
	PG_RETURN_DATUM(DirectFunctionCall1(numeric_float8,
										DirectFunctionCall2(numeric_div,
															NumericGetDatum(with_peers ? group->through : group->before),
															NumericGetDatum(group->total))));
}

PG_FUNCTION_INFO_V1(crm_cumulative_share);
/*
 * cumulative_share(value) OVER (ORDER BY value DESC): the share of the total
 * that rows up to this one and its peers hold.  NULL where the value is NULL or
 * the total not positive.  Errors: 22003.
 */
Datum
crm_cumulative_share(PG_FUNCTION_ARGS)
{
	return share(fcinfo, true);
}

PG_FUNCTION_INFO_V1(crm_share_before);
/*
 * share_before(value) OVER (ORDER BY value DESC): the share of the total that
 * rows before this one and its peers hold: 0 for the first, so that the first is
 * in class A however large it is.  NULL and errors as cumulative_share.
 */
Datum
crm_share_before(PG_FUNCTION_ARGS)
{
	return share(fcinfo, false);
}
