/* SPDX-License-Identifier: MPL-2.0 */

/* A timer for which libevent has no memory, again and again. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <event2/event.h>

#include "loop/event_later.h"
#include "loop/loop.h"

#define MANY 1000000 /* calls of the timer: more than any turn has */

struct spin {
	struct loop loop;
	struct event *timer;
	int calls;
	bool delivered;
};

int __real_event_add(struct event *event, const struct timeval *in);
int __wrap_event_add(struct event *event, const struct timeval *in);

/* The loop's own event has no time. */
int __wrap_event_add(struct event *event, const struct timeval *in)
{
	return in ? -1 : __real_event_add(event, in);
}

static void message(struct loop *loop, void *arg)
{
	struct spin *spin = *(struct spin **)arg;

	spin->delivered = true;
	loop_stop(loop);
}

static void set_again(evutil_socket_t fd, short what, void *arg)
{
	static const struct timeval in = {.tv_sec = 60};
	struct spin *spin = arg;

	(void)fd;
	(void)what;
	if (++spin->calls == 10)
		assert_int_equal(
			loop_post(&spin->loop, message, &spin, sizeof(spin)),
			0);
	if (spin->calls == MANY)
		loop_stop(&spin->loop);
	if (spin->calls < 2 * MANY)
		event_later(spin->timer, &in);
}

static void test_a_timer_that_is_set_again_leaves_room(void **state)
{
	static struct spin spin;

	(void)state;
	assert_int_equal(loop_init(&spin.loop, 0), 0);
	spin.timer = evtimer_new(spin.loop.base, set_again, &spin);
	assert_non_null(spin.timer);
	set_again(-1, 0, &spin);
	assert_int_equal(loop_run(&spin.loop), 0);
	assert_true(spin.delivered);
	assert_in_range(spin.calls, 1, MANY - 1);
	event_free(spin.timer);
	loop_finish(&spin.loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_timer_that_is_set_again_leaves_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
