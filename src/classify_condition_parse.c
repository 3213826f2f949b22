/*-------------------------------------------------------------------------
 * classify_condition_parse.c
 *		From the text of a crm.condition to its tree.
 *
 *	condition  = conjunction { or conjunction }
 *	conjunction = negation { and negation }
 *	negation   = not negation | primary
 *	primary    = ( condition ) [ is [not] true ] | true | false | predicate
 *	predicate  = boolean column [ is [not] true ]
 *			   | term is [not] null
 *			   | term { = | <> | != | < | <= | > | >= } value
 *			   | term [not] between value and value
 *			   | term [not] in ( value, ... )
 *			   | text column [not] starts with 'text'
 *			   | text column [not] contains 'text'
 *			   | set column [not] contains [any | all] ( 'text', ... )
 *	term       = column | part ( column )
 *	value      = number | 'text' | 'yyyy-mm-dd' | true | false | today { +- n unit }
 *
 * Words are taken in any case. Positions in messages count characters from 1.
 *-------------------------------------------------------------------------
 */
#include "classify_condition.h"

#include <limits.h>

#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "types_input.h"
#include "utils/builtins.h"
#include "utils/datetime.h"

#define MAX_DEPTH		100
#define MAX_PREDICATES	1000
#define MAX_DIGITS		100
#define MAX_SHIFT		1000000 /* in units of 'today - n unit' */

typedef enum TokenKind
{
	WORD,
	NUMBER,
	STRING,
	SYMBOL,
	END
} TokenKind;

typedef struct Parser
{
	const char *input;
	const char *next;			/* behind the token */
	struct Node *escontext;
	int			depth;
	int			npredicates;

	/* the token */
	TokenKind	kind;
	const char *start;
	char	   *text;			/* word in lower case, symbol, or string without its quotes */
} Parser;

static int
position(const Parser *parser, const char *at)
{
	return pg_mbstrlen_with_len(parser->input, at - parser->input) + 1;
}

/* The token as it was written, for messages. */
static const char *
written(const Parser *parser)
{
	if (parser->kind == END)
		return "end of input";
	return psprintf("\"%s\"", crm_quotable(pnstrdup(parser->start, parser->next - parser->start)));
}

/*
 * All messages of wrong syntax; the detail tells what would be right. These
 * return 0 (false, NULL) where the server takes errors softly.
 */
static int
expected(Parser *parser, const char *detail)
{
	crm_input_error(parser->escontext, 0,
					(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
					 errmsg("invalid input syntax for type %s at position %d: %s",
							"crm.condition", position(parser, parser->start), written(parser)),
					 errdetail_internal("%s", detail)));
}

static int
too_complex(Parser *parser, const char *what, int limit)
{
	crm_input_error(parser->escontext, 0,
					(errcode(ERRCODE_STATEMENT_TOO_COMPLEX),
					 errmsg("a condition has more than %d %s at position %d", limit, what,
							position(parser, parser->start))));
}

/* Read the next token; false after a soft error. */
static bool
advance(Parser *parser)
{
	const char *p = crm_skip_space(parser->next);

	parser->start = p;
	parser->text = NULL;
	if (*p == '\0')
	{
		parser->kind = END;
		parser->next = p;
	}
	else if (IS_HIGHBIT_SET(*p) || *p == '_' || (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z'))
	{
		/* letters beyond ASCII make no word of ours, but belong into the message */
		while (IS_HIGHBIT_SET(*p) || *p == '_' || crm_is_digit(*p) ||
			   (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z'))
			p += pg_mblen(p);
		parser->kind = WORD;
		parser->next = p;
		parser->text = pnstrdup(parser->start, p - parser->start);
		for (char *c = parser->text; *c; c++)
			*c = (char) pg_ascii_tolower((unsigned char) *c);
	}
	else if (crm_is_digit(*p) || (*p == '.' && crm_is_digit(p[1])))
	{
		while (crm_is_digit(*p))
			p++;
		if (*p == '.')
			for (p++; crm_is_digit(*p);)
				p++;
		parser->kind = NUMBER;
		parser->next = p;
		parser->text = pnstrdup(parser->start, p - parser->start);
		if (IS_HIGHBIT_SET(*p) || *p == '_' || (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z'))
			return expected(parser, "A number is a plain decimal one, without exponent or unit.");
		if (p - parser->start > MAX_DIGITS)
			crm_input_error(parser->escontext, false,
							(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
							 errmsg("number of a condition has more than %d digits at position %d: %s",
									MAX_DIGITS, position(parser, parser->start), written(parser))));
	}
	else if (*p == '\'')
	{
		StringInfoData buf;

		initStringInfo(&buf);
		parser->kind = STRING;
		for (p++;;)
		{
			const char *run = p;

			while (*p != '\0' && *p != '\'')
				p += pg_mblen(p);
			appendBinaryStringInfo(&buf, run, p - run);
			if (*p == '\0')
			{
				parser->next = p;
				return expected(parser, "A text in single quotes is not closed.");
			}
			if (*++p != '\'')
				break;
			appendStringInfoChar(&buf, *p++);
		}
		parser->next = p;
		parser->text = buf.data;
	}
	else
	{
		bool		two = (p[0] == '<' && (p[1] == '=' || p[1] == '>')) ||
			((p[0] == '>' || p[0] == '!') && p[1] == '=');

		parser->kind = SYMBOL;
		parser->next = p + (two ? 2 : 1);
		if (!two && strchr("()=<>,+-", *p) == NULL)
			return expected(parser, "There is no such sign in conditions.");
		parser->text = pnstrdup(p, two ? 2 : 1);
	}
	return true;
}

static bool
is_word(const Parser *parser, const char *word)
{
	return parser->kind == WORD && strcmp(parser->text, word) == 0;
}

static bool
is_symbol(const Parser *parser, const char *symbol)
{
	return parser->kind == SYMBOL && strcmp(parser->text, symbol) == 0;
}

static bool
take_symbol(Parser *parser, const char *symbol, const char *detail)
{
	if (!is_symbol(parser, symbol))
		return expected(parser, detail);
	return advance(parser);
}

static CrmNode *
make_node(CrmNodeKind kind)
{
	CrmNode    *node = palloc0(sizeof(CrmNode));

	node->kind = kind;
	return node;
}

static CrmNode *
make_parent(CrmNodeKind kind, CrmNode *arg)
{
	CrmNode    *node = make_node(kind);

	node->nargs = 1;
	node->args = palloc(sizeof(CrmNode *));
	node->args[0] = arg;
	return node;
}

/* A literal at the token that is not of the term's kind. */
static int
wrong_kind(Parser *parser, const CrmTerm *term)
{
	const char *column = term->column->name;
	const char *what = term->part == CRM_WHOLE ? column :
		psprintf("%s(%s)", crm_part_name(term->part), column);

	crm_input_error(parser->escontext, 0,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("\"%s\" is a %s and cannot be compared with %s at position %d", what,
							crm_kind_name(term->kind), written(parser), position(parser, parser->start)),
					 term->kind == CRM_DATE
					 ? errhint("A day is written 'yyyy-mm-dd' or relative: today - 90 days.")
					 : term->kind == CRM_TEXT || term->kind == CRM_SET
					 ? errhint("A text is written in single quotes.")
					 : term->kind == CRM_NUMBER
					 ? errhint("A number is written plainly: 100000 or -0.5.")
					 : errhint("A boolean is written true or false.")));
}

/* A day written yyyy-mm-dd. */
static bool
parse_day(Parser *parser, DateADT *day)
{
	const char *p = parser->text;
	int			y,
				m,
				d;

	if (strlen(p) != 10 || strspn(p, "0123456789-") != 10 || p[4] != '-' || p[7] != '-' ||
		sscanf(p, "%4d-%2d-%2d", &y, &m, &d) != 3 || strchr(p + 8, '-') != NULL ||
		memchr(p, '-', 4) != NULL || memchr(p + 5, '-', 2) != NULL)
		crm_input_error(parser->escontext, false,
						(errcode(ERRCODE_INVALID_DATETIME_FORMAT),
						 errmsg("day at position %d of a condition is not written yyyy-mm-dd: %s",
								position(parser, parser->start), written(parser))));
	if (y < 1 || m < 1 || m > 12 || d < 1 || d > day_tab[isleap(y)][m - 1])
		crm_input_error(parser->escontext, false,
						(errcode(ERRCODE_DATETIME_FIELD_OVERFLOW),
						 errmsg("there is no day %s in the calendar, at position %d of a condition",
								written(parser), position(parser, parser->start))));
	*day = date2j(y, m, d) - POSTGRES_EPOCH_JDATE;
	return true;
}

/* Behind 'today': { +- n unit }. */
static bool
parse_shift(Parser *parser, CrmValue *value)
{
	int64		months = 0;
	int64		days = 0;

	while (is_symbol(parser, "+") || is_symbol(parser, "-"))
	{
		int			sign = is_symbol(parser, "-") ? -1 : 1;
		const char *at;
		int64		n = 0;

		if (!advance(parser))
			return false;
		if (parser->kind != NUMBER || strchr(parser->text, '.') != NULL)
			return expected(parser, "Behind the sign a whole number of days, weeks, months or years is expected.");
		at = parser->start;
		for (const char *p = parser->text; *p; p++)
			n = Min(n * 10 + (*p - '0'), MAX_SHIFT + 1);
		if (!advance(parser))
			return false;
		if (is_word(parser, "day") || is_word(parser, "days"))
			days += sign * n;
		else if (is_word(parser, "week") || is_word(parser, "weeks"))
			days += sign * n * 7;
		else if (is_word(parser, "month") || is_word(parser, "months"))
			months += sign * n;
		else if (is_word(parser, "year") || is_word(parser, "years"))
			months += sign * n * 12;
		else
			return expected(parser, "The unit is days, weeks, months or years.");
		if (n > MAX_SHIFT || months < -MAX_SHIFT || months > MAX_SHIFT || days < -MAX_SHIFT || days > MAX_SHIFT)
			crm_input_error(parser->escontext, false,
							(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
							 errmsg("day relative to today at position %d is out of range",
									position(parser, at)),
							 errdetail("It can be up to %d months and %d days away.", MAX_SHIFT, MAX_SHIFT)));
		if (!advance(parser))
			return false;
	}
	value->months = (int32) months;
	value->days = (int32) days;
	return true;
}

/* A value of the kind of the term. */
static bool
parse_value(Parser *parser, const CrmTerm *term, CrmValue *value)
{
	bool		negative;

	memset(value, 0, sizeof(CrmValue));
	if (parser->kind == END ||
		(parser->kind == SYMBOL && !is_symbol(parser, "-") && !is_symbol(parser, "+")))
		return expected(parser, "A value is expected: a number, a text in single quotes, a day, true or false.");
	switch (term->kind)
	{
		case CRM_NUMBER:
			negative = is_symbol(parser, "-");
			if ((negative || is_symbol(parser, "+")) && !advance(parser))
				return false;
			if (parser->kind != NUMBER)
				return wrong_kind(parser, term);
			value->number = DatumGetNumeric(DirectFunctionCall3(numeric_in,
																CStringGetDatum(psprintf("%s%s", negative ? "-" : "", parser->text)),
																ObjectIdGetDatum(InvalidOid),
																Int32GetDatum(-1)));
			return advance(parser);
		case CRM_TEXT:
		case CRM_SET:
			if (parser->kind != STRING)
				return wrong_kind(parser, term);
			value->string = parser->text;
			return advance(parser);
		case CRM_DATE:
			if (parser->kind == STRING)
				return parse_day(parser, &value->day) && advance(parser);
			if (!is_word(parser, "today"))
				return wrong_kind(parser, term);
			value->relative = true;
			return advance(parser) && parse_shift(parser, value);
		case CRM_BOOLEAN:
			if (!is_word(parser, "true") && !is_word(parser, "false"))
				return wrong_kind(parser, term);
			value->boolean = is_word(parser, "true");
			return advance(parser);
	}
	return false;
}

/* ( value, ... ) */
static bool
parse_values(Parser *parser, CrmNode *node)
{
	int			size = 8;

	node->values = palloc(sizeof(CrmValue) * size);
	if (!take_symbol(parser, "(", "A list of values in parentheses is expected."))
		return false;
	for (;;)
	{
		CHECK_FOR_INTERRUPTS();
		if (node->nvalues == size)
		{
			size *= 2;
			node->values = repalloc(node->values, sizeof(CrmValue) * size);
		}
		if (!parse_value(parser, &node->term, &node->values[node->nvalues]))
			return false;
		node->nvalues++;
		if (!is_symbol(parser, ","))
			break;
		if (!advance(parser))
			return false;
	}
	return take_symbol(parser, ")", "Behind a value of a list a comma or \")\" is expected.");
}

/* Values behind an operator: n of them, with 'and' between two. */
static bool
parse_operands(Parser *parser, CrmNode *node, int n)
{
	node->values = palloc(sizeof(CrmValue) * n);
	node->nvalues = n;
	if (!parse_value(parser, &node->term, &node->values[0]))
		return false;
	if (n == 1)
		return true;
	if (!is_word(parser, "and"))
		return expected(parser, "Behind \"between\" and a value \"and\" is expected.");
	return advance(parser) && parse_value(parser, &node->term, &node->values[1]);
}

/* column | part ( column ) */
static bool
parse_term(Parser *parser, CrmTerm *term)
{
	const char *start = parser->start;
	const char *after = parser->next;
	char	   *name = parser->text;
	bool		applies;

	term->part = CRM_WHOLE;
	if (!advance(parser))
		return false;
	if (is_symbol(parser, "("))
	{
		if (!crm_part_find(name, &term->part))
		{
			parser->start = start;
			parser->next = after;
			parser->kind = WORD;
			return expected(parser, "Before a column in parentheses stands age, year, month, day, days_to_anniversary or count.");
		}
		if (!advance(parser))
			return false;
		if (parser->kind != WORD)
			return expected(parser, "The name of a column is expected.");
		name = parser->text;
		start = parser->start;
		if (!advance(parser) ||
			!take_symbol(parser, ")", "Behind the column \")\" is expected."))
			return false;
	}
	term->column = crm_column_find(name);
	if (term->column == NULL)
		crm_input_error(parser->escontext, false,
						(errcode(ERRCODE_UNDEFINED_COLUMN),
						 errmsg("column \"%s\" at position %d of a condition does not exist",
								crm_quotable(name), position(parser, start)),
						 errhint("%s", crm_column_hint(name))));
	term->kind = crm_part_kind(term->part, term->column->kind, &applies);
	if (!applies)
		crm_input_error(parser->escontext, false,
						(errcode(ERRCODE_DATATYPE_MISMATCH),
						 errmsg("%s(\"%s\") at position %d of a condition: the column is a %s",
								crm_part_name(term->part), name, position(parser, start),
								crm_kind_name(term->column->kind)),
						 errhint("age, year, month, day and days_to_anniversary are of dates, count is of sets.")));
	return true;
}

/* An operator at this position that the term's kind does not have. */
static int
wrong_operator(Parser *parser, const CrmTerm *term, const char *hint)
{
	crm_input_error(parser->escontext, 0,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("\"%s\" is a %s and has no %s at position %d", term->column->name,
							crm_kind_name(term->kind), written(parser), position(parser, parser->start)),
					 errhint("%s", hint)));
}

/* [not] true behind 'is', of a node */
static CrmNode *
parse_is_true(Parser *parser, CrmNode *arg)
{
	CrmNode    *node = make_parent(CRM_IS_TRUE, arg);

	if (!advance(parser))
		return NULL;
	if (is_word(parser, "not"))
	{
		node->negated = true;
		if (!advance(parser))
			return NULL;
	}
	if (!is_word(parser, "true"))
	{
		expected(parser, "Behind \"is\" or \"is not\" \"true\" is expected here.");
		return NULL;
	}
	return advance(parser) ? node : NULL;
}

static bool
parse_comparison(Parser *parser, CrmNode *node)
{
	static const struct
	{
		const char *symbol;
		CrmCompare	compare;
	}			operators[] = {
		{"=", CRM_EQ}, {"<>", CRM_NE}, {"!=", CRM_NE},
		{"<", CRM_LT}, {"<=", CRM_LE}, {">", CRM_GT}, {">=", CRM_GE}
	};

	for (int i = 0; i < (int) lengthof(operators); i++)
	{
		if (!is_symbol(parser, operators[i].symbol))
			continue;
		node->kind = CRM_COMPARE;
		node->compare = operators[i].compare;
		if (node->term.kind == CRM_SET)
			return wrong_operator(parser, &node->term, "Of sets use contains, contains any, contains all, or count(...).");
		if (node->term.kind == CRM_BOOLEAN && node->compare > CRM_NE)
			return wrong_operator(parser, &node->term, "Booleans are equal or not.");
		return advance(parser) && parse_operands(parser, node, 1);
	}
	return expected(parser, "Behind a column an operator is expected: =, <>, <, <=, >, >=, between, in, is null, starts with or contains.");
}

/* starts with ... | contains ...; the token is the first word */
static bool
parse_containment(Parser *parser, CrmNode *node)
{
	bool		starts = is_word(parser, "starts");

	if (node->term.kind != CRM_TEXT && (starts || node->term.kind != CRM_SET))
		return wrong_operator(parser, &node->term,
							  starts ? "\"starts with\" is for texts." : "\"contains\" is for texts and sets.");
	if (!advance(parser))
		return false;
	if (starts)
	{
		node->kind = CRM_STARTS;
		if (!is_word(parser, "with"))
			return expected(parser, "Behind \"starts\" \"with\" is expected.");
		return advance(parser) && parse_operands(parser, node, 1);
	}
	node->kind = CRM_CONTAINS;
	if (!is_word(parser, "any") && !is_word(parser, "all"))
		return parse_operands(parser, node, 1);
	if (node->term.kind != CRM_SET)
		return wrong_operator(parser, &node->term, "\"contains any\" and \"contains all\" are for sets.");
	node->kind = is_word(parser, "any") ? CRM_CONTAINS_ANY : CRM_CONTAINS_ALL;
	return advance(parser) && parse_values(parser, node);
}

static CrmNode *
parse_predicate(Parser *parser)
{
	CrmNode    *node = make_node(CRM_HOLDS);
	bool		ok;
	bool		negated = false;

	if (++parser->npredicates > MAX_PREDICATES)
	{
		too_complex(parser, "predicates", MAX_PREDICATES);
		return NULL;
	}
	if (parser->kind != WORD || is_word(parser, "and") || is_word(parser, "or"))
	{
		expected(parser, "A predicate is expected, such as: amount >= 100000.");
		return NULL;
	}
	if (!parse_term(parser, &node->term))
		return NULL;
	if (is_word(parser, "is"))
	{
		const char *after = parser->next;

		if (!advance(parser))
			return NULL;
		if (is_word(parser, "not"))
		{
			node->negated = true;
			if (!advance(parser))
				return NULL;
		}
		if (is_word(parser, "null"))
		{
			node->kind = CRM_IS_NULL;
			return advance(parser) ? node : NULL;
		}
		if (node->term.kind != CRM_BOOLEAN)
		{
			expected(parser, "Behind \"is\" or \"is not\" \"null\" is expected here.");
			return NULL;
		}
		node->negated = false;
		parser->next = after;
		return parse_is_true(parser, node);
	}
	if (is_word(parser, "not"))
	{
		negated = true;
		if (!advance(parser))
			return NULL;
		if (!is_word(parser, "between") && !is_word(parser, "in") &&
			!is_word(parser, "starts") && !is_word(parser, "contains"))
		{
			expected(parser, "Behind a column and \"not\" between, in, starts with or contains is expected.");
			return NULL;
		}
	}
	if (is_word(parser, "between") || is_word(parser, "in"))
	{
		node->kind = is_word(parser, "in") ? CRM_IN : CRM_BETWEEN;
		if (node->term.kind == CRM_SET || node->term.kind == CRM_BOOLEAN)
			ok = wrong_operator(parser, &node->term, "\"in\" and \"between\" are for numbers, texts and dates.");
		else
			ok = advance(parser) &&
				(node->kind == CRM_IN ? parse_values(parser, node) : parse_operands(parser, node, 2));
	}
	else if (is_word(parser, "starts") || is_word(parser, "contains"))
		ok = parse_containment(parser, node);
	else if (node->term.kind == CRM_BOOLEAN && !(parser->kind == SYMBOL && strchr("=<>!", parser->text[0])))
		ok = true;
	else
		ok = parse_comparison(parser, node);
	if (!ok)
		return NULL;
	return negated ? make_parent(CRM_NOT, node) : node;
}

static CrmNode *parse_or(Parser *parser);

static CrmNode *
parse_primary(Parser *parser)
{
	CrmNode    *node;

	if (is_word(parser, "true") || is_word(parser, "false"))
	{
		node = make_node(CRM_CONSTANT);
		node->constant = is_word(parser, "true");
		if (++parser->npredicates > MAX_PREDICATES)
		{
			too_complex(parser, "predicates", MAX_PREDICATES);
			return NULL;
		}
		return advance(parser) ? node : NULL;
	}
	if (!is_symbol(parser, "("))
		return parse_predicate(parser);
	if (!advance(parser) || (node = parse_or(parser)) == NULL ||
		!take_symbol(parser, ")", "An operator, \"and\", \"or\" or the closing parenthesis is expected."))
		return NULL;
	return is_word(parser, "is") ? parse_is_true(parser, node) : node;
}

/* Both 'not' and '(' come through here, so this counts the depth. */
static CrmNode *
parse_not(Parser *parser)
{
	CrmNode    *node;

	check_stack_depth();
	if (++parser->depth > MAX_DEPTH)
	{
		too_complex(parser, "levels", MAX_DEPTH);
		return NULL;
	}
	if (is_word(parser, "not"))
	{
		if (!advance(parser) || (node = parse_not(parser)) == NULL)
			return NULL;
		node = make_parent(CRM_NOT, node);
	}
	else
		node = parse_primary(parser);
	parser->depth--;
	return node;
}

/* A chain of one connective; links that are chains of it are merged. */
static CrmNode *
parse_chain(Parser *parser, CrmNodeKind kind, const char *word, CrmNode *(*parse_link) (Parser *))
{
	CrmNode    *chain = NULL;
	CrmNode    *link = parse_link(parser);

	while (link != NULL && (chain != NULL || is_word(parser, word)))
	{
		int			n = link->kind == kind ? link->nargs : 1;

		CHECK_FOR_INTERRUPTS();
		if (chain == NULL)
			chain = make_node(kind);
		chain->args = chain->nargs == 0 ? palloc(sizeof(CrmNode *) * n)
			: repalloc(chain->args, sizeof(CrmNode *) * (chain->nargs + n));
		memcpy(chain->args + chain->nargs, link->kind == kind ? link->args : &link, sizeof(CrmNode *) * n);
		chain->nargs += n;
		if (!is_word(parser, word))
			return chain;
		link = advance(parser) ? parse_link(parser) : NULL;
	}
	return link;
}

static CrmNode *
parse_and(Parser *parser)
{
	return parse_chain(parser, CRM_AND, "and", parse_not);
}

static CrmNode *
parse_or(Parser *parser)
{
	return parse_chain(parser, CRM_OR, "or", parse_and);
}

CrmNode *
crm_condition_parse(const char *input, struct Node *escontext)
{
	Parser		parser = {.input = input, .next = input, .escontext = escontext};
	CrmNode    *node;

	if (strlen(input) > CRM_CONDITION_BYTES)
		crm_input_error(escontext, NULL,
						(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						 errmsg("a condition cannot have more than %d bytes", CRM_CONDITION_BYTES)));
	if (!advance(&parser) || (node = parse_or(&parser)) == NULL)
		return NULL;
	if (parser.kind != END)
	{
		expected(&parser, "\"and\", \"or\" or the end of the condition is expected.");
		return NULL;
	}
	return node;
}
