/* SPDX-License-Identifier: MPL-2.0 */

/* The log API for modules: their records and their sinks. */

#include <stdlib.h>

#include "modules/hooks.h"
#include "log/log.h"
#include "modules/module.h"
#include "modules/modules_state.h"
#include "modules/module_log.h"

struct sink {
	struct sink *next;
	struct relay_module *owner; /* borrowed */
	relay_log_sink_fn *fn;
	enum relay_level level;
	bool live;
};

static const char *component_of(const struct relay_ctx *cx)
{
	return cx ? cx->mod->def.name : "core";
}

void relay_log(const struct relay_ctx *cx, enum relay_level level,
	const char *fmt, ...)
{
	va_list ap;

	if (!relay_log_wanted(level))
		return;
	va_start(ap, fmt);
	log_valist(component_of(cx), level, NULL, fmt, ap);
	va_end(ap);
}

void relay_log_fields(const struct relay_ctx *cx, enum relay_level level,
	const struct relay_field *fields, const char *fmt, ...)
{
	va_list ap;

	if (!relay_log_wanted(level))
		return;
	va_start(ap, fmt);
	log_valist(component_of(cx), level, fields, fmt, ap);
	va_end(ap);
}

void relay_log_always(const struct relay_ctx *cx,
	const struct relay_field *fields, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_always_valist(component_of(cx), fields, fmt, ap);
	va_end(ap);
}

void relay_log_seldom(const struct relay_ctx *cx, enum relay_level level,
	struct relay_log_kind *kind, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_ratelimit_valist(component_of(cx), level, kind, fmt, ap);
	va_end(ap);
}

static bool any_live(void)
{
	for (const struct sink *s = instance->modules->sinks; s; s = s->next)
		if (s->live)
			return true;
	return false;
}

static enum relay_level highest_level(void)
{
	enum relay_level level = RELAY_ERROR;

	for (const struct sink *s = instance->modules->sinks; s; s = s->next)
		if (s->live && s->level > level)
			level = s->level;
	return level;
}

static void deliver(const struct relay_log_record *record, bool all)
{
	for (struct sink *s = instance->modules->sinks; s; s = s->next) {
		struct relay_ctx *cx = &s->owner->control.pub;
		const struct relay_ctx *before;

		if (!s->live || (!all && record->level > s->level))
			continue;
		before = hooks_enter(cx);
		s->fn(cx, record);
		hooks_leave(before);
	}
}

void module_log_init(void)
{
	static const struct log_sinks all = {any_live, highest_level, deliver};

	log_set_sinks(&all);
}

static struct sink *find(const struct relay_module *mod)
{
	struct sink *s = instance->modules->sinks;

	while (s && s->owner != mod)
		s = s->next;
	return s;
}

int relay_log_sink(
	struct relay_ctx *cx, enum relay_level level, relay_log_sink_fn *fn)
{
	struct sink **at = &instance->modules->sinks, *s;

	if (find(cx->mod) || !module_may_register(cx, "a log sink"))
		return -1;
	s = calloc(1, sizeof(*s));
	if (!s)
		return -1;
	s->owner = cx->mod;
	s->fn = fn;
	s->level = level;
	while (*at)
		at = &(*at)->next;
	*at = s;
	return 0;
}

void relay_log_sink_level(struct relay_ctx *cx, enum relay_level level)
{
	struct sink *s = find(cx->mod);

	if (!s)
		return;
	s->level = level;
	log_sinks_changed();
}

void module_log_publish(struct relay_module *mod)
{
	struct sink *s = find(mod);

	if (!s)
		return;
	log_flush(); /* earlier records are not for the new sink */
	s->live = true;
	log_sinks_changed();
}

void module_log_withdraw(struct relay_module *mod)
{
	struct sink **at = &instance->modules->sinks, *s = find(mod);

	if (!s)
		return;
	if (s->live)
		log_flush();
	while (*at != s)
		at = &(*at)->next;
	*at = s->next;
	free(s);
	log_sinks_changed();
}
