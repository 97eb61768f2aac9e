/* SPDX-License-Identifier: MPL-2.0 */

/* cluster - several relays behind one name find each other's devices. */

#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "cluster/advice.h"
#include "cluster/answering_places.h"
#include "cluster/chance.h"
#include "cluster/command.h"
#include "cluster/counts.h"
#include "cluster/data.h"
#include "cluster/devices.h"
#include "cluster/engine.h"
#include "cluster/finding.h"
#include "cluster/named.h"
#include "cluster/own_node.h"
#include "cluster/recount.h"
#include "cluster/setup.h"
#include "cluster/sharing.h"
#include "cluster/ticking.h"

static const struct relay_option options[] = {
	RELAY_OPT(struct conf, servers, const char *const *, "servers",
		RELAY_LIST, "127.0.0.1:6379", 1, 16,
		"the Redis servers, HOST:PORT or the path of a Unix socket, "
		"which are tried in turn; or the Sentinels"),
	RELAY_OPT(struct conf, sentinel_master, const char *, "sentinel-master",
		RELAY_STRING, "", 0, 200,
		"the name that Sentinels know the primary by; then servers are "
		"Sentinels"),
	RELAY_OPT(struct conf, user, const char *, "user", RELAY_STRING, "", 0,
		200, "the user of Redis; empty: the default user"),
	RELAY_OPT(struct conf, password_file, const char *, "password-file",
		RELAY_STRING, "", 0, 4000,
		"a file whose first line is that user's password"),
	RELAY_OPT(struct conf, database, int64_t, "database", RELAY_INT, "0", 0,
		15, "the number of the database in Redis"),
	RELAY_OPT(struct conf, tls, bool, "tls", RELAY_BOOL, "no", 0, 0,
		"whether Redis is reached by TLS"),
	RELAY_OPT(struct conf, ca_file, const char *, "ca-file", RELAY_STRING,
		"", 0, 4000,
		"file of CA certificates to trust instead of the system's"),
	RELAY_OPT(struct conf, name, const char *, "name", RELAY_STRING,
		"relay", 1, MESSAGE_NAME - 1,
		"the name of the cluster, the same on all nodes",
		.flags = RELAY_OPTION_RESTART),
	RELAY_OPT(struct conf, node, const char *, "node", RELAY_STRING, "", 0,
		MESSAGE_NAME - 1,
		"the name of this node; empty: the machine's name",
		.flags = RELAY_OPTION_RESTART),
	RELAY_OPT(struct conf, address, const char *const *, "address",
		RELAY_LIST, "", 0, 2,
		"the address of this node alone, ADDRESS:PORT, one of IPv4 and "
		"one of IPv6; empty: what the relay tells its clients"),
	RELAY_OPT(struct conf, capacity, int64_t, "capacity", RELAY_RATE, "0",
		0, 0,
		"what this node may carry; sessions beyond nine tenths of it "
		"are held by other nodes; 0: unknown"),
	RELAY_OPT(struct conf, lease_ms, int64_t, "lease", RELAY_DURATION,
		"10s", 1000, 60000,
		"how long a node that is silent counts as alive; renewed every "
		"third of it",
		.flags = RELAY_OPTION_RESTART),
	RELAY_OPT(struct conf, generation, int64_t, "generation", RELAY_INT,
		"1", 1, 1000000,
		"raised by one, it gives messages new keys; nodes whose "
		"generations differ by one understand each other"),
	RELAY_OPT_END};

static int init(struct relay_ctx *cx, struct relay_err *err)
{
	return counts_init(cx, err) == 0 && sharing_init(cx, err) == 0
		       ? command_init(cx, err)
		       : -1;
}

static int make_seal(struct relay_ctx *cx, struct relay_err *err)
{
	struct data *data = data_of(cx);
	uint64_t self = chance_incarnation();

	if (!self || seal_init(&data->seal, &data->setup.keys, self) != 0)
		return relay_fail(err, "no random numbers, or out of memory");
	return 0;
}

static void release_all(struct data *data)
{
	asks_free(data->asks);
	claims_free(data->claims);
	answering_finish(&data->answering);
	free(data->nodes);
	data->asks = NULL;
	data->claims = NULL;
	data->nodes = NULL;
	seal_finish(&data->seal);
	setup_wipe(&data->setup);
}

static int make_all(struct relay_ctx *cx, struct relay_err *err)
{
	struct data *data = data_of(cx);

	data->nodes = calloc(1, sizeof(*data->nodes));
	data->claims = claims_new(data->seal.self, &devices_calls, cx);
	data->asks = asks_new(&finding_calls, cx, chance_number());
	if (!data->nodes || !data->claims || !data->asks ||
		answering_init(&data->answering) != 0)
		return relay_fail(err, "out of memory");
	nodes_init(data->nodes, data->seal.self);
	return 0;
}

static int start(struct relay_ctx *cx, struct relay_err *err)
{
	struct data *data = data_of(cx);

	atomic_init(&data->reachable, false);
	atomic_init(&data->untold, false);
	data->recount_ms = 0;
	if (setup_node(conf_of(cx), data->node, sizeof(data->node), err) == 0 &&
		setup_make(cx, cx->conf, relay_files(cx, cx->conf),
			&data->setup, err) == 0 &&
		make_seal(cx, err) == 0 && make_all(cx, err) == 0 &&
		sharing_start(cx, err) == 0)
		return 0;
	release_all(data);
	return -1;
}

/* The relay may be named after this module. */
static void ready(struct relay_ctx *cx)
{
	struct data *data = data_of(cx);
	struct relay_err err;

	data->remote = relay_service_find(cx, RELAY_REMOTE_SERVICE,
		RELAY_REMOTE_SERVICE_VERSION, &data->relay);
	if (!data->remote)
		relay_log(cx, RELAY_ERROR,
			"the module relay does not run: there are no devices "
			"to find");
	if (data->remote && data->remote->watch(data->relay, cx) != 0)
		data->remote = NULL;
	advice_names(cx);
	named_again(cx);
	if (engine_open(cx, &err) != 0 || own_node_start(cx) != 0 ||
		ticking_start(cx) != 0) {
		relay_log(cx, RELAY_ERROR, "this node stays alone: %s",
			data->registry ? "out of memory" : err.text);
		return;
	}
	recount_now(cx);
	relay_log(cx, RELAY_NOTICE, "node %s of the cluster %s", data->node,
		conf_of(cx)->name);
}

static int reload_prepare(
	struct relay_ctx *cx, const void *conf, struct relay_err *err)
{
	struct data *data = data_of(cx);

	if (setup_make(cx, conf, relay_files(cx, conf), &data->next, err) != 0)
		return -1;
	data->next.same_server =
		setup_same_server(conf_of(cx), conf) &&
		strcmp(data->setup.password, data->next.password) == 0;
	return 0;
}

/* The strings of the old options are gone: the engine has copies. */
static void reload_commit(struct relay_ctx *cx)
{
	struct data *data = data_of(cx);

	setup_wipe(&data->setup);
	data->setup = data->next;
	data->setup.redis.password = data->setup.password;
	setup_wipe(&data->next);
	if (seal_change(&data->seal, &data->setup.keys) != 0)
		relay_log(cx, RELAY_ERROR,
			"out of memory: messages have the keys of before until "
			"the next reload");
}

static void reload_abandon(struct relay_ctx *cx)
{
	setup_wipe(&data_of(cx)->next);
}

/* Another server, user or password counts from now on. */
static void reload(struct relay_ctx *cx)
{
	struct data *data = data_of(cx);
	struct relay_err err;

	advice_names(cx);
	sharing_again(cx);
	if (engine_stays(cx)) {
		own_node_renew(cx);
		return;
	}
	/* No goodbye, which counts for ever: the others may be at the next
	 * server, too. */
	engine_close(cx);
	claims_away(data->claims, relay_now_ms(cx));
	if (engine_open(cx, &err) != 0)
		relay_log(
			cx, RELAY_ERROR, "this node stays alone: %s", err.text);
}

static int64_t drain(struct relay_ctx *cx, enum relay_drain how)
{
	struct data *data = data_of(cx);

	/* New asks go elsewhere at once. */
	if ((how != RELAY_DRAIN_NONE) != (data->self.state == NODE_DRAINING))
		own_node_renew(cx);
	return 0;
}

static void stop(struct relay_ctx *cx)
{
	struct data *data = data_of(cx);

	own_node_unwatch(cx);
	own_node_end(cx);
	asks_free(data->asks);
	data->asks = NULL;
	engine_close(cx);
	if (data->remote)
		data->remote->unwatch(data->relay, cx);
}

static void fini(struct relay_ctx *cx)
{
	sharing_fini(cx);
	release_all(data_of(cx));
}

RELAY_MODULE = {
	RELAY_MODULE_INFO("cluster", "1.0",
		"several relays behind one name find each other's devices"),
	.options = options,
	.flags = RELAY_CONFINED,
	.conf_size = sizeof(struct conf),
	.data_size = sizeof(struct data),
	.check = setup_check,
	.init = init,
	.start = start,
	.ready = ready,
	.reload = reload,
	.stop = stop,
	.fini = fini,
	.hooks =
		{
			.peer_find = finding_peer_find,
			.peer_joined = devices_joined,
			.peer_left = devices_left,
			.drain = drain,
			.reload_prepare = reload_prepare,
			.reload_commit = reload_commit,
			.reload_abandon = reload_abandon,
			.files_read = setup_files_read,
			.files_free = setup_files_free,
			.advise = advice_check,
		},
};
