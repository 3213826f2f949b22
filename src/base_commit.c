/*-------------------------------------------------------------------------
 * base_commit.c
 *		Procedures that commit as they go.
 *-------------------------------------------------------------------------
 */
#include "crm.h"

#include "access/xact.h"

PG_FUNCTION_INFO_V1(crm_may_commit);
/*
 * may_commit(): nothing, or what to do instead, before any work is lost to
 * the first COMMIT.  Errors: 2D000 inside a transaction block.
 */
Datum
crm_may_commit(PG_FUNCTION_ARGS)
{
	(void) fcinfo;
	if (IsTransactionBlock())
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TRANSACTION_TERMINATION),
				 errmsg("a procedure that commits as it goes cannot run inside a transaction block"),
				 errhint("Call it outside of one, or with batch => NULL, which leaves all to the caller's transaction.")));
	PG_RETURN_VOID();
}
