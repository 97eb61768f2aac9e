/* SPDX-License-Identifier: MPL-2.0 */

/* Reads a file that controls access. */

#include <stdlib.h>
#include <string.h>

#include "shared/guard_file.h"

#define SIZE_MOST ((size_t)64 * 1024 * 1024) /* a million device IDs */

static int check_text(
	const char *path, const struct relay_file *text, struct relay_err *err)
{
	unsigned line = relay_text_fault(text->text, text->size);

	if (text->size == 0)
		return relay_fail(err,
			"%.120s is empty; write to a new file and rename it",
			path);
	if (strlen(text->text) < text->size)
		return relay_fail(err,
			"%.120s is not whole, or not text: it contains NUL "
			"bytes",
			path);
	if (line)
		return relay_fail(err, "%.120s:%u: the line is not valid UTF-8",
			path, line);
	line = relay_text_mark(text->text);
	if (line)
		return relay_fail(err,
			"%.120s:%u: the line contains a byte order mark; only "
			"the beginning of a file may have one",
			path, line);
	return 0;
}

int guard_file_read(
	struct guard_file *file, const char *path, struct relay_err *err)
{
	*file = (struct guard_file){0};
	if (relay_file_read_whole(
		    path, SIZE_MOST, &file->text, &file->seen, err) != 0)
		return -1;
	return check_text(path, &file->text, err);
}

char *guard_file_line(struct guard_file *file, bool *ended)
{
	char *line = file->text.text + file->at, *end;

	if (file->at >= file->text.size)
		return NULL;
	end = strchr(line, '\n');
	*ended = end != NULL;
	if (!end)
		end = file->text.text + file->text.size;
	file->at = (size_t)(end - file->text.text) + 1;
	file->line++;
	if (end > line && end[-1] == '\r')
		end--;
	*end = '\0';
	return line;
}

/* The number behind "# entries:"; NULL: the line is another one. */
static const char *count_of(const char *line)
{
	static const char word[] = "entries:";

	if (*line++ != '#')
		return NULL;
	line += strspn(line, " \t");
	if (strncmp(line, word, strlen(word)) != 0)
		return NULL;
	line += strlen(word);
	return line + strspn(line, " \t");
}

int guard_file_announce(
	struct guard_file *file, const char *line, struct relay_err *err)
{
	const char *count = count_of(line);
	size_t digits = count ? strspn(count, "0123456789") : 0;

	if (!count)
		return 0;
	if (digits == 0 || digits > 9 ||
		count[digits + strspn(count + digits, " \t")])
		return relay_fail(err,
			"write the number of entries, as in # entries: 12");
	if (file->counts++ > 0)
		return relay_fail(err,
			"the number of entries is in two lines; write their "
			"sum in one");
	file->announced = strtoul(count, NULL, 10);
	return 0;
}

int guard_file_check(const struct guard_file *file, const char *path,
	size_t entries, struct relay_err *err)
{
	if (file->counts > 0 && file->announced != entries)
		return relay_fail(err,
			"%.120s has %zu entries, but announces %zu; if it is "
			"whole, correct the line \"# entries: %zu\"",
			path, entries, file->announced, file->announced);
	if (file->counts == 0 && entries == 0)
		return relay_fail(err,
			"there is no entry in %.120s, so it may be "
			"half-written; if nobody is meant, write the line "
			"\"# entries: 0\"",
			path);
	return 0;
}

void guard_file_free(struct guard_file *file)
{
	relay_file_free(&file->text);
	*file = (struct guard_file){0};
}
