/* SPDX-License-Identifier: MPL-2.0 */

/*
 * frame.h - encodes and decodes the messages of Relay Protocol v1, for both
 * sides.
 *
 * A message is a header of 12 bytes and 0 to 1024 bytes of XDR (RFC 4506).
 * This codec is pure: any thread, no allocation, no state, bounded work.  How
 * it treats unusual input:
 *   - bytes after a message's last field are ignored, later versions of the
 *     protocol append fields;
 *   - padding bytes are not looked at, although RFC 4506 wants zeros, since
 *     the Go relay does not look at them either;
 *   - a bool other than 0 and 1, and a port above 65535, are errors;
 *   - an empty JoinRelayRequest, as old clients send, has an empty token.
 *
 * Source: "Relay Protocol v1" of the Syncthing documentation; what it leaves
 * open is as in the Go relay.
 */
#ifndef FRAME_H
#define FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FRAME_MAGIC      0x9E79BC40U
#define FRAME_HEADER_LEN 12
#define FRAME_BODY_MAX   1024
#define FRAME_MAX        (FRAME_HEADER_LEN + FRAME_BODY_MAX)
#define FRAME_OPAQUE_MAX 32 /* IDs, keys, addresses */
#define FRAME_TOKEN_MAX  (FRAME_BODY_MAX - 4)

/* Sizes of buffers that always hold these messages when we write them. */
#define FRAME_EMPTY_SIZE  FRAME_HEADER_LEN
#define FRAME_OPAQUE_SIZE (FRAME_HEADER_LEN + 4 + FRAME_OPAQUE_MAX)
#define FRAME_INVITATION_SIZE                                                  \
	(FRAME_HEADER_LEN + 3 * (4 + FRAME_OPAQUE_MAX) + 8)
#define FRAME_STANDARD_RESPONSE_SIZE (FRAME_HEADER_LEN + 8 + 20)

enum frame_type {
	FRAME_PING = 0,
	FRAME_PONG = 1,
	FRAME_JOIN_RELAY = 2,
	FRAME_JOIN_SESSION = 3,
	FRAME_RESPONSE = 4,
	FRAME_CONNECT = 5,
	FRAME_INVITATION = 6,
	FRAME_RELAY_FULL = 7,
	FRAME_TYPES
};

enum frame_code {
	FRAME_SUCCESS = 0,
	FRAME_NOT_FOUND = 1,
	FRAME_ALREADY_CONNECTED = 2,
	FRAME_WRONG_TOKEN = 3,
	FRAME_UNEXPECTED = 100
};

/*
 * Why a message is invalid.  The connection must be closed, because the
 * following bytes cannot be interpreted.
 */
enum frame_error {
	FRAME_OK = 0,
	FRAME_BAD_MAGIC,  /* the first four bytes */
	FRAME_BAD_LENGTH, /* negative or above FRAME_BODY_MAX */
	FRAME_UNKNOWN_TYPE,
	FRAME_SHORT_BODY, /* a field extends beyond the message */
	FRAME_LONG_FIELD, /* an opaque above FRAME_OPAQUE_MAX, or a string
			     longer than any message */
	FRAME_BAD_VALUE,  /* an invalid port or bool */
	FRAME_ERRORS
};

/* A valid header: type is below FRAME_TYPES, length at most FRAME_BODY_MAX and
 * at least what the mandatory fields of that type take. */
struct frame_header {
	enum frame_type type;
	uint32_t length;
};

/*
 * Points into the buffer that was read; not terminated, may contain NUL.  If
 * len is 0, data may be NULL.
 */
struct frame_bytes {
	const uint8_t *data; /* borrowed */
	size_t len;
};

struct frame_response {
	int32_t code;
	struct frame_bytes message;
};

struct frame_invitation {
	struct frame_bytes from; /* the other device's ID */
	struct frame_bytes key;
	struct frame_bytes address; /* 0, 4 or 16 bytes; 0: the relay's own */
	uint16_t port;
	bool server_socket;
};

/*
 * The protocol's name of a type, like "JoinRelayRequest"; "unknown" if out of
 * range.
 */
const char *frame_type_name(int type);

/* A word for counters and logs, like "bad_magic"; "unknown" if out of range. */
const char *frame_error_word(int error);

/* The standard text of a code, like "not found"; "" if there is none. */
const char *frame_code_text(int32_t code);

/*
 * Reading.  Each function returns FRAME_OK, or an enum frame_error with out
 * unchanged.  Those named frame_read_ get only the body; results point into it.
 */
int frame_read_magic(
	const uint8_t *buf, size_t len); /* checks up to `len` bytes */
int frame_read_header(
	const uint8_t buf[FRAME_HEADER_LEN], struct frame_header *out);
int frame_read_join_relay(
	const uint8_t *body, size_t len, struct frame_bytes *token);
int frame_read_join_session(
	const uint8_t *body, size_t len, struct frame_bytes *key);
int frame_read_connect(const uint8_t *body, size_t len, struct frame_bytes *id);
int frame_read_response(
	const uint8_t *body, size_t len, struct frame_response *out);
int frame_read_invitation(
	const uint8_t *body, size_t len, struct frame_invitation *out);

/*
 * Writing.  Each function writes a whole message, including its header, into
 * the cap bytes at buf and returns its size.  It returns 0 with buf unspecified
 * if the message does not fit or a field is longer than the protocol allows.
 */

/* Ping, Pong, RelayFull; 0 for types that have fields. */
size_t frame_write_empty(uint8_t *buf, size_t cap, enum frame_type type);
size_t frame_write_join_relay(
	uint8_t *buf, size_t cap, const void *token, size_t len);
size_t frame_write_join_session(
	uint8_t *buf, size_t cap, const void *key, size_t len);
size_t frame_write_connect(
	uint8_t *buf, size_t cap, const void *id, size_t len);
/*
 * If message is NULL, the standard text of the code is used; for the codes
 * above it fits into FRAME_STANDARD_RESPONSE_SIZE.
 */
size_t frame_write_response(
	uint8_t *buf, size_t cap, int32_t code, const char *message);
size_t frame_write_invitation(
	uint8_t *buf, size_t cap, const struct frame_invitation *in);

#endif
