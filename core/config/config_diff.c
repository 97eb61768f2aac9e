/* SPDX-License-Identifier: MPL-2.0 */

/* Compares two snapshots option by option. */

#include <stdlib.h>
#include <string.h>

#include "config/config_diff.h"
#include "config/config.h"
#include "log/log.h"
#include "config/options.h"

struct change {
	const char *section; /* borrowed from the schema; NULL: the server's */
	const struct relay_option *option; /* borrowed */
	char *was, *is;                    /* owned */
	bool restart;
};

struct comparison {
	const struct config *before;
	struct config *after;
	config_diff_scope_fn *scope;
	void *arg;
	struct config_diff *out;
	bool failed;
};

static int add(struct config_diff *to, const struct change *one)
{
	struct change *all =
		realloc(to->all, (to->count + 1) * sizeof(*to->all));

	if (!all)
		return -1;
	to->all = all;
	to->all[to->count++] = *one;
	return 0;
}

static int note(struct comparison *all, const char *section,
	const struct relay_value *old, const struct relay_value *new,
	bool restart)
{
	struct change one = {.section = section,
		.option = new->option,
		.was = option_format(old),
		.is = option_format(new),
		.restart = restart};

	if (one.was && one.is && add(all->out, &one) == 0)
		return 0;
	free(one.was);
	free(one.is);
	return -1;
}

static void compare(
	const char *section, const struct relay_value *value, void *arg)
{
	struct comparison *all = arg;
	enum config_diff_scope scope =
		section ? all->scope(section, all->arg) : CONFIG_DIFF_KEPT;
	const struct relay_option *option = value->option;
	bool restart = scope == CONFIG_DIFF_KEPT &&
		       option->flags & RELAY_OPTION_RESTART;
	struct relay_value old;

	if (scope == CONFIG_DIFF_IDLE ||
		config_get(all->before, section, option->name, &old) != 0 ||
		option_same(&old, value))
		return;
	if (note(all, section, &old, value, restart) != 0 ||
		(restart && config_hold(all->after, all->before, section,
				    option->name) != 0))
		all->failed = true;
}

int config_diff_find(const struct config *before, struct config *after,
	config_diff_scope_fn *scope, void *arg, struct config_diff *out)
{
	struct comparison all = {.before = before,
		.after = after,
		.scope = scope,
		.arg = arg,
		.out = out};

	config_visit(after, compare, &all);
	return all.failed ? -1 : 0;
}

void config_diff_log(const struct config_diff *changes)
{
	for (size_t i = 0; i < changes->count; i++) {
		const struct change *one = &changes->all[i];

		log_core(one->restart ? RELAY_WARNING : RELAY_NOTICE,
			"option %s%s%s changes from \"%s\" to \"%s\"%s",
			one->section ? one->section : "",
			one->section ? "." : "", one->option->name, one->was,
			one->is,
			one->restart
				? ": this needs a restart; until then the old "
				  "value stays in force"
				: "");
	}
}

bool config_diff_touch(const struct config_diff *changes, const char *section)
{
	for (size_t i = 0; i < changes->count; i++)
		if (!changes->all[i].restart && changes->all[i].section &&
			strcmp(changes->all[i].section, section) == 0)
			return true;
	return false;
}

void config_diff_free(struct config_diff *changes)
{
	for (size_t i = 0; i < changes->count; i++) {
		free(changes->all[i].was);
		free(changes->all[i].is);
	}
	free(changes->all);
	*changes = (struct config_diff){NULL, 0};
}
