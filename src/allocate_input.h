/*-------------------------------------------------------------------------
 * allocate_input.h
 *		What an assignment is made of, read from two queries of a user.
 *-------------------------------------------------------------------------
 */
#ifndef ALLOCATE_INPUT_H
#define ALLOCATE_INPUT_H

#include "crm.h"

#include "base_query.h"

typedef struct AssignHolder
{
	int64		id;
	int64		capacity;
	int64		floor;
	int64		within;			/* id of the holder whose capacity it shares */
	int32		group;			/* and its index, or -1 */
} AssignHolder;

typedef struct AssignEdge
{
	int64		customer;
	double		benefit;
	int32		holder;			/* index into the holders in order of id */
	int32		load;
} AssignEdge;

typedef struct AssignInput
{
	MemoryContext context;		/* for what is read */
	MemoryContext row_context;	/* reset after each row */
	GivenColumn column[4];		/* of the query that is read */

	AssignHolder *holders;		/* in order of id */
	int64		holder_count;
	int64		holder_space;
	int32	   *table;			/* hash table of holders: index + 1, or 0 */
	uint64		table_mask;

	AssignEdge *edges;			/* by customer and holder, none twice */
	int64		edge_count;
	int64		edge_space;
	int32		customers;		/* that have an edge */
	bool		floors;			/* some holder has one */
	bool		grouped;		/* some holder is within another */
	bool		weighted;		/* some holder has customers of different loads */
} AssignInput;

extern void assign_read(AssignInput *input, MemoryContext context, const char *edges,
						const char *capacities);
extern int	assign_costs(const AssignInput *input, int bits, bool maximize, int64 *cost);

#endif							/* ALLOCATE_INPUT_H */
