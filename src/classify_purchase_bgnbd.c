/*-------------------------------------------------------------------------
 * classify_purchase_bgnbd.c
 *		The BG/NBD model of repeat purchases: fit, expectation, chance of being
 *		alive.
 *
 * Fader, Hardie and Lee, "Counting your customers the easy way: an alternative
 * to the Pareto/NBD model", Marketing Science 24 (2005). While alive a customer
 * buys at a rate that is gamma distributed (r, alpha) over customers, and drops
 * out after a purchase with a probability that is beta distributed (a, b). A
 * history is frequency x (purchases after the first), recency t (time of the
 * last, from the first on) and age T (time observed).
 *-------------------------------------------------------------------------
 */
#include "classify_purchase.h"

#include <math.h>

#include "classify_purchase_tally.h"
#include "miscadmin.h"

#define SERIES_TERMS	4000	/* expected, up to which the series is summed */
#define SERIES_MOST		100000	/* terms after which it is given up */
#define PRECISE			1e-17

/* the fit ------------------------------------------------------------------------- */

typedef struct Histories
{
	TallyPoints points;			/* x, t, T */
	double		scale;			/* unit of time of the search: mean time to a purchase */
} Histories;

/*
 * Log likelihood (equation 6, as in the authors' technical note on computing
 * it): ln Gamma(r + x) / Gamma(r) + ln B(a, b + x) / B(a, b) - x ln alpha
 * - (r + x) ln(1 + T / alpha) + [x > 0] ln(1 + e^u), where u is the log of the
 * odds that the customer dropped out after the last purchase.
 */
static double
bgnbd_likelihood(const void *data, const double *theta, double *absolute, double *gradient, double hessian[][FIT_MAX_PARAMS])
{
	const Histories *h = data;
	const double r = theta[BGNBD_R];
	const double alpha = theta[BGNBD_ALPHA];
	const double a = theta[BGNBD_A];
	const double b = theta[BGNBD_B];
	const double log_alpha = log(alpha);
	double		sum = 0;
	double		last_x = -1;
	double		size = 0;
	Jet			by_r = {0},
				by_b = {0},
				by_ab = {0};
	double		log_odds = 0;

	for (Size i = 0; i < h->points.n; i++)
	{
		const TallyCell *point = tally_point(&h->points, i);
		double		x = point[0].number;
		double		t = point[1].number / h->scale;
		double		T = point[2].number / h->scale;
		double		n = (double) point[3].count;
		double		waited = log1p(T / alpha);
		double		term;
		double		w = 0,
					rest = 0,
					u_alpha = 0;

		if (x != last_x)
		{
			by_r = log_rise(r, x);
			by_b = log_rise(b, x);
			by_ab = log_rise(a + b, x);
			log_odds = log(a) - log(b + x - 1);
			last_x = x;
		}
		if ((i & 0xFFFF) == 0xFFFF)
			CHECK_FOR_INTERRUPTS();
		term = by_r.f + by_b.f - by_ab.f - x * log_alpha - (r + x) * waited;
		size += n * (1 + fabs(by_r.f) + fabs(by_b.f) + fabs(by_ab.f) + fabs(x * log_alpha) + (r + x) * waited);
		if (x > 0)
		{
			double		u;

			rest = log1p((T - t) / (alpha + t));
			u = log_odds + (r + x) * rest;
			term += u > 0 ? u + log1p(exp(-u)) : log1p(exp(u));
			w = 1 / (1 + exp(-u));
		}
		sum += n * term;
		if (gradient == NULL)
			continue;

		{
			double		at_T = 1 / (alpha + T);
			double		at_t = 1 / (alpha + t);
			double		v = w * (1 - w);
			double		u_b = 0;

			gradient[BGNBD_R] += n * (by_r.d1 - waited + w * rest);
			gradient[BGNBD_A] -= n * by_ab.d1;
			gradient[BGNBD_B] += n * (by_b.d1 - by_ab.d1);
			gradient[BGNBD_ALPHA] += n * (r / alpha - (r + x) * at_T);
			hessian[BGNBD_R][BGNBD_R] += n * (by_r.d2 + v * rest * rest);
			hessian[BGNBD_ALPHA][BGNBD_R] += n * (1 / alpha - at_T);
			hessian[BGNBD_ALPHA][BGNBD_ALPHA] += n * ((r + x) * at_T * at_T - r / (alpha * alpha));
			hessian[BGNBD_A][BGNBD_A] -= n * by_ab.d2;
			hessian[BGNBD_B][BGNBD_A] -= n * by_ab.d2;
			hessian[BGNBD_B][BGNBD_B] += n * (by_b.d2 - by_ab.d2);
			if (x == 0)
				continue;
			u_alpha = (r + x) * (at_T - at_t);
			u_b = -1 / (b + x - 1);
			gradient[BGNBD_ALPHA] += n * w * u_alpha;
			gradient[BGNBD_A] += n * w / a;
			gradient[BGNBD_B] += n * w * u_b;
			hessian[BGNBD_ALPHA][BGNBD_R] += n * (w * (at_T - at_t) + v * rest * u_alpha);
			hessian[BGNBD_ALPHA][BGNBD_ALPHA] += n * (w * (r + x) * (at_t * at_t - at_T * at_T) + v * u_alpha * u_alpha);
			hessian[BGNBD_A][BGNBD_R] += n * v * rest / a;
			hessian[BGNBD_A][BGNBD_ALPHA] += n * v * u_alpha / a;
			hessian[BGNBD_A][BGNBD_A] += n * (v - w) / (a * a);
			hessian[BGNBD_B][BGNBD_R] += n * v * rest * u_b;
			hessian[BGNBD_B][BGNBD_ALPHA] += n * v * u_alpha * u_b;
			hessian[BGNBD_B][BGNBD_A] += n * v * u_b / a;
			hessian[BGNBD_B][BGNBD_B] += n * (w + v) * u_b * u_b;
		}
	}
	*absolute = size;
	return sum;
}

static PurchaseModel *
fit_bgnbd(const TallyPoints *points)
{
	static const double shapes[] = {0.2, 1, 5};
	static const double dropouts[][2] = {{0.5, 2}, {0.5, 0.5}, {3, 10}, {0.5, 20}};
	Histories	h = {*points, 0};
	PurchaseModel *m = palloc0(sizeof(PurchaseModel));
	double		start[lengthof(shapes) * lengthof(dropouts)][FIT_MAX_PARAMS];
	double		repeats = 0;
	double		time = 0;
	int			k = 0;
	Fit			fit;

	for (Size i = 0; i < points->n; i++)
	{
		const TallyCell *point = tally_point(points, i);

		time += point[2].number * (double) point[3].count;
		repeats += point[0].number * (double) point[3].count;
	}
	m->customers = points->total;
	if (repeats == 0)
	{
		double		theta[] = {FIT_LEAST, 1, 1, 1};
		double		absolute;

		h.scale = time > 0 ? time / (double) points->total : 1;

		/* the likelihood rises to 1 as the rate falls to 0; dropout is unknown */
		m->log_likelihood = bgnbd_likelihood(&h, theta, &absolute, NULL, NULL);
		memcpy(m->param, theta, sizeof(theta));
		m->param[BGNBD_ALPHA] *= h.scale;
		m->status = FIT_NO_REPEATERS;
		return m;
	}

	h.scale = time / repeats;
	for (int i = 0; i < (int) lengthof(shapes); i++)
		for (int j = 0; j < (int) lengthof(dropouts); j++, k++)
		{
			start[k][BGNBD_R] = shapes[i];
			start[k][BGNBD_ALPHA] = shapes[i];
			start[k][BGNBD_A] = dropouts[j][0];
			start[k][BGNBD_B] = dropouts[j][1];
		}
	fit = fit_maximum(bgnbd_likelihood, &h, 4, (const double (*)[FIT_MAX_PARAMS]) start, k);
	memcpy(m->param, fit.theta, sizeof(fit.theta));
	m->param[BGNBD_ALPHA] *= h.scale;
	/* a density over time has the unit of time in it */
	m->log_likelihood = fit.log_likelihood - repeats * log(h.scale);
	m->status = fit.status;
	return m;
}

PG_FUNCTION_INFO_V1(crm_bgnbd_add);
/*
 * _bgnbd_add(state, frequency, recency, age): transition of crm.fit_bgnbd.  A
 * row with a NULL is left out.  Errors: 22003, 22023.
 */
Datum
crm_bgnbd_add(PG_FUNCTION_ARGS)
{
	double		point[3];

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2) || PG_ARGISNULL(3))
	{
		if (PG_ARGISNULL(0))
			PG_RETURN_NULL();
		PG_RETURN_DATUM(PG_GETARG_DATUM(0));
	}
	point[0] = (double) PG_GETARG_INT64(1);
	point[1] = PG_GETARG_FLOAT8(2);
	point[2] = PG_GETARG_FLOAT8(3);
	purchase_check_history(PG_GETARG_INT64(1), point[1], point[2]);
	return tally_add(fcinfo, 3, 0, point);
}

PG_FUNCTION_INFO_V1(crm_bgnbd_fit);
/* _bgnbd_fit(state): the model; NULL without customers.  Errors: 22003, 22023 for a forged state. */
Datum
crm_bgnbd_fit(PG_FUNCTION_ARGS)
{
	TallyPoints points = tally_points(fcinfo, 3);

	if (points.n == 0)
		PG_RETURN_NULL();
	for (Size i = 0; i < points.n; i++)
	{
		const TallyCell *point = tally_point(&points, i);
		double		x = point[0].number;

		if (x != floor(x) || fabs(x) > MOST_PURCHASES)
			ereport(ERROR,
					(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					 errmsg("frequency \"%g\" is out of range", x)));
		purchase_check_history((int64) x, point[1].number, point[2].number);
	}
	PG_RETURN_POINTER(fit_bgnbd(&points));
}

/* expectation ----------------------------------------------------------------------- */

/*
 * The expected number of purchases within t, of a customer alive at its
 * beginning: the mean of (1 - (1 + p y)^-r) / p over p ~ beta(a, b), y = t / alpha.
 * (Equation 9 writes it with 2F1 and a division by a - 1, which is unsound near
 * a = 1.) Two forms without cancellation are used.
 *
 * Series: without dropout k purchases would come with the negative binomial
 * probability of (r, z = y / (1 + y)), of which sum over j < k of
 * (b)_j / (a + b)_j come with dropout. All terms are positive.
 */
static bool
mean_by_series(double r, double y, double a, double b, double *mean)
{
	double		z = y / (1 + y);
	double		chance = exp(-r * log1p(y));	/* of k = 0 */
	double		stays = 1;		/* until after purchase k */
	double		counted = 0;	/* of k purchases */
	double		sum = 0;

	for (int k = 0; k < SERIES_MOST; k++)
	{
		double		ratio = z * (r + k) / (k + 1);
		double		most;

		chance *= ratio;
		counted += stays;
		stays *= (b + k) / (a + b + k);
		sum += chance * counted;
		most = Max(ratio, z) * (1 + stays / counted);
		if (most < 1 && chance * counted * most < (1 - most) * PRECISE * sum)
		{
			*mean = sum;
			return true;
		}
		if ((k & 0xFFF) == 0xFFF)
			CHECK_FOR_INTERRUPTS();
	}
	return false;
}

/* (1 - (1 + p y)^-r) / p for p = 1 / (1 + e^-v) */
static inline double
mean_given_dropout(double r, double y, double v)
{
	double		p = 1 / (1 + exp(-v));

	if (p * y < 1e-17 && p * y * r < 1e-17)
		return r * y;
	return -expm1(-r * log1p(p * y)) / p;
}

/* ln(1 - s + s e^d), 0 < s <= 1/2 */
static inline double
log_mixture(double s, double d)
{
	return d < 30 ? log1p(s * expm1(d)) : d + log(s + (1 - s) * exp(-d));
}

/*
 * Integral: over the log of the odds of p, stretched by sinh around the mode of
 * its density, by the trapezoidal rule. Its error falls exponentially with the
 * width of the steps, which is halved until nothing changes. The density is
 * summed up with the same steps, so that its norm is not needed. At distance d
 * from the mode, p being a / (a + b) there, it is to that at the mode as
 * e^(a d) / (1 - p + p e^d)^(a + b) = e^(-b d) / (p + (1 - p) e^-d)^(a + b).
 */
static double
mean_by_integral(double r, double y, double a, double b)
{
	double		mode = log(a) - log(b);
	double		width = sqrt(1 / a + 1 / b);
	double		last = -1;

	if (width < 1e-7)
		return mean_given_dropout(r, y, mode);
	width = Min(width, 1);
	for (double step = 0.25; step > 1e-3; step /= 2)
	{
		double		sum = 0;
		double		norm = 0;

		CHECK_FOR_INTERRUPTS();
		for (int side = -1; side <= 1; side += 2)
		{
			double		largest = 0;

			for (int i = side > 0 ? 0 : 1;; i++)
			{
				double		s = side * i * step;
				double		d = width * sinh(s);

				double		log_weight = a > b ?
				-b * d - (a + b) * log_mixture(b / (a + b), -d) :
				a * d - (a + b) * log_mixture(a / (a + b), d);
				double		weight = exp(log_weight) * cosh(s);
				double		part = weight * mean_given_dropout(r, y, mode + d);

				norm += weight;
				sum += part;
				largest = Max(largest, weight);
				if ((weight < PRECISE * largest && part < PRECISE * sum) || i * step > 700)
					break;
			}
		}
		if (fabs(sum / norm - last) < 1e-9 * last)
			return sum / norm;
		last = sum / norm;
	}
	return last;
}

double
bgnbd_mean(double r, double alpha, double a, double b, double t)
{
	double		y = t / alpha;
	double		mean;

	if (y == 0)
		return 0;
	if (r * log1p(y) < 600 &&
		r * y + 40 * (1 + y) + 10 * sqrt(r * y * (1 + y)) < SERIES_TERMS &&
		mean_by_series(r, y, a, b, &mean))
		return mean;
	return mean_by_integral(r, y, a, b);
}

/* 1 / (1 + odds of having dropped out after the last purchase); Fader, Hardie, Lee, note of 2008 */
double
bgnbd_alive(const PurchaseModel *m, double x, double recency, double age)
{
	double		b = m->param[BGNBD_B];
	double		u;

	if (x == 0)
		return 1;
	u = log(m->param[BGNBD_A]) - log(b + x - 1) +
		(m->param[BGNBD_R] + x) * log1p((age - recency) / (m->param[BGNBD_ALPHA] + recency));
	return 1 / (1 + exp(u));
}

PG_FUNCTION_INFO_V1(crm_bgnbd_expected_purchases_new);
/* expected_purchases(model, horizon): of a customer from the first purchase on, not counting that.  Errors: 22003, 22023. */
Datum
crm_bgnbd_expected_purchases_new(PG_FUNCTION_ARGS)
{
	const PurchaseModel *m = PG_GETARG_MODEL(0);
	double		horizon = PG_GETARG_FLOAT8(1);

	purchase_check_horizon(horizon);
	PG_RETURN_FLOAT8(bgnbd_mean(m->param[BGNBD_R], m->param[BGNBD_ALPHA], m->param[BGNBD_A], m->param[BGNBD_B], horizon));
}

PG_FUNCTION_INFO_V1(crm_bgnbd_expected_purchases);
/*
 * expected_purchases(model, horizon, frequency, recency, age): within horizon
 * from the end of observation on, of a customer with that history (equation 10:
 * alive, the customer is as a new one of r + x, alpha + T, a, b + x).
 * Errors: 22003, 22023.
 */
Datum
crm_bgnbd_expected_purchases(PG_FUNCTION_ARGS)
{
	const PurchaseModel *m = PG_GETARG_MODEL(0);
	double		horizon = PG_GETARG_FLOAT8(1);
	int64		x = PG_GETARG_INT64(2);
	double		recency = PG_GETARG_FLOAT8(3);
	double		age = PG_GETARG_FLOAT8(4);

	purchase_check_horizon(horizon);
	purchase_check_history(x, recency, age);
	PG_RETURN_FLOAT8(bgnbd_alive(m, x, recency, age) *
					 bgnbd_mean(m->param[BGNBD_R] + x, m->param[BGNBD_ALPHA] + age,
								m->param[BGNBD_A], m->param[BGNBD_B] + x, horizon));
}

PG_FUNCTION_INFO_V1(crm_bgnbd_p_alive);
/* p_alive(model, frequency, recency, age): the chance of not having dropped out by age.  Errors: 22003, 22023. */
Datum
crm_bgnbd_p_alive(PG_FUNCTION_ARGS)
{
	const PurchaseModel *m = PG_GETARG_MODEL(0);
	int64		x = PG_GETARG_INT64(1);
	double		recency = PG_GETARG_FLOAT8(2);
	double		age = PG_GETARG_FLOAT8(3);

	purchase_check_history(x, recency, age);
	PG_RETURN_FLOAT8(bgnbd_alive(m, x, recency, age));
}
