/* SPDX-License-Identifier: MPL-2.0 */

/* The metrics, and what /status shows. */

#include "cluster/counts.h"
#include "cluster/data.h"
#include "cluster/engine.h"
#include "cluster/named.h"

static const char *const types[] = {[MESSAGE_LEASE - 1] = "lease",
	[MESSAGE_HELLO - 1] = "hello",
	[MESSAGE_GOODBYE - 1] = "goodbye",
	[MESSAGE_ASK - 1] = "ask",
	[MESSAGE_ANSWER - 1] = "answer",
	[MESSAGE_PREPARE - 1] = "prepare",
	[MESSAGE_PREPARED - 1] = "prepared",
	[MESSAGE_CLAIMED - 1] = "claimed",
	[MESSAGE_ALIVE - 1] = "alive",
	[MESSAGE_TYPES - 1] = NULL};
static const char *const answer_ends[] = {[ANSWER_INVITED] = "invited",
	[ANSWER_ABSENT] = "absent",
	[ANSWER_REFUSED] = "refused",
	[ANSWER_FULL] = "full",
	[ANSWER_ERROR] = "error",
	[ANSWER_ENDS] = NULL};
static const char *const redis_faults[] = {[REDIS_FAULT_TYPE] = "type",
	[REDIS_FAULT_MEMORY] = "memory",
	[REDIS_FAULT_RIGHTS] = "rights",
	[REDIS_FAULT_MOVED] = "moved",
	[REDIS_FAULT_SCRIPT] = "script",
	[REDIS_FAULT_BUSY] = "busy",
	[REDIS_FAULT_REPLY] = "reply",
	[REDIS_FAULT_OTHER] = "other",
	[REDIS_FAULTS] = NULL};
/* Replaced at the start. */
static const char *const no_names[] = {"none", NULL};

/* Milliseconds. */
static const int64_t bounds[] = {1, 2, 5, 10, 20, 50, 100, 250, 500, 1000, 0};

static int64_t read_reachable(struct relay_ctx *cx, unsigned value)
{
	(void)value;
	return atomic_load(&data_of(cx)->reachable);
}

static struct claims_count claims_now(struct relay_ctx *cx)
{
	struct claims_count count = {.devices = 0};

	if (data_of(cx)->claims)
		claims_counts(data_of(cx)->claims, &count);
	return count;
}

#define READ_CLAIMS(member)                                                    \
	static int64_t read_##member(struct relay_ctx *cx, unsigned value)     \
	{                                                                      \
		(void)value;                                                   \
		return (int64_t)claims_now(cx).member;                         \
	}
READ_CLAIMS(devices)
READ_CLAIMS(unclaimed)
READ_CLAIMS(claims)
READ_CLAIMS(healed)
READ_CLAIMS(replaced)
READ_CLAIMS(defended)
READ_CLAIMS(delayed)
READ_CLAIMS(unrepeated)

#define READ_REDIS(member)                                                     \
	static int64_t read_##member(struct relay_ctx *cx, unsigned value)     \
	{                                                                      \
		struct redis_counts count;                                     \
                                                                               \
		(void)value;                                                   \
		engine_counts(cx, &count);                                     \
		return (int64_t)count.member;                                  \
	}
READ_REDIS(connects)
READ_REDIS(commands)
READ_REDIS(unanswered)
READ_REDIS(slow)
READ_REDIS(refused)
READ_REDIS(waiting)
READ_REDIS(rtt_mean_us)

static int64_t read_faults(struct relay_ctx *cx, unsigned value)
{
	struct redis_counts count;

	engine_counts(cx, &count);
	return (int64_t)count.faults[value];
}

static int64_t read_nodes(struct relay_ctx *cx, unsigned value)
{
	return named_in_state(cx, (enum node_state)value);
}

static int64_t read_sessions(struct relay_ctx *cx, unsigned value)
{
	const struct node_facts *facts = named_facts(cx, value);

	return facts ? facts->sessions : 0;
}

static int64_t read_rate(struct relay_ctx *cx, unsigned value)
{
	const struct node_facts *facts = named_facts(cx, value);

	return facts ? (int64_t)facts->rate : 0;
}

static int64_t read_shared_rows(struct relay_ctx *cx, unsigned value)
{
	(void)value;
	return (int64_t)tables_rows(&data_of(cx)->sharing.tables);
}

static int64_t read_shared_unstored(struct relay_ctx *cx, unsigned value)
{
	(void)value;
	return (int64_t)tables_unstored(&data_of(cx)->sharing.tables);
}

#define PLAIN(name_, kind_, ...)                                               \
	{                                                                      \
		.name = (name_), .unit = "", .kind = (kind_), __VA_ARGS__      \
	}

static const struct relay_metric_def metrics[COUNTS] = {
	[COUNT_SENT] = PLAIN("sent", RELAY_COUNTER, .label = "type",
		.values = types, .help = "Messages to other nodes, by type."),
	[COUNT_UNSENT] = PLAIN("unsent", RELAY_COUNTER,
		.help = "Messages that were lost because the registry could "
			"not "
			"take them."),
	[COUNT_UNTOLD] = PLAIN("untold", RELAY_COUNTER,
		.help = "News of devices for which memory was short: all "
			"devices were looked at again for each."),
	[COUNT_RECEIVED] = PLAIN("received", RELAY_COUNTER, .label = "type",
		.values = types, .help = "Messages of other nodes, by type."),
	[COUNT_REJECTED] = PLAIN("rejected", RELAY_COUNTER, .label = "reason",
		.values = seal_fault_words + 1,
		.help = "Messages that were dropped because they are not of "
			"this cluster, or not understood."),
	[COUNT_REPLAYED] = PLAIN("replayed", RELAY_COUNTER,
		.help = "Messages that were dropped because they had come "
			"before."),
	[COUNT_LATE_ANSWERS] = PLAIN("late_answers", RELAY_COUNTER,
		.help = "Answers of other nodes that came after their time."),
	[COUNT_ASKS] = PLAIN("asks", RELAY_COUNTER, .label = "end",
		.values = asks_end_words,
		.help = "Requests of this node's clients for devices that are "
			"not here, by what became of them."),
	[COUNT_ASK_TIME] = {.name = "ask_time",
		.unit = "seconds",
		.kind = RELAY_HISTOGRAM,
		.scale = 1000,
		.bounds = bounds,
		.help = "Time until such a request was answered."},
	[COUNT_ANSWERED] = PLAIN("answered", RELAY_COUNTER, .label = "end",
		.values = answer_ends,
		.help = "Requests of other nodes that this node answered."),
	[COUNT_LOST] = PLAIN("registry_lost", RELAY_COUNTER,
		.help = "How often the registry could not be reached any "
			"more."),
	[COUNT_REACHABLE] = PLAIN("registry_reachable", RELAY_GAUGE,
		.read = read_reachable,
		.help = "1 if the registry can be reached and is of this "
			"relay."),
	[COUNT_CONNECTS] =
		PLAIN("registry_connects", RELAY_COUNTER, .read = read_connects,
			.help = "How often Redis was reached anew."),
	[COUNT_COMMANDS] = PLAIN("registry_commands", RELAY_COUNTER,
		.read = read_commands, .help = "Commands to Redis."),
	[COUNT_FAULTS] = PLAIN("registry_faults", RELAY_COUNTER,
		.label = "kind", .values = redis_faults, .read = read_faults,
		.help = "Errors that Redis has answered, by kind."),
	[COUNT_UNANSWERED] = PLAIN("registry_unanswered", RELAY_COUNTER,
		.read = read_unanswered,
		.help = "Commands that Redis has not answered in time, or "
			"before the connection ended."),
	[COUNT_SLOW] = PLAIN("registry_slow", RELAY_COUNTER, .read = read_slow,
		.help = "How often Redis was left alone for a second because "
			"it was slow."),
	[COUNT_REFUSED] = PLAIN("registry_refused", RELAY_COUNTER,
		.read = read_refused,
		.help = "Commands that were not sent because too many were "
			"unanswered."),
	[COUNT_WAITING] =
		PLAIN("registry_waiting", RELAY_GAUGE, .read = read_waiting,
			.help = "Commands that Redis has not answered yet."),
	[COUNT_ROUND_TRIP] = {.name = "registry_round_trip",
		.unit = "seconds",
		.kind = RELAY_GAUGE,
		.scale = 1000000,
		.read = read_rtt_mean_us,
		.help = "Time until Redis answers, the mean of about a "
			"hundred commands."},
	[COUNT_DEVICES] = PLAIN("devices", RELAY_GAUGE, .read = read_devices,
		.help = "Devices that have joined this node."),
	[COUNT_UNCLAIMED] = PLAIN("unclaimed", RELAY_GAUGE,
		.read = read_unclaimed,
		.help = "Of these, those that other nodes do not find."),
	[COUNT_CLAIMS] = PLAIN("claims", RELAY_COUNTER, .read = read_claims,
		.help = "Entries that were written or checked in the "
			"registry."),
	[COUNT_HEALED] = PLAIN("healed", RELAY_COUNTER, .read = read_healed,
		.help = "Entries that were missing or wrong in the registry, "
			"and were mended."),
	[COUNT_REPLACED] = PLAIN("replaced", RELAY_COUNTER,
		.read = read_replaced,
		.help = "Connections that ended because their device is at "
			"another node."),
	[COUNT_DEFENDED] = PLAIN("defended", RELAY_COUNTER,
		.read = read_defended,
		.help = "Devices that joined another node although their "
			"connection here lives: the other one had to end."),
	[COUNT_DELAYED] = PLAIN("delayed", RELAY_COUNTER, .read = read_delayed,
		.help = "Questions for a sign of life and ends of connections "
			"that waited a second because memory was short."),
	[COUNT_UNREPEATED] = PLAIN("unrepeated", RELAY_COUNTER,
		.read = read_unrepeated,
		.help = "Messages about a device at two nodes that were sent "
			"once only because memory was short."),
	[COUNT_SHARED_ROWS] = PLAIN("shared_rows", RELAY_GAUGE,
		.read = read_shared_rows,
		.help = "Rows of tables that modules of all nodes share, such "
			"as bans."),
	[COUNT_SHARED_UNSTORED] = PLAIN("shared_unstored", RELAY_GAUGE,
		.read = read_shared_unstored,
		.help = "Of these, those that the registry does not have yet."),
	[COUNT_SHARED_FORGED] = PLAIN("shared_forged", RELAY_COUNTER,
		.help = "Rows in the registry that were ignored because they "
			"were not written by a node of this cluster."),
	[COUNT_NODES] = PLAIN("nodes", RELAY_GAUGE, .label = "state",
		.values = node_state_words, .read = read_nodes,
		.help = "Nodes that live, this one included, by state."),
	[COUNT_NODE_SESSIONS] = PLAIN("node_sessions", RELAY_GAUGE,
		.label = "node", .values = no_names, .read = read_sessions,
		.help = "Sessions of each node."),
	[COUNT_NODE_RATE] = {.name = "node_rate",
		.unit = "bytes_per_second",
		.kind = RELAY_GAUGE,
		.label = "node",
		.values = no_names,
		.read = read_rate,
		.help = "Traffic of each node."},
};

/* Shown by /status, and by -ctl status. */
static void show(struct relay_ctx *self, struct relay_status *to)
{
	struct data *data = data_of(self);
	struct claims_count count = claims_now(self);

	to->text(to, "node", data->node);
	to->text(to, "registry",
		data->foreign             ? "of another relay"
		: read_reachable(self, 0) ? "reachable"
					  : "not reachable");
	to->number(to, "nodes", named_in_state(self, NODE_STATES));
	to->number(to, "unclaimed", (int64_t)count.unclaimed);
}

static const struct relay_status_part status = {.show = show};

int counts_init(struct relay_ctx *cx, struct relay_err *err)
{
	struct data *data = data_of(cx);

	if (relay_metrics_add(cx, metrics, COUNTS, data->counts, err) != 0)
		return -1;
	return relay_service_publish(cx, "cluster" RELAY_STATUS_PART,
		       RELAY_STATUS_VERSION, &status) == 0
		       ? 0
		       : relay_fail(
				 err, "cannot publish the service for /status");
}
