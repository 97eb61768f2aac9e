/* SPDX-License-Identifier: MPL-2.0 */

/*
 * The files that a configuration is made of: each read once, and prepared.
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
	bool parsing; /* now, perhaps further out */
};

struct config_sources {
	struct config_source items[CONFIG_SOURCES_MAX];
	size_t count;
};

/*
 * The file of that path, read if it was not.  NULL with err; *line is then that
 * of the fault within the file, 0 when it could not be read.
 */
struct config_source *config_sources_get(struct config_sources *sources,
	const char *path, unsigned *line, struct relay_err *err);

/*
 * The path of a file that the file `from` includes: a relative one starts where
 * `from` is, whatever directory the server was started in.  Owned by the
 * caller; NULL without memory.
 */
char *config_source_path(const char *from, const char *path);

#endif
