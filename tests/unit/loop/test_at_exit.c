/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of what is called at the end, where the C library has no on_exit(), as
 * musl: the code is not known. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

/* Built here, where nothing says that there is on_exit(). */
#include "loop/at_exit.c"

#define KNOWN   41
#define UNKNOWN 42

static void at_end(int code)
{
	_exit(code == -1 ? UNKNOWN : KNOWN);
}

static void it_is_called_with_no_code(void **state)
{
	pid_t child = fork();
	int status;

	(void)state;
	assert_true(child >= 0);
	if (child == 0) {
		if (at_exit(at_end) != 0)
			_exit(1);
		exit(3);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), UNKNOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_called_with_no_code),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
