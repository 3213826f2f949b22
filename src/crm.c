/*-------------------------------------------------------------------------
 * crm.c
 *		Module magic, and what a loaded library begins with.
 *-------------------------------------------------------------------------
 */
#include "crm.h"

#include "access/parallel.h"
#include "kpi_alone.h"
#include "kpi_touch.h"

PG_MODULE_MAGIC;

void		_PG_init(void);

void
_PG_init(void)
{
	crm_define_variables();
	if (IsParallelWorker())
		return;
	touch_init();
	alone_init();
}
