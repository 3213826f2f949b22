/*-------------------------------------------------------------------------
 * kpi_trail_io.c
 *		Text and binary form of crm._trail.
 *
 * Text form: "aggregate parameter ...: entity word ..., ...", points ascending.
 *-------------------------------------------------------------------------
 */
#include "kpi_trail.h"

#include "lib/stringinfo.h"
#include "libpq/pqformat.h"
#include "types_input.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#define SEND_VERSION 1

/* May the last point of these follow the one before it? */
static bool
point_fits(const TrailPoints *points)
{
	const TrailForm *form = &trail_form[points->kind];
	int			width = trail_width(points->kind);
	const int64 *point = trail_point(points, points->n - 1);

	for (int i = 0; i < form->words; i++)
		if (point[1 + i] < form->least[i] || point[1 + i] > form->most[i])
			return false;
	return points->n == 1 || trail_cmp(point - width, point, width) < 0;
}

static bool
read_number(const char **p, int64 *number)
{
	const char *start = crm_skip_space(*p);
	char	   *end;

	if (!crm_is_digit(*start == '-' ? start[1] : *start))
		return false;
	errno = 0;
	*number = strtoi64(start, &end, 10);
	*p = end;
	return errno == 0;
}

/* Moves *p behind the character c, if that is next */
static bool
skip_char(const char **p, char c)
{
	const char *q = crm_skip_space(*p);

	if (*q != c)
		return false;
	*p = crm_skip_space(q + 1);
	return true;
}

/* False: the text is no trail */
static bool
parse_trail(const char *p, TrailPoints *points)
{
	const TrailForm *form;
	size_t		length;
	Size		commas = 0;

	p = crm_skip_space(p);
	length = strcspn(p, " :");
	for (points->kind = 0;; points->kind++)
	{
		if (points->kind == TRAIL_KINDS)
			return false;
		form = &trail_form[points->kind];
		if (strlen(form->name) == length && memcmp(form->name, p, length) == 0)
			break;
	}
	p += length;
	memset(points->parameter, 0, sizeof(points->parameter));
	for (int i = 0; i < form->parameters; i++)
		if (!read_number(&p, &points->parameter[i]))
			return false;
	if (!skip_char(&p, ':'))
		return false;
	points->n = 0;
	if (*p == '\0')
		return true;
	for (const char *q = p; *q; q++)
		commas += *q == ',';
	points->word = palloc_extended(mul_size(commas + 1, sizeof(int64) * trail_width(points->kind)), MCXT_ALLOC_HUGE);
	do
	{
		int64	   *point = points->word + points->n++ * trail_width(points->kind);

		for (int i = 0; i < trail_width(points->kind); i++)
			if (!read_number(&p, &point[i]))
				return false;
		if (!point_fits(points))
			return false;
	} while (skip_char(&p, ','));
	return *crm_skip_space(p) == '\0';
}

PG_FUNCTION_INFO_V1(crm_trail_in);
/* Errors: 22P02 for anything that crm_trail_out does not write. */
Datum
crm_trail_in(PG_FUNCTION_ARGS)
{
	char	   *text = PG_GETARG_CSTRING(0);
	TrailPoints points;

	if (!parse_trail(text, &points))
		crm_input_error(fcinfo->context, (Datum) 0,
						(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
						 errmsg("invalid input syntax for type %s: \"%s\"", "crm._trail", crm_quotable(text)),
						 errhint("Trails are made by aggregates and not written by hand.")));
	PG_RETURN_POINTER(trail_flat(&points));
}

static void
append_number(StringInfo buf, int64 number)
{
	char		digits[MAXINT8LEN + 1];

	appendStringInfoChar(buf, ' ');
	appendBinaryStringInfo(buf, digits, pg_lltoa(number, digits));
}

PG_FUNCTION_INFO_V1(crm_trail_out);
Datum
crm_trail_out(PG_FUNCTION_ARGS)
{
	TrailPoints points = trail_read(PG_GETARG_DATUM(0));
	StringInfoData buf;

	initStringInfo(&buf);
	appendStringInfoString(&buf, trail_form[points.kind].name);
	for (int i = 0; i < trail_form[points.kind].parameters; i++)
		append_number(&buf, points.parameter[i]);
	appendStringInfoChar(&buf, ':');
	for (Size i = 0; i < points.n; i++)
	{
		if (i > 0)
			appendStringInfoChar(&buf, ',');
		for (int j = 0; j < trail_width(points.kind); j++)
			append_number(&buf, trail_point(&points, i)[j]);
	}
	PG_RETURN_CSTRING(buf.data);
}

PG_FUNCTION_INFO_V1(crm_trail_recv);
/* Errors: 22P03 for bytes that crm_trail_send does not write, 08P01 for too few. */
Datum
crm_trail_recv(PG_FUNCTION_ARGS)
{
	StringInfo	buf = (StringInfo) PG_GETARG_POINTER(0);
	int			version = pq_getmsgbyte(buf);
	int			kind = pq_getmsgbyte(buf);
	bool		good = version == SEND_VERSION && kind < TRAIL_KINDS;
	TrailPoints points = {0};

	if (good)
	{
		Size		size;
		Size		n;

		points.kind = kind;
		size = sizeof(int64) * trail_width(kind);
		for (int i = 0; i < trail_form[kind].parameters; i++)
			points.parameter[i] = pq_getmsgint64(buf);
		n = (buf->len - buf->cursor) / size;
		good = (buf->len - buf->cursor) % size == 0;
		points.word = palloc(size * n);
		while (good && points.n < n)
		{
			int64	   *point = points.word + points.n++ * trail_width(kind);

			for (int i = 0; i < trail_width(kind); i++)
				point[i] = pq_getmsgint64(buf);
			good = point_fits(&points);
		}
	}
	if (!good)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("invalid external \"%s\" value", "crm._trail")));
	PG_RETURN_POINTER(trail_flat(&points));
}

PG_FUNCTION_INFO_V1(crm_trail_send);
Datum
crm_trail_send(PG_FUNCTION_ARGS)
{
	TrailPoints points = trail_read(PG_GETARG_DATUM(0));
	StringInfoData buf;

	pq_begintypsend(&buf);
	pq_sendbyte(&buf, SEND_VERSION);
	pq_sendbyte(&buf, points.kind);
	for (int i = 0; i < trail_form[points.kind].parameters; i++)
		pq_sendint64(&buf, points.parameter[i]);
	for (Size i = 0; i < points.n * trail_width(points.kind); i++)
		pq_sendint64(&buf, points.word[i]);
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}
