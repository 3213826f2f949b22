/*-------------------------------------------------------------------------
 * classify_purchase.h
 *		What the two models of purchases share.
 *-------------------------------------------------------------------------
 */
#ifndef CRM_CLASSIFY_PURCHASE_H
#define CRM_CLASSIFY_PURCHASE_H

#include "classify_purchase_fit.h"
#include "crm.h"

/* crm.bgnbd, crm.gamma_gamma: 56 bytes, aligned as double */
typedef struct PurchaseModel
{
	double		param[FIT_MAX_PARAMS];	/* 0 from nparams on */
	double		log_likelihood; /* 0 for parameters given by hand */
	int64		customers;		/* 0 for parameters given by hand */
	int32		status;			/* a FitStatus */
	int32		unused;			/* 0 */
} PurchaseModel;

/* Parameters in this order */
enum
{
	BGNBD_R, BGNBD_ALPHA, BGNBD_A, BGNBD_B
};
enum
{
	GG_P, GG_Q, GG_GAMMA
};

#define PG_GETARG_MODEL(n) ((const PurchaseModel *) PG_GETARG_POINTER(n))

#define MOST_PURCHASES	1000000000
#define LEAST_TIME		1e-9
#define MOST_TIME		1e9
#define LEAST_VALUE		1e-9
#define MOST_VALUE		1e15

extern void purchase_check_history(int64 frequency, double recency, double age);
extern void purchase_check_horizon(double horizon);
extern void purchase_check_mean(int64 frequency, double mean_value);
extern double bgnbd_alive(const PurchaseModel *m, double x, double recency, double age);
extern double bgnbd_mean(double r, double alpha, double a, double b, double t);
extern double gamma_gamma_mean(const PurchaseModel *m, double x, double mean_value);

#endif							/* CRM_CLASSIFY_PURCHASE_H */
