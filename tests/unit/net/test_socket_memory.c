/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of a socket's kernel memory and its limits. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <cmocka.h>

#include "net/socket_memory.h"

/* The flags of SO_BUF_LOCK, which some C library headers do not define. */
#ifndef SOCK_SNDBUF_LOCK
#define SOCK_SNDBUF_LOCK 1
#endif
#ifndef SOCK_RCVBUF_LOCK
#define SOCK_RCVBUF_LOCK 2
#endif

struct ends {
	int one, other;
};

static struct ends connected(void)
{
	struct sockaddr_in here = {.sin_family = AF_INET};
	socklen_t len = sizeof(here);
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	struct ends ends;

	here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(listener, (struct sockaddr *)&here, len), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(
		getsockname(listener, (struct sockaddr *)&here, &len), 0);
	ends.one = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(connect(ends.one, (struct sockaddr *)&here, len), 0);
	ends.other = accept(listener, NULL, NULL);
	assert_true(ends.other >= 0);
	close(listener);
	return ends;
}

static void finish(struct ends ends)
{
	close(ends.one);
	close(ends.other);
}

static int buffer(int fd, int which)
{
	int bytes = 0;
	socklen_t len = sizeof(bytes);

	assert_int_equal(getsockopt(fd, SOL_SOCKET, which, &bytes, &len), 0);
	return bytes;
}

static size_t used(int fd)
{
	size_t received = 0, unsent = 0;

	socket_memory_used(fd, &received, &unsent);
	return received + unsent;
}

static void unread_bytes_are_counted(void **state)
{
	static const char data[5000];
	struct ends ends = connected();

	(void)state;
	assert_int_equal(used(ends.other), 0);
	assert_int_equal(send(ends.one, data, sizeof(data), 0), sizeof(data));
	assert_true(used(ends.other) >= sizeof(data));
	finish(ends);
	assert_int_equal(used(-1), 0);
}

static void the_bound_is_in_force_both_ways(void **state)
{
	struct ends ends = connected();

	(void)state;
	assert_int_equal(socket_memory_bound(ends.one, 131072), 0);
	assert_int_equal(buffer(ends.one, SO_RCVBUF), 131072);
	assert_int_equal(buffer(ends.one, SO_SNDBUF), 131072);
	finish(ends);
	assert_int_equal(socket_memory_bound(-1, 131072), -1);
}

static void a_path_inside_the_machine_is_short(void **state)
{
	struct ends ends = connected();
	bool fits = false;
	char byte = 0;

	(void)state;
	/* A busy machine may delay any one round trip, but not all. */
	for (int i = 0; i < 1000 && !fits; i++) {
		fits = socket_memory_fit(ends.one);
		assert_int_equal(send(ends.one, &byte, 1, 0), 1);
		assert_int_equal(recv(ends.other, &byte, 1, 0), 1);
		assert_int_equal(send(ends.other, &byte, 1, 0), 1);
		assert_int_equal(recv(ends.one, &byte, 1, 0), 1);
	}
	assert_true(fits);
	assert_int_equal(buffer(ends.one, SO_SNDBUF), 327680);
	finish(ends);
}

static void what_has_no_round_trips_is_left_alone(void **state)
{
	int before, pair[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	before = buffer(pair[0], SO_SNDBUF);
	assert_false(socket_memory_fit(pair[0]));
	assert_int_equal(buffer(pair[0], SO_SNDBUF), before);
	close(pair[0]);
	close(pair[1]);
}

static void a_beginner_has_little_until_it_is_opened(void **state)
{
	struct sockaddr_in here = {.sin_family = AF_INET};
	socklen_t len = sizeof(here);
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	struct ends ends;

	(void)state;
	here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(socket_memory_begin_small(listener), 0);
	assert_int_equal(bind(listener, (struct sockaddr *)&here, len), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(
		getsockname(listener, (struct sockaddr *)&here, &len), 0);
	ends.one = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(connect(ends.one, (struct sockaddr *)&here, len), 0);
	ends.other = accept(listener, NULL, NULL);
	assert_int_equal(buffer(ends.other, SO_RCVBUF), BEGINNER_BYTES);
	assert_int_equal(socket_memory_open(ends.other, false), 0);
	assert_true(buffer(ends.other, SO_RCVBUF) > BEGINNER_BYTES);
	/* The kernel continues to size the buffer. */
	assert_int_equal(buffer(ends.other, SO_BUF_LOCK), 0);
	assert_int_equal(socket_memory_begin_small(-1), -1);
	assert_int_equal(socket_memory_open(-1, false), -1);
	close(listener);
	finish(ends);
}

/* Each socket is the source of one direction and the sink of the other one. */
static void a_direction_leaves_the_bounds_of_the_other_one(void **state)
{
	struct ends ends = connected();

	(void)state;
	assert_int_equal(
		socket_memory_squeeze(ends.one, ends.other, 131072), 0);
	assert_int_equal(
		socket_memory_squeeze(ends.other, ends.one, 131072), 0);
	assert_int_equal(socket_memory_open(ends.one, true), 0);
	assert_int_equal(buffer(ends.one, SO_BUF_LOCK), SOCK_SNDBUF_LOCK);
	assert_int_equal(buffer(ends.one, SO_SNDBUF), 131072);
	assert_int_equal(socket_memory_relax(ends.other, true), 0);
	assert_int_equal(buffer(ends.other, SO_BUF_LOCK), SOCK_RCVBUF_LOCK);
	assert_int_equal(buffer(ends.other, SO_RCVBUF), 131072);
	assert_int_equal(socket_memory_open(ends.one, false), 0);
	assert_int_equal(socket_memory_relax(ends.other, false), 0);
	assert_int_equal(buffer(ends.one, SO_BUF_LOCK), 0);
	assert_int_equal(buffer(ends.other, SO_BUF_LOCK), 0);
	finish(ends);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_beginner_has_little_until_it_is_opened),
		cmocka_unit_test(unread_bytes_are_counted),
		cmocka_unit_test(the_bound_is_in_force_both_ways),
		cmocka_unit_test(a_path_inside_the_machine_is_short),
		cmocka_unit_test(what_has_no_round_trips_is_left_alone),
		cmocka_unit_test(
			a_direction_leaves_the_bounds_of_the_other_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
