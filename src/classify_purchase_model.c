/*-------------------------------------------------------------------------
 * classify_purchase_model.c
 *		The types crm.bgnbd and crm.gamma_gamma: input, output, their parts, and
 *		what may be asked of the models.
 *
 * Text form:  r 0.243, alpha 4.414, a 0.793, b 2.426
 * and after a fit also:  , log_likelihood -9582.43, customers 2357, converged
 * with one of the words of status_words. The items may come in any order.
 *-------------------------------------------------------------------------
 */
#include "classify_purchase.h"

#include <math.h>

#include "common/shortest_dec.h"
#include "lib/stringinfo.h"
#include "libpq/pqformat.h"
#include "types_input.h"
#include "utils/builtins.h"

#define MODEL_VERSION	1
#define LEAST_PARAM		1e-30
#define MOST_PARAM		1e30

typedef struct ModelKind
{
	const char *type;
	int			nparams;
	const char *name[FIT_MAX_PARAMS];
} ModelKind;

static const ModelKind bgnbd = {"crm.bgnbd", 4, {"r", "alpha", "a", "b"}};
static const ModelKind gamma_gamma = {"crm.gamma_gamma", 3, {"p", "q", "gamma"}};

static const char *const status_words[] = {
	[FIT_GIVEN] = "",
	[FIT_CONVERGED] = "converged",
	[FIT_NO_REPEATERS] = "not converged: nobody bought again",
	[FIT_AT_LIMIT] = "not converged: no maximum within the limits",
	[FIT_TOO_MANY_STEPS] = "not converged: too many steps"
};

/* what may be asked -------------------------------------------------------------- */

/* Errors: 22003 out of range or not a number, 22023 not possible. */
void
purchase_check_history(int64 frequency, double recency, double age)
{
	if (frequency < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("frequency \"" INT64_FORMAT "\" is negative", frequency),
				 errhint("Frequency counts the purchases after the first.")));
	if (frequency > MOST_PURCHASES)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("frequency \"" INT64_FORMAT "\" is out of range", frequency),
				 errhint("At most %d purchases can be modelled.", MOST_PURCHASES)));
	if (!isfinite(recency) || !isfinite(age) || age > MOST_TIME)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("recency \"%g\" or age \"%g\" is out of range", recency, age),
				 errhint("Both are finite numbers of one unit of time, at most %g.", MOST_TIME)));
	if (recency < 0 || age < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("recency \"%g\" or age \"%g\" is negative", recency, age),
				 errhint("Both are counted from the first purchase on.")));
	if (recency > age)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("recency \"%g\" is larger than age \"%g\"", recency, age),
				 errhint("Recency runs from the first to the last purchase, age from the first purchase to the end of observation.")));
	if (frequency == 0 && recency > 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("recency \"%g\" of a customer who never bought again", recency),
				 errhint("Recency runs from the first to the last purchase: with frequency 0 it is 0.")));
	if (age > 0 ? age < LEAST_TIME : frequency > 0)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("age \"%g\" is too short for frequency \"" INT64_FORMAT "\"", age, frequency),
				 errhint("Whoever bought again has an age of more than 0, at least %g.", LEAST_TIME)));
}

void
purchase_check_horizon(double horizon)
{
	if (!isfinite(horizon) || horizon > MOST_TIME)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("horizon \"%g\" is out of range", horizon),
				 errhint("A horizon is a finite number in the unit of time of the model, at most %g.", MOST_TIME)));
	if (horizon < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("horizon \"%g\" is negative", horizon),
				 errhint("A horizon is a length of time from the end of observation on.")));
}

/* With frequency 0 the mean is not looked at, but must not be nonsense either. */
void
purchase_check_mean(int64 frequency, double mean_value)
{
	if (frequency < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("frequency \"" INT64_FORMAT "\" is negative", frequency),
				 errhint("Frequency counts the purchases after the first.")));
	if (frequency > MOST_PURCHASES)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("frequency \"" INT64_FORMAT "\" is out of range", frequency),
				 errhint("At most %d purchases can be modelled.", MOST_PURCHASES)));
	if (!isfinite(mean_value) || mean_value > MOST_VALUE ||
		(mean_value > 0 && mean_value < LEAST_VALUE))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("mean value \"%g\" is out of range", mean_value),
				 errhint("A mean value is finite, at least %g and at most %g.", LEAST_VALUE, MOST_VALUE)));
	if (mean_value < 0 || (frequency > 0 && mean_value == 0))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("mean value \"%g\" of \"" INT64_FORMAT "\" purchases is not positive", mean_value, frequency),
				 errhint("The model knows purchases of a positive value only: leave out customers whose repeat purchases were free.")));
}

/* input and output --------------------------------------------------------------- */

static bool
model_fits(const ModelKind *kind, const PurchaseModel *m)
{
	for (int i = 0; i < kind->nparams; i++)
		if (!(m->param[i] >= LEAST_PARAM && m->param[i] <= MOST_PARAM))
			return false;
	if (m->status < FIT_GIVEN || m->status > FIT_STATUS_LAST || !isfinite(m->log_likelihood))
		return false;
	return m->status == FIT_GIVEN ? m->customers == 0 && m->log_likelihood == 0 && !signbit(m->log_likelihood) : m->customers > 0;
}

/* Does the item that ends at end consist of the word? */
static bool
is_word(const char *item, const char *end, const char *word)
{
	return end - item == (ptrdiff_t) strlen(word) && memcmp(item, word, end - item) == 0;
}

/*
 * One item of a model's text; NULL when it is good, else the detail of the
 * error. seen has a bit for each part of the model.
 */
static const char *
parse_item(const ModelKind *kind, const char *item, const char *end, PurchaseModel *m, int *seen)
{
	const char *name_end = item;
	const char *number;
	char	   *number_end;
	int			part = -1;
	double		value;

	while (name_end < end && (*name_end == '_' || (*name_end >= 'a' && *name_end <= 'z')))
		name_end++;
	number = crm_skip_space(name_end);
	for (int i = 0; i < kind->nparams; i++)
		if (is_word(item, name_end, kind->name[i]))
			part = i;
	if (is_word(item, name_end, "log_likelihood"))
		part = FIT_MAX_PARAMS;
	else if (is_word(item, name_end, "customers"))
		part = FIT_MAX_PARAMS + 1;
	for (int i = FIT_CONVERGED; i <= FIT_STATUS_LAST; i++)
		if (is_word(item, end, status_words[i]))
		{
			part = FIT_MAX_PARAMS + 2;
			m->status = i;
		}
	if (part < 0)
		return "An item is the name of a parameter and a number, or tells how a fit ended.";
	if (*seen & (1 << part))
		return "An item occurs twice.";
	*seen |= 1 << part;
	if (part == FIT_MAX_PARAMS + 2)
		return NULL;

	if (number == name_end || number >= end || strspn(number, "+-.0123456789eE") != (size_t) (end - number))
		return "After the name of a parameter a space and a decimal number are expected.";
	if (part == FIT_MAX_PARAMS + 1)
	{
		errno = 0;
		m->customers = strtoi64(number, &number_end, 10);
		if (errno != 0 || number_end != end || m->customers <= 0)
			return "The number of customers is a positive whole number.";
		return NULL;
	}
	value = strtod(number, &number_end);
	if (number_end != end)
		return "After the name of a parameter a space and a decimal number are expected.";
	if (part == FIT_MAX_PARAMS)
	{
		m->log_likelihood = value;
		return isfinite(value) ? NULL : "The log likelihood is a finite number.";
	}
	m->param[part] = value;
	return value >= LEAST_PARAM && value <= MOST_PARAM ? NULL : "A parameter is a number from 1e-30 to 1e30.";
}

static Datum
model_in(FunctionCallInfo fcinfo, const ModelKind *kind)
{
	char	   *text = PG_GETARG_CSTRING(0);
	PurchaseModel *m = palloc0(sizeof(PurchaseModel));
	const char *p = text;
	const char *why;
	int			seen = 0;
	int			fitted = 7 << FIT_MAX_PARAMS;

	for (;;)
	{
		const char *item = crm_skip_space(p);
		const char *end;

		p = item + strcspn(item, ",");
		for (end = p; end > item && crm_skip_space(end - 1) > end - 1; end--)
			;
		why = parse_item(kind, item, end, m, &seen);
		if (why != NULL || *p == '\0')
			break;
		p++;
	}
	if (why == NULL && (seen & ((1 << kind->nparams) - 1)) != (1 << kind->nparams) - 1)
		why = kind == &bgnbd ? "The parameters r, alpha, a and b are needed." : "The parameters p, q and gamma are needed.";
	if (why == NULL && (seen & fitted) != 0 && (seen & fitted) != fitted)
		why = "Of a fit, log_likelihood, customers and how it ended come together.";
	if (why != NULL)
		crm_input_error(fcinfo->context, (Datum) 0,
						(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
						 errmsg("invalid input syntax for type %s: \"%s\"", kind->type, crm_quotable(text)),
						 errdetail_internal("%s", why)));
	PG_RETURN_POINTER(m);
}

static void
append_item(StringInfo buf, const char *name, double number)
{
	char		digits[DOUBLE_SHORTEST_DECIMAL_LEN];

	double_to_shortest_decimal_buf(number, digits);
	appendStringInfo(buf, "%s%s %s", buf->len > 0 ? ", " : "", name, digits);
}

static Datum
model_out(FunctionCallInfo fcinfo, const ModelKind *kind)
{
	const PurchaseModel *m = PG_GETARG_MODEL(0);
	StringInfoData buf;

	initStringInfo(&buf);
	for (int i = 0; i < kind->nparams; i++)
		append_item(&buf, kind->name[i], m->param[i]);
	if (m->status != FIT_GIVEN)
	{
		append_item(&buf, "log_likelihood", m->log_likelihood);
		appendStringInfo(&buf, ", customers " INT64_FORMAT ", %s", m->customers, status_words[m->status]);
	}
	PG_RETURN_CSTRING(buf.data);
}

static Datum
model_recv(FunctionCallInfo fcinfo, const ModelKind *kind)
{
	StringInfo	buf = (StringInfo) PG_GETARG_POINTER(0);
	PurchaseModel *m = palloc0(sizeof(PurchaseModel));
	int			version = pq_getmsgbyte(buf);

	for (int i = 0; i < kind->nparams; i++)
		m->param[i] = pq_getmsgfloat8(buf);
	m->log_likelihood = pq_getmsgfloat8(buf);
	m->customers = pq_getmsgint64(buf);
	m->status = pq_getmsgbyte(buf);
	if (version != MODEL_VERSION || !model_fits(kind, m))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("invalid external \"%s\" value", kind->type)));
	PG_RETURN_POINTER(m);
}

static Datum
model_send(FunctionCallInfo fcinfo, const ModelKind *kind)
{
	const PurchaseModel *m = PG_GETARG_MODEL(0);
	StringInfoData buf;

	pq_begintypsend(&buf);
	pq_sendbyte(&buf, MODEL_VERSION);
	for (int i = 0; i < kind->nparams; i++)
		pq_sendfloat8(&buf, m->param[i]);
	pq_sendfloat8(&buf, m->log_likelihood);
	pq_sendint64(&buf, m->customers);
	pq_sendbyte(&buf, m->status);
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}

PG_FUNCTION_INFO_V1(crm_bgnbd_in);
/* Errors: 22P02. */
Datum
crm_bgnbd_in(PG_FUNCTION_ARGS)
{
	return model_in(fcinfo, &bgnbd);
}

PG_FUNCTION_INFO_V1(crm_bgnbd_out);
Datum
crm_bgnbd_out(PG_FUNCTION_ARGS)
{
	return model_out(fcinfo, &bgnbd);
}

PG_FUNCTION_INFO_V1(crm_bgnbd_recv);
/* Errors: 22P03 for values that no model has, 08P01 for too few bytes. */
Datum
crm_bgnbd_recv(PG_FUNCTION_ARGS)
{
	return model_recv(fcinfo, &bgnbd);
}

PG_FUNCTION_INFO_V1(crm_bgnbd_send);
Datum
crm_bgnbd_send(PG_FUNCTION_ARGS)
{
	return model_send(fcinfo, &bgnbd);
}

PG_FUNCTION_INFO_V1(crm_gamma_gamma_in);
/* Errors: 22P02. */
Datum
crm_gamma_gamma_in(PG_FUNCTION_ARGS)
{
	return model_in(fcinfo, &gamma_gamma);
}

PG_FUNCTION_INFO_V1(crm_gamma_gamma_out);
Datum
crm_gamma_gamma_out(PG_FUNCTION_ARGS)
{
	return model_out(fcinfo, &gamma_gamma);
}

PG_FUNCTION_INFO_V1(crm_gamma_gamma_recv);
/* Errors: 22P03 for values that no model has, 08P01 for too few bytes. */
Datum
crm_gamma_gamma_recv(PG_FUNCTION_ARGS)
{
	return model_recv(fcinfo, &gamma_gamma);
}

PG_FUNCTION_INFO_V1(crm_gamma_gamma_send);
Datum
crm_gamma_gamma_send(PG_FUNCTION_ARGS)
{
	return model_send(fcinfo, &gamma_gamma);
}

/* parts ---------------------------------------------------------------------------- */

PG_FUNCTION_INFO_V1(crm_purchase_model_first);
/* r of crm.bgnbd, p of crm.gamma_gamma. */
Datum
crm_purchase_model_first(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(PG_GETARG_MODEL(0)->param[0]);
}

PG_FUNCTION_INFO_V1(crm_purchase_model_second);
/* alpha of crm.bgnbd, q of crm.gamma_gamma. */
Datum
crm_purchase_model_second(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(PG_GETARG_MODEL(0)->param[1]);
}

PG_FUNCTION_INFO_V1(crm_purchase_model_third);
/* a of crm.bgnbd, gamma of crm.gamma_gamma. */
Datum
crm_purchase_model_third(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(PG_GETARG_MODEL(0)->param[2]);
}

PG_FUNCTION_INFO_V1(crm_purchase_model_fourth);
/* b of crm.bgnbd. */
Datum
crm_purchase_model_fourth(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(PG_GETARG_MODEL(0)->param[3]);
}

PG_FUNCTION_INFO_V1(crm_purchase_model_log_likelihood);
/* NULL for parameters given by hand. */
Datum
crm_purchase_model_log_likelihood(PG_FUNCTION_ARGS)
{
	const PurchaseModel *m = PG_GETARG_MODEL(0);

	if (m->status == FIT_GIVEN)
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(m->log_likelihood);
}

PG_FUNCTION_INFO_V1(crm_purchase_model_customers);
/* How many customers the model was fitted to; NULL for parameters given by hand. */
Datum
crm_purchase_model_customers(PG_FUNCTION_ARGS)
{
	const PurchaseModel *m = PG_GETARG_MODEL(0);

	if (m->status == FIT_GIVEN)
		PG_RETURN_NULL();
	PG_RETURN_INT64(m->customers);
}

PG_FUNCTION_INFO_V1(crm_purchase_model_converged);
/* NULL for parameters given by hand. */
Datum
crm_purchase_model_converged(PG_FUNCTION_ARGS)
{
	const PurchaseModel *m = PG_GETARG_MODEL(0);

	if (m->status == FIT_GIVEN)
		PG_RETURN_NULL();
	PG_RETURN_BOOL(m->status == FIT_CONVERGED);
}

PG_FUNCTION_INFO_V1(crm_purchase_model_fit_problem);
/* Why the fit did not converge; NULL if it did and for parameters given by hand. */
Datum
crm_purchase_model_fit_problem(PG_FUNCTION_ARGS)
{
	const PurchaseModel *m = PG_GETARG_MODEL(0);

	if (m->status == FIT_GIVEN || m->status == FIT_CONVERGED)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(status_words[m->status] + strlen("not converged: ")));
}
