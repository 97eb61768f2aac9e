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
	const char *location; /* in data, not terminated; NULL: none */
	size_t location_len;
	char *body; /* in data */
	size_t body_len;
};

/*
 * Reads what has come so far; ended says that nothing more will.  A body in
 * chunks is put together in place, once it is complete.  HTTP_DONE with out
 * filled, or HTTP_BAD with err: no HTTP/1, a head of more than HTTP_HEAD_MAX,
 * a length that is none, an answer that is cut off.
 */
enum http_state http_answer_read(char *data, size_t len, bool ended,
	struct http_answer *out, struct relay_err *err);

#endif
