/*-------------------------------------------------------------------------
 * types_input.h
 *		What the input functions of crm's types share.
 *-------------------------------------------------------------------------
 */
#ifndef CRM_TYPES_INPUT_H
#define CRM_TYPES_INPUT_H

#include "crm.h"

#if PG_VERSION_NUM >= 160000
#include "nodes/miscnodes.h"
#endif

/*
 * Report an input error and return: softly where the server can take it
 * (pg_input_is_valid), by ereport(ERROR) elsewhere.
 */
#if PG_VERSION_NUM >= 160000
#define crm_input_error(escontext, ret, ...) \
	ereturn(escontext, ret, __VA_ARGS__)
#else
#define crm_input_error(escontext, ret, ...) \
	do { \
		(void) (escontext); \
		ereport(ERROR, __VA_ARGS__); \
		return ret; \
	} while (0)
#endif

/* A literal as an error message can quote it: long ones are cut. */
extern const char *crm_quotable(const char *input);

/* Skip what the types take for white space: never depends on the locale. */
static inline const char *
crm_skip_space(const char *p)
{
	while (*p == ' ' || (*p >= '\t' && *p <= '\r'))
		p++;
	return p;
}

static inline bool
crm_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

#endif							/* CRM_TYPES_INPUT_H */
