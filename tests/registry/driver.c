/* SPDX-License-Identifier: MPL-2.0 */

/*
 * driver.c - registries in Redis, steered by lines.
 *
 * Each line of the standard input begins with a command and the name of a
 * registry, which is one letter; each event is a line of the standard output.
 * IDs and messages are texts.
 */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>

#include "cluster/redis/redis_registry.h"

#define WORDS 16

static struct event_base *base;
static struct redis_registry *registries[256];
static char names[256];

static void say(void *arg, const char *what)
{
	printf("%c %s\n", *(const char *)arg, what);
	(void)fflush(stdout);
}

static const char *id_text(const uint8_t *id, char text[REGISTRY_ID + 1])
{
	memcpy(text, id, REGISTRY_ID);
	text[REGISTRY_ID] = '\0';
	return text;
}

static void claimed(void *arg, const uint8_t *id, const struct owner *before,
	const struct owner *now)
{
	char line[256], text[REGISTRY_ID + 1];

	(void)snprintf(line, sizeof(line),
		"claimed %s %" PRIu64 ":%" PRIu64 " %" PRIu64 ":%" PRIu64,
		id_text(id, text), before->incarnation, before->epoch,
		now->incarnation, now->epoch);
	say(arg, line);
}

static void found(void *arg, uint64_t number, enum find_end end)
{
	static const char *const ends[] = {
		[FIND_SENT] = "sent",
		[FIND_OURS] = "ours",
		[FIND_NOBODY] = "nobody",
		[FIND_UNKNOWN] = "unknown",
	};
	char line[64];

	(void)snprintf(
		line, sizeof(line), "found %" PRIu64 " %s", number, ends[end]);
	say(arg, line);
}

static void received(void *arg, const uint8_t *bytes, size_t len)
{
	printf("%c received %.*s\n", *(const char *)arg, (int)len,
		(const char *)bytes);
	(void)fflush(stdout);
}

static void identified(void *arg, const uint8_t *id)
{
	char line[64], text[REGISTRY_ID + 1];

	(void)snprintf(line, sizeof(line), "identified %s", id_text(id, text));
	say(arg, line);
}

/* When that was, in milliseconds of some clock. */
static void say_when(void *arg)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	printf("%c at %" PRId64 "\n", *(const char *)arg,
		(int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000);
	(void)fflush(stdout);
}

static void back(void *arg, bool whole)
{
	say(arg, whole ? "back whole" : "back");
	say_when(arg);
}

static void away(void *arg, const char *why)
{
	printf("%c away %s\n", *(const char *)arg, why);
	say_when(arg);
}

static void log_line(void *arg, int level, const char *text)
{
	printf("%c log %d %s\n", *(const char *)arg, level, text);
	(void)fflush(stdout);
}

static const struct registry_calls calls = {
	.claimed = claimed,
	.found = found,
	.received = received,
	.identified = identified,
	.back = back,
	.away = away,
};

/* The value of a word "NAME=VALUE"; NULL: it is not there. */
static char *value(char **words, const char *name)
{
	size_t len = strlen(name);

	for (; *words; words++)
		if (strncmp(*words, name, len) == 0 && (*words)[len] == '=')
			return *words + len + 1;
	return NULL;
}

static int64_t number(char **words, const char *name)
{
	const char *text = value(words, name);

	return text ? strtoll(text, NULL, 10) : 0;
}

/* "server=A,B" and the other settings. */
static void open_one(unsigned char name, char **words)
{
	const char *servers[20] = {NULL};
	char *list = value(words, "server"), *rest = NULL;
	struct redis_settings settings = {
		.servers = servers,
		.master = value(words, "master"),
		.user = value(words, "user"),
		.password = value(words, "password"),
		.database = number(words, "database"),
		.tls = value(words, "tls") != NULL,
		.ca_file = value(words, "ca"),
		.name = value(words, "name"),
		.incarnation = strtoull(words[2], NULL, 10),
		.connect_ms = number(words, "connect"),
		.answer_ms = number(words, "answer"),
		.log = log_line,
	};
	struct relay_err err;
	size_t count = 0;

	for (char *at = list ? strtok_r(list, ",", &rest) : NULL;
		at && count < 19; at = strtok_r(NULL, ",", &rest))
		servers[count++] = at;
	if (!settings.name)
		settings.name = "test";
	names[name] = (char)name;
	registries[name] = redis_registry_open(
		base, &settings, &calls, &names[name], &err);
	if (!registries[name])
		printf("%c error %s\n", name, err.text);
	else
		printf("%c opened\n", name);
}

static void show_counts(unsigned char name)
{
	struct redis_counts n;

	redis_registry_counts(registries[name], &n);
	printf("%c counts commands=%" PRIu64 " type=%" PRIu64 " memory=%" PRIu64
	       " rights=%" PRIu64 " moved=%" PRIu64 " script=%" PRIu64
	       " busy=%" PRIu64 " reply=%" PRIu64 " other=%" PRIu64
	       " unanswered=%" PRIu64 " refused=%" PRIu64 " messages=%" PRIu64
	       " connects=%" PRIu64 " slow=%" PRIu64 " waiting=%" PRIu64
	       " rtt=%" PRId64 " mean=%" PRId64 "\n",
		name, n.commands, n.faults[0], n.faults[1], n.faults[2],
		n.faults[3], n.faults[4], n.faults[5], n.faults[6], n.faults[7],
		n.unanswered, n.refused, n.messages, n.connects, n.slow,
		n.waiting, n.rtt_us, n.rtt_mean_us);
}

static void pad(const char *text, uint8_t id[REGISTRY_ID])
{
	memset(id, '.', REGISTRY_ID);
	memcpy(id, text, strnlen(text, REGISTRY_ID));
}

static int request(struct redis_registry *registry, char **words)
{
	const struct registry_ops *ops = &redis_registry_ops;
	const char *command = words[0], *text = words[2] ? words[2] : "";
	const char *more = words[2] && words[3] ? words[3] : "";
	const char *last = *more && words[4] ? words[4] : "";
	static uint64_t serial;
	uint8_t id[REGISTRY_ID];

	pad(text, id);
	if (strcmp(command, "join") == 0 || strcmp(command, "check") == 0)
		return ops->claim(registry, id,
			command[0] == 'j' ? CLAIM_JOIN : CLAIM_CHECK,
			strtoull(more, NULL, 10),
			*last ? strtoull(last, NULL, 10) : ++serial);
	if (strcmp(command, "release") == 0)
		return ops->release(registry, id,
			*more ? strtoull(more, NULL, 10) : serial);
	if (strcmp(command, "find") == 0)
		return ops->find(registry, id, strtoull(more, NULL, 10),
			(const uint8_t *)last, strlen(last));
	if (strcmp(command, "send") == 0)
		return ops->send(registry, strtoull(text, NULL, 10),
			(const uint8_t *)more, strlen(more));
	if (strcmp(command, "lease") == 0)
		return ops->lease(registry, (const uint8_t *)text, strlen(text),
			strtoll(more, NULL, 10));
	if (strcmp(command, "lease_end") == 0)
		return ops->lease_end(registry);
	if (strcmp(command, "lease_all") == 0)
		return ops->lease_all(registry);
	return ops->identify(registry, id);
}

/* "joins NAME FROM COUNT": devices with numbers, in one turn. */
static int joins(struct redis_registry *registry, char **words)
{
	int taken = 0;
	long from = strtol(words[2], NULL, 10);

	for (long i = 0; i < strtol(words[3], NULL, 10); i++) {
		char text[32];
		uint8_t id[REGISTRY_ID];

		(void)snprintf(text, sizeof(text), "%ld", from + i);
		pad(text, id);
		if (redis_registry_ops.claim(registry, id, CLAIM_JOIN, 0, 1) ==
			0)
			taken++;
	}
	return taken;
}

static void act(char *line)
{
	char *words[WORDS + 1] = {NULL}, *rest = NULL;
	size_t count = 0;
	unsigned char name;

	for (char *at = strtok_r(line, " ", &rest); at && count < WORDS;
		at = strtok_r(NULL, " ", &rest))
		words[count++] = at;
	if (count < 2)
		return;
	name = (unsigned char)words[1][0];
	if (strcmp(words[0], "open") == 0 && count > 2) {
		open_one(name, words);
	} else if (strcmp(words[0], "close") == 0) {
		redis_registry_close(registries[name]);
		registries[name] = NULL;
		printf("%c closed\n", name);
	} else if (strcmp(words[0], "counts") == 0) {
		show_counts(name);
	} else if (strcmp(words[0], "joins") == 0 && count == 4) {
		printf("%c joins %d\n", name, joins(registries[name], words));
	} else {
		printf("%c %s %d\n", name, words[0],
			request(registries[name], words));
	}
	(void)fflush(stdout);
}

static void can_read(evutil_socket_t fd, short what, void *arg)
{
	static char text[65536];
	static size_t len;
	ssize_t got = read(fd, text + len, sizeof(text) - 1 - len);
	char *end;

	(void)what;
	(void)arg;
	if (got <= 0) {
		(void)event_base_loopbreak(base);
		return;
	}
	len += (size_t)got;
	text[len] = '\0';
	while ((end = memchr(text, '\n', len)) != NULL) {
		size_t used = (size_t)(end - text) + 1;

		*end = '\0';
		act(text);
		memmove(text, text + used, len - used);
		len -= used;
	}
}

int main(void)
{
	struct event *input;

	base = event_base_new();
	if (!base)
		return 1;
	input = event_new(
		base, STDIN_FILENO, EV_READ | EV_PERSIST, can_read, NULL);
	if (!input || event_add(input, NULL) != 0)
		return 1;
	(void)event_base_dispatch(base);
	for (size_t i = 0; i < 256; i++)
		redis_registry_close(registries[i]);
	event_free(input);
	event_base_free(base);
	return 0;
}
