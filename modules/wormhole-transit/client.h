/* SPDX-License-Identifier: MPL-2.0 */

/* client.h - a client from its first byte to its session or its end.  [W] */
#ifndef CLIENT_H
#define CLIENT_H

#include "wormhole-transit/data.h"

/* Whether it is one of this protocol: a filter, see hooks.h. */
enum relay_verdict client_open(struct relay_ctx *cx, struct relay_conn *conn,
	struct relay_denial *why);
/* Reads its line; when that is whole, meeting_begin(). */
void client_readable(struct relay_ctx *cx, struct relay_conn *conn);
void client_deadline(struct relay_ctx *cx, struct relay_conn *conn);
void client_close(struct relay_ctx *cx, struct relay_conn *conn,
	enum relay_reason reason);

#endif
