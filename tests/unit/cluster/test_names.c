/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of the lookups of names that are under way. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cluster/redis/names.h"

static struct server named(const char *host, uint16_t port)
{
	struct server server = {.port = port};

	strcpy(server.host, host);
	return server;
}

static uint16_t port_of(const struct names *names, const struct lookup *lookup)
{
	for (size_t i = 0; i < LOOKUPS_MOST; i++)
		if (names->place[i].lookup == lookup)
			return names->place[i].server.port;
	return 0;
}

/* Another one may take the place of one whose result is there. */
static void the_same_name_is_looked_up_once(void **state)
{
	struct server one = named("localhost", 1), port = named("localhost", 2),
		      host = named("127.0.0.1", 3);
	struct names names = {0};
	struct lookup *lookup = names_lookup(&names, &one);

	(void)state;
	assert_non_null(lookup);
	assert_ptr_equal(names_lookup(&names, &one), lookup);
	assert_int_equal(port_of(&names, lookup), 1);
	assert_int_equal(port_of(&names, names_lookup(&names, &port)), 2);
	lookup = names_lookup(&names, &host);
	assert_int_equal(port_of(&names, lookup), 3);
	names_end(&names, lookup);
	assert_int_equal(port_of(&names, lookup), 0);
	names_close(&names);
	for (size_t i = 0; i < LOOKUPS_MOST; i++)
		assert_null(names.place[i].lookup);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_name_is_looked_up_once),
	};

	return cmocka_run_group_tests_name("names", tests, NULL, NULL);
}
