/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Fuzzes a pool's answer: HTTP, as libcurl reads it over a socket pair, its
 * JSON, and what the log and /status tell of it.  The first byte is the length
 * of the pieces in which the answer arrives, the second how often it is
 * repeated.
 */

#include <event2/event.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

#include "answer.h"
#include "fuzz.h"
#include "shared/libcurl.h"
#include "plan.h"
#include "request.h"

#define TIMEOUT_MS  INT64_C(5000)
#define HEAD        2
#define REPEATS_MAX 8 /* so that an answer can be too long */

static struct event_base *base;
static struct requests *requests;
static int relay_end; /* of the socket pair; -1: libcurl has it */
static bool ready;

/* libcurl gets the socket pair instead of a connection to the pool. */

static curl_socket_t open_socket(
	void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
	int fd = relay_end;

	(void)arg;
	(void)purpose;
	(void)address;
	relay_end = -1;
	return fd < 0 ? CURL_SOCKET_BAD : fd;
}

static int is_connected(void *arg, curl_socket_t fd, curlsocktype purpose)
{
	(void)arg;
	(void)fd;
	(void)purpose;
	return CURL_SOCKOPT_ALREADY_CONNECTED;
}

static CURL *easy_init(void)
{
	CURL *easy = curl_easy_init();

	FUZZ_CHECK(easy);
	(void)curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	(void)curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, is_connected);
	return easy;
}

const struct libcurl *libcurl_get(struct relay_err *err)
{
	static struct libcurl functions = {
#define LIBCURL_POINTER(name) .name = curl_##name,
		LIBCURL_FUNCTIONS(LIBCURL_POINTER)
#undef LIBCURL_POINTER
	};

	(void)err;
	functions.easy_init = easy_init;
	return &functions;
}

void relay_log(const struct relay_ctx *cx, enum relay_level level,
	const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	(void)cx;
	(void)level;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	FUZZ_CHECK(text[0]);
}

static void on_ready(void *arg)
{
	(void)arg;
	ready = true;
}

static void begin(void)
{
	struct relay_err err;

	if (base)
		return;
	FUZZ_CHECK(curl_global_init(CURL_GLOBAL_ALL) == CURLE_OK);
	(void)unsetenv("http_proxy");
	(void)unsetenv("all_proxy");
	(void)unsetenv("ALL_PROXY");
	base = event_base_new();
	FUZZ_CHECK(base);
	requests = requests_new(base, on_ready, NULL, &err);
	FUZZ_CHECK(requests);
}

/* The pool: hears nothing, and says the whole answer. */
static void say(int fd, const uint8_t *data, size_t size, size_t piece)
{
	char heard[4096];

	while (size > 0 && !ready) {
		size_t some = size < piece ? size : piece;
		ssize_t sent =
			send(fd, data, some, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (sent > 0) {
			data += sent;
			size -= (size_t)sent;
		} else if (sent < 0 && relay_end < 0 && !ready) {
			break;
		}
		while (recv(fd, heard, sizeof(heard), MSG_DONTWAIT) > 0)
			;
		FUZZ_CHECK(event_base_loop(base, EVLOOP_NONBLOCK) >= 0);
	}
}

static void check_next(
	const struct plan_next *next, const struct request_result *result)
{
	const int64_t day = INT64_C(86400000);

	FUZZ_CHECK(next->outcome < PLAN_OUTCOMES);
	FUZZ_CHECK(next->delay_ms >= 7000 && next->delay_ms <= 7 * day);
	FUZZ_CHECK(next->told_ms >= 8000 && next->told_ms <= 7 * day);
	FUZZ_CHECK((next->outcome == PLAN_UNREACHED) == (result->status == 0));
	FUZZ_CHECK(next->outcome != PLAN_JOINED ||
		   (next->keep_ms > next->delay_ms && !result->cut));
}

static void take(const struct request_result *result)
{
	struct plan plan = {.failures = 0};
	struct pool pool = {.url = "http://192.0.2.1/"};
	struct plan_answer answer = {.status = result->status,
		.len = result->len,
		.cut = result->cut};
	/* Its own block, so that a sanitizer detects what reads beyond it. */
	char *body = malloc(result->len ? result->len : 1);
	struct plan_next next;

	FUZZ_CHECK(body && result->len <= REQUEST_BODY);
	memcpy(body, result->body, result->len);
	answer.body = body;
	for (uint32_t random = 0; random < 3; random++) {
		next = plan_after(&plan, &answer, random * (UINT32_MAX / 2));
		check_next(&next, result);
	}
	free(body);
	answer_log(NULL, &pool, result, &next);
	answer_note(&pool, result, next.outcome);
	FUZZ_CHECK(memchr(pool.reason, '\0', sizeof(pool.reason)));
	for (const char *c = pool.reason; *c; c++)
		FUZZ_CHECK((unsigned char)*c >= ' ' && *c != 0x7f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char pem[] = "none";
	const struct request_pem none = {.data = pem, .len = 4};
	const struct request_conf conf = {.url = "http://192.0.2.1/endpoint",
		.body = "{}",
		.agent = "fuzz",
		.bind = "",
		.proxy = "",
		.timeout_ms = TIMEOUT_MS,
		.cert = &none,
		.key = &none};
	struct request *request;
	struct request_result result;
	struct relay_err err;
	int ends[2];

	if (size < HEAD)
		return 0;
	begin();
	FUZZ_CHECK(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
			0, ends) == 0);
	relay_end = ends[0];
	ready = false;
	request = request_post(requests, &conf, &ready, &err);
	FUZZ_CHECK(request);
	for (int i = 0; i <= data[1] % REPEATS_MAX; i++)
		say(ends[1], data + HEAD, size - HEAD, 1 + (size_t)data[0] * 4);
	(void)shutdown(ends[1], SHUT_WR);
	while (!ready)
		FUZZ_CHECK(event_base_loop(base, EVLOOP_ONCE) >= 0);
	FUZZ_CHECK(request_take(requests) == request &&
		   request_owner(request) == &ready);
	request_result(request, &result);
	take(&result);
	request_end(request);
	(void)close(ends[1]);
	if (relay_end >= 0)
		(void)close(relay_end);
	return 0;
}
