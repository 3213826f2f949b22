/*-------------------------------------------------------------------------
 * kpi_trail_sort.c
 *		Points of a trail put in order, and two trails in order made one.
 *
 * A radix sort by entity, which takes few passes over numbers that lie close
 * together, then a sort of the points of each entity, which are few.
 *-------------------------------------------------------------------------
 */
#include "kpi_trail.h"

#include "base_radix.h"
#include "miscadmin.h"

#define FEW			32			/* points up to which insertion is the faster sort */

static inline int
cmp(const int64 *a, const int64 *b, int width)
{
	for (int i = 0; i < width; i++)
		if (a[i] != b[i])
			return a[i] < b[i] ? -1 : 1;
	return 0;
}

int
trail_cmp(const int64 *a, const int64 *b, int width)
{
	return cmp(a, b, width);
}

static int
sort_cmp(const void *a, const void *b, void *width)
{
	return cmp(a, b, *(int *) width);
}

static inline void
put(int64 *to, const int64 *from, int width)
{
	for (int i = 0; i < width; i++)
		to[i] = from[i];
}

static pg_attribute_always_inline void
sort_few(int64 *word, Size n, int width)
{
	for (Size i = 1; i < n; i++)
	{
		int64		point[TRAIL_MAX_WIDTH];
		Size		j = i;

		put(point, word + i * width, width);
		for (; j > 0 && cmp(word + (j - 1) * width, point, width) > 0; j--)
			put(word + j * width, word + (j - 1) * width, width);
		put(word + j * width, point, width);
	}
}

static pg_attribute_always_inline void
sort(int64 *word, Size n, int width)
{
	bool		in_order = true;

	if (n <= FEW)
	{
		sort_few(word, n, width);
		return;
	}
	for (Size i = 1; i < n && in_order; i++)
		in_order = cmp(word + (i - 1) * width, word + i * width, width) <= 0;
	if (in_order)
		return;
	radix_sort(word, n, width, 0, RADIX_INT64);
	for (Size i = 0, end; i < n; i = end)
	{
		for (end = i + 1; end < n && word[end * width] == word[i * width];)
			end++;
		if (end - i <= FEW)
			sort_few(word + i * width, end - i, width);
		else
		{
			CHECK_FOR_INTERRUPTS();
			qsort_arg(word + i * width, end - i, sizeof(int64) * width, sort_cmp, &width);
		}
	}
}

/* Points in ascending order; equal ones stay. */
void
trail_sort(int64 *word, Size n, TrailKind kind)
{
	if (trail_form[kind].words == 1)
		sort(word, n, 2);
	else
		sort(word, n, 3);
}

static pg_attribute_always_inline Size
merge(const int64 *a, Size na, const int64 *b, Size nb, int64 *out, bool ends, int width)
{
	Size		n = 0;
	Size		run = 0;		/* where the entity of the last point out begins */

	while (na > 0 || nb > 0)
	{
		const int64 *next;

		if (nb == 0 || (na > 0 && cmp(a, b, width) <= 0))
		{
			next = a;
			a += width;
			na--;
		}
		else
		{
			next = b;
			b += width;
			nb--;
		}
		if (n > 0 && cmp(out + (n - 1) * width, next, width) == 0)
			continue;
		if (n == 0 || out[(n - 1) * width] != next[0])
			run = n;
		else if (ends && n - run == 2)
			n--;
		put(out + n++ * width, next, width);
	}
	return n;
}

/* Both in one, what the kind needs of it: the number of points in out, which has room for all. */
Size
trail_merge(const int64 *a, Size na, const int64 *b, Size nb, int64 *out, TrailKind kind)
{
	if (trail_form[kind].words == 1)
		return merge(a, na, b, nb, out, trail_form[kind].ends, 2);
	return merge(a, na, b, nb, out, trail_form[kind].ends, 3);
}
