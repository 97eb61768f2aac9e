/* SPDX-License-Identifier: MPL-2.0 */

/*
 * far-asker: plays another relay.  It does what a page's query says, as
 * /far-asker?invite,NUMBER,ASKER,TARGET,ADDRESS with IDs in hexadecimal, and
 * logs what it is answered and told.
 */

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/buffer.h>

#include <strelaysrv/module.h>

#include "relay/remote_service.h"

#define HEX      (2 * RELAY_DEVICE_ID_LEN + 1)
#define WORDS    10
#define MOST_LEN 64

struct conf {
	int64_t asked;
	bool watches;
};

static const char *const verdicts[] = {"pass", "deny", "wait", NULL};

static const struct relay_option options[] = {
	RELAY_OPT(struct conf, asked, int64_t, "asked", RELAY_CHOICE, "pass", 0,
		0, "what peer_asked answers", .choices = verdicts),
	RELAY_OPT(struct conf, watches, bool, "watches", RELAY_BOOL, "yes", 0,
		0, "whether it gets answers"),
	RELAY_OPT_END};

static const char *const ends[] = {[REMOTE_INVITED] = "invited",
	[REMOTE_ABSENT] = "absent",
	[REMOTE_REFUSED] = "refused",
	[REMOTE_CLOSED] = "closed",
	[REMOTE_FULL] = "full",
	[REMOTE_ERROR] = "error"};

static const char *hex_of(const uint8_t *bytes, size_t len, char *out)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < len; i++) {
		out[2 * i] = digits[bytes[i] >> 4];
		out[2 * i + 1] = digits[bytes[i] & 15];
	}
	out[2 * len] = '\0';
	return out;
}

static size_t read_hex(const char *text, uint8_t *out, size_t most)
{
	size_t len = strlen(text) / 2;
	char pair[3] = "";

	for (size_t i = 0; i < len && i < most; i++) {
		memcpy(pair, text + 2 * i, 2);
		out[i] = (uint8_t)strtoul(pair, NULL, 16);
	}
	return len < most ? len : most;
}

/* IPv4, IPv6, or anything else for an unknown one. */
static void read_address(const char *text, struct sockaddr_storage *out)
{
	struct sockaddr_in6 *v6 = (void *)out;
	struct sockaddr_in *v4 = (void *)out;

	memset(out, 0, sizeof(*out));
	if (inet_pton(AF_INET, text, &v4->sin_addr) == 1)
		out->ss_family = AF_INET;
	else if (inet_pton(AF_INET6, text, &v6->sin6_addr) == 1)
		out->ss_family = AF_INET6;
}

/* What it is told. */

static void on_answer(struct relay_ctx *cx, const void *arg)
{
	const struct remote_answer *answer = arg;
	char key[HEX];

	relay_log(cx, RELAY_NOTICE, "answer %" PRIu64 ": %s %s", answer->number,
		ends[answer->end], hex_of(answer->key, 32, key));
}

static void on_probed(struct relay_ctx *cx, const void *arg)
{
	const struct remote_conn *conn = arg;
	char id[HEX];

	relay_log(cx, RELAY_NOTICE, "probed %" PRIu64 ": %s %d %" PRIu64 " %s",
		conn->number, hex_of(conn->id, 32, id), conn->worker,
		conn->conn, conn->alive ? "lives" : "is silent");
}

static void tell(
	struct relay_ctx *cx, const struct relay_conn *conn, const char *what)
{
	char id[HEX];

	relay_log(cx, RELAY_NOTICE, "%s %s %d %" PRIu64, what,
		hex_of(relay_conn_peer(conn), 32, id), cx->worker,
		relay_conn_id(conn));
}

static void peer_joined(struct relay_ctx *cx, struct relay_conn *conn)
{
	tell(cx, conn, "joined");
}

static void peer_left(struct relay_ctx *cx, struct relay_conn *conn)
{
	tell(cx, conn, "left");
}

static enum relay_verdict peer_asked(struct relay_ctx *cx,
	const struct relay_asker *asker, const uint8_t *target,
	struct relay_denial *why)
{
	static const enum relay_verdict answers[] = {
		RELAY_PASS, RELAY_DENY, RELAY_WAIT};
	const struct conf *conf = cx->conf;
	char id[HEX], other[HEX];

	relay_log(cx, RELAY_NOTICE, "asked by %s for %s",
		hex_of(asker->id, 32, id), hex_of(target, 32, other));
	why->word = "far";
	return answers[conf->asked];
}

/* What it does. */

struct command {
	struct relay_ctx *cx, *self;
	const struct relay_remote_service *service;
	char *word[WORDS];
	struct evbuffer *out;
};

static void read_ask(const struct command *command, struct remote_ask *out)
{
	out->number = strtoull(command->word[1], NULL, 10);
	(void)read_hex(command->word[2], out->asker, sizeof(out->asker));
	(void)read_hex(command->word[3], out->target, sizeof(out->target));
	read_address(command->word[4], &out->from);
}

static void read_conn(const struct command *command, struct remote_conn *out)
{
	*out = (struct remote_conn){.number = 0};
	out->number = strtoull(command->word[1], NULL, 10);
	(void)read_hex(command->word[2], out->id, sizeof(out->id));
	out->worker = (int)strtol(command->word[3], NULL, 10);
	out->conn = strtoull(command->word[4], NULL, 10);
	out->alive = strcmp(command->word[5], "alive") == 0;
}

static int invite(struct command *command)
{
	struct remote_ask ask;

	read_ask(command, &ask);
	return command->service->invite(
		command->self, command->cx, on_answer, &ask);
}

/* "-": there is none of that family.  Port and key follow both places. */
static void read_place(const struct command *command, int word, int family,
	struct relay_found *out)
{
	*out = (struct relay_found){.address_len = family == AF_INET ? 4 : 16};
	if (inet_pton(family, command->word[word], out->address) != 1)
		return;
	out->port = (uint16_t)strtoul(command->word[7], NULL, 10);
	out->key_len =
		(uint8_t)read_hex(command->word[8], out->key, sizeof(out->key));
}

static int elsewhere(struct command *command)
{
	struct relay_found found[2] = {{.address_len = 0}};
	struct remote_ask ask;

	read_ask(command, &ask);
	read_place(command, 5, AF_INET, &found[0]);
	read_place(command, 6, AF_INET6, &found[1]);
	return command->service->invite_elsewhere(
		command->self, command->cx, on_answer, &ask, found);
}

static int prepare(struct command *command)
{
	uint8_t key[2][32] = {{0}};
	struct remote_ask ask;
	char text[2][HEX];

	read_ask(command, &ask);
	evbuffer_add_printf(command->out, "%s ",
		ends[command->service->prepare(command->self, &ask, key)]);
	evbuffer_add_printf(command->out, "%s %s\n",
		hex_of(key[0], 32, text[0]), hex_of(key[1], 32, text[1]));
	return 0;
}

static int probe(struct command *command)
{
	struct remote_conn conn;

	read_conn(command, &conn);
	return command->service->probe(
		command->self, command->cx, on_probed, &conn);
}

static int end(struct command *command)
{
	struct remote_conn conn;

	read_conn(command, &conn);
	return command->service->end(command->self, &conn);
}

static void list(const struct remote_conn *conn, void *arg)
{
	char id[HEX];

	evbuffer_add_printf(arg, "%s %d %" PRIu64 "\n",
		hex_of(conn->id, 32, id), conn->worker, conn->conn);
}

static int each(struct command *command)
{
	return command->service->each(command->self, list, command->out);
}

static int told(struct command *command)
{
	bool v6 = strcmp(command->word[1], "6") == 0;
	struct sockaddr_storage at;
	const struct sockaddr_in6 *in6 = (const void *)&at;
	const struct sockaddr_in *in4 = (const void *)&at;
	char text[INET6_ADDRSTRLEN] = "";

	if (command->service->told(
		    command->self, v6 ? AF_INET6 : AF_INET, &at) != 0)
		return -1;
	(void)inet_ntop(at.ss_family,
		v6 ? (const void *)&in6->sin6_addr
		   : (const void *)&in4->sin_addr,
		text, sizeof(text));
	evbuffer_add_printf(command->out, "%s %d\n", text,
		ntohs(v6 ? in6->sin6_port : in4->sin_port));
	return 0;
}

static int derive(struct command *command)
{
	size_t len = strtoul(command->word[2], NULL, 10);
	uint8_t secret[MOST_LEN];
	char text[2 * MOST_LEN + 1];

	if (relay_derive_key(command->cx, command->word[1], secret, len) != 0)
		return -1;
	evbuffer_add_printf(command->out, "%s\n", hex_of(secret, len, text));
	return 0;
}

static int unwatch(struct command *command)
{
	command->service->unwatch(command->self, command->cx);
	return 0;
}

static const struct {
	const char *word;
	int (*run)(struct command *command);
} commands[] = {
	{"invite", invite},
	{"elsewhere", elsewhere},
	{"prepare", prepare},
	{"probe", probe},
	{"end", end},
	{"each", each},
	{"told", told},
	{"derive", derive},
	{"unwatch", unwatch},
};

static void page(struct relay_ctx *cx, struct relay_http *http)
{
	struct command command = {.cx = cx, .out = http->body};
	char query[1024], *rest = query;

	(void)snprintf(
		query, sizeof(query), "%s", http->query ? http->query : "");
	for (size_t i = 0; i < WORDS; i++) {
		command.word[i] = strsep(&rest, ",");
		if (!command.word[i])
			command.word[i] = query + strlen(query);
	}
	command.service = relay_service_find(cx, RELAY_REMOTE_SERVICE,
		RELAY_REMOTE_SERVICE_VERSION, &command.self);
	http->status = 404;
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strcmp(commands[i].word, command.word[0]) == 0)
			http->status =
				commands[i].run(&command) == 0 ? 200 : 409;
}

static int init(struct relay_ctx *cx, struct relay_err *err)
{
	return relay_http_route(cx, "/far-asker", page) == 0
		       ? 0
		       : relay_fail(err, "the route is taken");
}

static void ready(struct relay_ctx *cx)
{
	const struct relay_remote_service *service;
	const struct conf *conf = cx->conf;
	struct relay_ctx *self;

	service = relay_service_find(
		cx, RELAY_REMOTE_SERVICE, RELAY_REMOTE_SERVICE_VERSION, &self);
	if (conf->watches && service && service->watch(self, cx) != 0)
		relay_log(cx, RELAY_ERROR, "too many watch");
}

static void stop(struct relay_ctx *cx)
{
	const struct relay_remote_service *service;
	struct relay_ctx *self;

	service = relay_service_find(
		cx, RELAY_REMOTE_SERVICE, RELAY_REMOTE_SERVICE_VERSION, &self);
	if (service)
		service->unwatch(self, cx);
}

RELAY_MODULE = {
	RELAY_MODULE_INFO("far-asker", "1", "plays another relay"),
	.options = options,
	.flags = RELAY_CONFINED,
	.conf_size = sizeof(struct conf),
	.init = init,
	.ready = ready,
	.stop = stop,
	.hooks =
		{
			.peer_joined = peer_joined,
			.peer_left = peer_left,
			.peer_asked = peer_asked,
		},
};
