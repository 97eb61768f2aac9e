/* SPDX-License-Identifier: MPL-2.0 */

/* Writes an answer as JSON.  Cells go to the client's buffer at once, messages
 * are kept until the object ends. */

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <event2/buffer.h>

#include "answer.h"

/* What a client that does not read may have the server hold. */
#define OUT_MAX  (4U << 20)
#define SAID_MAX (64U << 10)
/* A text longer than this is cut. */
#define TEXT_MAX 1024

static struct answer *answer_of(struct relay_answer *to)
{
	return (struct answer *)to;
}

static void put(struct answer *answer, struct evbuffer *to, const char *text,
	size_t len)
{
	size_t most = to == answer->said ? SAID_MAX : OUT_MAX;

	if (!answer->lost && (evbuffer_get_length(to) > most ||
				     evbuffer_add(to, text, len) != 0))
		answer->lost = true;
}

static void put_text(struct answer *answer, const char *text)
{
	put(answer, answer->out, text, strlen(text));
}

/* relay_log_escape() leaves no control characters and no invalid UTF-8. */
static void put_string(
	struct answer *answer, struct evbuffer *to, const char *text)
{
	char clean[TEXT_MAX], quoted[2 * TEXT_MAX + 2];
	size_t len = 0;

	(void)relay_log_escape(text, clean, sizeof(clean));
	quoted[len++] = '"';
	for (const char *c = clean; *c; c++) {
		if (*c == '"' || *c == '\\')
			quoted[len++] = '\\';
		quoted[len++] = *c;
	}
	quoted[len++] = '"';
	put(answer, to, quoted, len);
}

static void begin(struct answer *answer)
{
	char head[64];

	if (answer->begun)
		return;
	answer->begun = true;
	answer->tables = 0;
	(void)snprintf(head, sizeof(head),
		"{\"version\":%d,\"command\":", ANSWER_VERSION);
	put_text(answer, head);
	put_string(answer, answer->out, answer->command);
	put_text(answer, ",\"tables\":[");
}

static void end_table(struct answer *answer)
{
	if (!answer->columns)
		return;
	put_text(answer, "]}");
	answer->columns = 0;
}

static void column(struct answer *answer, const struct relay_column *column)
{
	static const char *const units[] = {
		[RELAY_COLUMN_TEXT] = "",
		[RELAY_COLUMN_COUNT] = "",
		[RELAY_COLUMN_BYTES] = "bytes",
		[RELAY_COLUMN_RATE] = "bytes/s",
		[RELAY_COLUMN_MS] = "ms",
	};
	const char *align =
		column->kind == RELAY_COLUMN_TEXT ? "left" : "right";

	put_text(answer, "{\"name\":");
	put_string(answer, answer->out, column->name);
	put_text(answer, ",\"unit\":\"");
	put_text(answer, units[column->kind]);
	put_text(answer, "\",\"align\":\"");
	put_text(answer, align);
	put_text(answer, "\"}");
}

static void begin_table(struct answer *answer, const char *title,
	const struct relay_column *columns, unsigned count, bool is_list)
{
	begin(answer);
	end_table(answer);
	put_text(answer, answer->tables ? ",{\"title\":" : "{\"title\":");
	put_string(answer, answer->out, title);
	put_text(answer, is_list ? ",\"list\":true" : ",\"list\":false");
	put_text(answer, ",\"columns\":[");
	for (unsigned i = 0; i < count; i++) {
		if (i)
			put_text(answer, ",");
		column(answer, &columns[i]);
	}
	put_text(answer, "],\"rows\":[");
	answer->columns = count;
	answer->cells = answer->rows = 0;
	answer->tables++;
}

static void table(struct relay_answer *to, const char *title,
	const struct relay_column *columns, unsigned count)
{
	begin_table(answer_of(to), title, columns, count, false);
}

static void list(struct relay_answer *to, const char *title,
	const struct relay_column *columns, unsigned count)
{
	begin_table(answer_of(to), title, columns, count, true);
}

/* Calls without a table are a module's mistake: they write nothing. */
static bool begin_cell(struct answer *answer)
{
	if (!answer->columns)
		return false;
	if (answer->cells)
		put_text(answer, ",");
	else
		put_text(answer, answer->rows ? ",[" : "[");
	return true;
}

static void end_cell(struct answer *answer)
{
	if (++answer->cells < answer->columns)
		return;
	put_text(answer, "]");
	answer->cells = 0;
	answer->rows++;
}

static void text(struct relay_answer *to, const char *value)
{
	struct answer *answer = answer_of(to);

	if (!begin_cell(answer))
		return;
	put_string(answer, answer->out, value);
	end_cell(answer);
}

static void number(struct relay_answer *to, int64_t value)
{
	struct answer *answer = answer_of(to);
	char digits[24];

	if (!begin_cell(answer))
		return;
	(void)snprintf(digits, sizeof(digits), "%" PRId64, value);
	put_text(answer, digits);
	end_cell(answer);
}

static void none(struct relay_answer *to)
{
	struct answer *answer = answer_of(to);

	if (!begin_cell(answer))
		return;
	put_text(answer, "null");
	end_cell(answer);
}

static void say_valist(struct answer *answer, const char *fmt, va_list ap)
	__attribute__((format(printf, 2, 0)));
static void say_valist(struct answer *answer, const char *fmt, va_list ap)
{
	char words[TEXT_MAX];

	(void)vsnprintf(words, sizeof(words), fmt, ap);
	if (evbuffer_get_length(answer->said) > 0)
		put(answer, answer->said, ",", 1);
	put_string(answer, answer->said, words);
}

static void say(struct relay_answer *to, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
static void say(struct relay_answer *to, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say_valist(answer_of(to), fmt, ap);
	va_end(ap);
}

static void fail(struct relay_answer *to, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
static void fail(struct relay_answer *to, int code, const char *fmt, ...)
{
	va_list ap;

	answer_of(to)->code = code;
	va_start(ap, fmt);
	say_valist(answer_of(to), fmt, ap);
	va_end(ap);
}

/* Ends the object with that last member. */
static void end_object(struct answer *answer, const char *last)
{
	begin(answer);
	end_table(answer);
	put_text(answer, "],\"messages\":[");
	if (!answer->lost &&
		evbuffer_add_buffer(answer->out, answer->said) != 0)
		answer->lost = true;
	put_text(answer, "],");
	put_text(answer, last);
	put_text(answer, "}\n");
	answer->begun = false;
}

static void show(struct relay_answer *to)
{
	end_object(answer_of(to), "\"more\":true");
}

static void screen(struct relay_answer *to)
{
	end_object(answer_of(to), "\"screen\":true,\"more\":true");
}

static void wake(struct relay_answer *to)
{
	struct answer *answer = answer_of(to);

	answer->wake(answer);
}

int answer_init(struct answer *answer, struct evbuffer *out,
	const char *command, void (*on_wake)(struct answer *answer))
{
	*answer = (struct answer){
		.pub = {.table = table,
			.list = list,
			.text = text,
			.number = number,
			.none = none,
			.say = say,
			.fail = fail,
			.show = show,
			.wake = wake,
			.screen = screen},
		.out = out,
		.command = command,
		.wake = on_wake,
		.said = evbuffer_new(),
	};
	return answer->said ? 0 : -1;
}

void answer_end(struct answer *answer)
{
	char code[32];

	(void)snprintf(code, sizeof(code), "\"code\":%d", answer->code);
	end_object(answer, code);
}

void answer_beat(struct answer *answer)
{
	if (answer->out)
		put(answer, answer->out, " ", 1);
}

void answer_free(struct answer *answer)
{
	if (answer->said)
		evbuffer_free(answer->said);
	*answer = (struct answer){.out = NULL};
}
