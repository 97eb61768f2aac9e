/* SPDX-License-Identifier: MPL-2.0 */

/* The server's own metrics, in one table. */

#include <stddef.h>

#include <strelaysrv/hooks.h>
#include <strelaysrv/server.h>
#include <strelaysrv/thread.h>

#include "capacity.h"
#include "core_metrics.h"
#include "drain.h"
#include "http_metrics.h"
#include "kernel_memory.h"
#include "log.h"
#include "metrics.h"
#include "process.h"

static const char *const phases[] = {"opening", "tls", "plain", NULL};
static const char *const accept_kinds[] = {
	"descriptors", "memory", "other", NULL};
static const char *const refusers[] = {"limit", "filter", NULL};
static const char *const results[] = {"ok", "failed", NULL};
/* Filled from relay_reason_word(), which is their one source. */
static const char *reasons[RELAY_END_COUNT + 1];

static const char *const failure_kinds[] = {"closed", "timeout", "version",
	"cipher", "alpn", "alert", "other", "hello", "certificate", "late",
	NULL};
static const char *const room_makers[] = {"descriptors", "module", NULL};
static const char *const loops[] = {"control", "worker", NULL};
static const char *versions[] = {NULL, NULL};

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
/* From what a timer of the kernel may be late anyway. */
static const int64_t lag_us[] = {1000, 2500, 5000, 10000, 25000, 50000, 100000,
	250000, 500000, 1000000, 10000000, 0};

static int64_t read_log_dropped(struct relay_ctx *cx, unsigned value)
{
	(void)cx;
	(void)value;
	return log_dropped();
}

static int64_t read_memory_limit(struct relay_ctx *cx, unsigned value)
{
	(void)cx;
	(void)value;
	return kernel_memory_limit();
}

static int64_t read_workers(struct relay_ctx *cx, unsigned value)
{
	(void)cx;
	(void)value;
	return relay_worker_count();
}

static int64_t read_threads(struct relay_ctx *cx, unsigned value)
{
	(void)cx;
	(void)value;
	return process_threads();
}

static int64_t read_descriptors(struct relay_ctx *cx, unsigned value)
{
	(void)cx;
	(void)value;
	return process_descriptors();
}

static int64_t read_limit(struct relay_ctx *cx, unsigned value)
{
	(void)cx;
	(void)value;
	return process_descriptor_limit();
}

static int64_t read_resident(struct relay_ctx *cx, unsigned value)
{
	(void)cx;
	(void)value;
	return process_resident_bytes();
}

static int64_t read_cpu(struct relay_ctx *cx, unsigned value)
{
	(void)cx;
	(void)value;
	return process_cpu_us();
}

static int64_t read_start(struct relay_ctx *cx, unsigned value)
{
	(void)cx;
	(void)value;
	return relay_start_us();
}

static int64_t read_build(struct relay_ctx *cx, unsigned value)
{
	(void)cx;
	(void)value;
	return 1;
}

static int64_t read_over_limit(struct relay_ctx *cx, unsigned value)
{
	(void)cx;
	(void)value;
	return relay_over_limit();
}

static int64_t read_connection_limit(struct relay_ctx *cx, unsigned value)
{
	(void)cx;
	(void)value;
	return capacity_limit();
}

static int64_t read_draining(struct relay_ctx *cx, unsigned value)
{
	(void)cx;
	(void)value;
	return relay_draining();
}

static int64_t read_drain_left(struct relay_ctx *cx, unsigned value)
{
	(void)cx;
	(void)value;
	return drain_left();
}

static int64_t read_drain_time(struct relay_ctx *cx, unsigned value)
{
	int64_t left_ms = drain_left_ms();

	(void)cx;
	(void)value;
	return left_ms < 0 ? 0 : left_ms;
}

static const struct relay_metric_def table[] = {
	[CORE_CONNECTIONS] =
		{
			.name = "connections",
			.kind = RELAY_GAUGE,
			.help = "Open connections.",
			.label = "phase",
			.values = phases,
		},
	[CORE_CONNECTIONS_ACCEPTED] =
		{
			.name = "connections_accepted",
			.kind = RELAY_COUNTER,
			.help = "Connections that were accepted.",
		},
	[CORE_ACCEPT_ERRORS] =
		{
			.name = "accept_errors",
			.kind = RELAY_COUNTER,
			.help = "Failures to accept a connection, by what was "
				"missing.",
			.label = "kind",
			.values = accept_kinds,
		},
	[CORE_CONNECTIONS_REFUSED] =
		{
			.name = "connections_refused",
			.kind = RELAY_COUNTER,
			.help = "Connections that were closed unread, by who "
				"said so.",
			.label = "by",
			.values = refusers,
		},
	[CORE_CONNECTIONS_CLOSED] =
		{
			.name = "connections_closed",
			.kind = RELAY_COUNTER,
			.help = "Connections that ended, by reason.",
			.label = "reason",
			.values = reasons,
		},
	[CORE_HANDSHAKES] =
		{
			.name = "handshakes",
			.kind = RELAY_COUNTER,
			.help = "TLS handshakes that ended, by result.",
			.label = "result",
			.values = results,
		},
	[CORE_HANDSHAKE_DURATION] =
		{
			.name = "handshake_duration",
			.unit = "seconds",
			.kind = RELAY_HISTOGRAM,
			.scale = 1000000,
			.help = "How long TLS handshakes took that succeeded.",
			.bounds = handshake_us,
		},
	[CORE_SESSIONS] =
		{
			.name = "sessions",
			.kind = RELAY_GAUGE,
			.help = "Sessions under way.",
		},
	[CORE_SESSIONS_CLOSED] =
		{
			.name = "sessions_closed",
			.kind = RELAY_COUNTER,
			.help = "Sessions that ended, by reason.",
			.label = "reason",
			.values = reasons,
		},
	[CORE_SESSION_TRAFFIC] =
		{
			.name = "session_traffic",
			.unit = "bytes",
			.kind = RELAY_COUNTER,
			.help = "Bytes passed on in sessions, each counted "
				"once.",
		},
	[CORE_SESSION_KERNEL_MEMORY] =
		{
			.name = "session_kernel_memory",
			.unit = "bytes",
			.kind = RELAY_GAUGE,
			.help = "What the kernel holds for sessions in sockets "
				"and pipes, as seen at most 5 s ago.",
		},
	[CORE_SESSION_DURATION] =
		{
			.name = "session_duration",
			.unit = "seconds",
			.kind = RELAY_HISTOGRAM,
			.scale = 1000,
			.help = "How long sessions lasted.",
			.bounds = session_ms,
		},
	[CORE_TIMER_FAILURES] =
		{
			.name = "timer_failures",
			.kind = RELAY_COUNTER,
			.help = "Calls of modules' timers that reported a "
				"failure.",
		},
	[CORE_HANDSHAKE_FAILURES] =
		{
			.name = "handshake_failures",
			.kind = RELAY_COUNTER,
			.help = "TLS handshakes that failed, by why.",
			.label = "kind",
			.values = failure_kinds,
		},
	[CORE_SESSION_SIZE] =
		{
			.name = "session_size",
			.unit = "bytes",
			.kind = RELAY_HISTOGRAM,
			.help = "How many bytes sessions passed on, both ways "
				"together.",
			.bounds = session_bytes,
		},
	[CORE_SHAPING_WAIT] =
		{
			.name = "shaping_wait",
			.unit = "seconds",
			.kind = RELAY_HISTOGRAM,
			.scale = 1000,
			.help = "How long sessions were told to wait by rate "
				"limits.",
			.bounds = wait_ms,
		},
	[CORE_SESSIONS_STALLED] =
		{
			.name = "sessions_stalled",
			.kind = RELAY_GAUGE,
			.help = "Directions of sessions whose readers take "
				"next to nothing of what waits for them.",
		},
	[CORE_SESSION_MEMORY_LIMIT] =
		{
			.name = "session_memory_limit",
			.unit = "bytes",
			.kind = RELAY_GAUGE,
			.help = "Above how much kernel memory of all sessions "
				"those that stall are ended.",
			.read = read_memory_limit,
		},
	[CORE_CONNECTIONS_CUT] =
		{
			.name = "connections_cut",
			.kind = RELAY_COUNTER,
			.help = "Connections that were closed by a reset, "
				"since their peers had not taken all: the "
				"kernel would have held that for minutes.",
		},
	[CORE_LINGERING] =
		{
			.name = "connections_lingering",
			.kind = RELAY_GAUGE,
			.help = "Closed connections whose last bytes are on "
				"their way.",
		},
	[CORE_LOOP_LAG] =
		{
			.name = "loop_lag",
			.unit = "seconds",
			.kind = RELAY_HISTOGRAM,
			.scale = 1000000,
			.help = "How late timers came, by thread: what a loop "
				"carries waits as long.",
			.label = "loop",
			.values = loops,
			.bounds = lag_us,
		},
	[CORE_ROOM_MADE] =
		{
			.name = "room_made",
			.kind = RELAY_COUNTER,
			.help = "Connections that had proven nothing and were "
				"closed to make room for others, by what was "
				"short: descriptors, or what a module grants.",
			.label = "for",
			.values = room_makers,
		},
	[CORE_STRANGERS] =
		{
			.name = "strangers",
			.kind = RELAY_GAUGE,
			.help = "Open connections that have proven nothing "
				"yet: neither joined nor in a session.",
		},
	[CORE_LOG_DROPPED] =
		{
			.name = "log_dropped",
			.kind = RELAY_COUNTER,
			.help = "Log records that were lost for want of room.",
			.read = read_log_dropped,
		},
	[CORE_WORKERS] =
		{
			.name = "workers",
			.kind = RELAY_GAUGE,
			.help = "Worker threads.",
			.read = read_workers,
		},
	[CORE_THREADS] =
		{
			.name = "threads",
			.kind = RELAY_GAUGE,
			.help = "Threads of the process.",
			.read = read_threads,
		},
	[CORE_OPEN_DESCRIPTORS] =
		{
			.name = "open_descriptors",
			.kind = RELAY_GAUGE,
			.help = "Open file descriptors.",
			.read = read_descriptors,
		},
	[CORE_DESCRIPTOR_LIMIT] =
		{
			.name = "descriptor_limit",
			.kind = RELAY_GAUGE,
			.help = "How many file descriptors may be open.",
			.read = read_limit,
		},
	[CORE_RESIDENT_MEMORY] =
		{
			.name = "resident_memory",
			.unit = "bytes",
			.kind = RELAY_GAUGE,
			.help = "Memory of the process that is in RAM.",
			.read = read_resident,
		},
	[CORE_CPU_TIME] =
		{
			.name = "cpu_time",
			.unit = "seconds",
			.kind = RELAY_COUNTER,
			.scale = 1000000,
			.help = "Processor time of all threads.",
			.read = read_cpu,
		},
	[CORE_START_TIME] =
		{
			.name = "start_time",
			.unit = "seconds",
			.kind = RELAY_GAUGE,
			.scale = 1000000,
			.help = "When the process started, since 1970.",
			.read = read_start,
		},
	[CORE_BUILD] =
		{
			.name = "build_info",
			.kind = RELAY_GAUGE,
			.help = "1, labelled with the version that runs.",
			.label = "version",
			.values = versions,
			.read = read_build,
		},
	[CORE_OVER_LIMIT] =
		{
			.name = "over_limit",
			.kind = RELAY_GAUGE,
			.help = "Whether there are more connections than "
				"max-connections, not counting strangers.",
			.read = read_over_limit,
		},
	[CORE_CONNECTION_LIMIT] =
		{
			.name = "connection_limit",
			.kind = RELAY_GAUGE,
			.help = "Above how many connections newcomers are "
				"refused.",
			.read = read_connection_limit,
		},
	[CORE_DRAINING] =
		{
			.name = "draining",
			.kind = RELAY_GAUGE,
			.help = "1: the server takes no newcomers and ends "
				"with its last session; 2: so, and a new "
				"process has taken over.",
			.read = read_draining,
		},
	[CORE_DRAIN_LEFT] =
		{
			.name = "drain_left",
			.kind = RELAY_GAUGE,
			.help = "Sessions, peers and promises that a drain "
				"waits for.",
			.read = read_drain_left,
		},
	[CORE_DRAIN_TIME_LEFT] =
		{
			.name = "drain_time_left",
			.unit = "seconds",
			.kind = RELAY_GAUGE,
			.scale = 1000,
			.help = "Until a drain ends what it still waits for; 0 "
				"without a drain, and with one that waits for "
				"ever.",
			.read = read_drain_time,
		},
};

_Static_assert(sizeof(table) / sizeof(table[0]) == CORE_METRIC_COUNT,
	"every metric has a description");

static struct relay_metric *handles[CORE_METRIC_COUNT];

int core_metrics_init(void)
{
	for (int i = 0; i < RELAY_END_COUNT; i++)
		reasons[i] = relay_reason_word((enum relay_reason)i);
	versions[0] = relay_build()->version;
	for (int i = 0; i < CORE_METRIC_COUNT; i++) {
		handles[i] = metrics_add_core(&table[i]);
		if (!handles[i])
			return -1;
	}
	return http_metrics_init();
}

void core_count(struct metrics_shard *shard, enum core_metric which,
	unsigned value, int64_t by)
{
	if (handles[which])
		metrics_count(shard, handles[which], value, by);
}

void core_observe(struct metrics_shard *shard, enum core_metric which,
	unsigned value, int64_t seen)
{
	if (handles[which])
		metrics_observe(shard, handles[which], value, seen);
}
