/*-------------------------------------------------------------------------
 * kpi_alone.h
 *		At most one session rebuilds at a time.
 *-------------------------------------------------------------------------
 */
#ifndef CRM_KPI_ALONE_H
#define CRM_KPI_ALONE_H

extern void alone_init(void);

#endif							/* CRM_KPI_ALONE_H */
