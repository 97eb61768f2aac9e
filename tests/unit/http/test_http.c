/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of the status address with real sockets. */

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include <event2/buffer.h>

#include "net/capacity.h"
#include "net/net_metrics.h"
#include "net/net_state.h"
#include "modules/hooks.h"
#include "http/http.h"
#include "http/http_conns.h"
#include "http/http_metrics.h"
#include "log/log.h"
#include "loop/loop.h"
#include "metrics/metrics.h"
#include "modules/module.h"
#include <strelaysrv/server.h>

static struct loop loop;
static struct relay_module mod, other;
static char logged[512];

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
	va_list ap;

	(void)level;
	va_start(ap, fmt);
	(void)vsnprintf(logged, sizeof(logged), fmt, ap);
	va_end(ap);
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
	(void)cx;
	(void)level;
	(void)kind;
	(void)fmt;
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

static void answer(struct relay_ctx *cx, struct relay_http *http)
{
	assert_ptr_equal(cx, &mod.control.pub);
	http->type = "application/json";
	assert_int_equal(relay_http_header(http, "X-Test", http->method), 0);
	assert_int_equal(relay_http_header(http, "X-Asked",
				 relay_http_asked(http, "Accept")),
		0);
	(void)evbuffer_add_printf(http->body, "[%s]", http->query);
}

static void make_module(struct relay_module *m, const char *name)
{
	memset(m, 0, sizeof(*m));
	m->def.name = name;
	m->control.pub.mod = m;
	m->control.pub.worker = RELAY_CONTROL;
}

static int setup(void **state)
{
	(void)state;
	(void)signal(SIGPIPE, SIG_IGN);
	make_module(&mod, "test");
	make_module(&other, "other");
	logged[0] = '\0';
	if (loop_init(&loop, RELAY_CONTROL) || net_create() != 0 ||
		http_create() != 0)
		return -1;
	loop_current = &loop;
	return relay_http_route(&mod.control.pub, "/status", answer);
}

static int teardown(void **state)
{
	(void)state;
	http_withdraw(&mod);
	http_withdraw(&other);
	http_finish();
	http_destroy();
	net_destroy();
	loop_current = NULL;
	loop_finish(&loop);
	return 0;
}

static uint16_t bound_port(void)
{
	const char *colon = strrchr(relay_status_text(), ':');

	assert_non_null(colon);
	return (uint16_t)strtoul(colon + 1, NULL, 10);
}

static uint16_t serve(void)
{
	assert_int_equal(http_init(loop.base, "127.0.0.1:0", ""), 0);
	mod.stage = MODULE_LIVE;
	http_open();
	return bound_port();
}

static int dial(uint16_t port)
{
	const struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr = {htonl(INADDR_LOOPBACK)},
	};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(
		connect(fd, (const struct sockaddr *)&to, sizeof(to)), 0);
	return fd;
}

/* Runs the loop until the server closes the connection or `ms` have passed. */
static void turn(int ms)
{
	int64_t end_ms = loop_clock_ms() + ms;

	while (loop_clock_ms() < end_ms) {
		assert_true(event_base_loop(loop.base, EVLOOP_NONBLOCK) >= 0);
		usleep(500);
	}
}

static char reply[65536];

/* Reads until the end of the stream, or until no more data comes. */
static bool collect(int fd)
{
	size_t len = 0;
	int idle = 0;

	reply[0] = '\0';
	while (idle < 100) {
		ssize_t n = recv(
			fd, reply + len, sizeof(reply) - 1 - len, MSG_DONTWAIT);

		if (n == 0 || (n < 0 && errno != EAGAIN))
			return true;
		if (n > 0)
			len += (size_t)n;
		reply[len] = '\0';
		idle = n > 0 ? 0 : idle + 1;
		turn(1);
	}
	return false;
}

static const char *ask(uint16_t port, const char *request)
{
	int fd = dial(port);

	assert_int_equal(
		send(fd, request, strlen(request), 0), strlen(request));
	(void)collect(fd);
	close(fd);
	return reply;
}

static void routes_are_answered(void **state)
{
	uint16_t port = serve();
	const char *r;

	(void)state;
	r = ask(port, "GET /status?a=%20 HTTP/1.1\r\nHost: x\r\n"
		      "Connection: close\r\n\r\n");
	assert_ptr_equal(strstr(r, "HTTP/1.1 200 OK\r\n"), r);
	assert_non_null(strstr(r, "Content-Type: application/json\r\n"));
	assert_non_null(strstr(r, "Content-Length: 7\r\n"));
	assert_non_null(strstr(r, "X-Test: GET\r\n"));
	assert_non_null(strstr(r, "\r\n\r\n[a=%20]"));
}

static void head_has_the_headers_and_no_body(void **state)
{
	uint16_t port = serve();
	const char *r;

	(void)state;
	r = ask(port, "HEAD /status HTTP/1.1\r\nHost: x\r\n"
		      "Connection: close\r\n\r\n");
	assert_ptr_equal(strstr(r, "HTTP/1.1 200 OK\r\n"), r);
	assert_non_null(strstr(r, "Content-Length: 2\r\n"));
	assert_string_equal(strstr(r, "\r\n\r\n"), "\r\n\r\n");
}

static void other_paths_and_methods_are_refused(void **state)
{
	uint16_t port = serve();

	(void)state;
	assert_non_null(strstr(ask(port, "GET / HTTP/1.0\r\n\r\n"), " 404 "));
	assert_non_null(
		strstr(ask(port, "GET /status/ HTTP/1.0\r\n\r\n"), " 404 "));
	assert_non_null(
		strstr(ask(port, "GET /%73tatus HTTP/1.0\r\n\r\n"), " 404 "));
	assert_non_null(strstr(
		ask(port, "POST /status HTTP/1.0\r\nContent-Length: 0\r\n\r\n"),
		" 405 "));
	assert_non_null(strstr(reply, "Allow: GET, HEAD\r\n"));
	assert_non_null(
		strstr(ask(port, "OPTIONS /status HTTP/1.0\r\n\r\n"), " 405 "));
	(void)ask(port, "BREW /status HTTP/1.0\r\n\r\n");
	assert_null(strstr(reply, " 200 "));
	(void)ask(port, "\x16\x03\x01\x02 garbage\r\n\r\n");
	assert_null(strstr(reply, " 200 "));
}

static void large_requests_are_refused(void **state)
{
	uint16_t port = serve();
	char big[20000];

	(void)state;
	memset(big, 'h', sizeof(big));
	memcpy(big, "GET /status HTTP/1.1\r\nA: ", 25);
	memcpy(big + sizeof(big) - 5, "\r\n\r\n", 5);
	(void)ask(port, big);
	assert_null(strstr(reply, " 200 "));
	memset(big, 'b', sizeof(big));
	memcpy(big, "GET /status HTTP/1.1\r\nContent-Length: 19000\r\n\r\n",
		47);
	big[sizeof(big) - 1] = '\0';
	(void)ask(port, big);
	assert_null(strstr(reply, " 200 "));
	assert_non_null(
		strstr(ask(port, "GET /status HTTP/1.0\r\n\r\n"), " 200 "));
}

static void idle_connections_cannot_keep_others_out(void **state)
{
	uint16_t port = serve();
	int fds[HTTP_CONNS_MAX + 10];

	(void)state;
	for (int i = 0; i < HTTP_CONNS_MAX + 10; i++) {
		fds[i] = dial(port);
		turn(1);
	}
	assert_non_null(
		strstr(ask(port, "GET /status HTTP/1.0\r\n\r\n"), " 200 "));
	assert_true(collect(fds[0])); /* the oldest connections were closed */
	assert_false(collect(fds[40]));
	for (int i = 0; i < HTTP_CONNS_MAX + 10; i++)
		close(fds[i]);
	turn(1200); /* a sweep */
	assert_non_null(
		strstr(ask(port, "GET /status HTTP/1.0\r\n\r\n"), " 200 "));
}

static void it_opens_only_for_a_live_route(void **state)
{
	(void)state;
	assert_int_equal(http_init(loop.base, "127.0.0.1:0", ""), 0);
	http_open();
	assert_string_equal(relay_status_text(), "127.0.0.1:0");
	mod.stage = MODULE_LIVE;
	http_open();
	assert_int_not_equal(bound_port(), 0);
	assert_int_equal(
		relay_http_route(&other.control.pub, "/status", answer), -1);
	http_withdraw(&mod);
	assert_string_equal(relay_status_text(), "");
}

static void an_empty_address_keeps_it_closed(void **state)
{
	(void)state;
	assert_int_equal(http_init(loop.base, "", ""), 0);
	mod.stage = MODULE_LIVE;
	http_open();
	assert_string_equal(relay_status_text(), "");
}

static uint16_t port_in_log(void)
{
	const char *colon = strrchr(logged, ':');

	assert_non_null(strstr(logged, "private address: "));
	return (uint16_t)strtoul(colon + 1, NULL, 10);
}

static void private_routes_are_on_the_private_address_only(void **state)
{
	uint16_t private;

	(void)state;
	assert_int_equal(
		relay_http_route_private(&mod.control.pub, "/own", answer), 0);
	assert_int_equal(http_init(loop.base, "127.0.0.1:0", "127.0.0.1:0"), 0);
	mod.stage = MODULE_LIVE;
	http_open();
	private = port_in_log();
	assert_int_not_equal(private, bound_port());
	(void)ask(bound_port(), "GET /own HTTP/1.0\r\n\r\n");
	assert_non_null(strstr(reply, " 404 "));
	(void)ask(bound_port(), "GET /status HTTP/1.0\r\n\r\n");
	assert_non_null(strstr(reply, " 200 "));
	(void)ask(private, "GET /own HTTP/1.0\r\n\r\n");
	assert_non_null(strstr(reply, " 200 "));
	(void)ask(private, "GET /status HTTP/1.0\r\n\r\n");
	assert_non_null(strstr(reply, " 200 "));
}

static void without_a_private_address_all_is_on_the_other(void **state)
{
	(void)state;
	assert_int_equal(
		relay_http_route_private(&mod.control.pub, "/own", answer), 0);
	(void)ask(serve(), "GET /own HTTP/1.0\r\n\r\n");
	assert_non_null(strstr(reply, " 200 "));
}

static void routes_see_what_the_request_says(void **state)
{
	(void)state;
	(void)ask(serve(), "GET /status HTTP/1.0\r\nAccept: a/b\r\n\r\n");
	assert_non_null(strstr(reply, "X-Asked: a/b\r\n"));
	(void)ask(bound_port(), "GET /status HTTP/1.0\r\n\r\n");
	assert_null(strstr(reply, "X-Asked: a/b"));
}

static void dawdle(struct relay_ctx *cx, struct relay_http *http)
{
	(void)cx;
	(void)evbuffer_add_printf(http->body, "late");
	usleep(1100000);
}

static void slow_routes_are_given_a_rest(void **state)
{
	(void)state;
	assert_int_equal(
		relay_http_route(&mod.control.pub, "/slow", dawdle), 0);
	(void)ask(serve(), "GET /slow HTTP/1.0\r\n\r\n");
	assert_non_null(strstr(reply, "late"));
	(void)ask(bound_port(), "GET /slow HTTP/1.0\r\n\r\n");
	assert_non_null(strstr(reply, " 503 "));
	assert_non_null(strstr(reply, "Retry-After: "));
	(void)ask(bound_port(), "GET /status HTTP/1.0\r\n\r\n");
	assert_non_null(strstr(reply, " 200 "));
	assert_int_equal(mod.slow_calls, 1);
}

static void a_taken_port_is_a_warning(void **state)
{
	struct sockaddr_in addr = {
		.sin_family = AF_INET,
		.sin_addr = {htonl(INADDR_LOOPBACK)},
	};
	socklen_t len = sizeof(addr);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char text[32];

	(void)state;
	assert_int_equal(bind(fd, (const struct sockaddr *)&addr, len), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&addr, &len), 0);
	(void)snprintf(
		text, sizeof(text), "127.0.0.1:%d", (int)ntohs(addr.sin_port));
	assert_int_equal(http_init(loop.base, text, ""), 0);
	mod.stage = MODULE_LIVE;
	http_open();
	assert_non_null(strstr(logged, "Address already in use"));
	close(fd);
	http_open(); /* called by a timer after 30 s */
	assert_non_null(strstr(logged, "status address: 127.0.0.1:"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		T(routes_are_answered),
		T(head_has_the_headers_and_no_body),
		T(other_paths_and_methods_are_refused),
		T(large_requests_are_refused),
		T(idle_connections_cannot_keep_others_out),
		T(it_opens_only_for_a_live_route),
		T(an_empty_address_keeps_it_closed),
		T(private_routes_are_on_the_private_address_only),
		T(without_a_private_address_all_is_on_the_other),
		T(routes_see_what_the_request_says),
		T(slow_routes_are_given_a_rest),
		T(a_taken_port_is_a_warning),
#undef T
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
