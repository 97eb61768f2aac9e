/* SPDX-License-Identifier: MPL-2.0 */

/* device.h - the connection of a device that has joined, or waits to join. */
#ifndef DEVICE_H
#define DEVICE_H

#include <stdint.h>

#include <strelaysrv/module.h>

#include "relay/devices/directory.h"
#include "relay/messages/peer_connection.h"

/* Sets the connection's deadline to the earliest time at which its state needs
 * something done: a ping, or the end of a timeout. */
void device_set_deadline(struct relay_ctx *cx, struct relay_conn *conn);
/* It owns its ID now: answers the join. */
void device_joined(struct relay_ctx *cx, struct relay_conn *conn);
/*
 * The connection at `place` on this worker, if it is in that state and of that
 * device; else NULL.
 */
struct relay_conn *device_find(struct relay_ctx *cx, const uint8_t *id,
	struct place place, enum peer_state state);
/*
 * The connection at `place` on this worker that owns the device's ID.  NULL: it
 * has ended.
 */
struct relay_conn *device_owner(
	struct relay_ctx *cx, const uint8_t *id, struct place place);

#endif
