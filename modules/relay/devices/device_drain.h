/* SPDX-License-Identifier: MPL-2.0 */

/* device_drain.h - disconnects devices during a drain, spread over a time. */
#ifndef DEVICE_DRAIN_H
#define DEVICE_DRAIN_H

#include <stdint.h>

#include <strelaysrv/module.h>

/* The hook of that name. */
int64_t device_drain_notice(struct relay_ctx *cx, enum relay_drain how);
/* Call it in worker_stop. */
void device_drain_finish(struct relay_ctx *cx);

#endif
