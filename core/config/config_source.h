/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The files of a configuration, each read once and prepared.
 */
#ifndef CONFIG_SOURCE_H
#define CONFIG_SOURCE_H

#include <stdbool.h>
#include <stddef.h>

#include <strelaysrv/err.h>

#define CONFIG_FILE_MAX    (1024U * 1024U) /* bytes of one file */
#define CONFIG_SOURCES_MAX 64U

struct config_source {
	char *path; /* as messages show it; owned */
	char *text; /* prepared, see config_text.h; owned */
	size_t len;
	bool parsing; /* being parsed, maybe while a file that it includes is */
};

struct config_sources {
	struct config_source items[CONFIG_SOURCES_MAX];
	size_t count;
};

/* The file of that path; reads it if it was not read yet.  NULL with err; then
 * *line is the line of the fault in the file, or 0 if it could not be read. */
struct config_source *config_sources_get(struct config_sources *sources,
	const char *path, unsigned *line, struct relay_err *err);

/*
 * The path of a file that the file `from` includes.  A relative path starts at
 * the directory of `from`, not at the current directory.  Owned by the caller;
 * NULL without memory.
 */
char *config_source_path(const char *from, const char *path);

#endif
