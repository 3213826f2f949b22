/*-------------------------------------------------------------------------
 * base_query.h
 *		Reading the rows of a query one by one, without storing them.
 *-------------------------------------------------------------------------
 */
#ifndef CRM_BASE_QUERY_H
#define CRM_BASE_QUERY_H

#include "crm.h"

#include "executor/spi.h"
#include "executor/tuptable.h"

typedef void (*RowFunction) (void *arg, const Datum *values, const bool *nulls);

#define GIVEN_QUERY_COLUMNS 8

/* A column, never null, of a query that a user gives */
typedef struct GivenColumn
{
	const char *name;
	const Oid  *types;			/* that it may have, InvalidOid at the end */
	Oid			cast;			/* what others should be cast to */
	bool		optional;		/* may be missing, and is null then */
	/* found when the query begins */
	AttrNumber	attnum;
	Oid			type;			/* one of types, domains looked through */
} GivenColumn;

/* A query whose plan is kept for the session */
typedef struct KeptQuery
{
	const char *sql;
	int			nargs;
	Oid			args[12];
	bool		by_active_snapshot; /* reads by the snapshot in force, which a caller may have made the latest */
	SPIPlanPtr	plan;
} KeptQuery;

extern void *make_room(void *array, int64 n, int64 *size, Size width);
extern void kept_query_arg(KeptQuery *q, int i, Oid type);
extern Oid	crm_type(const char *name);
extern bool model_is_0_1(void);
extern void ignore_row(void *arg, const Datum *values, const bool *nulls);
extern uint64 query_rows(const char *sql, int natts, const Oid *types, RowFunction row, void *arg);
extern uint64 given_query_rows(const char *sql, const char *what, int ncolumns, GivenColumn *columns,
							   RowFunction row, void *arg);
extern uint64 kept_query_rows(KeptQuery *q, Datum *args, const char *nulls, int natts, RowFunction row, void *arg);

#endif							/* CRM_BASE_QUERY_H */
