/* SPDX-License-Identifier: MPL-2.0 */

/* What the HTTP addresses count. */

#include <stddef.h>

#include <strelaysrv/module.h>

#include "base/instance.h"
#include "http/http_metrics.h"
#include "http/http_state.h"
#include "metrics/core_metrics.h"
#include "metrics/metrics.h"

static const char *const places[] = {"status", "private", NULL};
static const char *const results[] = {"answered", "malformed", "too_large",
	"foreign_host", "delayed", "unanswered", NULL};
static const char *const ends[] = {"idle", "request_time", "answer_time",
	"delay_time", "source", "room", "descriptors", "unread_bytes", "memory",
	NULL};

static const struct relay_metric_def defs[] = {
	[HTTP_CONNECTIONS] =
		{
			.name = "http_connections",
			.kind = RELAY_GAUGE,
			.help = "Open HTTP connections, by address.",
			.label = "address",
			.values = places,
		},
	[HTTP_REQUESTS] =
		{
			.name = "http_requests",
			.kind = RELAY_COUNTER,
			.help = "HTTP requests, by result. A request that was "
				"delayed counts again when it is answered.",
			.label = "result",
			.values = results,
		},
	[HTTP_ENDS] =
		{
			.name = "http_ends",
			.kind = RELAY_COUNTER,
			.help = "HTTP connections that the server closed, by "
				"the limit that they exceeded.",
			.label = "reason",
			.values = ends,
		},
	[HTTP_CUT] =
		{
			.name = "http_cut",
			.kind = RELAY_COUNTER,
			.help = "HTTP connections that were closed by a reset, "
				"since their clients had not taken all, which "
				"the kernel would have held for minutes.",
		},
};

int http_metrics_init(void)
{
	instance->http->metrics = core_metrics_add(defs, HTTP_METRIC_COUNT);
	return instance->http->metrics ? 0 : -1;
}

void http_count(enum http_metric which, unsigned value, int64_t by)
{
	core_count(instance->http->metrics, metrics_shard(RELAY_CONTROL), which,
		value, by);
}
