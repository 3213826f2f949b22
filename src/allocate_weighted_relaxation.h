/*-------------------------------------------------------------------------
 * allocate_weighted_relaxation.h
 *		The relaxation in which holders pick customers by their values.
 *-------------------------------------------------------------------------
 */
#ifndef ALLOCATE_WEIGHTED_RELAXATION_H
#define ALLOCATE_WEIGHTED_RELAXATION_H

#include "allocate_weighted_state.h"

typedef struct Item
{
	int64		profit;
	double		rate;			/* profit by load */
	int64		edge;
	int32		load;
} Item;

typedef struct Relaxation
{
	Weighted   *w;
	const int64 *cost;			/* of each edge */
	int64		leave;			/* cost of leaving a customer out */
	int64		grain;			/* power of two dividing all of these */
	int64	   *value;			/* of each customer */
	double	   *way;			/* direction of the last step */
	int32	   *picked;			/* by how many each customer is picked */
	bool	   *taken;			/* edges by which */
	bool	   *open;			/* edges that may be taken at all */
	bool	   *fixed;			/* customers that are decided */
	int64	   *room;			/* left by those at each holder */
	int64	   *wish;
	double		step;
	int			patience;

	Item	   *items;			/* work space */
	int64		items_size;
	uint8	   *cells;
	int64		cells_size;
	int64	   *row;
	int64		row_size;
} Relaxation;

/* allocate_weighted_value.c */
extern Relaxation *relaxation_make(Weighted *w, const int64 *cost, int64 leave, int64 grain);
extern int64 relaxation_value(Relaxation *r);
extern void relaxation_step(Relaxation *r, int64 value, int64 target);
extern void relaxation_close(Relaxation *r, int64 bound);

/* allocate_weighted_pick.c */
extern int64 relaxation_pick(Relaxation *r, int32 j);

#endif							/* ALLOCATE_WEIGHTED_RELAXATION_H */
