/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of the process that starts programs: what it starts, and what whoever
 * asks cannot make it do. */

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/instance.h"
#include "base/rights.h"
#include "life/handover.h"
#include "life/launcher.h"
#include "life/life_state.h"

/* More than go into one message. */
#define FDS 450

static const struct rights unchanged;
static const char *const id[] = {HANDOVER_ID "=abc", NULL};

/* The program is a shell: it ends with 0 if `command` says so. */
static void begin(char *argv[], const char *program, const char *command)
{
	static char name[64], flag[] = "-c", text[256];
	struct relay_err err;

	strcpy(name, program);
	strcpy(text, command);
	argv[0] = name;
	argv[1] = flag;
	argv[2] = text;
	argv[3] = NULL;
	assert_int_equal(life_create(), 0);
	assert_int_equal(launcher_start(&unchanged, true, 0, argv, &err), 0);
	assert_true(launcher_runs());
}

static void end(void)
{
	launcher_finish();
	assert_false(launcher_runs());
	life_destroy();
}

static int exit_code(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void it_starts_the_program(void **state)
{
	struct relay_err err;
	char *argv[4];
	int fds[FDS];
	pid_t pid;

	(void)state;
	begin(argv, "/bin/sh",
		"test \"$" HANDOVER_ID "\" = abc && test -e /proc/self/fd/4 "
		"&& test -e /proc/self/fd/453 && test ! -e /proc/self/fd/454");
	for (size_t i = 0; i < FDS; i++)
		fds[i] = STDERR_FILENO;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(launcher_launch(fds, FDS, id, &pid, &err), 0);
		assert_int_equal(exit_code(pid), 0);
	}
	end();
}

static void its_signals_are_the_default_ones(void **state)
{
	const int fds[] = {STDERR_FILENO};
	struct relay_err err;
	char *argv[4];
	pid_t pid;

	(void)state;
	(void)signal(SIGPIPE, SIG_IGN);
	begin(argv, "/bin/sh", "kill -PIPE $$; exit 0");
	assert_int_equal(launcher_launch(fds, 1, id, &pid, &err), 0);
	assert_int_equal(exit_code(pid), -1);
	end();
}

static void a_program_that_is_missing_is_an_error(void **state)
{
	const int fds[] = {STDERR_FILENO};
	struct relay_err err;
	char *argv[4];
	pid_t pid = -1;

	(void)state;
	begin(argv, "/no/such/program", "");
	for (int i = 0; i < 2; i++) {
		assert_int_equal(launcher_launch(fds, 1, id, &pid, &err), -1);
		assert_string_equal(err.text, strerror(ENOENT));
	}
	assert_int_equal(pid, -1);
	end();
}

static void other_variables_are_refused(void **state)
{
	static const char *const wrong[] = {"LD_PRELOAD=/tmp/x.so", "PATH=/tmp",
		HANDOVER_ID, HANDOVER_ID "S=1", ""};
	const int fds[] = {STDERR_FILENO};
	struct relay_err err;
	char *argv[4];
	pid_t pid = -1;

	(void)state;
	begin(argv, "/bin/sh", "true");
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		const char *const texts[] = {id[0], wrong[i], NULL};

		assert_int_equal(
			launcher_launch(fds, 1, texts, &pid, &err), -1);
		assert_string_equal(err.text, strerror(EINVAL));
	}
	assert_int_equal(launcher_launch(fds, 1, id, &pid, &err), 0);
	assert_int_equal(exit_code(pid), 0);
	end();
}

static void an_impossible_request_ends_it(void **state)
{
	const struct launcher_request request = {
		.fds = LAUNCHER_FDS_MAX + 1, .text = 1};
	const int fds[] = {STDERR_FILENO};
	struct relay_err err;
	char *argv[4];
	pid_t pid;
	char byte;

	(void)state;
	begin(argv, "/bin/sh", "true");
	assert_int_equal(launcher_write(instance->life->launcher.fd, &request,
				 sizeof(request)),
		0);
	assert_int_equal(
		launcher_read(instance->life->launcher.fd, &byte, 1), -1);
	assert_int_equal(launcher_launch(fds, 1, id, &pid, &err), -1);
	assert_non_null(strstr(err.text, "does not answer"));
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_starts_the_program),
		cmocka_unit_test(its_signals_are_the_default_ones),
		cmocka_unit_test(a_program_that_is_missing_is_an_error),
		cmocka_unit_test(other_variables_are_refused),
		cmocka_unit_test(an_impossible_request_ends_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
