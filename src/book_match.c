/*-------------------------------------------------------------------------
 * book_match.c
 *		Whether two records are of one person: keys, score, reasons.
 *
 * A record is a crm.identity. Each field of two records agrees, nearly agrees,
 * differs, or says nothing. Each outcome is worth some points, binary logarithms
 * of how much likelier it is for one person than for two (Fellegi and Sunter
 * 1969); their sum, with the points before anything is compared, makes the
 * score 1 / (1 + 2^-points).
 *-------------------------------------------------------------------------
 */
#include "crm.h"

#include <math.h>

#include "access/htup_details.h"
#include "book_digits.h"
#include "book_name.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "types_input.h"
#include "types_unicode.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/numeric.h"
#include "utils/typcache.h"

#define MAX_VALUES		16		/* telephones, addresses, e-mail addresses that count */
#define MAX_BYTES		512		/* of a kind or an e-mail address */
#define MAX_POINTS		1000.0
#define MIN_PHONE		7		/* digits of a number that can be compared */
#define MIN_ID			4
#define DATE_DIGITS		8
#define MANY_DIGITS		4		/* of an address, of which one may be wrong */

/* The fields of crm.identity, in their order */
enum
{
	ATT_KIND, ATT_NAME, ATT_ID, ATT_BIRTH, ATT_PHONES, ATT_EMAILS, ATT_ADDRESSES, NATTS
};

typedef enum Field
{
	FIELD_ID, FIELD_NAME, FIELD_BIRTH, FIELD_PHONE, FIELD_EMAIL, FIELD_ADDRESS, NFIELDS
} Field;

typedef enum Level
{
	LEVEL_SAME, LEVEL_NEAR, LEVEL_DIFFERS, NLEVELS, LEVEL_SILENT = NLEVELS
} Level;

static const char *const reasons[NFIELDS][NLEVELS] = {
	{"same id number", "id number one digit off", "other id number"},
	{"same name", "similar name", "other name"},
	{"same birth date", "birth date one digit off", "other birth date"},
	{"same phone", "phone one digit off", "other phone"},
	{"same email", NULL, "other email"},
	{"same address", "similar address", "other address"},
};

/* Weights --------------------------------------------------------------- */

enum
{
	WEIGHT_PRIOR = NFIELDS * NLEVELS, WEIGHT_NEAR_FROM, WEIGHT_DIFFERS_BELOW, WEIGHT_ADDRESS_FROM, NWEIGHTS
};

/* In the order of Field and Level; e-mail addresses are never near */
static const struct
{
	const char *name;
	double		value;
}			weight_defaults[NWEIGHTS] = {
	{"id_number_same", 16}, {"id_number_near", 7}, {"id_number_differs", -4},
	{"name_same", 4.5}, {"name_similar", 3}, {"name_differs", -5},
	{"birth_date_same", 4.5}, {"birth_date_near", 2.5}, {"birth_date_differs", -2.5},
	{"phone_same", 5}, {"phone_near", 3}, {"phone_differs", 0},
	{"email_same", 5}, {"email_near", 0}, {"email_differs", 0},
	{"address_same", 3.5}, {"address_similar", 2}, {"address_differs", 0},
	{"prior", -7}, {"name_similar_from", 0.85}, {"name_differs_below", 0.75}, {"address_similar_from", 0.85},
};

typedef struct Weights
{
	double		value[NWEIGHTS];
	Jsonb	   *source;			/* what they were read from */
} Weights;

static int
weight_index(const char *name, int len)
{
	for (int i = 0; i < NWEIGHTS; i++)
		if ((int) strlen(weight_defaults[i].name) == len && strncmp(weight_defaults[i].name, name, len) == 0)
			return i;
	return -1;
}

/* Read an object of numbers by name; what it does not name has its default. 22023, 22003. */
static void
read_weights(Jsonb *source, double *value)
{
	JsonbIterator *it;
	JsonbValue	v;
	JsonbIteratorToken token;
	int			i = -1;

	for (int k = 0; k < NWEIGHTS; k++)
		value[k] = weight_defaults[k].value;
	if (!JB_ROOT_IS_OBJECT(source))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("weights must be a JSON object")));
	it = JsonbIteratorInit(&source->root);
	while ((token = JsonbIteratorNext(&it, &v, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
		{
			i = weight_index(v.val.string.val, v.val.string.len);
			if (i < 0)
				ereport(ERROR,
						(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						 errmsg("there is no weight \"%s\"",
								crm_quotable(pnstrdup(v.val.string.val, v.val.string.len))),
						 errhint("crm.match_weight_list() lists the weights.")));
		}
		else if (token == WJB_VALUE)
		{
			double		x;

			if (v.type != jbvNumeric)
				ereport(ERROR,
						(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						 errmsg("weight \"%s\" is not a number", weight_defaults[i].name)));
			x = DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow, NumericGetDatum(v.val.numeric)));
			if (!(fabs(x) <= MAX_POINTS))
				ereport(ERROR,
						(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
						 errmsg("weight \"%s\" is out of range: \"%s\"", weight_defaults[i].name,
								crm_quotable(numeric_normalize(v.val.numeric))),
						 errdetail("It must be between %g and %g.", -MAX_POINTS, MAX_POINTS)));
			value[i] = x;
		}
	}
}

/* The weights of a call, kept from call to call while they are the same */
static const double *
get_weights(FunctionCallInfo fcinfo, int arg)
{
	Jsonb	   *source = PG_GETARG_JSONB_P(arg);
	Weights    *kept = fcinfo->flinfo->fn_extra;

	if (kept == NULL || VARSIZE(kept->source) != VARSIZE(source) ||
		memcmp(kept->source, source, VARSIZE(source)) != 0)
	{
		MemoryContext old;
		double		value[NWEIGHTS];

		read_weights(source, value);
		old = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
		kept = palloc(sizeof(Weights));
		memcpy(kept->value, value, sizeof(value));
		kept->source = palloc(VARSIZE(source));
		memcpy(kept->source, source, VARSIZE(source));
		fcinfo->flinfo->fn_extra = kept;
		MemoryContextSwitchTo(old);
	}
	return kept->value;
}

/* Records --------------------------------------------------------------- */

typedef struct Identity
{
	const char *kind;			/* NULL where unknown */
	CrmName		name;
	CrmDigits	id;
	CrmDigits	birth;
	int			nphones;
	CrmDigits	phones[MAX_VALUES];
	int			nemails;
	const char *emails[MAX_VALUES];
	int			naddresses;
	CrmName    *addresses;
} Identity;

/* ASCII in lower case without white space around it, in the encoding of the database */
static const char *
read_word(text *t)
{
	char	   *s = text_to_cstring((text *) PG_DETOAST_DATUM_SLICE(PointerGetDatum(t), 0, MAX_BYTES));
	int			len = pg_mbcliplen(s, strlen(s), MAX_BYTES);

	s[len] = '\0';
	while (*s == ' ' || (*s >= '\t' && *s <= '\r'))
		s++;
	len = strlen(s);
	while (len > 0 && (s[len - 1] == ' ' || (s[len - 1] >= '\t' && s[len - 1] <= '\r')))
		s[--len] = '\0';
	for (char *p = s; *p != '\0'; p++)
		*p = pg_ascii_tolower((unsigned char) *p);
	return s;
}

static int
read_array(Datum value, bool isnull, Datum *elements)
{
	ArrayType  *array;
	Datum	   *all;
	bool	   *nulls;
	int			nall;
	int			n = 0;

	if (isnull)
		return 0;
	array = DatumGetArrayTypeP(value);
	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &all, &nulls, &nall);
	for (int i = 0; i < nall && n < MAX_VALUES; i++)
		if (!nulls[i])
			elements[n++] = all[i];
	return n;
}

static void
read_identity(HeapTupleHeader header, Identity *r)
{
	static const Oid types[NATTS] = {TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID};
	TupleDesc	desc = lookup_rowtype_tupdesc(HeapTupleHeaderGetTypeId(header), HeapTupleHeaderGetTypMod(header));
	HeapTupleData tuple;
	Datum		value[NATTS];
	bool		isnull[NATTS];
	Datum		element[MAX_VALUES];
	int			n;

	for (int i = 0; i < Max(desc->natts, NATTS); i++)
		if (desc->natts != NATTS || TupleDescAttr(desc, i)->atttypid != types[i])
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("type crm.identity has been altered")));
	tuple.t_len = HeapTupleHeaderGetDatumLength(header);
	ItemPointerSetInvalid(&tuple.t_self);
	tuple.t_tableOid = InvalidOid;
	tuple.t_data = header;
	heap_deform_tuple(&tuple, desc, value, isnull);
	ReleaseTupleDesc(desc);

	r->kind = isnull[ATT_KIND] ? NULL : read_word((text *) DatumGetPointer(value[ATT_KIND]));
	r->name.nchars = r->name.ntokens = 0;
	r->id.n = r->birth.n = 0;
	r->nphones = r->nemails = r->naddresses = 0;
	if (!isnull[ATT_NAME])
		crm_name_read((text *) DatumGetPointer(value[ATT_NAME]), &r->name);
	if (!isnull[ATT_ID])
		crm_digits_read((text *) DatumGetPointer(value[ATT_ID]), &r->id);
	if (r->id.n < MIN_ID)
		r->id.n = 0;
	if (!isnull[ATT_BIRTH])
		crm_digits_read((text *) DatumGetPointer(value[ATT_BIRTH]), &r->birth);
	n = read_array(value[ATT_PHONES], isnull[ATT_PHONES], element);
	for (int i = 0; i < n; i++)
	{
		crm_phone_read((text *) DatumGetPointer(element[i]), &r->phones[r->nphones]);
		r->nphones += r->phones[r->nphones].n >= MIN_PHONE;
	}
	n = read_array(value[ATT_EMAILS], isnull[ATT_EMAILS], element);
	for (int i = 0; i < n; i++)
	{
		r->emails[r->nemails] = read_word((text *) DatumGetPointer(element[i]));
		r->nemails += r->emails[r->nemails][0] != '\0';
	}
	n = read_array(value[ATT_ADDRESSES], isnull[ATT_ADDRESSES], element);
	if (n > 0)
		r->addresses = palloc(n * sizeof(CrmName));
	for (int i = 0; i < n; i++)
	{
		crm_name_read((text *) DatumGetPointer(element[i]), &r->addresses[r->naddresses]);
		r->naddresses += r->addresses[r->naddresses].nchars > 0;
	}
}

/* Keys ------------------------------------------------------------------ */

/* What a key is made of: the four low bits of it */
typedef enum KeyKind
{
	KEY_ID = 1, KEY_ID_BEGINS, KEY_ID_ENDS, KEY_PHONE, KEY_PHONE_BEGINS, KEY_PHONE_ENDS,
	KEY_BIRTH, KEY_BIRTH_MONTH, KEY_BIRTH_DAY, KEY_BIRTH_DIGITS, KEY_BIRTHDAY, KEY_EMAIL, KEY_ADDRESS
} KeyKind;

#define KIND_BITS		4
#define MAX_KEYS		(3 + 3 * MAX_VALUES + CRM_NAME_KEYS + 4 + 2 * MAX_VALUES)

static uint64
hash_chars(const uint32 *chars, int n, uint64 seed)
{
	return hash_bytes_extended((const unsigned char *) chars, n * sizeof(uint32), seed);
}

static int64
make_key(uint64 hash, KeyKind kind)
{
	return (int64) ((hash << KIND_BITS) | kind);
}

/*
 * Digits at the beginning and the end of a number: a single error leaves one of
 * them alone, and so does a missing digit, but for a few lengths. Identity
 * numbers begin with regions that many share, so more of them is taken.
 */
static void
number_ends(int n, int *begin, int *end)
{
	*begin = n >= 17 ? 10 : n >= 13 ? 6 : n >= 10 ? 5 : n >= 6 ? 3 : n;
	*end = Min(*begin, 7);
}

static int
int64_order(const void *a, const void *b)
{
	int64		x = *(const int64 *) a;
	int64		y = *(const int64 *) b;

	return (x > y) - (x < y);
}

/* Keys of a number: alone, and its ends with the whole name */
static int
number_keys(const CrmDigits *d, uint64 name_hash, bool named, KeyKind kind, int64 *keys)
{
	int			n = 0;
	int			begin,
				end;

	keys[n++] = make_key(hash_chars(d->chars, d->n, kind), kind);
	number_ends(d->n, &begin, &end);
	if (named && d->n > begin)
	{
		keys[n++] = make_key(hash_chars(d->chars, begin, name_hash), kind + 1);
		keys[n++] = make_key(hash_chars(d->chars + d->n - end, end, name_hash), kind + 2);
	}
	return n;
}

/*
 * Keys of a birth date: with every key of the name, lest either of them is a
 * little wrong; with the whole name its year and month, its year and day, its
 * year and the other digits in order, which no exchange changes, and its
 * birthday. A single Chinese character is too little of a name.
 */
static int
birth_keys(const CrmDigits *birth, const CrmNameKey *name, int nnames, uint64 name_hash, int64 *keys)
{
	uint64		birth_hash = hash_chars(birth->chars, birth->n, KEY_BIRTH);
	const uint32 *d = birth->chars;
	uint32		part[DATE_DIGITS];
	int			n = 0;

	for (int i = 0; i < nnames; i++)
		if (i == 0 || name[i].nchars > 1)
			keys[n++] = make_key(hash_chars(name[i].chars, name[i].nchars, birth_hash), KEY_BIRTH);
	keys[n++] = make_key(hash_chars(d, 6, name_hash), KEY_BIRTH_MONTH);
	memcpy(part, d, sizeof(part));
	part[4] = d[6];
	part[5] = d[7];
	keys[n++] = make_key(hash_chars(part, 6, name_hash), KEY_BIRTH_DAY);
	memcpy(part, d, sizeof(part));
	for (int i = 5; i < DATE_DIGITS; i++)
		for (int j = i; j > 4 && part[j - 1] > part[j]; j--)
		{
			uint32		swap = part[j];

			part[j] = part[j - 1];
			part[j - 1] = swap;
		}
	keys[n++] = make_key(hash_chars(part, DATE_DIGITS, name_hash), KEY_BIRTH_DIGITS);
	keys[n++] = make_key(hash_chars(d + 4, 4, name_hash), KEY_BIRTHDAY);
	return n;
}

static int
identity_keys(const Identity *r, int64 *keys)
{
	CrmNameKey	name[CRM_NAME_KEYS];
	int			nnames = crm_name_keys(&r->name, name);
	uint64		name_hash = nnames > 0 ? hash_chars(name[0].chars, name[0].nchars, 0) : 0;
	int			n = 0;
	int			unique = 0;

	if (r->id.n > 0)
		n += number_keys(&r->id, name_hash, nnames > 0, KEY_ID, keys + n);
	for (int i = 0; i < r->nphones; i++)
		n += number_keys(&r->phones[i], name_hash, nnames > 0, KEY_PHONE, keys + n);
	if (r->birth.n == DATE_DIGITS && nnames > 0)
		n += birth_keys(&r->birth, name, nnames, name_hash, keys + n);
	for (int i = 0; i < r->nemails; i++)
		keys[n++] = make_key(hash_bytes_extended((const unsigned char *) r->emails[i], strlen(r->emails[i]), KEY_EMAIL), KEY_EMAIL);
	for (int i = 0; i < r->naddresses && nnames > 0; i++)
		keys[n++] = make_key(hash_chars(r->addresses[i].chars, r->addresses[i].nchars, name_hash), KEY_ADDRESS);

	qsort(keys, n, sizeof(int64), int64_order);
	for (int i = 0; i < n; i++)
		if (i == 0 || keys[i] != keys[i - 1])
			keys[unique++] = keys[i];
	return unique;
}

/*
 * crm.match_keys(identity): hashes of what records of one person have in common.
 * Ascending, each once. The low four bits tell the kind of a key. Strict.
 */
PG_FUNCTION_INFO_V1(crm_match_keys);
Datum
crm_match_keys(PG_FUNCTION_ARGS)
{
	Identity	r;
	int64		keys[MAX_KEYS];
	Datum		values[MAX_KEYS];
	int			n;

	read_identity(PG_GETARG_HEAPTUPLEHEADER(0), &r);
	n = identity_keys(&r, keys);
	for (int i = 0; i < n; i++)
		values[i] = Int64GetDatum(keys[i]);
	PG_RETURN_ARRAYTYPE_P(construct_array(values, n, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

/* Comparison ------------------------------------------------------------ */

static Level
compare_numbers(const CrmDigits *a, const CrmDigits *b)
{
	int			d = crm_edit_distance(a->chars, a->n, b->chars, b->n);

	return d == 0 ? LEVEL_SAME : d == 1 ? LEVEL_NEAR : LEVEL_DIFFERS;
}

/* Dates are near as numbers are, and with day and month exchanged */
static Level
compare_dates(const CrmDigits *a, const CrmDigits *b)
{
	Level		level = compare_numbers(a, b);

	if (level == LEVEL_DIFFERS && a->n == DATE_DIGITS && b->n == DATE_DIGITS &&
		memcmp(a->chars, b->chars, 4 * sizeof(uint32)) == 0 &&
		memcmp(a->chars + 4, b->chars + 6, 2 * sizeof(uint32)) == 0 &&
		memcmp(a->chars + 6, b->chars + 4, 2 * sizeof(uint32)) == 0)
		return LEVEL_NEAR;
	return level;
}

static Level
compare_names(const CrmName *a, const CrmName *b, double near_from, double differs_below)
{
	double		similarity = crm_name_similarity_of(a, b);

	return similarity < 0 ? LEVEL_SILENT : similarity == 1 ? LEVEL_SAME :
		similarity >= near_from ? LEVEL_NEAR :
		similarity < differs_below ? LEVEL_DIFFERS : LEVEL_SILENT;
}

/*
 * Addresses are similar where their words are and their numbers agree: all of
 * them, or all but a digit of many.
 */
static Level
compare_addresses(const CrmName *a, const CrmName *b, double similar_from)
{
	Level		level = compare_names(a, b, similar_from, similar_from);
	const CrmName *address[2] = {a, b};
	CrmDigits	digits[2];

	if (level != LEVEL_NEAR)
		return level;
	for (int k = 0; k < 2; k++)
	{
		digits[k].n = 0;
		for (int i = 0; i < address[k]->nchars && digits[k].n < CRM_DIGITS_MAX; i++)
			if (address[k]->chars[i] >= '0' && address[k]->chars[i] <= '9')
				digits[k].chars[digits[k].n++] = address[k]->chars[i];
	}
	switch (compare_numbers(&digits[0], &digits[1]))
	{
		case LEVEL_SAME:
			return LEVEL_NEAR;
		case LEVEL_NEAR:
			return Min(digits[0].n, digits[1].n) >= MANY_DIGITS ? LEVEL_NEAR : LEVEL_DIFFERS;
		default:
			return LEVEL_DIFFERS;
	}
}

/* The best outcome of any two values; levels stand in order from best to none. */
static void
compare(const Identity *a, const Identity *b, const double *w, Level *level)
{
	for (int i = 0; i < NFIELDS; i++)
		level[i] = LEVEL_SILENT;
	if (a->id.n > 0 && b->id.n > 0)
		level[FIELD_ID] = compare_numbers(&a->id, &b->id);
	level[FIELD_NAME] = compare_names(&a->name, &b->name, w[WEIGHT_NEAR_FROM], w[WEIGHT_DIFFERS_BELOW]);
	if (a->birth.n > 0 && b->birth.n > 0)
		level[FIELD_BIRTH] = compare_dates(&a->birth, &b->birth);
	for (int i = 0; i < a->nphones; i++)
		for (int j = 0; j < b->nphones; j++)
			level[FIELD_PHONE] = Min(level[FIELD_PHONE], compare_numbers(&a->phones[i], &b->phones[j]));
	for (int i = 0; i < a->nemails; i++)
		for (int j = 0; j < b->nemails; j++)
			level[FIELD_EMAIL] = Min(level[FIELD_EMAIL],
									 strcmp(a->emails[i], b->emails[j]) == 0 ? LEVEL_SAME : LEVEL_DIFFERS);
	for (int i = 0; i < a->naddresses; i++)
		for (int j = 0; j < b->naddresses; j++)
		{
			CHECK_FOR_INTERRUPTS();
			level[FIELD_ADDRESS] = Min(level[FIELD_ADDRESS],
									   compare_addresses(&a->addresses[i], &b->addresses[j], w[WEIGHT_ADDRESS_FROM]));
		}
}

/* Read both records; whether they may be of one person at all: of one kind, or of an unknown one */
static bool
read_pair(FunctionCallInfo fcinfo, Identity *a, Identity *b)
{
	read_identity(PG_GETARG_HEAPTUPLEHEADER(0), a);
	read_identity(PG_GETARG_HEAPTUPLEHEADER(1), b);
	return a->kind == NULL || b->kind == NULL || strcmp(a->kind, b->kind) == 0;
}

/* crm.match_score(a identity, b identity, weights): 0 to 1; 0 for records of different kinds. 22023, 22003 for the weights. Strict. */
PG_FUNCTION_INFO_V1(crm_match_score);
Datum
crm_match_score(PG_FUNCTION_ARGS)
{
	const double *w = get_weights(fcinfo, 2);
	Identity	a;
	Identity	b;
	Level		level[NFIELDS];
	double		points = w[WEIGHT_PRIOR];

	if (!read_pair(fcinfo, &a, &b))
		PG_RETURN_FLOAT8(0);
	compare(&a, &b, w, level);
	for (int i = 0; i < NFIELDS; i++)
		if (level[i] != LEVEL_SILENT)
			points += w[i * NLEVELS + level[i]];
	PG_RETURN_FLOAT8(1 / (1 + exp2(-points)));
}

/* crm.match_reasons(a identity, b identity, weights): what agrees and what does not, in the order of the fields. Strict. */
PG_FUNCTION_INFO_V1(crm_match_reasons);
Datum
crm_match_reasons(PG_FUNCTION_ARGS)
{
	const double *w = get_weights(fcinfo, 2);
	Identity	a;
	Identity	b;
	Level		level[NFIELDS];
	Datum		texts[NFIELDS];
	int			n = 0;

	if (!read_pair(fcinfo, &a, &b))
		PG_RETURN_ARRAYTYPE_P(construct_empty_array(TEXTOID));
	compare(&a, &b, w, level);
	for (int i = 0; i < NFIELDS; i++)
		if (level[i] != LEVEL_SILENT && (level[i] != LEVEL_DIFFERS || w[i * NLEVELS + level[i]] != 0))
			texts[n++] = CStringGetTextDatum(reasons[i][level[i]]);
	PG_RETURN_ARRAYTYPE_P(construct_array(texts, n, TEXTOID, -1, false, TYPALIGN_INT));
}

/* crm._match_weights_valid(jsonb): true, or an error: 22023, 22003. Strict. */
PG_FUNCTION_INFO_V1(crm_match_weights_valid);
Datum
crm_match_weights_valid(PG_FUNCTION_ARGS)
{
	double		value[NWEIGHTS];

	read_weights(PG_GETARG_JSONB_P(0), value);
	PG_RETURN_BOOL(true);
}

/* crm._match_weight_names(): the names, in the order of crm._match_weight_values(). */
PG_FUNCTION_INFO_V1(crm_match_weight_names);
Datum
crm_match_weight_names(PG_FUNCTION_ARGS)
{
	Datum		texts[NWEIGHTS];

	(void) fcinfo;
	for (int i = 0; i < NWEIGHTS; i++)
		texts[i] = CStringGetTextDatum(weight_defaults[i].name);
	PG_RETURN_ARRAYTYPE_P(construct_array(texts, NWEIGHTS, TEXTOID, -1, false, TYPALIGN_INT));
}

/* crm._match_weight_values(weights): the weights in force. Strict. */
PG_FUNCTION_INFO_V1(crm_match_weight_values);
Datum
crm_match_weight_values(PG_FUNCTION_ARGS)
{
	double		value[NWEIGHTS];
	Datum		values[NWEIGHTS];

	read_weights(PG_GETARG_JSONB_P(0), value);
	for (int i = 0; i < NWEIGHTS; i++)
		values[i] = Float8GetDatum(value[i]);
	PG_RETURN_ARRAYTYPE_P(construct_array(values, NWEIGHTS, FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

/* crm._contact_key(kind, value): a way to reach somebody as it is looked up; NULL where nothing is left of it. Strict. */
PG_FUNCTION_INFO_V1(crm_contact_key);
Datum
crm_contact_key(PG_FUNCTION_ARGS)
{
	char	   *kind = text_to_cstring(PG_GETARG_TEXT_PP(0));
	text	   *value = (text *) PG_GETARG_POINTER(1);

	if (strcmp(kind, "mobile") == 0 || strcmp(kind, "phone") == 0)
	{
		CrmDigits	digits;

		crm_phone_read(value, &digits);
		if (digits.n < MIN_PHONE)
			PG_RETURN_NULL();
		PG_RETURN_TEXT_P(crm_text_of(digits.chars, digits.n));
	}
	if (strcmp(kind, "address") == 0)
	{
		CrmName		name;

		crm_name_read(value, &name);
		if (name.nchars == 0)
			PG_RETURN_NULL();
		PG_RETURN_TEXT_P(crm_text_of(name.chars, name.nchars));
	}
	PG_RETURN_TEXT_P(cstring_to_text(read_word(value)));
}
