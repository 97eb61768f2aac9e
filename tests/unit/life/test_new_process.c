/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of what the new process of an upgrade is told. */

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include <strelaysrv/server.h>

#include "base/instance.h"
#include "http/http.h"
#include "life/life_state.h"
#include "life/new_process.h"
#include "net/inherited.h"
#include "peers/listeners.h"

#define CHANNEL 900 /* no descriptor */

static struct life_state life; /* without a launcher */
static struct instance server = {.life = &life};
static int relay_sockets, status_sockets;
static bool fails;
static struct new_process process;
static struct relay_err err;

void *__real_reallocarray(void *old, size_t count, size_t size);
void *__wrap_reallocarray(void *old, size_t count, size_t size);

/* What was never written is no descriptor. */
void *__wrap_reallocarray(void *old, size_t count, size_t size)
{
	unsigned char *bytes = __real_reallocarray(NULL, count, size);

	assert_non_null(bytes);
	memset(bytes, 0x7f, count * size);
	if (old)
		memcpy(bytes, old, process.count * size);
	free(old);
	return bytes;
}

int listeners_each(listeners_socket_fn *fn, void *arg)
{
	for (int i = 0; i < relay_sockets; i++)
		if (fn(INHERITED_RELAY, 100 + i, arg) != 0)
			return -1;
	return fails ? -1 : 0;
}

int http_each_socket(listeners_socket_fn *fn, void *arg)
{
	for (int i = 0; i < status_sockets; i++)
		if (fn(INHERITED_STATUS, 500 + i, arg) != 0)
			return -1;
	return 0;
}

const uint8_t *relay_server_id(void)
{
	static const uint8_t id[RELAY_DEVICE_ID_LEN] = {1};

	return id;
}

static int prepare(int relay, int status)
{
	relay_sockets = relay;
	status_sockets = status;
	return new_process_prepare(&process, CHANNEL, &err);
}

static void finish(void)
{
	process.channel_fd = -1; /* not to be closed */
	new_process_free(&process);
}

/* The value of a variable in the new environment; NULL: there is none. */
static const char *variable(const char *name)
{
	const char *found = NULL;

	for (char **text = process.environment; *text; text++)
		if (strncmp(*text, name, strlen(name)) == 0 &&
			(*text)[strlen(name)] == '=') {
			assert_null(found);
			found = *text + strlen(name) + 1;
		}
	return found;
}

static void test_it_is_told_its_sockets(void **state)
{
	(void)state;
	assert_int_equal(setenv(INHERITED_SOCKETS, "relay:7", 1), 0);
	assert_int_equal(setenv("KEPT", "yes", 1), 0);
	assert_int_equal(prepare(2, 1), 0);
	assert_string_equal(
		variable(INHERITED_SOCKETS), "relay:100,relay:101,status:500");
	assert_string_equal(variable(HANDOVER_CHANNEL), "900");
	assert_int_equal(strlen(variable(HANDOVER_ID)), 63);
	assert_string_equal(variable("KEPT"), "yes");
	finish();
}

static void test_without_sockets_none_are_named(void **state)
{
	(void)state;
	assert_int_equal(prepare(0, 0), 0);
	assert_null(variable(INHERITED_SOCKETS));
	assert_int_equal(process.count, 1);
	finish();
}

static void test_all_sockets_stay_open(void **state)
{
	(void)state;
	assert_int_equal(prepare(200, 2), 0);
	assert_int_equal(process.count, 203);
	assert_int_equal(process.fds[0], CHANNEL);
	for (int i = 0; i < 200; i++)
		assert_int_equal(process.fds[1 + i], 100 + i);
	assert_int_equal(process.fds[202], 501);
	finish();
}

static void test_without_memory_it_is_not_begun(void **state)
{
	(void)state;
	fails = true;
	assert_int_equal(prepare(1, 1), -1);
	assert_string_equal(err.text, "out of memory");
	fails = false;
	finish();
}

/* It needs no more descriptors than it is told of. */
static void test_it_is_started_with_what_it_is_told(void **state)
{
	char *const argv[] = {(char[]){"true"}, NULL};
	int status = 0;
	pid_t pid;

	(void)state;
	assert_int_equal(prepare(0, 0), 0);
	process.fds[0] = STDIN_FILENO;
	assert_int_equal(new_process_start(&process, argv, &pid, &err), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	finish();
	assert_int_equal(prepare(0, 0), 0);
	assert_int_equal(new_process_start(&process, argv, &pid, &err), -1);
	finish();
}

/* A new process that takes the old one for dead joins its group. */
static void test_who_has_left_its_group_is_killed_too(void **state)
{
	int ready[2], status = 0;
	char byte;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(ready), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		if (setpgid(0, 0) == 0 && fork() != 0 &&
			setpgid(0, getpgid(getppid())) == 0)
			(void)!write(ready[1], "x", 1);
		(void)alarm(60);
		for (;;)
			(void)pause();
	}
	assert_int_equal(close(ready[1]), 0);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	new_process_kill(pid);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	/* Neither it nor its child has the other end of the pipe any more. */
	assert_int_equal(read(ready[0], &byte, 1), 0);
	assert_int_equal(close(ready[0]), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_it_is_told_its_sockets),
		cmocka_unit_test(test_without_sockets_none_are_named),
		cmocka_unit_test(test_all_sockets_stay_open),
		cmocka_unit_test(test_without_memory_it_is_not_begun),
		cmocka_unit_test(test_it_is_started_with_what_it_is_told),
		cmocka_unit_test(test_who_has_left_its_group_is_killed_too),
	};

	instance = &server;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
