/* SPDX-License-Identifier: MPL-2.0 */

/*
 * http_body.h - an HTTP answer that comes in pieces, read where it lies.
 *
 * Pure.  Each byte is looked at once, however small the pieces.
 */
#ifndef HTTP_BODY_H
#define HTTP_BODY_H

#include <stdbool.h>
#include <stddef.h>

/* Of the head, and of the line before a chunk. */
#define HTTP_HEAD_MAX  8192
#define HTTP_CHUNK_MAX 64

enum http_progress { HTTP_MORE, HTTP_DONE, HTTP_TOO_MUCH, HTTP_WRONG };

struct http_body {
	char *text;   /* what has come; the owner appends at `len` */
	size_t len;   /* of it */
	size_t limit; /* of all of it */
	/* Found so far. */
	size_t head; /* where the body begins; 0: not known yet */
	size_t size; /* of the body, decoded, from `head` on */
	int status;
	/* Its own. */
	size_t seen;   /* bytes of the head that were looked at */
	size_t length; /* announced */
	bool has_length, chunked;
	size_t next; /* where the next chunk begins */
};

/* After bytes were appended; `over`: there will be no more. */
enum http_progress http_body_read(struct http_body *body, bool over);

#endif
