/* SPDX-License-Identifier: MPL-2.0 */

/*
 * One HTTP request and its answer, as bytes to be sent.
 */
#ifndef HTTP_REPLY_H
#define HTTP_REPLY_H

#include <stdbool.h>

#include "http/http_head.h"

struct evbuffer;

/* The Keep-Alive field's time-out; idle connections are kept a little longer.
 */
#define HTTP_PROMISED_S 75

struct http_exchange {
	struct http_head head;
	struct evbuffer *fields; /* owned; the answer's own header fields */
	struct evbuffer *out;    /* borrowed; the answer is appended to it */
	bool last;               /* the connection is closed after it */
	bool answered;
};

/* Adds a field to the answer.  0, or -1: no memory, or a line end in the value.
 */
int http_reply_field(
	struct http_exchange *x, const char *name, const char *value);
/*
 * Appends the whole answer, and moves the bytes out of body, which may be NULL.
 * Without memory, x->answered stays false.
 */
void http_reply_write(struct http_exchange *x, int status, const char *type,
	struct evbuffer *body);
/* The same, with the status's standard phrase as the body. */
void http_reply_refuse(struct http_exchange *x, int status);
/* The same, with `text` as the body. */
void http_reply_say(struct http_exchange *x, int status, const char *text);

#endif
