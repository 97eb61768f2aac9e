/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of parsing the URIs of relays and pools, good and hostile. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "client_uri.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))
#define ID     "NHRA2WQ-BDKZ7DJ-ZPTRURX-WEACWBE-YQCXWOE-BIIRWTV-L62VR5V-RKTOAAQ"

static struct client_uri parse(const char *text)
{
	struct relay_err err = {""};
	struct client_uri uri;

	if (client_uri_parse(text, &uri, &err))
		print_error("%s\n", err.text);
	assert_int_equal(client_uri_parse(text, &uri, NULL), 0);
	return uri;
}

static void reads_hosts_and_ports(void **state)
{
	static const struct {
		const char *text, *host;
		unsigned port;
		const char *place;
	} rows[] = {
		{"relay://127.0.0.1:1", "127.0.0.1", 1, "127.0.0.1:1"},
		{"relay://a.b-c_d.example:65535/", "a.b-c_d.example", 65535,
			"a.b-c_d.example:65535"},
		{"relay://host", "host", 22067, "host:22067"},
		{"relay://host:/", "host", 22067, "host:22067"},
		{"RELAY://Host:007", "Host", 7, "Host:7"},
		{"relay://:22067/?id=" ID, "", 22067, ":22067"},
		{"relay://", "", 22067, ":22067"},
		{"relay://[::1]", "::1", 22067, "[::1]:22067"},
		{"relay://[2001:db8::1]:80?x", "2001:db8::1", 80,
			"[2001:db8::1]:80"},
		{"relay://h:1/path/that?is#ignored", "h", 1, "h:1"},
		{"dynamic+http://pool", "pool", 80, "pool:80"},
		{"dynamic+https://pool:8443/x", "pool", 8443, "pool:8443"},
		{"dynamic+https://pool/", "pool", 443, "pool:443"},
	};

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		struct client_uri uri = parse(rows[i].text);
		char place[CLIENT_PLACE];

		client_uri_place(&uri, place);
		assert_string_equal(uri.host, rows[i].host);
		assert_int_equal(uri.port, rows[i].port);
		assert_string_equal(place, rows[i].place);
	}
}

static void reads_id_and_token(void **state)
{
	struct client_uri uri;
	char text[RELAY_DEVICE_ID_TEXT];

	(void)state;
	uri = parse("relay://h:1/?pingInterval=1m0s&id=" ID
		    "&token=a%2Bb+c%26%c3%A9&statusAddr=%3A22070");
	assert_true(uri.has_id);
	relay_device_id_format(uri.id, text);
	assert_string_equal(text, ID);
	assert_string_equal(uri.token, "a+b c&\303\251");
	uri = parse("relay://h:1/?token=first&token=second&&id=&=&x");
	assert_string_equal(uri.token, "first");
	assert_false(uri.has_id);
	uri = parse("relay://h:1/?token=t#&token=u");
	assert_string_equal(uri.token, "t");
	/* Parameter names are case-sensitive and are not unescaped. */
	uri = parse("relay://h:1/?Token=t&tok%65n=u");
	assert_string_equal(uri.token, "");
}

static void reads_what_a_pool_is_asked_for(void **state)
{
	static const struct {
		const char *text, *target;
		enum client_uri_kind kind;
	} rows[] = {
		{"dynamic+http://p", "/", CLIENT_URI_HTTP},
		{"dynamic+http://p/", "/", CLIENT_URI_HTTP},
		{"dynamic+https://p/a/b?c=d&e", "/a/b?c=d&e", CLIENT_URI_HTTPS},
		{"dynamic+https://p?c", "/?c", CLIENT_URI_HTTPS},
		{"dynamic+https://p/x#fragment", "/x", CLIENT_URI_HTTPS},
		{"dynamic+https://p#/x", "/", CLIENT_URI_HTTPS},
	};

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		struct client_uri uri = parse(rows[i].text);

		assert_string_equal(uri.target, rows[i].target);
		assert_int_equal(uri.kind, rows[i].kind);
	}
}

static void refuses_what_is_no_uri(void **state)
{
	static const struct {
		const char *text, *why;
	} rows[] = {
		{"", "begins with none"},
		{"relay:", "begins with none"},
		{"relay:/h", "begins with none"},
		{"http://h/", "begins with none"},
		{"relayx://h", "begins with none"},
		{"dynamic+ftp://h", "begins with none"},
		{" relay://h", "byte 0x20 at position 1"},
		{"relay://h\r\n", "byte 0x0d"},
		{"relay://h/\303\251", "byte 0xc3"},
		{"relay://h\177", "byte 0x7f"},
		{"relay://user@h", "user name"},
		{"relay://u:p@h:1", "user name"},
		{"relay://h:0", "port"},
		{"relay://h:65536", "port"},
		{"relay://h:99999999999999999999", "port"},
		{"relay://h:-1", "port"},
		{"relay://h:1:2", "port"},
		{"relay://::1", "port"},
		{"relay://h:1x", "port"},
		{"relay://[::1", "] is missing"},
		{"relay://[]", "IPv6"},
		{"relay://[h]", "IPv6"},
		{"relay://[::1%25lo]", "IPv6"},
		{"relay://[127.0.0.1]", "IPv6"},
		{"relay://[::1]x:1", "after ]"},
		{"relay://[::1]x", "after ]"},
		{"relay://a]b", "\"]\" does not occur"},
		{"relay://a%41", "\"%\" does not occur"},
		{"relay://a\\b", "does not occur"},
		{"relay://h/?id=x", "its id"},
		{"relay://h/?id=%4", "its id"},
		{"relay://h/?id=" ID "A", "its id"},
		{"relay://h/?token=%", "its token"},
		{"relay://h/?token=%4", "its token"},
		{"relay://h/?token=%g0", "its token"},
		{"relay://h/?token=%00", "its token"},
		{"dynamic+http:///path", "no host"},
		{"dynamic+http://:80/", "no host"},
	};

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		struct relay_err err = {""};
		struct client_uri uri;

		if (client_uri_parse(rows[i].text, &uri, &err) == 0 ||
			!strstr(err.text, rows[i].why))
			fail_msg("\"%s\": got \"%s\", want \"%s\"",
				rows[i].text, err.text, rows[i].why);
	}
}

static void refuses_what_is_too_long(void **state)
{
	static char text[CLIENT_URI_MAX + 64];
	struct client_uri uri;
	struct relay_err err;

	(void)state;
	memset(text, 'a', sizeof(text) - 1);
	memcpy(text, "relay://", 8);
	text[8 + CLIENT_HOST_MAX] = '\0';
	assert_int_equal(client_uri_parse(text, &uri, &err), 0);
	assert_int_equal(strlen(uri.host), CLIENT_HOST_MAX);
	text[8 + CLIENT_HOST_MAX] = 'a';
	text[9 + CLIENT_HOST_MAX] = '\0';
	assert_int_equal(client_uri_parse(text, &uri, &err), -1);

	memset(text, 'a', sizeof(text) - 1);
	memcpy(text, "relay://h?token=", 16);
	text[16 + CLIENT_URI_TOKEN_MAX] = '\0';
	assert_int_equal(client_uri_parse(text, &uri, &err), 0);
	text[16 + CLIENT_URI_TOKEN_MAX] = 'a';
	text[17 + CLIENT_URI_TOKEN_MAX] = '\0';
	assert_int_equal(client_uri_parse(text, &uri, &err), -1);

	memset(text, 'a', sizeof(text) - 1);
	memcpy(text, "dynamic+http://h/", 17);
	text[CLIENT_URI_MAX] = '\0';
	assert_int_equal(client_uri_parse(text, &uri, &err), 0);
	text[CLIENT_URI_MAX] = 'a';
	assert_int_equal(client_uri_parse(text, &uri, &err), -1);
	assert_non_null(strstr(err.text, "more than"));
}

static void keeps_the_token_out_of_errors(void **state)
{
	struct relay_err err;
	struct client_uri uri;

	(void)state;
	assert_int_equal(
		client_uri_parse("relay://h:0/?token=secret", &uri, &err), -1);
	assert_null(strstr(err.text, "secret"));
}

static void reads_redirections(void **state)
{
	struct client_uri uri;
	struct relay_err err;

	(void)state;
	assert_int_equal(
		client_uri_parse_web("https://p:1/x?y", &uri, &err), 0);
	assert_int_equal(uri.kind, CLIENT_URI_HTTPS);
	assert_string_equal(uri.target, "/x?y");
	assert_int_equal(client_uri_parse_web("relay://p", &uri, &err), -1);
	assert_int_equal(client_uri_parse_web("//p/x", &uri, &err), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_hosts_and_ports),
		cmocka_unit_test(reads_id_and_token),
		cmocka_unit_test(reads_what_a_pool_is_asked_for),
		cmocka_unit_test(refuses_what_is_no_uri),
		cmocka_unit_test(refuses_what_is_too_long),
		cmocka_unit_test(keeps_the_token_out_of_errors),
		cmocka_unit_test(reads_redirections),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
