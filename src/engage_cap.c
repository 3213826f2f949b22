/*-------------------------------------------------------------------------
 * engage_cap.c
 *		crm.contact_limit: how many contacts there may be in rolling windows of
 *		time, whether one more fits, and from when on.
 *
 * Text form:  n in d days; n in h hours; ...  up to MAX_CLAUSES clauses, each
 * with a window of its own; 'unlimited' has none of them, 'never' lets no
 * contact through. Canonical is by length of the window, in days where it is
 * whole days. A day is 24 hours.
 *
 * A limit of n in a window of d holds when no n + 1 contacts lie less than d
 * apart, the first to the last: exactly d after the first of n contacts
 * another one fits.
 *-------------------------------------------------------------------------
 */
#include "crm.h"

#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "common/int.h"
#include "datatype/timestamp.h"
#include "lib/stringinfo.h"
#include "libpq/pqformat.h"
#include "miscadmin.h"
#include "types_input.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#define MAX_CLAUSES		6
#define MAX_CONTACTS	1000000
#define MAX_HOURS		(36500 * 24)
#define VERSION			1

typedef struct Clause
{
	int32		contacts;		/* at most */
	int32		hours;			/* within */
} Clause;

/* The stored value, 52 bytes; clauses by hours, the rest zero. */
typedef struct ContactLimit
{
	uint8		version;
	uint8		nclauses;
	uint8		never;			/* no contact at all; no clauses */
	uint8		unused;			/* zero */
	Clause		clauses[MAX_CLAUSES];
} ContactLimit;

#define PG_GETARG_LIMIT(n)	((ContactLimit *) PG_GETARG_POINTER(n))

typedef enum Fault
{
	GOOD,
	TOO_MANY,					/* clauses */
	WINDOW_TWICE
} Fault;

static ContactLimit *
make_limit(void)
{
	ContactLimit *limit = palloc0(sizeof(ContactLimit));

	limit->version = VERSION;
	return limit;
}

/* Puts a clause in its place by hours. */
static Fault
add_clause(ContactLimit *limit, int32 contacts, int32 hours)
{
	int			at = limit->nclauses;

	for (int i = 0; i < limit->nclauses; i++)
		if (limit->clauses[i].hours == hours)
			return WINDOW_TWICE;
	if (limit->nclauses == MAX_CLAUSES)
		return TOO_MANY;
	for (; at > 0 && limit->clauses[at - 1].hours > hours; at--)
		limit->clauses[at] = limit->clauses[at - 1];
	limit->clauses[at].contacts = contacts;
	limit->clauses[at].hours = hours;
	limit->nclauses++;
	return GOOD;
}

/* What follows the word at p, in any case; NULL if it does not stand there whole. */
static const char *
match_word(const char *p, const char *word)
{
	for (; *word; word++, p++)
		if (pg_ascii_tolower((unsigned char) *p) != (unsigned char) *word)
			return NULL;
	return (*p == '\0' || *p == ';' || crm_skip_space(p) != p) ? p : NULL;
}

/* Reads a number above 0 at *p and moves *p behind it, capped at limit + 1; 0 if there is none. */
static int64
parse_number(const char **p, int64 limit)
{
	const char *q = *p;
	int64		n = 0;

	for (; crm_is_digit(*q); q++)
		n = Min(n * 10 + (*q - '0'), limit + 1);
	if (q == *p || crm_skip_space(q) == q)
		return 0;
	*p = crm_skip_space(q);
	return n > 0 ? n : limit + 1;
}

/* Text input: 22P02 for a wrong literal, 22003 for a number, 54000 for too many clauses. */
PG_FUNCTION_INFO_V1(crm_contact_limit_in);
Datum
crm_contact_limit_in(PG_FUNCTION_ARGS)
{
	const char *input = PG_GETARG_CSTRING(0);
	ContactLimit *limit = make_limit();
	const char *p = crm_skip_space(input);
	const char *after = match_word(p, "unlimited");

	if (after != NULL && *crm_skip_space(after) == '\0')
		PG_RETURN_POINTER(limit);
	after = match_word(p, "never");
	if (after != NULL && *crm_skip_space(after) == '\0')
	{
		limit->never = 1;
		PG_RETURN_POINTER(limit);
	}

	for (;;)
	{
		int64		contacts;
		int64		length;
		int			unit = 24;
		Fault		fault;

		p = crm_skip_space(p);
		after = p;
		if ((contacts = parse_number(&after, MAX_CONTACTS)) == 0)
			break;
		if ((after = match_word(after, "in")) == NULL)
			break;
		after = crm_skip_space(after);
		if ((length = parse_number(&after, MAX_HOURS)) == 0)
			break;
		{
			const char *word = after;

			if ((after = match_word(word, "days")) == NULL && (after = match_word(word, "day")) == NULL)
			{
				unit = 1;
				if ((after = match_word(word, "hours")) == NULL && (after = match_word(word, "hour")) == NULL)
					break;
			}
		}
		after = crm_skip_space(after);
		if (*after != ';' && *after != '\0')
			break;
		if (contacts > MAX_CONTACTS || length > MAX_HOURS / unit)
			crm_input_error(fcinfo->context, (Datum) 0,
							(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
							 errmsg("number out of range in contact limit \"%s\"", crm_quotable(input)),
							 errdetail("A clause takes 1 to %d contacts in 1 to %d days or %d hours.",
									   MAX_CONTACTS, MAX_HOURS / 24, MAX_HOURS)));
		fault = add_clause(limit, (int32) contacts, (int32) length * unit);
		if (fault == TOO_MANY)
			crm_input_error(fcinfo->context, (Datum) 0,
							(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
							 errmsg("too many clauses in contact limit \"%s\"", crm_quotable(input)),
							 errdetail("The limit is %d clauses.", MAX_CLAUSES)));
		if (fault == WINDOW_TWICE)
			crm_input_error(fcinfo->context, (Datum) 0,
							(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
							 errmsg("two clauses with one window in contact limit \"%s\"", crm_quotable(input))));
		if (*after == '\0')
			PG_RETURN_POINTER(limit);
		p = after + 1;
	}
	crm_input_error(fcinfo->context, (Datum) 0,
					(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
					 errmsg("invalid input syntax for type %s: \"%s\"", "crm.contact_limit", crm_quotable(input)),
					 errdetail("No clause of the form \"n in n days\" at \"%s\".", crm_quotable(p)),
					 errhint("Write clauses as \"3 in 30 days\" or \"1 in 12 hours\" with a semicolon between them; \"never\" and \"unlimited\" stand alone.")));
}

/* Text output: the canonical form. */
PG_FUNCTION_INFO_V1(crm_contact_limit_out);
Datum
crm_contact_limit_out(PG_FUNCTION_ARGS)
{
	const ContactLimit *limit = PG_GETARG_LIMIT(0);
	StringInfoData buf;

	initStringInfo(&buf);
	for (int i = 0; i < limit->nclauses; i++)
	{
		int32		hours = limit->clauses[i].hours;
		bool		days = hours % 24 == 0;
		int32		n = days ? hours / 24 : hours;

		appendStringInfo(&buf, "%s%d in %d %s%s", i > 0 ? "; " : "", limit->clauses[i].contacts,
						 n, days ? "day" : "hour", n == 1 ? "" : "s");
	}
	if (limit->nclauses == 0)
		appendStringInfoString(&buf, limit->never ? "never" : "unlimited");
	PG_RETURN_CSTRING(buf.data);
}

/*
 * Binary input: a version byte (1), a byte that is 1 for never, the number of
 * clauses as a byte, and each as contacts and hours in int4, by hours.
 * 22P03 for anything else.
 */
PG_FUNCTION_INFO_V1(crm_contact_limit_recv);
Datum
crm_contact_limit_recv(PG_FUNCTION_ARGS)
{
	StringInfo	buf = (StringInfo) PG_GETARG_POINTER(0);
	ContactLimit *limit = make_limit();
	int			version = pq_getmsgbyte(buf);
	int			never = pq_getmsgbyte(buf);
	int			nclauses = pq_getmsgbyte(buf);

	if (version != VERSION)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("unsupported version \"%d\" of binary %s", version, "crm.contact_limit")));
	if (never > 1 || nclauses > (never ? 0 : MAX_CLAUSES))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("wrong head of binary %s", "crm.contact_limit")));
	limit->never = (uint8) never;
	for (int i = 0; i < nclauses; i++)
	{
		int32		contacts = (int32) pq_getmsgint(buf, 4);
		int32		hours = (int32) pq_getmsgint(buf, 4);

		if (contacts < 1 || contacts > MAX_CONTACTS || hours < 1 || hours > MAX_HOURS)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
					 errmsg("clause out of range in binary %s: \"%d\" in \"%d\" hours", "crm.contact_limit", contacts, hours)));
		if (i > 0 && hours <= limit->clauses[i - 1].hours)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
					 errmsg("clauses out of order in binary %s", "crm.contact_limit")));
		add_clause(limit, contacts, hours);
	}
	PG_RETURN_POINTER(limit);
}

/* Binary output: see crm_contact_limit_recv. */
PG_FUNCTION_INFO_V1(crm_contact_limit_send);
Datum
crm_contact_limit_send(PG_FUNCTION_ARGS)
{
	const ContactLimit *limit = PG_GETARG_LIMIT(0);
	StringInfoData buf;

	pq_begintypsend(&buf);
	pq_sendbyte(&buf, limit->version);
	pq_sendbyte(&buf, limit->never);
	pq_sendbyte(&buf, limit->nclauses);
	for (int i = 0; i < limit->nclauses; i++)
	{
		pq_sendint32(&buf, limit->clauses[i].contacts);
		pq_sendint32(&buf, limit->clauses[i].hours);
	}
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}

/* a - b, cut off at the range of int64 */
static inline int64
distance(TimestampTz a, TimestampTz b)
{
	int64		result;

	if (pg_sub_s64_overflow(a, b, &result))
		return a > b ? PG_INT64_MAX : PG_INT64_MIN;
	return result;
}

/*
 * The contacts counted: instants in order, none infinite. 22004, 22008, 2202E
 * or 22023 for an array that is not so.
 */
static const TimestampTz *
contact_times(ArrayType *array, int *n)
{
	const TimestampTz *times = (const TimestampTz *) ARR_DATA_PTR(array);

	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR), errmsg("contacts must have one dimension")));
	if (array_contains_nulls(array))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("contacts must not contain nulls")));
	*n = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	for (int i = 0; i < *n; i++)
	{
		if (TIMESTAMP_NOT_FINITE(times[i]))
			ereport(ERROR,
					(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE), errmsg("contacts must not be infinite")));
		if (i > 0 && times[i] < times[i - 1])
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("contacts must be in order of time"),
					 errdetail("Contact %d is at \"%s\", before \"%s\".", i + 1,
							   pstrdup(timestamptz_to_str(times[i])), pstrdup(timestamptz_to_str(times[i - 1])))));
	}
	return times;
}

/*
 * The first instant from *x on at which one more contact keeps the clause, in
 * *x; false beyond the range of the type. n contacts from f to l less than a
 * window apart forbid all strictly between l - window and f + window; both ends
 * rise from group to group, so *group, the first that may still forbid, never
 * goes back.
 */
static bool
keep_clause(const Clause *clause, const TimestampTz *times, int n, int *group, TimestampTz *x)
{
	int64		window = clause->hours * USECS_PER_HOUR;

	for (; *group + clause->contacts <= n; (*group)++)
	{
		TimestampTz first = times[*group];
		TimestampTz last = times[*group + clause->contacts - 1];

		if (distance(last, *x) >= window)
			break;
		if (distance(last, first) < window && distance(*x, first) < window)
		{
			if (pg_add_s64_overflow(first, window, x) || !IS_VALID_TIMESTAMP(*x))
				return false;
		}
	}
	return true;
}

/* The first instant from x on at which one more contact keeps the limit; DT_NOEND: none ever. */
static TimestampTz
allowed_from(const ContactLimit *limit, const TimestampTz *times, int n, TimestampTz x)
{
	int			groups[MAX_CLAUSES] = {0};
	TimestampTz before;

	if (limit->never)
		return DT_NOEND;
	do
	{
		CHECK_FOR_INTERRUPTS();
		before = x;
		for (int i = 0; i < limit->nclauses; i++)
			if (!keep_clause(&limit->clauses[i], times, n, &groups[i], &x))
				return DT_NOEND;
	} while (x != before);
	return x;
}

static TimestampTz
instant(TimestampTz at)
{
	if (TIMESTAMP_NOT_FINITE(at))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE), errmsg("the instant must not be infinite")));
	return at;
}

/*
 * crm.contact_allowed_from(limit, contacts, at): the first instant from at on
 * at which one more contact keeps the limit beside contacts in order of time,
 * those after at counting too; infinity if none ever does. Strict. 22004 null
 * among the contacts, 22008 infinite, 22023 out of order, 2202E.
 */
PG_FUNCTION_INFO_V1(crm_contact_limit_allowed_from);
Datum
crm_contact_limit_allowed_from(PG_FUNCTION_ARGS)
{
	int			n;
	const TimestampTz *times = contact_times(PG_GETARG_ARRAYTYPE_P(1), &n);

	PG_RETURN_TIMESTAMPTZ(allowed_from(PG_GETARG_LIMIT(0), times, n, instant(PG_GETARG_TIMESTAMPTZ(2))));
}

/* crm.contact_allowed(limit, contacts, at): whether that is at once. Strict; errors as crm.contact_allowed_from. */
PG_FUNCTION_INFO_V1(crm_contact_limit_allowed);
Datum
crm_contact_limit_allowed(PG_FUNCTION_ARGS)
{
	int			n;
	const TimestampTz *times = contact_times(PG_GETARG_ARRAYTYPE_P(1), &n);
	TimestampTz at = instant(PG_GETARG_TIMESTAMPTZ(2));

	PG_RETURN_BOOL(allowed_from(PG_GETARG_LIMIT(0), times, n, at) == at);
}

/*
 * crm.contact_room(limit, contacts, at): how many more contacts at that instant
 * keep the limit, NULL without limit, 0 if there are too many already: for each
 * clause its number less the most contacts that one window with at in it holds.
 * Strict; errors as crm.contact_allowed_from.
 */
PG_FUNCTION_INFO_V1(crm_contact_limit_room);
Datum
crm_contact_limit_room(PG_FUNCTION_ARGS)
{
	const ContactLimit *limit = PG_GETARG_LIMIT(0);
	int			n;
	const TimestampTz *times = contact_times(PG_GETARG_ARRAYTYPE_P(1), &n);
	TimestampTz at = instant(PG_GETARG_TIMESTAMPTZ(2));
	int32		room = PG_INT32_MAX;

	if (limit->never)
		PG_RETURN_INT32(0);
	if (limit->nclauses == 0)
		PG_RETURN_NULL();
	for (int i = 0; i < limit->nclauses; i++)
	{
		int64		window = limit->clauses[i].hours * USECS_PER_HOUR;
		int			first = 0;
		int			last;
		int			most = 0;

		/* of the contacts less than a window from at, the most that lie less than a window apart */
		while (first < n && distance(at, times[first]) >= window)
			first++;
		for (last = first; last < n && distance(times[last], at) < window; last++)
		{
			while (distance(Max(times[last], at), times[first]) >= window)
				first++;
			most = Max(most, last - first + 1);
		}
		room = Min(room, Max(limit->clauses[i].contacts - most, 0));
	}
	PG_RETURN_INT32(room);
}

/*
 * crm.contact_window(limit): the longest window, in hours; NULL without one.
 * Strict.
 */
PG_FUNCTION_INFO_V1(crm_contact_limit_window);
Datum
crm_contact_limit_window(PG_FUNCTION_ARGS)
{
	const ContactLimit *limit = PG_GETARG_LIMIT(0);
	Interval   *interval;

	if (limit->nclauses == 0)
		PG_RETURN_NULL();
	interval = palloc0(sizeof(Interval));
	interval->time = limit->clauses[limit->nclauses - 1].hours * USECS_PER_HOUR;
	PG_RETURN_INTERVAL_P(interval);
}

/* Equality: the same clauses. Values are the same where their bytes are. */
PG_FUNCTION_INFO_V1(crm_contact_limit_eq);
Datum
crm_contact_limit_eq(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(memcmp(PG_GETARG_LIMIT(0), PG_GETARG_LIMIT(1), sizeof(ContactLimit)) == 0);
}

PG_FUNCTION_INFO_V1(crm_contact_limit_ne);
Datum
crm_contact_limit_ne(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(memcmp(PG_GETARG_LIMIT(0), PG_GETARG_LIMIT(1), sizeof(ContactLimit)) != 0);
}

/* Hash of the value. */
PG_FUNCTION_INFO_V1(crm_contact_limit_hash);
Datum
crm_contact_limit_hash(PG_FUNCTION_ARGS)
{
	return hash_any((unsigned char *) PG_GETARG_LIMIT(0), sizeof(ContactLimit));
}
