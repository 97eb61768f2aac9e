/* SPDX-License-Identifier: MPL-2.0 */

/* session_mode.h - plain connections send a session key and are paired. */
#ifndef SESSION_MODE_H
#define SESSION_MODE_H

#include <strelaysrv/module.h>

void guest_opened(struct relay_ctx *cx, struct relay_conn *conn);
void guest_readable(struct relay_ctx *cx, struct relay_conn *conn);
void guest_closed(struct relay_ctx *cx, struct relay_conn *conn);

#endif
