/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of how long HTTP connections are kept and which are closed first, with
 * a simulated clock and simulated source addresses. */

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include <event2/buffer.h>

#include "base/clock.h"
#include "http/http_reply.h"
#include "http/http_conn.h"
#include "http/http_conns.h"
#include "http/http_timeouts.h"
#include "http/http_serve.h"

#define ASK  "GET / HTTP/1.1\r\nHost: x\r\n\r\n"
#define HALF "GET / HTTP/1.1\r\n"

static struct event_base *base;
static struct http_conns conns;
static int64_t now_ms, ends[HTTP_END_MEMORY + 1];
static size_t answer_size;
static unsigned answers;
static int clients[64], client_count;

int64_t clock_ms(void)
{
	return now_ms;
}

void http_count(enum http_metric which, unsigned value, int64_t by)
{
	if (which == HTTP_ENDS)
		ends[value] += by;
}

static int failing; /* which of the next allocations fails; 0: none */

void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);

void *__wrap_calloc(size_t count, size_t size)
{
	return failing && --failing == 0 ? NULL : __real_calloc(count, size);
}

static void answer(struct http_exchange *x, void *arg)
{
	struct evbuffer *body = evbuffer_new();
	static const char bytes[1 << 20];

	answers++;
	assert_ptr_equal(arg, &conns);
	assert_non_null(body);
	assert_int_equal(evbuffer_add(body, bytes, answer_size), 0);
	http_reply_write(x, 200, "text/plain", body);
	evbuffer_free(body);
}

static int setup(void **state)
{
	(void)state;
	(void)signal(SIGPIPE, SIG_IGN);
	memset(ends, 0, sizeof(ends));
	now_ms = 1000000;
	answer_size = 3;
	client_count = 0;
	base = event_base_new();
	conns.owner.answer = answer;
	conns.owner.arg = &conns;
	return base ? http_conns_init(&conns, base) : -1;
}

static int teardown(void **state)
{
	(void)state;
	http_conns_finish(&conns);
	assert_int_equal(conns.count, 0);
	assert_int_equal(conns.unsent, 0);
	for (int i = 0; i < client_count; i++)
		close(clients[i]);
	event_base_free(base);
	return 0;
}

/* One turn of the loop, and the check that runs once a second. */
static void turn(void)
{
	for (int i = 0; i < 3; i++)
		assert_true(event_base_loop(base, EVLOOP_NONBLOCK) >= 0);
	event_active(conns.sweep, EV_TIMEOUT, 0);
	assert_true(event_base_loop(base, EVLOOP_NONBLOCK) >= 0);
}

static void pass(int64_t ms)
{
	for (int64_t end_ms = now_ms + ms; now_ms < end_ms;) {
		now_ms += end_ms - now_ms < 1000 ? end_ms - now_ms : 1000;
		turn();
	}
}

/* Connects from this address; returns the client's descriptor. */
static int come(const char *from)
{
	struct sockaddr_in in = {.sin_family = AF_INET};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
	struct sockaddr_storage address = {.ss_family = AF_INET};
	int ends_of[2];

	if (inet_pton(AF_INET, from, &in.sin_addr) == 1) {
		memcpy(&address, &in, sizeof(in));
	} else {
		assert_int_equal(inet_pton(AF_INET6, from, &in6.sin6_addr), 1);
		memcpy(&address, &in6, sizeof(in6));
	}
	assert_int_equal(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
			0, ends_of),
		0);
	http_conns_add(&conns, ends_of[0], &address);
	clients[client_count++] = ends_of[1];
	return ends_of[1];
}

static void say(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL),
		(ssize_t)strlen(text));
}

static char heard[4096];

/* Whether the connection is open; received data is in `heard`. */
static bool hear(int fd)
{
	ssize_t n = recv(fd, heard, sizeof(heard) - 1, 0);

	heard[n > 0 ? n : 0] = '\0';
	if (n <= 0)
		return n < 0 && errno == EAGAIN;
	n = recv(fd, heard + n, 1, MSG_PEEK);
	return n > 0 || (n < 0 && errno == EAGAIN);
}

static bool asks(int fd)
{
	if (send(fd, ASK, strlen(ASK), MSG_NOSIGNAL) < 0)
		return false;
	turn();
	return hear(fd) && strstr(heard, "HTTP/1.1 200 OK\r\n") == heard;
}

static void pollers_keep_their_connection(void **state)
{
	static const int intervals_s[] = {1, 5, 10, 15, 30, 60, 75, 79};
	int fd = come("192.0.2.1");

	(void)state;
	for (size_t i = 0; i < sizeof(intervals_s) / sizeof(int); i++) {
		for (int times = 0; times < 3; times++) {
			assert_true(asks(fd));
			pass((int64_t)intervals_s[i] * 1000);
		}
	}
	assert_true(asks(fd));
	assert_non_null(strstr(heard, "Keep-Alive: timeout=75\r\n"));
	assert_int_equal(ends[HTTP_END_IDLE], 0);
	pass(HTTP_IDLE_MS + 1000);
	assert_false(hear(fd));
	assert_int_equal(ends[HTTP_END_IDLE], 1);
}

static void a_request_on_its_way_is_not_too_late(void **state)
{
	int fd = come("192.0.2.1");
	struct http_conn *conn = TAILQ_FIRST(&conns.list);

	(void)state;
	assert_true(asks(fd));
	now_ms += HTTP_IDLE_MS + 5000;
	say(fd, ASK);
	http_timeouts_check(conn, now_ms);
	turn();
	assert_true(hear(fd));
	assert_non_null(strstr(heard, " 200 OK"));
}

static void unfinished_requests_are_told_so(void **state)
{
	int slow = come("192.0.2.1"), silent = come("192.0.2.2");

	(void)state;
	say(slow, HALF);
	for (int i = 0; i < 9; i++) {
		pass(1000);
		say(slow, "A: b\r\n");
	}
	assert_true(hear(slow) && hear(silent));
	pass(3000);
	assert_false(hear(slow));
	assert_non_null(strstr(heard, "HTTP/1.1 408 Request Timeout\r\n"));
	assert_non_null(strstr(heard, "Connection: close\r\n"));
	assert_false(hear(silent));
	assert_int_equal(ends[HTTP_END_REQUEST], 2);
	pass(HTTP_LINGERING_MS + 2000);
	assert_int_equal(conns.count, 0);
}

static void the_oldest_idle_one_makes_room(void **state)
{
	int fds[6];

	(void)state;
	http_conns_bound(&conns, 5);
	for (int i = 0; i < 5; i++) {
		char from[] = "192.0.2.1";

		from[8] = (char)('1' + i);
		fds[i] = come(from);
		assert_true(asks(fds[i]));
		pass(1000);
	}
	assert_true(asks(fds[0])); /* now 1 is the oldest */
	say(fds[2], HALF);
	turn();
	fds[5] = come("192.0.2.9");
	assert_false(hear(fds[1]));
	assert_int_equal(ends[HTTP_END_ROOM], 1);
	for (int i = 0; i < 6; i++)
		assert_true(i == 1 || hear(fds[i]));
}

static void a_request_that_is_there_is_answered_first(void **state)
{
	int first = come("192.0.2.1"), second, silent;

	(void)state;
	http_conns_bound(&conns, 2);
	assert_true(asks(first));
	pass(1000);
	second = come("192.0.2.2");
	assert_true(asks(second));
	pass(1);
	say(first, ASK); /* not read yet */
	silent = come("192.0.2.3");
	/* Now the second connection has been idle for longer. */
	assert_false(hear(second));
	assert_true(hear(first));
	assert_non_null(strstr(heard, " 200 OK"));
	pass(1);
	say(silent, ASK);
	say(first, ASK);
	(void)come("192.0.2.4");
	assert_int_equal(hear(silent) + hear(first), 1);
	assert_non_null(strstr(heard, " 200 OK"));
}

static void who_waits_for_an_answer_is_told_that_it_is_full(void **state)
{
	int fd = come("192.0.2.1");

	(void)state;
	http_conns_bound(&conns, 1);
	say(fd, HALF);
	turn();
	(void)come("192.0.2.2");
	assert_false(hear(fd));
	assert_non_null(strstr(heard, "HTTP/1.1 503 Service Unavailable\r\n"));
	assert_non_null(strstr(heard, "Retry-After: "));
}

static void the_source_with_the_most_gives_one_up(void **state)
{
	int few, many[4], i;

	(void)state;
	http_conns_bound(&conns, 5);
	few = come("192.0.2.1");
	assert_true(asks(few));
	pass(5000);
	for (i = 0; i < 4; i++) {
		/* Addresses of one customer, each in another /64. */
		char from[] = "2001:db8:0:1::1";

		from[11] = (char)('1' + i);
		many[i] = come(from);
		if (i < 2)
			assert_true(asks(many[i]));
	}
	/* One /48 may have half; the third and fourth connection replaced
	 * others. */
	assert_int_equal(ends[HTTP_END_SOURCE], 2);
	assert_int_equal(conns.count, 3);
	for (i = 0; i < 4; i++)
		(void)come("198.51.100.1");
	assert_int_equal(conns.count, 5);
	assert_true(asks(few));
}

static void some_places_are_for_this_machine(void **state)
{
	int here = come("127.0.0.1");

	(void)state;
	http_conns_bound(&conns, 8);
	assert_true(asks(here));
	pass(5000);
	for (int i = 0; i < 20; i++) {
		char from[] = "192.0.2.10";

		(void)snprintf(from, sizeof(from), "192.0.2.%d", 10 + i);
		assert_true(asks(come(from)));
	}
	assert_true(asks(here));
}

static void unread_answers_are_bounded(void **state)
{
	(void)state;
	answer_size = 1 << 20;
	for (int i = 0; i < 20; i++) {
		char from[] = "192.0.2.10";

		(void)snprintf(from, sizeof(from), "192.0.2.%d", 10 + i % 7);
		say(come(from), ASK ASK ASK);
		turn();
		assert_true(conns.unsent <= HTTP_UNSENT_MAX + answer_size);
	}
	assert_true(ends[HTTP_END_UNREAD] >= 4);
	pass(HTTP_WRITING_MS + 2000);
	assert_int_equal(conns.count, 0);
	assert_true(ends[HTTP_END_ANSWER] > 0);
}

/* Fills what the kernel takes for this connection, as answers do that nobody
 * reads. */
static void stuff(const struct http_conn *conn)
{
	static const char junk[4096];

	for (size_t piece = sizeof(junk); piece; piece /= 8)
		while (send(conn->fd, junk, piece,
			       MSG_DONTWAIT | MSG_NOSIGNAL) > 0)
			;
}

static void a_last_word_may_end_the_next_one_of_the_sweep(void **state)
{
	int late = come("192.0.2.1");
	struct http_conn *conn = TAILQ_FIRST(&conns.list);
	size_t left;

	(void)state;
	/* Answers that are not read reach the bound; the oldest of these, which
	 * goes first, comes after the late one. */
	for (int i = 0; (left = HTTP_UNSENT_MAX - conns.unsent); i++) {
		char from[24];
		int fd;

		assert_true(i < 40);
		(void)snprintf(from, sizeof(from), "192.0.2.%d", i + 2);
		answer_size = 1 << 20;
		fd = come(from);
		if (left < answer_size) {
			stuff(TAILQ_LAST(&conns.list, http_conn_list));
			answer_size = left > 260 ? left - 260 : 1;
		}
		say(fd, ASK);
		assert_true(event_base_loop(base, EVLOOP_NONBLOCK) >= 0);
		now_ms++;
		if (left < 1 << 20)
			break;
	}
	assert_int_equal(ends[HTTP_END_UNREAD], 0);
	stuff(conn);
	say(late, HALF);
	assert_true(event_base_loop(base, EVLOOP_NONBLOCK) >= 0);
	now_ms += HTTP_READING_MS + 500;
	turn();
	assert_int_equal(ends[HTTP_END_UNREAD], 1);
	assert_true(conns.unsent <= HTTP_UNSENT_MAX);
}

static void hear_all(int fd)
{
	while (recv(fd, heard, sizeof(heard), MSG_DONTWAIT) > 0)
		;
}

/* It is read while its next request waits for a turn. */
static void who_is_answered_out_of_turn_has_one_answer(void **state)
{
	int fd = come("192.0.2.1"), other;
	struct http_conn *conn = TAILQ_FIRST(&conns.list);

	(void)state;
	say(fd, ASK ASK);
	assert_true(event_base_loop(base, EVLOOP_NONBLOCK | EVLOOP_ONCE) >= 0);
	assert_true(event_pending(conn->turn, EV_TIMEOUT, NULL));
	now_ms++;
	other = come("192.0.2.2");
	say(other, HALF);
	http_serve_read(TAILQ_LAST(&conns.list, http_conn_list));
	now_ms++;
	answer_size = 1 << 20;
	say(fd, ASK HALF);
	http_serve_read(conn);
	assert_int_equal(conn->state, HTTP_WRITING);
	for (int i = 0; i < 3; i++) {
		assert_true(event_base_loop(base, EVLOOP_NONBLOCK) >= 0);
		assert_int_equal(conn->state, HTTP_WRITING);
		assert_true(conns.unsent <= answer_size + 200);
	}
	for (int i = 0; i < 200; i++) {
		hear_all(fd);
		assert_true(event_base_loop(base, EVLOOP_NONBLOCK) >= 0);
		/* Only an answer that is not sent waits for the socket. */
		assert_int_equal(
			event_pending(conn->writable, EV_WRITE, NULL) != 0,
			conn->state == HTTP_WRITING);
	}
	assert_int_equal(conn->state, HTTP_READING);
	pass(HTTP_READING_MS + HTTP_LINGERING_MS + 2000);
	assert_int_equal(conns.count, 0);
}

static void a_newcomer_waits_for_no_pipelined_requests(void **state)
{
	int fds[8];

	(void)state;
	for (size_t i = 0; i < 8; i++) {
		fds[i] = come("192.0.2.1");
		say(fds[i], ASK ASK);
	}
	assert_true(event_base_loop(base, EVLOOP_NONBLOCK | EVLOOP_ONCE) >= 0);
	for (size_t i = 0; i < 8; i++)
		say(fds[i], ASK);
	answers = 0;
	assert_int_equal(http_conns_evict(&conns), 0);
	assert_int_equal(answers, 0);
	assert_int_equal(conns.count, 7);
}

static void who_takes_too_much_waits_and_then_goes(void **state)
{
	int fd = come("192.0.2.1"), other;

	(void)state;
	assert_true(asks(fd));
	http_sources_spend(&conns.owner.sources,
		&TAILQ_FIRST(&conns.list)->origin, INT64_C(60000000));
	say(fd, ASK);
	turn();
	assert_true(hear(fd) && !heard[0]);
	other = come("192.0.2.2");
	assert_true(asks(other));
	pass(HTTP_WAITING_MS + 2000);
	assert_false(hear(fd));
	assert_non_null(strstr(heard, "HTTP/1.1 503 "));
	assert_int_equal(ends[HTTP_END_DELAY], 1);
}

static void after_a_move_each_has_one_more_answer(void **state)
{
	int fd = come("192.0.2.1");

	(void)state;
	assert_true(asks(fd));
	http_conns_retire(&conns);
	say(fd, ASK);
	turn();
	assert_false(hear(fd));
	assert_non_null(strstr(heard, "Connection: close\r\n"));
	pass(HTTP_LINGERING_MS + 2000);
	assert_int_equal(conns.count, 0);
}

/* Of its source, and of itself. */
static void who_gets_no_memory_is_closed_and_counted(void **state)
{
	static const char *const from[] = {"192.0.2.1", "192.0.2.2"};

	(void)state;
	for (int i = 0; i < 2; i++) {
		int fd;

		failing = i + 1;
		fd = come(from[i]);
		assert_int_equal(failing, 0);
		assert_false(hear(fd));
		assert_int_equal(ends[HTTP_END_MEMORY], i + 1);
		assert_int_equal(conns.count, 0);
		assert_true(asks(come(from[i])));
		http_conns_retire(&conns);
		pass(HTTP_IDLE_MS + 1000);
		assert_int_equal(conns.count, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		T(pollers_keep_their_connection),
		T(a_request_on_its_way_is_not_too_late),
		T(unfinished_requests_are_told_so),
		T(the_oldest_idle_one_makes_room),
		T(a_request_that_is_there_is_answered_first),
		T(who_waits_for_an_answer_is_told_that_it_is_full),
		T(the_source_with_the_most_gives_one_up),
		T(some_places_are_for_this_machine),
		T(unread_answers_are_bounded),
		T(a_last_word_may_end_the_next_one_of_the_sweep),
		T(who_is_answered_out_of_turn_has_one_answer),
		T(a_newcomer_waits_for_no_pipelined_requests),
		T(who_takes_too_much_waits_and_then_goes),
		T(after_a_move_each_has_one_more_answer),
		T(who_gets_no_memory_is_closed_and_counted),
#undef T
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
