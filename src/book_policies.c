/*-------------------------------------------------------------------------
 * book_policies.c
 *		What crm.cover must hold of many policies, read at once.
 *-------------------------------------------------------------------------
 */
#include "book_cover.h"

#include "base_key.h"
#include "base_query.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

typedef struct Policy
{
	int64		id;
	int64		customer;
	int64		channel;
	int64		amount;
	int64		annual;
	int64		tier_amount;
	DateADT		issued;
	DateADT		matures;
	int64		servicer;
	bool		serviced;
	bool		long_term;
	bool		own_book;
	bool		agent_sold;
	bool		bank_sold;
	bool		sector_line;
	bool		corporate;
} Policy;

typedef struct Insured
{
	int64		policy;
	int64		insured;
} Insured;

typedef struct PolicyEvent
{
	int64		policy;
	int64		id;
	DateADT		day;
	EventKind	kind;
} PolicyEvent;

typedef struct Policies
{
	int64		npolicies;
	int64		policy_size;
	Policy	   *policy;
	int64		ninsured;
	int64		insured_size;
	Insured    *insured;
	int64		nevents;
	int64		event_size;
	PolicyEvent *event;
} Policies;

/* One row to be: the interval of a policy for one of those it covers */
typedef struct CoverRow
{
	int64		customer;
	const Policy *policy;
	int32		seq;
	bool		holder;
	CoverInterval interval;
} CoverRow;

#define POLICY_QUERY(policies) "SELECT p.id, p.customer_id, p.channel_id, (p.amount * 100)::bigint, (p.annual_premium * 100)::bigint, " \
	"p.issued_on, p.matures_on, p.term_months IS NULL OR p.term_months > $3 OR r.guaranteed_renewable, p.book = 'own', " \
	"p.servicer_id, h.kind = 'individual', h.kind = 'bancassurance', p.sector_line, c.kind = 'company', " \
	"(CASE $4 WHEN 'contractual_premium' THEN p.amount WHEN 'annual_premium' THEN p.annual_premium " \
	"WHEN 'sum_insured' THEN coalesce(p.sum_insured, 0) ELSE 0 END * 100)::bigint " \
	"FROM " policies " p JOIN crm.product r ON r.id = p.product_id JOIN crm.channel h ON h.id = p.channel_id " \
	"JOIN crm.customer c ON c.id = p.customer_id"
#define INSURED_QUERY(which) "SELECT n.policy_id, n.insured_id FROM crm.policy_insured n WHERE n.insured_id <> n.customer_id AND n.policy_id " which
#define EVENT_QUERY(which) "SELECT e.policy_id, e.id, e.on_date, e.kind FROM crm.policy_event e WHERE e.policy_id " which
#define BY_ID "= ANY ($1)"
#define BY_RANGE "BETWEEN $1 AND $2"
#define POLICIES(which) "(SELECT p.* FROM crm.policy p WHERE p.id " which ")"
/* customers in their order lie near each other */
#define POLICIES_BY_CUSTOMER(which) "(SELECT p.* FROM crm.policy p WHERE p.id " which " ORDER BY p.customer_id OFFSET 0)"

/* Arguments: ids, or the first and the last one of a run; then long_term_months and tier_basis */
typedef struct PolicyQueries
{
	KeptQuery	policies;
	KeptQuery	insured;
	KeptQuery	events;
} PolicyQueries;

static PolicyQueries by_id = {
	.policies = {.sql = POLICY_QUERY(POLICIES(BY_ID)), .nargs = 4, .args = {INT8ARRAYOID, INT8OID, INT4OID, TEXTOID}},
	.insured = {.sql = INSURED_QUERY(BY_ID), .nargs = 1, .args = {INT8ARRAYOID}},
	.events = {.sql = EVENT_QUERY(BY_ID), .nargs = 1, .args = {INT8ARRAYOID}}
};
static PolicyQueries by_range = {
	.policies = {.sql = POLICY_QUERY(POLICIES_BY_CUSTOMER(BY_RANGE)), .nargs = 4, .args = {INT8OID, INT8OID, INT4OID, TEXTOID}},
	.insured = {.sql = INSURED_QUERY(BY_RANGE), .nargs = 2, .args = {INT8OID, INT8OID}},
	.events = {.sql = EVENT_QUERY(BY_RANGE), .nargs = 2, .args = {INT8OID, INT8OID}}
};
static KeptQuery policies_of_0_1 = {
	.sql = "SELECT p.id, p.customer_id, p.channel_id, (p.amount * 100)::bigint, (p.annual_premium * 100)::bigint, "
	"p.issued_on, p.matures_on, p.term_months IS NULL OR p.term_months > $3 OR r.guaranteed_renewable, p.book = 'own', "
	"NULL::bigint, false, false, false, false, 0::bigint "
	"FROM crm.policy p JOIN crm.product r ON r.id = p.product_id WHERE p.id = ANY ($1)",
	.nargs = 3, .args = {INT8ARRAYOID, INT8OID, INT4OID}
};

static void
policy_row(void *arg, const Datum *v, const bool *nulls)
{
	Policies   *b = arg;

	b->policy = make_room(b->policy, b->npolicies, &b->policy_size, sizeof(Policy));
	b->policy[b->npolicies++] = (Policy) {
		.id = DatumGetInt64(v[0]), .customer = DatumGetInt64(v[1]), .channel = DatumGetInt64(v[2]),
		.amount = DatumGetInt64(v[3]), .annual = DatumGetInt64(v[4]), .issued = DatumGetDateADT(v[5]),
		.matures = nulls[6] ? DATEVAL_NOEND : DatumGetDateADT(v[6]),
		.long_term = DatumGetBool(v[7]), .own_book = DatumGetBool(v[8]),
		.serviced = !nulls[9], .servicer = nulls[9] ? 0 : DatumGetInt64(v[9]),
		.agent_sold = DatumGetBool(v[10]), .bank_sold = DatumGetBool(v[11]),
		.sector_line = DatumGetBool(v[12]), .corporate = DatumGetBool(v[13]), .tier_amount = DatumGetInt64(v[14])
	};
}

static void
insured_row(void *arg, const Datum *v, const bool *nulls pg_attribute_unused())
{
	Policies   *b = arg;

	b->insured = make_room(b->insured, b->ninsured, &b->insured_size, sizeof(Insured));
	b->insured[b->ninsured++] = (Insured) {.policy = DatumGetInt64(v[0]), .insured = DatumGetInt64(v[1])};
}

static void
event_row(void *arg, const Datum *v, const bool *nulls pg_attribute_unused())
{
	Policies   *b = arg;
	char	   *kind = TextDatumGetCString(v[3]);

	b->event = make_room(b->event, b->nevents, &b->event_size, sizeof(PolicyEvent));
	b->event[b->nevents++] = (PolicyEvent) {
		.policy = DatumGetInt64(v[0]), .id = DatumGetInt64(v[1]), .day = DatumGetDateADT(v[2]),
		.kind = event_kind(kind)
	};
	pfree(kind);
}

static int
policy_cmp(const void *a, const void *b)
{
	return compare_keys(((const Policy *) a)->id, ((const Policy *) b)->id);
}

static int
insured_cmp(const void *a, const void *b)
{
	return compare_keys(((const Insured *) a)->policy, ((const Insured *) b)->policy);
}

/* In the order in which the events of a policy hold */
static int
event_cmp(const void *a, const void *b)
{
	const PolicyEvent *x = a;
	const PolicyEvent *y = b;

	if (x->policy != y->policy)
		return compare_keys(x->policy, y->policy);
	if (x->day != y->day)
		return x->day > y->day ? 1 : -1;
	return compare_keys(x->id, y->id);
}

static int
cover_row_cmp(const void *a, const void *b)
{
	const CoverRow *x = a;
	const CoverRow *y = b;

	if (x->customer != y->customer)
		return compare_keys(x->customer, y->customer);
	if (x->policy->id != y->policy->id)
		return compare_keys(x->policy->id, y->policy->id);
	return x->seq - y->seq;
}

typedef struct CoverRows
{
	int64		n;
	int64		size;
	CoverRow   *row;
} CoverRows;

static void
add_rows(CoverRows *rows, const Policy *p, int64 customer, bool holder, const CoverInterval *interval, int n)
{
	for (int s = 0; s < n; s++)
	{
		rows->row = make_room(rows->row, rows->n, &rows->size, sizeof(CoverRow));
		rows->row[rows->n++] = (CoverRow) {
			.customer = customer, .policy = p, .seq = s + 1, .holder = holder, .interval = interval[s]
		};
	}
}

static CoverRows
derive_cover(Policies *b, int reinstatement_months)
{
	EventKind  *kind = MemoryContextAllocHuge(CurrentMemoryContext, (b->nevents + 1) * sizeof(EventKind));
	DateADT    *day = MemoryContextAllocHuge(CurrentMemoryContext, (b->nevents + 1) * sizeof(DateADT));
	CoverInterval *interval = MemoryContextAllocHuge(CurrentMemoryContext, (b->nevents + 1) * sizeof(CoverInterval));
	CoverRows	rows = {0};
	int64		at_insured = 0;
	int64		at_event = 0;

	qsort(b->policy, b->npolicies, sizeof(Policy), policy_cmp);
	qsort(b->insured, b->ninsured, sizeof(Insured), insured_cmp);
	qsort(b->event, b->nevents, sizeof(PolicyEvent), event_cmp);
	for (int64 i = 0; i < b->npolicies; i++)
	{
		const Policy *p = &b->policy[i];
		int			nevents = 0;
		int			k;

		CHECK_FOR_INTERRUPTS();
		for (; at_event < b->nevents && b->event[at_event].policy <= p->id; at_event++)
			if (b->event[at_event].policy == p->id)
			{
				kind[nevents] = b->event[at_event].kind;
				day[nevents++] = b->event[at_event].day;
			}
		k = cover_walk(p->issued, p->matures, kind, day, nevents, reinstatement_months, interval);
		add_rows(&rows, p, p->customer, true, interval, k);
		for (; at_insured < b->ninsured && b->insured[at_insured].policy <= p->id; at_insured++)
			if (b->insured[at_insured].policy == p->id)
				add_rows(&rows, p, b->insured[at_insured].insured, false, interval, k);
	}
	qsort(rows.row, rows.n, sizeof(CoverRow), cover_row_cmp);
	return rows;
}

/* Whether the ids are a run, one after the other, as those of new policies are; its first and last one. */
static bool
ids_run(ArrayType *ids, int64 *first, int64 *last)
{
	const int64 *id = (const int64 *) ARR_DATA_PTR(ids);
	int			n = ArrayGetNItems(ARR_NDIM(ids), ARR_DIMS(ids));

	if (n == 0 || ARR_HASNULL(ids))
		return false;
	for (int i = 1; i < n; i++)
		if (id[i] <= id[i - 1] || id[i] - i != id[0])
			return false;
	*first = id[0];
	*last = id[n - 1];
	return true;
}

PG_FUNCTION_INFO_V1(crm_cover_of);
/*
 * cover_of(policies, long_term_months, reinstatement_months, tier_basis): the rows of
 * crm.cover of these policies, by the latest snapshot, in order of customer.
 * An id without a policy has no row.  NULL arguments: no rows.
 */
Datum
crm_cover_of(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	Policies	b = {0};
	Datum		args[4];
	int64		first = 0,
				last = 0;
	bool		run;
	PolicyQueries *q;
	Datum		holder = CStringGetTextDatum("policyholder");
	Datum		insured = CStringGetTextDatum("insured");
	CoverRows	rows;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(2) || (PG_NARGS() > 3 && PG_ARGISNULL(3)))
		return (Datum) 0;
	SPI_connect();
	run = !model_is_0_1() && ids_run(PG_GETARG_ARRAYTYPE_P(0), &first, &last);
	q = run ? &by_range : &by_id;
	args[0] = run ? Int64GetDatum(first) : PG_GETARG_DATUM(0);
	args[1] = Int64GetDatum(last);
	args[2] = PG_GETARG_DATUM(1);
	/* 0.1 gives three arguments and takes the first columns */
	args[3] = PG_NARGS() > 3 ? PG_GETARG_DATUM(3) : (Datum) 0;
	kept_query_rows(model_is_0_1() ? &policies_of_0_1 : &q->policies, args, NULL, 15, policy_row, &b);
	kept_query_rows(&q->insured, args, NULL, 2, insured_row, &b);
	kept_query_rows(&q->events, args, NULL, 4, event_row, &b);
	rows = derive_cover(&b, PG_GETARG_INT32(2));
	for (int64 i = 0; i < rows.n; i++)
	{
		const CoverRow *r = &rows.row[i];
		const Policy *p = r->policy;
		bool		lapse = strcmp(r->interval.ended_by, "lapse") == 0;
		Datum		values[21] = {
			Int64GetDatum(r->customer),
			Int64GetDatum(p->id),
			Int32GetDatum(r->seq),
			r->holder ? holder : insured,
			DateADTGetDatum(r->interval.from),
			DateADTGetDatum(r->interval.to),
			CStringGetTextDatum(r->interval.ended_by),
			DateADTGetDatum(p->issued),
			Int64GetDatum(p->channel),
			BoolGetDatum(p->long_term),
			BoolGetDatum(p->own_book),
			Int64GetDatum(p->amount),
			Int64GetDatum(p->annual),
			BoolGetDatum(!lapse && r->interval.to == p->matures && !DATE_IS_NOEND(p->matures)),
			DateADTGetDatum(r->interval.lapsed_to),
			Int64GetDatum(p->servicer),
			BoolGetDatum(p->agent_sold),
			BoolGetDatum(p->bank_sold),
			BoolGetDatum(p->sector_line),
			BoolGetDatum(p->corporate),
			Int64GetDatum(p->tier_amount)
		};
		bool		nulls[21] = {false};

		nulls[14] = !lapse;
		nulls[15] = !p->serviced;

		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
		pfree(DatumGetPointer(values[6]));
	}
	SPI_finish();
	return (Datum) 0;
}
