/*-------------------------------------------------------------------------
 * classify_purchase_tally_object.h
 *		The two forms of a tally: flat, and expanded while its aggregate runs.
 *-------------------------------------------------------------------------
 */
#ifndef CRM_CLASSIFY_PURCHASE_TALLY_OBJECT_H
#define CRM_CLASSIFY_PURCHASE_TALLY_OBJECT_H

#include "classify_purchase_tally_grid.h"
#include "utils/expandeddatum.h"

#define TALLY_VERSION	1
#define TALLY_MOST		((Size) PG_UINT32_MAX / 4)	/* points */
#define TALLY_FLAT		64		/* points up to which it stays flat */

typedef struct FlatTally
{
	int32		vl_len_;
	uint8		version;
	uint8		dims;
	uint16		unused;			/* 0 */
	double		parameter;
	TallyCell	cell[FLEXIBLE_ARRAY_MEMBER];
} FlatTally;

#define FLAT_HEADER offsetof(FlatTally, cell)

typedef struct Tally
{
	ExpandedObjectHeader hdr;
	int			dims;
	double		parameter;
	int64		total;
	Size		n;
	Size		room;			/* points that cell has room for, half the slots */
	TallyCell  *cell;
	uint32	   *slot;			/* number of a point, or EMPTY; 2 * room of them; NULL: appended to */
	Size		settled;		/* without slots: points in order and each once, the first ones */
	Size		settle_next;	/* without slots: points at which repetitions are looked for */
	TallyGrid	grid;			/* points that are not in cell */
	int64		grid_next;		/* total at which it may grow */
} Tally;

extern const ExpandedObjectMethods tally_methods;

extern Size tally_flat_bytes(int dims, Size n);
extern Tally *tally_make(MemoryContext parent, int dims, double parameter);
extern void tally_add_cell(Tally *t, const TallyCell *point, int64 count);
extern Size tally_count(Tally *t);
extern void tally_write(const Tally *t, TallyCell *cell, Size n);

/* A point after the others; there is room */
static inline void
tally_append(Tally *t, const TallyCell *point, int dims, int64 count)
{
	TallyCell  *new = t->cell + t->n++ * (dims + 1);

	for (int i = 0; i < dims; i++)
		new[i].number = point[i].number + 0.0;	/* never -0 */
	new[dims].count = count;
}

static inline void
tally_add_point(Tally *t, const TallyCell *point, int64 count)
{
	t->total += count;
	if (grid_holds(&t->grid, point, t->dims))
		*grid_count(&t->grid, point, t->dims) += count;
	else
		tally_add_cell(t, point, count);
}

#endif							/* CRM_CLASSIFY_PURCHASE_TALLY_OBJECT_H */
