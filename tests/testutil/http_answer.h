/* SPDX-License-Identifier: MPL-2.0 */

/*
 * http_answer.h - reads the answer to one GET of HTTP/1.1.
 *
 * Pure: any thread, no allocation, linear in the length of the answer.
 */
#ifndef HTTP_ANSWER_H
#define HTTP_ANSWER_H

#include <stdbool.h>
#include <stddef.h>

#include <strelaysrv/err.h>

#define HTTP_HEAD_MAX ((size_t)32 * 1024)

enum http_state { HTTP_MORE, HTTP_DONE, HTTP_BAD };

struct http_answer {
	int status;           /* 100 to 599 */
	const char *location; /* points into data, not terminated; NULL: none */
	size_t location_len;
	char *body; /* points into data */
	size_t body_len;
};

/*
 * Parses the data received so far; ended says that no more will come.  A
 * complete chunked body is joined in place.  HTTP_DONE with out filled, or
 * HTTP_BAD with err: not HTTP/1, a head of more than HTTP_HEAD_MAX, an invalid
 * length, or a truncated answer.
 */
enum http_state http_answer_read(char *data, size_t len, bool ended,
	struct http_answer *out, struct relay_err *err);

#endif
