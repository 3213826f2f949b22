/*-------------------------------------------------------------------------
 * classify_purchase_tally.c
 *		The type crm._tally: distinct points with their counts.
 *
 * A large tally is an expanded object with a hash table while its aggregate
 * runs, and grows in place. A small one stays flat, since an expanded object
 * has a memory context, and a hash aggregate of many groups looks through all
 * of them whenever it begins another. Where most points differ the hash table
 * only waits for memory: then a tally is appended to, and put in order when it
 * has grown to four times what was in order. Flat it is sorted, so equal tallies
 * are equal bytes, whatever the order of the input or of merging was.
 *-------------------------------------------------------------------------
 */
#include "classify_purchase_tally.h"

#include <math.h>

#include "base_aggregate.h"
#include "base_radix.h"
#include "common/hashfn.h"
#include "common/int.h"
#include "miscadmin.h"
#include "utils/expandeddatum.h"
#include "utils/memutils.h"

#define TALLY_VERSION	1
#define TALLY_MOST		((Size) PG_UINT32_MAX / 4)	/* points */
#define TALLY_FLAT		64		/* points up to which it stays flat */
#define TALLY_HASHED	4096	/* points from which on values that mostly differ are not hashed */
#define EMPTY			PG_UINT32_MAX

typedef struct FlatTally
{
	int32		vl_len_;
	uint8		version;
	uint8		dims;
	uint16		unused;			/* 0 */
	double		parameter;
	TallyCell	cell[FLEXIBLE_ARRAY_MEMBER];
} FlatTally;

#define FLAT_HEADER offsetof(FlatTally, cell)

typedef struct Tally
{
	ExpandedObjectHeader hdr;
	int			dims;
	double		parameter;
	int64		total;
	Size		n;
	Size		room;			/* points that cell has room for, half the slots */
	TallyCell  *cell;
	uint32	   *slot;			/* number of a point, or EMPTY; 2 * room of them; NULL: appended to */
	Size		settled;		/* without slots: points in order and each once, the first ones */
} Tally;

static Size tally_flat_size(ExpandedObjectHeader *eohptr);
static void tally_flatten(ExpandedObjectHeader *eohptr, void *result, Size allocated_size);

static const ExpandedObjectMethods tally_methods = {
	tally_flat_size,
	tally_flatten
};

/* order of points ----------------------------------------------------------- */

static int
sort_cmp(const void *a, const void *b, void *dims)
{
	return point_cmp(a, b, *(int *) dims);
}

static void
sort_points(TallyCell *cell, Size n, int dims)
{
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
	memset(t->slot, 0xFF, sizeof(uint32) * 2 * t->room);
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

static Tally *
make_tally(MemoryContext parent, int dims, double parameter)
{
	MemoryContext context = AllocSetContextCreate(parent, "crm._tally", ALLOCSET_START_SMALL_SIZES);
	Tally	   *t = MemoryContextAllocZero(context, sizeof(Tally));

	EOH_init_header(&t->hdr, &tally_methods, context);
	t->dims = dims;
	t->parameter = parameter;
	t->room = 8;
	t->cell = MemoryContextAlloc(context, sizeof(TallyCell) * (dims + 1) * t->room);
	make_slots(t);
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

static void
grow(Tally *t)
{
	if (t->slot != NULL && t->n >= TALLY_HASHED && t->total / 2 < (int64) t->n)
	{
		pfree(t->slot);
		t->slot = NULL;
	}
	if (t->n / 4 >= t->settled)
		settle(t);
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
	for (Size i = 0; i < t->n; i++)
		*find_slot(t, t->cell + i * (t->dims + 1)) = (uint32) i;
}

static void
append_point(Tally *t, const TallyCell *point, int64 count)
{
	TallyCell  *new = t->cell + t->n++ * (t->dims + 1);

	memcpy(new, point, sizeof(TallyCell) * t->dims);
	new[t->dims].count = count;
}

static void
add_point(Tally *t, const TallyCell *point, int64 count)
{
	t->total += count;
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
	append_point(t, point, count);
}

static Size
tally_flat_size(ExpandedObjectHeader *eohptr)
{
	Tally	   *t = (Tally *) eohptr;
	Size		size;

	settle(t);
	size = FLAT_HEADER + sizeof(TallyCell) * (t->dims + 1) * t->n;
	if (size > MaxAllocSize)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("a tally of %zu distinct values does not fit into a value", t->n)));
	return size;
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
	memcpy(flat->cell, t->cell, allocated_size - FLAT_HEADER);
	sort_points(flat->cell, t->n, t->dims);
}

/* reading --------------------------------------------------------------------- */

/* The points of a flat tally; what in and recv accepted, or damage */
static TallyPoints
flat_points(FlatTally *flat)
{
	TallyPoints points = {0};
	Size		size = VARSIZE(flat);

	if (size < FLAT_HEADER || flat->version != TALLY_VERSION ||
		flat->dims < 1 || flat->dims > TALLY_MAX_DIMS ||
		(size - FLAT_HEADER) % (sizeof(TallyCell) * (flat->dims + 1)) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("a stored tally is damaged")));
	points.dims = flat->dims;
	points.parameter = flat->parameter;
	points.n = (size - FLAT_HEADER) / (sizeof(TallyCell) * (flat->dims + 1));
	points.cell = flat->cell;
	for (Size i = 0; i < points.n; i++)
		points.total += tally_point(&points, i)[points.dims].count;
	return points;
}

static Tally *
expanded(Datum d)
{
	Tally	   *t;

	if (!VARATT_IS_EXTERNAL_EXPANDED(DatumGetPointer(d)))
		return NULL;
	t = (Tally *) DatumGetEOHP(d);
	if (t->hdr.eoh_methods != &tally_methods)
		elog(ERROR, "expanded object is not a tally");
	return t;
}

static void
check_dims(int dims, int wanted)
{
	if (dims != wanted)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a tally of %d numbers each is not one of %d", dims, wanted)));
}

/* The points in order: a copy, but of a tally appended to, which says the same before and after */
static TallyPoints
expanded_points(Tally *t)
{
	TallyPoints points = {t->dims, t->parameter, t->total, 0, NULL};
	Size		size = sizeof(TallyCell) * (t->dims + 1) * t->n;
	TallyCell  *cell;

	if (t->slot == NULL)
	{
		settle(t);
		points.n = t->n;
		points.cell = t->cell;
		return points;
	}
	cell = MemoryContextAllocHuge(CurrentMemoryContext, Max(size, 1));
	points.n = t->n;
	points.cell = cell;
	memcpy(cell, t->cell, size);
	sort_points(cell, t->n, t->dims);
	return points;
}

/* The points of argument 0 in ascending order; dims -1: any */
TallyPoints
tally_points(FunctionCallInfo fcinfo, int dims)
{
	Tally	   *t = expanded(PG_GETARG_DATUM(0));
	TallyPoints points;

	if (t == NULL)
		points = flat_points((FlatTally *) PG_DETOAST_DATUM(PG_GETARG_DATUM(0)));
	else
		points = expanded_points(t);
	if (dims >= 0)
		check_dims(points.dims, dims);
	return points;
}

/* writing --------------------------------------------------------------------- */

static FlatTally *
make_flat(int dims, double parameter, Size n)
{
	Size		size = FLAT_HEADER + sizeof(TallyCell) * (dims + 1) * n;
	FlatTally  *flat;

	if (size > MaxAllocSize)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("a tally of %zu distinct values does not fit into a value", n)));
	flat = palloc0(size);
	SET_VARSIZE(flat, size);
	flat->version = TALLY_VERSION;
	flat->dims = (uint8) dims;
	flat->parameter = parameter;
	return flat;
}

/* Points in order, as a value */
struct varlena *
tally_flat(const TallyPoints *points)
{
	FlatTally  *flat = make_flat(points->dims, points->parameter, points->n);

	if (points->n > 0)
		memcpy(flat->cell, points->cell, sizeof(TallyCell) * (points->dims + 1) * points->n);
	return (struct varlena *) flat;
}

/* Both must be of one aggregate, called in one way, and not too many in all. */
static void
check_addable(int dims, double parameter, int64 total, const TallyPoints *points)
{
	check_dims(points->dims, dims);
	if (points->parameter != parameter)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("an aggregate was called with \"%g\" and with \"%g\"", parameter, points->parameter),
				 errhint("Every argument but the value must be the same for all rows of a group.")));
	if (pg_add_s64_overflow(total, points->total, &total))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("the number of values is out of range")));
}

static void
add_points(Tally *t, const TallyPoints *points)
{
	check_addable(t->dims, t->parameter, t->total, points);
	for (Size i = 0; i < points->n; i++)
	{
		const TallyCell *point = tally_point(points, i);

		add_point(t, point, point[t->dims].count);
	}
}

/* Argument 0 as a tally that may be changed; NULL gives NULL. */
static Tally *
writable(FunctionCallInfo fcinfo, MemoryContext context)
{
	Datum		d;
	Tally	   *t;
	TallyPoints points;

	if (PG_ARGISNULL(0))
		return NULL;
	d = PG_GETARG_DATUM(0);
	t = expanded(d);
	if (t != NULL && VARATT_IS_EXTERNAL_EXPANDED_RW(DatumGetPointer(d)))
		return t;
	points = tally_points(fcinfo, -1);
	t = make_tally(context, points.dims, points.parameter);
	add_points(t, &points);
	return t;
}

/* Two flat tallies in one */
static FlatTally *
merge_flat(const TallyPoints *a, const TallyPoints *b)
{
	FlatTally  *flat = make_flat(a->dims, a->parameter, a->n + b->n);
	Size		width = sizeof(TallyCell) * (a->dims + 1);
	TallyCell  *to = flat->cell;
	Size		i = 0,
				j = 0;

	while (i < a->n || j < b->n)
	{
		int			order = i == a->n ? 1 : j == b->n ? -1 : point_cmp(tally_point(a, i), tally_point(b, j), a->dims);

		memcpy(to, order <= 0 ? tally_point(a, i) : tally_point(b, j), width);
		if (order == 0)
			to[a->dims].count += tally_point(b, j)[a->dims].count;
		i += order <= 0;
		j += order >= 0;
		to += a->dims + 1;
	}
	SET_VARSIZE(flat, (char *) to - (char *) flat);
	return flat;
}

/* Argument 0 (NULL: none yet) and more points, in order */
static Datum
add_to_state(FunctionCallInfo fcinfo, const TallyPoints *more)
{
	Tally	   *t;

	if (PG_ARGISNULL(0))
	{
		TallyPoints none = {more->dims, more->parameter, 0, 0, NULL};

		if (more->n <= TALLY_FLAT)
			PG_RETURN_POINTER(merge_flat(&none, more));
	}
	else if (expanded(PG_GETARG_DATUM(0)) == NULL)
	{
		FlatTally  *flat = (FlatTally *) PG_DETOAST_DATUM(PG_GETARG_DATUM(0));
		TallyPoints points = flat_points(flat);

		if (points.n + more->n <= TALLY_FLAT)
		{
			check_addable(points.dims, points.parameter, points.total, more);
			PG_RETURN_POINTER(merge_flat(&points, more));
		}
	}
	t = writable(fcinfo, state_context(fcinfo));
	if (t == NULL)
		t = make_tally(state_context(fcinfo), more->dims, more->parameter);
	add_points(t, more);
	PG_RETURN_DATUM(EOHPGetRWDatum(&t->hdr));
}

/* Transition: argument 0 (NULL: none yet) and one point more */
Datum
tally_add(FunctionCallInfo fcinfo, int dims, double parameter, const double *point)
{
	TallyCell	cell[TALLY_MAX_DIMS + 1];
	TallyPoints one = {dims, parameter, 1, 1, cell};

	for (int i = 0; i < dims; i++)
		cell[i].number = point[i] + 0.0;	/* never -0 */
	cell[dims].count = 1;
	if (!PG_ARGISNULL(0) && VARATT_IS_EXTERNAL_EXPANDED_RW(PG_GETARG_POINTER(0)))
	{
		Tally	   *t = expanded(PG_GETARG_DATUM(0));

		check_addable(t->dims, t->parameter, t->total, &one);
		add_point(t, cell, 1);
		PG_RETURN_DATUM(PG_GETARG_DATUM(0));
	}
	return add_to_state(fcinfo, &one);
}

PG_FUNCTION_INFO_V1(crm_tally_merge);
/*
 * _tally_merge(a, b): the tally of both; NULL counts as none.  Errors: 22023
 * where they belong to different aggregates or calls, 22003.
 */
Datum
crm_tally_merge(PG_FUNCTION_ARGS)
{
	Tally	   *from;
	TallyPoints points;

	if (PG_ARGISNULL(1))
	{
		if (PG_ARGISNULL(0))
			PG_RETURN_NULL();
		PG_RETURN_DATUM(PG_GETARG_DATUM(0));
	}
	from = expanded(PG_GETARG_DATUM(1));
	if (from == NULL)
		points = flat_points((FlatTally *) PG_DETOAST_DATUM(PG_GETARG_DATUM(1)));
	else
		points = expanded_points(from);
	return add_to_state(fcinfo, &points);
}
