/* SPDX-License-Identifier: MPL-2.0 */

/* Scans the module directories. */

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "modules/catalog.h"
#include "modules/module_folders.h"
#include "modules/module_probe.h"
#include "log/log.h"

/* Where the build puts modules, from the executable's directory and in full. */
#ifndef STRELAYSRV_LIBDIR
#define STRELAYSRV_LIBDIR "../lib/strelaysrv"
#endif
#ifndef STRELAYSRV_FULL_LIBDIR
#define STRELAYSRV_FULL_LIBDIR "/usr/local/lib/strelaysrv"
#endif

/* Without /proc, the path that execve(2) was given tells where it is.  It may
 * be a link's, which leads elsewhere. */
static int own_path(char out[PATH_MAX])
{
	ssize_t len = readlink("/proc/self/exe", out, PATH_MAX - 1);
	const char *started =
		(const char *)(uintptr_t)getauxval(AT_EXECFN); /* NULL: none */

	if (len >= 0) {
		out[len] = '\0';
		return 0;
	}
	if (!started || strlen(started) >= PATH_MAX)
		return -1;
	if (realpath(started, out))
		return 0;
	if (errno != ENOSYS && errno != EPERM && errno != EINVAL)
		return -1; /* there is no such file any more */
	log_core(RELAY_WARNING,
		"readlink(2) is refused: %s; modules are searched beside %s, "
		"where the program is if that is no link",
		strerror(errno), started);
	(void)strcpy(out, started);
	return 0;
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
	/* If the call is refused, reading the folder says what is missing. */
	if (access(dirs, F_OK) == 0 || (errno != ENOENT && errno != ENOTDIR))
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
	catalog->dirs = dirs && *dirs ? strdup(dirs) : default_dirs();
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

static int see_known(struct relay_module *mod, const struct folder_file *file)
{
	const char *path = file->path;

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
	} else if (module_file_changed(mod, &file->file)) {
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
	*entry = (struct unopened_module){
		.name = strdup(name), .path = strdup(path)};
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

int catalog_want(struct catalog *catalog, const char *name)
{
	struct unopened_module *entry = find_unopened(catalog, name);

	if (!entry)
		return 0;
	entry->wanted = true;
	return 1;
}

int catalog_want_all(struct catalog *catalog)
{
	for (size_t i = 0; i < catalog->unopened_count; i++)
		catalog->unopened[i].wanted = catalog->unopened[i].unnamed =
			true;
	return (int)catalog->unopened_count;
}

struct module_probes *catalog_probes(const struct catalog *catalog)
{
	struct module_probes *probes =
		module_probes_make(catalog->unopened_count);

	for (size_t i = 0; probes && i < catalog->unopened_count; i++) {
		const struct unopened_module *entry = &catalog->unopened[i];

		if (!entry->wanted || !(catalog->careful || entry->unnamed))
			continue;
		if (module_probes_add(probes, entry->name, entry->path) != 0) {
			module_probes_free(probes);
			return NULL;
		}
	}
	return probes;
}

int catalog_open_wanted(
	struct catalog *catalog, const struct module_probes *probes)
{
	int opened = 0;

	/* Backwards: settle() moves the last entry into the place of this one.
	 */
	for (size_t i = catalog->unopened_count; i-- > 0;) {
		struct unopened_module *entry = &catalog->unopened[i];

		if (!entry->wanted)
			continue;
		if (settle(catalog, entry,
			    module_probes_fault(probes, entry->name)) != 0)
			return -1;
		opened++;
	}
	return opened;
}

int catalog_open_now(struct catalog *catalog)
{
	struct module_probes *probes = catalog_probes(catalog);
	int result = -1;

	if (probes) {
		module_probe(probes);
		result = catalog_open_wanted(catalog, probes);
	}
	module_probes_free(probes);
	return result;
}

static int see_file(struct catalog *catalog, const struct folder_file *file)
{
	const struct unopened_module *before =
		find_unopened(catalog, file->name);
	struct relay_module *known = catalog_find(catalog, file->name);

	if (known)
		return see_known(known, file);
	if (!before)
		return add_unopened(catalog, file->name, file->path);
	log_core(RELAY_WARNING,
		"module %s: %s is left out, since %s comes first", file->name,
		file->path, before->path);
	return 0;
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

int catalog_take(struct catalog *catalog, const struct module_folders *folders)
{
	forget_broken(catalog);
	forget_unopened(catalog);
	for (size_t i = 0; i < catalog->count; i++)
		catalog->mods[i]->present = false;
	for (size_t i = 0; i < folders->count; i++)
		if (see_file(catalog, &folders->files[i]) != 0)
			return -1;
	return 0;
}

int catalog_scan(struct catalog *catalog, struct relay_err *err)
{
	struct module_folders folders;
	int result = module_folders_read(catalog->dirs, &folders, err);

	if (catalog_take(catalog, &folders) != 0)
		result = relay_fail(err, "out of memory");
	module_folders_free(&folders);
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
