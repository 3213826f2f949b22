/*-------------------------------------------------------------------------
 * allocate_protection.c
 *		crm.protected_until: the end of the protection of a holding.
 *-------------------------------------------------------------------------
 */
#include "crm.h"

#include "common/int.h"
#include "datatype/timestamp.h"
#include "utils/timestamp.h"

/* the most days of a setting */
#define MAX_DAYS	1000000

static TimestampTz
after(TimestampTz at, int32 days)
{
	TimestampTz until;

	return pg_add_s64_overflow(at, days * USECS_PER_DAY, &until) || !IS_VALID_TIMESTAMP(until) ? DT_NOEND : until;
}

static int32
days_argument(FunctionCallInfo fcinfo, int argument)
{
	int32		days = PG_GETARG_INT32(argument);

	if (days < 0 || days > MAX_DAYS)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("%d days of protection are out of range", days)));
	return days;
}

PG_FUNCTION_INFO_V1(crm_allocate_protected_until);
/*
 * crm.protected_until(held_from, days, renewal_days, max_days, last_contact,
 * last_purchase, overridden_at) -> timestamptz: days after the start, or
 * renewal_days after the last contact or purchase in the holding, whichever is
 * later; at most max_days after the start, and never after it was overridden.
 * Days of 24 hours. Null without days: no protection. Null for any of the last
 * five: that one does not count. Errors: 22003 days out of range, 22008 start
 * that is not finite.
 */
Datum
crm_allocate_protected_until(PG_FUNCTION_ARGS)
{
	TimestampTz from;
	TimestampTz until;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	from = PG_GETARG_TIMESTAMPTZ(0);
	if (TIMESTAMP_NOT_FINITE(from))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("start of a holding is not finite")));
	until = after(from, days_argument(fcinfo, 1));
	if (!PG_ARGISNULL(2))
		for (int i = 4; i <= 5; i++)
			if (!PG_ARGISNULL(i) && PG_GETARG_TIMESTAMPTZ(i) >= from && !TIMESTAMP_NOT_FINITE(PG_GETARG_TIMESTAMPTZ(i)))
				until = Max(until, after(PG_GETARG_TIMESTAMPTZ(i), days_argument(fcinfo, 2)));
	if (!PG_ARGISNULL(3))
		until = Min(until, after(from, days_argument(fcinfo, 3)));
	if (!PG_ARGISNULL(6))
		until = Min(until, PG_GETARG_TIMESTAMPTZ(6));
	PG_RETURN_TIMESTAMPTZ(until);
}
