/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of the lists of devices with their own weight or without limit. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "privileges.h"

static char text[3][RELAY_DEVICE_ID_TEXT];
static uint8_t id[3][RELAY_DEVICE_ID_LEN];

static int make_ids(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		memset(id[i], 0x11 * (3 - i), sizeof(id[i]));
		relay_device_id_format(id[i], text[i]);
	}
	return 0;
}

static void lists_are_found_again(void **state)
{
	char weight[RELAY_DEVICE_ID_TEXT + 8];
	const char *const weights[] = {weight, NULL};
	const char *const exempt[] = {text[1], NULL};
	struct privileges privileges;
	struct relay_err err;

	(void)state;
	strncpy(weight, text[0], sizeof(weight) - 1);
	memcpy(weight + strlen(text[0]), "=20", 4);
	assert_int_equal(
		privileges_read(&privileges, weights, exempt, &err), 0);
	assert_int_equal(privileges_weight(&privileges, id[0]), 20);
	assert_int_equal(privileges_weight(&privileges, id[1]), WEIGHT_EXEMPT);
	assert_int_equal(privileges_weight(&privileges, id[2]), 1);
	privileges_free(&privileges);
	assert_int_equal(privileges_weight(&privileges, id[0]), 1);
}

static void refused(const char *weight, const char *exempt, const char *why)
{
	const char *const weights[] = {weight, NULL};
	const char *const exempts[] = {exempt, exempt ? exempt : NULL, NULL};
	struct privileges privileges;
	struct relay_err err;

	assert_int_equal(
		privileges_read(&privileges, weights, exempts, &err), -1);
	if (!strstr(err.text, why))
		fail_msg("\"%s\" does not say \"%s\"", err.text, why);
	privileges_free(&privileges);
}

static void what_is_wrong_is_named(void **state)
{
	char weight[RELAY_DEVICE_ID_TEXT + 8];

	(void)state;
	refused("nonsense", NULL, "\"nonsense\" is not DEVICE-ID=WEIGHT");
	refused("nonsense=3", NULL, "\"nonsense\"");
	for (int i = 0; i < 3; i++) {
		static const char *const ends[] = {"=0", "=1001", "=x"};

		memset(weight, 0, sizeof(weight));
		memcpy(weight, text[0], strlen(text[0]));
		memcpy(weight + strlen(text[0]), ends[i], strlen(ends[i]));
		refused(weight, NULL, "is not a weight");
	}
	refused(NULL, text[1], "listed twice");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_are_found_again),
		cmocka_unit_test(what_is_wrong_is_named),
	};

	return cmocka_run_group_tests(tests, make_ids, NULL);
}
