/* SPDX-License-Identifier: MPL-2.0 */

/* clients.h - the connections to the control socket. */
#ifndef CLIENTS_H
#define CLIENTS_H

#include <strelaysrv/module.h>

struct listener;

/* Accepts connections of the listener from now on.  0, or -1 with err. */
int clients_listen(
	struct relay_ctx *cx, struct listener *listener, struct relay_err *err);
/* After a reload: ends calls of commands whose module has gone. */
void clients_reload(struct relay_ctx *cx);
void clients_end_all(struct relay_ctx *cx);

#endif
