/*-------------------------------------------------------------------------
 * book_cover.h
 *		The intervals of cover of one policy.
 *-------------------------------------------------------------------------
 */
#ifndef CRM_BOOK_COVER_H
#define CRM_BOOK_COVER_H

#include "crm.h"

#include "utils/date.h"

typedef enum EventKind
{
	EVENT_LAPSE,
	EVENT_REINSTATEMENT,
	EVENT_END
} EventKind;

typedef struct CoverInterval
{
	DateADT		from;
	DateADT		to;
	const char *ended_by;
	DateADT		lapsed_to;		/* of a lapse: first day on which it stands no more */
} CoverInterval;

extern EventKind event_kind(const char *name);
extern int	cover_walk(DateADT issued, DateADT matures, const EventKind *kind, const DateADT *day, int n,
					   int reinstatement_months, CoverInterval *out);

#endif							/* CRM_BOOK_COVER_H */
