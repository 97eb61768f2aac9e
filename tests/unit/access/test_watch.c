/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of looking again at files that may have been half-written. */

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "watch.h"

static char path[] = "/tmp/watch-XXXXXX";

static void put(const char *text, time_t ahead)
{
	FILE *file = fopen(path, "w");
	struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {0}};

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
	times[1].tv_sec = time(NULL) + ahead;
	assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void check_told_once(time_t ahead)
{
	struct guard_file file = {0};
	struct watch watch = {0};
	struct relay_err err;

	put("1", ahead);
	assert_int_equal(stat(path, &file.seen), 0);
	assert_int_equal(watch_note(&watch, path, &file, &err), 0);
	assert_null(watch_changed(&watch));
	put("12", ahead);
	assert_null(watch_changed(&watch));
	put("123", ahead); /* the writer is still writing */
	assert_null(watch_changed(&watch));
	assert_non_null(watch_changed(&watch));
	assert_null(watch_changed(&watch));
	watch_free(&watch);
}

static void a_change_is_told_once_when_it_is_over(void **state)
{
	(void)state;
	check_told_once(0);
}

static void a_file_from_the_future_is_no_exception(void **state)
{
	(void)state;
	check_told_once(3600);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_change_is_told_once_when_it_is_over),
		cmocka_unit_test(a_file_from_the_future_is_no_exception),
	};
	int fd = mkstemp(path), failed;

	if (fd < 0)
		return 1;
	(void)close(fd);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	(void)unlink(path);
	return failed;
}
