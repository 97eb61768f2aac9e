/* SPDX-License-Identifier: MPL-2.0 */

/* Reads configuration files. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <strelaysrv/file.h>

#include "config/config_source.h"
#include "config/config_text.h"

/* An empty file may be what a crash or a full disk has left of it: the server
 * would run without any of its restrictions. */
static int check_size(
	const char *path, const struct relay_file *file, struct relay_err *err)
{
	return file->size ? 0
			  : relay_fail(err,
				    "%.120s is empty; write a comment there if "
				    "nothing is to be "
				    "set",
				    path);
}

static int load(
	const char *path, struct config_source *source, struct relay_err *err)
{
	struct relay_file file;

	/* The usual way to say that there is no file. */
	if (strcmp(path, "/dev/null") == 0) {
		source->text = strdup("\n");
		source->len = 1;
		return source->text ? 0 : relay_fail(err, "out of memory");
	}
	if (relay_file_read_whole(path, CONFIG_FILE_MAX, &file, NULL, err) !=
			0 ||
		check_size(path, &file, err) != 0) {
		relay_file_free(&file);
		return -1;
	}
	source->text = file.text;
	source->len = file.size;
	return 0;
}

static void source_clear(struct config_source *source)
{
	free(source->path);
	free(source->text);
	*source = (struct config_source){0};
}

struct config_source *config_sources_get(struct config_sources *sources,
	const char *path, unsigned *line, struct relay_err *err)
{
	struct config_source *source;

	*line = 0;
	for (size_t i = 0; i < sources->count; i++)
		if (strcmp(sources->items[i].path, path) == 0)
			return &sources->items[i];
	if (sources->count == CONFIG_SOURCES_MAX) {
		(void)relay_fail(err, "more than %u files are included",
			CONFIG_SOURCES_MAX);
		return NULL;
	}
	source = &sources->items[sources->count];
	source->path = strdup(path);
	if (!source->path) {
		(void)relay_fail(err, "out of memory");
		return NULL;
	}
	if (load(path, source, err) ||
		config_text_prepare(source->text, source->len, line, err)) {
		source_clear(source);
		return NULL;
	}
	sources->count++;
	return source;
}

char *config_source_path(const char *from, const char *path)
{
	const char *slash = strrchr(from, '/');
	char *joined;

	if (path[0] == '/' || !slash)
		return strdup(path);
	if (asprintf(&joined, "%.*s/%s", (int)(slash - from), from, path) < 0)
		return NULL;
	return joined;
}
