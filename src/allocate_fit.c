/*-------------------------------------------------------------------------
 * allocate_fit.c
 *		Customers given to staff by a list of pairs, the best first.
 *-------------------------------------------------------------------------
 */
#include "allocate_table.h"

#include "miscadmin.h"

static int
to_seat(const void *key, const void *seat)
{
	return table_order(*(const int64 *) key, ((const Seat *) seat)->staff);
}

static int
to_guest(const void *key, const void *guest)
{
	return table_order(*(const int64 *) key, ((const Guest *) guest)->customer);
}

PG_FUNCTION_INFO_V1(crm_allocate_fit);
/*
 * crm._fit(customers, kinds, staff, rooms, kind_loads, pair_customers,
 * pair_staff) -> staff[]: goes through the pairs in their order and gives the
 * customer to the member of staff if it has nobody yet and fits; null where
 * no pair did. Pairs of others are passed over. kinds and kind_loads as
 * crm._deal. Errors: 22004, 22023, 22003, 2202E.
 */
Datum
crm_allocate_fit(PG_FUNCTION_ARGS)
{
	Column		customers = table_column(fcinfo, 0, "customers");
	Column		kinds = table_column(fcinfo, 1, "kinds");
	Column		staff = table_column(fcinfo, 2, "staff");
	Column		rooms = table_column(fcinfo, 3, "rooms");
	Column		kind_loads = table_column(fcinfo, 4, "kind_loads");
	Column		pair_customers = table_column(fcinfo, 5, "pair_customers");
	Column		pair_staff = table_column(fcinfo, 6, "pair_staff");
	Table		table;

	table_same_length(rooms, "rooms", staff, "staff");
	table_same_length(pair_staff, "pair_staff", pair_customers, "pair_customers");
	table_init(&table, customers, staff, rooms, rooms);
	table_set_kinds(&table, kinds, kind_loads);
	for (int i = 0; i < pair_customers.n; i++)
	{
		const Guest *guest = bsearch(&pair_customers.value[i], table.guest, table.guests, sizeof(Guest), to_guest);
		Seat	   *seat = bsearch(&pair_staff.value[i], table.seat, table.seats, sizeof(Seat), to_seat);

		CHECK_FOR_INTERRUPTS();
		if (guest != NULL && seat != NULL && table.left[guest->position] && table_fits(&table, seat, guest->kind))
			table_give(&table, guest, seat);
	}
	PG_RETURN_DATUM(table_answer(&table));
}
