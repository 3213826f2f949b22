/*-------------------------------------------------------------------------
 * book_mask.c
 *		Sets of fields of a customer as the bits of a number: what the fields
 *		of a set weigh together, and their names.
 *
 * Element i of an array, from 1, belongs to bit i - 1.  Bits without an
 * element, and NULL elements, count for nothing.
 *-------------------------------------------------------------------------
 */
#include "crm.h"

#include "catalog/pg_type.h"
#include "common/int.h"
#include "lib/stringinfo.h"
#include "utils/array.h"
#include "utils/builtins.h"

#define MASK_BITS	63			/* the sign is no field */

static void
check_mask(int64 mask, ArrayType *array)
{
	if (mask < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("set of fields %lld is negative", (long long) mask)));
	if (ARR_NDIM(array) > 1 || (ARR_NDIM(array) == 1 && ARR_LBOUND(array)[0] != 1))
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("array of fields must have one dimension from 1")));
}

/*
 * crm._mask_sum(mask bigint, weights bigint[]): the sum of the weights of the
 * bits set.  Errors: 22023 negative set, 2202E array, 22003 sum out of range.
 */
PG_FUNCTION_INFO_V1(crm_mask_sum);
Datum
crm_mask_sum(PG_FUNCTION_ARGS)
{
	int64		mask = PG_GETARG_INT64(0);
	ArrayType  *weights = PG_GETARG_ARRAYTYPE_P(1);
	ArrayIterator iterator;
	Datum		weight;
	bool		isnull;
	int64		sum = 0;

	check_mask(mask, weights);
	iterator = array_create_iterator(weights, 0, NULL);
	for (int i = 0; i < MASK_BITS && array_iterate(iterator, &weight, &isnull); i++)
		if (!isnull && (mask >> i & 1) && pg_add_s64_overflow(sum, DatumGetInt64(weight), &sum))
			ereport(ERROR,
					(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					 errmsg("sum of weights is out of range")));
	PG_RETURN_INT64(sum);
}

/*
 * crm._mask_names(mask bigint, names text[], separator text): the names of
 * the bits set, in order of the array.  Errors: 22023, 2202E.
 */
PG_FUNCTION_INFO_V1(crm_mask_names);
Datum
crm_mask_names(PG_FUNCTION_ARGS)
{
	int64		mask = PG_GETARG_INT64(0);
	ArrayType  *names = PG_GETARG_ARRAYTYPE_P(1);
	text	   *separator = PG_GETARG_TEXT_PP(2);
	ArrayIterator iterator;
	StringInfoData out;
	Datum		name;
	bool		isnull;

	check_mask(mask, names);
	initStringInfo(&out);
	iterator = array_create_iterator(names, 0, NULL);
	for (int i = 0; i < MASK_BITS && array_iterate(iterator, &name, &isnull); i++)
		if (!isnull && (mask >> i & 1))
		{
			text	   *t = DatumGetTextPP(name);

			if (out.len > 0)
				appendBinaryStringInfo(&out, VARDATA_ANY(separator), VARSIZE_ANY_EXHDR(separator));
			appendBinaryStringInfo(&out, VARDATA_ANY(t), VARSIZE_ANY_EXHDR(t));
		}
	PG_RETURN_TEXT_P(cstring_to_text_with_len(out.data, out.len));
}
