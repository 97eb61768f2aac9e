/* SPDX-License-Identifier: MPL-2.0 */

/* Reads and writes the protocol of Redis. */

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "cluster/redis/resp.h"

struct scan {
	struct resp_reader *reader;
	const uint8_t *at, *end;
};

/* The rest of a line, without its end. */
static enum resp_end read_line(
	struct scan *scan, const uint8_t **line, size_t *len)
{
	size_t left = (size_t)(scan->end - scan->at);
	const uint8_t *cr = memchr(scan->at, '\r', left);

	if (!cr || cr + 1 == scan->end)
		return left > RESP_MOST ? RESP_BROKEN : RESP_MORE;
	if (cr[1] != '\n')
		return RESP_BROKEN;
	*line = scan->at;
	*len = (size_t)(cr - scan->at);
	scan->at = cr + 2;
	return RESP_WHOLE;
}

static enum resp_end read_number(struct scan *scan, int64_t *out)
{
	const uint8_t *line;
	size_t len, i = 0;
	enum resp_end end = read_line(scan, &line, &len);
	bool minus;
	int64_t number = 0;

	if (end != RESP_WHOLE)
		return end;
	minus = len > 0 && line[0] == '-';
	if (minus || (len > 0 && line[0] == '+'))
		i++;
	if (i == len)
		return RESP_BROKEN;
	for (; i < len; i++) {
		/* Counts downwards: the least number has no positive one. */
		if (line[i] < '0' || line[i] > '9' ||
			number < (INT64_MIN + (line[i] - '0')) / 10)
			return RESP_BROKEN;
		number = number * 10 - (line[i] - '0');
	}
	if (!minus && number == INT64_MIN)
		return RESP_BROKEN;
	*out = minus ? number : -number;
	return RESP_WHOLE;
}

static enum resp_end read_text(struct scan *scan, struct resp *value)
{
	int64_t len;
	enum resp_end end = read_number(scan, &len);

	if (end != RESP_WHOLE)
		return end;
	value->type = len == -1 ? RESP_NIL : RESP_TEXT;
	if (len == -1)
		return RESP_WHOLE;
	if (len < 0 || len > RESP_MOST)
		return RESP_BROKEN;
	if (scan->end - scan->at < len + 2)
		return RESP_MORE;
	value->bytes = scan->at;
	value->len = (size_t)len;
	scan->at += len;
	if (scan->at[0] != '\r' || scan->at[1] != '\n')
		return RESP_BROKEN;
	scan->at += 2;
	return RESP_WHOLE;
}

static enum resp_end read_value(
	struct scan *scan, struct resp *value, unsigned depth);

static enum resp_end read_array(
	struct scan *scan, struct resp *value, unsigned depth)
{
	int64_t count;
	enum resp_end end = read_number(scan, &count);
	struct resp *values;

	if (end != RESP_WHOLE)
		return end;
	value->type = count == -1 ? RESP_NIL : RESP_ARRAY;
	if (count == -1)
		return RESP_WHOLE;
	if (depth == RESP_DEPTH || count < 0 ||
		count > (int64_t)(RESP_VALUES - scan->reader->used))
		return RESP_BROKEN;
	values = scan->reader->value + scan->reader->used;
	scan->reader->used += (size_t)count;
	value->of = values;
	value->count = (size_t)count;
	for (int64_t i = 0; i < count && end == RESP_WHOLE; i++)
		end = read_value(scan, &values[i], depth + 1);
	return end;
}

static enum resp_end read_value(
	struct scan *scan, struct resp *value, unsigned depth)
{
	*value = (struct resp){.type = RESP_NIL, .bytes = (const uint8_t *)""};
	if (scan->at == scan->end)
		return RESP_MORE;
	switch (*scan->at++) {
	case '+':
		value->type = RESP_STATUS;
		return read_line(scan, &value->bytes, &value->len);
	case '-':
		value->type = RESP_ERROR;
		return read_line(scan, &value->bytes, &value->len);
	case ':':
		value->type = RESP_INTEGER;
		return read_number(scan, &value->number);
	case '$':
		return read_text(scan, value);
	case '*':
		return read_array(scan, value, depth);
	default:
		return RESP_BROKEN;
	}
}

enum resp_end resp_read(struct resp_reader *reader, const uint8_t *bytes,
	size_t len, const struct resp **out, size_t *taken)
{
	struct scan scan = {.reader = reader, .at = bytes, .end = bytes + len};
	enum resp_end end;

	reader->used = 1;
	end = read_value(&scan, &reader->value[0], 0);
	if (end == RESP_MORE && len > RESP_MOST)
		return RESP_BROKEN;
	*out = &reader->value[0];
	*taken = (size_t)(scan.at - bytes);
	return end;
}

bool resp_is(const struct resp *value, const char *text)
{
	return (value->type == RESP_TEXT || value->type == RESP_STATUS) &&
	       value->len == strlen(text) &&
	       strncasecmp((const char *)value->bytes, text, value->len) == 0;
}

static int add_number(struct bytes *out, char type, size_t number, size_t most)
{
	char line[24];
	int len = snprintf(line, sizeof(line), "%c%zu\r\n", type, number);

	return bytes_add(out, line, (size_t)len, most);
}

int resp_command(struct bytes *out, const struct resp_part *parts, size_t count,
	size_t most)
{
	size_t before = bytes_len(out);
	int failed = add_number(out, '*', count, most);

	for (size_t i = 0; i < count && !failed; i++)
		failed = add_number(out, '$', parts[i].len, most) != 0 ||
			 bytes_add(out, parts[i].bytes, parts[i].len, most) !=
				 0 ||
			 bytes_add(out, "\r\n", 2, most) != 0;
	if (failed)
		bytes_cut(out, bytes_len(out) - before);
	return failed ? -1 : 0;
}
