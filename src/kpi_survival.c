/*-------------------------------------------------------------------------
 * kpi_survival.c
 *		The aggregate survival: Kaplan and Meier's estimate with Greenwood's
 *		variance, and the cumulative incidence of competing causes by Aalen and
 *		Johansen.
 *-------------------------------------------------------------------------
 */
#include "crm.h"

#include <float.h>
#include <math.h>

#include "base_aggregate.h"
#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "classify_purchase_tally.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/typcache.h"

#define MOST_CAUSES 16

static void
check_observation(double duration, double cause)
{
	if (!isfinite(duration))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("duration \"%g\" is out of range", duration),
				 errhint("Leave out rows whose duration is not a finite number.")));
	if (duration < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("duration \"%g\" is negative", duration)));
	if (!(cause >= 0 && cause <= MOST_CAUSES && cause == floor(cause)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("cause \"%g\" is not a whole number from 0 to %d", cause, MOST_CAUSES),
				 errhint("Cause 0 is for what had not ended when it was last seen.")));
}

static pg_attribute_always_inline Datum
add_observation(FunctionCallInfo fcinfo, double duration, double cause)
{
	double		observation[2] = {duration, cause};

	if (unlikely(!(duration >= 0 && duration <= DBL_MAX && cause >= 0 && cause <= MOST_CAUSES)))
		check_observation(duration, cause);
	return tally_add(fcinfo, 2, 0, observation);
}

PG_FUNCTION_INFO_V1(crm_survival_add);
/* _survival_add(state, duration, cause): transition of crm.survival.  Errors: 22003, 22023. */
Datum
crm_survival_add(PG_FUNCTION_ARGS)
{
	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
		return state_unchanged(fcinfo);
	return add_observation(fcinfo, PG_GETARG_FLOAT8(1), PG_GETARG_INT32(2));
}

PG_FUNCTION_INFO_V1(crm_survival_add_whole);
/* The same of an integer duration, such as days, which need not be turned first.  Errors: 22023. */
Datum
crm_survival_add_whole(PG_FUNCTION_ARGS)
{
	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
		return state_unchanged(fcinfo);
	return add_observation(fcinfo, PG_GETARG_INT32(1), PG_GETARG_INT32(2));
}

/* What is estimated at one duration */
typedef struct SurvivalStep
{
	double		duration;
	int64		at_risk;		/* just before it */
	int64		ended[MOST_CAUSES + 1];	/* at it, by cause; 0: last seen then */
	int64		events;
	double		survival;
	double		greenwood;		/* sum of d / (n (n - d)) */
	double		incidence[MOST_CAUSES + 1];
} SurvivalStep;

/* The next duration, of so many causes, from point i on; the number after its last point */
static Size
next_step(SurvivalStep *step, int causes, const TallyPoints *points, Size i)
{
	double		before = step->survival;
	double		n;

	for (int cause = 0; cause <= causes; cause++)
	{
		step->at_risk -= step->ended[cause];
		step->ended[cause] = 0;
	}
	step->duration = tally_point(points, i)[0].number;
	for (; i < points->n && tally_point(points, i)[0].number == step->duration; i++)
	{
		const TallyCell *point = tally_point(points, i);

		step->ended[(int) point[1].number] += point[2].count;
	}
	n = (double) step->at_risk;
	step->events = 0;
	for (int cause = 1; cause <= causes; cause++)
	{
		step->events += step->ended[cause];
		step->incidence[cause] += before * ((double) step->ended[cause] / n);
	}
	step->survival = before * ((double) (step->at_risk - step->events) / n);
	step->greenwood += (double) step->events / (n * (double) (step->at_risk - step->events));
	return i;
}

/* incidence: an array of so many causes, written over */
static Datum
step_row(const SurvivalStep *step, int causes, ArrayType *incidence, TupleDesc desc)
{
	Datum		values[7];
	bool		nulls[7] = {0};

	memcpy(ARR_DATA_PTR(incidence), step->incidence + 1, sizeof(float8) * causes);
	values[0] = Float8GetDatum(step->duration);
	values[1] = Int64GetDatum(step->at_risk);
	values[2] = Int64GetDatum(step->events);
	values[3] = Int64GetDatum(step->ended[0]);
	values[4] = Float8GetDatum(step->survival);
	values[5] = Float8GetDatum(step->survival * step->survival * step->greenwood);
	nulls[5] = !isfinite(step->greenwood);
	values[6] = PointerGetDatum(incidence);
	return HeapTupleGetDatum(heap_form_tuple(desc, values, nulls));
}

PG_FUNCTION_INFO_V1(crm_survival);
/* _survival(state): a step for each duration, ascending; NULL without rows. */
Datum
crm_survival(PG_FUNCTION_ARGS)
{
	TallyPoints points = tally_points(fcinfo, 2);
	Oid			type = get_element_type(get_fn_expr_rettype(fcinfo->flinfo));
	TupleDesc	desc = lookup_rowtype_tupdesc_copy(type, -1);
	SurvivalStep step = {.survival = 1,.at_risk = points.total};
	Datum		no_incidence[MOST_CAUSES] = {0};
	ArrayType  *incidence;
	int			causes = 0;
	Datum	   *rows;
	int			n = 0;

	if (points.n == 0)
		PG_RETURN_NULL();
	if (points.n > MaxArraySize)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("%zu different durations are too many", points.n),
				 errhint("Round the durations.")));
	for (Size i = 0; i < points.n; i++)
	{
		check_observation(tally_point(&points, i)[0].number, tally_point(&points, i)[1].number);
		causes = Max(causes, (int) tally_point(&points, i)[1].number);
	}
	rows = palloc_array(Datum, points.n);
	incidence = construct_array(no_incidence, causes, FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE);
	for (Size i = 0; i < points.n;)
	{
		CHECK_FOR_INTERRUPTS();
		i = next_step(&step, causes, &points, i);
		rows[n++] = step_row(&step, causes, incidence, desc);
	}
	PG_RETURN_ARRAYTYPE_P(construct_array(rows, n, type, -1, false, TYPALIGN_DOUBLE));
}
