/*-------------------------------------------------------------------------
 * base_radix.h
 *		Records of two to four 64-bit words sorted by one of them.
 *-------------------------------------------------------------------------
 */
#ifndef CRM_BASE_RADIX_H
#define CRM_BASE_RADIX_H

#include "crm.h"

typedef enum RadixKey
{
	RADIX_INT64,
	RADIX_DOUBLE				/* no NaN; 0 and -0 are two */
} RadixKey;

extern void radix_sort(void *record, Size n, int width, int word, RadixKey key);

#endif							/* CRM_BASE_RADIX_H */
