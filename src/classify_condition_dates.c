/*-------------------------------------------------------------------------
 * classify_condition_dates.c
 *		Days relative to today, and the numbers of a date.
 *
 * The anniversary of 29 February is 28 February in a common year; so a person
 * born on it is a year older from then on.
 *-------------------------------------------------------------------------
 */
#include "classify_condition.h"

#include "common/int.h"
#include "utils/datetime.h"

/* The day with this number in a month, or the last day of the month. */
static int
clamped(int y, int m, int d)
{
	return date2j(y, m, Min(d, day_tab[isleap(y)][m - 1]));
}

/*
 * The day some months on (a day that the month lacks is its last), then some
 * days on. Infinity stays. 22008 beyond the range of date.
 */
DateADT
crm_shift_day(DateADT day, int32 months, int32 days)
{
	int			y,
				m,
				d;
	int64		month;
	int64		result;

	if (DATE_NOT_FINITE(day))
		return day;
	j2date(day + POSTGRES_EPOCH_JDATE, &y, &m, &d);
	month = (int64) y * 12 + (m - 1) + months;
	y = (int) (month >= 0 ? month / 12 : -((11 - month) / 12));
	m = (int) (month - (int64) y * 12) + 1;
	if (!IS_VALID_JULIAN(y, m, 1))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("day relative to today out of range")));
	result = (int64) clamped(y, m, d) - POSTGRES_EPOCH_JDATE + days;
	if (result < DATETIME_MIN_JULIAN - POSTGRES_EPOCH_JDATE ||
		result >= DATE_END_JULIAN - POSTGRES_EPOCH_JDATE)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("day relative to today out of range")));
	return (DateADT) result;
}

/*
 * A number of a day; false: unknown, for an infinite day, and for the parts
 * that depend on today where today is not known or infinite.
 */
bool
crm_date_part(CrmPart part, DateADT day, bool as_of_known, DateADT as_of, int32 *result)
{
	int			y,
				m,
				d,
				ty,
				tm,
				td;
	int			cycle;
	int			today;
	int			next;

	if (DATE_NOT_FINITE(day))
		return false;
	j2date(day + POSTGRES_EPOCH_JDATE, &y, &m, &d);
	switch (part)
	{
		case CRM_YEAR:
			/* as extract() counts: there is no year 0 */
			*result = y > 0 ? y : y - 1;
			return true;
		case CRM_MONTH:
			*result = m;
			return true;
		case CRM_DAY:
			*result = d;
			return true;
		default:
			break;
	}
	if (!as_of_known || DATE_NOT_FINITE(as_of))
		return false;
	j2date(as_of + POSTGRES_EPOCH_JDATE, &ty, &tm, &td);

	/* the calendar repeats after 400 years; the last day of all has no next */
	cycle = 2000 + (ty % 400 + 400) % 400;
	today = date2j(cycle, tm, td);
	next = clamped(cycle, m, d);
	if (part == CRM_AGE)
		*result = ty - y - (next > today);
	else
		*result = (next >= today ? next : clamped(cycle + 1, m, d)) - today;
	return true;
}

/*
 * crm._condition_day(today, months, days): a day relative to today. Strict.
 * 22008 beyond the range of date.
 */
PG_FUNCTION_INFO_V1(crm_condition_day);
Datum
crm_condition_day(PG_FUNCTION_ARGS)
{
	PG_RETURN_DATEADT(crm_shift_day(PG_GETARG_DATEADT(0), PG_GETARG_INT32(1), PG_GETARG_INT32(2)));
}

/*
 * crm._condition_part(part, day, today): a number of a day, by the number of
 * the part; NULL where it is unknown. 22023: no such part.
 */
PG_FUNCTION_INFO_V1(crm_condition_part);
Datum
crm_condition_part(PG_FUNCTION_ARGS)
{
	int32		part;
	int32		result;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	part = PG_GETARG_INT32(0);
	if (part < CRM_YEAR || part > CRM_DAYS_TO_ANNIVERSARY)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a date has no part \"%d\"", part)));
	if (!crm_date_part((CrmPart) part, PG_GETARG_DATEADT(1), !PG_ARGISNULL(2),
					   PG_ARGISNULL(2) ? 0 : PG_GETARG_DATEADT(2), &result))
		PG_RETURN_NULL();
	PG_RETURN_INT32(result);
}
