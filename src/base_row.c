/*-------------------------------------------------------------------------
 * base_row.c
 *		The row type of functions that return one of crm's own.
 *-------------------------------------------------------------------------
 */
#include "base_row.h"

#include "funcapi.h"
#include "utils/memutils.h"

/* In the memory context in force; an internal error where the SQL declaration says otherwise than the code. */
TupleDesc
row_type(FunctionCallInfo fcinfo, int natts)
{
	TupleDesc	desc;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE || desc->natts != natts)
		elog(ERROR, "function must return a row of %d columns", natts);
	return BlessTupleDesc(desc);
}

/* The same, looked up once for all calls of an expression; takes fn_extra. */
TupleDesc
kept_row_type(FunctionCallInfo fcinfo, int natts)
{
	if (fcinfo->flinfo->fn_extra == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);

		fcinfo->flinfo->fn_extra = row_type(fcinfo, natts);
		MemoryContextSwitchTo(old);
	}
	return fcinfo->flinfo->fn_extra;
}
