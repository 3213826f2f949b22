/*-------------------------------------------------------------------------
 * types_input.c
 *		What the input functions of crm's types share.
 *-------------------------------------------------------------------------
 */
#include "types_input.h"

#include "mb/pg_wchar.h"

#define QUOTABLE_BYTES 100

const char *
crm_quotable(const char *input)
{
	int			len = strlen(input);

	if (len <= QUOTABLE_BYTES)
		return input;
	len = pg_mbcliplen(input, len, QUOTABLE_BYTES);
	return psprintf("%.*s...", len, input);
}
