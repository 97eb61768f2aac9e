/* SPDX-License-Identifier: MPL-2.0 */

/* Lists the files of the module directories. */

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file_wait.h"
#include "modules/module_folders.h"

static int is_module_file(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return len > 3 && entry->d_name[0] != '.' &&
	       strcmp(entry->d_name + len - 3, ".so") == 0;
}

static int add(struct module_folders *out, const char *dir, const char *file)
{
	struct folder_file *list =
		reallocarray(out->files, out->count + 1, sizeof(*list));
	struct folder_file *one;

	if (!list)
		return -1;
	out->files = list;
	one = &list[out->count];
	*one = (struct folder_file){
		.name = strndup(file, strlen(file) - strlen(".so"))};
	if (asprintf(&one->path, "%s/%s", dir, file) < 0)
		one->path = NULL;
	if (!one->path || !one->name) {
		free(one->path);
		free(one->name);
		return -1;
	}
	out->count++;
	file_wait_begin(one->path);
	if (module_file_identify(one->path, &one->file) != 0)
		one->file = (struct module_file){.dev = 0};
	file_wait_end();
	return 0;
}

static int read_one(
	const char *dir, struct module_folders *out, struct relay_err *err)
{
	struct dirent **files;
	int count, result = 0;

	file_wait_begin(dir);
	count = scandir(dir, &files, is_module_file, alphasort);
	file_wait_end();
	if (count < 0)
		return relay_fail(err,
			"cannot read the module directory %s: %s", dir,
			strerror(errno));
	for (int i = 0; i < count; i++) {
		if (result == 0 && add(out, dir, files[i]->d_name) != 0)
			result = relay_fail(err, "out of memory");
		free(files[i]);
	}
	free(files);
	return result;
}

int module_folders_read(
	const char *dirs, struct module_folders *out, struct relay_err *err)
{
	char *copy = strdup(dirs), *rest = copy, *dir;
	int result = 0;

	*out = (struct module_folders){.count = 0};
	if (!copy)
		return relay_fail(err, "out of memory");
	while (result == 0 && (dir = strsep(&rest, ",")))
		if (*dir)
			result = read_one(dir, out, err);
	free(copy);
	return result;
}

void module_folders_free(struct module_folders *folders)
{
	for (size_t i = 0; i < folders->count; i++) {
		free(folders->files[i].path);
		free(folders->files[i].name);
	}
	free(folders->files);
	*folders = (struct module_folders){.count = 0};
}
