/*-------------------------------------------------------------------------
 * crm.c
 *		Module magic and configuration parameters.
 *-------------------------------------------------------------------------
 */
#include "crm.h"

#include "kpi_alone.h"
#include "kpi_touch.h"
#include "utils/guc.h"

PG_MODULE_MAGIC;

int			crm_posting = CRM_POSTING_COMMIT;

static char *crm_as_of = NULL;
static char *crm_actor = NULL;

static const struct config_enum_entry posting_options[] = {
	{"commit", CRM_POSTING_COMMIT, false},
	{"deferred", CRM_POSTING_DEFERRED, false},
	{NULL, 0, false}
};

void		_PG_init(void);

/*
 * Accept '' or a date written yyyy-mm-dd; that the day exists is checked when
 * crm.today() casts it, since a check hook may run outside a transaction.
 */
static bool
check_as_of(char **newval, void **extra pg_attribute_unused(), GucSource source pg_attribute_unused())
{
	const char *p = *newval;
	static const char pattern[] = "dddd-dd-dd";

	if (p == NULL || *p == '\0')
		return true;
	for (int i = 0; pattern[i]; i++, p++)
	{
		if (pattern[i] == 'd' ? (*p < '0' || *p > '9') : *p != pattern[i])
		{
			GUC_check_errdetail("A date must be written yyyy-mm-dd.");
			return false;
		}
	}
	if (*p != '\0')
	{
		GUC_check_errdetail("A date must be written yyyy-mm-dd.");
		return false;
	}
	return true;
}

void
_PG_init(void)
{
	DefineCustomEnumVariable("crm.posting",
							 "When figures follow a change of the book.",
							 "\"commit\" posts in the changing transaction; \"deferred\" queues the customers for crm.refresh().",
							 &crm_posting, CRM_POSTING_COMMIT, posting_options,
							 PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomStringVariable("crm.as_of",
							   "The day that the views of crm_bi take for today (yyyy-mm-dd; empty: the clock).",
							   NULL, &crm_as_of, "", PGC_USERSET, 0,
							   check_as_of, NULL, NULL);
	DefineCustomStringVariable("crm.actor",
							   "The person acting through a shared login.",
							   NULL, &crm_actor, "", PGC_USERSET, 0,
							   NULL, NULL, NULL);
	MarkGUCPrefixReserved("crm");
	touch_init();
	alone_init();
}
