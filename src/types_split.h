/*-------------------------------------------------------------------------
 * types_split.h
 *		Division in whole parts by largest remainder.
 *-------------------------------------------------------------------------
 */
#ifndef CRM_TYPES_SPLIT_H
#define CRM_TYPES_SPLIT_H

#include "types_weights.h"

/*
 * units (a whole number, not negative) in whole parts proportional to the
 * weights by largest remainder; parts[0 .. n-1] sum to units. The weights must
 * not all be zero unless units is.
 */
extern void crm_largest_remainder(Numeric units, const CrmWeights *weights, Numeric *parts);

#endif							/* CRM_TYPES_SPLIT_H */
