/* SPDX-License-Identifier: MPL-2.0 */

/* What a module leaves behind when it ends. */

#include <stddef.h>
#include <stdlib.h>

#include "modules/closed.h"
#include "metrics/metrics.h"
#include "modules/module.h"
#include "modules/module_log.h"
#include "modules/registrations.h"
#include "modules/service.h"
#include "modules/timer.h"

static registrations_fn *added[REGISTRATIONS_MAX];
static size_t count;

void registrations_add(registrations_fn *fn)
{
	if (count == REGISTRATIONS_MAX)
		abort();
	added[count++] = fn;
}

void registrations_withdraw(struct relay_module *mod)
{
	for (size_t i = count; i-- > 0;)
		added[i](mod);
	service_withdraw(mod);
	closed_withdraw(mod);
	timer_withdraw(&mod->control);
	metrics_withdraw(&mod->metrics);
	module_log_withdraw(mod);
}
