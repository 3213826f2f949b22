/*-------------------------------------------------------------------------
 * types_weights.c
 *		Reading weights and amounts that can be reckoned with exactly.
 *-------------------------------------------------------------------------
 */
#include "types_weights.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"

#define MAX_PARTS		1000000
#define MAX_MAGNITUDE	"1e100"

/*
 * With numbers below 10^100 and of at most 100 decimals every product and
 * quotient here stays far below the limits of numeric, so all are exact.
 */
static void
check_below(Numeric x, Numeric bound, const char *what)
{
	Numeric		magnitude;

	if (numeric_is_nan(x) || numeric_is_inf(x))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("%s cannot be \"%s\"", what, numeric_normalize(x))));
	magnitude = DatumGetNumeric(DirectFunctionCall1(numeric_abs, NumericGetDatum(x)));
	if (DatumGetInt32(DirectFunctionCall1(numeric_scale, NumericGetDatum(x))) > CRM_MAX_SCALE ||
		crm_numeric_order(magnitude, bound) >= 0)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("%s out of range", what),
				 errdetail("It must be below %s with at most %d decimals.", MAX_MAGNITUDE, CRM_MAX_SCALE)));
	pfree(magnitude);
}

Numeric
crm_number_parse(const char *decimal)
{
	return DatumGetNumeric(DirectFunctionCall3(numeric_in, CStringGetDatum(decimal),
											   ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)));
}

void
crm_number_check(Numeric x, const char *what)
{
	check_below(x, crm_number_parse(MAX_MAGNITUDE), what);
}

CrmWeights
crm_weights_read(ArrayType *array, const char *what)
{
	CrmWeights	weights;
	Numeric		bound = crm_number_parse(MAX_MAGNITUDE);
	Datum	   *elements;
	bool	   *nulls;

	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("array of %ss has \"%d\" dimensions instead of one", what, ARR_NDIM(array))));
	if (ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array)) > MAX_PARTS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("more than %d %ss", MAX_PARTS, what)));
	deconstruct_array(array, NUMERICOID, -1, false, TYPALIGN_INT,
					  &elements, &nulls, &weights.n);
	weights.value = palloc(sizeof(Numeric) * Max(weights.n, 1));
	weights.total = int64_to_numeric(0);
	for (int i = 0; i < weights.n; i++)
	{
		Numeric		sum;

		CHECK_FOR_INTERRUPTS();
		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("%s \"%d\" is null", what, i + 1)));
		weights.value[i] = DatumGetNumeric(elements[i]);
		check_below(weights.value[i], bound, what);
		if (crm_numeric_sign(weights.value[i]) < 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("%s \"%d\" is negative: \"%s\"", what, i + 1,
							numeric_normalize(weights.value[i]))));
		sum = crm_add(weights.total, weights.value[i]);
		pfree(weights.total);
		weights.total = sum;
	}
	return weights;
}
