/* SPDX-License-Identifier: MPL-2.0 */

/* Prints answers as tables.  Texts come from a server, and partly from
 * strangers: control characters never reach the terminal. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cjson/cJSON.h>

#include <strelaysrv/log.h>
#include <strelaysrv/units.h>

#include "life/ctl_answer.h"

#define CELL_TEXT 1100
#define NS_PER_S  INT64_C(1000000000)

struct look {
	bool coloured;
	bool moves; /* the terminal can be cleared */
	bool more;  /* another answer follows */
};

struct column {
	const char *unit;
	bool right;
	int width;
};

static const char *string_of(const cJSON *object, const char *key)
{
	const char *text = cJSON_GetStringValue(
		cJSON_GetObjectItemCaseSensitive(object, key));

	return text ? text : "";
}

static bool is_true(const cJSON *object, const char *key)
{
	return cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(object, key));
}

/* Whole seconds are exact enough above a minute. */
static void format_ms(double ms, char *out)
{
	int64_t ns = (int64_t)ms * 1000000;

	relay_duration_format(ms >= 1000 ? ns / NS_PER_S * NS_PER_S : ns, out);
}

static void format_cell(const cJSON *cell, const char *unit, char *out)
{
	double number = cell && cJSON_IsNumber(cell) ? cell->valuedouble : 0;

	if (cJSON_IsString(cell))
		(void)relay_log_escape(cell->valuestring, out, CELL_TEXT);
	else if (!cell || !cJSON_IsNumber(cell))
		(void)snprintf(out, CELL_TEXT, "-");
	else if (strcmp(unit, "bytes") == 0)
		relay_size_format((int64_t)number, out);
	else if (strcmp(unit, "bytes/s") == 0)
		relay_rate_format((int64_t)number, out);
	else if (strcmp(unit, "ms") == 0)
		format_ms(number, out);
	else
		(void)snprintf(out, CELL_TEXT, "%.0f", number);
}

/* In characters of a terminal, as far as each takes one column. */
static int width_of(const char *text)
{
	int width = 0;

	for (; *text; text++)
		width += ((unsigned char)*text & 0xc0) != 0x80;
	return width;
}

static void pad(int width, const char *text, bool right)
{
	int spaces = width - width_of(text);

	if (right)
		(void)printf("%*s%s", spaces > 0 ? spaces : 0, "", text);
	else
		(void)printf("%s%*s", text, spaces > 0 ? spaces : 0, "");
}

static void measure(struct column *columns, int count, const cJSON *rows)
{
	char text[CELL_TEXT];
	const cJSON *row;

	cJSON_ArrayForEach(row, rows)
	{
		const cJSON *cell = row->child;

		for (int i = 0; i < count; i++) {
			int width;

			format_cell(cell, columns[i].unit, text);
			width = width_of(text);
			if (width > columns[i].width)
				columns[i].width = width;
			cell = cell ? cell->next : NULL;
		}
	}
}

/* Nothing is padded at the end of a line. */
static void print_cell(
	const struct column *column, const char *text, bool first, bool last)
{
	if (!first)
		(void)fputs("  ", stdout);
	pad(last && !column->right ? 0 : column->width, text, column->right);
}

static void print_heads(const struct column *columns, int count,
	const cJSON *described, const struct look *look)
{
	char text[CELL_TEXT];
	const cJSON *head = described->child;

	if (look->coloured)
		(void)fputs("\033[1m", stdout);
	for (int i = 0; i < count; i++, head = head->next) {
		(void)relay_log_escape(
			string_of(head, "name"), text, sizeof(text));
		print_cell(&columns[i], text, i == 0, i == count - 1);
	}
	(void)puts(look->coloured ? "\033[0m" : "");
}

static void print_rows(
	const struct column *columns, int count, const cJSON *rows)
{
	char text[CELL_TEXT];
	const cJSON *row;

	cJSON_ArrayForEach(row, rows)
	{
		const cJSON *cell = row->child;

		for (int i = 0; i < count; i++) {
			format_cell(cell, columns[i].unit, text);
			print_cell(&columns[i], text, i == 0, i == count - 1);
			cell = cell ? cell->next : NULL;
		}
		(void)putchar('\n');
	}
}

/* One line for each column. */
static void print_list(const struct column *columns, int count,
	const cJSON *described, const cJSON *rows, const struct look *look)
{
	char text[CELL_TEXT];
	const cJSON *head = described->child;
	const cJSON *cell = rows->child ? rows->child->child : NULL;
	int width = 0;

	for (; head; head = head->next)
		if (width_of(string_of(head, "name")) > width)
			width = width_of(string_of(head, "name"));
	head = described->child;
	for (int i = 0; i < count; i++, head = head->next) {
		(void)relay_log_escape(
			string_of(head, "name"), text, sizeof(text));
		(void)fputs(look->coloured ? "\033[1m" : "", stdout);
		pad(width + 2, text, false);
		(void)fputs(look->coloured ? "\033[0m" : "", stdout);
		format_cell(cell, columns[i].unit, text);
		(void)puts(text);
		cell = cell ? cell->next : NULL;
	}
}

/* Whether the table goes on where the last answer has ended; then it has no
 * heads, and is at least as wide. */
static bool continues(struct ctl_shown *shown, const char *title,
	struct column *columns, int count, bool more)
{
	bool same = more && shown->columns == count &&
		    strcmp(shown->title, title) == 0;

	for (int i = 0; i < count; i++) {
		if (same && columns[i].width < shown->width[i])
			columns[i].width = shown->width[i];
		shown->width[i] = columns[i].width;
	}
	shown->columns = count;
	(void)snprintf(shown->title, sizeof(shown->title), "%s", title);
	return same;
}

static void print_table(
	struct ctl_shown *shown, const cJSON *table, const struct look *look)
{
	struct column columns[CTL_COLUMNS];
	const cJSON *described =
		cJSON_GetObjectItemCaseSensitive(table, "columns");
	const cJSON *rows = cJSON_GetObjectItemCaseSensitive(table, "rows");
	const cJSON *head;
	int count = 0;

	cJSON_ArrayForEach(head, described)
	{
		if (count == CTL_COLUMNS)
			break;
		columns[count++] = (struct column){
			.unit = string_of(head, "unit"),
			.right = strcmp(string_of(head, "align"), "right") == 0,
			.width = width_of(string_of(head, "name")),
		};
	}
	if (!count || !rows)
		return;
	if (is_true(table, "list")) {
		print_list(columns, count, described, rows, look);
		return;
	}
	measure(columns, count, rows);
	if (!continues(shown, string_of(table, "title"), columns, count,
		    look->more))
		print_heads(columns, count, described, look);
	print_rows(columns, count, rows);
}

static void print_messages(const cJSON *messages, bool failed)
{
	char text[CELL_TEXT];
	const cJSON *message;

	cJSON_ArrayForEach(message, messages)
	{
		const char *words = cJSON_GetStringValue(message);

		(void)relay_log_escape(words ? words : "", text, sizeof(text));
		(void)fprintf(failed ? stderr : stdout, "%s\n", text);
	}
}

static struct look look_of_terminal(bool more)
{
	const char *terminal = getenv("TERM");
	const char *plain = getenv("NO_COLOR");
	bool moves = isatty(STDOUT_FILENO) && terminal &&
		     strcmp(terminal, "dumb") != 0;

	return (struct look){.more = more,
		.moves = moves,
		.coloured = moves && !(plain && plain[0])};
}

static void print_tables(
	struct ctl_shown *shown, const cJSON *answer, const struct look *look)
{
	const cJSON *tables =
		cJSON_GetObjectItemCaseSensitive(answer, "tables");
	const cJSON *table;

	cJSON_ArrayForEach(table, tables)
	{
		if (table != tables->child)
			(void)putchar('\n');
		print_table(shown, table, look);
	}
}

static void print_answer(struct ctl_shown *shown, const cJSON *answer, int code,
	const struct look *look)
{
	if (look->moves && is_true(answer, "screen"))
		(void)fputs("\033[H\033[2J", stdout);
	print_tables(shown, answer, look);
	print_messages(
		cJSON_GetObjectItemCaseSensitive(answer, "messages"), code > 0);
}

/* The exit code; -1: more follows; CTL_NO_SERVER: it is no answer. */
static int code_of(const cJSON *answer)
{
	const cJSON *code = cJSON_GetObjectItemCaseSensitive(answer, "code");

	if (is_true(answer, "more"))
		return -1;
	return cJSON_IsNumber(code) && code->valueint >= 0 &&
			       code->valueint < 126
		       ? code->valueint
		       : CTL_NO_SERVER;
}

int ctl_answer_print(struct ctl_shown *shown, const char *line, bool json)
{
	struct look look;
	cJSON *answer;
	int code;

	line += strspn(line, " ");
	answer = cJSON_Parse(line);
	if (!answer ||
		cJSON_GetObjectItemCaseSensitive(answer, "version") == NULL) {
		(void)fputs("strelaysrv: the answer is not JSON\n", stderr);
		cJSON_Delete(answer);
		return CTL_NO_SERVER;
	}
	code = code_of(answer);
	look = look_of_terminal(is_true(answer, "more"));
	if (json)
		(void)puts(line);
	else
		print_answer(shown, answer, code, &look);
	if (code < 0 && !look.moves && is_true(answer, "screen"))
		code = 0;
	cJSON_Delete(answer);
	return fflush(stdout) == 0 ? code : CTL_NO_SERVER;
}
