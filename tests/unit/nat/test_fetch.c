/* SPDX-License-Identifier: MPL-2.0 */

/* Requests to gateways: addresses that are refused, and each system call that
 * can fail.  The gateway is a thread of the test. */

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "fetch.h"
#include "shared/monotonic.h"

#define ANSWER     "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood"
#define PATIENT_MS 60000

/* The next call of this name fails once; only the test's own thread. */
static _Thread_local struct {
	const char *call;
	unsigned skip; /* so many calls succeed before */
	int error;
} fault;

static bool fails(const char *call)
{
	if (!fault.call || strcmp(call, fault.call) != 0 || fault.skip-- > 0)
		return false;
	fault.call = NULL;
	errno = fault.error;
	return true;
}

#define REAL(type, name, ...)                                                  \
	type __real_##name(__VA_ARGS__);                                       \
	type __wrap_##name(__VA_ARGS__);                                       \
	type __wrap_##name(__VA_ARGS__)

REAL(int, socket, int family, int type, int protocol)
{
	return fails("socket") ? -1 : __real_socket(family, type, protocol);
}

REAL(int, connect, int fd, const struct sockaddr *to, socklen_t len)
{
	return fails("connect") ? -1 : __real_connect(fd, to, len);
}

REAL(int, poll, struct pollfd *fds, nfds_t count, int ms)
{
	return fails("poll") ? -1 : __real_poll(fds, count, ms);
}

REAL(int, getsockopt, int fd, int level, int name, void *to, socklen_t *len)
{
	return fails("getsockopt")
		       ? -1
		       : __real_getsockopt(fd, level, name, to, len);
}

REAL(int, getsockname, int fd, struct sockaddr *to, socklen_t *len)
{
	return fails("getsockname") ? -1 : __real_getsockname(fd, to, len);
}

REAL(ssize_t, send, int fd, const void *data, size_t len, int flags)
{
	return fails("send") ? -1 : __real_send(fd, data, len, flags);
}

REAL(ssize_t, recv, int fd, void *to, size_t len, int flags)
{
	return fails("recv") ? -1 : __real_recv(fd, to, len, flags);
}

REAL(void *, malloc, size_t size)
{
	return fails("malloc") ? NULL : __real_malloc(size);
}

int __real_asprintf(char **out, const char *fmt, ...);
int __wrap_asprintf(char **out, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
int __wrap_asprintf(char **out, const char *fmt, ...)
{
	va_list ap;
	int len;

	if (fails("asprintf"))
		return -1;
	va_start(ap, fmt);
	len = vasprintf(out, fmt, ap);
	va_end(ap);
	return len;
}

static struct {
	int fd;
	pthread_t thread;
	char url[64];
	struct refusals refusals;
	struct relay_err err;
} gateway;

/* Answers one client after the other, until a word that is no request comes. */
static void *serve(void *arg)
{
	char request[1024];
	ssize_t len = 1;

	for (int served = 0; served < 100 && len >= 0; served++) {
		int fd = accept(gateway.fd, NULL, NULL);

		if (fd < 0)
			break;
		len = __real_recv(fd, request, sizeof(request), 0);
		if (len >= 4 && memcmp(request, "stop", 4) == 0)
			len = -1;
		else if (len > 0)
			(void)__real_send(
				fd, ANSWER, sizeof(ANSWER) - 1, MSG_NOSIGNAL);
		(void)close(fd);
	}
	return arg;
}

static int setup(void **state)
{
	struct sockaddr_in at = {.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(at);

	(void)state;
	memset(&gateway, 0, sizeof(gateway));
	gateway.fd = __real_socket(AF_INET, SOCK_STREAM, 0);
	if (bind(gateway.fd, (struct sockaddr *)&at, len) != 0 ||
		listen(gateway.fd, 8) != 0 ||
		__real_getsockname(gateway.fd, (struct sockaddr *)&at, &len) !=
			0)
		return -1;
	(void)snprintf(gateway.url, sizeof(gateway.url),
		"http://127.0.0.1:%u/wanted", ntohs(at.sin_port));
	return pthread_create(&gateway.thread, NULL, serve, NULL);
}

static int teardown(void **state)
{
	struct sockaddr_in at;
	socklen_t len = sizeof(at);
	int fd = __real_socket(AF_INET, SOCK_STREAM, 0);

	(void)state;
	fault.call = NULL;
	if (__real_getsockname(gateway.fd, (struct sockaddr *)&at, &len) != 0 ||
		__real_connect(fd, (struct sockaddr *)&at, len) != 0 ||
		__real_send(fd, "stop", 4, MSG_NOSIGNAL) != 4)
		return -1;
	(void)pthread_join(gateway.thread, NULL);
	(void)close(fd);
	return close(gateway.fd);
}

static int ask_from(const char *source, int64_t patience_ms)
{
	struct url url;
	struct question question = {.url = &url,
		.source = source,
		.headers = "",
		.end_ms = monotonic_now_ms() + patience_ms};
	struct answer answer;
	int result;

	assert_int_equal(url_read(gateway.url, 0, &url), 0);
	gateway.err.text[0] = '\0';
	result = fetch(&question, &answer, &gateway.refusals, &gateway.err);
	if (result == 0) {
		assert_int_equal(answer.status, 200);
		assert_string_equal(answer.body, "good");
	}
	answer_free(&answer);
	return result;
}

static int ask_with(const char *call, unsigned skip, int error)
{
	fault.call = call;
	fault.skip = skip;
	fault.error = error;
	return ask_from(NULL, PATIENT_MS);
}

static void addresses_that_could_forge_a_request_are_refused(void **state)
{
	static const char *const bad[] = {
		"https://192.0.2.1/",
		"http://192.0.2.1/a b",
		"http://192.0.2.1/\r\nHost:x",
		"http://192.0.2.1/\"",
		"http://192.0.2.1:x/",
		"http://192.0.2.1:0/",
		"http://192.0.2.1:65536/",
		"http://192.0.2.1:/",
		"http://192.0.2.1.192.0.2.1.192.0.2.1.192.0.2.1.192.0.2.1/",
		"http://[2001:db8::1",
		"http://[2001:db8::1]x/",
		"http://router.example/",
		"http:///",
	};
	char path[400];
	struct url url;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (url_read(bad[i], 0, &url) == 0)
			fail_msg("%s is taken", bad[i]);
	(void)snprintf(path, sizeof(path), "http://192.0.2.1/%0300d", 0);
	assert_int_equal(url_read(path, 0, &url), -1);
	assert_int_equal(url_read("HTTP://[fe80::1%eth0]:80?q#f", 2, &url), 0);
	assert_string_equal(url.path, "/?q");
	assert_int_equal(url.host.scope, 2);
}

static void each_call_that_fails_is_told(void **state)
{
	static const struct {
		const char *call;
		unsigned skip;
		int error;
	} cases[] = {
		{"malloc", 0, ENOMEM},
		{"socket", 0, EMFILE},
		{"connect", 0, ENETUNREACH},
		{"poll", 0, ENOMEM}, /* while it connects */
		{"poll", 1, ENOMEM}, /* for the answer */
		{"getsockopt", 0, ENOBUFS},
		{"getsockname", 0, ENOBUFS},
		{"asprintf", 0, ENOMEM},
		{"send", 0, EPIPE},
		{"recv", 0, ECONNRESET},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *why = cases[i].error == ENOMEM &&
						  strcmp(cases[i].call, "poll")
					  ? "out of memory"
					  : strerror(cases[i].error);

		assert_int_equal(
			ask_with(cases[i].call, cases[i].skip, cases[i].error),
			-1);
		if (!strstr(gateway.err.text, why))
			fail_msg("%s: \"%s\"", cases[i].call, gateway.err.text);
		assert_int_equal(ask_from(NULL, PATIENT_MS), 0);
	}
}

static void an_interrupted_call_is_repeated(void **state)
{
	(void)state;
	assert_int_equal(ask_with("poll", 0, EINTR), 0);
	assert_int_equal(ask_with("send", 0, EINTR), 0);
	assert_int_equal(ask_with("send", 0, EAGAIN), 0);
	assert_int_equal(ask_with("recv", 0, EINTR), 0);
	assert_int_equal(ask_with("recv", 0, EAGAIN), 0);
}

static void the_time_is_limited(void **state)
{
	(void)state;
	assert_int_equal(ask_from(NULL, 0), -1);
	assert_non_null(strstr(gateway.err.text, "takes too long to answer"));
	assert_int_equal(gateway.refusals.counts[REFUSAL_TIME], 1);
}

static void a_source_that_is_not_ours_is_told(void **state)
{
	(void)state;
	assert_int_equal(ask_from("127.0.0.1", PATIENT_MS), 0);
	assert_int_equal(ask_from("192.0.2.1", PATIENT_MS), -1);
	assert_non_null(strstr(gateway.err.text, strerror(EADDRNOTAVAIL)));
	assert_int_equal(ask_from("::1", PATIENT_MS), -1);
	assert_non_null(strstr(gateway.err.text, strerror(EAFNOSUPPORT)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		cmocka_unit_test(
			addresses_that_could_forge_a_request_are_refused),
		T(each_call_that_fails_is_told),
		T(an_interrupted_call_is_repeated),
		T(the_time_is_limited),
		T(a_source_that_is_not_ours_is_told),
#undef T
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
