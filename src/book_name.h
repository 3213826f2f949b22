/*-------------------------------------------------------------------------
 * book_name.h
 *		Names of persons and companies, normalised.
 *-------------------------------------------------------------------------
 */
#ifndef CRM_BOOK_NAME_H
#define CRM_BOOK_NAME_H

#include "book_distance.h"

#define CRM_NAME_CHARS	CRM_DISTANCE_MAX
#define CRM_NAME_TOKENS 16
#define CRM_NAME_KEYS	(CRM_NAME_TOKENS + 1)
/* a key has no more code points than the name and the spaces between its tokens */
#define CRM_KEY_CHARS	(CRM_NAME_CHARS + CRM_NAME_TOKENS)

typedef struct CrmName
{
	uint32		chars[CRM_NAME_CHARS];	/* the tokens, one after another */
	int			nchars;
	int			start[CRM_NAME_TOKENS + 1]; /* of each token, and the end of the last */
	int			ntokens;
	bool		han;			/* a Chinese character is among them */
} CrmName;

typedef struct CrmNameKey
{
	uint32		chars[CRM_KEY_CHARS];
	int			nchars;
} CrmNameKey;

extern void crm_name_read(text *t, CrmName *name);
extern int	crm_name_keys(const CrmName *name, CrmNameKey *keys);
extern double crm_name_similarity_of(const CrmName *a, const CrmName *b);

#endif							/* CRM_BOOK_NAME_H */
