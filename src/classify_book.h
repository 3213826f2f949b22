/*-------------------------------------------------------------------------
 * classify_book.h
 *		Reading what the standing kernel needs, for many customers at once.
 *-------------------------------------------------------------------------
 */
#ifndef CRM_CLASSIFY_BOOK_H
#define CRM_CLASSIFY_BOOK_H

#include "classify_facets_kernel.h"
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
	int64		nfacts;
	int64		fact_size;
	Fact	   *fact;			/* ascending by customer, day and id */
	int64		nworths;
	int64		worth_size;
	Worth	   *worth;			/* ascending by customer */
	/* where the records of the customer to come begin */
	int64		at_move;
	int64		at_cover;
	int64		at_fact;
	int64		at_worth;
} Book;

/* The two kernels, which run together */
typedef struct Kernels
{
	const Rules *rules;
	Kernel	   *standing;
	FacetKernel *facet;
} Kernels;

extern const Rules *rules_of(int64 generation);
extern Kernels kernels_create(const Rules *rules);
extern Book *book_read(const Rules *rules, Datum ids);
extern Book *book_read_range(const Rules *rules, int64 from, int64 to);
extern const Timeline *book_timeline(Book *b, Kernels *k, int64 i, const Facets **facets);

#endif							/* CRM_CLASSIFY_BOOK_H */
