/*-------------------------------------------------------------------------
 * crm.h
 *		What every file of crm shares.
 *-------------------------------------------------------------------------
 */
#ifndef CRM_H
#define CRM_H

#include "postgres.h"

#include "fmgr.h"

#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

/* crm.posting: when the figures follow a change of the book */
typedef enum CrmPosting
{
	CRM_POSTING_COMMIT,			/* in the changing transaction, at its commit */
	CRM_POSTING_DEFERRED		/* queued in crm.pending for crm.refresh() */
} CrmPosting;

extern int	crm_posting;		/* a CrmPosting */

extern void crm_define_variables(void);

#endif							/* CRM_H */
