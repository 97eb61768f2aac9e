/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of what is known of a symbol's size, where the C library has no
 * dladdr1(), as musl: up to the end of what is mapped. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

/* Built here, where nothing says that there is dladdr1(). */
#include "modules/symbol_size.c"

static char object[4096] = {1}; /* in the part of the program that has data */

static void it_is_at_least_the_symbols(void **state)
{
	(void)state;
	assert_in_range(size_of_symbol(object), sizeof(object), 1 << 26);
	assert_int_equal(
		size_of_symbol(object + 100), size_of_symbol(object) - 100);
}

static void what_is_in_no_object_has_none(void **state)
{
	char *elsewhere = malloc(1);

	(void)state;
	assert_non_null(elsewhere);
	assert_int_equal(size_of_symbol(elsewhere), 0);
	free(elsewhere);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_at_least_the_symbols),
		cmocka_unit_test(what_is_in_no_object_has_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
