/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of inherited listening sockets. */

#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "net_fixture.h"
#include "net/inherited.h"
#include "net/listen_socket.h"
#include "log/log.h"

void log_core(enum relay_level level, const char *fmt, ...)
{
	(void)level;
	(void)fmt;
}

static int listening(struct sockaddr_storage *addr)
{
	struct sockaddr_in v4 = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000001)};
	socklen_t len = sizeof(*addr);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	memset(addr, 0, sizeof(*addr));
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&v4, sizeof(v4)), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)addr, &len), 0);
	return fd;
}

static void give(const char *text)
{
	assert_int_equal(setenv(INHERITED_SOCKETS, text, 1), 0);
}

static void refuses(const char *text, const char *why)
{
	struct relay_err err = {""};

	give(text);
	assert_int_equal(inherited_init(&err), -1);
	if (!strstr(err.text, why))
		fail_msg("%s: got \"%s\", want \"%s\"", text, err.text, why);
	inherited_finish();
}

static void without_variables_there_are_none(void **state)
{
	struct sockaddr_storage addr = {.ss_family = AF_INET};
	struct relay_err err;

	(void)state;
	assert_int_equal(inherited_init(&err), 0);
	assert_int_equal(inherited_take(INHERITED_RELAY, &addr, false), -1);
	assert_int_equal(inherited_take_any(INHERITED_RELAY), -1);
	inherited_finish();
}

static void sockets_are_found_by_use_and_address(void **state)
{
	struct sockaddr_storage a, b, any_port;
	struct relay_err err;
	int relay = listening(&a), status = listening(&b), copy = dup(relay);
	char text[80];

	(void)state;
	snprintf(text, sizeof(text), "relay:%d,status:%d,relay:%d", relay,
		status, copy);
	give(text);
	assert_int_equal(inherited_init(&err), 0);
	assert_null(getenv(INHERITED_SOCKETS));
	assert_int_equal(inherited_take(INHERITED_STATUS, &a, false), -1);
	assert_int_equal(inherited_take(INHERITED_RELAY, &b, false), -1);
	any_port = a;
	((struct sockaddr_in *)&any_port)->sin_port = 0;
	assert_int_equal(
		inherited_take(INHERITED_RELAY, &any_port, false), relay);
	assert_int_equal(fcntl(relay, F_GETFD), FD_CLOEXEC);
	assert_true(fcntl(relay, F_GETFL) & O_NONBLOCK);
	assert_int_equal(inherited_take(INHERITED_RELAY, &a, false), copy);
	assert_int_equal(inherited_take(INHERITED_RELAY, &a, false), -1);
	assert_int_equal(inherited_take_any(INHERITED_STATUS), status);
	inherited_finish();
	close(relay);
	close(copy);
	close(status);
}

static void what_nobody_takes_is_closed(void **state)
{
	struct sockaddr_storage addr;
	struct relay_err err;
	int fd = listening(&addr);
	char text[40];

	(void)state;
	snprintf(text, sizeof(text), "relay:%d", fd);
	give(text);
	assert_int_equal(inherited_init(&err), 0);
	inherited_finish();
	assert_int_equal(fcntl(fd, F_GETFD), -1);
}

static void wrong_variables_are_told_with_what_was_found(void **state)
{
	int file = open("/dev/null", O_RDONLY);
	char text[40];

	(void)state;
	refuses("nonsense", "\"nonsense\" where USE:DESCRIPTOR belongs");
	refuses("relay:", "where USE:DESCRIPTOR belongs");
	refuses("relay:-1", "where USE:DESCRIPTOR belongs");
	refuses("relay:99999999999999999999", "where USE:DESCRIPTOR belongs");
	refuses("relay:7x", "where USE:DESCRIPTOR belongs");
	refuses("relay:1023", "descriptor 1023, which is no listening");
	snprintf(text, sizeof(text), "relay:%d", file);
	refuses(text, "no listening TCP socket");
	close(file);
}

/* Of the socket strelaysrv.socket, which has not been taken. */
static void check_names(const struct sockaddr_storage *addr)
{
	struct listen_place here = {.addr = *addr}, there = {.addr = *addr};
	struct relay_err err;

	((struct sockaddr_in *)(void *)&there.addr)->sin_port = htons(1);
	assert_int_equal(inherited_check("another", &there, &err), 0);
	assert_int_equal(inherited_check("strelaysrv.socket", &here, &err), 0);
	assert_int_equal(
		inherited_check("strelaysrv.socket", &there, &err), -1);
	assert_non_null(strstr(err.text, "\"strelaysrv.socket\" is bound to"));
}

/* systemd passes descriptors from 3 on, whatever 3 is in this process. */
static void systemds_count_and_names_are_read(void **state)
{
	struct sockaddr_storage addr;
	struct relay_err err;
	int fd = listening(&addr), before = dup(3);
	char pid[24];

	(void)state;
	assert_int_equal(dup2(fd, 3), 3);
	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	setenv("LISTEN_PID", pid, 1);
	setenv("LISTEN_FDS", "1", 1);
	setenv("LISTEN_FDNAMES", "status", 1);
	assert_int_equal(inherited_init(&err), 0);
	assert_null(getenv("LISTEN_FDS"));
	assert_int_equal(inherited_take(INHERITED_RELAY, &addr, false), -1);
	assert_int_equal(inherited_take(INHERITED_STATUS, &addr, false), 3);
	inherited_finish();

	setenv("LISTEN_PID", pid, 1);
	setenv("LISTEN_FDS", "1", 1);
	setenv("LISTEN_FDNAMES", "strelaysrv.socket", 1);
	assert_int_equal(inherited_init(&err), 0);
	check_names(&addr);
	assert_int_equal(inherited_take(INHERITED_RELAY, &addr, false), 3);
	inherited_finish();

	snprintf(pid, sizeof(pid), "%d", (int)getpid() + 1);
	setenv("LISTEN_PID", pid, 1);
	setenv("LISTEN_FDS", "1", 1);
	assert_int_equal(inherited_init(&err), 0);
	assert_int_equal(inherited_take(INHERITED_RELAY, &addr, false), -1);
	inherited_finish();
	if (before >= 0) {
		dup2(before, 3);
		close(before);
	} else if (fd != 3) {
		close(3);
	}
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_variables_there_are_none),
		cmocka_unit_test(sockets_are_found_by_use_and_address),
		cmocka_unit_test(what_nobody_takes_is_closed),
		cmocka_unit_test(wrong_variables_are_told_with_what_was_found),
		cmocka_unit_test(systemds_count_and_names_are_read),
	};

	return cmocka_run_group_tests(tests, net_set_up, net_tear_down);
}
