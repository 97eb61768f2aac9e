/* SPDX-License-Identifier: MPL-2.0 */

/* Tests of encoding and decoding the relay protocol's messages. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "relay/messages/frame.h"

#define LEN(a)  (sizeof(a) / sizeof((a)[0]))
#define MAGIC   0x9e, 0x79, 0xbc, 0x40
#define U32(v)  0, 0, 0, (v)
#define KEY32   "0123456789abcdef0123456789abcdef"
#define ID32    "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
#define BODY(s) (const uint8_t *)(s), sizeof(s) - 1

static void assert_bytes(struct frame_bytes got, const void *want, size_t len)
{
	assert_int_equal(got.len, len);
	if (len)
		assert_memory_equal(got.data, want, len);
}

static void reads_headers(void **state)
{
	static const struct {
		uint8_t bytes[FRAME_HEADER_LEN];
		int want;
	} rows[] = {
		{{MAGIC, U32(0), U32(0)}, FRAME_OK},
		{{MAGIC, U32(7), U32(0)}, FRAME_OK},
		{{MAGIC, U32(0), 0, 0, 4, 0}, FRAME_OK}, /* fields to come */
		{{MAGIC, U32(2), U32(0)}, FRAME_OK},
		{{MAGIC, U32(3), U32(36)}, FRAME_OK},
		{{MAGIC, U32(6), U32(20)}, FRAME_OK},
		{{0x9e, 0x79, 0xbc, 0x41, U32(0), U32(0)}, FRAME_BAD_MAGIC},
		{{0x40, 0xbc, 0x79, 0x9e, U32(0), U32(0)}, FRAME_BAD_MAGIC},
		{"GET / HTTP/1", FRAME_BAD_MAGIC},
		{{MAGIC, U32(0), 0, 0, 4, 1}, FRAME_BAD_LENGTH},
		{{MAGIC, U32(0), 0xff, 0xff, 0xff, 0xff}, FRAME_BAD_LENGTH},
		{{MAGIC, U32(0), 0x80, 0, 0, 0}, FRAME_BAD_LENGTH},
		{{MAGIC, U32(0), 0x7f, 0xff, 0xff, 0xff}, FRAME_BAD_LENGTH},
		{{MAGIC, U32(8), U32(0)}, FRAME_UNKNOWN_TYPE},
		{{MAGIC, 0xff, 0xff, 0xff, 0xff, U32(0)}, FRAME_UNKNOWN_TYPE},
		{{MAGIC, 1, 0, 0, 0, U32(0)}, FRAME_UNKNOWN_TYPE},
		{{MAGIC, U32(3), U32(0)}, FRAME_SHORT_BODY},
		{{MAGIC, U32(4), U32(7)}, FRAME_SHORT_BODY},
		{{MAGIC, U32(5), U32(3)}, FRAME_SHORT_BODY},
		{{MAGIC, U32(6), U32(19)}, FRAME_SHORT_BODY},
	};

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		const struct frame_header before = {FRAME_TYPES, 77};
		struct frame_header h = before;
		int got = frame_read_header(rows[i].bytes, &h);

		assert_string_equal(
			frame_error_word(got), frame_error_word(rows[i].want));
		if (got) {
			assert_int_equal(h.type, before.type);
			assert_int_equal(h.length, before.length);
			continue;
		}
		assert_int_equal(h.type, rows[i].bytes[7]);
		assert_int_equal(
			h.length, rows[i].bytes[10] * 256 + rows[i].bytes[11]);
	}
}

static void reads_join_relay(void **state)
{
	struct frame_bytes token = {(const uint8_t *)"old", 3};

	(void)state;
	assert_int_equal(frame_read_join_relay(NULL, 0, &token), FRAME_OK);
	assert_bytes(token, NULL, 0);
	assert_int_equal(
		frame_read_join_relay(BODY("\0\0\0\0"), &token), FRAME_OK);
	assert_bytes(token, NULL, 0);
	assert_int_equal(
		frame_read_join_relay(BODY("\0\0\0\4token"), &token), FRAME_OK);
	assert_bytes(token, "toke", 4);
	assert_int_equal(
		frame_read_join_relay(BODY("\0\0\0\5to\0en\0\0\0"), &token),
		FRAME_OK);
	assert_bytes(token, "to\0en", 5);
}

static void reads_a_token_as_long_as_the_message(void **state)
{
	uint8_t body[FRAME_BODY_MAX] = {0, 0, 0x03, 0xfc};
	struct frame_bytes token = {NULL, 0};

	(void)state;
	assert_int_equal(
		frame_read_join_relay(body, sizeof(body), &token), FRAME_OK);
	assert_int_equal(token.len, FRAME_TOKEN_MAX);
	body[3] = 0xfd;
	assert_int_equal(frame_read_join_relay(body, sizeof(body), &token),
		FRAME_LONG_FIELD);
}

/* A body of one opaque field, as in JoinSessionRequest and ConnectRequest. */
static void reads_opaques(void **state)
{
	static const struct {
		const char *body;
		size_t len;
		int want;
		size_t want_len;
	} rows[] = {
		{"\0\0\0\040" KEY32, 36, FRAME_OK, 32},
		{"\0\0\0\040" KEY32 "more", 40, FRAME_OK, 32},
		{"\0\0\0\0", 4, FRAME_OK, 0},
		{"\0\0\0\1k\0\0\0", 8, FRAME_OK, 1},
		{"\0\0\0\1kXYZ", 8, FRAME_OK, 1}, /* padding is not checked */
		{"\0\0\0\1k\0\0", 7, FRAME_SHORT_BODY, 0},
		{"\0\0\0\1", 4, FRAME_SHORT_BODY, 0},
		{"\0\0\0", 3, FRAME_SHORT_BODY, 0},
		{"", 0, FRAME_SHORT_BODY, 0},
		{"\0\0\0\040" KEY32, 35, FRAME_SHORT_BODY, 0},
		{"\0\0\0\041" KEY32 "k\0\0\0", 40, FRAME_LONG_FIELD, 0},
		{"\377\377\377\377", 4, FRAME_LONG_FIELD, 0},
		{"\377\377\377\375abcd", 8, FRAME_LONG_FIELD, 0},
		{"\200\0\0\0abcd", 8, FRAME_LONG_FIELD, 0},
	};

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		const uint8_t *body = (const uint8_t *)rows[i].body;
		struct frame_bytes key = {NULL, 99}, id = {NULL, 99};
		int got = frame_read_join_session(body, rows[i].len, &key);

		assert_string_equal(
			frame_error_word(got), frame_error_word(rows[i].want));
		assert_int_equal(
			frame_read_connect(body, rows[i].len, &id), got);
		assert_int_equal(key.len, got ? 99 : rows[i].want_len);
		assert_int_equal(id.len, key.len);
		if (!got)
			assert_bytes(key, body + 4, rows[i].want_len);
	}
}

static void reads_responses(void **state)
{
	struct frame_response r = {0, {NULL, 0}};

	(void)state;
	assert_int_equal(frame_read_response(
				 BODY("\0\0\0\1\0\0\0\011not found\0\0\0"), &r),
		FRAME_OK);
	assert_int_equal(r.code, 1);
	assert_bytes(r.message, "not found", 9);
	assert_int_equal(
		frame_read_response(BODY("\377\377\377\376\0\0\0\0"), &r),
		FRAME_OK);
	assert_int_equal(r.code, -2);
	assert_int_equal(
		frame_read_response(BODY("\200\0\0\0\0\0\0\0"), &r), FRAME_OK);
	assert_int_equal(r.code, INT32_MIN);
	assert_int_equal(
		frame_read_response(BODY("\0\0\0\7"), &r), FRAME_SHORT_BODY);
	assert_int_equal(r.code, INT32_MIN);
}

#define INVITATION                                                             \
	"\0\0\0\040" ID32 "\0\0\0\040" KEY32 "\0\0\0\020"                      \
	"\0\0\0\0\0\0\0\0\0\0\377\377\300\0\2\1"

static void reads_invitations(void **state)
{
	struct frame_invitation in;

	(void)state;
	assert_int_equal(frame_read_invitation(
				 BODY(INVITATION "\0\0\126\063\0\0\0\1"), &in),
		FRAME_OK);
	assert_bytes(in.from, ID32, 32);
	assert_bytes(in.key, KEY32, 32);
	assert_bytes(in.address, "\0\0\0\0\0\0\0\0\0\0\377\377\300\0\2\1", 16);
	assert_int_equal(in.port, 22067);
	assert_true(in.server_socket);
	assert_int_equal(
		frame_read_invitation(BODY("\0\0\0\0\0\0\0\0\0\0\0\0"
					   "\0\0\1\0\0\0\0\0later fields"),
			&in),
		FRAME_OK);
	assert_int_equal(in.from.len + in.key.len + in.address.len, 0);
	assert_int_equal(in.port, 256);
	assert_false(in.server_socket);
}

static void refuses_bad_invitations(void **state)
{
	static const uint8_t whole[] = INVITATION "\0\0\126\063\0\0\0\1";
	struct frame_invitation in;

	(void)state;
	for (size_t len = 0; len < sizeof(whole) - 1; len++)
		assert_int_equal(frame_read_invitation(whole, len, &in),
			FRAME_SHORT_BODY);
	assert_int_equal(
		frame_read_invitation(BODY(INVITATION "\0\1\0\0\0\0\0\1"), &in),
		FRAME_BAD_VALUE);
	assert_int_equal(
		frame_read_invitation(BODY(INVITATION "\0\0\0\1\0\0\0\2"), &in),
		FRAME_BAD_VALUE);
	assert_int_equal(
		frame_read_invitation(BODY(INVITATION "\0\1\0\0\0\0"), &in),
		FRAME_BAD_VALUE);
}

static void check_message(
	const uint8_t *got, size_t got_len, const char *want, size_t len)
{
	assert_int_equal(got_len, len);
	assert_memory_equal(got, want, len);
}

#define CHECK(got, got_len, want)                                              \
	check_message(got, got_len, want, sizeof(want) - 1)
#define HEAD "\236\171\274\100"

static void writes_messages(void **state)
{
	const struct frame_invitation in = {
		.from = {(const uint8_t *)ID32, 32},
		.key = {(const uint8_t *)KEY32, 32},
		.address = {NULL, 0},
		.port = 22067,
		.server_socket = true,
	};
	uint8_t buf[FRAME_MAX];
	size_t cap = sizeof(buf);

	(void)state;
	memset(buf, 0xaa, cap);
	CHECK(buf, frame_write_empty(buf, cap, FRAME_PING),
		HEAD "\0\0\0\0\0\0\0\0");
	CHECK(buf, frame_write_empty(buf, cap, FRAME_PONG),
		HEAD "\0\0\0\1\0\0\0\0");
	CHECK(buf, frame_write_empty(buf, cap, FRAME_RELAY_FULL),
		HEAD "\0\0\0\7\0\0\0\0");
	CHECK(buf, frame_write_join_relay(buf, cap, NULL, 0),
		HEAD "\0\0\0\2\0\0\0\4\0\0\0\0");
	memset(buf, 0xaa, cap);
	CHECK(buf, frame_write_join_relay(buf, cap, "to\0en", 5),
		HEAD "\0\0\0\2\0\0\0\014\0\0\0\5to\0en\0\0\0");
	CHECK(buf, frame_write_join_session(buf, cap, KEY32, 32),
		HEAD "\0\0\0\3\0\0\0\044\0\0\0\040" KEY32);
	CHECK(buf, frame_write_connect(buf, cap, ID32, 32),
		HEAD "\0\0\0\5\0\0\0\044\0\0\0\040" ID32);
	CHECK(buf, frame_write_response(buf, cap, FRAME_SUCCESS, NULL),
		HEAD "\0\0\0\4\0\0\0\020\0\0\0\0\0\0\0\7success\0");
	CHECK(buf, frame_write_response(buf, cap, -2, "no"),
		HEAD "\0\0\0\4\0\0\0\014\377\377\377\376\0\0\0\2no\0\0");
	CHECK(buf, frame_write_invitation(buf, cap, &in),
		HEAD "\0\0\0\6\0\0\0\124\0\0\0\040" ID32 "\0\0\0\040" KEY32
		     "\0\0\0\0\0\0\126\063\0\0\0\1");
}

static void writes_what_it_reads(void **state)
{
	static const uint8_t body[] = INVITATION "\0\0\126\063\0\0\0\1";
	struct frame_invitation in;
	struct frame_header h;
	uint8_t buf[FRAME_INVITATION_SIZE];
	size_t n;

	(void)state;
	assert_int_equal(
		frame_read_invitation(body, sizeof(body) - 1, &in), FRAME_OK);
	n = frame_write_invitation(buf, sizeof(buf), &in);
	assert_int_equal(n, FRAME_HEADER_LEN + sizeof(body) - 1);
	assert_int_equal(frame_read_header(buf, &h), FRAME_OK);
	assert_int_equal(h.type, FRAME_INVITATION);
	assert_int_equal(h.length, sizeof(body) - 1);
	assert_memory_equal(buf + FRAME_HEADER_LEN, body, h.length);
}

/* A buffer that is too small gives 0, and nothing is written beyond it. */
static void keeps_within_the_buffer(void **state)
{
	const struct frame_invitation in = {
		.from = {(const uint8_t *)ID32, 32},
		.key = {(const uint8_t *)KEY32, 32},
		.address = {(const uint8_t *)KEY32, 32},
	};
	uint8_t buf[FRAME_INVITATION_SIZE + 1];

	(void)state;
	for (size_t cap = 0; cap <= FRAME_INVITATION_SIZE; cap++) {
		size_t n;

		memset(buf, 0xaa, sizeof(buf));
		n = frame_write_invitation(buf, cap, &in);
		assert_int_equal(n, cap < FRAME_INVITATION_SIZE
					    ? 0
					    : FRAME_INVITATION_SIZE);
		for (size_t i = cap; i < sizeof(buf); i++)
			assert_int_equal(buf[i], 0xaa);
	}
	assert_int_equal(frame_write_empty(buf, 11, FRAME_PING), 0);
	assert_int_equal(frame_write_response(buf, 35, 0, NULL) != 0, 1);
	assert_int_equal(frame_write_response(buf, 27, 0, NULL), 0);
}

static void refuses_to_write_nonsense(void **state)
{
	char long_text[FRAME_BODY_MAX + 2];
	const struct frame_invitation in = {
		.key = {(const uint8_t *)long_text, 33}};
	uint8_t buf[FRAME_MAX + 100];
	size_t cap = sizeof(buf);

	(void)state;
	memset(long_text, 'x', sizeof(long_text) - 1);
	long_text[sizeof(long_text) - 1] = '\0';
	assert_int_equal(frame_write_empty(buf, cap, FRAME_RESPONSE), 0);
	assert_int_equal(frame_write_empty(buf, cap, FRAME_TYPES), 0);
	assert_int_equal(frame_write_join_session(buf, cap, long_text, 33), 0);
	assert_int_equal(frame_write_connect(buf, cap, long_text, 33), 0);
	assert_int_equal(frame_write_invitation(buf, cap, &in), 0);
	assert_int_equal(
		frame_write_join_relay(buf, cap, long_text, FRAME_TOKEN_MAX),
		FRAME_MAX);
	assert_int_equal(frame_write_join_relay(
				 buf, cap, long_text, FRAME_TOKEN_MAX + 1),
		0);
	assert_int_equal(frame_write_response(buf, cap, 0, long_text), 0);
	assert_int_equal(
		frame_write_response(buf, cap, 0, long_text + 9), FRAME_MAX);
	assert_int_equal(frame_write_response(buf, cap, 0, long_text + 8), 0);
}

static void names_things(void **state)
{
	static const int32_t codes[] = {FRAME_SUCCESS, FRAME_NOT_FOUND,
		FRAME_ALREADY_CONNECTED, FRAME_WRONG_TOKEN, FRAME_UNEXPECTED};
	static const char *const texts[] = {"success", "not found",
		"already connected", "wrong token", "unexpected message"};
	uint8_t buf[FRAME_STANDARD_RESPONSE_SIZE];

	(void)state;
	for (size_t i = 0; i < LEN(codes); i++) {
		assert_string_equal(frame_code_text(codes[i]), texts[i]);
		assert_true(frame_write_response(
				    buf, sizeof(buf), codes[i], NULL) > 0);
	}
	assert_string_equal(frame_code_text(4), "");
	assert_string_equal(frame_type_name(FRAME_PING), "Ping");
	assert_string_equal(frame_type_name(FRAME_RELAY_FULL), "RelayFull");
	assert_string_equal(frame_type_name(FRAME_TYPES), "unknown");
	assert_string_equal(frame_type_name(-1), "unknown");
	assert_string_equal(frame_error_word(FRAME_BAD_MAGIC), "bad_magic");
	assert_string_equal(frame_error_word(FRAME_BAD_VALUE), "bad_value");
	assert_string_equal(frame_error_word(FRAME_ERRORS), "unknown");
	assert_string_equal(frame_error_word(-1), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_headers),
		cmocka_unit_test(reads_join_relay),
		cmocka_unit_test(reads_a_token_as_long_as_the_message),
		cmocka_unit_test(reads_opaques),
		cmocka_unit_test(reads_responses),
		cmocka_unit_test(reads_invitations),
		cmocka_unit_test(refuses_bad_invitations),
		cmocka_unit_test(writes_messages),
		cmocka_unit_test(writes_what_it_reads),
		cmocka_unit_test(keeps_within_the_buffer),
		cmocka_unit_test(refuses_to_write_nonsense),
		cmocka_unit_test(names_things),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
