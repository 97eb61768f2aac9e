/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of parsing a pool's URL. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../shared/shown_url.h"
#include "shared/url.h"

static void places_are_host_and_port(void **state)
{
	static const struct {
		const char *text, *place;
		bool plain, secret;
	} rows[] = {
		{"https://relays.syncthing.net/endpoint",
			"relays.syncthing.net", false, false},
		{"https://pool.example:8443/a/b?c=d#e", "pool.example:8443",
			false, true},
		{"http://pool.example", "pool.example", true, false},
		{"https://pool.example:65535", "pool.example:65535", false,
			false},
		{"https://a.b-c.9x.d/e/f/", "a.b-c.9x.d", false, false},
		{"https://pool/%41", "pool", false, false},
		{"http://10.0.0.1/", "10.0.0.1", true, false},
		{"https://[2001:db8::1]:1/", "[2001:db8::1]:1", false, false},
		{"https://me:word@pool.example/", "pool.example", false, true},
		{"https://me@pool.example/", "pool.example", false, true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct url url;

		assert_int_equal(url_parse(rows[i].text, &url, NULL), 0);
		assert_string_equal(url.place, rows[i].place);
		assert_int_equal(url.plain, rows[i].plain);
		assert_int_equal(url.secret, rows[i].secret);
	}
}

static void what_may_be_secret_is_not_shown(void **state)
{
	static const char *const rows[][2] = {
		{"https://a/b", "https://a/b"},
		{"https://a", "https://a"},
		{"https://me:word@a:1/b", "https://***@a:1/b"},
		{"https://me@a", "https://***@a"},
		{"https://me:w@rd@a/b@c", "https://***@a/b@c"},
		{"https://a/b@c", "https://a/b@c"},
		{"https://a/b?c=d@e", "https://a/b?***"},
		{"https://me:word@a?c", "https://***@a?***"},
		{"https://a/b#c?d", "https://a/b"},
		{"https://@a/?", "https://***@a/?***"},
		{"", ""},
		{"https://", "https://"},
		{"a@b/c?d", "***@b/c?***"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *shown = shown_url(rows[i][0]);

		assert_string_equal(shown, rows[i][1]);
		free(shown);
	}
}

static void places_are_printable(void **state)
{
	struct url url;

	(void)state;
	if (url_parse("https://b\xc3\xbc"
		      "cher.example/",
		    &url, NULL) == 0)
		assert_string_equal(url.place, "b??cher.example");
}

static void what_is_no_url_is_refused(void **state)
{
	static const char *const texts[] = {"", "https", "https:/x", "https://",
		"ftp://pool.example/", "pool.example", "https://a b/",
		"https://pool.example:99999/", "https://pool.example:65536",
		"https://[::1/", "HTTPS:", "https://pool.example:x/",
		"https://a\x01/"};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct relay_err err = {.text = ""};

		assert_int_equal(url_parse(texts[i], NULL, &err), -1);
		assert_non_null(strstr(err.text, "is no URL"));
		assert_non_null(strstr(err.text, "write https://"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(places_are_host_and_port),
		cmocka_unit_test(what_may_be_secret_is_not_shown),
		cmocka_unit_test(places_are_printable),
		cmocka_unit_test(what_is_no_url_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
