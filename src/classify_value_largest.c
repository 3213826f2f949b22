/*-------------------------------------------------------------------------
 * classify_value_largest.c
 *		The sum of the largest values without sorting them all.
 *
 * Values fall into bins by sign and exponent, in which whole numbers of 53 bits
 * add up exactly: so the order in which they come does not tell in the last digit.
 * The bins of large values count whole; only the values of the bin in which the
 * border lies are sorted.
 *-------------------------------------------------------------------------
 */
#include "classify_value_largest.h"

#include <math.h>

#include "base_radix.h"
#include "utils/memutils.h"

#define FRACTION_BITS	52
#define EXPONENT_MASK	0x7FF
#define BINS			(2 * (EXPONENT_MASK + 1))

typedef struct Bin
{
	int128		sum;			/* of counts times fractions: below 2^(53 + 63) */
	int64		rows;
	Size		points;
} Bin;

/* Ascending with the value; finite values only */
static inline int
bin_of(double value)
{
	uint64		word;
	int			exponent;

	memcpy(&word, &value, sizeof(word));
	exponent = (int) (word >> FRACTION_BITS) & EXPONENT_MASK;
	return word >> 63 ? EXPONENT_MASK - exponent : EXPONENT_MASK + 1 + exponent;
}

/* The power of two by which whole numbers of a bin are multiplied; the smallest serves two, as it does in IEEE 754 */
static inline int
bin_scale(int bin)
{
	int			exponent = bin <= EXPONENT_MASK ? EXPONENT_MASK - bin : bin - EXPONENT_MASK - 1;

	return Max(exponent, 1) - 1023 - FRACTION_BITS;
}

/* A value of the bin as a whole number */
static inline int64
fraction_of(double value)
{
	uint64		word;
	int64		fraction;

	memcpy(&word, &value, sizeof(word));
	fraction = (int64) (word & ((UINT64CONST(1) << FRACTION_BITS) - 1));
	if ((word >> FRACTION_BITS & EXPONENT_MASK) != 0)
		fraction |= INT64CONST(1) << FRACTION_BITS;
	return word >> 63 ? -fraction : fraction;
}

static double
scaled(int128 sum, int bin)
{
	return ldexp((double) sum, bin_scale(bin));
}

/* The largest values of one bin, that many rows; a row on the border counts for its part. */
static double
sum_of_border(const TallyPoints *points, int bin, Size n, double rows)
{
	TallyCell  *cell = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(TallyCell) * 2 * n);
	int128		sum = 0;
	double		part = 0;
	Size		found = 0;

	for (Size i = 0; i < points->n; i++)
		if (bin_of(tally_point(points, i)->number) == bin)
			memcpy(cell + 2 * found++, tally_point(points, i), sizeof(TallyCell) * 2);
	Assert(found == n);
	radix_sort(cell, n, 2, 0, RADIX_DOUBLE);
	for (Size i = n; i-- > 0 && rows > 0;)
	{
		double		value = cell[2 * i].number;
		int64		count = cell[2 * i + 1].count;

		if (rows < (double) count)
		{
			count = (int64) rows;
			part = value * (rows - (double) count);
			rows = 0;
		}
		sum += (int128) fraction_of(value) * count;
		rows -= (double) count;
	}
	pfree(cell);
	return scaled(sum, bin) + part;
}

/*
 * The sum of that many rows with the largest values, and of all in *total; rows
 * need not be a whole number.  Points of one number each, in any order.
 */
double
sum_of_largest(const TallyPoints *points, double rows, double *total)
{
	Bin		   *bins = palloc0_array(Bin, BINS);
	double		largest = 0;

	for (Size i = 0; i < points->n; i++)
	{
		const TallyCell *point = tally_point(points, i);
		Bin		   *bin = &bins[bin_of(point[0].number)];

		bin->sum += (int128) fraction_of(point[0].number) * point[1].count;
		bin->rows += point[1].count;
		bin->points++;
	}
	*total = 0;
	for (int bin = BINS; bin-- > 0;)
	{
		const Bin  *b = &bins[bin];

		if (b->points == 0)
			continue;
		*total += scaled(b->sum, bin);
		if (rows >= (double) b->rows)
			largest += scaled(b->sum, bin);
		else if (rows > 0)
			largest += sum_of_border(points, bin, b->points, rows);
		rows -= (double) b->rows;
	}
	pfree(bins);
	return largest;
}
