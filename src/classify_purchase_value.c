/*-------------------------------------------------------------------------
 * classify_purchase_value.c
 *		The gamma-gamma model of value per purchase, and customer lifetime value.
 *
 * Fader and Hardie, "The Gamma-Gamma Model of Monetary Value" (2013). Values of
 * a customer's purchases are gamma distributed with shape p and a scale that is
 * gamma distributed (q, gamma) over customers, and independent of how often the
 * customer buys. What is known of a customer is the number x of purchases after
 * the first and their mean value m.
 *-------------------------------------------------------------------------
 */
#include "classify_purchase.h"

#include <math.h>

#include "classify_purchase_tally.h"
#include "miscadmin.h"

#define MOST_PERIODS 10000

typedef struct Means
{
	TallyPoints points;			/* x, m */
	double		scale;			/* unit of value of the search: the mean of m */
} Means;

/* Log likelihood (equation 1a) with m in units of scale */
static double
gamma_gamma_likelihood(const void *data, const double *theta, double *absolute, double *gradient, double hessian[][FIT_MAX_PARAMS])
{
	const Means *d = data;
	const double p = theta[GG_P];
	const double q = theta[GG_Q];
	const double gamma = theta[GG_GAMMA];
	const double log_gamma_param = log(gamma);
	const Jet	at_q = log_gamma(q);
	double		sum = 0;
	double		size = 0;
	double		last_x = 0;
	double		log_x = 0,
				rise = 0;
	Jet			at_px = {0},
				at_pxq = {0};

	for (Size i = 0; i < d->points.n; i++)
	{
		const TallyCell *point = tally_point(&d->points, i);
		double		x = point[0].number;
		double		m = point[1].number / d->scale;
		double		n = (double) point[2].count;
		double		total = m * x;
		double		log_m = log(m);
		double		log_share = log1p(gamma / total);	/* ln (gamma + mx) / mx */

		if (x != last_x)
		{
			at_px = log_gamma(p * x);
			at_pxq = log_gamma(p * x + q);
			rise = log_gamma_rise(p * x, q);
			log_x = log(x);
			last_x = x;
		}
		if ((i & 0xFFFF) == 0xFFFF)
			CHECK_FOR_INTERRUPTS();

		/* (px - 1) ln m + px ln x - (px + q) ln(gamma + mx) */
		sum += n * (rise - at_q.f + q * (log_gamma_param - log_m - log_x) - log_m - (p * x + q) * log_share);
		size += n * (1 + fabs(rise) + fabs(at_q.f) + q * fabs(log_gamma_param - log_m - log_x) + (p * x + q) * log_share);
		if (gradient != NULL)
		{
			double		inverse = 1 / (gamma + total);

			gradient[GG_P] += n * x * (at_pxq.d1 - at_px.d1 - log_share);
			gradient[GG_Q] += n * (at_pxq.d1 - at_q.d1 + log_gamma_param - log_m - log_x - log_share);
			gradient[GG_GAMMA] += n * (q / gamma - (p * x + q) * inverse);
			hessian[GG_P][GG_P] += n * x * x * (at_pxq.d2 - at_px.d2);
			hessian[GG_Q][GG_P] += n * x * at_pxq.d2;
			hessian[GG_Q][GG_Q] += n * (at_pxq.d2 - at_q.d2);
			hessian[GG_GAMMA][GG_P] -= n * x * inverse;
			hessian[GG_GAMMA][GG_Q] += n * (1 / gamma - inverse);
			hessian[GG_GAMMA][GG_GAMMA] += n * ((p * x + q) * inverse * inverse - q / (gamma * gamma));
		}
	}
	*absolute = size;
	return sum;
}

static PurchaseModel *
fit_gamma_gamma(const TallyPoints *points)
{
	static const double shapes[] = {0.5, 2, 10, 100};
	static const double spreads[] = {0.5, 2, 5, 50};
	Means		d = {*points, 0};
	PurchaseModel *m = palloc0(sizeof(PurchaseModel));
	double		start[lengthof(shapes) * lengthof(spreads)][FIT_MAX_PARAMS];
	double		n = (double) points->total;
	int			k = 0;
	Fit			fit;

	for (Size i = 0; i < points->n; i++)
	{
		const TallyCell *point = tally_point(points, i);

		d.scale += point[1].number / n * (double) point[2].count;
	}
	for (int i = 0; i < (int) lengthof(shapes); i++)
		for (int j = 0; j < (int) lengthof(spreads); j++, k++)
		{
			start[k][GG_P] = shapes[i];
			start[k][GG_Q] = spreads[j];
			/* a mean of 1 where there is one */
			start[k][GG_GAMMA] = Max(spreads[j] - 1, 0.5) / shapes[i];
			start[k][FIT_MAX_PARAMS - 1] = 1;
		}
	fit = fit_maximum(gamma_gamma_likelihood, &d, 3, (const double (*)[FIT_MAX_PARAMS]) start, k);
	memcpy(m->param, fit.theta, 3 * sizeof(double));
	m->param[GG_GAMMA] *= d.scale;
	m->log_likelihood = fit.log_likelihood - n * log(d.scale);
	m->customers = points->total;
	m->status = fit.status;
	return m;
}

PG_FUNCTION_INFO_V1(crm_gamma_gamma_add);
/*
 * _gamma_gamma_add(state, frequency, mean_value): transition of
 * crm.fit_gamma_gamma.  A row with a NULL or with frequency 0 is left out.
 * Errors: 22003, 22023.
 */
Datum
crm_gamma_gamma_add(PG_FUNCTION_ARGS)
{
	double		point[2];

	if (!PG_ARGISNULL(1) && !PG_ARGISNULL(2))
	{
		point[0] = (double) PG_GETARG_INT64(1);
		point[1] = PG_GETARG_FLOAT8(2);
		purchase_check_mean(PG_GETARG_INT64(1), point[1]);
		if (point[0] > 0)
			return tally_add(fcinfo, 2, 0, point);
	}
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	PG_RETURN_DATUM(PG_GETARG_DATUM(0));
}

PG_FUNCTION_INFO_V1(crm_gamma_gamma_fit);
/* _gamma_gamma_fit(state): the model; NULL without repeat purchases.  Errors: 22003, 22023 for a forged state. */
Datum
crm_gamma_gamma_fit(PG_FUNCTION_ARGS)
{
	TallyPoints points = tally_points(fcinfo, 2);

	if (points.n == 0)
		PG_RETURN_NULL();
	for (Size i = 0; i < points.n; i++)
	{
		const TallyCell *point = tally_point(&points, i);
		double		x = point[0].number;

		if (x != floor(x) || x < 1 || x > MOST_PURCHASES)
			ereport(ERROR,
					(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					 errmsg("frequency \"%g\" is out of range", x)));
		purchase_check_mean((int64) x, point[1].number);
	}
	PG_RETURN_POINTER(fit_gamma_gamma(&points));
}

/* p (gamma + m x) / (p x + q - 1) (equation 5); error 22003 where it is infinite */
double
gamma_gamma_mean(const PurchaseModel *m, double x, double mean_value)
{
	double		shape = m->param[GG_P] * x + m->param[GG_Q] - 1;

	if (!(shape > 0))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("the expected value is infinite for q \"%g\", p \"%g\" and frequency \"%.0f\"",
						m->param[GG_Q], m->param[GG_P], x),
				 errhint("The mean of the model exists where p times frequency plus q is above 1.")));
	return m->param[GG_P] * (m->param[GG_GAMMA] + (x > 0 ? mean_value * x : 0)) / shape;
}

PG_FUNCTION_INFO_V1(crm_gamma_gamma_expected_value);
/*
 * expected_value(model, frequency, mean_value): of a purchase of a customer with
 * that history; with frequency 0 the mean of all customers.  Errors: 22003, 22023.
 */
Datum
crm_gamma_gamma_expected_value(PG_FUNCTION_ARGS)
{
	int64		x = PG_GETARG_INT64(1);
	double		mean_value = PG_GETARG_FLOAT8(2);

	purchase_check_mean(x, mean_value);
	PG_RETURN_FLOAT8(gamma_gamma_mean(PG_GETARG_MODEL(0), x, mean_value));
}

PG_FUNCTION_INFO_V1(crm_purchase_lifetime_value);
/*
 * lifetime_value(purchases, value, frequency, recency, age, mean_value, horizon,
 * discount_rate): expected value of a purchase times the expected purchases of
 * each of the next horizon periods, discounted from the end of the period:
 * sum over k of (E[Y(k)] - E[Y(k - 1)]) / (1 + discount_rate)^k. A period is the
 * unit of time of the model.  Errors: 22003, 22023.
 */
Datum
crm_purchase_lifetime_value(PG_FUNCTION_ARGS)
{
	const PurchaseModel *m = PG_GETARG_MODEL(0);
	int64		x = PG_GETARG_INT64(2);
	double		recency = PG_GETARG_FLOAT8(3);
	double		age = PG_GETARG_FLOAT8(4);
	double		mean_value = PG_GETARG_FLOAT8(5);
	int			horizon = PG_GETARG_INT32(6);
	double		rate = PG_GETARG_FLOAT8(7);
	double		value;
	double		before = 0;
	double		sum = 0;
	double		factor = 1;

	purchase_check_history(x, recency, age);
	purchase_check_mean(x, mean_value);
	if (horizon < 1 || horizon > MOST_PERIODS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("horizon \"%d\" is not between 1 and %d", horizon, MOST_PERIODS),
				 errhint("A horizon is a number of periods of the unit of time of the model.")));
	if (!(rate >= 0 && rate <= 1000))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("discount rate \"%g\" is not between 0 and 1000", rate),
				 errhint("The rate is one of a period: (1 + 0.10)^(1.0 / 52) - 1 for 10 %% a year and a model in weeks.")));
	value = gamma_gamma_mean(PG_GETARG_MODEL(1), x, mean_value);
	for (int k = 1; k <= horizon; k++)
	{
		double		purchases = bgnbd_mean(m->param[BGNBD_R] + x, m->param[BGNBD_ALPHA] + age,
										   m->param[BGNBD_A], m->param[BGNBD_B] + x, k);

		CHECK_FOR_INTERRUPTS();
		factor /= 1 + rate;
		sum += (purchases - before) * factor;
		before = purchases;
	}
	PG_RETURN_FLOAT8(value * bgnbd_alive(m, x, recency, age) * sum);
}
