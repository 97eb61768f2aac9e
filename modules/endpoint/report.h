/* SPDX-License-Identifier: MPL-2.0 */

/* report.h - the metrics, and the command endpoint. */
#ifndef REPORT_H
#define REPORT_H

#include "endpoint/state.h"

/* init */
int report_init(struct relay_ctx *cx, struct relay_err *err);
/* Counts a check. */
void report_check(const struct relay_ctx *cx, enum probe_result result);

#endif
