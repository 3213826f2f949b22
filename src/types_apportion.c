/*-------------------------------------------------------------------------
 * types_apportion.c
 *		crm.apportion: whole seats proportional to weights.
 *
 * The divisor methods give seat after seat to the highest quotient weight /
 * divisor(seats held), of equal quotients to the smaller index. The result is
 * the set of the first S quotients in that order, so it need not be built from
 * nothing: all quotients not below a bound are such a set for some other S,
 * and a bound taken from the quota misses S by less than the number of
 * parties. From there seats are added from the top or taken back from the
 * bottom one at a time.
 *-------------------------------------------------------------------------
 */
#include "types_split.h"

#include "catalog/pg_type.h"
#include "lib/binaryheap.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"

typedef enum Method
{
	LARGEST_REMAINDER,
	DHONDT,						/* divisors 1, 2, 3, ... */
	SAINTE_LAGUE				/* divisors 1, 3, 5, ... */
} Method;

static const char *const method_names[] = {"largest_remainder", "dhondt", "sainte_lague"};

typedef struct Race
{
	const CrmWeights *weights;
	Method		method;
	int64	   *seats;
	Numeric    *divisor;		/* of the quotient at stake for each party */
} Race;

static Method
parse_method(const char *name)
{
	for (int i = 0; i < (int) lengthof(method_names); i++)
		if (strcmp(name, method_names[i]) == 0)
			return (Method) i;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("no method of apportionment \"%.*s\"", pg_mbcliplen(name, strlen(name), 64), name),
			 errhint("The methods are \"largest_remainder\", \"dhondt\" and \"sainte_lague\".")));
}

/* Divisor of the next seat of a party holding so many, or of its last one. */
static Numeric
seat_divisor(Method method, int64 held, bool next)
{
	Numeric		n = int64_to_numeric(held);

	if (method == DHONDT)
		return crm_add(n, int64_to_numeric(next ? 1 : 0));
	return crm_add(crm_add(n, n), int64_to_numeric(next ? 1 : -1));
}

/* Above zero if the quotient of a comes before that of b. */
static int
quotient_order(const Race *race, int a, int b)
{
	Numeric		x = crm_mul(race->weights->value[a], race->divisor[b]);
	Numeric		y = crm_mul(race->weights->value[b], race->divisor[a]);
	int			order = crm_numeric_order(x, y);

	pfree(x);
	pfree(y);
	return order != 0 ? order : (a < b) - (a > b);
}

static int
best_first(Datum a, Datum b, void *race)
{
	return quotient_order(race, DatumGetInt32(a), DatumGetInt32(b));
}

static int
worst_first(Datum a, Datum b, void *race)
{
	return quotient_order(race, DatumGetInt32(b), DatumGetInt32(a));
}

/*
 * Move |count| seats: added to the best quotients not yet taken if count is
 * above zero, taken back from the worst ones taken if below.
 */
static void
move_seats(Race *race, int64 count)
{
	int			n = race->weights->n;
	bool		adding = count > 0;
	binaryheap *heap;

	if (count == 0)
		return;
	heap = binaryheap_allocate(n, adding ? best_first : worst_first, race);
	for (int i = 0; i < n; i++)
	{
		if (adding ? crm_numeric_sign(race->weights->value[i]) == 0 : race->seats[i] == 0)
			continue;
		race->divisor[i] = seat_divisor(race->method, race->seats[i], adding);
		binaryheap_add_unordered(heap, Int32GetDatum(i));
	}
	binaryheap_build(heap);
	for (; count != 0; count += adding ? -1 : 1)
	{
		int			i = DatumGetInt32(binaryheap_first(heap));

		CHECK_FOR_INTERRUPTS();
		race->seats[i] += adding ? 1 : -1;
		if (!adding && race->seats[i] == 0)
		{
			binaryheap_remove_first(heap);
			continue;
		}
		pfree(race->divisor[i]);
		race->divisor[i] = seat_divisor(race->method, race->seats[i], adding);
		binaryheap_replace_first(heap, Int32GetDatum(i));
	}
	binaryheap_free(heap);
}

/*
 * Start at the quotients not below total / seats (d'Hondt: quota rounded down)
 * or half of it (Sainte-Lague: quota rounded half up), then mend.
 */
static void
divide_by_divisors(int64 seats, Race *race)
{
	const CrmWeights *weights = race->weights;
	int64		left = seats;
	Numeric		twice_seats = crm_mul(int64_to_numeric(seats), int64_to_numeric(2));
	Numeric		twice_total = crm_mul(weights->total, int64_to_numeric(2));

	for (int i = 0; i < weights->n; i++)
	{
		Numeric		x = crm_mul(twice_seats, weights->value[i]);
		Numeric		quota;

		CHECK_FOR_INTERRUPTS();
		if (race->method == SAINTE_LAGUE)
			x = crm_add(x, weights->total);
		quota = crm_quotient(x, twice_total);
		race->seats[i] = DatumGetInt64(DirectFunctionCall1(numeric_int8, NumericGetDatum(quota)));
		left -= race->seats[i];
		pfree(x);
		pfree(quota);
	}
	move_seats(race, left);
}

/*
 * crm.apportion(seats, weights, method): seats in whole numbers proportional to
 * the weights, summing to seats. Ties go to the smaller index. Strict. 22023:
 * seats below zero, an unknown method, a negative weight, no weight above zero
 * for seats above zero; 22003: NaN, infinity or beyond 1e100; 22004: a null
 * weight; 2202E: not one dimension; 54000: more than a million weights.
 */
PG_FUNCTION_INFO_V1(crm_apportion);
Datum
crm_apportion(PG_FUNCTION_ARGS)
{
	int64		seats = PG_GETARG_INT64(0);
	Method		method = parse_method(text_to_cstring(PG_GETARG_TEXT_PP(2)));
	CrmWeights	weights = crm_weights_read(PG_GETARG_ARRAYTYPE_P(1), "weight");
	Datum	   *result = palloc(sizeof(Datum) * Max(weights.n, 1));

	if (seats < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("number of seats \"%lld\" is negative", (long long) seats)));
	if (seats > 0 && crm_numeric_sign(weights.total) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("nobody to give \"%lld\" seats to", (long long) seats),
				 errdetail("At least one weight must be above zero.")));
	if (method == LARGEST_REMAINDER || seats == 0)
	{
		Numeric    *parts = palloc(sizeof(Numeric) * Max(weights.n, 1));

		crm_largest_remainder(int64_to_numeric(seats), &weights, parts);
		for (int i = 0; i < weights.n; i++)
			result[i] = DirectFunctionCall1(numeric_int8, NumericGetDatum(parts[i]));
	}
	else
	{
		Race		race = {&weights, method, palloc(sizeof(int64) * weights.n),
		palloc(sizeof(Numeric) * weights.n)};

		divide_by_divisors(seats, &race);
		for (int i = 0; i < weights.n; i++)
			result[i] = Int64GetDatum(race.seats[i]);
	}
	PG_RETURN_ARRAYTYPE_P(construct_array(result, weights.n, INT8OID, sizeof(int64),
										  FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}
