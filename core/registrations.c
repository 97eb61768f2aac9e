/* SPDX-License-Identifier: MPL-2.0 */

/* What a module leaves behind when it ends. */

#include <stddef.h>
#include <stdlib.h>

#include "closed.h"
#include "metrics.h"
#include "module.h"
#include "module_log.h"
#include "registrations.h"
#include "service.h"
#include "timer.h"

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
