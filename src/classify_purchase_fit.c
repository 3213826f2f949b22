/*-------------------------------------------------------------------------
 * classify_purchase_fit.c
 *		Maximum likelihood for models of a few positive parameters, and the
 *		gamma function as their likelihoods need it.
 *
 * The search is Newton's method in the logarithms of the parameters, with the
 * exact Hessian, damped (Levenberg, Marquardt) where the likelihood is not
 * concave or a step does not pay. A parameter that runs to its limit is held
 * there. The search has converged where an undamped step of a concave
 * likelihood moves no parameter any more; so a likelihood that rises for ever,
 * however slowly, is told from one with a maximum.
 *-------------------------------------------------------------------------
 */
#include "classify_purchase_fit.h"

#include <math.h>

#include "miscadmin.h"

#define MAX_STEPS		200
#define MAX_STEP		2.0		/* of the logarithm of a parameter */
#define STILL			1e-9	/* a step that is none */
#define ROUNDING		1e-15	/* of the sum of absolute terms of a likelihood */
#define ASYMPTOTIC		16.0	/* from here on Stirling's series is exact */
#define FEW				64		/* so many factors are multiplied one by one */

/* gamma function ---------------------------------------------------------------- */

/* ln Gamma(z) - ((z - 1/2) ln z - z + ln(2 pi) / 2) for z >= ASYMPTOTIC */
static double
stirling_rest(double z)
{
	double		w = 1 / (z * z);

	return (1.0 / 12 - w * (1.0 / 360 - w * (1.0 / 1260 - w * (1.0 / 1680 - w * (1.0 / 1188 - w * 691.0 / 360360))))) / z;
}

/* ln Gamma, digamma, trigamma at z > 0 (Abramowitz and Stegun 6.1.41, 6.3.18, 6.4.12) */
Jet
log_gamma(double z)
{
	Jet			j = {0, 0, 0};
	double		product = 1;
	double		w;

	for (; z < ASYMPTOTIC; z++)
	{
		product *= z;
		j.d1 -= 1 / z;
		j.d2 += 1 / (z * z);
	}
	w = 1 / (z * z);
	j.f = (z - 0.5) * log(z) - z + 0.91893853320467274178 + stirling_rest(z) - log(product);
	j.d1 += log(z) - 0.5 / z -
		w * (1.0 / 12 - w * (1.0 / 120 - w * (1.0 / 252 - w * (1.0 / 240 - w * (1.0 / 132 - w * 691.0 / 32760)))));
	j.d2 += 1 / z + 0.5 * w +
		w / z * (1.0 / 6 - w * (1.0 / 30 - w * (1.0 / 42 - w * (1.0 / 30 - w * (5.0 / 66 - w * 691.0 / 2730)))));
	return j;
}

/* ln Gamma(z + n) - ln Gamma(z), z > 0, n >= 0, without cancellation for large z */
double
log_gamma_rise(double z, double n)
{
	double		shifted = 0;

	for (; z < ASYMPTOTIC; z++)
		shifted += log(z / (z + n));
	return shifted + (z - 0.5) * log1p(n / z) + n * log(z + n) - n + stirling_rest(z + n) - stirling_rest(z);
}

/* ln Gamma(z + n) - ln Gamma(z) for a whole n with its derivatives by z */
Jet
log_rise(double z, double n)
{
	Jet			rise = {0, 0, 0};

	if (n <= FEW)
	{
		for (int k = 0; k < (int) n; k++)
		{
			double		inverse = 1 / (z + k);

			rise.f += log(z + k);
			rise.d1 += inverse;
			rise.d2 -= inverse * inverse;
		}
	}
	else
	{
		Jet			to = log_gamma(z + n);
		Jet			from = log_gamma(z);

		rise.f = log_gamma_rise(z, n);
		rise.d1 = to.d1 - from.d1;
		rise.d2 = to.d2 - from.d2;
	}
	return rise;
}

/* the search --------------------------------------------------------------------- */

typedef struct Search
{
	LikelihoodFunction f;
	const void *data;
	int			n;
	double		u[FIT_MAX_PARAMS];	/* logarithms of the parameters */
	double		value;
	double		noise;			/* what rounding may make of the value */
	double		gradient[FIT_MAX_PARAMS];	/* by u */
	double		hessian[FIT_MAX_PARAMS][FIT_MAX_PARAMS];
} Search;

static double
value_at(const Search *s, const double *u)
{
	double		theta[FIT_MAX_PARAMS];
	double		absolute;

	CHECK_FOR_INTERRUPTS();
	for (int i = 0; i < s->n; i++)
		theta[i] = exp(u[i]);
	return s->f(s->data, theta, &absolute, NULL, NULL);
}

/* Value and derivatives where the search stands */
static void
look(Search *s)
{
	double		theta[FIT_MAX_PARAMS];
	double		absolute;

	CHECK_FOR_INTERRUPTS();
	for (int i = 0; i < s->n; i++)
		theta[i] = exp(s->u[i]);
	memset(s->gradient, 0, sizeof(s->gradient));
	memset(s->hessian, 0, sizeof(s->hessian));
	s->value = s->f(s->data, theta, &absolute, s->gradient, s->hessian);
	s->noise = ROUNDING * absolute;
	for (int i = 0; i < s->n; i++)
	{
		s->gradient[i] *= theta[i];
		for (int j = 0; j <= i; j++)
			s->hessian[i][j] *= theta[i] * theta[j];
		s->hessian[i][i] += s->gradient[i];
	}
}

/*
 * Solve (damping * D - H) step = gradient in the parameters that are not held,
 * by Cholesky's decomposition, D being the diagonal of H without signs; false
 * when the matrix is not positive definite.
 */
static bool
solve(const Search *s, const bool *held, double damping, double *step)
{
	double		l[FIT_MAX_PARAMS][FIT_MAX_PARAMS] = {{0}};
	double		y[FIT_MAX_PARAMS];

	for (int i = 0; i < s->n; i++)
	{
		for (int j = 0; j <= i; j++)
		{
			double		sum = -s->hessian[i][j];

			if (i == j)
				sum += damping * (fabs(sum) + 1e3 * s->noise);
			if (held[i] || held[j])
				sum = i == j ? 1 : 0;
			for (int k = 0; k < j; k++)
				sum -= l[i][k] * l[j][k];
			if (i > j)
				l[i][j] = sum / l[j][j];
			else if (sum > 0 && isfinite(sum))
				l[i][i] = sqrt(sum);
			else
				return false;
		}
		y[i] = held[i] ? 0 : s->gradient[i];
		for (int k = 0; k < i; k++)
			y[i] -= l[i][k] * y[k];
		y[i] /= l[i][i];
	}
	for (int i = s->n - 1; i >= 0; i--)
	{
		step[i] = y[i];
		for (int k = i + 1; k < s->n; k++)
			step[i] -= l[k][i] * step[k];
		step[i] /= l[i][i];
	}
	return true;
}

/* From where the search stands to a maximum */
static FitStatus
climb(Search *s)
{
	const double least = log(FIT_LEAST);
	const double most = log(FIT_MOST);
	double		damping = 0;
	double		halfway = 0;

	look(s);
	for (int steps = 0; steps < MAX_STEPS; steps++)
	{
		bool		held[FIT_MAX_PARAMS];
		bool		any_held = false;
		double		step[FIT_MAX_PARAMS];
		double		there[FIT_MAX_PARAMS] = {0};
		double		longest = 0;
		double		gain = 0;
		double		value;

		if (steps == MAX_STEPS / 2)
			halfway = s->value;
		for (int i = 0; i < s->n; i++)
		{
			held[i] = (s->u[i] <= least && s->gradient[i] <= 0) || (s->u[i] >= most && s->gradient[i] >= 0);
			any_held |= held[i];
		}
		if (!solve(s, held, damping, step))
		{
			damping = Max(damping * 4, 1e-3);
			continue;
		}
		for (int i = 0; i < s->n; i++)
		{
			longest = Max(longest, fabs(step[i]));
			gain += step[i] * s->gradient[i] / 2;
		}
		if (damping == 0 &&
			(longest < STILL || (longest < 1e-5 && gain < s->noise)))
		{
			/* too small to show in the value, but good for the parameters */
			for (int i = 0; i < s->n; i++)
				s->u[i] += step[i];
			look(s);
			return any_held ? FIT_AT_LIMIT : FIT_CONVERGED;
		}
		for (int i = 0; i < s->n; i++)
		{
			there[i] = s->u[i] + step[i] * Min(1, MAX_STEP / longest);
			there[i] = Max(least, Min(most, there[i]));
		}
		value = value_at(s, there);
		if (isfinite(value) && value >= s->value - s->noise)
		{
			memcpy(s->u, there, sizeof(there));
			look(s);
			damping = damping > 1e-6 ? damping / 10 : 0;
		}
		else
			damping = Max(damping * 4, 1e-3);
	}
	/* too flat to find the top, or to have one */
	return s->value - halfway <= 1000 * s->noise ? FIT_AT_LIMIT : FIT_TOO_MANY_STEPS;
}

/*
 * The maximum that is reached from the best two of the starts. One inside the
 * limits is preferred to a higher one at them: rounded times can make the
 * likelihood unbounded where no data are.
 */
Fit
fit_maximum(LikelihoodFunction f, const void *data, int nparams,
			const double (*start)[FIT_MAX_PARAMS], int nstarts)
{
	Search		s = {.f = f, .data = data, .n = nparams};
	double		values[2] = {-INFINITY, -INFINITY};
	int			best[2] = {-1, -1};
	Fit			fit = {.status = FIT_TOO_MANY_STEPS, .log_likelihood = -INFINITY};

	for (int k = 0; k < nstarts; k++)
	{
		double		value;

		for (int i = 0; i < nparams; i++)
			s.u[i] = Max(log(FIT_LEAST), Min(log(FIT_MOST), log(start[k][i])));
		value = value_at(&s, s.u);
		if (value > values[0])
		{
			values[1] = values[0];
			best[1] = best[0];
			values[0] = value;
			best[0] = k;
		}
		else if (value > values[1])
		{
			values[1] = value;
			best[1] = k;
		}
	}
	for (int b = 0; b < 2 && best[b] >= 0; b++)
	{
		FitStatus	status;
		bool		better;

		for (int i = 0; i < nparams; i++)
			s.u[i] = Max(log(FIT_LEAST), Min(log(FIT_MOST), log(start[best[b]][i])));
		status = climb(&s);
		if ((status == FIT_CONVERGED) != (fit.status == FIT_CONVERGED))
			better = status == FIT_CONVERGED;
		else
			better = s.value > fit.log_likelihood;
		if (better)
		{
			for (int i = 0; i < nparams; i++)
				fit.theta[i] = exp(s.u[i]);
			fit.log_likelihood = s.value;
			fit.status = status;
		}
	}
	return fit;
}
