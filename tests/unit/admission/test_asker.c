/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of how often the asking thread looks for late questions.  Its requests,
 * and what the server does with answers, are replaced. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "asker.h"
#include "shared/monotonic.h"

#define PUSHES 200

static atomic_uint wakes, looks, late;

/* What asker.c needs. */

ssize_t __real_read(int fd, void *buf, size_t len);
ssize_t __wrap_read(int fd, void *buf, size_t len);
struct queue_item *__real_queue_take_all(
	struct queue *queue, queue_wanted_fn *wanted, void *arg);
struct queue_item *__wrap_queue_take_all(
	struct queue *queue, queue_wanted_fn *wanted, void *arg);

ssize_t __wrap_read(int fd, void *buf, size_t len)
{
	ssize_t got = __real_read(fd, buf, len);

	atomic_fetch_add(&wakes, 1);
	return got;
}

struct queue_item *__wrap_queue_take_all(
	struct queue *queue, queue_wanted_fn *wanted, void *arg)
{
	atomic_fetch_add(&looks, 1);
	return __real_queue_take_all(queue, wanted, arg);
}

int curl_loop_open(struct curl_loop *loop, struct event_base *base,
	const struct libcurl *curl, curl_loop_done_fn *done, void *arg)
{
	(void)loop;
	(void)base;
	(void)curl;
	(void)done;
	(void)arg;
	return 0;
}

void curl_loop_close(struct curl_loop *loop)
{
	(void)loop;
}

struct transfer *transfer_new(const struct libcurl *curl)
{
	(void)curl;
	return NULL;
}

void transfer_free(struct transfer *transfer)
{
	(void)transfer;
}

int transfer_begin(struct transfer *transfer, struct curl_loop *loop,
	struct setup *setup, const struct question *question, void *owner)
{
	(void)transfer;
	(void)loop;
	(void)setup;
	(void)question;
	(void)owner;
	return -1;
}

void *transfer_owner(const struct transfer *transfer)
{
	(void)transfer;
	return NULL;
}

enum failure transfer_result(
	struct transfer *transfer, CURLcode code, struct answer *out)
{
	(void)transfer;
	(void)code;
	(void)out;
	return FAILURE_NONE;
}

void transfer_end(struct transfer *transfer, struct curl_loop *loop)
{
	(void)transfer;
	(void)loop;
}

struct setup *setup_hold(struct setup *setup)
{
	return setup;
}

void setup_let_go(struct setup *setup)
{
	(void)setup;
}

int relay_thread_start(pthread_t *thread, void *(*fn)(void *), void *arg)
{
	return pthread_create(thread, NULL, fn, arg);
}

int relay_post(struct relay_ctx *cx, int worker, relay_post_fn *fn,
	const void *arg, size_t len)
{
	const struct asked *asked = arg;

	(void)cx;
	(void)worker;
	(void)fn;
	assert_int_equal(len, sizeof(*asked));
	atomic_fetch_add(&late, asked->failure == FAILURE_LATE);
	return 0;
}

int relay_fail(struct relay_err *err, const char *format, ...)
{
	(void)err;
	(void)format;
	return -1;
}

/* Tests. */

static void wait_for(const atomic_uint *count, unsigned least)
{
	const struct timespec pause = {.tv_nsec = 1000000};

	for (int i = 0; i < 50000 && atomic_load(count) < least; i++)
		(void)nanosleep(&pause, NULL);
	assert_true(atomic_load(count) >= least);
}

/* All connections are taken. */
static struct setup setup = {.connections = 0, .places = PUSHES + 1};
static struct asker *asker;
static struct relay_err err;

static void push(int64_t until_ms)
{
	struct question question = {.kind = QUESTION_JOIN}, lost;
	unsigned before = atomic_load(&wakes);

	assert_int_equal(
		asker_push(asker, &question, until_ms, &lost), QUEUE_ROOM);
	wait_for(&wakes, before + 1);
}

static void no_look_before_one_is_late(void **state)
{
	int64_t began_ms = monotonic_now_ms();

	(void)state;
	asker = asker_start(NULL, NULL, &setup, NULL, NULL, &err);
	assert_non_null(asker);
	for (int i = 0; i < PUSHES; i++)
		push(began_ms + 3600000);
	assert_int_equal(atomic_load(&looks), 0);
	/* One that is late earlier is found, although others are not. */
	push(monotonic_now_ms() + 1);
	wait_for(&late, 1);
	asker_stop(asker);
	assert_int_equal(atomic_load(&looks), 1);
	assert_int_equal(atomic_load(&late), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_look_before_one_is_late),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
