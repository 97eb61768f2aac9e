/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of the configuration: values, their precedence, lists, includes. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/address.h"
#include "config/config.h"
#include "config_fixture.h"
#include "sample_options.h"

static void has_defaults_without_a_file(void **state)
{
	struct fixture *f = *state;
	const struct config *config = load_path(f, NULL);
	const struct core_conf *core;

	assert_string_equal(f->told, "");
	assert_non_null(config);
	core = config_core(config);
	assert_string_equal(core->listen[0], ":22067");
	assert_int_equal(core->network_buffer, 65536);
	assert_int_equal(relay_of(config)->ping_interval, 60000);
	assert_string_equal(origin(f, "relay", "token"), "default");
	assert_true(config_module_required(config, "relay"));
	assert_null(config_module_values(config, "nosuch"));
	assert_non_null(config_module_values(config, "status"));
}

static void has_defaults_with_an_empty_line(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(
		config_core(load_good(f, "\n"))->network_buffer, 65536);
	assert_int_equal(config_core(load_good(f, "\n# nothing"))->workers, 0);
}

static void reads_all_types(void **state)
{
	struct fixture *f = *state;
	const struct config *config = load_good(f,
		"listen = { \":1\", '[::]:2' }\n"
		"protocol = tcp6\n"
		"keys = /var/lib/strelaysrv\n"
		"network-buffer = 128KiB\n"
		"workers = 0x4\n"
		"debug = yes\n"
		"relay { ping-interval = 30s provided-by = \"me & you\" }\n");
	const struct core_conf *core = config_core(config);

	assert_string_equal(core->listen[0], ":1");
	assert_string_equal(core->listen[1], "[::]:2");
	assert_null(core->listen[2]);
	assert_int_equal(core->protocol, CORE_TCP6);
	assert_string_equal(core->keys, "/var/lib/strelaysrv");
	assert_int_equal(core->network_buffer, 131072);
	assert_int_equal(core->workers, 4);
	assert_true(core->debug);
	assert_int_equal(relay_of(config)->ping_interval, 30000);
	assert_string_equal(relay_of(config)->provided_by, "me & you");
	assert_string_equal(origin(f, NULL, "debug"), "a.conf:6");
	assert_string_equal(origin(f, "relay", "ping-interval"), "a.conf:7");
}

static void prefers_flag_to_file_to_default(void **state)
{
	struct fixture *f = *state;
	const struct config *config;

	FLAGS(f, "-ping-interval=5s", "-debug",
		"-status-srv=", "-listen=:3,:4");
	config = load_good(f,
		"debug = no\nstatus-srv = \":1\"\nworkers = 3\n"
		"relay { ping-interval = 7s message-timeout = 8s }\n");
	assert_int_equal(relay_of(config)->ping_interval, 5000);
	assert_int_equal(relay_of(config)->message_timeout, 8000);
	assert_true(config_core(config)->debug);
	assert_string_equal(config_core(config)->status_srv, "");
	assert_string_equal(config_core(config)->listen[1], ":4");
	assert_int_equal(config_core(config)->workers, 3);
	assert_string_equal(
		origin(f, "relay", "ping-interval"), "flag -ping-interval");
	assert_string_equal(origin(f, "relay", "message-timeout"), "a.conf:4");
	assert_string_equal(origin(f, "relay", "strict"), "default");
}

static void checks_the_file_below_a_flag(void **state)
{
	struct fixture *f = *state;

	FLAGS(f, "-workers=3");
	assert_told(f, "workers = many",
		"error: a.conf:1: option workers: \"many\" is no integer; "
		"write one like 65536, 0x10000 or 65_536\n");
}

static void counts_lines_through_comments(void **state)
{
	struct fixture *f = *state;

	assert_told(f,
		"/* one\n two */ /**/ # x\n// y\n//z\n"
		"listen = { \":1\", # first\n"
		"  \":2\" /* last */ }\n"
		"workers = -1 # \"\n",
		"error: a.conf:7: option workers: -1 is out of range; 0 to 256 "
		"is allowed\n");
	(void)load_good(f, "keys = /a//b # c\nstatus-srv = \"#{/*\"\r\n");
	assert_string_equal(config_core(f->config)->keys, "/a//b");
	assert_string_equal(config_core(f->config)->status_srv, "#{/*");
}

static void takes_lists_in_all_forms(void **state)
{
	struct fixture *f = *state;
	const struct config *config;

	config = load_good(f, "log { targets = one }");
	assert_string_equal(log_of(config)->targets[0], "one");
	assert_null(log_of(config)->targets[1]);
	config = load_good(f, "log { targets += { b, c } }");
	assert_string_equal(log_of(config)->targets[0], "stderr");
	assert_string_equal(log_of(config)->targets[2], "c");
	assert_null(log_of(config)->targets[3]);
	config = load_good(f, "modules += nat\nlog { targets = {a}\n"
			      "targets += {b}\n}");
	assert_string_equal(config_core(config)->modules[6], "status");
	assert_string_equal(config_core(config)->modules[7], "control");
	assert_string_equal(config_core(config)->modules[8], "nat");
	assert_string_equal(log_of(config)->targets[1], "b");
	config = load_good(f, "# none\nlog {\n targets = {}\n}");
	assert_null(log_of(config)->targets[0]);
	assert_string_equal(origin(f, "log", "targets"), "a.conf:3");
	config = load_good(f, "log { targets = \"\" }");
	assert_null(log_of(config)->targets[0]);
	config = load_good(f, "\n\nmodules = { }\n");
	assert_null(config_core(config)->modules[0]);
	assert_string_equal(origin(f, NULL, "modules"), "a.conf:3");
}

static void splits_lists_of_the_core_at_commas(void **state)
{
	struct fixture *f = *state;
	const struct config *config;

	config = load_good(f,
		"listen = \"0.0.0.0:1, [::]:1\"\nmodules = \"log,\"\n"
		"log { targets = \"a://b, c\" }");
	assert_string_equal(config_core(config)->listen[0], "0.0.0.0:1");
	assert_string_equal(config_core(config)->listen[1], "[::]:1");
	assert_null(config_core(config)->listen[2]);
	assert_string_equal(config_core(config)->modules[0], "log");
	assert_null(config_core(config)->modules[1]);
	/* URLs, which may have commas. */
	assert_string_equal(log_of(config)->targets[0], "a://b, c");
	assert_told(f, "\nlisten = \" , \"\n",
		"error: a.conf:2: option listen: it must not be empty\n");
}

static void judges_complete_lists(void **state)
{
	struct fixture *f = *state;

	assert_told(f, "log {\n targets = { a, b,\n c, d }\n}\n",
		"error: a.conf:2: option targets of section log: 4 items are "
		"too many; at most 3 are allowed\n");
	assert_told(f, "\nlisten = {}\n",
		"error: a.conf:2: option listen: it must not be empty\n");
}

static void warns_of_options_given_twice(void **state)
{
	struct fixture *f = *state;

	assert_told(f,
		"keys = a\nlog { level = debug }\nkeys = b\n"
		"log { level = error }\nlisten = \":1\"\nlisten = \":2\"\n",
		"warning: a.conf:3: option keys was set before, in a.conf:1; "
		"this one counts\n"
		"warning: a.conf:4: option level of section log was set "
		"before, in a.conf:2; this one counts\n"
		"warning: a.conf:6: option listen was set before, in a.conf:5; "
		"this one counts\n");
	assert_string_equal(config_core(f->config)->keys, "b");
	assert_int_equal(log_of(f->config)->level, 0);
	assert_string_equal(config_core(f->config)->listen[0], ":2");
}

static void knows_required(void **state)
{
	struct fixture *f = *state;
	const struct config *config;

	config = load_good(
		f, "status { required = no }\nrelay { required = yes }\n");
	assert_false(config_module_required(config, "status"));
	assert_true(config_module_required(config, "relay"));
	assert_true(config_module_required(config, "log"));
	assert_told(f, "status { required = perhaps }",
		"error: a.conf:1: option required of section status: "
		"\"perhaps\" is neither true nor false; write one of true, "
		"false, yes, no, on, off, 1, 0\n");
	assert_told(f, "required = no",
		"error: a.conf:1: there is no option \"required\"\n");
}

static void includes_files(void **state)
{
	struct fixture *f = *state;
	const struct config *config;

	write_file(f, "b.conf", "level = debug\n");
	write_file(f, "c.conf", "\nkeys = c\nlog {\n include(b.conf)\n}\n");
	config = load_good(f, "include(\"c.conf\")\nworkers = 2\n");
	assert_string_equal(config_core(config)->keys, "c");
	assert_int_equal(config_core(config)->workers, 2);
	assert_int_equal(log_of(config)->level, 2);
	assert_string_equal(origin(f, NULL, "keys"), "c.conf:2");
	assert_string_equal(origin(f, "log", "level"), "b.conf:1");
	assert_string_equal(origin(f, NULL, "workers"), "a.conf:2");
}

static void takes_sections_of_unknown_tables_as_they_are(void **state)
{
	static const struct config_module mods[] = {
		{.name = "broken", .opaque = true},
	};
	struct fixture *f = *state;

	write_file(f, "a.conf",
		"broken {\n a = 1 b = { 2, 3 }\n c { d = 4 }\n"
		" required = no\n}\nkeys = k\nmodules = { broken }\n");
	f->config = config_load(f->file, NULL, mods, 1, tell, f);
	assert_string_equal(f->told, "");
	assert_non_null(f->config);
	assert_false(config_module_required(f->config, "broken"));
	assert_true(config_module_unchecked(f->config, "broken"));
	assert_string_equal(config_core(f->config)->keys, "k");
}

static void count_visit(
	const char *section, const struct relay_value *value, void *arg)
{
	size_t *count = arg;

	if (*count == 0)
		assert_null(section);
	assert_non_null(value->origin);
	(*count)++;
}

static void visits_every_option(void **state)
{
	struct fixture *f = *state;
	struct relay_value value;
	size_t count = 0, own = 0;

	while (core_options[own].name)
		own++;
	config_visit(load_good(f, "protocol = tcp4"), count_visit, &count);
	assert_int_equal(count, own + 5 + 2 + 2);
	assert_int_equal(config_get(f->config, NULL, "protocol", &value), 0);
	assert_string_equal(value.string, "tcp4");
	assert_int_equal(value.number, CORE_TCP4);
	assert_int_equal(config_get(f->config, "relay", "keys", &value), -1);
	assert_int_equal(config_get(f->config, "nosuch", "x", &value), -1);
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(has_defaults_without_a_file),
		TEST(has_defaults_with_an_empty_line),
		TEST(reads_all_types),
		TEST(prefers_flag_to_file_to_default),
		TEST(checks_the_file_below_a_flag),
		TEST(counts_lines_through_comments),
		TEST(takes_lists_in_all_forms),
		TEST(splits_lists_of_the_core_at_commas),
		TEST(judges_complete_lists),
		TEST(warns_of_options_given_twice),
		TEST(knows_required),
		TEST(includes_files),
		TEST(takes_sections_of_unknown_tables_as_they_are),
		TEST(visits_every_option),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
