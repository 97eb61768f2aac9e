/* SPDX-License-Identifier: MPL-2.0 */

/* Scans the module directories. */

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "modules/catalog.h"
#include "modules/module_probe.h"
#include "log/log.h"

/* Where the build puts modules, from the executable's directory and in full. */
#ifndef STRELAYSRV_LIBDIR
#define STRELAYSRV_LIBDIR "../lib/strelaysrv"
#endif
#ifndef STRELAYSRV_FULL_LIBDIR
#define STRELAYSRV_FULL_LIBDIR "/usr/local/lib/strelaysrv"
#endif

/* Without /proc, the path that execve(2) was given tells where it is. */
static int own_path(char out[PATH_MAX])
{
	ssize_t len = readlink("/proc/self/exe", out, PATH_MAX - 1);
	const char *started =
		(const char *)(uintptr_t)getauxval(AT_EXECFN); /* NULL: none */

	if (len >= 0) {
		out[len] = '\0';
		return 0;
	}
	return started && realpath(started, out) ? 0 : -1;
}

/* Modules are searched relative to the executable, so that the installation
 * prefix can be moved. */
static int own_directory(char out[PATH_MAX])
{
	char *slash;

	if (own_path(out) != 0)
		return -1;
	slash = strrchr(out, '/');
	if (!slash)
		return -1;
	*slash = '\0';
	return 0;
}

/* In the build tree the modules are beside the executable. */
static char *default_dirs(void)
{
	char own[PATH_MAX];
	char *dirs, *real;

	if (own_directory(own) != 0)
		return strdup(STRELAYSRV_FULL_LIBDIR);
	if (asprintf(&dirs, "%s/modules", own) < 0)
		return NULL;
	if (access(dirs, F_OK) == 0)
		return dirs;
	free(dirs);
	if (asprintf(&dirs, "%s/%s", own, STRELAYSRV_LIBDIR) < 0)
		return NULL;
	real = realpath(dirs, NULL);
	if (!real)
		return dirs; /* the error message needs a path */
	free(dirs);
	return real;
}

int catalog_init(
	struct catalog *catalog, const char *dirs, struct relay_err *err)
{
	*catalog = (struct catalog){0};
	catalog->dirs = dirs ? strdup(dirs) : default_dirs();
	if (!catalog->dirs)
		return relay_fail(err, "out of memory");
	return 0;
}

struct relay_module *catalog_find(
	const struct catalog *catalog, const char *name)
{
	for (size_t i = 0; i < catalog->count; i++)
		if (strcmp(catalog->mods[i]->def.name, name) == 0)
			return catalog->mods[i];
	return NULL;
}

const struct broken_module *catalog_broken(
	const struct catalog *catalog, const char *name)
{
	for (size_t i = 0; i < catalog->broken_count; i++)
		if (catalog->broken[i].path &&
			strcmp(catalog->broken[i].name, name) == 0)
			return &catalog->broken[i];
	return NULL;
}

/* The list with room for one more element.  NULL without memory; then the old
 * list stays valid. */
static void *grown(void *list, size_t count, size_t size)
{
	return reallocarray(list, count + 1, size);
}

/* The entry of that name, which is made if it does not exist; NULL without
 * memory. */
static struct broken_module *broken_entry(
	struct catalog *catalog, const char *name)
{
	struct broken_module *list = catalog->broken;

	for (size_t i = 0; i < catalog->broken_count; i++)
		if (strcmp(list[i].name, name) == 0)
			return &list[i];
	list = grown(list, catalog->broken_count, sizeof(*list));
	if (!list)
		return NULL;
	catalog->broken = list;
	list += catalog->broken_count;
	*list = (struct broken_module){.name = strdup(name)};
	if (!list->name)
		return NULL;
	catalog->broken_count++;
	return list;
}

static void forget_broken(struct catalog *catalog)
{
	for (size_t i = 0; i < catalog->broken_count; i++) {
		free(catalog->broken[i].path);
		free(catalog->broken[i].why);
		catalog->broken[i].path = NULL;
		catalog->broken[i].why = NULL;
	}
}

static int add_broken(struct catalog *catalog, const char *name,
	const char *path, const char *why)
{
	struct broken_module *entry = broken_entry(catalog, name);

	if (!entry)
		return -1;
	entry->path = strdup(path);
	entry->why = strdup(why);
	return entry->path && entry->why ? 0 : -1;
}

/* Keeps the list sorted by name, so that the order of messages and of -help
 * does not depend on the directories. */
static int add_module(struct catalog *catalog, struct relay_module *mod)
{
	struct relay_module **list;
	size_t at = catalog->count;

	list = grown(catalog->mods, catalog->count, sizeof(*list));
	if (!list)
		return -1;
	catalog->mods = list;
	for (; at > 0; at--) {
		if (strcmp(list[at - 1]->def.name, mod->def.name) < 0)
			break;
		list[at] = list[at - 1];
	}
	list[at] = mod;
	catalog->count++;
	return 0;
}

static int see_known(struct relay_module *mod, const char *path)
{
	if (strcmp(mod->path, path) != 0) {
		if (mod->present)
			log_core(RELAY_WARNING,
				"module %s: %s is left out, since %s comes "
				"first",
				mod->def.name, path, mod->path);
		else
			log_core(RELAY_WARNING,
				"module %s: %s is left out until a restart, "
				"since %s is in memory",
				mod->def.name, path, mod->path);
	} else if (module_file_changed(mod)) {
		log_core(RELAY_WARNING,
			"module %s: %s has changed; its new code needs a "
			"restart",
			mod->def.name, path);
	}
	mod->present = true;
	return 0;
}

static struct unopened_module *find_unopened(
	const struct catalog *catalog, const char *name)
{
	for (size_t i = 0; i < catalog->unopened_count; i++)
		if (strcmp(catalog->unopened[i].name, name) == 0)
			return &catalog->unopened[i];
	return NULL;
}

static void clear_unopened(struct unopened_module *entry)
{
	free(entry->name);
	free(entry->path);
}

static void forget_unopened(struct catalog *catalog)
{
	for (size_t i = 0; i < catalog->unopened_count; i++)
		clear_unopened(&catalog->unopened[i]);
	catalog->unopened_count = 0;
}

static int add_unopened(
	struct catalog *catalog, const char *name, const char *path)
{
	struct unopened_module *list, *entry;

	list = grown(catalog->unopened, catalog->unopened_count, sizeof(*list));
	if (!list)
		return -1;
	catalog->unopened = list;
	entry = &list[catalog->unopened_count];
	*entry = (struct unopened_module){strdup(name), strdup(path)};
	if (!entry->name || !entry->path) {
		clear_unopened(entry);
		return -1;
	}
	catalog->unopened_count++;
	return 0;
}

static int open_file(
	struct catalog *catalog, const struct unopened_module *entry)
{
	struct relay_err why;
	struct relay_module *mod = module_open(entry->path, entry->name, &why);
	int result;

	if (!mod)
		return add_broken(catalog, entry->name, entry->path, why.text);
	result = add_module(catalog, mod);
	if (result != 0)
		module_close(mod);
	return result;
}

/* Moves the entry to `mods` or `broken`; `why`: the probe failed. */
static int settle(
	struct catalog *catalog, struct unopened_module *entry, const char *why)
{
	int result = why ? add_broken(catalog, entry->name, entry->path, why)
			 : open_file(catalog, entry);

	clear_unopened(entry);
	*entry = catalog->unopened[--catalog->unopened_count];
	return result;
}

int catalog_open(struct catalog *catalog, const char *name)
{
	struct unopened_module *entry = find_unopened(catalog, name);
	struct module_probe probe = {.failed = false};

	if (!entry)
		return 0;
	probe.name = entry->name;
	probe.path = entry->path;
	if (catalog->careful)
		module_probe(&probe, 1);
	return settle(catalog, entry, probe.failed ? probe.why : NULL) == 0
		       ? 1
		       : -1;
}

int catalog_open_all(struct catalog *catalog)
{
	size_t count = catalog->unopened_count;
	struct module_probe *probes = calloc(count + 1, sizeof(*probes));
	int result = (int)count;

	if (!probes)
		return -1;
	for (size_t i = 0; i < count; i++) {
		probes[i].name = catalog->unopened[i].name;
		probes[i].path = catalog->unopened[i].path;
	}
	module_probe(probes, count);
	/* Backwards: settle() moves the last entry into the place of this one.
	 */
	for (size_t i = count; i-- > 0 && result >= 0;)
		if (settle(catalog, &catalog->unopened[i],
			    probes[i].failed ? probes[i].why : NULL) != 0)
			result = -1;
	free(probes);
	return result;
}

static int see_file(struct catalog *catalog, const char *dir, const char *file)
{
	const struct unopened_module *before;
	struct relay_module *known;
	char name[NAME_MAX + 1];
	char *path;
	int result = 0;

	snprintf(name, sizeof(name), "%.*s", (int)(strlen(file) - 3), file);
	if (asprintf(&path, "%s/%s", dir, file) < 0)
		return -1;
	known = catalog_find(catalog, name);
	before = find_unopened(catalog, name);
	if (known)
		result = see_known(known, path);
	else if (before)
		log_core(RELAY_WARNING,
			"module %s: %s is left out, since %s comes first", name,
			path, before->path);
	else
		result = add_unopened(catalog, name, path);
	free(path);
	return result;
}

static int is_module_file(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return len > 3 && entry->d_name[0] != '.' &&
	       strcmp(entry->d_name + len - 3, ".so") == 0;
}

static int scan_dir(
	struct catalog *catalog, const char *dir, struct relay_err *err)
{
	struct dirent **files;
	int count = scandir(dir, &files, is_module_file, alphasort);
	int result = 0;

	if (count < 0)
		return relay_fail(err,
			"cannot read the module directory %s: %s", dir,
			strerror(errno));
	for (int i = 0; i < count; i++) {
		if (result == 0 && see_file(catalog, dir, files[i]->d_name))
			result = relay_fail(err, "out of memory");
		free(files[i]);
	}
	free(files);
	return result;
}

void catalog_report(const struct catalog *catalog)
{
	for (size_t i = 0; i < catalog->broken_count; i++)
		if (catalog->broken[i].path)
			log_core(RELAY_DEBUG,
				"module %s cannot be used: %s: %s",
				catalog->broken[i].name,
				catalog->broken[i].path,
				catalog->broken[i].why);
}

int catalog_scan(struct catalog *catalog, struct relay_err *err)
{
	char *dirs = strdup(catalog->dirs);
	char *rest = dirs, *dir;
	int result = 0;

	if (!dirs)
		return relay_fail(err, "out of memory");
	forget_broken(catalog);
	forget_unopened(catalog);
	for (size_t i = 0; i < catalog->count; i++)
		catalog->mods[i]->present = false;
	while (result == 0 && (dir = strsep(&rest, ",")))
		if (*dir)
			result = scan_dir(catalog, dir, err);
	free(dirs);
	return result;
}

void catalog_finish(struct catalog *catalog)
{
	forget_broken(catalog);
	for (size_t i = 0; i < catalog->broken_count; i++)
		free(catalog->broken[i].name);
	free(catalog->broken);
	forget_unopened(catalog);
	free(catalog->unopened);
	for (size_t i = 0; i < catalog->count; i++)
		module_close(catalog->mods[i]);
	free(catalog->mods);
	free(catalog->dirs);
	*catalog = (struct catalog){0};
}
