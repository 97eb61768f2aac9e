/* SPDX-License-Identifier: MPL-2.0 */

/* Looks again at files that may have been incomplete. */

#include <stdlib.h>
#include <string.h>

#include "watch.h"

struct watched {
	char *path; /* owned */
	struct stat st;
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

const char *watch_changed(struct watch *watch)
{
	struct stat now;

	for (size_t i = 0; i < watch->count; i++) {
		struct watched *file = &watch->files[i];

		if (stat(file->path, &now) != 0 ||
			relay_file_same(&file->st, &now) ||
			!relay_file_at_rest(&now))
			continue;
		/* Another file at that path waits for a reload, as always. */
		if (now.st_ino != file->st.st_ino ||
			now.st_dev != file->st.st_dev)
			continue;
		file->st = now;
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
