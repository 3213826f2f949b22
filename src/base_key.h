/*-------------------------------------------------------------------------
 * base_key.h
 *		The order of bigint keys.
 *-------------------------------------------------------------------------
 */
#ifndef CRM_BASE_KEY_H
#define CRM_BASE_KEY_H

/* For qsort() of int64. */
static inline int
int64_cmp(const void *a, const void *b)
{
	int64		x = *(const int64 *) a;
	int64		y = *(const int64 *) b;

	return (x > y) - (x < y);
}

#endif							/* CRM_BASE_KEY_H */
