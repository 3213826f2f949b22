/*-------------------------------------------------------------------------
 * kpi_period.c
 *		The calendar of figures, looked up and not reckoned.
 *-------------------------------------------------------------------------
 */
#include "kpi_period.h"

#include "classify_timeline.h"
#include "utils/datetime.h"

static DateADT month_starts[N_MONTHS + 1];
static int16 day_months[TIMELINE_LAST_DAY - TIMELINE_FIRST_DAY + 1];

static void
fill_calendar(void)
{
	if (month_starts[N_MONTHS] != 0)
		return;
	for (int m = 0; m < N_MONTHS; m++)
		month_starts[m] = date2j(1900 + m / 12, m % 12 + 1, 1) - POSTGRES_EPOCH_JDATE;
	for (int m = 0; m < N_MONTHS; m++)
	{
		DateADT		end = m + 1 < N_MONTHS ? month_starts[m + 1] : TIMELINE_LAST_DAY + 1;

		for (DateADT d = month_starts[m]; d < end; d++)
			day_months[d - TIMELINE_FIRST_DAY] = (int16) m;
	}
	month_starts[N_MONTHS] = TIMELINE_LAST_DAY + 1;
}

/* The month of a day; days out of range count in the first or last month. */
int
month_of(DateADT day)
{
	fill_calendar();
	return day_months[Min(Max(day, TIMELINE_FIRST_DAY), TIMELINE_LAST_DAY) - TIMELINE_FIRST_DAY];
}

DateADT
month_start(int month)
{
	fill_calendar();
	return month_starts[Min(Max(month, 0), N_MONTHS)];
}

DateADT
period_start(Grain grain, int period)
{
	switch (grain)
	{
		case GRAIN_QUARTER:
			return month_start(period * 3);
		case GRAIN_YEAR:
			return month_start(period * 12);
		case GRAIN_TRAILING:
			return month_start(period - 11);
		default:
			return month_start(period);
	}
}

DateADT
period_end(Grain grain, int period)
{
	switch (grain)
	{
		case GRAIN_QUARTER:
			return month_start(period * 3 + 3) - 1;
		case GRAIN_YEAR:
			return month_start(period * 12 + 12) - 1;
		default:
			return month_start(period + 1) - 1;
	}
}

int
period_of(Grain grain, DateADT day)
{
	int			m = month_of(day);

	return grain == GRAIN_QUARTER ? m / 3 : grain == GRAIN_YEAR ? m / 12 : m;
}
