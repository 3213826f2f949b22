/*-------------------------------------------------------------------------
 * kpi_cells.c
 *		The type crm.cells: what one account holds for one unit in a year, by
 *		period, class, kind and channel; and the rows of a figure made of it.
 *
 * Packed form: a version byte, then a section for each period that has cells:
 * its number in the year, the length of the section, and for each cell,
 * ascending by class, kind and channel, the class and kind, the channel and
 * the value, all as varints.  A cell of value 0 is not kept.
 *-------------------------------------------------------------------------
 */
#include "kpi_cells.h"

#include "base_key.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "common/int.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "libpq/pqformat.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "varint.h"

#define CELLS_VERSION 1

int
cell_cmp(const void *a, const void *b)
{
	const Cell *x = a;
	const Cell *y = b;

	if (x->period != y->period)
		return x->period - y->period;
	if (x->class_id != y->class_id)
		return x->class_id - y->class_id;
	if (x->company != y->company)
		return x->company - y->company;
	return compare_keys(x->channel, y->channel);
}

/* cell must ascend without equals */
struct varlena *
cells_pack(const Cell *cell, int n)
{
	struct varlena *v = palloc(VARHDRSZ + 1 + CELL_PERIODS * (1 + VARINT_MAX) + (Size) n * (3 + 2 * VARINT_MAX));
	uint8	   *p = (uint8 *) VARDATA(v);
	uint8	   *section = palloc((Size) n * (3 + 2 * VARINT_MAX) + 1);

	*p++ = CELLS_VERSION;
	for (int i = 0; i < n;)
	{
		int			period = cell[i].period;
		uint8	   *q = section;

		for (; i < n && cell[i].period == period; i++)
		{
			if (cell[i].n == 0)
				continue;
			q = varint_put(q, (uint64) cell[i].class_id << 1 | cell[i].company);
			q = varint_put(q, zigzag(cell[i].channel));
			q = varint_put(q, zigzag(cell[i].n));
		}
		if (q == section)
			continue;
		*p++ = (uint8) period;
		p = varint_put(p, q - section);
		memcpy(p, section, q - section);
		p += q - section;
	}
	pfree(section);
	SET_VARSIZE(v, (char *) p - (char *) v);
	return v;
}

/* One period, or with -1 all; NULL when the bytes are no cells */
static Cell *
unpack_bytes(const uint8 *p, const uint8 *end, int wanted, int *n)
{
	/* a cell takes three bytes at least */
	Cell	   *cell = palloc_extended(sizeof(Cell) * Max((end - p) / 3, 1), MCXT_ALLOC_HUGE);
	int			last = -1;
	int			k = 0;

	if (p >= end || *p++ != CELLS_VERSION)
		return NULL;
	while (p < end)
	{
		int			period = *p++;
		uint64		length;
		const uint8 *section_end;
		int			first = k;

		if (period <= last || period >= CELL_PERIODS)
			return NULL;
		last = period;
		p = varint_get(p, end, &length);
		if (p == NULL || length == 0 || length > (uint64) (end - p))
			return NULL;
		section_end = p + length;
		if (wanted >= 0 && period != wanted)
		{
			p = section_end;
			continue;
		}
		while (p < section_end)
		{
			uint64		class_kind,
						channel,
						value;

			if ((p = varint_get(p, section_end, &class_kind)) == NULL ||
				(p = varint_get(p, section_end, &channel)) == NULL ||
				(p = varint_get(p, section_end, &value)) == NULL ||
				class_kind >> 1 > PG_INT16_MAX || value == 0)
				return NULL;
			cell[k].period = (int16) period;
			cell[k].class_id = (int16) (class_kind >> 1);
			cell[k].company = class_kind & 1;
			cell[k].channel = unzigzag(channel);
			cell[k].n = unzigzag(value);
			if (k > first && cell_cmp(&cell[k - 1], &cell[k]) >= 0)
				return NULL;
			k++;
		}
	}
	*n = k;
	return cell;
}

/* The cells of one period, or with -1 of all */
Cell *
cells_unpack(const struct varlena *v, int period, int *n)
{
	const uint8 *p = (const uint8 *) VARDATA_ANY(v);
	Cell	   *cell = unpack_bytes(p, p + VARSIZE_ANY_EXHDR(v), period, n);

	if (cell == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("stored cells are damaged"),
				 errhint("Run CALL crm.rebuild().")));
	return cell;
}

PG_FUNCTION_INFO_V1(crm_cells_out);
/* Text form: "period/class/kind/channel=value" with spaces between, kind p or c. */
Datum
crm_cells_out(PG_FUNCTION_ARGS)
{
	int			n;
	Cell	   *cell = cells_unpack(PG_GETARG_VARLENA_PP(0), -1, &n);
	StringInfoData buf;

	initStringInfo(&buf);
	for (int i = 0; i < n; i++)
		appendStringInfo(&buf, "%s%d/%d/%c/" INT64_FORMAT "=" INT64_FORMAT, i > 0 ? " " : "",
						 cell[i].period, cell[i].class_id, cell[i].company ? 'c' : 'p', cell[i].channel, cell[i].n);
	PG_RETURN_CSTRING(buf.data);
}

/* Reads an integer between two limits and the letter after it, in the text of cells and entries. */
bool
parse_number(char **p, char stop, int64 least, int64 most, int64 *v)
{
	char	   *end;

	if (**p != '-' && (**p < '0' || **p > '9'))
		return false;
	errno = 0;
	*v = strtoll(*p, &end, 10);
	if (errno != 0 || end == *p || *end != stop || *v < least || *v > most)
		return false;
	*p = stop ? end + 1 : end;
	return true;
}

static bool
parse_cell(char *word, Cell *cell)
{
	int64		period,
				class_id;

	if (!parse_number(&word, '/', 0, CELL_PERIODS - 1, &period) ||
		!parse_number(&word, '/', 0, PG_INT16_MAX, &class_id) ||
		(word[0] != 'p' && word[0] != 'c') || word[1] != '/')
		return false;
	cell->period = (int16) period;
	cell->class_id = (int16) class_id;
	cell->company = word[0] == 'c';
	word += 2;
	return parse_number(&word, '=', PG_INT64_MIN, PG_INT64_MAX, &cell->channel) &&
		parse_number(&word, '\0', PG_INT64_MIN, PG_INT64_MAX, &cell->n) && cell->n != 0;
}

PG_FUNCTION_INFO_V1(crm_cells_in);
/* Errors: 22P02 for anything that crm_cells_out does not write. */
Datum
crm_cells_in(PG_FUNCTION_ARGS)
{
	char	   *text = PG_GETARG_CSTRING(0);
	char	   *save;
	/* a cell takes nine letters at least */
	Cell	   *cell = palloc_extended(sizeof(Cell) * (strlen(text) / 9 + 1), MCXT_ALLOC_HUGE);
	int			n = 0;

	for (char *w = strtok_r(pstrdup(text), " \t\n", &save); w; w = strtok_r(NULL, " \t\n", &save))
	{
		if (strlen(w) < 9 || !parse_cell(w, &cell[n]) || (n > 0 && cell_cmp(&cell[n - 1], &cell[n]) >= 0))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
					 errmsg("invalid input syntax for type %s: \"%.200s\"", "crm.cells", text),
					 errhint("Cells are made by crm and not written by hand.")));
		n++;
	}
	PG_RETURN_POINTER(cells_pack(cell, n));
}

PG_FUNCTION_INFO_V1(crm_cells_recv);
/* Errors: 22P03 for bytes that are no cells. */
Datum
crm_cells_recv(PG_FUNCTION_ARGS)
{
	StringInfo	buf = (StringInfo) PG_GETARG_POINTER(0);
	int			len = buf->len - buf->cursor;
	const uint8 *p = (const uint8 *) pq_getmsgbytes(buf, len);
	int			n;
	Cell	   *cell = unpack_bytes(p, p + len, -1, &n);

	if (cell == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("invalid external \"%s\" value", "crm.cells")));
	PG_RETURN_POINTER(cells_pack(cell, n));
}

PG_FUNCTION_INFO_V1(crm_cells_send);
Datum
crm_cells_send(PG_FUNCTION_ARGS)
{
	struct varlena *v = PG_GETARG_VARLENA_PP(0);
	StringInfoData buf;

	pq_begintypsend(&buf);
	pq_sendbytes(&buf, VARDATA_ANY(v), VARSIZE_ANY_EXHDR(v));
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}

static int64
add_counts(int64 a, int64 b)
{
	int64		r;

	if (pg_add_s64_overflow(a, b, &r))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("a figure is out of range")));
	return r;
}

static int64
negated(int64 n)
{
	if (n == PG_INT64_MIN)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("a figure is out of range")));
	return -n;
}

static struct varlena *
add_cells(const Cell *a, int na, const Cell *b, int nb)
{
	int			n = 0,
				i = 0,
				j = 0;
	Cell	   *sum = palloc_array(Cell, na + nb + 1);

	while (i < na || j < nb)
	{
		int			c = i == na ? 1 : j == nb ? -1 : cell_cmp(&a[i], &b[j]);

		sum[n] = c <= 0 ? a[i] : b[j];
		if (c == 0)
			sum[n].n = add_counts(a[i].n, b[j].n);
		i += c <= 0;
		j += c >= 0;
		n++;
	}
	return cells_pack(sum, n);
}

PG_FUNCTION_INFO_V1(crm_cells_add);
/* The sum of two, cell by cell.  Errors: 22003. */
Datum
crm_cells_add(PG_FUNCTION_ARGS)
{
	int			na,
				nb;
	Cell	   *a = cells_unpack(PG_GETARG_VARLENA_PP(0), -1, &na);
	Cell	   *b = cells_unpack(PG_GETARG_VARLENA_PP(1), -1, &nb);

	PG_RETURN_POINTER(add_cells(a, na, b, nb));
}

PG_FUNCTION_INFO_V1(crm_cells_less);
/* The first less the second, cell by cell; NULL counts for nothing, NULL of both.  Errors: 22003. */
Datum
crm_cells_less(PG_FUNCTION_ARGS)
{
	int			na = 0,
				nb;
	Cell	   *a = NULL;
	Cell	   *b;

	if (PG_ARGISNULL(1))
	{
		if (PG_ARGISNULL(0))
			PG_RETURN_NULL();
		PG_RETURN_DATUM(PG_GETARG_DATUM(0));
	}
	if (!PG_ARGISNULL(0))
		a = cells_unpack(PG_GETARG_VARLENA_PP(0), -1, &na);
	b = cells_unpack(PG_GETARG_VARLENA_PP(1), -1, &nb);
	for (int i = 0; i < nb; i++)
		b[i].n = negated(b[i].n);
	PG_RETURN_POINTER(add_cells(a, na, b, nb));
}

/*
 * An entry as it stands in an array of entries.  To be summed into cells it
 * counts in the periods first to last of the year; to be read it counts from
 * a day on in so many periods from a key on.
 */
typedef struct Entry
{
	union
	{
		int64		first;
		int64		key;
	};
	union
	{
		int64		last;
		int64		day;
	};
	int64		class_id;
	int64		channel;
	int64		company;		/* and twice the number of periods, to be read */
	int64		n;
} Entry;

static const Entry *
get_entries(ArrayType *a, int *n)
{
	const Entry *e = (const Entry *) int8_array(a, n);

	if (*n % 6 != 0)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("entries must come in sixes, not %d numbers", *n)));
	*n /= 6;
	for (int i = 0; i < *n; i++)
		if (e[i].class_id < 0 || e[i].class_id > PG_INT16_MAX)
			ereport(ERROR,
					(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					 errmsg("class " INT64_FORMAT " is out of range", e[i].class_id)));
	return e;
}

PG_FUNCTION_INFO_V1(crm_entries_less);
/*
 * The sixes of two arrays, n of the second turned; NULL counts for nothing,
 * NULL of both.  Errors: 2202E, 22004, 22003.
 */
Datum
crm_entries_less(PG_FUNCTION_ARGS)
{
	int			na = 0,
				nb;
	const Entry *a = NULL;
	const Entry *b;
	Datum	   *number;
	Size		n = 0;

	if (PG_ARGISNULL(1))
	{
		if (PG_ARGISNULL(0))
			PG_RETURN_NULL();
		PG_RETURN_DATUM(PG_GETARG_DATUM(0));
	}
	if (!PG_ARGISNULL(0))
		a = get_entries(PG_GETARG_ARRAYTYPE_P(0), &na);
	b = get_entries(PG_GETARG_ARRAYTYPE_P(1), &nb);
	number = MemoryContextAllocHuge(CurrentMemoryContext, ((Size) na + nb + 1) * 6 * sizeof(Datum));
	for (Size i = 0; i < (Size) na * 6; i++)
		number[n++] = Int64GetDatum(((const int64 *) a)[i]);
	for (Size i = 0; i < (Size) nb * 6; i++)
		number[n++] = Int64GetDatum(i % 6 == 5 ? negated(b[i / 6].n) : ((const int64 *) b)[i]);
	PG_RETURN_ARRAYTYPE_P(construct_array(number, (int) n, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

PG_FUNCTION_INFO_V1(crm_cells_move);
/* The cells of one period of the year, as those of another.  Errors: 22003. */
Datum
crm_cells_move(PG_FUNCTION_ARGS)
{
	int			from = PG_GETARG_INT32(1);
	int			to = PG_GETARG_INT32(2);
	int			n;
	Cell	   *cell;

	if (from < 0 || from >= CELL_PERIODS || to < 0 || to >= CELL_PERIODS)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("period %d or %d is out of range", from, to)));
	cell = cells_unpack(PG_GETARG_VARLENA_PP(0), from, &n);
	for (int i = 0; i < n; i++)
		cell[i].period = (int16) to;
	PG_RETURN_POINTER(cells_pack(cell, n));
}

PG_FUNCTION_INFO_V1(crm_cells_of);
/*
 * cells_of(entries): the sum of entries, an array of sixes (first and last
 * period of the year, class, channel, company, n), each counting in every
 * period from first to last.  Errors: 2202E, 22004, 22003.
 */
Datum
crm_cells_of(PG_FUNCTION_ARGS)
{
	int			n,
				k = 0,
				size = 0;
	const Entry *e = get_entries(PG_GETARG_ARRAYTYPE_P(0), &n);
	Cell	   *cell;

	for (int i = 0; i < n; i++)
	{
		if (e[i].first < 0 || e[i].last < e[i].first || e[i].last >= CELL_PERIODS)
			ereport(ERROR,
					(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					 errmsg("periods " INT64_FORMAT " to " INT64_FORMAT " are out of range", e[i].first, e[i].last)));
		size += (int) (e[i].last - e[i].first) + 1;
	}
	cell = MemoryContextAllocHuge(CurrentMemoryContext, Max((Size) size, 1) * sizeof(Cell));
	for (int i = 0; i < n; i++)
		for (int64 period = e[i].first; period <= e[i].last; period++)
			cell[k++] = (Cell) {
				.period = (int16) period, .class_id = (int16) e[i].class_id,
				.channel = e[i].channel, .company = e[i].company & 1, .n = e[i].n
			};
	qsort(cell, size, sizeof(Cell), cell_cmp);
	k = 0;
	for (int i = 0; i < size; i++)
	{
		if (k > 0 && cell_cmp(&cell[k - 1], &cell[i]) == 0)
			cell[k - 1].n = add_counts(cell[k - 1].n, cell[i].n);
		else
			cell[k++] = cell[i];
	}
	PG_RETURN_POINTER(cells_pack(cell, k));
}

/* One row of a figure in the making */
typedef struct FigureCell
{
	Cell		key;			/* its n is the numerator */
	int64		denominator;
	bool		used;
} FigureCell;

typedef struct Figure
{
	FigureCell *cell;
	uint32		size;			/* a power of 2 */
	uint32		n;
} Figure;

static FigureCell *
figure_cell(Figure *f, int16 class_id, int64 channel, bool company)
{
	Cell		key = {.class_id = class_id, .channel = channel, .company = company};
	uint32		i;

	if (f->n * 2 >= f->size)
	{
		FigureCell *old = f->cell;
		uint32		size = f->size;

		f->size = Max(32, size * 2);
		f->cell = palloc0_array(FigureCell, f->size);
		f->n = 0;
		for (i = 0; i < size; i++)
			if (old[i].used)
				*figure_cell(f, old[i].key.class_id, old[i].key.channel, old[i].key.company) = old[i];
	}
	i = murmurhash32((uint32) channel * 64 + (uint32) class_id * 2 + company) & (f->size - 1);
	while (f->cell[i].used && cell_cmp(&f->cell[i].key, &key) != 0)
		i = (i + 1) & (f->size - 1);
	if (!f->cell[i].used)
	{
		f->cell[i] = (FigureCell) {.key = key, .used = true};
		f->n++;
	}
	return &f->cell[i];
}

/*
 * Add an account to numerator or denominator: the cells of a period, and the
 * entries not yet folded into them, up to the closing day.  Of a balance
 * every such entry counts, of a turnover those with the key of its period.
 */
static void
add_account(Figure *f, bool denominator, FunctionCallInfo fcinfo, int arg)
{
	bool		classed = !PG_ARGISNULL(1);
	int64		key = PG_ARGISNULL(arg + 3) ? 0 : PG_GETARG_INT32(arg + 3);
	int64		close = PG_ARGISNULL(arg + 4) ? PG_INT64_MIN : PG_GETARG_DATEADT(arg + 4);
	bool		balance = PG_ARGISNULL(arg + 3);

#define ADD(class_id, channel, company, count) \
	do { \
		FigureCell *x = figure_cell(f, classed ? class_id : 0, channel, company); \
		int64	   *to = denominator ? &x->denominator : &x->key.n; \
		*to = add_counts(*to, count); \
	} while (0)

	if (!PG_ARGISNULL(arg) && !PG_ARGISNULL(arg + 1) && PG_GETARG_INT32(arg + 1) >= 0)
	{
		int			n;
		Cell	   *cell = cells_unpack(PG_GETARG_VARLENA_PP(arg), PG_GETARG_INT32(arg + 1), &n);

		for (int i = 0; i < n; i++)
			ADD(cell[i].class_id, cell[i].channel, cell[i].company, cell[i].n);
	}
	if (!PG_ARGISNULL(arg + 2))
	{
		int			n;
		const Entry *e = get_entries(PG_GETARG_ARRAYTYPE_P(arg + 2), &n);

		for (int i = 0; i < n; i++)
			if (e[i].day <= close &&
				(balance || (e[i].key <= key && key - e[i].key < (e[i].company >> 1) * 8 && ((key ^ e[i].key) & 7) == 0)))
				ADD((int16) e[i].class_id, e[i].channel, (e[i].company & 1) != 0, e[i].n);
	}
#undef ADD
}

typedef enum Shape
{
	SHAPE_COUNT,				/* a; no denominator */
	SHAPE_RATE,					/* a over b */
	SHAPE_GROWTH				/* a - b over b */
} Shape;

static Datum *
text_values(ArrayType *array, int *n)
{
	Datum	   *values;
	bool	   *nulls;

	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &values, &nulls, n);
	for (int i = 0; i < *n; i++)
		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("array must not contain nulls")));
	return values;
}

PG_FUNCTION_INFO_V1(crm_kpi_cells);
/*
 * kpi_cells(shape, labels, channel_ids, channel_codes,
 *			 a_cells, a_period, a_entries, a_key, a_close, and the same of b)
 * The rows (class, channel, kind, numerator, denominator) of one figure, unit
 * and period from its accounts a and b.  labels: of the classes from 1, NULL
 * for a figure without classes, which adds up those of its accounts; period: number of the period in the cells of
 * its year; entries: arrays of sixes (key of the first period, day, class,
 * channel, company plus twice the number of periods, n); key: of the period
 * of a turnover, its number times 8 plus its grain, NULL for a balance.  No row
 * where both are 0.  Errors: 22023 for an unknown shape or channels that do
 * not match, 22003, 22004.
 */
Datum
crm_kpi_cells(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	Figure		f = {0};
	int			shape = PG_ARGISNULL(0) ? -1 : PG_GETARG_INT16(0);
	Datum	   *label = NULL;
	int			nlabels = 0;
	int64	   *channel = NULL;
	Datum	   *code = NULL;
	int			nchannels = 0;
	int			ncodes = 0;

	if (shape < SHAPE_COUNT || shape > SHAPE_GROWTH)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("shape %d of a figure is not known", shape)));
	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	add_account(&f, false, fcinfo, 4);
	if (shape != SHAPE_COUNT)
		add_account(&f, true, fcinfo, 9);
	if (f.n == 0)
		return (Datum) 0;
	if (!PG_ARGISNULL(1))
		label = text_values(PG_GETARG_ARRAYTYPE_P(1), &nlabels);
	if (!PG_ARGISNULL(2) && !PG_ARGISNULL(3))
	{
		channel = int8_array(PG_GETARG_ARRAYTYPE_P(2), &nchannels);
		code = text_values(PG_GETARG_ARRAYTYPE_P(3), &ncodes);
	}
	if (nchannels != ncodes)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("there are %d channels but %d codes", nchannels, ncodes)));
	for (uint32 i = 0; i < f.size; i++)
	{
		FigureCell *x = &f.cell[i];
		Datum		values[5];
		bool		nulls[5] = {false};
		int			at = 0;

		if (!x->used || (x->key.n == 0 && x->denominator == 0))
			continue;
		if (shape == SHAPE_GROWTH)
			x->key.n = add_counts(x->key.n, -x->denominator);
		while (at < nchannels && channel[at] != x->key.channel)
			at++;
		nulls[0] = label == NULL;
		if (label)
			values[0] = x->key.class_id >= 1 && x->key.class_id <= nlabels ? label[x->key.class_id - 1]
				: CStringGetTextDatum("none");
		nulls[1] = at == nchannels;
		if (at < nchannels)
			values[1] = code[at];
		values[2] = CStringGetTextDatum(x->key.company ? "company" : "person");
		values[3] = Int64GetDatum(x->key.n);
		values[4] = Int64GetDatum(x->denominator);
		nulls[4] = shape == SHAPE_COUNT;
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	return (Datum) 0;
}
