/* SPDX-License-Identifier: MPL-2.0 */

/* Looks again at files that may have been incomplete. */

#include <stdlib.h>
#include <string.h>

#include "watch.h"

struct watched {
	char *path;       /* owned */
	struct stat st;   /* as it was read */
	struct stat last; /* as it was at the last look */
};

int watch_note(struct watch *watch, const char *path,
	const struct guard_file *file, struct relay_err *err)
{
	struct watched *files;

	if (file->seen.st_ino == 0)
		return 0;
	files = realloc(watch->files, (watch->count + 1) * sizeof(*files));
	if (!files)
		return relay_fail(err, "out of memory");
	watch->files = files;
	files[watch->count] =
		(struct watched){.path = strdup(path), .st = file->seen};
	if (!files[watch->count].path)
		return relay_fail(err, "out of memory");
	watch->count++;
	return 0;
}

/* The wall clock may not be the one that the file's times are of, so a file is
 * at rest when two looks find it the same. */
static bool has_changed(struct watched *file)
{
	struct stat before = file->last;

	if (relay_file_stat(file->path, &file->last) != 0 ||
		relay_file_same(&file->st, &file->last) ||
		!relay_file_same(&before, &file->last))
		return false;
	/* If the path now leads to another file, only a reload reads it. */
	return file->last.st_ino == file->st.st_ino &&
	       file->last.st_dev == file->st.st_dev;
}

const char *watch_changed(struct watch *watch)
{
	for (size_t i = 0; i < watch->count; i++) {
		struct watched *file = &watch->files[i];

		if (!has_changed(file))
			continue;
		file->st = file->last;
		return file->path;
	}
	return NULL;
}

void watch_free(struct watch *watch)
{
	for (size_t i = 0; i < watch->count; i++)
		free(watch->files[i].path);
	free(watch->files);
	*watch = (struct watch){0};
}
