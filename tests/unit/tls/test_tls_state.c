/* SPDX-License-Identifier: MPL-2.0 */

/* The room's state, where something that it needs cannot be made. */

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/instance.h"
#include "tls/tls_state.h"

static struct {
	bool memory, mutex, condition;
} lacks;

void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);
int __real_pthread_mutex_init(
	pthread_mutex_t *mutex, const pthread_mutexattr_t *attr);
int __wrap_pthread_mutex_init(
	pthread_mutex_t *mutex, const pthread_mutexattr_t *attr);
int __real_pthread_cond_init(
	pthread_cond_t *condition, const pthread_condattr_t *attr);
int __wrap_pthread_cond_init(
	pthread_cond_t *condition, const pthread_condattr_t *attr);

void *__wrap_calloc(size_t count, size_t size)
{
	return lacks.memory ? NULL : __real_calloc(count, size);
}

int __wrap_pthread_mutex_init(
	pthread_mutex_t *mutex, const pthread_mutexattr_t *attr)
{
	return lacks.mutex ? EAGAIN : __real_pthread_mutex_init(mutex, attr);
}

int __wrap_pthread_cond_init(
	pthread_cond_t *condition, const pthread_condattr_t *attr)
{
	return lacks.condition ? EAGAIN
			       : __real_pthread_cond_init(condition, attr);
}

static void is_not_made(void)
{
	int result = tls_create();

	lacks.memory = lacks.mutex = lacks.condition = false;
	assert_int_equal(result, -1);
	assert_null(instance->tls);
	tls_destroy(); /* of nothing */
}

/* A sanitizer finds what is left of it. */
static void what_cannot_be_made_leaves_nothing(void **state)
{
	(void)state;
	lacks.memory = true;
	is_not_made();
	lacks.mutex = true;
	is_not_made();
	lacks.condition = true;
	is_not_made();
	assert_int_equal(tls_create(), 0);
	assert_non_null(instance->tls);
	tls_destroy();
	assert_null(instance->tls);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_cannot_be_made_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
