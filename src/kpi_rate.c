/*-------------------------------------------------------------------------
 * kpi_rate.c
 *		Aggregates over when customers bought or came: repeat_rate, retention.
 *-------------------------------------------------------------------------
 */
#include "crm.h"

#include "base_aggregate.h"
#include "catalog/pg_type.h"
#include "datatype/timestamp.h"
#include "kpi_rate.h"
#include "kpi_trail.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"

#define MOST_PERIODS 10000

static const int64 no_parameters[TRAIL_PARAMETERS] = {0};

/* repeat_rate ------------------------------------------------------------------- */

PG_FUNCTION_INFO_V1(crm_repeat_add);
/* _repeat_add(state, customer_id, on_date): transition of crm.repeat_rate.  Errors: 22008. */
Datum
crm_repeat_add(PG_FUNCTION_ARGS)
{
	int64		point[2];

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
		return state_unchanged(fcinfo);
	point[0] = PG_GETARG_INT64(1);
	point[1] = finite_day(PG_GETARG_DATEADT(2), "the day of a purchase");
	return trail_add(fcinfo, TRAIL_REPEAT, no_parameters, point);
}

PG_FUNCTION_INFO_V1(crm_repeat_rate);
/* _repeat_rate(state): of the customers, those with rows on two days or more. */
Datum
crm_repeat_rate(PG_FUNCTION_ARGS)
{
	TrailPoints points = trail_points(fcinfo, TRAIL_REPEAT);
	Size		customers = 0,
				repeated = 0;

	for (Size i = 0, end; i < points.n; i = end)
	{
		end = trail_run(&points, i);
		customers++;
		repeated += end - i > 1;
	}
	return share(fcinfo, (double) repeated, (double) customers);
}

/* retention --------------------------------------------------------------------- */

typedef enum RetentionParameter
{
	RETENTION_PERIODS,
	RETENTION_UNIT,
	RETENTION_LAST				/* the last period that is over; NO_LAST: that of the latest row */
} RetentionParameter;

#define NO_LAST PG_INT64_MAX

typedef enum PeriodUnit
{
	UNIT_DAY,
	UNIT_WEEK,
	UNIT_MONTH,
	UNIT_QUARTER,
	UNIT_YEAR
} PeriodUnit;

static const char *const unit_name[] = {"day", "week", "month", "quarter", "year"};

static PeriodUnit
unit_of(const text *unit)
{
	const char *name = VARDATA_ANY(unit);
	size_t		length = VARSIZE_ANY_EXHDR(unit);

	for (PeriodUnit i = UNIT_DAY; i <= UNIT_YEAR; i++)
		if (strlen(unit_name[i]) == length && memcmp(unit_name[i], name, length) == 0)
			return i;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unit \"%s\" is not known", text_to_cstring(unit)),
			 errhint("Units are day, week, month, quarter and year.")));
}

/* The number of the period that a day lies in; weeks begin on Monday. */
static int64
period_of(DateADT day, PeriodUnit unit)
{
	int			year,
				month,
				mday;

	if (unit == UNIT_DAY)
		return day;
	if (unit == UNIT_WEEK)		/* 2000-01-01, day 0, was a Saturday */
		return (day + INT64CONST(7000000005)) / 7 - 1000000000;
	j2date(day + POSTGRES_EPOCH_JDATE, &year, &month, &mday);
	if (unit == UNIT_YEAR)
		return year;
	return unit == UNIT_MONTH ? year * 12 + month - 1 : year * 4 + (month - 1) / 3;
}

static void
check_periods(int64 periods)
{
	if (periods < 1 || periods > MOST_PERIODS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("number of periods \"" INT64_FORMAT "\" is not between 1 and %d", periods, MOST_PERIODS)));
}

PG_FUNCTION_INFO_V1(crm_retention_add);
/*
 * _retention_add(state, customer_id, on_date, periods [, unit, as_of]):
 * transition of crm.retention.  Errors: 22008, 22023.
 */
Datum
crm_retention_add(PG_FUNCTION_ARGS)
{
	int64		parameter[TRAIL_PARAMETERS] = {0, UNIT_MONTH, NO_LAST};
	int64		point[2];
	DateADT		day;

	for (int i = 1; i < PG_NARGS(); i++)
		if (PG_ARGISNULL(i))
			return state_unchanged(fcinfo);
	day = finite_day(PG_GETARG_DATEADT(2), "the day of a purchase");
	parameter[RETENTION_PERIODS] = PG_GETARG_INT32(3);
	check_periods(parameter[RETENTION_PERIODS]);
	if (PG_NARGS() > 4)
	{
		DateADT		as_of = finite_day(PG_GETARG_DATEADT(5), "the end of observation");

		parameter[RETENTION_UNIT] = unit_of(PG_GETARG_TEXT_PP(4));
		parameter[RETENTION_LAST] = period_of(as_of + 1, (PeriodUnit) parameter[RETENTION_UNIT]) - 1;
		if (day > as_of)
			return trail_add(fcinfo, TRAIL_RETENTION, parameter, NULL);
	}
	point[0] = PG_GETARG_INT64(1);
	point[1] = period_of(day, (PeriodUnit) parameter[RETENTION_UNIT]);
	return trail_add(fcinfo, TRAIL_RETENTION, parameter, point);
}

PG_FUNCTION_INFO_V1(crm_retention);
/*
 * _retention(state): for the 1st to the last period after the one of a
 * customer's first row, of the customers for whom it is over, those with a row in
 * it; NULL where it is over for nobody.
 */
Datum
crm_retention(PG_FUNCTION_ARGS)
{
	TrailPoints points = trail_points(fcinfo, TRAIL_RETENTION);
	int64		periods = points.parameter[RETENTION_PERIODS];
	int64		last = points.parameter[RETENTION_LAST];
	int64	   *observed;		/* customers by the periods after their first that are over, those beyond the last asked for in that */
	int64	   *active;
	int64		customers = 0;
	Datum	   *value;
	bool	   *isnull;
	int			dims[1],
				lower[1] = {1};

	check_periods(periods);
	if (points.n == 0)
		PG_RETURN_NULL();
	if (last == NO_LAST)
	{
		last = PG_INT64_MIN;
		for (Size i = 0; i < points.n; i++)
			last = Max(last, trail_point(&points, i)[1]);
	}
	last = Min(last, PG_INT32_MAX);
	observed = palloc0_array(int64, periods + 1);
	active = palloc0_array(int64, periods + 1);
	for (Size i = 0, end; i < points.n; i = end)
	{
		int64		first = trail_point(&points, i)[1];

		end = trail_run(&points, i);
		if (first >= last)
			continue;
		observed[Min(last - first, periods)]++;
		while (++i < end && trail_point(&points, i)[1] <= Min(last, first + periods))
			active[trail_point(&points, i)[1] - first]++;
	}
	value = palloc_array(Datum, periods);
	isnull = palloc_array(bool, periods);
	for (int64 i = periods; i > 0; i--)
	{
		customers += observed[i];
		isnull[i - 1] = customers == 0;
		value[i - 1] = isnull[i - 1] ? (Datum) 0 : Float8GetDatum((double) active[i] / (double) customers);
	}
	dims[0] = (int) periods;
	PG_RETURN_ARRAYTYPE_P(construct_md_array(value, isnull, 1, dims, lower, FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}
