/* SPDX-License-Identifier: MPL-2.0 */

/*
 * Fuzzes the relay protocol's codec: a stream of messages from a peer, and
 * every reader with every body.
 */

#include "relay/messages/frame.h"
#include "fuzz.h"

static void check_within(struct frame_bytes b, const uint8_t *body, size_t len)
{
	if (b.len == 0)
		return;
	FUZZ_CHECK(b.len <= len);
	FUZZ_CHECK(b.data >= body && b.data + b.len <= body + len);
}

static void check_same(struct frame_bytes a, struct frame_bytes b)
{
	FUZZ_CHECK(a.len == b.len);
	FUZZ_CHECK(a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

/*
 * Checks that the output is a message of this type; returns its body's length.
 */
static size_t check_written(
	const uint8_t *buf, size_t size, enum frame_type type)
{
	struct frame_header h;

	FUZZ_CHECK(size >= FRAME_HEADER_LEN && size <= FRAME_MAX);
	FUZZ_CHECK(frame_read_header(buf, &h) == FRAME_OK);
	FUZZ_CHECK(h.type == type);
	FUZZ_CHECK(h.length == size - FRAME_HEADER_LEN);
	return h.length;
}

static void try_join_relay(const uint8_t *body, size_t len)
{
	struct frame_bytes a = {NULL, 0}, b = {NULL, 0};
	uint8_t out[FRAME_MAX];
	size_t n;

	if (frame_read_join_relay(body, len, &a) != FRAME_OK)
		return;
	check_within(a, body, len);
	n = frame_write_join_relay(out, sizeof(out), a.data, a.len);
	n = check_written(out, n, FRAME_JOIN_RELAY);
	FUZZ_CHECK(frame_read_join_relay(out + FRAME_HEADER_LEN, n, &b) ==
		   FRAME_OK);
	check_same(a, b);
}

static void try_opaque(const uint8_t *body, size_t len)
{
	struct frame_bytes key = {NULL, 0}, id = {NULL, 0};
	uint8_t out[FRAME_OPAQUE_SIZE];
	int got = frame_read_join_session(body, len, &key);
	size_t n;

	FUZZ_CHECK(frame_read_connect(body, len, &id) == got);
	if (got)
		return;
	check_same(key, id);
	check_within(key, body, len);
	FUZZ_CHECK(key.len <= FRAME_OPAQUE_MAX);
	n = frame_write_join_session(out, sizeof(out), key.data, key.len);
	check_written(out, n, FRAME_JOIN_SESSION);
	n = frame_write_connect(out, sizeof(out), id.data, id.len);
	n = check_written(out, n, FRAME_CONNECT);
	FUZZ_CHECK(
		frame_read_connect(out + FRAME_HEADER_LEN, n, &id) == FRAME_OK);
	check_same(key, id);
}

static void try_response(const uint8_t *body, size_t len)
{
	struct frame_response a, b;
	uint8_t out[FRAME_MAX];
	char *message;
	size_t n;

	if (frame_read_response(body, len, &a) != FRAME_OK)
		return;
	check_within(a.message, body, len);
	message = fuzz_text(a.message.data, a.message.len);
	n = frame_write_response(out, sizeof(out), a.code, message);
	n = check_written(out, n, FRAME_RESPONSE);
	FUZZ_CHECK(
		frame_read_response(out + FRAME_HEADER_LEN, n, &b) == FRAME_OK);
	FUZZ_CHECK(a.code == b.code);
	FUZZ_CHECK(b.message.len == strlen(message));
	free(message);
}

static void try_invitation(const uint8_t *body, size_t len)
{
	struct frame_invitation a, b;
	uint8_t out[FRAME_INVITATION_SIZE];
	size_t n;

	if (frame_read_invitation(body, len, &a) != FRAME_OK)
		return;
	check_within(a.from, body, len);
	check_within(a.key, body, len);
	check_within(a.address, body, len);
	n = frame_write_invitation(out, sizeof(out), &a);
	/* A smaller buffer must be refused; ASan would detect a write. */
	FUZZ_CHECK(frame_write_invitation(out, n - 1, &a) == 0);
	n = frame_write_invitation(out, sizeof(out), &a);
	n = check_written(out, n, FRAME_INVITATION);
	FUZZ_CHECK(frame_read_invitation(out + FRAME_HEADER_LEN, n, &b) ==
		   FRAME_OK);
	check_same(a.from, b.from);
	check_same(a.key, b.key);
	check_same(a.address, b.address);
	FUZZ_CHECK(a.port == b.port && a.server_socket == b.server_socket);
}

/* The body gets its own block, so that out-of-bounds reads are detected. */
static void try_body(const uint8_t *data, size_t len)
{
	uint8_t *body = malloc(len ? len : 1);

	FUZZ_CHECK(body);
	if (len)
		memcpy(body, data, len);
	try_join_relay(body, len);
	try_opaque(body, len);
	try_response(body, len);
	try_invitation(body, len);
	free(body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	try_body(data, size < FRAME_BODY_MAX ? size : FRAME_BODY_MAX);
	while (size >= FRAME_HEADER_LEN) {
		struct frame_header h = {FRAME_TYPES, FRAME_BODY_MAX + 1};
		int got = frame_read_header(data, &h);

		FUZZ_CHECK(got >= FRAME_OK && got < FRAME_ERRORS);
		if (got)
			return 0;
		FUZZ_CHECK(h.type < FRAME_TYPES);
		FUZZ_CHECK(h.length <= FRAME_BODY_MAX);
		data += FRAME_HEADER_LEN;
		size -= FRAME_HEADER_LEN;
		if (h.length > size)
			return 0;
		try_body(data, h.length);
		data += h.length;
		size -= h.length;
	}
	return 0;
}
