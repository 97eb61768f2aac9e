/* SPDX-License-Identifier: MPL-2.0 */

/* Encodes and decodes the messages of Relay Protocol v1. */

#include <assert.h>
#include <string.h>

#include "relay/messages/frame.h"

/*
 * The table of messages: least size of a body, largest size that this server
 * writes, and the protocol's name.
 */
static const struct {
	const char *name;
	uint32_t min;
	uint32_t max;
} messages[] = {
	[FRAME_PING] = {"Ping", 0, 0},
	[FRAME_PONG] = {"Pong", 0, 0},
	[FRAME_JOIN_RELAY] = {"JoinRelayRequest", 0, FRAME_BODY_MAX},
	[FRAME_JOIN_SESSION] = {"JoinSessionRequest", 4, 36},
	[FRAME_RESPONSE] = {"Response", 8, FRAME_BODY_MAX},
	[FRAME_CONNECT] = {"ConnectRequest", 4, 36},
	[FRAME_INVITATION] = {"SessionInvitation", 20, 116},
	[FRAME_RELAY_FULL] = {"RelayFull", 0, 0},
};
static_assert(sizeof(messages) / sizeof(messages[0]) == FRAME_TYPES,
	"a row for every message");

static const struct {
	int32_t code;
	const char *text;
} codes[] = {
	{FRAME_SUCCESS, "success"},
	{FRAME_NOT_FOUND, "not found"},
	{FRAME_ALREADY_CONNECTED, "already connected"},
	{FRAME_WRONG_TOKEN, "wrong token"},
	{FRAME_UNEXPECTED, "unexpected message"},
};

static const char *const error_words[] = {
	[FRAME_OK] = "ok",
	[FRAME_BAD_MAGIC] = "bad_magic",
	[FRAME_BAD_LENGTH] = "bad_length",
	[FRAME_UNKNOWN_TYPE] = "unknown_type",
	[FRAME_SHORT_BODY] = "short_body",
	[FRAME_LONG_FIELD] = "long_field",
	[FRAME_BAD_VALUE] = "bad_value",
};
static_assert(sizeof(error_words) / sizeof(error_words[0]) == FRAME_ERRORS,
	"a word for every error");

const char *frame_type_name(int type)
{
	if (type < 0 || type >= FRAME_TYPES)
		return "unknown";
	return messages[type].name;
}

const char *frame_error_word(int error)
{
	if (error < 0 || error >= FRAME_ERRORS)
		return "unknown";
	return error_words[error];
}

const char *frame_code_text(int32_t code)
{
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		if (codes[i].code == code)
			return codes[i].text;
	}
	return "";
}

static size_t padded(size_t len)
{
	return (len + 3) / 4 * 4;
}

/* A read cursor over a body.  After the first error every get returns zero. */
struct reader {
	const uint8_t *at;
	size_t left;
	int error;
};

static uint32_t get_u32(struct reader *r)
{
	uint32_t v;

	if (!r->error && r->left < 4)
		r->error = FRAME_SHORT_BODY;
	if (r->error)
		return 0;
	v = (uint32_t)r->at[0] << 24 | (uint32_t)r->at[1] << 16 |
	    (uint32_t)r->at[2] << 8 | r->at[3];
	r->at += 4;
	r->left -= 4;
	return v;
}

/*
 * Converts two's complement explicitly, because casts of large values are
 * implementation-defined.
 */
static int32_t get_i32(struct reader *r)
{
	uint32_t v = get_u32(r);

	return v <= INT32_MAX ? (int32_t)v : -(int32_t)(UINT32_MAX - v) - 1;
}

static struct frame_bytes get_bytes(struct reader *r, size_t max)
{
	struct frame_bytes b = {NULL, 0};
	size_t len = get_u32(r);

	/* Check the length first, so that padded() cannot overflow. */
	if (!r->error && len > max)
		r->error = FRAME_LONG_FIELD;
	if (!r->error && padded(len) > r->left)
		r->error = FRAME_SHORT_BODY;
	if (r->error)
		return b;
	b.data = r->at;
	b.len = len;
	r->at += padded(len);
	r->left -= padded(len);
	return b;
}

static uint16_t get_u16(struct reader *r)
{
	uint32_t v = get_u32(r);

	if (v > UINT16_MAX)
		r->error = FRAME_BAD_VALUE;
	return (uint16_t)v;
}

static bool get_bool(struct reader *r)
{
	uint32_t v = get_u32(r);

	if (v > 1)
		r->error = FRAME_BAD_VALUE;
	return v == 1;
}

static void put_u32_at(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 24);
	p[1] = (uint8_t)(v >> 16 & 0xff);
	p[2] = (uint8_t)(v >> 8 & 0xff);
	p[3] = (uint8_t)(v & 0xff);
}

int frame_read_magic(const uint8_t *buf, size_t len)
{
	uint8_t magic[4];

	put_u32_at(magic, FRAME_MAGIC);
	if (len > sizeof(magic))
		len = sizeof(magic);
	return memcmp(buf, magic, len) == 0 ? FRAME_OK : FRAME_BAD_MAGIC;
}

int frame_read_header(
	const uint8_t buf[FRAME_HEADER_LEN], struct frame_header *out)
{
	struct reader r = {buf, FRAME_HEADER_LEN, FRAME_OK};
	uint32_t magic = get_u32(&r), type = get_u32(&r), length = get_u32(&r);

	/* Unsigned, so that a negative length is too large. */
	if (magic != FRAME_MAGIC)
		return FRAME_BAD_MAGIC;
	if (length > FRAME_BODY_MAX)
		return FRAME_BAD_LENGTH;
	if (type >= FRAME_TYPES)
		return FRAME_UNKNOWN_TYPE;
	if (length < messages[type].min)
		return FRAME_SHORT_BODY;
	out->type = (enum frame_type)type;
	out->length = length;
	return FRAME_OK;
}

static int read_bytes(
	const uint8_t *body, size_t len, size_t max, struct frame_bytes *out)
{
	struct reader r = {body, len, FRAME_OK};
	struct frame_bytes b = get_bytes(&r, max);

	if (!r.error)
		*out = b;
	return r.error;
}

int frame_read_join_relay(
	const uint8_t *body, size_t len, struct frame_bytes *token)
{
	if (len == 0) {
		*token = (struct frame_bytes){NULL, 0};
		return FRAME_OK;
	}
	return read_bytes(body, len, FRAME_TOKEN_MAX, token);
}

int frame_read_join_session(
	const uint8_t *body, size_t len, struct frame_bytes *key)
{
	return read_bytes(body, len, FRAME_OPAQUE_MAX, key);
}

int frame_read_connect(const uint8_t *body, size_t len, struct frame_bytes *id)
{
	return read_bytes(body, len, FRAME_OPAQUE_MAX, id);
}

int frame_read_response(
	const uint8_t *body, size_t len, struct frame_response *out)
{
	struct reader r = {body, len, FRAME_OK};
	struct frame_response v = {.code = get_i32(&r)};

	v.message = get_bytes(&r, FRAME_BODY_MAX);
	if (!r.error)
		*out = v;
	return r.error;
}

int frame_read_invitation(
	const uint8_t *body, size_t len, struct frame_invitation *out)
{
	struct reader r = {body, len, FRAME_OK};
	struct frame_invitation v;

	v.from = get_bytes(&r, FRAME_OPAQUE_MAX);
	v.key = get_bytes(&r, FRAME_OPAQUE_MAX);
	v.address = get_bytes(&r, FRAME_OPAQUE_MAX);
	v.port = get_u16(&r);
	v.server_socket = get_bool(&r);
	if (!r.error)
		*out = v;
	return r.error;
}

/* A write cursor.  After the first error every put does nothing. */
struct writer {
	uint8_t *buf;
	size_t at;
	size_t cap;
	bool failed;
};

static uint8_t *reserve(struct writer *w, size_t len)
{
	uint8_t *p;

	if (w->failed || len > w->cap - w->at) {
		w->failed = true;
		return NULL;
	}
	p = w->buf + w->at;
	w->at += len;
	return p;
}

static void put_u32(struct writer *w, uint32_t v)
{
	uint8_t *p = reserve(w, 4);

	if (p)
		put_u32_at(p, v);
}

static void put_bytes(
	struct writer *w, const void *data, size_t len, size_t max)
{
	uint8_t *p;

	if (len > max) {
		w->failed = true;
		return;
	}
	put_u32(w, (uint32_t)len);
	p = reserve(w, padded(len));
	if (!p || len == 0) /* memcpy must not get NULL */
		return;
	memset(p + len, 0, padded(len) - len);
	memcpy(p, data, len);
}

/* finish_message() fills in the length. */
static struct writer start_message(
	uint8_t *buf, size_t cap, enum frame_type type)
{
	struct writer w = {buf, 0, cap, false};

	put_u32(&w, FRAME_MAGIC);
	put_u32(&w, (uint32_t)type);
	put_u32(&w, 0);
	return w;
}

static size_t finish_message(const struct writer *w, enum frame_type type)
{
	size_t len;

	if (w->failed)
		return 0;
	len = w->at - FRAME_HEADER_LEN;
	if (len > messages[type].max)
		return 0;
	put_u32_at(w->buf + 8, (uint32_t)len);
	return w->at;
}

size_t frame_write_empty(uint8_t *buf, size_t cap, enum frame_type type)
{
	struct writer w;

	if (type >= FRAME_TYPES || messages[type].max > 0)
		return 0;
	w = start_message(buf, cap, type);
	return finish_message(&w, type);
}

static size_t write_bytes(uint8_t *buf, size_t cap, enum frame_type type,
	const void *data, size_t len, size_t max)
{
	struct writer w = start_message(buf, cap, type);

	put_bytes(&w, data, len, max);
	return finish_message(&w, type);
}

size_t frame_write_join_relay(
	uint8_t *buf, size_t cap, const void *token, size_t len)
{
	return write_bytes(
		buf, cap, FRAME_JOIN_RELAY, token, len, FRAME_TOKEN_MAX);
}

size_t frame_write_join_session(
	uint8_t *buf, size_t cap, const void *key, size_t len)
{
	return write_bytes(
		buf, cap, FRAME_JOIN_SESSION, key, len, FRAME_OPAQUE_MAX);
}

size_t frame_write_connect(uint8_t *buf, size_t cap, const void *id, size_t len)
{
	return write_bytes(buf, cap, FRAME_CONNECT, id, len, FRAME_OPAQUE_MAX);
}

size_t frame_write_response(
	uint8_t *buf, size_t cap, int32_t code, const char *message)
{
	struct writer w = start_message(buf, cap, FRAME_RESPONSE);

	if (!message)
		message = frame_code_text(code);
	put_u32(&w, (uint32_t)code);
	put_bytes(&w, message, strnlen(message, FRAME_BODY_MAX + 1),
		FRAME_BODY_MAX);
	return finish_message(&w, FRAME_RESPONSE);
}

size_t frame_write_invitation(
	uint8_t *buf, size_t cap, const struct frame_invitation *in)
{
	struct writer w = start_message(buf, cap, FRAME_INVITATION);

	put_bytes(&w, in->from.data, in->from.len, FRAME_OPAQUE_MAX);
	put_bytes(&w, in->key.data, in->key.len, FRAME_OPAQUE_MAX);
	put_bytes(&w, in->address.data, in->address.len, FRAME_OPAQUE_MAX);
	put_u32(&w, in->port);
	put_u32(&w, in->server_socket);
	return finish_message(&w, FRAME_INVITATION);
}
