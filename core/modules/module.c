/* SPDX-License-Identifier: MPL-2.0 */

/* One module's file: opens it, checks its descriptor, keeps it mapped. */

#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "config/config.h"
#include "loop/code_map.h"
#include "base/file_wait.h"
#include "loop/crash.h"
#include "modules/module.h"
#include "modules/elf_check.h"
#include "config/options.h"
#include "modules/symbol_size.h"

#define FLAGS_KNOWN                                                            \
	(RELAY_ESSENTIAL | RELAY_GUARD | RELAY_CONFINED |                      \
		RELAY_NEEDS_PROGRAMS | RELAY_NEEDS_SOCKETS)

/* A larger size is a mistake (an uninitialized or wrong sizeof). */
#define BLOCK_MAX (1U << 16)        /* of each connection or session */
#define STATE_MAX ((size_t)1 << 30) /* of the module or each worker */

/* The descriptor of any API 1.x has at least the members before its hooks. */
#define SIZE_LEAST offsetof(struct relay_module_def, hooks)

/* How many bytes a descriptor must have before its `size` can be read. */
#define SIZE_HEAD (offsetof(struct relay_module_def, size) + sizeof(size_t))

bool module_name_valid(const char *name)
{
	if (*name < 'a' || *name > 'z')
		return false;
	return name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-")] ==
	       '\0';
}

static int judge_abi(const struct relay_module_def *def, size_t symbol_size,
	struct relay_err *err)
{
	if (symbol_size < SIZE_HEAD)
		return relay_fail(err,
			"its relay_module has %zu bytes, which is no "
			"descriptor of a module",
			symbol_size);
	if (def->magic != RELAY_ABI_MAGIC)
		return relay_fail(err,
			"its relay_module begins with %08x instead of %08x: "
			"it is no descriptor of a module",
			(unsigned)def->magic, RELAY_ABI_MAGIC);
	if (def->abi_major != RELAY_ABI_MAJOR)
		return relay_fail(err,
			"it was built for module API %u.%u, and this server "
			"has %d.%d: it must be built again",
			def->abi_major, def->abi_minor, RELAY_ABI_MAJOR,
			RELAY_ABI_MINOR);
	if (def->abi_minor > RELAY_ABI_MINOR)
		return relay_fail(err,
			"it was built for module API %u.%u, and this server "
			"has %d.%d: it needs a newer server",
			def->abi_major, def->abi_minor, RELAY_ABI_MAJOR,
			RELAY_ABI_MINOR);
	if (def->size < SIZE_LEAST || def->size > sizeof(*def) ||
		def->size > symbol_size)
		return relay_fail(err,
			"its descriptor gives its own size as %zu bytes and "
			"has "
			"%zu; this server takes %zu to %zu",
			def->size, symbol_size, SIZE_LEAST, sizeof(*def));
	return 0;
}

static int judge_words(const struct relay_module_def *def, const char *name,
	struct relay_err *err)
{
	if (!def->name || !def->version || !def->summary)
		return relay_fail(
			err, "its descriptor lacks a name, version or summary");
	if (strcmp(def->name, name) != 0)
		return relay_fail(err,
			"the module in it is named '%.60s': the file must be "
			"named '%.60s.so'",
			def->name, def->name);
	if (options_find(core_options, name) || strcmp(name, "include") == 0)
		return relay_fail(err,
			"the name '%.60s' is that of one of the server's own "
			"options",
			name);
	if (!module_name_valid(def->name))
		return relay_fail(err,
			"the name '%.60s' is not made of a-z, 0-9 and '-', "
			"beginning with a letter",
			def->name);
	return 0;
}

static int judge_sizes(
	const struct relay_module_def *def, struct relay_err *err)
{
	if (def->flags & ~FLAGS_KNOWN)
		return relay_fail(err,
			"its descriptor has flags 0x%x that this server does "
			"not know",
			(unsigned)(def->flags & ~FLAGS_KNOWN));
	if (def->conn_size > BLOCK_MAX || def->session_size > BLOCK_MAX)
		return relay_fail(err,
			"its descriptor has conn_size %zu and session_size "
			"%zu; at most %u bytes are allowed for each",
			def->conn_size, def->session_size, BLOCK_MAX);
	if (def->conf_size > STATE_MAX || def->data_size > STATE_MAX ||
		def->worker_size > STATE_MAX)
		return relay_fail(err,
			"its descriptor has conf_size %zu, data_size %zu and "
			"worker_size %zu; at most %zu bytes are allowed for "
			"each",
			def->conf_size, def->data_size, def->worker_size,
			STATE_MAX);
	return 0;
}

int module_judge(const struct relay_module_def *def, size_t symbol_size,
	const char *name, struct relay_err *err)
{
	if (judge_abi(def, symbol_size, err) || judge_words(def, name, err) ||
		judge_sizes(def, err))
		return -1;
	return module_judge_options(def->options, def->conf_size, err);
}

int module_file_identify(const char *path, struct module_file *file)
{
	struct stat st;

	if (stat(path, &st) != 0)
		return -1;
	file->dev = st.st_dev;
	file->ino = st.st_ino;
	file->changed = st.st_mtim;
	return 0;
}

/* The error text without the path, which the caller's message has already. */
static const char *beyond(const char *error, const char *path)
{
	size_t len = strlen(path);

	if (strncmp(error, path, len) == 0 &&
		strncmp(error + len, ": ", 2) == 0)
		return error + len + 2;
	return error;
}

static int look_at(const char *path, struct module_file *file)
{
	int result;

	file_wait_begin(path);
	result = module_file_identify(path, file);
	file_wait_end();
	return result;
}

static void *load(const char *path)
{
	void *handle;

	crash_opening(path);
	file_wait_begin(path);
	handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	file_wait_end();
	crash_opening(NULL);
	return handle;
}

struct relay_module *module_open(
	const char *path, const char *name, struct relay_err *err)
{
	struct relay_module *mod = calloc(1, sizeof(*mod));
	const struct relay_module_def *def;
	const char *error;

	if (!mod || !(mod->path = strdup(path))) {
		relay_fail(err, "out of memory");
		goto error;
	}
	if (look_at(path, &mod->file) != 0) {
		relay_fail(err, "%s", strerror(errno));
		goto error;
	}
	if (elf_check(path, err) != 0)
		goto error;
	mod->handle = load(path);
	if (!mod->handle) {
		error = dlerror();
		relay_fail(err, "%s", error ? beyond(error, path) : "?");
		goto error;
	}
	def = dlsym(mod->handle, "relay_module");
	if (!def) {
		relay_fail(err,
			"it has no symbol relay_module: a module is made with "
			"RELAY_MODULE of strelaysrv/module.h");
		goto error;
	}
	if (module_judge(def, size_of_symbol(def), name, err) != 0)
		goto error;
	memcpy(&mod->def, def, def->size);
	code_map_add(def, def->name, def->version, mod);
	mod->present = true;
	mod->required = true;
	return mod;

error:
	module_close(mod);
	return NULL;
}

void module_close(struct relay_module *mod)
{
	if (!mod)
		return;
	if (mod->handle) {
		code_map_remove(dlsym(mod->handle, "relay_module"));
		dlclose(mod->handle);
	}
	free(mod->workers);
	free(mod->path);
	free(mod);
}

void module_pin(struct relay_module *mod)
{
	void *again;

	if (mod->pinned || !mod->handle)
		return;
	/* RTLD_NODELETE stays in force when this second reference is closed. */
	again = dlopen(mod->path, RTLD_NOW | RTLD_NOLOAD | RTLD_NODELETE);
	if (again)
		dlclose(again);
	mod->pinned = true;
}

bool module_file_changed(
	const struct relay_module *mod, const struct module_file *now)
{
	return now->ino != 0 &&
	       (now->dev != mod->file.dev || now->ino != mod->file.ino ||
		       now->changed.tv_sec != mod->file.changed.tv_sec ||
		       now->changed.tv_nsec != mod->file.changed.tv_nsec);
}

void module_describe(
	const struct relay_ctx *cx, const char **name, const char **version)
{
	const struct relay_module_def *def = &cx->mod->def;

	*name = def->name;
	*version = def->version ? def->version : "";
}
