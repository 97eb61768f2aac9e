/* SPDX-License-Identifier: MPL-2.0 */

/* engine.h - opens the registry, and what it reports.  [C] */
#ifndef CLUSTER_ENGINE_H
#define CLUSTER_ENGINE_H

#include <strelaysrv/module.h>

/* With data->setup.  0, or -1 with err. */
int engine_open(struct relay_ctx *cx, struct relay_err *err);
/* Whether the one that is open is still the right one, after a reload. */
bool engine_stays(struct relay_ctx *cx);
void engine_close(struct relay_ctx *cx);

#endif
