/*-------------------------------------------------------------------------
 * kpi_touch.h
 *		Posting at the end of a transaction.
 *-------------------------------------------------------------------------
 */
#ifndef CRM_KPI_TOUCH_H
#define CRM_KPI_TOUCH_H

extern void touch_init(void);

#endif							/* CRM_KPI_TOUCH_H */
