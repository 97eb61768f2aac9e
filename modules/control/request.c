/* SPDX-License-Identifier: MPL-2.0 */

/* From a line to a command: who gives it, whether he may, and its calls. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "data.h"
#include "request.h"

/* Exit code for one who may not. */
#define REFUSED 4
/* How long until a command that waits for nothing certain is called again. */
#define WAIT_MS 1000

void request_soon(struct client *client, int64_t ms)
{
	const struct timeval wait = {.tv_sec = (time_t)(ms / 1000),
		.tv_usec = (suseconds_t)(ms % 1000 * 1000)};

	/* Without memory for the timer it is called at once. */
	if (evtimer_add(client->soon, &wait) != 0)
		event_active(client->soon, EV_TIMEOUT, 0);
}

static void count(const struct client *client, enum command_result result)
{
	relay_metric_inc(client->cx,
		state_of(client->cx)->metrics[METRIC_COMMANDS], result, 1);
}

/* Besides its own group, a process is in others. */
static bool in_group(int fd, gid_t own, gid_t group)
{
	gid_t groups[1024];
	socklen_t len = sizeof(groups);

	if (own == group)
		return true;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &len) != 0)
		return false;
	for (size_t i = 0; i < len / sizeof(groups[0]); i++)
		if (groups[i] == group)
			return true;
	return false;
}

void request_identify(struct client *client, int fd, gid_t group)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	client->uid = (uid_t)-1;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) != 0)
		return;
	client->uid = peer.uid;
	client->pid = peer.pid;
	client->may = peer.uid == 0 || peer.uid == geteuid() ||
		      in_group(fd, peer.gid, group);
}

/* The number of words; -1: too many. */
static int split(struct client *client)
{
	char *rest = client->line, *word;
	int n = 0;

	while ((word = strsep(&rest, " \t\r")) != NULL) {
		if (!word[0])
			continue;
		if (n == WORDS_MAX)
			return -1;
		client->words[n++] = word;
	}
	client->words[n] = NULL;
	return n;
}

void request_fail(struct client *client, int code, const char *why)
{
	struct answer *answer = &client->answer;

	answer->pub.fail(&answer->pub, code, "%s", why);
	count(client, code == REFUSED               ? RESULT_REFUSED
		      : code == RELAY_COMMAND_USAGE ? RESULT_USAGE
						    : RESULT_FAILED);
	answer_end(answer);
	client->state = CLIENT_ENDING;
}

static void refuse(struct client *client)
{
	char why[160];

	(void)snprintf(why, sizeof(why),
		"user %u may not give commands: only root, the server's user "
		"and members of the socket's group may",
		(unsigned)client->uid);
	relay_log_seldom(client->cx, RELAY_WARNING,
		&state_of(client->cx)->clients.strangers,
		"refused a command of user %u, process %d: he is not in the "
		"socket's group",
		(unsigned)client->uid, (int)client->pid);
	request_fail(client, REFUSED, why);
}

/* What the operator typed, as it was. */
static void log_change(const struct client *client)
{
	char typed[400] = "", user[16], process[16];
	const struct relay_field fields[] = {
		{"user", user}, {"process", process}, {NULL, NULL}};
	size_t len = 0;

	for (const char *const *w = client->words; *w; w++) {
		int n = snprintf(typed + len, sizeof(typed) - len, "%s%s",
			len ? " " : "", *w);

		if (n < 0 || (size_t)n >= sizeof(typed) - len)
			break;
		len += (size_t)n;
	}
	(void)snprintf(user, sizeof(user), "%u", (unsigned)client->uid);
	(void)snprintf(process, sizeof(process), "%d", (int)client->pid);
	relay_log_always(client->cx, fields, "command: %s", typed);
}

struct near {
	const char *name;
	char found[200];
};

static void note_similar(
	const char *module, const struct relay_command_def *def, void *arg)
{
	struct near *near = arg;
	size_t len = strlen(near->found);

	(void)module;
	if (strncmp(def->name, near->name, 1) == 0)
		(void)snprintf(near->found + len, sizeof(near->found) - len,
			"%s%s",
			len ? ", " : "; did you mean one of: ", def->name);
}

static void fail_unknown(struct client *client)
{
	struct near near = {.name = client->words[0], .found = ""};
	char why[400];

	relay_commands_visit(client->cx, note_similar, &near);
	(void)snprintf(why, sizeof(why),
		"no command \"%.100s\"%s; \"help\" shows all", client->words[0],
		near.found);
	request_fail(client, RELAY_COMMAND_USAGE, why);
}

static int begin_call(
	struct client *client, const struct relay_command_def *def, int words)
{
	struct answer *answer = &client->answer;

	answer->command = client->words[0];
	answer->pub.words = client->words + 1;
	answer->pub.count = (unsigned)words - 1;
	answer->pub.state = def->state_size ? calloc(1, def->state_size) : NULL;
	if (def->state_size && !answer->pub.state)
		return -1;
	client->def = def;
	return 0;
}

void request_begin(struct client *client)
{
	const struct relay_command_def *def = NULL;
	int words = client->may ? split(client) : 1;

	if (!client->may) {
		refuse(client);
		return;
	}
	if (words <= 0) {
		request_fail(client, RELAY_COMMAND_USAGE,
			words < 0 ? "too many words"
				  : "a command is needed; \"help\" shows all");
		return;
	}
	def = relay_command_find(client->cx, client->words[0]);
	if (!def) {
		fail_unknown(client);
		return;
	}
	if (begin_call(client, def, words) != 0) {
		request_fail(client, RELAY_COMMAND_FAILED, "out of memory");
		return;
	}
	client->state = CLIENT_RUNNING;
	if (def->flags & RELAY_COMMAND_CHANGES ||
		(def->flags & RELAY_COMMAND_WORDS_CHANGE && words > 1))
		log_change(client);
	request_soon(client, 0);
}

bool request_is_orphan(const struct client *client)
{
	return relay_command_find(client->cx, client->words[0]) != client->def;
}

void request_step(struct client *client)
{
	struct answer *answer = &client->answer;
	int64_t wait_ms;

	if (request_is_orphan(client)) {
		request_over(client);
		request_fail(client, RELAY_COMMAND_FAILED,
			"the module of this command has been removed");
		return;
	}
	answer->pub.wait_ms = 0;
	switch (relay_command_run(client->cx, client->words[0], &answer->pub)) {
	case RELAY_STEP_AGAIN:
		request_soon(client, 0);
		return;
	case RELAY_STEP_WAIT:
		wait_ms = answer->pub.wait_ms;
		request_soon(client, wait_ms > 0 ? wait_ms : WAIT_MS);
		return;
	case RELAY_STEP_OVER:
		break;
	}
	count(client, answer->code == 0                     ? RESULT_OK
		      : answer->code == RELAY_COMMAND_USAGE ? RESULT_USAGE
							    : RESULT_FAILED);
	request_over(client);
	answer_end(answer);
	client->state = CLIENT_ENDING;
}

void request_over(struct client *client)
{
	struct answer *answer = &client->answer;

	if (client->def && !request_is_orphan(client))
		relay_command_closed(
			client->cx, client->words[0], &answer->pub);
	client->def = NULL;
	free(answer->pub.state);
	answer->pub.state = NULL;
}
