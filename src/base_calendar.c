/*-------------------------------------------------------------------------
 * base_calendar.c
 *		Working time: adding it to an instant, measuring it between two.
 *
 * A calendar is a time zone, spans of the local clock for each weekday, and
 * days that differ: without work, or with the spans of a weekday.  An instant
 * is worked when the local clock then stands within a span of its local day.
 * Time is walked in pieces of one offset from UTC, in which local time runs as
 * UTC does, and in these day by day: an hour that the clock skips is not
 * worked, one that it shows twice is worked twice.
 *-------------------------------------------------------------------------
 */
#include "crm.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "pgtime.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/timestamp.h"

/* 1900-01-01 and 2200-01-01 in UTC: what instants may lie between */
#define FIRST_INSTANT	((int64) (date2j(1900, 1, 1) - POSTGRES_EPOCH_JDATE) * USECS_PER_DAY)
#define LAST_INSTANT	((int64) (date2j(2200, 1, 1) - POSTGRES_EPOCH_JDATE) * USECS_PER_DAY)

/* from the Unix epoch to ours */
#define EPOCH_SECONDS	((int64) (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * SECS_PER_DAY)

typedef struct WorkSpan
{
	int32		weekday;		/* 1 Monday to 7 Sunday */
	int64		from;			/* microseconds since the local day began */
	int64		to;
} WorkSpan;

typedef struct WorkDay
{
	DateADT		day;
	int32		weekday;		/* whose spans it has; 0: none */
} WorkDay;

typedef struct WorkCalendar
{
	pg_tz	   *zone;
	WorkSpan   *span;			/* by weekday and start, without overlap */
	int			first[9];		/* of each weekday in span; first[8]: how many there are */
	WorkDay    *day;			/* by day */
	int			ndays;
} WorkCalendar;

static int
compare_spans(const void *a, const void *b)
{
	const WorkSpan *x = a;
	const WorkSpan *y = b;

	if (x->weekday != y->weekday)
		return x->weekday < y->weekday ? -1 : 1;
	return (x->from > y->from) - (x->from < y->from);
}

static int
compare_days(const void *a, const void *b)
{
	const WorkDay *x = a;
	const WorkDay *y = b;

	return (x->day > y->day) - (x->day < y->day);
}

/* Sort, and make one of spans that meet or overlap. */
static void
order_spans(WorkCalendar *calendar, int n)
{
	WorkSpan   *span = calendar->span;
	int			k = 0;
	int			weekday = 1;

	if (n > 1)
		qsort(span, n, sizeof(WorkSpan), compare_spans);
	for (int i = 0; i < n; i++)
	{
		if (k > 0 && span[k - 1].weekday == span[i].weekday && span[i].from <= span[k - 1].to)
			span[k - 1].to = Max(span[k - 1].to, span[i].to);
		else
			span[k++] = span[i];
	}
	for (int i = 0; i < k; i++)
		while (weekday <= span[i].weekday)
			calendar->first[weekday++] = i;
	while (weekday <= 8)
		calendar->first[weekday++] = k;
}

/* Whose spans a local day has; 0: none. */
static int
weekday_of(const WorkCalendar *calendar, DateADT day)
{
	int			low = 0;
	int			high = calendar->ndays;
	int			weekday;

	while (low < high)
	{
		int			middle = low + (high - low) / 2;

		if (calendar->day[middle].day < day)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < calendar->ndays && calendar->day[low].day == day)
		return calendar->day[low].weekday;
	weekday = j2day(day + POSTGRES_EPOCH_JDATE);
	return weekday == 0 ? 7 : weekday;
}

/* The day in which a local time lies, also before our epoch. */
static DateADT
day_of(int64 local)
{
	int64		day = local / USECS_PER_DAY;

	return (DateADT) (local % USECS_PER_DAY < 0 ? day - 1 : day);
}

/* The offset of local time at an instant, and until when it stays. */
static int64
offset_at(const WorkCalendar *calendar, TimestampTz at, TimestampTz *until)
{
	pg_time_t	second = at / USECS_PER_SEC - (at % USECS_PER_SEC < 0) + EPOCH_SECONDS;
	pg_time_t	boundary;
	long		before;
	long		after;
	int			before_dst;
	int			after_dst;
	int			found = pg_next_dst_boundary(&second, &before, &before_dst, &boundary,
											 &after, &after_dst, calendar->zone);

	if (found < 0)
		elog(ERROR, "could not find the next change of a time zone");
	*until = LAST_INSTANT;
	if (found > 0 && boundary - EPOCH_SECONDS < LAST_INSTANT / USECS_PER_SEC)
		*until = (boundary - EPOCH_SECONDS) * USECS_PER_SEC;
	return (int64) before * USECS_PER_SEC;
}

/*
 * Working time from an instant on until another, or until there is as much as
 * wanted: reached tells when that was.  Returns how much there is.
 */
static int64
work(const WorkCalendar *calendar, TimestampTz from, TimestampTz to, int64 wanted, TimestampTz *reached)
{
	int64		sum = 0;

	while (from < to)
	{
		TimestampTz until;
		int64		offset = offset_at(calendar, from, &until);
		int64		local_from = from + offset;
		int64		local_to;

		until = Min(until, to);
		local_to = until + offset;
		for (DateADT day = day_of(local_from); day <= day_of(local_to - 1); day++)
		{
			int			weekday = weekday_of(calendar, day);
			int64		midnight = (int64) day * USECS_PER_DAY;

			if (day % 1024 == 0)
				CHECK_FOR_INTERRUPTS();
			if (weekday == 0)
				continue;
			for (int i = calendar->first[weekday]; i < calendar->first[weekday + 1]; i++)
			{
				int64		start = Max(midnight + calendar->span[i].from, local_from);
				int64		end = Min(midnight + calendar->span[i].to, local_to);

				if (start >= end)
					continue;
				if (end - start >= wanted - sum)
				{
					*reached = start + (wanted - sum) - offset;
					return wanted;
				}
				sum += end - start;
			}
		}
		from = until;
	}
	return sum;
}

static void
check_instant(TimestampTz at)
{
	if (at < FIRST_INSTANT || at >= LAST_INSTANT)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("instant \"%s\" is out of range", timestamptz_to_str(at)),
				 errhint("Working time is counted from 1900 to 2199.")));
}

/* The elements of an array argument.  Errors: 22023 dimensions, 22004 NULL among them. */
static Datum *
elements(FunctionCallInfo fcinfo, int arg, Oid type, int16 length, bool byval, char align, int *n)
{
	ArrayType  *array = PG_GETARG_ARRAYTYPE_P(arg);
	Datum	   *datum;
	bool	   *null;

	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("arrays of a calendar must have one dimension")));
	deconstruct_array(array, type, length, byval, align, &datum, &null, n);
	for (int i = 0; i < *n; i++)
		if (null[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("arrays of a calendar must not contain null")));
	return datum;
}

static int32
weekday_datum(Datum datum, int32 lowest)
{
	int32		weekday = DatumGetInt32(datum);

	if (weekday < lowest || weekday > 7)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("weekday %d is out of range", weekday),
				 errhint("Weekdays are 1 for Monday to 7 for Sunday.")));
	return weekday;
}

/* From the arguments arg and after: zone, weekdays, starts, ends, days, day_weekdays. */
static WorkCalendar *
read_calendar(FunctionCallInfo fcinfo, int arg)
{
	WorkCalendar *calendar = palloc0(sizeof(WorkCalendar));
	char	   *zone = text_to_cstring(PG_GETARG_TEXT_PP(arg));
	Datum	   *weekday;
	Datum	   *start;
	Datum	   *end;
	Datum	   *day;
	int			n;
	int			nstarts;
	int			nends;
	int			nweekdays;

	calendar->zone = pg_tzset(zone);
	if (calendar->zone == NULL || !pg_tz_acceptable(calendar->zone))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("there is no time zone \"%s\"", zone),
				 errhint("pg_timezone_names lists the time zones.")));

	weekday = elements(fcinfo, arg + 1, INT4OID, 4, true, TYPALIGN_INT, &n);
	start = elements(fcinfo, arg + 2, TIMEOID, 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE, &nstarts);
	end = elements(fcinfo, arg + 3, TIMEOID, 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE, &nends);
	if (n != nstarts || n != nends)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("there are %d weekdays, %d starts and %d ends of working time", n, nstarts, nends)));
	calendar->span = palloc_array(WorkSpan, Max(n, 1));
	for (int i = 0; i < n; i++)
	{
		WorkSpan   *span = &calendar->span[i];

		span->weekday = weekday_datum(weekday[i], 1);
		span->from = DatumGetTimeADT(start[i]);
		span->to = DatumGetTimeADT(end[i]);
		if (span->from >= span->to)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("working time of weekday %d must end after it starts", span->weekday),
					 errhint("Time over midnight is one span to 24:00 and one from 0:00 of the next day.")));
	}
	order_spans(calendar, n);

	day = elements(fcinfo, arg + 4, DATEOID, 4, true, TYPALIGN_INT, &calendar->ndays);
	weekday = elements(fcinfo, arg + 5, INT4OID, 4, true, TYPALIGN_INT, &nweekdays);
	if (calendar->ndays != nweekdays)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("there are %d days and %d weekdays of days", calendar->ndays, nweekdays)));
	calendar->day = palloc_array(WorkDay, Max(calendar->ndays, 1));
	for (int i = 0; i < calendar->ndays; i++)
		calendar->day[i] = (WorkDay) {DatumGetDateADT(day[i]), weekday_datum(weekday[i], 0)};
	if (calendar->ndays > 1)
		qsort(calendar->day, calendar->ndays, sizeof(WorkDay), compare_days);
	for (int i = 1; i < calendar->ndays; i++)
		if (calendar->day[i].day == calendar->day[i - 1].day)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("day \"%s\" is named twice",
							DatumGetCString(DirectFunctionCall1(date_out, DateADTGetDatum(calendar->day[i].day))))));
	return calendar;
}

PG_FUNCTION_INFO_V1(crm_working_time_add);
/*
 * working_time_add(at, amount, zone, weekdays, starts, ends, days, day_weekdays)
 * The earliest instant, not before at, by which there has been that much
 * working time since at.  Spans of local time as parallel arrays; days that
 * differ with the weekday whose spans they have, 0 for none.  NULL: NULL.
 * Errors: 22023 arguments that are no calendar, an amount below 0 or of days
 * or months; 22004; 22008 an instant outside 1900-2199, also the result.
 */
Datum
crm_working_time_add(PG_FUNCTION_ARGS)
{
	TimestampTz at = PG_GETARG_TIMESTAMPTZ(0);
	Interval   *amount = PG_GETARG_INTERVAL_P(1);
	WorkCalendar *calendar = read_calendar(fcinfo, 2);
	TimestampTz reached = at;

	check_instant(at);
	if (amount->day != 0 || amount->month != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("working time has neither days nor months"),
				 errhint("Give hours, minutes and seconds.")));
	if (amount->time < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("working time to be added must not be negative")));
	if (amount->time > 0 &&
		work(calendar, at, LAST_INSTANT, amount->time, &reached) < amount->time)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("the calendar has less working time before the year 2200"),
				 errhint("Working time is counted from 1900 to 2199.")));
	PG_RETURN_TIMESTAMPTZ(reached);
}

PG_FUNCTION_INFO_V1(crm_working_time_between);
/*
 * working_time_between(start, until, zone, weekdays, starts, ends, days, day_weekdays)
 * The working time from one instant to another, in hours, minutes and seconds;
 * negative when the second is the earlier.  The calendar as above.  NULL: NULL.
 * Errors: 22023, 22004, 22008 as above.
 */
Datum
crm_working_time_between(PG_FUNCTION_ARGS)
{
	TimestampTz from = PG_GETARG_TIMESTAMPTZ(0);
	TimestampTz to = PG_GETARG_TIMESTAMPTZ(1);
	WorkCalendar *calendar = read_calendar(fcinfo, 2);
	Interval   *result = palloc0(sizeof(Interval));
	TimestampTz reached;

	check_instant(from);
	check_instant(to);
	result->time = work(calendar, Min(from, to), Max(from, to), PG_INT64_MAX, &reached);
	if (to < from)
		result->time = -result->time;
	PG_RETURN_INTERVAL_P(result);
}
