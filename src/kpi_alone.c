/*-------------------------------------------------------------------------
 * kpi_alone.c
 *		At most one session rebuilds at a time.
 *
 * A rebuild commits on its way, so its lock belongs to the session; an error
 * ends it, as it ends the rebuild.
 *-------------------------------------------------------------------------
 */
#include "crm.h"

#include "access/xact.h"
#include "kpi_alone.h"
#include "miscadmin.h"
#include "storage/lock.h"

static bool alone = false;

static LOCKTAG
alone_tag(void)
{
	LOCKTAG		tag;

	/* the last field is 1 or 2 for the advisory locks of users */
	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, 0x63726d, 0, 3);
	return tag;
}

static void
alone_end(void)
{
	LOCKTAG		tag = alone_tag();

	if (alone)
		LockRelease(&tag, ExclusiveLock, true);
	alone = false;
}

static void
alone_at_transaction_end(XactEvent event, void *arg pg_attribute_unused())
{
	if (event == XACT_EVENT_ABORT)
		alone_end();
}

void
alone_init(void)
{
	RegisterXactCallback(alone_at_transaction_end, NULL);
}

PG_FUNCTION_INFO_V1(crm_rebuild_alone);
/*
 * rebuild_alone(commits): keeps other sessions from rebuilding, until
 * rebuild_end() or an error with commits true, else until the transaction
 * ends.  False when another session rebuilds.
 */
Datum
crm_rebuild_alone(PG_FUNCTION_ARGS)
{
	bool		commits = PG_GETARG_BOOL(0);
	LOCKTAG		tag = alone_tag();

	if (alone)
		PG_RETURN_BOOL(true);
	if (LockAcquire(&tag, ExclusiveLock, commits, true) == LOCKACQUIRE_NOT_AVAIL)
		PG_RETURN_BOOL(false);
	alone = commits;
	PG_RETURN_BOOL(true);
}

PG_FUNCTION_INFO_V1(crm_rebuild_end);
/* rebuild_end(): lets other sessions rebuild again. */
Datum
crm_rebuild_end(PG_FUNCTION_ARGS)
{
	(void) fcinfo;
	alone_end();
	PG_RETURN_VOID();
}
