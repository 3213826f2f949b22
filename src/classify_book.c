/*-------------------------------------------------------------------------
 * classify_book.c
 *		Reading what the standing kernel needs, for many customers at once.
 *-------------------------------------------------------------------------
 */
#include "classify_book.h"

#include "base_key.h"
#include "base_query.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#define CUSTOMER_COLUMNS "id, org_id, source_channel_id, known_from, kind = 'company' FROM crm.customer WHERE "
#define MOVE_COLUMNS "customer_id, org_id, from_date FROM crm.customer_organisation WHERE "
#define COVER_COLUMNS "customer_id, policy_id, v.channel_id, tier_amount, annual_premium, from_date, to_date, issued_on, " \
	"role = 'policyholder', long_term, own_book, ended_by = 'lapse', matures, lapsed_to, agent_sold, bank_sold, sector_line, " \
	"corporate, s.joined_on, s.left_on FROM crm.cover v LEFT JOIN crm.staff s ON s.id = v.servicer_id WHERE "
#define COVER_COLUMNS_0_1 "customer_id, policy_id, channel_id, amount, annual_premium, from_date, to_date, issued_on, " \
	"role = 'policyholder', long_term, own_book, ended_by = 'lapse', false, NULL::date, false, false, false, false, NULL::date, NULL::date " \
	"FROM crm.cover WHERE "
#define FACT_COLUMNS "customer_id, id, kind, from_date, to_date, n FROM crm._facet_source WHERE "
#define WORTH_COLUMNS "customer_id, on_date, delta FROM crm._worth_source WHERE "

static KeptQuery customers_by_id = {
	.sql = "SELECT " CUSTOMER_COLUMNS "id = ANY ($1)", .nargs = 1, .args = {INT8ARRAYOID}
};
static KeptQuery moves_by_id = {
	.sql = "SELECT " MOVE_COLUMNS "customer_id = ANY ($1)", .nargs = 1, .args = {INT8ARRAYOID}
};
static KeptQuery covers_by_id = {
	.sql = "SELECT " COVER_COLUMNS "customer_id = ANY ($1)", .nargs = 1, .args = {INT8ARRAYOID}
};
static KeptQuery covers_of_0_1 = {
	.sql = "SELECT " COVER_COLUMNS_0_1 "customer_id = ANY ($1)", .nargs = 1, .args = {INT8ARRAYOID}
};
static KeptQuery facts_by_id = {
	.sql = "SELECT " FACT_COLUMNS "customer_id = ANY ($1)", .nargs = 1, .args = {INT8ARRAYOID}
};
static KeptQuery worths_by_id = {
	.sql = "SELECT " WORTH_COLUMNS "customer_id = ANY ($1)", .nargs = 1, .args = {INT8ARRAYOID}
};

static void
customer_row(void *arg, const Datum *v, const bool *nulls pg_attribute_unused())
{
	Book	   *b = arg;

	b->customer = make_room(b->customer, b->ncustomers, &b->customer_size, sizeof(Customer));
	b->customer[b->ncustomers++] = (Customer) {
		.id = DatumGetInt64(v[0]), .org = DatumGetInt64(v[1]), .channel = DatumGetInt64(v[2]),
		.known_from = DatumGetDateADT(v[3]), .company = DatumGetBool(v[4])
	};
}

static void
move_row(void *arg, const Datum *v, const bool *nulls pg_attribute_unused())
{
	Book	   *b = arg;

	b->move = make_room(b->move, b->nmoves, &b->move_size, sizeof(Move));
	b->move[b->nmoves++] = (Move) {
		.customer = DatumGetInt64(v[0]), .org = DatumGetInt64(v[1]), .from = DatumGetDateADT(v[2])
	};
}

static void
cover_row(void *arg, const Datum *v, const bool *nulls)
{
	Book	   *b = arg;

	b->cover = make_room(b->cover, b->ncovers, &b->cover_size, sizeof(Cover));
	b->cover[b->ncovers++] = (Cover) {
		.customer = DatumGetInt64(v[0]), .policy = DatumGetInt64(v[1]), .channel = DatumGetInt64(v[2]),
		.amount = DatumGetInt64(v[3]), .annual = DatumGetInt64(v[4]),
		.from = DatumGetDateADT(v[5]), .to = DatumGetDateADT(v[6]), .issued = DatumGetDateADT(v[7]),
		.holder = DatumGetBool(v[8]), .long_term = DatumGetBool(v[9]),
		.own_book = DatumGetBool(v[10]), .lapse = DatumGetBool(v[11]), .matures = DatumGetBool(v[12]),
		.lapsed_to = nulls[13] ? DATEVAL_NOBEGIN : DatumGetDateADT(v[13]),
		.agent_sold = DatumGetBool(v[14]), .bank_sold = DatumGetBool(v[15]),
		.sector_line = DatumGetBool(v[16]), .corporate = DatumGetBool(v[17]),
		.serviced = !nulls[18], .post_from = nulls[18] ? DATEVAL_NOEND : DatumGetDateADT(v[18]),
		.post_to = nulls[19] ? DATEVAL_NOEND : DatumGetDateADT(v[19])
	};
}

static void
fact_row(void *arg, const Datum *v, const bool *nulls pg_attribute_unused())
{
	Book	   *b = arg;

	b->fact = make_room(b->fact, b->nfacts, &b->fact_size, sizeof(Fact));
	b->fact[b->nfacts++] = (Fact) {
		.customer = DatumGetInt64(v[0]), .id = DatumGetInt64(v[1]), .kind = DatumGetInt16(v[2]),
		.from = DatumGetDateADT(v[3]), .to = DatumGetDateADT(v[4]), .n = DatumGetInt16(v[5])
	};
}

static void
worth_row(void *arg, const Datum *v, const bool *nulls pg_attribute_unused())
{
	Book	   *b = arg;

	b->worth = make_room(b->worth, b->nworths, &b->worth_size, sizeof(Worth));
	b->worth[b->nworths++] = (Worth) {
		.customer = DatumGetInt64(v[0]), .day = DatumGetDateADT(v[1]), .delta = DatumGetInt64(v[2])
	};
}

static int
customer_cmp(const void *a, const void *b)
{
	const Customer *x = a;
	const Customer *y = b;

	return compare_keys(x->id, y->id);
}

static int
move_cmp(const void *a, const void *b)
{
	const Move *x = a;
	const Move *y = b;

	if (x->customer != y->customer)
		return compare_keys(x->customer, y->customer);
	return (x->from > y->from) - (x->from < y->from);
}

static int
fact_cmp(const void *a, const void *b)
{
	const Fact *x = a;
	const Fact *y = b;

	if (x->customer != y->customer)
		return compare_keys(x->customer, y->customer);
	if (x->from != y->from)
		return x->from > y->from ? 1 : -1;
	return compare_keys(x->id, y->id);
}

static int
worth_cmp(const void *a, const void *b)
{
	return compare_keys(((const Worth *) a)->customer, ((const Worth *) b)->customer);
}

static int64
customer_index(const Book *b, int64 id)
{
	int64		lo = 0,
				hi = b->ncustomers;

	while (lo < hi)
	{
		int64		mid = (lo + hi) / 2;

		if (b->customer[mid].id < id)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < b->ncustomers && b->customer[lo].id == id ? lo : -1;
}

/* Order covers by customer by counting; those of unknown customers are dropped. */
static void
sort_covers(Book *b)
{
	Cover	   *sorted;
	int32	   *of;
	int64	   *start;
	bool		ascending = true;
	int64		first = b->ncustomers > 0 ? b->customer[0].id : 0;
	int64		span = b->ncustomers > 0 ? b->customer[b->ncustomers - 1].id - first : 0;
	int32	   *by_id = NULL;

	for (int64 i = 1; ascending && i < b->ncovers; i++)
		ascending = b->cover[i - 1].customer <= b->cover[i].customer;
	if (ascending)
		return;
	/* ids that lie close are looked up in a table */
	if (span >= 0 && span < b->ncustomers * 8)
	{
		by_id = MemoryContextAllocHuge(CurrentMemoryContext, (span + 1) * sizeof(int32));
		memset(by_id, -1, (span + 1) * sizeof(int32));
		for (int64 i = 0; i < b->ncustomers; i++)
			by_id[b->customer[i].id - first] = (int32) i;
	}
	of = MemoryContextAllocHuge(CurrentMemoryContext, b->ncovers * sizeof(int32));
	start = MemoryContextAllocExtended(CurrentMemoryContext, (b->ncustomers + 1) * sizeof(int64),
									   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	for (int64 i = 0; i < b->ncovers; i++)
	{
		int64		id = b->cover[i].customer;

		if (by_id)
			of[i] = id < first || id - first > span ? -1 : by_id[id - first];
		else
			of[i] = (int32) customer_index(b, id);
		if (of[i] >= 0)
			start[of[i] + 1]++;
	}
	for (int64 i = 0; i < b->ncustomers; i++)
		start[i + 1] += start[i];
	sorted = MemoryContextAllocHuge(CurrentMemoryContext, Max(b->cover_size, 1) * sizeof(Cover));
	for (int64 i = 0; i < b->ncovers; i++)
		if (of[i] >= 0)
			sorted[start[of[i]]++] = b->cover[i];
	/* start[i] is now where customer i ends */
	b->ncovers = b->ncustomers > 0 ? start[b->ncustomers - 1] : 0;
	pfree(b->cover);
	pfree(of);
	pfree(start);
	if (by_id)
		pfree(by_id);
	b->cover = sorted;
}

static void
order_book(Book *b)
{
	bool		ascending = true;

	if (b->ncustomers > PG_INT32_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many customers at once")));
	for (int64 i = 1; ascending && i < b->ncustomers; i++)
		ascending = b->customer[i - 1].id < b->customer[i].id;
	if (!ascending)
		qsort(b->customer, b->ncustomers, sizeof(Customer), customer_cmp);
	qsort(b->move, b->nmoves, sizeof(Move), move_cmp);
	qsort(b->fact, b->nfacts, sizeof(Fact), fact_cmp);
	qsort(b->worth, b->nworths, sizeof(Worth), worth_cmp);
	sort_covers(b);
}

/* The customers of a bigint[], by the latest snapshot.  Needs SPI_connect(). */
Book *
book_read(const Rules *rules, Datum ids)
{
	Book	   *b = palloc0(sizeof(Book));

	kept_query_rows(&customers_by_id, &ids, NULL, 5, customer_row, b);
	kept_query_rows(&moves_by_id, &ids, NULL, 3, move_row, b);
	kept_query_rows(model_is_0_1() ? &covers_of_0_1 : &covers_by_id, &ids, NULL, 20, cover_row, b);
	if (!model_is_0_1())
		kept_query_rows(&facts_by_id, &ids, NULL, 6, fact_row, b);
	if (rules->amount_by_worth)
		kept_query_rows(&worths_by_id, &ids, NULL, 3, worth_row, b);
	order_book(b);
	return b;
}

/* The customers from <= id < to, by the snapshot in force.  Needs SPI_connect(). */
Book *
book_read_range(const Rules *rules, int64 from, int64 to)
{
	Book	   *b = palloc0(sizeof(Book));

#define IN_RANGE(column) column " >= " INT64_FORMAT " AND " column " < " INT64_FORMAT
	query_rows(psprintf("SELECT " CUSTOMER_COLUMNS IN_RANGE("id"), from, to), 5, NULL, customer_row, b);
	query_rows(psprintf("SELECT " MOVE_COLUMNS IN_RANGE("customer_id"), from, to), 3, NULL, move_row, b);
	query_rows(psprintf(model_is_0_1() ? "SELECT " COVER_COLUMNS_0_1 IN_RANGE("customer_id") : "SELECT " COVER_COLUMNS IN_RANGE("customer_id"), from, to),
			   20, NULL, cover_row, b);
	if (!model_is_0_1())
		query_rows(psprintf("SELECT " FACT_COLUMNS IN_RANGE("customer_id"), from, to), 6, NULL, fact_row, b);
	if (rules->amount_by_worth)
		query_rows(psprintf("SELECT " WORTH_COLUMNS IN_RANGE("customer_id"), from, to), 3, NULL, worth_row, b);
#undef IN_RANGE
	order_book(b);
	return b;
}

Kernels
kernels_create(const Rules *rules)
{
	return (Kernels) {
		.rules = rules, .standing = kernel_create(rules), .facet = facet_kernel_create(rules)
	};
}

/*
 * Where the records of a customer begin in an array ascending by customer,
 * with *at moved from those before to those after them; *n is how many.
 */
#define records_of(array, total, at, id, n) \
	do { \
		while ((at) < (total) && (array)[at].customer < (id)) \
			(at)++; \
		for ((n) = 0; (at) + (n) < (total) && (array)[(at) + (n)].customer == (id);) \
			(n)++; \
	} while (0)

/*
 * The timeline of the i-th customer, and its facets, which are NULL when the
 * timeline is empty; customers are to be asked for in order.
 */
const Timeline *
book_timeline(Book *b, Kernels *k, int64 i, const Facets **facets)
{
	const Customer *c = &b->customer[i];
	const Timeline *t;
	int			nmoves,
				ncovers,
				nfacts,
				nworths;

	records_of(b->move, b->nmoves, b->at_move, c->id, nmoves);
	records_of(b->cover, b->ncovers, b->at_cover, c->id, ncovers);
	records_of(b->fact, b->nfacts, b->at_fact, c->id, nfacts);
	records_of(b->worth, b->nworths, b->at_worth, c->id, nworths);
	t = kernel_run(k->standing, c, b->move + b->at_move, nmoves, b->cover + b->at_cover, ncovers,
				   b->worth + b->at_worth, nworths);
	*facets = t->n == 0 ? NULL
		: facet_kernel_run(k->facet, t->row[0].from, b->cover + b->at_cover, ncovers, b->fact + b->at_fact, nfacts);
	return t;
}

/* rules --------------------------------------------------------------------- */

static KeptQuery rules_by_generation = {
	.sql = "SELECT r.kind, r.valid_from, r.valid_to, r.org_ids, r.channel_id, r.class_ids, r.thresholds, "
	"array_position(r.class_ids, c.id), CASE r.kind WHEN 'tier' THEN g.near_vip_percent ELSE 0 END "
	"FROM crm.rule r JOIN crm.generation g ON g.id = r.generation_id "
	"LEFT JOIN crm.class c ON c.dimension = r.kind AND c.label = CASE r.kind WHEN 'tier' THEN g.vip_from ELSE g.dormant_from END "
	"WHERE r.generation_id = $1 ORDER BY r.kind, r.ord",
	.nargs = 1, .args = {INT8OID}
};
static KeptQuery rules_of_0_1 = {
	.sql = "SELECT kind, valid_from, valid_to, org_ids, channel_id, class_ids, thresholds, NULL::integer, 0 "
	"FROM crm.rule WHERE generation_id = $1 ORDER BY kind, ord",
	.nargs = 1, .args = {INT8OID}
};

static KeptQuery limits_by_generation = {
	.sql = "SELECT maturity_days, claim_days, appointment_days, tier_basis IN ('premium_received', 'assets_held') "
	"FROM crm.generation WHERE id = $1",
	.nargs = 1, .args = {INT8OID}
};

static MemoryContext rules_context = NULL;
static Rules *cached_rules = NULL;
static int64 cached_generation;
static Oid	cached_table;

static int64 *
int8_values(Datum array, int *n)
{
	Datum	   *d;
	int64	   *v;

	deconstruct_array(DatumGetArrayTypeP(array), INT8OID, 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE, &d, NULL, n);
	v = palloc_array(int64, Max(*n, 1));
	for (int i = 0; i < *n; i++)
		v[i] = DatumGetInt64(d[i]);
	return v;
}

/* What lies so many percent below a limit, less than a hundredth cut off */
static int64
near_value(int64 limit, int percent)
{
	return (int64) ((int128) limit * (100 - percent) / 100);
}

static void
rule_row(void *arg, const Datum *v, const bool *nulls)
{
	Rules	   *rules = arg;
	MemoryContext old = MemoryContextSwitchTo(rules_context);
	char	   *kind = TextDatumGetCString(v[0]);
	RuleList   *list = strcmp(kind, "tier") == 0 ? &rules->tier : &rules->activity;
	Rule	   *r;
	Datum	   *class_ids;
	int			nthresholds;

	list->rule = list->rule ? repalloc_array(list->rule, Rule, list->n + 1) : palloc_array(Rule, 1);
	r = &list->rule[list->n++];
	memset(r, 0, sizeof(Rule));
	r->from = DatumGetDateADT(v[1]);
	r->to = DatumGetDateADT(v[2]);
	if (!nulls[3])
	{
		r->org = int8_values(v[3], &r->norgs);
		qsort(r->org, r->norgs, sizeof(int64), int64_cmp);
	}
	r->any_channel = nulls[4];
	r->channel = nulls[4] ? 0 : DatumGetInt64(v[4]);
	deconstruct_array(DatumGetArrayTypeP(v[5]), INT2OID, 2, true, TYPALIGN_SHORT, &class_ids, NULL, &r->nclasses);
	r->class_id = palloc_array(int16, Max(r->nclasses, 1));
	for (int i = 0; i < r->nclasses; i++)
		r->class_id[i] = DatumGetInt16(class_ids[i]);
	r->threshold = int8_values(v[6], &nthresholds);
	if (r->nclasses < 1 || nthresholds != r->nclasses - 1)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("a rule has %d classes but %d thresholds", r->nclasses, nthresholds)));
	r->marked = nulls[7] ? r->nclasses : DatumGetInt32(v[7]) - 1;
	r->near = r->marked > 0 && r->marked < r->nclasses
		? near_value(r->threshold[r->marked - 1], DatumGetInt32(v[8])) : PG_INT64_MAX;
	MemoryContextSwitchTo(old);
}

static void
limits_row(void *arg, const Datum *v, const bool *nulls pg_attribute_unused())
{
	Rules	   *rules = arg;

	rules->maturity_days = DatumGetInt32(v[0]);
	rules->claim_days = DatumGetInt32(v[1]);
	rules->appointment_days = DatumGetInt32(v[2]);
	rules->amount_by_worth = DatumGetBool(v[3]);
}

static int
day_cmp(const void *a, const void *b)
{
	DateADT		x = *(const DateADT *) a;
	DateADT		y = *(const DateADT *) b;

	return (x > y) - (x < y);
}

/* The days on which something may change without any record: limits and starts */
static void
note_breaks(Rules *rules)
{
	int			n = 0;
	int			k = 0;

	for (int i = 0; i < rules->activity.n; i++)
		n += rules->activity.rule[i].nclasses;
	rules->limit = palloc_array(int64, Max(n, 1));
	for (int i = 0; i < rules->activity.n; i++)
	{
		Rule	   *r = &rules->activity.rule[i];

		for (int c = 0; c < r->nclasses - 1; c++)
			if (r->threshold[c] > 0 && r->threshold[c] <= TIMELINE_LAST_DAY - TIMELINE_FIRST_DAY)
				rules->limit[rules->nlimits++] = r->threshold[c];
	}
	qsort(rules->limit, rules->nlimits, sizeof(int64), int64_cmp);
	for (int i = 0; i < rules->nlimits; i++)
		if (k == 0 || rules->limit[k - 1] != rules->limit[i])
			rules->limit[k++] = rules->limit[i];
	rules->nlimits = k;

	rules->start = palloc_array(DateADT, Max(2 * (rules->activity.n + rules->tier.n), 1));
	for (int i = 0; i < rules->activity.n + rules->tier.n; i++)
	{
		Rule	   *r = i < rules->activity.n ? &rules->activity.rule[i]
			: &rules->tier.rule[i - rules->activity.n];

		if (r->from > TIMELINE_FIRST_DAY)
			rules->start[rules->nstarts++] = r->from;
		if (r->to <= TIMELINE_LAST_DAY)
			rules->start[rules->nstarts++] = r->to;
	}
	qsort(rules->start, rules->nstarts, sizeof(DateADT), day_cmp);
	k = 0;
	for (int i = 0; i < rules->nstarts; i++)
		if (k == 0 || rules->start[k - 1] != rules->start[i])
			rules->start[k++] = rules->start[i];
	rules->nstarts = k;
}

/*
 * The rules that a generation of standings is made by; they never change, so
 * the session keeps them.  Needs SPI_connect().
 */
const Rules *
rules_of(int64 generation)
{
	Datum		arg = Int64GetDatum(generation);
	MemoryContext old;
	Rules	   *rules;
	Oid			table = get_relname_relid("rule", get_namespace_oid("crm", false));

	if (cached_rules && cached_generation == generation && cached_table == table)
		return cached_rules;
	cached_rules = NULL;
	if (rules_context == NULL)
		rules_context = AllocSetContextCreate(TopMemoryContext, "crm rules", ALLOCSET_DEFAULT_SIZES);
	else
		MemoryContextReset(rules_context);
	old = MemoryContextSwitchTo(rules_context);
	rules = palloc0(sizeof(Rules));
	MemoryContextSwitchTo(old);
	kept_query_rows(model_is_0_1() ? &rules_of_0_1 : &rules_by_generation, &arg, NULL, 9, rule_row, rules);
	if (!model_is_0_1())
		kept_query_rows(&limits_by_generation, &arg, NULL, 4, limits_row, rules);
	if (rules->activity.n == 0 || rules->tier.n == 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("generation " INT64_FORMAT " of the standings has no rules", generation),
				 errhint("Run CALL crm.rebuild().")));
	old = MemoryContextSwitchTo(rules_context);
	note_breaks(rules);
	MemoryContextSwitchTo(old);
	cached_generation = generation;
	cached_table = table;
	cached_rules = rules;
	return rules;
}
