/*-------------------------------------------------------------------------
 * book_cover.c
 *		The intervals of cover of one policy, from its issue and events.
 *-------------------------------------------------------------------------
 */
#include "book_cover.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datetime.h"

/* The day n months after d; the last day of the month where there is no such day. */
static DateADT
add_months(DateADT d, int n)
{
	int			y,
				m,
				day;

	j2date(d + POSTGRES_EPOCH_JDATE, &y, &m, &day);
	m += n - 1;
	y += m / 12;
	m = m % 12 + 1;
	if (day > day_tab[isleap(y)][m - 1])
		day = day_tab[isleap(y)][m - 1];
	return date2j(y, m, day) - POSTGRES_EPOCH_JDATE;
}

/*
 * Walk the events in the order given.  An event before the issue, on or after
 * the maturity, or after the end, a lapse while lapsed, a reinstatement while
 * in force or once its time is over: none of these changes anything.  out has
 * room for n + 1; returns how many there are.
 */
int
cover_walk(DateADT issued, DateADT matures, const EventKind *kind,
		   const DateADT *day, int n, int reinstatement_months, CoverInterval *out)
{
	int			k = 0;
	bool		open = true;
	bool		ended = false;

	out[0] = (CoverInterval) {.from = issued, .lapsed_to = DATEVAL_NOBEGIN};
	for (int i = 0; i < n && !ended; i++)
	{
		if (day[i] < issued || day[i] >= matures)
			continue;
		switch (kind[i])
		{
			case EVENT_LAPSE:
				if (open && day[i] >= out[k].from)
				{
					out[k].to = day[i];
					out[k].ended_by = "lapse";
					out[k].lapsed_to = Min(add_months(day[i], reinstatement_months), matures);
					open = false;
				}
				break;
			case EVENT_REINSTATEMENT:
				if (!open && day[i] >= out[k].to &&
					day[i] < add_months(out[k].to, reinstatement_months))
				{
					out[k].lapsed_to = day[i];
					out[++k] = (CoverInterval) {.from = day[i], .lapsed_to = DATEVAL_NOBEGIN};
					open = true;
				}
				break;
			case EVENT_END:
				if (open)
				{
					if (day[i] < out[k].from)
						break;
					out[k].to = day[i];
					out[k].ended_by = "end";
				}
				else if (day[i] >= out[k].to)
					out[k].lapsed_to = Min(out[k].lapsed_to, day[i]);
				open = false;
				ended = true;
				break;
		}
	}
	if (open)
	{
		out[k].to = matures;
		out[k].ended_by = DATE_IS_NOEND(matures) ? "open" : "end";
	}
	return k + 1;
}

/* Errors: 22023. */
EventKind
event_kind(const char *name)
{
	if (strcmp(name, "lapse") == 0)
		return EVENT_LAPSE;
	if (strcmp(name, "reinstatement") == 0)
		return EVENT_REINSTATEMENT;
	if (strcmp(name, "end") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("event of kind \"%s\" is not known", name),
				 errhint("Kinds are lapse, reinstatement and end.")));
	return EVENT_END;
}

static void
check_book_date(DateADT d, const char *what)
{
	/* 1900-01-01 and 2199-12-31, the days that the tables accept */
	if (d < date2j(1900, 1, 1) - POSTGRES_EPOCH_JDATE ||
		d > date2j(2199, 12, 31) - POSTGRES_EPOCH_JDATE)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("%s is out of range", what),
				 errhint("Days of the book lie between 1900-01-01 and 2199-12-31.")));
}

PG_FUNCTION_INFO_V1(crm_cover_intervals);
/*
 * cover_intervals(issued_on, matures_on, kinds, days, reinstatement_months)
 * The intervals [from_date, to_date) of one policy, and of a lapse the first day
 * on which it stands no more.  matures_on NULL: open ended.  kinds and days are parallel arrays in the order in which the events
 * hold; NULL arrays: no events.  NULL issued_on: no rows.
 * Errors: 22023 arrays that do not match, an unknown kind, or events out of
 * order; 22008 a day outside 1900-2199.
 */
Datum
crm_cover_intervals(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	DateADT		issued;
	DateADT		matures = DATEVAL_NOEND;
	int			n = 0;
	int			months;
	EventKind  *kind = NULL;
	DateADT    *day = NULL;
	CoverInterval   *out;
	int			k;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0) || PG_ARGISNULL(4))
		return (Datum) 0;
	issued = PG_GETARG_DATEADT(0);
	check_book_date(issued, "day of issue");
	if (!PG_ARGISNULL(1))
	{
		matures = PG_GETARG_DATEADT(1);
		check_book_date(matures, "day of maturity");
		if (matures < issued)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("a policy cannot mature before its issue")));
	}
	months = PG_GETARG_INT32(4);
	if (months < 0 || months > 1200)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("months for reinstatement must be between 0 and 1200, not %d", months)));
	if (!PG_ARGISNULL(2) && !PG_ARGISNULL(3))
	{
		Datum	   *kinds;
		Datum	   *days;
		bool	   *kind_nulls;
		bool	   *day_nulls;
		int			ndays;

		deconstruct_array(PG_GETARG_ARRAYTYPE_P(2), TEXTOID, -1, false, TYPALIGN_INT,
						  &kinds, &kind_nulls, &n);
		deconstruct_array(PG_GETARG_ARRAYTYPE_P(3), DATEOID, 4, true, TYPALIGN_INT,
						  &days, &day_nulls, &ndays);
		if (n != ndays)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("there are %d kinds of events but %d days", n, ndays)));
		kind = palloc_array(EventKind, Max(n, 1));
		day = palloc_array(DateADT, Max(n, 1));
		for (int i = 0; i < n; i++)
		{
			char	   *s;

			if (kind_nulls[i] || day_nulls[i])
				ereport(ERROR,
						(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
						 errmsg("an event without kind or day")));
			s = TextDatumGetCString(kinds[i]);
			day[i] = DatumGetDateADT(days[i]);
			check_book_date(day[i], "day of an event");
			kind[i] = event_kind(s);
			if (i > 0 && day[i] < day[i - 1])
				ereport(ERROR,
						(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						 errmsg("events must be in order of their days")));
		}
	}
	else if (!PG_ARGISNULL(2) || !PG_ARGISNULL(3))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("kinds and days of events must both be given or both be NULL")));

	out = palloc_array(CoverInterval, n + 1);
	k = cover_walk(issued, matures, kind, day, n, months, out);
	for (int i = 0; i < k; i++)
	{
		Datum		values[5] = {
			Int32GetDatum(i + 1),
			DateADTGetDatum(out[i].from),
			DateADTGetDatum(out[i].to),
			CStringGetTextDatum(out[i].ended_by),
			DateADTGetDatum(out[i].lapsed_to)
		};
		bool		nulls[5] = {false};

		nulls[4] = strcmp(out[i].ended_by, "lapse") != 0;

		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	return (Datum) 0;
}
