/*-------------------------------------------------------------------------
 * kpi_entries.h
 *		Postings summed up by account, period, day and cell, and packed.
 *-------------------------------------------------------------------------
 */
#ifndef CRM_KPI_ENTRIES_H
#define CRM_KPI_ENTRIES_H

#include "kpi_post.h"

#include "common/hashfn.h"

typedef struct DayEntry
{
	Posting		key;			/* its n is the sum */
	char		status;
} DayEntry;

static inline uint32
posting_hash(const Posting *p)
{
	return murmurhash32((uint32) p->org * 2654435761U ^ (uint32) p->channel * 40503U ^
						(uint32) p->day * 69069U ^
						((uint32) p->account << 24 | (uint32) p->class_id << 12 |
						 (uint32) p->grain << 8 | (uint32) p->company << 7) ^
						((uint32) p->period * 16 + (uint32) p->periods) * 97U);
}

static inline bool
posting_equal(const Posting *a, const Posting *b)
{
	return a->account == b->account && a->class_id == b->class_id && a->grain == b->grain &&
		a->period == b->period && a->periods == b->periods && a->day == b->day && a->org == b->org &&
		a->channel == b->channel && a->company == b->company;
}

#define SH_PREFIX entries
#define SH_ELEMENT_TYPE DayEntry
#define SH_KEY_TYPE Posting
#define SH_KEY key
#define SH_HASH_KEY(tb, k) posting_hash(&(k))
#define SH_EQUAL(tb, a, b) posting_equal(&(a), &(b))
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

static inline void
entries_add(entries_hash *entries, const Posting *p)
{
	bool		found;
	DayEntry   *e = entries_insert(entries, *p, &found);

	if (found)
		e->key.n += p->n;
}

/* Entries of one account and unit, which count from a day up to this one on: a row of crm.kpi_entry */
typedef struct EntryRow
{
	int16		account;
	int64		org;
	DateADT		day;
	int			n;
	struct varlena *entries;
} EntryRow;

typedef void (*EntryRowFunction) (void *arg, const EntryRow *row);

extern void entries_pack(entries_hash *entries, DateADT settled, EntryRowFunction put, void *arg);

#endif							/* CRM_KPI_ENTRIES_H */
