/* SPDX-License-Identifier: MPL-2.0 */

/* older: its descriptor ends within the hooks, like that of an older API. */

#include <strelaysrv/module.h>

static enum relay_verdict conn_accept(
	struct relay_ctx *cx, struct relay_conn *conn, struct relay_denial *why)
{
	(void)conn;
	(void)why;
	relay_log(cx, RELAY_NOTICE, "asked");
	return RELAY_PASS;
}

/* In an older header the struct would end here, so this must not be called. */
static void conn_close(
	struct relay_ctx *cx, struct relay_conn *conn, enum relay_reason reason)
{
	(void)conn;
	(void)reason;
	relay_log(cx, RELAY_ERROR, "called beyond its end");
}

RELAY_MODULE = {
	.magic = RELAY_ABI_MAGIC,
	.abi_major = RELAY_ABI_MAJOR,
	.abi_minor = 0,
	.size = offsetof(struct relay_module_def, hooks.conn_open),
	.name = "older",
	.version = "1",
	.summary = "built with fewer hooks",
	.hooks = {.conn_accept = conn_accept, .conn_close = conn_close},
};
