/* SPDX-License-Identifier: MPL-2.0 */

/*
 * recount.h - the devices that are here, compared with the claims.
 *
 * For those that were here before the module, and when memory was short for
 * news of a device: then a second later, when there may be some, and when what
 * was told earlier has come.
 */
#ifndef CLUSTER_RECOUNT_H
#define CLUSTER_RECOUNT_H

#include <stdint.h>

struct relay_ctx;

/* Memory was short for news of a device.  [*] */
void recount_wanted(struct relay_ctx *cx);
/* [C]  At once. */
void recount_now(struct relay_ctx *cx);
/* [C]  If it is due.  The ms until the next call. */
int64_t recount_tick(struct relay_ctx *cx);

#endif
