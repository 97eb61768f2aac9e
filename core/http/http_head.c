/* SPDX-License-Identifier: MPL-2.0 */

/* The head of an HTTP/1.x request. */

#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "http/http_head.h"

#define DIGITS_MAX 18 /* so many always fit into 64 bits */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_alnum(char c)
{
	return is_digit(c) || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* tchar of RFC 9110, section 5.6.2. */
static bool is_token_char(char c)
{
	return is_alnum(c) || (c && strchr("!#$%&'*+-.^_`|~", c));
}

static bool is_token(const char *text)
{
	const char *at = text;

	while (is_token_char(*at))
		at++;
	return at > text && !*at;
}

/* Whether c may stand before CR LF. */
static bool is_text(char c)
{
	unsigned char u = (unsigned char)c;

	return u == '\t' || (u >= 0x20 && u != 0x7f);
}

int http_head_end(const char *data, size_t len, size_t seen)
{
	for (size_t i = seen; i < len; i++) {
		if (data[i] == '\n') {
			if (!i || data[i - 1] != '\r')
				return -1;
			if (i == 1 || data[i - 2] == '\n')
				return (int)i + 1;
		} else if ((i && data[i - 1] == '\r') ||
			   (data[i] != '\r' && !is_text(data[i]))) {
			return -1;
		}
	}
	return 0;
}

/* Ends the text at the next `c`, and returns what follows; NULL: there is none.
 */
static char *cut(char *text, char c)
{
	char *at = strchr(text, c);

	if (!at)
		return NULL;
	*at = '\0';
	return at + 1;
}

static int parse_version(const char *text, struct http_head *out)
{
	if (strncmp(text, "HTTP/", 5) != 0 || !is_digit(text[5]) ||
		text[6] != '.' || !is_digit(text[7]) || text[8])
		return 400;
	out->minor = text[7] - '0';
	return text[5] == '1' ? 0 : 505;
}

static bool is_visible(const char *text)
{
	while (*text > ' ' && *text < 0x7f)
		text++;
	return !*text;
}

static int parse_line(char *line, struct http_head *out)
{
	char *target = cut(line, ' ');
	char *version = target ? cut(target, ' ') : NULL;
	char *query;
	int status;

	if (!version || !is_token(line) || !*target || !is_visible(target))
		return 400;
	status = parse_version(version, out);
	if (status)
		return status;
	query = cut(target, '?');
	out->method = line;
	out->path = target;
	out->query = query ? query : "";
	return 0;
}

static char *trim(char *text)
{
	size_t len;

	text += strspn(text, " \t");
	len = strlen(text);
	while (len && (text[len - 1] == ' ' || text[len - 1] == '\t'))
		len--;
	text[len] = '\0';
	return text;
}

/* A folded line begins with a space, and so has no name. */
static int parse_field(char *line, struct http_head *out)
{
	char *value = cut(line, ':');

	if (!value || !is_token(line))
		return 400;
	if (out->count == HTTP_FIELDS_MAX)
		return 431;
	out->fields[out->count++] =
		(struct http_field){.name = line, .value = trim(value)};
	return 0;
}

const char *http_head_find(const struct http_head *head, const char *name)
{
	for (size_t i = 0; i < head->count; i++)
		if (strcasecmp(head->fields[i].name, name) == 0)
			return head->fields[i].value;
	return NULL;
}

static size_t count_fields(const struct http_head *head, const char *name)
{
	size_t n = 0;

	for (size_t i = 0; i < head->count; i++)
		n += strcasecmp(head->fields[i].name, name) == 0;
	return n;
}

/* Whether one of the field's elements is that word, in any case. */
static bool lists(
	const struct http_head *head, const char *name, const char *word)
{
	for (size_t i = 0; i < head->count; i++) {
		const char *at = head->fields[i].value;

		if (strcasecmp(head->fields[i].name, name) != 0)
			continue;
		while (*at) {
			size_t len = strcspn(at, ", \t");

			if (len == strlen(word) &&
				strncasecmp(at, word, len) == 0)
				return true;
			at += len;
			at += strspn(at, ", \t");
		}
	}
	return false;
}

/* RFC 9112, section 6: how long a body would be. */
static int parse_length(struct http_head *out)
{
	const char *length = http_head_find(out, "Content-Length");
	bool coded = http_head_find(out, "Transfer-Encoding") != NULL;
	uint64_t bytes = 0;
	size_t digits;

	out->has_body = coded || length;
	if (!length)
		return coded && out->minor == 0 ? 400 : 0;
	digits = strspn(length, "0123456789");
	if (coded || !digits || length[digits] || digits > DIGITS_MAX ||
		count_fields(out, "Content-Length") > 1)
		return 400;
	for (size_t i = 0; i < digits; i++)
		bytes = bytes * 10 + (uint64_t)(length[i] - '0');
	out->has_body = bytes > 0;
	return bytes > HTTP_BODY_MAX ? 413 : 0;
}

/* RFC 9112, section 3.2: exactly one Host field; HTTP/1.0 may omit it. */
static int parse_host(struct http_head *out)
{
	const char *at;

	out->host = http_head_find(out, "Host");
	if (!out->host)
		return out->minor > 0 ? 400 : 0;
	for (at = out->host; *at; at++)
		if (!is_alnum(*at) && !strchr("-._~%!$&'()*+,;=:[]", *at))
			return 400;
	return count_fields(out, "Host") > 1 ? 400 : 0;
}

static int parse_meaning(struct http_head *out)
{
	int status = parse_host(out);

	out->persistent =
		!lists(out, "Connection", "close") &&
		(out->minor > 0 || lists(out, "Connection", "keep-alive"));
	return status ? status : parse_length(out);
}

int http_head_parse(char *data, size_t len, struct http_head *out)
{
	char *line = data;
	int status;

	/* Not memset: most of the struct is the table, of which only `count`
	 * entries are valid. */
	out->method = out->path = out->query = "";
	out->host = NULL;
	out->minor = 1;
	out->has_body = out->persistent = false;
	out->count = 0;
	if (len < 4)
		return 400;
	data[len - 2] = '\0'; /* the empty line */
	status = 400;
	for (bool first = true; *line; first = false) {
		char *next = cut(line, '\r');

		if (!next)
			return 400;
		status = first ? parse_line(line, out) : parse_field(line, out);
		if (status)
			return status;
		line = next + 1; /* past LF */
	}
	return status ? status : parse_meaning(out);
}
