/* SPDX-License-Identifier: MPL-2.0 */

/* Named services between modules. */

#include <stdlib.h>
#include <string.h>

#include "log/log.h"
#include "modules/module.h"
#include "modules/modules_state.h"
#include "modules/service.h"

struct service {
	struct service *next;
	struct relay_module *owner; /* borrowed */
	const char *name;           /* owned by the module, as is ops */
	unsigned version;
	const void *ops;
};

static struct service *find(const char *name)
{
	struct service *s = instance->modules->services;

	while (s && strcmp(s->name, name) != 0)
		s = s->next;
	return s;
}

int relay_service_publish(struct relay_ctx *cx, const char *name,
	unsigned version, const void *ops)
{
	struct service *s = find(name);

	if (!module_may_register(cx, "a service"))
		return -1;
	/* A module that leaves may be replaced: find() finds the newest. */
	if (s && s->owner->stage != MODULE_LEAVING) {
		relay_log(cx, RELAY_ERROR,
			"service \"%s\" is already provided by module %s", name,
			s->owner->def.name);
		return -1;
	}
	s = calloc(1, sizeof(*s));
	if (!s) {
		relay_log(
			cx, RELAY_ERROR, "no memory for service \"%s\"", name);
		return -1;
	}
	s->owner = cx->mod;
	s->name = name;
	s->version = version;
	s->ops = ops;
	s->next = instance->modules->services;
	instance->modules->services = s;
	return 0;
}

/* A module that starts also sees services of modules that have started before
 * it and are not live yet.  A live module does not: if the start fails, those
 * services are withdrawn. */
static bool visible(const struct service *s, const struct relay_module *to)
{
	if (s->owner == to || module_visible(s->owner))
		return true;
	return !module_visible(to) && s->owner->stage == MODULE_STARTED;
}

const void *relay_service_find(struct relay_ctx *cx, const char *name,
	unsigned version, struct relay_ctx **self)
{
	struct service *s = find(name);

	if (!s || s->version < version || !visible(s, cx->mod))
		return NULL;
	if (self)
		*self = &s->owner->control.pub;
	return s->ops;
}

void service_withdraw(struct relay_module *mod)
{
	struct service **at = &instance->modules->services;

	while (*at) {
		struct service *s = *at;

		if (s->owner != mod) {
			at = &s->next;
			continue;
		}
		*at = s->next;
		free(s);
	}
}
