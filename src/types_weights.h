/*-------------------------------------------------------------------------
 * types_weights.h
 *		Weights and amounts in exact arithmetic, for splitting and
 *		apportioning.
 *-------------------------------------------------------------------------
 */
#ifndef CRM_TYPES_WEIGHTS_H
#define CRM_TYPES_WEIGHTS_H

#include "crm.h"

#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/numeric.h"

#define CRM_MAX_SCALE	100

typedef struct CrmWeights
{
	int			n;
	Numeric    *value;			/* finite, not negative */
	Numeric		total;
} CrmWeights;

/* Read and check an array of weights; what names them in messages. */
extern CrmWeights crm_weights_read(ArrayType *array, const char *what);

/* 22003 for what exact arithmetic does not hold for. */
extern void crm_number_check(Numeric x, const char *what);

extern Numeric crm_number_parse(const char *decimal);

/* Numeric arithmetic; the results are exact within the bounds checked above. */
static inline Numeric
crm_mul(Numeric a, Numeric b)
{
	return DatumGetNumeric(DirectFunctionCall2(numeric_mul, NumericGetDatum(a), NumericGetDatum(b)));
}

static inline Numeric
crm_add(Numeric a, Numeric b)
{
	return DatumGetNumeric(DirectFunctionCall2(numeric_add, NumericGetDatum(a), NumericGetDatum(b)));
}

static inline Numeric
crm_sub(Numeric a, Numeric b)
{
	return DatumGetNumeric(DirectFunctionCall2(numeric_sub, NumericGetDatum(a), NumericGetDatum(b)));
}

/* whole quotient, rounded towards zero */
static inline Numeric
crm_quotient(Numeric a, Numeric b)
{
	return DatumGetNumeric(DirectFunctionCall2(numeric_div_trunc, NumericGetDatum(a), NumericGetDatum(b)));
}

/* -1, 0, 1 */
static inline int
crm_numeric_order(Numeric a, Numeric b)
{
	return DatumGetInt32(DirectFunctionCall2(numeric_cmp, NumericGetDatum(a), NumericGetDatum(b)));
}

static inline int
crm_numeric_sign(Numeric a)
{
	Numeric		zero = int64_to_numeric(0);
	int			order = crm_numeric_order(a, zero);

	pfree(zero);
	return order;
}

#endif							/* CRM_TYPES_WEIGHTS_H */
