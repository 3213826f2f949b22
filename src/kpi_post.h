/*-------------------------------------------------------------------------
 * kpi_post.h
 *		What the standing of one customer contributes to the accounts.
 *-------------------------------------------------------------------------
 */
#ifndef CRM_KPI_POST_H
#define CRM_KPI_POST_H

#include "classify_facets.h"
#include "classify_timeline.h"
#include "kpi_period.h"

/*
 * Accounts.  The numbers are stored: never change one.  A balance holds the
 * customers of a class at the end of a day; a turnover what happened from the
 * first day of a period to the end of a day in it.  Which are balances says
 * account_is_balance(), and crm._is_balance() in the book.
 */
typedef enum Account
{
	ACC_INSURED = 1,
	ACC_INSURED_LONG = 2,
	ACC_PLAN = 3,
	ACC_COVERAGE = 4,			/* class: Coverage */
	ACC_ACTIVITY = 5,			/* class: class id, 0 none */
	ACC_TIER = 6,				/* class: class id, 0 none */
	ACC_FORMER = 7,				/* also a class of ACC_COVERAGE; kept as a denominator */
	ACC_DORMANT = 8,
	ACC_VIP = 9,
	ACC_NEAR_VIP = 10,
	ACC_ROLE = 11,				/* class: Role */
	ACC_OVER_10000 = 12,		/* insured, by their amount */
	ACC_OVER_50000 = 13,
	ACC_POLICIES = 14,			/* counts policies */
	ACC_PREMIUM = 15,			/* annual premium, hundredths */
	ACC_VIP_PREMIUM = 16,		/* of VIPs */
	ACC_NEW = 20,
	ACC_GAINED = 21,
	ACC_MOVED_IN = 22,
	ACC_MOVED_OUT = 23,
	ACC_REPEAT = 24,
	ACC_REPEAT_ANY = 25,
	ACC_CHURN = 26,
	ACC_LAPSE_CHURN = 27,
	ACC_WIN_BACK = 28,			/* in the cell at opening */
	ACC_WON_BACK = 29,			/* the same customers in the cell at closing */
	ACC_LONG_DEVELOPED = 30,
	ACC_REACTIVATED = 31,
	ACC_NEW_VIP = 32,
	ACC_VIP_UPGRADE = 33,
	ACC_VIP_LOSS = 34,
	ACC_LAPSED = 35,			/* in the cell of the first lapse */
	ACC_LAPSED_LOST = 36,
	/* balances by facets */
	ACC_REACHABLE = 100,
	ACC_SERVED = 101,
	ACC_ORPHAN = 102,
	ACC_ORPHAN_POLICIES = 103,	/* counts policies */
	ACC_PRODUCT = 104
} Account;

#define ACC_FIRST_FACET_BALANCE ACC_REACHABLE
#define ACC_LAST_BALANCE ACC_PRODUCT
#define ACC_FIRST_TURNOVER ACC_NEW
#define ACC_LAST_TURNOVER ACC_LAPSED_LOST
#define N_TURNOVERS (ACC_LAST_TURNOVER - ACC_FIRST_TURNOVER + 1)

static inline bool
account_is_balance(int account)
{
	return account < ACC_FIRST_TURNOVER || account >= ACC_FIRST_FACET_BALANCE;
}

/* Whether the facets bear on it, and not the timeline alone */
static inline bool
account_needs_facets(int account)
{
	return account >= ACC_FIRST_FACET_BALANCE;
}

typedef enum Role
{
	ROLE_NONE,
	ROLE_HOLDER,
	ROLE_INSURED				/* only */
} Role;

typedef struct Posting
{
	int16		account;
	int16		class_id;
	int16		grain;
	int16		period;			/* month, quarter or year since 1900; 0 for balances */
	int16		periods;		/* holds for so many periods in a row, each over */
	DateADT		day;			/* of the first period */
	int64		n;
	int64		org;
	int64		channel;
	bool		company;
} Posting;

typedef struct Poster Poster;
typedef void (*PostFunction) (void *arg, const Posting *p);

extern Poster *poster_create(DateADT settled, DateADT until, PostFunction post, void *arg);
extern void poster_limit(Poster *p, Grain grain, int period);
extern void poster_run(Poster *p, const Timeline *t, const Facets *f, int sign);
extern void poster_run_facets(Poster *p, const Timeline *t, const Facets *f, int sign);

#endif							/* CRM_KPI_POST_H */
