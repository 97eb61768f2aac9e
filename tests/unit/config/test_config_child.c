/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of child processes that hang, or exit, while they read the
 * configuration. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "config/config_child.h"

#define BUSY_MS 1500

/* Memory shared by the children and their parent. */
struct shared {
	int begun;
	int stuck; /* how many of them hang, beginning with the first */
};
static struct shared *shared;

static struct {
	int warnings, errors;
	char error[512];
} told;

static int set_up(void **state)
{
	(void)state;
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	memset(&told, 0, sizeof(told));
	return shared == MAP_FAILED;
}

static int tear_down(void **state)
{
	void *used = shared;

	(void)state;
	shared = NULL;
	return munmap(used, sizeof(*shared));
}

static void report(enum relay_level level, const char *text, void *arg)
{
	(void)arg;
	if (level != RELAY_ERROR) {
		told.warnings++;
		return;
	}
	told.errors++;
	(void)snprintf(told.error, sizeof(told.error), "%s", text);
}

static int64_t now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Children. */

static void waits(const char *path, struct config_section *sections, size_t n,
	struct config_serializer *out)
{
	(void)path;
	(void)sections;
	(void)n;
	/* Incomplete output, which must be dropped when the next child starts.
	 */
	config_serialize_problem(RELAY_ERROR, "of a child that was stuck", out);
	if (shared->begun++ < shared->stuck) {
		(void)write(out->fd, out->bytes, out->len);
		for (;;)
			(void)pause();
	}
	out->len = 0;
	(void)config_serialize_end(out, true);
}

static void works(const char *path, struct config_section *sections, size_t n,
	struct config_serializer *out)
{
	int64_t end = now_ms() + BUSY_MS;

	(void)path;
	(void)sections;
	(void)n;
	shared->begun++;
	while (now_ms() < end)
		continue;
	(void)config_serialize_end(out, true);
}

/* The first child spins for ever, as if it waited for a spinlock. */
static void spins(const char *path, struct config_section *sections, size_t n,
	struct config_serializer *out)
{
	(void)path;
	(void)sections;
	(void)n;
	while (shared->begun++ == 0)
		for (volatile unsigned i = 0;; i = i + 1)
			continue;
	(void)config_serialize_end(out, true);
}

/* As libconfuse does when an allocation fails. */
static void exits(const char *path, struct config_section *sections, size_t n,
	struct config_serializer *out)
{
	(void)path;
	(void)sections;
	(void)n;
	(void)out;
	exit(EXIT_FAILURE);
}

static int read_patiently(
	const struct config_child_limits *limits, config_child_fn *fn)
{
	int result = config_child_within(
		limits, fn, "a.conf", NULL, 0, report, NULL);

	/* No child is left, not even a zombie. */
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
	return result;
}

static int read_within(int64_t all_ms, int64_t stuck_ms, config_child_fn *fn)
{
	const struct config_child_limits limits = {
		.all_ms = all_ms, .stuck_ms = stuck_ms};

	return read_patiently(&limits, fn);
}

/* Reads until exactly so many children began.  On a busy machine one that does
 * not hang may be late; with longer limits it is not. */
static void check_successors(config_child_fn *fn, int exactly)
{
	int64_t stuck_ms = 50;
	bool exact;

	do {
		const struct config_child_limits limits = {
			.all_ms = stuck_ms * 200,
			.stuck_ms = stuck_ms,
			.silent_ms = stuck_ms * 4};

		shared->begun = 0;
		memset(&told, 0, sizeof(told));
		exact = read_patiently(&limits, fn) == 0 &&
			shared->begun == exactly;
		stuck_ms *= 2;
	} while (!exact && stuck_ms < 10000);
	assert_true(exact);
	assert_int_equal(told.warnings, exactly - 1);
	assert_int_equal(told.errors, 0);
}

static void one_that_spins_has_a_successor(void **state)
{
	(void)state;
	check_successors(spins, 2);
}

static void a_stuck_one_has_a_successor(void **state)
{
	(void)state;
	shared->stuck = 2;
	check_successors(waits, 3);
}

static void all_of_them_have_one_limit(void **state)
{
	(void)state;
	shared->stuck = 1000;
	assert_int_equal(read_within(2000, 50, waits), -1);
	assert_true(shared->begun > 1);
	assert_int_equal(told.errors, 1);
	assert_string_equal(
		told.error, "cannot read a.conf: it takes too long");
}

static void who_works_is_left_alone(void **state)
{
	(void)state;
	assert_int_equal(read_within(60000, BUSY_MS / 3, works), 0);
	assert_int_equal(shared->begun, 1);
	assert_int_equal(told.warnings, 0);
}

static void who_works_has_a_limit(void **state)
{
	(void)state;
	assert_int_equal(read_within(BUSY_MS / 5, 60000, works), -1);
	assert_int_equal(shared->begun, 1);
	assert_int_equal(told.errors, 1);
	assert_string_equal(
		told.error, "cannot read a.conf: it takes too long");
}

/* What the server registered for its own exit, such as this, does not run. */
static void end_of_the_server(void)
{
	if (shared) /* NULL when the tests are over */
		shared->begun = 1;
}

static void one_that_exits_has_read_nothing(void **state)
{
	(void)state;
	assert_int_equal(atexit(end_of_the_server), 0);
	assert_int_equal(read_within(60000, 60000, exits), -1);
	assert_int_equal(shared->begun, 0);
	assert_int_equal(told.errors, 1);
	assert_string_equal(told.error,
		"cannot read a.conf: out of memory? The process that reads it "
		"ended with 3");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_stuck_one_has_a_successor),
		TEST(one_that_spins_has_a_successor),
		TEST(all_of_them_have_one_limit),
		TEST(who_works_is_left_alone),
		TEST(who_works_has_a_limit),
		TEST(one_that_exits_has_read_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
