/*-------------------------------------------------------------------------
 * kpi_funnel.c
 *		The aggregate funnel: how many customers come how far through steps.
 *-------------------------------------------------------------------------
 */
#include "crm.h"

#include "base_aggregate.h"
#include "catalog/pg_type.h"
#include "common/int.h"
#include "kpi_trail.h"
#include "utils/array.h"
#include "utils/timestamp.h"

#define NO_WINDOW PG_INT64_MAX

/* A window in microseconds; a day has 24 hours. */
static int64
window_length(const Interval *within)
{
	int64		length;

	if (within->month != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a window of months has no length of its own"),
				 errhint("Give it in days or hours.")));
	if (pg_mul_s64_overflow(within->day, USECS_PER_DAY, &length) ||
		pg_add_s64_overflow(length, within->time, &length) ||
		length < 0 || length == NO_WINDOW)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the window is negative or too long")));
	return length;
}

PG_FUNCTION_INFO_V1(crm_funnel_add);
/*
 * _funnel_add(state, customer_id, step, at [, within]): transition of
 * crm.funnel.  Errors: 22008, 22023.
 */
Datum
crm_funnel_add(PG_FUNCTION_ARGS)
{
	int64		parameter[TRAIL_PARAMETERS] = {NO_WINDOW};
	int64		point[3];

	for (int i = 1; i < PG_NARGS(); i++)
		if (PG_ARGISNULL(i))
			return state_unchanged(fcinfo);
	if (PG_NARGS() > 4)
		parameter[0] = window_length(PG_GETARG_INTERVAL_P(4));
	point[0] = PG_GETARG_INT64(1);
	point[1] = PG_GETARG_TIMESTAMPTZ(3);
	point[2] = PG_GETARG_INT32(2);
	if (TIMESTAMP_NOT_FINITE(point[1]))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("the instant of a step must not be infinite")));
	if (point[2] < 1 || point[2] > FUNNEL_STEPS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("step \"" INT64_FORMAT "\" is not between 1 and %d", point[2], FUNNEL_STEPS)));
	return trail_add(fcinfo, TRAIL_FUNNEL, parameter, point);
}

/*
 * How far one customer comes; points from..end in order of instant and step. For
 * each step the latest beginning of a way that leads there: a later beginning
 * leaves more of the window.
 */
static int
furthest_step(const TrailPoints *points, Size from, Size end, int64 within, int steps)
{
	int64		begun[FUNNEL_STEPS + 1];
	int			furthest = 0;

	for (Size i = from; i < end; i++)
	{
		int64		at = trail_point(points, i)[1];
		int			step = (int) trail_point(points, i)[2];
		int64		taken;

		if (step > furthest + 1)
			continue;
		if (step > 1 && within != NO_WINDOW && (pg_sub_s64_overflow(at, begun[step - 1], &taken) || taken > within))
			continue;
		begun[step] = step == 1 ? at : begun[step - 1];
		furthest = Max(furthest, step);
		if (furthest == steps)
			break;
	}
	return furthest;
}

PG_FUNCTION_INFO_V1(crm_funnel);
/* _funnel(state): for each step up to the highest in the rows, the customers who came so far. */
Datum
crm_funnel(PG_FUNCTION_ARGS)
{
	TrailPoints points = trail_points(fcinfo, TRAIL_FUNNEL);
	int64		customers[FUNNEL_STEPS + 1] = {0};
	Datum		value[FUNNEL_STEPS];
	int			steps = 0;

	if (points.n == 0)
		PG_RETURN_NULL();
	for (Size i = 0; i < points.n; i++)
		steps = Max(steps, (int) trail_point(&points, i)[2]);
	for (Size i = 0, end; i < points.n; i = end)
	{
		end = trail_run(&points, i);
		customers[furthest_step(&points, i, end, points.parameter[0], steps)]++;
	}
	for (int step = steps; step > 0; step--)
	{
		value[step - 1] = Int64GetDatum(customers[step]);
		customers[step - 1] += customers[step];
	}
	PG_RETURN_ARRAYTYPE_P(construct_array(value, steps, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}
