/* SPDX-License-Identifier: MPL-2.0 */

/* crash-in-hook: crashes in conn_accept. */

#include <signal.h>

#include <strelaysrv/module.h>

static enum relay_verdict conn_accept(
	struct relay_ctx *cx, struct relay_conn *conn, struct relay_denial *why)
{
	(void)cx;
	(void)conn;
	(void)why;
	raise(SIGSEGV);
	return RELAY_PASS;
}

RELAY_MODULE = {
	RELAY_MODULE_INFO("crash-in-hook", "7.1", "ends the process"),
	.flags = RELAY_CONFINED,
	.hooks = {.conn_accept = conn_accept},
};
