/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Metrics of the process: its version, lost log records, the kernel's figures.
 */
#ifndef PROCESS_METRICS_H
#define PROCESS_METRICS_H

/* [C] after metrics_init().  0, or -1 logged. */
int process_metrics_init(void);

#endif
