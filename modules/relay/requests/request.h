/* SPDX-License-Identifier: MPL-2.0 */

/* request.h - a request for a device: both devices are invited to a session. */
#ifndef REQUEST_H
#define REQUEST_H

#include <strelaysrv/module.h>

#include "relay/messages/frame.h"

/* Invites the device of `conn` and the one it requests, and closes `conn`. */
void request_connect(struct relay_ctx *cx, struct relay_conn *conn,
	const struct frame_bytes *id);

#endif
