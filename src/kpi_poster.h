/*-------------------------------------------------------------------------
 * kpi_poster.h
 *		A poster at work, for what posts balances and turnovers.
 *-------------------------------------------------------------------------
 */
#ifndef CRM_KPI_POSTER_H
#define CRM_KPI_POSTER_H

#include "kpi_post.h"

/* Rows of a timeline that a turnover depends on, by row */
typedef struct Around
{
	int			purchase;		/* latest row up to here with a purchase, -1 none */
	int			long_purchase;
	int			end;			/* with the end of a cover */
	int			lapse;			/* earliest row from here on with a lapse, n none */
} Around;

struct Poster
{
	DateADT		settled;
	DateADT		until;
	PostFunction post;
	void	   *arg;
	bool		limited;		/* to one grain, and one period of it */
	Grain		grain;
	int			period;
	Around	   *around;
	int			around_size;
	/* of the timeline at work */
	const Timeline *t;
	int			sign;
	int			first_purchase;
	int			first_insured;
};

static inline void
post(Poster *p, Account account, int16 class_id, Grain grain, int period, int periods, DateADT day,
	 const Standing *cell, int64 n)
{
	Posting		x = {
		.account = account, .class_id = class_id, .grain = grain, .period = period,
		.periods = periods, .day = day, .n = n * p->sign,
		.org = cell->org, .channel = cell->channel, .company = p->t->company
	};

	p->post(p->arg, &x);
}

extern void post_standing_balances(Poster *p);
extern void post_facet_balances(Poster *p, const Facets *f);

#endif							/* CRM_KPI_POSTER_H */
