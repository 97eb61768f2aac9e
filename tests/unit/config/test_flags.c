/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of the command line: syntax, exit codes, messages, usage. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "config/flags.h"
#include "sample_options.h"

#define ARGS_MAX 8

struct fixture {
	struct flags flags;
	char *text; /* what was written to the error stream */
	size_t len;
};

static int setup(void **state)
{
	*state = calloc(1, sizeof(struct fixture));
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	flags_free(&f->flags);
	free(f->text);
	free(f);
	return 0;
}

/* The modules relay, log and status exist; nat only if `modules` includes it.
 */
static int parse_with(struct fixture *f, size_t modules, char *const *args)
{
	FILE *err;
	int argc = 1, rc;
	char name[] = "strelaysrv";
	char *argv[ARGS_MAX + 2] = {name};

	for (; args[argc - 1]; argc++) {
		assert_true(argc <= ARGS_MAX);
		argv[argc] = args[argc - 1];
	}
	flags_free(&f->flags);
	free(f->text);
	f->text = NULL;
	err = open_memstream(&f->text, &f->len);
	assert_non_null(err);
	rc = flags_parse(argc, argv, sample_modules, modules, "/opt/modules",
		&f->flags, err);
	assert_int_equal(fclose(err), 0);
	return rc;
}

#define ARGS(...)     ((char *[]){__VA_ARGS__, NULL})
#define parse(f, ...) parse_with(f, 2, (char *[]){__VA_ARGS__, NULL})

/* A flag's value as text, or NULL. */
static const char *value_of(const struct fixture *f, const char *name)
{
	for (size_t i = 0; i < f->flags.count; i++)
		if (strcmp(f->flags.values[i].option->name, name) == 0)
			return f->flags.values[i].text;
	return NULL;
}

/* The first line of the error output. */
static const char *message(struct fixture *f)
{
	char *end = strchr(f->text, '\n');

	if (end)
		*end = '\0';
	return f->text;
}

static void assert_usage_error(struct fixture *f, int rc, const char *want)
{
	assert_int_equal(rc, 2);
	assert_int_equal(f->flags.action, CONFIG_USAGE);
	assert_non_null(strstr(f->text, "\nthis is argument "));
	assert_null(strstr(f->text, "Usage"));
	assert_string_equal(message(f), want);
}

static void takes_all_four_forms(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(parse(f, "-keys", "/a"), 0);
	assert_string_equal(value_of(f, "keys"), "/a");
	assert_int_equal(parse(f, "-keys=/b"), 0);
	assert_string_equal(value_of(f, "keys"), "/b");
	assert_int_equal(parse(f, "--keys", "/c"), 0);
	assert_string_equal(value_of(f, "keys"), "/c");
	assert_int_equal(parse(f, "--keys=/d=e"), 0);
	assert_string_equal(value_of(f, "keys"), "/d=e");
	assert_int_equal(f->flags.action, CONFIG_RUN);
	assert_string_equal(f->text, "");
}

static void takes_booleans_alone(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(parse(f, "-debug", "-pprof=false"), 0);
	assert_string_equal(value_of(f, "debug"), "true");
	assert_string_equal(value_of(f, "pprof"), "false");
}

static void takes_values_that_look_like_flags(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(parse(f, "-token", "-debug"), 0);
	assert_string_equal(value_of(f, "token"), "-debug");
	assert_null(value_of(f, "debug"));
	assert_int_equal(parse(f, "-status-srv="), 0);
	assert_string_equal(value_of(f, "status-srv"), "");
	assert_int_equal(parse(f, "-status-srv", ""), 0);
	assert_string_equal(value_of(f, "status-srv"), "");
}

static void keeps_the_last_of_repeated_flags(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(parse(f, "-keys", "/a", "-keys=/b"), 0);
	assert_int_equal(f->flags.count, 1);
	assert_string_equal(value_of(f, "keys"), "/b");
	assert_int_equal(
		parse(f, "-ping-interval=2m", "-relay.ping-interval=3m"), 0);
	assert_int_equal(f->flags.count, 1);
	assert_string_equal(value_of(f, "ping-interval"), "3m");
	assert_string_equal(
		f->flags.values[0].as_given, "-relay.ping-interval");
	assert_string_equal(f->flags.values[0].section, "relay");
}

static void takes_flags_of_sections(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(parse(f, "-log.level", "debug", "-relay.strict"), 0);
	assert_string_equal(value_of(f, "level"), "debug");
	assert_string_equal(value_of(f, "strict"), "true");
}

static void skips_empty_arguments(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(
		parse(f, "", "-debug", "", "-keys", "/a", "--", ""), 0);
	assert_string_equal(value_of(f, "keys"), "/a");
}

static void names_stray_arguments(void **state)
{
	struct fixture *f = *state;

	assert_usage_error(f, parse(f, "x\ny", "-debug"),
		"unexpected argument \"x\\x0ay\"");
	assert_usage_error(f, parse(f, "-"), "unexpected argument \"-\"");
	assert_usage_error(
		f, parse(f, "--", "-debug"), "unexpected argument \"-debug\"");
	assert_usage_error(f, parse(f, "-debug", "true"),
		"unexpected argument \"true\"; write -debug=true");
	assert_int_equal(parse(f, "one", "two"), 2);
	assert_string_equal(f->text,
		"unexpected argument \"one\"\nthis is argument 1; see -help\n");
	assert_int_equal(parse(f, "one", "-help"), 2);
}

static void refuses_unknown_flags(void **state)
{
	struct fixture *f = *state;

	assert_usage_error(
		f, parse(f, "-foo"), "flag provided but not defined: -foo");
	assert_usage_error(f, parse(f, "--lisen=:1"),
		"flag provided but not defined: -lisen; did you mean -listen?");
	/* the flag -modules is an action; it does not set the option of this
	 * name */
	assert_usage_error(f, parse(f, "-modules=relay"),
		"invalid boolean value \"relay\" for -modules: \"relay\" is "
		"neither true nor false; write one of true, false, yes, no, "
		"on, off, 1, 0");
}

static void refuses_bad_syntax(void **state)
{
	struct fixture *f = *state;

	assert_usage_error(f, parse(f, "---keys"), "bad flag syntax: ---keys");
	assert_usage_error(f, parse(f, "-=x"), "bad flag syntax: -");
	assert_usage_error(f, parse(f, "--=x"), "bad flag syntax: --");
	assert_usage_error(
		f, parse(f, "-keys"), "flag needs an argument: -keys");
}

static void refuses_bad_values(void **state)
{
	struct fixture *f = *state;
	int rc;

	rc = parse(f, "-network-buffer", "x");
	assert_non_null(strstr(
		f->text, "invalid value \"x\" for flag -network-buffer: "));
	assert_int_equal(rc, 2);
	assert_usage_error(f, parse(f, "-workers=257"),
		"invalid value \"257\" for flag -workers: 257 is out of range; "
		"0 to 256 is allowed");
	rc = parse(f, "-debug=maybe");
	assert_non_null(strstr(
		f->text, "invalid boolean value \"maybe\" for -debug: "));
	assert_int_equal(rc, 2);
	assert_int_equal(parse(f, "-ping-interval=5"), 2);
	assert_int_equal(parse(f, "-protocol=udp"), 2);
	assert_usage_error(f, parse(f, "-token", "'x'"),
		"the value of -token has quotes around it: whatever started "
		"the server passed them on, as a shell does not; leave them "
		"out");
}

/* Scripts pass all flags, also those that have no value. */
static void ignores_flags_without_a_value(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(parse(f, "-listen=", "-protocol=", "-debug=",
				 "-network-buffer", "", "-keys="),
		0);
	assert_int_equal(f->flags.count, 0);
	assert_int_equal(parse(f, "-keys=/a", "-keys="), 0);
	assert_string_equal(value_of(f, "keys"), "/a");
}

static void ends_with_1_when_a_text_is_too_long(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(
		parse(f, "-provided-by=0123456789012345678901234567890"), 1);
	assert_string_equal(f->text,
		"-provided-by: 31 characters are too many; at most 30 are "
		"allowed\n");
}

static void knows_what_to_do_besides(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(parse(f, "-check", "-conf", "/etc/x"), 0);
	assert_int_equal(f->flags.action, CONFIG_CHECK);
	assert_true(f->flags.conf_given);
	assert_string_equal(f->flags.conf, "/etc/x");
	assert_int_equal(parse(f, "-version", "-check"), 0);
	assert_int_equal(f->flags.action, CONFIG_VERSION);
	assert_int_equal(parse(f, "-version=false", "-module-dir=a,b"), 0);
	assert_int_equal(f->flags.action, CONFIG_RUN);
	assert_false(f->flags.conf_given);
	assert_string_equal(value_of(f, "module-dir"), "a,b");
	assert_int_equal(parse(f, "-version", "-foo"), 2);
}

static void helps(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(parse(f, "-h"), 0);
	assert_int_equal(f->flags.action, CONFIG_HELP);
	assert_int_equal(parse(f, "-debug", "--help", "-foo"), 0);
	assert_int_equal(f->flags.action, CONFIG_HELP);
	assert_ptr_equal(
		strstr(f->text,
			"Usage of strelaysrv:\n\nBasics:\n  -check\n    \t"),
		f->text);
}

static void helps_with_one_part(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(parse(f, "-help=log"), 0);
	assert_int_equal(f->flags.action, CONFIG_HELP);
	assert_ptr_equal(
		strstr(f->text, "\nModule log:\n  -log.level string\n"),
		f->text);
	assert_null(strstr(f->text, "relay"));
	assert_int_equal(parse_with(f, SAMPLE_MODULES, ARGS("-h=status")), 0);
	assert_string_equal(f->text, "The module status has no flags.\n");
	/* not installed, but its flags are known */
	assert_int_equal(parse(f, "-help=nat"), 0);
	assert_non_null(strstr(f->text, "-nat-lease int"));
	assert_int_equal(parse(f, "-help=rely"), 2);
	assert_int_equal(f->flags.action, CONFIG_USAGE);
	assert_string_equal(message(f),
		"there is no module \"rely\" in /opt/modules; did you mean "
		"-help=relay?");
}

static void shows_types_and_defaults(void **state)
{
	static const char *const wanted[] = {
		"  -debug\n    \tlog every connection and every refusal\n",
		"  -listen string\n    \taddresses on which to serve the "
		"protocol: HOST:PORT, :PORT or [IPV6]:PORT (default "
		"\":22067\")\n",
		"  -ping-interval duration\n    \thow often (default 1m0s)\n",
		"(default 65536)\n",
		"  -provided-by string\n    \tby whom\n",
		"  -protocol string\n",
		"(default \"tcp\")\n",
		"\nModule relay:\n  -message-timeout duration\n",
		"  -relay.message-timeout duration\n    \tsame as "
		"-message-timeout\n",
		"  -relay.strict\n    \town flag only (default true)\n",
		"  -log.level string\n    \thow much (default \"notice\")\n",
		"  -nat-lease int\n    \tminutes for which a port is mapped (",
		"needs module nat, which is not installed) (default 60)\n",
		"  -pools string\n",
	};
	struct fixture *f = *state;

	assert_int_equal(parse(f, "-help"), 0);
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		if (!strstr(f->text, wanted[i]))
			fail_msg("missing: %s\nin: %s", wanted[i], f->text);
}

static void sorts_flags(void **state)
{
	struct fixture *f = *state;
	char last[64] = "";

	assert_int_equal(parse(f, "-help"), 0);
	for (const char *at = strstr(strstr(f->text, "\nServer"), "\n  -");
		at && at < strstr(f->text, "\nModule");
		at = strstr(at + 1, "\n  -")) {
		char name[64];

		(void)snprintf(name, sizeof(name), "%.*s",
			(int)strcspn(at + 4, " \n"), at + 4);
		assert_true(strcmp(last, name) < 0);
		memcpy(last, name, sizeof(last));
	}
	assert_string_equal(last, "workers");
}

static void demands_modules_that_are_missing(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(parse(f, "-global-rate", "1000"), 1);
	assert_string_equal(f->text,
		"-global-rate needs the module rate-limit, which is not in "
		"/opt/modules: install it, or leave the flag out\n");
	assert_int_equal(parse(f, "-nat", "-pools=https://x"), 1);
	assert_non_null(strstr(f->text, "-pools needs the module pool-join,"));
	assert_non_null(strstr(f->text, "-nat needs the module nat,"));
	assert_int_equal(parse(f, "-nat", "-version"), 0);
}

static void lets_flags_pass_that_ask_for_nothing(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(parse(f, "-global-rate=0", "-per-session-rate=-1",
				 "-pools=", "-nat=false", "-nat-lease=120",
				 "-nat-renewal=1h", "-nat-timeout", "5"),
		0);
	assert_int_equal(f->flags.count, 0);
	assert_int_equal(parse(f, "-nat", "-nat=false"), 0);
	assert_string_equal(f->text, "");
}

static void checks_flags_of_missing_modules(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(parse(f, "-global-rate=fast"), 2);
	assert_int_equal(parse(f, "-nat-lease=soon"), 2);
	assert_int_equal(parse(f, "-nat-lease=-5"), 2);
}

static void leaves_flags_to_the_module_that_claims_them(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(parse_with(f, SAMPLE_MODULES,
				 ARGS("-nat", "-nat-lease", "120")),
		0);
	assert_string_equal(value_of(f, "enable"), "true");
	assert_string_equal(value_of(f, "lease"), "120");
	assert_int_equal(
		parse_with(f, SAMPLE_MODULES, ARGS("-nat-lease=0")), 2);
	assert_int_equal(parse_with(f, SAMPLE_MODULES, ARGS("-help")), 0);
	assert_non_null(strstr(f->text,
		"  -nat-lease int\n    \tfor how long (default 60)\n"));
}

static const char *module_dir(char *const *args)
{
	char name[] = "strelaysrv";
	char *argv[ARGS_MAX + 2] = {name};
	int argc = 1;

	for (; args[argc - 1]; argc++)
		argv[argc] = args[argc - 1];
	return flags_module_dir(argc, argv);
}

static void finds_the_module_dir_first(void **state)
{
	(void)state;
	assert_string_equal(module_dir(ARGS("-module-dir", "a")), "a");
	assert_string_equal(module_dir(ARGS("-debug", "--module-dir=b")), "b");
	assert_string_equal(
		module_dir(ARGS("-x.y", "z", "-module-dir=b", "-module-dir=c")),
		"c");
	assert_null(module_dir(ARGS("-keys", "-module-dir", "a")));
	assert_null(module_dir(ARGS("--", "-module-dir", "a")));
	assert_null(module_dir(ARGS("-module-dir")));
	assert_null(module_dir(ARGS("-", "")));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(takes_all_four_forms),
		TEST(takes_booleans_alone),
		TEST(takes_values_that_look_like_flags),
		TEST(keeps_the_last_of_repeated_flags),
		TEST(takes_flags_of_sections),
		TEST(skips_empty_arguments),
		TEST(names_stray_arguments),
		TEST(refuses_unknown_flags),
		TEST(refuses_bad_syntax),
		TEST(refuses_bad_values),
		TEST(ignores_flags_without_a_value),
		TEST(ends_with_1_when_a_text_is_too_long),
		TEST(knows_what_to_do_besides),
		TEST(helps),
		TEST(helps_with_one_part),
		TEST(shows_types_and_defaults),
		TEST(sorts_flags),
		TEST(demands_modules_that_are_missing),
		TEST(lets_flags_pass_that_ask_for_nothing),
		TEST(checks_flags_of_missing_modules),
		TEST(leaves_flags_to_the_module_that_claims_them),
		cmocka_unit_test(finds_the_module_dir_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
