/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of suggestions for misspelt words. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/suggest.h"

static const char *const flags[] = {"listen", "ext-address", "protocol", "keys",
	"network-timeout", "ping-interval", "message-timeout", "global-rate",
	"per-session-rate", "pools", "token", "nat", "debug", "version"};

static const char *nearest(const char *word)
{
	return suggest_nearest(word, flags, sizeof(flags) / sizeof(flags[0]));
}

static void finds_words_up_to_two_errors_away(void **state)
{
	(void)state;
	assert_string_equal(nearest("listen"), "listen");
	assert_string_equal(nearest("lisen"), "listen");
	assert_string_equal(nearest("lissten"), "listen");
	assert_string_equal(nearest("listem"), "listen");
	assert_string_equal(nearest("network_timeuot"), "network-timeout");
	assert_string_equal(nearest("per-session-rates"), "per-session-rate");
	assert_null(nearest("network_timuots"));
}

static void counts_a_swap_once(void **state)
{
	(void)state;
	assert_string_equal(nearest("kesy"), "keys");
	assert_string_equal(nearest("ilstne"), "listen");
}

static void leaves_short_words_alone(void **state)
{
	(void)state;
	assert_string_equal(nearest("nta"), "nat"); /* 1 of 3 */
	assert_null(nearest("xa"));                 /* 2 of 2 */
	assert_null(nearest("kexx"));               /* 2 of 4 */
	assert_null(nearest(""));
}

static void prefers_the_nearest_then_the_first(void **state)
{
	static const char *const words[] = {"abcdxy", "abcdez", "abcdeq"};

	(void)state;
	assert_ptr_equal(suggest_nearest("abcdef", words, 3), words[1]);
	assert_null(suggest_nearest("abcdef", words, 0));
}

static void takes_words_of_any_length(void **state)
{
	char longest[SUGGEST_WORD_MAX + 1], longer[SUGGEST_WORD_MAX + 2];
	char near[SUGGEST_WORD_MAX + 1];
	const char *const words[] = {longer, longest};

	(void)state;
	memset(longest, 'a', sizeof(longest));
	longest[SUGGEST_WORD_MAX] = '\0';
	memset(longer, 'a', sizeof(longer));
	longer[SUGGEST_WORD_MAX + 1] = '\0';
	memcpy(near, longest, sizeof(near));
	near[0] = 'b';
	near[SUGGEST_WORD_MAX - 1] = 'b';
	assert_null(suggest_nearest(longer, words, 2));
	assert_ptr_equal(suggest_nearest(near, words, 2), longest);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_words_up_to_two_errors_away),
		cmocka_unit_test(counts_a_swap_once),
		cmocka_unit_test(leaves_short_words_alone),
		cmocka_unit_test(prefers_the_nearest_then_the_first),
		cmocka_unit_test(takes_words_of_any_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
