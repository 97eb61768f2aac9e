/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of the messages between the two processes of an upgrade. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "life/handover.h"

#define DESCRIPTORS 64 /* none is above */

static int open_descriptors(void)
{
	int count = 0;

	for (int fd = 0; fd < DESCRIPTORS; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

static void send_with(int channel, size_t len, const int *fds, size_t count)
{
	char word = HANDOVER_CONN;
	struct iovec part = {&word, len};
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(3 * sizeof(int))];
	} control = {.room = ""};
	struct msghdr message = {.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = CMSG_SPACE(count * sizeof(int))};

	control.head.cmsg_level = SOL_SOCKET;
	control.head.cmsg_type = SCM_RIGHTS;
	control.head.cmsg_len = CMSG_LEN(count * sizeof(int));
	memcpy(CMSG_DATA(&control.head), fds, count * sizeof(int));
	assert_int_equal(sendmsg(channel, &message, 0), len);
}

static void a_message_arrives_with_its_descriptor(void **state)
{
	struct handover_message message;
	int ends[2];

	(void)state;
	assert_int_equal(handover_pair(ends), 0);
	assert_int_equal(handover_receive(ends[1], &message), 0);
	assert_int_equal(
		handover_send(ends[0], HANDOVER_CONN, "abc", 3, STDERR_FILENO),
		0);
	assert_int_equal(handover_receive(ends[1], &message), 1);
	assert_int_equal(message.word, HANDOVER_CONN);
	assert_int_equal(message.len, 3);
	assert_memory_equal(message.data, "abc", 3);
	assert_true(message.fd >= 0);
	(void)close(message.fd);
	(void)close(ends[0]);
	assert_int_equal(handover_receive(ends[1], &message), -1);
	(void)close(ends[1]);
}

static void further_descriptors_are_closed(void **state)
{
	int before = open_descriptors(), ends[2];
	const int fds[] = {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO};
	struct handover_message message;

	(void)state;
	assert_int_equal(handover_pair(ends), 0);
	for (size_t count = 1; count <= 3; count++) {
		send_with(ends[0], 1, fds, count);
		assert_int_equal(handover_receive(ends[1], &message), 1);
		assert_true(message.fd >= 0);
		(void)close(message.fd);
		assert_int_equal(open_descriptors(), before + 2);
	}
	(void)close(ends[0]);
	(void)close(ends[1]);
}

/* It looks like the end of the channel. */
static void the_descriptor_of_an_empty_message_is_closed(void **state)
{
	int before = open_descriptors(), ends[2];
	const int fds[] = {STDIN_FILENO, STDOUT_FILENO};
	struct handover_message message;

	(void)state;
	assert_int_equal(handover_pair(ends), 0);
	send_with(ends[0], 0, fds, 2);
	assert_int_equal(handover_receive(ends[1], &message), -1);
	assert_int_equal(open_descriptors(), before + 2);
	(void)close(ends[0]);
	(void)close(ends[1]);
}

static void too_much_data_is_not_sent(void **state)
{
	static const char data[HANDOVER_DATA + 1];
	struct handover_message message;
	int ends[2];

	(void)state;
	assert_int_equal(handover_pair(ends), 0);
	assert_int_equal(
		handover_send(ends[0], HANDOVER_CONN, data, sizeof(data), -1),
		-1);
	assert_int_equal(handover_receive(ends[1], &message), 0);
	(void)close(ends[0]);
	(void)close(ends[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_message_arrives_with_its_descriptor),
		cmocka_unit_test(further_descriptors_are_closed),
		cmocka_unit_test(the_descriptor_of_an_empty_message_is_closed),
		cmocka_unit_test(too_much_data_is_not_sent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
