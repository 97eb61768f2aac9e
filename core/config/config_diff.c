/* SPDX-License-Identifier: MPL-2.0 */

/* Compares two snapshots option by option. */

#include <stdlib.h>
#include <string.h>

#include "config/config_diff.h"
#include "config/config.h"
#include "log/log.h"
#include "config/options.h"

struct change {
	/* Borrowed from the schema or a snapshot; NULL: the server's. */
	const char *section;
	/* Borrowed; NULL: the listener itself is new (`is` is its address), or
	 * is no longer there (`was`). */
	const struct relay_option *option;
	char *was, *is; /* owned */
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

static bool has_listener(const struct config *config, const char *name)
{
	const struct core_conf *core = config_core(config);

	for (size_t i = 0; i < core->listener_count; i++)
		if (strcmp(core->listeners[i].name, name) == 0)
			return true;
	return false;
}

/* The listeners of `here` whose names are not `there`. */
static int note_missing(struct comparison *all, const struct config *here,
	const struct config *there, bool is_new)
{
	const struct core_conf *core = config_core(here);

	for (size_t i = 0; i < core->listener_count; i++) {
		const struct core_listener *one = &core->listeners[i];
		struct change change = {.section = one->name};
		char *address;

		if (!one->name[0] || has_listener(there, one->name))
			continue;
		address = strdup(one->address);
		*(is_new ? &change.is : &change.was) = address;
		if (!address || add(all->out, &change) != 0) {
			free(address);
			return -1;
		}
	}
	return 0;
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
	if (note_missing(&all, before, after, false) != 0 ||
		note_missing(&all, after, before, true) != 0)
		all.failed = true;
	return all.failed ? -1 : 0;
}

static void log_listener(const struct change *one)
{
	log_core(RELAY_NOTICE, "listener %s, at %s, %s", one->section,
		one->is ? one->is : one->was,
		one->is ? "is new" : "is no longer in the configuration");
}

void config_diff_log(const struct config_diff *changes)
{
	for (size_t i = 0; i < changes->count; i++) {
		const struct change *one = &changes->all[i];

		if (!one->option) {
			log_listener(one);
			continue;
		}
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
		if (changes->all[i].option && !changes->all[i].restart &&
			changes->all[i].section &&
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
