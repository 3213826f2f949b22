/*-------------------------------------------------------------------------
 * classify_rule.c
 *		Scales as thresholds in whole numbers, for the standing kernel.
 *-------------------------------------------------------------------------
 */
#include "crm.h"

#include "catalog/pg_type.h"
#include "types_scale.h"
#include "utils/array.h"

PG_FUNCTION_INFO_V1(crm_thresholds);
/*
 * thresholds(scale, decimals): for each label but the first the smallest
 * whole number of units of 10^-decimals that it grades.
 * Errors: 22023 for decimals outside 0 to 18.
 */
Datum
crm_thresholds(PG_FUNCTION_ARGS)
{
	CrmScale   *scale = crm_scale_parse(PG_GETARG_DATUM(0));
	int			decimals = PG_GETARG_INT32(1);
	Datum	   *d = palloc_array(Datum, scale->nlabels);

	if (decimals < 0 || decimals > 18)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("decimals must be between 0 and 18, not %d", decimals)));
	for (int i = 1; i < scale->nlabels; i++)
		d[i - 1] = Int64GetDatum(crm_scale_threshold(scale, i, decimals));
	PG_RETURN_ARRAYTYPE_P(construct_array(d, scale->nlabels - 1, INT8OID, 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}
