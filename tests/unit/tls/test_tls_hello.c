/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of whether a complete ClientHello has arrived. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "tls/tls_hello.h"

#define RECORD_HEADER 5

/* Makes a message of this length in records of `size`; returns the total
 * length. */
static size_t make(unsigned char *out, unsigned type, size_t length,
	size_t size, size_t room)
{
	const unsigned char header[] = {(unsigned char)type,
		(unsigned char)(length >> 16), (unsigned char)(length >> 8),
		(unsigned char)length};
	size_t whole = sizeof(header) + length, at = 0;

	for (size_t done = 0; done < whole; done += size) {
		size_t n = whole - done < size ? whole - done : size;

		if (at + RECORD_HEADER + n > room)
			break;
		memcpy(out + at, "\x16\x03\x01", 3);
		out[at + 3] = (unsigned char)(n >> 8);
		out[at + 4] = (unsigned char)n;
		memset(out + at + RECORD_HEADER, 0, n);
		for (size_t i = 0; i < n && done + i < sizeof(header); i++)
			out[at + RECORD_HEADER + i] = header[done + i];
		at += RECORD_HEADER + n;
	}
	return at;
}

static void every_part_of_one_is_a_part(void **state)
{
	static const size_t sizes[] = {16384, 100, 7, 1};
	unsigned char bytes[TLS_HELLO_ROOM];

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		size_t len = make(bytes, 1, 300, sizes[i], sizeof(bytes));

		for (size_t n = 0; n < len; n++)
			assert_int_equal(
				tls_hello_look(bytes, n), TLS_HELLO_PART);
		assert_int_equal(tls_hello_look(bytes, len), TLS_HELLO_READY);
		assert_int_equal(
			tls_hello_look(bytes, len + 9), TLS_HELLO_READY);
	}
}

static void the_longest_one_is_taken(void **state)
{
	unsigned char bytes[TLS_HELLO_ROOM];
	size_t len = make(bytes, 1, TLS_HELLO_LONGEST, 16384, sizeof(bytes));

	(void)state;
	assert_int_equal(tls_hello_look(bytes, len - 1), TLS_HELLO_PART);
	assert_int_equal(tls_hello_look(bytes, len), TLS_HELLO_READY);
	len = make(bytes, 1, TLS_HELLO_LONGEST + 1, 16384, sizeof(bytes));
	assert_int_equal(tls_hello_look(bytes, 8), TLS_HELLO_PART);
	assert_int_equal(tls_hello_look(bytes, 9), TLS_HELLO_LONG);
	(void)make(bytes, 1, 0xffffff, 1, sizeof(bytes));
	assert_int_equal(tls_hello_look(bytes, 23), TLS_HELLO_PART);
	assert_int_equal(tls_hello_look(bytes, 24), TLS_HELLO_LONG);
}

static void what_does_not_fit_is_too_long(void **state)
{
	unsigned char bytes[TLS_HELLO_ROOM];

	(void)state;
	(void)make(bytes, 1, 8000, 1, sizeof(bytes));
	assert_int_equal(
		tls_hello_look(bytes, sizeof(bytes) - 1), TLS_HELLO_PART);
	assert_int_equal(tls_hello_look(bytes, sizeof(bytes)), TLS_HELLO_LONG);
}

static void others_are_told(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
		enum tls_hello want;
	} rows[] = {
		{"GET / HTTP", 10, TLS_HELLO_OTHER},
		{"\x16GET", 4, TLS_HELLO_OTHER},
		{"\x16\x03\x01\x00\x00", 5, TLS_HELLO_OTHER}, /* empty */
		{"\x16\x03\x01\x40\x00", 5, TLS_HELLO_PART},
		{"\x16\x03\x01\x40\x01", 5, TLS_HELLO_OTHER}, /* too long */
		{"\x16\x03\x01\x00\x10\x02", 6, TLS_HELLO_OTHER},
		{"\x17\x03\x03\x00\x10", 5, TLS_HELLO_OTHER},
		/* A record of another type within the message. */
		{"\x16\x03\x01\x00\x01\x01\x15", 7, TLS_HELLO_OTHER},
		/* ChangeCipherSpec: one may come before the message; complete
		 * and partial. */
		{"\x14\x03\x03\x00\x01\x01", 6, TLS_HELLO_PART},
		{"\x14\x03", 2, TLS_HELLO_PART},
		{"\x14\x03\x03\x00\x01\x01\x14", 7, TLS_HELLO_OTHER},
		{"\x14\x03\x03\x00\x01\x01\x17", 7, TLS_HELLO_OTHER},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(
			tls_hello_look((const unsigned char *)rows[i].bytes,
				rows[i].len),
			rows[i].want);
}

static void a_change_of_ciphers_may_come_first(void **state)
{
	unsigned char bytes[TLS_HELLO_ROOM] = "\x14\x03\x03\x00\x01\x01";
	size_t len = 6 + make(bytes + 6, 1, 300, 100, sizeof(bytes) - 6);

	(void)state;
	assert_int_equal(tls_hello_look(bytes, len - 1), TLS_HELLO_PART);
	assert_int_equal(tls_hello_look(bytes, len), TLS_HELLO_READY);
	(void)make(bytes + 6, 1, 131000, 16384, sizeof(bytes) - 6);
	assert_int_equal(tls_hello_look(bytes, 15), TLS_HELLO_LONG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_part_of_one_is_a_part),
		cmocka_unit_test(the_longest_one_is_taken),
		cmocka_unit_test(what_does_not_fit_is_too_long),
		cmocka_unit_test(others_are_told),
		cmocka_unit_test(a_change_of_ciphers_may_come_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
