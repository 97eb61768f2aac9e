/* SPDX-License-Identifier: MPL-2.0 */

/* heir: has the same route and service as the module `counter`, which it
 * replaces. */

#include <event2/buffer.h>

#include <strelaysrv/module.h>

static void route(struct relay_ctx *cx, struct relay_http *http)
{
	(void)cx;
	evbuffer_add_printf(http->body, "heir\n");
}

static int init(struct relay_ctx *cx, struct relay_err *err)
{
	static const int service = 4712;

	/* The service of the module that is being removed must not be found. */
	if (!relay_service_find(cx, "counter", 1, NULL))
		relay_log(cx, RELAY_NOTICE, "found no service");
	if (relay_http_route(cx, "/counter", route) ||
		relay_service_publish(cx, "counter", 2, &service))
		return relay_fail(err, "its place is taken");
	return 0;
}

RELAY_MODULE = {
	RELAY_MODULE_INFO("heir", "1", "takes the place of counter"),
	.flags = RELAY_CONFINED,
	.init = init,
};
