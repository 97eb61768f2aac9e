/* SPDX-License-Identifier: MPL-2.0 */

/* unknown-verdict: returns an undefined value as its verdict. */

#include <strelaysrv/module.h>

static enum relay_verdict conn_accept(
	struct relay_ctx *cx, struct relay_conn *conn, struct relay_denial *why)
{
	(void)cx;
	(void)conn;
	(void)why;
	return (enum relay_verdict)0;
}

RELAY_MODULE = {
	RELAY_MODULE_INFO("unknown-verdict", "1", "answers what is no verdict"),
	.flags = RELAY_CONFINED,
	.hooks = {.conn_accept = conn_accept},
};
