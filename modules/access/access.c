/* SPDX-License-Identifier: MPL-2.0 */

/* access - who may connect, join, request a device and be requested. */

#include <pthread.h>

#include <strelaysrv/module.h>

#include "access_service.h"
#include "accounting.h"
#include "accounts.h"
#include "commands.h"
#include "data.h"
#include "decide.h"
#include "in_force.h"
#include "nodes.h"
#include "presence.h"
#include "token_commands.h"

#define LIST(who, half, name, help)                                            \
	RELAY_OPT(struct conf, lists[who][half], const char *const *, name,    \
		RELAY_LIST, "", 0, 0, help, .flags = RELAY_OPTION_FILLED)

static const struct relay_option options[] = {
	LIST(WHO_CONNECTS, ALLOW, CONNECT_ALLOW,
		"addresses that may connect; empty: all"),
	LIST(WHO_CONNECTS, DENY, CONNECT_DENY,
		"addresses whose connections are closed at once"),
	LIST(WHO_JOINS, ALLOW, JOIN_ALLOW,
		"device IDs and addresses that may join; empty: all"),
	LIST(WHO_JOINS, DENY, JOIN_DENY,
		"device IDs and addresses that may not join"),
	LIST(WHO_ASKS, ALLOW, ASK_ALLOW,
		"device IDs and addresses that may request a device; empty: "
		"all"),
	LIST(WHO_ASKS, DENY, ASK_DENY,
		"device IDs and addresses that may not request a device"),
	LIST(WHO_IS_ASKED, ALLOW, REACH_ALLOW,
		"device IDs that may be requested; empty: all"),
	LIST(WHO_IS_ASKED, DENY, REACH_DENY,
		"device IDs that may not be requested"),
	RELAY_OPT(struct conf, tokens, const char *const *, "tokens",
		RELAY_LIST, "", 0, 0,
		"tokens, one of which a device needs to join; empty: no token "
		"is needed",
		.flags = RELAY_OPTION_SECRET | RELAY_OPTION_FILLED),
	RELAY_OPT(struct conf, token_file, const char *, "token-file",
		RELAY_STRING, "", 0, 0,
		"a file with one token per line, read again at a reload",
		.flags = RELAY_OPTION_FILLED),
	RELAY_OPT(struct conf, named_tokens, const char *, "named-tokens",
		RELAY_STRING, "", 0, 4000,
		"a file with a token and its name in each line, and what its "
		"devices may use",
		.flags = RELAY_OPTION_FILLED),
	RELAY_OPT(struct conf, bans, const char *, "bans", RELAY_STRING, "", 0,
		4000,
		"a file that keeps what the commands ban and unban of -ctl "
		"change; empty: bans end with the server",
		.flags = RELAY_OPTION_FILLED | RELAY_OPTION_WRITTEN),
	RELAY_OPT(struct conf, shared, bool, "shared", RELAY_BOOL, "no", 0, 0,
		"whether bans and revoked tokens are those of all nodes of a "
		"cluster, and other lists at another node are warned of"),
	RELAY_OPT_END};

static const struct access_service service = {.name = presence_name};

static int init(struct relay_ctx *cx, struct relay_err *err)
{
	struct data *data = cx->data;

	if (accounts_init(cx, err) != 0 || decide_init(cx, err) != 0 ||
		banned_init(cx, err) != 0 || nodes_init(cx, err) != 0 ||
		relay_commands_add(cx, ban_commands, err) != 0 ||
		relay_commands_add(cx, token_commands, err) != 0)
		return -1;
	if (relay_service_publish(
		    cx, ACCESS_SERVICE, ACCESS_SERVICE_VERSION, &service) != 0)
		return relay_fail(
			err, "cannot offer the service %s", ACCESS_SERVICE);
	return pthread_mutex_init(&data->lock, NULL) == 0
		       ? 0
		       : relay_fail(err, "cannot make a mutex");
}

static void fini(struct relay_ctx *cx)
{
	struct data *data = cx->data;

	policy_free(data->policy);
	nodes_fini(cx);
	accounts_fini(cx);
	banned_fini(cx);
	pthread_mutex_destroy(&data->lock);
}

RELAY_MODULE = {
	RELAY_MODULE_INFO("access", "1.0",
		"who may connect, join, request devices and be requested"),
	.options = options,
	.flags = RELAY_GUARD | RELAY_CONFINED,
	.conf_size = sizeof(struct conf),
	.data_size = sizeof(struct data),
	.conn_size = sizeof(struct member),
	.session_size = sizeof(struct session_names),
	.init = init,
	.start = in_force_start,
	.reload = accounting_reload,
	.stop = accounting_stop,
	.fini = fini,
	.worker_start = accounts_worker_start,
	.hooks =
		{
			.conn_accept = decide_conn_accept,
			.peer_join = decide_peer_join,
			.peer_connect = decide_peer_connect,
			.peer_asked = decide_peer_asked,
			.peer_stay = decide_peer_stay,
			.session_open = decide_session_open,
			.session_sent = accounts_session_sent,
			.session_close = accounts_session_close,
			.conn_close = accounts_conn_close,
			.reload_prepare = in_force_reload_prepare,
			.reload_commit = in_force_reload_commit,
			.files_read = in_force_files_read,
			.files_free = in_force_files_free,
			.advise = in_force_advise,
			.session_enter = accounts_session_enter,
		},
};
