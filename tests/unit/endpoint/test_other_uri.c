/* SPDX-License-Identifier: MPL-2.0 */

/* URIs of other relays: what clients could not use or would read in another way
 * is refused, and no message shows a secret. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include <strelaysrv/device_id.h>

#include "endpoint/other_uri.h"

#define ID     "MFZWI3D-BONSGYC-YLTMRWG-C43ENR5-QXGZDMM-FZWI3DP-BONSGYY-LTMRWAD"
#define SECRET "geheim"

static struct other_uri uri;
static struct relay_err err;

static void it_is_split(void **state)
{
	static const struct {
		const char *text, *host, *port, *place;
		bool has_id;
	} rows[] = {
		{"relay://a.example:22067", "a.example", "22067",
			"a.example:22067", false},
		{"relay://a_b-c.example:1/", "a_b-c.example", "1",
			"a_b-c.example:1", false},
		{"relay://192.0.2.1:65535?id=" ID, "192.0.2.1", "65535",
			"192.0.2.1:65535", true},
		{"relay://[2001:db8::1]:443/?x=1&id=" ID "&y", "2001:db8::1",
			"443", "[2001:db8::1]:443", true},
		{"relay://h:1/?%69%64=" ID, "h", "1", "h:1", true},
		{"relay://h:1/?id=&id=" ID, "h", "1", "h:1", true},
		{"relay://h:1/?&&id", "h", "1", "h:1", false},
		{"relay://h:1/?token=&token", "h", "1", "h:1", false},
		{"relay://h:1/?statusAddr=%3A22070&providedBy=a+b", "h", "1",
			"h:1", false},
		{"relay://h:1/?a=%20%02~", "h", "1", "h:1", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (other_uri_parse(rows[i].text, &uri, &err) != 0)
			fail_msg("%s: %s", rows[i].text, err.text);
		assert_string_equal(uri.host, rows[i].host);
		assert_string_equal(uri.port, rows[i].port);
		assert_string_equal(uri.place, rows[i].place);
		assert_int_equal(uri.has_id, rows[i].has_id);
	}
}

static void the_first_id_counts(void **state)
{
	char text[RELAY_DEVICE_ID_TEXT];

	(void)state;
	assert_int_equal(
		other_uri_parse("relay://h:1/?id=" ID "&id=x", &uri, &err), 0);
	relay_device_id_format(uri.id, text);
	assert_string_equal(text, ID);
}

static void these_are_refused(void **state)
{
	static const struct {
		const char *text, *why;
	} rows[] = {
		{"", "is no URI of a relay"},
		{"tcp://h:1", "is no URI of a relay"},
		{"RELAY://h:1", "is no URI of a relay"},
		{"relay://h:1/?providedBy=a b", "is no URI of a relay"},
		{"relay://h:1/?a=\"", "is no URI of a relay"},
		{"relay://h:1/?a=\\", "is no URI of a relay"},
		{"relay://h:1/?a=\xc3\xa4", "is no URI of a relay"},
		{"relay://h:1/#id", "is no URI of a relay"},
		{"relay://", "has no host with a port"},
		{"relay://:1", "has no host with a port"},
		{"relay://h", "has no host with a port"},
		{"relay://h:", "has no host with a port"},
		{"relay://h:0", "has no host with a port"},
		{"relay://h:01", "has no host with a port"},
		{"relay://h:65536", "has no host with a port"},
		{"relay://h:123456", "has no host with a port"},
		{"relay://h:1x", "has no host with a port"},
		{"relay://h:1:1", "has no host with a port"},
		{"relay://h%2e:1", "has no host with a port"},
		{"relay://2001:db8::1:443", "has no host with a port"},
		{"relay://[2001:db8::1]", "has no host with a port"},
		{"relay://[2001:db8::1]443", "has no host with a port"},
		{"relay://[2001:db8::1:443", "has no host with a port"},
		{"relay://[fe80::1%25eth0]:1", "has no host with a port"},
		{"relay://[]:1", "has no host with a port"},
		{"relay://h:1/path", "has a path"},
		{"relay://h:1/?id=BWZ3QKT", "has an id that is no device ID"},
		{"relay://h:1/?a=%", "has a wrong escape"},
		{"relay://h:1/?a=%4", "has a wrong escape"},
		{"relay://h:1/?%zz=1", "has a wrong escape"},
		{"relay://h:1/?a;id=1", "has a wrong escape"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (other_uri_parse(rows[i].text, &uri, &err) == 0)
			fail_msg("%s is taken", rows[i].text);
		if (!strstr(err.text, rows[i].why))
			fail_msg("%s: %s", rows[i].text, err.text);
	}
}

static void no_secret_is_shown(void **state)
{
	static const char *const texts[] = {
		"relay://h:1/?token=" SECRET,
		"relay://h:1/?id=" ID "&%74oken=" SECRET,
		"relay://h:1/?a=b&t%6fken=" SECRET,
		"relay://me:" SECRET "@h:1/",
		"relay://" SECRET "@h:1/?id=x",
		"relay://h/?token=" SECRET,
		"http://h/?" SECRET,
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_int_equal(other_uri_parse(texts[i], &uri, &err), -1);
		assert_null(strstr(err.text, SECRET));
	}
}

static void length_is_bounded(void **state)
{
	char text[OTHER_URI_MOST + 2];

	(void)state;
	(void)snprintf(text, sizeof(text), "relay://h:1/?a=%0*d",
		OTHER_URI_MOST - 15, 0);
	assert_int_equal(strlen(text), OTHER_URI_MOST);
	assert_int_equal(other_uri_parse(text, &uri, &err), 0);
	strcat(text, "0");
	assert_int_equal(other_uri_parse(text, &uri, &err), -1);
	assert_non_null(strstr(err.text, "1024"));
	(void)snprintf(text, sizeof(text), "relay://%0253d:1", 0);
	assert_int_equal(other_uri_parse(text, &uri, &err), 0);
	(void)snprintf(text, sizeof(text), "relay://%0254d:1", 0);
	assert_int_equal(other_uri_parse(text, &uri, &err), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_split),
		cmocka_unit_test(the_first_id_counts),
		cmocka_unit_test(these_are_refused),
		cmocka_unit_test(no_secret_is_shown),
		cmocka_unit_test(length_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
