/*-------------------------------------------------------------------------
 * classify_purchase_tally_io.c
 *		Text and binary form of crm._tally.
 *
 * Text form: "dims parameter: number ... * count, ...", points ascending.
 *-------------------------------------------------------------------------
 */
#include "classify_purchase_tally.h"

#include <math.h>

#include "common/int.h"
#include "common/shortest_dec.h"
#include "lib/stringinfo.h"
#include "libpq/pqformat.h"
#include "types_input.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#define SEND_VERSION 1

/* May the point follow the one before? */
static bool
point_fits(const TallyCell *point, int dims, bool first, int64 *total)
{
	for (int i = 0; i < dims; i++)
		if (!isfinite(point[i].number) || (point[i].number == 0 && signbit(point[i].number)))
			return false;
	return point[dims].count > 0 &&
		!pg_add_s64_overflow(*total, point[dims].count, total) &&
		(first || point_cmp(point - dims - 1, point, dims) < 0);
}

/* A plain decimal number at *p; moves *p behind it */
static bool
read_number(const char **p, double *number)
{
	const char *start = crm_skip_space(*p);
	char	   *end;

	if (strspn(start, "+-.0123456789") == 0 || strncmp(start + strspn(start, "+-"), "0x", 2) == 0 ||
		strncmp(start + strspn(start, "+-"), "0X", 2) == 0)
		return false;
	*number = strtod(start, &end);
	*p = end;
	return end > start && isfinite(*number);
}

static bool
read_count(const char **p, int64 *count)
{
	const char *start = crm_skip_space(*p);
	char	   *end;

	if (!crm_is_digit(*start))
		return false;
	errno = 0;
	*count = strtoi64(start, &end, 10);
	*p = end;
	return errno == 0;
}

/* False: the text is no tally */
static bool
parse_tally(const char *p, TallyPoints *points)
{
	TallyCell  *cell;
	int64		dims,
				total = 0;
	Size		most = 1;

	if (!read_count(&p, &dims) || dims < 1 || dims > TALLY_MAX_DIMS || !read_number(&p, &points->parameter) ||
		*(p = crm_skip_space(p)) != ':')
		return false;
	p = crm_skip_space(p + 1);
	for (const char *q = p; *q; q++)
		most += *q == ',';
	cell = palloc_extended(mul_size(most, sizeof(TallyCell) * (dims + 1)), MCXT_ALLOC_HUGE);
	points->dims = (int) dims;
	points->n = 0;
	points->cell = cell;
	for (TallyCell *point = cell; *p; point += dims + 1)
	{
		for (int i = 0; i < dims; i++)
			if (!read_number(&p, &point[i].number))
				return false;
		if (*(p = crm_skip_space(p)) != '*')
			return false;
		p++;
		if (!read_count(&p, &point[dims].count) || !point_fits(point, (int) dims, point == cell, &total))
			return false;
		points->n++;
		p = crm_skip_space(p);
		if (*p == '\0')
			break;
		if (*p++ != ',')
			return false;
		p = crm_skip_space(p);
		if (*p == '\0')
			return false;
	}
	return true;
}

PG_FUNCTION_INFO_V1(crm_tally_in);
/* Errors: 22P02 for anything that crm_tally_out does not write. */
Datum
crm_tally_in(PG_FUNCTION_ARGS)
{
	char	   *text = PG_GETARG_CSTRING(0);
	TallyPoints points;

	if (!parse_tally(text, &points))
		crm_input_error(fcinfo->context, (Datum) 0,
						(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
						 errmsg("invalid input syntax for type %s: \"%s\"", "crm._tally", crm_quotable(text)),
						 errhint("Tallies are made by aggregates and not written by hand.")));
	PG_RETURN_POINTER(tally_flat(&points));
}

static void
append_number(StringInfo buf, double number)
{
	char		digits[DOUBLE_SHORTEST_DECIMAL_LEN];

	double_to_shortest_decimal_buf(number, digits);
	appendStringInfoString(buf, digits);
}

PG_FUNCTION_INFO_V1(crm_tally_out);
Datum
crm_tally_out(PG_FUNCTION_ARGS)
{
	TallyPoints points = tally_points(fcinfo, -1);
	StringInfoData buf;

	initStringInfo(&buf);
	appendStringInfo(&buf, "%d ", points.dims);
	append_number(&buf, points.parameter);
	appendStringInfoChar(&buf, ':');
	for (Size i = 0; i < points.n; i++)
	{
		const TallyCell *point = tally_point(&points, i);

		if (i > 0)
			appendStringInfoChar(&buf, ',');
		for (int j = 0; j < points.dims; j++)
		{
			appendStringInfoChar(&buf, ' ');
			append_number(&buf, point[j].number);
		}
		appendStringInfo(&buf, " * " INT64_FORMAT, point[points.dims].count);
	}
	PG_RETURN_CSTRING(buf.data);
}

PG_FUNCTION_INFO_V1(crm_tally_recv);
/* Errors: 22P03 for bytes that crm_tally_send does not write, 08P01 for too few. */
Datum
crm_tally_recv(PG_FUNCTION_ARGS)
{
	StringInfo	buf = (StringInfo) PG_GETARG_POINTER(0);
	int			version = pq_getmsgbyte(buf);
	int			dims = pq_getmsgbyte(buf);
	double		parameter = pq_getmsgfloat8(buf);
	Size		left = buf->len - buf->cursor;
	bool		good = version == SEND_VERSION && dims >= 1 && dims <= TALLY_MAX_DIMS && isfinite(parameter) &&
		left % (sizeof(TallyCell) * (dims + 1)) == 0;
	TallyPoints points = {dims, parameter, 0, 0, NULL};
	int64		total = 0;

	if (good)
	{
		TallyCell  *cell = palloc(left);

		points.cell = cell;
		points.n = left / (sizeof(TallyCell) * (dims + 1));
		for (Size i = 0; good && i < points.n; i++)
		{
			TallyCell  *point = cell + i * (dims + 1);

			for (int j = 0; j < dims; j++)
				point[j].number = pq_getmsgfloat8(buf);
			point[dims].count = pq_getmsgint64(buf);
			good = point_fits(point, dims, i == 0, &total);
		}
	}
	if (!good)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("invalid external \"%s\" value", "crm._tally")));
	PG_RETURN_POINTER(tally_flat(&points));
}

PG_FUNCTION_INFO_V1(crm_tally_send);
Datum
crm_tally_send(PG_FUNCTION_ARGS)
{
	TallyPoints points = tally_points(fcinfo, -1);
	StringInfoData buf;

	pq_begintypsend(&buf);
	pq_sendbyte(&buf, SEND_VERSION);
	pq_sendbyte(&buf, points.dims);
	pq_sendfloat8(&buf, points.parameter);
	for (Size i = 0; i < points.n; i++)
	{
		const TallyCell *point = tally_point(&points, i);

		for (int j = 0; j < points.dims; j++)
			pq_sendfloat8(&buf, point[j].number);
		pq_sendint64(&buf, point[points.dims].count);
	}
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}
