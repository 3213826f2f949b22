/*-------------------------------------------------------------------------
 * book_digits.h
 *		Numbers of identity documents, telephones and dates.
 *-------------------------------------------------------------------------
 */
#ifndef CRM_BOOK_DIGITS_H
#define CRM_BOOK_DIGITS_H

#include "book_distance.h"

#define CRM_DIGITS_MAX	40

typedef struct CrmDigits
{
	uint32		chars[CRM_DIGITS_MAX];
	int			n;
} CrmDigits;

extern void crm_digits_read(text *t, CrmDigits *digits);
extern void crm_phone_read(text *t, CrmDigits *digits);

#endif							/* CRM_BOOK_DIGITS_H */
