/*-------------------------------------------------------------------------
 * classify_book.h
 *		Reading what the standing kernel needs, for many customers at once.
 *-------------------------------------------------------------------------
 */
#ifndef CRM_CLASSIFY_BOOK_H
#define CRM_CLASSIFY_BOOK_H

#include "classify_kernel.h"

typedef struct Book
{
	int64		ncustomers;
	int64		customer_size;
	Customer   *customer;		/* ascending by id */
	int64		nmoves;
	int64		move_size;
	Move	   *move;			/* ascending by customer and day */
	int64		ncovers;
	int64		cover_size;
	Cover	   *cover;			/* ascending by customer */
	/* where the customer at hand begins */
	int64		at_move;
	int64		at_cover;
} Book;

extern const Rules *rules_of(int64 generation);
extern Book *book_read(Datum ids);
extern Book *book_read_range(int64 from, int64 to);
extern const Timeline *book_timeline(Book *b, Kernel *k, int64 i);

#endif							/* CRM_CLASSIFY_BOOK_H */
