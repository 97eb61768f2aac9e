/* SPDX-License-Identifier: MPL-2.0 */

/* Formats a log record as a line of text, and escapes characters that could
 * harm a terminal or mislead a reader of the log. */

#include <stdio.h>
#include <string.h>
#include <time.h>

#include <strelaysrv/log.h>

static const char *const level_words[] = {
	[RELAY_ERROR] = "error",
	[RELAY_WARNING] = "warning",
	[RELAY_NOTICE] = "notice",
	[RELAY_INFO] = "info",
	[RELAY_DEBUG] = "debug",
};

const char *relay_level_word(enum relay_level level)
{
	if ((unsigned)level >= sizeof(level_words) / sizeof(level_words[0]))
		return "unknown";
	return level_words[level];
}

struct out {
	char *text;
	size_t cap, len;
	bool full; /* a piece did not fit: nothing more is appended */
};

/* Appends the piece as a whole or not at all, so that no escape sequence or
 * character is cut. */
static void put(struct out *out, const char *piece, size_t len)
{
	if (out->full || len >= out->cap - out->len) {
		out->full = true;
		return;
	}
	memcpy(out->text + out->len, piece, len);
	out->len += len;
}

static void put_text(struct out *out, const char *text)
{
	put(out, text, strlen(text));
}

static size_t finish(struct out *out)
{
	out->text[out->len] = '\0';
	return out->len;
}

static bool is_continuation(unsigned char c)
{
	return (c & 0xc0) == 0x80;
}

/* The length of the UTF-8 character at s; 0 if it is invalid.  Never reads past
 * a NUL, which is no continuation byte. */
static size_t decode(const unsigned char *s, uint32_t *code)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t len = s[0] < 0x80 ? 1 : s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;

	if (len == 1) {
		*code = s[0];
		return 1;
	}
	if (s[0] < 0xc2 || s[0] > 0xf4)
		return 0;
	*code = s[0] & (0xffU >> (len + 1));
	for (size_t i = 1; i < len; i++) {
		if (!is_continuation(s[i]))
			return 0;
		*code = *code << 6 | (s[i] & 0x3fU);
	}
	if (*code < least[len] || *code > 0x10ffff ||
		(*code >= 0xd800 && *code <= 0xdfff))
		return 0;
	return len;
}

/* Terminals also interpret C1 control characters, some programs treat U+2028 as
 * the end of a line, and direction marks can make a line look like another. */
static bool is_harmless(uint32_t c)
{
	return !(c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x2028 ||
		 c == 0x2029 || (c >= 0x202a && c <= 0x202e) ||
		 (c >= 0x2066 && c <= 0x2069) || c == 0xfeff);
}

static void put_hex(struct out *out, const unsigned char *bytes, size_t len)
{
	static const char hex[] = "0123456789abcdef";

	for (size_t i = 0; i < len; i++) {
		const char piece[] = {
			'\\', 'x', hex[bytes[i] >> 4], hex[bytes[i] & 15]};

		put(out, piece, sizeof(piece));
	}
}

/* `quoted`: the text is between quotes, so quotes and backslashes in it are
 * escaped, too. */
static void put_escaped(struct out *out, const char *text, bool quoted)
{
	while (*text && !out->full) {
		const unsigned char *s = (const unsigned char *)text;
		uint32_t code = 0;
		size_t len = decode(s, &code);

		if (len == 0 || !is_harmless(code)) {
			put_hex(out, s, len ? len : 1);
		} else {
			if (quoted && (*text == '"' || *text == '\\'))
				put(out, "\\", 1);
			put(out, text, len);
		}
		text += len ? len : 1;
	}
}

size_t relay_log_escape(const char *text, char *out, size_t cap)
{
	struct out o = {.text = out, .cap = cap};

	put_escaped(&o, text, false);
	return finish(&o);
}

static void put_time(struct out *out, int64_t time_us)
{
	time_t seconds = (time_t)(time_us / 1000000);
	char text[64];
	struct tm tm;
	size_t len;

	if (!localtime_r(&seconds, &tm))
		memset(&tm, 0, sizeof(tm));
	len = strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm);
	put(out, text, len);
	(void)snprintf(
		text, sizeof(text), ".%03d ", (int)(time_us / 1000 % 1000));
	put_text(out, text);
}

static bool needs_quotes(const char *value)
{
	if (!*value)
		return true;
	for (; *value; value++) {
		if ((unsigned char)*value <= ' ' || *value == 0x7f ||
			(unsigned char)*value >= 0x80 ||
			strchr("\"\\=", *value))
			return true;
	}
	return false;
}

/* Keys come from modules' code, but an invalid key must not break the line. */
static void put_key(struct out *out, const char *key)
{
	for (; *key; key++) {
		bool good = (*key >= 'a' && *key <= 'z') ||
			    (*key >= 'A' && *key <= 'Z') ||
			    (*key >= '0' && *key <= '9') || *key == '_';

		put(out, good ? key : "_", 1);
	}
}

static void put_field(struct out *out, const struct relay_field *field)
{
	const char *value = field->value ? field->value : "";
	bool quotes = needs_quotes(value);

	put(out, " ", 1);
	put_key(out, field->key);
	put(out, "=", 1);
	if (quotes)
		put(out, "\"", 1);
	put_escaped(out, value, quotes);
	if (quotes)
		put(out, "\"", 1);
}

size_t relay_log_text(
	const struct relay_log_record *record, char *out, size_t cap)
{
	struct out o = {.text = out, .cap = cap};

	put_time(&o, record->time_us);
	put_text(&o, relay_level_word(record->level));
	put(&o, " ", 1);
	put_escaped(&o, record->component, false);
	put(&o, ": ", 2);
	put_escaped(&o, record->text, false);
	for (const struct relay_field *f = record->fields; f->key; f++)
		put_field(&o, f);
	return finish(&o);
}
