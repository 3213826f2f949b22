/*-------------------------------------------------------------------------
 * classify_timeline.h
 *		The standing of one customer on every day: dated rows, and their
 *		packed form, the SQL type crm.timeline.
 *-------------------------------------------------------------------------
 */
#ifndef CRM_CLASSIFY_TIMELINE_H
#define CRM_CLASSIFY_TIMELINE_H

#include "crm.h"

#include "lib/stringinfo.h"
#include "utils/date.h"

/* Days that a timeline may hold: 1900-01-01 to 2299-12-31, as DateADT */
#define TIMELINE_FIRST_DAY	(-36524)
#define TIMELINE_LAST_DAY	(109572)

/* Standing.state */
#define ST_KNOWN	0x01		/* counts as a prospect until insured */
#define ST_INSURED	0x02		/* a cover in force, in either role */
#define ST_WAS		0x04		/* is or was insured */
#define ST_HOLDER	0x08		/* policyholder of a cover in force */
#define ST_LONG		0x10		/* a long-term cover in force */
#define ST_PLAN		0x20		/* policyholder of a long-term own-book cover in force */
#define ST_DORMANT	0x40		/* known, and of the first dormant class of the scale or a later one */
#define ST_VIP		0x80		/* of the first VIP tier of the scale or a higher one */
#define ST_NEAR_VIP	0x100		/* below it, by little */
#define ST_ALL		0x1ff

/* Standing.events, of the day on which the row begins */
#define EV_PURCHASE	0x01
#define EV_LONG		0x02		/* purchase of a long-term policy */
#define EV_END		0x04		/* a cover ended */
#define EV_LAPSE	0x08		/* a cover ended by lapse */
#define EV_ALL		0x0f

typedef enum Coverage
{
	COVERAGE_NONE,
	COVERAGE_PROSPECT,
	COVERAGE_INSURED,
	COVERAGE_FORMER
} Coverage;

/* What holds from a day until the day of the next row */
typedef struct Standing
{
	DateADT		from;
	int16		activity;		/* class, 0: never purchased */
	int16		tier;			/* class, 0: not insured */
	uint16		state;
	uint8		events;
	int32		policies;		/* in force as policyholder */
	int64		org;
	int64		channel;
	int64		amount;			/* hundredths */
	int64		premium;		/* annual, of these policies, hundredths */
} Standing;

typedef struct Timeline
{
	bool		company;
	int			n;
	int			size;			/* allocated rows */
	Standing   *row;
} Timeline;

static inline Coverage
standing_coverage(const Standing *s)
{
	if (s->state & ST_INSURED)
		return COVERAGE_INSURED;
	if (s->state & ST_WAS)
		return COVERAGE_FORMER;
	return (s->state & ST_KNOWN) ? COVERAGE_PROSPECT : COVERAGE_NONE;
}

extern const char *const coverage_name[];

/* Words of the text form */
extern void append_day(StringInfo buf, DateADT d);
extern bool parse_day(const char *word, DateADT *day);
extern bool parse_whole(const char *word, int64 *v);

extern struct varlena *timeline_pack(const Timeline *t);
extern void timeline_unpack(const struct varlena *v, Timeline *t);
extern bool timeline_first(const struct varlena *v, bool *company, Standing *first);

#endif							/* CRM_CLASSIFY_TIMELINE_H */
