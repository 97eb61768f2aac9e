/* SPDX-License-Identifier: MPL-2.0 */

/* Withdraws what a module has registered. */

#include <stddef.h>
#include <stdlib.h>

#include "modules/commands.h"
#include "modules/server_closed.h"
#include "metrics/metrics.h"
#include "modules/module.h"
#include "modules/modules_state.h"
#include "modules/module_log.h"
#include "modules/registrations.h"
#include "modules/service.h"
#include "modules/timer.h"
#include "modules/work.h"

void registrations_add(registrations_fn *fn)
{
	struct modules_state *modules = instance->modules;

	if (modules->withdraw_count == WITHDRAW_MAX)
		abort();
	modules->withdraw[modules->withdraw_count++] = fn;
}

void registrations_withdraw(struct relay_module *mod)
{
	const struct modules_state *modules = instance->modules;

	for (size_t i = modules->withdraw_count; i-- > 0;)
		modules->withdraw[i](mod);
	commands_withdraw(mod);
	service_withdraw(mod);
	server_closed_withdraw(mod);
	timer_withdraw(&mod->control);
	work_withdraw(mod);
	metrics_withdraw(&mod->metrics);
	module_log_withdraw(mod);
}
