/*-------------------------------------------------------------------------
 * kpi_trail.h
 *		The state of aggregates that look at entities one by one, customers or
 *		policies: what each did and when, as points in order of entity and time.
 *-------------------------------------------------------------------------
 */
#ifndef CRM_KPI_TRAIL_H
#define CRM_KPI_TRAIL_H

#include "crm.h"

#define TRAIL_MAX_WORDS		2
#define TRAIL_MAX_WIDTH		(TRAIL_MAX_WORDS + 1)
#define TRAIL_PARAMETERS	3

#define FUNNEL_STEPS		100

/* The aggregate a trail belongs to; numbers are part of the binary form. */
typedef enum TrailKind
{
	TRAIL_REPEAT,				/* day; the first and the last of an entity */
	TRAIL_RETENTION,			/* period */
	TRAIL_CHURN,				/* where it was covered */
	TRAIL_PERSISTENCY,			/* interval of cover */
	TRAIL_PERSISTENCY_WEIGHTED, /* interval of cover, weight */
	TRAIL_FUNNEL				/* instant, step */
} TrailKind;

#define TRAIL_KINDS (TRAIL_FUNNEL + 1)

typedef struct TrailForm
{
	const char *name;
	int			words;			/* of a point beside its entity */
	int			parameters;
	bool		ends;			/* keep the first and the last point of an entity only */
	int64		least[TRAIL_MAX_WORDS];
	int64		most[TRAIL_MAX_WORDS];
} TrailForm;

extern const TrailForm trail_form[TRAIL_KINDS];

/* A point takes 1 + words numbers: its entity, then its words, compared in that order. */
static inline int
trail_width(TrailKind kind)
{
	return 1 + trail_form[kind].words;
}

/* The points of a trail, in ascending order and each once */
typedef struct TrailPoints
{
	TrailKind	kind;
	int64		parameter[TRAIL_PARAMETERS];
	Size		n;
	int64	   *word;			/* n times width */
} TrailPoints;

static inline const int64 *
trail_point(const TrailPoints *t, Size i)
{
	return t->word + i * trail_width(t->kind);
}

/* The number after the last point of the entity of point i */
static inline Size
trail_run(const TrailPoints *t, Size i)
{
	int64		entity = trail_point(t, i)[0];

	do
		i++;
	while (i < t->n && trail_point(t, i)[0] == entity);
	return i;
}

extern Datum trail_add(FunctionCallInfo fcinfo, TrailKind kind, const int64 *parameter, const int64 *point);
extern TrailPoints trail_points(FunctionCallInfo fcinfo, TrailKind kind);
extern TrailPoints trail_read(Datum d);
extern struct varlena *trail_flat(const TrailPoints *points);

extern int	trail_cmp(const int64 *a, const int64 *b, int width);
extern void trail_sort(int64 *word, Size n, TrailKind kind);
extern Size trail_merge(const int64 *a, Size na, const int64 *b, Size nb, int64 *out, TrailKind kind);

#endif							/* CRM_KPI_TRAIL_H */
