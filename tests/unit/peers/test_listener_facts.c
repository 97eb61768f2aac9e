/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of what a connection keeps of its listener, also without memory. */

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "peers/conn_address.h"
#include "peers/conn_state.h"
#include "peers/listener_facts.h"

void *__real_calloc(size_t count, size_t size);
void *__real_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_malloc(size_t size);

/* The call that fails, from 1; 0: none. */
static int failing;

static bool fails(void)
{
	return failing > 0 && --failing == 0;
}

void *__wrap_calloc(size_t count, size_t size)
{
	return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_malloc(size_t size)
{
	return fails() ? NULL : __real_malloc(size);
}

static const struct sockaddr_storage bound = {.ss_family = AF_INET};
static const struct core_listener conf = {
	.name = "main", .guarded = true, .protocol = "other"};

static struct proxy_trust *some_trust(void)
{
	return __real_calloc(1, 64);
}

static void facts_have_the_name_and_options(void **state)
{
	struct listener_facts *facts =
		listener_facts_make(&bound, some_trust(), &conf, NULL);

	(void)state;
	assert_non_null(facts);
	assert_string_equal(facts->name, "main");
	assert_true(facts->guarded);
	assert_string_equal(facts->protocol, "other");
	assert_ptr_equal(listener_facts_share(facts), facts);
	listener_facts_leave(facts);
	assert_int_equal(facts->bound.ss_family, AF_INET);
	listener_facts_leave(facts);
	listener_facts_leave(NULL);
	assert_null(listener_facts_share(NULL));
}

/* The counts outlive the facts that they were made for. */
static void new_facts_go_on_counting(void **state)
{
	struct listener_facts *old =
		listener_facts_make(&bound, NULL, NULL, NULL);
	struct listener_facts *new;

	(void)state;
	assert_non_null(old);
	assert_string_equal(old->name, "");
	listener_count(old, LISTENER_ACCEPTED);
	listener_now(old, 1);
	new = listener_facts_make(&bound, NULL, &conf, old->tally);
	assert_non_null(new);
	listener_settled(old, 1);
	listener_facts_leave(old);
	listener_count(new, LISTENER_ACCEPTED);
	assert_int_equal(new->tally->count[LISTENER_ACCEPTED], 2);
	assert_int_equal(new->tally->count[LISTENER_DENIED], 0);
	assert_int_equal(new->tally->now, 1);
	assert_int_equal(new->tally->settled, 1);
	listener_facts_leave(new);
	listener_count(NULL, LISTENER_FULL);
	listener_now(NULL, 1);
	listener_settled(NULL, 1);
}

/* The sanitizer shows that nothing is lost, and that trust is freed once. */
static void without_memory_there_are_no_facts(void **state)
{
	struct listener_facts *old =
		listener_facts_make(&bound, NULL, NULL, NULL);

	(void)state;
	for (int call = 1; call <= 2; call++) {
		failing = call;
		assert_null(
			listener_facts_make(&bound, some_trust(), &conf, NULL));
		assert_int_equal(failing, 0);
	}
	failing = 1;
	assert_null(
		listener_facts_make(&bound, some_trust(), &conf, old->tally));
	assert_int_equal(old->tally->users, 1);
	listener_facts_leave(old);
}

static void where_it_came_in_needs_memory(void **state)
{
	struct relay_conn *conn = __real_calloc(1, sizeof(*conn));
	struct sockaddr_storage to = {.ss_family = AF_INET};

	(void)state;
	((struct sockaddr_in *)(void *)&to)->sin_port = htons(443);
	assert_int_equal(conn_set_came_in(conn, NULL), 0);
	assert_null(conn->came_in);
	failing = 1;
	assert_int_equal(conn_set_came_in(conn, &to), -1);
	assert_null(conn->came_in);
	assert_int_equal(conn_set_came_in(conn, &to), 0);
	assert_int_equal(conn->came_in->port, 443);
	free(conn->came_in);
	free(conn);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(facts_have_the_name_and_options),
		cmocka_unit_test(new_facts_go_on_counting),
		cmocka_unit_test(without_memory_there_are_no_facts),
		cmocka_unit_test(where_it_came_in_needs_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
