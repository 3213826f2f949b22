/*-------------------------------------------------------------------------
 * classify_purchase_tally_grid.c
 *		How large the grid of a tally is, and what is in it.
 *
 * It takes at most four counters for each row of input, so that few rows with
 * large numbers cost no memory, and no more than fit into a processor's cache.
 *-------------------------------------------------------------------------
 */
#include "classify_purchase_tally_grid.h"

#include "port/pg_bitutils.h"
#include "utils/memutils.h"

#define GRID_MOST			(1 << 18)	/* counters */
#define GRID_MOST_COLUMNS	32
#define GRID_PER_ROW		4

/*
 * Makes the grid larger where most of the points beside it would lie in it then:
 * true where it did.
 */
bool
grid_grow(TallyGrid *g, MemoryContext context, const TallyCell *cell, Size n, int dims, int64 total)
{
	const TallyGrid most = {.limit = {GRID_MOST, GRID_MOST_COLUMNS}};
	int64		room = Min(total, GRID_MOST / GRID_PER_ROW) * GRID_PER_ROW;
	uint32		rows = (uint32) g->limit[0];
	double		last[2] = {0, 0};
	TallyGrid	new;
	Size		held = 0;

	if (dims > 2 || total < GRID_FIRST)
		return false;
	for (Size i = 0; i < n; i++)
		if (grid_holds(&most, cell + i * (dims + 1), dims))
		{
			held++;
			for (int j = 0; j < dims; j++)
				last[j] = Max(last[j], cell[i * (dims + 1) + j].number);
		}
	if (held <= n / 2)
		return false;
	new.columns = Max(pg_nextpower2_32((uint32) last[1] + 1), g->columns);
	new.limit[0] = Max(Min(pg_nextpower2_32((uint32) last[0] + 1), pg_prevpower2_32((uint32) (room / new.columns))), rows);
	new.limit[1] = new.columns;
	if ((new.limit[0] == g->limit[0] && new.columns == g->columns) || new.limit[0] * new.columns > room)
		return false;
	held = 0;
	for (Size i = 0; i < n; i++)
		held += grid_holds(&new, cell + i * (dims + 1), dims);
	if (held <= n / 2)
		return false;
	new.count = MemoryContextAllocZero(context, sizeof(int64) * (Size) new.limit[0] * new.columns);
	for (uint32 row = 0; row < rows; row++)
		memcpy(new.count + (Size) row * new.columns, g->count + (Size) row * g->columns, sizeof(int64) * g->columns);
	if (g->count != NULL)
		pfree(g->count);
	*g = new;
	return true;
}

/* How many points it has; where there is room for them, these in ascending order */
Size
grid_points(const TallyGrid *g, int dims, TallyCell *to)
{
	Size		n = 0;

	for (uint32 row = 0; row < (uint32) g->limit[0]; row++)
		for (uint32 column = 0; column < g->columns; column++)
		{
			int64		count = g->count[(Size) row * g->columns + column];

			if (count == 0)
				continue;
			n++;
			if (to == NULL)
				continue;
			to++->number = row;
			if (dims > 1)
				to++->number = column;
			to++->count = count;
		}
	return n;
}
