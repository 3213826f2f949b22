/*-------------------------------------------------------------------------
 * base_parameters.c
 *		Configuration parameters.
 *-------------------------------------------------------------------------
 */
#include "crm.h"

#include "access/parallel.h"
#include "access/xact.h"
#include "utils/datetime.h"
#include "utils/guc.h"

int			crm_posting = CRM_POSTING_COMMIT;

static int	crm_language = 0;
static char *crm_as_of = NULL;
static char *crm_actor = NULL;

static const struct config_enum_entry posting_options[] = {
	{"commit", CRM_POSTING_COMMIT, false},
	{"deferred", CRM_POSTING_DEFERRED, false},
	{NULL, 0, false}
};

static const struct config_enum_entry language_options[] = {
	{"en", 0, false},
	{"zh", 1, false},
	{NULL, 0, false}
};

/* Accept '' or a day of the calendar written yyyy-mm-dd. */
static bool
check_as_of(char **newval, void **extra pg_attribute_unused(), GucSource source pg_attribute_unused())
{
	const char *p = *newval;
	int			y,
				m,
				d;

	if (p == NULL || *p == '\0')
		return true;
	if (strlen(p) != 10 || strspn(p, "0123456789-") != 10 || p[4] != '-' || p[7] != '-' ||
		sscanf(p, "%4d-%2d-%2d", &y, &m, &d) != 3 || strchr(p + 8, '-'))
	{
		GUC_check_errdetail("A day must be written yyyy-mm-dd.");
		return false;
	}
	if (y < 1900 || y > 2199 || m < 1 || m > 12 || d < 1 || d > day_tab[isleap(y)][m - 1])
	{
		GUC_check_errdetail("There is no such day between 1900-01-01 and 2199-12-31.");
		return false;
	}
	return true;
}

static bool defined = false;

/*
 * Variables cannot be set while a parallel plan runs, nor therefore defined:
 * a library loaded in the middle of one defines them later, before anything
 * is posted.  Until then, and in parallel workers, current_setting() finds
 * their values as placeholders.
 */
void
crm_define_variables(void)
{
	if (defined || IsParallelWorker() || IsInParallelMode())
		return;
	defined = true;
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
	DefineCustomEnumVariable("crm.language",
							 "The language in which names of fields and benefits are shown.",
							 NULL, &crm_language, 0, language_options,
							 PGC_USERSET, 0, NULL, NULL, NULL);
	MarkGUCPrefixReserved("crm");
}
