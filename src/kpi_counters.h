/*-------------------------------------------------------------------------
 * kpi_counters.h
 *		What the accounts of a whole book hold, cell by cell.
 *-------------------------------------------------------------------------
 */
#ifndef CRM_KPI_COUNTERS_H
#define CRM_KPI_COUNTERS_H

#include "kpi_post.h"

typedef struct Counters Counters;

/* What one account holds for one unit in a year: a row of crm.kpi_cell */
typedef struct CellRow
{
	int16		account;
	int16		grain;
	int64		org;
	bool		subtree;
	int16		year;
	struct varlena *cells;
} CellRow;

typedef void (*CellRowFunction) (void *arg, const CellRow *row);

extern Counters *counters_create(DateADT first_day, DateADT settled, int classes);
extern bool counters_begin_by(const Counters *a, DateADT day);
extern void counters_extend_back(Counters *a, DateADT first_day);
extern void counters_add(Counters *a, const Posting *p);
extern void counters_add_pair(Counters *a, int64 ancestor, int64 descendant);
extern void counters_put(Counters *a, CellRowFunction put, void *arg);

#endif							/* CRM_KPI_COUNTERS_H */
