/* SPDX-License-Identifier: MPL-2.0 */

/* What the HTTP addresses count. */

#include <stddef.h>

#include <strelaysrv/module.h>

#include "http/http_metrics.h"
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
			.help = "HTTP requests, by what became of them; one "
				"that was delayed is counted again when it is "
				"answered.",
			.label = "result",
			.values = results,
		},
	[HTTP_ENDS] =
		{
			.name = "http_ends",
			.kind = RELAY_COUNTER,
			.help = "HTTP connections that the server closed "
				"because of a bound, by which.",
			.label = "reason",
			.values = ends,
		},
};

static struct relay_metric *handles[HTTP_METRIC_COUNT];
static const struct core_metrics metrics = {defs, handles, HTTP_METRIC_COUNT};

int http_metrics_init(void)
{
	return core_metrics_add(&metrics);
}

void http_count(enum http_metric which, unsigned value, int64_t by)
{
	core_count(&metrics, metrics_shard(RELAY_CONTROL), which, value, by);
}
