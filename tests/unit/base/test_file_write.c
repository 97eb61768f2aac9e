/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of replacing a file. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include <strelaysrv/file.h>

#define NOBODY 65534

static char dir[] = "/tmp/file-write-XXXXXX", path[64];

static int set_up(void **state)
{
	(void)state;
	/* Root may read every folder. */
	if (geteuid() == 0 && seteuid(NOBODY) != 0)
		return -1;
	(void)snprintf(dir, sizeof(dir), "/tmp/file-write-XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	(void)snprintf(path, sizeof(path), "%s/state", dir);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	(void)chmod(dir, 0700);
	(void)unlink(path);
	if (rmdir(dir) != 0)
		return -1;
	/* A leak check looks at this process, which it may do again then. */
	return getuid() == 0 && (seteuid(0) != 0 ||
					prctl(PR_SET_DUMPABLE, 1) != 0)
		       ? -1
		       : 0;
}

static void check_text(const char *want)
{
	char text[16] = "";
	FILE *file = fopen(path, "r");

	assert_non_null(file);
	assert_non_null(fgets(text, sizeof(text), file));
	(void)fclose(file);
	assert_string_equal(text, want);
}

static void a_file_is_replaced_and_nothing_is_beside_it(void **state)
{
	struct relay_err err;

	(void)state;
	assert_int_equal(relay_file_try(path, &err), 0);
	assert_int_equal(relay_file_replace(path, "old", 3, 0600, &err), 0);
	assert_int_equal(relay_file_replace(path, "new", 3, 0600, &err), 0);
	check_text("new");
}

/* Such a folder cannot be synced, because it cannot be opened. */
static void a_folder_that_cannot_be_read_changes_nothing(void **state)
{
	struct relay_err err;

	(void)state;
	assert_int_equal(relay_file_replace(path, "old", 3, 0600, &err), 0);
	assert_int_equal(chmod(dir, 0300), 0);
	assert_int_equal(relay_file_replace(path, "new", 3, 0600, &err), -1);
	assert_non_null(strstr(err.text, "Permission denied"));
	check_text("old");
	assert_int_equal(relay_file_try(path, &err), -1);
	assert_non_null(strstr(err.text, "Permission denied"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_file_is_replaced_and_nothing_is_beside_it),
		TEST(a_folder_that_cannot_be_read_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
