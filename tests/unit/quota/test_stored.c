/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of beginning to write the state without memory. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <stdbool.h>
#include <cmocka.h>

#include <strelaysrv/module.h>
#include <strelaysrv/thread.h>

#include "data.h"
#include "stored.h"

static bool no_memory;
static const struct relay_work *work;
static void *job;

void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);

void *__wrap_calloc(size_t count, size_t size)
{
	return no_memory ? NULL : __real_calloc(count, size);
}

int relay_work_start(struct relay_ctx *cx, const struct relay_work *what,
	void *arg, struct relay_err *err)
{
	(void)cx;
	(void)err;
	work = what;
	job = arg;
	return 0;
}

/* The work never ends here. */
bool relay_work_wait(struct relay_ctx *cx, int64_t ms)
{
	(void)cx;
	(void)ms;
	return false;
}

void relay_work_drop(struct relay_ctx *cx)
{
	(void)cx;
}

int64_t relay_now_ms(const struct relay_ctx *cx)
{
	(void)cx;
	return 1;
}

static void test_what_cannot_begin_has_failed(void **state)
{
	const struct conf conf = {.state_file = "/nonexistent/quota.state"};
	struct data data = {.saved_ms = 0};
	struct relay_ctx cx = {.conf = &conf, .data = &data};
	struct relay_err err;

	(void)state;
	no_memory = true;
	assert_int_equal(stored_begin(&cx, &err), -1);
	assert_string_equal(err.text, "out of memory");
	assert_null(job);
	no_memory = false;
	/* A disk that is slow is no failure. */
	assert_int_equal(stored_begin(&cx, &err), 0);
	assert_non_null(job);
	work->free(job);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_cannot_begin_has_failed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
