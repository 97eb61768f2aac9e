/* SPDX-License-Identifier: MPL-2.0 */

/* Threads block all signals, work for the server of the thread that made
 * them, and have stacks of one size. */

#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <strelaysrv/thread.h>

#include "base/instance.h"
#include "loop/thread_stack.h"

struct seen {
	sigset_t mask;
	const struct instance *instance;
	size_t stack;
	sem_t done;
};

static size_t own_stack(void)
{
	pthread_attr_t attr;
	size_t size = 0;

	assert_int_equal(pthread_getattr_np(pthread_self(), &attr), 0);
	pthread_attr_getstacksize(&attr, &size);
	pthread_attr_destroy(&attr);
	return size;
}

static void *look(void *arg)
{
	struct seen *seen = arg;

	pthread_sigmask(SIG_SETMASK, NULL, &seen->mask);
	seen->stack = own_stack();
	seen->instance = instance;
	sem_post(&seen->done);
	return seen;
}

static void check(const struct seen *seen)
{
	static const int others[] = {SIGHUP, SIGTERM, SIGUSR1, SIGUSR2, SIGINT};
	static const int own[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_int_equal(sigismember(&seen->mask, others[i]), 1);
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		assert_int_equal(sigismember(&seen->mask, own[i]), 0);
	assert_int_equal(seen->stack, THREAD_STACK_BYTES);
}

static void test_joined(void **state)
{
	struct seen seen;
	sigset_t before, after;
	pthread_t thread;
	void *result;

	(void)state;
	assert_int_equal(sem_init(&seen.done, 0, 0), 0);
	pthread_sigmask(SIG_SETMASK, NULL, &before);
	assert_int_equal(relay_thread_start(&thread, look, &seen), 0);
	pthread_sigmask(SIG_SETMASK, NULL, &after);
	assert_int_equal(pthread_join(thread, &result), 0);
	assert_ptr_equal(result, &seen);
	check(&seen);
	for (int number = 1; number < SIGRTMAX; number++)
		assert_int_equal(sigismember(&before, number),
			sigismember(&after, number));
	sem_destroy(&seen.done);
}

static void test_detached(void **state)
{
	/* Static, because the thread may use it after this function has
	 * returned. */
	static struct seen seen;

	(void)state;
	assert_int_equal(sem_init(&seen.done, 0, 0), 0);
	assert_int_equal(relay_thread_start(NULL, look, &seen), 0);
	assert_int_equal(sem_wait(&seen.done), 0);
	check(&seen);
}

static void a_thread_works_for_the_server_of_its_maker(void **state)
{
	struct instance other = {.log = NULL};
	struct seen seen;
	pthread_t thread;

	(void)state;
	assert_int_equal(sem_init(&seen.done, 0, 0), 0);
	instance = &other;
	assert_int_equal(relay_thread_start(&thread, look, &seen), 0);
	instance = &instance_first;
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_ptr_equal(seen.instance, &other);
	assert_int_equal(pthread_create(&thread, NULL, look, &seen), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_ptr_equal(seen.instance, &instance_first);
	sem_destroy(&seen.done);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_joined),
		cmocka_unit_test(test_detached),
		cmocka_unit_test(a_thread_works_for_the_server_of_its_maker),
	};

	return cmocka_run_group_tests_name("thread", tests, NULL, NULL);
}
