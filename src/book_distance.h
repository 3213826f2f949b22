/*-------------------------------------------------------------------------
 * book_distance.h
 *		How far two strings of code points are apart.
 *-------------------------------------------------------------------------
 */
#ifndef CRM_BOOK_DISTANCE_H
#define CRM_BOOK_DISTANCE_H

#include "crm.h"

#define CRM_DISTANCE_MAX	128 /* code points compared at most */

extern int	crm_edit_distance(const uint32 *a, int n, const uint32 *b, int m);
extern double crm_jaro_winkler(const uint32 *a, int n, const uint32 *b, int m);

#endif							/* CRM_BOOK_DISTANCE_H */
