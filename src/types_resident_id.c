/*-------------------------------------------------------------------------
 * types_resident_id.c
 *		crm.resident_id: Chinese resident identity number, GB 11643-1999.
 *
 * rrrrrryyyymmddsssc: region of first registration (GB/T 2260), birth date,
 * sequence number (odd: male), check character by ISO 7064 MOD 11-2. The value
 * is the number made of the first 17 digits, eight bytes by value; the check
 * character follows from it. A number of 15 digits (GB 11643-1989: year in two
 * digits, no check character) is of the 20th century.
 *-------------------------------------------------------------------------
 */
#include "crm.h"

#include "common/hashfn.h"
#include "lib/stringinfo.h"
#include "libpq/pqformat.h"
#include "types_input.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"

#define BODY_DIGITS		17
#define OLD_DIGITS		15

typedef struct BirthDate
{
	int			year;
	int			month;
	int			day;
} BirthDate;

/* The parts of a value. */
static inline int
region_of(int64 id)
{
	return (int) (id / INT64CONST(100000000000));
}

static inline BirthDate
birth_of(int64 id)
{
	int			yyyymmdd = (int) (id / 1000 % 100000000);
	BirthDate	birth = {yyyymmdd / 10000, yyyymmdd / 100 % 100, yyyymmdd % 100};

	return birth;
}

/* Check character: the weight of the i-th digit from the left is 2^(17-i) mod 11. */
static char
check_character(int64 id)
{
	int			sum = 0;
	int			weight = 2;

	for (int i = 0; i < BODY_DIGITS; i++, id /= 10)
	{
		sum += (int) (id % 10) * weight;
		weight = weight * 2 % 11;
	}
	return "10X98765432"[sum % 11];
}

/* Provinces of GB/T 2260, 83 (residence of people from Taiwan), 9x (foreigners). */
static bool
province_exists(int province)
{
	static const char last[] = {-1, 5, 3, 7, 6, 4, 5, 1, 3, 9};
	int			tens = province / 10;
	int			ones = province % 10;

	if (tens == 5)
		return ones <= 4;
	if (tens == 9)
		return true;
	return ones >= 1 && ones <= last[tens];
}

static bool
date_exists(BirthDate birth)
{
	return birth.year >= 1 && birth.month >= 1 && birth.month <= 12 &&
		birth.day >= 1 &&
		birth.day <= day_tab[isleap(birth.year)][birth.month - 1];
}

/* Why the value cannot be, or NULL. */
static const char *
value_error(int64 id)
{
	BirthDate	birth = birth_of(id);

	if (!province_exists(region_of(id) / 10000))
		return psprintf("Province code \"%02d\" does not exist.", region_of(id) / 10000);
	if (!date_exists(birth))
		return psprintf("Birth date \"%04d-%02d-%02d\" does not exist.",
						birth.year, birth.month, birth.day);
	return NULL;
}

/* Text input: 22P02 with the reason. Spaces around the number are skipped. */
PG_FUNCTION_INFO_V1(crm_resident_id_in);
Datum
crm_resident_id_in(PG_FUNCTION_ARGS)
{
	const char *input = PG_GETARG_CSTRING(0);
	const char *p = crm_skip_space(input);
	const char *why = NULL;
	int64		id = 0;
	int			ndigits = 0;
	char		check = '\0';

	while (crm_is_digit(*p) && ndigits < BODY_DIGITS)
	{
		id = id * 10 + (*p++ - '0');
		ndigits++;
	}
	if (ndigits == BODY_DIGITS && (crm_is_digit(*p) || *p == 'X' || *p == 'x'))
		check = (*p++ == 'x') ? 'X' : p[-1];
	p = crm_skip_space(p);

	if (*p != '\0' || (check == '\0' && ndigits != OLD_DIGITS))
		why = "A resident identity number has 17 digits and a check character (a digit or X), or 15 digits.";
	else
	{
		if (ndigits == OLD_DIGITS)
			id = (id / 1000000000 * 100 + 19) * 1000000000 + id % 1000000000;
		why = value_error(id);
		if (why == NULL && check != '\0' && check != check_character(id))
			why = psprintf("The check character is \"%c\", \"%c\" was expected.",
						   check, check_character(id));
	}
	if (why != NULL)
		crm_input_error(fcinfo->context, (Datum) 0,
						(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
						 errmsg("invalid input syntax for type %s: \"%s\"",
								"crm.resident_id", crm_quotable(input)),
						 errdetail_internal("%s", why)));
	PG_RETURN_INT64(id);
}

/* Text output: 18 characters. */
PG_FUNCTION_INFO_V1(crm_resident_id_out);
Datum
crm_resident_id_out(PG_FUNCTION_ARGS)
{
	int64		id = PG_GETARG_INT64(0);

	PG_RETURN_CSTRING(psprintf("%017lld%c", (long long) id, check_character(id)));
}

/* Binary input: the first 17 digits as int8. 22P03 if they cannot be. */
PG_FUNCTION_INFO_V1(crm_resident_id_recv);
Datum
crm_resident_id_recv(PG_FUNCTION_ARGS)
{
	int64		id = pq_getmsgint64((StringInfo) PG_GETARG_POINTER(0));
	const char *why;

	if (id < 0 || id >= INT64CONST(100000000000000000))
		why = "The number does not have 17 digits.";
	else
		why = value_error(id);
	if (why != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("invalid binary %s: \"%lld\"", "crm.resident_id", (long long) id),
				 errdetail_internal("%s", why)));
	PG_RETURN_INT64(id);
}

/* Binary output: see crm_resident_id_recv. */
PG_FUNCTION_INFO_V1(crm_resident_id_send);
Datum
crm_resident_id_send(PG_FUNCTION_ARGS)
{
	StringInfoData buf;

	pq_begintypsend(&buf);
	pq_sendint64(&buf, PG_GETARG_INT64(0));
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}

/* crm.birth_date(resident_id): the birth date in the number. Strict. */
PG_FUNCTION_INFO_V1(crm_resident_id_birth_date);
Datum
crm_resident_id_birth_date(PG_FUNCTION_ARGS)
{
	BirthDate	birth = birth_of(PG_GETARG_INT64(0));

	PG_RETURN_DATEADT(date2j(birth.year, birth.month, birth.day) - POSTGRES_EPOCH_JDATE);
}

/* crm.sex(resident_id): 'male' (odd sequence number) or 'female'. Strict. */
PG_FUNCTION_INFO_V1(crm_resident_id_sex);
Datum
crm_resident_id_sex(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(cstring_to_text(PG_GETARG_INT64(0) % 2 ? "male" : "female"));
}

/* crm.region_code(resident_id): the six digits of GB/T 2260. Strict. */
PG_FUNCTION_INFO_V1(crm_resident_id_region_code);
Datum
crm_resident_id_region_code(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(cstring_to_text(psprintf("%06d", region_of(PG_GETARG_INT64(0)))));
}

/*
 * crm.age(resident_id, as_of): completed years on that day; NULL before the
 * birth date. Born on 29 February, a year is completed on 1 March where
 * February has 28 days. An infinite day is refused (22008). Strict.
 */
PG_FUNCTION_INFO_V1(crm_resident_id_age);
Datum
crm_resident_id_age(PG_FUNCTION_ARGS)
{
	BirthDate	birth = birth_of(PG_GETARG_INT64(0));
	DateADT		as_of = PG_GETARG_DATEADT(1);
	int			year,
				month,
				day,
				age;

	if (DATE_NOT_FINITE(as_of))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("no age on day \"%s\"", DATE_IS_NOBEGIN(as_of) ? "-infinity" : "infinity")));
	j2date(as_of + POSTGRES_EPOCH_JDATE, &year, &month, &day);
	age = year - birth.year -
		(month < birth.month || (month == birth.month && day < birth.day));
	if (age < 0)
		PG_RETURN_NULL();
	PG_RETURN_INT32(age);
}

/* Comparison: region, birth date, sequence number; the order of the texts. */
PG_FUNCTION_INFO_V1(crm_resident_id_cmp);
Datum
crm_resident_id_cmp(PG_FUNCTION_ARGS)
{
	int64		a = PG_GETARG_INT64(0);
	int64		b = PG_GETARG_INT64(1);

	PG_RETURN_INT32((a > b) - (a < b));
}

PG_FUNCTION_INFO_V1(crm_resident_id_lt);
Datum
crm_resident_id_lt(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(PG_GETARG_INT64(0) < PG_GETARG_INT64(1));
}

PG_FUNCTION_INFO_V1(crm_resident_id_le);
Datum
crm_resident_id_le(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(PG_GETARG_INT64(0) <= PG_GETARG_INT64(1));
}

PG_FUNCTION_INFO_V1(crm_resident_id_eq);
Datum
crm_resident_id_eq(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(PG_GETARG_INT64(0) == PG_GETARG_INT64(1));
}

PG_FUNCTION_INFO_V1(crm_resident_id_ne);
Datum
crm_resident_id_ne(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(PG_GETARG_INT64(0) != PG_GETARG_INT64(1));
}

PG_FUNCTION_INFO_V1(crm_resident_id_ge);
Datum
crm_resident_id_ge(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(PG_GETARG_INT64(0) >= PG_GETARG_INT64(1));
}

PG_FUNCTION_INFO_V1(crm_resident_id_gt);
Datum
crm_resident_id_gt(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(PG_GETARG_INT64(0) > PG_GETARG_INT64(1));
}

/* Hash of the number's eight bytes. */
PG_FUNCTION_INFO_V1(crm_resident_id_hash);
Datum
crm_resident_id_hash(PG_FUNCTION_ARGS)
{
	uint64		id = (uint64) PG_GETARG_INT64(0);

	return hash_any((unsigned char *) &id, sizeof(id));
}

/* The same with a seed, 64 bits. */
PG_FUNCTION_INFO_V1(crm_resident_id_hash_extended);
Datum
crm_resident_id_hash_extended(PG_FUNCTION_ARGS)
{
	uint64		id = (uint64) PG_GETARG_INT64(0);

	return hash_any_extended((unsigned char *) &id, sizeof(id), PG_GETARG_INT64(1));
}
