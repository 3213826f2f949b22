/*-------------------------------------------------------------------------
 * kpi_trail.c
 *		The type crm._trail: points of entities, appended as they come and put in
 *		order when there are twice as many, or when they are asked for.
 *
 * Up to TRAIL_FLAT points the state is a flat value with room to grow in, more
 * are an expanded object: that has a memory context, and a hash aggregate of
 * many groups looks through all of them whenever it begins another. A trail
 * that leaves its aggregate is in order, so that a leader merges what its
 * workers sorted.
 *-------------------------------------------------------------------------
 */
#include "kpi_trail.h"

#include "base_aggregate.h"
#include "miscadmin.h"
#include "utils/expandeddatum.h"
#include "utils/memutils.h"

#define TRAIL_VERSION	1
#define TRAIL_FLAT		64		/* points up to which it stays flat */
#define TRAIL_FIRST		4		/* points a new one has room for */

/* Limits of days are those of date, infinite ones included; of instants those of timestamptz. */
const TrailForm trail_form[TRAIL_KINDS] = {
	[TRAIL_REPEAT] = {"repeat_rate", 1, 0, true, {PG_INT32_MIN}, {PG_INT32_MAX}},
	[TRAIL_RETENTION] = {"retention", 1, 3, false, {PG_INT32_MIN}, {PG_INT32_MAX}},
	[TRAIL_CHURN] = {"churn", 1, 2, false, {1}, {3}},
	[TRAIL_PERSISTENCY] = {"persistency", 1, 2, false, {PG_INT64_MIN}, {PG_INT64_MAX}},
	[TRAIL_PERSISTENCY_WEIGHTED] = {"persistency_weighted", 2, 2, false, {PG_INT64_MIN, 0}, {PG_INT64_MAX, INT64CONST(0x7FEFFFFFFFFFFFFF)}},
	[TRAIL_FUNNEL] = {"funnel", 2, 1, false, {PG_INT64_MIN + 1, 1}, {PG_INT64_MAX - 1, FUNNEL_STEPS}},
};

typedef struct FlatTrail
{
	int32		vl_len_;
	uint8		version;
	uint8		kind;
	uint16		unused;			/* 0 */
	int64		parameter[TRAIL_PARAMETERS];	/* those a kind does not have are 0 */
	int64		n;				/* points; what follows them is room */
	int64		settled;		/* of them in order and each once, the first ones */
	int64		word[FLEXIBLE_ARRAY_MEMBER];
} FlatTrail;

#define FLAT_HEADER offsetof(FlatTrail, word)

typedef struct Trail
{
	ExpandedObjectHeader hdr;
	TrailPoints points;
	Size		settled;
	Size		room;			/* points */
} Trail;

static Size trail_flat_size(ExpandedObjectHeader *eohptr);
static void trail_flatten(ExpandedObjectHeader *eohptr, void *result, Size allocated_size);

static const ExpandedObjectMethods trail_methods = {
	trail_flat_size,
	trail_flatten
};

static inline Size
point_size(TrailKind kind)
{
	return sizeof(int64) * trail_width(kind);
}

/* One aggregate, called in one way? */
static inline void
check_alike(TrailKind kind, const int64 *parameter, TrailKind wanted, const int64 *wanted_parameter)
{
	if (unlikely(kind != wanted))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a state of \"%s\" is none of \"%s\"", trail_form[kind].name, trail_form[wanted].name)));
	for (int i = 0; i < TRAIL_PARAMETERS; i++)
		if (unlikely(parameter[i] != wanted_parameter[i]))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("the aggregate \"%s\" was called in different ways within a group", trail_form[kind].name),
					 errhint("Every argument that is not of the row must be the same for all rows of a group.")));
}

/* the flat form -------------------------------------------------------------- */

static Size
flat_size(TrailKind kind, Size points)
{
	if (points > (MaxAllocSize - FLAT_HEADER) / point_size(kind))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("%zu points of an aggregate do not fit into a value", points)));
	return FLAT_HEADER + point_size(kind) * points;
}

static FlatTrail *
make_flat(const TrailPoints *points, Size settled, Size room)
{
	Size		size = flat_size(points->kind, room);
	FlatTrail  *flat = palloc0(size);

	SET_VARSIZE(flat, size);
	flat->version = TRAIL_VERSION;
	flat->kind = (uint8) points->kind;
	memcpy(flat->parameter, points->parameter, sizeof(flat->parameter));
	flat->n = (int64) points->n;
	flat->settled = (int64) settled;
	if (points->n > 0)
		memcpy(flat->word, points->word, point_size(points->kind) * points->n);
	return flat;
}

/* Points in order, as a value */
struct varlena *
trail_flat(const TrailPoints *points)
{
	return (struct varlena *) make_flat(points, points->n, points->n);
}

static inline Size
flat_room(const FlatTrail *flat)
{
	return (VARSIZE(flat) - FLAT_HEADER) / point_size(flat->kind);
}

/* The points of a flat trail as they are; what in and recv accepted, or damage */
static TrailPoints
flat_points(FlatTrail *flat, Size *settled)
{
	TrailPoints points;

	if (VARSIZE(flat) < FLAT_HEADER || flat->version != TRAIL_VERSION || flat->kind >= TRAIL_KINDS ||
		flat->n < 0 || flat->settled < 0 || flat->settled > flat->n || flat->n > (int64) flat_room(flat))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("a stored trail is damaged")));
	points.kind = flat->kind;
	memcpy(points.parameter, flat->parameter, sizeof(points.parameter));
	points.n = (Size) flat->n;
	points.word = flat->word;
	*settled = (Size) flat->settled;
	return points;
}

/* the expanded form ------------------------------------------------------------ */

static Trail *
make_trail(MemoryContext parent, TrailKind kind, const int64 *parameter, Size room)
{
	MemoryContext context = AllocSetContextCreate(parent, "crm._trail", ALLOCSET_START_SMALL_SIZES);
	Trail	   *t = MemoryContextAllocZero(context, sizeof(Trail));

	EOH_init_header(&t->hdr, &trail_methods, context);
	t->points.kind = kind;
	memcpy(t->points.parameter, parameter, sizeof(t->points.parameter));
	t->room = room;
	t->points.word = MemoryContextAllocHuge(context, mul_size(room, point_size(kind)));
	return t;
}

/* All of it in order and each point once, with room for as many as there were */
static void
settle(Trail *t)
{
	TrailPoints *points = &t->points;
	int64	   *old = points->word;
	int64	   *tail = old + t->settled * trail_width(points->kind);

	if (t->settled == points->n)
		return;
	CHECK_FOR_INTERRUPTS();
	trail_sort(tail, points->n - t->settled, points->kind);
	if (t->settled == 0)		/* what is written is never ahead of what is read */
	{
		points->n = t->settled = trail_merge(NULL, 0, old, points->n, old, points->kind);
		return;
	}
	points->word = MemoryContextAllocHuge(t->hdr.eoh_context, mul_size(t->room, point_size(points->kind)));
	points->n = trail_merge(old, t->settled, tail, points->n - t->settled, points->word, points->kind);
	t->settled = points->n;
	pfree(old);
}

/* Room for n points more, by order where that gives enough of it */
static void
make_room(Trail *t, Size n)
{
	Size		needed;

	if (t->room - t->points.n >= n)
		return;
	settle(t);
	needed = add_size(t->points.n, n);
	if (needed <= t->room / 2)
		return;
	while (t->room < 2 * needed)
		t->room = mul_size(t->room, 2);
	t->points.word = repalloc_huge(t->points.word, mul_size(t->room, point_size(t->points.kind)));
}

/*
 * Points in order, merged at once: those of another state. Only where they are
 * not few beside what is there, or many small states would each move it all.
 */
static bool
merge_points(Trail *t, const TrailPoints *more)
{
	Size		room;
	int64	   *old;

	if (more->n <= TRAIL_FLAT || more->n < t->points.n / 8)
		return false;
	settle(t);
	old = t->points.word;
	room = add_size(t->points.n, more->n);
	t->points.word = MemoryContextAllocHuge(t->hdr.eoh_context, mul_size(room, point_size(more->kind)));
	t->points.n = t->settled = trail_merge(old, t->points.n, more->word, more->n, t->points.word, more->kind);
	t->room = room;
	pfree(old);
	return true;
}

static Size
trail_flat_size(ExpandedObjectHeader *eohptr)
{
	Trail	   *t = (Trail *) eohptr;

	settle(t);
	return flat_size(t->points.kind, t->points.n);
}

static void
trail_flatten(ExpandedObjectHeader *eohptr, void *result, Size allocated_size)
{
	Trail	   *t = (Trail *) eohptr;
	FlatTrail  *flat = result;

	memset(flat, 0, FLAT_HEADER);
	SET_VARSIZE(flat, allocated_size);
	flat->version = TRAIL_VERSION;
	flat->kind = (uint8) t->points.kind;
	memcpy(flat->parameter, t->points.parameter, sizeof(flat->parameter));
	flat->n = flat->settled = (int64) t->points.n;
	memcpy(flat->word, t->points.word, allocated_size - FLAT_HEADER);
}

static inline Trail *
expanded(Datum d)
{
	Trail	   *t = (Trail *) DatumGetEOHP(d);

	if (t->hdr.eoh_methods != &trail_methods)
		elog(ERROR, "expanded object is not a trail");
	return t;
}

/* reading --------------------------------------------------------------------- */

/*
 * The points of a trail. An expanded one is put in order where it is, by a
 * reader too: it says the same before and after.
 */
TrailPoints
trail_read(Datum d)
{
	TrailPoints points;
	Size		settled;

	if (VARATT_IS_EXTERNAL_EXPANDED(DatumGetPointer(d)))
	{
		Trail	   *t = expanded(d);

		settle(t);
		return t->points;
	}
	points = flat_points((FlatTrail *) PG_DETOAST_DATUM(d), &settled);
	if (settled < points.n)
	{
		Trail	   *t = make_trail(CurrentMemoryContext, points.kind, points.parameter, points.n);

		memcpy(t->points.word, points.word, point_size(points.kind) * points.n);
		t->points.n = points.n;
		settle(t);
		return t->points;
	}
	return points;
}

/* The points of argument 0, which must be of that kind */
TrailPoints
trail_points(FunctionCallInfo fcinfo, TrailKind kind)
{
	TrailPoints points = trail_read(PG_GETARG_DATUM(0));

	check_alike(points.kind, points.parameter, kind, points.parameter);
	return points;
}

/* writing --------------------------------------------------------------------- */

/* Argument 0 (NULL: none yet) and more points */
static Datum
add_points(FunctionCallInfo fcinfo, const TrailPoints *more)
{
	Datum		state = PG_GETARG_DATUM(0);
	TrailPoints have = *more;
	Trail	   *t;

	have.n = 0;
	if (!PG_ARGISNULL(0))
	{
		if (VARATT_IS_EXTERNAL_EXPANDED_RW(DatumGetPointer(state)))
			t = expanded(state);
		else
		{
			have = trail_read(state);
			t = NULL;
		}
		check_alike(t ? t->points.kind : have.kind, t ? t->points.parameter : have.parameter, more->kind, more->parameter);
	}
	else
		t = NULL;

	if (t == NULL && have.n + more->n <= TRAIL_FLAT / 2)
	{
		Size		room = TRAIL_FIRST;
		FlatTrail  *flat;

		while (room < 2 * (have.n + more->n))
			room *= 2;
		flat = make_flat(&have, have.n, room);
		memcpy(flat->word + have.n * trail_width(more->kind), more->word, point_size(more->kind) * more->n);
		flat->n = (int64) (have.n + more->n);
		PG_RETURN_POINTER(flat);
	}
	if (t == NULL)
	{
		t = make_trail(state_context(fcinfo), more->kind, more->parameter, Max(2 * (have.n + more->n), 2 * TRAIL_FLAT));
		if (have.n > 0)
			t->points.n = trail_merge(have.word, have.n, more->word, more->n, t->points.word, more->kind);
		else
			memcpy(t->points.word, more->word, point_size(more->kind) * (t->points.n = more->n));
		t->settled = t->points.n;
		PG_RETURN_DATUM(EOHPGetRWDatum(&t->hdr));
	}
	if (merge_points(t, more))
		PG_RETURN_DATUM(EOHPGetRWDatum(&t->hdr));
	make_room(t, more->n);
	if (more->n > 0)
		memcpy(t->points.word + t->points.n * trail_width(more->kind), more->word, point_size(more->kind) * more->n);
	t->points.n += more->n;
	PG_RETURN_DATUM(EOHPGetRWDatum(&t->hdr));
}

static inline void
put_point(int64 *to, const int64 *point, TrailKind kind)
{
	to[0] = point[0];
	to[1] = point[1];
	if (trail_form[kind].words > 1)
		to[2] = point[2];
}

/*
 * Transition: argument 0 (NULL: none yet) and a point more, or none (NULL) but
 * that the aggregate was called in that way.
 */
Datum
trail_add(FunctionCallInfo fcinfo, TrailKind kind, const int64 *parameter, const int64 *point)
{
	TrailPoints more;

	if (!PG_ARGISNULL(0))
	{
		Datum		state = PG_GETARG_DATUM(0);
		Pointer		p = DatumGetPointer(state);

		if (VARATT_IS_EXTERNAL_EXPANDED_RW(p))
		{
			Trail	   *t = expanded(state);

			check_alike(t->points.kind, t->points.parameter, kind, parameter);
			if (point != NULL)
			{
				if (unlikely(t->points.n == t->room))
					make_room(t, 1);
				put_point(t->points.word + t->points.n * trail_width(kind), point, kind);
				t->points.n++;
			}
			PG_RETURN_DATUM(state);
		}
		if (VARATT_IS_4B_U(p) && AggCheckCallContext(fcinfo, NULL))
		{
			FlatTrail  *flat = (FlatTrail *) p;
			Size		settled;

			(void) flat_points(flat, &settled);
			check_alike(flat->kind, flat->parameter, kind, parameter);
			if (point == NULL)
				PG_RETURN_DATUM(state);
			if (flat->n < (int64) flat_room(flat))
			{
				put_point(flat->word + flat->n * trail_width(kind), point, kind);
				flat->n++;
				PG_RETURN_DATUM(state);
			}
		}
	}
	more.kind = kind;
	memcpy(more.parameter, parameter, sizeof(more.parameter));
	more.n = point != NULL;
	more.word = unconstify(int64 *, point);
	return add_points(fcinfo, &more);
}

PG_FUNCTION_INFO_V1(crm_trail_merge);
/*
 * _trail_merge(a, b): the trail of both; NULL counts as none.  Errors: 22023
 * where they belong to different aggregates or calls, 54000.
 */
Datum
crm_trail_merge(PG_FUNCTION_ARGS)
{
	TrailPoints points;

	if (PG_ARGISNULL(1))
	{
		if (PG_ARGISNULL(0))
			PG_RETURN_NULL();
		PG_RETURN_DATUM(PG_GETARG_DATUM(0));
	}
	points = trail_read(PG_GETARG_DATUM(1));
	return add_points(fcinfo, &points);
}
