/*-------------------------------------------------------------------------
 * classify_value_largest.h
 *		The sum of the largest values beside the sum of all.
 *-------------------------------------------------------------------------
 */
#ifndef CRM_CLASSIFY_VALUE_LARGEST_H
#define CRM_CLASSIFY_VALUE_LARGEST_H

#include "classify_purchase_tally.h"

extern double sum_of_largest(const TallyPoints *points, double rows, double *total);

#endif							/* CRM_CLASSIFY_VALUE_LARGEST_H */
