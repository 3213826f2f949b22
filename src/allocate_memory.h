/*-------------------------------------------------------------------------
 * allocate_memory.h
 *		Arrays for the assignment solvers, of any size.
 *-------------------------------------------------------------------------
 */
#ifndef ALLOCATE_MEMORY_H
#define ALLOCATE_MEMORY_H

static inline void *
alloc_array(int64 count, Size size)
{
	return palloc_extended(mul_size(Max(count, 1), size), MCXT_ALLOC_HUGE);
}

static inline void *
alloc_zeroed(int64 count, Size size)
{
	return palloc_extended(mul_size(Max(count, 1), size),
						   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
}

#define ALLOC(type, count) ((type *) alloc_array((count), sizeof(type)))
#define ALLOC0(type, count) ((type *) alloc_zeroed((count), sizeof(type)))

#endif							/* ALLOCATE_MEMORY_H */
