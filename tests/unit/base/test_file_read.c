/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of what is noted while a file is read. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include <strelaysrv/file.h>

#include "base/file_wait.h"

static char path[] = "/tmp/file-read-XXXXXX";
static struct file_wait waiting;

static int set_up(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	if (fd < 0 || write(fd, "text", 4) != 4 || close(fd) != 0)
		return -1;
	return file_wait_init(&waiting);
}

static int tear_down(void **state)
{
	(void)state;
	file_wait_here(NULL);
	file_wait_finish(&waiting);
	return unlink(path);
}

/* Else this thread would be taken for one that a file holds up. */
static void test_a_file_that_was_read_is_not_waited_for(void **state)
{
	struct relay_file file;
	struct relay_err err;

	(void)state;
	file_wait_here(&waiting);
	assert_int_equal(relay_file_read(path, 100, &file, &err), 0);
	assert_string_equal(file.text, "text");
	relay_file_free(&file);
	assert_string_equal(waiting.path, path);
	assert_int_equal(waiting.since_ms, 0);
}

static void test_nor_is_one_that_cannot_be_read(void **state)
{
	static const char *const others[] = {"/nonexistent", "/", "/dev/zero"};
	struct relay_file file;
	struct relay_err err;

	(void)state;
	file_wait_here(&waiting);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		assert_int_equal(
			relay_file_read(others[i], 100, &file, &err), -1);
		assert_int_equal(waiting.since_ms, 0);
	}
	assert_int_equal(relay_file_read(path, 3, &file, &err), -1);
	assert_int_equal(waiting.since_ms, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_file_that_was_read_is_not_waited_for),
		cmocka_unit_test(test_nor_is_one_that_cannot_be_read),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
