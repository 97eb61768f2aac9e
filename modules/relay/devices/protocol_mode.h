/* SPDX-License-Identifier: MPL-2.0 */

/* protocol_mode.h - devices on TLS that join and are pinged. */
#ifndef PROTOCOL_MODE_H
#define PROTOCOL_MODE_H

#include <strelaysrv/module.h>

void protocol_opened(struct relay_ctx *cx, struct relay_conn *conn);
void protocol_readable(struct relay_ctx *cx, struct relay_conn *conn);
void protocol_deadline(struct relay_ctx *cx, struct relay_conn *conn);
void protocol_reload(struct relay_ctx *cx, struct relay_conn *conn);
void protocol_closed(struct relay_ctx *cx, struct relay_conn *conn,
	enum relay_reason reason);

#endif
