/*-------------------------------------------------------------------------
 * classify_condition_columns.c
 *		The columns that a crm.condition may name, and the parts of them.
 *
 * A condition is checked when it is written, without reading a table, so the
 * columns of crm_bi.listed_customer are listed here; a test holds the two equal. A
 * new column is a line in this list. Columns are never taken from it: stored
 * conditions may name them.
 *-------------------------------------------------------------------------
 */
#include "classify_condition.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/varlena.h"

static const CrmColumn columns[] = {
	{"customer_id", CRM_NUMBER},
	{"kind", CRM_TEXT},
	{"name", CRM_TEXT},
	{"sex", CRM_TEXT},
	{"birth_date", CRM_DATE},
	{"known_from", CRM_DATE},
	{"org_id", CRM_NUMBER},
	{"channel", CRM_TEXT},
	{"source_channel", CRM_TEXT},
	{"coverage", CRM_TEXT},
	{"role", CRM_TEXT},
	{"insured_long_term", CRM_BOOLEAN},
	{"plan_customer", CRM_BOOLEAN},
	{"activity", CRM_TEXT},
	{"tier", CRM_TEXT},
	{"amount", CRM_NUMBER},
	{"standing_since", CRM_DATE},
	{"reachable", CRM_BOOLEAN},
	{"channels", CRM_SET},
	{"touchpoints", CRM_SET},
	{"service", CRM_TEXT},
	{"reach", CRM_TEXT},
	{"prospect_kind", CRM_TEXT},
	{"lists", CRM_SET},
	{"completeness", CRM_NUMBER},
};

static const char *const kind_names[] = {
	[CRM_NUMBER] = "number",
	[CRM_TEXT] = "text",
	[CRM_DATE] = "date",
	[CRM_BOOLEAN] = "boolean",
	[CRM_SET] = "set",
};

static const char *const part_names[] = {
	[CRM_WHOLE] = NULL,
	[CRM_YEAR] = "year",
	[CRM_MONTH] = "month",
	[CRM_DAY] = "day",
	[CRM_AGE] = "age",
	[CRM_DAYS_TO_ANNIVERSARY] = "days_to_anniversary",
	[CRM_COUNT] = "count",
};

const CrmColumn *
crm_column_find(const char *name)
{
	for (int i = 0; i < (int) lengthof(columns); i++)
		if (strcmp(columns[i].name, name) == 0)
			return &columns[i];
	return NULL;
}

const char *
crm_kind_name(CrmColumnKind kind)
{
	return kind_names[kind];
}

const char *
crm_part_name(CrmPart part)
{
	return part_names[part];
}

bool
crm_part_find(const char *name, CrmPart *part)
{
	for (int i = CRM_YEAR; i < (int) lengthof(part_names); i++)
		if (strcmp(part_names[i], name) == 0)
		{
			*part = (CrmPart) i;
			return true;
		}
	return false;
}

/* The kind of a part of a column, and whether such a column has it. */
CrmColumnKind
crm_part_kind(CrmPart part, CrmColumnKind whole, bool *applies)
{
	*applies = part == CRM_WHOLE || whole == (part == CRM_COUNT ? CRM_SET : CRM_DATE);
	return part == CRM_WHOLE ? whole : CRM_NUMBER;
}

/* How far is one name from another? A name within the other is near. */
static int
distance(const char *name, const char *other)
{
	int			len = strlen(name);

	if (len >= 3 && strstr(other, name) != NULL)
		return 1;
	return varstr_levenshtein(name, len, other, strlen(other), 1, 1, 1, true);
}

/*
 * The hint for a name that is no column: the nearest ones, or all where none
 * is near.
 */
const char *
crm_column_hint(const char *name)
{
	StringInfoData near;
	StringInfoData all;
	int			limit = Max(1, (int) strlen(name) / 3);

	initStringInfo(&near);
	initStringInfo(&all);
	for (int i = 0; i < (int) lengthof(columns); i++)
	{
		const char *column = columns[i].name;

		appendStringInfo(&all, "%s%s", i > 0 ? ", " : "", column);
		if (strlen(name) < NAMEDATALEN && distance(name, column) <= limit)
			appendStringInfo(&near, "%s\"%s\"", near.len > 0 ? ", " : "", column);
	}
	if (near.len > 0)
		return psprintf("Near it: %s.", near.data);
	return psprintf("The columns are %s.", all.data);
}

/* Types of a row's columns: what is read as a kind, domains as their base. */
Oid
crm_column_base_type(CrmColumnKind kind, Oid type)
{
	Oid			base = getBaseType(type);

	switch (kind)
	{
		case CRM_NUMBER:
			if (base == INT2OID || base == INT4OID || base == INT8OID || base == NUMERICOID)
				return base;
			break;
		case CRM_TEXT:
			if (base == TEXTOID || base == VARCHAROID)
				return base;
			break;
		case CRM_DATE:
			if (base == DATEOID)
				return base;
			break;
		case CRM_BOOLEAN:
			if (base == BOOLOID)
				return base;
			break;
		case CRM_SET:
			if (base == TEXTARRAYOID || base == TEXTOID)
				return base;
			break;
	}
	return InvalidOid;
}

/*
 * crm.condition_columns(): the columns a condition may name, and their kinds,
 * in order of the view.
 */
PG_FUNCTION_INFO_V1(crm_condition_columns);
Datum
crm_condition_columns(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;

	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < (int) lengthof(columns); i++)
	{
		Datum		values[2] = {CStringGetTextDatum(columns[i].name),
		CStringGetTextDatum(kind_names[columns[i].kind])};
		bool		nulls[2] = {false, false};

		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	return (Datum) 0;
}
