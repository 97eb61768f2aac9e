/* SPDX-License-Identifier: MPL-2.0 */

/* Parses an HTTP answer in place while it arrives. */

#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "http_body.h"

#define LINE_END "\r\n"

static int digit_of(char c, unsigned base)
{
	int digit = c >= '0' && c <= '9'   ? c - '0'
		    : c >= 'a' && c <= 'f' ? c - 'a' + 10
		    : c >= 'A' && c <= 'F' ? c - 'A' + 10
					   : -1;

	return digit < (int)base ? digit : -1;
}

/* Returns the number of digits; a too large number is capped. */
static size_t read_number(
	const char *text, size_t len, unsigned base, size_t *out)
{
	size_t used = 0;

	*out = 0;
	for (; used < len && digit_of(text[used], base) >= 0; used++)
		if (*out < SIZE_MAX / 32)
			*out = *out * base + (size_t)digit_of(text[used], base);
	return used;
}

/* The value of a header line, if it has that name. */
static const char *value_of(
	const char *line, size_t len, const char *name, size_t *value_len)
{
	size_t at = strlen(name);

	if (len <= at || strncasecmp(line, name, at) != 0 || line[at] != ':')
		return NULL;
	at++;
	while (at < len && (line[at] == ' ' || line[at] == '\t'))
		at++;
	while (len > at && (line[len - 1] == ' ' || line[len - 1] == '\t'))
		len--;
	*value_len = len - at;
	return line + at;
}

static int read_header(struct http_body *body, const char *line, size_t len)
{
	size_t value_len;
	const char *value = value_of(line, len, "Content-Length", &value_len);

	if (value) {
		if (body->has_length || value_len == 0 ||
			read_number(value, value_len, 10, &body->length) !=
				value_len)
			return -1;
		body->has_length = true;
	}
	value = value_of(line, len, "Transfer-Encoding", &value_len);
	if (value) {
		if (value_len != 7 || strncasecmp(value, "chunked", 7) != 0)
			return -1;
		body->chunked = true;
	}
	return 0;
}

/* HTTP/1.1 200 OK */
static int read_status(struct http_body *body, const char *line, size_t len)
{
	size_t status;

	if (len < 12 || strncmp(line, "HTTP/1.", 7) != 0 || line[8] != ' ' ||
		read_number(line + 9, 3, 10, &status) != 3)
		return -1;
	body->status = (int)status;
	return 0;
}

static int read_head(struct http_body *body, size_t head)
{
	const char *line = body->text, *end = body->text + head - 2;
	bool first = true;

	while (line < end) {
		const char *stop =
			memmem(line, (size_t)(end + 2 - line), LINE_END, 2);
		size_t len = stop ? (size_t)(stop - line) : 0;

		if (!stop || (first ? read_status : read_header)(
				     body, line, len) != 0)
			return -1;
		first = false;
		line = stop + 2;
	}
	body->head = body->next = head;
	return first ? -1 : 0;
}

static enum http_progress find_head(struct http_body *body)
{
	size_t from = body->seen > 3 ? body->seen - 3 : 0;
	const char *end = memmem(
		body->text + from, body->len - from, LINE_END LINE_END, 4);

	body->seen = body->len;
	if (!end)
		return body->len > HTTP_HEAD_MAX ? HTTP_TOO_MUCH : HTTP_MORE;
	return read_head(body, (size_t)(end - body->text) + 4) == 0
		       ? HTTP_DONE
		       : HTTP_WRONG;
}

/* Appends one chunk to the previous ones; HTTP_DONE: there are more. */
static enum http_progress take_chunk(struct http_body *body, bool *last)
{
	char *line = body->text + body->next;
	size_t have = body->len - body->next, digits, size, head;
	const char *end = memmem(line,
		have < HTTP_CHUNK_MAX ? have : HTTP_CHUNK_MAX, LINE_END, 2);

	if (!end)
		return have < HTTP_CHUNK_MAX ? HTTP_MORE : HTTP_WRONG;
	head = (size_t)(end - line) + 2;
	digits = read_number(line, head - 2, 16, &size);
	if (digits == 0 || (line[digits] != '\r' && line[digits] != ';' &&
				   line[digits] != ' '))
		return HTTP_WRONG;
	*last = size == 0;
	if (*last)
		return HTTP_DONE;
	if (size > body->limit || body->size + size > body->limit)
		return HTTP_TOO_MUCH;
	if (have < head + size + 2)
		return HTTP_MORE;
	memmove(body->text + body->head + body->size, line + head, size);
	body->size += size;
	body->next += head + size + 2;
	return HTTP_DONE;
}

static enum http_progress take_chunks(struct http_body *body)
{
	enum http_progress progress;
	bool last = false;

	do
		progress = take_chunk(body, &last);
	while (progress == HTTP_DONE && !last);
	return progress;
}

static enum http_progress take_bytes(struct http_body *body, bool over)
{
	size_t have = body->len - body->head;

	if (body->has_length && body->length > body->limit - body->head)
		return HTTP_TOO_MUCH;
	body->size =
		body->has_length && have > body->length ? body->length : have;
	if (body->has_length && body->size == body->length)
		return HTTP_DONE;
	/* Many gateways close early or announce a too large length. */
	return over ? HTTP_DONE : HTTP_MORE;
}

enum http_progress http_body_read(struct http_body *body, bool over)
{
	enum http_progress progress = HTTP_DONE;

	if (body->len == 0)
		return over ? HTTP_WRONG : HTTP_MORE;
	if (!body->head)
		progress = find_head(body);
	if (progress == HTTP_DONE)
		progress = body->chunked ? take_chunks(body)
					 : take_bytes(body, over);
	return progress == HTTP_MORE && over ? HTTP_WRONG : progress;
}
