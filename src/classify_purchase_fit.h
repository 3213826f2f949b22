/*-------------------------------------------------------------------------
 * classify_purchase_fit.h
 *		Maximum likelihood for models of a few positive parameters.
 *-------------------------------------------------------------------------
 */
#ifndef CRM_CLASSIFY_PURCHASE_FIT_H
#define CRM_CLASSIFY_PURCHASE_FIT_H

#include "crm.h"

#define FIT_MAX_PARAMS 4

/* A function of z with its first two derivatives */
typedef struct Jet
{
	double		f;
	double		d1;
	double		d2;
} Jet;

/*
 * The log likelihood at theta, and the sum of the absolute values of what it is
 * summed up from, by which rounding errors are judged. Unless gradient is NULL,
 * adds its gradient and the lower triangle of its Hessian by theta to zeroes
 * given.
 */
typedef double (*LikelihoodFunction) (const void *data, const double *theta, double *absolute,
									  double *gradient, double hessian[][FIT_MAX_PARAMS]);

/* How a search ended */
typedef enum FitStatus
{
	FIT_GIVEN,					/* no search: parameters entered by hand */
	FIT_CONVERGED,
	FIT_NO_REPEATERS,			/* nothing to fit */
	FIT_AT_LIMIT,				/* the likelihood grows up to the limits, or is flat */
	FIT_TOO_MANY_STEPS
} FitStatus;

#define FIT_STATUS_LAST FIT_TOO_MANY_STEPS

/* A parameter is looked for between these. */
#define FIT_LEAST	1e-6
#define FIT_MOST	1e6

typedef struct Fit
{
	double		theta[FIT_MAX_PARAMS];
	double		log_likelihood;
	FitStatus	status;
} Fit;

extern Fit	fit_maximum(LikelihoodFunction f, const void *data, int nparams,
						const double (*start)[FIT_MAX_PARAMS], int nstarts);

extern Jet	log_gamma(double z);
extern double log_gamma_rise(double z, double n);
extern Jet	log_rise(double z, double n);

#endif							/* CRM_CLASSIFY_PURCHASE_FIT_H */
