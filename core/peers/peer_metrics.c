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
static const char *const linger_bounds[] = {"source", "places", NULL};
static const char *const proxy_results[] = {
	[PEER_PROXY_CLIENT] = "client",
	[PEER_PROXY_CHECK] = "check",
	[PEER_PROXY_UNTRUSTED] = "untrusted",
	[PEER_PROXY_BAD] = "bad",
	[PEER_PROXY_LONG] = "long",
	[PEER_PROXY_CHECKSUM] = "checksum",
	[PEER_PROXY_TIME] = "time",
	[PEER_PROXY_CLOSED] = "closed",
	[PEER_PROXY_ROOM] = "room",
	[PEER_PROXY_MEMORY] = "memory",
	NULL,
};
static const char *const room_makers[] = {"descriptors", "module", NULL};

static const char *const questions[] = {"join", "connect", "find", NULL};
static const char *const settled[] = {
	"passed", "denied", "no_answer", "module_left", "closed", NULL};
static const char *const question_bounds[] = {
	"device", "source", "all", "memory", NULL};
static const char *const drops[] = {"late", "second", "foreign", NULL};

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
			.help = "Connections that were accepted. One that an "
				"upgrade hands to another process counts in "
				"both, and in the first as closed with the "
				"reason moved.",
		},
	[PEER_CONNECTIONS_REFUSED] =
		{
			.name = "connections_refused",
			.kind = RELAY_COUNTER,
			.help = "Connections that were refused, by the part "
				"that refused them. Those that a filter "
				"refused count as accepted, too, and the "
				"module counts them by reason.",
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
			.help = "Duration of TLS handshakes that succeeded.",
			.bounds = handshake_us,
		},
	[PEER_SESSIONS] =
		{
			.name = "sessions",
			.kind = RELAY_GAUGE,
			.help = "Open sessions.",
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
			.help = "Bytes forwarded in sessions, each counted "
				"once.",
		},
	[PEER_SESSION_KERNEL_MEMORY] =
		{
			.name = "session_kernel_memory",
			.unit = "bytes",
			.kind = RELAY_GAUGE,
			.help = "Bytes that the kernel holds in sockets and "
				"pipes for sessions and for closed "
				"connections with pending data. Measured at "
				"most 5 s ago.",
		},
	[PEER_SESSION_DURATION] =
		{
			.name = "session_duration",
			.unit = "seconds",
			.kind = RELAY_HISTOGRAM,
			.scale = 1000,
			.help = "Duration of sessions that ended.",
			.bounds = session_ms,
		},
	[PEER_HANDSHAKE_FAILURES] =
		{
			.name = "handshake_failures",
			.kind = RELAY_COUNTER,
			.help = "TLS handshakes that failed, by cause.",
			.label = "kind",
			.values = tls_failure_words,
		},
	[PEER_SESSION_SIZE] =
		{
			.name = "session_size",
			.unit = "bytes",
			.kind = RELAY_HISTOGRAM,
			.help = "Bytes that a session forwarded in both "
				"directions together, when it ended.",
			.bounds = session_bytes,
		},
	[PEER_SHAPING_WAIT] =
		{
			.name = "shaping_wait",
			.unit = "seconds",
			.kind = RELAY_HISTOGRAM,
			.scale = 1000,
			.help = "Pauses that rate limits imposed on sessions.",
			.bounds = wait_ms,
		},
	[PEER_SESSIONS_STALLED] =
		{
			.name = "sessions_stalled",
			.kind = RELAY_GAUGE,
			.help = "Directions of sessions whose receiver reads "
				"almost nothing of the data that waits for "
				"it.",
		},
	[PEER_SESSIONS_SQUEEZED] =
		{
			.name = "sessions_squeezed",
			.kind = RELAY_GAUGE,
			.help = "Directions of sessions from which the server "
				"reads less, since they hold more data than "
				"their throughput needs.",
		},
	[PEER_SESSIONS_REFUSED] =
		{
			.name = "sessions_refused",
			.kind = RELAY_COUNTER,
			.help = "Sessions that were refused, since all "
				"sessions together exceeded session-memory "
				"and their source exceeded its share.",
		},
	[PEER_CONNECTIONS_CUT] =
		{
			.name = "connections_cut",
			.kind = RELAY_COUNTER,
			.help = "Connections that were closed by a reset, "
				"since the peer did not receive all data in "
				"time.",
		},
	[PEER_LINGERING] =
		{
			.name = "connections_lingering",
			.kind = RELAY_GAUGE,
			.help = "Closed connections with data that is still "
				"being delivered.",
		},
	[PEER_ROOM_MADE] =
		{
			.name = "room_made",
			.kind = RELAY_COUNTER,
			.help = "Connections of strangers that were closed to "
				"make room for others, by what was exhausted: "
				"descriptors, or a limit of a module.",
			.label = "for",
			.values = room_makers,
		},
	[PEER_STRANGERS] =
		{
			.name = "strangers",
			.kind = RELAY_GAUGE,
			.help = "Open connections of strangers: they have "
				"neither joined nor belong to a session.",
		},
	[PEER_HANDSHAKES_WAITED] =
		{
			.name = "handshakes_waited",
			.kind = RELAY_COUNTER,
			.help = "How often a handshake was postponed, because "
				"handshakes had used up their share of the "
				"worker's time.",
		},
	[PEER_LINGER_REFUSED] =
		{
			.name = "lingering_refused",
			.kind = RELAY_COUNTER,
			.help = "Connections that were closed at once or "
				"before their time, although their last bytes "
				"were on their way, by what was taken: their "
				"source's part of the places, or all places.",
			.label = "by",
			.values = linger_bounds,
		},
	[PEER_PROXY_CONNECTIONS] =
		{
			.name = "proxy_connections",
			.kind = RELAY_COUNTER,
			.help = "Connections to addresses of proxy-listen, by "
				"what their first bytes were: the header of a "
				"client, which then counts as accepted; a "
				"health check of the proxy; or the reason why "
				"they were closed.",
			.label = "result",
			.values = proxy_results,
		},
	[PEER_PROXY_WAITING] =
		{
			.name = "proxy_waiting",
			.kind = RELAY_GAUGE,
			.help = "Connections of proxies whose header has not "
				"come.",
		},
	[PEER_QUESTIONS] =
		{
			.name = "questions",
			.kind = RELAY_GAUGE,
			.help = "Peers about which a module takes its time to "
				"decide, by what they want: to join, to be "
				"connected to a device, or to find one that "
				"is not here.",
			.label = "what",
			.values = questions,
		},
	[PEER_QUESTIONS_SETTLED] =
		{
			.name = "questions_settled",
			.kind = RELAY_COUNTER,
			.help = "Such decisions that have ended, by result. "
				"no_answer: answer-timeout has passed; "
				"module_left: a reload removed the module; "
				"closed: the connection ended first.",
			.label = "result",
			.values = settled,
		},
	[PEER_QUESTIONS_REFUSED] =
		{
			.name = "questions_refused",
			.kind = RELAY_COUNTER,
			.help = "Decisions for which a module could not take "
				"its time, by what was exhausted: the places "
				"of the device, of its source, all places, or "
				"memory.",
			.label = "by",
			.values = question_bounds,
		},
	[PEER_ANSWERS_DROPPED] =
		{
			.name = "answers_dropped",
			.kind = RELAY_COUNTER,
			.help = "Answers of modules that changed nothing: "
				"nobody waited any more, the module had "
				"answered before, or another module was waited "
				"for.",
			.label = "reason",
			.values = drops,
		},
	[PEER_QUESTION_DURATION] =
		{
			.name = "question_duration",
			.unit = "seconds",
			.kind = RELAY_HISTOGRAM,
			.scale = 1000000,
			.help = "How long modules took to decide, by what the "
				"peer wants.",
			.label = "what",
			.values = questions,
			.bounds = handshake_us,
		},
	[PEER_PIPES_REFUSED] =
		{
			.name = "pipes_refused",
			.kind = RELAY_COUNTER,
			.help = "How often the kernel gave a worker no pipe, "
				"or only a small one. The worker copies its "
				"next 1000 transfers.",
		},
	[PEER_SESSION_MOVES] =
		{
			.name = "session_moves",
			.kind = RELAY_COUNTER,
			.help = "How often a session has moved from one worker "
				"to another.",
		},
	[PEER_TLS_DETACHED] =
		{
			.name = "tls_detached",
			.kind = RELAY_GAUGE,
			.help = "TLS connections of which OpenSSL holds "
				"nothing: the server's own record layer serves "
				"them.",
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
