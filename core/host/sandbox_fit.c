/* SPDX-License-Identifier: MPL-2.0 */

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <strelaysrv/module.h>

#include "base/instance.h"
#include "base/sandbox.h"
#include "config/config.h"
#include "host/host_state.h"
#include "host/sandbox_fit.h"
#include "log/log.h"
#include "metrics/core_metrics.h"
#include "modules/catalog.h"

static struct sandbox_state *self(void)
{
	return &instance->host->sandbox;
}

static unsigned needs_of(const struct relay_module *mod)
{
	unsigned needs = 0;

	if (!(mod->def.flags & RELAY_CONFINED))
		return SANDBOX_WIDE;
	if (mod->def.flags & RELAY_NEEDS_PROGRAMS)
		needs |= SANDBOX_PROGRAMS;
	if (mod->def.flags & RELAY_NEEDS_SOCKETS)
		needs |= SANDBOX_SOCKETS;
	return needs;
}

static const char *words_of(unsigned lacking)
{
	if (lacking & SANDBOX_WIDE)
		return "does not say which system calls it needs";
	return lacking & SANDBOX_PROGRAMS ? "needs to start programs"
					  : "needs sockets of other kinds";
}

/* The folders of the system in which a module writes. */

/* The real path of the file's folder, owned by the caller.  NULL: it does not
 * exist. */
static char *folder_of(const char *file)
{
	const char *slash = strrchr(file, '/');
	char *folder =
		slash ? strndup(file, (size_t)(slash - file) + 1) : strdup(".");
	char *found = folder ? realpath(folder, NULL) : NULL;

	free(folder);
	return found;
}

/* The file that the option names, if it is one that is written. */
static const char *written(
	const struct relay_option *option, const char *values)
{
	const char *file;

	if (option->type != RELAY_STRING ||
		!(option->flags & RELAY_OPTION_WRITTEN))
		return NULL;
	memcpy(&file, values + option->offset, sizeof(file));
	return file && *file ? file : NULL;
}

static bool may_write(const char *folder)
{
	const struct sandbox_state *now = self();
	size_t len;

	if (!sandbox_is_system_folder(folder))
		return true;
	for (size_t i = 0; i < now->folder_count; i++) {
		len = strlen(now->folders[i]);
		if (strncmp(folder, now->folders[i], len) == 0 &&
			(folder[len] == '/' || folder[len] == '\0' || len == 1))
			return true;
	}
	return false;
}

static void add_folders(
	const struct relay_module *mod, const struct config *config)
{
	const char *values = config_module_values(config, mod->def.name);
	const struct relay_option *option = values ? mod->def.options : NULL;
	struct sandbox_state *now = self();

	for (; option && option->name; option++) {
		const char *file = written(option, values);
		char *folder = file ? folder_of(file) : NULL;

		if (folder && !may_write(folder) &&
			now->folder_count < SANDBOX_FOLDERS)
			now->folders[now->folder_count++] = folder;
		else
			free(folder);
	}
}

static int check_folders(const struct relay_module *mod,
	const struct config *config, struct relay_err *err)
{
	const char *values = config_module_values(config, mod->def.name);
	const struct relay_option *option = values ? mod->def.options : NULL;
	int result = 0;

	for (; option && option->name && result == 0; option++) {
		const char *file = written(option, values);
		char *folder = file ? folder_of(file) : NULL;

		if (folder && !may_write(folder))
			result = relay_fail(err,
				"%s = \"%.150s\": the sandbox of this process "
				"lets it write nothing in that folder; a "
				"restart or an upgrade (SIGUSR2) does",
				option->name, file);
		free(folder);
	}
	return result;
}

/* The modules. */

unsigned sandbox_fit_plan(
	const struct catalog *catalog, const struct config *config)
{
	const char *const *name = config_core(config)->modules;
	unsigned needs = 0;

	for (; name && *name; name++) {
		const struct relay_module *mod = catalog_find(catalog, *name);

		if (!mod)
			continue;
		needs |= needs_of(mod);
		if (needs_of(mod) & SANDBOX_WIDE)
			log_core(RELAY_NOTICE,
				"sandbox: module %s %s, so a wide set is "
				"allowed",
				*name, words_of(SANDBOX_WIDE));
		add_folders(mod, config);
	}
	self()->needs = needs;
	return needs;
}

void sandbox_fit_none(const char *why)
{
	log_core(RELAY_NOTICE, "sandbox: off: %s", why);
}

bool sandbox_fit_enter(int fd)
{
	struct sandbox_state *now = self();
	struct relay_err err;
	int files;

	now->calls = sandbox_filter_calls(fd, &err) == 0;
	if (!now->calls) {
		log_core(RELAY_WARNING, "sandbox: off: %s", err.text);
		return false;
	}
	files = sandbox_restrict_files(now->needs,
		(const char *const *)now->folders, now->folder_count, &err);
	if (files < 0)
		log_core(RELAY_WARNING, "sandbox: %s", err.text);
	now->files = files > 0;
	log_core(RELAY_NOTICE, "sandbox: system calls: %s; files: %s",
		now->needs & SANDBOX_WIDE ? "a wide set"
					  : "the server's own set",
		!now->files                 ? "not restricted"
		: now->needs & SANDBOX_WIDE ? "no devices"
					    : "the system's are read-only");
	return true;
}

int sandbox_fit_check(const struct relay_module *mod,
	const struct config *config, struct relay_err *err)
{
	const struct sandbox_state *now = self();
	unsigned lacking = needs_of(mod) & ~now->needs;

	if (now->needs & SANDBOX_WIDE)
		return 0;
	if (now->calls && lacking)
		return relay_fail(err,
			"it %s, and the sandbox of this process allows no "
			"more than at its start; a restart or an upgrade "
			"(SIGUSR2) does",
			words_of(lacking));
	return now->files ? check_folders(mod, config, err) : 0;
}

/* Metrics. */

static int64_t look_at_calls(void)
{
	if (!self()->calls)
		return 0;
	return self()->needs & SANDBOX_WIDE ? 1 : 2;
}

static int64_t look_at_files(void)
{
	if (!self()->files)
		return 0;
	return self()->needs & SANDBOX_WIDE ? 1 : 2;
}

static const struct core_lookup lookups[] = {
	{.def =
			{
				.name = "sandbox_calls",
				.kind = RELAY_GAUGE,
				.help = "System calls that the server may "
					"make: 2: its own set, 1: a wide set, "
					"0: all.",
			},
		.look = look_at_calls},
	{.def =
			{
				.name = "sandbox_files",
				.kind = RELAY_GAUGE,
				.help = "What Landlock forbids the server: 2: "
					"to write in the system's folders, to "
					"start programs and to make devices, "
					"1: to make devices, 0: nothing.",
			},
		.look = look_at_files},
};

int sandbox_metrics_init(void)
{
	return core_lookups_add(lookups, sizeof(lookups) / sizeof(lookups[0]));
}
