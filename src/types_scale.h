/*-------------------------------------------------------------------------
 * types_scale.h
 *		crm.scale for the C code that grades with it.
 *-------------------------------------------------------------------------
 */
#ifndef CRM_TYPES_SCALE_H
#define CRM_TYPES_SCALE_H

#include "crm.h"

#include "utils/numeric.h"

/* Where a class begins. */
typedef struct CrmScaleLimit
{
	const char *decimal;		/* canonical: [-]digits[.digits] */
	Numeric		value;			/* the same number */
	bool		exclusive;		/* '> x': the class begins above x */
} CrmScaleLimit;

/* A parsed scale: classes 0 .. nlabels - 1; class 0 has no limit. */
typedef struct CrmScale
{
	int			nlabels;
	const char **labels;
	CrmScaleLimit *limits;		/* limits[0] is not used */
} CrmScale;

/* Parse a crm.scale datum (toasted or not) in the current memory context. */
extern CrmScale *crm_scale_parse(Datum scale);

/*
 * The smallest integer v such that v / 10^decimals belongs to class i or a
 * later one. PG_INT64_MIN for class 0 and for a limit below every bigint,
 * PG_INT64_MAX for a limit above every bigint.
 */
extern int64 crm_scale_threshold(const CrmScale *scale, int i, int decimals);

#endif							/* CRM_TYPES_SCALE_H */
