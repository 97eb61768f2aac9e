/* SPDX-License-Identifier: MPL-2.0 */

/* Which module runs, and how long its call takes. */

#include <inttypes.h>
#include <stdio.h>

#include "modules/module_call.h"
#include "modules/hooks.h"
#include "log/log.h"
#include "loop/loop.h"
#include "modules/module.h"

#define SLOW_MS 100

void module_call_begin(struct module_call *call, const struct relay_ctx *cx)
{
	call->cx = cx;
	call->before = hooks_enter(cx);
	/* The callback sees the current time: earlier callbacks of the same
	 * event may have taken long. */
	call->began_ms =
		loop_current ? loop_tick(loop_current) : loop_clock_ms();
}

int64_t module_call_end(const struct module_call *call, const char *what)
{
	int64_t took_ms = loop_clock_ms() - call->began_ms;
	const char *name = call->cx->mod->def.name;
	char took[24];
	const struct relay_field fields[] = {
		{"module", name},
		{"took_ms", took},
		{NULL, NULL},
	};

	hooks_leave(call->before);
	if (took_ms <= SLOW_MS || call->cx->worker != RELAY_CONTROL)
		return 0;
	atomic_fetch_add_explicit(
		&call->cx->mod->slow_calls, 1, memory_order_relaxed);
	(void)snprintf(took, sizeof(took), "%" PRId64, took_ms);
	log_core_fields(RELAY_WARNING, fields,
		"%s of module %s held up the control thread", what, name);
	return took_ms;
}

void module_call_run(struct relay_module *mod, void (*fn)(struct relay_ctx *),
	const char *what)
{
	struct module_call call;

	if (!fn)
		return;
	module_call_begin(&call, &mod->control.pub);
	fn(&mod->control.pub);
	module_call_end(&call, what);
}
