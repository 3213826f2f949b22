/*-------------------------------------------------------------------------
 * types_unicode.c
 *		Text as code points, whatever the encoding of the database.
 *-------------------------------------------------------------------------
 */
#include "types_unicode.h"

#include "access/detoast.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"

const char *
crm_utf8(const char *s)
{
	if (GetDatabaseEncoding() == PG_UTF8 || GetDatabaseEncoding() == PG_SQL_ASCII)
		return s;
	return pg_server_to_any(s, strlen(s), PG_UTF8);
}

const char *
crm_utf8_prefix(text *t, int max_bytes)
{
	text	   *slice = t;
	char	   *s;
	int			len;

	/* a long value is fetched no further than it is read */
	if (toast_raw_datum_size(PointerGetDatum(t)) > (Size) (max_bytes + VARHDRSZ))
		slice = DatumGetTextPSlice(PointerGetDatum(t), 0, max_bytes);
	else
		slice = pg_detoast_datum_packed((struct varlena *) t);
	len = pg_mbcliplen(VARDATA_ANY(slice), VARSIZE_ANY_EXHDR(slice), max_bytes);
	s = pnstrdup(VARDATA_ANY(slice), len);
	return crm_utf8(s);
}

text *
crm_text_of(const uint32 *chars, int n)
{
	char	   *buf = palloc(n * 4 + 1);
	char	   *end = buf;
	char	   *s;

	for (int i = 0; i < n; i++)
	{
		unicode_to_utf8(chars[i], (unsigned char *) end);
		end += pg_utf_mblen((unsigned char *) end);
	}
	*end = '\0';
	s = pg_any_to_server(buf, end - buf, PG_UTF8);
	return cstring_to_text(s);
}

uint32
crm_next_char(const char **p)
{
	const unsigned char *s = (const unsigned char *) *p;
	int			len;

	if (*s < 0x80)
	{
		(*p)++;
		return *s;
	}
	len = pg_utf_mblen(s);
	if ((int) strnlen(*p, len) < len || !pg_utf8_islegal(s, len))
	{
		(*p)++;
		return 0xFFFD;
	}
	*p += len;
	return utf8_to_unicode(s);
}
