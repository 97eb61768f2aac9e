/* SPDX-License-Identifier: MPL-2.0 */

/* look.h - every second: who has left, what has been used, and who is asked
 * about again. */
#ifndef LOOK_H
#define LOOK_H

#include <strelaysrv/module.h>

/* [C] Milliseconds until the next call. */
int64_t look_at_devices(struct relay_ctx *cx, void *arg);
/* [C] The workers have left, and so have all devices. */
void look_at_the_end(struct relay_ctx *cx);

#endif
