/* SPDX-License-Identifier: MPL-2.0 */

/* Comparing two snapshots, option by option. */

#include <stdlib.h>
#include <string.h>

#include "changes.h"
#include "config.h"
#include "log.h"
#include "options.h"

struct comparison {
	const struct config *begun, *before;
	changes_filter_fn *wanted;
	size_t count;
};

static bool same_list(const char *const *a, const char *const *b)
{
	size_t i = 0;

	while (a[i] && b[i] && strcmp(a[i], b[i]) == 0)
		i++;
	return !a[i] && !b[i];
}

static bool same(const struct relay_value *a, const struct relay_value *b)
{
	switch (a->option->type) {
	case RELAY_STRING:
		return strcmp(a->string, b->string) == 0;
	case RELAY_LIST:
		return same_list(a->list, b->list);
	case RELAY_BOOL:
	case RELAY_INT:
	case RELAY_SIZE:
	case RELAY_RATE:
	case RELAY_DURATION:
	case RELAY_CHOICE:
		break;
	}
	return a->number == b->number;
}

static void log_change(const char *section, const struct relay_value *old,
	const struct relay_value *new, bool restart)
{
	char *was = option_format(old), *is = option_format(new);

	log_core(restart ? RELAY_WARNING : RELAY_NOTICE,
		"option %s%s%s changes from \"%s\" to \"%s\"%s",
		section ? section : "", section ? "." : "", new->option->name,
		was ? was : "?", is ? is : "?",
		restart ? ": this needs a restart, until then the old value "
			  "stays in force"
			: "");
	free(was);
	free(is);
}

static void compare(
	const char *section, const struct relay_value *value, void *arg)
{
	struct comparison *all = arg;
	bool restart = value->option->flags & RELAY_OPTION_RESTART;
	struct relay_value old;

	if (section && !all->wanted(section))
		return;
	if (config_get(restart ? all->begun : all->before, section,
		    value->option->name, &old) != 0 ||
		same(&old, value))
		return;
	all->count++;
	log_change(section, &old, value, restart);
}

size_t changes_log(const struct config *begun, const struct config *before,
	const struct config *after, changes_filter_fn *wanted)
{
	struct comparison all = {
		.begun = begun, .before = before, .wanted = wanted};

	config_visit(after, compare, &all);
	return all.count;
}
