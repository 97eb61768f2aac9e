/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of addresses in Go's form. */

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/address.h"
#include "config/config.h"

static void splits(const char *text, const char *host, const char *port)
{
	struct relay_err err = {""};
	struct address out;

	assert_int_equal(address_split(text, &out, &err), 0);
	assert_string_equal(out.host, host);
	assert_string_equal(out.port, port);
}

static void refuses(const char *text, const char *why)
{
	struct relay_err err = {""};
	struct address out;

	assert_int_equal(address_split(text, &out, &err), -1);
	if (!strstr(err.text, why))
		fail_msg("%s: got \"%s\", want \"%s\"", text, err.text, why);
}

static void host_and_port_are_split_as_in_go(void **state)
{
	(void)state;
	splits(":22067", "", "22067");
	splits("127.0.0.1:0", "127.0.0.1", "0");
	splits("[::1]:80", "::1", "80");
	splits("[fe80::1%eth0]:80", "fe80::1%eth0", "80");
	splits("[]:80", "", "80");
	splits("relay.example.org:http", "relay.example.org", "http");
	splits("[host]:1", "host", "1");
}

static void what_is_no_address_is_named_with_the_reason(void **state)
{
	char big[400];

	(void)state;
	refuses("", "no port");
	refuses("host", "no port");
	refuses("host:", "port is empty");
	refuses("::1:80", "brackets");
	refuses("::", "brackets");
	refuses("[::1:80", "] is missing");
	refuses("[::1]", "after ]");
	refuses("[::1]x:80", "after ]");
	refuses("[::1]:80:90", "after ]");
	refuses("a]:80", "out of place");
	refuses("a:8]0", "out of place");
	refuses("[a[b]:80", "out of place");
	memset(big, 'a', sizeof(big));
	memcpy(big + sizeof(big) - 4, ":80", 4);
	refuses(big, "too long");
}

static void resolves(const char *text, int64_t protocol, const char *want)
{
	struct sockaddr_storage addr;
	struct relay_err err = {""};
	char host[INET6_ADDRSTRLEN], got[80];
	socklen_t len = 0;
	const void *bytes;

	if (address_resolve(text, protocol, &addr, &len, &err))
		fail_msg("%s: %s", text, err.text);
	if (addr.ss_family == AF_INET) {
		assert_int_equal(len, sizeof(struct sockaddr_in));
		bytes = &((const struct sockaddr_in *)&addr)->sin_addr;
	} else {
		assert_int_equal(len, sizeof(struct sockaddr_in6));
		bytes = &((const struct sockaddr_in6 *)&addr)->sin6_addr;
	}
	assert_non_null(inet_ntop(addr.ss_family, bytes, host, sizeof(host)));
	address_join(host, address_port(&addr), got, sizeof(got));
	assert_string_equal(got, want);
}

static void fails(const char *text, int64_t protocol, const char *why)
{
	struct sockaddr_storage addr;
	struct relay_err err = {""};
	socklen_t len = 0;

	assert_int_equal(
		address_resolve(text, protocol, &addr, &len, &err), -1);
	if (!strstr(err.text, why))
		fail_msg("%s: got \"%s\", want \"%s\"", text, err.text, why);
}

static void no_host_is_the_wildcard_of_the_protocol(void **state)
{
	(void)state;
	resolves(":22067", CORE_TCP, "[::]:22067");
	resolves(":22067", CORE_TCP4, "0.0.0.0:22067");
	resolves(":22067", CORE_TCP6, "[::]:22067");
}

static void literals_and_names_are_resolved(void **state)
{
	(void)state;
	resolves("127.0.0.1:0", CORE_TCP, "127.0.0.1:0");
	resolves("0.0.0.0:1", CORE_TCP, "0.0.0.0:1");
	resolves("[::1]:65535", CORE_TCP, "[::1]:65535");
	resolves("localhost:80", CORE_TCP, "127.0.0.1:80");
	resolves("127.0.0.1:0080", CORE_TCP, "127.0.0.1:80");
}

static void the_other_family_and_bad_ports_are_refused(void **state)
{
	(void)state;
	fails("127.0.0.1:80", CORE_TCP6, "no IPv6 address");
	fails("[::1]:80", CORE_TCP4, "no IPv4 address");
	fails("127.0.0.1:65536", CORE_TCP, "from 0 to 65535");
	fails("127.0.0.1:99999999999999999999", CORE_TCP, "from 0 to 65535");
	fails("127.0.0.1:nosuchservice", CORE_TCP, "no port");
	fails("127.0.0.1:-1", CORE_TCP, "no port");
	fails("127.0.0.1:80 ", CORE_TCP, "no port");
}

static void port_names_are_known(void **state)
{
	struct sockaddr_storage addr;
	struct relay_err err = {""};
	socklen_t len = 0;

	(void)state;
	/* Without /etc/services there are no names. */
	if (address_resolve("127.0.0.1:http", CORE_TCP, &addr, &len, &err))
		skip();
	assert_int_equal(address_port(&addr), 80);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(host_and_port_are_split_as_in_go),
		cmocka_unit_test(what_is_no_address_is_named_with_the_reason),
		cmocka_unit_test(no_host_is_the_wildcard_of_the_protocol),
		cmocka_unit_test(literals_and_names_are_resolved),
		cmocka_unit_test(the_other_family_and_bad_ports_are_refused),
		cmocka_unit_test(port_names_are_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
