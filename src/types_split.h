/*-------------------------------------------------------------------------
 * types_split.h
 *		Weights in exact arithmetic, for splitting and apportioning.
 *-------------------------------------------------------------------------
 */
#ifndef CRM_TYPES_SPLIT_H
#define CRM_TYPES_SPLIT_H

#include "crm.h"

#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/numeric.h"

typedef struct CrmWeights
{
	int			n;
	Numeric    *value;			/* finite, not negative */
	Numeric		total;
} CrmWeights;

/* Read and check an array of weights; what names them in messages. */
extern CrmWeights crm_weights_read(ArrayType *array, const char *what);

/*
 * units (a whole number, not negative) in whole parts proportional to the
 * weights by largest remainder; parts[0 .. n-1] sum to units. The weights must
 * not all be zero unless units is.
 */
extern void crm_largest_remainder(Numeric units, const CrmWeights *weights, Numeric *parts);

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

#endif							/* CRM_TYPES_SPLIT_H */
