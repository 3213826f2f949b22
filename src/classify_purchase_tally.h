/*-------------------------------------------------------------------------
 * classify_purchase_tally.h
 *		The state of aggregates that need every value once: a tally of distinct
 *		points, of one to three numbers each, with their counts.
 *-------------------------------------------------------------------------
 */
#ifndef CRM_CLASSIFY_PURCHASE_TALLY_H
#define CRM_CLASSIFY_PURCHASE_TALLY_H

#include "crm.h"

#define TALLY_MAX_DIMS 3

/* A point takes dims + 1 of these: its numbers, then its count. */
typedef union TallyCell
{
	double		number;
	int64		count;
} TallyCell;

/* The points of a tally, in ascending order unless said otherwise */
typedef struct TallyPoints
{
	int			dims;
	double		parameter;		/* what the aggregate was called with beside its values */
	int64		total;			/* sum of the counts */
	Size		n;				/* distinct points */
	const TallyCell *cell;		/* n times dims + 1 */
} TallyPoints;

static inline const TallyCell *
tally_point(const TallyPoints *t, Size i)
{
	return t->cell + i * (t->dims + 1);
}

static inline int
point_cmp(const TallyCell *a, const TallyCell *b, int dims)
{
	for (int i = 0; i < dims; i++)
		if (a[i].number != b[i].number)
			return a[i].number < b[i].number ? -1 : 1;
	return 0;
}

extern Datum tally_add(FunctionCallInfo fcinfo, int dims, double parameter, const double *point);
extern TallyPoints tally_points(FunctionCallInfo fcinfo, int dims);
extern TallyPoints tally_points_unordered(FunctionCallInfo fcinfo, int dims);
extern struct varlena *tally_flat(const TallyPoints *points);

#endif							/* CRM_CLASSIFY_PURCHASE_TALLY_H */
