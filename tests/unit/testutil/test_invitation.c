/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of parsing a relay's answers, good and hostile. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <cmocka.h>

#include "relay/messages/frame.h"
#include "invitation.h"

#define ID32  "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
#define KEY32 "0123456789abcdef0123456789abcdef"
#define V6    "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01"

static struct sockaddr_storage own_v4(void)
{
	struct sockaddr_storage own;
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(9)};

	memset(&own, 0, sizeof(own));
	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	memcpy(&own, &in, sizeof(in));
	return own;
}

static int read_one(const void *from, size_t from_len, size_t key_len,
	const void *address, size_t address_len, uint16_t port,
	struct relay_client_invitation *out, struct relay_err *err)
{
	struct frame_invitation in = {
		.from = {from, from_len},
		.key = {(const uint8_t *)KEY32, key_len},
		.address = {address, address_len},
		.port = port,
		.server_socket = true,
	};
	struct sockaddr_storage own = own_v4();
	uint8_t buf[FRAME_INVITATION_SIZE];
	size_t len = frame_write_invitation(buf, sizeof(buf), &in);

	assert_true(len > FRAME_HEADER_LEN);
	return invitation_read(buf + FRAME_HEADER_LEN, len - FRAME_HEADER_LEN,
		&own, sizeof(struct sockaddr_in), out, err);
}

static void check_address(const struct relay_client_invitation *got, int family,
	const char *want, unsigned port)
{
	char text[INET6_ADDRSTRLEN];
	struct sockaddr_in6 in6;
	struct sockaddr_in in;

	assert_int_equal(got->address.ss_family, family);
	if (family == AF_INET) {
		memcpy(&in, &got->address, sizeof(in));
		assert_int_equal(got->address_len, sizeof(in));
		assert_int_equal(ntohs(in.sin_port), port);
		assert_non_null(
			inet_ntop(family, &in.sin_addr, text, sizeof(text)));
	} else {
		memcpy(&in6, &got->address, sizeof(in6));
		assert_int_equal(got->address_len, sizeof(in6));
		assert_int_equal(ntohs(in6.sin6_port), port);
		assert_non_null(
			inet_ntop(family, &in6.sin6_addr, text, sizeof(text)));
	}
	assert_string_equal(text, want);
}

static void reads_addresses(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
		int family;
		const char *want;
	} rows[] = {
		{"", 0, AF_INET, "127.0.0.1"},
		{"\0\0\0", 4, AF_INET, "127.0.0.1"},
		{"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16, AF_INET, "127.0.0.1"},
		{"\0\0\0\0\0\0\0\0\0\0\xff\xff\0\0\0", 16, AF_INET,
			"127.0.0.1"},
		{"\x0a\1\2\3", 4, AF_INET, "10.1.2.3"},
		{"\0\0\0\0\0\0\0\0\0\0\xff\xff\x0a\1\2\3", 16, AF_INET,
			"10.1.2.3"},
		{V6, 16, AF_INET6, "2001:db8::1"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct relay_client_invitation got;

		assert_int_equal(read_one(ID32, 32, 32, rows[i].bytes,
					 rows[i].len, 22067, &got, NULL),
			0);
		check_address(&got, rows[i].family, rows[i].want, 22067);
		assert_memory_equal(got.from, ID32, 32);
		assert_memory_equal(got.key, KEY32, 32);
		assert_int_equal(got.key_len, 32);
		assert_true(got.server_socket);
	}
}

static void refuses_other_invitations(void **state)
{
	struct relay_client_invitation got;
	struct sockaddr_storage own = own_v4();
	struct relay_err err;

	(void)state;
	assert_int_equal(read_one(ID32, 31, 32, "", 0, 1, &got, &err), -1);
	assert_int_equal(read_one(ID32, 0, 32, "", 0, 1, &got, &err), -1);
	assert_int_equal(read_one(ID32, 32, 32, "", 0, 0, &got, &err), -1);
	assert_int_equal(read_one(ID32, 32, 32, V6, 5, 1, &got, &err), -1);
	assert_int_equal(read_one(ID32, 32, 32, V6, 15, 1, &got, &err), -1);
	assert_int_equal(read_one(ID32, 32, 32, ID32, 32, 1, &got, &err), -1);
	assert_non_null(strstr(err.text, "32 bytes"));
	assert_int_equal(invitation_read((const uint8_t *)"", 0, &own,
				 sizeof(own), &got, &err),
		-1);
}

static void needs_to_know_the_relay_for_its_own_address(void **state)
{
	const struct frame_invitation in = {
		.from = {(const uint8_t *)ID32, 32}, .port = 1};
	uint8_t buf[FRAME_INVITATION_SIZE];
	struct relay_client_invitation got;
	struct sockaddr_storage own;
	size_t len = frame_write_invitation(buf, sizeof(buf), &in);

	(void)state;
	memset(&own, 0, sizeof(own));
	assert_int_equal(invitation_read(buf + FRAME_HEADER_LEN,
				 len - FRAME_HEADER_LEN, &own, 0, &got, NULL),
		-1);
}

static int read_response(
	int32_t code, const char *message, struct relay_client_error *why)
{
	uint8_t buf[FRAME_MAX];
	size_t len = frame_write_response(buf, sizeof(buf), code, message);

	assert_true(len > FRAME_HEADER_LEN);
	return response_read(
		buf + FRAME_HEADER_LEN, len - FRAME_HEADER_LEN, why);
}

static void reads_responses(void **state)
{
	struct relay_client_error why;

	(void)state;
	assert_int_equal(read_response(0, "anything", &why), 0);
	assert_int_equal(read_response(1, NULL, &why), -1);
	assert_int_equal(why.failure, RELAY_CLIENT_NOT_FOUND);
	assert_string_equal(why.text, "not found");
	assert_int_equal(read_response(2, NULL, &why), -1);
	assert_int_equal(why.failure, RELAY_CLIENT_ALREADY_CONNECTED);
	assert_int_equal(read_response(3, NULL, &why), -1);
	assert_int_equal(why.failure, RELAY_CLIENT_WRONG_TOKEN);
	assert_int_equal(read_response(100, NULL, &why), -1);
	assert_int_equal(why.failure, RELAY_CLIENT_REFUSED);
	assert_int_equal(
		response_read((const uint8_t *)"\0\0\0\0", 4, &why), -1);
	assert_int_equal(why.failure, RELAY_CLIENT_BAD_MESSAGE);
}

static void shows_a_relays_words_harmlessly(void **state)
{
	struct relay_client_error why;

	(void)state;
	assert_int_equal(read_response(-7, "\033[2J%s\303\251\n", &why), -1);
	assert_int_equal(why.failure, RELAY_CLIENT_REFUSED);
	assert_string_equal(
		why.text, "refused with code -7 and the message \"?[2J%s???\"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_addresses),
		cmocka_unit_test(refuses_other_invitations),
		cmocka_unit_test(needs_to_know_the_relay_for_its_own_address),
		cmocka_unit_test(reads_responses),
		cmocka_unit_test(shows_a_relays_words_harmlessly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
