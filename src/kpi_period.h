/*-------------------------------------------------------------------------
 * kpi_period.h
 *		Months by number, and the periods of figures.
 *-------------------------------------------------------------------------
 */
#ifndef CRM_KPI_PERIOD_H
#define CRM_KPI_PERIOD_H

#include "crm.h"

#include "utils/date.h"

typedef enum Grain
{
	GRAIN_DAY = 0,				/* of balances */
	GRAIN_MONTH = 1,
	GRAIN_QUARTER = 2,
	GRAIN_YEAR = 3,
	GRAIN_TRAILING = 4			/* 12 months, told by their last one */
} Grain;

/* Months are counted from January 1900 */
#define N_MONTHS (400 * 12)

extern int	month_of(DateADT day);
extern DateADT month_start(int month);
extern DateADT period_start(Grain grain, int period);
extern DateADT period_end(Grain grain, int period);
extern int	period_of(Grain grain, DateADT day);

#endif							/* CRM_KPI_PERIOD_H */
