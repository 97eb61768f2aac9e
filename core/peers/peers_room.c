/* SPDX-License-Identifier: MPL-2.0 */

/* What the room has beside the workers' own. */

#include <stdlib.h>

#include "peers/peers_room.h"

int peers_room_create(void)
{
	instance->peers = calloc(1, sizeof(*instance->peers));
	return instance->peers ? 0 : -1;
}

void peers_room_destroy(void)
{
	free(instance->peers);
	instance->peers = NULL;
}
