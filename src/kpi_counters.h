/*-------------------------------------------------------------------------
 * kpi_counters.h
 *		What the accounts of a whole book hold, cell by cell.
 *-------------------------------------------------------------------------
 */
#ifndef CRM_KPI_COUNTERS_H
#define CRM_KPI_COUNTERS_H

#include "kpi_post.h"

#include "funcapi.h"

/* Columns of a row: account, grain, org_id, subtree, year, cells, day, n, entries */
#define ACCOUNT_COLUMNS 9

typedef struct Counters Counters;

extern Counters *counters_create(DateADT first_day, DateADT settled, int classes);
extern bool counters_begin_by(const Counters *a, DateADT day);
extern void counters_extend_back(Counters *a, DateADT first_day);
extern void counters_add(Counters *a, const Posting *p);
extern void counters_add_pair(Counters *a, int64 ancestor, int64 descendant);
extern void counters_put(Counters *a, ReturnSetInfo *rsinfo);

#endif							/* CRM_KPI_COUNTERS_H */
