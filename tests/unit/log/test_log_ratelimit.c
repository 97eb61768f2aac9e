/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of the rate limit for records of one kind, and its count of dropped
 * ones. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/clock.h"
#include "log/log.h"

/* Replacements for what log_ratelimit.c uses. */
static int64_t now_ms;
static enum relay_level threshold = RELAY_INFO;
static char last[2000];
static int written;

int64_t clock_ms(void)
{
	return now_ms;
}

bool relay_log_wanted(enum relay_level level)
{
	return level <= threshold;
}

void log_valist(const char *component, enum relay_level level,
	const struct relay_field *fields, const char *fmt, va_list ap)
{
	size_t len;

	(void)component;
	(void)level;
	assert_true(vsnprintf(last, sizeof(last), fmt, ap) >= 0);
	len = strlen(last);
	for (; fields && fields->key; fields++)
		snprintf(last + len, sizeof(last) - len, " %s=%s", fields->key,
			fields->value);
	written++;
}

/* On 32 bits, too; see log.h. */
struct after_a_byte {
	char byte;
	struct relay_log_kind kind;
};
_Static_assert(offsetof(struct after_a_byte, kind.due_ms) % 8 == 0 &&
		       offsetof(struct after_a_byte, kind.left_out) % 8 == 0,
	"an atomic number may lie in two cache lines");

static void one_in_ten_seconds(void **state)
{
	struct relay_log_kind kind = {0, 0}, other = {0, 0};

	(void)state;
	now_ms = 1000;
	for (int i = 0; i < 42; i++)
		log_core_seldom(RELAY_WARNING, &kind, "number %d", i);
	assert_int_equal(written, 1);
	assert_string_equal(last, "number 0");
	log_core_seldom(RELAY_WARNING, &other, "other");
	assert_int_equal(written, 2);
	now_ms = 10999;
	log_core_seldom(RELAY_WARNING, &kind, "too early");
	assert_int_equal(written, 2);
	now_ms = 11000;
	log_core_seldom(RELAY_WARNING, &kind, "again");
	assert_string_equal(last, "again left_out=42");
	now_ms = 99999;
	log_core_seldom(RELAY_WARNING, &kind, "again");
	assert_string_equal(last, "again");
	/* A record below the log level does not count towards the limit. */
	now_ms = 200000;
	log_core_seldom(RELAY_DEBUG, &kind, "debug");
	log_core_seldom(RELAY_WARNING, &kind, "third");
	assert_string_equal(last, "third");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_in_ten_seconds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
