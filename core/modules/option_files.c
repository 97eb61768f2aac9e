/* SPDX-License-Identifier: MPL-2.0 */

/* What a module has read for its options. */

#include "modules/module.h"
#include "modules/option_files.h"

void option_files_drop_next(struct relay_module *mod)
{
	if (mod->files_next.conf)
		mod->def.hooks.files_free(mod->files_next.files);
	mod->files_next = (struct option_files){.conf = NULL};
}

void option_files_forget(struct relay_module *mod)
{
	if (mod->files.conf)
		mod->def.hooks.files_free(mod->files.files);
	mod->files = (struct option_files){.conf = NULL};
}

void option_files_take(struct relay_module *mod)
{
	if (!mod->files_next.conf)
		return;
	option_files_forget(mod);
	mod->files = mod->files_next;
	mod->files_next = (struct option_files){.conf = NULL};
}

void *relay_files(const struct relay_ctx *cx, const void *conf)
{
	const struct relay_module *mod = cx->mod;

	if (conf && mod->files_next.conf == conf)
		return mod->files_next.files;
	return conf && mod->files.conf == conf ? mod->files.files : NULL;
}
