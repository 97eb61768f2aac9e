/* SPDX-License-Identifier: MPL-2.0 */

/* report.h - the state of the pools for metrics and the service. */
#ifndef REPORT_H
#define REPORT_H

#include "state.h"

/* Registers metrics and service; call it in init. 0 or -1. */
int report_init(struct relay_ctx *cx, struct relay_err *err);
/* Gives the metrics the names of the pools in `conf`.  In reload_prepare, the
 * names take effect when the reload is committed.  0, or -1 with err. */
int report_load(
	struct relay_ctx *cx, const struct conf *conf, struct relay_err *err);
/* Counts an attempt. */
void report_outcome(const struct relay_ctx *cx, unsigned outcome);

#endif
