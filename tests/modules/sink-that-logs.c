/* SPDX-License-Identifier: MPL-2.0 */

/* sink-that-logs: a log sink that logs each record it gets. */

#include <strelaysrv/module.h>

static void sink(struct relay_ctx *cx, const struct relay_log_record *record)
{
	relay_log(cx, RELAY_NOTICE, "sunk: %s", record->text);
}

static int init(struct relay_ctx *cx, struct relay_err *err)
{
	return relay_log_sink(cx, RELAY_INFO, sink) == 0
		       ? 0
		       : relay_fail(err, "no sink");
}

RELAY_MODULE = {
	RELAY_MODULE_INFO("sink-that-logs", "1", "logs what it is told to log"),
	.flags = RELAY_CONFINED,
	.init = init,
};
