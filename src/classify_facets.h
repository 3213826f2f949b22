/*-------------------------------------------------------------------------
 * classify_facets.h
 *		What else a customer is on every day beside the standing: channels,
 *		service, reach, origin, touchpoints, orphan policies and products; and its
 *		packed form, the SQL type crm.facets.
 *-------------------------------------------------------------------------
 */
#ifndef CRM_CLASSIFY_FACETS_H
#define CRM_CLASSIFY_FACETS_H

#include "classify_timeline.h"

/* The numbers are stored: never change one. */
typedef enum Service
{
	SERVICE_SERVED = 1,
	SERVICE_ORPHAN = 2,
	SERVICE_GROUP_LEGACY = 3,
	SERVICE_BANCASSURANCE = 4,
	SERVICE_OTHER = 5
} Service;

typedef enum Reach
{
	REACH_REACHABLE = 1,
	REACH_CORPORATE = 2,		/* insured under a policy of a company */
	REACH_SECTOR = 3,			/* covered by a sector-line policy */
	REACH_OTHER = 4
} Reach;

typedef enum Origin
{
	ORIGIN_APPOINTMENT = 1,
	ORIGIN_ACTIVITY = 2,
	ORIGIN_PARTNER = 3,
	ORIGIN_REFERRAL = 4,
	ORIGIN_OTHER = 5
} Origin;

#define TOUCH_MATURITY		0x01
#define TOUCH_LAPSE			0x02
#define TOUCH_CLAIM			0x04
#define TOUCH_APPOINTMENT	0x08
#define TOUCH_ALL			0x0f
#define N_TOUCHES			4

#define N_SERVICES	SERVICE_OTHER
#define N_REACHES	REACH_OTHER
#define N_ORIGINS	ORIGIN_OTHER

/* Distinct channels that one customer may ever have */
#define FACET_CHANNELS	64

/* What holds from a day until the day of the next row */
typedef struct Facet
{
	DateADT		from;
	uint8		service;		/* a Service */
	uint8		reach;			/* a Reach */
	uint8		origin;			/* an Origin */
	uint8		touch;			/* TOUCH_ bits */
	bool		product;		/* has an open product holding */
	int32		orphans;		/* orphan policies, as policyholder */
	uint64		channels;		/* bits of Facets.channel: those of policies in force */
} Facet;

typedef struct Facets
{
	int			nchannels;
	int64		channel[FACET_CHANNELS];	/* ascending */
	int			n;
	int			size;			/* allocated rows */
	Facet	   *row;
} Facets;

extern const char *const service_name[];
extern const char *const reach_name[];
extern const char *const origin_name[];
extern const char *const touch_name[];

extern bool facet_same(const Facet *a, const Facet *b);
extern struct varlena *facets_pack(const Facets *f);
extern void facets_unpack(const struct varlena *v, Facets *f);

#endif							/* CRM_CLASSIFY_FACETS_H */
