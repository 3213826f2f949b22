/*-------------------------------------------------------------------------
 * types_mobile.c
 *		crm.mobile: mobile telephone number of mainland China.
 *
 * Eleven digits of the national numbering plan; the value is the number, eight
 * bytes by value. Numbers of things (13 digits, 140 to 144, 146 and 148) are
 * not dialled by people and are refused.
 *-------------------------------------------------------------------------
 */
#include "crm.h"

#include "common/hashfn.h"
#include "lib/stringinfo.h"
#include "libpq/pqformat.h"
#include "types_input.h"
#include "types_unicode.h"
#include "utils/builtins.h"

#define MOBILE_DIGITS	11
#define MAX_DIGITS		(4 + MOBILE_DIGITS) /* 0086 and the number */

/*
 * Whether numbers begin with these five digits. Of 174 only the blocks of
 * China Telecom (00 to 05), emergency communication (06 to 12) and Inmarsat (9)
 * are given out.
 */
static bool
prefix_exists(int first5)
{
	static const char *const last[10] = {
		[3] = "0123456789", [4] = "579", [5] = "012356789", [6] = "2567",
		[7] = "01235678", [8] = "0123456789", [9] = "012356789",
	};
	int			block = first5 % 100;
	int			third = first5 / 100 % 10;
	const char *digits = last[first5 / 1000 % 10];

	if (first5 / 10000 != 1 || digits == NULL)
		return false;
	if (first5 / 100 == 174)
		return block <= 12 || block >= 90;
	return strchr(digits, '0' + third) != NULL;
}

/* Why the value cannot be, or NULL. */
static const char *
value_error(int64 number)
{
	int			first5 = (int) (number / 1000000);

	if (!prefix_exists(first5))
		return psprintf("No mobile number begins with \"%03d\".",
						first5 / 100 == 174 ? first5 : first5 / 100);
	return NULL;
}

/*
 * Collect the digits of a literal, at most MAX_DIGITS + 1. False where a
 * character has no business in it. *plus: whether + stands before the first digit.
 */
static bool
collect_digits(const char *s, char *digits, int *ndigits, bool *plus)
{
	*ndigits = 0;
	*plus = false;
	while (*s != '\0')
	{
		uint32		c = crm_half_width(crm_next_char(&s));

		if (c >= '0' && c <= '9')
		{
			if (*ndigits <= MAX_DIGITS)
				digits[(*ndigits)++] = (char) c;
		}
		else if (c == '+' && *ndigits == 0 && !*plus)
			*plus = true;
		else if (!(c == ' ' || (c >= '\t' && c <= '\r') || c == '-' || c == '(' || c == ')' ||
				   (c >= 0x2010 && c <= 0x2015) || c == 0x2212))
			return false;
	}
	digits[*ndigits] = '\0';
	return true;
}

/* The number of a literal, or 0 and why not. */
static int64
parse_number(const char *s, const char **why)
{
	char		digits[MAX_DIGITS + 2];
	char	   *p = digits;
	int			n;
	bool		plus;
	int64		number = 0;

	*why = NULL;
	if (!collect_digits(s, digits, &n, &plus))
	{
		*why = "Only digits, spaces, hyphens and parentheses may stand in it, and + before the country code.";
		return 0;
	}
	if (!plus && p[0] == '0' && p[1] == '0')
	{
		plus = true;
		p += 2;
	}
	if (p[0] == '8' && p[1] == '6' && (plus || n == MOBILE_DIGITS + 2))
		p += 2;
	else if (plus)
	{
		*why = "The country code must be 86.";
		return 0;
	}
	if (strlen(p) != MOBILE_DIGITS)
	{
		*why = psprintf("A mobile number has %d digits besides the country code.", MOBILE_DIGITS);
		return 0;
	}
	while (*p != '\0')
		number = number * 10 + (*p++ - '0');
	*why = value_error(number);
	return number;
}

/*
 * Text input: 11 digits, with +86, 0086 or 86 before them, and spaces, hyphens,
 * parentheses and full-width forms anywhere. 22P02 with the reason.
 */
PG_FUNCTION_INFO_V1(crm_mobile_in);
Datum
crm_mobile_in(PG_FUNCTION_ARGS)
{
	const char *input = PG_GETARG_CSTRING(0);
	const char *why;
	int64		number = parse_number(crm_utf8(input), &why);

	if (why != NULL)
		crm_input_error(fcinfo->context, (Datum) 0,
						(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
						 errmsg("invalid input syntax for type %s: \"%s\"",
								"crm.mobile", crm_quotable(input)),
						 errdetail_internal("%s", why)));
	PG_RETURN_INT64(number);
}

/* Text output: 11 digits. */
PG_FUNCTION_INFO_V1(crm_mobile_out);
Datum
crm_mobile_out(PG_FUNCTION_ARGS)
{
	PG_RETURN_CSTRING(psprintf("%lld", (long long) PG_GETARG_INT64(0)));
}

/* Binary input: the number as int8. 22P03 if it cannot be. */
PG_FUNCTION_INFO_V1(crm_mobile_recv);
Datum
crm_mobile_recv(PG_FUNCTION_ARGS)
{
	int64		number = pq_getmsgint64((StringInfo) PG_GETARG_POINTER(0));
	const char *why;

	if (number < INT64CONST(10000000000) || number > INT64CONST(99999999999))
		why = psprintf("The number does not have %d digits.", MOBILE_DIGITS);
	else
		why = value_error(number);
	if (why != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("invalid binary %s: \"%lld\"", "crm.mobile", (long long) number),
				 errdetail_internal("%s", why)));
	PG_RETURN_INT64(number);
}

/* Binary output: see crm_mobile_recv. */
PG_FUNCTION_INFO_V1(crm_mobile_send);
Datum
crm_mobile_send(PG_FUNCTION_ARGS)
{
	StringInfoData buf;

	pq_begintypsend(&buf);
	pq_sendint64(&buf, PG_GETARG_INT64(0));
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}

/* Comparison: the order of the numbers, which is that of the texts. */
PG_FUNCTION_INFO_V1(crm_mobile_cmp);
Datum
crm_mobile_cmp(PG_FUNCTION_ARGS)
{
	int64		a = PG_GETARG_INT64(0);
	int64		b = PG_GETARG_INT64(1);

	PG_RETURN_INT32((a > b) - (a < b));
}

PG_FUNCTION_INFO_V1(crm_mobile_lt);
Datum
crm_mobile_lt(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(PG_GETARG_INT64(0) < PG_GETARG_INT64(1));
}

PG_FUNCTION_INFO_V1(crm_mobile_le);
Datum
crm_mobile_le(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(PG_GETARG_INT64(0) <= PG_GETARG_INT64(1));
}

PG_FUNCTION_INFO_V1(crm_mobile_eq);
Datum
crm_mobile_eq(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(PG_GETARG_INT64(0) == PG_GETARG_INT64(1));
}

PG_FUNCTION_INFO_V1(crm_mobile_ne);
Datum
crm_mobile_ne(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(PG_GETARG_INT64(0) != PG_GETARG_INT64(1));
}

PG_FUNCTION_INFO_V1(crm_mobile_ge);
Datum
crm_mobile_ge(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(PG_GETARG_INT64(0) >= PG_GETARG_INT64(1));
}

PG_FUNCTION_INFO_V1(crm_mobile_gt);
Datum
crm_mobile_gt(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(PG_GETARG_INT64(0) > PG_GETARG_INT64(1));
}

/* Hash of the number's eight bytes. */
PG_FUNCTION_INFO_V1(crm_mobile_hash);
Datum
crm_mobile_hash(PG_FUNCTION_ARGS)
{
	uint64		number = (uint64) PG_GETARG_INT64(0);

	return hash_any((unsigned char *) &number, sizeof(number));
}

/* The same with a seed, 64 bits. */
PG_FUNCTION_INFO_V1(crm_mobile_hash_extended);
Datum
crm_mobile_hash_extended(PG_FUNCTION_ARGS)
{
	uint64		number = (uint64) PG_GETARG_INT64(0);

	return hash_any_extended((unsigned char *) &number, sizeof(number), PG_GETARG_INT64(1));
}
