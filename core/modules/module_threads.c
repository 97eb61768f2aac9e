/* SPDX-License-Identifier: MPL-2.0 */

/* The workers as the module host sees them. */

#include <stddef.h>

#include "modules/module_threads.h"
#include "modules/modules_state.h"

void module_threads_set(const struct module_threads *threads)
{
	instance->modules->threads = threads;
}

const struct module_threads *module_threads(void)
{
	return instance->modules->threads;
}
