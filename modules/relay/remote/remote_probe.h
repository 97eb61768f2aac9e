/* SPDX-License-Identifier: MPL-2.0 */

/*
 * remote_probe.h - joined connections that another relay asks for a sign of
 * life, since the device has come there.
 */
#ifndef REMOTE_PROBE_H
#define REMOTE_PROBE_H

#include <strelaysrv/module.h>

#include "relay/remote/remote_answer.h"

/* Functions of the service.  [C] */
int remote_probe_begin(struct relay_ctx *self, const struct remote_to *to,
	const struct remote_conn *conn);
int remote_conn_end(struct relay_ctx *self, const struct remote_conn *conn);

/* peer->probed, and it has sent a message.  [W] */
void remote_probe_answered(struct relay_ctx *cx, struct relay_conn *conn);
/* A connection has ended.  [W] */
void remote_probe_closed(struct relay_ctx *cx, struct relay_conn *conn);
/* [W]  Forgets all. */
void remote_probe_finish(struct relay_ctx *cx);

#endif
