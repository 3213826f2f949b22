/*-------------------------------------------------------------------------
 * classify_condition_write.c
 *		The canonical text of a crm.condition.
 *
 * Words in lower case, single spaces, no parentheses but those needed. Parsed
 * again it gives the same tree.
 *-------------------------------------------------------------------------
 */
#include "classify_condition.h"

#include <stdlib.h>

#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/datetime.h"

static void
write_shift(StringInfo buf, int32 n, const char *unit)
{
	appendStringInfo(buf, " %c %d %s%s", n < 0 ? '-' : '+', abs(n), unit, abs(n) == 1 ? "" : "s");
}

static void
write_value(StringInfo buf, const CrmTerm *term, const CrmValue *value)
{
	int			y,
				m,
				d;

	switch (term->kind)
	{
		case CRM_NUMBER:
			appendStringInfoString(buf, numeric_normalize(value->number));
			break;
		case CRM_TEXT:
		case CRM_SET:
			appendStringInfoChar(buf, '\'');
			for (const char *p = value->string; *p; p++)
			{
				/* in the server's encodings a quote is never part of another character */
				if (*p == '\'')
					appendStringInfoChar(buf, '\'');
				appendStringInfoChar(buf, *p);
			}
			appendStringInfoChar(buf, '\'');
			break;
		case CRM_BOOLEAN:
			appendStringInfoString(buf, value->boolean ? "true" : "false");
			break;
		case CRM_DATE:
			if (value->relative)
			{
				appendStringInfoString(buf, "today");
				if (value->months % 12 == 0 && value->months != 0)
					write_shift(buf, value->months / 12, "year");
				else if (value->months != 0)
					write_shift(buf, value->months, "month");
				if (value->days != 0)
					write_shift(buf, value->days, "day");
				break;
			}
			j2date(value->day + POSTGRES_EPOCH_JDATE, &y, &m, &d);
			appendStringInfo(buf, "'%04d-%02d-%02d'", y, m, d);
			break;
	}
}

static void
write_term(StringInfo buf, const CrmTerm *term)
{
	if (term->part == CRM_WHOLE)
		appendStringInfoString(buf, term->column->name);
	else
		appendStringInfo(buf, "%s(%s)", crm_part_name(term->part), term->column->name);
}

static void
write_predicate(StringInfo buf, const CrmNode *node, bool negated)
{
	static const char *const comparisons[] = {
		[CRM_EQ] = "=", [CRM_NE] = "<>", [CRM_LT] = "<", [CRM_LE] = "<=", [CRM_GT] = ">", [CRM_GE] = ">="
	};
	bool		list = false;

	write_term(buf, &node->term);
	if (negated)
		appendStringInfoString(buf, " not");
	switch (node->kind)
	{
		case CRM_IS_NULL:
			appendStringInfoString(buf, node->negated ? " is not null" : " is null");
			return;
		case CRM_COMPARE:
			appendStringInfo(buf, " %s", comparisons[node->compare]);
			break;
		case CRM_BETWEEN:
			appendStringInfoString(buf, " between");
			break;
		case CRM_IN:
			appendStringInfoString(buf, " in");
			list = true;
			break;
		case CRM_STARTS:
			appendStringInfoString(buf, " starts with");
			break;
		case CRM_CONTAINS:
			appendStringInfoString(buf, " contains");
			break;
		case CRM_CONTAINS_ANY:
			appendStringInfoString(buf, " contains any");
			list = true;
			break;
		case CRM_CONTAINS_ALL:
			appendStringInfoString(buf, " contains all");
			list = true;
			break;
		default:
			return;
	}
	appendStringInfoString(buf, list ? " (" : " ");
	for (int i = 0; i < node->nvalues; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (i > 0)
			appendStringInfoString(buf, list ? ", " : " and ");
		write_value(buf, &node->term, &node->values[i]);
	}
	if (list)
		appendStringInfoChar(buf, ')');
}

static bool
takes_not_inside(CrmNodeKind kind)
{
	return kind == CRM_BETWEEN || kind == CRM_IN || kind == CRM_STARTS ||
		kind == CRM_CONTAINS || kind == CRM_CONTAINS_ANY || kind == CRM_CONTAINS_ALL;
}

static void
write_node(StringInfo buf, const CrmNode *node)
{
	check_stack_depth();
	switch (node->kind)
	{
		case CRM_AND:
		case CRM_OR:
			for (int i = 0; i < node->nargs; i++)
			{
				bool		nested = node->kind == CRM_AND && node->args[i]->kind == CRM_OR;

				if (i > 0)
					appendStringInfoString(buf, node->kind == CRM_AND ? " and " : " or ");
				if (nested)
					appendStringInfoChar(buf, '(');
				write_node(buf, node->args[i]);
				if (nested)
					appendStringInfoChar(buf, ')');
			}
			break;
		case CRM_NOT:
			if (takes_not_inside(node->args[0]->kind))
				write_predicate(buf, node->args[0], true);
			else
			{
				bool		nested = node->args[0]->kind == CRM_AND || node->args[0]->kind == CRM_OR;

				appendStringInfoString(buf, nested ? "not (" : "not ");
				write_node(buf, node->args[0]);
				if (nested)
					appendStringInfoChar(buf, ')');
			}
			break;
		case CRM_IS_TRUE:
			{
				bool		bare = node->args[0]->kind == CRM_HOLDS;

				if (!bare)
					appendStringInfoChar(buf, '(');
				write_node(buf, node->args[0]);
				appendStringInfo(buf, "%s is %strue", bare ? "" : ")", node->negated ? "not " : "");
			}
			break;
		case CRM_CONSTANT:
			appendStringInfoString(buf, node->constant ? "true" : "false");
			break;
		default:
			write_predicate(buf, node, false);
			break;
	}
}

char *
crm_condition_write(const CrmNode *node)
{
	StringInfoData buf;

	initStringInfo(&buf);
	write_node(&buf, node);
	return buf.data;
}
