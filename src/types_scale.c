/*-------------------------------------------------------------------------
 * types_scale.c
 *		crm.scale: ordered labels with limits, and grading by it.
 *
 * Text form:  item, item, ...      item = label [ [>] number ]
 * The first item is the class below all limits and has a label only. A bare
 * number begins its class, '> number' begins it just above the number. A label
 * is a word of letters, digits, '_' and '-' beginning with a letter or '_'; any
 * other label stands in double quotes, a quote in it doubled.
 *
 * A value is stored as its canonical text (no varlena version byte is needed:
 * a later syntax is told apart by its text), so equal scales are equal bytes.
 *-------------------------------------------------------------------------
 */
#include "types_scale.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "common/int.h"
#include "lib/stringinfo.h"
#include "libpq/pqformat.h"
#include "mb/pg_wchar.h"
#include "nodes/primnodes.h"
#include "types_input.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#define MAX_LABELS		256
#define MAX_LABEL_BYTES 120
#define MAX_DECIMAL		60		/* bytes of a canonical limit */
#define BINARY_VERSION	1
#define FEW_LIMITS		16		/* so few are counted without branches */

/*
 * Everything crm.grade needs, made once per scale of a query. A value belongs
 * to the class whose number is the count of thresholds it reaches.
 */
typedef struct GradeTable
{
	MemoryContext context;
	char	   *key;			/* canonical text of the scale */
	Size		keylen;
	int			nlimits;
	Datum	   *labels;			/* text, nlimits + 1 of them */
	CrmScaleLimit *limits;		/* nlimits of them */
	double	   *doubles;		/* smallest double of each class */
	int64	   *integers;		/* smallest bigint of each class */
	int			nintegers;		/* how many classes a bigint can reach */
} GradeTable;

/*
 * The first scale a call meets is kept as long as the call's FmgrInfo, so its
 * labels can be returned without a copy; a call whose scale varies keeps the
 * last one besides, whose labels are copied.
 */
typedef struct GradeCache
{
	GradeTable *first;
	GradeTable *last;
	bool		constant;		/* the scale is a constant of the query */
} GradeCache;

/* Unquoted labels: is the character at p one, and how long is it? 0: no. */
static int
label_char(const char *p, bool begins)
{
	unsigned char c = (unsigned char) *p;
	pg_wchar	u;

	if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_')
		return 1;
	if (crm_is_digit(*p) || c == '-')
		return begins ? 0 : 1;
	if (!IS_HIGHBIT_SET(c))
		return 0;
	if (GetDatabaseEncoding() != PG_UTF8)
		return pg_mblen(p);

	/*
	 * Spaces and punctuation beyond ASCII, above all the full-width comma,
	 * would silently join two labels to one.
	 */
	u = utf8_to_unicode((const unsigned char *) p);
	if ((u < 0xC0 && u != 0xAA && u != 0xB5 && u != 0xBA) ||
		u == 0xD7 || u == 0xF7 || u == 0x1680 ||
		(u >= 0x2000 && u <= 0x206F) ||
		(u >= 0x2E00 && u <= 0x2E7F) ||
		(u >= 0x3000 && u <= 0x3004) ||
		(u >= 0x3008 && u <= 0x3020) || u == 0x3030 ||
		(u >= 0xFE10 && u <= 0xFE6F) || u == 0xFEFF ||
		(u >= 0xFF01 && u <= 0xFF0F) ||
		(u >= 0xFF1A && u <= 0xFF20) ||
		(u >= 0xFF3B && u <= 0xFF40) ||
		(u >= 0xFF5B && u <= 0xFF65))
		return 0;
	return pg_mblen(p);
}

/* Does the label need quotes? */
static bool
label_is_word(const char *label)
{
	const char *p = label;

	while (*p)
	{
		int			len = label_char(p, p == label);

		if (len == 0)
			return false;
		p += len;
	}
	return p > label;
}

/*
 * Read a label at *p into a palloc'd string and move *p behind it. On failure
 * returns NULL and sets *why to the detail of the error.
 */
static char *
parse_label(const char **p, const char **why)
{
	const char *q = *p;
	char		label[MAX_LABEL_BYTES + 4];
	int			len = 0;

	if (*q == '"')
	{
		for (q++;; q++)
		{
			if (*q == '\0')
			{
				*why = "A quoted label is not closed.";
				return NULL;
			}
			if (*q == '"' && *++q != '"')
				break;
			if ((unsigned char) *q < ' ' || *q == 0x7F)
			{
				*why = "A label cannot contain control characters.";
				return NULL;
			}
			if (len < MAX_LABEL_BYTES + 1)
				label[len++] = *q;
		}
	}
	else
	{
		int			n;

		while ((n = label_char(q, len == 0)) > 0)
		{
			if (len < MAX_LABEL_BYTES + 1 && len + n <= (int) sizeof(label))
				memcpy(label + len, q, n);
			len = Min(len + n, MAX_LABEL_BYTES + 1);
			q += n;
		}
	}
	if (len == 0)
	{
		*why = "A label is a word of letters, digits, \"_\" and \"-\" that begins with a letter, or any text in double quotes.";
		return NULL;
	}
	if (len > MAX_LABEL_BYTES)
	{
		*why = "A label is longer than 120 bytes.";
		return NULL;
	}
	*p = q;
	return pnstrdup(label, len);
}

/*
 * Read a number at *p into a palloc'd canonical decimal and move *p behind it.
 * NULL: there is no number, or *why says what is wrong with it.
 */
static char *
parse_decimal(const char **p, const char **why)
{
	const char *q = *p;
	bool		negative = false;
	const char *whole;
	const char *fraction;
	int			nwhole,
				nfraction = 0;

	if (*q == '-' || *q == '+')
		negative = (*q++ == '-');
	for (whole = q; crm_is_digit(*q); q++)
		;
	nwhole = q - whole;
	fraction = q;
	if (*q == '.')
	{
		for (fraction = ++q; crm_is_digit(*q); q++)
			;
		nfraction = q - fraction;
	}
	if (nwhole + nfraction == 0)
		return NULL;
	if (label_char(q, true) > 0)
	{
		*why = "A limit is a plain decimal number, without exponent or unit.";
		return NULL;
	}
	for (; nwhole > 0 && *whole == '0'; whole++)
		nwhole--;
	while (nfraction > 0 && fraction[nfraction - 1] == '0')
		nfraction--;
	if (nwhole + nfraction > MAX_DECIMAL - 3)
	{
		*why = "A limit has more than 57 digits.";
		return NULL;
	}
	*p = q;
	return psprintf("%s%.*s%s%.*s",
					negative && nwhole + nfraction > 0 ? "-" : "",
					nwhole > 0 ? nwhole : 1, nwhole > 0 ? whole : "0",
					nfraction > 0 ? "." : "", nfraction, fraction);
}

/* -1, 0, 1 as the first number is smaller, equal, larger. */
static inline int
numeric_order(Numeric a, Numeric b)
{
	return DatumGetInt32(DirectFunctionCall2(numeric_cmp,
											 NumericGetDatum(a),
											 NumericGetDatum(b)));
}

/* Does a class beginning at b begin after one beginning at a? */
static bool
limits_ascend(const CrmScaleLimit *a, const CrmScaleLimit *b)
{
	int			order = numeric_order(a->value, b->value);

	return order < 0 || (order == 0 && !a->exclusive && b->exclusive);
}

/* Parse the text of a scale; NULL after a soft error. */
static CrmScale *
parse_scale(const char *input, struct Node *escontext)
{
	CrmScale   *scale = palloc(sizeof(CrmScale));
	const char *p = input;
	const char *why = NULL;

	scale->nlabels = 0;
	scale->labels = palloc(sizeof(char *) * MAX_LABELS);
	scale->limits = palloc0(sizeof(CrmScaleLimit) * MAX_LABELS);

	for (;;)
	{
		int			i = scale->nlabels;
		CrmScaleLimit *limit = &scale->limits[i];
		char	   *label;
		char	   *decimal;

		if (i == MAX_LABELS)
			crm_input_error(escontext, NULL,
							(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
							 errmsg("a scale cannot have more than %d labels", MAX_LABELS)));

		p = crm_skip_space(p);
		label = parse_label(&p, &why);
		if (label == NULL)
			break;
		for (int j = 0; j < i; j++)
			if (strcmp(scale->labels[j], label) == 0)
				crm_input_error(escontext, NULL,
								(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
								 errmsg("label \"%s\" occurs twice in scale \"%s\"",
										label, crm_quotable(input))));

		p = crm_skip_space(p);
		limit->exclusive = (*p == '>');
		if (limit->exclusive)
			p = crm_skip_space(p + 1);
		if (limit->exclusive && *p == '=')
		{
			why = "A bare number means from this value on; \">=\" is not used.";
			break;
		}
		decimal = parse_decimal(&p, &why);
		if (why != NULL)
			break;
		if (decimal == NULL && limit->exclusive)
		{
			why = "After \">\" a number is expected.";
			break;
		}
		p = crm_skip_space(p);
		if (*p != ',' && *p != '\0')
		{
			why = "After a label and its limit a comma is expected.";
			break;
		}
		if (i == 0 && decimal != NULL)
			crm_input_error(escontext, NULL,
							(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
							 errmsg("first label \"%s\" of a scale has a limit: \"%s\"",
									label, decimal),
							 errdetail("The first label is the class below all limits.")));
		if (i > 0 && decimal == NULL)
			crm_input_error(escontext, NULL,
							(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
							 errmsg("label \"%s\" of a scale has no limit", label),
							 errdetail("Only the first label has none.")));

		scale->labels[i] = label;
		limit->decimal = decimal;
		scale->nlabels++;
		if (decimal != NULL)
		{
			limit->value = DatumGetNumeric(DirectFunctionCall3(numeric_in,
															   CStringGetDatum(decimal),
															   ObjectIdGetDatum(InvalidOid),
															   Int32GetDatum(-1)));
			if (i > 1 && !limits_ascend(limit - 1, limit))
				crm_input_error(escontext, NULL,
								(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
								 errmsg("limits of a scale do not ascend: \"%s%s\" after \"%s%s\"",
										limit->exclusive ? "> " : "", decimal,
										limit[-1].exclusive ? "> " : "", limit[-1].decimal)));
		}
		if (*p == '\0')
			return scale;
		p++;
	}

	crm_input_error(escontext, NULL,
					(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
					 errmsg("invalid input syntax for type %s: \"%s\"",
							"crm.scale", crm_quotable(input)),
					 errdetail_internal("%s", why)));
}

/* The value to store: canonical text. */
static text *
scale_to_datum(const CrmScale *scale)
{
	StringInfoData buf;

	initStringInfo(&buf);
	for (int i = 0; i < scale->nlabels; i++)
	{
		const char *label = scale->labels[i];

		if (i > 0)
			appendStringInfoString(&buf, ", ");
		if (label_is_word(label))
			appendStringInfoString(&buf, label);
		else
		{
			appendStringInfoChar(&buf, '"');
			for (; *label; label++)
			{
				if (*label == '"')
					appendStringInfoChar(&buf, '"');
				appendStringInfoChar(&buf, *label);
			}
			appendStringInfoChar(&buf, '"');
		}
		if (i > 0)
			appendStringInfo(&buf, "%s %s",
							 scale->limits[i].exclusive ? " >" : "",
							 scale->limits[i].decimal);
	}
	return cstring_to_text_with_len(buf.data, buf.len);
}

CrmScale *
crm_scale_parse(Datum scale)
{
	return parse_scale(TextDatumGetCString(scale), NULL);
}

/*
 * The smallest bigint v with v / 10^decimals beyond the limit; false if there
 * is none.
 */
static bool
integer_threshold(const CrmScaleLimit *limit, int decimals, int64 *v)
{
	const char *p = limit->decimal;
	bool		negative = (*p == '-');
	bool		rest = false;
	bool		overflow = false;
	uint64		magnitude = 0;
	int			taken = -1;		/* decimals taken; -1 before the point */

	for (p += negative; *p != '\0' || Max(taken, 0) < decimals;)
	{
		int			digit = 0;

		if (*p == '.')
		{
			taken = 0;
			p++;
			continue;
		}
		if (*p != '\0')
			digit = *p++ - '0';
		else if (taken < 0)
			taken = 0;
		if (taken >= decimals)
		{
			rest |= (digit != 0);
			continue;
		}
		overflow |= pg_mul_u64_overflow(magnitude, 10, &magnitude) ||
			pg_add_u64_overflow(magnitude, digit, &magnitude);
		if (taken >= 0)
			taken++;
	}

	if (negative)
	{
		/* above -m, or from a little below it on: -m, the next one if -m is excluded */
		if (overflow || magnitude > (uint64) PG_INT64_MAX + 1)
			*v = PG_INT64_MIN;
		else
			*v = (int64) (0 - magnitude) + (limit->exclusive && !rest);
		return true;
	}
	if (limit->exclusive || rest)
		overflow |= pg_add_u64_overflow(magnitude, 1, &magnitude);
	if (overflow || magnitude > (uint64) PG_INT64_MAX)
		return false;
	*v = (int64) magnitude;
	return true;
}

int64
crm_scale_threshold(const CrmScale *scale, int i, int decimals)
{
	int64		v;

	if (i <= 0)
		return PG_INT64_MIN;
	return integer_threshold(&scale->limits[i], decimals, &v) ? v : PG_INT64_MAX;
}

/* Make the table of one scale in a memory context below parent. */
static GradeTable *
make_table(text *stored, MemoryContext parent)
{
	MemoryContext context = AllocSetContextCreate(parent, "crm.grade",
												  ALLOCSET_SMALL_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(context);
	GradeTable *table = palloc0(sizeof(GradeTable));
	CrmScale   *scale = crm_scale_parse(PointerGetDatum(stored));
	int			n = scale->nlabels - 1;

	table->context = context;
	table->keylen = VARSIZE_ANY_EXHDR(stored);
	table->key = palloc(table->keylen);
	memcpy(table->key, VARDATA_ANY(stored), table->keylen);
	table->nlimits = n;
	table->limits = scale->limits + 1;
	table->labels = palloc(sizeof(Datum) * (n + 1));
	table->doubles = palloc(sizeof(double) * (n + 1));
	table->integers = palloc(sizeof(int64) * (n + 1));
	for (int i = 0; i <= n; i++)
		table->labels[i] = CStringGetTextDatum(scale->labels[i]);
	while (table->nintegers < n &&
		   integer_threshold(&table->limits[table->nintegers], 0,
							 &table->integers[table->nintegers]))
		table->nintegers++;

	/*
	 * A double is compared with the limit's nearest double, as SQL does. Where
	 * two limits share it, reaching the later class counts.
	 */
	for (int i = n - 1; i >= 0; i--)
	{
		double		d = DatumGetFloat8(DirectFunctionCall1(numeric_float8,
														   NumericGetDatum(table->limits[i].value)));

		if (table->limits[i].exclusive)
			d = nextafter(d, HUGE_VAL);
		table->doubles[i] = i < n - 1 ? Min(d, table->doubles[i + 1]) : d;
	}
	MemoryContextSwitchTo(caller);
	return table;
}

static inline bool
table_is_for(const GradeTable *table, text *stored)
{
	return table->keylen == VARSIZE_ANY_EXHDR(stored) &&
		memcmp(table->key, VARDATA_ANY(stored), table->keylen) == 0;
}

/*
 * Is the first argument of the call a constant? (A parameter will not do: a
 * PL/pgSQL expression keeps its FmgrInfo while its variables change.)
 */
static bool
scale_is_constant(const FmgrInfo *flinfo)
{
	const Node *expr = flinfo->fn_expr;

	return expr != NULL && IsA(expr, FuncExpr) &&
		IsA(linitial(((const FuncExpr *) expr)->args), Const);
}

/* The table of the call's first argument, where the cache is not for it. */
static GradeTable *
find_table(FunctionCallInfo fcinfo)
{
	text	   *stored = PG_GETARG_TEXT_PP(0);
	GradeCache *cache = fcinfo->flinfo->fn_extra;
	MemoryContext context = fcinfo->flinfo->fn_mcxt;
	GradeTable *table;

	if (cache != NULL && table_is_for(cache->first, stored))
		table = cache->first;
	else if (cache == NULL)
	{
		table = make_table(stored, context);
		cache = MemoryContextAllocZero(context, sizeof(GradeCache));
		cache->first = table;
		cache->constant = scale_is_constant(fcinfo->flinfo);
		fcinfo->flinfo->fn_extra = cache;
	}
	else if (cache->last != NULL && table_is_for(cache->last, stored))
		table = cache->last;
	else
	{
		table = make_table(stored, context);
		if (cache->last != NULL)
			MemoryContextDelete(cache->last->context);
		cache->last = table;
	}
	PG_FREE_IF_COPY(stored, 0);
	return table;
}

/* The table of the call's first argument. */
static inline GradeTable *
grade_table(FunctionCallInfo fcinfo)
{
	GradeCache *cache = fcinfo->flinfo->fn_extra;

	if (likely(cache != NULL && cache->constant))
		return cache->first;
	return find_table(fcinfo);
}

/* The label of a class, as the result of the call. */
static Datum
grade_label(FunctionCallInfo fcinfo, const GradeTable *table, int class)
{
	GradeCache *cache = fcinfo->flinfo->fn_extra;
	Datum		label = table->labels[class];

	if (table == cache->first)
		return label;
	return PointerGetDatum(DatumGetTextPCopy(label));
}

static void
refuse_nan(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
			 errmsg("cannot grade \"%s\"", "NaN")));
}

/* Count of limits reached, by halving; infinities are beyond all limits. */
static int
class_of_numeric(const GradeTable *table, Numeric x)
{
	int			low = 0,
				high = table->nlimits;

	if (numeric_is_nan(x))
		refuse_nan();
	while (low < high)
	{
		int			middle = (low + high) / 2;

		if (numeric_order(x, table->limits[middle].value) >= table->limits[middle].exclusive)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int
class_of_bigint(const GradeTable *table, int64 x)
{
	int			low = 0,
				high = table->nintegers;

	if (high <= FEW_LIMITS)
	{
		for (int i = 0; i < high; i++)
			low += (x >= table->integers[i]);
		return low;
	}
	while (low < high)
	{
		int			middle = (low + high) / 2;

		if (x >= table->integers[middle])
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int
class_of_double(const GradeTable *table, double x)
{
	int			low = 0,
				high = table->nlimits;

	if (isnan(x))
		refuse_nan();
	if (high <= FEW_LIMITS)
	{
		for (int i = 0; i < high; i++)
			low += (x >= table->doubles[i]);
		return low;
	}
	while (low < high)
	{
		int			middle = (low + high) / 2;

		if (x >= table->doubles[middle])
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/*
 * crm.grade(scale, numeric): label of the class; NaN is refused (22003),
 * infinity belongs to the last class and -infinity to the first. Strict.
 */
PG_FUNCTION_INFO_V1(crm_scale_grade_numeric);
Datum
crm_scale_grade_numeric(PG_FUNCTION_ARGS)
{
	GradeTable *table = grade_table(fcinfo);
	Numeric		x = PG_GETARG_NUMERIC(1);
	int			class = class_of_numeric(table, x);

	PG_FREE_IF_COPY(x, 1);
	return grade_label(fcinfo, table, class);
}

/* crm.grade(scale, bigint): label of the class. Strict. */
PG_FUNCTION_INFO_V1(crm_scale_grade_bigint);
Datum
crm_scale_grade_bigint(PG_FUNCTION_ARGS)
{
	GradeTable *table = grade_table(fcinfo);

	return grade_label(fcinfo, table, class_of_bigint(table, PG_GETARG_INT64(1)));
}

/*
 * crm.grade(scale, double precision): label of the class, each limit taken as
 * its nearest double; NaN and infinities as for numeric. Strict.
 */
PG_FUNCTION_INFO_V1(crm_scale_grade_double);
Datum
crm_scale_grade_double(PG_FUNCTION_ARGS)
{
	GradeTable *table = grade_table(fcinfo);

	return grade_label(fcinfo, table, class_of_double(table, PG_GETARG_FLOAT8(1)));
}

/* crm.grade_rank(scale, numeric): number of the class from 0; as crm.grade. */
PG_FUNCTION_INFO_V1(crm_scale_rank_numeric);
Datum
crm_scale_rank_numeric(PG_FUNCTION_ARGS)
{
	GradeTable *table = grade_table(fcinfo);
	Numeric		x = PG_GETARG_NUMERIC(1);
	int			class = class_of_numeric(table, x);

	PG_FREE_IF_COPY(x, 1);
	PG_RETURN_INT32(class);
}

/* crm.grade_rank(scale, bigint): number of the class from 0. Strict. */
PG_FUNCTION_INFO_V1(crm_scale_rank_bigint);
Datum
crm_scale_rank_bigint(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(class_of_bigint(grade_table(fcinfo), PG_GETARG_INT64(1)));
}

/* crm.grade_rank(scale, double precision): number of the class from 0. */
PG_FUNCTION_INFO_V1(crm_scale_rank_double);
Datum
crm_scale_rank_double(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(class_of_double(grade_table(fcinfo), PG_GETARG_FLOAT8(1)));
}

/* crm.labels(scale): the labels in order, lowest class first. Strict. */
PG_FUNCTION_INFO_V1(crm_scale_labels);
Datum
crm_scale_labels(PG_FUNCTION_ARGS)
{
	CrmScale   *scale = crm_scale_parse(PG_GETARG_DATUM(0));
	Datum	   *labels = palloc(sizeof(Datum) * scale->nlabels);

	for (int i = 0; i < scale->nlabels; i++)
		labels[i] = CStringGetTextDatum(scale->labels[i]);
	PG_RETURN_ARRAYTYPE_P(construct_array(labels, scale->nlabels, TEXTOID,
										  -1, false, TYPALIGN_INT));
}

/*
 * crm._thresholds(scale, decimals): for each class the smallest integer v such
 * that v / 10^decimals belongs to it or a later class, as the kernels use it.
 * Strict. 22023 for decimals outside 0..18.
 */
PG_FUNCTION_INFO_V1(crm_scale_thresholds);
Datum
crm_scale_thresholds(PG_FUNCTION_ARGS)
{
	CrmScale   *scale = crm_scale_parse(PG_GETARG_DATUM(0));
	int32		decimals = PG_GETARG_INT32(1);
	Datum	   *thresholds = palloc(sizeof(Datum) * scale->nlabels);

	if (decimals < 0 || decimals > 18)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("decimals \"%d\" are not within 0 and 18", decimals)));
	for (int i = 0; i < scale->nlabels; i++)
		thresholds[i] = Int64GetDatum(crm_scale_threshold(scale, i, decimals));
	PG_RETURN_ARRAYTYPE_P(construct_array(thresholds, scale->nlabels, INT8OID, sizeof(int64),
										  FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

/* Text input: 22P02 for a wrong literal, 54000 for too many labels. */
PG_FUNCTION_INFO_V1(crm_scale_in);
Datum
crm_scale_in(PG_FUNCTION_ARGS)
{
	CrmScale   *scale = parse_scale(PG_GETARG_CSTRING(0), fcinfo->context);

	if (scale == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(scale_to_datum(scale));
}

/* Text output: the canonical form. */
PG_FUNCTION_INFO_V1(crm_scale_out);
Datum
crm_scale_out(PG_FUNCTION_ARGS)
{
	PG_RETURN_CSTRING(TextDatumGetCString(PG_GETARG_DATUM(0)));
}

/* Binary input: a version byte (1) and the text. 22P03 for another version. */
PG_FUNCTION_INFO_V1(crm_scale_recv);
Datum
crm_scale_recv(PG_FUNCTION_ARGS)
{
	StringInfo	buf = (StringInfo) PG_GETARG_POINTER(0);
	int			version = pq_getmsgbyte(buf);
	char	   *input;
	int			nbytes;

	if (version != BINARY_VERSION)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("unsupported version \"%d\" of binary %s", version, "crm.scale")));
	input = pq_getmsgtext(buf, buf->len - buf->cursor, &nbytes);
	PG_RETURN_TEXT_P(scale_to_datum(parse_scale(input, NULL)));
}

/* Binary output: see crm_scale_recv. */
PG_FUNCTION_INFO_V1(crm_scale_send);
Datum
crm_scale_send(PG_FUNCTION_ARGS)
{
	text	   *stored = PG_GETARG_TEXT_PP(0);
	StringInfoData buf;

	pq_begintypsend(&buf);
	pq_sendbyte(&buf, BINARY_VERSION);
	pq_sendtext(&buf, VARDATA_ANY(stored), VARSIZE_ANY_EXHDR(stored));
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}

/* Order of the canonical texts, byte by byte. */
static int
scale_order(FunctionCallInfo fcinfo)
{
	text	   *a = PG_GETARG_TEXT_PP(0);
	text	   *b = PG_GETARG_TEXT_PP(1);
	Size		alen = VARSIZE_ANY_EXHDR(a);
	Size		blen = VARSIZE_ANY_EXHDR(b);
	int			order = memcmp(VARDATA_ANY(a), VARDATA_ANY(b), Min(alen, blen));

	if (order == 0)
		order = (alen > blen) - (alen < blen);
	PG_FREE_IF_COPY(a, 0);
	PG_FREE_IF_COPY(b, 1);
	return (order > 0) - (order < 0);
}

/* Comparison: equal scales are equal texts; the order is that of the bytes. */
PG_FUNCTION_INFO_V1(crm_scale_cmp);
Datum
crm_scale_cmp(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(scale_order(fcinfo));
}

PG_FUNCTION_INFO_V1(crm_scale_lt);
Datum
crm_scale_lt(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(scale_order(fcinfo) < 0);
}

PG_FUNCTION_INFO_V1(crm_scale_le);
Datum
crm_scale_le(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(scale_order(fcinfo) <= 0);
}

PG_FUNCTION_INFO_V1(crm_scale_eq);
Datum
crm_scale_eq(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(scale_order(fcinfo) == 0);
}

PG_FUNCTION_INFO_V1(crm_scale_ne);
Datum
crm_scale_ne(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(scale_order(fcinfo) != 0);
}

PG_FUNCTION_INFO_V1(crm_scale_ge);
Datum
crm_scale_ge(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(scale_order(fcinfo) >= 0);
}

PG_FUNCTION_INFO_V1(crm_scale_gt);
Datum
crm_scale_gt(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(scale_order(fcinfo) > 0);
}

/* Hash of the canonical text. */
PG_FUNCTION_INFO_V1(crm_scale_hash);
Datum
crm_scale_hash(PG_FUNCTION_ARGS)
{
	text	   *a = PG_GETARG_TEXT_PP(0);
	Datum		hash = hash_any((unsigned char *) VARDATA_ANY(a), VARSIZE_ANY_EXHDR(a));

	PG_FREE_IF_COPY(a, 0);
	return hash;
}

/* The same with a seed, 64 bits. */
PG_FUNCTION_INFO_V1(crm_scale_hash_extended);
Datum
crm_scale_hash_extended(PG_FUNCTION_ARGS)
{
	text	   *a = PG_GETARG_TEXT_PP(0);
	Datum		hash = hash_any_extended((unsigned char *) VARDATA_ANY(a),
										 VARSIZE_ANY_EXHDR(a), PG_GETARG_INT64(1));

	PG_FREE_IF_COPY(a, 0);
	return hash;
}
