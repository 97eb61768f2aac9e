/* SPDX-License-Identifier: MPL-2.0 */

/* metrics_table.h - every metric of the module, once. */
#ifndef METRICS_TABLE_H
#define METRICS_TABLE_H

#include <strelaysrv/module.h>

#include "relay/metric_index.h"

extern const struct relay_metric_def relay_metric_table[RELAY_METRICS];

/* Adds one to a counter; `value` is an index of its label's words. */
void count(const struct relay_ctx *cx, enum relay_metric_index which,
	unsigned value);

#endif
