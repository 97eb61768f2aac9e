/* SPDX-License-Identifier: MPL-2.0 */

/* Metrics of connections, handshakes, and sessions. */

#include <stddef.h>

#include <strelaysrv/hooks.h>

#include "base/reason.h"
#include "metrics/core_metrics.h"
#include "peers/peer_metrics.h"
#include "peers/peers_shared.h"
#include "tls/tls_failure.h"

static const char *const phases[] = {"opening", "tls", "plain", NULL};
static const char *const refusers[] = {"limit", "filter", NULL};
static const char *const results[] = {"ok", "failed", NULL};
static const char *const room_makers[] = {"descriptors", "module", NULL};

/* 1 ms to 10 s: the protocol gives up after that. */
static const int64_t handshake_us[] = {1000, 2500, 5000, 10000, 25000, 50000,
	100000, 250000, 500000, 1000000, 2500000, 10000000, 0};
/* 1 s to a day. */
static const int64_t session_ms[] = {
	1000, 10000, 60000, 600000, 3600000, 21600000, 86400000, 0};
/* 1 kB to 100 GB. */
static const int64_t session_bytes[] = {1000, 10000, 100000, 1000000, 10000000,
	100000000, 1000000000, 10000000000, 100000000000, 0};
/* 1 ms to 10 s. */
static const int64_t wait_ms[] = {
	1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 10000, 0};

static const struct relay_metric_def defs[] = {
	[PEER_CONNECTIONS] =
		{
			.name = "connections",
			.kind = RELAY_GAUGE,
			.help = "Open connections.",
			.label = "phase",
			.values = phases,
		},
	[PEER_CONNECTIONS_ACCEPTED] =
		{
			.name = "connections_accepted",
			.kind = RELAY_COUNTER,
			.help = "Connections that were accepted.",
		},
	[PEER_CONNECTIONS_REFUSED] =
		{
			.name = "connections_refused",
			.kind = RELAY_COUNTER,
			.help = "Connections that were refused, by who said "
				"so.  Those of a filter were accepted before, "
				"and the module counts them by reason as well.",
			.label = "by",
			.values = refusers,
		},
	[PEER_CONNECTIONS_CLOSED] =
		{
			.name = "connections_closed",
			.kind = RELAY_COUNTER,
			.help = "Connections that ended, by reason.",
			.label = "reason",
			.values = reason_words,
		},
	[PEER_HANDSHAKES] =
		{
			.name = "handshakes",
			.kind = RELAY_COUNTER,
			.help = "TLS handshakes that ended, by result.",
			.label = "result",
			.values = results,
		},
	[PEER_HANDSHAKE_DURATION] =
		{
			.name = "handshake_duration",
			.unit = "seconds",
			.kind = RELAY_HISTOGRAM,
			.scale = 1000000,
			.help = "How long TLS handshakes took that succeeded.",
			.bounds = handshake_us,
		},
	[PEER_SESSIONS] =
		{
			.name = "sessions",
			.kind = RELAY_GAUGE,
			.help = "Sessions under way.",
		},
	[PEER_SESSIONS_CLOSED] =
		{
			.name = "sessions_closed",
			.kind = RELAY_COUNTER,
			.help = "Sessions that ended, by reason.",
			.label = "reason",
			.values = reason_words,
		},
	[PEER_SESSION_TRAFFIC] =
		{
			.name = "session_traffic",
			.unit = "bytes",
			.kind = RELAY_COUNTER,
			.help = "Bytes passed on in sessions, each counted "
				"once.",
		},
	[PEER_SESSION_KERNEL_MEMORY] =
		{
			.name = "session_kernel_memory",
			.unit = "bytes",
			.kind = RELAY_GAUGE,
			.help = "What the kernel holds for sessions in sockets "
				"and pipes, and for connections whose last "
				"bytes are on their way, as seen at most 5 s "
				"ago.",
		},
	[PEER_SESSION_DURATION] =
		{
			.name = "session_duration",
			.unit = "seconds",
			.kind = RELAY_HISTOGRAM,
			.scale = 1000,
			.help = "How long sessions lasted.",
			.bounds = session_ms,
		},
	[PEER_HANDSHAKE_FAILURES] =
		{
			.name = "handshake_failures",
			.kind = RELAY_COUNTER,
			.help = "TLS handshakes that failed, by why.",
			.label = "kind",
			.values = tls_failure_words,
		},
	[PEER_SESSION_SIZE] =
		{
			.name = "session_size",
			.unit = "bytes",
			.kind = RELAY_HISTOGRAM,
			.help = "How many bytes sessions passed on, both ways "
				"together.",
			.bounds = session_bytes,
		},
	[PEER_SHAPING_WAIT] =
		{
			.name = "shaping_wait",
			.unit = "seconds",
			.kind = RELAY_HISTOGRAM,
			.scale = 1000,
			.help = "How long sessions were told to wait by rate "
				"limits.",
			.bounds = wait_ms,
		},
	[PEER_SESSIONS_STALLED] =
		{
			.name = "sessions_stalled",
			.kind = RELAY_GAUGE,
			.help = "Directions of sessions whose readers take "
				"next to nothing of what waits for them.",
		},
	[PEER_SESSIONS_SQUEEZED] =
		{
			.name = "sessions_squeezed",
			.kind = RELAY_GAUGE,
			.help = "Directions of sessions for which little is "
				"taken in, since more was held than what they "
				"deliver calls for.",
		},
	[PEER_SESSIONS_REFUSED] =
		{
			.name = "sessions_refused",
			.kind = RELAY_COUNTER,
			.help = "Sessions that did not begin, since all "
				"together held more than session-memory, and "
				"their source more than its share.",
		},
	[PEER_CONNECTIONS_CUT] =
		{
			.name = "connections_cut",
			.kind = RELAY_COUNTER,
			.help = "Connections that were closed by a reset, "
				"since their peers had not taken all, which "
				"the kernel would have held for minutes, or "
				"sent on.",
		},
	[PEER_LINGERING] =
		{
			.name = "connections_lingering",
			.kind = RELAY_GAUGE,
			.help = "Closed connections whose last bytes are on "
				"their way.",
		},
	[PEER_ROOM_MADE] =
		{
			.name = "room_made",
			.kind = RELAY_COUNTER,
			.help = "Connections that had proven nothing and were "
				"closed to make room for others, by what was "
				"short: descriptors, or what a module grants.",
			.label = "for",
			.values = room_makers,
		},
	[PEER_STRANGERS] =
		{
			.name = "strangers",
			.kind = RELAY_GAUGE,
			.help = "Open connections that have proven nothing "
				"yet: neither joined nor in a session.",
		},
	[PEER_HANDSHAKES_WAITED] =
		{
			.name = "handshakes_waited",
			.kind = RELAY_COUNTER,
			.help = "Handshakes that waited for a turn, because "
				"others had used up their share of a worker's "
				"time; each wait counts.",
		},
};

_Static_assert(sizeof(defs) / sizeof(defs[0]) == PEER_METRIC_COUNT,
	"every metric has a description");

int peer_metrics_init(void)
{
	peers_shared()->metrics = core_metrics_add(defs, PEER_METRIC_COUNT);
	return peers_shared()->metrics ? 0 : -1;
}

void peer_count(struct metrics_shard *shard, enum peer_metric which,
	unsigned value, int64_t by)
{
	core_count(peers_shared()->metrics, shard, which, value, by);
}

void peer_observe(struct metrics_shard *shard, enum peer_metric which,
	unsigned value, int64_t seen)
{
	core_observe(peers_shared()->metrics, shard, which, value, seen);
}
