/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of why the system log cannot be reached. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/un.h>

#include <cmocka.h>

#include "syslog_socket.h"

static const char *why_not(const char *path)
{
	static struct relay_err err;
	int fd = -1;

	errno = 0;
	assert_int_equal(syslog_connect(path, &fd, &err), -1);
	assert_int_equal(fd, -1);
	return err.text;
}

/* The kernel is not asked, and says nothing. */
static void a_path_that_no_socket_can_have_is_too_long(void **state)
{
	char path[sizeof(((struct sockaddr_un *)NULL)->sun_path) + 1];

	(void)state;
	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	assert_non_null(strstr(why_not(path), strerror(ENAMETOOLONG)));
	path[sizeof(path) - 2] = '\0';
	assert_non_null(strstr(why_not(path), strerror(ENOENT)));
}

static void what_is_no_socket_is_refused(void **state)
{
	(void)state;
	assert_non_null(strstr(why_not("/dev/null"), strerror(ECONNREFUSED)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_path_that_no_socket_can_have_is_too_long),
		cmocka_unit_test(what_is_no_socket_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
