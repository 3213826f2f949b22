/*-------------------------------------------------------------------------
 * classify_change.c
 *		On which days the classes of a customer change, and from what to what.
 *-------------------------------------------------------------------------
 */
#include "classify_facets.h"

#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"

/* Columns: on_date, org_id, channel_id, dimension, was, became, was_id, became_id */
#define CHANGE_COLUMNS 8

typedef struct ChangeSink
{
	ReturnSetInfo *rsinfo;
	const Timeline *t;
	int			at;				/* row of the timeline in force */
} ChangeSink;

/* What the customer was and became: names, or ids where the book names the classes. */
static void
put_change(ChangeSink *sink, DateADT day, const char *dimension,
		   const char *was, const char *became, int64 was_id, int64 became_id)
{
	const Standing *s = &sink->t->row[sink->at];
	Datum		values[CHANGE_COLUMNS] = {
		DateADTGetDatum(day), Int64GetDatum(s->org), Int64GetDatum(s->channel), CStringGetTextDatum(dimension)
	};
	bool		nulls[CHANGE_COLUMNS] = {false};
	bool		by_id = was == NULL && became == NULL;

	nulls[4] = was == NULL;
	nulls[5] = became == NULL;
	if (was)
		values[4] = CStringGetTextDatum(was);
	if (became)
		values[5] = CStringGetTextDatum(became);
	nulls[6] = nulls[7] = !by_id;
	values[6] = Int64GetDatum(was_id);
	values[7] = Int64GetDatum(became_id);
	tuplestore_putvalues(sink->rsinfo->setResult, sink->rsinfo->setDesc, values, nulls);
}

static void
standing_changes(ChangeSink *sink, const Standing *was, const Standing *s)
{
	Coverage	old = was ? standing_coverage(was) : COVERAGE_NONE;
	Coverage	new = standing_coverage(s);

	if (old != new)
		put_change(sink, s->from, "coverage", coverage_name[old], coverage_name[new], 0, 0);
	if (was == NULL)
		return;
	if (was->channel != s->channel)
		put_change(sink, s->from, "channel", NULL, NULL, was->channel, s->channel);
	if (was->activity != s->activity)
		put_change(sink, s->from, "activity", NULL, NULL, was->activity, s->activity);
	if (was->tier != s->tier)
		put_change(sink, s->from, "tier", NULL, NULL, was->tier, s->tier);
}

static void
facet_changes(ChangeSink *sink, const Facet *was, const Facet *f)
{
	if (was && was->service != f->service)
		put_change(sink, f->from, "service", service_name[was->service], service_name[f->service], 0, 0);
	if (was && was->reach != f->reach)
		put_change(sink, f->from, "reach", reach_name[was->reach], reach_name[f->reach], 0, 0);
	/* the kind of a prospect is told of prospects alone */
	if (was && was->origin != f->origin && standing_coverage(&sink->t->row[sink->at]) == COVERAGE_PROSPECT)
		put_change(sink, f->from, "prospect_kind", origin_name[was->origin], origin_name[f->origin], 0, 0);
	for (int i = 0; i < N_TOUCHES; i++)
	{
		bool		old = was && (was->touch & (1 << i));
		bool		new = (f->touch & (1 << i)) != 0;

		if (old != new)
			put_change(sink, f->from, "touchpoint", old ? touch_name[i] : NULL, new ? touch_name[i] : NULL, 0, 0);
	}
}

PG_FUNCTION_INFO_V1(crm_class_changes);
/*
 * class_changes(timeline, facets, from, to): the changes on the days
 * from <= day < to.  The first row of a customer changes nothing but coverage,
 * and opens touchpoints.  NULL arguments: no rows.
 */
Datum
crm_class_changes(PG_FUNCTION_ARGS)
{
	Timeline	t;
	Facets		f;
	DateADT		from,
				to;
	ChangeSink	sink = {.rsinfo = (ReturnSetInfo *) fcinfo->resultinfo, .t = &t};

	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < 4; i++)
		if (PG_ARGISNULL(i))
			return (Datum) 0;
	timeline_unpack(PG_GETARG_VARLENA_PP(0), &t);
	facets_unpack(PG_GETARG_VARLENA_PP(1), &f);
	from = PG_GETARG_DATEADT(2);
	to = PG_GETARG_DATEADT(3);
	for (int i = 0; i < t.n; i++)
	{
		sink.at = i;
		if (t.row[i].from >= from && t.row[i].from < to)
			standing_changes(&sink, i > 0 ? &t.row[i - 1] : NULL, &t.row[i]);
	}
	sink.at = 0;
	for (int i = 0; i < f.n && t.n > 0; i++)
	{
		while (sink.at + 1 < t.n && t.row[sink.at + 1].from <= f.row[i].from)
			sink.at++;
		if (f.row[i].from >= from && f.row[i].from < to)
			facet_changes(&sink, i > 0 ? &f.row[i - 1] : NULL, &f.row[i]);
	}
	return (Datum) 0;
}
