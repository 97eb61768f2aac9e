/* SPDX-License-Identifier: MPL-2.0 */

/* engine.h - opens the registry, and what it reports.  [C] */
#ifndef CLUSTER_ENGINE_H
#define CLUSTER_ENGINE_H

#include <strelaysrv/module.h>

#include "cluster/redis/redis_counts.h"

/* With data->setup.  0, or -1 with err. */
int engine_open(struct relay_ctx *cx, struct relay_err *err);
/* Whether the one that is open is still the right one, after a reload. */
bool engine_stays(struct relay_ctx *cx);
void engine_close(struct relay_ctx *cx);
/* What Redis was asked and has answered, since the start; another engine counts
 * for itself. */
void engine_counts(const struct relay_ctx *cx, struct redis_counts *out);

#endif
