/* SPDX-License-Identifier: MPL-2.0 */

/* Reads the text of a configuration file token by token. */

#include <string.h>

#include <strelaysrv/file.h>

#include "config/config_text.h"
#include "config/config_variables.h"
#include "config/value_text.h"

/* A token's kind: one of these, or the character itself. */
#define TOKEN_END    '\0'
#define TOKEN_WORD   'w'
#define TOKEN_QUOTED 'q'
#define TOKEN_APPEND '+'

struct token {
	size_t at, len;
	char kind;
};

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

/* The same characters as in libconfuse's lexer. */
static bool is_word(char c)
{
	return c && !is_space(c) && !strchr("#\"'={}()+,*", c);
}

/* The position after the closing quote, or of the end of the line if that comes
 * first. */
static size_t skip_quoted(const char *text, size_t at)
{
	char quote = text[at++];

	while (text[at] && text[at] != quote && text[at] != '\n')
		at += text[at] == '\\' && text[at + 1] ? 2 : 1;
	return text[at] == quote ? at + 1 : at;
}

static size_t skip_word(const char *text, size_t at)
{
	/* A ${VARIABLE} is one word; braces elsewhere are never part of a
	 * word. */
	if (text[at] == '$' && text[at + 1] == '{') {
		while (text[at] && text[at] != '}' && text[at] != '\n')
			at++;
		return text[at] == '}' ? at + 1 : at;
	}
	while (is_word(text[at]))
		at++;
	return at;
}

/* The text must be prepared: it has no comments. */
static struct token next_token(const char *text, size_t at)
{
	struct token token;

	while (is_space(text[at]))
		at++;
	token = (struct token){.at = at, .len = 1, .kind = text[at]};
	if (!text[at]) {
		token.len = 0;
	} else if (text[at] == '"' || text[at] == '\'') {
		token.kind = TOKEN_QUOTED;
		token.len = skip_quoted(text, at) - at;
	} else if (text[at] == '+') {
		token.len = 2;
	} else if (is_word(text[at])) {
		token.kind = TOKEN_WORD;
		token.len = skip_word(text, at) - at;
	}
	return token;
}

static size_t token_end(const struct token *token)
{
	return token->at + token->len;
}

static void blank(char *text, size_t from, size_t to)
{
	for (; from < to; from++)
		if (text[from] != '\n')
			text[from] = ' ';
}

/* The end of the comment at `at`; `at` itself if there is none. */
static size_t comment_end(const char *text, size_t at)
{
	const char *end;

	if (text[at] == '#' || (text[at] == '/' && text[at + 1] == '/'))
		return at + strcspn(text + at, "\n");
	if (text[at] != '/' || text[at + 1] != '*')
		return at;
	end = strstr(text + at + 2, "*/");
	return end ? (size_t)(end - text) + 2 : strlen(text);
}

static unsigned count_lines(const char *text, size_t from, size_t to)
{
	unsigned n = 0;

	for (; from < to; from++)
		n += text[from] == '\n';
	return n;
}

static int check_bytes(
	const char *text, size_t len, unsigned *line, struct relay_err *err)
{
	*line = 1;
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		*line += c == '\n';
		if (c == 0)
			return relay_fail(err,
				"there is a NUL byte: this is no text file");
		if ((c < 0x20 && !is_space(text[i])) || c == 0x7f)
			return relay_fail(err,
				"the byte 0x%02x does not belong in a text "
				"file",
				c);
	}
	*line = relay_text_fault(text, len);
	if (*line)
		return relay_fail(err, "the text is not valid UTF-8; write the "
				       "file in that encoding");
	*line = relay_text_mark(text);
	if (*line)
		return relay_fail(err,
			"the line contains a byte order mark; only the "
			"beginning of a file may have one");
	*line = 1;
	return 0;
}

struct braces {
	unsigned depth, line; /* line of the outermost open brace */
};

/* Prepares one token or comment at text[at], which is not a space. */
static int prepare_one(char *text, size_t at, unsigned line,
	struct braces *braces, size_t *end, struct relay_err *err)
{
	char c = text[at];
	size_t comment = comment_end(text, at);

	*end = at + 1;
	if (comment > at) {
		if (!text[comment] && c == '/' && text[at + 1] == '*')
			if (comment < at + 4 || text[comment - 1] != '/' ||
				text[comment - 2] != '*')
				return relay_fail(
					err, "the comment is not closed");
		blank(text, at, comment);
		*end = comment;
	} else if (c == '"' || c == '\'') {
		*end = skip_quoted(text, at);
		if (*end < at + 2 || text[*end - 1] != c)
			return relay_fail(err,
				"the quote %c is not closed on its line", c);
		if (value_escapes_check(text, at, *end, err) != 0)
			return -1;
		return config_variables_resolve(text, at, *end, err);
	} else if (is_word(c)) {
		*end = skip_word(text, at);
		if (text[*end - 1] == '$' && text[*end] == '{')
			return relay_fail(err,
				"column %zu: quote a word that contains ${",
				value_column(text, at));
		return config_variables_resolve(text, at, *end, err);
	} else if (c == '+' && text[at + 1] == '=') {
		*end = at + 2;
	} else if (c == '*' || c == '+') {
		return relay_fail(
			err, "text with the character %c must be quoted", c);
	} else if (c == '{' && braces->depth++ == 0) {
		braces->line = line;
	} else if (c == '}' && braces->depth) {
		braces->depth--;
	}
	return 0;
}

/* libconfuse leaks the arguments of a malformed call. */
static int check_calls(const char *text, unsigned *line, struct relay_err *err)
{
	struct token token = next_token(text, 0);

	for (; token.kind != TOKEN_END;
		token = next_token(text, token_end(&token))) {
		size_t open = token.at;

		if (token.kind != '(')
			continue;
		token = next_token(text, token_end(&token));
		if (token.kind == TOKEN_WORD || token.kind == TOKEN_QUOTED)
			token = next_token(text, token_end(&token));
		if (token.kind == ')')
			continue;
		*line = count_lines(text, 0, open) + 1;
		return relay_fail(
			err, "write the path of one file between ( and )");
	}
	return 0;
}

/* The end of the block that the bracket `open` begins. */
static size_t skip_brackets(const char *text, const struct token *open)
{
	char close = open->kind == '(' ? ')' : '}';
	unsigned depth = 1;
	struct token token = *open;

	while (depth && token.kind != TOKEN_END) {
		token = next_token(text, token_end(&token));
		if (token.kind == open->kind)
			depth++;
		else if (token.kind == close)
			depth--;
	}
	return token_end(&token);
}

static bool is_text(const struct token *token)
{
	return token->kind == TOKEN_WORD || token->kind == TOKEN_QUOTED;
}

/* The end of what follows a name: the value, the arguments, the title of a
 * section, or only the name itself. */
static size_t skip_value(const char *text, const struct token *name)
{
	struct token next = next_token(text, token_end(name)), value;

	if (is_text(&next) && next_token(text, token_end(&next)).kind == '{')
		return token_end(&next);
	if (next.kind == '(')
		return skip_brackets(text, &next);
	if (next.kind != '=' && next.kind != TOKEN_APPEND)
		return token_end(name);
	value = next_token(text, token_end(&next));
	if (value.kind == '{')
		return skip_brackets(text, &value);
	return is_text(&value) ? token_end(&value) : token_end(&next);
}

static bool has_variable(const char *text, const struct token *token)
{
	for (size_t at = token->at; at + 1 < token_end(token); at++)
		if (text[at] == '$' && text[at + 1] == '{')
			return true;
	return config_variables_in(text, token->at, token_end(token));
}

/* libconfuse fails without a message where a name is empty. */
static int check_names(const char *text, unsigned *line, struct relay_err *err)
{
	struct token token = next_token(text, 0);

	while (token.kind != TOKEN_END) {
		bool name = is_text(&token);

		if (name && ((token.kind == TOKEN_QUOTED && token.len < 3) ||
				    has_variable(text, &token))) {
			*line = count_lines(text, 0, token.at) + 1;
			return relay_fail(err,
				"column %zu: the name of an option should "
				"begin here, but there is %s; text with spaces "
				"must be quoted",
				value_column(text, token.at),
				token.len < 3 ? "an empty text" : "a variable");
		}
		token = next_token(text,
			name ? skip_value(text, &token) : token_end(&token));
	}
	return 0;
}

int config_text_prepare(
	char *text, size_t len, unsigned *line, struct relay_err *err)
{
	struct braces braces = {0};
	size_t at = 0, end;

	if (check_bytes(text, len, line, err))
		return -1;
	while (text[at]) {
		if (is_space(text[at])) {
			end = at + 1;
			*line += text[at] == '\n';
		} else {
			if (prepare_one(text, at, *line, &braces, &end, err))
				return -1;
			*line += count_lines(text, at, end);
		}
		at = end;
	}
	if (braces.depth) {
		*line = braces.line;
		return relay_fail(err, "the brace { is not closed");
	}
	return check_calls(text, line, err) || check_names(text, line, err) ? -1
									    : 0;
}

/* The end of the statement that begins with `word`. */
static size_t skip_statement(
	const char *text, const struct token *word, enum config_text_use *use)
{
	struct token next = next_token(text, token_end(word));
	struct token third = next_token(text, token_end(&next));

	if (next.kind == '=' || next.kind == TOKEN_APPEND) {
		*use = CONFIG_TEXT_OPTION;
		if (third.kind == '{')
			return skip_brackets(text, &third);
		if (third.kind == TOKEN_WORD || third.kind == TOKEN_QUOTED)
			return token_end(&third);
		return token_end(&next);
	}
	if (next.kind == '(') {
		*use = CONFIG_TEXT_FUNCTION;
		return skip_brackets(text, &next);
	}
	*use = CONFIG_TEXT_SECTION;
	if (next.kind == '{')
		return skip_brackets(text, &next);
	if ((next.kind == TOKEN_WORD || next.kind == TOKEN_QUOTED) &&
		third.kind == '{')
		return skip_brackets(text, &third);
	*use = CONFIG_TEXT_STRAY;
	return token_end(word);
}

static bool token_is(
	const char *text, const struct token *token, const char *word)
{
	size_t quote = token->kind == TOKEN_QUOTED;

	return (quote || token->kind == TOKEN_WORD) &&
	       token->len == strlen(word) + 2 * quote &&
	       memcmp(text + token->at + quote, word, strlen(word)) == 0;
}

bool config_text_cut(char *text, unsigned line, const char *word,
	enum config_text_use *use, size_t *column)
{
	size_t at = 0, end;

	for (; line > 1 && text[at]; at++)
		line -= text[at] == '\n';
	end = at + strcspn(text + at, "\n");
	while (at < end) {
		struct token token = next_token(text, at);

		if (token.kind == TOKEN_END || token.at >= end)
			return false;
		if (token_is(text, &token, word)) {
			*column = value_column(text, token.at);
			blank(text, token.at,
				skip_statement(text, &token, use));
			return true;
		}
		at = token_end(&token);
	}
	return false;
}

unsigned config_text_empty_list(const char *text, const char *name)
{
	struct token last[4] = {{.kind = TOKEN_END}};
	size_t found = 0;
	bool any = false;

	do {
		memmove(last, last + 1, sizeof(last) - sizeof(last[0]));
		last[3] = next_token(text, token_end(&last[2]));
		if (last[1].kind == '=' && last[2].kind == '{' &&
			last[3].kind == '}' && token_is(text, &last[0], name)) {
			found = last[0].at;
			any = true;
		}
	} while (last[3].kind != TOKEN_END);
	return any ? count_lines(text, 0, found) + 1 : 0;
}
