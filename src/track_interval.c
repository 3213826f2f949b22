/*-------------------------------------------------------------------------
 * track_interval.c
 *		Confidence intervals of rates and of means, and of the difference of
 *		two of either.
 *
 * A rate has the score interval of Wilson (J. Am. Stat. Assoc. 22, 1927,
 * 209-212); the difference of two rates the hybrid of two of them, method 10
 * of Newcombe (Statistics in Medicine 17, 1998, 873-890); a mean that of
 * Student (Biometrika 6, 1908, 1-25); the difference of two means that of
 * Welch (Biometrika 34, 1947, 28-35), with his degrees of freedom. None takes
 * the variances of the groups to be equal.
 *-------------------------------------------------------------------------
 */
#include "base_row.h"

#include <math.h>

#include "access/htup_details.h"
#include "funcapi.h"

/* From here on Student's t is the normal distribution but for rounding. */
#define NEARLY_NORMAL	1e6

typedef struct Bounds
{
	double		lower;
	double		upper;
} Bounds;

/* z of which a normal variable exceeds either sign with probability tail. */
static double
normal_quantile(double tail)
{
	double		low = 0;
	double		high = 40;

	for (int i = 0; i < 100; i++)
	{
		double		z = (low + high) / 2;

		if (erfc(z * M_SQRT1_2) > tail)
			low = z;
		else
			high = z;
	}
	return (low + high) / 2;
}

/*
 * The continued fraction of the incomplete beta function (DLMF 8.17.22), by
 * the method of Lentz.
 */
static double
beta_fraction(double a, double b, double x)
{
	double		c = 1;
	double		d = 1 - (a + b) * x / (a + 1);
	double		f;

	d = 1 / (fabs(d) < 1e-300 ? 1e-300 : d);
	f = d;
	for (int m = 1; m <= 20000; m++)
	{
		double		step[2];

		step[0] = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
		step[1] = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
		for (int i = 0; i < 2; i++)
		{
			d = 1 + step[i] * d;
			c = 1 + step[i] / c;
			d = 1 / (fabs(d) < 1e-300 ? 1e-300 : d);
			if (fabs(c) < 1e-300)
				c = 1e-300;
			f *= d * c;
		}
		if (fabs(d * c - 1) < 1e-15)
			break;
	}
	return f;
}

/* The regularised incomplete beta function; y is 1 - x, told apart so that neither loses digits. */
static double
beta_part(double a, double b, double x, double y)
{
	double		front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log(y));

	if (x < (a + 1) / (a + b + 2))
		return front * beta_fraction(a, b, x) / a;
	return 1 - front * beta_fraction(b, a, y) / b;
}

/*
 * t of which Student's variable exceeds either sign with probability tail,
 * which is the incomplete beta function of (df / 2, 1 / 2) at df / (df + t t);
 * sought by the logarithm of that.
 */
static double
student_quantile(double tail, double df)
{
	double		low = -700;
	double		high = 0;
	double		x;

	if (df > NEARLY_NORMAL)
		return normal_quantile(tail);
	for (int i = 0; i < 100; i++)
	{
		double		middle = (low + high) / 2;
		double		rest = -expm1(middle);

		if (rest <= 0 || beta_part(df / 2, 0.5, exp(middle), rest) > tail)
			high = middle;
		else
			low = middle;
	}
	x = (low + high) / 2;
	return sqrt(df * -expm1(x) / exp(x));
}

static Bounds
wilson(double hits, double trials, double z)
{
	double		rate = hits / trials;
	double		scale = 1 + z * z / trials;
	double		center = (rate + z * z / (2 * trials)) / scale;
	double		half = z * sqrt(rate * (1 - rate) / trials + z * z / (4 * trials * trials)) / scale;
	Bounds	i;

	i.lower = hits <= 0 ? 0 : Max(center - half, 0);
	i.upper = hits >= trials ? 1 : Min(center + half, 1);
	return i;
}

static double
tail_argument(double level)
{
	if (!(level > 0 && level < 1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("level %g is not between 0 and 1", level),
				 errhint("Give a level such as 0.95.")));
	return 1 - level;
}

static void
check_counts(int64 hits, int64 trials)
{
	if (hits < 0 || hits > trials)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%lld of %lld is no rate", (long long) hits, (long long) trials),
				 errhint("Give how many of all it was, from 0 to all.")));
}

PG_FUNCTION_INFO_V1(crm_track_wilson);
/*
 * crm.rate_interval(hits, trials, level) -> (lower, upper): interval of a
 * rate, by Wilson.  Strict; NULL of no trials.  Errors: 22023.
 */
Datum
crm_track_wilson(PG_FUNCTION_ARGS)
{
	int64		hits = PG_GETARG_INT64(0);
	int64		trials = PG_GETARG_INT64(1);
	double		tail = tail_argument(PG_GETARG_FLOAT8(2));
	TupleDesc	desc = kept_row_type(fcinfo, 2);
	Datum		values[2] = {0};
	bool		nulls[2] = {true, true};

	check_counts(hits, trials);
	if (trials > 0)
	{
		Bounds	i = wilson(hits, trials, normal_quantile(tail));

		values[0] = Float8GetDatum(i.lower);
		values[1] = Float8GetDatum(i.upper);
		nulls[0] = nulls[1] = false;
	}
	return HeapTupleGetDatum(heap_form_tuple(desc, values, nulls));
}

PG_FUNCTION_INFO_V1(crm_track_uplift);
/*
 * crm.uplift(bought_treated, treated, bought_control, control, level) ->
 * (treated_rate, control_rate, uplift, lower, upper): the difference of two
 * rates and its interval, by Newcombe.  Strict; NULL what has no trials.
 * Errors: 22023.
 */
Datum
crm_track_uplift(PG_FUNCTION_ARGS)
{
	int64		hits[2] = {PG_GETARG_INT64(0), PG_GETARG_INT64(2)};
	int64		trials[2] = {PG_GETARG_INT64(1), PG_GETARG_INT64(3)};
	double		tail = tail_argument(PG_GETARG_FLOAT8(4));
	TupleDesc	desc = kept_row_type(fcinfo, 5);
	Datum		values[5] = {0};
	bool		nulls[5] = {true, true, true, true, true};
	double		rate[2];

	for (int i = 0; i < 2; i++)
	{
		check_counts(hits[i], trials[i]);
		if (trials[i] > 0)
		{
			rate[i] = (double) hits[i] / trials[i];
			values[i] = Float8GetDatum(rate[i]);
			nulls[i] = false;
		}
	}
	if (trials[0] > 0 && trials[1] > 0)
	{
		double		z = normal_quantile(tail);
		Bounds	a = wilson(hits[0], trials[0], z);
		Bounds	b = wilson(hits[1], trials[1], z);
		double		uplift = rate[0] - rate[1];

		values[2] = Float8GetDatum(uplift);
		values[3] = Float8GetDatum(Max(uplift - hypot(rate[0] - a.lower, b.upper - rate[1]), -1));
		values[4] = Float8GetDatum(Min(uplift + hypot(a.upper - rate[0], rate[1] - b.lower), 1));
		nulls[2] = nulls[3] = nulls[4] = false;
	}
	return HeapTupleGetDatum(heap_form_tuple(desc, values, nulls));
}

static void
check_group(double mean, double variance, int64 number)
{
	if (!isfinite(mean) || !isfinite(variance) || variance < 0 || number < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("mean %g, variance %g and number %lld are of no group", mean, variance, (long long) number),
				 errhint("Give a finite mean, a finite variance from 0 on, and how many there are.")));
}

PG_FUNCTION_INFO_V1(crm_track_mean);
/*
 * crm.mean_interval(mean, variance, number, level) -> (lower, upper): interval
 * of a mean from the sample variance, by Student.  Strict; NULL of fewer than
 * 2, and where nothing varies.  Errors: 22023.
 */
Datum
crm_track_mean(PG_FUNCTION_ARGS)
{
	double		mean = PG_GETARG_FLOAT8(0);
	double		variance = PG_GETARG_FLOAT8(1);
	int64		number = PG_GETARG_INT64(2);
	double		tail = tail_argument(PG_GETARG_FLOAT8(3));
	TupleDesc	desc = kept_row_type(fcinfo, 2);
	Datum		values[2] = {0};
	bool		nulls[2] = {true, true};

	check_group(mean, variance, number);
	if (number >= 2 && variance > 0)
	{
		double		half = student_quantile(tail, number - 1) * sqrt(variance / number);

		values[0] = Float8GetDatum(mean - half);
		values[1] = Float8GetDatum(mean + half);
		nulls[0] = nulls[1] = false;
	}
	return HeapTupleGetDatum(heap_form_tuple(desc, values, nulls));
}

PG_FUNCTION_INFO_V1(crm_track_mean_uplift);
/*
 * crm.mean_uplift(mean, variance, number of the one, and of the other, level)
 * -> (uplift, lower, upper, df): the difference of two means and its interval,
 * by Welch.  NULL: unknown, and so is what depends on it; no interval of
 * groups below 2, nor where neither varies.  Errors: 22023.
 */
Datum
crm_track_mean_uplift(PG_FUNCTION_ARGS)
{
	TupleDesc	desc = kept_row_type(fcinfo, 4);
	Datum		values[4] = {0};
	bool		nulls[4] = {true, true, true, true};
	double		tail;
	double		mean[2];
	double		error[2];		/* squared, of each mean */
	double		n[2];
	bool		known = true;

	if (PG_ARGISNULL(6))
		PG_RETURN_NULL();
	tail = tail_argument(PG_GETARG_FLOAT8(6));
	for (int i = 0; i < 2; i++)
	{
		double		variance = PG_ARGISNULL(3 * i + 1) ? 0 : PG_GETARG_FLOAT8(3 * i + 1);
		int64		number = PG_ARGISNULL(3 * i + 2) ? 0 : PG_GETARG_INT64(3 * i + 2);

		mean[i] = PG_ARGISNULL(3 * i) ? 0 : PG_GETARG_FLOAT8(3 * i);
		check_group(mean[i], variance, number);
		known = known && !PG_ARGISNULL(3 * i + 1) && number >= 2;
		n[i] = number;
		error[i] = number > 0 ? variance / number : 0;
	}
	if (!PG_ARGISNULL(0) && !PG_ARGISNULL(3) && isfinite(mean[0] - mean[1]))
	{
		double		sum = error[0] + error[1];
		double		uplift = mean[0] - mean[1];

		values[0] = Float8GetDatum(uplift);
		nulls[0] = false;
		if (known && sum > 0 && isfinite(sum))
		{
			double		a = error[0] / sum;
			double		b = error[1] / sum;
			double		df = 1 / (a * a / (n[0] - 1) + b * b / (n[1] - 1));
			double		half = student_quantile(tail, df) * sqrt(sum);

			values[1] = Float8GetDatum(uplift - half);
			values[2] = Float8GetDatum(uplift + half);
			values[3] = Float8GetDatum(df);
			nulls[1] = nulls[2] = nulls[3] = false;
		}
	}
	return HeapTupleGetDatum(heap_form_tuple(desc, values, nulls));
}
