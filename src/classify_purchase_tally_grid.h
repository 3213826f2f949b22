/*-------------------------------------------------------------------------
 * classify_purchase_tally_grid.h
 *		Counters of a tally for points of small whole numbers, which need no
 *		search: a row for each first number, a column for each second.
 *-------------------------------------------------------------------------
 */
#ifndef CRM_CLASSIFY_PURCHASE_TALLY_GRID_H
#define CRM_CLASSIFY_PURCHASE_TALLY_GRID_H

#include "classify_purchase_tally.h"

#define GRID_FIRST	1024		/* rows of input from which on a grid may be made */

/* All 0: none */
typedef struct TallyGrid
{
	double		limit[2];		/* rows and columns; 1 column for points of one number */
	uint32		columns;
	int64	   *count;			/* rows times columns; 0: no such point */
} TallyGrid;

static inline bool
grid_takes(double limit, double number)
{
	return number >= 0 && number < limit && number == (int32) number;
}

/* Does the point lie in the grid? */
static inline bool
grid_holds(const TallyGrid *g, const TallyCell *point, int dims)
{
	return grid_takes(g->limit[0], point[0].number) && (dims < 2 || grid_takes(g->limit[1], point[1].number));
}

/* The counter of a point that the grid holds */
static inline int64 *
grid_count(const TallyGrid *g, const TallyCell *point, int dims)
{
	Size		row = (Size) (int32) point[0].number;

	return dims < 2 ? &g->count[row] : &g->count[row * g->columns + (Size) (int32) point[1].number];
}

extern bool grid_grow(TallyGrid *g, MemoryContext context, const TallyCell *cell, Size n, int dims, int64 total);
extern Size grid_points(const TallyGrid *g, int dims, TallyCell *to);

#endif							/* CRM_CLASSIFY_PURCHASE_TALLY_GRID_H */
