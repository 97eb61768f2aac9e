/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of what a reload changes and what it must keep. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "config/config_diff.h"
#include "config/config.h"
#include "config/flags.h"
#include "log/log.h"

struct conf {
	int64_t number, fixed_number;
	const char *text, *fixed_text, *secret;
	const char *const *list, *const *fixed_list;
	bool truth, fixed_truth;
};

#define FIXED                  .flags = RELAY_OPTION_RESTART
#define ROW(field, ctype, ...) RELAY_OPT(struct conf, field, ctype, __VA_ARGS__)

static const struct relay_option table[] = {
	ROW(number, int64_t, "number", RELAY_INT, "1", 0, 0, "h"),
	ROW(fixed_number, int64_t, "fixed-number", RELAY_INT, "1", 0, 0, "h",
		FIXED),
	ROW(text, const char *, "text", RELAY_STRING, "a", 0, 0, "h"),
	ROW(fixed_text, const char *, "fixed-text", RELAY_STRING, "a", 0, 0,
		"h", FIXED),
	ROW(secret, const char *, "secret", RELAY_STRING, "", 0, 0, "h",
		.flags = RELAY_OPTION_SECRET),
	ROW(list, const char *const *, "list", RELAY_LIST, "a,b", 0, 0, "h"),
	ROW(fixed_list, const char *const *, "fixed-list", RELAY_LIST, "a,b", 0,
		0, "h", FIXED),
	ROW(truth, bool, "truth", RELAY_BOOL, "no", 0, 0, "h"),
	ROW(fixed_truth, bool, "fixed-truth", RELAY_BOOL, "no", 0, 0, "h",
		FIXED),
	RELAY_OPT_END,
};

static const struct config_module modules[] = {
	{.name = "kept", .options = table, .conf_size = sizeof(struct conf)},
	{.name = "fresh", .options = table, .conf_size = sizeof(struct conf)},
	{.name = "idle", .options = table, .conf_size = sizeof(struct conf)},
};

static char logged[4096];

void log_core(enum relay_level level, const char *fmt, ...)
{
	size_t len = strlen(logged);
	va_list ap;

	len += (size_t)snprintf(logged + len, sizeof(logged) - len, "%s",
		level == RELAY_WARNING ? "warning: " : "");
	va_start(ap, fmt);
	len += (size_t)vsnprintf(logged + len, sizeof(logged) - len, fmt, ap);
	va_end(ap);
	(void)snprintf(logged + len, sizeof(logged) - len, "\n");
}

static void report(enum relay_level level, const char *text, void *arg)
{
	(void)arg;
	if (level == RELAY_ERROR)
		fail_msg("%s", text);
}

static struct config *load(const char *text)
{
	char path[] = "/tmp/changes.XXXXXX";
	int fd = mkstemp(path);
	struct config *config;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	assert_int_equal(close(fd), 0);
	config = config_load(path, NULL, modules,
		sizeof(modules) / sizeof(modules[0]), report, NULL);
	assert_non_null(config);
	(void)unlink(path);
	return config;
}

static enum config_diff_scope scope(const char *section, void *arg)
{
	(void)arg;
	return strcmp(section, "kept") == 0    ? CONFIG_DIFF_KEPT
	       : strcmp(section, "fresh") == 0 ? CONFIG_DIFF_FRESH
					       : CONFIG_DIFF_IDLE;
}

static void find(struct config *before, struct config *after,
	struct config_diff *changes)
{
	*changes = (struct config_diff){NULL, 0};
	logged[0] = '\0';
	assert_int_equal(
		config_diff_find(before, after, scope, NULL, changes), 0);
	config_diff_log(changes);
}

#define EVERYTHING                                                             \
	"number = 2 fixed-number = 2 text = b fixed-text = b "                 \
	"list = { c } fixed-list = { c } truth = yes fixed-truth = yes"

static void test_nothing(void **state)
{
	struct config *before = load("kept { text = \"a\" }"),
		      *after = load("\n");
	struct config_diff changes;

	(void)state;
	find(before, after, &changes);
	assert_int_equal(changes.count, 0);
	assert_false(config_diff_touch(&changes, "kept"));
	config_diff_free(&changes);
	config_free(before);
	config_free(after);
}

static void check_old(const struct conf *fixed)
{
	assert_int_equal(fixed->fixed_number, 1);
	assert_string_equal(fixed->fixed_text, "a");
	assert_string_equal(fixed->fixed_list[1], "b");
	assert_null(fixed->fixed_list[2]);
	assert_false(fixed->fixed_truth);
	assert_int_equal(fixed->number, 2);
	assert_string_equal(fixed->text, "b");
	assert_string_equal(fixed->list[0], "c");
	assert_true(fixed->truth);
}

static void test_what_needs_a_restart_stays(void **state)
{
	struct config *before = load("\n");
	struct config *after = load("kept { " EVERYTHING " }");
	struct config_diff changes;
	struct relay_value value;

	(void)state;
	find(before, after, &changes);
	assert_int_equal(changes.count, 8);
	assert_true(config_diff_touch(&changes, "kept"));
	assert_non_null(strstr(logged,
		"warning: option kept.fixed-list changes from \"a,b\" to "
		"\"c\": this needs a restart"));
	assert_non_null(strstr(
		logged, "option kept.number changes from \"1\" to \"2\"\n"));
	/* After the old snapshot is freed, its kept values exist as copies. */
	config_free(before);
	check_old(config_module_values(after, "kept"));
	assert_int_equal(config_get(after, "kept", "fixed-text", &value), 0);
	assert_string_equal(value.origin, "default");
	config_diff_free(&changes);
	config_free(after);
}

static void test_what_needs_only_a_restart_touches_nobody(void **state)
{
	struct config *before = load("\n");
	struct config *after = load("kept { fixed-text = b }\nworkers = 2\n");
	struct config_diff changes;

	(void)state;
	find(before, after, &changes);
	assert_int_equal(changes.count, 2);
	assert_false(config_diff_touch(&changes, "kept"));
	assert_int_equal(config_core(after)->workers, 0);
	config_diff_free(&changes);
	config_free(before);
	config_free(after);
}

static void test_listeners_come_and_go(void **state)
{
	struct config *before = load("listener \"a\" { address = \":1\" }\n"
				     "listener \"b\" { address = \":2\" }\n");
	struct config *after = load("listener \"b\" { address = \":2\" }\n"
				    "listener \"c\" { address = \":3\" }\n");
	struct config_diff changes;

	(void)state;
	find(before, after, &changes);
	assert_int_equal(changes.count, 2);
	assert_false(config_diff_touch(&changes, "a"));
	assert_string_equal(logged,
		"listener a, at :1, is no longer in the configuration\n"
		"listener c, at :3, is new\n");
	config_diff_free(&changes);
	config_free(before);
	config_free(after);
}

static void test_what_starts_takes_all(void **state)
{
	struct config *before = load("\n");
	struct config *after =
		load("fresh { " EVERYTHING " }\nidle { " EVERYTHING " }\n");
	const struct conf *values = config_module_values(after, "fresh");
	struct config_diff changes;

	(void)state;
	find(before, after, &changes);
	assert_int_equal(changes.count, 8);
	assert_null(strstr(logged, "restart"));
	assert_null(strstr(logged, "idle"));
	assert_string_equal(values->fixed_text, "b");
	config_diff_free(&changes);
	config_free(before);
	config_free(after);
}

static void test_secrets_stay_secret(void **state)
{
	struct config *before = load("kept { secret = hush }");
	struct config *after = load("kept { secret = hushed }");
	struct config_diff changes;

	(void)state;
	find(before, after, &changes);
	assert_int_equal(changes.count, 1);
	assert_null(strstr(logged, "hush"));
	assert_non_null(strstr(logged, "option kept.secret changes"));
	config_diff_free(&changes);
	config_free(before);
	config_free(after);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_what_needs_a_restart_stays),
		cmocka_unit_test(test_what_needs_only_a_restart_touches_nobody),
		cmocka_unit_test(test_listeners_come_and_go),
		cmocka_unit_test(test_what_starts_takes_all),
		cmocka_unit_test(test_secrets_stay_secret),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
