/* SPDX-License-Identifier: MPL-2.0 */

/* Reads the answer to one GET of HTTP/1.1. */

#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "http_answer.h"

#define LENGTH_MAX ((size_t)1 << 40) /* the sum of two cannot overflow */

struct head {
	size_t len; /* including the empty line */
	bool chunked, has_length;
	size_t length;
};

/* Parses a decimal or hexadecimal number; -1 if it is invalid. */
static int read_number(
	const char *at, size_t len, unsigned base, size_t *number)
{
	size_t n = 0;

	if (len == 0)
		return -1;
	for (size_t i = 0; i < len; i++) {
		static const char digits[] = "0123456789abcdef";
		char c = (char)(at[i] >= 'A' && at[i] <= 'F' ? at[i] + 32
							     : at[i]);
		const char *d = c ? memchr(digits, c, base) : NULL;

		if (!d || n > LENGTH_MAX)
			return -1;
		n = n * base + (size_t)(d - digits);
	}
	*number = n;
	return 0;
}

static int read_status(
	const char *line, size_t len, int *status, struct relay_err *err)
{
	size_t n;

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

static int read_field(const char *line, size_t len, struct head *head,
	struct http_answer *out, struct relay_err *err)
{
	const char *colon = memchr(line, ':', len), *end = line + len;
	const char *value;

	if (!colon)
		return relay_fail(err, "its answer has a header without \":\"");
	value = colon + 1;
	while (value < end && (*value == ' ' || *value == '\t'))
		value++;
	while (end > value && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	if (is_field(line, len, "Location")) {
		out->location = value;
		out->location_len = (size_t)(end - value);
	} else if (is_field(line, len, "Content-Length")) {
		head->has_length = true;
		if (read_number(
			    value, (size_t)(end - value), 10, &head->length))
			return relay_fail(
				err, "its answer's Content-Length is none");
	} else if (is_field(line, len, "Transfer-Encoding")) {
		head->chunked = true;
		if (end - value != 7 || strncasecmp(value, "chunked", 7))
			return relay_fail(err,
				"its answer comes in an encoding that nobody "
				"asked for");
	}
	return 0;
}

/* The line at `at`, without its line end; `next` is after it. */
static const char *line_end(const char *at, const char *end, const char **next)
{
	const char *newline = memchr(at, '\n', (size_t)(end - at));

	if (!newline)
		return NULL;
	*next = newline + 1;
	return newline > at && newline[-1] == '\r' ? newline - 1 : newline;
}

static enum http_state read_head(const char *data, size_t len,
	struct head *head, struct http_answer *out, struct relay_err *err)
{
	const char *at = data, *next, *stop;
	const char *end = data + (len < HTTP_HEAD_MAX ? len : HTTP_HEAD_MAX);

	for (; (stop = line_end(at, end, &next)) != NULL; at = next) {
		size_t line = (size_t)(stop - at);

		if (at == data) {
			if (read_status(at, line, &out->status, err))
				return HTTP_BAD;
		} else if (line == 0) {
			head->len = (size_t)(next - data);
			return HTTP_DONE;
		} else if (read_field(at, line, head, out, err)) {
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
static int read_chunk_size(const char *at, const char *stop, size_t *size)
{
	const char *semicolon = memchr(at, ';', (size_t)(stop - at));

	if (semicolon)
		stop = semicolon;
	return read_number(at, (size_t)(stop - at), 16, size);
}

/*
 * Computes the length of all chunks; optionally joins them at the front.  0, or
 * -1 if they are invalid or incomplete.
 */
static int join_chunks(char *body, size_t len, bool move, size_t *joined)
{
	const char *at = body, *end = body + len, *next, *stop;
	size_t size, total = 0;

	while ((stop = line_end(at, end, &next)) != NULL) {
		if (read_chunk_size(at, stop, &size) ||
			size > (size_t)(end - next))
			return -1;
		if (size == 0) {
			*joined = total;
			return 0;
		}
		if (move)
			memmove(body + total, next, size);
		total += size;
		at = next + size;
		/* The line end after the chunk. */
		if (line_end(at, end, &next) != at)
			return -1;
		at = next;
	}
	return -1;
}

static enum http_state cut_off(bool ended, struct relay_err *err)
{
	if (!ended)
		return HTTP_MORE;
	(void)relay_fail(err, "its answer is cut off");
	return HTTP_BAD;
}

static bool ends_in_last_chunk(const struct http_answer *out)
{
	return out->body_len >= 5 &&
	       memcmp(out->body + out->body_len - 5, "0\r\n\r\n", 5) == 0;
}

/*
 * First only check: chunks moved before all are there could not be parsed
 * again.
 */
static enum http_state read_chunks(
	struct http_answer *out, bool ended, struct relay_err *err)
{
	size_t len;

	if (join_chunks(out->body, out->body_len, false, &len))
		return cut_off(ended, err);
	(void)join_chunks(out->body, out->body_len, true, &out->body_len);
	return HTTP_DONE;
}

enum http_state http_answer_read(char *data, size_t len, bool ended,
	struct http_answer *out, struct relay_err *err)
{
	struct head head = {0};
	enum http_state state;

	*out = (struct http_answer){0};
	state = read_head(data, len, &head, out, err);
	if (state == HTTP_MORE)
		return cut_off(ended, err);
	if (state == HTTP_BAD)
		return state;
	out->body = data + head.len;
	out->body_len = len - head.len;
	/*
	 * Parse chunks only at the end of the connection; parsing after each
	 * read would be slow.
	 */
	if (head.chunked)
		return ended || ends_in_last_chunk(out)
			       ? read_chunks(out, ended, err)
			       : HTTP_MORE;
	if (!head.has_length)
		return ended ? HTTP_DONE : HTTP_MORE;
	if (out->body_len < head.length)
		return cut_off(ended, err);
	out->body_len = head.length;
	return HTTP_DONE;
}
