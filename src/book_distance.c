/*-------------------------------------------------------------------------
 * book_distance.c
 *		How far two strings of code points are apart.
 *
 * Neither string may be longer than CRM_DISTANCE_MAX.
 *-------------------------------------------------------------------------
 */
#include "book_distance.h"

/*
 * Damerau-Levenshtein distance in its restricted form (optimal string
 * alignment): changes of one, insertions, deletions and exchanges of
 * neighbours, no part being edited twice.
 */
int
crm_edit_distance(const uint32 *a, int n, const uint32 *b, int m)
{
	int			rows[3][CRM_DISTANCE_MAX + 1];
	int		   *before = rows[0];
	int		   *last = rows[1];
	int		   *row = rows[2];

	Assert(n <= CRM_DISTANCE_MAX && m <= CRM_DISTANCE_MAX);
	for (int j = 0; j <= m; j++)
		last[j] = j;
	for (int i = 1; i <= n; i++)
	{
		int		   *spare = before;

		row[0] = i;
		for (int j = 1; j <= m; j++)
		{
			int			d = last[j - 1] + (a[i - 1] != b[j - 1]);

			d = Min(d, last[j] + 1);
			d = Min(d, row[j - 1] + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				d = Min(d, before[j - 2] + 1);
			row[j] = d;
		}
		before = last;
		last = row;
		row = spare;
	}
	return last[m];
}

/*
 * Jaro's similarity, with Winkler's bonus of a tenth of what is missing for
 * each of the first four code points in common where it is above 0.7
 * (Winkler 1990). 0 where one is empty.
 */
double
crm_jaro_winkler(const uint32 *a, int n, const uint32 *b, int m)
{
	bool		a_taken[CRM_DISTANCE_MAX] = {false};
	bool		b_taken[CRM_DISTANCE_MAX] = {false};
	int			window = Max(n, m) / 2 - 1;
	int			common = 0;
	int			crossed = 0;
	int			prefix = 0;
	double		jaro;

	Assert(n <= CRM_DISTANCE_MAX && m <= CRM_DISTANCE_MAX);
	window = Max(window, 0);
	for (int i = 0; i < n; i++)
		for (int j = Max(0, i - window); j < Min(m, i + window + 1); j++)
			if (!b_taken[j] && a[i] == b[j])
			{
				a_taken[i] = b_taken[j] = true;
				common++;
				break;
			}
	if (common == 0)
		return 0;
	for (int i = 0, j = 0; i < n; i++)
	{
		if (!a_taken[i])
			continue;
		while (!b_taken[j])
			j++;
		crossed += a[i] != b[j++];
	}
	jaro = ((double) common / n + (double) common / m +
			(common - crossed / 2) / (double) common) / 3;
	if (jaro <= 0.7)
		return jaro;
	while (prefix < 4 && prefix < n && prefix < m && a[prefix] == b[prefix])
		prefix++;
	return jaro + prefix * 0.1 * (1 - jaro);
}
