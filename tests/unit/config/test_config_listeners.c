/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of the sections of listeners. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "config/config.h"
#include "config/config_listeners.h"
#include "config_fixture.h"

static const struct core_listener *listener(struct fixture *f, size_t i)
{
	const struct core_conf *core = config_core(f->config);

	assert_true(i < core->listener_count);
	return &core->listeners[i];
}

static void the_words_of_the_list_are_listeners(void **state)
{
	struct fixture *f = *state;

	load_good(f, "listen = { \":1\", \"[::1]:2\" }\n"
		     "proxy-listen = \":1\"\nproxy-from = \"::1\"\n");
	assert_int_equal(config_core(f->config)->listener_count, 2);
	assert_string_equal(listener(f, 0)->name, "");
	assert_string_equal(listener(f, 0)->address, ":1");
	assert_true(listener(f, 0)->proxied);
	assert_string_equal(listener(f, 0)->proxy_from[0], "::1");
	assert_string_equal(listener(f, 1)->address, "[::1]:2");
	assert_false(listener(f, 1)->proxied);
}

static void a_section_has_a_name_and_options(void **state)
{
	struct fixture *f = *state;

	load_good(f, "proxy-from = \"10.0.0.1\"\n"
		     "listener \"web.1\" { address = \":1\"\nproxy = yes\n"
		     "proxy-from = \"::1, 10.0.0.0/8\" }\n"
		     "listener in_side { address = \":2\"\nprivate = yes\n"
		     "max-connections = 7\nproxy = yes }\n");
	assert_int_equal(config_core(f->config)->listener_count, 2);
	assert_string_equal(listener(f, 0)->name, "web.1");
	assert_true(listener(f, 0)->proxied);
	assert_string_equal(listener(f, 0)->proxy_from[1], "10.0.0.0/8");
	assert_false(listener(f, 0)->guarded);
	assert_int_equal(listener(f, 0)->max_connections, 0);
	assert_string_equal(listener(f, 1)->name, "in_side");
	assert_string_equal(listener(f, 1)->address, ":2");
	assert_true(listener(f, 1)->guarded);
	assert_int_equal(listener(f, 1)->max_connections, 7);
	assert_string_equal(listener(f, 1)->proxy_from[0], "10.0.0.1");
	assert_string_equal(
		origin(f, "listener in_side", "max-connections"), "a.conf:7");
}

static void sections_replace_only_the_default_of_the_list(void **state)
{
	struct fixture *f = *state;

	load_good(f, "# nothing\n");
	assert_string_equal(listener(f, 0)->address, ":22067");
	load_good(f, "listener a { address = \":1\" }\n");
	assert_int_equal(config_core(f->config)->listener_count, 1);
	assert_null(config_core(f->config)->listen[0]);
	load_good(f, "listen = \":22067\"\nlistener a { address = \":1\" }\n");
	assert_int_equal(config_core(f->config)->listener_count, 2);
	assert_string_equal(listener(f, 0)->address, ":22067");
	FLAGS(f, "-listen", ":3");
	load_good(f, "listen = \":2\"\nlistener a { address = \":1\" }\n");
	assert_string_equal(listener(f, 0)->address, ":3");
	assert_string_equal(listener(f, 1)->address, ":1");
}

static void one_section_cannot_be_in_two_places(void **state)
{
	struct fixture *f = *state;

	assert_told(f,
		"listener a { address = \":1\" }\n\n"
		"listener a { private = yes }\n",
		"error: a.conf:3: two listeners have the name \"a\"\n");
}

static void tells_all_that_is_wrong_with_sections(void **state)
{
	struct fixture *f = *state;

	assert_told(f,
		"listener a {\n private = 2\n}\n"
		"listener status { address = \":1\" }\n"
		"listener \"b c\" { address = \":1\"\nfoo = 1 }\n",
		"error: a.conf:2: option private of section listener a: \"2\" "
		"is neither true nor false; write one of true, false, yes, no, "
		"on, off, 1, 0\n"
		"error: a.conf:4: no listener can have the name status: "
		"sockets of the service manager have it\n"
		"error: a.conf:5: the name of a listener may have only "
		"letters, digits, '-', '_' and '.'\n"
		"error: a.conf:6: section listener b c has no option "
		"\"foo\"\n");
}

static void as_many_as_there_are_places(void **state)
{
	struct fixture *f = *state;
	char text[4096] = "";
	size_t len = 0;

	for (int i = 0; i < CORE_LISTENERS_MAX; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len,
			"listener l%d { address = \":%d\" }\n", i, i + 1);
	load_good(f, text);
	assert_int_equal(
		config_core(f->config)->listener_count, CORE_LISTENERS_MAX);
	(void)snprintf(text + len, sizeof(text) - len,
		"listener more { address = \":99\" }\n");
	assert_null(load(f, text));
	assert_non_null(strstr(f->told, "there are more than 32 listeners"));
}

static void names_are_checked(void **state)
{
	static const char *const good[] = {
		"a", "A-1", "x.y_z", "abcdefghijklmnopqrstuvwxyzabcdef"};
	static const char *const bad[] = {"", "a b", "a\"", "\xc3\xa4",
		"abcdefghijklmnopqrstuvwxyzabcdefg", "any", "private", "a:1"};
	struct relay_err err;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_int_equal(config_listener_name_check(good[i], &err), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(config_listener_name_check(bad[i], &err), -1);
	assert_true(config_is_listener("listener a"));
	assert_false(config_is_listener("listener"));
	assert_false(config_is_listener("relay"));
	assert_false(config_is_listener(NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			the_words_of_the_list_are_listeners, fixture_setup,
			fixture_teardown),
		cmocka_unit_test_setup_teardown(
			a_section_has_a_name_and_options, fixture_setup,
			fixture_teardown),
		cmocka_unit_test_setup_teardown(
			sections_replace_only_the_default_of_the_list,
			fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(
			one_section_cannot_be_in_two_places, fixture_setup,
			fixture_teardown),
		cmocka_unit_test_setup_teardown(
			tells_all_that_is_wrong_with_sections, fixture_setup,
			fixture_teardown),
		cmocka_unit_test_setup_teardown(as_many_as_there_are_places,
			fixture_setup, fixture_teardown),
		cmocka_unit_test(names_are_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
