/*-------------------------------------------------------------------------
 * classify_condition_match.c
 *		crm.matches: a crm.condition on a row.
 *
 * Most calls never come here: where the condition is known when the query is
 * planned, classify_condition_plan.c puts plain operators in their place.
 * Both answer alike, in SQL's logic of three values.
 *
 * A condition is parsed once and bound once to the type of the row: every test
 * then knows the attribute, how to read it, and its literals in that form.
 * Links of a chain are tried in order of their cost.
 *-------------------------------------------------------------------------
 */
#include "classify_condition.h"

#include <math.h>

#include "access/htup_details.h"
#include "access/tupdesc.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "common/int.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "nodes/primnodes.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/typcache.h"

#define NSLOTS 64				/* conditions a call keeps, a power of two */

typedef enum Truth
{
	NO,
	YES,
	UNKNOWN
} Truth;

typedef enum Reading
{
	READ_INT,					/* whole numbers, days, parts */
	READ_NUMERIC,
	READ_TEXT,
	READ_BOOLEAN,
	READ_SET
} Reading;

/* A node bound to a row type. */
typedef struct Test
{
	CrmNodeKind kind;
	bool		negated;
	bool		constant;
	CrmCompare	compare;
	double		cost;
	int			nargs;
	struct Test **args;

	const CrmNode *node;
	CrmPart		part;
	Reading		reading;
	int			attribute;		/* from 0 */
	Oid			type;			/* its base type */
	int			nvalues;
	bool		relative;		/* values depend on today */
	bool		unknown;		/* some are unknown, since today is; the others count */
	int64	   *ints;			/* sorted where kind is CRM_IN */
	Numeric    *numbers;
	text	  **texts;
} Test;

typedef struct Matcher
{
	MemoryContext context;
	char	   *key;			/* canonical text of the condition */
	Size		keylen;
	CrmNode    *tree;

	/* bound to a row type */
	MemoryContext bound;
	uint64		row_identifier; /* 0: to none */
	TupleDesc	desc;
	Datum	   *values;
	bool	   *nulls;
	Test	   *test;

	/* its relative days are those of */
	bool		as_of_set;
	bool		as_of_known;
	DateADT		as_of;
} Matcher;

typedef struct MatchCache
{
	bool		constant;		/* the condition is a constant of the query */
	Matcher    *last;
	Matcher    *slots[NSLOTS];
} MatchCache;

text *
crm_like_pattern(CrmNodeKind kind, const char *string)
{
	StringInfoData buf;
	text	   *pattern;

	initStringInfo(&buf);
	if (kind == CRM_CONTAINS)
		appendStringInfoChar(&buf, '%');
	for (const char *p = string; *p; p++)
	{
		/* in the server's encodings none of these is part of another character */
		if (*p == '%' || *p == '_' || *p == '\\')
			appendStringInfoChar(&buf, '\\');
		appendStringInfoChar(&buf, *p);
	}
	appendStringInfoChar(&buf, '%');
	pattern = cstring_to_text_with_len(buf.data, buf.len);
	pfree(buf.data);
	return pattern;
}

bool
crm_number_is_bigint(Numeric number, int64 *result)
{
	char	   *decimal = numeric_normalize(number);
	char	   *end;
	bool		whole = strchr(decimal, '.') == NULL;

	if (whole)
	{
		errno = 0;
		*result = strtoi64(decimal, &end, 10);
		whole = errno == 0 && *end == '\0';
	}
	pfree(decimal);
	return whole;
}

/* binding ------------------------------------------------------------------- */

static int
int_order(const void *a, const void *b)
{
	int64		x = *(const int64 *) a;
	int64		y = *(const int64 *) b;

	return (x > y) - (x < y);
}

/* Shorter first: an order of equality only. */
static int
text_order(const void *a, const void *b)
{
	const text *x = *(text *const *) a;
	const text *y = *(text *const *) b;
	Size		nx = VARSIZE_ANY_EXHDR(x);
	Size		ny = VARSIZE_ANY_EXHDR(y);

	if (nx != ny)
		return nx < ny ? -1 : 1;
	return memcmp(VARDATA_ANY(x), VARDATA_ANY(y), nx);
}

static inline int
numeric_order(Numeric a, Numeric b)
{
	return DatumGetInt32(DirectFunctionCall2(numeric_cmp, NumericGetDatum(a), NumericGetDatum(b)));
}

static int
numeric_order_of(const void *a, const void *b)
{
	CHECK_FOR_INTERRUPTS();
	return numeric_order(*(const Numeric *) a, *(const Numeric *) b);
}

/* Put the literals of a test into the form it reads the attribute in. */
static void
bind_values(Test *test)
{
	const CrmNode *node = test->node;

	switch (test->reading)
	{
		case READ_INT:
			test->ints = palloc(sizeof(int64) * test->nvalues);
			if (node->term.kind == CRM_DATE)
			{
				for (int i = 0; i < test->nvalues; i++)
					test->relative |= node->values[i].relative;
				break;			/* bind_today() */
			}
			for (int i = 0; i < test->nvalues; i++)
				if (!crm_number_is_bigint(node->values[i].number, &test->ints[i]))
				{
					test->reading = READ_NUMERIC;
					bind_values(test);
					return;
				}
			if (test->kind == CRM_IN)
				qsort(test->ints, test->nvalues, sizeof(int64), int_order);
			break;
		case READ_NUMERIC:
			test->numbers = palloc(sizeof(Numeric) * test->nvalues);
			for (int i = 0; i < test->nvalues; i++)
				test->numbers[i] = node->values[i].number;
			if (test->kind == CRM_IN)
				qsort(test->numbers, test->nvalues, sizeof(Numeric), numeric_order_of);
			break;
		case READ_TEXT:
		case READ_SET:
			test->texts = palloc(sizeof(text *) * test->nvalues);
			for (int i = 0; i < test->nvalues; i++)
				test->texts[i] = test->reading == READ_TEXT && (test->kind == CRM_STARTS || test->kind == CRM_CONTAINS)
					? crm_like_pattern(test->kind, node->values[i].string)
					: cstring_to_text(node->values[i].string);
			if (test->kind == CRM_IN)
				qsort(test->texts, test->nvalues, sizeof(text *), text_order);
			break;
		case READ_BOOLEAN:
			break;
	}
}

/* The days of a test that compares days. */
static void
bind_today(Test *test, bool as_of_known, DateADT as_of)
{
	const CrmNode *node = test->node;

	for (int i = 0; i < test->nargs; i++)
		bind_today(test->args[i], as_of_known, as_of);
	if (test->nargs > 0 || node == NULL || node->term.kind != CRM_DATE || test->ints == NULL)
		return;
	test->unknown = false;
	test->nvalues = 0;
	for (int i = 0; i < node->nvalues; i++)
	{
		const CrmValue *value = &node->values[i];

		if (value->relative && !as_of_known)
			test->unknown = true;
		else
			test->ints[test->nvalues++] = value->relative
				? crm_shift_day(as_of, value->months, value->days) : value->day;
	}
	if (test->kind == CRM_IN)
		qsort(test->ints, test->nvalues, sizeof(int64), int_order);
}

/* Roughly, in comparisons of integers. */
static double
cost_of(const Test *test)
{
	double		cost = 0;

	for (int i = 0; i < test->nargs; i++)
		cost += test->args[i]->cost;
	if (test->nargs > 0)
		return cost;
	switch (test->kind)
	{
		case CRM_CONSTANT:
		case CRM_HOLDS:
		case CRM_IS_NULL:
			cost = 0.5;
			break;
		case CRM_IN:
			cost = 1 + log(test->nvalues + 1);
			break;
		default:
			cost = 1;
			break;
	}
	if (test->part != CRM_WHOLE)
		cost += 10;
	if (test->reading == READ_TEXT)
		cost *= test->kind == CRM_CONTAINS || test->kind == CRM_STARTS ? 20 : 2;
	else if (test->reading == READ_NUMERIC)
		cost *= 8;
	else if (test->reading == READ_SET)
		cost *= 50;
	return cost;
}

/* Cheaper first, otherwise as they were. */
static void
sort_by_cost(Test **tests, int n)
{
	for (int i = 1; i < n; i++)
	{
		Test	   *test = tests[i];
		int			j = i;

		for (; j > 0 && tests[j - 1]->cost > test->cost; j--)
			tests[j] = tests[j - 1];
		tests[j] = test;
	}
}

/* Find the column of a term among a row's attributes. */
static void
bind_term(Test *test, const CrmTerm *term, TupleDesc desc)
{
	static const Reading readings[] = {
		[CRM_NUMBER] = READ_INT,
		[CRM_TEXT] = READ_TEXT,
		[CRM_DATE] = READ_INT,
		[CRM_BOOLEAN] = READ_BOOLEAN,
		[CRM_SET] = READ_SET
	};
	const char *name = term->column->name;

	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(desc, i);

		if (attribute->attisdropped || strcmp(NameStr(attribute->attname), name) != 0)
			continue;
		test->attribute = i;
		test->part = term->part;
		test->type = crm_column_base_type(term->column->kind, attribute->atttypid);
		if (!OidIsValid(test->type))
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("column \"%s\" of the row is of type %s", name, format_type_be(attribute->atttypid)),
					 errdetail("In conditions it is a %s.", crm_kind_name(term->column->kind))));
		test->reading = test->type == NUMERICOID ? READ_NUMERIC : readings[term->kind];
		return;
	}
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_COLUMN),
			 errmsg("the row has no column \"%s\"", name),
			 errhint("crm.matches() takes a row with the columns that the condition names, such as one of crm_bi.customer.")));
}

static Test *make_test(const CrmNode *node, TupleDesc desc);

/* a between x and y is a >= x and a <= y */
static Test *
make_between(const CrmNode *node, TupleDesc desc)
{
	Test	   *test = palloc0(sizeof(Test));

	test->kind = CRM_AND;
	test->nargs = 2;
	test->args = palloc(sizeof(Test *) * 2);
	for (int i = 0; i < 2; i++)
	{
		CrmNode    *half = palloc(sizeof(CrmNode));

		*half = *node;
		half->kind = CRM_COMPARE;
		half->compare = i == 0 ? CRM_GE : CRM_LE;
		half->nvalues = 1;
		half->values = &node->values[i];
		test->args[i] = make_test(half, desc);
	}
	test->cost = cost_of(test);
	return test;
}

static Test *
make_test(const CrmNode *node, TupleDesc desc)
{
	Test	   *test;

	check_stack_depth();
	CHECK_FOR_INTERRUPTS();
	if (node->kind == CRM_BETWEEN)
		return make_between(node, desc);
	test = palloc0(sizeof(Test));
	test->kind = node->kind;
	test->negated = node->negated;
	test->constant = node->constant;
	test->compare = node->compare;
	test->nargs = node->nargs;
	if (node->nargs > 0)
	{
		test->args = palloc(sizeof(Test *) * node->nargs);
		for (int i = 0; i < node->nargs; i++)
			test->args[i] = make_test(node->args[i], desc);
		sort_by_cost(test->args, test->nargs);
	}
	else if (node->kind != CRM_CONSTANT)
	{
		test->node = node;
		test->nvalues = node->nvalues;
		bind_term(test, &node->term, desc);
		if (node->nvalues > 0)
			bind_values(test);
	}
	test->cost = cost_of(test);
	return test;
}

static void
bind_row(Matcher *matcher, Oid type, int32 typmod, uint64 identifier)
{
	MemoryContext caller = MemoryContextSwitchTo(matcher->bound);
	TupleDesc	desc;

	matcher->row_identifier = 0;
	matcher->as_of_set = false;
	MemoryContextReset(matcher->bound);
	desc = lookup_rowtype_tupdesc(type, typmod);
	/* with the values that rows written before a column was added have */
	matcher->desc = CreateTupleDescCopyConstr(desc);
	ReleaseTupleDesc(desc);
	matcher->test = make_test(matcher->tree, matcher->desc);
	matcher->values = palloc(sizeof(Datum) * matcher->desc->natts);
	matcher->nulls = palloc(sizeof(bool) * matcher->desc->natts);
	matcher->row_identifier = identifier;
	MemoryContextSwitchTo(caller);
}

static Matcher *
make_matcher(text *condition, MemoryContext parent)
{
	MemoryContext context = AllocSetContextCreate(parent, "crm.matches", ALLOCSET_SMALL_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(context);
	Matcher    *matcher = palloc0(sizeof(Matcher));

	matcher->context = context;
	matcher->key = text_to_cstring(condition);
	matcher->keylen = VARSIZE_ANY_EXHDR(condition);
	matcher->tree = crm_condition_parse(matcher->key, NULL);
	matcher->bound = AllocSetContextCreate(context, "crm.matches row", ALLOCSET_SMALL_SIZES);
	MemoryContextSwitchTo(caller);
	return matcher;
}

static inline bool
matcher_is_for(const Matcher *matcher, text *condition)
{
	return matcher->keylen == VARSIZE_ANY_EXHDR(condition) &&
		memcmp(matcher->key, VARDATA_ANY(condition), matcher->keylen) == 0;
}

static MatchCache *
make_cache(FmgrInfo *flinfo)
{
	MatchCache *cache = MemoryContextAllocZero(flinfo->fn_mcxt, sizeof(MatchCache));
	const Node *expr = flinfo->fn_expr;

	/* a parameter will not do: PL/pgSQL keeps the FmgrInfo while its variables change */
	cache->constant = expr != NULL && IsA(expr, FuncExpr) &&
		IsA(linitial(((const FuncExpr *) expr)->args), Const);
	flinfo->fn_extra = cache;
	return cache;
}

static Matcher *
find_matcher(FunctionCallInfo fcinfo)
{
	MatchCache *cache = fcinfo->flinfo->fn_extra;
	text	   *condition;
	Matcher   **slot;

	if (cache == NULL)
		cache = make_cache(fcinfo->flinfo);
	if (cache->constant && cache->last != NULL)
		return cache->last;
	condition = PG_GETARG_TEXT_PP(0);
	if (cache->last != NULL && matcher_is_for(cache->last, condition))
		return cache->last;
	slot = &cache->slots[hash_bytes((unsigned char *) VARDATA_ANY(condition),
									VARSIZE_ANY_EXHDR(condition)) & (NSLOTS - 1)];
	if (*slot == NULL || !matcher_is_for(*slot, condition))
	{
		Matcher    *matcher = make_matcher(condition, fcinfo->flinfo->fn_mcxt);

		if (*slot != NULL)
		{
			if (cache->last == *slot)
				cache->last = NULL;
			MemoryContextDelete((*slot)->context);
		}
		*slot = matcher;
	}
	cache->last = *slot;
	return *slot;
}

/* evaluation ---------------------------------------------------------------- */

static inline Truth
compared(CrmCompare compare, int order)
{
	switch (compare)
	{
		case CRM_EQ:
			return order == 0;
		case CRM_NE:
			return order != 0;
		case CRM_LT:
			return order < 0;
		case CRM_LE:
			return order <= 0;
		case CRM_GT:
			return order > 0;
		case CRM_GE:
			return order >= 0;
	}
	return UNKNOWN;
}

static ArrayType *
read_set(const Test *test, Datum value)
{
	if (test->type == TEXTARRAYOID)
		return DatumGetArrayTypeP(value);
	return DatumGetArrayTypeP(DirectFunctionCall2Coll(text_to_array, C_COLLATION_OID, value,
													  CStringGetTextDatum(CRM_SET_SEPARATOR)));
}

/* A whole number of the row; false: it is unknown. */
static inline bool
read_int(const Matcher *matcher, const Test *test, Datum value, int64 *result)
{
	int32		part;

	if (test->part == CRM_COUNT)
	{
		ArrayType  *set = read_set(test, value);

		*result = ArrayGetNItems(ARR_NDIM(set), ARR_DIMS(set));
		return true;
	}
	if (test->part != CRM_WHOLE)
	{
		if (!crm_date_part(test->part, DatumGetDateADT(value), matcher->as_of_known, matcher->as_of, &part))
			return false;
		*result = part;
		return true;
	}
	switch (test->type)
	{
		case INT8OID:
			*result = DatumGetInt64(value);
			break;
		case INT2OID:
			*result = DatumGetInt16(value);
			break;
		default:				/* integer and date */
			*result = DatumGetInt32(value);
			break;
	}
	return true;
}

static Truth
test_int(const Matcher *matcher, const Test *test, Datum value)
{
	int64		x;

	if (!read_int(matcher, test, value, &x))
		return UNKNOWN;
	if (test->kind == CRM_IN)
		return bsearch(&x, test->ints, test->nvalues, sizeof(int64), int_order) != NULL ? YES :
			test->unknown ? UNKNOWN : NO;
	if (test->unknown)
		return UNKNOWN;
	return compared(test->compare, (x > test->ints[0]) - (x < test->ints[0]));
}

static Truth
test_numeric(const Matcher *matcher, const Test *test, Datum value)
{
	Numeric		x;
	int64		whole;

	if (test->type == NUMERICOID)
		x = DatumGetNumeric(value);
	else if (read_int(matcher, test, value, &whole))
		x = int64_to_numeric(whole);
	else
		return UNKNOWN;
	if (test->kind == CRM_IN)
		return bsearch(&x, test->numbers, test->nvalues, sizeof(Numeric), numeric_order_of) != NULL;
	return compared(test->compare, numeric_order(x, test->numbers[0]));
}

static Truth
test_text(const Test *test, Datum value)
{
	text	   *x = DatumGetTextPP(value);
	Size		n = VARSIZE_ANY_EXHDR(x);
	Size		m;
	int			order;

	switch (test->kind)
	{
		case CRM_IN:
			return bsearch(&x, test->texts, test->nvalues, sizeof(text *), text_order) != NULL;
		case CRM_STARTS:
		case CRM_CONTAINS:
			return DatumGetBool(DirectFunctionCall2Coll(textlike, C_COLLATION_OID,
														PointerGetDatum(x), PointerGetDatum(test->texts[0])));
		default:
			break;
	}
	m = VARSIZE_ANY_EXHDR(test->texts[0]);
	if (n != m && test->compare <= CRM_NE)
		return test->compare == CRM_NE;
	order = memcmp(VARDATA_ANY(x), VARDATA_ANY(test->texts[0]), Min(n, m));
	return compared(test->compare, order != 0 ? order : (n > m) - (n < m));
}

static Truth
test_set(const Test *test, Datum value)
{
	ArrayType  *set = read_set(test, value);
	Datum	   *elements;
	bool	   *nulls;
	int			n;

	deconstruct_array(set, TEXTOID, -1, false, TYPALIGN_INT, &elements, &nulls, &n);
	for (int i = 0; i < test->nvalues; i++)
	{
		bool		found = false;

		CHECK_FOR_INTERRUPTS();
		for (int j = 0; j < n && !found; j++)
		{
			text	   *element = nulls[j] ? NULL : DatumGetTextPP(elements[j]);

			found = element != NULL && text_order(&element, &test->texts[i]) == 0;
		}
		if (found == (test->kind == CRM_CONTAINS_ANY))
			return found;
	}
	return test->kind != CRM_CONTAINS_ANY;
}

static Truth
test_predicate(const Matcher *matcher, const Test *test)
{
	Datum		value = matcher->values[test->attribute];
	int64		x;

	if (test->kind == CRM_IS_NULL)
	{
		bool		null = matcher->nulls[test->attribute];

		if (!null && test->part != CRM_WHOLE)
			null = !read_int(matcher, test, value, &x);
		return null != test->negated;
	}
	if (matcher->nulls[test->attribute])
		return UNKNOWN;
	switch (test->reading)
	{
		case READ_INT:
			return test_int(matcher, test, value);
		case READ_NUMERIC:
			return test_numeric(matcher, test, value);
		case READ_TEXT:
			return test_text(test, value);
		case READ_SET:
			return test_set(test, value);
		case READ_BOOLEAN:
			if (test->kind == CRM_HOLDS)
				return DatumGetBool(value);
			return (DatumGetBool(value) == test->node->values[0].boolean) == (test->compare == CRM_EQ);
	}
	return UNKNOWN;
}

static Truth
evaluate(const Matcher *matcher, const Test *test)
{
	Truth		result;
	Truth		decides;

	switch (test->kind)
	{
		case CRM_AND:
		case CRM_OR:
			decides = test->kind == CRM_OR ? YES : NO;
			result = decides == YES ? NO : YES;
			for (int i = 0; i < test->nargs; i++)
			{
				Truth		link = evaluate(matcher, test->args[i]);

				if (link == decides)
					return decides;
				if (link == UNKNOWN)
					result = UNKNOWN;
			}
			return result;
		case CRM_NOT:
			result = evaluate(matcher, test->args[0]);
			return result == UNKNOWN ? UNKNOWN : !result;
		case CRM_IS_TRUE:
			return (evaluate(matcher, test->args[0]) == YES) != test->negated;
		case CRM_CONSTANT:
			return test->constant;
		default:
			return test_predicate(matcher, test);
	}
}

/*
 * crm.matches(condition, row, as_of): whether a row meets a condition as of a
 * day; the row is any with the columns that the condition names. NULL where
 * SQL would say so (WHERE takes that for no), and if the condition or the row
 * is NULL; where as_of is NULL, today is unknown. 42703: the row lacks a
 * column; 42804: a column is of another type; 22008: a day relative to today
 * beyond the range of date.
 */
PG_FUNCTION_INFO_V1(crm_condition_matches);
Datum
crm_condition_matches(PG_FUNCTION_ARGS)
{
	HeapTupleHeader row;
	Matcher    *matcher;
	HeapTupleData tuple;
	Oid			type;
	int32		typmod;
	uint64		identifier;
	bool		as_of_known = !PG_ARGISNULL(2);
	DateADT		as_of = as_of_known ? PG_GETARG_DATEADT(2) : 0;
	Truth		result;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	matcher = find_matcher(fcinfo);
	row = PG_GETARG_HEAPTUPLEHEADER(1);
	type = HeapTupleHeaderGetTypeId(row);
	typmod = HeapTupleHeaderGetTypMod(row);

	/* changes when the type is altered, which can happen between two calls */
	identifier = assign_record_type_identifier(type, typmod);
	if (matcher->row_identifier != identifier)
		bind_row(matcher, type, typmod, identifier);
	if (!matcher->as_of_set || matcher->as_of_known != as_of_known || matcher->as_of != as_of)
	{
		matcher->as_of_set = false;
		bind_today(matcher->test, as_of_known, as_of);
		matcher->as_of_known = as_of_known;
		matcher->as_of = as_of;
		matcher->as_of_set = true;
	}
	tuple.t_len = HeapTupleHeaderGetDatumLength(row);
	ItemPointerSetInvalid(&tuple.t_self);
	tuple.t_tableOid = InvalidOid;
	tuple.t_data = row;
	heap_deform_tuple(&tuple, matcher->desc, matcher->values, matcher->nulls);
	result = evaluate(matcher, matcher->test);
	if (result == UNKNOWN)
		PG_RETURN_NULL();
	PG_RETURN_BOOL(result == YES);
}
