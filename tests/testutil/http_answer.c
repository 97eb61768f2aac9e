/* SPDX-License-Identifier: MPL-2.0 */

/* Reads the answer to one GET of HTTP/1.1. */

#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "http_answer.h"

/* With one more digit, the sum of two cannot overflow. */
#define LENGTH_MAX (UINT64_MAX / 64)

/* Parses a decimal or hexadecimal number; -1 if it is invalid. */
static int read_number(
	const char *at, size_t len, unsigned base, uint64_t *number)
{
	uint64_t n = 0;

	if (len == 0)
		return -1;
	for (size_t i = 0; i < len; i++) {
		static const char digits[] = "0123456789abcdef";
		char c = (char)(at[i] >= 'A' && at[i] <= 'F' ? at[i] + 32
							     : at[i]);
		const char *d = c ? memchr(digits, c, base) : NULL;

		if (!d || n > LENGTH_MAX)
			return -1;
		n = n * base + (uint64_t)(d - digits);
	}
	*number = n;
	return 0;
}

static int read_status(
	const char *line, size_t len, int *status, struct relay_err *err)
{
	uint64_t n;

	if (len < 12 || memcmp(line, "HTTP/1.", 7) != 0 || line[8] != ' ' ||
		read_number(line + 9, 3, 10, &n) || n < 100 || n > 599)
		return relay_fail(err, "its answer is no HTTP/1");
	*status = (int)n;
	return 0;
}

static bool is_field(const char *line, size_t len, const char *name)
{
	size_t n = strlen(name);

	return len > n && strncasecmp(line, name, n) == 0 && line[n] == ':';
}

static int read_field(struct http_answer *answer, const char *data, size_t at,
	size_t len, struct relay_err *err)
{
	const char *line = data + at, *end = line + len;
	const char *colon = memchr(line, ':', len), *value;

	if (!colon)
		return relay_fail(err, "its answer has a header without \":\"");
	value = colon + 1;
	while (value < end && (*value == ' ' || *value == '\t'))
		value++;
	while (end > value && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	if (is_field(line, len, "Location")) {
		answer->location = (size_t)(value - data);
		answer->location_len = (size_t)(end - value);
	} else if (is_field(line, len, "Content-Length")) {
		answer->has_length = true;
		if (read_number(
			    value, (size_t)(end - value), 10, &answer->length))
			return relay_fail(
				err, "its answer's Content-Length is none");
	} else if (is_field(line, len, "Transfer-Encoding")) {
		answer->chunked = true;
		if (end - value != 7 || strncasecmp(value, "chunked", 7))
			return relay_fail(err,
				"its answer comes in an encoding that nobody "
				"asked for");
	}
	return 0;
}

/*
 * The next line, without its line end; false if it is not complete.  What was
 * searched for a line end before is not searched again.
 */
static bool next_line(struct http_answer *answer, const char *data, size_t len,
	size_t *line, size_t *line_len)
{
	size_t from = answer->looked, end;
	const char *newline = memchr(data + from, '\n', len - from);

	answer->looked = newline ? (size_t)(newline - data) + 1 : len;
	if (!newline)
		return false;
	*line = answer->at;
	end = answer->looked - 1;
	if (end > answer->at && data[end - 1] == '\r')
		end--;
	*line_len = end - answer->at;
	answer->at = answer->looked;
	return true;
}

static enum http_state bad(struct relay_err *err, const char *what)
{
	(void)relay_fail(err, "its answer %s", what);
	return HTTP_BAD;
}

static enum http_state end_head(struct http_answer *answer)
{
	answer->body = answer->at;
	answer->part = answer->chunked ? HTTP_CHUNK_SIZE : HTTP_PLAIN;
	return HTTP_DONE;
}

/* DONE: the head is complete. */
static enum http_state read_head(struct http_answer *answer, const char *data,
	size_t len, struct relay_err *err)
{
	size_t line, line_len;

	while (next_line(answer, data, len, &line, &line_len)) {
		if (answer->at > HTTP_HEAD_MAX)
			break;
		if (answer->part == HTTP_STATUS) {
			if (read_status(data + line, line_len, &answer->status,
				    err))
				return HTTP_BAD;
			answer->part = HTTP_FIELDS;
		} else if (line_len == 0) {
			return end_head(answer);
		} else if (read_field(answer, data, line, line_len, err)) {
			return HTTP_BAD;
		}
	}
	if (len < HTTP_HEAD_MAX)
		return HTTP_MORE;
	(void)relay_fail(err, "its answer has a head of more than %zu bytes",
		HTTP_HEAD_MAX);
	return HTTP_BAD;
}

/* The length of a chunk, up to the line end or an extension. */
static int read_chunk_size(const char *line, size_t len, uint64_t *size)
{
	const char *semicolon = memchr(line, ';', len);

	return read_number(
		line, semicolon ? (size_t)(semicolon - line) : len, 16, size);
}

/* Joins it to those before. */
static bool take_chunk(struct http_answer *answer, char *data, size_t len)
{
	const size_t chunk = (size_t)answer->length;

	if (len - answer->at < answer->length)
		return false;
	memmove(data + answer->body + answer->body_len, data + answer->at,
		chunk);
	answer->body_len += chunk;
	answer->at += chunk;
	answer->looked = answer->at;
	answer->part = HTTP_CHUNK_END;
	return true;
}

static enum http_state read_chunks(struct http_answer *answer, char *data,
	size_t len, struct relay_err *err)
{
	size_t line, line_len;

	while (answer->part != HTTP_CHUNK || take_chunk(answer, data, len)) {
		if (!next_line(answer, data, len, &line, &line_len))
			return HTTP_MORE;
		if (answer->part == HTTP_CHUNK_END) {
			if (line_len)
				return bad(err, "has a chunk without an end");
			answer->part = HTTP_CHUNK_SIZE;
			continue;
		}
		if (read_chunk_size(data + line, line_len, &answer->length))
			return bad(err, "has a chunk without a length");
		if (answer->length == 0)
			return HTTP_DONE;
		answer->part = HTTP_CHUNK;
	}
	return HTTP_MORE;
}

static enum http_state read_plain(
	struct http_answer *answer, size_t len, bool ended)
{
	answer->body_len = len - answer->body;
	if (!answer->has_length)
		return ended ? HTTP_DONE : HTTP_MORE;
	if (answer->body_len < answer->length)
		return HTTP_MORE;
	answer->body_len = (size_t)answer->length;
	return HTTP_DONE;
}

enum http_state http_answer_read(struct http_answer *answer, char *data,
	size_t len, bool ended, struct relay_err *err)
{
	enum http_state state = HTTP_DONE;

	if (answer->part <= HTTP_FIELDS)
		state = read_head(answer, data, len, err);
	if (state == HTTP_DONE)
		state = answer->part == HTTP_PLAIN
				? read_plain(answer, len, ended)
				: read_chunks(answer, data, len, err);
	return state == HTTP_MORE && ended ? bad(err, "is cut off") : state;
}
