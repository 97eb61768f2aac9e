/* SPDX-License-Identifier: MPL-2.0 */

/* Checks the lengths of records and of the message that they carry. */

#include <stdbool.h>

#include "tls/tls_hello.h"

/* RFC 8446, 5.1: content types, and the length of a record. */
#define CHANGE_CIPHER_SPEC 20
#define HANDSHAKE          22
#define RECORD_HEADER      5
#define RECORD_LONGEST     16384
/* RFC 8446, 4. */
#define CLIENT_HELLO   1
#define MESSAGE_HEADER 4

/* The message as far as it has arrived. */
struct message {
	unsigned char header[MESSAGE_HEADER];
	size_t have; /* bytes seen, header included */
};

static size_t length_of(const struct message *message)
{
	return (size_t)message->header[1] << 16 |
	       (size_t)message->header[2] << 8 | message->header[3];
}

/* Takes the part of a record's payload that has arrived. */
static void take(struct message *message, const unsigned char *bytes, size_t n)
{
	for (size_t i = 0; i < n && message->have + i < MESSAGE_HEADER; i++)
		message->header[message->have + i] = bytes[i];
	message->have += n;
}

static bool is_long(const struct message *message)
{
	return message->have >= MESSAGE_HEADER &&
	       length_of(message) > TLS_HELLO_LONGEST;
}

static bool is_whole(const struct message *message)
{
	return message->have >= MESSAGE_HEADER &&
	       message->have >= MESSAGE_HEADER + length_of(message);
}

/* The length of a ChangeCipherSpec at the start, complete or not.  Clients send
 * one to satisfy middleboxes (RFC 8446, appendix D.4). */
static size_t skip_change_cipher_spec(const unsigned char *bytes, size_t len)
{
	static const size_t whole = RECORD_HEADER + 1;

	if (len == 0 || bytes[0] != CHANGE_CIPHER_SPEC)
		return 0;
	return len < whole ? len : whole;
}

/* Whether the bytes so far show that this is not a handshake record. */
static bool is_other_record(const unsigned char *at, size_t left)
{
	size_t length;

	if (at[0] != HANDSHAKE || (left > 1 && at[1] != 3))
		return true;
	if (left < RECORD_HEADER)
		return false;
	length = (size_t)at[3] << 8 | at[4];
	return length == 0 || length > RECORD_LONGEST;
}

enum tls_hello tls_hello_look(const unsigned char *bytes, size_t len)
{
	struct message message = {{0}, 0};
	size_t at = skip_change_cipher_spec(bytes, len);

	while (at < len) {
		size_t left = len - at, length;

		if (is_other_record(bytes + at, left))
			return TLS_HELLO_OTHER;
		if (left <= RECORD_HEADER)
			break;
		length = (size_t)bytes[at + 3] << 8 | bytes[at + 4];
		at += RECORD_HEADER;
		left -= RECORD_HEADER;
		take(&message, bytes + at, length < left ? length : left);
		if (message.header[0] != CLIENT_HELLO)
			return TLS_HELLO_OTHER;
		if (is_long(&message))
			return TLS_HELLO_LONG;
		if (length > left) /* OpenSSL would wait for the record's end */
			break;
		if (is_whole(&message))
			return TLS_HELLO_READY;
		at += length;
	}
	return len < TLS_HELLO_ROOM ? TLS_HELLO_PART : TLS_HELLO_LONG;
}
