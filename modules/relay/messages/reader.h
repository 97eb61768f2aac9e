/* SPDX-License-Identifier: MPL-2.0 */

/*
 * reader.h - reads messages from a connection, however they are segmented.
 *
 * Never reads beyond a message: following bytes stay in the socket.
 */
#ifndef READER_H
#define READER_H

#include <stdint.h>

#include <strelaysrv/conn.h>

#include "relay/messages/frame.h"

struct reader {
	uint8_t header[FRAME_HEADER_LEN];
	uint8_t header_len; /* bytes of it read */
	uint16_t body_len;  /* bytes of the body read */
	uint8_t *body;      /* owned; only for a partial body */
};

enum reader_state {
	READER_MESSAGE, /* header and body are filled */
	READER_WAIT,    /* no complete message available */
	READER_ENDED,   /* the server will close the connection */
	READER_BAD,     /* *error is an enum frame_error */
	READER_FAILED,  /* no memory */
};

/* Reads the next message into `body`. */
enum reader_state reader_next(struct reader *reader, struct relay_conn *conn,
	struct frame_header *header, uint8_t body[FRAME_BODY_MAX], int *error);
void reader_finish(struct reader *reader);

#endif
