/*-------------------------------------------------------------------------
 * base_key.h
 *		The order of bigint keys.
 *-------------------------------------------------------------------------
 */
#ifndef CRM_BASE_KEY_H
#define CRM_BASE_KEY_H

static inline int
compare_keys(int64 a, int64 b)
{
	return (a > b) - (a < b);
}

/* For qsort() of int64. */
static inline int
int64_cmp(const void *a, const void *b)
{
	return compare_keys(*(const int64 *) a, *(const int64 *) b);
}

#endif							/* CRM_BASE_KEY_H */
