/*-------------------------------------------------------------------------
 * types_split.c
 *		crm.split: an amount in parts that sum to it, by largest remainder.
 *-------------------------------------------------------------------------
 */
#include "types_split.h"

#include "types_shares.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"

typedef struct Remainder
{
	Numeric		value;
	int			index;
} Remainder;

/* Largest first, of equal ones the smaller index. */
static int
remainder_order(const void *a, const void *b)
{
	const Remainder *x = a;
	const Remainder *y = b;
	int			order = crm_numeric_order(y->value, x->value);

	CHECK_FOR_INTERRUPTS();
	return order != 0 ? order : (x->index > y->index) - (x->index < y->index);
}

void
crm_largest_remainder(Numeric units, const CrmWeights *weights, Numeric *parts)
{
	Remainder  *remainders;
	Numeric		left = units;
	Numeric		one = int64_to_numeric(1);
	int			nleft;

	if (crm_numeric_sign(units) == 0)
	{
		for (int i = 0; i < weights->n; i++)
			parts[i] = units;
		return;
	}
	Assert(crm_numeric_sign(weights->total) > 0);

	remainders = palloc(sizeof(Remainder) * weights->n);
	for (int i = 0; i < weights->n; i++)
	{
		Numeric		product = crm_mul(units, weights->value[i]);
		Numeric		whole = crm_quotient(product, weights->total);
		Numeric		back = crm_mul(whole, weights->total);

		CHECK_FOR_INTERRUPTS();
		parts[i] = whole;
		left = crm_sub(left, whole);
		remainders[i].value = crm_sub(product, back);
		remainders[i].index = i;
		pfree(product);
		pfree(back);
	}

	/* what is left is less than the number of remainders above zero */
	nleft = DatumGetInt32(DirectFunctionCall1(numeric_int4, NumericGetDatum(left)));
	if (nleft > 0)
		qsort(remainders, weights->n, sizeof(Remainder), remainder_order);
	for (int i = 0; i < nleft; i++)
	{
		Numeric    *part = &parts[remainders[i].index];

		*part = crm_add(*part, one);
	}
}

/*
 * crm.split(amount, shares, scale): the amount in parts proportional to the
 * shares, each with scale decimals, that sum to it exactly (largest remainder,
 * of equal remainders the smaller index; a negative amount as its opposite).
 * Strict. 22023: amount with more decimals than scale, scale outside 0..100, a
 * negative share, no share above zero for an amount that is not zero; 22003:
 * NaN, infinity or beyond 1e100; 22004: a null share; 2202E: not one
 * dimension; 54000: more than a million shares.
 */
PG_FUNCTION_INFO_V1(crm_split);
Datum
crm_split(PG_FUNCTION_ARGS)
{
	Numeric		amount = PG_GETARG_NUMERIC(0);
	const Shares *shares = crm_shares_read(fcinfo->flinfo, PG_GETARG_ARRAYTYPE_P(1));
	int			n = shares->exact.n;
	int32		scale = PG_GETARG_INT32(2);
	int64		whole;
	Numeric		units;
	Numeric		unit;
	Numeric	   *parts;
	Datum	   *result;

	if (scale < 0 || scale > CRM_MAX_SCALE)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("scale \"%d\" is not within 0 and %d", scale, CRM_MAX_SCALE)));
	result = palloc(sizeof(Datum) * Max(n, 1));
	if (shares->whole != NULL && crm_whole_units(amount, scale, &whole))
	{
		int64	   *whole_parts = palloc(sizeof(int64) * n);

		if (crm_shares_divide(shares, whole < 0 ? -whole : whole, whole_parts))
		{
			for (int i = 0; i < n; i++)
				result[i] = NumericGetDatum(int64_div_fast_to_numeric(whole < 0 ? -whole_parts[i] : whole_parts[i], scale));
			PG_RETURN_ARRAYTYPE_P(construct_array(result, n, NUMERICOID, -1, false, TYPALIGN_INT));
		}
	}

	crm_number_check(amount, "amount");
	units = crm_mul(amount, crm_number_parse(psprintf("1e%d", scale)));
	if (crm_numeric_order(units, crm_quotient(units, int64_to_numeric(1))) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("amount \"%s\" has more than %d decimals", numeric_normalize(amount), scale)));

	/* the unit carries the sign and the decimals */
	unit = crm_number_parse(psprintf("%se-%d", crm_numeric_sign(units) < 0 ? "-1" : "1", scale));
	units = DatumGetNumeric(DirectFunctionCall1(numeric_abs,
												NumericGetDatum(crm_quotient(units, int64_to_numeric(1)))));
	parts = palloc(sizeof(Numeric) * Max(n, 1));
	if (crm_numeric_sign(shares->exact.total) == 0 && crm_numeric_sign(units) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("nobody to give the amount \"%s\" to", numeric_normalize(amount)),
				 errdetail("At least one share must be above zero.")));
	crm_largest_remainder(units, &shares->exact, parts);

	for (int i = 0; i < n; i++)
		result[i] = NumericGetDatum(crm_mul(parts[i], unit));
	PG_RETURN_ARRAYTYPE_P(construct_array(result, n, NUMERICOID, -1, false, TYPALIGN_INT));
}
