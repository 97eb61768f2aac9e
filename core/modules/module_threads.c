/* SPDX-License-Identifier: MPL-2.0 */

/* The workers as the module host sees them. */

#include <stddef.h>

#include "modules/module_threads.h"

static const struct module_threads *current;

void module_threads_set(const struct module_threads *threads)
{
	current = threads;
}

const struct module_threads *module_threads(void)
{
	return current;
}
