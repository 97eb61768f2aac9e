/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of name look-ups that take their time: the test runs their thread. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>
#include <cmocka.h>

#include <strelaysrv/thread.h>

#include "shared/lookup.h"

static bool no_thread;
static void *(*thread_run)(void *);
static void *thread_arg;

int relay_thread_start(pthread_t *thread, void *(*run)(void *), void *arg)
{
	(void)thread;
	if (no_thread)
		return -1;
	thread_run = run;
	thread_arg = arg;
	return 0;
}

static struct lookup *begin(const char *host)
{
	struct lookup *lookup = lookup_begin(host, "7", SOCK_STREAM);

	assert_non_null(lookup);
	return lookup;
}

static void test_it_is_in_progress_until_it_is_over(void **state)
{
	const struct addrinfo *list;
	struct lookup *lookup = begin("127.0.0.1");
	struct sockaddr_in found;

	(void)state;
	assert_int_equal(lookup_result(lookup, &list), EAI_INPROGRESS);
	assert_null(list);
	assert_int_equal(lookup_wait(lookup, 0, &list), EAI_INPROGRESS);
	assert_null(thread_run(thread_arg));
	assert_int_equal(lookup_wait(lookup, 60, &list), 0);
	assert_non_null(list);
	assert_int_equal(list->ai_family, AF_INET);
	memcpy(&found, list->ai_addr, sizeof(found));
	assert_int_equal(ntohs(found.sin_port), 7);
	assert_int_equal(ntohl(found.sin_addr.s_addr), INADDR_LOOPBACK);
	lookup_end(lookup);
}

/* Whoever waits may leave first; the thread frees what is left. */
static void test_nobody_waits_for_one_that_was_given_up(void **state)
{
	(void)state;
	lookup_end(begin("127.0.0.1"));
	assert_null(thread_run(thread_arg));
	lookup_end(NULL);
}

static void test_an_error_has_no_addresses(void **state)
{
	const struct addrinfo *list;
	struct lookup *lookup = begin("127.0.0.1.7.8");
	int error;

	(void)state;
	assert_null(thread_run(thread_arg));
	error = lookup_result(lookup, &list);
	assert_true(error != 0 && error != EAI_INPROGRESS);
	assert_null(list);
	lookup_end(lookup);
}

static void test_what_cannot_begin_is_nothing(void **state)
{
	char longest[257];

	(void)state;
	memset(longest, 'a', sizeof(longest));
	longest[256] = '\0';
	assert_null(lookup_begin(longest, NULL, SOCK_STREAM));
	assert_null(lookup_begin("a", longest, SOCK_STREAM));
	no_thread = true;
	assert_null(lookup_begin("a", NULL, SOCK_STREAM));
	no_thread = false;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_it_is_in_progress_until_it_is_over),
		cmocka_unit_test(test_nobody_waits_for_one_that_was_given_up),
		cmocka_unit_test(test_an_error_has_no_addresses),
		cmocka_unit_test(test_what_cannot_begin_is_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
