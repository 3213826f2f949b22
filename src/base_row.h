/*-------------------------------------------------------------------------
 * base_row.h
 *		The row type of functions that return one of crm's own.
 *-------------------------------------------------------------------------
 */
#ifndef CRM_BASE_ROW_H
#define CRM_BASE_ROW_H

#include "crm.h"

#include "access/tupdesc.h"

extern TupleDesc row_type(FunctionCallInfo fcinfo, int natts);
extern TupleDesc kept_row_type(FunctionCallInfo fcinfo, int natts);

#endif							/* CRM_BASE_ROW_H */
