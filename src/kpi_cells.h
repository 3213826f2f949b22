/*-------------------------------------------------------------------------
 * kpi_cells.h
 *		The cells of one account and unit in a year: the SQL type crm.cells.
 *-------------------------------------------------------------------------
 */
#ifndef CRM_KPI_CELLS_H
#define CRM_KPI_CELLS_H

#include "crm.h"

#include "utils/array.h"

typedef struct Cell
{
	int64		channel;
	int64		n;
	int16		period;			/* in the year, from 0 */
	int16		class_id;
	bool		company;
} Cell;

/* Most periods that a year has: 12 months */
#define CELL_PERIODS 12

extern bool parse_number(char **p, char stop, int64 least, int64 most, int64 *v);
extern int	cell_cmp(const void *a, const void *b);
extern struct varlena *cells_pack(const Cell *cell, int n);
extern Cell *cells_unpack(const struct varlena *v, int period, int *n);

#endif							/* CRM_KPI_CELLS_H */
