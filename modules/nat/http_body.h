/* SPDX-License-Identifier: MPL-2.0 */

/*
 * http_body.h - parses an HTTP answer in place while it arrives.
 *
 * Pure.  Each byte is examined once, however small the pieces are.
 */
#ifndef HTTP_BODY_H
#define HTTP_BODY_H

#include <stdbool.h>
#include <stddef.h>

/* Most bytes of the head, and of the line before a chunk. */
#define HTTP_HEAD_MAX  8192
#define HTTP_CHUNK_MAX 64

enum http_progress { HTTP_MORE, HTTP_DONE, HTTP_TOO_MUCH, HTTP_WRONG };

struct http_body {
	char *text;   /* received data; the owner appends at `len` */
	size_t len;   /* bytes received */
	size_t limit; /* most bytes */
	/* Parsed so far. */
	size_t head; /* start of the body; 0: unknown */
	size_t size; /* of the decoded body, at `head` */
	int status;
	/* Internal. */
	size_t seen;   /* examined bytes of the head */
	size_t length; /* announced */
	bool has_length, chunked;
	size_t next; /* start of the next chunk */
};

/* Call it after bytes were appended; `over`: no more will come. */
enum http_progress http_body_read(struct http_body *body, bool over);

#endif
