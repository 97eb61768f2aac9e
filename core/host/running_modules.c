/* SPDX-License-Identifier: MPL-2.0 */

/* Tells a module which modules run. */

#include <stdatomic.h>

#include <strelaysrv/server.h>

#include "base/instance.h"
#include "host/host_state.h"

void relay_modules_visit(
	struct relay_ctx *cx, relay_modules_visit_fn *visit, void *arg)
{
	const struct module_list *running = &instance->host->host.running;

	(void)cx;
	for (size_t i = 0; i < running->count; i++) {
		const struct relay_module *mod = running->mods[i];
		const struct relay_module_info info = {
			.name = mod->def.name,
			.version = mod->def.version,
			.summary = mod->def.summary,
			.path = mod->path ? mod->path : "",
			.abi_minor = mod->def.abi_minor,
			.guard = mod->def.flags & RELAY_GUARD,
			.failures = atomic_load_explicit(
				&mod->failures, memory_order_relaxed),
			.slow_calls = atomic_load_explicit(
				&mod->slow_calls, memory_order_relaxed),
			.hangs = atomic_load_explicit(
				&mod->hangs, memory_order_relaxed),
		};

		visit(&info, arg);
	}
}
