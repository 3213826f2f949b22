/*-------------------------------------------------------------------------
 * kpi_rate.c
 *		Aggregates over what entities did: repeat_rate, retention, churn,
 *		persistency.
 *-------------------------------------------------------------------------
 */
#include "crm.h"

#include <math.h>

#include "base_aggregate.h"
#include "catalog/pg_type.h"
#include "datatype/timestamp.h"
#include "kpi_trail.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"

#define MOST_PERIODS 10000
#define MOST_MONTHS 12000

static const int64 no_parameters[TRAIL_PARAMETERS] = {0};

/* A day that is not infinite; what names it in an error */
static DateADT
finite_day(DateADT day, const char *what)
{
	if (DATE_NOT_FINITE(day))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("%s must not be infinite", what)));
	return day;
}

/* part of whole; NULL for none */
static Datum
share(FunctionCallInfo fcinfo, double part, double whole)
{
	if (!(whole > 0))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(part / whole);
}

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

/* cover -------------------------------------------------------------------------- */

/* [from, to) of arguments 2 and 3, to NULL: without end */
static void
cover_of_row(FunctionCallInfo fcinfo, DateADT *from, DateADT *to)
{
	*from = PG_GETARG_DATEADT(2);
	*to = PG_ARGISNULL(3) ? DATEVAL_NOEND : PG_GETARG_DATEADT(3);
	if (*to < *from)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("cover from \"%s\" ends on \"%s\", before it begins",
						DatumGetCString(DirectFunctionCall1(date_out, DateADTGetDatum(*from))),
						DatumGetCString(DirectFunctionCall1(date_out, DateADTGetDatum(*to))))));
}

#define COVERED_AT_OPENING 1
#define COVERED_AT_CLOSING 2

PG_FUNCTION_INFO_V1(crm_churn_add);
/*
 * _churn_add(state, customer_id, from_date, to_date, opening, closing):
 * transition of crm.churn.  Errors: 22008, 22023.
 */
Datum
crm_churn_add(PG_FUNCTION_ARGS)
{
	int64		parameter[TRAIL_PARAMETERS] = {0};
	int64		point[2];
	DateADT		from,
				to;

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2) || PG_ARGISNULL(4) || PG_ARGISNULL(5))
		return state_unchanged(fcinfo);
	cover_of_row(fcinfo, &from, &to);
	parameter[0] = finite_day(PG_GETARG_DATEADT(4), "the opening");
	parameter[1] = finite_day(PG_GETARG_DATEADT(5), "the closing");
	if (parameter[0] >= parameter[1])
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the opening is not before the closing")));
	point[0] = PG_GETARG_INT64(1);
	point[1] = (from <= parameter[0] && parameter[0] < to ? COVERED_AT_OPENING : 0) |
		(from <= parameter[1] && parameter[1] < to ? COVERED_AT_CLOSING : 0);
	return trail_add(fcinfo, TRAIL_CHURN, parameter, point[1] != 0 ? point : NULL);
}

PG_FUNCTION_INFO_V1(crm_churn);
/* _churn(state): of the customers covered at the opening, those not covered at the closing. */
Datum
crm_churn(PG_FUNCTION_ARGS)
{
	TrailPoints points = trail_points(fcinfo, TRAIL_CHURN);
	Size		opening = 0,
				lost = 0;

	for (Size i = 0, end; i < points.n; i = end)
	{
		int64		covered = 0;

		end = trail_run(&points, i);
		for (; i < end; i++)
			covered |= trail_point(&points, i)[1];
		opening += (covered & COVERED_AT_OPENING) != 0;
		lost += covered == COVERED_AT_OPENING;
	}
	return share(fcinfo, (double) lost, (double) opening);
}

/* An interval as one number, in the order of its days */
static int64
pack_cover(DateADT from, DateADT to)
{
	return (int64) (((uint64) (uint32) from << 32) | ((uint32) to ^ 0x80000000U));
}

static DateADT
cover_from(int64 packed)
{
	return (DateADT) (packed >> 32);
}

static DateADT
cover_to(int64 packed)
{
	return (DateADT) ((uint32) packed ^ 0x80000000U);
}

static void
check_months(int64 months)
{
	if (months < 1 || months > MOST_MONTHS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("number of months \"" INT64_FORMAT "\" is not between 1 and %d", months, MOST_MONTHS)));
}

/* The same day so many months on, or the last of that month; beyond the range of date its end */
static DateADT
months_on(DateADT day, int64 months)
{
	int			year,
				month,
				mday;
	int64		ahead;

	if (!IS_VALID_DATE(day))
		return DATEVAL_NOEND;
	j2date(day + POSTGRES_EPOCH_JDATE, &year, &month, &mday);
	ahead = month - 1 + months;
	year += (int) (ahead / 12);
	month = (int) (ahead % 12) + 1;
	if (!IS_VALID_JULIAN(year, month, mday))
		return DATEVAL_NOEND;
	return date2j(year, month, Min(mday, day_tab[isleap(year)][month - 1])) - POSTGRES_EPOCH_JDATE;
}

PG_FUNCTION_INFO_V1(crm_persistency_add);
/*
 * _persistency_add(state, policy_id, from_date, to_date, months, as_of
 * [, premium]): transition of crm.persistency.  Errors: 22003, 22008, 22023.
 */
Datum
crm_persistency_add(PG_FUNCTION_ARGS)
{
	int64		parameter[TRAIL_PARAMETERS] = {0};
	int64		point[3];
	double		premium = 1;
	DateADT		from,
				to;
	bool		weighted = PG_NARGS() > 6;

	for (int i = 1; i < PG_NARGS(); i++)
		if (i != 3 && PG_ARGISNULL(i))
			return state_unchanged(fcinfo);
	cover_of_row(fcinfo, &from, &to);
	(void) finite_day(from, "the begin of cover");
	parameter[0] = PG_GETARG_INT32(4);
	check_months(parameter[0]);
	parameter[1] = finite_day(PG_GETARG_DATEADT(5), "the end of observation");
	if (weighted)
	{
		premium = PG_GETARG_FLOAT8(6) + 0.0;	/* never -0 */
		if (!isfinite(premium))
			ereport(ERROR,
					(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					 errmsg("premium \"%g\" is out of range", premium),
					 errhint("Leave out rows whose premium is not a finite number.")));
		if (premium < 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("premium \"%g\" is negative", premium)));
	}
	point[0] = PG_GETARG_INT64(1);
	point[1] = pack_cover(from, to);
	memcpy(&point[2], &premium, sizeof(double));
	return trail_add(fcinfo, weighted ? TRAIL_PERSISTENCY_WEIGHTED : TRAIL_PERSISTENCY, parameter,
					 from < to && from <= parameter[1] ? point : NULL);
}

static Datum
persistency(FunctionCallInfo fcinfo, TrailKind kind)
{
	TrailPoints points = trail_points(fcinfo, kind);
	int64		months = points.parameter[0];
	double		cohort = 0,
				kept = 0;

	check_months(months);
	for (Size i = 0, end; i < points.n; i = end)
	{
		DateADT		issued = cover_from(trail_point(&points, i)[1]);
		DateADT		day = months_on(issued, months);
		double		premium = 1;
		bool		covered = false;

		end = trail_run(&points, i);
		if (day > points.parameter[1])
			continue;
		for (; i < end; i++)
		{
			int64		cover = trail_point(&points, i)[1];

			covered |= cover_from(cover) <= day && day < cover_to(cover);
			if (kind == TRAIL_PERSISTENCY_WEIGHTED && cover_from(cover) == issued)
				memcpy(&premium, &trail_point(&points, i)[2], sizeof(double));
		}
		cohort += premium;
		kept += covered ? premium : 0;
	}
	if (!isfinite(cohort))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("the total of the premiums is out of range")));
	return share(fcinfo, kept, cohort);
}

PG_FUNCTION_INFO_V1(crm_persistency);
/*
 * _persistency(state): of the policies that began so many months before as_of or
 * earlier, those covered on that day of theirs.
 */
Datum
crm_persistency(PG_FUNCTION_ARGS)
{
	return persistency(fcinfo, TRAIL_PERSISTENCY);
}

PG_FUNCTION_INFO_V1(crm_persistency_weighted);
/* _persistency_weighted(state): the same by the premium each policy began with. */
Datum
crm_persistency_weighted(PG_FUNCTION_ARGS)
{
	return persistency(fcinfo, TRAIL_PERSISTENCY_WEIGHTED);
}
