/* SPDX-License-Identifier: MPL-2.0 */

/* Makes and frees the state of the module host. */

#include <stdlib.h>

#include "log/log.h"
#include "modules/hooks.h"
#include "modules/modules.h"
#include "modules/modules_state.h"

int modules_create(void)
{
	instance->modules = calloc(1, sizeof(*instance->modules));
	return instance->modules ? 0 : -1;
}

void modules_destroy(void)
{
	if (!instance->modules)
		return;
	log_set_sinks(NULL);
	layout_free_all();
	free(instance->modules);
	instance->modules = NULL;
}
