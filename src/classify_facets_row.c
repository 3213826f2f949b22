/*-------------------------------------------------------------------------
 * classify_facets_row.c
 *		Reading crm.facets: all rows, and the row in force on a day.
 *-------------------------------------------------------------------------
 */
#include "classify_facets.h"

#include "base_row.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"

#define ROW_COLUMNS 9

/* Columns of crm._facet_row: valid_from, valid_to, channel_ids, service, reach, origin, touchpoints, orphan_policies, has_product */
static Datum
facet_tuple(TupleDesc desc, const Facets *f, int i)
{
	const Facet *r = &f->row[i];
	Datum		channel[FACET_CHANNELS];
	Datum		touch[N_TOUCHES];
	int			nchannels = 0;
	int			ntouches = 0;
	bool		nulls[ROW_COLUMNS] = {false};
	Datum		values[ROW_COLUMNS];

	for (int k = 0; k < f->nchannels; k++)
		if (r->channels & (UINT64CONST(1) << k))
			channel[nchannels++] = Int64GetDatum(f->channel[k]);
	for (int k = 0; k < N_TOUCHES; k++)
		if (r->touch & (1 << k))
			touch[ntouches++] = CStringGetTextDatum(touch_name[k]);
	values[0] = DateADTGetDatum(r->from);
	values[1] = i + 1 < f->n ? DateADTGetDatum(f->row[i + 1].from) : DateADTGetDatum(DATEVAL_NOEND);
	values[2] = PointerGetDatum(construct_array(channel, nchannels, INT8OID, 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
	values[3] = CStringGetTextDatum(service_name[r->service]);
	values[4] = CStringGetTextDatum(reach_name[r->reach]);
	values[5] = CStringGetTextDatum(origin_name[r->origin]);
	values[6] = PointerGetDatum(construct_array(touch, ntouches, TEXTOID, -1, false, TYPALIGN_INT));
	values[7] = Int32GetDatum(r->orphans);
	values[8] = BoolGetDatum(r->product);
	return HeapTupleGetDatum(heap_form_tuple(desc, values, nulls));
}

PG_FUNCTION_INFO_V1(crm_facets_unnest);
/* Every row, in order of day.  NULL: no rows. */
Datum
crm_facets_unnest(PG_FUNCTION_ARGS)
{
	FuncCallContext *ctx;

	if (SRF_IS_FIRSTCALL())
	{
		MemoryContext old;
		Facets	   *f;

		ctx = SRF_FIRSTCALL_INIT();
		old = MemoryContextSwitchTo(ctx->multi_call_memory_ctx);
		f = palloc(sizeof(Facets));
		facets_unpack(PG_GETARG_VARLENA_PP(0), f);
		ctx->user_fctx = f;
		ctx->max_calls = f->n;
		ctx->tuple_desc = row_type(fcinfo, ROW_COLUMNS);
		MemoryContextSwitchTo(old);
	}
	ctx = SRF_PERCALL_SETUP();
	if (ctx->call_cntr < ctx->max_calls)
	{
		Datum		row = facet_tuple(ctx->tuple_desc, ctx->user_fctx, (int) ctx->call_cntr);

		SRF_RETURN_NEXT(ctx, row);
	}
	SRF_RETURN_DONE(ctx);
}

PG_FUNCTION_INFO_V1(crm_facets_at);
/* The row in force on a day; NULL before the first. */
Datum
crm_facets_at(PG_FUNCTION_ARGS)
{
	DateADT		day = PG_GETARG_DATEADT(1);
	Facets		f;
	int			i;

	facets_unpack(PG_GETARG_VARLENA_PP(0), &f);
	for (i = f.n; i > 0 && f.row[i - 1].from > day; i--)
		;
	if (i == 0)
		PG_RETURN_NULL();
	PG_RETURN_DATUM(facet_tuple(kept_row_type(fcinfo, ROW_COLUMNS), &f, i - 1));
}
