/*-------------------------------------------------------------------------
 * classify_purchase_tally_object.c
 *		A tally as an expanded object, which grows in place.
 *
 * Points are found by a hash table. Where most of them differ that only waits for
 * memory: then a tally is appended to, and put in order when it has grown to four
 * times what it was and many are there more than once. Points of small whole
 * numbers, such as days and causes, are counted in a grid beside. Flat it is
 * sorted, so equal tallies are equal bytes, whatever the order of the input or of
 * merging was.
 *-------------------------------------------------------------------------
 */
#include "classify_purchase_tally_object.h"

#include "base_radix.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "port/pg_bitutils.h"
#include "utils/memutils.h"

#define TALLY_HASHED	4096	/* points from which on values that mostly differ are not hashed */
#define EMPTY			PG_UINT32_MAX

static Size tally_flat_size(ExpandedObjectHeader *eohptr);
static void tally_flatten(ExpandedObjectHeader *eohptr, void *result, Size allocated_size);

const ExpandedObjectMethods tally_methods = {
	tally_flat_size,
	tally_flatten
};

/* Bytes of a flat tally of n points */
Size
tally_flat_bytes(int dims, Size n)
{
	Size		size = FLAT_HEADER + sizeof(TallyCell) * (dims + 1) * n;

	if (size > MaxAllocSize)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("a tally of %zu distinct values does not fit into a value", n)));
	return size;
}

/* order of points ----------------------------------------------------------- */

static int
sort_cmp(const void *a, const void *b, void *dims)
{
	return point_cmp(a, b, *(int *) dims);
}

static void
sort_points(TallyCell *cell, Size n, int dims)
{
	Size		ordered = 1;

	while (ordered < n && point_cmp(cell + (ordered - 1) * (dims + 1), cell + ordered * (dims + 1), dims) <= 0)
		ordered++;
	if (ordered >= n)
		return;
	if (n > TALLY_FLAT)
	{
		for (int i = dims - 1; i >= 0; i--)
			radix_sort(cell, n, dims + 1, i, RADIX_DOUBLE);
		return;
	}
	qsort_arg(cell, n, sizeof(TallyCell) * (dims + 1), sort_cmp, &dims);
}

/* the expanded form ----------------------------------------------------------- */

static void
make_slots(Tally *t)
{
	MemoryContext context = t->hdr.eoh_context;

	if (t->slot != NULL)
		pfree(t->slot);
	t->slot = MemoryContextAllocHuge(context, sizeof(uint32) * 2 * t->room);
}

static inline uint32
point_hash(const TallyCell *point, int dims)
{
	uint64		h = 0;

	for (int i = 0; i < dims; i++)
	{
		h = (h ^ (uint64) point[i].count) * UINT64CONST(0x9E3779B97F4A7C15);
		h ^= h >> 32;
	}
	return murmurhash32((uint32) h);
}

/* Where the point is, or where it belongs */
static inline uint32 *
find_slot(Tally *t, const TallyCell *point)
{
	uint32		mask = (uint32) (2 * t->room - 1);
	uint32		i = point_hash(point, t->dims) & mask;

	while (t->slot[i] != EMPTY &&
		   point_cmp(t->cell + (Size) t->slot[i] * (t->dims + 1), point, t->dims) != 0)
		i = (i + 1) & mask;
	return &t->slot[i];
}

/* Every point in its slot */
static void
fill_slots(Tally *t)
{
	memset(t->slot, 0xFF, sizeof(uint32) * 2 * t->room);
	for (Size i = 0; i < t->n; i++)
		*find_slot(t, t->cell + i * (t->dims + 1)) = (uint32) i;
}

/* An empty one */
Tally *
tally_make(MemoryContext parent, int dims, double parameter)
{
	MemoryContext context = AllocSetContextCreate(parent, "crm._tally", ALLOCSET_START_SMALL_SIZES);
	Tally	   *t = MemoryContextAllocZero(context, sizeof(Tally));

	EOH_init_header(&t->hdr, &tally_methods, context);
	t->dims = dims;
	t->parameter = parameter;
	t->room = 8;
	t->grid_next = GRID_FIRST;
	t->cell = MemoryContextAlloc(context, sizeof(TallyCell) * (dims + 1) * t->room);
	make_slots(t);
	fill_slots(t);
	return t;
}

/* Of a tally appended to: every point once, in order */
static void
settle(Tally *t)
{
	int			width = t->dims + 1;
	TallyCell  *last = t->cell;

	if (t->slot != NULL || t->settled == t->n)
		return;
	sort_points(t->cell, t->n, t->dims);
	for (Size i = 1; i < t->n; i++)
	{
		const TallyCell *point = t->cell + i * width;

		if (point_cmp(last, point, t->dims) == 0)
			last[t->dims].count += point[t->dims].count;
		else
			last = memmove(last + width, point, sizeof(TallyCell) * width);
	}
	t->n = t->settled = (last - t->cell) / width + 1;
}

/* Half of the points, or more?  By a bit for each hash. */
static bool
mostly_differ(const Tally *t)
{
	int			width = t->dims + 1;
	Size		bits = Min((Size) pg_nextpower2_64(t->n) * 8, (Size) PG_UINT32_MAX + 1);
	uint64	   *bit = MemoryContextAllocExtended(CurrentMemoryContext, bits / 8, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	Size		different = 0;

	for (Size i = 0; i < t->n; i++)
	{
		Size		hash = point_hash(t->cell + i * width, t->dims) & (bits - 1);
		uint64		mask = UINT64CONST(1) << (hash & 63);

		different += (bit[hash >> 6] & mask) == 0;
		bit[hash >> 6] |= mask;
	}
	pfree(bit);
	return different >= t->n / 2;
}

static void
grow(Tally *t)
{
	if (t->slot != NULL && t->n >= TALLY_HASHED && t->total / 2 < (int64) t->n)
	{
		pfree(t->slot);
		t->slot = NULL;
		t->settle_next = t->n * 4;
	}
	if (t->slot == NULL && t->n >= t->settle_next)
	{
		if (!mostly_differ(t))
			settle(t);
		t->settle_next = t->n * 4;
	}
	if (t->slot == NULL && t->n <= t->room / 2)
		return;
	if (t->room > TALLY_MOST / 2)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("an aggregate cannot tell more than %zu values apart", TALLY_MOST)));
	CHECK_FOR_INTERRUPTS();
	t->room *= 2;
	t->cell = repalloc_huge(t->cell, sizeof(TallyCell) * (t->dims + 1) * t->room);
	if (t->slot == NULL)
		return;
	make_slots(t);
	fill_slots(t);
}

/* Points that the grid holds now go there. */
static void
move_to_grid(Tally *t)
{
	int			width = t->dims + 1;
	Size		kept = 0;
	Size		settled = 0;

	for (Size i = 0; i < t->n; i++)
	{
		TallyCell  *point = t->cell + i * width;

		if (grid_holds(&t->grid, point, t->dims))
			*grid_count(&t->grid, point, t->dims) += point[t->dims].count;
		else
			memmove(t->cell + kept++ * width, point, sizeof(TallyCell) * width);
		if (i + 1 == t->settled)
			settled = kept;
	}
	t->n = kept;
	t->settled = settled;
	if (t->slot != NULL)
		fill_slots(t);
}

/* At each doubling of the total */
static void
grow_grid(Tally *t)
{
	t->grid_next = t->total > PG_INT64_MAX / 2 ? PG_INT64_MAX : t->total * 2;
	if (grid_grow(&t->grid, t->hdr.eoh_context, t->cell, t->n, t->dims, t->total))
		move_to_grid(t);
}

/* A point that the grid does not hold; the total has its count already. */
void
tally_add_cell(Tally *t, const TallyCell *point, int64 count)
{
	if (t->slot != NULL)
	{
		uint32		number = *find_slot(t, point);

		if (number != EMPTY)
		{
			t->cell[(Size) number * (t->dims + 1) + t->dims].count += count;
			return;
		}
	}
	if (t->n == t->room)
		grow(t);
	if (t->slot != NULL)
		*find_slot(t, point) = (uint32) t->n;
	tally_append(t, point, t->dims, count);
	if (t->total >= t->grid_next)
		grow_grid(t);
}

/* Different points */
Size
tally_count(Tally *t)
{
	settle(t);
	return grid_points(&t->grid, t->dims, NULL) + t->n;
}

/* These in order */
void
tally_write(const Tally *t, TallyCell *cell, Size n)
{
	Size		in_grid = grid_points(&t->grid, t->dims, cell);

	Assert(in_grid + t->n == n);
	memcpy(cell + in_grid * (t->dims + 1), t->cell, sizeof(TallyCell) * (t->dims + 1) * t->n);
	sort_points(cell, n, t->dims);
}

static Size
tally_flat_size(ExpandedObjectHeader *eohptr)
{
	Tally	   *t = (Tally *) eohptr;
	return tally_flat_bytes(t->dims, tally_count(t));
}

static void
tally_flatten(ExpandedObjectHeader *eohptr, void *result, Size allocated_size)
{
	Tally	   *t = (Tally *) eohptr;
	FlatTally  *flat = result;

	memset(flat, 0, FLAT_HEADER);
	SET_VARSIZE(flat, allocated_size);
	flat->version = TALLY_VERSION;
	flat->dims = (uint8) t->dims;
	flat->parameter = t->parameter;
	tally_write(t, flat->cell, (allocated_size - FLAT_HEADER) / (sizeof(TallyCell) * (t->dims + 1)));
}
