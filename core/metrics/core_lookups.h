/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The server's own metrics that are looked up when somebody asks, under the
 * module name "core": no place of the code counts them.
 */
#ifndef CORE_LOOKUPS_H
#define CORE_LOOKUPS_H

/* [C] once, from core_metrics_init().  0, or -1 logged. */
int core_lookups_init(void);

#endif
