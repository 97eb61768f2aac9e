/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Fuzzes a whole connection to an HTTP address: several requests, in pieces,
 * with pauses.  The server's code answers over a socket pair; only its
 * listening socket, its clock and its log are replaced.
 *
 * The first three bytes say how the rest arrives.  The answers must be HTTP,
 * and must not depend on the pieces.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <event2/buffer.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <strelaysrv/query.h>
#include <strelaysrv/server.h>

#include "base/clock.h"
#include "fuzz.h"
#include "http/http.h"
#include "http/http_accept.h"
#include "http/http_conns.h"
#include "http/http_metrics.h"
#include "log/log.h"
#include "loop/loop.h"
#include "modules/hooks.h"
#include "modules/module.h"
#include "net/capacity.h"
#include "net/net_metrics.h"
#include "net/net_state.h"

#define REPEATS_MAX 6 /* so that a head of more than 8 KiB can arrive */
#define TURNS_MAX   1000
#define OUT_MAX     ((size_t)1024 * 1024)

enum { WHICH, PIECE, PAUSE, HEAD };

static struct loop loop;
static struct relay_module module = {.stage = MODULE_LIVE};
static struct http_conns *addresses[2]; /* by enum http_place */
static int64_t now_us = INT64_C(1000000000);

/* The clock.  Timers of the event loop end in its next turn. */

int __wrap_clock_gettime(clockid_t id, struct timespec *out);
time_t __wrap_time(time_t *out);
int __wrap_event_add(struct event *event, const struct timeval *in);
int __real_event_add(struct event *event, const struct timeval *in);

int __wrap_clock_gettime(clockid_t id, struct timespec *out)
{
	/* So that a source may use up its share of the thread. */
	if (id == CLOCK_THREAD_CPUTIME_ID)
		now_us += 200;
	*out = (struct timespec){now_us / 1000000, now_us % 1000000 * 1000};
	return 0;
}

time_t __wrap_time(time_t *out)
{
	(void)out;
	return 1700000000;
}

int __wrap_event_add(struct event *event, const struct timeval *in)
{
	static const struct timeval soon = {.tv_usec = 1};

	return __real_event_add(event, in ? &soon : NULL);
}

/* What the room needs of others. */

const struct relay_ctx *hooks_enter(const struct relay_ctx *cx)
{
	return cx;
}

void hooks_leave(const struct relay_ctx *before)
{
	(void)before;
}

void relay_log(const struct relay_ctx *cx, enum relay_level level,
	const char *fmt, ...)
{
	(void)cx;
	(void)level;
	(void)fmt;
}

void log_core(enum relay_level level, const char *fmt, ...)
{
	(void)level;
	(void)fmt;
}

void log_core_fields(enum relay_level level, const struct relay_field *fields,
	const char *fmt, ...)
{
	(void)level;
	(void)fields;
	(void)fmt;
}

void relay_log_seldom(const struct relay_ctx *cx, enum relay_level level,
	struct relay_log_kind *kind, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	(void)cx;
	(void)level;
	(void)kind;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
}

void http_count(enum http_metric which, unsigned value, int64_t by)
{
	(void)which;
	(void)value;
	(void)by;
}

void net_count(struct metrics_shard *shard, enum net_metric which,
	unsigned value, int64_t by)
{
	(void)shard;
	(void)which;
	(void)value;
	(void)by;
}

struct metrics_shard *metrics_shard(int worker)
{
	(void)worker;
	return NULL;
}

size_t capacity_http(void)
{
	return 2 * HTTP_CONNS_MAX;
}

/* The listening socket: none. */

int http_accept_open(struct http_accept *accept, struct event_base *base,
	int fd, struct relay_err *err)
{
	(void)base;
	(void)err;
	(void)close(fd);
	addresses[accept->conns->place] = accept->conns;
	http_conns_bound(accept->conns, HTTP_CONNS_MAX);
	return 0;
}

void http_accept_close(struct http_accept *accept)
{
	(void)accept;
}

void http_accept_retire(struct http_accept *accept)
{
	(void)accept;
}

void http_accept_pause(struct http_accept *accept)
{
	(void)accept;
}

void http_accept_resume(struct http_accept *accept)
{
	(void)accept;
}

static void answer(struct relay_ctx *cx, struct relay_http *http)
{
	char value[64];

	(void)cx;
	(void)relay_query_escape(http->query, value, sizeof(value));
	(void)relay_http_header(http, "X-Query", value);
	FUZZ_CHECK(strlen(http->path) <= HTTP_HEAD_MAX);
	(void)relay_http_header(http, "X-Method", http->method);
	(void)relay_http_header(
		http, "X-Asked", relay_http_asked(http, "Accept"));
	if (strcmp(http->query, "none") == 0)
		http->status = 204;
	(void)evbuffer_add_printf(http->body, "[%s]", http->query);
}

static void begin(void)
{
	static const char *const hosts[] = {"relay.example", NULL};
	static bool begun;

	if (begun)
		return;
	begun = true;
	(void)signal(SIGPIPE, SIG_IGN);
	/* For libevent: otherwise turns are shorter than its clock's steps. */
	(void)setenv("EVENT_PRECISE_TIMER", "1", 1);
	module.def.name = "fuzz";
	module.control.pub.mod = &module;
	module.control.pub.worker = RELAY_CONTROL;
	FUZZ_CHECK(loop_init(&loop, RELAY_CONTROL) == 0);
	FUZZ_CHECK(net_create() == 0 && http_create() == 0);
	loop_current = &loop;
	FUZZ_CHECK(
		relay_http_route(&module.control.pub, "/status", answer) == 0);
	FUZZ_CHECK(relay_http_route_private(
			   &module.control.pub, "/metrics", answer) == 0);
	http_allow_hosts(hosts);
	FUZZ_CHECK(http_init(loop.base, "127.0.0.1:0", "127.0.0.1:0") == 0);
	http_open();
	FUZZ_CHECK(addresses[0] && addresses[1]);
}

/* One client. */

struct client {
	int fd;
	size_t len;
	char out[OUT_MAX]; /* what the server has answered */
};

static struct client one, other;

static void hear(struct client *client)
{
	ssize_t got;

	while ((got = recv(client->fd, client->out + client->len,
			OUT_MAX - client->len, MSG_DONTWAIT)) > 0) {
		client->len += (size_t)got;
		FUZZ_CHECK(client->len < OUT_MAX);
	}
}

static void turn(struct client *client, int64_t ms)
{
	now_us += ms * 1000;
	/* One round: on a slow machine a timer that is set anew in each ends
	 * within it, and more would never end. */
	FUZZ_CHECK(
		event_base_loop(loop.base, EVLOOP_NONBLOCK | EVLOOP_ONCE) >= 0);
	hear(client);
}

static void say(struct client *client, const uint8_t *data, size_t size,
	size_t piece, int64_t pause_ms)
{
	while (size > 0) {
		size_t some = size < piece ? size : piece;
		ssize_t sent = send(
			client->fd, data, some, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (sent < 0 && errno != EAGAIN)
			return;
		data += sent > 0 ? sent : 0;
		size -= sent > 0 ? (size_t)sent : 0;
		turn(client, pause_ms);
	}
}

/* Until the server has nothing more to say. */
static void hear_all(struct client *client)
{
	size_t len;
	int turns = 0;

	do {
		len = client->len;
		for (int i = 0; i < 4; i++)
			turn(client, 100);
	} while (client->len > len && turns++ < TURNS_MAX);
}

static void ask(struct client *client, const uint8_t *how, const uint8_t *data,
	size_t size, size_t piece)
{
	struct sockaddr_storage from = {.ss_family = AF_INET};
	struct http_conns *at = addresses[how[WHICH] & 1];
	/* Longer than every limit on time, or short. */
	int64_t pause_ms = how[PAUSE] % 8 == 7 ? 20000 : how[PAUSE] % 8;
	int ends[2];

	((struct sockaddr_in *)&from)->sin_addr.s_addr =
		htonl(how[WHICH] & 2 ? 0xc0000201 : INADDR_LOOPBACK);
	now_us += INT64_C(600) * 1000000; /* what others have used is over */
	FUZZ_CHECK(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) == 0);
	client->fd = ends[0];
	client->len = 0;
	http_conns_add(at, ends[1], &from);
	for (int i = 0; i < 1 + (how[WHICH] >> 2) % REPEATS_MAX; i++)
		say(client, data, size, piece, pause_ms);
	hear_all(client);
	(void)shutdown(client->fd, SHUT_WR);
	for (int i = 0; i < TURNS_MAX && at->count > 0; i++)
		turn(client, 20000);
	FUZZ_CHECK(at->count == 0 && at->unsent == 0);
	hear(client);
	(void)close(client->fd);
}

/* The length of an answer's body; SIZE_MAX: it has no Content-Length. */
static size_t body_of(const char *head, size_t len)
{
	static const char name[] = "\r\nContent-Length: ";
	const char *at = memmem(head, len, name, sizeof(name) - 1);

	return at ? strtoull(at + sizeof(name) - 1, NULL, 10) : SIZE_MAX;
}

/* Each answer is complete, with its body or, for HEAD, without. */
static void check_answers(const char *at, size_t left)
{
	while (left > 0) {
		const char *end = memmem(at, left, "\r\n\r\n", 4);
		size_t head, body;

		FUZZ_CHECK(left > 12 && memcmp(at, "HTTP/1.", 7) == 0);
		FUZZ_CHECK(at[9] >= '2' && at[9] <= '5' && at[8] == ' ');
		FUZZ_CHECK(end);
		head = (size_t)(end - at) + 4;
		body = body_of(at, head);
		if (body == SIZE_MAX) {
			FUZZ_CHECK(memcmp(at + 9, "204", 3) == 0);
			body = 0;
		}
		at += head;
		left -= head;
		if (left >= 7 && memcmp(at, "HTTP/1.", 7) == 0)
			continue;
		if (left == 0)
			break;
		FUZZ_CHECK(body <= left);
		at += body;
		left -= body;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < HEAD)
		return 0;
	begin();
	ask(&one, data, data + HEAD, size - HEAD, 1 + data[PIECE]);
	check_answers(one.out, one.len);
	/* A client that pauses for long may be told to go. */
	if (data[PAUSE] % 8 != 7) {
		ask(&other, data, data + HEAD, size - HEAD, size);
		FUZZ_CHECK(other.len == one.len);
		FUZZ_CHECK(memcmp(other.out, one.out, one.len) == 0);
	}
	return 0;
}
