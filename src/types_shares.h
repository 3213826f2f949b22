/*-------------------------------------------------------------------------
 * types_shares.h
 *		The shares by which crm.split divides, and division in machine
 *		integers where they and the amount are small.
 *-------------------------------------------------------------------------
 */
#ifndef CRM_TYPES_SHARES_H
#define CRM_TYPES_SHARES_H

#include "types_weights.h"

#include "fmgr.h"

typedef struct Shares
{
	Size		size;			/* of the array */
	ArrayType  *array;			/* a copy */
	CrmWeights	exact;
	int64	   *whole;			/* the same proportion in integers of total parts; NULL: too large */
	int64		total;
} Shares;

/*
 * Reads and checks an array of shares. Who divides many amounts does so by few
 * arrays: each is read once for as long as no other takes its place.
 */
extern const Shares *crm_shares_read(FmgrInfo *function, ArrayType *array);

/* x * 10^scale as an integer; false: x has more decimals, or is too large. */
extern bool crm_whole_units(Numeric x, int32 scale, int64 *units);

/*
 * crm_largest_remainder() of units, not negative, by shares that are whole;
 * false: a product is too large.
 */
extern bool crm_shares_divide(const Shares *shares, int64 units, int64 *parts);

#endif							/* CRM_TYPES_SHARES_H */
