/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of the PROXY protocol's header, versions 1 and 2. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include "net/proxy_header.h"

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define AFTER     "\x16\x03\x01"
/* CRC-32C of the header in a_checksum_is_checked() with zeroes in its place;
 * the same program gives e3069283 for "123456789" (RFC 3720, B.4). */
#define CHECKSUM 0x54, 0x8e, 0x28, 0xff

static uint8_t bytes[2048];

static enum proxy_header_kind read_text(
	const char *text, struct proxy_header *out)
{
	return proxy_header_read((const uint8_t *)text, strlen(text), out);
}

static void check_address(
	const struct sockaddr_storage *address, const char *want)
{
	char host[INET6_ADDRSTRLEN], got[INET6_ADDRSTRLEN + 8];
	const struct sockaddr_in6 *v6 = (const void *)address;
	const struct sockaddr_in *v4 = (const void *)address;
	bool is_v6 = address->ss_family == AF_INET6;

	assert_non_null(inet_ntop(address->ss_family,
		is_v6 ? (const void *)&v6->sin6_addr : &v4->sin_addr, host,
		sizeof(host)));
	snprintf(got, sizeof(got), "%s %u", host,
		ntohs(is_v6 ? v6->sin6_port : v4->sin_port));
	assert_string_equal(got, want);
}

static void a_line_names_the_client(void **state)
{
	static const struct {
		const char *line, *from, *to;
	} good[] = {
		{"PROXY TCP4 192.0.2.7 198.51.100.1 56324 443\r\n",
			"192.0.2.7 56324", "198.51.100.1 443"},
		{"PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n",
			"255.255.255.255 65535", "255.255.255.255 65535"},
		{"PROXY TCP4 0.0.0.0 0.0.0.0 0 0\r\n", "0.0.0.0 0",
			"0.0.0.0 0"},
		{"PROXY TCP6 2001:db8::7 ::1 1 22067\r\n", "2001:db8::7 1",
			"::1 22067"},
		{"PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
		 "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n",
			"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535",
			"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535"},
	};
	struct proxy_header header;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		char text[200];

		snprintf(text, sizeof(text), "%s" AFTER, good[i].line);
		assert_int_equal(read_text(text, &header), PROXY_HEADER_PEER);
		assert_int_equal(header.len, strlen(good[i].line));
		check_address(&header.from, good[i].from);
		check_address(&header.to, good[i].to);
		for (size_t len = 0; len < header.len; len++) {
			struct proxy_header part;

			assert_int_equal(
				proxy_header_read(
					(const uint8_t *)text, len, &part),
				PROXY_HEADER_PART);
		}
	}
}

static void a_line_without_a_client_is_a_check(void **state)
{
	struct proxy_header header;

	(void)state;
	assert_int_equal(
		read_text("PROXY UNKNOWN\r\n", &header), PROXY_HEADER_CHECK);
	assert_int_equal(header.len, 15);
	assert_int_equal(
		read_text("PROXY UNKNOWN ffff::1 any thing\r\nmore", &header),
		PROXY_HEADER_CHECK);
}

static void wrong_lines_are_refused(void **state)
{
	static const char *const wrong[] = {"G", "PROXX",
		"PROXY  TCP4 1.2.3.4 1.2.3.4 1 2\r\n",
		"proxy TCP4 1.2.3.4 1.2.3.4 1 2\r\n", "PROXY \r\n",
		"PROXY TCP4\r\n", "PROXY TCP5 1.2.3.4 1.2.3.4 1 2\r\n",
		"PROXY UDP4 1.2.3.4 1.2.3.4 1 2\r\n", "PROXY UNKNOWNS\r\n",
		"PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n",
		"PROXY TCP4 1.2.3.4 1.2.3.4 1 2 3\r\n",
		"PROXY TCP4 1.2.3.4 1.2.3.4 1 2 \r\n",
		"PROXY TCP4  1.2.3.4 1.2.3.4 1 2\r\n",
		"PROXY TCP4 1.2.3 1.2.3.4 1 2\r\n",
		"PROXY TCP4 1.2.3.256 1.2.3.4 1 2\r\n",
		"PROXY TCP4 ::1 ::1 1 2\r\n",
		"PROXY TCP6 1.2.3.4 1.2.3.4 1 2\r\n",
		"PROXY TCP6 fe80::1%lo ::1 1 2\r\n",
		"PROXY TCP4 1.2.3.4 1.2.3.4 65536 2\r\n",
		"PROXY TCP4 1.2.3.4 1.2.3.4 01 2\r\n",
		"PROXY TCP4 1.2.3.4 1.2.3.4 -1 2\r\n",
		"PROXY TCP4 1.2.3.4 1.2.3.4 1 +2\r\n",
		"PROXY TCP4 1.2.3.4 1.2.3.4 1 2\n", "PROXY TCP4 1\t",
		"PROXY TCP4 1.2.3.4 1.2.3.4 1 2\r\r\n"};
	struct proxy_header header;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		assert_int_equal(
			read_text(wrong[i], &header), PROXY_HEADER_BAD);
	/* The last byte at which a line could still end. */
	memset(bytes, 'x', sizeof(bytes));
	memcpy(bytes, "PROXY UNKNOWN ", 14);
	assert_int_equal(
		proxy_header_read(bytes, 105, &header), PROXY_HEADER_PART);
	assert_int_equal(
		proxy_header_read(bytes, 106, &header), PROXY_HEADER_BAD);
	memcpy(bytes + 105, "\r\n", 2);
	assert_int_equal(
		proxy_header_read(bytes, 107, &header), PROXY_HEADER_CHECK);
}

/* Fills `bytes` with a header; returns its length. */
static size_t make(
	uint8_t command, uint8_t family, const void *data, size_t len)
{
	memset(bytes, 0, sizeof(bytes));
	memcpy(bytes, SIGNATURE, 12);
	bytes[12] = command;
	bytes[13] = family;
	bytes[14] = (uint8_t)(len >> 8);
	bytes[15] = (uint8_t)len;
	if (data)
		memcpy(bytes + 16, data, len);
	return 16 + len;
}

static const uint8_t inet[12] = {
	192, 0, 2, 7, 198, 51, 100, 1, 0xdc, 0x04, 1, 187};

static void bytes_name_the_client(void **state)
{
	uint8_t inet6[36] = {[0] = 0x20,
		1,
		0xd,
		0xb8,
		[15] = 7,
		[31] = 1,
		[33] = 1,
		[35] = 2};
	struct proxy_header header;
	size_t len = make(0x21, 0x11, inet, sizeof(inet));

	(void)state;
	assert_int_equal(
		proxy_header_read(bytes, len + 3, &header), PROXY_HEADER_PEER);
	assert_int_equal(header.len, len);
	check_address(&header.from, "192.0.2.7 56324");
	check_address(&header.to, "198.51.100.1 443");
	for (size_t part = 0; part < len; part++)
		assert_int_equal(proxy_header_read(bytes, part, &header),
			PROXY_HEADER_PART);
	len = make(0x21, 0x21, inet6, sizeof(inet6));
	assert_int_equal(
		proxy_header_read(bytes, len, &header), PROXY_HEADER_PEER);
	check_address(&header.from, "2001:db8::7 1");
	check_address(&header.to, "::1 2");
}

static void bytes_without_a_client_are_a_check(void **state)
{
	static const struct {
		uint8_t command, family;
		size_t len;
	} checks[] = {{0x20, 0, 0}, {0x20, 0x11, 12}, {0x20, 0xff, 3},
		{0x21, 0, 0}, {0x21, 0, 1}, {0x21, 0, 12}, {0x21, 0, 216},
		{0x21, 0x31, 216}};
	struct proxy_header header;

	(void)state;
	for (size_t i = 0; i < sizeof(checks) / sizeof(*checks); i++) {
		size_t len = make(checks[i].command, checks[i].family, NULL,
			checks[i].len);

		assert_int_equal(proxy_header_read(bytes, len + 1, &header),
			PROXY_HEADER_CHECK);
		assert_int_equal(header.len, len);
	}
}

static void wrong_bytes_are_refused(void **state)
{
	static const struct {
		uint8_t command, family;
		size_t len;
	} wrong[] = {{0x11, 0x11, 12}, {0x31, 0x11, 12}, {0x22, 0x11, 12},
		{0x2f, 0x11, 12}, {0x21, 0x12, 12}, {0x21, 0x22, 36},
		{0x21, 0x32, 216}, {0x21, 0x10, 12}, {0x21, 0x01, 12},
		{0x21, 0x13, 12}, {0x21, 0x41, 12}, {0x21, 0x11, 11},
		{0x21, 0x21, 35}, {0x21, 0x31, 215}, {0x21, 0x11, 13},
		{0x21, 0x11, 14}};
	struct proxy_header header;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		assert_int_equal(proxy_header_read(bytes,
					 make(wrong[i].command, wrong[i].family,
						 NULL, wrong[i].len),
					 &header),
			PROXY_HEADER_BAD);
	/* It is refused before the rest has come. */
	make(0x10, 0x11, NULL, 12);
	assert_int_equal(
		proxy_header_read(bytes, 13, &header), PROXY_HEADER_BAD);
	make(0x21, 0x11, NULL, 12);
	bytes[3] = 'x';
	assert_int_equal(
		proxy_header_read(bytes, 4, &header), PROXY_HEADER_BAD);
}

static void a_long_header_is_refused(void **state)
{
	struct proxy_header header;
	size_t len = make(0x20, 0, NULL, PROXY_HEADER_MOST - 16);

	(void)state;
	assert_int_equal(len, PROXY_HEADER_MOST);
	assert_int_equal(
		proxy_header_read(bytes, len, &header), PROXY_HEADER_CHECK);
	make(0x21, 0x11, NULL, PROXY_HEADER_MOST - 15);
	assert_int_equal(
		proxy_header_read(bytes, 16, &header), PROXY_HEADER_LONG);
}

/* An IPv4 header with these types and lengths behind it. */
static enum proxy_header_kind read_with(
	const void *extras, size_t size, struct proxy_header *header)
{
	uint8_t data[256];

	memcpy(data, inet, sizeof(inet));
	memcpy(data + sizeof(inet), extras, size);
	return proxy_header_read(
		bytes, make(0x21, 0x11, data, sizeof(inet) + size), header);
}

static void extras_are_skipped(void **state)
{
	struct proxy_header header;

	(void)state;
	assert_int_equal(
		read_with("\x01\0\x02h2\x04\0\0\xee\0\x01x", 12, &header),
		PROXY_HEADER_PEER);
	assert_int_equal(header.len, 40);
	check_address(&header.from, "192.0.2.7 56324");
	assert_int_equal(read_with("\x01\0", 2, &header), PROXY_HEADER_BAD);
	assert_int_equal(
		read_with("\x01\0\x02h", 4, &header), PROXY_HEADER_BAD);
	assert_int_equal(
		read_with("\x01\xff\xffhh", 5, &header), PROXY_HEADER_BAD);
}

static void a_checksum_is_checked(void **state)
{
	static const uint8_t right[] = {0x03, 0, 4, CHECKSUM};
	uint8_t wrong[sizeof(right)];
	struct proxy_header header;

	(void)state;
	assert_int_equal(
		read_with(right, sizeof(right), &header), PROXY_HEADER_PEER);
	for (size_t i = 3; i < sizeof(right); i++) {
		memcpy(wrong, right, sizeof(right));
		wrong[i] ^= 1;
		assert_int_equal(read_with(wrong, sizeof(wrong), &header),
			PROXY_HEADER_CHECKSUM);
	}
	assert_int_equal(
		read_with("\x03\0\x03xxx", 6, &header), PROXY_HEADER_BAD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_names_the_client),
		cmocka_unit_test(a_line_without_a_client_is_a_check),
		cmocka_unit_test(wrong_lines_are_refused),
		cmocka_unit_test(bytes_name_the_client),
		cmocka_unit_test(bytes_without_a_client_are_a_check),
		cmocka_unit_test(wrong_bytes_are_refused),
		cmocka_unit_test(a_long_header_is_refused),
		cmocka_unit_test(extras_are_skipped),
		cmocka_unit_test(a_checksum_is_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
