/* SPDX-License-Identifier: MPL-2.0 */

/* unresolved: needs a function that this server does not have. */

#include <strelaysrv/module.h>

int relay_function_of_tomorrow(struct relay_ctx *cx);

static void ready(struct relay_ctx *cx)
{
	relay_function_of_tomorrow(cx);
}

RELAY_MODULE = {
	RELAY_MODULE_INFO("unresolved", "1", "needs what is not there"),
	.flags = RELAY_CONFINED,
	.ready = ready,
};
