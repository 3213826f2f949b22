/*-------------------------------------------------------------------------
 * base_radix.c
 *		Radix sort from the last digit, stable, leaving out digits in which all
 *		agree: numbers close together, or of few digits, take few passes.
 *-------------------------------------------------------------------------
 */
#include "base_radix.h"

#include "miscadmin.h"
#include "utils/memutils.h"

#define RADIX_BITS	11
#define RADIX		(1 << RADIX_BITS)
#define DIGITS		6			/* of 64 bits */
#define TOP_BIT		(UINT64CONST(1) << 63)

/* A number in the order of the key as unsigned */
static pg_attribute_always_inline uint64
ordered(uint64 word, RadixKey key)
{
	if (key == RADIX_DOUBLE && word & TOP_BIT)
		return ~word;
	return word ^ TOP_BIT;
}

static pg_attribute_always_inline void
sort(uint64 *record, Size n, int width, int word, RadixKey key)
{
	Size		size = sizeof(uint64) * width * n;
	uint64	   *from = record;
	uint64	   *to;
	uint64	   *room;
	Size	   *start;
	uint64		differ = 0;
	bool		sorted = true;

	for (Size i = 1; i < n; i++)
	{
		differ |= record[i * width + word] ^ record[word];
		sorted &= ordered(record[(i - 1) * width + word], key) <= ordered(record[i * width + word], key);
	}
	if (sorted)
		return;
	if (key == RADIX_DOUBLE && differ & TOP_BIT)
		differ = ~UINT64CONST(0);
	room = to = MemoryContextAllocHuge(CurrentMemoryContext, size);
	/* how often each value of each digit is there, then where it begins */
	start = palloc0_array(Size, DIGITS * RADIX);
	for (Size i = 0; i < n; i++)
	{
		uint64		number = ordered(record[i * width + word], key);

		for (int digit = 0; digit < DIGITS; digit++)
			start[digit * RADIX + ((number >> (digit * RADIX_BITS)) & (RADIX - 1))]++;
	}
	for (int digit = 0; digit < DIGITS; digit++)
	{
		int			shift = digit * RADIX_BITS;
		Size	   *first = start + digit * RADIX;
		uint64	   *swap;
		Size		before = 0;

		if (((differ >> shift) & (RADIX - 1)) == 0)
			continue;
		CHECK_FOR_INTERRUPTS();
		for (int d = 0; d < RADIX; d++)
		{
			Size		count = first[d];

			first[d] = before;
			before += count;
		}
		for (Size i = 0; i < n; i++)
		{
			uint64	   *place = to + width * first[(ordered(from[i * width + word], key) >> shift) & (RADIX - 1)]++;

			for (int j = 0; j < width; j++)
				place[j] = from[i * width + j];
		}
		swap = from;
		from = to;
		to = swap;
	}
	if (from != record)
		memcpy(record, from, size);
	pfree(room);
	pfree(start);
}

/* Ascending by that word; records that agree in it stay in order. */
void
radix_sort(void *record, Size n, int width, int word, RadixKey key)
{
	Assert(width >= 2 && width <= 4 && word < width);
	switch (width * 2 + (key == RADIX_DOUBLE))
	{
		case 4:
			sort(record, n, 2, word, RADIX_INT64);
			break;
		case 5:
			sort(record, n, 2, word, RADIX_DOUBLE);
			break;
		case 6:
			sort(record, n, 3, word, RADIX_INT64);
			break;
		case 7:
			sort(record, n, 3, word, RADIX_DOUBLE);
			break;
		case 8:
			sort(record, n, 4, word, RADIX_INT64);
			break;
		default:
			sort(record, n, 4, word, RADIX_DOUBLE);
			break;
	}
}
