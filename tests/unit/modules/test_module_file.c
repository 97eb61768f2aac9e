/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of noticing that the file of a module was replaced. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#include "modules/module.h"

static const struct relay_module mod = {
	.file = {.dev = 1, .ino = 2, .changed = {3, 4}}};

static void test_the_same_file_has_not_changed(void **state)
{
	(void)state;
	assert_false(module_file_changed(&mod, &mod.file));
}

/* A file that cannot be looked at may be the same. */
static void test_a_file_that_is_unknown_has_not_changed(void **state)
{
	const struct module_file unknown = {0};

	(void)state;
	assert_false(module_file_changed(&mod, &unknown));
}

static void test_each_difference_is_a_change(void **state)
{
	struct module_file other[4];

	(void)state;
	for (int i = 0; i < 4; i++)
		other[i] = mod.file;
	other[0].dev++;
	other[1].ino++;
	other[2].changed.tv_sec++;
	other[3].changed.tv_nsec++;
	for (int i = 0; i < 4; i++)
		assert_true(module_file_changed(&mod, &other[i]));
}

static void test_a_file_that_was_written_anew_is_identified_so(void **state)
{
	char path[] = "/tmp/module-file-XXXXXX", beside[sizeof(path) + 2];
	struct relay_module found = {0};
	struct module_file now;
	FILE *file;
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(close(fd), 0);
	assert_int_equal(module_file_identify(path, &found.file), 0);
	assert_int_equal(module_file_identify(path, &now), 0);
	assert_false(module_file_changed(&found, &now));
	(void)snprintf(beside, sizeof(beside), "%s.n", path);
	file = fopen(beside, "w");
	assert_non_null(file);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(rename(beside, path), 0);
	assert_int_equal(module_file_identify(path, &now), 0);
	assert_true(module_file_changed(&found, &now));
	assert_int_equal(unlink(path), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_same_file_has_not_changed),
		cmocka_unit_test(test_a_file_that_is_unknown_has_not_changed),
		cmocka_unit_test(test_each_difference_is_a_change),
		cmocka_unit_test(
			test_a_file_that_was_written_anew_is_identified_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
