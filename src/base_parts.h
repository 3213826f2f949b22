/*-------------------------------------------------------------------------
 * base_parts.h
 *		Work in parts, which background sessions take up and commit.
 *-------------------------------------------------------------------------
 */
#ifndef CRM_BASE_PARTS_H
#define CRM_BASE_PARTS_H

#include "crm.h"

typedef struct Parts Parts;

extern Parts *parts_begin(Oid routine, Datum args, Datum items, int per_part);
extern void parts_break_off(int code, Datum parts);
extern int	parts_count(const Parts *p);
extern int	parts_sessions(const Parts *p);
extern const int64 *part_items(const Parts *p, int part, int *n);
extern bool parts_do_one(Parts *p);
extern void parts_wait(Parts *p, int part);
extern void parts_end(Parts *p);

#endif							/* CRM_BASE_PARTS_H */
