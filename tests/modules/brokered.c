/* SPDX-License-Identifier: MPL-2.0 */

/* brokered: an engine for the registry of the module cluster.  A broker keeps
 * what all nodes share; it is reached by a Unix socket, and each packet is one
 * request, answer or message.  Answers come in the order of requests. */

#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <strelaysrv/module.h>

#include "cluster/registry.h"

#define PENDING_MOST 1024
#define NAME_LEN     16

struct conf {
	const char *socket;
};

/* As tests/integration/tools/registry_broker.py has it; no padding. */
struct packet {
	uint8_t kind;
	uint8_t how;
	uint8_t len[2]; /* of two parts of bytes */
	uint32_t for_ms;
	uint64_t number, serial;
	uint8_t id[REGISTRY_ID];
	uint8_t bytes[REGISTRY_MESSAGE];
};

#define HEAD offsetof(struct packet, bytes)

/* What the broker has not answered yet. */
struct pending {
	uint8_t kind;
	unsigned table;
	uint64_t number;
	uint8_t id[REGISTRY_ID];
};

struct broker {
	struct registry_calls calls;
	void *arg;
	char path[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
	char cluster[NAME_LEN];
	uint64_t incarnation;
	int fd; /* -1: it is away */
	struct event_base *base;
	struct event *input, *again;
	struct pending pending[PENDING_MOST];
	size_t first, count;
	bool told_away;
};

static void unanswered(struct broker *broker, const struct pending *what)
{
	static const struct owner nobody;
	const struct registry_row row = {.key = what->id};
	const struct registry_page page = {.answered = false};

	if (what->kind == 'C')
		broker->calls.claimed(broker->arg, what->id, &nobody, &nobody);
	else if (what->kind == 'F')
		broker->calls.found(broker->arg, what->number, FIND_UNKNOWN);
	else if (what->kind == 'P')
		broker->calls.row_stored(broker->arg, what->table, &row);
	else if (what->kind == 'G')
		broker->calls.rows_over(broker->arg, what->table, &page);
}

static struct pending take(struct broker *broker)
{
	struct pending what = broker->pending[broker->first];

	broker->first = (broker->first + 1) % PENDING_MOST;
	broker->count--;
	return what;
}

static void lost(struct broker *broker, const char *why)
{
	if (broker->input)
		event_free(broker->input);
	broker->input = NULL;
	if (broker->fd >= 0)
		(void)close(broker->fd);
	broker->fd = -1;
	while (broker->count) {
		struct pending what = take(broker);

		unanswered(broker, &what);
	}
	if (!broker->told_away)
		broker->calls.away(broker->arg, why);
	broker->told_away = true;
}

/* -1: it is away, or has no room; what is wrong is seen when it is read. */
static int put(struct broker *broker, const struct packet *packet, size_t len)
{
	if (broker->fd < 0 || len > REGISTRY_MESSAGE ||
		send(broker->fd, packet, HEAD + len,
			MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		return -1;
	return 0;
}

static int ask(struct broker *broker, const struct packet *packet, size_t len,
	unsigned table)
{
	struct pending *place;

	if (broker->count == PENDING_MOST || put(broker, packet, len) != 0)
		return -1;
	place = &broker->pending[(broker->first + broker->count++) %
				 PENDING_MOST];
	place->kind = packet->kind;
	place->table = table;
	place->number = packet->number;
	memcpy(place->id, packet->id, REGISTRY_ID);
	return 0;
}

static void answered(struct broker *broker, const struct packet *packet,
	const struct pending *what, size_t len)
{
	const struct owner before = {packet->number, packet->serial};
	const struct registry_row row = {packet->id, packet->bytes, len};
	const struct registry_page page = {.answered = true,
		.more = packet->how,
		.next = packet->number,
		.last = packet->serial};
	struct owner now;

	if (what->kind == 'C' && len == sizeof(now)) {
		memcpy(&now, packet->bytes, sizeof(now));
		broker->calls.claimed(broker->arg, what->id, &before, &now);
	} else if (what->kind == 'F')
		broker->calls.found(broker->arg, what->number, packet->how);
	else if (what->kind == 'P')
		broker->calls.row_stored(broker->arg, what->table, &row);
	else if (what->kind == 'G')
		broker->calls.rows_over(broker->arg, what->table, &page);
}

static void came(struct broker *broker, const struct packet *packet, size_t len)
{
	const struct registry_row row = {packet->id, packet->bytes, len};
	struct pending what;

	if (packet->kind == 'M')
		broker->calls.received(broker->arg, packet->bytes, len);
	else if (packet->kind == 'I')
		broker->calls.identified(broker->arg, packet->id);
	else if (packet->kind == 'H') {
		broker->told_away = false;
		broker->calls.back(broker->arg, packet->how);
	} else if (broker->count == 0)
		lost(broker, "it answers what was not asked");
	else if (packet->kind == 'r')
		broker->calls.row_came(broker->arg,
			broker->pending[broker->first].table, &row);
	else {
		what = take(broker);
		answered(broker, packet, &what, len);
	}
}

static void readable(evutil_socket_t fd, short events, void *arg)
{
	struct broker *broker = arg;
	struct packet packet;
	ssize_t len;

	(void)events;
	for (int i = 0; i < 64 && broker->fd == fd; i++) {
		len = recv(fd, &packet, sizeof(packet), MSG_DONTWAIT);
		if (len < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (len < (ssize_t)HEAD)
			lost(broker, "the broker is gone");
		else
			came(broker, &packet, (size_t)len - HEAD);
	}
}

static int greet(struct broker *broker)
{
	struct packet hello = {.kind = 'H', .number = broker->incarnation};
	struct sockaddr_un at = {.sun_family = AF_UNIX};

	memcpy(at.sun_path, broker->path, sizeof(at.sun_path));
	memcpy(hello.bytes, broker->cluster, NAME_LEN);
	if (connect(broker->fd, (struct sockaddr *)&at, sizeof(at)) != 0 ||
		put(broker, &hello, NAME_LEN) != 0)
		return -1;
	broker->input = event_new(broker->base, broker->fd,
		EV_READ | EV_PERSIST, readable, broker);
	return broker->input && event_add(broker->input, NULL) == 0 ? 0 : -1;
}

static void try_again(evutil_socket_t fd, short events, void *arg)
{
	struct broker *broker = arg;

	(void)fd;
	(void)events;
	if (broker->fd >= 0)
		return;
	broker->fd = socket(
		AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (broker->fd < 0 || greet(broker) != 0)
		lost(broker, "nobody answers at the socket");
}

static void close_it(void *self)
{
	struct broker *broker = self;

	if (broker->input)
		event_free(broker->input);
	if (broker->again)
		event_free(broker->again);
	if (broker->fd >= 0)
		(void)close(broker->fd);
	free(broker);
}

static void *open_it(struct relay_ctx *self, const char *cluster,
	uint64_t incarnation, const struct registry_calls *calls, void *arg,
	struct relay_err *err)
{
	const struct conf *conf = self->conf;
	const struct timeval soon = {.tv_usec = 50000};
	struct broker *broker = calloc(1, sizeof(*broker));

	if (broker) {
		broker->calls = *calls;
		broker->arg = arg;
		broker->fd = -1;
		broker->incarnation = incarnation;
		broker->base = relay_event_base(self);
		(void)snprintf(
			broker->path, sizeof(broker->path), "%s", conf->socket);
		(void)snprintf(broker->cluster, NAME_LEN, "%s", cluster);
		broker->again = event_new(
			broker->base, -1, EV_PERSIST, try_again, broker);
		if (broker->again && event_add(broker->again, &soon) == 0)
			return broker;
		close_it(broker);
	}
	relay_fail(err, "out of memory");
	return NULL;
}

static int claim(void *self, const uint8_t id[REGISTRY_ID], enum claim_how how,
	uint64_t epoch, uint64_t serial)
{
	struct packet packet = {.kind = 'C',
		.how = (uint8_t)how,
		.number = epoch,
		.serial = serial};

	memcpy(packet.id, id, REGISTRY_ID);
	return ask(self, &packet, 0, 0);
}

static int release(void *self, const uint8_t id[REGISTRY_ID], uint64_t serial)
{
	struct packet packet = {.kind = 'R', .serial = serial};

	memcpy(packet.id, id, REGISTRY_ID);
	return put(self, &packet, 0);
}

static int with_bytes(struct packet *packet, const uint8_t *bytes, size_t len)
{
	if (len > sizeof(packet->bytes))
		return -1;
	memcpy(packet->bytes, bytes, len);
	return 0;
}

static int find(void *self, const uint8_t id[REGISTRY_ID], uint64_t number,
	const uint8_t *message, size_t len)
{
	struct packet packet = {.kind = 'F', .number = number};

	memcpy(packet.id, id, REGISTRY_ID);
	return with_bytes(&packet, message, len) == 0
		       ? ask(self, &packet, len, 0)
		       : -1;
}

static int send_to(
	void *self, uint64_t incarnation, const uint8_t *message, size_t len)
{
	struct packet packet = {.kind = 'S', .number = incarnation};

	return with_bytes(&packet, message, len) == 0 ? put(self, &packet, len)
						      : -1;
}

static int lease(void *self, const uint8_t *bytes, size_t len, int64_t for_ms)
{
	struct packet packet = {.kind = 'L', .for_ms = (uint32_t)for_ms};

	return with_bytes(&packet, bytes, len) == 0 ? put(self, &packet, len)
						    : -1;
}

static int lease_end(void *self)
{
	const struct packet packet = {.kind = 'E'};

	return put(self, &packet, 0);
}

static int lease_all(void *self)
{
	const struct packet packet = {.kind = 'A'};

	return put(self, &packet, 0);
}

static int identify(void *self, const uint8_t id[REGISTRY_ID])
{
	struct packet packet = {.kind = 'I'};

	memcpy(packet.id, id, REGISTRY_ID);
	return put(self, &packet, 0);
}

/* The table's name, the row, and what it may replace.  Returns the length. */
static size_t fill(struct packet *packet, const struct registry_table *table,
	const struct registry_row *row, const struct registry_row *instead)
{
	uint8_t *to = packet->bytes + NAME_LEN;

	(void)snprintf((char *)packet->bytes, NAME_LEN, "%s", table->name);
	memcpy(packet->id, row->key, REGISTRY_ID);
	packet->len[0] = (uint8_t)row->len;
	memcpy(to, row->bytes, row->len);
	to += row->len;
	if (instead) {
		packet->len[1] = (uint8_t)instead->len;
		memcpy(to, instead->bytes, instead->len);
		to += instead->len;
	}
	return (size_t)(to - packet->bytes);
}

static int row_put(void *self, const struct registry_table *table,
	const struct registry_row *row, const struct registry_row *instead)
{
	struct packet packet = {.kind = 'P'};
	size_t len = fill(&packet, table, row, instead);

	return ask(self, &packet, len, table->number);
}

static int row_drop(void *self, const struct registry_table *table,
	const struct registry_row *row)
{
	struct packet packet = {.kind = 'D'};
	size_t len = fill(&packet, table, row, NULL);

	return put(self, &packet, len);
}

static int rows(void *self, const struct registry_table *table, uint64_t since)
{
	struct packet packet = {.kind = 'G', .number = since};

	(void)snprintf((char *)packet.bytes, NAME_LEN, "%s", table->name);
	return ask(self, &packet, NAME_LEN, table->number);
}

static const struct registry_ops ops = {
	.claim = claim,
	.release = release,
	.find = find,
	.send = send_to,
	.lease = lease,
	.lease_end = lease_end,
	.lease_all = lease_all,
	.identify = identify,
	.row_put = row_put,
	.row_drop = row_drop,
	.rows = rows,
};

static const struct registry_service service = {
	.open = open_it,
	.close = close_it,
	.ops = &ops,
};

static const struct relay_option options[] = {
	RELAY_OPT(struct conf, socket, const char *, "socket", RELAY_STRING,
		"registry", 1, 100, "the Unix socket of the broker"),
	RELAY_OPT_END,
};

static int init(struct relay_ctx *cx, struct relay_err *err)
{
	if (relay_service_publish(cx, REGISTRY_SERVICE,
		    REGISTRY_SERVICE_VERSION, &service) != 0)
		return relay_fail(err, "the service is there already");
	return 0;
}

RELAY_MODULE = {
	RELAY_MODULE_INFO("brokered", "1", "a registry that a broker keeps"),
	.options = options,
	.flags = RELAY_ESSENTIAL,
	.conf_size = sizeof(struct conf),
	.init = init,
};
