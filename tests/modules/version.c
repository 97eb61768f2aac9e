/* SPDX-License-Identifier: MPL-2.0 */

/* version: has the name of a field of /status, which it must not replace. */

#include <strelaysrv/module.h>

static void show(struct relay_ctx *self, struct relay_status *to)
{
	(void)self;
	to->text(to, "version", "none");
}

static const struct relay_status_part part = {.show = show};

static int init(struct relay_ctx *cx, struct relay_err *err)
{
	return relay_service_publish(cx, "version" RELAY_STATUS_PART,
		       RELAY_STATUS_VERSION, &part) == 0
		       ? 0
		       : relay_fail(err, "no service");
}

static int start(struct relay_ctx *cx, struct relay_err *err)
{
	(void)err;
	relay_set_closed(cx, "version");
	return 0;
}

RELAY_MODULE = {
	RELAY_MODULE_INFO("version", "1", "is named like a field of /status"),
	.init = init,
	.start = start,
};
