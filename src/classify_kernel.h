/*-------------------------------------------------------------------------
 * classify_kernel.h
 *		From the records of one customer to the standing on every day.
 *-------------------------------------------------------------------------
 */
#ifndef CRM_CLASSIFY_KERNEL_H
#define CRM_CLASSIFY_KERNEL_H

#include "classify_timeline.h"

/* A scale in force for some days, units and channel */
typedef struct Rule
{
	DateADT		from;
	DateADT		to;				/* first day no longer in force */
	int			norgs;			/* 0: everywhere */
	int64	   *org;			/* ascending */
	int64		channel;
	bool		any_channel;
	int			nclasses;
	int16	   *class_id;		/* of each label */
	int64	   *threshold;		/* of each label but the first: smallest value in it */
	int			marked;			/* the first dormant class or VIP tier, nclasses: none */
	int64		near;			/* smallest value that comes near to it */
} Rule;

/* Rules of one kind in order of precedence: the first that fits decides */
typedef struct RuleList
{
	int			n;
	Rule	   *rule;
} RuleList;

typedef struct Rules
{
	RuleList	activity;		/* in days since the last purchase */
	RuleList	tier;			/* in hundredths of the amount */
	int			nlimits;		/* distinct thresholds of all activity rules */
	int64	   *limit;			/* ascending */
	int			nstarts;		/* days on which a rule begins or ends */
	DateADT    *start;			/* ascending */
	/* days after which a touchpoint is over, and before which a maturity is near */
	int			maturity_days;
	int			claim_days;
	int			appointment_days;
	bool		amount_by_worth;	/* the amount comes from receipts or balances, not from covers */
} Rules;

typedef struct Customer
{
	int64		id;
	int64		org;
	int64		channel;		/* of the source */
	DateADT		known_from;
	bool		company;
} Customer;

typedef struct Move
{
	int64		customer;
	int64		org;
	DateADT		from;
} Move;

/* One interval of cover of one covered customer */
typedef struct Cover
{
	int64		customer;
	int64		policy;
	int64		channel;
	int64		amount;			/* that the tier goes by, hundredths */
	int64		annual;			/* hundredths */
	DateADT		from;
	DateADT		to;
	DateADT		issued;
	bool		holder;
	bool		long_term;
	bool		own_book;
	bool		lapse;			/* ended by lapse */
	bool		matures;		/* ended by maturity */
	DateADT		lapsed_to;		/* of a lapse: first day on which it stands no more */
	bool		agent_sold;		/* sold by individual agents */
	bool		bank_sold;
	bool		sector_line;
	bool		corporate;		/* the policyholder is a company */
	bool		serviced;		/* has a named servicer, in post [post_from, post_to) */
	DateADT		post_from;
	DateADT		post_to;
} Cover;

/* What a receipt or balance adds to the amount from a day on */
typedef struct Worth
{
	int64		customer;
	DateADT		day;
	int64		delta;			/* hundredths */
} Worth;

typedef struct Kernel Kernel;

extern Kernel *kernel_create(const Rules *rules);
extern const Timeline *kernel_run(Kernel *k, const Customer *c, const Move *move, int nmoves,
								  const Cover *cover, int ncovers, const Worth *worth, int nworths);

#endif							/* CRM_CLASSIFY_KERNEL_H */
