/* SPDX-License-Identifier: MPL-2.0 */

/* metrics_table.h - every metric of the module, once. */
#ifndef METRICS_TABLE_H
#define METRICS_TABLE_H

#include <strelaysrv/module.h>

#include "wormhole-transit/metric_index.h"

extern const struct relay_metric_def metrics_table[METRICS];

/* The word of a result; constant. */
const char *result_word(enum result result);

#endif
