/*-------------------------------------------------------------------------
 * book_digits.c
 *		Numbers of identity documents, telephones and dates.
 *
 * A number is its digits and letters without anything between them. Only the
 * first CRM_DIGITS_MAX count.
 *-------------------------------------------------------------------------
 */
#include "book_digits.h"

#include "catalog/pg_type.h"
#include "types_unicode.h"
#include "utils/array.h"
#include "utils/builtins.h"

#define MAX_BYTES		(CRM_DIGITS_MAX * 8)	/* of a number that are read at all */
#define VARIANTS_MAX	20		/* digits of a number whose variants are listed */

static void
read_digits(text *t, CrmDigits *digits, bool letters, bool *plus)
{
	const char *p = crm_utf8_prefix(t, MAX_BYTES);

	digits->n = 0;
	*plus = false;
	while (*p != '\0' && digits->n < CRM_DIGITS_MAX)
	{
		uint32		c = crm_half_width(crm_next_char(&p));

		if (c >= 'a' && c <= 'z')
			c -= 'a' - 'A';
		if ((c >= '0' && c <= '9') || (letters && c >= 'A' && c <= 'Z'))
			digits->chars[digits->n++] = c;
		else if (c == '+' && digits->n == 0)
			*plus = true;
	}
}

void
crm_digits_read(text *t, CrmDigits *digits)
{
	bool		plus;

	read_digits(t, digits, true, &plus);
}

static void
drop_first(CrmDigits *digits, int k)
{
	digits->n -= k;
	memmove(digits->chars, digits->chars + k, digits->n * sizeof(uint32));
}

static bool
begins_with(const CrmDigits *digits, const char *prefix)
{
	int			len = strlen(prefix);

	for (int i = 0; i < len; i++)
		if (i >= digits->n || digits->chars[i] != (uint32) prefix[i])
			return false;
	return true;
}

/*
 * A telephone number without the country code of China (+86, 0086, or 86 before
 * a mobile number) and without the 0 before an area code.
 */
void
crm_phone_read(text *t, CrmDigits *digits)
{
	bool		plus;

	read_digits(t, digits, false, &plus);
	if (plus && begins_with(digits, "86"))
		drop_first(digits, 2);
	else if (begins_with(digits, "0086"))
		drop_first(digits, 4);
	else if (digits->n == 13 && begins_with(digits, "861"))
		drop_first(digits, 2);
	if (digits->n > 8 && begins_with(digits, "0") && !begins_with(digits, "00"))
		drop_first(digits, 1);
}

/* crm.phone_digits(text): digits of a telephone number; NULL without any. Strict. */
PG_FUNCTION_INFO_V1(crm_phone_digits);
Datum
crm_phone_digits(PG_FUNCTION_ARGS)
{
	CrmDigits	digits;

	crm_phone_read((text *) PG_GETARG_POINTER(0), &digits);
	if (digits.n == 0)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(crm_text_of(digits.chars, digits.n));
}

/* crm.digits_distance(text, text): wrong, missing, added or exchanged digits; NULL where one has none. Strict. */
PG_FUNCTION_INFO_V1(crm_digits_distance);
Datum
crm_digits_distance(PG_FUNCTION_ARGS)
{
	CrmDigits	a;
	CrmDigits	b;

	crm_digits_read((text *) PG_GETARG_POINTER(0), &a);
	crm_digits_read((text *) PG_GETARG_POINTER(1), &b);
	if (a.n == 0 || b.n == 0)
		PG_RETURN_NULL();
	PG_RETURN_INT32(crm_edit_distance(a.chars, a.n, b.chars, b.n));
}

/* crm.digits_similarity(text, text): 1 less the distance by the longer length; NULL where one has none. Strict. */
PG_FUNCTION_INFO_V1(crm_digits_similarity);
Datum
crm_digits_similarity(PG_FUNCTION_ARGS)
{
	CrmDigits	a;
	CrmDigits	b;

	crm_digits_read((text *) PG_GETARG_POINTER(0), &a);
	crm_digits_read((text *) PG_GETARG_POINTER(1), &b);
	if (a.n == 0 || b.n == 0)
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(1 - crm_edit_distance(a.chars, a.n, b.chars, b.n) / (double) Max(a.n, b.n));
}

/*
 * crm._digits_near(text): the number and every number at distance 1 of it, of
 * digits alone. Refused (54000) above VARIANTS_MAX digits. Strict.
 */
PG_FUNCTION_INFO_V1(crm_digits_near);
Datum
crm_digits_near(PG_FUNCTION_ARGS)
{
	CrmDigits	d;
	uint32		v[VARIANTS_MAX + 1];
	Datum	   *texts;
	int			n = 0;

	crm_digits_read((text *) PG_GETARG_POINTER(0), &d);
	if (d.n > VARIANTS_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("number of \"%d\" digits is too long", d.n),
				 errdetail("At most %d digits can be varied.", VARIANTS_MAX)));
	texts = palloc(sizeof(Datum) * (10 * (d.n + 1) + 10 * d.n + 2 * d.n + 1));
	texts[n++] = PointerGetDatum(crm_text_of(d.chars, d.n));
	for (int i = 0; i < d.n; i++)
	{
		memcpy(v, d.chars, d.n * sizeof(uint32));
		for (v[i] = '0'; v[i] <= '9'; v[i]++)
			if (v[i] != d.chars[i])
				texts[n++] = PointerGetDatum(crm_text_of(v, d.n));
		if (i + 1 < d.n && d.chars[i] != d.chars[i + 1])
		{
			v[i] = d.chars[i + 1];
			v[i + 1] = d.chars[i];
			texts[n++] = PointerGetDatum(crm_text_of(v, d.n));
		}
		/* of a run of equal digits, any one is missing */
		if (d.n > 1 && (i == 0 || d.chars[i] != d.chars[i - 1]))
		{
			memcpy(v, d.chars, i * sizeof(uint32));
			memcpy(v + i, d.chars + i + 1, (d.n - i - 1) * sizeof(uint32));
			texts[n++] = PointerGetDatum(crm_text_of(v, d.n - 1));
		}
	}
	for (int i = 0; d.n > 0 && i <= d.n; i++)
	{
		memcpy(v, d.chars, i * sizeof(uint32));
		memcpy(v + i + 1, d.chars + i, (d.n - i) * sizeof(uint32));
		for (v[i] = '0'; v[i] <= '9'; v[i]++)
			if (i == d.n || v[i] != d.chars[i])
				texts[n++] = PointerGetDatum(crm_text_of(v, d.n + 1));
	}
	PG_RETURN_ARRAYTYPE_P(construct_array(texts, n, TEXTOID, -1, false, TYPALIGN_INT));
}
