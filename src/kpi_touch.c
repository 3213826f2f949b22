/*-------------------------------------------------------------------------
 * kpi_touch.c
 *		Which customers and policies a transaction has touched, and their
 *		posting just before it commits or is prepared.
 *
 * Row triggers note keys; a rolled back savepoint leaves its keys noted,
 * which costs a look and changes nothing.
 *-------------------------------------------------------------------------
 */
#include "crm.h"

#include "access/xact.h"
#include "base_key.h"
#include "base_query.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "kpi_touch.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

typedef struct KeyList
{
	int64		n;
	int64		size;
	int64	   *key;
} KeyList;

static KeyList customers;
static KeyList policies;

static void
forget_keys(void)
{
	/* the arrays went with TopTransactionContext */
	customers = (KeyList) {0};
	policies = (KeyList) {0};
}

static void
note_key(KeyList *l, int64 key)
{
	if (l->n > 0 && l->key[l->n - 1] == key)
		return;
	if (l->n == l->size)
	{
		if (l->size > 0)
			l->n = sort_keys(l->key, l->n);
		if (l->n * 2 >= l->size)
		{
			l->size = Max(64, l->size * 2);
			l->key = l->key ? repalloc_huge(l->key, l->size * sizeof(int64))
				: MemoryContextAlloc(TopTransactionContext, l->size * sizeof(int64));
		}
	}
	l->key[l->n++] = key;
}

/* What a trigger notes, found once in a statement */
typedef struct Touch
{
	KeyList    *list;
	int			attno;
} Touch;

static const Touch *
touch_of(FunctionCallInfo fcinfo, const TriggerData *data)
{
	Touch	   *t = fcinfo->flinfo->fn_extra;
	TupleDesc	desc = RelationGetDescr(data->tg_relation);
	int			attno;

	if (t != NULL)
		return t;
	if (data->tg_trigger->tgnargs != 2)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("function \"%s\" takes two arguments", "crm._touch")));
	attno = SPI_fnumber(desc, data->tg_trigger->tgargs[1]);
	if (attno <= 0 || SPI_gettypeid(desc, attno) != INT8OID)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("table \"%s\" has no bigint column \"%s\"",
						RelationGetRelationName(data->tg_relation), data->tg_trigger->tgargs[1])));
	crm_define_variables();
	t = MemoryContextAlloc(fcinfo->flinfo->fn_mcxt, sizeof(Touch));
	t->list = strcmp(data->tg_trigger->tgargs[0], "policy") == 0 ? &policies : &customers;
	t->attno = attno;
	fcinfo->flinfo->fn_extra = t;
	return t;
}

PG_FUNCTION_INFO_V1(crm_touch);
/*
 * touch(what, column): row trigger that notes the customer or policy whose
 * key stands in a column, of the old and the new row.
 * Errors: 39P01 when not called as an AFTER ROW trigger; 22023 for arguments
 * that do not fit the table.
 */
Datum
crm_touch(PG_FUNCTION_ARGS)
{
	TriggerData *data = (TriggerData *) fcinfo->context;
	const Touch *touch;
	HeapTuple	tuples[2];

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_FOR_ROW(data->tg_event) ||
		!TRIGGER_FIRED_AFTER(data->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" must be called as an AFTER ROW trigger", "crm._touch")));
	touch = touch_of(fcinfo, data);
	tuples[0] = data->tg_trigtuple;
	tuples[1] = TRIGGER_FIRED_BY_UPDATE(data->tg_event) ? data->tg_newtuple : NULL;
	for (int i = 0; i < 2; i++)
	{
		bool		isnull;
		Datum		key;

		if (tuples[i] == NULL)
			continue;
		key = SPI_getbinval(tuples[i], RelationGetDescr(data->tg_relation), touch->attno, &isnull);
		if (!isnull)
			note_key(touch->list, DatumGetInt64(key));
	}
	return PointerGetDatum(NULL);
}

PG_FUNCTION_INFO_V1(crm_touch_customers);
/*
 * touch_customers(ids): as if rows of these customers had changed.
 * Errors: 22004 for a NULL id.
 */
Datum
crm_touch_customers(PG_FUNCTION_ARGS)
{
	Datum	   *ids;
	bool	   *nulls;
	int			n;

	crm_define_variables();
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(0), INT8OID, 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE, &ids, &nulls, &n);
	for (int i = 0; i < n; i++)
	{
		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("the id of a customer must not be NULL")));
		note_key(&customers, DatumGetInt64(ids[i]));
	}
	PG_RETURN_VOID();
}

static KeptQuery post_keys = {
	.sql = "SELECT crm._post($1, $2)", .nargs = 2, .args = {INT8ARRAYOID, INT8ARRAYOID}
};
static KeptQuery queue_keys_0_1 = {
	.sql = "INSERT INTO crm.pending (customer_id, policy_id) "
	"SELECT c, NULL FROM pg_catalog.unnest($1) c UNION ALL SELECT NULL, p FROM pg_catalog.unnest($2) p",
	.nargs = 2, .args = {INT8ARRAYOID, INT8ARRAYOID}
};
static KeptQuery queue_keys = {
	.sql = "INSERT INTO crm.pending (customer_id, policy_id, policies) "
	"SELECT c, NULL, 1 FROM pg_catalog.unnest($1) c UNION ALL SELECT NULL, p.id, p.n "
	"FROM ROWS FROM (pg_catalog.unnest($2), pg_catalog.unnest($3)) p (id, n)",
	.nargs = 3, .args = {INT8ARRAYOID, INT8ARRAYOID, INT4ARRAYOID}
};

/* Policies in a row of the queue, which is taken whole */
#define RUN_KEYS 1000

/*
 * Post what has been touched, with the rights of the owner of the book, since
 * whoever may write the book need not be allowed to write the accounts.  The
 * caller's search_path is in force: queries run here qualify every name.
 *
 * Within a subtransaction the keys stay noted, since it may be rolled back and
 * the posting with it.
 */
static int64
post_touched(void)
{
	int64		n = customers.n + policies.n;
	Oid			book;
	HeapTuple	tuple;
	Oid			owner;
	Oid			user;
	int			context;
	bool		queued;
	KeptQuery  *q;
	Datum		args[3];

	if (n == 0)
		return 0;
	book = get_relname_relid("customer", get_namespace_oid("crm", true));
	tuple = OidIsValid(book) ? SearchSysCache1(RELOID, ObjectIdGetDatum(book)) : NULL;
	if (!HeapTupleIsValid(tuple))
	{
		/* the book itself was dropped in this transaction */
		forget_keys();
		return 0;
	}
	owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
	ReleaseSysCache(tuple);

	SPI_connect();
	customers.n = sort_keys(customers.key, customers.n);
	policies.n = sort_keys(policies.key, policies.n);
	queued = crm_posting == CRM_POSTING_DEFERRED;
	q = !queued ? &post_keys : model_is_0_1() ? &queue_keys_0_1 : &queue_keys;
	args[0] = make_int8_array(customers.key, customers.n);
	if (q == &queue_keys)
		key_runs(policies.key, policies.n, RUN_KEYS, &args[1], &args[2]);
	else
		args[1] = make_int8_array(policies.key, policies.n);
	if (GetCurrentTransactionNestLevel() == 1)
		forget_keys();
	GetUserIdAndSecContext(&user, &context);
	SetUserIdAndSecContext(owner, context | SECURITY_LOCAL_USERID_CHANGE);
	kept_query_rows(q, args, NULL, queued ? 0 : 1, queued ? NULL : ignore_row, NULL);
	SetUserIdAndSecContext(user, context);
	SPI_finish();
	return n;
}

static void
at_transaction_end(XactEvent event, void *arg pg_attribute_unused())
{
	switch (event)
	{
		case XACT_EVENT_PRE_COMMIT:
		case XACT_EVENT_PRE_PREPARE:
			crm_define_variables();
			/* a trigger of a user may touch more while this is posted */
			while (customers.n + policies.n > 0)
			{
				PushActiveSnapshot(GetTransactionSnapshot());
				post_touched();
				PopActiveSnapshot();
				/* deferred constraints on the tables posted to */
				AfterTriggerFireDeferred();
			}
			break;
		case XACT_EVENT_COMMIT:
		case XACT_EVENT_ABORT:
		case XACT_EVENT_PREPARE:
			forget_keys();
			break;
		default:
			break;
	}
}

void
touch_init(void)
{
	RegisterXactCallback(at_transaction_end, NULL);
}

typedef struct Generations
{
	int64		current;
	DateADT		posted_to;		/* of the current one */
	int64		building;
} Generations;

static void
generation_row(void *arg, const Datum *v, const bool *nulls pg_attribute_unused())
{
	Generations *g = arg;

	if (DatumGetBool(v[1]))
	{
		g->current = DatumGetInt64(v[0]);
		g->posted_to = DatumGetDateADT(v[2]);
	}
	else
		g->building = DatumGetInt64(v[0]);
}

static KeptQuery generations = {
	.sql = "SELECT id, state = 'current', posted_to FROM crm.generation WHERE state IN ('current', 'building')",
	.by_active_snapshot = true
};
static KeptQuery day_of_slot = {
	.sql = "SELECT shown_on FROM crm.generation WHERE slot = $1 AND state <> 'retired'",
	.nargs = 1, .args = {INT2OID}, .by_active_snapshot = true
};

PG_FUNCTION_INFO_V1(crm_building);
/*
 * building(current, posted_to): the generation being built, 0 rows seen: NULL.
 * Looks at what is committed, since a snapshot older than a rebuild would hide
 * it.  Errors: 40001 when another generation has become current, or the
 * current one is posted up to another day.
 */
Datum
crm_building(PG_FUNCTION_ARGS)
{
	Generations g = {0};

	SPI_connect();
	PushActiveSnapshot(GetLatestSnapshot());
	kept_query_rows(&generations, NULL, NULL, 3, generation_row, &g);
	PopActiveSnapshot();
	SPI_finish();
	if (g.current != PG_GETARG_INT64(0) || g.posted_to != PG_GETARG_DATEADT(1))
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("the figures were rebuilt or refreshed after the snapshot of this transaction was taken"),
				 errhint("The transaction might succeed if retried.")));
	if (g.building == 0)
		PG_RETURN_NULL();
	PG_RETURN_INT64(g.building);
}

static KeptQuery cover_there = {
	.sql = "SELECT 1 FROM crm.cover c WHERE c.policy_id = ANY ($1) LIMIT 1",
	.nargs = 1, .args = {INT8ARRAYOID}, .by_active_snapshot = true
};

PG_FUNCTION_INFO_V1(crm_no_cover_left);
/*
 * no_cover_left(policies): for who has deleted all cover of these policies
 * that it sees.  By an older snapshot that is not all: a queue may have been
 * posted since, of which nothing else tells.  Errors: 40001.
 */
Datum
crm_no_cover_left(PG_FUNCTION_ARGS)
{
	Datum		ids = PG_GETARG_DATUM(0);
	uint64		left;

	if (!IsolationUsesXactSnapshot())
		PG_RETURN_VOID();
	SPI_connect();
	PushActiveSnapshot(GetLatestSnapshot());
	left = kept_query_rows(&cover_there, &ids, NULL, 1, ignore_row, NULL);
	PopActiveSnapshot();
	SPI_finish();
	if (left > 0)
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("policies were posted after the snapshot of this transaction was taken"),
				 errhint("The transaction might succeed if retried.")));
	PG_RETURN_VOID();
}

typedef struct ShownOn
{
	bool		found;
	DateADT		day;
} ShownOn;

static void
shown_on_row(void *arg, const Datum *v, const bool *nulls pg_attribute_unused())
{
	ShownOn    *s = arg;

	s->found = true;
	s->day = DatumGetDateADT(v[0]);
}

PG_FUNCTION_INFO_V1(crm_shown_on);
/*
 * shown_on(slot): the day on which the columns of a slot stand, NULL when the
 * slot is of no generation.  Looks at what is committed: a snapshot older than
 * the last roll would write columns of the day before.
 */
Datum
crm_shown_on(PG_FUNCTION_ARGS)
{
	ShownOn		s = {0};
	Datum		slot = PG_GETARG_DATUM(0);

	SPI_connect();
	PushActiveSnapshot(GetLatestSnapshot());
	kept_query_rows(&day_of_slot, &slot, NULL, 1, shown_on_row, &s);
	PopActiveSnapshot();
	SPI_finish();
	if (!s.found)
		PG_RETURN_NULL();
	PG_RETURN_DATEADT(s.day);
}

PG_FUNCTION_INFO_V1(crm_post);
/*
 * post(): posts what this transaction has touched now, not at its end.
 * Returns how many keys of customers and policies it was.
 */
Datum
crm_post(PG_FUNCTION_ARGS)
{
	(void) fcinfo;
	PG_RETURN_INT64(post_touched());
}
