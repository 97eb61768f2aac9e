/* SPDX-License-Identifier: MPL-2.0 */

/* waiting_half.h - a connection that waits for the other side of its session.
 */
#ifndef WAITING_HALF_H
#define WAITING_HALF_H

#include <strelaysrv/module.h>

#include "relay/devices/directory.h"

/* Closes a half whose other side cannot connect any more; conn 0: none. */
void waiting_half_close(struct relay_ctx *cx, struct place half);

#endif
