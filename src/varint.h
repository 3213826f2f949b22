/*-------------------------------------------------------------------------
 * varint.h
 *		Integers of 1 to 10 bytes, 7 bits a byte, least significant first.
 *-------------------------------------------------------------------------
 */
#ifndef CRM_VARINT_H
#define CRM_VARINT_H

#define VARINT_MAX 10

static inline uint8 *
varint_put(uint8 *p, uint64 v)
{
	while (v >= 0x80)
	{
		*p++ = (uint8) (v | 0x80);
		v >>= 7;
	}
	*p++ = (uint8) v;
	return p;
}

/* Returns NULL when the bytes end early or hold more than 64 bits. */
static inline const uint8 *
varint_get(const uint8 *p, const uint8 *end, uint64 *v)
{
	uint64		r = 0;

	for (int shift = 0; p < end && shift < 64; shift += 7)
	{
		uint8		b = *p++;

		if (shift == 63 && b > 1)
			return NULL;
		r |= (uint64) (b & 0x7f) << shift;
		if (b < 0x80)
		{
			*v = r;
			return p;
		}
	}
	return NULL;
}

static inline uint64
zigzag(int64 v)
{
	return ((uint64) v << 1) ^ (uint64) (v >> 63);
}

static inline int64
unzigzag(uint64 v)
{
	return (int64) (v >> 1) ^ -(int64) (v & 1);
}

#endif							/* CRM_VARINT_H */
