/* SPDX-License-Identifier: MPL-2.0 */

/* control - a socket at which an operator gives commands. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <strelaysrv/module.h>

#include "clients.h"
#include "commands.h"
#include "data.h"

static const char *const modes[] = {"0660", "0600", "0666", NULL};
static const mode_t mode_bits[] = {0660, 0600, 0666};

static const struct relay_option options[] = {
	RELAY_OPT(struct conf, socket, const char *, "socket", RELAY_STRING, "",
		0, RELAY_CONTROL_PATH - 10,
		"full path of the socket; empty: control.sock in "
		"$RUNTIME_DIRECTORY or /run/strelaysrv, if it can be written",
		.flags = RELAY_OPTION_WRITTEN),
	RELAY_OPT(struct conf, mode, int64_t, "mode", RELAY_CHOICE, "0660", 0,
		0,
		"permission bits of the socket; with 0666 others may connect, "
		"and are told that they may not give commands",
		.choices = modes),
	RELAY_OPT(struct conf, group, const char *, "group", RELAY_STRING, "",
		0, 255,
		"group whose members may give commands; empty: the server's "
		"own"),
	RELAY_OPT_END};

static const char *const results[] = {
	[RESULT_OK] = "ok",
	[RESULT_FAILED] = "failed",
	[RESULT_USAGE] = "usage",
	[RESULT_REFUSED] = "refused",
	NULL,
};
static const char *const ends[] = {
	[CLIENT_ROOM] = "room",
	[CLIENT_TIME] = "time",
	[CLIENT_LINE] = "line",
	[CLIENT_UNREAD] = "unread",
	[CLIENT_LEFT] = "left",
	NULL,
};

static const struct relay_metric_def metrics[METRICS] = {
	[METRIC_COMMANDS] = {.name = "commands",
		.kind = RELAY_COUNTER,
		.help = "Commands that were given, by how they ended.",
		.label = "result",
		.values = results},
	[METRIC_ENDED] = {.name = "connections_ended",
		.kind = RELAY_COUNTER,
		.help = "Connections to the control socket that ended before "
			"their answer was sent.",
		.label = "reason",
		.values = ends},
	[METRIC_CLIENTS] = {.name = "connections",
		.kind = RELAY_GAUGE,
		.help = "Open connections to the control socket."},
};

/* Looks at the folder and the group on a thread of its own: a mount, or a name
 * service, may not answer.  The result is the group's number. */
static int files_read(const void *arg, void **files, struct relay_err *err)
{
	const struct conf *conf = arg;
	gid_t *group = malloc(sizeof(*group));
	struct stat st;

	if (!group)
		return relay_fail(err, "out of memory");
	*files = group;
	/* The server tells the name of the file if this call hangs. */
	if (conf->socket[0])
		(void)relay_file_stat(conf->socket, &st);
	if ((!conf->socket[0] || listener_check(conf->socket, err) == 0) &&
		listener_group(conf->group, group, err) == 0)
		return 0;
	free(group);
	return -1;
}

static int init(struct relay_ctx *cx, struct relay_err *err)
{
	struct state *state = state_of(cx);

	state->listener.fd = state->next.fd = -1;
	if (relay_metrics_add(cx, metrics, METRICS, state->metrics, err) != 0 ||
		relay_commands_add(cx, show_commands, err) != 0)
		return -1;
	return relay_commands_add(cx, act_commands, err);
}

/* Makes the socket that these options ask for. */
static enum listener_result open_socket(const struct relay_ctx *cx,
	const struct conf *conf, bool draining, enum listener_how how,
	struct listener *listener, struct relay_err *err)
{
	const gid_t *group = relay_files(cx, conf);
	char path[RELAY_CONTROL_PATH];

	*listener = (struct listener){.fd = -1};
	if (relay_control_path(conf->socket, draining, path) != 0) {
		(void)relay_fail(err, "the path of the socket is too long");
		return LISTENER_FAILED;
	}
	return listener_open(
		listener, path, mode_bits[conf->mode], *group, how, err);
}

/* The operator has asked for a path, or must be content with none. */
static int tolerate(struct relay_ctx *cx, const struct conf *conf,
	const struct relay_err *why, struct relay_err *err)
{
	if (conf->socket[0])
		return relay_fail(err, "%s", why->text);
	relay_log(cx, RELAY_INFO,
		"no commands by -ctl: %.180s; the option socket names another "
		"path",
		why->text);
	return 0;
}

static int start(struct relay_ctx *cx, struct relay_err *err)
{
	struct state *state = state_of(cx);
	struct relay_err why;

	switch (open_socket(
		cx, cx->conf, false, LISTENER_NEW, &state->listener, &why)) {
	case LISTENER_PARENT:
		state->late = true;
		return 0;
	case LISTENER_FAILED:
		return tolerate(cx, cx->conf, &why, err);
	case LISTENER_OPEN:
		break;
	}
	return 0;
}

static void replace(struct relay_ctx *cx, bool draining)
{
	struct state *state = state_of(cx);
	struct listener old = state->listener;
	struct relay_err err;

	if (open_socket(cx, cx->conf, draining, LISTENER_REPLACE,
		    &state->listener, &err) != LISTENER_OPEN ||
		clients_listen(cx, &state->listener, &err) != 0 ||
		listener_publish(&state->listener, &err) != 0) {
		relay_log(cx, RELAY_WARNING, "%s", err.text);
		listener_close(&state->listener);
	}
	listener_close(&old);
}

/* The server serves: an old process has no use for the path any more. */
static void ready(struct relay_ctx *cx)
{
	struct state *state = state_of(cx);
	struct relay_err err;

	if (state->late)
		replace(cx, false);
	else if (state->listener.fd >= 0 &&
		 (clients_listen(cx, &state->listener, &err) != 0 ||
			 listener_publish(&state->listener, &err) != 0)) {
		relay_log(cx, RELAY_ERROR, "%s", err.text);
		listener_close(&state->listener);
	}
	state->late = false;
}

static bool is_same(const struct conf *a, const struct conf *b)
{
	return strcmp(a->socket, b->socket) == 0 && a->mode == b->mode &&
	       strcmp(a->group, b->group) == 0;
}

static int reload_prepare(
	struct relay_ctx *cx, const void *arg, struct relay_err *err)
{
	struct state *state = state_of(cx);
	const struct conf *conf = arg, *before = cx->conf;
	bool same_path = strcmp(conf->socket, before->socket) == 0;
	struct relay_err why;

	state->next_set = false;
	if ((is_same(conf, before) && state->listener.fd >= 0) ||
		state->draining)
		return 0;
	if (open_socket(cx, conf, false,
		    same_path && state->listener.fd >= 0 ? LISTENER_REPLACE
							 : LISTENER_NEW,
		    &state->next, &why) == LISTENER_OPEN) {
		state->next_set = clients_listen(cx, &state->next, err) == 0;
		if (!state->next_set)
			listener_close(&state->next);
		return state->next_set ? 0 : -1;
	}
	if (conf->socket[0])
		return relay_fail(err, "%s", why.text);
	state->next_set = !same_path;
	return 0;
}

static void reload_commit(struct relay_ctx *cx)
{
	struct state *state = state_of(cx);
	struct listener old = state->listener;
	struct relay_err err;

	if (!state->next_set)
		return;
	state->listener = state->next;
	state->next = (struct listener){.fd = -1};
	state->next_set = false;
	if (state->listener.fd >= 0 &&
		listener_publish(&state->listener, &err) != 0) {
		relay_log(cx, RELAY_ERROR, "%s", err.text);
		listener_close(&state->listener);
	}
	/* Last: the new one may have taken its path. */
	listener_close(&old);
}

static void reload_abandon(struct relay_ctx *cx)
{
	struct state *state = state_of(cx);

	listener_close(&state->next);
	state->next_set = false;
}

static int64_t drain(struct relay_ctx *cx, enum relay_drain how)
{
	struct state *state = state_of(cx);
	bool moved = how == RELAY_DRAIN_MOVE;

	if (moved == state->draining)
		return 0;
	state->draining = moved;
	replace(cx, moved);
	return 0;
}

static void stop(struct relay_ctx *cx)
{
	struct state *state = state_of(cx);

	clients_end_all(cx);
	listener_close(&state->listener);
	listener_close(&state->next);
}

RELAY_MODULE = {
	RELAY_MODULE_INFO("control", "1.0",
		"serves the commands of strelaysrv -ctl on a Unix socket"),
	.options = options,
	.flags = RELAY_CONFINED,
	.conf_size = sizeof(struct conf),
	.data_size = sizeof(struct state),
	.init = init,
	.start = start,
	.ready = ready,
	.reload = clients_reload,
	.stop = stop,
	.hooks = {.drain = drain,
		.files_read = files_read,
		.files_free = free,
		.reload_prepare = reload_prepare,
		.reload_commit = reload_commit,
		.reload_abandon = reload_abandon},
};
