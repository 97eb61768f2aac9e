/* SPDX-License-Identifier: MPL-2.0 */

/* What strelaysrv-testutil says of relays that change, lose or keep bytes: the
 * test is the relay between two pairs of sockets. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "loopback.h"

#define PATIENCE_MS 60000

enum { ONE, OTHER, ENDS };

static struct {
	struct event_base *base;
	struct loopback *loopback;
	int relay[ENDS]; /* the relay's ends */
	int64_t round_trip_us, throughput;
	const char *failed;
	struct event *ready[ENDS];
	unsigned rounds;
	bool fast;
	void (*pass)(int from, uint8_t *data, size_t len);
} test;

static void round_trip(int64_t best_us, void *arg)
{
	(void)arg;
	test.round_trip_us = best_us;
	test.fast = true;
}

static void throughput(int64_t bytes_per_s, int64_t took_us, void *arg)
{
	(void)took_us;
	(void)arg;
	test.throughput = bytes_per_s;
	(void)event_base_loopbreak(test.base);
}

static void failed(const char *what, void *arg)
{
	(void)arg;
	test.failed = what;
	(void)event_base_loopbreak(test.base);
}

static const struct loopback_handlers handlers = {
	round_trip, throughput, failed};

static void ready(evutil_socket_t fd, short what, void *arg)
{
	static uint8_t data[65536];
	ssize_t n = recv(fd, data, sizeof(data), MSG_DONTWAIT);

	(void)what;
	(void)arg;
	if (n <= 0)
		return;
	test.rounds++;
	test.pass(fd == test.relay[ONE] ? ONE : OTHER, data, (size_t)n);
}

static void send_on(int from, const uint8_t *data, size_t len)
{
	assert_int_equal(
		send(test.relay[ENDS - 1 - from], data, len, MSG_NOSIGNAL),
		len);
}

/* Starts it, with this relay, and runs it until it says something. */
static void run(
	void (*pass)(int from, uint8_t *data, size_t len), int64_t patience_ms)
{
	int end[ENDS][2];

	test.pass = pass;
	for (int i = 0; i < ENDS; i++) {
		assert_int_equal(
			socketpair(AF_UNIX, SOCK_STREAM, 0, end[i]), 0);
		test.relay[i] = end[i][1];
		test.ready[i] = event_new(test.base, end[i][1],
			EV_READ | EV_PERSIST, ready, NULL);
		assert_int_equal(event_add(test.ready[i], NULL), 0);
	}
	test.loopback = loopback_start(test.base, end[ONE][0], end[OTHER][0],
		patience_ms, &handlers, NULL);
	assert_non_null(test.loopback);
	assert_true(event_base_dispatch(test.base) >= 0);
}

static int setup(void **state)
{
	(void)state;
	memset(&test, 0, sizeof(test));
	test.base = event_base_new();
	return test.base ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	loopback_free(test.loopback);
	for (int i = 0; i < ENDS; i++) {
		if (!test.ready[i])
			continue;
		event_free(test.ready[i]);
		(void)close(test.relay[i]);
	}
	event_base_free(test.base);
	return 0;
}

static void good(int from, uint8_t *data, size_t len)
{
	send_on(from, data, len);
}

static void what_a_good_relay_does_is_measured(void **state)
{
	(void)state;
	run(good, PATIENCE_MS);
	assert_null(test.failed);
	assert_true(test.fast);
	assert_true(test.throughput > 0);
}

static void changed(int from, uint8_t *data, size_t len)
{
	data[len - 1] ^= 1;
	send_on(from, data, len);
}

static void a_changed_byte_of_a_round_trip_is_found(void **state)
{
	(void)state;
	run(changed, PATIENCE_MS);
	assert_string_equal(test.failed, "other bytes came than were sent");
	assert_false(test.fast);
}

static void later_changed(int from, uint8_t *data, size_t len)
{
	if (test.fast)
		data[len / 2] ^= 0x80;
	send_on(from, data, len);
}

static void a_changed_byte_of_a_stream_is_found(void **state)
{
	(void)state;
	run(later_changed, PATIENCE_MS);
	assert_string_equal(test.failed, "other bytes came than were sent");
	assert_true(test.fast);
}

static void invented(int from, uint8_t *data, size_t len)
{
	send_on(from, data, len);
	if (test.fast && from == ONE)
		send_on(OTHER, data, 1);
}

static void a_byte_that_nobody_has_sent_is_found(void **state)
{
	(void)state;
	run(invented, PATIENCE_MS);
	assert_string_equal(test.failed, "bytes came that nobody has sent");
}

static void early(int from, uint8_t *data, size_t len)
{
	if (from == ONE)
		assert_int_equal(
			send(test.relay[ONE], data, 1, MSG_NOSIGNAL), 1);
	(void)len;
}

static void an_echo_is_no_relay(void **state)
{
	(void)state;
	run(early, PATIENCE_MS);
	assert_string_equal(test.failed, "bytes came that nobody has sent");
}

static void in_pieces(int from, uint8_t *data, size_t len)
{
	for (size_t i = 0; i < len && !test.fast; i++)
		send_on(from, data + i, 1);
	if (test.fast)
		send_on(from, data, len);
}

static void pieces_are_put_together(void **state)
{
	(void)state;
	run(in_pieces, PATIENCE_MS);
	assert_null(test.failed);
	assert_true(test.throughput > 0);
}

static void ended(int from, uint8_t *data, size_t len)
{
	(void)data;
	(void)len;
	(void)shutdown(test.relay[ENDS - 1 - from], SHUT_RDWR);
}

static void the_end_of_a_session_is_told(void **state)
{
	(void)state;
	run(ended, PATIENCE_MS);
	assert_string_equal(test.failed, "the relay ended the session");
}

static void ended_in_the_stream(int from, uint8_t *data, size_t len)
{
	if (test.fast)
		(void)shutdown(test.relay[from], SHUT_RDWR);
	else
		send_on(from, data, len);
}

static void who_cannot_write_any_more_says_why(void **state)
{
	(void)state;
	run(ended_in_the_stream, PATIENCE_MS);
	assert_non_null(test.failed);
	assert_true(test.fast);
}

static void kept(int from, uint8_t *data, size_t len)
{
	(void)from;
	(void)data;
	(void)len;
}

static void a_relay_that_keeps_bytes_is_not_waited_for(void **state)
{
	(void)state;
	run(kept, 50);
	assert_string_equal(test.failed, "no bytes came through in time");
}

static void a_session_that_has_ended_does_not_start(void **state)
{
	int one[2], other[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, one), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, other), 0);
	(void)close(one[1]);
	assert_null(loopback_start(
		test.base, one[0], other[0], PATIENCE_MS, &handlers, NULL));
	assert_int_equal(recv(other[1], &one, 1, 0), 0); /* it was closed */
	(void)close(other[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		T(what_a_good_relay_does_is_measured),
		T(a_changed_byte_of_a_round_trip_is_found),
		T(a_changed_byte_of_a_stream_is_found),
		T(a_byte_that_nobody_has_sent_is_found),
		T(an_echo_is_no_relay),
		T(pieces_are_put_together),
		T(the_end_of_a_session_is_told),
		T(who_cannot_write_any_more_says_why),
		T(a_relay_that_keeps_bytes_is_not_waited_for),
		T(a_session_that_has_ended_does_not_start),
#undef T
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
