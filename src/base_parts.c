/*-------------------------------------------------------------------------
 * base_parts.c
 *		Work in parts, which background sessions take up and commit.
 *
 * A routine (args bigint[], items bigint[]) is called with one part of the
 * items after another, by up to max_parallel_maintenance_workers background
 * sessions, each call a transaction of its own.  Unlike parallel workers they
 * may write.  They act as the caller and see what is committed; a caller that
 * has written must commit first.
 *
 * The caller waits for them where no detector of deadlocks looks.  So they
 * wait for locks no longer than PART_LOCK_TIMEOUT, and it should hold few.
 *-------------------------------------------------------------------------
 */
#include "base_parts.h"

#include "access/xact.h"
#include "base_key.h"
#include "base_query.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "optimizer/optimizer.h"
#include "pgstat.h"
#include "port/atomics.h"
#include "postmaster/bgworker.h"
#include "storage/dsm.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/proc.h"
#include "tcop/tcopprot.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/wait_event.h"

#define PARTS_MAGIC 0x63726d70
#define PART_LOCK_TIMEOUT "20s"
#define MAX_PARTS (1 << 20)
#define MAX_SESSIONS 64

/* In shared memory */
typedef struct SharedParts
{
	uint32		magic;
	Oid			database;
	Oid			session_user;
	Oid			current_user;
	Oid			routine;
	int			per_part;
	int			nargs;
	int			nitems;
	int			nparts;
	PGPROC	   *caller;
	pg_atomic_uint32 next;		/* part to be taken up */
	pg_atomic_uint32 failed;	/* whoever raises it from 0 writes the error */
	pg_atomic_uint32 told;		/* the error is written */
	int			sqlerrcode;
	char		message[512];
	char		detail[512];
	int64		value[FLEXIBLE_ARRAY_MEMBER];	/* arguments, items; then a byte for each part done */
} SharedParts;

struct Parts
{
	SharedParts *shared;
	dsm_segment *segment;
	int			nsessions;
	BackgroundWorkerHandle *session[MAX_SESSIONS];
};

PGDLLEXPORT void crm_parts_main(Datum arg);

static volatile uint8 *
parts_done(SharedParts *s)
{
	return (volatile uint8 *) &s->value[s->nargs + s->nitems];
}

static const int64 *
shared_items(const SharedParts *s, int part, int *n)
{
	int			at = part * s->per_part;

	*n = Min(s->per_part, s->nitems - at);
	return &s->value[s->nargs + at];
}

/* Call the routine for one part, with the rights of the user in force. */
static void
do_part(const SharedParts *s, int part)
{
	Oid			types[2] = {INT8ARRAYOID, INT8ARRAYOID};
	int			n;
	const int64 *item = shared_items(s, part, &n);
	Datum		args[2];
	char	   *name = get_func_name(s->routine);
	char	   *space = name ? get_namespace_name(get_func_namespace(s->routine)) : NULL;

	if (space == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_FUNCTION),
				 errmsg("function with OID %u does not exist", s->routine)));
	SPI_connect();
	args[0] = make_int8_array(s->value, s->nargs);
	args[1] = make_int8_array(item, n);
	if (SPI_execute_with_args(psprintf("SELECT %s($1, $2)", quote_qualified_identifier(space, name)),
							  2, types, args, NULL, false, 0) != SPI_OK_SELECT)
		elog(ERROR, "a part could not be done");
	SPI_finish();
}

/* Take up the next part; -1 when there is none, or work has failed. */
static int
take_part(SharedParts *s)
{
	uint32		part;

	if (pg_atomic_read_u32(&s->failed) != 0)
		return -1;
	part = pg_atomic_fetch_add_u32(&s->next, 1);
	return part < (uint32) s->nparts ? (int) part : -1;
}

/* background session -------------------------------------------------------- */

static void
tell_error(SharedParts *s, const ErrorData *e)
{
	if (pg_atomic_fetch_add_u32(&s->failed, 1) != 0)
		return;
	s->sqlerrcode = e->sqlerrcode;
	strlcpy(s->message, e->message ? e->message : "", sizeof(s->message));
	strlcpy(s->detail, e->detail ? e->detail : "", sizeof(s->detail));
	pg_write_barrier();
	pg_atomic_write_u32(&s->told, 1);
}

static void
work_on(SharedParts *s)
{
	int			part;

	while ((part = take_part(s)) >= 0)
	{
		SetCurrentStatementStartTimestamp();
		StartTransactionCommand();
		PushActiveSnapshot(GetTransactionSnapshot());
		SetUserIdAndSecContext(s->current_user, SECURITY_LOCAL_USERID_CHANGE);
		do_part(s, part);
		SetUserIdAndSecContext(s->session_user, 0);
		PopActiveSnapshot();
		CommitTransactionCommand();
		pg_write_barrier();
		parts_done(s)[part] = 1;
		SetLatch(&s->caller->procLatch);
	}
}

/* What a background session runs; arg: the shared memory. */
void
crm_parts_main(Datum arg)
{
	dsm_segment *segment;
	SharedParts *s;
	MemoryContext context = AllocSetContextCreate(TopMemoryContext, "crm parts", ALLOCSET_DEFAULT_SIZES);

	pqsignal(SIGTERM, die);
	BackgroundWorkerUnblockSignals();
	CurrentResourceOwner = ResourceOwnerCreate(NULL, "crm parts");
	segment = dsm_attach(DatumGetUInt32(arg));
	if (segment == NULL)
		return;
	dsm_pin_mapping(segment);
	s = dsm_segment_address(segment);
	if (s->magic != PARTS_MAGIC)
		return;
	BackgroundWorkerInitializeConnectionByOid(s->database, s->session_user, 0);
	SetConfigOption("search_path", "pg_catalog, pg_temp", PGC_USERSET, PGC_S_SESSION);
	SetConfigOption("lock_timeout", PART_LOCK_TIMEOUT, PGC_USERSET, PGC_S_SESSION);
	SetConfigOption("default_transaction_isolation", "read committed", PGC_USERSET, PGC_S_SESSION);
	SetConfigOption("default_transaction_read_only", "off", PGC_USERSET, PGC_S_SESSION);
	/* the sessions are as many as shall work side by side */
	SetConfigOption("max_parallel_workers_per_gather", "0", PGC_USERSET, PGC_S_SESSION);
	pgstat_report_activity(STATE_RUNNING, "crm: parts of a larger work");
	PG_TRY();
	{
		work_on(s);
	}
	PG_CATCH();
	{
		ErrorData  *e;

		MemoryContextSwitchTo(context);
		e = CopyErrorData();
		FlushErrorState();
		AbortOutOfAnyTransaction();
		tell_error(s, e);
		SetLatch(&s->caller->procLatch);
	}
	PG_END_TRY();
	dsm_detach(segment);
}

/* caller -------------------------------------------------------------------- */

static int64 *
int8_values(Datum array, int *n)
{
	ArrayType  *a = DatumGetArrayTypeP(array);

	if (ARR_NDIM(a) > 1 || ARR_HASNULL(a) || ARR_ELEMTYPE(a) != INT8OID)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("arguments and items must be arrays of one dimension without nulls")));
	*n = ArrayGetNItems(ARR_NDIM(a), ARR_DIMS(a));
	return (int64 *) ARR_DATA_PTR(a);
}

/*
 * Begin: the items are cut into parts of per_part, and sessions started, as
 * many as can be had, which may be none.  No routine: there is nothing to do.
 * The caller must hand the result to parts_break_off() when it fails.
 */
Parts *
parts_begin(Oid routine, Datum args, Datum items, int per_part)
{
	Parts	   *p = palloc0_object(Parts);
	int			nargs,
				nitems;
	int64	   *arg = int8_values(args, &nargs);
	int64	   *item = int8_values(items, &nitems);
	int			nparts;
	SharedParts *s;
	BackgroundWorker w = {0};
	Oid			current_user;
	int			context;

	if (per_part < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a part must have at least one item, not %d", per_part)));
	nparts = nitems / per_part + (nitems % per_part > 0);
	if (nparts > MAX_PARTS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("%d parts are too many", nparts)));
	p->segment = dsm_create(offsetof(SharedParts, value) + ((Size) nargs + nitems) * sizeof(int64) + nparts, 0);
	p->shared = s = dsm_segment_address(p->segment);
	GetUserIdAndSecContext(&current_user, &context);
	memset(s, 0, offsetof(SharedParts, value));
	s->magic = PARTS_MAGIC;
	s->database = MyDatabaseId;
	s->session_user = GetSessionUserId();
	s->current_user = current_user;
	s->routine = routine;
	s->per_part = per_part;
	s->nargs = nargs;
	s->nitems = nitems;
	s->nparts = nparts;
	s->caller = MyProc;
	pg_atomic_init_u32(&s->next, 0);
	pg_atomic_init_u32(&s->failed, 0);
	pg_atomic_init_u32(&s->told, 0);
	memcpy(s->value, arg, nargs * sizeof(int64));
	memcpy(s->value + nargs, item, nitems * sizeof(int64));
	memset((void *) parts_done(s), OidIsValid(routine) ? 0 : 1, nparts);
	if (!OidIsValid(routine))
		return p;

	w.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
	w.bgw_start_time = BgWorkerStart_ConsistentState;
	w.bgw_restart_time = BGW_NEVER_RESTART;
	strlcpy(w.bgw_library_name, "$libdir/crm", sizeof(w.bgw_library_name));
	strlcpy(w.bgw_function_name, "crm_parts_main", sizeof(w.bgw_function_name));
	snprintf(w.bgw_name, sizeof(w.bgw_name), "crm parts for PID %d", MyProcPid);
	strlcpy(w.bgw_type, "crm parts", sizeof(w.bgw_type));
	w.bgw_main_arg = UInt32GetDatum(dsm_segment_handle(p->segment));
	w.bgw_notify_pid = MyProcPid;
	while (p->nsessions < Min(Min(max_parallel_maintenance_workers, nparts - 1), MAX_SESSIONS) &&
		   RegisterDynamicBackgroundWorker(&w, &p->session[p->nsessions]))
		p->nsessions++;
	return p;
}

/* Stop what runs: for PG_ENSURE_ERROR_CLEANUP. */
void
parts_break_off(int code pg_attribute_unused(), Datum parts)
{
	Parts	   *p = (Parts *) DatumGetPointer(parts);

	if (p->segment == NULL)
		return;
	HOLD_INTERRUPTS();
	for (int i = 0; i < p->nsessions; i++)
		TerminateBackgroundWorker(p->session[i]);
	for (int i = 0; i < p->nsessions; i++)
		WaitForBackgroundWorkerShutdown(p->session[i]);
	RESUME_INTERRUPTS();
	p->nsessions = 0;
	dsm_detach(p->segment);
	p->segment = NULL;
}

int
parts_count(const Parts *p)
{
	return p->shared->nparts;
}

int
parts_sessions(const Parts *p)
{
	return p->nsessions;
}

const int64 *
part_items(const Parts *p, int part, int *n)
{
	return shared_items(p->shared, part, n);
}

static void
raise_error(SharedParts *s)
{
	if (pg_atomic_read_u32(&s->told) == 0)
		return;
	pg_read_barrier();
	ereport(ERROR,
			(errcode(s->sqlerrcode),
			 errmsg("%s", s->message),
			 s->detail[0] ? errdetail("%s", s->detail) : 0,
			 errcontext("background session")));
}

/* Do the next part here, in the caller's transaction; false when none is left to take up. */
bool
parts_do_one(Parts *p)
{
	int			part = take_part(p->shared);

	raise_error(p->shared);
	if (part < 0)
		return false;
	do_part(p->shared, part);
	CommandCounterIncrement();
	parts_done(p->shared)[part] = 1;
	return true;
}

/* Wait until a part is done; where no session runs it is done here.  Raises the error of a session. */
void
parts_wait(Parts *p, int part)
{
	SharedParts *s = p->shared;

	for (;;)
	{
		bool		running = false;

		ResetLatch(MyLatch);
		if (parts_done(s)[part])
		{
			pg_read_barrier();
			return;
		}
		raise_error(s);
		for (int i = 0; i < p->nsessions && !running; i++)
		{
			pid_t		pid;
			BgwHandleStatus status = GetBackgroundWorkerPid(p->session[i], &pid);

			running = status == BGWH_STARTED || status == BGWH_NOT_YET_STARTED;
		}
		if (!running && !parts_done(s)[part])
		{
			raise_error(s);
			/* none could be had; or they were stopped with a part half done */
			if (parts_do_one(p))
				continue;
			if (parts_done(s)[part])
				return;
			ereport(ERROR,
					(errcode(ERRCODE_QUERY_CANCELED),
					 errmsg("a background session ended before its part of the work was done"),
					 errhint("The server's log may tell why. The work can be done again.")));
		}
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, 1000, PG_WAIT_EXTENSION);
		CHECK_FOR_INTERRUPTS();
	}
}

/* Wait for all parts, and for the sessions to be gone. */
void
parts_end(Parts *p)
{
	for (int i = 0; i < p->shared->nparts; i++)
		parts_wait(p, i);
	for (int i = 0; i < p->nsessions; i++)
		WaitForBackgroundWorkerShutdown(p->session[i]);
	p->nsessions = 0;
	dsm_detach(p->segment);
	p->segment = NULL;
}

PG_FUNCTION_INFO_V1(crm_in_parts);
/*
 * in_parts(routine, args, items, per_part): calls routine(args, part) for
 * every part of the items, here and in background sessions, which commit;
 * returns how many of these there were.  STRICT.  Errors: 22023, 54000, what
 * the routine raises, 57014 when a session is stopped.
 */
Datum
crm_in_parts(PG_FUNCTION_ARGS)
{
	Parts	   *p = parts_begin(PG_GETARG_OID(0), PG_GETARG_DATUM(1), PG_GETARG_DATUM(2), PG_GETARG_INT32(3));
	int			sessions = parts_sessions(p);

	PG_ENSURE_ERROR_CLEANUP(parts_break_off, PointerGetDatum(p));
	{
		while (parts_do_one(p))
			CHECK_FOR_INTERRUPTS();
		parts_end(p);
	}
	PG_END_ENSURE_ERROR_CLEANUP(parts_break_off, PointerGetDatum(p));
	PG_RETURN_INT32(sessions);
}
