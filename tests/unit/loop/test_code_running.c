/* SPDX-License-Identifier: MPL-2.0 */

/* Which module's code a loop's thread runs, and that a thread that runs none
 * can be asked. */

#include <dlfcn.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <event2/event.h>

#include "loop/code_map.h"
#include "loop/code_running.h"
#include "loop/loop.h"

#define QUESTIONS 20

/* A thread with a loop, and an event of a module that waits. */
struct hung {
	struct loop loop;
	pthread_t thread;
	sem_t runs, go_on;
	struct event *event; /* owned; NULL: none */
};

static void *run(void *arg)
{
	struct hung *hung = arg;

	loop_current = &hung->loop;
	assert_int_equal(loop_run(&hung->loop), 0);
	return NULL;
}

static int set_up(void **state)
{
	static struct hung hung;

	hung.event = NULL;
	assert_int_equal(sem_init(&hung.runs, 0, 0), 0);
	assert_int_equal(sem_init(&hung.go_on, 0, 0), 0);
	assert_int_equal(loop_init(&hung.loop, 0), 0);
	*state = &hung;
	return 0;
}

static int tear_down(void **state)
{
	struct hung *hung = *state;

	loop_stop(&hung->loop);
	assert_int_equal(pthread_join(hung->thread, NULL), 0);
	if (hung->event)
		event_free(hung->event);
	loop_finish(&hung->loop);
	sem_destroy(&hung->runs);
	sem_destroy(&hung->go_on);
	return 0;
}

static void wait_for(sem_t *sem)
{
	while (sem_wait(sem) != 0)
		continue;
}

static void tell(struct loop *loop, void *arg)
{
	struct hung *hung = *(struct hung **)arg;

	(void)loop;
	sem_post(&hung->runs);
}

static void start(struct hung *hung)
{
	assert_int_equal(pthread_create(&hung->thread, NULL, run, hung), 0);
	assert_int_equal(loop_post(&hung->loop, tell, &hung, sizeof(hung)), 0);
	wait_for(&hung->runs);
}

/* Libevent's own function reads through NULL in such a thread. */
static void a_thread_that_runs_no_event_can_be_asked(void **state)
{
	struct hung *hung = *state;

	start(hung);
	for (int i = 0; i < QUESTIONS; i++)
		assert_null(code_running(&hung->loop));
}

static void hang(evutil_socket_t fd, short what, void *arg)
{
	struct hung *hung = arg;

	(void)fd;
	(void)what;
	sem_post(&hung->runs);
	wait_for(&hung->go_on);
}

/* The C library stands for the program here.  What the thread runs then is the
 * program's, as when a module waits in a function of the server. */
static void an_event_is_its_modules_whatever_it_calls(void **state)
{
	static const int module;
	const void *in_library = dlsym(RTLD_DEFAULT, "sem_wait");
	const void *here;
	void (*callback)(evutil_socket_t, short, void *) = hang;
	const struct code_owner *owner = NULL;
	struct hung *hung = *state;

	memcpy(&here, &callback, sizeof(here));
	code_map_add(in_library, NULL, NULL, NULL);
	code_map_add(here, "test", "1.0", &module);
	hung->event = event_new(hung->loop.base, -1, 0, hang, hung);
	assert_non_null(hung->event);
	event_active(hung->event, EV_TIMEOUT, 1);
	assert_int_equal(pthread_create(&hung->thread, NULL, run, hung), 0);
	wait_for(&hung->runs);
	/* On a busy machine the answer may come too late. */
	for (int i = 0; i < QUESTIONS && !owner; i++)
		owner = code_running(&hung->loop);
	sem_post(&hung->go_on);
	code_map_remove(here);
	code_map_remove(in_library);
	assert_non_null(owner);
	assert_ptr_equal(owner->module, &module);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
		T(a_thread_that_runs_no_event_can_be_asked),
		T(an_event_is_its_modules_whatever_it_calls),
#undef T
	};

	if (code_running_init() != 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
