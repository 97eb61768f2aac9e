/* SPDX-License-Identifier: MPL-2.0 */

/* Reads messages from a connection, however they are segmented. */

#include <stdlib.h>
#include <string.h>

#include "relay/messages/reader.h"

/* READER_MESSAGE: all `want` bytes were read. */
static enum reader_state fill(
	struct relay_conn *conn, uint8_t *buf, size_t *have, size_t want)
{
	while (*have < want) {
		ssize_t got = relay_conn_read(conn, buf + *have, want - *have);

		if (got < 0)
			return READER_ENDED;
		if (got == 0)
			return READER_WAIT;
		*have += (size_t)got;
	}
	return READER_MESSAGE;
}

static enum reader_state read_header(
	struct reader *reader, struct relay_conn *conn)
{
	size_t have = reader->header_len;
	enum reader_state state =
		fill(conn, reader->header, &have, FRAME_HEADER_LEN);

	reader->header_len = (uint8_t)have;
	return state;
}

/* Stores a partial body; this is rare, so memory is allocated only then. */
static enum reader_state keep_part(
	struct reader *reader, const uint8_t *body, size_t have, size_t length)
{
	if (have == 0)
		return READER_WAIT;
	if (!reader->body)
		reader->body = malloc(length);
	if (!reader->body)
		return READER_FAILED;
	memcpy(reader->body, body, have);
	reader->body_len = (uint16_t)have;
	return READER_WAIT;
}

static enum reader_state read_body(struct reader *reader,
	struct relay_conn *conn, size_t length, uint8_t *body)
{
	size_t have = reader->body_len;
	enum reader_state state;

	if (have)
		memcpy(body, reader->body, have);
	state = fill(conn, body, &have, length);
	if (state == READER_WAIT)
		return keep_part(reader, body, have, length);
	return state;
}

enum reader_state reader_next(struct reader *reader, struct relay_conn *conn,
	struct frame_header *header, uint8_t body[FRAME_BODY_MAX], int *error)
{
	enum reader_state state = read_header(reader, conn);

	/*
	 * Check the magic early, so that another protocol is refused at once.
	 */
	if (state == READER_WAIT)
		*error = frame_read_magic(reader->header, reader->header_len);
	if (*error != FRAME_OK)
		return READER_BAD;
	if (state != READER_MESSAGE)
		return state;
	*error = frame_read_header(reader->header, header);
	if (*error != FRAME_OK)
		return READER_BAD;
	state = read_body(reader, conn, header->length, body);
	if (state != READER_MESSAGE)
		return state;
	reader_finish(reader);
	return READER_MESSAGE;
}

void reader_finish(struct reader *reader)
{
	free(reader->body);
	*reader = (struct reader){.header_len = 0};
}
