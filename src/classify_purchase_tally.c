/*-------------------------------------------------------------------------
 * classify_purchase_tally.c
 *		The type crm._tally: distinct points with their counts.
 *
 * Up to TALLY_FLAT points a tally stays flat, since an expanded object has a
 * memory context, and a hash aggregate of many groups looks through all of them
 * whenever it begins another.
 *-------------------------------------------------------------------------
 */
#include "classify_purchase_tally_object.h"

#include "base_aggregate.h"
#include "common/int.h"
#include "utils/float.h"
#include "utils/memutils.h"

#define TALLY_MERGED	1024	/* points of another tally from which on they are merged at once */

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

static inline Tally *
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
	TallyCell  *cell;

	points.n = tally_count(t);
	points.cell = t->cell;
	if (t->slot == NULL && points.n == t->n)
		return points;
	points.cell = cell = MemoryContextAllocHuge(CurrentMemoryContext, Max(sizeof(TallyCell) * (t->dims + 1) * points.n, 1));
	tally_write(t, cell, points.n);
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

/* The same in any order, some of them more than once with a part of their count, for less work */
TallyPoints
tally_points_unordered(FunctionCallInfo fcinfo, int dims)
{
	Tally	   *t = expanded(PG_GETARG_DATUM(0));

	if (t == NULL || t->grid.count != NULL)
		return tally_points(fcinfo, dims);
	check_dims(t->dims, dims);
	return (TallyPoints) {t->dims, t->parameter, t->total, t->n, t->cell};
}

/* writing --------------------------------------------------------------------- */

static FlatTally *
make_flat(int dims, double parameter, Size n)
{
	Size		size = tally_flat_bytes(dims, n);
	FlatTally  *flat = palloc0(size);

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
				 errmsg("an aggregate was called with \"%s\" and with \"%s\"", float8out_internal(parameter), float8out_internal(points->parameter)),
				 errhint("Every argument but the value must be the same for all rows of a group.")));
	if (pg_add_s64_overflow(total, points->total, &total))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("the number of values is out of range")));
}

/* Both in one, in order and each point once; returns where that ends. */
static TallyCell *
merge_points(const TallyPoints *a, const TallyPoints *b, TallyCell *to)
{
	Size		width = sizeof(TallyCell) * (a->dims + 1);
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
	return to;
}

/*
 * Points in order, merged at once into a tally that is appended to, or is empty.
 * Only where they are not few beside what is there, or many small states would
 * each move it all.
 */
static bool
merge_into(Tally *t, const TallyPoints *more)
{
	TallyPoints have;
	TallyCell  *old = t->cell;

	if (more->n < TALLY_MERGED || more->n < t->n / 8 || t->n + more->n > TALLY_MOST ||
		t->grid.count != NULL || (t->slot != NULL && t->n > 0))
		return false;
	have = (TallyPoints) {t->dims, t->parameter, t->total, tally_count(t), t->cell};
	t->room = have.n + more->n;
	t->cell = MemoryContextAllocHuge(t->hdr.eoh_context, sizeof(TallyCell) * (t->dims + 1) * t->room);
	t->n = t->settled = (merge_points(&have, more, t->cell) - t->cell) / (t->dims + 1);
	t->settle_next = t->n * 4;
	t->total += more->total;
	pfree(old);
	if (t->slot != NULL)
		pfree(t->slot);
	t->slot = NULL;
	return true;
}

static void
add_points(Tally *t, const TallyPoints *points)
{
	check_addable(t->dims, t->parameter, t->total, points);
	if (merge_into(t, points))
		return;
	for (Size i = 0; i < points->n; i++)
	{
		const TallyCell *point = tally_point(points, i);

		tally_add_point(t, point, point[t->dims].count);
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
	t = tally_make(context, points.dims, points.parameter);
	add_points(t, &points);
	return t;
}

/* Two flat tallies in one */
static FlatTally *
merge_flat(const TallyPoints *a, const TallyPoints *b)
{
	FlatTally  *flat = make_flat(a->dims, a->parameter, a->n + b->n);

	SET_VARSIZE(flat, (char *) merge_points(a, b, flat->cell) - (char *) flat);
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
		t = tally_make(state_context(fcinfo), more->dims, more->parameter);
	add_points(t, more);
	PG_RETURN_DATUM(EOHPGetRWDatum(&t->hdr));
}

static pg_noinline Datum
add_one(FunctionCallInfo fcinfo, int dims, double parameter, const double *point)
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
		tally_add_point(t, cell, 1);
		PG_RETURN_DATUM(PG_GETARG_DATUM(0));
	}
	return add_to_state(fcinfo, &one);
}

/* Transition: argument 0 (NULL: none yet) and one point more */
Datum
tally_add(FunctionCallInfo fcinfo, int dims, double parameter, const double *point)
{
	if (!PG_ARGISNULL(0) && VARATT_IS_EXTERNAL_EXPANDED_RW(PG_GETARG_POINTER(0)))
	{
		Tally	   *t = expanded(PG_GETARG_DATUM(0));
		const TallyCell *cell = (const TallyCell *) point;

		if (t->dims == dims && t->parameter == parameter && t->total < PG_INT64_MAX)
		{
			bool		in_grid = grid_holds(&t->grid, cell, dims);

			if (in_grid || (t->slot == NULL && t->n < t->room && t->total + 1 < t->grid_next))
			{
				if (in_grid)
					++*grid_count(&t->grid, cell, dims);
				else
					tally_append(t, cell, dims, 1);
				t->total++;
				PG_RETURN_DATUM(PG_GETARG_DATUM(0));
			}
		}
	}
	return add_one(fcinfo, dims, parameter, point);
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
