/*-------------------------------------------------------------------------
 * base_aggregate.h
 *		What transition functions of aggregates share: their state is argument 0.
 *-------------------------------------------------------------------------
 */
#ifndef CRM_BASE_AGGREGATE_H
#define CRM_BASE_AGGREGATE_H

#include "crm.h"

/* The state as it was */
static inline Datum
state_unchanged(FunctionCallInfo fcinfo)
{
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	PG_RETURN_DATUM(PG_GETARG_DATUM(0));
}

/* Where a state lives: as long as the aggregate, or the call where there is none */
static inline MemoryContext
state_context(FunctionCallInfo fcinfo)
{
	MemoryContext context;

	return AggCheckCallContext(fcinfo, &context) ? context : CurrentMemoryContext;
}

#endif							/* CRM_BASE_AGGREGATE_H */
