/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The list of the rooms that have metrics.
 */
#ifndef METRIC_TABLES_H
#define METRIC_TABLES_H

/* [C] before threads start: the registry, and each room's metrics.  0, or -1
 * logged. */
int metric_tables_init(unsigned workers);

#endif
