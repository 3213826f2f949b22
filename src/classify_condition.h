/*-------------------------------------------------------------------------
 * classify_condition.h
 *		crm.condition: a rule over the columns of crm_bi.customer, parsed.
 *-------------------------------------------------------------------------
 */
#ifndef CRM_CLASSIFY_CONDITION_H
#define CRM_CLASSIFY_CONDITION_H

#include "crm.h"

#include "utils/array.h"
#include "utils/date.h"
#include "utils/numeric.h"

typedef enum CrmColumnKind
{
	CRM_NUMBER,
	CRM_TEXT,
	CRM_DATE,
	CRM_BOOLEAN,
	CRM_SET						/* of texts */
} CrmColumnKind;

typedef struct CrmColumn
{
	const char *name;
	CrmColumnKind kind;
} CrmColumn;

/* What a predicate tests of a column. */
typedef enum CrmPart
{
	CRM_WHOLE,					/* the column itself */
	CRM_YEAR,					/* numbers of a date */
	CRM_MONTH,
	CRM_DAY,
	CRM_AGE,
	CRM_DAYS_TO_ANNIVERSARY,
	CRM_COUNT					/* elements of a set */
} CrmPart;

typedef struct CrmTerm
{
	const CrmColumn *column;
	CrmPart		part;
	CrmColumnKind kind;			/* of the part */
} CrmTerm;

typedef enum CrmCompare
{
	CRM_EQ,
	CRM_NE,
	CRM_LT,
	CRM_LE,
	CRM_GT,
	CRM_GE
} CrmCompare;

/* A literal: of the kind of the term that it is compared with. */
typedef struct CrmValue
{
	Numeric		number;
	const char *string;			/* of texts and sets */
	bool		boolean;
	bool		relative;		/* a date: today + months + days */
	int32		months;
	int32		days;
	DateADT		day;			/* a date that is not relative */
} CrmValue;

typedef enum CrmNodeKind
{
	/* of other nodes */
	CRM_AND,
	CRM_OR,
	CRM_NOT,
	CRM_IS_TRUE,
	/* of none */
	CRM_CONSTANT,
	CRM_HOLDS,					/* a boolean column */
	CRM_IS_NULL,
	CRM_COMPARE,
	CRM_BETWEEN,
	CRM_IN,
	CRM_STARTS,
	CRM_CONTAINS,				/* a text in a text, an element in a set */
	CRM_CONTAINS_ANY,
	CRM_CONTAINS_ALL
} CrmNodeKind;

typedef struct CrmNode
{
	CrmNodeKind kind;
	bool		negated;		/* is not null, is not true */
	bool		constant;		/* of CRM_CONSTANT */
	CrmCompare	compare;		/* of CRM_COMPARE */
	CrmTerm		term;
	int			nargs;
	struct CrmNode **args;
	int			nvalues;
	CrmValue   *values;
} CrmNode;

/* classify_condition_columns.c */
extern const CrmColumn *crm_column_find(const char *name);
extern const char *crm_column_hint(const char *name);
extern const char *crm_kind_name(CrmColumnKind kind);
extern CrmColumnKind crm_part_kind(CrmPart part, CrmColumnKind whole, bool *applies);
extern const char *crm_part_name(CrmPart part);
extern bool crm_part_find(const char *name, CrmPart *part);

/* classify_condition_dates.c: false: unknown, the answer is NULL */
extern DateADT crm_shift_day(DateADT day, int32 months, int32 days);
extern bool crm_date_part(CrmPart part, DateADT day, bool as_of_known, DateADT as_of, int32 *result);

/* classify_condition_parse.c; NULL after a soft error */
extern CrmNode *crm_condition_parse(const char *input, struct Node *escontext);

/* classify_condition_write.c: the canonical text */
extern char *crm_condition_write(const CrmNode *node);

/* classify_condition_columns.c: how a row's column may be typed: InvalidOid refuses, else the base type. */
extern Oid	crm_column_base_type(CrmColumnKind kind, Oid type);

/* classify_condition_match.c: a LIKE pattern for CRM_STARTS and CRM_CONTAINS of texts. */
extern text *crm_like_pattern(CrmNodeKind kind, const char *string);

/* Is it a whole number within bigint? */
extern bool crm_number_is_bigint(Numeric number, int64 *result);

#define CRM_CONDITION_BYTES	1000000	/* of a text, as given and canonical */
#define CRM_SET_SEPARATOR	", "	/* where a view shows a set as text */

#endif							/* CRM_CLASSIFY_CONDITION_H */
