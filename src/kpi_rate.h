/*-------------------------------------------------------------------------
 * kpi_rate.h
 *		What aggregates of rates share.
 *-------------------------------------------------------------------------
 */
#ifndef CRM_KPI_RATE_H
#define CRM_KPI_RATE_H

#include "crm.h"

#include "utils/date.h"

/* A day that is not infinite; what names it in an error */
static inline DateADT
finite_day(DateADT day, const char *what)
{
	if (DATE_NOT_FINITE(day))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("%s must not be infinite", what)));
	return day;
}

/* part of whole; NULL for none */
static inline Datum
share(FunctionCallInfo fcinfo, double part, double whole)
{
	if (!(whole > 0))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(part / whole);
}

#endif							/* CRM_KPI_RATE_H */
