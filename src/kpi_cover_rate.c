/*-------------------------------------------------------------------------
 * kpi_cover_rate.c
 *		Aggregates over intervals of cover: churn, persistency.
 *-------------------------------------------------------------------------
 */
#include "crm.h"

#include <math.h>

#include "base_aggregate.h"
#include "datatype/timestamp.h"
#include "kpi_rate.h"
#include "kpi_trail.h"
#include "utils/builtins.h"
#include "utils/datetime.h"

#define MOST_MONTHS 12000

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
