/*-------------------------------------------------------------------------
 * base_key.c
 *		Arrays of bigint keys, and runs of keys that follow each other.
 *-------------------------------------------------------------------------
 */
#include "base_key.h"

#include "catalog/pg_type.h"
#include "common/int.h"
#include "utils/array.h"
#include "utils/memutils.h"

PG_FUNCTION_INFO_V1(crm_run_keys);

/* The numbers of a bigint[], in place.  Errors: 22004. */
int64 *
int8_array(ArrayType *a, int *n)
{
	if (ARR_HASNULL(a) && array_contains_nulls(a))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("array must not contain nulls")));
	*n = ArrayGetNItems(ARR_NDIM(a), ARR_DIMS(a));
	return (int64 *) ARR_DATA_PTR(a);
}

/* A bigint[] of n numbers, which the caller fills in.  Errors: 54000. */
static ArrayType *
int8_array_of(int64 n)
{
	Size		bytes;
	ArrayType  *a;

	if (n > (int64) ((MaxAllocSize - ARR_OVERHEAD_NONULLS(1)) / sizeof(int64)))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many keys for one array: " INT64_FORMAT, n)));
	bytes = ARR_OVERHEAD_NONULLS(1) + n * sizeof(int64);
	a = palloc0(bytes);
	SET_VARSIZE(a, bytes);
	a->ndim = n > 0 ? 1 : 0;
	a->elemtype = INT8OID;
	if (n > 0)
	{
		ARR_DIMS(a)[0] = (int) n;
		ARR_LBOUND(a)[0] = 1;
	}
	else
		SET_VARSIZE(a, ARR_OVERHEAD_NONULLS(0));
	return a;
}

/* A bigint[] of these.  Errors: 54000. */
Datum
make_int8_array(const int64 *v, int64 n)
{
	ArrayType  *a = int8_array_of(n);

	if (n > 0)
		memcpy(ARR_DATA_PTR(a), v, n * sizeof(int64));
	return PointerGetDatum(a);
}

/* Sort keys and leave out those that come again; how many are left. */
int64
sort_keys(int64 *key, int64 n)
{
	int64		left = 0;

	qsort(key, n, sizeof(int64), int64_cmp);
	for (int64 i = 0; i < n; i++)
		if (left == 0 || key[left - 1] != key[i])
			key[left++] = key[i];
	return left;
}

/* Ascending keys as runs of at most so many, one after the other, as new rows have them: the first of each, and how many. */
void
key_runs(const int64 *key, int64 n, int64 at_most, Datum *first, Datum *count)
{
	int64	   *at = palloc_array(int64, Max(n, 1));
	Datum	   *length = palloc_array(Datum, Max(n, 1));
	int			runs = 0;

	for (int64 i = 0, k; i < n; i += k)
	{
		for (k = 1; k < at_most && i + k < n; k++)
			if (key[i + k] - k != key[i])
				break;
		at[runs] = key[i];
		length[runs++] = Int32GetDatum((int32) k);
	}
	*first = make_int8_array(at, runs);
	*count = PointerGetDatum(construct_array(length, runs, INT4OID, 4, true, TYPALIGN_INT));
}

/*
 * run_keys(first, n): the keys of runs, first[i] and those that follow, n[i]
 * in all, ascending, each once.  Strict.
 * Errors: 22004 for a NULL in them; 2202E for arrays that are not as long as
 * each other; 22023 for a run of none; 22003 for one beyond a bigint; 54000
 * for more than an array holds.
 */
Datum
crm_run_keys(PG_FUNCTION_ARGS)
{
	ArrayType  *counts = PG_GETARG_ARRAYTYPE_P(1);
	const int32 *count = (const int32 *) ARR_DATA_PTR(counts);
	int			runs;
	const int64 *first = int8_array(PG_GETARG_ARRAYTYPE_P(0), &runs);
	int64		total = 0;
	bool		ascending = true;
	ArrayType  *keys;
	int64	   *key;

	if (ARR_HASNULL(counts) && array_contains_nulls(counts))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("array must not contain nulls")));
	if (ArrayGetNItems(ARR_NDIM(counts), ARR_DIMS(counts)) != runs)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("there must be as many lengths as first keys")));
	for (int i = 0; i < runs; i++)
	{
		int64		last;

		if (count[i] < 1)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("a run has at least one key, not %d", count[i])));
		if (pg_add_s64_overflow(first[i], count[i] - 1, &last))
			ereport(ERROR,
					(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					 errmsg("bigint out of range")));
		if (i > 0 && first[i] <= first[i - 1] + (count[i - 1] - 1))
			ascending = false;
		total += count[i];
	}
	keys = int8_array_of(total);
	key = (int64 *) ARR_DATA_PTR(keys);
	for (int i = 0; i < runs; i++)
		for (int32 k = 0; k < count[i]; k++)
			*key++ = first[i] + k;
	if (!ascending)
	{
		key = (int64 *) ARR_DATA_PTR(keys);
		keys = DatumGetArrayTypeP(make_int8_array(key, sort_keys(key, total)));
	}
	PG_RETURN_ARRAYTYPE_P(keys);
}
