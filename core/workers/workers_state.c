/* SPDX-License-Identifier: MPL-2.0 */

/* The room's state. */

#include <stdlib.h>

#include "workers/workers_state.h"

int workers_state_create(void)
{
	instance->workers = calloc(1, sizeof(*instance->workers));
	return instance->workers ? 0 : -1;
}

void workers_state_destroy(void)
{
	if (instance->workers)
		free(instance->workers->metrics);
	free(instance->workers);
	instance->workers = NULL;
}
