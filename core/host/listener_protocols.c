/* SPDX-License-Identifier: MPL-2.0 */

/* Whether the modules that listeners name serve connections. */

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "config/config.h"
#include "config/config_listeners.h"
#include "host/listener_protocols.h"
#include "log/log.h"

/* Without these two a module takes none: it is no protocol. */
static bool serves(const struct relay_module *mod)
{
	return mod->def.hooks.conn_open && mod->def.hooks.conn_readable;
}

static const struct relay_module *find(
	const struct module_list *wanted, const char *name)
{
	for (size_t i = 0; i < wanted->count; i++)
		if (strcmp(wanted->mods[i]->def.name, name) == 0)
			return wanted->mods[i];
	return NULL;
}

/* "those that do: a, b"; cut off if there are very many. */
static void list(const struct module_list *wanted, char *out, size_t size)
{
	size_t len = 0;

	(void)snprintf(out, size, "no module in modules does");
	for (size_t i = 0; i < wanted->count && len < size; i++)
		if (serves(wanted->mods[i]))
			len += (size_t)snprintf(out + len, size - len, "%s%s",
				len ? ", " : "those that do: ",
				wanted->mods[i]->def.name);
}

static void tell(const struct config *config, const struct core_listener *one,
	const struct module_list *wanted)
{
	char section[sizeof(CONFIG_LISTENER " ") + CORE_LISTENER_NAME_MAX];
	char others[300];
	struct relay_value value = {.origin = NULL};

	(void)snprintf(section, sizeof(section), CONFIG_LISTENER " %.*s",
		CORE_LISTENER_NAME_MAX, one->name);
	(void)config_get(config, section, "protocol", &value);
	list(wanted, others, sizeof(others));
	log_core(RELAY_ERROR,
		"%s: listener %s: protocol is \"%s\", a module that serves no "
		"connections; %s",
		value.origin ? value.origin : "the configuration", one->name,
		one->protocol, others);
}

int listener_protocols_check(
	const struct config *config, const struct module_list *wanted)
{
	const struct core_conf *core = config_core(config);
	int result = 0;

	for (size_t i = 0; i < core->listener_count; i++) {
		const struct core_listener *one = &core->listeners[i];
		/* One that is not there was reported, or is not required. */
		const struct relay_module *mod = find(wanted, one->protocol);

		if (!mod || serves(mod))
			continue;
		tell(config, one, wanted);
		result = -1;
	}
	return result;
}
