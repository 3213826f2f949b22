/*-------------------------------------------------------------------------
 * classify_condition.c
 *		The type crm.condition: a value is its canonical text.
 *
 * Equal conditions are equal bytes, so the functions of bytea compare and
 * hash them. Binary form is the text, parsed as text input is.
 *-------------------------------------------------------------------------
 */
#include "classify_condition.h"

#include "lib/stringinfo.h"
#include "libpq/pqformat.h"
#include "types_input.h"
#include "utils/builtins.h"

/* The value of an input text; NULL after a soft error. */
static text *
make_condition(const char *input, struct Node *escontext)
{
	CrmNode    *node = crm_condition_parse(input, escontext);
	char	   *canonical;

	if (node == NULL)
		return NULL;
	canonical = crm_condition_write(node);
	if (strlen(canonical) > CRM_CONDITION_BYTES)
		crm_input_error(escontext, NULL,
						(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						 errmsg("a condition cannot have more than %d bytes", CRM_CONDITION_BYTES)));
	return cstring_to_text(canonical);
}

/*
 * Text input. 22P02: syntax; 42703: no such column; 42804: a value or operator
 * that the column's kind does not have; 22007, 22008, 22003: days and numbers;
 * 54000: more than a million bytes; 54001: more than 100 levels or 1,000
 * predicates.
 */
PG_FUNCTION_INFO_V1(crm_condition_in);
Datum
crm_condition_in(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(make_condition(PG_GETARG_CSTRING(0), fcinfo->context));
}

/* Text output: the canonical form. */
PG_FUNCTION_INFO_V1(crm_condition_out);
Datum
crm_condition_out(PG_FUNCTION_ARGS)
{
	PG_RETURN_CSTRING(TextDatumGetCString(PG_GETARG_DATUM(0)));
}

/* Binary input: the text. Errors as for text input, 22021 for its encoding. */
PG_FUNCTION_INFO_V1(crm_condition_recv);
Datum
crm_condition_recv(PG_FUNCTION_ARGS)
{
	StringInfo	buf = (StringInfo) PG_GETARG_POINTER(0);
	int			nbytes;
	char	   *input = pq_getmsgtext(buf, buf->len - buf->cursor, &nbytes);

	if (strlen(input) != (size_t) nbytes)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("zero byte in binary %s", "crm.condition")));
	PG_RETURN_TEXT_P(make_condition(input, NULL));
}

/* Binary output: the canonical text. */
PG_FUNCTION_INFO_V1(crm_condition_send);
Datum
crm_condition_send(PG_FUNCTION_ARGS)
{
	char	   *canonical = TextDatumGetCString(PG_GETARG_DATUM(0));
	StringInfoData buf;

	pq_begintypsend(&buf);
	pq_sendtext(&buf, canonical, strlen(canonical));
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}

static Datum
combine(FunctionCallInfo fcinfo, const char *format)
{
	char	   *a = TextDatumGetCString(PG_GETARG_DATUM(0));
	char	   *b = TextDatumGetCString(PG_GETARG_DATUM(1));

	return PointerGetDatum(make_condition(psprintf(format, a, b), NULL));
}

/* Both conditions. Strict. 54000, 54001: too large or too deep. */
PG_FUNCTION_INFO_V1(crm_condition_and);
Datum
crm_condition_and(PG_FUNCTION_ARGS)
{
	return combine(fcinfo, "(%s) and (%s)");
}

/* Either condition or both. Strict. Errors as above. */
PG_FUNCTION_INFO_V1(crm_condition_or);
Datum
crm_condition_or(PG_FUNCTION_ARGS)
{
	return combine(fcinfo, "(%s) or (%s)");
}

/*
 * The first condition but not the second, as sets: where the second is
 * unknown it does not take away. Strict. Errors as above.
 */
PG_FUNCTION_INFO_V1(crm_condition_but_not);
Datum
crm_condition_but_not(PG_FUNCTION_ARGS)
{
	return combine(fcinfo, "(%s) and (%s) is not true");
}
