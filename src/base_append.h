/*-------------------------------------------------------------------------
 * base_append.h
 *		Many rows into a table, one by one, without a plan.
 *-------------------------------------------------------------------------
 */
#ifndef CRM_BASE_APPEND_H
#define CRM_BASE_APPEND_H

#include "crm.h"

typedef struct Appender Appender;

extern Appender *append_begin(const char *table, int ncolumns, const char *const *columns);
extern void append_row(Appender *a, const Datum *values);
extern void append_end(Appender *a);

#endif							/* CRM_BASE_APPEND_H */
