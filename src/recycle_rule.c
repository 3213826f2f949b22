/*-------------------------------------------------------------------------
 * recycle_rule.c
 *		crm.recycle_rule: when a holding falls due for recycling, and why.
 *
 * Text form:  clause; clause; ...  any of the clauses below once, in any order,
 * each followed by a number of days; 'never' has none of them. Canonical is
 * the order below, lower case, '1 day' or 'n days'. A day is 24 hours.
 *-------------------------------------------------------------------------
 */
#include "crm.h"

#include "common/hashfn.h"
#include "common/int.h"
#include "datatype/timestamp.h"
#include "lib/stringinfo.h"
#include "libpq/pqformat.h"
#include "types_input.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#define MAX_DAYS		36500
#define VERSION			1

/* Canonical order; of clauses falling due together the first is the cause. */
typedef enum Clause
{
	FIRST_CONTACT,
	CONTACT_EVERY,
	PURCHASE_WITHIN,
	AT_MOST,
	COOL_OFF,
	NCLAUSES
} Clause;

static const char *const clause_words[NCLAUSES] = {
	"first contact within",
	"contact every",
	"purchase within",
	"at most",
	"cool off"
};

/* The stored value, 24 bytes. */
typedef struct RecycleRule
{
	uint8		version;
	uint8		unused[3];		/* zero */
	int32		days[NCLAUSES]; /* 0: no such clause */
} RecycleRule;

#define PG_GETARG_RULE(n)	((RecycleRule *) PG_GETARG_POINTER(n))

static RecycleRule *
make_rule(void)
{
	RecycleRule *rule = palloc0(sizeof(RecycleRule));

	rule->version = VERSION;
	return rule;
}

/*
 * Does the text at p begin with these words, in any case and spacing? Returns
 * what follows them, or NULL.
 */
static const char *
match_words(const char *p, const char *words)
{
	for (; *words; words++)
	{
		if (*words == ' ')
		{
			const char *q = crm_skip_space(p);

			if (q == p)
				return NULL;
			p = q;
		}
		else if (pg_ascii_tolower((unsigned char) *p++) != (unsigned char) *words)
			return NULL;
	}
	return p;
}

/* Read 'n days' at *p and move *p behind it; 0 if there is no such thing. */
static int64
parse_days(const char **p)
{
	const char *q = crm_skip_space(*p);
	const char *after;
	int64		days = 0;

	if (q == *p || !crm_is_digit(*q))
		return 0;
	for (; crm_is_digit(*q); q++)
		days = Min(days * 10 + (*q - '0'), MAX_DAYS + 1);
	q = crm_skip_space(q);
	after = match_words(q, "days");
	if (after == NULL)
		after = match_words(q, "day");
	if (after == NULL)
		return 0;
	*p = after;
	return days > 0 ? days : MAX_DAYS + 1;
}

/* Text input: 22P02 for a wrong literal, 22003 for a number of days. */
PG_FUNCTION_INFO_V1(crm_recycle_rule_in);
Datum
crm_recycle_rule_in(PG_FUNCTION_ARGS)
{
	const char *input = PG_GETARG_CSTRING(0);
	RecycleRule *rule = make_rule();
	const char *p = match_words(crm_skip_space(input), "never");

	if (p != NULL && *crm_skip_space(p) == '\0')
		PG_RETURN_POINTER(rule);

	p = input;
	for (;;)
	{
		const char *after = NULL;
		int			clause;
		int64		days;

		p = crm_skip_space(p);
		for (clause = 0; clause < NCLAUSES; clause++)
			if ((after = match_words(p, clause_words[clause])) != NULL)
				break;
		if (after == NULL || (days = parse_days(&after)) == 0)
			break;
		after = crm_skip_space(after);
		if (*after != ';' && *after != '\0')
			break;
		if (days > MAX_DAYS)
			crm_input_error(fcinfo->context, (Datum) 0,
							(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
							 errmsg("days out of range in clause \"%s\" of recycle rule \"%s\"",
									clause_words[clause], crm_quotable(input)),
							 errdetail("A clause takes 1 to %d days.", MAX_DAYS)));
		if (rule->days[clause] != 0)
			crm_input_error(fcinfo->context, (Datum) 0,
							(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
							 errmsg("clause \"%s\" occurs twice in recycle rule \"%s\"",
									clause_words[clause], crm_quotable(input))));
		rule->days[clause] = (int32) days;
		if (*after == '\0')
			PG_RETURN_POINTER(rule);
		p = after + 1;
	}
	crm_input_error(fcinfo->context, (Datum) 0,
					(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
					 errmsg("invalid input syntax for type %s: \"%s\"",
							"crm.recycle_rule", crm_quotable(input)),
					 errdetail("No clause of the form \"words n days\" at \"%s\".", crm_quotable(p)),
					 errhint("The words are \"first contact within\", \"contact every\", \"purchase within\", \"at most\" and \"cool off\"; a semicolon stands between clauses; \"never\" stands alone.")));
}

/* Text output: the canonical form. */
PG_FUNCTION_INFO_V1(crm_recycle_rule_out);
Datum
crm_recycle_rule_out(PG_FUNCTION_ARGS)
{
	RecycleRule *rule = PG_GETARG_RULE(0);
	StringInfoData buf;

	initStringInfo(&buf);
	for (int i = 0; i < NCLAUSES; i++)
	{
		if (rule->days[i] == 0)
			continue;
		appendStringInfo(&buf, "%s%s %d %s", buf.len > 0 ? "; " : "", clause_words[i],
						 rule->days[i], rule->days[i] == 1 ? "day" : "days");
	}
	if (buf.len == 0)
		appendStringInfoString(&buf, "never");
	PG_RETURN_CSTRING(buf.data);
}

/*
 * Binary input: a version byte (1) and the days of the five clauses in
 * canonical order as int4, 0 for none. 22P03 for anything else.
 */
PG_FUNCTION_INFO_V1(crm_recycle_rule_recv);
Datum
crm_recycle_rule_recv(PG_FUNCTION_ARGS)
{
	StringInfo	buf = (StringInfo) PG_GETARG_POINTER(0);
	RecycleRule *rule = make_rule();
	int			version = pq_getmsgbyte(buf);

	if (version != VERSION)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("unsupported version \"%d\" of binary %s", version, "crm.recycle_rule")));
	for (int i = 0; i < NCLAUSES; i++)
	{
		int32		days = (int32) pq_getmsgint(buf, 4);

		if (days < 0 || days > MAX_DAYS)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
					 errmsg("days out of range in binary %s: \"%d\"", "crm.recycle_rule", days)));
		rule->days[i] = days;
	}
	PG_RETURN_POINTER(rule);
}

/* Binary output: see crm_recycle_rule_recv. */
PG_FUNCTION_INFO_V1(crm_recycle_rule_send);
Datum
crm_recycle_rule_send(PG_FUNCTION_ARGS)
{
	RecycleRule *rule = PG_GETARG_RULE(0);
	StringInfoData buf;

	pq_begintypsend(&buf);
	pq_sendbyte(&buf, rule->version);
	for (int i = 0; i < NCLAUSES; i++)
		pq_sendint32(&buf, rule->days[i]);
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}

/* ts + days of 24 hours; infinity stays. false: beyond the range of the type. */
static bool
add_days(TimestampTz ts, int32 days, TimestampTz *result)
{
	*result = ts;
	if (TIMESTAMP_NOT_FINITE(ts))
		return true;
	if (!pg_add_s64_overflow(ts, days * USECS_PER_DAY, result) &&
		IS_VALID_TIMESTAMP(*result))
		return true;
	*result = DT_NOEND;
	return false;
}

/*
 * The clause of the rule that falls due first and when, or -1 if none ever
 * does. Contacts and purchases before held_from, and missing ones, do not
 * count. A first contact or a purchase is met once and for all; contacts
 * roll.
 */
static int
first_due(FunctionCallInfo fcinfo, TimestampTz *due)
{
	const RecycleRule *rule = PG_GETARG_RULE(0);
	TimestampTz held_from = PG_GETARG_TIMESTAMPTZ(1);
	bool		contacted = !PG_ARGISNULL(2) && PG_GETARG_TIMESTAMPTZ(2) >= held_from;
	bool		purchased = !PG_ARGISNULL(3) && PG_GETARG_TIMESTAMPTZ(3) >= held_from;
	int			cause = -1;
	bool		in_range = true;

	for (int i = 0; i < COOL_OFF; i++)
	{
		TimestampTz base = held_from;
		TimestampTz at;
		bool		ok;

		if (rule->days[i] == 0 ||
			(i == FIRST_CONTACT && contacted) ||
			(i == PURCHASE_WITHIN && purchased))
			continue;
		if (i == CONTACT_EVERY && contacted)
			base = PG_GETARG_TIMESTAMPTZ(2);
		ok = add_days(base, rule->days[i], &at);
		if (cause < 0 || at < *due)
		{
			cause = i;
			*due = at;
			in_range = ok;
		}
	}
	if (!in_range)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("due time of clause \"%s\" out of range", clause_words[cause])));
	return cause;
}

/*
 * crm.recycle_due(rule, held_from, last_contact, last_purchase): when the
 * holding falls due, NULL if it never does. NULL if the rule or held_from is;
 * last_contact and last_purchase may be. 22008 beyond the range of timestamptz.
 */
PG_FUNCTION_INFO_V1(crm_recycle_rule_due);
Datum
crm_recycle_rule_due(PG_FUNCTION_ARGS)
{
	TimestampTz due;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || first_due(fcinfo, &due) < 0)
		PG_RETURN_NULL();
	PG_RETURN_TIMESTAMPTZ(due);
}

/*
 * crm.recycle_cause(same arguments): the words of the clause that falls due
 * first, of several at once the first in canonical order. NULL and errors as
 * crm.recycle_due.
 */
PG_FUNCTION_INFO_V1(crm_recycle_rule_cause);
Datum
crm_recycle_rule_cause(PG_FUNCTION_ARGS)
{
	TimestampTz due;
	int			cause;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || (cause = first_due(fcinfo, &due)) < 0)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(clause_words[cause]));
}

/*
 * crm.cool_off(rule): the cool-off in days of 24 hours (an interval of hours),
 * NULL if the rule has none. Strict.
 */
PG_FUNCTION_INFO_V1(crm_recycle_rule_cool_off);
Datum
crm_recycle_rule_cool_off(PG_FUNCTION_ARGS)
{
	int32		days = PG_GETARG_RULE(0)->days[COOL_OFF];
	Interval   *interval;

	if (days == 0)
		PG_RETURN_NULL();
	interval = palloc0(sizeof(Interval));
	interval->time = days * USECS_PER_DAY;
	PG_RETURN_INTERVAL_P(interval);
}

/*
 * crm.recycle_days(rule, clause): the days of a clause given by its words,
 * NULL if the rule has no such clause. 22023 for other words. Strict.
 */
PG_FUNCTION_INFO_V1(crm_recycle_rule_days);
Datum
crm_recycle_rule_days(PG_FUNCTION_ARGS)
{
	const char *words = text_to_cstring(PG_GETARG_TEXT_PP(1));

	for (int i = 0; i < NCLAUSES; i++)
	{
		if (strcmp(words, clause_words[i]) != 0)
			continue;
		if (PG_GETARG_RULE(0)->days[i] == 0)
			PG_RETURN_NULL();
		PG_RETURN_INT32(PG_GETARG_RULE(0)->days[i]);
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("recycle rules have no clause \"%s\"", crm_quotable(words)),
			 errhint("The clauses are \"first contact within\", \"contact every\", \"purchase within\", \"at most\" and \"cool off\".")));
}

/* Order: days of the clauses in canonical order, no clause first. */
static int
rule_order(FunctionCallInfo fcinfo)
{
	const RecycleRule *a = PG_GETARG_RULE(0);
	const RecycleRule *b = PG_GETARG_RULE(1);

	for (int i = 0; i < NCLAUSES; i++)
		if (a->days[i] != b->days[i])
			return a->days[i] < b->days[i] ? -1 : 1;
	return 0;
}

/* Comparison: by the days of the clauses in canonical order. */
PG_FUNCTION_INFO_V1(crm_recycle_rule_cmp);
Datum
crm_recycle_rule_cmp(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(rule_order(fcinfo));
}

PG_FUNCTION_INFO_V1(crm_recycle_rule_lt);
Datum
crm_recycle_rule_lt(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(rule_order(fcinfo) < 0);
}

PG_FUNCTION_INFO_V1(crm_recycle_rule_le);
Datum
crm_recycle_rule_le(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(rule_order(fcinfo) <= 0);
}

PG_FUNCTION_INFO_V1(crm_recycle_rule_eq);
Datum
crm_recycle_rule_eq(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(rule_order(fcinfo) == 0);
}

PG_FUNCTION_INFO_V1(crm_recycle_rule_ne);
Datum
crm_recycle_rule_ne(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(rule_order(fcinfo) != 0);
}

PG_FUNCTION_INFO_V1(crm_recycle_rule_ge);
Datum
crm_recycle_rule_ge(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(rule_order(fcinfo) >= 0);
}

PG_FUNCTION_INFO_V1(crm_recycle_rule_gt);
Datum
crm_recycle_rule_gt(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(rule_order(fcinfo) > 0);
}

/* Hash of the days of all clauses. */
PG_FUNCTION_INFO_V1(crm_recycle_rule_hash);
Datum
crm_recycle_rule_hash(PG_FUNCTION_ARGS)
{
	return hash_any((unsigned char *) PG_GETARG_RULE(0)->days, sizeof(int32) * NCLAUSES);
}

/* The same with a seed, 64 bits. */
PG_FUNCTION_INFO_V1(crm_recycle_rule_hash_extended);
Datum
crm_recycle_rule_hash_extended(PG_FUNCTION_ARGS)
{
	return hash_any_extended((unsigned char *) PG_GETARG_RULE(0)->days,
							 sizeof(int32) * NCLAUSES, PG_GETARG_INT64(1));
}
