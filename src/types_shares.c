/*-------------------------------------------------------------------------
 * types_shares.c
 *		The shares by which crm.split divides, kept from call to call, and
 *		division in machine integers.
 *-------------------------------------------------------------------------
 */
#include "types_shares.h"

#include "common/hashfn.h"
#include "common/int.h"
#include "utils/memutils.h"

#define KEPT_SHARES		64
#define MAX_KEPT_SIZE	1024

/* 10^n, n from 0 to 18 */
static int64
power_of_ten(int n)
{
	int64		power = 1;

	while (n-- > 0)
		power *= 10;
	return power;
}

bool
crm_whole_units(Numeric x, int32 scale, int64 *units)
{
	Numeric		magnitude = DatumGetNumeric(DirectFunctionCall1(numeric_abs, NumericGetDatum(x)));

	if (scale > 18 || crm_numeric_order(magnitude, int64_to_numeric(power_of_ten(18 - scale))) >= 0 ||
		DatumGetInt32(DirectFunctionCall1(numeric_scale, NumericGetDatum(x))) > scale)
		return false;
	if (scale > 0)
		x = crm_mul(x, int64_to_numeric(power_of_ten(scale)));
	*units = DatumGetInt64(DirectFunctionCall1(numeric_int8, NumericGetDatum(x)));
	return true;
}

static void
make_shares_whole(Shares *shares)
{
	int32		scale = 0;

	shares->whole = NULL;
	shares->total = 0;
	for (int i = 0; i < shares->exact.n; i++)
		scale = Max(scale, DatumGetInt32(DirectFunctionCall1(numeric_scale, NumericGetDatum(shares->exact.value[i]))));
	shares->whole = palloc(sizeof(int64) * Max(shares->exact.n, 1));
	for (int i = 0; i < shares->exact.n; i++)
	{
		if (!crm_whole_units(shares->exact.value[i], scale, &shares->whole[i]) ||
			pg_add_s64_overflow(shares->total, shares->whole[i], &shares->total))
		{
			shares->whole = NULL;
			return;
		}
	}
	if (shares->total == 0)
		shares->whole = NULL;
}

const Shares *
crm_shares_read(FmgrInfo *function, ArrayType *array)
{
	Shares	  **kept = function->fn_extra;
	Size		size = VARSIZE(array);
	MemoryContext caller,
				own;
	Shares	   *shares;
	Shares	  **slot;

	if (size > MAX_KEPT_SIZE)
	{
		shares = palloc(sizeof(Shares));
		shares->exact = crm_weights_read(array, "share");
		shares->whole = NULL;
		return shares;
	}
	if (kept == NULL)
		function->fn_extra = kept = MemoryContextAllocZero(function->fn_mcxt, sizeof(Shares *) * KEPT_SHARES);
	slot = &kept[hash_bytes((const unsigned char *) array, (int) size) % KEPT_SHARES];
	if (*slot != NULL && (*slot)->size == size && memcmp((*slot)->array, array, size) == 0)
		return *slot;

	/* a context of its own, so that the slot can be given back; the caller's until nothing can fail */
	own = AllocSetContextCreate(CurrentMemoryContext, "crm.split shares", ALLOCSET_SMALL_SIZES);
	caller = MemoryContextSwitchTo(own);
	shares = palloc(sizeof(Shares));
	shares->size = size;
	shares->array = memcpy(palloc(size), array, size);
	shares->exact = crm_weights_read(shares->array, "share");
	make_shares_whole(shares);
	MemoryContextSwitchTo(caller);
	MemoryContextSetParent(own, function->fn_mcxt);
	if (*slot != NULL)
		MemoryContextDelete(GetMemoryChunkContext(*slot));
	*slot = shares;
	return shares;
}

typedef struct WholeRemainder
{
	int64		value;
	int			index;
} WholeRemainder;

static int
whole_remainder_order(const void *a, const void *b)
{
	const WholeRemainder *x = a;
	const WholeRemainder *y = b;

	return x->value != y->value ? (x->value < y->value ? 1 : -1) : (x->index > y->index) - (x->index < y->index);
}

bool
crm_shares_divide(const Shares *shares, int64 units, int64 *parts)
{
	WholeRemainder *remainders = palloc(sizeof(WholeRemainder) * Max(shares->exact.n, 1));
	int64		left = units;

	for (int i = 0; i < shares->exact.n; i++)
	{
		int64		product;

		if (pg_mul_s64_overflow(units, shares->whole[i], &product))
			return false;
		parts[i] = product / shares->total;
		left -= parts[i];
		remainders[i].value = product % shares->total;
		remainders[i].index = i;
	}
	if (left > 0)
		qsort(remainders, shares->exact.n, sizeof(WholeRemainder), whole_remainder_order);
	for (int i = 0; i < left; i++)
		parts[remainders[i].index]++;
	return true;
}
