/* SPDX-License-Identifier: MPL-2.0 */

/* The commands of modules, for `strelaysrv -ctl`. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log/log.h"
#include "modules/commands.h"
#include "modules/module.h"
#include "modules/module_call.h"
#include "modules/modules_state.h"

#define DIRECTORY "/run/strelaysrv"

struct command {
	struct command *next;
	struct relay_module *owner; /* borrowed */
	const struct relay_command_def *def;
};

static struct command *find(const char *name)
{
	struct command *c = instance->modules->commands;

	/* A module that leaves may be replaced. */
	while (c && (c->owner->stage == MODULE_LEAVING ||
			    strcmp(c->def->name, name) != 0))
		c = c->next;
	return c;
}

static struct command *find_live(const char *name)
{
	struct command *c = find(name);

	return c && module_visible(c->owner) ? c : NULL;
}

static int refuse(struct relay_ctx *cx, const struct relay_command_def *def,
	const char *why)
{
	relay_log(cx, RELAY_ERROR, "command \"%s\" %s",
		def->name ? def->name : "", why);
	return -1;
}

int relay_command_add(struct relay_ctx *cx, const struct relay_command_def *def)
{
	struct command **at = &instance->modules->commands, *c;

	if (!module_may_register(cx, "a command"))
		return -1;
	if (!def->name || !module_name_valid(def->name) || !def->help ||
		!def->run)
		return refuse(cx, def, "needs a valid name, a help and `run`");
	if (find(def->name))
		return refuse(cx, def, "is already provided by another module");
	c = calloc(1, sizeof(*c));
	if (!c)
		return refuse(cx, def, "cannot be added: out of memory");
	c->owner = cx->mod;
	c->def = def;
	while (*at)
		at = &(*at)->next;
	*at = c;
	return 0;
}

int relay_commands_add(struct relay_ctx *cx,
	const struct relay_command_def *defs, struct relay_err *err)
{
	for (; defs->name; defs++)
		if (relay_command_add(cx, defs) != 0)
			return relay_fail(
				err, "cannot add the command %s", defs->name);
	return 0;
}

void relay_commands_visit(
	struct relay_ctx *cx, relay_command_visit_fn *visit, void *arg)
{
	(void)cx;
	for (const struct command *c = instance->modules->commands; c;
		c = c->next)
		if (module_visible(c->owner))
			visit(c->owner->def.name, c->def, arg);
}

const struct relay_command_def *relay_command_find(
	struct relay_ctx *cx, const char *name)
{
	const struct command *c = find_live(name);

	(void)cx;
	return c ? c->def : NULL;
}

enum relay_step relay_command_run(
	struct relay_ctx *cx, const char *name, struct relay_answer *to)
{
	const struct command *c = find_live(name);
	enum relay_step step;
	struct module_call call;

	(void)cx;
	if (!c)
		return RELAY_STEP_OVER;
	module_call_begin(&call, &c->owner->control.pub);
	step = c->def->run(&c->owner->control.pub, to);
	module_call_end(&call, "a command");
	return step;
}

void relay_command_closed(
	struct relay_ctx *cx, const char *name, struct relay_answer *to)
{
	const struct command *c = find_live(name);
	struct module_call call;

	(void)cx;
	if (!c || !c->def->closed)
		return;
	module_call_begin(&call, &c->owner->control.pub);
	c->def->closed(&c->owner->control.pub, to);
	module_call_end(&call, "the end of a command");
}

void commands_withdraw(struct relay_module *mod)
{
	struct command **at = &instance->modules->commands;

	while (*at) {
		struct command *c = *at;

		if (c->owner != mod) {
			at = &c->next;
			continue;
		}
		*at = c->next;
		free(c);
	}
}

int relay_control_path(
	const char *option, bool draining, char out[RELAY_CONTROL_PATH])
{
	const char *directory = getenv("RUNTIME_DIRECTORY");
	const char *end = draining ? ".draining" : "";
	int len;

	if (!directory || directory[0] != '/')
		directory = DIRECTORY;
	if (option[0])
		len = snprintf(out, RELAY_CONTROL_PATH, "%s%s", option, end);
	else /* systemd separates several by colons */
		len = snprintf(out, RELAY_CONTROL_PATH, "%.*s/control.sock%s",
			(int)strcspn(directory, ":"), directory, end);
	return len < 0 || len >= RELAY_CONTROL_PATH ? -1 : 0;
}
