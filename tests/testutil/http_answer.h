/* SPDX-License-Identifier: MPL-2.0 */

/*
 * http_answer.h - reads the answer to one GET of HTTP/1.1, as it arrives.
 *
 * Pure: any thread, no allocation, linear in the length of the answer, however
 * many pieces it comes in.
 */
#ifndef HTTP_ANSWER_H
#define HTTP_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <strelaysrv/err.h>

#define HTTP_HEAD_MAX ((size_t)32 * 1024)

enum http_state { HTTP_MORE, HTTP_DONE, HTTP_BAD };

enum http_part {
	HTTP_STATUS,
	HTTP_FIELDS,
	HTTP_PLAIN,
	HTTP_CHUNK_SIZE,
	HTTP_CHUNK,
	HTTP_CHUNK_END
};

/* All zero at the begin of an answer. */
struct http_answer {
	int status; /* 100 to 599 */
	/* Offsets in the data, which may move in memory while it grows. */
	size_t location, location_len; /* location 0: none */
	size_t body, body_len;
	/* The parser's own. */
	enum http_part part;
	bool chunked, has_length;
	uint64_t length; /* of the body, or of the chunk */
	size_t at;       /* what is before it was parsed */
	size_t looked;   /* up to here there is no line end */
};

/*
 * Goes on with the data received so far, of which the first part must be as
 * the last call left it; ended says that no more will come.  Chunks are joined
 * in place.  HTTP_DONE with answer filled, or HTTP_BAD with err: not HTTP/1, a
 * head of more than HTTP_HEAD_MAX, an invalid length, or a truncated answer.
 */
enum http_state http_answer_read(struct http_answer *answer, char *data,
	size_t len, bool ended, struct relay_err *err);

#endif
