/*-------------------------------------------------------------------------
 * classify_facets_kernel.h
 *		From the records of one customer to the facets on every day.
 *-------------------------------------------------------------------------
 */
#ifndef CRM_CLASSIFY_FACETS_KERNEL_H
#define CRM_CLASSIFY_FACETS_KERNEL_H

#include "classify_facets.h"
#include "classify_kernel.h"

/* The numbers stand in crm._facet_source. */
typedef enum FactKind
{
	FACT_CONTACT = 1,			/* a way to reach the customer */
	FACT_HOLDER = 2,			/* held by someone in post */
	FACT_ORIGIN = 3,			/* came in by n, an Origin, from a day on */
	FACT_CLAIM = 4,
	FACT_APPOINTMENT = 5,
	FACT_PRODUCT = 6			/* a product holding, open */
} FactKind;

/* Something that holds for some days, [from, to) */
typedef struct Fact
{
	int64		customer;
	int64		id;				/* orders those that begin on one day */
	DateADT		from;
	DateADT		to;
	int16		kind;			/* a FactKind */
	int16		n;				/* of FACT_HOLDER 1: ended because the holder left */
} Fact;

typedef struct FacetKernel FacetKernel;

extern FacetKernel *facet_kernel_create(const Rules *rules);
extern const Facets *facet_kernel_run(FacetKernel *k, DateADT first, const Cover *cover, int ncovers,
									  const Fact *fact, int nfacts);

#endif							/* CRM_CLASSIFY_FACETS_KERNEL_H */
