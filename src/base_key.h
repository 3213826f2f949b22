/*-------------------------------------------------------------------------
 * base_key.h
 *		bigint keys: their order, arrays of them, runs of them.
 *-------------------------------------------------------------------------
 */
#ifndef CRM_BASE_KEY_H
#define CRM_BASE_KEY_H

#include "crm.h"

#include "utils/array.h"

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

extern int64 *int8_array(ArrayType *a, int *n);
extern Datum make_int8_array(const int64 *v, int64 n);
extern int64 sort_keys(int64 *key, int64 n);
extern void key_runs(const int64 *key, int64 n, int64 at_most, Datum *first, Datum *count);

#endif							/* CRM_BASE_KEY_H */
