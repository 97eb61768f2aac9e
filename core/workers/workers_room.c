/* SPDX-License-Identifier: MPL-2.0 */

/* The room's state. */

#include <stdlib.h>

#include "workers/workers_room.h"

int workers_room_create(void)
{
	instance->workers = calloc(1, sizeof(*instance->workers));
	return instance->workers ? 0 : -1;
}

void workers_room_destroy(void)
{
	free(instance->workers);
	instance->workers = NULL;
}
