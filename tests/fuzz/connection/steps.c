/* SPDX-License-Identifier: MPL-2.0 */

/* The steps that an input consists of. */

#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "client.h"
#include "configurations.h"
#include "devices.h"
#include "peers/conn_import.h"
#include "relay.h"
#include "sim.h"
#include "steps.h"

/* Nothing is handled after this step, and after the next one. */
static bool held, hold_next;
/* There was a reload or a drain in this input. */
static bool changed;

static unsigned next(struct program *program)
{
	return program->at < program->len ? program->data[program->at++] : 0;
}

/* For so many rounds, buffers may be smaller than this. */
#define SMALL_ROUNDS 64
#define SMALL        4096

/* Enough sides of sessions; more would only cost time. */
#define PAIRED_MOST 8

enum which { ANY, TLS, PLAIN, PAIRED };

static bool is(const struct client *client, enum which which)
{
	if (!client->tcp || client->gone)
		return false;
	if (which == PAIRED)
		return !client->ssl && sides[client->side].success;
	return which == ANY || (which == TLS) == (client->ssl != NULL);
}

/* One of the clients of that kind; NULL: there is none. */
static struct client *pick(unsigned n, enum which which)
{
	unsigned count = 0;

	for (struct client *c = clients; c < clients + CLIENTS; c++)
		count += is(c, which);
	if (!count)
		return NULL;
	n %= count;
	for (struct client *c = clients; c < clients + CLIENTS; c++)
		if (is(c, which) && n-- == 0)
			return c;
	return NULL;
}

static struct client *pick_next(struct program *program, enum which which)
{
	return pick(next(program), which);
}

/* 0 to 1 MiB, small numbers most often. */
static size_t next_size(struct program *program)
{
	unsigned code = next(program);
	size_t power = (size_t)1 << code % 20;

	return code < 20 ? power : power + power * (code / 20) / 13 - 1;
}

/* Messages to the server. */

static void send_frame(struct client *client, const uint8_t *frame, size_t len)
{
	client_send(client, frame, len);
}

static void join(struct client *client, unsigned token)
{
	static const char *const tokens[] = {"abc", "", "wrong"};
	const char *text = tokens[token % 3];
	uint8_t frame[FRAME_MAX];

	send_frame(client, frame,
		frame_write_join_relay(
			frame, sizeof(frame), text, strlen(text)));
}

static void ask(struct client *client, unsigned device)
{
	static const uint8_t nobody[32] = {1};
	uint8_t frame[FRAME_OPAQUE_SIZE];

	send_frame(client, frame,
		frame_write_connect(frame, sizeof(frame),
			device % (DEVICES + 1) == DEVICES
				? nobody
				: device_id((int)(device % (DEVICES + 1))),
			32));
}

/* The invitation that came as the n-th from the last; or an unknown key. */
static size_t key_frame(uint8_t frame[FRAME_OPAQUE_SIZE], unsigned back)
{
	static const struct invitation unknown = {.key = {7}, .len = 32};
	const struct invitation *use = &unknown;

	if (back < invitation_count && back < INVITATIONS)
		use = &invitations[(invitation_count - 1 - back) % INVITATIONS];
	return frame_write_join_session(
		frame, FRAME_OPAQUE_SIZE, use->key, use->len);
}

static void join_session(struct client *client, unsigned back)
{
	uint8_t frame[FRAME_OPAQUE_SIZE];

	sides[client->side].key = true;
	send_frame(client, frame, key_frame(frame, back));
}

/* The steps. */

static void do_connect(struct program *program)
{
	unsigned how = next(program);
	struct client *client = client_connect(how & 1, how >> 1 & 7);

	if (client)
		client->tcp->eager = !(how & 16);
}

static void do_tls(struct program *program)
{
	struct client *client = pick_next(program, PLAIN);
	unsigned device = next(program);

	if (client && sides[client->side].raw == 0)
		client_tls(client, (int)(device % (DEVICES + 1)));
}

static struct client *device(unsigned how, unsigned which)
{
	struct client *client = client_connect(how & 1, how >> 1 & 7);

	if (!client)
		return NULL;
	client_tls(client, (int)(which % DEVICES));
	steps_settle();
	return is(client, TLS) ? client : NULL;
}

static void do_device(struct program *program)
{
	unsigned how = next(program);
	struct client *client = device(how, how >> 4);

	if (client)
		join(client, 0);
}

static void do_join(struct program *program)
{
	struct client *client = pick_next(program, TLS);

	if (client)
		join(client, next(program));
}

static void do_ask(struct program *program)
{
	struct client *client = pick_next(program, TLS);

	if (client)
		ask(client, next(program));
}

static void do_join_session(struct program *program)
{
	struct client *client = pick_next(program, PLAIN);

	if (client)
		join_session(client, next(program));
}

static struct client *joined(unsigned which)
{
	struct client *found = NULL;

	for (struct client *c = clients; c < clients + CLIENTS; c++)
		if (is(c, TLS) && c->up && c->device == (int)which)
			found = c;
	return found;
}

/* All that is needed for a session: a device that has joined, a request by
 * another one, and both sides. */
static void do_session(struct program *program)
{
	unsigned how = next(program), workers = next(program);
	unsigned one = how % DEVICES, other = (how / DEVICES) % DEVICES;
	unsigned before, paired = 0;
	struct client *client = joined(other);

	for (struct client *c = clients; c < clients + CLIENTS; c++)
		paired += is(c, PAIRED);
	if (paired >= PAIRED_MOST)
		return;

	if (!client) {
		client = device(workers, other);
		if (!client)
			return;
		join(client, 0);
		steps_settle();
	}
	before = invitation_count;
	client = device(workers, one);
	if (!client)
		return;
	ask(client, other);
	steps_settle();
	client_close(client);
	for (unsigned i = 0; i < 2 && invitation_count == before + 2; i++) {
		client = client_connect(workers >> (4 + i) & 1, workers & 7);
		if (client)
			join_session(client, i ^ (workers >> 6 & 1));
		if (workers & 128)
			steps_settle();
	}
}

static void do_payload(struct program *program)
{
	struct client *client = pick_next(program, PAIRED);
	size_t size = next_size(program);

	if (client && client->tcp->up.len + size < 8 << 20)
		client_payload(client, size);
}

static void do_take(struct program *program)
{
	struct client *client = pick_next(program, ANY);
	size_t size = next_size(program);

	if (client)
		client_take(client, size);
}

static void do_sleep(struct program *program)
{
	struct client *client = pick_next(program, ANY);

	if (client)
		client->asleep = !client->asleep;
}

static void do_shut(struct program *program)
{
	struct client *client = pick_next(program, ANY);

	if (client)
		client_shutdown(client);
}

static void do_close(struct program *program)
{
	struct client *client = pick_next(program, ANY);

	if (client)
		client_close(client);
}

static void do_reset(struct program *program)
{
	struct client *client = pick_next(program, ANY);

	if (client)
		client_reset(client);
}

static void do_deliver(struct program *program)
{
	struct client *client = pick_next(program, ANY);
	size_t size = next_size(program);

	if (client)
		sim_deliver(client->tcp, size);
}

static void do_eager(struct program *program)
{
	struct client *client = pick_next(program, ANY);

	if (!client)
		return;
	client->tcp->eager = !client->tcp->eager;
	if (client->tcp->eager)
		sim_deliver(client->tcp, SIZE_MAX);
}

static void do_wait(struct program *program)
{
	static const int64_t times[] = {1, 2, 5, 10, 50, 100, 300, 500, 1000,
		1500, 2000, 3000, 5000, 10000, 30000, 60000};

	relay_wait(times[next(program) % 16]);
}

static void do_fail(struct program *program)
{
	static const int errors[] = {EAGAIN, EINTR, ECONNRESET, EPIPE, ENOMEM,
		ENOBUFS, EINVAL, EPERM, EMFILE, ENFILE, ETIMEDOUT, ENOSYS,
		ECONNABORTED, EHOSTUNREACH};
	unsigned call = next(program), error = next(program);

	if (call % SIM_CALLS == SIM_MALLOC)
		sim_fail(SIM_MALLOC, ENOMEM, error % 16);
	else
		sim_fail((enum sim_call)(call % SIM_CALLS), errors[error % 14],
			error / 14 % 4);
}

static void do_garbage(struct program *program)
{
	struct client *client = pick_next(program, ANY);
	size_t len = next(program) % 64;

	if (len > program->len - program->at)
		len = program->len - program->at;
	if (client)
		client_send(client, program->data + program->at, len);
	program->at += len;
}

static void do_raw(struct program *program)
{
	static const uint8_t record[] = {23, 3, 3, 0, 17, 1, 2, 3, 4, 5, 6, 7,
		8, 9, 10, 11, 12, 13, 14, 15, 16, 17};
	/* It announces 64 KiB. */
	static const uint8_t hello[] = {22, 3, 1, 2, 0, 1, 0, 255, 255, 3, 3};
	unsigned which = next(program);
	struct client *client = pick_next(program, ANY);

	if (client && which & 1)
		client_send_raw(client, hello, sizeof(hello));
	else if (client)
		client_send_raw(client, record, sizeof(record));
}

/* Records without data: the sender changes its key. */
static void do_updates(struct program *program)
{
	struct client *client = pick_next(program, TLS);
	unsigned n = next(program) % 64;

	for (; client && client->up && n > 0; n--) {
		(void)SSL_key_update(client->ssl, SSL_KEY_UPDATE_NOT_REQUESTED);
		(void)SSL_do_handshake(client->ssl);
	}
	if (client)
		client_send(client, NULL, 0);
}

/* One of any type, or up to 64 at once. */
static void do_message(struct program *program)
{
	struct client *client = pick_next(program, TLS);
	unsigned code = next(program), times = 1U << (code >> 6) * 2;
	uint8_t frame[FRAME_HEADER_LEN] = {0x9e, 0x79, 0xbc, 0x40};

	frame[7] = (uint8_t)(code % 64 % (FRAME_TYPES + 1));
	for (; client && times > 0 && is(client, TLS); times--)
		send_frame(client, frame, sizeof(frame));
}

static void do_splice(struct program *program)
{
	unsigned code = next(program);

	sim_splice_most = code % 32 < 24 ? (size_t)1 << code % 32 : SIZE_MAX;
}

static void do_cost(struct program *program)
{
	static const int64_t costs[] = {0, 0, 1, 10, 100, 1000};

	sim_us_per_look = costs[next(program) % 6];
}

static void do_rtt(struct program *program)
{
	struct client *client = pick_next(program, ANY);

	if (client)
		client->tcp->rtt_us = 1U << next(program) % 20;
}

/* The kernel sizes the server's buffer for what is sent to this client. */
static void do_room(struct program *program)
{
	struct client *client = pick_next(program, ANY);
	unsigned code = next(program);

	if (!client)
		return;
	client->tcp->sndbuf = (size_t)1 << code % 23;
	sim_tcp_resized(client->tcp);
}

/* What another process says of a connection before the bytes that it has read.
 */
static size_t onward_head(const struct sim_tcp *tcp, bool proxied,
	struct conn_import_onward *head)
{
	static const uint8_t own[16] = {[10] = 0xff, 0xff, 10, 9, 9, 9};

	*head = (struct conn_import_onward){.proxied = proxied};
	memcpy(head->place.from, &tcp->from.sin6_addr, 16);
	memcpy(head->place.to, own, 16);
	head->place.from_port = tcp->from.sin6_port;
	head->place.to_port = proxied ? htons(443) : 0;
	return sizeof(*head);
}

/* Another process has accepted a connection, and read its key.  Of 8 such
 * connections, 5 come from beside the server, one is of a proxy, and two are
 * passed on by an old process, of which one is of a proxy.  Of the last three
 * kinds some are cut, and some have sent nothing yet and speak TLS. */
static void do_import(struct program *program)
{
	unsigned how = next(program), kind = how >> 5, back = how >> 3 & 3;
	struct client *client = client_import(how & 7);
	struct conn_import_onward head;
	uint8_t data[sizeof(head) + FRAME_OPAQUE_SIZE];
	size_t before = 0, len;
	bool tls = kind >= 5 && back == 2;

	if (!client)
		return;
	if (kind >= 5)
		before = onward_head(client->tcp, kind == 7, &head);
	if (kind == 5)
		before = sizeof(head.place);
	memcpy(data, &head, before);
	len = before + (tls ? 0 : key_frame(data + before, back));
	if (before && back == 3) {
		len = before - 1;
		/* Nor has each message a descriptor. */
		conn_import(-1, data, len);
		conn_import_proxied(-1, data, len);
		conn_import_onward(-1, data, len);
	}
	sides[client->side].raw = !tls;
	sides[client->side].imported = !tls;
	if (kind == 5)
		conn_import_proxied(client->tcp->fd, data, len);
	else if (kind > 5)
		conn_import_onward(client->tcp->fd, data, len);
	else
		conn_import(client->tcp->fd, data, len);
	if (tls)
		client_tls(client, (int)(how % DEVICES));
}

static void do_hold(struct program *program)
{
	(void)program;
	held = hold_next = true;
}

static void do_pings(struct program *program)
{
	struct client *client = pick_next(program, TLS);

	if (client)
		client->tells = !client->tells;
}

static void do_turn(struct program *program)
{
	(void)relay_step(next(program));
	held = true;
}

/* A side sends much, the other takes it piece by piece. */
static void do_bulk(struct program *program)
{
	struct client *from = pick_next(program, PAIRED);
	unsigned times = next(program) % 8;
	size_t size = next_size(program);

	for (; from && times > 0 && is(from, PAIRED); times--) {
		if (from->tcp->up.len < 4 << 20)
			client_payload(from, size);
		steps_settle();
	}
}

static void do_reload(struct program *program)
{
	(void)relay_reload(next(program));
	changed = true;
}

static void do_drain(struct program *program)
{
	relay_drain(next(program));
	changed = true;
}

/*
 * How many of the values of a byte mean a step.  Those with a handshake are
 * rare, since one takes as long as a hundred others.
 */
static const struct step {
	const char *name;
	unsigned weight;
	void (*fn)(struct program *);
} all_steps[] = {
	{"connect", 3, do_connect},
	{"tls", 2, do_tls},
	{"device", 1, do_device},
	{"join", 3, do_join},
	{"ask", 3, do_ask},
	{"join_session", 4, do_join_session},
	{"session", 4, do_session},
	{"payload", 24, do_payload},
	{"take", 12, do_take},
	{"sleep", 8, do_sleep},
	{"shut", 3, do_shut},
	{"close", 2, do_close},
	{"reset", 2, do_reset},
	{"deliver", 10, do_deliver},
	{"eager", 4, do_eager},
	{"wait", 10, do_wait},
	{"fail", 6, do_fail},
	{"garbage", 2, do_garbage},
	{"message", 3, do_message},
	{"splice", 3, do_splice},
	{"cost", 2, do_cost},
	{"rtt", 2, do_rtt},
	{"hold", 8, do_hold},
	{"pings", 1, do_pings},
	{"turn", 4, do_turn},
	{"bulk", 6, do_bulk},
	{"room", 3, do_room},
	{"import", 2, do_import},
	{"updates", 1, do_updates},
	{"raw", 2, do_raw},
	{"reload", 1, do_reload},
	{"drain", 1, do_drain},
};

static unsigned all_weights(void)
{
	unsigned sum = 0;

	for (size_t i = 0; i < sizeof(all_steps) / sizeof(all_steps[0]); i++)
		sum += all_steps[i].weight;
	return sum;
}

bool step_do(struct program *program)
{
	unsigned code = next(program) % all_weights();
	const struct step *step = all_steps;

	for (; code >= step->weight; step++)
		code -= step->weight;
	if (sim_trace)
		(void)fprintf(stderr, "%s", step->name);
	held = hold_next;
	hold_next = false;
	step->fn(program);
	if (!held)
		steps_settle();
	if (sim_trace)
		(void)fprintf(stderr,
			": at %lld us, %u sockets, %lld sessions, %lld bytes\n",
			(long long)sim_us, sim_count(SIM_TCP),
			(long long)relay_metric("core", "sessions", NULL),
			(long long)relay_metric(
				"core", "session_traffic", NULL));
	return !held;
}

/* Much does not go through the smallest buffers: that would take too long. */
static void grow(void)
{
	for (struct client *c = clients; c < clients + CLIENTS; c++)
		if (c->tcp && c->tcp->sndbuf < SMALL) {
			c->tcp->sndbuf = SMALL;
			sim_tcp_resized(c->tcp);
		}
}

void steps_settle(void)
{
	unsigned rounds = 0;

	relay_calm_down();
	while (clients_take()) {
		relay_calm_down();
		if (++rounds == SMALL_ROUNDS)
			grow();
		if (rounds > 100000)
			sim_die("the clients never come to rest");
	}
	clients_reap();
}

static void stop_one(void)
{
	uint8_t bytes[] = {6, 0};
	struct program program = {bytes, sizeof(bytes), 0};

	do_session(&program);
	steps_settle();
	for (unsigned i = 0; i < 2; i++) {
		struct client *client = pick(i, PAIRED);

		if (!client)
			continue;
		client->asleep = i == 1;
		client_payload(client, 100000);
	}
	relay_stop();
	for (struct client *c = clients; c < clients + CLIENTS; c++)
		if (c->tcp && !c->gone)
			client_reset(c);
	steps_settle();
}

void steps_stop(void)
{
	for (unsigned i = 0; i < CONFIGURATIONS; i++) {
		relay_choose(i);
		stop_one();
	}
	clients_forget();
}

/* The module bounds forgets a source when another one comes, or the same. */
static void visit(unsigned source)
{
	struct client *client = client_connect(0, source);

	steps_settle();
	if (client)
		client_reset(client);
	steps_settle();
}

void steps_visit(void)
{
	for (unsigned source = 0; source < SOURCES; source++)
		visit(source);
}

void steps_end(unsigned how)
{
	sim_fail_none();
	sim_us_per_look = 0;
	hold_next = false;
	sim_splice_most = SIZE_MAX;
	for (struct client *c = clients; c < clients + CLIENTS; c++) {
		if (!c->tcp || c->gone)
			continue;
		c->asleep = false;
		c->tcp->eager = true;
		sim_deliver(c->tcp, SIZE_MAX);
	}
	if (changed)
		relay_as_before();
	changed = false;
	steps_settle();
	for (struct client *c = clients; c < clients + CLIENTS;
		c++, how >>= 1) {
		if (!c->tcp || c->gone)
			continue;
		if (how & 1)
			client_reset(c);
		else
			client_close(c);
	}
	steps_settle();
	relay_wait(20000);
	steps_settle();
	relay_wait(120000);
	steps_settle();
}
