/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of the crash report, each in a process that crashes. */

#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "loop/crash.h"
#include "loop/loop.h"
#include "modules/module.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

_Thread_local struct loop *loop_current;

static struct relay_module mod = {
	.def = {.name = "rate-limit", .version = "1.2"},
};
static struct loop loop = {.index = 3};
static char report[65536];
static int describe_ms; /* how long the report takes to assemble */
static atomic_bool assembling;

static void describe(
	const struct relay_ctx *cx, const char **name, const char **version)
{
	/* Meanwhile another thread can have a fault. */
	atomic_store(&assembling, true);
	(void)poll(NULL, 0, describe_ms);
	*name = cx->mod->def.name;
	*version = cx->mod->def.version;
}

/* Restores the default signal handlers, which the shell and cmocka may have
 * changed. */
static void die(void (*how)(void), int to)
{
	static const int all[] = {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL};
	const struct rlimit no_core = {0, 0};

	for (size_t i = 0; !SANITIZED && i < sizeof(all) / sizeof(all[0]); i++)
		(void)signal(all[i], SIG_DFL);
	(void)setrlimit(RLIMIT_CORE, &no_core);
	(void)dup2(to, STDERR_FILENO);
	(void)dup2(to, STDOUT_FILENO);
	if (crash_init(describe) == 0)
		how();
	_exit(99);
}

/* Returns the wait status; the process's output is in `report`. */
static int run(void (*how)(void))
{
	int ends[2], status;
	size_t len = 0;
	ssize_t n;
	pid_t pid;

	assert_int_equal(pipe(ends), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		die(how, ends[1]);
	close(ends[1]);
	while ((n = read(ends[0], report + len, sizeof(report) - 1 - len)) > 0)
		len += (size_t)n;
	report[len] = '\0';
	close(ends[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void check(int status, int signal_number, const char *line)
{
	if (!strstr(report, line))
		fail_msg("got \"%s\", want \"%s\"", report, line);
	/* Sanitizers handle the signal after us and exit differently. */
	if (SANITIZED) {
		assert_true(status != 0);
		return;
	}
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), signal_number);
	assert_string_equal(strchr(report, '\n'), "\n"); /* one line */
}

__attribute__((no_sanitize("undefined"))) static void write_to_nowhere(void)
{
	static volatile uintptr_t where = 0x10;

	*(volatile int *)where = 1;
}

static void fault_in_a_module(void)
{
	static const struct relay_ctx cx = {.mod = &mod};

	loop.running = &cx;
	loop_current = &loop;
	write_to_nowhere();
}

static void *fault_meanwhile(void *arg)
{
	while (!atomic_load(&assembling))
		(void)poll(NULL, 0, 1);
	write_to_nowhere();
	return arg;
}

static void fault_on_two_threads(void)
{
	pthread_t other;

	describe_ms = 300;
	if (pthread_create(&other, NULL, fault_meanwhile, NULL) == 0)
		fault_in_a_module();
}

static void raise_abort(void)
{
	loop.index = RELAY_CONTROL;
	loop_current = &loop;
	abort();
}

static void be_killed(void)
{
	(void)kill(getpid(), SIGBUS);
	for (;;)
		(void)pause();
}

__attribute__((noinline)) static int dig(volatile char *above)
{
	volatile char room[65536];

	room[0] = above[0];
	return room[0] ? 0 : dig(room) + room[1];
}

static void overflow_the_stack(void)
{
	volatile char start[2] = {0, 0};

	(void)dig(start);
}

static void a_fault_names_module_thread_and_address(void **state)
{
	(void)state;
	check(run(fault_in_a_module), SIGSEGV,
		"strelaysrv: fatal signal SIGSEGV at address 0x10, on worker 3,"
		" in module rate-limit 1.2\n");
}

static void two_faults_at_once_make_one_report(void **state)
{
	(void)state;
	/* Then cmocka's handler would leave both threads by one longjmp(). */
	if (SANITIZED)
		skip();
	check(run(fault_on_two_threads), SIGSEGV,
		"strelaysrv: fatal signal SIGSEGV at address 0x10, on worker 3,"
		" in module rate-limit 1.2\n");
}

static void an_abort_is_our_own(void **state)
{
	(void)state;
	check(run(raise_abort), SIGABRT,
		"strelaysrv: fatal signal SIGABRT, raised by itself, on the "
		"control thread, in the server itself\n");
}

static void what_is_sent_ends_the_process_too(void **state)
{
	(void)state;
	check(run(be_killed), SIGBUS, "fatal signal SIGBUS");
}

static void a_stack_overflow_is_reported(void **state)
{
	(void)state;
	if (SANITIZED)
		skip();
	check(run(overflow_the_stack), SIGSEGV, "fatal signal SIGSEGV");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_fault_names_module_thread_and_address),
		cmocka_unit_test(two_faults_at_once_make_one_report),
		cmocka_unit_test(an_abort_is_our_own),
		cmocka_unit_test(what_is_sent_ends_the_process_too),
		cmocka_unit_test(a_stack_overflow_is_reported),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
