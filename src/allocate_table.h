/*-------------------------------------------------------------------------
 * allocate_table.h
 *		Who is to be given to whom: members of staff with room for more,
 *		customers of kinds that weigh differently with each, and the pairs
 *		that must not meet.
 *-------------------------------------------------------------------------
 */
#ifndef CRM_ALLOCATE_TABLE_H
#define CRM_ALLOCATE_TABLE_H

#include "crm.h"

/* the most that one customer counts with one member of staff */
#define MAX_KIND_LOAD	1000000

/* A column of the input: keys or numbers, none of them null. */
typedef struct Column
{
	const int64 *value;
	int			n;
} Column;

typedef struct Seat
{
	int64		staff;
	int64		key;			/* what the strategy goes by */
	int64		room;			/* how much more load; below 0: nobody at all */
	int32		position;		/* in the input */
	int32		gifts;			/* customers given */
} Seat;

typedef struct Guest
{
	int64		customer;
	int32		position;		/* in the input */
	int32		kind;
	int32		bars;			/* number of pairs below that name the customer */
	int32		first_bar;
} Guest;

typedef struct Bar
{
	int64		customer;
	int64		staff;
} Bar;

typedef struct Table
{
	Seat	   *seat;			/* in order of the staff */
	int			seats;
	Guest	   *guest;			/* in order of the customer, until they are told otherwise */
	int			guests;
	Bar		   *bar;			/* in order of customer and staff */
	int			bars;
	const int64 *kind_load;		/* of each kind for each position of staff; NULL: all count 1 */
	int			kinds;
	int64	   *given;			/* staff for each position of a customer */
	bool	   *left;			/* whether the customer at a position got nobody */
} Table;

extern Column table_column(FunctionCallInfo fcinfo, int argument, const char *name);
extern void table_same_length(Column column, const char *name, Column other, const char *other_name);
extern void *table_memory(Size n, Size size);
extern void table_init(Table *table, Column customers, Column staff, Column keys, Column rooms);
extern void table_set_kinds(Table *table, Column kinds, Column kind_loads);
extern void table_set_bars(Table *table, Column barred_customers, Column barred_staff);
extern bool table_is_barred(const Table *table, const Guest *guest, const Seat *seat);
extern Datum table_answer(const Table *table);

/* What a customer of a kind counts with a member of staff. */
static inline int64
table_load(const Table *table, const Seat *seat, int kind)
{
	return table->kind_load == NULL ? 1 :
		table->kind_load[(Size) seat->position * table->kinds + kind];
}

static inline bool
table_fits(const Table *table, const Seat *seat, int kind)
{
	return seat->room >= table_load(table, seat, kind);
}

/* A customer goes to a member of staff. */
static inline void
table_give(Table *table, const Guest *guest, Seat *seat)
{
	table->left[guest->position] = false;
	table->given[guest->position] = seat->staff;
	seat->room -= table_load(table, seat, guest->kind);
	seat->gifts++;
}

static inline int
table_order(int64 a, int64 b)
{
	return (a > b) - (a < b);
}

#endif							/* CRM_ALLOCATE_TABLE_H */
