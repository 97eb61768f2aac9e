/* SPDX-License-Identifier: MPL-2.0 */

/* Reads a file that controls access. */

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

void guard_file_free(struct guard_file *file)
{
	relay_file_free(&file->text);
	*file = (struct guard_file){0};
}
