/*-------------------------------------------------------------------------
 * types_unicode.h
 *		Text as code points, whatever the encoding of the database.
 *-------------------------------------------------------------------------
 */
#ifndef CRM_TYPES_UNICODE_H
#define CRM_TYPES_UNICODE_H

#include "crm.h"

/* A string of the database as UTF-8: the string itself where it is so already, or nobody knows. */
extern const char *crm_utf8(const char *s);

/* The beginning of a text, at most so many bytes and no cut character, as UTF-8 */
extern const char *crm_utf8_prefix(text *t, int max_bytes);

/* Code points as a text of the database */
extern text *crm_text_of(const uint32 *chars, int n);

/* The code point at *p, which moves on. A byte that is no UTF-8 counts as U+FFFD. */
extern uint32 crm_next_char(const char **p);

/* Full-width forms of ASCII as ASCII, the ideographic space and the no-break space as a space */
static inline uint32
crm_half_width(uint32 c)
{
	if (c >= 0xFF01 && c <= 0xFF5E)
		return c - 0xFEE0;
	if (c == 0x3000 || c == 0xA0)
		return ' ';
	return c;
}

#endif							/* CRM_TYPES_UNICODE_H */
